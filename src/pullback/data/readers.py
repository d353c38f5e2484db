"""Readers: what takes names of files from a queue and gives what stands in them, piece by piece."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.spec import Spec
from pullback.core.store import Resource, Store
from pullback.core.tensor import Tensor
from pullback.data.files import lines, pieces, word
from pullback.data.queue_ops import state_of
from pullback.io.records import TFRecordOptions, opened, records
from pullback.modes.default import building

_HANDLE = Spec((), dtypes.resource)
_WHY = "reads files; tests/unit/test_queues.py runs it"
Work = Callable[[bytes], Iterator[tuple[bytes, bytes]]]
_making = threading.Lock()


class ReaderState:
    """Where a reader stands."""

    def __init__(self, work: Work) -> None:
        self._work, self._lock = work, threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.records = self.units = 0
        self._current: Any = None

    def read(self, queue: Any, count: int) -> tuple[list[bytes], list[bytes]]:
        """At most `count` records, as (keys, values), of the file in hand or else of the queue's next one.

        Raises:
          OutOfRangeError: the queue is closed and empty.
        """
        with self._lock:
            keys: list[bytes] = []
            values: list[bytes] = []
            while not keys:
                if self._current is None:
                    ((name,),) = queue.dequeue(1)
                    self._current = self._work(np.asarray(name).item())
                for key, value in self._current:
                    keys.append(key)
                    values.append(value)
                    self.records += 1
                    if len(keys) == count:
                        return keys, values
                self._current = None
                self.units += 1
            return keys, values


class ReaderResource(Resource):
    """A reader's identity, and how it works."""

    __slots__ = ("work",)

    def __init__(self, name: str, work: Work) -> None:
        super().__init__(name, _HANDLE)
        self.work = work


def _reader(store: Store, held: Any) -> ReaderState:
    with _making:
        found = store.get(held)
        if found is None:
            found = ReaderState(held.work)
            store.write(held, found)
        return found


@op
class ReaderHandle(Op):
    """A handle to a reader."""

    signature = "-> handle: resource"
    untestable = _WHY
    resource: ReaderResource

    def infer(self) -> Spec:
        return _HANDLE

    def reference(self) -> Any:
        return self.resource

    def grad(self, node: Any, *dys: Any) -> Any:
        return ()


class _OnReader(Op):
    """Base of the ops that take a reader first."""

    effect = True
    takes_store = True
    untestable = _WHY

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)


@op
class ReaderReadV2(_OnReader):
    """The next record. Waits for the queue where a file has ended."""

    signature = "reader: resource, queue: resource -> key: string, value: string"

    def infer(self, reader: Spec, queue: Spec) -> tuple[Spec, ...]:
        return (Spec((), dtypes.string),) * 2

    def reference(self, store: Store, reader: Any, queue: Any) -> Any:
        (key,), (value,) = _reader(store, reader).read(state_of(store, queue), 1)
        return word(key), word(value)


@op
class ReaderReadUpToV2(_OnReader):
    """The next records of one file, at most num_records."""

    signature = "reader: resource, queue: resource, num_records: int64 -> keys: string, values: string"

    def infer(self, reader: Spec, queue: Spec, count: Spec) -> tuple[Spec, ...]:
        return (Spec((None,), dtypes.string),) * 2

    def reference(self, store: Store, reader: Any, queue: Any, count: Any) -> Any:
        found = _reader(store, reader).read(state_of(store, queue), int(count))
        return tuple(np.array([*part, None], object)[:-1] for part in found)


@op
class ReaderNumRecordsProducedV2(_OnReader):
    """How many records were read."""

    signature = "reader: resource -> records: int64"

    def infer(self, reader: Spec) -> Spec:
        return Spec((), dtypes.int64)

    def reference(self, store: Store, reader: Any) -> Any:
        return np.int64(_reader(store, reader).records)


@op
class ReaderNumWorkUnitsCompletedV2(_OnReader):
    """How many files were read to their end."""

    signature = "reader: resource -> units: int64"

    def infer(self, reader: Spec) -> Spec:
        return Spec((), dtypes.int64)

    def reference(self, store: Store, reader: Any) -> Any:
        return np.int64(_reader(store, reader).units)


@op
class ReaderResetV2(_OnReader):
    """The reader is as it was at first."""

    signature = "reader: resource ->"

    def infer(self, reader: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, store: Store, reader: Any) -> Any:
        _reader(store, reader).reset()
        return ()


