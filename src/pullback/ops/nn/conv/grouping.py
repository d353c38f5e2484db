"""Grouped and empty convolutions for the default engine, and the patches that all of them read.

One product a group; where a group has one channel, a product would be all overhead, and sums over the kernel's places,
entry by entry, are the faster: each place adds an image times a row of weights.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from pullback.ops.nn.conv import reference
from pullback.ops.nn.conv.reference import Array
from pullback.ops.nn.conv.window import Geometry, Numbers


def bordered(x: Array, at: Geometry) -> Array:
    """x with its border of zeros, contiguous."""
    if not at.padded:
        return np.ascontiguousarray(x)
    out = np.zeros((x.shape[0], *at.bordered(x.shape[1:-1]), x.shape[-1]), x.dtype)
    out[at.inner] = x
    return out


def patches(x: Array, at: Geometry, kernel: Any, strides: Numbers, dilations: Numbers) -> Array:
    """View [N,P,Q,R,S,C] of a bordered, contiguous image: no copy."""
    n, *inner, c = x.strides
    moves = [step * s for step, s in zip(inner, strides, strict=True)]
    within = [step * d for step, d in zip(inner, dilations, strict=True)]
    shape = (x.shape[0], *at.outs, *kernel, x.shape[-1])
    return np.ndarray(shape, x.dtype, x, 0, (n, *moves, *within, c))


def _by_group(x: Array, groups: int) -> Array:
    """[N,P,Q,G c] -> [G, NPQ, c]"""
    return x.reshape(-1, groups, x.shape[-1] // groups).transpose(1, 0, 2)


def _filter_by_group(w: Array, groups: int) -> Array:
    """[R,S,c,G k] -> [G, RSc, k]"""
    return w.reshape(-1, groups, w.shape[-1] // groups).transpose(1, 0, 2)


def _columns_by_group(x: Array, groups: int, kernel: Any, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """[G, NPQ, RSc]"""
    view = patches(bordered(x, at), at, kernel, strides, dilations)
    c, step = view.shape[-1] // groups, view.strides[-1]
    apart = np.lib.stride_tricks.as_strided(view, (*view.shape[:-1], groups, c), (*view.strides[:-1], c * step, step))
    return np.moveaxis(apart, -2, 0).reshape(groups, x.shape[0] * prod(at.outs), prod(kernel) * c)


def forward(x: Array, w: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """y of a grouped or an empty convolution."""
    *kernel, c, K = w.shape
    groups = x.shape[-1] // c if c else 1
    if not x.size or not w.size or not prod(at.outs):
        return reference.forward(x, w, at, strides, dilations)
    if c == 1:
        return _each_forward(x, w, at, strides, dilations)
    y = np.matmul(_columns_by_group(x, groups, kernel, at, strides, dilations), _filter_by_group(w, groups))
    return y.transpose(1, 0, 2).reshape(x.shape[0], *at.outs, K)


def _each_forward(x: Array, w: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """y where every channel has filters of its own."""
    *kernel, _, K = w.shape
    x = bordered(x, at)
    C = x.shape[-1]
    shape = (C,) if K == C else (C, K // C)
    y = np.zeros((x.shape[0], *at.outs, *shape), x.dtype)
    for place in reference.places(kernel):
        patch = x[reference.taps(at, place, strides, dilations)]
        y += (patch if K == C else patch[..., None]) * w[place].reshape(shape)
    return y if K == C else reference.joined(y)


def to_input(sizes: Any, w: Array, dy: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """dx of a grouped or an empty convolution."""
    N, *inner, C = sizes
    *kernel, c, K = w.shape
    groups = C // c if c else 1
    if not dy.size or not w.size:
        return reference.to_input(sizes, w, dy, at, strides, dilations)
    dx = np.zeros((N, *at.bordered(inner), C), dy.dtype)
    if c == 1:
        apart = reference.split(dy, groups)
        for place in reference.places(kernel):
            row = w[place]
            part = dy * row[0] if K == C else np.einsum("...gk,gk->...g", apart, row.reshape(groups, -1))
            dx[reference.taps(at, place, strides, dilations)] += part
        return dx[at.inner]
    taps = np.matmul(_by_group(dy, groups), _filter_by_group(w, groups).transpose(0, 2, 1))
    taps = np.moveaxis(taps.reshape(groups, N, *at.outs, *kernel, c), 0, -2)
    for place in reference.places(kernel):
        part = taps[(..., *place, slice(None), slice(None))]
        dx[reference.taps(at, place, strides, dilations)] += reference.joined(part)
    return dx[at.inner]


def to_filter(x: Array, sizes: Any, dy: Array, at: Geometry, strides: Numbers, dilations: Numbers) -> Array:
    """dw of a grouped or an empty convolution."""
    *kernel, c, _ = sizes
    groups = x.shape[-1] // c if c else 1
    if c == 1 or not x.size or not dy.size:
        return reference.to_filter(x, sizes, dy, at, strides, dilations)
    A = _columns_by_group(x, groups, kernel, at, strides, dilations)
    dw = np.matmul(A.transpose(0, 2, 1), _by_group(dy, groups))
    return dw.transpose(1, 0, 2).reshape(sizes)
