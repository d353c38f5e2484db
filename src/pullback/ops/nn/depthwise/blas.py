"""Depthwise convolution for the default engine: a pass over the image for each place of the kernel, on views.

With one channel in each group there is no matrix product to speak of: each place adds the image, shifted, times a row
of weights. Gradients to the filter are sums of products, a row of them a place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.op import lowering
from pullback.ops.nn.conv import grouping, reference, shapes
from pullback.ops.nn.conv.reference import Array, precise
from pullback.ops.nn.depthwise import (
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)


@lowering("blas", DepthwiseConv2dNative)
def depthwise(op: Any, x: Array, w: Array) -> Array:
    """y of x and w, in data_format's order."""
    at, dtype = shapes.settled(op, x.shape, w.shape, None, "forward"), x.dtype
    x, w = precise(x, w)
    y = grouping.forward(op.last(x), w.reshape(op.grouped(w.shape)), at, op.strides, op.dilations)
    return op.first(y.astype(dtype, copy=False))


@lowering("blas", DepthwiseConv2dNativeBackpropInput)
def backprop_input(op: Any, sizes: Array, w: Array, dy: Array) -> Array:
    """dx of w and dy, in data_format's order."""
    to = tuple(sizes.tolist())
    at, dtype = shapes.settled(op, to, w.shape, dy.shape, "to_input"), dy.dtype
    w, dy = precise(w, dy)
    to, w = shapes.channels_last(to, op.data_format), w.reshape(op.grouped(w.shape))
    dx = grouping.to_input(to, w, op.last(dy), at, op.strides, op.dilations)
    return op.first(dx.astype(dtype, copy=False))


@lowering("blas", DepthwiseConv2dNativeBackpropFilter)
def backprop_filter(op: Any, x: Array, sizes: Array, dy: Array) -> Array:
    """dw of x and dy: for each place, sum over n,p,q of x[n,p',q',c] dy[n,p,q,c,m]."""
    to = tuple(sizes.tolist())
    at, dtype = shapes.settled(op, x.shape, to, dy.shape, "to_filter"), x.dtype
    x, dy = precise(op.last(x), op.last(dy))
    x = grouping.bordered(x, at)
    *kernel, C, M = to
    dw = np.zeros(to, x.dtype)
    if x.size and dy.size:
        dy = np.ascontiguousarray(dy).reshape(*dy.shape[:-1], C, M)
        for place in reference.places(kernel):
            patch = x[reference.taps(at, place, op.strides, op.dilations)]
            if M == 1:
                dw[place] = np.einsum("npqc,npqc->c", patch, dy[..., 0])[:, None]
            else:
                dw[place] = np.einsum("npqc,npqcm->cm", patch, dy)
    return dw.astype(dtype, copy=False)
