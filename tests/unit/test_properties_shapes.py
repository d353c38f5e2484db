"""Broadcasting, reductions and layout are NumPy's, on shapes of every rank, the empty ones included."""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from properties import SEEDS, check_linear, check_with_unknown_sizes, distinct, gradient, holds, integers, shapes

import pullback as tf

# --- broadcasting -----------------------------------------------------------------------------------------------------

# Name: our function, NumPy's, and its derivatives by x and y.
DIFFERENTIABLE: dict[str, Any] = {
    "+": (operator.add, np.add, lambda x, y: 1 + 0 * x * y, lambda x, y: 1 + 0 * x * y),
    "-": (operator.sub, np.subtract, lambda x, y: 1 + 0 * x * y, lambda x, y: -1 + 0 * x * y),
    "*": (operator.mul, np.multiply, lambda x, y: y + 0 * x, lambda x, y: x + 0 * y),
    "/": (operator.truediv, np.divide, lambda x, y: 1 / y + 0 * x, lambda x, y: -x / y**2),
    "**": (operator.pow, np.power, lambda x, y: y * x ** (y - 1), lambda x, y: x**y * np.log(x)),
    "//": (operator.floordiv, np.floor_divide, lambda x, y: 0 * x * y, lambda x, y: 0 * x * y),
    "%": (operator.mod, np.mod, lambda x, y: 1 + 0 * x * y, lambda x, y: -np.floor(x / y)),
    "maximum": (tf.maximum, np.maximum, lambda x, y: 1.0 * (x > y), lambda x, y: 1.0 * (x < y)),
    "minimum": (tf.minimum, np.minimum, lambda x, y: 1.0 * (x < y), lambda x, y: 1.0 * (x > y)),
    "atan2": (tf.atan2, np.arctan2, lambda x, y: y / (x * x + y * y), lambda x, y: -x / (x * x + y * y)),
    "squared_difference": (
        tf.math.squared_difference,
        lambda x, y: (x - y) ** 2,
        lambda x, y: 2 * (x - y),
        lambda x, y: 2 * (y - x),
    ),
}
COMPARISONS: dict[str, Any] = {
    name: (function, function)
    for name, function in {
        "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    }.items()
}  # fmt: skip
LOGIC: dict[str, Any] = {"&": operator.and_, "|": operator.or_, "^": operator.xor}
PAIRS = mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4, min_dims=0, max_dims=4)


