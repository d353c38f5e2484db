"""Metrics of both dialects over two batches, against NumPy over all examples at once."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import pullback as tf2
import pullback.v1 as tf

RNG = np.random.default_rng(0)
P = RNG.uniform(size=(2, 40)).astype(np.float32)
Q = RNG.uniform(size=(2, 40)) < P
W = RNG.uniform(size=(2, 40)).astype(np.float32)
p, q, w = P.ravel(), Q.ravel(), W.ravel()
HIT = p > 0.5


@pytest.fixture(autouse=True)
def fresh_graph() -> None:
    tf.reset_default_graph()


def over_batches(build: Any) -> tuple[Any, Any]:
    """(value, last update) of a metric that is shown both batches."""
    placed = [tf.placeholder(kind, [None]) for kind in (tf.bool, tf.float32, tf.float32)]
    value, update = build(*placed)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        last = None
        for batch in zip(Q, P, W, strict=True):
            last = session.run(update, dict(zip(placed, batch, strict=True)))
        return session.run(value), last


def share(yes: Any, of: Any, by: Any = w) -> float:
    return float((by * (yes & of)).sum() / (by * of).sum())


V1 = {
    "mean": (lambda Q, P, W: tf.metrics.mean(P, W), (p * w).sum() / w.sum()),
    "accuracy": (lambda Q, P, W: tf.metrics.accuracy(Q, P > 0.5), (q == HIT).mean()),
    "weighted accuracy": (lambda Q, P, W: tf.metrics.accuracy(Q, P > 0.5, W), (w * (q == HIT)).sum() / w.sum()),
    "precision": (lambda Q, P, W: tf.metrics.precision(Q, P > 0.5, W), share(q, HIT)),
    "recall": (lambda Q, P, W: tf.metrics.recall(Q, P > 0.5, W), share(HIT, q)),
    "true positives": (lambda Q, P, W: tf.metrics.true_positives(Q, P > 0.5), (q & HIT).sum()),
    "false positives": (lambda Q, P, W: tf.metrics.false_positives(Q, P > 0.5), (~q & HIT).sum()),
    "true negatives": (lambda Q, P, W: tf.metrics.true_negatives(Q, P > 0.5), (~q & ~HIT).sum()),
    "false negatives": (lambda Q, P, W: tf.metrics.false_negatives(Q, P > 0.5, W), (w * (q & ~HIT)).sum()),
    "mse": (lambda Q, P, W: tf.metrics.mean_squared_error(Q, P), ((p - q) ** 2).mean()),
    "mae": (lambda Q, P, W: tf.metrics.mean_absolute_error(Q, P), np.abs(p - q).mean()),
    "rmse": (lambda Q, P, W: tf.metrics.root_mean_squared_error(Q, P), np.sqrt(((p - q) ** 2).mean())),
    "relative": (
        lambda Q, P, W: tf.metrics.mean_relative_error(W, P, normalizer=tf.cast(Q, tf.float32)),
        (np.abs(w - p) * q).mean(),
    ),
    "below": (lambda Q, P, W: tf.metrics.percentage_below(P, 0.3), (p < 0.3).mean()),
    "precision at": (
        lambda Q, P, W: tf.metrics.precision_at_thresholds(Q, P, [0.2, 0.6]),
        [share(q, p > t, np.ones(80)) for t in (0.2, 0.6)],
    ),
    "recall at": (
        lambda Q, P, W: tf.metrics.recall_at_thresholds(Q, P, [0.2, 0.6], W),
        [share(p > t, q) for t in (0.2, 0.6)],
    ),
    "counts at": (
        lambda Q, P, W: tf.metrics.false_positives_at_thresholds(Q, P, [0.2, 0.6]),
        [(~q & (p > t)).sum() for t in (0.2, 0.6)],
    ),
}


@pytest.mark.parametrize("name", V1)
def test_v1_metrics(name: str) -> None:
    build, want = V1[name]
    value, last = over_batches(build)
    np.testing.assert_allclose(value, want, rtol=1e-5)
    np.testing.assert_array_equal(last, value)


def test_v1_means_by_class() -> None:
    right = [(~q & ~HIT).sum(), (q & HIT).sum()]
    matrix = [[right[0], (~q & HIT).sum()], [(q & ~HIT).sum(), right[1]]]
    value, last = over_batches(lambda Q, P, W: tf.metrics.mean_iou(Q, P > 0.5, 2))
    np.testing.assert_array_equal(last, matrix)
    union = [(~q | ~HIT).sum(), (q | HIT).sum()]
    np.testing.assert_allclose(value, (right[0] / union[0] + right[1] / union[1]) / 2, rtol=1e-6)
    value, last = over_batches(lambda Q, P, W: tf.metrics.mean_per_class_accuracy(Q, P > 0.5, 2))
    np.testing.assert_allclose(last, [right[0] / (~q).sum(), right[1] / q.sum()], rtol=1e-6)
    np.testing.assert_allclose(value, np.mean(last), rtol=1e-6)


def ranked(labels: Any, scores: Any) -> float:
    """How often a 1 scores above a 0: the area under the ROC curve."""
    pairs = itertools.product(scores[labels], scores[~labels])
    return float(np.mean([a > b for a, b in pairs]))


def average_precision(labels: Any, scores: Any) -> float:
    """The mean precision at each 1."""
    return float(np.mean([labels[scores >= s].mean() for s in scores[labels]]))


def test_areas_under_curves() -> None:
    area = ranked(q, p)
    value, last = over_batches(lambda Q, P, W: tf.metrics.auc(Q, P, num_thresholds=1000))
    assert value == pytest.approx(last, rel=1e-6) and value == pytest.approx(area, abs=0.005)
    pr = {"curve": "PR", "summation_method": "careful_interpolation"}
    value, _ = over_batches(lambda Q, P, W: tf.metrics.auc(Q, P, num_thresholds=1000, **pr))
    assert value == pytest.approx(average_precision(q, p), abs=0.02)
    metric = tf2.keras.metrics.AUC(num_thresholds=1000)
    metric.update_state(Q[0], P[0])
    assert float(metric(Q[1], P[1])) == pytest.approx(area, abs=0.005)
    low, high = (tf2.keras.metrics.AUC(5, summation_method=s)(q, p).numpy() for s in ("minoring", "majoring"))
    assert low < area < high


def test_area_worked_out_by_hand() -> None:
    # Thresholds just below 0, 0.5, just above 1. TP 2, 1, 0 of 2; FP 2, 0, 0 of 2.
    # ROC from (1, 1) to (0, 1/2) to (0, 0): area 1 * (1 + 1/2) / 2.
    labels, scores = [0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]
    assert float(tf2.keras.metrics.AUC(num_thresholds=3)(labels, scores)) == pytest.approx(0.75)
    assert float(tf2.keras.metrics.AUC(thresholds=[0.5])(labels, scores)) == pytest.approx(0.75)
    logits = np.log(np.array([0.1, 0.5, 0.3, 0.9]) / np.array([0.9, 0.5, 0.7, 0.1]))
    assert float(tf2.keras.metrics.AUC(thresholds=[0.6], from_logits=True)(labels, logits)) == pytest.approx(0.75)


def test_area_by_label() -> None:
    labels, scores = Q.reshape(-1, 2), P.reshape(-1, 2)
    each = [float(tf2.keras.metrics.AUC()(labels[:, i], scores[:, i])) for i in range(2)]
    assert float(tf2.keras.metrics.AUC(multi_label=True)(labels, scores)) == pytest.approx(np.mean(each))
    weighted = tf2.keras.metrics.AUC(multi_label=True, num_labels=2, label_weights=[1.0, 3.0])
    assert float(weighted(labels, scores)) == pytest.approx((each[0] + 3 * each[1]) / 4)


def test_sensitivity_and_specificity() -> None:
    limits = [i / 199 for i in range(1, 199)]
    rows = [((p > t)[q].mean(), (~(p > t))[~q].mean()) for t in limits]
    best = min(rows, key=lambda row: abs(row[1] - 0.7))
    value, _ = over_batches(lambda Q, P, W: tf.metrics.sensitivity_at_specificity(Q, P, 0.7))
    assert value == pytest.approx(best[0], abs=1e-5)
    nearest = min(abs(row[0] - 0.7) for row in rows)
    best = [row for row in rows if abs(row[0] - 0.7) <= nearest + 1e-9][-1]
    value, _ = over_batches(lambda Q, P, W: tf.metrics.specificity_at_sensitivity(Q, P, 0.7))
    assert value == pytest.approx(best[1], abs=1e-5)
    with pytest.raises(ValueError, match="in the range"):
        tf.metrics.specificity_at_sensitivity([1], [0.5], 1.5)


def test_v1_variables_collections_and_names() -> None:
    value, update = tf.metrics.mean([1.0, 2.0], metrics_collections="values", updates_collections=["ups"], name="m")
    assert [v.name for v in tf.local_variables()] == ["m/total:0", "m/count:0"]
    assert tf.get_collection(tf.GraphKeys.METRIC_VARIABLES) == tf.local_variables()
    assert tf.global_variables() == tf.trainable_variables() == []
    assert (tf.get_collection("values"), tf.get_collection("ups")) == ([value], [update])
    assert (value.name, update.name) == ("m/value:0", "m/update_op:0")
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(value) == 0.0
        assert [session.run(update), session.run(value)] == [1.5, 1.5]


def test_v1_mistakes() -> None:
    with pytest.raises(ValueError, match="incompatible"):
        tf.metrics.accuracy([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="ROC or PR"):
        tf.metrics.auc([1], [0.5], curve="XY")
    _, update = tf.metrics.auc([True, False], [0.5, 1.5])
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match=r"\[0, 1\]"):
        session.run(tf.local_variables_initializer())
        session.run(update)


def kept(metric: Any, *weights: Any) -> float:
    """A Keras metric's figure over both batches."""
    for i in range(2):
        metric.update_state(Q[i], P[i], *[x[i] for x in weights])
    return float(metric.result())


