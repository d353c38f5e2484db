"""Test data of fractional pooling, made from one list of images and ratios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.sample import Sample
from pullback.ops.nn.pool.samples import apart

# name: (x [N,H,W,C], rows, columns, pseudo_random, overlapping)
CASES: dict[str, tuple[Any, ...]] = {
    "random": ((2, 7, 5, 2), 1.5, 1.7, False, False),
    "overlapping": ((1, 6, 7, 1), 1.4, 2.6, False, True),
    "pseudo_random": ((1, 8, 5, 2), 1.4, 1.3, True, False),
    "both": ((1, 7, 6, 1), 2.2, 1.3, True, True),
    "divisible": ((1, 4, 6, 1), 2.0, 3.0, False, False),
    "empty batch": ((0, 5, 4, 1), 1.4, 1.0, False, False),
}


def of(cls: Any, rng: np.random.Generator) -> Iterator[Sample]:
    """Samples of one of the six."""
    for name, case in CASES.items():
        op, args = _call(cls, rng, case, dtypes.float64)
        yield Sample(op, args, name=name)
    for dtype in cls.T:
        if dtype is not dtypes.float64:
            op, args = _call(cls, rng, ((1, 4, 5, 1), 1.5, 1.4, False, True), dtype)
            yield Sample(op, args, order=1, name=dtype.name)


def _call(cls: Any, rng: np.random.Generator, case: tuple[Any, ...], dtype: Any) -> tuple[Any, tuple[Any, ...]]:
    from pullback.ops.nn.pool.fractional import FractionalMaxPool

    x, rows, cols, pseudo, overlap = case
    pool = FractionalMaxPool((1.0, rows, cols, 1.0), pseudo, overlap)
    drawn = np.array(11, np.int64), np.array([0, 3], np.int64)
    image = apart(rng, x, dtype)
    if "pooling_ratio" in cls.fields:
        return cls(*[getattr(pool, f) for f in pool.fields]), (image, *drawn)
    best, *bounds = pool.reference(image, *drawn)
    given = {
        "orig_input": image,
        "orig_output": best,
        "orig_input_tensor_shape": x,
        "out_backprop": apart(rng, best.shape, dtype),
        "grad": apart(rng, x, dtype),
        "row_pooling_sequence": bounds[0],
        "col_pooling_sequence": bounds[1],
    }
    return cls(overlap), tuple([given[argument.name] for argument in cls.parsed.inputs])


def mistakes_of(cls: Any) -> Iterator[tuple[Any, type[Exception], str]]:
    """Wrong calls of one of the six."""
    rng = np.random.default_rng(0)
    op, args = _call(cls, rng, ((1, 6, 6, 1), 1.5, 1.5, False, False), dtypes.float64)
    names = [argument.name for argument in cls.parsed.inputs]

    def wrong(**other: Any) -> Any:
        return lambda: op(*[other.get(name, value) for name, value in zip(names, args, strict=True)])

    if "pooling_ratio" in cls.fields:
        yield lambda: cls((1.0, 0.5, 1.0, 1.0)), ArgumentError, "each at least 1"
        yield lambda: cls((2.0, 1.5, 1.0, 1.0)), ArgumentError, "[1, rows, columns, 1]"
        yield wrong(value=np.ones((6, 6, 1))), ShapeError, "must have 4 dimensions"
        yield wrong(value=np.ones((1, 6, 0, 1))), ShapeError, "W = 0 is smaller"
        return
    yield wrong(row_pooling_sequence=np.array([0, 4, 3, 5, 6])), ShapeError, "must rise from 0 to 6"
    yield wrong(col_pooling_sequence=np.array([0, 1, 3, 5, 7])), ShapeError, "must rise from 0 to 6"
    if "out_backprop" in names:
        yield wrong(out_backprop=np.ones((1, 4, 3, 1))), ShapeError, "and out_backprop"
    if "orig_output" in names:
        yield wrong(orig_output=np.ones((1, 5, 4, 1))), ShapeError, "and orig_output"
        yield wrong(orig_input=np.ones((6, 6, 1))), ShapeError, "must have 4 dimensions"
    if "orig_input_tensor_shape" in names:
        yield wrong(orig_input_tensor_shape=(1, 6, 6)), ShapeError, "must have 4 dimensions"
        yield wrong(orig_input_tensor_shape=(1, -6, 6, 1)), ShapeError, "negative size"
