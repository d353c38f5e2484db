"""A call of a function on a tape, opened: in its place the steps of its body, computed again one by one.

    tape     x --- PartitionedCall(body) --- y          x --- a1 --- a2 --- y      each under the scope "f()"

What the body drew at random or read from the world was saved with the call and is taken from there, never made anew.
A call that gives something else when it is run again, for a variable has changed since, stays one step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.graph import ancestors
from pullback.core.tensor import EagerTensor, Node
from pullback.ops.control.call import Call
from pullback.ops.math.select import Identity

# What tells a call's scope from others: "f()", and "f()_2" where f is called again.
CALL = "()"
# How far a body's values may lie from the call's, which the engine may have computed in another order.
NEAR = 1e-3


class _Inner(Node):
    """A step of a body as a tape would have heard it; its name begins with the scopes that it lies under."""

    __slots__ = ("mark", "name", "of", "source")
    graph: Any = None

    def __init__(self, of: Any, op: Any, name: str, inputs: tuple[Any, ...], results: tuple[Any, ...]) -> None:
        super().__init__(op, inputs, results)
        self.of, self.name = of, name
        self.mark, self.source = of.mark, getattr(of, "source", None)

    @property
    def where(self) -> str:
        return self.of.where


def opened(nodes: Sequence[Node], under: str = "", counts: Counter[str] | None = None) -> list[Node]:
    """A tape's record with the body's steps in the place of each call, and of the calls in it.

    Args:
      nodes: what a tape heard, in order.
      under: the scopes that all of it lies under, "f()/".
      counts: how often each function has been called so far.
    Runs under the eager interpreter, with tapes paused.
    """
    counts = Counter() if counts is None else counts
    found: list[Node] = []
    for node in nodes:
        if not isinstance(node.op, Call):
            found.append(node)
            continue
        name = f"{under or _scope(node)}{node.op.body.name}{CALL}"
        counts[name] += 1
        scope = f"{name if counts[name] == 1 else f'{name}_{counts[name]}'}/"
        steps = _steps(node, node.op.body, scope)
        found += [node] if steps is None else opened(steps, scope, counts)
    return found


def _scope(node: Any) -> str:
    """The user's function that the call's line is in, as "train/"; "" where it is not known."""
    source = getattr(node, "source", None)
    return "" if source is None or source[0].co_name.startswith("<") else f"{source[0].co_name}/"


def _steps(call: Node, body: Any, under: str) -> list[Node] | None:
    """The steps of one call, from its inputs to its own results; None where they do not give these."""
    known = {id(t): x for t, x in zip(body.inputs, call.inputs, strict=True)}
    steps: list[Node] = []
    passed: list[Node] = []
    for t, y in zip(body.outputs, call.results, strict=False):
        if id(t) in known:  # an input, or a second time the same result
            passed.append(_Inner(call, Identity(), f"{under}Identity", (known[id(t)],), (y,)))
        else:
            known[id(t)] = y
    made = dict(known)
    for node in ancestors(body.outputs):
        if all(id(r) in known for r in node.results) and not node.inputs:
            continue  # a parameter, or a saved draw
        inputs = tuple(made.get(id(x), x) for x in node.inputs)
        if any(type(x) is not EagerTensor for x in inputs):
            return None
        if node.op.effect or node.op.random:
            if not all(id(r) in known for r in node.results):
                return None
        else:
            again = interpreter.current().run(node.op, inputs)
            for r, y in zip(node.results, again, strict=False):
                if not _agree(made.setdefault(id(r), y), y):
                    return None
        results = tuple(made[id(r)] for r in node.results if id(r) in made)
        steps.append(_Inner(node, node.op, f"{under}{node.name}", inputs, results))
    return [*steps, *passed]


def _agree(kept: EagerTensor, again: EagerTensor) -> bool:
    if kept is again or not (again.dtype.is_floating or again.dtype.is_complex):
        return True
    a, b = np.asarray(kept.value), np.asarray(again.value)
    return a.shape == b.shape and bool(np.allclose(a, b, NEAR, NEAR * float(np.abs(b).max(initial=0)), equal_nan=True))
