"""Sessions: what they fetch, feed, refuse, keep and copy."""

from collections import namedtuple

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core import interpreter


@pytest.fixture(autouse=True)
def graph():
    with v1.Graph().as_default() as g:
        yield g


class TestFetches:
    def test_any_nest_of_anything(self, graph):
        x = v1.constant([1.0, 2.0], name="x")
        v = v1.Variable(5.0, name="v")
        Pair = namedtuple("Pair", "a b")
        with v1.Session() as session:
            session.run(v.initializer)
            found = session.run({"p": Pair(x, [x.op, "x:0"]), "v": (v, "v"), "h": v.handle, "none": []})
        assert isinstance(found["p"], Pair) and found["p"].a.tolist() == [1, 2]
        assert found["p"].b[0] is None and found["p"].b[1].tolist() == [1, 2]
        assert (found["v"], found["h"], found["none"]) == ((5.0, None), 5.0, [])

    def test_slices(self):
        p = v1.placeholder(tf.float32, [None, 2])
        s = tf.IndexedSlices(p * 2.0, v1.constant([3]), v1.constant([5, 2]))
        bare = tf.IndexedSlices(p * 3.0, v1.constant([1]))
        with v1.Session() as session:
            found, other = session.run([s, bare], {p: [[1.0, 2.0]]})
        assert isinstance(found, v1.IndexedSlicesValue)
        assert [part.tolist() for part in found] == [[[2, 4]], [3], [5, 2]] and other.dense_shape is None

    def test_results_are_the_callers_own(self):
        v = v1.Variable([1.0, 2.0])
        with v1.Session() as session:
            session.run(v.initializer)
            first = session.run(v)
            first[:] = 9
            assert session.run(v).tolist() == [1, 2]

    def test_mistakes(self, graph):
        x = v1.constant(1.0)
        with v1.Graph().as_default():
            stranger = v1.constant(1.0)
        with v1.Session(graph=graph) as session:
            for fetch, error, words in (
                (None, TypeError, "unconnected"),
                ([x, None], TypeError, "unconnected"),
                (3.5, TypeError, "invalid type"),
                ("nobody:0", ValueError, "nobody"),
                (stranger, ValueError, "graph"),
            ):
                with pytest.raises(error, match=words):
                    session.run(fetch)
            for key in ("nobody:0", "nobody", stranger, 3.5):
                with pytest.raises(TypeError, match="Cannot interpret feed_dict key as Tensor"):
                    session.run(x, {key: 1.0})


class TestFeeds:
    def test_any_tensor_can_be_fed_under_any_name_of_it(self):
        x = v1.placeholder(tf.float32, [], name="x")
        y = x * 2.0
        z = y + 1.0
        words = v1.placeholder(tf.string, [None])
        default = v1.placeholder_with_default([1.0], [None])
        with v1.Session() as session:
            assert session.run(z, {x: 3}) == session.run(z, {"x:0": 3}) == session.run(z, {x.ref(): 3}) == 7
            assert session.run(z, {y: 10.0}) == session.run(z, {(x, y): (0, 10)}) == 11
            assert session.run(words, {words: ["a", b"b"]}).tolist() == [b"a", b"b"]
            assert session.run(default).tolist() == [1] and session.run(default, {default: [1, 2]}).tolist() == [1, 2]
            with interpreter.entered(interpreter.eager()):
                eager = tf.constant(3.0)
            assert session.run(z, {x: eager}) == 7

    def test_slices(self):
        values, indices, dense = v1.placeholder(tf.float32), v1.placeholder(tf.int32), v1.placeholder(tf.int32)
        s = tf.IndexedSlices(values, indices, dense)
        with v1.Session() as session:
            found = session.run(s, {s: ([[1.0]], [2], [3, 1])})
        assert [part.tolist() for part in found] == [[[1]], [2], [3, 1]]

    def test_mistakes(self, graph):
        x = v1.placeholder(tf.float32, [2, None], name="x")
        with v1.Graph().as_default():
            stranger = v1.placeholder(tf.float32)
        with v1.Session(graph=graph) as session:
            for feed, error, words in (
                ({}, tf.errors.InvalidArgumentError, "feed a value for placeholder tensor 'x'"),
                ({x: np.ones(3)}, ValueError, r"Cannot feed value of shape \(3,\)"),
                ({x: [["a", "b"]] * 2}, ValueError, "does not become float32"),
                ({x: x}, TypeError, "cannot be a tf.Tensor"),
                ({stranger: 1.0}, (TypeError, ValueError), "graph"),
                ({"x": np.ones((2, 2))}, (TypeError, ValueError), "Tensor|tensor"),
            ):
                with pytest.raises(error, match=words):
                    session.run(x + 1.0, feed)


