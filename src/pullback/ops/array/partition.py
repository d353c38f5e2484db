"""Dealing rows out and collecting them: DynamicPartition, DynamicStitch; and ReverseSequence, which turns rows around.

DynamicPartition <-> DynamicStitch     each other's gradients
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import shape_of
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.joining import present
from pullback.ops.array.ranges import Range
from pullback.ops.array.shape import Reshape, axis_in, differentiable, drawn, one_of
from pullback.ops.array.sizes import Size


@op
class DynamicPartition(Op):
    """The rows of x with partitions = p, for each p, in order. x [i.., r..], partitions [i..] -> y_p [how many, r..]"""

    signature = "data: T, partitions: int32 -> *outputs: T"
    T = dtypes.ANY
    any_rank = True
    num_partitions: int

    def check(self) -> None:
        if self.num_partitions < 1:
            raise ArgumentError(f"DynamicPartition: num_partitions must be at least 1, not {self.num_partitions}")

    def infer(self, x: Spec, partitions: Spec) -> tuple[Spec, ...]:
        if x.shape is None or partitions.shape is None:
            return (x.with_shape(None),) * self.num_partitions
        k = len(partitions.shape)
        if not shape.compatible(x.shape[:k], partitions.shape):
            raise ShapeError(
                f"DynamicPartition: partitions of shape {shape.text(partitions.shape)} must be a beginning of "
                f"data's shape {shape.text(x.shape)}"
            )
        return (x.with_shape((None, *x.shape[k:])),) * self.num_partitions

    def reference(self, x: Any, partitions: Any) -> Any:
        wrong = partitions[(partitions < 0) | (partitions >= self.num_partitions)]
        if wrong.size:
            raise ArgumentError(f"DynamicPartition: partition {wrong[0]} is not in [0, {self.num_partitions})")
        return tuple(x[partitions == p] for p in range(self.num_partitions))

    def grad(self, node: Any, *dys: Any) -> Any:
        x, partitions = node.inputs
        places = Reshape()(Range()(0, Size()(partitions), 1), shape_of(partitions))
        made = interpreter.current().bind(self, (places, partitions))
        whose = made if self.num_partitions > 1 else (made,)
        return Reshape()(DynamicStitch(x.dtype)(*whose, *present(dys, node)), shape_of(x)), None

    def attrs(self) -> dict[str, Any]:
        return {"num_partitions": self.num_partitions}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(3), (rng.normal(size=(4, 2)), np.array([2, 0, 2, 0], np.int32)))
        yield Sample(cls(2), (rng.normal(size=(2, 2)), np.array([[0, 1], [1, 1]], np.int32)), name="entries")
        yield Sample(cls(1), (rng.normal(size=(0, 2)), np.zeros(0, np.int32)), name="empty")
        for t in cls.T:
            args = (drawn(rng, (3,), t), np.array([1, 0, 1], np.int32))
            yield Sample(cls(2), args, differentiable(t, 0), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(2)(np.ones(2), np.array([0, 2], np.int32)), ArgumentError, "not in [0, 2)"
        yield lambda: cls(2)(np.ones(2), np.array([0, 1, 1], np.int32)), ShapeError, "a beginning of data's shape"


@op
class DynamicStitch(Op):
    """y[indices_k[i..]] = x_k[i..]; a place named twice holds the last, one never named 0.

    indices_1 .. indices_n [i..], x_1 .. x_n [i.., r..] -> y [largest index + 1, r..]
    """

    signature = "*values: any -> merged: T"
    any_rank = True
    T: DType

    def infer(self, *values: Spec) -> Spec:
        n = len(values) // 2
        if len(values) != 2 * n or not n:
            raise ShapeError(
                f"DynamicStitch takes as many tensors as indices, at least one, but {len(values)} inputs were given"
            )
        row: Shape = None
        for indices, x in zip(values[:n], values[n:], strict=True):
            if indices.dtype is not dtypes.int32 or x.dtype is not self.T:
                raise DTypeError(
                    f"DynamicStitch: indices must be int32 and data {self.T.name}, "
                    f"not {indices.dtype.name} and {x.dtype.name}"
                )
            if indices.shape is not None and x.shape is not None:
                k = len(indices.shape)
                if not shape.compatible(x.shape[:k], indices.shape):
                    raise ShapeError(
                        f"DynamicStitch: indices of shape {shape.text(indices.shape)} must be a beginning of "
                        f"data's shape {shape.text(x.shape)}"
                    )
                row = shape.merged(row, x.shape[k:], "DynamicStitch: rows of shapes")
        return Spec(None if row is None else (self._length(values[:n]), *row), self.T)

    def _length(self, indices: tuple[Spec, ...]) -> int | None:
        """The largest index and one, where all are known."""
        known = [(i.value,) if isinstance(i.value, int) else i.value for i in indices]
        if any(not isinstance(v, tuple) or None in v for v in known):
            return None
        return max((n for v in known for n in np.ravel(v).tolist()), default=-1) + 1

    def reference(self, *values: Any) -> Any:
        n = len(values) // 2
        indices, data = values[:n], values[n:]
        if min((i.min() for i in indices if i.size), default=0) < 0:
            raise ArgumentError("DynamicStitch: indices must not be negative")
        length = max((int(i.max()) + 1 for i in indices if i.size), default=0)
        y = np.zeros((length, *data[0].shape[indices[0].ndim :]), data[0].dtype)
        for places, x in zip(indices, data, strict=True):
            rows = x.reshape(places.size, *y.shape[1:])
            for i, place in enumerate(places.ravel()):
                y[place] = rows[i]
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        n = len(node.inputs) // 2
        return *(None,) * n, *(GatherV2()(dy, indices, 0) for indices in node.inputs[:n])

    def attrs(self) -> dict[str, Any]:
        return {"T": self.T}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        places = np.array([3, 0], np.int32), np.array([[1], [2]], np.int32)
        yield Sample(cls(dtypes.float64), (*places, rng.normal(size=(2, 2)), rng.normal(size=(2, 1, 2))))
        yield Sample(cls(dtypes.float64), (np.int32(1), rng.normal(size=(2,))), name="one")
        yield Sample(cls(dtypes.float64), (np.zeros(0, np.int32), np.zeros((0, 2))), name="empty")
        yield Sample(cls(dtypes.int64), (np.array([1, 1], np.int32), np.array([5, 6])), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        one = np.array([0], np.int32)
        yield lambda: cls(dtypes.float64)(one, one, np.ones(1), np.ones((1, 2))), ShapeError, "not compatible"
        yield lambda: cls(dtypes.float64)(np.array([0, -1], np.int32), np.ones(2)), ArgumentError, "negative"


@op
class ReverseSequence(Op):
    """The first seq_lengths[b] entries along seq_dim in reverse order, for each b along batch_dim; the rest as it is.

    x [..., n, ...], seq_lengths [size of batch_dim] -> y, of x's shape
    """

    signature = "input: T, seq_lengths: Tlen -> output: T"
    T = dtypes.ANY
    Tlen = dtypes.INDICES
    seq_dim: int
    batch_dim: int = 0

    def infer(self, x: Spec, lengths: Spec) -> Spec:
        assert x.shape is not None
        at, batch = (axis_in(a, len(x.shape), "ReverseSequence") for a in (self.seq_dim, self.batch_dim))
        if at == batch:
            raise ShapeError(f"ReverseSequence: seq_dim and batch_dim must differ, but both are axis {at}")
        if not shape.compatible(lengths.shape, (x.shape[batch],)):
            raise ShapeError(
                f"ReverseSequence: seq_lengths must have shape {shape.text((x.shape[batch],))}, "
                f"not {shape.text(lengths.shape)}"
            )
        return x.with_shape(x.shape)

    def reference(self, x: Any, lengths: Any) -> Any:
        at, batch = self.seq_dim % x.ndim, self.batch_dim % x.ndim
        n = x.shape[at]
        if lengths.size and (lengths.min() < 0 or lengths.max() > n):
            raise ArgumentError(f"ReverseSequence: seq_lengths {lengths.tolist()} must lie in [0, {n}]")
        place = np.arange(n)
        source = np.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)
        rows = np.moveaxis(x, (batch, at), (0, 1))
        turned = rows[np.arange(len(lengths))[:, None], source]
        return np.moveaxis(turned, (0, 1), (batch, at))

    def grad(self, node: Any, dy: Any) -> Any:
        return self(dy, node.inputs[1]), None

    def attrs(self) -> dict[str, Any]:
        return {"seq_dim": self.seq_dim, "batch_dim": self.batch_dim}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(1), (rng.normal(size=(3, 4, 2)), np.array([2, 0, 4], np.int32)))
        yield Sample(cls(0, -1), (rng.normal(size=(3, 2)), np.array([3, 1])))
        yield Sample(cls(1), (rng.normal(size=(0, 4)), np.zeros(0, np.int32)), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(1)(np.ones((1, 2)), np.array([3])), ArgumentError, "must lie in [0, 2]"
        yield lambda: cls(0)(np.ones((1, 2)), np.array([1])), ShapeError, "must differ"
        yield lambda: cls(1)(np.ones((1, 2)), np.array([1, 1])), ShapeError, "must have shape [1]"


# --- public names ---------------------------------------------------------------------------------------------------


@public("dynamic_partition")
def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Tensor]:
    """The rows of a tensor dealt out: for each p below num_partitions those whose partition is p, in order.

    Args:
      data: [i.., r..]. partitions: int32 [i..], in [0, num_partitions).
    Returns:
      A list of tensors [how many, r..].
    """
    made = DynamicPartition(int(num_partitions))(data, partitions, name=name)
    return [made] if num_partitions == 1 else list(made)


@public("dynamic_stitch")
def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """One tensor of rows that indices place: row indices[k][i..] is data[k][i..].

    Args:
      indices: a list of int32 tensors [i..]. data: a list of as many tensors [i.., r..].
    Ties: of rows for one place the last stays; each gets the gradient, as in TensorFlow.
    """
    places = [interpreter.as_tensor(i, None if isinstance(i, Tensor) else dtypes.int32) for i in indices]
    rows = [interpreter.as_tensor(x) for x in data]
    if len(places) != len(rows) or not rows:
        raise ArgumentError(
            f"dynamic_stitch: {len(places)} indices were given for {len(rows)} tensors of data"
        ).locate()
    return DynamicStitch(rows[0].dtype)(*places, *rows, name=name)


@public("reverse_sequence", v1=None)
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None, name: str | None = None
) -> Tensor:
    """A tensor with, in each batch, the first seq_lengths[b] entries along an axis in reverse order.

    Args:
      seq_lengths: [size of batch_axis] integers. seq_axis: must be given. batch_axis: by default 0.
    """
    if seq_axis is None:
        raise ArgumentError("reverse_sequence: seq_axis must be given").locate()
    return ReverseSequence(int(seq_axis), int(batch_axis or 0))(input, seq_lengths, name=name)


@public(v1="reverse_sequence")
def reverse_sequence_v1(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
    seq_dim: int | None = None,
    batch_dim: int | None = None,
) -> Tensor:
    """As `reverse_sequence`; `seq_dim` and `batch_dim` are the axes' earlier names."""
    at, batch = (
        one_of("seq_axis", seq_axis, "seq_dim", seq_dim),
        one_of("batch_axis", batch_axis, "batch_dim", batch_dim),
    )
    return reverse_sequence(input, seq_lengths, at, batch, name)
