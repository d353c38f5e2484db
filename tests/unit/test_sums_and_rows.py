"""Sums of lists, broadcasts known only when run, and rows addressed by number."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


def run(value, feed=None):
    with v1.Session() as session:
        return session.run(value, feed)


class TestSums:
    def test_of_lists(self):
        with v1.Graph().as_default():
            x = v1.constant([1.0, 2.0])
            assert run(tf.add_n([x, x, [1.0, 1.0]])).tolist() == [3, 5] and run(tf.add_n(x)).tolist() == [1, 2]
            p = v1.placeholder(tf.float32)
            total = v1.accumulate_n([p, p], shape=[2], tensor_dtype=tf.float32)
            assert total.shape.as_list() == [2] and run(total, {p: [1, 2]}).tolist() == [2, 4]
            for wrong, error, words in (
                (lambda: tf.add_n([]), ValueError, "at least one"),
                (lambda: tf.add_n([x, v1.constant([1, 2])]), TypeError, "one type"),
                (lambda: tf.add_n([x, v1.constant([1.0])]), ValueError, r"\[1\]"),
                (lambda: v1.accumulate_n([x, x], tensor_dtype=tf.int32), TypeError, "float32"),
                (lambda: v1.accumulate_n([x, x], shape=[3]), ValueError, "not compatible"),
            ):
                with pytest.raises(error, match=words):
                    wrong()


class TestBroadcasts:
    def test_to_a_shape_that_a_run_says(self):
        with v1.Graph().as_default():
            x, to = v1.placeholder(tf.float32, [None, 1]), v1.placeholder(tf.int32, [2])
            y = tf.broadcast_to(x, to)
            (dx,) = v1.gradients(y, x)
            found, d = run([y, dx], {x: [[1], [2]], to: [2, 3]})
            assert found.tolist() == [[1, 1, 1], [2, 2, 2]] and d.tolist() == [[3], [3]]
            with pytest.raises(tf.errors.InvalidArgumentError, match="cannot be broadcast"):
                run(y, {x: [[1], [2]], to: [3, 3]})
        with pytest.raises(ValueError, match="negative"):
            tf.broadcast_to([1.0], [-1])

    def test_gradients_of_operands_whose_shapes_a_run_says(self):
        with v1.Graph().as_default():
            a, b = v1.placeholder(tf.float64), v1.placeholder(tf.float64)
            grads = v1.gradients(a * b, [a, b])
            for x, y in (
                (np.ones((2, 3)), np.ones(3)),
                (np.ones((1, 3)), np.ones((4, 1))),
                (np.ones(()), np.ones((0, 2))),
            ):
                dx, dy = run(grads, {a: x, b: y})
                whole = np.broadcast_shapes(x.shape, y.shape)
                assert dx.shape == x.shape and dy.shape == y.shape
                assert dx.sum() == dy.sum() == np.prod(whole)


class TestRows:
    def test_tensors_with_rows_replaced(self):
        x = np.zeros((3, 2))
        ones = np.ones((2, 2))
        assert tf.tensor_scatter_nd_update(x, [[0], [2]], ones).numpy().tolist() == [[1, 1], [0, 0], [1, 1]]
        assert tf.tensor_scatter_nd_add(x, [[1], [1]], ones).numpy().tolist() == [[0, 0], [2, 2], [0, 0]]
        assert tf.tensor_scatter_nd_sub(x, [[1], [1]], ones).numpy().tolist() == [[0, 0], [-2, -2], [0, 0]]

    def test_different_entries(self):
        y, at, count = tf.unique_with_counts([3, 1, 3, 3])
        assert (y.numpy().tolist(), at.numpy().tolist(), count.numpy().tolist()) == ([3, 1], [0, 1, 0, 0], [3, 1])
        assert tf.unique([b"a", b"b", b"a"], tf.int64).idx.numpy().tolist() == [0, 1, 0]
        with pytest.raises(ValueError, match="integer type"):
            tf.argmax([1.0], output_type=tf.float32)
