"""Graphs to files and back: names, attributes, functions, collections, marks; frozen graphs; what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.io import messages
from pullback.io.graph_import import UnknownOpError


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


PICTURES = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)


def network() -> Any:
    """A small network that is trained: convolution, pooling, loss and a step."""
    x = tf.placeholder(tf.float32, [None, 8, 8, 3], name="x")
    with tf.variable_scope("conv"):
        w = tf.get_variable("w", [3, 3, 3, 4])
        b = tf.get_variable("b", [4], initializer=tf.zeros_initializer())
        y = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, [1, 2, 2, 1], "SAME"), b), name="y")
    pooled = tf.nn.max_pool(y, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    loss = tf.reduce_mean(tf.square(pooled), name="loss")
    tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, tf.train.get_or_create_global_step(), name="train")
    return loss


def again(message: Any, **kwargs: Any) -> Any:
    """What import_graph_def gives in a fresh graph, from bytes."""
    with tf.Graph().as_default() as g:
        return g, tf.import_graph_def(tf.GraphDef.FromString(message.SerializeToString()), **kwargs)


class TestExport:
    def test_nodes_are_tensorflows(self, graph: Any):
        network()
        nodes = {node.name: node for node in graph.as_graph_def().node}
        conv = nodes["conv/Conv2D"]
        assert conv.op == "Conv2D" and list(conv.input) == ["x", "conv/w/read"]
        assert list(conv.attr["strides"].list.i) == [1, 2, 2, 1] and conv.attr["padding"].s == b"SAME"
        assert conv.attr["T"].type == 1 and "_fields" not in conv.attr
        assert nodes["conv/w/read"].op == "Identity" and nodes["conv/w"].op == "VariableV2"
        assert [d.size for d in nodes["conv/w"].attr["shape"].shape.dim] == [3, 3, 3, 4]
        assert nodes["conv/w/Assign"].op == "Assign" and nodes["conv/w/Assign"].attr["validate_shape"].b

    def test_parts_of_a_graph(self, graph: Any):
        with tf.control_dependencies([tf.constant(1.0, name="first")]), tf.device("/cpu:0"):
            x = tf.constant([2.0], name="x")
        before = graph.version
        with tf.control_dependencies([x]):
            tf.negative(x, name="y")
        assert [node.name for node in graph.as_graph_def(from_version=before).node] == ["y"]
        node = graph.get_operation_by_name("y").node_def
        assert list(node.input) == ["x", "^x"] and graph.get_operation_by_name("x").node_def.device == "/cpu:0"
        shapes = graph.as_graph_def(add_shapes=True).node[-1].attr["_output_shapes"].list.shape
        assert [d.size for d in shapes[0].dim] == [1] and graph.graph_def_versions.producer > 24

    def test_files(self, tmp_path: Path):
        loss = network()
        text = tf.train.write_graph(loss.graph, str(tmp_path / "new"), "g.pbtxt")
        binary = tf.io.write_graph(loss.graph.as_graph_def(), str(tmp_path), "g.pb", as_text=False)
        assert Path(text).read_text().startswith('node {\n  name: "x"')
        assert tf.GraphDef.FromString(Path(binary).read_bytes()) == loss.graph.as_graph_def()


class TestImport:
    def test_names_and_values_return(self, graph: Any):
        loss = network()
        gradient = tf.gradients(loss, graph.get_tensor_by_name("conv/y:0"))[0]
        message = graph.as_graph_def()
        other, (x, y, found) = again(message, name="", return_elements=["x:0", "loss:0", gradient.name])
        assert other.as_graph_def() == message
        initial, variables = tf.global_variables_initializer(), tf.global_variables()
        with tf.Session() as session, tf.Session(graph=other) as second:
            session.run(initial)
            for variable in variables:
                held = other.get_operation_by_name(variable.op.name).op.resource
                second.store.write(held, session.run(variable))
            wanted = session.run([loss, gradient], {"x:0": PICTURES})
            for ours, theirs in zip(second.run([y, found], {x: PICTURES}), wanted, strict=True):
                assert np.array_equal(ours, theirs)
            session.run("train", {"x:0": PICTURES})
            second.run("train", {x: PICTURES})
            assert second.run(y, {x: PICTURES}) == session.run(loss, {"x:0": PICTURES}) != wanted[0]

    def test_prefixes_and_maps(self, graph: Any):
        a = tf.placeholder(tf.float32, name="a")
        tf.multiply(a, 3.0, name="b")
        message = graph.as_graph_def()
        with tf.Graph().as_default() as other, tf.Session() as session:
            five = tf.constant(5.0)
            (b,) = tf.import_graph_def(message, {"a:0": five}, ["b:0"])
            assert b.name == "import/b:0" and session.run(b) == 15
            again_b, op = tf.import_graph_def(message, {"a": five}, ["b:0", "b"])
            assert again_b.name == "import_1/b:0" and op is again_b.op
            assert tf.import_graph_def(message, name="here/there") is None
            assert other.get_operation_by_name("here/there/b").inputs[0].name == "here/there/a:0"
            assert tf.constant(0, name="here/there/b").name == "here/there/b_1:0"
            for wrong, words in (
                (lambda: tf.import_graph_def(message, {"c": five}), "not found in graph_def"),
                (lambda: tf.import_graph_def(message, return_elements=["c"]), "'c' not found"),
                (lambda: tf.import_graph_def(message, name=""), ""),
            ):
                if words:
                    with pytest.raises(ValueError, match=words):
                        wrong()
            with pytest.raises(TypeError, match="GraphDef proto"):
                tf.import_graph_def(3)
        _, _ = again(message, name="")

    def test_bodies(self, graph: Any):
        x = tf.placeholder(tf.float32, [], name="x")
        v = tf.get_variable("v", initializer=2.0)
        branch = tf.cond(x > 0, lambda: x * v, lambda: x - v)
        trips, total = tf.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s * v + branch), [0, x], name="loop")
        gradient = tf.gradients(total, x)[0]
        message = graph.as_graph_def()
        assert {f.signature.name for f in message.library.function} >= {"then", "orelse"}
        names = [t.name for t in (branch, trips, total, gradient)]
        other, found = again(message, name="", return_elements=names)
        assert other.as_graph_def() == message
        with tf.Session() as session, tf.Session(graph=other) as second:
            session.run(v.initializer)
            second.run("v/Assign")
            for value in (1.5, -1.0):
                wanted = session.run([branch, trips, total, gradient], {x: value})
                assert second.run(found, {"x:0": value}) == wanted
            with other.as_default():
                second_order = tf.gradients(found[2], other.get_tensor_by_name("x:0"))[0]
            assert second.run(second_order, {"x:0": 1.5}) == session.run(gradient, {x: 1.5})

    def test_lists_in_loops(self, graph: Any):
        x = tf.placeholder(tf.float32, [4, 3], name="x")
        v = tf.get_variable("v", initializer=2.0)
        y = tf.map_fn(lambda row: row * row * v, x)
        gradient = tf.gradients(y, x)[0]
        other, found = again(graph.as_graph_def(), name="", return_elements=[y.name, gradient.name])
        rows = np.arange(12.0).reshape(4, 3)
        with tf.Session(graph=other) as session:
            session.run("v/Assign")
            y, gradient = session.run(found, {"x:0": rows})
        assert np.array_equal(y, 2 * rows**2) and np.array_equal(gradient, 4 * rows)

    def test_random_draws(self, graph: Any):
        a, b = tf.random_normal([3], seed=5), tf.random_uniform([3], seed=6)
        other, found = again(graph.as_graph_def(), name="", return_elements=[a.name, b.name])
        with tf.Session() as session, tf.Session(graph=other) as second:
            for _ in range(2):
                for ours, theirs in zip(second.run(found), session.run([a, b]), strict=True):
                    assert np.array_equal(ours, theirs)

    def test_shapes_known_better(self, graph: Any):
        x = tf.placeholder(tf.float32, name="x")
        y = tf.negative(x, name="y")
        y.set_shape([None, 3])
        _, (found,) = again(graph.as_graph_def(), return_elements=["y:0"])
        assert found.shape.as_list() == [None, 3]

    def test_order_in_the_file_does_not_matter(self, graph: Any):
        tf.negative(tf.add(tf.constant(1.0, name="a"), 2.0, name="b"), name="c")
        message = graph.as_graph_def()
        mixed = tf.GraphDef(versions=message.versions)
        mixed.node.extend(reversed(message.node))
        other, (c,) = again(mixed, name="", return_elements=["c:0"])
        with tf.Session(graph=other) as session:
            assert session.run(c) == -3

    def test_marks(self, graph: Any):
        @tf.RegisterGradient("TestGraphFilesTwice")
        def twice(op: Any, dy: Any) -> Any:
            return 2.0 * dy

        x = tf.placeholder(tf.float32, name="x")
        with graph.gradient_override_map({"Tanh": "TestGraphFilesTwice"}):
            tf.tanh(x, name="y")
        message = graph.as_graph_def()
        assert message.node[-1].attr["_gradient_op_type"].s == b"TestGraphFilesTwice"
        other, (x, y) = again(message, name="", return_elements=["x:0", "y:0"])
        with other.as_default(), tf.Session() as session:
            assert session.run(tf.gradients(y, x)[0], {x: 1.0}) == 2
            with other.gradient_override_map({"Tanh": "TestGraphFilesTwice"}):
                message.node[-1].attr.pop("_gradient_op_type")
                (new_x, new_y) = tf.import_graph_def(message, return_elements=["x:0", "y:0"])
            assert session.run(tf.gradients(new_y, new_x)[0], {new_x: 1.0}) == 2


class TestGraphsOfElsewhere:
    def test_former_types(self):
        message = tf.GraphDef()
        message.versions.producer = 20
        add(message, "p", "Placeholder", dtype=tf.float32, shape=())
        add(message, "axis", "Const", value=np.int32(1))
        add(message, "joined", "Concat", "axis", "p", "p", N=2, T=tf.float32)
        add(message, "sum", "Add", "joined", "joined", T=tf.float32)
        add(message, "seven", "Const", value=np.int32(-7))
        add(message, "two", "Const", value=np.int32(2))
        add(message, "half", "Div", "seven", "two", T=tf.int32)
        add(message, "rows", "Const", value=np.array([1, 0], np.int32))
        add(message, "gathered", "Gather", "sum", "rows", Tparams=tf.float32, Tindices=tf.int32)
        add(message, "which", "Const", value=np.array([True, False]))
        add(message, "chosen", "Select", "which", "sum", "gathered", T=tf.float32)
        tf.import_graph_def(message, name="")
        with tf.Session() as session:
            given = {"p:0": [[1.0], [2.0]]}
            assert session.run("half:0") == -3
            assert session.run("gathered:0", given).tolist() == [[4, 4], [2, 2]]
            assert session.run("chosen:0", given).tolist() == [[2, 2], [2, 2]]

    def test_variables_by_reference_and_by_handle(self):
        message = tf.GraphDef()
        add(message, "value", "Const", value=np.ones(2, np.float32))
        add(message, "ref", "VariableV2", dtype=tf.float32, shape=(2,))
        add(message, "ref/Assign", "Assign", "ref", "value", T=tf.float32)
        add(message, "direct", "Neg", "ref", T=tf.float32)
        add(message, "ref/read", "Identity", "ref", T=tf.float32)
        add(message, "handle", "VarHandleOp", dtype=tf.float32, shape=(2,), shared_name=b"h")
        add(message, "same", "VarHandleOp", dtype=tf.float32, shape=(2,), shared_name=b"h")
        add(message, "init", "AssignVariableOp", "handle", "value", dtype=tf.float32)
        add(message, "more", "AssignAddVariableOp", "same", "value", "^init", dtype=tf.float32)
        add(message, "late", "ReadVariableOp", "handle", "^more", dtype=tf.float32)
        tf.import_graph_def(message, name="")
        with tf.Session() as session:
            session.run("ref/Assign")
            assert session.run(["direct:0", "ref/read:0"])[0].tolist() == [-1, -1]
            assert session.run("late:0").tolist() == [2, 2]

    @pytest.mark.parametrize("front", ["", "Resource"])
    def test_updates_of_optimizers(self, front: str):
        message = tf.GraphDef()
        kind = "VarHandleOp" if front else "VariableV2"
        for name, value in (("w", 1.0), ("a", 0.0)):
            add(message, f"{name}/value", "Const", value=np.full(2, value, np.float32))
            add(message, name, kind, dtype=tf.float32, shape=(2,), shared_name=name.encode())
            assign = "AssignVariableOp" if front else "Assign"
            add(message, f"{name}/Assign", assign, name, f"{name}/value", T=tf.float32)
        for name, number in (("rate", 0.5), ("decay", 0.9)):
            add(message, name, "Const", value=np.float32(number))
        add(message, "dw", "Placeholder", dtype=tf.float32, shape=(2,))
        inputs = ("w", "a", "rate", "dw", "decay")
        add(message, "step", f"{front}ApplyMomentum", *inputs, T=tf.float32, use_nesterov=False)
        tf.import_graph_def(message, name="")
        with tf.Session() as session:
            session.run(["w/Assign", "a/Assign"])
            for wanted in ([0.5, 0.0], [-0.45, -1.9]):  # a = 1 and 2, then 1.9 and 3.8
                session.run("step", {"dw:0": [1.0, 2.0]})
                np.testing.assert_allclose(session.run("w:0"), wanted, rtol=1e-6)

    def test_ops_of_tensorflows_gradients(self):
        message = tf.GraphDef()
        add(message, "axis", "Const", value=np.int32(1))
        for i, shape in enumerate(([2, 3], [2, 5], [2, 1])):
            add(message, f"s{i}", "Const", value=np.array(shape, np.int32))
        add(message, "offsets", "ConcatOffset", "axis", "s0", "s1", "s2", N=3)
        add(message, "axes", "BroadcastGradientArgs", "s0", "s2", T=tf.int32)
        tf.import_graph_def(message, name="")
        with tf.Session() as session:
            found = session.run([f"offsets:{i}" for i in range(3)] + ["axes:0", "axes:1"])
        assert [x.tolist() for x in found] == [[0, 0], [0, 3], [0, 8], [], [1]]

    def test_functions_with_named_outputs(self):
        message = tf.GraphDef()
        function = message.library.function.add()
        function.signature.name = "double"
        function.signature.input_arg.add(name="a", type=1)
        function.signature.output_arg.add(name="out", type=1)
        inner = tf.GraphDef()
        add(inner, "sum", "AddV2", "a", "a", T=tf.float32)
        function.node_def.extend(inner.node)
        function.ret["out"] = "sum:z:0"
        add(message, "x", "Placeholder", dtype=tf.float32, shape=None)
        add(message, "called", "double", "x")
        add(message, "twice", "PartitionedCall", "called")
        message.node[-1].attr["f"].func.name = "double"
        tf.import_graph_def(message, name="")
        with tf.Session() as session:
            assert session.run("twice:0", {"x:0": 3.0}) == 12


def add(message: Any, name: str, kind: str, *inputs: str, **attrs: Any) -> None:
    """Adds a NodeDef; a Const's type comes from its value."""
    from pullback.io.attributes import encoded

    node = message.node.add(name=name, op=kind, input=inputs)
    if "value" in attrs:
        from pullback.io.tensors import tensor_proto

        node.attr["value"].tensor.CopyFrom(tensor_proto(attrs.pop("value")))
        node.attr["dtype"].type = node.attr["value"].tensor.dtype
    for key, value in attrs.items():
        node.attr[key].CopyFrom(encoded(key, value))


