"""`tf.distributions`: densities and moments against their formulas, draws against their distribution."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

d = tf.distributions


@pytest.fixture
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as made:
        yield made


def gaussian(x: float, m: float, s: float) -> float:
    return math.exp(-((x - m) ** 2) / (2 * s * s)) / (s * math.sqrt(2 * math.pi))


def test_densities(session: Any) -> None:
    cases = [
        (d.Normal([0.0, 1.0], [1.0, 2.0]), [0.5, 3.0], [gaussian(0.5, 0, 1), gaussian(3, 1, 2)]),
        (d.Uniform(0.0, [2.0, 4.0]), [1.0, 5.0], [0.5, 0.0]),
        (d.Bernoulli(probs=[0.3, 0.6]), [1, 0], [0.3, 0.4]),
        (d.Categorical(probs=[[0.2, 0.8], [0.5, 0.5]]), [1, 0], [0.8, 0.5]),
        (d.Exponential([1.0, 2.0]), [1.0, 0.5], [math.exp(-1), 2 * math.exp(-1)]),
        (d.Laplace([0.0, 1.0], [1.0, 2.0]), [0.5, -1.0], [math.exp(-0.5) / 2, math.exp(-1) / 4]),
    ]
    for made, at, wanted in cases:
        assert np.allclose(session.run(made.prob(at)), wanted, atol=1e-6), made
        with np.errstate(divide="ignore"):
            assert np.allclose(session.run(made.log_prob(at)), np.log(wanted), atol=1e-5), made


def test_moments_are_those_of_the_draws(session: Any) -> None:
    for made in (
        d.Normal([1.0, 2.0], [0.5, 2.0]),
        d.Uniform(1.0, 3.0),
        d.Bernoulli(probs=0.3),
        d.Exponential(2.0),
        d.Laplace(1.0, 0.5),
    ):
        drawn = session.run(made.sample([20000], seed=1)).astype(np.float64)
        mean, variance = session.run([made.mean(), made.variance()])
        assert np.allclose(drawn.mean(0), mean, atol=0.06) and np.allclose(drawn.var(0), variance, rtol=0.1), made


def test_categorical_draws(session: Any) -> None:
    made = d.Categorical(probs=[[0.2, 0.8], [0.5, 0.5]])
    drawn = session.run(made.sample([4000], seed=1))
    assert drawn.shape == (4000, 2) and np.allclose(drawn.mean(0), [0.8, 0.5], atol=0.03)
    assert session.run(made.mode()).tolist() == [1, 0]


def test_entropies_and_divergences(session: Any) -> None:
    assert session.run(d.Normal(0.0, 2.0).entropy()) == pytest.approx(0.5 * math.log(2 * math.pi * math.e * 4))
    assert session.run(d.Uniform(0.0, 4.0).entropy()) == pytest.approx(math.log(4))
    kl = session.run(d.kl_divergence(d.Normal(0.0, 1.0), d.Normal(1.0, 2.0)))
    assert kl == pytest.approx(math.log(2) + 2 / 8 - 0.5)
    p, q = np.array([0.2, 0.8]), np.array([0.5, 0.5])
    kl = session.run(d.Categorical(probs=p).kl_divergence(d.Categorical(probs=q)))
    assert kl == pytest.approx(float((p * np.log(p / q)).sum()))
    assert session.run(d.Normal(0.0, 1.0).cdf([0.0, 1.0])).tolist() == pytest.approx([0.5, 0.8413447])


def test_gradients_reach_parameters_through_draws(session: Any) -> None:
    loc, scale = tf.constant(1.0), tf.constant(2.0)
    drawn = d.Normal(loc, scale).sample(seed=3)
    value, by_loc, by_scale = session.run([drawn, *tf.gradients(drawn, [loc, scale])])
    assert by_loc == 1 and by_scale == pytest.approx((value - 1) / 2, rel=1e-5)


def test_mistakes(session: Any) -> None:
    with pytest.raises(ValueError, match="probs or logits"):
        d.Bernoulli()
    with pytest.raises(NotImplementedError, match=r"No KL.*Normal and Uniform"):
        d.kl_divergence(d.Normal(0.0, 1.0), d.Uniform())
    with pytest.raises(ValueError, match="mode is not known of Uniform"):
        d.Uniform().mode()
