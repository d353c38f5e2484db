"""Pooling for the default engine: a pass over the image for each place of the window, on views.

A few images are taken at a time, so that they stay in the cache from one pass to the next. Where the largest stood is
the place of the window, a byte, until the image is read or written there.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
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
    MaxPool3DGrad,
    MaxPool3DGradGrad,
    MaxPoolGrad,
    MaxPoolGradGrad,
    MaxPoolWithArgmax,
    reference,
)

Array = np.ndarray[Any, Any]


# Bytes of images at a time.
BLOCK = 1 << 20


def _blocks(op: Any, x: Array, at: Geometry, border: Any) -> Iterator[tuple[slice, Array]]:
    """Ranges of images, and these with their border, channels last, in the type that they are computed in."""
    step = max(1, BLOCK // max(1, x[:1].nbytes))
    image = op.last(x)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        (values,) = precise(image[part])
        yield part, reference.padded(values, at, border)


# --- the largest ----------------------------------------------------------------------------------


@lowering("blas", MaxPool, MaxPool3D)
def max_pool(op: Any, x: Array) -> Array:
    """Largest values, in data_format's order."""
    at, lowest = op.at(x.shape), _lowest(x.dtype)
    y = np.empty((len(x), *at.outs, op.last(x).shape[-1]), x.dtype)
    for part, values in _blocks(op, x, at, lowest):
        first, *others = places_of(op.ksize)
        best = np.array(values[reference.taps(at, first, op.strides)])
        for place in others:
            np.maximum(best, values[reference.taps(at, place, op.strides)], out=best)
        if _doubtful(best, at, lowest):
            return op.reference(x)
        y[part] = best
    return op.first(y)


@lowering("blas", MaxPoolWithArgmax)
def max_pool_with_argmax(op: Any, x: Array) -> tuple[Array, Array]:
    """(largest values, argmax)."""
    at = op.at(x.shape)
    y = np.empty((len(x), *at.outs, x.shape[-1]), x.dtype)
    argmax = np.empty(y.shape, np.int64)
    for part, best, switches in _winners(op, x, at):
        if switches is None:
            return op.reference(x)
        y[part], argmax[part] = best, switches
    return y, op.argmax(argmax, x.shape)


@lowering("blas", MaxPoolGrad, MaxPool3DGrad)
def max_pool_grad(op: Any, x: Array, y: Array, dy: Array) -> Array:
    """dy put where the largest values of x stand, in data_format's order."""
    op.fitting(x.shape, y.shape, dy.shape)
    (values,) = precise(op.last(dy))
    dx = np.zeros(x.shape, values.dtype)
    for part, _, switches in _winners(op, x, op.at(x.shape)):
        if switches is None:
            return op.reference(x, y, dy)
        np.add.at(dx[part].reshape(-1), _across(switches, x.shape), values[part].reshape(-1))
    return dx.astype(dy.dtype, copy=False)


@lowering("blas", MaxPoolGradGrad, MaxPool3DGradGrad)
def max_pool_grad_grad(op: Any, x: Array, y: Array, g: Array) -> Array:
    """What stands in g where the largest values of x stand, in data_format's order."""
    op.fitting(x.shape, y.shape, image=g.shape)
    found = np.empty(op.last(y).shape, g.dtype)
    g = np.ascontiguousarray(g)
    for part, _, switches in _winners(op, x, op.at(x.shape)):
        if switches is None:
            return op.reference(x, y, g)
        found[part] = g[part].reshape(-1)[_across(switches, x.shape)].reshape(switches.shape)
    return op.first(found)


def _winners(op: Any, x: Array, at: Geometry) -> Iterator[tuple[slice, Array, Any]]:
    """For ranges of images the largest values and their flat places within each image, channels last; None for the
    places where only the reference can tell them."""
    lowest, (base, offsets) = _lowest(x.dtype), _switches(op, x.shape)
    small = np.int8 if len(offsets) < 128 else np.int32
    for part, values in _blocks(op, x, at, lowest):
        first, *others = places_of(op.ksize)
        best = np.array(values[reference.taps(at, first, op.strides)])
        tap = np.zeros(best.shape, small)
        for i, place in enumerate(others, 1):
            v = values[reference.taps(at, place, op.strides)]
            np.maximum(tap, (v > best).astype(small) * small(i), out=tap)
            np.maximum(best, v, out=best)
        yield part, best, None if _doubtful(best, at, lowest) else base + np.take(offsets, tap)


def _across(switches: Array, x: tuple[int, ...]) -> Array:
    """Places within each image as places in all of them laid end to end."""
    return (switches + (np.arange(len(switches)) * prod(x[1:])).reshape(-1, *(1,) * (len(x) - 1))).reshape(-1)


def _lowest(dtype: Any) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def _doubtful(best: Array, at: Geometry, lowest: Any) -> bool:
    """Whether NaN decides somewhere, or the border could be mistaken for a value: then the reference decides."""
    return bool(best.size) and bool(best.max() != best.max() or (at.padded and best.min() == lowest))


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


# --- the mean -------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=256)
def _share(sizes: Numbers, at: Geometry, ksize: Numbers, strides: Numbers, dtype: Any) -> Any:
    """The pixels of each window, [1,P,Q,1]; a number where nothing is padded."""
    if not at.padded:
        return dtype.type(prod(ksize))
    return reference.counts(at, sizes, ksize, strides).astype(dtype)


@lowering("blas", AvgPool, AvgPool3D)
def avg_pool(op: Any, x: Array) -> Array:
    """Mean of each window."""
    at, sizes = op.at(x.shape), op.last(x).shape[1:-1]
    y = np.empty((len(x), *at.outs, op.last(x).shape[-1]), x.dtype)
    for part, values in _blocks(op, x, at, 0):
        first, *others = places_of(op.ksize)
        total = np.array(values[reference.taps(at, first, op.strides)])
        for place in others:
            total += values[reference.taps(at, place, op.strides)]
        y[part] = total / _share(sizes, at, op.ksize, op.strides, total.dtype)
    return op.first(y)


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
