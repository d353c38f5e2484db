"""Rows folded by segment: sums, means, largest, least and products of the rows that share a segment id.

    SegmentSum, SegmentMean, SegmentMax, SegmentMin, SegmentProd      ids in rising order; as many results as they say
    UnsortedSegmentMax, UnsortedSegmentMin, UnsortedSegmentProd       ids in any order, negative ones count nowhere

The gradient looks each row's segment up. Rows that tie for the largest share it equally. A product's gradient is the
product of the other rows: rows are laid out [segment, place, ...], with ones where there are none (SegmentTable), so
that it is exact to every order where some are zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import OnesLike, ZerosLike, shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.creation import Fill
from pullback.ops.array.gather import INDEX_TYPES, GatherV2
from pullback.ops.array.joining import ConcatV2, chain
from pullback.ops.array.rows import UnsortedSegmentSum, _lifted
from pullback.ops.array.shape import ExpandDims, Reshape, dims
from pullback.ops.array.sizes import Rank, Size
from pullback.ops.math import arithmetic as m
from pullback.ops.math.cumulative import ExclusiveProduct
from pullback.ops.math.elementwise import conj
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Select

_REAL = (*dtypes.REALS, *dtypes.INTS)


def _folded(x: Any, ids: Any, count: int, by: Any, first: Any, what: str) -> Any:
    """Rows folded by a NumPy ufunc, from `first`."""
    if np.size(ids) and np.max(ids) >= count:
        raise ArgumentError(f"{what}: segment id {np.max(ids)} is not below num_segments = {count}")
    y = np.full((count, *x.shape[np.ndim(ids) :]), first, x.dtype)
    counts = ids >= 0
    with np.errstate(all="ignore"):
        by.at(y, ids[counts], x[counts])
    return y


def _least(dtype: Any) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else dtypes.from_numpy(dtype).min


def _most(dtype: Any) -> Any:
    return np.iinfo(dtype).max if dtype.kind in "iu" else dtypes.from_numpy(dtype).max


def _looked_up(y: Tensor, ids: Tensor) -> Tensor:
    """Each row's segment's entry; of negative ids the first's."""
    return GatherV2()(y, m.Maximum()(ids, ZerosLike()(ids)), 0)


def _unless_negative(rows: Tensor, ids: Tensor) -> Tensor:
    counts = m.GreaterEqual()(ids, ZerosLike()(ids))
    return Select()(_lifted(counts, rows), rows, ZerosLike()(rows))


def _extreme_grad(node: Any, dy: Any, ids: Tensor, total: Any) -> Tensor:
    """dy to the rows that are the extreme, shared equally."""
    x, y = node.inputs[0], node.results[0]
    won = _unless_negative(Cast(x.dtype)(m.Equal()(x, _looked_up(y, ids))), ids)
    return won * _looked_up(m.DivNoNan()(dy, total(won)), ids)


def _product_grad(node: Any, dy: Any, ids: Tensor, count: Any) -> Tensor:
    """dy times the product of the segment's other rows."""
    x, many = node.inputs[0], Size()(ids)
    first = Rank()(ids) if ids.spec.rank is None else ids.spec.rank
    row = shape_of(x)[first:]
    flat = Reshape()(x, chain(Reshape()(many, (1,)), row))
    table = SegmentTable()(Reshape()(ids, (-1,)), count)
    blank = Cast(x.dtype)(Fill()(chain((1,), row), 1))
    laid = GatherV2()(ConcatV2()(flat, blank, 0), table, 0)  # [segments, longest, r..]
    others = ExclusiveProduct(1)(laid) * ExclusiveProduct(1, True)(laid)
    back = UnsortedSegmentSum()(ExpandDims()(dy, 1) * conj(others), table, many + 1)
    return Reshape()(back[:-1], shape_of(x))