class TestRefused:
    def test_unknown_ops_are_listed(self):
        message = tf.GraphDef()
        for i in range(5):
            add(message, f"a{i}", "Frobnicate")
        add(message, "b", "Quux")
        with pytest.raises(
            UnknownOpError, match=r"2 op types .* Frobnicate \('a0', 'a1', 'a2' and 2 more\); Quux"
        ) as said:
            tf.import_graph_def(message)
        assert isinstance(said.value, (ValueError, tf.errors.NotFoundError))
        assert not tf.get_default_graph().get_operations()

    def test_python_functions_stay_at_home(self, graph: Any):
        tf.py_func(lambda x: x, [tf.constant(1.0)], tf.float32, name="own")
        with pytest.raises(ValueError, match=r"'own' .*no file can hold"):
            again(graph.as_graph_def())

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (lambda m: m.node[1].input.append("nowhere"), r"takes \['nowhere'\]"),
            (lambda m: m.node[0].input.append("b"), "in a circle"),
            (lambda m: m.node.append(m.node[0]), "same name"),
            (lambda m: m.node[1].input.append("a:3"), "'a:3', which is not in it"),
            (lambda m: m.node[1].input.append("a"), "node 'b' of type Neg cannot be imported"),
            (lambda m: m.node[0].attr["dtype"].CopyFrom(messages.AttrValue(type=11)), "DT_QINT8|cannot be imported"),
            (lambda m: setattr(m.versions, "min_consumer", 9999), "wants a reader"),
            (lambda m: m.node[1].attr["_fields"].CopyFrom(messages.AttrValue(s=b"{")), "cannot be read"),
            (lambda m: m.node[1].attr["_fields"].CopyFrom(messages.AttrValue(s=b'{"x":{"graph":"f"}}')), "'f'"),
        ],
    )
    def test_files_that_make_no_sense(self, spoil: Any, words: str):
        message = tf.GraphDef()
        add(message, "a", "Const", value=np.float32(1))
        add(message, "b", "Neg", "a", T=tf.float32)
        spoil(message)
        with pytest.raises(tf.errors.OpError, match=words):
            tf.import_graph_def(message)

    def test_words_for_numbers(self):
        message = tf.GraphDef()
        add(message, "a", "Const", value=np.float32(1))
        message.node[0].attr["value"].s = b"one"
        with pytest.raises(tf.errors.OpError, match=r"node 'a' .*must be a tensor of its dtype"):
            tf.import_graph_def(message)

    @pytest.mark.parametrize("kind", ["Identity", "Neg", "Conv2D", "MatMul", "Reshape"])
    def test_nodes_without_inputs_or_attributes(self, kind: str):
        message = tf.GraphDef()
        add(message, "a", kind)
        with pytest.raises(tf.errors.OpError, match=f"node 'a' of type {kind} cannot be imported"):
            tf.import_graph_def(message)

    @pytest.mark.parametrize("name", ["", "^a", "a:0"])
    def test_names_that_no_input_can_mean(self, name: str):
        message = tf.GraphDef()
        add(message, name, "NoOp")
        with pytest.raises(tf.errors.OpError, match="by which no input can mean them"):
            tf.import_graph_def(message)


