"""Element types: TensorFlow's names over NumPy's types.

Strings are bytes in object arrays. `resource` is the type of a variable's handle, `variant` that of a
list of tensors; their values are Python objects.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.errors import DTypeError
from pullback.core.names import public

_ENUM = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "string": 7,
    "complex64": 8, "int64": 9, "bool": 10, "bfloat16": 14, "uint16": 17, "complex128": 18,
    "float16": 19, "resource": 20, "variant": 21, "uint32": 22, "uint64": 23,
}  # fmt: skip
_OBJECTS = ("string", "resource", "variant")


@public("DType", "dtypes.DType")
class DType:
    """One element type; compares equal to its name and to NumPy's type."""

    __slots__ = ("_numpy", "is_bool", "is_complex", "is_floating", "is_integer", "is_unsigned", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_floating = "float" in name
        self.is_complex = name.startswith("complex")
        self.is_integer = name.lstrip("u").startswith("int")
        self.is_unsigned = name.startswith("uint")
        self.is_bool = name == "bool"
        self._numpy: np.dtype[Any] | None = None

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype of arrays that hold this type."""
        if self._numpy is None:
            if self.name == "bfloat16":
                import ml_dtypes

                self._numpy = np.dtype(ml_dtypes.bfloat16)
            else:
                self._numpy = np.dtype(object if self.name in _OBJECTS else self.name)
            _BY_NUMPY.setdefault(self._numpy, self)
        return self._numpy

    @property
    def as_numpy_dtype(self) -> type:
        return self.numpy.type

    @property
    def as_datatype_enum(self) -> int:
        return _ENUM[self.name]

    @property
    def is_differentiable(self) -> bool:
        """Whether mathematics has derivatives here: floating or complex."""
        return self.is_floating or self.is_complex

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def real_dtype(self) -> DType:
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    @property
    def is_numpy_compatible(self) -> bool:
        return self.name not in ("resource", "variant")

    @property
    def size(self) -> int:
        """Bytes an element."""
        return self.numpy.itemsize

    def _limit(self, which: str) -> Any:
        if self.is_floating:
            if self.name == "bfloat16":
                import ml_dtypes

                return getattr(ml_dtypes.finfo(self.numpy), which)
            return getattr(np.finfo(self.numpy), which)
        if self.is_integer:
            return getattr(np.iinfo(self.numpy), which)
        if self.is_bool:
            return which == "max"
        raise DTypeError(f"{self.name} has no {which}imum: it is neither real nor bool")

    @property
    def min(self) -> Any:
        return self._limit("min")

    @property
    def max(self) -> Any:
        return self._limit("max")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range TensorFlow gives image values: [0, 1] for floats, [0, max] for integers."""
        return (0, 1) if self.is_floating else (0, self.max)

    def is_compatible_with(self, other: Any) -> bool:
        return self is as_dtype(other)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return self is as_dtype(other)
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


_BY_NUMPY: dict[np.dtype[Any], DType] = {}
float16, float32, float64 = DType("float16"), DType("float32"), DType("float64")
bfloat16 = DType("bfloat16")
int8, int16, int32, int64 = DType("int8"), DType("int16"), DType("int32"), DType("int64")
uint8, uint16, uint32, uint64 = DType("uint8"), DType("uint16"), DType("uint32"), DType("uint64")
complex64, complex128 = DType("complex64"), DType("complex128")
bool_, string = DType("bool"), DType("string")
resource, variant = DType("resource"), DType("variant")

REALS = (float16, float32, float64, bfloat16)
COMPLEXES = (complex64, complex128)
FLOATS = REALS + COMPLEXES
INTS = (int32, int64, int8, int16, uint8, uint16, uint32, uint64)
INDICES = (int32, int64)
NUMBERS = FLOATS + INTS
ANY = (*NUMBERS, bool_, string)

_BY_NAME = {t.name: t for t in (*ANY, resource, variant)}
_BY_NAME |= {"half": float16, "float": float32, "double": float64}
_BY_NUMPY.update((t.numpy, t) for t in ANY if t is not bfloat16)
_BY_PYTHON: dict[Any, DType] = {
    float: float32,
    int: int32,
    bool: bool_,
    complex: complex128,
    str: string,
    bytes: string,
}
_BY_ENUM = {number: _BY_NAME[name] for name, number in _ENUM.items()}


@public("as_dtype", "dtypes.as_dtype")
def as_dtype(type_value: Any) -> DType:
    """DType of a name, a NumPy or Python type, TensorFlow's enum number, or a DType.

    Raises:
      DTypeError: the value names no element type.
    """
    value = type_value
    if isinstance(value, DType):
        return value
    try:
        if value in _BY_PYTHON:
            return _BY_PYTHON[value]
        if isinstance(value, str) and value in _BY_NAME:
            return _BY_NAME[value]
        if isinstance(value, int) and value in _BY_ENUM:
            return _BY_ENUM[value]
        return from_numpy(np.dtype(type_value))
    except (TypeError, KeyError):
        names = ", ".join(_BY_NAME)
        raise DTypeError(f"{value!r} names no element type; the names are {names}").locate() from None


def from_numpy(dtype: np.dtype[Any]) -> DType:
    """DType of a NumPy dtype."""
    found = _BY_NUMPY.get(dtype)
    if found is not None:
        return found
    if dtype.kind in "SU":
        return string
    if dtype.name == "bfloat16" and bfloat16.numpy == dtype:
        return bfloat16
    if dtype.newbyteorder("=") in _BY_NUMPY:
        return _BY_NUMPY[dtype.newbyteorder("=")]
    raise DTypeError(f"NumPy's {dtype} has no TensorFlow type")
