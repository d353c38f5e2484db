"""`contrib.layers.utils` and `slim.utils`: arguments of layers, checked and completed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib

_SPACES = "layers.utils slim.utils"


def _dimension(shape: Any, axis: int, min_rank: int, called: str) -> int:
    if shape.ndims is None:
        raise ValueError("dims of shape must be known but is None")
    if shape.ndims < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {shape.ndims}")
    size = shape.as_list()[axis]
    if size is None:
        raise ValueError(f"{called} dimension shape must be known but is None")
    return size


@contrib(_SPACES, "last_dimension")
def last_dimension(shape: Any, min_rank: int = 1) -> int:
    """The size of the last axis.

    Raises:
      ValueError: it is not known, or there are fewer axes than min_rank.
    """
    return _dimension(shape, -1, min_rank, "last")


@contrib(_SPACES, "first_dimension")
def first_dimension(shape: Any, min_rank: int = 1) -> int:
    """The size of the first axis; errors as `last_dimension`."""
    return _dimension(shape, 0, min_rank, "first")


@contrib(_SPACES, "channel_dimension")
def channel_dimension(shape: Any, data_format: str, min_rank: int = 1) -> int:
    """The number of channels: of the second axis in a format "NC..", else of the last; errors as `last_dimension`."""
    return _dimension(shape, 1 if data_format.startswith("NC") else -1, min_rank, "channel")


@contrib(_SPACES, "two_element_tuple")
def two_element_tuple(int_or_tuple: Any) -> tuple[int, int]:
    """(n, n) of n; of two numbers, or a shape of two axes, those.

    Raises:
      ValueError: it is none of these.
    """
    given: Any = int_or_tuple.as_list() if isinstance(int_or_tuple, tf.TensorShape) else int_or_tuple
    if isinstance(given, int):
        return given, given
    if not isinstance(given, (list, tuple)) or len(given) != 2 or None in given:
        raise ValueError("Must be an int, a list with 2 elements or a TensorShape of length 2")
    return int(given[0]), int(given[1])


@contrib(_SPACES, "n_positive_integers")
def n_positive_integers(n: int, value: Any) -> tuple[int, ...]:
    """n numbers: one repeated, or those given.

    Raises:
      ValueError: they are not n, or one is no integer above 0.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be a positive integer: {n!r}")
    given: Any = value.as_list() if isinstance(value, tf.TensorShape) else value
    found: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given] * n
    if len(found) != n:
        raise ValueError(f"Argument must be a sequence of length {n}: {value!r}")
    for x in found:
        if isinstance(x, bool) or not hasattr(x, "__index__") or int(x) < 1:
            raise ValueError(f"Argument must be positive integers: {value!r}")
    return tuple(int(x) for x in found)


@contrib(_SPACES, "constant_value")
def constant_value(value_or_tensor_or_var: Any, dtype: Any = None) -> Any:
    """What is known of a value before it runs: of a number itself, of a variable nothing (None).

    Raises:
      ValueError: it is None, or a tensor of another type.
    """
    value = value_or_tensor_or_var
    if value is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if not isinstance(value, (tf.Tensor, tf.Variable)):
        return value
    if dtype is not None and value.dtype.base_dtype != tf.as_dtype(dtype):
        raise ValueError(f"It has the wrong type {value.dtype} instead of {dtype}")
    return None if isinstance(value, tf.Variable) else tf.get_static_value(value)


@contrib(_SPACES, "static_cond")
def static_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any]) -> Any:
    """fn1() or fn2(), by a Python bool.

    Raises:
      TypeError: pred is no bool, or one of them no function.
    """
    if not callable(fn1) or not callable(fn2):
        raise TypeError("fn1 and fn2 must be callable.")
    if not isinstance(pred, bool):
        raise TypeError(f"pred must be a Python bool, not {pred!r}")
    return fn1() if pred else fn2()


@contrib(_SPACES, "smart_cond")
def smart_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any], name: str | None = None) -> Any:
    """`tf.cond(pred, fn1, fn2)`, decided now where pred is known now."""
    known = constant_value(pred, tf.bool)
    return tf.cond(pred, fn1, fn2, name=name) if known is None else static_cond(bool(known), fn1, fn2)
