"""Convolution's `raw_ops`: our ops by TensorFlow's attributes, and what TensorFlow has as ops and is made of ours."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.padding import MirrorPad
from pullback.ops.array.shape import Reshape
from pullback.ops.image.sampling import ResizeBilinear
from pullback.ops.math.select import Cast
from pullback.ops.nn.conv import (
    Conv2D,
    Conv2DBackpropFilter,
    Conv2DBackpropInput,
    Conv3D,
    Conv3DBackpropFilterV2,
    Conv3DBackpropInputV2,
    window,
)
from pullback.ops.nn.conv.arguments import fields
from pullback.ops.nn.conv.functions import convolution
from pullback.ops.raw_op import NEEDED, keywords_only, raw_function, raw_op, sizes_of

_ONES = [1, 1, 1, 1]
_FIVE = [1, 1, 1, 1, 1]
_IMAGES: dict[str, Any] = {
    "strides": NEEDED,
    "padding": NEEDED,
    "use_cudnn_on_gpu": True,
    "explicit_paddings": [],
    "data_format": "NHWC",
    "dilations": _ONES,
}
_VOLUMES: dict[str, Any] = {"strides": NEEDED, "padding": NEEDED, "data_format": "NDHWC", "dilations": _FIVE}


def by_attributes(
    kind: Any,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilations: Any,
    explicit_paddings: Any = (),
    use_cudnn_on_gpu: bool = True,
) -> Any:
    """The op that TensorFlow's attributes mean; `use_cudnn_on_gpu` chooses among kernels that are not ours."""
    return kind(*fields(kind.type, strides, padding, data_format, dilations, explicit_paddings, kind.rank))


for _kind in (Conv2D, Conv2DBackpropInput, Conv2DBackpropFilter):
    raw_op(globals(), _kind, by_attributes, _IMAGES)
for _kind in (Conv3D, Conv3DBackpropInputV2, Conv3DBackpropFilterV2):
    raw_op(globals(), _kind, by_attributes, _VOLUMES)


# --- the adjoints that take the whole input, or filter, for its shape -----------------------------


