"""Products of matrices of which one is thin: the other passes through once, as it lies, and nothing is packed.

    thin     y [M,N] = a [M,K] b [K,N]      few rows: b comes in runs of its rows, whose sums are added to y
    dots     y [M,N] = a [M,K] b^T [N,K]    few rows: lanes are along K; rows of b are read from end to end
    outer    y [K,N] = a^T [M,K] b [M,N]    few rows are summed: y is written once

Items are parts of what y has many of. Each does many products of matrices that lie one behind the other, too; where
one factor is the same for all, the step to its next is 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.tiles import Tile, channel_blocks, chosen, split, tile

# Rows up to which a matrix is thin.
THIN = 32
# Rows of b that thin products take at a time.
RUN = 32
# Rows that are summed, up to which `outer` is meant.
FEW = 64
# Items that there should be at most.
ITEMS = 16


class Many(NamedTuple):
    """How many products, and the elements from one to the next factor; 0 where it is the same."""

    count: int = 1
    left: int = 0
    right: int = 0

    def parts(self, most: int) -> int:
        """Into how many items a product is cut that can be cut into so many."""
        return max(1, min(ITEMS // self.count, most))


ONE = Many()


class Sums(NamedTuple):
    """What is baked into `thin` and `outer`: sizes of tiles, (rows, how often); vectors, last, tail of the columns;
    elements between x's rows."""

    kind: Type
    sizes: tuple[tuple[int, int], ...]
    vectors: int
    last: int
    tail: int
    step: int

    @property
    def wide(self) -> int:
        return self.vectors * host().lanes(self.kind)


def _matrices(kind: Type) -> dict[str, Type]:
    return dict.fromkeys(("a", "b", "y"), kind.pointer)


def _rows(sizes: tuple[tuple[int, int], ...]) -> int:
    return sum(size * times for size, times in sizes)


def _nth(n: Value, pointers: Any, steps: Any) -> list[Value]:
    """The matrices of a product among many."""
    return [pointer.at(n * step) for pointer, step in zip(pointers, steps, strict=True)]


