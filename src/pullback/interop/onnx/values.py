"""What stands in an ONNX file as Python values, arrays and types."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from pullback.core import dtypes, interpreter
from pullback.core.basics import Const, Shape_
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, DTypeError, UnimplementedError
from pullback.core.tensor import EagerTensor, Tensor


def array(proto: onnx.TensorProto) -> Any:
    """A stored tensor as an array; strings as bytes.

    Raises:
      ArgumentError: its data are in another file, which only `load` may read.
    """
    if proto.data_location == onnx.TensorProto.EXTERNAL:
        raise ArgumentError(
            f"the data of ONNX tensor {proto.name!r} are in another file; read the model by "
            "pullback.interop.onnx.load(path), which looks for it beside the model"
        ).locate()
    value = numpy_helper.to_array(proto)
    if value.dtype != object:
        return value
    return np.array([s if isinstance(s, bytes) else s.encode() for s in value.reshape(-1)], object).reshape(value.shape)


_PLAIN = {
    onnx.AttributeProto.FLOAT: lambda a: a.f,
    onnx.AttributeProto.INT: lambda a: a.i,
    onnx.AttributeProto.STRING: lambda a: a.s.decode(),
    onnx.AttributeProto.TENSOR: lambda a: array(a.t),
    onnx.AttributeProto.FLOATS: lambda a: tuple(a.floats),
    onnx.AttributeProto.INTS: lambda a: tuple(a.ints),
    onnx.AttributeProto.STRINGS: lambda a: tuple([s.decode() for s in a.strings]),
}


def attribute(proto: onnx.AttributeProto) -> Any:
    """An attribute as a number, word, array or tuple.

    Raises:
      UnimplementedError: it is a graph, a sparse tensor or a type.
    """
    read = _PLAIN.get(proto.type)
    if read is None:
        kind = onnx.AttributeProto.AttributeType.Name(proto.type)
        raise UnimplementedError(
            f"ONNX attribute {proto.name!r} is of kind {kind}, which is not translated; numbers, words and tensors are"
        ).locate()
    return read(proto)


# ONNX's types of elements that are Pullback's too.
ELEMENTS = {
    onnx.TensorProto.DataType.Value(name.upper()): found
    for name, found in {
        "float": dtypes.float32,
        "double": dtypes.float64,
        **{
            name: dtypes.as_dtype(name) for name in ("float16", "bfloat16", "complex64", "complex128", "bool", "string")
        },
        **{f"{sign}int{bits}": dtypes.as_dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)},
    }.items()
}


def is_translated(kind: onnx.TypeProto) -> bool:
    """Whether it is a tensor of a type that Pullback has."""
    return kind.WhichOneof("value") == "tensor_type" and kind.tensor_type.elem_type in ELEMENTS


def element_name(element: int) -> str:
    """The type of elements in ONNX's words: "FLOAT8E5M2"."""
    return onnx.TensorProto.DataType.Name(element)  # type: ignore[arg-type]


def type_name(kind: onnx.TypeProto) -> str:
    """The type in ONNX's words: that of its elements, or "sequence_type" of what is no tensor."""
    what = kind.WhichOneof("value") or "no type"
    return element_name(kind.tensor_type.elem_type) if what == "tensor_type" else what


def dtype(element: int) -> DType:
    """The type that ONNX numbers so.

    Raises:
      DTypeError: Pullback has no such type, as float8 and int4.
    """
    if element not in ELEMENTS:
        raise DTypeError(
            f"ONNX's type {element_name(element)} is none of Pullback's; cast to float16 or int8 in the model"
        ).locate()
    return ELEMENTS[element]


def _constant(value: Any) -> Any:
    """What an attribute or an input holds, where that is said before a graph is run; else None."""
    if not isinstance(value, Tensor):
        return value
    if isinstance(value, EagerTensor):
        return value.numpy()
    return value.node.op.value if isinstance(value.node.op, Const) else None


