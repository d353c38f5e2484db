"""`tf.contrib.opt` by their formulas in NumPy, and contrib's other normalisations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

opt, layers = tf.contrib.opt, tf.contrib.layers
GRADIENTS = np.random.default_rng(5).standard_normal((4, 3)).astype("f")
START = np.array([1.0, -2.0, 0.5], "f")


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def trained(optimizer: Any, **options: Any) -> Any:
    """The variable after four steps of given gradients."""
    w, g = tf.Variable(START, name="w"), tf.placeholder(tf.float32, [3])
    step = optimizer.apply_gradients([(g, w)], **options)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for value in GRADIENTS:
            session.run(step, {g: value})
        return session.run(w)


def adam(look: Callable[[Any, Any, Any, int], Any], decay: float = 0.0) -> Any:
    """Adam in float64, `look` saying the step of (m, v, g, t)."""
    w, m, v = START.astype("f8"), np.zeros(3), np.zeros(3)
    for t, g in enumerate(GRADIENTS.astype("f8"), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - decay * w - look(m, v, g, t)
    return w


def plain(m: Any, v: Any, g: Any, t: int) -> Any:
    return 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8)


def close(ours: Any, want: Any) -> None:
    np.testing.assert_allclose(ours, want, rtol=2e-6, atol=2e-6)


def test_adam_with_decay_shrinks_weights_by_a_share_of_themselves() -> None:
    close(trained(opt.AdamWOptimizer(0.1, 0.01)), adam(plain, 0.1))


def test_decay_keeps_to_its_list() -> None:
    close(trained(opt.AdamWOptimizer(0.1, 0.01), decay_var_list=[]), adam(plain))


def test_any_formula_can_be_extended() -> None:
    made = opt.extend_with_decoupled_weight_decay(tf.train.GradientDescentOptimizer)
    w = START.astype("f8")
    for g in GRADIENTS:
        w = w - 0.2 * w - 0.5 * g
    close(trained(made(weight_decay=0.2, learning_rate=0.5)), w)
    with pytest.raises(TypeError, match="needs a class"):
        opt.extend_with_decoupled_weight_decay(3)


def test_momentum_with_decay() -> None:
    w, a = START.astype("f8"), np.zeros(3)
    for g in GRADIENTS:
        a = 0.9 * a + g
        w = w - 0.1 * w - 0.01 * a
    close(trained(opt.MomentumWOptimizer(0.1, 0.01, 0.9)), w)


def test_nadam_looks_ahead() -> None:
    def look(m: Any, v: Any, g: Any, t: int) -> Any:
        return 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * (0.9 * m + 0.1 * g) / (np.sqrt(v) + 1e-8)

    close(trained(opt.NadamOptimizer(0.01)), adam(look))


def test_adamax_divides_by_the_largest_gradient() -> None:
    w, m, v = START.astype("f8"), np.zeros(3), np.zeros(3)
    for t, g in enumerate(GRADIENTS, 1):
        m, v = 0.9 * m + 0.1 * g, np.maximum(0.999 * v, np.abs(g))
        w = w - 0.01 / (1 - 0.9**t) * m / (v + 1e-8)
    close(trained(opt.AdaMaxOptimizer(0.01)), w)


@pytest.mark.parametrize("nesterov", [False, True])
def test_lars_scales_by_weights_and_gradient(nesterov: bool) -> None:
    w, a = START.astype("f8"), np.zeros(3)
    for g in GRADIENTS.astype("f8"):
        trust = 0.1 * np.linalg.norm(w) / (np.linalg.norm(g) + 0.01 * np.linalg.norm(w))
        g = g + 0.01 * w
        a = 0.9 * a + 0.5 * trust * g
        w = w - (0.5 * trust * g + 0.9 * a if nesterov else a)
    made = opt.LARSOptimizer(0.5, weight_decay=0.01, eeta=0.1, use_nesterov=nesterov)
    close(trained(made), w)


def test_lars_leaves_listed_variables_to_momentum() -> None:
    w, a = START.astype("f8"), np.zeros(3)
    for g in GRADIENTS:
        a = 0.9 * a + 0.5 * g
        w = w - a
    close(trained(opt.LARSOptimizer(0.5, skip_list=["w"])), w)


def test_lazy_adam_leaves_other_rows_means_alone() -> None:
    w = tf.Variable(np.ones((3, 2), "f"))
    rows = tf.placeholder(tf.int32, [1])
    optimizer = opt.LazyAdamOptimizer(0.01)
    step = optimizer.minimize(tf.reduce_sum(tf.gather(w, rows)))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step, {rows: [0]})
        session.run(step, {rows: [1]})
        mean = session.run(optimizer.get_slot(w, "m"))
    close(mean, [[0.1, 0.1], [0.1, 0.1], [0, 0]])


def test_averages_are_saved_under_the_variables_names(tmp_path: Path) -> None:
    w = tf.Variable(4.0, name="w")
    optimizer = opt.MovingAverageOptimizer(tf.train.GradientDescentOptimizer(1.0), average_decay=0.5)
    with pytest.raises(RuntimeError, match="before creating the swapping_saver"):
        optimizer.swapping_saver()
    step = optimizer.minimize(2 * w)
    saver = optimizer.swapping_saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        session.run(step)
        assert session.run(w) == 0.0  # averages: 4 -> 3 -> 1.5
        path = saver.save(session, str(tmp_path / "model"))
    found = tf.train.NewCheckpointReader(path)
    names = found.get_variable_to_shape_map()
    assert found.get_tensor("w") == 1.5
    assert [found.get_tensor(n) for n in names if n != "w"] == [0.0]


X = np.random.default_rng(2).standard_normal((2, 3, 4, 6)).astype("f")


def run(x: Any) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(x)


def normal(x: Any, axes: Any) -> Any:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-6)


@pytest.mark.parametrize("close_to_zero", [False, True])
def test_group_norm(close_to_zero: bool) -> None:
    want = normal(X.reshape(2, 3, 4, 2, 3), (1, 2, 4)).reshape(X.shape)
    found = layers.group_norm(X, groups=2, mean_close_to_zero=close_to_zero)
    np.testing.assert_allclose(run(found), want, atol=1e-5)
    assert [v.op.name for v in tf.global_variables()] == ["GroupNorm/beta", "GroupNorm/gamma"]
    turned = layers.group_norm(X.transpose(0, 3, 1, 2), groups=2, channels_axis=1, reduction_axes=(2, 3))
    np.testing.assert_allclose(run(turned).transpose(0, 2, 3, 1), want, atol=1e-5)
    with pytest.raises(ValueError, match="not commensurate"):
        layers.group_norm(X, groups=4)
    with pytest.raises(ValueError, match="different axes"):
        layers.group_norm(X, groups=2, reduction_axes=(1, 3))


def test_instance_norm() -> None:
    found = layers.instance_norm(X, center=False)
    np.testing.assert_allclose(run(found), normal(X, (1, 2)), atol=1e-5)
    assert [v.op.name for v in tf.global_variables()] == ["InstanceNorm/gamma"]
    turned = layers.instance_norm(X, data_format="NCHW")
    np.testing.assert_allclose(run(turned), normal(X, (2, 3)), atol=1e-5)


def test_maxout_takes_the_largest_of_each_run() -> None:
    assert np.array_equal(run(layers.maxout(X, 2)), X.reshape(2, 3, 4, 2, 3).max(-1))
    with pytest.raises(ValueError, match="not a multiple"):
        layers.maxout(X, 4)


def test_spatial_softmax_is_where_a_channel_lies() -> None:
    x = np.zeros((1, 3, 5, 2), "f")
    x[0, 2, 0, 0] = x[0, 1, 4, 1] = 100.0
    np.testing.assert_allclose(run(layers.spatial_softmax(x)), [[-1, 1, 1, 0]], atol=1e-5)


def test_a_formula_that_writes_the_whole_value_begins_from_the_decayed_one() -> None:
    made = opt.extend_with_decoupled_weight_decay(tf.train.ProximalGradientDescentOptimizer)
    w = START.astype("f8")
    for g in GRADIENTS:
        w = w - 0.2 * w - 0.5 * g
    close(trained(made(weight_decay=0.2, learning_rate=0.5)), w)
