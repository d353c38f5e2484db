"""Register-blocked multiply-accumulate: what convolutions and matrix products are made of.

    y[m, :] (+)= sum over a, b, c of  x[m step + a xa + b xb + c xc] * w[a wa + b wb + c wc : ... + vectors]

A tile holds `rows` times `vectors` sums in registers. Each turn of the inner loop loads `vectors` of w and one number
of x for every row, and does their products; nothing is stored before the end. The strides say what it is:

    forward       rows are pixels, c runs over a filter row's (column, channel), a over its rows; w is packed
    to the filter rows are input channels, c runs over pixels of a row, a over rows; w is dy as it lies
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import Machine, host

# Bytes of a cache line.
LINE = 64
# Bytes of a result that is not expected to be in the cache when it is read; it goes past it, and is not read before it
# is written either.
STREAMED = 6 << 20
# What a tile may fetch ahead.
COLUMNS, LINES = "columns", "lines"


class Tile(NamedTuple):
    """What is baked into a tile.

    rows, vectors: its size. tail: lanes used in the last vector; 0 is all.
    step: elements between x's rows; None: an argument. adds: to what y holds; else y is replaced.
    ragged: also the loads of w must stop at the tail (w is not padded to whole vectors).
    ahead: what is fetched meanwhile for later: the COLUMNS of w behind its own; LINES, one each turn, from a place on
    and so many elements apart, which are two more parameters; or nothing.
    streams: y, which lies on whole lines, goes by the caches straight to memory.
    """

    kind: Type
    rows: int
    vectors: int
    tail: int = 0
    step: int | None = None
    adds: bool = False
    ragged: bool = False
    ahead: str = ""
    streams: bool = False

    @property
    def name(self) -> str:
        step = "any" if self.step is None else self.step
        flags = f"{'_add' * self.adds}{'_ragged' * self.ragged}_{self.ahead}{'_streams' * self.streams}"
        return f"tile_{self.kind.suffix}_{self.rows}x{self.vectors}_{self.tail}_{step}{flags}"


def tile(module: Module, t: Tile) -> Function:
    """The function of a tile, written into the module once.

    Parameters: x, w, y, step, ystep, then (count, x stride, w stride) of a, b and c. Counts of c are at least 1.
    """
    if t.name in module:
        return module[t.name]
    lanes = host().lanes(t.kind)
    pointer = t.kind.pointer
    parameters = (pointer, pointer, pointer, *[I64] * 11, *([pointer, I64] if t.ahead == LINES else []))
    with module.function(t.name, *parameters) as (f, x, w, y, step, ystep, na, xa, wa, nb, xb, wb, nc, xc, wc, *more):
        wide = t.kind.by(lanes)
        sums = [[f.variable(f.zero(wide), wide) for _ in range(t.vectors)] for _ in range(t.rows)]
        mask = f.lanes_below(t.tail, lanes) if t.tail else None
        row = step if t.step is None else t.step
        with f.loop(0, na) as a, f.loop(0, nb) as b:
            xs = f.variable(x.at(a * xa + b * xb))
            ws = f.variable(w.at(a * wa + b * wb))
            turns = f.variable(nc)
            line = f.variable(more[0]) if more else None
            with f.repeat_while() as go_on:
                at, weights = xs.value, ws.value
                if line is not None:
                    f.prefetch(line.value)
                    line.value = line.value.at(more[1])
                for v in range(t.vectors if t.ahead == COLUMNS else 0):
                    f.prefetch(weights.at((t.vectors + v) * lanes))
                loaded = [
                    weights.load(v * lanes, lanes, mask if t.ragged and v == t.vectors - 1 else None)
                    for v in range(t.vectors)
                ]
                for m in range(t.rows):
                    number = at.load(row * m).splat(lanes)
                    for v in range(t.vectors):
                        sums[m][v].value = f.fma(number, loaded[v], sums[m][v].value)
                xs.value, ws.value = at.at(xc), weights.at(wc)
                left = turns.value - 1
                turns.value = left
                go_on(left > 0)
        for m in range(t.rows):
            for v in range(t.vectors):
                last = mask if v == t.vectors - 1 else None
                at = ystep * m + v * lanes
                total = sums[m][v].value
                if t.streams:
                    y.stream(total, at)
                else:
                    y.store(y.load(at, lanes, last) + total if t.adds else total, at, last)
    return module[t.name]


class Block(NamedTuple):
    """How many output channels go at a time, and how many rows a tile has at most for that."""

    vectors: int
    rows: int


def blocks_of(machine: Machine) -> list[Block]:
    """Tiles that the registers hold: sums, a row of w and, where no instruction repeats a number of memory by itself,
    that number."""
    spare = 0 if machine.isa == "avx512" else 1
    found = []
    for vectors in range(1, 5):
        rows = (machine.registers - vectors - spare) // vectors
        if rows >= 3:
            found.append(Block(vectors, min(rows, 14)))
    return found


def turn_cost(rows: int, vectors: int) -> float:
    """Cycles of one turn: two products, or two loads, a cycle; a sum waits four cycles for itself."""
    return max(rows * vectors / 2, (rows + vectors) / 2, 4.0)


def split(count: int, most: int) -> list[tuple[int, int]]:
    """`count` rows as [(size, times), ...] with sizes of at most `most`, as even as can be."""
    if count <= 0:
        return []
    parts = -(-count // most)
    large = -(-count // parts)
    times = count - (large - 1) * parts
    return [(large, times)] + ([(large - 1, parts - times)] if times < parts else [])


def chosen(machine: Machine, rows: int, channels: int, lanes: int) -> Block:
    """The block with the least estimated time for so many rows and output channels."""

    def cost(block: Block) -> float:
        turns = 0.0
        whole, rest = divmod(-(-channels // lanes), block.vectors)
        for size, times in split(rows, block.rows):
            turns += times * (whole * turn_cost(size, block.vectors) + (turn_cost(size, rest) if rest else 0))
        return turns

    return min(blocks_of(machine), key=cost)


def halves(count: int, half: int) -> tuple[list[int], list[int]]:
    """Orders of the lanes of two rows: the first half of each, and the second, where a half is so many lanes."""
    low = [lane if not lane & half else count + (lane ^ half) for lane in range(count)]
    high = [lane | half if not lane & half else count + lane for lane in range(count)]
    return low, high


def transposed(f: Function, rows: Sequence[Value]) -> list[Value]:
    """A square of lanes turned: row i's lane j is row j's lane i. Halves are exchanged, then quarters, ..."""
    rows = list(rows)
    count = len(rows)
    half = count // 2
    while half:
        out = list(rows)
        for i in range(count):
            if not i & half:
                low, high = halves(count, half)
                out[i] = f.shuffle(rows[i], rows[i + half], low)
                out[i + half] = f.shuffle(rows[i], rows[i + half], high)
        rows, half = out, half // 2
    return rows


def channel_blocks(channels: int, lanes: int, vectors: int) -> tuple[int, int, int]:
    """(whole blocks, vectors of the last and smaller one or 0, lanes used in its last vector or 0 for all)."""
    whole = channels // (lanes * vectors)
    rest = channels - whole * lanes * vectors
    return whole, -(-rest // lanes), rest % lanes


def goes_past(y: Any, *steps: int) -> bool:
    """Whether a result should go past the caches. steps: what its vectors' places are sums of, in elements."""
    return y.of.bytes >= STREAMED and not any(n % (LINE // y.dtype.itemsize) for n in steps)


def ways(f: Function, s: Any, y: Value) -> list[tuple[Any, Any]]:
    """(settings, whether they hold): a result that `s.streams` must begin on a line, else it goes the usual way."""
    if not s.streams:
        return [(s, True)]
    on_lines = f.on_lines(y, LINE)
    return [(s, on_lines), (s._replace(streams=False), ~on_lines)]


def runs_on(buffer: Any) -> bool:
    """Whether there are tiles for a buffer's type."""
    return buffer.kind is not None and buffer.kind.name in ("float", "double")