def floats(value: Any, what: str) -> list[float]:
    """Numbers that must be known before a graph is run, as scales are, of an attribute or of an input.

    Raises:
      ArgumentError: they hang on what the graph is fed, or are computed.
    """
    found = _constant(value)
    if found is None:
        raise ArgumentError(
            f"{what} must be known before the graph is run, but it is the symbolic tensor {value.name!r}; "
            "make it an initializer of the model"
        ).locate()
    return [float(n) for n in np.reshape(found, -1)]


def _known(value: Any) -> tuple[int | None, ...]:
    """Whole numbers of an attribute or an input, as far as they are known before a graph is run."""
    found = _constant(value)
    if found is not None:
        return tuple([int(n) for n in np.reshape(found, -1)])
    known = interpreter.current().adopt(value).spec.value
    if known is None and value.spec.rank == 1 and value.spec.shape != (None,):
        return (None,) * value.spec.shape[0]  # type: ignore[index]
    return known if isinstance(known, tuple) else (known,)


def entries(value: Any, what: str) -> list[Any]:
    """The entries of a vector of whole numbers: numbers, and scalar tensors for those that hang on what a graph is fed.

    Raises:
      ArgumentError: not even their count is known.
    """
    known = _known(value)
    if None not in known:
        return list(known)
    if value.spec.rank != 1 or value.spec.shape == (None,):
        raise ArgumentError(f"{what} must be a vector of known length, not a tensor of shape {value.shape}").locate()
    return [value[i] if n is None else n for i, n in enumerate(known)]


def ints(value: Any, what: str) -> tuple[int, ...]:
    """Numbers that must be known before a graph is run, as axes are, of an attribute or of an input.

    Raises:
      ArgumentError: they hang on what the graph is fed.
    """
    known = _known(value)
    if None in known:
        raise ArgumentError(
            f"{what} must be known before the graph is run, but it is the symbolic tensor {value.name!r}; "
            "make it an initializer of the model"
        ).locate()
    return tuple([n for n in known if n is not None])


def shape(x: Tensor, what: str) -> tuple[int, ...]:
    """The sizes of a tensor.

    Raises:
      ArgumentError: not all are known before the graph is run.
    """
    dims = x.spec.shape
    if dims is None or None in dims:
        raise ArgumentError(
            f"{what} must be known before the graph is run, but is {x.shape}; feed tensors of known shape"
        ).locate()
    return tuple([int(n) for n in dims if n is not None])


def dims(x: Tensor, what: str) -> list[Any]:
    """The sizes of a tensor: numbers, and int32 scalars for those that are known only when the graph is run.

    Raises:
      ArgumentError: not even the number of dimensions is known.
    """
    rank(x, what)
    return [Shape_()(x)[i] if n is None else n for i, n in enumerate(x.spec.shape or ())]


def rank(x: Tensor, what: str) -> int:
    """The number of dimensions.

    Raises:
      ArgumentError: it is not known before the graph is run.
    """
    if x.spec.shape is None:
        raise ArgumentError(f"{what}: the number of dimensions of its input must be known").locate()
    return len(x.spec.shape)


def size(x: Tensor, axis: int, what: str) -> int:
    """The size of one axis.

    Raises:
      ArgumentError: it is not known before the graph is run.
    """
    n = None if x.spec.shape is None else x.spec.shape[axis]
    if n is None:
        raise ArgumentError(
            f"{what}: the size of axis {axis} of its input must be known before the graph is run, but that is {x.shape}"
        ).locate()
    return n


def spatial(x: Tensor, what: str) -> tuple[int, ...]:
    """The spatial sizes of x [N,C,*spatial], in pixels.

    Raises:
      ArgumentError: they are not known before the graph is run, or there are none.
    """
    dims = x.spec.shape
    if dims is None or len(dims) < 3 or None in dims[2:]:
        raise ArgumentError(
            f"{what}: an input [N,C,*spatial] is needed whose spatial sizes are known before the graph is run, "
            f"not one of shape {x.shape}"
        ).locate()
    return tuple([int(n) for n in dims[2:] if n is not None])
