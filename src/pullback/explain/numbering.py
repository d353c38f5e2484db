"""n1, n2, ...: sources first, then the other ends of the graph, then results in the order they were computed.

Takes the steps that backprop told, decides which tensors are shown, what must be computed for them, and writes the
answers down as a Walk.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.backprop import Rule, accumulate, backprop, dense, fitted
from pullback.core.basics import OnesLike
from pullback.core.errors import ArgumentError
from pullback.core.op import NotDifferentiable
from pullback.core.tensor import EagerTensor, Node, Tensor
from pullback.explain.formulas import Expressions, rule_in_words
from pullback.explain.held import MOST_NUMBERS, Held
from pullback.explain.walk import Number, Term, Walk
from pullback.modes.gradients import handle_of
from pullback.ops.math.elementwise import Elementwise
from pullback.ops.state import ReadVariableOp

# Graphs with more numbers are shown without local derivatives of tensors; more than MOST are refused.
MOST_LOCAL, MOST = 400, 10_000

Fetch = Callable[[list[Any]], list[Held]]


class _Path:
    """One term before it is computed: from result `via` of a step back to a tensor, by one or more edges."""

    __slots__ = ("edges", "partials", "share", "step", "via")

    def __init__(self, step: Any, via: int, edges: list[int]) -> None:
        self.step, self.via, self.edges = step, via, edges
        self.partials: list[Any] = []
        self.share: Any = None


class Numbering:
    """The numbers of one walk.

    y: the result; xs: the sources; steps: what backprop told, forward; names: what to call xs.
    """

    def __init__(
        self, y: Tensor, xs: list[Any], steps: list[Any], names: Any, function: str, rules: dict[type, Rule] | None
    ) -> None:
        if names is not None and len(names) != len(xs):
            raise ArgumentError(f"explain: {len(names)} names for {len(xs)} xs; give one each").locate()
        self.y, self.steps, self.function, self.rules = y, steps, function, rules
        handles = [handle_of(x) for x in xs]
        self.names = {id(h): n for h, n in zip(handles, names or _names(xs), strict=True)}
        made = {
            id(r): (s, i)
            for s in steps
            for i, (r, dy) in enumerate(zip(s.node.results, s.dys, strict=False))  # a call gains residuals meanwhile
            if dy is not None
        }
        ends = {id(x): x for x in (*handles, *(x for s in steps for x in s.node.inputs)) if id(x) not in made}
        self.tensors: list[Any] = [*ends.values(), *(s.node.results[i] for s, i in made.values())]
        if len(self.tensors) > MOST:
            raise ArgumentError(
                f"explain: {len(self.tensors):,} numbers lie between {function} and its xs, more than the {MOST:,} "
                "that can be shown; walk a part of it, from y to a tensor on the way"
            ).locate()
        self.maker = made
        self.index = {id(t): i for i, t in enumerate(self.tensors, 1)}
        self.paths = self._paths()
        self._expressions: dict[Any, Expressions] = {}

    def _paths(self) -> dict[int, list[_Path]]:
        """For each tensor what pulls something back to it, in the order of the results."""
        found: dict[int, list[_Path]] = {}
        for step in self.steps:
            edges: dict[int, list[int]] = {}
            for i, (x, dx) in enumerate(zip(step.node.inputs, step.dxs, strict=True)):
                if dx is not None and not isinstance(dx, NotDifferentiable):
                    edges.setdefault(id(x), []).append(i)
            for via, dy in enumerate(step.dys):
                if dy is not None:
                    for x, positions in edges.items():
                        found.setdefault(x, []).append(_Path(step, via, positions))
        return found

    # --- what must be computed -------------------------------------------------------------------------------------

    def walked(self, fetch: Fetch) -> Walk:
        """Computes all that is still a promise, at once, and writes it down."""
        reads = {id(s.node.inputs[0]): s.node.results[0] for s in self.steps if s.node.type == "ReadVariableOp"}
        shown = [_read(t, reads) if t.spec.dtype is dtypes.resource else t for t in self.tensors]
        for paths in self.paths.values():
            for path in paths:
                self._ask(path)
        adjoints = [self._adjoint(t) for t in self.tensors]
        wanted = [*shown, *(a for a in adjoints if a is not None)]
        wanted += [w for t in self.tensors for path in self.paths.get(id(t), ()) for w in (*path.partials, path.share)]
        found = iter(fetch(wanted))
        values = [next(found) for _ in shown]
        derivatives = [None if a is None else next(found) for a in adjoints]
        numbers = tuple(
            self._number(t, value, derivative, [self._term(t, path, found) for path in self.paths.get(id(t), ())])
            for t, value, derivative in zip(self.tensors, values, derivatives, strict=True)
        )
        return Walk(self.function, numbers, numbers[self.index[id(self.y)] - 1])

    def _ask(self, path: _Path) -> None:
        """What the path brings, and the local derivatives on its edges where they are arrays of the tensor's shape."""
        step, node = path.step, path.step.node
        alone = sum(dy is not None for dy in step.dys) == 1
        dxs = step.dxs if alone else self._pulled(path, step.dys[path.via])
        path.share = _total([self._fitted(dxs[i], node, i) for i in path.edges], node.inputs[path.edges[0]])
        if self._is_local(path):
            ones = self._pulled(path, OnesLike()(node.results[path.via]))
            path.partials = [self._fitted(ones[i], node, i) for i in path.edges]

    def _is_local(self, path: _Path) -> bool:
        """A scalar by a scalar; few entries by as many of an elementwise op."""
        x, y = path.step.node.inputs[path.edges[0]].spec.held, path.step.node.results[path.via].spec
        if x.shape == () and y.shape == ():
            return True
        small = x.known and y.known and int(np.prod(y.shape)) <= MOST_NUMBERS  # type: ignore[arg-type]
        return (
            bool(small)
            and len(self.tensors) <= MOST_LOCAL
            and isinstance(path.step.node.op, Elementwise)
            and x.shape == y.shape
        )

    def _pulled(self, path: _Path, dy: Any) -> Sequence[Any]:
        """The rule's answers when a cotangent arrives at one result only: the chain rule over this one node."""
        asked, heard = path.step.node, list[Any]()

        def told(node: Node, dys: Any, dxs: Any) -> None:
            if node is asked:  # not what runs inside its bodies
                heard.extend(dxs)

        backprop([asked.results[path.via]], asked.inputs, [dy], [asked], rules=self.rules, on_step=told)
        return heard

    def _fitted(self, dx: Any, node: Node, i: int) -> Any:
        x = node.inputs[i]
        found = dense(fitted(dx, to=x, by=node))
        return (
            interpreter.as_tensor(np.zeros(x.spec.held.shape or (), x.spec.held.dtype.numpy))
            if found is None
            else found
        )

    def _adjoint(self, t: Any) -> Any:
        """The derivative by a tensor: what arrived where it was made, or the sum of what the paths bring."""
        if id(t) in self.maker:
            step, i = self.maker[id(t)]
            return dense(step.dys[i])
        if t is self.y:
            return OnesLike()(t)
        return accumulate([path.share for path in self.paths.get(id(t), ())])

    # --- writing it down -------------------------------------------------------------------------------------------

    def _term(self, t: Any, path: _Path, found: Any) -> Term:
        node = path.step.node
        inputs = [f"n{self.index[id(x)]}" for x in node.inputs]
        results = [
            f"n{self.index[id(r)]}" if id(r) in self.index else f"{node.type}:{i}" for i, r in enumerate(node.results)
        ]
        via = self.index[id(node.results[path.via])]
        written = self._expression(node, path.via)
        partials = tuple(next(found) for _ in path.partials)
        local = " + ".join(_spoken(written, path.edges, inputs, results, "1")) if partials else ""
        pull = " + ".join(_spoken(written, path.edges, inputs, results, f"d{self.function}/dn{via}"))
        return Term(via, local, partials, pull, next(found))

    def _expression(self, node: Node, via: int) -> Expressions:
        specs = tuple(x.spec for x in (*node.inputs, *node.results))
        key = (node.op, via, specs) if node.mark is None else id(node)
        if key not in self._expressions:
            self._expressions[key] = Expressions(node, via, self.rules)
        return self._expressions[key]

    def _number(self, t: Any, value: Held, adjoint: Held | None, terms: list[Term]) -> Number:
        step, _ = self.maker.get(id(t), (None, 0))
        node = step.node if step is not None else None if isinstance(t, EagerTensor) else t.node
        inputs = () if step is None else tuple(self.index[id(x)] for x in step.node.inputs)
        where, line = _source(node)
        name = self.names.get(id(t)) or _own_name(t, node, step)
        rule = "" if step is None else rule_in_words(step.node, self.rules)
        op = "" if step is None else step.node.type
        return Number(
            self.index[id(t)], name, op, inputs, value, adjoint, tuple(terms), _scope(node, step), where, line, rule
        )


