"""A node's rule in words: what it answers, as an expression of its inputs, its result and the cotangent.

    MatMul       a: d @ b.T        b: a.T @ d
    Tanh         x: d*(1 - y*y)

Nothing here knows a derivative. The rule that backprop uses is run once on parameters of a graph, and the operations
it made are written as an expression.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.backprop import Rule, answers, dense
from pullback.core.basics import Const
from pullback.core.errors import OpError
from pullback.core.graph import Graph
from pullback.core.op import NotDifferentiable
from pullback.core.tensor import EagerTensor, Node, Tensor
from pullback.explain.markup import number

SIGNS = {
    "AddV2": "+", "Add": "+", "AddN": "+", "Sub": "-", "Mul": "*", "RealDiv": "/", "Div": "/", "DivNoNan": "/",
    "Pow": "**", "MatMul": "@", "BatchMatMulV2": "@", "Greater": ">", "GreaterEqual": ">=", "Less": "<",
    "LessEqual": "<=", "Equal": "==", "FloorDiv": "//", "FloorMod": "%",
}  # fmt: skip
# What TensorFlow's gradient ops compute, as a product; {0} and {1} are their inputs.
_GRADS = {
    "TanhGrad": ("{1}", "(1 - {0}*{0})"),
    "SigmoidGrad": ("{1}", "{0}", "(1 - {0})"),
    "ReluGrad": ("{0}", "({1} > 0)"),
    "SqrtGrad": ("{1}", "0.5/{0}"),
    "SoftplusGrad": ("{0}", "Sigmoid({1})"),
}
_TIGHTNESS = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "//": 2, "%": 2, "**": 3}
LONGEST = 160


def rule_in_words(node: Node, rules: Mapping[type, Rule] | None) -> str:
    """Whose rule backprop asks: the op's own, the call's, or one bound when the node was made."""
    if rules and type(node.op) in rules:
        return f"replaced by {_named(rules[type(node.op)])}"
    if node.mark is not None:
        return f"bound by gradient_override_map: {getattr(node.mark, 'name', 'a rule')}"
    return f"{node.type}'s own, {_defined(type(node.op))}"


def _named(rule: Any) -> str:
    return getattr(rule, "__qualname__", repr(rule))


def _defined(cls: Any) -> str:
    """Where an op's derivatives are written: "ops/linalg/matmul.py:74"."""
    derivatives = [d for d in getattr(cls, "derivatives", None) or () if d is not None]
    rule = (derivatives or [cls.grad])[0]
    held = inspect.getclosurevars(rule).nonlocals
    code = inspect.unwrap(held.get("grad", rule)).__code__  # of a row of the table, what the row says
    return f"{code.co_filename.replace(os.sep, '/').rpartition('pullback/')[2]}:{code.co_firstlineno}"


class Expressions:
    """What a node's rule answers for each input, when a cotangent comes to one of its results."""

    def __init__(self, node: Node, via: int, rules: Any) -> None:
        """via: which result. Where the rule cannot be written out (a loop's, a user's own) there are no expressions."""
        self.inputs: list[Tensor] = []
        self.results: list[Tensor] = []
        self.dxs: Sequence[Any] = ()
        if node.mark is None and not any(isinstance(f, Graph) for f in vars(node.op).values()):
            try:
                self._run(node, via, rules)
            except (OpError, AttributeError, TypeError, ValueError):
                self.dxs = ()

    def _run(self, node: Node, via: int, rules: Any) -> None:
        graph = Graph(name="rule")
        with graph.as_default():
            specs = [_spec(x, i in node.op.static) for i, x in enumerate(node.inputs)]
            self.inputs = [graph.parameter(spec) for spec in specs]
            self.results = [graph.parameter(y.spec) for y in node.results]
            self.dy = graph.parameter(node.results[via].spec)
            asked = Node(node.op, tuple(self.inputs), tuple(self.results))
            dys = [self.dy if i == via else None for i in range(len(self.results))]
            self.dxs = [dense(dx) if isinstance(dx, Tensor) else None for dx in answers(asked, dys, rules)]

    def words(self, i: int, inputs: Sequence[str], results: Sequence[str], dy: str) -> str:
        """The answer for input i, with these words for the parameters; "" where there is none to write."""
        if i >= len(self.dxs) or self.dxs[i] is None or isinstance(self.dxs[i], NotDifferentiable):
            return ""
        known = {id(t): word for t, word in zip([*self.inputs, *self.results], [*inputs, *results], strict=True)}
        known[id(self.dy)] = dy
        said, _ = _written(self.dxs[i], known, 0)
        have, want = self.dxs[i].spec.shape, self.inputs[i].spec.held.shape
        if have is not None and want is not None and len(have) >= len(want) and have != want:
            said = f"sum({said})"  # over the axes that were broadcast
        return said if len(said) <= LONGEST else ""


