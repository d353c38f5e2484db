"""Graphs as GraphDef messages: names, attributes, control inputs, devices and gradient marks.

    Operation --attrs, input types--> NodeDef            body --> FunctionDef of the library

Attributes are TensorFlow's. Where they do not say all fields of an op (a body, a float in full precision), `_fields`
says them as text; TensorFlow passes over attributes that begin with an underscore. A variable's read is written as
the Identity that TensorFlow 1 has there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pullback.core import dtypes
from pullback.core.basics import Const
from pullback.core.errors import OpError
from pullback.core.graph import Graph, ancestors
from pullback.core.op import frozen
from pullback.core.store import Resource
from pullback.core.tensor import Operation, Tensor
from pullback.io import messages
from pullback.io.attribute_names import ABSENT, FIXED, TYPES_OF_INPUTS
from pullback.io.attributes import Function, Unwritable, decoded, encoded, fields_as_text
from pullback.io.tensors import shape_proto, tensor_proto

HANDLES = ("VariableV2", "VarHandleOp")
FIELDS = "_fields"
MARK = "_gradient_op_type"
SHAPES = "_output_shapes"
# Of the GraphDef format: what TensorFlow 2.12 writes, and the oldest reader it allows.
PRODUCER, OLDEST = 1087, 12


def graph_def(graph: Graph, nodes: Iterable[Operation] | None = None, add_shapes: bool = False) -> Any:
    """The GraphDef of a graph, or of some of its nodes.

    Args:
      add_shapes: notes every output's shape; otherwise only those that `set_shape` made better known.
    """
    made = messages.GraphDef()
    made.versions.producer, made.versions.min_consumer = PRODUCER, OLDEST
    library = _Library(made.library, add_shapes)
    names = _names(graph.nodes)
    for node in graph.nodes if nodes is None else nodes:
        library.write(node, made.node.add(), names)
    return made


def node_def(node: Operation) -> Any:
    """The NodeDef of one operation."""
    made = messages.NodeDef()
    _Library(messages.FunctionDefLibrary(), False).write(node, made, _names([node, *node.control_inputs]))
    return made


class _Names(dict[int, str]):
    """Node -> its name in the file; nodes not met before keep their own."""

    def of(self, node: Operation) -> str:
        return self.get(id(node), node.name)


def _names(nodes: Iterable[Operation]) -> _Names:
    """Names are unique in a file, also where two nodes of a graph were given the same absolute one."""
    found, taken = _Names(), set[str]()
    for node in nodes:
        name, count = node.name, 0
        while name in taken:
            count += 1
            name = f"{node.name}_{count}"
        taken.add(name)
        found[id(node)] = name
    return found


class _Library:
    """The functions that a graph's nodes hold, each written once."""

    def __init__(self, message: Any, add_shapes: bool) -> None:
        self._message, self._add_shapes = message, add_shapes
        self._known: dict[int, str] = {}
        self._held: list[Graph] = []  # the keys are ids

    def write(self, node: Operation, made: Any, names: _Names) -> None:
        """Fills the NodeDef of an operation."""
        op = node.op
        made.name, made.op, made.device = names.of(node), op.type, _device(node)
        made.input.extend([self._input(t, names) for t in node.inputs])
        made.input.extend([f"^{names.of(control)}" for control in node.control_inputs])
        if isinstance(op, Const):
            self._write_constant(op, made)
        elif op.type == "ReadVariableOp" and node.inputs[0].node.op.type == "VariableV2":
            made.op = "Identity"
            made.attr["T"].type = node.results[0].dtype.as_datatype_enum
            made.attr["_class"].list.s.append(f"loc:@{names.of(node.inputs[0].node)}".encode())
        else:
            self._write_attributes(node, made)
        if node.mark is not None:
            made.attr[MARK].s = node.mark.name.encode()
        if self._add_shapes or _better_known(node):
            shapes = [shape_proto(t.spec.held.shape) for t in node.outputs]
            made.attr[SHAPES].list.SetInParent()
            made.attr[SHAPES].list.shape.extend(shapes)

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
            self._write_function(body, found)
        return found

    def _input(self, t: Tensor, names: _Names) -> str:
        return names.of(t.node) if t.index == 0 else f"{names.of(t.node)}:{t.index}"

    def _write_constant(self, op: Any, made: Any) -> None:
        if isinstance(op.value, Resource):  # a handle of elsewhere, as of a random stream
            made.op = "VarHandleOp"
            held = op.value.spec
            attrs = {"dtype": held.dtype, "shape": held.shape, "shared_name": made.name, "container": ""}
            for name, value in attrs.items():
                made.attr[name].CopyFrom(encoded(name, value))
            return
        made.attr["dtype"].type = op.dtype.as_datatype_enum
        try:
            made.attr["value"].tensor.CopyFrom(tensor_proto(op.value, op.dtype))
        except OpError as error:  # a list of tensors
            made.attr["_missing"].s = str(error).encode()

    def _write_attributes(self, node: Operation, made: Any) -> None:
        op = node.op
        bodies = {v.name.encode(): v for f in op.fields if isinstance(v := getattr(op, f), Graph)}
        absent = ABSENT.get(op.type, ())
        attrs = {n: v for n, v in {**FIXED.get(op.type, {}), **op.attrs()}.items() if n not in absent}
        if op.type in HANDLES:
            attrs["shared_name"] = made.name.encode()
        for name, value in attrs.items():
            if isinstance(value, bytes) and value in bodies:
                value = Function(self.function(bodies[value]))
            try:
                made.attr[name].CopyFrom(encoded(name, value))
            except Unwritable:
                del made.attr[name]
        if op.type not in HANDLES and not _recovered(op, made):
            try:
                made.attr[FIELDS].s = fields_as_text(op, self.function)
            except Unwritable as error:
                made.attr["_missing"].s = str(error).encode()
        self._write_types(node, made)

    def _write_types(self, node: Operation, made: Any) -> None:
        """The attributes that follow from the inputs' types and number."""
        op = node.op
        if op.parsed.free:
            return
        absent = ABSENT.get(op.type, ())
        arguments = op.parsed.arguments(len(node.inputs))
        types = {a.variable: t.dtype for a, t in zip(arguments, node.inputs, strict=True) if a.variable}
        types |= {a.variable: t.dtype for a, t in zip(op.parsed.results, node.results, strict=False) if a.variable}
        types |= {name: node.inputs[i].dtype for name, i in TYPES_OF_INPUTS.get(op.type, {}).items()}
        for name, dtype in types.items():
            if name not in made.attr and name not in absent:
                made.attr[name].type = dtype.as_datatype_enum
        if op.parsed.repeated is not None and "N" not in made.attr and "N" not in absent:
            made.attr["N"].i = len(node.inputs) - len(op.parsed.inputs) + 1

    def _write_function(self, body: Graph, name: str) -> None:
        made = self._message.function.add()
        made.signature.name = name
        needed = _needed(body)
        names = _names(needed)
        parameters = {id(t) for t in body.inputs}
        for i, t in enumerate(body.inputs):
            held = t.spec.held
            argument = made.signature.input_arg.add(name=names.of(t.node), type=t.dtype.as_datatype_enum)
            if t.dtype is dtypes.resource:
                argument.handle_data.add(dtype=held.dtype.as_datatype_enum, shape=shape_proto(held.shape))
            made.arg_attr[i].attr[SHAPES].list.shape.append(shape_proto(t.spec.shape))
        for i, t in enumerate(body.outputs):
            made.signature.output_arg.add(name=f"output_{i}", type=t.dtype.as_datatype_enum)
            made.ret[f"output_{i}"] = names.of(t.node) if id(t) in parameters else f"{names.of(t.node)}:{t.index}"
        for node in needed:
            if node.results and id(node.results[0]) in parameters:
                continue
            written = made.node_def.add()
            self.write(node, written, names)
            if node.op.effect:
                made.control_ret[names.of(node)] = names.of(node)


