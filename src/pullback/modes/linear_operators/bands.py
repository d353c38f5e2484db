"""Operators given by a few diagonals or by one row and one column: tridiagonal and Toeplitz."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.shape import Shape, broadcast
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators.base import LinearOperator
from pullback.modes.linear_operators.circulant import LinearOperatorCirculant, complex_of
from pullback.modes.linear_operators.hints import settled
from pullback.modes.linear_operators.shapes import Dims, aligned, dims_of, kept, one_type, spliced, static, together
from pullback.ops.array.conversion import cast, identity
from pullback.ops.array.creation import ones, zeros_like
from pullback.ops.array.gather import gather
from pullback.ops.array.joining import concat
from pullback.ops.array.layout import reverse, roll
from pullback.ops.array.ranges import range_
from pullback.ops.array.shape import expand_dims
from pullback.ops.control.assertions import assert_equal
from pullback.ops.linalg.bands import diag, diag_part
from pullback.ops.linalg.solving import adjoint as adjoint_of
from pullback.ops.math.functions import conj
from pullback.ops.signal.fourier import fft

_FORMATS = ("compact", "matrix", "sequence")


@public("linalg.LinearOperatorTridiag", v1=None)
class LinearOperatorTridiag(LinearOperator):
    """A matrix of three diagonals. Products cost 3 N; solutions are dense.

    Args:
      diagonals: by diagonals_format
        "compact": Tensor or variable [..., 3, N]: the diagonal above the main one, whose last entry is not read; the
          main one; the one below, whose first entry is not read.
        "sequence": the three of them, [..., N] each.
        "matrix": [..., N, N], of which the three are read.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator.
    Raises:
      ArgumentError: another diagonals_format. ShapeError: diagonals have not such a shape.
    """

    def __init__(
        self,
        diagonals: Any,
        diagonals_format: str = "compact",
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorTridiag",
    ) -> None:
        if diagonals_format not in _FORMATS:
            raise ArgumentError(f"diagonals_format must be one of {_FORMATS}, but is {diagonals_format!r}").locate()
        self._diagonals_format = diagonals_format
        if diagonals_format == "sequence":
            self._diagonals: Any = [kept(d, f"diagonal_{i}", 1) for i, d in enumerate(diagonals)]
            count, dtype = len(self._diagonals), self._diagonals[0].dtype
            one_type(**{f"diagonal_{i}": d for i, d in enumerate(self._diagonals)})
        else:
            self._diagonals = kept(diagonals, "diagonals", 2)
            shape, dtype = static(self._diagonals), self._diagonals.dtype
            count = 3 if shape is None or diagonals_format == "matrix" else shape[-2]
        if count not in (3, None):
            raise ShapeError(f"diagonals must be three, but are {count}; see diagonals_format").locate()
        is_square = settled(is_square, True, "LinearOperatorTridiag: only square matrices are supported")
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)

    @property
    def diagonals(self) -> Any:
        """As they were given."""
        return self._diagonals

    @property
    def diagonals_format(self) -> str:
        return self._diagonals_format

    def _shape(self) -> Shape:
        if self._diagonals_format == "matrix":
            return static(self._diagonals)
        if self._diagonals_format == "sequence":
            shape = broadcast(*[static(d) for d in self._diagonals])
        else:
            compact = static(self._diagonals)
            shape = None if compact is None else (*compact[:-2], compact[-1])
        return None if shape is None else (*shape, shape[-1])

    def _shape_tensor(self) -> Dims:
        if self._diagonals_format == "matrix":
            return dims_of(self._diagonals)
        if self._diagonals_format == "sequence":
            dims = together(*[dims_of(d) for d in self._diagonals])
            return spliced(dims, dims[-1:])
        dims = dims_of(self._diagonals)
        return spliced(dims[:-2], dims[-1:], dims[-1:])

    def _rows_of_three(self) -> Tensor:
        """The diagonals as "compact" has them, with zeros where entries are not read. [..., 3, N]"""
        if self._diagonals_format == "matrix":
            return diag_part(self._diagonals, k=(-1, 1), align="LEFT_RIGHT")
        compact = self._diagonals
        if self._diagonals_format == "sequence":
            compact = concat(aligned(*[expand_dims(d, -2) for d in self._diagonals]), -2)
        return diag_part(diag(compact, k=(-1, 1), align="LEFT_RIGHT"), k=(-1, 1), align="LEFT_RIGHT")

    def _three(self, adjoint: bool) -> list[Tensor]:
        """Above, main and below. [..., N, 1] each"""
        rows = self._rows_of_three()
        above, main, below = (expand_dims(rows[..., i, :], -1) for i in range(3))
        if adjoint:
            above, main, below = conj(roll(below, -1, -2)), conj(main), conj(roll(above, 1, -2))
        return [above, main, below]

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = adjoint_of(x) if adjoint_arg else x
        above, main, below = self._three(adjoint)
        return main * x + above * roll(x, -1, -2) + below * roll(x, 1, -2)

    def _to_dense(self) -> Tensor:
        return diag(self._rows_of_three(), k=(-1, 1), align="LEFT_RIGHT")

    def _diag_part(self) -> Tensor:
        return self._rows_of_three()[..., 1, :]


@public("linalg.LinearOperatorToeplitz", v1=None)
class LinearOperatorToeplitz(LinearOperator):
    """A matrix with one value along each diagonal: A[i, j] = col[i - j] for i >= j, else row[j - i].

    It is a corner of the circulant of [col, 0, row backwards without its first entry], so a product costs N log N.
    Solutions are dense.

    Args:
      col, row: Tensors or variables [..., N]: the first column and the first row; row[0] is not read.
      is_non_singular, is_self_adjoint, is_positive_definite, is_square, name: see LinearOperator.
    Raises:
      ArgumentError: is_square is False. ShapeError: col and row differ in length, or are scalars.
    """

    def __init__(
        self,
        col: Any,
        row: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorToeplitz",
    ) -> None:
        self._col, self._row = kept(col, "col", 1), kept(row, "row", 1)
        one_type(col=self._col, row=self._row)
        n, m = ((static(x) or (None,))[-1] for x in (self._col, self._row))
        if n is not None and m is not None and n != m:
            raise ShapeError(f"col and row must be equally long, but have {n} and {m} entries").locate()
        is_square = settled(is_square, True, "LinearOperatorToeplitz: only square matrices are supported")
        super().__init__(self._row.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)

    @property
    def col(self) -> Any:
        """As it was given."""
        return self._col

    @property
    def row(self) -> Any:
        """As it was given."""
        return self._row

    def _shape(self) -> Shape:
        shape = broadcast(static(self._col), static(self._row))
        return None if shape is None else (*shape, shape[-1])

    def _shape_tensor(self) -> Dims:
        dims = together(dims_of(self._col), dims_of(self._row))
        return spliced(dims, dims[-1:])

    def _vectors(self) -> list[Tensor]:
        """col and row over the same batch axes. [..., N]"""
        return [x[..., 0] for x in aligned(expand_dims(self._col, -1), expand_dims(self._row, -1))]

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = adjoint_of(x) if adjoint_arg else x
        col, row = self._vectors()
        ring = concat([col, zeros_like(col[..., :1]), reverse(row[..., 1:], [-1])], -1)
        circulant = LinearOperatorCirculant(fft(complex_of(ring)), self.dtype)
        doubled = concat([x, zeros_like(x)], -2)
        return circulant.matmul(doubled, adjoint=adjoint)[..., : self._columns(), :]

    def _to_dense(self) -> Tensor:
        col, row = self._vectors()
        n = interpreter.as_tensor(self._columns(), "int32")
        values = concat([reverse(col, [-1]), row[..., 1:]], -1)  # value j - i stands at place n - 1 + j - i
        place = range_(n) - expand_dims(range_(n), -1) + (n - 1)
        return gather(values, place, axis=-1)

    def _diag_part(self) -> Tensor:
        return identity(self._vectors()[0])[..., :1] * ones((self._columns(),), self.dtype)

    def _trace(self) -> Tensor:
        return cast(self._columns(), self.dtype) * self._vectors()[0][..., 0]

    def _assert_self_adjoint(self) -> Any:
        col, row = self._vectors()
        message = f"{self.name} is not self-adjoint: its row is not its column's conjugate"
        return assert_equal(concat([col[..., :1], row[..., 1:]], -1), conj(col), message=message)
