"""GraphDefs cut, thinned and frozen: `tf.graph_util`."""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import TensorShape
from pullback.io import messages
from pullback.io.tensors import tensor_proto

_HANDLES = ("VariableV2", "Variable", "VarHandleOp")
_READS = ("ReadVariableOp", "ResourceGather", "Identity")


def node_name(reference: str) -> str:
    """The node of an input: "^x", "x:1" and "x" all name "x"."""
    return reference.lstrip("^").partition(":")[0]


@public(v1="graph_util.extract_sub_graph")
def extract_sub_graph(graph_def: Any, dest_nodes: Any) -> Any:
    """The part of a GraphDef that the nodes named in `dest_nodes` hang on, control inputs included.

    Raises:
      TypeError: graph_def is no GraphDef, or dest_nodes a single string. AssertionError: a name is not in the graph.
    """
    _check_graph_def(graph_def, "extract_sub_graph")
    if isinstance(dest_nodes, (str, bytes)):
        raise TypeError(f"dest_nodes must be an iterable of strings, not the string {dest_nodes!r}")
    nodes = {node.name: node for node in graph_def.node}
    for name in dest_nodes:
        assert name in nodes, f"{name} is not in graph"
    found: set[str] = set()
    waiting = list(dest_nodes)
    while waiting:
        name = waiting.pop()
        if name not in found and name in nodes:
            found.add(name)
            waiting.extend(node_name(reference) for reference in nodes[name].input)
    made = messages.GraphDef(versions=graph_def.versions, library=graph_def.library)
    made.node.extend(node for node in graph_def.node if node.name in found)
    return made


@public(v1="graph_util.convert_variables_to_constants")
def convert_variables_to_constants(
    sess: Any,
    input_graph_def: Any,
    output_node_names: Any,
    variable_names_whitelist: Any = None,
    variable_names_blacklist: Any = None,
) -> Any:
    """A GraphDef with the variables' values in a session in the place of the variables.

    Args:
      output_node_names: what is to be computed; the rest is left out.
      variable_names_whitelist: names of the only variables to convert.
      variable_names_blacklist: names of variables to leave as they are.
    Raises:
      UninitializedError: a variable has no value in the session.
    """
    made = extract_sub_graph(input_graph_def, list(output_node_names))
    constants: dict[str, Any] = {}
    for node in made.node:
        chosen = variable_names_whitelist is None or node.name in variable_names_whitelist
        if node.op in _HANDLES and chosen and node.name not in (variable_names_blacklist or ()):
            held = sess.graph.get_operation_by_name(node.name).op.resource
            constants[node.name] = sess.store.read(held)
    frozen = messages.GraphDef(versions=made.versions, library=made.library)
    for node in made.node:
        frozen.node.append(_frozen(node, constants))
    return frozen


def _frozen(node: Any, constants: dict[str, Any]) -> Any:
    """A node once variables are constants: a Const, the Identity of one, or itself."""
    made = messages.NodeDef(name=node.name, device=node.device)
    if node.name in constants:
        made.op = "Const"
        made.attr["dtype"].CopyFrom(node.attr["dtype"])
        made.attr["value"].tensor.CopyFrom(tensor_proto(constants[node.name]))
        return made
    reads = node.op == "ReadVariableOp" and node_name(node.input[0]) in constants
    if not reads:
        changes = [r for r in node.input if not r.startswith("^") and node_name(r) in constants]
        if changes and node.op not in _READS and node.op.startswith(("Assign", "Scatter", "Resource")):
            raise ArgumentError(
                f"convert_variables_to_constants: {node.name!r} changes variable {changes[0]!r}, so that cannot become "
                "a constant; name output nodes that do not hang on updates"
            ).locate()
        return node
    made.op = "Identity"
    made.input.extend(node.input)
    made.attr["T"].CopyFrom(node.attr["dtype"] if "dtype" in node.attr else node.attr["T"])
    return made


@public(v1="graph_util.remove_training_nodes")
def remove_training_nodes(input_graph: Any, protected_nodes: Any = None) -> Any:
    """A GraphDef without the nodes that only training needs: CheckNumerics and Identity, but for those that carry
    control inputs or are protected.

    Raises:
      TypeError: input_graph is no GraphDef.
    """
    _check_graph_def(input_graph, "remove_training_nodes")
    protected = set[str](protected_nodes or ())
    checked = _spliced(input_graph, "CheckNumerics", protected)
    return _spliced(checked, "Identity", protected)


def _spliced(graph_def: Any, kind: str, protected: set[str]) -> Any:
    """Without the nodes of a type, what read them reading their inputs."""
    held = {node_name(r) for node in graph_def.node for r in node.input if r.startswith("^")} | protected
    goes = {
        node.name: node.input[0]
        for node in graph_def.node
        if node.op == kind and len(node.input) == 1 and node.name not in held
    }
    made = messages.GraphDef(versions=graph_def.versions, library=graph_def.library)
    for node in graph_def.node:
        if node.name in goes:
            continue
        kept = made.node.add()
        kept.CopyFrom(node)
        for i, reference in enumerate(kept.input):
            while node_name(reference) in goes:
                reference = goes[node_name(reference)]
            kept.input[i] = reference
    return made


@public(v1="graph_util.must_run_on_cpu")
def must_run_on_cpu(node: Any, pin_variables_on_cpu: bool = False) -> bool:
    """Whether TensorFlow would keep an Operation or NodeDef off accelerators: strings, int32 constants, dynamic
    stitching; with pin_variables_on_cpu also variables."""
    node_def = node if isinstance(node, messages.NodeDef) else node.node_def
    if node_def.op in ("VariableV2", "Variable"):
        return pin_variables_on_cpu
    if node_def.op == "Const":
        named = messages.DataType.Name(node_def.attr["dtype"].type)
        return named in ("DT_STRING", "DT_INT32")
    if node_def.op == "DynamicStitch":
        return messages.DataType.Name(node_def.attr["T"].type) == "DT_INT32"
    return node_def.op == "Cast" and messages.DataType.Name(node_def.attr["SrcT"].type) == "DT_INT32"


@public(v1="graph_util.tensor_shape_from_node_def_name")
def tensor_shape_from_node_def_name(graph: Graph, input_name: str) -> TensorShape:
    """The shape of the tensor that a NodeDef's input names.

    Raises:
      ShapeError: the name is a control input, which has none.
    """
    if input_name.startswith("^"):
        raise ShapeError(f"{input_name!r} is a control input and has no shape").locate()
    return graph.get_tensor_by_name(input_name if ":" in input_name else f"{input_name}:0").shape


def _check_graph_def(given: Any, where: str) -> None:
    if not isinstance(given, messages.GraphDef):
        raise TypeError(f"{where}: graph_def must be a graph_pb2.GraphDef proto, but is {type(given).__name__}")