@public("conv2d_backprop_input_v2")
def conv2d_backprop_input_v2(
    input: Any,
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
    """The gradient of conv2d by its input, which is given for its shape only."""
    op = by_attributes(Conv2DBackpropInput, strides, padding, data_format, dilations, explicit_paddings)
    return op(shape_of(interpreter.as_tensor(input)), filter, out_backprop, name=name)


@public("conv2d_backprop_filter_v2")
def conv2d_backprop_filter_v2(
    input: Any,
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
    """The gradient of conv2d by its filter, which is given for its shape only."""
    op = by_attributes(Conv2DBackpropFilter, strides, padding, data_format, dilations, explicit_paddings)
    return op(input, shape_of(interpreter.as_tensor(filter)), out_backprop, name=name)


@public("raw_ops.Conv3DBackpropInput")
@keywords_only
def raw_conv3d_backprop_input(
    input: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    dilations: Any = _FIVE,
    name: str | None = None,
) -> Tensor:
    """The gradient of conv3d by its input, which is given for its shape only."""
    op = by_attributes(Conv3DBackpropInputV2, strides, padding, "NDHWC", dilations)
    return op(shape_of(interpreter.as_tensor(input)), filter, out_backprop, name=name)


@public("raw_ops.Conv3DBackpropFilter")
@keywords_only
def raw_conv3d_backprop_filter(
    input: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    dilations: Any = _FIVE,
    name: str | None = None,
) -> Tensor:
    """The gradient of conv3d by its filter, which is given for its shape only."""
    op = by_attributes(Conv3DBackpropFilterV2, strides, padding, "NDHWC", dilations)
    return op(input, shape_of(interpreter.as_tensor(filter)), out_backprop, name=name)


# --- any number of axes ---------------------------------------------------------------------------

_ORDERS = {"CHANNELS_LAST": 0, "CHANNELS_FIRST": 1}


@public("conv")
def conv(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    explicit_paddings: Any = [],  # noqa: B006
    data_format: str = "CHANNELS_LAST",
    dilations: Any = [],  # noqa: B006
    batch_dims: int = 1,
    groups: int = 1,
    name: str | None = None,
) -> Tensor:
    """Cross-correlation over one to three spatial axes, as many as filter has, with any number of batch axes.

    Args:
      input: Tensor [*batch,*spatial,C], or [*batch,C,*spatial] for data_format "CHANNELS_FIRST".
      filter: Tensor [*window,c,K]; groups must be C/c.
      strides, dilations: a number for each dimension of an input with one batch axis; no dilations are ones.
      padding: "SAME", "VALID" or "EXPLICIT", with two explicit_paddings for each of these dimensions.
      batch_dims: how many batch axes.
    Raises:
      ShapeError: ranks, channels or groups do not fit.
      ArgumentError: an attribute means nothing.
    """
    x, w = interpreter.as_tensor(input), interpreter.as_tensor(filter)
    if data_format not in _ORDERS:
        raise ArgumentError(
            f"conv: data_format must be {' or '.join(map(repr, _ORDERS))}, not {data_format!r}"
        ).locate()
    if x.spec.shape is None or w.spec.shape is None:
        raise ShapeError("conv: the number of dimensions of input and filter must be known").locate()
    rank = len(w.spec.shape) - 2
    if rank not in window.LAYOUTS or batch_dims < 1 or len(x.spec.shape) != batch_dims + rank + 1:
        raise ShapeError(
            f"conv: input [*batch,*spatial,in] with {batch_dims} batch axes and filter [*window,in,out] need as many "
            f"spatial axes, one to three, but have shapes {x.shape} and {w.shape}"
        ).locate()
    layout = window.LAYOUTS[rank][_ORDERS[data_format]]
    C, c = x.spec.shape[batch_dims if _ORDERS[data_format] else -1], w.spec.shape[-2]
    if C is not None and c is not None and c * groups != C:
        raise ShapeError(
            f"conv: {C} channels in {groups} groups need a filter of {C / max(groups, 1):g} input channels, not {c}"
        ).locate()
    pad, rates = (
        _padding(padding, explicit_paddings),
        None if isinstance(dilations, list) and not dilations else dilations,
    )
    if batch_dims == 1:
        return convolution(x, w, strides, pad, layout, rates, name or "Conv")
    batch, inner = _sizes(x)[:batch_dims], _sizes(x)[batch_dims:]
    y = convolution(Reshape()(x, [-1, *inner]), w, strides, pad, layout, rates, name or "Conv")
    return Reshape()(y, [*batch, *_sizes(y)[1:]])


def _sizes(x: Tensor) -> list[Any]:
    """The sizes of a tensor of known rank, ints or scalar tensors."""
    known, sizes = x.spec.shape or (), shape_of(x)
    return [sizes[i] if n is None else n for i, n in enumerate(known)]


def _padding(padding: Any, explicit: Any) -> Any:
    """Explicit paddings in pairs; the word otherwise.

    Raises:
      ArgumentError: there are explicit paddings and another word.
    """
    if padding != "EXPLICIT":
        if len(explicit):
            raise ArgumentError(f'conv: explicit_paddings go with padding "EXPLICIT", not {padding!r}').locate()
        return padding
    return [list(explicit[i : i + 2]) for i in range(0, len(explicit), 2)]


# --- with a border, or a resizing, before ---------------------------------------------------------


@public("raw_ops.FusedPadConv2D")
@keywords_only
def raw_fused_pad_conv2d(
    input: Any, paddings: Any, filter: Any, mode: str, strides: Any, padding: str, name: str | None = None
) -> Tensor:
    """MirrorPad of the input, mode "REFLECT" or "SYMMETRIC", then Conv2D."""
    op = Conv2D(*fields("FusedPadConv2D", strides, padding, "NHWC", 1))
    return op(MirrorPad(mode)(input, paddings), filter, name=name)


@public("raw_ops.FusedResizeAndPadConv2D")
@keywords_only
def raw_fused_resize_and_pad_conv2d(
    input: Any,
    size: Any,
    paddings: Any,
    filter: Any,
    mode: str,
    strides: Any,
    padding: str,
    resize_align_corners: bool = False,
    name: str | None = None,
) -> Tensor:
    """ResizeBilinear of the input to `size`, in single precision, MirrorPad, then Conv2D."""
    op = Conv2D(*fields("FusedResizeAndPadConv2D", strides, padding, "NHWC", 1))
    x = interpreter.as_tensor(input)
    resized = Cast(x.dtype)(ResizeBilinear(bool(resize_align_corners))(x, sizes_of(size)))
    return op(MirrorPad(mode)(resized, paddings), filter, name=name)


raw_function(globals(), "Conv2DBackpropInputV2", conv2d_backprop_input_v2)
raw_function(globals(), "Conv2DBackpropFilterV2", conv2d_backprop_filter_v2)
raw_function(globals(), "Conv", conv)
