"""Programs in TensorFlow 1's style: gradients, sessions, variables, names."""

import gc
import weakref

import numpy as np
import pytest

import pullback as tf2
import pullback.v1 as tf


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.reset_default_graph()


def run(fetches, feed_dict=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feed_dict)


class TestOverride:
    def test_only_nodes_made_under_the_map_take_the_rule(self):
        @tf.RegisterGradient("Five")
        def five(op, grad):
            return 5.0 * grad

        x = tf.constant([1.0])
        plain = tf.nn.relu(x)
        with tf.get_default_graph().gradient_override_map({"Relu": "Five"}):
            marked = tf.nn.relu(x)
        assert run([tf.gradients(plain, x)[0], tf.gradients(marked, x)[0]]) == [[1.0], [5.0]]
        with tf.get_default_graph().gradient_override_map({"Relu": "Five"}):
            late = tf.gradients(plain, x)[0]
        assert run(late) == [1.0]
        assert marked.op.get_attr("_gradient_op_type") == b"Five"

    def test_duplicate_and_unknown_names(self):
        tf.RegisterGradient("Once")(lambda op, grad: grad)
        with pytest.raises(KeyError, match="Once"):
            tf.RegisterGradient("Once")(lambda op, grad: grad)
        with pytest.raises(KeyError, match="Relu"):
            tf.RegisterGradient("Relu")(lambda op, grad: grad)
        x = tf.constant([1.0])
        with tf.get_default_graph().gradient_override_map({"Relu": "NobodyRegistered"}):
            y = tf.nn.relu(x)
        with pytest.raises(LookupError, match="NobodyRegistered"):
            tf.gradients(y, x)

    def test_guided_rules_reach_inside_a_function_body(self):
        from pullback.ops.nn.activation import Relu

        @tf2.function
        def f(x):
            return tf2.nn.relu(x) * -1.0

        x = tf2.constant([2.0, -1.0])
        for rules, want in ((None, [-1.0, 0.0]), ({Relu: lambda node, dy: tf2.nn.relu(dy)}, [0.0, 0.0])):
            with tf2.GradientTape() as tape:
                tape.watch(x)
                y = f(x)
            np.testing.assert_array_equal(tape.gradient(y, x, rules=rules), want)


class TestWhatUsersSee:
    def test_types_inputs_attributes_and_names(self):
        x = tf.placeholder(tf.float32, [None, 8, 8, 3], name="images")
        w = tf.get_variable("w", [3, 3, 3, 4])
        with tf.name_scope("conv1"):
            y = tf.nn.conv2d(x, w, strides=[1, 2, 2, 1], padding="SAME")
        assert (y.op.type, y.name, y.op.inputs[0].name) == ("Conv2D", "conv1/Conv2D:0", "images:0")
        assert y.op.get_attr("strides") == [1, 2, 2, 1]
        assert y.op.get_attr("padding") == b"SAME"
        assert y.get_shape().as_list() == [None, 4, 4, 4]
        r = tf.nn.relu(y)
        dx = tf.gradients(r, y)[0]
        assert dx.op.type == "ReluGrad"
        assert dx.name.startswith("gradients/Relu_grad/")
        dw = tf.gradients(r, w)[0]
        assert dw.op.type == "Conv2DBackpropFilter"

    def test_channels_first_is_one_node_in_the_users_layout(self):
        x = tf.placeholder(tf.float32, [1, 3, 8, 8])
        y = tf.nn.conv2d(x, tf.ones([3, 3, 3, 2]), strides=[1, 1, 2, 2], padding="VALID", data_format="NCHW")
        assert y.op.get_attr("data_format") == b"NCHW"
        assert y.op.get_attr("strides") == [1, 1, 2, 2]
        assert y.get_shape().as_list() == [1, 2, 3, 3]

    def test_printing(self):
        x = tf.placeholder(tf.float32, name="x")
        assert repr(x * 2.0) == "<tf.Tensor 'mul:0' shape=<unknown> dtype=float32>"
        c = tf.constant([1.0, 2.0], name="c")
        assert str(c) == 'Tensor("c:0", shape=(2,), dtype=float32)'
        assert repr(tf2.constant([1, 2])) == "<tf.Tensor: shape=(2,), dtype=int32, numpy=array([1, 2], dtype=int32)>"
        assert str(tf2.constant(1.5)) == "tf.Tensor(1.5, shape=(), dtype=float32)"

    def test_names_are_numbered_and_scoped_as_tensorflow_does(self):
        a, b = tf.constant(1.0), tf.constant(2.0)
        assert [a.name, b.name, (a + b).name, (a + b).name] == ["Const:0", "Const_1:0", "add:0", "add_1:0"]
        with tf.name_scope("s"):
            assert tf.constant(0.0, name="c").name == "s/c:0"
        with tf.name_scope("s"):
            assert tf.constant(0.0, name="c").name == "s_1/c:0"
        v = tf.Variable(1.0, name="v")
        assert (v.name, v.op.type, v.value().name) == ("v:0", "VariableV2", "v/read:0")


