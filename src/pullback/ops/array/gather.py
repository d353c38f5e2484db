"""Looking entries up by index.

GatherV2 --> IndexedSlices     along axis 0: the rows' cotangents, kept as rows
         --> GatherV2Grad      along other axes: rows added into zeros;  GatherV2Grad --> GatherV2
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.slices import IndexedSlices
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import chain, spread
from pullback.ops.array.shape import Reshape, axis_in, differentiable, dims, drawn, static_scalar
from pullback.ops.array.sizes import Size

INDEX_TYPES = (dtypes.int32, dtypes.int64, dtypes.int16)


def check_range(indices: Any, n: int, what: str) -> None:
    """Raises ArgumentError when an index lies outside of an axis of size n."""
    wrong = np.argwhere((indices < 0) | (indices >= n))
    if len(wrong):
        at = tuple(wrong[0].tolist())
        where = f"[{','.join(map(str, at))}]" if at else ""
        raise ArgumentError(f"{what}: indices{where} = {indices[at]} is not in [0, {n})")


class _ByAxis(Op):
    """Base of GatherV2 and its gradient."""

    T = dtypes.ANY
    batch_dims: int = 0

    def settled(self, axis: Any, params: int, indices: int) -> tuple[int, int]:
        """(axis, batch_dims) counted from the front, from the ranks."""
        batch = self.batch_dims + indices if self.batch_dims < 0 else self.batch_dims
        at = axis_in(int(np.reshape(axis, ())), params, self.type)
        if not 0 <= batch <= min(indices, at):
            raise ShapeError(
                f"{self.type}: batch_dims {self.batch_dims} must lie in [0, {min(indices, at)}], "
                f"as indices have {indices} axes and axis is {at}"
            )
        return at, batch

    def attrs(self) -> dict[str, Any]:
        return {"batch_dims": self.batch_dims}


@op
class GatherV2(_ByAxis):
    """y[b.., o.., i.., r..] = x[b.., o.., indices[b.., i..], r..]: b batch_dims, o the axes up to `axis`.

    x [b.., o.., n, r..], indices [b.., i..], axis [] -> y [b.., o.., i.., r..]
    """

    signature = "params: T, indices: Tindices, axis: int32|int64 -> output: T"
    Tindices = INDEX_TYPES
    static = (2,)
    batch_dims: int = 0

    def infer(self, x: Spec, indices: Spec, axis: Spec) -> Spec:
        assert x.shape is not None and indices.shape is not None
        if axis.value is None:
            return x.with_shape(None)
        at, b = self.settled(axis.value, len(x.shape), len(indices.shape))
        lead = shape.merged(x.shape[:b], indices.shape[:b], "GatherV2: batch dimensions")
        assert lead is not None
        out = (*lead, *x.shape[b:at], *indices.shape[b:], *x.shape[at + 1 :])
        return Spec(out, x.dtype, _looked_up(x, indices))

    def reference(self, x: Any, indices: Any, axis: Any) -> Any:
        at, b = self.settled(axis, np.ndim(x), np.ndim(indices))
        check_range(indices, x.shape[at], "GatherV2")
        return x[_places(x.shape, indices, at, b)]

    def grad(self, node: Any, dy: Any) -> Any:
        x, indices, axis = node.inputs
        if static_scalar(axis) == 0 and self.batch_dims == 0:
            return _rows(dy, indices, shape_of(x)), None, None
        return GatherV2Grad(self.batch_dims)(dy, indices, axis, shape_of(x)), None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, indices, axis = inputs
        at = static_scalar(axis)
        if axes[2] is not None or at is None or self.batch_dims < 0:
            return NotImplemented
        at = at + 1 if at >= 0 else at
        if axes[1] is None and self.batch_dims == 0:
            return self(x, indices, at), 0
        return GatherV2(self.batch_dims + 1)(spread(size, x, axes[0]), spread(size, indices, axes[1]), at), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(3, 4, 2))
        rows = np.array([[2, 0], [2, 1]], np.int32)
        yield Sample(cls(), (x, rows, np.int32(0)), name="rows")
        yield Sample(cls(), (x, np.int64(1), np.int32(0)), name="one_row")
        yield Sample(cls(), (x, rows, np.int32(1)), name="columns")
        yield Sample(cls(), (x, rows % 2, np.int64(-1)), name="last")
        yield Sample(cls(1), (x, np.array([[0, 3], [1, 1], [2, 0]]), np.int32(1)), name="batch")
        yield Sample(cls(1), (x, np.array([1, 0, 1]), np.int32(2)), name="batch_outer")
        yield Sample(cls(), (x, np.zeros((0,), np.int32), np.int32(0)), name="empty")
        for t in cls.T:
            yield Sample(cls(), (drawn(rng, (3,), t), rows, np.int32(0)), differentiable(t, 0), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(3), np.array([0, 3]), 0), ArgumentError, "indices[1] = 3 is not in [0, 3)"
        yield lambda: cls()(np.ones(3), np.array(-1), 0), ArgumentError, "= -1 is not in [0, 3)"
        yield lambda: cls()(np.ones(3), np.array(0), 1), ShapeError, "axis 1"
        yield lambda: cls(1)(np.ones(3), np.array([0]), 0), ShapeError, "batch_dims 1"


def _places(of: Any, indices: Any, at: int, b: int) -> tuple[Any, ...]:
    """NumPy's index of what GatherV2 reads: batch and outer axes are open grids, the indices stand after them."""
    if b == 0:
        return (*(slice(None),) * at, indices, ...)  # so that one entry is an array too
    inner = indices.ndim - b
    grids = [np.arange(n).reshape((-1,) + (1,) * (at - i - 1 + inner)) for i, n in enumerate(of[:at])]
    spaced = indices.reshape(indices.shape[:b] + (1,) * (at - b) + indices.shape[b:])
    return (*grids, spaced)


