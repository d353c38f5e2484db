"""RaggedTensors of Python lists, and functions of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype, int64
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.bounds import searchsorted
from pullback.ops.array.ranges import range_
from pullback.ops.math.select import Cast
from pullback.ops.ragged import RaggedTensor
from pullback.ops.ragged.checks import indices_of


@public("ragged.constant")
def constant(
    pylist: Any,
    dtype: Any = None,
    ragged_rank: int | None = None,
    inner_shape: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = int64,
) -> Any:
    """A RaggedTensor of nested lists; of a flat list a tensor.

    Args:
      ragged_rank: how many axes are ragged; by default all but the innermost.
      inner_shape: the shape of what the innermost lists hold.
    Raises:
      ValueError: the nesting is uneven.
    """
    levels = _depth(pylist)
    inner = 0 if inner_shape is None else len(tuple(inner_shape))
    if ragged_rank is None:
        rank = max(levels - 1, 0) if inner_shape is None else levels - 1 - inner
    else:
        rank = ragged_rank
    if rank < 0 or (levels > 1 and rank >= levels):
        raise ArgumentError(f"ragged.constant: lists nested {levels} deep have no ragged_rank {rank}").locate()
    if rank == 0:
        return interpreter.as_tensor(pylist, dtype, name)
    splits, flat = [], pylist
    for _ in range(rank):
        if not all(isinstance(row, (list, tuple, np.ndarray)) for row in flat):
            raise ArgumentError("ragged.constant: all scalar values must have the same nesting depth").locate()
        splits.append(np.cumsum([0, *(len(row) for row in flat)]).astype(as_dtype(row_splits_dtype).as_numpy_dtype))
        flat = [v for row in flat for v in row]
    return RaggedTensor.from_nested_row_splits(interpreter.as_tensor(flat, dtype, name), splits)


def _depth(value: Any) -> int:
    """How deep lists are nested."""
    if not isinstance(value, (list, tuple, np.ndarray)) or (isinstance(value, np.ndarray) and not value.ndim):
        return 0
    return 1 + max((_depth(v) for v in value), default=0)


@public("ragged.row_splits_to_segment_ids")
def row_splits_to_segment_ids(splits: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """The row each value belongs to, from where rows begin."""
    at = indices_of(splits, "splits")
    found = searchsorted(at, range_(at[-1]), "right", out_type=at.dtype) - 1
    return Cast(as_dtype(out_type))(found) if out_type is not None else found


@public("ragged.segment_ids_to_row_splits")
def segment_ids_to_row_splits(
    segment_ids: Any, num_segments: Any = None, out_type: Any = None, name: str | None = None
) -> Tensor:
    """Where rows begin, from the row each value belongs to."""
    ids = indices_of(segment_ids, "segment_ids")
    made = RaggedTensor.from_value_rowids(ids, ids, num_segments)
    return Cast(as_dtype(out_type))(made.row_splits) if out_type is not None else made.row_splits


@public("ragged.map_flat_values")
def map_flat_values(op: Any, *args: Any, **kwargs: Any) -> Any:
    """op of the innermost values of ragged arguments, which have the same rows; with those rows again."""
    ragged = [x for x in (*args, *kwargs.values()) if isinstance(x, RaggedTensor)]
    flat = [x.flat_values if isinstance(x, RaggedTensor) else x for x in args]
    named = {k: x.flat_values if isinstance(x, RaggedTensor) else x for k, x in kwargs.items()}
    made = op(*flat, **named)
    return ragged[0].with_flat_values(made) if ragged else made
