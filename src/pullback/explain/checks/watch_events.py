"""A watched step as an event of TensorBoard: norms, ratios of updates, histograms."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.io import messages
from pullback.train.summaries import values

if TYPE_CHECKING:
    from pullback.explain.checks.watch import Reading


def event_of(step: int, readings: Mapping[str, Reading], gradients: Mapping[str, Any]) -> Any:
    """The step's Event: scalars "gradient_norm/w" and "update_ratio/w", histogram "gradient/w" of what is finite."""
    event = messages.Event(wall_time=time.time(), step=step)
    add = event.summary.value.add
    for name, reading in readings.items():
        if reading.norm is not None:
            add(tag=f"gradient_norm/{name}", simple_value=reading.norm)
        if reading.ratio is not None:
            add(tag=f"update_ratio/{name}", simple_value=reading.ratio)
    for name, gradient in gradients.items():
        flat = np.asarray(getattr(gradient, "values", gradient)).ravel()
        flat = np.abs(flat) if flat.dtype.kind == "c" else flat.astype(np.float64)
        add(tag=f"gradient/{name}").histo.CopyFrom(values.histogram(flat[np.isfinite(flat)]))
    return event
