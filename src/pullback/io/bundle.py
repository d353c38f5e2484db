"""Tensor bundles, TensorFlow's checkpoint format V2.

    prefix.index                   table: "" -> header, name -> type, shape, shard, offset, size, CRC-32C
    prefix.data-00000-of-00001     the tensors' bytes

A bundle is complete when its index is there; data is written first. Where a bundle of the same prefix stands already,
the new one is first completed as `prefix.pending`, which readers prefer: the two files change as one.
"""

from __future__ import annotations

import contextlib
import math
import os
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import ArgumentError, DataLossError, NotFoundError
from pullback.core.interpreter import spec_of
from pullback.io import atomic, messages, slices
from pullback.io.crc32c import crc32c, masked
from pullback.io.table import read_table, table_bytes
from pullback.io.tensors import as_array, dtype_of, from_bytes, little_endian, shape_of_proto, shape_proto
from pullback.io.varint import read_varint, varint

_PENDING = ".pending"
# Versions of the format: what we write, and the oldest reader that understands it.
_PRODUCER, _OLDEST = 1, 0
_REPAIR = "Restore an earlier checkpoint, or copy the files again from where they came from"


def data_path(prefix: str, shard: int = 0, shards: int = 1) -> str:
    """Name of a shard."""
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


def index_path(prefix: str) -> str:
    """Name of the index."""
    return f"{prefix}.index"


def exists(prefix: str) -> bool:
    """Whether a complete bundle of this prefix is there."""
    return any(os.path.isfile(index_path(p)) for p in (prefix, prefix + _PENDING))


def files(prefix: str) -> list[str]:
    """The files of a bundle, its index first."""
    folder, name = os.path.split(prefix)
    found = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
    data = sorted(f for f in found if f.startswith(f"{name}.data-"))
    return [os.path.join(folder, f) for f in ([f"{name}.index"] if f"{name}.index" in found else []) + data]


def remove(prefix: str, with_folder: bool = False) -> None:
    """Removes a bundle, its index first, so that it is never there by halves; with its folder where that is empty."""
    for stands in (prefix + _PENDING, prefix):
        for path in files(stands):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    if with_folder:
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(prefix))


# --- writing ---------------------------------------------------------------------------------------------------


