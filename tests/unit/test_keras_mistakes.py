"""Mistakes that users of Keras make: each is answered by an error that says what was wrong, none is passed over."""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

keras = tf.keras
layers = keras.layers
X, Y = np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)
ROWS = np.ones((2, 3, 4), np.float32)


def linear(**compiled: Any) -> Any:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return model


def two_inputs() -> Any:
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([a, b], layers.Dense(1)(layers.Add()([a, b])))
    model.compile("sgd", "mse")
    return model


def two_outputs() -> Any:
    x = keras.Input((3,))
    model = keras.Model(x, [layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)])
    model.compile("sgd", "mse")
    return model


class Unstarted(layers.Layer):  # type: ignore[misc]
    """Forgets its base's constructor."""

    def __init__(self) -> None:
        self.kept = 3


class UnstartedModel(keras.Model):  # type: ignore[misc, name-defined]
    """Forgets its base's constructor."""

    def __init__(self) -> None:
        self.kept = 3


def dataset() -> Any:
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


LAYERS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "units of a half": (lambda: layers.Dense(2.5), ValueError, "positive integer, but is 2.5"),
    "no units": (lambda: layers.LSTM(None), ValueError, "LSTMCell: units must be a positive integer"),
    "no filters": (lambda: layers.Conv2D(0, 3), ValueError, "Conv2D: filters"),
    "no groups": (lambda: layers.Conv2D(2, 3, groups=0), ValueError, "Conv2D: groups"),
    "no rows": (lambda: layers.Embedding(0, 2), ValueError, "Embedding: input_dim"),
    "a rate of a word": (lambda: layers.Dropout("a"), ValueError, "'a' received for `rate`"),
    "a negative stddev": (lambda: layers.GaussianNoise(-1.0), ValueError, "stddev must not be negative"),
    "None": (lambda: layers.Dense(2)(None), ValueError, "must be a tensor, but is None"),
    "two inputs": (lambda: layers.Dense(2)([X, X]), ValueError, "expects 1 input"),
    "an axis of Dot": (lambda: layers.Dot(axes=7)([X, X]), ValueError, "Dot: axis 7 does not fit inputs of 2 axes"),
    "an axis of PReLU": (lambda: layers.PReLU(shared_axes=[5])(X), ValueError, "PReLU: axis"),
    "a wrapped Dense": (lambda: layers.Bidirectional(layers.Dense(2)), ValueError, "layer must be recurrent"),
    "rows of two axes": (lambda: layers.LSTM(2)(X), ValueError, "expected ndim=3"),
    "one state of two": (
        lambda: layers.LSTM(2)(ROWS, initial_state=[np.zeros((2, 2), np.float32)]),
        ValueError,
        "needs 2 initial states, but 1",
    ),
    "a layer not started": (lambda: Unstarted()(X), RuntimeError, r"super\(\).__init__\(\)"),
    "a model not started": (lambda: UnstartedModel().compile("sgd"), RuntimeError, r"super\(\).__init__\(\)"),
    "no configuration": (lambda: keras.models.model_from_json("{}"), ValueError, "A layer is described as"),
}
TRAINING: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no data": (lambda: linear().fit(), ValueError, "`x` must be given"),
    "a negative batch": (lambda: linear().fit(X, Y, batch_size=-2), ValueError, "batch_size must be a positive"),
    "a batch and a half": (lambda: linear().fit(X, Y, batch_size=2.5), ValueError, "batch_size must be a positive"),
    "ragged lists": (lambda: linear().fit([[1.0, 2.0], [1.0]], [1.0, 1.0]), TypeError, "no rectangular array"),
    "a number": (lambda: linear().fit(X, np.float32(1)), ValueError, "arrays of examples"),
    "a dataset's batch_size": (lambda: linear().fit(dataset(), batch_size=4), ValueError, "`batch_size` must not"),
    "a dataset's weights": (lambda: linear().fit(dataset(), sample_weight=Y), ValueError, "`sample_weight` must not"),
    "an input that lacks": (lambda: two_inputs().fit({"a": X}, Y), ValueError, r"missing data for inputs \['b'\]"),
    "labels of no output": (lambda: two_outputs().fit(X, {"a": Y, "q": Y}), ValueError, r"labels .* \['q'\]"),
    "weights of no output": (
        lambda: two_outputs().fit(X, [Y, Y], sample_weight={"q": Y[:, 0]}),
        ValueError,
        r"sample weights .* \['q'\]",
    ),
    "classes of two outputs": (
        lambda: two_outputs().fit(X, [Y, Y], class_weight={0: 1.0}),
        ValueError,
        "labels of one output",
    ),
    "no callback": (lambda: linear().fit(X, Y, callbacks=[3]), TypeError, "one is 3"),
    "neither name nor index": (lambda: linear().get_layer(), ValueError, "either a name or an index"),
}


