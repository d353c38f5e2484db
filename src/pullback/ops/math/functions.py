"""The public elementwise functions: names over the table in arithmetic.py.

A function of one tensor is `f(x, name=None)`, of two `f(x, y, name=None)`; the two broadcast, and what is no tensor
takes the other's type. A name stands in `tf`, in `tf.math`, or in both, as TensorFlow has it.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

from pullback.core import interpreter
from pullback.core.basics import ZerosLike
from pullback.core.dtypes import complex64, complex128
from pullback.core.errors import DTypeError
from pullback.core.names import public
from pullback.core.op import Op
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math import complex_numbers as c
from pullback.ops.math import special
from pullback.ops.math.operators import absolute
from pullback.ops.math.operators import divide as _divide
from pullback.ops.math.select import Select
from pullback.ops.sparse import SparseTensor

Function = Callable[..., Tensor]
# Where a name stands.
BOTH, MATH, ONLY_MATH = "tf and tf.math", "tf.math; in TensorFlow 1 also tf", "tf.math"


def _named(
    name: str, where: str, made: Any, doc: str, more: tuple[str, ...] = (), more_v1: tuple[str, ...] = ()
) -> Any:
    # Python's own pow and round stay what they are in this module: ours are pow_ and round_.
    made.__name__ = made.__qualname__ = f"{name}_" if hasattr(builtins, name) else name
    made.__doc__, made.__module__ = doc, __name__
    also_v1 = (name,) if where == MATH else ()
    places = (name, f"math.{name}") if where == BOTH else (f"math.{name}",)
    return public(*places, *more, v1=(*places, *also_v1, *more, *more_v1))(made)


def _of_one(name: str, where: str, op: type[Op], doc: str, *more: str, more_v1: tuple[str, ...] = ()) -> Function:
    made = op()

    def function(x: Any, name: str | None = None) -> Tensor:
        return made(x, name=name)

    return _named(name, where, function, doc, more, more_v1)


def _also_sparse(name: str, where: str, op: type[Op], doc: str, *more: str) -> Any:
    """A function that leaves 0 where it is: of a SparseTensor, it is that of the values."""
    made = op()

    def function(x: Any, name: str | None = None) -> Any:
        return x.with_values(made(x.values, name=name)) if isinstance(x, SparseTensor) else made(x, name=name)

    return _named(name, where, function, doc, more)


def _of_two(name: str, where: str, op: type[Op], doc: str, *more: str, label: str | None = None) -> Function:
    made = op()

    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return made(x, y, name=name or label)

    return _named(name, where, function, doc, more)


# --- arithmetic -----------------------------------------------------------------------------------------------------
add = _of_two("add", BOTH, m.AddV2, "x + y.", label="Add")
subtract = _of_two("subtract", BOTH, m.Sub, "x - y.")
multiply = _of_two("multiply", BOTH, m.Mul, "x y, entry by entry.")
maximum = _of_two("maximum", BOTH, m.Maximum, "The larger of x and y; on a tie all of the gradient goes to x.")
minimum = _of_two("minimum", BOTH, m.Minimum, "The smaller of x and y; on a tie all of the gradient goes to x.")
pow_ = _of_two("pow", BOTH, m.Pow, "x to the power y. At (0, 0) the gradient to x is nan, as in TensorFlow.")
squared_difference = _of_two("squared_difference", MATH, m.SquaredDifference, "(x - y)^2.")
floormod = _of_two("floormod", MATH, m.FloorMod, "x - y floor(x / y): has y's sign.")
mod = _of_two("mod", MATH, m.FloorMod, "x - y floor(x / y): has y's sign.")
xlogy = _of_two("xlogy", ONLY_MATH, m.Xlogy, "x log y, and 0 where x is 0.")
xlog1py = _of_two("xlog1py", ONLY_MATH, m.Xlog1py, "x log(1 + y), and 0 where x is 0.")
xdivy = _of_two("xdivy", ONLY_MATH, m.Xdivy, "x / y, and 0 where x is 0.")
multiply_no_nan = _of_two(
    "multiply_no_nan", ONLY_MATH, m.MulNoNan, "x y, and 0 where y is 0, also when x is nan or infinite."
)
square = _also_sparse("square", BOTH, m.Square, "x^2.")
sqrt = _also_sparse(
    "sqrt", BOTH, m.Sqrt, "The square root. Its gradient at 0 is infinite, and 0 when the cotangent is 0."
)
rsqrt = _of_one("rsqrt", MATH, m.Rsqrt, "1 / sqrt(x).")
reciprocal = _of_one("reciprocal", MATH, m.Reciprocal, "1 / x.")
negative = _also_sparse("negative", BOTH, m.Neg, "-x.")

# --- exponentials and trigonometry ----------------------------------------------------------------------------------
exp = _of_one("exp", BOTH, m.Exp, "e^x.")
log = _of_one("log", MATH, m.Log, "The natural logarithm; of a negative number nan.")
log1p = _of_one("log1p", MATH, m.Log1p, "log(1 + x), exact near 0.")
expm1 = _of_one("expm1", MATH, m.Expm1, "e^x - 1, exact near 0.")
tanh = _also_sparse("tanh", BOTH, m.Tanh, "The hyperbolic tangent.", "nn.tanh")
sigmoid = _of_one("sigmoid", BOTH, m.Sigmoid, "1 / (1 + e^-x).", "nn.sigmoid")
sin = _of_one("sin", BOTH, m.Sin, "The sine; x in radians.")
cos = _of_one("cos", BOTH, m.Cos, "The cosine; x in radians.")
tan = _of_one("tan", BOTH, m.Tan, "The tangent; x in radians.")
asin = _of_one("asin", BOTH, m.Asin, "The arc sine, in [-pi/2, pi/2].")
acos = _of_one("acos", BOTH, m.Acos, "The arc cosine, in [0, pi].")
atan = _of_one("atan", BOTH, m.Atan, "The arc tangent, in (-pi/2, pi/2).")
sinh = _of_one("sinh", BOTH, m.Sinh, "The hyperbolic sine.")
cosh = _of_one("cosh", BOTH, m.Cosh, "The hyperbolic cosine.")
asinh = _of_one("asinh", BOTH, m.Asinh, "The inverse of sinh.")
acosh = _of_one("acosh", BOTH, m.Acosh, "The inverse of cosh, at least 0.")
atanh = _of_one("atanh", BOTH, m.Atanh, "The inverse of tanh.")
erf = _also_sparse("erf", MATH, special.Erf, "The error function.")
erfc = _of_one("erfc", MATH, special.Erfc, "1 - erf x.")

# --- sign, rounding, tests ------------------------------------------------------------------------------------------
sign = _also_sparse("sign", BOTH, m.Sign, "-1, 0 or 1 with x's sign; of complex x, x / |x|.")
round_ = _of_one("round", BOTH, m.Round, "The nearest whole number, halves to the even one.")
rint = _of_one("rint", MATH, m.Rint, "The nearest whole number, halves to the even one.")
floor = _of_one("floor", BOTH, m.Floor, "The largest whole number not above x.")
ceil = _of_one("ceil", MATH, m.Ceil, "The least whole number not below x.")
is_nan = _of_one("is_nan", MATH, m.IsNan, "Where x is not a number.", more_v1=("debugging.is_nan",))
is_inf = _of_one("is_inf", MATH, m.IsInf, "Where x is infinite.", more_v1=("debugging.is_inf",))
is_finite = _of_one("is_finite", MATH, m.IsFinite, "Where x is a finite number.", more_v1=("debugging.is_finite",))

# --- comparison and logic -------------------------------------------------------------------------------------------
equal = _of_two("equal", BOTH, m.Equal, "Where x == y.")
not_equal = _of_two("not_equal", BOTH, m.NotEqual, "Where x != y.")
greater = _of_two("greater", BOTH, m.Greater, "Where x > y.")
greater_equal = _of_two("greater_equal", BOTH, m.GreaterEqual, "Where x >= y.")
less = _of_two("less", BOTH, m.Less, "Where x < y.")
less_equal = _of_two("less_equal", BOTH, m.LessEqual, "Where x <= y.")
logical_and = _of_two("logical_and", BOTH, m.LogicalAnd, "Where x and y.")
logical_or = _of_two("logical_or", BOTH, m.LogicalOr, "Where x or y.")
logical_not = _of_one("logical_not", BOTH, m.LogicalNot, "Where not x.")


@public("math.logical_xor", v1=("logical_xor", "math.logical_xor"))
def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Tensor:
    """Where one of x and y."""
    return m.LogicalXor()(x, y, name=name)


@public("abs", "math.abs")
def abs_(x: Any, name: str | None = None) -> Any:
    """|x|; of complex x the modulus, which is real; of a SparseTensor that of its values. The gradient at 0 is 0."""
    return x.with_values(absolute(x.values, name)) if isinstance(x, SparseTensor) else absolute(x, name)


@public("atan2", "math.atan2")
def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """The angle of the point (x, y), in (-pi, pi]. Its gradient at (0, 0) is nan."""
    return m.Atan2()(y, x, name=name)


# --- quotients ------------------------------------------------------------------------------------------------------
@public("divide", "math.divide")
def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y. Of integers a float64 (of 8 and 16 bits a float32), as in Python."""
    return _divide(x, y, name or "truediv")