def test_keras_counts_precision_and_recall() -> None:
    m = tf2.keras.metrics
    assert kept(m.TruePositives()) == (q & HIT).sum()
    assert kept(m.FalseNegatives(0.7)) == (q & (p <= 0.7)).sum()
    assert kept(m.Precision(), W) == pytest.approx(share(q, HIT), rel=1e-5)
    assert kept(m.Recall(), W) == pytest.approx(share(HIT, q), rel=1e-5)
    both = m.Recall(thresholds=[0.2, 0.6])(q, p)
    np.testing.assert_allclose(both, [(p > t)[q].mean() for t in (0.2, 0.6)], rtol=1e-6)
    # Of the top two of each row, three of four are 1; of class 2, nothing is above 0.5.
    rows, labels = [[0.1, 0.4, 0.3], [0.6, 0.2, 0.2]], [[0, 1, 1], [1, 0, 1]]
    assert float(m.Precision(top_k=2)(labels, rows)) == 0.75
    assert float(m.Recall(class_id=2)(labels, rows)) == 0.0
    assert float(m.Recall(class_id=2, thresholds=0.25)(labels, rows)) == 0.5
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        m.Precision(thresholds=1.5)


def test_keras_accuracies() -> None:
    m = tf2.keras.metrics
    scores = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.2, 0.5, 0.3]])
    classes = np.array([1, 1, 2, 0])
    one_hot = np.eye(3)[classes]
    assert float(m.SparseCategoricalAccuracy()(classes, scores)) == 0.5
    assert float(m.SparseCategoricalAccuracy()(classes[:, None], scores, [1.0, 1.0, 0.0, 0.0])) == 0.5
    assert float(m.CategoricalAccuracy()(one_hot, scores, [3.0, 1.0, 0.0, 0.0])) == 0.75
    assert float(m.SparseTopKCategoricalAccuracy(k=2)(classes, scores)) == 0.75
    assert float(m.TopKCategoricalAccuracy(k=2)(one_hot, scores)) == 0.75
    assert float(m.BinaryAccuracy(threshold=0.4)([[1], [1], [0], [0]], [[0.5], [0.3], [0.4], [0.9]])) == 0.5
    assert float(m.Accuracy()([[1], [2], [3], [4]], [[0], [2], [3], [4]])) == 0.75
    assert m.sparse_categorical_accuracy(classes, scores).numpy().tolist() == [1, 0, 1, 0]


