"""Many small products of matrices at once, and gradients that are made part by part."""

from __future__ import annotations

import numpy as np
import pytest
from closeness import close
from hypothesis import strategies as st
from machine_code import planned
from properties import holds

import pullback as tf
from pullback.core.config import config

pytest.importorskip("llvmlite")

from pullback.engines.cpu import parts
from pullback.ops.linalg.matmul import BatchMatMulV2


@holds(25, seed=st.integers(0, 2**32 - 1))
def test_many_matrices(seed):
    """Either turned round; one of them the same for all, or for none."""
    rng = np.random.default_rng(seed)
    dtype = [np.float32, np.float64][int(rng.integers(2))]
    flips = [(False, False), (False, True), (True, False)][int(rng.integers(3))]
    M, K, N = (int(rng.integers(1, n)) for n in (60, 40, 70))
    lead = [(), (1,), (5,), (2, 3), (20,)][int(rng.integers(5))]
    one = [(), (1,) * len(lead), lead]
    of_x, of_y = (one[int(rng.integers(3))] for _ in range(2))
    x = rng.normal(size=(*of_x, *((K, M) if flips[0] else (M, K)))).astype(dtype)
    y = rng.normal(size=(*of_y, *((N, K) if flips[1] else (K, N)))).astype(dtype)
    (made,) = planned(BatchMatMulV2(*flips), x, y)(x, y)
    left, right = (np.swapaxes(v, -1, -2) if flip else v for v, flip in zip((x, y), flips, strict=True))
    truth = left.astype(np.float64) @ right.astype(np.float64)
    assert made.shape == truth.shape and close(made, truth.astype(dtype), 1e-5)


def trained(threshold, monkeypatch):
    """A matrix after some steps by momentum, whose gradient, from `threshold` bytes on, is made in parts; the plan."""
    monkeypatch.setattr(parts, "LARGE", threshold)
    monkeypatch.setattr(parts, "PART", 1 << 13)
    monkeypatch.setattr(config, "plan_after", 0)
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(8, n)).astype("f4") for n in (300, 70))
    w = tf.Variable(rng.normal(size=(300, 70)).astype("f4"))
    optimizer = tf.keras.optimizers.SGD(0.01, momentum=0.9)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        return loss

    for _ in range(3):
        step(x, y)
    return w.numpy(), tf.explain_plan(step, x, y)


def test_a_large_gradient_is_made_and_used_part_by_part(monkeypatch):
    """To the same last bit, and never as a whole."""
    whole, plan = trained(1 << 40, monkeypatch)
    cut, plan_in_parts = trained(1 << 12, monkeypatch)
    assert np.array_equal(whole, cut)
    assert plan.count(" outer ") == 1 and plan_in_parts.count(" outer ") > 5


def test_a_momentum_step_is_one_pass(monkeypatch):
    """What is multiplied apart and then added goes together: no array of the matrix's size stands between."""
    _, plan = trained(1 << 40, monkeypatch)
    passes = [line for line in plan.splitlines() if " fused " in line and "AssignSub" in line]
    assert len(passes) == 1 and "2 Mul, Sub, Assign, Neg, AssignSub" in passes[0]
