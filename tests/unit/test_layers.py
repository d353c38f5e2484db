"""tf.layers: TensorFlow's names, sharing, collections, and what the layers compute."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

rng = np.random.default_rng(0)
IMAGES = rng.normal(size=(2, 6, 6, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    """A graph of its own for each test."""
    with tf.Graph().as_default() as made:
        yield made


def run(fetches: Any, feed: Any = None) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feed)


def names(things: Any) -> list[str]:
    return [thing.name for thing in things]


def matrix() -> Any:
    return tf.placeholder(tf.float32, [None, 3])


# --- names and sharing ------------------------------------------------------------------------------------------------


def test_dense_has_tensorflows_names() -> None:
    y = tf.layers.dense(tf.layers.dense(matrix(), 4, activation=tf.nn.relu), 4, use_bias=False)
    assert y.name == "dense_1/MatMul:0"
    assert names(tf.global_variables()) == ["dense/kernel:0", "dense/bias:0", "dense_1/kernel:0"]
    assert y.op.inputs[0].name == "dense/Relu:0"


@pytest.mark.parametrize(
    ("make", "first", "last"),
    [
        (lambda x: tf.layers.conv2d(x, 4, 3), "conv2d/Conv2D", "conv2d/BiasAdd"),
        (
            lambda x: tf.layers.conv2d_transpose(x, 4, 3),
            "conv2d_transpose/conv2d_transpose",
            "conv2d_transpose/BiasAdd",
        ),
        (lambda x: tf.layers.max_pooling2d(x, 2, 2), "max_pooling2d/MaxPool", "max_pooling2d/MaxPool"),
        (lambda x: tf.layers.average_pooling2d(x, 2, 2), "average_pooling2d/AvgPool", "average_pooling2d/AvgPool"),
        (lambda x: tf.layers.flatten(x), "flatten/Reshape", "flatten/Reshape"),
        (lambda x: tf.layers.dropout(x, training=True), "dropout/dropout/Mul", "dropout/dropout/SelectV2"),
        (
            lambda x: tf.layers.separable_conv2d(x, 4, 3),
            "separable_conv2d/separable_conv2d",
            "separable_conv2d/BiasAdd",
        ),
    ],
)
def test_operations_have_tensorflows_names(graph: Any, make: Any, first: str, last: str) -> None:
    y = make(tf.constant(IMAGES))
    graph.get_operation_by_name(first)
    assert y.op.name == last


def test_a_layer_called_twice_shares_its_variables() -> None:
    layer = tf.layers.Dense(3)
    first, second = layer(matrix()), layer(matrix())
    assert (first.name, second.name) == ("dense/BiasAdd:0", "dense/BiasAdd_1:0")
    assert layer.scope_name == "dense"
    assert names(layer.weights) == ["dense/kernel:0", "dense/bias:0"] == names(tf.global_variables())


def test_functions_share_by_name_and_reuse() -> None:
    with tf.variable_scope("a"):
        tf.layers.dense(matrix(), 4, name="d")
        y = tf.layers.dense(matrix(), 4, name="d", reuse=True)
    with tf.variable_scope("a", reuse=True):
        z = tf.layers.dense(matrix(), 4, name="d")
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
        tf.layers.dense(matrix(), 4, name="d")
    assert (y.name, z.name) == ("a/d_1/BiasAdd:0", "a_1/d/BiasAdd:0")
    assert names(tf.global_variables()) == ["a/d/kernel:0", "a/d/bias:0"]


def test_a_name_is_taken_once_unless_reused() -> None:
    tf.layers.dense(matrix(), 4, name="d")
    with pytest.raises(ValueError, match="already exists"):
        tf.layers.dense(matrix(), 4, name="d")


def test_scopes_defaults_reach_layers() -> None:
    with tf.variable_scope("s", initializer=tf.ones_initializer(), regularizer=tf.nn.l2_loss):
        tf.layers.dense(matrix(), 2)
    kernel = tf.global_variables()[0]
    np.testing.assert_array_equal(run(kernel), np.ones((3, 2)))
    assert names(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))[0] == "s/dense/kernel/Regularizer/L2Loss:0"


# --- collections ------------------------------------------------------------------------------------------------------


def test_penalties_join_the_regularization_losses() -> None:
    x = tf.constant(rng.normal(size=(4, 3)), tf.float32)
    layer = tf.layers.Dense(2, kernel_regularizer=tf.nn.l2_loss, activity_regularizer=tf.reduce_sum)
    y = layer(x)
    found = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert names(found) == ["dense/kernel/Regularizer/L2Loss:0", "dense/ActivityRegularizer/truediv:0"]
    (weight, activity), kernel, out = run([found, layer.kernel, y])
    assert weight == pytest.approx(np.sum(kernel**2) / 2, rel=1e-5)
    assert activity == pytest.approx(out.sum() / 4, rel=1e-4)
    assert len(layer.losses) == 2


def test_a_layer_that_is_not_trained_keeps_out_of_the_trainable_variables() -> None:
    tf.layers.dense(matrix(), 2, trainable=False)
    assert names(tf.global_variables()) == ["dense/kernel:0", "dense/bias:0"]
    assert tf.trainable_variables() == []


def test_constraints_are_kept_for_optimizers() -> None:
    x = tf.constant(np.ones((2, 3)), tf.float32)
    y = tf.layers.dense(x, 2, kernel_constraint=lambda w: tf.clip_by_value(w, -0.1, 0.1))
    step = tf.train.GradientDescentOptimizer(1.0).minimize(tf.reduce_sum(y))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        kernel = session.run(tf.global_variables()[0])
    assert np.abs(kernel).max() <= 0.1 + 1e-7


# --- batch normalization ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fused", [True, False])
def test_batch_normalization_uses_the_batch_and_moves_its_averages(fused: bool) -> None:
    y = tf.layers.batch_normalization(tf.constant(IMAGES), training=True, momentum=0.9, fused=fused, epsilon=0.01)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    assert names(updates) == ["batch_normalization/AssignMovingAvg", "batch_normalization/AssignMovingAvg_1"]
    assert names(tf.trainable_variables()) == ["batch_normalization/gamma:0", "batch_normalization/beta:0"]
    mean, variance = IMAGES.mean((0, 1, 2)), IMAGES.var((0, 1, 2))
    n = IMAGES.size // 3
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        got = session.run(y)
        session.run(updates)
        averages = session.run(tf.global_variables()[2:])
    np.testing.assert_allclose(got, (IMAGES - mean) / np.sqrt(variance + 0.01), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(averages[0], 0.1 * mean, rtol=1e-4, atol=1e-6)
    counted = variance * (n / (n - 1) if fused else 1)
    np.testing.assert_allclose(averages[1], 0.9 + 0.1 * counted, rtol=1e-4)


def test_batch_normalization_takes_a_placeholder_for_training() -> None:
    training = tf.placeholder(tf.bool, [])
    y = tf.layers.batch_normalization(tf.constant(IMAGES), training=training)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        off = session.run([y, *updates], {training: False})[0]
        before = session.run(tf.global_variables()[2])
        on = session.run([y, *updates], {training: True})[0]
        after = session.run(tf.global_variables()[2])
    np.testing.assert_allclose(off, IMAGES / np.sqrt(1.001), rtol=1e-5)
    assert abs(on.mean()) < 1e-5
    np.testing.assert_array_equal(before, 0)
    np.testing.assert_allclose(after, 0.01 * IMAGES.mean((0, 1, 2)), rtol=1e-3, atol=1e-7)


def test_batch_renormalization_is_refused() -> None:
    with pytest.raises(ValueError, match="leave renorm out"):
        tf.layers.batch_normalization(tf.constant(IMAGES), renorm=True)


# --- what they compute ------------------------------------------------------------------------------------------------


def test_dense_along_the_last_axis_of_many() -> None:
    x = rng.normal(size=(2, 5, 3)).astype(np.float32)
    layer = tf.layers.Dense(4, activation=tf.nn.tanh)
    y, kernel = run([layer(tf.constant(x)), layer.kernel])
    np.testing.assert_allclose(y, np.tanh(np.einsum("btc,ck->btk", x, kernel)), rtol=1e-4, atol=1e-6)


def test_convolutions_know_their_shapes() -> None:
    x = tf.placeholder(tf.float32, [None, 8, 8, 3])
    assert tf.layers.conv2d(x, 4, 3, strides=2, padding="same").shape.as_list() == [None, 4, 4, 4]
    assert tf.layers.conv2d_transpose(x, 4, 5, strides=2).shape.as_list() == [None, 19, 19, 4]
    first = tf.placeholder(tf.float32, [None, 3, 8, 8])
    assert tf.layers.conv2d(first, 4, 3, data_format="channels_first").shape.as_list() == [None, 4, 6, 6]
    assert tf.layers.flatten(tf.placeholder(tf.float32, [None, 4, 5])).shape.as_list() == [None, 20]


def test_channels_first_gives_the_same_numbers() -> None:
    with tf.variable_scope("s", reuse=tf.AUTO_REUSE):
        last = tf.layers.conv2d(tf.constant(IMAGES), 4, 3, name="c")
        moved = tf.constant(IMAGES.transpose(0, 3, 1, 2))
        first = tf.layers.conv2d(moved, 4, 3, name="c", data_format="channels_first")
    a, b = run([last, first])
    np.testing.assert_allclose(a, b.transpose(0, 2, 3, 1), rtol=1e-5, atol=1e-6)


def test_dropout_only_while_training() -> None:
    training = tf.placeholder(tf.bool, [])
    x = tf.ones([100, 10])
    y = tf.layers.dropout(x, 0.4, training=training, seed=1)
    with tf.Session() as session:
        assert set(np.unique(session.run(y, {training: False}))) == {1.0}
        kept = session.run(y, {training: True})
    np.testing.assert_allclose(np.unique(kept), [0, 1 / 0.6], rtol=1e-6)
    assert 0.5 < (kept > 0).mean() < 0.7


def test_signatures_are_tensorflow_1s() -> None:
    dense = list(inspect.signature(tf.layers.dense).parameters)
    assert dense[:4] == ["inputs", "units", "activation", "use_bias"]
    assert dense[-3:] == ["trainable", "name", "reuse"]
    normalize = list(inspect.signature(tf.layers.batch_normalization).parameters)
    assert normalize[normalize.index("gamma_constraint") + 1 :][:4] == ["training", "trainable", "name", "reuse"]
    pool = inspect.signature(tf.layers.max_pooling2d).parameters
    assert pool["strides"].default is inspect.Parameter.empty


def test_inputs_that_do_not_fit_are_named() -> None:
    layer = tf.layers.Conv2D(4, 3)
    layer(tf.constant(IMAGES))
    with pytest.raises(ValueError, match="axis 3"):
        layer(tf.zeros([2, 6, 6, 5]))
    with pytest.raises(ValueError, match="ndim=4"):
        layer(tf.zeros([2, 6]))


def test_a_layer_of_ones_own() -> None:
    class Scale(tf.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight("factor", [input_shape[-1].value], initializer=tf.constant_initializer(3.0))
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    y = Scale()(tf.constant([[1.0, 2.0]]))
    assert names(tf.trainable_variables()) == ["scale/factor:0"]
    np.testing.assert_array_equal(run(y), [[3.0, 6.0]])


def test_training_a_network_lowers_its_loss() -> None:
    y = np.sum(IMAGES, (1, 2, 3), keepdims=False)[:, None]
    h = tf.layers.dense(tf.constant(IMAGES), 4, activation=tf.nn.relu)
    h = tf.layers.batch_normalization(h, training=True)
    loss = tf.losses.mean_squared_error(y, tf.layers.dense(tf.layers.flatten(h), 1))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        step = tf.train.AdamOptimizer(0.05).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        first = session.run(loss)
        for _ in range(30):
            session.run(step)
        assert session.run(loss) < first / 5
