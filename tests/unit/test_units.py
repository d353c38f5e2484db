"""Cotangents that are unit vectors: what rooms say they become is what becomes of each of them."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as tf
from pullback.core import interpreter
from pullback.core.op import REGISTRY
from pullback.core.tensor import Node
from pullback.ops.math.elementwise import Elementwise
from pullback.ops.nn.conv import units as of_convolutions
from pullback.transforms.units import Units

LAID_OUT = [
    ("Conv2DBackpropInput", 2),
    ("Conv2DBackpropFilter", 2),
    ("Conv3DBackpropInputV2", 2),
    ("Conv3DBackpropFilterV2", 2),
]
LINEAR = ["Mul", "RealDiv", "Neg", "TanhGrad", "SigmoidGrad", "SqrtGrad", "RsqrtGrad", "ReciprocalGrad", "ReluGrad"]


@pytest.fixture(autouse=True)
def lay_out_small_ones(monkeypatch):
    monkeypatch.setattr(of_convolutions, "FEW", 0)


def samples(name):
    found = REGISTRY[name].samples(np.random.default_rng(0))
    return [s for s in found if all(isinstance(a, tuple) or np.asarray(a).dtype != np.float32 for a in s.args)]


def one_by_one(op, arguments, at):
    """What the op makes of each unit vector in place of argument `at`."""
    x = np.asarray(arguments[at])
    eye = np.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)
    return np.stack([np.asarray(op(*[e if i == at else a for i, a in enumerate(arguments)])) for e in eye])


def through(op, arguments, at):
    """The same, all at once: a tensor, or None where the room does not say."""
    given = [interpreter.as_tensor(a) for a in arguments]
    node = Node(op, tuple(given), (interpreter.as_tensor(op(*arguments)),))
    made = Units(given[at].spec).through(node, at, given)
    return made.dense() if isinstance(made, Units) else made


@pytest.mark.parametrize(("name", "at"), LAID_OUT)
def test_a_convolution_lays_out_what_it_would_compute(name, at):
    said = 0
    for sample in samples(name):
        if np.asarray(sample.args[at]).dtype != np.float64 or not np.asarray(sample.args[at]).size:
            continue
        made = through(sample.op, sample.args, at)
        if made is not None:
            said += 1
            assert np.allclose(made, one_by_one(sample.op, sample.args, at), atol=1e-12), sample.op
    assert said >= 4


@pytest.mark.parametrize("name", LINEAR)
def test_what_works_entry_by_entry_scales(name):
    cls = REGISTRY[name]
    assert issubclass(cls, Elementwise) and cls.linear
    for sample in samples(name):
        shapes = {np.shape(a) for a in sample.args}
        if len(shapes) != 1 or not np.size(sample.args[0]) or np.asarray(sample.args[0]).dtype != np.float64:
            continue
        for at in cls.linear:
            assert np.allclose(through(sample.op, sample.args, at), one_by_one(sample.op, sample.args, at)), sample.op


def rows_of(y, x, tape):
    """The Jacobian, entry by entry of y."""
    eye = np.eye(int(np.prod(y.shape)))
    return np.stack([tape.gradient(y, x, e.reshape(y.shape)).numpy() for e in eye]).reshape(*y.shape, *x.shape)


ACTIVATIONS = {
    "linear": lambda y: y,
    "relu": tf.nn.relu,
    "tanh, scaled": lambda y: 3.0 * tf.tanh(y) + 1.0,
    "flat": lambda y: tf.reshape(tf.square(y), [-1]),
    "summed": lambda y: tf.reduce_sum(y, axis=2),
    "two uses": lambda y: y * tf.sigmoid(y),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("fields", [(1, "SAME", 1), (2, "VALID", 1), (1, "SAME", 2)], ids=str)
def test_jacobians_of_a_convolution(activation, fields):
    strides, padding, dilations = fields
    rng = np.random.default_rng(0)
    x, w = tf.constant(rng.normal(size=(2, 5, 4, 2))), tf.constant(rng.normal(size=(3, 2, 2, 2)))

    def traced(tape):
        tape.watch([x, w])
        return ACTIVATIONS[activation](tf.nn.conv2d(x, w, strides, padding, dilations=dilations))

    def jacobians():
        with tf.GradientTape() as tape:
            y = traced(tape)
        return tape.jacobian(y, [x, w])

    with tf.GradientTape(persistent=True) as tape:
        y = traced(tape)
        pulled = [rows_of(y, v, tape) for v in (x, w)]
    for found in (jacobians(), tf.function(jacobians)()):
        for ours, theirs in zip(found, pulled, strict=True):
            assert np.allclose(ours, theirs, atol=1e-10)


def test_the_derivative_of_a_jacobian():
    """By the filter, of the sum of squares of the Jacobian by the image: 2 w for each place where an entry stands."""
    x, w = tf.ones([1, 4, 4, 1], tf.float64), tf.constant(np.arange(1.0, 10.0).reshape(3, 3, 1, 1))
    with tf.GradientTape() as outer:
        outer.watch(w)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.nn.conv2d(x, w, 1, "VALID")
        loss = tf.reduce_sum(tf.square(inner.jacobian(y, x)))
    assert np.allclose(outer.gradient(loss, w), 2 * w * 4)


def test_units_that_nothing_is_done_with_are_the_identity():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.reshape(tf.identity(x), [4])
    assert np.array_equal(tape.jacobian(y, x), np.eye(4).reshape(4, 2, 2))
