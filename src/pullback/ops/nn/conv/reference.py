"""The three passes of convolution by their formulas, a loop over the kernel's places only.

Arrays are NHWC and RSCK here. With G groups, C = G c and K = G k': output channels of group g see input channels of g.
16-bit types are computed in float32, as TensorFlow does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.ops.nn.conv.window import Geometry, Pair

Array = np.ndarray[Any, Any]


def precise(*arrays: Array) -> tuple[Array, ...]:
    """The arrays in the type that sums are made in."""
    return tuple(a.astype(np.float32) if a.dtype.itemsize == 2 else a for a in arrays)


def padded(x: Array, at: Geometry) -> Array:
    """x [N,H,W,C] with its border of zeros."""
    return np.pad(x, ((0, 0), (at.top, at.bottom), (at.left, at.right), (0, 0))) if at.padded else x


def taps(at: Geometry, r: int, s: int, strides: Pair, dilations: Pair) -> Any:
    """Index of what the kernel's place (r, s) meets in the padded image: [N,P,Q,C] of [N,H',W',C]."""
    y, x = r * dilations[0], s * dilations[1]
    return np.s_[:, y : y + at.P * strides[0] : strides[0], x : x + at.Q * strides[1] : strides[1]]


def split(x: Array, groups: int) -> Array:
    """[..., C] -> [..., G, c]"""
    return x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)


def conv2d(x: Array, w: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """y[n,p,q,k] = sum_{r,s,c} x[n, p a + r d - top, q b + s e - left, c] w[r,s,c,k]"""
    dtype, (x, w) = x.dtype, precise(x, w)
    R, S, c, K = w.shape
    groups = x.shape[3] // c if c else 1
    x = padded(x, at)
    y = np.zeros((x.shape[0], at.P, at.Q, groups, K // groups), x.dtype)
    for r in range(R):
        for s in range(S):
            patch = split(x[taps(at, r, s, strides, dilations)], groups)
            y += np.einsum("npqgc,cgk->npqgk", patch, split(w[r, s], groups))
    return y.reshape(*y.shape[:3], K).astype(dtype)


def conv2d_backprop_input(sizes: Any, w: Array, dy: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """dx[n, p a + r d - top, q b + s e - left, c] += w[r,s,c,k] dy[n,p,q,k]"""
    dtype, (w, dy) = dy.dtype, precise(w, dy)
    N, H, W, C = sizes
    R, S, c, _ = w.shape
    groups = C // c if c else 1
    dx = np.zeros((N, at.top + H + at.bottom, at.left + W + at.right, C), dy.dtype)
    for r in range(R):
        for s in range(S):
            part = np.einsum("npqgk,cgk->npqgc", split(dy, groups), split(w[r, s], groups))
            dx[taps(at, r, s, strides, dilations)] += part.reshape(*part.shape[:3], C)
    return dx[:, at.top : at.top + H, at.left : at.left + W].astype(dtype)


def conv2d_backprop_filter(x: Array, sizes: Any, dy: Array, at: Geometry, strides: Pair, dilations: Pair) -> Array:
    """dw[r,s,c,k] = sum_{n,p,q} x[n, p a + r d - top, q b + s e - left, c] dy[n,p,q,k]"""
    dtype, (x, dy) = x.dtype, precise(x, dy)
    R, S, c, K = sizes
    groups = x.shape[3] // c if c else 1
    x = padded(x, at)
    dw = np.zeros((R, S, c, K), x.dtype)
    for r in range(R):
        for s in range(S):
            patch = split(x[taps(at, r, s, strides, dilations)], groups)
            dw[r, s] = np.einsum("npqgc,npqgk->cgk", patch, split(dy, groups)).reshape(c, K)
    return dw.astype(dtype)