class TestNamesThatAreTaken:
    def test_are_numbered(self, graph: Any):
        b = tf.identity(tf.constant(1.0, name="a"), name="s/b")
        with tf.control_dependencies([b]):
            tf.identity(b, name="c")
        message = graph.as_graph_def()
        a, c = tf.import_graph_def(message, name="", return_elements=["a:0", "c"])
        assert (a.name, c.name) == ("a_1:0", "c_1")
        assert [t.name for t in c.inputs] == ["s/b_1:0"] and [n.name for n in c.control_inputs] == ["s/b_1"]

    def test_scopes_are_numbered_unless_entered(self, graph: Any):
        tf.constant(1.0, name="a")
        message = graph.as_graph_def()
        names = [tf.import_graph_def(message, name=n, return_elements=["a"])[0].name for n in (None, None, "q", "q/")]
        assert names == ["import/a", "import_1/a", "q/a", "q/a_1"]

    def test_meta_graphs_twice(self, graph: Any):
        tf.get_variable("v", initializer=2.0)
        message = tf.train.export_meta_graph()
        with tf.Graph().as_default() as again:
            tf.train.import_meta_graph(message)
            tf.train.import_meta_graph(message)
            assert [v.name for v in tf.global_variables()] == ["v:0"] and again.get_operation_by_name("v_1")


