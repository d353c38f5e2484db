"""The table of elementwise ops: arithmetic, powers, exponentials, trigonometry, rounding, comparison, logic."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.backprop import asked
from pullback.core.basics import OnesLike, ZerosLike
from pullback.core.dtypes import FLOATS, INTS, NUMBERS, REALS
from pullback.core.errors import InvalidArgumentError
from pullback.ops.math.elementwise import conj, elementwise

_TWO = "x: T, y: T"
_REAL = (*REALS, *INTS)
_NONZERO = (0.5, 3.0)


def _where(condition: Any, yes: Any, no: Any) -> Any:
    from pullback.ops.math.select import Select

    return Select()(condition, yes, no)


# --- arithmetic -----------------------------------------------------------------------------------------------------
_any = {"takes": _TWO, "T": NUMBERS}
AddV2 = elementwise("AddV2", numpy=np.add, grad=lambda n, dy: (dy, dy), carries_values=True, **_any)
Sub = elementwise(
    "Sub", numpy=np.subtract, grad=lambda n, dy: (dy, -dy if asked(n)[1] else None), carries_values=True, **_any
)


def _product_grad(node: Any, dy: Any) -> Any:
    x, y = node.inputs
    to_x, to_y = asked(node)
    return dy * conj(y) if to_x else None, dy * conj(x) if to_y else None


Mul = elementwise(
    "Mul",
    numpy=np.multiply,
    grad=_product_grad,
    carries_values=True,
    linear=(0, 1),
    **_any,
)


def _quotient_grad(node: Any, dy: Any) -> Any:
    _, y = node.inputs
    to_x, to_y = asked(node)
    return dy / conj(y) if to_x else None, dy * conj(-node.results[0] / y) if to_y else None


RealDiv = elementwise(
    "RealDiv",
    numpy=np.divide,
    grad=_quotient_grad,
    takes=_TWO,
    linear=(0,),
    domain=(_NONZERO, _NONZERO),
)
Neg = elementwise("Neg", numpy=np.negative, grad=lambda n, dy: -dy, linear=(0,), T=NUMBERS)


def _nonzero_divisor(f: Any) -> Any:
    def divide(x: Any, y: Any) -> Any:
        if np.asarray(y).dtype.kind in "iu" and np.any(np.equal(y, 0)):
            raise InvalidArgumentError("integer division by zero")
        return f(x, y)

    return divide


FloorDiv = elementwise(
    "FloorDiv",
    numpy=_nonzero_divisor(np.floor_divide),
    takes=_TWO,
    T=_REAL,
    domain=((1.0, 9.0), (1.0, 4.0)),
    carries_values=True,
    smooth=False,
)
FloorMod = elementwise(
    "FloorMod",
    numpy=_nonzero_divisor(np.mod),
    grad=lambda n, dy: (dy, -dy * FloorDiv()(*n.inputs)),
    takes=_TWO,
    T=_REAL,
    domain=((1.0, 1.9), (2.0, 3.0)),
    carries_values=True,
)


def _truncated(x: Any, y: Any) -> Any:
    """x / y; of integers, towards zero. (TensorFlow does not truncate floats here either.)"""
    if np.asarray(x).dtype.kind not in "iu":
        return np.divide(x, y)
    quotient = np.floor_divide(x, y)
    return quotient + ((quotient < 0) & (quotient * y != x)).astype(quotient.dtype)


def _truncate_div_grad(node: Any, dy: Any) -> Any:
    x, y = node.inputs
    return (dy / y, dy * (-node.results[0] / y)) if x.dtype in REALS else (None, None)


TruncateDiv = elementwise(
    "TruncateDiv",
    numpy=_nonzero_divisor(_truncated),
    grad=_truncate_div_grad,
    takes=_TWO,
    T=_REAL,
    domain=(_NONZERO, _NONZERO),
    carries_values=True,
    doc="x / y, of integers the quotient towards zero.",
)


def _truncate_mod_grad(node: Any, dy: Any) -> Any:
    x, y = node.inputs
    whole = Rint()((x - node.results[0]) / y) if x.dtype in REALS else TruncateDiv()(x, y)
    return dy, -dy * whole


TruncateMod = elementwise(
    "TruncateMod",
    numpy=_nonzero_divisor(np.fmod),
    grad=_truncate_mod_grad,
    takes=_TWO,
    T=_REAL,
    domain=((1.0, 1.9), (2.0, 3.0)),
    carries_values=True,
    doc="x - y trunc(x / y): has x's sign.",
)
DivNoNan = elementwise(
    "DivNoNan",
    numpy=lambda x, y: np.where(y == 0, np.zeros_like(y), x / y),
    grad=lambda n, dy: (
        DivNoNan()(dy, conj(n.inputs[1])),
        dy * conj(DivNoNan()(DivNoNan()(-n.inputs[0], n.inputs[1]), n.inputs[1])),
    ),
    takes=_TWO,
    domain=(_NONZERO, _NONZERO),
    doc="x / y, and 0 where y is 0.",
)
MulNoNan = elementwise(
    "MulNoNan",
    numpy=lambda x, y: np.where(y == 0, np.zeros_like(y), x * y),
    grad=lambda n, dy: (MulNoNan()(dy, conj(n.inputs[1])), MulNoNan()(conj(n.inputs[0]), dy)),
    takes=_TWO,
    doc="x y, and 0 where y is 0, also when x is nan or infinite.",
)
SquaredDifference = elementwise(
    "SquaredDifference",
    numpy=lambda x, y: np.conj(x - y) * (x - y) if np.iscomplexobj(x) else np.square(x - y),
    d=(lambda x, y, z: 2 * (x - y), lambda x, y, z: -2 * (x - y)),
    takes=_TWO,
    T=_REAL,
)
Maximum = elementwise(
    "Maximum",
    numpy=np.maximum,
    grad=lambda n, dy: _winner(GreaterEqual, n, dy),
    takes=_TWO,
    T=_REAL,
    domain=((-3.0, 0.0), (0.1, 3.0)),
    carries_values=True,
    doc="The larger of two; on a tie all of the gradient goes to the first.",
)
Minimum = elementwise(
    "Minimum",
    numpy=np.minimum,
    grad=lambda n, dy: _winner(LessEqual, n, dy),
    takes=_TWO,
    T=_REAL,
    domain=((-3.0, 0.0), (0.1, 3.0)),
    carries_values=True,
    doc="The smaller of two; on a tie all of the gradient goes to the first.",
)


def _winner(first_wins: Any, node: Any, dy: Any) -> Any:
    won, zero = first_wins()(*node.inputs), ZerosLike()(dy)
    to_x, to_y = asked(node)
    return _where(won, dy, zero) if to_x else None, _where(won, zero, dy) if to_y else None


# --- powers ---------------------------------------------------------------------------------------------------------
Square = elementwise("Square", numpy=np.square, d=lambda x, y: 2 * x, T=NUMBERS)


def _pow(x: Any, y: Any) -> Any:
    if np.asarray(y).dtype.kind == "i" and np.any(np.asarray(y) < 0):
        raise InvalidArgumentError("Integers to negative integer powers are not allowed; cast to a float type first")
    return np.power(x, y)


def _pow_grad(node: Any, dy: Any) -> Any:
    x, y = node.inputs
    to_x, to_y = asked(node)
    dx = dy * conj(y * Pow()(x, y - OnesLike()(y))) if to_x else None
    return dx, dy * conj(node.results[0] * _log_or_zero(x)) if to_y else None


def _log_or_zero(x: Any) -> Any:
    """log x, and 0 where it is not defined."""
    positive = x > 0 if not x.dtype.is_complex else NotEqual()(x, ZerosLike()(x))
    if x.dtype not in FLOATS:
        return ZerosLike()(x)
    return _where(positive, Log()(_where(positive, x, OnesLike()(x))), ZerosLike()(x))


Pow = elementwise("Pow", numpy=_pow, grad=_pow_grad, domain=((0.5, 2.0), (0.5, 3.0)), **_any)

SqrtGrad = elementwise(
    "SqrtGrad",
    numpy=lambda y, dy: np.where(dy == 0, np.zeros_like(dy), dy * y.dtype.type(0.5) / y),
    d=(lambda y, dy, z: -z / y, lambda y, dy, z: 0.5 / y),
    takes="y: T, dy: T",
    linear=(1,),
    domain=(_NONZERO, _NONZERO),
    doc="dy / 2y, and 0 where dy is 0 (also at y = 0, as in TensorFlow).",
)
Sqrt = elementwise("Sqrt", numpy=np.sqrt, grad=lambda n, dy: SqrtGrad()(conj(n.results[0]), dy), domain=_NONZERO)
RsqrtGrad = elementwise(
    "RsqrtGrad",
    numpy=lambda y, dy: dy * y.dtype.type(-0.5) * y * y * y,
    d=(lambda y, dy, z: -1.5 * dy * y * y, lambda y, dy, z: -0.5 * y * y * y),
    takes="y: T, dy: T",
    linear=(1,),
)
Rsqrt = elementwise(
    "Rsqrt",
    numpy=lambda x: np.reciprocal(np.sqrt(x)),
    grad=lambda n, dy: RsqrtGrad()(conj(n.results[0]), dy),
    domain=_NONZERO,
)
ReciprocalGrad = elementwise(
    "ReciprocalGrad",
    numpy=lambda y, dy: -dy * y * y,
    d=(lambda y, dy, z: -2 * dy * y, lambda y, dy, z: -y * y),
    takes="y: T, dy: T",
    linear=(1,),
)
Reciprocal = elementwise(
    "Reciprocal",
    numpy=np.reciprocal,
    grad=lambda n, dy: ReciprocalGrad()(conj(n.results[0]), dy),
    domain=_NONZERO,
)

# --- exponentials ---------------------------------------------------------------------------------------------------
Exp = elementwise("Exp", numpy=np.exp, d=lambda x, y: y)
Log = elementwise("Log", numpy=np.log, grad=lambda n, dy: dy * Reciprocal()(conj(n.inputs[0])), domain=_NONZERO)
Log1p = elementwise("Log1p", numpy=np.log1p, d=lambda x, y: Reciprocal()(1 + x), domain=(-0.5, 3.0))
Expm1 = elementwise("Expm1", numpy=np.expm1, d=lambda x, y: 1 + y)


def _nonzero(x: Any) -> Any:
    """1 where x is not 0, else 0, in x's type."""
    return _where(NotEqual()(x, ZerosLike()(x)), OnesLike()(x), ZerosLike()(x))


