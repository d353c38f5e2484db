"""Fractional pooling: its windows, its gradients, and TensorFlow's draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from properties import distinct, gradient, holds, integers

import pullback as tf
import pullback.v1 as v1

# (H, W, rows, columns, pseudo_random, seed, seed2, row and column bounds): drawn by TensorFlow 2.21.
BOUNDS: list[tuple[Any, ...]] = [
    (
        20,
        17,
        2.3,
        1.0,
        False,
        87654321,
        7,
        [0, 2, 4, 7, 10, 12, 15, 17, 20],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    ),
    (
        20,
        17,
        2.3,
        1.0,
        True,
        87654321,
        7,
        [0, 3, 6, 8, 11, 13, 16, 18, 20],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    ),
    (50, 9, 3.7, 2.6, False, 3, 5, [0, 3, 6, 10, 14, 18, 22, 26, 30, 34, 38, 42, 46, 50], [0, 3, 6, 9]),
    (50, 9, 3.7, 2.6, False, 87654321, 7, [0, 3, 7, 11, 15, 19, 23, 27, 31, 35, 38, 42, 46, 50], [0, 3, 6, 9]),
]


@pytest.mark.parametrize("row", BOUNDS)
def test_fractional_windows_are_tensorflows(row: tuple[Any, ...]) -> None:
    H, W, rows, cols, pseudo, seed, seed2, want_rows, want_cols = row
    y, found_rows, found_cols = tf.raw_ops.FractionalMaxPool(
        value=np.zeros((1, H, W, 1)),
        pooling_ratio=[1, rows, cols, 1],
        pseudo_random=pseudo,
        deterministic=True,
        seed=seed,
        seed2=seed2,
    )
    assert (found_rows.numpy().tolist(), found_cols.numpy().tolist()) == (want_rows, want_cols)
    assert y.shape == (1, len(want_rows) - 1, len(want_cols) - 1, 1)


@holds(
    40,
    image=st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(1, 9), st.integers(1, 2)),
    ratio=st.tuples(st.floats(1, 3), st.floats(1, 3)),
    pseudo=st.booleans(),
    overlapping=st.booleans(),
    seed=st.integers(1, 2**31 - 1),
)
def test_fractional_pooling(image: Any, ratio: Any, pseudo: bool, overlapping: bool, seed: int) -> None:
    """Bounds from 0 to the size, each step floor(n / p) or one more; the largest and the mean between them."""
    sizes = [int(n / r) for n, r in zip(image[1:], ratio, strict=False)]
    x = distinct(seed, image)
    call = [[1, *ratio, 1], pseudo, overlapping, seed]
    if 0 in sizes:
        with pytest.raises(tf.errors.InvalidArgumentError, match="is smaller than its pooling_ratio"):
            tf.nn.fractional_max_pool(x, *call)
        return
    best, rows, cols = tf.nn.fractional_max_pool(x, *call)
    mean = tf.nn.fractional_avg_pool(x, *call)
    bounds = [rows.numpy(), cols.numpy()]
    for n, p, b in zip(image[1:], sizes, bounds, strict=False):
        assert (len(b), b[0], b[-1]) == (p + 1, 0, n)
        assert set(np.diff(b)) <= {n // p, n // p + 1}
    np.testing.assert_array_equal(mean.row_pooling_sequence, rows)
    dx, share = np.zeros(image), np.zeros(image)
    g = integers(seed, best.shape)
    for p, q in np.ndindex(*sizes):
        part = (slice(None), slice(bounds[0][p], bounds[0][p + 1] + overlapping))
        part = (*part, slice(bounds[1][q], bounds[1][q + 1] + overlapping))
        np.testing.assert_array_equal(best[:, p, q], x[part].max((1, 2)))
        np.testing.assert_allclose(mean.output[:, p, q], x[part].mean((1, 2)), rtol=1e-12)
        dx[part] += (x[part] == x[part].max((1, 2), keepdims=True)) * g[:, p, q][:, None, None]
        share[part] += (g[:, p, q] / x[part][0, ..., 0].size if len(x) else g[:, p, q])[:, None, None]
    np.testing.assert_array_equal(gradient(lambda a: tf.nn.fractional_max_pool(a, *call).output, [x], g)[0], dx)
    spread = gradient(lambda a: tf.nn.fractional_avg_pool(a, *call).output, [x], g)[0]
    np.testing.assert_allclose(spread, share, rtol=1e-12, atol=1e-12)


def test_fractional_windows_without_a_seed_differ_from_run_to_run() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        made = v1.nn.fractional_max_pool(np.zeros((1, 200, 200, 1)), [1, 1.5, 1.5, 1])
        fixed = v1.nn.fractional_max_pool(np.zeros((1, 200, 200, 1)), [1, 1.5, 1.5, 1], deterministic=True)
        first, second = (session.run([made[1:], fixed[1:]]) for _ in range(2))
    assert any((a != b).any() for a, b in zip(first[0], second[0], strict=True))
    assert all((a == b).all() for a, b in zip(first[1], second[1], strict=True))


def test_seeds() -> None:
    """The op seed makes windows the same in every call, in functions and graphs too; another makes others."""
    x = integers(1, (1, 90, 90, 1))
    pool = lambda seed: tf.nn.fractional_max_pool(x, 1.4, seed=seed)[1:]  # noqa: E731
    bounds = [b.numpy() for b in pool(7)]
    for again in (pool(7), tf.function(lambda: pool(7))()):
        for a, b in zip(again, bounds, strict=True):
            np.testing.assert_array_equal(a, b)
    assert any((a.numpy() != b).any() for a, b in zip(pool(8), bounds, strict=True))


def test_gradients_of_unseeded_windows_are_those_of_the_windows_drawn() -> None:
    x = tf.constant(distinct(3, (1, 30, 20, 1)))
    step = tf.function(lambda a: tf.nn.fractional_avg_pool(a, 1.3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, rows, cols = step(x)
    dx = tape.gradient(y, x).numpy()[0, ..., 0]
    heights, widths = np.diff(rows.numpy()), np.diff(cols.numpy())
    np.testing.assert_allclose(dx, 1 / np.outer(np.repeat(heights, heights), np.repeat(widths, widths)))
