"""The walk: what the chain rule did at every step, in numbers.

    first pass     n4 = n1 * n1 = 3 * 3 = 9                     values, forward
    second pass    df/dn4 = df/dn5 * dn5/dn4 = 1 * 4 = 4        derivatives, backward

It listens to `backprop` (its hook `on_step`) and so sees what the sweep really did. The partial derivative on an edge,
dn5/dn4, is what the node's rule answers to a cotangent of one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.backprop import Rule, answers, dense
from pullback.core.basics import OnesLike
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.shape import text
from pullback.core.tensor import EagerTensor, Node, Tensor
from pullback.explain.markup import number, table
from pullback.modes.gradients import gradients, handle_of

_SIGNS = {"AddV2": "+", "Add": "+", "AddN": "+", "Sub": "-", "Mul": "*", "RealDiv": "/", "Div": "/", "Pow": "**"}


@dataclass(frozen=True, slots=True)
class Term:
    """One path into a number's derivative: df/dn5 * dn5/dn2.

    via: index of the number the path comes from, 5.
    partials: dn5/dn2, for each time that n2 enters n5: n1 * n1 has two.
    share: what this path brings.
    """

    via: int
    partials: tuple[float, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the graph.

    index: 1 for n1.
    name: what its maker calls it ("x"); "" of constants and of what is computed.
    op, inputs: the op type that computes it, and the numbers that it reads; "" and () at the ends of the graph.
    derivative: of f by it; None where f has none.
    """

    index: int
    name: str
    op: str
    inputs: tuple[int, ...]
    value: float
    derivative: float | None
    terms: tuple[Term, ...]

    def made_of(self, inputs: Sequence[str]) -> str:
        """How it is computed, with these words for its inputs."""
        sign = _SIGNS.get(self.op)
        if sign and len(inputs) > 1:
            return f" {sign} ".join(inputs)
        return f"-({inputs[0]})" if self.op == "Neg" else f"{self.op}({', '.join(inputs)})"


@dataclass(frozen=True)
class Walk:
    """A scalar function's graph with its values and derivatives. Prints in a terminal, shows in a notebook.

    function: what it is called.
    numbers: n1, n2, ...: the sources, then constants, then what was computed, in order.
    result: the function's own number.
    """

    function: str
    numbers: tuple[Number, ...]
    result: Number

    def by_name(self, name: str) -> Number:
        """The number that is called `name`, or "n5".

        Raises:
          KeyError: there is none.
        """
        for n in self.numbers:
            if name in (n.name, f"n{n.index}"):
                return n
        raise KeyError(name)

    def first_pass(self) -> list[str]:
        """A line a number: "n4 = n1 * n1 = 3 * 3 = 9"."""
        lines = []
        for n in self.numbers:
            parts = [f"n{n.index}"]
            if n.op:
                parts.append(n.made_of([f"n{i}" for i in n.inputs]))
                parts.append(n.made_of([_bracketed(self.numbers[i - 1].value) for i in n.inputs]))
            elif n.name:
                parts.append(n.name)
            lines.append(" = ".join([*parts, number(n.value)]))
        return lines

    def second_pass(self) -> list[str]:
        """A line a number, last first: "df/dn5 = df/dn7 * dn7/dn5 = 1 * 1 = 1"."""
        return [" = ".join(self.chain(n)) for n in reversed(self.numbers)]

    def chain(self, n: Number) -> list[str]:
        """What the derivative by n is equal to, from its name to its value; without repetitions."""
        f = self.function
        left = f"d{f}/dn{n.index}"
        if n.derivative is None:
            return [left, f"none, {f} does not depend on it"]
        if not n.terms:
            return [left, number(n.derivative)]
        words = " + ".join(f"d{f}/dn{t.via} * dn{t.via}/dn{n.index}" for t in n.terms)
        factors = " + ".join(self._product(t) for t in n.terms)
        shares = " + ".join(_bracketed(t.share, i > 0) for i, t in enumerate(n.terms))
        parts = [left, words, factors, shares, number(n.derivative)]
        return [part for i, part in enumerate(parts) if i == 0 or part != parts[i - 1]]

    def _product(self, term: Term) -> str:
        upstream = self.numbers[term.via - 1].derivative
        if upstream is None or not np.isclose(upstream * sum(term.partials), term.share):
            return f"(rule answers {number(term.share)})"  # a rule that is no product: guided back-propagation, ...
        edges = " + ".join(_bracketed(p, i > 0) for i, p in enumerate(term.partials))
        return f"{number(upstream)} * {_bracketed(term.partials[0]) if len(term.partials) == 1 else f'({edges})'}"

    def __str__(self) -> str:
        first, second = "\n".join(self.first_pass()), "\n".join(self.second_pass())
        return f"First pass, values\n{first}\n\nSecond pass, derivatives of {self.function}\n{second}"

    def __rich__(self) -> Any:
        from rich.table import Table

        out = Table(title=f"The chain rule, walked back from {self.function} = {number(self.result.value)}")
        out.add_column("number")
        out.add_column("first pass: values", style="cyan")
        out.add_column("second pass, read upwards: derivatives", style="magenta")
        for n, line in zip(self.numbers, self.first_pass(), strict=True):
            out.add_row(f"n{n.index}", line.partition(" = ")[2], " = ".join(self.chain(n)))
        return out

    def html(self) -> str:
        """A picture of the graph and the two passes as tables: a fragment of a page."""
        from pullback.explain.walk_picture import drawn

        values = [
            [f"n{n.index}", line.partition(" = ")[2]] for n, line in zip(self.numbers, self.first_pass(), strict=True)
        ]
        chains = [[c[0], " = ".join(c[1:-1]), c[-1]] for c in map(self.chain, reversed(self.numbers))]
        f = self.function
        return (
            f'<figure tabindex="0" aria-label="Graph of {f}">{drawn(self)}</figure>'
            + table("First pass: the values, forward", ["number", "value"], values, "sums")
            + table(
                f"Second pass: the derivatives of {f}, backward", ["derivative", "chain rule", "value"], chains, "sums"
            )
        )

    _repr_html_ = html


