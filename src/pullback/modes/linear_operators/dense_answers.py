"""Hooks: how an operator answers, where its class knows no better way than by its dense matrix."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.modes.linear_operators.described import Described
from pullback.modes.linear_operators.hints import hints_of
from pullback.modes.linear_operators.shapes import aligned
from pullback.ops.array.conversion import cast
from pullback.ops.array.one_hot import eye
from pullback.ops.array.shape import expand_dims, squeeze
from pullback.ops.control.assertions import assert_equal, assert_less, assert_positive
from pullback.ops.linalg import solving
from pullback.ops.linalg.bands import diag_part
from pullback.ops.linalg.eigen import eigvalsh
from pullback.ops.linalg.factors import qr, svd
from pullback.ops.math.functions import abs_, exp, log, real
from pullback.ops.math.reduce_functions import reduce_max, reduce_min, reduce_sum


class DenseAnswers(Described):
    """Base of operators, all hooks but `_shape` and `_matmul` written. Arguments are tensors that fit."""

    @abc.abstractmethod
    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        """A x, or A^H x with `adjoint`; x^H in place of x with `adjoint_arg`."""

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return squeeze(self.matmul(expand_dims(x, -1), adjoint=adjoint), -1)

    def _dense_solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = solving.adjoint(rhs) if adjoint_arg else rhs
        matrix, rhs = aligned(self.to_dense(), rhs)
        if self._can_use_cholesky():
            return solving.cholesky_solve(solving.cholesky(matrix), rhs)
        return solving.solve(matrix, rhs, adjoint=adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._dense_solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return squeeze(self.solve(expand_dims(rhs, -1), adjoint=adjoint), -1)

    def _can_use_cholesky(self) -> bool:
        return bool(self.is_self_adjoint and self.is_positive_definite)

    def _to_dense(self) -> Any:
        return self.matmul(eye(self._columns(), batch_shape=self._batch(), dtype=self.dtype))

    def _diag_part(self) -> Any:
        return diag_part(self.to_dense())

    def _trace(self) -> Any:
        return reduce_sum(self.diag_part(), -1)

    def _add_to_tensor(self, x: Any) -> Any:
        return self.to_dense() + x

    def _determinant(self) -> Any:
        if self._can_use_cholesky():
            return cast(exp(self.log_abs_determinant()), self.dtype)
        return solving.det(self.to_dense())

    def _log_abs_determinant(self) -> Any:
        if self._can_use_cholesky():
            return 2 * reduce_sum(log(real(diag_part(solving.cholesky(self.to_dense())))), -1)
        if self.dtype.is_complex:
            return reduce_sum(log(abs_(diag_part(qr(self.to_dense())[1]))), -1)
        return solving.slogdet(self.to_dense())[1]

    def _eigvals(self) -> Any:
        return eigvalsh(self.to_dense())

    def _cond(self) -> Any:
        values = abs_(self._eigvals()) if self.is_self_adjoint else svd(self.to_dense(), compute_uv=False)
        return reduce_max(values, -1) / reduce_min(values, -1)

    def _linop_matmul(self, left_operator: Any, right_operator: Any) -> Any:
        from pullback.modes.linear_operators.products import product

        return product(left_operator, right_operator)

    def _linop_solve(self, left_operator: Any, right_operator: Any) -> Any:
        from pullback.modes.linear_operators.products import quotient

        return quotient(left_operator, right_operator)

    def _linop_adjoint(self) -> Any:
        from pullback.modes.linear_operators.products import LinearOperatorAdjoint

        return LinearOperatorAdjoint(self, **hints_of(self))

    def _linop_inverse(self) -> Any:
        from pullback.modes.linear_operators.products import LinearOperatorInversion

        return LinearOperatorInversion(self, **hints_of(self))

    def _linop_cholesky(self) -> Any:
        from pullback.modes.linear_operators.dense import LinearOperatorLowerTriangular

        return LinearOperatorLowerTriangular(solving.cholesky(self.to_dense()), True, False, None, True)

    def _assert_non_singular(self) -> Any:
        values = svd(self.to_dense(), compute_uv=False)
        step = float(np.finfo(self.dtype.real_dtype.numpy).eps)
        largest = reduce_max(interpreter.as_tensor([100, self._rows(), self._columns()], "int32"))
        bound = 1 / (step * cast(largest, values.dtype))
        ratio = reduce_max(values, -1) / reduce_min(values, -1)
        return assert_less(ratio, bound, message=f"{self.name} is singular up to rounding")

    def _assert_self_adjoint(self) -> Any:
        dense = self.to_dense()
        return assert_equal(dense, solving.adjoint(dense), message=f"{self.name} is not self-adjoint")

    def _assert_positive_definite(self) -> Any:
        dense = self.to_dense()
        return assert_positive(
            real(eigvalsh(dense + solving.adjoint(dense))), message=f"{self.name} is not positive definite"
        )
