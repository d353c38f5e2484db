"""Files of events, as TensorBoard reads them: a TFRecord file whose records are Event messages."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from pullback.core.names import public
from pullback.io import messages
from pullback.io.records import TFRecordWriter, records

_lock = threading.Lock()
_count = [0]


class EventFile:
    """A file of events in a folder, which is made where it is not there.

    Args:
      logdir: the folder. suffix: ends the file's name.
      max_queue: so many events may wait before they are brought to the file; flush_secs: so long.
    """

    def __init__(self, logdir: Any, suffix: str = "", max_queue: int = 10, flush_secs: float = 120) -> None:
        self._folder = os.fsdecode(logdir)
        os.makedirs(self._folder, exist_ok=True)
        self._max_queue, self._flush_secs = max_queue, flush_secs
        self._lock = threading.RLock()
        with _lock:
            number = _count[0]
            _count[0] += 1
        host = socket.gethostname()
        name = f"events.out.tfevents.{int(time.time()):010d}.{host}.{os.getpid()}.{number}{suffix}"
        self.path = os.path.join(self._folder, name)
        self._writer = TFRecordWriter(self.path)
        self._waiting, self._flushed = 0, time.monotonic()
        self.write(messages.Event(wall_time=time.time(), file_version="brain.Event:2"))
        self.flush()

    def write(self, event: Any) -> None:
        """Adds an event. Threads may share the file."""
        with self._lock:
            self._writer.write(event.SerializeToString())
            self._waiting += 1
            if self._waiting >= self._max_queue or time.monotonic() - self._flushed > self._flush_secs:
                self.flush()

    def flush(self) -> None:
        """Brings every event to the file."""
        with self._lock:
            self._writer.flush()
            self._waiting, self._flushed = 0, time.monotonic()

    def close(self) -> None:
        """Ends the file."""
        with self._lock:
            self._writer.close()


@public(v1="train.summary_iterator")
def summary_iterator(path: Any) -> Iterator[Any]:
    """The Event messages of a file, in order.

    Raises:
      NotFoundError: there is no such file. DataLossError: it is cut off or altered.
    """
    for record in records(path):
        yield messages.parsed(messages.Event(), record, os.fsdecode(path))
