"""Exponential, logarithm and square root of square matrices (not of their entries), over leading axes.

For a function f given by a power series with real coefficients, and its derivative L(x, e) at x in direction e,

    f [ x  e ]   [ f(x)  L(x, e) ]
      [ 0  x ] = [ 0     f(x)    ]          and the adjoint of L(x, .) is L(x^H, .)

so that the gradient of f is f of a matrix twice the size, and every order exists.

Sources: Higham 2008, Functions of Matrices: theorem 3.6 for the block, 10.20 for the exponential (Pade approximant of
degree 13 of x / 2^s, squared s times), 6.15 for the root (Denman and Beavers' iteration), 11.9 for the logarithm (of
the 2^s-th root, by Gauss and Legendre's rule for the integral of x (1 + t x)^-1 over t from 0 to 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import COMPLEXES
from pullback.core.errors import DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.linalg.solving import _adjoint, _OfMatrix, _square

_DEGREE = 13
_LARGEST_NORM = 5.37  # at which that approximant is exact to double precision
# Its coefficients: numerator of x^k, and denominator of (-x)^k.
_PADE = [
    math.comb(_DEGREE, k) * math.factorial(2 * _DEGREE - k) / math.factorial(2 * _DEGREE) for k in range(_DEGREE + 1)
]
_NEAR_ONE, _NODES = 0.25, np.polynomial.legendre.leggauss(8)
_MOST_STEPS = 60


def _wide(a: Any) -> Any:
    return a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)


def _exponential(a: Any) -> Any:
    norm = np.abs(a).sum(0).max(initial=0)
    if not np.isfinite(norm):
        return np.full_like(a, np.nan)
    halvings = max(0, math.ceil(math.log2(norm / _LARGEST_NORM))) if norm else 0
    a = a / 2.0**halvings
    power, even, odd = np.eye(len(a), dtype=a.dtype), np.zeros_like(a), np.zeros_like(a)
    for k, coefficient in enumerate(_PADE):
        if k % 2:
            odd = odd + coefficient * power
        else:
            even = even + coefficient * power
        power = power @ a
    y = np.linalg.solve(even - odd, even + odd)
    for _ in range(halvings):
        y = y @ y
    return y


def _self_adjoint(f: Any, a: Any) -> Any:
    """f of a self-adjoint matrix, by its eigenvalues."""
    e, v = np.linalg.eigh(a)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = f(e.astype(a.dtype))
    return (v * values) @ v.conj().T


def _root(a: Any) -> Any:
    if np.array_equal(a, a.conj().T):
        return _self_adjoint(np.sqrt, a)
    y, z = a, np.eye(len(a), dtype=a.dtype)
    try:
        for _ in range(_MOST_STEPS):
            before = y
            y, z = (y + np.linalg.inv(z)) / 2, (z + np.linalg.inv(y)) / 2
            if np.abs(y - before).max() <= 1e-14 * np.abs(y).max():
                return y
    except np.linalg.LinAlgError:
        pass
    return y if np.allclose(y @ y, a) else np.full_like(a, np.nan)


def _logarithm(a: Any) -> Any:
    if np.array_equal(a, a.conj().T):
        return _self_adjoint(np.log, a)
    one, doublings = np.eye(len(a)), 0
    while np.abs(a - one).sum(0).max() > _NEAR_ONE and doublings < _MOST_STEPS:
        a, doublings = _root(a), doublings + 1
    x = a - one
    terms = (w / 2 * np.linalg.solve(one + (t + 1) / 2 * x, x) for t, w in zip(*_NODES, strict=True))
    return 2.0**doublings * sum(terms)


class _OfSquare(_OfMatrix):
    """Base of the functions. x [..., n, n] -> y [..., n, n]"""

    @staticmethod
    def of(a: Any) -> Any:
        """The function of one matrix of doubles."""
        raise NotImplementedError

    def infer(self, x: Spec) -> Spec:
        lead, n = _square(self.type, x)
        return x.with_shape((*lead, n, n))

    def reference(self, x: Any) -> Any:
        made = np.empty_like(x)
        for at in np.ndindex(x.shape[:-2]):
            made[at] = self.of(_wide(x[at])) if x.size else x[at]
        return made

    def grad(self, node: Any, dy: Any) -> Any:
        x = _adjoint(node.inputs[0])
        concat = REGISTRY["ConcatV2"]()
        block = concat(concat(x, dy, -1), concat(x * 0, x, -1), -2)
        n = None if x.spec.shape is None else x.spec.shape[-1]
        n = REGISTRY["Shape"]()(x)[-1] if n is None else n
        return self(block)[..., :n, n:]


@op
class MatrixExponential(_OfSquare):
    """1 + x + x^2 / 2! + x^3 / 3! + ..."""

    of = staticmethod(_exponential)


@op
class MatrixSquareRoot(_OfSquare):
    """The y with y y = x whose eigenvalues lie right of 0. nan where a real x has a negative eigenvalue, and where an x
    that is not self-adjoint has one that is 0."""

    of = staticmethod(_root)


@op
class MatrixLogarithm(_OfSquare):
    """The y with exp y = x whose eigenvalues have imaginary parts in (-pi, pi]; x complex."""

    T = COMPLEXES
    of = staticmethod(_logarithm)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for sample in super().samples(rng):
            (x,) = sample.args
            z = x.astype(np.complex64 if x.dtype == np.float32 else np.complex128)
            yield Sample(sample.op, (z,), order=min(sample.order, 2), name=sample.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3), np.complex128)), ShapeError, "must be square"
        yield lambda: cls()(np.ones((2, 2))), DTypeError, "must be one of complex64, complex128"


# --- public names ---------------------------------------------------------------------------------------------------


@public("linalg.expm")
def expm(input: Any, name: str | None = None) -> Tensor:
    """The exponential of square matrices, 1 + x + x^2 / 2! + ... [..., n, n], real or complex.

    Raises:
      ShapeError: they are not square.
    """
    return MatrixExponential()(input, name=name)


@public("linalg.logm")
def logm(input: Any, name: str | None = None) -> Tensor:
    """The principal logarithm of square complex matrices [..., n, n] without eigenvalues at 0.

    Raises:
      DTypeError: they are not complex. ShapeError: they are not square.
    """
    return MatrixLogarithm()(input, name=name)


@public("linalg.sqrtm", v1=("linalg.sqrtm", "matrix_square_root"))
def sqrtm(input: Any, name: str | None = None) -> Tensor:
    """The principal square root of square matrices [..., n, n], real or complex: sqrtm(x) @ sqrtm(x) = x.

    nan where a real matrix has a negative eigenvalue, and where one that is not self-adjoint has an eigenvalue 0.

    Raises:
      ShapeError: they are not square.
    """
    return MatrixSquareRoot()(input, name=name)
