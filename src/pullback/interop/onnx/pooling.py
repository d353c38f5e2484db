"""MaxPool and MaxUnpool, AveragePool, LpPool, and their global kin, over [N,C,*spatial] of one to three spatial axes.

Windows with gaps are laid side by side first (`windows.side_by_side`), and are then windows without.
"""

from __future__ import annotations

from math import prod
from typing import Any, Literal

import numpy as np

import pullback as tf
from pullback.core.errors import ArgumentError
from pullback.core.shape import compatible
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import operator
from pullback.interop.onnx.windows import (
    LAYOUTS,
    Windows,
    bordered,
    explicit,
    pairs,
    per_axis,
    side_by_side,
    windows,
)


@operator("MaxPool")
def max_pool(
    x: Tensor,
    *,
    kernel_shape: Any,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Any = None,
    pads: Any = None,
    storage_order: int = 0,
    strides: Any = None,
    outputs: int = 1,
) -> Any:
    """The largest value of each window and, where asked for, its place in x as x lies in memory.

    [N,C,*spatial] -> [N,C,*positions], int64 [N,C,*positions]. With storage_order 1 an image counts by its columns.
    """
    at = windows(x, kernel_shape, strides, dilations, auto_pad, pads, ceil_mode, "ONNX MaxPool")
    form = LAYOUTS[len(at.kernel)]
    if at.gaps or any(max(border) >= k for border, k in zip(at.borders, at.kernel, strict=True)):
        apart = side_by_side(bordered(x, at, lowest(x)), at)
        y = tf.nn.max_pool(apart, at.kernel, at.kernel, "VALID", form)
    else:
        y = tf.nn.max_pool(x, at.kernel, at.strides, explicit(at.borders), form)
    return y if outputs == 1 else (y, places(x, at, "F" if storage_order else "C"))


def lowest(x: Tensor) -> Any:
    """What no number of x's type is below."""
    return -np.inf if x.dtype.is_floating else x.dtype.min


def places(x: Tensor, at: Windows, order: Literal["C", "F"]) -> Tensor:
    """Where the largest value of each window is in x, of equal ones the first: int64 [N,C,*positions].

    Images count one after the other; the cells of one by rows ("C") or columns ("F").
    """
    exact = x if x.dtype.is_floating else tf.cast(x, tf.float32)
    apart = side_by_side(bordered(exact, at, -np.inf), at)  # [N,C,P*k,Q*r]
    rank, lead = len(at.kernel), tf.shape(x, tf.int64)[:2]
    split = [n for pair in zip(at.outs, at.kernel, strict=True) for n in pair]  # P,k,Q,r -> P,Q,k,r
    positions_first = [*range(0, 2 * rank, 2), *range(1, 2 * rank, 2)]
    parts = tf.reshape(apart, [lead[0], lead[1], *split])
    parts = tf.transpose(parts, [0, 1, *[2 + i for i in positions_first]])
    winner = tf.argmax(tf.reshape(parts, [lead[0], lead[1], *at.outs, prod(at.kernel)]), -1)
    # Which cell each place of each window is: of the border any, as no maximum is there.
    indices = [np.clip(cells, 0, n - 1).reshape(-1) for cells, n in zip(at.cells(), at.sizes, strict=True)]
    laid = np.arange(prod(at.sizes)).reshape(at.sizes, order=order)[np.ix_(*indices)]
    cells = tf.constant(laid.reshape(split).transpose(positions_first).reshape(-1), tf.int64)
    first = tf.constant(np.arange(prod(at.outs)).reshape(at.outs) * prod(at.kernel), tf.int64)
    image = tf.reshape(tf.range(lead[0] * lead[1]), [lead[0], lead[1], *[1] * rank])
    return image * prod(at.sizes) + tf.gather(cells, first + winner)


