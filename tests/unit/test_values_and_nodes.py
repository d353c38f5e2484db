"""Tensors, element types, operations and namespaces: what they say of themselves and refuse."""

import copy
import importlib

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback.core.op import REGISTRY, Op


@pytest.fixture
def graph():
    with v1.Graph().as_default() as g:
        yield g


class TestSymbolicTensors:
    def test_they_have_no_value(self, graph):
        x = v1.placeholder(tf.float32, [2], name="x")
        for ask in (x.numpy, lambda: bool(x), lambda: int(x), lambda: float(x), lambda: [1][x], lambda: np.asarray(x),
                    lambda: len(x)):  # fmt: skip
            with pytest.raises((TypeError, AttributeError, NotImplementedError), match=r"'x:0'.*test_values_and_nodes"):
                ask()

    def test_what_they_say(self, graph):
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        assert (x.name, x.value_index, x.graph, x.op.name, x.device) == ("x:0", 0, graph, "x", "")
        assert str(x) == 'Tensor("x:0", shape=(?, 2), dtype=float32)' and f"{x:>50}".startswith("  ")
        assert str(v1.placeholder(tf.int32, name="any")) == 'Tensor("any:0", dtype=int32)'
        assert repr(x) == "<tf.Tensor 'x:0' shape=(?, 2) dtype=float32>" and x.experimental_ref() == x.ref()
        assert repr(x.ref()).startswith("<Reference wrapping <tf.Tensor")
        x.set_shape([3, None])
        assert x.get_shape().as_list() == [3, 2] and x.ndim == 2
        with pytest.raises(ValueError, match="not compatible"):
            x.set_shape([4, 2])


class TestEagerTensors:
    def test_what_they_say(self):
        x = tf.constant([1.5, 2.0])
        assert repr(x) == "<tf.Tensor: shape=(2,), dtype=float32, numpy=array([1.5, 2. ], dtype=float32)>"
        assert str(x) == "tf.Tensor([1.5 2. ], shape=(2,), dtype=float32)"
        assert repr(tf.constant(3)) == "<tf.Tensor: shape=(), dtype=int32, numpy=3>"
        assert repr(tf.constant("a")) == "<tf.Tensor: shape=(), dtype=string, numpy=b'a'>"
        assert str(tf.constant(["a"])) == "tf.Tensor(array([b'a'], dtype=object), shape=(1,), dtype=string)"
        assert x.device.endswith("CPU:0") and copy.copy(x) is x and x.ndim == 1 and len(x) == 2

    def test_numbers(self):
        assert complex(tf.constant(1 + 2j)) == 1 + 2j and [5, 6][tf.constant(1)] == 6
        assert np.asarray(tf.constant([1.9]), np.int32).tolist() == [1]
        with pytest.raises(TypeError, match="len"):
            len(tf.constant(1))
        with pytest.raises(ValueError, match="no Python float"):
            float(tf.constant([1.0, 2.0]))
        for name in ("op", "graph", "name"):
            with pytest.raises(AttributeError, match="meaningless"):
                getattr(tf.constant(1), name)
        tf.constant([1]).set_shape([None])
        with pytest.raises(ValueError, match="not compatible"):
            tf.constant([1]).set_shape([2])

    def test_values_are_the_callers_own(self):
        x = tf.constant([1.0, 2.0])
        for made in (x.numpy(), np.asarray(x)):
            made[:] = 9
        assert x.numpy().tolist() == [1, 2]


class TestTypes:
    def test_kinds(self):
        assert tf.float32.is_compatible_with("float") and not tf.float32.is_compatible_with(tf.float64)
        assert tf.int8.base_dtype is tf.int8 and tf.resource.is_numpy_compatible is False
        assert tf.complex128.real_dtype is tf.float64 and tf.float16.real_dtype is tf.float16
        assert (tf.float32 == "no such", tf.float32 is None, tf.float32 == None) == (False, False, False)  # noqa: E711
        assert len({tf.float32, tf.as_dtype("float32")}) == 1 and str(tf.bool) == "<dtype: 'bool'>"
        assert tf.as_dtype(np.dtype("U5")) is tf.string
        with pytest.raises(TypeError, match="datetime64"):
            tf.as_dtype(np.datetime64)
        assert (tf.bool.max, tf.bool.min) == (True, False)


class TestOperations:
    def test_what_they_say(self, graph):
        x = v1.constant([1.0], name="x")
        y = tf.nn.relu(x, name="y")
        op = y.op
        assert (op.type, op.node_def.op, op.op_def.type, op.values()) == ("Relu", "Relu", "Relu", (y,))
        assert repr(op) == "<tf.Operation 'y' type=Relu>" and str(op) == 'name: "y"\nop: "Relu"\ninput: "x:0"\n'
        assert op.get_attr("T") is tf.float32 and op.traceback[0][3].startswith("y = tf.nn.relu")
        with pytest.raises(ValueError, match="no attr named 'strides'"):
            op.get_attr("strides")

    def test_look_ups(self, graph):
        x = v1.constant([1.0], name="x")
        assert x.consumers() == [] and tf.nn.relu(x).op in x.consumers() and graph.get_operations()[0] is x.op
        for element, settings, words in (
            ("x", {"allow_operation": False}, "Operation into a Tensor"),
            ("x:0", {"allow_tensor": False}, "Tensor into a Operation"),
            (3.5, {}, "float into"),
        ):
            with pytest.raises(TypeError, match=words):
                graph.as_graph_element(element, **settings)
        with graph.name_scope("a") as scope:
            assert graph.get_name_scope() == "a" and scope == "a/"
        with pytest.raises(ValueError, match="not a valid scope name"), graph.name_scope("a b"):
            pass
        graph.add_to_collections("alone", 1)
        graph.clear_collection("alone")
        assert graph.get_collection("alone") == [] and not graph.building_function

    def test_control_inputs_must_be_nodes(self, graph):
        with pytest.raises(TypeError, match="neither an Operation nor a Tensor"), graph.control_dependencies(["x"]):
            pass

    def test_rules_that_no_room_wrote(self):
        relu = REGISTRY["Relu"]()
        for rule in ("infer", "reference", "grad", "batch", "expand"):
            with pytest.raises(NotImplementedError, match=f"method `{rule}` to class Relu"):
                getattr(Op, rule)(relu, *([1, (), ()] if rule == "batch" else [1]))
        with pytest.raises(NotImplementedError, match="`samples`"):
            Op.samples(np.random.default_rng(0))
        assert list(Op.mistakes()) == []
        with pytest.raises(KeyError, match="NoSuchOp"):
            REGISTRY["NoSuchOp"]


class TestNamespaces:
    def test_names_are_found_listed_and_corrected(self):
        assert "conv2d" in dir(tf.nn) and "placeholder" in dir(v1) and "placeholder" not in dir(tf)
        assert importlib.import_module("pullback.nn").conv2d is tf.nn.conv2d
        with pytest.raises(AttributeError, match=r"it is in 'pullback\.v1'"):
            tf.placeholder  # noqa: B018
        with pytest.raises(AttributeError, match=r"did you mean 'nn\.conv2d'"):
            tf.nn.conv2  # noqa: B018
        with pytest.raises(AttributeError, match="__nothing__"):
            tf.__nothing__  # noqa: B018
