"""FarmHash's 64-bit fingerprint, by which saved models say that their files belong together.

Short inputs (up to 16, 32, 64 bytes) have formulas of their own; longer ones go through a state of 56 bytes, 64 bytes
of input a step (Pike and Alakuijala, FarmHash 1.1, `farmhashna::Hash64`).
"""

from __future__ import annotations

import struct

_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_MASK = (1 << 64) - 1
_SEED = 81


def fingerprint64(data: bytes) -> int:
    """The fingerprint: the same on every machine, for good."""
    size = len(data)
    if size <= 16:
        return _up_to_16(data)
    if size <= 32:
        return _up_to_32(data)
    return _up_to_64(data) if size <= 64 else _long(data)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _half(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _rotated(value: int, by: int) -> int:
    value &= _MASK
    return (value >> by | value << (64 - by)) & _MASK


def _mixed(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _joined(u: int, v: int, factor: int) -> int:
    a = _mixed(((u ^ v) & _MASK) * factor)
    return _mixed((v ^ a) * factor) * factor & _MASK


def _up_to_16(data: bytes) -> int:
    size = len(data)
    if size >= 8:
        factor = _K2 + 2 * size
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        c, d = _rotated(b, 37) * factor + a, (_rotated(a, 25) + b) * factor
        return _joined(c & _MASK, d & _MASK, factor)
    if size >= 4:
        return _joined(size + (_half(data, 0) << 3), _half(data, size - 4), _K2 + 2 * size)
    if size:
        y, z = data[0] + (data[size >> 1] << 8), size + (data[size - 1] << 2)
        return _mixed(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _up_to_32(data: bytes) -> int:
    size = len(data)
    factor = _K2 + 2 * size
    a, b = _word(data, 0) * _K1 & _MASK, _word(data, 8)
    c, d = _word(data, size - 8) * factor & _MASK, _word(data, size - 16) * _K2 & _MASK
    return _joined((_rotated(a + b, 43) + _rotated(c, 30) + d) & _MASK, (a + _rotated(b + _K2, 18) + c) & _MASK, factor)


def _up_to_64(data: bytes) -> int:
    size = len(data)
    factor = _K2 + 2 * size
    a, b = _word(data, 0) * _K2 & _MASK, _word(data, 8)
    c, d = _word(data, size - 8) * factor & _MASK, _word(data, size - 16) * _K2 & _MASK
    y = (_rotated(a + b, 43) + _rotated(c, 30) + d) & _MASK
    z = _joined(y, (a + _rotated(b + _K2, 18) + c) & _MASK, factor)
    e, f = _word(data, 16) * factor & _MASK, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor & _MASK, (z + _word(data, size - 24)) * factor & _MASK
    return _joined((_rotated(e + f, 43) + _rotated(g, 30) + h) & _MASK, (e + _rotated(f + a, 18) + g) & _MASK, factor)


def _weak(words: tuple[int, ...], a: int, b: int) -> tuple[int, int]:
    """Two words of state and 32 bytes of input."""
    w, x, y, z = words
    a += w
    b = _rotated(b + a + z, 21)
    c = a
    a += x + y
    b += _rotated(a, 44)
    return (a + z) & _MASK, (b + c) & _MASK


def _long(data: bytes) -> int:
    x = _SEED
    y = _SEED * _K1 + 113 & _MASK
    z = _mixed(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _word(data, 0)) & _MASK
    end = (len(data) - 1) // 64 * 64
    for words in struct.iter_unpack("<8Q", data[:end]):
        x = _rotated(x + y + v[0] + words[1], 37) * _K1 & _MASK
        y = _rotated(y + v[1] + words[6], 42) * _K1 & _MASK
        x ^= w[1]
        y = (y + v[0] + words[5]) & _MASK
        z = _rotated(z + w[0], 33) * _K1 & _MASK
        v = _weak(words[:4], v[1] * _K1, x + w[0])
        w = _weak(words[4:], z + w[1], y + words[2])
        z, x = x, z
    factor = _K1 + ((z & 0xFF) << 1)
    words = struct.unpack("<8Q", data[-64:])
    w = (w[0] + ((len(data) - 1) & 63) & _MASK, w[1])
    v = (v[0] + w[0] & _MASK, v[1])
    w = (w[0] + v[0] & _MASK, w[1])
    x = _rotated(x + y + v[0] + words[1], 37) * factor & _MASK
    y = _rotated(y + v[1] + words[6], 42) * factor & _MASK
    x ^= w[1] * 9 & _MASK
    y = (y + v[0] * 9 + words[5]) & _MASK
    z = _rotated(z + w[0], 33) * factor & _MASK
    v = _weak(words[:4], v[1] * factor, x + w[0])
    w = _weak(words[4:], z + w[1], y + words[2])
    z, x = x, z
    return _joined(
        (_joined(v[0], w[0], factor) + _mixed(y) * _K0 + z) & _MASK, (_joined(v[1], w[1], factor) + x) & _MASK, factor
    )
