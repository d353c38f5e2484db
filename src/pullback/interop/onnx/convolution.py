"""Conv, ConvTranspose, Col2Im. Images are [N,C,*spatial], filters [K,c,*window]; of one to three spatial axes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

import pullback as tf
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import operator
from pullback.interop.onnx.windows import Numbers, Pairs, explicit, extents, halves, layout, padding, pairs, per_axis


def window_of(w: Tensor, kernel_shape: Any, what: str) -> Numbers:
    """The window of a filter [K,c,*window].

    Raises:
      ArgumentError: the filter's shape is not known, or kernel_shape says another.
    """
    kernel = values.spatial(w, what)
    if kernel_shape is not None and tuple(kernel_shape) != kernel:
        raise ArgumentError(
            f"{what}: kernel_shape is {list(kernel_shape)}, but the filter's window is {kernel}"
        ).locate()
    return kernel


def check_groups(x: Tensor, per_group: int, group: int, what: str) -> None:
    """Raises ShapeError where the channels of x [N,C,*spatial] are known, and are not so many groups."""
    channels = None if x.spec.shape is None else x.spec.shape[1]
    if channels not in (None, per_group * group):
        raise ShapeError(
            f"{what}: {group} groups of {per_group} channels each are {per_group * group}, but there are {channels}"
        ).locate()


def biased(y: Tensor, bias: Tensor | None) -> Tensor:
    """y [N,K,*spatial] + bias [K]"""
    return y if bias is None else tf.nn.bias_add(y, bias, "NCHW")


@operator("Conv")
def conv(
    x: Tensor,
    w: Tensor,
    bias: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Any = None,
    group: int = 1,
    kernel_shape: Any = None,
    pads: Any = None,
    strides: Any = None,
) -> Tensor:
    """Cross-correlation. x [N,C,*spatial], w [K,C/group,*window], bias [K] -> [N,K,*positions]"""
    what = "ONNX Conv"
    kernel = window_of(w, kernel_shape, what)
    rank = len(kernel)
    form = layout(rank, what)
    check_groups(x, values.size(w, 1, what), group, what)
    s, d = per_axis(strides, rank, f"{what}: strides"), per_axis(dilations, rank, f"{what}: dilations")
    border: Any = "SAME"  # TensorFlow's, known or not how large the image is
    if auto_pad != "SAME_UPPER":
        sizes = values.spatial(x, what) if auto_pad == "SAME_LOWER" else kernel
        border = explicit(padding(auto_pad, pads, sizes, kernel, s, d, what))
    filters = tf.transpose(w, [*range(2, rank + 2), 1, 0])
    return biased(tf.nn.convolution(x, filters, s, border, form, d), bias)


@operator("ConvTranspose")
def conv_transpose(
    x: Tensor,
    w: Tensor,
    bias: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Any = None,
    group: int = 1,
    kernel_shape: Any = None,
    output_padding: Any = None,
    output_shape: Any = None,
    pads: Any = None,
    strides: Any = None,
) -> Tensor:
    """The transpose of Conv. x [N,C,*spatial], w [C,K/group,*window], bias [K] -> [N,K,*sizes]

    Whole, an axis has s (n - 1) + e cells, e the window's extent. Of these `pads` are taken off, and past the end
    `output_padding` put on again. Where output_shape or SAME says the sizes instead, the pads follow from them.
    """
    what = "ONNX ConvTranspose"
    kernel, sizes = window_of(w, kernel_shape, what), values.spatial(x, what)
    rank = len(kernel)
    check_groups(x, values.size(w, 0, what), 1, what)
    s, d = per_axis(strides, rank, f"{what}: strides"), per_axis(dilations, rank, f"{what}: dilations")
    more = per_axis(output_padding, rank, f"{what}: output_padding", 0)
    whole = tuple([a * (n - 1) + e for a, n, e in zip(s, sizes, extents(kernel, d), strict=True)])
    if output_shape is not None:
        wanted = tuple(output_shape)[-rank:]
    elif auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        wanted = tuple([n * a for n, a in zip(sizes, s, strict=True)])
    else:
        wanted = None
    if wanted is None:
        cut = padding(auto_pad, pads, sizes, kernel, s, d, what)
    else:
        totals = [n + m - out for n, m, out in zip(whole, more, wanted, strict=True)]
        cut = tuple([halves(total, auto_pad == "SAME_UPPER") for total in totals])
    cut = tuple([(before, after - m) for (before, after), m in zip(cut, more, strict=True)])
    filters = tf.transpose(w, [*range(2, rank + 2), 1, 0])
    return biased(spread(x, filters, group * values.size(w, 1, what), whole, s, d, cut), bias)


def spread(
    x: Tensor, filters: Tensor, channels: int, whole: Numbers, strides: Numbers, dilations: Numbers, cut: Pairs
) -> Tensor:
    """A transposed convolution of x [N,C,*spatial] by filters [*window,K/group,C], whose `whole` sizes lose `cut` cells
    at each end; where that is negative, gain zeros."""
    form = layout(len(whole), "ONNX ConvTranspose")
    off = tuple([(max(before, 0), max(after, 0)) for before, after in cut])
    on = tuple([(max(-before, 0), max(-after, 0)) for before, after in cut])
    sizes = [n - before - after for n, (before, after) in zip(whole, off, strict=True)]
    y = tf.nn.conv_transpose(x, filters, [None, channels, *sizes], strides, explicit(off), form, dilations)
    return tf.pad(y, explicit(on)) if any(map(any, on)) else y


@operator("Col2Im", since=18)
def col2im(
    x: Tensor, image_shape: Any, block_shape: Any, *, dilations: Any = None, pads: Any = None, strides: Any = None
) -> Tensor:
    """Columns put back where an image was cut into them; where they overlap, they add.

    x [N, C*prod(block_shape), positions] -> [N,C,*image_shape]

    Each place of a block is a channel that a transposed convolution puts at that place: its filter is the identity.
    """
    what = "ONNX Col2Im"
    image, block = values.ints(image_shape, f"{what}: image_shape"), values.ints(block_shape, f"{what}: block_shape")
    rank, places = len(block), prod(block)
    s, d = per_axis(strides, rank, f"{what}: strides"), per_axis(dilations, rank, f"{what}: dilations")
    cut, reach = pairs(pads, rank, what), extents(block, d)
    outs = [(n + sum(pad) - e) // a + 1 for n, pad, e, a in zip(image, cut, reach, s, strict=True)]
    whole = tuple([a * (p - 1) + e for a, p, e in zip(s, outs, reach, strict=True)])
    # What the last stride does not reach stays zero.
    cut = tuple([(pad[0], w - n - pad[0]) for w, n, pad in zip(whole, image, cut, strict=True)])
    columns = tf.reshape(x, [-1, places, *outs])
    identity = tf.constant(np.eye(places).reshape(*block, 1, places), x.dtype)
    return tf.reshape(spread(columns, identity, 1, whole, s, d, cut), [-1, values.size(x, 1, what) // places, *image])
