"""`tf.compat`: text and bytes, number types, dimensions."""

from __future__ import annotations

import datetime
import numbers
import os
from typing import Any

import numpy as np

from pullback.core.names import public, public_value

bytes_or_text_types = (bytes, str)
complex_types = (numbers.Complex, np.number)
integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
for _name in ("bytes_or_text_types", "complex_types", "integral_types", "real_types"):
    public_value(_name, f"compat.{_name}")


@public("compat.as_bytes")
def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Bytes of text or bytes.

    Raises:
      TypeError: it is neither.
    """
    if isinstance(bytes_or_text, (bytes, bytearray)):
        return bytes(bytes_or_text)
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


@public("compat.as_text", v1=("compat.as_text", "compat.as_str"))
def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Text of text or bytes.

    Raises:
      TypeError: it is neither.
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


public("compat.as_str", v1=None)(as_text)


@public("compat.as_str_any")
def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """Text of bytes; of anything else `str(value)`."""
    return as_text(value, encoding) if isinstance(value, bytes) else str(value)


@public("compat.path_to_str")
def path_to_str(path: Any) -> Any:
    """The text of a path object; text as it is."""
    return as_str_any(os.fspath(path)) if hasattr(path, "__fspath__") else path


@public("compat.dimension_value", v1=("compat.dimension_value", "dimension_value"))
def dimension_value(dimension: Any) -> int | None:
    """The number of a dimension of either TensorFlow: an int, a Dimension, or None."""
    return getattr(dimension, "value", dimension)


@public("compat.dimension_at_index", v1=("compat.dimension_at_index", "dimension_at_index"))
def dimension_at_index(shape: Any, index: int) -> Any:
    """A dimension of a shape, of unknown size where the rank is unknown, as a Dimension."""
    from pullback.core.shape import Dimension

    return Dimension(None) if shape.rank is None else Dimension(dimension_value(shape[index]))


@public("compat.forward_compatible")
def forward_compatible(year: int, month: int, day: int) -> bool:
    """Whether graphs made now may need a TensorFlow newer than this date. They may: there is no window here."""
    datetime.date(year, month, day)  # says when it is no date
    return True