@operator("MaxUnpool")
def max_unpool(
    x: Tensor, places: Tensor, output_shape: Any = None, *, kernel_shape: Any, pads: Any = None, strides: Any = None
) -> Tensor:
    """Values put back at the places that MaxPool found, in zeros.

    Places count in an image of the size that the window's attributes give; output_shape crops it or adds zeros at its
    end. Windows that overlap may say one place twice, with one value: it is put there once.
    """
    what = "ONNX MaxUnpool"
    sizes = values.spatial(x, what)
    rank = len(sizes)
    k, s = per_axis(kernel_shape, rank, f"{what}: kernel_shape"), per_axis(strides, rank, f"{what}: strides")
    axes = zip(sizes, k, s, pairs(pads, rank, what), strict=True)
    whole = [(n - 1) * step + size - sum(pad) for n, size, step, pad in axes]
    lead = values.dims(x, what)[:2]
    y = tf.nn.max_unpool(x, places, [*lead, *whole], include_batch_in_index=True)
    if any(step < size for step, size in zip(s, k, strict=True)):
        times = tf.nn.max_unpool(tf.ones_like(x), places, [*lead, *whole], include_batch_in_index=True)
        y = y / tf.maximum(times, tf.ones_like(times))
    if output_shape is None:
        return y
    wanted = values.ints(output_shape, f"{what}: output_shape")
    if not compatible(wanted[:2], tuple(x.shape.as_list()[:2])):
        raise ArgumentError(f"{what}: output_shape {wanted} has another batch or channels than {x.shape}").locate()
    y = tf.pad(y, explicit(tuple([(0, max(m - n, 0)) for m, n in zip(wanted[2:], whole, strict=True)])))
    return tf.slice(y, [0] * (rank + 2), list(wanted))


def sums(x: Tensor, at: Windows) -> Tensor:
    """The sum of each window, cells outside the image being 0: its mean times its cells."""
    x, steps = bordered(x, at, 0), at.strides
    if at.gaps:
        x, steps = side_by_side(x, at), at.kernel
    return tf.nn.avg_pool(x, at.kernel, steps, "VALID", LAYOUTS[len(at.kernel)]) * prod(at.kernel)


@operator("AveragePool")
def average_pool(
    x: Tensor,
    *,
    kernel_shape: Any,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: Any = None,
    pads: Any = None,
    strides: Any = None,
) -> Tensor:
    """The sum of each window over how many cells of the image it meets, or of the image and its pads.

    What ceil_mode adds past the pads never counts.
    """
    at = windows(x, kernel_shape, strides, dilations, auto_pad, pads, ceil_mode, "ONNX AveragePool")
    counts = at.counts(bool(count_include_pad))
    if not counts.all():
        raise ArgumentError(
            f"ONNX AveragePool: pads {at.pads} are so large for the window {at.kernel} that some windows hold no "
            "cell of the image, and have no mean"
        ).locate()
    return sums(x, at) / tf.constant(counts, x.dtype)


@operator("LpPool", since=2)
def lp_pool(
    x: Tensor,
    *,
    kernel_shape: Any,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Any = None,
    p: int = 2,
    pads: Any = None,
    strides: Any = None,
) -> Tensor:
    """(sum |x|^p)^(1/p) of each window. Where a whole window is 0, its gradient is that of the root at 0: infinite."""
    at = windows(x, kernel_shape, strides, dilations, auto_pad, pads, ceil_mode, "ONNX LpPool")
    return sums(tf.abs(x) ** p, at) ** (1 / p)


# --- over all cells -------------------------------------------------------------------------------


def spatial_axes(x: Tensor) -> list[int]:
    """The spatial axes of x [N,C,*spatial]."""
    return list(range(2, values.rank(x, "ONNX global pooling")))


@operator("GlobalAveragePool")
def global_average_pool(x: Tensor) -> Tensor:
    """[N,C,*spatial] -> [N,C,1,...]"""
    return tf.reduce_mean(x, spatial_axes(x), keepdims=True)


@operator("GlobalMaxPool")
def global_max_pool(x: Tensor) -> Tensor:
    """[N,C,*spatial] -> [N,C,1,...]. On a tie the gradient is shared evenly."""
    return tf.reduce_max(x, spatial_axes(x), keepdims=True)


@operator("GlobalLpPool", since=2)
def global_lp_pool(x: Tensor, *, p: int = 2) -> Tensor:
    """(sum |x|^p)^(1/p). [N,C,*spatial] -> [N,C,1,...]"""
    return tf.reduce_sum(tf.abs(x) ** p, spatial_axes(x), keepdims=True) ** (1 / p)
