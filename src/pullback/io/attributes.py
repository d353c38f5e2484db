"""Attributes of nodes as AttrValue messages, and an op's fields as text where its attributes do not say them all.

The text is JSON: numbers, words, lists for tuples, and {"float": hexadecimal}, {"type": name}, {"graph": function}.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, DataLossError
from pullback.core.graph import Graph
from pullback.core.shape import TensorShape, as_shape
from pullback.io import messages
from pullback.io.tensors import array_of_proto, dtype_of, shape_of_proto, shape_proto, tensor_proto

# Attributes that hold a shape also where ours hold it as a plain tuple.
_SHAPES = ("shape", "element_shape")


class Function(NamedTuple):
    """An attribute that names a function of the library."""

    name: str


class Unwritable(ValueError):
    """A value that no attribute holds."""


def encoded(name: str, value: Any) -> Any:
    """The AttrValue of an attribute.

    Raises:
      Unwritable: no attribute holds such a value.
    """
    made = messages.AttrValue()
    if isinstance(value, TensorShape) or (name in _SHAPES and (value is None or isinstance(value, tuple))):
        made.shape.CopyFrom(shape_proto(as_shape(value)))
    elif isinstance(value, Function):  # a tuple too
        made.func.name = value.name
    elif isinstance(value, (list, tuple)):
        _encode_list(made.list, value)
    elif isinstance(value, np.ndarray):
        made.tensor.CopyFrom(tensor_proto(value))
    else:
        kind, plain = _plain(value)
        setattr(made, kind, plain)
    return made


def _encode_list(made: Any, values: Any) -> None:
    made.SetInParent()
    for value in values:
        if isinstance(value, TensorShape):
            made.shape.append(shape_proto(as_shape(value)))
        elif isinstance(value, Function):
            made.func.add(name=value.name)
        else:
            kind, plain = _plain(value)
            getattr(made, kind).append(plain)


def _plain(value: Any) -> tuple[str, Any]:
    """(field of AttrValue, what goes there)."""
    if isinstance(value, (bool, np.bool_)):
        return "b", bool(value)
    if isinstance(value, (int, np.integer)):
        if not -(2**63) <= value < 2**63:
            raise Unwritable(f"{value} is longer than 64 bits")
        return "i", int(value)
    if isinstance(value, (float, np.floating)):
        return "f", float(value)
    if isinstance(value, (bytes, str)):
        return "s", value.encode() if isinstance(value, str) else value
    if isinstance(value, DType):
        return "type", value.as_datatype_enum
    raise Unwritable(f"{value!r} is no attribute's value")


def decoded(message: Any, what: str = "attribute") -> Any:
    """The value of an AttrValue: words are bytes, shapes tuples (None for unknown rank), lists tuples.

    Raises:
      ArgumentError: it is a function's placeholder, or empty.
    """
    kind = message.WhichOneof("value")
    if kind == "list":
        fields = message.list.ListFields()
        return () if not fields else tuple(_decoded(fields[0][0].name, v, what) for v in fields[0][1])
    if kind is None or kind == "placeholder":
        raise ArgumentError(f"{what}: the attribute has no value").locate()
    return _decoded(kind, getattr(message, kind), what)


def _decoded(kind: str, value: Any, what: str) -> Any:
    if kind == "type":
        return dtype_of(value, what)
    if kind == "shape":
        return shape_of_proto(value)
    if kind == "tensor":
        return array_of_proto(value, what)
    return Function(value.name) if kind == "func" else value


def fields_as_text(op: Any, function: Callable[[Graph], str]) -> bytes:
    """All fields of an op; `function` gives the name of a body in the library.

    Raises:
      Unwritable: a field holds what only this process knows, as a Python function.
    """

    def plain(value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return {"float": value.hex()}
        if isinstance(value, DType):
            return {"type": value.name}
        if isinstance(value, Graph):
            return {"graph": function(value)}
        if isinstance(value, tuple):
            return [plain(v) for v in value]
        raise Unwritable(f"{op.type} holds {value!r}, which no file can hold")

    return json.dumps({f: plain(getattr(op, f)) for f in op.fields}, separators=(",", ":")).encode()


def functions_of_text(text: bytes) -> set[str]:
    """Names of the functions that `fields_as_text` names; none where the text is not of its form."""

    def of(value: Any) -> set[str]:
        if isinstance(value, dict) and isinstance(value.get("graph"), str):
            return {value["graph"]}
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return {name for v in inner for name in of(v)}

    try:
        return of(json.loads(text))
    except (ValueError, RecursionError):
        return set()


def fields_of_text(text: bytes, function: Callable[[str], Graph], what: str) -> dict[str, Any]:
    """The fields that `fields_as_text` wrote.

    Raises:
      DataLossError: the text is not of this form.
    """

    def value(found: Any) -> Any:
        if isinstance(found, list):
            return tuple([value(v) for v in found])
        if not isinstance(found, dict):
            return found
        ((kind, said),) = found.items()
        return {"float": float.fromhex, "type": as_dtype, "graph": function}[kind](said)

    try:
        return {name: value(found) for name, found in json.loads(text).items()}
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise DataLossError(f"{what}: its fields, {text[:80]!r}, cannot be read: {error}").locate() from None
