"""Which of a layer's units a tool looks at: all, channels, one unit, the strongest few.

A layer is [N,P,Q,K] or [N,K]: images first, channels last, what lies between says where a unit is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.shape import text
from pullback.explain.markup import number

Unit = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Some units of one image's layer.

    channel: None is every channel. unit: place in the channel, (row, column); None is every place.
    activation: the largest of these units. label: what the channel means, where that is known.
    """

    channel: int | None
    unit: Unit | None
    activation: float
    label: str = ""

    def __str__(self) -> str:
        """ "channel 131 at (9, 3): 5.95"; with a label "cat (channel 0): 7.1"."""
        if self.channel is None and self.unit is None:
            return f"whole layer: {number(round(self.activation, 4))}"
        named = f"{self.label} (channel {self.channel})" if self.label else f"channel {self.channel}"
        of = [] if self.channel is None else [named]
        at = [f"at {self.unit}"] if self.unit else []
        return f"{' '.join([*of, *at])}: {number(round(self.activation, 4))}"

    def within(self, layer: NDArray[Any], values: Any = 1) -> NDArray[Any]:
        """`values` at these units of one image's layer, zero elsewhere."""
        where = (..., slice(None) if self.channel is None else self.channel)
        if self.unit is not None:
            where = (*self.unit, where[-1])
        out = np.zeros_like(layer)
        out[where] = np.broadcast_to(values, layer.shape)[where]
        return out


def labelled(parts: Sequence[Part], labels: Sequence[str]) -> list[Part]:
    """The parts, with what their channels mean.

    Raises:
      ArgumentError: there are fewer labels than channels.
    """
    beyond = [p.channel for p in parts if p.channel is not None and p.channel >= len(labels)]
    if beyond:
        raise ArgumentError(f"labels: {len(labels)} for a layer that has a channel {beyond[0]}; give one each").locate()
    return [p if p.channel is None else replace(p, label=labels[p.channel]) for p in parts]


@dataclass(frozen=True)
class Selection:
    """What is asked of every image's layer.

    channel: one, or several, each a part of its own. unit: only this place.
    top: as many of the strongest, by their largest unit: channels, or single units where `by` is "unit".
    strongest: of each part only its largest unit (on a tie the first in row order).
    """

    channel: int | Sequence[int] | None = None
    unit: Unit | None = None
    top: int | None = None
    by: Literal["channel", "unit"] = "channel"
    strongest: bool = False

    def __post_init__(self) -> None:
        if self.top is not None and (self.top < 1 or self.unit is not None):
            raise ArgumentError(
                f"top={self.top}: give a count from 1, and not together with `unit`, which names one already"
            ).locate()
        if self.by not in ("channel", "unit"):
            raise ArgumentError(f'by={self.by!r}: it is "channel" or "unit"').locate()
        if self.strongest and self.unit is not None:
            raise ArgumentError("give `unit` or `strongest`, not both").locate()

    def parts(self, layer: NDArray[Any]) -> list[Part]:
        """The parts of one image's layer [P,Q,K] or [K]; strongest first where `top` chooses.

        Raises:
          ShapeError: the layer has no such channel or unit.
        """
        channels = self._channels(layer.shape)
        if self.unit is not None:
            self._check_unit(layer.shape)
        if self.top is None:
            return [self._part(layer, c) for c in channels or [None]]
        places = layer.reshape(-1, layer.shape[-1])
        allowed = channels or list(range(layer.shape[-1]))
        if self.by == "channel":
            peaks = places.max(axis=0)[allowed]
            order = np.argsort(-peaks, kind="stable")[: self.top]
            return [self._part(layer, allowed[i]) for i in order]
        flat = places[:, allowed].ravel()
        order = np.argsort(-flat, kind="stable")[: self.top]
        found = [(int(i) // len(allowed), allowed[int(i) % len(allowed)]) for i in order]
        return [Part(c, _place(at, layer.shape), float(places[at, c])) for at, c in found]

    def _part(self, layer: NDArray[Any], channel: int | None) -> Part:
        unit = self.unit
        seen = layer if channel is None else layer[..., channel]
        if unit is not None:
            return Part(channel, unit, float(np.max(seen[unit])))
        if not self.strongest:
            return Part(channel, None, float(seen.max()))
        at = int(np.argmax(seen))
        if channel is None:
            at, channel = divmod(at, layer.shape[-1])
        return Part(channel, _place(at, layer.shape), float(seen.max()))

    def _channels(self, shape: tuple[int, ...]) -> list[int]:
        given = [] if self.channel is None else list(np.atleast_1d(np.asarray(self.channel)))
        for c in given:
            if not 0 <= c < shape[-1]:
                raise ShapeError(
                    f"channel {c} of a layer of shape {text(shape)} a picture; it has 0 to {shape[-1] - 1}"
                ).locate()
        return [int(c) for c in given]

    def _check_unit(self, shape: tuple[int, ...]) -> None:
        assert self.unit is not None
        fits = len(self.unit) == len(shape) - 1
        if not fits or not all(0 <= u < n for u, n in zip(self.unit, shape, strict=False)):
            raise ShapeError(
                f"unit {self.unit} of a layer of shape {text(shape)} a picture; a unit is a place before the channel, "
                f"from {(0,) * (len(shape) - 1)} to {tuple(n - 1 for n in shape[:-1])}"
            ).locate()


def _place(at: int, shape: tuple[int, ...]) -> Unit:
    return tuple(int(i) for i in np.unravel_index(at, shape[:-1])) if len(shape) > 1 else ()


def ones_at(layer: NDArray[Any], part: Part) -> NDArray[Any]:
    """Ones at the part's units of one image's layer: where a gradient begins."""
    return part.within(layer)


def scores(channel: int | Sequence[int] | None, unit: Unit | None, top: int | None) -> Selection:
    """Of a layer of scores: the named ones, else each image's strongest."""
    return Selection(channel, unit, 1 if channel is None and unit is None and top is None else top, "unit")