@public("truediv", "math.truediv")
def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y. Of integers a float64 (of 8 and 16 bits a float32), as in Python."""
    return _divide(x, y, name or "truediv")


@public(v1="div")
def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 2 has it: of integers the floor."""
    x, y = _pair(x, y)
    return (m.RealDiv() if x.dtype.is_differentiable else m.FloorDiv())(x, y, name=name or "div")


@public("math.floordiv", v1=("floordiv", "math.floordiv"))
def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """floor(x / y). No gradient passes."""
    return m.FloorDiv()(x, y, name=name or "floordiv")


@public(v1="floor_div")
def floor_div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """floor(x / y). No gradient passes."""
    return m.FloorDiv()(x, y, name=name)


@public("realdiv")
def realdiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, of real or complex numbers."""
    return m.RealDiv()(x, y, name=name)


@public("truncatediv")
def truncatediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y; of integers, towards zero. TensorFlow does not truncate floats here, and neither does this."""
    return m.TruncateDiv()(x, y, name=name)


@public("truncatemod")
def truncatemod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x - y trunc(x / y): has x's sign, as C's remainder has."""
    return m.TruncateMod()(x, y, name=name)


@public("math.divide_no_nan", v1=("div_no_nan", "math.divide_no_nan"))
def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y, and 0 where y is 0, where its gradients are 0 too."""
    return m.DivNoNan()(x, y, name=name or "div_no_nan")


