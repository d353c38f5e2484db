"""Products of matrices in blocks that the caches hold.

    y [M,N] = a b       a is [M,K] or, as columns, [K,M]; b is [K,N] or, turned, [N,K]

An item makes some of the columns of a run of rows. For a chunk of K it packs b, one block of columns after the other,
into a panel for the first cache, and passes over it the run's part of a, which stays in the second one. Sums over a
chunk begin at zero and are then added to y, so that long sums lose no digits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.packing import turn, widen
from pullback.native.tiles import LINE, LINES, Tile, channel_blocks, chosen, goes_past, split, tile, ways

# Bytes of a panel, and of a run's part of a.
PANEL, RUN = 32 << 10, 400 << 10
# Bytes after which the places of the first cache come again.
PAGE = 4 << 10
# Items that there should be at least.
ITEMS = 8


class Blocked(NamedTuple):
    """What is baked into the kernel.

    sizes: rows of a tile, (large, small). vectors, last, tail: a block of columns, the last one's vectors, lanes of its
    last vector (0: all). step: elements between rows of a. turned: whether b is [N,K]. chunk: of K, at most.
    chunks: whether there are several. fetches: whether tiles fetch what comes next of a, whose rows are one run, or
    else of b. streams: whether y, where it begins on a line,
    goes straight to memory.
    """

    kind: Type
    sizes: tuple[int, ...]
    vectors: int
    last: int
    tail: int
    step: int
    turned: bool
    chunk: int
    chunks: bool
    fetches: bool
    streams: bool


_WORDS = ("N", "K", "along", "row", "times", "tiles", "runs", "parts", "whole")


def blocked(module: Module, s: Blocked) -> None:
    """Kernel: y = a b. Items are (run of rows, part of the columns). `along`: elements from one of a's columns to the
    next; `row`: b's row length."""
    words = dict.fromkeys(("a", "b", "y"), s.kind.pointer) | dict.fromkeys(_WORDS, I64)
    with module.kernel("blocked", **words) as (f, a, b, y, *numbers):
        panel = f.buffer(s.kind, s.chunk * s.vectors * host().lanes(s.kind))
        for way, condition in ways(f, s, y):
            with f.when(condition), f.loop(f.begin, f.end) as item:
                _Writing(f, way, (a, b, y), panel, dict(zip(_WORDS, numbers, strict=True))).item(item)


