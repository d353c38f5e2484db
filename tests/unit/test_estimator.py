"""Estimators: trained, taken up again, evaluated and asked. The model is y = w x, whose best w is 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

X = np.linspace(-1, 1, 8, dtype=np.float32)


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
    w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
    made = features["x"] * w
    if mode == v1.estimator.ModeKeys.PREDICT:
        return v1.estimator.EstimatorSpec(mode, predictions={"y": made})
    loss = tf.reduce_mean(tf.square(made - labels))
    optimizer = v1.train.GradientDescentOptimizer(params["rate"])
    train = optimizer.minimize(loss, global_step=v1.train.get_global_step())
    metrics = {"error": v1.metrics.mean_absolute_error(labels, made)}
    return v1.estimator.EstimatorSpec(mode, loss=loss, train_op=train, eval_metric_ops=metrics)


def inputs(epochs: int | None = None) -> Any:
    return v1.estimator.inputs.numpy_input_fn({"x": X}, 2 * X, batch_size=4, num_epochs=epochs, shuffle=False)


def dataset() -> Any:
    return v1.data.Dataset.from_tensor_slices(({"x": X}, 2 * X)).repeat().batch(4)


@pytest.fixture
def estimator(tmp_path: Path) -> Any:
    return v1.estimator.Estimator(model_fn, str(tmp_path), params={"rate": 0.5})


def test_training_goes_on_where_it_ended(estimator: Any) -> None:
    estimator.train(inputs(), steps=5)
    assert estimator.get_variable_value("global_step") == 5
    estimator.train(dataset, max_steps=20)
    assert estimator.get_variable_value("global_step") == 20
    estimator.train(inputs(), max_steps=20)
    assert estimator.get_variable_value("w") == pytest.approx(2, abs=0.05)
    assert sorted(estimator.get_variable_names()) == ["global_step", "w"]


def test_evaluation_goes_over_all_batches(estimator: Any) -> None:
    estimator.train(inputs(), steps=1)
    w = float(estimator.get_variable_value("w"))
    results = estimator.evaluate(inputs(1))
    assert results["global_step"] == 1
    assert results["error"] == pytest.approx(np.abs((w - 2) * X).mean(), rel=1e-5)
    assert results["loss"] == pytest.approx(((w - 2) ** 2 * X**2).mean(), rel=1e-5)
    assert any((Path(estimator.model_dir) / "eval").iterdir())


def test_predictions_come_one_by_one(estimator: Any) -> None:
    estimator.train(inputs(), steps=1)
    w = float(estimator.get_variable_value("w"))
    asked = v1.estimator.inputs.numpy_input_fn({"x": X}, shuffle=False)
    np.testing.assert_allclose([p["y"] for p in estimator.predict(asked)], w * X, rtol=1e-6)
    with pytest.raises(ValueError, match="at least one output"):
        next(estimator.predict(asked, predict_keys=["z"]))


def test_train_and_evaluate(estimator: Any) -> None:
    train = v1.estimator.TrainSpec(inputs(), max_steps=4)
    results, exported = v1.estimator.train_and_evaluate(estimator, train, v1.estimator.EvalSpec(inputs(1), None))
    assert (int(results["global_step"]), exported) == (4, [])


def test_mistakes_are_explained(estimator: Any) -> None:
    with pytest.raises(ValueError, match="Could not find trained model"):
        estimator.evaluate(inputs(1))
    with pytest.raises(ValueError, match="both steps and max_steps"):
        estimator.train(inputs(), steps=1, max_steps=1)
    with pytest.raises(ValueError, match="shuffle must be provided"):
        v1.estimator.inputs.numpy_input_fn(X)
    with pytest.raises(ValueError, match="one process"):
        v1.estimator.RunConfig(train_distribute=object())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda e: e.train(_ones, steps=0), "Must specify steps > 0, given: 0"),
        (lambda e: e.train(_ones, max_steps=0), "Must specify max_steps > 0, given: 0"),
        (lambda e: e.evaluate(_ones, steps=0), "Must specify steps > 0, given: 0"),
        (lambda e: e.train(_ones, steps=1), "Missing train_op: the EstimatorSpec"),
    ],
    ids=["no steps", "no steps at most", "no batches", "no train_op"],
)
def test_a_model_that_cannot_be_trained_is_said_to_be_so(call: Any, words: str, tmp_path: Path) -> None:
    estimator = tf.estimator.Estimator(_lossy, str(tmp_path))
    with pytest.raises(ValueError, match=words):
        call(estimator)


def _ones() -> Any:
    return tf.data.Dataset.from_tensors(np.ones([2, 1], np.float32))


def _lossy(features: Any, mode: str) -> Any:
    return tf.estimator.EstimatorSpec(mode, predictions=features, loss=tf.reduce_sum(features))


def test_saving_by_steps_replaces_saving_by_time() -> None:
    config = tf.estimator.RunConfig().replace(save_checkpoints_steps=5)
    assert (config.save_checkpoints_steps, config.save_checkpoints_secs) == (5, None)
    with pytest.raises(ValueError, match="cannot be both set"):
        config.replace(save_checkpoints_steps=5, save_checkpoints_secs=1)
