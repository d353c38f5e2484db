"""Updates of a variable's rows and parts, as methods and by TensorFlow 1's names, against a loop over the indices."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1

START = np.array([[4.0, -6.0], [8.0, 2.0], [-3.0, 5.0]], "f4")
AT = np.array([2, 0, 2])
BY = np.array([[2.0, -1.0], [0.5, 4.0], [-4.0, 8.0]], "f4")
HOW = {
    "update": lambda a, b: b,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "min": np.minimum,
    "max": np.maximum,
}


def looped(what, start=START, by=BY):
    new = start.copy()
    for i, b in zip(AT, by, strict=True):
        new[i] = HOW[what](new[i], b)
    return new


@pytest.mark.parametrize("what", HOW)
def test_rows_by_methods(what):
    v = tf.Variable(START)
    made = getattr(v, f"scatter_{what}")(tf.IndexedSlices(tf.constant(BY), tf.constant(AT)))
    assert np.array_equal(v.numpy(), looped(what)) and made is v


@pytest.mark.parametrize("what", HOW)
def test_rows_in_a_session(what):
    with tf1.Graph().as_default(), tf1.Session() as session:
        v = tf1.Variable(START)
        done = getattr(tf1, f"scatter_{what}")(v, AT, BY, name="done")
        session.run(v.initializer)
        assert done.op.name == "done" and np.array_equal(session.run(done), looped(what))
        assert np.array_equal(session.run(v), looped(what))


@pytest.mark.parametrize("what", ["update", "add", "sub"])
def test_parts(what):
    places, by = np.array([[2, 1], [0, 0], [2, 0]]), np.array([7.0, 8.0, 9.0], "f4")
    expected = START.copy()
    for at, b in zip(places, by, strict=True):
        expected[tuple(at)] = HOW[what](expected[tuple(at)], b)
    v = tf.Variable(START)
    getattr(v, f"scatter_nd_{what}")(places, by)
    assert np.array_equal(v.numpy(), expected)
    assert np.array_equal(v.gather_nd(places).numpy(), [expected[tuple(at)] for at in places])
    with tf1.Graph().as_default(), tf1.Session() as session:
        u = tf1.Variable(START)
        done = getattr(tf1, f"scatter_nd_{what}")(u, places, by)
        session.run(u.initializer)
        assert np.array_equal(session.run(done), expected)


def test_integers_are_divided_towards_zero():
    v = tf.Variable([7, -7, 9])
    v.scatter_div(tf.IndexedSlices(tf.constant([2, 2]), tf.constant([0, 1])))
    assert v.numpy().tolist() == [3, -3, 9]
    with pytest.raises(tf.errors.InvalidArgumentError, match="division by zero"):
        v.scatter_div(tf.IndexedSlices(tf.constant([0]), tf.constant([2])))
    assert v.numpy().tolist() == [3, -3, 9]


def test_complaints():
    v = tf.Variable(START)
    with pytest.raises(TypeError, match="must be IndexedSlices"):
        v.scatter_add(tf.constant(BY))
    with pytest.raises(ValueError, match=r"must be in \[0, 3\)"):
        v.scatter_max(tf.IndexedSlices(tf.constant(BY[:1]), tf.constant([3])))
    with pytest.raises(ValueError, match=r"ScatterMul: updates have shape \[1,3\], but must have \[1,2\]"):
        v.scatter_mul(tf.IndexedSlices(tf.ones([1, 3]), tf.constant([0])))
    assert np.array_equal(v.numpy(), START)
