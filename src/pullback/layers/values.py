"""Values of variables wherever they live: eagerly at once, in a session's graph through Keras' session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pullback.core.graph import Graph
from pullback.modes.session import Session, get_default_session
from pullback.modes.variable import Variable


def session_of(graph: Graph) -> Any:
    """The default session when it runs this graph, else one kept for the graph."""
    default = get_default_session()
    if default is not None and default.graph is graph:
        return default
    if "session" not in graph.kept:
        graph.kept["session"] = Session(graph=graph)
    return graph.kept["session"]


def use_session(session: Any) -> None:
    """Makes a session the one that Keras uses for its graph."""
    session.graph.kept["session"] = session


def forget_session(graph: Graph) -> None:
    """The next one of a graph is new."""
    graph.kept.pop("session", None)


def started(session: Any, variables: Iterable[Variable]) -> Any:
    """The session, those of the variables initialised that hold nothing yet."""
    missing = [v for v in variables if v._graph is session.graph and not session.store.holds(v.handle.op.op.resource)]
    if missing:
        session.run([v.initializer for v in missing])
    return session


def read(variables: Sequence[Any]) -> list[Any]:
    """The values of variables as arrays."""
    out: list[Any] = []
    for v in variables:
        if v._graph is None:
            out.append(np.asarray(v.numpy()))
        else:
            session = started(session_of(v._graph), [v])
            out.append(np.array(session.store.read(v.handle.op.op.resource)))
    return out


def write(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Gives variables values.

    Raises:
      ValueError: a shape differs.
    """
    for v, value in pairs:
        array = np.asarray(value)
        if not v.shape.is_compatible_with(array.shape):
            raise ValueError(f"variable {v.name} has shape {v.shape}, but the value given has shape {array.shape}")
        if v._graph is None:
            v.assign(array.astype(v.dtype.numpy))
        else:
            v.load(array, session_of(v._graph))
