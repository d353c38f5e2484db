"""The ready-made estimators with TensorFlow 2's arguments: no partitioners, and a batch's loss is the mean."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.estimator import canned
from pullback.ops.nn.activation import relu

_MEAN = "sum_over_batch_size"


@public("estimator.LinearClassifier", v1=None)
class LinearClassifier(canned.LinearClassifier):
    """A linear model that classifies. Arguments as of TensorFlow 1's."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = _MEAN,
        sparse_combiner: str = "sum",
    ) -> None:
        super().__init__(
            feature_columns, model_dir, n_classes, weight_column, label_vocabulary, optimizer, config, None,
            warm_start_from, loss_reduction, sparse_combiner,
        )  # fmt: skip


@public("estimator.LinearRegressor", v1=None)
class LinearRegressor(canned.LinearRegressor):
    """A linear model of numbers. Arguments as of TensorFlow 1's."""

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = _MEAN,
        sparse_combiner: str = "sum",
    ) -> None:
        super().__init__(
            feature_columns, model_dir, label_dimension, weight_column, optimizer, config, None, warm_start_from,
            loss_reduction, sparse_combiner,
        )  # fmt: skip


@public("estimator.DNNClassifier", v1=None)
class DNNClassifier(canned.DNNClassifier):
    """A network of fully connected layers that classifies. Arguments as of TensorFlow 1's."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = relu,
        dropout: float | None = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = _MEAN,
        batch_norm: bool = False,
    ) -> None:
        super().__init__(
            hidden_units, feature_columns, model_dir, n_classes, weight_column, label_vocabulary, optimizer,
            activation_fn, dropout, None, config, warm_start_from, loss_reduction, batch_norm,
        )  # fmt: skip


@public("estimator.DNNRegressor", v1=None)
class DNNRegressor(canned.DNNRegressor):
    """A network of fully connected layers for numbers. Arguments as of TensorFlow 1's."""

    def __init__(
        self,
        hidden_units: Any,
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Any = relu,
        dropout: float | None = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = _MEAN,
        batch_norm: bool = False,
    ) -> None:
        super().__init__(
            hidden_units, feature_columns, model_dir, label_dimension, weight_column, optimizer, activation_fn,
            dropout, None, config, warm_start_from, loss_reduction, batch_norm,
        )  # fmt: skip
