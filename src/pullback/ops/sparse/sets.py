"""`tf.sets`: the last axis as sets. And the distance from one sequence to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import DType, float32, int8, int16, int32, int64, string, uint8, uint16
from pullback.core.errors import ArgumentError, InvalidArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import reshape
from pullback.ops.sparse import SparseTensor

_TYPES: tuple[DType, ...] = (int8, int16, int32, int64, uint8, uint16, string)
_OPERATIONS = ("a-b", "b-a", "intersection", "union")


def _groups(indices: Any, values: Any) -> dict[tuple[int, ...], list[Any]]:
    """The entries of each row: what stands at equal places but for the last axis."""
    out: dict[tuple[int, ...], list[Any]] = {}
    for place, value in zip(indices.tolist(), values.tolist(), strict=True):
        out.setdefault(tuple(place[:-1]), []).append(value)
    return out


@op
class SparseToSparseSetOperation(Op):
    """Row by row a set of two: their entries once each, in ascending order, as a sparse tensor.

    two sparse tensors of one shape but for the last axis -> indices [k, rank], values [k], shape [rank]
    """

    signature = (
        "indices1: int64, values1: T, shape1: int64, indices2: int64, values2: T, shape2: int64 "
        "-> indices: int64, values: T, shape: int64"
    )
    T = _TYPES
    set_operation: str = "intersection"

    def check(self) -> None:
        if self.set_operation not in _OPERATIONS:
            raise ArgumentError(
                f"SparseToSparseSetOperation: no operation {self.set_operation!r}; there are {_OPERATIONS}"
            )

    def infer(self, i1: Any, v1: Any, s1: Any, i2: Any, v2: Any, s2: Any) -> tuple[Spec, ...]:
        rank = i1.shape[1] if len(i1.shape) == 2 else None
        return Spec((None, rank), int64), Spec((None,), v1.dtype), Spec((rank,), int64)

    def reference(self, i1: Any, v1: Any, s1: Any, i2: Any, v2: Any, s2: Any) -> Any:
        if s1[:-1].tolist() != s2[:-1].tolist():
            raise InvalidArgumentError(f"sets: shapes {s1.tolist()} and {s2.tolist()} differ before the last axis")
        a, b = _groups(i1, v1), _groups(i2, v2)
        places: list[tuple[int, ...]] = []
        values: list[Any] = []
        longest = 0
        for row in sorted({*a, *b}):
            found = self._combined(set(a.get(row, ())), set(b.get(row, ())))
            longest = max(longest, len(found))
            for j, value in enumerate(sorted(found)):
                places.append((*row, j))
                values.append(value)
        out = np.empty(len(values), v1.dtype)
        out[:] = values
        shape = np.array([*s1[:-1].tolist(), longest], np.int64)
        return np.array(places, np.int64).reshape(-1, len(s1)), out, shape

    def _combined(self, a: set[Any], b: set[Any]) -> set[Any]:
        return {"a-b": a - b, "b-a": b - a, "intersection": a & b, "union": a | b}[self.set_operation]

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        one = np.array([[0, 0], [0, 1], [1, 0]]), np.array([3, 1, 2]), np.array([2, 2])
        two = np.array([[0, 0], [1, 0], [1, 1]]), np.array([1, 2, 2]), np.array([2, 3])
        for operation in _OPERATIONS:
            yield Sample(cls(operation), (*one, *two), wrt=(), name=operation)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls("xor"), ArgumentError, "no operation"


@op
class SetSize(Op):
    """How many different entries each row has. a sparse tensor [..., n] -> [...] int32"""

    signature = "indices: int64, values: T, shape: int64 -> size: int32"
    static = (2,)
    T = _TYPES

    def infer(self, indices: Any, values: Any, shape: Any) -> Spec:
        known = known_vector(shape)
        return Spec(None if known is None else known[:-1], int32)

    def reference(self, indices: Any, values: Any, shape: Any) -> Any:
        out = np.zeros(shape[:-1], np.int32)
        for row, entries in _groups(indices, values).items():
            out[row] = len(set(entries))
        return out

    def grad(self, node: Any, dy: Any) -> Any:
        return (None,) * 3

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([[0, 0], [0, 1], [1, 0]]), np.array([3, 3, 2]), np.array([3, 2])), wrt=())


@op
class EditDistance(Op):
    """The least number of insertions, deletions and substitutions from each hypothesis to its truth (Levenshtein),
    over the truth's length when `normalize`.

    two sparse tensors [..., n] -> [...] float32
    """

    signature = (
        "hypothesis_indices: int64, hypothesis_values: V, hypothesis_shape: int64, "
        "truth_indices: int64, truth_values: V, truth_shape: int64 -> output: float32"
    )
    static = (2, 5)
    V = (*_TYPES, float32)
    normalize: bool = True

    def infer(self, i1: Any, v1: Any, s1: Any, i2: Any, v2: Any, s2: Any) -> Spec:
        one, two = known_vector(s1), known_vector(s2)
        if one is None or two is None:
            return Spec(None, float32)
        if len(one) < 2 or len(one) != len(two):
            raise ShapeError(f"EditDistance: both must have one rank of 2 or more, but have {len(one)} and {len(two)}")
        pairs = zip(one[:-1], two[:-1], strict=True)
        return Spec(tuple(None if a is None or b is None else max(a, b) for a, b in pairs), float32)

    def reference(self, i1: Any, v1: Any, s1: Any, i2: Any, v2: Any, s2: Any) -> Any:
        out = np.zeros(np.maximum(s1[:-1], s2[:-1]), np.float32)
        hypotheses, truths = _groups(i1, v1), _groups(i2, v2)
        for row in {*hypotheses, *truths}:
            hypothesis, truth = hypotheses.get(row, []), truths.get(row, [])
            distance = float(_levenshtein(hypothesis, truth))
            if self.normalize:
                distance = distance / len(truth) if truth else (np.inf if hypothesis else 0.0)
            out[row] = distance
        return out

    def grad(self, node: Any, dy: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        one = np.array([[0, 0], [0, 1], [1, 0]]), np.array([b"a", b"b", b"c"], object), np.array([2, 2])
        two = np.array([[0, 0], [1, 0], [1, 1]]), np.array([b"a", b"d", b"c"], object), np.array([2, 2])
        yield Sample(cls(), (*one, *two), wrt=())
        yield Sample(cls(False), (*one, *two), wrt=(), name="count")


def _levenshtein(a: list[Any], b: list[Any]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


# --- public functions ----------------------------------------------------------------------------------------------


def _sparse(x: Any) -> SparseTensor:
    """Every element of a dense tensor as an entry, zeros too."""
    if isinstance(x, SparseTensor):
        return x
    dense: Any = interpreter.as_tensor(x)
    if dense.spec.shape is None or None in dense.spec.shape:
        raise ArgumentError("sets: a dense tensor's shape must be known").locate()
    if dense.dtype not in _TYPES:
        raise ArgumentError(f"sets: elements must be integers or strings, but are {dense.dtype.name}").locate()
    places = np.indices(dense.spec.shape).reshape(len(dense.spec.shape), -1).T
    return SparseTensor(places.astype(np.int64), reshape(dense, [-1]), dense.spec.shape)


def _operation(a: Any, b: Any, kind: str, validate_indices: bool) -> SparseTensor:
    one, two = _sparse(a), _sparse(b)
    made = SparseToSparseSetOperation(kind)(
        one.indices, one.values, one.dense_shape, two.indices, two.values, two.dense_shape
    )
    return SparseTensor(*made)


@public("sets.intersection", v1=("sets.intersection", "sets.set_intersection"))
def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What is in both, row by row along the last axis; once each, ascending.

    Args:
      a, b: tensors or SparseTensors of integers or strings, equal in shape but for the last axis.
      validate_indices: the order of indices does not matter here, so there is nothing to validate.
    """
    return _operation(a, b, "intersection", validate_indices)


