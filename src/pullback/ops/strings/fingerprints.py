"""64-bit hashes of strings that never change: bucket numbers computed years ago, or elsewhere, are computed again.

    farmhash64   of bytes: FarmHash's Fingerprint64                     strings.to_hash_bucket_fast
    siphash24    of bytes and a secret key                              strings.to_hash_bucket_strong
    murmur64     of bytes: MurmurHash64A with TensorFlow's seed         strings.to_hash_bucket
    joined       of two hashes, in order                                sparse.cross_hashed

Sources: Pike and Alakuijala, FarmHash (2014; hash64 of the "na" family); Aumasson and Bernstein, SipHash (2012);
Appleby, MurmurHash64A. All arithmetic is modulo 2**64.
"""

from __future__ import annotations

import struct

_WHOLE = (1 << 64) - 1
# FarmHash's primes, and Murmur's multiplier.
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_MURMUR = 0xC6A4A7935BD1E995
# The seed TensorFlow gives Murmur, and the key of crossed hashes where none is given.
SEED = 0xDECAFCAFFE


def _at(s: bytes, i: int) -> int:
    """The 8 bytes from i as a number, the least significant first."""
    return int.from_bytes(s[i : i + 8], "little")


def _turned(x: int, by: int) -> int:
    """x rotated to the right."""
    x &= _WHOLE
    return (x >> by | x << (64 - by)) & _WHOLE


def _mixed(x: int) -> int:
    x &= _WHOLE
    return x ^ x >> 47


def _pair(u: int, v: int, mul: int) -> int:
    """Two words hashed to one."""
    a = _mixed((u ^ v) * mul)
    b = _mixed(((v ^ a) & _WHOLE) * mul)
    return b * mul & _WHOLE


def farmhash64(s: bytes) -> int:
    """FarmHash's Fingerprint64. Short strings have formulas of their own."""
    n = len(s)
    if n <= 16:
        return _upto_16(s, n)
    mul = _K2 + 2 * n
    if n <= 32:
        a, b = _at(s, 0) * _K1, _at(s, 8)
        c, d = _at(s, n - 8) * mul, _at(s, n - 16) * _K2
        return _pair((_turned(a + b, 43) + _turned(c, 30) + d) & _WHOLE, (a + _turned(b + _K2, 18) + c) & _WHOLE, mul)
    return _upto_64(s, n, mul) if n <= 64 else _long(s, n)


def _upto_16(s: bytes, n: int) -> int:
    mul = _K2 + 2 * n
    if n >= 8:
        a, b = (_at(s, 0) + _K2) & _WHOLE, _at(s, n - 8)
        return _pair((_turned(b, 37) * mul + a) & _WHOLE, (_turned(a, 25) + b) * mul & _WHOLE, mul)
    if n >= 4:
        first, last = (int.from_bytes(s[i : i + 4], "little") for i in (0, n - 4))
        return _pair(n + (first << 3), last, mul)
    if not n:
        return _K2
    y, z = s[0] + (s[n >> 1] << 8), n + (s[n - 1] << 2)
    return _mixed(y * _K2 & _WHOLE ^ z * _K0 & _WHOLE) * _K2 & _WHOLE


def _upto_64(s: bytes, n: int, mul: int) -> int:
    a, b = _at(s, 0) * _K2, _at(s, 8)
    c, d = _at(s, n - 8) * mul, _at(s, n - 16) * _K2
    y = (_turned(a + b, 43) + _turned(c, 30) + d) & _WHOLE
    z = _pair(y, (a + _turned(b + _K2, 18) + c) & _WHOLE, mul)
    e, f = _at(s, 16) * mul, _at(s, 24)
    g, h = (y + _at(s, n - 32)) * mul, (z + _at(s, n - 24)) * mul
    return _pair((_turned(e + f, 43) + _turned(g, 30) + h) & _WHOLE, (e + _turned(f + a, 18) + g) & _WHOLE, mul)


