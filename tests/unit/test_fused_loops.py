"""Fused passes over memory: whatever the graph, a plan gives what running it node by node gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from closeness import close
from hypothesis import strategies as st
from properties import holds

import pullback as tf
from pullback.core.config import config

pytest.importorskip("llvmlite")


def planned_and_not(body, *values):
    """Results of a function of arrays: by a plan, the second time that it runs, and node by node."""
    f = tf.function(body)
    with tf.engine("blas"):
        slow = [t.numpy() for t in f(*map(tf.constant, values))]
    before, config.plan_after = config.plan_after, 0
    try:
        for _ in range(2):
            fast = [t.numpy() for t in f(*map(tf.constant, values))]
    finally:
        config.plan_after = before
    return fast, slow


def check(body, *values, bound=1e-5):
    for ours, theirs in zip(*planned_and_not(body, *values), strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        assert close(ours, theirs, bound), (ours, theirs)


class Drawn:
    """A graph drawn from a seed. Values are kept small; `exact` ones may be compared, since every engine has the very
    same ones."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        sizes = [(0, 1, 2, 3, 5), (1, 4, 17), (1, 8, 16, 33)]
        self.shape = tuple(int(self.rng.choice(s, p=[0.05, *[0.95 / (len(s) - 1)] * (len(s) - 1)])) for s in sizes)
        self.steps = int(self.rng.integers(1, 25))
        self.inputs = [self.array() for _ in range(int(self.rng.integers(1, 5)))]

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def array(self):
        """Varies along some axes of the shape only."""
        shape = tuple(n if self.rng.random() < 0.7 else 1 for n in self.shape)[int(self.rng.integers(0, 3)) :]
        if self.rng.random() < 0.1:
            shape = ()
        values = self.rng.integers(-4, 5, shape).astype(self.pick(["float32", "float32", "float64", "int32", "int64"]))
        if values.dtype.kind == "f" and values.size and self.rng.random() < 0.15:
            values.reshape(-1)[int(self.rng.integers(values.size))] = self.pick([np.nan, np.inf, -0.0])
        return values

    def body(self, *xs):
        rng = self.rng = np.random.default_rng([int(self.rng.integers(2**31)), 1])
        exact, loose = [*xs], []
        for _ in range(self.steps):
            sure = not loose or rng.random() < 0.4
            pool = exact if sure else exact + loose
            made, rounds = self.step(self.pick(pool), pool, sure)
            if made is not None and (made.shape.rank or 0) <= 3:
                (exact if sure and not rounds else loose).append(made)
        return [*exact[len(xs) :], *loose] or [xs[0] + xs[0]]

    def step(self, x, pool, sure):
        """(a value made from x and others or None, whether it is rounded)."""
        kind = self.pick(["add", "mul", "max", "where", "unary", "fold", "reshape", "cast", "compare"])
        if kind in ("add", "mul", "max"):
            other = self.pick(pool)
            if tf.bool in (x.dtype, other.dtype) or (other.dtype.is_floating and not x.dtype.is_floating):
                return None, False
            if not meet(x.shape.as_list(), other.shape.as_list()):
                return None, False
            pair = {"add": tf.add, "mul": tf.multiply, "max": tf.maximum}[kind](x, tf.cast(other, x.dtype))
            return tf.clip_by_value(pair, tf.constant(-64, x.dtype), tf.constant(64, x.dtype)), False
        if kind == "where" and x.dtype != tf.bool:
            return tf.where(self.pick(self.conditions(pool, x)), x, tf.ones_like(x)), False
        if kind == "unary" and x.dtype.is_floating:
            return self.pick([tf.tanh, tf.nn.relu, tf.square, tf.sigmoid, tf.abs])(x) * 0.5, True
        if kind == "fold" and x.dtype.is_floating and x.shape.rank:
            return self.fold(x), True
        if kind == "reshape":
            flat = [int(np.prod(x.shape.as_list()))]
            return tf.reshape(x, self.pick([[1, *x.shape.as_list()], flat])), False
        if kind == "compare" and sure and x.dtype != tf.bool:
            return x > tf.zeros_like(x), False
        if kind == "cast" and not x.dtype.is_floating:
            return tf.cast(x, self.pick([tf.float32, tf.float64, tf.int64])), False
        return None, False

    def fold(self, x):
        count = int(self.rng.integers(1, x.shape.rank + 1))
        axes = sorted(int(a) for a in self.rng.choice(x.shape.rank, count, replace=False))
        how = self.pick([tf.reduce_sum, tf.reduce_mean, tf.reduce_max, tf.reduce_min])
        return (tf.reduce_sum if 0 in x.shape else how)(x, axes, keepdims=bool(self.rng.integers(2))) * 0.1

    def conditions(self, pool, x):
        return [p for p in pool if p.shape == x.shape and p.dtype == tf.bool] or [tf.zeros_like(x, tf.bool)]


