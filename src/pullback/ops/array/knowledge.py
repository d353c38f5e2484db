"""What is known of a value: whether it is a tensor, what it is before it runs, how it becomes a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.names import public
from pullback.core.shape import size_of
from pullback.core.tensor import EagerTensor, Tensor

# Ops whose value follows from their inputs' where those are known; as many as TensorFlow looks through.
_FOLLOWED = {
    "Cast", "ConcatV2", "Equal", "Fill", "Identity", "NotEqual", "Pack", "Range", "Rank", "Reshape", "StopGradient",
    "Unpack", "ZerosLike", "OnesLike",
}  # fmt: skip
# Beyond so many elements a value is not worked out before it is needed.
_MOST = 1 << 20


@public("is_tensor", v1=("is_tensor", "contrib.framework.is_tensor"))
def is_tensor(x: Any) -> bool:
    """Whether x is a tensor, variable, sparse tensor or IndexedSlices. What only becomes a tensor is none."""
    from pullback.ops.sparse import SparseTensor

    return isinstance(x, (Tensor, SparseTensor)) or hasattr(type(x), "__pullback_tensor__")


@public("is_symbolic_tensor")
def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether x is a tensor that has no value before it is run."""
    return isinstance(tensor, Tensor) and type(tensor) is not EagerTensor


@public("debugging.is_numeric_tensor", v1=("debugging.is_numeric_tensor", "is_numeric_tensor"))
def is_numeric_tensor(tensor: Any) -> bool:
    """Whether x is a tensor of numbers: floating, complex, or integer."""
    return isinstance(tensor, Tensor) and (tensor.dtype.is_differentiable or tensor.dtype.is_integer)


@public("get_static_value")
def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor that is known before it runs, as an array; None when it is not.

    Args:
      partial: also of a vector known in part, as an array of objects with None where unknown.
    """
    if type(tensor) is EagerTensor:
        return np.asarray(tensor.value)
    if not isinstance(tensor, Tensor):
        return tensor if isinstance(tensor, (np.ndarray, np.generic)) else None
    found = _value(tensor)
    if found is None and partial and tensor.spec.value is not None:
        return np.array(tensor.spec.value, dtype=object)
    return found


def _value(tensor: Tensor) -> Any:
    if type(tensor) is EagerTensor:
        return np.asarray(tensor.value)
    op, known = tensor.node.op, tensor.spec.value
    if op.type == "Const":
        return np.asarray(op.value)
    if known is not None and not _holds_none(known):
        return np.array(known, tensor.dtype.as_numpy_dtype)
    if op.type not in _FOLLOWED or op.random or not tensor.spec.known:
        return None
    if (size_of(tensor.spec.shape) or 0) > _MOST:
        return None
    values = [_value(t) for t in tensor.node.inputs]
    if any(v is None for v in values):
        return None
    made = op.reference(*values)
    return np.asarray(made[tensor.index] if isinstance(made, tuple) else made)


def _holds_none(value: Any) -> bool:
    return value is None or (isinstance(value, tuple) and any(_holds_none(v) for v in value))


_Conversion = Callable[..., Any]


@public("register_tensor_conversion_function")
def register_tensor_conversion_function(base_type: Any, conversion_func: _Conversion, priority: int = 100) -> None:
    """Lets objects of a type stand for tensors: `conversion_func(value, dtype=None, name=None, as_ref=False)` gives the
    tensor, or NotImplemented.

    Args:
      base_type: a class of the program's own, or a tuple of classes.
      priority: functions with the smaller number are asked first.
    Raises:
      TypeError: the type is one of Python's or NumPy's own, whose meaning is fixed.
    """
    if not callable(conversion_func):
        raise TypeError("conversion_func must be callable.")
    for cls in base_type if isinstance(base_type, tuple) else (base_type,):
        if not isinstance(cls, type):
            raise TypeError("Argument base_type must be a type or a tuple of types.")
        _register(cls, conversion_func, priority)


def _register(cls: Any, function: _Conversion, priority: int) -> None:
    rows: list[tuple[int, _Conversion]] = list(cls.__dict__.get("_pullback_conversions", ()))
    rows = sorted([*rows, (priority, function)], key=lambda row: row[0])

    def tensor_of(self: Any, here: Any = None) -> Any:
        for _, convert in rows:
            made = convert(self, dtype=None, name=None, as_ref=False)
            if made is not NotImplemented:
                return interpreter.as_tensor(made, here=here)
        raise TypeError(f"no conversion that is registered for {cls.__name__} takes {self!r}")

    try:
        cls._pullback_conversions, cls.__pullback_tensor__ = rows, tensor_of
    except TypeError:
        raise TypeError(
            f"Cannot register conversions for {cls.__name__}: what Python's and NumPy's own types become is fixed"
        ) from None
