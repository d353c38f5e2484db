"""Transposes that need not be made.

A buffer that was transposed is remembered with what it came from. Transposing it again starts from there, and what is
computed point by point from it is computed there, its result being transposed instead. Transposes that nobody reads
any more are dropped with all else that nobody reads.

    x --T--> a --relu--> b --T^-1--> c            x --relu--> c,      b = T c where somebody reads b
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.engines.cpu.task import Buffer, Task
from pullback.native.moving import add_move, dense


class Turned:
    """Which buffers are transposes of which: y's axis i is the source's axis perm[i]."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[Buffer, tuple[int, ...], Buffer]] = {}
        self._repeats: dict[int, tuple[Buffer, Buffer]] = {}

    def repeats(self, y: Buffer, x: Buffer) -> None:
        """Notes that y is x, repeated."""
        self._repeats[id(y)] = x, y

    def note(self, y: Buffer, source: Buffer, perm: tuple[int, ...]) -> None:
        self._found[id(y)] = source, perm, y  # y too, so that its id stays its own

    def origin(self, x: Any) -> tuple[Buffer, tuple[int, ...]] | None:
        """Where a buffer comes from, if it is a transpose."""
        found = self._found.get(id(x))
        return found[:2] if found else None

    def before(self, x: Buffer, perm: tuple[int, ...]) -> tuple[Buffer, tuple[int, ...]]:
        """Transposing x: from what, and how."""
        source, first = self.origin(x) or (x, tuple(range(len(x.shape))))
        return source, tuple([first[i] for i in perm])

    def points(self, operands: Sequence[Any], shape: tuple[int, ...]) -> tuple[list[Any], tuple[int, ...]] | None:
        """The operands of what is computed point by point over a shape, where they come from, and the transpose that
        its result then needs; None where none of them is one, or they are not alike."""
        if not self._found:
            return None
        perms = {found[1] for x in operands if (found := self.origin(x)) and x.shape == shape}
        if len(perms) != 1:
            return None
        (perm,) = perms
        out: list[Any] = []
        for x in operands:
            if not isinstance(x, Buffer):
                out.append(x)
            elif x.shape == shape and self.origin(x):
                out.append(self._found[id(x)][0])
            else:
                x = self._repeats.get(id(x), (x,))[0]
                size = (1,) * (len(shape) - len(x.shape)) + x.shape
                if sum(n != 1 for n in size) > 1:
                    return None
                out.append(x.seen(tuple([size[perm.index(i)] for i in range(len(perm))])))
        return out, perm


def is_view(shape: Sequence[int], perm: Sequence[int]) -> bool:
    """Whether transposing moves nothing: only axes of one element change places."""
    moved = [i for i in perm if shape[i] != 1]
    return moved == sorted(moved)


def moved(source: Buffer, perm: Sequence[int], y: Buffer) -> Task | None:
    """The task of a transpose; None where there is no machine code for its type or rank."""
    task, strides = Task([source], [y], {}), dense(source.shape)
    done = source.dtype != object and add_move(task, source, y, y.shape, [strides[i] for i in perm], dense(y.shape))
    return task if done else None
