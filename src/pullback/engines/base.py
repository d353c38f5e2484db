"""The engine protocol, the one look-up order, and the node-by-node program.

What computes an op, the same for every engine:

    the room's lowering for the engine  ->  the op's `expand` into others  ->  its reference kernel

A lowering is a file in the room named after the engine, loaded when the engine first meets one of the room's ops.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import Const
from pullback.core.errors import OpError
from pullback.core.graph import Graph, ancestors
from pullback.core.names import public
from pullback.core.op import Op
from pullback.core.spec import Spec
from pullback.core.store import Store
from pullback.core.tensor import EagerTensor, Node, Operation, Tensor

OnNode = Callable[[Operation, tuple[Any, ...], tuple[Any, ...]], None]
ENGINES: dict[str, Engine] = {}
_served: dict[tuple[str, str], str] = {}


class Engine:
    """An engine that runs node by node. `lowers` names the files of its lowerings, best first.

    on_node: called as on_node(node, inputs, results) with the arrays of every node that a program has run.
    """

    on_node: OnNode | None = None

    def __init__(self, name: str, lowers: tuple[str, ...]) -> None:
        self.name, self.lowers = name, lowers
        ENGINES[name] = self

    def kernel(self, op: Op, reads: Sequence[Spec] = (), makes: Sequence[Spec] = ()) -> Callable[..., Any]:
        """What runs the op on arrays, of these specs where they are given."""
        for name in self.lowers:
            load_lowerings(type(op).__module__, name)
            found = type(op).lowerings.get(name)
            if found is not None:
                _served[self.name, op.type] = name
                return functools.partial(found, op)
        if op.has("expand") and self.lowers:
            _served[self.name, op.type] = "expand"
            return functools.partial(_expanded, op)
        _served[self.name, op.type] = "reference"
        return op.reference

    def program(self, graph: Graph) -> Program:
        """A body, compiled; kept on the graph."""
        found = graph.programs.get(self.name)
        if found is None:
            found = graph.programs[self.name] = self.compiled(body_nodes(graph), graph.inputs, graph.outputs)
        return found

    def compiled(self, nodes: Sequence[Operation], inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Any:
        """What runs these nodes, in this order: (store, *arrays) -> tuple of arrays."""
        return Program(self, nodes, inputs, outputs)


def body_nodes(graph: Graph) -> list[Operation]:
    """What a body has to run, in order: what its outputs hang on, and its effects."""
    effects = [node for node in graph.nodes if node.op.effect]
    needed = ancestors([*graph.outputs, *_results(effects)], controls=True)
    missing = [node for node in effects if not node.results]
    if missing:
        reads = ancestors([t for node in missing for t in node.inputs], controls=True)
        needed = sorted({id(n): n for n in [*needed, *reads, *missing]}.values(), key=lambda n: n.index)
    return needed


def _results(nodes: Sequence[Node]) -> list[Tensor]:
    return [t for node in nodes for t in node.results]


class Program:
    """Nodes as a list of steps over numbered slots. Slot 0 holds the Store.

    Calling it with a Store and the inputs' arrays gives the outputs' arrays. A value is dropped after its last use.
    """

    __slots__ = ("_fetched", "_fed", "_nodes", "_steps", "_template")

    def __init__(
        self,
        engine: Engine,
        nodes: Sequence[Operation],
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        on_node: OnNode | None = None,
    ) -> None:
        slots: dict[int, int] = {}
        template: list[Any] = [None]

        def slot(t: Tensor) -> int:
            found = slots.get(id(t))
            if found is None:
                found = slots[id(t)] = len(template)
                template.append(None)
            return found

        on_node = on_node or engine.on_node
        self._fed = [slot(t) for t in inputs]
        fed = set(self._fed)
        steps: list[list[Any]] = []
        self._nodes: list[Operation] = []
        for node in nodes:
            if node.results and all(slots.get(id(t)) in fed for t in node.results):
                continue
            if isinstance(node.op, Const):
                template[slot(node.results[0])] = node.op.value
                continue
            kernel = engine.kernel(node.op)
            if on_node is not None:
                kernel = _observed(kernel, node, on_node)
            reads = [slot(t) for t in node.inputs]
            makes = [slot(t) if slots.get(id(t)) not in fed else 0 for t in node.results]
            steps.append([kernel, (0, *reads) if node.op.takes_store else tuple(reads), makes, ()])
            self._nodes.append(node)
        self._fetched = [slot(t) for t in outputs]
        keep = {0, *self._fetched, *(i for i, v in enumerate(template) if v is not None)}
        for step in reversed(steps):  # a slot is dropped after the step that last touches it
            touched = {*step[1], *step[2]} - keep
            keep |= touched
            step[3] = tuple(touched)
        self._steps = [tuple(step) for step in steps]
        self._template = template

    def __call__(self, store: Store, *values: Any) -> tuple[Any, ...]:
        env = self._template.copy()
        env[0] = store
        for i, value in zip(self._fed, values, strict=True):
            env[i] = value
        done = 0
        try:
            with np.errstate(all="ignore"):
                for kernel, reads, makes, drops in self._steps:
                    made = kernel(*[env[i] for i in reads])
                    if type(made) is tuple:
                        for i, value in zip(makes, made, strict=True):
                            env[i] = value
                        env[0] = store
                    elif makes:
                        env[makes[0]] = made
                    for i in drops:
                        env[i] = None
                    done += 1
        except OpError as error:
            raise error.locate(self._nodes[done].where) from None
        return tuple([env[i] for i in self._fetched])


def _observed(kernel: Callable[..., Any], node: Operation, on_node: OnNode) -> Callable[..., Any]:
    def run(*values: Any) -> Any:
        made = kernel(*values)
        on_node(node, values[1:] if node.op.takes_store else values, made if type(made) is tuple else (made,))
        return made

    return run


def _expanded(op: Op, *values: Any) -> Any:
    """The op as others, run at once and unseen by tapes."""
    eager = interpreter.eager()
    with interpreter.entered(eager), interpreter.paused_tapes():
        made = op.expand(*[EagerTensor(interpreter.spec_of(v), v) for v in values])
        if made is NotImplemented:
            return op.reference(*values)
        made = tuple(map(interpreter.as_tensor, made)) if isinstance(made, tuple) else interpreter.as_tensor(made)
    return tuple(t.value for t in made) if isinstance(made, tuple) else made.value


@functools.cache
def load_lowerings(room: str, engine: str) -> None:
    """Loads the room's file for an engine, if it has one: beside the room's module, or in the room's package."""
    package = room if hasattr(sys.modules.get(room), "__path__") else room.rpartition(".")[0]
    if package.startswith("pullback.ops.") and importlib.util.find_spec(f"{package}.{engine}"):
        importlib.import_module(f"{package}.{engine}")


def note(engine: str, op_type: str, how: str) -> None:
    """Notes what computed an op, for `report`."""
    _served[engine, op_type] = how


def noted(engine: str, op_type: str) -> str:
    """What computes an op on an engine, as far as it has been asked for."""
    return _served.get((engine, op_type), "reference")


def report() -> dict[str, dict[str, str]]:
    """For each engine, op type -> what computed it: a lowering by name, "expand", or "reference". Of the CPU engine's
    plans: "fused", "machine code", or what a Python step called."""
    out: dict[str, dict[str, str]] = {}
    for (name, op_type), how in sorted(_served.items()):
        out.setdefault(name, {})[op_type] = how
    return out


@public("engine", v1=None)
@contextlib.contextmanager
def engine(name: str) -> Iterator[None]:
    """Lets the engine of this name compute inside the context.

    Raises:
      ValueError: there is none of this name.
    """
    if name not in ENGINES:
        raise ValueError(f"there is no engine {name!r}; there are {sorted(ENGINES)}")
    with interpreter.using_engine(ENGINES[name]):
        yield
