"""contrib.rnn's fused cells and contrib.cudnn_rnn: whole sequences against loops in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.contrib import cudnn_rnn, fused_rnn
from pullback.core.errors import ArgumentError

rng = np.random.default_rng(3)
X = rng.normal(size=(5, 2, 3)).astype("f4")
LENGTHS = [5, 2]
CLOSE: Any = {"rtol": 1e-4, "atol": 1e-6}


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def lstm_step(x: Any, state: Any, w: Any, forget_bias: float = 0.0) -> Any:
    c, h = state
    i, j, f, o = np.split(np.concatenate([x, h], 1) @ w["kernel"] + w["bias"], 4, 1)
    c = sigmoid(f + forget_bias) * c + sigmoid(i) * np.tanh(j)
    return c, sigmoid(o) * np.tanh(c)


def gru_step(x: Any, state: Any, w: Any) -> Any:
    (h,) = state
    r, u = np.split(sigmoid(np.concatenate([x, h], 1) @ w["gates/kernel"] + w["gates/bias"]), 2, 1)
    below = x @ w["candidate/input_projection/kernel"] + w["candidate/input_projection/bias"]
    before = h @ w["candidate/hidden_projection/kernel"] + w["candidate/hidden_projection/bias"]
    return (u * h + (1 - u) * np.tanh(below + r * before),)


def tanh_step(x: Any, state: Any, w: Any) -> Any:
    return (np.tanh(np.concatenate([x, state[0]], 1) @ w["kernel"] + w["bias"]),)


def relu_step(x: Any, state: Any, w: Any) -> Any:
    return (np.maximum(np.concatenate([x, state[0]], 1) @ w["kernel"] + w["bias"], 0),)


def along(step: Any, xs: Any, state: Any, w: Any, lengths: Any = (9, 9)) -> Any:
    """(outputs, last state): h is the state's last part; past its length an example gives 0 and stays."""
    outputs = []
    for t, x in enumerate(xs):
        runs = (t < np.array(lengths))[:, None]
        state = tuple(np.where(runs, new, old) for new, old in zip(step(x, state, w), state, strict=True))
        outputs.append(np.where(runs, state[-1], 0))
    return np.stack(outputs), state


def random_values(session: Any) -> dict[str, Any]:
    """Fills all variables; their values by name."""
    session.run(tf.global_variables_initializer())
    values = {v.op.name: rng.normal(size=v.shape.as_list(), scale=0.5).astype("f4") for v in tf.global_variables()}
    for v in tf.global_variables():
        v.load(values[v.op.name], session)
    return values


