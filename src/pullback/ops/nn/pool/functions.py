"""The public functions of pooling, under TensorFlow 2's and TensorFlow 1's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv import window
from pullback.ops.nn.pool import MaxPoolWithArgmax
from pullback.ops.nn.pool.arguments import AVG, MAX, either, fields, image, made, pooled, rank_said

Pooling = Callable[..., Tensor]

_LARGEST = "The largest value in each window. What is padded never wins."
_MEAN = "The mean of each window's pixels. Padding does not count: at edges the divisor is smaller."
_ARGUMENTS = """

    Args:
      {value}: Tensor {layouts}; {types}.
      ksize, strides: an int, a number for each spatial axis in pixels, or one for each dimension.
      padding: "SAME", "VALID", or a pair (before, after) for each dimension, less than ksize on every side.
      data_format: {default}.
    Returns:
      Tensor of the same layout, with the windows' positions in place of the pixels.
    Raises:
      ShapeError: the input has another number of dimensions, or the window is larger than it with its padding.
      ArgumentError: ksize, strides, padding or data_format mean nothing.
    Gradient: {gradient}. Of every order.
    """
_ORDINARY = '[N,*spatial,C], or [N,C,*spatial] for a data_format that begins with "NC", of one to three spatial axes'


def _documented(function: Pooling, name: str, kinds: Any, rank: int | None, value: str = "input") -> Pooling:
    """The function with its name, and with its documentation by what and over how many axes it pools."""
    layouts = _ORDINARY if rank is None else " or ".join(f"[{','.join(layout)}]" for layout in window.LAYOUTS[rank])
    default = "channels last where left out" if rank is None else " or ".join(map(repr, window.LAYOUTS[rank]))
    largest = kinds is MAX
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (_LARGEST if largest else _MEAN) + _ARGUMENTS.format(
        value=value,
        layouts=layouts,
        types="real or integer" if largest else "floating or complex",
        default=default,
        gradient="dy goes to the winning pixel; on a tie, to the first in row order"
        if largest
        else "each dy spread evenly over its window's pixels",
    )
    return function


def _of_any_rank(name: str, kinds: Any) -> Pooling:
    def pool(
        input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
    ) -> Tensor:
        x = interpreter.as_tensor(input)
        return pooled(kinds, where, x, ksize, strides, padding, data_format, rank_said(where, x, data_format), name)

    where = name
    return public(f"nn.{name}", v1=f"nn.{name}_v2")(_documented(pool, name, kinds, None))


def _of_rank(name: str, kinds: Any, rank: int, v1: Any = ()) -> Pooling:
    layout = window.LAYOUTS[rank][0]

    def pool(
        input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = layout, name: str | None = None
    ) -> Tensor:
        return pooled(kinds, where, input, ksize, strides, padding, data_format, rank, name)

    where = name
    return public(f"nn.{name}", v1=v1)(_documented(pool, name, kinds, rank))


def _of_images_v1(name: str, kinds: Any, *names: str) -> Pooling:
    """TensorFlow 1's, whose `value` is input."""

    def pool(
        value: Any,
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: str = "NHWC",
        name: str | None = None,
        input: Any = None,
    ) -> Tensor:
        return pooled(kinds, where, either(where, value, input), ksize, strides, padding, data_format, 2, name)

    where = name
    return public(v1=names)(_documented(pool, f"{name}_v1", kinds, 2, "value (or input)"))


max_pool, avg_pool = _of_any_rank("max_pool", MAX), _of_any_rank("avg_pool", AVG)
max_pool1d, avg_pool1d = _of_rank("max_pool1d", MAX, 1), _of_rank("avg_pool1d", AVG, 1)
max_pool2d, avg_pool2d = _of_rank("max_pool2d", MAX, 2), _of_rank("avg_pool2d", AVG, 2, v1=None)
max_pool3d, avg_pool3d = _of_rank("max_pool3d", MAX, 3), _of_rank("avg_pool3d", AVG, 3)
max_pool_v1 = _of_images_v1("max_pool", MAX, "nn.max_pool")
avg_pool_v1 = _of_images_v1("avg_pool", AVG, "nn.avg_pool", "nn.avg_pool2d")


# --- and where the largest was --------------------------------------------------------------------


class MaxAndArgmax(NamedTuple):
    """What max_pool_with_argmax answers."""

    output: Tensor
    argmax: Tensor


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
) -> MaxAndArgmax:
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
    return MaxAndArgmax(*op(image(input, where), name=name))


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
) -> MaxAndArgmax:
    """`max_pool_with_argmax` with TensorFlow 1's names: `Targmax` is output_dtype."""
    if Targmax is not None and output_dtype is not None:
        raise ArgumentError("max_pool_with_argmax: Targmax and output_dtype are the same argument; give one").locate()
    asked = output_dtype if Targmax is None else Targmax
    dtype = dtypes.int64 if asked is None else as_dtype(asked)
    return max_pool_with_argmax(input, ksize, strides, padding, data_format, dtype, include_batch_in_index, name)
