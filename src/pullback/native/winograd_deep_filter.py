"""The gradient of a convolution to its filter by minimal filtering, where the filter is large and the image small:
tiles of both are transformed once and kept, dw is made block by block, and transformed back where it lies.

    x tiles  --B^T--> V [block of C][T T][tile][some]      in memory, small
    dy tiles --G----> D [block of K][T T][tile][most]      in memory, small
    dU [T T][some][most] = V^T D, summed over tiles        in the second cache: never written elsewhere     dw = A^T dU

The other way, `winograd_filter`, sums over runs of tiles that it transforms for each block anew.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.minimal import Minimal, minimal, transform
from pullback.native.packing import clear
from pullback.native.strided import to_filter
from pullback.native.tiles import Tile, chosen, split, tile
from pullback.native.winograd import LINE, SLOTS, leased, square_of
from pullback.native.winograd_tiles import WORDS, Kept, add_spread_tiles, grid, products_of, row_of

# Bytes of a block of dU that an item keeps in the second cache; output channels of a block at most.
ROOM, MOST = 600 << 10, 64
# Blocks that there should be at least, as long as they have so many channels of x.
ITEMS, LEAST = 4, 14
# Tiles that are summed before the sum is added to the others.
RUN = 64


class DeepFilter(NamedTuple):
    """What is baked into the kernel.

    some, most: channels of a block, of x and of dy. vectors, rows: of a tile of products, (size, how often). less:
    whether some tiles have no products in the last row and column. tail: lanes of the last vector of dw's rows.
    """

    kind: Type
    form: Minimal
    some: int
    most: int
    vectors: int
    rows: tuple[tuple[int, int], ...]
    less: bool
    tail: int

    @property
    def lanes(self) -> int:
        return host().lanes(self.kind)

    @property
    def square(self) -> int:
        """Numbers from one square of dU to the next."""
        return square_of(self.some, self.most, self.lanes)


_WORDS = ("C", "K", "blocks", "slots", "room", "apart", "between", *WORDS)


def winograd_deep_filter(module: Module, s: DeepFilter) -> None:
    """Kernel: dw of V and D. Items are (block of C, block of K)."""
    words = dict.fromkeys(("v", "d", "dw", "rooms"), s.kind.pointer) | {"flags": I64.pointer}
    with module.kernel("winograd_deep_filter", **words, **dict.fromkeys(_WORDS, I64)) as (f, v, d, dw, *rest):
        rooms, flags, *numbers = rest
        n: dict[str, Value] = dict(zip(_WORDS, numbers, strict=True))
        squares = s.form.size**2
        with leased(f, flags, n["slots"]) as slot, f.loop(f.begin, f.end) as item:
            sums = rooms.at(slot * n["room"])
            one, other = item // n["blocks"], item % n["blocks"]
            _multiply(f, s, n, v.at(one * n["apart"] * squares), d.at(other * n["between"] * squares), sums)
            _collect(f, s, n, sums, dw, one * s.some, other * s.most)


def _multiply(f: Function, s: DeepFilter, n: dict[str, Value], v: Value, d: Value, sums: Value) -> None:
    """dU of a block: for each square V^T D, over the tiles that take part in it."""
    size, once = s.form.size, (1, 0, 0)
    wide, rows = s.vectors * s.lanes, (row_of(s.some, s.lanes), row_of(s.most, s.lanes))
    f.clear(sums, size**2 * s.square)
    for down, over, (first, beyond) in products_of(size, s.less, n):
        with f.loop(*down) as i, f.loop(*over) as j, f.loop(first, beyond, RUN) as t:
            square, turns = i * size + j, f.minimum(beyond - t, RUN)
            x, y = v.at(square * n["apart"] + t * rows[0]), d.at(square * n["between"] + t * rows[1])
            with f.loop(0, s.most, wide) as k:
                begin = 0
                for count, times in s.rows:
                    product = tile(f.module, Tile(s.kind, count, s.vectors, 0, 1, adds=True))
                    with f.loop(begin, begin + count * times, count) as c:
                        place = x.at(c), y.at(k), sums.at(square * s.square + c * s.most + k)
                        f.call(product, *place, 0, s.most, *once, *once, turns, *rows)
                    begin += count * times


def _collect(f: Function, s: DeepFilter, n: dict[str, Value], sums: Value, dw: Value, c: Value, k: Value) -> None:
    """Transforms a block of dU back into dw [r,r,C,K], from channel c of x and k of dy on."""
    form, lanes = s.form, s.lanes
    apart = n["C"] * n["K"]
    channels, makes = f.minimum(n["C"] - c, s.some), f.minimum(n["K"] - k, s.most)

    def back(at: Value, to: Value, mask: Value | None) -> None:
        transform(
            f,
            form.to_outputs,
            lambda i, j: at.load(s.square * (i * form.size + j), lanes),
            lambda i, j, value: to.store(value, apart * (i * form.outputs + j), mask),
        )

    with f.loop(0, channels) as i:
        source, to = sums.at(i * s.most), dw.at((c + i) * n["K"] + k)
        whole = makes - makes % lanes
        with f.loop(0, whole, lanes) as j:
            back(source.at(j), to.at(j), None)
        if s.tail:
            with f.when(whole < makes):
                back(source.at(whole), to.at(whole), f.lanes_below(s.tail, lanes))


def sizes(kind: Type, C: int, K: int, squares: int) -> tuple[int, int]:
    """Channels of a block, of x and of dy: as many as there is room for, but not so many that there are few blocks."""
    lanes = host().lanes(kind)
    most = MOST
    some = max(1, ROOM // (squares * most * kind.bytes))
    if -(-C // some) * -(-K // most) < ITEMS:
        most //= 2
    parts = max(-(-C // some), min(-(-ITEMS // -(-K // most)), C // LEAST))
    some = -(-C // parts)
    block = chosen(host(), some, min(K, most), lanes)
    wide = block.vectors * lanes
    return some, -(-min(K, most) // wide) * wide


def add_winograd_deep_filter(
    task: Any, x: Any, dy: Any, dw: Any, outs: Any, before: Any, outputs: int, stride: int = 1
) -> None:
    """Adds the jobs of a filter's gradient; the arguments are those of `add_winograd_filter`."""
    (N, _, _, C), (r, _, _, K), (P, Q), lanes = x.shape, dw.shape, outs, host().lanes(x.kind)
    form = minimal(r, outputs) if stride == 1 else to_filter(outputs, r, stride)
    of, squares = grid(N, P, Q, outputs, stride), form.size**2
    some, most = sizes(x.kind, C, K, squares)
    block = chosen(host(), some, most, lanes)
    kept = Kept(x.kind, form, "of_inputs", C, some, outputs, of.less, (stride, 1))
    v, apart = add_spread_tiles(task, x, kept, before, of, 1)
    kept = Kept(x.kind, form, "of_filter", K, most, outputs, of.less, own=True)
    d, between = add_spread_tiles(task, dy, kept, (0, 0), of, 1)
    s = DeepFilter(x.kind, form, some, most, block.vectors, tuple(split(some, block.rows)), of.less, K % lanes)
    flags = task.scratch((SLOTS * LINE,), "int64")
    task.job(clear, (I64,), [flags], items=flags.size, cost=100, shares=1)
    room = -(-squares * s.square // 1024) * 1024
    blocks = -(-K // most)
    items = -(-C // some) * blocks
    slots = min(SLOTS, items)
    rooms = task.scratch((slots * room,), x.dtype)
    numbers = (C, K, blocks, slots, room, apart, between, *of)
    cost = 0.35 * of.tiles * squares * C * K / lanes / 2
    task.job(winograd_deep_filter, (s,), [v, d, dw, rooms, flags, *numbers], items=items, cost=cost)