def _unless_zero(f: Any) -> Any:
    return lambda x, y: np.where(x == 0, np.zeros_like(x), f(x, y))


Xlogy = elementwise(
    "Xlogy",
    numpy=_unless_zero(lambda x, y: x * np.log(y)),
    d=(lambda x, y, z: Xlogy()(_nonzero(x), y), lambda x, y, z: Xdivy()(x, y)),
    takes=_TWO,
    domain=(_NONZERO, _NONZERO),
    doc="x log y, and 0 where x is 0.",
)
Xlog1py = elementwise(
    "Xlog1py",
    numpy=_unless_zero(lambda x, y: x * np.log1p(y)),
    d=(lambda x, y, z: Xlog1py()(_nonzero(x), y), lambda x, y, z: Xdivy()(x, y + 1)),
    takes=_TWO,
    domain=(_NONZERO, _NONZERO),
    doc="x log(1 + y), and 0 where x is 0.",
)
Xdivy = elementwise(
    "Xdivy",
    numpy=_unless_zero(np.divide),
    d=(lambda x, y, z: Xdivy()(_nonzero(x), y), lambda x, y, z: Xdivy()(-x, Square()(y))),
    takes=_TWO,
    domain=(_NONZERO, _NONZERO),
    doc="x / y, and 0 where x is 0.",
)
TanhGrad = elementwise(
    "TanhGrad",
    numpy=lambda y, dy: dy * (1 - y * y),
    d=(lambda y, dy, z: -2 * dy * y, lambda y, dy, z: 1 - y * y),
    takes="y: T, dy: T",
    linear=(1,),
)
Tanh = elementwise("Tanh", numpy=np.tanh, grad=lambda n, dy: TanhGrad()(conj(n.results[0]), dy), domain=(-2.0, 2.0))
SigmoidGrad = elementwise(
    "SigmoidGrad",
    numpy=lambda y, dy: dy * y * (1 - y),
    d=(lambda y, dy, z: dy * (1 - 2 * y), lambda y, dy, z: y * (1 - y)),
    takes="y: T, dy: T",
    linear=(1,),
)


