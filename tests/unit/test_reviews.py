"""keras.datasets.imdb: reviews from an archive, whose pickled lists are read without running anything."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf

TRAIN = [[5, 9, 1], [7], [2, 2, 8, 30]]
TEST = [[4, 6], [11, 12, 13, 14, 15]]


def objects(rows: Any) -> Any:
    out = np.empty(len(rows), object)
    out[:] = rows
    return out


@pytest.fixture
def archive(tmp_path: Path) -> str:
    path = str(tmp_path / "imdb.npz")
    np.savez(path, x_train=objects(TRAIN), y_train=[1, 0, 1], x_test=objects(TEST), y_test=[0, 1])
    return path


def test_reviews_come_in_a_seeded_order_with_their_labels(archive: str) -> None:
    (x, y), (x_test, y_test) = tf.keras.datasets.imdb.load_data(archive, num_words=1000)
    assert x.dtype == object and y.dtype == np.int64
    # Each begins with 1, and word numbers are moved by 3.
    by_words = {tuple(row): label for row, label in zip(x.tolist(), y.tolist(), strict=True)}
    assert by_words == {(1, 8, 12, 4): 1, (1, 10): 0, (1, 5, 5, 11, 33): 1}
    assert sorted(map(tuple, x_test.tolist())) == [(1, 7, 9), (1, 14, 15, 16, 17, 18)]
    assert sorted(y_test.tolist()) == [0, 1]
    again = tf.keras.datasets.imdb.load_data(archive, num_words=1000)
    assert again[0][0].tolist() == x.tolist()


def test_rare_words_and_long_reviews_are_left_out(archive: str) -> None:
    (x, _), (x_test, y_test) = tf.keras.datasets.imdb.load_data(archive, num_words=12, maxlen=5)
    assert sorted(map(tuple, x.tolist())) == [(1, 8, 2, 4), (1, 10)]
    assert x_test.tolist() == [[1, 7, 9]] and y_test.tolist() == [0]
    (x, _), _ = tf.keras.datasets.imdb.load_data(archive, num_words=12, oov_char=None, start_char=None, index_from=0)
    assert sorted(map(tuple, x.tolist())) == [(2, 2, 8), (5, 9, 1), (7,)]
    with pytest.raises(ValueError, match="no sequence was kept"):
        tf.keras.datasets.imdb.load_data(archive, maxlen=2)


class Trap:
    def __reduce__(self) -> Any:
        return os.mkdir, (os.environ["TRAP"],)


def test_an_archive_that_names_a_function_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = tmp_path / "sprung"
    monkeypatch.setenv("TRAP", str(trap))
    bad = np.empty(1, object)
    bad[0] = Trap()
    path = str(tmp_path / "imdb.npz")
    np.savez(path, x_train=bad, y_train=[1], x_test=objects(TEST), y_test=[0, 1])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"mkdir, which no array of lists needs"):
        tf.keras.datasets.imdb.load_data(path)
    assert not trap.exists()
    assert pickle.dumps(Trap())  # it would have been called by a reader that trusts


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "imdb.npz")
    np.savez(path, x_train=objects([["a"], ["b"]]), y_train=[1, 0], x_test=objects(TEST), y_test=[0, 1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="no list of numbers"):
        tf.keras.datasets.imdb.load_data(path)
    np.savez(path, other=[1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="x_train"):
        tf.keras.datasets.imdb.load_data(path)
