"""Places in one block of memory for what lives at different times."""

from __future__ import annotations

import bisect

from pullback.core.memory import ALIGNMENT


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
