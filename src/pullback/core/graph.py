"""Graph: Operations in creation order, which is a topological order by construction.

A session's graph has no `outer`. The body of a function, branch or loop is a Graph too: tensors of outside that
it uses become inputs (captures).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pullback.core import interpreter
from pullback.core.dialect import V2, Dialect
from pullback.core.errors import ArgumentError, GraphError, user_frame
from pullback.core.spec import Spec
from pullback.core.tensor import EagerTensor, Operation, Tensor

_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*\Z")
_SCOPE = re.compile(r"[A-Za-z0-9_.\\/>-]*\Z")


class Graph:
    """A record of computation that can be run, differentiated and rewritten.

    nodes: Operations in creation order.
    inputs, outputs: of a body, its parameters (captures last) and what it returns.
    captures: of a body, pairs (tensor outside, parameter inside).
    """

    def __init__(self, dialect: Dialect = V2, outer: Any = None, name: str = "") -> None:
        self.dialect, self.outer, self.name = dialect, outer, name
        self.nodes: list[Operation] = []
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.captures: dict[int, tuple[Tensor, Tensor]] = {}
        self.tapes: tuple[Any, ...] = ()
        self.collections: dict[Any, list[Any]] = {}
        self.reads: dict[int, Tensor] = {}  # a variable's handle -> its one shared read
        self.programs: dict[Any, Any] = {}  # what engines compiled
        self.overrides: dict[str, Any] = {}  # op type -> gradient mark, in force now
        self.rewrites = 0  # how often a node gained residuals: compiled programs hang on it
        self.seed: int | None = None
        self.finalized = False
        self._scope = ""
        self._names: dict[str, int] = {}
        self._by_name: dict[str, Operation] = {}
        self._controls: tuple[Operation, ...] = ()
        self._device: str | Callable[[Operation], str] = ""
        self._constants: dict[int, tuple[Tensor, Tensor]] = {}
        self.stands_for: Any = None  # of a backward body: where a tensor of the forward body is to be had
        self.variable_scope: Any = None  # modes/scopes.py keeps its state here
        self.kept: dict[str, Any] = {}  # what upper layers remember of the graph and its tensors: dies with it

    # --- the door --------------------------------------------------------------------------------------------------

    def bind(self, op: Any, inputs: tuple[Any, ...], name: str | None = None) -> Any:
        """Appends the op; returns its visible outputs as the door promises them."""
        node = self.append(op, inputs, name)
        count = op.visible(len(node.results))
        if count == 1:
            return node.results[0]
        return node.results[:count] if count else node

    def run(self, op: Any, inputs: tuple[Any, ...], name: str | None = None) -> tuple[Tensor, ...]:
        """Appends the op; returns all results, residuals included."""
        return self.append(op, inputs, name).results

    def append(self, op: Any, inputs: tuple[Any, ...], name: str | None = None) -> Operation:
        """Checks, infers and records. Raises RuntimeError when the graph is finalized."""
        if self.finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")
        if type(inputs) is tuple and all(isinstance(x, Tensor) for x in inputs):
            tensors = tuple([self.adopt(x) for x in inputs])
            full = self.unique_name(name or op.type)
        else:
            full = self.unique_name(name or op.type)
            tensors = interpreter.converted(self, op, inputs, full)
        specs = op.specs(tuple([t.spec for t in tensors]))
        frame = user_frame()
        source = None if frame is None else (frame.f_code, frame.f_lineno)
        node = Operation(self, op, tensors, specs, full, self._controls, source)
        if self._device:
            node.device = self._device(node) if callable(self._device) else self._device
        if op.type in self.overrides:
            node.mark = self.overrides[op.type]
        self.nodes.append(node)
        self._by_name[full] = node
        for tape in self.tapes:
            tape.record(op, tensors, node.results, node)
        return node

    def adopt(self, tensor: Tensor) -> Tensor:
        """The tensor as one of this graph's: itself, a constant, or the parameter that captures it.

        Raises:
          GraphError: it belongs to a graph that does not enclose this one.
        """
        if type(tensor) is not EagerTensor and tensor.node.graph is self:
            return tensor
        found = self.captures.get(id(tensor))
        if found is not None:
            return found[1]
        if self.stands_for is not None and (known := self.stands_for(tensor)) is not None:
            return known if known is tensor else self.adopt(known)
        if type(tensor) is EagerTensor and self.outer is None:
            held = self._constants.get(id(tensor))
            if held is None:
                spec = interpreter.constant_spec(tensor.value) if tensor.dtype.is_numpy_compatible else tensor.spec
                held = self._constants[id(tensor)] = tensor, self.constant(tensor.value, spec)
            return held[1]
        if type(tensor) is EagerTensor or self._encloses(tensor.node.graph):
            return self.capture(tensor)
        if isinstance(self.outer, Graph):  # it may stand for a forward tensor there
            return self.adopt(self.outer.adopt(tensor))
        raise GraphError(
            f"{tensor!r} was made inside a branch, a loop or a function, and has no value outside of it: return it, or "
            "keep it in a variable; what grows in a loop is a tf.TensorArray, not a list"
            if tensor.node.graph.outer is not None
            else f"{tensor!r} belongs to another graph than the one operations are being added to; build both "
            "under the same `with graph.as_default():`"
        ).locate()

    def capture(self, tensor: Tensor) -> Tensor:
        """Makes a tensor of outside an input of this body."""
        inside = self.parameter(tensor.spec, "captured")
        self.captures[id(tensor)] = tensor, inside
        return inside

    def parameter(self, spec: Spec, name: str = "input") -> Tensor:
        """Adds an input."""
        from pullback.core.basics import Placeholder

        controls, self._controls = self._controls, ()
        node = self.append(Placeholder(spec.dtype, spec.shape), (), name)
        self._controls = controls
        tensor = node.results[0]
        tensor.spec = spec
        self.inputs.append(tensor)
        return tensor

    def constant(self, array: Any, spec: Spec, name: str | None = None) -> Tensor:
        from pullback.core.basics import Const

        controls, self._controls = self._controls, ()
        tensor = self.append(Const(array, spec.dtype), (), name or "Const").results[0]
        self._controls = controls
        tensor.spec = spec
        return tensor

    def _encloses(self, other: Graph) -> bool:
        graph = self.outer
        while isinstance(graph, Graph):
            if graph is other:
                return True
            graph = graph.outer
        return False

    @property
    def outermost(self) -> Any:
        """The interpreter outside of all bodies: a session's graph, or Eager."""
        graph: Any = self
        while isinstance(graph, Graph) and graph.outer is not None:
            graph = graph.outer
        return graph

    def with_outputs(self, outputs: Iterable[Tensor]) -> Graph:
        """The same body, giving other outputs: shares nodes, inputs and captures."""
        view = Graph(self.dialect, self.outer, self.name)
        view.__dict__.update({k: v for k, v in self.__dict__.items() if k not in ("outputs", "programs")})
        view.outputs, view.programs = list(outputs), {}
        return view

    def watches(self, inputs: tuple[Any, ...]) -> bool:
        return any(tape.watches(inputs) for tape in self.tapes)

    # --- names and scopes ------------------------------------------------------------------------------------------

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` under the current scope, numbered when taken. A name ending in "/" is absolute and used as it is."""
        if name.endswith("/"):
            return name[:-1]
        full = self._scope + name
        key = full.lower()
        if key not in self._names:
            if not _NAME.match(full):
                raise ArgumentError(f"'{full}' is not a valid name: letters, digits and _.-/ after a letter or digit")
            if mark_as_used:
                self._names[key] = 1
                self._reserve(full)
            return full
        count, candidate = self._names[key], key
        while candidate in self._names:
            candidate = f"{key}_{count}"
            count += 1
        if mark_as_used:
            self._names[key] = count
            self._names[candidate] = 1
        return f"{full}_{count - 1}"

    def _reserve(self, full: str) -> None:
        """Scopes above a name are taken too."""
        at = full.rfind("/")
        while at > 0 and full[:at].lower() not in self._names:
            self._names[full[:at].lower()] = 1
            at = full.rfind("/", 0, at)

    def reserve(self, full: str) -> str:
        """Takes a full name for an operation that is made again from a file: as it is, numbered where one has it."""
        name, count = full, 0
        while name in self._by_name:
            count += 1
            name = f"{full}_{count}"
        self._names.setdefault(name.lower(), 1)
        self._reserve(name)
        return name

    def get_name_scope(self) -> str:
        return self._scope.rstrip("/")

    @contextlib.contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Names made inside begin with `name/`. A name ending in "/" re-enters that scope; None or "" leaves all."""
        before = self._scope
        if not name:
            self._scope = ""
        elif name.endswith("/"):
            self._scope = name
        else:
            if not _SCOPE.match(name):
                raise ArgumentError(f"'{name}' is not a valid scope name")
            self._scope = self.unique_name(name) + "/"
        try:
            yield self._scope
        finally:
            self._scope = before

    @contextlib.contextmanager
    def control_dependencies(self, control_inputs: Any) -> Iterator[None]:
        """Operations made inside run after all of `control_inputs`; None clears what is in force."""
        before = self._controls
        self._controls = () if control_inputs is None else (*before, *map(self.operation, control_inputs))
        try:
            yield
        finally:
            self._controls = before

    @property
    def controls(self) -> tuple[Operation, ...]:
        """The control inputs in force."""
        return self._controls

    def operation(self, x: Any) -> Operation:
        """The Operation of what stands for one: itself, a tensor's, a variable's read."""
        if isinstance(x, Operation):
            return x
        tensor = x if isinstance(x, Tensor) else interpreter.as_own(self, x)
        if tensor is None:
            raise TypeError(f"{x!r} is neither an Operation nor a Tensor").with_traceback(None)
        return self.adopt(tensor).node

    @contextlib.contextmanager
    def device(self, name: Any) -> Iterator[None]:
        """Operations made inside are marked with the device's name."""
        before, self._device = self._device, name or ""
        try:
            yield
        finally:
            self._device = before

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Graph]:
        with interpreter.entered(self):
            yield self

    @contextlib.contextmanager
    def overriding(self, marks: dict[str, Any]) -> Iterator[None]:
        """Nodes of these op types, made inside, carry these gradient marks."""
        before, self.overrides = self.overrides, {**self.overrides, **marks}
        try:
            yield
        finally:
            self.overrides = before

    # --- looking things up -----------------------------------------------------------------------------------------

    @property
    def building_function(self) -> bool:
        return self.outer is not None

    def finalize(self) -> None:
        """Allows no more operations."""
        self.finalized = True

    def get_operations(self) -> list[Operation]:
        return list(self.nodes)

    def get_operation_by_name(self, name: str) -> Operation:
        if name not in self._by_name:
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
        return self._by_name[name]

    def get_tensor_by_name(self, name: str) -> Tensor:
        op_name, _, index = name.partition(":")
        if not index.isdigit():
            raise ValueError(f"The name {name!r} looks like an Operation name; a tensor's is like '{op_name}:0'.")
        outputs = self.get_operation_by_name(op_name).outputs
        if int(index) >= len(outputs):
            raise KeyError(f"The name {name!r} refers to output {index}, but {op_name!r} has {len(outputs)}.")
        return outputs[int(index)]

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The Tensor or Operation that `obj` is, stands for or names.

        Raises:
          TypeError, ValueError, KeyError: it is none of this graph.
        """
        if isinstance(obj, str):
            obj = self.get_tensor_by_name(obj) if ":" in obj else self.get_operation_by_name(obj)
        if isinstance(obj, Operation):
            graph = obj.graph
        else:
            tensor = interpreter.as_own(self, obj) if not isinstance(obj, Tensor) else obj
            if tensor is None or type(tensor) is EagerTensor:
                raise TypeError(f"Can not convert a {type(obj).__name__} into a Tensor or Operation.")
            obj, graph = tensor, tensor.node.graph
        if graph is not self:
            raise GraphError(f"{obj!r} is not an element of this graph.")
        if not (allow_tensor if isinstance(obj, Tensor) else allow_operation):
            raise TypeError(
                f"Can not convert a {type(obj).__name__} into a {'Tensor' if allow_tensor else 'Operation'}."
            )
        return obj

    def add_to_collection(self, name: Any, value: Any) -> None:
        self.collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        for name in {names} if isinstance(names, str) else names:
            self.add_to_collection(name, value)

    def get_all_collection_keys(self) -> list[str]:
        return [name for name in self.collections if isinstance(name, str)]

    def get_collection_ref(self, name: Any) -> list[Any]:
        return self.collections.setdefault(name, [])

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """A copy; with `scope`, those whose name matches it as a regular expression from the start."""
        found = list(self.collections.get(name, ()))
        if scope is None:
            return found
        return [x for x in found if hasattr(x, "name") and re.match(scope, x.name)]

    def clear_collection(self, name: Any) -> None:
        self.collections.pop(name, None)

    def extend(self, node: Operation, op: Any, specs: tuple[Spec, ...]) -> None:
        """Gives a node of this graph more residuals, when its gradient is asked for."""
        more = [Tensor(spec, node, len(node.results) + i) for i, spec in enumerate(specs)]
        node.op, node.results = op, (*node.results, *more)
        self.rewrites += 1
        self.programs.clear()


def ancestors(tensors: Iterable[Tensor], stops: Iterable[Tensor] = (), controls: bool = False) -> list[Operation]:
    """The nodes that `tensors` hang on, in creation order. Nodes that make one of `stops` are left out, and what only
    they need. Visits nothing else, so its cost is that of the answer."""
    barred = {id(t.node) for t in stops}
    found: dict[int, Operation] = {}
    waiting = [t.node for t in tensors]
    while waiting:
        node = waiting.pop()
        if id(node) in found or id(node) in barred:
            continue
        found[id(node)] = node
        waiting.extend([t.node for t in node.inputs])
        if controls:
            waiting.extend(node.control_inputs)
    return sorted(found.values(), key=_index)


def _index(node: Operation) -> int:
    return node.index
