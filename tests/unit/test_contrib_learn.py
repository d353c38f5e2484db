"""contrib.learn: estimators with fit, and contrib.layers' feature columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.contrib import columns, learn, learn_models
from pullback.core.errors import ArgumentError

rng = np.random.default_rng(4)
X = rng.normal(size=(48, 3))
SCORE = X @ [1.0, -2.0, 0.5]
Y = (SCORE > 0).astype(np.int64)


def test_linear_regression_finds_the_weights() -> None:
    model = learn_models.LinearRegressor(learn.infer_real_valued_columns_from_input(X))
    model.fit(X, SCORE, steps=150)
    found = model.get_variable_value("linear/linear_model//weights")
    np.testing.assert_allclose(found[:, 0], [1, -2, 0.5], atol=0.05)
    np.testing.assert_allclose(list(model.predict(X[:4])), SCORE[:4], atol=0.15)
    assert model.predict(X[:4], outputs=["scores"], as_iterable=False)["scores"].shape == (4,)
    metrics = model.evaluate(X, SCORE)
    np.testing.assert_allclose(metrics["labels/actual_label_mean"], SCORE.mean(), rtol=1e-5)
    y = np.array(list(model.predict(X)))
    np.testing.assert_allclose(metrics["loss"], np.mean((y - SCORE) ** 2), rtol=1e-3)


def test_classifiers_predict_classes_and_probabilities() -> None:
    model = learn_models.LinearClassifier([columns.real_valued_column("", dimension=3)], optimizer="SGD")
    model.fit(X, Y, steps=60, batch_size=16)
    chances = np.array(list(model.predict_proba(X)))
    w, b = (model.get_variable_value(f"linear/linear_model/{n}") for n in ("/weights", "bias_weights"))
    np.testing.assert_allclose(chances[:, 1], 1 / (1 + np.exp(-(X @ w + b)[:, 0])), rtol=1e-4)
    assert list(model.predict(X)) == (chances[:, 1] > 0.5).tolist()
    metrics = model.evaluate(X, Y, metrics={"mine": learn.MetricSpec(tf.metrics.accuracy, "classes")})
    assert metrics["mine"] == metrics["accuracy"] == np.float32(np.mean((chances[:, 1] > 0.5) == Y))
    expected = -np.mean(np.log(np.where(Y == 1, chances[:, 1], chances[:, 0])))
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-4)


def test_a_deep_classifier_of_words() -> None:
    words = np.array(["low", "high"], object)[Y]
    model = learn_models.DNNClassifier([6], [columns.real_valued_column("a", 3)], label_keys=["low", "high"])
    model.fit(input_fn=lambda: ({"a": tf.constant(X, tf.float32)}, tf.constant(words[:, None])), steps=60)
    made = list(model.predict(x={"a": X}))
    assert np.mean([m.decode() == w for m, w in zip(made, words, strict=True)]) > 0.85


def test_gradients_are_clipped_together() -> None:
    model = learn_models.LinearRegressor(
        [columns.real_valued_column("", 3)], optimizer=tf.train.GradientDescentOptimizer(1.0), gradient_clip_norm=0.25
    )
    model.fit(X, SCORE, steps=1)
    moved = [model.get_variable_value(f"linear/linear_model/{n}").ravel() for n in ("/weights", "bias_weights")]
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(moved)), 0.25, rtol=1e-5)


def linear_model(features: Any, targets: Any, mode: str, params: Any) -> Any:
    """y = x w with what SGD makes of w; targets by position, as contrib.learn gave them."""
    w = tf.get_variable("w", [3], initializer=tf.zeros_initializer())
    y = tf.reduce_sum(features * w, 1)
    if mode == learn.ModeKeys.INFER:
        return learn.ModelFnOps(mode, {"y": y})
    loss = tf.reduce_mean(tf.square(y - targets))
    step = tf.train.GradientDescentOptimizer(params["rate"]).minimize(loss, tf.train.get_global_step())
    return learn.ModelFnOps(mode, {"y": y}, loss, step)


def test_a_model_function_of_ones_own() -> None:
    model = learn.Estimator(linear_model, params={"rate": 0.1})
    assert model.fit(X, SCORE, steps=1) is model
    np.testing.assert_allclose(model.get_variable_value("w"), 0.2 * SCORE @ X / len(X), rtol=1e-4)
    with pytest.raises(ValueError, match="prediction_key"):
        learn.MetricSpec(tf.metrics.mean, "z").create_metric_ops(None, None, {"a": 1, "b": 2})
    wide = learn.SKCompat(model).fit(X, SCORE, steps=40)
    y = wide.predict(X)["y"]
    assert y.shape == (48,)
    np.testing.assert_allclose(wide.score(X, SCORE)["loss"], np.mean((y - SCORE) ** 2), rtol=1e-3)


def test_features_are_engineered_and_tuples_understood() -> None:
    def model(features: Any, labels: Any) -> Any:
        seen.append(features.shape.as_list())
        return features[:, 0], tf.reduce_sum(features), tf.assign_add(tf.train.get_global_step(), 1)

    seen: list[Any] = []
    made = learn.Estimator(model, feature_engineering_fn=lambda x, y: (x[:, :2], y))
    made.fit(X, Y, steps=1)
    assert seen == [[None, 2]]


def test_arguments_that_mean_nothing_are_refused() -> None:
    model = learn.Estimator(linear_model, params={"rate": 0.1})
    for call, said in (
        (lambda: model.fit(X, SCORE), "without end"),
        (lambda: model.fit(steps=1), "either x"),
        (lambda: model.fit(X, SCORE, input_fn=lambda: None, steps=1), "either x"),
        (lambda: model.evaluate(X, SCORE, feed_fn=dict), "feed_fn"),
        (lambda: learn_models.DNNRegressor([3], [], enable_centered_bias=True), "enable_centered_bias"),
        (lambda: learn.RunConfig(master="grpc://elsewhere"), "master"),
        (lambda: columns.sparse_column_with_hash_bucket("a", 5, "mean"), "sparse_combiner"),
    ):
        with pytest.raises((ValueError, ArgumentError), match=said):
            call()
    with pytest.raises(TypeError, match="hooks"):
        model.fit(X, SCORE, steps=1, monitors=[3])
    assert learn.RunConfig(save_checkpoints_steps=7, tf_random_seed=2).save_checkpoints_secs is None


def test_columns_by_their_first_names() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        word = columns.sparse_column_with_keys("word", ["a", "b"])
        number = columns.sparse_column_with_integerized_feature("number", 3)
        size = columns.bucketized_column(columns.real_valued_column("size"), [5, 0, 5])
        features = {"word": tf.constant(["b", "a", "z"]), "number": tf.constant([[0], [2], [1]]), "size": [-1.0, 2, 7]}
        parts = [columns.one_hot_column(word), columns.one_hot_column(number), size]
        made = columns.input_from_feature_columns(features, parts)
        expected = np.concatenate([np.eye(3)[[0, 2, 1]], np.eye(3), [[0, 1], [1, 0], [0, 0]]], 1)
        np.testing.assert_array_equal(session.run(made), expected)
        assert set(columns.create_feature_spec_for_parsing([word, size])) == {"word", "size"}
        crossed = columns.crossed_column([columns.sparse_column_with_hash_bucket("word", 10), number], 4)
        assert crossed.num_buckets == 4
