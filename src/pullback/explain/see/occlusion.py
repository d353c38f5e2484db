"""Occlusion: how much a score falls when a patch of the image is covered.

    fall[patch] = score(image) - score(image with the patch covered);  a pixel's is the mean over the patches on it

Source: Zeiler & Fergus 2014, section 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ArgumentError
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, quiet, score_of
from pullback.explain.see.projections import Projections
from pullback.explain.see.selection import Unit, scores


def occlusion(
    model: Any,
    images: Any,
    layer: Any,
    *,
    channel: int | Sequence[int] | None = None,
    unit: Unit | None = None,
    top: int | None = None,
    patch: int | tuple[int, int] | None = None,
    stride: int | None = None,
    cover: float | None = None,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Projections:
    """How much a score falls when a patch is covered; no derivatives are asked for.

    Args:
      patch: its side, or (height, width), in pixels; by default an eighth of the image.
      stride: pixels from patch to patch; by default half a patch. The last ones end at the border.
      cover: value of the covered pixels; by default each image's mean.
      batch: how many covered images are shown at once.
      model, images, layer, channel, unit, top, session, feeds, progress: as in `saliency`.
    Returns:
      Projections, `values` [N,K,H,W,1]: the fall of the score, below 0 where covering raised it.
    Raises: as `saliency`. ArgumentError: the patch is larger than the image, or the stride leaves gaps.
    """
    network = network_of(model, session=session, feeds=feeds)
    shown = network.prepared(images)
    sides = _sides(patch, shown.shape[1:3])
    step = max(min(sides) // 2, 1) if stride is None else stride
    if not 1 <= step <= min(sides):
        raise ArgumentError(f"occlusion: stride={step} with patches of {sides}; from 1 to the patch's side").locate()
    places = [(y, x) for y in _starts(shown.shape[1], sides[0], step) for x in _starts(shown.shape[2], sides[1], step)]
    selection, parts, values = scores(channel, unit, top), [], []

    def seen(batch_of: NDArray[Any]) -> NDArray[Any]:
        view = network.view(batch_of.shape, batch_of.dtype)
        with quiet():
            return view.values(layer, batch_of)

    for n, image in enumerate(shown):
        whole = seen(image[None])
        parts.append(selection.parts(whole[0]))
        before = np.array([score_of(whole, p)[0] for p in parts[-1]])
        fall = np.zeros((len(parts[-1]), *image.shape[:2], 1))
        times = np.zeros((*image.shape[:2], 1))
        filled = image.mean() if cover is None else cover
        for start in range(0, len(places), batch):
            here = places[start : start + batch]
            covered = np.stack([_covered(image, at, sides, filled) for at in here])
            layers = seen(covered)
            after = np.stack([score_of(layers, p) for p in parts[-1]])
            for i, (y, x) in enumerate(here):
                fall[:, y : y + sides[0], x : x + sides[1], 0] += (before - after[:, i])[:, None, None]
                times[y : y + sides[0], x : x + sides[1]] += 1
            if progress is not None:
                progress(n * len(places) + start + len(here), len(shown) * len(places))
        values.append(fall / times)
    name = layer if isinstance(layer, str) else getattr(layer, "name", str(layer))
    return Projections("occlusion", name, shown, np.stack(values), parts, "heat", lead=_LEAD)


def _sides(patch: Any, size: Sequence[int]) -> tuple[int, int]:
    if patch is None:
        return max(size[0] // 8, 1), max(size[1] // 8, 1)
    sides = (patch, patch) if isinstance(patch, int) else tuple(patch)
    if len(sides) != 2 or not (1 <= sides[0] <= size[0] and 1 <= sides[1] <= size[1]):
        raise ArgumentError(f"occlusion: patch={patch} on images of {tuple(size)}; from 1 to the image's side").locate()
    return sides


def _starts(size: int, side: int, step: int) -> Iterator[int]:
    """Where patches begin along a side; the last one ends at the border."""
    yield from range(0, size - side, step)
    yield size - side


def _covered(image: NDArray[Any], at: tuple[int, int], sides: tuple[int, int], value: float) -> NDArray[Any]:
    out = image.copy()
    out[at[0] : at[0] + sides[0], at[1] : at[1] + sides[1]] = value
    return out


_LEAD = "Red marks where a covered patch makes the score fall (Zeiler & Fergus 2014)."
