"""What layers make of unusual arguments: honoured, or refused with words that help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
from pullback.layers.calls import masks

L = tf.keras.layers
IMAGE = np.ones((1, 4, 4, 1), np.float32)

REFUSED = {
    "a broken kernel size": (lambda: L.Conv2D(1, (2.7, 2)), ValueError, "positive integers"),
    "a negative crop": (lambda: L.Cropping2D(-1), ValueError, "at least 0"),
    "a crop of everything": (lambda: L.Cropping2D(2)(IMAGE), ValueError, "leaves nothing of an axis of 4"),
    "half a pixel of padding": (lambda: L.ZeroPadding2D((1.5, 1)), ValueError, "at least 0"),
    "noise of infinite variance": (lambda: L.GaussianDropout(1.0), ValueError, "below 1"),
    "dropping all of selu": (lambda: L.AlphaDropout(1.0), ValueError, "below 1"),
    "no threshold": (lambda: L.ReLU(threshold=None), ValueError, "threshold must be a number of at least 0"),
    "a way of resizing": (lambda: L.UpSampling2D(2, interpolation="foo"), ValueError, "interpolation must be one of"),
    "no repetition": (lambda: L.RepeatVector(0), ValueError, "positive integer"),
    "no depth": (lambda: L.DepthwiseConv2D(2, depth_multiplier=0), ValueError, "depth_multiplier"),
    "a mask's shape of channels": (lambda: L.SpatialDropout2D(0.5, noise_shape=(1,)), TypeError, "use Dropout"),
    "a dynamic layer": (lambda: L.Dense(1, dynamic=True), TypeError, "dynamic"),
    "a variable's getter": (lambda: L.Layer().add_weight("a", (1,), getter=abs), ValueError, "getter"),
    "a variable's collections": (lambda: L.Layer().add_weight("a", (1,), collections=["x"]), ValueError, "collections"),
    "more contrast than there is": (lambda: L.RandomContrast(1.5), ValueError, "in \\[0, 1\\]"),
}


@pytest.mark.parametrize(("call", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_is_refused(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_a_masked_softmax_of_short_floats_is_finite() -> None:
    x, mask = np.array([[1.0, 2.0, 3.0]], np.float16), np.array([[True, True, False]])
    y = L.Softmax(dtype="float16")(x, mask=mask)
    np.testing.assert_allclose(y, [[1 / (1 + np.e), np.e / (1 + np.e), 0]], atol=1e-3)


def test_softmax_goes_over_several_axes_at_once() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    np.testing.assert_allclose(L.Softmax(axis=(0, 1))(x), np.exp(x) / np.exp(x).sum(), rtol=1e-6)


def test_numpys_integers_are_sizes() -> None:
    assert L.Conv2D(1, np.int64(3))(IMAGE).shape == (1, 2, 2, 1)
    assert L.ZeroPadding2D(np.int64(1))(IMAGE).shape == (1, 6, 6, 1)


def test_the_former_name_of_autocast_counts() -> None:
    kept = L.Layer(experimental_autocast=False)(np.ones(2, np.float64))
    assert kept.dtype == tf.float64
    assert L.Layer()(np.ones(2, np.float64)).dtype == tf.float32


def test_arguments_of_lstm_stand_in_tensorflows_order() -> None:
    none = (None,) * 7  # three regularizers, that of the outputs, three constraints
    layer = L.LSTM(2, "tanh", "sigmoid", True, "ones", "zeros", "zeros", False, *none, 0.25, 0.0)
    assert (layer.unit_forget_bias, layer.dropout, layer.kernel_initializer) == (False, 0.25, "ones")
    with pytest.raises(TypeError, match="give those of RNN by name"):
        L.LSTM(2, *[None] * 40)


def test_a_layer_at_every_step_passes_on_and_takes_masks() -> None:
    words = np.array([[[1, 2], [3, 0], [0, 0]]])
    embedded = L.TimeDistributed(L.Embedding(5, 2, mask_zero=True))(words)
    np.testing.assert_array_equal(masks.of(embedded), words != 0)
    inner = L.LSTM(2, kernel_initializer="ones", recurrent_initializer="ones")
    x = np.ones((1, 2, 3, 1), np.float32)
    y = L.TimeDistributed(inner)(x, mask=np.array([[[True, True, True], [True, False, False]]]))
    np.testing.assert_allclose(y[:, 0], inner(x[:, 0]), rtol=1e-6)
    np.testing.assert_allclose(y[:, 1], inner(x[:, 1, :1]), rtol=1e-6)


def test_what_is_masked_of_each_step_is_masked_of_steps_without_any() -> None:
    flags = np.array([[[True, False], [False, False]]])
    outer = L.TimeDistributed(L.LSTM(2))
    outer(np.ones((1, 2, 2, 1), np.float32))
    np.testing.assert_array_equal(outer.compute_mask(tf.ones([1, 2, 2, 1]), tf.constant(flags)), [[True, False]])


def test_a_lambdas_mask_outlives_its_configuration() -> None:
    def doubled(x: Any) -> Any:
        return x * 2

    def none_masked(inputs: Any, mask: Any) -> Any:
        return None

    config = L.Lambda(doubled, mask=none_masked).get_config()
    known = {"doubled": doubled, "none_masked": none_masked}
    assert L.Lambda.from_config(config, known).mask is none_masked
    with pytest.raises(ValueError, match="keeps no code"):
        L.Lambda.from_config(config, {"doubled": doubled})


def test_only_the_ends_of_lines_part_the_words_of_a_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("one\u2028word\nnext\x85\nlast\n", encoding="utf-8")
    layer = L.StringLookup(vocabulary=str(path))
    assert layer.get_vocabulary() == ["[UNK]", "one\u2028word", "next\x85", "last"]
