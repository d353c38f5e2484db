"""Learning rates that hang on the step, against their formulas; both faces the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

STEPS = range(25)
# name -> (formula of the step, TensorFlow 2's schedule, TensorFlow 1's function of the step)
KINDS: dict[str, tuple[Callable[[int], float], Callable[[], Any] | None, Callable[[Any], Any] | None]] = {
    "exponential": (
        lambda k: 0.5 * 0.6 ** (k / 7),
        lambda: tf.optimizers.schedules.ExponentialDecay(0.5, 7, 0.6),
        lambda k: tf1.train.exponential_decay(0.5, k, 7, 0.6),
    ),
    "stairs": (
        lambda k: 0.5 * 0.6 ** (k // 7),
        lambda: tf.optimizers.schedules.ExponentialDecay(0.5, 7, 0.6, staircase=True),
        lambda k: tf1.train.exponential_decay(0.5, k, 7, 0.6, staircase=True),
    ),
    "natural": (lambda k: 0.5 * math.exp(-0.6 * k / 7), None, lambda k: tf1.train.natural_exp_decay(0.5, k, 7, 0.6)),
    "inverse": (
        lambda k: 0.5 / (1 + 0.6 * k / 7),
        lambda: tf.optimizers.schedules.InverseTimeDecay(0.5, 7, 0.6),
        lambda k: tf1.train.inverse_time_decay(0.5, k, 7, 0.6),
    ),
    "inverse stairs": (
        lambda k: 0.5 / (1 + 0.6 * (k // 7)),
        lambda: tf.optimizers.schedules.InverseTimeDecay(0.5, 7, 0.6, True),
        lambda k: tf1.train.inverse_time_decay(0.5, k, 7, 0.6, True),
    ),
    "polynomial": (
        lambda k: 0.4 * (1 - min(k, 9) / 9) ** 2 + 0.1,
        lambda: tf.optimizers.schedules.PolynomialDecay(0.5, 9, 0.1, 2.0),
        lambda k: tf1.train.polynomial_decay(0.5, k, 9, 0.1, 2.0),
    ),
    "cycles": (
        lambda k: 0.4 * (1 - k / (9 * max(1, math.ceil(k / 9)))) + 0.1,
        lambda: tf.optimizers.schedules.PolynomialDecay(0.5, 9, 0.1, cycle=True),
        lambda k: tf1.train.polynomial_decay(0.5, k, 9, 0.1, cycle=True),
    ),
    "cosine": (
        lambda k: 0.5 * (0.9 * 0.5 * (1 + math.cos(math.pi * min(k, 9) / 9)) + 0.1),
        lambda: tf.optimizers.schedules.CosineDecay(0.5, 9, 0.1),
        lambda k: tf1.train.cosine_decay(0.5, k, 9, 0.1),
    ),
    "warm cosine": (
        lambda k: 0.1 + 0.1 * k if k < 4 else 0.5 * 0.5 * (1 + math.cos(math.pi * min(k - 4, 9) / 9)),
        lambda: tf.optimizers.schedules.CosineDecay(0.1, 9, warmup_target=0.5, warmup_steps=4),
        None,
    ),
    "restarts": (
        lambda k: 0.5 * 0.8 ** (k // 5) * 0.5 * (1 + math.cos(math.pi * (k % 5) / 5)),
        lambda: tf.optimizers.schedules.CosineDecayRestarts(0.5, 5, 1.0, 0.8),
        lambda k: tf1.train.cosine_decay_restarts(0.5, k, 5, 1.0, 0.8),
    ),
    "linear cosine": (
        lambda k: 0.5 * ((0.1 + 1 - min(k, 9) / 9) * 0.5 * (1 + math.cos(math.pi * min(k, 9) / 9)) + 0.001),
        None,
        lambda k: tf1.train.linear_cosine_decay(0.5, k, 9, alpha=0.1),
    ),
    "pieces": (
        lambda k: 0.5 if k <= 3 else 0.2 if k <= 9 else 0.1,
        lambda: tf.optimizers.schedules.PiecewiseConstantDecay([3, 9], [0.5, 0.2, 0.1]),
        lambda k: tf1.train.piecewise_constant(k, [3, 9], [0.5, 0.2, 0.1]),
    ),
}


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if row[1]])
def test_schedule_follows_its_formula(kind: str) -> None:
    formula, make, _ = KINDS[kind]
    assert make is not None
    schedule = make()
    np.testing.assert_allclose([float(schedule(k)) for k in STEPS], [formula(k) for k in STEPS], rtol=1e-5, atol=1e-7)
    again = tf.optimizers.schedules.deserialize(tf.optimizers.schedules.serialize(schedule))
    assert float(again(4)) == float(schedule(4))


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if row[2]])
def test_decay_follows_its_formula(kind: str) -> None:
    formula, _, function = KINDS[kind]
    assert function is not None
    with tf1.Graph().as_default():
        at = tf1.placeholder(tf1.int64, [])
        rate = function(at)
        with tf1.Session() as s:
            rates = [s.run(rate, {at: k}) for k in STEPS]
    np.testing.assert_allclose(rates, [formula(k) for k in STEPS], rtol=1e-5, atol=1e-7)


def test_growing_restarts() -> None:
    """Periods of 2, 4, 8 steps, each half as high."""
    schedule = tf.optimizers.schedules.CosineDecayRestarts(1.0, 2, 2.0, 0.5)
    starts = {0: 1.0, 1: 0.5, 2: 0.5, 4: 0.25, 6: 0.25, 10: 0.125}
    np.testing.assert_allclose([float(schedule(k)) for k in starts], list(starts.values()), rtol=1e-5)


def test_growth_may_be_a_tensor() -> None:
    for t_mul in (1.0, 2.0):
        plain = tf.optimizers.schedules.CosineDecayRestarts(1.0, 3, t_mul)
        given = tf.optimizers.schedules.CosineDecayRestarts(1.0, 3, tf.constant(t_mul))
        np.testing.assert_allclose([float(given(k)) for k in STEPS], [float(plain(k)) for k in STEPS], rtol=1e-6)


def test_own_schedule_serves_an_optimizer() -> None:
    class Halves(tf.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.5 ** tf.cast(step, tf.float32)

    w, optimizer = tf.Variable(4.0), tf.optimizers.SGD(Halves())
    for _ in range(3):
        optimizer.minimize(lambda: w * 1.0, [w])
    assert float(w) == 4.0 - 1.0 - 0.5 - 0.25
    with pytest.raises(NotImplementedError, match="get_config"):
        optimizer.get_config()


def test_values_of_pieces_are_of_one_type() -> None:
    with tf1.Graph().as_default(), pytest.raises(ValueError, match="all with the same dtype"):
        tf1.train.piecewise_constant(tf1.constant(1), [1], [1.0, tf1.constant(2, tf1.int32)])
