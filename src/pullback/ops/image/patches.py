"""Patches: what a window sees at each of its places, as channels.

ExtractImagePatches <-> ExtractImagePatchesGrad      each other's adjoints
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import one_of
from pullback.ops.image.sampling import image_shape


class _Patches(Op):
    """Base of the pair. ksizes (R, S), strides and rates in pixels."""

    T = dtypes.NUMBERS
    ksizes: Any
    strides: Any
    rates: Any
    padding: Any

    def check(self) -> None:
        for name in ("ksizes", "strides", "rates"):
            value = getattr(self, name)
            if len(value) != 4 or value[0] != 1 or value[3] != 1 or min(value) < 1:
                raise ArgumentError(f"{self.type}: {name} must be [1, rows, columns, 1], at least 1, not {value}")
        if self.padding not in ("SAME", "VALID"):
            raise ArgumentError(f"{self.type}: padding must be 'SAME' or 'VALID', not {self.padding!r}")

    def along(self, axis: int, n: int | None) -> tuple[int | None, int]:
        """(how many places, pixels padded before) along axis 1 or 2."""
        if n is None:
            return None, 0
        seen = (self.ksizes[axis] - 1) * self.rates[axis] + 1
        if self.padding == "VALID":
            return max(-(-(n - seen + 1) // self.strides[axis]), 0), 0
        count = -(-n // self.strides[axis])
        return count, max((count - 1) * self.strides[axis] + seen - n, 0) // 2

    def sources(self, of: Any) -> tuple[Any, Any, Any]:
        """For [place, place, R, S] the row and the column it sees, cut to the image, and whether it lies within."""
        made = []
        for axis in (1, 2):
            count, before = self.along(axis, of[axis])
            place = np.arange(count or 0)[:, None] * self.strides[axis] - before
            made.append(place + np.arange(self.ksizes[axis]) * self.rates[axis])
        rows, columns = made[0][:, None, :, None], made[1][None, :, None, :]
        inside = (rows >= 0) & (rows < of[1]) & (columns >= 0) & (columns < of[2])
        return np.clip(rows, 0, of[1] - 1), np.clip(columns, 0, of[2] - 1), inside

    def patched(self, of: Any) -> Any:
        """The result's shape from the image's."""
        n, h, w, c = of
        depth = None if c is None else c * self.ksizes[1] * self.ksizes[2]
        return n, self.along(1, h)[0], self.along(2, w)[0], depth

    def attrs(self) -> dict[str, Any]:
        return {
            "ksizes": list(self.ksizes),
            "strides": list(self.strides),
            "rates": list(self.rates),
            "padding": self.padding.encode(),
        }


_SAMPLES: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((1, 3, 2, 1), (1, 2, 1, 1), (1, 1, 1, 1)),
    ((1, 2, 2, 1), (1, 1, 2, 1), (1, 2, 1, 1)),
)


@op
class ExtractImagePatches(_Patches):
    """y[n,p,q,(r,s,c)] = x[n, p a + r d - top, q b + s e - left, c], 0 outside. x [N,H,W,C] -> y [N,P,Q,R S C]"""

    signature = "images: T -> patches: T"
    ksizes: tuple[int, ...]
    strides: tuple[int, ...] = (1, 1, 1, 1)
    rates: tuple[int, ...] = (1, 1, 1, 1)
    padding: str = "VALID"

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(self.patched(image_shape(self.type, x)))

    def reference(self, x: Any) -> Any:
        rows, columns, inside = self.sources(x.shape)
        seen = np.where(inside[..., None], x[:, rows, columns], x.dtype.type(0))
        return seen.reshape(self.patched(x.shape))

    def grad(self, node: Any, dy: Any) -> Any:
        x = node.inputs[0]
        return ExtractImagePatchesGrad(self.ksizes, self.strides, self.rates, self.padding)(dy, shape_of(x))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for fields in _SAMPLES:
            for padding in ("SAME", "VALID"):
                yield Sample(cls(*fields, padding), (rng.normal(size=(2, 5, 4, 2)),))
        yield Sample(cls(*_SAMPLES[0]), (np.ones((1, 2, 2, 1)),), name="too_large")
        yield Sample(cls(*_SAMPLES[0]), (np.ones((0, 5, 4, 1)),), name="no_batch")
        for t in cls.T:
            x = rng.integers(0, 9, (1, 3, 3, 1)).astype(t.numpy)
            yield Sample(cls(*_SAMPLES[0], "SAME"), (x,), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls((1, 2, 2, 1))(np.ones((2, 2, 1))), ShapeError, "must be [batch,height,width,channels]"
        yield lambda: cls((2, 2, 2, 1)), ArgumentError, "ksizes must be [1, rows, columns, 1]"
        yield lambda: cls((1, 2, 2, 1), padding="FULL"), ArgumentError, "padding"


@op
class ExtractImagePatchesGrad(_Patches):
    """The adjoint of ExtractImagePatches: patches added where they were seen. dy [N,P,Q,R S C], shape [4] -> dx"""

    signature = "grads: T, shape: int32|int64 -> output: T"
    static = (1,)
    any_rank = True
    ksizes: tuple[int, ...]
    strides: tuple[int, ...] = (1, 1, 1, 1)
    rates: tuple[int, ...] = (1, 1, 1, 1)
    padding: str = "VALID"

    def infer(self, dy: Spec, of: Spec) -> Spec:
        wanted = known_vector(of)
        if wanted is None:
            return dy.with_shape((None,) * 4)
        if len(wanted) != 4 or not shape.compatible(dy.shape, self.patched(wanted)):
            raise ShapeError(
                f"ExtractImagePatchesGrad: patches {shape.text(dy.shape)} are not of an image {shape.text(wanted)}"
            )
        return dy.with_shape(wanted)

    def reference(self, dy: Any, of: Any) -> Any:
        n, h, w, c = (int(k) for k in of)
        rows, columns, inside = self.sources((n, h, w, c))
        dx = np.zeros((n, h, w, c), dy.dtype)
        parts = dy.reshape(n, *inside.shape, c)
        at: Any = (slice(None), rows, columns)
        np.add.at(dx, at, np.where(inside[..., None], parts, dy.dtype.type(0)))
        return dx

    def grad(self, node: Any, dx: Any) -> Any:
        return ExtractImagePatches(self.ksizes, self.strides, self.rates, self.padding)(dx), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for fields in _SAMPLES:
            for padding in ("SAME", "VALID"):
                made: Any = cls(*fields, padding)
                yield Sample(made, (rng.normal(size=made.patched((2, 5, 4, 2))), (2, 5, 4, 2)), wrt=(0,))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls((1, 2, 2, 1))(np.ones((1, 2, 2, 4)), (1, 2, 2, 1)), ShapeError, "are not of an image"


@public("image.extract_patches")
def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: Any, name: str | None = None) -> Tensor:
    """Patches of images, each as one pixel with its rows, columns and channels as channels.

    Args:
      images: [N,H,W,C]. sizes: [1, R, S, 1], in pixels. strides: [1, a, b, 1], from one patch to the next.
      rates: [1, d, e, 1], from one pixel of a patch to the next. padding: "SAME" or "VALID".
    Returns:
      [N, P, Q, R S C]
    Raises:
      ArgumentError: an argument is none of these. ShapeError: images have another number of axes.
    """
    made = ExtractImagePatches(tuple(sizes), tuple(strides), tuple(rates), str(padding).upper())
    return made(images, name=name)


@public(v1=("extract_image_patches", "image.extract_image_patches"))
def extract_image_patches(
    images: Any,
    ksizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    sizes: Any = None,
) -> Tensor:
    """As `image.extract_patches`; `ksizes` is an earlier name of `sizes`."""
    which = one_of("sizes", sizes, "ksizes", ksizes, required=True)
    lacking = [n for n, v in (("strides", strides), ("rates", rates), ("padding", padding)) if v is None]
    if lacking:
        raise ArgumentError(f"extract_image_patches: {', '.join(lacking)} must be given").locate()
    return extract_patches(images, which, strides, rates, padding, name)
