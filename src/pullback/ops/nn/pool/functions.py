"""The public functions of 2-D pooling, under TensorFlow 2's and TensorFlow 1's names."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv import window
from pullback.ops.nn.pool import AvgPool, MaxPool, MaxPoolWithArgmax


def _fields(where: str, ksize: Any, strides: Any, padding: Any, data_format: Any) -> tuple[Any, ...]:
    """An op's fields of what the user says, its errors with the user's line."""
    data_format = "NHWC" if data_format is None else data_format
    try:
        window.check_format(data_format, where)
        return (
            window.pair(ksize, "ksize", where, data_format),
            window.pair(strides, "strides", where, data_format),
            window.padding_of(padding, where, data_format),
            data_format,
        )
    except ArgumentError as error:
        raise error.locate() from None


def _made(kind: type, fields: tuple[Any, ...]) -> Any:
    try:
        return kind(*fields)
    except ArgumentError as error:
        raise error.locate() from None


def _image(input: Any, where: str) -> Tensor:
    """The input as a tensor of four dimensions, as far as known."""
    x = interpreter.as_tensor(input)
    if x.spec.shape is not None and len(x.spec.shape) != 4:
        raise ShapeError(
            f"{where}: input must have 4 dimensions, [N,H,W,C] or [N,C,H,W], but has shape {x.shape}; use tf.reshape"
        ).locate()
    return x


def _either(where: str, value: Any, input: Any) -> Any:
    if (value is None) == (input is None):
        raise ArgumentError(f"{where}: give value or input, which are the same argument, once").locate()
    return input if value is None else value


@public("nn.max_pool", v1="nn.max_pool_v2")
def max_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """The largest value in each window.

    Args:
      input: Tensor [N,H,W,C], or [N,C,H,W] for data_format "NCHW"; real.
      ksize, strides: an int, two numbers (height, width) in pixels, or four in data_format's order.
      padding: "SAME", "VALID", or [[0,0],[top,bottom],[left,right],[0,0]] in data_format's order, less than ksize on
        every side. What is padded never wins.
    Returns:
      Tensor [N,P,Q,C], in data_format's order.
    Raises:
      ShapeError: the window is larger than the padded input.
    Gradient: dy goes to the winning pixel; on a tie, to the first in row order. Of every order.
    """
    return _made(MaxPool, _fields("max_pool", ksize, strides, padding, data_format))(
        _image(input, "max_pool"), name=name
    )


@public(v1="nn.max_pool")
def max_pool_v1(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """`max_pool` with TensorFlow 1's names: `value` is input."""
    return max_pool(_either("max_pool", value, input), ksize, strides, padding, data_format, name)


@public("nn.max_pool2d")
def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """The largest value in each window of an image; see `max_pool`."""
    return _made(MaxPool, _fields("max_pool2d", ksize, strides, padding, data_format))(
        _image(input, "max_pool2d"), name=name
    )


@public("nn.avg_pool", v1="nn.avg_pool_v2")
def avg_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """The mean of each window's pixels. Padding does not count: at edges the divisor is smaller.

    Args:
      input: Tensor [N,H,W,C], or [N,C,H,W] for data_format "NCHW"; floating.
      ksize, strides, padding: as for `max_pool`.
    Returns:
      Tensor [N,P,Q,C], in data_format's order.
    Raises:
      ShapeError: the window is larger than the padded input.
    Gradient: each dy spread evenly over its window's pixels. Of every order.
    """
    return _made(AvgPool, _fields("avg_pool", ksize, strides, padding, data_format))(
        _image(input, "avg_pool"), name=name
    )


@public(v1=("nn.avg_pool", "nn.avg_pool2d"))
def avg_pool_v1(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """`avg_pool` with TensorFlow 1's names: `value` is input."""
    return avg_pool(_either("avg_pool", value, input), ksize, strides, padding, data_format, name)


@public("nn.avg_pool2d", v1=None)
def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """The mean of each window of an image; see `avg_pool`."""
    return _made(AvgPool, _fields("avg_pool2d", ksize, strides, padding, data_format))(
        _image(input, "avg_pool2d"), name=name
    )


@public("nn.max_pool_with_argmax", v1=None)
def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    output_dtype: DType = dtypes.int64,
    include_batch_in_index: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Largest value in each window, and where it was.

    Args:
      input: Tensor [N,H,W,C], real.
      ksize, strides: an int, two numbers (height, width) in pixels, or four.
      padding: "SAME" or "VALID".
      data_format: "NHWC"; TensorFlow knows no other here.
      output_dtype: of argmax, int32 or int64.
      include_batch_in_index: argmax counts over (N,H,W,C).
    Returns:
      (output, argmax), both [N,P,Q,C]; argmax flat over (H,W,C) of the image without its padding.
    Raises:
      ShapeError: the window is larger than the padded input.
    Gradient: dy goes to the winning pixel; on a tie, to the first in row order.
    Source: Zeiler & Fergus 2014, section 2.1 ("switches").
    """
    where = "max_pool_with_argmax"
    if data_format != "NHWC":
        raise ArgumentError(
            f'{where}: data_format must be "NHWC", as in TensorFlow, not {data_format!r}; use tf.transpose first'
        ).locate()
    k, s, pad, _ = _fields(where, ksize, strides, padding, data_format)
    op = _made(MaxPoolWithArgmax, (k, s, pad, as_dtype(output_dtype), bool(include_batch_in_index)))
    return op(_image(input, where), name=name)


@public(v1="nn.max_pool_with_argmax")
def max_pool_with_argmax_v1(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    Targmax: Any = None,
    name: str | None = None,
    output_dtype: Any = None,
    include_batch_in_index: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool_with_argmax` with TensorFlow 1's names: `Targmax` is output_dtype."""
    if Targmax is not None and output_dtype is not None:
        raise ArgumentError("max_pool_with_argmax: Targmax and output_dtype are the same argument; give one").locate()
    asked = output_dtype if Targmax is None else Targmax
    dtype = dtypes.int64 if asked is None else as_dtype(asked)
    return max_pool_with_argmax(input, ksize, strides, padding, data_format, dtype, include_batch_in_index, name)
