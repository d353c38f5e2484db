"""Programs with gradients of their own."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from conformance.golden import Golden, both_precisions, golden

import pullback.v1 as tf1
from pullback.core.op import REGISTRY

OVERRIDES = ("v1:RegisterGradient", "v1:sign")


def registered(name: str, rule: Any) -> None:
    """Registers a rule once a process, as a program would."""
    with contextlib.suppress(KeyError):
        tf1.RegisterGradient(name)(rule)


def hard_tanh_rule(op: Any, grad: Any) -> Any:
    x = op.inputs[0]
    inside = tf1.logical_and(tf1.less_equal(x, 1.0), tf1.greater_equal(x, -1.0))
    return grad * tf1.cast(inside, grad.dtype)


def reversal_rule(op: Any, grad: Any) -> Any:
    return -0.3 * grad


@both_precisions
@golden("sign_hard_tanh_override", *OVERRIDES)
def test_sign_with_the_gradient_of_hard_tanh(g: Golden, dtype: str) -> None:
    registered("QuantizeGrad", hard_tanh_rule)
    graph = tf1.Graph()
    with graph.as_default(), tf1.Session() as session:
        x, dy = tf1.constant(g.input("x", dtype)), tf1.constant(g.input("grad_ys", dtype))
        with graph.gradient_override_map({"Sign": "QuantizeGrad"}):
            y = tf1.sign(x)
        plain = tf1.sign(x)
        assert y.op.get_attr("_gradient_op_type") == b"QuantizeGrad"
        fetches = [y, tf1.gradients(y, x, grad_ys=dy)[0], tf1.gradients(plain, x, grad_ys=dy)[0]]
        values = session.run(fetches)
    for name, value in zip(("sign", "gradient_override", "gradient_plain_sign"), values, strict=True):
        g.check(name, value)


@golden("sign_hard_tanh_override", *OVERRIDES)
def test_names_of_rules_are_taken_once_and_looked_up_late(g: Golden) -> None:
    registered("TakenOnce", reversal_rule)
    with pytest.raises(KeyError):
        tf1.RegisterGradient("TakenOnce")(reversal_rule)
    graph = tf1.Graph()
    with graph.as_default():
        x = tf1.constant(g.input("x"))
        with graph.gradient_override_map({"Sign": "NobodyRegisteredThis"}):
            y = tf1.sign(x)
        with pytest.raises(LookupError):
            tf1.gradients(y, x)


@both_precisions
@golden("custom_gradient_two_ways", *OVERRIDES, "v1:custom_gradient")
def test_two_ways_and_a_third(g: Golden, dtype: str) -> None:
    registered("QuantizeGrad", hard_tanh_rule)
    registered("Reversal", reversal_rule)
    graph = tf1.Graph()

    @tf1.custom_gradient
    def reversed_identity(x: Any) -> Any:
        return tf1.identity(x), lambda dy: -0.3 * dy

    with graph.as_default(), tf1.Session() as session:
        x, dy = tf1.constant(g.input("x", dtype)), tf1.constant(g.input("grad_ys", dtype))
        with graph.gradient_override_map({"Sign": "QuantizeGrad", "Identity": "Reversal"}):
            overridden, reversed_by_override = tf1.sign(x), tf1.identity(x)
        hard = tf1.clip_by_value(x, -1.0, 1.0)
        way = -0.3 * x
        made = {
            "sign_override": overridden,
            "sign_stop_gradient": hard + tf1.stop_gradient(tf1.sign(x) - hard),
            "reversal_override_identity": reversed_by_override,
            "reversal_stop_gradient": way + tf1.stop_gradient(x - way),
            "reversal_custom_gradient": reversed_identity(x),
        }
        for name, y in made.items():
            g.check(name, session.run(y))
            g.check(f"{name}_grad", session.run(tf1.gradients(y, x, grad_ys=dy)[0]))


@golden("registered_gradient_functions")
def test_each_operation_has_its_derivative(g: Golden) -> None:
    """A rule is called with (op, grad): op has .inputs and .outputs."""
    with tf1.Graph().as_default(), tf1.Session() as session:
        x, dy = tf1.constant(g.input("x")), tf1.constant(g.input("grad"))
        for name in g.data["outputs"]:
            node = REGISTRY[name]()(x).op
            assert node.type == name and list(node.inputs) == [x]
            made = node.op.grad(node, dy)
            (dx,) = made if isinstance(made, tuple) else (made,)
            g.check(name, session.run(dx))
            g.check(name, session.run(tf1.gradients(node.outputs, x, grad_ys=[dy])[0]))
