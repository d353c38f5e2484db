"""What the CPU engine makes of a graph: segments, fusions, buffers, bytes, and what is left to Python.

print(tf.explain_plan(step, x, y))            a tf.function and arguments
print(tf.explain_plan(session, loss, feeds))  what a session would run
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from pullback.core import interpreter, nest
from pullback.core.names import public
from pullback.core.spec import Spec
from pullback.core.store import Resource
from pullback.engines.base import body_nodes
from pullback.engines.blas import BLAS
from pullback.modes.function import Function
from pullback.modes.session import BaseSession, needed

# A job that computes more nodes than this names the commonest only.
NAMED = 6


@public("explain_plan")
def explain_plan(what: Any, *args: Any) -> str:
    """The plan of a program for inputs of these shapes, as text. Nothing is run.

    Args:
      what: a function made by tf.function, then its arguments; or a Session, then fetches and feed_dict.
    Returns:
      A line a native job or Python step: what it computes, in how many shares, about how long on one thread; before
      each segment, how many bytes of the arena the plan needs in all.
    Raises:
      TypeError: it is neither. ImportError: there is no llvmlite. ValueError: it cannot be planned; says why.
    """
    from pullback.engines.cpu import plan
    from pullback.engines.cpu.trace import UnplannableError

    nodes, inputs, outputs, values = _program(what, args)
    given = [v if isinstance(v, Resource) else Spec(v.shape, interpreter.spec_of(v).dtype) for v in values]
    try:
        return _text(plan.made(nodes, inputs, outputs, given, BLAS))
    except UnplannableError as error:
        raise ValueError(f"explain_plan: this runs node by node, for {error}") from None


def _program(what: Any, args: tuple[Any, ...]) -> Any:
    """(nodes in order, inputs, outputs, values of the inputs)."""
    if isinstance(what, Function):
        concrete = what.get_concrete_function(*args)
        tensors: list[Any] = [interpreter.as_tensor(x) for x in nest.leaves_of(args) if hasattr(x, "shape")]
        captured: list[Any] = concrete.captured_inputs
        values = [t.value for t in (*tensors, *captured)]
        body = concrete.graph
        return body_nodes(body), body.inputs, body.outputs, values
    if isinstance(what, BaseSession):
        fetches, feeds = args[0], args[1] if len(args) > 1 else {}
        graph = what.graph
        elements = [graph.as_graph_element(x) for x in nest.leaves_of([fetches])]
        tensors = [e for e in elements if not hasattr(e, "op") or hasattr(e, "spec")]
        operations = [e for e in elements if e not in tensors]
        fed = [graph.as_graph_element(t, allow_operation=False) for t in feeds]
        nodes = needed(graph, tensors, operations, fed)
        return nodes, fed, tensors, [np.asarray(v, t.dtype.numpy) for t, v in zip(fed, feeds.values(), strict=True)]
    raise TypeError(f"explain_plan takes a tf.function or a Session, not {what!r}")


def _text(recipe: Any) -> str:
    from pullback.engines.cpu.run import Segment

    jobs = sum(len(s.jobs) for s in recipe.steps if isinstance(s, Segment))
    native = sum(isinstance(s, Segment) for s in recipe.steps)
    lines = [
        f"{native} native segments with {jobs} jobs, {len(recipe.steps) - native} Python steps; "
        f"arena {recipe.bytes:,} bytes, {recipe.slots} slots"
    ]
    for step in recipe.steps:
        if not isinstance(step, Segment):
            lines.append(f"Python    {_named([step.node])}")
            continue
        lines.append("segment")
        for job, nodes in zip(step.jobs, step.serves, strict=True):
            size = sum(b.bytes for b in {id(b.of): b.of for b in job.buffers()}.values())
            lines.append(
                f"  {job.emit.__name__:20} {job.items:>6} items {job.shares:>3} shares {job.cost / 1000:>10,.1f} us "
                f"{size:>13,} bytes  {_named(nodes)}"
            )
        lines += [f"  store to {resource().name}" for resource, _ in step.writes if resource() is not None]
    return "\n".join(lines)


def _named(nodes: list[Any]) -> str:
    """Which nodes, by name where they are few, else by type."""
    nodes = [n for n in nodes if n is not None]
    if len(nodes) <= 2:
        return ", ".join(f"{n.op.type} {n.name!r}" for n in nodes)
    counts = Counter(n.op.type for n in nodes)
    shown = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in counts.most_common(NAMED))
    return shown + (f" and {len(counts) - NAMED} more kinds" if len(counts) > NAMED else "")