def under(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {k.removeprefix(f"{prefix}/"): v for k, v in values.items() if k.startswith(f"{prefix}/")}


STACKS = {
    "CudnnLSTM": (lstm_step, "cudnn_compatible_lstm_cell"),
    "CudnnGRU": (gru_step, "cudnn_compatible_gru_cell"),
    "CudnnRNNTanh": (tanh_step, "basic_rnn_cell"),
    "CudnnRNNRelu": (relu_step, "basic_rnn_cell"),
}


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_a_stack_in_one_direction(name: str, lengths: Any) -> None:
    step, cell = STACKS[name]
    parts = 2 if name == "CudnnLSTM" else 1
    begin = rng.normal(size=(parts, 2, 2, 4)).astype("f4")
    with tf.Graph().as_default(), tf.Session() as session:
        layer = getattr(cudnn_rnn, name)(2, 4, name="stack")
        y, state = layer(tf.constant(X), tuple(tf.constant(b) for b in begin), lengths)
        assert layer.state_shape(2) == ([2, 2, 4],) * parts and y.shape.as_list() == [5, 2, 4]
        w = random_values(session)
        y, state = session.run((y, state))
    expected, last = X, []
    for i in range(2):
        # Ours is (c, h) in the loop and (h, c) outside.
        first = tuple(begin[k][i] for k in reversed(range(parts)))
        where = under(w, f"stack/rnn/multi_rnn_cell/cell_{i}/{cell}")
        expected, made = along(step, expected, first, where, lengths or (9, 9))
        last.append(made[::-1])
    np.testing.assert_allclose(y, expected, **CLOSE)
    for k in range(parts):
        np.testing.assert_allclose(state[k], [layer[k] for layer in last], **CLOSE)


@pytest.mark.parametrize("name", ["CudnnLSTM", "CudnnGRU"])
def test_a_stack_in_both_directions(name: str) -> None:
    step, cell = STACKS[name]
    parts = 2 if name == "CudnnLSTM" else 1
    zeros = (np.zeros((2, 4), "f4"),) * parts
    with tf.Graph().as_default(), tf.Session() as session:
        layer = getattr(cudnn_rnn, name)(2, 4, direction="bidirectional", name="stack")
        y, state = layer(tf.constant(X.transpose(1, 0, 2)), time_major=False)
        again, _ = layer(tf.constant(X.transpose(1, 0, 2)), time_major=False, training=False)
        assert layer.num_dirs == 2 and len(layer.trainable_variables) == len(tf.global_variables())
        w = random_values(session)
        y, again, state = session.run((y, again, state))
    np.testing.assert_array_equal(y, again)
    expected, last = X, []
    for i in range(2):
        at = f"stack/stack_bidirectional_rnn/cell_{i}/bidirectional_rnn"
        fw, one = along(step, expected, zeros, under(w, f"{at}/fw/{cell}"))
        bw, two = along(step, expected[::-1], zeros, under(w, f"{at}/bw/{cell}"))
        expected, last = np.concatenate([fw, bw[::-1]], 2), [*last, one[-1], two[-1]]
    np.testing.assert_allclose(y, expected.transpose(1, 0, 2), **CLOSE)
    np.testing.assert_allclose(state[0], np.stack(last, 1), **CLOSE)


def test_outputs_between_layers_are_dropped_in_training() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        layer = cudnn_rnn.CudnnGRU(2, 30, dropout=0.5, seed=1)
        trained, _ = layer(tf.constant(X))
        asked, _ = layer(tf.constant(X), training=False)
        session.run(tf.global_variables_initializer())
        one, two, three = session.run(trained), session.run(asked), session.run(asked)
        assert np.abs(one - two).max() > 0.01
        np.testing.assert_array_equal(two, three)
        kernels = [v for v in layer.variables if "kernel" in v.name]
        assert all(np.abs(v).max() == 0 for v in session.run([v for v in layer.variables if "bias" in v.name]))
        assert all(np.abs(v).max() <= np.sqrt(6 / sum(v.shape)) for v in session.run(kernels))


def test_compatible_cells_share_the_stacks_variables() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        y, _ = cudnn_rnn.CudnnLSTM(2, 4)(tf.constant(X))
        with tf.variable_scope("cudnn_lstm", reuse=True):
            cells = tf.nn.rnn_cell.MultiRNNCell([cudnn_rnn.CudnnCompatibleLSTMCell(4) for _ in range(2)])
            z, _ = tf.nn.dynamic_rnn(cells, tf.constant(X), dtype=tf.float32, time_major=True)
        random_values(session)
        np.testing.assert_array_equal(*session.run((y, z)))


def test_mistakes_of_stacks() -> None:
    with pytest.raises(ValueError, match="direction"):
        cudnn_rnn.CudnnGRU(1, 2, direction="both")
    with pytest.raises(ArgumentError, match="input_mode"):
        cudnn_rnn.CudnnGRU(1, 2, input_mode="skip_input")
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="tuple of 2"):
            cudnn_rnn.CudnnLSTM(1, 2)(tf.constant(X), tf.zeros([1, 2, 2]))
        with pytest.raises(TypeError, match="True or False"):
            cudnn_rnn.CudnnLSTM(1, 2)(tf.constant(X), training=tf.constant(True))


@pytest.mark.parametrize("listed", [False, True])
def test_a_fused_lstm(listed: bool) -> None:
    begin = rng.normal(size=(2, 2, 4)).astype("f4")
    with tf.Graph().as_default(), tf.Session() as session:
        layer = fused_rnn.LSTMBlockFusedCell(4, forget_bias=0.7)
        xs: Any = [tf.constant(x) for x in X] if listed else tf.constant(X)
        y, state = layer(xs, (tf.constant(begin[0]), tf.constant(begin[1])), sequence_length=LENGTHS)
        assert isinstance(y, list) is listed and layer.num_units == 4
        w = random_values(session)
        assert {v.op.name for v in layer.variables} == set(w) == {"lstm_fused_cell/kernel", "lstm_fused_cell/bias"}
        y, state = session.run((y, state))
        with pytest.raises(ValueError, match="dtype"):
            layer(tf.constant(X))

    def step(x: Any, state: Any, w: Any) -> Any:
        return lstm_step(x, state, w, 0.7)

    expected, last = along(step, X, tuple(begin), under(w, "lstm_fused_cell"), LENGTHS)
    np.testing.assert_allclose(y, expected, **CLOSE)
    np.testing.assert_allclose(state, last, **CLOSE)


@pytest.mark.parametrize("loops", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_backward_in_time(loops: bool, lengths: Any) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        cell = fused_rnn.FusedRNNCellAdaptor(tf.nn.rnn_cell.BasicRNNCell(4), loops)
        y, state = fused_rnn.TimeReversedFusedRNN(cell)(tf.constant(X), None, tf.float32, lengths)
        w = random_values(session)
        y, state = session.run((y, state))
    for b, length in enumerate(lengths or (5, 5)):
        xs, zeros = X[:length, b : b + 1][::-1], (np.zeros((1, 4), "f4"),)
        rows, last = along(tanh_step, xs, zeros, under(w, "rnn/basic_rnn_cell"), (9,))
        np.testing.assert_allclose(y[:length, b], rows[::-1, 0], **CLOSE)
        np.testing.assert_allclose(state[b], last[0][0], **CLOSE)
        assert not y[length:, b].any()
