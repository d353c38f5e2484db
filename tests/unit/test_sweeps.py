"""What eager running and differentiating leaves out: cotangents nobody asked for, NumPy's warnings, conversions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core import interpreter
from pullback.core.silence import silently


class Ear:
    """A tape that notes the types of what runs."""

    def __init__(self):
        self.heard = []

    def record(self, op, inputs, results, node):
        self.heard.append(op.type)

    def watches(self, inputs):
        return False

    def __enter__(self):
        self._eager = interpreter.eager()
        self._eager.tapes = (*self._eager.tapes, self)
        return self

    def __exit__(self, *exc):
        self._eager.tapes = tuple(t for t in self._eager.tapes if t is not self)


IMAGE, FILTER = tf.ones([1, 4, 4, 2]), tf.ones([3, 3, 2, 3])


def swept(wrt, **told):
    """What runs while a convolution is differentiated."""
    with tf.GradientTape() as tape:
        tape.watch(wrt)
        y = tf.nn.conv2d(IMAGE, FILTER, 1, "SAME")
    with Ear() as ear:
        tape.gradient(y, wrt, **told)
    return [kind for kind in ear.heard if kind.startswith("Conv2D")]


class TestCotangentsThatNobodyAskedFor:
    def test_are_not_computed_of_what_is_not_watched(self):
        assert swept(FILTER) == ["Conv2DBackpropFilter"]
        assert swept(IMAGE) == ["Conv2DBackpropInput"]
        assert sorted(swept([IMAGE, FILTER])) == ["Conv2DBackpropFilter", "Conv2DBackpropInput"]

    def test_are_computed_for_who_watches_the_steps(self):
        seen = []
        ran = swept(FILTER, on_step=lambda node, dys, dxs: seen.append([dx.shape.as_list() for dx in dxs]))
        assert len(ran) == 2 and seen == [[[1, 4, 4, 2], [3, 3, 2, 3]]]

    def test_stand_in_graphs_as_TensorFlow_shows_them(self):
        with v1.Graph().as_default() as graph:
            x = v1.placeholder("float32", [3])
            v1.gradients(x * v1.constant([1.0, 2.0, 3.0], name="c"), x)
        made = [n for n in graph.get_operations() if n.name.startswith("gradients/mul_grad/") and n.type == "Mul"]
        assert len(made) == 2

    def test_a_product_by_a_number_is_right_at_every_order(self):
        x = tf.constant([0.5, -2.0])
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x * 3.0 * x * x
            dx = inner.gradient(y, x)
        assert np.allclose(dx.numpy(), 9 * x.numpy() ** 2)
        assert np.allclose(outer.gradient(dx, x).numpy(), 18 * x.numpy())


class TestNumbersBesideTensors:
    @pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int32", "uint8", "complex64"])
    @pytest.mark.parametrize("number", [0, 2, 7])
    def test_take_the_tensors_type(self, dtype, number):
        x = tf.constant([1, 2, 3], dtype)
        for made, expected in [
            (x * number, [number, 2 * number, 3 * number]),
            (number + x, [number + n for n in (1, 2, 3)]),
        ]:
            assert made.dtype == x.dtype
            assert np.array_equal(np.asarray(made.numpy(), complex), np.asarray(expected, complex))

    def test_a_float_beside_integers_is_refused_every_time(self):
        for _ in range(2):
            with pytest.raises(TypeError, match="int32"):
                tf.constant([1, 2]) * 1.5

    def test_negative_zero_keeps_its_sign(self):
        assert np.signbit((tf.constant([1.0]) * -0.0).numpy()).all()
        assert not np.signbit((tf.constant([1.0]) * 0.0).numpy()).any()

    def test_a_number_beside_a_symbolic_tensor_joins_its_graph(self):
        with v1.Graph().as_default():
            x = v1.placeholder("float32", [2])
        assert (x * 2.0).graph is x.graph and (2 + x).graph is x.graph

    def test_a_tuple_is_a_shape_to_some_ops_and_a_list_of_numbers_to_others(self):
        x = tf.ones([2, 3])
        assert tf.reshape(x, (3, 2)).shape == (3, 2)
        assert np.array_equal((x * (1, 2, 3)).numpy(), [[1, 2, 3]] * 2)


class TestSilence:
    def test_nothing_is_said_inside_and_everything_outside(self):
        one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isinf(silently(np.divide, (one, zero))).all()
            with pytest.raises(RuntimeWarning):
                np.divide(one, zero)

    def test_what_was_set_is_set_again_also_after_an_error(self):
        with np.errstate(divide="raise"):
            silently(np.divide, (np.ones(1), np.zeros(1)))
            with pytest.raises(ValueError, match="broadcast"):
                silently(np.add, (np.ones(2), np.ones(3)))
            assert np.geterr()["divide"] == "raise"

    def test_eager_operations_warn_of_nothing(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isnan((tf.constant([0.0]) / tf.constant([0.0])).numpy()).all()
            assert np.isinf(tf.exp(tf.constant([1000.0])).numpy()).all()
