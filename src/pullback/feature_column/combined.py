"""Categories of several features: crossed, or weighted by another feature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pullback.core.dtypes import DType, as_dtype, float32, string
from pullback.core.names import public
from pullback.data.features import VarLenFeature
from pullback.feature_column.categorical import HashedCategoricalColumn
from pullback.feature_column.columns import CategoricalColumn, Features
from pullback.ops.math.select import Cast
from pullback.ops.sparse import SparseTensor
from pullback.ops.sparse.crossing import cross_hashed


@dataclass(frozen=True)
class CrossedColumn(CategoricalColumn):
    """See `crossed_column`."""

    keys: tuple[Any, ...]
    hash_bucket_size: int
    hash_key: int | None

    def _leaves(self) -> Iterator[Any]:
        """The keys, those of crosses within it in their places."""
        for key in self.keys:
            yield from key._leaves() if isinstance(key, CrossedColumn) else (key,)

    @property
    def name(self) -> str:
        return "_X_".join(sorted(key if isinstance(key, str) else key.name for key in self._leaves()))

    @property
    def num_buckets(self) -> int:
        return self.hash_bucket_size

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        for key in self.keys:
            spec.update({key: VarLenFeature(string)} if isinstance(key, str) else key.parse_example_spec)
        return spec

    def transform(self, features: Features) -> SparseTensor:
        inputs = [self._of(key, features) for key in self._leaves()]
        return cross_hashed(inputs, self.hash_bucket_size, self.hash_key)

    def _of(self, key: Any, features: Features) -> Any:
        if isinstance(key, str):
            return features[key]
        ids, weights = key.ids(features)
        if weights is not None:
            raise ValueError(f"crossed_column does not support weight_tensor, but the given column has it: {key.name}")
        return ids


@dataclass(frozen=True)
class WeightedCategoricalColumn(CategoricalColumn):
    """See `weighted_categorical_column`."""

    categorical_column: CategoricalColumn
    weight_feature_key: str
    dtype: DType

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def num_buckets(self) -> int:
        return self.categorical_column.num_buckets

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        spec = self.categorical_column.parse_example_spec
        if self.weight_feature_key in spec:
            raise ValueError(
                f"column {self.name}: weight_feature_key {self.weight_feature_key} is a feature of the categories too"
            )
        return {**spec, self.weight_feature_key: VarLenFeature(self.dtype)}

    def transform(self, features: Features) -> tuple[SparseTensor, SparseTensor]:
        weights = features.weights(self.weight_feature_key)
        if not weights.dtype.is_integer and not weights.dtype.is_floating:
            raise ValueError(f"column {self.name}: weights must be numbers, but they are {weights.dtype.name}")
        if weights.dtype is not float32:
            weights = weights.with_values(Cast(float32)(weights.values))
        return self.categorical_column.ids(features)[0], weights

    def ids(self, features: Features) -> tuple[SparseTensor, SparseTensor | None]:
        return features[self]


@public("feature_column.crossed_column")
def crossed_column(keys: Any, hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """Each combination of an example's categories as a category, by hash (TensorFlow's buckets).

    Args:
      keys: at least two: names of features, or categorical columns (crosses and bucketized ones too) that are not
        hashed, whose features are named instead.
      hash_key: what the hash starts from.
    Raises:
      ValueError: hash_bucket_size is below 1, or keys are not that.
    """
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not isinstance(keys, (list, tuple)) or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, (str, CategoricalColumn)):
            raise ValueError(f"Unsupported key type. Keys must be strings or categorical columns. Given: {key}")
        if isinstance(key, HashedCategoricalColumn):
            raise ValueError(
                "categorical_column_with_hash_bucket is not supported for crossing. Hashing before crossing will "
                f"increase probability of collision. Instead, use the feature name as a string. Given: {key}"
            )
    return CrossedColumn(tuple(keys), int(hash_bucket_size), hash_key)


@public("feature_column.weighted_categorical_column")
def weighted_categorical_column(
    categorical_column: Any, weight_feature_key: str, dtype: Any = float32
) -> WeightedCategoricalColumn:
    """Categories whose weights stand in another feature, entry by entry.

    Raises:
      ValueError: dtype, as which Examples hold the weights, is no type of numbers.
    """
    kind = as_dtype(dtype)
    if not kind.is_integer and not kind.is_floating:
        raise ValueError(f"dtype {kind.name} is not convertible to float.")
    return WeightedCategoricalColumn(categorical_column, weight_feature_key, kind)
