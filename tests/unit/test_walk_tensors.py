"""Walks over tensors: every entry of every derivative, in words and numbers; functions, graphs, tapes; large graphs."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.walk_page import MOST_MEMBERS, tree

RNG = np.random.default_rng(1)
X, W, B = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=4)


def net(x, w, b):
    h = tf.nn.relu(tf.matmul(x, w) + b)
    return tf.reduce_sum(tf.tanh(h) * h)


def by_hand():
    """The net's derivatives, written out."""
    z = X @ W + B
    h = np.maximum(z, 0)
    t = np.tanh(h)
    dz = (t + h * (1 - t * t)) * (z > 0)
    return {"x": dz @ W.T, "w": X.T @ dz, "b": dz.sum(axis=0)}


def in_a_session(names):
    with tf1.Graph().as_default(), tf1.Session() as session:
        x, w, b = [tf1.placeholder(tf1.float64, v.shape, name=n) for n, v in zip(names, (X, W, B), strict=True)]
        return tf.explain(net(x, w, b), [x, w, b], session=session, feed_dict={x: X, w: W, b: B})


WALKS = {
    "function": lambda: tf.explain(net, [X, W, B]),
    "traced": lambda: tf.explain(tf.function(net), [X, W, B]),
    "session": lambda: in_a_session("xwb"),
}


BODIES = {
    "loop": lambda v: tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * v), [0, tf.constant(1.0)])[1],
    "branch": lambda v: tf.cond(v > 1, lambda: v * v * v, lambda: v),
    "call": lambda v: tf.function(lambda u: u * u * u)(v),
}


@pytest.mark.parametrize("f", BODIES.values(), ids=BODIES)
def test_an_op_that_holds_a_body_has_its_local_derivative(f):
    walk = tf.explain(tf.function(f), [np.float32(1.5)], names=["v"])
    (term,) = walk.by_name("v").terms
    assert [p.value for p in term.partials] == [6.75]
    assert walk.by_name("v").derivative == 6.75


@pytest.mark.parametrize("made", WALKS.values(), ids=WALKS)
class TestEveryStyle:
    def test_derivatives_are_those_by_hand(self, made):
        walk = made()
        for name, wanted in by_hand().items():
            np.testing.assert_allclose(walk.by_name(name).derivative, wanted, rtol=1e-12)

    def test_rules_say_themselves(self, made):
        walk = made()
        product = next(n for n in walk.numbers if n.op == "MatMul")
        assert [t.pull for t in walk.by_name("x").terms] == [f"df/d{product.label} @ n2.T"]
        assert [t.pull for t in walk.by_name("w").terms] == [f"n1.T @ df/d{product.label}"]
        added = next(n for n in walk.numbers if n.op == "AddV2")
        assert [t.pull for t in walk.by_name("b").terms] == [f"sum(df/d{added.label})"]
        (relu,) = added.terms
        assert relu.local == f"(n{relu.via} > 0)"
        np.testing.assert_array_equal(relu.partials[0].value, X @ W + B > 0)

    def test_every_computed_number_names_the_users_line(self, made):
        lines = {n.op: n.line for n in made().numbers if n.op}
        assert lines["MatMul"] == lines["Relu"] == "h = tf.nn.relu(tf.matmul(x, w) + b)"
        assert lines["Tanh"] == "return tf.reduce_sum(tf.tanh(h) * h)"

    def test_where_paths_meet_shares_add(self, made):
        walk = made()
        relu = next(n for n in walk.numbers if n.op == "Relu")
        assert len(relu.terms) == 2
        np.testing.assert_allclose(sum(t.share.value for t in relu.terms), relu.derivative)
        assert all(t.is_product(walk.numbers[t.via - 1].adjoint) for t in relu.terms)


def test_variables_in_a_function_are_found():
    v = tf.Variable([1.0, 2.0], name="v")
    walk = tf.explain(tf.function(lambda x: tf.reduce_sum(x * v)), [[3.0, 4.0]])
    assert walk.numbers[0].derivative.tolist() == [1.0, 2.0]
    walk = tf.explain(tf.function(lambda x, w: tf.reduce_sum(x * w)), [np.array([3.0, 4.0], np.float32), v])
    assert walk.by_name("w").value.tolist() == [1.0, 2.0]
    assert walk.by_name("w").derivative.tolist() == [3.0, 4.0]
    assert v.numpy().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("wrapped", [lambda f: f, tf.function])
def test_a_variable_that_is_not_used_has_a_value_and_no_derivative(wrapped):
    v = tf.Variable([1.0, 2.0])
    walk = tf.explain(wrapped(lambda x, w: x * 3.0), [1.0, v])
    assert walk.by_name("w").value.tolist() == [1.0, 2.0] and walk.by_name("w").derivative is None


