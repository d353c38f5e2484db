"""The backward passes as public functions."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv import Conv2DBackpropFilter, Conv2DBackpropInput, Conv3DBackpropFilterV2
from pullback.ops.nn.conv.arguments import either, fields, needed
from pullback.ops.raw_op import sizes_of

_ONES = [1, 1, 1, 1]
_FIVE = [1, 1, 1, 1, 1]


@public(v1="nn.conv2d_backprop_input")
def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any = None,
    out_backprop: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """The gradient of conv2d by its input: dx[n, p*a + r*d - top, q*b + s*e - left, c] sums w[r,s,c,k] dy[n,p,q,k].

    Args:
      input_sizes: the shape [N,H,W,C] of the input, in data_format's order; numbers or a tensor.
      filter (or filters): Tensor [R,S,c,K].
      out_backprop: dy, Tensor [N,P,Q,K], in data_format's order.
      strides, padding, data_format, dilations: of the convolution, as for `conv2d`.
      use_cudnn_on_gpu: means nothing here.
    Returns:
      dx, Tensor of shape input_sizes.
    Raises:
      ShapeError: no image of input_sizes makes an output of dy's shape.
    """
    where = "conv2d_backprop_input"
    w = either(where, "filters", filters, "filter", filter)
    dy = needed(where, "out_backprop", out_backprop)
    found = fields(where, needed(where, "strides", strides), needed(where, "padding", padding), data_format, dilations)
    return Conv2DBackpropInput(*found)(sizes_of(input_sizes), w, dy, name=name)


@public(v1="nn.conv2d_backprop_filter")
def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """The gradient of conv2d by its filter: dw[r,s,c,k] = sum x[n, p*a + r*d - top, q*b + s*e - left, c] dy[n,p,q,k].

    Args:
      input: x, Tensor [N,H,W,C], in data_format's order.
      filter_sizes: the shape [R,S,c,K] of the filter; numbers or a tensor.
      out_backprop: dy, Tensor [N,P,Q,K], in data_format's order.
      strides, padding, data_format, dilations: of the convolution, as for `conv2d`.
      use_cudnn_on_gpu: means nothing here.
    Returns:
      dw, Tensor of shape filter_sizes.
    Raises:
      ShapeError: a filter of filter_sizes over x does not make an output of dy's shape.
    """
    found = fields("conv2d_backprop_filter", strides, padding, data_format, dilations)
    return Conv2DBackpropFilter(*found)(input, sizes_of(filter_sizes), out_backprop, name=name)


@public(v1=("nn.conv3d_backprop_filter", "nn.conv3d_backprop_filter_v2"))
def conv3d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = _FIVE,
    name: str | None = None,
) -> Tensor:
    """The gradient of conv3d by its filter, [U,R,S,c,K]; see `conv2d_backprop_filter`.

    Raises:
      ShapeError: a filter of filter_sizes over input does not make an output of out_backprop's shape.
    """
    op = Conv3DBackpropFilterV2(*fields("conv3d_backprop_filter", strides, padding, data_format, dilations, rank=3))
    return op(input, sizes_of(filter_sizes), out_backprop, name=name)
