"""Varints: unsigned integers, seven bits a byte, lowest first, the high bit saying that more follows."""

from __future__ import annotations


def varint(value: int) -> bytes:
    """The integer's bytes."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, position behind it).

    Raises:
      ValueError: the bytes end inside it, or it is longer than 64 bits.
    """
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a number is cut short" if at >= len(data) else "a number is longer than 64 bits")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