def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)); of x below 0, exp(x) / (1 + exp(x)), so that nothing overflows."""
    if np.iscomplexobj(x):
        return 1 / (1 + np.exp(-x))
    return (np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))).astype(x.dtype)


Sigmoid = elementwise("Sigmoid", numpy=_sigmoid, grad=lambda n, dy: SigmoidGrad()(conj(n.results[0]), dy))

# --- trigonometry ---------------------------------------------------------------------------------------------------
Sin = elementwise("Sin", numpy=np.sin, d=lambda x, y: Cos()(x))
Cos = elementwise("Cos", numpy=np.cos, d=lambda x, y: -Sin()(x))
Tan = elementwise("Tan", numpy=np.tan, d=lambda x, y: 1 + y * y, domain=(-1.0, 1.0))
Atan = elementwise("Atan", numpy=np.arctan, d=lambda x, y: Reciprocal()(1 + x * x), domain=(-0.6, 0.6))
Asin = elementwise("Asin", numpy=np.arcsin, d=lambda x, y: Reciprocal()(Sqrt()(1 - Square()(x))), domain=(-0.7, 0.7))
Acos = elementwise("Acos", numpy=np.arccos, d=lambda x, y: -Reciprocal()(Sqrt()(1 - Square()(x))), domain=(-0.7, 0.7))
Sinh = elementwise("Sinh", numpy=np.sinh, d=lambda x, y: Cosh()(x), domain=(-2.0, 2.0))
Cosh = elementwise("Cosh", numpy=np.cosh, d=lambda x, y: Sinh()(x), domain=(-2.0, 2.0))
Asinh = elementwise("Asinh", numpy=np.arcsinh, d=lambda x, y: Reciprocal()(Cosh()(y)), domain=(-2.0, 2.0))
Acosh = elementwise("Acosh", numpy=np.arccosh, d=lambda x, y: Reciprocal()(Sinh()(y)), domain=(1.5, 3.0))
Atanh = elementwise("Atanh", numpy=np.arctanh, d=lambda x, y: Reciprocal()(1 - Square()(x)), domain=(-0.7, 0.7))
Atan2 = elementwise(
    "Atan2",
    numpy=np.arctan2,
    d=(
        lambda y, x, z: x / (Square()(x) + Square()(y)),
        lambda y, x, z: -y / (Square()(x) + Square()(y)),
    ),
    takes="y: T, x: T",
    T=REALS,
    domain=(_NONZERO, _NONZERO),
    doc="The angle of the point (x, y), in (-pi, pi].",
)

# --- magnitude, sign, rounding --------------------------------------------------------------------------------------
Abs = elementwise("Abs", numpy=np.abs, grad=lambda n, dy: dy * Sign()(n.inputs[0]), T=_REAL, domain=(0.2, 3.0))
Sign = elementwise(
    "Sign",
    numpy=lambda x: np.where(x == 0, 0, x / np.abs(x)).astype(x.dtype) if np.iscomplexobj(x) else np.sign(x),
    grad=lambda n, dy: _sign_grad(n, dy),
    T=NUMBERS,
    domain=(0.2, 3.0),
    doc="x / |x|, and 0 at 0. A complex sign turns with x: i s Im(conj(s) dy) / |x|; TensorFlow has 0 there.",
)


def _sign_grad(node: Any, dy: Any) -> Any:
    x, s = node.inputs[0], node.results[0]
    if not x.dtype.is_complex:
        return ZerosLike()(x)
    turned = Conj()(s) * dy
    return DivNoNan()(s * (turned - Conj()(turned)) / 2, x * Conj()(s))


_flat = {"T": REALS, "smooth": False}
Round = elementwise("Round", numpy=lambda x: x if x.dtype.kind in "iu" else np.rint(x), T=_REAL, smooth=False)
Rint = elementwise("Rint", numpy=np.rint, **_flat)
Floor = elementwise("Floor", numpy=np.floor, **_flat)
Ceil = elementwise("Ceil", numpy=np.ceil, **_flat)
IsNan = elementwise("IsNan", numpy=np.isnan, T=REALS, gives="bool")
IsInf = elementwise("IsInf", numpy=np.isinf, T=REALS, gives="bool")
IsFinite = elementwise("IsFinite", numpy=np.isfinite, T=REALS, gives="bool")

# --- complex numbers ------------------------------------------------------------------------------------------------
Conj = elementwise("Conj", numpy=np.conj, grad=lambda n, dy: conj(dy), T=dtypes.COMPLEXES)

# --- comparison and logic -------------------------------------------------------------------------------------------
_compare = {"takes": _TWO, "T": _REAL, "gives": "bool"}
Greater = elementwise("Greater", numpy=np.greater, **_compare)
GreaterEqual = elementwise("GreaterEqual", numpy=np.greater_equal, **_compare)
Less = elementwise("Less", numpy=np.less, **_compare)
LessEqual = elementwise("LessEqual", numpy=np.less_equal, **_compare)
_equal = {"takes": _TWO, "T": dtypes.ANY, "gives": "bool"}
Equal = elementwise("Equal", numpy=lambda x, y: np.equal(x, y).astype(bool), **_equal)
NotEqual = elementwise("NotEqual", numpy=lambda x, y: np.not_equal(x, y).astype(bool), **_equal)
_logic = {"takes": _TWO, "T": (dtypes.bool_,), "gives": "bool"}
LogicalAnd = elementwise("LogicalAnd", numpy=np.logical_and, **_logic)
LogicalOr = elementwise("LogicalOr", numpy=np.logical_or, **_logic)
LogicalNot = elementwise("LogicalNot", numpy=np.logical_not, T=(dtypes.bool_,), gives="bool")
LogicalXor = elementwise("LogicalXor", numpy=np.logical_xor, **_logic)
