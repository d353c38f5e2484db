"""What every feature column is, and the features of one call, each transformed once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import DType, as_dtype, int64, string
from pullback.core.tensor import Tensor
from pullback.ops.array.masks import Where
from pullback.ops.array.places import GatherNd
from pullback.ops.array.shape import expand_dims
from pullback.ops.array.sizes import shape_
from pullback.ops.math import arithmetic as m
from pullback.ops.math.select import Cast
from pullback.ops.sparse import SparseTensor, as_sparse
from pullback.ops.sparse import functions as sparse

# Makes a column's variable: make(name, shape, dtype, initializer, trainable).
MakeVariable = Callable[..., Any]


class FeatureColumn:
    """What reads features. name: under which its variables and outputs stand."""

    @property
    def name(self) -> str:
        raise NotImplementedError

    @property
    def scope_name(self) -> str:
        """The name of the variable scope: the column's, other characters than letters, digits and ._- as "_"."""
        return re.sub(r"[^A-Za-z0-9_.\-]", "_", self.name)

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """What `tf.io.parse_example` must read for it: {key: FixedLenFeature or VarLenFeature}."""
        raise NotImplementedError

    def transform(self, features: Features) -> Any:
        """What it makes of its features; read through `Features`, which keeps it."""
        raise NotImplementedError


class DenseColumn(FeatureColumn):
    """A column of numbers. variable_shape: of one example's."""

    @property
    def variable_shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    def dense(self, features: Features, make: MakeVariable) -> Tensor:
        """[B, *variable_shape]"""
        raise NotImplementedError


class CategoricalColumn(FeatureColumn):
    """A column of ids from 0 to num_buckets - 1, any number an example; what has no id is -1."""

    @property
    def num_buckets(self) -> int:
        raise NotImplementedError

    def ids(self, features: Features) -> tuple[SparseTensor, SparseTensor | None]:
        """(ids [B, n] int64, weights [B, n] or None)"""
        return features[self], None


class Features:
    """The features of one call by name, and what columns made of them.

    Raises (on use):
      ValueError: a feature is not there, or has no batch axis.
    """

    def __init__(self, given: Any) -> None:
        self._given, self._made = given, dict[Any, Any]()

    def __getitem__(self, key: str | FeatureColumn) -> Any:
        if key not in self._made:
            self._made[key] = self._raw(key) if isinstance(key, str) else key.transform(self)
        return self._made[key]

    def _raw(self, key: str) -> Any:
        """A feature with a last axis for its entries: [B] becomes [B, 1]."""
        if key not in self._given:
            raise ValueError(f"Feature {key} is not in features dictionary; it has {sorted(map(str, self._given))}")
        found = self._given[key]
        if isinstance(found, SparseTensor) or hasattr(found, "dense_shape"):
            given = as_sparse(found)
            return sparse.expand_dims(given, -1) if sparse.rank_of(given) == 1 else given
        x = interpreter.as_tensor(found)
        if x.spec.rank == 0:
            raise ValueError(f"Feature (key: {key}) cannot have rank 0: its first axis must be the batch. Given: {x}")
        return expand_dims(x, -1) if x.spec.rank == 1 else x

    def entries(self, key: str) -> SparseTensor:
        """A feature as a SparseTensor; of a dense one what is neither "" nor -1."""
        found = self[key]
        if isinstance(found, SparseTensor):
            return found
        return _without(found, b"" if found.dtype is string else -1)

    def weights(self, key: str) -> SparseTensor:
        """A feature of weights as a SparseTensor; of a dense one what is not 0."""
        found = self[key]
        return found if isinstance(found, SparseTensor) else _without(found, 0)


def _without(x: Tensor, ignored: Any) -> SparseTensor:
    places = Where()(m.NotEqual()(x, interpreter.as_tensor(ignored, x.dtype)))
    return SparseTensor(places, GatherNd()(x, places), shape_(x, int64))


def checked_kind(what: str, dtype: Any) -> DType:
    """The dtype of a categorical feature.

    Raises:
      ValueError: neither a string nor an integer type.
    """
    found = as_dtype(dtype)
    if found is not string and not found.is_integer:
        raise ValueError(f"{what}: dtype must be string or integer. dtype: {found.name}")
    return found


def check_same_kind(column: FeatureColumn, given: DType, said: DType) -> None:
    """Raises ValueError where words come for numbers, or numbers for words."""
    if given is not string and not given.is_integer:
        raise ValueError(f"column {column.name}: the feature must be string or integer, but it is {given.name}")
    if (given is string) != (said is string):
        raise ValueError(
            f"column {column.name}: the column's dtype {said.name} and the feature's {given.name} are not compatible; "
            "both must be strings, or both integers"
        )


def as_ids(values: Tensor) -> Tensor:
    """Integers as int64."""
    return values if values.dtype is int64 else Cast(int64)(values)


def listed(columns: Any) -> list[Any]:
    """The columns a caller gave, in order of their names.

    Raises:
      ValueError: one is no column, there is none, or two have one name.
    """
    if isinstance(columns, FeatureColumn):
        columns = [columns]
    if isinstance(columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    found: Iterable[Any] = list(columns)
    names = set[str]()
    for column in found:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"Items of feature_columns must be feature columns. Given (type {type(column)}): {column}")
        if column.name in names:
            raise ValueError(f"Duplicate feature column name found for column {column.name}: {column}")
        names.add(column.name)
    if not names:
        raise ValueError("feature_columns must not be empty.")
    return sorted(found, key=lambda column: column.name)


def check_dense(columns: list[Any], where: str) -> None:
    """Raises ValueError for a column that gives no numbers."""
    for column in columns:
        if not isinstance(column, DenseColumn):
            raise ValueError(
                f"{where}: Items of feature_columns must be dense columns, but {column.name} is a "
                f"{type(column).__name__}. You can wrap a categorical column with an embedding_column or "
                "indicator_column."
            )
