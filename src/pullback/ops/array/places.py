"""Reading and writing at places, each named by a row of numbers.

GatherNd <-> ScatterNd     read places; add into zeros there: each other's gradients
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import BroadcastTo, shape_of, static_tuple
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.slices import IndexedSlices
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.gather import INDEX_TYPES
from pullback.ops.array.joining import ConcatV2, chain, spread
from pullback.ops.array.shape import Reshape, Squeeze, differentiable, dims, drawn, static_scalar


class ByPlace(Op):
    """Base of the ops whose indices are rows of numbers, each naming a place of another tensor.

    bad_indices_policy: "" and "ERROR" raise on a row that names no place, "IGNORE" reads 0 there and writes nothing.
    """

    T = dtypes.ANY
    Tindices = INDEX_TYPES
    bad_indices_policy: str = ""

    def check(self) -> None:
        if self.bad_indices_policy not in ("", "DEFAULT", "ERROR", "IGNORE"):
            raise ArgumentError(
                f"{self.type}: bad_indices_policy must be '', 'ERROR' or 'IGNORE', not {self.bad_indices_policy!r}"
            )

    def length(self, of: Shape, indices: Shape) -> int | None:
        """How many numbers name a place.

        Raises:
          ShapeError: more than the tensor has axes.
        """
        if not indices:
            raise ShapeError(f"{self.type}: indices must have an axis, along which the numbers of one index stand")
        k = indices[-1]
        if k is not None and of is not None and k > len(of):
            raise ShapeError(f"{self.type}: an index of {k} numbers is too long for shape {shape.text(of)}")
        return k

    def fit(self, of: Shape, indices: Shape, updates: Shape) -> None:
        """Raises ShapeError when updates [i.., r..] do not belong to indices [i.., k] of a tensor [n_1..n_k, r..]."""
        if indices is None:
            return
        k = self.length(of, indices)
        if k is None or of is None:
            return
        wanted = indices[:-1] + of[k:]
        if not shape.compatible(updates, wanted):
            raise ShapeError(
                f"{self.type}: updates have shape {shape.text(updates)}, but indices {shape.text(indices)} into shape "
                f"{shape.text(of)} need {shape.text(wanted)}"
            )

    def places(self, of: Any, indices: Any) -> tuple[Any, Any]:
        """(number of each place counting row by row over the indexed axes, whether it exists).

        Raises:
          ArgumentError: one does not exist, unless these are ignored.
        """
        k = indices.shape[-1]
        exists = ((indices >= 0) & (indices < np.array(of[:k], np.int64))).all(-1)
        if self.bad_indices_policy != "IGNORE" and not exists.all():
            at = tuple(np.argwhere(~exists)[0].tolist())
            raise ArgumentError(
                f"{self.type}: indices{list(at)} = {indices[at].tolist()} does not index into "
                f"shape {shape.text(tuple(of))}"
            )
        weights = np.array([math.prod(of[j + 1 : k]) for j in range(k)], np.int64)
        return np.where(exists, (indices * weights).sum(-1, dtype=np.int64), 0), exists

    def attrs(self) -> dict[str, Any]:
        return {"bad_indices_policy": self.bad_indices_policy.encode()}


def by_places(x: Any, k: int) -> Any:
    """x with its first k axes as one."""
    return x.reshape(math.prod(x.shape[:k]), *x.shape[k:])


def trailing(mask: Any, like: Any) -> Any:
    """A mask with axes of size 1 after its own, to meet `like`."""
    return mask.reshape(mask.shape + (1,) * (np.ndim(like) - mask.ndim))


def numbered(indices: Tensor, axis: int = 0) -> Tensor:
    """Rows of indices [i.., k] with the number of the slice along `axis` that they lie in put before: [i.., 1 + k]."""
    from pullback.ops.array.ranges import range_

    rank, lead = indices.spec.rank, shape_of(indices)
    assert rank is not None
    numbers = Reshape()(range_(0, lead[axis], dtype=indices.dtype), (-1, *(1,) * (rank - axis - 1)))
    return ConcatV2()(BroadcastTo()(numbers, chain(lead[:-1], (1,))), indices, -1)


@op
class GatherNd(ByPlace):
    """y[i.., r..] = x[indices[i.., 0], ..., indices[i.., k-1], r..].

    x [n_1..n_k, r..], indices [i.., k] -> y [i.., r..]
    """

    signature = "params: T, indices: Tindices -> output: T"
    bad_indices_policy: str = ""

    def infer(self, x: Spec, indices: Spec) -> Spec:
        assert x.shape is not None and indices.shape is not None
        k = self.length(x.shape, indices.shape)
        return x.with_shape(None if k is None else indices.shape[:-1] + x.shape[k:])

    def reference(self, x: Any, indices: Any) -> Any:
        place, exists = self.places(x.shape, indices)
        rows = by_places(x, indices.shape[-1])
        if exists.all():
            return rows[place, ...]
        if not len(rows):
            return np.zeros(place.shape + rows.shape[1:], x.dtype)
        y = rows[place]
        return np.where(trailing(exists, y), y, np.zeros((), x.dtype))

    def grad(self, node: Any, dy: Any) -> Any:
        x, indices = node.inputs
        if indices.spec.rank == 2 and indices.spec.shape[-1] == 1 and self.bad_indices_policy != "IGNORE":
            return IndexedSlices(dy, Squeeze((-1,))(indices), shape_of(x)), None
        return ScatterNd(self.bad_indices_policy)(indices, dy, shape_of(x)), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, indices = inputs
        if axes == (None, 0):
            return self(x, indices), 0
        if indices.spec.rank is None:
            return NotImplemented
        return self(spread(size, x, axes[0]), numbered(spread(size, indices, axes[1]))), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(3, 4, 2))
        yield Sample(cls(), (x, np.array([[2], [0], [2]], np.int32)), name="rows")
        yield Sample(cls(), (x, np.array([[2, 3], [0, 0], [2, 3]])), name="pairs")
        yield Sample(cls(), (x, np.array([[[1, 2, 1]]])), name="entries")
        yield Sample(cls(), (x, np.zeros((2, 0), np.int32)), name="whole")
        yield Sample(cls(), (x, np.zeros((0, 1), np.int32)), name="empty")
        yield Sample(cls("IGNORE"), (x, np.array([[1], [3], [-1]])), name="ignore")
        yield Sample(cls(), (np.array([b"a", b"b"], object), np.array([[1]])), wrt=(), name="string")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.array([[1, 3]])), ArgumentError, "[1, 3] does not index"
        yield lambda: cls()(np.ones(2), np.array([[1, 3]])), ShapeError, "too long"
        yield lambda: cls("NEVER"), ArgumentError, "bad_indices_policy"


@op
class ScatterNd(ByPlace):
    """Zeros of a shape with updates added at places. indices [i.., k], updates [i.., r..], shape [rank] -> y [shape]"""

    signature = "indices: Tindices, updates: T, shape: int32|int64|int16 -> output: T"
    T = (*dtypes.NUMBERS, dtypes.bool_)
    static = (2,)
    any_rank = True
    bad_indices_policy: str = ""

    def infer(self, indices: Spec, updates: Spec, of: Spec) -> Spec:
        to = known_vector(of)
        if to is not None and any(n is not None and n < 0 for n in to):
            raise ShapeError(f"ScatterNd: shape {shape.text(to)} must not hold negative numbers")
        self.fit(to, indices.shape, updates.shape)
        return updates.with_shape(to)

    def reference(self, indices: Any, updates: Any, of: Any) -> Any:
        y = np.zeros(tuple(of), updates.dtype)
        self.fit(y.shape, indices.shape, updates.shape)
        place, exists = self.places(y.shape, indices)
        add = np.logical_or if y.dtype == bool else np.add
        add.at(by_places(y, indices.shape[-1]), place[exists], updates[exists])
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        return None, GatherNd(self.bad_indices_policy)(dy, node.inputs[0]), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        indices, updates, of = inputs
        if axes[2] is not None or indices.spec.rank is None:
            return NotImplemented
        known = static_tuple(of)
        each = numbered(spread(size, indices, axes[0]))
        return self(each, spread(size, updates, axes[1]), chain((size,), of if known is None else known)), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(
            cls(), (np.array([[1], [3], [1]], np.int32), rng.normal(size=(3, 2)), (4, 2)), wrt=(1,), name="rows"
        )
        yield Sample(cls(), (np.array([[1, 0], [0, 1]]), rng.normal(size=(2,)), (2, 2)), wrt=(1,), name="entries")
        yield Sample(cls(), (np.zeros((2, 0), np.int32), rng.normal(size=(2, 3)), (3,)), wrt=(1,), name="whole")
        yield Sample(cls(), (np.zeros((0, 1), np.int32), rng.normal(size=(0, 3)), (2, 3)), wrt=(1,), name="empty")
        yield Sample(cls("IGNORE"), (np.array([[1], [4]]), rng.normal(size=(2,)), (3,)), wrt=(1,), name="ignore")
        for t in cls.T:
            args = (np.array([[1], [1]]), drawn(rng, (2,), t), (2,))
            yield Sample(cls(), args, differentiable(t, 1), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.array([[4]]), np.ones(1), (4,)), ArgumentError, "[4] does not index"
        yield lambda: cls()(np.array([[1]]), np.ones(2), (4,)), ShapeError, "updates"
        yield lambda: cls()(np.array([[1, 1]]), np.ones(1), (4,)), ShapeError, "too long"


# --- public names ---------------------------------------------------------------------------------------------------


@public("gather_nd", v1=None)
def gather_nd(
    params: Any, indices: Any, batch_dims: int = 0, name: str | None = None, bad_indices_policy: str = ""
) -> Tensor:
    """The slices of a tensor at places, each named by a row of numbers.

    Args:
      params: [b.., n_1..n_k, r..], b batch_dims axes.
      indices: [b.., i.., k] integers.
      bad_indices_policy: "" or "ERROR": a place outside raises; "IGNORE": 0 is read there.
    Returns:
      [b.., i.., r..]
    """
    batch_dims = int(static_scalar(batch_dims) or 0) if isinstance(batch_dims, Tensor) else int(batch_dims)
    made = GatherNd(bad_indices_policy)
    if not batch_dims:
        return made(params, indices, name=name)
    params, indices = interpreter.as_tensor(params), interpreter.as_tensor(indices)
    if indices.spec.rank is None or not 0 <= batch_dims < indices.spec.rank:
        raise ShapeError(f"gather_nd: batch_dims {batch_dims} must lie in [0, rank of indices)").locate()
    for axis in reversed(range(batch_dims)):
        indices = numbered(indices, axis)
    return made(params, indices, name=name)


@public(v1=("gather_nd", "manip.gather_nd"))
def gather_nd_v1(
    params: Any, indices: Any, name: str | None = None, batch_dims: int = 0, bad_indices_policy: str = ""
) -> Tensor:
    """As `gather_nd`, in TensorFlow 1's order of arguments."""
    return gather_nd(params, indices, batch_dims, name, bad_indices_policy)


@public("scatter_nd", v1=("scatter_nd", "manip.scatter_nd"))
def scatter_nd(indices: Any, updates: Any, shape: Any, bad_indices_policy: str = "", name: str | None = None) -> Tensor:
    """Zeros of a shape with updates added at places.

    Args:
      indices: [i.., k] integers: rows that name places of the first k axes.
      updates: [i.., r..]
      shape: [n_1..n_k, r..], a list of ints or a vector.
      bad_indices_policy: "" or "ERROR": a place outside raises; "IGNORE": nothing is written there.
    Raises:
      ArgumentError: a place lies outside. ShapeError: updates do not fit.
    Ties: updates of one place add.
    """
    return ScatterNd(bad_indices_policy)(indices, updates, dims(shape), name=name)
