"""`pool`, whose windows may have gaps, and the public unpooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import BroadcastTo, Shape_
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.phases import with_space_to_batch
from pullback.ops.math.scopes import scope
from pullback.ops.nn.conv import Conv2DBackpropInput, Conv3DBackpropInputV2, shapes, window
from pullback.ops.nn.conv.arguments import (
    KEPT,
    either_or_none,
    fields_of_one,
    layout_of,
    lifted,
    lowered,
    output_shape,
    raised,
    value_of,
    with_height,
)
from pullback.ops.nn.pool.arguments import AVG, MAX, fields, image, made, pooled, rank_said
from pullback.ops.nn.pool.switches import Unpool
from pullback.ops.raw_op import sizes_of

_KINDS = {"MAX": MAX, "AVG": AVG}


@public("nn.pool", v1=None)
def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The largest value in each window, or the mean, over one to three spatial axes; windows may have gaps.

    Args:
      input: Tensor [N,*spatial,C], or [N,C,*spatial] for "NCW", "NCHW" or "NCDHW".
      window_shape: the window, a number for each spatial axis in pixels; an int for all axes of input.
      pooling_type: "MAX" or "AVG".
      strides, dilations: an int, or a number for each spatial axis; 1 when left out. Not both larger than 1.
      padding: as for `max_pool`; "SAME" or "VALID" where dilations are larger than 1.
    Returns:
      Tensor [N,*positions,C], in data_format's order.
    Raises:
      ArgumentError: pooling_type is another word, or strides and dilations are both larger than 1.
      ShapeError: the window does not fit.
    With dilations the border of "SAME" counts as zeros, in maxima and in means, as TensorFlow computes it; without,
    it does not count.
    Gradient: as max_pool's and avg_pool's.
    """
    where = "pool"
    kinds = _KINDS.get(pooling_type)
    if kinds is None:
        raise ArgumentError(f'pool: pooling_type must be "MAX" or "AVG", not {pooling_type!r}').locate()
    x = interpreter.as_tensor(input)
    rank = len(window_shape) if isinstance(window_shape, (list, tuple)) else rank_said(where, x, data_format)
    if rank not in window.LAYOUTS:
        raise ArgumentError(
            f"pool: window_shape must have 1 to 3 numbers, one for each spatial axis, not {rank}"
        ).locate()
    rates = fields_of_one(where, "dilations", 1 if dilations is None else dilations, data_format, rank)
    steps = fields_of_one(where, "strides", 1 if strides is None else strides, data_format, rank)
    x = image(x, where, rank)
    if max(rates) == 1:
        return pooled(kinds, where, x, window_shape, steps, padding, data_format, rank, name or where)
    if max(steps) > 1:
        raise ArgumentError(f"pool: strides {steps} and dilations {rates} must not both be larger than 1").locate()
    with scope(name, where, x):
        return _with_gaps(kinds, x, window_shape, rates, padding, data_format, rank)


def _with_gaps(
    kinds: Any, x: Tensor, window_shape: Any, rates: Any, padding: Any, data_format: Any, rank: int
) -> Tensor:
    """Windows with gaps, as windows without over every rates-th pixel: each phase is an image of its own."""
    layout = layout_of("pool", data_format, rank)
    ksize, _, padding, _ = fields("pool", window_shape, 1, padding, layout, rank)
    if not isinstance(padding, str):
        raise ArgumentError('pool: with dilations, padding must be "SAME" or "VALID"; pad the input by tf.pad').locate()

    def phases(image: Tensor, _: int, padding: str) -> Tensor:
        return pooled(kinds, "pool", image, ksize, 1, padding, layout, rank, None)

    return with_space_to_batch(x, rates, padding, phases, ksize, None, layout)


