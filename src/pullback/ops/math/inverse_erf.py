"""Inverses of the error function and of the normal distribution.

Found by Newton's iteration on `math.erf` and `math.erfc`, which are exact to double precision: of the error function
itself where |x| <= 1/2, beyond of the logarithm of erfc, which is concave, so that the iteration cannot go astray.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import REALS
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math.elementwise import elementwise
from pullback.ops.math.scopes import scope

_PER_SLOPE = math.sqrt(math.pi) / 2  # 1 / erf'(0)


def erfinv(x: float) -> float:
    """The y with erf y = x; infinite at -1 and 1, nan beyond."""
    if not abs(x) <= 1:
        return math.nan
    if abs(x) > 0.5:
        return math.copysign(erfcinv(1 - abs(x)), x)
    y = x * _PER_SLOPE
    for _ in range(20):
        step = (math.erf(y) - x) * _PER_SLOPE * math.exp(y * y)
        y -= step
        if abs(step) <= 1e-16 * abs(y):
            break
    return y


def erfcinv(q: float) -> float:
    """The y with erfc y = q; infinite at 0 and 2, nan beyond."""
    if not 0 <= q <= 2:
        return math.nan
    if q > 1:
        return -erfcinv(2 - q) if q > 1.5 else -erfinv(q - 1)
    if q == 0:
        return math.inf
    if q > 0.5:
        return erfinv(1 - q)
    # Above the answer: erfc y < e^(-y^2). Newton on a concave function then comes down to it.
    y = math.sqrt(-math.log(q))
    for _ in range(60):
        have = math.erfc(y)
        if have <= 0:
            y *= 0.99
            continue
        step = math.log(have / q) * have * _PER_SLOPE * math.exp(y * y)
        y += step
        if abs(step) <= 1e-16 * y:
            break
    return y


def ndtri(p: float) -> float:
    """The z below which a normal number lies with probability p; infinite at 0 and 1, nan beyond."""
    return -math.sqrt(2) * erfcinv(2 * p)


def _entries(f: Callable[[float], float]) -> Callable[[Any], Any]:
    return lambda x: np.reshape([f(v) for v in x.astype(np.float64).ravel().tolist()], x.shape).astype(x.dtype)


Erfinv = elementwise(
    "Erfinv",
    numpy=_entries(erfinv),
    d=lambda x, y: _PER_SLOPE * m.Exp()(m.Square()(y)),
    T=REALS,
    domain=(-0.9, 0.9),
    doc="The y with erf y = x; infinite at -1 and 1, nan beyond.",
)
Ndtri = elementwise(
    "Ndtri",
    numpy=_entries(ndtri),
    d=lambda x, y: math.sqrt(2 * math.pi) * m.Exp()(m.Square()(y) * 0.5),
    T=REALS,
    domain=(0.05, 0.95),
    doc="The z below which a normal number lies with probability x; infinite at 0 and 1, nan beyond.",
)


@public("math.erfinv")
def erfinv_(x: Any, name: str | None = None) -> Tensor:
    """The y with erf y = x, entry by entry; infinite at -1 and 1, nan beyond. Gradient: dy sqrt(pi) / 2 e^(y^2)."""
    return Erfinv()(x, name=name)


@public("math.ndtri")
def ndtri_(x: Any, name: str | None = None) -> Tensor:
    """The quantile of the normal distribution, entry by entry; infinite at 0 and 1, nan beyond."""
    return Ndtri()(x, name=name)


@public("math.erfcinv")
def erfcinv_(x: Any, name: str | None = None) -> Tensor:
    """The y with 1 - erf y = x, entry by entry; infinite at 0 and 2, nan beyond."""
    with scope(name, "erfcinv", x):
        return Ndtri()(interpreter.as_tensor(x) * 0.5) * -math.sqrt(0.5)
