"""LinearOperatorBlockDiag: operators along a diagonal."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.assertions import all_of
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.blockwise import Blockwise, joined, total
from pullback.modes.linear_operators.hints import hints_of, non_singular, shared
from pullback.modes.linear_operators.made_of import OfParts, added, multiplied, of_square_parts, parts
from pullback.modes.linear_operators.shapes import batch, matrix


@public("linalg.LinearOperatorBlockDiag", v1=None)
class LinearOperatorBlockDiag(OfParts, Blockwise):
    """The direct sum of operators: each acts on its own part of a vector.

    matmul, matvec, solve and solvevec also take a list of tensors, one for each operator, and then answer with a list.

    Args:
      operators: LinearOperators of one type; their batch axes broadcast.
      is_non_singular, is_self_adjoint, is_positive_definite: see LinearOperator; what all operators are, the sum is.
      is_square: to be set to False where it is not.
      name: by default the operators' names, joined by "_ds_".
    Raises:
      ArgumentError: no operators, or hints that deny what follows. DTypeError: types differ.
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str | None = None,
    ) -> None:
        operators = parts(operators)
        given = {
            "is_non_singular": is_non_singular,
            "is_self_adjoint": is_self_adjoint,
            "is_positive_definite": is_positive_definite,
            "is_square": is_square,
        }
        super().__init__(operators, shared(operators, given, "direct sum"), name, "_ds_")

    def _shape(self) -> Shape:
        rows = total(part.range_dimension.value for part in self._operators)
        return matrix(batch(self._operators), rows, total(part.domain_dimension.value for part in self._operators))

    @property
    def _diagonal(self) -> list[Any]:
        return self._operators

    @property
    def _every_operator(self) -> list[Any]:
        return self._operators

    def _matmul_blocks(self, x: list[Any], adjoint: bool, adjoint_arg: bool) -> list[Any]:
        return [part.matmul(block, adjoint, adjoint_arg) for part, block in zip(self._operators, x, strict=True)]

    def _solve_blocks(self, rhs: list[Any], adjoint: bool, adjoint_arg: bool) -> list[Any]:
        return [part.solve(block, adjoint, adjoint_arg) for part, block in zip(self._operators, rhs, strict=True)]

    @of_square_parts
    def _determinant(self) -> Tensor:
        return multiplied(part.determinant() for part in self._operators)

    @of_square_parts
    def _log_abs_determinant(self) -> Tensor:
        return added(part.log_abs_determinant() for part in self._operators)

    @of_square_parts
    def _trace(self) -> Tensor:
        return added(part.trace() for part in self._operators)

    @of_square_parts
    def _diag_part(self) -> Tensor:
        return joined([part.diag_part() for part in self._operators])

    @of_square_parts
    def _eigvals(self) -> Tensor:
        return joined([part.eigvals() for part in self._operators])

    def _linop_adjoint(self) -> LinearOperator:
        return LinearOperatorBlockDiag([part.adjoint() for part in self._operators], **hints_of(self))

    @of_square_parts
    def _linop_inverse(self) -> LinearOperator:
        return LinearOperatorBlockDiag([part.inverse() for part in self._operators], **hints_of(self))

    def _linop_cholesky(self) -> LinearOperator:
        if not all(part._can_use_cholesky() for part in self._operators):
            return super()._linop_cholesky()
        return LinearOperatorBlockDiag([part.cholesky() for part in self._operators], is_non_singular=True)

    def _block_pairs(self, left: Any, right: Any) -> list[tuple[Any, Any]] | None:
        """The blocks of two operators, when they lie over each other."""
        if not isinstance(right, LinearOperatorBlockDiag) or len(left.operators) != len(right.operators):
            return None
        pairs = list(zip(left.operators, right.operators, strict=True))
        fitting = all(a.domain_dimension.value == b.range_dimension.value is not None for a, b in pairs)
        return pairs if fitting else None

    def _linop_matmul(self, left_operator: Any, right_operator: Any) -> LinearOperator:
        pairs = self._block_pairs(left_operator, right_operator)
        if pairs is None:
            return super()._linop_matmul(left_operator, right_operator)
        square = left_operator.is_square and right_operator.is_square
        hint = non_singular(left_operator, right_operator) if square else None
        return LinearOperatorBlockDiag([a.matmul(b) for a, b in pairs], hint, is_square=square)

    def _linop_solve(self, left_operator: Any, right_operator: Any) -> LinearOperator:
        pairs = self._block_pairs(left_operator, right_operator)
        if pairs is None:
            return super()._linop_solve(left_operator, right_operator)
        square = right_operator.is_square
        hint = non_singular(left_operator, right_operator) if square else None
        return LinearOperatorBlockDiag([a.solve(b) for a, b in pairs], hint, is_square=square)

    @of_square_parts
    def _assert_self_adjoint(self) -> Any:
        return all_of(part.assert_self_adjoint() for part in self._operators)

    def _assert_positive_definite(self) -> Any:
        return all_of(part.assert_positive_definite() for part in self._operators)
