"""The backward passes as public functions, and TensorFlow's raw ops by their attributes."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv import (
    Conv2D,
    Conv2DBackpropFilter,
    Conv2DBackpropInput,
    Conv3D,
    Conv3DBackpropFilterV2,
    Conv3DBackpropInputV2,
)
from pullback.ops.nn.conv.arguments import either, fields, keywords_only, needed, sizes_of

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


# --- raw ops --------------------------------------------------------------------------------------


@public("raw_ops.Conv2D")
@keywords_only
def raw_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = [],  # noqa: B006
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """`conv2d` by TensorFlow's attributes: padding may be "EXPLICIT", with explicit_paddings of eight numbers."""
    found = fields("Conv2D", strides, padding, data_format, dilations, explicit_paddings)
    return Conv2D(*found)(input, filter, name=name)


@public("raw_ops.Conv2DBackpropInput")
@keywords_only
def raw_conv2d_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = [],  # noqa: B006
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """`conv2d_backprop_input` by TensorFlow's attributes."""
    found = fields("Conv2DBackpropInput", strides, padding, data_format, dilations, explicit_paddings)
    return Conv2DBackpropInput(*found)(sizes_of(input_sizes), filter, out_backprop, name=name)


@public("raw_ops.Conv2DBackpropFilter")
@keywords_only
def raw_conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = [],  # noqa: B006
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """`conv2d_backprop_filter` by TensorFlow's attributes."""
    found = fields("Conv2DBackpropFilter", strides, padding, data_format, dilations, explicit_paddings)
    return Conv2DBackpropFilter(*found)(input, sizes_of(filter_sizes), out_backprop, name=name)


@public("raw_ops.Conv3D")
@keywords_only
def raw_conv3d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = _FIVE,
    name: str | None = None,
) -> Tensor:
    """`conv3d` by TensorFlow's attributes."""
    return Conv3D(*fields("Conv3D", strides, padding, data_format, dilations, rank=3))(input, filter, name=name)


@public("raw_ops.Conv3DBackpropInputV2")
@keywords_only
def raw_conv3d_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = _FIVE,
    name: str | None = None,
) -> Tensor:
    """The gradient of conv3d by its input, of shape input_sizes."""
    op = Conv3DBackpropInputV2(*fields("Conv3DBackpropInputV2", strides, padding, data_format, dilations, rank=3))
    return op(sizes_of(input_sizes), filter, out_backprop, name=name)


@public("raw_ops.Conv3DBackpropFilterV2")
@keywords_only
def raw_conv3d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = _FIVE,
    name: str | None = None,
) -> Tensor:
    """The gradient of conv3d by its filter, of shape filter_sizes."""
    op = Conv3DBackpropFilterV2(*fields("Conv3DBackpropFilterV2", strides, padding, data_format, dilations, rank=3))
    return op(input, sizes_of(filter_sizes), out_backprop, name=name)
