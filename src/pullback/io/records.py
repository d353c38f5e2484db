"""Files of records: TensorFlow's TFRecord format.

    length      8 bytes, little endian
    checksum    4 bytes, masked CRC-32C of the length
    data        `length` bytes
    checksum    4 bytes, masked CRC-32C of the data

one after another, the whole optionally in a gzip or zlib stream.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from pullback.core.errors import ArgumentError, DataLossError, FailedPreconditionError, NotFoundError
from pullback.core.names import public
from pullback.io.crc32c import crc32c, masked

_PIECE = 1 << 16
# A length beyond it is a damaged one: no record is read that the rest of the file could not hold.
_MOST = 1 << 40


@public(v1=("io.TFRecordCompressionType", "python_io.TFRecordCompressionType"))
class TFRecordCompressionType:
    """How a file of records is compressed."""

    NONE, ZLIB, GZIP = 0, 1, 2


_KINDS = {None: "", 0: "", 1: "ZLIB", 2: "GZIP", "": "", "NONE": "", "ZLIB": "ZLIB", "GZIP": "GZIP"}


@public("io.TFRecordOptions", v1=("io.TFRecordOptions", "python_io.TFRecordOptions"))
class TFRecordOptions:
    """How a file of records is compressed.

    Args:
      compression_type: "", "GZIP" or "ZLIB", or a TFRecordCompressionType.
      compression_level: 0 (none) to 9 (smallest), or -1. window_bits, mem_level, compression_strategy: zlib's.
      flush_mode, input_buffer_size, output_buffer_size, compression_method: have no meaning for Python's zlib.
    Raises:
      ValueError: compression_type is none of these.
    """

    def __init__(
        self,
        compression_type: Any = None,
        flush_mode: Any = None,
        input_buffer_size: Any = None,
        output_buffer_size: Any = None,
        window_bits: Any = None,
        compression_level: Any = None,
        compression_method: Any = None,
        mem_level: Any = None,
        compression_strategy: Any = None,
    ) -> None:
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.window_bits, self.mem_level = window_bits, mem_level
        self.compression_level, self.compression_strategy = compression_level, compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """ "", "GZIP" or "ZLIB" of options, of a TFRecordCompressionType or of a word."""
        kind = options.compression_type if isinstance(options, TFRecordOptions) else options
        if kind not in _KINDS:
            raise ArgumentError(f"compression_type must be '', 'GZIP' or 'ZLIB', not {kind!r}").locate()
        return _KINDS[kind]

    def compressor(self) -> Any:
        """zlib's compressor for these options."""
        kind = self.get_compression_type_string(self)
        bits = zlib.MAX_WBITS if self.window_bits is None else self.window_bits
        return zlib.compressobj(
            -1 if self.compression_level is None else self.compression_level,
            zlib.DEFLATED,
            bits + 16 if kind == "GZIP" else bits,
            8 if self.mem_level is None else self.mem_level,
            0 if self.compression_strategy is None else self.compression_strategy,
        )


def framed(data: bytes) -> bytes:
    """A record as it stands in a file."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, struct.pack("<I", masked(crc32c(length))), data, struct.pack("<I", masked(crc32c(data)))))


def opened(path: Any, compression: str = "") -> Any:
    """A file for reading, decompressed.

    Raises:
      NotFoundError: there is none. FailedPreconditionError: it is a folder.
    """
    name = os.fsdecode(path)
    try:
        if compression == "GZIP":
            return gzip.GzipFile(name, "rb")
        file = open(name, "rb")  # noqa: SIM115 - the reader closes it
    except FileNotFoundError:
        raise NotFoundError(f"{name}; No such file or directory") from None
    except IsADirectoryError:
        raise FailedPreconditionError(f"{name}; Is a directory") from None
    return _Inflated(file) if compression == "ZLIB" else file


class _Inflated:
    """A zlib stream, read as bytes are asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._zlib, self._left = file, zlib.decompressobj(), b""

    def read(self, count: int = -1) -> bytes:
        while count < 0 or len(self._left) < count:
            piece = self._file.read(_PIECE)
            if not piece:
                self._left += self._zlib.flush()
                break
            self._left += self._zlib.decompress(piece)
        out = self._left if count < 0 else self._left[:count]
        self._left = self._left[len(out) :]
        return out

    def __enter__(self) -> _Inflated:
        return self

    def __exit__(self, *exc: Any) -> None:
        self._file.close()

    def close(self) -> None:
        self._file.close()


