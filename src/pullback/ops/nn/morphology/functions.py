"""The public functions of grey-scale morphology, under TensorFlow 2's and TensorFlow 1's names."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.layout import ReverseV2
from pullback.ops.math.arithmetic import Neg
from pullback.ops.math.scopes import scope
from pullback.ops.nn.conv import window
from pullback.ops.nn.conv.arguments import either, needed
from pullback.ops.nn.morphology import Dilation2D, Dilation2DBackpropFilter, Dilation2DBackpropInput
from pullback.ops.raw_op import NEEDED, raw_op


def _fields(where: str, strides: Any, dilations: Any, padding: Any, data_format: Any = "NHWC") -> tuple[Any, ...]:
    """An op's fields of what the user says, its errors with the user's line."""
    if data_format != "NHWC":
        raise ArgumentError(
            f'{where}: data_format must be "NHWC", as in TensorFlow, not {data_format!r}; use tf.transpose first'
        ).locate()
    try:
        return (
            window.numbers(strides, "strides", where),
            window.numbers(dilations, "dilations", where),
            window.padding_of(padding, where),
        )
    except ArgumentError as error:
        raise error.locate() from None


@public("nn.dilation2d", v1=None)
def dilation2d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str, dilations: Any, name: str | None = None
) -> Tensor:
    """Grey-scale dilation: y[n,p,q,c] = max_{r,s} x[n, p*a + r*d - top, q*b + s*e - left, c] + w[r,s,c].

    Args:
      input: Tensor [N,H,W,C], real. filters: Tensor [R,S,C], the structuring function.
      strides, dilations: an int, two numbers (height, width), or four.
      padding: "SAME" or "VALID". What is padded never wins.
      data_format: "NHWC"; TensorFlow knows no other here.
    Returns:
      Tensor [N,P,Q,C].
    Raises:
      ShapeError: ranks or channels do not fit, or the window is larger than the image.
      ArgumentError: strides, padding, data_format or dilations mean nothing.
    Gradient: dy goes to the winning pixel and the winning weight; on a tie, to the first in row order. Of every order.
    """
    return Dilation2D(*_fields("dilation2d", strides, dilations, padding, data_format))(input, filters, name=name)


@public(v1="nn.dilation2d")
def dilation2d_v1(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """`dilation2d` with TensorFlow 1's names: `filter` is filters, `rates` dilations."""
    where = "dilation2d"
    w = either(where, "filters", filters, "filter", filter)
    rates = either(where, "dilations", dilations, "rates", rates)
    found = _fields(where, needed(where, "strides", strides), rates, needed(where, "padding", padding))
    return Dilation2D(*found)(input, w, name=name)


@public("nn.erosion2d", v1=None)
def erosion2d(
    value: Any, filters: Any, strides: Any, padding: Any, data_format: str, dilations: Any, name: str | None = None
) -> Tensor:
    """Grey-scale erosion: y[n,p,q,c] = min_{r,s} x[n, p*a + r*d - top, q*b + s*e - left, c] - w[R-1-r,S-1-s,c].

    The dual of dilation: -dilation2d(-value, filters turned round), and so it is computed, as in TensorFlow.

    Args:
      value: Tensor [N,H,W,C], real. filters: Tensor [R,S,C], the structuring function.
      strides, padding, data_format, dilations: as for `dilation2d`.
    Returns:
      Tensor [N,P,Q,C].
    Raises:
      ShapeError, ArgumentError: as `dilation2d`.
    Gradient: dy goes to the winning pixel and weight; on a tie, to the first pixel in row order. Of every order.
    """
    op = Dilation2D(*_fields("erosion2d", strides, dilations, padding, data_format))
    return _eroded(op, value, filters, name)


@public(v1="nn.erosion2d")
def erosion2d_v1(value: Any, kernel: Any, strides: Any, rates: Any, padding: Any, name: str | None = None) -> Tensor:
    """`erosion2d` with TensorFlow 1's names: `kernel` is filters, `rates` dilations."""
    return _eroded(Dilation2D(*_fields("erosion2d", strides, rates, padding)), value, kernel, name)


def _eroded(op: Any, value: Any, filters: Any, name: str | None) -> Tensor:
    x = interpreter.as_tensor(value)
    w = interpreter.as_tensor(filters, x.dtype, what="erosion2d: filters")
    with scope(name, "erosion2d", x, w) as full:
        return Neg()(op(Neg()(x), ReverseV2()(w, (0, 1)), name=full))


# --- TensorFlow's ops by their attributes ---------------------------------------------------------


def _by_attributes(kind: Any, strides: Any, rates: Any, padding: Any) -> Any:
    return kind(*_fields(kind.type, strides, rates, padding))


for _kind in (Dilation2D, Dilation2DBackpropInput, Dilation2DBackpropFilter):
    raw_op(globals(), _kind, _by_attributes, {"strides": NEEDED, "rates": NEEDED, "padding": NEEDED})
