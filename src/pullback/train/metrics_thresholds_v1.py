"""tf.metrics of TensorFlow 1 at thresholds: auc, precision and recall at thresholds, sensitivity at specificity; and
those by class: mean_iou, mean_per_class_accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core import dtypes, interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.conversion import constant
from pullback.ops.array.one_hot import one_hot
from pullback.ops.array.search import argmax, argmin
from pullback.ops.array.shape import reshape
from pullback.ops.control.world import assert_true
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math import arithmetic as m
from pullback.ops.math.cumulative import cumsum
from pullback.ops.math.functions import abs_, divide_no_nan
from pullback.ops.math.reduce_functions import reduce_all, reduce_min, reduce_sum
from pullback.ops.math.select import Cast, Identity
from pullback.train import confusion
from pullback.train.metrics_v1 import Pair, kept, opened, pair_of, told, weighed
from pullback.train.weighting import cast

_SMALL = 1e-7
Counts = dict[str, Any]


def _running(
    labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any, what: str, unit: bool = True
) -> tuple[Counts, Counts]:
    """The four counts at thresholds, kept: (values, updates), each {kind: [T]}."""
    q, p = pair_of(cast(labels, dtypes.bool_), cast(predictions, dtypes.float32), what)
    if unit:
        inside = m.LogicalAnd()(reduce_all(p >= 0.0), reduce_all(p <= 1.0))
        checked = assert_true(inside, [f"{what}: predictions must be in [0, 1], but are", p])
        with interpreter.current().control_dependencies([checked]):
            p = Identity()(p)
    w = None if weights is None else weighed(weights, p)
    counts = confusion.counted(q, p, thresholds, w)
    held = {kind: kept(kind, (len(thresholds),)) for kind in confusion.KINDS}
    return {kind: v.value() for kind, v in held.items()}, {k: v.assign_add(counts[k]) for k, v in held.items()}


@public(v1="metrics.auc")
def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
    thresholds: Any = None,
) -> Pair:
    """The area under a curve, of true against false positive rate or precision against recall, at thresholds.

    Args:
      predictions: from 0 to 1.
      num_thresholds: how many, evenly from 0 to 1, when `thresholds` are not given.
      curve: "ROC" or "PR".
      summation_method: "trapezoidal", "careful_interpolation" (for PR), "minoring" or "majoring".
      thresholds: those inside (0, 1); the ends are added.
    Raises:
      ValueError: curve or summation_method is not known. InvalidArgumentError, when run: a prediction is outside.
    """
    if curve not in ("ROC", "PR"):
        raise ArgumentError(f"metrics.auc: curve must be either ROC or PR, {curve} unknown").locate()
    if summation_method not in ("trapezoidal", "careful_interpolation", "minoring", "majoring"):
        raise ArgumentError(f"metrics.auc: Invalid summation_method: {summation_method}").locate()
    with opened("auc", name):
        if thresholds is None:
            limits = confusion.thresholds_between(num_thresholds)
        else:
            limits = [0.0 - _SMALL, *sorted(thresholds), 1.0 + _SMALL]
        little, rate = confusion.plus(1e-6, above=True), confusion.plus(1e-6)
        values, updates = _running(labels, predictions, limits, weights, "metrics.auc")
        value, update = (
            Identity()(confusion.area(held, curve, summation_method, little, rate, little), name=word)
            for held, word in ((values, "value"), (updates, "update_op"))
        )
        return told(value, update, metrics_collections, updates_collections)


def _at_thresholds(what: str, figure: Callable[[Counts], Tensor], doc: str) -> Callable[..., Pair]:
    """A metric that gives a figure for each threshold."""

    def metric(
        labels: Any,
        predictions: Any,
        thresholds: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Pair:
        with opened(what, name):
            unit = what.startswith(("precision", "recall"))
            values, updates = _running(labels, predictions, list(thresholds), weights, f"metrics.{what}", unit)
            return told(figure(values), figure(updates), metrics_collections, updates_collections)

    metric.__name__ = metric.__qualname__ = what
    metric.__doc__ = doc
    return public(v1=f"metrics.{what}")(metric)


def _precision(held: Counts) -> Tensor:
    return held["true_positives"] / (_SMALL + held["true_positives"] + held["false_positives"])


def _recall(held: Counts) -> Tensor:
    return held["true_positives"] / (_SMALL + held["true_positives"] + held["false_negatives"])


def _specificity(held: Counts) -> Tensor:
    return held["true_negatives"] / (_SMALL + held["true_negatives"] + held["false_positives"])


precision_at_thresholds = _at_thresholds(
    "precision_at_thresholds", _precision, "Precision at each threshold; predictions from 0 to 1."
)
recall_at_thresholds = _at_thresholds(
    "recall_at_thresholds", _recall, "Recall at each threshold; predictions from 0 to 1."
)


def _plain(kind: str) -> Callable[..., Pair]:
    name = f"{kind}_at_thresholds"
    return _at_thresholds(name, lambda held: Identity()(held[kind]), f"{kind.replace('_', ' ')} at each threshold.")


true_positives_at_thresholds = _plain("true_positives")
false_positives_at_thresholds = _plain("false_positives")
true_negatives_at_thresholds = _plain("true_negatives")
false_negatives_at_thresholds = _plain("false_negatives")


def _unit(what: str, value: Any) -> None:
    if not 0 <= value <= 1:
        raise ArgumentError(
            f"metrics.{what}: `{what.rpartition('_')[2]}` must be in the range [0, 1], not {value}"
        ).locate()


@public(v1="metrics.sensitivity_at_specificity")
def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The recall at the threshold whose specificity TN / (TN + FP) is nearest; of several the lowest.

    Raises:
      ValueError: specificity is outside [0, 1].
    """
    what = "sensitivity_at_specificity"
    _unit(what, specificity)

    def figure(held: Counts) -> Tensor:
        at = argmin(abs_(_specificity(held) - specificity), 0)
        return _recall(held)[at]

    with opened(what, name):
        limits = confusion.thresholds_between(num_thresholds)
        values, updates = _running(labels, predictions, limits, weights, f"metrics.{what}")
        return told(figure(values), figure(updates), metrics_collections, updates_collections)