@pytest.mark.parametrize(("call", "error", "words"), (LAYERS | TRAINING).values(), ids=(LAYERS | TRAINING).keys())
def test_is_refused(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_whole_floats_and_dimensions_are_counts() -> None:
    assert layers.Dense(2.0).units == 2
    assert layers.Dense(np.int64(2)).units == 2


def test_dense_takes_whole_numbers() -> None:
    y = layers.Dense(2, kernel_initializer="ones")(np.array([[1, 2, 3]]))
    np.testing.assert_array_equal(y, [[6.0, 6.0]])


def test_an_epochs_loss_is_the_mean_over_examples() -> None:
    """Batches of 3, 3 and 2: means of batches would weigh the last examples more."""
    labels = np.arange(8, dtype=np.float32)[:, None]
    loss = np.mean((X.sum(1, keepdims=True) - labels) ** 2)
    assert linear().evaluate(X, labels, batch_size=3, verbose=0) == pytest.approx(loss, rel=1e-6)


def test_lists_of_numbers_are_arrays() -> None:
    assert linear().evaluate([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]], [6.0, 1.0], verbose=0) == 0.0


def test_the_loss_may_be_a_lambda() -> None:
    model = linear(loss=lambda y, p: tf.reduce_mean(tf.abs(y - p), -1))
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(2.0)


def test_a_step_of_ones_own_is_given_what_fit_is_given() -> None:
    class Seeing(keras.Sequential):  # type: ignore[misc, name-defined]
        seen: Any = None

        def train_step(self, data: Any) -> dict[str, Any]:
            Seeing.seen = tf.nest.map_structure(lambda t: t.shape.rank, data)
            return {"loss": tf.constant(0.0)}

    model = Seeing([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd")
    for given, ranks in (
        (lambda: model.fit(X, Y, verbose=0), (2, 2)),
        (lambda: model.fit(X, verbose=0), 2),
        (lambda: model.fit(X, Y, sample_weight=Y[:, 0], verbose=0), (2, 2, 1)),
        (lambda: model.fit(tf.data.Dataset.from_tensor_slices({"q": X}).batch(4), verbose=0), {"q": 2}),
    ):
        given()
        assert Seeing.seen == ranks


def test_a_dataset_that_ends_early_ends_its_epoch_with_a_warning() -> None:
    model = linear()
    with pytest.warns(UserWarning, match="ran out of data after 2 of 3 steps"):
        history = model.fit(dataset(), steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


def test_a_generators_error_is_the_users() -> None:
    def batches() -> Iterator[Any]:
        yield X, Y
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), warnings.catch_warnings():
        linear().fit(batches(), verbose=0)


def test_clear_session_lets_models_go() -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Masking(), layers.Dense(1)])
    model(X)
    layer = weakref.ref(model.layers[-1])
    del model
    keras.backend.clear_session()
    gc.collect()
    assert layer() is None


def test_a_graph_with_models_and_a_session_goes_with_its_last_reference() -> None:
    with tf1.Graph().as_default() as graph:
        model = tf1.keras.Sequential([tf1.keras.layers.Dense(1, input_shape=(3,))])
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
    gone = weakref.ref(graph)
    del graph, model
    gc.collect()
    assert gone() is None
