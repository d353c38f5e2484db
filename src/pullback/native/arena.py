"""Memory that is used again: fresh pages cost more than what is computed in them.

`empty` is np.empty whose memory, when large, comes back here once the last array on it is gone.
"""

from __future__ import annotations

import bisect
from math import prod
from typing import Any

import numpy as np

ALIGNMENT = 64
SMALL = 1 << 15  # malloc keeps blocks below this by itself
MOST_FREE = 1 << 29  # bytes kept for later


class _Free:
    """Blocks waiting, by size."""

    def __init__(self) -> None:
        self.blocks: dict[int, list[Any]] = {}
        self.bytes = 0


_free = _Free()


class _Block:
    """The owner of one block, for as long as arrays lie on it."""

    __slots__ = ("__array_interface__", "_raw")

    def __init__(self, raw: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._raw = raw
        self.__array_interface__ = {
            "shape": shape,
            "typestr": "|V2" if dtype.kind == "V" else dtype.str,
            "data": (raw.ctypes.data, False),
            "version": 3,
        }

    def __del__(self) -> None:
        raw, free = self._raw, _free
        if free is not None and free.bytes + raw.nbytes <= MOST_FREE:
            free.bytes += raw.nbytes
            free.blocks.setdefault(raw.nbytes, []).append(raw)


def aligned(size: int) -> Any:
    """Bytes that begin on a cache line; not cleared."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    return raw[-raw.ctypes.data % ALIGNMENT :][:size]


def _rounded(size: int) -> int:
    """Up to an eighth more, so that sizes near each other share blocks."""
    step = max(4096, 1 << (size.bit_length() - 4))
    return -(-size // step) * step


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """An array, not cleared."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size < SMALL:
        return np.empty(shape, dtype)
    size = _rounded(size)
    try:
        raw = _free.blocks[size].pop()
        _free.bytes -= size
    except (KeyError, IndexError):
        raw = aligned(size)
    array = np.asarray(_Block(raw, shape, dtype))
    return array if array.dtype == dtype else array.view(dtype)


def owned(array: Any) -> bool:
    """Whether an array is the one that its memory was taken for, not a view of another."""
    return array.base is None or type(array.base) is _Block


class Arena:
    """Places for buffers that live at different times: the smallest gap that is large enough, else at the end."""

    def __init__(self) -> None:
        self.bytes = 0
        self._taken: dict[int, int] = {}  # offset -> size
        self._gaps: list[tuple[int, int]] = []  # (size, offset), sorted
        self._begins: dict[int, int] = {}  # gap's offset -> size
        self._ends: dict[int, int] = {}  # gap's end -> offset

    def take(self, size: int) -> int:
        """An offset with `size` free bytes from it on, on a cache line."""
        size = -(-max(size, 1) // ALIGNMENT) * ALIGNMENT
        i = bisect.bisect_left(self._gaps, (size, 0))
        if i < len(self._gaps):
            have, at = self._gaps[i]
            self._remove(have, at)
            if have > size:
                self._add(have - size, at + size)
        else:
            at = self.bytes
            if at in self._ends:  # the last gap grows
                at = self._ends[at]
                self._remove(self.bytes - at, at)
            self.bytes = at + size
        self._taken[at] = size
        return at

    def give_back(self, offset: int) -> None:
        """The place taken at this offset is free again; gaps beside it become one with it."""
        size = self._taken.pop(offset)
        if offset in self._ends:
            before = self._ends[offset]
            self._remove(offset - before, before)
            offset, size = before, size + offset - before
        if offset + size in self._begins:
            after = self._begins[offset + size]
            self._remove(after, offset + size)
            size += after
        self._add(size, offset)

    def _add(self, size: int, at: int) -> None:
        bisect.insort(self._gaps, (size, at))
        self._begins[at], self._ends[at + size] = size, at

    def _remove(self, size: int, at: int) -> None:
        del self._gaps[bisect.bisect_left(self._gaps, (size, at))]
        del self._begins[at], self._ends[at + size]
