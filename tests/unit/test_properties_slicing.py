"""Indexing is NumPy's: values, gradients, and the static shape whatever is known of the sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from properties import SEEDS, check_linear, check_with_unknown_sizes, holds, integers, shapes

import pullback as tf


@st.composite
def items(draw: Any, n: int) -> Any:
    """An index of an axis of size n: a place or a slice, its bounds also beyond the ends."""
    if n and draw(st.booleans()):
        place = draw(st.integers(-n, n - 1))
        return draw(st.sampled_from([place, np.int64(place)]))
    bound = st.none() | st.integers(-n - 3, n + 3)
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, 3, -1, -2, -4])))


@st.composite
def indexings(draw: Any) -> Any:
    """A shape, and an index of it: items for the first and last axes, an ellipsis perhaps, new axes anywhere."""
    shape = draw(shapes(most=5))
    first = draw(st.integers(0, len(shape)))
    last = draw(st.integers(first, len(shape)))
    key = [draw(items(n)) for n in shape[:first]]
    if draw(st.booleans()):
        key += [..., *[draw(items(n)) for n in shape[last:]]]
    for _ in range(draw(st.integers(0, 2))):
        key.insert(draw(st.integers(0, len(key))), None)
    bare = len(key) == 1 and draw(st.booleans())
    return shape, key[0] if bare else tuple(key)


@holds(300, case=indexings(), seed=SEEDS)
def test_values_and_gradient(case: Any, seed: int) -> None:
    shape, key = case
    x = integers(seed, shape)
    check_linear(lambda t: t[key], x, x[key], seed)


@holds(150, case=indexings(), seed=SEEDS, data=st.data())
def test_static_shapes(case: Any, seed: int, data: Any) -> None:
    shape, key = case
    x = integers(seed, shape)
    hidden = data.draw(st.none() | st.tuples(*[st.booleans()] * len(shape)))
    check_with_unknown_sizes(lambda t: t[key], x, hidden, x[key])


@holds(40, case=indexings(), seed=SEEDS)
def test_bounds_that_are_tensors(case: Any, seed: int) -> None:
    shape, key = case
    x = integers(seed, shape)

    def tensors(item: Any) -> Any:
        if isinstance(item, slice):
            return slice(*[None if n is None else tf.constant(n) for n in (item.start, item.stop, item.step)])
        return item if item is None or item is ... else tf.constant(int(item))

    asked = tuple(map(tensors, key)) if isinstance(key, tuple) else tensors(key)
    np.testing.assert_array_equal(tf.constant(x)[asked], x[key])
    np.testing.assert_array_equal(tf.function(lambda t: t[asked])(tf.constant(x)), x[key])


@holds(60, case=indexings(), seed=SEEDS)
def test_assigning_a_part(case: Any, seed: int) -> None:
    """The gradient by x of y[key], accumulated twice, is twice the part: written, not read."""
    shape, key = case
    x = integers(seed, shape)
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = tf.reduce_sum(tensor[key]) + tf.reduce_sum(tensor[key] * tensor[key])
    want = np.zeros(shape)
    want[key] = 1 + 2 * x[key]
    np.testing.assert_array_equal(tape.gradient(y, tensor), want)


@holds(60, shape=shapes(most=4), seed=SEEDS, data=st.data())
def test_slice_is_begin_and_size(shape: Any, seed: int, data: Any) -> None:
    x = integers(seed, shape)
    begin = [data.draw(st.integers(0, n)) for n in shape]
    size = [data.draw(st.integers(-1, n - b)) for n, b in zip(shape, begin, strict=True)]
    part = x[tuple(slice(b, None if s == -1 else b + s) for b, s in zip(begin, size, strict=True))]
    check_linear(lambda t: tf.slice(t, begin, size), x, part, seed)
    hidden = data.draw(st.tuples(*[st.booleans()] * len(shape)))
    check_with_unknown_sizes(lambda t: tf.slice(t, begin, size), x, hidden, part)


@holds(60, shape=shapes(most=4, rank=3), seed=SEEDS, data=st.data())
def test_masks(shape: Any, seed: int, data: Any) -> None:
    if not shape:
        shape = (3,)
    x = integers(seed, shape)
    rank = data.draw(st.integers(1, len(shape)))
    mask = np.random.default_rng(seed + 1).random(shape[:rank]) < 0.5
    check_linear(lambda t: t[mask], x, x[mask], seed)
    check_linear(lambda t: tf.boolean_mask(t, tf.constant(mask)), x, x[mask], seed)


@holds(40, shape=shapes(most=3, rank=3), data=st.data())
def test_places_outside_are_refused(shape: Any, data: Any) -> None:
    if not shape:
        shape = (2,)
    axis = data.draw(st.integers(0, len(shape) - 1))
    n = shape[axis]
    place = data.draw(st.sampled_from([n, n + 1, -n - 1]))
    key = (slice(None),) * axis + (place,)
    with pytest.raises(IndexError):
        np.zeros(shape)[key]
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"index {place} of dimension {axis} out of bounds"):
        tf.zeros(shape)[key]
