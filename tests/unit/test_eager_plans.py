"""Single ops of eager programs: machine code where much memory is passed over, NumPy elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import pullback as tf
from pullback.core import interpreter
from pullback.core.config import config
from pullback.core.op import REGISTRY
from pullback.engines.blas import BLAS
from pullback.engines.cpu import CPU, _Single
from pullback.engines.cpu.direct import Direct

RNG = np.random.default_rng(5)
LARGE, SMALL = (300, 400), (5, 7)
OPS = {
    "tanh": lambda x, y: tf.tanh(x),
    "sigmoid": lambda x, y: tf.sigmoid(x),
    "relu": lambda x, y: tf.nn.relu(x),
    "times a number": lambda x, y: x * 2.5,
    "sum of two": lambda x, y: x + y,
    "broadcast": lambda x, y: x - y[0],
    "compared": lambda x, y: x > y,
    "chosen": lambda x, y: tf.where(x > y, x, y),
    "cast": lambda x, y: tf.cast(x, "int32"),
    "transposed": lambda x, y: tf.transpose(x),
    "sum": lambda x, y: tf.reduce_sum(x),
    "mean of columns": lambda x, y: tf.reduce_mean(x, 0),
    "largest of rows": lambda x, y: tf.reduce_max(x, -1, keepdims=True),
    "with biases": lambda x, y: tf.nn.bias_add(x, y[0]),
    "normalised": lambda x, y: tf.nn.softmax(x),
}


@pytest.fixture(autouse=True)
def planned_at_the_second_call(monkeypatch):
    monkeypatch.setattr(config, "plan_after", 1)


def drawn(shape, dtype="f4"):
    return [tf.constant(RNG.normal(size=shape).astype(dtype)) for _ in range(2)]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("what", OPS)
def test_the_third_call_gives_what_NumPy_does(what, dtype):
    x, y = drawn(LARGE, dtype)
    with interpreter.using_engine(BLAS):
        expected = OPS[what](x, y)
    for _ in range(3):
        made = OPS[what](x, y)
        assert made.dtype == expected.dtype and made.shape == expected.shape
        np.testing.assert_allclose(made.numpy(), expected.numpy(), rtol=2e-6 if dtype == "f4" else 1e-12, atol=1e-6)


def test_large_arrays_have_a_plan_and_small_ones_none():
    op, kernels = REGISTRY["Tanh"](), []
    for shape in (SMALL, LARGE):
        x, _ = drawn(shape)
        for _ in range(3):
            op(x)
        kernels.append(op.kernels[CPU, x.spec][0])
    small, large = kernels
    assert not isinstance(small, _Single)
    assert isinstance(large, _Single) and any(isinstance(p, Direct) for p in large._plans.values())


def test_views_are_not_copied():
    x, _ = drawn(LARGE)
    for _ in range(3):
        assert np.shares_memory(tf.reshape(x, [-1]).value, x.value)
        assert np.shares_memory(tf.expand_dims(x, 0).value, x.value)
        assert tf.broadcast_to(x[:1], LARGE).value.strides[0] == 0


def test_what_no_machine_code_exists_for_goes_on_as_before():
    x = tf.constant(np.full(LARGE, 1 + 2j))
    for _ in range(3):
        assert np.array_equal((x * x).numpy(), x.numpy() * x.numpy())


def test_results_stay_as_they_are():
    x, y = drawn(LARGE)
    made = [x + float(n) for n in range(5)]
    del y
    for n, z in enumerate(made):
        assert np.array_equal(z.numpy(), x.numpy() + np.float32(n))


def test_gradients_of_large_arrays():
    x, w = drawn(LARGE)
    for _ in range(3):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.tanh(x) * w)
        dx = tape.gradient(loss, x).numpy()
        np.testing.assert_allclose(dx, w.numpy() * (1 - np.tanh(x.numpy()) ** 2), rtol=1e-5, atol=1e-6)


def test_numbers_beside_tensors_are_told_apart():
    """1, 1.0 and True are equal, and so are 0.0 and -0.0; what is kept of one is not given for another."""
    x = tf.constant([2.0, -2.0])
    for _ in range(2):
        assert np.signbit((x * 0.0).numpy()).tolist() == [False, True]
        assert np.signbit((x * -0.0).numpy()).tolist() == [True, False]
        assert (x + 1).numpy().tolist() == (x + 1.0).numpy().tolist() == [3.0, -1.0]
        with pytest.raises(TypeError):
            tf.constant([2, 3]) + 1.5
        assert (tf.constant([2, 3]) + 1).numpy().tolist() == [3, 4]
        assert tf.reshape(x, (2, 1)).shape == (2, 1) and tf.reshape(x, (1, 2)).shape == (1, 2)


def test_what_is_kept_of_calls_does_not_grow_with_the_numbers_in_them():
    x, op = tf.constant([2.0, -2.0]), REGISTRY["Mul"]()
    op(x, 0.5), op(x, 3)
    before = len(op.beside)
    for i in range(50):
        assert op(x, i + 0.25).numpy().tolist() == [2 * i + 0.5, -2 * i - 0.5]
        assert op(x, i).numpy().tolist() == [2 * i, -2 * i]
    assert len(op.beside) == before
