"""Copies between strided arrays: what transposes, slices, splits, joins and paddings come down to."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from pullback.native.ir import I8, I16, I32, I64, Module, Type
from pullback.native.machine import host
from pullback.native.tiles import transposed

KINDS = {1: I8, 2: I16, 4: I32, 8: I64}  # elements are moved as integers of their size
MOST_AXES = 6
MOST_OUTER = 3  # axes beside the two that change places


def move(module: Module, kind: Type, axes: int, runs: bool) -> None:
    """Kernel: y = x over `axes` axes, each array with its own strides; `runs`: the last axis is dense in both. Items
    are indices of the first two axes together."""
    numbers = [f"{what}{i}" for what in ("n", "x", "y") for i in range(axes)]
    names = {"source": kind.pointer, "to": kind.pointer} | dict.fromkeys(numbers, I64)
    with module.kernel("move", **names) as (f, source, to, *rest):
        sizes, xs, ys = rest[:axes], rest[axes : 2 * axes], rest[2 * axes :]

        def along(axis: int, x: Any, y: Any) -> None:
            """The axes from here on."""
            if axis < axes - 1:
                with f.loop(0, sizes[axis]) as i:
                    along(axis + 1, x.at(i * xs[axis]), y.at(i * ys[axis]))
                return
            lanes = host().lanes(kind)
            done: Any = 0
            if runs:
                done = sizes[axis] // lanes * lanes
                with f.loop(0, done, lanes) as i:
                    y.store(x.load(i, lanes), i)
            with f.loop(done, sizes[axis]) as i:
                y.store(x.load(i * xs[axis]), i * ys[axis])

        with f.loop(f.begin, f.end) as item:
            if axes == 1:
                y = to.at(item * ys[0])
                y.store(source.load(item * xs[0]))
            elif axes == 2:
                along(1, source.at(item * xs[0]), to.at(item * ys[0]))
            else:
                i, j = item // sizes[1], item % sizes[1]
                along(2, source.at(i * xs[0] + j * xs[1]), to.at(i * ys[0] + j * ys[1]))


def turn(module: Module, kind: Type, outer: int) -> None:
    """Kernel: y[..., a, b] = x[..., b, a] where a is dense in x and b in y: squares of lanes are turned in registers.
    Items are (index of the `outer` axes, a vector of a)."""
    numbers = ["na", "nb", "xb", "ya", *[f"{what}{i}" for what in ("n", "x", "y") for i in range(outer)]]
    names = {"source": kind.pointer, "to": kind.pointer} | dict.fromkeys(numbers, I64)
    lanes = host().lanes(kind)
    with module.kernel("turn", **names) as (f, source, to, na, nb, xb, ya, *rest):
        sizes, xs, ys = rest[:outer], rest[outer : 2 * outer], rest[2 * outer :]
        vectors = (na + (lanes - 1)) // lanes
        with f.loop(f.begin, f.end) as item:
            index, first = item // vectors, item % vectors * lanes
            x, y = source.at(first), to.at(first * ya)
            for size, dx, dy in reversed(list(zip(sizes, xs, ys, strict=True))):
                x, y, index = x.at(index % size * dx), y.at(index % size * dy), index // size
            count = f.minimum(na - first, lanes)
            whole = nb // lanes * lanes
            with f.when(count.equals(lanes)), f.loop(0, whole, lanes) as b:
                square = [x.load((b + i) * xb, lanes) for i in range(lanes)]
                for i, row in enumerate(transposed(f, square)):
                    y.store(row, b + ya * i)
            done = f.select(count.equals(lanes), whole, 0)
            with f.loop(done, nb) as b:
                with f.loop(0, count) as a:
                    y.store(x.load(b * xb + a), a * ya + b)


def fill(module: Module, kind: Type) -> None:
    """Kernel: y = the number at x. Items are elements."""
    with module.kernel("fill", x=kind.pointer, y=kind.pointer) as (f, x, y):
        number = x.load()
        with f.loop(f.begin, f.end) as i:
            y.store(number, i)


def joined(shape: Sequence[int], xs: Sequence[int], ys: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Sizes and strides with axes that go on from each other in both arrays made one."""
    sizes: list[int] = []
    a: list[int] = []
    b: list[int] = []
    for n, x, y in zip(shape, xs, ys, strict=True):
        if n == 1:
            continue
        if sizes and a[-1] == n * x and b[-1] == n * y:
            sizes[-1], a[-1], b[-1] = sizes[-1] * n, x, y
        else:
            sizes.append(n)
            a.append(x)
            b.append(y)
    return (sizes or [1]), (a or [1]), (b or [1])


def dense(shape: Sequence[int]) -> list[int]:
    """Strides of a row-major array, in elements."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return strides[::-1]


def add_move(
    task: Any, x: Any, y: Any, shape: Sequence[int], xs: Sequence[int], ys: Sequence[int], first: int = 0, to: int = 0
) -> bool:
    """Adds a copy over a shape, from element `first` of x on to element `to` of y on; False where there is none for so
    many axes or such elements."""
    kind = KINDS.get(x.dtype.itemsize)
    sizes, a, b = joined(shape, xs, ys)
    if kind is None or len(sizes) > MOST_AXES:
        return False
    if 0 in shape:
        return True
    if len(sizes) == 1 and a[0] == b[0] == 1 and sizes[0] > 4096:  # one long run: cut it
        for n in (64, 16, 4, 2):
            if sizes[0] % n == 0:
                sizes, a, b = [n, sizes[0] // n], [sizes[0] // n, 1], [sizes[0] // n, 1]
                break
    elif len(sizes) == 1:
        sizes, a, b = [1, *sizes], [0, *a], [0, *b]
    if _add_turn(task, kind, x.part(first) if first else x, y.part(to) if to else y, (sizes, a, b)):
        return True
    axes = len(sizes)
    items = sizes[0] if axes <= 2 else sizes[0] * sizes[1]
    words = [x.part(first) if first else x, y.part(to) if to else y, *sizes, *a, *b]
    total = 1
    for n in sizes:
        total *= n
    task.job(move, (kind, axes, a[-1] == b[-1] == 1), words, items=items, cost=0.4 * total)
    return True


def _add_turn(task: Any, kind: Type, x: Any, y: Any, axes: tuple[list[int], list[int], list[int]]) -> bool:
    """Adds the copy as squares turned round, where one axis is dense in x and another in y."""
    sizes, xs, ys = axes
    lanes = host().lanes(kind)
    if kind.bits < 32 or len(sizes) > MOST_OUTER + 2 or 1 not in xs or 1 not in ys:
        return False
    a, b = xs.index(1), ys.index(1)
    if a == b or sizes[a] < lanes or sizes[b] < lanes:
        return False
    outer = [i for i in range(len(sizes)) if i not in (a, b)]
    numbers = [sizes[a], sizes[b], xs[b], ys[a], *[of[i] for of in (sizes, xs, ys) for i in outer]]
    items = prod(sizes[i] for i in outer) * -(-sizes[a] // lanes)
    task.job(turn, (kind, len(outer)), [x, y, *numbers], items=items, cost=0.2 * prod(sizes))
    return True
