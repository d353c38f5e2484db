"""A name scope for functions made of several ops."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from pullback.core import interpreter
from pullback.core.graph import Graph


@contextlib.contextmanager
def scope(name: str | None, default: str, *values: Any) -> Iterator[str]:
    """Names the ops made inside `name/...` (`default/...` when name is None), in the graph that `values` belong to.

    Gives the scope's own name, with its slash, for the op that ends the function: so `tensordot` is a Reshape of
    that name, as in TensorFlow.
    """
    here = interpreter.current()
    graph = here if isinstance(here, Graph) else interpreter._graph_of(values)
    if graph is None:
        yield name or default
    elif graph is here:
        with graph.name_scope(name or default) as full:
            yield full
    else:
        with interpreter.entered(graph), graph.name_scope(name or default) as full:
            yield full
