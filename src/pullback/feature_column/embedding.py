"""Categories as numbers: how often each occurs, and rows of a table that is learned."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, field
from typing import Any

from pullback.core import interpreter
from pullback.core.basics import OnesLike
from pullback.core.dtypes import float32, int64
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.feature_column.columns import CategoricalColumn, DenseColumn, Features, MakeVariable
from pullback.feature_column.combined import WeightedCategoricalColumn
from pullback.modes.default import get_default_graph
from pullback.ops.array.joining import ConcatV2, stack
from pullback.ops.array.places import scatter_nd
from pullback.ops.math import arithmetic as m
from pullback.ops.math.select import Cast
from pullback.ops.nn.sparse_embedding import safe_embedding_lookup_sparse
from pullback.ops.sparse import SparseTensor
from pullback.ops.sparse.functions import retain
from pullback.train.initializers_v1 import truncated_normal_initializer
from pullback.train.warm_starting import init_from_checkpoint


@dataclass(frozen=True)
class IndicatorColumn(DenseColumn):
    """See `indicator_column`."""

    categorical_column: CategoricalColumn

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_indicator"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.categorical_column.parse_example_spec

    @property
    def variable_shape(self) -> tuple[int, ...]:
        return (self.categorical_column.num_buckets,)

    def transform(self, features: Features) -> Tensor:
        """y[b, id] = sum of the weights (or 1) of the entries of row b that have this id; -1 has none."""
        ids, weights = self.categorical_column.ids(features)
        count = interpreter.as_tensor(self.categorical_column.num_buckets, int64)
        least = interpreter.as_tensor(0, int64)
        valid = m.LogicalAnd()(m.GreaterEqual()(ids.values, least), m.Less()(ids.values, count))
        kept = retain(ids, valid)
        places = stack([kept.indices[:, 0], kept.values], 1)
        if weights is None:
            amounts = _ones(kept)
        else:
            amounts = retain(SparseTensor(ids.indices, weights.values, ids.dense_shape), valid).values
        return scatter_nd(places, amounts, ConcatV2()(ids.dense_shape[:1], stack([count]), 0))

    def dense(self, features: Features, make: MakeVariable) -> Tensor:
        return features[self]


def _ones(x: SparseTensor) -> Tensor:
    """A 1 for each entry. [n]"""
    return Cast(float32)(OnesLike()(x.values))


@dataclass(frozen=True)
class EmbeddingColumn(DenseColumn):
    """See `embedding_column`."""

    categorical_column: CategoricalColumn
    dimension: int
    combiner: str
    initializer: Any
    ckpt_to_load_from: str | None
    tensor_name_in_ckpt: str | None
    max_norm: float | None
    trainable: bool

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_embedding"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.categorical_column.parse_example_spec

    @property
    def variable_shape(self) -> tuple[int, ...]:
        return (self.dimension,)

    def transform(self, features: Features) -> Any:
        return self.categorical_column.ids(features)

    def table(self, make: MakeVariable) -> Any:
        """The variable [num_buckets, dimension]."""
        shape = (self.categorical_column.num_buckets, self.dimension)
        made = make("embedding_weights", shape, float32, self.initializer, self.trainable)
        if self.ckpt_to_load_from is not None:
            init_from_checkpoint(self.ckpt_to_load_from, {self.tensor_name_in_ckpt: made})
        return made

    def dense(self, features: Features, make: MakeVariable) -> Tensor:
        ids, weights = features[self]
        name = f"{self.name}_weights"
        return safe_embedding_lookup_sparse(
            self.table(make), ids, weights, self.combiner, max_norm=self.max_norm, name=name
        )


@dataclass(frozen=True, eq=False)
class SharedTable:
    """The table that several columns read: one variable in each graph."""

    name: str
    made: Any = field(default_factory=weakref.WeakKeyDictionary)

    def of(self, make: Any) -> Any:
        """The variable of the current graph, made by `make()` the first time."""
        here = interpreter.current()
        graph = here.outermost if isinstance(here, Graph) else get_default_graph()
        key = graph if isinstance(graph, Graph) else interpreter.eager()
        if key not in self.made:
            self.made[key] = make()
            if isinstance(key, Graph):
                key.add_to_collection(self.name, self.made[key])
        return self.made[key]


@dataclass(frozen=True)
class SharedEmbeddingColumn(EmbeddingColumn):
    """See `shared_embedding_columns`."""

    shared: SharedTable

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_shared_embedding"

    @property
    def scope_name(self) -> str:
        return self.shared.name

    def table(self, make: MakeVariable) -> Any:
        own = super().table
        return self.shared.of(lambda: own(make))


@public("feature_column.indicator_column")
def indicator_column(categorical_column: Any) -> IndicatorColumn:
    """How often each category occurs in an example, or the sum of its weights. -> [B, num_buckets] float32

    Raises:
      ValueError: categorical_column is none.
    """
    if not isinstance(categorical_column, CategoricalColumn):
        raise ValueError(f"Unsupported input type. Input must be a categorical column. Given: {categorical_column}")
    return IndicatorColumn(categorical_column)


@public("feature_column.embedding_column")
def embedding_column(
    categorical_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> EmbeddingColumn:
    """Rows of a learned table, of the categories of an example combined. -> [B, dimension] float32

    Args:
      combiner: "mean", "sqrtn" or "sum"; an example without categories gives zeros.
      initializer: of the table [num_buckets, dimension]; by default a truncated normal with deviation dimension**-0.5.
      ckpt_to_load_from, tensor_name_in_ckpt: where the table starts from, both or neither.
      max_norm: longer rows are scaled to it. trainable: whether the table is learned.
      use_safe_embedding_lookup: False skips in TensorFlow what makes examples without categories zeros; here they
        always are.
    Raises:
      ValueError: categorical_column is none, dimension is below 1, or one of an argument's pair is missing.
    """
    _check_embedding(categorical_column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt)
    start = initializer or truncated_normal_initializer(mean=0.0, stddev=1 / math.sqrt(dimension))
    return EmbeddingColumn(
        categorical_column, dimension, combiner, start, ckpt_to_load_from, tensor_name_in_ckpt, max_norm, trainable
    )


def _check_embedding(column: Any, dimension: Any, combiner: Any, initializer: Any, ckpt: Any, tensor: Any) -> None:
    if not isinstance(column, CategoricalColumn):
        raise ValueError(f"categorical_column must be a categorical column. Given: {column}")
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}: it must be at least 1.")
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError(f"combiner must be 'mean', 'sqrtn' or 'sum', not {combiner!r}")
    if (ckpt is None) != (tensor is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified. Embedding of column_name: {column.name}")


def _shared(
    columns: Any,
    dimension: int,
    combiner: str,
    initializer: Any,
    collection: str | None,
    ckpt: str | None,
    tensor: str | None,
    max_norm: float | None,
    trainable: bool,
) -> list[SharedEmbeddingColumn]:
    """The columns over one table."""
    found = sorted(columns, key=lambda column: column.name)
    for column in found:
        _check_embedding(column, dimension, combiner, initializer, ckpt, tensor)
    plain = [c.categorical_column if isinstance(c, WeightedCategoricalColumn) else c for c in found]
    for column in plain:
        if type(column) is not type(plain[0]) or column.num_buckets != plain[0].num_buckets:
            raise ValueError(
                "To use shared_embedding_column, all categorical_columns must have the same type and number of "
                f"buckets. Given column: {plain[0]} does not match given column: {column}"
            )
    table = SharedTable(collection or "_".join(c.name for c in found) + "_shared_embedding")
    start = initializer or truncated_normal_initializer(mean=0.0, stddev=1 / math.sqrt(dimension))
    settings = (dimension, combiner, start, ckpt, tensor, max_norm, trainable, table)
    return [SharedEmbeddingColumn(column, *settings) for column in columns]


@public("feature_column.shared_embeddings", v1=None)
def shared_embeddings(
    categorical_columns: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> list[SharedEmbeddingColumn]:
    """Embeddings of several features by one table; otherwise as `embedding_column`.

    shared_embedding_collection_name: the scope of the table's variable, and a collection of the graph that holds it.
    Raises:
      ValueError: the columns differ in kind or in their number of buckets.
    """
    return _shared(
        categorical_columns, dimension, combiner, initializer, shared_embedding_collection_name, ckpt_to_load_from,
        tensor_name_in_ckpt, max_norm, trainable,
    )  # fmt: skip


@public(v1="feature_column.shared_embedding_columns")
def shared_embedding_columns(
    categorical_columns: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> list[SharedEmbeddingColumn]:
    """`shared_embeddings` by its name in TensorFlow 1."""
    return _shared(
        categorical_columns, dimension, combiner, initializer, shared_embedding_collection_name, ckpt_to_load_from,
        tensor_name_in_ckpt, max_norm, trainable,
    )  # fmt: skip
