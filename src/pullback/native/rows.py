"""Softmax and cross entropies: kernels that go over a row several times while it is in the cache.

m = max x      Z = sum exp(x - m)      p = exp(x - m) / Z      log p = x - m - log Z
"""

from __future__ import annotations

import functools
from typing import Any

from pullback.native import mathematics
from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host


class _Row:
    """One row of `count` numbers, in vectors."""

    def __init__(self, f: Function, kind: Type, count: Value) -> None:
        self.f, self.kind, self.count = f, kind, count
        self.lanes = host().lanes(kind)

    def each(self, do: Any, begin: Any = 0) -> None:
        """do(first, mask) for every vector of the row from the one at `begin` on."""
        f, lanes = self.f, self.lanes
        whole = self.count // lanes * lanes
        with f.loop(begin, whole, lanes) as c:
            do(c, None)
        with f.when(whole < self.count):
            do(whole, f.lanes_below(self.count - whole, lanes))

    def folded(self, start: float, value: Any, combine: Any) -> Value:
        """value(first, mask) of every vector, combined; `start` where the row has ended."""
        f = self.f
        wide = self.kind.by(self.lanes)
        total = f.variable(f.constant(start, wide), wide)

        def add(c: Any, mask: Value | None) -> None:
            one = value(c, mask)
            one = one if mask is None else f.select(mask, one, start)
            total.value = combine(total.value, one)

        self.each(add)
        return f.across(total.value, combine)

    def largest(self, x: Value) -> Value:
        """Of four vectors at once, since each waits for the one before."""
        f, lanes, least = self.f, self.lanes, -float("inf")
        found = [f.variable(f.constant(least, self.kind.by(lanes)), self.kind.by(lanes)) for _ in range(4)]

        def add(n: int, c: Any, mask: Value | None) -> None:
            one = x.load(c, lanes, mask)
            found[n].value = f.maximum(found[n].value, one if mask is None else f.select(mask, one, least))

        together = self.count // (4 * lanes) * (4 * lanes)
        with f.loop(0, together, 4 * lanes) as c:
            for n in range(4):
                add(n, c + n * lanes, None)
        self.each(lambda c, mask: add(0, c, mask), together)
        return f.across(functools.reduce(f.maximum, [v.value for v in found]), f.maximum)

    def sum(self, value: Any) -> Value:
        return self.folded(0.0, value, lambda a, b: a + b)

    def exponentials(self, x: Value, most: Value, to: Value) -> Value:
        """exp(x - m), stored; gives their sum."""
        spread = most.splat(self.lanes)

        def one(c: Any, mask: Value | None) -> Value:
            e = mathematics.exp(self.f, x.load(c, self.lanes, mask) - spread)
            to.store(e, c, mask)
            return e

        return self.sum(one)

    def reciprocal(self, by: Value) -> Value:
        """To multiply with: a division of each number takes half as long as its exponential."""
        return (self.f.as_value(1.0, by.type) / by).splat(self.lanes)

    def scaled(self, to: Value, by: Value) -> None:
        """Divides what is stored."""
        spread = self.reciprocal(by)
        self.each(lambda c, mask: to.store(to.load(c, self.lanes, mask) * spread, c, mask))


def softmax(module: Module, kind: Type, logarithm: bool) -> None:
    """Kernel: y = softmax of x, or its logarithm, along rows of `count`. Items are rows."""
    words = {"x": kind.pointer, "y": kind.pointer, "count": I64}
    with module.kernel("softmax", **words) as (f, x, y, count), f.loop(f.begin, f.end) as i:
        row, source, to = _Row(f, kind, count), x.at(i * count), y.at(i * count)
        most = row.largest(source)
        total = row.exponentials(source, most, to)
        if logarithm:
            shift = (most + mathematics.log(f, total)).splat(row.lanes)
            row.each(lambda c, mask: to.store(source.load(c, row.lanes, mask) - shift, c, mask))
        else:
            row.scaled(to, total)


def cross_entropy(module: Module, kind: Type) -> None:
    """Kernel: loss = -sum q log p, and p - q, along rows of `count`. Items are rows."""
    words = dict.fromkeys(("x", "q", "loss", "backprop"), kind.pointer) | {"count": I64}
    with module.kernel("cross_entropy", **words) as (f, x, q, loss, backprop, count), f.loop(f.begin, f.end) as i:
        row, source, labels, to = _Row(f, kind, count), x.at(i * count), q.at(i * count), backprop.at(i * count)
        most = row.largest(source)
        total = row.exponentials(source, most, to)
        shift = (most + mathematics.log(f, total)).splat(row.lanes)

        def weighted(c: Any, mask: Value | None) -> Value:
            return labels.load(c, row.lanes, mask) * (shift - source.load(c, row.lanes, mask))

        loss.store(row.sum(weighted), i)
        by = row.reciprocal(total)

        def difference(c: Any, mask: Value | None) -> None:
            p = to.load(c, row.lanes, mask) * by
            to.store(p - labels.load(c, row.lanes, mask), c, mask)

        row.each(difference)


def sparse_cross_entropy(module: Module, kind: Type, label: Type) -> None:
    """Kernel: loss = -log p[label], and p with 1 taken from there, along rows of `count`. Items are rows. A label
    outside sets `wrong`."""
    words = {"x": kind.pointer, "labels": label.pointer, "loss": kind.pointer, "backprop": kind.pointer}
    words |= {"wrong": I64.pointer, "count": I64}
    with module.kernel("sparse_cross_entropy", **words) as (f, x, labels, loss, backprop, wrong, count):
        with f.loop(f.begin, f.end) as i:
            row, source, to = _Row(f, kind, count), x.at(i * count), backprop.at(i * count)
            chosen = labels.load(i).to(I64)
            inside = (chosen >= 0) & (chosen < count)
            with f.when(~inside):
                f.atomic_store(wrong, 1)
            at = f.select(inside, chosen, 0)
            most = row.largest(source)
            total = row.exponentials(source, most, to)
            loss.store(most + mathematics.log(f, total) - source.load(at), i)
            row.scaled(to, total)
            to.store(to.load(at) - 1, at)
