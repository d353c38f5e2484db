"""Losses of both dialects, against their formulas in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as tf2
import pullback.v1 as tf

RNG = np.random.default_rng(0)
P = RNG.uniform(0.1, 0.9, (3, 4))
Q = (RNG.uniform(size=(3, 4)) > 0.5).astype(np.float64)
W = np.array([[1.0], [0.0], [2.0]])
X = RNG.normal(size=(3, 4))
CLASSES = np.array([1, 0, 3])
ONE_HOT = np.eye(4)[CLASSES]
LOG_P = X - np.log(np.exp(X).sum(-1, keepdims=True))
SIGMOID = 1 / (1 + np.exp(-X))


@pytest.fixture(autouse=True)
def fresh_graph() -> None:
    tf.reset_default_graph()


def run(fetches: Any) -> Any:
    with tf.Session() as session:
        return session.run(fetches)


def entries(name: str) -> Any:
    """The unweighted losses."""
    e = np.abs(P - Q)
    return {
        "absolute_difference": e,
        "mean_squared_error": e**2,
        "log_loss": -Q * np.log(P + 1e-7) - (1 - Q) * np.log(1 - P + 1e-7),
        "hinge_loss": np.maximum(0, 1 - (2 * Q - 1) * P),
        "huber_loss": np.where(e <= 1, e * e / 2, e - 0.5),
    }[name]


@pytest.mark.parametrize("name", ["absolute_difference", "mean_squared_error", "log_loss", "hinge_loss", "huber_loss"])
def test_v1_losses_and_reductions(name: str) -> None:
    made, values, r = getattr(tf.losses, name), entries(name), tf.losses.Reduction
    weighted = values * W
    wanted = [
        (made(Q, P), values.mean()),
        (made(Q, P, W), weighted.sum() / 8),
        (made(Q, P, W, reduction=r.MEAN), weighted.sum() / 12),
        (made(Q, P, W, reduction=r.SUM), weighted.sum()),
        (made(Q, P, W, reduction=r.SUM_OVER_BATCH_SIZE), weighted.sum() / 12),
        (made(Q, P, W, reduction=r.NONE), weighted),
        (made(Q, P, 0.0), 0.0),
    ]
    for got, (_, want) in zip(run([g for g, _ in wanted]), wanted, strict=True):
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, want)


def test_huber_beyond_delta() -> None:
    got = run(tf.losses.huber_loss([0.0, 0.0], [0.2, 3.0], delta=0.5, reduction="none"))
    np.testing.assert_allclose(got, [0.02, 0.5 * 3 - 0.125], rtol=1e-6)


def test_v1_entropies() -> None:
    smooth = ONE_HOT * 0.8 + 0.2 / 4
    half = Q * 0.8 + 0.1
    cases = [
        (tf.losses.softmax_cross_entropy(ONE_HOT, X), -(ONE_HOT * LOG_P).sum(-1).mean()),
        (tf.losses.softmax_cross_entropy(ONE_HOT, X, label_smoothing=0.2), -(smooth * LOG_P).sum(-1).mean()),
        (tf.losses.sparse_softmax_cross_entropy(CLASSES, X), -(ONE_HOT * LOG_P).sum(-1).mean()),
        (
            tf.losses.sparse_softmax_cross_entropy(CLASSES[:, None], X, W),
            -((ONE_HOT * LOG_P).sum(-1) * W[:, 0]).sum() / 2,
        ),
        (
            tf.losses.sigmoid_cross_entropy(Q, X, label_smoothing=0.2),
            (-half * np.log(SIGMOID) - (1 - half) * np.log(1 - SIGMOID)).mean(),
        ),
    ]
    np.testing.assert_allclose(run([got for got, _ in cases]), [want for _, want in cases])


def test_cosine_distance() -> None:
    np.testing.assert_allclose(run(tf.losses.cosine_distance(Q, P, axis=1)), (1 - (P * Q).sum(1)).mean())
    np.testing.assert_allclose(run(tf.losses.cosine_distance(Q, P, dim=0)), (1 - (P * Q).sum(0)).mean())
    with pytest.raises(ValueError, match="You must specify 'axis'"):
        tf.losses.cosine_distance(Q, P)


def test_mean_pairwise_squared_error() -> None:
    d = P - Q
    each = [np.mean([(a[i] - a[j]) ** 2 for i in range(4) for j in range(4) if i != j]) for a in d]
    np.testing.assert_allclose(run(tf.losses.mean_pairwise_squared_error(Q, P)), sum(each))
    np.testing.assert_allclose(run(tf.losses.mean_pairwise_squared_error(Q, P, W)), each[0] + 2 * each[2])


def test_losses_are_collected_by_scope() -> None:
    with tf.name_scope("a"):
        first = tf.losses.mean_squared_error(Q, P)
    second = tf.losses.absolute_difference(Q, P)
    tf.losses.hinge_loss(Q, P, loss_collection=None)
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.constant(2.0, tf.float64))
    assert tf.losses.get_losses() == [first, second]
    assert tf.losses.get_losses("a/") == [first]
    total, bare = tf.losses.get_total_loss(), tf.losses.get_total_loss(False)
    assert total.op.name == "total_loss"
    parts = run([first, second, total, bare])
    assert parts[2] == pytest.approx(parts[0] + parts[1] + 2)
    assert parts[3] == pytest.approx(parts[0] + parts[1])


def test_v1_mistakes() -> None:
    with pytest.raises(ValueError, match="incompatible"):
        tf.losses.mean_squared_error([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="weights can not be broadcast"):
        tf.losses.mean_squared_error(Q, P, np.ones(4))
    with pytest.raises(ValueError, match="Invalid Reduction Key"):
        tf.losses.mean_squared_error(Q, P, reduction="middle")
    with pytest.raises(ValueError, match="must not be None"):
        tf.losses.mean_squared_error(None, P)
    with pytest.raises(ValueError, match="collected no loss"):
        tf.losses.get_total_loss()
    assert run(tf.losses.get_regularization_loss()) == 0.0


def test_unknown_shapes() -> None:
    x, weights = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32)
    loss = tf.losses.mean_squared_error(Q, x, weights)
    with tf.Session() as session:
        for w, want in ((2.0, 2 * ((P - Q) ** 2).mean()), (W, ((P - Q) ** 2 * W).sum() / 8)):
            np.testing.assert_allclose(session.run(loss, {x: P, weights: w}), want, rtol=1e-5)
        with pytest.raises(ValueError):
            session.run(loss, {x: P, weights: np.ones((2, 1, 1))})


def test_weights_and_predictions_get_gradients() -> None:
    p, w = tf.constant(P), tf.constant(W)
    dp, dw = tf.gradients(tf.losses.mean_squared_error(Q, p, w, reduction="weighted_sum"), [p, w])
    got = run([dp, dw])
    np.testing.assert_allclose(got[0], 2 * (P - Q) * W)
    np.testing.assert_allclose(got[1], ((P - Q) ** 2).sum(1, keepdims=True))


PROBABILITIES = P / P.sum(-1, keepdims=True)
UNIT = [a / np.sqrt((a * a).sum(-1, keepdims=True)) for a in (P, Q)]
KERAS = {
    "MeanSquaredError": ((P - Q) ** 2).mean(-1),
    "MeanAbsoluteError": np.abs(P - Q).mean(-1),
    "MeanAbsolutePercentageError": 100 * (np.abs(P - Q) / np.maximum(Q, 1e-7)).mean(-1),
    "MeanSquaredLogarithmicError": ((np.log1p(P) - np.log1p(np.maximum(Q, 1e-7))) ** 2).mean(-1),
    "Hinge": np.maximum(1 - (2 * Q - 1) * P, 0).mean(-1),
    "SquaredHinge": (np.maximum(1 - (2 * Q - 1) * P, 0) ** 2).mean(-1),
    "CategoricalHinge": np.maximum(((1 - Q) * P).max(-1) - (Q * P).sum(-1) + 1, 0),
    "LogCosh": np.log(np.cosh(P - Q)).mean(-1),
    "Poisson": (P - Q * np.log(P + 1e-7)).mean(-1),
    "KLDivergence": (np.clip(Q, 1e-7, 1) * np.log(np.clip(Q, 1e-7, 1) / P)).sum(-1),
    "Huber": ((P - Q) ** 2 / 2).mean(-1),
    "CosineSimilarity": -(UNIT[0] * UNIT[1]).sum(-1),
    "BinaryCrossentropy": -(Q * np.log(P + 1e-7) + (1 - Q) * np.log(1 - P + 1e-7)).mean(-1),
    "CategoricalCrossentropy": -(Q * np.log(PROBABILITIES)).sum(-1),
    "BinaryFocalCrossentropy": -(
        (1 - Q * P - (1 - Q) * (1 - P)) ** 2 * (Q * np.log(P + 1e-7) + (1 - Q) * np.log(1 - P + 1e-7))
    ).mean(-1),
    "CategoricalFocalCrossentropy": -(0.25 * (1 - PROBABILITIES) ** 2 * Q * np.log(PROBABILITIES)).sum(-1),
}


@pytest.mark.parametrize("name", sorted(KERAS))
def test_keras_losses(name: str) -> None:
    made, want = getattr(tf2.losses, name), KERAS[name]
    assert getattr(tf2.keras.losses, name) is made
    np.testing.assert_allclose(made(reduction="none")(Q, P), want, rtol=1e-6)
    np.testing.assert_allclose(made()(Q, P), want.mean(), rtol=1e-6)
    weights = np.array([1.0, 0.0, 2.0])
    np.testing.assert_allclose(made()(Q, P, weights), (want * weights).sum() / 3, rtol=1e-6)
    np.testing.assert_allclose(made(reduction="sum")(Q, P, weights[:, None]), (want * weights).sum(), rtol=1e-6)
    assert made.from_config(made(reduction="sum").get_config()).reduction == "sum"
    np.testing.assert_allclose(run(getattr(tf.keras.losses, name)()(tf.constant(Q), tf.constant(P))), want.mean())


def test_keras_entropies_of_logits() -> None:
    losses = tf2.keras.losses
    each = -(ONE_HOT * LOG_P).sum(-1)
    np.testing.assert_allclose(losses.categorical_crossentropy(ONE_HOT, X, from_logits=True), each)
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy(CLASSES, X, from_logits=True), each)
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy(CLASSES[:, None], np.exp(LOG_P)), each, rtol=1e-6)
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy(CLASSES, X.T, from_logits=True, axis=0), each, rtol=1e-6
    )
    sigmoid = -(Q * np.log(SIGMOID) + (1 - Q) * np.log(1 - SIGMOID)).mean(-1)
    np.testing.assert_allclose(losses.binary_crossentropy(Q, X, from_logits=True), sigmoid)
    smooth = ONE_HOT * 0.9 + 0.025
    np.testing.assert_allclose(
        losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(ONE_HOT, X), -(smooth * LOG_P).sum() / 3
    )


def test_an_ignored_class_does_not_count() -> None:
    made = tf2.keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    each = -LOG_P[[0, 2], [1, 3]]
    np.testing.assert_allclose(made(CLASSES, X), each.mean())
    loss = tf2.keras.losses.sparse_categorical_crossentropy(CLASSES, X, from_logits=True, ignore_class=0)
    np.testing.assert_allclose(loss, [each[0], 0, each[1]])


def test_huber_and_hinge_of_signs() -> None:
    np.testing.assert_allclose(tf2.keras.losses.huber([0.0, 0.0], [0.2, 3.0], delta=0.5), (0.02 + 1.375) / 2, rtol=1e-6)
    np.testing.assert_allclose(tf2.keras.losses.hinge([-1.0, 1.0], [0.5, 0.5]), (1.5 + 0.5) / 2)


def test_own_losses_and_names() -> None:
    class Half(tf2.keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return (y_pred - y_true) * 0.5

    assert float(Half()(tf2.constant([1.0, 2.0]), tf2.constant([3.0, 2.0]))) == 0.5
    get = tf2.keras.losses.get
    assert get("mse") is tf2.keras.losses.mean_squared_error is tf2.keras.losses.MSE
    assert isinstance(get("Huber"), tf2.keras.losses.Huber)
    assert tf2.keras.losses.serialize(get("mae")) == "mean_absolute_error"
    again = tf2.keras.losses.deserialize(tf2.keras.losses.serialize(tf2.keras.losses.Huber(2.0)))
    assert again.get_config()["delta"] == 2.0
    with pytest.raises(ValueError, match="Unknown loss function"):
        get("nothing")
    with pytest.raises(ValueError, match="Invalid Reduction Key"):
        tf2.keras.losses.Huber(reduction="middle")


def test_a_step_in_a_function_learns() -> None:
    w = tf2.Variable([0.0])
    loss = tf2.keras.losses.MeanSquaredError()

    @tf2.function
    def step(x: Any, y: Any) -> Any:
        with tf2.GradientTape() as tape:
            value = loss(y, x * w)
        w.assign_sub(0.1 * tape.gradient(value, w))
        return value

    x = tf2.constant([[1.0], [2.0]])
    values = [float(step(x, 3.0 * x)) for _ in range(30)]
    assert values[0] == pytest.approx(22.5)
    assert values[-1] < 1e-3
