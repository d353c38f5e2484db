"""The gradient of a convolution to its filter by minimal filtering: dy takes the filter's part.

    x tiles [T,T,C]  --B^T--> V [T T][tile][C]
    dy tiles [m,m,K] --G----> D [T T][tile][K]      dU [T T][C][K] = V^T D, summed over tiles      dw = A^T of dU

An item sums a block of channels by channels over its share of the tiles, so dU stays in the second cache; shares of
tiles have a dU of their own, which the last step adds in order. Sums over a run of tiles begin at zero.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.minimal import Minimal, minimal, transform
from pullback.native.packing import clear
from pullback.native.strided import to_filter
from pullback.native.tiles import Tile, channel_blocks, chosen, split, tile
from pullback.native.winograd import LINE, SLOTS, leased
from pullback.native.winograd_tiles import Spread, row_of

# Channels of a block, of the image and of dy: as many numbers as its square has a block for each product.
BLOCK = 128
# Bytes of V and D that an item keeps in the second cache.
ROOM = 900 << 10
# Items that there should be at least, and tiles that a share should have at least.
ITEMS, SHARE = 8, 32


class WinogradFilter(NamedTuple):
    """What is baked into the kernel.

    taps: of the filter, r; outputs: m, of a tile of dy; stride: of the convolution. channels, makes: C, K; some, most:
    how many of them a block has. vectors: of a tile of products.
    """

    kind: Type
    taps: int
    outputs: int
    channels: int
    makes: int
    some: int
    most: int
    vectors: int
    rows: int
    stride: int = 1

    @property
    def form(self) -> Minimal:
        """F(r, m): the filter's gradient is the result, dy the filter."""
        if self.stride == 1:
            return minimal(self.taps, self.outputs)
        return to_filter(self.outputs, self.taps, self.stride)

    @property
    def lanes(self) -> int:
        return host().lanes(self.kind)

    @property
    def sums(self) -> int:
        """Numbers of a block's dU."""
        return self.form.size**2 * self.some * self.most


_WORDS = (
    *("tiles", "each", "across", "H", "W", "P", "Q", "top", "left", "many", "shares", "blocks"),
    *("slots", "apart", "between", "room"),
)


def winograd_filter(module: Module, s: WinogradFilter) -> None:
    """Kernel: dU of x and dy. Items are (block of C, block of K, share of the tiles)."""
    words = dict.fromkeys(("x", "dy", "sums", "rooms"), s.kind.pointer) | {"flags": I64.pointer}
    with module.kernel("winograd_filter", **words, **dict.fromkeys(_WORDS, I64)) as (
        f,
        x,
        dy,
        sums,
        rooms,
        flags,
        *rest,
    ):
        n = dict(zip(_WORDS, rest, strict=True))
        with leased(f, flags, n["slots"]) as slot:
            writing = _Writing(f, s, (x, dy, sums), rooms.at(slot * n["room"]), n)
            with f.loop(f.begin, f.end) as item:
                writing.item(item)


