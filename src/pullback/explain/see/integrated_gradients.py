"""Integrated gradients: what each pixel adds to a score, on the straight way from a baseline to the image.

    a_i = (x_i - b_i) * integral over t in [0,1] of d score(b + t (x - b)) / d x_i
    sum_i a_i = score(x) - score(b)          completeness; its error says whether the steps were enough

The integral is taken by Gauss and Legendre's rule, which needs fewer steps than equal ones where the score is smooth.

Source: Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017, sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.shape import text
from pullback.explain.markup import number
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, Pulls, score_of, scored
from pullback.explain.see.projections import Projections
from pullback.explain.see.selection import Unit, scores


@dataclass(frozen=True)
class Attributions(Projections):
    """What each pixel adds to a score, [N,K,H,W,C].

    difference: score(image) - score(baseline), [N,K]. error: the sum of the values less that, [N,K]; 0 is complete.
    """

    difference: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0)))
    error: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0)))


def integrated_gradients(
    model: Any,
    images: Any,
    layer: Any,
    *,
    channel: int | Sequence[int] | None = None,
    unit: Unit | None = None,
    top: int | None = None,
    baseline: Any = 0.0,
    steps: int = 50,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Attributions:
    """What each pixel adds to a score, compared with a baseline image.

    Args:
      baseline: a number, or an image [H,W,C], that stands for "nothing to see".
      steps: points on the way; more make the completeness error smaller.
      batch: how many points are shown at once.
      model, images, layer, channel, unit, top, session, feeds, progress: as in `saliency`.
    Returns:
      Attributions: `values` [N,K,H,W,C], `difference` and completeness `error` [N,K].
    Raises: as `saliency`. ShapeError: the baseline is no image of the images' size. ArgumentError: no steps.
    """
    if steps < 1:
        raise ArgumentError(f"integrated_gradients: steps={steps}; at least one point of the way is needed").locate()
    pulls = Pulls(network_of(model, session=session, feeds=feeds), layer)
    shown = pulls.network.prepared(images)
    try:
        base = np.broadcast_to(np.asarray(baseline, shown.dtype), shown.shape[1:])
    except ValueError:
        raise ShapeError(
            f"integrated_gradients: a baseline of shape {text(np.shape(baseline))} is no image {text(shown.shape[1:])}"
        ).locate() from None
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    way, weights = (nodes + 1) / 2, weights / 2
    selection = scores(channel, unit, top)
    parts, values, differences = [], [], []
    for n, image in enumerate(shown):
        ends = pulls.seen(np.stack([image, base])).layer
        parts.append(selection.parts(ends[0]))
        differences.append([float(np.subtract(*score_of(ends, part))) for part in parts[-1]])
        sums = np.zeros((len(parts[-1]), *image.shape))
        for start in range(0, steps, batch):
            here = slice(start, start + batch)
            points = (base + way[here, None, None, None] * (image - base)).astype(shown.dtype)
            for k, part in enumerate(parts[-1]):
                sums[k] += np.tensordot(weights[here], scored(pulls, points, part)[1], 1)
            if progress is not None:
                progress(n * steps + start + len(points), len(shown) * steps)
        values.append(sums * (image - base))
    found, wanted = np.stack(values), np.array(differences)
    error = found.sum(axis=(2, 3, 4)) - wanted
    notes = [[_told(w, e) for w, e in zip(*pair, strict=True)] for pair in zip(wanted, error, strict=True)]
    return Attributions(
        "integrated gradients", pulls.name, shown, found, parts, "attribution", notes, _LEAD, wanted, error
    )


def _told(difference: float, error: float) -> str:
    share = f" ({abs(error / difference):.2%})" if difference else ""
    return f"adds up to {number(round(difference, 4))}, error {error:.1e}{share}"


_LEAD = (
    "What each pixel adds to the score, from the baseline to the image; the sum of a picture is the difference of the "
    "two scores, up to the completeness error below it (Sundararajan et al. 2017)."
)