class TestGraphUtil:
    def test_freezing(self, graph: Any):
        network()
        y = tf.identity(graph.get_tensor_by_name("loss:0"), name="out")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            frozen = tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["out"])
            wanted = session.run(y, {"x:0": PICTURES})
            kept = tf.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), ["out"], variable_names_blacklist=["conv/b"]
            )
        assert not any("Variable" in node.op or "Momentum" in node.name for node in frozen.node)
        assert [node.name for node in kept.node if node.op == "VariableV2"] == ["conv/b"]
        other, (found,) = again(frozen, return_elements=["out:0"])
        with tf.Session(graph=other) as session:
            assert session.run(found, {"import/x:0": PICTURES}) == wanted
        with tf.Session() as session, pytest.raises(tf.errors.FailedPreconditionError):
            tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["out"])

    def test_parts(self, graph: Any):
        a = tf.constant(1.0, name="a")
        with tf.control_dependencies([tf.constant(0.0, name="first")]):
            b = tf.identity(a, name="b")
        tf.debugging.check_numerics(tf.identity(tf.negative(b, name="c"), name="d"), "bad", name="e")
        tf.identity(graph.get_tensor_by_name("e:0"), name="f")
        message = graph.as_graph_def()
        assert [n.name for n in tf.graph_util.extract_sub_graph(message, ["b"]).node] == ["a", "first", "b"]
        thin = tf.graph_util.remove_training_nodes(message, protected_nodes=["f"])
        assert [n.name for n in thin.node if n.op == "Identity"] == ["b", "f"] and thin.node[-1].input[0] == "c"
        with pytest.raises(AssertionError, match="x is not in graph"):
            tf.graph_util.extract_sub_graph(message, ["x"])
        for wrong in (
            lambda: tf.graph_util.extract_sub_graph(message, "b"),
            lambda: tf.graph_util.extract_sub_graph(1, []),
        ):
            with pytest.raises(TypeError):
                wrong()
        assert tf.graph_util.tensor_shape_from_node_def_name(graph, "a").as_list() == []
        assert tf.graph_util.must_run_on_cpu(tf.constant("s").op) and not tf.graph_util.must_run_on_cpu(a.op)


