"""Arrays as pictures: ink on paper, heat maps with a sign, and the statistics that belong beside them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pullback.explain.markup import number, picture

PAPER, INK = (255, 255, 255), (24, 28, 36)
# Ends of the scales: above and below zero, and a feature's strength.
FOR, AGAINST, FEATURE = (190, 30, 45), (20, 90, 190), (90, 40, 150)
NOT_A_NUMBER = (250, 190, 0)

Picture = NDArray[np.uint8]


def blended(share: NDArray[Any], colour: tuple[int, int, int]) -> NDArray[Any]:
    """Paper where share is 0, the colour where it is 1: [...,3]."""
    paper, full = np.array(PAPER, float), np.array(colour, float)
    return paper + np.clip(share, 0, 1)[..., None] * (full - paper)


def inked(image: NDArray[Any]) -> Picture:
    """An image [H,W] of 0 to 1 as ink on paper."""
    return blended(image, INK).round().astype(np.uint8)


def features(response: NDArray[Any]) -> Picture:
    """A feature map [H,W], darkest where it is strongest."""
    return blended(response / max(float(response.max()), 1e-12), FEATURE).round().astype(np.uint8)


def signed(values: NDArray[Any], largest: float | None = None) -> Picture:
    """An array [H,W] as a heat map: red above zero, blue below, yellow where it is no number.

    largest: the magnitude that has the full colour; by default the largest finite one.
    """
    values = np.asarray(values, float)
    finite = np.abs(values[np.isfinite(values)])
    whole = largest or max(float(finite.max(initial=0.0)), 1e-12)
    with np.errstate(invalid="ignore"):
        share = values / whole
        coloured = np.where(share[..., None] >= 0, blended(share, FOR), blended(-share, AGAINST))
    coloured[np.isnan(values)] = NOT_A_NUMBER
    return coloured.round().astype(np.uint8)


def photograph(values: NDArray[Any]) -> Picture:
    """An image [H,W], [H,W,1] or [H,W,3] stretched from its least to its largest value, grey or in colours."""
    values = np.asarray(values, float)
    values = values[..., None] if values.ndim == 2 else values
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    grey = np.round(255 * (values - low) / max(high - low, 1e-12)).astype(np.uint8)
    return np.broadcast_to(grey, (*grey.shape[:2], 3)) if grey.shape[-1] == 1 else grey


def enlarged(picture: Picture, size: int) -> Picture:
    """The picture with square pixels, so many of ours wide."""
    times = size // len(picture)
    return np.repeat(np.repeat(picture, times, axis=0), times, axis=1)


def png(picture: Picture) -> bytes:
    """The picture as a PNG file."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, "PNG", optimize=True)
    return out.getvalue()


@dataclass(frozen=True)
class Statistics:
    """An array in a few numbers; least to spread are of its finite entries, NaN where there are none."""

    size: int
    least: float
    largest: float
    mean: float
    spread: float
    zeros: int
    nans: int
    infinities: int

    @classmethod
    def of(cls, values: Any) -> Statistics:
        """values: array of numbers or bools; of complex ones the magnitudes."""
        flat = np.asarray(values).ravel()
        flat = np.abs(flat) if flat.dtype.kind == "c" else flat.astype(float)
        finite = flat[np.isfinite(flat)]
        if not finite.size:
            low = high = mean = spread = float("nan")
        else:
            low, high = float(finite.min()), float(finite.max())
            mean, spread = float(finite.mean()), float(finite.std())
        nans = int(np.isnan(flat).sum())
        return cls(flat.size, low, high, mean, spread, int((flat == 0).sum()), nans, flat.size - finite.size - nans)

    def __str__(self) -> str:
        """ "min -1, max 2, mean 0.5, std 1.1, 3 of 12 zero"; NaN and infinities where there are any."""
        if not self.size:
            return "empty"
        parts = [
            f"{word} {number(value)}"
            for word, value in (("min", self.least), ("max", self.largest), ("mean", self.mean), ("std", self.spread))
        ]
        parts.append(f"{self.zeros} of {self.size} zero")
        parts += [f"{count} {word}" for word, count in (("NaN", self.nans), ("infinite", self.infinities)) if count]
        return ", ".join(parts)


def figure(shown: Picture, alt: str, caption: str, width: int = 128) -> str:
    """A picture in a figure, pixels square, so many CSS pixels wide; its caption is text. For a screen reader: alt."""
    times = max(1, min(width // max(shown.shape[1], 1), 16))
    image = picture(png(np.repeat(np.repeat(shown, times, axis=0), times, axis=1)), alt, width, "pixels")
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def heat_map(values: NDArray[Any], name: str, width: int = 128) -> str:
    """A heat map [H,W] with its statistics below, as a figure."""
    told = f"{name}: {Statistics.of(values)}"
    return figure(signed(values), f"Heat map of {told}", told, width)
