"""The public functions of 2-D convolution, under TensorFlow 2's and TensorFlow 1's names."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pullback.core import interpreter
from pullback.core.basics import Shape_
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.shape import Dimension, TensorShape
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv import Conv2D, Conv2DBackpropFilter, Conv2DBackpropInput, shapes, window

_ONES = [1, 1, 1, 1]


def _fields(
    where: str, strides: Any, padding: Any, data_format: Any, dilations: Any, explicit: Any = ()
) -> tuple[Any, ...]:
    """An op's fields of what the user says, its errors with the user's line."""
    data_format = "NHWC" if data_format is None else data_format
    try:
        window.check_format(data_format, where)
        return (
            window.pair(1 if strides is None else strides, "strides", where, data_format),
            window.padding_of(padding, where, data_format, explicit),
            data_format,
            window.pair(1 if dilations is None else dilations, "dilations", where, data_format),
        )
    except ArgumentError as error:
        raise error.locate() from None


def _either(where: str, new: str, value: Any, old: str, earlier: Any) -> Any:
    """The argument under whichever of its two names it was given."""
    if value is not None and earlier is not None:
        raise ArgumentError(f"{where}: {new} and {old} are the same argument; give one").locate()
    if value is None and earlier is None:
        raise ArgumentError(f"{where}: {old} is needed").locate()
    return earlier if value is None else value


def _needed(where: str, name: str, value: Any) -> Any:
    if value is None:
        raise ArgumentError(f"{where}: {name} is needed").locate()
    return value


# --- conv2d ---------------------------------------------------------------------------------------


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
    return Conv2D(*_fields("conv2d", strides, padding, data_format, dilations))(input, filters, name=name)


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
    w = _either("conv2d", "filters", filters, "filter", filter)
    return conv2d(
        input,
        w,
        _needed("conv2d", "strides", strides),
        _needed("conv2d", "padding", padding),
        data_format,
        dilations,
        name,
    )


# --- conv2d_transpose -----------------------------------------------------------------------------


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
    op = Conv2DBackpropInput(*_fields("conv2d_transpose", strides, padding, data_format, dilations))
    x = interpreter.as_tensor(input)
    w = interpreter.as_tensor(filters, x.dtype, what="conv2d_transpose: filters")
    sizes = _output_shape(output_shape, x, w, op)
    try:
        return op(sizes, w, x, name=name or "conv2d_transpose")
    except ShapeError:
        wanted = sizes if isinstance(sizes, tuple) else _value(sizes)
        try:
            shapes.to_input(op, wanted, w.spec.shape or (), x.spec.shape or (), shapes.AS_TRANSPOSE)
        except ShapeError as error:
            raise error.locate() from None
        raise


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
    x = _either(where, "input", input, "value", value)
    w = _either(where, "filters", filters, "filter", filter)
    return conv2d_transpose(
        x, w, output_shape, _needed(where, "strides", strides), padding, data_format, dilations, name
    )


def _output_shape(given: Any, x: Tensor, w: Tensor, op: Any) -> Any:
    """output_shape as a static input: a tuple of ints or a tensor; what is None is worked out."""
    if isinstance(given, TensorShape):
        given = None if given.rank is None else tuple(given.as_list())
    if given is None:
        given = (None, None, None, None)
    if not isinstance(given, (list, tuple)):
        return given
    entries = tuple([n.value if isinstance(n, Dimension) else n for n in given])
    if None not in entries or len(entries) != 4:
        return entries
    natural = _natural_shape(x, w, op)
    if isinstance(natural, tuple):
        return tuple([m if n is None else n for n, m in zip(entries, natural, strict=True)])
    return [natural[i] if n is None else n for i, n in enumerate(entries)]


def _natural_shape(x: Tensor, w: Tensor, op: Any) -> Any:
    """The shape that a transposed convolution has when nobody says one: a tuple, or a tensor of four numbers."""
    kernel = w.spec.shape
    if kernel is None or len(kernel) != 4 or None in kernel[:3]:
        raise ShapeError(
            "conv2d_transpose: output_shape was not given whole, and cannot be worked out of filters of shape "
            f"{w.shape}; say output_shape"
        ).locate()
    known: Any = kernel
    axes = list(zip(known, op.strides, op.dilations, window.per_axis(op.padding), strict=False))
    more = tuple(window.restored(0, k, s, d, pad) for k, s, d, pad in axes)
    scale = shapes.in_format((1, *op.strides, 0), op.data_format)
    shift = shapes.in_format((0, *more, kernel[2]), op.data_format)
    dims = x.spec.shape
    if dims is not None and len(dims) == 4 and None not in shapes.channels_last(dims, op.data_format)[:3]:
        return tuple([b if a == 0 else n * a + b for n, a, b in zip(dims, scale, shift, strict=True)])
    return Shape_()(x) * list(scale) + list(shift)


def _value(sizes: Any) -> tuple[Any, ...]:
    """What is known of a shape argument, for a message."""
    sizes = interpreter.as_tensor(sizes)
    known = interpreter.static_value(sizes) if hasattr(sizes, "value") else sizes.spec.value
    return known if isinstance(known, tuple) else (None,) * 4


# --- the backward passes --------------------------------------------------------------------------


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
    w = _either(where, "filters", filters, "filter", filter)
    dy = _needed(where, "out_backprop", out_backprop)
    fields = _fields(
        where, _needed(where, "strides", strides), _needed(where, "padding", padding), data_format, dilations
    )
    return Conv2DBackpropInput(*fields)(_sizes(input_sizes), w, dy, name=name)


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
    fields = _fields("conv2d_backprop_filter", strides, padding, data_format, dilations)
    return Conv2DBackpropFilter(*fields)(input, _sizes(filter_sizes), out_backprop, name=name)


def _sizes(given: Any) -> Any:
    """A shape argument, its Dimensions as numbers."""
    if isinstance(given, TensorShape):
        return tuple(given.as_list())
    if isinstance(given, (list, tuple)):
        return tuple([n.value if isinstance(n, Dimension) else n for n in given])
    return given


# --- TensorFlow's ops by their attributes ---------------------------------------------------------


def keywords_only(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function, its arguments to be given by name, as all of TensorFlow's raw_ops want them."""

    @functools.wraps(function)
    def by_name(*args: Any, **kwargs: Any) -> Tensor:
        if args:
            names = ", ".join(inspect.signature(function).parameters)
            raise TypeError(f"{function.__name__} only takes keyword arguments; give each by its name: {names}")
        return function(**kwargs)

    return by_name


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
    fields = _fields("Conv2D", strides, padding, data_format, dilations, explicit_paddings)
    return Conv2D(*fields)(input, filter, name=name)


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
    fields = _fields("Conv2DBackpropInput", strides, padding, data_format, dilations, explicit_paddings)
    return Conv2DBackpropInput(*fields)(_sizes(input_sizes), filter, out_backprop, name=name)


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
    fields = _fields("Conv2DBackpropFilter", strides, padding, data_format, dilations, explicit_paddings)
    return Conv2DBackpropFilter(*fields)(input, _sizes(filter_sizes), out_backprop, name=name)
