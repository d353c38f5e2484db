"""Programs on gradients of graphs and of tapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conformance.golden import BOUND, Golden, both_precisions, golden, mix

import pullback as tf
import pullback.v1 as tf1


def run(fetches: Any) -> Any:
    """Values of fetches of the default graph, its variables initialised; None stays None."""
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        if isinstance(fetches, (list, tuple)):
            return [None if f is None else session.run(f) for f in fetches]
        return session.run(fetches)


@golden("gradient_vs_jacobian")
def test_gradient_is_the_jacobian_summed(g: Golden) -> None:
    x, c = tf.constant(g.input("x")), tf.constant(g.input("c"))

    def both() -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x * c
        return y, tape.gradient(y, x), tape.jacobian(y, x)

    for way in (both, tf.function(both)):
        for name, value in zip(("y", "gradient", "jacobian"), way(), strict=True):
            g.check(name, value.numpy())


@golden("gradient_tape_basics")
def test_tape_basics(g: Golden) -> None:
    def power(x: Any, n: int) -> Any:
        out = 1
        for _ in range(n):
            out = out * x
        return out

    for base, exponent in ((3.0, 2), (4.0, 3)):
        x = tf.constant(base)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = power(x, exponent)
        g.check(f"pow_f({int(base)},{exponent})", y.numpy())
        g.check(f"pow_g({int(base)},{exponent})", tape.gradient(y, x).numpy())
    x = tf.ones((2, 2))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.reduce_sum(x)
        z = tf.multiply(y, y)
    g.check("dz_dy", tape.gradient(z, y).numpy())
    g.check("dz_dx", tape.gradient(z, x).numpy())


@golden("gradient_tape_basics")
def test_second_order_needs_both_tapes_to_watch(g: Golden) -> None:
    x = tf.constant(g.input("x"))
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        outer.watch(x)
        inner.watch(x)
        y = x * x * x
        first = inner.gradient(y, x)
    g.check("d(x^3)/dx", first.numpy())
    g.check("d2(x^3)/dx2_both_watching", outer.gradient(first, x).numpy())
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        inner.watch(x)
        first = inner.gradient(x * x * x, x)
    g.check("d2(x^3)/dx2_outer_tape_not_watching", outer.gradient(first, x))
    with pytest.raises(RuntimeError):
        outer.gradient(first, x)


@golden("gradients_grad_ys")
def test_gradients_with_cotangents(g: Golden) -> None:
    with tf1.Graph().as_default():
        w1, w2, w3, w4 = (tf1.get_variable(f"w{i}", shape=[2]) for i in range(1, 5))
        given = [tf1.convert_to_tensor(dy) for dy in g.input("grad_ys")]
        g.check("gradients", run(tf1.gradients([w1 + w2 + w3, w3 + w4], [w1, w2, w3, w4], grad_ys=given)))


@both_precisions
@golden("partial_derivative_matmul")
def test_derivative_of_a_product(g: Golden, dtype: str) -> None:
    with tf1.Graph().as_default():
        w1, w2 = tf1.Variable(g.input("w1", dtype)), tf1.Variable(g.input("w1", dtype))
        y = tf1.matmul(w1, tf1.constant(g.input("m", dtype)))
        used, unused = tf1.gradients(y, [w1, w2])
        values = run([y, used])
    for name, value in zip(("y", "grad_w1"), values, strict=True):
        g.check(name, value)
    g.check("grad_w2_not_used", unused)


@golden("partial_derivative_matmul")
def test_integers_are_carried_by_version_one_only(g: Golden) -> None:
    """The article's own program has integers; TensorFlow printed [[9,10]] to 1.12, and gives None since."""
    with tf1.Graph().as_default():
        w1 = tf1.Variable([[1, 2]])
        (dw,) = tf1.gradients(tf1.matmul(w1, [[9], [10]]), w1)
        value = run(dw)
    assert value.dtype == np.int32 and value.tolist() == [[9, 10]]
    x = tf.constant([[1, 2]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.matmul(x, tf.constant([[9], [10]]))
    assert tape.gradient(y, x) is None


@both_precisions
@golden("tf_gradients_matmul")
def test_gradients_of_a_list(g: Golden, dtype: str) -> None:
    with tf1.Graph().as_default():
        w1, w2 = tf1.Variable(g.input("w1", dtype)), tf1.Variable(g.input("w2", dtype))
        m = tf1.constant(g.input("m", dtype))
        res, res2 = tf1.matmul(w1, m), tf1.matmul(w2, m)
        cotangents = [tf1.constant(dy, dtype) for dy in g.attributes["grad_ys"]]
        zero = tf1.UnconnectedGradients.ZERO
        made = {
            "res": res,
            "grad_w1": tf1.gradients(res, [w1])[0],
            "grad_w2_unconnected": tf1.gradients(res, [w2])[0],
            "grad_w2_unconnected_zero": tf1.gradients(res, [w2], unconnected_gradients=zero)[0],
            "grads_of_list": tf1.gradients([res, res2], [w1, w2]),
            "grads_of_list_grad_ys": tf1.gradients([res, res2], [w1, w2], grad_ys=cotangents),
        }
        for name, fetch in made.items():
            g.check(name, None if fetch is None else run(fetch))


@both_precisions
@golden("tf_gradients_list_rules")
def test_rules_of_lists(g: Golden, dtype: str) -> None:
    with tf1.Graph().as_default():
        x1, x2, x3 = (tf1.constant(g.input(name, dtype)) for name in ("x1", "x2", "x3"))
        y1, y2 = x1 * x2, tf1.reduce_sum(x2 * x3)
        seeds = [tf1.constant([10.0, 100.0], dtype), tf1.constant(-1.0, dtype)]
        made = {
            "sum": tf1.gradients([y1, y2], [x1, x2, x3]),
            "y1_only": tf1.gradients(y1, [x1, x2]),
            "y2_only": tf1.gradients(y2, [x2, x3]),
            "grad_ys": tf1.gradients([y1, y2], [x1, x2, x3], grad_ys=seeds),
            "grad_ys_partly_None": tf1.gradients([y1, y2], [x1, x2, x3], grad_ys=[None, tf1.constant(2.0, dtype)]),
            "zero": tf1.gradients(y1, [x1, x3], unconnected_gradients=tf1.UnconnectedGradients.ZERO),
            "x_is_y": tf1.gradients(x1, [x1]),
            "same_y_twice": tf1.gradients([y1, y1], [x1]),
        }
        methods = {"DEFAULT": None, "ADD_N": 0, "EXPERIMENTAL_TREE": 1, "EXPERIMENTAL_ACCUMULATE_N": 2}
        y = x1 * x2 + x1 * x1 + tf1.sin(x1)
        for name, number in methods.items():
            method = None if number is None else getattr(tf1.AggregationMethod, name)
            made[f"aggregation_{name}"] = tf1.gradients(y, [x1], aggregation_method=method)
        for name, fetches in made.items():
            g.check(name, run(fetches))
        assert tf1.gradients(y1, [x3]) == [None]
        with pytest.raises(ValueError):
            tf1.gradients([y1, y2], [x1], grad_ys=[None])


@golden("stop_gradient_op")
def test_stop_gradient(g: Golden) -> None:
    with tf1.Graph().as_default():
        w1, w2 = tf1.Variable(2.0), tf1.Variable(2.0)
        b = tf1.multiply(tf1.stop_gradient(tf1.multiply(w1, 3.0)), w2)
        g.check("experiment1", run(tf1.gradients(b, xs=[w1, w2])))
    with tf1.Graph().as_default():
        a, b = tf1.Variable(1.0), tf1.Variable(1.0)
        c = tf1.add(a, b)
        e = tf1.stop_gradient(c) + c
        g.check("experiment2", run(tf1.gradients(e, xs=[a, b])))
        g.check("experiment2_e", run(e))


@golden("stop_gradients_list")
def test_partial_instead_of_total_derivative(g: Golden) -> None:
    with tf1.Graph().as_default():
        a = tf1.constant(g.input("a"))
        b = 2 * a
        c = a + b
        g.check("no_stop", run(tf1.gradients(c, [a, b])))
        g.check("stop_[a,b]", run(tf1.gradients(c, [a, b], stop_gradients=[a, b])))
        g.check("xs_[a]_stop_[b]", run(tf1.gradients(c, [a], stop_gradients=[b])))
        g.check("stop_[c]", run(tf1.gradients(c, [a, b], stop_gradients=[c])))
        g.check("stop_[a]", run(tf1.gradients(c, [a, b], stop_gradients=[a])))


@both_precisions
@golden("straight_through", "v1:round", "v1:tanh")
def test_straight_through(g: Golden, dtype: str) -> None:
    """Forward one function, backward another's derivative."""
    with tf1.Graph().as_default():
        x, dy = tf1.constant(g.input("x", dtype)), tf1.constant(g.input("grad_ys", dtype))
        rounded = x + tf1.stop_gradient(tf1.round(x) - x)
        t = tf1.tanh(x)
        signed = t + tf1.stop_gradient(tf1.sign(x) - t)
        for name, y in (("round_ste", rounded), ("sign_forward_tanh_backward", signed)):
            g.check(name, run(y))
            g.check(f"{name}_grad", run(tf1.gradients(y, x, grad_ys=dy)[0]))
        g.check("plain_round_grad", tf1.gradients(tf1.round(x), x)[0])


@golden("manual_update_and_accumulation")
def test_gradients_do_not_pile_up(g: Golden) -> None:
    with tf1.Graph().as_default():
        w = tf1.Variable(g.input("w"))
        (dw,) = tf1.gradients(tf1.reduce_mean(w), w)
        update = w.assign_sub(g.attributes["lr"] * dw)
        with tf1.Session() as session:
            session.run(w.initializer)
            g.check("grad_of_mean", session.run(dw))
            g.check("grad_asked_again", session.run(dw))
            g.check("grad_of_nonscalar_w_times_w", session.run(tf1.gradients(w * w, w)[0]))
            session.run(update)
            g.check("w_after_manual_update", session.run(w))


@both_precisions
@golden("derivatives_sin_squared")
def test_three_derivatives_of_sin_squared(g: Golden, dtype: str) -> None:
    def derivative(f: Any) -> Any:
        def df(x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = f(x)
            return tape.gradient(y, x)

        return df

    x = tf.constant(g.input(f"x_{dtype}"))
    f = lambda x: tf.square(tf.sin(x))  # noqa: E731
    for name in ("f", "d1", "d2", "d3"):
        g.check(name, f(x).numpy())
        f = derivative(f)


@golden("reverse_autodiff_walk")
def test_walk_of_a_small_function(g: Golden) -> None:
    """Values first, then partial derivatives, last node first."""
    n1, n2 = tf.constant(g.input("x")), tf.constant(g.input("y"))
    n3 = tf.constant(2.0, tf.float64)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([n1, n2, n3])
        n4 = n1 * n1
        n5 = n4 * n2
        n6 = n2 + n3
        n7 = n5 + n6
    nodes = [n1, n2, n3, n4, n5, n6, n7]
    g.check("values_n1_to_n7", np.array([n.numpy() for n in nodes]))
    g.check("df_dn1_to_n7", np.array([d.numpy() for d in tape.gradient(n7, nodes)]))
    g.check("f", n7.numpy())
    for name, n in (("df_dx", n1), ("df_dy", n2)):
        g.check(name, tape.gradient(n7, n).numpy())


@golden("fully_connected_backprop")
def test_fully_connected_by_hand_and_by_tape(g: Golden) -> None:
    names = ("x", "W1", "b1", "W2", "b2", "target")
    x, w1, b1, w2, b2, t = (tf.constant(g.input(name)) for name in names)
    with tf.GradientTape() as tape:
        tape.watch([x, w1, b1, w2, b2])
        z1 = tf.matmul(x, w1) + b1
        a1 = tf.sigmoid(z1)
        z2 = tf.matmul(a1, w2) + b2
        a2 = tf.sigmoid(z2)
        cost = tf.reduce_sum(tf.square(a2 - t)) / 2
    sources = {"dx": x, "dW1": w1, "db1": b1, "dW2": w2, "db2": b2, "delta1": z1, "delta2": z2, "da1": a1}
    grads = dict(zip(sources, tape.gradient(cost, list(sources.values())), strict=True))
    for name, value in {**grads, "z1": z1, "a1": a1, "z2": z2, "a2": a2, "C": cost}.items():
        g.check(name, value.numpy())
    delta2 = grads["delta2"]
    g.check("dW2", tf.matmul(a1, delta2, transpose_a=True).numpy())
    g.check("delta1", (tf.matmul(delta2, w2, transpose_b=True) * a1 * (1 - a1)).numpy())


@both_precisions
@golden("viewing_gradients", "v1:train.GradientDescentOptimizer")
def test_gradients_vanish_and_explode(g: Golden, dtype: str) -> None:
    acts = {"vanishing_sigmoid": tf1.sigmoid, "exploding_linear": lambda h: h, "tanh": tf1.tanh}
    for name, act in acts.items():
        scale = g.attributes["scales"][name]
        with tf1.Graph().as_default():
            h = tf1.constant(g.input("x", dtype))
            layers = [tf1.Variable((mix(16, 30 + i).reshape(4, 4) * scale).astype(dtype)) for i in range(8)]
            for w in layers:
                h = act(tf1.matmul(h, w))
            loss = tf1.reduce_mean(tf1.square(h - 1))
            pairs = tf1.train.GradientDescentOptimizer(0.1).compute_gradients(loss)
            assert [v for _, v in pairs] == layers
            grads, value = run([gradient for gradient, _ in pairs]), run(loss)
            same = run(tf1.gradients(loss, layers))
        norms = np.array([np.sqrt(np.sum(np.square(d.astype(np.float64)))) for d in grads])
        g.check(f"{name}_grad_norms", norms, 10 * BOUND[dtype])
        g.check(f"{name}_loss", value)
        assert all(np.array_equal(a, b) for a, b in zip(grads, same, strict=True))
