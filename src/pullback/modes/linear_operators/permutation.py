"""LinearOperatorPermutation: rows in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import float32
from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.names import public
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor
from pullback.modes.grouping import no_op
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.diagonal import run_square_over, square_over
from pullback.modes.linear_operators.hints import hints_of, settled
from pullback.modes.linear_operators.shapes import Dims, aligned, dims_of, kept, spliced
from pullback.ops.array.conversion import cast
from pullback.ops.array.creation import ones, zeros
from pullback.ops.array.gather import gather
from pullback.ops.array.knowledge import get_static_value
from pullback.ops.array.ordering import argsort
from pullback.ops.array.ranges import range_
from pullback.ops.array.shape import expand_dims, reshape
from pullback.ops.linalg.solving import adjoint as adjoint_of
from pullback.ops.math.functions import equal


@public("linalg.LinearOperatorPermutation", v1=None)
class LinearOperatorPermutation(LinearOperator):
    """The rows of its argument in another order: (A x)[i] = x[perm[i]].

    Args:
      perm: integers [..., N], each of 0 .. N-1 once.
      dtype: of arguments and answers.
      is_non_singular, is_square: True or None. is_self_adjoint (perm is its own inverse), is_positive_definite, name:
        see LinearOperator.
    Raises:
      ArgumentError: hints deny what it is, or perm's value is known and no permutation. DTypeError: perm is not of
      integers. ShapeError: perm is a scalar.
    """

    def __init__(
        self,
        perm: Any,
        dtype: Any = float32,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorPermutation",
    ) -> None:
        self._perm = kept(perm, "perm", 1)
        if not self._perm.dtype.is_integer:
            raise DTypeError(f"perm must be of integers, but is of type {self._perm.dtype.name}").locate()
        value = get_static_value(self._perm)
        if value is not None and (np.sort(value, -1) != np.arange(value.shape[-1])).any():
            raise ArgumentError(f"perm must hold each of 0 to {value.shape[-1] - 1} once, but is {value}").locate()
        if is_non_singular is False:
            settled(is_non_singular, True, "a permutation always has an inverse")
        is_square = settled(is_square, True, "a permutation is always square")
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)

    @property
    def perm(self) -> Any:
        """As it was given."""
        return self._perm

    def _shape(self) -> Shape:
        return square_over(self._perm)

    def _shape_tensor(self) -> Dims:
        return run_square_over(self._perm)

    def _order(self, inverted: bool) -> Tensor:
        return argsort(self._perm, axis=-1) if inverted else interpreter.as_tensor(self._perm)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = adjoint_of(x) if adjoint_arg else x
        order, x = aligned(expand_dims(self._order(adjoint), -1), x)
        n, dims = self._columns(), dims_of(x)
        y = gather(reshape(x, spliced((-1, n), dims[-1:])), reshape(order, (-1, n)), axis=1, batch_dims=1)
        return reshape(y, dims)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._matmul(rhs, not adjoint, adjoint_arg)

    def _to_dense(self) -> Tensor:
        places = range_(interpreter.as_tensor(self._columns(), self._perm.dtype))
        return cast(equal(places, expand_dims(self._perm, -1)), self.dtype)

    def _diag_part(self) -> Tensor:
        places = range_(interpreter.as_tensor(self._columns(), self._perm.dtype))
        return cast(equal(places, self._order(False)), self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return zeros(self._batch(), self.dtype.real_dtype)

    def _cond(self) -> Tensor:
        return ones(self._batch(), self.dtype.real_dtype)

    def _linop_adjoint(self) -> LinearOperator:
        return LinearOperatorPermutation(self._order(True), self.dtype, **hints_of(self))

    def _linop_inverse(self) -> LinearOperator:
        return self.adjoint()

    def _assert_non_singular(self) -> Any:
        return no_op()
