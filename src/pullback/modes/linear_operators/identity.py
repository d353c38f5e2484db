"""Multiples of the identity, kept as their size: 1, any number, and 0."""

from __future__ import annotations

from typing import Any

from pullback.core.dtypes import as_dtype, float32
from pullback.core.names import public
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor
from pullback.modes.default import control_dependencies
from pullback.modes.grouping import no_op
from pullback.modes.linear_operators.assertions import assert_no_zeros, assert_real
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.hints import HintError, hints_of, settled
from pullback.modes.linear_operators.shapes import (
    Dims,
    batch_axes,
    dims_of,
    kept,
    number,
    spliced,
    static,
    together,
)
from pullback.ops.array.conversion import cast, identity
from pullback.ops.array.creation import ones, ones_like, zeros
from pullback.ops.array.shape import expand_dims
from pullback.ops.array.sizes import broadcast_to, shape_
from pullback.ops.control.assertions import assert_equal, assert_non_negative, assert_positive
from pullback.ops.linalg.bands import diag_part, set_diag
from pullback.ops.linalg.solving import adjoint as adjoint_of
from pullback.ops.math.arithmetic import Minimum
from pullback.ops.math.functions import abs_, conj, log, real, sqrt


def _checked(x: Any, assertions: Any) -> Any:
    with control_dependencies([a for a in assertions if a is not None]):
        return identity(x)


def _sized(x: Any) -> int | None:
    return x if isinstance(x, int) else None


def _static_batch(batch: Dims) -> Shape:
    if isinstance(batch, tuple):
        return batch
    rank = batch.spec.shape[0] if batch.spec.shape else None
    return None if rank is None else (None,) * rank


class _Sized(LinearOperator):
    """Base of operators that are known by their size alone, or almost."""

    _num_rows: Any
    _num_columns: Any
    _assert_proper_shapes: bool

    def _set_size(self, num_rows: Any, num_columns: Any, assert_proper_shapes: bool) -> None:
        self._assert_proper_shapes = assert_proper_shapes
        self._num_rows = self._proper(number(num_rows, "num_rows"))
        self._num_columns = self._num_rows if num_columns is None else self._proper(number(num_columns, "num_columns"))

    def _proper(self, size: Any) -> Any:
        """A size from outside, checked when it runs where that was asked for."""
        if isinstance(size, (int, tuple)) or not self._assert_proper_shapes:
            return size
        return _checked(size, [assert_non_negative(size, message="sizes must not be negative")])

    def _fitting(self, x: Any, adjoint: bool, adjoint_arg: bool) -> Tensor:
        """x, or its adjoint, checked when it runs to have as many rows as the operator takes."""
        x = adjoint_of(x) if adjoint_arg else x
        if not self._assert_proper_shapes:
            return x
        needed = self._num_rows if adjoint else self._num_columns
        return _checked(x, [assert_equal(shape_(x)[-2], needed, message=f"{self.name} does not fit its argument")])

    def _over_batch(self, x: Any) -> Any:
        """Matrices repeated over the operator's batch."""
        batch = self._batch()
        if batch == ():
            return x
        dims = dims_of(x)
        return broadcast_to(x, spliced(together(batch, dims[:-2]), dims[-2:]))

    def _matrix_dims(self) -> tuple[Any, Any]:
        return self._num_rows, self._num_columns


