"""Decompression of Snappy's block format, which tables from elsewhere may use; we write none.

length as varint, then elements by the low two bits of a tag:
00 literal   01, 10, 11 copy of earlier output, offset in 11 bits, 2 bytes, 4 bytes
"""

from __future__ import annotations

from pullback.io.varint import read_varint

# No element stands for more than 64 bytes of output with fewer than 2 of input.
_MOST_GROWTH = 64


def decompressed(data: bytes) -> bytes:
    """The original bytes.

    Raises:
      ValueError: the data is cut short or contradicts itself.
    """
    length, at = read_varint(data, 0)
    if length > _MOST_GROWTH * len(data):
        raise ValueError(f"{len(data)} bytes cannot stand for {length}")
    out = bytearray()
    while at < len(data):
        tag = data[at]
        if tag & 3 == 0:
            size, at = _literal_size(data, at)
            if at + size > len(data):
                raise ValueError("a literal is cut short")
            out += data[at : at + size]
            at += size
        else:
            size, offset, at = _copy(data, at)
            if not 0 < offset <= len(out):
                raise ValueError("a copy reaches before the start")
            while size:
                part = out[len(out) - offset :][:size]
                out += part
                size -= len(part)
        if len(out) > length:
            break
    if len(out) != length:
        raise ValueError(f"{length} bytes were promised, but {len(out)} came out")
    return bytes(out)


def _literal_size(data: bytes, at: int) -> tuple[int, int]:
    size = data[at] >> 2
    if size < 60:
        return size + 1, at + 1
    width = size - 59
    return int.from_bytes(data[at + 1 : at + 1 + width], "little") + 1, at + 1 + width


def _copy(data: bytes, at: int) -> tuple[int, int, int]:
    """(size, offset, position behind)."""
    tag = data[at]
    if tag & 3 == 1:
        return (tag >> 2 & 7) + 4, (tag >> 5) << 8 | int.from_bytes(data[at + 1 : at + 2], "little"), at + 2
    width = 2 if tag & 3 == 2 else 4
    return (tag >> 2) + 1, int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width
