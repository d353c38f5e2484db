"""Summaries: what the messages hold, and files that TensorBoard reads. Numbers are TensorFlow 2.21's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.io import messages


def events(folder: Path) -> list[Any]:
    """All events of a folder but those that begin a file."""
    found = [e for path in sorted(folder.glob("*tfevents*")) for e in v1.train.summary_iterator(str(path))]
    return [e for e in found if not e.file_version]


def ran(summary: Any, feeds: Any = None) -> list[Any]:
    """The values of a summary."""
    with v1.Session() as session:
        return list(messages.parsed(messages.Summary(), session.run(summary, feeds), "the summary").value)


@pytest.fixture
def graph() -> Any:
    with v1.Graph().as_default() as made:
        yield made


def test_tags_follow_scopes_and_families(graph: Any) -> None:
    with v1.name_scope("sc"):
        summary = v1.summary.scalar("loss one", 0.5, family="fam")
    again = [v1.summary.scalar("acc", 1.0) for _ in range(2)][1]
    assert (summary.name, again.name) == ("sc/fam/loss_one:0", "acc_1:0")
    (value,) = ran(summary)
    assert (value.tag, value.simple_value) == ("fam/sc/fam/loss_one", 0.5)
    merged = v1.summary.merge_all()
    assert merged.name == "Merge/MergeSummary:0"
    assert [v.tag for v in ran(merged)] == ["fam/sc/fam/loss_one", "acc", "acc_1"]


def test_histogram_has_tensorflows_buckets(graph: Any) -> None:
    x = v1.placeholder(tf.float32, [None])
    (value,) = ran(v1.summary.histogram("h", x), {x: [0, 0, 1, 1e30, -5]})
    histo = value.histo
    filled = {float(f"{limit:.6g}"): n for limit, n in zip(histo.bucket_limit, histo.bucket, strict=True) if n}
    assert filled == {-4.63619: 1, 1e-12: 2, 1.00897: 1, 1.79769e308: 1}
    assert (histo.min, histo.num) == (-5, 5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Nan in summary histogram for: h"):
        ran(v1.summary.histogram("h2", x), {x: [np.nan]})


def test_pictures_are_scaled(graph: Any) -> None:
    def pixels(x: Any) -> list[int]:
        (value,) = ran(v1.summary.image("p", np.array(x, np.float32).reshape(1, 1, -1, 1), max_outputs=1))
        assert value.tag.endswith("/image")
        return v1.Session().run(tf.image.decode_png(value.image.encoded_image_string)).ravel().tolist()

    assert pixels([0, 0.5, 1]) == [0, 127, 255]
    assert pixels([-1, 0, 0.5]) == [1, 128, 191]


def test_no_pictures_or_sounds_are_refused(graph: Any) -> None:
    with pytest.raises(ValueError, match="max_outputs must be 1 or more"):
        v1.summary.image("p", tf.zeros([1, 2, 2, 1]), max_outputs=0)
    with pytest.raises(ValueError, match="max_outputs must be 1 or more"):
        v1.summary.audio("a", tf.zeros([1, 2, 1]), 8000, max_outputs=0)


def test_duplicate_tags_are_refused(graph: Any) -> None:
    one = v1.summary.scalar("a", 1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Duplicate tag a"):
        ran(v1.summary.merge([one, one]))


def test_file_writer_writes_events(graph: Any, tmp_path: Path) -> None:
    summary = v1.summary.scalar("loss", 0.25)
    with v1.Session() as session, v1.summary.FileWriter(str(tmp_path), session.graph) as writer:
        writer.add_summary(session.run(summary), 3)
        writer.add_summary(v1.Summary(value=[v1.Summary.Value(tag="own", simple_value=2.0)]), 4)
        writer.close()
        writer.reopen()
        writer.add_run_metadata(v1.RunMetadata(), "step", 5)
        with pytest.raises(ValueError, match="already used"):
            writer.add_run_metadata(v1.RunMetadata(), "step", 5)
    drawn, first, second, traced = events(tmp_path)
    nodes = messages.parsed(messages.GraphDef(), drawn.graph_def, "the graph").node
    assert [n.op for n in nodes if n.name == "loss"] == ["ScalarSummary"]
    assert (first.step, first.summary.value[0].simple_value) == (3, 0.25)
    assert (second.step, second.summary.value[0].tag) == (4, "own")
    assert (traced.step, traced.tagged_run_metadata.tag) == (5, "step")


def test_metadata_of_a_tag_is_written_once(graph: Any, tmp_path: Path) -> None:
    summary = v1.summary.text("words", tf.constant(["hello"]))
    with v1.Session() as session, v1.summary.FileWriter(str(tmp_path)) as writer:
        for step in range(2):
            writer.add_summary(session.run(summary), step)
    first, second = (e.summary.value[0] for e in events(tmp_path))
    assert first.metadata.plugin_data.plugin_name == "text"
    assert not second.HasField("metadata")


def test_closed_writer_warns(tmp_path: Path) -> None:
    writer = v1.summary.FileWriter(str(tmp_path))
    writer.close()
    with pytest.warns(UserWarning, match="closed FileWriter"):
        writer.add_summary(b"", 1)


def written(folder: Path, call: Any) -> list[Any]:
    """(step, tag, plugin, array) of what a function writes."""
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        call()
    writer.close()
    pairs = [(e.step, v) for e in events(folder) for v in e.summary.value]
    return [(step, v.tag, v.metadata.plugin_data.plugin_name, held(v.tensor)) for step, v in pairs]


def held(message: Any) -> Any:
    return tf.io.parse_tensor(message.SerializeToString(), tf.as_dtype(message.dtype)).numpy()


def test_tensorflow_2_writes_at_once(tmp_path: Path) -> None:
    def call() -> None:
        tf.summary.scalar("loss", 0.5, step=1)
        with tf.name_scope("scope"):
            tf.summary.histogram("h", [0.0, 1.0, 2.0, 4.0], step=2, buckets=2)
        tf.summary.text("words", "hello", step=3)
        with tf.summary.record_if(False):
            assert not tf.summary.scalar("not", 1.0, step=4)

    loss, histogram, text = written(tmp_path, call)
    assert loss == (1, "loss", "scalars", np.float32(0.5))
    assert histogram[:3] == (2, "scope/h", "histograms")
    np.testing.assert_array_equal(histogram[3], [[0, 2, 2], [2, 4, 2]])
    assert text == (3, "words", "text", b"hello")


def test_pictures_hold_their_size(tmp_path: Path) -> None:
    pictures = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 2, 3, 2)[..., :1]
    ((_, _, plugin, held),) = written(tmp_path, lambda: tf.summary.image("p", pictures, step=0))
    assert (plugin, held[0], held[1]) == ("images", b"3", b"2")
    assert tf.image.decode_png(held[2]).shape.as_list() == [2, 3, 1]


def test_summary_in_a_function_is_written_at_every_call(tmp_path: Path) -> None:
    step = tf.Variable(0, dtype=tf.int64)

    @tf.function
    def f(x: Any) -> Any:
        tf.summary.scalar("inner", x, step=step)
        return x * 2.0

    def call() -> None:
        for i in range(2):
            f(tf.constant(float(i)))
            step.assign_add(1)

    assert [(s, t, float(v)) for s, t, _, v in written(tmp_path, call)] == [(0, "inner", 0), (1, "inner", 1)]


def test_step_in_force(tmp_path: Path) -> None:
    def call() -> None:
        with pytest.raises(ValueError, match="No step set"):
            tf.summary.scalar("s", 1.0)
        tf.summary.experimental.set_step(9)
        tf.summary.scalar("s", 1.0)
        tf.summary.experimental.set_step(None)

    assert [s for s, *_ in written(tmp_path, call)] == [9]
    assert not tf.summary.scalar("s", 1.0), "nothing is written without a writer"


def test_trace_writes_the_functions_graph(tmp_path: Path) -> None:
    f = tf.function(lambda x: tf.square(x))
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        tf.summary.trace_on()
        f(tf.constant(2.0))
        tf.summary.trace_export("f", step=0)
    writer.close()
    (event,) = events(tmp_path)
    assert "Square" in [n.op for n in messages.parsed(messages.GraphDef(), event.graph_def, "the graph").node]


def test_tensorboard_reads_the_files(graph: Any, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    x = v1.placeholder(tf.float32, [None])
    summaries = [v1.summary.scalar("s", tf.reduce_sum(x)), v1.summary.histogram("h", x)]
    summaries.append(v1.summary.image("i", np.ones((2, 3, 5, 3), np.uint8), max_outputs=1))
    merged = v1.summary.merge(summaries)
    with v1.Session() as session, v1.summary.FileWriter(str(tmp_path), session.graph) as writer:
        for step in range(3):
            writer.add_summary(session.run(merged, {x: [step, 1]}), step)
    read = accumulator.EventAccumulator(str(tmp_path), size_guidance={"histograms": 0, "images": 0})
    read.Reload()
    assert [(e.step, e.value) for e in read.Scalars("s")] == [(0, 1), (1, 2), (2, 3)]
    assert [e.histogram_value.num for e in read.Histograms("h")] == [2, 2, 2]
    assert [(e.width, e.height) for e in read.Images("i/image")] == [(5, 3)] * 3
    assert "s" in [n.name for n in read.Graph().node]
