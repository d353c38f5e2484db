"""Diagonals and bands of matrices, over leading axes.

MatrixDiagPartV3 <-> MatrixSetDiagV3, MatrixDiagV3      MatrixBandPart <-> itself      each other's gradients

Diagonal k of a matrix [rows, columns] holds x[i, i + k]: k = 0 the main one, k > 0 above it, k < 0 below. A band of
diagonals k0 .. k1 stands in an array [k1 - k0 + 1, longest], the uppermost first; shorter ones are padded at the end
("LEFT") or at the front ("RIGHT"), of diagonals above and below the main one as `align` says: "RIGHT_LEFT" is above,
then below.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import ZerosLike
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import differentiable, dims, drawn
from pullback.ops.linalg.structured import Structured
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope

_ALIGN = ("LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT")


def matrix_shape(op_type: str, x: Spec) -> tuple[Any, ...]:
    """The shape [..., rows, columns].

    Raises:
      ShapeError: it has fewer than two axes.
    """
    if len(x.shape or ()) < 2:
        raise ShapeError(f"{op_type}: the input must be a matrix or a stack of these, but is {shape.text(x.shape)}")
    return x.shape  # type: ignore[return-value]


@functools.lru_cache(maxsize=256)
def places(rows: int, columns: int, low: int, high: int, align: str) -> tuple[Any, Any, Any, Any]:
    """For each entry of a band: its diagonal and its place there, its row and its column in the matrix."""
    above, below = align.split("_")
    longest = longest_of(rows, columns, low, high)
    at: list[tuple[int, int, int, int]] = []
    for d, k in enumerate(range(high, low - 1, -1)):
        length = _length(rows, columns, k)
        pad = longest - length if (above if k >= 0 else below) == "RIGHT" else 0
        at += [(d, pad + i, i - min(k, 0), i + max(k, 0)) for i in range(length)]
    d, p, i, j = np.array(at, np.int64).reshape(-1, 4).T
    return d, p, i, j


def _length(rows: int, columns: int, k: int) -> int:
    return max(min(rows + min(k, 0), columns - max(k, 0)), 0)


def longest_of(rows: int, columns: int, low: int, high: int) -> int:
    """The length of the longest diagonal of a band."""
    return min(rows + min(high, 0), columns - max(low, 0))


def band_of(k: Any) -> tuple[int, int] | None:
    """(lowest, highest) diagonal; None when not known."""
    if isinstance(k, np.ndarray):
        k = tuple(k.ravel().tolist())
    k = (k,) if isinstance(k, (int, np.integer)) else k
    if not isinstance(k, tuple) or None in k:
        return None
    if len(k) not in (1, 2) or k[0] > k[-1]:
        raise ArgumentError(f"k must be a diagonal or (lowest, highest), not {k}")
    return int(k[0]), int(k[-1])


class _Banded(Op):
    """Base of the ops on diagonals."""

    T = dtypes.ANY
    align: str

    def check(self) -> None:
        if self.align not in _ALIGN:
            raise ArgumentError(f"{self.type}: align must be one of {_ALIGN}, not {self.align!r}")

    def within(self, band: tuple[int, int], rows: int, columns: int) -> None:
        """Raises ArgumentError when a diagonal lies outside of the matrix."""
        if band[0] <= -max(rows, 1) or band[1] >= max(columns, 1):
            raise ArgumentError(
                f"{self.type}: diagonals {band} lie outside of a matrix [{rows},{columns}]; "
                f"they must lie in ({-rows}, {columns})"
            )

    def band_shape(self, lead: Any, rows: Any, columns: Any, band: tuple[int, int] | None) -> Any:
        """The shape of the diagonals, as far as known."""
        if band is None:
            return None
        if rows is None or columns is None:
            length = None
        else:
            self.within(band, rows, columns)
            length = longest_of(rows, columns, *band)
        count = band[1] - band[0] + 1
        return (*lead, length) if count == 1 else (*lead, count, length)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if axes[0] is None or any(a is not None for a in axes[1:]):
            return NotImplemented
        return self(*inputs), 0


@op
class MatrixDiagPartV3(_Banded):
    """Diagonals of matrices. x [..., rows, columns], k, padding_value [] -> y [..., (diagonals,) longest]"""

    signature = "input: T, k: int32, padding_value: T -> diagonal: T"
    static = (1,)
    align: str = "RIGHT_LEFT"

    def infer(self, x: Spec, k: Spec, padding: Spec) -> Spec:
        *lead, rows, columns = matrix_shape(self.type, x)
        return x.with_shape(self.band_shape(lead, rows, columns, band_of(k.value)))

    def reference(self, x: Any, k: Any, padding: Any) -> Any:
        band = band_of(np.asarray(k))
        assert band is not None
        rows, columns = x.shape[-2:]
        self.within(band, rows, columns)
        d, p, i, j = places(rows, columns, *band, self.align)
        made = np.empty((*x.shape[:-2], band[1] - band[0] + 1, longest_of(rows, columns, *band)), x.dtype)
        made[...] = np.asarray(padding, x.dtype)
        made[..., d, p] = x[..., i, j]
        return made[..., 0, :] if band[0] == band[1] else made

    def grad(self, node: Any, dy: Any) -> Any:
        x, k, _ = node.inputs
        dx = MatrixSetDiagV3(self.align)(ZerosLike()(x), dy, k)
        return dx, None, reduce_sum(dy) - reduce_sum(dx)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        zero = np.float64(0.5)
        yield Sample(cls(), (rng.normal(size=(2, 3, 3)), np.int32(0), zero))
        yield Sample(cls(), (rng.normal(size=(3, 2)), np.array([-1], np.int32), zero), name="below")
        for align in _ALIGN:
            yield Sample(cls(align), (rng.normal(size=(2, 3, 4)), np.array([-1, 2], np.int32), zero))
        yield Sample(cls(), (rng.normal(size=(0, 2, 2)), np.int32(0), zero), name="no_batch")
        for t in cls.T:
            args = (drawn(rng, (2, 2), t), np.int32(0), np.reshape(drawn(rng, (1,), t), ()))
            yield Sample(cls(), args, differentiable(t, 0), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 2)), 2, 0.0), ArgumentError, "outside of a matrix [2,2]"
        yield lambda: cls()(np.ones(2), 0, 0.0), ShapeError, "must be a matrix"
        yield lambda: cls()(np.ones((2, 2)), (1, 0), 0.0), ArgumentError, "(lowest, highest)"
        yield lambda: cls("MIDDLE"), ArgumentError, "align must be one of"


@op
class MatrixDiagV3(_Banded):
    """Matrices with diagonals, elsewhere padding_value. x [..., (diagonals,) longest] -> y [..., rows, columns]

    num_rows and num_cols of -1 are as small as the diagonals need.
    """

    signature = "diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T -> output: T"
    static = (1, 2, 3)
    align: str = "RIGHT_LEFT"

    def _size(self, band: tuple[int, int], longest: int, rows: int, columns: int) -> tuple[int, int]:
        least_rows, least_columns = longest + max(-band[1], 0), longest + max(band[0], 0)
        rows_given, columns_given = rows != -1, columns != -1
        if not rows_given and not columns_given:
            rows = columns = max(least_rows, least_columns)
        rows = least_rows if not rows_given and columns_given else rows
        columns = least_columns if not columns_given and rows_given else columns
        if rows < least_rows or columns < least_columns or longest_of(rows, columns, *band) != longest:
            raise ShapeError(
                f"{self.type}: diagonals {band} of length {longest} do not fit a matrix [{rows},{columns}]"
            )
        return rows, columns

    def infer(self, x: Spec, k: Spec, rows: Spec, columns: Spec, padding: Spec) -> Spec:
        band = band_of(k.value)
        if not x.shape:
            raise ShapeError(f"{self.type}: diagonals must have at least one axis")
        if band is None:
            return x.with_shape(None)
        lead = x.shape[:-1] if band[0] == band[1] else x.shape[:-2]
        if band[0] != band[1] and (len(x.shape) < 2 or not shape.compatible(x.shape[-2:-1], (band[1] - band[0] + 1,))):
            raise ShapeError(
                f"{self.type}: diagonals {band} must be [..., {band[1] - band[0] + 1}, longest], "
                f"not {shape.text(x.shape)}"
            )
        if None in (x.shape[-1], rows.value, columns.value):
            return x.with_shape((*lead, None, None))
        return x.with_shape((*lead, *self._size(band, x.shape[-1], rows.value, columns.value)))  # type: ignore[arg-type]

    def reference(self, x: Any, k: Any, rows: Any, columns: Any, padding: Any) -> Any:
        band = band_of(np.asarray(k))
        assert band is not None
        lead = x.shape[:-1] if band[0] == band[1] else x.shape[:-2]
        size = self._size(band, x.shape[-1], int(rows), int(columns))
        made = np.empty((*lead, *size), x.dtype)
        made[...] = np.asarray(padding, x.dtype)
        d, p, i, j = places(*size, *band, self.align)
        made[..., i, j] = x[..., p] if band[0] == band[1] else x[..., d, p]
        return made

    def grad(self, node: Any, dy: Any) -> Any:
        k = node.inputs[1]
        dx = MatrixDiagPartV3(self.align)(dy, k, 0)
        return dx, None, None, None, reduce_sum(dy) - reduce_sum(dx)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        free, zero = np.int32(-1), np.float64(0.5)
        yield Sample(cls(), (rng.normal(size=(2, 3)), np.int32(0), free, free, zero))
        yield Sample(cls(), (rng.normal(size=(2,)), np.int32(-1), free, free, zero), name="below")
        yield Sample(cls(), (rng.normal(size=(2,)), np.int32(1), np.int32(2), np.int32(4), zero), name="wide")
        for align in _ALIGN:
            band = np.array([-1, 1], np.int32)
            yield Sample(cls(align), (rng.normal(size=(3, 3)), band, free, free, zero))
        yield Sample(cls(), (rng.normal(size=(0, 2)), np.int32(0), free, free, zero), name="no_batch")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(3), 0, 2, 2, 0.0), ShapeError, "do not fit a matrix [2,2]"
        yield lambda: cls()(np.ones(3), (0, 1), -1, -1, 0.0), ShapeError, "must be [..., 2, longest]"
        yield lambda: cls("MIDDLE"), ArgumentError, "align must be one of"


@op
class MatrixSetDiagV3(_Banded):
    """Matrices with diagonals put in. x [..., rows, columns], diagonal [..., (diagonals,) longest] -> y, like x"""

    signature = "input: T, diagonal: T, k: int32 -> output: T"
    static = (2,)
    align: str = "RIGHT_LEFT"

    def infer(self, x: Spec, diagonal: Spec, k: Spec) -> Spec:
        *lead, rows, columns = matrix_shape(self.type, x)
        needed = self.band_shape(lead, rows, columns, band_of(k.value))
        shape.merged(needed, diagonal.shape, "MatrixSetDiagV3: the diagonals needed and given")
        return x.with_shape(x.shape)

    def reference(self, x: Any, diagonal: Any, k: Any) -> Any:
        band = band_of(np.asarray(k))
        assert band is not None
        self.within(band, *x.shape[-2:])
        d, p, i, j = places(*x.shape[-2:], *band, self.align)
        made = x.copy()
        made[..., i, j] = diagonal[..., p] if band[0] == band[1] else diagonal[..., d, p]
        return made

    def grad(self, node: Any, dy: Any) -> Any:
        _, diagonal, k = node.inputs
        return self(dy, ZerosLike()(diagonal), k), MatrixDiagPartV3(self.align)(dy, k, 0), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return (self(*inputs), 0) if axes == (0, 0, None) else NotImplemented

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3)), np.int32(0)))
        for align in _ALIGN:
            band = np.array([-1, 2], np.int32)
            yield Sample(cls(align), (rng.normal(size=(3, 4)), rng.normal(size=(4, 3)), band))
        yield Sample(cls(), (rng.normal(size=(0, 2, 2)), np.ones((0, 2)), np.int32(0)), name="no_batch")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 2)), np.ones(3), 0), ShapeError, "needed and given"
        yield lambda: cls("MIDDLE"), ArgumentError, "align must be one of"


@op
class MatrixBandPart(Op):
    """x with zeros below its num_lower-th diagonal and above its num_upper-th; a negative number keeps all.

    x [..., rows, columns] -> y, of x's shape
    """

    signature = "input: T, num_lower: Tindex, num_upper: Tindex -> band: T"
    T = (*dtypes.NUMBERS, dtypes.bool_)
    Tindex = dtypes.INDICES

    def infer(self, x: Spec, lower: Spec, upper: Spec) -> Spec:
        if lower.shape != () or upper.shape != ():
            raise ShapeError("MatrixBandPart: num_lower and num_upper must be numbers")
        return x.with_shape(matrix_shape(self.type, x))

    def reference(self, x: Any, lower: Any, upper: Any) -> Any:
        i, j = np.ogrid[: x.shape[-2], : x.shape[-1]]
        kept = ((lower < 0) | (i - j <= lower)) & ((upper < 0) | (j - i <= upper))
        return np.where(kept, x, x.dtype.type(0))

    def grad(self, node: Any, dy: Any) -> Any:
        return self(dy, *node.inputs[1:]), None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return (self(*inputs), 0) if axes == (0, None, None) else NotImplemented

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for lower, upper in ((1, 0), (-1, 1), (0, -1), (0, 0)):
            yield Sample(cls(), (rng.normal(size=(2, 3, 4)), np.int32(lower), np.int32(upper)))
        yield Sample(cls(), (np.ones((0, 2, 2)), np.int64(0), np.int64(0)), name="no_batch")
        for t in cls.T:
            yield Sample(
                cls(), (drawn(rng, (2, 2), t), np.int32(0), np.int32(-1)), differentiable(t, 0), order=1, name=t.name
            )

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(3), 0, 0), ShapeError, "must be a matrix"


# --- public names ---------------------------------------------------------------------------------------------------


@public("linalg.diag_part", v1=("linalg.diag_part", "matrix_diag_part"))
def diag_part(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """Diagonals of matrices.

    Args:
      input: [..., rows, columns], or a LinearOperator. k: a diagonal, 0 the main one, or (lowest, highest).
      padding_value: what stands beyond the ends of shorter diagonals. align: at which end, see this module.
    Returns:
      [..., longest], of several diagonals [..., diagonals, longest].
    Raises:
      ArgumentError: there is no such diagonal.
    """
    if isinstance(input, Structured):
        if isinstance(k, int) and k == 0:
            return input.diag_part(name=name)
        input = input.to_dense()
    x = interpreter.as_tensor(input)
    return MatrixDiagPartV3(align)(x, dims(k), interpreter.as_tensor(padding_value, x.dtype), name=name)


@public("linalg.diag", v1=("linalg.diag", "matrix_diag"))
def diag(
    diagonal: Any,
    name: str = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """Matrices with given diagonals.

    Args:
      diagonal: [..., longest], of several diagonals [..., diagonals, longest].
      k: a diagonal, 0 the main one, or (lowest, highest).
      num_rows, num_cols: the matrices' size; -1 for the least that the diagonals need.
      padding_value: what stands elsewhere. align: where shorter diagonals are padded, see this module.
    Raises:
      ShapeError: the diagonals do not fit.
    """
    x = interpreter.as_tensor(diagonal)
    padding = interpreter.as_tensor(padding_value, x.dtype)
    return MatrixDiagV3(align)(x, dims(k), dims(num_rows), dims(num_cols), padding, name=name)


@public("linalg.set_diag", v1=("linalg.set_diag", "matrix_set_diag"))
def set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:
    """Matrices [..., rows, columns] with diagonals put in the place of their own; see `diag_part`."""
    return MatrixSetDiagV3(align)(input, diagonal, dims(k), name=name)


@public("linalg.band_part", v1=("linalg.band_part", "matrix_band_part"))
def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Matrices with zeros outside of a band.

    Args:
      input: [..., rows, columns].
      num_lower, num_upper: how many diagonals below and above the main one stay; negative: all.
    """
    return MatrixBandPart()(input, num_lower, num_upper, name=name)


@public("linalg.trace", v1=("linalg.trace", "trace"))
def trace(x: Any, name: str | None = None) -> Tensor:
    """The sum of the main diagonal, of a LinearOperator too. [..., rows, columns] -> [...]"""
    if isinstance(x, Structured):
        return x.trace(name=name or "trace")
    with scope(name, "Trace", x):
        return reduce_sum(diag_part(x), -1)