def walk(
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
    """Walks the chain rule from the scalar y back to xs and keeps every number on the way.

    Args:
      y: scalar tensor, eager or of a session's graph.
      xs: scalar tensor or variable, or a list.
      tape: the GradientTape that heard y being computed, for eager tensors. It answers as for `gradient`.
      session, feed_dict: what computes a graph's tensors. The walk adds the gradient's nodes to the graph.
      names: what to call xs; by default their names in the graph, or x1, x2, ...
      function: what to call y.
      rules: {op class: rule} as in `GradientTape.gradient`.
    Returns:
      A Walk. What runs inside a `tf.function` is one step.
    Raises:
      ShapeError: a number on the way is no scalar.
      ArgumentError: y depends on none of xs; or neither tape nor session is given, or both.
    """
    xs = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    y = interpreter.as_tensor(y)
    heard = _Heard()
    if isinstance(y, EagerTensor) and tape is not None and session is None and feed_dict is None:
        tape.gradient(y, xs, rules=rules, on_step=heard)
        surroundings, fetch = interpreter.entered(interpreter.eager()), _values
    elif not isinstance(y, EagerTensor) and session is not None and tape is None:
        gradients(y, xs, name="walk", rules=rules, on_step=heard)
        surroundings = y.graph.as_default()
        fetch = lambda tensors: session.run(tensors, feed_dict)  # noqa: E731
    else:
        raise ArgumentError(
            "walk: give the tape that heard an eager y, or the session that computes a graph's y"
        ).locate()
    if not heard.steps and all(handle_of(x) is not y for x in xs):
        raise ArgumentError(
            f"walk: {function} depends on none of {len(xs)} xs, so there is nothing to walk back to"
        ).locate()
    with interpreter.paused_tapes() if isinstance(y, EagerTensor) else contextlib.nullcontext(), surroundings:
        return _Numbering(y, xs, heard.of(y), names, function).walked(fetch, rules)


@dataclass(frozen=True, slots=True)
class _Step:
    node: Node
    dys: Sequence[Any]
    dxs: Sequence[Any]


class _Heard:
    """What backprop told, last node first."""

    def __init__(self) -> None:
        self.steps: list[_Step] = []

    def __call__(self, node: Node, dys: Sequence[Any], dxs: Sequence[Any]) -> None:
        self.steps.append(_Step(node, list(dys), list(dxs)))

    def of(self, y: Tensor) -> list[_Step]:
        """Forward, without the steps inside bodies: their numbers belong to another graph."""
        where = None if isinstance(y, EagerTensor) else y.graph
        inside = [s for s in self.steps if getattr(s.node, "graph", None) is where]
        return inside[::-1]


def _values(tensors: list[Any]) -> list[Any]:
    return [np.asarray(interpreter.as_tensor(t)) for t in tensors]


class _Numbering:
    """n1, n2, ...: sources, then the other ends of the graph, then results in the order they were computed."""

    def __init__(self, y: Tensor, xs: list[Any], steps: list[_Step], names: Any, function: str) -> None:
        if names is not None and len(names) != len(xs):
            raise ArgumentError(f"walk: {len(names)} names for {len(xs)} xs; give one each").locate()
        self.y, self.steps, self.function = y, steps, function
        self.sources = {id(handle_of(x)): x for x in xs}
        self.names = {id(handle_of(x)): n for x, n in zip(xs, names or _names(xs), strict=True)}
        results = [(r, s) for s in steps for r, dy in zip(s.node.results, s.dys, strict=True) if dy is not None]
        made = {id(r) for r, _ in results}
        ends = {
            id(x): x for x in (*map(handle_of, xs), *(x for s in steps for x in s.node.inputs)) if id(x) not in made
        }
        self.tensors: list[Any] = [*ends.values(), *(r for r, _ in results)]
        self.maker = {id(r): s for r, s in results}
        self.index = {id(t): i for i, t in enumerate(self.tensors, 1)}
        for t in self.tensors:
            if t.spec.held.shape != () and t.spec.held.dtype.is_floating:
                raise ShapeError(
                    f"walk: {self.function}'s graph holds a tensor of shape {text(t.spec.held.shape)} ({t!r}); "
                    "every number on the way must be a scalar, so walk from one entry, y[i], or take scalars as the xs"
                ).locate()

    def walked(self, fetch: Any, rules: Any) -> Walk:
        """Computes all that is still a promise, at once, and writes it down."""
        shown = [self.sources.get(id(t), t) if t.spec.dtype is dtypes.resource else t for t in self.tensors]
        terms = [(t, via, self._term(t, via, rules)) for t in self.tensors for via in self._readers(t)]
        wanted: list[Any] = [*shown]
        for _, via, (partials, share) in terms:
            wanted += [self._cotangent(via), *partials, share]
        found = iter(float(np.ravel(v)[0]) for v in fetch(wanted))
        values = [next(found) for _ in shown]
        kept: dict[int, list[Term]] = {}
        for t, via, (partials, _) in terms:
            next(found)
            each = tuple(next(found) for _ in partials)
            kept.setdefault(id(t), []).append(Term(self.index[id(via)], each, next(found)))
        numbers = tuple(self._number(t, v, kept) for t, v in zip(self.tensors, values, strict=True))
        return Walk(self.function, numbers, numbers[self.index[id(self.y)] - 1])

    def _number(self, t: Any, value: float, kept: dict[int, list[Term]]) -> Number:
        terms = tuple(kept.get(id(t), ()))
        step = self.maker.get(id(t))
        total = sum(term.share for term in terms) if terms else 1.0 if t is self.y else None
        inputs = () if step is None else tuple(self.index[id(x)] for x in step.node.inputs)
        op = "" if step is None else step.node.type
        return Number(self.index[id(t)], self.names.get(id(t), ""), op, inputs, value, total, terms)

    def _readers(self, t: Any) -> list[Any]:
        """The results that t was read for and that pull something back to it."""
        found = []
        for step in self.steps:
            if any(x is t and isinstance(dx, Tensor) for x, dx in zip(step.node.inputs, step.dxs, strict=True)):
                found += [r for r, dy in zip(step.node.results, step.dys, strict=True) if dy is not None]
        return found

    def _cotangent(self, result: Any) -> Any:
        step = self.maker[id(result)]
        return next(dy for r, dy in zip(step.node.results, step.dys, strict=True) if r is result)

    def _term(self, t: Any, via: Any, rules: Any) -> tuple[list[Any], Any]:
        """(partial derivative on each edge from t to via, what came over these edges)."""
        step = self.maker[id(via)]
        alone = sum(dy is not None for dy in step.dys) == 1
        partials = _edges(t, step.node, _pulled(step, via, OnesLike()(via), rules))
        shares = _edges(t, step.node, step.dxs if alone else _pulled(step, via, self._cotangent(via), rules))
        total = shares[0]
        for more in shares[1:]:
            total = total + more
        return partials, total


def _pulled(step: _Step, via: Any, dy: Any, rules: Any) -> Sequence[Any]:
    """The rule's answers when a cotangent arrives at one result only."""
    return answers(step.node, [dy if r is via else None for r in step.node.results], rules)


def _edges(t: Any, node: Node, dxs: Sequence[Any]) -> list[Any]:
    found = [dense(dx) for x, dx in zip(node.inputs, dxs, strict=True) if x is t and isinstance(dx, Tensor)]
    return found or [interpreter.as_tensor(np.zeros((), t.spec.held.dtype.numpy))]


def _names(xs: list[Any]) -> list[str]:
    plain = [f"x{i}" for i in range(1, len(xs) + 1)] if len(xs) > 1 else ["x"]
    return [p if isinstance(x, EagerTensor) else x.name.removesuffix(":0") for x, p in zip(xs, plain, strict=True)]


def _bracketed(value: float, inside: bool = True) -> str:
    """A number inside a sum or product: a negative one in brackets."""
    return f"({number(value)})" if value < 0 and inside else number(value)
