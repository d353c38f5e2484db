"""Convolution by minimal filtering: tiles of the image and the filter are transformed, multiplied, and the
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
from pullback.native.minimal import Minimal, transform
from pullback.native.packing import clear
from pullback.native.strided import form_of
from pullback.native.tiles import LINE as LINE_BYTES
from pullback.native.tiles import Tile, channel_blocks, chosen, goes_past, split, tile, transposed
from pullback.native.winograd_tiles import WORDS, Spread, grid, place, products_of, row_of

# Bytes of V and of the products that an item keeps in the second cache; the rest of it is for the filter, passing by.
ROOM = 480 << 10
# Shares that may be at work at once, each with room of its own.
SLOTS = 16
LINE = 8  # words of a cache line


class Winograd(NamedTuple):
    """What is baked into the kernel.

    outputs, taps, stride, phase: of the form, see strided.form_of. channels: C. vectors, last, tail: a block of output
    channels, the last one's vectors, lanes of its last vector (0: all). rows: of a tile of products.
    less: whether some tiles have no products in the last row and column. streams: whether results that begin on a
    line go straight to memory.
    """

    kind: Type
    outputs: int
    taps: int
    channels: int
    vectors: int
    last: int
    tail: int
    rows: int
    stride: int = 1
    phase: int | None = None
    less: bool = False
    streams: bool = False

    @property
    def form(self) -> Minimal:
        return form_of(self.outputs, self.taps, self.stride, self.phase)

    def pixel(self, result: Value) -> Value:
        """Where in the image a tile of results begins."""
        return result * self.stride if self.phase is None else result // self.stride

    @property
    def lanes(self) -> int:
        return host().lanes(self.kind)

    def filter_block(self, wide: int) -> int:
        """Numbers of U for a block of so many output channels."""
        return self.form.size**2 * square_of(self.channels, wide, self.lanes)

    @property
    def row(self) -> int:
        """Numbers from one tile's channels to the next one's in V."""
        return row_of(self.channels, self.lanes)

    @property
    def patch(self) -> int:
        """Numbers of a tile with zeros around, or of a result that hangs over."""
        form = self.form
        return max(form.size**2 * self.channels, form.outputs**2 * self.vectors * self.lanes)


def square_of(channels: int, wide: int, lanes: int) -> int:
    """Numbers from one square of U to the next: squares that are written together share no place of the first cache."""
    return channels * wide + lanes


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


# --- the filter ------------------------------------------------------------------------------------------------------


def spread_filter(module: Module, s: Winograd, turned: bool) -> None:
    """Kernel: w [r,r,C,K] -> U. Items are input channels; or, turned, vectors of them: then w is [r,r,K,C], its taps
    come in reverse order. `row` is w's row length."""
    words = dict.fromkeys(("w", "u"), s.kind.pointer) | dict.fromkeys(("row", "makes", "whole"), I64)
    with module.kernel("spread_filter", **words) as (f, w, u, row, makes, whole):
        step = SpreadFilter(f, s.kind, s.form, (w, row, s.channels, makes), s.channels, turned)
        lanes, wide = s.lanes, s.vectors * s.lanes
        with f.loop(f.begin, f.end) as item:
            with f.loop(0, whole) as b:
                for v in range(s.vectors):
                    step.vector(item, b * wide + v * lanes, u.at(b * s.filter_block(wide) + v * lanes), wide)
            done = whole * wide
            for v in range(s.last):
                to = u.at(whole * s.filter_block(wide) + v * lanes)
                step.vector(item, done + v * lanes, to, s.last * lanes, edge=True)


