"""Convolution of few channels at a stride, with fewer products along its rows.

At stride t the t pixels that a step takes lie side by side, C channels each: seen as one pixel of t C channels, a row
goes at stride 1, and the filter has ceil(KW / t) taps along it, the last filled up with zeros. Along rows alone that is
done by minimal filtering, F(m, taps), with sums over the filter's rows and the t C channels:

    x rows [W/t, t C] --B^T--> V [T][tile][t C]      w --G--> U [T][KH][t C][lanes]
    y tile [m, K] = A^T of the T sums over KH and t C of V U

An 11x11 filter at stride 4 has 3 taps of 12 channels: F(4,3) takes 6 products for 4 results, where the definition takes
11 taps for each, 44, and this counts as 24.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.minimal import Minimal, applied, minimal
from pullback.native.tiles import Tile, channel_blocks, chosen, goes_past, split, tile, ways

# T, of all forms.
POINTS = 6
# Output rows of an item.
BAND = 8
# Channels of a pixel, t C, at most; products that a sum has at least; taps that there are forms for.
MOST, LEAST, TAPS = 16, 30, range(2, POINTS)


class Lined(NamedTuple):
    """What is baked into the kernels.

    taps: along a row, of pixels of `depth` channels. vectors, last, tail: a block of output channels, the last one's
    vectors, lanes of its last vector (0: all). sizes: tiles that are multiplied together, (many, few). streams: whether
    y, where it begins on a line, goes straight to memory.
    """

    kind: Type
    taps: int
    depth: int
    vectors: int
    last: int
    tail: int
    sizes: tuple[int, ...]
    streams: bool

    @property
    def form(self) -> Minimal:
        return minimal(POINTS + 1 - self.taps, self.taps)

    @property
    def lanes(self) -> int:
        return host().lanes(self.kind)


# --- V and U ---------------------------------------------------------------------------------------------------------


def spread_rows(module: Module, s: Lined) -> None:
    """Kernel: V of x. Items are rows of images. `step`: elements from tile to tile, `left`: that the first one begins
    before its row, `row`: of a row."""
    words = dict.fromkeys(("x", "v"), s.kind.pointer) | dict.fromkeys(("row", "left", "step", "tiles"), I64)
    width = POINTS * s.depth
    with module.kernel("spread_rows", **words) as (f, x, v, row, left, step, tiles):
        patch = f.buffer(s.kind, width)

        def spread(source: Value, to: Value) -> None:
            for c in range(0, s.depth, s.lanes):
                mask = f.lanes_below(s.depth - c, s.lanes) if c + s.lanes > s.depth else None
                values = [source.load(i * s.depth + c, s.lanes, mask) for i in range(POINTS)]
                for i, value in enumerate(applied(f, s.form.of_inputs, values)):
                    to.store(value, tiles * (s.depth * i) + c, mask)

        with f.loop(f.begin, f.end) as item, f.loop(0, tiles) as t:
            begin = t * step - left
            source, to = x.at(item * row + begin), v.at((item * POINTS * tiles + t) * s.depth)
            whole = (begin >= 0) & (begin + width <= row)
            with f.when(whole):
                spread(source, to)
            with f.when(~whole):
                f.clear(patch, width)
                first, beyond = f.maximum(0 - begin, 0), f.minimum(row - begin, width)
                with f.when(first < beyond):
                    f.copy(patch.at(first), source.at(first), beyond - first)
                spread(patch, to)


def spread_taps(module: Module, s: Lined) -> None:
    """Kernel: U [block][T][KH][t C][lanes] of w [KH,KW,C,K]. Items are rows of w; `row`: elements of one, without K."""
    words = dict.fromkeys(("w", "u"), s.kind.pointer) | dict.fromkeys(("row", "KH", "K", "whole"), I64)
    with module.kernel("spread_taps", **words) as (f, w, u, row, KH, K, whole):

        def spread(item: Value, c: Value, k: Value, to: Value, wide: int, edge: bool) -> None:
            values = []
            for tap in range(s.taps):
                at = c + tap * s.depth  # of the row's (column, channel)
                inside = f.select(at < row, K - k if edge else f.constant(s.lanes, I64), 0)
                values.append(w.at((item * row + at) * K + k).load(0, s.lanes, f.lanes_below(inside, s.lanes)))
            for i, value in enumerate(applied(f, s.form.of_filter, values)):
                to.store(value, ((KH * i + item) * s.depth + c) * wide)

        with f.loop(f.begin, f.end) as item, f.loop(0, s.depth) as c:
            wide, squares = s.vectors * s.lanes, KH * (POINTS * s.depth)
            with f.loop(0, whole) as b:
                for v in range(s.vectors):
                    spread(item, c, b * wide + v * s.lanes, u.at(b * squares * wide + v * s.lanes), wide, False)
            done = whole * wide
            for v in range(s.last):
                spread(item, c, done + v * s.lanes, u.at(done * squares + v * s.lanes), s.last * s.lanes, True)


# --- the products and back -------------------------------------------------------------------------------------------

_WORDS = ("H", "P", "Q", "K", "KH", "sh", "top", "tiles", "times", "bands", "whole")


def lined(module: Module, s: Lined) -> None:
    """Kernel: y of V and U. Items are (image, band of output rows)."""
    words = dict.fromkeys(("v", "u", "y"), s.kind.pointer) | dict.fromkeys(_WORDS, I64)
    with module.kernel("lined", **words) as (f, v, u, y, *numbers):
        room = f.buffer(s.kind, POINTS * s.sizes[0] * s.vectors * s.lanes)
        for way, condition in ways(f, s, y):
            with f.when(condition), f.loop(f.begin, f.end) as item:
                _Writing(f, way, (v, u, y, room), dict(zip(_WORDS, numbers, strict=True))).item(item)


class _Writing:
    """Writes the kernel's loops."""

    def __init__(self, f: Function, s: Lined, places: Any, n: dict[str, Value]) -> None:
        self.f, self.s, self.n, self.form = f, s, n, s.form
        self.v, self.u, self.y, self.room = places

    def item(self, item: Value) -> None:
        f, s, n = self.f, self.s, self.n
        image, begin = item // n["bands"], item % n["bands"] * BAND
        v, wide = self.v.at(image * n["H"] * n["tiles"] * (POINTS * s.depth)), s.vectors * s.lanes
        rows, squares = (begin, f.minimum(n["P"], begin + BAND)), n["KH"] * (POINTS * s.depth)
        y = self.y.at(image * n["P"] * n["Q"] * n["K"])
        with f.loop(0, n["whole"]) as b:
            self.block(rows, v, self.u.at(b * squares * wide), y.at(b * wide), s.vectors, 0)
        if s.last:
            done = n["whole"] * wide
            self.block(rows, v, self.u.at(done * squares), y.at(done), s.last, s.tail)

    def block(self, rows: Any, v: Value, u: Value, y: Value, vectors: int, tail: int) -> None:
        """One block of output channels for a band of rows."""
        f, s, n = self.f, self.s, self.n
        with f.loop(*rows) as p:
            at = p * n["sh"] - n["top"]
            first = f.minimum(f.maximum(0 - at, 0), n["KH"])
            taps = first, f.maximum(f.minimum(n["KH"], n["H"] - at), first)
            source = v.at((at + first) * n["tiles"] * (POINTS * s.depth))
            begin: Any = 0
            for i, size in enumerate(s.sizes):
                end = n["tiles"] if i == len(s.sizes) - 1 else n["times"] * size
                with f.loop(begin, end, size) as t:
                    self.products(source, u, taps, t, size, vectors)
                    with f.loop(0, size) as j:
                        self.collect(j, t + j, y.at(p * n["Q"] * n["K"]), vectors, tail)
                begin = end

    def products(self, v: Value, u: Value, taps: Any, t: Value, size: int, vectors: int) -> None:
        """The sums of so many tiles, from t on."""
        f, s, n, wide = self.f, self.s, self.n, vectors * self.s.lanes
        product = tile(f.module, Tile(s.kind, size, vectors, 0, s.depth))
        with f.loop(0, POINTS) as i:
            source, weights = v.at((i * n["tiles"] + t) * s.depth), u.at((i * n["KH"] + taps[0]) * (s.depth * wide))
            down = taps[1] - taps[0], n["tiles"] * (POINTS * s.depth), s.depth * wide
            to = self.room.at(i * (s.sizes[0] * wide))
            f.call(product, source, weights, to, 0, wide, *down, 1, 0, 0, s.depth, 1, wide)

    def collect(self, j: Value, t: Value, y: Value, vectors: int, tail: int) -> None:
        """Results of tile t of a row, whose sums are the j-th."""
        f, s, n, m, wide = self.f, self.s, self.n, self.form.outputs, vectors * self.s.lanes
        whole = (t + 1) * m <= n["Q"]
        for v in range(vectors):
            mask = f.lanes_below(tail, s.lanes) if tail and v == vectors - 1 else None
            sums = [self.room.at(i * (s.sizes[0] * wide) + v * s.lanes).load(j * wide, s.lanes) for i in range(POINTS)]
            made = applied(f, self.form.to_outputs, sums)
            to = y.at(t * m * n["K"] + v * s.lanes)
            with f.when(whole):
                for i, value in enumerate(made):
                    if s.streams:
                        to.stream(value, n["K"] * i)
                    else:
                        to.store(value, n["K"] * i, mask)
            with f.when(~whole):
                for i, value in enumerate(made):
                    with f.when(t * m + i < n["Q"]):
                        to.store(value, n["K"] * i, mask)


