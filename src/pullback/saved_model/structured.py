"""Nests of tensor specs and Python values as StructuredValue messages: what functions take and give."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from pullback.core import nest
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, UnimplementedError
from pullback.core.shape import TensorShape, as_shape
from pullback.core.tensor import EagerTensor
from pullback.io import messages
from pullback.io.tensors import array_of_proto, dtype_of, shape_of_proto, shape_proto, tensor_proto
from pullback.modes.function import TensorSpec

# Lists and tuples within each other; nobody's arguments go deeper, and a damaged file must not.
_DEEPEST = 60


class Unwritable(ValueError):
    """A value that no message holds."""


def encoded(value: Any) -> Any:
    """The StructuredValue of a nest.

    Raises:
      Unwritable: something in it is no tensor spec, number, word, type, shape, list, tuple or dict.
    """
    made = messages.StructuredValue()
    _encode(made, value)
    return made


def _encode(made: Any, value: Any) -> None:
    if value is None:
        made.none_value.SetInParent()
    elif isinstance(value, (bool, np.bool_)):
        made.bool_value = bool(value)
    elif isinstance(value, (int, np.integer)) and -(2**63) <= value < 2**63:
        made.int64_value = int(value)
    elif isinstance(value, (float, np.floating)):
        made.float64_value = float(value)
    elif isinstance(value, str):
        made.string_value = value
    elif isinstance(value, TensorSpec):
        said = made.tensor_spec_value
        said.name, said.dtype = value.name or "", value.dtype.as_datatype_enum
        said.shape.CopyFrom(shape_proto(value._spec.shape))
    elif isinstance(value, DType):
        made.tensor_dtype_value = value.as_datatype_enum
    elif isinstance(value, TensorShape):
        made.tensor_shape_value.CopyFrom(shape_proto(as_shape(value)))
    elif isinstance(value, EagerTensor):
        made.tensor_value.CopyFrom(tensor_proto(value.value))
    elif isinstance(value, np.ndarray):
        made.numpy_value.CopyFrom(tensor_proto(value))
    else:
        _encode_nest(made, value)


def _encode_nest(made: Any, value: Any) -> None:
    fields = getattr(value, "_fields", None)
    if isinstance(value, tuple) and fields is not None:
        made.named_tuple_value.name = type(value).__name__
        for name, item in zip(fields, value, strict=True):
            pair = made.named_tuple_value.values.add(key=name)
            _encode(pair.value, item)
    elif isinstance(value, (list, tuple)):
        held = made.list_value if isinstance(value, list) else made.tuple_value
        held.SetInParent()
        for item in value:
            _encode(held.values.add(), item)
    elif isinstance(value, dict) and all(isinstance(k, str) for k in value):
        made.dict_value.SetInParent()
        for name, item in value.items():
            _encode(made.dict_value.fields[name], item)
    else:
        raise Unwritable(f"a value of type {type(value).__name__} has no form in a saved model")


def decoded(message: Any, what: str, depth: int = 0) -> Any:
    """The nest of a StructuredValue; tensors are TensorSpecs.

    Raises:
      ArgumentError: the message is empty, nests too deep, or says what no value can be.
      UnimplementedError: it is of a type that is not supported; names it.
    """
    if depth > _DEEPEST:
        raise ArgumentError(f"{what}: lists and tuples lie within each other more than {_DEEPEST} deep").locate()
    kind = message.WhichOneof("kind")
    if kind in ("float64_value", "int64_value", "string_value", "bool_value"):
        return getattr(message, kind)
    if kind == "none_value":
        return None
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        said = getattr(message, kind)
        return TensorSpec(shape_of_proto(said.shape), dtype_of(said.dtype, what), said.name or None)
    if kind == "tensor_dtype_value":
        return dtype_of(message.tensor_dtype_value, what)
    if kind == "tensor_shape_value":
        return TensorShape(shape_of_proto(message.tensor_shape_value))
    if kind in ("tensor_value", "numpy_value"):
        return array_of_proto(getattr(message, kind), what)
    if kind == "type_spec_value":
        said = message.type_spec_value
        name = said.type_spec_class_name or messages.TypeSpecProto.TypeSpecClass.Name(said.type_spec_class)
        raise UnimplementedError(f"{what}: values of type {name} are not supported in saved models").locate()
    return _decoded_nest(message, kind, what, depth + 1)


def _decoded_nest(message: Any, kind: str | None, what: str, depth: int) -> Any:
    if kind == "list_value":
        return [decoded(v, what, depth) for v in message.list_value.values]
    if kind == "tuple_value":
        return tuple([decoded(v, what, depth) for v in message.tuple_value.values])
    if kind == "dict_value":
        fields = message.dict_value.fields
        return {name: decoded(fields[name], what, depth) for name in sorted(fields)}
    if kind == "named_tuple_value":
        said = message.named_tuple_value
        names = [pair.key for pair in said.values]
        try:
            made: Any = collections.namedtuple(said.name, names)
        except (ValueError, TypeError) as error:
            raise ArgumentError(f"{what}: no named tuple can be made: {error}").locate() from None
        return made(*[decoded(pair.value, what, depth) for pair in said.values])
    raise ArgumentError(f"{what}: its structure is empty or of an unknown kind").locate()


def specs_of(value: Any) -> list[TensorSpec]:
    """The tensors of a nest, in order."""
    return [x for x in nest.leaves_of(value) if isinstance(x, TensorSpec)]