def _spec(x: Tensor, static: bool) -> Any:
    if static and isinstance(x, EagerTensor):
        return x.spec.with_value(interpreter.static_value(x))
    return x.spec


def _written(t: Any, known: Mapping[int, str], depth: int) -> tuple[str, int]:
    """An expression and how tightly it holds together."""
    if id(t) in known:
        return known[id(t)], 9
    node = t.node
    if depth > 12:
        return "...", 9
    if isinstance(node.op, Const):
        value = np.asarray(node.op.value)
        return (number(float(value)) if value.ndim == 0 and value.dtype.kind in "iuf" else str(value.tolist())), 9
    inputs = list(node.inputs)
    if node.type == "BroadcastTo" and id(inputs[0]) not in known and inputs[0].node.type == "Reshape":
        inputs[0] = inputs[0].node.inputs[0]  # an axis of size 1 put in, only to be spread
    parts = [_written(x, known, depth + 1) for x in inputs]
    return _of(node.op, [p for p, _ in parts], [tight for _, tight in parts])


def _of(op: Any, parts: list[str], tight: list[int]) -> tuple[str, int]:
    """An op's own expression of those of its inputs."""
    sign = SIGNS.get(op.type)
    if sign in ("*", "@") and "1" in parts and len(parts) == 2:  # times one: nothing to say
        i = 1 - parts.index("1")
        if sign == "*":
            return parts[i], tight[i]
    if op.type in _GRADS:
        factors = [f.format(*map(_bracketed, parts, tight)) for f in _GRADS[op.type]]
        return "*".join(f for f in factors if f != "1") or "1", 2
    if op.type == "Neg":
        return f"-{_inside(parts[0], tight[0], 2)}", 2
    if op.type in ("Identity", "OnesLike", "ReadVariableOp") and len(parts) == 1:
        return ("1", 9) if op.type == "OnesLike" else (parts[0], tight[0])
    if sign == "@":
        parts = [
            f"{_inside(p, t, 9)}.T" if flip else _inside(p, t, 3)
            for p, t, flip in zip(parts, tight, _flips(op), strict=True)
        ]
        return " @ ".join(parts), 2
    if sign and len(parts) > 1:
        strength = _TIGHTNESS.get(sign, 0)
        left = _inside(parts[0], tight[0], strength)
        rest = [
            _inside(p, t, strength + (sign != "+" and sign != "*")) for p, t in zip(parts[1:], tight[1:], strict=True)
        ]
        return (f" {sign} " if strength < 2 else sign).join([left, *rest]), strength
    if op.type == "Square":
        return f"{_inside(parts[0], tight[0], 9)}**2", 3
    return f"{op.type}({', '.join(parts)})", 9


def _flips(op: Any) -> tuple[bool, bool]:
    if op.type == "MatMul":
        return op.transpose_a, op.transpose_b
    return op.adj_x, op.adj_y


def _bracketed(said: str, tight: int) -> str:
    return _inside(said, tight, 9)


def _inside(said: str, tight: int, needed: int) -> str:
    return said if tight >= needed and not (said.startswith("-") and needed > 1) else f"({said})"
