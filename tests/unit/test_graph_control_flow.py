"""TensorFlow 1's switches, merges and frames come in as branches and loops; queues and their runners go both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.io.attributes import encoded
from pullback.io.tensors import tensor_proto


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


def add(message: Any, name: str, kind: str, *inputs: str, **attrs: Any) -> None:
    """Adds a NodeDef; `value` is a constant's."""
    node = message.node.add(name=name, op=kind, input=inputs)
    if "value" in attrs:
        node.attr["value"].tensor.CopyFrom(tensor_proto(attrs.pop("value")))
        node.attr["dtype"].type = node.attr["value"].tensor.dtype
    for key, value in attrs.items():
        node.attr[key].CopyFrom(encoded(key, value))


def placeholder(message: Any) -> None:
    add(message, "x", "Placeholder", dtype=tf.float32, shape=())
    add(message, "zero", "Const", value=np.float32(0))


def branches(message: Any, front: str = "", x: str = "x", result: str = "c") -> None:
    """c = x > 0 ? x * x : one - x, as tf.cond of TensorFlow 1 writes it."""
    add(message, f"{front}test", "Greater", x, "zero", T=tf.float32)
    add(message, f"{front}cond/Switch", "Switch", f"{front}test", f"{front}test", T=tf.bool)
    add(message, f"{front}cond/switch_t", "Identity", f"{front}cond/Switch:1", T=tf.bool)
    add(message, f"{front}cond/switch_f", "Identity", f"{front}cond/Switch", T=tf.bool)
    add(message, f"{front}cond/pred_id", "Identity", f"{front}test", T=tf.bool)
    for name in ("mul", "sub"):
        add(message, f"{front}cond/{name}/Switch", "Switch", x, f"{front}cond/pred_id", T=tf.float32)
    add(message, f"{front}cond/mul", "Mul", f"{front}cond/mul/Switch:1", f"{front}cond/mul/Switch:1", T=tf.float32)
    add(message, f"{front}cond/one", "Const", f"^{front}cond/switch_f", value=np.float32(1))
    add(message, f"{front}cond/sub", "Sub", f"{front}cond/one", f"{front}cond/sub/Switch", T=tf.float32)
    add(message, result, "Merge", f"{front}cond/sub", f"{front}cond/mul", T=tf.float32)


def frame(message: Any, name: str, start: str, trips: str, body: Any) -> None:
    """A loop of two variables: i counts to trips, a is start and then what body(front) names."""
    front = f"{name}/"
    add(message, f"{front}i0", "Const", *([f"^{start}"] if "/" in start else []), value=np.int32(0))
    add(message, f"{front}Enter", "Enter", f"{front}i0", T=tf.int32, frame_name=name, is_constant=False)
    add(message, f"{front}Enter_1", "Enter", start, T=tf.float32, frame_name=name, is_constant=False)
    add(message, f"{front}trips", "Enter", trips, T=tf.int32, frame_name=name, is_constant=True)
    add(message, f"{front}Merge", "Merge", f"{front}Enter", f"{front}Next", T=tf.int32)
    add(message, f"{front}Merge_1", "Merge", f"{front}Enter_1", f"{front}Next_1", T=tf.float32)
    add(message, f"{front}Less", "Less", f"{front}Merge", f"{front}trips", T=tf.int32)
    add(message, f"{front}LoopCond", "LoopCond", f"{front}Less")
    add(message, f"{front}Switch", "Switch", f"{front}Merge", f"{front}LoopCond", T=tf.int32)
    add(message, f"{front}Switch_1", "Switch", f"{front}Merge_1", f"{front}LoopCond", T=tf.float32)
    add(message, f"{front}i", "Identity", f"{front}Switch:1", T=tf.int32)
    add(message, f"{front}a", "Identity", f"{front}Switch_1:1", T=tf.float32)
    add(message, f"{front}one", "Const", f"^{front}i", value=np.int32(1))
    add(message, f"{front}add", "AddV2", f"{front}i", f"{front}one", T=tf.int32)
    made = body(front)
    add(message, f"{front}Next", "NextIteration", f"{front}add", T=tf.int32)
    add(message, f"{front}Next_1", "NextIteration", made, T=tf.float32)
    add(message, f"{front}Exit", "Exit", f"{front}Switch", T=tf.int32)
    add(message, f"{front}Exit_1", "Exit", f"{front}Switch_1", T=tf.float32)


