"""keras.mixed_precision: computation in short floats, variables in float32, losses scaled so that gradients last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

layers, mixed = tf.keras.layers, tf.keras.mixed_precision
rng = np.random.default_rng(0)
PICTURES = rng.uniform(size=(2, 8, 8, 4)).astype("float32")
STEPS = rng.uniform(size=(2, 5, 4)).astype("float32")


@pytest.fixture(autouse=True)
def policy() -> Iterator[None]:
    """The global policy as it was before: none but that of `floatx`."""
    yield
    mixed.set_global_policy("float32")


def regression(units: int = 3) -> Any:
    """A small network under the policy in force, with settled weights."""
    model = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(units, "tanh"), layers.Dense(1)])
    settled = np.random.default_rng(1)
    model.set_weights([settled.uniform(size=w.shape).astype("float32") for w in model.get_weights()])
    return model


X = rng.uniform(size=(64, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


# --- policies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [("mixed_float16", "float16", "float32"), ("mixed_bfloat16", "bfloat16", "float32"), ("float64",) * 3],
)
def test_a_policy_names_two_types(name: str, compute: str, variable: str) -> None:
    made = mixed.Policy(name)
    assert (made.name, made.compute_dtype, made.variable_dtype) == (name, compute, variable)
    assert repr(made) == f'<DTypePolicy "{name}">'
    assert mixed.Policy.from_config(made.get_config()) == made


def test_the_global_policy_is_that_of_new_layers() -> None:
    before = layers.Dense(2)
    mixed.set_global_policy("mixed_float16")
    assert mixed.global_policy() == mixed.Policy("mixed_float16") == mixed.Policy()
    after = layers.Dense(2)
    assert (after.compute_dtype, after.variable_dtype) == ("float16", "float32")
    assert (after.dtype_policy.name, before.dtype_policy.name) == ("mixed_float16", "float32")
    mixed.experimental.set_policy(mixed.Policy("float64"))
    assert layers.Dense(2)(np.ones((1, 2))).dtype == tf.float64


@pytest.mark.parametrize(
    "given", ["mixed_float16", mixed.Policy("mixed_float16"), {"config": {"name": "mixed_float16"}}]
)
def test_one_layer_may_have_a_policy(given: Any) -> None:
    made = layers.Dense(2, dtype=given)
    assert made(X).dtype == tf.float16
    assert made.kernel.dtype == tf.float32
    assert type(made).from_config(made.get_config()).dtype_policy.name == "mixed_float16"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: mixed.Policy("x"), ValueError),
        (lambda: mixed.Policy(3), TypeError),
        (lambda: mixed.set_global_policy(3), ValueError),
        (lambda: mixed.LossScaleOptimizer(tf.keras.optimizers.SGD(), dynamic=False), ValueError),
        (lambda: mixed.LossScaleOptimizer(tf.keras.optimizers.SGD(), clipnorm=1.0), ValueError),
    ],
)
def test_what_means_nothing_is_told(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


# --- layers --------------------------------------------------------------------------------------------------------

MADE: dict[str, tuple[Any, Any]] = {
    "dense": (lambda: layers.Dense(3, "relu"), X),
    "convolution": (lambda: layers.Conv2D(3, 3), PICTURES),
    "transposed": (lambda: layers.Conv2DTranspose(3, 3, 2), PICTURES),
    "separable": (lambda: layers.SeparableConv2D(3, 3), PICTURES),
    "batch normalization of images": (lambda: layers.BatchNormalization(), PICTURES),
    "batch normalization of rows": (lambda: layers.BatchNormalization(), X),
    "layer normalization": (lambda: layers.LayerNormalization(), STEPS),
    "group normalization": (lambda: layers.GroupNormalization(2), PICTURES),
    "embedding": (lambda: layers.Embedding(5, 3), np.array([[1, 2], [3, 4]])),
    "lstm": (lambda: layers.LSTM(3), STEPS),
    "gru": (lambda: layers.GRU(3, return_sequences=True), STEPS),
    "both ways": (lambda: layers.Bidirectional(layers.SimpleRNN(3)), STEPS),
    "each step": (lambda: layers.TimeDistributed(layers.Dense(2)), STEPS),
    "normalised by constants": (lambda: layers.Normalization(mean=0.5, variance=2.0), X),
    "pooling": (lambda: layers.MaxPool2D(), PICTURES),
    "rescaled": (lambda: layers.Rescaling(0.5), PICTURES),
    "turned": (lambda: layers.RandomRotation(0.0), PICTURES),
    "attention": (lambda: Itself(layers.MultiHeadAttention(2, 3)), STEPS),
}


class Itself(layers.Layer):
    """Attention of a sequence to itself."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.attention = attention

    def call(self, x: Any) -> Any:
        return self.attention(x, x)


