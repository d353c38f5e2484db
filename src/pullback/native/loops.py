"""Fused loop nests: many elementwise steps, and folds of their results, in one pass over memory.

A Nest says what is computed at one point of an iteration space:

    loads     operands, each with the axes along which it varies; along the others it is repeated
    numbers   constants
    steps     (rule, result kind, arguments): rule(f, *values) emits a value from values
    stores    which values are written, over the whole space
    folds     which values are summed (or their maximum or minimum taken) over all axes, over all but the last, or
              over the last

Rows (all axes but the last) are cut into blocks; along the last axis the work goes in vectors, its end under a mask. A
fold over rows leaves a partial result for each block, which `combine` folds in order: the answer does not hang on who
computed which block.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pullback.native.ir import F32, F64, I1, I8, I32, I64, Function, Module, Type, Value
from pullback.native.machine import host

# How elements of the types that nests compute on lie in registers.
REGISTERS: dict[Any, Type] = {
    np.dtype(np.float32): F32,
    np.dtype(np.float64): F64,
    np.dtype(np.bool_): I1,
    np.dtype(np.int32): I32,
    np.dtype(np.int64): I64,
}
# What a block's beginning and end along a flat space are multiples of.
GRAIN = 64
ALL, ROWS, LAST = "all", "rows", "last"


class Load(NamedTuple):
    """An operand: what memory holds, and whether it varies along each axis."""

    kind: Type
    varies: tuple[bool, ...]


class Step(NamedTuple):
    """rule(f, *values) -> value of this kind. Arguments count loads first, then numbers, then steps."""

    rule: Callable[..., Value]
    kind: Type
    arguments: tuple[int, ...]


class Fold(NamedTuple):
    """The sum, maximum or minimum ("sum", "max", "min") of a value over ALL axes, over ROWS, or over the LAST."""

    how: str
    value: int
    kind: Type
    over: str


class Nest(NamedTuple):
    """See the module. Kinds of loads and stores are those of registers; booleans lie in memory as bytes."""

    axes: int
    loads: tuple[Load, ...]
    numbers: tuple[tuple[Type, float], ...]
    steps: tuple[Step, ...]
    stores: tuple[tuple[int, Type], ...]
    folds: tuple[Fold, ...]


def in_memory(kind: Type) -> Type:
    """How a value of a kind lies in memory."""
    return I8 if kind.scalar == I1 else kind


def identity(how: str, kind: Type) -> float:
    """What leaves a fold as it is."""
    if how == "sum":
        return 0
    least = -math.inf if kind.floating else -(1 << kind.bits - 1)
    greatest = math.inf if kind.floating else (1 << kind.bits - 1) - 1
    return least if how == "max" else greatest


def folded(f: Function, how: str, a: Value, b: Value) -> Value:
    if how == "sum":
        return a + b
    return f.maximum(a, b) if how == "max" else f.minimum(a, b)


class _Writer:
    """Writes the body of one nest."""

    def __init__(self, f: Function, nest: Nest, words: Any, lanes: int) -> None:
        self.f, self.nest, self.lanes = f, nest, lanes
        words = list(words)
        self.sizes = [words.pop(0) for _ in range(nest.axes)]
        self.blocks = words.pop(0)
        self.loads = [words.pop(0) for _ in nest.loads]
        self.stores = [words.pop(0) for _ in nest.stores]
        self.folds = [words.pop(0) for _ in nest.folds]
        self.strides = [self._strides(load) for load in nest.loads]
        self.sums: dict[int, Any] = {}

    def _strides(self, load: Load) -> list[Any]:
        """Elements from one index to the next along each axis; 0 where the operand does not vary."""
        strides: list[Any] = []
        step: Any = 1
        for size, varies in zip(reversed(self.sizes), reversed(load.varies), strict=True):
            strides.append(step if varies else 0)
            step = step * size if varies else step
        return strides[::-1]

    def block(self, b: Value) -> None:
        """Everything that belongs to one block."""
        f, nest = self.f, self.nest
        for i, fold in enumerate(nest.folds):
            if fold.over == ROWS:
                self._clear(i, fold, b)
            elif fold.over == ALL:
                self.sums[i] = self._sum(fold)
        if nest.axes == 1:
            self._row([], 0, *self._flat_range(b))
        else:
            rows = math.prod(self.sizes[1:-1], start=self.sizes[0]) if nest.axes > 2 else self.sizes[0]
            with f.loop(rows * b // self.blocks, rows * (b + 1) // self.blocks) as row:
                self._row(self._indices(row), row * self.sizes[-1], 0, self.sizes[-1], b)
        for i, fold in enumerate(nest.folds):
            if fold.over == ALL:
                self.folds[i].store(self._across(fold, self.sums[i].value), b)

    def _flat_range(self, b: Value) -> tuple[Value, Value]:
        f, n = self.f, self.sizes[0]
        grains = n // GRAIN
        begin = grains * b // self.blocks * GRAIN
        last = (b + 1).equals(self.blocks)
        return begin, f.select(last, n, grains * (b + 1) // self.blocks * GRAIN)

    def _indices(self, row: Value) -> list[Any]:
        """Index along each axis but the last."""
        found: list[Any] = []
        for size in reversed(self.sizes[1:-1]):
            found.append(row % size)
            row = row // size
        return [row, *reversed(found)]

    def _sum(self, fold: Fold) -> Any:
        kind = fold.kind.by(self.lanes)
        return self.f.variable(self.f.constant(identity(fold.how, fold.kind), kind), kind)

    def _across(self, fold: Fold, sums: Value) -> Value:
        return self.f.across(sums, lambda a, b: folded(self.f, fold.how, a, b))

    def _clear(self, i: int, fold: Fold, b: Value) -> None:
        n = self.sizes[-1]
        with self.f.loop(0, n) as c:
            self.folds[i].store(self.f.constant(identity(fold.how, fold.kind), fold.kind), b * n + c)

    def _row(self, indices: list[Any], at: Any, begin: Any, end: Any, b: Any = 0) -> None:
        """One run along the last axis; `at` is where it begins in what is stored."""
        f, lanes = self.f, self.lanes
        places = []
        for pointer, strides in zip(self.loads, self.strides, strict=True):
            offset: Any = 0
            for index, stride in zip(indices, strides, strict=False):
                offset = offset + index * stride if not (type(stride) is int and stride == 0) else offset
            places.append(pointer.at(offset))
        repeated = {i: places[i].load() for i, load in enumerate(self.nest.loads) if not load.varies[-1]}
        for i, fold in enumerate(self.nest.folds):
            if fold.over == LAST:
                self.sums[i] = self._sum(fold)
        whole = begin + (end - begin) // lanes * lanes
        with f.loop(begin, whole, lanes) as c:
            self._point(places, repeated, at + c, c, b, None)
        with f.when(whole < end):
            self._point(places, repeated, at + whole, whole, b, f.lanes_below(end - whole, lanes))
        for i, fold in enumerate(self.nest.folds):
            if fold.over == LAST:
                total = self._across(fold, self.sums[i].value)
                self.folds[i].store(total, at // self.sizes[-1])

    def _point(self, places: Any, repeated: Any, at: Any, c: Any, b: Any, mask: Value | None) -> None:
        """`lanes` points of the space."""
        f, nest, lanes = self.f, self.nest, self.lanes
        values: list[Value] = []
        for i, load in enumerate(nest.loads):
            raw = repeated[i].splat(lanes) if i in repeated else places[i].load(c, lanes, mask)
            values.append(raw.differs(0) if load.kind == I1 else raw)
        values += [f.constant(number, kind.by(lanes)) for kind, number in nest.numbers]
        for step in nest.steps:
            values.append(step.rule(f, *[values[i] for i in step.arguments]))
        for (i, kind), pointer in zip(nest.stores, self.stores, strict=True):
            value = values[i].to(I8) if kind == I1 else values[i]
            pointer.store(value, at, mask)
        for i, fold in enumerate(nest.folds):
            value = values[fold.value]
            if mask is not None:
                value = f.select(mask, value, identity(fold.how, fold.kind))
            if fold.over == ROWS:
                place = self.folds[i].at(b * self.sizes[-1] + c)
                place.store(folded(f, fold.how, place.load(0, lanes, mask), value), 0, mask)
            else:
                self.sums[i].value = folded(f, fold.how, self.sums[i].value, value)


def lanes_of(nest: Nest) -> int:
    """How many points go at a time: two registers of the widest kind that fills them, one where much is computed."""
    kinds = [load.kind for load in nest.loads] + [kind for _, kind in nest.stores] + [f.kind for f in nest.folds]
    bits = max([k.bits for k in kinds if k.bits >= 32], default=32)
    return host().vector // bits * (2 if len(nest.steps) <= 12 else 1)


def fused(module: Module, nest: Nest) -> None:
    """Kernel of a nest; its items are blocks. Words: sizes of the axes, number of blocks, loads, stores, folds."""
    words = {f"n{i}": I64 for i in range(nest.axes)} | {"blocks": I64}
    words |= {f"x{i}": in_memory(load.kind).pointer for i, load in enumerate(nest.loads)}
    words |= {f"y{i}": in_memory(kind).pointer for i, (_, kind) in enumerate(nest.stores)}
    words |= {f"s{i}": fold.kind.pointer for i, fold in enumerate(nest.folds)}
    with module.kernel("fused", **words) as (f, *values):
        writer = _Writer(f, nest, values, lanes_of(nest))
        with f.loop(f.begin, f.end) as b:
            writer.block(b)


def middle(module: Module, how: str, kind: Type) -> None:
    """Kernel: y[a, c] = x[a, b, c] folded over b, divided by `by`. Items are a."""
    lanes = host().lanes(kind)
    words = {"x": kind.pointer, "y": kind.pointer, "rows": I64, "columns": I64, "by": kind}
    with module.kernel("middle", **words) as (f, x, y, rows, columns, by):

        def column(item: Value, c: Any, mask: Value | None) -> None:
            wide = kind.by(lanes)
            total = f.variable(f.constant(identity(how, kind), wide), wide)
            with f.loop(0, rows) as b:
                total.value = folded(f, how, total.value, x.load((item * rows + b) * columns + c, lanes, mask))
            y.store(total.value / by.splat(lanes), item * columns + c, mask)

        with f.loop(f.begin, f.end) as item:
            whole = columns // lanes * lanes
            with f.loop(0, whole, lanes) as c:
                column(item, c, None)
            with f.when(whole < columns):
                column(item, whole, f.lanes_below(columns - whole, lanes))


def combine(module: Module, how: str, kind: Type) -> None:
    """Kernel: y[c] = the partial results x[b, c] of all blocks folded in order, divided by `by`. Items are columns."""
    words = {"x": kind.pointer, "y": kind.pointer, "blocks": I64, "columns": I64, "by": kind}
    with module.kernel("combine", **words) as (f, x, y, blocks, columns, by), f.loop(f.begin, f.end) as c:
        total = f.variable(x.load(c), kind)
        with f.loop(1, blocks) as b:
            total.value = folded(f, how, total.value, x.load(b * columns + c))
        y.store(total.value / by if kind.floating else total.value, c)
