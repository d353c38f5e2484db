"""Confusion matrices, counts and histograms: against NumPy, and what TensorFlow's documents say."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1


def test_confusion_matrix():
    found = tf.math.confusion_matrix([1, 2, 4], [2, 2, 4])
    wanted = np.zeros((5, 5), np.int32)
    wanted[[1, 2, 4], [2, 2, 4]] = 1
    assert found.dtype == tf.int32 and found.numpy().tolist() == wanted.tolist()
    weighed = tf.math.confusion_matrix([0, 0], [[1], [1]], 3, weights=[0.5, 2.0], dtype=tf.float32)
    assert weighed.numpy().tolist() == [[0, 2.5, 0], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.math.confusion_matrix([3], [0], 2)


def test_confusion_matrix_in_a_graph():
    with tf1.Graph().as_default(), tf1.Session() as session:
        labels = tf1.placeholder(tf1.int64, [None])
        matrix = tf1.confusion_matrix(labels, [1, 1], 2, tf1.float64)
        assert session.run(matrix, {labels: [0, 1]}).tolist() == [[0, 1], [0, 1]]


def test_bincount():
    with tf1.Graph().as_default(), tf1.Session() as session:
        numbers = [[1, 1], [3, 5]]
        assert session.run(tf1.bincount(numbers)).tolist() == np.bincount([1, 1, 3, 5]).tolist()
        assert session.run(tf1.bincount(numbers, minlength=8)).tolist() == [0, 2, 0, 1, 0, 1, 0, 0]
        assert session.run(tf1.bincount(numbers, maxlength=4)).tolist() == [0, 2, 0, 1]
        assert session.run(tf1.bincount([1, 1], weights=[0.5, 1.0])).tolist() == [0, 1.5]
        assert session.run(tf1.bincount(tf1.constant([], tf1.int32), dtype=tf1.int64)).tolist() == []


def test_histograms():
    values = [-1.0, 0.0, 1.5, 2.0, 5.0, 15.0]
    assert tf.histogram_fixed_width(values, [0.0, 5.0], nbins=5).numpy().tolist() == [2, 1, 1, 0, 2]
    assert tf.histogram_fixed_width_bins(values, [0.0, 5.0], 5, tf.int64).numpy().tolist() == [0, 0, 1, 2, 4, 4]
    for changed, words in (({"nbins": 0}, "nbins must be above 0"), ({"value_range": [1.0, 1.0]}, "must rise")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            tf.histogram_fixed_width(**{"values": values, "value_range": [0.0, 1.0], **changed})


def test_unravel_index():
    dims = (3, 4, 2)
    places = [0, 5, 23]
    wanted = np.array(np.unravel_index(places, dims))
    assert tf.unravel_index(places, dims).numpy().tolist() == wanted.tolist()
    assert tf.unravel_index(5, dims).numpy().tolist() == wanted[:, 1].tolist()


def test_parts_of_a_variable_change():
    with tf1.Graph().as_default(), tf1.Session() as session:
        v = tf1.Variable([[1, 2], [3, 4]])
        put = tf1.scatter_nd_update(v, [[0, 1]], [9])
        session.run(v.initializer)
        assert session.run(put).tolist() == session.run(v).tolist() == [[1, 9], [3, 4]]
        assert session.run(tf1.scatter_nd_add(v, [[1], [1]], [[1, 0], [1, 0]])).tolist() == [[1, 9], [5, 4]]
        assert session.run(tf1.scatter_nd_sub(v, [[0, 0]], [4])).tolist() == [[-3, 9], [5, 4]]


def test_counts_of_rows_and_of_what_occurs() -> None:
    rows = [[1, 1, 3], [0, 2, 2]]
    assert tf.math.bincount(rows, axis=-1).numpy().tolist() == [[0, 2, 0, 1], [1, 0, 2, 0]]
    assert tf.math.bincount(rows, axis=-1, binary_output=True, maxlength=3).numpy().tolist() == [[0, 1, 0], [1, 0, 1]]
    assert tf.math.bincount(rows, minlength=5, axis=0).numpy().tolist() == [1, 2, 2, 1, 0]
    weights = tf.constant([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
    assert tf.math.bincount(rows, weights, axis=-1).numpy().tolist() == [[0, 3, 0, 4], [8, 0, 48, 0]]
    with pytest.raises(ValueError, match="leave one out"):
        tf.math.bincount(rows, weights, binary_output=True)
    with pytest.raises(ValueError, match="axis must be"):
        tf.math.bincount(rows, axis=1)
