"""`tf.contrib.metrics` and `slim.metrics` where more than the order of arguments differs; others are in losses.py."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib

_BOTH = "metrics slim.metrics"


@contrib(_BOTH, "streaming_mean_tensor")
def streaming_mean_tensor(
    values: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None, name: Any = None
) -> Any:
    """`tf.metrics.mean_tensor`: the mean of each entry."""
    return tf.metrics.mean_tensor(values, weights, metrics_collections, updates_collections, name)


@contrib(_BOTH, "streaming_percentage_less")
def streaming_percentage_less(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """`tf.metrics.percentage_below`: the share of values below a threshold."""
    return tf.metrics.percentage_below(values, threshold, weights, metrics_collections, updates_collections, name)


@contrib(_BOTH, "streaming_recall_at_k")
def streaming_recall_at_k(
    predictions: Any,
    labels: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """The share of examples whose label is among the k best predictions.

    Args:
      predictions: [B,C] float. labels: [B] integers. weights: of the examples, [B] or what broadcasts.
    Returns:
      (value, update).
    """
    found = tf.cast(tf.nn.in_top_k(predictions, labels, k), tf.float32)
    return tf.metrics.mean(found, weights, metrics_collections, updates_collections, name or f"recall_at_{k}")


@contrib(_BOTH, "streaming_sparse_recall_at_k")
def streaming_sparse_recall_at_k(
    predictions: Any,
    labels: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """`tf.metrics.recall_at_k`, predictions before labels."""
    return tf.metrics.recall_at_k(
        labels, predictions, k, class_id, weights, metrics_collections, updates_collections, name
    )


@contrib(_BOTH, "streaming_sparse_precision_at_k")
def streaming_sparse_precision_at_k(
    predictions: Any,
    labels: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """`tf.metrics.precision_at_k`, predictions before labels."""
    return tf.metrics.precision_at_k(
        labels, predictions, k, class_id, weights, metrics_collections, updates_collections, name
    )


@contrib(_BOTH, "streaming_sparse_precision_at_top_k")
def streaming_sparse_precision_at_top_k(
    top_k_predictions: Any,
    labels: Any,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """`tf.metrics.precision_at_top_k`, predictions before labels. top_k_predictions: classes, [.., k]"""
    return tf.metrics.precision_at_top_k(
        labels, top_k_predictions, None, class_id, weights, metrics_collections, updates_collections, name
    )


@contrib(_BOTH, "streaming_sparse_average_precision_at_k")
def streaming_sparse_average_precision_at_k(
    predictions: Any,
    labels: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """`tf.metrics.average_precision_at_k`, predictions before labels."""
    return tf.metrics.average_precision_at_k(
        labels, predictions, k, weights, metrics_collections, updates_collections, name
    )


def _local(name: str, initial: Any) -> Any:
    """A local variable whose shape may change."""
    kept = [tf.GraphKeys.LOCAL_VARIABLES]
    return tf.Variable(initial, trainable=False, collections=kept, validate_shape=False, name=name)


def _told(value: Any, update: Any, metrics_collections: Any, updates_collections: Any) -> tuple[Any, Any]:
    """(value, update), put into collections."""
    for collections, tensor in ((metrics_collections, value), (updates_collections, update)):
        if collections:
            tf.add_to_collections(collections, tensor)
    return value, update


@contrib(_BOTH, "streaming_concat")
def streaming_concat(
    values: Any,
    axis: int = 0,
    max_size: int | None = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """All values so far, side by side.

    Args:
      values: their shape is known but along `axis`. max_size: what comes after so many entries along it is dropped.
    Returns:
      (value, update), both with what has come.
    Raises:
      ValueError: the shape is not known, axis is none of its axes, or max_size is below 0.
    """
    with tf.variable_scope(name, "streaming_concat", (values,)):
        values = tf.convert_to_tensor(values)
        shape = values.shape
        if shape.ndims is None:
            raise ValueError("`values` must have known statically known rank")
        if not -shape.ndims <= axis < shape.ndims:
            raise ValueError(f"`axis = {axis}` not in [-{shape.ndims}, {shape.ndims})")
        at = axis % shape.ndims
        others = [n for i, n in enumerate(shape.as_list()) if i != at]
        if None in others:
            raise ValueError("all dimensions of `values` other than the dimension to concatenate along must have "
                             f"statically known size, but the shape is {shape}")  # fmt: skip
        if max_size is not None and max_size < 0:
            raise ValueError(f"max_size must be 0 or more, not {max_size}")
        empty = [0 if i == at else n for i, n in enumerate(shape.as_list())]
        kept = _local("array", tf.zeros(empty, values.dtype))
        joined = tf.concat([kept, values], at)
        if max_size is not None:
            size = [max_size if i == at else -1 for i in range(shape.ndims)]
            size[at] = tf.minimum(tf.shape(joined)[at], max_size)
            joined = tf.slice(joined, [0] * shape.ndims, size)
        full = [None if i == at else n for i, n in enumerate(shape.as_list())]
        value = tf.identity(kept)
        update = tf.identity(tf.assign(kept, joined, validate_shape=False))
        value.set_shape(full)
        update.set_shape(full)
        return _told(value, update, metrics_collections, updates_collections)


@contrib(_BOTH, "streaming_covariance")
def streaming_covariance(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """The unbiased covariance of predictions and labels, by weight; 0 before there are two of them.

    With a batch of weight n, means p, q and sum of products of deviations c, and N, P, Q, C so far:

        C <- C + c + (p - P)(q - Q) n N / (n + N)        covariance = C / (N - 1)

    Returns:
      (value, update).
    Source: Chan, Golub & LeVeque 1983 (the update).
    """
    with tf.variable_scope(name, "covariance", (predictions, labels, weights)):
        p, q = (tf.cast(tf.convert_to_tensor(x), tf.float32) for x in (predictions, labels))
        p.shape.assert_is_compatible_with(q.shape)
        w = tf.ones_like(p) if weights is None else tf.cast(weights, tf.float32) * tf.ones_like(p)
        names = ("count", "mean_prediction", "mean_label", "comoment")
        count, mean_p, mean_q, comoment = (_local(n, tf.zeros([])) for n in names)
        many = tf.reduce_sum(w)
        total = count.read_value() + many
        batch_p, batch_q = (tf.div_no_nan(tf.reduce_sum(x * w), many) for x in (p, q))
        apart = tf.reduce_sum(w * (p - batch_p) * (q - batch_q))
        gone_p, gone_q = batch_p - mean_p.read_value(), batch_q - mean_q.read_value()
        share = tf.div_no_nan(many, total)
        grown = comoment.read_value() + apart + gone_p * gone_q * share * count.read_value()
        moved = (total, mean_p.read_value() + gone_p * share, mean_q.read_value() + gone_q * share, grown)
        with tf.control_dependencies(moved):
            steps = [tf.assign(v, x) for v, x in zip((count, mean_p, mean_q, comoment), moved, strict=True)]
        value = _unbiased(comoment.read_value(), count.read_value())
        with tf.control_dependencies(steps):
            update = _unbiased(grown, total)
        return _told(value, update, metrics_collections, updates_collections)


def _unbiased(comoment: Any, count: Any) -> Any:
    return tf.where(count < 2, tf.zeros([]), comoment / tf.maximum(count - 1, 1))


@contrib(_BOTH, "streaming_pearson_correlation")
def streaming_pearson_correlation(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: Any = None,
) -> Any:
    """The correlation of predictions and labels, cov(p, q) / sqrt(var p var q), by weight; 0 where a variance is.

    Returns:
      (value, update).
    """
    with tf.variable_scope(name, "pearson_r", (predictions, labels, weights)):
        pairs = {"covariance": (predictions, labels), "variance_p": (predictions,) * 2, "variance_q": (labels,) * 2}
        parts = [streaming_covariance(*pair, weights, name=part) for part, pair in pairs.items()]
        value, update = (tf.div_no_nan(c, tf.sqrt(vp * vq)) for c, vp, vq in zip(*parts, strict=True))
        return _told(value, update, metrics_collections, updates_collections)
