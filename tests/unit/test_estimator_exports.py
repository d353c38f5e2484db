"""Estimators' saved models, and which of them exporters write. The model is y = w x, whose best w is 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.contrib.hparams import HParams

X = np.linspace(-1, 1, 8, dtype=np.float32)


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
    w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
    made = features["x"] * w
    if mode == v1.estimator.ModeKeys.PREDICT:
        return v1.estimator.EstimatorSpec(mode, predictions={"y": made})
    loss = tf.reduce_mean(tf.square(made - labels))
    train = v1.train.GradientDescentOptimizer(params.rate).minimize(loss, v1.train.get_global_step())
    return v1.estimator.EstimatorSpec(mode, loss=loss, train_op=train)


def inputs(epochs: int | None = None) -> Any:
    return v1.estimator.inputs.numpy_input_fn({"x": X}, 2 * X, batch_size=4, num_epochs=epochs, shuffle=False)


def receiver() -> Any:
    examples = v1.placeholder(tf.string, [None], name="examples")
    features = v1.parse_example(examples, {"x": v1.FixedLenFeature([], tf.float32)})
    return v1.estimator.export.ServingInputReceiver(features, {"examples": examples})


@pytest.fixture
def estimator(tmp_path: Path) -> Any:
    config = v1.estimator.RunConfig(str(tmp_path), save_checkpoints_steps=2)
    return v1.estimator.Estimator(model_fn, config=config, params=HParams(rate=0.5))


def served(path: bytes, feeds: Any) -> Any:
    with v1.Session(graph=v1.Graph()) as session:
        made = v1.saved_model.load(session, ["serve"], path.decode()).signature_def["serving_default"]
        names = {made.inputs[name].name: value for name, value in feeds.items()}
        return session.run(made.outputs["y"].name, names)


def example(x: float) -> bytes:
    feature = v1.train.Feature(float_list=v1.train.FloatList(value=[x]))
    return v1.train.Example(features=v1.train.Features(feature={"x": feature})).SerializeToString()


def test_params_may_be_hparams_and_a_model_is_given_a_copy(estimator: Any) -> None:
    estimator.params.rate = 7.0
    assert estimator.params.rate == 0.5


def test_an_exported_model_predicts_from_examples(estimator: Any, tmp_path: Path) -> None:
    estimator.train(inputs(), steps=3)
    note = tmp_path / "note.txt"
    note.write_text("words")
    path = estimator.export_savedmodel(str(tmp_path / "out"), receiver, assets_extra={"a/note.txt": str(note)})
    w = estimator.get_variable_value("w")
    assert served(path, {"examples": [example(1), example(-3)]}) == pytest.approx([w, -3 * w])
    assert (Path(path.decode()) / "assets.extra/a/note.txt").read_text() == "words"
    assert [p.name for p in (tmp_path / "out").iterdir()] == [Path(path.decode()).name]


def test_a_raw_receiver_takes_the_features_themselves(estimator: Any, tmp_path: Path) -> None:
    estimator.train(inputs(), steps=2)
    with v1.Graph().as_default():
        raw = v1.estimator.export.build_raw_serving_input_receiver_fn({"x": v1.placeholder(tf.float32, [4])})
    path = estimator.export_saved_model(str(tmp_path / "raw"), raw)
    w = estimator.get_variable_value("w")
    assert served(path, {"x": [1.0, 2.0, 3.0]}) == pytest.approx([w, 2 * w, 3 * w])


def test_exporters_write_the_last_the_best_and_the_latest_models(estimator: Any, tmp_path: Path) -> None:
    api = v1.estimator
    exporters = [
        api.LatestExporter("latest", receiver, exports_to_keep=1),
        api.BestExporter("best", receiver, exports_to_keep=None),
        api.FinalExporter("final", receiver),
    ]
    training = api.TrainSpec(inputs(), max_steps=6)
    evaluation = api.EvalSpec(inputs(1), steps=None, exporters=exporters, throttle_secs=0)
    _, exported = api.train_and_evaluate(estimator, training, evaluation)
    assert all(exported)  # the loss falls at every evaluation
    found = {name: len(list((tmp_path / "export" / name).iterdir())) for name in ("latest", "best", "final")}
    assert found["latest"] == found["final"] == 1
    assert found["best"] > 1


def test_the_best_exporter_remembers_earlier_evaluations(estimator: Any, tmp_path: Path) -> None:
    estimator.train(inputs(), steps=4)
    results = estimator.evaluate(inputs(1))
    fresh = v1.estimator.BestExporter("best", receiver)
    worse = {"loss": results["loss"] + 1, "global_step": 9}
    assert fresh.export(estimator, str(tmp_path / "b"), None, worse, False) is None
    better = {"loss": results["loss"] / 2, "global_step": 10}
    assert fresh.export(estimator, str(tmp_path / "b"), None, better, False) is not None


def test_canned_classifiers_export_classes_scores_and_predictions(tmp_path: Path) -> None:
    columns = [v1.feature_column.numeric_column("x")]
    made = v1.estimator.LinearClassifier(columns, model_dir=str(tmp_path))
    made.train(v1.estimator.inputs.numpy_input_fn({"x": X}, (X > 0).astype(int), num_epochs=1, shuffle=False))
    spec = v1.feature_column.make_parse_example_spec(columns)
    parsing = v1.estimator.export.build_parsing_serving_input_receiver_fn(spec)
    path = made.export_savedmodel(str(tmp_path / "out"), parsing)
    with v1.Session(graph=v1.Graph()) as session:
        signatures = v1.saved_model.load(session, ["serve"], path.decode()).signature_def
        assert set(signatures) == {"serving_default", "classification", "regression", "predict"}
        default = signatures["serving_default"]
        assert default.method_name == "tensorflow/serving/classify"
        outputs = {
            k: session.run(t.name, {default.inputs["inputs"].name: [example(1)]}) for k, t in default.outputs.items()
        }
    assert outputs["classes"].tolist() == [[b"0", b"1"]]
    assert outputs["scores"].sum() == pytest.approx(1)


@pytest.mark.parametrize("features, tensors", [({}, {"a": 1}), (None, {"a": 1}), ({"a": 1}, None)])
def test_a_receiver_needs_features_and_tensors(features: Any, tensors: Any) -> None:
    with pytest.raises(ValueError, match="must be defined"):
        v1.estimator.export.ServingInputReceiver(features, tensors)


def test_several_exports_need_a_default(estimator: Any, tmp_path: Path) -> None:
    def several(features: Any, labels: Any, mode: str, params: Any) -> Any:
        spec = model_fn(features, labels, mode, params)
        output = v1.estimator.export.PredictOutput({"y": features["x"]})
        return spec._replace(export_outputs={"a": output, "b": output})

    estimator.train(inputs(), steps=1)
    other = v1.estimator.Estimator(several, str(tmp_path), params=HParams(rate=0.5))
    with pytest.raises(ValueError, match="none of them is specified as the default"):
        other.export_saved_model(str(tmp_path / "out"), receiver)
    assert not list((tmp_path / "out").iterdir())
