"""Mistakes that users of tf.data make, and what iterators and feature specs refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

D = tf.data.Dataset


def inner(x: Any) -> Any:
    return D.from_tensors(x)


def _rows() -> Any:
    return D.from_tensor_slices([1, 2, 4]).map(lambda n: tf.ones([n]))


def _length(x: Any) -> Any:
    return tf.shape(x)[0]


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "slices of None": (lambda: D.from_tensor_slices(None), ValueError, "at least one tensor"),
    "map of None": (lambda: D.range(2).map(None), ValueError, "needs a callable, not None"),
    "filter of a number": (lambda: D.range(2).filter(3), ValueError, "needs a callable, not 3"),
    "no calls": (lambda: D.range(2).map(lambda x: x, num_parallel_calls=0), ValueError, "num_parallel_calls"),
    "no cycle": (lambda: D.range(2).interleave(inner, cycle_length=0), ValueError, "cycle_length must be positive"),
    "no pair": (lambda: D.range(2).scan(np.int64(0), lambda s, x: s + x), TypeError, "must return a pair"),
    "no window": (
        lambda: list(D.range(2).group_by_window(lambda x: x, lambda k, d: d, 0)),
        ValueError,
        "window sizes must be positive",
    ),
    "a negative header": (
        lambda: tf.data.FixedLengthRecordDataset("x", 4, header_bytes=-1),
        ValueError,
        "header_bytes must be at least 0",
    ),
    "a delimiter of two": (
        lambda: tf.data.experimental.CsvDataset("x", [0], field_delim=";;"),
        ValueError,
        "field_delim must be one character",
    ),
    "a column's delimiter of two": (
        lambda: tf.io.decode_csv(["1;;2"], [[0], [0]], field_delim=";;"),
        ValueError,
        "field_delim must be one character",
    ),
    "records of nothing": (lambda: v1.FixedLengthRecordReader(0), ValueError, "record_bytes=0 must be above 0"),
    "an element beyond all boundaries": (
        lambda: list(_rows().bucket_by_sequence_length(_length, [3], [2, 2], pad_to_bucket_boundary=True)),
        ValueError,
        "give a larger one",
    ),
    "batches of nothing": (
        lambda: list(_rows().bucket_by_sequence_length(_length, [3], [0, 2])),
        ValueError,
        "bucket_batch_sizes must be positive",
    ),
    "choices of floats": (
        lambda: D.choose_from_datasets([D.range(2)], D.from_tensor_slices([0.0])),
        TypeError,
        "scalars of tf.int64",
    ),
    "a default of another size": (
        lambda: tf.io.parse_single_example(b"", {"a": tf.io.FixedLenFeature([2], tf.int64, default_value=[5])}),
        ValueError,
        "default_value has 1 entries",
    ),
}


@pytest.mark.parametrize(("call", "error", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_is_refused(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises((error, tf.errors.InvalidArgumentError), match=words):
        call()


def test_elements_are_padded_to_their_buckets_boundary() -> None:
    made = _rows().bucket_by_sequence_length(_length, [4, 9], [2, 2, 1], pad_to_bucket_boundary=True)
    assert [b.tolist() for b in made.as_numpy_iterator()] == [[[1, 0, 0], [1, 1, 0]], [[1, 1, 1, 1, 0, 0, 0, 0]]]


def test_windows_left_at_the_end_come_in_order_of_their_keys() -> None:
    groups = D.from_tensor_slices([5, 1, 7, 5]).group_by_window(
        lambda x: tf.cast(x, tf.int64), lambda _, rows: rows.batch(4), 4
    )
    assert [g.tolist() for g in groups.as_numpy_iterator()] == [[1], [5, 5], [7]]


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize(("size", "shift", "stride"), [(3, None, 1), (3, 2, 2), (2, 5, 1), (4, 1, 3), (20, 3, 1)])
def test_the_number_of_windows_is_known(size: int, shift: int | None, stride: int, drop: bool) -> None:
    made = D.range(10).window(size, shift, stride, drop)
    assert len(made) == sum(1 for _ in made)


def test_choices_among_endless_datasets_are_endless() -> None:
    endless, ended = D.range(2).repeat(), D.range(2)
    assert int(D.sample_from_datasets([endless, endless]).cardinality()) == tf.data.INFINITE_CARDINALITY
    assert int(D.choose_from_datasets([endless], ended).cardinality()) == tf.data.UNKNOWN_CARDINALITY


def test_strings_and_bytes_may_stand_side_by_side() -> None:
    (batch,) = D.from_tensor_slices(["a", b"\xff"]).batch(2).as_numpy_iterator()
    assert batch.tolist() == [b"a", b"\xff"]


def test_a_handle_of_other_types_is_refused() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        word = v1.placeholder(tf.string, [])
        element = v1.data.Iterator.from_string_handle(word, tf.int64, []).get_next()
        other = v1.data.make_one_shot_iterator(v1.data.Dataset.from_tensor_slices([1.0])).string_handle()
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"types \['int64'\] are expected"):
            session.run(element, {word: session.run(other)})
