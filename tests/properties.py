"""What property tests share: a quick and a thorough run of one claim, and shapes whose sizes are half known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as tf
import pullback.v1 as v1

SEEDS = st.integers(0, 2**32 - 1)


def holds(quick: int, **strategies: Any) -> Callable[[Callable[..., None]], Any]:
    """Makes a claim about drawn values a test: on `quick` examples always, on ten times as many when slow."""

    def tested(claim: Callable[..., None]) -> Any:
        @pytest.mark.parametrize("examples", [quick, pytest.param(10 * quick, marks=pytest.mark.slow)])
        def test(examples: int) -> None:
            settings(max_examples=examples)(given(**strategies)(claim))()

        test.__name__, test.__doc__ = claim.__name__, claim.__doc__
        return test

    return tested


def integers(seed: int, shape: Any) -> Any:
    """Small whole numbers as float64: sums and products of them are exact, whatever their order."""
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(np.float64)


def distinct(seed: int, shape: Any) -> Any:
    """Numbers from 1 to 2, no two alike."""
    return 1 + np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape) / max(np.prod(shape), 1)


def shapes(most: int = 4, rank: int = 4, least: int = 0) -> Any:
    return st.lists(st.integers(least, most), max_size=rank).map(tuple)


def gradient(f: Callable[..., Any], xs: Any, dy: Any) -> list[Any]:
    """Gradients of f(*xs) by xs, seeded with dy."""
    tensors = [tf.constant(x) for x in xs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = f(*tensors)
    found = tape.gradient(y, tensors, output_gradients=tf.constant(dy), unconnected_gradients="zero")
    return [tf.convert_to_tensor(d).numpy() for d in found]


def check_linear(f: Callable[[Any], Any], x: Any, y: Any, seed: int) -> None:
    """f(x) is y, and its gradient is its adjoint: <f(x), g> = <x, f'g>. For whole numbers, exactly."""
    np.testing.assert_array_equal(f(tf.constant(x)), y)
    g = integers(seed, np.shape(y))
    (dx,) = gradient(f, [x], g)
    assert dx.shape == x.shape and np.sum(y * g) == np.sum(x * dx)


def check_with_unknown_sizes(f: Callable[[Any], Any], x: Any, hidden: Any, y: Any) -> None:
    """f in a graph, of a placeholder that knows only some sizes: the static shape is no lie, the value the same.

    hidden: for each axis of x whether its size is unknown; None when not even the rank is known.
    """
    declared = None if hidden is None else [None if h else n for n, h in zip(x.shape, hidden, strict=True)]
    with v1.Graph().as_default(), v1.Session() as session:
        p = v1.placeholder(tf.as_dtype(x.dtype), declared)
        made = f(p)
        known = made.shape.dims
        assert known is None or len(known) == np.ndim(y)
        assert known is None or all(d.value in (None, n) for d, n in zip(known, np.shape(y), strict=True))
        if declared is not None and None not in declared:
            assert made.shape == np.shape(y)
        np.testing.assert_array_equal(session.run(made, {p: x}), y)
