"""Every op goes to a file and comes back as itself."""

from __future__ import annotations

from typing import Any

import pytest
from generated.cases import Case, every_op

from pullback.core import dtypes
from pullback.core.basics import Placeholder
from pullback.core.errors import InvalidArgumentError
from pullback.core.graph import Graph
from pullback.core.tensor import Operation
from pullback.io import messages
from pullback.io.graph_export import graph_def
from pullback.io.graph_import import add


@every_op(lambda case: not case.unfit)
def test_op_returns_from_a_file(case: Case) -> None:
    node = recorded(case)
    message = graph_def(node.graph)
    read = messages.GraphDef.FromString(message.SerializeToString())
    again = Graph()
    if "_missing" in read.node[-1].attr:
        with pytest.raises(InvalidArgumentError, match="Python functions"):
            add(again, read)
        return
    found = add(again, read).operation(node.name)
    assert graph_def(again) == message
    assert [t.spec.shape for t in found.results] == [t.spec.shape for t in node.results]
    assert [t.name for t in found.inputs] == [t.name for t in node.inputs]
    if not any(isinstance(getattr(node.op, f), Graph) or f == "resource" for f in node.op.fields):
        assert found.op is node.op or not node.op.fields or node.op.type == "Const"


def recorded(case: Case) -> Operation:
    """The op in a graph of its own: static inputs are constants, the others placeholders."""
    graph = Graph()
    inputs: list[Any] = []
    for i, t in enumerate(case.tensors):
        if i in case.static or t.dtype is dtypes.resource:
            inputs.append(t)
        else:
            inputs.append(graph.run(Placeholder(t.dtype, t.spec.shape), (), f"input_{i}")[0])
    return graph.append(case.op, tuple(inputs), "node")
