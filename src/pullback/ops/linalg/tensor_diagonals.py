"""Diag and DiagPart: a tensor laid along the diagonal of one of twice its rank, and read from there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import NUMBERS
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import text
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor


@op
class Diag(Op):
    """y[i..., j...] = x[i...] where i = j, else 0.   x [d1..dk] -> y [d1..dk, d1..dk]"""

    signature = "x: T -> y: T"
    T = NUMBERS

    def infer(self, x: Any) -> Spec:
        if not x.shape:
            raise ShapeError("Diag: the diagonal must have at least one axis, but is a scalar")
        return x.with_shape((*x.shape, *x.shape))

    def reference(self, x: Any) -> Any:
        y = np.zeros((x.size, x.size), x.dtype)
        np.fill_diagonal(y, x.ravel())
        return y.reshape(x.shape + x.shape)

    def grad(self, node: Any, dy: Any) -> Any:
        return DiagPart()(dy)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=3),))
        yield Sample(cls(), (rng.normal(size=(2, 3)),), name="matrix")
        yield Sample(cls(), (rng.normal(size=2).astype(np.float32),), name="float32")
        yield Sample(cls(), (np.array([1 + 2j, 3j]),), name="complex")
        yield Sample(cls(), (np.arange(3, dtype=np.int32),), wrt=(), name="int32")
        yield Sample(cls(), (np.zeros((0,)),), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(1.0), ShapeError, "at least one axis"


@op
class DiagPart(Op):
    """y[i...] = x[i..., i...].   x [d1..dk, d1..dk] -> y [d1..dk]"""

    signature = "x: T -> y: T"
    T = NUMBERS

    def infer(self, x: Any) -> Spec:
        rank, half = len(x.shape), len(x.shape) // 2
        pairs = list(zip(x.shape[:half], x.shape[half:], strict=False))
        if not rank or rank % 2 or any(a != b for a, b in pairs if a is not None and b is not None):
            raise ShapeError(f"DiagPart: the shape must be one twice over, as [2,3,2,3], but is {text(x.shape)}")
        return x.with_shape(tuple(b if a is None else a for a, b in pairs))

    def reference(self, x: Any) -> Any:
        shape = x.shape[: x.ndim // 2]
        size = int(np.prod(shape))
        return np.diagonal(x.reshape(size, size)).reshape(shape).copy()

    def grad(self, node: Any, dy: Any) -> Any:
        return Diag()(dy)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(3, 3)),))
        yield Sample(cls(), (rng.normal(size=(2, 3, 2, 3)),), name="rank 4")
        yield Sample(cls(), (rng.normal(size=(2, 2)).astype(np.float32),), name="float32")
        yield Sample(cls(), (np.array([[1 + 2j, 0], [0, 3j]]),), name="complex")
        yield Sample(cls(), (np.arange(4, dtype=np.int32).reshape(2, 2),), wrt=(), name="int32")
        yield Sample(cls(), (np.zeros((0, 0)),), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.zeros((2, 3))), ShapeError, "one twice over"


@public("linalg.tensor_diag", v1=("linalg.tensor_diag", "diag"))
def tensor_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """A tensor [d1..dk] along the diagonal of one [d1..dk, d1..dk] of zeros."""
    return Diag()(diagonal, name=name)


@public("linalg.tensor_diag_part", v1=("linalg.tensor_diag_part", "diag_part"))
def tensor_diag_part(input: Any, name: str | None = None) -> Tensor:
    """The diagonal [d1..dk] of a tensor [d1..dk, d1..dk]."""
    return DiagPart()(input, name=name)