@op
class SegmentTable(Op):
    """Which rows a segment has. ids [n], num_segments [] -> table [num_segments, longest], n where there is no row."""

    signature = "segment_ids: Tindices, num_segments: int32|int64 -> table: int32"
    Tindices = INDEX_TYPES

    def infer(self, ids: Spec, count: Spec) -> Spec:
        return Spec((count.value, None), dtypes.int32)

    def reference(self, ids: Any, count: Any) -> Any:
        rows: list[list[int]] = [[] for _ in range(int(count))]
        for i, s in enumerate(ids.tolist()):
            if s >= 0:
                rows[s].append(i)
        table = np.full((len(rows), max(map(len, rows), default=0)), len(ids), np.int32)
        for s, row in enumerate(rows):
            table[s, : len(row)] = row
        return table

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([2, 0, -1, 2], np.int32), np.int32(3)))
        yield Sample(cls(), (np.zeros(0, np.int64), np.int32(2)), name="empty")


class _Sorted(Op):
    """Base of the ops with ids in rising order. x [n, r..], ids [n] -> y [last id + 1, r..]"""

    signature = "data: T, segment_ids: int32|int64 -> output: T"
    T = _REAL

    def infer(self, x: Spec, ids: Spec) -> Spec:
        if len(ids.shape or ()) != 1:
            raise ShapeError(f"{self.type}: segment_ids must be a vector, but have shape {shape.text(ids.shape)}")
        if not x.shape or not shape.compatible(x.shape[:1], ids.shape):
            raise ShapeError(
                f"{self.type}: segment_ids {shape.text(ids.shape)} must be as many as the rows of data "
                f"{shape.text(x.shape)}"
            )
        return x.with_shape((None, *x.shape[1:]))

    def reference(self, x: Any, ids: Any) -> Any:
        if np.any(np.diff(ids) < 0) or (len(ids) and ids[0] < 0):
            raise ArgumentError(f"{self.type}: segment ids are not increasing: {ids.tolist()[:8]}")
        return self.fold(x, ids, int(ids[-1]) + 1 if len(ids) else 0)

    def fold(self, x: Any, ids: Any, count: int) -> Any:
        """The rows folded."""
        raise TypeError(f"{self.type} does not say how it folds")

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        ids = np.array([0, 0, 2, 2, 2], np.int32)
        yield Sample(cls(), (rng.normal(size=(5, 2)), ids))
        yield Sample(cls(), (rng.normal(size=(2,)), np.array([1, 1])), name="numbers")
        yield Sample(cls(), (np.ones((0, 2)), np.zeros(0, np.int32)), name="empty")
        for t in cls.T:
            yield Sample(cls(), (np.arange(1, 6).astype(t.numpy), ids), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(2), np.array([1, 0])), ArgumentError, "not increasing"
        yield lambda: cls()(np.ones(2), np.array([0, 0, 0])), ShapeError, "as many as the rows"
        yield lambda: cls()(np.ones((1, 1)), np.array([[0]])), ShapeError, "must be a vector"


@op
class SegmentSum(_Sorted):
    """Sums of the rows that share an id."""

    T = dtypes.NUMBERS

    def fold(self, x: Any, ids: Any, count: int) -> Any:
        return _folded(x, ids, count, np.add, 0, self.type)

    def grad(self, node: Any, dy: Any) -> Any:
        return GatherV2()(dy, node.inputs[1], 0), None


@op
class SegmentMean(_Sorted):
    """Means of the rows that share an id; 0 of none."""

    T = dtypes.FLOATS

    def fold(self, x: Any, ids: Any, count: int) -> Any:
        many = np.maximum(np.bincount(ids, minlength=count), 1).astype(x.dtype)
        return _folded(x, ids, count, np.add, 0, self.type) / many.reshape(-1, *(1,) * (x.ndim - 1))

    def grad(self, node: Any, dy: Any) -> Any:
        x, ids = node.inputs
        ones = OnesLike()(x)
        return GatherV2()(dy, ids, 0) / GatherV2()(SegmentSum()(ones, ids), ids, 0), None


@op
class SegmentMax(_Sorted):
    """The largest of the rows that share an id, entry by entry; 0 of none."""

    def fold(self, x: Any, ids: Any, count: int) -> Any:
        y = _folded(x, ids, count, np.maximum, _least(x.dtype), self.type)
        y[np.bincount(ids, minlength=count) == 0] = 0
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        ids = node.inputs[1]
        return _extreme_grad(node, dy, ids, lambda won: SegmentSum()(won, ids)), None


