"""Sparse tensors: what they hold, what is done with them, and how sessions feed and fetch them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core.errors import DTypeError, InvalidArgumentError, ShapeError

PLACES = [[0, 1], [1, 0], [1, 3], [3, 2]]
A = np.zeros((4, 4), np.float32)
A[tuple(np.array(PLACES).T)] = [1, 2, -3, 4]


def sparse() -> tf.SparseTensor:
    return tf.SparseTensor(PLACES, [1.0, 2.0, -3.0, 4.0], [4, 4])


def dense(x: tf.SparseTensor) -> np.ndarray:
    """The tensor, by NumPy alone."""
    out = np.zeros(x.dense_shape.numpy(), x.values.numpy().dtype)
    np.add.at(out, tuple(x.indices.numpy().T), x.values.numpy())
    return out


def test_to_dense_and_back() -> None:
    np.testing.assert_array_equal(tf.sparse.to_dense(sparse()), A)
    np.testing.assert_array_equal(tf.sparse.to_dense(sparse(), 7.0), np.where(A == 0, 7, A))
    again = tf.sparse.from_dense(A)
    assert again.indices.numpy().tolist() == PLACES
    np.testing.assert_array_equal(dense(again), A)


@pytest.mark.parametrize(("adjoint", "expected"), [(False, A), (True, A.T)])
def test_product_with_a_dense_matrix(adjoint: bool, expected: np.ndarray) -> None:
    b = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_allclose(tf.sparse.sparse_dense_matmul(sparse(), b, adjoint_a=adjoint), expected @ b)
    np.testing.assert_allclose(
        tf.sparse.sparse_dense_matmul(sparse(), b.T, adjoint_a=adjoint, adjoint_b=True), expected @ b
    )


def test_dense_times_sparse() -> None:
    b = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_allclose(tf.sparse.sparse_dense_matmul(b, sparse()), b @ A)


def test_gradient_of_a_product_reaches_values_and_matrix() -> None:
    values, b = tf.constant([1.0, 2.0, -3.0, 4.0]), tf.constant(np.arange(12, dtype=np.float32).reshape(4, 3))
    with tf.GradientTape() as tape:
        tape.watch([values, b])
        y = tf.reduce_sum(tf.sparse.sparse_dense_matmul(tf.SparseTensor(PLACES, values, [4, 4]), b))
    to_values, to_b = tape.gradient(y, [values, b])
    np.testing.assert_allclose(to_values, [b.numpy()[j].sum() for _, j in PLACES])
    np.testing.assert_allclose(to_b, np.tile(A.sum(0)[:, None], (1, 3)))


SHAPES = {
    "transpose": (lambda x: tf.sparse.transpose(x), A.T),
    "reshape": (lambda x: tf.sparse.reshape(x, [2, -1]), A.reshape(2, 8)),
    "slice": (lambda x: tf.sparse.slice(x, [1, 0], [2, 3]), A[1:3, :3]),
    "expand_dims": (lambda x: tf.sparse.expand_dims(x, 1), A[:, None]),
    "concat": (lambda x: tf.sparse.concat(1, [x, x]), np.concatenate([A, A], 1)),
    "retain": (lambda x: tf.sparse.retain(x, [True, False, True, True]), np.where(A == 2, 0, A)),
    "reset_shape": (lambda x: tf.sparse.reset_shape(x, [5, 6]), np.pad(A, ((0, 1), (0, 2)))),
    "add": (lambda x: tf.sparse.add(x, x), A + A),
    "maximum": (lambda x: tf.sparse.maximum(x, tf.sparse.transpose(x)), np.maximum(A, A.T)),
    "times": (lambda x: x * tf.constant([[1.0], [2.0], [3.0], [4.0]]), A * [[1], [2], [3], [4]]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_is_what_numpy_makes_of_the_dense_tensor(name: str) -> None:
    call, expected = SHAPES[name]
    np.testing.assert_allclose(dense(call(sparse())), expected)


def test_split_gives_the_first_parts_more() -> None:
    parts = tf.sparse.split(sp_input=sparse(), num_split=3, axis=1)
    for part, expected in zip(parts, (A[:, :2], A[:, 2:3], A[:, 3:]), strict=True):
        np.testing.assert_array_equal(dense(part), expected)


def test_sums_over_axes() -> None:
    np.testing.assert_allclose(tf.sparse.reduce_sum(sparse()), A.sum())
    np.testing.assert_allclose(tf.sparse.reduce_sum(sparse(), 1, keepdims=True), A.sum(1, keepdims=True))
    assert tf.sparse.reduce_sum(sparse(), 1, output_is_sparse=True).indices.numpy().tolist() == [[0], [1], [3]]
    # The largest of what is named; 0 where nothing is.
    np.testing.assert_allclose(tf.sparse.reduce_max(sparse(), 1), [1, 2, 0, 4])


def test_softmax_is_over_what_is_named() -> None:
    e = np.exp([2.0, -3.0])
    np.testing.assert_allclose(tf.sparse.softmax(sparse()).values, [1, *(e / e.sum()), 1], rtol=1e-6)


def test_empty_rows_are_filled() -> None:
    filled, empty = tf.sparse.fill_empty_rows(sparse(), 9.0)
    assert empty.numpy().tolist() == [False, False, True, False]
    assert filled.indices.numpy().tolist() == [[0, 1], [1, 0], [1, 3], [2, 0], [3, 2]]
    assert filled.values.numpy().tolist() == [1, 2, -3, 9, 4]


def test_threshold_leaves_out_small_sums() -> None:
    less = tf.sparse.add(sparse(), sparse().with_values([-1.0, 0.0, 0.0, -4.0]), threshold=0.1)
    assert less.indices.numpy().tolist() == [[1, 0], [1, 3]]


def test_session_feeds_and_fetches() -> None:
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.sparse_placeholder(tf.float32, [None, 3])
        assert x.shape.as_list() == [None, 3]
        fed = v1.SparseTensorValue([[0, 0], [1, 2]], [1.0, 2.0], [2, 3])
        value, made = session.run([x, v1.sparse_tensor_to_dense(x)], {x: fed})
        assert isinstance(value, v1.SparseTensorValue)
        assert value.indices.tolist() == [[0, 0], [1, 2]]
        assert made.tolist() == [[1, 0, 0], [0, 0, 2]]
        assert session.run(v1.sparse_to_dense([1, 3], [5], [1, 2], -1)).tolist() == [-1, 1, -1, 2, -1]


def test_tensorflow_1_builds_in_the_default_graph() -> None:
    made = v1.SparseTensor([[0, 1]], [1.0], [2, 2])
    assert made.graph is v1.get_default_graph()
    assert isinstance(made, v1.SparseTensor) and isinstance(made, tf.SparseTensor)


def test_function_takes_and_returns_sparse_tensors() -> None:
    doubled = tf.function(lambda x: x.with_values(x.values * 2.0))(sparse())
    np.testing.assert_array_equal(dense(doubled), 2 * A)


def test_mistakes_are_explained() -> None:
    with pytest.raises(ShapeError, match=r"must be \[n, rank\], \[n\] and \[rank\]"):
        tf.SparseTensor([[0, 1]], [1.0, 2.0], [2, 2])
    with pytest.raises(DTypeError, match="must be a SparseTensor"):
        tf.sparse.to_dense(A)
    with pytest.raises(InvalidArgumentError, match="out of order"):
        tf.sparse.to_dense(tf.SparseTensor([[1, 0], [0, 1]], [1.0, 2.0], [2, 2]))
    with pytest.raises(InvalidArgumentError, match="differ in axis 1"):
        tf.sparse.concat(0, [sparse(), tf.sparse.reset_shape(sparse(), [4, 5])])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tf.sparse.reshape(sparse(), [15]), "16 entries of shape .4, 4. do not fill shape .15."),
        (lambda: tf.sparse.reshape(sparse(), [-1, 5]), "do not fill"),
        (lambda: tf.sparse.reshape(sparse(), [-1, -1]), "only one dimension"),
        (lambda: tf.sparse.slice(sparse(), [0, 0], [-1, 2]), "size must not be negative"),
        (lambda: tf.sparse.add(sparse(), tf.SparseTensor([[0, 0]], [1.0], [4, 5])), "differ in axis 1"),
        (lambda: tf.sparse.add(sparse(), tf.SparseTensor([[0]], [1.0], [4])), "2 and of 1 axes"),
        (lambda: tf.sparse.retain(sparse(), [True]), "to_retain has shape"),
        (
            lambda: tf.sparse.map_values(tf.multiply, sparse(), tf.SparseTensor([[0, 0]] * 4, [1.0] * 4, [4, 4])),
            "Mismatched indices",
        ),
        (lambda: tf.sparse.split(sparse(), 0, 1), "num_split must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        call()
