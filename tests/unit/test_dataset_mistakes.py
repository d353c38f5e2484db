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
