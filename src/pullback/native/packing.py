"""Filters and matrices laid out for tiles: [block of channels][what is summed over][lanes], filled up with zeros."""

from __future__ import annotations

from typing import Any

from pullback.native.ir import I1, I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.tiles import channel_blocks, transposed

# Of what is summed over, so much is turned at a time; whole vectors of any kind.
CHUNK = 64


def pack(module: Module, kind: Type, vectors: int, last: int) -> None:
    """Kernel: w [taps, channels] -> p [block][taps][lanes], the last block of `last` vectors, filled up with zeros.
    Items are taps; `row` is w's row length, so a group's channels can be part of a row."""
    lanes = host().lanes(kind)
    names = dict.fromkeys(("w", "p"), kind.pointer) | dict.fromkeys(("taps", "channels", "row", "whole"), I64)
    with module.kernel("pack", **names) as (f, w, p, taps, channels, row, whole), f.loop(f.begin, f.end) as t:
        source = w.at(t * row)
        with f.loop(0, whole) as b:
            to = p.at((b * taps + t) * (vectors * lanes))
            for v in range(vectors):
                to.store(source.load(b * (vectors * lanes) + v * lanes, lanes), v * lanes)
        if last:
            done = whole * (vectors * lanes)
            to = p.at(done * taps + t * (last * lanes))
            for v in range(last):
                mask = f.lanes_below(channels - done - v * lanes, lanes)
                to.store(source.load(done + v * lanes, lanes, mask), v * lanes)


def pack_turned(module: Module, kind: Type, vectors: int, last: int) -> None:
    """Kernel: w [KH,KW,c,K] -> p [block of c][tap][K][lanes], the taps of one phase in reverse order.

    Phase (a, b) of strides (s, t) takes taps (a + s i, b + t j), i < TH, j < TW. Items are these taps, for CHUNK of K
    at a time.
    """
    lanes = host().lanes(kind)
    names = ("row", "channels", "makes", "KW", "a", "b", "s", "t", "TH", "TW")
    pointers = {"w": kind.pointer, "p": kind.pointer}
    with module.kernel("pack_turned", **pointers, **dict.fromkeys(names, I64)) as (f, w, p, *rest):
        row, channels, makes, KW, a, b, s, t, TH, TW = rest
        chunks = (makes + CHUNK - 1) // CHUNK
        with f.loop(f.begin, f.end) as share:
            item, k = share // chunks, share % chunks * CHUNK
            ks = k, f.minimum(makes, k + CHUNK)
            i, j = TH - 1 - item // TW, TW - 1 - item % TW
            source = w.at(((a + s * i) * KW + b + t * j) * channels * row)
            whole = channels // (vectors * lanes)
            with f.loop(0, whole) as block:
                to = p.at((block * (TH * TW) + item) * makes * (vectors * lanes))
                turn(f, source, to, block * (vectors * lanes), channels, ks, row, vectors, lanes)
            if last:
                done = whole * (vectors * lanes)
                to = p.at((done * (TH * TW) + item * (last * lanes)) * makes)
                turn(f, source, to, done, channels, ks, row, last, lanes)


def turn(
    f: Function, source: Value, to: Value, first: Any, channels: Any, ks: Any, row: Any, vectors: int, lanes: int
) -> None:
    """to[k][c] = source[first + c][k] for a block of c and k of a range; zeros beyond the channels."""
    begin, makes = ks
    for v in range(vectors):
        inside = first + (v + 1) * lanes <= channels
        with f.loop(begin, makes, lanes) as k:
            whole = (k + lanes <= makes) & f.as_value(inside, I1)
            with f.when(whole):
                square = [source.load((first + (v * lanes + c)) * row + k, lanes) for c in range(lanes)]
                for n, turned in enumerate(transposed(f, square)):
                    to.store(turned, (k + n) * (vectors * lanes) + v * lanes)
            with f.when(~whole):
                square = []
                for c in range(lanes):
                    at = f.as_value(first + (v * lanes + c), I64)
                    left = f.select(at < channels, makes - k, 0)
                    square.append(source.load(at * row + k, lanes, f.lanes_below(left, lanes)))
                for n, turned in enumerate(transposed(f, square)):
                    with f.when(k + n < makes):
                        to.store(turned, (k + n) * (vectors * lanes) + v * lanes)


def clear(module: Module, kind: Type) -> None:
    """Kernel: zeros in y. Items are elements."""
    with module.kernel("clear", y=kind.pointer) as (f, y):
        f.clear(y.at(f.begin), f.end - f.begin)


def widen(module: Module, kind: Type) -> None:
    """Kernel: rows of x with zeros before and behind. Items are rows; the numbers count elements."""
    words = dict.fromkeys(("x", "y"), kind.pointer) | dict.fromkeys(("row", "before", "behind"), I64)
    with module.kernel("widen", **words) as (f, x, y, row, before, behind), f.loop(f.begin, f.end) as i:
        to = y.at(i * (before + row + behind))
        f.clear(to, before)
        f.copy(to.at(before), x.at(i * row), row)
        f.clear(to.at(before + row), behind)


def packed_size(taps: int, channels: int, vectors: int, lanes: int) -> int:
    """Numbers that a packed filter holds."""
    whole, last, _ = channel_blocks(channels, lanes, vectors)
    return taps * (whole * vectors + last) * lanes
