"""Constants, types, and what passes through unchanged."""

from __future__ import annotations

from typing import Any

import numpy as np

import pullback as tf
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import operator


@operator("Identity")
def identity(x: Tensor) -> Tensor:
    """x"""
    return tf.identity(x)


@operator("Constant")
def constant(
    *,
    value: Any = None,
    value_float: float | None = None,
    value_floats: Any = None,
    value_int: int | None = None,
    value_ints: Any = None,
    value_string: str | None = None,
    value_strings: Any = None,
) -> Tensor:
    """The one value that is given: a tensor, numbers (float32, int64), or words.

    Raises:
      ArgumentError: not exactly one is given.
    """
    floats, ints, words = (value_float, value_floats), (value_int, value_ints), (value_string, value_strings)
    kinds = ((np.float32, floats), (np.int64, ints), (np.bytes_, words))
    made = [np.asarray(given, kind) for kind, pair in kinds for given in pair if given is not None]
    made += [] if value is None else [value]
    if len(made) != 1:
        raise ArgumentError(f"ONNX Constant: exactly one value must be given, not {len(made)}").locate()
    return tf.constant(made[0])


@operator("ConstantOfShape", since=9)
def constant_of_shape(shape: Tensor, *, value: Any = None) -> Tensor:
    """A tensor of a shape filled with the one number of `value`, 0 of float32 where left out."""
    number = np.zeros(1, np.float32) if value is None else value
    return tf.fill(shape, tf.constant(number.reshape(())))


@operator("Range", since=11)
def range_(start: Tensor, limit: Tensor, delta: Tensor, *, stash_type: int = 1) -> Tensor:
    """start, start + delta, ... before limit. Each number is computed by itself: nothing is stashed."""
    return tf.range(start, limit, delta)


@operator("EyeLike", since=9)
def eye_like(x: Tensor, *, dtype: int | None = None, k: int = 0) -> Tensor:
    """Ones on the k-th diagonal of a matrix of x's shape, of x's type where none is said."""
    rows, columns = values.shape(x, "ONNX EyeLike: the shape of its input")
    return tf.cast(tf.constant(np.eye(rows, columns, k)), x.dtype if dtype is None else values.dtype(dtype))


@operator("Cast", since=6)
def cast(x: Tensor, *, to: int, saturate: int = 1, round_mode: str = "up") -> Tensor:
    """x of another type. `saturate` and `round_mode` say how float8 is met, which Pullback has not."""
    return tf.cast(x, values.dtype(to))


@operator("CastLike", since=15)
def cast_like(x: Tensor, like: Tensor, *, saturate: int = 1, round_mode: str = "up") -> Tensor:
    """x of another tensor's type; `saturate` and `round_mode` as for Cast."""
    return tf.cast(x, like.dtype)
