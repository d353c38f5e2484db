"""Operators made of others: products, adjoints, inverses; and which class a product of two is."""

from __future__ import annotations

import itertools
import operator as python_operator
from typing import Any

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.dense import LinearOperatorLowerTriangular
from pullback.modes.linear_operators.diagonal import LinearOperatorDiag
from pullback.modes.linear_operators.hints import commuting, general, non_singular, settled
from pullback.modes.linear_operators.identity import (
    LinearOperatorIdentity,
    LinearOperatorScaledIdentity,
    LinearOperatorZeros,
)
from pullback.modes.linear_operators.made_of import OfOne, OfParts, added, multiplied, of_square_parts, parts
from pullback.modes.linear_operators.shapes import Dims, batch, lead, matrix, spliced, together
from pullback.ops.array.shape import expand_dims
from pullback.ops.linalg.solving import adjoint as adjoint_of
from pullback.ops.math.functions import conj


@public("linalg.LinearOperatorComposition", v1=None)
class LinearOperatorComposition(OfParts):
    """A B C ...: the last operator is applied first.

    Args:
      operators: LinearOperators of one type, whose sizes fit.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see LinearOperator; what follows from the
        operators' own is filled in, as of A A^H.
      name: by default the operators' names, joined by "_o_".
    Raises:
      ArgumentError: no operators, or hints that deny what follows. DTypeError: types differ.
      ShapeError: neighbours' sizes do not fit.
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        operators = parts(operators)
        for left, right in itertools.pairwise(operators):
            n, m = left.domain_dimension.value, right.range_dimension.value
            if n is not None and m is not None and n != m:
                raise ShapeError(
                    f"operators {left.name} {left.shape} and {right.name} {right.shape} do not fit: the second must "
                    f"have {n} rows"
                ).locate()
        if all(part.is_non_singular for part in operators):
            is_non_singular = settled(is_non_singular, True, "a product of non-singular matrices is non-singular")
        mirrored = _is_mirrored(operators)
        if mirrored or (len(operators) == 1 and operators[0].is_self_adjoint):
            is_self_adjoint = settled(is_self_adjoint, True, "this product is self-adjoint, as A A^H is")
        if mirrored:
            is_square = settled(is_square, True, "A A^H is square")
            if is_non_singular:
                is_positive_definite = settled(
                    is_positive_definite, True, "A A^H is positive definite where A is non-singular"
                )
        hints = {
            "is_non_singular": is_non_singular,
            "is_self_adjoint": is_self_adjoint,
            "is_positive_definite": is_positive_definite,
            "is_square": is_square,
        }
        super().__init__(operators, hints, name, "_o_")

    def _shape(self) -> Shape:
        first, last = self._operators[0], self._operators[-1]
        return matrix(batch(self._operators), first.range_dimension.value, last.domain_dimension.value)

    def _shape_tensor(self) -> Dims:
        batches = together(*[part._batch() for part in self._operators])
        return spliced(batches, (self._operators[0]._rows(), self._operators[-1]._columns()))

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        first, *rest = self._operators if adjoint else self._operators[::-1]
        y = first.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)
        for part in rest:
            y = part.matmul(y, adjoint=adjoint)
        return y

    @of_square_parts
    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        first, *rest = self._operators[::-1] if adjoint else self._operators
        y = first.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
        for part in rest:
            y = part.solve(y, adjoint=adjoint)
        return y

    @of_square_parts
    def _determinant(self) -> Any:
        return multiplied(part.determinant() for part in self._operators)

    @of_square_parts
    def _log_abs_determinant(self) -> Any:
        return added(part.log_abs_determinant() for part in self._operators)


def _is_mirrored(operators: list[Any]) -> bool:
    """Whether a product is A B ... B^H A^H: its own adjoint by its form."""
    half, odd = divmod(len(operators), 2)
    return not odd and all(_are_adjoint(operators[i], operators[-1 - i]) for i in range(half))


def _are_adjoint(a: Any, b: Any) -> bool:
    if a is b:
        return bool(a.is_self_adjoint)
    return any(isinstance(x, LinearOperatorAdjoint) and x.operator is y for x, y in ((a, b), (b, a)))


@public("linalg.LinearOperatorAdjoint", v1=None)
class LinearOperatorAdjoint(OfOne):
    """The conjugate transpose of an operator.

    Args:
      operator: a LinearOperator; its hints are this one's.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: what it leaves open.
      name: by default the operator's, and "_adjoint".
    Raises:
      ArgumentError: a hint contradicts the operator's.
    """

    def __init__(
        self,
        operator: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        given = {
            "is_non_singular": is_non_singular,
            "is_self_adjoint": is_self_adjoint,
            "is_positive_definite": is_positive_definite,
            "is_square": is_square,
        }
        super().__init__(operator, given, "adjoint", name, "_adjoint")

    def _shape(self) -> Shape:
        rows, columns = self._operator.range_dimension.value, self._operator.domain_dimension.value
        return matrix(lead(self._operator), columns, rows)

    def _shape_tensor(self) -> Dims:
        return spliced(self._operator._batch(), (self._operator._columns(), self._operator._rows()))

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.matmul(x, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _matvec(self, x: Any, adjoint: bool = False) -> Any:
        return self._operator.matvec(x, adjoint=not adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.solve(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _solvevec(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._operator.solvevec(rhs, adjoint=not adjoint)

    def _to_dense(self) -> Tensor:
        return adjoint_of(self._operator.to_dense())

    def _diag_part(self) -> Tensor:
        return conj(self._operator.diag_part())

    def _determinant(self) -> Tensor:
        return conj(self._operator.determinant())

    def _log_abs_determinant(self) -> Tensor:
        return self._operator.log_abs_determinant()

    def _trace(self) -> Tensor:
        return conj(self._operator.trace())

    def _eigvals(self) -> Tensor:
        return conj(self._operator.eigvals())

    def _linop_adjoint(self) -> Any:
        return self._operator


@public("linalg.LinearOperatorInversion", v1=None)
class LinearOperatorInversion(OfOne):
    """The inverse of an operator: it solves where it multiplies, and multiplies where it solves.

    Args:
      operator: a LinearOperator; its hints are this one's.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: what it leaves open.
      name: by default the operator's, and "_inv".
    Raises:
      ArgumentError: a hint contradicts the operator's, or says that there is no inverse.
    """

    def __init__(
        self,
        operator: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        if False in (operator.is_non_singular, is_non_singular):
            raise ArgumentError(f"{operator.name}: a singular matrix has no inverse (is_non_singular=False)").locate()
        if False in (operator.is_square, is_square):
            raise ArgumentError(f"{operator.name}: a matrix that is not square has no inverse").locate()
        given = {
            "is_non_singular": is_non_singular,
            "is_self_adjoint": is_self_adjoint,
            "is_positive_definite": is_positive_definite,
            "is_square": is_square,
        }
        super().__init__(operator, given, "inverse", name, "_inv")

    def _shape(self) -> Any:
        return self._operator._shape()

    def _shape_tensor(self) -> Dims:
        return self._operator._dims()

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.solve(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return self._operator.matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _determinant(self) -> Tensor:
        return 1 / self._operator.determinant()

    def _log_abs_determinant(self) -> Tensor:
        return -self._operator.log_abs_determinant()

    def _eigvals(self) -> Tensor:
        return 1 / self._operator.eigvals()

    def _linop_inverse(self) -> Any:
        return self._operator

    def _linop_solve(self, left_operator: Any, right_operator: Any) -> Any:
        return left_operator.operator.matmul(right_operator)


# --- products of two -------------------------------------------------------------------------------------------------


def product(left: Any, right: Any) -> Any:
    """left right, of the simplest class that can hold it. Where neither is simple, a LinearOperatorComposition."""
    if isinstance(left, LinearOperatorIdentity):
        return right
    if isinstance(right, LinearOperatorIdentity):
        return left
    for zero in (left, right):
        if isinstance(zero, LinearOperatorZeros) and left.is_square and right.is_square:
            return zero
    return _scaled(left, right, python_operator.mul) or LinearOperatorComposition([left, right], **general(left, right))


def quotient(left: Any, right: Any) -> Any:
    """left^-1 right, of the simplest class that can hold it."""
    if isinstance(left, LinearOperatorIdentity):
        return right
    if isinstance(right, LinearOperatorIdentity):
        return left.inverse()
    divided = _scaled(left, right, lambda a, b: b / a) if _diagonal(left) is not None else None
    return divided or LinearOperatorComposition([LinearOperatorInversion(left), right], **general(left, right))


def _diagonal(x: Any) -> Any:
    """The entries of an operator that multiplies row by row: [..., N], or [..., 1] of a multiple of the identity."""
    if isinstance(x, LinearOperatorScaledIdentity):
        return expand_dims(x.multiplier, -1)
    return x._turned(False) if isinstance(x, LinearOperatorDiag) else None


def _scaled(left: Any, right: Any, combine: Any) -> Any:
    """Two operators, one of them diagonal and the other diagonal or triangular, as one; None for others.

    combine: of left's entries and right's, to the product's.
    """
    a, b = _diagonal(left), _diagonal(right)
    if isinstance(left, LinearOperatorScaledIdentity) and isinstance(right, LinearOperatorScaledIdentity):
        return left._times(combine(left._factor(), right._factor())[..., 0, 0], commuting(left, right))
    if a is not None and b is not None:
        return LinearOperatorDiag(combine(a, b), **commuting(left, right))
    if isinstance(left, LinearOperatorDiag) and isinstance(right, LinearOperatorLowerTriangular):
        return LinearOperatorLowerTriangular(combine(expand_dims(a, -1), right.to_dense()), non_singular(left, right))
    if isinstance(right, LinearOperatorDiag) and isinstance(left, LinearOperatorLowerTriangular):
        return LinearOperatorLowerTriangular(combine(left.to_dense(), expand_dims(b, -2)), non_singular(left, right))
    return None
