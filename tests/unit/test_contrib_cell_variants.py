"""contrib.rnn's variants of LSTM and GRU: one step against its formula, many steps in a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.contrib import gated_variants, lstm_variants

rng = np.random.default_rng(8)
X, C, H = (rng.normal(size=(2, n)).astype("f4") for n in (6, 4, 4))
START = tf.random_uniform_initializer(-0.7, 0.7, seed=3)
CLOSE: Any = {"rtol": 1e-4, "atol": 1e-6}


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def step(make: Callable[[], Any], state: Any, x: Any = X) -> tuple[Any, Any, dict[str, Any]]:
    """(output, state, variables by their name behind the cell's) of one step."""
    with tf.Graph().as_default(), tf.variable_scope("s", initializer=START), tf.Session() as session:
        inputs = tf.nest.map_structure(tf.constant, x)
        output, new = make()(inputs, state)
        found = {v.op.name.split("/", 2)[2]: v for v in tf.global_variables()}
        session.run(tf.global_variables_initializer())
        return session.run((output, new, found))


def memory(c: Any = C, h: Any = H) -> Any:
    return tf.nn.rnn_cell.LSTMStateTuple(c, h)


@pytest.mark.parametrize("peepholes", [False, True])
def test_coupled_gates(peepholes: bool) -> None:
    make = lstm_variants.CoupledInputForgetGateLSTMCell
    y, (c, h), w = step(lambda: make(4, peepholes, forget_bias=0.3, initializer=START), memory())
    j, f, o = np.split(np.concatenate([X, H], 1) @ w["W_0"] + w["B"], 3, 1)
    share = sigmoid(f + 0.3 + (w["W_F_diag"] * C if peepholes else 0))
    new = share * C + (1 - share) * np.tanh(j)
    np.testing.assert_allclose(c, new, **CLOSE)
    np.testing.assert_allclose(y, sigmoid(o + (w["W_O_diag"] * new if peepholes else 0)) * np.tanh(new), **CLOSE)
    np.testing.assert_array_equal(y, h)


def test_coupled_gates_normalised_and_projected() -> None:
    def rows(x: Any) -> Any:
        return 2 * (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) + 0.1

    make = lstm_variants.CoupledInputForgetGateLSTMCell
    state = memory(C, H[:, :3])
    y, (c, _), w = step(
        lambda: make(4, num_proj=3, proj_clip=0.2, layer_norm=True, norm_gain=2.0, norm_shift=0.1), state
    )
    assert "B" not in w and {"transform/gamma", "forget/beta", "output/gamma", "state/beta"} < set(w)
    j, f, o = (rows(part) for part in np.split(np.concatenate([X, H[:, :3]], 1) @ w["W_0"], 3, 1))
    share = sigmoid(f + 1)
    new = rows(share * C + (1 - share) * np.tanh(j))
    np.testing.assert_allclose(c, new, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(y, np.clip(sigmoid(o) * np.tanh(new) @ w["W_P_0"], -0.2, 0.2), rtol=1e-3, atol=1e-5)
    with pytest.raises(ValueError, match="one piece"):
        make(4, num_unit_shards=2)


def test_groups() -> None:
    y, (c, _), w = step(lambda: lstm_variants.GLSTMCell(4, START, num_proj=2, number_of_groups=2), memory(C, H[:, :2]))
    groups = [
        np.split(np.concatenate([X[:, 3 * k : 3 * k + 3], H[:, k : k + 1]], 1) @ w[f"group{k}/kernel"], 4, 1)
        for k in range(2)
    ]
    i, j, f, o = (np.concatenate(parts, 1) for parts in zip(*groups, strict=True))
    new = sigmoid(f + 1) * C + sigmoid(i) * np.tanh(j)
    np.testing.assert_allclose(c, new, **CLOSE)
    np.testing.assert_allclose(y, sigmoid(o) * np.tanh(new) @ w["projection/kernel"], **CLOSE)
    assert {"bias_i", "bias_j", "bias_f", "bias_o"} < set(w)


def test_one_group_is_an_lstm() -> None:
    y, _, w = step(lambda: lstm_variants.GLSTMCell(4, START), memory())
    i, j, f, o = np.split(np.concatenate([X, H], 1) @ w["group0/kernel"], 4, 1)
    new = sigmoid(f + 1) * C + sigmoid(i) * np.tanh(j)
    np.testing.assert_allclose(y, sigmoid(o) * np.tanh(new), **CLOSE)
    with pytest.raises(ValueError, match="num_units 4 must be divisible"):
        lstm_variants.GLSTMCell(4, number_of_groups=3)
    with pytest.raises(ValueError, match="inputs' length 6 must be divisible"):
        step(lambda: lstm_variants.GLSTMCell(4, number_of_groups=4), memory())


@pytest.mark.parametrize("peepholes", [False, True])
def test_phases(peepholes: bool) -> None:
    time = np.array([[3.7], [81.2]], np.float32)
    make = lstm_variants.PhasedLSTMCell
    y, (c, _), w = step(
        lambda: make(4, peepholes, ratio_on=0.4, period_init_min=2.0, period_init_max=90.0), memory(), (time, X)
    )
    assert (w["period"] >= 2).all() and (w["period"] <= 90).all() and (w["phase"] <= w["period"]).all()
    both = np.concatenate([X, H], 1)
    gates = np.concatenate([both, C], 1) if peepholes else both
    i, f = np.split(sigmoid(gates @ w["mask_gates/kernel"] + w["mask_gates/bias"]), 2, 1)
    new = f * C + i * np.tanh(both @ w["new_input/kernel"] + w["new_input/bias"])
    out = np.concatenate([both, new], 1) if peepholes else both
    output = sigmoid(out @ w["output_gate/kernel"] + w["output_gate/bias"]) * np.tanh(new)
    p = np.mod(time - w["phase"], w["period"]) / w["period"]
    k = np.select([p < 0.2, p < 0.4], [2 * p / 0.4, 2 - 2 * p / 0.4], 0.001 * p)
    np.testing.assert_allclose(c, k * new + (1 - k) * C, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(y, k * output + (1 - k) * H, rtol=1e-3, atol=1e-5)


def test_independent_lstm() -> None:
    y, (c, _), w = step(lambda: lstm_variants.IndyLSTMCell(4, 0.5), memory())
    i, j, f, o = np.split(X @ w["kernel_w"] + w["kernel_u"] * np.tile(H, 4) + w["bias"], 4, 1)
    new = sigmoid(f + 0.5) * C + sigmoid(i) * np.tanh(j)
    np.testing.assert_allclose(c, new, **CLOSE)
    np.testing.assert_allclose(y, sigmoid(o) * np.tanh(new), **CLOSE)


def test_independent_gru() -> None:
    y, new, w = step(lambda: gated_variants.IndyGRUCell(4), H)
    assert (w["gates/bias"] == 1).all() and (w["candidate/bias"] == 0).all()
    gates = X @ w["gates/kernel_w"] + w["gates/kernel_u"] * np.tile(H, 2) + 1
    r, s = np.split(sigmoid(gates), 2, 1)
    candidate = np.tanh(X @ w["candidate/kernel_w"] + w["candidate/kernel_u"] * (r * H))
    np.testing.assert_allclose(y, s * H + (1 - s) * candidate, **CLOSE)
    np.testing.assert_array_equal(y, new)


def test_intersection() -> None:
    y, new, w = step(lambda: gated_variants.IntersectionRNNCell(4, 4, START, 0.5), H)
    x = X @ w["in_projection/kernel"] + w["in_projection/bias"]
    g, a, q, out = np.split(np.concatenate([x, H], 1) @ w["kernel"] + w["bias"], 4, 1)
    s, t = sigmoid(g + 0.5), sigmoid(q + 0.5)
    np.testing.assert_allclose(y, t * x + (1 - t) * np.maximum(out, 0), **CLOSE)
    np.testing.assert_allclose(new, s * H + (1 - s) * np.tanh(a), **CLOSE)
    with pytest.raises(ValueError, match="num_in_proj"):
        step(lambda: gated_variants.IntersectionRNNCell(4), H)


def test_one_gate() -> None:
    y, _, w = step(lambda: gated_variants.MinimalRNNCell(4), H)
    z = np.tanh(X @ w["kernel"])
    u = sigmoid(np.concatenate([z, H], 1) @ w["recurrent_kernel"] + w["bias"])
    np.testing.assert_allclose(y, u * H + (1 - u) * z, **CLOSE)


def test_no_chaos() -> None:
    y, _, w = step(lambda: gated_variants.CFNCell(4), H)
    made = X @ w["kernel"]
    s, t = np.split(sigmoid(made[:, :8] + H @ w["recurrent_kernel"] + w["bias"]), 2, 1)
    np.testing.assert_allclose(y, s * np.tanh(H) + t * np.tanh(made[:, 8:]), **CLOSE)


def test_a_compiled_cell_is_the_cell() -> None:
    y, _, w = step(lambda: gated_variants.CompiledWrapper(tf.nn.rnn_cell.BasicRNNCell(4)), H)
    kernel, bias = sorted(w.values(), key=lambda v: -v.ndim)
    np.testing.assert_allclose(y, np.tanh(np.concatenate([X, H], 1) @ kernel + bias), **CLOSE)


MAKERS: dict[str, Callable[[], Any]] = {
    "coupled": lambda: lstm_variants.CoupledInputForgetGateLSTMCell(12),
    "groups": lambda: lstm_variants.GLSTMCell(12, number_of_groups=2),
    "indy-lstm": lambda: lstm_variants.IndyLSTMCell(12),
    "indy-gru": lambda: gated_variants.IndyGRUCell(12),
    "intersection": lambda: gated_variants.IntersectionRNNCell(12, 12),
    "minimal": lambda: gated_variants.MinimalRNNCell(12),
    "chaos-free": lambda: gated_variants.CFNCell(12),
}


@pytest.mark.parametrize("name", MAKERS)
def test_they_learn_in_a_loop(name: str) -> None:
    """To say in the end what came first."""
    x = np.random.default_rng(1).normal(size=(32, 3, 2)).astype("f4")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        outputs, _ = tf.nn.dynamic_rnn(MAKERS[name](), tf.constant(x), dtype=tf.float32)
        loss = tf.losses.mean_squared_error(x[:, 0, :1], tf.layers.dense(outputs[:, -1], 1))
        train = tf.train.AdamOptimizer(0.04).minimize(loss)
        session.run(tf.global_variables_initializer())
        before = session.run(loss)
        for _ in range(80):
            session.run(train)
        assert session.run(loss) < 0.5 * before


def test_phases_learn_their_clock() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        time = tf.constant(np.arange(6, dtype=np.float32).reshape(1, 6, 1))
        cell = lstm_variants.PhasedLSTMCell(3, period_init_max=8.0, ratio_on=0.5)
        outputs, _ = tf.nn.dynamic_rnn(cell, (time, tf.ones([1, 6, 2])), dtype=tf.float32)
        variables = tf.trainable_variables()
        gradients = tf.gradients(tf.reduce_sum(outputs), variables)
        session.run(tf.global_variables_initializer())
        assert {v.op.name.rpartition("/")[2] for v in variables} >= {"period", "phase", "ratio_on"}
        assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in session.run(gradients))
