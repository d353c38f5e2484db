"""Boxes cut out of images and brought to one size.

    y[b,p,q,c] = sum_{h,w} rows[b,p,h] columns[b,q,w] x[box_ind[b],h,w,c]      rows: 1 - |place - h| where positive

Places are linear in the boxes, so the gradients are sums of the same kind, made of ordinary ops; rows bend where a
place is a whole number, and have slope 0 there, as in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.basics import shape_of
from pullback.core.dtypes import INTS, REALS, float32, int32
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.joining import Pack
from pullback.ops.array.ranges import Range
from pullback.ops.array.rows import UnsortedSegmentSum
from pullback.ops.array.shape import ExpandDims, dims, one_of
from pullback.ops.image.sampling import image_shape, sides
from pullback.ops.linalg.einsum import Einsum
from pullback.ops.math import arithmetic as m
from pullback.ops.math.select import Cast
from pullback.ops.nn.activation import Relu


def _ends(places: int) -> tuple[Any, Any]:
    """How much of a box's first and of its second end stands in each place. [places] each"""
    if places == 1:
        return np.full(1, 0.5, np.float32), np.full(1, 0.5, np.float32)
    second = (np.arange(places) / (places - 1)).astype(np.float32)
    return 1 - second, second


@op
class CropAndResize(Op):
    """Boxes of images, each brought to one size; `extrapolation_value` stands where a box leaves its image.

    image [N,H,W,C], boxes [B,4] as parts of height and width (y1, x1, y2, x2), box_ind [B], crop_size [2] -> [B,P,Q,C]
    """

    signature = "image: T, boxes: float32, box_ind: int32, crop_size: int32 -> crops: float32"
    T = (*REALS, *INTS)
    static = (3,)
    method: str = "bilinear"
    extrapolation_value: float = 0.0

    def check(self) -> None:
        if self.method not in ("bilinear", "nearest"):
            raise ArgumentError(f"CropAndResize: method must be 'bilinear' or 'nearest', not {self.method!r}")

    def infer(self, x: Spec, boxes: Spec, which: Spec, size: Spec) -> Spec:
        c = image_shape(self.type, x)[3]
        if not shape.compatible(boxes.shape, (None, 4)):
            raise ShapeError(f"CropAndResize: boxes must be [boxes,4], but have shape {shape.text(boxes.shape)}")
        count = shape.merged(boxes.shape[:1], which.shape, "CropAndResize: box_ind must name an image a box; shapes")  # type: ignore[index]
        return Spec((*count, *sides(self.type, size), c), float32)  # type: ignore[misc]

    def reference(self, x: Any, boxes: Any, which: Any, size: Any) -> Any:
        wrong = which[(which < 0) | (which >= len(x))]
        if wrong.size:
            raise ArgumentError(f"CropAndResize: box_ind {wrong[0]} is not in [0, {len(x)})")
        if not np.isfinite(boxes).all():
            raise ArgumentError("CropAndResize: boxes must be finite, but one holds nan or inf")
        weights, inside = [], []
        for axis in (0, 1):
            n, places = x.shape[1 + axis], int(size[axis])
            first, second = _ends(places)
            at = (boxes[:, axis, None] * first + boxes[:, axis + 2, None] * second) * np.float32(n - 1)
            within = (at >= 0) & (at <= n - 1)
            at = np.where(within, at, 0)
            if self.method == "nearest":
                weights.append(np.arange(n) == np.floor(at + np.float32(0.5))[..., None])
            else:
                weights.append(np.maximum(1 - np.abs(at[..., None] - np.arange(n, dtype=np.float32)), 0))
            inside.append(within)
        rows, columns = (w.astype(np.float64) for w in weights)
        seen = np.einsum("bph,bhwc,bqw->bpqc", rows, x[which].astype(np.float64), columns, optimize=True)
        both = (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
        return np.where(both, seen, self.extrapolation_value).astype(np.float32)

    def grad(self, node: Any, dy: Any) -> Any:
        x, boxes, which, _ = node.inputs
        if x.dtype.is_integer:
            x = Cast(float32)(x)
        out, wide = x.dtype, x if x.dtype is float32 else Cast(float32)(x)
        (rows, row_slopes, row_ends), (columns, column_slopes, column_ends) = (
            self._along(axis, x, boxes, dy) for axis in (0, 1)
        )
        each = Einsum("bpqc,bph,bqw->bhwc")(dy, rows, columns)
        dx = UnsortedSegmentSum()(each, which, shape_of(x)[0])
        if self.method == "nearest":
            return dx if out is float32 else Cast(out)(dx), None, None, None
        seen = GatherV2()(wide, which, 0)
        by_row = Einsum("bpqc,bhwc,bph,bqw->bp")(dy, seen, row_slopes, columns)
        by_column = Einsum("bpqc,bhwc,bph,bqw->bq")(dy, seen, rows, column_slopes)
        parts = [
            Einsum("bp,p->b")(d, e) for k in (0, 1) for d, e in ((by_row, row_ends[k]), (by_column, column_ends[k]))
        ]
        return dx if out is float32 else Cast(out)(dx), Pack(1)(*parts), None, None

    def _along(self, axis: int, x: Any, boxes: Any, dy: Any) -> tuple[Any, Any, Any]:
        """Weights [B,places,n], their slopes by the place, and how places move with a box's two ends, of one axis."""
        n, places = shape_of(x)[1 + axis], shape_of(dy)[1 + axis]
        last = Cast(float32)(n) - 1.0 if isinstance(n, Tensor) else float(n - 1)
        if isinstance(places, Tensor):
            second = Cast(float32)(Range()(0, places, 1))
            ratio = m.DivNoNan()(second, Cast(float32)(places) - 1.0)
            alone = Cast(float32)(m.Equal()(places, 1)) * 0.5
            ends = [1.0 - ratio - alone, ratio + alone]
        else:
            ends = list(_ends(places))
        ends = [e * last for e in ends]
        at = ExpandDims()(boxes[:, axis], 1) * ends[0] + ExpandDims()(boxes[:, axis + 2], 1) * ends[1]
        inside = Cast(float32)(m.LogicalAnd()(m.GreaterEqual()(at, 0.0), m.LessEqual()(at, last)))
        inside = ExpandDims()(inside, 2)
        pixel = Cast(float32)(Range()(0, n, 1))
        if self.method == "nearest":
            nearest = ExpandDims()(m.Floor()(at + 0.5), 2)
            return Cast(float32)(m.Equal()(nearest, pixel)) * inside, None, ends
        off = ExpandDims()(at, 2) - pixel
        near = Relu()(1.0 - m.Abs()(off))
        slopes = -m.Sign()(off) * Cast(float32)(m.Greater()(near, 0.0))
        return near * inside, slopes * inside, ends

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        boxes = np.array([[0.1, 0.2, 0.8, 0.9], [0.9, 0.1, 0.3, 1.2]], np.float32)
        which = np.array([1, 0], np.int32)
        x = rng.normal(size=(2, 4, 5, 2))
        for size in ((3, 2), (1, 4)):
            args = (x.astype(np.float32), boxes, which, np.array(size, np.int32))
            yield Sample(cls(), args, wrt=(0, 1), smooth=False, order=2, name=f"bilinear{size}")
        yield Sample(cls("nearest", 0.5), (x, boxes, which, np.array((3, 2), np.int32)), wrt=(0,), smooth=False)
        yield Sample(cls(), (x, boxes[:0], which[:0], np.array((3, 2), np.int32)), wrt=(0,), smooth=False, name="none")
        for t in (INTS[0], *REALS[:1]):
            args = (np.ones((2, 2, 2, 1), t.numpy), boxes, which, np.array((2, 2), np.int32))
            yield Sample(cls(), args, wrt=(1,), smooth=False, order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        x, box, one = np.ones((1, 2, 2, 1)), np.zeros((1, 4), np.float32), np.array([1], np.int32)
        yield lambda: cls()(x, box, one, (2, 2)), ArgumentError, "box_ind 1 is not in [0, 1)"
        yield lambda: cls()(x, box[:, :3], one, (2, 2)), ShapeError, "must be [boxes,4]"
        yield lambda: cls("cubic"), ArgumentError, "'bilinear' or 'nearest'"


@public("image.crop_and_resize", v1=None)
def crop_and_resize(
    image: Any,
    boxes: Any,
    box_indices: Any,
    crop_size: Any,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """Boxes cut out of images and brought to one size.

    Args:
      image: [N,H,W,C], numbers. boxes: float32 [B,4], (y1, x1, y2, x2) as parts of H - 1 and W - 1; y1 > y2 turns the
        picture around. box_indices: int32 [B], each box's image. crop_size: (height, width) in pixels.
      method: "bilinear" or "nearest". extrapolation_value: what stands where a box leaves its image.
    Returns:
      [B,height,width,C], float32.
    Raises:
      ArgumentError: a box names no image. ShapeError: the shapes do not fit.
    Gradient: to the image, and with "bilinear" to the boxes; at whole places 0.
    """
    from pullback.core import interpreter

    which = interpreter.as_tensor(box_indices, None if isinstance(box_indices, Tensor) else int32)
    return CropAndResize(method, float(extrapolation_value))(image, boxes, which, dims(crop_size), name=name)


@public(v1="image.crop_and_resize")
def crop_and_resize_v1(
    image: Any,
    boxes: Any,
    box_ind: Any = None,
    crop_size: Any = None,
    method: str = "bilinear",
    extrapolation_value: float = 0,
    name: str | None = None,
    box_indices: Any = None,
) -> Tensor:
    """As `crop_and_resize`; `box_ind` is an earlier name of `box_indices`."""
    which = one_of("box_indices", box_indices, "box_ind", box_ind, required=True)
    if crop_size is None:
        raise ArgumentError("crop_and_resize: crop_size must be given").locate()
    return crop_and_resize(image, boxes, which, crop_size, method, extrapolation_value, name)
