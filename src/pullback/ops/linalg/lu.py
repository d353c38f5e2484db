"""LU factors of square matrices with partial pivoting, over leading axes, and what is solved by them.

x[p] = l u       l lower triangular with ones on its diagonal, u upper triangular; both lie in one matrix
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import OnesLike, Shape_
from pullback.core.dtypes import INDICES, DType, int32
from pullback.core.errors import ArgumentError, InvalidArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.shape import text
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.one_hot import one_hot
from pullback.ops.linalg.bands import band_part, diag_part, set_diag
from pullback.ops.linalg.solving import MatrixTriangularSolve, _adjoint, _OfMatrix, _square, _times
from pullback.ops.math.scopes import scope


@op
class Lu(_OfMatrix):
    """x [..., n, n] -> lu [..., n, n], p [..., n]: row i of l u is row p[i] of x."""

    signature = "input: T -> lu: T, p: output_idx_type"
    output_idx_type: DType = int32

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        lead, n = _square(self.type, x)
        return x.with_shape((*lead, n, n)), Spec((*lead, n), self.output_idx_type)

    def reference(self, x: Any) -> Any:
        lu, n = x.copy(), x.shape[-1]
        p = np.broadcast_to(np.arange(n, dtype=self.output_idx_type.numpy), x.shape[:-1]).copy()
        for at in np.ndindex(x.shape[:-2]):
            _eliminate(lu[at], p[at])
        return lu, p

    def grad(self, node: Any, dlu: Any, dp: Any) -> Any:
        """With A = low(l^H dl), B = up(du u^H), low without the diagonal: dx[p] = l^-H (A + B) u^-H."""
        lu, p = node.results
        if dlu is None:
            return None
        lower, upper = _unit_lower(lu), band_part(lu, 0, -1)
        low, up = band_part(dlu, -1, 0), band_part(dlu, 0, -1)
        a = _strictly(band_part(_times(lower, _strictly(low), adj_a=True), -1, 0))
        inner = a + band_part(_times(up, upper, adj_b=True), 0, -1)
        left = MatrixTriangularSolve(True, True)(lower, inner)
        both = _adjoint(MatrixTriangularSolve(False)(upper, _adjoint(left)))
        return _rows_back(both, p)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3))), ShapeError, "must be square"
        yield lambda: cls()(np.zeros((2, 2))), InvalidArgumentError, "not invertible"


def _eliminate(a: Any, p: Any) -> None:
    """Gauss' elimination in place: the largest number of a column first."""
    for k in range(len(a)):
        pivot = k + int(np.argmax(np.abs(a[k:, k])))
        if a[pivot, k] == 0:
            raise InvalidArgumentError("Lu: the input is not invertible")
        a[[k, pivot]], p[[k, pivot]] = a[[pivot, k]], p[[pivot, k]]
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])


def _strictly(x: Tensor) -> Tensor:
    """x with zeros on the diagonal."""
    return set_diag(x, diag_part(x) * 0)


def _unit_lower(lu: Tensor) -> Tensor:
    return set_diag(band_part(lu, -1, 0), OnesLike()(diag_part(lu)))


def _rows(x: Tensor, p: Tensor) -> Tensor:
    """x[p], by matrices whose row i has its one at p[i]."""
    return _times(one_hot(p, _size(x), dtype=x.dtype), x)


def _rows_back(x: Tensor, p: Tensor) -> Tensor:
    """The y with y[p] = x."""
    return _times(one_hot(p, _size(x), dtype=x.dtype), x, adj_a=True)


def _size(x: Tensor) -> Any:
    """n of [..., n, m]."""
    known = None if x.spec.shape is None else x.spec.shape[-2]
    return Shape_()(x)[-2] if known is None else known


def _factors(what: str, lower_upper: Any, perm: Any) -> tuple[Tensor, Tensor]:
    lu, p = interpreter.as_tensor(lower_upper), interpreter.as_tensor(perm)
    if lu.spec.rank is not None and p.spec.rank is not None and lu.spec.rank != p.spec.rank + 1:
        raise ShapeError(
            f"{what}: lower_upper {text(lu.spec.shape)} needs a permutation of shape [..., n], not {text(p.spec.shape)}"
        ).locate()
    return lu, p


# --- public names ---------------------------------------------------------------------------------------------------


@public("linalg.lu")
def lu(input: Any, output_idx_type: Any = int32, name: str | None = None) -> tuple[Tensor, Tensor]:
    """LU factors: input[p] = l u, in one matrix (l's diagonal, of ones, is not written), and the permutation p.

    Args:
      input: [..., n, n], float32, float64 or complex. output_idx_type: of p, int32 or int64.
    Raises:
      ShapeError: a matrix is not square. InvalidArgumentError: one is not invertible.
    """
    if output_idx_type not in INDICES:
        raise ArgumentError(f"lu: output_idx_type must be int32 or int64, not {output_idx_type!r}").locate()
    factors, p = Lu(output_idx_type)(input, name=name)
    return factors, p


@public("linalg.lu_solve")
def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The y with x y = rhs, given (lower_upper, perm) = `lu(x)`.

    Args:
      lower_upper: [..., n, n]. perm: [..., n]. rhs: [..., n, m].
      validate_args: has no meaning, shapes are always checked.
    """
    with scope(name, "lu_solve", lower_upper, perm, rhs):
        factors, p = _factors("lu_solve", lower_upper, perm)
        b = interpreter.as_tensor(rhs, factors.dtype)
        y = MatrixTriangularSolve(True)(_unit_lower(factors), _rows(b, p))
        return MatrixTriangularSolve(False)(factors, y)


@public("linalg.lu_reconstruct")
def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The x with (lower_upper, perm) = `lu(x)`. validate_args has no meaning, shapes are always checked."""
    with scope(name, "lu_reconstruct", lower_upper, perm):
        factors, p = _factors("lu_reconstruct", lower_upper, perm)
        return _rows_back(_times(_unit_lower(factors), band_part(factors, 0, -1)), p)


@public("linalg.lu_matrix_inverse")
def lu_matrix_inverse(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """The inverse of the x with (lower_upper, perm) = `lu(x)`."""
    with scope(name, "lu_matrix_inverse", lower_upper, perm):
        factors, p = _factors("lu_matrix_inverse", lower_upper, perm)
        unit = set_diag(factors * 0, OnesLike()(diag_part(factors)))
        return lu_solve(factors, p, unit)
