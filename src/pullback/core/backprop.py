"""The chain rule, once.

    xs --> nodes --> ys          forward: what was computed, in order
    dxs <-- rules <-- dys        backward: each node's rule, last node first

Where paths meet, contributions add. A session's graph, a function's body and a tape differ only in where the nodes
come from.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import AddN, Shape_, SumTo, ZerosLike, shape_of
from pullback.core.dialect import floating
from pullback.core.dtypes import DType
from pullback.core.errors import GradientError, GradientLookupError
from pullback.core.op import NoGradientYet, NoRule, NotDifferentiable
from pullback.core.slices import IndexedSlices
from pullback.core.spec import Spec
from pullback.core.tensor import Node, Tensor

Rule = Callable[..., Any]


class Sweep:
    """What one call of backprop was asked; rules of ops that hold bodies read it to carry it inside.

    node: the one whose rule runs now.
    """

    __slots__ = ("carries", "node", "on_step", "reached", "rules")

    def __init__(self, rules: Any, on_step: Any, carries: Callable[[DType], bool], reached: set[int]) -> None:
        self.rules: dict[type, Rule] = rules or {}
        self.on_step, self.carries, self.reached = on_step, carries, reached
        self.node: Node | None = None


class _Sweeps(threading.local):
    def __init__(self) -> None:
        self.stack = [Sweep(None, None, floating, set())]


_sweeps = _Sweeps()


def current_sweep() -> Sweep:
    """The innermost sweep in progress in this thread."""
    return _sweeps.stack[-1]


def backprop(
    ys: Sequence[Tensor],
    xs: Sequence[Tensor],
    seeds: Sequence[Any],
    nodes: Iterable[Node],
    *,
    rules: dict[type, Rule] | None = None,
    on_step: Callable[[Node, Any, Any], None] | None = None,
    carries: Callable[[DType], bool] = floating,
) -> list[Any]:
    """Cotangents of xs, given cotangents of ys.

    Args:
      ys, xs: Tensors.
      seeds: for each y its cotangent, of y's shape and dtype; None is zero.
      nodes: what ran between xs and ys, in order; may hold more.
      rules: {op class: rule} for this call; otherwise the node's mark, otherwise `op.grad`.
      on_step: called as `on_step(node, dys, dxs)` after each rule.
      carries: which dtypes a cotangent passes through.
    Returns:
      For each x its cotangent (a Tensor or IndexedSlices); None where no y depends on it.
    Raises:
      GradientError: a rule's answer does not fit its input. Names rule, node and source line.
      GradientLookupError: a node on the way has no rule.
    """
    cotangents = Cotangents(ys, seeds, keep=xs)
    path, reached = between(xs, nodes, carries)
    sweep = Sweep(rules, on_step, carries, reached)
    _sweeps.stack.append(sweep)
    try:
        for node in reversed(path):
            dys = cotangents.take(node.results)
            if dys is None:
                continue
            sweep.node = node
            if node.name:
                with scope_of(node):
                    dxs = pulled(node, dys, rules, reached, cotangents)
            else:
                dxs = pulled(node, dys, rules, reached, cotangents)
            if on_step is not None:
                on_step(node, dys, dxs)
    finally:
        _sweeps.stack.pop()
    return [cotangents.of(x) for x in xs]


def pulled(
    node: Node, dys: list[Any], rules: dict[type, Rule] | None, reached: set[int], cotangents: Cotangents
) -> Sequence[Any]:
    """What the node's rule says, which is added to the cotangents of the inputs that are reached."""
    dxs = answers(node, dys, rules)
    for x, dx in zip(node.inputs, dxs, strict=True):
        if dx is not None and id(x) in reached:
            cotangents.add(x, fitted(dx, x, node))
    return dxs


def asked(node: Node) -> tuple[bool, ...]:
    """For each input of the node whose rule runs, whether its cotangent is used: a rule need not compute the others. In
    graphs, which show whole rules and prune them later, and for whoever watches the steps, all are."""
    sweep = current_sweep()
    if sweep.node is not node or node.name or sweep.on_step is not None:
        return (True,) * len(node.inputs)
    return tuple([id(x) in sweep.reached for x in node.inputs])


def between(
    xs: Sequence[Tensor], nodes: Iterable[Node], carries: Callable[[DType], bool]
) -> tuple[list[Node], set[int]]:
    """The nodes that depend on xs through tensors a cotangent passes, and the ids of those tensors."""
    reached = {id(x) for x in xs}
    path: list[Node] = []
    carried: dict[Spec, bool] = {}
    for node in nodes:
        for x in node.inputs:
            if id(x) in reached:
                path.append(node)
                for y in node.results:
                    passed = carried.get(y.spec)
                    if passed is None:
                        passed = carried[y.spec] = passes(y.spec, carries)
                    if passed:
                        reached.add(id(y))
                break
    return path, reached


def passes(spec: Spec, carries: Callable[[DType], bool]) -> bool:
    """Whether a cotangent passes through a tensor: by its dtype; a handle by what it holds; a list always."""
    held = spec.held
    return carries(held.dtype) or held.dtype is dtypes.variant


