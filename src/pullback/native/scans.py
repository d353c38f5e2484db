"""Running sums and products along an axis: every entry after the one before it, in NumPy's order."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host

# Vectors that go together, where an axis stands before others.
CHUNK = 8


class Scan(NamedTuple):
    """What is baked in. product: else a sum. exclusive: of the entries before. reverse: from the end. alone: nothing
    stands behind the axis."""

    kind: Type
    product: bool
    exclusive: bool
    reverse: bool
    alone: bool


def scan(module: Module, s: Scan) -> None:
    """Kernel: y[o, :, i] = the running sums of x[o, :, i]. Items are (o, chunk of i)."""
    words = dict.fromkeys(("x", "y"), s.kind.pointer) | dict.fromkeys(("n", "inner", "chunks"), I64)
    with module.kernel("scan", **words) as (f, x, y, n, inner, chunks), f.loop(f.begin, f.end) as item:
        o, chunk = item // chunks, item % chunks
        begin: Any = o * n * inner
        begin = begin + (n - 1) * inner if s.reverse else begin
        source, to, step = x.at(begin), y.at(begin), (0 - inner if s.reverse else inner)
        if s.alone:
            _down(f, s, source, to, (n, step), 1, None)
        else:
            _some(f, s, source, to, (n, step), (chunk, inner))


def _some(f: Function, s: Scan, x: Value, y: Value, axis: Any, which: Any) -> None:
    """The axes of a chunk."""
    lanes, (chunk, inner) = host().lanes(s.kind), which
    first = chunk * (CHUNK * lanes)
    beyond = f.minimum(inner, first + CHUNK * lanes)
    whole = first + (beyond - first) // lanes * lanes
    with f.loop(first, whole, lanes) as i:
        _down(f, s, x.at(i), y.at(i), axis, lanes, None)
    with f.when(whole < beyond):
        _down(f, s, x.at(whole), y.at(whole), axis, lanes, f.lanes_below(beyond - whole, lanes))


def _down(f: Function, s: Scan, x: Value, y: Value, axis: Any, lanes: int, mask: Value | None) -> None:
    """The axis of some lanes."""
    n, step = axis
    total = f.variable(x.load(0, lanes, mask), s.kind.by(lanes))
    y.store(f.constant(float(s.product), s.kind.by(lanes)) if s.exclusive else total.value, 0, mask)
    with f.loop(1, n) as k:
        before, value = total.value, x.load(k * step, lanes, mask)
        total.value = before * value if s.product else before + value
        y.store(before if s.exclusive else total.value, k * step, mask)


def add_scan(task: Any, x: Any, y: Any, axis: int, product: bool, exclusive: bool, reverse: bool) -> None:
    """Adds the job."""
    outer, n, inner = prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])
    chunks = -(-inner // (CHUNK * host().lanes(x.kind)))
    s = Scan(x.kind, product, exclusive, reverse, inner == 1)
    cost = (1.2 if inner == 1 else 0.2) * x.size
    task.job(scan, (s,), [x, y, n, inner, chunks], items=outer * chunks if n else 0, cost=cost)
