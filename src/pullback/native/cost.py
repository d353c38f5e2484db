"""Which way a convolution goes: estimated cycles, with constants measured on AMD Zen 4. Only ratios count."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

from pullback.core.config import config
from pullback.native.ir import Type
from pullback.native.machine import host
from pullback.native.winograd_filter import block_sizes

# Setting -> taps of the filter -> outputs of the forms of minimal filtering that may be used.
FORMS: dict[str, dict[int, tuple[int, ...]]] = {
    "off": {},
    "f2": {3: (2,)},
    "f4": {3: (4,), 5: (2,)},
    "auto": {3: (4, 2), 5: (2,)},
}
# Channels that "auto" sums in a form of six points at most: beyond it the error comes near 1e-5.
MOST_SUMMED = 2048
# Cycles to transform a vector of a tile's T T squares, per square; more where the tile is copied first, at a border.
TRANSFORM, BORDER = 4.0, 3.0
# Of a byte of the transformed filter: written once, read for each run of tiles.
BYTE = 0.6
# Turns that a tile of products loses at its beginning and end; to the filter it also reads and adds its sums.
LOST, LOST_ADDING = 8, 12
# The part of its best speed that the direct way reaches.
DIRECT = 0.93
# Cycles to add a vector of products to the window it belongs to.
ADD = 10


class Sizes(NamedTuple):
    """A convolution at stride 1 with a filter of taps by taps: N images, P by Q results, C to K channels."""

    N: int
    P: int
    Q: int
    C: int
    K: int
    taps: int


def direct(kind: Type, numbers: int, columns: int, turns: float) -> float:
    """Every product: `numbers` results in channels of so many; each sums `turns` products; in rows of `columns`."""
    return numbers * -(-columns // host().lanes(kind)) * turns / DIRECT


def scattered(kind: Type, pixels: int, kernel: tuple[int, int], C: int, K: int) -> float:
    """To an input of few channels, by way of what each pixel gives to its window; see scattering.py."""
    lanes, (KH, KW) = host().lanes(kind), kernel
    return pixels * (K * -(-KH * KW * C // lanes) + ADD * KH * -(-KW * C // lanes))


def outputs_of(kind: Type, at: Sizes, to_filter: bool = False, rival: float = inf) -> int:
    """m of the form F(m, taps) to use, of `config.winograd`; 0 is none. rival: the cost of another way."""
    forms = FORMS[config.winograd].get(at.taps, ())
    if not forms or not at.N * at.P * at.Q * at.C * at.K:
        return 0
    if config.winograd != "auto":
        return forms[0]
    short = min(1.0, at.Q / 4)
    costs = {0: min(rival, direct(kind, at.N * at.P * at.Q, at.K, at.taps**2 * at.C) / short)}
    estimate: Any = _to_filter if to_filter else _across
    for outputs in forms:
        if to_filter or at.C <= MOST_SUMMED or outputs + at.taps < 7:
            costs[outputs] = estimate(at, outputs, kind, host().lanes(kind))
    return min(costs, key=lambda m: costs[m])


def _tiles(at: Sizes, outputs: int) -> tuple[int, float]:
    """How many, and what part of them hangs over at a side."""
    down, across = -(-at.P // outputs), -(-at.Q // outputs)
    inner = max(0, down - 2) * max(0, across - 2)
    return at.N * down * across, 1 - inner / (down * across)


def _across(at: Sizes, outputs: int, kind: Type, lanes: int) -> float:
    """Forward and to the input."""
    tiles, border = _tiles(at, outputs)
    squares = (outputs + at.taps - 1) ** 2
    inputs, makes = -(-at.C // lanes), -(-at.K // lanes)
    products = tiles * squares * (at.C + LOST) * makes
    transforms = tiles * squares * TRANSFORM * (inputs * (1 + BORDER * border) + makes)
    return products + transforms + squares * at.C * makes * lanes * kind.bytes * BYTE


def _to_filter(at: Sizes, outputs: int, kind: Type, lanes: int) -> float:
    tiles, border = _tiles(at, outputs)
    squares = (outputs + at.taps - 1) ** 2
    inputs, makes = -(-at.C // lanes), -(-at.K // lanes)
    some, most, many, shares = block_sizes(kind, at.C, at.K, tiles, squares)
    products = tiles * squares * at.C * makes * (1 + LOST_ADDING / many)
    again = inputs * -(-at.K // most), makes * -(-at.C // some)
    transforms = tiles * squares * TRANSFORM * (again[0] * (1 + BORDER * border) + again[1])
    return products + transforms + squares * at.C * makes * lanes * kind.bytes * BYTE * shares
