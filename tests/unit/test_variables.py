"""Variables: what can be asked of them, assigned to them and done with them, eagerly, in functions and in sessions."""

import copy

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


@pytest.fixture
def session():
    with v1.Graph().as_default(), v1.Session() as s:
        yield s


class TestEager:
    def test_assigning(self):
        v = tf.Variable([1.0, 2.0], name="weights")
        assert v.assign_add([1, 1]) is v and v.numpy().tolist() == [2, 3]
        assert v.assign_sub([0.5, 0.5], read_value=False) is None and v.numpy().tolist() == [1.5, 2.5]
        assert v.assign(tf.constant([7.0, 8.0])).numpy().tolist() == [7, 8]

    def test_rows(self):
        v = tf.Variable(np.zeros((3, 2)))
        rows = tf.IndexedSlices(np.ones((2, 2)), [1, 1])
        v.scatter_add(rows)
        assert v.numpy().tolist() == [[0, 0], [2, 2], [0, 0]]
        v.scatter_sub(tf.IndexedSlices(np.ones((1, 2)), [0]))
        v.scatter_update(tf.IndexedSlices(np.full((1, 2), 9.0), [2]))
        assert v.numpy().tolist() == [[-1, -1], [2, 2], [9, 9]]

    def test_it_stands_for_its_value(self):
        v, n = tf.Variable([1.0, 2.0]), tf.Variable(2)
        assert (float(tf.Variable(1.5)), int(n), bool(n), len(v), [10, 20, 30][n]) == (1.5, 2, True, 2, 30)
        assert np.asarray(v).tolist() == [1, 2] and v[1].numpy() == 2 and (v + v).numpy().tolist() == [2, 4]
        assert (2 - v).numpy().tolist() == [1, 0] and [x.numpy() for x in v] == [1, 2]
        assert tf.reduce_sum(v).numpy() == 3 and (v == v).numpy().all()

    def test_what_it_says_of_itself(self):
        v = tf.Variable([[1.0]], name="w", trainable=False)
        assert (v.name, v.shape, v.get_shape(), v.dtype, v.trainable) == ("w:0", [1, 1], [1, 1], tf.float32, False)
        assert repr(v) == "<tf.Variable 'w:0' shape=(1, 1) dtype=float32, numpy=array([[1.]], dtype=float32)>"
        assert v.is_initialized().numpy() and v.ref().deref() is v and v.experimental_ref() == v.ref()
        v.set_shape([1, None])
        with pytest.raises(ValueError, match="contradicts"):
            v.set_shape([2, 1])
        with pytest.raises(TypeError, match=r"variable\.ref\(\)"):
            {v: 1}  # noqa: B018
        for ask in ("initial_value", "initializer"):
            with pytest.raises(RuntimeError, match="eagerly"):
                getattr(v, ask)

    def test_a_copy_is_another_variable(self):
        v = tf.Variable([1.0], trainable=False, name="w")
        other = copy.deepcopy(v)
        other.assign([5.0])
        assert (v.numpy(), other.numpy(), other.trainable, other.name) == (1, 5, False, "w:0")

    def test_initial_values(self):
        assert tf.Variable(lambda: tf.ones([2])).numpy().tolist() == [1, 1]
        assert tf.Variable(1, dtype=tf.float64).dtype is tf.float64
        v = tf.Variable([1.0], shape=tf.TensorShape([None]))
        assert v.assign([1.0, 2.0]).shape == [None]
        for wrong, error, words in (
            (lambda: tf.Variable(), ValueError, "initial_value"),
            (lambda: tf.Variable(1.0, constraint=3), ValueError, "callable"),
            (lambda: tf.Variable(1.0, variable_def="x"), ValueError, "VariableDef"),
            (lambda: tf.Variable([1.0, 2.0], shape=[3]), ValueError, r"\[2\]|\[3\]"),
            (lambda: v1.Variable(1.0, import_scope="x"), ValueError, "VariableDef"),
        ):
            with pytest.raises(error, match=words):
                wrong()

    def test_in_a_function_an_assignment_is_its_new_value(self):
        v = tf.Variable(1.0)

        @tf.function
        def step(x):
            new = v.assign_add(x)
            return new * 10.0, new.name, v + 0.0

        ten, name, after = step(tf.constant(2.0))
        assert (ten.numpy(), after.numpy(), v.numpy()) == (30, 3, 3) and name.numpy() == v.name.encode()


