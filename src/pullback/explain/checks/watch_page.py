"""A watched training as a terminal's table, and as a page with curves and histograms."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pullback.explain.checks.curves import curves
from pullback.explain.markup import table
from pullback.explain.pages import Page, Section
from pullback.explain.pictures import features, figure

if TYPE_CHECKING:
    from pullback.explain.checks.watch import GradientWatch

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
    histograms = "".join(f"<li>{_histogram(watch, name)}</li>" for name in watch.names)
    steps = f"{len(watch.steps)} steps, {watch.steps[0]} to {watch.steps[-1]}" if watch.steps else "no steps"
    return Page(
        "Gradients during training",
        f"{len(watch.names)} variables, {steps}.",
        [
            Section("What was found", told),
            Section("Norms", norms(watch), "A line a variable, from the first layer (blue) to the last (red)."),
            Section("The latest step", table("Each variable at the latest step", head, rows, "sums")),
            Section(
                "Histograms",
                f'<ul class="pictures">{histograms}</ul>',
                "Columns are steps, rows tenth powers of magnitude; the darker, the more entries of the gradient.",
            ),
        ],
    )


def norms(watch: GradientWatch) -> str:
    """The norms as curves."""
    return curves("Gradient norm", watch.steps, {name: watch.norms(name) for name in watch.names})


def _histogram(watch: GradientWatch, name: str) -> str:
    """Steps across, magnitudes up."""
    from pullback.explain.checks.watch import DECADES

    columns = np.linspace(0, len(watch.steps) - 1, min(max(len(watch.steps), 1), 64)).astype(int) if watch.steps else []
    counts = np.array([watch.readings[i][name].histogram for i in columns if name in watch.readings[i]])
    if not counts.size or not counts.sum():
        return f"<figure><figcaption>{escape(name)}: nothing but zeros</figcaption></figure>"
    used = np.nonzero(counts.sum(axis=0))[0]
    low, high = int(used[0]), int(used[-1]) + 1
    shares = counts[:, low:high] / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wide = np.repeat(shares.T[::-1], max(64 // len(counts), 1), axis=1)
    tall = np.repeat(wide, 6, axis=0)
    told = f"{name}: 1e{DECADES[low]} to 1e{DECADES[high]}"
    return figure(features(tall), f"Histogram of the gradient's magnitudes, {told}", told, 192)
