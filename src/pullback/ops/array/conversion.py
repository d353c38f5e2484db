"""Tensors from Python and NumPy values, and of another type: constant, convert_to_tensor, cast, identity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest
from pullback.core.basics import BroadcastTo
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError, DTypeError, OpError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.signature import array_of
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.shape import Reshape, dims
from pullback.ops.math.arithmetic import Maximum, Minimum
from pullback.ops.math.select import Cast, Identity
from pullback.ops.sparse import SparseTensor, SparseTensorValue


@public("constant", v1=None)
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """A tensor of Python or NumPy values.

    Args:
      value: numbers, words, truths, nested lists of them, or an array. Python floats become float32, ints int32.
      dtype: the element type; by default the values'.
      shape: the result's; a single value is repeated, others must be as many as it holds.
    Raises:
      DTypeError: the values do not convert without loss. ArgumentError: they are another number than the shape's.
    """
    return _constant(value, dtype, shape, name, fills=False)


@public(v1="constant")
def constant_v1(
    value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False
) -> Tensor:
    """As `constant`, but when fewer values than the shape holds are given, the last is repeated.

    Args:
      verify_shape: the values must have the shape as they are.
    """
    return _constant(value, dtype, shape, name, fills=True, exactly=verify_shape)


def _constant(value: Any, dtype: Any, to: Any, name: str, fills: bool, exactly: bool = False) -> Tensor:
    if isinstance(value, Tensor) and type(value) is not EagerTensor:
        raise DTypeError(f"constant: {value!r} has no value yet, so it is no constant; use tf.identity").locate()
    if to is None or type(value) is EagerTensor:
        x = interpreter.as_tensor(value, dtype, name)
        return x if to is None else _reshaped_eager(x, dims(to))
    try:
        array = array_of(value, None if dtype is None else as_dtype(dtype), "constant")
    except OpError as error:
        raise error.locate() from None
    wanted = dims(to if isinstance(to, (tuple, list)) else as_shape(to))
    if exactly and array.shape != wanted:
        raise DTypeError(
            f"constant: expected values of shape {list(wanted)}, but got shape {list(array.shape)}"
        ).locate()
    array = _filled(array, wanted, fills)
    return interpreter.current().constant(array, interpreter.constant_spec(array, dtype and as_dtype(dtype)), name)


def _filled(array: Any, wanted: tuple[int, ...], fills: bool) -> Any:
    """Values as an array of the wanted shape."""
    count = math.prod(wanted)
    if array.size == count:
        return array.reshape(wanted)
    if array.size == 1 or (fills and 0 < array.size < count):
        flat = array.ravel()
        return np.concatenate([flat, np.repeat(flat[-1:], max(count - array.size, 0))])[:count].reshape(wanted)
    raise ArgumentError(f"constant: {array.size} values do not make shape {list(wanted)}, which holds {count}").locate()


def _reshaped_eager(x: Tensor, wanted: Any) -> Tensor:
    if x.spec.shape == wanted:
        return x
    return BroadcastTo()(x, wanted) if x.spec.shape == () else Reshape()(x, wanted)


@public("convert_to_tensor", v1=None)
def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    """A tensor of what is one, stands for one (a variable), or can be a constant; lists may hold tensors.

    Args:
      dtype: the type it must have. dtype_hint: the type to prefer where no tensor settles it.
    Raises:
      DTypeError: a tensor has another type, or the values do not convert.
    """
    if dtype is None and dtype_hint is not None:
        try:
            return interpreter.as_tensor(value, dtype_hint, name)
        except DTypeError:
            return interpreter.as_tensor(value, None, name)
    return interpreter.as_tensor(value, dtype, name)


@public(v1="convert_to_tensor")
def convert_to_tensor_v1(
    value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None, dtype_hint: Any = None
) -> Tensor:
    """As `convert_to_tensor`; `preferred_dtype` is the hint's earlier name."""
    return convert_to_tensor(value, dtype, dtype_hint if preferred_dtype is None else preferred_dtype, name)


