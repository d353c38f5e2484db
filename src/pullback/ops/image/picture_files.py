"""Picture files as Pillow reads them: their sizes are bounded, and whatever Pillow raises becomes an error of ours."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import DType, uint8, uint16
from pullback.core.errors import InvalidArgumentError, OpError

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_FORMATS = ("PNG", "JPEG", "GIF", "BMP")
_LARGEST = 2**30  # bytes of pixels


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Whatever Pillow raises while it reads a damaged file is an error of the file; of large ones it need not warn.

    Raises:
      InvalidArgumentError: the file cannot be read.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except OpError:
        raise
    except Exception as error:
        raise InvalidArgumentError(f"the picture cannot be decoded: {error}") from error


def opened(data: bytes) -> Any:
    """The picture in a file.

    Raises:
      InvalidArgumentError: it is none of the four formats, or its pixels would take more than 2^30 bytes.
    """
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise InvalidArgumentError(f"the picture is too large to be decoded: {error}") from None
    except Exception as error:
        raise InvalidArgumentError(
            f"Unknown image file format. One of JPEG, PNG, GIF, BMP required; {len(data)} bytes were given ({error})"
        ) from None
    _bounded(image, 1)
    return image


def _bounded(image: Any, frames: int) -> None:
    width, height = image.size
    if width * height * frames * len(image.getbands()) > _LARGEST:
        raise InvalidArgumentError(
            f"the picture is too large to be decoded: {frames} frames of {height} x {width} pixels take more than 2^30 "
            "bytes"
        )


def pixels(image: Any, channels: int, dtype: DType) -> Any:
    """A picture's pixels [H,W,C]; channels 0: as many as it has."""
    wide = image.mode.startswith("I;16") or image.mode == "I"
    if wide:
        grey = np.asarray(image).astype(np.uint16)
        values = np.repeat(grey[..., None], channels or 1, -1)
        if channels in (2, 4):
            values[..., -1] = 65535
        return values if dtype is uint16 else (values >> 8).astype(np.uint8)
    own = {"1": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 3, "YCbCr": 3}.get(image.mode)
    if own is None:
        own = 4 if "transparency" in image.info else 3
    values = np.asarray(image.convert(MODES[channels or own]))
    if channels == 1 and own > 2 and image.format == "PNG":
        values = _luma(np.asarray(image.convert("RGB")))
    values = values[..., None] if values.ndim == 2 else values
    return values if dtype is uint8 else values.astype(np.uint16) * np.uint16(257)


def _luma(rgb: Any) -> Any:
    """Grey of red, green and blue, as libpng rounds it."""
    return (rgb.astype(np.int64) @ np.array([9797, 19234, 3737]) >> 15).astype(np.uint8)


def frames_of(image: Any) -> Any:
    """All frames of a GIF, [N,H,W,3]."""
    from PIL import ImageSequence

    frames = []
    for frame in ImageSequence.Iterator(image):
        _bounded(frame, len(frames) + 1)
        frames.append(np.asarray(frame.convert("RGB")))
    return np.stack(frames)
