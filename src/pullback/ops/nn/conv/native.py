"""The three passes of a 2-D convolution as machine code.

    forward      a tile's rows are pixels of one output row; weights are packed [block][tap][c][lanes of K]
    to input     the same over dy: for stride s, each of the s*s phases of dx is a stride-1 convolution of dy with every
                 s-th tap, turned round
    to filter    a tile's rows are input channels; it runs over the pixels that a tap has inside the image

Nothing is padded: a tile whose taps all lie inside goes the whole way, one at the border over the taps that do. Rows
and columns of taps inside are found from the sizes, which are arguments; channels and strides are in the code.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from pullback.core.op import lowering
from pullback.native import loops
from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.tiles import Block, Tile, channel_blocks, chosen, split, tile, transposed
from pullback.ops.nn.conv import Conv2D, Conv2DBackpropFilter, Conv2DBackpropInput, shapes
from pullback.ops.nn.conv.window import Geometry

# Output rows that go together, so that their input stays in the cache while the filter's blocks pass.
ROWS = 8
# Tiles of rows that go together in a product of matrices.
TILES = 8
# Channels of dy that are packed at a time; whole vectors of any kind.
CHUNK = 64
# Rows of a tile that stands upright, for columns whose taps are cut off at the side.
UPRIGHT = 4


# --- packing ---------------------------------------------------------------------------------------------------------


def pack(module: Module, kind: Type, vectors: int, last: int) -> None:
    """Kernel: w [taps, channels] -> p [block][taps][lanes], the last block of `last` vectors, filled up with zeros.
    Items are taps; `row` is w's row length, so a group's channels can be part of a row."""
    lanes = host().lanes(kind)
    pointers = {"w": kind.pointer, "p": kind.pointer}
    counts = dict.fromkeys(("taps", "channels", "row", "whole"), I64)
    with module.kernel("pack", **pointers, **counts) as (f, w, p, taps, channels, row, whole):
        with f.loop(f.begin, f.end) as t:
            source = w.at(t * row)
            with f.loop(0, whole) as b:
                to = p.at((b * taps + t) * (vectors * lanes))
                for v in range(vectors):
                    to.store(source.load(b * (vectors * lanes) + v * lanes, lanes), v * lanes)
            if last:
                done = whole * (vectors * lanes)
                to = p.at(done * taps + t * (last * lanes))
                for v in range(last):
                    mask = f.lanes_below(channels - done - v * lanes, lanes)
                    to.store(source.load(done + v * lanes, lanes, mask), v * lanes)


def pack_turned(module: Module, kind: Type, vectors: int, last: int) -> None:
    """Kernel: w [KH,KW,c,K] -> p [block of c][tap][K][lanes], the taps of one phase in reverse order.

    Phase (a, b) of strides (s, t) takes taps (a + s i, b + t j), i < TH, j < TW. Items are these taps, for CHUNK of K
    at a time.
    """
    lanes = host().lanes(kind)
    names = ("row", "channels", "makes", "KW", "a", "b", "s", "t", "TH", "TW")
    pointers = {"w": kind.pointer, "p": kind.pointer}
    with module.kernel("pack_turned", **pointers, **dict.fromkeys(names, I64)) as (f, w, p, *rest):
        row, channels, makes, KW, a, b, s, t, TH, TW = rest
        chunks = (makes + CHUNK - 1) // CHUNK
        with f.loop(f.begin, f.end) as share:
            item, k = share // chunks, share % chunks * CHUNK
            ks = k, f.minimum(makes, k + CHUNK)
            i, j = TH - 1 - item // TW, TW - 1 - item % TW
            source = w.at(((a + s * i) * KW + b + t * j) * channels * row)
            whole = channels // (vectors * lanes)
            with f.loop(0, whole) as block:
                to = p.at((block * (TH * TW) + item) * makes * (vectors * lanes))
                _turn(f, source, to, block * (vectors * lanes), channels, ks, row, vectors, lanes)
            if last:
                done = whole * (vectors * lanes)
                to = p.at((done * (TH * TW) + item * (last * lanes)) * makes)
                _turn(f, source, to, done, channels, ks, row, last, lanes)


def _turn(
    f: Function, source: Value, to: Value, first: Any, channels: Any, ks: Any, row: Any, vectors: int, lanes: int
) -> None:
    """to[k][c] = source[first + c][k] for a block of c and k of a range; zeros beyond the channels."""
    begin, makes = ks
    for v in range(vectors):
        with f.loop(begin, makes, lanes) as k:
            square = []
            for c in range(lanes):
                at = first + (v * lanes + c)
                inside = f.select(at < channels, makes - k, 0)
                square.append(source.load(at * row + k, lanes, f.lanes_below(inside, lanes)))
            for n, turned in enumerate(transposed(f, square)):
                with f.when(k + n < makes):
                    to.store(turned, (k + n) * (vectors * lanes) + v * lanes)


def clear(module: Module, kind: Type) -> None:
    """Kernel: zeros in y. Items are elements."""
    with module.kernel("clear", y=kind.pointer) as (f, y):
        f.clear(y.at(f.begin), f.end - f.begin)


# --- forward ---------------------------------------------------------------------------------------------------------


class Slide(NamedTuple):
    """What is baked into a forward kernel.

    vectors, last, tail: a block of output channels, the last one's vectors, lanes of its last vector (0: all).
    sizes: rows of a tile, for columns whose taps all lie inside: (large, small). step: elements between two pixels'
    inputs. runs: whether a filter row's (column, channel) are one run in x.
    """

    kind: Type
    vectors: int
    last: int
    tail: int
    sizes: tuple[int, ...]
    step: int
    runs: bool


_SLIDE = (
    *("images", "H", "W", "C", "c", "P", "Q", "KH", "KW", "sh", "sw", "dh", "dw", "top", "left"),
    *("first", "beyond", "times", "above", "below", "rows", "bands", "parts", "whole", "yn", "yp", "yq"),
)


def slide(module: Module, s: Slide) -> None:
    """Kernel: y = the sum over taps of x * w. Items are (part of the blocks, image, band of output rows)."""
    pointers = dict.fromkeys(("x", "w", "y"), s.kind.pointer)
    with module.kernel("slide", **pointers, **dict.fromkeys(_SLIDE, I64)) as (f, x, w, y, *numbers):
        with f.loop(f.begin, f.end) as item:
            _Sliding(f, s, x, w, y, dict(zip(_SLIDE, numbers, strict=True))).item(item)


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
            t = Tile(s.kind, size, vectors, tail, s.step)
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

    image: tuple[int, int, int, int]
    outs: tuple[int, int]
    kernel: tuple[int, int]
    c: int
    k: int
    strides: tuple[int, int]
    dilations: tuple[int, int]
    before: tuple[int, int]
    # elements from one image, row, column of the result to the next
    steps: tuple[int, int, int]


def whole_range(n: int, k: int, s: int, d: int, before: int, outs: int) -> tuple[int, int]:
    """Output positions first..beyond whose taps all lie inside."""
    first = min(outs, max(0, -(-before // s)))
    beyond = (n - 1 - (k - 1) * d + before) // s + 1
    return first, max(first, min(outs, beyond))


def add_slide(task: Any, kind: Type, x: Any, w: Any, y: Any, at: Pass, block: Block | None = None) -> None:
    """Adds the job of a forward pass; w is packed for `block`, by default the one that suits the width."""
    N, H, W, C = at.image
    P, Q = at.outs
    (KH, KW), (sh, sw), (dh, dw), (top, left) = at.kernel, at.strides, at.dilations, at.before
    if not N * P * Q:
        return
    lanes = host().lanes(kind)
    first, beyond = whole_range(W, KW, sw, dw, left, Q)
    above, below = whole_range(H, KH, sh, dh, top, P)
    block = block or chosen(host(), max(beyond - first, 1), at.k, lanes)
    whole, last, tail = channel_blocks(at.k, lanes, block.vectors)
    tiles = split(beyond - first, block.rows) or [(1, 0)]
    rows = min(ROWS, P)
    bands = -(-P // rows)
    parts = max(1, min(whole, -(-8 // (N * bands))))
    s = Slide(kind, block.vectors, last, tail, tuple([size for size, _ in tiles]), sw * C, dw == 1 and at.c == C)
    numbers = (
        *(N, H, W, C, at.c, P, Q, KH, KW, sh, sw, dh, dw, top, left),
        *(first, beyond, tiles[0][1], above, below, rows, bands, parts, whole, *at.steps),
    )
    turns = KH * KW * at.c * N * P * Q * at.k / lanes / 2
    task.job(slide, (s,), [x, w, y, *numbers], items=parts * N * bands, cost=turns * 0.35)


def packed_size(taps: int, channels: int, vectors: int, lanes: int) -> int:
    whole, last, _ = channel_blocks(channels, lanes, vectors)
    return taps * (whole * vectors + last) * lanes


def runs_on(*buffers: Any) -> Type | None:
    """The machine type that the kernels have for these buffers, float32 or float64; None for others."""
    kind = buffers[0].kind
    return kind if kind is not None and kind.name in ("float", "double") else None


@lowering("native", Conv2D)
def conv2d(op: Any, task: Any) -> Any:
    """y of x and w."""
    (x, w), (y,) = task.inputs, task.outputs
    kind = runs_on(x)
    at = shapes.settled(op, x.shape, w.shape, None, "forward")
    if kind is None or op.data_format != "NHWC" or not prod(w.shape) or w.shape[2] != x.shape[3]:
        return NotImplemented
    forward(task, kind, x, w, y, op, at)
    return None


def forward(task: Any, kind: Type, x: Any, w: Any, y: Any, op: Any, at: Geometry) -> None:
    """Packs w and slides it. A window of one pixel at stride 1 sees all images as one row, in runs."""
    KH, KW, c, K = w.shape
    if (KH, KW) == (1, 1) and tuple(op.strides) == (1, 1) and not at.padded:
        pixels = prod(x.shape[:3])
        product(task, kind, x.seen((pixels, c)), w.seen((c, K)), y.seen((pixels, K)), turned=False)
        return
    P, Q = at.outs
    lanes = host().lanes(kind)
    first, beyond = whole_range(x.shape[2], KW, op.strides[1], op.dilations[1], at.before[1], Q)
    block = chosen(host(), max(beyond - first, 1), K, lanes)
    whole, last, _ = channel_blocks(K, lanes, block.vectors)
    taps = KH * KW * c
    packed = task.scratch((packed_size(taps, K, block.vectors, lanes),), x.dtype)
    task.job(pack, (kind, block.vectors, last), [w, packed, taps, K, K, whole], items=taps)
    steps = (P * Q * K, Q * K, K)
    add_slide(
        task, kind, x, packed, y, Pass(x.shape, at.outs, (KH, KW), c, K, op.strides, op.dilations, at.before, steps)
    )


# --- windows of one pixel --------------------------------------------------------------------------------------------


def product(task: Any, kind: Any, a: Any, b: Any, y: Any, turned: bool) -> None:
    """y [M,N] = a [M,K] b, with b [K,N], or turned [N,K]."""
    (M, K), N = a.shape, y.shape[1]
    lanes = host().lanes(kind)
    block = chosen(host(), M, N, lanes)
    whole, last, _ = channel_blocks(N, lanes, block.vectors)
    packed = task.scratch((packed_size(K, N, block.vectors, lanes),), a.dtype)
    if turned:
        numbers = (K, N, K, 1, 0, 0, 1, 1, 1, 1)
        items = -(-K // CHUNK)
        task.job(pack_turned, (kind, block.vectors, last), [b, packed, *numbers], items=items)
    else:
        task.job(pack, (kind, block.vectors, last), [b, packed, K, N, N, whole], items=K)
    slide_rows(task, kind, a, packed, y, (M, K, N), block.rows * TILES, block)


def slide_rows(task: Any, kind: Any, a: Any, packed: Any, y: Any, sizes: Any, run: int, block: Any) -> None:
    """Rows of A in runs, and what is left as a shorter run."""
    M, K, N = sizes
    for images, columns, begin in ((M // run, run, 0), (1, M % run, M - M % run)):
        if images and columns:
            at = Pass((images, 1, columns, K), (1, columns), (1, 1), K, N, (1, 1), (1, 1), (0, 0), (columns * N, 0, N))
            add_slide(task, kind, a.part(begin * K), packed, y.part(begin * N), at, block)


# --- to input --------------------------------------------------------------------------------------------------------


class Phase(NamedTuple):
    """The cells of dx along an axis that the same taps reach, of stride s: taps a, a + s, ...; cells i, i + s, ..."""

    a: int
    taps: int
    i: int
    cells: int
    before: int  # padding of dy in the convolution that makes them


def phases(n: int, k: int, s: int, d: int, before: int) -> list[Phase]:
    """The phases of an axis of n cells. The cell i and tap a + s j meet dy at (i + before - a) / s - j."""
    found = []
    for a in range(s):
        taps = len(range(a, k, s))
        i = (a - before) % s
        first = (i + before - a) // s
        found.append(Phase(a, taps, i, max(0, -(-(n - i) // s)), (taps - 1) * d - first))
    return found


@lowering("native", Conv2DBackpropInput)
def backprop_input(op: Any, task: Any) -> Any:
    """dx of w and dy."""
    (_, w, dy), (dx,) = task.inputs, task.outputs
    kind = runs_on(dy)
    at = shapes.settled(op, dx.shape, w.shape, dy.shape, "to_input")
    plain = all(s == 1 or d == 1 for s, d in zip(op.strides, op.dilations, strict=True))
    if kind is None or op.data_format != "NHWC" or not plain or not prod(w.shape) or w.shape[2] != dx.shape[3]:
        return NotImplemented
    to_input(task, kind, w, dy, dx, op, at)
    return None


def to_input(task: Any, kind: Type, w: Any, dy: Any, dx: Any, op: Any, at: Geometry) -> None:
    """Each phase of dx as a convolution of dy."""
    (N, H, W, C), (KH, KW, _, K), lanes = dx.shape, w.shape, host().lanes(kind)
    if (KH, KW) == (1, 1) and tuple(op.strides) == (1, 1) and not at.padded:
        product(task, kind, dy.seen((N * H * W, K)), w.seen((C, K)), dx.seen((N * H * W, C)), turned=True)
        return
    (s, t), dilations = op.strides, op.dilations
    for down in phases(H, KH, s, dilations[0], at.before[0]):
        for over in phases(W, KW, t, dilations[1], at.before[1]):
            cells = down.cells, over.cells
            if not all(cells):
                continue
            taps = (down.taps, over.taps) if down.taps and over.taps else (0, 1)
            first, beyond = whole_range(at.outs[1], taps[1], 1, dilations[1], over.before, cells[1])
            block = chosen(host(), max(beyond - first, 1), C, lanes)
            whole, last, _ = channel_blocks(C, lanes, block.vectors)
            packed = task.scratch((packed_size(max(1, prod(taps)) * K, C, block.vectors, lanes),), dy.dtype)
            numbers = (K, C, K, KW, down.a, over.a, s, t, *taps)
            items = prod(taps) * -(-K // CHUNK)
            task.job(pack_turned, (kind, block.vectors, last), [w, packed, *numbers], items=items)
            steps = (H * W * C, s * W * C, t * C)
            before = down.before, over.before
            done = Pass((N, *at.outs, K), cells, taps, K, C, (1, 1), dilations, before, steps)
            add_slide(task, kind, dy, packed, dx.part((down.i * W + over.i) * C), done)


# --- to filter -------------------------------------------------------------------------------------------------------


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
    *("images", "H", "W", "C", "P", "Q", "K", "KH", "KW", "sh", "sw", "dh", "dw", "top", "left", "first", "beyond"),
    *("times", "tiles", "edge_times", "edge_tiles", "rows", "bands", "groups", "splits", "whole", "size"),
)


def gather(module: Module, s: Gather) -> None:
    """Kernel: adds dw = the sum over pixels of x * dy to what is there. Items are (group of images, split of the tiles);
    each group has a dw of its own."""
    pointers = dict.fromkeys(("x", "dy", "result"), s.kind.pointer)
    with module.kernel("gather", **pointers, **dict.fromkeys(_GATHER, I64)) as (f, x, dy, dw, *numbers):
        with f.loop(f.begin, f.end) as item:
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
            self.run(rows, x.at(shift * n["C"]), dy, dw, kh, tap * n["C"], (begin, end), of, sizes, i, n[counts[0]])

    def rows_of_taps(self, rows: Any, x: Value, dy: Value, dw: Value, part: Value, of: Any) -> None:
        """Tiles over a whole filter row, for columns that all its taps reach."""
        f, n = self.f, self.n
        total = n["KH"] * n["tiles"]
        with f.loop(total * part // n["splits"], total * (part + 1) // n["splits"]) as item:
            kh, i = item // n["tiles"], item % n["tiles"]
            first = kh * n["KW"] * n["C"]
            columns = n["first"], n["beyond"]
            self.run(rows, x.at(-n["left"] * n["C"]), dy, dw, kh, first, columns, of, self.s.sizes, i, n["times"])

    def reached(self, shift: Value, size: Value, stride: Value, begin: Any, end: Any) -> tuple[Value, Value]:
        """Output positions within begin..end whose input, stride * position + shift, lies inside."""
        f = self.f
        first = (f.maximum(0 - shift, 0) + stride - 1) // stride
        beyond = (f.maximum(size - shift, 0) + stride - 1) // stride
        return f.maximum(first, begin), f.minimum(beyond, end)

    def run(
        self, rows: Any, x: Value, dy: Value, dw: Value, kh: Value, first: Any, columns: Any, of: Any, sizes: Any, i: Value,
        times: Value,
    ) -> None:  # fmt: skip
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
                t = Tile(self.s.kind, size, vectors, tail, 1, adds=True, ragged=bool(tail))
                begins = i * size if k == 0 else times * sizes[0] + (i - times) * size
                with f.when(True if len(sizes) == 1 else large if k == 0 else ~large):
                    to = dw.at((first + begins) * n["K"])
                    f.call(tile(f.module, t), source.at(begins), pixels, to, 0, n["K"], *strides)


@lowering("native", Conv2DBackpropFilter)
def backprop_filter(op: Any, task: Any) -> Any:
    """dw of x and dy."""
    (x, _, dy), (dw,) = task.inputs, task.outputs
    kind = runs_on(x)
    at = shapes.settled(op, x.shape, dw.shape, dy.shape, "to_filter")
    if kind is None or op.data_format != "NHWC" or dw.shape[2] != x.shape[3]:
        return NotImplemented
    to_filter(task, kind, x, dy, dw, op.strides, op.dilations, at)
    return None


# Bytes of the gradients that groups of images may have for themselves.
PARTIAL = 1 << 20
# Fewer channels than this do not fill a tile: it takes a whole filter row.
FEW = 8


def to_filter(task: Any, kind: Type, x: Any, dy: Any, dw: Any, strides: Any, dilations: Any, at: Geometry) -> None:
    """Adds the jobs of a filter's gradient."""
    (N, H, W, C), (KH, KW, _, K), (P, Q) = x.shape, dw.shape, at.outs
    lanes = host().lanes(kind)
    merged = C < FEW and dilations[1] == 1 and KW > 1
    rows = KW * C if merged else C
    block = chosen(host(), rows, K, lanes)
    whole, last, tail = channel_blocks(K, lanes, block.vectors)
    tiles, edge = split(rows, block.rows), split(C, block.rows)
    first, beyond = whole_range(W, KW, strides[1], dilations[1], at.before[1], Q)
    groups = max(1, min(N, 8, PARTIAL // max(1, dw.bytes)))
    splits = 1 if groups > 1 else min(4, KH * (1 if merged else KW) * len(tiles) or 1)
    band = max(1, min(P, (1 << 18) // max(1, (W * C * strides[0] + Q * K) * x.dtype.itemsize)))
    result = dw if groups == 1 else task.scratch((groups, dw.size), dw.dtype)
    task.job(clear, (kind,), [result], items=result.size)
    s = Gather(kind, block.vectors, last, tail, _sizes(tiles), merged, _sizes(edge) if merged else ())
    numbers = (
        *(N, H, W, C, P, Q, K, KH, KW, *strides, *dilations, *at.before, first, beyond),
        *(tiles[0][1] if tiles else 0, _count(tiles), edge[0][1] if edge else 0, _count(edge)),
        *(band, -(-P // band) if P else 0, groups, splits, whole, dw.size),
    )
    cost = 0.35 * N * P * Q * KH * KW * C * K / lanes / 2
    task.job(gather, (s,), [x, dy, result, *numbers], items=groups * splits if dw.size else 0, cost=cost)
    if groups > 1:
        words = [result, dw, groups, dw.size, dw.dtype.type(1)]
        task.job(loops.combine, ("sum", kind), words, items=dw.size)


def _sizes(tiles: Any) -> tuple[int, ...]:
    return tuple([size for size, _ in tiles])


def _count(tiles: Any) -> int:
    return sum(times for _, times in tiles)
