"""LinearOperatorKronecker: the Kronecker product of operators.

A product A1 (x) A2 (x) ... acts on a vector as each factor on its own axis of an array [N1, N2, ...]:

    x [N1 N2 N3, R] -> [N1, N2, N3, R] -> A1 on the first axis, A2 on the second, ... -> [M1 M2 M3, R]

so it costs sum of the factors' products, and is never written out. A solution solves on each axis.
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.names import public
from pullback.core.shape import Shape
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.hints import hints_of, shared
from pullback.modes.linear_operators.made_of import OfParts, added, multiplied, of_square_parts, parts
from pullback.modes.linear_operators.shapes import Dims, batch, dims_of, matrix, spliced, together
from pullback.ops.array.conversion import cast
from pullback.ops.array.shape import reshape
from pullback.ops.linalg.einsum import einsum
from pullback.ops.linalg.solving import adjoint as adjoint_of


def _whole(sizes: Any) -> int | None:
    sizes = list(sizes)
    return None if None in sizes else multiplied(sizes)


@public("linalg.LinearOperatorKronecker", v1=None)
class LinearOperatorKronecker(OfParts):
    """The Kronecker product of operators: [a11 B, a12 B, ...; a21 B, ...] of two, A and B.

    Args:
      operators: LinearOperators of one type; their batch axes broadcast.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square: see LinearOperator; what all operators are, the
        product is. Solutions and determinants need square operators.
      name: by default the operators' names, joined by "_x_".
    Raises:
      ArgumentError: no operators, or hints that deny what follows. DTypeError: types differ.
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
        given = {
            "is_non_singular": is_non_singular,
            "is_self_adjoint": is_self_adjoint,
            "is_positive_definite": is_positive_definite,
            "is_square": is_square,
        }
        super().__init__(operators, shared(operators, given, "Kronecker product"), name, "_x_")

    def _shape(self) -> Shape:
        rows = _whole(part.range_dimension.value for part in self._operators)
        return matrix(batch(self._operators), rows, _whole(part.domain_dimension.value for part in self._operators))

    def _shape_tensor(self) -> Dims:
        batches = together(*[part._batch() for part in self._operators])
        rows = multiplied(part._rows() for part in self._operators)
        return spliced(batches, (rows, multiplied(part._columns() for part in self._operators)))

    def _on_each_axis(self, x: Any, act: str, adjoint: bool) -> Tensor:
        """x [..., N1 N2 .., R] with an operator's method `act` taken along each axis in turn."""
        taken = [part._rows() if adjoint != (act == "solve") else part._columns() for part in self._operators]
        width = dims_of(x)[-1]
        done: Any = 1
        for i, part in enumerate(self._operators):
            left = multiplied([1, *taken[i + 1 :]]) * width
            cube = reshape(x, spliced(dims_of(x)[:-2], (done, taken[i], left)))
            front = einsum("...abc->...bac", cube)
            flat = reshape(front, spliced(dims_of(front)[:-3], (taken[i], done * left)))
            y = getattr(part, act)(flat, adjoint=adjoint)
            made = dims_of(y)[-2]
            back = einsum("...bac->...abc", reshape(y, spliced(dims_of(y)[:-2], (made, done, left))))
            done = done * made
            x = reshape(back, spliced(dims_of(back)[:-3], (done, left)))
        return reshape(x, spliced(dims_of(x)[:-2], (done, width)))

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._on_each_axis(adjoint_of(x) if adjoint_arg else x, "matmul", adjoint)

    @of_square_parts
    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._on_each_axis(adjoint_of(rhs) if adjoint_arg else rhs, "solve", adjoint)

    def _to_dense(self) -> Tensor:
        dense, *rest = [part.to_dense() for part in self._operators]
        for y in rest:
            both = einsum("...ij,...kl->...ikjl", dense, y)
            left, right = dims_of(dense), dims_of(y)
            dense = reshape(both, spliced(dims_of(both)[:-4], (left[-2] * right[-2], left[-1] * right[-1])))
        return dense

    def _outer(self, vectors: list[Any]) -> Tensor:
        """The Kronecker product of vectors [..., n_i]."""
        total, *rest = vectors
        for v in rest:
            both = einsum("...i,...k->...ik", total, v)
            total = reshape(both, spliced(dims_of(both)[:-2], (dims_of(total)[-1] * dims_of(v)[-1],)))
        return total

    @of_square_parts
    def _diag_part(self) -> Tensor:
        return self._outer([part.diag_part() for part in self._operators])

    def _eigvals(self) -> Tensor:
        if not all(part.is_self_adjoint for part in self._operators):
            return super()._eigvals()
        return self._outer([part.eigvals() for part in self._operators])

    @of_square_parts
    def _trace(self) -> Tensor:
        return multiplied(part.trace() for part in self._operators)

    def _repeats(self, part: Any, dtype: Any) -> Any:
        """How often a factor's determinant counts: the product of the other factors' sizes."""
        return cast(interpreter.as_tensor(self._columns(), "int32") // part._columns(), dtype)

    @of_square_parts
    def _determinant(self) -> Tensor:
        return multiplied(part.determinant() ** self._repeats(part, self.dtype) for part in self._operators)

    @of_square_parts
    def _log_abs_determinant(self) -> Tensor:
        kind = self.dtype.real_dtype
        return added(part.log_abs_determinant() * self._repeats(part, kind) for part in self._operators)

    def _linop_adjoint(self) -> LinearOperator:
        return LinearOperatorKronecker([part.adjoint() for part in self._operators], **hints_of(self))

    @of_square_parts
    def _linop_inverse(self) -> LinearOperator:
        return LinearOperatorKronecker([part.inverse() for part in self._operators], **hints_of(self))

    def _linop_cholesky(self) -> LinearOperator:
        if not all(part._can_use_cholesky() for part in self._operators):
            return super()._linop_cholesky()
        return LinearOperatorKronecker([part.cholesky() for part in self._operators], is_non_singular=True)
