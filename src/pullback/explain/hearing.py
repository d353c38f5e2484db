"""Hears what backprop and the engine tell while they work, and makes a Walk of it.

    backprop   --on_step--> (node, dys, dxs)     which rule answered what
    the engine --on_node--> (node, values)       what came of it, taken down at once and dropped

Neither a sweep nor a derivative of its own: a tape, a session's graph or a function is asked for its gradient once. The
local derivative on an edge, dn5/dn4, is what the node's rule answers to a cotangent of ones.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pullback as tf
from pullback.core import interpreter
from pullback.core.backprop import Rule
from pullback.core.basics import Const
from pullback.core.errors import ArgumentError, user_frame
from pullback.core.graph import Graph
from pullback.core.tensor import EagerTensor, Node, Tensor
from pullback.engines.base import Program
from pullback.explain.held import Held
from pullback.explain.numbering import Numbering
from pullback.explain.opening import opened
from pullback.explain.walk import Walk
from pullback.modes.function import Function
from pullback.modes.gradients import gradients, handle_of
from pullback.modes.session import needed
from pullback.modes.tape import GradientTape
from pullback.ops.control import bodies


def explain(
    y: Any,
    xs: Any,
    *,
    tape: Any = None,
    session: Any = None,
    feed_dict: Any = None,
    names: Sequence[str] | None = None,
    function: str = "f",
    rules: dict[type, Rule] | None = None,
) -> Walk:
    """Walks the chain rule from y back to xs and keeps every value and derivative on the way.

    Args:
      y: a tensor, eager or of a session's graph; or a function of xs. What is no scalar is summed.
      xs: tensor or variable, or a list; of a function its arguments, arrays too.
      tape: the GradientTape that heard an eager y being computed. It answers as for `gradient`.
      session, feed_dict: what computes a graph's tensors. The walk adds the gradient's nodes to the graph.
      names: what to call xs; by default their names in the graph, or x1, x2, ...
      function: what to call y.
      rules: {op class: rule} as in `GradientTape.gradient`.
    Returns:
      A Walk: print it, show it in a notebook, or `save("walk.html")`.
    Raises:
      ArgumentError: y depends on none of xs; neither tape, session nor function is given, or several of them.
    A plain function runs eagerly, and every node knows the user's line; a `tf.function` is walked node by node. Where a
    tape heard a call of one, the walk opens it into its own steps, which the page shows folded; in a graph a call is a
    single step, and so are loops and branches everywhere.
    """
    xs = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    asked = _Asked(xs, names, function, rules)
    if callable(y) and not isinstance(y, Tensor) and not hasattr(y, "handle"):
        if tape is not None or session is not None or feed_dict is not None:
            raise ArgumentError("explain: a function needs neither tape nor session; give its arguments as xs").locate()
        return asked.of_function(y)
    y = interpreter.as_tensor(y)
    if isinstance(y, EagerTensor) and tape is not None and session is None and feed_dict is None:
        return asked.of_tape(y, tape)
    if not isinstance(y, EagerTensor) and session is not None and tape is None:
        return asked.of_session(y, session, feed_dict)
    raise ArgumentError(
        "explain: give the tape that heard an eager y, the session that computes a graph's y, or the function itself"
    ).locate()


@dataclass(frozen=True, slots=True)
class Step:
    """What backprop told of a node."""

    node: Node
    dys: Sequence[Any]
    dxs: Sequence[Any]


class _Heard:
    """What backprop told, last node first."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, node: Node, dys: Sequence[Any], dxs: Sequence[Any]) -> None:
        self.steps.append(Step(node, list(dys), list(dxs)))

    def of(self, y: Tensor) -> list[Step]:
        """Forward, without the steps inside bodies: their numbers belong to another graph."""
        where = None if isinstance(y, EagerTensor) else y.graph
        inside = [s for s in self.steps if getattr(s.node, "graph", None) is where]
        return inside[::-1]


class _Noted(Node):
    """A Node of a tape that knows the user's line; it lies under the function that the line is in."""

    __slots__ = ("source",)
    graph: Any = None

    @property
    def where(self) -> str:
        return _place(self.source)


class _NotingTape(GradientTape):
    """A tape that takes down the line of each operation it hears."""

    def record(self, op: Any, inputs: Any, results: Any, node: Node | None) -> None:
        noted = node
        if node is None and self.watches(inputs):
            noted = _Noted(op, inputs, results)
            frame = user_frame()
            noted.source = None if frame is None else (frame.f_code, frame.f_lineno)
        super().record(op, inputs, results, noted)


def _place(source: Any) -> str:
    return "" if source is None else f"{os.path.basename(source[0].co_filename)}:{source[1]}"


