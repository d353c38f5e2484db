"""Variable scopes, name scopes, collections, the default graph and the default session."""

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core import interpreter


@pytest.fixture(autouse=True)
def graph():
    with v1.Graph().as_default() as g:
        yield g


class TestVariableScope:
    def test_defaults_of_a_scope(self):
        with v1.variable_scope("s", initializer=v1.ones_initializer(), dtype=tf.float64) as scope:
            assert v1.get_variable_scope() is scope
            v = v1.get_variable("v", [2])
            scope.set_dtype(tf.int32)
            scope.set_initializer(lambda shape, dtype: np.full(shape, 7, dtype.as_numpy_dtype))
            w = v1.get_variable("w", [2])
        assert (v.name, v.dtype, w.dtype) == ("s/v:0", tf.float64, tf.int32)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            assert [x.tolist() for x in session.run([v, w])] == [[1, 1], [7, 7]]

    def test_reuse_is_asked_for(self):
        with v1.variable_scope("s"):
            v = v1.get_variable("v", [2])
            with pytest.raises(ValueError, match=r"s/v already exists.*AUTO_REUSE"):
                v1.get_variable("v", [2])
            v1.get_variable_scope().reuse_variables()
            assert v1.get_variable("v", [2]) is v
        with v1.variable_scope("s", reuse=True):
            assert v1.get_variable("v") is v
            for arguments, words in (
                ((("v"), [3]), "shape"),
                ((("v"), [2], tf.float64), "dtype"),
                ((("u"), [2]), "not exist"),
            ):
                with pytest.raises(ValueError, match=words):
                    v1.get_variable(*arguments)
        with v1.variable_scope("s", reuse=v1.AUTO_REUSE):
            assert v1.get_variable("v", [2]) is v and v1.get_variable("new", [1]) is v1.get_variable("new", [1])
        assert repr(v1.AUTO_REUSE) == "AUTO_REUSE"

    def test_a_scope_entered_again(self):
        with v1.variable_scope("outer"), v1.variable_scope("inner") as inner:
            v = v1.get_variable("v", [1])
        with v1.variable_scope(inner, reuse=True):
            assert v1.get_variable("v") is v
            assert v1.constant(1.0).op.name == "inner/Const"
        with v1.variable_scope("other"), v1.variable_scope(inner, auxiliary_name_scope=False):
            assert v1.get_variable("u", [1]).name == "outer/inner/u:0"
            assert v1.constant(1.0).op.name == "other/Const"

    def test_default_names_are_made_unique(self):
        names = []
        for _ in range(2):
            with v1.variable_scope(None, "block") as scope:
                names.append((scope.name, v1.get_variable("v", [1]).name))
        assert names == [("block", "block/v:0"), ("block_1", "block_1/v:0")]
        with v1.variable_op_scope([], "old") as scope:
            assert scope.name == "old"
        with pytest.raises(TypeError, match="default_name"):
            v1.variable_scope(None)

    def test_regularisers(self):
        with v1.variable_scope("s", regularizer=lambda x: v1.reduce_sum(x * x)) as scope:
            v1.get_variable("w", [2], initializer=v1.ones_initializer())
            v1.get_variable("free", [2], regularizer=v1.no_regularizer)
            scope.set_regularizer(None)
            v1.get_variable("b", [2])
        (loss,) = v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)
        assert loss.name == "s/w/Regularizer/Sum:0"
        assert [v.name for v in scope.trainable_variables()] == ["s/w:0", "s/free:0", "s/b:0"]
        assert scope.global_variables() == v1.global_variables("s/")

    def test_custom_getters_wrap_each_other(self):
        heard = []

        def getter(label):
            def get(real, name, **settings):
                heard.append((label, name))
                return real(name, **settings)

            return get

        with (
            v1.variable_scope("a", custom_getter=getter("outer")) as scope,
            v1.variable_scope("b", custom_getter=getter("inner")),
        ):
            v = v1.get_variable("v", [1])
        assert heard == [("inner", "a/b/v"), ("outer", "a/b/v")] and v.name == "a/b/v:0"
        scope.set_custom_getter(None)
        heard.clear()
        with v1.variable_scope(scope):
            v1.get_variable("w", [1], custom_getter=getter("own"))
        assert heard == [("own", "a/w")]

    def test_initial_values(self):
        array = np.array([1.0, 2.0])
        made = {
            "array": v1.get_variable("array", initializer=array),
            "tensor": v1.get_variable("tensor", initializer=v1.constant([3])),
            "class": v1.get_variable("class", [2], initializer=v1.ones_initializer),
            "function": v1.get_variable("function", [2], initializer=lambda shape: np.full(shape, 4, np.float32)),
            "integers": v1.get_variable("integers", [2], tf.int32),
            "truth": v1.get_variable("truth", [1], tf.bool),
            "words": v1.get_variable("words", [1], tf.string),
            "glorot": v1.get_variable("glorot", [50, 50]),
        }
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            found = session.run(made)
        assert {k: v.tolist() for k, v in found.items() if k != "glorot"} == {
            "array": [1, 2], "tensor": [3], "class": [1, 1], "function": [4, 4], "integers": [0, 0], "truth": [False],
            "words": [b""],
        }  # fmt: skip
        assert (found["array"].dtype, found["tensor"].dtype) == (np.float64, np.int32)
        assert 0.2 < abs(found["glorot"]).max() <= (6 / 100) ** 0.5
        for wrong, words in (
            (lambda: v1.get_variable("x", [None, 2]), "fully defined"),
            (lambda: v1.get_variable("x"), "fully defined"),
            (lambda: v1.get_variable("x", [2], initializer=array), "do not specify shape"),
            (lambda: v1.get_variable("x", [2], tf.complex64), "required"),
            (lambda: v1.get_variable("x", [2], partitioner=lambda **_: [3]), "partition"),
            (lambda: v1.get_variable("x", [2, 2], partitioner=lambda **_: [2, 2]), "more than one dimension"),
        ):
            with pytest.raises(ValueError, match=words):
                wrong()


