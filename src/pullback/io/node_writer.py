"""Operations as NodeDef messages, those of a graph or of a function's body.

Attributes and types are TensorFlow's where it has the op. Where attributes do not say all fields of an op, `_fields`
says them as text. Draws are written with their seeds, updates by handle as the ops that give nothing, and in bodies
the order of the program by control inputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from pullback.core import dtypes
from pullback.core.basics import Const
from pullback.core.errors import OpError
from pullback.core.graph import Graph
from pullback.core.op import frozen
from pullback.core.store import Resource
from pullback.core.tensor import Operation, Tensor
from pullback.io import functional_export
from pullback.io.attribute_names import ABSENT, FIXED, TYPE_LISTS, TYPES_OF_INPUTS, output_place
from pullback.io.attributes import Function, Unwritable, decoded, encoded, fields_as_text
from pullback.io.functional_export import is_reference
from pullback.io.tensors import shape_proto, tensor_proto
from pullback.ops.random.draws import WORDS_EACH

HANDLES = ("VariableV2", "VarHandleOp")
QUEUES = ("FIFOQueueV2", "RandomShuffleQueueV2", "PaddingFIFOQueueV2", "PriorityQueueV2")
FIELDS = "_fields"
MARK = "_gradient_op_type"
SHAPES = "_output_shapes"
# What updates are called where they take a variable by handle; those give nothing.
BY_HANDLE = {
    "Assign": "AssignVariableOp",
    "AssignAdd": "AssignAddVariableOp",
    "AssignSub": "AssignSubVariableOp",
    "ScatterAdd": "ResourceScatterAdd",
    "ScatterSub": "ResourceScatterSub",
    "ScatterUpdate": "ResourceScatterUpdate",
}
READ = "written"
# Draws that TensorFlow's ops make by seeds -> how many inputs they have there.
DRAWS = {"RandomUniform": 1, "RandomStandardNormal": 1, "TruncatedNormal": 1, "RandomUniformInt": 3}


class _Names(dict[int, str]):
    """Node -> its name in the file; nodes not met before keep their own."""

    def of(self, node: Operation) -> str:
        return self.get(id(node), node.name)


def _names(nodes: Iterable[Operation], given: dict[int, str]) -> _Names:
    """Names are unique in a file, also where two nodes of a graph were given the same absolute one.

    Args:
      given: names to use for the nodes that make these tensors.
    """
    found, taken = _Names(), set[str]()
    for node in nodes:
        wanted = given.get(id(node.results[0]), node.name) if node.results else node.name
        name, count = wanted, 0
        while name in taken:
            count += 1
            name = f"{wanted}_{count}"
        taken.add(name)
        found[id(node)] = name
    return found


class NodeWriter:
    """Writes the nodes of a graph, or of a function's body, whose inputs then name outputs by their arguments.

    Args:
      nodes: all of the graph. parameters: of a body, id -> name of the argument that each of its inputs is.
      results: of a body, ids of what it gives.
    """

    def __init__(
        self,
        library: Any,
        nodes: list[Operation],
        parameters: dict[int, str] | None = None,
        results: Iterable[int] = (),
    ) -> None:
        self._library, self._parameters = library, parameters
        self.names = _names(nodes, parameters or {})
        self._used = Counter(id(t) for node in nodes for t in node.inputs)
        self._used.update(results)
        counted = [node for node in nodes if self._draws_alone(node)]
        self._counted = {id(node) for node in counted}
        self._passed = {id(n) for node in counted for n in self._sources(node)}
        self._after = self._program_order(nodes) if parameters is not None else {}

    # --- draws, which have seeds there and streams here ------------------------------------------------------------

    def _draws_alone(self, node: Operation) -> bool:
        """Whether a draw has a counter of its own that it leads back to from the seeds."""
        if DRAWS.get(node.op.type) != len(node.inputs) - 2:
            return False
        counter = node.inputs[-1].node
        return (
            counter.op.type == "DrawCounter"
            and counter.op.words == WORDS_EACH
            and all(self._used[id(t)] == 1 for t in counter.results)
            and not counter.control_inputs
        )

    def _sources(self, node: Operation) -> list[Operation]:
        counter = node.inputs[-1].node
        stream = counter.inputs[0]
        own = isinstance(stream.node.op, Const) and self._used[id(stream)] == 1
        return [counter, stream.node] if own or stream.node.op.type == "VarHandleOp" else [counter]

    def passes_over(self, node: Operation) -> bool:
        """Whether a node is said by the attributes of another."""
        return id(node) in self._passed

    # --- order -----------------------------------------------------------------------------------------------------

    def _program_order(self, nodes: list[Operation]) -> dict[int, list[str]]:
        """Of a body: what each node waits for, so that variables are read and written, and the world is touched, in
        the order of the program. Here that order goes without saying; TensorFlow's graphs say it by control inputs."""
        wrote: dict[int, str] = {}
        read: dict[int, list[str]] = {}
        waits: dict[int, list[str]] = {}
        for node in nodes:
            handles = [id(t) for t in node.inputs if t.dtype is dtypes.resource]
            if self.passes_over(node) or not (node.op.effect or handles):
                continue
            name = self.names.of(node)
            found = waits.setdefault(id(node), [])
            for key in handles or [0]:
                found += [wrote[key]] if key in wrote else []
                if node.op.effect:
                    found += read.pop(key, [])
                    wrote[key] = self._written_read(node) if self._is_read_after(node) else name
                else:
                    read.setdefault(key, []).append(name)
        return waits

    def _is_read_after(self, node: Operation) -> bool:
        return _by_handle(node) and bool(self._used[id(node.results[0])])

    # --- one node --------------------------------------------------------------------------------------------------

    def write(self, node: Operation, made: Any) -> None:
        """Fills the NodeDef of an operation."""
        op, inputs = node.op, node.inputs
        made.name, made.op, made.device = self.names.of(node), op.type, _device(node)
        if id(node) in self._counted:
            inputs, counter = inputs[:-2], inputs[-1].node.op
            made.attr["seed"].i, made.attr["seed2"].i = counter.seed, counter.seed2
        made.input.extend([self.reference(t) for t in inputs])
        controls = [self.names.of(c) for c in node.control_inputs if not self.passes_over(c)]
        made.input.extend([f"^{name}" for name in dict.fromkeys([*controls, *self._after.get(id(node), ())])])
        if isinstance(op, Const):
            self._write_constant(op, made)
        elif op.type == "ReadVariableOp" and is_reference(node.inputs[0]):
            made.op = "Identity"
            made.attr["T"].type = node.results[0].dtype.as_datatype_enum
            made.attr["_class"].list.s.append(f"loc:@{self.names.of(node.inputs[0].node)}".encode())
        else:
            self._write_attributes(node, made)
        if op.type == "VariableV2" and not is_reference(node.results[0]):
            made.op = "VarHandleOp"
        if made.op == "ReadVariableOp":
            made.attr["dtype"].type = node.results[0].dtype.as_datatype_enum
        if op.type == "CountUpTo":
            made.op = op.type if is_reference(inputs[0]) else "ResourceCountUpTo"
            made.attr["T"].type = node.results[0].dtype.as_datatype_enum
        if node.mark is not None:
            made.attr[MARK].s = node.mark.name.encode()
        if self._library.add_shapes or _better_known(node):
            shapes = [] if _by_handle(node) else [shape_proto(_written_shape(t)) for t in node.outputs]
            if node.op.type == "While" and "output_shapes" in made.attr:  # what does not change among them
                shapes = list(made.attr["output_shapes"].list.shape)
            made.attr[SHAPES].list.SetInParent()
            made.attr[SHAPES].list.shape.extend(shapes)

    def reference(self, t: Tensor) -> str:
        """How an input names a tensor."""
        name = self.names.of(t.node)
        if _by_handle(t.node):  # gives nothing there, so the new value is read
            name = self._written_read(t.node)
            return name if self._parameters is None else f"{name}:value:0"
        if self._parameters is None:
            return name if t.index == 0 else f"{name}:{t.index}"
        if id(t) in self._parameters:
            return name
        op = t.node.op
        listed = [a.name for a in op.parsed.results] if not op.parsed.free else []
        argument, place = output_place(_kind(t.node), listed or ["output"], t.index)
        return f"{name}:{argument}:{place}"

    def _written_read(self, node: Operation) -> str:
        """The name of the node that reads what an assignment wrote; it stands behind the assignment."""
        return f"{self.names.of(node)}/{READ}"

    def write_read(self, node: Operation, add: Callable[[], Any]) -> None:
        """Writes the node that reads what an assignment by handle wrote, where anybody asks for it.

        Args:
          add: gives a new NodeDef.
        """
        if not self._is_read_after(node):
            return
        made = add()
        made.name, made.op, made.device = self._written_read(node), "ReadVariableOp", _device(node)
        made.input.extend([self.reference(node.inputs[0]), f"^{self.names.of(node)}"])
        made.attr["dtype"].type = node.results[0].dtype.as_datatype_enum

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
        if op.type in functional_export.KINDS:
            self._write_functional(node, made)
            return
        bodies = {v.name.encode(): v for f in op.fields if isinstance(v := getattr(op, f), Graph)}
        absent = ABSENT.get(op.type, ())
        attrs = {n: v for n, v in {**FIXED.get(op.type, {}), **op.attrs()}.items() if n not in absent}
        if op.type in (*HANDLES, *QUEUES):
            attrs["shared_name"] = made.name.encode()
        for name, value in attrs.items():
            if isinstance(value, bytes) and value in bodies:
                value = Function(self._library.function(bodies[value]))
            try:
                made.attr[name].CopyFrom(encoded(name, value))
            except Unwritable:
                del made.attr[name]
        if op.type not in (*HANDLES, *QUEUES) and not _recovered(op, made):
            self._write_fields(op, made)
        if _by_handle(node):
            made.op, of_value = BY_HANDLE[op.type], node.inputs[-1].dtype.as_datatype_enum
            for name in [n for n in made.attr if n != FIELDS]:
                del made.attr[name]
            made.attr["dtype"].type = of_value
            if len(node.inputs) == 3:
                made.attr["Tindices"].type = node.inputs[1].dtype.as_datatype_enum
            return
        self._write_types(node, made)

    def _write_functional(self, node: Operation, made: Any) -> None:
        op = node.op
        whole = op.type != "While" or functional_export.loses_nothing(node, set(self._used))
        if whole:
            made.op = functional_export.written_type(node)
            functional_export.attributes(node, made, self._library.function)
        if not whole or (len(node.results) > len(node.outputs) and op.type != "While"):
            self._write_fields(op, made)

    def _write_fields(self, op: Any, made: Any) -> None:
        try:
            made.attr[FIELDS].s = fields_as_text(op, self._library.function)
        except Unwritable as error:
            made.attr["_missing"].s = str(error).encode()

    def _write_types(self, node: Operation, made: Any) -> None:
        """The attributes that follow from the inputs' types and number."""
        op = node.op
        if op.type in TYPE_LISTS:
            name, first = TYPE_LISTS[op.type]
            made.attr[name].list.type.extend([t.dtype.as_datatype_enum for t in node.inputs[first:]])
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


def _by_handle(node: Operation) -> bool:
    """Whether an update takes its variable by handle, not by TensorFlow 1's reference."""
    return node.op.type in BY_HANDLE and not is_reference(node.inputs[0])


def _kind(node: Operation) -> str:
    """The type a node is written as."""
    if node.op.type == "ReadVariableOp" and is_reference(node.inputs[0]):
        return "Identity"
    if isinstance(node.op, Const) and isinstance(node.op.value, Resource):
        return "VarHandleOp"
    return node.op.type


def _written_shape(t: Tensor) -> Any:
    """The shape of a tensor; of a reference to a variable, as TensorFlow 1 has them, the variable's."""
    return t.spec.held.shape if t.dtype is dtypes.resource and is_reference(t) else t.spec.shape


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