@op
class SegmentMin(_Sorted):
    """The least of the rows that share an id, entry by entry; 0 of none."""

    def fold(self, x: Any, ids: Any, count: int) -> Any:
        y = _folded(x, ids, count, np.minimum, _most(x.dtype), self.type)
        y[np.bincount(ids, minlength=count) == 0] = 0
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        ids = node.inputs[1]
        return _extreme_grad(node, dy, ids, lambda won: SegmentSum()(won, ids)), None


@op
class SegmentProd(_Sorted):
    """Products of the rows that share an id; 1 of none."""

    T = dtypes.NUMBERS

    def fold(self, x: Any, ids: Any, count: int) -> Any:
        return _folded(x, ids, count, np.multiply, 1, self.type)

    def grad(self, node: Any, dy: Any) -> Any:
        return _product_grad(node, dy, node.inputs[1], shape_of(dy)[0]), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield from super().samples(rng)
        yield Sample(cls(), (np.array([0.0, 2, 0, 3, 0]), np.array([0, 0, 1, 1, 1])), name="zeros")


class _Unsorted(Op):
    """Base of the ops with ids in any order. x [i.., r..], ids [i..], num_segments [] -> y [num_segments, r..]"""

    signature = "data: T, segment_ids: Tindices, num_segments: int32|int64 -> output: T"
    T = _REAL
    Tindices = INDEX_TYPES
    static = (2,)

    def infer(self, x: Spec, ids: Spec, count: Spec) -> Spec:
        assert x.shape is not None and ids.shape is not None
        k = len(ids.shape)
        if k > len(x.shape) or not shape.compatible(x.shape[:k], ids.shape):
            raise ShapeError(
                f"{self.type}: segment_ids of shape {shape.text(ids.shape)} must be a beginning of data's shape "
                f"{shape.text(x.shape)}"
            )
        if count.value is not None and count.value < 0:
            raise ArgumentError(f"{self.type}: num_segments must not be negative, but is {count.value}")
        return x.with_shape((count.value, *x.shape[k:]))

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        ids = np.array([2, 0, 2, -1, 1], np.int32)
        yield Sample(cls(), (rng.normal(size=(5, 2)), ids, np.int32(3)))
        # The largest of nothing is too large for differences.
        yield Sample(cls(), (rng.normal(size=(5, 2)), ids, np.int32(4)), smooth=False, name="one without rows")
        yield Sample(cls(), (rng.normal(size=(2, 2)), np.array([[0, 1], [-1, 1]]), np.int32(2)), name="numbers")
        yield Sample(cls(), (np.ones((0, 2)), np.zeros(0, np.int32), np.int64(2)), smooth=False, name="empty")
        for t in cls.T:
            yield Sample(cls(), (np.arange(1, 6).astype(t.numpy), ids, np.int32(3)), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(2), np.array([0, 3]), 3), ArgumentError, "not below num_segments = 3"
        yield lambda: cls()(np.ones((2, 3)), np.array([0, 1, 2]), 3), ShapeError, "a beginning of data's shape"


@op
class UnsortedSegmentMax(_Unsorted):
    """The largest of the rows that share an id, entry by entry; of none the type's least number."""

    def reference(self, x: Any, ids: Any, count: Any) -> Any:
        return _folded(x, ids, int(count), np.maximum, _least(x.dtype), self.type)

    def grad(self, node: Any, dy: Any) -> Any:
        _, ids, count = node.inputs
        return _extreme_grad(node, dy, ids, lambda won: UnsortedSegmentSum()(won, ids, count)), None, None


@op
class UnsortedSegmentMin(_Unsorted):
    """The least of the rows that share an id, entry by entry; of none the type's largest number."""

    def reference(self, x: Any, ids: Any, count: Any) -> Any:
        return _folded(x, ids, int(count), np.minimum, _most(x.dtype), self.type)

    def grad(self, node: Any, dy: Any) -> Any:
        _, ids, count = node.inputs
        return _extreme_grad(node, dy, ids, lambda won: UnsortedSegmentSum()(won, ids, count)), None, None


