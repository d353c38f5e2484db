"""Rows looked up by index, and rows added up by index."""

from __future__ import annotations

from math import prod
from typing import Any

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host

# Into how many bands the rows of a sum are cut.
BANDS = 16


def lookup(module: Module, kind: Type, at: Type, alone: bool) -> None:
    """Kernel: y[o, j, :] = x[o, at[j], :]. Items are (o, j); `alone`: a row is one number. A place outside
    sets `wrong`."""
    words = {"x": kind.pointer, "at": at.pointer, "y": kind.pointer, "wrong": I64.pointer}
    with module.kernel("lookup", **words, n=I64, count=I64, row=I64) as (f, x, places, y, wrong, n, count, row):
        with f.loop(f.begin, f.end) as item:
            where = places.load(item % count).to(I64)
            inside = (where >= 0) & (where < n)
            with f.when(inside):
                place = item // count * n + where
                if alone:
                    y.store(x.load(place), item)
                else:
                    f.copy(y.at(item * row), x.at(place * row), row)
            with f.when(~inside):
                f.atomic_store(wrong, 1)


def add_rows(module: Module, kind: Type, at: Type) -> None:
    """Kernel: y[s, :] = sum of x[i, :] over all i with at[i] = s, in order; negative ones count nowhere. Items are
    bands of y's rows. A place beyond sets `wrong`."""
    words = {"x": kind.pointer, "at": at.pointer, "y": kind.pointer, "wrong": I64.pointer}
    numbers = dict.fromkeys(("n", "count", "row", "bands"), I64)
    with module.kernel("add_rows", **words, **numbers) as (f, x, places, y, wrong, n, count, row, bands):
        with f.loop(f.begin, f.end) as band:
            first, beyond = n * band // bands, n * (band + 1) // bands
            f.clear(y.at(first * row), (beyond - first) * row)
            with f.loop(0, count) as i:
                where = places.load(i).to(I64)
                with f.when((where >= first) & (where < beyond)):
                    _add(f, y.at(where * row), x.at(i * row), row, host().lanes(kind))
                with f.when((where >= n) & band.equals(0)):
                    f.atomic_store(wrong, 1)


def _add(f: Function, y: Value, x: Value, row: Value, lanes: int) -> None:
    whole = row // lanes * lanes
    with f.loop(0, whole, lanes) as c:
        y.store(y.load(c, lanes) + x.load(c, lanes), c)
    with f.when(whole < row):
        mask = f.lanes_below(row - whole, lanes)
        y.store(y.load(whole, lanes, mask) + x.load(whole, lanes, mask), whole, mask)


def add_lookup(task: Any, x: Any, at: Any, y: Any, kind: Type, axis: int) -> None:
    """Adds the jobs of looking up along an axis."""
    outer, row = prod(x.shape[:axis]), prod(x.shape[axis + 1 :])
    words = [x, at, y, task.checked(), x.shape[axis], max(at.size, 1), row]
    task.job(lookup, (kind, at.kind, row == 1), words, items=outer * at.size if row else 0)


def add_sum(task: Any, x: Any, at: Any, y: Any) -> None:
    """Adds the jobs of adding up rows."""
    n, row = y.shape[0], prod(y.shape[1:])
    bands = max(1, min(BANDS, n))
    words = [x, at, y, task.checked(), n, at.size, row, bands]
    task.job(add_rows, (x.kind, at.kind), words, items=bands, cost=0.3 * x.size + 0.5 * bands * at.size)