# --- jobs ------------------------------------------------------------------------------------------------------------


def suits(kernel: tuple[int, int], stride: int, channels: int) -> bool:
    """Whether there is a form, and sums are long enough to repay it."""
    depth = stride * channels
    return stride > 1 and depth <= MOST and kernel[0] * depth >= LEAST and -(-kernel[1] // stride) in TAPS


def add_lined(task: Any, x: Any, w: Any, y: Any, strides: Any, outs: Any, before: Any) -> None:
    """Adds the jobs of a convolution of x [N,H,W,C] that makes y [N,P,Q,K]."""
    (N, H, W, C), (KH, KW, _, K), (P, Q) = x.shape, w.shape, outs
    if not N * P * Q:
        return
    lanes = host().lanes(x.kind)
    taps, depth = -(-KW // strides[1]), strides[1] * C
    m = POINTS + 1 - taps
    tiles = -(-Q // m)
    block = chosen(host(), tiles, K, lanes)
    whole, last, tail = channel_blocks(K, lanes, block.vectors)
    groups = split(tiles, block.rows)
    s = Lined(x.kind, taps, depth, block.vectors, last, tail, tuple([many for many, _ in groups]), goes_past(y, K))
    u = task.scratch((POINTS * KH * depth * (whole * block.vectors + last) * lanes,), x.dtype)
    task.job(spread_taps, (s,), [w, u, KW * C, KH, K, whole], items=KH)
    v = task.scratch((N, H, POINTS, tiles, depth), x.dtype)
    task.job(spread_rows, (s,), [x, v, W * C, before[1] * C, m * depth, tiles], items=N * H)
    bands = -(-P // BAND)
    numbers = (H, P, Q, K, KH, strides[0], before[0], tiles, groups[0][1], bands, whole)
    cost = 0.35 * N * P * tiles * POINTS * KH * depth * K / lanes / 2
    task.job(lined, (s,), [v, u, y, *numbers], items=N * bands, cost=cost)