def test_a_functions_own_graph_stays_as_it_is():
    f = tf.function(lambda x: tf.sin(x))
    f(tf.constant(1.0))
    before = len(f.get_concrete_function(tf.constant(1.0)).graph.nodes)
    tf.explain(f, 1.0)
    assert len(f.get_concrete_function(tf.constant(1.0)).graph.nodes) == before


def test_gathered_rows_bring_back_a_whole_matrix():
    walk = tf.explain(lambda x: tf.reduce_sum(tf.gather(x, [1, 1])), [np.ones((3, 2))])
    assert walk.by_name("x").derivative.tolist() == [[0, 0], [2, 2], [0, 0]]


def test_several_results_of_one_op():
    walk = tf.explain(lambda x: tf.add_n([2.0 * p for p in tf.split(x, 2)]), [np.array([1.0, 2.0])])
    assert walk.by_name("x").derivative.tolist() == [2, 2]
    assert sum(n.op == "Split" for n in walk.numbers) == 2


def test_a_users_rule_is_named():
    @tf.custom_gradient
    def clipped(x):
        return tf.identity(x), lambda dy: tf.clip_by_value(dy, -1.0, 1.0)

    walk = tf.explain(lambda x: clipped(x) * 5.0, 2.0)
    assert walk.by_name("x").derivative == 1.0
    from pullback.ops.nn.activation import Relu

    def guided(node, dy):
        return Relu()(dy)

    walk = tf.explain(lambda x: tf.nn.relu(x) * -5.0, -2.0, rules={Relu: guided})
    assert next(n for n in walk.numbers if n.op == "Relu").rule == f"replaced by {guided.__qualname__}"


@pytest.mark.parametrize("wrapped", [lambda f: f, tf.function], ids=["eager", "traced"])
def test_branches_loops_and_calls_have_their_derivative(wrapped):
    inner = tf.function(lambda x: x * x)

    def f(x):
        squared = inner(x)
        chosen = tf.cond(squared > 1.0, lambda: squared * 2.0, lambda: -squared)
        return tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y * x), (tf.constant(0), chosen))[1]

    assert tf.explain(wrapped(f), 3.0).by_name("x").derivative == 2 * 4 * 3.0**3


class TestCallsOnATape:
    def test_a_call_opens_into_its_own_steps(self):
        layer = tf.function(lambda x, w: tf.tanh(tf.matmul(x, w)))
        net = tf.function(lambda x, w, v: layer(layer(x, w), v))
        xs = [tf.constant(a) for a in (X, W, W.T @ W)]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(xs)
            y = tf.reduce_sum(net(*xs))
        walk = tf.explain(y, xs, tape=tape)
        assert [n.op for n in walk.numbers if n.op] == ["MatMul", "Tanh", "MatMul", "Tanh", "Sum"]
        for n, dx in zip(walk.numbers, tape.gradient(y, xs), strict=False):
            np.testing.assert_allclose(n.derivative, dx.numpy(), rtol=1e-12)
        made = [n.scope[-1] for n in walk.numbers if n.op == "MatMul"]
        assert made[1] == f"{made[0]}_2" and all(n.line for n in walk.numbers if n.op == "Tanh")
        (outer,) = [item for item in tree(walk.numbers)["items"] if isinstance(item, dict)]
        assert outer["call"] and [item["call"] for item in outer["items"]] == [True, True]

    def test_an_input_that_is_also_a_result_keeps_its_paths(self):
        f = tf.function(lambda x: (x, x * 2.0, x))
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            a, b, c = f(x)
            y = a * b * c
        assert tf.explain(y, x, tape=tape).numbers[0].derivative == 6 * 3.0**2

    def test_what_it_drew_is_not_drawn_again(self):
        drop = tf.function(lambda x: tf.nn.dropout(x * 3.0, 0.5))
        x = tf.constant(np.ones((4, 5)))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = drop(x)
        walk = tf.explain(y, x, tape=tape)
        np.testing.assert_array_equal(walk.result.value, y.numpy())
        np.testing.assert_allclose(walk.numbers[0].derivative, y.numpy())
        assert sum(bool(n.op) for n in walk.numbers) > 1

    @pytest.mark.parametrize("inside", [True, False])
    def test_a_call_that_cannot_be_run_again_stays_one_step(self, inside):
        """Its variable has changed since, inside or after."""
        u = tf.Variable(2.0)
        g = tf.function(lambda x: x * (u.assign_add(1.0) if inside else u))
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = g(x)
        was = float(u.numpy())
        u.assign(7.0)
        walk = tf.explain(y, x, tape=tape)
        assert walk.by_name("x").derivative == was and walk.result.value == 3 * was
        assert u.numpy() == 7.0


