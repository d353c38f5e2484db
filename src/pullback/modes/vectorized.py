"""tf.vectorized_map: a function over the entries of the leading axis, all at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.basics import shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.tensor import Node, Tensor
from pullback.modes.tape import joined_shapes
from pullback.ops.control import bodies
from pullback.ops.control.map import entry_spec
from pullback.transforms.batch import batched


@public("vectorized_map")
def vectorized_map(fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """fn on each entry along the leading axis, the results stacked; its operations run once, on all entries.

    Args:
      fn: takes one entry (a nest of them, as elems is one) and returns a tensor or a nest. It runs once, on symbols.
      elems: tensor [n, ...], or a nest of such; a leading axis of 1 stands for n equal entries.
      fallback_to_while_loop: operations that know no way to run on all entries at once run entry by entry; False makes
        them an error.
      warn: warns where there are such operations.
    Random operations draw once for each entry only if what they take hangs on the entry; otherwise once for all.
    Raises:
      ValueError: elems hold no tensor or a scalar, or differ in length.
    """
    flat, structure = nest.flatten(elems)
    if not flat:
        raise ValueError("vectorized_map: elems must hold at least one tensor")
    here = interpreter.current()
    graph = here if isinstance(here, Graph) else interpreter._graph_of(tuple(flat))
    if graph is not None and graph is not here:
        with graph.as_default():
            return vectorized_map(fn, elems, fallback_to_while_loop, warn)
    tensors = [interpreter.as_tensor(x) for x in flat]
    size = _size(tensors)
    axes = [None if t.spec.shape and t.spec.shape[0] == 1 and size != 1 else 0 for t in tensors]
    tensors = [t if axis == 0 else t[0] for t, axis in zip(tensors, axes, strict=True)]
    structures: list[Any] = []

    def one(*entries: Tensor) -> list[Any]:
        made, found = nest.flatten(fn(nest.unflatten(structure, list(entries))))
        structures.append(found)
        return made

    body = bodies.traced(one, [entry_spec(t.spec, a) for t, a in zip(tensors, axes, strict=True)], "vectorized_map")
    outside = bodies.captured(body)
    looped: set[str] = set()

    def on_loop(node: Node) -> None:
        if not fallback_to_while_loop:
            raise ArgumentError(
                f"vectorized_map: {node.type} knows no way to run on all entries at once; let it run entry by entry: "
                "fallback_to_while_loop=True"
            ).locate()
        looped.add(node.type)

    outs, found = batched(body, [*tensors, *outside], [*axes, *(None,) * len(outside)], size, on_loop)
    if warn and looped:
        warnings.warn(f"vectorized_map: {', '.join(sorted(looped))} run entry by entry, which is slow", stacklevel=2)
    results = [y if axis == 0 else _repeated(y, size) for y, axis in zip(outs, found, strict=True)]
    return nest.unflatten(structures[0], results)


def _size(tensors: list[Tensor]) -> Any:
    for t in tensors:
        if t.spec.shape == ():
            raise ShapeError("vectorized_map: elems must have a leading axis, but one is a scalar").locate()
    sizes = {t.spec.shape[0] if t.spec.shape else None for t in tensors}
    known = sizes - {None, 1}
    if len(known) > 1:
        raise ShapeError(
            f"vectorized_map: elems must have the same leading axis, but have {sorted(map(str, known))}"
        ).locate()
    if known:
        return known.pop()
    if None not in sizes:
        return 1
    unknown = next(t for t in tensors if not t.spec.shape or t.spec.shape[0] is None)
    return REGISTRY["Shape"]()(unknown)[0]


def _repeated(y: Tensor, size: Any) -> Tensor:
    """What is the same for every entry, for each."""
    if isinstance(size, Tensor):
        size = REGISTRY["Reshape"]()(size, (1,))
        return REGISTRY["BroadcastTo"]()(y, REGISTRY["ConcatV2"]()(size, REGISTRY["Shape"]()(y), 0))
    return REGISTRY["BroadcastTo"]()(y, joined_shapes((size,), shape_of(y)))