def _looked_up(x: Spec, indices: Spec) -> Any:
    """The static value of entries of a vector."""
    if not isinstance(x.value, tuple) or len(x.shape or ()) != 1 or indices.value is None:
        return None
    wanted = indices.value if isinstance(indices.value, tuple) else (indices.value,)
    if any(not isinstance(i, int) or not 0 <= i < len(x.value) for i in wanted):
        return None
    found = tuple(x.value[i] for i in wanted)
    return found if isinstance(indices.value, tuple) else found[0]


def _rows(dy: Tensor, indices: Tensor, dense_shape: Any) -> IndexedSlices:
    """What a lookup along axis 0 hands back: one row for each index."""
    flat = Reshape()(indices, (-1,)) if indices.spec.rank != 1 else indices
    if isinstance(dense_shape, tuple):
        count = shape.size_of(indices.spec.shape)
        return IndexedSlices(Reshape()(dy, (-1 if count is None else count, *dense_shape[1:])), flat, dense_shape)
    return IndexedSlices(Reshape()(dy, chain(Reshape()(Size()(indices), (1,)), dense_shape[1:])), flat, dense_shape)


@op
class GatherV2Grad(_ByAxis):
    """Zeros of a shape with each entry of dy added where GatherV2 would have read it. shape [rank] -> x [shape]"""

    signature = "dy: T, indices: Tindices, axis: int32|int64, shape: int32|int64 -> x: T"
    T = dtypes.NUMBERS
    Tindices = INDEX_TYPES
    static = (2, 3)
    any_rank = True
    batch_dims: int = 0

    def infer(self, dy: Spec, indices: Spec, axis: Spec, of: Spec) -> Spec:
        return dy.with_shape(known_vector(of))

    def reference(self, dy: Any, indices: Any, axis: Any, of: Any) -> Any:
        x = np.zeros(tuple(of), dy.dtype)
        at, b = self.settled(axis, x.ndim, np.ndim(indices))
        check_range(indices, x.shape[at], "GatherV2Grad")
        np.add.at(x, _places(x.shape, indices, at, b), dy)
        return x

    def grad(self, node: Any, dx: Any) -> Any:
        _, indices, axis, _ = node.inputs
        return GatherV2(self.batch_dims)(dx, indices, axis), None, None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        dy, indices, axis, of = inputs
        at = static_scalar(axis)
        if axes[2:] != (None, None) or at is None or self.batch_dims < 0:
            return NotImplemented
        made = GatherV2Grad(self.batch_dims + 1)
        return made(
            spread(size, dy, axes[0]), spread(size, indices, axes[1]), at + 1 if at >= 0 else at, chain((size,), of)
        ), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        rows = np.array([[2, 0], [2, 1]], np.int32)
        yield Sample(cls(), (rng.normal(size=(2, 2, 4)), rows, np.int32(0), (3, 4)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(3, 2, 2)), rows, np.int32(-1), (3, 4)), wrt=(0,), name="last")
        batched = np.array([[0, 3], [1, 1], [2, 0]])
        yield Sample(cls(1), (rng.normal(size=(3, 2, 2)), batched, np.int32(1), (3, 4, 2)), wrt=(0,), name="batch")
        yield Sample(cls(), (np.zeros((0, 4)), np.zeros(0, np.int32), np.int32(0), (3, 4)), wrt=(0,), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(1), np.array([3]), 0, (3,)), ArgumentError, "is not in [0, 3)"


# --- public names ---------------------------------------------------------------------------------------------------


@public("gather", v1=None)
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Tensor:
    """The slices of a tensor along an axis that indices name.

    Args:
      params: [b.., o.., n, r..]: batch_dims axes b, then others before `axis`.
      indices: [b.., i..], integers in [0, n).
      axis: by default batch_dims.
      validate_indices: has no meaning: indices are always validated.
    Returns:
      [b.., o.., i.., r..]
    Raises:
      ArgumentError: an index lies outside. ShapeError: axis or batch_dims do not fit.
    Gradient: IndexedSlices along axis 0, else dense; equal indices add.
    """
    if axis is None:
        axis = batch_dims
        if batch_dims < 0:
            axis = batch_dims + (interpreter.as_tensor(indices).spec.rank or 0)
    return GatherV2(batch_dims)(params, indices, dims(axis), name=name)


@public(v1="gather")
def gather_v1(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Tensor:
    """As `gather`, in TensorFlow 1's order of arguments."""
    return gather(params, indices, validate_indices, axis, batch_dims, name)


@public(v1="batch_gather")
def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """`gather` along the last axis of the indices, all axes before it batches."""
    indices = interpreter.as_tensor(indices)
    if indices.spec.rank is None:
        raise ArgumentError("batch_gather: indices must have a known number of axes").locate()
    return gather(params, indices, batch_dims=indices.spec.rank - 1, name=name)
