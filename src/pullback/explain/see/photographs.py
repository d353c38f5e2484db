"""Image files as a network takes them: size, colours, scale."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from pullback.core.errors import ArgumentError


@dataclass(frozen=True)
class Preparation:
    """What is done to an image file.

    size: (height, width) that it is resized to; None leaves it. channels: 3 (colours) or 1 (grey).
    scale: black and white become these. mean, std: then taken away, and divided by; a number or one a channel.
    invert: black on white becomes white on black, before the scale.
    """

    size: tuple[int, int] | None = None
    channels: int = 3
    scale: tuple[float, float] = (0.0, 1.0)
    mean: float | Sequence[float] = 0.0
    std: float | Sequence[float] = 1.0
    invert: bool = False

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ArgumentError(f"images: channels={self.channels}; 3 (colours) or 1 (grey)")
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise ArgumentError(f"images: size={self.size}; (height, width) in pixels")

    def changed(self, told: Mapping[str, Any]) -> Preparation:
        """With other choices.

        Raises:
          ArgumentError: there is no choice of that name.
        """
        known = [f.name for f in fields(self)]
        unknown = [k for k in told if k not in known]
        if unknown:
            raise ArgumentError(f"IMAGES: {unknown[0]!r} is nothing that can be chosen; these are: {', '.join(known)}")
        return replace(self, **told)

    def read(self, path: str | os.PathLike[str]) -> NDArray[np.float32]:
        """An image file as [H,W,C].

        Raises:
          ArgumentError: it is no image, or is damaged. OSError: it cannot be read.
        """
        try:
            with Image.open(path) as opened:
                image = ImageOps.exif_transpose(opened).convert("L" if self.channels == 1 else "RGB")
        except UnidentifiedImageError:
            raise ArgumentError(f"{path}: no image that can be read (PNG, JPEG, ...)") from None
        except (Image.DecompressionBombError, SyntaxError) as error:
            raise ArgumentError(f"{path}: {error}") from None
        if self.size is not None and (image.height, image.width) != tuple(self.size):
            image = image.resize((self.size[1], self.size[0]), Image.Resampling.LANCZOS)
        values = np.asarray(image, np.float32).reshape(image.height, image.width, self.channels) / np.float32(255)
        values = 1 - values if self.invert else values
        low, high = self.scale
        values = low + (high - low) * values
        return ((values - np.asarray(self.mean)) / np.asarray(self.std)).astype(np.float32)

    def read_all(self, paths: Sequence[str | os.PathLike[str]]) -> NDArray[np.float32]:
        """Image files as a batch [N,H,W,C].

        Raises: as `read`. ArgumentError: their sizes differ and no size was chosen.
        """
        images = [self.read(path) for path in paths]
        sizes = {image.shape[:2] for image in images}
        if len(sizes) > 1:
            told = ", ".join(f"{h}x{w}" for h, w in sorted(sizes))
            raise ArgumentError(f"the images have different sizes ({told}); choose one with --size HEIGHTxWIDTH")
        return np.stack(images)
