"""Initializers: what each fills a shape with, in both dialects."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pullback as tf2
import pullback.v1 as tf


@pytest.fixture(autouse=True)
def fresh_graph() -> None:
    tf.reset_default_graph()


def run(fetches: Any) -> Any:
    with tf.Session() as session:
        return session.run(fetches)


SHAPE = (3, 3, 40, 60)  # fan_in 360, fan_out 540, fan_avg 450


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("glorot_uniform", math.sqrt(6 / 900)),
        ("he_uniform", math.sqrt(6 / 360)),
        ("lecun_uniform", math.sqrt(3 / 360)),
    ],
)
def test_uniform_fills_up_to_its_limit(name: str, limit: float) -> None:
    for values in (getattr(tf2.initializers, name)(seed=1)(SHAPE), run(getattr(tf.initializers, name)(1)(SHAPE))):
        values = np.asarray(values)
        assert values.shape == SHAPE
        assert 0.99 * limit < np.abs(values).max() <= limit
        np.testing.assert_allclose(values.std(), limit / math.sqrt(3), rtol=0.02)


@pytest.mark.parametrize(
    ("name", "variance"), [("glorot_normal", 2 / 900), ("he_normal", 2 / 360), ("lecun_normal", 1 / 360)]
)
def test_truncated_normal_keeps_the_variance(name: str, variance: float) -> None:
    for values in (getattr(tf2.initializers, name)(seed=1)(SHAPE), run(getattr(tf.initializers, name)(1)(SHAPE))):
        values = np.asarray(values)
        np.testing.assert_allclose(values.std(), math.sqrt(variance), rtol=0.02)
        # Cut at two deviations of the wider normal: the standard normal cut at 2 has deviation 0.8796.
        assert np.abs(values).max() <= 2 * math.sqrt(variance) / 0.879 * 1.001


def test_untruncated_normal_and_fan_out() -> None:
    make = tf2.initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal", seed=2)
    values = make(SHAPE, tf2.float64).numpy()
    assert values.dtype == np.float64
    np.testing.assert_allclose(values.std(), math.sqrt(3 / 540), rtol=0.02)
    assert np.abs(values).max() > 3 * math.sqrt(3 / 540)


def test_fans_of_vectors_and_scalars() -> None:
    for shape, fan in (((2000,), 2000), ((), 1)):
        values = tf2.initializers.GlorotUniform(seed=1)(shape).numpy()
        assert np.abs(values).max() <= math.sqrt(6 / (2 * fan))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 3, 4), (4, 4)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    for values in (
        tf2.initializers.Orthogonal(2.0, seed=3)(shape, tf2.float64).numpy(),
        run(tf.orthogonal_initializer(2.0, 3, tf.float64)(shape)),
    ):
        q = values.reshape(-1, shape[-1])
        small = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
        np.testing.assert_allclose(small, 4.0 * np.eye(min(q.shape)), atol=1e-12)


def test_orthogonal_and_identity_need_matrices() -> None:
    with pytest.raises(ValueError, match="at least two-dimensional"):
        tf2.initializers.Orthogonal()((3,))
    with pytest.raises(ValueError, match="2D matrices"):
        tf2.initializers.Identity()((3, 3, 3))


def test_constants() -> None:
    assert tf2.zeros_initializer()([2], tf2.int32).numpy().tolist() == [0, 0]
    assert tf2.ones_initializer()([2], tf2.bool).numpy().tolist() == [True, True]
    assert tf2.constant_initializer([1, 2, 3, 4])([2, 2], tf2.float32).numpy().tolist() == [[1, 2], [3, 4]]
    assert tf2.initializers.Identity(2.0)((2, 3)).numpy().tolist() == [[2, 0, 0], [0, 2, 0]]
    assert run(tf.constant_initializer([1, 2])([2, 2])).tolist() == [[1, 2], [2, 2]]
    assert run(tf.constant_initializer(7)([2], tf.int32)).tolist() == [7, 7]
    assert run(tf.initializers.identity(2.0)([2, 2])).tolist() == [[2, 0], [0, 2]]
    with pytest.raises(TypeError, match="expected values of shape"):
        tf.constant_initializer([1, 2], verify_shape=True)([2, 2])
    with pytest.raises(TypeError, match="Invalid type for initial value"):
        tf.constant_initializer(object())


def test_uniform_unit_scaling() -> None:
    values = run(tf.uniform_unit_scaling_initializer(1.43, 1)([30, 20, 50]))
    limit = 1.43 * math.sqrt(3 / 600)
    assert 0.99 * limit < np.abs(values).max() <= limit


def test_defaults_differ_between_the_dialects() -> None:
    assert tf2.random_normal_initializer(seed=1)([5000]).numpy().std() == pytest.approx(0.05, rel=0.05)
    assert run(tf.random_normal_initializer(seed=1)([5000])).std() == pytest.approx(1.0, rel=0.05)
    assert run(tf.keras.initializers.RandomNormal(seed=1)([5000])).std() == pytest.approx(0.05, rel=0.05)
    assert np.abs(tf2.random_uniform_initializer(seed=1)([5000]).numpy()).max() <= 0.05
    assert run(tf.random_uniform_initializer()([5000])).min() >= 0


def test_integers_are_drawn_where_both_limits_are_given() -> None:
    values = run(tf.random_uniform_initializer(2, 5, dtype=tf.int32)([200]))
    assert set(values.tolist()) == {2, 3, 4}
    with pytest.raises(ValueError, match="maxval"):
        tf.random_uniform_initializer(dtype=tf.int32)([2])


def test_a_seed_repeats_in_v2_and_goes_on_in_v1() -> None:
    make = tf2.initializers.HeNormal(seed=4)
    np.testing.assert_array_equal(make((3, 2)), make((3, 2)))
    other = tf2.initializers.HeNormal()
    assert not np.array_equal(other((3, 2)), other((3, 2)))
    first = tf.random_normal_initializer(seed=4)([3])
    with tf.Session() as session:
        assert not np.array_equal(session.run(first), session.run(first))


def test_mistakes() -> None:
    for scaling in (tf.variance_scaling_initializer, tf2.initializers.VarianceScaling):
        with pytest.raises(ValueError, match="must be positive"):
            scaling(scale=-1.0)
        with pytest.raises(ValueError, match="`mode`"):
            scaling(mode="fan")
        with pytest.raises(ValueError, match="`distribution`"):
            scaling(distribution="flat")
    with pytest.raises(ValueError, match="Expected floating point type"):
        tf.glorot_uniform_initializer(dtype=tf.int32)
    with pytest.raises(ValueError, match="Expected floating point type"):
        tf2.initializers.GlorotUniform()([2], tf2.int32)
    with pytest.raises(TypeError, match="Unknown keyword argument"):
        tf2.zeros_initializer()([2], tf2.float32, shape_of_part=[1])
    with pytest.raises(ValueError, match="fully known"):
        tf2.initializers.GlorotUniform()([None, 2])


def test_parts_take_the_fans_of_the_whole() -> None:
    part = tf2.initializers.LecunUniform(seed=1)((6, 3), partition_shape=(2, 3), partition_offset=(0, 0))
    assert part.shape == (2, 3)
    assert np.abs(part.numpy()).max() <= math.sqrt(3 / 6)
    info = SimpleNamespace(full_shape=[4, 4], var_offset=[2, 0])
    assert run(tf.initializers.identity()([2, 4], partition_info=info)).tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    with pytest.raises(ValueError, match="partition"):
        tf2.constant_initializer(1)((4,), partition_shape=(2,))


def test_configurations_make_the_same_again() -> None:
    spaces: Any = ((tf2.keras.initializers, 0), (tf.keras.initializers, 1))
    for space, v1 in spaces:
        for name in ("zeros", "glorot_uniform", "he_normal", "Orthogonal", "truncated_normal", "VarianceScaling"):
            made = space.get(name)
            again = space.deserialize(space.serialize(made))
            assert again.get_config() == made.get_config(), name
            assert ("dtype" in made.get_config()) == bool(v1)
        with pytest.raises(ValueError, match="Unknown initializer"):
            space.get("flat")
    assert tf2.keras.initializers.get(None) is None
    assert isinstance(tf2.keras.initializers.get({"class_name": "Constant", "config": {"value": 3}})([1]), tf2.Tensor)


def test_get_variable_takes_them() -> None:
    default = tf.get_variable("default", [300, 200])
    given = tf.get_variable("given", [2, 2], initializer=tf.constant_initializer(5.0))
    cls = tf.get_variable("cls", [2], initializer=tf.ones_initializer)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run([default, given, cls])
    limit = math.sqrt(6 / 500)
    assert 0.99 * limit < np.abs(values[0]).max() <= limit
    assert values[1].tolist() == [[5, 5], [5, 5]]
    assert values[2].tolist() == [1, 1]


def test_regularizers() -> None:
    w = np.array([[1.0, -2.0], [0.0, 3.0]])
    r = tf2.keras.regularizers
    assert float(r.l1(0.1)(w)) == pytest.approx(0.6)
    assert float(r.L2(0.5)(w)) == pytest.approx(7.0)
    assert float(r.l1_l2(0.1, 0.5)(w)) == pytest.approx(7.6)
    assert float(r.get("l2")(w)) == pytest.approx(0.14)
    # Rows (1,-2) and (0,3): |cosine| = 6 / (sqrt 5 * 3), one pair.
    assert float(r.OrthogonalRegularizer(0.1)(w)) == pytest.approx(0.1 * 2 / math.sqrt(5))
    assert r.deserialize(r.serialize(r.L1(0.3))).get_config() == {"l1": 0.3}
    with pytest.raises(ValueError, match="not a valid regularization penalty"):
        r.L1("much")
    x = tf2.constant([2.0, -3.0, 0.0])
    with tf2.GradientTape() as tape:
        tape.watch(x)
        loss = r.l1_l2(1.0, 2.0)(x)
    assert tape.gradient(loss, x).numpy().tolist() == [9.0, -13.0, 0.0]


def test_regularizers_of_variables_are_collected() -> None:
    tf.get_variable(
        "w", [2], initializer=tf.constant_initializer([1.0, 2.0]), regularizer=tf.keras.regularizers.l2(0.1)
    )
    loss = tf.losses.get_regularization_loss()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(loss) == pytest.approx(0.5)