def answers(node: Node, dys: list[Any], rules: dict[type, Rule] | None) -> Sequence[Any]:
    """What the node's rule says: one answer an input."""
    rule = rules.get(type(node.op)) if rules else None
    if rule is None and node.mark is None:
        rule, given = node.op.grad, dys if node.op.takes_slices else list(map(dense, dys))
    else:
        rule = rule or node.mark.rule()
        visible = node.op.visible(len(dys))
        given = [
            ZerosLike()(y) if dy is None else dense(dy) for y, dy in zip(node.results[:visible], dys, strict=False)
        ]
    try:
        dxs = rule(node, *given)
    except NoRule:
        raise GradientLookupError(
            f"{node.type} has no gradient; operation {node.name!r} made at {node.where}"
        ) from None
    if isinstance(dxs, list):
        dxs = tuple(dxs)
    elif not isinstance(dxs, tuple):
        dxs = (dxs,)
    if len(dxs) != len(node.inputs):
        raise GradientError(
            f"the gradient rule of {node.type} {node.name!r} gave {len(dxs)} answers for {len(node.inputs)} inputs"
        ).locate(node.where)
    return dxs


def scope_of(node: Node) -> contextlib.AbstractContextManager[Any]:
    """Gradient nodes are named after the node they are of."""
    here = interpreter.current()
    return here.name_scope(f"{node.name}_grad") if hasattr(here, "nodes") else contextlib.nullcontext()


def fitted(dx: Any, to: Tensor, by: Node) -> Any:
    """The answer as a cotangent of its input: of its shape, broadcast axes summed; None where there is none.

    Raises:
      GradientLookupError: the rule says NoGradientYet.
      GradientError: the answer has another shape or dtype.
    """
    if isinstance(dx, Tensor) and dx.spec is to.spec and dx.spec.known:
        return dx
    if dx is None or isinstance(dx, NotDifferentiable):
        if isinstance(dx, NoGradientYet):
            raise GradientLookupError(f"{by.type}: {dx.why}").locate(by.where)
        return None
    if isinstance(dx, IndexedSlices):
        return dx
    want = to.spec.held
    if not isinstance(dx, Tensor):
        dx = interpreter.as_tensor(dx, want.dtype)
    have = dx.spec
    if have.dtype is not want.dtype and want.dtype is not dtypes.variant:
        raise _misfit(by, to, f"type {have.dtype.name}", want.dtype.name)
    if have.shape == want.shape and want.known:
        return dx
    if by.op.broadcasts:
        if spans(to, by):
            if not shape.compatible(have.shape, want.shape):
                raise _misfit(by, to, f"shape {shape.text(have.shape)}", shape.text(want.shape))
            return dx
        return SumTo()(dx, shape_of(to) if to.spec is want else want.shape or Shape_()(to))
    if want.dtype is not dtypes.variant and not shape.compatible(have.shape, want.shape):
        raise _misfit(by, to, f"shape {shape.text(have.shape)}", shape.text(want.shape))
    return dx


def spans(x: Tensor, node: Node) -> bool:
    """Whether an input surely has the output's shape, though not all of it is known: no other input is larger."""
    mine = x.spec.held.shape
    if mine is None:
        return all(other is x for other in node.inputs)
    for other in node.inputs:
        theirs = other.spec.shape
        if other is x:
            continue
        if theirs is None or len(theirs) > len(mine):
            return False
        for m, n in zip(reversed(mine), reversed(theirs), strict=False):
            if n != 1 and (n is None or n != m):
                return False
    return True


def _misfit(by: Node, to: Tensor, given: str, needed: str) -> GradientError:
    message = f"the gradient rule of {by.type} {by.name!r} gave {given} for an input of {needed} ({to!r})"
    error = GradientError(message)
    error.locate(by.where or None)
    return error


def dense(dy: Any) -> Any:
    """IndexedSlices as the tensor they stand for."""
    return interpreter.as_tensor(dy) if isinstance(dy, IndexedSlices) else dy


class Cotangents:
    """What has arrived at each tensor so far. Contributions are added when they are asked for, not one by one."""

    def __init__(self, ys: Sequence[Tensor], seeds: Sequence[Any], keep: Sequence[Tensor]) -> None:
        self._arrived: dict[int, list[Any]] = {}
        self._kept = {id(x) for x in keep}
        for y, seed in zip(ys, seeds, strict=True):
            self.add(y, seed)

    def add(self, x: Tensor, dx: Any) -> None:
        if dx is not None:
            self._arrived.setdefault(id(x), []).append(dx)

    def take(self, tensors: Iterable[Tensor]) -> list[Any] | None:
        """The cotangents of a node's results, None if there are none; they are dropped, unless they are asked for."""
        arrived, dys, found = self._arrived, [], False
        for t in tensors:
            key = id(t)
            if key in arrived:
                found = True
                dys.append(self.of(t) if key in self._kept else accumulate(arrived.pop(key)))
            else:
                dys.append(None)
        return dys if found else None

    def of(self, x: Tensor) -> Any:
        """The cotangent of x, None when nothing arrived."""
        total = accumulate(self._arrived.get(id(x), ()))
        if total is not None:
            self._arrived[id(x)] = [total]
        return total


# Set by ops/array: one IndexedSlices of several.
concatenate_slices: list[Callable[[Sequence[IndexedSlices]], IndexedSlices]] = []


def accumulate(contributions: Sequence[Any]) -> Any:
    """The sum of contributions; None of none. All sparse stay sparse."""
    if not contributions:
        return None
    if len(contributions) == 1:
        return contributions[0]
    if all(isinstance(c, IndexedSlices) for c in contributions):
        return concatenate_slices[0](contributions)
    return AddN()(*map(dense, contributions))
