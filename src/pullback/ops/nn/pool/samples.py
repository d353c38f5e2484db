"""Test data of the pooling ops. Values are far enough apart that a finite difference changes no winner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.sample import Sample
from pullback.ops.nn.conv.shapes import in_format
from pullback.ops.nn.pool import AvgPoolGrad, MaxPool, MaxPoolGrad, MaxPoolGradGrad, MaxPoolWithArgmax

# name: (x [N,H,W,C], ksize, strides, padding, data_format)
CASES: dict[str, tuple[Any, ...]] = {
    "halves": ((2, 4, 4, 2), (2, 2), (2, 2), "VALID", "NHWC"),
    "overlapping": ((1, 5, 4, 2), (3, 2), (1, 2), "SAME", "NHWC"),
    "remainder": ((1, 5, 5, 1), (2, 2), (2, 2), "VALID", "NHWC"),
    "gaps": ((1, 7, 5, 1), (2, 1), (3, 2), "SAME", "NHWC"),
    "explicit": ((1, 4, 5, 1), (3, 3), (2, 2), ((1, 0), (2, 1)), "NHWC"),
    "channels first": ((2, 4, 5, 2), (3, 2), (2, 1), "SAME", "NCHW"),
    "empty batch": ((0, 4, 4, 2), (2, 2), (2, 2), "VALID", "NHWC"),
}


def apart(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = dtypes.float64) -> Any:
    """Distinct values in random order, small integers or multiples of a quarter."""
    count = int(np.prod(shape))
    values = rng.permutation(count).reshape(shape) - count // 2
    return (values if dtype.is_integer else values / 4).astype(dtype.numpy)


def of(cls: Any, rng: np.random.Generator) -> Iterator[Sample]:
    """Samples of an op that slides a window."""
    for name, (x, k, s, padding, data_format) in CASES.items():
        if cls is MaxPoolWithArgmax:
            if data_format == "NHWC" and isinstance(padding, str):
                yield Sample(cls(k, s, padding), (apart(rng, x),), name=name)
            continue
        op = cls(k, s, padding, data_format)
        yield Sample(op, _arguments(op, rng, in_format(x, data_format), dtypes.float64), name=name)
    allowed = cls.parsed.inputs[-1].allowed
    for dtype in allowed:
        if dtype is not dtypes.float64:
            op = cls((2, 2), (2, 2), "SAME")
            yield Sample(op, _arguments(op, rng, (1, 3, 4, 1), dtype), order=1, name=dtype.name)
    if cls is MaxPoolWithArgmax:
        yield Sample(
            cls((2, 2), (2, 2), "SAME", dtypes.int32, True), (apart(rng, (2, 3, 4, 2)),), name="batch in index"
        )
    if cls in (MaxPool, MaxPoolWithArgmax):
        yield Sample(
            cls((2, 2), (1, 1), "SAME"), (rng.integers(0, 2, (1, 4, 4, 2)).astype(float),), smooth=False, name="ties"
        )


def _arguments(op: Any, rng: np.random.Generator, x: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    image, y = apart(rng, x, dtype), op.pooled(x)
    cls = type(op)
    if cls is AvgPoolGrad:
        return tuple(x), apart(rng, y, dtype)
    if cls in (MaxPoolGrad, MaxPoolGradGrad):
        best = op.like(MaxPool).reference(image)[0]
        return image, best, apart(rng, y if cls is MaxPoolGrad else x, dtype)
    return (image,)


def _by_switches(rng: np.random.Generator) -> Iterator[tuple[str, int, bool, Any, Any, tuple[int, ...]]]:
    """(name, order, with_batch, values, at, shape of the image); switches meet."""
    for dtype in (dtypes.float64, dtypes.float32, dtypes.float16, dtypes.bfloat16, dtypes.int32):
        at = rng.integers(0, 12, (2, 2, 2, 1))
        yield dtype.name, 3 if dtype is dtypes.float64 else 1, False, apart(rng, at.shape, dtype), at, (2, 3, 4, 1)
    at = rng.integers(0, 24, (2, 2, 2, 1)).astype(np.int32)
    yield "with batch", 3, True, apart(rng, at.shape), at, (2, 3, 4, 1)
    yield "one dimension", 3, False, np.ones((2, 3)), rng.permutation(6).reshape(2, 3) % 5, (2, 5)
    yield "empty batch", 3, False, np.ones((0, 2, 2, 1)), np.zeros((0, 2, 2, 1), np.int64), (0, 4, 4, 1)


def of_unpool(cls: Any, rng: np.random.Generator) -> Iterator[Sample]:
    """Samples of Unpool."""
    for name, order, with_batch, values, at, to in _by_switches(rng):
        yield Sample(cls(with_batch), (values, at, to), order=order, name=name)


def of_repool(cls: Any, rng: np.random.Generator) -> Iterator[Sample]:
    """Samples of Repool."""
    for name, order, with_batch, values, at, to in _by_switches(rng):
        yield Sample(cls(with_batch), (apart(rng, to, dtypes.from_numpy(values.dtype)), at), order=order, name=name)


def mistakes_of(cls: Any) -> Iterator[tuple[Any, type[Exception], str]]:
    """Wrong calls of an op that slides a window."""
    x, op = np.ones((1, 4, 4, 2)), cls((2, 2), (2, 2), "VALID")
    yield lambda: cls(padding="valid"), ArgumentError, 'did you mean "VALID"'
    yield lambda: cls(ksize=(0, 2)), ArgumentError, "ksize must be"
    if cls is MaxPoolWithArgmax:
        yield lambda: cls(padding=((1, 1), (0, 0))), ArgumentError, "tf.pad"
        yield lambda: cls(Targmax=dtypes.float32), ArgumentError, "int32 or int64"
    else:
        yield lambda: cls(padding=((2, 0), (0, 0))), ArgumentError, "padding alone"
    if cls is AvgPoolGrad:
        yield lambda: op((1, 4, 4), x), ShapeError, "must have 4 dimensions"
        yield lambda: op((1, 4, -4, 2), x), ShapeError, "negative size"
        yield lambda: op((1, 4, 4, 2), x), ShapeError, "not compatible"
    elif cls in (MaxPoolGrad, MaxPoolGradGrad):
        yield lambda: op(x, x, x), ShapeError, "not compatible"
    else:
        yield lambda: op(x[0]), ShapeError, "must have 4 dimensions"
        yield lambda: cls((7, 2), (1, 2), "VALID")(x), ShapeError, "does not fit H = 4"
