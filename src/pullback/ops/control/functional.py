"""tf.map_fn: a function over the entries of the leading axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.dtypes import as_dtype
from pullback.core.errors import DTypeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.tensor import Tensor
from pullback.ops.control import map as maps


@public("map_fn")
def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """fn on each entry along the leading axis, the results stacked.

    Args:
      fn: takes one entry (a nest of them, as elems is one) and returns a tensor or a nest.
      elems: tensor [n, ...], or a nest of such.
      dtype, fn_output_signature: the types fn returns; needed in TensorFlow when they differ from elems', checked here.
      back_prop: False takes the results as constants for differentiation.
      parallel_iterations, swap_memory, infer_shape: choose speed and memory, never results.
    Raises:
      ValueError: elems is empty of tensors. DTypeError: fn returns another type than said.
    """
    if not callable(fn):
        raise TypeError("map_fn: fn must be a function")
    flat, structure = nest.flatten(elems)
    if not flat:
        raise ValueError("map_fn: elems must hold at least one tensor")
    tensors = [interpreter.as_tensor(x, here=_graph(flat)) for x in flat]
    for t in tensors:
        if t.spec.shape == ():
            raise ValueError("elems must be a 1+ dimensional Tensor, not a scalar")
    said = dtype if fn_output_signature is None else fn_output_signature
    graph = _graph(tensors)
    if not isinstance(graph, Graph):
        rows = [fn(nest.unflatten(structure, [t[i] for t in tensors])) for i in range(len(tensors[0]))]
        leaves = [nest.flatten(row) for row in rows]
        stacked = [REGISTRY["Pack"](0)(*column) for column in zip(*(row for row, _ in leaves), strict=True)]
        made = nest.unflatten(leaves[0][1], stacked) if rows else _empty(said)
    else:
        structures: list[Any] = []

        def one(*entries: Tensor) -> list[Any]:
            found, shape = nest.flatten(fn(nest.unflatten(structure, list(entries))))
            structures.append(shape)
            return found

        with graph.as_default(), graph.name_scope(name or "map"):
            made = (
                nest.unflatten(structures[0], results)
                if (results := maps.build(one, tensors, [0] * len(tensors)))
                else None
            )
    _check(made, said)
    if not back_prop:
        made = nest.mapped(REGISTRY["StopGradient"](), made)
    return made


def _graph(values: Any) -> Any:
    here = interpreter.current()
    return here if isinstance(here, Graph) else interpreter._graph_of(tuple(values)) or here


def _empty(said: Any) -> Any:
    if said is None:
        raise ValueError("map_fn: elems has no entries, so fn_output_signature must say what fn would return")
    return nest.mapped(lambda t: interpreter.as_tensor([], getattr(t, "dtype", t)), said)


def _check(made: Any, said: Any) -> None:
    if said is None:
        return
    for y, t in zip(nest.leaves_of(made), nest.leaves_of(said), strict=True):
        wanted = as_dtype(getattr(t, "dtype", t))
        if y.dtype is not wanted:
            raise DTypeError(f"map_fn: fn returns {y.dtype.name}, but {wanted.name} was said").locate()
