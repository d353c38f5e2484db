"""What stands behind the logits of a ready-made estimator: loss, predictions and metrics of a kind of label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import float32, int64, string
from pullback.core.tensor import Tensor
from pullback.estimator.config import EstimatorSpec, ModeKeys
from pullback.estimator.export import ClassificationOutput, ExportOutput, PredictOutput, RegressionOutput
from pullback.modes.default import control_dependencies
from pullback.ops.array.gather import gather
from pullback.ops.array.joining import concat
from pullback.ops.array.search import argmax
from pullback.ops.array.shape import expand_dims, reshape
from pullback.ops.control.assertions import assert_greater_equal, assert_less
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import sigmoid
from pullback.ops.math.select import Cast
from pullback.ops.nn.losses import sigmoid_cross_entropy_with_logits, sparse_softmax_cross_entropy_with_logits
from pullback.ops.nn.softmax import softmax
from pullback.ops.strings.numbers import as_string
from pullback.ops.strings.vocabulary import VocabularyIds
from pullback.saved_model.constants import DEFAULT_SERVING_SIGNATURE_DEF_KEY
from pullback.train.losses_v1 import Reduction, compute_weighted_loss
from pullback.train.metrics_thresholds_v1 import auc
from pullback.train.metrics_v1 import accuracy, mean, precision, recall
from pullback.train.summaries.graph_ops import scalar

_REDUCTIONS = {
    "sum": Reduction.SUM,
    "sum_over_batch_size": Reduction.SUM_OVER_BATCH_SIZE,
    **{name: name for name in (Reduction.SUM, Reduction.SUM_OVER_BATCH_SIZE, Reduction.MEAN)},
    Reduction.SUM_BY_NONZERO_WEIGHTS: Reduction.SUM_BY_NONZERO_WEIGHTS,
}


@dataclass(frozen=True)
class Head:
    """Base. size: how many logits an example has. weight_column: the feature (or numeric column) of examples' weights.

    loss_reduction: how the losses of a batch become one: TensorFlow 1's and 2's words.
    """

    size: int
    weight_column: Any
    loss_reduction: str

    def __post_init__(self) -> None:
        if self.loss_reduction not in _REDUCTIONS:
            raise ValueError(f"Invalid loss_reduction: {self.loss_reduction}; it must be one of {sorted(_REDUCTIONS)}")

    def spec(self, features: Any, mode: str, labels: Any, logits: Tensor, train: Callable[[Any], Any]) -> EstimatorSpec:
        """What a model function returns. train: the operation that trains, of the loss."""
        predictions = self.predictions(logits)
        if mode == ModeKeys.PREDICT:
            return EstimatorSpec(mode, predictions, export_outputs=self._exports(predictions))
        if labels is None:
            raise ValueError("You must provide a labels Tensor. Given: None. Let input_fn return (features, labels)")
        wanted = self.labels(labels)
        each = self.losses(wanted, logits)
        weights = self.weights(features)
        loss = compute_weighted_loss(each, weights, reduction=_REDUCTIONS[self.loss_reduction])
        if mode == ModeKeys.EVAL:
            spread = weights if isinstance(weights, Tensor) else None
            metrics = {"average_loss": mean(each, spread), **self.metrics(wanted, predictions, spread)}
            return EstimatorSpec(mode, predictions, loss, eval_metric_ops=metrics)
        scalar("loss", loss)
        return EstimatorSpec(mode, predictions, loss, train(loss))

    def weights(self, features: Any) -> Any:
        """Examples' weights [B, 1], or 1."""
        if self.weight_column is None:
            return 1.0
        key = getattr(self.weight_column, "key", self.weight_column)
        if key not in features:
            raise ValueError(f"weight_column {key!r} is not in features; they are {sorted(features)}")
        found = interpreter.as_tensor(features[key])
        normalizer = getattr(self.weight_column, "normalizer_fn", None)
        return in_columns(
            Cast(float32)(found if normalizer is None else normalizer(found)), 1, f"weight_column {key!r}"
        )

    def labels(self, given: Any) -> Tensor:
        raise NotImplementedError

    def losses(self, labels: Tensor, logits: Tensor) -> Tensor:
        """[B, size], [B, size] -> [B, size or 1]"""
        raise NotImplementedError

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        raise NotImplementedError

    def metrics(self, labels: Tensor, predictions: dict[str, Tensor], weights: Any) -> dict[str, Any]:
        raise NotImplementedError

    def outputs(self, predictions: dict[str, Tensor]) -> dict[str, ExportOutput]:
        """What is exported beside the predictions, the default first."""
        raise NotImplementedError

    def _exports(self, predictions: dict[str, Tensor]) -> dict[str, ExportOutput]:
        made = self.outputs(predictions)
        first = next(iter(made.values()))
        return {DEFAULT_SERVING_SIGNATURE_DEF_KEY: first, **made, "predict": PredictOutput(predictions)}


def in_columns(x: Tensor, count: int, what: str = "labels") -> Tensor:
    """[B] as [B, 1]; [B, count] itself. what: as errors name it.

    Raises:
      ValueError: another shape.
    """
    x = expand_dims(x, -1) if x.spec.rank == 1 else x
    if x.spec.shape is not None and (len(x.spec.shape) != 2 or x.spec.shape[1] not in (None, count)):
        raise ValueError(f"{what} shape must be [batch_size, {count}]. Given: {x.shape}")
    return x


