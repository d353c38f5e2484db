"""Categorical, gamma and Poisson draws: their moments, their seeds, the gradient of gamma's parameter."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


def test_categorical_frequencies():
    tf.random.set_seed(1)
    p = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    with np.errstate(divide="ignore"):
        drawn = tf.random.categorical(np.log(p), 20_000).numpy()
    assert (drawn.shape, drawn.dtype) == ((2, 20_000), np.int64)
    rates = np.stack([np.bincount(row, minlength=3) / 20_000 for row in drawn])
    np.testing.assert_allclose(rates, p, atol=4 * 0.5 / np.sqrt(20_000))  # four standard deviations
    assert rates[1, 2] == 0
    with pytest.raises(ValueError, match=r"\[B, C\]"):
        tf.random.categorical([0.0, 1.0], 2)
    with pytest.raises(TypeError, match="int32 or int64"):
        tf.random.categorical([[0.0, 1.0]], 2, tf.float32)


def test_gamma_moments_and_gradient():
    alpha, beta = tf.constant([0.5, 3.0], tf.float64), tf.constant(2.0, tf.float64)
    tf.random.set_seed(2)
    with tf.GradientTape() as tape:
        tape.watch(alpha)
        drawn = tf.random.gamma([4_000], alpha, beta, tf.float64)
        mean = tf.reduce_mean(drawn, 0)
    assert drawn.shape == (4_000, 2)
    np.testing.assert_allclose(mean, [0.25, 1.5], rtol=0.1)
    np.testing.assert_allclose(np.var(drawn.numpy(), 0), [0.125, 0.75], rtol=0.2)
    np.testing.assert_allclose(tape.gradient(mean, alpha), [0.5, 0.5], rtol=0.1)  # d(alpha / beta) / d alpha
    with pytest.raises(ValueError, match="alpha must be above 0"):
        tf.random.gamma([2], -1.0)


def test_poisson_moments():
    tf.random.set_seed(3)
    drawn = tf.random.poisson([40_000], [0.5, 8.0])
    assert (drawn.shape, drawn.dtype) == ((40_000, 2), tf.float32)
    np.testing.assert_allclose(np.mean(drawn, 0), [0.5, 8.0], rtol=0.05)
    np.testing.assert_allclose(np.var(drawn, 0), [0.5, 8.0], rtol=0.1)
    assert tf.random.poisson([2], 3.0, tf.int32).dtype == tf.int32
    with pytest.raises(ValueError, match="lam"):
        tf.random.poisson([2], -1.0)


def test_seeds_in_sessions():
    with v1.Graph().as_default():
        fetches = [
            v1.random_gamma([3], 2.0, seed=1),
            v1.random_poisson(4.0, [3], seed=1),
            v1.multinomial([[0.0, 1.0]], 9, 1),
        ]
        runs = []
        for _ in range(2):
            with v1.Session() as session:
                runs.append([session.run(fetches), session.run(fetches)])
    for one, two in zip(*runs, strict=True):
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(runs[0][0][0], runs[0][1][0])
