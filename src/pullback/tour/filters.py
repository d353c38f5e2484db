"""Every filter of the network that the tour trained: its weights, the nine digits that excite it most, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pullback as tf
from pullback.explain.pages import Page, Section
from pullback.explain.see.network import network_of
from pullback.explain.see.portraits import filter_portraits
from pullback.explain.see.strips import section
from pullback.tour.network import layers

if TYPE_CHECKING:
    from pullback.tour import Tour


def page(tour: Tour) -> Page:
    """Both convolutions, the most responsive filter first."""
    w = tour.on_tape.weights
    network = network_of(lambda images: layers(tf, images, w))
    sections, lead = [], ""
    for layer, weights in (("conv1", "w1"), ("conv2", "w2")):
        found = filter_portraits(network, tour.held_out.images, layer, w[weights], batch=360)
        lead = found.lead
        rows = "".join(f"<h3>{strip.title}</h3>{section(strip, 64)}" for strip in found.strips())
        sections.append(Section(f"{layer}: {len(found.filters)} filters", rows))
    return Page("What the filters look for", lead, sections)
