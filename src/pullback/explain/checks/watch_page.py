"""A watched training as a terminal's table, and as a page with curves and histograms."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.explain.checks.curves import curves
from pullback.explain.checks.watch import DECADES, GradientWatch
from pullback.explain.markup import table
from pullback.explain.pages import Page, Section
from pullback.explain.pictures import features, figure

_MARKS = {"vanishing": "blue", "exploding": "red", "unconnected": "yellow", "dead units": "magenta"}
_SPARKS = "▁▂▃▄▅▆▇█"


def terminal(watch: GradientWatch) -> Any:
    """A row a variable, findings below."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    state = {f.name: f.kind for f in watch.findings if f.now}
    at = f"step {watch.steps[-1]}" if watch.steps else "no step yet"
    out = Table(title=f"Gradients, {at}", title_justify="left")
    for name in ("variable", "gradient norm", "largest entry", "zeros", "update / weight", "norm so far", ""):
        out.add_column(name, justify="left" if name in ("variable", "norm so far", "") else "right")
    for name in watch.names:
        cells = _cells(watch, name)
        kind = state.get(name, "")
        out.add_row(name, *cells, _spark(watch.norms(name)), Text(kind, style=_MARKS.get(kind, "")))
    lines = [Text(str(f), style=_MARKS[f.kind]) for f in watch.findings if f.now]
    return Group(out, *lines)


def _cells(watch: GradientWatch, name: str) -> list[str]:
    reading = watch.readings[-1].get(name) if watch.readings else None
    if reading is None or reading.norm is None:
        return ["none", "", "", ""]
    ratio = "" if reading.ratio is None else f"{reading.ratio:.2e}"
    return [f"{reading.norm:.3e}", f"{reading.largest:.3e}", f"{reading.zeros:.0%}", ratio]


def _spark(norms: NDArray[Any], width: int = 16) -> str:
    """The norms so far as small bars of their logarithm."""
    with np.errstate(divide="ignore"):
        powers = (
            np.log10(norms[np.linspace(0, len(norms) - 1, min(len(norms), width)).astype(int)]) if len(norms) else norms
        )
    finite = powers[np.isfinite(powers)]
    if not finite.size:
        return ""
    low, high = float(finite.min()), max(float(finite.max()), float(finite.min()) + 1)
    shares = np.clip((powers - low) / (high - low), 0, 1)
    return "".join(_SPARKS[int(s * 7)] if math.isfinite(s) else "·" for s in shares)


def page(watch: GradientWatch) -> Page:
    """What was found, the norms as curves, the latest numbers, and a histogram a variable."""
    found = watch.findings
    items = "".join(f'<li class="{"warning" if f.now else "soft"}">{escape(str(f))}</li>' for f in found)
    told = f"<ul>{items}</ul>" if found else '<p class="good">Nothing vanished, exploded or died.</p>'
    rows = [[n, *_cells(watch, n), ", ".join(f.kind for f in found if f.name == n and f.now)] for n in watch.names]
    head = ["variable", "gradient norm", "largest entry", "zeros", "update / weight", "state"]
    low, high = _decades(watch)
    histograms = "".join(f"<li>{_histogram(watch, name, low, high)}</li>" for name in watch.names)
    scale = f"from 1e{DECADES[low]} at the bottom to 1e{DECADES[high]} at the top"
    steps = f"{len(watch.steps)} steps, {watch.steps[0]} to {watch.steps[-1]}" if watch.steps else "no steps"
    return Page(
        "Gradients during training",
        f"{len(watch.names)} variables, {steps}.",
        [
            Section("What was found", told),
            Section("Norms", norms(watch), "One line for each variable, from the first (blue) to the last (red)."),
            Section("The latest step", table("Each variable at the latest step", head, rows, "sums")),
            Section(
                "Histograms",
                f'<ul class="pictures">{histograms}</ul>',
                f"How large a gradient's entries are: a column for each step, a row for each power of ten, {scale}; "
                "the darker, the more entries.",
            ),
        ],
    )


def norms(watch: GradientWatch) -> str:
    """The norms as curves."""
    return curves("Gradient norm", watch.steps, {name: watch.norms(name) for name in watch.names})


def _decades(watch: GradientWatch) -> tuple[int, int]:
    """Which bins of DECADES hold anything, of all variables: first, and one past the last."""
    counts = [r.histogram for readings in watch.readings for r in readings.values()]
    used = np.nonzero(np.sum(counts, axis=0))[0] if counts else np.zeros(0, int)
    return (int(used[0]), int(used[-1]) + 1) if used.size else (0, len(DECADES) - 1)


def _histogram(watch: GradientWatch, name: str, low: int, high: int) -> str:
    """Steps across, magnitudes up."""
    columns = np.linspace(0, len(watch.steps) - 1, min(max(len(watch.steps), 1), 64)).astype(int) if watch.steps else []
    counts = np.array([watch.readings[i][name].histogram for i in columns if name in watch.readings[i]])
    if not counts.size or not counts.sum():
        return f"<figure><figcaption>{escape(name)}: nothing but zeros</figcaption></figure>"
    shares = counts[:, low:high] / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wide = np.repeat(shares.T[::-1], max(64 // len(counts), 1), axis=1)
    tall = np.repeat(wide, 6, axis=0)
    used = np.nonzero(counts.sum(axis=0))[0]
    told = f"{name}, 1e{DECADES[used[0]]} to 1e{DECADES[used[-1] + 1]}"
    return figure(features(tall), f"Histogram of the gradient's magnitudes of {told}", name, 192)