@public("linalg.LinearOperatorIdentity", v1=None)
class LinearOperatorIdentity(_Sized):
    """The identity [batch_shape..., num_rows, num_rows].

    Args:
      num_rows: int or integer scalar. batch_shape: ints or an integer vector; None for no batch axes.
      dtype: float32 by default.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: True, all of them.
      assert_proper_shapes: check sizes that are known only when run.
    Raises:
      ArgumentError: a hint is False. ShapeError: a size is negative, or of the wrong rank.
    """

    def __init__(
        self,
        num_rows: Any,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = True,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = True,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorIdentity",
    ) -> None:
        for hint, given in (
            ("self-adjoint", is_self_adjoint),
            ("non-singular", is_non_singular),
            ("positive definite", is_positive_definite),
            ("square", is_square),
        ):
            settled(bool(given), True, f"the identity is always {hint}")
        super().__init__(as_dtype(dtype or float32), None, True, True, True, True, name)
        self._set_size(num_rows, None, assert_proper_shapes)
        self._batch_axes = self._proper(batch_axes(batch_shape))

    def _shape(self) -> Shape:
        batch, n = _static_batch(self._batch_axes), _sized(self._num_rows)
        return None if batch is None else (*batch, n, n)

    def _shape_tensor(self) -> Dims:
        return spliced(self._batch_axes, self._matrix_dims())

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._over_batch(self._fitting(x, adjoint, adjoint_arg))

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._matmul(rhs, adjoint, adjoint_arg)

    def _diag_part(self) -> Tensor:
        return ones(spliced(self._batch(), (self._num_rows,)), self.dtype)

    def _trace(self) -> Tensor:
        return cast(self._num_rows, self.dtype) * ones(self._batch(), self.dtype)

    def _add_to_tensor(self, x: Any) -> Tensor:
        x = self._over_batch(x)
        return set_diag(x, diag_part(x) + 1)

    def _determinant(self) -> Tensor:
        return ones(self._batch(), self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return zeros(self._batch(), self.dtype.real_dtype)

    def _eigvals(self) -> Tensor:
        return self._diag_part()

    def _cond(self) -> Tensor:
        return ones(self._batch(), self.dtype.real_dtype)

    def _linop_inverse(self) -> LinearOperator:
        return self

    def _linop_cholesky(self) -> LinearOperator:
        return type(self)(self._num_rows, self._batch_axes, self.dtype)

    def _assert_non_singular(self) -> Any:
        return no_op()

    def _assert_self_adjoint(self) -> Any:
        return no_op()

    def _assert_positive_definite(self) -> Any:
        return no_op()


@public("linalg.LinearOperatorScaledIdentity", v1=None)
class LinearOperatorScaledIdentity(_Sized):
    """multiplier times the identity.

    Args:
      num_rows: int or integer scalar.
      multiplier: Tensor or variable [batch...], a number for each matrix.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator. A real one is
        always self-adjoint.
      assert_proper_shapes: check sizes that are known only when run.
    Raises:
      ArgumentError: hints deny what it is. ShapeError: num_rows is negative, or no scalar.
    """

    def __init__(
        self,
        num_rows: Any,
        multiplier: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorScaledIdentity",
    ) -> None:
        self._multiplier = kept(multiplier, "multiplier")
        dtype = self._multiplier.dtype
        if not dtype.is_complex:
            is_self_adjoint = settled(is_self_adjoint, True, "a real diagonal matrix is always self-adjoint")
        is_square = settled(bool(is_square), True, "a multiple of the identity is always square")
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)
        self._set_size(num_rows, None, assert_proper_shapes)

    @property
    def multiplier(self) -> Any:
        """As it was given."""
        return self._multiplier

    def _shape(self) -> Shape:
        batch, n = static(self._multiplier), _sized(self._num_rows)
        return None if batch is None else (*batch, n, n)

    def _shape_tensor(self) -> Dims:
        return spliced(dims_of(self._multiplier), self._matrix_dims())

    def _factor(self, adjoint: bool = False) -> Tensor:
        """[batch..., 1, 1]"""
        return expand_dims(expand_dims(conj(self._multiplier) if adjoint else self._multiplier, -1), -1)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._fitting(x, adjoint, adjoint_arg) * self._factor(adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._fitting(rhs, adjoint, adjoint_arg) / self._factor(adjoint)

    def _diag_part(self) -> Tensor:
        return expand_dims(self._multiplier, -1) * ones((self._num_rows,), self.dtype)

    def _trace(self) -> Tensor:
        return cast(self._num_rows, self.dtype) * self._multiplier

    def _add_to_tensor(self, x: Any) -> Tensor:
        x = self._over_batch(x)
        return set_diag(x, diag_part(x) + expand_dims(self._multiplier, -1))

    def _determinant(self) -> Tensor:
        return identity(self._multiplier) ** cast(self._num_rows, self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return cast(self._num_rows, self.dtype.real_dtype) * log(abs_(self._multiplier))

    def _eigvals(self) -> Tensor:
        return self._diag_part()

    def _cond(self) -> Tensor:
        return ones_like(abs_(self._multiplier))

    def _times(self, multiplier: Any, hints: dict[str, Any]) -> LinearOperator:
        return type(self)(self._num_rows, multiplier, **hints)

    def _linop_adjoint(self) -> LinearOperator:
        return self._times(conj(self._multiplier), hints_of(self))

    def _linop_inverse(self) -> LinearOperator:
        return self._times(1 / identity(self._multiplier), hints_of(self))

    def _linop_cholesky(self) -> LinearOperator:
        return self._times(sqrt(self._multiplier), hints_of(self))

    def _assert_non_singular(self) -> Any:
        return assert_no_zeros(self._multiplier, f"{self.name} is singular: its multiplier is zero")

    def _assert_self_adjoint(self) -> Any:
        return assert_real(self._multiplier, f"{self.name} is not self-adjoint: its multiplier is not real")

    def _assert_positive_definite(self) -> Any:
        return assert_positive(
            real(self._multiplier), message=f"{self.name} is not positive definite: its multiplier is not positive"
        )


@public("linalg.LinearOperatorZeros", v1=None)
class LinearOperatorZeros(_Sized):
    """Zeros [batch_shape..., num_rows, num_columns].

    Args:
      num_rows: int or integer scalar. num_columns: by default num_rows.
      batch_shape: ints or an integer vector; None for no batch axes.
      dtype: float32 by default.
      is_non_singular, is_positive_definite: False. is_self_adjoint: True where it is square.
      is_square: to be set to False where it is not.
      assert_proper_shapes: check sizes that are known only when run.
    Raises:
      ArgumentError: hints deny what it is. ShapeError: a size is negative, or of the wrong rank.
    """

    def __init__(
        self,
        num_rows: Any,
        num_columns: Any = None,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = False,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = False,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorZeros",
    ) -> None:
        settled(bool(is_non_singular), False, "a matrix of zeros is always singular")
        settled(bool(is_positive_definite), False, "a matrix of zeros is never positive definite")
        if is_square:
            settled(bool(is_self_adjoint), True, "a square matrix of zeros is always self-adjoint")
        self._set_size(num_rows, num_columns, assert_proper_shapes)
        if is_square and None not in (_sized(self._num_rows), _sized(self._num_columns)):
            settled(self._num_rows == self._num_columns, True, "num_rows and num_columns differ; give is_square=False")
        self_adjoint = bool(is_self_adjoint) if is_square else False
        super().__init__(as_dtype(dtype or float32), None, False, self_adjoint, False, is_square, name)
        self._batch_axes = self._proper(batch_axes(batch_shape))

    def _shape(self) -> Shape:
        batch = _static_batch(self._batch_axes)
        return None if batch is None else (*batch, _sized(self._num_rows), _sized(self._num_columns))

    def _shape_tensor(self) -> Dims:
        return spliced(self._batch_axes, self._matrix_dims())

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = self._fitting(x, adjoint, adjoint_arg)
        dims = dims_of(x)
        rows = self._num_columns if adjoint else self._num_rows
        return zeros(spliced(together(self._batch(), dims[:-2]), (rows,), dims[-1:]), self.dtype)

    def _linop_adjoint(self) -> LinearOperator:
        return type(self)(
            self._num_columns, self._num_rows, self._batch_axes, self.dtype, is_self_adjoint=False, is_square=False
        )

    def _to_dense(self) -> Tensor:
        return zeros(self._dims(), self.dtype)

    def _diag_part(self) -> Tensor:
        rows, columns = self._matrix_dims()
        both_known = isinstance(rows, int) and isinstance(columns, int)
        shorter = min(rows, columns) if both_known else Minimum()(rows, columns)
        return zeros(spliced(self._batch(), (shorter,)), self.dtype)

    def _trace(self) -> Tensor:
        return zeros(self._batch(), self.dtype)

    def _add_to_tensor(self, x: Any) -> Tensor:
        return self._over_batch(x)

    def _determinant(self) -> Tensor:
        return zeros(self._batch(), self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return log(zeros(self._batch(), self.dtype.real_dtype))

    def _eigvals(self) -> Tensor:
        return self._diag_part()

    def _refused(self, what: str) -> Any:
        raise HintError(f"{self.name}: a matrix of zeros is never {what}").locate()

    def _assert_non_singular(self) -> Any:
        return self._refused("non-singular")

    def _assert_positive_definite(self) -> Any:
        return self._refused("positive definite")

    def _assert_self_adjoint(self) -> Any:
        return no_op()
