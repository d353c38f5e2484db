"""A graph becomes a list of items, for inputs of given shapes.

The walk runs the graph on what is known of its values: shapes always, constants and what follows from them too. What
is known is computed here and now; reshapes are other views of the same buffer; calls are opened; a variable is the
buffer that it was read into or last assigned. What is left is one of the items in items.py.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.basics import Const
from pullback.core.errors import OpError
from pullback.core.graph import Graph
from pullback.core.op import Op
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.core.tensor import Operation, Tensor
from pullback.engines.base import body_nodes, load_lowerings
from pullback.engines.cpu.items import Item, Known, Map, Native, Python, Write
from pullback.engines.cpu.layout import Turned, moved
from pullback.engines.cpu.task import Buffer, Task
from pullback.native import ir
from pullback.native.loops import REGISTERS

# Types whose values are Python objects.
_OBJECTS = frozenset({"variant", "resource", "string"})
# A constant of at most so many numbers is told from others by them.
FEW = 16
# A constant that is one number all over is kept as that number.
SMALL = 1024


class UnplannableError(Exception):
    """A shape hangs on a value, or the graph holds what only node-by-node running can do."""


def same(f: Any, x: Any) -> Any:
    """The rule of a copy."""
    return x


class Trace:
    """The items of a graph. `fallback` is the engine whose kernels Python items call."""

    def __init__(self, fallback: Any) -> None:
        self.fallback = fallback
        self.items: list[Item] = []
        self.held: list[Any] = []
        self.variables: list[tuple[Any, Buffer, Any]] = []  # (weak resource, what it is read into, node)
        self.env: dict[int, Any] = {}
        self._state: dict[int, Buffer] = {}  # what a variable holds at this point
        self.turned = Turned()
        self._stale: set[int] = set()  # variables that a Python effect may have changed
        # (op, inputs) -> those inputs, which the key names by id, and what the op gave: nothing is computed twice
        self._done: dict[Any, tuple[list[Any], list[Any]]] = {}
        self._node: Any = None  # the one that items are made for
        self._inside = 0  # how deep in ops that are made of others

    # --- values ----------------------------------------------------------------------------------------------------

    def value(self, t: Tensor) -> Any:
        """Known or Buffer of a tensor."""
        return self.env[id(t)]

    def memory(self, x: Any) -> Buffer:
        """A value as memory."""
        return x if isinstance(x, Buffer) else x.buffer(self.held)

    def spec(self, x: Any) -> Spec:
        """What inference may know."""
        if isinstance(x, Buffer):
            return Spec(x.shape, dtypes.from_numpy(x.dtype)) if x.dtype != object else Spec((), dtypes.variant)
        if isinstance(x.value, Resource):
            return x.value.handle_spec
        if not isinstance(x.value, (np.ndarray, np.generic)):
            return Spec((), dtypes.variant)
        spec = interpreter.spec_of(x.value)
        return spec.with_value(interpreter.plain_value(x.value)) if spec.dtype.is_integer else spec

    def add(self, item: Item) -> None:
        item.index, item.node = len(self.items), self._node
        self.items.append(item)

    # --- nodes -----------------------------------------------------------------------------------------------------

    def walk(self, nodes: Sequence[Operation]) -> None:
        for node in nodes:
            if not (node.results and all(id(t) in self.env for t in node.results)):
                self.node(node)

    def node(self, node: Operation) -> None:
        op = node.op
        self._node = node if not self._inside else self._node
        if isinstance(op, Const):
            self.env[id(node.results[0])] = Known(op.value)
            return
        inputs = [self.value(t) for t in node.inputs]
        pure = not (op.effect or op.takes_store or op.random)
        key = (op, *map(_identity, inputs)) if pure else None
        if key is not None and key in self._done:
            self.gives(node, self._done[key][1])
            return
        opened, _ = _OPENED.get(op.type, (None, False))
        if opened is None or not opened(self, node, inputs):
            try:
                specs = op.specs(tuple([self.spec(x) for x in inputs]))
            except OpError as error:
                raise UnplannableError(str(error)) from None
            self._compute(node, inputs, specs)
        if key is not None:
            self._done[key] = inputs, [self.value(t) for t in node.results]

    def _compute(self, node: Operation, inputs: list[Any], specs: tuple[Spec, ...]) -> None:
        op = node.op
        pure = not (op.effect or op.takes_store or op.random)
        if pure and specs and all(s.known and s.dtype.is_integer and _complete(s.value) for s in specs):
            values: list[Any] = [np.array(s.value, s.dtype.numpy).reshape(_sizes(s)) for s in specs]
            return self.gives(node, [Known(v) for v in values])
        if pure and all(isinstance(x, Known) for x in inputs):
            return self._now(node, inputs)
        if not all(s.known or s.dtype.name in ("variant", "resource") for s in specs):
            raise UnplannableError(f"{op.type} {node.name!r}: the shape hangs on a value: {specs}")
        load_lowerings(type(op).__module__, "native")
        if self._mapped(node, inputs, specs) or self._lowered(node, inputs, specs) or self._expanded(node, inputs):
            return None
        return self.call_python(node, inputs, specs)

    def _now(self, node: Operation, inputs: list[Any]) -> None:
        """Computes a node whose inputs are known."""
        try:
            with np.errstate(all="ignore"):
                made = self.fallback.kernel(node.op)(*[x.value for x in inputs])
        except OpError as error:
            raise UnplannableError(str(error)) from None
        values = [Known(v) for v in (made if type(made) is tuple else (made,))]
        for known in values:
            if isinstance(known.value, np.ndarray) and known.value.size > SMALL and known.uniform is not None:
                known.value = np.broadcast_to(known.value.dtype.type(known.uniform), known.value.shape)
        self.gives(node, values)

    def gives(self, node: Operation, values: Sequence[Any]) -> None:
        for t, value in zip(node.results, values, strict=True):
            self.env[id(t)] = value

    def _mapped(self, node: Operation, inputs: list[Any], specs: tuple[Spec, ...]) -> bool:
        """Takes an elementwise op that has a rule for vectors of these types."""
        rule = type(node.op).lowerings.get("lanes")
        if rule is None or len(specs) != 1:
            return False
        y = _fresh(specs[0])
        bound = _bound(rule, node.op)
        if not self._fits(bound, inputs, y):
            return False
        self.map(bound, [self.operand(x) for x in inputs], y)
        self.gives(node, [y])
        return True

    def map(self, rule: Any, operands: Sequence[Any], y: Buffer) -> None:
        """Adds a Map; of transposed operands it is one of what they come from, transposed."""
        found = self.turned.points(operands, y.shape)
        if found is None:
            return self.add(Map(rule, operands, y))
        operands, perm = found
        before = Buffer(tuple([y.shape[perm.index(i)] for i in range(len(perm))]), y.dtype)
        self.add(Map(rule, operands, before))
        self.turn(before, perm, y)

    def turn(self, source: Buffer, perm: tuple[int, ...], y: Buffer) -> bool:
        """Adds a transpose, if there is machine code for it."""
        task = moved(source, perm, y)
        if task is not None:
            self.add(Native(task, [source], None, self._node))
            self.turned.note(y, source, perm)
        return task is not None

    def operand(self, x: Any) -> Any:
        """An operand of a Map: a number where a value is one all over."""
        if isinstance(x, Known) and x.uniform is not None:
            return np.asarray(x.value).dtype.type(x.uniform)
        return self.memory(x)

    def _fits(self, rule: Any, inputs: list[Any], y: Buffer) -> bool:
        """Whether there is machine code for these types."""
        kinds = tuple([REGISTERS.get(_dtype(x)) for x in inputs])
        return None not in kinds and y.dtype in REGISTERS and _gives(rule, kinds) == REGISTERS[y.dtype]

    def _lowered(self, node: Operation, inputs: list[Any], specs: tuple[Spec, ...]) -> bool:
        """Takes an op that its room lowers to jobs."""
        rule = type(node.op).lowerings.get("native")
        plain = all(isinstance(x, Buffer) or isinstance(x.value, (np.ndarray, np.generic)) for x in inputs)
        if rule is None or not plain or any(s.dtype.name in _OBJECTS for s in specs):
            return False
        outputs = list(map(_fresh, specs))
        known = {i: x.value for i, x in enumerate(inputs) if isinstance(x, Known)}
        task = Task([_lazy(x) for x in inputs], outputs, known)
        if rule(node.op, task) is NotImplemented:
            return False
        used = {id(w.of) for job in task.jobs for w in job.buffers()}
        for x, buffer in zip(inputs, task.inputs, strict=True):
            if isinstance(x, Known) and id(buffer) in used:
                buffer.place = self.memory(x).place
        operands = [x if isinstance(x, Buffer) else x.value for x in inputs]
        self.add(Native(task, operands, self.fallback.kernel(node.op), node))
        self.gives(node, outputs)
        return True

    def _expanded(self, node: Operation, inputs: list[Any]) -> bool:
        """Takes an op that is made of others."""
        if not node.op.has("expand") or any(isinstance(x, Known) and isinstance(x.value, Resource) for x in inputs):
            return False
        body = Graph()
        with interpreter.entered(body):
            made = node.op.expand(*[body.parameter(self.spec(x)) for x in inputs])
            if made is NotImplemented:
                return False
            body.outputs = [interpreter.as_tensor(t) for t in (made if isinstance(made, tuple) else (made,))]
        self._inside += 1
        results = self.inlined(body, inputs)
        self._inside -= 1
        self.gives(node, results)
        return True

    def call_python(self, node: Operation, inputs: list[Any], specs: tuple[Spec, ...]) -> None:
        """Everything else: the fallback's kernel, called with arrays."""
        op = node.op
        makes = [_fresh(s) if s.known and s.dtype.name not in _OBJECTS else Buffer((), object) for s in specs]
        if op.takes_store and op.effect:
            for x in inputs:
                if isinstance(x, Known) and isinstance(x.value, Resource):
                    self._state.pop(id(x.value), None)
                    self._stale.add(id(x.value))
        operands = [x if isinstance(x, Buffer) else x.value for x in inputs]
        self.add(Python(self.fallback.kernel(op), operands, makes, node))
        self.gives(node, makes)

    # --- variables -------------------------------------------------------------------------------------------------

    def read(self, node: Operation, resource: Resource) -> Buffer:
        """What a variable holds here."""
        found = self._state.get(id(resource))
        if found is None:
            held = resource.spec
            if not held.known or held.dtype.name in _OBJECTS:
                raise UnplannableError(f"variable {resource.name!r} has no fixed shape")
            found = _fresh(held)
            self._state[id(resource)] = found
            self.variables.append((weakref.ref(resource), found, node))
        return found

    def is_stale(self, resource: Resource) -> bool:
        """Whether only the Store knows what the variable holds."""
        return id(resource) in self._stale and id(resource) not in self._state

    def write(self, resource: Resource, value: Buffer) -> None:
        self._state[id(resource)] = value
        self.add(Write(resource, value))

    def inlined(self, body: Any, inputs: Sequence[Any]) -> list[Any]:
        """The items of a body, in place of a call of it."""
        outer, self.env = self.env, {id(t): x for t, x in zip(body.inputs, inputs, strict=True)}
        self.walk(body_nodes(body))
        results = [self.value(t) for t in body.outputs]
        self.env = outer
        return results


