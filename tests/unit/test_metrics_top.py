"""tf.metrics of TensorFlow 1 about the k best predictions, against figures worked out by hand.

scores of classes 0 1 2 3     best first       labels
row 0   .1 .4 .3 .2           1 2 3 0          2 0
row 1   .5 .1 .3 .1           0 2 1 3          0 2        (1 before 3: of equal ones the first)
row 2   .2 .1 .3 .4           3 2 0 1          1 9        (9 is no class)
"""

from __future__ import annotations

import math
from typing import Any

import pytest

import pullback.v1 as tf
from pullback.core.errors import ArgumentError, ShapeError

SCORES = [[0.1, 0.4, 0.3, 0.2], [0.5, 0.1, 0.3, 0.1], [0.2, 0.1, 0.3, 0.4]]
BEST = [[1, 2], [0, 2], [3, 2]]
LABELS = [[2, 0], [0, 2], [1, 9]]
FIRST = [2, 0, 1]
WEIGHTS = [1.0, 2.0, 3.0]


@pytest.fixture(autouse=True)
def fresh_graph() -> None:
    tf.reset_default_graph()


def figures(pair: Any) -> tuple[float, float]:
    """(value, update) after one batch."""
    value, update = pair
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        new = session.run(update)
        return float(session.run(value)), float(new)


M = tf.metrics
CASES = {
    # k = 2. Row 0: {1,2} and {2,0} share 2. Row 1: both. Row 2: none. So tp 1+2+0, of 2+2+2 labels and 2+2+2 places.
    "recall": (lambda: M.recall_at_k(LABELS, SCORES, 2), 3 / 6),
    "recall of places": (lambda: M.recall_at_top_k(LABELS, BEST), 3 / 6),
    "precision": (lambda: M.precision_at_k(LABELS, SCORES, 2), 3 / 6),
    "precision of places": (lambda: M.precision_at_top_k(LABELS, BEST), 3 / 6),
    "sparse precision": (lambda: M.sparse_precision_at_k(LABELS, SCORES, 2), 3 / 6),
    # k = 1: places 1, 0, 3; only row 1's is right. One of 6 labels, one of 3 places.
    "recall at 1": (lambda: M.recall_at_k(LABELS, SCORES, 1), 1 / 6),
    "precision at 1": (lambda: M.precision_at_k(LABELS, SCORES, 1), 1 / 3),
    # k = 3: {1,2,3}, {0,2,1}, {3,2,0}: still 1 + 2 + 0 right, of 9 places.
    "precision at 3": (lambda: M.precision_at_k(LABELS, SCORES, 3), 3 / 9),
    # One label each, 2 0 1: found in rows 0 and 1. 2 of 3 labels, 2 of 6 places.
    "recall of one label": (lambda: M.recall_at_k(FIRST, SCORES, 2), 2 / 3),
    "precision of one label": (lambda: M.precision_at_k(FIRST, SCORES, 2), 2 / 6),
    # Rows by 1, 2, 3: right 1*1 + 2*2 + 3*0 = 5, of 2*1 + 2*2 + 2*3 = 12.
    "weighted recall": (lambda: M.recall_at_k(LABELS, SCORES, 2, weights=WEIGHTS), 5 / 12),
    "weighted precision": (lambda: M.precision_at_k(LABELS, SCORES, 2, weights=WEIGHTS), 5 / 12),
    "weight of all": (lambda: M.precision_at_k(LABELS, SCORES, 2, weights=0.5), 3 / 6),
    # Class 2 is a label of rows 0 and 1, found in both; it is a place of all rows, right in two.
    "recall of a class": (lambda: M.recall_at_k(LABELS, SCORES, 2, class_id=2), 2 / 2),
    "precision of a class": (lambda: M.precision_at_k(LABELS, SCORES, 2, class_id=2), 2 / 3),
    # Class 0 is a label of rows 0 and 1, found in row 1.
    "recall of class 0": (lambda: M.recall_at_k(LABELS, SCORES, 2, class_id=0), 1 / 2),
    # Rows by 1, 2, 3: class 2 is right by 1 + 2, of 1 + 2 + 3.
    "weighted class": (lambda: M.precision_at_k(LABELS, SCORES, 2, class_id=2, weights=WEIGHTS), 3 / 6),
    # Class 3 is nobody's label, and class 1 is a place at k = 1 only where it is wrong.
    "recall of no label": (lambda: M.recall_at_k(LABELS, SCORES, 2, class_id=3), math.nan),
    "precision of no place": (lambda: M.precision_at_k(LABELS, SCORES, 1, class_id=2), math.nan),
    "precision of a wrong class": (lambda: M.precision_at_k(LABELS, SCORES, 1, class_id=1), 0.0),
    "nothing weighs": (lambda: M.recall_at_k(LABELS, SCORES, 2, weights=0.0), math.nan),
    # As sets {4, 5} and {4, 6}: one of two either way.
    "labels twice": (lambda: M.recall_at_top_k([[4, 4, 4, 5]], [[4, 6]]), 1 / 2),
    "places twice": (lambda: M.precision_at_top_k([[4, 5]], [[4, 4, 6, 4]]), 1 / 2),
    # No class: to recall a label that is missed, 1 of 2; to precision nothing, 1 of 1.
    "recall outside": (lambda: M.recall_at_k([[-1, 1]], [[0.0, 1.0]], 1), 1 / 2),
    "precision outside": (lambda: M.precision_at_k([[-1, 1]], [[0.0, 1.0]], 1), 1 / 1),
    # Two axes: rows (0, 1) in one example; weights [1, 2]. Right 1*1 + 2*2, of 2*1 + 2*2.
    "two axes": (lambda: M.precision_at_k([LABELS[:2]], [SCORES[:2]], 2, weights=[[1.0, 2.0]]), 5 / 6),
    "an axis of weights": (lambda: M.precision_at_k([LABELS[:2]], [SCORES[:2]], 2, weights=[[3.0]]), 3 / 4),
    # Right places of k = 3. Row 0: 1 2 3 -> only the second: (1/2) / 2. Row 1: 0 2 1 -> the first two: (1/1 + 2/2) / 2.
    # Row 2: none. The mean of 1/4, 1, 0.
    "average": (lambda: M.average_precision_at_k(LABELS, SCORES, 3), 5 / 12),
    "sparse average": (lambda: M.sparse_average_precision_at_k(LABELS, SCORES, 3), 5 / 12),
    # k = 1: the first places alone, 0 1 0, each of min(2, 1) labels.
    "average at 1": (lambda: M.average_precision_at_k(LABELS, SCORES, 1), 1 / 3),
    # k = 4. Row 0: 1 2 3 0 -> second and fourth: (1/2 + 2/4) / 2 = 1/2. Row 1: 1. Row 2: 3 2 0 1 -> (1/4) / 2 = 1/8.
    "average at 4": (lambda: M.average_precision_at_k(LABELS, SCORES, 4), (1 / 2 + 1 + 1 / 8) / 3),
    # (1 * 1/4 + 2 * 1 + 3 * 0) / (1 + 2 + 3)
    "weighted average": (lambda: M.average_precision_at_k(LABELS, SCORES, 3, weights=WEIGHTS), 2.25 / 6),
    # One label each, 2 0 1, k = 3: second, first, none: 1/2, 1, 0.
    "average of one label": (lambda: M.average_precision_at_k(FIRST, SCORES, 3), 1 / 2),
    "average of nothing": (lambda: M.average_precision_at_k(LABELS, SCORES, 3, weights=0.0), 0.0),
}


