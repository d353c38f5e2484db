"""The three passes as matrix products, for the default engine.

With A the matrix of patches ("columns"), a row an output pixel and a column a tap (r, s, c):

    y  = A w                 dA = dy w^T, then taps add up where they came from                 dw = A^T dy
    [NPQ, RSC] [RSC, K]

A is laid out rows first, or, where a patch's runs are short (few channels), taps first, so that what is copied is long
runs along an image row. Images are taken a few at a time, so that A stays in the cache. Backward to the input at stride
1, where dy has fewer channels than x, is the forward pass over dy with the filter turned round: fewer taps to move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from pullback.core.op import lowering
from pullback.ops.nn.conv import (
    Conv2D,
    Conv2DBackpropFilter,
    Conv2DBackpropInput,
    Conv3D,
    Conv3DBackpropFilterV2,
    Conv3DBackpropInputV2,
    grouping,
    reference,
    shapes,
)
from pullback.ops.nn.conv.grouping import bordered, patches
from pullback.ops.nn.conv.reference import Array, precise
from pullback.ops.nn.conv.window import Geometry, Numbers, extent

# Bytes of A at a time.
BLOCK = 4 << 20
# A contiguous run shorter than this many numbers is copied along image rows instead.
SHORT_RUN = 8
# Fewer output pixels than this are not worth a loop over channels.
SMALL = 256


@lowering("blas", Conv2D, Conv3D)
def convolution(op: Any, x: Array, w: Array) -> Array:
    """y of x and w, in data_format's order."""
    at = shapes.settled(op, x.shape, w.shape, None, "forward")
    dtype = x.dtype
    if dtype.itemsize == 2:
        x, w = precise(x, w)
    y = forward(op.last(x), w, at, op.strides, op.dilations)
    return op.first(y if y.dtype == dtype else y.astype(dtype))


@lowering("blas", Conv2DBackpropInput, Conv3DBackpropInputV2)
def backprop_input(op: Any, sizes: Array, w: Array, dy: Array) -> Array:
    """dx of w and dy, in data_format's order."""
    to = tuple(sizes.tolist())
    at = shapes.settled(op, to, w.shape, dy.shape, "to_input")
    dtype = dy.dtype
    if dtype.itemsize == 2:
        w, dy = precise(w, dy)
    dx = to_input(shapes.channels_last(to, op.data_format), w, op.last(dy), at, op.strides, op.dilations)
    return op.first(dx if dx.dtype == dtype else dx.astype(dtype))


@lowering("blas", Conv2DBackpropFilter, Conv3DBackpropFilterV2)
def backprop_filter(op: Any, x: Array, sizes: Array, dy: Array) -> Array:
    """dw of x and dy."""
    to = tuple(sizes.tolist())
    at = shapes.settled(op, x.shape, to, dy.shape, "to_filter")
    dtype = x.dtype
    if dtype.itemsize == 2:
        x, dy = precise(x, dy)
    dw = to_filter(op.last(x), to, op.last(dy), at, op.strides, op.dilations)
    return dw if dw.dtype == dtype else dw.astype(dtype)


# --- patches --------------------------------------------------------------------------------------


def taps_first(kernel: Sequence[int], C: int, dilations: Numbers) -> bool:
    """Whether A is better made a tap at a time."""
    return (kernel[-1] * C if dilations[-1] == 1 else C) < SHORT_RUN