@public("cast")
def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """A tensor in another element type; of IndexedSlices and SparseTensors the values.

    Complex to real drops the imaginary part; real to integer truncates towards zero; to bool asks for "not zero".
    Gradient: cast back, between floating and complex types; none elsewhere.
    """
    to = as_dtype(dtype)
    if isinstance(x, IndexedSlices):
        return x if x.dtype is to else IndexedSlices(Cast(to)(x.values, name=name), x.indices, x.dense_shape)
    if isinstance(x, SparseTensor):
        return x if x.dtype is to else x.with_values(Cast(to)(x.values, name=name))
    x = interpreter.as_tensor(x)
    return x if x.dtype is to else Cast(to)(x, name=name)


@public("dtypes.saturate_cast", "saturate_cast")
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """As `cast`, but values beyond the range of an integer or floating type become its ends."""
    to = as_dtype(dtype)
    x = interpreter.as_tensor(value)
    if x.dtype.is_complex or to.is_complex or x.dtype.is_bool or to.is_bool:
        return cast(x, to, name)
    have = x.dtype
    low, high = (have.numpy.type(v) for v in _range_within(have, to))
    if have.min < to.min:
        x = Maximum()(x, low)
    if have.max > to.max:
        x = Minimum()(x, high)
    return cast(x, to, name)


def _range_within(have: Any, to: Any) -> tuple[Any, Any]:
    """The ends of `to` as `have` can hold them, rounded inwards: float32 has no 2**31 - 1."""
    ends = []
    for end, inwards in ((_plain(to.min), np.inf), (_plain(to.max), -np.inf)):
        near = have.numpy.type(max(min(end, _plain(have.max)), _plain(have.min)))
        beyond = near.item() > end if inwards < 0 else near.item() < end
        ends.append(np.nextafter(near, have.numpy.type(inwards)) if beyond and have.is_floating else near)
    return ends[0], ends[1]


def _plain(number: Any) -> Any:
    """A Python number, which compares exactly with others."""
    return number.item() if hasattr(number, "item") else number


@public(v1="to_float")
def to_float(x: Any, name: str = "ToFloat") -> Any:
    """`cast` to float32."""
    return cast(x, dtypes.float32, name)


@public(v1="to_double")
def to_double(x: Any, name: str = "ToDouble") -> Any:
    """`cast` to float64."""
    return cast(x, dtypes.float64, name)


@public(v1="to_int32")
def to_int32(x: Any, name: str = "ToInt32") -> Any:
    """`cast` to int32."""
    return cast(x, dtypes.int32, name)


@public(v1="to_int64")
def to_int64(x: Any, name: str = "ToInt64") -> Any:
    """`cast` to int64."""
    return cast(x, dtypes.int64, name)


@public(v1="to_bfloat16")
def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Any:
    """`cast` to bfloat16."""
    return cast(x, dtypes.bfloat16, name)


@public(v1="to_complex64")
def to_complex64(x: Any, name: str = "ToComplex64") -> Any:
    """`cast` to complex64."""
    return cast(x, dtypes.complex64, name)


@public(v1="to_complex128")
def to_complex128(x: Any, name: str = "ToComplex128") -> Any:
    """`cast` to complex128."""
    return cast(x, dtypes.complex128, name)


@public("identity")
def identity(input: Any, name: str | None = None) -> Any:
    """The tensor itself, under a node of its own; of IndexedSlices and SparseTensors their parts."""
    if isinstance(input, IndexedSlices):
        return IndexedSlices(Identity()(input.values, name=name), Identity()(input.indices), input.dense_shape)
    if isinstance(input, SparseTensor):
        return nest.mapped(Identity(), input)
    return Identity()(input, name=name)


@public(v1="convert_to_tensor_or_sparse_tensor")
def convert_to_tensor_or_sparse_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """SparseTensors as they are, of a SparseTensorValue one, anything else as a tensor.

    Raises:
      RuntimeError: a SparseTensor is of another type than `dtype`.
    """
    if not isinstance(value, (SparseTensor, SparseTensorValue)):
        return interpreter.as_tensor(value, dtype, name)
    made = value if isinstance(value, SparseTensor) else SparseTensor(*value)
    if dtype is not None and made.dtype is not as_dtype(dtype):
        raise RuntimeError(f"Sparse dtype mismatch. Requested: {as_dtype(dtype).name}, Actual: {made.dtype.name}")
    return made


@public("identity_n")
def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """The tensors of a list themselves, each under a node of its own."""
    return [Identity()(x, name=name) for x in input]
