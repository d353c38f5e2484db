"""The gamma family: lgamma, digamma, polygamma, zeta, the incomplete gamma function.

    Lgamma -> Digamma -> Polygamma -> Polygamma -> ...
    Igamma, Igammac -> IgammaGradA (by a)

Values are reckoned in double precision (gamma_values.py names the sources) and rounded to the tensor's type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import OnesLike
from pullback.core.dtypes import REALS, float64
from pullback.core.names import public
from pullback.core.op import NoGradientYet, NotDifferentiable
from pullback.core.sample import Sample
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math import gamma_values as values
from pullback.ops.math.elementwise import elementwise
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope


def _wide(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of double arrays, on arrays of any floating type."""
    return lambda *xs: np.asarray(f(*[x.astype(np.float64) for x in xs])).astype(xs[0].dtype)


def _entries(f: Callable[..., float]) -> Callable[..., Any]:
    """A function of Python floats, on arrays of any floating type."""

    def of_arrays(*xs: Any) -> Any:
        together = np.broadcast_arrays(*[np.asarray(x, np.float64) for x in xs])
        made = [f(*row) for row in zip(*(x.ravel().tolist() for x in together), strict=True)]
        return np.reshape(np.array(made, np.float64), together[0].shape).astype(xs[0].dtype)

    return of_arrays


Lgamma = elementwise(
    "Lgamma",
    numpy=_entries(values.lgamma),
    d=lambda x, y: Digamma()(x),
    T=REALS,
    domain=(0.5, 4.0),
    doc="log |gamma x|; infinite at 0, -1, -2, ...",
)
Digamma = elementwise(
    "Digamma",
    numpy=_wide(values.digamma),
    d=lambda x, y: Polygamma()(OnesLike()(x), x),
    T=REALS,
    domain=(0.5, 4.0),
    doc="The derivative of log gamma; nan at 0, -1, -2, ...",
)
Polygamma = elementwise(
    "Polygamma",
    numpy=_wide(values.polygamma),
    grad=lambda n, dy: (
        NotDifferentiable("the order of a derivative is a whole number"),
        dy * Polygamma()(n.inputs[0] + 1.0, n.inputs[1]),
    ),
    takes="a: T, x: T",
    T=REALS,
    domain=((1.0, 1.0), (0.8, 4.0)),
    doc="The a-th derivative of digamma at x, a = 0, 1, 2, ...",
)
Zeta = elementwise(
    "Zeta",
    numpy=_wide(values.zeta),
    grad=lambda n, dy: (
        NoGradientYet("the derivative of zeta by its exponent has not been written"),
        dy * -n.inputs[0] * Zeta()(n.inputs[0] + 1.0, n.inputs[1]),
    ),
    takes="x: T, q: T",
    T=REALS,
    domain=((1.5, 4.0), (0.5, 4.0)),
    doc="Hurwitz' zeta function: the sum of (q + k)^-x over k = 0, 1, ...",
)


def _slope(a: Any, x: Any) -> Any:
    """The derivative of P(a, x) by x: x^(a-1) e^-x / gamma(a)."""
    return m.Exp()((a - 1.0) * m.Log()(x) - x - Lgamma()(a))


IgammaGradA = elementwise(
    "IgammaGradA",
    numpy=_entries(lambda a, x: values.incomplete(a, x)[2]),
    grad=lambda n, dy: (
        NoGradientYet("the second derivative of the incomplete gamma function by a has not been written"),
        dy * _slope(*n.inputs) * (m.Log()(n.inputs[1]) - Digamma()(n.inputs[0])),
    ),
    takes="a: T, x: T",
    T=REALS,
    domain=((0.6, 3.0), (0.4, 4.0)),
    doc="The derivative of P(a, x) by a.",
)
Igamma = elementwise(
    "Igamma",
    numpy=_entries(lambda a, x: values.incomplete(a, x)[0]),
    grad=lambda n, dy: (dy * IgammaGradA()(*n.inputs), dy * _slope(*n.inputs)),
    takes="a: T, x: T",
    T=REALS,
    domain=((0.6, 3.0), (0.4, 4.0)),
    doc="The lower regularised incomplete gamma function P(a, x); nan where a <= 0 or x < 0.",
)
Igammac = elementwise(
    "Igammac",
    numpy=_entries(lambda a, x: values.incomplete(a, x)[1]),
    grad=lambda n, dy: (-dy * IgammaGradA()(*n.inputs), -dy * _slope(*n.inputs)),
    takes="a: T, x: T",
    T=REALS,
    domain=((0.6, 3.0), (0.4, 4.0)),
    doc="The upper regularised incomplete gamma function Q(a, x) = 1 - P(a, x).",
)


