"""The three passes of convolution by their formulas, a loop over the kernel's places only.

Arrays are NHWC and RSCK here, or the like with any number of spatial axes. With G groups, C = G c and K = G k': output
channels of group g see input channels of g. 16-bit types are computed in float32, as TensorFlow does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from pullback.ops.nn.conv.window import Geometry, Numbers

Array = np.ndarray[Any, Any]


def precise(*arrays: Array) -> tuple[Array, ...]:
    """The arrays in the type that sums are made in."""
    return tuple(a.astype(np.float32) if a.dtype.itemsize == 2 else a for a in arrays)


def padded(x: Array, at: Geometry, value: Any = 0) -> Array:
    """x [N,H,W,C] with its border."""
    if not at.padded:
        return x
    return np.pad(x, ((0, 0), *zip(at.before, at.after, strict=True), (0, 0)), constant_values=value)


def places(kernel: Sequence[int]) -> Iterator[Numbers]:
    """The places of a kernel in row order: (0, 0), (0, 1), ..."""
    return product(*map(range, kernel))


def taps(at: Geometry, place: Numbers, strides: Numbers, dilations: Numbers) -> Any:
    """Index of what a place of the kernel meets in the padded image: [N,P,Q,C] of [N,H',W',C]."""
    axes = zip(place, at.outs, strides, dilations, strict=True)
    return (slice(None), *[slice(r * d, r * d + p * s, s) for r, p, s, d in axes])


def split(x: Array, groups: int) -> Array:
    """[..., C] -> [..., G, c]"""
    return x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)


def joined(x: Array) -> Array:
    """[..., G, c] -> [..., C]"""
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def forward(x: Array, w: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """y[n,p,q,k] = sum_{r,s,c} x[n, p a + r d - top, q b + s e - left, c] w[r,s,c,k]"""
    dtype, (x, w) = x.dtype, precise(x, w)
    *kernel, c, K = w.shape
    groups = x.shape[-1] // c if c else 1
    x = padded(x, at)
    y = np.zeros((x.shape[0], *at.outs, groups, K // groups), x.dtype)
    for place in places(kernel):
        patch = split(x[taps(at, place, strides, dilations)], groups)
        y += np.einsum("...gc,cgk->...gk", patch, split(w[place], groups))
    return joined(y).astype(dtype)


def to_input(sizes: Any, w: Array, dy: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """dx[n, p a + r d - top, q b + s e - left, c] += w[r,s,c,k] dy[n,p,q,k]"""
    dtype, (w, dy) = dy.dtype, precise(w, dy)
    N, *inner, C = sizes
    *kernel, c, _ = w.shape
    groups = C // c if c else 1
    dx = np.zeros((N, *at.bordered(inner), C), dy.dtype)
    for place in places(kernel):
        part = np.einsum("...gk,cgk->...gc", split(dy, groups), split(w[place], groups))
        dx[taps(at, place, strides, dilations)] += joined(part)
    return dx[at.inner].astype(dtype)


def to_filter(x: Array, sizes: Any, dy: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """dw[r,s,c,k] = sum_{n,p,q} x[n, p a + r d - top, q b + s e - left, c] dy[n,p,q,k]"""
    dtype, (x, dy) = x.dtype, precise(x, dy)
    *kernel, c, K = sizes
    groups = x.shape[-1] // c if c else 1
    x = padded(x, at)
    pixels = prod(dy.shape[:-1])
    dy = dy.reshape(pixels, groups, K // groups)
    dw = np.zeros((*kernel, c, K), x.dtype)
    for place in places(kernel):
        patch = x[taps(at, place, strides, dilations)].reshape(pixels, groups, c)
        dw[place] = np.einsum("ngc,ngk->cgk", patch, dy).reshape(c, K)
    return dw.astype(dtype)