class TestMetaGraphs:
    def test_variables_train_on(self, tmp_path: Path):
        loss = network()
        tf.add_to_collection("mine", loss)
        tf.add_to_collection("numbers", 3)
        tf.add_to_collection("words", "text")
        tf.add_to_collection(tf.GraphKeys.SAVERS, tf.train.Saver(name="kept"))
        tf.add_to_collection(tf.GraphKeys.WHILE_CONTEXT, object())
        path = str(tmp_path / "m")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            tf.train.Saver().save(session, path)
            wanted = [session.run(loss, {"x:0": PICTURES})]
            for _ in range(2):
                session.run("train", {"x:0": PICTURES})
            wanted.append(session.run(loss, {"x:0": PICTURES}))
            names = {v.name: v.trainable for v in tf.global_variables()}
        with tf.Graph().as_default() as other, tf.Session() as session:
            saver = tf.train.import_meta_graph(f"{path}.meta")
            assert {v.name: v.trainable for v in tf.global_variables()} == names
            assert tf.get_collection("numbers") == [3] and tf.get_collection("words") == [b"text"]
            (kept,) = tf.get_collection(tf.GraphKeys.SAVERS)
            assert kept.as_saver_def().restore_op_name == "kept/restore_all"
            assert not tf.get_collection(tf.GraphKeys.WHILE_CONTEXT)
            assert tf.trainable_variables()[0] is tf.global_variables()[0]
            (again_loss,) = tf.get_collection("mine")
            saver.restore(session, path)
            assert session.run(again_loss, {"x:0": PICTURES}) == wanted[0]
            for _ in range(2):
                session.run("train", {"x:0": PICTURES})
            assert session.run(again_loss, {"x:0": PICTURES}) == wanted[1]
            assert session.run(tf.train.get_global_step()) == 2
            step = tf.train.GradientDescentOptimizer(0.1).minimize(again_loss)
            session.run(step, {"x:0": PICTURES})
            assert session.run(again_loss, {"x:0": PICTURES}) < wanted[1]
            session.run(tf.global_variables_initializer())
            assert saver.save(session, path) == path and other.get_operation_by_name("save/restore_all")

    def test_scopes(self, graph: Any, tmp_path: Path):
        with tf.name_scope("outer"):
            v = tf.Variable(3.0, name="v")
            tf.add_to_collection("y", tf.multiply(v, 2.0, name="y"))
        tf.constant(1.0, name="elsewhere")
        message = tf.train.export_meta_graph(str(tmp_path / "m.meta"), export_scope="outer", as_text=True)
        assert "y" in {n.name for n in message.graph_def.node} and len(message.graph_def.node) == 6
        with tf.Graph().as_default(), tf.Session() as session:
            saver = tf.train.import_meta_graph(str(tmp_path / "m.meta"), import_scope="inner")
            assert tf.global_variables()[0].name == "inner/v:0" and isinstance(saver, tf.train.Saver)
            session.run(tf.global_variables_initializer())
            assert session.run("inner/y:0") == 6 and tf.get_collection("y")[0].name == "inner/y:0"

    def test_what_is_left_out(self, graph: Any):
        with tf.device("/cpu:0"):
            x = tf.placeholder(tf.float32, [1, 4, 4, 1])
            tf.nn.conv2d(x, tf.get_variable("w", [2, 2, 1, 1]), [1, 1, 1, 1], "SAME", name="conv")
        tf.add_to_collection("objects", object())
        tf.train.Saver()
        kept = tf.train.Saver()
        with pytest.warns(UserWarning, match="'objects' is left out"):
            made = kept.export_meta_graph(
                clear_devices=True, clear_extraneous_savers=True, strip_default_attrs=True, collection_list=["objects"]
            )
        nodes = {n.name: n for n in made.graph_def.node}
        assert "save/SaveV2" not in nodes and "save_1/SaveV2" in nodes and made.saver_def == kept.saver_def
        assert nodes["conv"].device == "" and {"strides", "padding"} <= set(nodes["conv"].attr)
        assert "data_format" not in nodes["conv"].attr and made.meta_info_def.stripped_default_attrs
        with tf.Graph().as_default():
            tf.train.import_meta_graph(made, input_map={"Placeholder": tf.zeros([1, 4, 4, 1])})
            assert tf.get_default_graph().get_operation_by_name("conv").inputs[0].op.type != "Placeholder"

    def test_refused(self, tmp_path: Path):
        with pytest.raises(tf.errors.NotFoundError, match="does not exist"):
            tf.train.import_meta_graph(str(tmp_path / "none.meta"))
        (tmp_path / "bad.meta").write_bytes(b"\xff\xff\xff")
        with pytest.raises(tf.errors.DataLossError, match="no MetaGraphDef"):
            tf.train.import_meta_graph(str(tmp_path / "bad.meta"))
        for wrong in (
            lambda: tf.train.import_meta_graph(tf.MetaGraphDef(), unbound=1),
            lambda: tf.train.export_meta_graph(unbound=1),
            lambda: tf.train.export_meta_graph(save_debug_info=True),
        ):
            with pytest.raises(ValueError, match=r"unknown arguments|filename"):
                wrong()
        assert tf.train.import_meta_graph(tf.MetaGraphDef()) is None


def test_variable_messages():
    v = tf.get_variable("scope/v", [2], trainable=False)
    said = v.to_proto()
    assert (said.variable_name, said.snapshot_name) == ("scope/v:0", "scope/v/read:0")
    assert said.initializer_name == "scope/v/Assign" and not said.trainable
    assert tf.Variable.from_proto(said) is v and v.to_proto("other") is None
    assert v.to_proto("scope").variable_name == "v:0"
    said.variable_name = "gone:0"
    with pytest.raises(ValueError, match="'gone:0' cannot be made again"):
        tf.Variable.from_proto(said)