class TestNames:
    def test_name_scopes(self):
        with v1.name_scope("a"), v1.name_scope(None, "b"), v1.op_scope([], None, "c") as scope:
            assert (scope, v1.constant(1.0).op.name) == ("a/b/c/", "a/b/c/Const")
        with tf.name_scope("a") as again:
            assert again == "a_1/"

    def test_devices_are_noted(self):
        with v1.device("/cpu:0"):
            assert v1.constant(1.0).op.device.lower().endswith("cpu:0")
        with tf.device("/gpu:1"):
            assert "1" in tf.constant(1.0).op.device

    def test_control_inputs(self):
        v = v1.Variable(1.0)
        update = v.assign(2.0)
        with tf.control_dependencies([update]):
            y = tf.identity(1.0)
            with v1.control_dependencies(None):
                free = tf.identity(1.0)
        assert list(y.op.control_inputs) == [update.op] and not free.op.control_inputs

    def test_eager_control_dependencies_call_functions(self):
        done = []
        with interpreter.entered(interpreter.eager()), tf.control_dependencies([lambda: done.append(1)]):
            assert done == [1]


class TestCollections:
    def test_lists_and_prefixes(self, graph):
        a, b = v1.constant(1, name="a"), v1.constant(2, name="b")
        v1.add_to_collections(["x", "y"], a)
        v1.add_to_collection("x", b)
        v1.add_to_collection("x", 3)
        assert v1.get_collection("x") == [a, b, 3] and v1.get_collection("y") == [a]
        assert v1.get_collection("x", "b") == [b]
        v1.get_collection_ref("x").remove(3)
        assert v1.get_collection("x") == [a, b] and v1.get_collection("none") == []
        copied = v1.get_collection("x")
        copied.clear()
        assert v1.get_collection("x") == [a, b]


class TestGrouping:
    def test_groups_and_tuples(self):
        v, w = v1.Variable(1.0), v1.Variable(1.0)
        both = tf.group(v.assign(5.0), w.assign(6.0), None, name="both")
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            assert session.run(both) is None and session.run([v, w]) == [5, 6]
            first, none, second = v1.tuple([v.assign(7.0), None, w + 0.0], control_inputs=[tf.no_op()])
            assert none is None and session.run([first, second]) == [7, 6]
            assert session.run(tf.tuple([w])[0]) == 6
        assert both.name == "both" and both.type == "NoOp"
        with pytest.raises(ValueError, match="only `name`"):
            tf.group(v, names="x")


def test_eager_groups_are_done_already():
    with interpreter.entered(interpreter.eager()):
        assert (tf.group(tf.constant(1)), tf.no_op(), tf.tuple([1, 2])) == (None, None, [1, 2])
