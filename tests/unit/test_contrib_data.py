"""contrib.data's names, and datasets of batches straight from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.contrib import data
from pullback.data import tables_of_files

counted = tf.data.Dataset.range


def elements(make: Any) -> list[Any]:
    """What a dataset gives in a session."""
    out = []
    with tf.Graph().as_default(), tf.Session() as session:
        element = make().make_one_shot_iterator().get_next()
        try:
            while True:
                out.append(session.run(element))
        except tf.errors.OutOfRangeError:
            return out


def test_full_batches_only() -> None:
    made = elements(lambda: counted(7).apply(data.batch_and_drop_remainder(3)))
    np.testing.assert_array_equal(made, [[0, 1, 2], [3, 4, 5]])
    rows = elements(
        lambda: (
            counted(5)
            .map(lambda n: tf.fill([n], n))
            .apply(data.padded_batch_and_drop_remainder(2, [None], np.int64(-1)))
        )
    )
    assert [r.tolist() for r in rows] == [[[-1], [1]], [[2, 2, -1], [3, 3, 3]]]


def test_windows_slide() -> None:
    np.testing.assert_array_equal(
        elements(lambda: counted(6).apply(data.sliding_window_batch(3, 2))), [[0, 1, 2], [2, 3, 4]]
    )
    made = elements(lambda: counted(5).apply(data.sliding_window_batch(2, window_stride=2)))
    np.testing.assert_array_equal(made, [[0, 2], [1, 3], [2, 4]])
    pairs = elements(lambda: tf.data.Dataset.zip((counted(3), counted(3))).apply(data.sliding_window_batch(2)))
    np.testing.assert_array_equal(pairs, [[[0, 1], [0, 1]], [[1, 2], [1, 2]]])
    with pytest.raises(ValueError, match="both"):
        data.sliding_window_batch(3, 1, 1)


def test_shapes_are_asserted_and_known_afterwards() -> None:
    def vectors(shape: Any) -> Any:
        made = counted(1, 3).map(lambda n: (tf.fill([n], n), n)).apply(data.assert_element_shape((shape, [])))
        assert made.output_shapes[0].as_list() == shape
        return made

    assert len(elements(lambda: vectors([None]))) == 2
    with pytest.raises(tf.errors.InvalidArgumentError):
        elements(lambda: vectors([1]))
    with pytest.raises(ValueError):
        counted(3).apply(data.assert_element_shape([2]))


def test_interleaved_and_sampled() -> None:
    made = elements(lambda: counted(2).apply(data.sloppy_interleave(lambda n: counted(2).map(lambda k: 10 * n + k), 2)))
    assert sorted(made) == [0, 1, 10, 11]
    drawn = elements(lambda: data.sample_from_datasets([counted(4), counted(9, 10)], [1.0, 0.0], 1).take(4))
    assert drawn == [0, 1, 2, 3]


def table(folder: Path) -> str:
    (folder / "a.csv").write_text("n,big,x,w,none\n1,3000000000,2.5,on,\n2,4,,off,\n", encoding="utf-8")
    (folder / "b.csv").write_text("n,big,x,w,none\n3,5,7,on,\n", encoding="utf-8")
    return str(folder / "*.csv")


def test_tables_become_batches_of_columns(tmp_path: Path) -> None:
    pattern = table(tmp_path)
    made = elements(
        lambda: tables_of_files.make_csv_dataset_v1(pattern, 2, label_name="w", num_epochs=1, shuffle=False)
    )
    (first, label), (last, end) = made
    assert list(first) == ["n", "big", "x", "none"]
    assert {k: v.dtype.name for k, v in first.items()} == {
        "n": "int32",
        "big": "int64",
        "x": "float32",
        "none": "float32",
    }
    assert first["x"].tolist() == [2.5, 0] and label.tolist() == [b"on", b"off"]
    assert last["n"].tolist() == [3] and end.tolist() == [b"on"]


def test_columns_are_selected_named_and_repeated_in_full_batches(tmp_path: Path) -> None:
    pattern = table(tmp_path)
    make = tables_of_files.make_csv_dataset_v1
    made = elements(lambda: make(pattern, 2, select_columns=["w", 0], shuffle_seed=3).take(6))
    assert all(list(m) == ["n", "w"] and m["n"].shape == (2,) for m in made)
    assert sorted(np.concatenate([m["n"] for m in made])[:3].tolist()) == [1, 2, 3]
    given = {"column_names": list("abcde"), "column_defaults": [tf.string, tf.string], "header": False}
    rows = elements(
        lambda: make(str(tmp_path / "b.csv"), 1, select_columns=[0, 3], num_epochs=1, shuffle=False, **given)
    )
    assert [(r["a"].tolist(), r["d"].tolist()) for r in rows] == [([b"n"], [b"w"]), ([b"3"], [b"on"])]


def test_mistakes_of_tables(tmp_path: Path) -> None:
    pattern, make = table(tmp_path), tables_of_files.make_csv_dataset
    for change, said in (
        ({"label_name": "z"}, "label_name"),
        ({"select_columns": ["z"]}, "no column is named 'z'"),
        ({"select_columns": [9]}, "no column 9"),
        ({"header": False}, "infer column names"),
        ({"column_names": ["a", "a"]}, "duplicate"),
        ({"encoding": "latin-1"}, "utf-8"),
    ):
        with pytest.raises(ValueError, match=said):
            make(pattern, 2, **change)
    with pytest.raises(ValueError, match="No files match"):
        make(str(tmp_path / "none*"), 2)
    (tmp_path / "c.csv").write_text("other\n1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="same header"):
        make(pattern, 2)


def test_rows_that_do_not_fit_are_left_out_when_asked(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\nword\n3\n", encoding="utf-8")
    given = {"column_defaults": [tf.int32], "num_epochs": 1, "shuffle": False, "ignore_errors": True}
    made = tables_of_files.make_csv_dataset_v1
    assert elements(lambda: made(str(tmp_path / "t.csv"), 3, **given))[0]["a"].tolist() == [1, 3]


def test_examples_become_batches(tmp_path: Path) -> None:
    path = str(tmp_path / "x.tfrecord")
    with tf.python_io.TFRecordWriter(path) as writer:
        for i in range(5):
            feature = {
                "x": tf.train.Feature(float_list=tf.train.FloatList(value=[i, i + 0.5])),
                "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[i])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    features = {"x": tf.FixedLenFeature([2], tf.float32), "y": tf.FixedLenFeature([], tf.int64)}
    make = tables_of_files.make_batched_features_dataset_v1
    made = elements(lambda: make(path, 2, features, label_key="y", num_epochs=1, shuffle=False))
    assert [label.tolist() for _, label in made] == [[0, 1], [2, 3], [4]] and list(made[0][0]) == ["x"]
    np.testing.assert_array_equal(made[1][0]["x"], [[2, 2.5], [3, 3.5]])
    full = elements(lambda: make(path, 2, features, num_epochs=1, drop_final_batch=True, shuffle_seed=1))
    assert len(full) == 2 and set(full[0]) == {"x", "y"}
    with tf.Graph().as_default(), tf.Session() as session:
        batch = data.read_batch_features(path, 5, features, randomize_input=False)
        assert session.run(batch["y"]).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="label_key"):
        make(path, 2, features, label_key="z")
    with pytest.raises(ValueError, match="dataset class"):
        make(path, 2, features, reader=tf.TFRecordReader())
