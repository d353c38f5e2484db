"""Operators that are defined by others: the functions that a model brings, and those of ONNX's own operators that the
table lacks and ONNX itself defines by operators. Each node of one is replaced by its definition's nodes."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import inliner

from pullback.interop.onnx import table


def expanded(model: onnx.ModelProto, version: int) -> onnx.ModelProto:
    """The model with definitions in place of what the table lacks; the same model where there is nothing to define."""
    if model.functions:
        model = inliner.inline_local_functions(model)
    seen: set[tuple[str, str]] = set()
    while new := _defined(model, version) - seen:  # a definition may hold operators that have one themselves
        seen |= new
        try:
            model = inliner.inline_selected_functions(_with_defaults(model, new, version), sorted(new), False, True)
        except RuntimeError:  # ONNX cannot write some definitions out, as where an input is left out
            return model
    return model


def _schema(node: onnx.NodeProto, version: int) -> Any:
    """ONNX's description of the node's operator; None of one that is not ONNX's."""
    known = node.domain in table.OWN and onnx.defs.has(node.op_type, version)
    return onnx.defs.get_schema(node.op_type, version) if known else None


def _defined(model: onnx.ModelProto, version: int) -> set[tuple[str, str]]:
    """(domain, name) of the operators that the table lacks and ONNX defines."""
    found = set()
    for node in model.graph.node:
        schema = None if table.is_translated(node.op_type, version) else _schema(node, version)
        if schema is not None and (schema.has_function or schema.has_context_dependent_function):
            found.add((node.domain, node.op_type))
    return found


def _with_defaults(model: onnx.ModelProto, names: set[tuple[str, str]], version: int) -> onnx.ModelProto:
    """The model with the attributes said that nodes of these operators leave out: definitions refer to them."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for node in copy.graph.node:
        schema = _schema(node, version) if (node.domain, node.op_type) in names else None
        said = {attribute.name for attribute in node.attribute}
        if schema is not None:
            lacking = [a.default_value for name, a in schema.attributes.items() if name not in said]
            node.attribute.extend([default for default in lacking if default.name])
    return copy