@pytest.mark.parametrize("case", CASES)
def test_by_hand(case: str) -> None:
    build, expected = CASES[case]
    assert figures(build()) == pytest.approx((expected, expected), rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    "metric, steps",
    [
        # tp of 2 labels a row: 1/2, then (1+2)/4, then 3/6.
        (M.recall_at_k, [1 / 2, 3 / 4, 3 / 6]),
        (M.precision_at_k, [1 / 2, 3 / 4, 3 / 6]),
        # (1/2)/2 = 1/4, then (1/4 + 1)/2, then (1/4 + 1 + 0)/3.
        (M.average_precision_at_k, [1 / 4, 5 / 8, 5 / 12]),
    ],
    ids=["recall", "precision", "average"],
)
def test_batches_of_one_row_add_up(metric: Any, steps: list[float]) -> None:
    labels, scores = tf.placeholder(tf.int64, [None, None]), tf.placeholder(tf.float32, [None, 4])
    value, update = metric(labels, scores, 2)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        for row, step in enumerate(steps):
            new = session.run(update, {labels: LABELS[row : row + 1], scores: SCORES[row : row + 1]})
            assert (new, session.run(value)) == pytest.approx((step, step), rel=1e-12)


def test_collections_and_variables() -> None:
    value, update = M.recall_at_k(LABELS, SCORES, 2, metrics_collections=["m"], updates_collections=["u"])
    assert tf.get_collection("m") == [value] and tf.get_collection("u") == [update]
    names = [v.op.name for v in tf.get_collection(tf.GraphKeys.METRIC_VARIABLES)]
    assert names == ["recall_at_2/true_positive_at_2", "recall_at_2/false_negative_at_2"]
    assert value.dtype == tf.float64


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="Invalid k=0"):
        M.average_precision_at_k(LABELS, SCORES, 0)
    with pytest.raises(ShapeError, match="Unexpected labels shape"):
        M.recall_at_k([[[1]]], SCORES, 1)
    with pytest.raises(ShapeError, match="Unexpected labels shape"):
        M.precision_at_k([1, 2], SCORES, 1)
    with pytest.raises(ShapeError, match="Unexpected labels shape"):
        M.precision_at_k(1, SCORES, 1)
    with pytest.raises(ShapeError, match="weights"):
        M.precision_at_k(LABELS, SCORES, 1, weights=[1.0, 2.0])
    with pytest.raises(ArgumentError, match="ranks"):
        M.recall_at_k(tf.placeholder(tf.int64), SCORES, 1)
    with pytest.raises(ArgumentError, match="k = 5"):
        M.precision_at_k(LABELS, SCORES, 5)
