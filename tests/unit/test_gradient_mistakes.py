"""Tapes, gradients, custom gradients and overrides: corner cases, and what mistakes are told."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


@pytest.fixture
def graph():
    with v1.Graph().as_default() as g:
        yield g


class TestTapes:
    def test_mistakes(self):
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x * x
            n = tf.argmax(x)
            whole = tf.reduce_sum(x)
        for wrong, error, words in (
            (lambda: tape.watch(3.0), ValueError, "not tf.Tensor"),
            (lambda: tape.gradient(3.0, x), ValueError, "nothing was recorded"),
            (lambda: tape.gradient(y, 3.0), TypeError, "neither a tensor nor a variable"),
            (lambda: tape.gradient(y, x, output_gradients=[None, None]), ValueError, "2 output_gradients for 1"),
            (lambda: tape.jacobian(n, x), TypeError, "no derivatives"),
            (lambda: tape.batch_jacobian(whole, x), ValueError, "same first dimension"),
            (lambda: tape.gradient(y, x, unconnected_gradients="one"), ValueError, "one"),
        ):
            with pytest.raises(error, match=words):
                wrong()

    def test_unconnected_jacobians(self):
        x, z = tf.constant([1.0, 2.0]), tf.constant([[3.0]])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, z])
            y = x * x
            scaled = z * 2.0
        assert tape.jacobian(y, z) is None and tape.batch_jacobian(scaled, tf.Variable([[1.0]])) is None
        full, zero = tape.jacobian(y, [x, z], unconnected_gradients="zero")
        np.testing.assert_array_equal(full, np.diag([2.0, 4.0]))
        assert zero.shape == (2, 1, 1) and not zero.numpy().any()
        other = tf.constant([[7.0]])
        assert tape.batch_jacobian(scaled, other, unconnected_gradients="zero").numpy().tolist() == [[[0]]]

    def test_jacobians_of_sizes_known_only_when_run(self):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float64)])
        def jacobian(x):
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(x)
                y = x * x
            full = tape.jacobian(y, x)
            with pytest.raises(ValueError, match="known"):
                tape.batch_jacobian(y, x)
            return full

        for n in (2, 3):
            np.testing.assert_array_equal(jacobian(np.arange(n, dtype=float)), np.diag(2.0 * np.arange(n)))

    def test_a_tape_closed_may_be_asked_inside_another(self):
        x = tf.Variable(2.0)
        with tf.GradientTape() as tape:
            y = x * x
            assert tape.gradient(y, x) == 4  # still open: recording ends here


class TestGraphs:
    def test_partial_and_unconnected(self, graph):
        a = v1.constant(2.0)
        b = a * 3.0
        v = v1.Variable([1.0, 2.0])
        with v1.Session() as session:
            session.run(v.initializer)
            assert session.run(v1.gradients(a + b, [a, b], stop_gradients=[b])) == [1, 1]
            assert session.run(v1.gradients(a + b, a)) == [4]
            assert v1.gradients(a, [v, b]) == [None, None]
            assert session.run(v1.gradients(a, v, unconnected_gradients="zero")[0]).tolist() == [0, 0]
            zero = v1.gradients(a, v.handle, unconnected_gradients=tf.UnconnectedGradients.ZERO)[0]
            assert session.run(zero).tolist() == [0, 0]

    def test_slices_as_targets_and_sources(self, graph):
        x = v1.constant([[1.0, 2.0]])
        s = tf.IndexedSlices(x * x, v1.constant([0]))
        given = tf.IndexedSlices(v1.constant([[10.0, 10.0]]), v1.constant([0]), (1, 2))
        with v1.Session() as session:
            assert session.run(v1.gradients(s, x)[0]).tolist() == [[2, 4]]
            assert session.run(v1.gradients(x * x, x, grad_ys=[given])[0]).tolist() == [[20, 40]]
            assert session.run(v1.gradients(s, s)[0]).tolist() == [[1, 1]]

    def test_hessians(self, graph):
        x = v1.constant([1.0, 2.0])
        with v1.Session() as session:
            for h in (v1.hessians(v1.reduce_sum(x * x * x), x), tf.hessians(v1.reduce_sum(x * x * x), [x])):
                assert session.run(h[0]).tolist() == [[6, 0], [0, 12]]
        with pytest.raises(ValueError, match="hangs"):
            v1.hessians(v1.constant(1.0), x)

    def test_mistakes(self, graph):
        x = v1.constant([1.0, 2.0])
        t = v1.constant([True, False])
        for wrong, error, words in (
            (lambda: v1.gradients(x, x, grad_ys=[None, None]), ValueError, "2 grad_ys for 1 ys"),
            (lambda: v1.gradients(x, x, grad_ys=[[1.0]]), ValueError, r"\[1\] but its y has shape \[2\]"),
            (lambda: v1.gradients(x, x, grad_ys=v1.ones([2], tf.float64)), TypeError, "float64 but its y is float32"),
            (lambda: v1.gradients(t, x, grad_ys=[True]), TypeError, "bool, which has no gradients"),
            (lambda: v1.gradients(x, "x:0"), TypeError, "no tensor or variable"),
        ):
            with pytest.raises(error, match=words):
                wrong()

    def test_eager_tensors_have_no_graph(self):
        with pytest.raises(RuntimeError, match="GradientTape"):
            tf.gradients(tf.constant(1.0), tf.constant(1.0))


class TestCustom:
    def test_variables_need_a_place(self):
        v = tf.Variable(3.0)

        @tf.custom_gradient
        def f(x):
            return x * v, lambda dy: dy

        with pytest.raises(TypeError, match="must take a keyword `variables`"):
            f(tf.constant(1.0))

        @tf.custom_gradient
        def g(x):
            def grad(dy, variables):
                assert [u.ref() for u in variables] == [v.ref()]
                return dy * 10.0, dy * 100.0

            return x * v, grad

        x = tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = g(x)
        assert [d.numpy() for d in tape.gradient(y, [x, v])] == [10, 100] and y == 6

    def test_wrong_answers(self):
        x = tf.constant(2.0)

        @tf.custom_gradient()
        def two(x):
            return x * 1.0, lambda dy: (dy, dy)

        with tf.GradientTape() as tape:
            tape.watch(x)
            y = two(x)
        with pytest.raises(ValueError, match="2 cotangents for 1 arguments"):
            tape.gradient(y, x)
        with pytest.raises(TypeError, match=r"must return \(result, grad_fn\)"):
            tf.custom_gradient(lambda x: x)(x)

    def test_called_on_tensors_of_a_graph_from_outside(self):
        @tf.custom_gradient
        def f(x):
            return x * 2.0, lambda dy: dy * 50.0

        with v1.Graph().as_default() as g:
            x = v1.constant(3.0)
        y = f(x)
        with g.as_default(), v1.Session() as session:
            assert session.run([y, v1.gradients(y, x)[0]]) == [6, 50]

    def test_gradients_passed_through(self):
        x = tf.constant([0.4, 1.6])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.grad_pass_through(tf.round)(x)
        assert y.numpy().tolist() == [0, 2] and tape.gradient(y, x).numpy().tolist() == [1, 1]


class TestOverrides:
    def test_mistakes(self, graph):
        with pytest.raises(TypeError, match="string"):
            tf.RegisterGradient(3)
        for given in ("Relu", {"Relu": 3}, {3: "Relu"}):
            with pytest.raises(TypeError, match="strings"), graph.gradient_override_map(given):
                pass

    def test_no_gradient_by_name(self, graph):
        v1.NoGradient("NothingFlows")
        x = v1.constant([1.0])
        with graph.gradient_override_map({"Relu": "NothingFlows", "Tanh": "ReluGrad"}):
            y = tf.nn.relu(x)
        assert v1.gradients(y, x) == [None]
        with pytest.raises(KeyError, match=r"NothingFlows.*registered already"):
            tf.no_gradient("NothingFlows")

    def test_a_rule_with_too_many_answers(self, graph):
        tf.RegisterGradient("TwoForOne")(lambda op, dy: [dy, dy])
        x = v1.constant([1.0])
        with graph.gradient_override_map({"Relu": "TwoForOne"}):
            y = tf.nn.relu(x)
        with pytest.raises(ValueError, match="gave 2 answers for 1 inputs"):
            v1.gradients(y, x)

    @pytest.mark.parametrize(
        ("answer", "words"), [(lambda dy: dy[:1], "shape"), (lambda dy: tf.cast(dy, tf.float64), "float64")]
    )
    def test_a_rule_whose_answer_does_not_fit(self, graph, answer, words):
        from pullback.ops.nn.activation import Relu

        x = v1.constant([1.0, 2.0])
        y = tf.nn.relu(x)
        with pytest.raises((ValueError, TypeError), match=words):
            v1.gradients(y, x, rules={Relu: lambda node, dy: answer(dy)})
        (dx,) = v1.gradients(y, x, rules={Relu: lambda node, dy: np.array([3.0, 4.0])})
        with v1.Session() as session:
            assert session.run(dx).tolist() == [3, 4]

    def test_what_must_not_be_differentiated(self):
        x = tf.constant(1.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.raw_ops.PreventGradient(input=x, message="not through the teacher")
        with pytest.raises(LookupError, match="not through the teacher"):
            tape.gradient(y, x)
