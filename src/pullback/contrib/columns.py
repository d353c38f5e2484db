"""`tf.contrib.layers`: feature columns by their first names. Each is the `tf.feature_column` that it became."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core.errors import ArgumentError

_new = tf.feature_column


def _summed(what: str, combiner: str) -> None:
    """Raises ArgumentError for a combiner that only the estimator can be told now."""
    if combiner != "sum":
        raise ArgumentError(
            f"{what}: a column's combiner is 'sum', not {combiner!r}; give sparse_combiner to the estimator or to "
            "tf.feature_column.linear_model, or wrap the column in embedding_column(..., combiner=...)"
        ).locate()


@contrib("layers", "real_valued_column")
def real_valued_column(
    column_name: str, dimension: int = 1, default_value: Any = None, dtype: Any = tf.float32, normalizer: Any = None
) -> Any:
    """`tf.feature_column.numeric_column`: `dimension` numbers an example. The name "" means features that are one
    matrix, as `fit(x=...)` has them."""
    if dimension is None:
        raise ArgumentError("real_valued_column: dimension must be a number; columns of any length are not there")
    return _new.numeric_column(column_name, (dimension,), default_value, dtype, normalizer)


@contrib("layers", "sparse_column_with_keys")
def sparse_column_with_keys(
    column_name: str, keys: Any, default_value: int = -1, combiner: str = "sum", dtype: Any = tf.string
) -> Any:
    """`tf.feature_column.categorical_column_with_vocabulary_list`: words by their place in `keys`."""
    _summed("sparse_column_with_keys", combiner)
    return _new.categorical_column_with_vocabulary_list(column_name, list(keys), dtype, default_value)


@contrib("layers", "sparse_column_with_vocabulary_file")
def sparse_column_with_vocabulary_file(
    column_name: str,
    vocabulary_file: Any,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    combiner: str = "sum",
    dtype: Any = tf.string,
) -> Any:
    """`tf.feature_column.categorical_column_with_vocabulary_file`: words by the line they stand in."""
    _summed("sparse_column_with_vocabulary_file", combiner)
    return _new.categorical_column_with_vocabulary_file(
        column_name, vocabulary_file, vocab_size, num_oov_buckets, default_value, dtype
    )


@contrib("layers", "sparse_column_with_hash_bucket")
def sparse_column_with_hash_bucket(
    column_name: str, hash_bucket_size: int, combiner: str = "sum", dtype: Any = tf.string
) -> Any:
    """`tf.feature_column.categorical_column_with_hash_bucket`: words by hash."""
    _summed("sparse_column_with_hash_bucket", combiner)
    return _new.categorical_column_with_hash_bucket(column_name, hash_bucket_size, dtype)


@contrib("layers", "sparse_column_with_integerized_feature")
def sparse_column_with_integerized_feature(
    column_name: str, bucket_size: int, combiner: str = "sum", dtype: Any = tf.int64
) -> Any:
    """`tf.feature_column.categorical_column_with_identity`: integers as they are. dtype: an integer one."""
    _summed("sparse_column_with_integerized_feature", combiner)
    if not tf.as_dtype(dtype).is_integer:
        raise ValueError(f"dtype must be an integer. dtype: {dtype}, column_name: {column_name}")
    return _new.categorical_column_with_identity(column_name, bucket_size)


@contrib("layers", "bucketized_column")
def bucketized_column(source_column: Any, boundaries: Any) -> Any:
    """`tf.feature_column.bucketized_column`: numbers by the interval they lie in."""
    return _new.bucketized_column(source_column, sorted(set(boundaries)))


@contrib("layers", "crossed_column")
def crossed_column(
    columns: Any,
    hash_bucket_size: int,
    combiner: str = "sum",
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    hash_key: int | None = None,
) -> Any:
    """`tf.feature_column.crossed_column`: categories of several columns together, by hash; its buckets are that
    function's. Columns of words crossed are named by their key there, and so here.

    ckpt_to_load_from, tensor_name_in_ckpt: must be left out; an estimator's warm start does that.
    """
    _summed("crossed_column", combiner)
    if ckpt_to_load_from is not None or tensor_name_in_ckpt is not None:
        raise ArgumentError("crossed_column: give the estimator warm_start_from in place of ckpt_to_load_from").locate()
    # A column that only hashes words crosses by its feature's name.
    keys = [c.key if type(c).__name__ == "HashedCategoricalColumn" else c for c in columns]
    return _new.crossed_column(keys, hash_bucket_size, hash_key)


@contrib("layers", "weighted_sparse_column")
def weighted_sparse_column(sparse_id_column: Any, weight_column_name: str, dtype: Any = tf.float32) -> Any:
    """`tf.feature_column.weighted_categorical_column`: categories with weights from another feature."""
    return _new.weighted_categorical_column(sparse_id_column, weight_column_name, dtype)


@contrib("layers", "one_hot_column")
def one_hot_column(sparse_id_column: Any) -> Any:
    """`tf.feature_column.indicator_column`: how often each category occurs."""
    return _new.indicator_column(sparse_id_column)


@contrib("layers", "embedding_column")
def embedding_column(
    sparse_id_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
) -> Any:
    """`tf.feature_column.embedding_column`: rows of a learned table."""
    return _new.embedding_column(
        sparse_id_column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt, max_norm, trainable
    )


@contrib("layers", "create_feature_spec_for_parsing")
def create_feature_spec_for_parsing(feature_columns: Any) -> dict[str, Any]:
    """`tf.feature_column.make_parse_example_spec`: what `tf.io.parse_example` must be told."""
    return _new.make_parse_example_spec(feature_columns)


@contrib("layers", "input_from_feature_columns")
def input_from_feature_columns(
    columns_to_tensors: Any,
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    cols_to_outs: Any = None,
) -> Any:
    """`tf.feature_column.input_layer`: what the columns make of the features, side by side. -> [B, n] float32"""
    with tf.variable_scope(scope, "input_from_feature_columns"):
        return _new.input_layer(
            columns_to_tensors, feature_columns, weight_collections, trainable, cols_to_output_tensors=cols_to_outs
        )
