"""Arrays as bytes and as TensorProto messages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.interpreter import as_tensor, eager, spec_of
from pullback.core.names import public
from pullback.io import messages

# A message has less than 2 GiB.
MOST_ELEMENTS = 2**31
# Beyond so many elements, a message of a few bytes does not get the memory that it asks for.
_MOST_COPIED = 1 << 20
# Where a TensorProto keeps numbers of each type when not as bytes.
_FIELDS = {
    "float32": "float_val", "float64": "double_val", "int32": "int_val", "uint8": "int_val", "int16": "int_val",
    "int8": "int_val", "uint16": "int_val", "int64": "int64_val", "bool": "bool_val", "float16": "half_val",
    "bfloat16": "half_val", "uint32": "uint32_val", "uint64": "uint64_val", "complex64": "scomplex_val",
    "complex128": "dcomplex_val", "string": "string_val",
}  # fmt: skip


def dtype_of(number: int, what: str) -> DType:
    """The element type of TensorFlow's number; of the former reference types the type they refer to.

    Raises:
      DTypeError: it is one that is not known here.
    """
    try:
        return as_dtype(number - 100 if number > 100 else number)
    except DTypeError:
        name = messages.DataType.Name(number) if number in messages.DataType.values() else "unknown"
        raise DTypeError(f"{what}: element type {number} ({name}) is not supported").locate() from None


def as_array(value: Any) -> np.ndarray[Any, Any]:
    """The value of a tensor as an array: strings in an object array.

    Raises:
      DTypeError: it is a handle or a list of tensors, which files do not hold.
    """
    if isinstance(value, (bytes, str)):
        array = np.empty((), object)
        array[()] = value.encode() if isinstance(value, str) else value
        return array
    array = np.asarray(value)
    if array.dtype == object and not all(isinstance(v, bytes) for v in array.ravel()):
        raise DTypeError(f"a value of type {type(value).__name__} is no array of numbers or bytes").locate()
    return array


def little_endian(array: np.ndarray[Any, Any]) -> bytes | memoryview:
    """The numbers of an array in row-major order, lowest byte first, without a copy where they lie so already."""
    array = np.ascontiguousarray(array)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    return array.reshape(-1).view(np.uint8).data if array.size else b""


def from_bytes(data: bytes, dtype: DType, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The array that `little_endian` made the bytes of."""
    return np.frombuffer(data, dtype.numpy.newbyteorder("<")).astype(dtype.numpy).reshape(shape)


def shape_proto(shape: Any) -> Any:
    """The message of a shape: a tuple with None for what is unknown, or None for unknown rank."""
    made = messages.TensorShapeProto()
    if shape is None:
        made.unknown_rank = True
    else:
        made.dim.extend([messages.TensorShapeProto.Dim(size=-1 if n is None else n) for n in shape])
    return made


def shape_of_proto(message: Any) -> tuple[int | None, ...] | None:
    """The shape that a message says."""
    return None if message.unknown_rank else tuple(None if d.size < 0 else d.size for d in message.dim)


def tensor_proto(value: Any, dtype: DType | None = None) -> Any:
    """The message of an array."""
    array = as_array(value)
    dtype = dtype or spec_of(array).dtype
    array = array.astype(dtype.numpy, copy=False)
    made = messages.TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=shape_proto(array.shape))
    if dtype is dtypes.string:
        made.string_val.extend(array.ravel().tolist())
    else:
        made.tensor_content = bytes(little_endian(array))
    return made


def array_of_proto(message: Any, what: str = "tensor") -> np.ndarray[Any, Any]:
    """The array of a message.

    Raises:
      ArgumentError: the message has not as many elements as its shape. DTypeError: its type is not supported.
    """
    dtype = dtype_of(message.dtype, what)
    shape = shape_of_proto(message.tensor_shape)
    if shape is None or None in shape:
        raise ArgumentError(f"{what}: its shape {shape} is not fully known").locate()
    sizes: tuple[int, ...] = tuple(n for n in shape if n is not None)
    count = math.prod(sizes)
    if count > MOST_ELEMENTS:
        raise ArgumentError(f"{what}: {count} elements are more than a message can hold").locate()
    if message.tensor_content and dtype is not dtypes.string:
        if len(message.tensor_content) != count * dtype.size:
            raise ArgumentError(
                f"{what}: {len(message.tensor_content)} bytes are given for {count} elements of {dtype.name}"
            ).locate()
        return from_bytes(message.tensor_content, dtype, sizes)
    if dtype.name not in _FIELDS:
        raise DTypeError(f"{what}: a tensor of type {dtype.name} has no value in a file").locate()
    listed = _listed(getattr(message, _FIELDS[dtype.name]), dtype)
    if len(listed) > count or (count and not len(listed) and dtype is dtypes.string):
        raise ArgumentError(f"{what}: {len(listed)} elements are given for a shape of {count}").locate()
    if not len(listed):
        listed = np.zeros(1, dtype.numpy)
    if len(listed) == 1 and count > _MOST_COPIED:  # one number in the memory of one
        return np.broadcast_to(listed.reshape(()), sizes)
    if len(listed) < count:  # the last one stands for all that follow
        listed = np.concatenate([listed, np.repeat(listed[-1:], count - len(listed))])
    return listed[:count].reshape(sizes)


def _listed(values: Any, dtype: DType) -> np.ndarray[Any, Any]:
    """A repeated field as a vector."""
    if dtype is dtypes.string:
        out = np.empty(len(values), object)
        out[:] = list(values)
        return out
    if dtype in (dtypes.float16, dtypes.bfloat16):
        return np.array(values, np.uint16).view(dtype.numpy)
    if dtype.is_complex:
        return np.array(values, dtype.real_dtype.numpy).view(dtype.numpy)
    return np.array(values).astype(dtype.numpy)


@public("make_tensor_proto")
def make_tensor_proto(
    values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False, allow_broadcast: bool = False
) -> Any:
    """The TensorProto of a value.

    Args:
      values: what `convert_to_tensor` takes, or an eager tensor.
      dtype: its type. shape: its shape; fewer values are repeated, the last one over and over.
      verify_shape: the value must have this very shape.
      allow_broadcast: a value of another shape must broadcast to it.
    Raises:
      TypeError: the value has another shape than `verify_shape` asks for. ValueError: it does not fit the shape.
    """
    array = as_array(as_tensor(values, None if dtype is None else as_dtype(dtype), here=eager()).value)
    if shape is None:
        return tensor_proto(array)
    sizes = tuple(int(n) for n in shape)
    if verify_shape and array.shape != sizes:
        raise TypeError(f"Expected Tensor's shape: {sizes}, got {array.shape}.")
    if allow_broadcast:
        return tensor_proto(np.broadcast_to(array, sizes))
    count, flat = int(np.prod(sizes, dtype=np.int64)), array.ravel()
    if len(flat) > count or (not len(flat) and count):
        raise ValueError(f"make_tensor_proto: {len(flat)} values do not fit shape {sizes} of {count}")
    return tensor_proto(np.concatenate([flat, np.repeat(flat[-1:], count - len(flat))]).reshape(sizes))


@public("make_ndarray")
def make_ndarray(tensor: Any) -> np.ndarray[Any, Any]:
    """The array of a TensorProto.

    Raises:
      DTypeError: its type is not supported. ArgumentError: it has not as many values as its shape says.
    """
    return array_of_proto(tensor, "make_ndarray")
