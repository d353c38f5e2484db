"""Values at places of images: unpooling by switches, and its adjoint.

    put     x[image].flat[at] += value, in zeros         take    y = x[image].flat[at]

Places mostly come from a pooling whose windows lie side by side, each place in its own window. `in_windows` takes them
for that: whole windows are written, or read, and nothing is searched for. A row of windows where a place lies elsewhere
is marked, and images with marks are done again by `by_places`, one place after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pullback.native.ir import I1, I32, I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.tiles import ways

# Cells of a window that are written out at most.
MOST_CELLS = 9
# Places looked at together.
TOGETHER = 8


def by_places(module: Module, kind: Type, at: Type, what: str) -> None:
    """Kernel: "put" or "take"; items are images. A place outside sets `wrong`. With `parts` of them to an
    image, only images where a mark is set."""
    words = {"values": kind.pointer, "at": at.pointer, "x": kind.pointer, "wrong": I64.pointer, "marks": I64.pointer}
    numbers = dict.fromkeys(("each", "size", "parts"), I64)
    with module.kernel("by_places", **words, **numbers) as (f, values, places, x, wrong, marks, each, size, parts):
        with f.loop(f.begin, f.end) as image:
            due = f.variable(parts.equals(0).to(I64))
            with f.loop(0, parts) as i:
                due.value = due.value | marks.load(image * parts + i)
            with f.when(due.value.differs(0)):
                if what == "put":
                    f.clear(x.at(image * size), size)
                place = image * each
                _each_place(f, what, (values.at(place), places.at(place), x.at(image * size)), (each, size), wrong)


def _each_place(f: Function, what: str, pointers: Any, sizes: Any, wrong: Value) -> None:
    (values, places, x), (each, size) = pointers, sizes

    def move(i: Any, where: Value) -> None:
        if what == "put":
            x.store(x.load(where) + values.load(i), where)
        else:
            values.store(x.load(where), i)

    def checked(begin: Any, end: Any) -> None:
        with f.loop(begin, end) as i:
            where = places.load(i).to(I64)
            inside = (where >= 0) & (where < size)
            with f.when(inside):
                move(i, where)
            with f.when(~inside):
                f.atomic_store(wrong, 1)

    whole = each // TOGETHER * TOGETHER
    with f.loop(0, whole, TOGETHER) as i:
        together = places.load(i, TOGETHER).to(I64)
        inside = _all(f, (together >= 0) & (together < f.as_value(size, together.type)))
        with f.when(inside):
            for n in range(TOGETHER):
                move(i + n, places.load(i + n).to(I64))
        with f.when(~inside):
            checked(i, i + TOGETHER)
    checked(whole, each)


def _any(f: Function, mask: Value) -> Value:
    lanes = mask.type.lanes
    return mask.bits_as(Type(f"i{lanes}", lanes)).differs(0)


def _all(f: Function, mask: Value) -> Value:
    return ~_any(f, ~mask)


class Switches(NamedTuple):
    """What is baked into `in_windows`.

    kind, at: of values and of places. what: "put" or "take". cells: of a window, down and across. streams: whether of
    x that is put into, where it begins on a line, every other row of a window goes past the caches, so that they and
    memory share the work: little else is done, and all of it through one of them waits for that one. Then pixels are
    whole lines.
    """

    kind: Type
    at: Type
    what: str
    cells: tuple[int, int]
    streams: bool = False


_NUMBERS = ("H", "W", "C", "P", "Q")


def in_windows(module: Module, s: Switches) -> None:
    """Kernel: "put" or "take" where each place lies in its own window, and windows lie side by side from the image's
    corner. Items are (image, row of windows), which get a mark where one does not."""
    words = {"values": s.kind.pointer, "at": s.at.pointer, "x": s.kind.pointer, "marks": I64.pointer}
    with module.kernel("in_windows", **words, **dict.fromkeys(_NUMBERS, I64)) as (f, *pointers, H, W, C, P, Q):
        sizes = dict(zip(_NUMBERS, (H, W, C, P, Q), strict=True))
        for way, condition in ways(f, s, pointers[2]):
            with f.when(condition), f.loop(f.begin, f.end) as item:
                _Row(f, way, pointers, sizes).emit(item)


class _Row:
    """Writes what is done with a row of windows."""

    def __init__(self, f: Function, s: Switches, pointers: Any, n: Any) -> None:
        self.f, self.what, self.cells, self.streams, self.n = f, s.what, s.cells, s.streams, n
        self.values, self.places, self.x, self.marks = pointers
        self.kind, self.lanes = s.kind, host().lanes(s.kind)
        self.local = (I32 if s.kind.bits == 32 else I64).by(self.lanes)  # a place within its window
        self.narrows = self.places.element.bits > self.local.bits

    def emit(self, item: Value) -> None:
        f, n = self.f, self.n
        (down, across), (H, W, C, Q) = self.cells, (n[k] for k in "HWCQ")
        image, p = item // n["P"], item % n["P"]
        self.top = p * down
        self.row = self.x.at((image * H + self.top) * W * C)
        self.below = f.minimum(H - self.top, down)  # rows of the image that the windows hold
        first = f.constants(range(self.lanes), self.local.scalar)
        self.offsets = {(r, t): self.offset(r, t) for r, t in self.each()}
        # The bits of all places that were seen, and the lanes that have missed.
        self.seen = f.variable(0, self.places.element.by(self.lanes)) if self.narrows else None
        self.missed = f.variable(0, Type(f"i{self.lanes}", self.lanes))
        q = f.variable(0)
        with f.when(Q > 0), f.repeat_while() as go_on:
            left = q.value * across
            self.out = (item * Q + q.value) * C
            corner = ((self.top * W + left) * C).to(self.local.scalar)
            self.base = first + f.as_value(corner, self.local)
            inside = self.below.equals(down) & (left + across <= W)
            with f.when(inside):
                self.channels(left, whole=True)
            with f.when(~inside):
                self.channels(left, whole=False)
            q.value = q.value + 1
            go_on((q.value < Q) & self.missed.value.equals(0))
        missed = self.missed.value.differs(0)
        self.marks.store((missed if self.seen is None else missed | self.astray(self.seen.value)).to(I64), item)
        if self.what == "put":
            self.clear_rest(p)

    def offset(self, r: int, t: int) -> Value:
        """Of a cell, from its window's corner on."""
        f, n = self.f, self.n
        return f.as_value(f.as_value((n["W"] * r + t) * n["C"], I64).to(self.local.scalar), self.local)

    def each(self) -> Iterator[tuple[int, int]]:
        return ((r, t) for r in range(self.cells[0]) for t in range(self.cells[1]))

    def channels(self, left: Value, whole: bool) -> None:
        f, W, C, lanes = self.f, self.n["W"], self.n["C"], self.lanes
        done = C // lanes * lanes
        self.pixels = {(r, t): self.row.at((W * r + left + t) * C) for r, t in self.each()}
        with f.loop(0, done, lanes) as c:
            self.window(left, c, None, whole)
        with f.when(done < C):
            self.window(left, done, f.lanes_below(C - done, lanes), whole)

    def window(self, left: Value, c: Any, mask: Value | None, whole: bool) -> None:
        """One vector of channels of one window."""
        f, lanes = self.f, self.lanes
        places = self.places.load(self.out + c, lanes, mask)
        if self.seen is not None:
            self.seen.value = self.seen.value | places
        local = places.to(self.local.scalar) - (self.base + f.as_value(c, I64).to(self.local.scalar).splat(lanes))
        zero = f.zero(self.kind.by(lanes))
        hit = f.variable(f.zero(I1.by(lanes)), I1.by(lanes))
        total = f.variable(zero, zero.type)
        value = self.values.load(self.out + c, lanes, mask) if self.what == "put" else zero
        for r, t in self.each():
            here, pixel = local.equals(self.offsets[r, t]), self.pixels[r, t]

            def visit(here: Value = here, pixel: Value = pixel, past: Any = self.streams and r % 2) -> None:
                hit.value = hit.value | here
                if past and mask is None:
                    pixel.stream(f.select(here, value, 0), c)
                elif self.what == "put":
                    pixel.store(f.select(here, value, 0), c, mask)
                else:
                    total.value = f.select(here, pixel.load(c, lanes, mask), total.value)

            if whole:
                visit()
            else:
                with f.when((self.below > r) & (left + t < self.n["W"])):
                    visit()
        if self.what == "take":
            self.values.store(total.value, self.out + c, mask)
        wrong = ~hit.value if mask is None else ~hit.value & mask
        self.missed.value = self.missed.value | wrong.bits_as(self.missed.value.type)

    def astray(self, seen: Value) -> Value:
        """Whether a place was seen that does not fit the register in which it was compared."""
        return _any(self.f, (seen >> self.f.as_value(self.local.bits - 1, seen.type)).differs(0))

    def clear_rest(self, p: Value) -> None:
        """What of the image lies in no window: to the right, and below the last row."""
        f, n, (down, across) = self.f, self.n, self.cells
        W, C = n["W"], n["C"]
        used = n["Q"] * across
        with f.when(used < W), f.loop(0, self.below) as r:
            f.clear(self.row.at((W * r + used) * C), (W - used) * C)
        rest = n["H"] - (self.top + down)
        with f.when((p + 1).equals(n["P"]) & (rest > 0)):
            f.clear(self.row.at(W * down * C), rest * W * C)


def sides(size: int, windows: int) -> int:
    """How large windows are of which so many, side by side, cover an axis or nearly so; 0 where no size does."""
    large = -(-size // windows) if windows else 0
    return large if (windows - 1) * large < size else size // windows