@public(v1="nn.pool")
def pool_v1(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    padding: Any,
    dilation_rate: Any = None,
    strides: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """`pool` with TensorFlow 1's names: `dilation_rate` is dilations."""
    rate = either_or_none("pool", "dilations", dilations, "dilation_rate", dilation_rate)
    return pool(input, window_shape, pooling_type, strides, padding, data_format, rate, name)


# --- unpooling ------------------------------------------------------------------------------------


@public("nn.max_unpool")
def max_unpool(
    pooled: Any, argmax: Any, output_shape: Any, include_batch_in_index: bool = False, name: str | None = None
) -> Tensor:
    """Values put back where max_pool_with_argmax found them, in an image of zeros.

    Args:
      pooled: Tensor [N,P,Q,C], or of any rank.
      argmax: Tensor of pooled's shape, int32 or int64: flat places in each image, as max_pool_with_argmax gives them.
      output_shape: the shape of the result, [N,H,W,C]: numbers or a tensor.
      include_batch_in_index: argmax counts over all images, as max_pool_with_argmax does where it is told so.
    Returns:
      Tensor of shape output_shape. Where switches meet (windows that overlap), values add.
    Raises:
      ShapeError: pooled and argmax differ in shape, the batch is another, or a switch lies outside its image.
    Gradient: what stands at the switches; of every order. It is itself the gradient of max pooling.
    Source: Zeiler & Fergus 2014, section 2.1 ("unpooling").
    """
    return Unpool(bool(include_batch_in_index))(pooled, argmax, sizes_of(output_shape), name=name)


@public("nn.avg_unpool")
def avg_unpool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any = "VALID",
    output_shape: Any = None,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Each value copied, whole, to every pixel of its window.

    The gradient of avg_pool divides by the size of the window; this does not. It is the gradient of a sum over windows,
    a transposed convolution with ones.

    Args:
      value: Tensor [N,P,Q,C], or with channels first or another number of spatial axes, as for `avg_pool`; floating.
      ksize, strides, padding, data_format: of the pooling it goes back over, as for `avg_pool`.
      output_shape: the shape of the result, in data_format's order: a list that may hold tensors, a tensor, or a shape.
        None, whole or as an entry, is worked out: P*stride for "SAME", (P-1)*stride + window for "VALID".
    Returns:
      Tensor of shape output_shape. Where windows overlap, values add; pixels in no window are 0.
    Raises:
      ShapeError: no pooling of an image of output_shape makes a value of this shape; says which sizes would do.
    Gradient: the sum of dy over each window; of every order.
    """
    where = "avg_unpool"
    x = interpreter.as_tensor(value)
    rank = rank_said(where, x, data_format)
    x = image(x, where, rank)
    found = fields(where, ksize, strides, padding, data_format, rank)
    layout = found[3]
    with scope(name, where, x):
        if rank > 1:
            return _spread(x, found, output_shape, where)
        asked = with_height(output_shape, window.spatial(layout), where)
        return lowered(_spread(raised(x, layout), lifted(found), asked, where), layout)


def _spread(x: Tensor, found: tuple[Any, ...], asked: Any, where: str) -> Tensor:
    """The transposed convolution with a window of ones for each channel."""
    ksize, strides, padding, layout = found
    rank = len(ksize)
    made(AVG[rank], found)  # refuses what pooling refuses
    kind = {2: Conv2DBackpropInput, 3: Conv3DBackpropInputV2}[rank]
    op = kind(strides, padding, layout, (1,) * rank)
    at = rank + 1 if window.last(layout) else 1
    channels = None if x.spec.shape is None else x.spec.shape[at]
    sizes = output_shape(asked, x, ksize, KEPT, op, where)
    one = interpreter.as_tensor(np.ones((), x.dtype.as_numpy_dtype), x.dtype)
    ones = BroadcastTo()(one, [*ksize, 1, Shape_()(x)[at] if channels is None else channels])
    try:
        return op(sizes, ones, x)
    except ShapeError:
        words, filters = (where, "output_shape", "value"), (*ksize, 1, channels)
        try:
            shapes.to_input(op, value_of(sizes, rank), filters, x.spec.shape or (), words)
        except ShapeError as error:
            raise error.locate() from None
        raise
