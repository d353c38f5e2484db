"""The public functions of depthwise and separable convolution, under TensorFlow 2's and TensorFlow 1's names."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.math.scopes import scope
from pullback.ops.nn.conv import Conv2D
from pullback.ops.nn.conv.arguments import either_or_none, fields, of_rank
from pullback.ops.nn.conv.raw import by_attributes
from pullback.ops.nn.depthwise import (
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)
from pullback.ops.raw_op import NEEDED, raw_op, sizes_of

_ONES = [1, 1, 1, 1]


@public("nn.depthwise_conv2d", v1=None)
def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Cross-correlation channel by channel.

    y[n,p,q,c*M+m] = sum_{r,s} x[n, p*a + r*d - top, q*b + s*e - left, c] * w[r,s,c,m]

    Args:
      input: Tensor [N,H,W,C], or [N,C,H,W] for data_format "NCHW"; floating or complex.
      filter: Tensor [R,S,C,M]: M filters for each channel.
      strides, dilations: an int, two numbers (height, width), or four in data_format's order.
      padding: as for `conv2d`.
    Returns:
      Tensor [N,P,Q,C*M], in data_format's order.
    Raises:
      ShapeError: ranks or channels do not fit, or the window is larger than the padded image.
      ArgumentError: strides, padding, data_format or dilations mean nothing.
    Gradient: of every order.
    """
    op = DepthwiseConv2dNative(*fields("depthwise_conv2d", strides, padding, data_format, dilations))
    return op(input, filter, name=name or "depthwise")


@public(v1="nn.depthwise_conv2d")
def depthwise_conv2d_v1(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """`depthwise_conv2d` with TensorFlow 1's names: `rate` is dilations."""
    rate = either_or_none("depthwise_conv2d", "dilations", dilations, "rate", rate)
    return depthwise_conv2d(input, filter, strides, padding, data_format, rate, name)


@public("nn.separable_conv2d", v1=None)
def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """A depthwise convolution, then a convolution of single pixels that mixes its channels.

    Args:
      input: Tensor [N,H,W,C], or [N,C,H,W] for data_format "NCHW".
      depthwise_filter: Tensor [R,S,C,M]. pointwise_filter: Tensor [1,1,C*M,K].
      strides, padding, dilations: of the depthwise one, as for `depthwise_conv2d`.
    Returns:
      Tensor [N,P,Q,K], in data_format's order.
    Raises:
      ShapeError: pointwise_filter is not [1,1,...], or shapes do not fit.
    Gradient: of every order.
    """
    where = "separable_conv2d"
    found = fields(where, strides, padding, data_format, dilations)
    x = interpreter.as_tensor(input)
    w = interpreter.as_tensor(depthwise_filter, x.dtype, what=f"{where}: depthwise_filter")
    point = of_rank(
        interpreter.as_tensor(pointwise_filter, x.dtype, what=f"{where}: pointwise_filter"),
        4,
        where,
        "pointwise_filter",
    )
    if point.spec.shape is not None and any(n not in (1, None) for n in point.spec.shape[:2]):
        raise ShapeError(
            f"{where}: pointwise_filter must be [1,1,in,out], but has shape {point.shape}; "
            f"a larger window is a conv2d of its own"
        ).locate()
    with scope(name, where, x, w, point) as full:
        middle = DepthwiseConv2dNative(*found)(x, w, name="depthwise")
        return Conv2D(padding="VALID", data_format=found[2])(middle, point, name=full)


@public(v1="nn.separable_conv2d")
def separable_conv2d_v1(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """`separable_conv2d` with TensorFlow 1's names: `rate` is dilations."""
    rate = either_or_none("separable_conv2d", "dilations", dilations, "rate", rate)
    return separable_conv2d(input, depthwise_filter, pointwise_filter, strides, padding, data_format, rate, name)


# --- the ops by their names -----------------------------------------------------------------------


@public(v1="nn.depthwise_conv2d_native")
def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """`depthwise_conv2d` by the name of its op."""
    op = DepthwiseConv2dNative(*fields("depthwise_conv2d_native", strides, padding, data_format, dilations))
    return op(input, filter, name=name)


@public(
    "nn.depthwise_conv2d_backprop_input",
    v1=("nn.depthwise_conv2d_backprop_input", "nn.depthwise_conv2d_native_backprop_input"),
)
def depthwise_conv2d_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """The gradient of depthwise_conv2d by its input.

    Args:
      input_sizes: the shape [N,H,W,C] of the input, in data_format's order; numbers or a tensor.
      filter: Tensor [R,S,C,M].
      out_backprop: dy, Tensor [N,P,Q,C*M], in data_format's order.
      strides, padding, data_format, dilations: of the convolution, as for `depthwise_conv2d`.
    Returns:
      dx, Tensor of shape input_sizes.
    Raises:
      ShapeError: no image of input_sizes makes an output of dy's shape.
    """
    found = fields("depthwise_conv2d_backprop_input", strides, padding, data_format, dilations)
    return DepthwiseConv2dNativeBackpropInput(*found)(sizes_of(input_sizes), filter, out_backprop, name=name)


@public(
    "nn.depthwise_conv2d_backprop_filter",
    v1=("nn.depthwise_conv2d_backprop_filter", "nn.depthwise_conv2d_native_backprop_filter"),
)
def depthwise_conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
) -> Tensor:
    """The gradient of depthwise_conv2d by its filter.

    Args:
      input: x, Tensor [N,H,W,C], in data_format's order.
      filter_sizes: the shape [R,S,C,M] of the filter; numbers or a tensor.
      out_backprop: dy, Tensor [N,P,Q,C*M], in data_format's order.
      strides, padding, data_format, dilations: of the convolution, as for `depthwise_conv2d`.
    Returns:
      dw, Tensor of shape filter_sizes.
    Raises:
      ShapeError: a filter of filter_sizes over x does not make an output of dy's shape.
    """
    found = fields("depthwise_conv2d_backprop_filter", strides, padding, data_format, dilations)
    return DepthwiseConv2dNativeBackpropFilter(*found)(input, sizes_of(filter_sizes), out_backprop, name=name)


_ATTRIBUTES: dict[str, Any] = {
    "strides": NEEDED,
    "padding": NEEDED,
    "explicit_paddings": [],
    "data_format": "NHWC",
    "dilations": _ONES,
}
for _kind in (DepthwiseConv2dNative, DepthwiseConv2dNativeBackpropInput, DepthwiseConv2dNativeBackpropFilter):
    raw_op(globals(), _kind, by_attributes, _ATTRIBUTES)
