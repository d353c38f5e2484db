"""`tf.raw_ops`: ops by their own names, inputs and attributes, which are given by keyword only."""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import dims
from pullback.ops.image import sampling
from pullback.ops.math import clipping
from pullback.ops.nn.fused_norm import FusedBatchNormV3
from pullback.ops.nn.response_norm import LRN
from pullback.ops.raw_op import keywords_only


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


class FusedBatchNormV3Outputs(NamedTuple):
    """What FusedBatchNormV3 answers."""

    y: Tensor
    batch_mean: Tensor
    batch_variance: Tensor
    reserve_space_1: Tensor
    reserve_space_2: Tensor
    reserve_space_3: Tensor


@public("raw_ops.FusedBatchNormV3")
@keywords_only
def raw_fused_batch_norm_v3(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any,
    variance: Any,
    epsilon: float = 0.0001,
    exponential_avg_factor: float = 1,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
) -> Any:
    """Batch normalisation and its statistics, as one op."""
    made = FusedBatchNormV3(float(epsilon), float(exponential_avg_factor), data_format, is_training)
    return FusedBatchNormV3Outputs(*made(x, scale, offset, mean, variance, name=name))


@public("raw_ops.LRN")
@keywords_only
def raw_lrn(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: str | None = None
) -> Tensor:
    """Local response normalisation, as one op."""
    return LRN(int(depth_radius), float(bias), float(alpha), float(beta))(input, name=name)
