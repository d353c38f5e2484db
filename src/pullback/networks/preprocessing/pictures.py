"""keras.preprocessing.image: picture files, Pillow's images, and arrays of their pixels."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.io import atomic
from pullback.layers import phase
from pullback.layers.image_framing import to_aspect
from pullback.ops.array.layout import transpose
from pullback.ops.array.shape import expand_dims, squeeze
from pullback.ops.image.resize import resize

# Formats that Pillow reads by itself: those it would start another program for are left out.
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP")
_BETWEEN = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
# For each color_mode the mode of Pillow's image, and which others it may have.
_MODES = {"grayscale": ("L", ("L", "I;16", "I")), "rgb": ("RGB", ("RGB",)), "rgba": ("RGBA", ("RGBA",))}


@public("keras.utils.load_img", "keras.preprocessing.image.load_img")
def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """The picture in a file (PNG, JPEG, GIF, BMP, PPM, TIFF or WebP), as Pillow's image.

    Args:
      path: of the file, or an io.BytesIO of its bytes.
      color_mode: "rgb", "rgba" or "grayscale"; grey of 16 or 32 bits keeps them.
      target_size: (height, width) in pixels to which it is resized; its own by default.
      interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
      keep_aspect_ratio: resizes the largest part about the centre that has target_size's proportions.
    Raises:
      TypeError: path is neither. ValueError: color_mode or interpolation is not known.
      PIL.UnidentifiedImageError: the file is none of these pictures.
    """
    from PIL import Image

    if isinstance(path, io.BytesIO):
        image = Image.open(path, formats=_FORMATS)
    elif isinstance(path, (str, bytes, os.PathLike)):
        with open(path, "rb") as file:
            image = Image.open(io.BytesIO(file.read()), formats=_FORMATS)
    else:
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    if color_mode not in _MODES:
        raise ArgumentError(f'color_mode must be "grayscale", "rgb", or "rgba", but is {color_mode!r}').locate()
    wanted, kept = _MODES[color_mode]
    image = image if image.mode in kept else image.convert(wanted)
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    if interpolation not in _BETWEEN:
        raise ArgumentError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are {', '.join(_BETWEEN)}"
        ).locate()
    box = _largest_part(image.size, target_size) if keep_aspect_ratio else None
    way = Image.Resampling[interpolation.upper()]
    return image.resize((target_size[1], target_size[0]), way, box=box)


def _largest_part(size: tuple[int, int], target: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the largest part of target's proportions about the centre."""
    width, height = size
    high = min(height, width * target[0] // target[1])
    wide = min(width, height * target[1] // target[0])
    top, left = (height - high) // 2, (width - wide) // 2
    return left, top, left + wide, top + high


@public("keras.utils.img_to_array", "keras.preprocessing.image.img_to_array")
def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> Any:
    """Pillow's image as an array [H,W,C], or [C,H,W] for "channels_first"; floats by default.

    Raises:
      ValueError: it is no picture of two or three axes.
    """
    x = np.asarray(img, _kind(dtype))
    if x.ndim not in (2, 3):
        raise ArgumentError(f"Unsupported image shape: {x.shape}").locate()
    x = x[..., None] if x.ndim == 2 else x
    return x.transpose(2, 0, 1) if phase.layout_of(data_format) == "channels_first" else x


def _kind(dtype: Any) -> Any:
    return getattr(dtype, "numpy", dtype) or phase.floatx()


@public("keras.utils.array_to_img", "keras.preprocessing.image.array_to_img")
def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array [H,W,C] (or [C,H,W]) as Pillow's image: grey for one channel, RGB for three, RGBA for four.

    Args:
      scale: the smallest value becomes 0 and the largest 255; otherwise values stand as they are, 0 to 255, and
        a grey picture with larger ones has 32 bits.
      dtype: in which to reckon, float32 by default.
    Raises:
      ValueError: the array has other axes, or another number of channels.
    """
    from PIL import Image

    x = np.asarray(x, _kind(dtype))
    if x.ndim != 3:
        raise ArgumentError(
            f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}"
        ).locate()
    x = x.transpose(1, 2, 0) if phase.layout_of(data_format) == "channels_first" else x
    if scale:
        x = x - np.min(x)
        x = x / (np.max(x) or 1) * 255
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ArgumentError(f"Unsupported channel number: {channels}; a picture has 1, 3 or 4").locate()
    if channels == 1:
        return Image.fromarray(x[:, :, 0].astype("int32" if np.max(x) > 255 else "uint8"))
    return Image.fromarray(x.astype("uint8"))


@public("keras.utils.save_img", "keras.preprocessing.image.save_img")
def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Writes an array as a picture.

    Args:
      path: of the file, or a file open for writing bytes.
      x, data_format, scale: as `array_to_img` takes them.
      file_format: Pillow's name of it; by the path's ending by default. A JPEG of four channels loses the fourth.
      **kwargs: for PIL.Image.save.
    """
    named = isinstance(path, (str, os.PathLike))
    form = (file_format or (Path(path).suffix[1:] if named else "")).lower()
    form = "jpeg" if form == "jpg" else form
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and form == "jpeg":
        warnings.warn("The JPEG format does not support RGBA images, converting to RGB.", stacklevel=2)
        image = image.convert("RGB")
    if not named:
        image.save(path, format=form or None, **kwargs)
        return
    with atomic.written(os.fspath(path)) as file:
        image.save(file, format=form or None, **kwargs)


@public("keras.preprocessing.image.smart_resize")
def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last", **kwargs: Any
) -> Any:
    """Pictures resized without distortion: the largest part about the centre that has size's proportions.

    Args:
      x: [H,W,C] or [N,H,W,C], or with channels before rows for "channels_first"; an array or a tensor.
      size: (height, width) in pixels.
      interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
    Returns:
      What x was, array or tensor, of this size. float32, except that "nearest" keeps the type.
    Raises:
      ValueError: size is no pair, or x has other axes. TypeError: another argument is given.
    """
    if kwargs:
        raise TypeError(f"smart_resize() got unexpected keyword arguments: {list(kwargs)}")
    if len(size) != 2:
        raise ArgumentError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.").locate()
    image: Any = interpreter.as_tensor(x)
    if len(image.shape) not in (3, 4):
        raise ShapeError(
            "Expected an image array with shape `(height, width, channels)`, or `(batch_size, height, width, "
            f"channels)`, but got input with incorrect rank, of shape {image.shape}."
        ).locate()
    single, first = len(image.shape) == 3, phase.layout_of(data_format) == "channels_first"
    image = expand_dims(image, 0) if single else image
    image = transpose(image, [0, 2, 3, 1]) if first else image
    made = resize(to_aspect(image, *size), size, interpolation)
    made = transpose(made, [0, 3, 1, 2]) if first else made
    made = squeeze(made, [0]) if single else made
    return np.array(made) if isinstance(x, np.ndarray) else made
