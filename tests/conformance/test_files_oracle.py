"""Files go both ways between us and TensorFlow 2.21: checkpoints, graphs, objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from conformance import oracle

import pullback as tf2
import pullback.v1 as tf
from pullback.io import bundle, checkpoints, messages
from pullback.io.messages import schema

SCRIPT = Path(__file__).with_name("file_runs.py")
SINGLE = 1e-6


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of TensorFlow's files."""
    folder = tmp_path_factory.mktemp("theirs")
    for what in ("write", "write_objects", "write_training"):
        oracle.asked(SCRIPT, what, str(folder))
    return folder


class Model(tf2.Module):
    """The model of file_runs.py."""

    def __init__(self, scale: float, inner: bool = True) -> None:
        super().__init__(name="model")
        self.w = tf2.Variable(scale * np.arange(6, dtype=np.float32).reshape(2, 3), name="w")
        self.parts = [tf2.Variable(scale), tf2.Variable([2, 3])]
        self.named = {"a.b/c": tf2.Variable(5 * scale), "list": [tf2.Variable(b"text")]}
        self.inner = Model(scale, False) if inner else None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ref", "resource"])
class TestWeReadTheirs:
    def test_frozen_graph(self, theirs: Path, kind: str) -> None:
        values = np.load(theirs / "values.npz")
        with tf.Graph().as_default(), tf.Session() as session:
            tf.import_graph_def(tf.GraphDef.FromString((theirs / f"{kind}.pb").read_bytes()), name="")
            self.compare(session, values, kind)

    @pytest.mark.parametrize("name", ["", "-sharded"])
    def test_graph_and_checkpoint(self, theirs: Path, kind: str, name: str) -> None:
        values = np.load(theirs / "values.npz")
        with tf.Graph().as_default(), tf.Session() as session:
            saver = tf.train.import_meta_graph(str(theirs / f"{kind}{name}.meta"))
            saver.restore(session, str(theirs / f"{kind}{name}"))
            self.compare(session, values, kind)
            assert [v.name for v in tf.trainable_variables()] == ["w:0", "b:0", "u:0"]
            output = tf.get_default_graph().get_tensor_by_name("y:0")
            loss = tf.reduce_sum(tf.square(output)) + tf.nn.l2_loss(tf.trainable_variables()[2])
            step = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
            before = session.run(loss, {"x:0": values["x"]})
            session.run(step, {"x:0": values["x"]})
            assert session.run(loss, {"x:0": values["x"]}) < before
            saver.save(session, str(theirs / f"back-{kind}{name}"))
            assert checkpoints.opened(str(theirs / f"back-{kind}{name}")).names() == ["b", "u", "w"]

    def compare(self, session: Any, values: Any, kind: str) -> None:
        fetches = ["y:0", "z:0", "c:0"]
        for name, found in zip(fetches, session.run(fetches, {"x:0": values["x"]}), strict=True):
            np.testing.assert_allclose(found, values[f"{kind}/{name}"], rtol=SINGLE, atol=SINGLE)


@pytest.mark.slow
def test_their_training_goes_on_here(theirs: Path) -> None:
    given = dict(np.load(theirs / "losses.npz"))
    pictures = given.pop("x")
    assert len(given) == 9
    for name, losses in given.items():
        with tf.Graph().as_default(), tf.Session() as session:
            saver = tf.train.import_meta_graph(str(theirs / f"train-{name}.meta"))
            saver.restore(session, str(theirs / f"train-{name}"))
            for wanted in losses:
                np.testing.assert_allclose(session.run("loss:0", {"x:0": pictures}), wanted, rtol=1e-5, err_msg=name)
                session.run("train", {"x:0": pictures})
            assert session.run("global_step:0") == 4


@pytest.mark.slow
def test_we_read_their_parts_words_and_former_format(theirs: Path) -> None:
    found = checkpoints.opened(str(theirs / "parts"))
    assert found.tensor("rows")[:, 0].tolist() == [0, 0, 0, 3, 3, 5, 5]
    assert found.tensor("words").tolist() == [b"a", b"", b"c" * 300]
    assert found.tensor("half").tolist() == [1.5, 2]
    former = checkpoints.opened(str(theirs / "former"))
    assert former.tensor("rows").shape[1] == 5 and former.dtype("rows").name == "float32"


