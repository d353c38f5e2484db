"""Forward mode: against finite differences, against reverse mode, and nested with itself and with tapes."""

import numpy as np
import pytest

import pullback as tf

ForwardAccumulator = tf.autodiff.ForwardAccumulator
rng = np.random.default_rng(0)
X, V, W = rng.normal(size=(2, 5, 5, 3)), rng.normal(size=(2, 5, 5, 3)), rng.normal(size=(3, 3, 3, 4))
w = tf.constant(W)


def convolved(x):
    return tf.nn.max_pool2d(tf.tanh(tf.nn.conv2d(x, w, 1, "SAME")), 2, 2, "VALID")


def normalised(x):
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return (x - mean) / tf.sqrt(variance + 0.1)


def sliced(x):
    return tf.concat([x[:, ::2] ** 2, tf.gather(x, [0, 2, 2], axis=1)], 1)


def looped(x):
    return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x + tf.sin(a)), (0, x))[1]


def branched(x):
    return tf.cond(tf.reduce_sum(x) > 0.0, lambda: x * x, lambda: tf.exp(x))


def scanned(x):
    return tf.scan(lambda a, e: a * e + tf.cos(a), tf.transpose(x, [1, 0, 2, 3]))


@pytest.mark.parametrize("f", [convolved, normalised, sliced, looped, branched, scanned])
@pytest.mark.parametrize("mode", ["eager", "around a function", "inside a function"])
def test_a_tangent_is_the_derivative_along_the_direction(f, mode):
    run = tf.function(f) if mode == "around a function" else f

    def forward(x, v):
        with ForwardAccumulator(x, v) as accumulator:
            y = run(x)
        return y, accumulator.jvp(y)

    forward = tf.function(forward) if mode == "inside a function" else forward
    y, tangent = forward(tf.constant(X), tf.constant(V))
    step = 1e-6
    more, less = f(tf.constant(X + step * V)), f(tf.constant(X - step * V))
    assert (tangent.dtype, tangent.shape) == (y.dtype, y.shape)
    np.testing.assert_allclose(tangent, (more - less) / (2 * step), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("f", [convolved, normalised, sliced, looped, branched, scanned])
@pytest.mark.parametrize("mode", [lambda f: f, tf.function], ids=["eager", "function"])
def test_all_four_second_orders_agree(f, mode):
    """v . H . v of sum f(x)^2, by forward and reverse mode in both orders."""

    def loss(x):
        return tf.reduce_sum(f(x) ** 2)

    def reverse_reverse(x, v):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = loss(x)
            along = tf.reduce_sum(inner.gradient(y, x) * v)
        return tf.reduce_sum(outer.gradient(along, x) * v)

    def forward_reverse(x, v):
        with ForwardAccumulator(x, v) as accumulator:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = loss(x)
            dx = tape.gradient(y, x)
        return tf.reduce_sum(accumulator.jvp(dx) * v)

    def reverse_forward(x, v):
        with tf.GradientTape() as tape:
            tape.watch(x)
            with ForwardAccumulator(x, v) as accumulator:
                y = loss(x)
            along = accumulator.jvp(y)
        return tf.reduce_sum(tape.gradient(along, x) * v)

    def forward_forward(x, v):
        with ForwardAccumulator(x, v) as outer:
            with ForwardAccumulator(x, v) as inner:
                y = loss(x)
            along = inner.jvp(y)
        return outer.jvp(along)

    x, v = tf.constant(X), tf.constant(V)
    wanted = float(reverse_reverse(x, v))
    for way in (forward_reverse, reverse_forward, forward_forward):
        np.testing.assert_allclose(float(mode(way)(x, v)), wanted, rtol=1e-9, err_msg=way.__name__)


def test_third_order_of_a_cube():
    x, one = tf.constant(2.0), tf.constant(1.0)
    with ForwardAccumulator(x, one) as a, ForwardAccumulator(x, one) as b, ForwardAccumulator(x, one) as c:
        y = x * x * x
        first = c.jvp(y)
        second = b.jvp(first)
        third = a.jvp(second)
    assert [float(t) for t in (y, first, second, third)] == [8.0, 12.0, 12.0, 6.0]


def test_variables_are_primals():
    v = tf.Variable([1.0, 2.0])
    with ForwardAccumulator(v, tf.constant([1.0, 0.0])) as accumulator:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(v**3) * v[1]
        dv = tape.gradient(y, v)
    assert dv.numpy().tolist() == [6.0, 33.0]
    assert accumulator.jvp(dv).numpy().tolist() == [12.0, 3.0]
    assert float(accumulator.jvp(y)) == 6.0


def test_nests_and_what_does_not_hang_on_the_primals():
    x, y = tf.constant(2.0), tf.constant([3.0, 4.0])
    with ForwardAccumulator({"x": x, "y": y}, {"x": tf.constant(1.0), "y": tf.constant([0.0, 2.0])}) as accumulator:
        z = [x * y, tf.stop_gradient(x), tf.constant([1.0]), tf.argmax(y)]
    tangents = accumulator.jvp(z)
    assert tangents[0].numpy().tolist() == [3.0, 8.0]
    assert tangents[1:] == [None, None, None]
    assert accumulator.jvp(z[2], unconnected_gradients=tf.UnconnectedGradients.ZERO).numpy().tolist() == [0.0]
    assert accumulator.jvp(x * 2.0) is None  # computed outside of the context


def test_a_rule_of_ones_own_is_followed():
    @tf.custom_gradient
    def doubled(x):
        return x * x, lambda dy: dy * 10.0

    x = tf.constant(3.0)
    with ForwardAccumulator(x, tf.constant(1.0)) as accumulator:
        y = doubled(x)
    assert float(accumulator.jvp(y)) == 10.0


def test_an_op_may_say_its_tangents_itself(monkeypatch):
    from pullback.core.op import REGISTRY

    monkeypatch.setattr(REGISTRY["Neg"], "jvp", lambda op, node, t: (-2.0 * t,), raising=False)
    x = tf.constant(3.0)
    with ForwardAccumulator(x, tf.constant(1.0)) as accumulator:
        y = -(x * x)
    assert float(accumulator.jvp(y)) == -12.0


def test_what_is_dropped_is_forgotten():
    x = y = tf.constant(1.0)
    with ForwardAccumulator(x, tf.constant(1.0)) as accumulator:
        for _ in range(50):
            y = tf.sin(y)
    assert len(accumulator._tangents) == 2


def test_mistakes_are_named():
    x = tf.constant([1.0, 2.0])
    with pytest.raises(ValueError, match="1 tangents for 2 primals"):
        ForwardAccumulator([x, x], [x])
    with pytest.raises(ValueError, match="twice"):
        ForwardAccumulator([x, x], [x, x])
    with pytest.raises(ValueError, match=r"\[3\] does not fit a primal of shape \[2\]"):
        ForwardAccumulator(x, tf.constant([1.0, 2.0, 3.0]))
    with pytest.raises(TypeError, match="float64"):
        ForwardAccumulator(x, tf.constant([1.0, 2.0], tf.float64))
    with pytest.raises(TypeError, match="int32"):
        ForwardAccumulator(tf.constant(1), tf.constant(1))
    with ForwardAccumulator(x, x) as accumulator, pytest.raises(ValueError, match="already recording"):
        accumulator.__enter__()
