"""Operators that differ from a simple one by few dimensions: low rank updates, and reflections."""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import Shape, broadcast
from pullback.core.tensor import Tensor
from pullback.modes.grouping import no_op
from pullback.modes.linear_operators.assertions import all_of
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.diagonal import LinearOperatorDiag, run_square_over, square_over
from pullback.modes.linear_operators.hints import HintError, settled
from pullback.modes.linear_operators.identity import LinearOperatorIdentity
from pullback.modes.linear_operators.shapes import (
    Dims,
    aligned,
    dims_of,
    kept,
    lead,
    matrix,
    one_type,
    spliced,
    static,
    together,
)
from pullback.ops.array.conversion import cast, identity
from pullback.ops.array.creation import ones, zeros
from pullback.ops.array.joining import concat
from pullback.ops.array.shape import expand_dims
from pullback.ops.linalg import solving
from pullback.ops.linalg.bands import diag_part, set_diag
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math.functions import abs_, conj, exp, log, real
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.nn.normalization import l2_normalize


@public("linalg.LinearOperatorLowRankUpdate", v1=None)
class LinearOperatorLowRankUpdate(LinearOperator):
    """L + U D V^H, of an operator L [M, N] and few columns.

    With C = D^-1 + V^H L^-1 U, the capacitance [K, K], both the inverse and the determinant need only L's own
    (Woodbury's identity and the matrix determinant lemma):

        A^-1 = L^-1 - L^-1 U C^-1 V^H L^-1          det A = det C det D det L

    Args:
      base_operator: L, a LinearOperator.
      u: Tensor or variable [..., M, K]. v: [..., N, K], by default u.
      diag_update: [..., K], D's diagonal; by default ones.
      is_diag_update_positive: a promise about it. With it, v left out and L positive definite, Cholesky's factor of C
        is used.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator.
    Raises:
      ArgumentError: hints deny what follows from the arguments. ShapeError: shapes do not fit.
    """

    def __init__(
        self,
        base_operator: Any,
        u: Any,
        diag_update: Any = None,
        v: Any = None,
        is_diag_update_positive: bool | None = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowRankUpdate",
    ) -> None:
        if diag_update is None:
            is_diag_update_positive = settled(is_diag_update_positive, True, "without diag_update, D is the identity")
        own = v is None and base_operator.is_self_adjoint
        if own and not base_operator.dtype.is_complex:
            is_self_adjoint = settled(is_self_adjoint, True, "L + U D U^T is self-adjoint, as L is and D is real")
        self._use_cholesky = bool(own and base_operator.is_positive_definite and is_diag_update_positive)
        if self._use_cholesky:
            why = "L + U D U^H is self-adjoint and positive definite, as L and D are"
            is_positive_definite = settled(is_positive_definite, True, why)
            is_self_adjoint = settled(is_self_adjoint, True, why)
            is_non_singular = settled(is_non_singular, True, why)
        self._base_operator = base_operator
        self._u = kept(u, "u", 2)
        self._v = self._u if v is None else kept(v, "v", 2)
        self._diag_update = None if diag_update is None else kept(diag_update, "diag_update", 1)
        one_type(base_operator=base_operator, u=self._u, v=self._v, diag_update=self._diag_update)
        self._is_diag_update_positive = is_diag_update_positive
        super().__init__(
            base_operator.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )
        if self._diag_update is None:
            self._diag_operator: Any = LinearOperatorIdentity(dims_of(self._u)[-1], dtype=self.dtype)
        else:
            self._diag_operator = LinearOperatorDiag(self._diag_update, is_positive_definite=is_diag_update_positive)
        self._check_shapes()

    def _check_shapes(self) -> None:
        rows, columns = self._base_operator.range_dimension.value, self._base_operator.domain_dimension.value
        for name, x, needed in (("u", self._u, rows), ("v", self._v, columns)):
            given = static(x)
            if given is not None and None not in (given[-2], needed) and given[-2] != needed:
                raise ArgumentError(
                    f"{name} must have {needed} rows, as the operator's shape is {self._base_operator.shape}, but its "
                    f"shape is {x.shape}"
                ).locate()
        self._shape()  # batch axes that do not broadcast are found here

    @property
    def base_operator(self) -> Any:
        """L."""
        return self._base_operator

    @property
    def u(self) -> Any:
        return self._u

    @property
    def v(self) -> Any:
        return self._v

    @property
    def diag_update(self) -> Any:
        """D's diagonal; None for the identity."""
        return self._diag_update

    @property
    def diag_operator(self) -> Any:
        """D."""
        return self._diag_operator

    @property
    def is_diag_update_positive(self) -> bool | None:
        return self._is_diag_update_positive

    def _shape(self) -> Shape:
        base = self._base_operator
        batches = broadcast(lead(base), lead(self._diag_operator), lead(self._u), lead(self._v))
        return matrix(batches, base.range_dimension.value, base.domain_dimension.value)

    def _shape_tensor(self) -> Dims:
        base = self._base_operator
        batches = [base._batch(), self._diag_operator._batch(), dims_of(self._u)[:-2], dims_of(self._v)[:-2]]
        return spliced(together(*batches), (base._rows(), base._columns()))

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        inner, outer = (self._u, self._v) if adjoint else (self._v, self._u)
        few = self._diag_operator.matmul(matmul(inner, x, adjoint_a=True, adjoint_b=adjoint_arg), adjoint=adjoint)
        return self._base_operator.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg) + matmul(outer, few)

    def _capacitance(self) -> Tensor:
        """C = D^-1 + V^H L^-1 U. [..., K, K]"""
        inside = matmul(self._v, self._base_operator.solve(self._u), adjoint_a=True)
        return self._diag_operator.inverse().add_to_tensor(inside)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        inner, outer = (self._u, self._v) if adjoint else (self._v, self._u)
        base = self._base_operator
        first = base.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
        capacitance, few = aligned(self._capacitance(), matmul(inner, first, adjoint_a=True))
        if self._use_cholesky:
            few = solving.cholesky_solve(solving.cholesky(capacitance), few)
        else:
            few = solving.solve(capacitance, few, adjoint=adjoint)
        return first - base.solve(matmul(outer, few), adjoint=adjoint)

    def _determinant(self) -> Tensor:
        if self._use_cholesky:
            return cast(exp(self.log_abs_determinant()), self.dtype)
        outside = self._diag_operator.determinant() * self._base_operator.determinant()
        return solving.det(self._capacitance()) * outside

    def _log_abs_determinant(self) -> Tensor:
        outside = self._diag_operator.log_abs_determinant() + self._base_operator.log_abs_determinant()
        if self._use_cholesky:
            factor = diag_part(solving.cholesky(self._capacitance()))
            return 2 * reduce_sum(log(real(factor)), -1) + outside
        return log(abs_(solving.det(self._capacitance()))) + outside

    def _assert_self_adjoint(self) -> Any:
        if self._v is not self._u:
            return super()._assert_self_adjoint()
        return all_of(part.assert_self_adjoint() for part in (self._base_operator, self._diag_operator))

    def _diag_part(self) -> Tensor:
        if not self.is_square:
            return super()._diag_part()
        update = identity(self._u) * conj(self._v)
        if self._diag_update is not None:
            update = update * expand_dims(self._diag_update, -2)
        return reduce_sum(update, -1) + self._base_operator.diag_part()


