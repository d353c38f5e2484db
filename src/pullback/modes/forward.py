"""ForwardAccumulator: derivatives along a direction, computed beside the values.

Forward mode is not a second set of rules. A node's rule answers u -> J^T u, which is linear in u; its own gradient by u
is J:

    u = 0  --rule-->  J^T u  --backprop by u, from the tangents of the inputs-->  J x'

So whatever has a gradient has a tangent, of every order. An op with a method `jvp(node, *tangents)`, which gives the
tangents of its results from those of its inputs (None: zero), is asked first.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.backprop import backprop, dense, passes
from pullback.core.errors import DTypeError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import compatible, text
from pullback.core.tensor import Node, Operation, Tensor
from pullback.modes.gradients import UnconnectedGradients, handle_of, zeros_for
from pullback.ops.control import bodies


@public("autodiff.ForwardAccumulator", v1=None)
class ForwardAccumulator:
    """Computes, beside what runs in its context, the derivatives along a direction: Jacobian-vector products.

        with ForwardAccumulator(x, v) as acc:
            y = f(x)
        acc.jvp(y)              # df/dx . v, of y's shape

    Args:
      primals: tensor or variable, or a nest of them.
      tangents: the direction, in the structure, shapes and types of primals.

    Accumulators nest, and take gradients and are differentiated: an accumulator around a tape gives Hessian-vector
    products. A tape or accumulator opened inside does not see this one's work; one opened around it does.
    Cost: of each op its value and twice its gradient; memory does not grow with the length of the program.

    Raises:
      ValueError: primals and tangents differ in structure, or a primal is given twice. DTypeError, ShapeError: a
      tangent does not fit its primal, or a primal is not floating.
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        flat, directions = nest.leaves_of(primals), nest.leaves_of(tangents)
        if len(flat) != len(directions):
            raise ValueError(f"ForwardAccumulator: {len(directions)} tangents for {len(flat)} primals; give one each")
        self._tangents: dict[int, Tensor] = {}
        self._alive: dict[int, Any] = {}
        self._followed: dict[int, Node] = {}
        self._late: dict[int, Tensor] = {}
        self._here: Any = None
        self._recording = False
        here = interpreter.current()
        seen: set[int] = set()
        for primal, direction in zip(flat, directions, strict=True):
            x = handle_of(primal)
            if not isinstance(x, Tensor):
                raise TypeError(f"ForwardAccumulator: primal {primal!r} is neither a tensor nor a variable")
            if id(x) in seen:
                raise ValueError(
                    f"ForwardAccumulator: {primal!r} is given as a primal twice; add its tangents up instead"
                )
            seen.add(id(x))
            tangent = _tangent_of(x, direction)
            self._keep(x, tangent)
            if here.adopt(x) is not x:
                self._keep(here.adopt(x), tangent)

    def __enter__(self) -> ForwardAccumulator:
        if self._recording:
            raise ValueError("Accumulator is already recording.")
        self._here = interpreter.current()
        self._here.tapes = (*self._here.tapes, self)
        self._recording = True
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._recording:
            self._here.tapes = tuple(t for t in self._here.tapes if t is not self)
            self._recording = False

    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any:
        """The tangents of what was computed, in the structure of `primals`.

        Args:
          primals: tensor or variable, or a nest of them.
          unconnected_gradients: NONE answers None for what does not hang on the accumulator's primals, ZERO zeros.
        """
        unconnected = UnconnectedGradients(unconnected_gradients)
        return nest.mapped(lambda y: self._answer(y, unconnected), primals)

    def _answer(self, y: Any, unconnected: UnconnectedGradients) -> Any:
        found = self._tangents.get(id(handle_of(y)))
        if found is None and isinstance(y, Tensor):
            found = self._tangents.get(id(interpreter.current().adopt(y)))
        return zeros_for(y) if found is None and unconnected is UnconnectedGradients.ZERO else found

    # --- what the interpreter tells --------------------------------------------------------------------------------

    def watches(self, inputs: tuple[Tensor, ...]) -> bool:
        return any(self._tangent(x) is not None for x in inputs)

    def accessed(self, variable: Any) -> None:
        """Variables are followed when they are primals, not because they are read."""

    def record(self, op: Any, inputs: tuple[Tensor, ...], results: tuple[Tensor, ...], node: Node | None) -> None:
        if self.watches(inputs):
            if node is not None and isinstance(node, Operation):
                self._followed[id(node)] = node
            self._push(node or Node(op, inputs, results), results)

    def _push(self, node: Node, results: tuple[Tensor, ...]) -> None:
        """Keeps the tangents of results of a node."""
        with self._unheard():
            tangents = pushed(node, [self._tangent(x) for x in node.inputs], results)
        for y, tangent in zip(results, tangents, strict=True):
            if tangent is not None:
                self._keep(y, tangent)

    def _tangent(self, x: Tensor) -> Any:
        """The tangent of x, None where there is none. Residuals that a node of a graph gained since it was recorded,
        as a loop does when its gradient is asked for, get theirs when they are first used."""
        found = self._tangents.get(id(x))
        if found is None and self._gained(x):
            self._late[id(x)] = x
            self._push(x.node, (x,))
            found = self._tangents.get(id(x))
        return found

    def _gained(self, x: Tensor) -> bool:
        """Whether x is a residual of a node that was recorded, and its tangent was not asked for yet."""
        if not self._followed or type(x) is not Tensor or id(x.node) not in self._followed or id(x) in self._late:
            return False
        return x.index >= x.node.op.visible(len(x.node.results))

    @contextlib.contextmanager
    def _unheard(self) -> Iterator[None]:
        """Neither this accumulator nor what was opened inside it hears what it computes."""
        here = self._here
        before = here.tapes
        here.tapes = before[: before.index(self)] if self in before else before
        try:
            with interpreter.entered(here):
                yield
        finally:
            here.tapes = before

    def _keep(self, x: Tensor, tangent: Tensor) -> None:
        key = id(x)

        def forget(_: Any) -> None:
            self._tangents.pop(key, None)
            self._alive.pop(key, None)

        self._tangents[key], self._alive[key] = tangent, weakref.ref(x, forget)


