"""Variables in parts: what `get_variable(partitioner=...)` gives, and the functions that say how many parts.

    w [10, 3]  --fixed_size_partitioner(2)-->  w/part_0 [5, 3]   w/part_1 [5, 3]

A checkpoint holds the parts as slices of one tensor `w`, so that it can be restored into other parts, or into none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pullback.core import interpreter
from pullback.core.dtypes import DType, as_dtype, string
from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape
from pullback.core.tensor import Tensor
from pullback.modes.grouping import group
from pullback.modes.variable import Variable
from pullback.ops.array.joining import ConcatV2
from pullback.ops.math import operators


class SliceInfo(NamedTuple):
    """Where a part lies in the whole."""

    full_name: str
    full_shape: list[int]
    var_offset: list[int]
    var_shape: list[int]

    @property
    def spec(self) -> str:
        """As checkpoints say it: the whole shape, and start,length of each axis: "10 3 0,5:0,3"."""
        places = ":".join(f"{start},{size}" for start, size in zip(self.var_offset, self.var_shape, strict=True))
        return " ".join([*map(str, self.full_shape), places])


class PartitionInfo(NamedTuple):
    """What initializers are told of a part. full_shape: of the whole. var_offset: where the part begins."""

    full_shape: list[int]
    var_offset: list[int]


class PartitionedVariable:
    """Variables that are one tensor together, along one axis. Where a tensor is needed it is their concatenation.

    Args:
      name: of the whole. shape, dtype: of the whole. variable_list: the parts in order. partitions: how many along each
        axis.
    """

    def __init__(self, name: str, shape: Any, dtype: Any, variable_list: list[Variable], partitions: list[int]) -> None:
        if len(variable_list) != math.prod(partitions):
            raise ValueError(f"{name}: {len(variable_list)} variables cannot be partitions {partitions}")
        self.name, self._shape, self.dtype = name, TensorShape(as_shape(shape)), as_dtype(dtype)
        self._variable_list, self._partitions = list(variable_list), list(partitions)

    @property
    def shape(self) -> TensorShape:
        return self._shape

    def get_shape(self) -> TensorShape:
        return self._shape

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._variable_list)

    def __len__(self) -> int:
        """How many there are along the axis that is divided."""
        return max(self._partitions, default=1)

    @property
    def _axis(self) -> int:
        return next((i for i, n in enumerate(self._partitions) if n > 1), 0)

    def as_tensor(self) -> Tensor:
        """The whole."""
        parts = [interpreter.as_tensor(v) for v in self._variable_list]
        return parts[0] if len(parts) == 1 else ConcatV2()(*parts, self._axis, name=f"{self.name}/ConcatPartitions")

    def __pullback_tensor__(self, here: Any = None) -> Tensor:
        return self.as_tensor()

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Gives each part its piece of a value of the whole's shape; the parts' assignments, or one operation."""
        whole = interpreter.as_tensor(value, self.dtype)
        made = []
        for part in self._variable_list:
            info = part._save_slice_info
            piece = tuple(slice(a, a + n) for a, n in zip(info.var_offset, info.var_shape, strict=True))
            made.append(part.assign(whole[piece], name=name, read_value=read_value))
        return made if read_value else group(*made)

    def __repr__(self) -> str:
        return f"<PartitionedVariable {self.name!r} shape={self._shape} dtype={self.dtype.name} in {self._partitions}>"


# The operators iterate over a tensor's rows; over these, the parts come.
_over_parts = PartitionedVariable.__iter__
operators.install(PartitionedVariable)
PartitionedVariable.__iter__ = _over_parts


def pieces(full_name: str, shape: list[int], partitions: Any) -> list[SliceInfo]:
    """The parts of a variable; the first ones are one longer where it does not divide.

    Raises:
      ValueError: partitions do not fit the shape, or more than one axis is divided.
    """
    counts = [int(n) for n in partitions]
    if len(counts) != len(shape) or any(n < 1 for n in counts):
        raise ValueError(
            f"Partitioner returned {counts} for {full_name} of shape {shape}: a count from 1 for each axis"
        )
    divided = [i for i, n in enumerate(counts) if n > 1]
    if len(divided) > 1:
        raise ValueError(f"Cannot slice variable {full_name} along more than one dimension; partitions are {counts}")
    axis = divided[0] if divided else 0
    if shape and counts[axis] > shape[axis]:
        raise ValueError(f"{full_name}: {counts[axis]} partitions of an axis of {shape[axis]}; there must be fewer")
    short, longer = divmod(shape[axis], counts[axis]) if shape else (1, 0)
    made, start = [], 0
    for i in range(counts[axis] if counts else 1):
        size = short + (i < longer)
        offset, part = [0] * len(shape), list(shape)
        if shape:
            offset[axis], part[axis] = start, size
        made.append(SliceInfo(full_name, list(shape), offset, part))
        start += size
    return made


def _along(shape: Any, axis: int, count: int, who: str) -> list[int]:
    rank = len(shape)
    if not -rank <= axis < rank:
        raise ValueError(f"{who}: axis {axis} is outside of a variable of shape {list(shape)}")
    out = [1] * rank
    out[axis] = min(count, shape[axis]) if shape[axis] else 1
    return out


def _bytes(dtype: DType, of_strings: int) -> int:
    return of_strings if dtype is string else dtype.size


@public(v1="fixed_size_partitioner")
def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Callable[..., list[int]]:
    """For `get_variable`: num_shards parts along an axis (fewer where it is shorter)."""

    def partitioner(shape: Any, **unused: Any) -> list[int]:
        return _along(as_shape(shape), axis, num_shards, "fixed_size_partitioner")

    return partitioner


@public(v1="variable_axis_size_partitioner")
def variable_axis_size_partitioner(
    max_shard_bytes: int, axis: int = 0, bytes_per_string_element: int = 16, max_shards: int | None = None
) -> Callable[..., list[int]]:
    """For `get_variable`: as few parts along an axis as keep each at most max_shard_bytes long.

    bytes_per_string_element: a string counts as so many. max_shards: the largest number.
    Raises:
      ValueError: max_shard_bytes, bytes_per_string_element or max_shards is below 1.
    """
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError(
            f"max_shard_bytes {max_shard_bytes} and bytes_per_string_element {bytes_per_string_element} must be above 0"
        )
    if max_shards is not None and max_shards < 1:
        raise ValueError(f"max_shards must be positive, not {max_shards}.")

    def partitioner(shape: Any, dtype: Any) -> list[int]:
        sizes: Any = as_shape(shape)
        row = math.prod(sizes) // max(sizes[axis], 1) * _bytes(as_dtype(dtype), bytes_per_string_element)
        rows = max(1, max_shard_bytes // max(row, 1))
        count = max(1, -(-sizes[axis] // rows))
        return _along(sizes, axis, min(count, max_shards or count), "variable_axis_size_partitioner")

    return partitioner


@public(v1="min_max_variable_partitioner")
def min_max_variable_partitioner(
    max_partitions: int = 1, axis: int = 0, min_slice_size: int = 256 << 10, bytes_per_string_element: int = 16
) -> Callable[..., list[int]]:
    """For `get_variable`: as many parts along an axis, up to max_partitions, as leave each min_slice_size bytes."""

    def partitioner(shape: Any, dtype: Any) -> list[int]:
        sizes: Any = as_shape(shape)
        total = math.prod(sizes) * _bytes(as_dtype(dtype), bytes_per_string_element)
        count = max(1, min(max_partitions, -(-total // min_slice_size)))
        return _along(sizes, axis, count, "min_max_variable_partitioner")

    return partitioner