@public(v1="metrics.specificity_at_sensitivity")
def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The specificity at the threshold whose recall is nearest; of several the highest.

    Raises:
      ValueError: sensitivity is outside [0, 1].
    """
    what = "specificity_at_sensitivity"
    _unit(what, sensitivity)

    def figure(held: Counts) -> Tensor:
        distance = abs_(_recall(held) - sensitivity)
        nearest = Cast(dtypes.int64)(m.Equal()(distance, reduce_min(distance)))
        return _specificity(held)[argmax(cumsum(nearest), 0)]

    with opened(what, name):
        limits = confusion.thresholds_between(num_thresholds)
        values, updates = _running(labels, predictions, limits, weights, f"metrics.{what}")
        return told(figure(values), figure(updates), metrics_collections, updates_collections)


def confusion_matrix(labels: Any, predictions: Any, classes: int, weights: Any = None) -> Tensor:
    """How often each label [rows] met each prediction [columns], by weight; float32."""
    q, p = (one_hot(reshape(cast(x, dtypes.int64), (-1,)), classes) for x in (labels, predictions))
    if weights is not None:
        q = q * reshape(weights, (-1, 1))
    return matmul(q, p, transpose_a=True)


@public(v1="metrics.mean_iou")
def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean over classes of TP / (TP + FP + FN), of classes that occurred.

    Returns:
      (value, update_op): the mean, and what counts these in and gives the confusion matrix [classes, classes].
    """
    with opened("mean_iou", name):
        q, p = pair_of(labels, predictions, "metrics.mean_iou")
        w = None if weights is None else weighed(weights, p)
        total = kept("total_confusion_matrix", (num_classes, num_classes), dtypes.float64)
        update = total.assign_add(Cast(dtypes.float64)(confusion_matrix(q, p, num_classes, w)))
        matrix = Cast(dtypes.float32)(total.value())
        right = reduce_sum(matrix * one_hot(list(range(num_classes)), num_classes), 1)
        union = reduce_sum(matrix, 0) + reduce_sum(matrix, 1) - right
        occurred = reduce_sum(Cast(dtypes.float32)(union > 0.0))
        value = divide_no_nan(reduce_sum(divide_no_nan(right, union)), occurred, name="mean_iou")
        return told(value, update, metrics_collections, updates_collections)


@public(v1="metrics.mean_per_class_accuracy")
def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean over all classes of how often a label of the class was found; 0 for a class that never occurred.

    Returns:
      (value, update_op): the mean, and what counts these in and gives the accuracy of each class.
    """
    with opened("mean_per_class_accuracy", name, "mean_accuracy"):
        q, p = pair_of(labels, predictions, "metrics.mean_per_class_accuracy")
        w = None if weights is None else weighed(weights, p)
        matrix = confusion_matrix(q, p, num_classes, w)
        total, right = kept("total", (num_classes,)), kept("count", (num_classes,))
        new_total = total.assign_add(reduce_sum(matrix, 1))
        new_right = right.assign_add(reduce_sum(matrix * one_hot(list(range(num_classes)), num_classes), 1))
        each = divide_no_nan(right, total.value())
        value = reduce_sum(each) / constant(float(num_classes))
        update = divide_no_nan(new_right, new_total, name="update_op")
        return told(value, update, metrics_collections, updates_collections)
