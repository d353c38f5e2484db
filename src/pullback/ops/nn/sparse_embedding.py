"""Embeddings of sets of ids: embedding_lookup_sparse, safe_embedding_lookup_sparse.

Each row of a SparseTensor names some rows of a table; what they are combined to is the row's embedding.
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import Shape_, ZerosLike
from pullback.core.dtypes import int32, int64
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.embedding import embedding_lookup_v1, tables_of
from pullback.ops.array.joining import concat
from pullback.ops.array.rows import unsorted_segment_sum
from pullback.ops.array.shape import expand_dims, reshape
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce_functions import reduce_prod
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Select
from pullback.ops.sparse import SparseTensor, as_sparse
from pullback.ops.sparse import functions as sparse

_COMBINERS = ("mean", "sqrtn", "sum")


@public("nn.embedding_lookup_sparse", v1=None)
def embedding_lookup_sparse(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    combiner: str | None = None,
    max_norm: Any = None,
    name: str | None = None,
    allow_fast_lookup: bool = False,
) -> Tensor:
    """Embeddings of the ids in each row, combined.

    Args:
      params: a table [n, ...], or a list of tables that hold its rows one table after the other.
      sp_ids: SparseTensor [B, m] of ids; a row without one gives zeros.
      sp_weights: SparseTensor of weights at the same places, or None for 1.
      combiner: "mean", the weighted sum divided by the sum of weights (by default); "sqrtn", by the root of the sum of
        their squares; "sum".
      max_norm: rows whose norm is larger are scaled to it.
      allow_fast_lookup: chooses among TensorFlow's kernels; has no meaning here.
    Returns:
      [B, ...]
    Raises:
      ArgumentError: combiner is not known. DTypeError: sp_ids or sp_weights are no SparseTensor.
    """
    return embedding_lookup_sparse_v1(params, sp_ids, sp_weights, "div", name, combiner, max_norm, allow_fast_lookup)


@public(v1="nn.embedding_lookup_sparse")
def embedding_lookup_sparse_v1(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    combiner: str | None = None,
    max_norm: Any = None,
    allow_fast_lookup: bool = False,
) -> Tensor:
    """As `embedding_lookup_sparse`. partition_strategy: how rows lie in a list of tables: "mod" in turn, "div" one
    table after the other."""
    how = "mean" if combiner is None else combiner
    if how not in _COMBINERS:
        raise ArgumentError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}").locate()
    ids = as_sparse(sp_ids, "embedding_lookup_sparse: sp_ids")
    with scope(name, "embedding_lookup_sparse", ids.values):
        at = Cast(int32)(ids.indices[:, 0])
        rows = embedding_lookup_v1(params, ids.values, partition_strategy, max_norm=max_norm)
        count = at[-1] + 1  # as TensorFlow: up to the last row that has an id
        if sp_weights is None:
            weights = m.Square()(ZerosLike()(rows[(slice(None),) + (0,) * ((rows.spec.rank or 1) - 1)])) + 1
        else:
            given = as_sparse(sp_weights, "embedding_lookup_sparse: sp_weights").values
            weights = given if given.dtype is rows.dtype else Cast(rows.dtype)(given)
        for _ in range((rows.spec.rank or 1) - 1):
            weights = expand_dims(weights, -1)
        total = unsorted_segment_sum(rows * weights, at, count)
        if how == "sum":
            return total
        if how == "mean":
            return m.DivNoNan()(total, unsorted_segment_sum(weights, at, count))
        return m.DivNoNan()(total, m.Sqrt()(unsorted_segment_sum(weights * weights, at, count)))


@public("nn.safe_embedding_lookup_sparse", v1=None)
def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: Any,
    sparse_weights: Any = None,
    combiner: str = "mean",
    default_id: int | None = None,
    max_norm: Any = None,
    name: str | None = None,
    allow_fast_lookup: bool = False,
) -> Tensor:
    """`embedding_lookup_sparse` where rows may be empty and ids invalid. See `pullback.v1.nn`'s."""
    return safe_embedding_lookup_sparse_v1(
        embedding_weights, sparse_ids, sparse_weights, combiner, default_id, name, "div", max_norm, allow_fast_lookup
    )


@public(v1="nn.safe_embedding_lookup_sparse")
def safe_embedding_lookup_sparse_v1(
    embedding_weights: Any,
    sparse_ids: Any,
    sparse_weights: Any = None,
    combiner: str = "mean",
    default_id: int | None = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: Any = None,
    allow_fast_lookup: bool = False,
) -> Tensor:
    """`embedding_lookup_sparse` where rows may be empty and ids invalid.

    Args: as of `embedding_lookup_sparse`, and
      sparse_ids: SparseTensor of any rank from two: the last axis holds the ids of one embedding. Ids below 0 are left
        out, and with "mean" and "sqrtn" those of weight 0 or less.
      default_id: stands for the ids of an empty row; zeros by default.
    Returns:
      [*leading axes of sparse_ids, ...]
    """
    with scope(name, "embedding_lookup", *tables_of(embedding_weights)):
        ids = as_sparse(sparse_ids, "safe_embedding_lookup_sparse: sparse_ids")
        weights = None if sparse_weights is None else as_sparse(sparse_weights, "sparse_weights")
        leading = ids.dense_shape[:-1]
        flat = concat([[reduce_prod(leading)], ids.dense_shape[-1:]], 0)
        ids = sparse.reshape(ids, flat)
        valid = m.GreaterEqual()(ids.values, interpreter.as_tensor(0, ids.values.dtype))
        if weights is not None:
            weights = SparseTensor(ids.indices, weights.values, ids.dense_shape)
            if combiner != "sum":
                positive = m.Greater()(weights.values, interpreter.as_tensor(0, weights.values.dtype))
                valid = m.LogicalAnd()(valid, positive)
            weights = sparse.retain(weights, valid)
        ids, empty = sparse.fill_empty_rows(sparse.retain(ids, valid), default_id or 0)
        if weights is not None:
            weights = sparse.fill_empty_rows(weights, 1.0)[0]
        rows = embedding_lookup_sparse_v1(embedding_weights, ids, weights, partition_strategy, None, combiner, max_norm)
        if default_id is None:
            mask = empty
            for _ in range((rows.spec.rank or 1) - 1):
                mask = expand_dims(mask, -1)
            rows = Select()(mask, ZerosLike()(rows), rows)
        return reshape(rows, concat([leading, Cast(int64)(Shape_()(rows)[1:])], 0))
