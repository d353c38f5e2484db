"""Batching: a graph run over a leading axis that some of its inputs have.

Each op's own `batch` rule does the work; an op without one runs in a Map, entry by entry: slow, always right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core import interpreter
from pullback.core.graph import Graph, ancestors
from pullback.core.tensor import Node, Tensor
from pullback.ops.control import map as maps
from pullback.ops.control.call import Call
from pullback.transforms.units import Units


def batched(
    graph: Graph,
    inputs: Sequence[Any],
    axes: Sequence[int | None],
    size: Any,
    on_loop: Callable[[Node], None] | None = None,
    within: bool = False,
) -> tuple[tuple[Tensor, ...], tuple[int | None, ...]]:
    """The graph's outputs over the axis, in the current interpreter.

    Args:
      inputs: a tensor for each of graph.inputs; with the axis (of length `size`) where axes says 0. Units stand for a
        tensor of all unit vectors.
      on_loop: called with each node that has to run entry by entry, before it does.
      within: the graph is part of another, and may give Units.
    Returns:
      (outputs, their axes): 0, or None for an output that is the same for all.
    """
    made: dict[int, tuple[Any, int | None]] = {
        id(t): (x, a) for t, x, a in zip(graph.inputs, inputs, axes, strict=True)
    }
    effects = any(node.op.effect for node in graph.nodes)
    for node in graph.nodes if effects else ancestors(graph.outputs, stops=graph.inputs):
        if node.results and all(id(t) in made for t in node.results):
            continue
        pairs = [made[id(t)] for t in node.inputs]
        outs = batched_node(node, [x for x, _ in pairs], [a for _, a in pairs], size, on_loop)
        for t, pair in zip(node.results, outs, strict=True):
            made[id(t)] = pair
    found = [made[id(t)] for t in graph.outputs]
    if not within:
        found = [(_dense(x), a) for x, a in found]
    return tuple(x for x, _ in found), tuple(a for _, a in found)


def batched_node(
    node: Node, inputs: list[Any], axes: list[int | None], size: Any, on_loop: Callable[[Node], None] | None = None
) -> list[tuple[Any, int | None]]:
    """One node over the axis: its results, each with its axis."""
    if all(a is None for a in axes):
        made = node.again(tuple(inputs))
        for before, after in zip(node.results, made, strict=True):
            if type(after) is Tensor and after.spec.shape == before.spec.shape:
                after.spec = before.spec  # with what is known of its value
        return [(t, None) for t in made]
    if isinstance(node.op, Call):
        outs, out_axes = batched(node.op.body, inputs, axes, size, on_loop, within=True)
        return list(zip(outs, out_axes, strict=True))
    units = [i for i, x in enumerate(inputs) if isinstance(x, Units)]
    if len(units) == 1 and sum(a is not None for a in axes) == 1:
        found = inputs[units[0]].through(node, units[0], inputs)
        if found is not None:
            return [(found, 0)]
    inputs = [_dense(x) for x in inputs]
    if node.op.has("batch"):
        answer = node.op.batch(size, tuple(interpreter.as_tensor(x) for x in inputs), tuple(axes))
        if answer is not NotImplemented:
            outs, axis = answer
            outs = outs if isinstance(outs, (tuple, list)) else (outs,)
            if len(outs) == len(node.results):  # a rule may leave residuals out, which somebody may want
                axis = axis if isinstance(axis, (tuple, list)) else (axis,) * len(outs)
                return list(zip(outs, axis, strict=True))
    if on_loop is not None:
        on_loop(node)
    results = maps.build(lambda *xs: list(node.again(tuple(xs))), inputs, axes)
    return [(t, 0) for t in results]


def _dense(x: Any) -> Any:
    return x.dense() if isinstance(x, Units) else x