def _by_second(cls: Any, first: tuple[float, float], second: tuple[float, float], both: bool) -> Any:
    """Samples that differentiate by the second input to order 3, and by both to order 1 where that exists."""

    def samples(rng: np.random.Generator) -> Any:
        a, x = rng.uniform(*first, (2, 3)), rng.uniform(*second, (2, 3))
        if cls is Polygamma:
            a = np.round(a)
        yield Sample(cls(), (a, x), wrt=(1,))
        yield Sample(cls(), (a[:, :1], x[0]), wrt=(1,), name="broadcast")
        yield Sample(cls(), (np.ones((0, 3)), np.ones((0, 3))), wrt=(1,), name="empty")
        if both:
            yield Sample(cls(), (a, x), order=1, name="both")
        for t in (t for t in REALS if t is not float64):
            yield Sample(cls(), (a[0].astype(t.numpy), x[0].astype(t.numpy)), wrt=(1,), order=1, name=t.name)

    return staticmethod(samples)


Polygamma.samples = _by_second(Polygamma, (0.0, 3.0), (0.8, 4.0), False)
Zeta.samples = _by_second(Zeta, (1.5, 4.0), (0.5, 4.0), False)
IgammaGradA.samples = _by_second(IgammaGradA, (0.6, 3.0), (0.4, 4.0), False)
Igamma.samples = _by_second(Igamma, (0.6, 3.0), (0.4, 4.0), True)
Igammac.samples = _by_second(Igammac, (0.6, 3.0), (0.4, 4.0), True)


# --- public names ---------------------------------------------------------------------------------------------------


@public("math.lgamma", v1=("math.lgamma", "lgamma"))
def lgamma(x: Any, name: str | None = None) -> Tensor:
    """log |gamma x|, entry by entry; infinite at 0, -1, -2, ... Gradient: dy digamma(x)."""
    return Lgamma()(x, name=name)


@public("math.digamma", v1=("math.digamma", "digamma"))
def digamma(x: Any, name: str | None = None) -> Tensor:
    """The derivative of log gamma, entry by entry; nan at 0, -1, -2, ..."""
    return Digamma()(x, name=name)


@public("math.polygamma", v1=("math.polygamma", "polygamma"))
def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The a-th derivative of digamma at x, a = 0, 1, 2, ... as floats; of other a nan. No gradient to a."""
    return Polygamma()(a, x, name=name)


@public("math.zeta", v1=("math.zeta", "zeta"))
def zeta(x: Any, q: Any, name: str | None = None) -> Tensor:
    """Hurwitz' zeta function, the sum of (q + k)^-x over k = 0, 1, ...; x > 1. No gradient to x yet."""
    return Zeta()(x, q, name=name)


@public("math.igamma", v1=("math.igamma", "igamma"))
def igamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The lower regularised incomplete gamma function P(a, x), a > 0, x >= 0.

    Gradient: to x of every order, to a of the first.
    """
    return Igamma()(a, x, name=name)


@public("math.igammac", v1=("math.igammac", "igammac"))
def igammac(a: Any, x: Any, name: str | None = None) -> Tensor:
    """The upper regularised incomplete gamma function Q(a, x) = 1 - P(a, x); see `igamma`."""
    return Igammac()(a, x, name=name)


@public("math.lbeta", v1=("math.lbeta", "lbeta"))
def lbeta(x: Any, name: str | None = None) -> Tensor:
    """log |beta x| along the last axis: the sum of lgamma(x) less lgamma of the sum. [..., n] -> [...]"""
    with scope(name, "lbeta", x):
        x = interpreter.as_tensor(x)
        return reduce_sum(Lgamma()(x), -1) - Lgamma()(reduce_sum(x, -1))
