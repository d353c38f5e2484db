"""A network cut from symbolic tensors: what lies between inputs and outputs, to be replayed on values.

    inputs --Call, Operation, Call, ...--> outputs

Steps are calls of layers, and operations of the user's between them (x + y).
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter, nest
from pullback.core.basics import Placeholder
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.tensor import Operation, Tensor
from pullback.layers.calls import Call, call_of, symbolic
from pullback.ops.array.shape import expand_dims
from pullback.ops.math.select import Cast


class Network:
    """What lies between symbolic inputs and outputs.

    inputs: the tensors, in order. outputs: a nest of tensors. steps: in an order that can be replayed. layers: in
    Keras's order, those furthest from the outputs first, of equally far ones the one met first on the way back.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.nested_inputs, self.outputs = inputs, outputs
        self.inputs: list[Tensor] = nest.leaves_of(inputs)
        for t in (*self.inputs, *nest.leaves_of(outputs)):
            if not symbolic(t):
                raise ArgumentError(
                    f"Model: inputs and outputs must be symbolic tensors, as Input makes, but one is {t!r}"
                ).locate()
        self.graph: Graph = self.inputs[0].node.graph
        self._entries = {id(t): call_of(t) for t in self.inputs}  # input -> the call of its Input layer
        met, self.steps = self._ordered()
        self.layers = self._by_depth(met)

    def _by_depth(self, met: list[Any]) -> list[Any]:
        """The layers of steps in the order in which they were met, those whose furthest call is furthest from the
        outputs first. Inputs that nothing hangs on come first among the outputs."""
        entries = [entry for entry in self._entries.values() if entry is not None]
        depths: dict[int, int] = {}  # of a step, or a layer
        for step in [*reversed(self.steps), *entries]:
            owner = id(step.layer) if isinstance(step, Call) else id(step)
            depths[id(step)] = depths[owner] = max(depths.get(id(step), 0), depths.get(owner, 0))
            for t in () if any(step is entry for entry in entries) else step.inputs:
                maker = self._entries[id(t)] if id(t) in self._entries else _maker(t)
                depths[id(maker)] = max(depths.get(id(maker), 0), depths[id(step)] + 1)
        found = {id(s.layer): s.layer for s in met if isinstance(s, Call)}
        unused = {id(e.layer): e.layer for e in entries if id(e.layer) not in found}
        return sorted([*unused.values(), *found.values()], key=lambda layer: -depths[id(layer)])

    def _ordered(self) -> tuple[list[Any], list[Any]]:
        """(Steps that the outputs hang on, and inputs' calls, as the way back from the outputs meets them; those steps,
        each behind those it hangs on itself)."""
        done: set[int] = set()  # steps, and inputs
        met: list[Any] = []
        order: list[Any] = []
        # A tensor on the way, or a step all of whose inputs have been gone through.
        waiting: list[tuple[Any, Any]] = [(t, None) for t in reversed(nest.leaves_of(self.outputs))]
        while waiting:
            t, finished = waiting.pop()
            if finished is not None:
                order.append(finished)
                continue
            enters = id(t) in self._entries
            step = self._entries[id(t)] if enters else _maker(t)
            known = id(t) if enters else id(step)
            if known in done or step is None:
                continue
            done.add(known)
            met.append(step)
            if not enters:
                waiting.append((None, step))
                waiting += [(x, None) for x in reversed(step.inputs)]
        return met, order

    def replay(self, values: list[Any]) -> Any:
        """The outputs, for values in place of the inputs."""
        made: dict[int, Any] = {id(t): v for t, v in zip(self.inputs, values, strict=True)}
        outside = {id(inner): outer for outer, inner in self.graph.captures.values()}
        moves = {id(t) for t in self.inputs}
        here = interpreter.current()
        for step in self.steps:
            depends = any(id(t) in moves for t in step.inputs)
            results = step.results if isinstance(step, Operation) else nest.leaves_of(step.outputs)
            if depends:
                moves.update(id(t) for t in results)
            if isinstance(step, Call):
                outputs = step.layer(*_filled(step.args, made), **_filled(step.kwargs, made))
                made.update((id(t), y) for t, y in zip(results, nest.leaves_of(outputs), strict=True))
            elif all(id(t) in outside for t in results):
                made.update((id(t), outside[id(t)]) for t in results)
            elif not depends and here is self.graph:
                made.update((id(t), t) for t in results)
            else:
                again = step.again(tuple(made[id(t)] for t in step.inputs))
                made.update((id(t), y) for t, y in zip(results, again, strict=True))
        return nest.mapped(lambda t: made[id(t)], self.outputs)


def disconnected(t: Tensor) -> ArgumentError:
    """The error of a tensor that no input of the model leads to."""
    return ArgumentError(
        f"Graph disconnected: cannot obtain value for tensor {t!r}; it comes from an Input that is not among the "
        "model's inputs"
    ).locate()  # type: ignore[return-value]


def _maker(t: Tensor) -> Any:
    """The call or operation that a symbolic tensor comes from.

    Raises:
      ValueError: it comes from an input that the model does not have.
    """
    call = call_of(t)
    if call is not None:
        if any(x is t for x in call.inputs):
            raise disconnected(t)
        return call
    node = t.node
    inner = {id(inner) for _, inner in node.graph.captures.values()}
    if isinstance(node.op, Placeholder) and id(t) not in inner:
        raise disconnected(t)
    return node


def _filled(given: Any, made: dict[int, Any]) -> Any:
    return nest.mapped(lambda x: made.get(id(x), x) if symbolic(x) else x, given)


def fitted(x: Any, to: Tensor) -> Any:
    """An input as the network takes it: of its type, a last axis of 1 added where it lacks."""
    x = x if isinstance(x, Tensor) else interpreter.as_tensor(x)
    rank, wanted = x.spec.rank, to.spec.rank
    if rank is not None and wanted is not None and rank == wanted - 1 and (to.spec.shape or (0,))[-1] == 1:
        x = expand_dims(x, -1)
    if x.dtype is to.dtype or x.dtype.name == "string" or to.dtype.name == "string":
        return x
    return Cast(to.dtype)(x)