def _read(handle: Any, reads: dict[int, Any]) -> Any:
    """A variable's value, as the function read it; where it did not, as it is."""
    return reads[id(handle)] if id(handle) in reads else ReadVariableOp()(handle)


def _spoken(written: Expressions, edges: list[int], inputs: list[str], results: list[str], dy: str) -> list[str]:
    said = [written.words(i, inputs, results, dy) for i in edges]
    return said if all(said) else []


def _total(parts: list[Any], like: Any) -> Any:
    total = parts[0]
    for more in parts[1:]:
        total = total + more
    return total


def _names(xs: list[Any]) -> list[str]:
    plain = [f"x{i}" for i in range(1, len(xs) + 1)] if len(xs) > 1 else ["x"]
    return [p if isinstance(x, EagerTensor) else x.name.removesuffix(":0") for x, p in zip(xs, plain, strict=True)]


def _own_name(t: Any, node: Any, step: Any) -> str:
    """A graph's tensor bears its name; of constants only those that a user named."""
    if isinstance(t, EagerTensor) or not getattr(node, "name", ""):
        return ""
    if step is None and node.type == "Const":
        return "" if node.name.rpartition("/")[2].partition("_")[0] in ("Const", "y", "x") else node.name
    return node.name if t.index == 0 else t.name


def _scope(node: Any, step: Any) -> tuple[str, ...]:
    """The name scopes a node lies under; of a tape's node the function that its line is in."""
    if node is None:
        return ()
    if node.name:
        return tuple(node.name.split("/")[:-1])
    source = getattr(node, "source", None)
    return () if step is None or source is None or source[0].co_name.startswith("<") else (source[0].co_name,)


def _source(node: Any) -> tuple[str, str]:
    """The user's line: where, and its text."""
    source = getattr(node, "source", None)
    if source is None:
        return "", ""
    code, line = source
    return node.where, linecache.getline(code.co_filename, line).strip()
