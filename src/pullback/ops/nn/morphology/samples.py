"""Test data of dilation. Sums of pixel and weight are far enough apart that a finite difference changes no winner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.sample import Sample
from pullback.ops.nn.morphology import Dilation2D
from pullback.ops.nn.pool.samples import apart

# name: (x [N,H,W,C], w [R,S,C], strides, rates, padding)
CASES: dict[str, tuple[Any, ...]] = {
    "plain": ((2, 4, 4, 2), (2, 3, 2), (1, 1), (1, 1), "VALID"),
    "same": ((1, 4, 5, 2), (3, 2, 2), (1, 1), (1, 1), "SAME"),
    "strides and rates": ((1, 5, 6, 1), (3, 2, 1), (2, 1), (1, 2), "SAME"),
    "empty batch": ((0, 4, 4, 2), (2, 2, 2), (1, 1), (1, 1), "SAME"),
    "empty output": ((1, 1, 4, 1), (2, 2, 1), (1, 1), (1, 1), "VALID"),
}


def of(cls: Any, rng: np.random.Generator) -> Iterator[Sample]:
    """Samples of one of the three."""
    for name, (x, w, strides, rates, padding) in CASES.items():
        yield Sample(*_call(cls(strides, rates, padding), rng, x, w, dtypes.float64), name=name)
    for dtype in cls.parsed.inputs[0].allowed:
        if dtype is not dtypes.float64:
            yield Sample(*_call(cls(), rng, (1, 3, 4, 1), (2, 2, 1), dtype), order=1, name=dtype.name)
    if cls is Dilation2D:
        ties = rng.integers(0, 2, (1, 4, 4, 2)).astype(float)
        yield Sample(cls(), (ties, np.zeros((2, 2, 2))), smooth=False, name="ties")


def _call(op: Any, rng: Any, x: Any, w: Any, dtype: Any) -> tuple[Any, tuple[Any, ...]]:
    """Weights are less than the least distance of two pixels, so they and the pixels never tie."""
    image = apart(rng, x, dtype)
    weights = np.zeros(w) if dtype.is_integer else rng.integers(0, 2, w) / 16
    args: tuple[Any, ...] = (image, weights.astype(dtype.numpy))
    if type(op) is not Dilation2D:
        args = (*args, apart(rng, op.made(x, w), dtype))
    return op, args


def mistakes_of(cls: Any) -> Iterator[tuple[Any, type[Exception], str]]:
    """Wrong calls of one of the three."""
    x, w, y = np.ones((1, 4, 4, 2)), np.ones((2, 2, 2)), np.ones((1, 4, 4, 2))
    more = () if cls is Dilation2D else (y,)
    yield lambda: cls(padding="same"), ArgumentError, 'did you mean "SAME"'
    yield lambda: cls(padding=((1, 1), (0, 0))), ArgumentError, "tf.pad"
    yield lambda: cls(strides=(0, 1)), ArgumentError, "strides must be"
    yield lambda: cls(rates=(1,)), ArgumentError, "rates must be"
    yield lambda: cls()(x[0], w, *more), ShapeError, "must have 4 dimensions"
    yield lambda: cls()(x, w[0], *more), ShapeError, "[height,width,channels]"
    yield lambda: cls()(x, w[:, :, :1], *more), ShapeError, "has 2 channels"
    yield lambda: cls((1, 1), (6, 1), "VALID")(x, w, *more), ShapeError, "does not fit H = 4"
    if more:
        yield lambda: cls()(x, w, y[:, :2]), ShapeError, "not compatible"
