"""Activation maximization: an image that excites a unit, found by climbing its gradient.

    x <- (1 - decay) x + rate * range * g / rms(g),   g = d score(x rolled by a few pixels) / d x,   at times blurred

Source: Erhan et al., "Visualizing higher-layer features of a deep network", 2009; the decay is Simonyan et al.'s
(2014), the blur Yosinski et al.'s (2015), the rolling Mordvintsev et al.'s (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ArgumentError, ShapeError
from pullback.explain.markup import number
from pullback.explain.see.network import network_of
from pullback.explain.see.projecting import Progress, Pulls, scored
from pullback.explain.see.projections import Shown
from pullback.explain.see.selection import Part, Selection, Unit, labelled
from pullback.explain.see.strips import Panel, Strip, as_photograph
from pullback.ops.random import philox


@dataclass(frozen=True)
class Maximized(Shown):
    """Images that excite parts of a layer.

    images: [K,H,W,C]. parts: what each excites, with the activation reached. history: the scores, [steps,K].
    """

    layer: str
    images: NDArray[Any]
    parts: tuple[Part, ...]
    history: NDArray[Any]
    lead = "Images that excite these units most, found by climbing the gradient from noise (Erhan et al. 2009)."

    @property
    def title(self) -> str:  # type: ignore[override]
        return f"activation maximization of {self.layer}"

    def labelled(self, labels: Sequence[str]) -> Maximized:
        """The same, with what each channel means."""
        return replace(self, parts=tuple(labelled(self.parts, labels)))

    def strips(self) -> list[Strip]:
        panels = [
            Panel(as_photograph(image), f"{part}\nfrom {number(round(float(first), 3))}")
            for image, part, first in zip(self.images, self.parts, self.history[0], strict=True)
        ]
        return [Strip("Images that excite", tuple(panels))]


def activation_maximization(
    model: Any,
    shape: tuple[int, int, int],
    layer: Any,
    *,
    channel: int | Sequence[int],
    unit: Unit | None = None,
    steps: int = 128,
    rate: float = 0.02,
    decay: float = 0.002,
    blur: float = 0.5,
    jitter: int = 2,
    low: float = 0.0,
    high: float = 1.0,
    seed: int = 0,
    session: Any = None,
    feeds: Any = None,
    progress: Progress | None = None,
) -> Maximized:
    """Images that excite a unit, or a channel as a whole.

    Args:
      shape: of the image, (H,W,C).
      channel: one, or several: an image each. unit: the place; by default the sum over the channel's places.
      steps, rate: how often and how far one climbs; a step moves the root mean square pixel by rate * (high - low).
      decay: share by which the image nears the middle of its range at each step. blur: standard deviation in pixels of
        the blur at every fourth step, 0 for none. jitter: pixels that the image is rolled by, at random, at each step.
      low, high: range of the pixels.
      seed: of the noise to begin with and of the jitter; a seed always gives the same.
      model, layer, session, feeds, progress: as in `deconvnet`.
    Returns:
      Maximized: `images` [K,H,W,C], `history` [steps,K].
    Raises: as `deconvnet`. ArgumentError: no steps, or an empty range.
    """
    if steps < 1 or not low < high:
        raise ArgumentError(f"activation_maximization: steps={steps}, range {low} to {high}; both must hold something")
    if len(shape) != 3 or min(shape) < 1:
        raise ShapeError(f"activation_maximization: shape={tuple(shape)}; an image is (H,W,C)").locate()
    pulls = Pulls(network_of(model, session=session, feeds=feeds), layer)
    dtype = pulls.network.dtype_for(np.dtype(np.float32))
    middle, span = (low + high) / 2, high - low
    start = middle + 0.05 * span * philox.normal(seed, 1 << 64, (1, *shape)).astype(dtype)
    parts = Selection(channel, unit).parts(pulls.seen(start).layer[0])
    images, history = [], []
    moves = philox.words(seed, 2 << 64, 2 * steps).reshape(steps, 2) % (2 * jitter + 1)
    for k, part in enumerate(parts):
        x, told = start.copy(), []
        for i in range(steps):
            roll = tuple(int(m) - jitter for m in moves[i])
            score, gradient = scored(pulls, np.roll(x, roll, (1, 2)), part)
            told.append(float(score[0]))
            gradient = np.roll(gradient, (-roll[0], -roll[1]), (1, 2))
            x = middle + (1 - decay) * (x - middle) + rate * span * gradient / (_rms(gradient) + 1e-12)
            x = np.clip(blurred(x, blur) if blur and i % 4 == 3 and i < steps - 4 else x, low, high).astype(dtype)
            if progress is not None:
                progress(k * steps + i + 1, len(parts) * steps)
        reached = Selection(part.channel, unit).parts(pulls.seen(x).layer[0])[0]
        images.append(x[0])
        history.append(told)
        parts[k] = reached
    return Maximized(pulls.name, np.stack(images), tuple(parts), np.array(history).T)


def _rms(values: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def blurred(images: NDArray[Any], spread: float) -> NDArray[Any]:
    """Images [N,H,W,C] blurred by a normal curve of this standard deviation in pixels; borders are reflected."""
    reach = min(max(int(np.ceil(3 * spread)), 1), min(images.shape[1:3]) - 1)
    if reach < 1:
        return images
    curve = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    curve /= curve.sum()
    for axis in (1, 2):
        around = [(0, 0)] * 4
        around[axis] = reach, reach
        padded = np.pad(images, around, mode="reflect")
        size = images.shape[axis]
        images = sum(c * np.take(padded, range(i, i + size), axis) for i, c in enumerate(curve))  # type: ignore[assignment]
    return images
