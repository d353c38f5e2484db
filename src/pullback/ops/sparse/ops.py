"""The three ops under sparse tensors: entries into a dense tensor, times a matrix, into row order.

SparseToDense --> GatherNd                       its gradient by the values
SparseTensorDenseMatMul --> itself, adjoint      by the matrix; by the values: products of the rows that meet there
SparseReorder --> GatherV2 by the inverse order
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import Shape_, SumTo, shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.layout import Transpose
from pullback.ops.array.places import GatherNd
from pullback.ops.array.shape import Reshape, differentiable, drawn
from pullback.ops.math.arithmetic import Conj
from pullback.ops.math.reduce import Sum


def entries(rng: np.random.Generator, sizes: tuple[int, ...], count: int = 4) -> tuple[Any, Any, Any]:
    """(indices, values, dense_shape) of sample data, in row order."""
    flat = np.sort(rng.choice(int(np.prod(sizes)), count, replace=False))
    places = np.stack(np.unravel_index(flat, sizes), 1).astype(np.int64)
    return places, rng.normal(size=count), np.array(sizes, np.int64)


def _as_places(indices: Any) -> Any:
    """Indices as a matrix, a row a place: a scalar is one place of a vector, a vector several."""
    return np.reshape(indices, (-1, 1)) if np.ndim(indices) < 2 else indices


def check_places(what: str, places: Any, sizes: Any, ordered: bool) -> None:
    """Raises ArgumentError where a place lies outside, or, with `ordered`, comes twice or after a later one."""
    outside = np.argwhere(((places < 0) | (places >= np.asarray(sizes))).any(-1))
    if len(outside):
        i, bounds = int(outside[0, 0]), np.asarray(sizes).tolist()
        raise ArgumentError(f"{what}: indices[{i}] = {places[i].tolist()} is out of bounds of shape {bounds}")
    if not ordered or len(places) < 2:
        return
    flat = np.asarray(np.ravel_multi_index(tuple(places.T), tuple(sizes)))
    wrong = np.argwhere(np.diff(flat) <= 0)
    if len(wrong):
        i = int(wrong[0, 0]) + 1
        why = "is repeated" if flat[i] == flat[i - 1] else "is out of order"
        raise ArgumentError(
            f"{what}: indices[{i}] = {places[i].tolist()} {why}; use tf.sparse.reorder, or validate_indices=False"
        )


@op
class SparseToDense(Op):
    """A dense tensor with values at places and a default elsewhere. With validate_indices, places come once, in order.

    sparse_indices [n, rank] (or [n], or []), output_shape [rank], sparse_values [n] or [], default_value [] -> y
    """

    signature = "sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T -> dense: T"
    Tindices = dtypes.INDICES
    T = dtypes.ANY
    static = (1,)
    any_rank = True
    validate_indices: bool = True

    def infer(self, places: Spec, sizes: Spec, values: Spec, default: Spec) -> Spec:
        if default.shape not in ((), None):
            raise ShapeError(f"SparseToDense: default_value must be a scalar, not {shape.text(default.shape)}")
        return values.with_shape(known_vector(sizes))

    def reference(self, places: Any, sizes: Any, values: Any, default: Any) -> Any:
        places = _as_places(places)
        check_places(self.type, places, sizes, self.validate_indices)
        y = np.full(tuple(sizes), default, values.dtype)
        y[tuple(places.T)] = values
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        places, sizes, values, _ = node.inputs
        columns = sizes.spec.shape[0] if sizes.spec.known else Reshape()(Shape_()(sizes), ())
        seen = GatherNd()(dy, Reshape()(places, (-1, columns)))
        total = Sum()(Reshape()(dy, (-1,)), (0,)) - Sum()(seen, (0,))
        return None, None, SumTo()(seen, shape_of(values)), total

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        places, values, sizes = entries(rng, (3, 4))
        yield Sample(cls(), (places, sizes, values, np.array(0.5)))
        yield Sample(cls(), (np.array([1, 3], np.int32), np.array([5], np.int32), values[:2], np.array(0.0)), name="1d")
        yield Sample(cls(), (places[:0], sizes, values[:0], np.array(0.0)), name="empty")
        for t in cls.T:
            args = (places, sizes, drawn(rng, (4,), t), drawn(rng, (), t))
            yield Sample(cls(), args, differentiable(t, 2, 3), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        far, twice = np.array([[0, 4]]), np.array([[1, 1], [1, 1]])
        sizes = np.array([3, 4])
        yield lambda: cls()(far, sizes, np.ones(1), 0.0), ArgumentError, "[0, 4] is out of bounds"
        yield lambda: cls()(twice, sizes, np.ones(2), 0.0), ArgumentError, "is repeated"
        yield lambda: cls()(twice[:1], sizes, np.ones(1), np.ones(2)), ShapeError, "must be a scalar"


@op
class SparseTensorDenseMatMul(Op):
    """y = A b of a sparse matrix A, either first turned into its adjoint.

    a_indices [n,2], a_values [n], a_shape [2], b [K,M] -> y [N,M]
    """

    signature = "a_indices: Tindices, a_values: T, a_shape: int64, b: T -> product: T"
    Tindices = (dtypes.int64, dtypes.int32)
    T = (*dtypes.FLOATS, dtypes.int32)
    static = (2,)
    adjoint_a: bool = False
    adjoint_b: bool = False

    def infer(self, places: Spec, values: Spec, sizes: Spec, b: Spec) -> Spec:
        if not shape.compatible(b.shape, (None, None)) or not shape.compatible(places.shape, (None, 2)):
            raise ShapeError(
                f"SparseTensorDenseMatMul: a must be a matrix and b [K,M], but indices have shape "
                f"{shape.text(places.shape)} and b {shape.text(b.shape)}"
            )
        rows, inner = (known_vector(sizes) or (None, None))[:: -1 if self.adjoint_a else 1]
        assert b.shape is not None
        have, columns = b.shape[:: -1 if self.adjoint_b else 1]
        if inner is not None and have is not None and inner != have:
            raise ShapeError(f"SparseTensorDenseMatMul: a has {inner} columns but b has {have} rows; they must agree")
        return b.with_shape((rows, columns))

    def reference(self, places: Any, values: Any, sizes: Any, b: Any) -> Any:
        check_places(self.type, places, sizes, ordered=False)
        rows, inner = (places[:, 1], places[:, 0]) if self.adjoint_a else (places[:, 0], places[:, 1])
        a = np.conj(values) if self.adjoint_a else values
        right = np.conj(b.T) if self.adjoint_b else b
        y = np.zeros((int(sizes[1 if self.adjoint_a else 0]), right.shape[1]), b.dtype)
        np.add.at(y, rows, a[:, None] * right[inner])
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        """With y = A b: dA[i,j] = sum_m dy[i,m] conj(b[j,m]) at A's places only, db = A^H dy."""
        places, values, sizes, b = node.inputs
        db = SparseTensorDenseMatMul(not self.adjoint_a)(places, values, sizes, dy)
        if self.adjoint_b:
            db, b = _adjoint(db), _adjoint(b)
        rows, inner = (places[:, 1], places[:, 0]) if self.adjoint_a else (places[:, 0], places[:, 1])
        met = Sum()(GatherV2()(dy, rows, 0) * _conj(GatherV2()(b, inner, 0)), (1,))
        return None, _conj(met) if self.adjoint_a else met, None, db

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        places, values, sizes = entries(rng, (3, 4))
        yield Sample(cls(), (places, values, sizes, rng.normal(size=(4, 2))), name="plain")
        yield Sample(cls(True), (places, values, sizes, rng.normal(size=(3, 2))), name="adjoint_a")
        yield Sample(cls(False, True), (places, values, sizes, rng.normal(size=(2, 4))), name="adjoint_b")
        yield Sample(cls(), (places[:0], values[:0], sizes, rng.normal(size=(4, 2))), name="empty")
        for t in cls.T:
            args = (places, drawn(rng, (4,), t), sizes, drawn(rng, (4, 2), t))
            yield Sample(cls(), args, differentiable(t, 1, 3), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        at, sizes = np.array([[0, 0]]), np.array([3, 4])
        yield lambda: cls()(at, np.ones(1), sizes, np.ones((3, 2))), ShapeError, "4 columns but b has 3 rows"
        yield lambda: cls()(at, np.ones(1), sizes, np.ones(4)), ShapeError, "b [K,M]"
        yield lambda: cls()(at + 5, np.ones(1), sizes, np.ones((4, 2))), ArgumentError, "out of bounds"


def _conj(x: Any) -> Any:
    return Conj()(x) if x.dtype.is_complex else x


def _adjoint(x: Any) -> Any:
    return _conj(Transpose()(x, (1, 0)))


@op
class SparseReorder(Op):
    """Entries in row order. input_indices [n,rank], input_values [n], input_shape [rank] -> the same, ordered"""

    signature = "input_indices: int64, input_values: T, input_shape: int64 -> indices: int64, values: T; order: int64"
    T = dtypes.ANY

    def infer(self, places: Spec, values: Spec, sizes: Spec) -> tuple[Spec, ...]:
        return places.with_shape(places.shape), values.with_shape(values.shape), Spec(values.shape, dtypes.int64)

    def reference(self, places: Any, values: Any, sizes: Any) -> tuple[Any, ...]:
        order = np.lexsort(places.T[::-1]).astype(np.int64) if places.shape[1] else np.arange(len(places))
        return places[order], values[order], order

    def grad(self, node: Any, *dys: Any) -> Any:
        from pullback.ops.array.layout import InvertPermutation

        return None, None if dys[1] is None else GatherV2()(dys[1], InvertPermutation()(node.results[2]), 0), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        places, values, sizes = entries(rng, (3, 4))
        order = np.array([2, 0, 3, 1])
        yield Sample(cls(), (places[order], values, sizes))
        yield Sample(cls(), (places[:0], values[:0], sizes), name="empty")
        for t in cls.T:
            yield Sample(cls(), (places[order], drawn(rng, (4,), t), sizes), differentiable(t, 1), 1, name=t.name)
