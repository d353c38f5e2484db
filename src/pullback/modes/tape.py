"""GradientTape: records what runs, and answers with the chain rule over the record."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter, nest
from pullback.core.backprop import Rule, backprop
from pullback.core.basics import OnesLike, Shape_, shape_of
from pullback.core.dtypes import resource
from pullback.core.errors import ArgumentError, DTypeError, ShapeError, TapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.shape import compatible, text
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import Node, Tensor
from pullback.modes.gradients import UnconnectedGradients, handle_of, zeros_for
from pullback.ops.control import bodies
from pullback.transforms.batch import batched
from pullback.transforms.units import Units


@public("GradientTape", "autodiff.GradientTape", v1="GradientTape")
class GradientTape:
    """Records operations for differentiation.

    Args:
      persistent: the tape answers as often as it is asked; otherwise once.
      watch_accessed_variables: trainable variables are watched when they are read.

    A tape hears the interpreter it was opened under. Gradients asked for inside its context are recorded too (of a
    persistent tape), so tapes nest for higher orders.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent, self._automatic = persistent, watch_accessed_variables
        self._nodes: list[Node] | None = []
        self._watched: set[int] = set()
        self._kept: list[Any] = []  # what was watched by hand: an id is only good while its tensor lives
        self._variables: dict[int, Any] = {}
        self._here: Any = None
        self._recording = False

    def __enter__(self) -> GradientTape:
        if self._recording:
            raise ValueError("Tape is already recording.")
        self._start()
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._recording:
            self._stop()

    def _start(self) -> None:
        self._here = interpreter.current()
        self._here.tapes = (*self._here.tapes, self)
        self._recording = True

    def _stop(self) -> None:
        self._here.tapes = tuple(t for t in self._here.tapes if t is not self)
        self._recording = False

    # --- what the interpreter tells --------------------------------------------------------------------------------

    def record(self, op: Any, inputs: tuple[Tensor, ...], results: tuple[Tensor, ...], node: Node | None) -> None:
        watched = self._watched
        for x in inputs:
            if id(x) in watched:
                if self._nodes is not None:
                    self._nodes.append(node or Node(op, inputs, results))
                    watched.update(map(id, results))
                return

    def watches(self, inputs: tuple[Tensor, ...]) -> bool:
        return any(id(x) in self._watched for x in inputs)

    def accessed(self, variable: Any) -> None:
        if self._automatic and variable.trainable and id(variable.handle) not in self._watched:
            self._watch_variable(variable)

    def _watch_variable(self, variable: Any) -> None:
        # In a body, the parameter that captures the handle.
        inside = (self._here or interpreter.current()).adopt(variable.handle)
        self._watched.update([id(variable.handle), id(inside)])
        self._kept += [variable.handle, inside]
        self._variables[id(variable)] = variable

    # --- what the user says ----------------------------------------------------------------------------------------

    def watch(self, tensor: Any) -> None:
        """Watches a tensor or variable, or a nest of them."""
        for t in nest.leaves_of(tensor):
            if hasattr(t, "handle") and not isinstance(t, Tensor):
                self._watch_variable(t)
                continue
            if not isinstance(t, Tensor):
                raise ValueError(f"Passed in object {t!r} of type {type(t).__name__!r}, not tf.Tensor or tf.Variable.")
            t = interpreter.current().adopt(t)
            self._watched.add(id(t))
            self._kept.append(t)

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """What runs inside is not recorded."""
        if not self._recording:
            raise ValueError("Tape is not recording.")
        self._stop()
        try:
            yield
        finally:
            self._start()

    def reset(self) -> None:
        """Forgets everything recorded and watched."""
        recording = self._recording
        if recording:
            self._stop()
        self.__init__(self._persistent, self._automatic)
        if recording:
            self._start()

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables watched so far, in the order they were read."""
        return tuple(self._variables.values())

    # --- what it answers -------------------------------------------------------------------------------------------

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        *,
        rules: dict[type, Rule] | None = None,
        on_step: Any = None,
    ) -> Any:
        """The derivatives of the sum of target by each of sources, in their structure.

        Args:
          target: tensor or nest; what is not a scalar is summed.
          sources: tensor, variable or nest.
          output_gradients: cotangents of target, in its structure; None is ones.
          unconnected_gradients: NONE answers None for a source the target does not hang on, ZERO answers zeros.
          rules: {op class: rule} used instead of the ops' own, as for guided back-propagation.
          on_step: called as on_step(node, dys, dxs) after each node's rule.
        Raises:
          TapeError (a RuntimeError): a tape that is not persistent answered already.
          ShapeError: an output gradient does not fit its target.
        """
        nodes = self._taken("gradient")
        unconnected = UnconnectedGradients(unconnected_gradients)
        ys = [self._tensor(y) for y in nest.leaves_of(target)]
        flat, structure = nest.flatten(sources)
        carries = interpreter.current().dialect.carries
        seeds = self._seeds(ys, output_gradients, carries)
        handles = [self._source(x) for x in flat]
        xs = [h for h in handles if id(h) in self._watched]
        found = iter(backprop(ys, xs, seeds, nodes, rules=rules, on_step=on_step, carries=carries))
        dxs = [next(found) if id(h) in self._watched else None for h in handles]
        if unconnected is UnconnectedGradients.ZERO:
            dxs = [zeros_for(x) if dx is None else dx for x, dx in zip(flat, dxs, strict=True)]
        return nest.unflatten(structure, dxs)

    def _taken(self, what: str) -> list[Node]:
        """The record; a tape that is not persistent gives it away."""
        if self._nodes is None:
            raise TapeError(
                f"A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians); "
                f"{what} was asked again. Make it GradientTape(persistent=True)"
            ).locate()
        nodes = self._nodes
        if not self._persistent:
            if self._recording:
                self._stop()
            self._nodes = None
        return nodes

    def _tensor(self, y: Any) -> Tensor:
        if isinstance(y, Tensor) or hasattr(type(y), "__pullback_tensor__"):
            return interpreter.as_own(interpreter.current(), y)
        raise ArgumentError(f"GradientTape: target {y!r} is no tensor, so nothing was recorded of it").locate()

    def _source(self, x: Any) -> Any:
        x = handle_of(x)
        if not isinstance(x, Tensor):
            raise TypeError(f"GradientTape: source {x!r} is neither a tensor nor a variable")
        here = interpreter.current()
        if isinstance(here, Graph):
            found = here.captures.get(id(x))
            return found[1] if found else x
        return x

    def _seeds(self, ys: list[Tensor], given: Any, carries: Any) -> list[Any]:
        cotangents = [None] * len(ys) if given is None else nest.leaves_of(given)
        if len(cotangents) != len(ys):
            raise ValueError(f"{len(cotangents)} output_gradients for {len(ys)} targets; give one each, or None")
        seeds: list[Any] = []
        for y, g in zip(ys, cotangents, strict=True):
            if not carries(y.dtype):
                seeds.append(None)
            elif g is None:
                seeds.append(OnesLike()(y))
            else:
                seed = interpreter.as_tensor(g, y.dtype, what="output_gradients")
                if not compatible(seed.spec.shape, y.spec.shape):
                    raise ShapeError(
                        f"output_gradients: shape {text(seed.spec.shape)} does not fit "
                        f"a target of shape {text(y.spec.shape)}"
                    ).locate()
                seeds.append(seed)
        return seeds

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The matrix of derivatives of each entry of target by each entry of sources.

        Args: as `gradient`; parallel_iterations and experimental_use_pfor choose speed and memory, never results.
        Returns:
          For each source a tensor of shape target.shape + source.shape, in sources' structure.
        """
        nodes = self._taken("jacobian")
        y = self._tensor(target)
        flat, structure = nest.flatten(sources)
        rows = self._rows(y, flat, nodes, unconnected_gradients)
        out = []
        for x, dx in zip(flat, rows, strict=True):
            if dx is None:
                out.append(None)
                continue
            whole = joined_shapes(shape_of(y), shape_of(_value_of(x)))
            out.append(REGISTRY["Reshape"]()(dx, whole))
        return nest.unflatten(structure, out)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """For each entry b of the leading axis, the derivatives of target[b] by source[b].

        target [B, ...], source [B, ...] -> [B, target.shape[1:], source.shape[1:]]. target[b] must not hang on other
        entries of source.

        Raises:
          ShapeError: the leading axes differ, or a tensor has none.
        """
        nodes = self._taken("batch_jacobian")
        y = self._tensor(target)
        x = _value_of(source)
        if not y.spec.shape or not x.spec.shape or not compatible(y.spec.shape[:1], x.spec.shape[:1]):
            raise ShapeError(
                f"batch_jacobian: target {text(y.spec.shape)} and source {text(x.spec.shape)} must have "
                "the same first dimension"
            ).locate()
        if not y.spec.known or not x.spec.known:
            raise ShapeError(
                f"batch_jacobian: shapes must be known, but are {text(y.spec.shape)} and {text(x.spec.shape)}"
            ).locate()
        of_y: tuple[int, ...] = y.spec.shape  # type: ignore[assignment]
        of_x: tuple[int, ...] = x.spec.shape  # type: ignore[assignment]
        (b, *columns), count = of_y, math.prod(of_y[1:])
        eye = np.eye(count, dtype=y.dtype.numpy).reshape(count, 1, *columns)
        seeds = interpreter.as_tensor(np.broadcast_to(eye, (count, b, *columns)))
        (dx,) = self._pulled(y, [source], nodes, seeds, count)
        if dx is None:
            if UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.NONE:
                return None
            dx = interpreter.as_tensor(np.zeros((count, *of_x), x.dtype.numpy))
        rank = len(of_x) + 1
        swapped = REGISTRY["Transpose"]()(dx, (1, 0, *range(2, rank)))
        return REGISTRY["Reshape"]()(swapped, (b, *columns, *of_x[1:]))

    def _rows(self, y: Tensor, flat: list[Any], nodes: list[Node], unconnected: Any) -> list[Any]:
        """For each source its cotangents from each entry of y: [y.size, source.shape], None where unconnected."""
        if not y.dtype.is_differentiable:
            raise DTypeError(f"jacobian: the target is {y.dtype.name}, which has no derivatives").locate()
        size = math.prod(y.spec.shape) if y.spec.known else None  # type: ignore[arg-type]
        seeds = Units(y.spec) if y.spec.known else _unit_cotangents(y)
        rows = self._pulled(y, flat, nodes, seeds, size)
        if UnconnectedGradients(unconnected) is UnconnectedGradients.ZERO:
            count = size if size is not None else REGISTRY["Size"]()(y)
            for i, (x, dx) in enumerate(zip(flat, rows, strict=True)):
                if dx is None:
                    zero = zeros_for(x)
                    rows[i] = REGISTRY["BroadcastTo"]()(zero, joined_shapes((count,), shape_of(zero)))
        return rows

    def _pulled(self, y: Tensor, flat: list[Any], nodes: list[Node], seeds: Any, size: Any) -> list[Any]:
        """The backward graph, run once over a batch of cotangents."""
        here = interpreter.current()
        handles = [self._source(x) for x in flat]
        xs = [h for h in handles if id(h) in self._watched]
        positions: list[int] = []

        def back(seed: Tensor) -> list[Any]:
            dxs = backprop([y], xs, [seed], nodes, carries=here.dialect.carries)
            positions.extend(i for i, dx in enumerate(dxs) if dx is not None)
            return [interpreter.as_tensor(dx) for dx in dxs if dx is not None]

        body = bodies.traced(back, [y.spec], "jacobian")
        outside = bodies.captured(body)
        outs, axes = batched(body, [seeds, *outside], [0, *[None] * len(outside)], size)
        pulled: list[Any] = [None] * len(xs)
        for i, dx, axis in zip(positions, outs, axes, strict=True):
            if axis is None:  # the same for every cotangent: only possible when there is nothing to pull back
                dx = REGISTRY["BroadcastTo"]()(dx, joined_shapes((size,), shape_of(dx)))
            pulled[i] = dx
        found = iter(pulled)
        return [next(found) if id(h) in self._watched else None for h in handles]