@pytest.mark.parametrize("short", ["float16", "bfloat16"])
@pytest.mark.parametrize("what", MADE)
def test_layers_compute_in_the_short_type_what_they_compute_in_the_long_one(what: str, short: str) -> None:
    make, x = MADE[what]
    long = make()
    expected = np.asarray(long(x))
    mixed.set_global_policy(f"mixed_{short}")
    made = make()
    made(x)
    made.set_weights(long.get_weights())
    with tf.GradientTape() as tape:
        y = made(x)
        total = tf.reduce_sum(tf.cast(y, tf.float32))
    assert y.dtype == getattr(tf, short)
    assert {v.dtype for v in made.weights} <= {tf.float32}
    for g, v in zip(tape.gradient(total, made.trainable_variables), made.trainable_variables, strict=True):
        assert g.dtype == tf.float32
        assert g.shape == v.shape
    digits = 3e-3 if short == "float16" else 3e-2
    np.testing.assert_allclose(np.asarray(tf.cast(y, tf.float32)), expected, rtol=digits, atol=2 * digits)


def test_averages_of_a_batch_keep_their_precision() -> None:
    """A mean of 2049 is no number of float16."""
    made = layers.BatchNormalization(momentum=0.0, dtype="mixed_float16")
    made(np.array([[2048.0], [2050.0]]), training=True)
    assert made.moving_mean.numpy().tolist() == [2049]


