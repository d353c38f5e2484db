"""Patches: what a window sees at each of its places, as channels ("im2col").

ExtractImagePatches  <-> ExtractImagePatchesGrad      each other's adjoints, over [N,H,W,C]
ExtractVolumePatches <-> ExtractVolumePatchesGrad     ... over [N,D,H,W,C]
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, ClassVar

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import shape_of, static_tuple
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv import batching, reference, window
from pullback.ops.nn.conv.arguments import either, needed
from pullback.ops.raw_op import NEEDED, raw_op

_INNER = {2: "rows, columns", 3: "planes, rows, columns"}


class _Patches(Op):
    """Base of the four. ksizes, strides and rates have a number for each dimension, in pixels."""

    T = dtypes.NUMBERS
    rank: ClassVar[int] = 2
    ksizes: Any
    strides: Any
    rates: Any = None
    padding: Any

    def check(self) -> None:
        for name in ("ksizes", "strides", "rates"):
            value = getattr(self, name)
            if value is None:
                continue
            if len(value) != self.rank + 2 or value[0] != 1 or value[-1] != 1 or min(value) < 1:
                raise ArgumentError(
                    f"{self.type}: {name} must be [1, {_INNER[self.rank]}, 1], at least 1, not {list(value)}"
                )
        if not isinstance(self.padding, str):
            raise ArgumentError(f'{self.type}: padding must be "SAME" or "VALID", not {self.padding!r}; use tf.pad')
        window.check_padding(self.padding, self.type)

    @property
    def steps(self) -> tuple[Any, Any]:
        """(strides, dilations), a number for each spatial axis."""
        return self.strides[1:-1], (1,) * self.rank if self.rates is None else self.rates[1:-1]

    def at(self, of: Any) -> window.Geometry:
        """The window over an image of this shape."""
        letters = "DHW"[-self.rank :]
        return window.geometry(tuple(of[1:-1]), self.ksizes[1:-1], *self.steps, self.padding, self.type, letters)

    def patched(self, of: Any) -> Any:
        """The result's shape from the image's.

        Raises:
          ShapeError: it is no image, or the window is larger.
        """
        if len(of) != self.rank + 2:
            letters = ["batch", *_INNER[self.rank].replace("rows, columns", "height, width").split(", "), "channels"]
            raise ShapeError(f"{self.type}: the image must be [{','.join(letters)}], but has shape {shape.text(of)}")
        N, *sizes, C = of
        axes = zip(sizes, self.ksizes[1:-1], *self.steps, "DHW"[-self.rank :], strict=True)
        outs = [window.positions(n, k, s, d, self.padding, self.type, letter) for n, k, s, d, letter in axes]
        return (N, *outs, None if C is None else C * prod(self.ksizes))

    def places(self, of: Any) -> Iterator[tuple[Any, Any]]:
        """For each place of the window, its index in the bordered image, and its channels among the patch's."""
        at, C = self.at(of), of[-1]
        for i, place in enumerate(reference.places(self.ksizes[1:-1])):
            yield reference.taps(at, place, *self.steps), slice(i * C, (i + 1) * C)

    def other(self, kind: str) -> Any:
        """The adjoint, with the same window."""
        return REGISTRY[kind](**{f: getattr(self, f) for f in self.fields})

    def attrs(self) -> dict[str, Any]:
        found = {f: getattr(self, f) for f in self.fields}
        return {f: v.encode() if isinstance(v, str) else list(v) for f, v in found.items()}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for name, (ksizes, strides, rates, padding, image) in _CASES.items():
            fields = [ksizes, strides, *([rates] if "rates" in cls.fields else []), padding]
            image = image if cls.rank == 2 else (*image[:2], 2, *image[2:])
            yield cls.sample(rng, fields if cls.rank == 2 else _deeper(fields), image, dtypes.float64, name)
        for dtype in cls.T:
            ones = (1,) * (cls.rank + 2)
            fields = [(1, *(2, 1, 2)[: cls.rank], 1), *([ones] * (len(cls.fields) - 2)), "SAME"]
            yield cls.sample(rng, fields, (1, *(3, 2, 2)[: cls.rank], 1), dtype, dtype.name)

    @classmethod
    def sample(cls, rng: np.random.Generator, fields: Any, image: Any, dtype: Any, name: str) -> Sample:
        """A sample of the op with these fields, over an image of this shape."""
        raise TypeError(f"{cls.type} has no samples")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        ones, words = (1,) * (cls.rank + 2), f"[1, {_INNER[cls.rank]}, 1]"
        last = {"padding": "VALID", **({"rates": ones} if "rates" in cls.fields else {})}
        yield lambda: cls((2,) * (cls.rank + 2), ones, **last), ArgumentError, f"ksizes must be {words}"
        yield lambda: cls(ones, (1, 0, *ones[2:]), **last), ArgumentError, f"strides must be {words}"
        if "rates" in cls.fields:
            yield lambda: cls(ones, ones, ones[1:], "VALID"), ArgumentError, f"rates must be {words}"
        yield lambda: cls(ones, ones, **{**last, "padding": "FULL"}), ArgumentError, 'must be "SAME", "VALID"'


