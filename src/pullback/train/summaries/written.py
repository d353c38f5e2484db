"""TensorFlow 2's tf.summary: a writer in force, and functions that write to it at once.

In a function's body or a graph, what would be written is an operation that writes whenever it runs.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.spec import Spec
from pullback.io import messages
from pullback.io.events import EventFile
from pullback.io.tensors import tensor_proto
from pullback.train.summaries import values as made
from pullback.train.summaries.graph_ops import clean_tag


@public("summary.SummaryWriter", v1=None)
class SummaryWriter:
    """Where summaries go. `create_file_writer` makes one."""

    def write(self, event: Any) -> None:
        """Takes an Event message."""

    def set_as_default(self, step: Any = None) -> None:
        """Puts the writer in force from here on; step, where given, too."""
        state.writer = self
        if step is not None:
            state.step = step

    @contextlib.contextmanager
    def as_default(self, step: Any = None) -> Iterator[SummaryWriter]:
        """Puts the writer in force inside the context; brings what was written to the file at the end."""
        before = state.writer, state.step
        self.set_as_default(step)
        try:
            yield self
        finally:
            self.flush()
            state.writer = before[0]
            if step is not None:
                state.step = before[1]

    def init(self) -> None:
        """Nothing: a writer is ready when it is made."""

    def flush(self) -> None:
        """Brings every event to the file."""

    def close(self) -> None:
        """Ends the file."""


class _FileWriter(SummaryWriter):
    """A writer to a file, which is begun with the first event."""

    def __init__(self, logdir: Any, max_queue: int, flush_secs: float, suffix: str) -> None:
        self._open = lambda: EventFile(logdir, suffix, max_queue, flush_secs)
        self._file: EventFile | None = None
        self._closed = False
        self._described: set[str] = set()

    def write(self, event: Any) -> None:
        if self._closed:
            raise RuntimeError("SummaryWriter is already closed")
        if self._file is None:
            self._file = self._open()
        for value in event.summary.value if event.HasField("summary") else ():
            if value.tag in self._described:
                value.ClearField("metadata")
            self._described.add(value.tag)
        self._file.write(event)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        self._closed = True
        if self._file is not None:
            self._file.close()


class _State(threading.local):
    """What is in force in a thread."""

    def __init__(self) -> None:
        self.writer: SummaryWriter | None = None
        self.step: Any = None
        self.recording: Any = True
        self.trace: Any = None


state = _State()


@public("summary.create_file_writer", v1=None)
def create_file_writer(
    logdir: Any,
    max_queue: Any = None,
    flush_millis: Any = None,
    filename_suffix: Any = None,
    name: str | None = None,
    experimental_trackable: bool = False,
    experimental_mesh: Any = None,
) -> SummaryWriter:
    """A writer to a new file in a folder.

    Args:
      max_queue: so many events may wait (10); flush_millis: so long (120000). filename_suffix: by default ".v2".
      experimental_trackable: has no meaning, a writer has nothing to save.
    Raises:
      ArgumentError: experimental_mesh is given.
    """
    if experimental_mesh is not None:
        raise ArgumentError("create_file_writer: meshes are not supported; leave experimental_mesh out").locate()
    seconds = 120.0 if flush_millis is None else float(flush_millis) / 1000
    suffix = ".v2" if filename_suffix is None else filename_suffix
    return _FileWriter(logdir, 10 if max_queue is None else int(max_queue), seconds, suffix)


@public("summary.create_noop_writer", v1=None)
def create_noop_writer() -> SummaryWriter:
    """A writer that writes nothing."""
    return SummaryWriter()


@public("summary.record_if", v1=None)
@contextlib.contextmanager
def record_if(condition: Any) -> Iterator[None]:
    """Inside, summaries are written only where the condition (bool, tensor, or a function that gives one) holds."""
    before, state.recording = state.recording, condition
    try:
        yield
    finally:
        state.recording = before


@public("summary.should_record_summaries", v1=None)
def should_record_summaries() -> Any:
    """Whether summaries are written here: a tensor where the condition is one."""
    if state.writer is None:
        return False
    condition = state.recording
    return condition() if callable(condition) else condition


@public("summary.experimental.get_step", v1=None)
def get_step() -> Any:
    """The step in force, or None."""
    return state.step


@public("summary.experimental.set_step", v1=None)
def set_step(step: Any) -> None:
    """The step of summaries that name none: an int, a tensor or a variable (read whenever one is written)."""
    state.step = step


@public("summary.experimental.summary_scope", v1=None)
@contextlib.contextmanager
def summary_scope(name: str, default_name: str = "summary", values: Any = None) -> Iterator[tuple[str, str]]:
    """(tag, scope) of a summary under the name scopes in force."""
    here = interpreter.current()
    label = clean_tag(name or default_name) or default_name
    around = f"{here.get_name_scope()}/".lstrip("/") if isinstance(here, Graph) else here.scope
    with here.name_scope(label) as scope:
        yield around + (name or default_name), scope


@op
class WriteSummary(Op):
    """Writes a tensor under a tag when it runs and `record` holds. Gives whether it did."""

    signature = "step: int64, tensor: any, record: bool -> written: bool"
    effect = True
    any_rank = True
    untestable = "writes to a file; tests/unit/test_summaries.py runs it"
    writer: Any
    tag: str
    metadata: Any  # a SummaryMetadata
    make: Any  # what becomes of the array: a function, or None

    def infer(self, step: Spec, tensor: Spec, record: Spec) -> Spec:
        return Spec((), dtypes.bool_)

    def reference(self, step: Any, tensor: Any, record: Any) -> Any:
        if record:
            event = messages.Event(wall_time=time.time(), step=int(step))
            held = np.asarray(tensor) if self.make is None else self.make(np.asarray(tensor))
            value = event.summary.value.add(tag=self.tag, tensor=tensor_proto(held))
            value.metadata.CopyFrom(self.metadata)
            self.writer.write(event)
        return np.bool_(record)

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None, None


def _write(tag: str, tensor: Any, step: Any, metadata: Any, make: Any = None) -> Any:
    """Writes, or records an operation that will."""
    writer = state.writer
    if writer is None:
        return interpreter.as_tensor(False)
    step = state.step if step is None else step
    if step is None:
        raise ValueError(
            "No step set. Please specify one either through the `step` argument or through "
            "tf.summary.experimental.set_step()"
        )
    record = should_record_summaries()
    if isinstance(record, (bool, np.bool_)) and not record:
        return interpreter.as_tensor(False)
    operation = WriteSummary(writer, tag, metadata, make)
    return operation(_as_step(step), interpreter.as_tensor(tensor), interpreter.as_tensor(record, dtypes.bool_))


def _as_step(step: Any) -> Any:
    from pullback.ops.math.select import Cast

    tensor = interpreter.as_tensor(step, None if hasattr(step, "dtype") else dtypes.int64)
    return tensor if tensor.dtype is dtypes.int64 else Cast(dtypes.int64)(tensor)


def _metadata(plugin: str, description: str | None, data_class: str = "DATA_CLASS_TENSOR", content: bytes = b"") -> Any:
    return messages.SummaryMetadata(
        plugin_data=messages.SummaryMetadata.PluginData(plugin_name=plugin, content=content),
        summary_description=description or "",
        data_class=messages.DataClass.Value(data_class),
    )


@public("summary.write", v1=None)
def write(tag: Any, tensor: Any, step: Any = None, metadata: Any = None, name: str | None = None) -> Any:
    """Writes a tensor under a tag, with a SummaryMetadata that says which plugin shows it.

    Returns:
      Whether it was written, [] bool.
    Raises:
      ValueError: there is a writer and no step.
    """
    word = tag.numpy().decode() if hasattr(tag, "numpy") else tag
    held = metadata if metadata is not None else messages.SummaryMetadata()
    if isinstance(held, (bytes, bytearray)):
        held = messages.parsed(messages.SummaryMetadata(), bytes(held), "summary.write: metadata")
    return _write(word, tensor() if callable(tensor) else tensor, step, held)


@public("summary.scalar", v1=None)
def scalar(name: str, data: Any, step: Any = None, description: str | None = None) -> Any:
    """Writes a number (as float32) under a name.

    Args:
      name: the tag, under the name scopes in force. data: [], real. step: an int or integer tensor; by default the one
        in force. description: Markdown.
    Returns:
      Whether it was written: False without a writer in force.
    Raises:
      ValueError: there is a writer and no step. ArgumentError: data is no scalar.
    """
    tensor = interpreter.as_tensor(data)
    if tensor.spec.shape not in ((), None):
        raise ArgumentError(f"summary.scalar: data must be a scalar, but has shape {tensor.shape}").locate()
    with summary_scope(name, "scalar_summary") as (tag, _):
        return _write(tag, tensor, step, _metadata("scalars", description, "DATA_CLASS_SCALAR"), np.float32)


class _Buckets:
    """Buckets of an array; equal counts are one object, so that operations are shared."""

    _made: dict[int, Any] = {}

    def __new__(cls, count: int) -> Any:
        return cls._made.setdefault(count, object.__new__(cls))

    def __init__(self, count: int) -> None:
        self._count = count

    def __call__(self, array: Any) -> Any:
        return made.bucketed(array, self._count)


@public("summary.histogram", v1=None)
def histogram(name: str, data: Any, step: Any = None, buckets: Any = None, description: str | None = None) -> Any:
    """Writes how values [..] are distributed, over `buckets` (30) of equal width; else as `scalar`."""
    count = 30 if buckets is None else int(buckets)
    with summary_scope(name, "histogram_summary") as (tag, _):
        return _write(tag, data, step, _metadata("histograms", description), _Buckets(count))


class _Pictures:
    """Pictures as [width, height, PNG, ...]."""

    _made: dict[int, Any] = {}

    def __new__(cls, count: int) -> Any:
        return cls._made.setdefault(count, object.__new__(cls))

    def __init__(self, count: int) -> None:
        self._count = count

    def __call__(self, images: Any) -> Any:
        if images.ndim != 4:
            raise ArgumentError(f"summary.image: data must be [N,H,W,C], but has shape {images.shape}")
        if images.dtype.kind in "fV":
            scaled = np.clip(images.astype(np.float32), 0, 1) * np.float32(255.5)
            images = np.minimum(scaled, 255).astype(np.uint8)
        words = [str(n).encode() for n in (images.shape[2], images.shape[1])]
        words += [made.png(image.astype(np.uint8)) for image in images[: self._count]]
        return np.array(words, object)


@public("summary.image", v1=None)
def image(name: str, data: Any, step: Any = None, max_outputs: int = 3, description: str | None = None) -> Any:
    """Writes the first max_outputs pictures of data [N,H,W,C]: bytes, or floats in [0, 1]; else as `scalar`."""
    with summary_scope(name, "image_summary") as (tag, _):
        return _write(
            tag, data, step, _metadata("images", description, "DATA_CLASS_BLOB_SEQUENCE"), _Pictures(max_outputs)
        )


@public("summary.text", v1=None)
def text(name: str, data: Any, step: Any = None, description: str | None = None) -> Any:
    """Writes words [..], which TensorBoard reads as Markdown; else as `scalar`."""
    with summary_scope(name, "text_summary") as (tag, _):
        return _write(tag, interpreter.as_tensor(data, dtypes.string), step, _metadata("text", description))
