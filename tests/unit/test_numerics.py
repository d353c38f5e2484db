"""check_numerics: the first op that makes NaN or infinity, by name, with its inputs and the user's line."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.core import interpreter
from pullback.explain.checks.numerics import NumericsError, check_numerics


def line_of(f, offset):
    """ "test_numerics.py:12" of the line so far below the function's first."""
    return f"test_numerics.py:{f.__code__.co_firstlineno + offset}"


def caught(f):
    with pytest.raises(NumericsError) as found, check_numerics():
        f()
    return found.value


def test_an_eager_op_is_named_with_its_inputs_and_the_users_line():
    def f():
        y = tf.constant([1.0, -2.0, 0.0]) * 2
        return tf.math.log(y)

    error = caught(f)
    assert error.type == "Log" and error.backward == ""
    text = str(error)
    assert "Log made 1 NaN and 1 infinite among 3 values of float32 [3]" in text and line_of(f, 2) in text
    assert "input 0: float32 [3], min -4, max 2" in text
    assert error.inputs[0].least == -4


def test_a_gradient_of_a_tape_says_of_which_op():
    def f():
        x = tf.constant([1.0, 0.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.sqrt(x)
        return tape.gradient(y, x)

    error = caught(f)
    assert error.type == "SqrtGrad" and "Sqrt" in error.backward and line_of(f, 5) in str(error)


def test_inside_a_function_the_line_of_the_op_is_named_and_its_backward_body_too():
    @tf.function
    def f(x):
        a = x - 1.0
        return tf.reduce_sum(tf.sqrt(a))

    assert line_of(f.python_function, 3) in str(caught(lambda: f(tf.constant([0.0]))))

    def backward():
        x = tf.constant([2.0, 1.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        tape.gradient(y, x)

    error = caught(backward)
    assert error.type == "SqrtGrad" and error.backward == f"Sqrt 'Sqrt' of {line_of(f.python_function, 3)}"


class TestSessions:
    def test_forward_and_backward_are_told_apart(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float32, [None], name="x")
            with tf1.name_scope("loss"):
                y = tf1.reduce_sum(tf1.sqrt(x))
            (dx,) = tf1.gradients(y, x)
            forward = caught(lambda: session.run(y, {x: [-1.0]}))
            assert (forward.name, forward.backward) == ("loss/Sqrt", "")
            assert "input 0 'x:0': float32 [1], min -1" in str(forward)
            backward = caught(lambda: session.run(dx, {x: [0.0]}))
            assert backward.name == "gradients/loss/Sqrt_grad/SqrtGrad"
            assert backward.backward.startswith("Sqrt 'loss/Sqrt' of test_numerics.py:")
            with check_numerics():
                assert session.run(y, {x: [1.0, 4.0]}) == 3.0
            assert np.isnan(session.run(y, {x: [-1.0]})), "outside nothing is checked"

    def test_what_was_fed_or_stored_so_is_said(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float32, [None], name="x")
            assert "input 0 held some already" in str(caught(lambda: session.run(2.0 * x + 1, {x: [np.nan]}))).replace(
                "input 1", "input 0"
            )

    def test_loops_and_branches_are_looked_into(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float32, [])
            y = tf1.while_loop(lambda v: v < 9.0, lambda v: v / (v - 2.0) + 3.0, [x])
            assert caught(lambda: session.run(y, {x: 2.0})).type == "RealDiv"

    def test_add_check_numerics_ops_checks_all_floats_so_far(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float32, [None], name="x")
            with tf1.name_scope("a"):
                y = tf1.sqrt(x)
            check = tf1.add_check_numerics_ops()
            session.run([y, check], {x: [1.0]})
            with pytest.raises(tf.errors.InvalidArgumentError, match="a/Sqrt:0 : Tensor had NaN values"):
                session.run([y, check], {x: [-1.0]})

    def test_verify_tensor_all_finite_takes_both_spellings(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float32, [])
            for y in (tf1.verify_tensor_all_finite(x, "bad"), tf1.debugging.assert_all_finite(x=x, message="bad")):
                assert session.run(y, {x: 2.0}) == 2.0
                with pytest.raises(tf.errors.InvalidArgumentError, match="bad : Tensor had Inf values"):
                    session.run(y, {x: np.inf})
            with pytest.raises(ValueError, match="exactly one of t and x"):
                tf1.verify_tensor_all_finite(x, "bad", x=x)


def test_enabled_it_holds_until_it_is_disabled():
    tf.debugging.enable_check_numerics()
    try:
        tf.debugging.enable_check_numerics()
        with pytest.raises(tf.errors.InvalidArgumentError, match="RealDiv made 1 infinite"):
            tf.constant(1.0) / tf.constant(0.0)
    finally:
        tf.debugging.disable_check_numerics()
    assert np.isinf((tf.constant(1.0) / tf.constant(0.0)).numpy())
    tf.debugging.disable_check_numerics()
    assert interpreter.eager().tapes == ()


def test_the_list_of_frames_and_the_length_of_paths_are_chosen():
    def inner():
        return tf.math.log(tf.constant(-1.0))

    with pytest.raises(NumericsError) as found, check_numerics(stack_height_limit=1, path_length_limit=12):
        inner()
    (frame,) = str(found.value).partition("called from\n")[2].splitlines()
    assert frame.split(":")[0].strip() == "...numerics.py"[:3] + "_numerics.py" and frame.endswith("in inner")


def test_the_checked_cotangent_of_check_numerics_raises_with_its_message():
    x = tf.constant([0.0, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sqrt(tf.debugging.check_numerics(x, "input"))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"detected in gradient\. input : Tensor had Inf"):
        tape.gradient(y, x)
    assert tf.debugging.assert_all_finite(x, "fine") is not None