def test_what_is_drawn_at_random_is_drawn_once():
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf1.float32)
        y = tf1.nn.dropout(x * 3.0, keep_prob=0.5)
        walk = tf1.explain(y, x, session=session, feed_dict={x: np.ones((4, 5))})
    np.testing.assert_allclose(walk.numbers[0].derivative, walk.result.value)


def test_nans_are_counted():
    walk = tf.explain(lambda x: tf.sqrt(x), [np.full((9, 9), -1.0)])
    assert walk.result.held.statistics.nans == 81
    json.dumps(walk.page().data["walk"], allow_nan=False)


class TestLargeGraphs:
    def test_nothing_large_is_kept(self):
        walk = tf.explain(lambda x: tf.reduce_sum(tf.tanh(x) * x), [np.ones((200, 300))])
        assert all(n.held.numbers is None or n.held.numbers.size <= 64 for n in walk.numbers)
        assert walk.by_name("x").adjoint.map.shape == (24, 24)

    def test_scopes_become_groups_and_long_ones_are_cut(self):
        def deep(x):
            for _ in range(150):
                x = tf.sin(x) + x
            return x

        walk = tf.explain(deep, 0.5)
        members = []

        def check(group):
            assert len(group["items"]) <= MOST_MEMBERS
            for item in group["items"]:
                members.append(item) if isinstance(item, int) else check(item)

        check(tree(walk.numbers))
        assert sorted(members) == [n.index for n in walk.numbers]

    def test_pages_are_bounded(self, monkeypatch):
        monkeypatch.setattr("pullback.explain.walk_page.MOST_BYTES", 1000)
        walk = tf.explain(lambda x: tf.reduce_sum(tf.tanh(tf.sin(x) * x)), [np.ones((40, 40))])
        values = [n["value"] for n in walk.page().data["walk"]["numbers"]]
        assert "map" in values[0] and "map" not in values[-2]
        assert values[-2]["statistics"] == str(walk.numbers[-2].held.statistics)
        assert values[-1]["numbers"], "a scalar is always there"

    def test_a_number_that_everything_reads_is_said_in_short(self):
        walk = tf.explain(lambda x: tf.add_n([x * float(i) for i in range(50)]), 2.0)
        line = walk.second_pass()[-1]
        assert line.endswith("+ 42 more = 1225") and line.count("df/dn") < 40
        assert walk.locals(walk.by_name("x"))[-1] == "and on 42 more paths"

    def test_name_scopes_are_kept(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf1.float32, [], name="x")
            with tf1.name_scope("block"):
                h = tf1.sin(x) * x
                with tf1.name_scope("inner"):
                    h = tf1.exp(h) + h
            alone = tree(tf.explain(h, x, session=session, feed_dict={x: 1.0}).numbers)
            made = tree(tf.explain(tf1.tanh(h), x, session=session, feed_dict={x: 1.0}).numbers)
        (block,) = [item for item in made["items"] if isinstance(item, dict)]
        (inner,) = [item for item in alone["items"] if isinstance(item, dict)]
        assert inner["name"] == "inner", "a scope that holds all of it is no group"
        assert block["name"] == "block" and [i["name"] for i in block["items"] if isinstance(i, dict)] == ["inner"]

    def test_more_than_can_be_shown_is_refused_with_the_way_out(self, monkeypatch):
        monkeypatch.setattr("pullback.explain.numbering.MOST", 3)
        with pytest.raises(tf.errors.InvalidArgumentError, match="walk a part of it"):
            tf.explain(lambda x: tf.sin(tf.sin(tf.sin(x))), 1.0)

    def test_terminal_and_tables_leave_out_the_middle(self, monkeypatch):
        monkeypatch.setattr("pullback.explain.walk.MOST_PRINTED", 4)
        walk = tf.explain(net, [X, W, B])
        assert "... 6 more" in str(walk)
        assert walk.html(picture=False).count("<tr>") == 2 + 4 + 4


class TestTheNamespace:
    def test_explain_is_a_function_and_holds_its_tools(self):
        assert tf.explain(lambda x: x * x, 3.0).by_name("x").derivative == 6.0
        assert tf.explain.conv2d([[1, 2], [3, 4]], [[1]]).y.tolist() == [[1, 2], [3, 4]]
        assert "max_pool" in dir(tf.explain)
        with pytest.raises(AttributeError, match="its tools are"):
            tf.explain.nothing  # noqa: B018

    def test_it_is_called_as_the_tool_itself(self):
        from pullback.explain.hearing import explain

        assert list(inspect.signature(tf.explain).parameters) == list(inspect.signature(explain).parameters)

    def test_version_one_has_it_too(self):
        assert tf1.explain is tf.explain
