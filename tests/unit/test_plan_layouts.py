"""Channels first inside plans: transposes stand at the ends of a network, not around each op."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from closeness import close
from hypothesis import strategies as st
from properties import holds

import pullback as tf
from pullback.core.config import config

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def planned_at_once(monkeypatch):
    monkeypatch.setattr(config, "plan_after", 0)


def network(layout):
    """A network and its gradients, in a layout; what goes in and comes out has channels last."""

    def f(x, w, b, v):
        first = layout == "NCHW"
        with tf.GradientTape() as tape:
            tape.watch([x, w, b, v])
            h = tf.transpose(x, [0, 3, 1, 2]) if first else x
            h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(h, w, 1, "SAME", layout), b, layout))
            h = tf.nn.max_pool2d(h, 2, 2, "SAME", layout)
            h = tf.nn.tanh(tf.nn.conv2d(h, v, 2, "VALID", layout)) * 0.5
            h = tf.nn.avg_pool2d(h, 2, 1, "VALID", layout)
            mean = tf.reduce_mean(h, [0, 2, 3] if first else [0, 1, 2])
            loss = tf.reduce_sum(h * h)
        return [loss, mean, *tape.gradient(loss, [x, w, b, v])]

    return tf.function(f)


def drawn(*shapes):
    rng = np.random.default_rng(0)
    return [tf.constant((rng.normal(size=s) / np.sqrt(np.prod(s[:-1]))).astype("f4")) for s in shapes]


def test_a_network_has_one_plan_in_either_layout():
    args = drawn((3, 13, 14, 5), (3, 3, 5, 6), (6,), (3, 3, 6, 7))
    jobs, results = [], []
    for layout in ("NHWC", "NCHW"):
        f = network(layout)
        results.append([t.numpy() for t in f(*args)])
        jobs.append(Counter(line.split()[0] for line in tf.explain_plan(f, *args).splitlines()[2:]))
    assert jobs[0] == jobs[1]
    for last, first in zip(*results, strict=True):
        assert np.array_equal(last, first)


def test_the_ends_alone_are_turned_round():
    w, v = drawn((3, 3, 4, 6), (3, 3, 6, 5))
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 9, 8)).astype("f4"))

    @tf.function
    def f(x, w, v):
        return tf.nn.conv2d(tf.nn.relu(tf.nn.conv2d(x, w, 1, "SAME", "NCHW")), v, 1, "SAME", "NCHW")

    with tf.engine("reference"):
        wanted = f(x, w, v).numpy()
    assert np.allclose(f(x, w, v).numpy(), wanted, atol=1e-4)
    lines = tf.explain_plan(f, x, w, v).splitlines()[2:]
    assert sum(line.split()[0] in ("move", "turn") for line in lines) == 2


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 3, 5, 2), (3, 4, 1, 1), (2, 3), (0, 3, 2), (2, 5, 3, 4, 2)], ids=str)
@pytest.mark.parametrize("behind", [False, True], ids=["as_it_is", "transposed"])
def test_biases_channels_first(shape, behind):
    rng = np.random.default_rng(0)
    x, b = rng.normal(size=shape).astype("f4"), rng.normal(size=shape[1]).astype("f4")

    @tf.function
    def f(x, b):
        with tf.GradientTape() as tape:
            tape.watch([x, b])
            h = tf.transpose(tf.transpose(x)) if behind else x
            y = tf.nn.bias_add(h, b, "NCHW")
            loss = tf.reduce_sum(y * y)
        return [y, *tape.gradient(loss, [x, b])]

    y = x + b.reshape(-1, *[1] * (len(shape) - 2))
    wanted = y, 2 * y, (2 * y).sum(tuple(i for i in range(len(shape)) if i != 1))
    for _ in range(2):
        for ours, theirs in zip(f(tf.constant(x), tf.constant(b)), wanted, strict=True):
            assert close(ours.numpy(), theirs, 1e-5)


@holds(12, seed=st.integers(0, 2**32 - 1))
def test_any_transposes(seed):
    """Among pointwise steps and folds, what is turned to and fro is what NumPy makes of it."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(2, 5))
    shape = tuple(int(n) for n in rng.integers(1, 6, rank))
    x = rng.integers(-9, 10, shape).astype("f4")
    steps = [(int(rng.integers(5)), rng.permutation(rank), int(rng.integers(rank))) for _ in range(8)]

    def walk(x, of):
        values = [x]
        for kind, perm, axis in steps:
            y = values[-1]
            if kind <= 1:
                values.append(of.transpose(y, [int(p) for p in perm]))
            elif kind == 2:
                values.append(of.maximum(y, of.transpose(of.transpose(y))) * 0.5 + values[-1])
            elif kind == 3:
                others = [v for v in values if v.shape == y.shape]
                values.append(y - others[0] * 2.0)
            else:
                values.append(y + of.fold(y, axis))
        return values[1:]

    class Theirs:
        transpose, maximum = staticmethod(np.transpose), staticmethod(np.maximum)

        @staticmethod
        def fold(y, axis):
            return y.sum(axis, keepdims=True, dtype=y.dtype)

    class Ours:
        transpose, maximum = staticmethod(tf.transpose), staticmethod(tf.maximum)

        @staticmethod
        def fold(y, axis):
            return tf.reduce_sum(y, axis, keepdims=True)

    before, config.plan_after = config.plan_after, 0
    try:
        made = tf.function(lambda x: walk(x, Ours))(tf.constant(x))
    finally:
        config.plan_after = before
    for ours, theirs in zip(made, walk(x, Theirs), strict=True):
        assert close(ours.numpy(), theirs, 1e-5)
