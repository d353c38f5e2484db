"""Graphs as GraphDef messages: names, attributes, control inputs, devices and gradient marks.

    Operation --attrs, input types--> NodeDef            body --> FunctionDef of the library

Attributes are TensorFlow's. Where they do not say all fields of an op (a body, a float in full precision), `_fields`
says them as text; TensorFlow passes over attributes that begin with an underscore. A variable's read is written as
the Identity that TensorFlow 1 has there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pullback.core import dtypes
from pullback.core.graph import Graph, ancestors
from pullback.core.tensor import Operation, Tensor
from pullback.io import messages
from pullback.io.node_writer import SHAPES, NodeWriter
from pullback.io.tensors import shape_proto

# Of the GraphDef format: what TensorFlow 2.12 writes, and the oldest reader it allows.
PRODUCER, OLDEST = 1087, 12


def graph_def(graph: Graph, nodes: Iterable[Operation] | None = None, add_shapes: bool = False) -> Any:
    """The GraphDef of a graph, or of some of its nodes.

    Args:
      add_shapes: notes every output's shape; otherwise only those that `set_shape` made better known.
    """
    made = messages.GraphDef()
    made.versions.producer, made.versions.min_consumer = PRODUCER, OLDEST
    _write_nodes(made, _Library(made.library, add_shapes), graph, graph.nodes if nodes is None else nodes)
    return made


def graph_def_with(graph: Graph, bodies: Iterable[Graph]) -> tuple[Any, list[str]]:
    """The GraphDef of a graph, with functions in its library that no node calls; and their names there."""
    made = messages.GraphDef()
    made.versions.producer, made.versions.min_consumer = PRODUCER, OLDEST
    library = _Library(made.library, True)
    names = [library.function(body) for body in bodies]
    _write_nodes(made, library, graph, graph.nodes)
    return made, names


def _write_nodes(made: Any, library: _Library, graph: Graph, nodes: Iterable[Operation]) -> None:
    writer = NodeWriter(library, graph.nodes)
    for node in nodes:
        if not writer.passes_over(node):
            writer.write(node, made.node.add())
            writer.write_read(node, made.node.add)


def node_def(node: Operation) -> Any:
    """The NodeDef of one operation."""
    made = messages.NodeDef()
    NodeWriter(_Library(messages.FunctionDefLibrary(), False), [node, *node.control_inputs]).write(node, made)
    return made


class _Library:
    """The functions that a graph's nodes hold, each written once."""

    def __init__(self, message: Any, add_shapes: bool) -> None:
        self._message, self.add_shapes = message, add_shapes
        self._known: dict[int, str] = {}
        self._held: list[Graph] = []  # the keys are ids

    def function(self, body: Graph) -> str:
        """The name of a body in the library."""
        found, count = self._known.get(id(body)), 0
        if found is None:
            found = name = body.name or "body"
            while found in self._known.values():
                count += 1
                found = f"{name}_{count}"
            self._known[id(body)] = found
            self._held.append(body)
            self._write(body, found)
        return found

    def _write(self, body: Graph, name: str) -> None:
        made = self._message.function.add()
        made.signature.name = name
        needed = _needed(body)
        parameters = {id(t): _argument_name(t) for t in body.inputs}
        writer = NodeWriter(self, needed, parameters, [id(t) for t in body.outputs])
        for i, t in enumerate(body.inputs):
            held = t.spec.held
            argument = made.signature.input_arg.add(name=writer.names.of(t.node), type=t.dtype.as_datatype_enum)
            if t.dtype is dtypes.resource:
                argument.handle_data.add(dtype=held.dtype.as_datatype_enum, shape=shape_proto(held.shape))
            made.arg_attr[i].attr[SHAPES].list.shape.append(shape_proto(t.spec.shape))
        for i, t in enumerate(body.outputs):
            made.signature.output_arg.add(name=f"output_{i}", type=t.dtype.as_datatype_enum)
            made.ret[f"output_{i}"] = writer.reference(t)
        for node in needed:
            if (node.results and id(node.results[0]) in parameters) or writer.passes_over(node):
                continue
            writer.write(node, made.node_def.add())
            writer.write_read(node, made.node_def.add)
            if node.op.effect:
                made.signature.is_stateful = True
                made.signature.control_output.append(writer.names.of(node))
                made.control_ret[writer.names.of(node)] = writer.names.of(node)


def _argument_name(t: Tensor) -> str:
    """A parameter's name as functions may have it: small letters, digits and _."""
    name = re.sub(r"[^a-z0-9_]", "_", t.node.name.lower())
    return name if name[0].isalpha() else f"x{name}"


def _needed(body: Graph) -> list[Operation]:
    """The parameters, what the outputs hang on, and what has effects."""
    roots = [*[t.node for t in (*body.inputs, *body.outputs)], *[n for n in body.nodes if n.op.effect]]
    reads = [t for n in roots for t in (*n.inputs, *n.results)]
    reads += [t for n in roots for c in n.control_inputs for t in (*c.inputs, *c.results)]
    found = {id(n): n for n in (*roots, *ancestors(reads, controls=True))}
    return sorted(found.values(), key=lambda n: n.index)