def summed_to(d: Any, shape: Any) -> Any:
    """A cotangent summed over the axes along which an input of this shape was repeated."""
    d = d.sum(tuple(range(d.ndim - len(shape))))
    return d.sum(tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


@holds(150, name=st.sampled_from(sorted(DIFFERENTIABLE)), pair=PAIRS, seed=SEEDS)
def test_operators_broadcast(name: str, pair: Any, seed: int) -> None:
    ours, theirs, by_x, by_y = DIFFERENTIABLE[name]
    rng = np.random.default_rng(seed)
    x, y = (rng.uniform(0.5, 3.0, shape) for shape in pair.input_shapes)
    z = np.asarray(theirs(x, y))
    for mine in (ours(tf.constant(x), tf.constant(y)), ours(x, tf.constant(y)), ours(tf.constant(x), y)):
        assert mine.shape == pair.result_shape
        np.testing.assert_allclose(mine, z, rtol=1e-13)
    dz = rng.normal(size=z.shape)
    for d, by, of in zip(gradient(ours, [x, y], dz), (by_x, by_y), (x, y), strict=True):
        assert d.shape == of.shape
        np.testing.assert_allclose(d, summed_to(dz * by(x, y), of.shape), rtol=1e-11, atol=1e-11)


@holds(60, name=st.sampled_from(sorted(COMPARISONS)), pair=PAIRS, seed=SEEDS)
def test_comparisons_broadcast(name: str, pair: Any, seed: int) -> None:
    ours, theirs = COMPARISONS[name]
    x, y = (np.random.default_rng(seed).integers(0, 3, shape) for shape in pair.input_shapes)
    mine = ours(tf.constant(x), tf.constant(y))
    assert mine.dtype == tf.bool
    np.testing.assert_array_equal(mine, theirs(x, y))


@holds(30, name=st.sampled_from(sorted(LOGIC)), pair=PAIRS, seed=SEEDS)
def test_logic_broadcasts(name: str, pair: Any, seed: int) -> None:
    x, y = (np.random.default_rng(seed + i).random(shape) < 0.5 for i, shape in enumerate(pair.input_shapes))
    np.testing.assert_array_equal(LOGIC[name](tf.constant(x), tf.constant(y)), LOGIC[name](x, y))


@holds(60, pair=PAIRS, seed=SEEDS, data=st.data())
def test_broadcasting_with_unknown_sizes(pair: Any, seed: int, data: Any) -> None:
    a, b = pair.input_shapes
    x, y = integers(seed, a), integers(seed + 1, b)
    hidden = data.draw(st.none() | st.tuples(*[st.booleans()] * len(a)))
    check_with_unknown_sizes(lambda p: p * y, x, hidden, x * y)


@holds(60, pair=PAIRS, seed=SEEDS)
def test_where_broadcasts(pair: Any, seed: int) -> None:
    x, y = (integers(seed, shape) for shape in pair.input_shapes)
    condition = np.random.default_rng(seed).random(pair.result_shape) < 0.5
    np.testing.assert_array_equal(tf.where(condition, x, y), np.where(condition, x, y))
    g = integers(seed + 2, pair.result_shape)
    dx, dy = gradient(lambda a, b: tf.where(condition, a, b), [x, y], g)
    np.testing.assert_array_equal(dx, summed_to(g * condition, x.shape))
    np.testing.assert_array_equal(dy, summed_to(g * ~condition, y.shape))


@holds(40, a=shapes(most=3, rank=3), b=shapes(most=3, rank=3))
def test_shapes_that_do_not_broadcast_are_refused(a: Any, b: Any) -> None:
    try:
        together = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(tf.errors.InvalidArgumentError, match="AddV2"):
            tf.zeros(a) + tf.zeros(b)
        with pytest.raises(ValueError, match="do not broadcast"):
            tf.broadcast_static_shape(tf.TensorShape(a), tf.TensorShape(b))
    else:
        assert tf.broadcast_static_shape(tf.TensorShape(a), tf.TensorShape(b)) == together
        assert (tf.zeros(a) + tf.zeros(b)).shape == together


# --- reductions -------------------------------------------------------------------------------------------------------


def _product_of_others(x: Any, axes: Any) -> Any:
    """d prod(x) / dx, one entry at a time."""
    d = np.empty_like(x)
    for place in np.ndindex(*x.shape):
        rest = np.array(x)
        rest[place] = 1
        row = tuple(slice(None) if i in axes else n for i, n in enumerate(place))
        d[place] = rest[row].prod()
    return d


def _mean(x: Any, axes: Any) -> Any:
    """The mean; of nothing it is nan."""
    count = np.prod([x.shape[i] for i in axes])
    with np.errstate(invalid="ignore"):
        return x.sum(axes, keepdims=True) / np.float64(count)


# Name: our function, NumPy's (with keepdims) and its derivative, for numbers from 1 to 2, no two alike.
REDUCTIONS: dict[str, Any] = {
    "sum": (tf.reduce_sum, lambda x, a: x.sum(a, keepdims=True), lambda x, a: np.ones_like(x)),
    "mean": (tf.reduce_mean, _mean, lambda x, a: np.ones_like(x) / np.prod([x.shape[i] for i in a])),
    "max": (
        tf.reduce_max,
        lambda x, a: x.max(a, keepdims=True, initial=-np.inf),
        lambda x, a: 1.0 * (x == x.max(a, keepdims=True)),
    ),
    "min": (
        tf.reduce_min,
        lambda x, a: x.min(a, keepdims=True, initial=np.inf),
        lambda x, a: 1.0 * (x == x.min(a, keepdims=True)),
    ),
    "prod": (tf.reduce_prod, lambda x, a: x.prod(a, keepdims=True), _product_of_others),
    "euclidean_norm": (
        tf.math.reduce_euclidean_norm,
        lambda x, a: np.sqrt((x * x).sum(a, keepdims=True)),
        lambda x, a: x / np.sqrt((x * x).sum(a, keepdims=True)),
    ),
    "variance": (
        tf.math.reduce_variance,
        lambda x, a: _mean((x - _mean(x, a)) ** 2, a),
        lambda x, a: 2 * (x - _mean(x, a)) / np.prod([x.shape[i] for i in a]),
    ),
}


@st.composite
def reductions(draw: Any) -> Any:
    """A shape, an axis argument (None, a number, a list, positive or negative) and the axes that it means."""
    shape = draw(shapes())
    rank = len(shape)
    every = tuple(range(rank))
    chosen = tuple(draw(st.lists(st.sampled_from(every), unique=True))) if rank else ()
    asked: Any = [i - rank if draw(st.booleans()) else i for i in chosen]
    if len(asked) == 1 and draw(st.booleans()):
        asked = asked[0]
    elif draw(st.integers(0, 3)) == 0:
        asked, chosen = None, every
    return shape, asked, tuple(sorted(chosen))


@holds(150, name=st.sampled_from(sorted(REDUCTIONS)), case=reductions(), keepdims=st.booleans(), seed=SEEDS)
def test_reductions(name: str, case: Any, keepdims: bool, seed: int) -> None:
    ours, theirs, slope = REDUCTIONS[name]
    shape, asked, axes = case
    x = distinct(seed, shape)
    whole = theirs(x, axes)
    y = whole if keepdims else whole.squeeze(axes)
    f = lambda t: ours(t, asked, keepdims)  # noqa: E731
    mine = f(tf.constant(x))
    assert mine.shape == y.shape
    np.testing.assert_allclose(mine, y, rtol=1e-12, atol=1e-15)
    dy = np.random.default_rng(seed).normal(size=y.shape)
    (dx,) = gradient(f, [x], dy)
    assert dx.shape == shape
    if x.size:
        np.testing.assert_allclose(dx, dy.reshape(whole.shape) * slope(x, axes), rtol=1e-10, atol=1e-12)


@holds(40, case=reductions(), keepdims=st.booleans(), seed=SEEDS)
def test_any_and_all(case: Any, keepdims: bool, seed: int) -> None:
    shape, asked, axes = case
    x = np.random.default_rng(seed).random(shape) < 0.7
    np.testing.assert_array_equal(tf.reduce_all(x, asked, keepdims), x.all(axes, keepdims=keepdims))
    np.testing.assert_array_equal(tf.reduce_any(x, asked, keepdims), x.any(axes, keepdims=keepdims))


@holds(60, case=reductions(), keepdims=st.booleans(), seed=SEEDS, data=st.data())
def test_reductions_with_unknown_sizes(case: Any, keepdims: bool, seed: int, data: Any) -> None:
    shape, asked, axes = case
    x = integers(seed, shape)
    hidden = data.draw(st.none() | st.tuples(*[st.booleans()] * len(shape)))
    check_with_unknown_sizes(lambda p: tf.reduce_sum(p, asked, keepdims), x, hidden, x.sum(axes, keepdims=keepdims))


@holds(40, shape=shapes(least=1), seed=SEEDS, data=st.data())
def test_logsumexp_and_places_of_extremes(shape: Any, seed: int, data: Any) -> None:
    if not shape:
        shape = (3,)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = distinct(seed, shape)
    np.testing.assert_allclose(tf.reduce_logsumexp(x + 1000, axis), 1000 + np.log(np.exp(x).sum(axis)), rtol=1e-12)
    np.testing.assert_array_equal(tf.argmax(x, axis), x.argmax(axis))
    np.testing.assert_array_equal(tf.argmin(x, axis), x.argmin(axis))


@holds(60, shape=shapes(least=0), seed=SEEDS, data=st.data())
def test_cumulative_sums(shape: Any, seed: int, data: Any) -> None:
    if not shape:
        shape = (3,)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = integers(seed, shape)
    check_linear(lambda t: tf.cumsum(t, axis), x, x.cumsum(axis), seed)
    check_linear(lambda t: tf.cumsum(t, axis, reverse=True), x, np.flip(np.flip(x, axis).cumsum(axis), axis), seed)
    check_linear(lambda t: tf.cumsum(t, axis, exclusive=True), x, x.cumsum(axis) - x, seed)


# --- layout -----------------------------------------------------------------------------------------------------------


@st.composite
def regroupings(draw: Any) -> Any:
    """Two shapes of one size, and how the second is asked for: perhaps with one -1."""
    factors = draw(st.lists(st.integers(0, 3), max_size=5))
    cut = lambda: sorted(draw(st.lists(st.integers(0, len(factors)), max_size=3)))  # noqa: E731

    def grouped(cuts: list[int]) -> tuple[int, ...]:
        edges = [0, *cuts, len(factors)]
        return tuple(int(np.prod(factors[a:b], dtype=int)) for a, b in itertools.pairwise(edges))

    have, wanted = grouped(cut()), grouped(cut())
    asked = list(wanted)
    if 0 not in wanted and draw(st.booleans()):
        asked[draw(st.integers(0, len(wanted) - 1))] = -1
    return have, wanted, asked


@holds(80, case=regroupings(), seed=SEEDS, data=st.data())
def test_reshape_there_and_back(case: Any, seed: int, data: Any) -> None:
    have, wanted, asked = case
    x = integers(seed, have)
    check_linear(lambda t: tf.reshape(t, asked), x, x.reshape(wanted), seed)
    np.testing.assert_array_equal(tf.reshape(tf.reshape(x, asked), have), x)
    hidden = data.draw(st.none() | st.tuples(*[st.booleans()] * len(have)))
    check_with_unknown_sizes(lambda t: tf.reshape(t, asked), x, hidden, x.reshape(wanted))


@holds(80, shape=shapes(), seed=SEEDS, data=st.data())
def test_transpose_there_and_back(shape: Any, seed: int, data: Any) -> None:
    perm = data.draw(st.permutations(range(len(shape))))
    x = integers(seed, shape)
    check_linear(lambda t: tf.transpose(t, perm), x, x.transpose(perm), seed)
    np.testing.assert_array_equal(tf.transpose(tf.transpose(x, perm), np.argsort(perm).astype(int)), x)
    hidden = data.draw(st.none() | st.tuples(*[st.booleans()] * len(shape)))
    check_with_unknown_sizes(lambda t: tf.transpose(t, perm), x, hidden, x.transpose(perm))


@holds(80, shape=shapes(), seed=SEEDS, data=st.data())
def test_concat_undoes_split(shape: Any, seed: int, data: Any) -> None:
    if not shape:
        shape = (3,)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=3)))
    sizes = np.diff([0, *cuts, n]).tolist()
    x = integers(seed, shape)
    parts = np.split(x, cuts, axis)
    for mine, theirs in zip(tf.split(x, sizes, axis), parts, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    check_linear(lambda t: tf.concat(tf.split(t, sizes, axis), axis), x, x, seed)
    check_linear(lambda t: tf.concat([t, 2 * t], axis), x, np.concatenate([x, 2 * x], axis), seed)
    (dx,) = gradient(lambda t: tf.split(t, sizes, axis)[0], [x], np.ones_like(parts[0]))
    assert dx.sum() == parts[0].size


@holds(60, shape=shapes(rank=3), count=st.integers(1, 4), seed=SEEDS, data=st.data())
def test_unstack_undoes_stack(shape: Any, count: int, seed: int, data: Any) -> None:
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    rows = [integers(seed + i, shape) for i in range(count)]
    stacked = tf.stack(rows, axis)
    np.testing.assert_array_equal(stacked, np.stack(rows, axis))
    for mine, theirs in zip(tf.unstack(stacked, axis=axis), rows, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    check_linear(lambda t: tf.stack(tf.unstack(t, axis=axis)[::-1], axis), stacked.numpy(),
                 np.stack(rows[::-1], axis), seed)  # fmt: skip


@holds(80, shape=shapes(rank=3), seed=SEEDS, data=st.data())
def test_pad_and_cut_again(shape: Any, seed: int, data: Any) -> None:
    x = integers(seed, shape)
    mode = data.draw(st.sampled_from(["CONSTANT", "REFLECT", "SYMMETRIC"]))
    most = {"CONSTANT": lambda n: 3, "REFLECT": lambda n: max(n - 1, 0), "SYMMETRIC": lambda n: n}[mode]
    width = [[data.draw(st.integers(0, most(n))) for _ in range(2)] for n in shape]
    theirs = np.pad(x, width, mode.lower()) if shape else x
    paddings = np.array(width, np.int32).reshape(-1, 2)
    check_linear(lambda t: tf.pad(t, paddings, mode), x, theirs, seed)
    inside = tuple(slice(a, a + n) for (a, _), n in zip(width, shape, strict=True))
    np.testing.assert_array_equal(tf.pad(x, paddings, mode)[inside], x)


@holds(60, shape=shapes(most=3, rank=3), seed=SEEDS, data=st.data())
def test_tile(shape: Any, seed: int, data: Any) -> None:
    times = [data.draw(st.integers(0, 3)) for _ in shape]
    x = integers(seed, shape)
    check_linear(lambda t: tf.tile(t, np.array(times, np.int32)), x, np.tile(x, times), seed)


@holds(80, shape=shapes(most=4, rank=3), places=shapes(most=3, rank=2), seed=SEEDS, data=st.data())
def test_gather(shape: Any, places: Any, seed: int, data: Any) -> None:
    if not shape or not all(shape):
        shape = (3, 2)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = integers(seed, shape)
    at = np.random.default_rng(seed).integers(0, shape[axis], places)
    check_linear(lambda t: tf.gather(t, at, axis=axis), x, np.take(x, at, axis), seed)


@holds(80, shape=shapes(most=3, rank=3, least=1), places=shapes(most=4, rank=2), seed=SEEDS, data=st.data())
def test_gather_nd_and_scatter_nd_are_adjoint(shape: Any, places: Any, seed: int, data: Any) -> None:
    depth = data.draw(st.integers(0, len(shape)))
    rng = np.random.default_rng(seed)
    at = np.stack([rng.integers(0, n, places) for n in shape[:depth]], -1) if depth else np.zeros((*places, 0), int)
    if depth == 0 and not places:
        at, places = np.zeros((1, 0), int), (1,)
    x = integers(seed, shape)
    y = x[tuple(np.moveaxis(at, -1, 0))] if depth else np.broadcast_to(x, (*places, *shape))
    check_linear(lambda t: tf.gather_nd(t, at), x, y, seed)
    g = integers(seed + 1, y.shape)
    spread = np.zeros(shape)
    for place in np.ndindex(*places):
        spread[tuple(at[place])] += g[place]
    check_linear(lambda t: tf.scatter_nd(at, t, shape), g, spread, seed)


@holds(60, shape=shapes(rank=3), seed=SEEDS, data=st.data())
def test_reverse_roll_and_axes_of_one(shape: Any, seed: int, data: Any) -> None:
    x = integers(seed, shape)
    rank = len(shape)
    axes = data.draw(st.lists(st.integers(0, rank - 1), unique=True)) if rank else []
    check_linear(lambda t: tf.reverse(t, np.array(axes, np.int32)), x, np.flip(x, axes), seed)
    shifts = [data.draw(st.integers(-6, 6)) for _ in axes]
    if axes:
        check_linear(lambda t: tf.roll(t, shifts, axes), x, np.roll(x, shifts, axes), seed)
    at = data.draw(st.integers(-rank - 1, rank))
    check_linear(lambda t: tf.expand_dims(t, at), x, np.expand_dims(x, at), seed)
    np.testing.assert_array_equal(tf.squeeze(tf.expand_dims(x, at), [at]), x)
