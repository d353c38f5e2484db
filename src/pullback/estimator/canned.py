"""The ready-made estimators of TensorFlow 1: linear and deep models over feature columns, and their sum.

A batch's loss is the sum over its examples by default; TensorFlow 2's (canned_v2.py) the mean.
"""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.estimator.estimator import Estimator
from pullback.estimator.heads import Head, RegressionHead, classes
from pullback.estimator.models import Deep, Wide, model_fn
from pullback.ops.nn.activation import relu
from pullback.train.losses_v1 import Reduction

# Rates where the optimizers are named, and the two models are trained together.
_DEEP_RATE_OF_BOTH, _WIDE_RATE_OF_BOTH = 0.001, 0.005


class Canned(Estimator):
    """Base: models with one head."""

    def __init__(self, parts: tuple[Deep | Wide, ...], head: Head, model_dir: Any, config: Any, warm: Any) -> None:
        super().__init__(model_fn(parts, head), model_dir, config, None, warm)


def _listed(columns: Any) -> tuple[Any, ...]:
    return tuple(columns) if isinstance(columns, (list, tuple, set)) else (columns,)


def _units(hidden_units: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in hidden_units)


@public(v1="estimator.LinearClassifier")
class LinearClassifier(Canned):
    """A linear model that classifies: `linear_model` of the columns gives the logits.

    Args:
      feature_columns: of any kind. n_classes: 2 or more; with 2 there is one logit.
      weight_column: the feature of examples' weights. label_vocabulary: names of the classes, when labels are words.
      optimizer: a name (Adagrad, Adam, Ftrl, RMSProp, SGD), an optimizer, or a function that gives one. A named one's
        rate is min(0.2, 1 / sqrt(number of columns)).
      loss_reduction: how a batch's losses become one. sparse_combiner: of an example's categories.
      model_dir, config, warm_start_from: as of `Estimator`.
    Metrics with 2 classes: accuracy, accuracy_baseline, auc, auc_precision_recall, average_loss, label/mean,
      prediction/mean, precision, recall; with more: accuracy, average_loss. Predictions: logits, probabilities,
      class_ids, classes (and logistic with 2).
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        sparse_combiner: str = "sum",
    ) -> None:
        head = classes(n_classes, weight_column, label_vocabulary, loss_reduction)
        wide = Wide(_listed(feature_columns), sparse_combiner, partitioner, optimizer)
        super().__init__((wide,), head, model_dir, config, warm_start_from)


@public(v1="estimator.LinearRegressor")
class LinearRegressor(Canned):
    """A linear model of numbers; the loss is the squared difference. Arguments as of `LinearClassifier`, and
    label_dimension: how many numbers a label has.

    Metrics: average_loss, label/mean, prediction/mean. Predictions: "predictions" [label_dimension].
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: Any = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: Any = None,
        partitioner: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        sparse_combiner: str = "sum",
    ) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        wide = Wide(_listed(feature_columns), sparse_combiner, partitioner, optimizer)
        super().__init__((wide,), head, model_dir, config, warm_start_from)


@public(v1="estimator.DNNClassifier")
class DNNClassifier(Canned):
    """A network of fully connected layers that classifies.

    Args:
      hidden_units: of each layer. feature_columns: dense ones. activation_fn: of the hidden layers.
      dropout: the share of a hidden layer's units that is dropped in training. batch_norm: whether each hidden layer is
        normalised over the batch.
      optimizer: as of `LinearClassifier`; a named one's rate is 0.05. The rest as there.
    """

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
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
    ) -> None:
        head = classes(n_classes, weight_column, label_vocabulary, loss_reduction)
        columns, units = _listed(feature_columns), _units(hidden_units)
        deep = Deep(columns, units, activation_fn, dropout, batch_norm, input_layer_partitioner, optimizer)
        super().__init__((deep,), head, model_dir, config, warm_start_from)


@public(v1="estimator.DNNRegressor")
class DNNRegressor(Canned):
    """A network of fully connected layers for numbers. Arguments as of `DNNClassifier` and `LinearRegressor`."""

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
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
    ) -> None:
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        columns, units = _listed(feature_columns), _units(hidden_units)
        deep = Deep(columns, units, activation_fn, dropout, batch_norm, input_layer_partitioner, optimizer)
        super().__init__((deep,), head, model_dir, config, warm_start_from)


def _both(
    linear: Any,
    linear_optimizer: Any,
    combiner: str,
    dnn: Any,
    dnn_optimizer: Any,
    units: Any,
    activation: Any,
    dropout: Any,
    batch_norm: bool,
    partitioner: Any,
) -> tuple[Deep | Wide, ...]:
    """The parts of a combined model.

    Raises:
      ValueError: there are no columns, or deep ones without units or the reverse.
    """
    if not linear and not dnn:
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    if bool(dnn) != bool(units):
        raise ValueError("dnn_feature_columns and dnn_hidden_units must be defined together.")
    parts: list[Deep | Wide] = []
    if dnn:
        columns, sizes = _listed(dnn), _units(units)
        rate = _DEEP_RATE_OF_BOTH
        parts.append(Deep(columns, sizes, activation, dropout, batch_norm, partitioner, dnn_optimizer, rate))
    if linear:
        parts.append(Wide(_listed(linear), combiner, partitioner, linear_optimizer, _WIDE_RATE_OF_BOTH))
    return tuple(parts)


@public(v1="estimator.DNNLinearCombinedClassifier")
class DNNLinearCombinedClassifier(Canned):
    """A linear and a deep model whose logits are added ("wide and deep"), each trained by its own optimizer.

    Arguments as of `LinearClassifier` and `DNNClassifier`. Named optimizers have the rate 0.001 (deep) and
    min(0.005, 1 / sqrt(number of columns)) (linear).
    Source: Cheng et al. 2016.
    """

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = relu,
        dnn_dropout: float | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:
        parts = _both(
            linear_feature_columns, linear_optimizer, linear_sparse_combiner, dnn_feature_columns, dnn_optimizer,
            dnn_hidden_units, dnn_activation_fn, dnn_dropout, batch_norm, input_layer_partitioner,
        )  # fmt: skip
        head = classes(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(parts, head, model_dir, config, warm_start_from)


@public(v1="estimator.DNNLinearCombinedRegressor")
class DNNLinearCombinedRegressor(Canned):
    """A linear and a deep model for numbers, added. Arguments as of `DNNLinearCombinedClassifier`."""

    def __init__(
        self,
        model_dir: Any = None,
        linear_feature_columns: Any = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Any = None,
        dnn_activation_fn: Any = relu,
        dnn_dropout: float | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        input_layer_partitioner: Any = None,
        config: Any = None,
        warm_start_from: Any = None,
        loss_reduction: str = Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:
        parts = _both(
            linear_feature_columns, linear_optimizer, linear_sparse_combiner, dnn_feature_columns, dnn_optimizer,
            dnn_hidden_units, dnn_activation_fn, dnn_dropout, batch_norm, input_layer_partitioner,
        )  # fmt: skip
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        super().__init__(parts, head, model_dir, config, warm_start_from)
