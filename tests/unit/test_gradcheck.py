"""gradcheck: what it passes, what it catches, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.checks.gradcheck import gradcheck

RNG = np.random.default_rng(3)


@tf.custom_gradient
def wrong_cube(x):
    """x^3 with the gradient of x^2, times x."""
    return x**3, lambda dy: dy * 2 * x**2


@pytest.mark.parametrize(
    "f, inputs",
    [
        (lambda x: tf.sin(1000 * x), [np.array([1.0, 2.0])]),
        (lambda x: tf.sqrt(x), [np.array([1e-8, 1e-3, 1e3])]),
        (lambda x, w: tf.nn.conv2d(x, w, 2, "SAME"), [RNG.normal(size=(1, 5, 4, 2)), RNG.normal(size=(3, 2, 2, 2))]),
        (lambda z: z * z * tf.math.conj(z), [np.array([1 + 2j, 3 - 1j])]),
        (lambda z: tf.abs(z), [np.array([1 + 2j, 3 - 1j])]),
        (lambda x: tf.complex(x, x * x), [np.array([0.5, -2.0])]),
        (lambda x, i: tf.gather(x, i), [np.array([1.0, 2.0]), np.array([0, 1, 1])]),
        (lambda x: tf.exp(tf.reduce_sum(x**2)), [np.float32([0.1, 0.2, 0.3])]),
        (lambda x: (x * x, {"more": tf.tanh(x)}), [np.array([0.3])]),
        (lambda x: tf.stop_gradient(tf.round(x)), [np.array([1.2, 3.3])]),
        (tf.function(lambda x: tf.reduce_prod(x)), [np.array([1.0, 2.0, 3.0])]),
    ],
    ids=[
        "fast",
        "small",
        "conv2d",
        "complex",
        "modulus",
        "to-complex",
        "gather",
        "float32",
        "nest",
        "constant",
        "function",
    ],
)
def test_right_gradients_hold(f, inputs):
    assert gradcheck(f, inputs)


def test_a_wrong_gradient_is_an_assertion_with_a_table_of_the_worst():
    with pytest.raises(AssertionError, match=r"0 of 3 entries agree") as caught:
        gradcheck(wrong_cube, [np.array([1.0, 2.0, 3.0])], names=["side"])
    first = str(caught.value).splitlines()[3]
    assert first.startswith("side[2]") and "WRONG" in first


def test_the_report_of_a_wrong_gradient_holds_both_numbers():
    report = gradcheck(wrong_cube, np.array([2.0]), raises=False)
    (entry,) = report.entries
    assert not report and entry.analytic / entry.numeric == pytest.approx(8 / 12)
    assert entry.error < 1e-9 and entry.apart == pytest.approx(abs(entry.numeric) / 3)


def test_one_wrong_entry_among_many_is_the_first_row():
    @tf.custom_gradient
    def f(x):
        return x * 2, lambda dy: dy * np.array([2.0, 2.0, 2.0, 2.1])

    report = gradcheck(f, np.ones(4), raises=False)
    assert [e.index for e in report.entries if not e.held] == [(3,)] == [report.entries[0].index]


def test_at_a_kink_any_slope_between_the_sides_is_right_and_it_is_said():
    report = gradcheck(tf.nn.relu, np.array([1.0, 0.0, -2.0]))
    (kink,) = report.kinks
    assert kink.index == (1,) and {abs(kink.left) > 0, abs(kink.right) > 0} == {False, True}
    assert "kink: 0 from the left" in str(report) and "any slope between is right" in str(report)


def test_at_a_kink_a_slope_outside_of_both_is_wrong():
    @tf.custom_gradient
    def f(x):
        return tf.nn.relu(x), lambda dy: 3 * dy

    with pytest.raises(AssertionError, match="it is not between"):
        gradcheck(f, np.array([0.0]))


def test_a_gradient_of_none_where_the_values_change_is_a_mistake():
    with pytest.raises(tf.errors.InvalidArgumentError, match="input 'x' is None, yet the values change"):
        gradcheck(lambda x: tf.stop_gradient(x) * 2, np.array([1.0]))


class TestSecondOrder:
    def test_it_holds(self):
        report = gradcheck(lambda x: tf.nn.max_pool2d(x * x, 2, 2, "VALID"), RNG.normal(size=(1, 4, 4, 1)), order=2)
        assert report.order == 2 and len(report.entries) == 32

    def test_a_gradient_whose_own_gradient_is_wrong_is_caught(self):
        @tf.custom_gradient
        def slope(x):
            return 3 * x**2, lambda dy: dy * x

        @tf.custom_gradient
        def cube(x):
            return x**3, lambda dy: dy * slope(x)

        assert gradcheck(cube, np.array([2.0]))
        with pytest.raises(AssertionError, match="gradient of the gradient"):
            gradcheck(cube, np.array([2.0]), order=2)


class TestGraphs:
    def test_tensors_of_a_graph_are_checked_in_a_session(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float64, [None, 3], name="x")
            scale = tf1.placeholder(tf1.float64, [])
            w = tf1.Variable(RNG.normal(size=(3, 2)))
            y = tf1.nn.softmax(tf1.matmul(x, w) * scale)
            session.run(tf1.global_variables_initializer())
            report = gradcheck(y, {x: RNG.normal(size=(2, 3))}, session=session, feeds={scale: 2.0}, order=2)
        assert report.held and {e.input for e in report.entries} == {"x"} and len(report.entries) == 12

    def test_an_overridden_gradient_is_caught(self):
        @tf1.RegisterGradient("GradcheckHalf")
        def half(op, dy):
            return dy / 2

        with tf1.Graph().as_default() as graph, tf1.Session() as session:
            x = tf1.placeholder(tf1.float64, [2])
            with graph.gradient_override_map({"Identity": "GradcheckHalf"}):
                y = tf1.identity(x)
            with pytest.raises(AssertionError, match="0 of 2 entries agree"):
                gradcheck(y, {x: [1.0, 2.0]}, session=session)

    def test_a_session_is_asked_for(self):
        with tf1.Graph().as_default():
            x = tf1.placeholder(tf1.float64, [2])
            with pytest.raises(tf.errors.InvalidArgumentError, match="give session="):
                gradcheck(x * 2, {x: [1.0, 2.0]})


def test_mistakes_are_named():
    with pytest.raises(TypeError, match="no input is floating"):
        gradcheck(lambda x: x, np.array([1]))
    with pytest.raises(ValueError, match="order=3"):
        gradcheck(tf.sin, 1.0, order=3)
    with pytest.raises(ValueError, match="2 names for 1 inputs"):
        gradcheck(tf.sin, 1.0, names=["a", "b"])
    with pytest.raises(ValueError, match="is no function"):
        gradcheck(tf.constant(1.0), [1.0])


def test_only_so_many_entries_are_checked_and_a_seed_chooses_them():
    first, again = (gradcheck(tf.sin, RNG.normal(size=100), entries=5, seed=1) for _ in range(2))
    assert len(first.entries) == 5 and {e.index for e in first.entries} == {e.index for e in again.entries}


class TestVariables:
    def test_variables_that_a_function_reads_are_checked_and_keep_their_values(self):
        w = tf.Variable(RNG.normal(size=(3, 2)), name="w")
        before = w.numpy()
        f = tf.function(lambda x: tf.tanh(tf.matmul(x, w)))
        report = gradcheck(f, [RNG.normal(size=(2, 3))], variables=[w], order=2)
        assert {e.input for e in report.entries} == {"x", "w"} and len(report.entries) == 2 * 12
        np.testing.assert_array_equal(w.numpy(), before)

    def test_a_wrong_gradient_by_a_variable_is_caught_and_its_value_is_kept(self):
        w = tf.Variable(2.0, dtype=tf.float64, name="w")
        with pytest.raises(AssertionError, match=r"\nw +12 +18 .*WRONG"):
            gradcheck(lambda x: wrong_cube(w) * x, [np.array(1.5)], variables=[w])
        assert w.numpy() == 2.0

    def test_variables_of_a_graph_are_inputs_that_are_fed(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            w = tf1.Variable(np.ones(2), name="w")
            session.run(tf1.global_variables_initializer())
            assert gradcheck(w**3, {w: [1.0, 2.0]}, session=session, order=2).entries[0].input == "w"
            with pytest.raises(ValueError, match="among the inputs"):
                gradcheck(w**3, {w: [1.0, 2.0]}, session=session, variables=[w])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64", "complex128"])
def test_every_type_has_steps_and_tolerances_that_tell_right_from_wrong(dtype):
    x = tf.cast(tf.constant([0.5, 1.25, -2.0]), dtype)
    assert gradcheck(tf.tanh, x) and gradcheck(tf.exp, x)
    assert not gradcheck(wrong_cube, x, raises=False)


def test_one_number_is_weighed_by_nothing_and_several_are_said_to_be():
    report = tf.explain.gradcheck(lambda x: tf.reduce_sum(x**3), np.array([1.0, 2.0]))
    assert {e.index: e.analytic for e in report.entries} == {(0,): 3.0, (1,): 12.0}
    assert str(report).startswith("gradient: 2 of 2 entries agree")
    (bend,) = tf.explain.gradcheck(tf.nn.relu, np.array(0.0)).kinks
    assert (round(bend.left, 9), round(bend.right, 9)) == (0.0, 1.0)
    several = tf.explain.gradcheck(lambda x: x**3, np.array([1.0, 2.0]))
    assert str(several).startswith("gradient, of a weighted sum of the outputs: 2 of 2 entries agree")
