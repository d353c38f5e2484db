"""tf.metrics of TensorFlow 1 about the k best predictions: recall, precision and average precision at k.

labels [D1..DN, n]   the right classes of each example; or [D1..DN], one each
places [D1..DN, k]   the classes predicted best

    in both            true positives
    in places alone    false positives         precision = tp / (tp + fp)
    in labels alone    false negatives         recall    = tp / (tp + fn)

Both are sets: a class that stands twice in a row counts once. A label that is no class is never among the places; so
precision ignores it, and to recall it is a false negative. Labels are dense tensors only.
"""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, shape
from pullback.core.basics import shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.conversion import constant
from pullback.ops.array.ordering import top_k
from pullback.ops.array.ranges import range_
from pullback.ops.array.shape import expand_dims
from pullback.ops.math import arithmetic as m
from pullback.ops.math.cumulative import cumsum
from pullback.ops.math.functions import divide_no_nan
from pullback.ops.math.reduce_functions import reduce_any, reduce_sum
from pullback.ops.math.select import Cast
from pullback.train.metrics_v1 import Pair, kept, opened, told
from pullback.train.weighting import cast, spread


def _called(what: str, k: Any, class_id: int | None = None) -> str:
    """The default name: recall_at_5, recall_at_k, recall_at_5_class3."""
    name = f"{what}_at_k" if k is None else f"{what}_at_{k}"
    return name if class_id is None else f"{name}_class{class_id}"


def _rows(labels: Any, places: Any, what: str) -> tuple[Tensor, Tensor]:
    """(labels [D1..DN, n], places [D1..DN, k]), int64.

    Raises:
      ArgumentError: a rank is not known. ShapeError: labels have neither shape.
    """
    q, p = cast(labels, dtypes.int64), cast(places, dtypes.int64)
    have, best = q.spec.shape, p.spec.shape
    if have is None or best is None:
        raise ArgumentError(f"metrics.{what}: the ranks of labels and predictions must be known").locate()
    rows = have if len(have) == len(best) - 1 else have[:-1]
    if not best or (not have and len(best) > 1) or not shape.compatible(rows, best[:-1]):
        raise ShapeError(
            f"metrics.{what}: Unexpected labels shape {shape.text(have)} for predictions shape {shape.text(best)}: "
            "labels must be [D1, ... DN] or [D1, ... DN, num_labels] to predictions [D1, ... DN, k]"
        ).locate()
    return (expand_dims(q, -1) if len(have) == len(best) - 1 else q), p


def _met(q: Tensor, p: Tensor) -> Tensor:
    """Which place holds which label: [.., n], [.., k] -> [.., k, n], bool."""
    return m.Equal()(expand_dims(p, -1), expand_dims(q, -2))


def _members(x: Tensor, class_id: int | None) -> Tensor:
    """Where an entry stands in its row for the first time, and is of the class; [.., n], bool."""
    at = range_(shape_of(x)[-1])
    before = m.Less()(expand_dims(at, 0), expand_dims(at, 1))
    first = m.LogicalNot()(reduce_any(m.LogicalAnd()(_met(x, x), before), -1))
    return first if class_id is None else m.LogicalAnd()(first, m.Equal()(x, constant(class_id, dtypes.int64)))


def _counted(members: Tensor, weights: Any, name: str) -> tuple[Any, Any]:
    """(so far, with this batch) of how many members there were, by weight; kept."""
    rows = reduce_sum(Cast(dtypes.float64)(members), -1)
    if weights is not None:
        rows = rows * spread(cast(weights, dtypes.float64), rows)
    total = kept(name, (), dtypes.float64)
    return total.value(), total.assign_add(reduce_sum(rows))


