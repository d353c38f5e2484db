"""Examples, bytes, comma-separated values and whole files as tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

Train, Io = tf.train, tf.io


def example(**features: Any) -> bytes:
    made = Train.Example()
    for key, values in features.items():
        held = made.features.feature[key]
        kind = {bytes: held.bytes_list, float: held.float_list, int: held.int64_list}[type(values[0])]
        kind.value.extend(values)
    return made.SerializeToString()


A = example(x=[1.0, 2.0], n=[3], s=[b"hi"], v=[1, 2, 3], seq=[1.0, 2.0, 3.0, 4.0], at=[1, 3], of=[5.0, 6.0])
B = example(x=[3.0, 4.0], n=[5], v=[7], seq=[9.0, 8.0], at=[0], of=[7.0])
FEATURES = {
    "x": Io.FixedLenFeature([2], tf.float32),
    "n": Io.FixedLenFeature([], tf.int64),
    "s": Io.FixedLenFeature([], tf.string, default_value="no"),
    "v": Io.VarLenFeature(tf.int64),
    "seq": Io.FixedLenSequenceFeature([2], tf.float32, allow_missing=True),
    "sparse": Io.SparseFeature("at", "of", tf.float32, 5),
}


def test_a_batch_of_examples() -> None:
    got = Io.parse_example([A, B], FEATURES)
    assert got["x"].numpy().tolist() == [[1, 2], [3, 4]]
    assert got["n"].numpy().tolist() == [3, 5]
    assert got["s"].numpy().tolist() == [b"hi", b"no"]
    assert got["seq"].numpy().tolist() == [[[1, 2], [3, 4]], [[9, 8], [0, 0]]]
    assert got["v"].indices.numpy().tolist() == [[0, 0], [0, 1], [0, 2], [1, 0]]
    assert got["v"].values.numpy().tolist() == [1, 2, 3, 7]
    assert tf.sparse.to_dense(got["sparse"]).numpy().tolist() == [[0, 5, 0, 6, 0], [7, 0, 0, 0, 0]]


def test_one_example() -> None:
    got = Io.parse_single_example(A, FEATURES)
    assert got["x"].numpy().tolist() == [1, 2]
    assert got["seq"].numpy().tolist() == [[1, 2], [3, 4]]
    assert got["v"].indices.numpy().tolist() == [[0], [1], [2]]


@pytest.mark.parametrize("given", [[None], None])  # an export's receiver often says no shape
def test_shapes_are_known_in_graphs(given: Any) -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        words = v1.placeholder(tf.string, given)
        got = v1.parse_example(words, {k: FEATURES[k] for k in ("x", "seq", "v")})
        assert [got[k].shape.as_list() for k in ("x", "seq")] == [[None, 2], [None, None, 2]]
        assert session.run(got, {words: [B]})["x"].tolist() == [[3, 4]]


def test_sequence_examples() -> None:
    made = Train.SequenceExample()
    made.context.feature["length"].int64_list.value.append(2)
    for n in (4, 5):
        made.feature_lists.feature_list["t"].feature.add().int64_list.value.append(n)
        made.feature_lists.feature_list["w"].feature.add().bytes_list.value.extend([b"a"] * (n - 3))
    context, lists = Io.parse_single_sequence_example(
        made.SerializeToString(),
        {"length": Io.FixedLenFeature([], tf.int64)},
        {"t": Io.FixedLenSequenceFeature([], tf.int64), "w": Io.VarLenFeature(tf.string)},
    )
    assert int(context["length"]) == 2
    assert lists["t"].numpy().tolist() == [4, 5]
    assert lists["w"].indices.numpy().tolist() == [[0, 0], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("data", "features", "words"),
    [
        (A, {"q": Io.FixedLenFeature([], tf.float32)}, "is required but could not be found"),
        (A, {"n": Io.FixedLenFeature([], tf.float32)}, "Expected type: float32, found: int64_list"),
        (A, {"v": Io.FixedLenFeature([], tf.int64)}, "Values size: 3 but output shape"),
        (b"\xff", {"v": Io.FixedLenFeature([], tf.int64)}, "Could not parse example"),
    ],
)
def test_examples_that_do_not_fit(data: bytes, features: Any, words: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        Io.parse_single_example(data, features)


def test_features_that_are_not_described_well() -> None:
    with pytest.raises(ValueError, match="Missing"):
        Io.parse_example([A], {})
    with pytest.raises(ValueError, match="allow_missing"):
        Io.parse_example([A], {"x": Io.FixedLenSequenceFeature([], tf.float32)})
    with pytest.raises(ValueError, match="unknown"):
        Io.parse_example([A], {"x": Io.FixedLenFeature([None], tf.float32)})


def test_bytes_as_numbers() -> None:
    assert Io.decode_raw([b"\1\0\2\0", b"\3\0\4\0"], tf.int16).numpy().tolist() == [[1, 2], [3, 4]]
    assert Io.decode_raw([b"\1\0\2"], tf.int16, fixed_length=4).numpy().tolist() == [[1, 2]]
    assert Io.decode_raw(b"\1\0", tf.int16, little_endian=False).numpy().tolist() == [256]


def test_rows_of_a_table() -> None:
    got = Io.decode_csv([b"1,2.5,x", b'3,,"a,b"'], [[0], [7.0], [""]])
    assert [t.numpy().tolist() for t in got] == [[1, 3], [2.5, 7.0], [b"x", b"a,b"]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="required but missing"):
        Io.decode_csv(",2", [tf.int32, 1])


def test_whole_files(tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "x.txt")
    Io.write_file(path, "hello")
    assert Io.read_file(path).numpy() == b"hello"
    assert Io.matching_files(str(tmp_path / "deep" / "*")).numpy().tolist() == [path.encode()]
    with pytest.raises(tf.errors.NotFoundError):
        Io.read_file(path + "?")


def test_tensors_as_words() -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(Io.parse_tensor(Io.serialize_tensor(x), tf.float32), x)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Type mismatch"):
        Io.parse_tensor(Io.serialize_tensor(x), tf.int32)


def test_records_through_a_pipeline(tmp_path: Path) -> None:
    path = str(tmp_path / "records")
    with Io.TFRecordWriter(path) as writer:
        for record in (A, B):
            writer.write(record)
    parsed = tf.data.TFRecordDataset(path).map(lambda r: Io.parse_single_example(r, {"v": FEATURES["v"]})).batch(2)
    assert isinstance(parsed.element_spec["v"], tf.SparseTensorSpec)
    (batch,) = parsed
    assert tf.sparse.to_dense(batch["v"]).numpy().tolist() == [[1, 2, 3], [7, 0, 0]]
