"""Saliency: how much a score changes when a pixel changes a little.

    map[y,x] = max over c of |d score / d image[y,x,c]|

Source: Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks", ICLR 2014 workshop, section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, Pulls, projected
from pullback.explain.see.projections import Projections
from pullback.explain.see.selection import Unit, ones_at, scores


def saliency(
    model: Any,
    images: Any,
    layer: Any,
    *,
    channel: int | Sequence[int] | None = None,
    unit: Unit | None = None,
    top: int | None = None,
    signed: bool = False,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Projections:
    """The gradient of a score by the pixels.

    Args:
      layer: path of the scores, [N,K], before the softmax; or of a layer [N,P,Q,K].
      channel: the class, or several. top: each image's strongest classes, as many as that; 1 where no class is named.
      signed: answer the gradient itself, [N,K,H,W,C]; by default its magnitude, the largest over the colours.
      model, images, unit, session, feeds, batch, progress: as in `deconvnet`.
    Returns:
      Projections, `values` [N,K,H,W,1] of at least 0.
    Raises: as `deconvnet`.
    """
    pulls = Pulls(network_of(model, session=session, feeds=feeds), layer)
    found = projected("saliency", pulls, images, scores(channel, unit, top), ones_at, batch, progress, _LEAD)
    return found if signed else replace(found, values=magnitude(found.values), look="heat")


_LEAD = (
    "Red marks the pixels that the score depends on most: the magnitude of its gradient, the largest over the colours "
    "(Simonyan et al. 2014)."
)


def magnitude(gradients: NDArray[Any]) -> NDArray[Any]:
    """The largest magnitude over the colours: [...,C] -> [...,1]."""
    return np.abs(gradients).max(axis=-1, keepdims=True)
