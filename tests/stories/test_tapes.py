"""Programs in TensorFlow 2's style: eager tensors, tapes, functions, custom gradients."""

import numpy as np
import pytest

import pullback as tf


class TestTape:
    def test_constants_only_when_watched_variables_by_themselves(self):
        v, c = tf.Variable(3.0), tf.constant(2.0)
        with tf.GradientTape() as tape:
            y = v * c
        assert tape.watched_variables() == (v,) or [x is v for x in tape.watched_variables()] == [True]
        dv, dc = tape.gradient(y, [v, c])
        assert (float(dv), dc) == (2.0, None)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(c)
            y = v * c
        assert tape.gradient(y, {"v": v, "c": c}, unconnected_gradients="zero")["v"].numpy() == 0.0

    def test_a_tape_answers_once_unless_persistent(self):
        x = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = x * x
        assert tape.gradient(y, x).numpy() == 6.0
        with pytest.raises(RuntimeError, match=r"persistent=True.*test_tapes\.py"):
            tape.gradient(y, x)
        with tf.GradientTape(persistent=True) as tape:
            y, z = x * x, x * 2.0
        assert [tape.gradient(t, x).numpy() for t in (y, z, y)] == [6.0, 2.0, 6.0]

    def test_stop_recording_and_reset(self):
        x = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = x * x
            with tape.stop_recording():
                z = x * y
            w = y + z
        assert tape.gradient(w, x).numpy() == 6.0
        with tf.GradientTape() as tape:
            y = x * x
            tape.reset()
            z = x * 2.0
        assert tape.gradient(z, x).numpy() == 2.0
        with pytest.raises(ValueError, match="not recording"), tape.stop_recording():
            pass

    def test_nested_tapes_and_output_gradients(self):
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x * x * x
            d = inner.gradient(y, x, output_gradients=tf.constant([1.0, 10.0]))
        np.testing.assert_allclose(d, [3.0, 120.0])
        np.testing.assert_allclose(outer.gradient(d, x), [6.0, 120.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        with pytest.raises(ValueError, match="output_gradients"):
            tape.gradient(y, x, output_gradients=tf.ones([3]))

    def test_jacobians(self):
        w = tf.constant(np.random.default_rng(0).normal(size=(3, 2)))
        x = tf.constant(np.random.default_rng(1).normal(size=(4, 3)))

        def f(x):
            y = tf.matmul(x, w)
            return y * y

        for g in (f, tf.function(f)):
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(x)
                y = g(x)
            full, each = tape.jacobian(y, x), tape.batch_jacobian(y, x)
            assert (full.shape, each.shape) == ((4, 2, 4, 3), (4, 2, 3))
            rows = np.stack([tape.gradient(y, x, output_gradients=e) for e in np.eye(8).reshape(8, 4, 2)])
            np.testing.assert_allclose(full, rows.reshape(4, 2, 4, 3))
            np.testing.assert_allclose(each, np.einsum("bjbk->bjk", full))

    def test_jacobian_inside_a_function(self):
        @tf.function
        def f(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = x * x * x
            return tape.jacobian(y, x)

        np.testing.assert_allclose(f(tf.constant([1.0, 2.0])), np.diag([3.0, 12.0]))

    def test_wrong_targets_and_sources(self):
        x = tf.Variable(1.0)
        with tf.GradientTape(persistent=True) as tape:
            y = x * 2.0
        with pytest.raises(ValueError, match="target"):
            tape.gradient(3.0, x)
        with pytest.raises(TypeError, match="source"):
            tape.gradient(y, "x")
        with pytest.raises(ValueError, match=r"watch|Tensor"):
            tape.watch(3.0)


class TestTypes:
    def test_what_is_no_tensor_takes_the_tensors_type(self):
        x = tf.constant([1.0, 2.0])
        assert (x + np.ones(2, np.float64)).dtype == tf.float32
        assert (np.ones(2, np.float64) + x).dtype == tf.float32
        assert (x * 2).dtype == tf.float32
        assert (tf.constant([1], tf.float64) + 1).dtype == tf.float64
        assert (tf.constant([1, 2]) / 2).dtype == tf.float64

    def test_tensors_are_never_promoted(self):
        for error in (tf.errors.InvalidArgumentError, TypeError):
            with pytest.raises(error, match=r"test_tapes\.py"):
                tf.constant([1, 2]) + 0.5
            with pytest.raises(error, match=r"tf\.cast"):
                tf.constant([1.0]) + tf.constant([1.0], tf.float64)

    def test_complex_gradients_are_conjugated(self):
        z = tf.constant(1.0 + 2.0j, tf.complex128)
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = z * z * z
        assert np.isclose(tape.gradient(y, z).numpy(), np.conj(3 * (1 + 2j) ** 2))

    def test_integers_have_no_gradient(self):
        n = tf.constant(3)
        with tf.GradientTape() as tape:
            tape.watch(n)
            y = n * n
        assert tape.gradient(y, n) is None

    @pytest.mark.parametrize(
        "name", ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int64", "bool", "complex64"]
    )
    def test_element_types(self, name):
        dtype = tf.as_dtype(name)
        x = tf.cast(tf.constant([0, 1, 1]), dtype)
        assert (x.dtype, x.dtype.name, tf.identity(x).numpy().dtype) == (dtype, name, dtype.as_numpy_dtype)


class TestCustomGradient:
    def test_the_body_sees_values(self):
        @tf.custom_gradient
        def f(x):
            factor = 10.0 if float(x.numpy()) > 0 else 100.0
            return x * x, lambda dy: dy * factor

        for value, want in ((2.0, 10.0), (-2.0, 100.0)):
            x = tf.Variable(value)
            with tf.GradientTape() as tape:
                y = f(x)
            assert (y.numpy(), tape.gradient(y, x).numpy()) == (4.0, want)

    def test_it_has_a_second_derivative(self):
        @tf.custom_gradient
        def log1pexp(x):
            e = tf.exp(x)
            return tf.math.log(1.0 + e), lambda dy: dy * (1.0 - 1.0 / (1.0 + e))

        for f in (log1pexp, tf.function(log1pexp)):
            x = tf.Variable(0.5)
            with tf.GradientTape() as outer:
                with tf.GradientTape() as inner:
                    y = f(x)
                d = inner.gradient(y, x)
            s = 1 / (1 + np.exp(-0.5))
            np.testing.assert_allclose(d, s, rtol=1e-6)
            np.testing.assert_allclose(outer.gradient(d, x), s * (1 - s), rtol=1e-5)

    def test_variables_inside(self):
        w = tf.Variable(3.0)

        @tf.custom_gradient
        def f(x):
            def grad(dy, variables=None):
                return dy * 7.0, [dy * 11.0 for _ in variables]

            return x * w, grad

        x = tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert [g.numpy() for g in tape.gradient(y, [x, w])] == [7.0, 11.0]

        @tf.custom_gradient
        def forgets(x):
            return x * w, lambda dy: dy

        with pytest.raises(TypeError, match="variables"):
            forgets(x)

    def test_in_graphs(self):
        import pullback.v1 as v1

        @tf.custom_gradient
        def reversed_gradient(x):
            return x * 1.0, lambda dy: -dy

        with v1.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(v1.float32, [2])
            y = reversed_gradient(x) * 3.0
            np.testing.assert_array_equal(session.run(v1.gradients(y, x)[0], {x: [1, 2]}), [-3.0, -3.0])

    def test_wrong_answers(self):
        @tf.custom_gradient
        def two(x, y):
            return x * y, lambda dy: dy

        x = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            y = two(x, x)
        with pytest.raises(ValueError, match="1 cotangents for 2"):
            tape.gradient(y, x)
        with pytest.raises(TypeError, match="result, grad_fn"):
            tf.custom_gradient(lambda x: x)(x)


class TestFunction:
    def test_traces_by_shape_and_python_value(self):
        traced = []

        @tf.function
        def f(x, flag=True):
            traced.append(flag)
            return x * 2.0 if flag else x

        f(tf.ones([2]))
        f(tf.zeros([2]))
        f(np.ones(2, np.float32))
        assert traced == [True]
        f(tf.ones([3]))
        f(tf.ones([3]), flag=False)
        assert traced == [True, True, False]

    def test_nests_in_and_out(self):
        @tf.function
        def f(pair, scale):
            return {"sum": pair[0] + pair[1], "rest": [pair[0] * scale, None]}

        out = f((tf.constant(1.0), tf.constant(2.0)), scale=3.0)
        assert (out["sum"].numpy(), out["rest"][0].numpy(), out["rest"][1]) == (3.0, 3.0, None)

    def test_variables_effects_and_order(self):
        v = tf.Variable(1.0)

        @tf.function
        def f():
            v.assign_add(1.0)
            first = v * 1.0
            v.assign(v * 10.0)
            return first, v.read_value()

        assert [t.numpy() for t in f()] == [2.0, 20.0]
        assert v.numpy() == 20.0

    def test_variables_made_inside_are_lifted(self):
        made = []

        @tf.function
        def f(x):
            if not made:
                made.append(tf.Variable(tf.ones([2]) * 3.0))
            return x * made[0]

        np.testing.assert_array_equal(f(tf.constant(2.0)), [6.0, 6.0])
        made[0].assign([1.0, 2.0])
        np.testing.assert_array_equal(f(tf.constant(2.0)), [2.0, 4.0])

    def test_methods_signatures_and_concrete_functions(self):
        class Model:
            def __init__(self):
                self.w = tf.Variable(2.0)

            @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
            def __call__(self, x):
                return x * self.w

        model = Model()
        assert model([1.0, 2.0]).numpy().tolist() == [2.0, 4.0]
        assert model(tf.ones([5])).shape == (5,)
        with pytest.raises(TypeError, match="input_signature"):
            model(tf.ones([2, 2]))
        f = tf.function(lambda x: x + 1.0).get_concrete_function(tf.TensorSpec([None], tf.float32))
        assert f(tf.constant([1.0])).numpy() == [2.0]

    def test_a_tensor_is_no_python_bool_while_tracing_without_autograph(self):
        with pytest.raises(TypeError, match=r"tf\.cond"):
            tf.function(lambda x: x if x > 0 else -x, autograph=False)(tf.constant(1.0))

    def test_gradients_by_captures_and_arguments_of_nested_functions(self):
        w = tf.Variable([1.0, 2.0])

        @tf.function
        def inner(x):
            return x * w * w

        @tf.function
        def outer(x):
            return tf.reduce_sum(inner(x) * inner(x))

        x = tf.constant([3.0, 4.0])
        with tf.GradientTape() as t2:
            t2.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = outer(x)
            dx, dw = tape.gradient(y, [x, w])
        np.testing.assert_allclose(dx, 2 * np.array([3, 4]) * np.array([1, 16]))
        np.testing.assert_allclose(dw, 4 * np.array([9, 16]) * np.array([1, 8]))
        np.testing.assert_allclose(t2.gradient(dw, x), 8 * np.array([3, 4]) * np.array([1, 8]))

    def test_sparse_gradients_come_out_sparse(self):
        table = tf.Variable(np.arange(6.0, dtype=np.float32).reshape(3, 2))

        @tf.function
        def f(rows):
            return tf.reduce_sum(tf.gather(table, rows) * 2.0)

        for g in (f, f.python_function):
            with tf.GradientTape() as tape:
                y = g(tf.constant([0, 2, 0]))
            slices = tape.gradient(y, table)
            assert isinstance(slices, tf.IndexedSlices)
            np.testing.assert_array_equal(tf.convert_to_tensor(slices), [[4, 4], [0, 0], [2, 2]])


def test_eager_tensors_are_their_holders_own():
    array = np.array([1.0, 2.0], np.float32)
    x = tf.constant(array)
    array[:] = 9.0
    out = x.numpy()
    out[:] = 7.0
    np.testing.assert_array_equal(x, [1.0, 2.0])
    v = tf.Variable(x)
    before = v.numpy()
    held = v.value()
    v.assign([5.0, 6.0])
    np.testing.assert_array_equal(before, [1.0, 2.0])
    np.testing.assert_array_equal(held, [1.0, 2.0])