@public(v1="ReaderBase")
class ReaderBase:
    """Base of the readers.

    Args:
      reader_ref: its handle. supports_serialize: whether its state could be saved; no reader's can here.
    """

    default_name: ClassVar[str] = "ReaderV2"

    def __init__(self, reader_ref: Any, supports_serialize: bool = False) -> None:
        self._reader_ref, self._supports_serialize = reader_ref, supports_serialize

    def _begin(self, work: Work, name: str | None) -> None:
        with building():
            full = name or self.default_name
            ReaderBase.__init__(self, ReaderHandle(ReaderResource(full, work))(name=full))

    @property
    def reader_ref(self) -> Tensor:
        return self._reader_ref

    @property
    def supports_serialize(self) -> bool:
        return self._supports_serialize

    def read(self, queue: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
        """(key, value) of the next record, both [] string; files' names come from a queue of strings.

        Raises, when it runs:
          OutOfRangeError: the queue is closed and has no more.
        """
        with building():
            return ReaderReadV2()(self._reader_ref, _queue(queue), name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
        """(keys, values) of the next records of one file, at most num_records."""
        with building():
            count = interpreter.as_tensor(num_records, None if isinstance(num_records, Tensor) else dtypes.int64)
            return ReaderReadUpToV2()(self._reader_ref, _queue(queue), count, name=name)

    def num_records_produced(self, name: str | None = None) -> Tensor:
        """How many records were read. [] int64"""
        return ReaderNumRecordsProducedV2()(self._reader_ref, name=name)

    def num_work_units_completed(self, name: str | None = None) -> Tensor:
        """How many files were read to their end. [] int64"""
        return ReaderNumWorkUnitsCompletedV2()(self._reader_ref, name=name)

    def reset(self, name: str | None = None) -> Any:
        """An operation after which the reader is as it was at first."""
        return ReaderResetV2()(self._reader_ref, name=name)


def _queue(queue: Any) -> Tensor:
    return queue if isinstance(queue, Tensor) else queue.queue_ref


@public(v1="WholeFileReader")
class WholeFileReader(ReaderBase):
    """Gives whole files: key the name, value the contents."""

    default_name = "WholeFileReaderV2"

    def __init__(self, name: str | None = None) -> None:
        self._begin(_whole, name)


def _whole(path: bytes) -> Iterator[tuple[bytes, bytes]]:
    with opened(path) as file:
        yield path, file.read()


@public(v1="IdentityReader")
class IdentityReader(ReaderBase):
    """Gives the words of the queue: key and value."""

    default_name = "IdentityReaderV2"

    def __init__(self, name: str | None = None) -> None:
        self._begin(lambda path: iter([(path, path)]), name)


@public(v1="TextLineReader")
class TextLineReader(ReaderBase):
    """Gives lines without their ends: key "file:number", value the line. skip_header_lines: left out of each file."""

    default_name = "TextLineReaderV2"

    def __init__(self, skip_header_lines: int | None = None, name: str | None = None) -> None:
        skip = skip_header_lines or 0

        def work(path: bytes) -> Iterator[tuple[bytes, bytes]]:
            for i, line in enumerate(lines(path, ""), 1):
                if i > skip:
                    yield path + b":%d" % i, line

        self._begin(work, name)


@public(v1="TFRecordReader")
class TFRecordReader(ReaderBase):
    """Gives the records of TFRecord files: key "file:offset"."""

    default_name = "TFRecordReaderV2"

    def __init__(self, name: str | None = None, options: Any = None) -> None:
        kind = TFRecordOptions.get_compression_type_string(options)

        def work(path: bytes) -> Iterator[tuple[bytes, bytes]]:
            at = 0
            for record in records(path, kind):
                yield path + b":%d" % at, record
                at += len(record) + 16

        self._begin(work, name)


@public(v1="FixedLengthRecordReader")
class FixedLengthRecordReader(ReaderBase):
    """Gives pieces of record_bytes bytes: key "file:number".

    Args:
      header_bytes, footer_bytes: left out at the beginning and the end of each file.
      hop_bytes: from one piece's beginning to the next one's; 0 or None: record_bytes.
      encoding: "" or "ZLIB", how files are compressed.
    Raises:
      ArgumentError: hop_bytes is another number than record_bytes, or a number of bytes makes no sense.
    """

    default_name = "FixedLengthRecordReaderV2"

    def __init__(
        self,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        hop_bytes: int | None = None,
        name: str | None = None,
        encoding: str | None = None,
    ) -> None:
        if hop_bytes not in (None, 0, record_bytes):
            raise ArgumentError(
                f"FixedLengthRecordReader: hop_bytes {hop_bytes} must be record_bytes {record_bytes}; records that "
                "overlap are not supported"
            ).locate()
        if record_bytes < 1 or (header_bytes or 0) < 0 or (footer_bytes or 0) < 0:
            raise ArgumentError(
                f"FixedLengthRecordReader: record_bytes={record_bytes} must be above 0, and header_bytes="
                f"{header_bytes} and footer_bytes={footer_bytes} not negative"
            ).locate()
        kind = TFRecordOptions.get_compression_type_string(encoding)

        def work(path: bytes) -> Iterator[tuple[bytes, bytes]]:
            found = pieces(path, record_bytes, header_bytes or 0, footer_bytes or 0, kind)
            return ((path + b":%d" % i, piece) for i, piece in enumerate(found))

        self._begin(work, name)
