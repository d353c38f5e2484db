"""A name scope for functions made of several ops."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from pullback.core import interpreter
from pullback.core.graph import Graph


def scope(name: str | None, default: str, *values: Any) -> contextlib.AbstractContextManager[str]:
    """Names the ops made inside `name/...` (`default/...` when name is None), in the graph that `values` belong to.

    Gives the scope's own name, with its slash, for the op that ends the function: so `tensordot` is a Reshape of
    that name, as in TensorFlow. Eagerly there are no names, and nothing is done.
    """
    here = interpreter.current()
    graph = here if isinstance(here, Graph) else interpreter._graph_of(values)
    if graph is None:
        return contextlib.nullcontext(name or default)
    return graph.name_scope(name or default) if graph is here else _entered(graph, name or default)


@contextlib.contextmanager
def _entered(graph: Graph, name: str) -> Iterator[str]:
    with interpreter.entered(graph), graph.name_scope(name) as full:
        yield full
