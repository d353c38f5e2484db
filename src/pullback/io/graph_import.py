"""GraphDef messages as operations of a graph: the inverse of `graph_export`, also for TensorFlow's own graphs.

    NodeDef --op type, attributes--> op --inputs--> Operation         FunctionDef --> body

A variable's reference (VariableV2, TensorFlow 1) is a handle here; where an op takes a value, it gets the variable's
read. A type that is written otherwise in TensorFlow goes through `graph_adapters`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pullback._names import OPS
from pullback.core import dtypes
from pullback.core.basics import Const
from pullback.core.errors import ArgumentError, GraphError, NotFoundError, OpError
from pullback.core.graph import Graph
from pullback.core.interpreter import constant_spec
from pullback.core.op import REGISTRY
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import Operation, Tensor
from pullback.io.attribute_names import SEVERAL
from pullback.io.attributes import Function, decoded, fields_of_text, functions_of_text
from pullback.io.functional_export import WRITTEN_AS
from pullback.io.graph_export import OLDEST, PRODUCER
from pullback.io.node_writer import FIELDS, HANDLES, MARK, SHAPES
from pullback.io.raised import KINDS, Construct, is_raised, name_of, raised
from pullback.io.tensors import dtype_of, shape_of_proto
from pullback.modes.custom import Mark
from pullback.ops.state import ReadVariableOp

_MISSING = "_missing"
# Ops that call functions of the process that made them.
_PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
# What comes of attributes of another kind than the op has, of inputs too few, of numbers out of range.
_SENSELESS = (OpError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
# Before this version of the format, a placeholder's empty shape meant that nothing is known of it.
_SCALARS_SAID = 24


class UnknownOpError(NotFoundError, ValueError):
    """A graph of a file holds ops that are not known here."""


def add(
    graph: Graph, message: Any, prefix: str = "", input_map: dict[str, Tensor] | None = None, what: str = "graph"
) -> Importer:
    """Adds a GraphDef's nodes to a graph, their names under `prefix`.

    Raises:
      UnknownOpError: nodes are of unknown types; lists them all. ArgumentError, GraphError: a node makes no sense.
    """
    from pullback.io.graph_adapters import ADAPTERS

    if message.versions.min_consumer > PRODUCER:
        raise ArgumentError(
            f"{what}: the GraphDef is of version {message.versions.producer} and wants a reader of at least "
            f"{message.versions.min_consumer}; versions {OLDEST} to {PRODUCER} are read here"
        ).locate()
    functions = {f.signature.name: f for f in message.library.function}
    _check_known(message, functions, ADAPTERS, what)
    importer = Importer(graph, functions, prefix, input_map or {}, ADAPTERS)
    importer.producer = message.versions.producer
    with graph.control_dependencies(None):
        importer.add_all(message.node)
    return importer


def library(outer: Any, message: Any, wanted: Iterable[str], what: str) -> Importer:
    """What reads functions of a GraphDef's library, its nodes left alone.

    Args:
      outer: the graph, or the eager interpreter, that the functions are called from.
      wanted: the functions' names.
    Raises:
      UnknownOpError: they, or functions they call, hold ops of unknown types; lists them all.
    """
    from pullback.io.graph_adapters import ADAPTERS

    known = {f.signature.name: f for f in message.library.function}
    functions: dict[str, Any] = {}
    waiting = [name for name in wanted if name in known]
    while waiting:
        name = waiting.pop()
        if name in functions:
            continue
        functions[name] = known[name]
        for node in known[name].node_def:
            waiting += [n for n in _called(node) if n in known]
    _check_known(type(message)(), functions, ADAPTERS, what)
    importer = Importer(outer, functions, "", {}, ADAPTERS)
    importer.producer = message.versions.producer
    return importer


def _called(node: Any) -> list[str]:
    """What a node may name of the library."""
    values = node.attr.values()
    fields = functions_of_text(node.attr[FIELDS].s) if FIELDS in node.attr else ()
    return [node.op, *[v.func.name for v in values], *[f.name for v in values for f in v.list.func], *fields]


def _check_known(message: Any, functions: dict[str, Any], adapters: Any, what: str) -> None:
    unknown: dict[str, list[str]] = {}
    lost = []
    for node in [*message.node, *[n for f in functions.values() for n in f.node_def]]:
        if not any(node.op in known for known in (OPS, REGISTRY, adapters, functions, KINDS, _PYTHON)):
            unknown.setdefault(node.op, []).append(node.name)
        elif _MISSING in node.attr:
            lost.append(f"{node.name!r} ({node.attr[_MISSING].s.decode(errors='replace')})")
        elif node.op in _PYTHON:
            lost.append(f"{node.name!r} ({node.op})")
    if unknown:
        shown = "; ".join(
            f"{kind} ({', '.join(map(repr, names[:3]))}{f' and {len(names) - 3} more' if len(names) > 3 else ''})"
            for kind, names in sorted(unknown.items())
        )
        raise UnknownOpError(
            f"{what}: Op type not registered: {len(unknown)} op types are not known here: {shown}. Keep the part you "
            "need with tf.compat.v1.graph_util.extract_sub_graph"
        ).locate()
    if lost:
        raise ArgumentError(
            f"{what}: nodes that hold Python functions cannot come from a file: {', '.join(lost)}"
        ).locate()


class Importer:
    """Adds node after node to one graph. `made` holds what each became: its outputs, or its Operation."""

    def __init__(
        self, graph: Graph, functions: dict[str, Any], prefix: str, input_map: dict[str, Tensor], adapters: Any
    ) -> None:
        self.graph, self.prefix, self.producer = graph, prefix, PRODUCER
        self.made: dict[str, Operation | Sequence[Tensor]] = {}
        self.used: set[str] = set()  # which of input_map
        self._functions, self._input_map, self._adapters = functions, input_map, adapters
        self._bodies: dict[str, Graph] = {}
        self._open: set[str] = set()  # the functions being read: one that calls itself has no end
        self._resources: dict[str, Resource] = {}
        self._outside: Importer | None = None  # of a branch or loop: the importer of what is around it

    def add_all(self, nodes: Iterable[Any]) -> None:
        """Adds nodes, those they hang on first, otherwise in their order.

        Raises:
          GraphError: nodes hang on each other in a circle, or on one that is not there.
        """
        nodes = list(nodes)
        if is_raised(nodes):
            nodes = raised(nodes)
        for node in _in_order(nodes, set(self.made) | set(self._input_map)):
            self._add(node)

    def add_standing(self, nodes: list[Any]) -> None:
        """Adds the nodes of a branch or loop; what they take from outside is there already."""
        own = {node.name for node in nodes}
        given = {r for node in nodes for r in node.input if name_of(r) not in own}
        for node in _in_order(nodes, given | {name_of(r) for r in given}):
            self._add(node)

    def inside(self, body: Graph) -> Importer:
        """What adds nodes to a body that takes tensors of this graph."""
        inner = Importer(body, self._functions, "", {}, self._adapters)
        inner._open, inner._bodies, inner.producer, inner._outside = self._open, self._bodies, self.producer, self
        return inner

    def tensor(self, reference: str) -> Tensor:
        """The tensor that "node", "node:1" or, in functions, "node:output:0" names.

        Raises:
          GraphError: there is none.
        """
        name, _, place = reference.partition(":")
        for key in (reference, f"{name}:0" if not place else name if place == "0" else reference):
            if key in self._input_map:
                self.used.add(key)
                return self._input_map[key]
        found = self.made.get(name)
        if found is None and self._outside is not None:
            return self._outside.tensor(reference)
        outputs = found.results if isinstance(found, Operation) else found or ()
        index = self._index(found, place)
        if not 0 <= index < len(outputs):
            raise GraphError(f"the graph's file names tensor {reference!r}, which is not in it").locate()
        return outputs[index]

    def operation(self, name: str) -> Operation:
        """The operation that a node became."""
        found = self.made[name]
        return found if isinstance(found, Operation) else found[0].node

    def body(self, name: str) -> Graph:
        """A function of the library as a body of this graph.

        Raises:
          GraphError: there is none of this name, or it holds itself.
        """
        if name in self._bodies:
            return self._bodies[name]
        if name not in self._functions or name in self._open:
            why = "holds itself" if name in self._open else f"is not among {sorted(self._functions)}"
            raise GraphError(f"function {name!r} of the graph's file {why}").locate()
        body = self._bodies[name] = self.own_body(name)
        return body

    def own_body(self, name: str) -> Graph:
        """A function of the library as a body that nobody shares.

        Raises:
          GraphError: there is none of this name, or it holds itself.
        """
        if name not in self._functions:
            raise GraphError(f"function {name!r} is not among those of the graph's file").locate()
        self._open.add(name)
        body = self._read_body(self._functions[name])
        self._open.discard(name)
        return body

    def append(self, op: Any, inputs: Sequence[Tensor], name: str) -> Operation:
        """Adds an operation under a node's name."""
        return self.graph.append(op, tuple(inputs), f"{self.graph.reserve(self.prefix + name)}/")

    def read(self, handle: Tensor) -> Tensor:
        """The shared read of a variable, made where the graph has none yet."""
        found = self.graph.reads.get(id(handle))
        if found is None:
            with self.graph.control_dependencies(None), self.graph.name_scope(None):
                found = self.graph.append(ReadVariableOp(), (handle,), f"{handle.node.name}/shared_read").results[0]
            self.graph.reads[id(handle)] = found
        return found

    # --- one node --------------------------------------------------------------------------------------------------

    def _add(self, node: Any) -> None:
        controls = [self.operation(n[1:]) for n in node.input if n.startswith("^") and self.made.get(n[1:])]
        inputs = [self.tensor(n) for n in node.input if not n.startswith("^")]
        with self.graph.name_scope(None), self.graph.control_dependencies(controls):
            try:
                found = self._made(node, inputs)
            except GraphError:
                raise
            except _SENSELESS as error:
                raise ArgumentError(
                    f"node {node.name!r} of type {node.op} cannot be imported: {error}"
                ).locate() from error
        self.made[node.name] = found
        operation = self.operation(node.name) if isinstance(found, Operation) or len(found) else None
        if operation is not None:
            self._mark(operation, node)

    def _made(self, node: Any, inputs: list[Tensor]) -> Operation | Sequence[Tensor]:
        if isinstance(node, Construct):
            with self.graph.as_default():
                return node.make(self)
        attrs = self._attributes(node)
        if node.op in HANDLES:
            return self._variable(node, attrs)
        if node.op == "Const":
            return self._constant(node.name, attrs["value"], attrs["dtype"])
        if node.op in self._functions:
            attrs["f"] = Function(node.op)
        if FIELDS in node.attr:
            text = node.attr[FIELDS].s
            cls = REGISTRY[str(WRITTEN_AS.get(node.op, node.op))]
            op = cls(**fields_of_text(text, self.body, f"node {node.name!r}"))
            return self.append(op, self.values(type(op), inputs), node.name)
        if node.op == "Identity" and inputs and inputs[0].dtype is dtypes.resource:
            return self._read_node(node, inputs[0])
        adapter = self._adapters.get("PartitionedCall" if node.op in self._functions else node.op)
        if adapter is not None:
            made = adapter(self, node.name, inputs, attrs)
            if made is not None:
                return made
        cls = REGISTRY[node.op]
        made = self.append(cls.from_attrs(attrs), self.values(cls, inputs), node.name)
        if cls is ReadVariableOp and not made.control_inputs:
            self.graph.reads.setdefault(id(inputs[0]), made.results[0])
        return made

    def _attributes(self, node: Any) -> dict[str, Any]:
        what = f"node {node.name!r}"
        attrs = {
            name: decoded(value, f"{what}, attribute {name!r}")
            for name, value in node.attr.items()
            if not name.startswith("_") and value.WhichOneof("value")
        }
        if node.op == "Placeholder" and self.producer < _SCALARS_SAID and attrs.get("shape") == ():
            attrs["shape"] = None
        return attrs

    def values(self, cls: Any, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The inputs as the op takes them: where it takes no handle, a variable's value."""
        if cls.parsed.free:
            return list(inputs)
        arguments = cls.parsed.arguments(len(inputs))
        return [
            t if t.dtype is not dtypes.resource or a.allowed == (dtypes.resource,) else self.read(t)
            for a, t in zip(arguments, inputs, strict=True)
        ]

    def _constant(self, name: str, value: Any, dtype: Any) -> Operation:
        if not isinstance(value, np.ndarray) or dtypes.from_numpy(value.dtype) is not dtype:
            raise ArgumentError(f"its value must be a tensor of its dtype {dtype!r}, not {value!r}")
        made = self.append(Const(value, dtype), (), name)
        made.results[0].spec = constant_spec(value, dtype)
        return made

    def _variable(self, node: Any, attrs: dict[str, Any]) -> Operation:
        shared = attrs.get("shared_name", b"").decode() if node.op == "VarHandleOp" else ""
        spec = Spec(attrs.get("shape"), attrs["dtype"])
        held = self._resources.setdefault(shared or node.name, Resource(self.prefix + node.name, spec))
        return self.append(REGISTRY[node.op](held), (), node.name)

    def _read_node(self, node: Any, handle: Tensor) -> Operation:
        made = self.append(ReadVariableOp(), (handle,), node.name)
        if not made.control_inputs:
            self.graph.reads.setdefault(id(handle), made.results[0])
        return made

    def _mark(self, operation: Operation, node: Any) -> None:
        """What stands beside the op: device, gradient mark, shapes known better."""
        if node.device:
            operation.device = node.device
        if MARK in node.attr:
            operation.mark = Mark(node.attr[MARK].s.decode())
        if SHAPES in node.attr:
            for t, said in zip(operation.outputs, node.attr[SHAPES].list.shape, strict=False):
                if t.dtype not in (dtypes.resource, dtypes.variant):
                    t.set_shape(shape_of_proto(said))

    def _index(self, found: Any, place: str) -> int:
        """Which result a reference's place means."""
        name, _, number = place.rpartition(":")
        if not number.isdigit():
            return 0 if not place else -1
        if not name or not isinstance(found, Operation) or found.op.parsed.free:
            return int(number)
        before = SEVERAL.get(found.op.type) or [a.name for a in found.op.parsed.results]
        if name in before:
            return int(number) + before.index(name)
        return int(number) if len(before) < 2 else -1

    # --- functions -------------------------------------------------------------------------------------------------

    def _read_body(self, function: Any) -> Graph:
        signature = function.signature
        body = Graph(self.graph.dialect, self.graph, signature.name)
        inner = Importer(body, self._functions, "", {}, self._adapters)
        inner._open, inner._bodies, inner.producer = self._open, self._bodies, self.producer
        with body.as_default():
            for i, argument in enumerate(signature.input_arg):
                spec = _spec_of(argument, function.arg_attr.get(i))
                name = body.reserve(argument.name)
                inner.made[argument.name] = [body.parameter(spec, f"{name}/")]
            inner.add_all(function.node_def)
            body.outputs = [inner.tensor(function.ret[output.name]) for output in signature.output_arg]
        return body


def _spec_of(argument: Any, attrs: Any) -> Spec:
    """Spec of a function's parameter."""
    dtype = dtype_of(argument.type, f"parameter {argument.name!r}")
    if dtype is dtypes.resource and argument.handle_data:
        held = argument.handle_data[0]
        return Spec((), dtype, Spec(shape_of_proto(held.shape), dtype_of(held.dtype, argument.name)))
    known = None if attrs is None or SHAPES not in attrs.attr else attrs.attr[SHAPES].list.shape
    if known:
        return Spec(shape_of_proto(known[0]), dtype)
    return Spec(() if dtype in (dtypes.resource, dtypes.variant) else None, dtype)


def _in_order(nodes: list[Any], given: set[str]) -> list[Any]:
    """The nodes with those they hang on before them, otherwise as they stand.

    Args:
      given: names of nodes and tensors that are there already.
    """
    places = {node.name: i for i, node in enumerate(nodes)}
    unnamed = [name for name in places if not name or name[0] == "^" or ":" in name]
    if unnamed:
        raise GraphError(f"nodes of the graph's file are named {unnamed}, by which no input can mean them").locate()
    if len(places) < len(nodes):
        raise GraphError("two nodes of the graph's file have the same name").locate()
    waits: list[int] = []
    waiting: dict[int, list[int]] = {}
    for i, node in enumerate(nodes):
        needs = {reference: reference.lstrip("^").partition(":")[0] for reference in node.input}
        missing = [r for r, name in needs.items() if name not in places and not given & {r, f"{r}:0", name}]
        if missing:
            raise GraphError(f"node {node.name!r} of the graph's file takes {missing}, which are not in it").locate()
        before = {places[name] for name in needs.values() if name in places}
        waits.append(len(before))
        for p in before:
            waiting.setdefault(p, []).append(i)
    ready = [i for i, count in enumerate(waits) if not count]
    order = []
    while ready:
        i = heapq.heappop(ready)
        order.append(nodes[i])
        for later in waiting.get(i, ()):
            waits[later] -= 1
            if not waits[later]:
                heapq.heappush(ready, later)
    if len(order) < len(nodes):
        circle = sorted({n.name for n in nodes} - {n.name for n in order})
        raise GraphError(f"nodes of the graph's file hang on each other in a circle: {circle[:10]}").locate()
    return order
