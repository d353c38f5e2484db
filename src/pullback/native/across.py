"""Convolution to few channels: lanes run along the image's channels, which are summed over.

    sums[q, k][lane] += x[p + .., q + kw, c + lane] * w[kh, kw, k, c + lane]        y[p, q, k] = the sum of its lanes

A tile is a run of neighbouring pixels with all their results. Each pixel of x is loaded once for a filter row, and the
row's weights stay in registers where there is room. At the end a square of sums is folded into one vector of results.
With three rows of taps two rows of results are made together by minimal filtering along columns, F(2,3) (minimal.py):
four rows of products where the definition takes six, for a sum or difference of two rows of x.
Sliding, by contrast, has results in its lanes: with three channels of sixteen, most of its work would be for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pullback.native.channelwise import inside
from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.packing import clear
from pullback.native.sliding import Pass, whole_range
from pullback.native.tiles import halves, split

# Items that there should be at least.
ITEMS = 16
# Sums that hide the time that a product takes.
SUMS = 8


class Across(NamedTuple):
    """What is baked into the kernel.

    channels, makes: C, K. taps, stride, dilation: along a row. turned: the taps come in reverse order. paired: rows
    go by twos, in F(2,3). sizes: pixels of a tile, (how many, how often), where all taps lie inside.
    """

    kind: Type
    channels: int
    makes: int
    taps: int
    stride: int
    dilation: int
    turned: bool
    paired: bool
    sizes: tuple[tuple[int, int], ...]

    @property
    def tap(self) -> int:
        """Numbers from one tap's weights to the next one's."""
        return self.makes * self.channels * (-1 if self.turned else 1)


_ACROSS = ("H", "W", "P", "Q", "KH", "sh", "dh", "top", "left", "first", "beyond", "bands", "band")


def across(module: Module, s: Across) -> None:
    """Kernel: y [N,P,Q,K] of x [N,H,W,C] and w [KH,KW,K,C], paired: of its transform; zeros is a row of x of zeros.
    Items are (image, band of rows)."""
    words = dict.fromkeys(("x", "w", "y", "zeros"), s.kind.pointer) | dict.fromkeys(_ACROSS, I64)
    with module.kernel("across", **words) as (f, x, w, y, zeros, *numbers), f.loop(f.begin, f.end) as item:
        n: dict[str, Value] = dict(zip(_ACROSS, numbers, strict=True))
        image, top = item // n["bands"], item % n["bands"] * n["band"]
        source, to = x.at(image * n["H"] * n["W"] * s.channels), y.at(image * n["P"] * n["Q"] * s.makes)
        row = n["W"] * s.channels
        if s.turned:
            w = w.at((n["KH"] * s.taps - 1) * (s.makes * s.channels))
        with f.loop(top, f.minimum(n["P"], top + n["band"]), 2 if s.paired else 1) as p:
            at, results = p * n["sh"] - n["top"], to.at(p * n["Q"] * s.makes)
            if s.paired:
                rows = [f.select((at + i >= 0) & (at + i < n["H"]), source.at((at + i) * row), zeros) for i in range(4)]
                _row(f, s, n, rows, results, (w, (p + 1 < n["P"]).to(I64), n["Q"] * s.makes))
            else:
                begin, end = inside(f, at, n["H"], n["KH"], n["dh"])
                rows = [source.at((at + begin * n["dh"]) * row)]
                _row(f, s, n, rows, results, (w.at(begin * (s.taps * s.tap)), end - begin, n["dh"] * row))


def _row(f: Function, s: Across, n: dict[str, Value], rows: list[Value], y: Value, others: Any) -> None:
    """One row of results, or two: tiles where all taps lie inside, single pixels at the sides."""
    emit = _pair if s.paired else _tile
    q: Any = n["first"]
    for size, times in s.sizes:
        beyond = q + size * times
        with f.loop(q, beyond, size) as at:
            source = [row.at((at * s.stride - n["left"]) * s.channels) for row in rows]
            f.call(emit(f.module, s, size), *source, y.at(at * s.makes), *others, 0, s.taps)
        q = beyond
    for columns in ((0, n["first"]), (n["beyond"], n["Q"])):
        with f.loop(*columns) as at:
            left = at * s.stride - n["left"]
            source = [row.at(left * s.channels) for row in rows]
            taps = inside(f, left, n["W"], s.taps, s.dilation)
            f.call(emit(f.module, s, 0), *source, y.at(at * s.makes), *others, *taps)


class _Sums:
    """The sums of a tile of so many pixels that all taps reach, or of one pixel (0) and taps from .. to."""

    def __init__(self, f: Function, s: Across, pixels: int, taps: tuple[Value, Value]) -> None:
        self.f, self.s, self.lanes, self.taps = f, s, host().lanes(s.kind), taps
        wide = s.kind.by(self.lanes)
        self.single = not pixels
        self.sums = [[f.variable(f.zero(wide), wide) for _ in range(s.makes)] for _ in range(max(1, pixels))]

    def add(self, load: Callable[[Any, Value | None], Value], w: Value) -> None:
        """Adds the products of one filter row. load(place, mask): a vector of x so many numbers on."""
        f, lanes, C = self.f, self.lanes, self.s.channels
        whole = C - C % lanes
        if whole:
            with f.loop(0, whole, lanes) as c:
                self.some(lambda place: load(place + c, None), w.at(c), None)
        if whole < C:
            mask = f.lanes_below(C - whole, lanes)
            self.some(lambda place: load(place + whole, mask), w.at(whole), mask)

    def some(self, load: Callable[[Any], Value], w: Value, mask: Value | None) -> None:
        """The products of one vector of channels."""
        f, s, lanes = self.f, self.s, self.lanes
        if self.single:
            with f.loop(*self.taps) as tap:
                pixel = load(tap * (s.dilation * s.channels))
                for k, total in enumerate(self.sums[0]):
                    total.value = f.fma(pixel, w.load(tap * s.tap + k * s.channels, lanes, mask), total.value)
            return
        meets: dict[int, list[tuple[int, int]]] = {}
        for t in range(len(self.sums)):
            for tap in range(s.taps):
                meets.setdefault(t * s.stride + tap * s.dilation, []).append((t, tap))
        weights = {
            (tap, k): w.load(tap * s.tap + k * s.channels, lanes, mask) for tap in range(s.taps) for k in range(s.makes)
        }
        for place in sorted(meets):
            pixel = load(s.channels * place)
            for t, tap in meets[place]:
                for k, total in enumerate(self.sums[t]):
                    total.value = f.fma(pixel, weights[tap, k], total.value)

    def folded(self) -> list[Value]:
        """The sums over the lanes, pixel by pixel, in vectors; the last may be in part."""
        totals = [total.value for pixel in self.sums for total in pixel]
        return [_folded(self.f, totals[i : i + self.lanes], self.lanes) for i in range(0, len(totals), self.lanes)]

    def store(self, y: Value, results: Sequence[Value]) -> None:
        count = len(self.sums) * self.s.makes
        for i, result in enumerate(results):
            left = count - i * self.lanes
            y.store(result, i * self.lanes, None if left >= self.lanes else self.f.lanes_below(left, self.lanes))


def _tile(module: Module, s: Across, pixels: int) -> Function:
    """The function of a tile in one row: (x, y, w, rows, numbers from one row of x to the next, taps from .. to)."""
    name, lanes = f"across_{pixels}", host().lanes(s.kind)
    if name in module:
        return module[name]
    with module.function(name, *[s.kind.pointer] * 3, *[I64] * 4) as (f, x, y, w, rows, row, *taps):
        sums = _Sums(f, s, pixels, (taps[0], taps[1]))
        with f.loop(0, rows) as i:
            source = x.at(i * row)
            sums.add(lambda place, mask: source.load(place, lanes, mask), w.at(i * (s.taps * s.tap)))
        sums.store(y, sums.folded())
    return module[name]


def _pair(module: Module, s: Across, pixels: int) -> Function:
    """The function of a tile in two rows: (four rows of x, y, w, whether there is a second row, numbers to it, taps
    from .. to).

    m0 = (x0 - x2) u0    m1 = (x1 + x2) u1    m2 = (x2 - x1) u2    m3 = (x1 - x3) u3
    y0 = m0 + m1 + m2    y1 = m1 - m2 - m3
    """
    name, lanes = f"pair_{pixels}", host().lanes(s.kind)
    if name in module:
        return module[name]
    with module.function(name, *[s.kind.pointer] * 6, *[I64] * 4) as (f, x0, x1, x2, x3, y, w, more, row, *taps):
        made: list[list[Value]] = []
        products = [_Sums(f, s, pixels, (taps[0], taps[1])) for _ in range(4)]
        for i, (a, b, plus) in enumerate(((x0, x2, False), (x1, x2, True), (x2, x1, False), (x1, x3, False))):

            def load(place: Any, mask: Value | None, a: Value = a, b: Value = b, plus: bool = plus) -> Value:
                one, other = a.load(place, lanes, mask), b.load(place, lanes, mask)
                return one + other if plus else one - other

            products[i].add(load, w.at(i * (s.taps * s.tap)))
            made.append(products[i].folded())
        products[0].store(y, [m0 + m1 + m2 for m0, m1, m2, _ in zip(*made, strict=True)])
        with f.when(more > 0):
            products[0].store(y.at(row), [m1 - m2 - m3 for _, m1, m2, m3 in zip(*made, strict=True)])
    return module[name]


def _folded(f: Function, vectors: Sequence[Value], lanes: int) -> Value:
    """A vector whose lane i is the sum of the lanes of vector i; there may be fewer than lanes."""
    rows: list[Any] = [*vectors, *[None] * (lanes - len(vectors))]
    half = lanes // 2
    while half:
        low, high = halves(lanes, half)
        across = [lane ^ half for lane in range(lanes)]
        for i in range(half):
            a, b = rows[i], rows[i + half]
            if b is not None:
                rows[i] = f.shuffle(a, b, low) + f.shuffle(a, b, high)
            elif a is not None:
                rows[i] = a + f.shuffle(a, a, across)
        rows, half = rows[:half], half // 2
    return rows[0]


def turn(module: Module, kind: Type) -> None:
    """Kernel: w [taps,C,K] -> to [taps,K,C]. Items are (tap, c)."""
    words = {"w": kind.pointer, "to": kind.pointer, "C": I64, "K": I64}
    with module.kernel("turn", **words) as (f, w, to, C, K), f.loop(f.begin, f.end) as item, f.loop(0, K) as k:
        to.store(w.load(item * K + k), (item // C * K + k) * C + item % C)


def holds(makes: int, taps: int) -> bool:
    """Whether the registers hold a filter row's weights beside enough sums."""
    return (host().registers - 2 - taps * makes) // makes * makes >= SUMS


