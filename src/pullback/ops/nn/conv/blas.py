"""The three passes as matrix products, for the default engine.

With A the matrix of patches ("columns"), a row an output pixel and a column a tap (r, s, c):

    y  = A w                 dA = dy w^T, then taps add up where they came from                 dw = A^T dy
    [NPQ, RSC] [RSC, K]

A is laid out rows first, or, where a patch's runs are short (few channels), taps first, so that what is copied is long
runs along an image row. Images are taken a few at a time, so that A stays in the cache. Backward to the input at stride
1, where dy has fewer channels than x, is the forward pass over dy with the filter turned round: fewer taps to move.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.op import lowering
from pullback.ops.nn.conv import Conv2D, Conv2DBackpropFilter, Conv2DBackpropInput, reference, shapes
from pullback.ops.nn.conv.reference import Array, precise
from pullback.ops.nn.conv.window import Geometry, Pair, extent

# Bytes of A at a time.
BLOCK = 4 << 20
# A contiguous run shorter than this many numbers is copied along image rows instead.
SHORT_RUN = 8
# Fewer output pixels than this are not worth a loop over channels.
SMALL = 256


@lowering("blas", Conv2D)
def conv2d(op: Any, x: Array, w: Array) -> Array:
    """y of x and w, in data_format's order."""
    at = shapes.settled(op, x.shape, w.shape, None, "forward")
    dtype = x.dtype
    if dtype.itemsize == 2:
        x, w = precise(x, w)
    y = forward(op.last(x), w, at, op.strides, op.dilations)
    return op.first(y if y.dtype == dtype else y.astype(dtype))


@lowering("blas", Conv2DBackpropInput)
def conv2d_backprop_input(op: Any, sizes: Array, w: Array, dy: Array) -> Array:
    """dx of w and dy, in data_format's order."""
    to = tuple(sizes.tolist())
    at = shapes.settled(op, to, w.shape, dy.shape, "to_input")
    dtype = dy.dtype
    if dtype.itemsize == 2:
        w, dy = precise(w, dy)
    dx = to_input(shapes.channels_last(to, op.data_format), w, op.last(dy), at, op.strides, op.dilations)
    return op.first(dx if dx.dtype == dtype else dx.astype(dtype))


@lowering("blas", Conv2DBackpropFilter)
def conv2d_backprop_filter(op: Any, x: Array, sizes: Array, dy: Array) -> Array:
    """dw of x and dy."""
    to = tuple(sizes.tolist())
    at = shapes.settled(op, x.shape, to, dy.shape, "to_filter")
    dtype = x.dtype
    if dtype.itemsize == 2:
        x, dy = precise(x, dy)
    dw = to_filter(op.last(x), to, op.last(dy), at, op.strides, op.dilations)
    return dw if dw.dtype == dtype else dw.astype(dtype)


# --- patches --------------------------------------------------------------------------------------


def bordered(x: Array, at: Geometry) -> Array:
    """x with its border of zeros, contiguous."""
    if not at.padded:
        return np.ascontiguousarray(x)
    N, H, W, C = x.shape
    out = np.zeros((N, at.top + H + at.bottom, at.left + W + at.right, C), x.dtype)
    out[:, at.top : at.top + H, at.left : at.left + W] = x
    return out


def patches(x: Array, at: Geometry, R: int, S: int, strides: Pair, dilations: Pair) -> Array:
    """View [N,P,Q,R,S,C] of a bordered, contiguous image: no copy."""
    n, h, w, c = x.strides
    steps = (n, h * strides[0], w * strides[1], h * dilations[0], w * dilations[1], c)
    return np.ndarray((x.shape[0], at.P, at.Q, R, S, x.shape[3]), x.dtype, x, 0, steps)


def taps_first(S: int, C: int, dilations: Pair) -> bool:
    """Whether A is better made a tap at a time."""
    return (S * C if dilations[1] == 1 else C) < SHORT_RUN


