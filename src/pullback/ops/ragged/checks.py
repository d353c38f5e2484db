"""What row splits and row numbers must be: checked at once where they are known, else whenever they are computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import INDICES, int64
from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.knowledge import get_static_value
from pullback.ops.control.world import Assert
from pullback.ops.math.functions import equal, greater_equal, logical_and
from pullback.ops.math.reduce_functions import reduce_all
from pullback.ops.math.select import Cast, Identity

_SPLITS = "row_splits must begin at 0, never fall, and end at the number of values"
_PLACES = "the places of a row's entries must be 0, 1, 2, ..."
_IDS = "value_rowids must not fall"


def indices_of(x: Any, what: str) -> Any:
    """Row splits, lengths or numbers as a tensor: int64 unless it is int32 already.

    Raises:
      DTypeError: it is of another type.
    """
    made = interpreter.as_tensor(x)
    if made.dtype not in INDICES:
        made = interpreter.as_tensor(x, int64) if not isinstance(x, Tensor) else made
    if isinstance(x, (list, tuple)):
        made = Cast(int64)(made)
    if made.dtype not in INDICES:
        raise DTypeError(f"RaggedTensor: {what} must be int32 or int64, but is {made.dtype.name}").locate()
    return made


def checked_splits(splits: Any, count: Any) -> Any:
    """Row splits that fit values of this `count`, a number or a tensor.

    Raises:
      InvalidArgumentError: they do not; at once, or when they are computed.
    """
    known, values = _known(splits), _known(count)
    if known is not None and not _fits(known, values):
        shown = "" if values is None else f" ({values})"
        raise ArgumentError(f"RaggedTensor: {_SPLITS}{shown}, but are {known.tolist()}").locate()
    if known is not None and values is not None:
        return splits
    ends = logical_and(equal(splits[0], 0), equal(splits[-1], Cast(splits.dtype)(count)))
    return _after_check(logical_and(ends, _rises(splits)), _SPLITS, splits)


def checked_ids(ids: Any) -> Any:
    """Numbers of rows that never fall.

    Raises:
      InvalidArgumentError: they do; at once, or when they are computed.
    """
    known = _known(ids)
    if known is None:
        return _after_check(_rises(ids), _IDS, ids)
    if (np.diff(known) < 0).any():
        raise ArgumentError(f"RaggedTensor: {_IDS}, but are {known.tolist()}").locate()
    return ids


def checked_places(places: Any, needed: Any, values: Any) -> Any:
    """The values of rows that are filled from their beginnings.

    Raises:
      InvalidArgumentError: they do not stand where they need to; at once, or when they are computed.
    """
    known, wanted = _known(places), _known(needed)
    if known is None or wanted is None:
        return _after_check(reduce_all(equal(places, Cast(places.dtype)(needed))), _PLACES, places, values)
    if not np.array_equal(known, wanted):
        raise ArgumentError(f"RaggedTensor: {_PLACES}, but are {known.tolist()}").locate()
    return values


def _fits(splits: Any, count: Any) -> bool:
    if not len(splits) or splits[0] != 0 or (np.diff(splits) < 0).any():
        return False
    return count is None or splits[-1] == count


def _known(x: Any) -> Any:
    return x.value if isinstance(x, EagerTensor) else x if isinstance(x, int) else get_static_value(x)


def _rises(x: Any) -> Any:
    return reduce_all(greater_equal(x[1:], x[:-1]))


def _after_check(holds: Any, what: str, x: Any, answer: Any = None) -> Any:
    """`answer` (x itself by default), once it is known that `holds`; otherwise what x is goes into the error."""
    checked = Assert(10)(holds, interpreter.as_tensor(f"RaggedTensor: {what}, but are"), x)
    with x.node.graph.control_dependencies([checked]):
        return Identity()(x if answer is None else answer)
