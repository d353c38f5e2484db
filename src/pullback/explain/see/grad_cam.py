"""Grad-CAM: where in a convolution's maps a score finds its evidence.

    weight_k = mean over p,q of d score / d A[p,q,k]
    map      = relu(sum over k of weight_k A[:,:,k]), enlarged to the image by straight lines

Source: Selvaraju et al., "Grad-CAM: visual explanations from deep networks", ICCV 2017, equations 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pullback.core.errors import ShapeError
from pullback.core.shape import text
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, Pulls, quiet
from pullback.explain.see.projections import Projections
from pullback.explain.see.selection import Unit, ones_at, scores


def grad_cam(
    model: Any,
    images: Any,
    layer: Any,
    maps: Any,
    *,
    channel: int | Sequence[int] | None = None,
    unit: Unit | None = None,
    top: int | None = None,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Projections:
    """Where a score finds its evidence in a convolution's maps.

    Args:
      layer: path of the scores, as in `saliency`.
      maps: path of the maps [N,P,Q,K], as a rule the last convolution's after its relu.
      model, images, channel, unit, top, session, feeds, batch, progress: as in `saliency`.
    Returns:
      Projections, `values` [N,K,H,W,1] of at least 0.
    Raises: as `saliency`. ShapeError: `maps` is no layer of maps. ArgumentError: the score does not depend on it.
    """
    pulls = Pulls(network_of(model, session=session, feeds=feeds), layer, onto=maps)
    shown = pulls.network.prepared(images)
    selection, parts, values = scores(channel, unit, top), [], []
    for start in range(0, len(shown), batch):
        seen = pulls.seen(shown[start : start + batch])
        if seen.onto.ndim != 4:
            raise ShapeError(f"grad_cam: {maps!r} has shape {text(seen.onto.shape)}; maps are [N,P,Q,K]").locate()
        chosen = [selection.parts(a) for a in seen.layer]
        heat = []
        for column in zip(*chosen, strict=True):
            seed = np.stack([ones_at(a, p) for a, p in zip(seen.layer, column, strict=True)])
            with quiet():
                weights = seen.back(seed).mean(axis=(1, 2), keepdims=True)
            small = np.maximum((weights * seen.onto).sum(axis=-1), 0)
            heat.append(np.stack([enlarged(m, shown.shape[1:3]) for m in small])[..., None])
        values.append(np.stack(heat, axis=1))
        parts += chosen
        if progress is not None:
            progress(len(parts), len(shown))
    name = maps if isinstance(maps, str) else getattr(maps, "name", str(maps))
    lead = f"Red marks the places whose features in {name} raise the score (Selvaraju et al. 2017)."
    return Projections("Grad-CAM", pulls.name, shown, np.concatenate(values), parts, "heat", lead=lead)


def enlarged(values: NDArray[Any], size: Sequence[int]) -> NDArray[Any]:
    """A map [P,Q] at another size (height, width), by straight lines between its values."""
    plane = Image.fromarray(np.asarray(values, np.float32))
    return np.asarray(plane.resize((size[1], size[0]), Image.Resampling.BILINEAR)).astype(values.dtype)
