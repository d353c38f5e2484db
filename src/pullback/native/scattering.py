"""A convolution's gradient to an input of few channels: what each pixel of dy gives to its whole window is one row of a
product, and then added to dx.

    z[q, (kh, kw, c)] = dy[p, q, :] w[kh, kw, c, :]^T         dx[s p + kh, t q .. t q + KW - 1, :] += z[q, (kh, ...)]

Nothing of a vector is empty but its end, whatever C and the strides are; a filter row's (column, channel) lie side by
side in dx too. An item owns a band of dx's rows, so sums are always made in the same order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.packing import CHUNK, clear, pack_turned, packed_size
from pullback.native.tiles import Tile, blocks_of, channel_blocks, split, tile, turn_cost
from pullback.native.winograd import LINE, SLOTS, leased

# Items that there should be at least.
ITEMS = 8


class Scatter(NamedTuple):
    """What is baked into the kernel. taps: KH; runs of `run` numbers side by side for each of them: one of KW C, or
    with a dilation KW of C. sizes: pixels of a tile, how often in a row of dy."""

    kind: Type
    channels: int
    makes: int
    taps: int
    runs: int
    run: int
    vectors: int
    sizes: tuple[tuple[int, int], ...]

    @property
    def lanes(self) -> int:
        return host().lanes(self.kind)

    @property
    def columns(self) -> int:
        """Numbers that a pixel gives."""
        return self.taps * self.runs * self.run

    @property
    def row(self) -> int:
        """Numbers from one pixel's products to the next one's."""
        return -(-self.columns // self.lanes) * self.lanes


_WORDS = ("H", "W", "P", "Q", "sh", "sw", "dh", "dw", "top", "left", "band", "bands", "slots")


def scatter(module: Module, s: Scatter) -> None:
    """Kernel: dx of dy and w, packed turned round. Items are (image, band of dx's rows)."""
    words = dict.fromkeys(("dy", "w", "dx", "rooms"), s.kind.pointer) | {"flags": I64.pointer}
    with module.kernel("scatter", **words, **dict.fromkeys(_WORDS, I64)) as (f, dy, w, dx, rooms, flags, *numbers):
        n: dict[str, Value] = dict(zip(_WORDS, numbers, strict=True))
        with leased(f, flags, n["slots"]) as slot:
            writing = _Writing(f, s, w, rooms.at(slot * (s.sizes[0][0] * s.row)), n)
            with f.loop(f.begin, f.end) as item:
                image, first = item // n["bands"], item % n["bands"] * n["band"]
                size = n["H"] * n["W"] * s.channels
                writing.item(dy.at(image * n["P"] * n["Q"] * s.makes), dx.at(image * size), first)


class _Writing:
    """Writes the kernel's loops."""

    def __init__(self, f: Function, s: Scatter, w: Value, room: Value, n: dict[str, Value]) -> None:
        self.f, self.s, self.w, self.room, self.n, self.lanes = f, s, w, room, n, s.lanes

    def item(self, dy: Value, dx: Value, first: Value) -> None:
        f, s, n = self.f, self.s, self.n
        beyond = f.minimum(n["H"], first + n["band"])
        f.clear(dx.at(first * n["W"] * s.channels), (beyond - first) * n["W"] * s.channels)
        # rows p of dy whose window, from sh p - top on, meets the band
        reach = (s.taps - 1) * n["dh"]
        begin = (f.maximum(first + n["top"] - reach, 0) + n["sh"] - 1) // n["sh"]
        end = f.minimum(n["P"], (beyond + n["top"] + n["sh"] - 1) // n["sh"])
        with f.loop(begin, end) as p:
            self.across(dy.at(p * n["Q"] * s.makes), dx, p * n["sh"] - n["top"], (first, beyond))

    def across(self, dy: Value, dx: Value, row: Value, band: tuple[Value, Value]) -> None:
        """One row of dy, whose windows begin at a row of dx."""
        f, s, n, wide, once = self.f, self.s, self.n, self.s.vectors * self.lanes, (1, 0, 0)
        whole, last, _ = channel_blocks(s.columns, self.lanes, s.vectors)
        taps = [(f.maximum(0 - (row - limit), 0) + n["dh"] - 1) // n["dh"] for limit in band]
        begin = 0
        for size, times in s.sizes:
            with f.loop(begin, begin + size * times, size) as q:
                for first, count, vectors in ((0, whole, s.vectors), (whole, int(last > 0), last)):
                    if count:
                        product = tile(f.module, Tile(s.kind, size, vectors, 0, s.makes))
                        with f.loop(first, first + count) as b:
                            place = dy.at(q * s.makes), self.w.at(b * (wide * s.makes)), self.room.at(b * wide)
                            f.call(product, *place, 0, s.row, *once, *once, s.makes, 1, vectors * self.lanes)
                with f.loop(0, size) as pixel:
                    column = (q + pixel) * n["sw"] - n["left"]
                    self.add(self.room.at(pixel * s.row), dx, row, column, (taps[0], f.minimum(taps[1], s.taps)))
            begin += size * times

    def add(self, z: Value, dx: Value, row: Value, column: Value, taps: tuple[Value, Value]) -> None:
        """Adds a pixel's products to its window."""
        f, s, n, C = self.f, self.s, self.n, self.s.channels
        last = column + (s.runs - 1) * n["dw"]
        inside = (column >= 0) & (last * C + s.run <= n["W"] * C)
        for condition, masked in ((inside, False), (~inside, True)):
            with f.when(condition), f.loop(*taps) as kh, f.loop(0, s.runs) as kw:
                at = column + n["dw"] * kw
                to, source = dx.at(((row + kh * n["dh"]) * n["W"] + at) * C), z.at((kh * s.runs + kw) * s.run)
                for v in range(0, s.run, self.lanes):
                    mask = self.mask(v, at) if masked else None
                    if mask is None and v + self.lanes > s.run:
                        mask = f.lanes_below(s.run - v, self.lanes)
                    to.store(to.load(v, self.lanes, mask) + source.load(v, self.lanes), v, mask)

    def mask(self, v: int, column: Value) -> Value:
        """Lanes from v on of a run that begins at a column, which lie inside the image and the run."""
        f, C, lanes = self.f, self.s.channels, self.lanes
        at = f.constants(range(v, v + lanes), I64)
        before = f.as_value(0 - column * C, at.type)
        beyond = f.as_value(f.minimum((self.n["W"] - column) * C, self.s.run), at.type)
        return (at >= before) & (at < beyond)


def product_block(pixels: int, columns: int, lanes: int) -> Any:
    """The tile that takes least time for so many pixels of a row."""

    def cost(block: Any) -> float:
        whole, rest = divmod(-(-columns // lanes), block.vectors)
        return sum(
            times * (whole * turn_cost(size, block.vectors) + (turn_cost(size, rest) if rest else 0))
            for size, times in split(pixels, block.rows)
        )

    return min(blocks_of(host()), key=cost)


def add_scatter(task: Any, w: Any, dy: Any, dx: Any, strides: Any, dilations: Any, outs: Any, before: Any) -> None:
    """Adds the jobs of a gradient to the input."""
    (N, H, W, C), (KH, KW, _, K), (P, Q) = dx.shape, w.shape, outs
    kind, lanes, columns = dy.kind, host().lanes(dy.kind), KH * KW * C
    if not N * P * Q:
        task.job(clear, (kind,), [dx], items=dx.size)
        return
    block = product_block(Q, columns, lanes)
    runs, run = (1, KW * C) if dilations[1] == 1 else (KW, C)
    s = Scatter(kind, C, K, KH, runs, run, block.vectors, tuple(split(Q, block.rows)))
    _, last, _ = channel_blocks(columns, lanes, block.vectors)
    packed = task.scratch((packed_size(K, columns, block.vectors, lanes),), dy.dtype)
    words = [w, packed, K, columns, K, 1, 0, 0, 1, 1, 1, 1]
    task.job(pack_turned, (kind, block.vectors, last), words, items=-(-K // CHUNK))
    bands = min(-(-ITEMS // N), -(-P // 4))
    band = -(-H // bands)
    bands = -(-H // band)
    slots = min(SLOTS, N * bands)
    flags = task.scratch((SLOTS * LINE,), "int64")
    task.job(clear, (I64,), [flags], items=flags.size, cost=100, shares=1)
    rooms = task.scratch((slots * s.sizes[0][0] * s.row + lanes,), dy.dtype)
    numbers = (H, W, P, Q, *strides, *dilations, *before, band, bands, slots)
    cost = 0.35 * N * P * Q * columns * K / lanes
    task.job(scatter, (s,), [dy, packed, dx, rooms, flags, *numbers], items=N * bands, cost=cost)
