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

    inputs: the tensors, in order. outputs: a nest of tensors. steps: in an order that can be replayed. layers: those
    that are called, the inputs' first.
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
        self.steps = self._ordered()
        called = [s.layer for s in self.steps if isinstance(s, Call)]
        first = [call.layer for t in self.inputs if (call := call_of(t)) is not None]
        self.layers = list({id(layer): layer for layer in (*first, *called)}.values())

    def _ordered(self) -> list[Any]:
        """The steps that outputs hang on, each behind those it hangs on itself."""
        begun = {id(t) for t in self.inputs}
        done: dict[int, Any] = {}
        order: list[Any] = []
        waiting: list[tuple[Any, bool]] = [
            (_maker(t), False) for t in nest.leaves_of(self.outputs) if id(t) not in begun
        ]
        while waiting:
            step, ready = waiting.pop()
            if id(step) in done:
                continue
            if ready:
                done[id(step)] = step
                order.append(step)
                continue
            waiting.append((step, True))
            for t in reversed(step.inputs):
                if id(t) in begun:
                    continue
                maker = _maker(t)
                if maker is step:
                    raise disconnected(t)
                if id(maker) not in done:
                    waiting.append((maker, False))
        return order

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
