"""Calls, branches and loops as TensorFlow's functional ops: their type and the attributes that name functions.

    PartitionedCall f                 If then_branch, else_branch           While cond, body
    Stateful... where the body has effects; Stateless... where branches and bodies have none

Our loop keeps what does not change apart from its variables; TensorFlow's body hands it on like a variable. A branch
or loop that keeps values for a gradient has no form there; only we read it back, by its fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.graph import Graph
from pullback.core.op import REGISTRY
from pullback.core.tensor import Operation, Tensor
from pullback.io.attributes import Function, encoded

KINDS = ("PartitionedCall", "If", "While")
# Other types that the same ops are written as.
WRITTEN_AS = {
    "StatefulPartitionedCall": "PartitionedCall",
    "StatelessIf": "If",
    "StatelessWhile": "While",
}


def written_type(node: Operation) -> str:
    """The type that TensorFlow has for what the op does."""
    kind, effect = node.op.type, node.op.effect
    if kind == "PartitionedCall":
        return "StatefulPartitionedCall" if effect else kind
    return kind if effect or kind not in ("If", "While") else f"Stateless{kind}"


def handed_to_bodies(graph: Graph) -> set[int]:
    """Ids of the handles of TensorFlow 1's variables that bodies take. A function takes no reference there, so these
    variables are written as resources."""
    known = graph.kept.get("handed to bodies")
    if known is None or known[0] != len(graph.nodes):
        found = {
            id(t)
            for node in graph.nodes
            if node.op.type in KINDS
            for t in node.inputs
            if t.node.op.type == "VariableV2"
        }
        known = graph.kept["handed to bodies"] = len(graph.nodes), found
    return known[1]


def is_reference(t: Tensor) -> bool:
    """Whether a handle is written as TensorFlow 1's reference to a variable."""
    return t.node.op.type == "VariableV2" and id(t) not in handed_to_bodies(t.node.graph)


def loses_nothing(node: Operation, used: set[int]) -> bool:
    """Whether TensorFlow's form of a loop says all of ours: nobody reads its trips or saved values."""
    op = node.op
    return len(op.body.outputs) == op.count and not any(id(t) in used for t in node.results[op.count :])


def attributes(node: Operation, made: Any, function: Callable[[Graph], str]) -> None:
    """Fills a NodeDef's attributes, those of types too. `function` gives the name of a body in the library."""
    op, kind = node.op, node.op.type
    inputs = [t.dtype for t in node.inputs]
    outputs = [t.dtype for t in node.outputs]
    if kind == "PartitionedCall":
        _set(made, f=Function(function(op.body)), Tin=inputs, Tout=outputs)
        _set(made, config=b"", config_proto=b"", executor_type=b"")
    elif kind == "If":
        _set(made, then_branch=Function(function(op.then)), else_branch=Function(function(op.orelse)))
        _set(made, Tcond=inputs[0], Tin=inputs[1:], Tout=outputs)
        _shapes(made, [t.spec.shape for t in node.outputs])
    else:
        body = _handing_on(op)
        _set(made, cond=Function(function(op.cond)), body=Function(function(body)), T=inputs, parallel_iterations=10)
        _shapes(made, [*[t.spec.shape for t in node.outputs], *[t.spec.shape for t in node.inputs[op.count :]]])


def _set(made: Any, **attributes: Any) -> None:
    for name, value in attributes.items():
        made.attr[name].CopyFrom(encoded(name, value))


def _shapes(made: Any, shapes: list[Any]) -> None:
    from pullback.io.tensors import shape_proto

    held = made.attr["output_shapes"].list
    held.SetInParent()
    held.shape.extend(map(shape_proto, shapes))


def _handing_on(op: Any) -> Graph:
    """A loop's body that also gives what does not change. The same one each time."""
    found = op.body.programs.get("handing on")
    if found is None:
        found = op.body.programs["handing on"] = op.body.with_outputs([*op.body.outputs, *op.body.inputs[op.count :]])
    return found if op.count < len(op.body.inputs) else op.body


def loop(cond: Graph, body: Graph, shapes: Any) -> tuple[Any, int]:
    """The op of a loop in TensorFlow's form, and how many of its inputs are variables: trailing ones that the body
    hands on are not."""
    count = len(body.outputs)
    while count > 1 and body.outputs[count - 1] is body.inputs[count - 1]:
        count -= 1
    if count < len(body.outputs):
        found = body.programs.get(("variables", count))
        if found is None:
            found = body.programs["variables", count] = body.with_outputs(body.outputs[:count])
        body = found
    return REGISTRY["While"](cond, body, count, tuple(shapes[:count])), count
