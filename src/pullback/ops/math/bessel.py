"""Modified Bessel functions of the first kind.

    I_n' = (I_{n-1} + I_{n+1}) / 2      so that the general order BesselI (BesselIe: times e^-|x|) closes the set

Values: where |x| <= 40 the integral e^-x I_n = 1/pi of e^(x (cos t - 1)) cos(n t) over t from 0 to pi (DLMF 10.32.3;
for n = 1 10.32.2, where nothing cancels) by the trapezoidal rule, whose error for a periodic function is I_m(x) for m
beyond the number of points; above, Hankel's asymptotic series (10.40.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import REALS, float64
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math.elementwise import Elementwise, elementwise

_FAR, _POINTS, _TERMS = 40.0, 128, 30


def scaled(n: int, x: Any) -> Any:
    """e^-|x| I_n(x), of an array of doubles."""
    size = np.abs(x)
    t = np.linspace(0, np.pi, _POINTS + 1)
    share = np.full(_POINTS + 1, 1 / _POINTS)
    share[[0, -1]] /= 2
    near = np.minimum(size, _FAR)
    decay = np.exp(near[..., None] * (np.cos(t) - 1))
    value = near * (decay @ (share * np.sin(t) ** 2)) if n == 1 else decay @ (share * np.cos(n * t))
    far = np.maximum(size, _FAR)
    term, total = np.ones_like(far), np.ones_like(far)
    for k in range(1, _TERMS):
        term = term * -(4 * n * n - (2 * k - 1) ** 2) / (k * 8 * far)
        total = total + term
    with np.errstate(all="ignore"):
        value = np.where(size > _FAR, total / np.sqrt(2 * np.pi * far), value)
        value = np.where(np.isnan(x), x, value)
    return np.where(x < 0, -value, value) if n % 2 else value


def plain(n: int, x: Any) -> Any:
    """I_n(x), of an array of doubles."""
    with np.errstate(all="ignore"):
        return scaled(n, x) * np.exp(np.abs(x))


def _of(f: Any, n: int) -> Any:
    return lambda x: np.asarray(f(n, x.astype(np.float64))).astype(x.dtype)


class _General(Elementwise):
    """Base of the general orders."""

    signature = "x: T -> z: T"
    T = REALS
    order: int

    def check(self) -> None:
        if self.order < 0:
            raise ArgumentError(f"{self.type}: order must not be negative, but is {self.order}")

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.uniform(0.2, 3, (2, 3)),))
        yield Sample(cls(3), (np.array([-2.0, -0.5, 45.0]),), name="three")
        yield Sample(cls(), (np.ones((0, 2)),), name="empty")
        for t in (t for t in REALS if t is not float64):
            yield Sample(cls(), (rng.uniform(0.2, 3, 3).astype(t.numpy),), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(-1), ArgumentError, "must not be negative"


@op
class BesselIe(_General):
    """e^-|x| I_n(x), n the field `order`."""

    order: int = 2

    def reference(self, x: Any) -> Any:
        return _of(scaled, self.order)(x)

    def grad(self, node: Any, dy: Any) -> Any:
        return dy * (_mean_of_neighbours(BesselIe, self.order, node) - m.Sign()(node.inputs[0]) * node.results[0])


@op
class BesselI(_General):
    """I_n(x), n the field `order`."""

    order: int = 2

    def reference(self, x: Any) -> Any:
        return _of(plain, self.order)(x)

    def grad(self, node: Any, dy: Any) -> Any:
        return dy * _mean_of_neighbours(BesselI, self.order, node)


def _mean_of_neighbours(general: type[Op], n: int, node: Any) -> Any:
    """(I_{n-1} + I_{n+1}) / 2, where I_{-1} = I_1."""
    x = node.inputs[0]
    if n == 0:
        return general(1)(x)  # type: ignore[call-arg]
    return (general(n - 1)(x) + general(n + 1)(x)) * 0.5  # type: ignore[call-arg]


BesselI0e = elementwise(
    "BesselI0e",
    numpy=_of(scaled, 0),
    d=lambda x, y: BesselI1e()(x) - m.Sign()(x) * y,
    T=REALS,
    domain=(0.2, 3.0),
    doc="e^-|x| I_0(x). At 0 its gradient is 0.",
)
BesselI1e = elementwise(
    "BesselI1e",
    numpy=_of(scaled, 1),
    d=lambda x, y: (BesselI0e()(x) + BesselIe(2)(x)) * 0.5 - m.Sign()(x) * y,
    T=REALS,
    domain=(0.2, 3.0),
    doc="e^-|x| I_1(x).",
)
BesselI0 = elementwise(
    "BesselI0",
    numpy=_of(plain, 0),
    d=lambda x, y: BesselI1()(x),
    T=REALS,
    domain=(-3.0, 3.0),
    doc="I_0(x).",
)
BesselI1 = elementwise(
    "BesselI1",
    numpy=_of(plain, 1),
    d=lambda x, y: (BesselI0()(x) + BesselI(2)(x)) * 0.5,
    T=REALS,
    domain=(-3.0, 3.0),
    doc="I_1(x).",
)


@public("math.bessel_i0e", "math.special.bessel_i0e")
def bessel_i0e(x: Any, name: str | None = None) -> Tensor:
    """e^-|x| I_0(x), the scaled modified Bessel function of order 0, entry by entry. Its gradient at 0 is 0."""
    return BesselI0e()(x, name=name)


@public("math.bessel_i1e", "math.special.bessel_i1e")
def bessel_i1e(x: Any, name: str | None = None) -> Tensor:
    """e^-|x| I_1(x), the scaled modified Bessel function of order 1, entry by entry."""
    return BesselI1e()(x, name=name)


@public("math.bessel_i0", "math.special.bessel_i0")
def bessel_i0(x: Any, name: str | None = None) -> Tensor:
    """I_0(x), the modified Bessel function of order 0, entry by entry."""
    return BesselI0()(x, name=name)


@public("math.bessel_i1", "math.special.bessel_i1")
def bessel_i1(x: Any, name: str | None = None) -> Tensor:
    """I_1(x), the modified Bessel function of order 1, entry by entry."""
    return BesselI1()(x, name=name)
