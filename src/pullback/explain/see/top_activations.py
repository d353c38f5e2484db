"""Top activations: for each channel, the images that excite it most, and where in them.

A data set is shown batch by batch; what is kept are the winners so far, `top` of each channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.shape import text
from pullback.explain.markup import number
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import BATCH, Progress, quiet
from pullback.explain.see.projections import Shown
from pullback.explain.see.selection import Selection
from pullback.explain.see.strips import Panel, Strip, as_photograph


@dataclass(frozen=True)
class TopActivations(Shown):
    """For each channel its strongest images, strongest first.

    channels: [K]. images: all that were shown, [N,H,W,C]. which: index of the image, [K,T].
    units: place of its largest unit in the channel, [K,T,2]; [K,T,0] of a layer [N,K]. values: its activation, [K,T].
    """

    layer: str
    channels: tuple[int, ...]
    images: Any
    which: NDArray[np.int64]
    units: NDArray[np.int64]
    values: NDArray[Any]
    lead = "For each channel the images that excite it most, strongest first."

    @property
    def title(self) -> str:  # type: ignore[override]
        return f"top activations of {self.layer}"

    def winners(self, channel: int) -> NDArray[Any]:
        """A channel's images [T,H,W,C].

        Raises:
          ArgumentError: the channel was not looked at.
        """
        if channel not in self.channels:
            raise ArgumentError(f"channel {channel} is none of those looked at: {list(self.channels)}").locate()
        return np.stack([np.asarray(self.images[i]) for i in self.which[self.channels.index(channel)]])

    def strips(self) -> list[Strip]:
        return [self._strip(k, c) for k, c in enumerate(self.channels)]

    def _strip(self, k: int, channel: int) -> Strip:
        told = [f"image {i}: {number(round(float(v), 3))}" for i, v in zip(self.which[k], self.values[k], strict=True)]
        shown = [as_photograph(image) for image in self.winners(channel)]
        return Strip(f"Channel {channel}", tuple(map(Panel, shown, told)))


def top_activations(
    model: Any,
    images: Any,
    layer: Any,
    *,
    channel: int | Sequence[int] | None = None,
    top: int = 9,
    session: Any = None,
    feeds: Any = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> TopActivations:
    """The images that excite each channel most.

    Args:
      images: [N,H,W,C]; anything with a length and slices serves (an array, a memory map), read batch by batch.
      channel: one, or several; by default all.
      top: how many images a channel; all where there are fewer.
      model, layer, session, feeds, batch, progress: as in `deconvnet`.
    Returns:
      TopActivations. Of equal activations the earlier image comes first.
    Raises: as `deconvnet`.
    """
    if top < 1 or batch < 1:
        raise ArgumentError(f"top_activations: top={top}, batch={batch}; both from 1").locate()
    network = network_of(model, session=session, feeds=feeds)
    if not len(images):
        network.prepared(np.asarray(images))
        raise ShapeError("top_activations: there are no images").locate()
    chosen: list[int] = []
    values = units = which = None
    for start in range(0, len(images), batch):
        shown = network.prepared(np.asarray(images[start : start + batch]))
        view = network.view(shown.shape, shown.dtype)
        with quiet():
            seen = view.values(layer, shown)
        if seen.ndim < 2 or len(seen) != len(shown):
            raise ShapeError(f"top_activations: {layer!r} has shape {text(seen.shape)}, no batch of channels").locate()
        chosen = chosen or Selection(channel)._channels(seen.shape[1:]) or list(range(seen.shape[-1]))
        flat = seen.reshape(len(seen), -1, seen.shape[-1])[..., chosen]
        at = flat.argmax(axis=1)  # [B,K]
        place = np.stack(np.unravel_index(at, seen.shape[1:-1]), -1) if seen.ndim > 2 else np.zeros((*at.shape, 0), int)
        new = flat.max(axis=1).T, place.transpose(1, 0, 2), np.broadcast_to(start + np.arange(len(seen)), at.T.shape)
        old = () if values is None else (values, units, which)
        values, units, which = _best(old, new, top)
        if progress is not None:
            progress(start + len(shown), len(images))
    name = layer if isinstance(layer, str) else getattr(layer, "name", str(layer))
    return TopActivations(name, tuple(chosen), images, which, units, values)  # type: ignore[arg-type]


def _best(old: tuple[Any, ...], new: tuple[Any, ...], top: int) -> list[Any]:
    """The winners of both, for each channel: each of (values, units, which) has the channels first."""
    joined = [np.concatenate(pair, axis=1) for pair in zip(old, new, strict=True)] if old else list(new)
    order = np.argsort(-joined[0], axis=1, kind="stable")[:, :top]
    return [np.take_along_axis(a, order if a.ndim == 2 else order[..., None], axis=1) for a in joined]