def thin(module: Module, s: Sums) -> None:
    """Kernel: y = a b. Items are (product, blocks of columns); the last item of a product has what is left."""
    numbers = dict.fromkeys(("K", "N", "whole", "parts", "sa", "sb"), I64)
    with module.kernel("thin", **_matrices(s.kind), **numbers) as (f, *pointers, K, N, whole, parts, sa, sb):
        with f.loop(f.begin, f.end) as item:
            a, b, y = _nth(item // parts, pointers, (sa, sb, N * _rows(s.sizes)))
            _thin(f, s, (a, b, y), item % parts, (K, N, whole, parts))


def _thin(f: Function, s: Sums, pointers: Any, item: Value, numbers: Any) -> None:
    """Some blocks of columns."""
    (a, b, y), (K, N, whole, parts) = pointers, numbers
    begin, end = whole * item // parts, whole * (item + 1) // parts
    last = item.equals(parts - 1)
    first, beyond = begin * s.wide, f.select(last, N, end * s.wide)
    with f.loop(0, _rows(s.sizes)) as m:
        f.clear(y.at(m * N + first), beyond - first)
    with f.loop(0, K, RUN) as k:
        turns = f.minimum(K - k, RUN)

        def columns(n: Any, vectors: int, tail: int) -> None:
            m = 0
            for size, times in s.sizes:
                product = tile(f.module, Tile(s.kind, size, vectors, tail, s.step, adds=True, ragged=bool(tail)))
                for row in range(m, m + size * times, size):
                    place = a.at(K * row + k), b.at(k * N + n), y.at(N * row + n)
                    f.call(product, *place, 0, N, 1, 0, 0, 1, 0, 0, turns, 1, N)
                m += size * times

        with f.loop(first, end * s.wide, s.wide) as n:
            columns(n, s.vectors, 0)
        if s.last:
            with f.when(last):
                columns(whole * s.wide, s.last, s.tail)


def outer(module: Module, s: Sums) -> None:
    """Kernel: y = a^T b. Items are (product, tile of y's rows); the first `times` are of the first size."""
    numbers, parts = dict.fromkeys(("M", "K", "N", "whole", "sa", "sb"), I64), sum(times for _, times in s.sizes)
    with module.kernel("outer", **_matrices(s.kind), **numbers) as (f, *pointers, M, K, N, whole, sa, sb):
        with f.loop(f.begin, f.end) as n:
            item, (a, b, y) = n % parts, _nth(n // parts, pointers, (sa, sb, K * N))
            begin, row = 0, 0
            for size, times in s.sizes:
                with f.when((item >= begin) & (item < begin + times)):
                    k = (item - begin) * size + row
                    rows = a.at(k), b, y.at(k * N), M, K, N
                    with f.loop(0, whole * s.wide, s.wide) as n:
                        _outer(f, Tile(s.kind, size, s.vectors, 0, 1), rows, n)
                    if s.last:
                        _outer(f, Tile(s.kind, size, s.last, s.tail, 1, ragged=bool(s.tail)), rows, whole * s.wide)
                begin, row = begin + times, row + size * times


def _outer(f: Function, t: Tile, rows: Any, n: Any) -> None:
    """One tile, from column n on."""
    a, b, y, M, K, N = rows
    f.call(tile(f.module, t), a, b.at(n), y.at(n), 0, N, 1, 0, 0, 1, 0, 0, M, K, N)


class Dots(NamedTuple):
    """What is baked into `dots`: tiles of a's rows; rows of b that go together; lanes used in the last vector."""

    kind: Type
    sizes: tuple[tuple[int, int], ...]
    rows: int
    tail: int


def dots(module: Module, s: Dots) -> None:
    """Kernel: y = a b^T. Items are (product, part of b's rows)."""
    numbers = dict.fromkeys(("K", "N", "parts", "sa", "sb"), I64)
    with module.kernel("dots", **_matrices(s.kind), **numbers) as (f, *pointers, K, N, parts, sa, sb):
        with f.loop(f.begin, f.end) as n:
            item, (a, b, y) = n % parts, _nth(n // parts, pointers, (sa, sb, N * _rows(s.sizes)))
            begin, end = N * item // parts, N * (item + 1) // parts
            many = begin + (end - begin) // s.rows * s.rows
            for first, beyond, count in ((begin, many, s.rows), (many, end, 1)):
                with f.loop(first, beyond, count) as n:
                    m = 0
                    for size, times in s.sizes:
                        step = _dots(module, s, size, count)
                        for row in range(m, m + size * times, size):
                            f.call(step, a.at(K * row), b.at(n * K), y.at(N * row + n), K, N)
                        m += size * times


def _dots(module: Module, s: Dots, rows: int, columns: int) -> Function:
    """The function for y [rows, columns]: (a, b, y, K, N)."""
    name, lanes = f"dots_{rows}x{columns}", host().lanes(s.kind)
    if name in module:
        return module[name]
    pointer, wide = s.kind.pointer, s.kind.by(lanes)
    with module.function(name, pointer, pointer, pointer, I64, I64) as (f, a, b, y, K, N):
        sums = [[f.variable(f.zero(wide), wide) for _ in range(columns)] for _ in range(rows)]
        left, right = [a.at(K * m) for m in range(rows)], [b.at(K * n) for n in range(columns)]

        def some(k: Any, mask: Value | None) -> None:
            loaded = [pointer.load(k, lanes, mask) for pointer in right]
            for m in range(rows):
                number = left[m].load(k, lanes, mask)
                for n in range(columns):
                    sums[m][n].value = f.fma(number, loaded[n], sums[m][n].value)

        with f.loop(0, K - s.tail, lanes) as k:
            some(k, None)
        if s.tail:
            some(K - s.tail, f.lanes_below(s.tail, lanes))
        for m in range(rows):
            for n in range(columns):
                y.store(f.across(sums[m][n].value, lambda p, q: p + q), N * m + n)
    return module[name]


def add_thin(task: Any, a: Any, b: Any, y: Any, many: Many = ONE) -> None:
    """Adds the job y [M,N] = a [M,K] b [K,N]."""
    (M, K), N, lanes = a.shape[-2:], b.shape[-1], host().lanes(a.kind)
    block = chosen(host(), M, N, lanes)
    whole, last, tail = channel_blocks(N, lanes, block.vectors)
    parts = many.parts(whole // 2)
    s = Sums(a.kind, tuple(split(M, block.rows)), block.vectors, last, tail, K)
    words = [a, b, y, K, N, whole, parts, *many[1:]]
    task.job(thin, (s,), words, items=many.count * parts, cost=_cost(M, K, N, b, many))


def add_outer(task: Any, a: Any, b: Any, y: Any, many: Many = ONE) -> None:
    """Adds the job y [K,N] = a^T [M,K] b [M,N]."""
    (M, K), N, lanes = a.shape[-2:], b.shape[-1], host().lanes(a.kind)
    block = chosen(host(), K, N, lanes)
    whole, last, tail = channel_blocks(N, lanes, block.vectors)
    s = Sums(a.kind, tuple(split(K, block.rows)), block.vectors, last, tail, 1)
    items = many.count * sum(times for _, times in s.sizes)
    task.job(outer, (s,), [a, b, y, M, K, N, whole, *many[1:]], items=items, cost=_cost(M, K, N, y, many))


def add_dots(task: Any, a: Any, b: Any, y: Any, many: Many = ONE) -> None:
    """Adds the job y [M,N] = a [M,K] b^T [N,K]."""
    (M, K), N, machine = a.shape[-2:], b.shape[-2], host()
    sizes = tuple(split(M, 8 if machine.registers > 16 else 3))
    rows = max(1, min(8, (machine.registers - 1) // (sizes[0][0] + 1)))
    parts = many.parts(N // (2 * rows))
    s = Dots(a.kind, sizes, rows, K % machine.lanes(a.kind))
    words = [a, b, y, K, N, parts, *many[1:]]
    task.job(dots, (s,), words, items=many.count * parts, cost=_cost(M, K, N, b, many))


def _cost(M: int, K: int, N: int, large: Any, many: Many) -> float:
    """Nanoseconds: of the products or of reading the large matrix."""
    return max(many.count * 2 * M * K * N / 100, large.bytes / 20)
