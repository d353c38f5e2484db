"""The core's own promises: dtypes, shapes, specs, interned ops, nests, names, errors, stores, the door."""

import copy
import gc
import pickle
import threading
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core import dtypes, errors, interpreter, nest, shape
from pullback.core.basics import AddN, BroadcastTo
from pullback.core.graph import Graph, ancestors
from pullback.core.op import REGISTRY, Op, op
from pullback.core.shape import Dimension, TensorShape, TensorShapeV1
from pullback.core.spec import Spec
from pullback.core.store import PROCESS, Resource, Store


class TestDTypes:
    def test_one_type_by_every_name(self):
        for name in ("float32", "float", np.float32, np.dtype("float32"), np.dtype(">f4"), 1, float, tf.float32):
            assert tf.as_dtype(name) is tf.float32
        assert (tf.float32 == "float32", tf.float32 == np.float32, tf.float32 == tf.float64) == (True, True, False)
        assert {tf.as_dtype(t) for t in ("half", "double", "bfloat16", str, bool, int)} == {
            tf.float16, tf.float64, tf.bfloat16, tf.string, tf.bool, tf.int32,
        }  # fmt: skip

    def test_what_a_type_says_of_itself(self):
        assert (tf.int8.min, tf.int8.max, tf.uint8.limits, tf.float16.limits) == (-128, 127, (0, 255), (0, 1))
        assert (tf.complex64.real_dtype, tf.bfloat16.size, tf.float64.as_datatype_enum) == (tf.float32, 2, 2)
        assert repr(tf.float32) == "tf.float32" and str(tf.float32) == "<dtype: 'float32'>"
        assert float(tf.bfloat16.max) > 1e38
        assert pickle.loads(pickle.dumps(tf.float32)) is tf.float32
        with pytest.raises(TypeError, match="neither real nor bool"):
            tf.string.min  # noqa: B018
        with pytest.raises(TypeError, match="no element type"):
            tf.as_dtype("float23")


