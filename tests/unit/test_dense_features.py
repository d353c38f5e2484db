"""Feature columns in TensorFlow 2: as a layer, alone and at the front of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as tf

fc = tf.feature_column


def colors() -> Any:
    return fc.categorical_column_with_vocabulary_list("color", ["red", "green", "blue"])


def test_dense_features_is_a_layer_of_columns() -> None:
    layer = tf.keras.layers.DenseFeatures([fc.numeric_column("x"), fc.embedding_column(colors(), 2)])
    given = {"x": tf.constant([1.0, 2.0]), "color": tf.constant(["green", "none"])}
    with tf.GradientTape() as tape:
        y = layer(given)
        loss = tf.reduce_sum(y)
    (table,) = layer.trainable_variables
    assert y.shape.as_list() == [2, 3] and table.shape.as_list() == [3, 2]
    np.testing.assert_allclose(y.numpy()[:, :2], [table.numpy()[1], [0, 0]])
    assert y.numpy()[:, 2].tolist() == [1, 2]
    grad = tf.convert_to_tensor(tape.gradient(loss, table))
    assert grad.numpy().tolist() == [[0, 0], [1, 1], [0, 0]]
    assert len(layer(given).shape) == 2 and len(layer.trainable_variables) == 1


def test_shared_embeddings_share_their_table_in_a_layer() -> None:
    other = fc.categorical_column_with_vocabulary_list("tag", ["red", "green", "blue"])
    layer = tf.keras.layers.DenseFeatures(fc.shared_embeddings([colors(), other], 2))
    y = layer({"color": tf.constant(["blue"]), "tag": tf.constant(["blue"])}).numpy()
    assert y[0, :2].tolist() == y[0, 2:].tolist()
    assert len(layer.trainable_variables) == 1


def test_a_model_trains_over_columns() -> None:
    x = np.linspace(-1, 1, 64, dtype=np.float32)
    words = np.array(["red", "blue"] * 32)
    y = np.where(words == "red", 1.0, -1.0).astype(np.float32) + x
    columns = [fc.numeric_column("x"), fc.indicator_column(colors())]
    model = tf.keras.Sequential([tf.keras.layers.DenseFeatures(columns), tf.keras.layers.Dense(1)])
    model.compile(tf.keras.optimizers.SGD(0.3), "mse")
    data = tf.data.Dataset.from_tensor_slices(({"x": x, "color": words}, y)).batch(16)
    history = model.fit(data, epochs=15, verbose=0).history["loss"]
    assert history[-1] < 0.01 * history[0]


def test_a_layer_takes_dense_columns_and_dicts_only() -> None:
    with pytest.raises(ValueError, match="wrap a categorical column"):
        tf.keras.layers.DenseFeatures([colors()])
    with pytest.raises(ValueError, match="expected a dictionary"):
        tf.keras.layers.DenseFeatures([fc.numeric_column("x")])(tf.constant([1.0]))
