"""tf.function: traces, signatures, methods, what may be returned, and what it refuses."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


class TestTraces:
    def test_one_for_each_kind_of_arguments(self):
        traced = []

        @tf.function
        def f(x, y=2.0, z=1):
            traced.append((x, y, z))
            return x * y + z

        one, row = tf.constant(1.0), tf.constant([1.0, 2.0])
        assert (f(one, 2.0, 1), f(one, z=1, y=2.0), f(x=one), f(one, 2.0, z=1)) == (3, 3, 3, 3)
        assert len(traced) == f.experimental_get_tracing_count() == 1
        for call in (lambda: f(row, 2.0, 1), lambda: f(one, 3.0, 1), lambda: f(one, tf.constant(2.0), 1)):
            call(), call()
        assert len(traced) == 4
        assert f.pretty_printed_concrete_signatures().count("float32[2]") == 1

    def test_unhashable_python_values_are_told_apart(self):
        class Box:
            __hash__ = None

            def __init__(self, n):
                self.n = n

        f = tf.function(lambda box: tf.constant(1.0) * box.n)
        one, two = Box(1.0), Box(2.0)
        assert (f(one), f(two), f(one)) == (1, 2, 1)

    def test_input_signatures(self):
        spec = tf.TensorSpec([None, 2], tf.float32, name="rows")
        f = tf.function(lambda x: tf.reduce_sum(x), input_signature=[spec])
        assert f([[1.0, 2.0]]) == 3 and f(tf.ones([5, 2])) == 10 and f.experimental_get_tracing_count() == 1
        for wrong in (lambda: f(tf.ones([2, 3])), lambda: f(tf.ones([1, 2], tf.float64)), lambda: f()):
            with pytest.raises(TypeError):
                wrong()

    def test_specs_compare(self):
        spec = tf.TensorSpec([None, 2], name="rows")
        assert spec == tf.TensorSpec.from_spec(spec) and hash(spec) == hash(tf.TensorSpec([None, 2], name="rows"))
        assert tf.TensorSpec.from_tensor(tf.ones([3, 2]), "x") != spec and spec.is_compatible_with(tf.ones([3, 2]))
        assert repr(spec) == "TensorSpec(shape=(None, 2), dtype=tf.float32, name='rows')"

    def test_concrete_functions(self):
        v = tf.Variable(3.0)
        frozen = tf.Variable(1.0, trainable=False)

        @tf.function
        def f(x, label):
            return {"y": x * v + frozen, "label": label}

        c = f.get_concrete_function(tf.TensorSpec([None], tf.float32), "a")
        assert c(tf.constant([1.0, 2.0]))["y"].numpy().tolist() == [4, 7]
        assert c.variables == (v, frozen) or [x.ref() for x in c.variables] == [v.ref(), frozen.ref()]
        assert [x.ref() for x in c.trainable_variables] == [v.ref()]
        assert c.structured_outputs["y"].shape == [None] and len(c.captured_inputs) == 2
        assert c.inputs[0].dtype is tf.float32 and [y.shape for y in c.outputs] == [[], [None]]
        with pytest.raises(TypeError, match="takes 1 tensors, but 2"):
            c(tf.constant([1.0]), tf.constant([1.0]))
        with pytest.raises(ValueError, match="traced for"):
            c(tf.ones([2, 2]))

    def test_methods_belong_to_their_object(self):
        class Scale:
            def __init__(self, by):
                self.by = tf.Variable(by)

            @tf.function
            def apply(self, x, *, twice=False):
                return x * self.by * (2.0 if twice else 1.0)

        a, b = Scale(2.0), Scale(5.0)
        assert (a.apply(1.0), b.apply(1.0), a.apply(1.0, twice=True)) == (2, 5, 4)
        assert a.apply is a.apply and isinstance(Scale.apply, type(a.apply))

    def test_methods_of_objects_that_do_not_hash(self):
        class Odd:
            __hash__ = None

            @tf.function
            def apply(self, x):
                return x + 1.0

        odd = Odd()
        assert odd.apply(tf.constant(1.0)) == 2


class TestResults:
    def test_what_may_be_returned(self):
        v = tf.Variable(2.0)

        @tf.function
        def f(x):
            slices = tf.IndexedSlices(x, tf.constant([1]), tf.constant([3, 1]))
            bare = tf.IndexedSlices(x, tf.constant([1]))
            return None, v, 3, np.float64(2.5), "word", [slices, bare], x

        none, value, three, half, word, (slices, bare), x = f(tf.constant([[1.0]]))
        assert (none, value.numpy(), three.numpy(), half.numpy(), word.numpy()) == (None, 2, 3, 2.5, b"word")
        assert tf.convert_to_tensor(slices).numpy().tolist() == [[0], [1], [0]] and bare.dense_shape is None
        assert x.numpy().tolist() == [[1]]
        with pytest.raises(TypeError, match="must return tensors"):
            tf.function(lambda: object())()

    def test_it_can_run_as_plain_python(self):
        seen = []
        f = tf.function(lambda x: seen.append(tf.executing_eagerly()) or x * 2.0)
        try:
            tf.config.run_functions_eagerly(True)
            assert tf.config.functions_run_eagerly() and f(tf.constant(2.0)) == 4
        finally:
            tf.config.run_functions_eagerly(False)
        assert f(tf.constant(2.0)) == 4 and seen == [True, False]

    def test_decorators_with_and_without_arguments(self):
        @tf.function(reduce_retracing=True)
        def f(x):
            """Twice."""
            return x * 2.0

        assert (f(tf.constant(2.0)), f.__name__, f.__doc__) == (4, "f", "Twice.")

    def test_in_a_session(self):
        with v1.Graph().as_default(), v1.Session() as session:
            p = v1.placeholder(tf.float32, [None])
            w = v1.Variable([3.0])
            f = tf.function(lambda x: x * w)
            y = f(p)
            session.run(w.initializer)
            assert session.run(y, {p: [1, 2]}).tolist() == [3, 6]
            assert session.run(v1.gradients(y, w)[0], {p: [1, 2]}).tolist() == [3]
            assert y.op.type in ("PartitionedCall", "StatefulPartitionedCall")
