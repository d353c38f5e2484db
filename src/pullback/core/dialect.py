"""What differs between TensorFlow 1 and 2 in the meaning of tensors. Data of an interpreter, not a process flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pullback.core.dtypes import DType
from pullback.core.shape import TensorShape, TensorShapeV1


class Dialect(NamedTuple):
    """One meaning of tensors.

    elementwise_equality: `a == b` compares elements (and tensors do not hash); otherwise it compares identity.
    shape: the class of `tensor.shape`; TensorFlow 1's holds Dimensions.
    carries: which dtypes a cotangent passes through; TensorFlow 1 lets integers through.
    variable: op type of a variable's handle.
    """

    name: str
    elementwise_equality: bool
    shape: type[TensorShape]
    carries: Callable[[DType], bool]
    variable: str


def floating(dtype: DType) -> bool:
    """Floating or complex."""
    return dtype.is_differentiable


def numeric(dtype: DType) -> bool:
    """Floating, complex or integer."""
    return dtype.is_differentiable or dtype.is_integer


V2 = Dialect("v2", True, TensorShape, floating, "VarHandleOp")
V1 = Dialect("v1", False, TensorShapeV1, numeric, "VariableV2")
