"""The incomplete beta function.

    I_x(a, b) = 1 / B(a, b) times the integral of t^(a-1) (1-t)^(b-1) over t from 0 to x

by its continued fraction (DLMF 8.17.22), which settles quickly where x < (a + 1) / (a + b + 2); elsewhere by
I_x(a, b) = 1 - I_{1-x}(b, a).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import float32, float64
from pullback.core.names import public
from pullback.core.op import NoGradientYet
from pullback.core.sample import Sample
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math.elementwise import elementwise
from pullback.ops.math.gamma import Lgamma, _entries

_MOST_TERMS, _EPS, _TINY = 10_000, 1e-16, 1e-300


def _fraction(a: float, b: float, x: float) -> float:
    """1 / (1 + d1 / (1 + d2 / ...)), by Lentz' method."""
    numerator, denominator = 1.0, 1.0 - (a + b) * x / (a + 1)
    denominator = 1 / (denominator or _TINY)
    value = denominator
    for k in range(1, _MOST_TERMS):
        even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
        odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
        for d in (even, odd):
            denominator = 1 / ((1 + d * denominator) or _TINY)
            numerator = (1 + d / numerator) or _TINY
            value *= numerator * denominator
        if abs(numerator * denominator - 1) < _EPS:
            break
    return value


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b); nan where a <= 0, b <= 0 or x is outside [0, 1]."""
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        return math.nan
    if x in (0.0, 1.0):
        return x
    return 1 - _below(b, a, 1 - x) if x > (a + 1) / (a + b + 2) else _below(a, b, x)


def _below(a: float, b: float, x: float) -> float:
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(scale) * _fraction(a, b, x) / a


def _density(a: Any, b: Any, x: Any) -> Any:
    """The derivative by x."""
    scale = Lgamma()(a + b) - Lgamma()(a) - Lgamma()(b)
    return m.Exp()((a - 1.0) * m.Log()(x) + (b - 1.0) * m.Log1p()(-x) + scale)


def _unwritten(parameter: str) -> NoGradientYet:
    return NoGradientYet(f"the derivative of the incomplete beta function by {parameter} has not been written")


Betainc = elementwise(
    "Betainc",
    numpy=_entries(incomplete_beta),
    grad=lambda n, dy: (_unwritten("a"), _unwritten("b"), dy * _density(*n.inputs)),
    takes="a: T, b: T, x: T",
    T=(float32, float64),
    domain=((0.6, 3.0), (0.6, 3.0), (0.1, 0.9)),
    doc="The regularised incomplete beta function I_x(a, b); nan where a <= 0, b <= 0 or x is outside [0, 1].",
)


def _samples(rng: np.random.Generator) -> Iterator[Sample]:
    a, b, x = rng.uniform(0.6, 3, (2, 3)), rng.uniform(0.6, 3, (2, 3)), rng.uniform(0.1, 0.9, (2, 3))
    yield Sample(Betainc(), (a, b, x), wrt=(2,))
    yield Sample(Betainc(), (a[:, :1], b[0], x), wrt=(2,), name="broadcast")
    yield Sample(Betainc(), (np.ones((0, 3)), np.ones((0, 3)), np.ones((0, 3))), wrt=(2,), name="empty")
    yield Sample(Betainc(), tuple(v.astype(np.float32) for v in (a, b, x)), wrt=(2,), order=1, name="float32")


Betainc.samples = staticmethod(_samples)


@public("math.betainc", v1=("math.betainc", "betainc"))
def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Tensor:
    """The regularised incomplete beta function I_x(a, b), a and b above 0, x in [0, 1]; elsewhere nan.

    Gradient: to x of every order; none to a and b yet.
    """
    return Betainc()(a, b, x, name=name)
