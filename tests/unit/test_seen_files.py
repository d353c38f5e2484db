"""Weight files: what is read, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.see.weights import put_weights, read_weights


def test_a_checkpoint_an_npz_and_safetensors_hold_the_same(tmp_path):
    value = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.savez(tmp_path / "w.npz", **{"a/w": value})
    with tf1.Graph().as_default(), tf1.Session() as session:
        v = tf1.Variable(value, name="a/w")
        session.run(v.initializer)
        path = tf1.train.Saver([v]).save(session, str(tmp_path / "w"))
    for file in (tmp_path / "w.npz", path, f"{path}.index"):
        np.testing.assert_array_equal(read_weights(file)["a/w"], value)
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file({"a/w": value}, tmp_path / "w.safetensors")
    np.testing.assert_array_equal(read_weights(tmp_path / "w.safetensors")["a/w"], value)


def test_what_is_left_over_is_told():
    with tf1.Graph().as_default(), tf1.Session() as session:
        v = tf1.Variable(np.zeros(2), name="v")
        assert put_weights(session, [v], {"v": [1.0, 2.0], "v/Adam": [0.0, 0.0]}, "file") == ["v/Adam"]
        assert session.run(v).tolist() == [1.0, 2.0]


def test_missing_damaged_and_foreign_files_are_named(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="there is no such file"):
        read_weights(tmp_path / "none.npz")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"not an \.npz file of plain arrays"):
        read_weights(tmp_path / "cut.npz")
    with pytest.raises(tf.errors.NotFoundError, match=r"no checkpoint"):
        read_weights(tmp_path / "none")