class TestInSessions:
    def test_before_and_after_initialisation(self, session):
        v = v1.Variable([1.0, 2.0], name="v")
        assert session.run(v1.report_uninitialized_variables()).tolist() == [b"v"]
        assert not session.run(v1.is_variable_initialized(v))
        assert session.run(v.initialized_value()).tolist() == [1, 2]
        with pytest.raises(tf.errors.FailedPreconditionError, match="v"):
            session.run(v)
        session.run(v.initializer)
        assert session.run(v1.report_uninitialized_variables()).tolist() == []
        assert session.run(v.is_initialized()) and v.eval().tolist() == v.eval(session).tolist() == [1, 2]
        assert session.run(v.initialized_value()).tolist() == session.run(v.initial_value).tolist() == [1, 2]

    def test_assignments_are_tensors_or_operations(self, session):
        v = v1.Variable(1.0)
        session.run(v1.global_variables_initializer())
        assert session.run(v.assign(3.0)) == 3
        assert session.run(v.assign_add(1.0, read_value=False)) is None and session.run(v) == 4
        assert session.run(v1.assign_sub(v, 0.5)) == 3.5 and session.run(v1.assign_add(v, 1)) == 4.5
        assert session.run(v1.assign(v, 9)) == 9

    def test_rows(self, session):
        v = v1.Variable(np.zeros((3, 1)))
        session.run(v1.global_variables_initializer())
        for op, want in ((v1.scatter_add, [[0], [2], [0]]), (v1.scatter_sub, [[0], [0], [0]]),
                         (v1.scatter_update, [[0], [1], [0]])):  # fmt: skip
            assert session.run(op(v, [1, 1], [[1.0], [1.0]])).tolist() == want

    def test_values_loaded_from_outside(self, session):
        v = v1.Variable([1.0, 2.0])
        nodes = len(session.graph.nodes)
        v.load([5.0, 6.0])
        assert session.run(v).tolist() == [5, 6] and len(session.graph.nodes) == nodes

    def test_reads_after_updates_under_control(self, session):
        v = v1.Variable(1.0)
        session.run(v1.global_variables_initializer())
        with v1.control_dependencies([v.assign(5.0)]):
            after = v.read_value()
        before, late = session.run([v, after])
        assert (before, late) == (1, 5)

    def test_what_it_says_of_itself(self, session):
        v = v1.Variable([1.0], name="w", expected_shape=[1])
        assert repr(v) == "<tf.Variable 'w:0' shape=(1,) dtype=float32>"
        assert v.graph is session.graph and v.op.type == "VariableV2" and v.device == "" and {v: 1}[v] == 1
        with pytest.raises(AttributeError, match=r"Session\.run"):
            v.numpy()
        with pytest.raises(NotImplementedError, match="cannot be copied"):
            copy.deepcopy(v)

    def test_collections(self, session):
        a = v1.Variable(1.0, name="a")
        b = v1.Variable(1.0, name="b", trainable=False)
        c = v1.Variable(1.0, name="c", collections=[v1.GraphKeys.LOCAL_VARIABLES], trainable=False)
        m = v1.Variable(1.0, name="m", collections=[v1.GraphKeys.MODEL_VARIABLES, "mine"])
        assert v1.global_variables() == v1.all_variables() == [a, b]
        assert v1.local_variables() == [c] and v1.model_variables() == [m] == v1.get_collection("mine")
        assert v1.trainable_variables() == [a, m] and v1.trainable_variables("m") == [m]
        assert v1.moving_average_variables() == []
        session.run([v1.local_variables_initializer(), v1.variables_initializer([m])])
        assert session.run([c, m]) == [1, 1]
        assert set(session.run(v1.report_uninitialized_variables())) == {b"a", b"b"}

    def test_nothing_to_report(self, session):
        assert session.run(v1.report_uninitialized_variables()).shape == (0,)


def test_parts_of_a_variable_are_assigned_to():
    v = tf.Variable(np.zeros((2, 3), np.float32))
    v[0].assign([1.0, 2.0, 3.0])
    v[1:, ::2].assign(7.0)
    np.testing.assert_array_equal(v, [[1, 2, 3], [7, 0, 7]])
    np.testing.assert_array_equal(v[..., 1] + 1.0, [3, 1])
    with pytest.raises(ValueError, match=r"\[2\] does not broadcast to \[3\].*test_variables"):
        v[0].assign([1.0, 2.0])
    with pytest.raises(TypeError, match="int32"):
        tf.Variable([1, 2])[0].assign(1.5)
    with pytest.raises(AttributeError, match="only variables"):
        tf.constant([1.0])[0].assign(2.0)

    @tf.function
    def f(x):
        v[0, 0].assign(x)
        return v * 1.0

    assert f(tf.constant(9.0)).numpy()[0, 0] == 9.0 == v.numpy()[0, 0]


def test_parts_of_a_variable_in_a_session_and_their_gradient():
    with v1.Graph().as_default(), v1.Session() as session:
        v = v1.Variable([[1.0, 2.0], [3.0, 4.0]])
        x = v1.placeholder(v1.float32, [2])
        new = v[1].assign(x * x)
        dx, dv = v1.gradients(new * [[1.0, 2.0], [3.0, 4.0]], [x, v])
        session.run(v1.global_variables_initializer())
        made, to_x, to_v = session.run([new, dx, dv], {x: [5.0, 6.0]})
        np.testing.assert_array_equal(made, [[1, 2], [25, 36]])
        np.testing.assert_array_equal(to_x, [30, 48])
        np.testing.assert_array_equal(to_v, [[1, 2], [0, 0]])
        np.testing.assert_array_equal(session.run(v), made)
