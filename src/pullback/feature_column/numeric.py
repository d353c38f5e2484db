"""Numbers as they are, and by the interval they lie in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core.dtypes import DType, as_dtype, float32, int64
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.data.features import FixedLenFeature
from pullback.feature_column.columns import CategoricalColumn, DenseColumn, Features, MakeVariable
from pullback.ops.array.buckets import Bucketize
from pullback.ops.array.joining import stack
from pullback.ops.array.one_hot import one_hot
from pullback.ops.array.padding import tile
from pullback.ops.array.ranges import range_ as range_of
from pullback.ops.array.shape import reshape
from pullback.ops.array.sizes import shape_
from pullback.ops.math.select import Cast
from pullback.ops.sparse import SparseTensor


@dataclass(frozen=True)
class NumericColumn(DenseColumn):
    """See `numeric_column`."""

    key: str
    shape: tuple[int, ...]
    default_value: Any
    dtype: DType
    normalizer_fn: Callable[[Any], Any] | None

    @property
    def name(self) -> str:
        return self.key

    @property
    def variable_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: FixedLenFeature(self.shape, self.dtype, self.default_value)}

    def transform(self, features: Features) -> Tensor:
        x = features[self.key]
        if isinstance(x, SparseTensor):
            raise ValueError(
                f"numeric_column {self.key}: the feature is a SparseTensor; make it dense by tf.sparse.to_dense, or "
                "use a categorical column"
            )
        if self.normalizer_fn is not None:
            x = self.normalizer_fn(x)
        return x if x.dtype is float32 else Cast(float32)(x)

    def dense(self, features: Features, make: MakeVariable) -> Tensor:
        return features[self]


@dataclass(frozen=True)
class BucketizedColumn(DenseColumn, CategoricalColumn):
    """See `bucketized_column`."""

    source_column: NumericColumn
    boundaries: tuple[float, ...]

    @property
    def name(self) -> str:
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.source_column.parse_example_spec

    @property
    def variable_shape(self) -> tuple[int, ...]:
        return (*self.source_column.shape, len(self.boundaries) + 1)

    @property
    def num_buckets(self) -> int:
        return math.prod(self.variable_shape)

    def transform(self, features: Features) -> Tensor:
        return Bucketize(self.boundaries)(features[self.source_column])

    def dense(self, features: Features, make: MakeVariable) -> Tensor:
        return one_hot(features[self], len(self.boundaries) + 1, 1.0, 0.0)

    def ids(self, features: Features) -> tuple[SparseTensor, SparseTensor | None]:
        """Each number of an example has buckets of its own."""
        x = features[self]
        count = math.prod(self.source_column.shape)
        rows = shape_(x)[0]
        row = reshape(tile(reshape(range_of(0, rows), (-1, 1)), (1, count)), (-1,))
        column = tile(range_of(0, count), reshape(rows, (1,)))
        ids = reshape(x, (-1,)) + column * (len(self.boundaries) + 1)
        places = Cast(int64)(stack([row, column], 1))
        return SparseTensor(places, Cast(int64)(ids), Cast(int64)(stack([rows, count]))), None


@public("feature_column.numeric_column")
def numeric_column(
    key: str, shape: Any = (1,), default_value: Any = None, dtype: Any = float32, normalizer_fn: Any = None
) -> NumericColumn:
    """A feature of numbers. -> [B, *shape] float32

    Args:
      key: the feature's name. shape: of one example's numbers, an int or ints.
      default_value: of Examples that lack it: one number, or a nest of `shape`; None: they must have it.
      dtype: as which Examples hold it. normalizer_fn: applied to the tensor [B, *shape] first.
    Raises:
      TypeError: key is no string, normalizer_fn no function. ValueError: shape or dtype means nothing.
    """
    if not isinstance(key, str):
        raise TypeError(f"numeric_column: key must be a string, not {key!r}")
    sizes: Any = as_shape(shape if isinstance(shape, (list, tuple)) else (shape,)) or ()
    if any(not isinstance(n, int) or n < 1 for n in sizes):
        raise ValueError(f"shape dimensions must be integers greater than 0. shape: {shape}")
    kind = as_dtype(dtype)
    if not kind.is_integer and not kind.is_floating:
        raise ValueError(f"dtype must be convertible to float. dtype: {kind.name}, key: {key}")
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    default = None if default_value is None else _filled(default_value, sizes, kind, key)
    return NumericColumn(key, tuple(sizes), default, kind, normalizer_fn)


def _filled(value: Any, sizes: Any, kind: DType, key: str) -> Any:
    """The default as nested tuples of the shape."""
    array = np.array(value, kind.numpy)
    if array.ndim and array.shape != tuple(sizes):
        raise ValueError(f"The shape of default_value {array.shape} must be the shape {tuple(sizes)}. key: {key}")
    return _tuples(np.broadcast_to(array, sizes).tolist())


def _tuples(nested: Any) -> Any:
    return tuple(_tuples(x) for x in nested) if isinstance(nested, list) else nested


@public("feature_column.bucketized_column")
def bucketized_column(source_column: Any, boundaries: Any) -> BucketizedColumn:
    """Numbers by the interval they lie in: bucket i is [boundaries[i-1], boundaries[i]).

    Dense: one-hot, [B, *shape, len(boundaries) + 1]. As categories: each number of an example has buckets of its own.
    Args:
      source_column: a numeric column of one axis. boundaries: rising numbers.
    Raises:
      ValueError: source_column is no numeric column of one axis, or boundaries do not rise.
    """
    if not isinstance(source_column, NumericColumn):
        raise ValueError(f"source_column must be a column generated with numeric_column(). Given: {source_column}")
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    limits = tuple(float(b) for b in boundaries) if isinstance(boundaries, (list, tuple)) else ()
    if not limits or any(a >= b for a, b in itertools.pairwise(limits)):
        raise ValueError(f"boundaries must be a sorted list of at least one number, each once. Given: {boundaries}")
    return BucketizedColumn(source_column, limits)
