"""Least squares: the x for which |a x - b|^2 + l |x|^2 is least; of several, the shortest.

Without l, x = P b, P the pseudo-inverse of a, and a small change of a of the same rank changes P by

    dP = -P da P + P P^H da^H (1 - a P) + (1 - P a) da^H P^H P

which reaches a as three outer products of solutions by a and a^H: the gradient is made of the op itself, so every
order exists. With l it is the same problem, of a over sqrt(l) and b over 0.

Source: Golub & Pereyra 1973, The differentiation of pseudo-inverses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.dtypes import COMPLEXES, float32, float64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, NotDifferentiable, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import spread
from pullback.ops.linalg.bands import diag_part, matrix_shape, set_diag
from pullback.ops.linalg.solving import _adjoint, _times
from pullback.ops.math import arithmetic as m
from pullback.ops.math.select import Cast


@op
class MatrixSolveLs(Op):
    """matrix [..., M, N], rhs [..., M, K], l2_regularizer [] -> x [..., N, K]

    Without `fast` the regularizer is not read, as in TensorFlow.
    """

    signature = "matrix: T, rhs: T, l2_regularizer: float64 -> output: T"
    T = (float64, float32, *COMPLEXES)
    fast: bool = True

    def infer(self, a: Spec, b: Spec, l2: Spec) -> Spec:
        *lead, rows, columns = matrix_shape(self.type, a)
        *lead_b, rows_b, n = matrix_shape(self.type, b)
        if None not in (rows, rows_b) and rows != rows_b:
            raise ShapeError(
                f"{self.type}: a matrix {shape.text(a.shape)} and right-hand sides {shape.text(b.shape)} must have "
                "equally many rows"
            )
        if l2.shape != ():
            raise ShapeError(f"{self.type}: l2_regularizer must be a number, but its shape is {shape.text(l2.shape)}")
        lead = shape.merged(tuple(lead), tuple(lead_b), f"{self.type}: leading axes")
        return b.with_shape((*lead, columns, n))  # type: ignore[misc]

    def reference(self, a: Any, b: Any, l2: Any) -> Any:
        if self.fast and l2 < 0:
            raise ArgumentError(f"{self.type}: l2_regularizer must not be negative, but is {l2}")
        if self.fast and l2 > 0:
            n = a.shape[-1]
            below = np.broadcast_to(np.sqrt(l2) * np.eye(n), (*a.shape[:-2], n, n)).astype(a.dtype)
            a = np.concatenate([a, below], -2)
            b = np.concatenate([b, np.zeros((*b.shape[:-2], n, b.shape[-1]), b.dtype)], -2)
        precision = max(a.shape[-2:]) * np.finfo(a.dtype).eps
        return (np.linalg.pinv(a, rcond=precision) @ b).astype(b.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        a, b, l2 = node.inputs
        x = node.results[0]
        rows = a
        if self.fast:
            a, b = _below(a, b, l2)
        plain = MatrixSolveLs(False)
        back = plain(_adjoint(a), dy, 0.0)  # P^H dy
        rest = b - _times(a, x)
        da = _times(rest, plain(a, back, 0.0), adj_b=True) - _times(back, x, adj_b=True)
        outside = dy - _times(a, back, adj_a=True)  # (1 - P a) dy
        da = da + _times(plain(_adjoint(a), x, 0.0), outside, adj_b=True)
        if not self.fast:
            return da, back, None
        count = None if rows.spec.shape is None else rows.spec.shape[-2]
        count = REGISTRY["Shape"]()(rows)[-2] if count is None else count
        return da[..., :count, :], back[..., :count, :], NotDifferentiable("the regularizer is no variable")

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if axes[2] is not None:
            return NotImplemented
        a, b = (spread(size, x, at) for x, at in zip(inputs[:2], axes[:2], strict=True))
        return self(a, b, inputs[2]), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        none, some = np.float64(0.0), np.float64(0.5)
        for rows, columns in ((4, 2), (2, 3), (2, 2)):
            a = rng.normal(size=(rows, columns)) + 2 * np.eye(rows, columns)
            b = rng.normal(size=(rows, 2))
            for made, l2 in ((cls(), none), (cls(), some), (cls(False), none)):
                name = f"{rows}x{columns}-{made!r}-{l2}"
                yield Sample(made, (a, b, np.asarray(l2)), wrt=(0, 1), order=2, tolerance=10, name=name)
        stack = rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3, 1)), np.asarray(none)
        yield Sample(cls(), stack, wrt=(0, 1), order=1, tolerance=10, name="stack")
        yield Sample(cls(), (np.zeros((0, 3, 2)), np.zeros((0, 3, 1)), np.asarray(none)), wrt=(0, 1), name="no_batch")
        for t in cls.T[1:]:
            args = tuple((v + np.eye(3, v.shape[-1])).astype(t.numpy) for v in (stack[0][0], stack[1][0]))
            yield Sample(cls(), (*args, np.asarray(some)), wrt=(), name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((3, 2)), np.ones((2, 1)), 0.0), ShapeError, "equally many rows"
        yield lambda: cls()(np.ones((2, 2)), np.ones((2, 1)), [0.0]), ShapeError, "must be a number"
        yield lambda: cls()(np.ones((2, 2)), np.ones((2, 1)), -1.0), ArgumentError, "must not be negative"


def _below(a: Tensor, b: Tensor, l2: Tensor) -> tuple[Tensor, Tensor]:
    """a over sqrt(l) times the unit matrix, b over zeros."""
    square, cross = _times(a, a, adj_a=True) * 0, _times(a, b, adj_a=True) * 0
    unit = set_diag(square, diag_part(square) + 1)
    concat = REGISTRY["ConcatV2"]()
    return concat(a, unit * Cast(a.dtype)(m.Sqrt()(l2)), -2), concat(b, cross, -2)


@public("linalg.lstsq", v1=("linalg.lstsq", "matrix_solve_ls"))
def lstsq(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None) -> Tensor:
    """The x for which |matrix x - rhs|^2 + l2_regularizer |x|^2 is least; of several, the shortest.

    Args:
      matrix: [..., M, N]. rhs: [..., M, K], of the same leading axes.
      l2_regularizer: number, 0 or above.
      fast: with False the regularizer is not read, as in TensorFlow. The method is the same: pseudo-inverses, so that
        matrices of lower rank are solved with True too.
    Returns:
      [..., N, K].
    Gradient: to matrix and rhs, of every order, also with fast=False; by changes that keep the matrix's rank.
    Raises:
      ShapeError: the shapes do not fit. ArgumentError: the regularizer is negative.
    """
    return MatrixSolveLs(bool(fast))(matrix, rhs, l2_regularizer, name=name)