def _value_of(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) and x.dtype is not resource else interpreter.as_tensor(x)


def _unit_cotangents(y: Tensor) -> Tensor:
    """Every unit vector of y's space, whose size is known only when it runs: [y.size, y.shape]."""
    count = REGISTRY["Size"]()(y)
    one_hot = REGISTRY["OneHot"]()(
        REGISTRY["Range"]()(0, count, 1), count, interpreter.as_tensor(1, y.dtype), interpreter.as_tensor(0, y.dtype)
    )
    shape = REGISTRY["ConcatV2"]()(REGISTRY["ExpandDims"]()(count, 0), Shape_()(y), 0)
    return REGISTRY["Reshape"]()(one_hot, shape)


def joined_shapes(a: Any, b: Any) -> Any:
    if isinstance(a, tuple) and isinstance(b, tuple) and not any(isinstance(n, Tensor) for n in (*a, *b)):
        return a + b
    return REGISTRY["ConcatV2"]()(_vector(a), _vector(b), 0)


def _vector(shape: Any) -> Any:
    return interpreter.as_tensor(list(shape) if isinstance(shape, tuple) else shape, "int32")


def jacobian_of(dx: Any, x: Any) -> Tensor:
    """In a graph, the derivatives of each entry of dx by x: [dx.shape, x.shape]."""
    from pullback.core.graph import ancestors

    dx = interpreter.as_tensor(dx) if isinstance(dx, IndexedSlices) else dx
    tape = GradientTape(persistent=True)
    tape._nodes = list(ancestors([dx]))
    tape._watched = {id(handle_of(x))}
    return tape.jacobian(dx, x)