class TestVariables:
    def test_a_run_reads_before_it_writes(self):
        w = tf.Variable(3.0)
        loss = w * w
        step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
        gradient = tf.gradients(loss, w)[0]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run([step, loss, gradient]) == [None, 9.0, 6.0]
            assert session.run(w) == 0.0

    def test_control_dependencies_read_the_new_value(self):
        w = tf.Variable(1.0)
        update = w.assign(5.0)
        with tf.control_dependencies([update]):
            after = w + 0.0
        before = w + 0.0
        assert run([before, after]) == [1.0, 5.0]

    def test_an_average_updated_after_the_step_sees_the_new_weights(self):
        w = tf.Variable(1.0)
        average = tf.Variable(0.0, trainable=False)
        step = tf.train.GradientDescentOptimizer(1.0).minimize(w * 3.0)
        with tf.control_dependencies([step]):
            update = average.assign(0.5 * w)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(update)
            assert session.run([w, average]) == [-2.0, -1.0]

    def test_two_sessions_hold_two_values(self):
        w = tf.Variable(0.0)
        add = w.assign_add(1.0)
        init = tf.global_variables_initializer()
        with tf.Session() as one, tf.Session() as two:
            one.run(init)
            two.run(init)
            one.run(add)
            one.run(add)
            two.run(add)
            assert (one.run(w), two.run(w)) == (2.0, 1.0)

    def test_a_fetch_never_changes_afterwards(self):
        w = tf.Variable(np.zeros(3, np.float32))
        add = w.assign_add(np.ones(3))
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            first = session.run(w)
            new = session.run(add)
            session.run(add)
            np.testing.assert_array_equal(first, np.zeros(3))
            np.testing.assert_array_equal(new, np.ones(3))
            first += 7.0
            np.testing.assert_array_equal(session.run(w), 2 * np.ones(3))

    def test_feeding_an_array_that_changes_later(self):
        x = tf.placeholder(tf.float32, [2])
        w = tf.Variable([0.0, 0.0])
        set_w = w.assign(x)
        array = np.array([1.0, 2.0], np.float32)
        with tf.Session() as session:
            session.run(set_w, {x: array})
            array[:] = 9.0
            np.testing.assert_array_equal(session.run(w), [1.0, 2.0])

    def test_get_variable_and_scopes(self):
        with tf.variable_scope("a"):
            v = tf.get_variable(
                "v", [2], initializer=lambda shape, dtype, partition_info=None: np.ones(shape, "float32")
            )
            assert v.name == "a/v:0"
        with tf.variable_scope("a", reuse=True):
            assert tf.get_variable("v", [2]) is v
            with pytest.raises(ValueError, match="does not exist"):
                tf.get_variable("u", [2])
        with tf.variable_scope("a"), pytest.raises(ValueError, match="already exists"):
            tf.get_variable("v", [2])
        with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
            assert tf.get_variable("v", [2]) is v
            assert tf.get_variable("w", [2]).name == "a/w:0"
        assert [x.name for x in tf.trainable_variables()] == ["a/v:0", "a/w:0"]
        assert [x.name for x in tf.trainable_variables("a/w")] == ["a/w:0"]


