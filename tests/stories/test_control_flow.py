"""Gradients through branches in loops in functions, of every order, against finite differences."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1

w = tf.Variable(0.7, dtype=tf.float64)


def powers(x):
    return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x * w), (0, x * 1.0))[1]


def loop_in_loop(x):
    inner = lambda a: tf.while_loop(lambda j, b: j < 2, lambda j, b: (j + 1, b * w + x), (0, a))[1]  # noqa: E731
    return tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, inner(a)), (0, x * x))[1]


def branch_in_loop(x):
    step = lambda a: tf.cond(a > 0.5, lambda: a * w, lambda: a * a + x)  # noqa: E731
    return tf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, step(a)), (0, x * 1.0))[1]


def loop_in_branch(x):
    return tf.cond(x > 0.1, lambda: powers(x), lambda: x * w)


def everything(x):
    def step(i, a):
        grown = lambda: tf.while_loop(lambda j, b: j < 2, lambda j, b: (j + 1, b + w * x), (0, a))[1]  # noqa: E731
        return i + 1, tf.cond(a > 0.5, lambda: a * w, grown)

    return tf.while_loop(lambda i, a: i < 5, step, (0, x * 1.0))[1]


def mapped(x):
    return tf.reduce_sum(tf.map_fn(lambda e: tf.cond(e > 0.0, lambda: e * w * x, lambda: x * x), tf.stack([x, -x])))


@pytest.mark.parametrize("f", [powers, loop_in_loop, branch_in_loop, loop_in_branch, everything, mapped])
@pytest.mark.parametrize("mode", ["eager", "function", "session"])
def test_first_and_second_derivatives(f, mode):
    def derivatives(x, value):
        """y and its five first and second derivatives."""
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = f(x)
            dx, dw = inner.gradient(y, [x, value])
        second = [outer.gradient(dx, x), outer.gradient(dx, value), outer.gradient(dw, value)]
        return [y, dx, dw, *[tf.zeros_like(x) if d is None else d for d in second]]

    if mode == "session":
        global w
        before = w
        with v1.Graph().as_default(), v1.Session() as session:
            w = v1.Variable(0.7, dtype=tf.float64)
            x = v1.placeholder(tf.float64, [])
            y = f(x)
            dx, dw = v1.gradients(y, [x, w])
            rows = [*v1.gradients(dx, [x, w]), v1.gradients(dw, w)[0]]
            fetches = [y, dx, dw, *[v1.zeros_like(x) if d is None else d for d in rows]]
            session.run(v1.global_variables_initializer())

            def at(value, weight):
                w.load(weight, session)
                return session.run(fetches, {x: value})

            try:
                check(at)
            finally:
                w = before
        return
    run = tf.function(lambda x: derivatives(x, w)) if mode == "function" else lambda x: derivatives(x, w)

    def at(value, weight):
        w.assign(weight)
        return [float(t) for t in run(tf.constant(value, tf.float64))]

    check(at)


def check(at, x=0.9, weight=0.7, step=1e-5):
    _, dx, dw, dxx, dxw, dww = at(x, weight)

    def slope(which, along_x):
        more = at(x + step, weight) if along_x else at(x, weight + step)
        less = at(x - step, weight) if along_x else at(x, weight - step)
        return (more[which] - less[which]) / (2 * step)

    numeric = [slope(0, True), slope(0, False), slope(1, True), slope(1, False), slope(2, False)]
    np.testing.assert_allclose([dx, dw, dxx, dxw, dww], numeric, rtol=1e-7, atol=1e-8)


def test_a_jacobian_through_a_loop():
    @tf.function
    def cubes(x):
        return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x), (0, tf.ones_like(x)))[1]

    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = cubes(x)
    np.testing.assert_array_equal(tape.jacobian(y, x), np.diag([3.0, 12.0, 27.0]))


def test_only_the_branch_taken_has_its_effects():
    v = tf.Variable(0.0)

    @tf.function
    def f(p):
        tf.cond(p, lambda: v.assign_add(1.0), lambda: v.assign_add(100.0))
        return v.read_value()

    assert [f(tf.constant(p)).numpy() for p in (True, False)] == [1.0, 101.0]


def test_a_variable_read_only_inside_a_loop_is_watched():
    v = tf.Variable(2.0)

    @tf.function
    def f(x):
        return tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a * v), (0, x))[1]

    with tf.GradientTape() as tape:
        y = f(tf.constant(3.0))
    assert [x is v for x in tape.watched_variables()] == [True]
    assert tape.gradient(y, v).numpy() == 12.0


def test_loops_say_what_does_not_fit():
    with v1.Graph().as_default():
        x = v1.placeholder(v1.float32, [2])
        with pytest.raises(ValueError, match=r"loop variable 1 .*\[2\].*\[4\].*shape_invariants.*test_control_flow"):
            v1.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, v1.concat([a, a], 0)), (0, x))
        grown = v1.while_loop(
            lambda i, a: i < 2,
            lambda i, a: (i + 1, v1.concat([a, a], 0)),
            (0, x),
            shape_invariants=(v1.TensorShape([]), v1.TensorShape([None])),
        )[1]
        with v1.Session() as session:
            value, gradient = session.run([grown, v1.gradients(grown, x)[0]], {x: [1, 2]})
        assert (value.shape, gradient.tolist()) == ((8,), [4.0, 4.0])
        with pytest.raises(TypeError, match="loop variable 0 enters as int32 but body returns float32"):
            v1.while_loop(lambda i: i < 2, lambda i: v1.cast(i, v1.float32), [0])
        with pytest.raises(ValueError, match="returns 1 tensors for 2"):
            v1.while_loop(lambda i, a: i < 2, lambda i, a: i, (0, x))
        with pytest.raises(TypeError, match="branches give float32 and int32"):
            v1.cond(v1.constant(True), lambda: 1.0, lambda: 1)