# name: (ksizes, strides, rates, padding, image), of two spatial axes
_CASES: dict[str, tuple[Any, ...]] = {
    "same": ((1, 3, 2, 1), (1, 1, 1, 1), (1, 1, 1, 1), "SAME", (2, 5, 4, 2)),
    "valid": ((1, 3, 2, 1), (1, 1, 1, 1), (1, 1, 1, 1), "VALID", (2, 5, 4, 2)),
    "steps same": ((1, 2, 2, 1), (1, 1, 2, 1), (1, 2, 1, 1), "SAME", (1, 5, 4, 2)),
    "steps valid": ((1, 2, 2, 1), (1, 1, 2, 1), (1, 2, 1, 1), "VALID", (1, 5, 4, 2)),
    "gaps": ((1, 2, 1, 1), (1, 3, 2, 1), (1, 1, 1, 1), "VALID", (1, 6, 4, 1)),
    "empty output": ((1, 3, 2, 1), (1, 1, 1, 1), (1, 1, 1, 1), "VALID", (1, 2, 2, 1)),
    "no batch": ((1, 3, 2, 1), (1, 1, 1, 1), (1, 1, 1, 1), "VALID", (0, 5, 4, 1)),
}


def _deeper(fields: Any) -> Any:
    """Fields of an op over images as those of one over volumes, two planes deep."""
    return [f if isinstance(f, str) else (*f[:2], 2 if i == 0 else 1, *f[2:]) for i, f in enumerate(fields)]


