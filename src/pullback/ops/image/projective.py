"""Images seen through a projective transform, as ops.

    y[n,p,q,c] = x[n,h,w,c]     w = (a0 q + a1 p + a2) / k     h = (b0 q + b1 p + b2) / k     k = c0 q + c1 p + 1

with the transform's row (a0, a1, a2, b0, b1, b2, c0, c1). Between pixels it takes the nearest or goes in
proportion; beyond the border it takes fill_value, or what fill_mode folds the place to. Linear in the image:

    ImageProjectiveTransformV2, V3 <-> ImageProjectiveTransformGrad

are each other's adjoints, so every order of derivative exists. (TensorFlow's gradient looks through the inverse
transform instead, which is only near the derivative.) Places are reckoned in float32, as TensorFlow's kernel does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.basics import shape_of
from pullback.core.dtypes import float16, float32, float64, int32, int64, uint8
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import NotDifferentiable, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import dims
from pullback.ops.image.sampling import height_width, image_shape, over_batch, sides
from pullback.ops.raw_op import keywords_only

_MODES = ("CONSTANT", "REFLECT", "WRAP", "NEAREST")
_WAYS = ("NEAREST", "BILINEAR")


def folded(at: Any, n: int, mode: str) -> Any:
    """Places along an axis of n pixels, those beyond it brought back: REFLECT (dcba|abcd|dcba), WRAP (abcd|abcd|abcd),
    NEAREST (aaaa|abcd|dddd); CONSTANT leaves them."""
    if mode == "CONSTANT":
        return at
    if mode == "NEAREST" or n <= 1:
        return np.clip(at, 0, max(n - 1, 0))
    low, high = at < 0, at > n - 1
    if mode == "WRAP":
        before = at + n * (np.trunc(-at / np.float32(n - 1)) + 1)
        after = at - n * np.trunc(at / np.float32(n - 1))
    else:
        whole = np.float32(2 * n)
        before = np.where(at < whole, at + whole * np.trunc(-at / whole), at)
        before = np.where(before < -n, before + whole, -before - 1)
        after = at - whole * np.trunc(at / whole)
        after = np.where(after >= n, whole - after - 1, after)
    return np.clip(np.where(low, before, np.where(high, after, at)), 0, n - 1)


def places(transforms: Any, images: int, size: Any, out: Any, mode: str) -> Any:
    """(rows, columns) that each pixel of the result looks at, float32 [images,P,Q] each; nan where k is 0."""
    t = np.broadcast_to(np.asarray(transforms, np.float32), (images, 8))[:, :, None, None]
    q, p = np.meshgrid(np.arange(out[1], dtype=np.float32), np.arange(out[0], dtype=np.float32))
    k = t[:, 6] * q + t[:, 7] * p + np.float32(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns, rows = ((t[:, i] * q + t[:, i + 1] * p + t[:, i + 2]) / k for i in (0, 3))
    nowhere = ~np.isfinite(columns) | ~np.isfinite(rows) | (k == 0)
    folds = [folded(np.where(nowhere, 0, at), n, mode) for at, n in ((rows, size[0]), (columns, size[1]))]
    return [np.where(nowhere, np.float32(np.nan), at) for at in folds]


def taps(transforms: Any, images: int, size: Any, out: Any, of: Any) -> Iterator[Any]:
    """(rows, columns, weights, inside), [images,P,Q] each: which pixels make up the result, and how much of each.

    Weights of 1 with nothing inside: what looks nowhere."""
    rows, columns = places(transforms, images, size, out, of.fill_mode)
    lost = np.isnan(rows)
    rows, columns = np.nan_to_num(rows, nan=-9.0), np.nan_to_num(columns, nan=-9.0)
    if of.interpolation == "NEAREST":
        near = [np.floor(np.abs(at) + np.float32(0.5)) * np.sign(at) for at in (rows, columns)]  # halves away from 0
        corners = [(near[0], near[1], np.ones(rows.shape))]
    else:
        h, w = np.floor(rows), np.floor(columns)
        dh, dw = (rows - h).astype(np.float64), (columns - w).astype(np.float64)
        corners = [
            (h, w, (1 - dh) * (1 - dw)),
            (h, w + 1, (1 - dh) * dw),
            (h + 1, w, dh * (1 - dw)),
            (h + 1, w + 1, dh * dw),
        ]
    for r, c, weight in corners:
        inside = (r >= 0) & (r < size[0]) & (c >= 0) & (c < size[1]) & ~lost
        clipped = (np.clip(at, 0, n - 1).astype(np.int64) for at, n in ((r, size[0]), (c, size[1])))
        yield *clipped, weight, inside


class _Projective(Op):
    """Base: the options, and what is common to the image's way and back."""

    dtype: Any = (uint8, int32, int64, float16, float32, float64)
    interpolation: str
    fill_mode: str

    def check(self) -> None:
        for value, known, what in ((self.interpolation, _WAYS, "interpolation"), (self.fill_mode, _MODES, "fill_mode")):
            if value not in known:
                raise ArgumentError(f"{self.type}: {what} must be one of {', '.join(known)}, not {value!r}")

    def whole(self, x: Spec, transforms: Spec, size: Spec) -> Spec:
        """The result's Spec.

        Raises:
          ShapeError: the transforms are not one, or one an image.
        """
        n, _, _, c = image_shape(self.type, x)
        rows = transforms.shape
        fits = shape.compatible(rows, (None, 8)) and (rows is None or None in (rows[0], n) or rows[0] in (1, n))
        if not fits:
            raise ShapeError(
                f"{self.type}: transforms must be [{n},8] or [1,8] for images {shape.text(x.shape)}, but are "
                f"{shape.text(rows)}"
            )
        return Spec((n, *sides(self.type, size), c), x.dtype)

    def seen(self, x: Any, transforms: Any, size: Any, fill: Any) -> Any:
        """The result, in the images' type."""
        n = np.arange(len(x))[:, None, None]
        y = np.zeros((len(x), int(size[0]), int(size[1]), x.shape[3]), np.float64)
        for rows, columns, weight, inside in taps(transforms, len(x), x.shape[1:3], y.shape[1:3], self):
            y += np.where(inside[..., None], x[n, rows, columns], fill) * weight[..., None]
        return y.astype(x.dtype)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        rows = inputs[1].spec.shape if hasattr(inputs[1], "spec") else None
        return over_batch(self, size, inputs, axes, (0,)) if rows is not None and rows[0] == 1 else NotImplemented

    def back(self, node: Any, dy: Any) -> Any:
        x, transforms = node.inputs[:2]
        made = ImageProjectiveTransformGrad(self.interpolation, self.fill_mode)
        return made(dy, transforms, height_width(x)), NotDifferentiable("transforms are taken as given")


