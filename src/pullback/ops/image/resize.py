"""The public functions that resize images."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import Shape_
from pullback.core.dtypes import float32, int32
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.spec import known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import ExpandDims, Squeeze, dims
from pullback.ops.image.sampling import (
    ResizeArea,
    ResizeBicubic,
    ResizeBilinear,
    ResizeNearestNeighbor,
    ScaleAndTranslate,
)
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce_functions import reduce_min
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast


@public("image.ResizeMethod", v1=None)
class ResizeMethod:
    """The methods of `image.resize`."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


@public(v1="image.ResizeMethod")
class ResizeMethodV1:
    """The methods of TensorFlow 1's `image.resize`."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


# Method of TensorFlow 2 -> kernel of ScaleAndTranslate, where it is that op's.
_KERNELS = {
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
    "gaussian": "gaussian",
    "mitchellcubic": "mitchellcubic",
}
_SMOOTHED = {"bilinear": "triangle", "bicubic": "keyscubic"}  # with antialias
_V1 = {0: "bilinear", 1: "nearest", 2: "bicubic", 3: "area"}


def _resized(images: Any, size: Any, preserve: bool, name: str | None, by: Any) -> Tensor:
    """`by(images, size)` of a batch of images, or of one image as a batch of one; images that have the size already
    are left as they are."""
    with scope(name, "resize", images):
        x = interpreter.as_tensor(images)
        if x.spec.rank not in (None, 3, 4):
            raise ShapeError(
                f"resize: images must have 3 or 4 dimensions, [height,width,channels] or a batch of these, "
                f"not {x.shape}"
            ).locate()
        single = x.spec.rank == 3
        if single:
            x = ExpandDims()(x, 0)
        to = interpreter.as_tensor(dims(size), int32)
        if to.spec.shape is not None and to.spec.shape != (2,):
            raise ShapeError(f"resize: size must be (height, width), but has shape {to.shape}").locate()
        have = None if x.spec.shape is None else x.spec.shape[1:3]
        wanted = _known(to)
        if preserve:
            wanted, to = _within(x, have, wanted, to)
        same = have is not None and None not in have and have == wanted
        y = x if same else by(x, to)
        return Squeeze((0,))(y) if single else y


def _known(size: Any) -> Any:
    value = interpreter.static_value(size) if hasattr(size, "value") else known_vector(size.spec)
    return None if value is None or None in value else value


def _within(x: Tensor, have: Any, wanted: Any, to: Any) -> tuple[Any, Any]:
    """The largest size of the image's own proportions within the one wanted, known and as a tensor."""
    if have is not None and None not in have and wanted is not None:
        current = np.array(have, np.float32)
        made = tuple(int(n) for n in np.round(np.min(np.array(wanted, np.float32) / current) * current))
        return made, interpreter.as_tensor(made, int32)
    current = Cast(float32)(Shape_()(x)[1:3])
    factor = reduce_min(Cast(float32)(to) / current)
    return None, Cast(int32)(m.Round()(factor * current))


@public("image.resize", v1=None)
def resize(
    images: Any,
    size: Any,
    method: str = ResizeMethod.BILINEAR,
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Tensor:
    """Images in another size; pixels are squares whose centers lie at halves.

    Args:
      images: [N,H,W,C] or [H,W,C], numbers.
      size: (height, width) in pixels.
      method: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian" or "mitchellcubic".
      preserve_aspect_ratio: make the largest picture of the same proportions that fits into size.
      antialias: widen the kernel when shrinking; not of "nearest" and "area".
    Returns:
      [N,height,width,C] or [height,width,C], float32; of "nearest", and where the size is the same already, of the
      images' own type.
    Raises:
      ShapeError: images or size have another number of axes. ArgumentError: there is no such method.
    Gradient: every order, of "area" too.
    """

    def by(x: Tensor, to: Tensor) -> Tensor:
        kernel = _KERNELS.get(method) or (_SMOOTHED.get(method) if antialias else None)
        if kernel is not None:
            scale = Cast(float32)(to) / Cast(float32)(Shape_()(x)[1:3])
            return ScaleAndTranslate(kernel, bool(antialias))(Cast(float32)(x), to, scale, (0.0, 0.0))
        return _plain(method, False, True)(x, to)

    if method not in (*_KERNELS, *_V1.values()):
        raise ArgumentError(
            f"resize: method must be one of {sorted((*_KERNELS, *_V1.values()))}, not {method!r}"
        ).locate()
    return _resized(images, size, preserve_aspect_ratio, name, by)


def _plain(method: str, align_corners: bool, half_pixel_centers: bool) -> Any:
    """The op of a method without a kernel of its own choice."""
    if method == "area":
        return ResizeArea(align_corners)
    of = {"bilinear": ResizeBilinear, "nearest": ResizeNearestNeighbor, "bicubic": ResizeBicubic}[method]
    return of(align_corners, half_pixel_centers)


@public(v1=("image.resize", "image.resize_images"))
def resize_v1(
    images: Any,
    size: Any,
    method: Any = ResizeMethodV1.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: str | None = None,
) -> Tensor:
    """Images in another size, as TensorFlow 1 resizes: pixel i of the result looks at i H / height of the input, with
    align_corners at i (H - 1) / (height - 1).

    Args:
      images: [N,H,W,C] or [H,W,C], numbers. size: (height, width) in pixels.
      method: of `ResizeMethod`: 0 bilinear, 1 nearest, 2 bicubic, 3 area, or the word.
      preserve_aspect_ratio: make the largest picture of the same proportions that fits into size.
    Raises:
      ShapeError: images or size have another number of axes. ArgumentError: there is no such method.
    """
    word: str = _V1.get(method, method)  # type: ignore[assignment]
    if word not in _V1.values():
        raise ArgumentError(f"resize: method must be one of {_V1}, not {method!r}").locate()
    return _resized(images, size, preserve_aspect_ratio, name, _plain(word, bool(align_corners), False))


@public(v1="image.resize_bilinear")
def resize_bilinear(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Images [N,H,W,C] in another size, each pixel between the nearest two rows and columns; float32."""
    return ResizeBilinear(bool(align_corners), bool(half_pixel_centers))(images, dims(size), name=name)


@public(v1="image.resize_nearest_neighbor")
def resize_nearest_neighbor(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Images [N,H,W,C] in another size, each pixel a copy of the nearest; of the images' type."""
    return ResizeNearestNeighbor(bool(align_corners), bool(half_pixel_centers))(images, dims(size), name=name)


@public(v1="image.resize_bicubic")
def resize_bicubic(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Images [N,H,W,C] in another size, each pixel by a cubic through four rows and columns; float32."""
    return ResizeBicubic(bool(align_corners), bool(half_pixel_centers))(images, dims(size), name=name)


@public(v1="image.resize_area")
def resize_area(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Tensor:
    """Images [N,H,W,C] in another size, each pixel the mean of the area it covers; float32."""
    return ResizeArea(bool(align_corners))(images, dims(size), name=name)
