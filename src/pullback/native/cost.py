"""Which way a convolution goes: estimated cycles, with constants measured on AMD Zen 4. Only ratios count."""

from __future__ import annotations

import math
from math import inf, prod
from typing import Any, NamedTuple

from pullback.core.config import config
from pullback.native.across import fits, holds
from pullback.native.ir import Type
from pullback.native.machine import host
from pullback.native.winograd_deep import ITEMS, cut
from pullback.native.winograd_deep_filter import RUN, sizes
from pullback.native.winograd_filter import block_sizes
from pullback.native.winograd_tiles import grid

# Setting -> (taps of the filter, stride) -> outputs of the forms of minimal filtering that may be used.
FORMS: dict[str, dict[tuple[int, int], tuple[int, ...]]] = {
    "off": {},
    "f2": {(3, 1): (2,), (3, 2): (2,), (5, 2): (2,)},
    "f4": {(3, 1): (4,), (5, 1): (2,), (3, 2): (2,), (5, 2): (2,)},
    "auto": {(3, 1): (4, 2), (5, 1): (2,), (3, 2): (2,), (5, 2): (2,)},
}
# Channels that "auto" sums in a form of six points at most: beyond it the error comes near 1e-5.
SIX, MOST_SUMMED = 6, 2048
# Cycles to transform a vector of a tile's T T squares, per square; more where the tile is copied first, at a border.
TRANSFORM, BORDER = 4.0, 3.0
# Of a byte of the transformed filter: written once, read for each run of tiles.
BYTE = 0.6
# The deep way: cycles to transform a vector of the filter, per square; to read a number of the transformed tiles from
# the last cache, and from beyond it; bytes of that cache that may be counted on.
BLOCK, READ, FAR, LAST = 6.0, 0.5, 1.5, 16 << 20
# Turns that a tile of products loses at its beginning and end; to the filter it also reads and adds its sums.
LOST, LOST_ADDING = 8, 12
# The part of its best speed that the direct way reaches.
DIRECT = 0.93
# Cycles of a product whose lanes are summed: with the weights in registers, with weights read again; to sum the lanes.
HELD, READ_AGAIN, FOLD = 1.05, 1.6, 4
# Cycles to add a vector of products to the window it belongs to.
ADD = 10


class Sizes(NamedTuple):
    """A convolution with a filter of taps by taps: N images, P by Q results, C to K channels. To the input at a stride
    P by Q are its runs of stride by stride pixels, for each of which C are read and K written."""

    N: int
    P: int
    Q: int
    C: int
    K: int
    taps: int
    stride: int = 1

    def squares(self, outputs: int) -> int:
        """Products of a tile of so many results, for two channels."""
        return ((outputs - 1) * self.stride + self.taps) ** 2


def setting(kind: Type) -> str:
    """`config.winograd` for a type. In float64, which is taken to be exact, "auto" is the definition: what hangs on
    nothing but zeros is zero."""
    return "off" if config.winograd == "auto" and kind.bytes == 8 else config.winograd


def by_rows(kind: Type) -> bool:
    """Whether minimal filtering along rows with six points may be used."""
    return setting(kind) in ("f4", "auto")


