"""Operators of a matrix that is written out: any one, and lower triangular ones."""

from __future__ import annotations

from typing import Any

from pullback.core.dtypes import COMPLEXES, float16, float32, float64
from pullback.core.errors import DTypeError
from pullback.core.names import public
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.assertions import assert_no_zeros
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.hints import settled
from pullback.modes.linear_operators.shapes import Dims, aligned, dims_of, kept, static
from pullback.ops.linalg.bands import band_part, diag_part
from pullback.ops.linalg.matmul import matmul
from pullback.ops.linalg.solving import adjoint as adjoint_of
from pullback.ops.linalg.solving import triangular_solve
from pullback.ops.math.functions import abs_, log
from pullback.ops.math.reduce_functions import reduce_prod, reduce_sum


@public("linalg.LinearOperatorFullMatrix", v1=None)
class LinearOperatorFullMatrix(LinearOperator):
    """A matrix written out, with what is known about it.

    Args:
      matrix: Tensor or variable [..., M, N], floating or complex.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator. With the second and
        third True, equations are solved by Cholesky's factor.
    Raises:
      ShapeError: it has fewer than two axes. DTypeError: it is of another type.
    """

    def __init__(
        self,
        matrix: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorFullMatrix",
    ) -> None:
        self._matrix = kept(matrix, "matrix", 2)
        if self._matrix.dtype.base_dtype not in (float16, float32, float64, *COMPLEXES):
            raise DTypeError(
                f"matrix must be floating or complex, but is of type {self._matrix.dtype.name}; use tf.cast"
            ).locate()
        super().__init__(
            self._matrix.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )

    @property
    def matrix(self) -> Any:
        """As it was given."""
        return self._matrix

    def _shape(self) -> Shape:
        return static(self._matrix)

    def _shape_tensor(self) -> Dims:
        return dims_of(self._matrix)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return matmul(self._matrix, x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _to_dense(self) -> Any:
        return self._matrix


@public("linalg.LinearOperatorLowerTriangular", v1=None)
class LinearOperatorLowerTriangular(LinearOperator):
    """A lower triangular matrix; solves by substitution.

    Args:
      tril: Tensor or variable [..., N, N]; what stands above the diagonal is not read.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator.
    Raises:
      ArgumentError: is_square is False. ShapeError: tril has fewer than two axes.
    """

    def __init__(
        self,
        tril: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowerTriangular",
    ) -> None:
        is_square = settled(is_square, True, "LinearOperatorLowerTriangular: only square matrices are supported")
        self._tril = kept(tril, "tril", 2)
        super().__init__(
            self._tril.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )

    @property
    def tril(self) -> Any:
        """As it was given; its upper triangle may hold anything."""
        return self._tril

    def _shape(self) -> Shape:
        return static(self._tril)

    def _shape_tensor(self) -> Dims:
        return dims_of(self._tril)

    def _to_dense(self) -> Tensor:
        return band_part(self._tril, -1, 0)

    def _diag_part(self) -> Tensor:
        return diag_part(self._tril)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return matmul(self._to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        matrix, rhs = aligned(self._tril, adjoint_of(rhs) if adjoint_arg else rhs)
        return triangular_solve(matrix, rhs, lower=True, adjoint=adjoint)

    def _determinant(self) -> Tensor:
        return reduce_prod(self._diag_part(), -1)

    def _log_abs_determinant(self) -> Tensor:
        return reduce_sum(log(abs_(self._diag_part())), -1)

    def _eigvals(self) -> Tensor:
        return self._diag_part()

    def _assert_non_singular(self) -> Any:
        return assert_no_zeros(self._diag_part(), f"{self.name} is singular: its diagonal holds a zero")