class TestShapes:
    def test_broadcasting_with_unknowns(self):
        assert shape.broadcast((2, 1), (None, 3)) == (2, 3)
        assert shape.broadcast((None, 1), (1, 4)) == (None, 4)
        assert shape.broadcast((None,), (3,)) == (3,)
        assert shape.broadcast((2,), None) is None
        with pytest.raises(errors.ShapeError, match=r"\[2\] and \[3\]"):
            shape.broadcast((2,), (3,))

    def test_tensor_shape(self):
        s = TensorShape([None, 3])
        assert (s.as_list(), s.rank, len(s), s[1], s[0], str(s), repr(s)) == (
            [None, 3], 2, 2, 3, None, "(None, 3)", "TensorShape([None, 3])",
        )  # fmt: skip
        assert s.merge_with([2, None]) == [2, 3]
        assert s.concatenate([4]) == TensorShape([None, 3, 4]) == s + [4]  # noqa: RUF005
        assert (s.is_compatible_with([5, 3]), s.is_fully_defined(), s.num_elements()) == (True, False, None)
        assert list(s[1:]) == [3] and TensorShape(None)[1:].rank is None
        with pytest.raises(ValueError, match="unknown TensorShape"):
            TensorShape(None).as_list()
        with pytest.raises(ValueError, match="incompatible"):
            s.assert_is_compatible_with([5, 4])
        with pytest.raises(ValueError, match="at least 0"):
            TensorShape([-1])

    def test_dimensions_of_tensorflow_1(self):
        s = TensorShapeV1([None, 3])
        assert (s[1].value, s[0].value, int(s[1]) + 1, str(s)) == (3, None, 4, "(?, 3)")
        assert [d.value for d in s.dims] == [None, 3] and isinstance(s.dims[0], Dimension)
        assert (s[1] * 2).value == 6 and (2 * s[1]).value == 6 and (7 // s[1]).value == 2
        assert (s[0] + 1).value is None and (s[0] == 3) is None and s[1] == 3 and s[1] > 2
        assert np.zeros(s[1:].as_list()).shape == (3,) and range(s[1])[-1] == 2


class TestSpecsAndOps:
    def test_equal_specs_are_one_object(self):
        assert Spec((2, None), tf.float32) is Spec((2, None), tf.float32)
        assert Spec((2,), tf.int32, (1, None)) is not Spec((2,), tf.int32, (1, 2))
        assert repr(Spec((2, None), tf.float32)) == "float32[2,?]"

    def test_equal_fields_are_one_object_and_types_and_bits_count(self):
        @op
        class Fielded(Op):
            """For this test."""

            a: Any
            b: Any = ()

        try:
            assert Fielded([1, 2]) is Fielded((1, 2)) is Fielded(a=(1, 2))
            assert Fielded(np.int64(3)) is Fielded(3)
            kept = [Fielded(0.0), Fielded(-0.0), Fielded(1), Fielded(1.0), Fielded(True)]
            assert len({id(k) for k in kept}) == 5
            array = np.ones(2)
            held = Fielded(array)
            assert Fielded(array) is held and Fielded(array.copy()) is not held
            assert repr(Fielded(1, (2,))) == "Fielded(a=1, b=(2,))"
            with pytest.raises(AttributeError, match="frozen"):
                held.a = 2
            for wrong in (lambda: Fielded(), lambda: Fielded(1, 2, 3), lambda: Fielded(1, c=2)):
                with pytest.raises(TypeError, match="field"):
                    wrong()
        finally:
            del REGISTRY["Fielded"]

    def test_an_op_dies_with_its_last_user(self):
        array = np.ones(3)
        kind = type(REGISTRY["Const"](array, tf.float64))
        before = len(kind.interned)
        made = kind(np.zeros(3), tf.float64)
        del made
        gc.collect()
        assert len(kind.interned) <= before

    def test_two_ops_of_one_name_are_refused(self):
        with pytest.raises(ValueError, match="two ops are named 'AddN'"):
            op(type("AddN", (Op,), {"__module__": "elsewhere", "__doc__": "Another."}))
        assert REGISTRY["AddN"] is AddN

    def test_a_rule_that_is_not_there_says_where_to_write_it(self):
        with pytest.raises(NotImplementedError, match="method `expand` to class BroadcastTo in pullback/core/basics"):
            BroadcastTo().expand()

    def test_wrong_counts_and_types_at_the_door(self):
        with pytest.raises(TypeError, match=r"BroadcastTo takes 2 inputs \(x, shape\), but 1"):
            BroadcastTo()(np.ones(2))
        with pytest.raises(errors.InvalidArgumentError, match="shape is float32"):
            BroadcastTo()(np.ones(2), tf.constant([2.0]))


class TestNests:
    def test_structures_come_back(self):
        Pair = namedtuple("Pair", "x y")
        for value in (1, [1, 2], (1, [2, {"b": 3, "a": Pair(4, None)}]), {}, [], ((),), {"k": [1]}):
            leaves, structure = nest.flatten(value)
            assert nest.unflatten(structure, leaves) == value
        assert nest.flatten({"b": 2, "a": 1})[0] == [1, 2]
        assert nest.flatten(Pair(1, Pair(2, 3)))[0] == [1, 2, 3]
        assert nest.mapped(lambda a, b: a + b, [1, (2,)], [10, (20,)]) == [11, (22,)]
        with pytest.raises(ValueError, match="must match"):
            nest.mapped(lambda a, b: a, [1, 2], [1])


class TestStores:
    def test_values_die_with_their_resource(self):
        store, held = Store(), Resource("v", Spec((), tf.float32))
        with pytest.raises(errors.FailedPreconditionError, match="uninitialized value v"):
            store.read(held)
        store.write(held, np.float32(1))
        assert store.read(held) == 1 and store.holds(held) and list(store) == [held]
        del held
        gc.collect()
        assert list(store) == []

    def test_eager_variables_leave_nothing_behind(self):
        gc.collect()
        before = len(list(PROCESS))
        variable = tf.Variable(np.zeros(1000))
        assert len(list(PROCESS)) == before + 1
        del variable
        gc.collect()
        assert len(list(PROCESS)) == before


class TestTheDoor:
    def test_threads_have_their_own_interpreters_and_tapes(self):
        x = tf.Variable(3.0)
        answers: list[Any] = []

        def work():
            with tf.GradientTape() as tape:
                y = x * x
            answers.append((interpreter.current() is interpreter.eager(), tape.gradient(y, x).numpy()))

        with v1.Graph().as_default(), tf.GradientTape() as outer:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert answers == [(True, 6.0)]
        assert outer.watched_variables() == ()

    def test_graphs_nest_and_refuse_strangers(self):
        g, other = Graph(), Graph()
        with g.as_default():
            x = tf.constant(1.0)
            with other.as_default():
                y = tf.constant(2.0)
        with pytest.raises(ValueError, match=r"another graph.*test_core\.py"):
            x + y
        g.finalize()
        with pytest.raises(RuntimeError, match="finalized"), g.as_default():
            tf.constant(1.0)

    def test_ancestors_visit_only_what_is_needed(self):
        g = Graph()
        with g.as_default():
            x = tf.constant(1.0, name="x")
            y = x + 1.0
            z = y * y
            x * 5.0
        assert [n.name for n in ancestors([z])] == ["x", "add/y", "add", "mul"]
        assert [n.name for n in ancestors([z], stops=[y])] == ["mul"]

    def test_operations_remember_the_users_line(self):
        with v1.Graph().as_default():
            y = tf.constant(1.0) * 2.0
        assert y.op.where.startswith("test_core.py:")
        assert y.op.traceback[0][3] == "y = tf.constant(1.0) * 2.0"

    def test_graph_look_ups(self):
        with v1.Graph().as_default() as g:
            c = tf.constant(1.0, name="c")
            g.add_to_collection("mine", c)
        assert g.get_tensor_by_name("c:0") is c and g.get_operation_by_name("c") is c.op
        assert g.as_graph_element("c:0") is c and g.get_collection("mine") == [c] and c.consumers() == []
        for wrong, error in (("d:0", KeyError), ("c:1", KeyError), ("c", ValueError)):
            with pytest.raises(error):
                g.get_tensor_by_name(wrong)
        with pytest.raises(ValueError, match="not a valid"), g.as_default():
            tf.constant(1.0, name="a b")

    def test_copies_of_values(self):
        x = tf.constant([1.0, 2.0])
        assert copy.deepcopy(x) is x and pickle.loads(pickle.dumps(x)).numpy().tolist() == [1.0, 2.0]
        assert (float(tf.constant(1.5)), int(tf.constant(2)), bool(tf.constant(True))) == (1.5, 2, True)
        assert [10, 20][tf.constant(1)] == 20
        with pytest.raises(ValueError, match="single value"):
            bool(x)
        with pytest.raises(AttributeError, match="meaningless"):
            x.graph  # noqa: B018


def test_plain_python_values_become_tensors():
    as_tensor = interpreter.as_tensor
    assert [as_tensor(v).dtype.name for v in (1, 1.0, True, 1j, "a", 2**40, [1, 2.5], np.ones(1), [np.float64(1)])] == [
        "int32", "float32", "bool", "complex128", "string", "int64", "float32", "float64", "float64",
    ]  # fmt: skip
    assert as_tensor([1, 2], tf.float64).dtype is dtypes.float64
    misfits = ((1.5, tf.int32), (300, tf.uint8), ("a", tf.float32), (1j, tf.float32), (True, tf.float32), (None, None))
    for value, dtype in misfits:
        with pytest.raises(TypeError, match=r"test_core\.py"):
            as_tensor(value, dtype)
