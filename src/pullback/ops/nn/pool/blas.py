"""Pooling for the default engine: a pass over the image for each place of the window, on views.

Switches are kept as the winning place of the window, a byte each, until the end: the image is read in the order it lies
in memory, and nothing is gathered.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pullback.core.op import lowering
from pullback.ops.nn.conv.reference import precise
from pullback.ops.nn.conv.shapes import channels_last
from pullback.ops.nn.conv.window import Geometry, Pair
from pullback.ops.nn.pool import AvgPool, AvgPoolGrad, MaxPool, MaxPoolWithArgmax, places, reference

Array = np.ndarray[Any, Any]


@lowering("blas", MaxPool)
def max_pool(op: Any, x: Array) -> tuple[Array, Array]:
    """(largest values, switches), in data_format's order."""
    y, at = _largest(op, x)
    return op.first(y), op.first(at)


@lowering("blas", MaxPoolWithArgmax)
def max_pool_with_argmax(op: Any, x: Array) -> tuple[Array, Array]:
    """(largest values, argmax)."""
    y, at = _largest(op, x)
    return y, op.argmax(at, x.shape)


def _largest(op: Any, x: Array) -> tuple[Array, Array]:
    """(largest values, switches), NHWC. Where padding or NaN could be mistaken for a value, the reference decides."""
    at = op.at(x.shape)
    image = op.last(x)
    lowest = _lowest(x.dtype) if at.padded else 0
    (values,) = precise(image)
    values = reference.padded(values, at, lowest)
    R, S = op.ksize
    best = np.array(values[reference.taps(at, 0, 0, op.strides)])
    if not best.size:
        return reference.max_pool(image, at, op.ksize, op.strides, places(op, x.shape))
    small = np.int8 if R * S < 128 else np.int32
    tap = np.zeros(best.shape, small)
    for i in range(1, R * S):
        v = values[reference.taps(at, *divmod(i, S), op.strides)]
        np.maximum(tap, (v > best).astype(small) * small(i), out=tap)
        np.maximum(best, v, out=best)
    doubtful = best.max() != best.max() or (at.padded and best.min() == lowest)
    if doubtful:
        return reference.max_pool(image, at, op.ksize, op.strides, places(op, x.shape))
    base, offsets = _switches(op, x.shape)
    return best.astype(x.dtype, copy=False), base + np.take(offsets, tap)


def _lowest(dtype: Any) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


@functools.lru_cache(maxsize=64)
def _switches(op: Any, x: tuple[int, ...]) -> tuple[Array, Array]:
    """A switch is base[p,q,c] + offsets[place in the window]."""
    at = op.at(x)
    _, H, W, C = channels_last(x, op.data_format)
    p = np.arange(at.P)[:, None, None] * op.strides[0] - at.top
    q = np.arange(at.Q)[:, None] * op.strides[1] - at.left
    r, s = np.indices(op.ksize)
    if op.data_format == "NHWC":
        return (p * W + q) * C + np.arange(C), ((r * W + s) * C).ravel()
    return (np.arange(C) * H + p) * W + q, (r * W + s).ravel()


@functools.lru_cache(maxsize=256)
def _share(H: int, W: int, at: Geometry, ksize: Pair, strides: Pair, dtype: Any) -> Any:
    """1 / the pixels of each window, [1,P,Q,1]; a number where nothing is padded."""
    if not at.padded:
        return dtype.type(ksize[0] * ksize[1])
    return reference.counts(at, H, W, ksize, strides).astype(dtype)


@lowering("blas", AvgPool)
def avg_pool(op: Any, x: Array) -> Array:
    """Mean of each window."""
    at = op.at(x.shape)
    (image,) = precise(op.last(x))
    values = reference.padded(image, at)
    y = np.array(values[reference.taps(at, 0, 0, op.strides)])
    for i in range(1, op.ksize[0] * op.ksize[1]):
        y += values[reference.taps(at, *divmod(i, op.ksize[1]), op.strides)]
    y /= _share(image.shape[1], image.shape[2], at, op.ksize, op.strides, y.dtype)
    return op.first(y.astype(x.dtype, copy=False))


@lowering("blas", AvgPoolGrad)
def avg_pool_grad(op: Any, shape: Array, dy: Array) -> Array:
    """Each value spread over its window. Windows that do not meet are stored, not added."""
    wanted = tuple(shape.tolist())
    op.checked(wanted, dy.shape)
    at = op.at(wanted)
    N, H, W, C = channels_last(wanted, op.data_format)
    (spread,) = precise(op.last(dy))
    spread = spread / _share(H, W, at, op.ksize, op.strides, spread.dtype)
    dx = np.zeros((N, at.top + H + at.bottom, at.left + W + at.right, C), spread.dtype)
    meet = op.ksize[0] > op.strides[0] or op.ksize[1] > op.strides[1]
    for i in range(op.ksize[0] * op.ksize[1]):
        place = reference.taps(at, *divmod(i, op.ksize[1]), op.strides)
        if meet:
            dx[place] += spread
        else:
            dx[place] = spread
    return op.first(dx[:, at.top : at.top + H, at.left : at.left + W].astype(dy.dtype, copy=False))