def _rolled(s: bytes, i: int, a: int, b: int) -> tuple[int, int]:
    """32 bytes from i taken into the state (a, b)."""
    w, x, y, z = struct.unpack_from("<4Q", s, i)
    a += w
    b = _turned(b + a + z, 21)
    c = a
    a += x + y
    return (a + z) & _WHOLE, (b + _turned(a, 44) + c) & _WHOLE


def _long(s: bytes, n: int) -> int:
    """Blocks of 64 bytes, the last one overlapping, into 7 words of state."""
    x = (81 * _K2 + _at(s, 0)) & _WHOLE
    y = (81 * _K1 + 113) & _WHOLE
    z = _mixed(y * _K2 + 113) * _K2 & _WHOLE
    v, w = (0, 0), (0, 0)
    for i in range(0, (n - 1) // 64 * 64, 64):
        x = _turned(x + y + v[0] + _at(s, i + 8), 37) * _K1 & _WHOLE
        y = _turned(y + v[1] + _at(s, i + 48), 42) * _K1 & _WHOLE
        x ^= w[1]
        y = (y + v[0] + _at(s, i + 40)) & _WHOLE
        z = _turned(z + w[0], 33) * _K1 & _WHOLE
        v = _rolled(s, i, v[1] * _K1, x + w[0])
        w = _rolled(s, i + 32, z + w[1], y + _at(s, i + 16))
        z, x = x, z
    mul, i = _K1 + ((z & 0xFF) << 1), n - 64
    w = (w[0] + (n - 1) % 64, w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x = _turned(x + y + v[0] + _at(s, i + 8), 37) * mul & _WHOLE
    y = _turned(y + v[1] + _at(s, i + 48), 42) * mul & _WHOLE
    x ^= w[1] * 9 & _WHOLE
    y = (y + v[0] * 9 + _at(s, i + 40)) & _WHOLE
    z = _turned(z + w[0], 33) * mul & _WHOLE
    v = _rolled(s, i, v[1] * mul, x + w[0])
    w = _rolled(s, i + 32, z + w[1], y + _at(s, i + 16))
    z, x = x, z
    first = (_pair(v[0], w[0], mul) + _mixed(y) * _K0 + z) & _WHOLE
    return _pair(first, (_pair(v[1], w[1], mul) + x) & _WHOLE, mul)


def joined(a: int, b: int) -> int:
    """The hash of two hashes, the first one first."""
    found = (a ^ _MURMUR ^ _mixed(b * _MURMUR) * _MURMUR) & _WHOLE
    return _mixed(_mixed(found * _MURMUR) * _MURMUR)


def murmur64(s: bytes) -> int:
    """MurmurHash64A, seeded as TensorFlow does."""
    n = len(s)
    h = (SEED ^ n * _MURMUR) & _WHOLE
    for i in range(0, n - 7, 8):
        h = (h ^ _mixed(_at(s, i) * _MURMUR) * _MURMUR) * _MURMUR & _WHOLE
    if n % 8:
        h = (h ^ _at(s, n - n % 8)) * _MURMUR & _WHOLE
    return _mixed(_mixed(h) * _MURMUR)


def siphash24(s: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 of a string, with a key of two 64-bit numbers."""
    k0, k1 = key
    state = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    whole = len(s) - len(s) % 8
    words = [_at(s, i) for i in range(0, whole, 8)]
    for word in (*words, _at(s, whole) | (len(s) & 0xFF) << 56):
        state[3] ^= word
        _sip_round(state)
        _sip_round(state)
        state[0] ^= word
    state[2] ^= 0xFF
    for _ in range(4):
        _sip_round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_round(state: list[int]) -> None:
    a, b, c, d = state
    a = (a + b) & _WHOLE
    b = _turned(b, 51) ^ a
    a = _turned(a, 32)
    c = (c + d) & _WHOLE
    d = _turned(d, 48) ^ c
    a = (a + d) & _WHOLE
    d = _turned(d, 43) ^ a
    c = (c + b) & _WHOLE
    b = _turned(b, 47) ^ c
    state[:] = a, b, _turned(c, 32), d
