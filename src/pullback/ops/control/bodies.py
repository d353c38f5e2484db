"""Bodies: tracing them, and differentiating them.

forward body    inputs --nodes--> outputs [+ residuals]
backward body   cotangents of outputs, and what it reads of the forward body --rules--> cotangents of inputs
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core import interpreter
from pullback.core.backprop import backprop, current_sweep, passes
from pullback.core.basics import ZerosLike
from pullback.core.dtypes import resource, variant
from pullback.core.graph import Graph, ancestors
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor


def traced(f: Callable[..., Any], specs: Sequence[Spec], name: str, stands_for: Any = None) -> Graph:
    """A body: f called with a parameter for each spec; it returns the list of outputs."""
    here = interpreter.current()
    body = Graph(here.dialect, here, name)
    body.stands_for, body.overrides = stands_for, getattr(here, "overrides", {})
    with body.as_default():
        parameters = [body.parameter(spec) for spec in specs]
        outputs = [interpreter.as_tensor(y) for y in f(*parameters)]
        body.outputs = [body.adopt(y) for y in outputs]
    return body


def captured(body: Graph) -> list[Tensor]:
    """The tensors outside that a body captured, in the order of its inputs."""
    return [outer for outer, _ in body.captures.values()]


def aligned(bodies: Sequence[Graph], leading: int) -> list[Tensor]:
    """Makes bodies take the same captures in the same order, after `leading` parameters; returns those captured."""
    union: dict[int, Tensor] = {}
    for body in bodies:
        union.update((id(outer), outer) for outer in captured(body))
    for body in bodies:
        inside = [body.captures[k][1] if k in body.captures else body.capture(outer) for k, outer in union.items()]
        body.inputs = [*body.inputs[:leading], *inside]
    return list(union.values())


def has_effects(body: Graph) -> bool:
    """Whether running the body changes state or the world."""
    return any(node.op.effect for node in body.nodes)


def draws(body: Graph) -> list[Tensor]:
    """What effects and random draws of a body made: never made again, so always saved."""
    return [t for node in body.nodes if node.op.effect or node.op.random for t in node.results]


def zeros_of(x: Tensor) -> Tensor:
    """Zeros of x's shape, of a handle's value's shape, or an empty list."""
    if x.spec.dtype is resource:
        from pullback.ops.state import ReadVariableOp

        x = ReadVariableOp()(x)
    return ZerosLike()(x)


def swept(body: Graph, ys: Sequence[Tensor], dys: Sequence[Any], xs: Sequence[Tensor]) -> list[Any]:
    """Cotangents of a body's tensors xs, in the current interpreter, as the sweep in progress asks."""
    sweep = current_sweep()
    given = [(y, dy) for y, dy in zip(ys, dys, strict=True) if dy is not None]
    if not given:
        return [None] * len(xs)
    return backprop(
        [y for y, _ in given],
        xs,
        [dy for _, dy in given],
        ancestors([y for y, _ in given]),
        rules=sweep.rules,
        on_step=sweep.on_step,
        carries=sweep.carries,
    )


def wanted(node: Any) -> list[int]:
    """Positions of the inputs whose cotangents the sweep in progress can use."""
    sweep = current_sweep()
    return [i for i, x in enumerate(node.inputs) if id(x) in sweep.reached and passes(x.spec, sweep.carries)]


def differentiable(tensors: Sequence[Tensor]) -> list[int]:
    """Positions of the tensors a cotangent may pass through."""
    carries = current_sweep().carries
    return [i for i, x in enumerate(tensors) if passes(x.spec, carries)]


def cotangent_spec(x: Tensor) -> Spec:
    """Spec of a cotangent of x."""
    held = x.spec.held
    return Spec((), variant) if held.dtype is variant else Spec(held.shape, held.dtype)


def remade(graph: Graph, tensor: Tensor, available: Callable[[Tensor], Tensor | None]) -> Tensor:
    """A forward body's tensor computed again inside a backward body, from what is available there."""
    made: dict[int, Tensor] = {}

    def lookup(t: Tensor) -> Tensor | None:
        return made[id(t)] if id(t) in made else available(t)

    waiting = [tensor]
    while waiting:
        t = waiting[-1]
        if lookup(t) is not None:
            waiting.pop()
            continue
        missing = [x for x in t.node.inputs if lookup(x) is None]
        if missing:
            waiting.extend(missing)
            continue
        again = graph.run(t.node.op, tuple(graph.adopt(lookup(x)) for x in t.node.inputs), t.node.name)  # type: ignore[arg-type]
        for old, new in zip(t.node.results, again, strict=True):
            made[id(old)] = new
        again[0].node.mark, again[0].node.source = t.node.mark, t.node.source
    return made[id(tensor)]
