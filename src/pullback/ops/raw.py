"""`tf.raw_ops`: ops by their own names, inputs and attributes, which are given by keyword only."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import dims
from pullback.ops.image import sampling
from pullback.ops.math import clipping
from pullback.ops.nn.conv.functions import keywords_only


@public("raw_ops.ClipByValue")
@keywords_only
def raw_clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Tensor:
    """`clip_by_value` as one op."""
    return clipping.ClipByValue()(t, clip_value_min, clip_value_max, name=name)


@public("raw_ops.ResizeBilinear")
@keywords_only
def raw_resize_bilinear(
    images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False, name: str | None = None
) -> Tensor:
    """Bilinear resizing of [N,H,W,C]; float32."""
    return sampling.ResizeBilinear(align_corners, half_pixel_centers)(images, dims(size), name=name)


@public("raw_ops.ResizeNearestNeighbor")
@keywords_only
def raw_resize_nearest_neighbor(
    images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False, name: str | None = None
) -> Tensor:
    """Resizing of [N,H,W,C] by copies of the nearest pixel."""
    return sampling.ResizeNearestNeighbor(align_corners, half_pixel_centers)(images, dims(size), name=name)


@public("raw_ops.ResizeBicubic")
@keywords_only
def raw_resize_bicubic(
    images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False, name: str | None = None
) -> Tensor:
    """Bicubic resizing of [N,H,W,C]; float32."""
    return sampling.ResizeBicubic(align_corners, half_pixel_centers)(images, dims(size), name=name)
