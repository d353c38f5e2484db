"""FileWriter: TensorFlow 1's way to write summaries, graphs and traces to a folder that TensorBoard reads."""

from __future__ import annotations

import os
import threading
import time
import warnings
from typing import Any

import numpy as np

from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.io import messages
from pullback.io.events import EventFile


@public(v1="summary.FileWriter")
class FileWriter:
    """Writes events to a file in a folder.

    Args:
      logdir: the folder, made where it is not there.
      graph: is written at once. graph_def: the former way to give it.
      max_queue, flush_secs: when what is written is brought to the file.
      filename_suffix: ends the file's name.
      session: has no meaning here; events are written by Python, not by operations.
    """

    def __init__(
        self,
        logdir: Any,
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: Any = None,
    ) -> None:
        self._logdir, self._settings = os.fsdecode(logdir), (filename_suffix or "", max_queue, flush_secs)
        self._file: EventFile | None = EventFile(self._logdir, *self._settings)
        self._described: set[str] = set()  # tags whose metadata stands in the file already
        self._traced: set[str] = set()
        if graph is not None or graph_def is not None:
            self.add_graph(graph, graph_def=graph_def)

    def get_logdir(self) -> str:
        """The folder."""
        return self._logdir

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def add_event(self, event: Any) -> None:
        """Writes an Event message."""
        if self._file is None:
            warnings.warn("Attempting to use a closed FileWriter. The operation will be a noop.", stacklevel=3)
            return
        self._file.write(event)

    def _add(self, step: Any, **what: Any) -> None:
        event = messages.Event(wall_time=time.time(), **what)
        if step is not None:
            event.step = int(np.asarray(step).item())
        self.add_event(event)

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Writes a Summary: a message, or serialised, as running a summary op gives it.

        Metadata of a tag is written once.
        """
        if isinstance(summary, (bytes, np.bytes_)):
            summary = messages.parsed(messages.Summary(), bytes(summary), "add_summary: the summary")
        else:
            kept = messages.Summary()
            kept.CopyFrom(summary)
            summary = kept
        for value in summary.value:
            if not value.HasField("metadata"):
                continue
            if value.tag in self._described:
                value.ClearField("metadata")
            else:
                self._described.add(value.tag)
        self._add(global_step, summary=summary)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Writes a SessionLog message."""
        self._add(global_step, session_log=session_log)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Writes a graph: a Graph, or its GraphDef.

        Raises:
          ValueError: none or both are given. TypeError: graph is neither.
        """
        if (graph is None) == (graph_def is None):
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        given = graph if graph_def is None else graph_def
        if isinstance(given, Graph):
            from pullback.io import graphs  # noqa: F401 - gives Graph its as_graph_def

            given = given.as_graph_def()  # type: ignore[attr-defined]
        if not hasattr(given, "SerializeToString"):
            raise TypeError(f"The passed graph must be an instance of `Graph` or a GraphDef, not {type(given)}")
        self._add(global_step, graph_def=given.SerializeToString())

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Writes a MetaGraphDef message.

        Raises:
          TypeError: it is another.
        """
        if type(meta_graph_def).__name__ != "MetaGraphDef":
            raise TypeError(f"meta_graph_def must be a MetaGraphDef, saw {type(meta_graph_def)}")
        self._add(global_step, meta_graph_def=meta_graph_def.SerializeToString())

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Writes the trace of one run under a tag.

        Raises:
          ValueError: the tag was given before.
        """
        if tag in self._traced:
            raise ValueError("The provided tag was already used for this event type")
        self._traced.add(tag)
        tagged = messages.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add(global_step, tagged_run_metadata=tagged)

    def flush(self) -> None:
        """Brings every event to the file."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Ends the file; `reopen` begins another."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def reopen(self) -> None:
        """Begins a new file in the folder, after `close`."""
        if self._file is None:
            self._file = EventFile(self._logdir, *self._settings)
            self._described.clear()


@public(v1="summary.FileWriterCache")
class FileWriterCache:
    """The process's FileWriters, one a folder."""

    _writers: dict[str, FileWriter] = {}
    _lock = threading.Lock()

    @staticmethod
    def get(logdir: Any) -> FileWriter:
        """The writer of a folder."""
        folder = os.fsdecode(logdir)
        with FileWriterCache._lock:
            found = FileWriterCache._writers.get(folder)
            if found is None:
                found = FileWriterCache._writers[folder] = FileWriter(folder)
            return found

    @staticmethod
    def clear() -> None:
        """Closes and forgets all."""
        with FileWriterCache._lock:
            for writer in FileWriterCache._writers.values():
                writer.close()
            FileWriterCache._writers.clear()
