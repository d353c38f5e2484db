"""Resizing as ops. Each is linear in the image, rows and columns apart:

    y[n,p,q,c] = sum_{h,w} rows[p,h] columns[q,w] x[n,h,w,c]        x [N,H,W,C] -> y [N,P,Q,C]

    ResizeBilinear <-> ResizeBilinearGrad      ResizeBicubic <-> ResizeBicubicGrad      ResizeArea <-> ResizeAreaGrad
    ResizeNearestNeighbor <-> ResizeNearestNeighborGrad          ScaleAndTranslate <-> ScaleAndTranslateGrad

each other's adjoints, so that every order of derivative exists. As in TensorFlow, results of all but the nearest
neighbour are float32 whatever the image is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.basics import shape_of
from pullback.core.dtypes import INTS, REALS, float32
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.image import weights

_NUMBERS = (*REALS, *INTS)


def image_shape(op_type: str, x: Spec) -> Any:
    """The shape [N,H,W,C] of an image.

    Raises:
      ShapeError: it has another number of axes, or no pixels.
    """
    if len(x.shape or ()) != 4:
        raise ShapeError(f"{op_type}: the image must be [batch,height,width,channels], not {shape.text(x.shape)}")
    if 0 in x.shape[1:3]:  # type: ignore[index]
        raise ShapeError(f"{op_type}: the image has no pixels: {shape.text(x.shape)}")
    return x.shape


def sides(op_type: str, size: Spec) -> Any:
    """(height, width), as far as known.

    Raises:
      ShapeError: size is not a vector of two numbers. ArgumentError: one is below 1.
    """
    known = known_vector(size)
    if not shape.compatible(size.shape, (2,)) or (known is not None and len(known) != 2):
        raise ShapeError(f"{op_type}: size must be (height, width), but has shape {shape.text(size.shape)}")
    if known is not None and any(n is not None and n < 1 for n in known):
        raise ArgumentError(f"{op_type}: size must be at least 1 pixel, but is {known}")
    return known or (None, None)


def mixed(x: Any, rows: Any, columns: Any, dtype: Any) -> Any:
    """y[n,p,q,c] = sum_{h,w} rows[p,h] columns[q,w] x[n,h,w,c]"""
    y = np.tensordot(rows, np.asarray(x, np.float64), (1, 1))  # [P,N,W,C]
    y = np.tensordot(columns, y, (1, 2))  # [Q,P,N,C]
    return y.transpose(2, 1, 0, 3).astype(dtype)


def height_width(x: Any) -> Any:
    """Height and width of an image, as a static input."""
    return shape_of(x)[1:3]


def over_batch(op_: Op, size: Any, inputs: Any, axes: Any, images: tuple[int, ...]) -> Any:
    """The op over stacked images, which become one longer batch of images."""
    if any(a is not None for i, a in enumerate(axes) if i not in images):
        return NotImplemented
    if any(not inputs[i].spec.known or axes[i] is None for i in images):
        return NotImplemented
    given = list(inputs)
    for i in images:
        n = inputs[i].spec.shape
        given[i] = REGISTRY["Reshape"]()(inputs[i], (n[0] * n[1], *n[2:]))
    y = op_(*given)
    if not y.spec.known:
        return NotImplemented
    count = inputs[images[0]].spec.shape[1]
    return REGISTRY["Reshape"]()(y, (size, count, *y.spec.shape[1:])), 0


class _Resize(Op):
    """Base of the resizing ops. x [N,H,W,C], size [2] -> y [N,P,Q,C]"""

    signature = "images: T, size: int32 -> resized_images: float32"
    T = _NUMBERS
    static = (1,)
    adjoint: str

    def infer(self, x: Spec, size: Spec) -> Spec:
        n, _, _, c = image_shape(self.type, x)
        return Spec((n, *sides(self.type, size), c), self.parsed.outputs(self, (x, size))[0])

    def matrices(self, n: Any, out: Any) -> tuple[Any, Any]:
        """Weights of rows and of columns, from (height, width) to (height, width)."""
        raise TypeError(f"{self.type} does not say its weights")

    def _both(self, of: Any, n: Any, out: Any) -> tuple[Any, Any]:
        options = [getattr(self, f) for f in self.fields]
        return of(int(n[0]), int(out[0]), *options), of(int(n[1]), int(out[1]), *options)

    def reference(self, x: Any, size: Any) -> Any:
        return mixed(x, *self.matrices(x.shape[1:3], size), np.float32)

    def grad(self, node: Any, dy: Any) -> Any:
        x = node.inputs[0]
        return REGISTRY[self.adjoint](*[getattr(self, f) for f in self.fields])(dy, x), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return over_batch(self, size, inputs, axes, (0,))

    def check(self) -> None:
        if getattr(self, "half_pixel_centers", False) and self.align_corners:  # type: ignore[attr-defined]
            raise ArgumentError(f"{self.type}: align_corners and half_pixel_centers exclude each other; give one")

    @classmethod
    def variants(cls) -> list[Op]:
        """The op with each of its options."""
        return [cls(), cls(True), cls(False, True)] if "half_pixel_centers" in cls.fields else [cls(), cls(True)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        smooth = cls.parsed.results[0].variable == "T"  # differences mean little where the result is float32

        def sample(made: Op, x: Any, size: tuple[int, int], **more: Any) -> Sample:
            return Sample(made, (x, np.array(size, np.int32)), smooth=smooth, **more)

        for made in cls.variants():
            for size in ((5, 2), (3, 7)):
                yield sample(made, rng.normal(size=(2, 3, 4, 2)), size, wrt=(0,))
        yield sample(cls(), np.zeros((0, 3, 4, 1)), (2, 2), wrt=(0,), name="no_batch")
        for t in cls.T:
            x = rng.integers(0, 9, (1, 2, 3, 1)).astype(t.numpy)
            yield sample(cls(), x, (3, 2), wrt=(0,) if t.is_differentiable else (), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        size = np.array((2, 2), np.int32)
        yield lambda: cls()(np.ones((3, 4, 1)), size), ShapeError, "must be [batch,height,width,channels]"
        yield lambda: cls()(np.ones((1, 3, 0, 1)), size), ShapeError, "no pixels"
        yield lambda: cls()(np.ones((1, 3, 4, 1)), (2, 2, 2)), ShapeError, "(height, width)"
        yield lambda: cls()(np.ones((1, 3, 4, 1)), (2, 0)), ArgumentError, "at least 1 pixel"
        if "half_pixel_centers" in cls.fields:
            yield lambda: cls(True, True), ArgumentError, "exclude each other"


class _ResizeGrad(Op):
    """Base of the adjoints. dy [N,P,Q,C], original [N,H,W,C], of which only the shape counts -> dx [N,H,W,C]"""

    signature = "grads: float32, original_image: T -> output: T"
    T = REALS
    forward: str

    def infer(self, dy: Spec, x: Spec) -> Spec:
        image_shape(self.type, dy)
        image_shape(self.type, x)
        return x.with_shape(x.shape)

    def _forward(self) -> Any:
        return REGISTRY[self.forward](*[getattr(self, f) for f in self.fields])

    def reference(self, dy: Any, x: Any) -> Any:
        rows, columns = self._forward().matrices(x.shape[1:3], dy.shape[1:3])
        return mixed(dy, rows.T, columns.T, x.dtype)

    def grad(self, node: Any, dx: Any) -> Any:
        return self._forward()(dx, height_width(node.inputs[0])), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return over_batch(self, size, inputs, axes, (0, 1))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        forward: Any = REGISTRY[cls.forward]
        for other in forward.variants():
            dy, x = (rng.normal(size=(2, *s, 2)) for s in ((5, 2), (3, 4)))
            yield Sample(cls(*[getattr(other, f) for f in cls.fields]), (dy.astype(np.float32), x), wrt=(0,))
        yield Sample(cls(), (np.ones((0, 2, 2, 1), np.float32), np.ones((0, 3, 3, 1))), wrt=(0,), name="no_batch")
        for t in cls.T:
            dy = rng.normal(size=(1, 3, 2, 1)).astype(np.float32)
            yield Sample(cls(), (dy, np.ones((1, 2, 2, 1), t.numpy)), wrt=(0,), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        dy = np.ones((1, 2, 2, 1), np.float32)
        yield lambda: cls()(dy, np.ones((2, 2, 1))), ShapeError, "must be [batch,height,width,channels]"


@op
class ResizeBilinear(_Resize):
    """Each result pixel between the nearest two rows and two columns, in proportion."""

    adjoint = "ResizeBilinearGrad"
    align_corners: bool = False
    half_pixel_centers: bool = False

    def matrices(self, n: Any, out: Any) -> tuple[Any, Any]:
        return self._both(weights.bilinear, n, out)


@op
class ResizeBilinearGrad(_ResizeGrad):
    """The adjoint of ResizeBilinear: each cotangent spread over the pixels it was made of."""

    forward = "ResizeBilinear"
    align_corners: bool = False
    half_pixel_centers: bool = False


@op
class ResizeBicubic(_Resize):
    """Each result pixel by a cubic through four rows and four columns."""

    adjoint = "ResizeBicubicGrad"
    align_corners: bool = False
    half_pixel_centers: bool = False

    def matrices(self, n: Any, out: Any) -> tuple[Any, Any]:
        return self._both(weights.bicubic, n, out)


@op
class ResizeBicubicGrad(_ResizeGrad):
    """The adjoint of ResizeBicubic."""

    forward = "ResizeBicubic"
    align_corners: bool = False
    half_pixel_centers: bool = False


@op
class ResizeArea(_Resize):
    """Each result pixel the mean over the area of the input that it covers."""

    adjoint = "ResizeAreaGrad"
    align_corners: bool = False

    def matrices(self, n: Any, out: Any) -> tuple[Any, Any]:
        return self._both(weights.area, n, out)


@op
class ResizeAreaGrad(_ResizeGrad):
    """The adjoint of ResizeArea. (TensorFlow has none.)"""

    forward = "ResizeArea"
    align_corners: bool = False


@op
class ResizeNearestNeighbor(_Resize):
    """Each result pixel a copy of the nearest."""

    signature = "images: T, size: int32 -> resized_images: T"
    align_corners: bool = False
    half_pixel_centers: bool = False

    def places(self, n: Any, out: Any) -> tuple[Any, Any]:
        """The rows and the columns that the result takes."""
        return self._both(weights.nearest, n, out)

    def reference(self, x: Any, size: Any) -> Any:
        rows, columns = self.places(x.shape[1:3], size)
        return x[:, rows[:, None], columns]

    def grad(self, node: Any, dy: Any) -> Any:
        back = ResizeNearestNeighborGrad(self.align_corners, self.half_pixel_centers)
        return back(dy, height_width(node.inputs[0])), None


@op
class ResizeNearestNeighborGrad(_Resize):
    """The adjoint of ResizeNearestNeighbor: cotangents added at the pixels that were copied. size: of the original."""

    signature = "grads: T, size: int32 -> output: T"
    align_corners: bool = False
    half_pixel_centers: bool = False

    def reference(self, dy: Any, size: Any) -> Any:
        forward = ResizeNearestNeighbor(self.align_corners, self.half_pixel_centers)
        rows, columns = forward.places(size, dy.shape[1:3])
        dx = np.zeros((dy.shape[0], int(size[0]), int(size[1]), dy.shape[3]), dy.dtype)
        np.add.at(dx, (slice(None), rows[:, None], columns), dy)  # type: ignore[arg-type]
        return dx

    def grad(self, node: Any, dx: Any) -> Any:
        forward = ResizeNearestNeighbor(self.align_corners, self.half_pixel_centers)
        return forward(dx, height_width(node.inputs[0])), None


def _check_kernel(op_: Any) -> None:
    if op_.kernel_type not in weights.KERNELS:
        known = sorted(weights.KERNELS)
        raise ArgumentError(f"{op_.type}: kernel_type must be one of {known}, not {op_.kernel_type!r}")


def _scaled(op_: Any, n: Any, out: Any, scale: Any, translation: Any) -> list[Any]:
    """Weights of rows and of columns."""
    return [
        weights.scaled(int(n[k]), int(out[k]), float(scale[k]), float(translation[k]), op_.kernel_type, op_.antialias)
        for k in (0, 1)
    ]


@op
class ScaleAndTranslate(Op):
    """The image scaled, then moved, by a kernel. x [N,H,W,C], size [2], scale [2], translation [2] -> y [N,P,Q,C]"""

    signature = "images: T, size: int32, scale: float32, translation: float32 -> resized_images: float32"
    T = _NUMBERS
    static = (1,)
    kernel_type: str = "lanczos3"
    antialias: bool = True

    def check(self) -> None:
        _check_kernel(self)

    def infer(self, x: Spec, size: Spec, scale: Spec, translation: Spec) -> Spec:
        n, _, _, c = image_shape(self.type, x)
        return Spec((n, *sides(self.type, size), c), float32)

    def reference(self, x: Any, size: Any, scale: Any, translation: Any) -> Any:
        rows, columns = _scaled(self, x.shape[1:3], size, scale, translation)
        return mixed(x, rows, columns, np.float32)

    def grad(self, node: Any, dy: Any) -> Any:
        x, _, scale, translation = node.inputs
        if x.dtype.is_integer:
            return None, None, None, None
        from pullback.ops.math.select import Cast

        like = x if x.dtype is float32 else Cast(float32)(x)
        dx = ScaleAndTranslateGrad(self.kernel_type, self.antialias)(dy, like, scale, translation)
        return dx if x.dtype is float32 else Cast(x.dtype)(dx), None, None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for kernel in weights.KERNELS:
            scale = np.array([1.5, 0.5], np.float32)
            args = (rng.normal(size=(1, 3, 5, 2)), np.array([4, 3], np.int32), scale, np.zeros(2, np.float32))
            yield Sample(cls(kernel, kernel != "gaussian"), args, wrt=(0,))
        args = (np.ones((0, 3, 3, 1)), np.array([2, 2], np.int32), np.ones(2, np.float32), np.ones(2, np.float32))
        yield Sample(cls(), args, wrt=(0,), name="no_batch")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls("lanczos2"), ArgumentError, "lanczos3"
        yield lambda: cls()(np.ones((3, 4, 1)), (2, 2), (1.0, 1.0), (0.0, 0.0)), ShapeError, "must be [batch"


@op
class ScaleAndTranslateGrad(Op):
    """The adjoint of ScaleAndTranslate. dy [N,P,Q,C], original [N,H,W,C], of which only the shape counts -> dx"""

    signature = "grads: float32, original_image: float32, scale: float32, translation: float32 -> output: float32"
    kernel_type: str = "lanczos3"
    antialias: bool = True

    def check(self) -> None:
        _check_kernel(self)

    def infer(self, dy: Spec, x: Spec, scale: Spec, translation: Spec) -> Spec:
        image_shape(self.type, dy)
        image_shape(self.type, x)
        return x.with_shape(x.shape)

    def reference(self, dy: Any, x: Any, scale: Any, translation: Any) -> Any:
        rows, columns = _scaled(self, x.shape[1:3], dy.shape[1:3], scale, translation)
        return mixed(dy, rows.T, columns.T, np.float32)

    def grad(self, node: Any, dx: Any) -> Any:
        dy, _, scale, translation = node.inputs
        forward = ScaleAndTranslate(self.kernel_type, self.antialias)
        return forward(dx, height_width(dy), scale, translation), None, None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        dy, x = (rng.normal(size=(1, *s, 2)).astype(np.float32) for s in ((4, 3), (3, 5)))
        scale = np.array([1.5, 0.5], np.float32)
        yield Sample(cls(), (dy, x, scale, np.zeros(2, np.float32)), wrt=(0,))
        yield Sample(cls("triangle", False), (dy, x, scale, np.ones(2, np.float32)), wrt=(0,))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls("lanczos2"), ArgumentError, "lanczos3"


__all__ = ["ResizeArea", "ResizeBicubic", "ResizeBilinear", "ResizeNearestNeighbor", "ScaleAndTranslate"]