def test_switches_and_merges_are_branches(graph: Any):
    message = tf.GraphDef()
    placeholder(message)
    branches(message)
    x, c = tf.import_graph_def(message, name="", return_elements=["x:0", "c:0"])
    assert "If" in [node.type for node in graph.get_operations()]
    slope = tf.gradients(c, x)[0]
    with tf.Session() as session:
        assert session.run([c, slope], {x: 3.0}) == [9, 6] and session.run([c, slope], {x: -3.0}) == [4, -1]


def test_frames_are_loops_and_hold_branches_and_loops(graph: Any):
    message = tf.GraphDef()
    placeholder(message)
    add(message, "three", "Const", value=np.int32(3))

    def inner(front: str) -> str:
        add(message, f"{front}half", "Const", f"^{front}i", value=np.float32(0.5))
        add(message, f"{front}mul", "Mul", f"{front}a", f"{front}half", T=tf.float32)
        return f"{front}mul"

    def outer(front: str) -> str:
        add(message, f"{front}zero", "Const", f"^{front}i", value=np.float32(0))
        add(message, f"{front}test", "Greater", f"{front}a", f"{front}zero", T=tf.float32)
        add(message, f"{front}s", "Switch", f"{front}a", f"{front}test", T=tf.float32)
        add(message, f"{front}neg", "Neg", f"{front}s:1", T=tf.float32)
        add(message, f"{front}merged", "Merge", f"{front}s", f"{front}neg", T=tf.float32)
        frame(message, f"{front}inner", f"{front}merged", f"{front}i", inner)
        return f"{front}inner/Exit_1"

    frame(message, "loop", "x", "three", outer)
    x, y, i = tf.import_graph_def(message, name="", return_elements=["x:0", "loop/Exit_1:0", "loop/Exit:0"])
    slope = tf.gradients(y, x)[0]
    with tf.Session() as session:  # trips of the inner loop: 0 + 1 + 2; the sign turns once, in the first trip
        assert session.run([y, i, slope], {x: 8.0}) == [-1, 3, -0.125]


def test_arrays_are_lists():
    message = tf.GraphDef()
    add(message, "size", "Const", value=np.int32(2))
    add(message, "at", "Const", value=np.int32(1))
    add(message, "places", "Const", value=np.array([0, 1], np.int32))
    add(message, "rows", "Const", value=np.array([[1, 2], [3, 4]], np.float32))
    add(message, "row", "Const", value=np.array([5, 6], np.float32))
    add(message, "array", "TensorArrayV3", "size", dtype=tf.float32, element_shape=(2,))
    add(message, "full", "TensorArrayScatterV3", "array", "places", "rows", "array:1", T=tf.float32)
    add(message, "read", "TensorArrayReadV3", "array", "at", "full", dtype=tf.float32)
    add(message, "new", "TensorArrayWriteV3", "array", "at", "row", "full", T=tf.float32)
    add(message, "all", "TensorArrayGatherV3", "array", "places", "new", dtype=tf.float32, element_shape=(2,))
    add(message, "count", "TensorArraySizeV3", "array", "new")
    tf.import_graph_def(message, name="")
    with tf.Session() as session:
        read, everything, count = session.run(["read:0", "all:0", "count:0"])
    assert read.tolist() == [3, 4] and everything.tolist() == [[1, 2], [5, 6]] and count == 2


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda m: add(m, "lone", "Merge", "x", "zero", T=tf.float32), "joins no two branches"),
        (lambda m: add(m, "out", "Exit", "x", T=tf.float32), "lies in no loop"),
        (lambda m: add(m, "in", "Enter", "x", T=tf.float32, frame_name="f"), "0 conditions"),
        (lambda m: add(m, "which", "Identity", "c:1", T=tf.int32), "which input came"),
    ],
)
def test_control_flow_that_makes_no_sense(spoil: Any, words: str):
    message = tf.GraphDef()
    placeholder(message)
    branches(message)
    spoil(message)
    with pytest.raises(tf.errors.OpError, match=words):
        tf.import_graph_def(message)


