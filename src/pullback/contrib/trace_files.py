"""Traces of runs as files that Chrome's about:tracing and Perfetto show."""

from __future__ import annotations

import json
import os
from typing import Any

from pullback.io import atomic


def events_of(step_stats: Any) -> list[dict[str, Any]]:
    """The events of a StepStats message: for each device its name, and what ran when, in microseconds."""
    made: list[dict[str, Any]] = []
    for pid, device in enumerate(step_stats.dev_stats):
        made.append({"name": "process_name", "ph": "M", "pid": pid, "args": {"name": f"{device.device} Compute"}})
        for node in device.node_stats:
            _, _, called = node.timeline_label.partition(" = ")
            kind, _, inputs = called.partition("(")
            arguments = {"name": node.node_name, "op": kind, "inputs": inputs.rstrip(")")}
            made.append(
                {
                    "name": kind,
                    "cat": "Op",
                    "ph": "X",
                    "pid": pid,
                    "tid": node.thread_id,
                    "ts": node.all_start_micros,
                    "dur": node.all_end_rel_micros,
                    "args": arguments,
                }
            )
    return made


def write_trace(path: Any, step_stats: Any) -> None:
    """Writes the trace of a run (`RunMetadata.step_stats`) to a file, in Chrome's Trace Event Format, at once."""
    atomic.write(os.fsdecode(path), json.dumps({"traceEvents": events_of(step_stats)}).encode())