@op
class ImageProjectiveTransformV2(_Projective):
    """Images through projective transforms; 0 beyond the border. x [N,H,W,C], transforms [N or 1,8], size [2]"""

    signature = "images: dtype, transforms: float32, output_shape: int32 -> transformed_images: dtype"
    dtype = _Projective.dtype
    static = (2,)
    interpolation: str = "BILINEAR"
    fill_mode: str = "CONSTANT"

    def infer(self, x: Spec, transforms: Spec, size: Spec) -> Spec:
        return self.whole(x, transforms, size)

    def reference(self, x: Any, transforms: Any, size: Any) -> Any:
        return self.seen(x, transforms, size, 0.0)

    def grad(self, node: Any, dy: Any) -> Any:
        return *self.back(node, dy), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(2, 4, 5, 2))
        turn = np.array([[0.8, -0.55, 1.3, 0.6, 0.83, -0.7, 0.01, -0.02]], np.float32)
        for mode in _MODES:
            for way in _WAYS:
                yield Sample(cls(way, mode), (x, turn, np.array((3, 6), np.int32)), wrt=(0,))
        each = np.concatenate([turn, [[1, 0, 0.25, 0, 1, -1.5, 0, 0]]]).astype(np.float32)
        yield Sample(cls(), (x, each, np.array((4, 5), np.int32)), wrt=(0,), name="one_each")
        yield Sample(cls(), (x[:0], turn, np.array((4, 5), np.int32)), wrt=(0,), name="no_batch")
        for t in cls.dtype:
            y = rng.integers(0, 9, (1, 3, 3, 1)).astype(t.numpy)
            wrt = (0,) if t.is_differentiable else ()
            yield Sample(cls("NEAREST"), (y, turn, np.array((2, 2), np.int32)), wrt=wrt, order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        x, turn = np.ones((2, 3, 3, 1)), np.ones((1, 8), np.float32)
        yield lambda: cls()(x, np.ones((3, 8), np.float32), (2, 2)), ShapeError, "must be [2,8] or [1,8]"
        yield lambda: cls()(x[0], turn, (2, 2)), ShapeError, "must be [batch,height,width,channels]"
        yield lambda: cls("CUBIC"), ArgumentError, "interpolation must be one of NEAREST, BILINEAR"
        yield lambda: cls("NEAREST", "MIRROR"), ArgumentError, "fill_mode must be one of"


@op
class ImageProjectiveTransformV3(_Projective):
    """Images through projective transforms; fill_value beyond the border."""

    signature = "images: dtype, transforms: float32, output_shape: int32, fill: float32 -> transformed_images: dtype"
    dtype = _Projective.dtype
    static = (2,)
    interpolation: str = "BILINEAR"
    fill_mode: str = "CONSTANT"

    def infer(self, x: Spec, transforms: Spec, size: Spec, fill: Spec) -> Spec:
        if not shape.compatible(fill.shape, ()):
            raise ShapeError(f"{self.type}: fill_value must be a scalar, but has shape {shape.text(fill.shape)}")
        return self.whole(x, transforms, size)

    def reference(self, x: Any, transforms: Any, size: Any, fill: Any) -> Any:
        return self.seen(x, transforms, size, float(fill))

    def grad(self, node: Any, dy: Any) -> Any:
        return *self.back(node, dy), None, NotDifferentiable("fill_value is taken as given")

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(2, 4, 5, 2))
        turn = np.array([[0.8, -0.55, 1.3, 0.6, 0.83, -0.7, 0, 0]], np.float32)
        for way in _WAYS:
            yield Sample(cls(way), (x, turn, np.array((3, 6), np.int32), np.array(0.5, np.float32)), wrt=(0,), order=1)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        x, turn = np.ones((2, 3, 3, 1)), np.ones((1, 8), np.float32)
        yield lambda: cls()(x, turn, (2, 2), np.ones(2, np.float32)), ShapeError, "must be a scalar"