def test_keras_means() -> None:
    m = tf2.keras.metrics
    rows, labels = P.reshape(-1, 4), Q.reshape(-1, 4).astype(np.float32)
    squares = (rows - labels) ** 2
    assert float(m.MeanSquaredError()(labels, rows)) == pytest.approx(squares.mean(), rel=1e-5)
    assert float(m.RootMeanSquaredError()(labels, rows)) == pytest.approx(np.sqrt(squares.mean()), rel=1e-5)
    by = np.arange(20.0)
    assert float(m.MeanSquaredError()(labels, rows, by)) == pytest.approx(
        (squares.mean(-1) * by).sum() / by.sum(), 1e-5
    )
    assert float(m.CosineSimilarity()([[3.0, 4.0]], [[4.0, 3.0]])) == pytest.approx(0.96)
    assert float(m.BinaryCrossentropy(from_logits=True)([[1.0]], [[0.0]])) == pytest.approx(np.log(2))
    total = m.Sum()
    total.update_state([1, 2, 3])
    assert float(total([4.0], sample_weight=0.5)) == 8.0
    tensor = m.MeanTensor()
    tensor.update_state([1.0, 2.0])
    assert tensor([3.0, 4.0], [0.0, 1.0]).numpy().tolist() == [1.0, 3.0]
    with pytest.raises(ValueError, match="same shape"):
        tensor.update_state([1.0])
    mean = m.Mean()
    assert float(mean(np.ones((2, 3, 4)), [1.0, 0.0])) == 1.0
    assert mean.count.numpy() == 1.0
    wrapped = m.MeanMetricWrapper(lambda a, b, scale: (a - b) * scale, scale=2.0)
    assert float(wrapped([3.0, 1.0], [1.0, 0.0])) == 3.0