class _Writing:
    """Writes the kernel's loops."""

    def __init__(self, f: Function, s: Blocked, matrices: Any, panel: Value, n: dict[str, Value]) -> None:
        self.f, self.s, self.n, self.panel, self.lanes = f, s, n, panel, host().lanes(s.kind)
        self.a, self.b, self.y = matrices

    def item(self, item: Value) -> None:
        f, s, n = self.f, self.s, self.n
        run, part = item // n["parts"], item % n["parts"]
        self.begin, self.end = n["tiles"] * run // n["runs"], n["tiles"] * (run + 1) // n["runs"]
        first, beyond = n["whole"] * part // n["parts"], n["whole"] * (part + 1) // n["parts"]
        wide = s.vectors * self.lanes
        with f.loop(0, n["K"], s.chunk) as k:
            count = f.minimum(n["K"] - k, s.chunk)
            with f.loop(first, beyond) as block:
                self.columns(block * wide, k, count, s.vectors, 0)
            if s.last:
                with f.when(part.equals(n["parts"] - 1)):
                    self.columns(n["whole"] * wide, k, count, s.last, s.tail)

    def columns(self, first: Value, k: Value, count: Value, vectors: int, tail: int) -> None:
        """Packs a block's columns and passes the run's tiles over it."""
        f, s, n = self.f, self.s, self.n
        source = self.b.at(first * n["row"] + k) if s.turned else self.b.at(k * n["row"] + first)
        f.call(packing(f.module, s, vectors, tail), source, self.panel, count, n["row"])
        row: Any = 0
        begun: Any = 0
        for i, size in enumerate(s.sizes):
            last = i == len(s.sizes) - 1
            until = n["tiles"] if last else n["times"]
            with f.loop(f.maximum(self.begin, begun), f.minimum(self.end, until)) as item:
                m = (item - begun) * size + row
                source, to = self.a.at(m * s.step + k * n["along"]), self.y.at(m * n["N"] + first)
                coming = self.coming(source.at(size * s.step), first + vectors * self.lanes, k, item - self.begin)
                for adds in (False, True)[: 1 + s.chunks]:
                    with f.when(True if not s.chunks else (k > 0) if adds else k.equals(0)):
                        t = Tile(s.kind, size, vectors, tail, s.step, adds, ahead=LINES, streams=s.streams)
                        once, turns = (1, 0, 0), (count, n["along"], vectors * self.lanes)
                        place = source, self.panel, to, 0, n["N"]
                        f.call(tile(f.module, t), *place, *once, *once, *turns, *coming)
            if not last:
                begun, row = n["times"], n["times"] * size

    def coming(self, rows: Value, block: Value, k: Value, nth: Value) -> tuple[Value, Any]:
        """What the nth tile of a run fetches, (place, step): the next rows, or the nth line of each row of b in the
        block that is packed next."""
        f, s, row, line = self.f, self.s, self.n["row"], LINE // self.s.kind.bytes
        if s.fetches:
            return rows, line
        if s.turned:
            return self.b.at(block * row + k + f.minimum(nth, s.chunk // line) * line), row
        return self.b.at(k * row + block + f.minimum(nth, s.vectors) * line), row


def packing(module: Module, s: Blocked, vectors: int, tail: int) -> Function:
    """The function that writes a panel [k][lanes]: (b, panel, k, b's row length)."""
    name, lanes = f"panel_{vectors}_{tail}", host().lanes(s.kind)
    if name in module:
        return module[name]
    with module.function(name, s.kind.pointer, s.kind.pointer, I64, I64) as (f, source, panel, count, row):
        if s.turned:
            columns = vectors * lanes - (lanes - tail if tail else 0)
            turn(f, source, panel, 0, columns, (0, count), row, vectors, lanes)
        else:
            with f.loop(0, count) as k:
                for v in range(vectors):
                    mask = f.lanes_below(tail, lanes) if tail and v == vectors - 1 else None
                    panel.store(source.load(k * row + v * lanes, lanes, mask), k * (vectors * lanes) + v * lanes)
    return module[name]


def add_product(task: Any, a: Any, b: Any, y: Any, columns: bool = False, turned: bool = False) -> None:
    """Adds the jobs y [M,N] = a b, of a K that is not 0. columns: a is [K,M]; turned: b is [N,K]."""
    (M, N), K = y.shape, a.shape[0 if columns else 1]
    if not y.size:
        return
    machine, size = host(), a.dtype.itemsize
    lanes = machine.lanes(a.kind)
    block = chosen(machine, M, N, lanes)
    whole, last, tail = channel_blocks(N, lanes, block.vectors)
    chunk = _even(K, PANEL // (block.vectors * lanes * size))
    tiles = split(M, block.rows)
    count = sum(times for _, times in tiles)
    runs = max(-(-M * chunk * size // RUN), -(-ITEMS // max(1, whole)))
    runs = min(count, -(-runs // 4) * 4 if runs > 1 else 1)  # even shares for the usual numbers of threads
    parts = max(1, min(whole, -(-ITEMS // runs)))
    streams = chunk >= K and goes_past(y, N)
    step, along = (1, M) if columns else (K, 1)
    if 4 * block.vectors * lanes <= N and collide(a.shape[1] * size, block.rows):
        wide = task.scratch((a.shape[0], a.shape[1] + LINE // size), a.dtype)
        task.job(widen, (a.kind,), [a, wide, a.shape[1], 0, LINE // size], items=a.shape[0])
        a, step, along = wide, (1 if columns else wide.shape[1]), (wide.shape[1] if columns else 1)
    fetches = step == K == chunk and a.bytes > b.bytes
    sizes = tuple([size for size, _ in tiles])
    s = Blocked(a.kind, sizes, block.vectors, last, tail, step, turned, chunk, chunk < K, fetches, streams)
    words = [a, b, y, N, K, along, b.shape[1], tiles[0][1], count, runs, parts, whole]
    task.job(blocked, (s,), words, items=runs * parts, cost=0.35 * M * N * K / lanes / 2)


def collide(step: int, rows: int) -> bool:
    """Whether rows so many bytes apart fall on too few places of the first cache, of which each holds 8 lines."""
    return 4 * len({row * step % PAGE // LINE for row in range(rows)}) < rows


def _even(count: int, most: int) -> int:
    """Chunks as even as can be."""
    return -(-count // -(-count // most))
