"""LinearOperatorDiag: a diagonal matrix, kept as its diagonal."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.assertions import assert_no_zeros, assert_real
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.hints import hints_of, settled
from pullback.modes.linear_operators.shapes import Dims, dims_of, kept, spliced, static
from pullback.ops.array.conversion import identity
from pullback.ops.array.shape import expand_dims
from pullback.ops.control.assertions import assert_positive
from pullback.ops.linalg.bands import diag as matrix_of
from pullback.ops.linalg.bands import diag_part, set_diag
from pullback.ops.linalg.solving import adjoint as adjoint_of
from pullback.ops.math.functions import abs_, conj, log, real, sqrt
from pullback.ops.math.reduce_functions import reduce_max, reduce_min, reduce_prod, reduce_sum


def square_over(vector: Any) -> Shape:
    """The shape [..., N, N] of an operator given by vectors [..., N]."""
    shape = static(vector)
    return None if shape is None else (*shape, shape[-1])


def run_square_over(vector: Any) -> Dims:
    """The same when it runs."""
    dims = dims_of(vector)
    return spliced(dims, dims[-1:])


@public("linalg.LinearOperatorDiag", v1=None)
class LinearOperatorDiag(LinearOperator):
    """A diagonal matrix: products, solutions and inverses cost as much as its diagonal is long.

    Args:
      diag: Tensor or variable [..., N].
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator. A real one is
        always self-adjoint.
    Raises:
      ArgumentError: hints deny what a diagonal matrix is. ShapeError: diag is a scalar.
    """

    def __init__(
        self,
        diag: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorDiag",
    ) -> None:
        self._diag = kept(diag, "diag", 1)
        if not self._diag.dtype.is_complex:
            is_self_adjoint = settled(is_self_adjoint, True, "a real diagonal matrix is always self-adjoint")
        is_square = settled(is_square, True, "LinearOperatorDiag: only square diagonal matrices are supported")
        super().__init__(
            self._diag.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )

    @property
    def diag(self) -> Any:
        """As it was given."""
        return self._diag

    def _shape(self) -> Shape:
        return square_over(self._diag)

    def _shape_tensor(self) -> Dims:
        return run_square_over(self._diag)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = adjoint_of(x) if adjoint_arg else x
        return expand_dims(self._turned(adjoint), -1) * x

    def _matvec(self, x: Any, adjoint: bool = False) -> Tensor:
        return self._turned(adjoint) * x

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        rhs = adjoint_of(rhs) if adjoint_arg else rhs
        return rhs / expand_dims(self._turned(adjoint), -1)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Tensor:
        return rhs / self._turned(adjoint)

    def _turned(self, adjoint: bool) -> Tensor:
        return conj(self._diag) if adjoint else identity(self._diag)

    def _to_dense(self) -> Tensor:
        return matrix_of(self._diag)

    def _diag_part(self) -> Any:
        return self._diag

    def _add_to_tensor(self, x: Any) -> Tensor:
        total = expand_dims(self._diag, -1) * 0 + x  # x over both batches
        return set_diag(total, diag_part(total) + self._diag)

    def _determinant(self) -> Tensor:
        return reduce_prod(self._diag, -1)

    def _log_abs_determinant(self) -> Tensor:
        return reduce_sum(log(abs_(self._diag)), -1)

    def _eigvals(self) -> Any:
        return self._diag

    def _cond(self) -> Tensor:
        size = abs_(self._diag)
        return reduce_max(size, -1) / reduce_min(size, -1)

    def _linop_adjoint(self) -> LinearOperator:
        return LinearOperatorDiag(conj(self._diag), **hints_of(self))

    def _linop_inverse(self) -> LinearOperator:
        return LinearOperatorDiag(1 / self._turned(False), **hints_of(self))

    def _linop_cholesky(self) -> LinearOperator:
        return LinearOperatorDiag(sqrt(self._diag), True, True, True, True)

    def _assert_non_singular(self) -> Any:
        return assert_no_zeros(self._diag, f"{self.name} is singular: its diagonal holds a zero")

    def _assert_self_adjoint(self) -> Any:
        return assert_real(self._diag, f"{self.name} is not self-adjoint: its diagonal is not real")

    def _assert_positive_definite(self) -> Any:
        return assert_positive(
            real(self._diag), message=f"{self.name} is not positive definite: its diagonal is not all positive"
        )
