"""Polynomials of tensors, neighbours of floating-point numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import OnesLike
from pullback.core.dtypes import float32, float64
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.math.elementwise import elementwise
from pullback.ops.math.scopes import scope

NextAfter = elementwise(
    "NextAfter",
    numpy=np.nextafter,
    d=(lambda x1, x2, y: OnesLike()(x1), None),
    takes="x1: T, x2: T",
    T=(float64, float32),
    smooth=False,
    doc="The neighbour of x1 on the way to x2 among the numbers of the type; x1 where they are equal.",
)


@public("math.nextafter")
def nextafter(x1: Any, x2: Any, name: str | None = None) -> Tensor:
    """The neighbour of x1 on the way to x2 among the numbers of the type, entry by entry. Gradient: dy to x1."""
    return NextAfter()(x1, x2, name=name)


@public("math.polyval")
def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """c[0] x^(n-1) + ... + c[n-1], by Horner's rule.

    Args:
      coeffs: list of n tensors, that of the highest power first; each broadcasts with x. None of them: 0.
      x: Tensor.
    Raises:
      ValueError: coeffs is no list.
    """
    if not isinstance(coeffs, list):
        raise ArgumentError(f"polyval: coeffs must be a list of tensors, not {type(coeffs).__name__}").locate()
    with scope(name, "polyval", x, *coeffs):
        x = interpreter.as_tensor(x)
        if not coeffs:
            return x * 0
        value, *rest = [interpreter.as_tensor(c, x.dtype) for c in coeffs]
        for c in rest:
            value = c + value * x
        return value
