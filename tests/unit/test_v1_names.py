"""TensorFlow 1's own variants of functions, called as its programs call them, against NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

X = np.array([[1.5, -2.0, 3.0], [-0.5, 0.25, -4.0]], np.float32)
B = X > 0
IMAGE = np.arange(32, dtype=np.float32).reshape(1, 4, 4, 2) / 8


@pytest.fixture
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as made:
        yield made


def patches(x: Any, r: int, s: int) -> Any:
    """[N,P,Q,R,S,C] windows of size r x s, stride 1."""
    return np.lib.stride_tricks.sliding_window_view(x, (r, s), (1, 2)).transpose(0, 1, 2, 4, 5, 3)


def blocks(x: Any) -> Any:
    """[N,P,Q,4,C] windows of size 2 x 2, stride 2."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, h // 2, w // 2, 4, c)


W = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1) - 3
W3 = np.ones((1, 2, 2, 2, 1), np.float32)
CASES = {
    "reduce_min": (lambda: tf.reduce_min(X, axis=1, keepdims=True), X.min(1, keepdims=True)),
    "math.reduce_min": (lambda: tf.math.reduce_min(X), X.min()),
    "reduce_prod": (lambda: tf.reduce_prod(X, [0]), X.prod(0)),
    "math.reduce_prod": (lambda: tf.math.reduce_prod(X, keep_dims=True), X.prod(keepdims=True)),
    "reduce_any": (lambda: tf.reduce_any(B, 0), B.any(0)),
    "reduce_logsumexp": (lambda: tf.reduce_logsumexp(X, 1), np.log(np.exp(X).sum(1))),
    "math.count_nonzero": (lambda: tf.math.count_nonzero(X, 1), np.count_nonzero(X, 1)),
    "logical_or": (lambda: tf.logical_or(B, [True, False, False]), B | [True, False, False]),
    "logical_not": (lambda: tf.logical_not(B), ~B),
    "not_equal": (lambda: tf.not_equal(X, 3.0), X != 3),
    "math.is_nan": (lambda: tf.math.is_nan([1.0, np.nan]), [False, True]),
    "mod": (lambda: tf.mod([7, -7], 3), [1, 2]),
    "pad": (lambda: tf.pad(X, [[0, 1], [2, 0]], "CONSTANT"), np.pad(X, ((0, 1), (2, 0)))),
    "pad reflect": (lambda: tf.pad(X, [[0, 0], [1, 1]], mode="REFLECT"), np.pad(X, ((0, 0), (1, 1)), "reflect")),
    "newaxis": (lambda: tf.constant(X)[:, tf.newaxis, 1:], X[:, None, 1:]),
    "argsort": (lambda: tf.argsort(X, direction="DESCENDING"), np.argsort(-X, 1)),
    "to_float": (lambda: tf.to_float([1, 2]), np.float32([1, 2])),
    "to_int32": (lambda: tf.to_int32(X), X.astype(np.int32)),
    "to_int64": (lambda: tf.to_int64([1.9]), np.int64([1])),
    "float16": (lambda: tf.cast(X, tf.float16), X.astype(np.float16)),
    "uint8": (lambda: tf.cast([1, 255], tf.uint8), np.uint8([1, 255])),
    "int8": (lambda: tf.cast([-1, 5], tf.int8), np.int8([-1, 5])),
    "int16": (lambda: tf.cast([-300], tf.int16), np.int16([-300])),
    "uint16": (lambda: tf.cast([300], tf.uint16), np.uint16([300])),
    "uint32": (lambda: tf.cast([7], tf.uint32), np.uint32([7])),
    "uint64": (lambda: tf.dtypes.cast([7], tf.uint64), np.uint64([7])),
    "nn.log_softmax": (lambda: tf.nn.log_softmax(X), X - np.log(np.exp(X).sum(1, keepdims=True))),
    "nn.avg_pool": (lambda: tf.nn.avg_pool(IMAGE, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"), blocks(IMAGE).mean(3)),
    "nn.pool": (lambda: tf.nn.pool(IMAGE, [2, 2], "MAX", "VALID", strides=[2, 2]), blocks(IMAGE).max(3)),
    "nn.convolution": (
        lambda: tf.nn.convolution(IMAGE, W, "VALID"),
        np.einsum("npqrsc,rsck->npqk", patches(IMAGE, 2, 2), W),
    ),
    "nn.depthwise_conv2d": (
        lambda: tf.nn.depthwise_conv2d(IMAGE, W, [1, 1, 1, 1], "VALID"),
        np.einsum("npqrsc,rscm->npqc", patches(IMAGE, 2, 2), W),
    ),
    "nn.separable_conv2d": (
        lambda: tf.nn.separable_conv2d(IMAGE, W, np.float32([[[[1.0], [2.0]]]]), [1, 1, 1, 1], "VALID"),
        np.einsum("npqrsc,rscm,c->npq", patches(IMAGE, 2, 2), W, [1.0, 2.0])[..., None],
    ),
    "nn.conv1d": (
        lambda: tf.nn.conv1d(X[:, :, None], np.float32([[[1.0]], [[2.0]]]), 1, "VALID"),
        (X[:, :-1] + 2 * X[:, 1:])[..., None],
    ),
    "nn.conv3d": (
        lambda: tf.nn.conv3d(IMAGE[:, None], W3, [1, 1, 1, 1, 1], "VALID"),
        patches(IMAGE, 2, 2).sum((3, 4, 5))[:, None, :, :, None],
    ),
    "nn.conv3d_transpose": (
        lambda: tf.nn.conv3d_transpose(np.float32([[[[[2]]]]]), W3, [1, 1, 2, 2, 2], [1] * 5, "VALID"),
        np.full((1, 1, 2, 2, 2), 2.0),
    ),
    "nn.weighted_cross_entropy_with_logits": (
        lambda: tf.nn.weighted_cross_entropy_with_logits(
            targets=np.float32([1, 0]), logits=np.float32([2, -1]), pos_weight=3.0
        ),
        [3 * np.log1p(np.exp(-2)), np.log1p(np.exp(-1))],
    ),
    "losses.log_loss": (
        lambda: tf.losses.log_loss([1.0, 0.0], [0.8, 0.3], epsilon=0.0),
        -(np.log(0.8) + np.log(0.7)) / 2,
    ),
    "layers.Flatten": (lambda: tf.layers.Flatten()(IMAGE), IMAGE.reshape(1, -1)),
    "sparse.concat": (
        lambda: tf.sparse.to_dense(
            tf.sparse.concat(0, [tf.SparseTensor([[0]], [1], [2]), tf.SparseTensor([[1]], [2], [2])])
        ),
        [1, 0, 0, 2],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_value(session: Any, name: str) -> None:
    made, wanted = CASES[name]
    value = session.run(made())
    assert value.shape == np.shape(wanted) and np.allclose(
        value.astype(np.float64), np.asarray(wanted, np.float64), rtol=1e-5
    )
    if hasattr(wanted, "dtype") and wanted.dtype.itemsize != 8:
        assert value.dtype == wanted.dtype or wanted.dtype == np.bool_


def test_fused_batch_norm(session: Any) -> None:
    y, mean, variance = session.run(tf.nn.fused_batch_norm(IMAGE, np.float32([1, 2]), np.float32([0, 1]), epsilon=0.01))
    flat = IMAGE.reshape(-1, 2)
    wanted = (IMAGE - flat.mean(0)) / np.sqrt(flat.var(0) + 0.01) * [1, 2] + [0, 1]
    assert np.allclose(y, wanted, atol=1e-5) and np.allclose(mean, flat.mean(0))
    assert np.allclose(variance, flat.var(0, ddof=1), rtol=1e-5)


def test_initializers_by_their_second_names(session: Any) -> None:
    v = tf.Variable(3.0)
    local = tf.Variable(4.0, collections=[tf.GraphKeys.LOCAL_VARIABLES])
    session.run([tf.initializers.global_variables(), tf.initializers.local_variables(), tf.tables_initializer()])
    assert session.run([v, local]) == [3, 4]
    session.run(tf.initializers.variables([v]))


def test_init_scope_lifts_out_of_branches(session: Any) -> None:
    def branch() -> Any:
        with tf.init_scope():
            lifted.append(tf.constant(2.0))
        return tf.constant(1.0)

    lifted: list[Any] = []
    tf.cond(tf.placeholder_with_default(True, []), branch, lambda: tf.constant(0.0))
    assert isinstance(lifted[0].op, tf.Operation) and lifted[0].graph is tf.get_default_graph()
    assert isinstance(tf.float32, tf.DType)


def test_options_of_graphs_are_messages() -> None:
    options = tf.GraphOptions(optimizer_options=tf.OptimizerOptions(opt_level=tf.OptimizerOptions.L0))
    assert tf.ConfigProto(graph_options=options).graph_options.optimizer_options.opt_level == tf.OptimizerOptions.L0