@public(v1="metrics.recall_at_top_k")
def recall_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The part of the labels that is among the predicted classes; nan before the first label.

    Args:
      labels: [D1..DN] or [D1..DN, num_labels], integer; one that is no class is a false negative.
      predictions_idx: [D1..DN, k], the predicted classes, integer.
      k: for the default name only.
      class_id: counts only labels of this class.
      weights: [] or [D1..DN], each axis possibly 1.
    Returns:
      (value, update_op), float64.
    Raises:
      ShapeError: labels or weights do not fit. ArgumentError: a rank is not known.
    """
    with opened("recall_at_top_k", name, _called("recall", k, class_id)):
        q, p = _rows(labels, predictions_idx, "recall_at_top_k")
        found, wanted = reduce_any(_met(q, p), -2), _members(q, class_id)
        missed = m.LogicalAnd()(wanted, m.LogicalNot()(found))
        tp, new_tp = _counted(m.LogicalAnd()(wanted, found), weights, _called("true_positive", k, class_id))
        fn, new_fn = _counted(missed, weights, _called("false_negative", k, class_id))
        return told(tp / (tp + fn), new_tp / (new_tp + new_fn), metrics_collections, updates_collections)


@public(v1="metrics.recall_at_k")
def recall_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """`recall_at_top_k` of the k classes with the largest predictions [D1..DN, num_classes]; of equal ones the first.

    Raises:
      ArgumentError: there are no k classes. Else as `recall_at_top_k`.
    """
    best = top_k(predictions, k).indices
    return recall_at_top_k(labels, best, k, class_id, weights, metrics_collections, updates_collections, name)


@public(v1="metrics.precision_at_top_k")
def precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The part of the predicted classes that is among the labels; nan before the first prediction.

    Args:
      labels: [D1..DN] or [D1..DN, num_labels], integer; one that is no class is ignored.
      predictions_idx: [D1..DN, k], the predicted classes, integer.
      k: for the default name only.
      class_id: counts only predictions of this class.
      weights: [] or [D1..DN], each axis possibly 1.
    Returns:
      (value, update_op), float64.
    Raises:
      ShapeError: labels or weights do not fit. ArgumentError: a rank is not known.
    """
    with opened("precision_at_top_k", name, _called("precision", k, class_id)):
        q, p = _rows(labels, predictions_idx, "precision_at_top_k")
        right, named = reduce_any(_met(q, p), -1), _members(p, class_id)
        wrong = m.LogicalAnd()(named, m.LogicalNot()(right))
        tp, new_tp = _counted(m.LogicalAnd()(named, right), weights, _called("true_positive", k, class_id))
        fp, new_fp = _counted(wrong, weights, _called("false_positive", k, class_id))
        return told(tp / (tp + fp), new_tp / (new_tp + new_fp), metrics_collections, updates_collections)


@public(v1=("metrics.precision_at_k", "metrics.sparse_precision_at_k"))
def precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """`precision_at_top_k` of the k classes with the largest predictions [D1..DN, num_classes]; of equal ones the
    first.

    Raises:
      ArgumentError: there are no k classes. Else as `precision_at_top_k`.
    """
    best = top_k(predictions, k).indices
    return precision_at_top_k(labels, best, k, class_id, weights, metrics_collections, updates_collections, name)


@public(v1=("metrics.average_precision_at_k", "metrics.sparse_average_precision_at_k"))
def average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean over examples of sum_i(precision at i, where place i is right) / min(num_labels, k); 0 before the first.

    Args:
      labels: [D1..DN] or [D1..DN, num_labels], integer. One that is no class is never right, yet is in num_labels.
      predictions: [D1..DN, num_classes], of which the k largest are taken; of equal ones the first.
      weights: [] or [D1..DN], each axis possibly 1.
    Returns:
      (value, update_op), float64.
    Raises:
      ValueError: k is less than 1, or there are no k classes. ShapeError: labels or weights do not fit.
    """
    if k < 1:
        raise ArgumentError(f"metrics.average_precision_at_k: Invalid k={k}: it must be at least 1").locate()
    with opened("average_precision_at_k", name, _called("average_precision", k)):
        q, p = _rows(labels, top_k(predictions, k).indices, "average_precision_at_k")
        right = Cast(dtypes.float64)(reduce_any(_met(q, p), -1))
        precision = cumsum(right, -1) / Cast(dtypes.float64)(range_(1, k + 1))
        relevant = Cast(dtypes.float64)(m.Minimum()(shape_of(q)[-1], k))
        rows = reduce_sum(precision * right, -1) / relevant
        w = spread(cast(1.0 if weights is None else weights, dtypes.float64), rows)
        total, most = kept("total", (), dtypes.float64), kept("max", (), dtypes.float64)
        new_total, new_most = total.assign_add(reduce_sum(rows * w)), most.assign_add(reduce_sum(w))
        value = divide_no_nan(total.value(), most.value(), name="mean")
        update = divide_no_nan(new_total, new_most, name="update")
        return told(value, update, metrics_collections, updates_collections)
