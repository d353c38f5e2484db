"""Recurrent cells against their formulas, and networks over time: lengths, order, gradients, scopes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

cells = tf.nn.rnn_cell
rng = np.random.default_rng(1)
X = rng.normal(size=(2, 5, 3)).astype(np.float32)
C0, H0 = rng.normal(size=(2, 2, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    """A graph of its own for each test."""
    with tf.Graph().as_default() as made:
        yield made


def run(fetches: Any, feed: Any = None) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run([tf.global_variables(), fetches], feed)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


# --- one step ---------------------------------------------------------------------------------------------------------


def test_basic_rnn_cell() -> None:
    (w, b), (y, h) = run(cells.BasicRNNCell(4)(X[:, 0], H0))
    np.testing.assert_allclose(y, np.tanh(np.hstack([X[:, 0], H0]) @ w + b), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y, h)


def test_gru_cell() -> None:
    (w, b, v, c), (y, _) = run(cells.GRUCell(4)(X[:, 0], H0))
    np.testing.assert_array_equal(b, np.ones(8))
    r, u = np.split(sigmoid(np.hstack([X[:, 0], H0]) @ w + b), 2, 1)
    candidate = np.tanh(np.hstack([X[:, 0], r * H0]) @ v + c)
    np.testing.assert_allclose(y, u * H0 + (1 - u) * candidate, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bias", [1.0, 0.3])
def test_basic_lstm_cell(bias: float) -> None:
    (w, b), (y, (c, h)) = run(cells.BasicLSTMCell(4, forget_bias=bias)(X[:, 0], cells.LSTMStateTuple(C0, H0)))
    i, j, f, o = np.split(np.hstack([X[:, 0], H0]) @ w + b, 4, 1)
    new = C0 * sigmoid(f + bias) + sigmoid(i) * np.tanh(j)
    np.testing.assert_allclose(c, new, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y, np.tanh(new) * sigmoid(o), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y, h)


def test_lstm_cell_with_peepholes_projection_and_clips() -> None:
    h = H0[:, :2]
    start = tf.random_normal_initializer(seed=3)
    cell = cells.LSTMCell(4, use_peepholes=True, num_proj=2, cell_clip=0.4, proj_clip=0.2, initializer=start)
    (w, b, wf, wi, wo, p), (y, (c, _)) = run(cell(X[:, 0], cells.LSTMStateTuple(C0, h)))
    i, j, f, o = np.split(np.hstack([X[:, 0], h]) @ w + b, 4, 1)
    new = np.clip(sigmoid(f + 1 + wf * C0) * C0 + sigmoid(i + wi * C0) * np.tanh(j), -0.4, 0.4)
    out = np.clip((sigmoid(o + wo * new) * np.tanh(new)) @ p, -0.2, 0.2)
    np.testing.assert_allclose(c, new, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y, out, rtol=1e-4, atol=1e-6)


def test_states_end_to_end() -> None:
    cell = cells.BasicLSTMCell(4, state_is_tuple=False)
    assert cell.state_size == 8
    with tf.variable_scope("s"):
        flat = cell(X[:, 0], np.hstack([C0, H0]))
    with tf.variable_scope("s", reuse=True):
        pair = cells.BasicLSTMCell(4)(X[:, 0], cells.LSTMStateTuple(C0, H0))
    _, (a, b) = run([flat, pair])
    np.testing.assert_array_equal(a[1], np.hstack(b[1]))


# --- over time --------------------------------------------------------------------------------------------------------


def by_hand(w: Any, b: Any, x: Any, lengths: Any) -> Any:
    """BasicRNNCell over [B, T, C], ended examples giving 0."""
    h = np.zeros((len(x), len(b)), np.float32)
    outputs = []
    for t in range(x.shape[1]):
        alive = (t < np.asarray(lengths))[:, None]
        new = np.tanh(np.hstack([x[:, t], h]) @ w + b)
        outputs.append(np.where(alive, new, 0))
        h = np.where(alive, new, h)
    return np.stack(outputs, 1), h


@pytest.mark.parametrize("lengths", [None, [3, 5], [0, 2]])
def test_dynamic_rnn_honours_lengths(lengths: Any) -> None:
    (w, b), (y, h) = run(tf.nn.dynamic_rnn(cells.BasicRNNCell(4), X, lengths, dtype=tf.float32))
    outputs, last = by_hand(w, b, X, [5, 5] if lengths is None else lengths)
    np.testing.assert_allclose(y, outputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(h, last, rtol=1e-5, atol=1e-6)


def test_static_rnn_is_dynamic_rnn() -> None:
    with tf.variable_scope("s"):
        dynamic = tf.nn.dynamic_rnn(cells.GRUCell(4), X, [2, 5], dtype=tf.float32)
    with tf.variable_scope("s", reuse=True):
        rows = tf.unstack(tf.constant(X), axis=1)
        static = tf.nn.static_rnn(cells.GRUCell(4), rows, dtype=tf.float32, sequence_length=[2, 5])
    _, ((y, h), (ys, hs)) = run([dynamic, static])
    np.testing.assert_allclose(y, np.stack(ys, 1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(h, hs, rtol=1e-5, atol=1e-6)


def test_time_major_and_unknown_lengths() -> None:
    x = tf.placeholder(tf.float32, [None, None, 3])
    with tf.variable_scope("s"):
        plain = tf.nn.dynamic_rnn(cells.GRUCell(4), x, dtype=tf.float32)[0]
    with tf.variable_scope("s", reuse=True):
        moved = tf.transpose(x, [1, 0, 2])
        major = tf.nn.dynamic_rnn(cells.GRUCell(4), moved, dtype=tf.float32, time_major=True)[0]
    assert plain.shape.as_list() == [None, None, 4]
    _, (a, b) = run([plain, major], {x: X})
    np.testing.assert_array_equal(a, b.transpose(1, 0, 2))


def test_gradients_through_the_loop_are_those_of_the_unrolled_steps() -> None:
    x = tf.constant(X)
    with tf.variable_scope("s"):
        y, state = tf.nn.dynamic_rnn(cells.LSTMCell(4, use_peepholes=True), x, [3, 5], dtype=tf.float32)
    with tf.variable_scope("s", reuse=True):
        rows = tf.unstack(x, axis=1)
        ys, states = tf.nn.static_rnn(
            cells.LSTMCell(4, use_peepholes=True), rows, dtype=tf.float32, sequence_length=[3, 5]
        )
    xs = [x, *tf.trainable_variables()]
    loop = tf.gradients(tf.reduce_sum(tf.sin(y)) + tf.reduce_sum(state.c**2), xs)
    steps = tf.gradients(tf.reduce_sum(tf.sin(tf.stack(ys, 1))) + tf.reduce_sum(states.c**2), xs)
    _, (a, b) = run([loop, steps])
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_both_directions() -> None:
    fw, bw = cells.BasicRNNCell(4), cells.BasicRNNCell(2)
    outputs, states = tf.nn.bidirectional_dynamic_rnn(fw, bw, X, [3, 5], dtype=tf.float32)
    (w, b, v, c), ((f, back), (_, hb)) = run([outputs, states])
    turned = np.stack([np.concatenate([X[0, 2::-1], X[0, 3:]]), X[1, ::-1]])
    expected, last = by_hand(v, c, turned, [3, 5])
    expected = np.stack([np.concatenate([expected[0, 2::-1], expected[0, 3:]]), expected[1, ::-1]])
    np.testing.assert_allclose(back, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hb, last, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(f, by_hand(w, b, X, [3, 5])[0], rtol=1e-5, atol=1e-6)
    assert [n.name for n in tf.global_variables()][::2] == [
        "bidirectional_rnn/fw/basic_rnn_cell/kernel:0",
        "bidirectional_rnn/bw/basic_rnn_cell/kernel:0",
    ]


def test_raw_rnn_is_dynamic_rnn_where_it_does_the_same() -> None:
    lengths = tf.constant([3, 5])
    given = tf.TensorArray(tf.float32, 5).unstack(X.transpose(1, 0, 2))
    cell = cells.GRUCell(4)

    def step(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        ended = time >= lengths
        state = cell.zero_state(2, tf.float32) if output is None else state
        following = tf.cond(tf.reduce_all(ended), lambda: tf.zeros([2, 3]), lambda: given.read(time))
        return ended, following, state, output, None

    with tf.variable_scope("s"):
        emitted, state, _ = tf.nn.raw_rnn(cell, step)
    with tf.variable_scope("s", reuse=True):
        plain = tf.nn.dynamic_rnn(cells.GRUCell(4), X, lengths, dtype=tf.float32)
    _, (y, h, (ys, hs)) = run([emitted.stack(), state, plain])
    np.testing.assert_allclose(y.transpose(1, 0, 2), ys, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(h, hs, rtol=1e-5, atol=1e-6)


# --- scopes -----------------------------------------------------------------------------------------------------------


def test_variables_of_cells_in_networks_have_tensorflows_names() -> None:
    tf.nn.dynamic_rnn(cells.BasicLSTMCell(4), X, dtype=tf.float32)
    stack = cells.MultiRNNCell([cells.GRUCell(4), cells.DropoutWrapper(cells.LSTMCell(4), 0.5)])
    tf.nn.dynamic_rnn(stack, X, dtype=tf.float32, scope="m")
    assert [v.name for v in tf.trainable_variables()] == [
        "rnn/basic_lstm_cell/kernel:0",
        "rnn/basic_lstm_cell/bias:0",
        "m/multi_rnn_cell/cell_0/gru_cell/gates/kernel:0",
        "m/multi_rnn_cell/cell_0/gru_cell/gates/bias:0",
        "m/multi_rnn_cell/cell_0/gru_cell/candidate/kernel:0",
        "m/multi_rnn_cell/cell_0/gru_cell/candidate/bias:0",
        "m/multi_rnn_cell/cell_1/lstm_cell/kernel:0",
        "m/multi_rnn_cell/cell_1/lstm_cell/bias:0",
    ]


def test_regularizers_of_scopes_reach_variables_made_in_loops() -> None:
    with tf.variable_scope("s", regularizer=tf.nn.l2_loss):
        tf.nn.dynamic_rnn(cells.BasicRNNCell(4), X, dtype=tf.float32)
    losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert losses[0].name == "s/rnn/basic_rnn_cell/kernel/Regularizer/L2Loss:0"
    (w, b), found = run(losses)
    np.testing.assert_allclose(found, [np.sum(w**2) / 2, np.sum(b**2) / 2], rtol=1e-5)


def test_cells_of_ones_own() -> None:
    class Mine(cells.RNNCell):
        state_size = output_size = 4

        def call(self, inputs: Any, state: Any) -> Any:
            new = tf.matmul(inputs, tf.get_variable("w", [3, 4])) + state
            return new, new

    class Older(cells.RNNCell):
        def __init__(self, units: int) -> None:
            self.units = units

        @property
        def state_size(self) -> int:
            return self.units

        @property
        def output_size(self) -> int:
            return self.units

        def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
            with tf.variable_scope(scope or "older"):
                new = tf.matmul(inputs, tf.get_variable("w", [3, self.units])) + state
                return new, new

    mine = Mine()
    y, _ = tf.nn.dynamic_rnn(mine, X, dtype=tf.float32)
    z, _ = tf.nn.dynamic_rnn(Older(2), X, dtype=tf.float32, scope="o")
    assert [v.name for v in tf.global_variables()] == ["rnn/mine/w:0", "o/older/w:0"]
    assert [v.name for v in mine.variables] == ["rnn/mine/w:0"]
    (w, v), (a, b) = run([y, z])
    np.testing.assert_allclose(a, np.cumsum(X @ w, 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(b, np.cumsum(X @ v, 1), rtol=1e-4, atol=1e-5)


# --- wrappers ---------------------------------------------------------------------------------------------------------


def test_dropout_wrapper_drops_outputs_only_where_told() -> None:
    class Same(cells.RNNCell):
        state_size = output_size = 3

        def call(self, inputs: Any, state: Any) -> Any:
            return inputs, state

    ones = np.ones((50, 20, 3), np.float32)
    kept = tf.nn.dynamic_rnn(cells.DropoutWrapper(Same()), ones, dtype=tf.float32)[0]
    dropped = tf.nn.dynamic_rnn(
        cells.DropoutWrapper(Same(), output_keep_prob=0.5, seed=4), ones, dtype=tf.float32, scope="d"
    )[0]
    same_mask = cells.DropoutWrapper(Same(), 0.5, 1.0, 1.0, True, input_size=3, dtype=tf.float32, seed=4)
    fixed = tf.nn.dynamic_rnn(same_mask, ones, dtype=tf.float32, scope="f")[0]
    _, (a, b, c) = run([kept, dropped, fixed])
    np.testing.assert_array_equal(a, ones)
    assert set(np.unique(b)) == {0.0, 2.0}
    assert 0.4 < (b > 0).mean() < 0.6
    assert (c == c[:1, :1]).all()


def test_residual_wrapper_adds_inputs() -> None:
    with tf.variable_scope("s"):
        plain = cells.BasicRNNCell(3)(X[:, 0], H0[:, :3])[0]
    with tf.variable_scope("s", reuse=True):
        residual = cells.ResidualWrapper(cells.BasicRNNCell(3))(X[:, 0], H0[:, :3])[0]
    _, (a, b) = run([plain, residual])
    np.testing.assert_allclose(b, a + X[:, 0], rtol=1e-6)


# --- mistakes ---------------------------------------------------------------------------------------------------------


def test_mistakes_say_how_to_mend_them() -> None:
    with pytest.raises(ValueError, match="must give a dtype"):
        tf.nn.dynamic_rnn(cells.GRUCell(4), X)
    with pytest.raises(TypeError, match="not an RNNCell"):
        tf.nn.dynamic_rnn(len, X, dtype=tf.float32)
    with pytest.raises(ValueError, match="vector of length batch_size, 2"):
        tf.nn.dynamic_rnn(cells.GRUCell(4), X, [1, 2, 3], dtype=tf.float32)
    with pytest.raises(ValueError, match="num_unit_shards"):
        cells.LSTMCell(4, num_unit_shards=2)
