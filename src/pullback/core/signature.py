"""What an op's signature line says: "x: T, axis: int32|int64 -> y: T; at: int64".

x: T            T is a set of dtypes (class attribute) that all its uses share, or a field of the op
*values: T      any number of tensors, at least none
int32|int64     one of these;   any: any type
; at: int64     residuals: outputs kept for the gradient
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pullback.core import dtypes, memory
from pullback.core.dtypes import DType
from pullback.core.errors import DTypeError
from pullback.core.spec import Spec


class Argument:
    """One input or output of a signature."""

    __slots__ = ("allowed", "name", "repeats", "variable")

    def __init__(self, text: str, sets: Any) -> None:
        name, kind = (part.strip() for part in text.split(":"))
        self.repeats = name.startswith("*")
        self.name = name.lstrip("*")
        single = [dtypes._BY_NAME.get(k) for k in kind.split("|")]
        self.variable = None if kind == "any" or None not in single else kind
        self.allowed: tuple[DType, ...] | None = None
        if kind == "any":
            return
        if self.variable is None:
            self.allowed = tuple(t for t in single if t is not None)
        elif kind not in getattr(sets, "fields", ()):
            self.allowed = tuple(getattr(sets, kind))


class Signature:
    """A parsed signature; belongs to an op class."""

    def __init__(self, cls: type) -> None:
        line: str = cls.signature
        self.op_type: str = cls.type
        self.free = not line  # control ops: what they take is said by the graphs they hold
        given, _, made = line.partition("->")
        visible, _, hidden = made.partition(";")
        self.inputs, self.results = _arguments(given, cls), _arguments(visible, cls) + _arguments(hidden, cls)
        self.residuals = len(_arguments(hidden, cls))
        self.repeated = next((i for i, a in enumerate(self.inputs) if a.repeats), None)

    @functools.lru_cache(maxsize=64)  # noqa: B019 - signatures live as long as their classes
    def arguments(self, count: int) -> tuple[Argument, ...]:
        """The argument each of `count` inputs is for.

        Raises:
          TypeError: the op takes another number.
        """
        if self.repeated is None:
            if count != len(self.inputs):
                needed = ", ".join(a.name for a in self.inputs)
                raise TypeError(f"{self.op_type} takes {len(self.inputs)} inputs ({needed}), but {count} were given")
            return self.inputs
        i, extra = self.repeated, count - len(self.inputs) + 1
        return self.inputs[:i] + (self.inputs[i],) * extra + self.inputs[i + 1 :]

    def wanted(self, op: Any, known: list[DType | None]) -> list[DType | None]:
        """For each input the dtype it must have: what the tensors among them (known) settle, or a field says."""
        if self.free:
            return [None] * len(known)
        arguments = (
            self.inputs if self.repeated is None and len(known) == len(self.inputs) else self.arguments(len(known))
        )
        settled: dict[str, DType] = {}
        for a, dtype in zip(arguments, known, strict=True):
            if a.variable and dtype is not None:
                settled.setdefault(a.variable, dtype)
        return [self._one(op, a, settled) for a in arguments]

    def _one(self, op: Any, a: Argument, settled: dict[str, DType]) -> DType | None:
        if a.variable is None:
            return a.allowed[0] if a.allowed is not None and len(a.allowed) == 1 else None
        if a.variable in settled:
            return settled[a.variable]
        return getattr(op, a.variable) if a.allowed is None else None

    def outputs(self, op: Any, inputs: tuple[Spec, ...]) -> tuple[DType, ...]:
        """The results' dtypes, once the inputs' are found to fit.

        Raises:
          DTypeError: an input's dtype does not fit, or two that must agree differ.
        """
        if self.free:
            return ()
        settled: dict[str, tuple[DType, str]] = {}
        for a, spec in zip(self.arguments(len(inputs)), inputs, strict=True):
            dtype = spec.dtype
            if a.variable is not None:
                if a.allowed is None:
                    settled.setdefault(a.variable, (getattr(op, a.variable), "field"))
                first, where = settled.setdefault(a.variable, (dtype, a.name))
                if first is not dtype:
                    raise DTypeError(
                        f"{self.op_type}: {a.name} is {dtype.name} but {where} is {first.name}; tensors are never "
                        f"converted silently, use tf.cast({a.name}, tf.{first.name})"
                    )
            if a.allowed is not None and dtype not in a.allowed:
                names = ", ".join(t.name for t in a.allowed)
                raise DTypeError(f"{self.op_type}: {a.name} is {dtype.name}, but it must be one of {names}")
        found = {name: dtype for name, (dtype, _) in settled.items()}
        return tuple(self._one(op, a, found) or dtypes.variant for a in self.results)


def _arguments(line: str, cls: type) -> tuple[Argument, ...]:
    return tuple(Argument(part, cls) for part in line.split(",") if part.strip())


def array_of(value: Any, dtype: DType | None, what: str = "value") -> np.ndarray[Any, Any]:
    """A fresh array of what is not a tensor. Python floats are float32, ints int32 (int64 where they do not fit);
    arrays keep their dtype. With `dtype`: converted to it, unless that would lose a fraction.

    Raises:
      DTypeError: the value does not convert.
    """
    try:
        if type(value) is np.ndarray and value.dtype.kind in "biufcV" and dtype is not dtypes.string:
            array = memory.copied(value)
        else:
            array = np.array(value, dtype=object if dtype is dtypes.string else None)
    except UnicodeDecodeError:  # str and bytes side by side
        array = np.array(value, dtype=object)
    except ValueError as error:
        raise DTypeError(f"{what}: {value!r} is no rectangular array: {error}") from None
    if array.dtype.kind in "SU":
        array = array.astype(object)
    if array.dtype.kind == "O":
        return _bytes_of(array, dtype, what, value)
    plain = not isinstance(value, (np.ndarray, np.generic))
    if dtype is None:
        if not plain or _holds_numpy(value):
            dtype = dtypes.from_numpy(array.dtype)
            return array if array.dtype == dtype.numpy else array.astype(dtype.numpy)
        dtype = {"f": dtypes.float32, "i": dtypes.int32, "u": dtypes.int32, "c": dtypes.complex128, "b": dtypes.bool_}[
            array.dtype.kind
        ]
        if dtype is dtypes.int32 and array.size and (array.max() > 2**31 - 1 or array.min() < -(2**31)):
            dtype = dtypes.int64
    if array.dtype == dtype.numpy:
        return array
    have = dtypes.from_numpy(array.dtype)
    loses = _rank(have) > _rank(dtype) or (have.is_bool != dtype.is_bool)
    if (loses and array.size) or dtype in (dtypes.string, dtypes.resource, dtypes.variant):
        raise DTypeError(
            f"{what}: {_short(value)} is {have.name} and cannot become {dtype.name} without loss; "
            f"use tf.cast, or give a value of type {dtype.name}"
        )
    if dtype.is_integer and array.size and (array.min() < dtype.min or array.max() > dtype.max):
        raise DTypeError(
            f"{what}: {_short(value)} does not fit {dtype.name}, whose range is {dtype.min} to {dtype.max}"
        )
    with np.errstate(over="ignore"):
        return array.astype(dtype.numpy)


def _bytes_of(array: np.ndarray[Any, Any], dtype: DType | None, what: str, value: Any) -> np.ndarray[Any, Any]:
    flat = [v.encode() if isinstance(v, str) else v for v in array.ravel()]
    if dtype not in (None, dtypes.string) or not all(isinstance(v, bytes) for v in flat):
        wanted = f"type {dtype.name}" if dtype else "any tensor type"
        raise DTypeError(f"{what}: {_short(value)} does not convert to {wanted}")
    out = np.empty(len(flat), object)
    out[:] = flat
    return out.reshape(array.shape)


def _holds_numpy(value: Any) -> bool:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (np.ndarray, np.generic))


def _rank(dtype: DType) -> int:
    """Bool and integers before reals before complex: a value never goes back."""
    return 2 if dtype.is_complex else 1 if dtype.is_floating else 0


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