class TestBodies:
    def test_gradient_by_a_captured_variable(self):
        w = tf.Variable(2.0)
        xs = tf.constant([1.0, 2.0, 3.0])
        mapped = tf.reduce_sum(tf.map_fn(lambda x: x * w * w, xs))
        looped = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * w), (0, 1.0))[1]
        branched = tf.cond(w > 0.0, lambda: w * w * w, lambda: w)
        answers = run([tf.gradients(y, w)[0] for y in (mapped, looped, branched)])
        assert answers == [24.0, 12.0, 12.0]

    def test_second_and_third_derivative_through_while_loop(self):
        x = tf.placeholder(tf.float64, [])
        y = tf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a * x), (0, tf.constant(1.0, tf.float64)))[1]
        d1 = tf.gradients(y, x)[0]
        d2 = tf.gradients(d1, x)[0]
        d3 = tf.gradients(d2, x)[0]
        np.testing.assert_allclose(run([y, d1, d2, d3], {x: 1.5}), [1.5**4, 4 * 1.5**3, 12 * 1.5**2, 24 * 1.5])

    def test_dropout_masks_agree_forward_and_backward(self):
        x = tf2.Variable(tf2.ones([200]))

        @tf2.function
        def step():
            with tf2.GradientTape() as tape:
                y = tf2.nn.dropout(x, 0.5)
            return y, tape.gradient(y, x)

        @tf2.function
        def dropped(v):
            return tf2.nn.dropout(v, 0.5)

        y, dy = step()
        np.testing.assert_array_equal(y, dy)
        assert 20 < np.count_nonzero(y.numpy()) < 180
        with tf2.GradientTape() as tape:
            y = dropped(x)
        np.testing.assert_array_equal(y, tape.gradient(y, x))

    def test_dropout_inside_a_loop(self):
        x = tf.ones([100])
        y = tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, tf.nn.dropout(a, 0.5)), (0, x))[1]
        value, gradient = run([y, tf.gradients(y, x)[0]])
        np.testing.assert_array_equal(value, gradient)
        assert set(np.unique(value)) == {0.0, 4.0}

    def test_second_derivative_through_max_pool_with_argmax(self):
        x = tf.constant(np.random.default_rng(0).normal(size=(1, 4, 4, 1)))
        pooled, _ = tf.nn.max_pool_with_argmax(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        first = tf.gradients(pooled * pooled * pooled, x)[0]
        second = tf.gradients(first, x)[0]
        value, d2 = run([x, second])
        assert np.count_nonzero(d2) == 4
        np.testing.assert_allclose(d2[d2 != 0], 6 * value[d2 != 0])


class TestShapes:
    def test_a_stacked_output_shape_keeps_what_is_known(self):
        x = tf.placeholder(tf.float32, [None, 8, 8, 3])
        y = tf.nn.conv2d_transpose(
            x, tf.ones([3, 3, 5, 3]), tf.stack([tf.shape(x)[0], 16, 16, 5]), strides=[1, 2, 2, 1], padding="SAME"
        )
        assert y.get_shape().as_list() == [None, 16, 16, 5]
        assert run(y, {x: np.ones((2, 8, 8, 3))}).shape == (2, 16, 16, 5)

    def test_unknown_rank_flows_through_a_network(self):
        x = tf.placeholder(tf.float32)
        w = tf.Variable(np.ones((3, 3, 2, 4), np.float32))
        y = tf.nn.max_pool(
            tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME"), tf.ones([4]))), 2, 2, "SAME"
        )
        flat = tf.reshape(y, [-1, 4 * 4 * 4])
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(flat), logits=flat * 2.0))
        value, gradient = run([loss, tf.gradients(loss, w)[0]], {x: np.ones((2, 8, 8, 2))})
        assert np.isfinite(value)
        assert gradient.shape == (3, 3, 2, 4)

    def test_two_reshapes_of_one_value_do_not_collide(self):
        x = tf2.range(6)
        assert tf2.reshape(x, (2, 3)).shape == (2, 3)
        assert tf2.reshape(x, (3, 2)).shape == (3, 2)
        a, b = run([tf.reshape(tf.range(6), (2, 3)), tf.reshape(tf.range(6), (3, 2))])
        assert (a.shape, b.shape) == ((2, 3), (3, 2))


class TestCost:
    def test_a_long_chain_builds_differentiates_runs_and_is_freed(self):
        n = 100_000
        x = tf.placeholder(tf.float32, [])
        y = x
        for _ in range(n):
            y = tf.negative(y)
        gradient = tf.gradients(y, x)[0]
        assert run([y, gradient], {x: 2.0}) == [2.0, 1.0]
        graph = weakref.ref(tf.get_default_graph())
        del x, y, gradient
        tf.reset_default_graph()
        gc.collect()
        assert graph() is None

    def test_gradients_asked_for_again_cost_the_same(self):
        x = tf.placeholder(tf.float32, [])
        y = x
        for _ in range(20):
            y = y * x
        added = []
        for _ in range(100):
            before = len(tf.get_default_graph().nodes)
            tf.gradients(y, x)
            added.append(len(tf.get_default_graph().nodes) - before)
        assert len(set(added)) == 1

    def test_a_long_tape(self):
        x = tf2.Variable(1.0)
        with tf2.GradientTape() as tape:
            y = x * 1.0
            for _ in range(100_000):
                y = -y
        assert tape.gradient(y, x).numpy() == 1.0


def test_stop_gradients_list_stops_between_xs():
    a = tf.constant(0.0)
    b = 2.0 * a
    assert run(tf.gradients(a + b, [a, b])) == [3.0, 1.0]
    assert run(tf.gradients(a + b, [a, b], stop_gradients=[a, b])) == [1.0, 1.0]


