"""Sorted tables of keys and values: the format of LevelDB, which a checkpoint's index has.

data blocks | meta index | index: last key of a block -> its place | footer: places of both, magic number

block     entries, restart positions, their count; then 1 byte of compression and 4 of masked CRC-32C
entry     shared bytes with the key before, own bytes, size of the value (varints); own bytes; value
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from pullback.core.errors import DataLossError
from pullback.io.crc32c import crc32c, masked
from pullback.io.snappy import decompressed
from pullback.io.varint import read_varint, varint

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_BLOCK_SIZE = 256 * 1024
_RESTART = 16  # entries between keys that are written in full
_PLAIN, _SNAPPY = 0, 1


def table_bytes(items: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A table of pairs in rising order of keys."""
    out = bytearray()
    index: list[tuple[bytes, bytes]] = []
    block: list[tuple[bytes, bytes]] = []
    size = 0
    for key, value in items:
        block.append((key, value))
        size += len(key) + len(value)
        if size >= _BLOCK_SIZE:
            index.append((key, _append_block(out, block, _RESTART)))
            block, size = [], 0
    if block:
        index.append((block[-1][0], _append_block(out, block, _RESTART)))
    places = _append_block(out, [], _RESTART) + _append_block(out, index, 1)
    return bytes(out) + places.ljust(_FOOTER - 8, b"\0") + struct.pack("<Q", _MAGIC)


def _append_block(out: bytearray, items: list[tuple[bytes, bytes]], restart: int) -> bytes:
    """Appends a block; returns its place: offset and size."""
    block = bytearray()
    restarts: list[int] = []
    before = b""
    for i, (key, value) in enumerate(items):
        shared = 0
        if i % restart == 0:
            restarts.append(len(block))
        else:
            while shared < min(len(before), len(key)) and before[shared] == key[shared]:
                shared += 1
        block += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    block += struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))
    place = varint(len(out)) + varint(len(block))
    block.append(_PLAIN)
    out += block + struct.pack("<I", masked(crc32c(block)))
    return place


def read_table(data: bytes, where: str) -> dict[bytes, bytes]:
    """The table's pairs. Every block's checksum is compared.

    Args:
      where: the file's name, for errors.
    Raises:
      DataLossError: the bytes are no table, or not all of one, or altered.
    """
    try:
        if len(data) < _FOOTER or data[-8:] != struct.pack("<Q", _MAGIC):
            raise ValueError("it does not end with a table's footer, so it is cut short or no table")
        footer = data[-_FOOTER:]
        _, at = _place(footer, 0)
        index, _ = _place(footer, at)
        pairs: dict[bytes, bytes] = {}
        for _, value in _entries(_block(data, *index)):
            pairs.update(_entries(_block(data, *_place(value, 0)[0])))
        return pairs
    except (ValueError, IndexError, struct.error) as error:
        raise DataLossError(
            f"{where}: the table of {len(data)} bytes cannot be read: {error}. Restore an earlier checkpoint, or copy "
            "the file again from where it came from"
        ).locate() from None


def _place(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = read_varint(data, at)
    size, at = read_varint(data, at)
    return (offset, size), at


def _block(data: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if end + 5 > len(data) - _FOOTER:
        raise ValueError(f"a block at {offset} reaches beyond the end")
    contents = data[offset : end + 1]
    if struct.pack("<I", masked(crc32c(contents))) != data[end + 1 : end + 5]:
        raise ValueError(f"the checksum of the block at {offset} does not match")
    if contents[-1] == _PLAIN:
        return contents[:-1]
    if contents[-1] == _SNAPPY:
        return decompressed(contents[:-1])
    raise ValueError(f"compression {contents[-1]} of the block at {offset} is not known")


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (restarts + 1)
    at, key = 0, b""
    while at < end:
        shared, at = read_varint(block, at)
        own, at = read_varint(block, at)
        size, at = read_varint(block, at)
        if shared > len(key) or at + own + size > end:
            raise ValueError("an entry is cut short")
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + size]
        at += own + size
