"""Graphs to files and back, by TensorFlow's names. Loaded at the start, so it loads no protocol buffers itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.interpreter import as_tensor
from pullback.core.names import method_of, public
from pullback.core.tensor import Operation, Tensor
from pullback.modes.default import get_default_graph

if TYPE_CHECKING:
    from pullback.io.graph_import import Importer


@method_of(Graph)
def as_graph_def(
    self: Graph, from_version: int | None = None, add_shapes: bool = False, use_pybind11_proto: bool = False
) -> Any:
    """The graph as a GraphDef message.

    Args:
      from_version: only the operations added since the graph had this `version`.
      add_shapes: notes every output's shape, in the attribute `_output_shapes`.
      use_pybind11_proto: how TensorFlow hands the message on; the message is the same.
    """
    from pullback.io.graph_export import graph_def

    return graph_def(self, self.nodes[from_version or 0 :], add_shapes)


@method_of(Graph)
@property
def version(self: Graph) -> int:
    """How many operations were added."""
    return len(self.nodes)


@method_of(Graph)
@property
def graph_def_versions(self: Graph) -> Any:
    """Versions of the GraphDef format, as `as_graph_def` notes them."""
    return as_graph_def(self, len(self.nodes)).versions


@method_of(Operation)
@property
def node_def(self: Operation) -> Any:
    """The operation as a NodeDef message."""
    from pullback.io import graph_export

    return graph_export.node_def(self)


@public("import_graph_def", "graph_util.import_graph_def")
def import_graph_def(
    graph_def: Any,
    input_map: Any = None,
    return_elements: Any = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> Any:
    """Adds the operations of a GraphDef to the current graph.

    Args:
      graph_def: a GraphDef message.
      input_map: {name in graph_def: tensor}; the tensor takes the place of the one named.
      return_elements: names of operations ("x") and tensors ("x:0") of graph_def to return.
      name: what their names begin with; "import" when None, nothing when "". One that ends in "/" may be taken
        already: then operations whose names are taken too are numbered.
      op_dict: without meaning, as in TensorFlow.
      producer_op_list: an OpList of who wrote the graph. Attributes not known here are passed over with or without it.
    Returns:
      What return_elements names, as a list; None without it.
    Raises:
      UnknownOpError: operations are of types not known here; lists them all.
      ValueError: a name of input_map or return_elements is not in graph_def.
    """
    from pullback.io import graph_import, messages

    if not isinstance(graph_def, messages.GraphDef):
        graph_def = _as_graph_def(graph_def)
    graph = get_default_graph()
    mapped = {_key(k): as_tensor(v, here=graph) for k, v in (input_map or {}).items()}
    prefix = "" if name == "" else f"{graph.unique_name('import' if name is None else name)}/"
    importer = graph_import.add(graph, graph_def, prefix, mapped, "import_graph_def")
    unused = sorted(set(mapped) - importer.used)
    if unused:
        raise ValueError(f"Attempted to map inputs that were not found in graph_def: {unused}")
    return None if return_elements is None else [_element(importer, x) for x in return_elements]


def _key(name: Any) -> str:
    """A name of input_map as tensors are looked up: "x:0", "x:1"."""
    name = name.decode() if isinstance(name, bytes) else str(name)
    return name if ":" in name else f"{name}:0"


def _as_graph_def(given: Any) -> Any:
    """A GraphDef of another library's class, taken by its bytes."""
    from pullback.io import messages

    if not hasattr(given, "SerializeToString"):
        raise TypeError(f"graph_def must be a GraphDef proto, but is {type(given).__name__}")
    return messages.parsed(messages.GraphDef(), given.SerializeToString(), "import_graph_def")


def _element(importer: Importer, name: Any) -> Operation | Tensor:
    name = name.decode() if isinstance(name, bytes) else str(name)
    operation, _, place = name.partition(":")
    if operation not in importer.made:
        raise ValueError(f"Requested return_element {name!r} not found in graph_def.")
    if not place:
        return importer.operation(operation)
    return importer.tensor(name)


@public("io.write_graph", v1=("io.write_graph", "train.write_graph"))
def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Writes a graph to a file, at once.

    Args:
      logdir: the folder, made where it is not there.
      as_text: protocol-buffer text, else its binary form.
    Returns:
      The file's path.
    """
    from pullback.io import atomic

    message = as_graph_def(graph_or_graph_def) if isinstance(graph_or_graph_def, Graph) else graph_or_graph_def
    if not hasattr(message, "SerializeToString"):
        raise ArgumentError(f"write_graph: {type(message).__name__} is neither a Graph nor a GraphDef").locate()
    os.makedirs(logdir, exist_ok=True)
    path = os.path.join(logdir, name)
    atomic.write(path, serialized(message, as_text))
    return path


def serialized(message: Any, as_text: bool) -> bytes:
    """A message's bytes, as text or binary."""
    if as_text:
        from google.protobuf import text_format

        return text_format.MessageToString(message).encode()
    return message.SerializeToString(deterministic=True)