class _Extract(_Patches):
    """x [N,H,W,C]   ->   y [N,P,Q,R S C]"""

    adjoint: ClassVar[str]

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(self.patched(x.shape))

    def reference(self, x: Any) -> Any:
        y = np.empty(self.patched(x.shape), x.dtype)
        wide = reference.padded(x, self.at(x.shape))
        for index, channels in self.places(x.shape):
            y[..., channels] = wide[index]
        return y

    def grad(self, node: Any, dy: Any) -> Any:
        return self.other(self.adjoint)(dy, shape_of(node.inputs[0]))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if not inputs[0].spec.known:
            return NotImplemented
        return batching.out_of_batch(self(batching.into_batch(inputs[0])), size), 0

    @classmethod
    def sample(cls, rng: np.random.Generator, fields: Any, image: Any, dtype: Any, name: str) -> Sample:
        x = _drawn(rng, image, dtype)
        return Sample(cls(*fields), (x,), order=3 if dtype is dtypes.float64 else 1, name=name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield from super().mistakes()
        ones = (1,) * (cls.rank + 2)
        fields = {"strides": ones, "padding": "VALID", **({"rates": ones} if "rates" in cls.fields else {})}
        yield lambda: cls(ones, **fields)(np.ones((2,) * (cls.rank + 1))), ShapeError, "must be [batch,"
        wide = (1, *ones[2:-1], 9, 1)
        yield lambda: cls(wide, **fields)(np.ones((1, *(3,) * cls.rank, 1))), ShapeError, "does not fit W = 3"


class _Adjoint(_Patches):
    """dy [N,P,Q,R S C]   shape [4]   ->   dx [shape]"""

    signature = "grads: T, shape: int32|int64 -> output: T"
    static = (1,)
    any_rank = True
    forward: ClassVar[str]

    def infer(self, dy: Spec, of: Spec) -> Spec:
        wanted = known_vector(of)
        if wanted is None:
            return dy.with_shape((None,) * (self.rank + 2))
        self.fit(dy.shape, wanted)
        return dy.with_shape(wanted)

    def fit(self, dy: Any, of: Any) -> None:
        """Raises ShapeError where patches are not of an image of this shape."""
        if any(n is not None and n < 0 for n in of):
            raise ShapeError(f"{self.type}: shape {shape.text(of)} has a negative size")
        if not shape.compatible(dy, self.patched(of)):
            raise ShapeError(
                f"{self.type}: patches {shape.text(dy)} are not of an image {shape.text(of)}, whose patches are "
                f"{shape.text(self.patched(of))}"
            )

    def reference(self, dy: Any, of: Any) -> Any:
        to = tuple(of.tolist())
        self.fit(dy.shape, to)
        at = self.at(to)
        dtype, (dy,) = dy.dtype, reference.precise(dy) if dy.dtype.kind not in "iu" else (dy,)
        dx = np.zeros((to[0], *at.bordered(to[1:-1]), to[-1]), dy.dtype)
        for index, channels in self.places(to):
            dx[index] += dy[..., channels]
        return dx[at.inner].astype(dtype)

    def grad(self, node: Any, g: Any) -> Any:
        return self.other(self.forward)(g), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        dy, of = inputs
        to = static_tuple(of)
        if axes[1] is not None or to is None or not dy.spec.known:
            return NotImplemented
        return batching.out_of_batch(self(batching.into_batch(dy), (size * to[0], *to[1:])), size), 0

    @classmethod
    def sample(cls, rng: np.random.Generator, fields: Any, image: Any, dtype: Any, name: str) -> Sample:
        made = cls(*fields)
        dy = _drawn(rng, made.patched(image), dtype)
        return Sample(made, (dy, tuple(image)), order=3 if dtype is dtypes.float64 else 1, name=name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield from super().mistakes()
        ones = (1,) * (cls.rank + 2)
        fields = {"strides": ones, "padding": "VALID", **({"rates": ones} if "rates" in cls.fields else {})}
        made = cls(ones, **fields)
        of = (1, *(2,) * cls.rank, 1)
        yield lambda: made(np.ones((*of[:-1], 4)), of), ShapeError, "are not of an image"
        yield lambda: made(np.ones(of), of[1:]), ShapeError, "must be [batch,"
        yield lambda: made(np.ones(of), (-1, *of[1:])), ShapeError, "negative size"


def _drawn(rng: np.random.Generator, size: Any, dtype: Any) -> Any:
    values = rng.normal(size=size) if dtype is dtypes.float64 else rng.integers(0, 9, size)
    return values.astype(dtype.numpy)


@op
class ExtractImagePatches(_Extract):
    """y[n,p,q,(r,s,c)] = x[n, p a + r d - top, q b + s e - left, c], 0 outside. x [N,H,W,C] -> y [N,P,Q,R S C]"""

    signature = "images: T -> patches: T"
    adjoint = "ExtractImagePatchesGrad"
    ksizes: tuple[int, ...]
    strides: tuple[int, ...] = (1, 1, 1, 1)
    rates: tuple[int, ...] = (1, 1, 1, 1)
    padding: str = "VALID"


@op
class ExtractImagePatchesGrad(_Adjoint):
    """The adjoint of ExtractImagePatches: patches added where they were seen. dy [N,P,Q,R S C], shape [4] -> dx"""

    forward = "ExtractImagePatches"
    ksizes: tuple[int, ...]
    strides: tuple[int, ...] = (1, 1, 1, 1)
    rates: tuple[int, ...] = (1, 1, 1, 1)
    padding: str = "VALID"


@op
class ExtractVolumePatches(_Extract):
    """ExtractImagePatches over volumes, without rates. x [N,D,H,W,C] -> y [N,O,P,Q,U R S C]"""

    signature = "input: T -> patches: T"
    adjoint = "ExtractVolumePatchesGrad"
    rank = 3
    ksizes: tuple[int, ...]
    strides: tuple[int, ...] = (1, 1, 1, 1, 1)
    padding: str = "VALID"


@op
class ExtractVolumePatchesGrad(_Adjoint):
    """The adjoint of ExtractVolumePatches: patches added where they were seen. dy [N,O,P,Q,U R S C], shape [5] -> dx"""

    forward = "ExtractVolumePatches"
    rank = 3
    ksizes: tuple[int, ...]
    strides: tuple[int, ...] = (1, 1, 1, 1, 1)
    padding: str = "VALID"


# --- public names ---------------------------------------------------------------------------------


def _by_attributes(kind: Any, padding: Any, **numbers: Any) -> Any:
    """The op that the arguments mean.

    Raises:
      ArgumentError: one of them means nothing.
    """
    found = {}
    for name, value in numbers.items():
        if not isinstance(value, (list, tuple, np.ndarray)):
            raise ArgumentError(
                f"{kind.type}: {name} must be a list [1, {_INNER[kind.rank]}, 1], not {value!r}"
            ).locate()
        found[name] = tuple(map(int, value))
    return kind(**found, padding=padding)


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
    Gradient: patches added where they were seen; of every order.
    """
    op = _by_attributes(ExtractImagePatches, padding, ksizes=sizes, strides=strides, rates=rates)
    return op(images, name=name)


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
    where = "extract_image_patches"
    which = either(where, "sizes", sizes, "ksizes", ksizes)
    strides, rates = needed(where, "strides", strides), needed(where, "rates", rates)
    return extract_patches(images, which, strides, rates, needed(where, "padding", padding), name)


@public("extract_volume_patches")
def extract_volume_patches(input: Any, ksizes: Any, strides: Any, padding: str, name: str | None = None) -> Tensor:
    """Patches of volumes, each as one pixel with its planes, rows, columns and channels as channels.

    Args:
      input: [N,D,H,W,C]. ksizes: [1, U, R, S, 1], in pixels. strides: [1, z, a, b, 1], from one patch to the next.
      padding: "SAME" or "VALID".
    Returns:
      [N, O, P, Q, U R S C]
    Raises:
      ArgumentError: an argument is none of these. ShapeError: input has another number of axes.
    Gradient: patches added where they were seen; of every order.
    """
    return _by_attributes(ExtractVolumePatches, padding, ksizes=ksizes, strides=strides)(input, name=name)


_SIZES: dict[str, Any] = {"ksizes": NEEDED, "strides": NEEDED}
raw_op(globals(), ExtractImagePatches, _by_attributes, {**_SIZES, "rates": NEEDED, "padding": NEEDED})
raw_op(globals(), ExtractVolumePatches, _by_attributes, {**_SIZES, "padding": NEEDED})
