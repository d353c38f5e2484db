"""Spec: what is known of a tensor before it is computed."""

from __future__ import annotations

import weakref
from typing import Any

from pullback.core import shape as shapes
from pullback.core.dtypes import DType
from pullback.core.shape import Shape

# A static value longer than this is not carried: shapes are short, index tables are not shapes.
MOST_STATIC = 64


class Spec:
    """Shape and dtype of a tensor and, for small integer tensors, its value as far as it is known.

    Interned: equal specs are one object, so they hash and compare by identity.

    `value` is an int or None for a scalar, a tuple of these for a vector, of such tuples for a matrix (paddings),
    absent (None) otherwise. The spec of a variable's handle carries, as `value`, the Spec of what the variable holds.
    """

    __slots__ = ("__weakref__", "dtype", "known", "shape", "value")
    shape: Shape
    dtype: DType
    value: Any
    known: bool  # whether every dimension is
    _interned: weakref.WeakValueDictionary[Any, Spec] = weakref.WeakValueDictionary()

    def __new__(cls, shape: Shape, dtype: DType, value: Any = None) -> Spec:
        key = (shape, dtype.name, value)
        found = cls._interned.get(key)
        if found is not None:
            return found
        self = object.__new__(cls)
        self.shape, self.dtype, self.value = shape, dtype, value
        self.known = shapes.known(shape)
        return cls._interned.setdefault(key, self)

    def with_shape(self, shape: Shape) -> Spec:
        """The same dtype in another shape; the value is not carried."""
        return Spec(shape, self.dtype)

    def with_dtype(self, dtype: DType) -> Spec:
        """The same shape of another dtype; the value is not carried."""
        return Spec(self.shape, dtype)

    def with_value(self, value: Any) -> Spec:
        """The same, with what is known of the value."""
        return Spec(self.shape, self.dtype, value)

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    @property
    def held(self) -> Spec:
        """What a variable's handle leads to; a plain tensor's own spec."""
        return self.value if isinstance(self.value, Spec) else self

    def __repr__(self) -> str:
        return f"{self.dtype.name}{shapes.text(self.shape)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Spec, (self.shape, self.dtype, self.value)


def known_vector(spec: Spec) -> tuple[int | None, ...] | None:
    """What is known of a shape argument: its entries (None or -1 as they are), or None when not even its length is."""
    if isinstance(spec.value, tuple):
        return spec.value
    if spec.shape is not None and len(spec.shape) == 1 and spec.shape[0] is not None and spec.shape[0] <= MOST_STATIC:
        return (None,) * spec.shape[0]
    return None
