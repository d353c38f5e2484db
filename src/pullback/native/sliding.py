"""Convolution forward: windows slide over images.

A tile's rows are pixels of one output row. Nothing is padded: a tile whose taps all lie inside goes the whole way, one
at the border over the taps that do. Which rows and columns these are follows from the sizes, which are arguments;
channels and strides are in the code.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.tiles import Block, Tile, channel_blocks, chosen, goes_past, split, tile, ways

# Output rows that go together, so that their input stays in the cache while the filter's blocks pass.
BAND = 8
# Rows of a tile that stands upright, for columns whose taps are cut off at the side.
UPRIGHT = 4


class Slide(NamedTuple):
    """What is baked into a forward kernel.

    vectors, last, tail: a block of output channels, the last one's vectors, lanes of its last vector (0: all).
    sizes: rows of a tile, for columns whose taps all lie inside: (large, small). step: elements between two pixels'
    inputs. runs: whether a filter row's (column, channel) are one run in x. streams: whether y, where it begins on a
    line, goes straight to memory.
    """

    kind: Type
    vectors: int
    last: int
    tail: int
    sizes: tuple[int, ...]
    step: int
    runs: bool
    streams: bool


_SLIDE = (
    *("images", "H", "W", "C", "c", "P", "Q", "KH", "KW", "sh", "sw", "dh", "dw", "top", "left"),
    *("first", "beyond", "times", "above", "below", "rows", "bands", "parts", "whole", "yn", "yp", "yq"),
)


def slide(module: Module, s: Slide) -> None:
    """Kernel: y = the sum over taps of x * w. Items are (part of the blocks, image, band of output rows)."""
    words = dict.fromkeys(("x", "w", "y"), s.kind.pointer) | dict.fromkeys(_SLIDE, I64)
    with module.kernel("slide", **words) as (f, x, w, y, *numbers):
        for way, condition in ways(f, s, y):
            with f.when(condition), f.loop(f.begin, f.end) as item:
                _Sliding(f, way, x, w, y, dict(zip(_SLIDE, numbers, strict=True))).item(item)


class _Sliding:
    """Writes the forward kernel's loops."""

    def __init__(self, f: Function, s: Slide, x: Value, w: Value, y: Value, numbers: dict[str, Value]) -> None:
        self.f, self.s, self.x, self.w, self.y = f, s, x, w, y
        self.lanes = host().lanes(s.kind)
        self.n = numbers

    def item(self, item: Value) -> None:
        f, s, n = self.f, self.s, self.n
        band, rest = item % n["bands"], item // n["bands"]
        image, part = rest % n["images"], rest // n["images"]
        top = band * n["rows"]
        self.begin, self.end = top, f.minimum(n["P"], top + n["rows"])
        self.image = self.x.at(image * n["H"] * n["W"] * n["C"])
        taps = n["KH"] * n["KW"] * n["c"]
        wide = s.vectors * self.lanes
        first, beyond = n["whole"] * part // n["parts"], n["whole"] * (part + 1) // n["parts"]
        to = self.y.at(image * n["yn"])
        with f.loop(first, beyond) as b:
            self.block(self.w.at(b * (taps * wide)), to.at(b * wide), s.vectors, 0)
        if s.last:
            with f.when(part.equals(n["parts"] - 1)):
                done = n["whole"] * wide
                self.block(self.w.at(done * taps), to.at(done), s.last, s.tail)

    def block(self, w: Value, y: Value, vectors: int, tail: int) -> None:
        """One block of output channels over the band."""
        f, n = self.f, self.n
        with f.loop(self.begin, self.end) as p:
            self.across(p, w, y, vectors, tail)
        for begin, end in ((0, n["first"]), (n["beyond"], n["Q"])):
            with f.loop(begin, end) as q:
                self.upright(q, w, y, vectors, tail)

    def inside(self, at: Value, size: Value, taps: Value, dilation: Value) -> tuple[Value, Value]:
        """Taps begin..end that lie inside, of a window whose first tap lies at `at`."""
        f = self.f
        begin = (f.maximum(0 - at, 0) + dilation - 1) // dilation
        end = f.minimum(taps, (f.maximum(size - at, 0) + dilation - 1) // dilation)
        return begin, f.maximum(end, begin)

    def run(self, t: Tile, place: tuple[Value, Value, Value], step: Any, ystep: Any, rows: Any, columns: Any) -> None:
        """A tile over `rows` by `columns` taps from a place (x, w, y) on."""
        f, n, lanes = self.f, self.n, t.vectors * self.lanes
        down = (rows, n["dh"] * n["W"] * n["C"], n["KW"] * n["c"] * lanes)
        if self.s.runs:
            over = (1, 0, 0, columns * n["c"], 1, lanes)
        else:
            over = (columns, n["dw"] * n["C"], n["c"] * lanes, n["c"], 1, lanes)
        f.call(tile(f.module, t), *place, step, ystep, *down, *over)

    def across(self, p: Value, w: Value, y: Value, vectors: int, tail: int) -> None:
        """The columns of an output row whose taps all lie inside from left to right."""
        f, n, s = self.f, self.n, self.s
        at = p * n["sh"] - n["top"]
        begin, end = self.inside(at, n["H"], n["KH"], n["dh"])
        row = self.image.at((at + begin * n["dh"]) * n["W"] * n["C"] - n["left"] * n["C"])
        weights = w.at(begin * (n["KW"] * n["c"] * (vectors * self.lanes)))
        to = y.at(p * n["yp"])
        q: Any = n["first"]
        for i, size in enumerate(s.sizes):
            t = Tile(s.kind, size, vectors, tail, s.step, streams=s.streams)
            after = q + n["times"] * size if i == 0 and len(s.sizes) > 1 else n["beyond"]
            with f.loop(q, after, size) as column:
                place = row.at(column * n["sw"] * n["C"]), weights, to.at(column * n["yq"])
                self.run(t, place, 0, n["yq"], end - begin, n["KW"])
            q = after

    def upright(self, q: Value, w: Value, y: Value, vectors: int, tail: int) -> None:
        """An output column whose taps are cut off at a side: several rows at a time where all of a column's taps lie
        inside, else one."""
        f, n, s = self.f, self.n, self.s
        left = q * n["sw"] - n["left"]
        first, last = self.inside(left, n["W"], n["KW"], n["dw"])
        column = self.image.at((left + first * n["dw"]) * n["C"])
        lanes = vectors * self.lanes
        weights = w.at(first * (n["c"] * lanes))
        row, to, some = n["W"] * n["C"], y.at(q * n["yq"]), last > first
        p = f.variable(self.begin)
        with f.repeat_while() as go_on:
            now = p.value
            many = (now >= n["above"]) & (now + UPRIGHT <= f.minimum(n["below"], self.end)) & some
            with f.when(many):
                place = column.at((now * n["sh"] - n["top"]) * row), weights, to.at(now * n["yp"])
                t = Tile(s.kind, UPRIGHT, vectors, tail)
                self.run(t, place, n["sh"] * row, n["yp"], n["KH"], last - first)
                p.value = now + UPRIGHT
            with f.when(~many):
                at = now * n["sh"] - n["top"]
                begin, end = self.inside(at, n["H"], n["KH"], n["dh"])
                place = (
                    column.at((at + begin * n["dh"]) * row),
                    weights.at(begin * (n["KW"] * n["c"] * lanes)),
                    to.at(now * n["yp"]),
                )
                t = Tile(s.kind, 1, vectors, tail, 0)
                self.run(t, place, 0, n["yp"], f.select(some, end - begin, 0), last - first)
                p.value = now + 1
            go_on(p.value < self.end)


class Pass(NamedTuple):
    """A convolution of an image [N,H,W,C], groups of c channels, that makes k channels a group."""

    image: tuple[int, ...]
    outs: tuple[int, ...]
    kernel: tuple[int, ...]
    c: int
    k: int
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    # elements from one image, row, column of the result to the next
    steps: tuple[int, int, int]


def whole_range(n: int, k: int, s: int, d: int, before: int, outs: int) -> tuple[int, int]:
    """Output positions first..beyond whose taps all lie inside."""
    first = min(outs, max(0, -(-before // s)))
    beyond = (n - 1 - (k - 1) * d + before) // s + 1
    return first, max(first, min(outs, beyond))


def add_slide(task: Any, x: Any, w: Any, y: Any, at: Pass, block: Block | None = None) -> None:
    """Adds the job of a forward pass; w is packed for `block`, by default the one that suits the width."""
    N, H, W, C = at.image
    P, Q = at.outs
    (KH, KW), (sh, sw), (dh, dw), (top, left) = at.kernel, at.strides, at.dilations, at.before
    if not N * P * Q:
        return
    lanes = host().lanes(x.kind)
    first, beyond = whole_range(W, KW, sw, dw, left, Q)
    above, below = whole_range(H, KH, sh, dh, top, P)
    block = block or chosen(host(), max(beyond - first, 1), at.k, lanes)
    whole, last, tail = channel_blocks(at.k, lanes, block.vectors)
    tiles = split(beyond - first, block.rows) or [(1, 0)]
    rows = min(BAND, P)
    bands = -(-P // rows)
    parts = max(1, min(whole, -(-8 // (N * bands))))
    sizes = tuple([size for size, _ in tiles])
    streams = goes_past(y, at.k, *at.steps)
    s = Slide(x.kind, block.vectors, last, tail, sizes, sw * C, dw == 1 and at.c == C, streams)
    numbers = (
        *(N, H, W, C, at.c, P, Q, KH, KW, sh, sw, dh, dw, top, left),
        *(first, beyond, tiles[0][1], above, below, rows, bands, parts, whole, *at.steps),
    )
    turns = KH * KW * at.c * N * P * Q * at.k / lanes / 2
    task.job(slide, (s,), [x, w, y, *numbers], items=parts * N * bands, cost=turns * 0.35)
