"""Saved models, control flow of TensorFlow 1 and queues go both ways between us and TensorFlow 2.21."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance import oracle

import pullback as tf2
import pullback.v1 as tf

SCRIPT = Path(__file__).with_name("saved_model_runs.py")
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of TensorFlow's files."""
    folder = tmp_path_factory.mktemp("theirs")
    oracle.asked(SCRIPT, "write", str(folder))
    return folder


@pytest.fixture(scope="module")
def values(theirs: Path) -> Any:
    return np.load(theirs / "values.npz")


@pytest.mark.slow
class TestWeLoadTheirs:
    @pytest.mark.parametrize("kind", ["ref", "resource"])
    def test_models_of_sessions(self, theirs: Path, values: Any, kind: str) -> None:
        with tf.Graph().as_default(), tf.Session() as session:
            meta = tf.saved_model.load(session, ["serve"], str(theirs / kind))
            signature = meta.signature_def["serving_default"]
            y = session.run(signature.outputs["y"].name, {signature.inputs["x"].name: values["rows"]})
        np.testing.assert_allclose(y, values[kind], **CLOSE)
        found = tf2.saved_model.load(str(theirs / kind))
        y = found.signatures["serving_default"](x=tf2.constant(values["rows"]))["y"]
        np.testing.assert_allclose(y.numpy(), values[kind], **CLOSE)

    def test_modules(self, theirs: Path, values: Any) -> None:
        found = tf2.saved_model.load(str(theirs / "scaled"))
        np.testing.assert_allclose(found(values["rows"])["y"].numpy(), values["scaled"], **CLOSE)
        assert found.loop(5).numpy() == values["loop"] and found.power(tf2.constant(3.0)).numpy() == 9
        assert found.power(tf2.constant([1.0, 2.0]), 3, False).numpy().tolist() == [1, 2]
        assert found.bump(2.0).numpy() == found.parts[0].numpy() == 3 and found.named["k"].numpy().tolist() == [3]
        with tf2.GradientTape() as tape:
            total = tf2.reduce_sum(found(values["rows"])["y"][:, 0])
        assert tape.gradient(total, found.w).shape == (3, 2)

    @pytest.mark.parametrize(("name", "given"), [("network", "pictures"), ("recurrent", "series")])
    def test_keras_models(self, theirs: Path, values: Any, name: str, given: str) -> None:
        found = tf2.saved_model.load(str(theirs / name))
        np.testing.assert_allclose(found.serve(tf2.constant(values[given])).numpy(), values[name], **CLOSE)
        with tf.Graph().as_default(), tf.Session() as session:
            signature = tf.saved_model.load(session, ["serve"], str(theirs / name)).signature_def["serving_default"]
            ((_, x),), ((_, y),) = signature.inputs.items(), signature.outputs.items()
            np.testing.assert_allclose(session.run(y.name, {x.name: values[given]}), values[name], **CLOSE)

    def test_control_flow_of_tensorflow_1(self, theirs: Path, values: Any) -> None:
        with tf.Graph().as_default() as graph, tf.Session() as session:
            tf.train.import_meta_graph(str(theirs / "control.meta")).restore(session, str(theirs / "control"))
            for name in ("branch", "while", "map", "case", "nested"):
                y = session.run(f"{name}_result:0", {"x:0": values["rows"]})
                np.testing.assert_allclose(y, values[f"control/{name}"], **CLOSE)
            x, y = graph.get_tensor_by_name("x:0"), graph.get_tensor_by_name("while_result:0")
            assert session.run(tf.gradients(y, x)[0], {x: values["rows"]}).shape == (4, 3)

    def test_queues(self, theirs: Path) -> None:
        assert batches(theirs / "queues.meta") == [0, 1, 2, 3, 4]


def batches(path: Path) -> list[int]:
    """What the queues of a graph give until they end."""
    found: list[int] = []
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(str(path))
        session.run([tf.local_variables_initializer(), tf.global_variables_initializer()])
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        with pytest.raises(tf.errors.OutOfRangeError):
            while True:
                found += session.run("batches:0").tolist()
        coordinator.request_stop()
        coordinator.join(threads)
    return found


