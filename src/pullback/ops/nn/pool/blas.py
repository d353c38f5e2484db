"""Pooling for the default engine: a pass over the image for each place of the window, on views.

Switches are kept as the winning place of the window, a byte each, until the end: the image is read in the order it lies
in memory, and nothing is gathered.
"""

from __future__ import annotations

import functools
from math import prod
from typing import Any

import numpy as np

from pullback.core.op import lowering
from pullback.ops.nn.conv import window
from pullback.ops.nn.conv.reference import places as places_of
from pullback.ops.nn.conv.reference import precise
from pullback.ops.nn.conv.shapes import channels_last
from pullback.ops.nn.conv.window import Geometry, Numbers
from pullback.ops.nn.pool import (
    AvgPool,
    AvgPool3D,
    AvgPool3DGrad,
    AvgPoolGrad,
    MaxPool,
    MaxPool3D,
    MaxPoolWithArgmax,
    places,
    reference,
)

Array = np.ndarray[Any, Any]


@lowering("blas", MaxPool, MaxPool3D)
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
    first, *others = places_of(op.ksize)
    best = np.array(values[reference.taps(at, first, op.strides)])
    if not best.size:
        return reference.max_pool(image, at, op.ksize, op.strides, places(op, x.shape))
    small = np.int8 if prod(op.ksize) < 128 else np.int32
    tap = np.zeros(best.shape, small)
    for i, place in enumerate(others, 1):
        v = values[reference.taps(at, place, op.strides)]
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
    _, *sizes, C = channels_last(x, op.data_format)
    firsts = [
        np.arange(p) * s - before for p, s, before in zip(at.outs, op.strides, at.before, strict=True)
    ]  # where each window begins, an axis at a time
    pixel = _flat(np.meshgrid(*firsts, indexing="ij"), sizes)
    within = _flat(np.indices(op.ksize), sizes).ravel()
    if window.last(op.data_format):
        return pixel[..., None] * C + np.arange(C), within * C
    return pixel[..., None] + np.arange(C) * prod(sizes), within


def _flat(index: Any, sizes: Any) -> Array:
    """Flat place of a pixel by its coordinates."""
    flat = index[0]
    for i, n in zip(index[1:], sizes[1:], strict=True):
        flat = flat * n + i
    return np.asarray(flat)


@functools.lru_cache(maxsize=256)
def _share(sizes: Numbers, at: Geometry, ksize: Numbers, strides: Numbers, dtype: Any) -> Any:
    """The pixels of each window, [1,P,Q,1]; a number where nothing is padded."""
    if not at.padded:
        return dtype.type(prod(ksize))
    return reference.counts(at, sizes, ksize, strides).astype(dtype)


@lowering("blas", AvgPool, AvgPool3D)
def avg_pool(op: Any, x: Array) -> Array:
    """Mean of each window."""
    at = op.at(x.shape)
    (image,) = precise(op.last(x))
    values = reference.padded(image, at)
    first, *others = places_of(op.ksize)
    y = np.array(values[reference.taps(at, first, op.strides)])
    for place in others:
        y += values[reference.taps(at, place, op.strides)]
    y /= _share(image.shape[1:-1], at, op.ksize, op.strides, y.dtype)
    return op.first(y.astype(x.dtype, copy=False))


@lowering("blas", AvgPoolGrad, AvgPool3DGrad)
def avg_pool_grad(op: Any, shape: Array, dy: Array) -> Array:
    """Each value spread over its window. Windows that do not meet are stored, not added."""
    wanted = tuple(shape.tolist())
    op.checked(wanted, dy.shape)
    at = op.at(wanted)
    N, *sizes, C = channels_last(wanted, op.data_format)
    (spread,) = precise(op.last(dy))
    spread = spread / _share(tuple(sizes), at, op.ksize, op.strides, spread.dtype)
    dx = np.zeros((N, *at.bordered(sizes), C), spread.dtype)
    meet = any(k > s for k, s in zip(op.ksize, op.strides, strict=True))
    for place in places_of(op.ksize):
        index = reference.taps(at, place, op.strides)
        if meet:
            dx[index] += spread
        else:
            dx[index] = spread
    return op.first(dx[at.inner].astype(dy.dtype, copy=False))