def records(path: Any, compression: str = "") -> Iterator[bytes]:
    """The records of a file, in order.

    Raises:
      NotFoundError: there is no such file.
      DataLossError: the file is cut off or altered, or is no file of records.
    """
    name = os.fsdecode(path)
    with opened(path, compression) as file:
        at = 0
        while head := _read(file, 12, name, at, True):
            length, checksum = struct.unpack("<QI", head)
            if masked(crc32c(head[:8])) != checksum or length > _MOST:
                raise DataLossError(
                    f"corrupted record at {at} of {name}: the length's checksum is wrong; is it a TFRecord file, "
                    f"and is the compression {compression or 'none'}?"
                )
            body = _read(file, length + 4, name, at, False)
            data = body[:-4]
            if masked(crc32c(data)) != struct.unpack("<I", body[-4:])[0]:
                raise DataLossError(f"corrupted record at {at} of {name}: the data's checksum is wrong")
            yield data
            at += length + 16


def _read(file: BinaryIO, count: int, name: str, at: int, may_end: bool) -> bytes:
    """So many bytes; none at the end, where that may be."""
    try:
        pieces, missing = [], count
        while missing:
            piece = file.read(min(missing, 1 << 26))
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise DataLossError(f"{name}: the compressed stream is damaged at record {at}: {error}") from None
    if missing and not (may_end and missing == count):
        raise DataLossError(f"truncated record at {at} of {name}: {missing} of {count} bytes are missing")
    return b"".join(pieces)


@public("io.TFRecordWriter", v1=("io.TFRecordWriter", "python_io.TFRecordWriter"))
class TFRecordWriter:
    """Writes records to a file, replacing what is there.

    Args:
      path: of the file. options: TFRecordOptions, or a compression type.
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(options)
        kind = TFRecordOptions.get_compression_type_string(options)
        self._path = os.fsdecode(path)
        try:
            self._file: BinaryIO | None = open(self._path, "wb")  # noqa: SIM115 - `close` closes it
        except FileNotFoundError:
            raise NotFoundError(f"{self._path}; No such file or directory") from None
        except IsADirectoryError:
            raise FailedPreconditionError(f"{self._path}; Is a directory") from None
        self._compressor = options.compressor() if kind else None

    def write(self, record: Any) -> None:
        """Adds a record, given as bytes.

        Raises:
          FailedPreconditionError: the writer is closed. TypeError: the record is something else.
        """
        if not isinstance(record, (bytes, bytearray, memoryview, str)):
            raise TypeError(f"a record must be bytes, not {type(record).__name__}")
        self._put(framed(record.encode() if isinstance(record, str) else bytes(record)))

    def _put(self, data: bytes) -> None:
        if self._file is None:
            raise FailedPreconditionError("Writer is closed.").locate()
        self._file.write(self._compressor.compress(data) if self._compressor else data)

    def flush(self) -> None:
        """Brings what was written to the file."""
        if self._file is not None:
            if self._compressor:
                self._file.write(self._compressor.flush(zlib.Z_SYNC_FLUSH))
            self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        if self._file is not None:
            if self._compressor:
                self._file.write(self._compressor.flush())
            self._file.close()
            self._file = None

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()


@public(v1=("io.tf_record_iterator", "python_io.tf_record_iterator"))
def tf_record_iterator(path: Any, options: Any = None) -> Iterator[bytes]:
    """The records of a file, as bytes.

    Raises:
      NotFoundError, DataLossError: as `records`.
    """
    return records(path, TFRecordOptions.get_compression_type_string(options))
