"""contrib.rnn's cells with gates of other kinds: one step against its formula, many steps in a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.contrib import gated_cells

rng = np.random.default_rng(5)
X, C, H = (rng.normal(size=(2, n)).astype("f4") for n in (3, 4, 4))
START = tf.random_uniform_initializer(-0.7, 0.7, seed=3)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def step(make: Callable[[], Any], state: Any, x: Any = X) -> tuple[Any, Any, dict[str, Any]]:
    """(output, state, variables by the last part of their name) of one step."""
    with tf.Graph().as_default(), tf.variable_scope("s", initializer=START), tf.Session() as session:
        output, new = make()(tf.constant(x), state)
        found = {v.op.name.rpartition("/")[2]: v for v in tf.global_variables()}
        session.run(tf.global_variables_initializer())
        return session.run((output, new, found))


@pytest.mark.parametrize("bias", [False, True])
def test_nas(bias: bool) -> None:
    state = tf.nn.rnn_cell.LSTMStateTuple(C, H)
    y, (c, h), w = step(lambda: gated_cells.NASCell(4, use_bias=bias), state)
    assert set(w) == {"recurrent_kernel", "kernel"} | ({"bias"} if bias else set())
    a, m = np.split(X @ w["kernel"], 8, 1), np.split(H @ w["recurrent_kernel"] + w.get("bias", 0), 8, 1)
    first, second = sigmoid(a[0] + m[0]) * relu(a[1] + m[1]), sigmoid(a[2] + m[2]) + relu(a[3] * m[3])
    third = np.tanh(a[4] + m[4]) * sigmoid(a[5] + m[5])
    fourth = np.tanh(a[6] + m[6]) + sigmoid(a[7] + m[7])
    new = np.tanh(np.tanh(first) + C) * np.tanh(second)
    np.testing.assert_allclose(c, new, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(y, np.tanh(new * np.tanh(np.tanh(third) + sigmoid(fourth))), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(y, h)


def test_nas_projects_its_output() -> None:
    state = tf.nn.rnn_cell.LSTMStateTuple(C, H[:, :2])
    whole = gated_cells.NASCell(4, num_proj=2)
    assert whole.output_size == 2 and tuple(whole.state_size) == (4, 2)
    y, (c, h), w = step(lambda: gated_cells.NASCell(4, num_proj=2), state)
    assert y.shape == h.shape == (2, 2) and c.shape == (2, 4)
    assert w["projection_weights"].shape == (4, 2) and w["recurrent_kernel"].shape == (2, 32)


def test_ugrnn() -> None:
    y, new, w = step(lambda: gated_cells.UGRNNCell(4, forget_bias=0.5), H)
    g, c = np.split(np.concatenate([X, H], 1) @ w["kernel"] + w["bias"], 2, 1)
    gate = sigmoid(g + 0.5)
    np.testing.assert_allclose(y, gate * H + (1 - gate) * np.tanh(c), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(y, new)
    *_, w = step(lambda: gated_cells.UGRNNCell(4, initializer=tf.ones_initializer()), H)
    np.testing.assert_array_equal(w["kernel"], 1)


def test_sru() -> None:
    y, new, w = step(lambda: gated_cells.SRUCell(4), C)
    z, f, r, t = np.split(X @ w["kernel"], 4, 1)
    f, r = sigmoid(f + w["bias"][:4]), sigmoid(r + w["bias"][4:])
    np.testing.assert_allclose(new, f * C + (1 - f) * z, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(y, r * np.tanh(new) + (1 - r) * t, rtol=1e-4, atol=1e-6)


def test_independent_units() -> None:
    y, _, w = step(lambda: gated_cells.IndRNNCell(4, activation=tf.nn.relu), H)
    assert w["kernel_u"].shape == (1, 4) and np.abs(w["kernel_u"]).max() <= 1
    np.testing.assert_allclose(y, relu(X @ w["kernel_w"] + w["kernel_u"] * H + w["bias"]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("couples", [True, False])
def test_highway(couples: bool) -> None:
    def make() -> Any:
        return gated_cells.HighwayWrapper(gated_cells.IndRNNCell(4), couples, 0.5)

    y, new, w = step(make, H, C)
    carry = sigmoid(C @ w["carry_w"] + 0.5)
    passed = 1 - carry if couples else sigmoid(C @ w["transform_w"] - 0.5)
    np.testing.assert_allclose(y, carry * C + passed * new, rtol=1e-4, atol=1e-6)


def test_highway_needs_as_much_out_as_in() -> None:
    with pytest.raises(ValueError):
        step(lambda: gated_cells.HighwayWrapper(gated_cells.IndRNNCell(4)), H, X)


@pytest.mark.parametrize("name", ["NASCell", "UGRNNCell", "SRUCell", "IndRNNCell"])
def test_they_learn_in_a_loop(name: str) -> None:
    """To say in the end what came first."""
    x = rng.normal(size=(32, 4, 2)).astype("f4")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        cell = getattr(tf.contrib.rnn, name)(12)
        outputs, _ = tf.nn.dynamic_rnn(cell, tf.constant(x), dtype=tf.float32)
        loss = tf.losses.mean_squared_error(x[:, 0, :1], tf.layers.dense(outputs[:, -1], 1))
        train = tf.train.AdamOptimizer(0.03).minimize(loss)
        session.run(tf.global_variables_initializer())
        before = session.run(loss)
        for _ in range(80):
            session.run(train)
        assert session.run(loss) < 0.3 * before
