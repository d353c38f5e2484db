"""The dtypes by their public names, for the namespaces."""

from pullback.core.dtypes import (
    bfloat16,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from pullback.core.dtypes import bool_ as bool
from pullback.core.dtypes import float16 as half
from pullback.core.dtypes import float64 as double

__all__ = [
    "bfloat16", "bool", "complex64", "complex128", "double", "float16", "float32", "float64", "half", "int8", "int16",
    "int32", "int64", "resource", "string", "uint8", "uint16", "uint32", "uint64", "variant",
]  # fmt: skip
