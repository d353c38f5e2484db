"""Convolution at stride 1 by minimal filtering: tiles of the image and the filter are transformed, multiplied, and the
products transformed back.

    x tiles [T,T,C] --B^T--> V [T T][tile][C]
    w [r,r,C,K]     --G----> U [block of K][T T][C][lanes]         y tile [m,m,K] = A^T of V U, for each of the T T

Tiles of all images are one long row; an item takes a run of them, so that V stays in the second cache while the blocks
of output channels pass, and for each block the products stay there too. A tile at the border is first copied to a patch
with zeros around; so is a result that hangs over. Needs room of its own for each thread at work: see `leased`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.minimal import Minimal, minimal, transform
from pullback.native.packing import clear
from pullback.native.tiles import Tile, channel_blocks, chosen, split, tile, transposed

# Numbers of V and of the products that an item may keep in the second cache, in bytes.
ROOM = 900 << 10
# Shares that may be at work at once, each with room of its own.
SLOTS = 16
LINE = 8  # words of a cache line


class Winograd(NamedTuple):
    """What is baked into the kernel.

    outputs, taps: of F(outputs, taps). channels: C. vectors, last, tail: a block of output channels, the last one's
    vectors, lanes of its last vector (0: all). rows: of a tile of products.
    """

    kind: Type
    outputs: int
    taps: int
    channels: int
    vectors: int
    last: int
    tail: int
    rows: int

    @property
    def form(self) -> Minimal:
        return minimal(self.outputs, self.taps)

    @property
    def lanes(self) -> int:
        return host().lanes(self.kind)

    @property
    def row(self) -> int:
        """Numbers from one tile's channels to the next one's in V."""
        return row_of(self.channels, self.lanes)

    @property
    def patch(self) -> int:
        """Numbers of a tile with zeros around, or of a result that hangs over."""
        form = self.form
        return max(form.size**2 * self.channels, form.outputs**2 * self.vectors * self.lanes)


def row_of(channels: int, lanes: int) -> int:
    """Whole vectors, and one more where rows would fall on the same places of the first cache."""
    whole = -(-channels // lanes) * lanes
    return whole + lanes if whole % (lanes * 16) == 0 else whole


@contextlib.contextmanager
def leased(f: Function, flags: Value, slots: Value) -> Iterator[Value]:
    """Room `i < slots` that no other thread is in: its number. Flags are a cleared cache line for each."""
    mine = f.variable(0)
    with f.repeat_while() as go_on:
        taken = f.atomic_swap(flags.at(mine.value * LINE), 1).differs(0)
        with f.when(taken):
            mine.value = (mine.value + 1) % slots
        go_on(taken)
    slot = mine.value
    yield slot
    f.atomic_store(flags.at(slot * LINE), 0)


# --- from the image to V ---------------------------------------------------------------------------------------------


def spread(module: Module, kind: Type, form: Minimal, matrix: str, channels: int, pixel: int) -> Function:
    """The function that transforms a square of pixels, so many channels of each: (source, elements between its rows,
    V, elements between V's squares). `matrix` names the one of the form; the square has as many rows as it has columns,
    `pixel` elements from one to the next."""
    lanes, factors = host().lanes(kind), getattr(form, matrix)
    name = f"spread_{matrix}_{channels}_{pixel}"
    if name in module:
        return module[name]
    whole = channels // lanes * lanes
    with module.function(name, kind.pointer, I64, kind.pointer, I64) as (f, source, row, to, apart):
        rows = [source.at(row * i) for i in range(len(factors[0]))]
        steps = [apart * j for j in range(len(factors))]

        def some(c: Any, mask: Value | None) -> None:
            transform(
                f,
                factors,
                lambda i, j: rows[i].at(c).load(pixel * j, lanes, mask),
                lambda i, j, value: to.at(apart * (i * len(factors)) + c).store(value, steps[j]),
            )

        if whole:
            with f.loop(0, whole, lanes) as c:
                some(c, None)
        if channels > whole:
            some(whole, f.lanes_below(channels - whole, lanes))
    return module[name]


class Spread(NamedTuple):
    """Images whose squares are transformed: `channels` of `pixel` to a pixel; by which matrix of a form."""

    kind: Type
    form: Minimal
    matrix: str
    channels: int
    pixel: int

    @property
    def size(self) -> int:
        return len(getattr(self.form, self.matrix)[0])

    @property
    def patch(self) -> int:
        """Numbers of a square with zeros around."""
        return self.size**2 * self.channels

    def emit(self, f: Function, image: Value, place: Any, inside: Any, patch: Value, to: Value, apart: Any) -> None:
        """Transforms the square whose first pixel is at place (row, column) of an image of inside (H, W) pixels; by way
        of the patch where it hangs over."""
        (row, column), (H, W), size, count, C = place, inside, self.size, self.channels, self.pixel
        whole = (row >= 0) & (column >= 0) & (row + size <= H) & (column + size <= W)
        with f.when(whole):
            step = spread(f.module, self.kind, self.form, self.matrix, count, C)
            f.call(step, image.at((row * W + column) * C), W * C, to, apart)
        with f.when(~whole):
            f.clear(patch, self.patch)
            left, right = f.maximum(0 - column, 0), f.minimum(W - column, size)
            with f.when(left < right), f.loop(f.maximum(0 - row, 0), f.minimum(H - row, size)) as i:
                source = image.at(((row + i) * W + column) * C)
                if count == C:
                    f.copy(patch.at((i * size + left) * C), source.at(left * C), (right - left) * C)
                else:
                    with f.loop(left, right) as j:
                        f.copy(patch.at((i * size + j) * count), source.at(j * C), count)
            step = spread(f.module, self.kind, self.form, self.matrix, count, count)
            f.call(step, patch, size * count, to, apart)


# --- the filter ------------------------------------------------------------------------------------------------------


def spread_filter(module: Module, s: Winograd, turned: bool) -> None:
    """Kernel: w [r,r,C,K] -> U. Items are input channels; or, turned, vectors of them: then w is [r,r,K,C], its taps
    come in reverse order. `row` is w's row length."""
    words = dict.fromkeys(("w", "u"), s.kind.pointer) | dict.fromkeys(("row", "makes", "whole"), I64)
    with module.kernel("spread_filter", **words) as (f, w, u, *numbers):
        writing = _SpreadFilter(f, s, w, u, numbers, turned)
        with f.loop(f.begin, f.end) as item:
            writing.item(item)


class _SpreadFilter:
    """Writes the filter's transform."""

    def __init__(self, f: Function, s: Winograd, w: Value, u: Value, numbers: Any, turned: bool) -> None:
        self.f, self.s, self.w, self.u, self.lanes, self.form = f, s, w, u, s.lanes, s.form
        self.row, self.makes, self.whole = numbers
        self.buffer = f.buffer(s.kind, s.taps**2 * self.lanes**2) if turned else None

    def item(self, item: Value) -> None:
        f, s, wide = self.f, self.s, self.s.vectors * self.lanes
        squares = self.form.size**2 * s.channels
        with f.loop(0, self.whole) as b:
            for v in range(s.vectors):
                self.vector(item, b * wide + v * self.lanes, self.u.at(b * (squares * wide) + v * self.lanes), wide)
        done = self.whole * wide
        for v in range(s.last):
            to = self.u.at(done * squares + v * self.lanes)
            self.vector(item, done + v * self.lanes, to, s.last * self.lanes, edge=True)

    def vector(self, item: Value, k: Any, to: Value, wide: int, edge: bool = False) -> None:
        """One vector of output channels, from k on, of what an item stands for."""
        f, s, taps, lanes = self.f, self.s, self.s.taps, self.lanes
        if self.buffer is None:
            mask = f.lanes_below(self.makes - k, lanes) if edge else None
            apart = self.row * s.channels
            self.put(self.w.at(item * self.row + k), apart, False, mask, to.at(item * wide), wide)
            return
        first = item * lanes
        mask = f.lanes_below(f.minimum(s.channels - first, lanes), lanes)
        with f.loop(0, taps * taps) as tap:
            rows = []
            for c in range(lanes):
                inside = f.select(k + c < self.makes, mask, f.zero(mask.type)) if edge else mask
                at = (tap * self.makes + k + c) * self.row + first
                rows.append(self.w.load(at, lanes, inside))
            for n, turned in enumerate(transposed(f, rows)):
                self.buffer.store(turned, (tap * lanes + n) * lanes)
        with f.loop(0, f.minimum(s.channels - first, lanes)) as n:
            source = self.buffer.at(n * lanes)
            self.put(source, lanes * lanes, True, None, to.at((first + n) * wide), wide)

    def put(self, source: Value, apart: Any, turned: bool, mask: Value | None, to: Value, wide: int) -> None:
        """Transforms a vector's taps, which lie `apart`; turned: the last one first."""
        taps, size, channels, lanes = self.s.taps, self.form.size, self.s.channels, self.lanes

        def load(i: int, j: int) -> Value:
            tap = i * taps + j
            return source.load((taps * taps - 1 - tap if turned else tap) * apart, lanes, mask)

        def put(i: int, j: int, value: Value) -> None:
            to.store(value, (i * size + j) * (channels * wide))

        transform(self.f, self.form.of_filter, load, put)


# --- the products and back -------------------------------------------------------------------------------------------

_WORDS = (
    *("tiles", "each", "across", "H", "W", "P", "Q", "top", "left", "many", "groups", "parts", "whole"),
    *("slots", "apart", "between", "room", "yn", "yp", "yq"),
)


def winograd(module: Module, s: Winograd) -> None:
    """Kernel: y = x * w, of the transformed filter u. Items are (part of the blocks, run of tiles)."""
    words = dict.fromkeys(("x", "u", "y", "rooms"), s.kind.pointer) | {"flags": I64.pointer}
    with module.kernel("winograd", **words, **dict.fromkeys(_WORDS, I64)) as (f, x, u, y, rooms, flags, *numbers):
        n = dict(zip(_WORDS, numbers, strict=True))
        with leased(f, flags, n["slots"]) as slot:
            writing = _Writing(f, s, (x, u, y), rooms.at(slot * n["room"]), n)
            with f.loop(f.begin, f.end) as item:
                writing.item(item)


class _Writing:
    """Writes the kernel's loops."""

    def __init__(self, f: Function, s: Winograd, arrays: Any, room: Value, n: dict[str, Value]) -> None:
        self.f, self.s, self.n, self.form, self.lanes = f, s, n, s.form, s.lanes
        self.x, self.u, self.y = arrays
        self.patch, self.v = room, room.at(-(-s.patch // self.lanes) * self.lanes)
        self.products = self.v.at(n["apart"] * self.form.size**2)

    def item(self, item: Value) -> None:
        f, s, n = self.f, self.s, self.n
        part = item // n["groups"]
        self.begin = item % n["groups"] * n["many"]
        self.end = f.minimum(n["tiles"], self.begin + n["many"])
        C = s.channels
        step = Spread(s.kind, self.form, "of_inputs", C, C)
        with f.loop(self.begin, self.end) as t:
            image, row, column = self.place(t)
            source = self.x.at(image * n["H"] * n["W"] * C)
            where, inside = (row - n["top"], column - n["left"]), (n["H"], n["W"])
            step.emit(f, source, where, inside, self.patch, self.v.at((t - self.begin) * s.row), n["apart"])
        squares, wide = self.form.size**2 * s.channels, s.vectors * self.lanes
        with f.loop(n["whole"] * part // n["parts"], n["whole"] * (part + 1) // n["parts"]) as b:
            self.block(self.u.at(b * (squares * wide)), self.y.at(b * wide), s.vectors, 0)
        if s.last:
            with f.when(part.equals(n["parts"] - 1)):
                done = n["whole"] * wide
                self.block(self.u.at(done * squares), self.y.at(done), s.last, s.tail)

    def place(self, t: Value) -> tuple[Value, Value, Value]:
        """(image, first row, first column of the results) of a tile."""
        n, m = self.n, self.form.outputs
        image, rest = t // n["each"], t % n["each"]
        return image, rest // n["across"] * m, rest % n["across"] * m

    def block(self, u: Value, y: Value, vectors: int, tail: int) -> None:
        """One block of output channels for the run of tiles."""
        f, s, n, wide = self.f, self.s, self.n, vectors * self.lanes
        product = tile(f.module, Tile(s.kind, s.rows, vectors, 0, s.row))
        rows = self.end - self.begin
        with f.loop(0, self.form.size**2) as square, f.loop(0, rows, s.rows) as t:
            v, to = self.v.at(square * n["apart"] + t * s.row), self.products.at(square * n["between"] + t * wide)
            once = (1, 0, 0)
            weights = u.at(square * (s.channels * wide))
            f.call(product, v, weights, to, 0, wide, *once, *once, s.channels, 1, wide)
        step = self.collect(vectors, tail)
        with f.loop(0, rows) as t:
            image, row, column = self.place(self.begin + t)
            to = y.at(image * n["yn"] + row * n["yp"] + column * n["yq"])
            f.call(step, self.products.at(t * wide), to, n["P"] - row, n["Q"] - column, *self.steps(), self.patch)

    def steps(self) -> tuple[Value, Value, Value]:
        return self.n["between"], self.n["yp"], self.n["yq"]

    def collect(self, vectors: int, tail: int) -> Function:
        """The function that transforms a tile's products back: (products, y, rows and columns left from there, elements
        between squares, y's rows, y's pixels, patch)."""
        name = f"collect_{vectors}_{tail}"
        module, kind, m, lanes = self.f.module, self.s.kind, self.form.outputs, self.lanes
        if name in module:
            return module[name]
        wide = vectors * lanes
        parameters = (kind.pointer, kind.pointer, *[I64] * 5, kind.pointer)
        with module.function(name, *parameters) as (f, source, to, rows, columns, between, yp, yq, patch):
            mask = f.lanes_below(tail, lanes) if tail else None
            whole = (rows >= m) & (columns >= m)

            def back(v: Any, y: Value, row: Any, pixel: Any, mask: Value | None = None) -> None:
                transform(
                    f,
                    self.form.to_outputs,
                    lambda i, j: source.load(between * (i * self.form.size + j) + v, lanes),
                    lambda i, j, value: y.store(value, row * i + pixel * j + v, mask),
                )

            plain = vectors - bool(tail)
            with f.when(whole):
                if plain:
                    with f.loop(0, plain * lanes, lanes) as v:
                        back(v, to, yp, yq)
                if tail:
                    back(plain * lanes, to, yp, yq, mask)
            with f.when(~whole):
                with f.loop(0, wide, lanes) as v:
                    back(v, patch, f.constant(m * wide, I64), f.constant(wide, I64))
                with f.loop(0, f.minimum(rows, m)) as i, f.loop(0, f.minimum(columns, m)) as j:
                    for v in range(vectors):
                        value = patch.load((i * m + j) * wide + v * lanes, lanes)
                        last = mask if v == vectors - 1 else None
                        to.store(value, i * yp + j * yq + v * lanes, last)
        return module[name]


# --- jobs ------------------------------------------------------------------------------------------------------------


class Pass(NamedTuple):
    """A convolution at stride 1 of an image [N,H,W,C] that makes [N,P,Q,K] with a filter of taps by taps.

    steps: elements from one image, row, column of the result to the next.
    """

    image: tuple[int, ...]
    outs: tuple[int, ...]
    makes: int
    taps: int
    before: tuple[int, ...]
    steps: tuple[int, int, int]


def add_winograd(task: Any, x: Any, w: Any, y: Any, at: Pass, outputs: int, turned: bool) -> None:
    """Adds the jobs of a pass by F(outputs, taps). turned: w is [r,r,K,C], the taps come in reverse order."""
    (N, H, W, C), (P, Q), K, m = at.image, at.outs, at.makes, outputs
    down, across = -(-P // m), -(-Q // m)
    tiles, lanes = N * down * across, host().lanes(x.kind)
    if not tiles:
        return
    block = chosen(host(), min(tiles, 128), K, lanes)
    whole, last, tail = channel_blocks(K, lanes, block.vectors)
    squares, row, size = (m + at.taps - 1) ** 2, row_of(C, lanes), x.dtype.itemsize
    most = max(block.rows, ROOM // (squares * (row + block.vectors * lanes) * size))
    groups = -(-tiles // most)
    run = -(-tiles // groups)
    rows = split(run, block.rows)[0][0]
    many = -(-run // rows) * rows
    groups = -(-tiles // many)
    parts = max(1, min(whole, -(-8 // groups)))
    s = Winograd(x.kind, m, at.taps, C, block.vectors, last, tail, rows)
    u = task.scratch((squares * C * (whole * block.vectors + last) * lanes,), x.dtype)
    items = -(-C // lanes) if turned else C
    words = [w, u, C if turned else K, K, whole]
    task.job(spread_filter, (s, turned), words, items=items, cost=u.bytes / 8)
    flags = task.scratch((SLOTS * LINE,), "int64")
    task.job(clear, (I64,), [flags], items=flags.size, cost=100, shares=1)
    apart = many * row + lanes
    between = many * block.vectors * lanes + lanes
    room = -(-(s.patch + lanes + squares * (apart + between)) // 1024) * 1024
    rooms = task.scratch((min(SLOTS, groups * parts) * room,), x.dtype)
    numbers = (
        *(tiles, down * across, across, H, W, P, Q, *at.before, many, groups, parts, whole),
        *(min(SLOTS, groups * parts), apart, between, room, *at.steps),
    )
    cost = 0.35 * tiles * squares * C * K / lanes / 2
    task.job(winograd, (s,), [x, u, y, rooms, flags, *numbers], items=groups * parts, cost=cost)
