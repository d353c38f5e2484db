"""Keras' layers: formulas, masks, shapes, configurations; what a layer keeps and says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as tf

layers = tf.keras.layers
rng = np.random.default_rng(3)
X = rng.normal(size=(2, 5, 3)).astype(np.float32)
IMAGES = rng.normal(size=(2, 6, 6, 3)).astype(np.float32)
MASK = np.array([[True, True, False, False, False], [True, False, True, True, True]])


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


# --- recurrent layers -------------------------------------------------------------------------------------------------


def lstm(x: Any, w: Any, u: Any, b: Any, mask: Any) -> Any:
    h = c = np.zeros((len(x), u.shape[0]), np.float32)
    outputs = []
    for t in range(x.shape[1]):
        i, f, j, o = np.split(x[:, t] @ w + h @ u + b, 4, 1)
        new_c = sigmoid(f) * c + sigmoid(i) * np.tanh(j)
        new_h = sigmoid(o) * np.tanh(new_c)
        alive = mask[:, t : t + 1]
        h, c = np.where(alive, new_h, h), np.where(alive, new_c, c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("traced", [False, True])
def test_lstm_with_a_mask(unroll: bool, traced: bool) -> None:
    layer = layers.LSTM(4, return_sequences=True, return_state=True, unroll=unroll)
    layer(X)
    run = tf.function(lambda x, m: layer(x, mask=m)) if traced else (lambda x, m: layer(x, mask=m))
    got = run(tf.constant(X), tf.constant(MASK))
    expected = lstm(X, *layer.get_weights(), MASK)
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_forget_gates_bias_begins_with_one() -> None:
    layer = layers.LSTM(2)
    layer(X)
    np.testing.assert_array_equal(layer.get_weights()[2], [0, 0, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("after", [True, False])
def test_gru(after: bool) -> None:
    layer = layers.GRU(4, reset_after=after, bias_initializer="random_normal")
    got = layer(X)
    w, u, b = layer.get_weights()
    mine, its = b if after else (b, np.zeros(12))
    h = np.zeros((2, 4))
    for t in range(5):
        (xz, xr, xh), (uz, ur, uh) = np.split(X[:, t] @ w + mine, 3, 1), np.split(u, 3, 1)
        bz, br, bh = np.split(its, 3)
        z, r = sigmoid(xz + h @ uz + bz), sigmoid(xr + h @ ur + br)
        candidate = np.tanh(xh + (r * (h @ uh + bh) if after else (r * h) @ uh))
        h = z * h + (1 - z) * candidate
    np.testing.assert_allclose(got, h, rtol=1e-4, atol=1e-6)


def test_initial_states_and_going_backwards() -> None:
    layer = layers.SimpleRNN(4, go_backwards=True)
    start = rng.normal(size=(2, 4)).astype(np.float32)
    got = layer(X, initial_state=[tf.constant(start)])
    w, u, b = layer.get_weights()
    h = start
    for t in range(4, -1, -1):
        h = np.tanh(X[:, t] @ w + h @ u + b)
    np.testing.assert_allclose(got, h, rtol=1e-4, atol=1e-6)


def test_stateful_layers_go_on() -> None:
    layer = layers.GRU(3, stateful=True)
    layer(X)
    plain = layers.GRU(3)
    plain(X)
    plain.set_weights(layer.get_weights())
    layer.reset_states()
    first, second = layer(X[:, :2]), layer(X[:, 2:])
    np.testing.assert_allclose(second, plain(X), rtol=1e-5, atol=1e-6)
    assert not np.allclose(first, second)
    layer.reset_states()
    np.testing.assert_allclose(layer(X[:, :2]), first, rtol=1e-6)


def test_recurrent_dropout_keeps_its_mask_over_steps() -> None:
    layer = layers.SimpleRNN(
        50, dropout=0.5, kernel_initializer="ones", recurrent_initializer="zeros", activation="relu"
    )
    ones = np.ones((1, 4, 8), np.float32)
    off = layer(ones, training=False)
    np.testing.assert_allclose(off, 8.0)
    on = layers.RNN(layer.cell, return_sequences=True)(ones, training=True)
    np.testing.assert_allclose(on[:, 0], on[:, 3])


def test_bidirectional_joins_both_ends() -> None:
    layer = layers.Bidirectional(layers.LSTM(2, return_sequences=True))
    got = layer(X)
    everything = np.ones((2, 5), bool)
    half = [v.numpy() for v in layer.forward_layer.weights], [v.numpy() for v in layer.backward_layer.weights]
    forward, backward = lstm(X, *half[0], everything)[0], lstm(X[:, ::-1], *half[1], everything)[0][:, ::-1]
    np.testing.assert_allclose(got, np.concatenate([forward, backward], -1), rtol=1e-4, atol=1e-6)


def test_time_distributed_is_the_layer_at_each_step() -> None:
    inner = layers.Dense(2)
    got = layers.TimeDistributed(inner)(X)
    np.testing.assert_allclose(got, np.stack([inner(X[:, t]) for t in range(5)], 1), rtol=1e-5, atol=1e-6)


# --- masks ------------------------------------------------------------------------------------------------------------


def test_zeros_of_an_embedding_are_skipped() -> None:
    embed, network = layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3)
    long, short = network(embed(np.array([[5, 2, 0, 0]]))), network(embed(np.array([[5, 2]])))
    np.testing.assert_allclose(long, short, rtol=1e-6)


def test_masks_pass_layers_that_know_of_them() -> None:
    masked = layers.Dropout(0.5)(layers.Masking(9.0)(np.where(MASK[..., None], X, 9.0)))
    np.testing.assert_allclose(layers.GlobalAveragePooling1D()(masked)[0], X[0, :2].mean(0), rtol=1e-5)
    network = layers.LSTM(3)
    forgotten = network(layers.Cropping1D(0)(masked))
    np.testing.assert_allclose(forgotten, network(tf.constant(np.asarray(masked))), rtol=1e-6)


# --- what they compute ------------------------------------------------------------------------------------------------


def test_layer_normalization() -> None:
    got = layers.LayerNormalization(epsilon=0.1)(X)
    mean, variance = X.mean(-1, keepdims=True), X.var(-1, keepdims=True)
    np.testing.assert_allclose(got, (X - mean) / np.sqrt(variance + 0.1), rtol=1e-4, atol=1e-6)


def test_batch_normalization_in_training_and_use() -> None:
    layer = layers.BatchNormalization(momentum=0.5)
    np.testing.assert_allclose(layer(IMAGES), IMAGES / np.sqrt(1.001), rtol=1e-5)
    trained = tf.function(lambda x: layer(x, training=True))(tf.constant(IMAGES))
    assert abs(float(tf.reduce_mean(trained))) < 1e-5
    np.testing.assert_allclose(layer.moving_mean, 0.5 * IMAGES.mean((0, 1, 2)), rtol=1e-4, atol=1e-6)
    layer.trainable = False
    before = layer.moving_mean.numpy()
    layer(IMAGES, training=True)
    np.testing.assert_array_equal(layer.moving_mean, before)


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        (layers.add, X + 2 * X),
        (layers.subtract, X - 2 * X),
        (layers.multiply, 2 * X * X),
        (layers.average, 1.5 * X),
        (layers.maximum, np.maximum(X, 2 * X)),
        (layers.minimum, np.minimum(X, 2 * X)),
        (layers.concatenate, np.concatenate([X, 2 * X], -1)),
    ],
)
def test_merging(merge: Any, expected: Any) -> None:
    np.testing.assert_allclose(merge([X, 2 * X]), expected, rtol=1e-6)


def test_dot_normalized_is_the_cosine() -> None:
    got = layers.Dot(axes=2, normalize=True)([X, X])
    unit = X / np.linalg.norm(X, axis=-1, keepdims=True)
    np.testing.assert_allclose(got, np.einsum("btc,bsc->bts", unit, unit), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "x", "expected"),
    [
        (layers.Flatten(), IMAGES, IMAGES.reshape(2, -1)),
        (layers.Reshape((9, -1)), IMAGES, IMAGES.reshape(2, 9, -1)),
        (layers.Permute((2, 1)), X, X.transpose(0, 2, 1)),
        (layers.RepeatVector(3), X[:, 0], np.repeat(X[:, :1], 3, 1)),
        (layers.ZeroPadding2D(((1, 0), (0, 2))), IMAGES, np.pad(IMAGES, ((0, 0), (1, 0), (0, 2), (0, 0)))),
        (layers.Cropping2D(((1, 0), (0, 2))), IMAGES, IMAGES[:, 1:, :-2]),
        (layers.UpSampling2D((2, 3)), IMAGES, IMAGES.repeat(2, 1).repeat(3, 2)),
        (layers.GlobalMaxPooling2D(), IMAGES, IMAGES.max((1, 2))),
        (layers.ReLU(0.5, 0.1, 0.2), X, np.where(X > 0.2, np.minimum(X, 0.5), 0.1 * (X - 0.2))),
        (layers.LeakyReLU(0.2), X, np.where(X > 0, X, 0.2 * X)),
        (layers.Lambda(lambda x: x * 2.0), X, X * 2),
    ],
    ids=lambda v: type(v).__name__,
)
def test_layers_without_variables(layer: Any, x: Any, expected: Any) -> None:
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    assert tuple(layer.compute_output_shape(x.shape)) == expected.shape


def test_random_layers_only_while_training() -> None:
    ones = np.ones((200, 10), np.float32)
    for layer in (
        layers.Dropout(0.5),
        layers.GaussianNoise(1.0),
        layers.GaussianDropout(0.5),
        layers.AlphaDropout(0.3),
    ):
        np.testing.assert_array_equal(layer(ones), ones)
        assert np.std(layer(ones, training=True)) > 0.1
    spatial = layers.SpatialDropout1D(0.5)(np.ones((3, 7, 40), np.float32), training=True)
    assert (np.asarray(spatial) == np.asarray(spatial)[:, :1]).all()


def test_causal_convolution_sees_no_later_step() -> None:
    layer = layers.Conv1D(2, 3, padding="causal", dilation_rate=2)
    before = layer(X)
    changed = X.copy()
    changed[:, 4] = 100
    np.testing.assert_array_equal(np.asarray(layer(changed))[:, :4], np.asarray(before)[:, :4])


# --- what a layer is --------------------------------------------------------------------------------------------------


def test_names_and_variables() -> None:
    tf.keras.backend.clear_session()
    first, second = layers.Dense(2), layers.Dense(3, name="mine")
    second(first(X))
    assert [v.name for v in (*first.weights, *second.weights)] == [
        "dense/kernel:0",
        "dense/bias:0",
        "mine/kernel:0",
        "mine/bias:0",
    ]
    assert layers.Dense(1).name == "dense_1"


def test_layers_inside_of_layers_count() -> None:
    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = [layers.Dense(4), {"out": layers.Dense(2)}]
            self.gain = tf.Variable(2.0)

        def call(self, x: Any) -> Any:
            return self.inner[1]["out"](self.inner[0](x)) * self.gain

    block = Block()
    block(X)
    assert len(block.trainable_weights) == 5
    block.trainable = False
    assert block.trainable_weights == []
    assert len(block.non_trainable_weights) == 5


def test_penalties_follow_the_weights() -> None:
    layer = layers.Dense(2, kernel_regularizer=tf.keras.regularizers.l2(0.5), activity_regularizer="l2")
    y = layer(X)
    expected = 0.5 * np.sum(layer.kernel.numpy() ** 2), 0.01 * np.sum(np.asarray(y) ** 2) / 2
    assert sorted(map(float, layer.losses)) == pytest.approx(sorted(expected), rel=1e-5)
    layer.kernel.assign(np.zeros((3, 2)))
    assert min(map(float, layer.losses)) == 0
    layer(np.zeros((1, 3)))
    assert len(layer.losses) == 2


def test_floats_are_cast_to_the_layers_type() -> None:
    assert layers.Dense(2)(X.astype(np.float64)).dtype == tf.float32
    assert layers.Dense(2, dtype="float64")(X).dtype == tf.float64


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(3, activation="relu", kernel_regularizer="l2", kernel_constraint="max_norm"),
        layers.Conv2D(3, 2, strides=2, padding="same"),
        layers.Conv2DTranspose(3, 2, output_padding=None),
        layers.SeparableConv2D(3, 2),
        layers.DepthwiseConv2D(2),
        layers.BatchNormalization(momentum=0.7),
        layers.LSTM(3, return_sequences=True, dropout=0.1),
        layers.Bidirectional(layers.GRU(3), merge_mode="sum"),
        layers.TimeDistributed(layers.Dense(2)),
        layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)]),
        layers.Embedding(5, 2, mask_zero=True),
        layers.PReLU(shared_axes=[1]),
        layers.MaxPooling2D(3, 2),
        layers.SpatialDropout2D(0.5, data_format="channels_first"),
        layers.GRU(2, reset_after=False, implementation=1),
    ],
    ids=lambda v: type(v).__name__,
)
def test_a_configuration_makes_the_layer_again(layer: Any) -> None:
    described = layers.serialize(layer)
    again = layers.deserialize(described)
    assert type(again) is type(layer)
    assert layers.serialize(again)["config"] == described["config"]


def test_unknown_classes_are_not_made() -> None:
    with pytest.raises(ValueError, match="Unknown layer: 'Evil'"):
        layers.deserialize({"class_name": "Evil", "config": {}})
    with pytest.raises(TypeError, match="not understood: 'wrong'"):
        layers.Dense(2, wrong=1)
    with pytest.raises(TypeError, match="argument 'groups'"):
        layers.Conv2DTranspose(2, 3, groups=2)


def test_activations_and_constraints_by_word() -> None:
    w = tf.constant(X[0])
    np.testing.assert_allclose(tf.keras.activations.get("hard_sigmoid")(w), np.clip(0.2 * X[0] + 0.5, 0, 1), rtol=1e-5)
    unit = np.asarray(tf.keras.constraints.get("unit_norm")(w))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=0), 1, rtol=1e-5)
    assert tf.keras.activations.serialize(tf.keras.activations.relu) == "relu"
    with pytest.raises(ValueError, match="Unknown activation"):
        tf.keras.activations.get("nothing")