def test_keras_metrics_in_functions_reset_and_merge() -> None:
    m = tf2.metrics.Mean(name="loss")

    @tf2.function
    def step(x: Any) -> Any:
        m.update_state(x)
        return m.result()

    assert [float(step(tf2.constant([1.0, 2.0]))), float(step(tf2.constant([6.0, 7.0])))] == [1.5, 4.0]
    other = tf2.metrics.Mean()
    other.update_state([8.0])
    m.merge_state([other])
    assert float(m.result()) == pytest.approx(24 / 5)
    assert [v.name for v in m.variables] == ["total:0", "count:0"]
    assert m.trainable_variables == []
    m.reset_state()
    assert float(m.result()) == 0.0
    assert repr(m) == "Mean(name=loss,dtype=float32)"


def test_own_metrics_and_names() -> None:
    class Largest(tf2.keras.metrics.Metric):
        def __init__(self, name: str = "largest", **kwargs: Any) -> None:
            super().__init__(name, **kwargs)
            self.best = self.add_weight(name="best", initializer="zeros")

        def update_state(self, values: Any) -> None:  # type: ignore[override]
            self.best.assign(tf2.maximum(self.best, tf2.reduce_max(values)))

        def result(self) -> Any:
            return self.best.read_value()

    largest = Largest()
    largest.update_state(tf2.constant([1.0, 3.0]))
    assert float(largest(tf2.constant([2.0]))) == 3.0
    space = tf2.keras.metrics
    assert isinstance(space.get("AUC"), space.AUC)
    assert space.get("mse") is space.mean_squared_error
    again = space.deserialize(space.serialize(space.Precision(0.3, class_id=1)))
    assert (again.thresholds, again.class_id) == ([0.3], 1)
    with pytest.raises(ValueError, match="Unknown metric"):
        space.get("nothing")
