"""Feature crosses: each combination of a row's features, as text or as a hash."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import DType, int64, string
from pullback.core.errors import ArgumentError, InvalidArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.ops.sparse import SparseTensor, as_sparse
from pullback.ops.strings.fingerprints import SEED, farmhash64, joined

_LARGEST = 2**63 - 1


@op
class SparseCross(Op):
    """All combinations of the features of a row, one of each column; the last column varies fastest.

    columns: `sparse` matrices' indices, then their values, then their shapes, then dense matrices [B, n_i]; strings or
    int64. -> indices [k, 2], values [k], shape [2] = [B, most combinations of a row]

    As int64 the fingerprints of the features (numbers are their own), joined one after the other to hash_key,
    modulo num_buckets; num_buckets 0: modulo the largest int64. As string their texts, joined by the separator.
    """

    signature = "*columns: any -> output_indices: int64, output_values: out_type, output_shape: int64"
    sparse: int
    out_type: DType = int64
    num_buckets: int = 0
    hash_key: int = SEED
    separator: str = "_X_"

    def check(self) -> None:
        if self.out_type not in (int64, string):
            raise ArgumentError(f"SparseCross: out_type must be int64 (hashes) or string, not {self.out_type.name}")
        if self.num_buckets < 0:
            raise ArgumentError(f"SparseCross: num_buckets must be 0 or more, not {self.num_buckets}")

    def infer(self, *columns: Any) -> tuple[Spec, ...]:
        for spec in columns[self.sparse : 2 * self.sparse] + columns[3 * self.sparse :]:
            if spec.dtype not in (int64, string):
                raise ArgumentError(f"SparseCross: a column is {spec.dtype.name}; make it int64 or string by tf.cast")
        if any(len(spec.shape) != 2 for spec in columns[3 * self.sparse :]):
            raise ShapeError("SparseCross: dense columns must be matrices [batch, features]")
        sizes = [known_vector(spec) for spec in columns[2 * self.sparse : 3 * self.sparse]]
        sizes += [spec.shape for spec in columns[3 * self.sparse :]]
        rows = next((size[0] for size in sizes if size and size[0] is not None), None)
        return Spec((None, 2), int64), Spec((None,), self.out_type), Spec((2,), int64, (rows, None))

    def reference(self, *columns: Any) -> Any:
        rows = self._rows(columns)
        places: list[tuple[int, int]] = []
        values: list[Any] = []
        longest = 0
        for i, features in enumerate(rows):
            made = [self._crossed(some) for some in itertools.product(*features)]
            longest = max(longest, len(made))
            places += [(i, j) for j in range(len(made))]
            values += made
        out = np.empty(len(values), self.out_type.numpy)
        out[:] = values
        return np.array(places, np.int64).reshape(-1, 2), out, np.array([len(rows), longest], np.int64)

    def _rows(self, columns: Any) -> list[list[list[Any]]]:
        """For each row of the batch, the features of every column."""
        n = self.sparse
        sizes = [int(s[0]) for s in columns[2 * n : 3 * n]] + [len(dense) for dense in columns[3 * n :]]
        if len(set(sizes)) > 1:
            raise InvalidArgumentError(f"SparseCross: all columns must have one batch size, but they have {sizes}")
        rows: list[list[list[Any]]] = [[[] for _ in sizes] for _ in range(sizes[0] if sizes else 0)]
        for k in range(n):
            for place, value in zip(columns[k].tolist(), columns[n + k].tolist(), strict=True):
                if not 0 <= place[0] < len(rows):
                    raise InvalidArgumentError(f"SparseCross: place {place} is outside of a batch of {len(rows)}")
                rows[place[0]][k].append(value)
        for k, dense in enumerate(columns[3 * n :], n):
            for row, values in zip(rows, dense.tolist(), strict=True):
                row[k] = values
        return rows

    def _crossed(self, features: tuple[Any, ...]) -> Any:
        if self.out_type is string:
            texts = (f if isinstance(f, bytes) else str(f).encode() for f in features)
            return self.separator.encode().join(texts)
        found = self.hash_key
        for feature in features:
            found = joined(found, farmhash64(feature) if isinstance(feature, bytes) else feature)
        return found % (self.num_buckets or _LARGEST)

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        places = np.stack([np.sort(rng.integers(3, size=5)), np.arange(5)], 1)
        sizes = np.array([3, 5])
        words, numbers = np.array([b"a", b"b", b"c", b"", b"e"], object), np.array([7, 8, -9, 0, 5])
        two = (places, places, words, numbers, sizes, sizes)
        yield Sample(cls(2, int64, 100), two, wrt=())
        yield Sample(cls(2, string), (*two, np.array([[1, 2], [3, 4], [5, 6]])), wrt=(), name="texts")
        yield Sample(cls(1, int64, 0, 5), (places[:0], words[:0], sizes), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(0, int64, -1), ArgumentError, "num_buckets"
        yield lambda: cls(0)(np.ones((2, 2))), ArgumentError, "float64"


def _cross(inputs: Any, name: str | None, default: str, **fields: Any) -> SparseTensor:
    """inputs: SparseTensors, and what converts to a matrix."""
    if not isinstance(inputs, (list, tuple)):
        raise TypeError("Inputs must be a list")
    with scope(name, default):
        sparse = [as_sparse(x) for x in inputs if _is_sparse(x)]
        dense = [interpreter.as_tensor(x) for x in inputs if not _is_sparse(x)]
        values = [_feature(x.values) for x in sparse]
        columns = [*(x.indices for x in sparse), *values, *(x.dense_shape for x in sparse), *map(_feature, dense)]
        return SparseTensor(*SparseCross(len(sparse), **fields)(*columns))


def _is_sparse(x: Any) -> bool:
    return isinstance(x, SparseTensor) or hasattr(x, "dense_shape")


def _feature(x: Any) -> Any:
    return x if x.dtype in (int64, string) else Cast(int64)(x)


@public("sparse.cross")
def cross(inputs: Any, name: str | None = None, separator: str | None = None) -> SparseTensor:
    """The features of each row crossed, as texts: "a_X_b". SparseTensors [B, n] first, then dense matrices.

    separator: stands between the features ("_X_").
    """
    return _cross(inputs, name, "SparseCross", out_type=string, separator="_X_" if separator is None else separator)


@public("sparse.cross_hashed")
def cross_hashed(
    inputs: Any, num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> SparseTensor:
    """The features of each row crossed, as hashes modulo num_buckets (0: modulo 2**63 - 1). SparseTensors [B, n] of
    strings or integers first, then dense matrices.

    hash_key: what the joined fingerprints start from. The numbers are TensorFlow's.
    """
    key = SEED if hash_key is None else int(hash_key)
    return _cross(inputs, name, "SparseCross", num_buckets=int(num_buckets), hash_key=key)
