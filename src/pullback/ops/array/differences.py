"""ListDiff: what one list has and another has not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pullback.core.dtypes import ANY, DType, as_dtype, int32
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor


@op
class ListDiff(Op):
    """out: the elements of x that are not in y, in x's order; idx: where they stand in x.

    x [n], y [m] -> out [k], idx [k]
    """

    signature = "x: T, y: T -> out: T, idx: out_idx"
    T = ANY
    out_idx: DType = int32

    def infer(self, x: Any, y: Any) -> tuple[Spec, ...]:
        for name, spec in (("x", x), ("y", y)):
            if len(spec.shape) != 1:
                raise ShapeError(f"ListDiff: {name} must be a vector, but has {len(spec.shape)} axes")
        return x.with_shape((None,)), Spec((None,), self.out_idx)

    def reference(self, x: Any, y: Any) -> Any:
        barred = set(y.tolist())
        kept = np.array([i for i, v in enumerate(x.tolist()) if v not in barred], self.out_idx.numpy)
        return x[kept.astype(np.int64)], kept

    def grad(self, node: Any, dout: Any, didx: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x, y = np.array([5, 1, 3, 1, 2]), np.array([3, 5])
        yield Sample(cls(), (x, y), wrt=())
        yield Sample(cls(as_dtype("int64")), (x.astype(np.float32), y.astype(np.float32)), wrt=(), name="float32")
        yield Sample(cls(), (x[:0], y), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.zeros((2, 2)), np.zeros(2)), ShapeError, "x must be a vector"


class Difference(NamedTuple):
    """What `setdiff1d` answers with."""

    out: Tensor
    idx: Tensor


@public(v1="setdiff1d")
def setdiff1d(x: Any, y: Any, index_dtype: Any = int32, name: str | None = None) -> Difference:
    """(elements of x that are not in y, in order; their places in x), both [k]."""
    return Difference(*ListDiff(as_dtype(index_dtype))(x, y, name=name))