def test_gradient_marks_are_kept_in_bodies(graph: Any):
    @tf.RegisterGradient("TestControlFlowThrice")
    def thrice(op: Any, dy: Any) -> Any:
        return 3.0 * dy

    x = tf.placeholder(tf.float32, [], name="x")
    with graph.gradient_override_map({"Tanh": "TestControlFlowThrice"}):
        y = tf.cond(x > 0, lambda: tf.tanh(x), lambda: x)
    with tf.Graph().as_default(), tf.Session() as session:
        again, found = tf.import_graph_def(graph.as_graph_def(), return_elements=["x:0", y.name])
        assert session.run(tf.gradients(found, again)[0], {again: 1.0}) == 3


def test_functions_that_call_functions_twofold_are_read_once():
    message = tf.GraphDef()
    for i in range(60):  # by paths there are 2^60 of the last
        function = message.library.function.add()
        function.signature.name = f"f{i}"
        function.signature.input_arg.add(name="a", type=1)
        function.signature.output_arg.add(name="out", type=1)
        inner = tf.GraphDef()
        if i < 59:
            add(inner, "p", f"f{i + 1}", "a")
            add(inner, "q", f"f{i + 1}", "a")
            function.ret["out"] = "q:out:0"
        else:
            add(inner, "q", "Neg", "a", T=tf.float32)
            function.ret["out"] = "q:y:0"
        function.node_def.extend(inner.node)
    add(message, "x", "Placeholder", dtype=tf.float32, shape=())
    add(message, "y", "f0", "x")
    (y,) = tf.import_graph_def(message, return_elements=["y:0"])
    assert y.dtype is tf.float32


def test_queues_and_their_runners(tmp_path: Path):
    queue = tf.FIFOQueue(10, [tf.float32, tf.int32], shapes=[[2], []], name="q")
    queue.enqueue_many([[[1.0, 2.0], [3.0, 4.0]], [1, 2]], name="fill")
    tf.identity(queue.dequeue()[0], name="first")
    shuffled = tf.RandomShuffleQueue(10, 0, [tf.float32], shapes=[[]], seed=3, name="rs")
    shuffled.enqueue_many([[1.0, 2.0, 3.0]], name="rs_fill")
    tf.identity(shuffled.dequeue_many(3), name="mixed")
    numbers = tf.train.range_input_producer(5, num_epochs=1, shuffle=False).dequeue()
    tf.identity(tf.train.batch([numbers], 2, allow_smaller_final_batch=True), name="batches")
    tf.train.export_meta_graph(str(tmp_path / "g.meta"))
    with tf.Session() as session:
        session.run("rs_fill")
        wanted = session.run("mixed:0")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(str(tmp_path / "g.meta"))
        session.run(tf.local_variables_initializer())
        session.run(["fill", "rs_fill"])
        assert session.run("first:0").tolist() == [1, 2] and session.run("mixed:0").tolist() == wanted.tolist()
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        found: list[int] = []
        with pytest.raises(tf.errors.OutOfRangeError):
            while True:
                found += session.run("batches:0").tolist()
        coordinator.request_stop()
        coordinator.join(threads)
    assert found == [0, 1, 2, 3, 4]
