"""Convolution by minimal filtering where the filter is large and the image small, as in the last layers of a network:
tiles are transformed once and kept, the filter is transformed block by block, where it is used.

    x tiles --B^T--> V [block of C][T T][tile][some]         in memory, small
    w block --G----> U [T T][some][lanes]                    in the second cache: never written elsewhere
    M [T T][tile][lanes] += V U, block of C by block of C    in the second cache       y tiles = A^T of M

An item makes a block of output channels for a group of tiles. The other way, `winograd`, keeps the tiles in the cache
and reads the whole transformed filter, four times as large as the filter, for each group of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.minimal import Minimal
from pullback.native.packing import clear
from pullback.native.strided import form_of
from pullback.native.tiles import Block, Tile, channel_blocks, chosen, split, tile
from pullback.native.winograd import LINE, SLOTS, Pass, SpreadFilter, collect_tiles, leased, square_of
from pullback.native.winograd_tiles import WORDS, Kept, add_spread_tiles, grid, products_of, row_of

# Bytes of a block of U, and of the products, that an item keeps in the second cache.
FILTER, PRODUCTS = 450 << 10, 330 << 10
# Items that there should be at least.
ITEMS = 4


class Deep(NamedTuple):
    """What is baked into the kernel.

    some: input channels of a block. vectors, last, tail: a block of output channels, the last one's vectors, lanes of
    its last vector (0: all). rows: of a tile of products, for each kind of product (`Grid.taking_part`). less: whether
    some tiles have no products in the last row and column. turned: the filter is [r,r,K,C], its taps reversed.
    """

    kind: Type
    form: Minimal
    some: int
    vectors: int
    last: int
    tail: int
    rows: tuple[int, ...]
    less: bool
    turned: bool

    @property
    def lanes(self) -> int:
        return host().lanes(self.kind)

    @property
    def row(self) -> int:
        return row_of(self.some, self.lanes)

    @property
    def wide(self) -> int:
        return self.vectors * self.lanes


_WORDS = (
    *("row", "C", "K", "P", "Q", "many", "groups", "whole", "slots", "apart", "between", "room", "yn", "yp", "yq"),
    *WORDS,
)


def winograd_deep(module: Module, s: Deep) -> None:
    """Kernel: y of the filter and of V. Items are (block of output channels, group of tiles)."""
    words = dict.fromkeys(("w", "v", "y", "rooms"), s.kind.pointer) | {"flags": I64.pointer}
    with module.kernel("winograd_deep", **words, **dict.fromkeys(_WORDS, I64)) as (f, w, v, y, rooms, flags, *rest):
        n: dict[str, Value] = dict(zip(_WORDS, rest, strict=True))
        with leased(f, flags, n["slots"]) as slot:
            writing = _Writing(f, s, (w, v, y), rooms.at(slot * n["room"]), n)
            with f.loop(f.begin, f.end) as item:
                writing.item(item)


class _Writing:
    """Writes the kernel's loops."""

    def __init__(self, f: Function, s: Deep, arrays: Any, room: Value, n: dict[str, Value]) -> None:
        self.f, self.s, self.n, self.squares = f, s, n, s.form.size**2
        w, self.v, self.y = arrays
        self.filter = SpreadFilter(f, s.kind, s.form, (w, n["row"], n["C"], n["K"]), s.some, s.turned)
        self.patch = room
        self.u = room.at(_patch(s))
        self.products = self.u.at(self.squares * square_of(s.some, s.wide, s.lanes))

    def item(self, item: Value) -> None:
        f, s, n = self.f, self.s, self.n
        b, group = item // n["groups"], item % n["groups"]
        self.begin = group * n["many"]
        self.end = f.minimum(n["tiles"], self.begin + n["many"])
        with f.when(b < n["whole"]):
            self.block(b * s.wide, s.vectors, 0)
        if s.last:
            with f.when(b >= n["whole"]):
                self.block(b * s.wide, s.last, s.tail)

    def block(self, k: Value, vectors: int, tail: int) -> None:
        """The output channels of a block, from k on, for a group of tiles."""
        f, s, n, lanes = self.f, self.s, self.n, self.s.lanes
        f.clear(self.products, n["between"] * self.squares)
        with f.loop(0, n["C"], s.some) as c:
            many = f.minimum(n["C"] - c, s.some)
            unit = lanes if s.turned else 1
            with f.loop(c // unit, (c + many + (unit - 1)) // unit) as item:
                for i in range(vectors):
                    to = self.u.at(i * lanes - c * (vectors * lanes))
                    self.filter.vector(item, k + i * lanes, to, vectors * lanes, edge=bool(tail) and i == vectors - 1)
            self.multiply(self.v.at(c // s.some * self.squares * n["apart"]), many, vectors)
        back = (self.products, n["between"], self.patch)
        collect_tiles(f, s, (vectors, tail), (self.begin, self.end), n, back, self.y.at(k))

    def multiply(self, v: Value, many: Value, vectors: int) -> None:
        """Adds V U of a block of input channels to the products."""
        f, s, n, size, wide = self.f, self.s, self.n, self.s.form.size, vectors * self.s.lanes
        once = (1, 0, 0)
        for (down, over, (first, beyond)), rows in zip(products_of(size, s.less, n), s.rows, strict=False):
            if not rows:
                continue
            product = tile(f.module, Tile(s.kind, rows, vectors, 0, s.row, adds=True))
            begin, end = f.maximum(self.begin, first), f.minimum(self.end, beyond)
            with f.loop(*down) as i, f.loop(*over) as j:
                square = i * size + j
                weights = self.u.at(square * square_of(s.some, wide, s.lanes))
                with f.loop(begin, end, rows) as t:
                    source = v.at(square * n["apart"] + t * s.row)
                    to = self.products.at(square * n["between"] + (t - self.begin) * wide)
                    f.call(product, source, weights, to, 0, wide, *once, *once, many, 1, wide)


def _patch(s: Deep) -> int:
    """Numbers of a result that hangs over."""
    return s.form.outputs**2 * s.wide


def cut(kind: Type, K: int, tiles: int, squares: int) -> tuple[Block, int]:
    """(a block of output channels, into how many groups the tiles are cut)."""
    lanes = host().lanes(kind)
    block = chosen(host(), min(tiles, 128), K, lanes)
    wide = block.vectors * lanes
    most = max(block.rows, PRODUCTS // (squares * wide * kind.bytes))
    return block, min(-(-tiles // block.rows), max(-(-tiles // most), -(-ITEMS // -(-K // wide))))


def add_winograd_deep(task: Any, x: Any, w: Any, y: Any, at: Pass, outputs: int, turned: bool) -> None:
    """Adds the jobs of a pass; the arguments are those of `add_winograd`."""
    (N, _, _, C), (P, Q), K, lanes = at.image, at.outs, at.makes, host().lanes(x.kind)
    form = form_of(outputs, at.taps, at.stride, at.phase)
    of, squares = grid(N, P, Q, form.outputs, at.stride), form.size**2
    if not of.tiles:
        return
    block, groups = cut(x.kind, K, of.tiles, squares)
    whole, last, tail = channel_blocks(K, lanes, block.vectors)
    wide, many = block.vectors * lanes, -(-of.tiles // groups)
    most = max(1, FILTER // (squares * wide * x.dtype.itemsize * lanes)) * lanes
    some = -(-C // -(-C // most))
    some = -(-some // lanes) * lanes
    parts = [-(-count // groups) for count in of.taking_part()]
    rows = tuple([split(part, block.rows)[0][0] if part else 0 for part in parts])
    step = (at.stride, 1) if at.phase is None else (1, at.stride)
    kept = Kept(x.kind, form, "of_inputs", C, some, form.outputs, of.less, step)
    v, apart = add_spread_tiles(task, x, kept, at.before, of, block.rows)
    s = Deep(x.kind, form, some, block.vectors, last, tail, rows, of.less, turned)
    flags = task.scratch((SLOTS * LINE,), "int64")
    task.job(clear, (I64,), [flags], items=flags.size, cost=100, shares=1)
    between = (many + block.rows) * wide + lanes
    room = -(-(_patch(s) + squares * (square_of(some, wide, lanes) + between)) // 1024) * 1024
    items = groups * (whole + (last > 0))
    slots = min(SLOTS, items)
    rooms = task.scratch((slots * room,), x.dtype)
    numbers = (C if turned else K, C, K, P, Q, many, groups, whole, slots, apart, between, room, *at.steps, *of)
    cost = 0.35 * of.tiles * squares * C * K / lanes / 2
    task.job(winograd_deep, (s,), [w, v, y, rooms, flags, *numbers], items=items, cost=cost)
