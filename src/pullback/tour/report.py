"""The tour as one page that needs nothing else: style, pictures and curves are in it."""

from __future__ import annotations

import platform
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

import pullback
from pullback.explain.markup import picture, table
from pullback.tour import drawing, network
from pullback.tour.responses import Channel, Response

if TYPE_CHECKING:
    from pullback.tour import Tour


def page(tour: Tour) -> str:
    """The report as HTML."""
    source = files("pullback.tour").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(
        tour=tour,
        batch=network.BATCH,
        walk=tour.walk.html(),
        convolution=tour.convolution.html(),
        sums=_sums(tour),
        trainings=_trainings(tour),
        curves=drawing.loss_curves(tour.in_graph, tour.on_tape),
        confusion=_confusion(tour.confusion),
        channels=[_shown(channel) for channel in tour.channels],
        versions=f"Pullback {pullback.__version__}, Python {platform.python_version()}, NumPy {np.__version__}",
    )


def _sums(tour: Tour) -> list[str]:
    c, t = tour.convolution, tour.transposed
    return [c.sum_of_output((0, 0)), c.sum_of_gradient((1, 1)), t.sum_of_output((2, 1))]


def _trainings(tour: Tour) -> str:
    rows = [
        [
            t.style,
            t.means,
            str(len(t.losses)),
            f"{t.losses[0]:.6f}",
            f"{t.losses[-1]:.6f}",
            f"{int((t.told == tour.held_out.labels).sum())} of {len(t.told)}",
            f"{t.accuracy:.2%}",
        ]
        for t in (tour.in_graph, tour.on_tape)
    ]
    head = ["written for", "with", "steps", "first loss", "last loss", "read rightly", "accuracy"]
    return table("The same network, trained twice", head, rows, "sums")


def _confusion(counts: np.ndarray) -> str:
    def cell(row: int, column: int) -> str:
        count = int(counts[row, column])
        kind = "none" if count == 0 else "right" if row == column else "wrong"
        return f'<span class="{kind}">{count}</span>'

    rows = [[str(i), *(cell(i, j) for j in range(10))] for i in range(10)]
    caption = "Rows: what the digit is. Columns: what the network read in it."
    return table(caption, ["is / read", *map(str, range(10))], rows, "confusion", plain=False)


def _shown(channel: Channel) -> dict[str, Any]:
    return {"index": channel.index, "labels": channel.labels, "items": [_panels(channel, r) for r in channel.responses]}


def _panels(channel: Channel, r: Response) -> dict[str, Any]:
    told = (
        f"Held-out digit {r.label}",
        f"What channel {channel.index} saw in this {r.label}, 4 by 4",
        f"That feature of the {r.label} pulled back to 8 by 8 pixels",
    )
    drawn = [drawing.png(drawing.enlarged(p, 64)) for p in drawing.panels(r)]
    pictures = [picture(data, alt, 64) for data, alt in zip(drawn, told, strict=True)]
    return {"label": r.label, "strength": f"{r.strength:.2f}", "pictures": pictures}
