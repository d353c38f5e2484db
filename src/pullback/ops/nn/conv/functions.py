"""The public functions of convolution, under TensorFlow 2's and TensorFlow 1's names."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import ExpandDims
from pullback.ops.math.scopes import scope
from pullback.ops.nn.conv import Conv2D, Conv3D, window
from pullback.ops.nn.conv.arguments import either, either_or_none, fields, lifted, lowered, needed, of_rank, raised

_ONES = [1, 1, 1, 1]
_FIVE = [1, 1, 1, 1, 1]


# --- images ---------------------------------------------------------------------------------------


@public("nn.conv2d", v1=None)
def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """2-D cross-correlation: y[n,p,q,k] = sum_{r,s,c} x[n, p*a + r*d - top, q*b + s*e - left, c] w[r,s,c,k].

    Args:
      input: Tensor [N,H,W,C], or [N,C,H,W] for data_format "NCHW"; floating or complex.
      filters: Tensor [R,S,c,K]. Where C = G c with G > 1, group g of outputs sees group g of inputs.
      strides, dilations: an int, two numbers (height, width), or four in data_format's order.
      padding: "SAME" (output ceil(H/stride), the odd pixel of border at the end), "VALID", or
        [[0,0],[top,bottom],[left,right],[0,0]] in data_format's order.
    Returns:
      Tensor [N,P,Q,K], in data_format's order.
    Raises:
      ShapeError: ranks or channels do not fit, or the window is larger than the padded image.
      ArgumentError: strides, padding, data_format or dilations mean nothing.
    Gradient: conv2d_transpose of dy to the input, conv2d_backprop_filter to the filters; of every order.
    """
    return Conv2D(*fields("conv2d", strides, padding, data_format, dilations))(input, filters, name=name)


@public(v1="nn.conv2d")
def conv2d_v1(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = _ONES,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """`conv2d` with TensorFlow 1's names: `filter` is filters.

    `use_cudnn_on_gpu` chooses among TensorFlow's GPU kernels and means nothing here.
    """
    w = either("conv2d", "filters", filters, "filter", filter)
    return conv2d(
        input,
        w,
        needed("conv2d", "strides", strides),
        needed("conv2d", "padding", padding),
        data_format,
        dilations,
        name,
    )


@public("nn.atrous_conv2d")
def atrous_conv2d(value: Any, filters: Any, rate: Any, padding: Any, name: str | None = None) -> Tensor:
    """`conv2d` whose window takes every rate-th pixel: conv2d with strides 1 and dilations `rate`.

    Args:
      value: Tensor [N,H,W,C]. filters: Tensor [R,S,C,K].
      rate: an int, in pixels. padding: as for `conv2d`.
    Raises:
      ShapeError: ranks or channels do not fit, or the dilated window is larger than the image.
    """
    return Conv2D(*fields("atrous_conv2d", 1, padding, "NHWC", rate))(value, filters, name=name)


# --- volumes --------------------------------------------------------------------------------------


@public("nn.conv3d", v1=None)
def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """3-D cross-correlation: `conv2d` with a depth.

    Args:
      input: Tensor [N,D,H,W,C], or [N,C,D,H,W] for data_format "NCDHW"; floating or complex.
      filters: Tensor [U,R,S,c,K]. Where C = G c with G > 1, group g of outputs sees group g of inputs.
      strides, dilations: an int, three numbers (depth, height, width), or five in data_format's order.
      padding: "SAME", "VALID", or [[0,0],[front,back],[top,bottom],[left,right],[0,0]] in data_format's order.
    Returns:
      Tensor [N,O,P,Q,K], in data_format's order.
    Raises:
      ShapeError: ranks or channels do not fit, or the window is larger than the padded volume.
      ArgumentError: strides, padding, data_format or dilations mean nothing.
    Gradient: conv3d_transpose of dy to the input; of every order.
    """
    return Conv3D(*fields("conv3d", strides, padding, data_format, dilations, rank=3))(input, filters, name=name)


@public(v1="nn.conv3d")
def conv3d_v1(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str = "NDHWC",
    dilations: Any = _FIVE,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """`conv3d` with TensorFlow 1's names: `filter` is filters."""
    where = "conv3d"
    w = either(where, "filters", filters, "filter", filter)
    strides, padding = needed(where, "strides", strides), needed(where, "padding", padding)
    return conv3d(input, w, strides, padding, data_format, dilations, name)


