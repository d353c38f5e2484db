"""The public functions of pooling, under TensorFlow 2's and TensorFlow 1's names."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.nn.pool import MaxPoolWithArgmax
from pullback.ops.nn.pool.arguments import AVG, MAX, either, fields, image, made, pooled, rank_said


@public("nn.max_pool", v1="nn.max_pool_v2")
def max_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """The largest value in each window.

    Args:
      input: Tensor [N,*spatial,C], or [N,C,*spatial] for "NCW", "NCHW" or "NCDHW", of one to three spatial axes; real.
      ksize, strides: an int, a number for each spatial axis in pixels, or one for each dimension.
      padding: "SAME", "VALID", or a pair (before, after) for each dimension, less than ksize on every side. What is
        padded never wins.
      data_format: channels last where left out, with as many spatial axes as input has.
    Returns:
      Tensor [N,P,Q,C], in data_format's order.
    Raises:
      ShapeError: the window is larger than the padded input.
    Gradient: dy goes to the winning pixel; on a tie, to the first in row order. Of every order.
    """
    x = interpreter.as_tensor(input)
    rank = rank_said("max_pool", x, data_format)
    return pooled(MAX, "max_pool", x, ksize, strides, padding, data_format, rank, name)


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
    return pooled(MAX, "max_pool", either("max_pool", value, input), ksize, strides, padding, data_format, 2, name)


@public("nn.max_pool2d")
def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """The largest value in each window of an image; see `max_pool`."""
    return pooled(MAX, "max_pool2d", input, ksize, strides, padding, data_format, 2, name)


@public("nn.avg_pool", v1="nn.avg_pool_v2")
def avg_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """The mean of each window's pixels. Padding does not count: at edges the divisor is smaller.

    Args:
      input: Tensor, as for `max_pool`; floating.
      ksize, strides, padding, data_format: as for `max_pool`.
    Returns:
      Tensor [N,P,Q,C], in data_format's order.
    Raises:
      ShapeError: the window is larger than the padded input.
    Gradient: each dy spread evenly over its window's pixels. Of every order.
    """
    x = interpreter.as_tensor(input)
    rank = rank_said("avg_pool", x, data_format)
    return pooled(AVG, "avg_pool", x, ksize, strides, padding, data_format, rank, name)


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
    return pooled(AVG, "avg_pool", either("avg_pool", value, input), ksize, strides, padding, data_format, 2, name)


@public("nn.avg_pool2d", v1=None)
def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """The mean of each window of an image; see `avg_pool`."""
    return pooled(AVG, "avg_pool2d", input, ksize, strides, padding, data_format, 2, name)


@public("nn.max_pool1d")
def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """The largest value in each window of a row; see `max_pool`. By max_pool2d over images of height 1.

    Args:
      input: Tensor [N,W,C], or [N,C,W] for data_format "NCW".
      ksize, strides: an int, one number or three. padding: as for `max_pool`.
    Raises:
      ShapeError: input has another number of dimensions, or the window is larger than it.
    """
    return pooled(MAX, "max_pool1d", input, ksize, strides, padding, data_format, 1, name)


@public("nn.max_pool3d")
def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """The largest value in each window of a volume; see `max_pool`.

    Args:
      input: Tensor [N,D,H,W,C], or [N,C,D,H,W] for data_format "NCDHW".
      ksize, strides: an int, three numbers (depth, height, width) or five. padding: as for `max_pool`.
    Raises:
      ShapeError: input has another number of dimensions, or the window is larger than it.
    """
    return pooled(MAX, "max_pool3d", input, ksize, strides, padding, data_format, 3, name)


@public("nn.avg_pool1d")
def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """The mean of each window of a row; see `avg_pool`. By avg_pool2d over images of height 1.

    Args:
      input: Tensor [N,W,C], or [N,C,W] for data_format "NCW".
      ksize, strides: an int, one number or three. padding: as for `avg_pool`.
    Raises:
      ShapeError: input has another number of dimensions, or the window is larger than it.
    """
    return pooled(AVG, "avg_pool1d", input, ksize, strides, padding, data_format, 1, name)


@public("nn.avg_pool3d")
def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """The mean of each window of a volume; see `avg_pool`.

    Args:
      input: Tensor [N,D,H,W,C], or [N,C,D,H,W] for data_format "NCDHW".
      ksize, strides: an int, three numbers (depth, height, width) or five. padding: as for `avg_pool`.
    Raises:
      ShapeError: input has another number of dimensions, or the window is larger than it.
    """
    return pooled(AVG, "avg_pool3d", input, ksize, strides, padding, data_format, 3, name)


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
    k, s, pad, _ = fields(where, ksize, strides, padding, data_format)
    op = made(MaxPoolWithArgmax, (k, s, pad, as_dtype(output_dtype), bool(include_batch_in_index)))
    return op(image(input, where), name=name)


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
