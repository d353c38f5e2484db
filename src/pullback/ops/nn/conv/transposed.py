"""The public functions of transposed convolution, under TensorFlow 2's and TensorFlow 1's names."""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.core import interpreter
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import ExpandDims
from pullback.ops.math.scopes import scope
from pullback.ops.nn.conv import Conv2DBackpropInput, Conv3DBackpropInputV2, shapes, window
from pullback.ops.nn.conv.arguments import (
    either,
    fields,
    lifted,
    lowered,
    needed,
    of_rank,
    output_shape,
    raised,
    value_of,
    with_height,
)


def _transposed(where: str, op: Any, x: Tensor, w: Tensor, asked: Any, name: str | None, flat: Any = None) -> Tensor:
    """The op, its shapes checked in the words of the public function. `flat`: the fields of a 1-D one, whose shapes the
    message then shows."""
    dims = w.spec.shape
    kernel, channels = (None, None) if dims is None or len(dims) < 2 else (dims[:-2], dims[-2])
    sizes = output_shape(asked, x, kernel, channels, op, where)
    try:
        return op(sizes, w, x, name=name)
    except ShapeError:
        seen = (value_of(sizes, op.rank), w.spec.shape or (), x.spec.shape or ())
        if flat is not None:
            at = window.spatial(flat[2])
            seen = (_without(seen[0], at), _without(seen[1], 0), _without(seen[2], at))
        try:
            shapes.to_input(op if flat is None else Rows(*flat), *seen, (where, "output_shape", "input"))
        except ShapeError as error:
            raise error.locate() from None
        raise


class Rows(NamedTuple):
    """The fields of a 1-D convolution, as far as checking shapes reads them."""

    strides: Any
    padding: Any
    data_format: str
    dilations: Any
    rank: int = 1
    depthwise: bool = False


