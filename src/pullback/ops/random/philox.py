"""Philox4x32-10, and the draws TensorFlow makes of it.

    key (64 bit)  ----+
                      v
    counter     -> ten rounds -> w0 w1 w2 w3
    counter + 1 -> ten rounds -> w4 w5 w6 w7        every block stands alone
    ...

A draw is a pure function of (key, counter): the words are the same in whatever order, and by however many
threads, they are made. Word order and conversions are TensorFlow's, so its seeds give its numbers.
The conversions take low bits of a word; all 32 are equally good.

Sources: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, for the generator;
Box & Muller 1958 for the normals; TensorFlow's `random_distributions.h` for which word becomes what.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, DTypeError

Words = NDArray[np.uint32]

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LOW32 = 0xFFFFFFFF
_LOW64 = 0xFFFFFFFFFFFFFFFF
# Blocks made at a time: the ten rounds' temporaries then stay in a second-level cache.
_AT_A_TIME = 1 << 13
# Draws made at a time; a multiple of what one block gives.
_PIECE = 1 << 18
_MANTISSA_BITS = {"bfloat16": 7, "float16": 10, "float32": 23, "float64": 52}
# Below it log(u) is not asked for. TensorFlow uses the same for float64.
_LEAST_UNIFORM = 1e-7
_TRUNCATED_AT = 2.0
# TensorFlow sets 256 words aside for each truncated normal, so that every group of them starts at a known block.
_WORDS_PER_TRUNCATED = 256
# The fixed key that TensorFlow scrambles the seeds of its stateless ops with.
_SCRAMBLE_KEY = 0x02461E29_3EC8F720


def words(key: int, counter: int, count: int) -> Words:
    """The first `count` words of a stream.

    Args:
      key: 64 bits; its low half is the paper's k0.
      counter: 128 bits, the first block's; its low quarter is the paper's c0. It wraps.
      count: how many words; four come from each block.
    Returns:
      uint32 [count].
    """
    made = np.empty((-(-count // 4), 4), np.uint32)
    for start in range(0, len(made), _AT_A_TIME):
        part = made[start : start + _AT_A_TIME]
        part[...] = blocks(key, counter, np.arange(start, start + len(part), dtype=np.uint64))
    return made.reshape(-1)[:count]


def blocks(key: int, counter: int, offsets: NDArray[np.uint64]) -> Words:
    """The blocks at counter + offsets, in any order.

    Args:
      key, counter: as in `words`.
      offsets: uint64 [B], in blocks.
    Returns:
      uint32 [B, 4].
    """
    low = offsets + np.uint64(counter & _LOW64)
    high = np.uint64(counter >> 64 & _LOW64) + (low < offsets).astype(np.uint64)
    c0, c1, c2, c3 = low & _LOW32, low >> 32, high & _LOW32, high >> 32
    k0, k1 = key & _LOW32, key >> 32 & _LOW32
    for _ in range(_ROUNDS):
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1 = (p1 >> 32) ^ c1 ^ k0, p1 & _LOW32
        c2, c3 = (p0 >> 32) ^ c3 ^ k1, p0 & _LOW32
        k0, k1 = (k0 + _WEYL[0]) & _LOW32, (k1 + _WEYL[1]) & _LOW32
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def from_seeds(seed: int, seed2: int) -> tuple[int, int]:
    """(key, counter) at which TensorFlow's stateful ops start for a graph seed and an op seed."""
    return seed & _LOW64, (seed2 & _LOW64) << 64


def scrambled(seed: int, seed2: int) -> tuple[int, int]:
    """(key, counter) of TensorFlow's stateless ops for `seed=[seed, seed2]`: one block makes weak seeds strong."""
    weak = (seed2 & _LOW64) << 64 | seed & _LOW64
    m0, m1, m2, m3 = (int(word) for word in words(_SCRAMBLE_KEY, weak, 4))
    return m1 << 32 | m0, (m3 << 32 | m2) << 64


