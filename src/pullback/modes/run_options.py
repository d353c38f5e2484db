"""What a session and a run may be told, by ConfigProto, RunOptions and RunMetadata messages, and what they tell.

The messages are taken as they come, by their fields, so that whoever passes none loads no protocol buffers. What asks
for devices, memory or fusion has no meaning on one CPU and changes no result; threads, time limits, logs, traces have.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.config import config as process
from pullback.core.errors import ArgumentError, DeadlineExceededError
from pullback.core.tensor import Operation

DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"


def checked_config(config: Any) -> Any:
    """A session's ConfigProto. The first one that says a number of threads chooses the process's, as in TensorFlow.

    Raises:
      TypeError: it is no ConfigProto. ArgumentError: a number in it means nothing.
    """
    if config is None:
        return None
    if getattr(getattr(config, "DESCRIPTOR", None), "name", "") != "ConfigProto":
        raise TypeError(f"config must be a tf.ConfigProto, but got {type(config)}")
    fraction = config.gpu_options.per_process_gpu_memory_fraction
    if fraction < 0:
        raise ArgumentError(f"ConfigProto: per_process_gpu_memory_fraction must not be negative, but is {fraction}")
    threads = config.intra_op_parallelism_threads
    if threads < 0:
        raise ArgumentError(f"ConfigProto: intra_op_parallelism_threads must be 0 (one a core) or more, not {threads}")
    if threads and not process.threads:
        process.threads = threads
    return config


def log_placement(config: Any, nodes: list[Operation], known: set[int]) -> None:
    """Prints, where the config asks for it, on which device each operation runs that was not printed before."""
    if config is None or not config.log_device_placement:
        return
    for node in nodes:
        if id(node) not in known:
            known.add(id(node))
            print(f"{node.name}: ({node.type}): {DEVICE}", file=sys.stderr)


class _Local(threading.local):
    def __init__(self) -> None:
        self.watch: Watch | None = None


_local = _Local()


def tell(node: Operation, inputs: tuple[Any, ...], values: tuple[Any, ...]) -> None:
    """Tells the run in progress in this thread of a node that has run."""
    if _local.watch is not None:
        _local.watch.on_node(node, values)


class Watch:
    """One run, watched node by node: for its time limit, and for the trace that was asked for."""

    def __init__(self, limit_ms: int, traces: bool) -> None:
        self._limit_ms, self._traces = limit_ms, traces
        self._steps: list[tuple[Operation, int, int, list[tuple[Any, ...]]]] = []
        self._start = self._last = time.perf_counter_ns()
        self._wall_us = time.time_ns() // 1000

    def on_node(self, node: Operation, values: tuple[Any, ...]) -> None:
        """Hears of a node that has run.

        Raises:
          DeadlineExceededError: the run's time is over.
        """
        now = time.perf_counter_ns()
        if self._limit_ms and now - self._start > self._limit_ms * 1_000_000:
            raise DeadlineExceededError(
                f"Timed out: the run took longer than its limit of {self._limit_ms} ms (RunOptions.timeout_in_ms or "
                f"ConfigProto.operation_timeout_in_ms) and was stopped after {node.name!r}"
            )
        if self._traces:
            sizes = [(v.dtype, v.shape, v.nbytes) if isinstance(v, np.ndarray) else (None, (), 0) for v in values]
            self._steps.append((node, self._last, now, sizes))
        self._last = time.perf_counter_ns()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hears what runs inside."""
        before, _local.watch = _local.watch, self
        try:
            yield
        finally:
            _local.watch = before

    def fill(self, metadata: Any, options: Any) -> None:
        """Writes the trace to a RunMetadata: what ran when, in microseconds, and what it made."""
        if metadata is None:
            return
        metadata.Clear()
        if self._traces:
            device = metadata.step_stats.dev_stats.add(device=DEVICE)
            for step in self._steps:
                self._write(device.node_stats.add(), *step)
        if options is not None and options.output_partition_graphs and self._steps:
            graph: Any = self._steps[0][0].graph
            metadata.partition_graphs.add().CopyFrom(graph.as_graph_def())

    def _write(self, made: Any, node: Operation, start: int, end: int, sizes: list[tuple[Any, ...]]) -> None:
        inputs = ", ".join(t.name.removesuffix(":0") for t in node.inputs)
        made.node_name, made.timeline_label = node.name, f"{node.name} = {node.type}({inputs})"
        made.all_start_nanos = self._wall_us * 1000 + start - self._start
        made.all_start_micros = made.all_start_nanos // 1000
        made.op_end_rel_nanos = made.all_end_rel_nanos = end - start
        made.op_end_rel_micros = made.all_end_rel_micros = max((end - start) // 1000, 1)
        for slot, (dtype, shape, size) in enumerate(sizes):
            output = made.output.add(slot=slot)
            if dtype is not None and slot < len(node.results):
                described = output.tensor_description
                described.dtype = node.results[slot].dtype.as_datatype_enum
                described.allocation_description.requested_bytes = size
                for n in shape:
                    described.shape.dim.add(size=n)


def watch(options: Any, metadata: Any, config: Any) -> Watch | None:
    """How a run is watched; None when nothing asks for it.

    Raises:
      TypeError: an argument is no message of its kind.
    """
    for given, kind in ((options, "RunOptions"), (metadata, "RunMetadata")):
        if given is not None and getattr(getattr(given, "DESCRIPTOR", None), "name", "") != kind:
            raise TypeError(f"Session.run: {type(given).__name__} was given where a tf.{kind} is needed")
    limit = options.timeout_in_ms if options is not None else 0
    if not limit and config is not None:
        limit = config.operation_timeout_in_ms
    traces = options is not None and metadata is not None and options.trace_level >= options.SOFTWARE_TRACE
    return Watch(limit, traces) if limit > 0 or metadata is not None else None
