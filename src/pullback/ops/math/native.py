"""Elementwise ops on vectors of lanes: what the CPU engine fuses. `rule(op, f, *values)` gives a value.

Only ops, and types, that have a row here are fused; the others run on NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.op import Op, lowering
from pullback.native import mathematics
from pullback.native.ir import I1, Function, Value
from pullback.native.loops import REGISTERS
from pullback.native.scans import add_scan
from pullback.native.tiles import runs_on
from pullback.ops.math import arithmetic as m
from pullback.ops.math.clipping import ClipByValue
from pullback.ops.math.cumulative import Cumprod, Cumsum
from pullback.ops.math.select import Cast, Select
from pullback.ops.math.special import Erf, Erfc


def lanes(*classes: type[Op]) -> Callable[[Any], Any]:
    """Declares how these ops compute on vectors."""
    return lowering("lanes", *classes)


def _row(cls: type[Op], rule: Callable[..., Value]) -> None:
    """A rule that needs nothing of the op."""

    def computed(op: Op, f: Function, *values: Value) -> Value:
        return rule(f, *values)

    lanes(cls)(computed)


def _floats(cls: type[Op], rule: Callable[..., Value]) -> None:
    """The same for floating types only: integers are not fused."""

    def computed(op: Op, f: Function, *values: Value) -> Value:
        return rule(f, *values) if values[0].type.floating else NotImplemented

    lanes(cls)(computed)


def _absolute(f: Function, x: Value) -> Value:
    return f.unary("fabs", x) if x.type.floating else f.maximum(x, -x)


def _sign(f: Function, x: Value) -> Value:
    """-1, 0 or 1; of NaN, NaN."""
    one = f.select(x > 0, 1, f.select(x < 0, -1, 0 * x if x.type.floating else f.zero(x.type)))
    return f.select(x.differs(x), x, one) if x.type.floating else one


def _safe_quotient(f: Function, x: Value, y: Value) -> Value:
    return f.select(y.equals(0), 0, x / y)


def _reciprocal(f: Function, x: Value) -> Value:
    return 1 / x


_row(m.AddV2, lambda f, x, y: x + y)
_row(m.Sub, lambda f, x, y: x - y)
_row(m.Mul, lambda f, x, y: x * y)
_row(m.Neg, lambda f, x: -x)
_row(m.Square, lambda f, x: x * x)
_row(m.SquaredDifference, lambda f, x, y: (x - y) * (x - y))
_row(m.Maximum, lambda f, x, y: f.maximum(x, y))
_row(m.Minimum, lambda f, x, y: f.minimum(x, y))
_row(m.Abs, _absolute)
_row(m.Sign, _sign)
_row(m.Greater, lambda f, x, y: x > y)
_row(m.GreaterEqual, lambda f, x, y: x >= y)
_row(m.Less, lambda f, x, y: x < y)
_row(m.LessEqual, lambda f, x, y: x <= y)
_row(m.Equal, lambda f, x, y: x.equals(y))
_row(m.NotEqual, lambda f, x, y: x.differs(y))
_row(m.LogicalAnd, lambda f, x, y: x & y)
_row(m.LogicalOr, lambda f, x, y: x | y)
_row(m.LogicalXor, lambda f, x, y: x ^ y)
_row(m.LogicalNot, lambda f, x: ~x)

_floats(m.RealDiv, lambda f, x, y: x / y)
_floats(m.DivNoNan, _safe_quotient)
_floats(m.MulNoNan, lambda f, x, y: f.select(y.equals(0), 0, x * y))
_floats(m.Reciprocal, _reciprocal)
_floats(m.ReciprocalGrad, lambda f, y, dy: -dy * y * y)
_floats(m.Sqrt, lambda f, x: f.unary("sqrt", x))
_floats(m.SqrtGrad, lambda f, y, dy: f.select(dy.equals(0), 0, dy * 0.5 / y))
_floats(m.Rsqrt, lambda f, x: 1 / f.unary("sqrt", x))
_floats(m.RsqrtGrad, lambda f, y, dy: dy * -0.5 * y * y * y)
_floats(m.Exp, mathematics.exp)
_floats(m.Expm1, mathematics.expm1)
_floats(m.Log, mathematics.log)
_floats(m.Log1p, mathematics.log1p)
_floats(m.Tanh, mathematics.tanh)
_floats(m.TanhGrad, lambda f, y, dy: dy * (1 - y * y))
_floats(m.Sigmoid, mathematics.sigmoid)
_floats(m.SigmoidGrad, lambda f, y, dy: dy * y * (1 - y))
_floats(m.Rint, lambda f, x: f.unary("roundeven", x))
_floats(m.Round, lambda f, x: f.unary("roundeven", x))
_floats(m.Floor, lambda f, x: f.unary("floor", x))
_floats(m.Ceil, lambda f, x: f.unary("ceil", x))
_floats(m.IsNan, lambda f, x: x.differs(x))
_floats(m.IsInf, lambda f, x: f.unary("fabs", x).equals(math.inf))
_floats(m.IsFinite, lambda f, x: f.unary("fabs", x) < math.inf)

# Of the C library, lane by lane.
_LIBRARY = {
    m.Pow: "pow",
    m.Sin: "sin",
    m.Cos: "cos",
    m.Tan: "tan",
    m.Asin: "asin",
    m.Acos: "acos",
    m.Atan: "atan",
    m.Atan2: "atan2",
    m.Sinh: "sinh",
    m.Cosh: "cosh",
    m.Asinh: "asinh",
    m.Acosh: "acosh",
    m.Atanh: "atanh",
    Erf: "erf",
    Erfc: "erfc",
}


def _called(name: str) -> Callable[..., Value]:
    return lambda f, *values: f.library(name, *values)


for _op, _name in _LIBRARY.items():
    _floats(_op, _called(_name))


@lanes(Select)
def select(op: Op, f: Function, condition: Value, yes: Value, no: Value) -> Value:
    return f.select(condition, yes, no)


@lanes(ClipByValue)
def clip_by_value(op: Op, f: Function, t: Value, low: Value, high: Value) -> Value:
    return f.minimum(f.maximum(t, low), high)


@lanes(Cast)
def cast(op: Any, f: Function, x: Value) -> Value:
    """Between the kinds of lanes; from a float only to a float or bool: NumPy's answer for what does not fit an integer
    is not the machine's."""
    to = REGISTERS.get(np.dtype(op.DstT.numpy))
    if to is None or (x.type.floating and not to.floating and to is not I1):
        return NotImplemented
    return x.differs(0) if to is I1 and x.type.scalar != I1 else x.to(to)


@lowering("native", Cumsum, Cumprod)
def running(op: Any, task: Any) -> Any:
    (x, _), (y,) = task.inputs, task.outputs
    if 1 not in task.known or not runs_on(x):
        return NotImplemented
    axis = int(np.reshape(task.known[1], ())) % len(x.shape)
    add_scan(task, x, y, axis, op.type == "Cumprod", op.exclusive, op.reverse)
    return None