class SpreadFilter:
    """Writes the filter's transform. w: where the filter lies, its row length, its C and K. apart: input channels from
    one square to the next. turned: the filter is [r,r,K,C], its taps come in reverse order."""

    def __init__(self, f: Function, kind: Type, form: Minimal, w: Any, apart: int, turned: bool) -> None:
        self.f, self.form, self.taps, self.lanes, self.apart = f, form, form.taps, host().lanes(kind), apart
        self.w, self.row, self.channels, self.makes = w
        self.buffer = f.buffer(kind, self.taps**2 * self.lanes**2) if turned else None

    def vector(self, item: Value, k: Any, to: Value, wide: int, edge: bool = False) -> None:
        """One vector of output channels, from k on, of an input channel; turned, of a vector of them."""
        f, taps, lanes = self.f, self.taps, self.lanes
        if self.buffer is None:
            mask = f.lanes_below(self.makes - k, lanes) if edge else None
            apart = self.row * self.channels
            self.put(self.w.at(item * self.row + k), apart, False, mask, to.at(item * wide), wide)
            return
        first = item * lanes
        mask = f.lanes_below(f.minimum(self.channels - first, lanes), lanes)
        with f.loop(0, taps * taps) as tap:
            rows = []
            for c in range(lanes):
                inside = f.select(k + c < self.makes, mask, f.zero(mask.type)) if edge else mask
                at = (tap * self.makes + k + c) * self.row + first
                rows.append(self.w.load(at, lanes, inside))
            for n, turned in enumerate(transposed(f, rows)):
                self.buffer.store(turned, (tap * lanes + n) * lanes)
        with f.loop(0, f.minimum(self.channels - first, lanes)) as n:
            source = self.buffer.at(n * lanes)
            self.put(source, lanes * lanes, True, None, to.at((first + n) * wide), wide)

    def put(self, source: Value, apart: Any, turned: bool, mask: Value | None, to: Value, wide: int) -> None:
        """Transforms a vector's taps, which lie `apart`; turned: the last one first."""
        taps, size, lanes = self.taps, self.form.size, self.lanes

        def load(i: int, j: int) -> Value:
            tap = i * taps + j
            return source.load((taps * taps - 1 - tap if turned else tap) * apart, lanes, mask)

        def put(i: int, j: int, value: Value) -> None:
            to.store(value, (i * size + j) * square_of(self.apart, wide, lanes))

        transform(self.f, self.form.of_filter, load, put)


# --- the products and back -------------------------------------------------------------------------------------------

