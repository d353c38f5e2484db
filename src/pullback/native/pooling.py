"""Pooling: windows over images, vectors over channels.

What is done at a window is one of

    max         the largest value                                       argmax     and its place in the image
    max_grad    dy put where it was found (the first of equal ones)     max_repool what stands in another image there
    mean        the mean of the pixels inside                           mean_grad  dy / their number, to each of them

Windows whose taps all lie inside are written out; at the border loops run over the taps that do. A gradient of windows
that overlap adds into zeros; else each cell is written once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pullback.native.ir import I32, I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.tiles import ways

# Taps of a window that are written out at most.
WRITTEN_OUT = 16
# Vectors of channels in an item, where images are not cut into rows.
CHUNK = 4


class Window(NamedTuple):
    """What is baked into a kernel.

    what: see the module. taps: of a window, down and across. by_rows: items are (image, output row); else (image, chunk
    of channels), for gradients of windows that overlap. adds: such gradients. streams: whether a gradient that does not
    add, where it begins on a line, goes past the caches; then pixels are whole lines.
    """

    kind: Type
    what: str
    taps: tuple[int, int]
    by_rows: bool
    adds: bool
    place: Type = I64
    streams: bool = False


_NUMBERS = ("H", "W", "C", "P", "Q", "sh", "sw", "top", "left", "chunks")
_OTHERS = {
    "max": ("y",),
    "argmax": ("y", "at"),
    "max_grad": ("dy", "dx"),
    "max_repool": ("g", "y"),
    "mean": ("y",),
    "mean_grad": ("dx",),
}


def pool(module: Module, s: Window) -> None:
    """Kernel over (image, output row) or (image, chunk of channels). Words: x (of mean_grad: dy), what else, sizes."""
    pointers = {"x": s.kind.pointer} | {n: (s.place if n == "at" else s.kind).pointer for n in _OTHERS[s.what]}
    with module.kernel("pool", **pointers, **dict.fromkeys(_NUMBERS, I64)) as (f, x, *rest):
        others = dict(zip(_OTHERS[s.what], rest, strict=False))
        numbers = dict(zip(_NUMBERS, rest[len(others) :], strict=True))
        for way, condition in ways(f, s, others.get("dx", x)):
            with f.when(condition):
                writer = _Pooling(f, way, x, others, numbers)
                with f.loop(f.begin, f.end) as item:
                    writer.item(item)


class _Pooling:
    """Writes the loops."""

    def __init__(self, f: Function, s: Window, x: Value, others: Any, numbers: Any) -> None:
        self.f, self.s, self.x, self.o, self.n = f, s, x, others, numbers
        self.lanes = host().lanes(s.kind)
        self.wide = s.kind.by(self.lanes)
        # Which tap won, as its distance from the window's corner, in a register as wide as a value's.
        self.which = (I32 if s.kind.bits == 32 else I64).by(self.lanes)
        kh, kw = s.taps
        written = kh * kw <= WRITTEN_OUT and s.what in ("argmax", "max_grad", "max_repool")
        self.distances = {(r, t): self.distance(r, t) for r in range(kh) for t in range(kw)} if written else {}

    def item(self, item: Value) -> None:
        f, n = self.f, self.n
        parts = n["P"] if self.s.by_rows else n["chunks"]
        self.image, part = item // parts, item % parts
        if self.s.by_rows:
            self.row(part, 0, n["C"])
            return
        first = part * (CHUNK * self.lanes)
        with f.loop(0, n["P"]) as p:
            self.row(p, first, f.minimum(n["C"], first + CHUNK * self.lanes))

    def row(self, p: Value, first: Any, beyond: Value) -> None:
        """All windows of an output row."""
        f, n = self.f, self.n
        kh, kw = self.s.taps
        self.top = p * n["sh"] - n["top"]
        rows = f.maximum(0 - self.top, 0), f.minimum(kh, n["H"] - self.top)
        with f.loop(0, n["Q"]) as q:
            self.left = q * n["sw"] - n["left"]
            columns = f.maximum(0 - self.left, 0), f.minimum(kw, n["W"] - self.left)
            self.out = ((self.image * n["P"] + p) * n["Q"] + q) * n["C"]
            inside = (rows[1] - rows[0]).equals(kh) & (columns[1] - columns[0]).equals(kw)
            if kh * kw <= WRITTEN_OUT:
                with f.when(inside):
                    self.channels(first, beyond, None)
                with f.when(~inside):
                    self.channels(first, beyond, (rows, columns))
            else:
                self.channels(first, beyond, (rows, columns))

    def channels(self, first: Any, beyond: Value, border: Any) -> None:
        """Vectors of channels; the last may be cut off."""
        f, lanes = self.f, self.lanes
        whole = first + (beyond - first) // lanes * lanes
        with f.loop(first, whole, lanes) as c:
            self.window(c, None, border)
        with f.when(whole < beyond):
            self.window(whole, f.lanes_below(beyond - whole, lanes), border)

    def taps(self, border: Any) -> Iterator[tuple[Any, Any]]:
        """Each tap (r, s): written out, or once inside loops."""
        kh, kw = self.s.taps
        if border is None:
            yield from ((r, s) for r in range(kh) for s in range(kw))
        else:
            (r0, r1), (s0, s1) = border
            with self.f.loop(r0, r1) as r, self.f.loop(s0, s1) as s:
                yield r, s

    def offset(self, r: Any, s: Any, c: Any) -> Value:
        """Of a tap's channel in the image."""
        n = self.n
        return ((self.image * n["H"] + self.top + r) * n["W"] + self.left + s) * n["C"] + c

    def window(self, c: Any, mask: Value | None, border: Any) -> None:
        f, s = self.f, self.s
        if s.what.startswith("mean"):
            self.mean(c, mask, border)
            return
        best, won = self.largest(c, mask, border)
        at = self.out + c
        if s.what in ("max", "argmax"):
            self.o["y"].store(best, at, mask)
        if s.what == "argmax":
            self.store_places(won, c, at, mask)
        elif s.what == "max_grad":
            dy = self.o["dy"].load(at, self.lanes, mask)
            for r, t in self.taps(border):
                self.put(f.select(won.equals(self.tap(r, t)), dy, 0), self.offset(r, t, c), mask)
        elif s.what == "max_repool":
            total = f.variable(f.zero(self.wide), self.wide)
            for r, t in self.taps(border):
                there = self.o["g"].load(self.offset(r, t, c), self.lanes, mask)
                total.value = f.select(won.equals(self.tap(r, t)), there, total.value)
            self.o["y"].store(total.value, at, mask)

    def distance(self, r: Any, t: Any) -> Value:
        """From a window's corner to a tap, in every lane."""
        f, n = self.f, self.n
        apart = f.as_value((n["W"] * r + t) * n["C"], I64)
        return f.as_value(apart.to(self.which.scalar), self.which)

    def tap(self, r: Any, t: Any) -> Value:
        found = self.distances.get((r, t)) if type(r) is int else None
        return self.distance(r, t) if found is None else found

    def largest(self, c: Any, mask: Value | None, border: Any) -> tuple[Value, Value]:
        """The largest value and the tap that has it first; NaN is the largest."""
        f = self.f
        best = f.variable(f.constant(-float("inf"), self.wide), self.wide)
        won = f.variable(f.zero(self.which), self.which)
        started = f.variable(f.zero(self.which), self.which)
        first = True
        for r, t in self.taps(border):
            value = self.x.load(self.offset(r, t, c), self.lanes, mask)
            if border is None and first:
                best.value, first = value, False
                continue
            more = ~(value <= best.value) & best.value.equals(best.value)
            if border is not None:
                more = more | started.value.equals(0)
                started.value = f.constant(1, self.which)
            best.value = f.select(more, value, best.value)
            if self.s.what != "max":
                won.value = f.select(more, self.tap(r, t), won.value)
        return best.value, won.value

    def store_places(self, won: Value, c: Any, at: Any, mask: Value | None) -> None:
        """The winners' places in their image, as the output counts them."""
        f, n = self.f, self.n
        lane = f.constants(range(self.lanes), I64)
        corner = f.as_value((self.top * n["W"] + self.left) * n["C"] + c, I64)
        self.o["at"].store((won.to(I64) + lane + f.as_value(corner, lane.type)).to(self.s.place), at, mask)

    def put(self, value: Value, at: Value, mask: Value | None) -> None:
        """Writes into dx, or adds to it."""
        dx = self.o["dx"]
        if self.s.streams and mask is None:
            dx.stream(value, at)
        else:
            dx.store(dx.load(at, self.lanes, mask) + value if self.s.adds else value, at, mask)

    def mean(self, c: Any, mask: Value | None, border: Any) -> None:
        f = self.f
        kh, kw = self.s.taps
        if border is None:
            count = f.constant(float(kh * kw), self.s.kind)
        else:
            (r0, r1), (s0, s1) = border
            count = ((r1 - r0) * (s1 - s0)).to(self.s.kind)
        by, at = count.splat(self.lanes), self.out + c
        if self.s.what == "mean":
            total = f.variable(f.zero(self.wide), self.wide)
            for r, t in self.taps(border):
                total.value = total.value + self.x.load(self.offset(r, t, c), self.lanes, mask)
            self.o["y"].store(total.value / by, at, mask)
        else:
            share = self.x.load(at, self.lanes, mask) / by
            for r, t in self.taps(border):
                self.put(share, self.offset(r, t, c), mask)