def test_layers_that_users_write_read_short_and_assign_long() -> None:
    class Counting(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight("scale", (), initializer="ones")
            self.calls = self.add_weight("calls", (), initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            self.calls.assign_add(1.0)
            self.calls.assign(self.calls + 0.5)
            return 2.0 * self.scale * x

    made = Counting(dtype="mixed_float16")
    run = tf.function(lambda x: made(x))
    assert made(X).dtype == run(X).dtype == tf.float16
    assert (made.calls.dtype, made.calls.numpy()) == (tf.float32, 3)
    assert (made.scale + 1.0).dtype == tf.float32  # outside of calls it is itself


def test_a_long_layer_inside_a_short_one_stays_long() -> None:
    class Outer(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = layers.Dense(2, dtype="float32")

        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight("w", (), initializer="ones")

        def call(self, x: Any) -> Any:
            y = self.inner(x)
            assert y.dtype == tf.float32
            return tf.cast(y, tf.float16) * self.w

    assert Outer(dtype="mixed_float16")(X).dtype == tf.float16


# --- training ------------------------------------------------------------------------------------------------------


def test_fit_scales_the_loss_and_comes_near_to_training_in_float32() -> None:
    losses = {}
    for name in ("float32", "mixed_float16", "mixed_bfloat16"):
        mixed.set_global_policy(name)
        model = regression()
        model.compile(tf.keras.optimizers.SGD(0.05), "mse", metrics=["mae"])
        losses[name] = model.fit(X, Y, epochs=3, batch_size=16, shuffle=False, verbose=0).history["loss"]
        assert isinstance(model.optimizer, mixed.LossScaleOptimizer) == (name == "mixed_float16")
        assert model.predict(X, verbose=0).dtype == {"mixed_float16": np.float16}.get(
            name, model.predict(X, verbose=0).dtype
        )
    np.testing.assert_allclose(losses["mixed_float16"], losses["float32"], rtol=0.02)
    np.testing.assert_allclose(losses["mixed_bfloat16"], losses["float32"], rtol=0.1)


def test_scaling_saves_gradients_that_float16_would_lose() -> None:
    tiny = tf.constant(1e-8)
    moved = {}
    for scaled in (True, False):
        made = layers.Dense(1, dtype="mixed_float16", kernel_initializer="ones", use_bias=False)
        made.build((None, 1))
        optimizer = mixed.LossScaleOptimizer(tf.keras.optimizers.SGD(1e6))
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(made(np.ones((1, 1))), tf.float32)) * tiny
            kept = optimizer.scale_loss(loss) if scaled else loss
        (g,) = tape.gradient(kept, made.trainable_variables)
        moved[scaled] = float(g[0, 0]) / (2**15 if scaled else 1)
    assert moved[True] == pytest.approx(1e-8, rel=1e-3)
    assert moved[False] == 0


@pytest.mark.parametrize("traced", [False, True])
def test_the_factor_halves_at_what_is_not_finite_and_doubles_after_steps_without(traced: bool) -> None:
    """As Keras 3: (gradient, the variable then, the factor then, the steps counted then)."""
    v = tf.Variable([1.0, 2.0])
    optimizer = mixed.LossScaleOptimizer(tf.keras.optimizers.SGD(0.1), initial_scale=8.0, dynamic_growth_steps=2)

    def step(g: Any) -> None:
        optimizer.apply_gradients([(g, v)])

    step = tf.function(step) if traced else step
    for gradient, value, factor, count in (
        ([8.0, 16.0], [0.9, 1.8], 8, 1), ([8.0, 0.0], [0.8, 1.8], 16, 0), ([np.inf, 1.0], [0.8, 1.8], 8, 0),
        ([8.0, 8.0], [0.7, 1.7], 8, 1), ([np.nan, 8.0], [0.7, 1.7], 4, 0), ([4.0, 4.0], [0.6, 1.6], 4, 1),
    ):  # fmt: skip
        step(tf.constant(gradient))
        np.testing.assert_allclose(v.numpy(), value, rtol=1e-6)
        assert (optimizer.dynamic_scale.numpy(), optimizer.step_counter.numpy()) == (factor, count)
    assert float(optimizer.scale_loss(tf.constant(2.0))) == 8
    assert optimizer.iterations.numpy() == 4


def test_rows_are_scaled_back_too() -> None:
    table = tf.Variable(np.ones((3, 2), "float32"))
    optimizer = mixed.LossScaleOptimizer(tf.keras.optimizers.SGD(1.0), initial_scale=4.0)
    optimizer.minimize(lambda: tf.reduce_sum(tf.gather(table, [1])), [table])
    assert table.numpy().tolist() == [[1, 1], [0, 0], [1, 1]]


def test_the_optimizer_is_described_and_made_again() -> None:
    made = mixed.LossScaleOptimizer(tf.keras.optimizers.Adam(0.25), 4.0, dynamic_growth_steps=7)
    made.learning_rate = 0.5
    again = tf.keras.optimizers.deserialize(tf.keras.optimizers.serialize(made))
    assert (again.initial_scale, again.dynamic_growth_steps, float(again.learning_rate)) == (4, 7, 0.5)
    assert isinstance(again.inner_optimizer, tf.keras.optimizers.Adam)


def test_fits_by_a_fixed_factor_are_fits_without_one() -> None:
    found = []
    for factor in (None, 64.0):
        model = regression()
        model.compile(tf.keras.optimizers.SGD(0.05, loss_scale_factor=factor), "mse")
        found.append(model.fit(X, Y, epochs=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_a_model_is_saved_with_its_policy(tmp_path: Path) -> None:
    mixed.set_global_policy("mixed_float16")
    model = regression()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    mixed.set_global_policy("float32")
    again = tf.keras.models.load_model(path)
    assert [layer.dtype_policy.name for layer in again.layers] == [layer.dtype_policy.name for layer in model.layers]
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_in_a_session_layers_compute_short_too() -> None:
    with tf1.Graph().as_default():
        x = tf1.placeholder(tf1.float32, (None, 4))
        made = tf1.keras.layers.Dense(2, dtype="mixed_float16", kernel_initializer="ones")
        y = made(x)
        plain = tf1.layers.dense(x, 2)
        (g,) = tf1.gradients(tf1.cast(y, tf1.float32), [made.kernel])
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            value, gradient = session.run([y, g], {x: np.ones((3, 4))})
    assert (value.dtype, gradient.dtype, plain.dtype) == (np.float16, np.float32, tf1.float32)
    assert value.tolist() == [[4, 4]] * 3
    assert gradient.tolist() == [[3, 3]] * 4
