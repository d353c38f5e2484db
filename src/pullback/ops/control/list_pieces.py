"""Lists of the pieces of a leading axis.

TensorListSplit <-> ListJoined      TensorListConcatV2: joined, with the lengths
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import shape_of
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.control.list_gradients import LIST, OfLists, zeros
from pullback.ops.control.lists import TensorListReserve, entry_shape, said_shape


@op
class TensorListSplit(OfLists):
    """Pieces of the leading axis, of these lengths, as entries. tensor [n, ...], element_shape, lengths [k] -> list"""

    signature = "tensor: T, element_shape: int32|int64, lengths: int64 -> list: variant"
    T = dtypes.ANY

    def infer(self, x: Spec, element_shape: Spec, lengths: Spec) -> Spec:
        if x.shape == ():
            raise ShapeError("TensorListSplit: a scalar cannot be split")
        return LIST

    def reference(self, x: Any, element_shape: Any, lengths: Any) -> Any:
        if any(n < 0 for n in lengths) or sum(lengths) != len(x):
            raise ArgumentError(f"TensorListSplit: lengths {lengths.tolist()} must add up to {len(x)} rows")
        ends = np.cumsum(lengths)
        return (tuple(x[end - n : end] for n, end in zip(lengths, ends, strict=True)),)

    def grad(self, node: Any, dlist: Any) -> Any:
        x, _, lengths = node.inputs
        return ListJoined(x.dtype)(dlist, lengths, shape_of(x)), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(5, 2)), np.int32(-1), np.array([2, 0, 3])), wrt=())
        yield Sample(cls(), (rng.normal(size=(0, 2)), np.int32(-1), np.zeros(0, np.int64)), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(3), -1, np.array([1, 1])), ArgumentError, "add up to 3 rows"
        yield lambda: cls()(np.ones(()), -1, np.array([1])), ShapeError, "scalar"


@op
class ListJoined(OfLists):
    """Entries of these lengths end to end, zeros where there is none. list, lengths [k], shape [n, ...] -> tensor"""

    signature = "list: variant, lengths: int64, shape: int32|int64 -> tensor: T"
    static = (2,)
    T: DType

    def infer(self, items: Spec, lengths: Spec, shape_: Spec) -> Spec:
        return Spec(known_vector(shape_), self.T)

    def reference(self, items: Any, lengths: Any, shape_: Any) -> Any:
        joined = zeros(tuple(int(n) for n in shape_), self.T)
        for item, n, end in zip(items, lengths, np.cumsum(lengths), strict=False):
            if item is not None:
                joined[end - n : end] = item
        return joined

    def grad(self, node: Any, dy: Any) -> Any:
        return TensorListSplit()(dy, -1, node.inputs[1]), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items = (rng.normal(size=(2, 3)), None, rng.normal(size=(1, 3)))
        yield Sample(cls(dtypes.float64), (items, np.array([2, 2, 1, 1]), np.array([6, 3], np.int32)), wrt=())


@op
class TensorListConcatV2(OfLists):
    """The entries end to end along their leading axes, which may differ, and those lengths.

    list, element_shape (its first number is not used), leading_dims: lengths of absent entries -> tensor, lengths [k]
    """

    signature = (
        "list: variant, element_shape: int32|int64, leading_dims: int64 -> tensor: element_dtype, lengths: int64"
    )
    static = (1,)
    element_dtype: DType

    def infer(self, items: Spec, element_shape: Spec, leading: Spec) -> tuple[Spec, Spec]:
        each = entry_shape(element_shape)
        joined = Spec(None if not each else (None, *each[1:]), self.element_dtype)
        return joined, Spec((None,), dtypes.int64)

    def reference(self, items: Any, element_shape: Any, leading: Any) -> Any:
        rest = said_shape(element_shape)
        rest = None if not rest else rest[1:]
        for i, item in enumerate(items):
            if item is not None:
                if item.ndim == 0:
                    raise ShapeError(f"TensorListConcatV2: entry {i} is a scalar, which has no leading axis")
                rest = shape.merged(rest, item.shape[1:], f"TensorListConcatV2: entry {i} does not fit; shapes")
        lacks = not items or any(item is None for item in items)
        if lacks and (not shape.known(rest) or len(leading) < len(items)):
            raise ShapeError(
                "TensorListConcatV2: an entry was never written, and its shape is not known; write it, or say "
                "element_shape"
            )
        rows = [
            zeros((int(leading[i]), *(rest or ())), self.element_dtype) if item is None else item
            for i, item in enumerate(items)
        ]
        joined = np.concatenate(rows) if rows else zeros((0, *(rest or ())), self.element_dtype)
        return joined, np.array([len(row) for row in rows], np.int64)

    def grad(self, node: Any, dy: Any, dlengths: Any) -> Any:
        return None if dy is None else TensorListSplit()(dy, -1, node.results[1]), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items = (rng.normal(size=(rng.integers(1, 9), 3)), rng.normal(size=(0, 3)), rng.normal(size=(1, 3)))
        none = np.zeros(0, np.int64)
        yield Sample(cls(dtypes.float64), (items, np.array([-1, 3], np.int32), none), wrt=())
        args = ((None, *items), np.array([-1, 3], np.int32), np.array([2, 0, 0, 0]))
        yield Sample(cls(dtypes.float64), args, wrt=(), name="absent")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        made = TensorListReserve(dtypes.float32)
        yield lambda: cls(dtypes.float32)(made(-1, 2), -1, np.zeros(0, np.int64)), ShapeError, "never written"