def _tangent_of(x: Tensor, direction: Any) -> Tensor:
    held = x.spec.held
    if not held.dtype.is_differentiable:
        raise DTypeError(f"ForwardAccumulator: a primal is {held.dtype.name}, which has no derivatives").locate()
    tangent = interpreter.as_tensor(direction, held.dtype, what="ForwardAccumulator: tangent")
    if not compatible(tangent.spec.shape, held.shape):
        raise ShapeError(
            f"ForwardAccumulator: a tangent of shape {text(tangent.spec.shape)} does not fit a primal of shape "
            f"{text(held.shape)}"
        ).locate()
    return tangent


class _Follows:
    """A tape of what hangs on some tensors."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.nodes: list[Node] = []
        self._reached = {id(t) for t in tensors}

    def watches(self, inputs: tuple[Tensor, ...]) -> bool:
        return any(id(x) in self._reached for x in inputs)

    def record(self, op: Any, inputs: tuple[Tensor, ...], results: tuple[Tensor, ...], node: Node | None) -> None:
        if self.watches(inputs):
            self._reached.update([id(y) for y in results])
            self.nodes.append(node or Node(op, inputs, results))

    def accessed(self, variable: Any) -> None:
        """Variables are none of what it follows."""


def pushed(node: Node, tangents: Sequence[Any], results: tuple[Tensor, ...]) -> list[Any]:
    """The tangents of a node's results, None where there is none, from those of its inputs."""
    own = getattr(node.op, "jvp", None)
    if own is not None and node.mark is None:
        return list(own(node, *tangents))
    here = interpreter.current()
    carries = here.dialect.carries
    given = {id(x): (x, t) for x, t in zip(node.inputs, tangents, strict=True) if t is not None}
    ys = [y for y in results if passes(y.spec, carries)]
    if not ys:
        return [None] * len(results)
    with _apart(here):
        us = [bodies.zeros_of(y) for y in ys]
        follows = _Follows(us)
        before = here.tapes
        here.tapes = (*before, follows)
        try:
            pulled = backprop(ys, [x for x, _ in given.values()], us, [node], carries=carries)
            pairs = [(dense(dx), t) for dx, (_, t) in zip(pulled, given.values(), strict=True) if dx is not None]
        finally:
            here.tapes = before
        made = backprop([dx for dx, _ in pairs], us, [t for _, t in pairs], follows.nodes, carries=carries)
    found = {id(y): None if t is None else dense(t) for y, t in zip(ys, made, strict=True)}
    return [found.get(id(y)) for y in results]


def _apart(here: Any) -> Any:
    """In graphs, tangents wait for nothing and are named apart."""
    return here.name_scope("tangents") if isinstance(here, Graph) else contextlib.nullcontext()
