"""What IndexedSlices stand for: rows added into zeros by UnsortedSegmentSum.

UnsortedSegmentSum --> GatherV2 --> IndexedSlices --> UnsortedSegmentSum ...   so every order exists
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import backprop, dtypes, interpreter, shape
from pullback.core.basics import ZerosLike, shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import method_of, public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.slices import IndexedSlices
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.creation import Fill
from pullback.ops.array.gather import INDEX_TYPES, GatherV2
from pullback.ops.array.joining import ConcatV2, chain, spread
from pullback.ops.array.shape import Reshape, dims, static_scalar
from pullback.ops.array.sizes import Rank
from pullback.ops.math.arithmetic import GreaterEqual, Maximum
from pullback.ops.math.select import Cast, Select


@op
class UnsortedSegmentSum(Op):
    """y[s] = sum of x[i] over all i with segment_ids[i] = s; negative ids count nowhere.

    x [i.., r..], segment_ids [i..], num_segments [] -> y [num_segments, r..]
    """

    signature = "data: T, segment_ids: Tindices, num_segments: int32|int64 -> output: T"
    T = dtypes.NUMBERS
    Tindices = INDEX_TYPES
    static = (2,)

    def infer(self, x: Spec, ids: Spec, count: Spec) -> Spec:
        assert x.shape is not None and ids.shape is not None
        k = len(ids.shape)
        if k > len(x.shape) or not shape.compatible(x.shape[:k], ids.shape):
            raise ShapeError(
                f"UnsortedSegmentSum: segment_ids of shape {shape.text(ids.shape)} must be a beginning of data's shape "
                f"{shape.text(x.shape)}"
            )
        if count.value is not None and count.value < 0:
            raise ArgumentError(f"UnsortedSegmentSum: num_segments must not be negative, but is {count.value}")
        return x.with_shape((count.value, *x.shape[k:]))

    def reference(self, x: Any, ids: Any, count: Any) -> Any:
        y = np.zeros((int(count), *x.shape[np.ndim(ids) :]), x.dtype)
        if np.size(ids) and np.max(ids) >= len(y):
            raise ArgumentError(f"UnsortedSegmentSum: segment id {np.max(ids)} is not below num_segments = {len(y)}")
        counts = ids >= 0
        np.add.at(y, ids[counts], x[counts])
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        _, ids, _ = node.inputs
        rows = GatherV2()(dy, Maximum()(ids, ZerosLike()(ids)), 0)
        counts = GreaterEqual()(ids, ZerosLike()(ids))
        return Select()(_lifted(counts, rows), rows, ZerosLike()(rows)), None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, ids, count = inputs
        n = static_scalar(count)
        if axes[2] is not None or n is None or ids.spec.rank is None or not isinstance(size, int):
            return NotImplemented
        rank = ids.spec.rank + (axes[1] is None)
        ids = spread(size, ids, axes[1])
        first = Reshape()(np.arange(size, dtype=ids.dtype.numpy) * n, (size, *(1,) * (rank - 1)))
        counts = GreaterEqual()(ids, ZerosLike()(ids))
        y = self(spread(size, x, axes[0]), Select()(counts, ids + first, ids), size * n)
        lead = shape_of(y)
        return Reshape()(y, chain((size, n), lead[1:])), 0

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(4, 2)), np.array([2, 0, 2, 1], np.int32), np.int32(4)))
        yield Sample(cls(), (rng.normal(size=(2, 2)), np.array([[0, 1], [-1, 1]]), np.int32(2)), name="scalars")
        yield Sample(cls(), (rng.normal(size=(0, 2)), np.zeros(0, np.int64), np.int64(2)), name="empty")
        yield Sample(cls(), (np.arange(3), np.array([1, 1, 0]), np.int32(2)), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(2), np.array([0, 3]), 3), ArgumentError, "not below num_segments = 3"
        yield lambda: cls()(np.ones((2, 3)), np.array([0, 1, 2]), 3), ShapeError, "a beginning of data's shape"


def _lifted(mask: Tensor, rows: Tensor) -> Tensor:
    """A mask with axes of size 1 after its own, to meet rows."""
    if mask.spec.rank is None or rows.spec.rank is None:
        ones: Any = Fill()(Reshape()(Rank()(rows) - Rank()(mask), (1,)), 1)
    else:
        ones = (1,) * (rows.spec.rank - mask.spec.rank)
        if not ones:
            return mask
    return Reshape()(mask, chain(shape_of(mask), ones))


@method_of(IndexedSlices, "__pullback_tensor__")
def densified(self: IndexedSlices, here: Any) -> Tensor:
    """The tensor that the slices stand for.

    Raises:
      ArgumentError: they do not know how many rows it has.
    """
    if self.dense_shape is None:
        raise ArgumentError(
            "IndexedSlices without dense_shape cannot become a tensor: how many rows it has is not known"
        ).locate()
    return UnsortedSegmentSum()(self.values, self.indices, self.dense_shape[0])


def concatenated(parts: Sequence[IndexedSlices]) -> IndexedSlices:
    """One IndexedSlices for the sum of several: their rows one after another."""
    wide = any(p.indices.dtype is dtypes.int64 for p in parts)
    indices = [
        Cast(dtypes.int64)(p.indices) if wide and p.indices.dtype is not dtypes.int64 else p.indices for p in parts
    ]
    dense_shape = next((p.dense_shape for p in parts if p.dense_shape is not None), None)
    return IndexedSlices(ConcatV2()(*(p.values for p in parts), 0), ConcatV2()(*indices, 0), dense_shape)


backprop.concatenate_slices.append(concatenated)


# --- public names ---------------------------------------------------------------------------------------------------


@public("math.unsorted_segment_sum", v1=("math.unsorted_segment_sum", "unsorted_segment_sum"))
def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Sums of the slices that share a segment id.

    Args:
      data: [i.., r..]. segment_ids: [i..], integers below num_segments; negative ones count nowhere.
    Returns:
      [num_segments, r..]
    Raises:
      ArgumentError: an id is not below num_segments.
    """
    return UnsortedSegmentSum()(data, segment_ids, dims(num_segments), name=name)


@public(v1="convert_to_tensor_or_indexed_slices")
def convert_to_tensor_or_indexed_slices(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """IndexedSlices as they are, anything else as a tensor.

    Raises:
      DTypeError: the type is another than `dtype`.
    """
    if isinstance(value, IndexedSlices):
        if dtype is not None and value.dtype != dtype:
            raise ArgumentError(
                f"IndexedSlices of type {value.dtype.name} were given where {dtype!r} is needed"
            ).locate()
        return value
    return interpreter.as_tensor(value, dtype, name)