# --- rows -----------------------------------------------------------------------------------------


@public("nn.conv1d", v1=None)
def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: Any,
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """1-D cross-correlation: conv2d over images of height 1.

    Args:
      input: Tensor [N,W,C], or [N,C,W] for data_format "NCW"; floating or complex.
      filters: Tensor [S,c,K].
      stride, dilations: an int, one number, or three in data_format's order.
      padding: "SAME", "VALID", or [[0,0],[left,right],[0,0]] in data_format's order.
    Returns:
      Tensor [N,Q,K], in data_format's order.
    Raises:
      ShapeError: ranks or channels do not fit, or the window is larger than the padded row.
      ArgumentError: stride, padding, data_format or dilations mean nothing.
    Gradient: of every order.
    """
    flat = fields("conv1d", stride, padding, data_format, dilations, rank=1)
    x = of_rank(input, 3, "conv1d")
    w = of_rank(interpreter.as_tensor(filters, x.dtype, what="conv1d: filters"), 3, "conv1d", "filters")
    with scope(name, "conv1d", x, w):
        return lowered(Conv2D(*lifted(flat))(raised(x, flat[2]), ExpandDims()(w, 0)), flat[2])


@public(v1="nn.conv1d")
def conv1d_v1(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: Any = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Tensor:
    """`conv1d` with TensorFlow 1's names: `value` is input. `use_cudnn_on_gpu` means nothing here."""
    where = "conv1d"
    x, w = either(where, "input", input, "value", value), needed(where, "filters", filters)
    stride, padding = needed(where, "stride", stride), needed(where, "padding", padding)
    return conv1d(x, w, stride, padding, data_format or "NWC", dilations, name)


# --- any number of spatial axes -------------------------------------------------------------------

_BY_RANK = {1: conv1d, 2: conv2d, 3: conv3d}


@public("nn.convolution", v1=None)
def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """conv1d, conv2d or conv3d, whichever the filters' number of dimensions says.

    Args:
      input: Tensor [N,*spatial,C], or [N,C,*spatial] for a data_format that begins with "NC".
      filters: Tensor [*window,c,K] with one to three window axes.
      strides, dilations: an int, or a number for each spatial axis; 1 when left out.
      padding: "SAME", "VALID", or a pair for each dimension in data_format's order.
    Raises:
      ShapeError: filters have another number of dimensions, or what the function of that rank raises.
    """
    w = interpreter.as_tensor(filters)
    x = interpreter.as_tensor(input)
    known = next((t.spec.shape for t in (w, x) if t.spec.shape is not None), None)
    if known is None:
        raise ShapeError("convolution: the number of dimensions of input and filters must be known").locate()
    rank = len(known) - 2
    if rank not in _BY_RANK:
        raise ShapeError(
            f"convolution: filters must have 3 to 5 dimensions, [*window,in,out], but have shape {w.shape}"
        ).locate()
    layout = data_format or window.LAYOUTS[rank][0]
    return _BY_RANK[rank](x, w, 1 if strides is None else strides, padding, layout, dilations, name or "convolution")


@public(v1="nn.convolution")
def convolution_v1(
    input: Any,
    filter: Any,
    padding: Any,
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """`convolution` with TensorFlow 1's names: `filter` is filters, `dilation_rate` dilations."""
    where = "convolution"
    w = either(where, "filters", filters, "filter", filter)
    rate = either_or_none(where, "dilations", dilations, "dilation_rate", dilation_rate)
    return convolution(input, w, strides, padding, data_format, rate, name)
