"""ONNX models as functions of tensors: gradients, modes, and the table. The operators' values are checked by ONNX's own
suite, see conformance/test_onnx.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the package onnx is not installed")
import onnx
from onnx import helper
from unit.onnx_models import FLOAT, INT64, autoencoder, classifier, model, node, run

import pullback as tf
import pullback.v1 as tf1
from pullback.core.errors import UnimplementedError
from pullback.interop import onnx as ours
from pullback.interop.onnx.table import HINTS

# The newest operator set whose operators the table was read against.
NEWEST = 28


# --- gradients ------------------------------------------------------------------------------------


def slope(f: Any, at: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences of a number by every entry."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        moved = at.copy()
        moved[place] += step
        above = f(moved)
        moved[place] -= 2 * step
        found[place] = (above - f(moved)) / (2 * step)
    return found


def test_gradients_of_an_imported_network_equal_finite_differences() -> None:
    proto, weights = autoencoder()
    network = ours.Graph(proto)
    rng = np.random.default_rng(1)
    given = {"x": rng.normal(size=(1, 2, 5, 5)), **weights}
    cotangent = rng.normal(size=network(**given)[0].shape.as_list())

    def loss(**changed: Any) -> Any:
        (y,) = network(**{**given, **changed})
        return tf.reduce_sum(y * cotangent)

    xs = {name: tf.constant(array) for name, array in given.items()}
    with tf.GradientTape() as tape:
        tape.watch(xs)
        total = loss(**xs)
    dxs = tape.gradient(total, xs)
    for name, array in given.items():
        expected = slope(lambda moved, name=name: float(loss(**{name: moved})), array)
        np.testing.assert_allclose(dxs[name].numpy(), expected, rtol=1e-6, atol=1e-7, err_msg=name)


def test_gradients_of_gradients_equal_differences_of_gradients() -> None:
    network = ours.Graph(autoencoder()[0])
    rng = np.random.default_rng(2)
    x, direction = rng.normal(size=(1, 2, 5, 5)), rng.normal(size=(1, 2, 5, 5))

    def gradient(at: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(at)
            loss = tf.reduce_sum(tf.square(network(at)[0]))
        return tape.gradient(loss, at)

    at = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(at)
        along = tf.reduce_sum(gradient(at) * direction)
    step = 1e-5
    above, below = (gradient(tf.constant(x + s * step * direction)).numpy() for s in (1, -1))
    np.testing.assert_allclose(tape.gradient(along, at).numpy(), (above - below) / (2 * step), rtol=1e-5, atol=1e-5)


# --- the three modes ------------------------------------------------------------------------------


def test_function_and_session_compute_what_eager_code_does() -> None:
    network = ours.Graph(classifier())
    x = np.random.default_rng(4).normal(size=(3, 1, 6, 6)).astype(np.float32)
    eager = network(x)[0].numpy()
    np.testing.assert_allclose(eager.sum(1), np.ones(3), rtol=1e-6)
    traced = tf.function(lambda x: network(x)[0], input_signature=[tf.TensorSpec([None, 1, 6, 6], tf.float32)])
    np.testing.assert_allclose(traced(x).numpy(), eager, rtol=1e-6)
    with tf1.Graph().as_default():
        fed = tf1.placeholder(tf1.float32, [None, 1, 6, 6])
        (y,) = network(fed)
        assert y.shape.as_list() == [None, 10]
        with tf1.Session() as session:
            np.testing.assert_allclose(session.run(y, {fed: x}), eager, rtol=1e-6)


def test_a_batch_that_is_not_known_goes_through_shape_arithmetic() -> None:
    """As PyTorch writes x.view(x.size(0), -1): the batch is read off the shape, and joined with -1."""
    weights = {"zero": np.array(0), "axis": np.array([0]), "rest": np.array([-1])}
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "n"),
        node("Unsqueeze", "n axis", "batch"),
        node("Concat", "batch rest", "wanted", axis=0),
        node("Reshape", "x wanted", "y"),
    ]
    network = ours.Graph(model(nodes, {"x": ["n", 2, 3]}, {"y": ["n", 6]}, weights))
    traced = tf.function(lambda x: network(x)[0], input_signature=[tf.TensorSpec([None, 2, 3], tf.float64)])
    np.testing.assert_array_equal(traced(np.ones((4, 2, 3))).numpy(), np.ones((4, 6)))


def test_initializers_may_be_replaced_by_variables_that_are_trained() -> None:
    network = ours.Graph(classifier())
    x = np.random.default_rng(5).normal(size=(3, 1, 6, 6)).astype(np.float32)
    w = tf.Variable(network.initializers["conv1.weight"])
    with tf.GradientTape() as tape:
        (y,) = network(x, **{"conv1.weight": w})
        loss = -tf.reduce_sum(tf.math.log(y[:, 0]))
    w.assign_sub(0.01 * tape.gradient(loss, w))
    (y,) = network(x, **{"conv1.weight": w})
    assert -tf.reduce_sum(tf.math.log(y[:, 0])) < loss


# --- what exporters write -------------------------------------------------------------------------


def test_slices_end_where_the_axis_does() -> None:
    x = np.arange(10.0)
    most, least = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    np.testing.assert_array_equal(run("Slice", x, np.array([7]), np.array([most])), x[7:])
    backwards = run("Slice", x, np.array([most]), np.array([least]), np.array([0]), np.array([-3]))
    np.testing.assert_array_equal(backwards, x[::-3])


def test_a_resized_ramp_is_a_ramp() -> None:
    """Halfway between cells lies their mean; before the first cell and after the last, these go on."""
    x = np.arange(4.0).reshape(1, 1, 4)
    scales = np.array([1, 1, 2], np.float32)
    y = run("Resize", x, np.empty(0), scales, mode="linear")
    np.testing.assert_allclose(y, [[[0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]]])
    corners = run("Resize", x, np.empty(0), scales, mode="linear", coordinate_transformation_mode="align_corners")
    np.testing.assert_allclose(corners, np.linspace(0, 3, 8)[None, None])


def test_scales_that_are_initializers_are_known_when_a_function_is_traced() -> None:
    nodes = [node("Resize", "x none scales", "y", mode="cubic")]
    weights = {"none": np.empty(0), "scales": np.array([1, 1, 2], np.float32)}
    network = ours.Graph(model(nodes, {"x": ["n", 1, 4]}, {"y": ["n", 1, 8]}, weights))
    x = np.random.default_rng(9).normal(size=(2, 1, 4))
    traced = tf.function(lambda x: network(x)[0], input_signature=[tf.TensorSpec([None, 1, 4], tf.float64)])
    np.testing.assert_allclose(traced(x).numpy(), network(x)[0].numpy())


# --- the table ------------------------------------------------------------------------------------

# (operator, attribute) -> why the function takes another default, or does not take it.
UNLIKE = {
    ("Clip", "min"): "the least float binds nothing",
    ("Clip", "max"): "the largest float binds nothing",
    ("Gemm", "broadcast"): "what needs no broadcast is the same with it",
    ("Constant", "sparse_value"): "sparse tensors are not translated",
}


def schemas() -> list[Any]:
    """(schema, the function that serves it) of every operator set that changed an operator."""
    translated = ours.operators()
    known = [s for s in onnx.defs.get_all_schemas_with_history() if s.domain == "" and s.name in translated]
    rows = [(s, [row for row in translated[s.name] if row.since <= s.since_version]) for s in known]
    return [(s, found[-1]) for s, found in rows if found and s.since_version <= NEWEST]


def test_every_function_takes_the_attributes_of_its_operator_with_their_defaults() -> None:
    faults = []
    for schema, row in schemas():
        taken = row.parameters.parameters
        for name, attribute in schema.attributes.items():
            if name in HINTS or (schema.name, name) in UNLIKE:
                continue
            where = f"{schema.name}-{schema.since_version} {name}"
            if name not in taken:
                faults.append(f"{where}: not taken by {row.function.__module__}")
                continue
            ours_, theirs = taken[name].default, attribute.default_value
            if theirs.name:
                wanted = helper.get_attribute_value(theirs)
                wanted = wanted.decode() if isinstance(wanted, bytes) else wanted
                same = np.allclose(ours_, wanted, rtol=1e-6) if not isinstance(wanted, str) else ours_ == wanted
                faults += [] if same else [f"{where}: {ours_!r}, not {wanted!r}"]
    assert not faults, "\n".join(faults)


def test_every_function_takes_as_many_inputs_as_its_operator_has() -> None:
    for schema, row in schemas():
        kinds = [parameter.kind.name for parameter in row.parameters.parameters.values()]
        some, plain = "VAR_POSITIONAL" in kinds, kinds.count("POSITIONAL_OR_KEYWORD")
        assert some or plain >= len(schema.inputs), f"{schema.name}-{schema.since_version}: {row.parameters}"


def test_an_operator_means_what_the_operator_set_of_its_model_says() -> None:
    x = np.zeros((2, 3, 4), np.float32)
    np.testing.assert_allclose(run("Softmax", x, version=12), np.full(x.shape, 1 / 12), rtol=1e-6)
    np.testing.assert_allclose(run("Softmax", x, version=13), np.full(x.shape, 1 / 4), rtol=1e-6)
    np.testing.assert_array_equal(run("Squeeze", x[:, :1], version=11, axes=[1]).shape, (2, 4))
    np.testing.assert_array_equal(run("Squeeze", x[:, :1], np.array([1]), version=13).shape, (2, 4))


def test_an_operator_of_ones_own_is_declared_as_ours_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from pullback.interop.onnx import table

    monkeypatch.setattr(table, "_TABLE", {name: list(rows) for name, rows in ours.operators().items()})
    x = np.zeros((1, 3), np.float32)
    with pytest.raises(UnimplementedError, match="operator Bernoulli"):
        run("Bernoulli", x)

    @ours.operator("Bernoulli", since=15)
    def bernoulli(x: Any, *, dtype: int | None = None, seed: float | None = None) -> Any:
        return tf.cast(tf.random.uniform(tf.shape(x)) < x, x.dtype)

    np.testing.assert_array_equal(run("Bernoulli", x), x)
    with pytest.raises(UnimplementedError, match=r"Bernoulli \(translated since operator set 15\)"):
        table.row("Bernoulli", 14)


def test_functions_that_a_model_brings_are_its_own_operators() -> None:
    swish = helper.make_function(
        "own",
        "Swash",
        ["x"],
        ["y"],
        [helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Mul", ["x", "s"], ["y"])],
        [helper.make_opsetid("", 22)],
    )
    proto = model([helper.make_node("Swash", ["x"], ["y"], domain="own")], {"x": [3]}, {"y": [3]})
    with pytest.raises(UnimplementedError, match=r"operator own\.Swash"):
        ours.Graph(proto)
    proto.functions.append(swish)
    proto.opset_import.append(helper.make_opsetid("own", 1))
    x = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(ours.run_model(proto, [x])[0], x / (1 + np.exp(-x)))


def test_operators_that_the_table_lacks_are_computed_by_their_definitions() -> None:
    """HannWindow has no function of ours; ONNX defines it, and an attribute that is left out has its default."""
    assert "HannWindow" not in ours.operators()
    graph = helper.make_graph(
        [node("HannWindow", "n", "y")],
        "test",
        [helper.make_tensor_value_info("n", INT64, [])],
        [helper.make_tensor_value_info("y", FLOAT, [4])],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    np.testing.assert_allclose(ours.run_model(proto, [np.array(4)])[0], [0, 0.5, 1, 0.5], atol=1e-6)
