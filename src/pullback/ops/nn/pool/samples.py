"""Test data of the pooling ops. Values are far enough apart that a finite difference changes no winner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.sample import Sample
from pullback.ops.nn.conv.shapes import in_format
from pullback.ops.nn.pool import ByArgmax, MaxPoolGradGradWithArgmax, MaxPoolGradWithArgmax, MaxPoolWithArgmax
from pullback.ops.nn.pool.base import Maximum, MaximumGrad, MaximumGradGrad, MeanGrad

# name: (x [N,H,W,C], ksize, strides, padding, data_format)
IMAGES: dict[str, tuple[Any, ...]] = {
    "halves": ((2, 4, 4, 2), (2, 2), (2, 2), "VALID", "NHWC"),
    "overlapping": ((1, 5, 4, 2), (3, 2), (1, 2), "SAME", "NHWC"),
    "remainder": ((1, 5, 5, 1), (2, 2), (2, 2), "VALID", "NHWC"),
    "gaps": ((1, 7, 5, 1), (2, 1), (3, 2), "SAME", "NHWC"),
    "explicit": ((1, 4, 5, 1), (3, 3), (2, 2), ((1, 0), (2, 1)), "NHWC"),
    "channels first": ((2, 4, 5, 2), (3, 2), (2, 1), "SAME", "NCHW"),
    "empty batch": ((0, 4, 4, 2), (2, 2), (2, 2), "VALID", "NHWC"),
}
# name: (x [N,D,H,W,C], ksize, strides, padding, data_format)
VOLUMES: dict[str, tuple[Any, ...]] = {
    "halves": ((1, 2, 4, 4, 2), (2, 2, 2), (2, 2, 2), "VALID", "NDHWC"),
    "overlapping": ((1, 3, 3, 4, 1), (2, 3, 2), (1, 1, 2), "SAME", "NDHWC"),
    "gaps": ((1, 4, 3, 5, 1), (1, 2, 2), (2, 1, 3), "SAME", "NDHWC"),
    "explicit": ((1, 2, 3, 3, 1), (2, 2, 3), (1, 2, 2), ((1, 0), (0, 1), (2, 1)), "NDHWC"),
    "channels first": ((2, 2, 3, 4, 2), (2, 2, 3), (1, 2, 2), "SAME", "NCDHW"),
    "empty batch": ((0, 2, 4, 2, 1), (2, 2, 2), (2, 2, 2), "VALID", "NDHWC"),
}


def apart(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = dtypes.float64) -> Any:
    """Distinct values in random order, small integers or multiples of a quarter."""
    count = int(np.prod(shape))
    values = rng.permutation(count).reshape(shape) - count // 2
    return (values if dtype.is_integer else values / 4).astype(dtype.numpy)


def of(cls: Any, rng: np.random.Generator) -> Iterator[Sample]:
    """Samples of an op that slides a window."""
    for name, (x, k, s, padding, data_format) in (VOLUMES if cls.rank == 3 else IMAGES).items():
        if issubclass(cls, ByArgmax):
            if data_format == "NHWC" and isinstance(padding, str):
                op = cls(k, s, padding)
                yield Sample(op, _arguments(op, rng, x, dtypes.float64), name=name)
            continue
        op = cls(k, s, padding, data_format)
        yield Sample(op, _arguments(op, rng, in_format(x, data_format), dtypes.float64), name=name)
    for dtype in cls.T:
        if dtype is not dtypes.float64:
            op = cls((2,) * cls.rank, (2,) * cls.rank, "SAME")
            yield Sample(op, _arguments(op, rng, (1, *(3, 4, 2)[: cls.rank], 1), dtype), order=1, name=dtype.name)
    if issubclass(cls, ByArgmax):
        narrow = {"Targmax": dtypes.int32} if cls is MaxPoolWithArgmax else {}
        op = cls((2, 2), (2, 2), "SAME", include_batch_in_index=True, **narrow)
        yield Sample(op, _arguments(op, rng, (2, 3, 4, 2), dtypes.float64), name="batch in index")
    if issubclass(cls, Maximum) or cls is MaxPoolWithArgmax:
        image = rng.integers(0, 2, (1, *(4, 4, 2)[: cls.rank], 2)).astype(float)
        yield Sample(cls((2,) * cls.rank, (1,) * cls.rank, "SAME"), (image,), smooth=False, name="ties")


def _arguments(op: Any, rng: np.random.Generator, x: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    image, y = apart(rng, x, dtype), op.pooled(x)
    if isinstance(op, MeanGrad):
        return tuple(x), apart(rng, y, dtype)
    if isinstance(op, (MaxPoolGradWithArgmax, MaxPoolGradGradWithArgmax)):
        _, at = op.other(MaxPoolWithArgmax).reference(image)
        return image, apart(rng, y if isinstance(op, MaxPoolGradWithArgmax) else x, dtype), at
    if isinstance(op, (MaximumGrad, MaximumGradGrad)):
        best = op.sibling(0).reference(image)
        return image, best, apart(rng, y if isinstance(op, MaximumGrad) else x, dtype)
    return (image,)


def _by_switches(rng: np.random.Generator) -> Iterator[tuple[str, int, bool, Any, Any, tuple[int, ...]]]:
    """(name, order, with_batch, values, at, shape of the image); switches meet."""
    for dtype in (*dtypes.FLOATS, dtypes.int32):
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
    rank = cls.rank
    twos, words = (2,) * rank, f"must have {rank + 2} dimensions"
    dims = (1, *(4,) * rank, 2)
    x, op = np.ones(dims), cls(twos, twos, "VALID")
    yield lambda: cls(padding="valid"), ArgumentError, 'did you mean "VALID"'
    yield lambda: cls(ksize=(0,) * rank), ArgumentError, "ksize must be"
    yield lambda: cls(strides=(2,)), ArgumentError, "strides must be"
    yield lambda: cls(padding=((1, 1),)), ArgumentError, "for each spatial axis"
    if issubclass(cls, ByArgmax):
        yield lambda: cls(padding=((1, 1), (0, 0))), ArgumentError, "tf.pad"
    else:
        yield lambda: cls(padding=((2, 0), *((0, 0),) * (rank - 1))), ArgumentError, "padding alone"
        yield lambda: cls(data_format="NHWC" if rank == 3 else "NDHWC"), ArgumentError, "data_format"
    if issubclass(cls, MeanGrad):
        yield lambda: op(dims[:-1], x), ShapeError, words
        yield lambda: op((*dims[:-2], -4, 2), x), ShapeError, "negative size"
        yield lambda: op(dims, x), ShapeError, "not compatible"
    elif issubclass(cls, (MaximumGrad, MaximumGradGrad)):
        yield lambda: op(x, x, x), ShapeError, "pooled orig_input and orig_output"
        small = op.sibling(0).reference(x)
        wrong = x if issubclass(cls, MaximumGrad) else small
        yield lambda: op(x, small, wrong), ShapeError, "and grad"
        yield lambda: op(x[0], small, wrong), ShapeError, words
    elif issubclass(cls, (MaxPoolGradWithArgmax, MaxPoolGradGradWithArgmax)):
        small, at = op.other(MaxPoolWithArgmax).reference(x)
        wrong = x if cls is MaxPoolGradWithArgmax else small
        right = small if cls is MaxPoolGradWithArgmax else x
        yield lambda: op(x, wrong, at), ShapeError, "and grad"
        yield lambda: op(x, right, at[:, :1]), ShapeError, "pooled input and argmax"
        yield lambda: op(x, right, at + 32), ShapeError, "from 0 to 31"
    else:
        yield lambda: op(x[0]), ShapeError, words
        first = "D" if rank == 3 else "H"
        wide = (7, *(2,) * (rank - 1))
        yield lambda: cls(wide, (1,) * rank, "VALID")(x), ShapeError, f"does not fit {first} = 4"
    if cls is MaxPoolWithArgmax:
        yield lambda: cls(Targmax=dtypes.float32), ArgumentError, "int32 or int64"
