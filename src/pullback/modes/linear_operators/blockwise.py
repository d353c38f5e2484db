"""What operators made of blocks share: arguments that come whole or as a list of blocks."""

from __future__ import annotations

import abc
from typing import Any

from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.made_of import added
from pullback.modes.linear_operators.shapes import Dims, aligned, spliced, together
from pullback.ops.array.joining import concat
from pullback.ops.array.knowledge import is_tensor
from pullback.ops.array.shape import expand_dims, squeeze
from pullback.ops.array.splitting import split
from pullback.ops.linalg.solving import adjoint as adjoint_of


def total(sizes: Any) -> int | None:
    """The sum of sizes, as far as known."""
    sizes = list(sizes)
    return None if None in sizes else sum(sizes)


def joined(vectors: Any) -> Tensor:
    """Vectors [..., n_i] one behind the other, their batch axes broadcast."""
    return squeeze(concat(aligned(*[expand_dims(v, -1) for v in vectors]), -2), -1)


class Blockwise(LinearOperator):
    """Base of operators that cut their argument into one block for each operator on their diagonal."""

    @property
    @abc.abstractmethod
    def _diagonal(self) -> list[Any]:
        """The operators on the diagonal."""

    @property
    @abc.abstractmethod
    def _every_operator(self) -> list[Any]:
        """All of them, whose batch axes broadcast."""

    @abc.abstractmethod
    def _matmul_blocks(self, x: list[Any], adjoint: bool, adjoint_arg: bool) -> list[Any]:
        """The product's blocks."""

    @abc.abstractmethod
    def _solve_blocks(self, rhs: list[Any], adjoint: bool, adjoint_arg: bool) -> list[Any]:
        """The solution's blocks."""

    def _heights(self) -> list[Any]:
        return [part._rows() for part in self._diagonal]

    def _widths(self) -> list[Any]:
        return [part._columns() for part in self._diagonal]

    def _shape_tensor(self) -> Dims:
        batches = together(*[part._batch() for part in self._every_operator])
        return spliced(batches, (added(self._heights()), added(self._widths())))

    def _in_blocks(self, x: Any) -> bool:
        """Whether an argument comes as one tensor for each block."""
        return isinstance(x, (list, tuple)) and len(x) == len(self._diagonal) and all(map(is_tensor, x))

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """See LinearOperator.matmul; of a list of blocks, the list of the product's."""
        if not self._in_blocks(x):
            return super().matmul(x, adjoint, adjoint_arg, name)
        with self._name_scope(name):
            return self._matmul_blocks(list(x), adjoint, adjoint_arg)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """See LinearOperator.solve; of a list of blocks, the list of the solution's."""
        if not self._in_blocks(rhs):
            return super().solve(rhs, adjoint, adjoint_arg, name)
        self._solvable()
        with self._name_scope(name):
            return self._solve_blocks(list(rhs), adjoint, adjoint_arg)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Any:
        """See LinearOperator.matvec; of a list of blocks, the list of the product's."""
        if not self._in_blocks(x):
            return super().matvec(x, adjoint, name)
        return [squeeze(y, -1) for y in self.matmul([expand_dims(block, -1) for block in x], adjoint, name=name)]

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Any:
        """See LinearOperator.solvevec; of a list of blocks, the list of the solution's."""
        if not self._in_blocks(rhs):
            return super().solvevec(rhs, adjoint, name)
        return [squeeze(y, -1) for y in self.solve([expand_dims(block, -1) for block in rhs], adjoint, name=name)]

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = adjoint_of(x) if adjoint_arg else x
        blocks = split(x, self._heights() if adjoint else self._widths(), -2)
        return concat(aligned(*self._matmul_blocks(blocks, adjoint, False)), -2)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        rhs = adjoint_of(rhs) if adjoint_arg else rhs
        blocks = split(rhs, self._widths() if adjoint else self._heights(), -2)
        return concat(aligned(*self._solve_blocks(blocks, adjoint, False)), -2)
