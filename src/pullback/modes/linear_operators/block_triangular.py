"""LinearOperatorBlockLowerTriangular: operators on a diagonal and below it."""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.assertions import all_of
from pullback.modes.linear_operators.blockwise import Blockwise, joined, total
from pullback.modes.linear_operators.hints import settled
from pullback.modes.linear_operators.made_of import added, multiplied, parts
from pullback.modes.linear_operators.shapes import batch, matrix, spliced
from pullback.ops.array.sizes import broadcast_to
from pullback.ops.linalg.solving import adjoint as adjoint_of


@public("linalg.LinearOperatorBlockLowerTriangular", v1=None)
class LinearOperatorBlockLowerTriangular(Blockwise):
    """Blocks [[A], [B, C], [D, E, F], ...]: A, C, F on the diagonal. Solves block by block.

    matmul, matvec, solve and solvevec also take a list of tensors, one for each row, and then answer with a list.

    Args:
      operators: rows of LinearOperators of one type, each row a block longer than the one before; the last block of
        each is square.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator. It is singular where
        one of the diagonal's is, and not where none is.
    Raises:
      ArgumentError: rows of other lengths, or hints that deny what follows. ShapeError: blocks do not fit.
      DTypeError: types differ.
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorBlockLowerTriangular",
    ) -> None:
        self._operators = [list(row) for row in operators]
        every = parts(part for row in self._operators for part in row)
        for i, row in enumerate(self._operators):
            if len(row) != i + 1:
                raise ArgumentError(f"operators[{i}] must hold {i + 1} blocks, but holds {len(row)}").locate()
        self._check_sizes()
        hints = [part.is_non_singular for part in self._diagonal]
        if all(hints) or False in hints:
            is_non_singular = settled(is_non_singular, all(hints), "a matrix is as singular as its diagonal blocks")
        is_square = settled(is_square, True, "LinearOperatorBlockLowerTriangular: only square matrices are supported")
        super().__init__(every[0].dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)

    def _check_sizes(self) -> None:
        for i, row in enumerate(self._operators):
            if row[-1].is_square is False:
                raise ArgumentError(f"operators[{i}][-1] stands on the diagonal, so it must be square").locate()
            for j, part in enumerate(row):
                given = (part.range_dimension.value, part.domain_dimension.value)
                needed = (row[-1].range_dimension.value, self._operators[j][-1].domain_dimension.value)
                if any(n is not None and m is not None and n != m for n, m in zip(given, needed, strict=True)):
                    raise ShapeError(f"operators[{i}][{j}] must be {needed}, but is {given}: rows, columns").locate()

    @property
    def operators(self) -> list[list[Any]]:
        """The blocks, row by row."""
        return self._operators

    @property
    def _diagonal(self) -> list[Any]:
        return [row[-1] for row in self._operators]

    @property
    def _every_operator(self) -> list[Any]:
        return [part for row in self._operators for part in row]

    def _shape(self) -> Shape:
        n = total(part.range_dimension.value for part in self._diagonal)
        return matrix(batch(self._every_operator), n, n)

    def _terms(self, i: int, adjoint: bool) -> list[tuple[int, Any]]:
        """(column, operator) of row i's blocks beside the diagonal, of the matrix or its adjoint."""
        if adjoint:
            return [(j, self._operators[j][i]) for j in range(i + 1, len(self._operators))]
        return list(enumerate(self._operators[i][:-1]))

    def _matmul_blocks(self, x: list[Any], adjoint: bool, adjoint_arg: bool) -> list[Any]:
        out = []
        for i, own in enumerate(self._diagonal):
            terms = [(i, own), *self._terms(i, adjoint)]
            out.append(added(part.matmul(x[j], adjoint=adjoint, adjoint_arg=adjoint_arg) for j, part in terms))
        return out

    def _solve_blocks(self, rhs: list[Any], adjoint: bool, adjoint_arg: bool) -> list[Any]:
        rhs = [adjoint_of(b) for b in rhs] if adjoint_arg else rhs
        found: dict[int, Any] = {}
        order = range(len(rhs))
        for i in reversed(order) if adjoint else order:
            left = rhs[i]
            for j, part in self._terms(i, adjoint):
                left = left - part.matmul(found[j], adjoint=adjoint)
            found[i] = self._diagonal[i].solve(left, adjoint=adjoint)
        return [found[i] for i in order]

    def _over_batch(self, x: Any, *axes: Any) -> Tensor:
        """What the diagonal's blocks answer, repeated over the whole batch."""
        return broadcast_to(x, spliced(self._batch(), axes))

    def _determinant(self) -> Tensor:
        return self._over_batch(multiplied(part.determinant() for part in self._diagonal))

    def _log_abs_determinant(self) -> Tensor:
        return self._over_batch(added(part.log_abs_determinant() for part in self._diagonal))

    def _trace(self) -> Tensor:
        return self._over_batch(added(part.trace() for part in self._diagonal))

    def _diag_part(self) -> Tensor:
        return self._over_batch(joined([part.diag_part() for part in self._diagonal]), self._rows())

    def _assert_non_singular(self) -> Any:
        return all_of(part.assert_non_singular() for part in self._diagonal)