def direct(kind: Type, numbers: int, columns: int, turns: float) -> float:
    """Every product: `numbers` results in channels of so many; each sums `turns` products; in rows of `columns`."""
    return numbers * -(-columns // host().lanes(kind)) * turns / DIRECT


def scattered(kind: Type, pixels: int, kernel: tuple[int, int], C: int, K: int) -> float:
    """To an input of few channels, by way of what each pixel gives to its window; see scattering.py."""
    lanes, (KH, KW) = host().lanes(kind), kernel
    return pixels * (K * -(-KH * KW * C // lanes) + ADD * KH * -(-KW * C // lanes))


def paired(kind: Type, kernel: tuple[int, int], op: Any) -> bool:
    """Whether rows may go by twos in F(2,3)."""
    return setting(kind) != "off" and (kernel[0], op.strides[0], op.dilations[0]) == (3, 1, 1)


def crossed(kind: Type, pixels: int, kernel: tuple[int, int], C: int, K: int, by_two: bool) -> float:
    """A convolution to K channels, few, whose lanes run along C; see across.py."""
    if not fits(K):
        return inf
    each = HELD if holds(K, kernel[1]) else READ_AGAIN
    products = prod(kernel) * K * -(-C // host().lanes(kind)) * each
    return pixels * (products * 2 / 3 + FOLD * K * 2 if by_two else products + FOLD * K)


def outputs_of(kind: Type, at: Sizes, to_filter: bool = False, rival: float = inf) -> int:
    """m of the form F(m, taps) to use, of `config.winograd`; 0 is none. rival: the cost of another way."""
    forms = FORMS[setting(kind)].get((at.taps, at.stride), ())
    if not forms or not at.N * at.P * at.Q * at.C * at.K:
        return 0
    if config.winograd != "auto":
        return forms[0]
    short = min(1.0, at.Q / 4)
    costs = {0: min(rival, direct(kind, at.N * at.P * at.Q, at.K, at.taps**2 * at.C) / short)}
    for outputs in forms:
        if to_filter or at.C <= MOST_SUMMED or at.squares(outputs) < SIX**2:
            costs[outputs] = min(_ways(kind, at, outputs, to_filter))
    return min(costs, key=lambda m: costs[m])


def deep(kind: Type, at: Sizes, outputs: int, to_filter: bool = False) -> bool:
    """Whether transformed tiles are kept rather than the filter; see winograd_deep.py, winograd_deep_filter.py."""
    passing, kept = _ways(kind, at, outputs, to_filter)
    return kept < passing


class _Work(NamedTuple):
    """What minimal filtering does. squares: products of a tile for two channels, of which `points` of all tiles are
    needed. inputs, makes: vectors of C and K. again: part of the tiles' squares that hang over, for what that costs."""

    tiles: int
    squares: int
    points: int
    inputs: int
    makes: int
    again: float


def _ways(kind: Type, at: Sizes, outputs: int, to_filter: bool) -> tuple[float, float]:
    """Cycles of the two ways: the transformed filter is kept, or the tiles are."""
    of, size, lanes = grid(at.N, at.P, at.Q, outputs, at.stride), math.isqrt(at.squares(outputs)), host().lanes(kind)
    down, over = of.down * size + of.less_down * (size - 1), of.over * size + of.less_over * (size - 1)
    inner = max(0, of.down + of.less_down - 2) * max(0, of.over + of.less_over - 2)
    again = BORDER * (1 - inner * at.N / of.tiles)
    work = _Work(of.tiles, size**2, at.N * down * over, -(-at.C // lanes), -(-at.K // lanes), again)
    if to_filter:
        return _to_filter(kind, at, work), _deep_filter(kind, at, work)
    return _across(kind, at, work), _deep(kind, at, work)


def _across(kind: Type, at: Sizes, work: _Work) -> float:
    """Forward and to the input, the tiles passing by."""
    products = work.points * (at.C + LOST) * work.makes
    transforms = work.tiles * work.squares * TRANSFORM * (work.inputs * (1 + work.again) + work.makes)
    return products + transforms + work.squares * at.C * work.makes * host().vector // 8 * BYTE


def _deep(kind: Type, at: Sizes, work: _Work) -> float:
    """Forward and to the input, the filter passing by."""
    block, groups = cut(kind, at.K, work.tiles, work.squares)
    blocks = -(-work.makes // block.vectors)
    if groups * blocks < ITEMS:
        return inf
    products = work.points * (at.C + LOST * math.ceil(at.C / 100)) * work.makes
    transforms = work.tiles * work.squares * TRANSFORM * (work.inputs * (1 + work.again) + work.makes)
    read = work.points * at.C * blocks * (READ if work.points * at.C * kind.bytes < LAST else FAR)
    return products + transforms + read + groups * work.squares * at.C * work.makes * BLOCK


def _to_filter(kind: Type, at: Sizes, work: _Work) -> float:
    """To the filter, runs of tiles passing by."""
    some, most, many, shares = block_sizes(kind, at.C, at.K, work.tiles, work.squares)
    products = work.tiles * work.squares * at.C * work.makes * (1 + LOST_ADDING / many)
    again = work.inputs * -(-at.K // most), work.makes * -(-at.C // some)
    transforms = work.tiles * work.squares * TRANSFORM * (again[0] * (1 + work.again) + again[1])
    return products + transforms + work.squares * at.C * work.makes * host().vector // 8 * BYTE * shares


def _deep_filter(kind: Type, at: Sizes, work: _Work) -> float:
    """To the filter, all tiles kept."""
    some, most = sizes(kind, at.C, at.K, work.squares)
    blocks = -(-at.C // some), -(-at.K // most)
    if blocks[0] * blocks[1] < ITEMS:
        return inf
    products = (work.points + work.squares * LOST_ADDING * -(-work.tiles // RUN)) * at.C * work.makes
    transforms = work.tiles * work.squares * TRANSFORM * (work.inputs + work.makes) * (1 + work.again)
    each = READ if work.points * (at.C + at.K) * kind.bytes < LAST else FAR
    return products + transforms + work.points * (at.C * blocks[1] + at.K * blocks[0]) * each