def _sizes(spec: Spec) -> Any:
    """A shape that is known."""
    return spec.shape


def _fresh(spec: Spec) -> Buffer:
    return Buffer(_sizes(spec), spec.dtype.numpy)


def _identity(x: Any) -> Any:
    """What tells an input from others: which memory, or which numbers where they are few."""
    if isinstance(x, Buffer):
        return id(x.of), x.shape, x.skip
    if isinstance(x.value, (np.ndarray, np.generic)) and x.value.size <= FEW and x.value.dtype != object:
        return x.value.shape, x.value.dtype, x.value.tobytes()
    return id(x)


def _complete(value: Any) -> bool:
    return value is not None and (not isinstance(value, tuple) or all(_complete(v) for v in value))


def _dtype(x: Any) -> np.dtype[Any]:
    return x.dtype if isinstance(x, Buffer) else np.asarray(x.value).dtype


def _lazy(x: Any) -> Buffer:
    """Memory of an input for a task; a known value gets a place only when a job uses it."""
    if isinstance(x, Buffer):
        return x
    return Buffer(np.shape(x.value), _dtype(x))


@functools.lru_cache(maxsize=4096)
def _gives(rule: Callable[..., Any], kinds: tuple[ir.Type, ...]) -> ir.Type | None:
    """The kind of a rule's value for arguments of these kinds, None where it has none: it is tried on a function that
    is thrown away."""
    module = ir.Module()
    with module.function("trial", *[k.by(2) for k in kinds]) as (f, *values):
        made = rule(f, *values)
    return None if made is NotImplemented else made.type.scalar


def _bound(rule: Callable[..., Any], op: Any) -> Any:
    """The rule for this op: one object for one op, so that equal plans share kernels."""
    found = op.kernels.get("lanes")
    if found is None:

        def bound(f: Any, *values: Any) -> Any:
            return rule(op, f, *values)

        found = op.kernels["lanes"] = bound
    return found


# Op types that are not computed as others are: (trace, node, inputs) -> whether it was done.
_OPENED: dict[str, tuple[Callable[[Trace, Operation, list[Any]], bool], bool]] = {}


def passes_over(op: Op) -> bool:
    """Whether an op becomes passes over memory, where there is machine code for the types it is given."""
    opened = _OPENED.get(op.type)
    return opened[1] if opened else "lanes" in type(op).lowerings or (op.has("expand") and not op.effect)


def opens(*types: str, passes: bool = False) -> Callable[[Any], Any]:
    """Declares how a trace treats these op types. passes: that they become passes over memory, and no views, calls or
    changes of state."""

    def declare(rule: Any) -> Any:
        for kind in types:
            _OPENED[kind] = rule, passes
        return rule

    return declare
