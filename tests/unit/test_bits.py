"""tf.bitwise and tf.bitcast: the numbers are those that TensorFlow 2.21 gave."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as tf

X = np.array([-7, 5, 100, -128, 127], np.int8)
Y = np.array([1, 3, 7, -1, 9], np.int8)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("bitwise_and", [1, 1, 4, -128, 9]),
        ("bitwise_or", [-7, 7, 103, -1, 127]),
        ("bitwise_xor", [-8, 6, 99, 127, 118]),
        ("left_shift", [-14, 40, 0, -128, -128]),
        ("right_shift", [-4, 0, 0, -128, 0]),
    ],
)
def test_bits_are_tensorflows(function: str, expected: list[int]) -> None:
    made = getattr(tf.bitwise, function)(X, Y)
    assert made.dtype is tf.int8 and made.numpy().tolist() == expected


def test_inverting_twice_changes_nothing() -> None:
    once = tf.bitwise.invert(X)
    assert once.numpy().tolist() == [6, -6, -101, 127, -128]
    assert tf.bitwise.invert(once).numpy().tolist() == X.tolist()
    assert tf.bitwise.invert(np.uint8([0, 255])).numpy().tolist() == [255, 0]


def test_bytes_are_read_as_another_type() -> None:
    assert tf.bitcast(np.float32([1, 2.5]), tf.int32).numpy().tolist() == [0x3F800000, 0x40200000]
    assert tf.bitcast(np.float64([1.5]), tf.uint8).numpy().tolist() == [[0, 0, 0, 0, 0, 0, 0xF8, 0x3F]]
    assert tf.bitcast(np.int32([[1, 2], [3, 4]]), tf.int64).numpy().tolist() == [1 + (2 << 32), 3 + (4 << 32)]
    back = tf.bitcast(tf.bitcast(np.float64([[1.5, -2]]), tf.int32), tf.float64)
    assert back.numpy().tolist() == [[1.5, -2]]
    with pytest.raises(ValueError, match="must be 4 long"):
        tf.bitcast(np.zeros(3, np.uint8), tf.float32)