def blocks(view: Array) -> Iterator[tuple[int, int]]:
    """Ranges of images whose A fits in BLOCK."""
    N = view.shape[0]
    step = max(1, BLOCK * N // (view.size * view.itemsize))
    for start in range(0, N, step):
        yield start, min(start + step, N)


def columns(view: Array, by_tap: bool) -> Array:
    """A [NPQ, RSC] of patches [N,P,Q,R,S,C]; by_tap: as the transpose of a contiguous matrix."""
    half = view.ndim // 2
    pixels, taps = prod(view.shape[:half]), prod(view.shape[half:])
    if by_tap:
        return view.transpose(*range(half, view.ndim), *range(half)).reshape(taps, pixels).T
    return view.reshape(pixels, taps)


# --- the passes -----------------------------------------------------------------------------------


def pointwise(kernel: Sequence[int], at: Geometry, strides: Numbers) -> bool:
    """Whether each output pixel sees its own input pixel only, so that A is the image."""
    return max(kernel) == max(strides) == 1 and not at.padded


def forward(x: Array, w: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """y = A w, channels last."""
    *kernel, c, K = w.shape
    N, C = x.shape[0], x.shape[-1]
    if c != C or not x.size or not w.size or not prod(at.outs):
        return grouping.forward(x, w, at, strides, dilations)
    if pointwise(kernel, at, strides):
        return np.dot(x.reshape(-1, C), w.reshape(C, K)).reshape(N, *at.outs, K)
    view = patches(bordered(x, at), at, kernel, strides, dilations)
    matrix, by_tap = w.reshape(-1, K), taps_first(kernel, C, dilations)
    if view.size * view.itemsize <= BLOCK:
        return np.dot(columns(view, by_tap), matrix).reshape(N, *at.outs, K)
    y = np.empty((N, *at.outs, K), x.dtype)
    for start, stop in blocks(view):
        np.dot(columns(view[start:stop], by_tap), matrix, out=y[start:stop].reshape(-1, K))
    return y


def to_input(sizes: Any, w: Array, dy: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """dx, channels last: dA = dy w^T, each tap added where it came from."""
    N, *inner, C = sizes
    *kernel, c, K = w.shape
    if c != C or not dy.size or not w.size:
        return grouping.to_input(sizes, w, dy, at, strides, dilations)
    if pointwise(kernel, at, strides):
        return np.dot(dy.reshape(-1, K), w.reshape(C, K).T).reshape(sizes)
    turned = _turned(inner, kernel, at, dilations) if max(strides) == 1 and K <= C else None
    if turned is not None:
        back = np.ascontiguousarray(np.flip(w, tuple(range(len(kernel)))).swapaxes(-1, -2))
        return forward(dy, back, turned, strides, dilations)
    dy = np.ascontiguousarray(dy)
    if taps_first(kernel, C, dilations) and N * prod(at.outs) > SMALL:
        return _scattered_by_tap(sizes, w, dy, at, strides, dilations)
    dx = np.zeros((N, *at.bordered(inner), C), dy.dtype)
    matrix = w.reshape(-1, K).T
    step = max(1, BLOCK // (prod(at.outs) * prod(kernel) * C * dy.itemsize))
    for start in range(0, N, step):
        part = dy[start : start + step]
        taps = np.dot(part.reshape(-1, K), matrix).reshape(*part.shape[:-1], *kernel, C)
        into = dx[start : start + step]
        for place in reference.places(kernel):
            into[reference.taps(at, place, strides, dilations)] += taps[(..., *place, slice(None))]
    return dx[at.inner] if at.padded else dx


def _turned(inner: Any, kernel: Sequence[int], at: Geometry, dilations: Numbers) -> Geometry | None:
    """The window by which dx is a stride-1 convolution of dy; None where it would have a negative border."""
    before = tuple([extent(k, d) - 1 - b for k, d, b in zip(kernel, dilations, at.before, strict=True)])
    after = tuple([n + b - p for n, b, p in zip(inner, at.before, at.outs, strict=True)])
    return Geometry(tuple(inner), before, after) if min(before) >= 0 and min(after) >= 0 else None


def _scattered_by_tap(sizes: Any, w: Array, dy: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """dx for few channels: dA a tap at a time, so that what is added is long runs along image rows."""
    N, *inner, C = sizes
    *kernel, _, K = w.shape
    dx = np.zeros((C, N, *at.bordered(inner)), dy.dtype)
    taps = np.dot(w.reshape(-1, K), dy.reshape(-1, K).T).reshape(*kernel, C, N, *at.outs)
    for place in reference.places(kernel):
        index = reference.taps(at, place, strides, dilations)
        for c in range(C):
            dx[c][index] += taps[(*place, c)]
    return np.ascontiguousarray(np.moveaxis(dx[(slice(None), *at.inner)], 0, -1))


def to_filter(x: Array, sizes: Any, dy: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """dw = A^T dy."""
    *kernel, c, K = sizes
    C = x.shape[-1]
    if c != C or not x.size or not dy.size:
        return grouping.to_filter(x, sizes, dy, at, strides, dilations)
    if pointwise(kernel, at, strides):
        return np.dot(x.reshape(-1, C).T, dy.reshape(-1, K)).reshape(sizes)
    view = patches(bordered(x, at), at, kernel, strides, dilations)
    by_tap = taps_first(kernel, C, dilations)
    dy = np.ascontiguousarray(dy)
    total = None
    for start, stop in blocks(view) if view.size else ():
        part = np.dot(columns(view[start:stop], by_tap).T, dy[start:stop].reshape(-1, K))
        total = part if total is None else np.add(total, part, out=total)
    return np.zeros(sizes, x.dtype) if total is None else total.reshape(sizes)