def pixels_of(makes: int, taps: int) -> int:
    """Pixels of a tile at most: beside a row's weights in registers, or with those read as they are used."""
    others = 2 + taps * makes if holds(makes, taps) else 4
    return max(1, (host().registers - others) // makes)


def fits(makes: int) -> bool:
    """Whether the registers hold the results of a pixel."""
    return makes <= host().registers // 2


def spread_rows(module: Module, kind: Type, turned: bool) -> None:
    """Kernel: w [3,KW,C,K], or turned [3,KW,K,C] with its taps in reverse order -> u [4,KW,K,C], the transform of
    F(2,3) along columns. Items are taps of a row."""
    words = {"w": kind.pointer, "u": kind.pointer} | dict.fromkeys(("KW", "C", "K"), I64)
    with module.kernel("spread_rows", **words) as (f, w, u, KW, C, K), f.loop(f.begin, f.end) as tap:
        row = KW * C * K
        with f.loop(0, K) as k, f.loop(0, C) as c:
            at = (KW - 1 - tap) * C * K + k * C + c if turned else (tap * C + c) * K + k
            w0, w1, w2 = (w.load(at + row * (2 - i if turned else i)) for i in range(3))
            to = u.at((tap * K + k) * C + c)
            for i, value in enumerate((w0, (w0 + w2 + w1) * 0.5, (w0 + w2 - w1) * 0.5, w2)):
                to.store(value, row * i)


def add_across(task: Any, x: Any, w: Any, y: Any, at: Pass, turned: bool, paired: bool) -> None:
    """Adds the jobs of a pass whose results lie side by side. w is [KH,KW,C,K]; turned, [KH,KW,K,C] with the taps in
    reverse order. paired: by F(2,3) along columns; there are three rows of taps, at stride and dilation 1."""
    (N, H, W, C), (P, Q), (KH, KW), lanes, kind = at.image, at.outs, at.kernel, host().lanes(x.kind), x.kind
    if not N * P * Q:
        return
    zeros = x
    if paired:
        u, zeros = task.scratch((4, KW, at.k, C), w.dtype), task.scratch((W, C), x.dtype)
        task.job(spread_rows, (kind, turned), [w, u, KW, C, at.k], items=KW)
        task.job(clear, (kind,), [zeros], items=zeros.size)
        w, turned = u, False
    elif not turned:
        w, given = task.scratch((KH, KW, at.k, C), w.dtype), w
        task.job(turn, (kind,), [given, w, C, at.k], items=KH * KW * C)
    first, beyond = whole_range(W, KW, at.strides[1], at.dilations[1], at.before[1], Q)
    sizes = tuple(split(beyond - first, pixels_of(at.k, KW)))
    s = Across(kind, C, at.k, KW, at.strides[1], at.dilations[1], turned, paired, sizes)
    band = -(-P // min(P, -(-ITEMS // N)))
    band += band % 2
    bands = -(-P // band)
    numbers = (H, W, P, Q, KH, at.strides[0], at.dilations[0], *at.before, first, beyond, bands, band)
    cost = 0.3 * N * P * Q * KH * KW * at.k * -(-C // lanes)
    task.job(across, (s,), [x, w, y, zeros, *numbers], items=N * bands, cost=cost)