class TestLife:
    def test_closed_is_closed(self, graph):
        x = v1.constant(1.0)
        with v1.Session() as session:
            assert session.run(x) == 1 and session.graph is graph and session.sess_str == b""
            (device,) = session.list_devices()
            assert device.name == "/job:localhost/replica:0/task:0/device:CPU:0" and device.device_type == "CPU"
        with pytest.raises(RuntimeError, match="closed"):
            session.run(x)

    def test_the_default_session(self):
        x = v1.constant(2.0)
        with pytest.raises(ValueError, match=r"eval.*No default session"):
            x.eval()
        with pytest.raises(ValueError, match="No default session"):
            x.op.run()
        session = v1.Session()
        with session.as_default() as same:
            assert v1.get_default_session() is session is same and x.eval() == 2 and x.op.run() is None
        assert v1.get_default_session() is None and session.run(x) == x.eval(session=session) == 2
        interactive = v1.InteractiveSession()
        assert v1.get_default_session() is interactive and x.eval() == 2
        interactive.close()
        assert v1.get_default_session() is None
        interactive.close()

    def test_a_session_may_be_entered_twice(self):
        x = v1.constant(2.0)
        session = v1.Session()
        with session:
            with session:
                pass
            assert session.run(x) == 2

    def test_arguments_that_cannot_be_honoured(self):
        x = v1.constant(1.0)
        for wrong, error, words in (
            (lambda: v1.Session("grpc://host:1"), ValueError, "target"),
            (lambda: v1.Session(graph="g"), TypeError, "tf.Graph"),
            (lambda: v1.Session(config=3), TypeError, "ConfigProto"),
            (lambda: v1.Session().run(x, options=1), TypeError, "RunOptions"),
            (lambda: v1.Session().make_callable(x)(options=v1.RunOptions()), TypeError, "options"),
        ):
            with pytest.raises(error, match=words):
                wrong()

    def test_callables(self):
        x, y = v1.placeholder(tf.float32), v1.placeholder(tf.float32)
        with v1.Session() as session:
            f = session.make_callable([x - y], [x, "Placeholder_1:0"])
            assert f(5, 3) == [2]
            with pytest.raises(ValueError, match="takes 2 values"):
                f(1)
            assert session.make_callable(v1.constant(3))() == 3

    def test_many_plans(self, graph):
        xs = [v1.constant(i) for i in range(520)]
        with v1.Session() as session:
            assert [session.run(x) for x in xs] == list(range(520)) and session.run(xs[0]) == 0

    def test_nodes_added_between_runs(self, graph):
        v = v1.Variable(1.0)
        with v1.Session() as session:
            session.run(v.initializer)
            assert session.run(v + 1.0) == 2
            assert session.run(tf.gradients(v * v, v)[0]) == 2


class TestDefaultGraph:
    def test_eager_and_graph_behaviour(self):
        with interpreter.entered(interpreter.eager()):
            assert tf.executing_eagerly() and not v1.executing_eagerly()
            try:
                v1.enable_eager_execution()
                assert v1.executing_eagerly() and v1.constant(3.0).numpy() == 3
                assert v1.global_variables_initializer() is None
                with pytest.raises(RuntimeError, match="not compatible with eager"):
                    v1.placeholder(tf.float32)
                with pytest.raises(NotImplementedError, match=r"\.numpy\(\)"):
                    v1.constant(1.0).eval()
            finally:
                v1.disable_eager_execution()
            try:
                v1.enable_v2_behavior()
                assert v1.executing_eagerly()
            finally:
                v1.disable_v2_behavior()
        assert not tf.executing_eagerly() and not v1.executing_eagerly()

    def test_a_nested_graph_is_not_cleared(self, graph):
        with pytest.raises(AssertionError, match="nested"):
            v1.reset_default_graph()
        assert v1.get_default_graph() is graph
