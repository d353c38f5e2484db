"""Columns put to use in graphs: as one matrix, as a linear model, and as what Examples are parsed by."""

from __future__ import annotations

import math
from typing import Any

from pullback.core.basics import add_n
from pullback.core.dtypes import float32
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.feature_column.columns import CategoricalColumn, DenseColumn, FeatureColumn, Features, check_dense, listed
from pullback.modes.default import GraphKeys
from pullback.modes.scopes import get_variable, variable_scope
from pullback.ops.array.joining import concat
from pullback.ops.array.shape import reshape
from pullback.ops.array.sizes import shape_
from pullback.ops.linalg.matmul import matmul
from pullback.ops.nn.bias import bias_add
from pullback.ops.nn.sparse_embedding import safe_embedding_lookup_sparse
from pullback.train.initializers_v1 import zeros_initializer


class Variables:
    """Makes variables in the current variable scope and remembers them.

    trainable: whether any is. collections: that they join besides GLOBAL_VARIABLES.
    """

    def __init__(self, trainable: bool, collections: Any) -> None:
        self._trainable = trainable
        self._collections = [*dict.fromkeys([*(collections or ()), GraphKeys.GLOBAL_VARIABLES])]
        self.made: list[Any] = []

    def __call__(self, name: str, shape: Any, dtype: Any, initializer: Any, trainable: bool) -> Any:
        made = get_variable(
            name,
            shape,
            dtype,
            initializer,
            trainable=trainable and self._trainable,
            collections=list(self._collections),
        )
        self.made.append(made)
        return made


def flattened(column: DenseColumn, features: Features, make: Any) -> Tensor:
    """What the column makes, an example's numbers in one row. -> [B, n]"""
    y = column.dense(features, make)
    rows = y.spec.shape[0] if y.spec.shape else None
    return reshape(y, (shape_(y)[0] if rows is None else rows, math.prod(column.variable_shape)))


@public(v1="feature_column.input_layer")
def input_layer(
    features: Any,
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: Any = None,
    cols_to_output_tensors: Any = None,
) -> Tensor:
    """What the columns make of the features, side by side in order of the columns' names. -> [B, n] float32

    Args:
      features: {name: tensor or SparseTensor}, the first axis the batch.
      weight_collections: collections for the columns' variables. trainable: whether those are trained.
      cols_to_vars, cols_to_output_tensors: dicts that are filled: column -> its variables, its tensor [B, n_i].
    Raises:
      ValueError: a column is categorical and not wrapped by an indicator or an embedding; a feature is missing.
    """
    columns = listed(feature_columns)
    check_dense(columns, "input_layer")
    read = Features(features)
    outputs = []
    with variable_scope(None, "input_layer", list(features.values())):
        for column in columns:
            make = Variables(trainable, weight_collections)
            with variable_scope(None, column.scope_name):
                outputs.append(flattened(column, read, make))
            if cols_to_vars is not None:
                cols_to_vars[column] = make.made
            if cols_to_output_tensors is not None:
                cols_to_output_tensors[column] = outputs[-1]
        return concat(outputs, 1)


@public(v1="feature_column.linear_model")
def linear_model(
    features: Any,
    feature_columns: Any,
    units: int = 1,
    sparse_combiner: str = "sum",
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: Any = None,
) -> Tensor:
    """y = sum of each column times its weights, plus a bias. -> [B, units]

    Args:
      features: {name: tensor or SparseTensor}, the first axis the batch.
      sparse_combiner: how the weights of an example's categories are combined: "sum", "mean" or "sqrtn".
      cols_to_vars: a dict that is filled: column -> its variables, "bias" -> the bias.
    Raises:
      ValueError: a feature is missing, or a column is none.
    Weights and bias start at zero.
    """
    columns = listed(feature_columns)
    read = Features(features)
    parts = []
    with variable_scope(None, "linear_model", list(features.values())):
        for column in columns:
            make = Variables(trainable, weight_collections)
            with variable_scope(None, column.scope_name):
                parts.append(_weighted(column, read, make, units, sparse_combiner))
            if cols_to_vars is not None:
                cols_to_vars[column] = make.made
        make = Variables(trainable, weight_collections)
        bias = make("bias_weights", (units,), float32, zeros_initializer(), True)
        if cols_to_vars is not None:
            cols_to_vars["bias"] = make.made
        return bias_add(add_n(parts, name="weighted_sum_no_bias"), bias, name="weighted_sum")


def _weighted(column: FeatureColumn, features: Features, make: Variables, units: int, combiner: str) -> Tensor:
    """A column times its weights. -> [B, units]"""
    if isinstance(column, CategoricalColumn):
        weights = make("weights", (column.num_buckets, units), float32, zeros_initializer(), True)
        ids, amounts = column.ids(features)
        return safe_embedding_lookup_sparse(weights, ids, amounts, combiner, name="weighted_sum")
    assert isinstance(column, DenseColumn)
    weights = make("weights", (math.prod(column.variable_shape), units), float32, zeros_initializer(), True)
    return matmul(flattened(column, features, make), weights, name="weighted_sum")


@public("feature_column.make_parse_example_spec")
def make_parse_example_spec(feature_columns: Any) -> dict[str, Any]:
    """What `tf.io.parse_example` must be told to read the columns' features: {key: FixedLenFeature or VarLenFeature}.

    Raises:
      ValueError: two columns want one feature in two ways.
    """
    spec: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"All feature_columns must be feature columns. Given: {column}")
        for key, wanted in column.parse_example_spec.items():
            if key in spec and spec[key] != wanted:
                raise ValueError(
                    f"feature_columns contain different parse_spec for key {key}. Given {wanted} and {spec[key]}"
                )
            spec[key] = wanted
    return spec