def meet(a, b):
    """Whether two shapes can be repeated to fit each other."""
    pairs = zip(reversed(a), reversed(b), strict=False)
    return all(n == m or 1 in (n, m) for n, m in pairs)


@holds(10, seed=st.integers(0, 2**32 - 1))
def test_any_graph(seed):
    drawn = Drawn(seed)
    check(drawn.body, *drawn.inputs, bound=2e-5)


SHAPES = [
    (),
    (1,),
    (7,),
    (1, 7),
    (5, 1),
    (5, 7),
    (2, 1, 7),
    (2, 5, 1),
    (1, 5, 7),
    (2, 5, 7),
    (3, 1, 1, 7),
    (3, 2, 5, 1),
]


@pytest.mark.parametrize(
    "a,b", list(itertools.combinations(SHAPES, 2)), ids=lambda s: "x".join(map(str, s)) or "scalar"
)
def test_every_pattern_of_repeating(a, b):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=a).astype("f4"), rng.normal(size=b).astype("f4")
    check(lambda x, y: [x * y + x, tf.reduce_sum(tf.tanh(x) - y)], x, y)


@pytest.mark.parametrize("axes", [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]], ids=str)
@pytest.mark.parametrize("shape", [(3, 5, 70), (4, 1, 9), (1, 300, 2), (2, 3, 1), (33, 65, 17)], ids=str)
def test_folds_over_any_axes(shape, axes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=shape).astype("f4"), rng.normal(size=shape[-1]).astype("f4")

    def folds(x, y):
        z = tf.nn.relu(x + y)
        total, largest = tf.reduce_sum(z, axes), tf.reduce_max(z * x, axes, keepdims=True)
        return [total, tf.reduce_mean(x * x, axes), largest, z - largest, tf.reduce_min(x, axes)]

    check(folds, x, y)


def test_nan_in_folds():
    x = np.ones((5, 40), "f4")
    x[2, 7] = np.nan
    check(lambda x: [f(x, a) for f in (tf.reduce_sum, tf.reduce_max, tf.reduce_min) for a in (0, 1, None)], x)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)], ids=str)
def test_nothing_to_compute(shape):
    x = np.zeros(shape, "f4")
    check(lambda x: [x + 1.0, tf.tanh(x) * x, tf.reduce_sum(x), tf.reduce_sum(x, 0), tf.reduce_mean(x, -1)], x)


def test_types_side_by_side():
    rng = np.random.default_rng(0)
    i, x, z, b = rng.integers(-9, 9, 50), rng.normal(size=50).astype("f4"), rng.normal(size=50), rng.random(50) < 0.5

    def mixed(i, x, z, b):
        chosen = tf.where(b, tf.cast(i, tf.float32), x)
        wide = tf.cast(chosen, tf.float64) * z
        return [chosen, wide, tf.cast(b, tf.int32) + tf.cast(i, tf.int32), tf.logical_and(b, x > 0.0), i * i - i]

    check(mixed, i, x, z, b)


def test_a_long_chain_and_a_wide_fan():
    """More steps and operands than one pass may have."""
    x = np.random.default_rng(0).normal(size=(6, 50)).astype("f4")

    def long(x):
        y = x
        for i in range(200):
            y = tf.tanh(y + float(i % 3)) * 0.5 + x
        return [y]

    def fan(*xs):
        return [tf.add_n([a * float(i + 1) for i, a in enumerate(xs)]), *[tf.exp(a) for a in xs]]

    check(long, x)
    check(fan, *[x + np.float32(i) / 64 for i in range(60)])


@pytest.mark.parametrize("columns", [1, 3, 20, 48])
@pytest.mark.parametrize("rows", [997, 1000, 1024])
def test_short_rows_go_together(rows, columns):
    """Whatever goes into a row: what varies along it is repeated, what is summed over rows is summed."""
    rng = np.random.default_rng(0)
    x, b = rng.normal(size=(rows, columns)).astype("f4"), rng.normal(size=columns).astype("f4")

    def body(x, b):
        y = tf.tanh(x + b) * 0.5
        return [y, tf.reduce_sum(y * x, 0), tf.reduce_sum(y), tf.reduce_mean(y, 1), tf.where(b > 0, y, x)]

    check(body, np.tile(x, (5, 1)), b, bound=2e-5)
