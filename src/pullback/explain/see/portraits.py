"""Portraits of a convolution's filters: the weights, the images that excite each most, and what in them did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ShapeError
from pullback.core.shape import text
from pullback.explain.markup import number
from pullback.explain.see.deconvnet import RULES
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, Pulls, each_part
from pullback.explain.see.projections import Shown, surroundings
from pullback.explain.see.selection import Selection
from pullback.explain.see.strips import Panel, Strip, as_filter, as_photograph, as_projection, stacked
from pullback.explain.see.top_activations import TopActivations, top_activations


@dataclass(frozen=True)
class Portrait:
    """One filter.

    channel: which. weights: [R,S,C]. images: those that excite it most, [T,H,W,C], strongest first. which: their index.
    values: what they excite it to, [T]. projections: the strongest unit of each, projected back, [T,H,W,C].
    """

    channel: int
    weights: NDArray[Any]
    images: NDArray[Any]
    which: NDArray[np.int64]
    values: NDArray[Any]
    projections: NDArray[Any]

    @property
    def response(self) -> float:
        """The mean of `values`: what portraits are sorted by."""
        return float(self.values.mean())


@dataclass(frozen=True)
class Portraits(Shown):
    """A layer's filters, the most responsive first."""

    layer: str
    filters: tuple[Portrait, ...]
    lead = (
        "For each filter its weights (red above 0, blue below) and the images that excite it most; below each image "
        "its strongest unit, projected back to pixels by the deconvnet. The most responsive filter comes first."
    )

    @property
    def title(self) -> str:  # type: ignore[override]
        return f"Filters of {self.layer}"

    def strips(self) -> list[Strip]:
        return [_strip(f) for f in self.filters]


def _strip(f: Portrait) -> Strip:
    panels = [Panel(as_filter(f.weights), "weights", f"Weights of filter {f.channel}")]
    for image, projection, which, value in zip(f.images, f.projections, f.which, f.values, strict=True):
        told = number(round(float(value), 3))
        alt = f"Image {which} above what filter {f.channel} saw in it, response {told}"
        around = surroundings(projection) or (slice(None), slice(None))
        shown = stacked(as_photograph(image)[around], as_projection(projection[around]))
        panels.append(Panel(shown, told, alt))
    return Strip(f"Filter {f.channel}, mean response {number(round(f.response, 3))}", tuple(panels))


def filter_portraits(
    model: Any,
    images: Any,
    layer: Any,
    weights: Any,
    *,
    top: int = 9,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Portraits:
    """Portraits of a layer's filters.

    Args:
      layer: path of the layer after its relu, [N,P,Q,K].
      weights: the convolution's filters, [R,S,C,K].
      top: how many images a filter.
      model, images, session, feeds, batch, progress: as in `top_activations`.
    Raises: as `top_activations`. ShapeError: the weights are not of so many filters.
    """
    weights = np.asarray(weights)
    network = network_of(model, session=session, feeds=feeds)
    found = top_activations(network, images, layer, top=top, batch=batch)
    if weights.ndim != 4 or weights.shape[-1] != len(found.channels):
        raise ShapeError(
            f"filter_portraits: weights {text(weights.shape)} for {len(found.channels)} channels of {layer!r}; "
            "they are [R,S,C,K]"
        ).locate()
    pulls = Pulls(network, layer, RULES)
    made = []
    for k, channel in enumerate(found.channels):
        made.append(_portrait(found, k, weights[..., channel], pulls, batch))
        if progress is not None:
            progress(k + 1, len(found.channels))
    made.sort(key=lambda f: -f.response)
    return Portraits(found.layer, tuple(made))


def _portrait(found: TopActivations, k: int, weights: NDArray[Any], pulls: Pulls, batch: int) -> Portrait:
    channel = found.channels[k]
    winners = pulls.network.prepared(found.winners(channel))
    selection = Selection(channel, strongest=True)
    back = [b for *_, b in each_part(pulls, winners, selection, lambda a, p: p.within(a, a), batch)]
    return Portrait(channel, weights, winners, found.which[k], found.values[k], np.concatenate(back))
