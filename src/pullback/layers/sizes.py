"""Sizes: of a tensor's axes, ints where they are known, else scalar tensors; and what constructors are told."""

from __future__ import annotations

import operator
from typing import Any

from pullback.core.basics import Shape_
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import stack


def sizes_of(x: Tensor) -> list[Any]:
    """One for each axis; the number of axes must be known."""
    known = x.spec.shape or ()
    if None not in known:
        return list(known)
    whole = Shape_()(x)
    return [whole[i] if n is None else n for i, n in enumerate(known)]


def packed(sizes: Any) -> Any:
    """Sizes as the argument of an op: a list where they are known, else a tensor."""
    return list(sizes) if all(isinstance(n, int) for n in sizes) else stack(list(sizes))


def positive(value: Any, what: str) -> int:
    """A count that a constructor is given, as an int; a float that is whole counts too. what: names it in errors.

    Raises:
      ValueError: it is no whole number, or not above 0.
    """
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count <= 0:
        raise ArgumentError(f"{what} must be a positive integer, but is {value!r}").locate()
    return count


def axes_of(axis: Any, rank: int, name: str) -> list[int]:
    """Axes counted from the front.

    Raises:
      ValueError: there is no such axis, or one is named twice.
    """
    given = [int(a) for a in (axis if isinstance(axis, (list, tuple)) else [axis])]
    found = [a + rank if a < 0 else a for a in given]
    if any(not 0 <= a < rank for a in found) or len(set(found)) != len(found):
        raise ArgumentError(f"{name}: axis {axis} does not fit inputs of {rank} axes").locate()
    return found