class _Writing:
    """Writes the kernel's loops."""

    def __init__(self, f: Function, s: WinogradFilter, arrays: Any, room: Value, n: dict[str, Value]) -> None:
        self.f, self.s, self.n, self.form, self.lanes = f, s, n, s.form, s.lanes
        self.x, self.dy, self.sums = arrays
        self.patch, self.v = room, room.at(_patch(s))
        self.d = self.v.at(n["apart"] * self.form.size**2)

    def item(self, item: Value) -> None:
        f, s, n = self.f, self.s, self.n
        share, block = item % n["shares"], item // n["shares"]
        self.first, self.make = block // n["blocks"] * s.some, block % n["blocks"] * s.most
        sums = self.sums.at(item * s.sums)
        f.clear(sums, s.sums)
        last = n["tiles"] * (share + 1) // n["shares"]
        with f.loop(n["tiles"] * share // n["shares"], last, n["many"]) as begin:
            self.begin, self.end = begin, f.minimum(last, begin + n["many"])
            self.spread()
            with f.loop(0, self.form.size**2) as square:
                v, d = self.v.at(square * n["apart"]), self.d.at(square * n["between"])
                self.products(v, d, sums.at(square * (s.some * s.most)))

    def spread(self) -> None:
        """V and D of the run of tiles."""
        f, s, n, m = self.f, self.s, self.n, self.s.outputs
        with f.loop(self.begin, self.end) as t:
            image, rest, at = t // n["each"], t % n["each"], t - self.begin
            row, column = rest // n["across"] * m, rest % n["across"] * m
            source = self.x.at(image * n["H"] * n["W"] * s.channels + self.first)
            where = row * s.stride - n["top"], column * s.stride - n["left"]
            to = self.v.at(at * row_of(s.some, self.lanes))
            for count in self.counts(self.first, s.channels, s.some):
                step = Spread(s.kind, self.form, "of_inputs", count, s.channels)
                step.emit(f, source, where, (n["H"], n["W"]), self.patch, to, n["apart"])
            source = self.dy.at(image * n["P"] * n["Q"] * s.makes + self.make)
            to = self.d.at(at * row_of(s.most, self.lanes))
            for count in self.counts(self.make, s.makes, s.most):
                step = Spread(s.kind, self.form, "of_filter", count, s.makes)
                step.emit(f, source, (row, column), (n["P"], n["Q"]), self.patch, to, n["between"])

    def counts(self, first: Value, total: int, most: int) -> Any:
        """Emits what follows for each count of channels that a block may have: all, or what is left at the end."""
        rest = total % most
        for count in {most if total >= most else 0, rest} - {0}:
            if not rest or total < most:
                yield count
            else:
                with self.f.when(first < total - rest if count == most else first >= total - rest):
                    yield count

    def products(self, v: Value, d: Value, sums: Value) -> None:
        """Adds V^T D of one square to its sums."""
        f, s, lanes = self.f, self.s, self.lanes
        wide = s.vectors * lanes
        for count in self.counts(self.make, s.makes, s.most):
            whole, last, _ = channel_blocks(count, lanes, s.vectors)
            if whole:
                with f.loop(0, whole * wide, wide) as k:
                    self.channels(v, d.at(k), sums.at(k), s.vectors)
            if last:
                self.channels(v, d.at(whole * wide), sums.at(whole * wide), last)

    def channels(self, v: Value, d: Value, sums: Value, vectors: int) -> None:
        """The same for one vector block of K: tiles of channels."""
        f, s, once = self.f, self.s, (1, 0, 0)
        turns = self.end - self.begin, row_of(s.some, self.lanes), row_of(s.most, self.lanes)
        for count in self.counts(self.first, s.channels, s.some):
            begin = 0
            for size, times in split(count, s.rows):
                product = tile(f.module, Tile(s.kind, size, vectors, 0, 1, adds=True))
                with f.loop(begin, begin + size * times, size) as c:
                    f.call(product, v.at(c), d, sums.at(c * s.most), 0, s.most, *once, *once, *turns)
                begin += size * times


def collect_filter(module: Module, s: WinogradFilter) -> None:
    """Kernel: dw [r,r,C,K] of the sums. Items are channels of the image; `row` is dw's row length."""
    words = dict.fromkeys(("sums", "dw"), s.kind.pointer) | dict.fromkeys(("shares", "blocks", "row"), I64)
    with module.kernel("collect_filter", **words) as (f, sums, dw, shares, blocks, row), f.loop(f.begin, f.end) as c:
        lanes, squares = s.lanes, s.form.size**2
        block = c // s.some * blocks
        first = sums.at(block * shares * s.sums + c % s.some * s.most)
        total = f.buffer(s.kind, squares * lanes)
        with f.loop(0, s.makes, lanes) as k:
            source = first.at(k // s.most * shares * s.sums + k % s.most)
            with f.loop(0, squares) as square:
                value = f.variable(f.zero(s.kind.by(lanes)))
                with f.loop(0, shares) as share:
                    value.value = value.value + source.load(share * s.sums + square * (s.some * s.most), lanes)
                total.store(value.value, square * lanes)
            mask = f.lanes_below(s.makes - k, lanes) if s.makes % lanes else None
            to, size = dw.at(c * row + k), s.form.size
            _collect(f, s, total, size, to, row * s.channels, mask)


def _collect(f: Function, s: WinogradFilter, total: Value, size: int, to: Value, apart: Value, mask: Any) -> None:
    def put(i: int, j: int, value: Value) -> None:
        to.store(value, apart * (i * s.taps + j), mask)

    transform(f, s.form.to_outputs, lambda i, j: total.load((i * size + j) * s.lanes, s.lanes), put)


def _patch(s: WinogradFilter) -> int:
    """Numbers of a square at the border, of x or of dy."""
    return -(-max(s.form.size**2 * s.some, s.outputs**2 * s.most) // s.lanes) * s.lanes


def block_sizes(kind: Type, C: int, K: int, tiles: int, squares: int) -> tuple[int, int, int, int]:
    """(channels of a block, of C and of K, tiles of a run, shares of the tiles)."""
    lanes = host().lanes(kind)
    some = _even(C, BLOCK, lanes)
    wide = chosen(host(), some, K, lanes).vectors * lanes
    most = _even(K, max(BLOCK * BLOCK // some, wide), wide)
    blocks = -(-C // some) * -(-K // most)
    shares = max(1, min(-(-ITEMS // blocks), tiles // SHARE))
    share = max(1, -(-tiles // shares))
    many = max(SHARE, ROOM // (squares * (row_of(some, lanes) + row_of(most, lanes)) * kind.bytes))
    return some, most, -(-share // -(-share // many)), shares


def add_winograd_filter(
    task: Any, x: Any, dy: Any, dw: Any, outs: Any, before: Any, outputs: int, stride: int = 1
) -> None:
    """Adds the jobs of a filter's gradient by a form that takes outputs^2 pixels of dy at a time."""
    (N, H, W, C), (r, _, _, K), (P, Q), m = x.shape, dw.shape, outs, outputs
    down, across = -(-P // m), -(-Q // m)
    tiles, lanes, squares = N * down * across, host().lanes(x.kind), ((m - 1) * stride + r) ** 2
    some, most, many, shares = block_sizes(x.kind, C, K, tiles, squares)
    block = chosen(host(), some, K, lanes)
    s = WinogradFilter(x.kind, r, m, C, K, some, most, block.vectors, block.rows, stride)
    blocks = -(-K // most)
    items = -(-C // some) * blocks * shares
    sums = task.scratch((items * s.sums,), x.dtype)
    flags = task.scratch((SLOTS * LINE,), "int64")
    task.job(clear, (I64,), [flags], items=flags.size, cost=100, shares=1)
    apart, between = many * row_of(some, lanes) + lanes, many * row_of(most, lanes) + lanes
    room = -(-(_patch(s) + squares * (apart + between)) // 1024) * 1024
    slots = min(SLOTS, items)
    rooms = task.scratch((slots * room,), x.dtype)
    numbers = (tiles, down * across, across, H, W, P, Q, *before, many, shares, blocks, slots, apart, between, room)
    cost = 0.35 * tiles * squares * C * K / lanes / 2
    task.job(winograd_filter, (s,), [x, dy, sums, rooms, flags, *numbers], items=items, cost=cost)
    task.job(collect_filter, (s,), [sums, dw, shares, blocks, K], items=C, cost=sums.bytes / 8)


def _even(count: int, most: int, unit: int) -> int:
    """A block's size, a multiple of the unit where there is more than one block: as even as can be."""
    if count <= most:
        return -(-count // unit) * unit if unit > 1 and count > unit else count
    each = -(-count // -(-count // most))
    return -(-each // unit) * unit
