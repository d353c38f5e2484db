"""Where the largest or the smallest number along an axis stands; of equal ones the first, and a NaN before all."""

from __future__ import annotations

from typing import Any

from pullback.native.ir import I32, I64, Function, Module, Type, Value
from pullback.native.machine import host


def extreme(module: Module, kind: Type, at: Type, least: bool, alone: bool) -> None:
    """Kernel: y[o, i] = the place of the extreme of x[o, :, i]. Items are o. `alone`: there is one i."""
    words = {"x": kind.pointer, "y": at.pointer, "n": I64, "inner": I64}
    with module.kernel("extreme", **words) as (f, x, y, n, inner), f.loop(f.begin, f.end) as item:
        search = _Search(f, kind, least)
        (search.along if alone else search.across)(x.at(item * n * inner), y.at(item * inner), n, inner)


class _Search:
    """Writes the search. Places are counted in a register as wide as a number's."""

    def __init__(self, f: Function, kind: Type, least: bool) -> None:
        self.f, self.kind, self.least = f, kind, least
        self.lanes = host().lanes(kind)
        self.places = I32 if kind.bits == 32 else I64

    def begun(self, first: Value, places: Value) -> tuple[Any, Any]:
        """What was found so far: (number, place)."""
        return self.f.variable(first, first.type), self.f.variable(places, places.type)

    def see(self, found: tuple[Any, Any], value: Value, place: Any) -> None:
        """Takes a number that lies behind all that were seen."""
        best, at = found
        now = best.value
        beyond = (value >= now) if self.least else (value <= now)
        better = ~beyond & now.equals(now)
        best.value, at.value = self.f.select(better, value, now), self.f.select(better, place, at.value)

    def across(self, x: Value, y: Value, n: Value, inner: Value) -> None:
        """Lanes are places side by side, each with an axis of its own."""
        f, lanes = self.f, self.lanes
        whole = inner // lanes * lanes
        with f.loop(0, whole, lanes) as c:
            self.down(x.at(c), y.at(c), n, inner, None)
        with f.when(whole < inner):
            self.down(x.at(whole), y.at(whole), n, inner, f.lanes_below(inner - whole, lanes))

    def down(self, x: Value, y: Value, n: Value, inner: Value, mask: Value | None) -> None:
        f, lanes = self.f, self.lanes
        found = self.begun(x.load(0, lanes, mask), f.zero(self.places.by(lanes)))
        with f.loop(1, n) as k:
            self.see(found, x.load(k * inner, lanes, mask), k.to(self.places).splat(lanes))
        y.store(found[1].value.to(y.element), 0, mask)

    def along(self, x: Value, y: Value, n: Value, inner: Value) -> None:
        """Lanes are parts of the one axis, that are compared in the end."""
        f, lanes = self.f, self.lanes
        found = self.begun(x.load(), f.zero(self.places))
        whole = n // lanes * lanes
        with f.when(whole > 0):
            step = f.constants(range(lanes), self.places)
            wide = self.begun(x.load(0, lanes), step)
            with f.loop(lanes, whole, lanes) as k:
                self.see(wide, x.load(k, lanes), step + k.to(self.places).splat(lanes))
            numbers, places = f.buffer(self.kind, lanes), f.buffer(self.places, lanes)
            numbers.store(wide[0].value)
            places.store(wide[1].value)
            found[0].value, found[1].value = numbers.load(), places.load()
            with f.loop(1, lanes) as lane:
                self.join(found, numbers.load(lane), places.load(lane))
        with f.loop(whole, n) as k:
            self.see(found, x.load(k), k.to(self.places))
        y.store(found[1].value.to(y.element))

    def join(self, found: tuple[Any, Any], value: Value, place: Value) -> None:
        """Takes a number that may lie before or behind what was found."""
        best, at = found
        now, before = best.value, place < at.value
        beyond = (value > now) if not self.least else (value < now)
        numbers = value.equals(value) & now.equals(now)
        same = value.equals(now) & before
        strange = value.differs(value) & (now.equals(now) | before)
        better = (numbers & (beyond | same)) | strange
        best.value, at.value = self.f.select(better, value, now), self.f.select(better, place, at.value)
