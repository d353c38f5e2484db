"""What the tools answer: arrays, and beside them the input as a figure or a page."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pullback.core.errors import ArgumentError
from pullback.explain.pages import Page, Section, write
from pullback.explain.pictures import Picture
from pullback.explain.see.selection import Part, labelled
from pullback.explain.see.strips import (
    Panel,
    Strip,
    as_attribution,
    as_heat,
    as_photograph,
    as_projection,
    mosaic,
    section,
    stacked,
)

# Images with a shorter side than this are shown whole.
SMALL_IMAGE = 32
# How values are drawn: as colours around grey, as red and blue, or as glow over the image.
Look = Literal["projection", "attribution", "heat"]


class Shown:
    """What can be shown as strips of small pictures: a figure, an image file, a page.

    title, lead: of the page. strips(): what it shows.
    """

    title: str
    lead: str

    def strips(self) -> list[Strip]:
        raise NotImplementedError

    def figure(self, size: int = 128, across: int = 10) -> Image.Image:
        """One picture of all, each panel about `size` pixels wide, `across` of them in a line."""
        return mosaic(self.strips(), size, across)

    def page(self, size: int = 240) -> Page:
        """A page of all, each panel about `size` pixels wide; it needs nothing else."""
        return Page(self.title, self.lead, [Section(s.title, section(s, size)) for s in self.strips()])

    def save(self, path: str | os.PathLike[str], size: int | None = None) -> Path:
        """Writes the page (.html) or the figure (.png). The file appears whole or not at all.

        Raises:
          ArgumentError: the name ends in neither. OSError: it cannot be written there.
        """
        kind = Path(path).suffix.lower()
        if kind in (".html", ".htm"):
            return write(path, self.page(*([] if size is None else [size])).html().encode("utf-8"))
        if kind == ".png":
            return write(path, png_file(self.figure(*([] if size is None else [size]))))
        raise ArgumentError(f"save: {str(path)!r} says no format; end the name in .html or .png").locate()

    def _repr_png_(self) -> bytes:
        return png_file(self.figure())


def png_file(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


@dataclass(frozen=True)
class Projections(Shown):
    """What of each image a method finds for each part of a layer.

    method, layer: what was asked. images: [N,H,W,C].
    values: [N,K,H,W,C], of the k-th part of each image; a map has C = 1.
    parts: for each image its K parts.
    look: how values are drawn. notes: for each image and part a line more, or none.
    """

    method: str
    layer: str
    images: NDArray[Any]
    values: NDArray[Any]
    parts: Sequence[Sequence[Part]]
    look: Look = "projection"
    notes: Sequence[Sequence[str]] = field(default=())
    lead: str = ""

    @property
    def title(self) -> str:  # type: ignore[override]
        return f"{self.method} of {self.layer}"

    def labelled(self, labels: Sequence[str]) -> Self:
        """The same, with what each channel means: a class's name for each.

        Raises:
          ArgumentError: there are fewer labels than channels.
        """
        return replace(self, parts=[labelled(parts, labels) for parts in self.parts])

    def window(self, image: int, part: int) -> tuple[int, int, int, int] | None:
        """The least rectangle (top, left, bottom, right), ends included, outside of which the values are zero; None
        where all are."""
        return window_of(self.values[image, part])

    def strips(self) -> list[Strip]:
        out = []
        for n, (image, parts) in enumerate(zip(self.images, self.parts, strict=True)):
            panels = [Panel(as_photograph(image), "input", f"Image {n}")]
            for k, part in enumerate(parts):
                told = str(part) if not self.notes else f"{part}\n{self.notes[n][k]}"
                panels.append(Panel(self._drawn(n, k), told, f"{self.title}, image {n}, {part}"))
            out.append(Strip(f"Image {n}", tuple(panels)))
        return out

    def _drawn(self, image: int, part: int) -> Picture:
        values = self.values[image, part]
        if self.look == "heat":
            return as_heat(values[..., 0], self.images[image])
        if self.look == "attribution":
            return as_attribution(values)
        single = self.parts[image][part].unit is not None and values.shape[:2] == self.images.shape[1:3]
        around = surroundings(values) if single else None
        if around is None:
            return as_projection(values)
        return stacked(as_photograph(self.images[image])[around], as_projection(values[around]))


def window_of(values: NDArray[Any]) -> tuple[int, int, int, int] | None:
    """The least rectangle (top, left, bottom, right), ends included, that holds all of [H,W,C] that is not zero."""
    rows, columns = np.nonzero(np.any(values != 0, axis=-1))
    if not rows.size:
        return None
    return int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max())


def surroundings(values: NDArray[Any]) -> tuple[slice, slice] | None:
    """A square a little larger than the window of [H,W,C]; None where that is most of the image, or the image small."""
    window, (height, width) = window_of(values), values.shape[:2]
    if window is None or min(height, width) < SMALL_IMAGE:
        return None
    top, left, bottom, right = window
    side = max(bottom - top, right - left) + 1
    side += 2 * max(side // 8, 1)
    if side > 0.7 * min(height, width):
        return None
    y = min(max((top + bottom + 1 - side) // 2, 0), height - side)
    x = min(max((left + right + 1 - side) // 2, 0), width - side)
    return slice(y, y + side), slice(x, x + side)
