"""Buckets of strings and crosses: the numbers are those that TensorFlow 2.21 gave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

BUCKETS = 2**62
# word: its buckets by to_hash_bucket_fast, to_hash_bucket, and to_hash_bucket_strong with the key of the test below.
HASHES = {
    b"": (1936946117179621455, 105434511174508091, 2687967955150315968),
    b"a": (3694432073954588131, 2996632905371535868, 1380271951645389367),
    b"hello": (3786372426573024488, 1331861223480393034, 1841346816425267620),
    b"hello world": (1769834696496558107, 936430787915428847, 1794878441536030788),
    b"0123456789abcdefg": (2800675501336285770, 1785752214242554974, 1363201962852602089),
    b"y" * 63: (3877910724527107673, 4089339257474101137, 2351702375014523914),
    bytes(range(65)): (478270155923209662, 2525959834624391444, 3205748846841349862),
    bytes(range(256)): (679971070136948511, 738269575436937580, 3830703857751516943),
}
WORDS = list(HASHES)
PLACES = [[0, 0], [0, 1], [1, 0]]


def sparse(values: Any) -> Any:
    return tf.SparseTensor(PLACES, values, [2, 2])


def test_buckets_are_tensorflows() -> None:
    fast, old, strong = (list(column) for column in zip(*HASHES.values(), strict=True))
    assert tf.strings.to_hash_bucket_fast(WORDS, BUCKETS).numpy().tolist() == fast
    assert tf.strings.to_hash_bucket(WORDS, BUCKETS).numpy().tolist() == old
    made = tf.strings.to_hash_bucket_strong(WORDS, BUCKETS, [123456789, 987654321])
    assert made.numpy().tolist() == strong


def test_the_old_name_takes_either_argument() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        both = v1.string_to_hash_bucket(WORDS, 10), v1.string_to_hash_bucket(input=WORDS, num_buckets=10)
        first, second = session.run(both)
        assert first.tolist() == second.tolist() and len(first) == len(WORDS)
        with pytest.raises(ValueError, match="one of string_tensor and input"):
            v1.string_to_hash_bucket(WORDS, 10, input=WORDS)


def test_hashed_crosses_are_tensorflows() -> None:
    words, others, numbers = sparse(["a", "b", "c"]), sparse(["x", "y", "z"]), sparse([7, 8, -9])
    made = tf.sparse.cross_hashed([words, others], num_buckets=1000)
    assert made.indices.numpy().tolist() == [[0, 0], [0, 1], [0, 2], [0, 3], [1, 0]]
    assert made.values.numpy().tolist() == [892, 747, 4, 805, 280]
    assert made.dense_shape.numpy().tolist() == [2, 4]
    assert tf.sparse.cross_hashed([words, numbers], 1000).values.numpy().tolist() == [856, 235, 976, 726, 304]
    assert tf.sparse.cross_hashed([words, numbers], 1000, 5).values.numpy().tolist() == [799, 136, 367, 612, 250]
    whole = tf.sparse.cross_hashed([words, others]).values.numpy().tolist()
    assert whole[0] == 1484974617627318892 and whole[-1] == 5890530401397985473
    dense = tf.sparse.cross_hashed([words, tf.constant([[1, 2], [3, 4]])], 100)
    assert dense.values.numpy().tolist() == [85, 87, 83, 57, 94, 22]


def test_crosses_as_text_join_the_features() -> None:
    made = tf.sparse.cross([sparse(["a", "b", "c"]), sparse([7, 8, -9])])
    assert made.values.numpy().tolist() == [b"a_X_7", b"a_X_8", b"b_X_7", b"b_X_8", b"c_X_-9"]
    assert tf.sparse.cross([sparse(["a", "b", "c"])] * 2, separator="-").values.numpy()[1] == b"a-b"


def test_crossing_says_what_does_not_fit() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="one batch size"):
        tf.sparse.cross([sparse(["a", "b", "c"]), tf.constant([["x"]])])
    with pytest.raises(TypeError, match="must be a list"):
        tf.sparse.cross(sparse(["a", "b", "c"]))


def test_bucketize_counts_boundaries_that_are_not_larger() -> None:
    made = tf.raw_ops.Bucketize(input=np.array([[-5.0, 10000.0], [150.0, 10.0]]), boundaries=[0, 10, 100])
    assert made.numpy().tolist() == [[0, 3], [3, 2]]
