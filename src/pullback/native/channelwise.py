"""Convolutions in which every channel has a filter of its own: lanes are channels, nothing is a product of matrices.

    y[p, q, c]  = sum over taps of x[p + .., q + .., c] * w[tap, c]          to the input: the same with the taps turned
    dw[tap, c]  = sum over pixels of x[pixel + tap, c] * dy[pixel, c]

Forward, a few neighbouring columns go together, so that they share the weights and what they both read of x. To the
filter, the sums of a few rows of taps stay in registers while a row of pixels passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pullback.native import loops
from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.packing import clear
from pullback.native.sliding import Pass, whole_range
from pullback.native.tiles import goes_past, ways

# Output columns that go together.
COLUMNS = 4
# Output rows of an item.
ROWS = 8
# Items to the filter, each with sums of its own.
SHARES = 16


class Sweep(NamedTuple):
    """What is baked into the forward kernel: taps, stride and dilation along a row; whether y, where it begins on a
    line, goes straight to memory."""

    kind: Type
    taps: int
    stride: int
    dilation: int
    streams: bool = False


_SWEEP = (
    *("H", "W", "C", "P", "Q", "KH", "sh", "dh", "top", "left", "first", "beyond", "bands", "band"),
    *("down", "over", "yn", "yp", "yq"),
)


def sweep(module: Module, s: Sweep) -> None:
    """Kernel: y of x and w, whose taps lie `down` and `over` apart. Items are (image, band of output rows)."""
    words = dict.fromkeys(("x", "w", "y"), s.kind.pointer) | dict.fromkeys(_SWEEP, I64)
    with module.kernel("sweep", **words) as (f, x, w, y, *numbers):
        n: dict[str, Value] = dict(zip(_SWEEP, numbers, strict=True))
        for way, condition in ways(f, s, y):
            with f.when(condition), f.loop(f.begin, f.end) as item:
                image, first = item // n["bands"], item % n["bands"] * n["band"]
                source = x.at(image * n["H"] * n["W"] * n["C"])
                with f.loop(first, f.minimum(n["P"], first + n["band"])) as p:
                    _Sweeping(f, way, n, source, w, y.at(image * n["yn"] + p * n["yp"])).row(p)


def inside(f: Function, at: Value, size: Value, taps: Any, dilation: Any) -> tuple[Value, Value]:
    """Taps begin..end that lie inside, of a window whose first tap lies at `at`."""
    begin = (f.maximum(0 - at, 0) + dilation - 1) // dilation
    end = f.minimum(taps, (f.maximum(size - at, 0) + dilation - 1) // dilation)
    return begin, f.maximum(end, begin)


def over_channels(
    f: Function, channels: Value, lanes: int, some: Callable[[Any, int, Value | None], None], vectors: int = 1
) -> None:
    """Emits some(first, vectors, mask) for all channels: several vectors at a time, then one, then the rest."""
    done: Any = 0
    for many in sorted({vectors, 1}, reverse=True):
        end = channels - channels % (many * lanes)
        with f.loop(done, end, many * lanes) as c:
            some(c, many, None)
        done = end
    with f.when(done < channels):
        some(done, 1, f.lanes_below(channels - done, lanes))


class _Sweeping:
    """Writes one output row."""

    def __init__(self, f: Function, s: Sweep, n: dict[str, Value], x: Value, w: Value, y: Value) -> None:
        self.f, self.s, self.n, self.x, self.w, self.y = f, s, n, x, w, y
        self.lanes = host().lanes(s.kind)

    def row(self, p: Value) -> None:
        f, s, n = self.f, self.s, self.n
        at = p * n["sh"] - n["top"]
        begin, end = inside(f, at, n["H"], n["KH"], n["dh"])
        self.source = self.x.at((at + begin * n["dh"]) * n["W"] * n["C"])
        self.weights, self.rows = self.w.at(begin * n["down"]), end - begin
        many = n["first"] + (n["beyond"] - n["first"]) // COLUMNS * COLUMNS
        with f.loop(n["first"], many, COLUMNS) as q:
            self.columns(q, COLUMNS)
        with f.loop(many, n["beyond"]) as q:
            self.columns(q, 1)
        for columns in ((0, n["first"]), (n["beyond"], n["Q"])):
            with f.loop(*columns) as q:
                left = q * s.stride - n["left"]
                self.column(q, left, inside(f, left, n["W"], s.taps, s.dilation))

    def columns(self, q: Value, count: int) -> None:
        """Some neighbouring columns whose taps all lie inside."""
        f, s, n, lanes = self.f, self.s, self.n, self.lanes
        source, to = self.source.at((q * s.stride - n["left"]) * n["C"]), self.y.at(q * n["yq"])
        beyond = source.at(self.rows * n["dh"] * n["W"] * n["C"])

        def some(c: Any, _: int, mask: Value | None) -> None:
            wide = s.kind.by(lanes)
            sums = [f.variable(f.zero(wide), wide) for _ in range(count)]
            for t in range(count):  # the row that the next output row will be the first to need, and that row itself
                f.prefetch(beyond.at(n["C"] * (t * s.stride) + c))
                if not s.streams:
                    f.prefetch(to.at(n["yp"] + n["yq"] * t + c), writes=True)
            with f.loop(0, self.rows) as i:
                x, w = source.at(i * n["dh"] * n["W"] * n["C"] + c), self.weights.at(i * n["down"] + c)
                weights = [w.load(n["over"] * j, lanes, mask) for j in range(s.taps)]
                places = sorted({t * s.stride + j * s.dilation for t in range(count) for j in range(s.taps)})
                loaded = {place: x.load(n["C"] * place, lanes, mask) for place in places}
                for t, total in enumerate(sums):
                    value = total.value
                    for j, weight in enumerate(weights):
                        value = f.fma(loaded[t * s.stride + j * s.dilation], weight, value)
                    total.value = value
            for t, total in enumerate(sums):
                if s.streams and mask is None:
                    to.stream(total.value, n["yq"] * t + c)
                else:
                    to.store(total.value, n["yq"] * t + c, mask)

        over_channels(f, n["C"], lanes, some)

    def column(self, q: Value, left: Value, taps: tuple[Value, Value]) -> None:
        """A column of which only some taps lie inside."""
        f, s, n, lanes = self.f, self.s, self.n, self.lanes

        def some(c: Any, _: int, mask: Value | None) -> None:
            wide = s.kind.by(lanes)
            total = f.variable(f.zero(wide), wide)
            with f.loop(0, self.rows) as i, f.loop(*taps) as j:
                x = self.source.load(((i * n["dh"] * n["W"]) + left + j * s.dilation) * n["C"] + c, lanes, mask)
                weight = self.weights.load(i * n["down"] + j * n["over"] + c, lanes, mask)
                total.value = f.fma(x, weight, total.value)
            self.y.store(total.value, q * n["yq"] + c, mask)

        over_channels(f, n["C"], lanes, some)


def add_sweep(task: Any, x: Any, w: Any, y: Any, at: Pass, down: int, over: int) -> None:
    """Adds the job of a forward pass; w begins at the first tap, taps lie `down` and `over` apart."""
    (N, H, W, C), (P, Q), (KH, KW) = at.image, at.outs, at.kernel
    first, beyond = whole_range(W, KW, at.strides[1], at.dilations[1], at.before[1], Q)
    s = Sweep(x.kind, KW, at.strides[1], at.dilations[1], goes_past(y, C, *at.steps))
    band = min(ROWS, max(P, 1))
    bands = -(-P // band)
    numbers = (
        *(H, W, C, P, Q, KH, at.strides[0], at.dilations[0], *at.before, first, beyond, bands, band),
        *(down, over, *at.steps),
    )
    task.job(sweep, (s,), [x, w, y, *numbers], items=N * bands if C and Q else 0)


# --- to the filter ---------------------------------------------------------------------------------------------------


class SweepFilter(NamedTuple):
    """What is baked into the kernel of the filter's gradient."""

    kind: Type
    kernel: tuple[int, int]
    stride: int
    dilation: int

    @property
    def rows(self) -> int:
        """Rows of taps whose sums go together."""
        return max(1, min(self.kernel[0], (host().registers - 4) // self.kernel[1]))


_FILTER = ("H", "W", "C", "P", "Q", "sh", "dh", "top", "left", "first", "beyond", "count", "shares")


def sweep_filter(module: Module, s: SweepFilter) -> None:
    """Kernel: partial dw of x and dy. Items are shares of the rows of all images, each with a dw of its own."""
    words = dict.fromkeys(("x", "dy", "result"), s.kind.pointer) | dict.fromkeys(_FILTER, I64)
    with module.kernel("sweep_filter", **words) as (f, x, dy, dw, *numbers), f.loop(f.begin, f.end) as item:
        n: dict[str, Value] = dict(zip(_FILTER, numbers, strict=True))
        KH, KW = s.kernel
        to = dw.at(item * (KH * KW) * n["C"])
        f.clear(to, n["C"] * (KH * KW))
        with f.loop(n["count"] * item // n["shares"], n["count"] * (item + 1) // n["shares"]) as row:
            image, p = row // n["P"], row % n["P"]
            at = p * n["sh"] - n["top"]
            source, pixels = x.at(image * n["H"] * n["W"] * n["C"]), dy.at(row * n["Q"] * n["C"])
            for first in range(0, KH, s.rows):
                _add_rows(f, s, n, source, pixels, to, at, first, min(s.rows, KH - first))


def _add_rows(
    f: Function, s: SweepFilter, n: dict[str, Value], x: Value, dy: Value, dw: Value, at: Value, first: int, count: int
) -> None:
    """Adds one row of dy to `count` rows of taps: together where all lie inside, else one by one."""

    def add(i: int, rows: int) -> None:
        place = x.at((at + n["dh"] * i) * n["W"] * n["C"]), dy, dw.at(n["C"] * (i * s.kernel[1]))
        step = _row_filter(f.module, s, rows)
        f.call(step, *place, *(n[k] for k in ("W", "C", "Q", "dh", "left", "first", "beyond")))

    whole = (at + n["dh"] * first >= 0) & (at + n["dh"] * (first + count - 1) < n["H"])
    with f.when(whole):
        add(first, count)
    if count > 1:
        with f.when(~whole):
            for i in range(first, first + count):
                row = at + n["dh"] * i
                with f.when((row >= 0) & (row < n["H"])):
                    add(i, 1)


def _row_filter(module: Module, s: SweepFilter, rows: int) -> Function:
    """The function that adds a row of dy to the sums of so many rows of taps: (x, dy, dw, W, C, Q, dilation of rows,
    left, columns first..beyond that all taps reach)."""
    name, lanes, KW = f"row_filter_{rows}", host().lanes(s.kind), s.kernel[1]
    if name in module:
        return module[name]
    pointer = s.kind.pointer
    with module.function(name, *[pointer] * 3, *[I64] * 7) as (f, x, dy, dw, W, C, Q, dh, left, first, beyond):

        def some(c: Any, vectors: int, mask: Value | None) -> None:
            wide = s.kind.by(lanes)
            places = [(i, j, v) for i in range(rows) for j in range(KW) for v in range(vectors)]
            sums = {place: f.variable(f.zero(wide), wide) for place in places}

            def add(q: Value, taps: Any) -> None:
                given = [dy.load(q * C + c + v * lanes, lanes, mask) for v in range(vectors)]
                pixel = x.at((q * s.stride - left) * C + c)
                for i, j, v in places:
                    if j in taps:
                        value = pixel.load((dh * W * i + j * s.dilation) * C + v * lanes, lanes, mask)
                        sums[i, j, v].value = f.fma(value, given[v], sums[i, j, v].value)

            with f.loop(first, beyond) as q:
                for v in range(vectors):  # what the next row of dy is the first to need, and that row itself
                    f.prefetch(x.at((q * s.stride - left + dh * W * rows) * C + c + v * lanes))
                    f.prefetch(dy.at((q + Q) * C + c + v * lanes))
                add(q, range(KW))
            for columns in ((f.constant(0, I64), first), (beyond, Q)):
                with f.loop(*columns) as q:
                    for j in range(KW):
                        column = q * s.stride - left + j * s.dilation
                        with f.when((column >= 0) & (column < W)):
                            add(q, (j,))
            for i, j, v in places:
                at = C * (i * KW + j) + c + v * lanes
                dw.store(dw.load(at, lanes, mask) + sums[i, j, v].value, at, mask)

        over_channels(f, C, lanes, some, 2 if 2 * rows * KW + 4 <= host().registers else 1)
    return module[name]


def add_sweep_filter(task: Any, x: Any, dy: Any, dw: Any, strides: Any, dilations: Any, outs: Any, before: Any) -> None:
    """Adds the jobs of the filter's gradient."""
    (N, H, W, C), (KH, KW), (P, Q) = x.shape, dw.shape[:2], outs
    first, beyond = whole_range(W, KW, strides[1], dilations[1], before[1], Q)
    shares = max(1, min(SHARES, N * P // 4))
    s = SweepFilter(x.kind, (KH, KW), strides[1], dilations[1])
    if not x.size or not dy.size:
        task.job(clear, (x.kind,), [dw], items=dw.size)
        return
    result = dw if shares == 1 else task.scratch((shares, dw.size), dw.dtype)
    numbers = (H, W, C, P, Q, strides[0], dilations[0], *before, first, beyond, N * P, shares)
    task.job(sweep_filter, (s,), [x, dy, result, *numbers], items=shares)
    if shares > 1:
        words = [result, dw, shares, dw.size, dw.dtype.type(1)]
        task.job(loops.combine, ("sum", x.kind), words, items=dw.size)
