"""Files that were altered byte by byte, cut short, or written by somebody who means harm: clear errors, soon."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.core.errors import OpError
from pullback.io import bundle, checkpoints, messages
from pullback.io.records import records
from pullback.io.tensors import array_of_proto

ROUNDS = 40


def written_bundle(folder: Path) -> tuple[Path, Callable[[], Any]]:
    prefix = str(folder / "b")
    words = np.array([b"a", b"bb" * 40], object)
    bundle.write_bundle(prefix, {"a": np.arange(300.0), "words": words, "half": np.ones((3, 4), np.float16)})
    return folder / "b.index", lambda: [
        checkpoints.opened(prefix).tensor(n) for n in checkpoints.opened(prefix).names()
    ]


def written_records(kind: str) -> Callable[[Path], tuple[Path, Callable[[], Any]]]:
    def write(folder: Path) -> tuple[Path, Callable[[], Any]]:
        path = folder / "records"
        with tf.io.TFRecordWriter(str(path), kind) as writer:
            for i in range(20):
                writer.write(os.urandom(7 * i))
        return path, lambda: list(records(path, kind))

    return write


def written_events(folder: Path) -> tuple[Path, Callable[[], Any]]:
    writer = tf.summary.FileWriter(str(folder / "events"))
    for step in range(10):
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=1.0)]), step)
    writer.close()
    (path,) = (folder / "events").iterdir()
    return path, lambda: list(tf.train.summary_iterator(str(path)))


def written_meta_graph(folder: Path) -> tuple[Path, Callable[[], Any]]:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.get_variable("w", [3, 2], initializer=tf.random_normal_initializer(seed=1))
        y = tf.cond(tf.reduce_sum(x) > 0, lambda: tf.matmul(x, w), lambda: tf.zeros([1, 2]))
        tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s * 2.0 + tf.reduce_sum(y)), [0, 1.0])
        tf.train.Saver()
        tf.train.export_meta_graph(str(folder / "g.meta"))

    def read() -> None:
        with tf.Graph().as_default():
            tf.train.import_meta_graph(str(folder / "g.meta"))

    return folder / "g.meta", read


def written_saved_model(folder: Path) -> tuple[Path, Callable[[], Any]]:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        y = tf.matmul(x, tf.get_variable("w", [3, 2]))
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, str(folder / "m"), {"x": x}, {"y": y})
    (folder / "m" / "fingerprint.pb").unlink()

    def read() -> None:
        with tf.Graph().as_default(), tf.Session() as session:
            tf.saved_model.load(session, ["serve"], str(folder / "m"))

    return folder / "m" / "saved_model.pb", read


WRITERS = {
    "index of a bundle": written_bundle,
    "records": written_records(""),
    "gzipped records": written_records("GZIP"),
    "deflated records": written_records("ZLIB"),
    "events": written_events,
    "meta graph": written_meta_graph,
    "saved model": written_saved_model,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_altered_and_shortened_files_give_clear_errors(kind: str, tmp_path: Path):
    path, read = WRITERS[kind](tmp_path)
    data, rng = path.read_bytes(), np.random.default_rng(len(kind))
    read()
    refused = 0
    for _ in range(ROUNDS):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            changed[at] ^= rng.integers(1, 256)
        end = len(data) if rng.random() < 0.6 else rng.integers(len(data))
        path.write_bytes(changed[:end])
        try:
            read()
        except (OpError, ValueError, KeyError, RuntimeError) as error:
            refused += 1
            assert str(error)
    assert refused > ROUNDS / 2


def mutated(message: Any, rng: np.random.Generator) -> None:
    """Changes, removes or empties one field somewhere in a message."""
    places: list[tuple[Any, Any, Any]] = []

    def walk(m: Any) -> None:
        for field, value in m.ListFields():
            kind = field.message_type
            if kind is not None and kind.GetOptions().map_entry:
                places.extend((m, field, key) for key in value)
                if kind.fields_by_name["value"].message_type:
                    for key in value:
                        walk(value[key])
            elif hasattr(value, "append") or hasattr(value, "add"):
                places.extend((m, field, i) for i in range(len(value)))
                for item in value if kind else ():
                    walk(item)
            else:
                places.append((m, field, None))
                if kind:
                    walk(value)

    walk(message)
    owner, field, key = places[rng.integers(len(places))]
    value = getattr(owner, field.name)
    if key is not None and (field.message_type or rng.random() < 0.4):
        del value[key]
    elif field.message_type or rng.random() < 0.3:
        owner.ClearField(field.name)
    else:
        old = value if key is None else value[key]
        choices = {
            bool: [not old],
            int: [0, 1, -1, 7, 20, 101, 2**31 - 1],
            str: ["", "x", "x:9", "^x"],
            bytes: [b"\xff"],
        }
        new = choices.get(type(old), [0.0])[rng.integers(len(choices.get(type(old), [0.0])))]
        try:
            if key is None:
                setattr(owner, field.name, new)
            else:
                value[key] = new
        except (ValueError, TypeError):  # a number that the field cannot hold
            owner.ClearField(field.name)


@pytest.mark.parametrize("kind", ["meta graph", "saved model"])
def test_messages_that_contradict_themselves_give_clear_errors(kind: str, tmp_path: Path):
    path, read = WRITERS[kind](tmp_path)
    form = messages.MetaGraphDef if kind == "meta graph" else messages.SavedModel
    rng, refused, data = np.random.default_rng(7), 0, path.read_bytes()
    for _ in range(ROUNDS):
        message = form.FromString(data)
        for _ in range(rng.integers(1, 4)):
            mutated(message, rng)
        path.write_bytes(message.SerializeToString())
        try:
            read()
        except (OpError, ValueError, KeyError, RuntimeError) as error:
            refused += 1
            assert str(error)
    assert refused > 5


def test_a_few_bytes_do_not_get_gigabytes():
    message = messages.TensorProto(dtype=1, float_val=[2.0])
    message.tensor_shape.dim.add(size=2**30)
    tracemalloc.start()
    array = array_of_proto(message)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert array.shape == (2**30,) and array[-1] == 2 and peak < 2**20
