"""SmoothGrad: saliency, averaged over noisy copies of the image, so that what depends on the noise cancels.

    map = max over c of |mean over n of d score / d (image + noise_n)|

Source: Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017, equation 1; the magnitude as in saliency.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, Pulls, scored
from pullback.explain.see.projections import Projections
from pullback.explain.see.saliency import magnitude
from pullback.explain.see.selection import Unit, scores
from pullback.ops.random import philox


def smoothgrad(
    model: Any,
    images: Any,
    layer: Any,
    *,
    channel: int | Sequence[int] | None = None,
    unit: Unit | None = None,
    top: int | None = None,
    copies: int = 50,
    noise: float = 0.15,
    seed: int = 0,
    signed: bool = False,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Projections:
    """The mean gradient of a score over noisy copies of each image.

    Args:
      copies: how many. noise: its standard deviation, as a share of the image's range (largest less least value).
      seed: of the noise; a seed always gives the same.
      batch: how many copies are shown at once.
      model, images, layer, channel, unit, top, signed, session, feeds, progress: as in `saliency`.
    Returns:
      Projections, `values` [N,K,H,W,1] of at least 0; the mean gradient [N,K,H,W,C] where `signed`.
    Raises: as `saliency`. ArgumentError: no copies, or negative noise.
    """
    if copies < 1 or noise < 0:
        raise ArgumentError(f"smoothgrad: copies={copies}, noise={noise}; needed are one copy and noise of 0 or more")
    pulls = Pulls(network_of(model, session=session, feeds=feeds), layer)
    shown = pulls.network.prepared(images)
    selection, values, parts = scores(channel, unit, top), [], []
    for n, image in enumerate(shown):
        parts.append(selection.parts(pulls.seen(image[None]).layer[0]))
        spread = noise * float(image.max() - image.min())
        sums = np.zeros((len(parts[-1]), *image.shape))
        for start in range(0, copies, batch):
            count = min(batch, copies - start)
            normal = philox.normal(seed, (n << 96) + (start << 64), (count, *image.shape))
            noisy = image + (spread * normal).astype(image.dtype)
            for k, part in enumerate(parts[-1]):
                sums[k] += scored(pulls, noisy, part)[1].sum(axis=0)
            if progress is not None:
                progress(n * copies + start + count, len(shown) * copies)
        values.append(sums / copies)
    mean = np.stack(values)
    look = "projection" if signed else "heat"
    return Projections("smoothgrad", pulls.name, shown, mean if signed else magnitude(mean), parts, look, lead=_LEAD)


_LEAD = (
    "Red marks the pixels that the score depends on most: the magnitude of its gradient, averaged over noisy copies of "
    "the image (Smilkov et al. 2017)."
)
