"""The gradient of a convolution to its filter, and products of a transposed matrix.

    dw[tap, c, k] = sum over pixels of x[pixel + tap, c] * dy[pixel, k]

A tile's rows are input channels; it runs over the pixels whose tap lies inside the image. Sums start anew for each band
of rows and are added to dw once, so that a long sum loses no digits. Groups of images have a dw of their own where that
is small; elsewhere the tiles are split. Either way the cut does not hang on the number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native import loops
from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.packing import clear, widen
from pullback.native.sliding import whole_range
from pullback.native.tiles import COLUMNS, Tile, channel_blocks, chosen, split, tile

# Bytes of the gradients that groups of images may have for themselves.
PARTIAL = 1 << 20
# Fewer channels than this do not fill a tile: it takes a whole filter row.
FEW = 8
# Where more than one in so many columns lies at a side, an image of few channels is copied with zeros around.
EDGES = 16


class Gather(NamedTuple):
    """What is baked into the kernel of the filter's gradient.

    sizes: rows of a tile, (large, small), over a tap's channels, or over all of a filter row's (column, channel) when
    `merged`; then `edge` has the sizes for columns that not all taps reach.
    """

    kind: Type
    vectors: int
    last: int
    tail: int
    sizes: tuple[int, ...]
    merged: bool
    edge: tuple[int, ...]


_GATHER = (
    *(
        "images",
        "H",
        "W",
        "C",
        "c",
        "P",
        "Q",
        "K",
        "KH",
        "KW",
        "sh",
        "sw",
        "dh",
        "dw",
        "top",
        "left",
        "first",
        "beyond",
    ),
    *("times", "tiles", "edge_times", "edge_tiles", "rows", "bands", "groups", "splits", "whole", "size"),
)


def gather(module: Module, s: Gather) -> None:
    """Kernel: adds dw = the sum over pixels of x * dy to what is there. Items are (group of images, split of the
    tiles); each group has a dw of its own."""
    words = dict.fromkeys(("x", "dy", "result"), s.kind.pointer) | dict.fromkeys(_GATHER, I64)
    with module.kernel("gather", **words) as (f, x, dy, dw, *numbers), f.loop(f.begin, f.end) as item:
        _Gathering(f, s, x, dy, dw, dict(zip(_GATHER, numbers, strict=True))).item(item)


class _Gathering:
    """Writes the loops of the filter's gradient."""

    def __init__(self, f: Function, s: Gather, x: Value, dy: Value, dw: Value, numbers: dict[str, Value]) -> None:
        self.f, self.s, self.x, self.dy, self.dw, self.n = f, s, x, dy, dw, numbers
        self.lanes = host().lanes(s.kind)

    def item(self, item: Value) -> None:
        f, n = self.f, self.n
        group, part = item // n["splits"], item % n["splits"]
        to = self.dw.at(group * n["size"])
        images = n["images"] * group // n["groups"], n["images"] * (group + 1) // n["groups"]
        with f.loop(*images) as image, f.loop(0, n["bands"]) as band:
            begin = band * n["rows"]
            end = f.minimum(n["P"], begin + n["rows"])
            x = self.x.at(image * n["H"] * n["W"] * n["C"])
            dy = self.dy.at(image * n["P"] * n["Q"] * n["K"])
            wide = self.s.vectors * self.lanes
            with f.loop(0, n["whole"]) as b:
                self.block((begin, end), x, dy.at(b * wide), to.at(b * wide), part, (self.s.vectors, 0))
            if self.s.last:
                done = n["whole"] * wide
                self.block((begin, end), x, dy.at(done), to.at(done), part, (self.s.last, self.s.tail))

    def block(self, rows: Any, x: Value, dy: Value, dw: Value, part: Value, of: tuple[int, int]) -> None:
        """All tiles of this split for one block of output channels."""
        n = self.n
        if not self.s.merged:
            self.tiles(rows, x, dy, dw, part, of, self.s.sizes, ("times", "tiles"), (0, n["Q"]))
            return
        self.rows_of_taps(rows, x, dy, dw, part, of)
        for columns in ((0, n["first"]), (n["beyond"], n["Q"])):
            with self.f.when(self.f.as_value(columns[0], I64) < columns[1]):
                self.tiles(rows, x, dy, dw, part, of, self.s.edge, ("edge_times", "edge_tiles"), columns)

    def tiles(
        self, rows: Any, x: Value, dy: Value, dw: Value, part: Value, of: Any, sizes: Any, counts: Any, columns: Any
    ) -> None:
        """Tiles of one tap's channels."""
        f, n = self.f, self.n
        each = n[counts[1]]
        total = n["KH"] * n["KW"] * each
        with f.loop(total * part // n["splits"], total * (part + 1) // n["splits"]) as item:
            tap, i = item // each, item % each
            kh, kw = tap // n["KW"], tap % n["KW"]
            shift = kw * n["dw"] - n["left"]
            begin, end = self.reached(shift, n["W"], n["sw"], *columns)
            self.run(rows, x.at(shift * n["C"]), dy, dw, kh, tap * n["c"], (begin, end), of, sizes, i, n[counts[0]])

    def rows_of_taps(self, rows: Any, x: Value, dy: Value, dw: Value, part: Value, of: Any) -> None:
        """Tiles over a whole filter row, for columns that all its taps reach."""
        f, n = self.f, self.n
        total = n["KH"] * n["tiles"]
        with f.loop(total * part // n["splits"], total * (part + 1) // n["splits"]) as item:
            kh, i = item // n["tiles"], item % n["tiles"]
            first = kh * n["KW"] * n["c"]
            columns = n["first"], n["beyond"]
            self.run(rows, x.at(-n["left"] * n["C"]), dy, dw, kh, first, columns, of, self.s.sizes, i, n["times"])

    def reached(self, shift: Value, size: Value, stride: Value, begin: Any, end: Any) -> tuple[Value, Value]:
        """Output positions within begin..end whose input, stride * position + shift, lies inside."""
        f = self.f
        first = (f.maximum(0 - shift, 0) + stride - 1) // stride
        beyond = (f.maximum(size - shift, 0) + stride - 1) // stride
        return f.maximum(first, begin), f.minimum(beyond, end)

    def run(
        self,
        rows: Any,
        x: Value,
        dy: Value,
        dw: Value,
        kh: Value,
        first: Any,
        columns: Any,
        of: Any,
        sizes: Any,
        i: Value,
        times: Value,
    ) -> None:
        """Tile i of the rows that begin at row `first` of dw, over the pixels that filter row kh reaches."""
        f, n = self.f, self.n
        shift = kh * n["dh"] - n["top"]
        begin, end = self.reached(shift, n["H"], n["sh"], *rows)
        with f.when((begin < end) & (columns[0] < columns[1])):
            row = n["W"] * n["C"]
            source = x.at((begin * n["sh"] + shift) * row + columns[0] * n["sw"] * n["C"])
            pixels = dy.at((begin * n["Q"] + columns[0]) * n["K"])
            strides = (end - begin, n["sh"] * row, n["Q"] * n["K"], 1, 0, 0)
            strides += (columns[1] - columns[0], n["sw"] * n["C"], n["K"])
            vectors, tail = of
            large = i < times
            for k, size in enumerate(sizes):
                t = Tile(self.s.kind, size, vectors, tail, 1, adds=True, ragged=bool(tail), ahead=COLUMNS)
                begins = i * size if k == 0 else times * sizes[0] + (i - times) * size
                with f.when(True if len(sizes) == 1 else large if k == 0 else ~large):
                    to = dw.at((first + begins) * n["K"])
                    f.call(tile(f.module, t), source.at(begins), pixels, to, 0, n["K"], *strides)


def to_filter(task: Any, x: Any, dy: Any, dw: Any, strides: Any, dilations: Any, outs: Any, before: Any) -> None:
    """Adds the jobs of a filter's gradient: outs are the sizes of dy, before the padding at top and left. dw is
    [KH,KW,c,K], x has c channels for each group."""
    kind = x.kind
    (N, H, W, C), (KH, KW, c, K), (P, Q) = x.shape, dw.shape, outs
    lanes, parted = host().lanes(kind), C // c if c else 1
    k = K // parted if parted else K
    merged = C < FEW and parted == 1 and dilations[1] == 1 and KW > 1
    if merged and EDGES * sum(_edges(W, KW, strides[1], before[1], Q)) > Q:
        x, before = _widened(task, x, (Q - 1) * strides[1] + KW, before)
        return to_filter(task, x, dy, dw, strides, dilations, outs, before)
    rows = KW * c if merged else c
    block = chosen(host(), rows, k, lanes)
    whole, last, tail = channel_blocks(k, lanes, block.vectors)
    tiles, edge = split(rows, block.rows), split(c, block.rows)
    first, beyond = whole_range(W, KW, strides[1], dilations[1], before[1], Q)
    groups = max(1, min(N, 8, PARTIAL // max(1, dw.bytes)))
    groups = 1 << groups.bit_length() - 1  # even shares for the usual numbers of threads
    splits = 1 if groups > 1 else max(1, min(4, KH * (1 if merged else KW) * _count(tiles)))
    band = max(1, min(P, (1 << 18) // max(1, (W * C * strides[0] + Q * K) * x.dtype.itemsize)))
    result = dw if groups == 1 else task.scratch((groups, dw.size), dw.dtype)
    task.job(clear, (kind,), [result], items=result.size)
    s = Gather(kind, block.vectors, last, tail, _sizes(tiles), merged, _sizes(edge) if merged else ())
    numbers = (
        *(N, H, W, C, c, P, Q, K, KH, KW, *strides, *dilations, *before, first, beyond),
        *(tiles[0][1] if tiles else 0, _count(tiles), edge[0][1] if edge else 0, _count(edge)),
        *(band, -(-P // band) if P else 0, groups, splits, whole, dw.size),
    )
    cost = 0.35 * N * P * Q * KH * KW * c * k / lanes / 2
    for part in range(parted):
        words = [x.part(part * c), dy.part(part * k), result.part(part * k), *numbers]
        task.job(gather, (s,), words, items=groups * splits if dw.size else 0, cost=cost)
    if groups > 1:
        words = [result, dw, groups, dw.size, dw.dtype.type(1)]
        task.job(loops.combine, ("sum", kind), words, items=dw.size)


def _edges(W: int, KW: int, stride: int, left: int, Q: int) -> tuple[int, int]:
    """Output columns at either side that not all taps reach."""
    first, beyond = whole_range(W, KW, stride, 1, left, Q)
    return first, Q - beyond


def _widened(task: Any, x: Any, width: int, before: Any) -> tuple[Any, tuple[int, int]]:
    """x with the zeros at its sides that all taps need to lie inside a width, and the padding that is left."""
    N, H, W, C = x.shape
    behind = max(0, width - W - before[1])
    wide = task.scratch((N, H, before[1] + W + behind, C), x.dtype)
    task.job(widen, (x.kind,), [x, wide, W * C, before[1] * C, behind * C], items=N * H)
    return wide, (before[0], 0)


def _sizes(tiles: Any) -> tuple[int, ...]:
    return tuple([size for size, _ in tiles])


def _count(tiles: Any) -> int:
    return sum(times for _, times in tiles)