@dataclass(frozen=True)
class _Asked:
    """One call of explain."""

    xs: list[Any]
    names: Sequence[str] | None
    function: str
    rules: dict[type, Rule] | None

    def of_tape(self, y: Any, tape: GradientTape) -> Walk:
        heard, whole = _Heard(), GradientTape()
        whole._watched, record = tape._watched, tape._taken("explain")
        with interpreter.entered(interpreter.eager()), interpreter.paused_tapes():
            whole._nodes = opened(record)
            whole.gradient(y, self.xs, rules=self.rules, on_step=heard)
            return self._walked(y, heard, self.xs, _values)

    def of_session(self, y: Tensor, session: Any, feed_dict: Any) -> Walk:
        graph, heard = y.graph, _Heard()
        gradients(y, self.xs, name="explain", rules=self.rules, on_step=heard)
        if session._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        fed = session._feeds(feed_dict or {})
        with graph.as_default():
            return self._walked(y, heard, self.xs, lambda tensors: computed(graph, tensors, fed, session.store))

    def of_function(self, f: Callable[..., Any]) -> Walk:
        xs = [x if isinstance(x, Tensor) or hasattr(x, "handle") else tf.convert_to_tensor(x) for x in self.xs]
        names = self.names or _parameters(f, len(xs))
        if isinstance(f, Function):
            return _Asked(self.xs, names, self.function, self.rules)._of_traced(f, xs)
        with _NotingTape() as tape:
            tape.watch(xs)
            y = f(*xs)
        _check_result(y)
        return _Asked(xs, names, self.function, self.rules).of_tape(interpreter.as_tensor(y), tape)

    def _of_traced(self, f: Function, xs: list[Any]) -> Walk:
        """The function's Python traced anew, so that its own graph stays as it is."""
        tensors = [x for x in xs if isinstance(x, Tensor)]
        eager = interpreter.eager()

        def body(*parameters: Tensor) -> list[Any]:
            given = iter(parameters)
            y = f.python_function(*[next(given) if isinstance(x, Tensor) else x for x in xs])
            _check_result(y)
            return [y]

        with interpreter.entered(eager):
            graph = bodies.traced(body, [x.spec for x in tensors], f.python_function.__name__)
        inside = iter(graph.inputs)
        sources: list[Any] = [next(inside) if isinstance(x, Tensor) else x for x in xs]
        heard, y = _Heard(), graph.outputs[0]
        with graph.as_default():
            gradients(y, sources, name="explain", rules=self.rules, on_step=heard)
            fed = [(t, x.value) for t, x in zip(graph.inputs, tensors, strict=False)]  # type: ignore[attr-defined]

            def fetch(wanted: list[Any]) -> list[Held]:
                outside = [(t, outer.value) for outer, t in graph.captures.values()]  # type: ignore[attr-defined]
                return computed(graph, wanted, [*fed, *outside], eager.store)

            found = [graph.adopt(x.handle) if hasattr(x, "handle") else x for x in sources]
            return _Asked(found, self.names, self.function, self.rules)._walked(y, heard, found, fetch)

    def _walked(self, y: Tensor, heard: _Heard, xs: list[Any], fetch: Any) -> Walk:
        if not heard.steps and all(handle_of(x) is not y for x in xs):
            exact = all(handle_of(x).spec.held.dtype.is_integer for x in xs)
            which = "x" if len(xs) == 1 else f"any of the {len(xs)} xs"
            raise ArgumentError(
                "explain: integers have no derivatives; give xs as floats, 3.0 in the place of 3" if exact else
                f"explain: {self.function} does not depend on {which}, so there is no derivative to walk back to"
            ).locate()  # fmt: skip
        return Numbering(y, xs, heard.of(y), self.names, self.function, self.rules).walked(fetch)


def _check_result(y: Any) -> None:
    if isinstance(y, (list, tuple, dict)) or y is None:
        raise ArgumentError(f"explain: the function must return one tensor, but returned a {type(y).__name__}").locate()


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its first arguments; x1, x2, ... where it has no names for so many."""
    try:
        parameters = list(inspect.signature(getattr(f, "python_function", f)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return named if len(named) == count else [f"x{i}" for i in range(1, count + 1)]


def _values(tensors: list[Any]) -> list[Held]:
    return [Held.of(interpreter.as_tensor(t).value) for t in tensors]


def computed(graph: Graph, tensors: Sequence[Tensor], fed: Sequence[tuple[Tensor, Any]], store: Any) -> list[Held]:
    """What tensors of a graph hold, all from one run. A value is taken down when its node has run, and dropped."""
    found = {id(t): Held.of(value) for t, value in fed}
    wanted = {id(t) for t in tensors}

    def told(node: Any, inputs: tuple[Any, ...], values: tuple[Any, ...]) -> None:
        for t, value in zip(node.results, values, strict=False):
            if id(t) in wanted and id(t) not in found:
                found[id(t)] = Held.of(value)

    nodes = needed(graph, list(tensors), [], [t for t, _ in fed])
    Program(interpreter.engine(), nodes, [t for t, _ in fed], [], told)(store, *[value for _, value in fed])
    for t in tensors:
        if id(t) not in found and isinstance(t.node.op, Const):
            found[id(t)] = Held.of(t.node.op.value)
    return [found[id(t)] for t in tensors]