def test_gradients_list_rules():
    x, z = tf.constant([1.0, 2.0]), tf.constant(1.0)
    assert tf.gradients(x * x, [z]) == [None]
    np.testing.assert_array_equal(run(tf.gradients(x * x, z, unconnected_gradients="zero"))[0], 0.0)
    with pytest.raises(ValueError, match="grad_ys"):
        tf.gradients([x * x], [x], grad_ys=[x, x])
    with pytest.raises(ValueError, match="shape"):
        tf.gradients([x * x], [x], grad_ys=[tf.ones([3])])
    np.testing.assert_array_equal(run(tf.gradients([x * x, x], x, grad_ys=[[1.0, 2.0], None]))[0], [3.0, 9.0])


def test_sessions_and_their_errors():
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = x * 2.0
    session = tf.Session()
    assert session.run({"a": y, "b": [y, "mul:0"]}, {x: [[1, 2]]})["b"][1].tolist() == [[2.0, 4.0]]
    assert session.make_callable(y, [x])([[3, 4]]).tolist() == [[6.0, 8.0]]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"placeholder tensor 'x'.*test_graphs\.py"):
        session.run(y)
    with pytest.raises(ValueError, match=r"Cannot feed value of shape \(3,\)"):
        session.run(y, {x: [1, 2, 3]})
    with pytest.raises(TypeError, match="None"):
        session.run([None])
    with pytest.raises(ValueError, match="nothere"):
        session.run("nothere:0")
    w = tf.Variable(1.0, name="w")
    with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value w"):
        session.run(w)
    with tf.Graph().as_default():
        other = tf.constant(1.0)
    with pytest.raises(ValueError, match="not an element"):
        session.run(other)
    with pytest.raises(ValueError, match="another graph"):
        x + other
    session.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.run(y, {x: [[1, 2]]})
    with pytest.raises(ValueError, match="No default session"):
        y.eval()


def test_interactive_session_and_eval():
    session = tf.InteractiveSession()
    try:
        x = tf.placeholder(tf.float32)
        assert (x * 2.0).eval({x: 3.0}) == 6.0
        v = tf.Variable(2.0)
        v.initializer.run()
        assert v.eval() == 2.0
    finally:
        session.close()


def test_strings_prints_and_python_functions(capfd):
    s = tf.constant(["a", "bc"])
    assert run(s).tolist() == [b"a", b"bc"]
    x = tf.constant([1.0, 2.0])
    y = tf.Print(x, [x], "x is ")
    z = tf.py_func(lambda v: v + 1, [y], tf.float32)
    assert run(z).tolist() == [2.0, 3.0]
    assert "x is [1.0 2.0]" in capfd.readouterr().err
    with (
        pytest.raises(tf.errors.InvalidArgumentError, match="too small"),
        tf.control_dependencies([tf.Assert(tf.reduce_all(x > 1.5), ["too small", x])]),
    ):
        run(tf.identity(x))
    cubed = tf2.py_function(lambda v: v * v * v, [x], tf.float32)
    np.testing.assert_allclose(run(tf.gradients(cubed, x)[0]), [3.0, 12.0])


def test_python_functions_are_made_ops_by_a_decorator():
    @tf2.numpy_function(Tout=[tf.float32, tf.int32])
    def halved(x, n):
        """Of NumPy arrays."""
        return x / 2, np.int32(n + 1)

    @tf2.py_function(Tout=tf.float32)
    def cubed(x):
        return x**3

    assert (halved.__name__, halved.__doc__) == ("halved", "Of NumPy arrays.")
    half, n = halved(tf.constant([2.0, 4.0]), 3)
    x = tf.constant([1.0, 2.0])
    given = run([half, n, cubed(x), tf.gradients(cubed(x), x)[0]])
    assert [np.asarray(v).tolist() for v in given] == [[1, 2], 4, [1, 8], [3, 12]]


def test_integer_gradients_are_carried_by_v1_only():
    w1 = tf.Variable([[1, 2]])
    answer = tf.gradients(tf.matmul(w1, [[9], [10]]), [w1])[0]
    assert (answer.dtype, run(answer).tolist()) == (tf.int32, [[9, 10]])
    v = tf2.Variable([[1, 2]])
    with tf2.GradientTape() as tape:
        y = tf2.matmul(v, [[9], [10]])
    assert tape.gradient(y, v) is None


def test_both_styles_in_one_process():
    x = tf.placeholder(tf.float32, [])
    eager = tf2.constant(2.0) * 3.0
    y = x * eager
    assert run(y, {x: 2.0}) == 12.0
    assert float(eager) == 6.0
    assert isinstance(y, tf.Tensor) and isinstance(eager, tf2.Tensor)
    assert (tf2.constant(1.0) == tf2.constant(1.0)).numpy()
    assert (x == x) is True and {x: 1}[x] == 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(eager)
