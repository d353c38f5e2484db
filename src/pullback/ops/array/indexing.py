"""What a Python index x[...] says, as the begin, end, strides and masks of StridedSlice."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.tensor import EagerTensor

MASKS: tuple[str, ...] = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def bounds_of(key: Any) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...], dict[str, int]]:
    """A Python index as (begin, end, strides, masks). Entries of the first three are ints or scalar tensors.

    Raises:
      TypeError: an item is no int, slice, ellipsis, None or scalar integer tensor.
    """
    items = key if isinstance(key, (tuple, list)) else (key,)
    begin, end, strides = [], [], []
    masks: dict[str, int] = dict.fromkeys(MASKS, 0)
    for i, item in enumerate(items):
        bit = 1 << i
        first: Any = 0
        last: Any = 0
        step: Any = 1
        if isinstance(item, slice):
            if item.start is None:
                masks["begin_mask"] |= bit
            if item.stop is None:
                masks["end_mask"] |= bit
            first, last, step = (
                _number(n, 1 if j == 2 else 0) for j, n in enumerate((item.start, item.stop, item.step))
            )
        elif item is Ellipsis:
            masks["ellipsis_mask"] |= bit
        elif item is None:
            masks["new_axis_mask"] |= bit
        else:
            first = _number(item, 0)
            last = first + 1
            masks["shrink_axis_mask"] |= bit
        begin.append(first)
        end.append(last)
        strides.append(step)
    return tuple(begin), tuple(end), tuple(strides), masks


def _number(n: Any, absent: int) -> Any:
    """An item of an index: an int, or a scalar integer tensor that is known only when run."""
    if n is None:
        return absent
    if type(n) is int:
        return n
    tensor = n if type(n) is EagerTensor else interpreter.as_own(interpreter.current(), n)
    if tensor is not None:
        if tensor.dtype.is_integer and tensor.spec.rank in (0, None):
            return int(tensor) if type(tensor) is EagerTensor else tensor
    elif hasattr(n, "__index__") and np.ndim(n) == 0:
        return operator.index(n)
    raise TypeError(
        "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are "
        f"valid indices, got {n!r}; to take rows by a list or vector use tf.gather"
    )