def _without(dims: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    return (*dims[:at], *dims[at + 1 :])


@public("nn.conv2d_transpose", v1=None)
def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Transposed convolution: the gradient of a conv2d by its input, bit for bit what `conv2d_backprop_input` gives.

    Each input value spreads over a window of the output, scaled by the filter; where windows meet, they add. It does
    not undo a convolution.

    Args:
      input: Tensor [N,P,Q,K], or [N,K,P,Q] for "NCHW".
      filters: Tensor [R,S,C,K]: (height, width, output channels, input channels).
      output_shape: four numbers [N,H,W,C] in data_format's order: a list that may hold tensors, a tensor, or a shape.
        None, whole or as an entry, is worked out: P*stride for "SAME", (P-1)*stride + window for "VALID".
      strides, padding, dilations: of the convolution it is the transpose of, as for `conv2d`.
    Returns:
      Tensor of shape output_shape.
    Raises:
      ShapeError: no convolution of an image of output_shape makes an input of this shape; says which sizes would do.
    Gradient: conv2d of dy to the input, conv2d_backprop_filter to the filters; of every order.
    """
    where = "conv2d_transpose"
    op = Conv2DBackpropInput(*fields(where, strides, padding, data_format, dilations))
    x = interpreter.as_tensor(input)
    w = interpreter.as_tensor(filters, x.dtype, what=f"{where}: filters")
    return _transposed(where, op, x, w, output_shape, name or where)


@public(v1="nn.conv2d_transpose")
def conv2d_transpose_v1(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """`conv2d_transpose` with TensorFlow 1's names: `value` is input, `filter` filters."""
    where = "conv2d_transpose"
    x = either(where, "input", input, "value", value)
    w = either(where, "filters", filters, "filter", filter)
    return conv2d_transpose(
        x, w, output_shape, needed(where, "strides", strides), padding, data_format, dilations, name
    )


@public("nn.conv3d_transpose", v1=None)
def conv3d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Transposed convolution over volumes: the gradient of a conv3d by its input; see `conv2d_transpose`.

    Args:
      input: Tensor [N,O,P,Q,K], or [N,K,O,P,Q] for "NCDHW".
      filters: Tensor [U,R,S,C,K]: (depth, height, width, output channels, input channels).
      output_shape: five numbers [N,D,H,W,C] in data_format's order, as for `conv2d_transpose`.
      strides, padding, dilations: of the convolution it is the transpose of, as for `conv3d`.
    Returns:
      Tensor of shape output_shape.
    Raises:
      ShapeError: no convolution of a volume of output_shape makes an input of this shape; says which sizes would do.
    Gradient: conv3d of dy to the input; of every order.
    """
    where = "conv3d_transpose"
    op = Conv3DBackpropInputV2(*fields(where, strides, padding, data_format, dilations, rank=3))
    x = interpreter.as_tensor(input)
    w = interpreter.as_tensor(filters, x.dtype, what=f"{where}: filters")
    return _transposed(where, op, x, w, output_shape, name or where)


@public(v1="nn.conv3d_transpose")
def conv3d_transpose_v1(
    value: Any,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str = "NDHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """`conv3d_transpose` with TensorFlow 1's names: `value` is input, `filter` filters."""
    where = "conv3d_transpose"
    x = either(where, "input", input, "value", value)
    w = either(where, "filters", filters, "filter", filter)
    return conv3d_transpose(
        x, w, output_shape, needed(where, "strides", strides), padding, data_format, dilations, name
    )


@public("nn.conv1d_transpose")
def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Transposed convolution over rows: conv2d_transpose over images of height 1.

    Args:
      input: Tensor [N,Q,K], or [N,K,Q] for "NCW".
      filters: Tensor [S,C,K]: (width, output channels, input channels).
      output_shape: three numbers [N,W,C] in data_format's order, as for `conv2d_transpose`.
      strides, padding, dilations: of the convolution it is the transpose of, as for `conv1d`.
    Returns:
      Tensor of shape output_shape.
    Raises:
      ShapeError: no convolution of a row of output_shape makes an input of this shape; says which sizes would do.
    Gradient: of every order.
    """
    where = "conv1d_transpose"
    flat = fields(where, strides, padding, data_format, dilations, rank=1)
    x = of_rank(input, 3, where)
    w = of_rank(interpreter.as_tensor(filters, x.dtype, what=f"{where}: filters"), 3, where, "filters")
    with scope(name, where, x, w):
        asked = with_height(output_shape, window.spatial(flat[2]), where)
        op = Conv2DBackpropInput(*lifted(flat))
        return lowered(_transposed(where, op, raised(x, flat[2]), ExpandDims()(w, 0), asked, None, flat), flat[2])


_BY_RANK = {1: conv1d_transpose, 2: conv2d_transpose, 3: conv3d_transpose}


@public("nn.conv_transpose")
def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """conv1d_transpose, conv2d_transpose or conv3d_transpose, whichever the filters' number of dimensions says.

    Args:
      input: Tensor [N,*spatial,K], or [N,K,*spatial] for a data_format that begins with "NC".
      filters: Tensor [*window,C,K] with one to three window axes.
      output_shape, strides, padding, dilations: as for `conv2d_transpose`.
    Raises:
      ShapeError: filters have another number of dimensions, or what the function of that rank raises.
    """
    x, w = interpreter.as_tensor(input), interpreter.as_tensor(filters)
    known = next((t.spec.shape for t in (w, x) if t.spec.shape is not None), None)
    rank = 0 if known is None else len(known) - 2
    if rank not in _BY_RANK:
        raise ShapeError(
            f"conv_transpose: filters must have 3 to 5 dimensions, [*window,out,in], but have shape {w.shape}"
        ).locate()
    layout = data_format or window.LAYOUTS[rank][0]
    return _BY_RANK[rank](x, w, output_shape, strides, padding, layout, dilations, name or "conv_transpose")


@public("nn.atrous_conv2d_transpose")
def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: Any, padding: Any, name: str | None = None
) -> Tensor:
    """The transpose of `atrous_conv2d`: conv2d_transpose with strides 1 and dilations `rate`.

    Args:
      value: Tensor [N,P,Q,K]. filters: Tensor [R,S,C,K]. output_shape: four numbers [N,H,W,C].
      rate: an int, in pixels. padding: as for `conv2d`.
    Raises:
      ShapeError: no such convolution of an image of output_shape makes a value of this shape.
    """
    where = "atrous_conv2d_transpose"
    op = Conv2DBackpropInput(*fields(where, 1, padding, "NHWC", rate))
    x = interpreter.as_tensor(value)
    w = interpreter.as_tensor(filters, x.dtype, what=f"{where}: filters")
    return _transposed(where, op, x, w, output_shape, name or where)
