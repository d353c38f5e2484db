"""Ready-made estimators: linear and deep models that learn, and what they say of themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

RNG = np.random.default_rng(5)
X = RNG.normal(size=160).astype(np.float32)
WORDS = RNG.choice(["a", "b", "c"], 160)
KIND = np.array([w.encode() for w in WORDS], object)
ABOVE = (X + 2 * (WORDS == "a") > 0.5).astype(np.int32)


def columns() -> list[Any]:
    fc = v1.feature_column
    kind = fc.categorical_column_with_vocabulary_list("kind", ["a", "b", "c"])
    return [fc.numeric_column("x"), fc.indicator_column(kind)]


def inputs(y: Any, epochs: int | None = None, **more: Any) -> Any:
    given = {"x": X, "kind": KIND, **more}
    return v1.estimator.inputs.numpy_input_fn(given, y, batch_size=32, num_epochs=epochs, shuffle=False)


def test_a_linear_classifier_learns_two_classes(tmp_path: Path) -> None:
    model = v1.estimator.LinearClassifier(columns(), str(tmp_path))
    model.train(inputs(ABOVE), steps=60)
    results = model.evaluate(inputs(ABOVE, 1))
    assert set(results) == {
        "accuracy", "accuracy_baseline", "auc", "auc_precision_recall", "average_loss", "global_step", "label/mean",
        "loss", "precision", "prediction/mean", "recall",
    }  # fmt: skip
    assert results["accuracy"] > 0.95 and results["auc"] > 0.98
    assert results["label/mean"] == pytest.approx(ABOVE.mean())
    assert results["accuracy_baseline"] == pytest.approx(max(ABOVE.mean(), 1 - ABOVE.mean()))
    # Batches are of 32: the loss is the sum over one.
    assert results["loss"] == pytest.approx(32 * results["average_loss"], rel=1e-4)
    assert "linear/linear_model/x/weights/Ftrl_1" in model.get_variable_names()


def test_predictions_fit_each_other(tmp_path: Path) -> None:
    model = v1.estimator.LinearClassifier(columns(), str(tmp_path), label_vocabulary=["low", "high"])
    names = np.array([[b"low", b"high"][i] for i in ABOVE], object)
    model.train(inputs(names), steps=3)
    for made in list(model.predict(inputs(None, 1)))[:5]:
        share = 1 / (1 + np.exp(-made["logits"][0]))
        np.testing.assert_allclose(made["probabilities"], [1 - share, share], rtol=1e-5)
        np.testing.assert_allclose(made["logistic"], [share], rtol=1e-5)
        assert made["class_ids"].tolist() == [int(share > 0.5)]
        assert made["classes"].tolist() == [[b"low", b"high"][int(share > 0.5)]]


def test_a_deep_classifier_learns_three_classes(tmp_path: Path) -> None:
    thirds = np.digitize(X, [-0.5, 0.5])
    model = v1.estimator.DNNClassifier([16, 8], columns(), str(tmp_path), n_classes=3)
    model.train(inputs(thirds), steps=120)
    results = model.evaluate(inputs(thirds, 1))
    assert set(results) == {"accuracy", "average_loss", "global_step", "loss"}
    assert results["accuracy"] > 0.9
    names = model.get_variable_names()
    assert {"dnn/hiddenlayer_0/kernel", "dnn/hiddenlayer_1/bias", "dnn/logits/kernel/Adagrad"} <= set(names)
    made = next(model.predict(inputs(None, 1)))
    assert made["probabilities"].shape == (3,) and made["all_classes"].tolist() == [b"0", b"1", b"2"]


def test_one_linear_step_is_gradient_descent(tmp_path: Path) -> None:
    """From zero: dL/dw = -2 sum x y, and with weights u per example -2 sum u x y."""
    weights = np.abs(X)
    for by, u in ((None, np.ones_like(X)), ("u", weights)):
        model = v1.estimator.LinearRegressor(
            columns()[:1],
            str(tmp_path / str(by)),
            weight_column=by,
            optimizer=v1.train.GradientDescentOptimizer(0.001),
        )
        model.train(inputs(3 * X, u=weights), steps=1)
        first = slice(0, 32)
        expected = 0.001 * 2 * np.sum(u[first] * X[first] * 3 * X[first])
        made = model.get_variable_value("linear/linear_model/x/weights")
        np.testing.assert_allclose(made, [[expected]], rtol=1e-4)


def test_a_deep_regressor_takes_an_optimizer_made_anew(tmp_path: Path) -> None:
    model = v1.estimator.DNNRegressor(
        [16], columns()[:1], str(tmp_path), optimizer=lambda: v1.train.AdamOptimizer(0.02), batch_norm=False
    )
    model.train(inputs(2 * X), steps=100)
    results = model.evaluate(inputs(2 * X, 1))
    assert results["average_loss"] < 0.05
    assert results["label/mean"] == pytest.approx(2 * X.mean(), rel=1e-4)


def test_wide_and_deep_are_added(tmp_path: Path) -> None:
    x, kind = columns()
    model = v1.estimator.DNNLinearCombinedClassifier(
        str(tmp_path),
        linear_feature_columns=[kind.categorical_column],
        linear_optimizer=v1.train.FtrlOptimizer(0.2),
        dnn_feature_columns=[x],
        dnn_optimizer=v1.train.AdagradOptimizer(0.1),
        dnn_hidden_units=[8],
    )
    model.train(inputs(ABOVE), steps=100)
    assert model.evaluate(inputs(ABOVE, 1))["accuracy"] > 0.9
    names = model.get_variable_names()
    assert "linear/linear_model/kind/weights" in names and "dnn/hiddenlayer_0/kernel" in names


def test_tensorflow_2s_loss_is_the_mean(tmp_path: Path) -> None:
    adam = tf.keras.optimizers.Adam(0.01)
    for i, (model, y) in enumerate(
        (
            (lambda folder: tf.estimator.DNNRegressor([4], columns()[:1], folder, optimizer=adam), 2 * X),
            (lambda folder: tf.estimator.LinearRegressor(columns()[:1], folder), 2 * X),
            (lambda folder: tf.estimator.DNNClassifier([4], columns(), folder), ABOVE),
            (lambda folder: tf.estimator.LinearClassifier(columns(), folder), ABOVE),
            (lambda folder: tf.estimator.DNNLinearCombinedClassifier(folder, columns()[1:]), ABOVE),
            (lambda folder: tf.estimator.DNNLinearCombinedRegressor(folder, columns()[:1]), 2 * X),
        )
    ):
        made = model(str(tmp_path / str(i)))
        made.train(inputs(y), steps=2)
        results = made.evaluate(inputs(y, 1))
        assert results["loss"] == pytest.approx(results["average_loss"], rel=1e-4)
        assert results["global_step"] == 2


@pytest.mark.slow
def test_a_program_of_2018_runs(tmp_path: Path) -> None:
    program = Path(__file__).parents[1] / "programs" / "flowers.py"
    command = [sys.executable, "-m", "pullback", "run", str(program)]
    path = os.pathsep.join([str(Path(tf.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "accuracy 1.00" in done.stdout and "kind 0 of 0" in done.stdout


def test_export_outputs_say_what_they_hold() -> None:
    export = tf.estimator.export
    x, words = tf.constant([1.0]), tf.constant(["a"])
    assert list(export.PredictOutput(x).outputs) == ["output"]
    assert export.ClassificationOutput(x, words).classes is words and export.RegressionOutput(x).value is x
    with pytest.raises(ValueError, match="'y' must be a tensor"):
        export.PredictOutput({"y": 1})
    with pytest.raises(ValueError, match="must be a float tensor"):
        export.RegressionOutput(words)
    with pytest.raises(ValueError, match="give scores"):
        export.ClassificationOutput()


def test_training_starts_from_another_model(tmp_path: Path) -> None:
    first = v1.estimator.LinearRegressor(columns()[:1], str(tmp_path / "first"))
    first.train(inputs(3 * X), steps=50)
    optimizer = v1.train.GradientDescentOptimizer(0.0)
    second = v1.estimator.LinearRegressor(
        columns()[:1], str(tmp_path / "second"), optimizer=optimizer, warm_start_from=first.model_dir
    )
    second.train(inputs(3 * X), steps=1)
    name = "linear/linear_model/x/weights"
    assert second.get_variable_value(name) == first.get_variable_value(name) != 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: v1.estimator.LinearClassifier(columns(), n_classes=1), "n_classes"),
        (lambda: v1.estimator.LinearClassifier(columns(), label_vocabulary=["a"]), "label_vocabulary"),
        (lambda: v1.estimator.LinearRegressor(columns(), loss_reduction="twice"), "loss_reduction"),
        (lambda: v1.estimator.DNNLinearCombinedClassifier(), "must be defined"),
        (lambda: v1.estimator.DNNLinearCombinedRegressor(dnn_feature_columns=columns()), "together"),
    ],
)
def test_mistakes_are_said_at_once(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_mistakes_are_said_in_training(tmp_path: Path) -> None:
    model = v1.estimator.LinearClassifier(columns(), str(tmp_path / "a"), optimizer="Newton")
    with pytest.raises(ValueError, match="Unsupported optimizer name: Newton"):
        model.train(inputs(ABOVE), steps=1)
    model = v1.estimator.LinearClassifier(columns(), str(tmp_path / "b"))
    with pytest.raises(v1.errors.InvalidArgumentError, match="numbers from 0 to n_classes - 1"):
        model.train(inputs(ABOVE + 1), steps=1)
    with pytest.raises(ValueError, match="must provide a labels"):
        model.train(inputs(None), steps=1)


def test_tables_are_inputs_too() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"x": X[:4], "kind": WORDS[:4]}, index=[3, 5, 7, 9])
    labels = pandas.Series(ABOVE[:4], index=table.index)
    with v1.Graph().as_default(), v1.Session() as session:
        given = v1.estimator.inputs.pandas_input_fn(table, labels, batch_size=4, shuffle=False)()
        features, y = session.run(given)
    assert features["index"].tolist() == [3, 5, 7, 9] and features["kind"].tolist() == KIND[:4].tolist()
    assert features["x"].tolist() == X[:4].tolist() and y.tolist() == ABOVE[:4].tolist()
    with pytest.raises(TypeError, match="DataFrame"):
        v1.estimator.inputs.pandas_input_fn({"x": X}, shuffle=False)
