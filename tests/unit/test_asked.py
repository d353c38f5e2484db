"""Eager tapes compute the cotangents that somebody asked for, and no others."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as tf
from pullback.core import interpreter

RNG = np.random.default_rng(3)
X, Y = (RNG.uniform(0.5, 2.0, (3, 3)).astype("f4") for _ in range(2))
IMAGE, FILTER = RNG.normal(size=(1, 5, 5, 2)).astype("f4"), RNG.normal(size=(3, 3, 2, 4)).astype("f4")


class Heard:
    """Hears each eager op, as a tape does."""

    def __init__(self):
        self.types = []

    def record(self, op, inputs, results, node):
        self.types.append(op.type)

    def watches(self, inputs):
        return True


def backward(f, arrays, watched):
    """(gradients, types of the ops that made them) of f's sum by the watched ones of its arguments."""
    tensors = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch([tensors[i] for i in watched])
        y = f(*tensors)
    here, heard = interpreter.current(), Heard()
    here.tapes = (*here.tapes, heard)
    try:
        gradients = tape.gradient(y, [tensors[i] for i in watched])
    finally:
        here.tapes = tuple(t for t in here.tapes if t is not heard)
    return [g.numpy() for g in gradients], heard.types


CASES = {
    "matmul": (tf.matmul, (X, Y), "MatMul", (1, 1), 2),
    "batch matmul": (tf.matmul, (X[None], Y[None]), "BatchMatMulV2", (1, 1), 2),
    "difference": (lambda x, y: x - y, (X, Y), "Neg", (0, 1), 1),
    "quotient": (lambda x, y: x / y, (X, Y), "Neg", (0, 1), 1),
    "power": (lambda x, y: x**y, (X, Y), "Log", (0, 1), 1),
    "larger": (tf.maximum, (X, Y), "SelectV2", (1, 1), 2),
    "chosen": (lambda x, y: tf.where(X > Y, x, y), (X, Y), "SelectV2", (1, 1), 2),
    "einsum": (lambda x, y: tf.einsum("ij,jk->ik", x, y), (X, Y), "Einsum", (1, 1), 2),
    "convolution": (lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"), (IMAGE, FILTER), "Conv2DBackpropInput", (1, 0), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_one_of_two(name):
    """How often the op stands in the sweep: by the first alone, by the second alone, by both; the gradients are the
    same."""
    f, arrays, kind, (first, second), both = CASES[name]
    whole, types = backward(f, arrays, (0, 1))
    assert types.count(kind) == both
    for i, expected in enumerate((first, second)):
        (alone,), types = backward(f, arrays, (i,))
        assert types.count(kind) == expected, types
        np.testing.assert_allclose(alone, whole[i], rtol=1e-5, atol=1e-6)


def test_gradients_of_gradients_ask_too():
    """By the cotangent alone, a convolution's second derivative has no part that goes to the filter."""
    dy = RNG.normal(size=(1, 5, 5, 4)).astype("f4")
    back = tf.raw_ops.Conv2DBackpropInput
    f = lambda w, dy: back(input_sizes=[1, 5, 5, 2], filter=w, out_backprop=dy, strides=[1] * 4, padding="SAME")  # noqa: E731
    whole, _ = backward(f, (FILTER, dy), (0, 1))
    (alone,), types = backward(f, (FILTER, dy), (1,))
    assert "Conv2DBackpropFilter" not in types
    np.testing.assert_allclose(alone, whole[1], rtol=1e-5, atol=1e-6)