@op
class UnsortedSegmentProd(_Unsorted):
    """Products of the rows that share an id; 1 of none."""

    T = dtypes.NUMBERS

    def reference(self, x: Any, ids: Any, count: Any) -> Any:
        return _folded(x, ids, int(count), np.multiply, 1, self.type)

    def grad(self, node: Any, dy: Any) -> Any:
        _, ids, count = node.inputs
        return _product_grad(node, dy, ids, count), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield from super().samples(rng)
        ids = np.array([1, 0, 1, 0, 1])
        yield Sample(cls(), (np.array([0.0, 2, 0, 3, 0]), ids, np.int32(2)), name="zeros")


# --- public names ---------------------------------------------------------------------------------------------------

_SORTED_DOC = """{what}

    Args:
      data: [n, r..]. segment_ids: [n], integers from 0 in rising order.
    Returns:
      [last id + 1, r..]
    Raises:
      ArgumentError: ids are not in rising order.
    """
_UNSORTED_DOC = """{what}

    Args:
      data: [i.., r..]. segment_ids: [i..], integers below num_segments, in any order; negative ones count nowhere.
    Returns:
      [num_segments, r..]
    Raises:
      ArgumentError: an id is not below num_segments.
    """


def _declared(made: Any, name: str, doc: str) -> Any:
    made.__name__ = made.__qualname__ = name
    made.__doc__, made.__module__ = doc, __name__
    return public(f"math.{name}", v1=(f"math.{name}", name))(made)


def _sorted(name: str, made: Any, what: str) -> Any:
    def function(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
        return made()(data, segment_ids, name=name)

    return _declared(function, name, _SORTED_DOC.format(what=what))


def _unsorted(name: str, made: Any, what: str) -> Any:
    def function(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
        return made(data, segment_ids, dims(num_segments), name=name)

    return _declared(function, name, _UNSORTED_DOC.format(what=what))


def _averaged(root: bool) -> Any:
    """Sums divided by the number of rows, or by its root."""

    def fold(data: Any, segment_ids: Any, num_segments: Any, name: str | None) -> Tensor:
        with scope(name, "UnsortedSegmentSqrtN" if root else "UnsortedSegmentMean", data) as full:
            x, ids = interpreter.as_tensor(data), interpreter.as_tensor(segment_ids)
            total = UnsortedSegmentSum()(x, ids, num_segments)
            many = UnsortedSegmentSum()(Cast(x.dtype)(OnesLike()(ids)), ids, num_segments)
            many = m.Maximum()(many, 1)
            return m.RealDiv()(total, _lifted(m.Sqrt()(many) if root else many, total), name=full)

    return fold


segment_sum = _sorted("segment_sum", SegmentSum, "Sums of the rows that share a segment id; 0 of none.")
segment_mean = _sorted("segment_mean", SegmentMean, "Means of the rows that share a segment id; 0 of none.")
segment_max = _sorted(
    "segment_max", SegmentMax, "The largest of the rows that share a segment id; 0 of none. Ties share the gradient."
)
segment_min = _sorted(
    "segment_min", SegmentMin, "The least of the rows that share a segment id; 0 of none. Ties share the gradient."
)
segment_prod = _sorted("segment_prod", SegmentProd, "Products of the rows that share a segment id; 1 of none.")
unsorted_segment_mean = _unsorted(
    "unsorted_segment_mean", _averaged(False), "Means of the rows that share a segment id; 0 of none."
)
unsorted_segment_sqrt_n = _unsorted(
    "unsorted_segment_sqrt_n",
    _averaged(True),
    "Sums of the rows that share a segment id, divided by the root of their number; 0 of none.",
)
unsorted_segment_max = _unsorted(
    "unsorted_segment_max",
    UnsortedSegmentMax(),
    "The largest of the rows that share a segment id, of none the type's least number. Ties share the gradient.",
)
unsorted_segment_min = _unsorted(
    "unsorted_segment_min",
    UnsortedSegmentMin(),
    "The least of the rows that share a segment id, of none the type's largest number. Ties share the gradient.",
)
unsorted_segment_prod = _unsorted(
    "unsorted_segment_prod", UnsortedSegmentProd(), "Products of the rows that share a segment id; 1 of none."
)
