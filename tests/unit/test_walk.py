"""The walk: every number of the chain rule, against the golden and by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.hearing import explain

GOLDENS = Path(__file__).resolve().parents[2].parent / "shared" / "goldens"

FIRST = [
    "n1 = x = 3",
    "n2 = y = 4",
    "n3 = 2",
    "n4 = n1 * n1 = 3 * 3 = 9",
    "n5 = n4 * n2 = 9 * 4 = 36",
    "n6 = n2 + n3 = 4 + 2 = 6",
    "n7 = n5 + n6 = 36 + 6 = 42",
]
SECOND = [
    "df/dn7 = 1",
    "df/dn6 = df/dn7 * dn7/dn6 = 1 * 1 = 1",
    "df/dn5 = df/dn7 * dn7/dn5 = 1 * 1 = 1",
    "df/dn4 = df/dn5 * dn5/dn4 = 1 * 4 = 4",
    "df/dn3 = df/dn6 * dn6/dn3 = 1 * 1 = 1",
    "df/dn2 = df/dn5 * dn5/dn2 + df/dn6 * dn6/dn2 = 1 * 9 + 1 * 1 = 9 + 1 = 10",
    "df/dn1 = df/dn4 * dn4/dn1 = 4 * (3 + 3) = 24",
]


def written_out(x, y):
    """f = x^2 y + y + 2, a line a node."""
    n4 = x * x
    n5 = n4 * y
    n6 = y + 2
    return n5 + n6


def on_a_tape():
    x, y = tf.constant(3.0, tf.float64), tf.constant(4.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        f = written_out(x, y)
    return explain(f, [x, y], tape=tape, names=["x", "y"])


def in_a_graph():
    with tf1.Graph().as_default(), tf1.Session() as session:
        x, y = tf1.placeholder(tf1.float64, [], name="x"), tf1.placeholder(tf1.float64, [], name="y")
        f = written_out(x, y)
        return explain(f, [x, y], session=session, feed_dict={x: 3.0, y: 4.0})


@pytest.mark.parametrize("made", [on_a_tape, in_a_graph])
class TestTheExample:
    def test_both_passes_are_written_out(self, made):
        w = made()
        assert w.first_pass() == FIRST
        assert w.second_pass() == SECOND

    @pytest.mark.skipif(not GOLDENS.exists(), reason="goldens lie beside the checkout")
    def test_values_and_derivatives_are_the_goldens(self, made):
        outputs = json.loads((GOLDENS / "reverse_autodiff_walk.json").read_text(encoding="utf-8"))["outputs"]
        w = made()
        assert [n.value for n in w.numbers] == [float(v) for v in outputs["values_n1_to_n7"]["values"]]
        assert [n.derivative for n in w.numbers] == [float(v) for v in outputs["df_dn1_to_n7"]["values"]]
        assert w.result is w.numbers[6]

    def test_it_shows_in_terminal_and_page(self, made):
        from rich.console import Console

        w = made()
        console = Console(width=220, record=True, file=io.StringIO())
        console.print(w)
        assert "9 + 1 = 10" in console.export_text()
        page = w.html()
        assert "n2 = y" in page and "<svg" in page and 'scope="row"' in page and "9 + 1" in page


class TestAnyGraph:
    def test_partials_are_the_rules_answers_to_one(self):
        x = tf.constant(0.5, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(x)
            f = tf.math.tanh(-x) / x
        w = explain(f, x, tape=tape)
        t = np.tanh(-0.5)
        assert w.first_pass()[1] == "n2 = -(n1) = -(0.5) = -0.5"
        np.testing.assert_allclose([p.value for p in w.by_name("n3").terms[0].partials], 2.0)
        partials = [[p.value for p in term.partials] for term in w.by_name("x").terms]
        np.testing.assert_allclose(partials, [[-1.0], [-t / 0.25]])
        np.testing.assert_allclose(w.by_name("x").derivative, -(1 - t * t) / 0.5 - t / 0.25)

    def test_variables_are_numbers_too(self):
        v = tf.Variable(2.0, name="v")
        with tf.GradientTape() as tape:
            f = v * 3.0
        assert explain(f, v, tape=tape).by_name("v").derivative == 3.0
        with tf1.Graph().as_default(), tf1.Session() as session:
            v1 = tf1.Variable(2.0, name="v")
            session.run(tf1.global_variables_initializer())
            w = explain(v1 * v1, v1, session=session)
        assert (w.by_name("v").value, w.by_name("v").derivative) == (2.0, 4.0)

    def test_a_replaced_rule_is_walked(self):
        from pullback.ops.nn.activation import Relu

        x = tf.constant(-2.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            f = tf.nn.relu(x) * 5.0
        w = explain(f, x, tape=tape, rules={Relu: lambda node, dy: Relu()(dy)})
        assert w.by_name("x").derivative == 5.0

    def test_a_source_without_a_path_says_so(self):
        x, y = tf.constant(1.0), tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            f = x * x
        assert "df/dn2 = none, f does not depend on it" in explain(f, [x, y], tape=tape).second_pass()

    def test_mistakes_are_named(self):
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            f = tf.reduce_sum(x * x)
        with pytest.raises(tf.errors.InvalidArgumentError, match="give the tape"):
            explain(f, x)
        with pytest.raises(tf.errors.InvalidArgumentError, match="does not depend on x"):
            explain(f, tf.constant(1.0), tape=tape)
        with pytest.raises(tf.errors.InvalidArgumentError, match="integers have no derivatives; give xs as floats"):
            explain(lambda x: x * x, 3)
        with pytest.raises(tf.errors.InvalidArgumentError, match="2 names for 1 xs"):
            explain(f, x, tape=tape, names=["a", "b"])
        with pytest.raises(tf.errors.InvalidArgumentError, match="needs neither tape nor session"):
            explain(lambda x: x * x, x, tape=tape)
        with pytest.raises(tf.errors.InvalidArgumentError, match="must return one tensor, but returned a list"):
            explain(lambda x: [x], x)
