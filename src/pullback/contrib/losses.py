"""`tf.contrib.losses`, `slim.losses` and `tf.contrib.metrics`: those of 1.x with their first two arguments the other
way round, predictions before labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib

# Loss -> what contrib calls its first two arguments; the loss takes them in the other order.
_LOSSES = {
    "absolute_difference": ("predictions", "labels"),
    "mean_squared_error": ("predictions", "labels"),
    "mean_pairwise_squared_error": ("predictions", "labels"),
    "log_loss": ("predictions", "labels"),
    "hinge_loss": ("logits", "labels"),
    "sigmoid_cross_entropy": ("logits", "multi_class_labels"),
    "softmax_cross_entropy": ("logits", "onehot_labels"),
    "sparse_softmax_cross_entropy": ("logits", "labels"),
}
_SAME = ("add_loss", "get_losses", "get_regularization_losses", "get_total_loss", "compute_weighted_loss")
_METRICS = [
    "accuracy",
    "auc",
    "false_negatives",
    "false_negatives_at_thresholds",
    "false_positives",
    "false_positives_at_thresholds",
    "mean_absolute_error",
    "mean_cosine_distance",
    "mean_iou",
    "mean_relative_error",
    "mean_squared_error",
    "precision",
    "precision_at_thresholds",
    "recall",
    "recall_at_thresholds",
    "root_mean_squared_error",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "true_negatives",
    "true_negatives_at_thresholds",
    "true_positives",
    "true_positives_at_thresholds",
]


def _turned(space: str, name: str, first: str, second: str) -> Callable[..., Any]:
    """A function of (labels, predictions, ...) as one of (predictions, labels, ...)."""

    def turned(*args: Any, **kwargs: Any) -> Any:
        given = kwargs | dict(zip((first, second), args, strict=False))
        if "weight" in given:
            given["weights"] = given.pop("weight")
        for absent in (first, second):
            if absent not in given:
                raise TypeError(f"{name}() needs {absent!r}: {name}({first}, {second}, ...)")
        one, other = given.pop(second), given.pop(first)
        return getattr(getattr(tf, space), name)(one, other, *args[2:], **given)

    turned.__doc__ = f"`tf.{space}.{name}`, {first} before {second}."
    return turned


for _name, (_first, _second) in _LOSSES.items():
    _made = _turned("losses", _name, _first, _second)
    _made.__name__ = _made.__qualname__ = _name
    globals()[_name] = contrib("losses slim.losses", _name)(_made)


def _same(name: str) -> Callable[..., Any]:
    def same(*args: Any, **kwargs: Any) -> Any:
        return getattr(tf.losses, name)(*args, **kwargs)

    same.__name__ = same.__qualname__ = name
    same.__doc__ = f"`tf.losses.{name}`."
    return contrib("losses slim.losses", name)(same)


for _name in _SAME:
    globals()[_name] = _same(_name)


@contrib("losses slim.losses", "cosine_distance")
def cosine_distance(
    predictions: Any, labels: Any = None, axis: Any = None, weights: Any = 1.0, scope: Any = None, dim: Any = None
) -> Any:
    """`tf.losses.cosine_distance`, predictions before labels."""
    return tf.losses.cosine_distance(labels, predictions, dim if axis is None else axis, weights, scope)


def _streaming(name: str) -> Callable[..., Any]:
    made = _turned("metrics", name, "predictions", "labels")
    made.__name__ = made.__qualname__ = f"streaming_{name}"
    return contrib("metrics slim.metrics", f"streaming_{name}")(made)


for _name in _METRICS:
    globals()[f"streaming_{_name}"] = _streaming(_name)


@contrib("metrics slim.metrics", "streaming_mean")
def streaming_mean(
    values: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: Any = None
) -> Any:
    """`tf.metrics.mean`."""
    return tf.metrics.mean(values, weights, metrics_collections, updates_collections, name)


@contrib("metrics slim.metrics", "accuracy")
def accuracy(predictions: Any, labels: Any, weights: Any = None, name: Any = None) -> Any:
    """The share of predictions that are their label, in this batch."""
    with tf.name_scope(name, "accuracy", [predictions, labels]):
        right = tf.cast(tf.equal(predictions, labels), tf.float32)
        if weights is None:
            return tf.reduce_mean(right)
        return tf.reduce_sum(right * weights) / tf.reduce_sum(tf.ones_like(right) * weights)


@contrib("metrics slim.metrics", "aggregate_metrics")
def aggregate_metrics(*value_update_tuples: Any) -> tuple[list[Any], list[Any]]:
    """(values, updates) of several metrics."""
    if not value_update_tuples:
        raise ValueError("Expected at least one value_tensor/update_op pair")
    values, updates = zip(*value_update_tuples, strict=True)
    return list(values), list(updates)


@contrib("metrics slim.metrics", "aggregate_metric_map")
def aggregate_metric_map(names_to_tuples: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """({name: value}, {name: update}) of several metrics."""
    return (
        {name: value for name, (value, _) in names_to_tuples.items()},
        {name: update for name, (_, update) in names_to_tuples.items()},
    )