@public("linalg.LinearOperatorHouseholder", v1=None)
class LinearOperatorHouseholder(LinearOperator):
    """I - 2 v v^H / |v|^2: the reflection that turns v round and leaves what is orthogonal to it.

    Args:
      reflection_axis: v, Tensor or variable [..., N]; its length does not matter.
      is_non_singular, is_square, is_self_adjoint: True or None. is_positive_definite: False or None. name: see
        LinearOperator.
    Raises:
      ArgumentError: hints deny what a reflection is. ShapeError: v is a scalar.
    """

    def __init__(
        self,
        reflection_axis: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorHouseholder",
    ) -> None:
        self._reflection_axis = kept(reflection_axis, "reflection_axis", 1)
        is_self_adjoint = settled(is_self_adjoint, True, "a reflection is always self-adjoint")
        is_positive_definite = settled(is_positive_definite, False, "a reflection is never positive definite")
        is_square = settled(is_square, True, "a reflection is always square")
        if is_non_singular is False:
            settled(is_non_singular, True, "a reflection is its own inverse, so it has one")
        super().__init__(
            self._reflection_axis.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )

    @property
    def reflection_axis(self) -> Any:
        """As it was given."""
        return self._reflection_axis

    def _shape(self) -> Shape:
        return square_over(self._reflection_axis)

    def _shape_tensor(self) -> Dims:
        return run_square_over(self._reflection_axis)

    def _column(self) -> Tensor:
        """v / |v|. [..., N, 1]"""
        return expand_dims(l2_normalize(self._reflection_axis, axis=-1), -1)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = solving.adjoint(x) if adjoint_arg else x
        v = self._column()
        return x - 2 * v * matmul(v, x, adjoint_a=True)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._matmul(rhs, adjoint, adjoint_arg)

    def _to_dense(self) -> Tensor:
        v = self._column()
        rest = -2 * matmul(v, v, adjoint_b=True)
        return set_diag(rest, 1 + diag_part(rest))

    def _diag_part(self) -> Tensor:
        v = l2_normalize(self._reflection_axis, axis=-1)
        return 1 - 2 * v * conj(v)

    def _trace(self) -> Tensor:
        return cast(self._columns() - 2, self.dtype) * ones(self._batch(), self.dtype)

    def _determinant(self) -> Tensor:
        return -ones(self._batch(), self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return zeros(self._batch(), self.dtype.real_dtype)

    def _eigvals(self) -> Tensor:
        batches = self._batch()
        kind = self.dtype
        return concat([-ones(spliced(batches, (1,)), kind), ones(spliced(batches, (self._columns() - 1,)), kind)], -1)

    def _cond(self) -> Tensor:
        return ones(self._batch(), self.dtype.real_dtype)

    def _linop_inverse(self) -> LinearOperator:
        return self

    def _assert_non_singular(self) -> Any:
        return no_op()

    def _assert_self_adjoint(self) -> Any:
        return no_op()

    def _assert_positive_definite(self) -> Any:
        raise HintError(f"{self.name}: a reflection is never positive definite").locate()
