"""One step over a batch, made quick: a traced function; in a session's graph, placeholders and a session.

step(data) -> arrays      data: a nest of arrays, None where nothing is given
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter, nest
from pullback.core.dtypes import as_dtype, from_numpy
from pullback.core.graph import Graph
from pullback.core.tensor import EagerTensor, Tensor
from pullback.layers import phase, values
from pullback.modes.function import function
from pullback.modes.session import placeholder


def as_floats(array: Any) -> Any:
    """An array as layers take it: doubles in the type of floats."""
    if isinstance(array, Tensor):
        return array
    array = np.asarray(array)
    return array.astype(as_dtype(phase.floatx()).numpy) if array.dtype == np.float64 else array


class TracedStep:
    """A step outside of session graphs."""

    def __init__(self, run: Callable[[Any], Any], eagerly: bool) -> None:
        self._run = run if eagerly else function(run)

    def graph(self) -> Graph | None:
        """The graph of a step that was traced; None where none was."""
        found = getattr(self._run, "_traces", {})
        return next((trace.graph for trace in found.values()), None)

    def __call__(self, data: Any) -> Any:
        outputs = self._run(nest.mapped(_tensor, data))
        return nest.mapped(lambda t: t.numpy() if isinstance(t, EagerTensor) else t, outputs)


def _tensor(x: Any) -> Any:
    return x if x is None or isinstance(x, Tensor) else interpreter.as_tensor(as_floats(x))


class GraphStep:
    """A step in a session's graph: built at the first batch of each structure, then run.

    What the step changes (variables, updates, metrics) is run with it; `after` is fetched when that is done.
    """

    def __init__(self, run: Callable[[Any], Any], graph: Graph, after: Callable[[Any], Any] | None) -> None:
        self._run, self._graph, self._after = run, graph, after
        self._built: dict[Any, Any] = {}

    def graph(self) -> Graph:
        """The session's graph."""
        return self._graph

    def __call__(self, data: Any) -> Any:
        flat, structure = nest.flatten(data)
        arrays = [None if x is None else np.asarray(as_floats(x)) for x in flat]
        key = (structure, *(None if a is None else (a.ndim, a.dtype.str, a.shape[1:]) for a in arrays))
        if key not in self._built:
            self._built[key] = self._build(arrays, structure)
        places, outputs, effects, later = self._built[key]
        feed = {p: a for p, a in zip(places, arrays, strict=True) if p is not None}
        session = values.started(values.session_of(self._graph), self._graph.get_collection("variables"))
        found = session.run([outputs, effects], feed)[0]
        return found if later is None else session.run(later)

    def _build(self, arrays: list[Any], structure: Any) -> Any:
        graph = self._graph
        with graph.as_default():
            places = [
                None if a is None else placeholder(from_numpy(a.dtype), (None, *a.shape[1:]) if a.ndim else ())
                for a in arrays
            ]
            before = len(graph.nodes)
            outputs = self._run(nest.unflatten(structure, places))
            started = {id(v.initializer) for v in graph.get_collection("variables")}
            effects = [n for n in graph.nodes[before:] if n.op.effect and id(n) not in started and _done_in_steps(n)]
            later = self._after(outputs) if self._after is not None else None
        return places, outputs, effects, later


def _done_in_steps(node: Any) -> bool:
    """Whether a node with an effect belongs to the step; draws of random numbers run where they are needed."""
    return node.type not in ("DrawCounter", "VariableV2", "VarHandleOp")
