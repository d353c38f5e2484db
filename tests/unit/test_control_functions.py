"""cond, case, while_loop, map_fn, Print and Assert: how they may be called, and what mistakes are told."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


@pytest.fixture
def session():
    with v1.Graph().as_default(), v1.Session() as s:
        yield s


class TestCond:
    def test_python_values_choose_at_once(self):
        assert tf.cond(True, lambda: 1, lambda: 2) == 1 and tf.cond(np.bool_(False), lambda: 1, lambda: [2]) == 2
        with v1.Graph().as_default():
            assert v1.cond(False, fn1=lambda: 1, fn2=lambda: 2) == 2

    def test_nests_and_single_lists(self, session):
        p = v1.placeholder(tf.bool, [])
        y = v1.cond(p, lambda: {"a": 1.0, "b": [2.0]}, lambda: {"a": 3.0, "b": [4.0]})
        one, kept = (v1.cond(p, lambda: [1.0], lambda: [2.0], strict=s) for s in (False, True))
        found = session.run([y, one, kept], {p: False})
        assert found == [{"a": 3.0, "b": [4.0]}, 2.0, [2.0]]

    def test_only_one_branch_acts(self, session):
        v = v1.Variable(0.0)
        p = v1.placeholder(tf.bool, [])
        act = v1.cond(p, lambda: v.assign_add(1.0).op, lambda: tf.no_op())
        session.run(v.initializer)
        session.run(act, {p: False})
        assert session.run(v) == 0
        session.run(act, {p: True})
        assert session.run(v) == 1

    def test_a_predicate_of_a_graph_seen_from_outside(self):
        with v1.Graph().as_default() as g:
            p = v1.placeholder(tf.bool, [])
        y = tf.cond(p, lambda: tf.constant(1.0), lambda: tf.constant(2.0))
        with g.as_default(), v1.Session() as session:
            assert session.run(y, {p: False}) == 2

    def test_mistakes(self, session):
        p = v1.placeholder(tf.bool, [])
        one = lambda: v1.constant(1.0)  # noqa: E731
        for wrong, error, words in (
            (lambda: v1.cond(p, one), TypeError, "functions without arguments"),
            (lambda: v1.cond(p, one, lambda: v1.constant(1)), TypeError, "float32 and int32"),
            (lambda: v1.cond(p, one, lambda: [one(), one()]), ValueError, "1 and 2 tensors"),
            (lambda: v1.cond(v1.constant(1.0), one, one), TypeError, "type bool"),
        ):
            with pytest.raises(error, match=words):
                wrong()


class TestCase:
    def test_the_first_that_holds(self, session):
        x = v1.placeholder(tf.int32, [])
        pairs = [(x < 1, lambda: v1.constant(10)), (x < 2, lambda: v1.constant(20))]
        with_default = v1.case(pairs, default=lambda: v1.constant(30))
        without = tf.case(pairs)
        assert [session.run([with_default, without], {x: n}) for n in (0, 1, 2)] == [[10, 10], [20, 20], [30, 20]]

    def test_exclusive_ones(self, session):
        x = v1.placeholder(tf.int32, [])
        y = v1.case([(x < 1, lambda: v1.constant(1)), (x < 2, lambda: v1.constant(2))], exclusive=True)
        assert session.run(y, {x: 1}) == 2
        with pytest.raises(tf.errors.InvalidArgumentError, match="exclusive"):
            session.run(y, {x: 0})

    def test_eagerly(self):
        x = tf.constant(1)
        assert tf.case([(x < 1, lambda: 1), (x < 2, lambda: 2)], lambda: 3) == 2
        assert tf.case({(x > 0).ref(): lambda: "a"}, exclusive=True) == "a"
        assert tf.case([], lambda: 5) == 5 and tf.case([]) is None
        with pytest.raises(tf.errors.InvalidArgumentError, match="exclusive"):
            tf.case([(x > 0, lambda: 1), (x < 2, lambda: 2)], exclusive=True)

    def test_switch_case(self):
        fs = [lambda: 10, lambda: 20]
        assert [tf.switch_case(tf.constant(i), fs) for i in (0, 1, 7, -1)] == [10, 20, 20, 20]
        assert tf.switch_case(tf.constant(5), {5: fs[0], 6: fs[1]}, default=lambda: 0) == 10
        assert tf.switch_case(tf.constant(9), {5: fs[0], 6: fs[1]}, default=lambda: 0) == 0


class TestWhile:
    def test_structures_and_limits(self, session):
        grow = lambda s: {"i": s["i"] + 1, "x": [s["x"][0] * 2.0]}  # noqa: E731
        start = {"i": 0, "x": [1.0]}
        y = v1.while_loop(lambda s: s["i"] < 5, grow, [start], maximum_iterations=3)
        assert session.run(y) == {"i": 3, "x": [8.0]}

    def test_one_variable(self, session):
        double = lambda x: x * 2.0  # noqa: E731
        small = lambda x: x < 10.0  # noqa: E731
        assert session.run(v1.while_loop(small, double, [1.0])) == 16
        assert session.run(v1.while_loop(small, double, [1.0], return_same_structure=True)) == [16]

    def test_eagerly(self):
        small, double = (lambda x: x < 10.0), (lambda x: x * 2.0)
        assert tf.while_loop(small, double, (1.0,))[0] == 16
        assert tf.while_loop(small, double, (1.0,), maximum_iterations=2)[0] == 4
        x = tf.constant(1.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            (y,) = tf.while_loop(small, double, (x,), back_prop=False)
        assert tape.gradient(y, x) is None

    def test_shapes_that_grow(self, session):
        grow = lambda i, x: (i + 1, tf.concat([x, x], 0))  # noqa: E731
        start = [v1.constant(0), v1.constant([1.0])]
        invariants = [tf.TensorShape([]), tf.TensorShape([None])]
        _, y = v1.while_loop(lambda i, x: i < 3, grow, start, shape_invariants=invariants)
        assert y.shape.as_list() == [None] and session.run(y).shape == (8,)
        with pytest.raises(ValueError, match="shape"):
            v1.while_loop(lambda i, x: i < 3, grow, start)

    def test_mistakes(self, session):
        for wrong, error, words in (
            (lambda: v1.while_loop(None, lambda x: x, [1]), TypeError, "functions"),
            (lambda: v1.while_loop(lambda: True, lambda: (), []), ValueError, "No loop variables"),
            (lambda: v1.while_loop(lambda x: x < 1, lambda x: (x, x), [1]), ValueError, "2"),
            (lambda: v1.while_loop(lambda x: x < 1, lambda x: 1.0, [1]), TypeError, "float32"),
            (lambda: v1.while_loop(lambda x: x < 1, lambda x: x, [1], [None, None]), ValueError, "2 shape_invariants"),
        ):
            with pytest.raises(error, match=words):
                wrong()

    def test_eager_mistakes(self):
        with pytest.raises(ValueError, match="2 tensors for 1"):
            tf.while_loop(lambda x: x < 1, lambda x: (x, x), (tf.constant(0),))


class TestMap:
    def test_nests(self):
        x, y = np.arange(3.0), np.arange(6.0).reshape(3, 2)

        def f(pair):
            return {"sum": pair[0] + pair[1], "x": pair[0]}

        spec = {"sum": tf.float64, "x": tf.float64}
        mapped = lambda e: tf.map_fn(f, e, fn_output_signature=spec)  # noqa: E731
        for run in (mapped, tf.function(mapped)):
            found = run((x, y))
            np.testing.assert_array_equal(found["sum"], x[:, None] + y)
            np.testing.assert_array_equal(found["x"], x)

    def test_constants_for_differentiation(self):
        x = tf.constant([1.0, 2.0])
        with v1.Graph().as_default():
            p = v1.constant([1.0, 2.0])
            assert v1.gradients(v1.map_fn(lambda e: e * e, p, back_prop=False), p) == [None]
        assert tf.map_fn(lambda e: e * e, x).numpy().tolist() == [1, 4]

    def test_nothing_to_map(self):
        assert tf.map_fn(lambda e: e, tf.zeros([0]), fn_output_signature=tf.int64).dtype is tf.int64
        with pytest.raises(ValueError, match="fn_output_signature"):
            tf.map_fn(lambda e: e, tf.zeros([0]))

    def test_mistakes(self):
        for wrong, error, words in (
            (lambda: tf.map_fn(3, tf.ones([2])), TypeError, "function"),
            (lambda: tf.map_fn(lambda e: e, []), ValueError, "at least one tensor"),
            (lambda: tf.map_fn(lambda e: e, 1.0), ValueError, "not a scalar"),
            (lambda: tf.map_fn(lambda e: e, tf.ones([2]), tf.int32), TypeError, "float32, but int32 was said"),
        ):
            with pytest.raises(error, match=words):
                wrong()


class TestPrinting:
    def test_eagerly_and_in_sessions(self, session, capsys):
        x = v1.constant([1, 2])
        session.run(tf.print("x is", x, [x, 3], sep="|", end="!"))
        assert capsys.readouterr().err == "x is|[1 2]|[[1 2], 3]!"

    def test_into_a_file(self, tmp_path):
        path = tmp_path / "log.txt"
        tf.print(tf.constant(7), output_stream=f"file://{path}")
        tf.print("again", output_stream=f"file://{path}")
        assert path.read_text() == "7\nagain\n"

    def test_streams(self, capsys):
        import sys

        tf.print("out", tf.constant("word"), output_stream=sys.stdout)
        assert capsys.readouterr().out == "out word\n"
        with pytest.raises(ValueError, match="output_stream"):
            tf.print(1, output_stream=3)
        with pytest.raises(ValueError, match="unknown arguments"):
            tf.print(1, colour="red")

    def test_assertions(self, session):
        p = v1.placeholder(tf.float32, [2])
        check = v1.Assert(tf.reduce_all(p > 0), ["not positive:", p])
        session.run(check, {p: [1, 2]})
        with pytest.raises(tf.errors.InvalidArgumentError, match="not positive"):
            session.run(check, {p: [1, -2]})