@public("math.reciprocal_no_nan")
def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """1 / x, and 0 where x is 0, where its gradient is 0 too."""
    return m.DivNoNan()(1, interpreter.as_tensor(x), name=name or "reciprocal_no_nan")


def _pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Two tensors; the one that is no tensor takes the other's type."""
    if not isinstance(x, Tensor) and isinstance(y, Tensor):
        return interpreter.as_tensor(x, y.dtype, name="x"), y
    x = interpreter.as_tensor(x, name="x")
    return x, interpreter.as_tensor(y, x.dtype, name="y")


@public("scalar_mul", "math.scalar_mul")
def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """scalar x; x may be IndexedSlices, and stays so.

    Raises:
      ValueError: scalar is not of rank 0.
    """
    values = interpreter.as_tensor(x.values if isinstance(x, IndexedSlices) else x)
    scalar = interpreter.as_tensor(scalar, values.dtype, name="scalar")
    if scalar.spec.rank not in (0, None):
        raise ValueError(f"Only scalar multiply works, got shape {scalar.shape}")
    product = m.Mul()(scalar, values, name=name)
    return IndexedSlices(product, x.indices, x.dense_shape) if isinstance(x, IndexedSlices) else product


# --- complex numbers ------------------------------------------------------------------------------------------------
@public("complex", "dtypes.complex")
def complex_(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """real + i imag.

    Raises:
      DTypeError: the parts are not both float32 or both float64.
    """
    real, imag = _pair(real, imag)
    if real.dtype is not imag.dtype or real.dtype.name not in ("float32", "float64"):
        raise DTypeError(
            f"complex: real and imag have incorrect types: {real.dtype.name} {imag.dtype.name}; "
            "both must be float32 or float64"
        ).locate()
    return c.Complex(complex64 if real.dtype.name == "float32" else complex128)(real, imag, name=name)


@public("math.real", v1=("real", "math.real"))
def real(input: Any, name: str | None = None) -> Tensor:
    """The real part; a real tensor itself."""
    input = interpreter.as_tensor(input)
    return c.part(c.Real, input)(input, name=name) if input.dtype.is_complex else input


@public("math.imag", v1=("imag", "math.imag"))
def imag(input: Any, name: str | None = None) -> Tensor:
    """The imaginary part; of a real tensor zeros."""
    input = interpreter.as_tensor(input)
    return c.part(c.Imag, input)(input, name=name) if input.dtype.is_complex else ZerosLike()(input, name=name)


@public("math.conj", v1=("conj", "math.conj"))
def conj(x: Any, name: str | None = None) -> Tensor:
    """The complex conjugate; a real tensor itself."""
    x = interpreter.as_tensor(x)
    if not x.dtype.is_complex and not x.dtype.is_floating and not x.dtype.is_integer:
        raise DTypeError(f"conj: expected a numeric tensor, but x is {x.dtype.name}").locate()
    return m.Conj()(x, name=name) if x.dtype.is_complex else x


@public("math.angle", v1=("angle", "math.angle"))
def angle(input: Any, name: str | None = None) -> Tensor:
    """The argument in (-pi, pi]; of a real tensor 0, and pi where it is negative."""
    input = interpreter.as_tensor(input)
    if input.dtype.is_complex:
        return c.part(c.Angle, input)(input, name=name)
    zero = ZerosLike()(input)
    return Select()(m.Less()(input, zero), zero + math.pi, zero, name=name)
