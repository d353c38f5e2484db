"""Graphs with their collections as MetaGraphDef messages: `export_meta_graph`, `import_meta_graph`.

operations -> graph_def        collections -> names, numbers, words; variables as VariableDefs
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from pullback.core.errors import ArgumentError, DataLossError, NotFoundError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Operation, Tensor
from pullback.io import atomic, graph_import, messages
from pullback.io.graph_export import graph_def as graph_def_of
from pullback.io.graph_util import node_name
from pullback.io.graphs import serialized
from pullback.io.variable_defs import from_proto, to_proto
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.modes.variable import Variable

_VARIABLES = (
    GraphKeys.GLOBAL_VARIABLES,
    GraphKeys.LOCAL_VARIABLES,
    GraphKeys.MODEL_VARIABLES,
    GraphKeys.TRAINABLE_VARIABLES,
    GraphKeys.MOVING_AVERAGE_VARIABLES,
    GraphKeys.METRIC_VARIABLES,
    GraphKeys.GLOBAL_STEP,
    GraphKeys.WEIGHTS,
    GraphKeys.BIASES,
)
# What is no part of a file here: marks of TensorFlow 1's own control flow, which the nodes say too.
_RUNNING = (GraphKeys.COND_CONTEXT, GraphKeys.WHILE_CONTEXT)
# The version whose files these are like; readers compare it with theirs.
TENSORFLOW = "2.21.0"
# Attributes at the values that TensorFlow gives them when they are absent.
_DEFAULTS: dict[str, Any] = {
    "data_format": b"NHWC", "use_cudnn_on_gpu": True, "dilations": (1, 1, 1, 1), "explicit_paddings": (),
    "transpose_a": False, "transpose_b": False, "adj_x": False, "adj_y": False, "keep_dims": False, "container": b"",
    "shared_name": b"", "include_batch_in_index": False, "validate_shape": True,
}  # fmt: skip


@public(v1="train.export_meta_graph")
def export_meta_graph(
    filename: str | None = None,
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Any = None,
    as_text: bool = False,
    graph: Graph | None = None,
    export_scope: str | None = None,
    clear_devices: bool = False,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    **kwargs: Any,
) -> Any:
    """The current graph with its collections as a MetaGraphDef, also written to a file when one is named.

    Args:
      filename: where to write it, at once; `as_text` as protocol-buffer text.
      meta_info_def, graph_def, saver_def: messages to put in, instead of those of the graph.
      collection_list: names of the only collections to write.
      export_scope: only the operations under this name, which is left out of theirs.
      clear_devices: leaves out the operations' devices.
      clear_extraneous_savers: leaves out the operations of savers other than saver_def's.
      strip_default_attrs: leaves out attributes at their default.
      save_debug_info: writes, beside the file, the user's line that made each operation.
    Raises:
      ArgumentError: an argument of kwargs has no meaning here, or debug information has no file to go to.
    """
    if kwargs:
        raise ArgumentError(f"export_meta_graph: unknown arguments {sorted(kwargs)}").locate()
    graph = graph or get_default_graph()
    made = messages.MetaGraphDef()
    if meta_info_def is not None:
        made.meta_info_def.CopyFrom(meta_info_def)
    if not made.meta_info_def.tensorflow_version:
        made.meta_info_def.tensorflow_version, made.meta_info_def.tensorflow_git_version = TENSORFLOW, writer()
    made.meta_info_def.stripped_default_attrs = strip_default_attrs
    made.graph_def.CopyFrom(graph_def if graph_def is not None else graph_def_of(graph, add_shapes=True))
    if saver_def is not None:
        made.saver_def.CopyFrom(saver_def)
    if clear_extraneous_savers:
        _clear_savers(made, saver_def)
    front = "" if not export_scope else export_scope.rstrip("/") + "/"
    _adapt_nodes(made.graph_def, front, clear_devices, strip_default_attrs)
    for key in graph.collections if collection_list is None else collection_list:
        extraneous = clear_extraneous_savers and key == GraphKeys.SAVERS
        if isinstance(key, str) and key not in _RUNNING and not extraneous:
            _write_collection(made, key, graph.get_collection(key), front)
    if save_debug_info:
        _write_lines(filename, graph)
    if filename is not None:
        os.makedirs(os.path.dirname(filename) or ".", exist_ok=True)
        atomic.write(filename, serialized(made, as_text))
    return made


def writer() -> str:
    from pullback import __version__

    return f"pullback {__version__}"


def _clear_savers(made: Any, saver_def: Any) -> None:
    """Leaves out the operations under the names of savers, but for the saver that is written."""
    kept = "" if saver_def is None else saver_def.restore_op_name.partition("/")[0]
    roots = {n.name.partition("/")[0] for n in made.graph_def.node if n.op in ("SaveV2", "RestoreV2")}
    nodes = [n for n in made.graph_def.node if n.name.partition("/")[0] not in roots - {kept}]
    del made.graph_def.node[:]
    made.graph_def.node.extend(nodes)


def _adapt_nodes(made: Any, front: str, clear_devices: bool, strip: bool) -> None:
    """Leaves out what is not asked for."""
    if front:
        nodes = [n for n in made.node if n.name.startswith(front)]
        for node in nodes:
            outside = [r for r in node.input if not node_name(r).startswith(front)]
            if outside:
                raise ArgumentError(
                    f"export_meta_graph: {node.name!r} takes {outside}, which are not under export_scope {front!r}; "
                    "export a scope that holds all that it hangs on"
                ).locate()
            node.name = node.name[len(front) :]
            node.input[:] = [r.replace(front, "", 1) for r in node.input]
            if "_class" in node.attr:
                del node.attr["_class"]
        del made.node[:]
        made.node.extend(nodes)
    for node in made.node:
        if clear_devices:
            node.device = ""
        for name, default in _DEFAULTS.items() if strip else ():
            if name in node.attr and graph_import.decoded(node.attr[name]) == default:
                del node.attr[name]


def _write_lines(filename: str | None, graph: Graph) -> None:
    if filename is None:
        raise ArgumentError("export_meta_graph: save_debug_info writes beside the file: give `filename`").locate()
    lines = [f"{node.name}\t{node.where}\n" for node in graph.nodes if node.where]
    atomic.write(f"{os.path.splitext(filename)[0]}.debug", "".join(lines).encode())


# --- collections -----------------------------------------------------------------------------------------------


def _write_collection(made: Any, key: str, values: list[Any], front: str) -> None:
    """Writes a collection in the form its values have; one whose values no file holds is left out, with a warning."""
    held = messages.CollectionDef()
    try:
        for value in values:
            _collect(held, key, value, front)
    except (TypeError, ValueError) as error:
        warnings.warn(f"export_meta_graph: collection {key!r} is left out: {error}", stacklevel=4)
        return
    if held.WhichOneof("kind"):
        made.collection_def[key].CopyFrom(held)


def _collect(held: Any, key: str, value: Any, front: str) -> None:
    if key in _VARIABLES and isinstance(value, Variable):
        proto = to_proto(value, front or None)
        if proto is not None:
            held.bytes_list.value.append(proto.SerializeToString())
    elif key in (GraphKeys.SAVERS, GraphKeys.QUEUE_RUNNERS) and hasattr(value, "to_proto"):
        said = value.to_proto(front or None)
        if said is not None:
            held.bytes_list.value.append(said.SerializeToString())
    elif hasattr(value, "SerializeToString"):
        held.bytes_list.value.append(value.SerializeToString())
    elif isinstance(value, (Tensor, Operation, Variable)):
        if value.name.startswith(front):
            held.node_list.value.append(value.name[len(front) :])
    elif isinstance(value, (str, bytes)):
        held.bytes_list.value.append(value.encode() if isinstance(value, str) else value)
    elif isinstance(value, int):
        held.int64_list.value.append(value)
    elif isinstance(value, float):
        held.float_list.value.append(value)
    else:
        raise TypeError(f"a value of type {type(value).__name__} has no form in a file")


def _read_collections(graph: Graph, meta: Any, scope: str, wanted: Callable[[str], bool]) -> None:
    from pullback.train.queue_runner import QueueRunner
    from pullback.train.saver import Saver

    front = f"{scope}/" if scope else ""
    for key in sorted(meta.collection_def, key=lambda k: k != GraphKeys.GLOBAL_VARIABLES):
        held = meta.collection_def[key]
        kind = held.WhichOneof("kind")
        if kind is None or kind == "any_list" or key in _RUNNING or not wanted(key):
            continue
        for value in getattr(held, kind).value:
            if kind == "node_list":
                value = graph.as_graph_element(front + value)
            elif kind == "bytes_list" and key in _VARIABLES:
                said = messages.parsed(messages.VariableDef(), value, f"collection {key!r}")
                value = from_proto(said, scope)
            elif kind == "bytes_list" and key == GraphKeys.SAVERS:
                said = messages.parsed(messages.SaverDef(), value, f"collection {key!r}")
                value = Saver(saver_def=scoped(said, scope), name=scope or None)
            elif kind == "bytes_list" and key == GraphKeys.QUEUE_RUNNERS:
                said = messages.parsed(messages.QueueRunnerDef(), value, f"collection {key!r}")
                value = QueueRunner.from_proto(said, scope or None)
            elif kind == "float_list":
                value = float(value)
            if not any(value is old for old in graph.get_collection_ref(key)):
                graph.add_to_collection(key, value)
    trained = {id(v) for v in graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)}
    for variable in graph.get_collection(GraphKeys.GLOBAL_VARIABLES):
        if isinstance(variable, Variable) and variable.name.startswith(front):
            variable.trainable = id(variable) in trained


# --- reading ---------------------------------------------------------------------------------------------------


def read_meta_graph(path: str) -> Any:
    """The MetaGraphDef of a file, binary or text.

    Raises:
      NotFoundError: the file is not there. DataLossError: it is no MetaGraphDef.
    """
    if not os.path.isfile(path):
        raise NotFoundError(f"File {path} does not exist.").locate()
    with open(path, "rb") as file:
        data = file.read()
    try:
        return messages.parsed(messages.MetaGraphDef(), data, path)
    except DataLossError as error:
        from google.protobuf import text_format

        try:
            return text_format.Parse(data.decode(), messages.MetaGraphDef())
        except (text_format.ParseError, UnicodeDecodeError):
            raise error from None


@public(v1="train.import_meta_graph")
def import_meta_graph(
    meta_graph_or_file: Any, clear_devices: bool = False, import_scope: str | None = None, **kwargs: Any
) -> Any:
    """Adds a MetaGraphDef's operations and collections to the current graph. Its variables can be restored and trained.

    Args:
      meta_graph_or_file: a MetaGraphDef, or the name of a ".meta" file.
      clear_devices: leaves out the operations' devices.
      import_scope: what the operations' names begin with.
      kwargs: `input_map` as in import_graph_def; `restore_collections_predicate`, a function of a collection's name
        that says whether to take it.
    Returns:
      A Saver of the graph's variables; None when it has none.
    Raises:
      UnknownOpError: operations are of types not known here; lists them all.
    """
    from pullback.train.saver import Saver

    wanted = kwargs.pop("restore_collections_predicate", lambda key: True)
    mapped = kwargs.pop("input_map", None) or {}
    if kwargs:
        raise ArgumentError(f"import_meta_graph: unknown arguments {sorted(kwargs)}").locate()
    where, meta = "import_meta_graph", meta_graph_or_file
    if not hasattr(meta, "graph_def"):
        where = os.fsdecode(meta)
        meta = read_meta_graph(where)
    graph = get_default_graph()
    scope = (import_scope or "").rstrip("/")
    if clear_devices:
        nodes = messages.GraphDef()
        nodes.CopyFrom(meta.graph_def)
        _adapt_nodes(nodes, "", True, False)
    else:
        nodes = meta.graph_def
    inputs = {k if ":" in k else f"{k}:0": v for k, v in mapped.items()}
    graph_import.add(graph, nodes, f"{scope}/" if scope else "", inputs, where)
    _read_collections(graph, meta, scope, wanted)
    if meta.HasField("saver_def"):
        return Saver(saver_def=scoped(meta.saver_def, scope), name=scope or None)
    return Saver() if graph.get_collection(GraphKeys.GLOBAL_VARIABLES) else None


def scoped(saver_def: Any, scope: str) -> Any:
    """A SaverDef for operations whose names begin with the scope."""
    made = messages.SaverDef()
    made.CopyFrom(saver_def)
    if scope:
        for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
            setattr(made, field, f"{scope}/{getattr(saver_def, field)}")
    return made
