"""Memory that is used again: fresh pages cost more than what is computed in them.

`empty` is np.empty whose memory, when large, begins on a cache line, and comes back here once the last array on it is
gone. Machine code reads such arrays quicker than those that lie anywhere.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

ALIGNMENT = 64  # bytes of a cache line
SMALL = 1 << 15  # malloc keeps blocks below this by itself
MOST_FREE = 1 << 29  # bytes kept for later


class _Free:
    """Blocks waiting, by size: each the memory and its address."""

    def __init__(self) -> None:
        self.blocks: dict[int, list[tuple[Any, int]]] = {}
        self.bytes = 0


_free = _Free()


class _Block(ctypes.Structure):
    """The owner of one block, for as long as arrays lie on it. A ctypes object, because NumPy takes its bytes for an
    array's at once: an array is made this way each time that a plan gives a result."""

    memory: tuple[Any, int]

    def __del__(self) -> None:
        free = _free
        if free is None:  # the interpreter ends
            return
        size = ctypes.sizeof(self)
        if free.bytes + size <= MOST_FREE:
            free.bytes += size
            free.blocks.setdefault(size, []).append(self.memory)


@functools.cache
def _blocks_of(size: int) -> type[_Block]:
    return type("_BlockOf", (_Block,), {"_fields_": [("bytes", ctypes.c_char * size)]})


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
    return maker(shape, dtype)()


def maker(shape: tuple[int, ...], dtype: Any) -> Callable[[], Any]:
    """`empty` for this shape and type."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size < SMALL:
        return functools.partial(np.empty, shape, dtype)
    return functools.partial(_large, shape, dtype, _blocks_of(_rounded(size)))


def _large(shape: tuple[int, ...], dtype: Any, block_type: type[_Block]) -> Any:
    size = ctypes.sizeof(block_type)
    try:
        memory = _free.blocks[size].pop()
        _free.bytes -= size
    except (KeyError, IndexError):
        raw = aligned(size)
        memory = raw, raw.ctypes.data
    block: Any = block_type.from_address(memory[1])
    block.memory = memory
    return np.ndarray(shape, dtype, block)


def copied(array: Any) -> Any:
    """A row-major copy."""
    if array.nbytes < SMALL:
        return np.array(array, order="C")
    copy = empty(array.shape, array.dtype)
    np.copyto(copy, array)
    return copy


def owned(array: Any) -> bool:
    """Whether an array is the one that its memory was taken for, not a view of another."""
    return array.base is None or isinstance(array.base, _Block)