def _needed(body: Graph) -> list[Operation]:
    """The parameters, what the outputs hang on, and what has effects."""
    roots = [*[t.node for t in (*body.inputs, *body.outputs)], *[n for n in body.nodes if n.op.effect]]
    reads = [t for n in roots for t in (*n.inputs, *n.results)]
    reads += [t for n in roots for c in n.control_inputs for t in (*c.inputs, *c.results)]
    found = {id(n): n for n in (*roots, *ancestors(reads, controls=True))}
    return sorted(found.values(), key=lambda n: n.index)


def _device(node: Operation) -> str:
    return node.device if isinstance(node.device, str) else str(node.device or "")


def _recovered(op: Any, made: Any) -> bool:
    """Whether the attributes as written lead back to this very op."""
    try:
        attrs = {name: decoded(value) for name, value in made.attr.items()}
        again = type(op).from_attrs(attrs)
    except (OpError, TypeError, ValueError, KeyError, AttributeError):
        return False
    return all(frozen(getattr(again, f))[1] == frozen(getattr(op, f))[1] for f in op.fields)


def _better_known(node: Operation) -> bool:
    """Whether an output's shape is known better than the op infers it."""
    if node.op.parsed.free or node.op.type in HANDLES:
        return False
    inferred = node.op.specs(tuple([t.spec for t in node.inputs]))
    return any(t.spec.shape != s.shape for t, s in zip(node.outputs, inferred, strict=False))