class Scaled(tf2.Module):
    """The module of saved_model_runs.py."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf2.Variable(np.arange(6, dtype="f4").reshape(3, 2) / 10)
        self.parts = [tf2.Variable(1.0), tf2.Variable(2, trainable=False)]
        self.five = tf2.constant(5.0)

    @tf2.function(input_signature=[tf2.TensorSpec([None, 3], tf2.float32, name="x")])
    def __call__(self, x: Any) -> Any:
        y = tf2.nn.softmax(tf2.matmul(x, self.w) + self.parts[0])
        return {"y": y, "more": (tf2.reduce_sum(x), self.five)}

    @tf2.function
    def power(self, x: Any, n: int = 2, flag: bool = True) -> Any:
        return x**n if flag else x

    @tf2.function(input_signature=[tf2.TensorSpec([], tf2.int32)])
    def loop(self, n: Any) -> Any:
        def step(i: Any, a: Any) -> Any:
            return i + 1, tf2.cond(tf2.equal(i % 2, 0), lambda: a * 2.0, lambda: a + self.parts[0])

        return tf2.while_loop(lambda i, a: i < n, step, [0, 1.0])[1]

    @tf2.function(input_signature=[tf2.TensorSpec([], tf2.float32)])
    def bump(self, by: Any) -> Any:
        self.parts[0].assign_add(by)
        return self.parts[0] + 0.0

    @tf2.function(input_signature=[tf2.TensorSpec([2], tf2.float32)])
    def noise(self, a: Any) -> Any:
        return a + tf2.random.normal([2], seed=3)

    @tf2.function(input_signature=[tf2.TensorSpec([None, 3], tf2.float32, name="x")])
    def product(self, x: Any) -> Any:
        return tf2.matmul(x, self.w)


@pytest.mark.slow
def test_they_load_ours(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    pictures = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.get_variable("w", [3, 2], initializer=tf.random_normal_initializer(seed=1))
        y = tf.cond(tf.reduce_sum(x) > 1e9, lambda: tf.matmul(x, w), lambda: tf.nn.softmax(tf.matmul(x, w)))
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, str(tmp_path / "first"), {"x": x}, {"y": y})
        first = session.run(y, {x: rows})
    with tf.Graph().as_default():
        numbers = tf.train.range_input_producer(5, num_epochs=1, shuffle=False).dequeue()
        tf.identity(tf.train.batch([numbers], 2, allow_smaller_final_batch=True), name="batches")
        tf.train.export_meta_graph(str(tmp_path / "queues.meta"))
    scaled = Scaled()
    scaled.power(tf2.constant(3.0))
    tf2.saved_model.save(scaled, str(tmp_path / "scaled"), signatures=scaled.product)
    layers = tf2.keras.layers
    network = tf2.keras.Sequential([layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 3))])
    for layer in (layers.BatchNormalization(), layers.MaxPool2D(), layers.Flatten(), layers.Dense(5)):
        network.add(layer)
    wanted = network(pictures).numpy()
    tf2.saved_model.save(network, str(tmp_path / "network"))
    oracle.asked(SCRIPT, "read", str(tmp_path))
    answers = np.load(tmp_path / "answers.npz")
    with tf2.GradientTape() as tape:
        total = tf2.reduce_sum(scaled(rows)["y"][:, 0])
    expected = {
        "first": first, "first2": first, "scaled": scaled(rows)["y"], "loop": scaled.loop(5), "power": 9, "five": 5,
        "noise": tf2.saved_model.load(str(tmp_path / "scaled")).noise(tf2.constant([1.0, 2.0])),
        "gradient": tape.gradient(total, scaled.w), "bumped": 3, "signature": scaled.product(rows),
        "session": scaled.product(rows), "network": wanted, "trained_shape": [2, 5], "batch": [0, 1],
    }  # fmt: skip
    assert set(expected) == set(answers)
    for name, value in expected.items():
        np.testing.assert_allclose(answers[name], np.asarray(value), err_msg=name, **CLOSE)