@dataclass(frozen=True)
class RegressionHead(Head):
    """Numbers; the loss is the squared difference."""

    def labels(self, given: Any) -> Tensor:
        return in_columns(Cast(float32)(interpreter.as_tensor(given)), self.size)

    def losses(self, labels: Tensor, logits: Tensor) -> Tensor:
        return m.SquaredDifference()(logits, labels)

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        return {"predictions": logits}

    def metrics(self, labels: Tensor, predictions: dict[str, Tensor], weights: Any) -> dict[str, Any]:
        made = predictions["predictions"]
        return {"prediction/mean": mean(made, weights), "label/mean": mean(labels, weights)}

    def outputs(self, predictions: dict[str, Tensor]) -> dict[str, ExportOutput]:
        return {"regression": RegressionOutput(predictions["predictions"])}


@dataclass(frozen=True)
class ClassHead(Head):
    """Classes. classes: how many. vocabulary: their names, which labels then are."""

    classes: int
    vocabulary: tuple[str, ...] | None

    def ids(self, given: Any) -> Tensor:
        """Labels as numbers [B, 1] int64, which must name a class when run."""
        labels = in_columns(interpreter.as_tensor(given), 1)
        if self.vocabulary is not None:
            if labels.dtype is not string:
                raise ValueError(f"label_vocabulary is given, so labels must be strings, not {labels.dtype.name}")
            labels = VocabularyIds(self.vocabulary)(labels)
        elif labels.dtype is string:
            raise ValueError("labels are strings: give label_vocabulary, or labels from 0 to n_classes - 1")
        ids = labels if labels.dtype is int64 else Cast(int64)(labels)
        told = "Labels must be classes: a label_vocabulary's words, or numbers from 0 to n_classes - 1"
        checks = [assert_greater_equal(ids, 0, told), assert_less(ids, self.classes, told)]
        with control_dependencies([check for check in checks if check is not None]):
            return reshape(ids, (-1, 1))

    def named(self, ids: Tensor) -> Tensor:
        """The classes' names."""
        if self.vocabulary is None:
            return as_string(ids)
        return gather(interpreter.as_tensor([word.encode() for word in self.vocabulary]), ids)

    def _classes(self, ids: Tensor) -> dict[str, Tensor]:
        """What stands in the predictions of either kind. ids [B, 1]"""
        every = interpreter.as_tensor([list(range(self.classes))])
        rows = every + Cast(every.dtype)(ids - ids)
        return {"class_ids": ids, "classes": self.named(ids), "all_class_ids": rows, "all_classes": self.named(rows)}

    def outputs(self, predictions: dict[str, Tensor]) -> dict[str, ExportOutput]:
        scores, names = predictions["probabilities"], predictions["all_classes"]
        return {"classification": ClassificationOutput(scores, names)}


@dataclass(frozen=True)
class BinaryHead(ClassHead):
    """Two classes by one logit; the loss is the sigmoid cross entropy."""

    def labels(self, given: Any) -> Tensor:
        return Cast(float32)(self.ids(given))

    def losses(self, labels: Tensor, logits: Tensor) -> Tensor:
        return sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        two = concat([logits - logits, logits], -1)
        return {
            "logits": logits,
            "logistic": sigmoid(logits),
            "probabilities": softmax(two),
            **self._classes(expand_dims(argmax(two, -1), -1)),
        }

    def outputs(self, predictions: dict[str, Tensor]) -> dict[str, ExportOutput]:
        return {**super().outputs(predictions), "regression": RegressionOutput(predictions["logistic"])}

    def metrics(self, labels: Tensor, predictions: dict[str, Tensor], weights: Any) -> dict[str, Any]:
        logistic, ids = predictions["logistic"], predictions["class_ids"]
        share, update = mean(labels, weights)
        return {
            "accuracy": accuracy(labels, Cast(float32)(ids), weights),
            "precision": precision(labels, ids, weights),
            "recall": recall(labels, ids, weights),
            "prediction/mean": mean(logistic, weights),
            "label/mean": (share, update),
            "accuracy_baseline": (m.Maximum()(share, 1 - share), m.Maximum()(update, 1 - update)),
            "auc": auc(labels, logistic, weights),
            "auc_precision_recall": auc(
                labels, logistic, weights, curve="PR", summation_method="careful_interpolation"
            ),
        }


@dataclass(frozen=True)
class MultiClassHead(ClassHead):
    """Several classes by as many logits; the loss is the softmax cross entropy."""

    def labels(self, given: Any) -> Tensor:
        return self.ids(given)

    def losses(self, labels: Tensor, logits: Tensor) -> Tensor:
        return expand_dims(sparse_softmax_cross_entropy_with_logits(labels=reshape(labels, (-1,)), logits=logits), -1)

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        ids = expand_dims(argmax(logits, -1), -1)
        return {"logits": logits, "probabilities": softmax(logits), **self._classes(ids)}

    def metrics(self, labels: Tensor, predictions: dict[str, Tensor], weights: Any) -> dict[str, Any]:
        return {"accuracy": accuracy(labels, predictions["class_ids"], weights)}


def classes(n_classes: int, weight_column: Any, label_vocabulary: Any, loss_reduction: str) -> Head:
    """The head of a classifier.

    Raises:
      ValueError: fewer than two classes, or another number of them than of words.
    """
    if n_classes < 2:
        raise ValueError(f"n_classes must be at least 2. Given: {n_classes}")
    words = None if label_vocabulary is None else tuple(label_vocabulary)
    if words is not None and len(words) != n_classes:
        raise ValueError(f"Length of label_vocabulary must equal n_classes {n_classes}. Given: {list(words)}")
    if n_classes == 2:
        return BinaryHead(1, weight_column, loss_reduction, 2, words)
    return MultiClassHead(n_classes, weight_column, loss_reduction, n_classes, words)