def write_bundle(prefix: str, tensors: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
    """Writes a bundle, its folder too. Until it is complete, readers find the one of the same prefix from before.

    Args:
      tensors: name -> array of numbers, or of bytes objects; or Parts, a tensor that is written in slices.
    Raises:
      DTypeError: a value is no array of these.
    """
    values = {
        name: value if isinstance(value, slices.Parts) else as_array(value) for name, value in dict(tensors).items()
    }
    folder = os.path.dirname(prefix)
    os.makedirs(folder or ".", exist_ok=True)
    complete_pending(prefix)
    replaces = os.path.exists(index_path(prefix))
    target = prefix + _PENDING if replaces else prefix
    with atomic.written(data_path(target)) as file:
        index = _written(file, values)
    atomic.write(index_path(target), index)
    atomic.settle(folder)
    if replaces:
        complete_pending(prefix)
    atomic.sweep(prefix)


def complete_pending(prefix: str) -> None:
    """Puts a bundle in the place of the one it replaces, where a writer has not come to it."""
    pending = prefix + _PENDING
    if not os.path.exists(index_path(pending)):
        return
    for path in (data_path, index_path):
        atomic.put_copy(path(pending), path(prefix))
    atomic.settle(os.path.dirname(prefix))
    os.unlink(index_path(pending))
    os.unlink(data_path(pending))


def _written(file: Any, values: dict[str, Any]) -> bytes:
    """Writes the tensors to the data file; returns the index."""
    header = messages.BundleHeaderProto(num_shards=1)
    header.version.producer, header.version.min_consumer = _PRODUCER, _OLDEST
    rows = [(b"", header)]
    for name in sorted(values, key=str.encode):
        value = values[name]
        if isinstance(value, slices.Parts):
            dtype = spec_of(value.pieces[0][1]).dtype.as_datatype_enum
            whole = messages.BundleEntryProto(dtype=dtype, shape=shape_proto(value.shape))
            whole.slices.extend(part for part, _ in value.pieces)
            rows.append((name.encode(), whole))
            rows += [(slices.key(name, part), _appended(file, as_array(array))) for part, array in value.pieces]
        else:
            rows.append((name.encode(), _appended(file, value)))
    return table_bytes([(key, entry.SerializeToString()) for key, entry in sorted(rows, key=lambda row: row[0])])


def _appended(file: Any, array: np.ndarray[Any, Any]) -> Any:
    """Writes a tensor to the data file's end; returns its entry of the index."""
    dtype, offset = spec_of(array).dtype, file.tell()
    if dtype is dtypes.string:
        data, crc = _string_bytes(array)
    else:
        data = little_endian(array)
        crc = crc32c(data)
    file.write(data)
    return messages.BundleEntryProto(
        dtype=dtype.as_datatype_enum,
        shape=shape_proto(array.shape),
        offset=offset,
        size=len(data),
        crc32c=masked(crc),
    )


def _string_bytes(array: np.ndarray[Any, Any]) -> tuple[bytes, int]:
    """Lengths as varints, the masked checksum of the lengths, the strings; and the checksum of all of it, in which a
    length counts as four bytes (eight from 2^32 on)."""
    strings: list[bytes] = array.ravel().tolist()
    crc = _crc_of_lengths([len(s) for s in strings])
    check = struct.pack("<I", masked(crc))
    body = b"".join(strings)
    return b"".join([varint(len(s)) for s in strings]) + check + body, crc32c(body, crc32c(check, crc))


def _crc_of_lengths(lengths: list[int]) -> int:
    return crc32c(b"".join([struct.pack("<I" if n < 2**32 else "<Q", n) for n in lengths]))


# --- reading ---------------------------------------------------------------------------------------------------


class BundleReader:
    """A bundle that is there. Every byte that is read is compared with its checksum.

    Args:
      prefix: the checkpoint's name, without ".index".
    Raises:
      NotFoundError: no bundle has this prefix. DataLossError: its index is damaged.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix + _PENDING if os.path.exists(index_path(prefix + _PENDING)) else prefix
        path = index_path(self.prefix)
        if not os.path.isfile(path):
            raise NotFoundError(
                f"no checkpoint {prefix!r}: {path} is not there. Give the name without .index or .data-..., as "
                "tf.train.latest_checkpoint(folder) does"
            ).locate()
        with open(path, "rb") as file:
            rows = read_table(file.read(), path)
        header = messages.parsed(messages.BundleHeaderProto(), rows.pop(b"", b""), path)
        if header.endianness != header.LITTLE:
            raise DataLossError(f"{path}: numbers are stored highest byte first, which is not supported").locate()
        if header.version.min_consumer > _PRODUCER or not header.num_shards:
            raise DataLossError(f"{path}: the header is damaged, or of a newer version of the format").locate()
        self.shards: int = header.num_shards
        self.entries: dict[str, Any] = {}
        self._slices: dict[bytes, Any] = {}
        for key, value in rows.items():
            entry = messages.parsed(messages.BundleEntryProto(), value, path)
            if key.startswith(b"\0"):
                self._slices[key] = entry
            else:
                self.entries[key.decode(errors="surrogateescape")] = entry

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def names(self) -> list[str]:
        """All tensors' names, in order."""
        return sorted(self.entries)

    def entry(self, name: str) -> Any:
        """What the index says of a tensor.

        Raises:
          NotFoundError: the bundle has no such tensor.
        """
        if name not in self.entries:
            raise NotFoundError(
                f"Key {name} not found in checkpoint {self.prefix!r}{_near(name, self.entries)}"
            ).locate()
        return self.entries[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape."""
        return tuple(d.size for d in self.entry(name).shape.dim)

    def dtype(self, name: str) -> dtypes.DType:
        """A tensor's element type."""
        return dtype_of(self.entry(name).dtype, f"checkpoint {self.prefix!r}, tensor {name!r}")

    def tensor(self, name: str) -> np.ndarray[Any, Any]:
        """A tensor's value, from the slices it was saved in when it was saved so.

        Raises:
          NotFoundError: the bundle has no such tensor. DataLossError: its data is damaged or cut short.
        """
        entry = self.entry(name)
        dtype, what = self.dtype(name), f"checkpoint {self.prefix!r}, tensor {name!r}"
        shape = shape_of_proto(entry.shape)
        if shape is None or None in shape:
            raise DataLossError(f"{what}: the index says no complete shape. {_REPAIR}").locate()
        sizes: Any = shape
        if not entry.slices:
            return self._value(entry, dtype, sizes, what)

        def value(part: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
            key = slices.key(name, part)
            if key not in self._slices:
                raise ValueError(f"slice {slices.text(part)} is not in the index")
            return self._value(self._slices[key], dtype, shape, what)

        try:
            return slices.assembled(entry.slices, sizes, dtype.numpy, value)
        except ValueError as error:
            raise DataLossError(f"{what}: {error}. {_REPAIR}").locate() from None

    def _value(self, entry: Any, dtype: dtypes.DType, shape: tuple[int, ...], what: str) -> np.ndarray[Any, Any]:
        path = data_path(self.prefix, entry.shard_id, self.shards)
        data = self._bytes(path, entry, what)
        if dtype is dtypes.string:
            try:
                strings, crc = _strings(data, math.prod(shape))
            except (ValueError, IndexError, struct.error) as error:
                raise DataLossError(f"{what}: {path} is damaged: {error}. {_REPAIR}").locate() from None
            array = np.empty(len(strings), object)
            array[:] = strings
            array = array.reshape(shape)
        elif len(data) != math.prod(shape) * dtype.size:
            raise DataLossError(f"{what}: {len(data)} bytes are stored for shape {shape} of {dtype.name}").locate()
        else:
            crc = crc32c(data)
            try:
                array = from_bytes(data, dtype, shape)
            except ValueError as error:  # without elements, but with axes that no array has
                raise DataLossError(f"{what}: shape {shape}: {error}. {_REPAIR}").locate() from None
        if masked(crc) != entry.crc32c:
            raise DataLossError(
                f"{what}: the checksum of its {len(data)} bytes in {path} does not match the index; one of the two "
                f"files was altered or is of another save. {_REPAIR}"
            ).locate()
        return array

    def _bytes(self, path: str, entry: Any, what: str) -> bytes:
        try:
            with open(path, "rb") as file:
                have = os.fstat(file.fileno()).st_size
                if entry.offset + entry.size > have or min(entry.offset, entry.size) < 0:
                    raise DataLossError(
                        f"{what}: {path} is cut short: it has {have} bytes, but the tensor lies at "
                        f"{entry.offset} to {entry.offset + entry.size}. {_REPAIR}"
                    ).locate()
                file.seek(entry.offset)
                return file.read(entry.size)
        except FileNotFoundError:
            raise DataLossError(f"{what}: {path}, which holds it, is not there. {_REPAIR}").locate() from None


def _strings(data: bytes, count: int) -> tuple[list[bytes], int]:
    """The strings and the checksum of all that stands for them."""
    lengths, at = [], 0
    for _ in range(count):
        length, at = read_varint(data, at)
        lengths.append(length)
    crc = _crc_of_lengths(lengths)
    check, at = data[at : at + 4], at + 4
    if check != struct.pack("<I", masked(crc)):
        raise ValueError("the checksum of the strings' lengths does not match")
    if at + sum(lengths) != len(data):
        raise ValueError(f"{len(data)} bytes are stored where {at + sum(lengths)} are needed")
    crc = crc32c(data[at:], crc32c(check, crc))
    strings = []
    for length in lengths:
        strings.append(data[at : at + length])
        at += length
    return strings, crc


def _near(name: str, names: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, list(names), 3)
    return f"; it has {', '.join(map(repr, near))}" if near else ""


def check_name(name: str) -> str:
    """A tensor's name that a bundle can hold.

    Raises:
      ArgumentError: it is empty, which is the header's, or begins with a zero byte, as slices' do.
    """
    if not name or name.startswith("\0"):
        raise ArgumentError(f"a checkpoint cannot hold a tensor named {name!r}").locate()
    return name