def blocks(view: Array) -> Iterator[tuple[int, int]]:
    """Ranges of images whose A fits in BLOCK."""
    N = view.shape[0]
    step = max(1, BLOCK * N // (view.size * view.itemsize))
    for start in range(0, N, step):
        yield start, min(start + step, N)


def columns(view: Array, by_tap: bool) -> Array:
    """A [NPQ, RSC] of patches; by_tap: as the transpose of a contiguous matrix."""
    N, P, Q, R, S, C = view.shape
    if by_tap:
        return view.transpose(3, 4, 5, 0, 1, 2).reshape(R * S * C, N * P * Q).T
    return view.reshape(N * P * Q, R * S * C)


# --- the passes -----------------------------------------------------------------------------------


def forward(x: Array, w: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """y = A w, NHWC."""
    R, S, c, K = w.shape
    N, _, _, C = x.shape
    if c != C or not x.size or not w.size or not at.P * at.Q:
        return grouped_forward(x, w, at, strides, dilations)
    if R == S == 1 and strides == (1, 1) and not at.padded:
        return np.dot(x.reshape(-1, C), w.reshape(C, K)).reshape(N, at.P, at.Q, K)
    view = patches(bordered(x, at), at, R, S, strides, dilations)
    matrix, by_tap = w.reshape(R * S * C, K), taps_first(S, C, dilations)
    if view.size * view.itemsize <= BLOCK:
        return np.dot(columns(view, by_tap), matrix).reshape(N, at.P, at.Q, K)
    y = np.empty((N, at.P, at.Q, K), x.dtype)
    for start, stop in blocks(view):
        np.dot(columns(view[start:stop], by_tap), matrix, out=y[start:stop].reshape(-1, K))
    return y


def to_input(sizes: Any, w: Array, dy: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """dx, NHWC: dA = dy w^T, each tap added where it came from."""
    N, H, W, C = sizes
    R, S, c, K = w.shape
    if c != C or not dy.size or not w.size:
        return grouped_to_input(sizes, w, dy, at, strides, dilations)
    if R == S == 1 and strides == (1, 1) and not at.padded:
        return np.dot(dy.reshape(-1, K), w.reshape(C, K).T).reshape(N, H, W, C)
    turned = _turned(sizes, R, S, at, dilations) if strides == (1, 1) and K <= C else None
    if turned is not None:
        back = np.ascontiguousarray(w[::-1, ::-1].transpose(0, 1, 3, 2))
        return forward(dy, back, turned, (1, 1), dilations)
    dy = np.ascontiguousarray(dy)
    if taps_first(S, C, dilations) and dy.shape[0] * at.P * at.Q > SMALL:
        return _scattered_by_tap(sizes, w, dy, at, strides, dilations)
    dx = np.zeros((N, at.top + H + at.bottom, at.left + W + at.right, C), dy.dtype)
    matrix = w.reshape(R * S * C, K).T
    step = max(1, BLOCK // (at.P * at.Q * R * S * C * dy.itemsize))
    for start in range(0, N, step):
        part = dy[start : start + step]
        taps = np.dot(part.reshape(-1, K), matrix).reshape(*part.shape[:3], R, S, C)
        into = dx[start : start + step]
        for r in range(R):
            for s in range(S):
                into[reference.taps(at, r, s, strides, dilations)] += taps[:, :, :, r, s]
    return dx[:, at.top : at.top + H, at.left : at.left + W] if at.padded else dx


def _turned(sizes: Any, R: int, S: int, at: Geometry, dilations: Pair) -> Geometry | None:
    """The window by which dx is a stride-1 convolution of dy; None where it would have a negative border."""
    _, H, W, _ = sizes
    top, left = extent(R, dilations[0]) - 1 - at.top, extent(S, dilations[1]) - 1 - at.left
    bottom, right = H + at.top - at.P, W + at.left - at.Q
    return Geometry(H, W, top, bottom, left, right) if min(top, bottom, left, right) >= 0 else None


def _scattered_by_tap(sizes: Any, w: Array, dy: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """dx for few channels: dA a tap at a time, so that what is added is long runs along image rows."""
    N, H, W, C = sizes
    R, S, _, K = w.shape
    dx = np.zeros((C, N, at.top + H + at.bottom, at.left + W + at.right), dy.dtype)
    taps = np.dot(w.reshape(R * S * C, K), dy.reshape(-1, K).T).reshape(R, S, C, N, at.P, at.Q)
    for r in range(R):
        for s in range(S):
            for c in range(C):
                dx[c][reference.taps(at, r, s, strides, dilations)] += taps[r, s, c]
    return np.ascontiguousarray(dx[:, :, at.top : at.top + H, at.left : at.left + W].transpose(1, 2, 3, 0))


def to_filter(x: Array, sizes: Any, dy: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """dw = A^T dy."""
    R, S, c, K = sizes
    C = x.shape[3]
    if c != C or not x.size or not dy.size:
        return grouped_to_filter(x, sizes, dy, at, strides, dilations)
    if R == S == 1 and strides == (1, 1) and not at.padded:
        return np.dot(x.reshape(-1, C).T, dy.reshape(-1, K)).reshape(1, 1, C, K)
    view = patches(bordered(x, at), at, R, S, strides, dilations)
    by_tap = taps_first(S, C, dilations)
    dy = np.ascontiguousarray(dy)
    total = None
    for start, stop in blocks(view) if view.size else ():
        part = np.dot(columns(view[start:stop], by_tap).T, dy[start:stop].reshape(-1, K))
        total = part if total is None else np.add(total, part, out=total)
    return np.zeros((R, S, c, K), x.dtype) if total is None else total.reshape(R, S, c, K)


# --- groups ---------------------------------------------------------------------------------------
# One product a group; where a group has one channel, a product would be all overhead, and the reference's sums over
# the kernel's places, entry by entry, are the faster.


def _by_group(x: Array, groups: int) -> Array:
    """[N,P,Q,G c] -> [G, NPQ, c]"""
    return x.reshape(-1, groups, x.shape[-1] // groups).transpose(1, 0, 2)


def _filter_by_group(w: Array, groups: int) -> Array:
    """[R,S,c,G k] -> [G, RSc, k]"""
    R, S, c, K = w.shape
    return w.reshape(R * S * c, groups, K // groups).transpose(1, 0, 2)


def _columns_by_group(x: Array, groups: int, R: int, S: int, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """[G, NPQ, RSc]"""
    view = patches(bordered(x, at), at, R, S, strides, dilations)
    N, P, Q, _, _, C = view.shape
    apart = view.reshape(N, P, Q, R, S, groups, C // groups) if view.flags.c_contiguous else _apart(view, groups)
    return apart.transpose(5, 0, 1, 2, 3, 4, 6).reshape(groups, N * P * Q, R * S * (C // groups))


def _apart(view: Array, groups: int) -> Array:
    """[..., G c] -> [..., G, c] of a strided view, without a copy."""
    c = view.shape[-1] // groups
    step = view.strides[-1]
    return np.lib.stride_tricks.as_strided(view, (*view.shape[:-1], groups, c), (*view.strides[:-1], c * step, step))


def grouped_forward(x: Array, w: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """y of a grouped or an empty convolution."""
    R, S, c, K = w.shape
    groups = x.shape[3] // c if c else 1
    if groups == 1 or not x.size or not w.size or not at.P * at.Q:
        return reference.conv2d(x, w, at, strides, dilations)
    if c == 1:
        return _each_forward(x, w, at, strides, dilations)
    y = np.matmul(_columns_by_group(x, groups, R, S, at, strides, dilations), _filter_by_group(w, groups))
    return y.transpose(1, 0, 2).reshape(x.shape[0], at.P, at.Q, K)


def _each_forward(x: Array, w: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """y where every channel has filters of its own."""
    R, S, _, K = w.shape
    x = bordered(x, at)
    C = x.shape[3]
    shape = (C,) if K == C else (C, K // C)
    y = np.zeros((x.shape[0], at.P, at.Q, *shape), x.dtype)
    for r in range(R):
        for s in range(S):
            patch = x[reference.taps(at, r, s, strides, dilations)]
            y += (patch if K == C else patch[..., None]) * w[r, s, 0].reshape(shape)
    return y.reshape(*y.shape[:3], K)


def grouped_to_input(sizes: Any, w: Array, dy: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """dx of a grouped or an empty convolution."""
    N, H, W, C = sizes
    R, S, c, _ = w.shape
    groups = C // c if c else 1
    if groups == 1 or not dy.size or not w.size:
        return reference.conv2d_backprop_input(sizes, w, dy, at, strides, dilations)
    dx = np.zeros((N, at.top + H + at.bottom, at.left + W + at.right, groups, c), dy.dtype)
    if c == 1:
        apart = reference.split(dy, groups)
        for r in range(R):
            for s in range(S):
                part = np.einsum("npqgk,gk->npqg", apart, w[r, s, 0].reshape(groups, -1))
                dx[reference.taps(at, r, s, strides, dilations)] += part[..., None]
    else:
        taps = np.matmul(_by_group(dy, groups), _filter_by_group(w, groups).transpose(0, 2, 1))
        taps = taps.reshape(groups, N, at.P, at.Q, R, S, c).transpose(1, 2, 3, 4, 5, 0, 6)
        for r in range(R):
            for s in range(S):
                dx[reference.taps(at, r, s, strides, dilations)] += taps[:, :, :, r, s]
    return dx.reshape(*dx.shape[:3], C)[:, at.top : at.top + H, at.left : at.left + W]


def grouped_to_filter(x: Array, sizes: Any, dy: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """dw of a grouped or an empty convolution."""
    R, S, c, K = sizes
    groups = x.shape[3] // c if c else 1
    if groups == 1 or c == 1 or not x.size or not dy.size:
        return reference.conv2d_backprop_filter(x, sizes, dy, at, strides, dilations)
    A = _columns_by_group(x, groups, R, S, at, strides, dilations)
    dw = np.matmul(A.transpose(0, 2, 1), _by_group(dy, groups))
    return dw.transpose(1, 0, 2).reshape(R, S, c, K)