@public("sets.union", v1=("sets.union", "sets.set_union"))
def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What is in either, row by row along the last axis; once each, ascending."""
    return _operation(a, b, "union", validate_indices)


@public("sets.difference", v1=("sets.difference", "sets.set_difference"))
def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """What is in a and not in b (or, not aminusb, the other way round), row by row; once each, ascending."""
    return _operation(a, b, "a-b" if aminusb else "b-a", validate_indices)


@public("sets.size", v1=("sets.size", "sets.set_size"))
def size(a: Any, validate_indices: bool = True) -> Tensor:
    """How many different elements each row of a SparseTensor has; int32."""
    one = _sparse(a)
    return SetSize()(one.indices, one.values, one.dense_shape)


@public("edit_distance")
def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance") -> Tensor:
    """The Levenshtein distance from each hypothesis to its truth; with `normalize` over the truth's length (infinite of
    an empty one).

    Args:
      hypothesis, truth: SparseTensors [..., n]. Returns [...] float32.
    """
    for what, x in (("hypothesis", hypothesis), ("truth", truth)):
        if not isinstance(x, SparseTensor):
            raise TypeError(f"edit_distance: {what} must be a SparseTensor, not {type(x).__name__}")
    return EditDistance(normalize)(
        hypothesis.indices,
        hypothesis.values,
        hypothesis.dense_shape,
        truth.indices,
        truth.values,
        truth.dense_shape,
        name=name,
    )
