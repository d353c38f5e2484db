"""What gradients of lists are made of: entries as rows and rows as entries, zeros where there is none.

ListRows <-> ListPut        each other's adjoints
ListWithout                 its own
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import shape_of
from pullback.core.dtypes import DType
from pullback.core.errors import ShapeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.control import bodies

LIST = Spec((), dtypes.variant)


def zeros(dims: Any, dtype: DType) -> Any:
    """Zeros; empty words of strings."""
    return np.full(dims, b"", object) if dtype is dtypes.string else np.zeros(dims, dtype.numpy)


def zeros_like(x: Tensor) -> Tensor:
    """Zeros of x's shape and type; x itself is not read where its shape is known."""
    if x.spec.known and x.dtype is not dtypes.variant:
        return interpreter.as_tensor(zeros(x.spec.shape, x.dtype))
    return bodies.zeros_of(x)


class OfLists(Op):
    """Base: copes with unknown ranks."""

    any_rank = True


@op
class ListRows(OfLists):
    """The entries at indices as rows, zeros where there is none. list, indices [k], shape [k, ...] -> rows"""

    signature = "list: variant, indices: int32, shape: int32|int64 -> rows: T"
    static = (2,)
    T: DType

    def infer(self, items: Spec, indices: Spec, shape_: Spec) -> Spec:
        return Spec(known_vector(shape_), self.T)

    def reference(self, items: Any, indices: Any, shape_: Any) -> Any:
        rows = zeros(tuple(int(n) for n in shape_), self.T)
        for row, i in enumerate(indices):
            if 0 <= i < len(items) and items[i] is not None:
                if items[i].shape != rows.shape[1:]:
                    raise ShapeError(
                        f"ListRows: entry {i} has shape {shape.text(items[i].shape)}, "
                        f"but rows have {shape.text(rows.shape[1:])}"
                    )
                rows[row] = items[i]
        return rows

    def grad(self, node: Any, dy: Any) -> Any:
        return ListPut()(node.inputs[1], dy), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items = (rng.normal(size=3), None, rng.normal(size=3))
        args = (items, np.array([2, 1, 2, 7], np.int32), np.array([4, 3], np.int32))
        yield Sample(cls(dtypes.float64), args, wrt=())
        yield Sample(cls(dtypes.float32), ((), np.zeros(0, np.int32), np.array([0, 3], np.int32)), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield (
            lambda: cls(dtypes.float32)(ListPut()([0], np.ones((1, 2), np.float32)), [0], (1, 3)),
            ShapeError,
            "rows have",
        )


@op
class ListPut(OfLists):
    """A list with the rows at indices; rows that meet add up, the rest is absent. indices [k], rows [k, ...] -> list"""

    signature = "indices: int32, rows: T -> list: variant"
    T = dtypes.ANY

    def infer(self, indices: Spec, rows: Spec) -> Spec:
        return LIST

    def reference(self, indices: Any, rows: Any) -> Any:
        items: list[Any] = [None] * (int(max(indices)) + 1 if len(indices) else 0)
        for i, row in zip(indices, rows, strict=True):
            items[i] = np.asarray(row, rows.dtype) if items[i] is None else np.asarray(items[i] + row, rows.dtype)
        return (tuple(items),)

    def grad(self, node: Any, dlist: Any) -> Any:
        indices, rows = node.inputs
        return None, ListRows(rows.dtype)(dlist, indices, shape_of(rows))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([2, 0, 2], np.int32), rng.normal(size=(3, 2))), wrt=())
        yield Sample(cls(), (np.zeros(0, np.int32), rng.normal(size=(0, 2))), wrt=())


@op
class ListWithout(OfLists):
    """The list with no entry at a place, or at each of several. list, places -> list"""

    signature = "list: variant, places: int32 -> rest: variant"

    def infer(self, items: Spec, places: Spec) -> Spec:
        return LIST

    def reference(self, items: Any, places: Any) -> Any:
        gone = {int(i) for i in np.ravel(places)}
        return (tuple([None if i in gone else item for i, item in enumerate(items)]),)

    def grad(self, node: Any, dlist: Any) -> Any:
        return ListWithout()(dlist, node.inputs[1]), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items = (rng.normal(size=2), None, rng.normal(size=3))
        for places in (np.int32(0), np.array([2, 1, 5], np.int32)):
            yield Sample(cls(), (items, places), wrt=())
