"""CRC-32C, the checksum of tensor bundles and records, in NumPy.

The register is linear over GF(2): after the 4-byte words w_0 ... w_{N-1} it is

    c = sum_i A^(N-i) w_i        A: advance by one word; sums are exclusive-or; the register before joins w_0

so K lanes each take every K-th word, `s <- A^K s + w` (two look-ups in tables of 2^16), and fold in log2(K) steps.
Reflected polynomial 0x82F63B78, register and result inverted (Castagnoli 1993; RFC 3720, appendix B.4).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

_POLYNOMIAL = 0x82F63B78
# Lanes of the passes over one piece of data, widest first; what is left goes byte by byte.
_LANES = (16384, 1024, 64)


def crc32c(data: Any, start: int = 0) -> int:
    """The checksum of bytes (anything with a buffer), continued from that of the bytes before."""
    view = np.frombuffer(data, np.uint8)
    register = start ^ 0xFFFFFFFF
    at = 0
    for lanes in _LANES:
        rows = (len(view) - at) // (4 * lanes)
        if rows >= 4:
            end = at + 4 * lanes * rows
            register = _advanced(register, view[at:end], lanes)
            at = end
    table = _byte_table()
    for byte in view[at:].tobytes():
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """A checksum as it is stored beside its data: rotated right by 15 bits, plus a constant."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def unmasked(stored: int) -> int:
    """The checksum that `masked` made this of."""
    rotated = (stored - 0xA282EAD8) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def _advanced(register: int, data: np.ndarray[Any, Any], lanes: int) -> int:
    """The register after `data`, a whole number of rows of `lanes` words."""
    rows = data.view("<u4").reshape(-1, lanes)
    low, high = _tables(_power(lanes), 16)
    state = rows[0].copy()
    state[0] ^= np.uint32(register)
    halves = state.view("<u2").reshape(lanes, 2)
    for row in rows[1:]:
        moved = low[halves[:, 0]]
        moved ^= high[halves[:, 1]]
        np.bitwise_xor(moved, row, out=state)
    while len(state) > 1:
        half = len(state) // 2
        state = _applied(_power(half), state[:half]) ^ state[half:]
    return int(_applied(_power(1), state)[0])


@functools.cache
def _byte_table() -> list[int]:
    """For each byte, the register it leaves."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


@functools.cache
def _power(words: int) -> tuple[int, ...]:
    """A^words, words a power of two, as its 32 columns: what becomes of each single bit."""
    if words == 1:
        columns = [1 << bit for bit in range(32)]
        table = _byte_table()
        for _ in range(4):
            columns = [table[c & 0xFF] ^ (c >> 8) for c in columns]
        return tuple(columns)
    half = _power(words // 2)
    return tuple(int(c) for c in _applied(half, np.array(half, np.uint32)))


@functools.lru_cache(maxsize=64)
def _tables(columns: tuple[int, ...], bits: int) -> list[np.ndarray[Any, Any]]:
    """A linear map as tables, one for each group of `bits` bits of its argument."""
    tables = []
    for first in range(0, 32, bits):
        table = np.zeros(1, np.uint32)
        for column in columns[first : first + bits]:
            table = np.concatenate([table, table ^ np.uint32(column)])
        tables.append(table)
    return tables


def _applied(columns: tuple[int, ...], values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A linear map of each value."""
    parts = np.ascontiguousarray(values).view(np.uint8).reshape(-1, 4)
    first, second, third, fourth = _tables(columns, 8)
    return first[parts[:, 0]] ^ second[parts[:, 1]] ^ third[parts[:, 2]] ^ fourth[parts[:, 3]]
