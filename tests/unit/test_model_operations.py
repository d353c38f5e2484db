"""Operations between a functional model's layers, in files: what is saved computes the same, more is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf

keras = tf.keras
X = np.random.default_rng(0).normal(size=(3, 4, 6)).astype(np.float32)
WEIGHTS = np.linspace(0, 1, 6, dtype=np.float32)

CUTS: dict[str, Callable[[Any], Any]] = {
    "scaled": lambda x: x / 127.5 - 1.0,
    "sliced": lambda x: x[:, 1:, ::2],
    "reduced": lambda x: tf.reduce_mean(x, axis=1, keepdims=True),
    "with an array": lambda x: x * WEIGHTS,
    "with a tensor from outside": lambda x: x + tf.constant(WEIGHTS),
    "parted and joined": lambda x: tf.concat(tf.split(tf.nn.relu(x), 3, axis=-1)[::-1], 1),
    "by its own size": lambda x: tf.reshape(x, [tf.shape(x)[0], -1]),
    "cast": lambda x: tf.cast(tf.argmax(x, -1), tf.float32),
    "of two layers' results": lambda x: tf.einsum("bij,bkj->bik", x, keras.layers.Dense(6, name="other")(x)),
}


def cut(between: Callable[[Any], Any]) -> Any:
    inputs = keras.Input((4, 6))
    last = keras.layers.Flatten()(between(keras.layers.Dense(6, name="first")(inputs)))
    return keras.Model(inputs, keras.layers.Activation("tanh")(last))


@pytest.mark.parametrize("name", CUTS)
def test_a_saved_model_computes_the_same(name: str, tmp_path: Path) -> None:
    model = cut(CUTS[name])
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again(X).numpy(), model(X).numpy())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    described = keras.models.model_from_json(model.to_json())
    described.set_weights(model.get_weights())
    np.testing.assert_array_equal(described(X).numpy(), model(X).numpy())


def test_what_files_cannot_hold_is_named(tmp_path: Path) -> None:
    shift, called = tf.Variable(1.0), tf.function(lambda x: x + 1.0)
    wrong: list[Callable[[Any], Any]] = [
        lambda x: x + shift,
        lambda x: tf.ensure_shape(tf.numpy_function(np.sin, [x], tf.float32), [None, 4, 6]),
        called,
    ]
    for between in wrong:
        with pytest.raises(ValueError, match=r"operation '.*' between the layers cannot be saved.*make it a layer"):
            cut(between).save(tmp_path / "m.keras")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "said, words",
    [
        ({"op": "WriteFile", "fields": {}}, "'WriteFile' cannot be made: it does more than compute"),
        ({"op": "PyFunc", "fields": {"function": "print", "Tout": [], "shapes": []}}, "'PyFunc' cannot be made"),
        ({"op": "NoSuchOp", "fields": {}}, "'NoSuchOp' is not known"),
        ({"op": "Relu", "fields": {"slope": 1}}, "'Relu' cannot be made"),
    ],
)
def test_a_strangers_file_only_computes(said: dict[str, Any], words: str) -> None:
    config = json.loads(cut(tf.nn.relu).to_json())
    (step,) = config["config"]["operations"]
    step.clear()
    step.update(name="operation:0", inputs=[{"tensor": ["first", 0, 0]}], **said)
    with pytest.raises(ValueError, match=words):
        keras.models.model_from_json(json.dumps(config))