@op
class ImageProjectiveTransformGrad(_Projective):
    """The adjoint: each cotangent spread over the pixels it was made of. dy [N,P,Q,C], size: (H, W) of the images"""

    signature = "grads: dtype, transforms: float32, size: int32 -> output: dtype"
    dtype = (float16, float32, float64)
    static = (2,)
    interpolation: str = "BILINEAR"
    fill_mode: str = "CONSTANT"

    def infer(self, dy: Spec, transforms: Spec, size: Spec) -> Spec:
        return self.whole(dy, transforms, size)

    def reference(self, dy: Any, transforms: Any, size: Any) -> Any:
        n = np.arange(len(dy))[:, None, None]
        dx = np.zeros((len(dy), int(size[0]), int(size[1]), dy.shape[3]), np.float64)
        for rows, columns, weight, inside in taps(transforms, len(dy), dx.shape[1:3], dy.shape[1:3], self):
            np.add.at(dx, (n, rows, columns), dy * (weight * inside)[..., None])
        return dx.astype(dy.dtype)

    def grad(self, node: Any, dx: Any) -> Any:
        dy, transforms = node.inputs[:2]
        made = ImageProjectiveTransformV2(self.interpolation, self.fill_mode)
        return made(dx, transforms, shape_of(dy)[1:3]), NotDifferentiable("transforms are taken as given"), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        turn = np.array([[0.8, -0.55, 1.3, 0.6, 0.83, -0.7, 0.01, -0.02]], np.float32)
        dy = rng.normal(size=(2, 3, 6, 2))
        for mode in _MODES[:2]:
            yield Sample(cls("BILINEAR", mode), (dy, turn, np.array((4, 5), np.int32)), wrt=(0,))
        for t in cls.dtype:
            yield Sample(cls("NEAREST"), (dy.astype(t.numpy), turn, np.array((2, 3), np.int32)), wrt=(0,), order=1)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        turn = np.ones((1, 8), np.float32)
        yield lambda: cls()(np.ones((2, 2, 2)), turn, (2, 2)), ShapeError, "must be [batch,height,width,channels]"


@public("raw_ops.ImageProjectiveTransformV2")
@keywords_only
def raw_projective_transform_v2(
    images: Any, transforms: Any, output_shape: Any, interpolation: str, fill_mode: str = "CONSTANT",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Images [N,H,W,C] through projective transforms [N or 1,8], 0 beyond the border. output_shape: (height, width)."""
    return ImageProjectiveTransformV2(interpolation, fill_mode)(images, transforms, dims(output_shape), name=name)


@public("raw_ops.ImageProjectiveTransformV3")
@keywords_only
def raw_projective_transform_v3(
    images: Any, transforms: Any, output_shape: Any, fill_value: Any, interpolation: str, fill_mode: str = "CONSTANT",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Images [N,H,W,C] through projective transforms [N or 1,8], fill_value beyond the border."""
    made = ImageProjectiveTransformV3(interpolation, fill_mode)
    return made(images, transforms, dims(output_shape), fill_value, name=name)
