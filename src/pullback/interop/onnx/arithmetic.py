"""Operators that work entry by entry: arithmetic, functions, comparison, logic. Inputs broadcast as NumPy's do."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import pullback as tf
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import Function, operator


def _of_one(function: Callable[[Any], Tensor]) -> Function:
    def translated(x: Tensor) -> Tensor:
        return function(x)

    return translated


def _of_two(function: Callable[[Any, Any], Tensor]) -> Function:
    def translated(x: Tensor, y: Tensor) -> Tensor:
        return function(x, y)

    return translated


def _of_two_from_an_axis(function: Callable[[Any, Any], Tensor]) -> Function:
    """Before operator set 7 the second input was broadcast where an attribute said so, its axes being those of the
    first from `axis` on, and the last ones where it was left out."""

    def translated(x: Tensor, y: Tensor, *, axis: int | None = None, broadcast: int = 0) -> Tensor:
        if not broadcast or axis is None:
            return function(x, y)
        rank = values.rank(x, "ONNX broadcast")
        lacking = rank - axis % rank - values.rank(y, "ONNX broadcast")
        return function(x, tf.reshape(y, [*values.dims(y, "ONNX broadcast"), *[1] * lacking]))

    return translated


def _of_many(function: Callable[[Any, Any], Tensor]) -> Function:
    def translated(*parts: Tensor) -> Tensor:
        return reduce(function, parts)

    return translated


def div(x: Tensor, y: Tensor) -> Tensor:
    """x / y; of whole numbers, rounded towards 0."""
    return tf.truncatediv(x, y) if x.dtype.is_integer else x / y


def power(x: Tensor, y: Tensor) -> Tensor:
    """x^y, of x's type; computed in y's where x is whole and y is not."""
    if x.dtype.is_integer and y.dtype.is_floating:
        return tf.cast(tf.cast(x, y.dtype) ** y, x.dtype)
    return x ** tf.cast(y, x.dtype)


OF_ONE = {
    "Abs": tf.abs,
    "Acos": tf.acos,
    "Acosh": tf.acosh,
    "Asin": tf.asin,
    "Asinh": tf.asinh,
    "Atan": tf.atan,
    "Atanh": tf.atanh,
    "Ceil": tf.math.ceil,
    "Cos": tf.cos,
    "Cosh": tf.cosh,
    "Erf": tf.math.erf,
    "Exp": tf.exp,
    "Floor": tf.floor,
    "IsNaN": tf.math.is_nan,
    "Log": tf.math.log,
    "Neg": tf.negative,
    "Not": tf.logical_not,
    "Reciprocal": tf.math.reciprocal,
    "Round": tf.round,
    "Sigmoid": tf.sigmoid,
    "Sign": tf.sign,
    "Sin": tf.sin,
    "Sinh": tf.sinh,
    "Sqrt": tf.sqrt,
    "Tan": tf.tan,
    "Tanh": tf.tanh,
}
OF_TWO = {
    "Add": tf.add,
    "And": tf.logical_and,
    "Div": div,
    "Equal": tf.equal,
    "Greater": tf.greater,
    "GreaterOrEqual": tf.greater_equal,
    "Less": tf.less,
    "LessOrEqual": tf.less_equal,
    "Mul": tf.multiply,
    "Or": tf.logical_or,
    "Pow": power,
    "Sub": tf.subtract,
    "Xor": tf.math.logical_xor,
}
OF_MANY = {"Max": tf.maximum, "Min": tf.minimum, "Sum": tf.add}

for _name, _function in OF_ONE.items():
    operator(_name)(_of_one(_function))
for _name, _function in OF_TWO.items():
    operator(_name)(_of_two_from_an_axis(_function))
    operator(_name, since=7)(_of_two(_function))
for _name, _function in OF_MANY.items():
    operator(_name)(_of_many(_function))


@operator("Mean")
def mean(*parts: Tensor) -> Tensor:
    """The mean of several tensors, entry by entry."""
    return reduce(tf.add, parts) / len(parts)


@operator("Mod", since=10)
def mod(x: Tensor, y: Tensor, *, fmod: int = 0) -> Tensor:
    """The remainder, with y's sign; with x's for fmod."""
    return tf.truncatemod(x, y) if fmod else tf.math.floormod(x, y)


@operator("Clip")
def clip(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """x no less than min and no more than max; where they cross, max. A bound that is left out binds nothing."""
    if min is not None:
        x = tf.maximum(x, min)
    return x if max is None else tf.minimum(x, max)


@operator("IsInf", since=10)
def is_inf(x: Tensor, *, detect_negative: int = 1, detect_positive: int = 1) -> Tensor:
    """Where x is infinite: above, below or both."""
    above, below = tf.math.is_inf(x) & (x > 0), tf.math.is_inf(x) & (x < 0)
    if detect_negative and detect_positive:
        return above | below
    return above if detect_positive else below if detect_negative else tf.zeros_like(above)


@operator("Where", since=9)
def where(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """x where the condition holds, else y."""
    return tf.where(condition, x, y)
