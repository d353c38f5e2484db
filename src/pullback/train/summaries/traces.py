"""What else a TensorFlow 2 writer takes: graphs, traces of functions, messages as they are."""

from __future__ import annotations

import time
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.io import messages
from pullback.train.summaries.written import should_record_summaries, state


@public("summary.flush", v1=None)
def flush(writer: Any = None, name: str | None = None) -> None:
    """Brings every event of a writer (the one in force) to its file."""
    found = writer or state.writer
    if found is not None:
        found.flush()


@public("summary.experimental.write_raw_pb", v1=None)
def write_raw_pb(tensor: Any, step: Any = None, name: str | None = None) -> Any:
    """Writes a serialised Summary, an eager [] string, as it is.

    Raises:
      ValueError: there is a writer and no step.
    """
    writer, step = state.writer, state.step if step is None else step
    if writer is None or not should_record_summaries():
        return interpreter.as_tensor(False)
    if step is None:
        raise ValueError("No step set. Please specify one either through the `step` argument or through set_step()")
    data = tensor.numpy() if hasattr(tensor, "numpy") else tensor
    event = messages.Event(wall_time=time.time(), step=int(step))
    event.summary.CopyFrom(messages.parsed(messages.Summary(), data, "write_raw_pb: the summary"))
    writer.write(event)
    return interpreter.as_tensor(True)


@public("summary.graph", v1=None)
def graph(graph_data: Any) -> Any:
    """Writes a graph: a Graph, or its GraphDef.

    Raises:
      TypeError: it is neither.
    """
    writer = state.writer
    if writer is None or not should_record_summaries():
        return interpreter.as_tensor(False)
    writer.write(messages.Event(wall_time=time.time(), graph_def=_graph_def(graph_data)))
    return interpreter.as_tensor(True)


def _graph_def(given: Any) -> bytes:
    if isinstance(given, Graph):
        from pullback.io import graphs  # noqa: F401 - gives Graph its as_graph_def

        given = given.as_graph_def()  # type: ignore[attr-defined]
    if not hasattr(given, "SerializeToString"):
        raise TypeError(f"'graph_data' must be a tf.Graph or a GraphDef, not {type(given)}")
    return given.SerializeToString()


class _Trace:
    """A tape that notes the bodies of the functions that are called."""

    def __init__(self) -> None:
        self.bodies: dict[int, Graph] = {}

    def record(self, op: Any, inputs: Any, results: Any, node: Any) -> None:
        body = getattr(op, "body", None)
        if isinstance(body, Graph):
            self.bodies[id(body)] = body

    def watches(self, inputs: Any) -> bool:
        return False

    def accessed(self, variable: Any) -> None:
        return None


@public("summary.trace_on", v1=None)
def trace_on(graph: bool = True, profiler: bool = False, profiler_outdir: Any = None) -> None:
    """Begins to note the graphs of the functions that run, for `trace_export`.

    Raises:
      ArgumentError: profiler is asked for; Python's own profilers see everything here.
    """
    if profiler:
        raise ArgumentError("trace_on: profiler=True is not supported; use cProfile or the engine's report").locate()
    trace_off()
    if graph:
        state.trace = _Trace()
        here = interpreter.eager()
        here.tapes = (*here.tapes, state.trace)


@public("summary.trace_off", v1=None)
def trace_off() -> None:
    """Forgets what `trace_on` noted."""
    here = interpreter.eager()
    here.tapes = tuple(t for t in here.tapes if t is not state.trace)
    state.trace = None


@public("summary.trace_export", v1=None)
def trace_export(name: str, step: Any = None, profiler_outdir: Any = None) -> None:
    """Writes the graph of the last function that ran since `trace_on`, and stops noting.

    Raises:
      ValueError: nothing is being noted, or there is a writer and no step.
    """
    if state.trace is None:
        raise ValueError("Must enable trace before export through tf.summary.trace_on.")
    if step is None and state.step is None:
        raise ValueError("No step set. Please specify one either through the `step` argument or through set_step()")
    for body in list(state.trace.bodies.values())[-1:]:
        graph(body)
    trace_off()