_WORDS = (
    *("H", "W", "P", "Q", "top", "left", "many", "groups", "parts", "whole"),
    *("slots", "apart", "between", "room", "yn", "yp", "yq"),
    *WORDS,
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
            at = place(f, n, self.form.outputs, t, s.less)
            source = self.x.at(at.image * n["H"] * n["W"] * C)
            where = s.pixel(at.row) - n["top"], s.pixel(at.column) - n["left"]
            inside = n["H"], n["W"]
            step.emit(f, source, where, inside, self.patch, self.v.at((t - self.begin) * s.row), n["apart"])
        wide = s.vectors * self.lanes
        with f.loop(n["whole"] * part // n["parts"], n["whole"] * (part + 1) // n["parts"]) as b:
            self.block(self.u.at(b * s.filter_block(wide)), self.y.at(b * wide), s.vectors, 0)
        if s.last:
            with f.when(part.equals(n["parts"] - 1)):
                done = n["whole"] * wide
                self.block(self.u.at(n["whole"] * s.filter_block(wide)), self.y.at(done), s.last, s.tail)

    def block(self, u: Value, y: Value, vectors: int, tail: int) -> None:
        """One block of output channels for the run of tiles."""
        f, s, n, wide, size, once = self.f, self.s, self.n, vectors * self.lanes, self.form.size, (1, 0, 0)
        product = tile(f.module, Tile(s.kind, s.rows, vectors, 0, s.row))
        for down, over, (first, beyond) in products_of(size, s.less, n):
            run = f.maximum(self.begin, first) - self.begin, f.minimum(self.end, beyond) - self.begin
            with f.loop(*down) as i, f.loop(*over) as j, f.loop(*run, s.rows) as t:
                square = i * size + j
                v, to = self.v.at(square * n["apart"] + t * s.row), self.products.at(square * n["between"] + t * wide)
                weights = u.at(square * square_of(s.channels, wide, s.lanes))
                f.call(product, v, weights, to, 0, wide, *once, *once, s.channels, 1, wide)
        back = (self.products, n["between"], self.patch)
        collect_tiles(f, s, (vectors, tail), (self.begin, self.end), n, back, y, s.streams)


def collect_tiles(
    f: Function,
    s: Any,
    block: tuple[int, int],
    tiles: Any,
    n: dict[str, Value],
    back: Any,
    y: Value,
    streams: bool = False,
) -> None:
    """Transforms the products of tiles from .. to back. s: a kernel's kind, form and less. block: (vectors, lanes of
    the last one). back: (products, numbers between squares, patch)."""
    (begin, end), (products, between, patch), form = tiles, back, s.form
    wide, step = block[0] * host().lanes(s.kind), collect(f.module, s.kind, form, *block, streams)
    with f.loop(begin, end) as t:
        at = place(f, n, form.outputs, t, s.less)
        to = y.at(at.image * n["yn"] + at.row * n["yp"] + at.column * n["yq"])
        left = f.minimum(n["P"] - at.row, at.rows), f.minimum(n["Q"] - at.column, at.columns)
        f.call(step, products.at((t - begin) * wide), to, *left, between, n["yp"], n["yq"], patch)


def collect(module: Module, kind: Type, form: Minimal, vectors: int, tail: int, streams: bool) -> Function:
    """The function that transforms a tile's products back: (products, y, rows and columns left from there, elements
    between squares, y's rows, y's pixels, patch)."""
    name = f"collect_{vectors}_{tail}"
    m, lanes = form.outputs, host().lanes(kind)
    if name in module:
        return module[name]
    wide = vectors * lanes
    parameters = (kind.pointer, kind.pointer, *[I64] * 5, kind.pointer)
    with module.function(name, *parameters) as (f, source, to, rows, columns, between, yp, yq, patch):
        mask = f.lanes_below(tail, lanes) if tail else None
        whole = (rows >= m) & (columns >= m)

        def back(v: Any, y: Value, row: Any, pixel: Any, mask: Value | None = None, past: bool = False) -> None:
            def put(i: int, j: int, value: Value) -> None:
                at = row * i + pixel * j + v
                if past:
                    y.stream(value, at)
                else:
                    y.store(value, at, mask)

            transform(f, form.to_outputs, lambda i, j: source.load(between * (i * form.size + j) + v, lanes), put)

        plain = vectors - bool(tail)
        with f.when(whole):
            if plain:
                on_lines = f.on_lines(to, LINE_BYTES) if streams else None
                for past in (False, True)[: 1 + streams]:
                    with (
                        f.when(True if on_lines is None else on_lines if past else ~on_lines),
                        f.loop(0, plain * lanes, lanes) as v,
                    ):
                        back(v, to, yp, yq, past=past)
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
    """A convolution of an image [N,H,W,C] that makes [N,P,Q,K] with a filter of taps by taps.

    steps: elements from one image, row, column of the result to the next. stride, phase: see strided.form_of.
    """

    image: tuple[int, ...]
    outs: tuple[int, ...]
    makes: int
    taps: int
    before: tuple[int, ...]
    steps: tuple[int, int, int]
    stride: int = 1
    phase: int | None = None


def add_winograd(task: Any, x: Any, w: Any, y: Any, at: Pass, outputs: int, turned: bool) -> None:
    """Adds the jobs of a pass by a form of so many outputs (of a phase). turned: w is [r,r,K,C], the taps come in
    reverse order."""
    (N, H, W, C), (P, Q), K = at.image, at.outs, at.makes
    form = form_of(outputs, at.taps, at.stride, at.phase)
    of = grid(N, P, Q, form.outputs, at.stride)
    tiles, lanes = of.tiles, host().lanes(x.kind)
    if not tiles:
        return
    block = chosen(host(), min(tiles, 128), K, lanes)
    whole, last, tail = channel_blocks(K, lanes, block.vectors)
    squares, row, size = form.size**2, row_of(C, lanes), x.dtype.itemsize
    most = max(block.rows, ROOM // (squares * (row + block.vectors * lanes) * size))
    groups = -(-tiles // most)
    run = -(-tiles // groups)
    rows = split(run, block.rows)[0][0]
    many = -(-run // rows) * rows
    groups = -(-tiles // many)
    parts = max(1, min(whole, -(-8 // groups)))
    s = Winograd(x.kind, outputs, at.taps, C, block.vectors, last, tail, rows, at.stride, at.phase, of.less)
    s = s._replace(streams=goes_past(y, K, *at.steps))
    blocks = whole * s.filter_block(block.vectors * lanes) + s.filter_block(last * lanes)
    u = task.scratch((blocks,), x.dtype)
    items = -(-C // lanes) if turned else C
    words = [w, u, C if turned else K, K, whole]
    task.job(spread_filter, (s, turned), words, items=items, cost=u.bytes / 8)
    flags = task.scratch((SLOTS * LINE,), "int64")
    task.job(clear, (I64,), [flags], items=flags.size, cost=100, shares=1)
    apart = many * row + lanes
    between = (many + rows * of.less) * block.vectors * lanes + lanes
    room = -(-(s.patch + lanes + squares * (apart + between)) // 1024) * 1024
    rooms = task.scratch((min(SLOTS, groups * parts) * room,), x.dtype)
    numbers = (
        *(H, W, P, Q, *at.before, many, groups, parts, whole),
        *(min(SLOTS, groups * parts), apart, between, room, *at.steps),
        *of,
    )
    cost = 0.35 * tiles * squares * C * K / lanes / 2
    task.job(winograd, (s,), [x, u, y, rooms, flags, *numbers], items=groups * parts, cost=cost)