@pytest.mark.slow
def test_we_restore_their_objects(theirs: Path) -> None:
    model, step, optimizer = Model(0.0), tf2.Variable(0, dtype=tf2.int64), tf2.optimizers.Adam(0.5)
    checkpoint = tf2.train.Checkpoint(model=model, step=step, list=[model.w, step], optimizer=optimizer)
    checkpoint.restore(str(theirs / "objects-1")).assert_consumed()
    assert step.numpy() == 7 and model.parts[0].numpy() == 2 and model.inner.named["a.b/c"].numpy() == 10
    np.testing.assert_allclose(model.w.numpy(), 2 * np.arange(6).reshape(2, 3) - 0.1, atol=1e-5)
    assert optimizer.learning_rate.numpy() == np.float32(0.1) and optimizer.iterations.numpy() == 1
    assert np.allclose(optimizer.variables[2].numpy(), 0.1)


TYPES: dict[str, Any] = {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "float64": np.array(0.1),
    "half": np.ones(3, np.float16),
    "bfloat16": np.full((2, 1), 1.5, ml_dtypes.bfloat16),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "words": np.array([b"a", b"bc", b"d" * 300], object),
    "uint64": np.array([2**64 - 1], np.uint64),
    "scalar": np.int64(7),
    **{f"many/{i}": np.full(i % 7, i, np.int32) for i in range(500)},
}


@pytest.mark.slow
def test_they_read_ours(tmp_path: Path) -> None:
    pictures = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype(np.float32)
    with tf.Graph().as_default() as graph, tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 8, 8, 3], name="x")
        w = tf.get_variable("w", initializer=np.random.default_rng(2).normal(size=(3, 3, 3, 4)).astype(np.float32))
        b = tf.get_variable("b", [4], initializer=tf.ones_initializer())
        h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, [1, 2, 2, 1], "SAME"), b))
        h = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
        y = tf.nn.softmax(tf.reshape(h, [-1, 16]))
        z = tf.concat([y, tf.transpose(tf.stack([tf.reduce_max(y, 1), tf.reduce_mean(y, [1])]))], 1, name="z")
        session.run(tf.global_variables_initializer())
        session.run(w.assign(w * 2.0))
        tf.train.Saver().save(session, str(tmp_path / "ours"))
        frozen = tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["z"])
        tf.train.write_graph(frozen, str(tmp_path), "ours.pb", as_text=False)
        wanted = session.run(z, {x: pictures})
    np.savez(tmp_path / "given.npz", x=pictures)
    bundle.write_bundle(str(tmp_path / "types"), TYPES)
    oracle.asked(SCRIPT, "read", str(tmp_path))
    answers = np.load(tmp_path / "answers.npz")
    for name in ("restored", "frozen"):
        np.testing.assert_allclose(answers[name], wanted, rtol=SINGLE, atol=SINGLE)
    for name, value in TYPES.items():
        given = value.astype("S") if value.dtype == object else value
        found = answers[f"types/{name}"]
        assert np.array_equal(found, given.astype(np.float32) if name == "bfloat16" else given), name


@pytest.mark.slow
def test_they_restore_our_objects(tmp_path: Path) -> None:
    model, step = Model(3.0), tf2.Variable(9, dtype=tf2.int64)
    tf2.train.Checkpoint(model=model, step=step).save(str(tmp_path / "ours-objects"))
    oracle.asked(SCRIPT, "read_objects", str(tmp_path))
    answers = np.load(tmp_path / "objects.npz")
    found = [model.w, *model.parts, model.named["a.b/c"], model.inner.w, step]
    for i, v in enumerate(found):
        assert np.array_equal(answers[str(i)], v.numpy()), v.name


@pytest.mark.slow
def test_messages_are_tensorflows(tmp_path: Path) -> None:
    """Every field we know has their number, type and oneof."""
    ours = {}
    waiting = [getattr(messages, name).DESCRIPTOR for name in names_of_messages()]
    while waiting:
        message = waiting.pop()
        if message.GetOptions().map_entry:
            continue
        waiting.extend(message.nested_types)
        name = message.full_name.removeprefix("tensorflow.")
        for f in message.fields:
            kind = f.message_type or f.enum_type
            oneof = f.containing_oneof.name if f.containing_oneof else ""
            ours[name, f.name] = f"{f.number} {f.type} {f.is_repeated} {kind.full_name if kind else ''} {oneof}"
    (tmp_path / "names.txt").write_text("\n".join(sorted({name for name, _ in ours})))
    oracle.asked(SCRIPT, "schema", str(tmp_path))
    rows = (line.split(" ", 2) for line in (tmp_path / "schema.txt").read_text().splitlines())
    known = {(message, field): said for message, field, said in rows}
    assert len(ours) > 500
    for key, said in ours.items():
        assert known[key] == said, key


def names_of_messages() -> list[str]:
    import re

    folder = Path(schema.__file__).parent
    files = [name for name in schema.FILES if name != "projector"]  # TensorBoard's own, in a package of its own there
    texts = [(folder / f"{name}.proto").read_text() for name in files]
    return [name for text in texts for name in re.findall(r"^message (\w+)", text, re.M)]
