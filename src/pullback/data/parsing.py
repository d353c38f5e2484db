"""Parsing tf.train.Example and SequenceExample messages into tensors.

ParseExampleV2 gives, feature by feature, one tensor for a dense one and three (indices, values, shape) for a sparse
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, InvalidArgumentError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape, as_shape
from pullback.core.signature import array_of
from pullback.core.spec import Spec
from pullback.data.features import FixedLenFeature, FixedLenSequenceFeature, SparseFeature, VarLenFeature
from pullback.io import messages
from pullback.ops.array.joining import ConcatV2
from pullback.ops.array.knowledge import get_static_value, is_tensor
from pullback.ops.array.shape import ExpandDims, Reshape
from pullback.ops.math.scopes import scope
from pullback.ops.sparse import made
from pullback.ops.sparse.functions import reorder

_LISTS = {"float32": "float_list", "int64": "int64_list", "string": "bytes_list"}
_NONE = ("none",)  # no default: every Example must have the feature
DENSE, SEQUENCE, SPARSE = "dense", "sequence", "sparse"


def values_of(feature: Any, dtype: DType, key: str) -> Any:
    """A feature's values as an array; None when it holds none.

    Raises:
      InvalidArgumentError: it holds values of another type.
    """
    kind = feature.WhichOneof("kind")
    if kind is None:
        return None
    wanted = _LISTS[dtype.name]
    if kind != wanted:
        raise InvalidArgumentError(f"Key: {key}. Data types don't match. Expected type: {dtype.name}, found: {kind}")
    found = list(getattr(feature, kind).value)
    return np.array([*found, None], object)[:-1] if dtype is dtypes.string else np.array(found, dtype.numpy)


@op
class ParseExampleV2(Op):
    """Features of serialised Examples. serialized [] or [n] -> dense [n.., shape], sequences [n.., longest, shape], or
    sparse: indices, values, shape

    kinds, keys, types, shapes: of each feature. fallbacks: of each, `("none",)`, or the default's entries (of a
    sequence what pads it) as a flat tuple.
    """

    signature = "serialized: string -> *features: any"
    keys: tuple[str, ...]
    kinds: tuple[str, ...]
    types: tuple[DType, ...]
    shapes: tuple[Shape, ...]
    fallbacks: tuple[tuple[Any, ...], ...]

    any_rank = True

    def infer(self, serialized: Spec) -> tuple[Spec, ...]:
        batch = serialized.shape
        out: list[Spec] = []
        for kind, dtype, each in zip(self.kinds, self.types, self.shapes, strict=True):
            if kind == SPARSE:
                rank = None if batch is None else len(batch) + 1
                sizes = Spec((rank,), dtypes.int64, None if batch is None else (*batch, None))
                out += [Spec((None, rank), dtypes.int64), Spec((None,), dtype), sizes]
            else:
                assert each is not None
                steps = (None,) if kind == SEQUENCE else ()
                out.append(Spec(None if batch is None else (*batch, *steps, *each), dtype))
        return tuple(out)

    def visible(self, results: int) -> int:
        return results

    def reference(self, serialized: Any) -> Any:
        if np.ndim(serialized) > 1:
            raise InvalidArgumentError(f"ParseExample: serialized must be [] or [n], not {np.shape(serialized)}")
        single = np.ndim(serialized) == 0
        examples = [_example(data) for data in np.ravel(serialized).tolist()]
        out: list[Any] = []
        for i in range(len(self.keys)):
            columns = [self._column(e, i) for e in examples]
            out += self._joined(columns, i, single)
        return tuple(out)

    def _column(self, example: Any, i: int) -> Any:
        """One feature of one Example, [entries]."""
        key, kind, dtype = self.keys[i], self.kinds[i], self.types[i]
        held = example.features.feature
        found = values_of(held[key], dtype, key) if key in held else None
        if kind != DENSE:
            return np.zeros(0, dtype.numpy) if found is None else found
        size = _size(self.shapes[i])
        if found is None:
            if self.fallbacks[i] == _NONE:
                raise InvalidArgumentError(
                    f"Feature: {key} (data type: {dtype.name}) is required but could not be found."
                )
            found = array_of(self.fallbacks[i], dtype)
        if found.size != size:
            raise InvalidArgumentError(
                f"Key: {key}. Number of {dtype.name} values != expected. Values size: {found.size} but output shape: "
                f"{shape.text(self.shapes[i])}"
            )
        return found

    def _joined(self, columns: list[Any], i: int, single: bool) -> list[Any]:
        kind, dtype = self.kinds[i], self.types[i]
        if kind == SPARSE:
            return _sparse(columns, dtype, single)
        sizes: Any = self.shapes[i] or ()
        if kind == DENSE:
            rows = np.array(columns, dtype.numpy).reshape(len(columns), *sizes)
            return [rows[0, ...] if single else rows]
        unit = _size(sizes)
        lengths = [_entries(c.size, unit, self.keys[i]) for c in columns]
        pad = array_of(self.fallbacks[i], dtype)[0] if self.fallbacks[i] != _NONE else _zero(dtype)
        rows = np.full((len(columns), max(lengths, default=0), *sizes), pad, dtype.numpy)
        for row, column, n in zip(rows, columns, lengths, strict=True):
            row[:n] = column.reshape(n, *sizes)
        return [rows[0] if single else rows]

    def grad(self, node: Any, *dys: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        example = messages.Example()
        example.features.feature["x"].float_list.value.extend([1.0, 2.0])
        example.features.feature["y"].float_list.value.extend([3.0] * int(rng.integers(4)))
        data = np.array([example.SerializeToString(deterministic=True)] * 2, object)
        every = cls(("x", "x", "y"), (DENSE, SPARSE, SEQUENCE), (dtypes.float32,) * 3, ((2,), None, ()), (_NONE,) * 3)
        yield Sample(every, (data,), ())
        yield Sample(every, (np.array(data[0], object),), (), name="single")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        none = cls(("x",), (DENSE,), (dtypes.float32,), ((),), (_NONE,))
        yield lambda: none(np.array([b""], object)), InvalidArgumentError, "is required but could not be found"
        yield lambda: none(np.array([b"\xff"], object)), InvalidArgumentError, "Could not parse example"


def _size(each: Shape) -> int:
    return shape.size_of(each or ()) or 0


def _zero(dtype: DType) -> Any:
    return b"" if dtype is dtypes.string else 0


def _entries(size: int, unit: int, key: str) -> int:
    if unit == 0 or size % unit:
        raise InvalidArgumentError(f"Key: {key}. {size} values are no whole number of entries of {unit}")
    return size // unit


def _example(data: bytes) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return messages.Example.FromString(data)
    except DecodeError:
        raise InvalidArgumentError(f"Could not parse example input, value: {data[:60]!r}") from None


def _sparse(columns: list[Any], dtype: DType, single: bool) -> list[Any]:
    """(indices, values, shape) of values of differing numbers."""
    values = np.concatenate(columns) if columns else np.zeros(0, dtype.numpy)
    along = np.concatenate([np.arange(len(c)) for c in columns]) if columns else np.zeros(0)
    longest = max(map(len, columns), default=0)
    if single:
        return [along[:, None].astype(np.int64), values, np.array([longest], np.int64)]
    rows = np.repeat(np.arange(len(columns)), [len(c) for c in columns])
    places = np.stack([rows, along], 1).astype(np.int64)
    return [places, values, np.array([len(columns), longest], np.int64)]


def _described(features: Any) -> tuple[list[Any], dict[str, list[int]]]:
    """What the op must parse: [(key, kind, dtype, shape, fallback)], and for each feature its rows.

    Raises:
      ValueError: there are none, or one is not described well.
    """
    if not features:
        raise ValueError("Missing: features was None or empty.")
    rows: list[Any] = []
    where: dict[str, list[int]] = {}
    for key in sorted(features):
        feature = features[key]
        if isinstance(feature, VarLenFeature):
            found = [(key, SPARSE, as_dtype(feature.dtype), None, _NONE)]
        elif isinstance(feature, SparseFeature):
            keys = [feature.index_key] if isinstance(feature.index_key, str) else list(feature.index_key)
            found = [(k, SPARSE, dtypes.int64, None, _NONE) for k in keys]
            found.append((feature.value_key, SPARSE, as_dtype(feature.dtype), None, _NONE))
        elif isinstance(feature, FixedLenSequenceFeature):
            if not feature.allow_missing:
                raise ValueError(
                    f"Unsupported: FixedLenSequenceFeature requires allow_missing to be True, for feature {key!r}."
                )
            found = [_dense(key, SEQUENCE, feature)]
        elif isinstance(feature, FixedLenFeature):
            found = [_dense(key, DENSE, feature)]
        else:
            raise ValueError(f"Invalid feature {key}:{feature}: it must be one of tf.io's *Feature")
        for row in found:
            if row[2].name not in _LISTS:
                raise ArgumentError(f"feature {key!r}: dtype {row[2].name} is not float32, int64 or string").locate()
        where[key] = list(range(len(rows), len(rows) + len(found)))
        rows += found
    return rows, where


def _dense(key: str, kind: str, feature: Any) -> tuple[Any, ...]:
    dtype, each = as_dtype(feature.dtype), as_shape(feature.shape)
    if each is None or None in each:
        raise ValueError(f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature.")
    if feature.default_value is None:
        return key, kind, dtype, each, _NONE
    given = feature.default_value
    known = get_static_value(given) if is_tensor(given) else given
    if known is None:
        raise ArgumentError(f"feature {key!r}: default_value must be known before it runs; give a number").locate()
    default = array_of(known, dtype)
    if default.size != (_size(each) if kind == DENSE else 1):
        raise ArgumentError(f"feature {key!r}: default_value has {default.size} entries, shape {each}").locate()
    return key, kind, dtype, each, tuple(default.ravel().tolist())


def _parsed(serialized: Any, features: Any, name: str | None, default: str) -> dict[str, Any]:
    rows, where = _described(features)
    with scope(name, default, serialized):
        words = interpreter.as_tensor(serialized, dtypes.string, name="serialized")
        columns = [tuple(column) for column in zip(*rows, strict=True)]
        results = ParseExampleV2(*columns)(words)
        flat = list(results) if isinstance(results, tuple) else [results]
        parts = []
        for _, kind, *_ in rows:
            parts.append(made(*[flat.pop(0) for _ in range(3)]) if kind == SPARSE else flat.pop(0))
        return {
            key: _sparse_feature(features[key], [parts[i] for i in places])
            if isinstance(features[key], SparseFeature)
            else parts[places[0]]
            for key, places in where.items()
        }


def _sparse_feature(feature: SparseFeature, parts: list[Any]) -> Any:
    """The SparseTensor whose places stand in some features and whose values in another."""
    *indices, values = parts
    columns = [ExpandDims()(x.values, 1) for x in indices]
    sizes = feature.size if isinstance(feature.size, (list, tuple)) else [feature.size]
    dense = ConcatV2()(values.dense_shape[:-1], np.array(sizes, np.int64), 0)
    out = made(ConcatV2()(values.indices[:, :-1], *columns, 1), values.values, dense)
    return out if feature.already_sorted else reorder(out)


@public("io.parse_example", v1=None)
def parse_example(serialized: Any, features: Any, example_names: Any = None, name: str | None = None) -> dict[str, Any]:
    """Parses serialised Examples.

    Args:
      serialized: [n] string, or [].
      features: {key: FixedLenFeature, VarLenFeature, FixedLenSequenceFeature or SparseFeature}.
      example_names: have no meaning but in messages of TensorFlow's; accepted.
    Returns:
      {key: Tensor [n.., shape] or SparseTensor}.
    Raises:
      ValueError: features are not described well. InvalidArgumentError, when it runs: an Example lacks a feature, holds
      another type or number of values, or is none.
    """
    return _parsed(serialized, features, name, "ParseExample")


@public(v1=("io.parse_example", "parse_example"))
def parse_example_v1(
    serialized: Any, features: Any, name: str | None = None, example_names: Any = None
) -> dict[str, Any]:
    """As `parse_example`, in TensorFlow 1's order of arguments; serialized of unknown rank is taken for [n]."""
    words = interpreter.as_tensor(serialized, dtypes.string)
    if words.spec.shape is None:
        words = Reshape()(words, (-1,))
    return _parsed(words, features, name, "ParseExample")


@public("io.parse_single_example", v1=None)
def parse_single_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """Parses one serialised Example, [] string; as `parse_example` without its first axis."""
    return _single(serialized, features, name)


@public(v1=("io.parse_single_example", "parse_single_example"))
def parse_single_example_v1(
    serialized: Any, features: Any, name: str | None = None, example_names: Any = None
) -> dict[str, Any]:
    """As `parse_single_example`, in TensorFlow 1's order of arguments."""
    return _single(serialized, features, name)


def _single(serialized: Any, features: Any, name: str | None) -> dict[str, Any]:
    words = interpreter.as_tensor(serialized, dtypes.string)
    if words.spec.shape != ():
        words = Reshape()(words, ())
    return _parsed(words, features, name, "ParseSingleExample")