def uniform(key: int, counter: int, shape: Sequence[int], dtype: DType | Any = "float32") -> NDArray[Any]:
    """Equally likely multiples of 2^-b in [0, 1), b the mantissa's bits: 7, 10, 23 or 52.

        u = (w mod 2^b) / 2^b               bfloat16, float16, float32
        u = (w0 mod 2^20, w1) / 2^52        float64, from two words, the high one first

    This is TensorFlow's "random mantissa under the exponent of 1, minus 1": exact in each type.

    Raises:
      DTypeError: dtype is not real.
    """
    out = _real(dtype)
    each = _words_each(out)

    def piece(first: int, count: int) -> NDArray[Any]:
        return _unit(words(key, counter + first * each // 4, count * each), out)

    return _in_pieces(piece, shape, out)


def normal(key: int, counter: int, shape: Sequence[int], dtype: DType | Any = "float32") -> NDArray[Any]:
    """Draws from N(0, 1), by Box and Muller in pairs: r = sqrt(-2 ln u), then (r sin 2 pi v, r cos 2 pi v).

    u and v are neighbours in the stream, u at least 1e-7, so no draw is beyond 5.68. float16 and bfloat16 are
    rounded from float32.

    Raises:
      DTypeError: dtype is not real.
    """
    out = _real(dtype)
    each = _words_each(out)

    def piece(first: int, count: int) -> NDArray[Any]:
        pairs = -(-count // 2)
        return _box_muller(words(key, counter + first * each // 4, 2 * pairs * each), out)[:count]

    return _in_pieces(piece, shape, out)


def truncated_normal(key: int, counter: int, shape: Sequence[int], dtype: DType | Any = "float32") -> NDArray[Any]:
    """Draws from N(0, 1), those at 2 or beyond drawn again.

    A block's worth of outputs is a group, and each group has 256 words an output to itself, of which it takes
    the first normals that fit. Where one output lies hangs on no other group. float16 and bfloat16 are rounded
    after the test, so they may be 2.

    Raises:
      DTypeError: dtype is not real.
    """
    out = _real(dtype)
    blocks_each = _WORDS_PER_TRUNCATED // 4

    def piece(first: int, count: int) -> NDArray[Any]:
        return _truncated(key, counter + first * blocks_each, count, out)

    return _in_pieces(piece, shape, out)


def _truncated(key: int, counter: int, count: int, out: DType) -> NDArray[Any]:
    size = 4 // _words_each(out)
    groups = -(-count // size)
    first = np.arange(groups, dtype=np.uint64) * np.uint64(size * _WORDS_PER_TRUNCATED // 4)
    values = np.zeros((groups, size), np.float64 if size == 2 else np.float32)
    filled = np.zeros(groups, np.intp)
    depth = 0
    while (open_ := np.flatnonzero(filled < size)).size:
        drawn = _box_muller(blocks(key, counter, first[open_] + np.uint64(depth)).reshape(-1), out)
        for column in drawn.reshape(-1, size).T:
            fits = (np.abs(column) < _TRUNCATED_AT) & (filled[open_] < size)
            rows = open_[fits]
            values[rows, filled[rows]] = column[fits]
            filled[rows] += 1
        depth += 1
    return values.reshape(-1)[:count]


def integers(
    key: int, counter: int, shape: Sequence[int], low: int, high: int, dtype: DType | Any = "int32"
) -> NDArray[Any]:
    """Integers in [low, high): low + w mod (high - low), w of 32 bits, for 64-bit types of 64 (low word first).

    Small numbers are the likelier ones by (high - low) / 2^32 at most, as in TensorFlow.

    Raises:
      ArgumentError: no integer of the type lies in [low, high).
      DTypeError: dtype is not an integer type.
    """
    out = _integer(dtype)
    if not out.min <= low < high <= int(out.max) + 1:
        raise ArgumentError(
            f"random integers: [low, high) is [{low}, {high}), which holds no {out.name} or reaches beyond it; "
            f"low must be below high, and both between {out.min} and {int(out.max) + 1}"
        )
    drawn = _integer_words(key, counter, math.prod(shape), out)
    if high - low < 1 << 8 * drawn.itemsize:
        drawn %= drawn.dtype.type(high - low)
    # Unsigned sums wrap, so the right value comes out even where high - low does not fit the signed type.
    return (drawn + drawn.dtype.type(low & int(np.iinfo(drawn.dtype).max))).astype(out.numpy).reshape(shape)


def bits(key: int, counter: int, shape: Sequence[int], dtype: DType | Any = "int32") -> NDArray[Any]:
    """Integers over the type's whole range: the stream's bits as they are.

    Raises:
      DTypeError: dtype is not an integer type.
    """
    out = _integer(dtype)
    return _integer_words(key, counter, math.prod(shape), out).astype(out.numpy).reshape(shape)


def _in_pieces(piece: Callable[[int, int], NDArray[Any]], shape: Sequence[int], out: DType) -> NDArray[Any]:
    """The draws of a shape, made some at a time so that what they are made of never fills the memory."""
    made = np.empty(math.prod(shape), out.numpy)
    for first in range(0, made.size, _PIECE):
        made[first : first + _PIECE] = piece(first, min(_PIECE, made.size - first))
    return made.reshape(shape)


def _real(dtype: DType | Any) -> DType:
    out = as_dtype(dtype)
    if not out.is_floating:
        raise DTypeError(f"random draws of {out.name}: the type must be one of {', '.join(_MANTISSA_BITS)}")
    return out


def _integer(dtype: DType | Any) -> DType:
    out = as_dtype(dtype)
    if not out.is_integer:
        raise DTypeError(f"random integers of {out.name}: the type must be an integer type, as int32")
    return out


def _words_each(out: DType) -> int:
    """Words that one uniform, integer or normal of this type is made of."""
    return 2 if out.size == 8 else 1


def _integer_words(key: int, counter: int, count: int, out: DType) -> NDArray[Any]:
    """uint32 or uint64 [count], as the type needs."""
    drawn = words(key, counter, count * _words_each(out))
    if _words_each(out) == 1:
        return drawn
    wide = drawn.astype(np.uint64)
    return wide[0::2] | wide[1::2] << np.uint64(32)


def _unit(drawn: Words, out: DType) -> NDArray[Any]:
    """[0, 1) from words; float64 for float64, float32 for the rest, where every value is exact."""
    b = _MANTISSA_BITS[out.name]
    if b == 52:
        wide = drawn.astype(np.uint64)
        return ((wide[0::2] & 0xFFFFF) << np.uint64(32) | wide[1::2]).astype(np.float64) * 2.0**-52
    return (drawn & np.uint32((1 << b) - 1)).astype(np.float32) * np.float32(2.0**-b)


def _box_muller(drawn: Words, out: DType) -> NDArray[Any]:
    """Normals from an even number of uniforms' words; float64 for float64, float32 for the rest.

    float32 is worked in float64 and rounded where TensorFlow rounds, so that log, sin and cos are those of a good
    float32 library to the last bit or the one before it, on every machine alike.
    """
    real = np.float64 if out.name == "float64" else np.float32
    uniforms = _unit(drawn, out if real is np.float64 else as_dtype("float32")).reshape(-1, 2)
    u, v = np.maximum(uniforms[:, 0], real(_LEAST_UNIFORM)), uniforms[:, 1]
    log_u = np.log(u.astype(np.float64)).astype(real)
    angle = (2.0 * np.pi * v.astype(np.float64)).astype(real).astype(np.float64)
    r = np.sqrt(real(-2.0) * log_u)
    pair = [r * np.sin(angle).astype(real), r * np.cos(angle).astype(real)]
    return np.stack(pair, axis=-1).reshape(-1)
