"""Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011) on vectors: every lane is a block of four words at a counter of its
own, so the words are the same however the work is cut."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.native import mathematics
from pullback.native.ir import F32, F64, I32, I64, Function, Module, Type, Value
from pullback.native.machine import host

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW = 0xFFFFFFFF
# Below it ln u is not asked for.
LEAST = float(np.float32(1e-7))
# Blocks that four truncated normals have to themselves: 256 words each.
APART = 256
# Vectors of blocks in an item.
CHUNK = 128


def uniform(module: Module, kind: Type) -> None:
    """Kernel: multiples of 2^-23 (float32, from a word) or 2^-52 (float64, from two, the high one first) in [0, 1).
    Items are runs of blocks. Words: key [1], counter [2: low, high], y, how many."""
    words = {"key": I64.pointer, "counter": I64.pointer, "y": kind.pointer, "count": I64}
    with module.kernel("uniform", **words) as (f, key, counter, y, count):

        def made(drawn: list[Value]) -> list[Value]:
            if kind == F64:
                return [(((drawn[i] & 0xFFFFF) << 32) | drawn[i + 1]).to(F64) * 2.0**-52 for i in (0, 2)]
            return [(word & 0x7FFFFF).to(I32).to(kind) * 2.0**-23 for word in drawn]

        _each(f, key, counter, y, count, made)


def normal(module: Module) -> None:
    """Kernel: float32 draws from N(0, 1), by Box and Muller: r sin, r cos of r = sqrt(-2 ln u) and the angle 2 pi v,
    for two uniforms u >= 1e-7 and v. Items and words as of `uniform`."""
    words = {"key": I64.pointer, "counter": I64.pointer, "y": F32.pointer, "count": I64}
    with module.kernel("normal", **words) as (f, key, counter, y, count):
        _each(f, key, counter, y, count, lambda drawn: _normals(f, drawn))


def _normals(f: Function, drawn: list[Value]) -> list[Value]:
    """Four float32 draws from N(0, 1) of four words; logarithm, sine and cosine are rounded from float64."""
    out: list[Value] = []
    for i in (0, 2):
        u, v = [(word & 0x7FFFFF).to(F64) * 2.0**-23 for word in drawn[i : i + 2]]
        log_u = mathematics.log(f, f.select(u < LEAST, LEAST, u)).to(F32)
        angle = (v * (2.0 * math.pi)).to(F32).to(F64)
        r = f.unary("sqrt", log_u * -2.0)
        out += [r * part.to(F32) for part in mathematics.sine_and_cosine(f, angle)]
    return out


def truncated(module: Module) -> None:
    """Kernel: float32 draws from N(0, 1) within -2 .. 2. Four numbers have `APART` blocks to themselves, of whose draws
    they are the first that fit. Items and words as of `uniform`; lanes are such fours."""
    words = {"key": I64.pointer, "counter": I64.pointer, "y": F32.pointer, "count": I64}
    with module.kernel("truncated", **words) as (f, key, counter, y, count):
        lanes = host().lanes(I64)
        blocks = _Blocks(f, key.load(), (counter.load(), counter.load(1)), lanes)
        drawn, filled = f.buffer(F32, 4 * lanes), f.buffer(I64, lanes)
        with f.loop(f.begin * CHUNK, f.end * CHUNK) as turn:
            first = turn * lanes
            with f.when(first * 4 < count):
                filled.store(f.zero(I64.by(lanes)))
                depth = f.variable(0)
                with f.repeat_while() as go_on:
                    for i, part in enumerate(_normals(f, blocks.at(first * APART + depth.value, APART))):
                        drawn.store(part, i * lanes)
                    with f.loop(0, lanes) as lane:
                        to = (first + lane) * 4
                        _fitting(f, drawn.at(lane), filled.at(lane), y.at(to), count - to)
                    depth.value = depth.value + 1
                    short = filled.load(0, lanes) < 4
                    go_on(short.bits_as(Type(f"i{lanes}", lanes)).differs(0))


def _fitting(f: Function, drawn: Value, filled: Value, y: Value, left: Value) -> None:
    """Appends to a four the draws of one lane that fit."""
    lanes = host().lanes(I64)
    for i in range(4):
        value, have = drawn.load(i * lanes), filled.load()
        with f.when((f.unary("fabs", value) < 2.0) & (have < 4)):
            with f.when(have < left):
                y.store(value, have)
            filled.store(have + 1)


def _each(f: Function, key: Value, counter: Value, y: Value, count: Value, made: Any) -> None:
    """Draws, from vectors of blocks, that `made(words)` gives in vectors: an item's lanes in turn."""
    lanes = host().lanes(I64)
    each = lanes * (4 * 32 // y.element.bits)
    blocks = _Blocks(f, key.load(), (counter.load(), counter.load(1)), lanes)
    with f.loop(f.begin * CHUNK, f.end * CHUNK) as turn:
        at = turn * each
        with f.when(at < count):
            _store(f, made(blocks.at(turn * lanes)), y.at(at), count - at)


def add_draws(task: Any, draws: Any, settings: Any, key: Any, counter: Any, y: Any, cost: float) -> None:
    """Adds the job of `uniform`, `normal` or `truncated`. cost: nanoseconds a number."""
    each = CHUNK * host().lanes(I64) * (4 * 32 // y.kind.bits)
    task.job(draws, settings, [key, counter, y, y.size], items=-(-y.size // each), cost=cost * y.size)


class _Blocks:
    """Writes the rounds."""

    def __init__(self, f: Function, key: Value, counter: tuple[Value, Value], lanes: int) -> None:
        self.f, self.counter, self.lanes = f, counter, lanes
        self.wide = I64.by(lanes)
        k0, k1 = key & LOW, key >> 32
        self.keys = []
        for _ in range(ROUNDS):
            self.keys.append((k0.splat(lanes), k1.splat(lanes)))
            k0, k1 = (k0 + WEYL[0]) & LOW, (k1 + WEYL[1]) & LOW

    def at(self, first: Value, step: int = 1) -> list[Value]:
        """The words of `lanes` blocks from counter + first on, so far apart, each in the low half of 64 bits."""
        f, (begin, above) = self.f, self.counter
        offsets = self.added(first.splat(self.lanes), f.constants(range(0, self.lanes * step, step), I64))
        low = self.added(begin.splat(self.lanes), offsets)
        carry = f.emit(f"icmp ult {self.wide.text} {low.text}, {offsets.text}", Type("i1", 1, self.lanes))
        high = self.added(above.splat(self.lanes), carry.to(I64))
        c0, c1, c2, c3 = low & LOW, low >> 32, high & LOW, high >> 32
        for k0, k1 in self.keys:
            p0, p1 = self.times(c0, MULTIPLIERS[0]), self.times(c2, MULTIPLIERS[1])
            c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & LOW, (p0 >> 32) ^ c3 ^ k1, p0 & LOW
        return [c0, c1, c2, c3]

    def added(self, a: Value, b: Value) -> Value:
        """a + b, which may wrap."""
        return self.f.emit(f"add {self.wide.text} {a.text}, {b.text}", self.wide)

    def times(self, a: Value, by: int) -> Value:
        """The whole product of two numbers of 32 bits."""
        return self.f.emit(f"mul {self.wide.text} {a.text}, {self.f.as_value(by, self.wide).text}", self.wide)


def _store(f: Function, parts: list[Value], y: Value, left: Value) -> None:
    """Interleaves the lanes of the parts and writes as many as are left."""
    width = parts[0].type.lanes
    while len(parts) > 1:
        half = len(parts) // 2
        pairs = [(parts[i], parts[i + half]) for i in range(half)]
        lanes = parts[0].type.lanes
        parts = [f.shuffle(a, b, [i // 2 + lanes * (i % 2) for i in range(2 * lanes)]) for a, b in pairs]
    (whole,) = parts
    total = whole.type.lanes
    for first in range(0, total, width):
        part = f.shuffle(whole, whole, list(range(first, first + width)))
        y.store(part, first, f.lanes_below(left - first, width))
