"""Channels repeated, and sums over repeated channels: several filters a channel made of one filter a channel.

repeat    to[pixel, c M + m] = x[pixel, c]          fold    to[pixel, c] = sum over m of x[pixel, c M + m]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host

# Times up to which a vector's lanes are repeated by moving them inside registers.
MOST = 8


def repeat(module: Module, kind: Type, times: int) -> None:
    """Kernel: every channel of x [pixels, C] so many times. Items are pixels."""
    lanes = host().lanes(kind)
    with module.kernel("repeat", x=kind.pointer, to=kind.pointer, C=I64) as (f, x, to, C):

        def some(source: Value, into: Value, left: Value | None) -> None:
            value = source.load(0, lanes, None if left is None else f.lanes_below(left, lanes))
            for j in range(times):
                mask = None if left is None else f.lanes_below(left * times - j * lanes, lanes)
                order = [(j * lanes + lane) // times for lane in range(lanes)]
                into.store(f.shuffle(value, value, order), j * lanes, mask)

        _over(f, C, lanes, lambda pixel, c, left: some(x.at(pixel * C + c), to.at((pixel * C + c) * times), left))


def fold(module: Module, kind: Type, times: int) -> None:
    """Kernel: the sums of so many channels side by side, of x [pixels, C times]. Items are pixels."""
    lanes = host().lanes(kind)
    with module.kernel("fold", x=kind.pointer, to=kind.pointer, C=I64) as (f, x, to, C):

        def some(source: Value, into: Value, left: Value | None) -> None:
            mask = None if left is None else f.lanes_below(left * times, lanes * times)
            value = source.load(0, lanes * times, mask)
            total = f.shuffle(value, value, range(0, lanes * times, times))
            for m in range(1, times):
                total = total + f.shuffle(value, value, range(m, lanes * times, times))
            into.store(total, 0, None if left is None else f.lanes_below(left, lanes))

        _over(f, C, lanes, lambda pixel, c, left: some(x.at((pixel * C + c) * times), to.at(pixel * C + c), left))


def _over(f: Function, C: Value, lanes: int, some: Callable[[Value, Value, Value | None], Any]) -> None:
    """Emits some(pixel, first channel, channels left or None for a whole vector)."""
    whole = C - C % lanes
    with f.loop(f.begin, f.end) as pixel:
        with f.loop(0, whole, lanes) as c:
            some(pixel, c, None)
        with f.when(whole < C):
            some(pixel, whole, C - whole)
