"""Pooling for any number of spatial axes; the ops are these with a rank and a name.

    y = maximum(x)             the largest of each window
    y = mean(x)                of each window's real pixels

Where the largest value was is asked by the gradients alone, who find it in x again: nothing is kept for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, ClassVar

import numpy as np

from pullback.core import shape
from pullback.core.basics import ZerosLike, shape_of, static_tuple
from pullback.core.dtypes import FLOATS, INTS, REALS
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import REGISTRY, Op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.nn.conv import batching, window
from pullback.ops.nn.conv.batching import repeated
from pullback.ops.nn.conv.channels_first import expanded
from pullback.ops.nn.conv.shapes import channels_last, in_format
from pullback.ops.nn.pool import reference
from pullback.ops.nn.pool.switches import Repool, Unpool


class Pooling(Op):
    """Base of the ops that slide a window.

    rank: how many spatial axes. family: the types of the op and of its gradients.
    """

    rank: ClassVar[int] = 2
    family: ClassVar[tuple[str, ...]] = ()
    ksize: Any
    strides: Any
    padding: Any
    data_format: Any = "NHWC"

    def check(self) -> None:
        formats = window.LAYOUTS[self.rank]
        for what in ("ksize", "strides"):
            value = getattr(self, what)
            if not isinstance(value, tuple) or len(value) != self.rank or min(value) < 1:
                count = {2: "a pair of", 3: "three"}[self.rank]
                raise ArgumentError(
                    f"{self.type}: {what} must be {count} positive ints, {window.named(formats[0])}, not {value!r}"
                )
        window.check_format(self.data_format, self.type, formats)
        window.check_padding(self.padding, self.type, self.rank)
        pads = () if isinstance(self.padding, str) else zip(self.padding, self.ksize, strict=True)
        if any(max(pad) >= k for pad, k in pads):
            raise ArgumentError(
                f"{self.type}: padding {self.padding} must be less than the window {self.ksize} on every side, "
                f"or some windows would lie in the padding alone"
            )

    def attrs(self) -> dict[str, Any]:
        attrs = {
            "ksize": window.full(self.ksize, self.data_format),
            "strides": window.full(self.strides, self.data_format),
            **window.padding_attrs(self.padding, self.data_format),
            "data_format": self.data_format.encode(),
        }
        if self.rank == 3 and not attrs["explicit_paddings"]:
            del attrs["explicit_paddings"]  # TensorFlow's has no such attribute
        return attrs

    @classmethod
    def from_attrs(cls, attrs: dict[str, Any]) -> Any:
        return window.fields_from(cls, attrs, ("ksize", "strides"), window.LAYOUTS[cls.rank][0])

    def sibling(self, which: int) -> Any:
        """The op or a gradient of it, with the same window."""
        return REGISTRY[self.family[which]](self.ksize, self.strides, self.padding, self.data_format)

    def pooled(self, x: Any) -> tuple[Any, ...]:
        """Shape of the output over an image of shape x, known or not.

        Raises:
          ShapeError: x has another rank, or the window does not fit.
        """
        if len(x) != self.rank + 2:
            letters = ",".join(self.data_format)
            raise ShapeError(
                f"{self.type}: input must have {self.rank + 2} dimensions [{letters}], but has shape {shape.text(x)}"
            )
        N, *sizes, C = channels_last(x, self.data_format)
        pads, letters = window.per_axis(self.padding, self.rank), window.letters(self.data_format)
        axes = zip(sizes, self.ksize, self.strides, pads, letters, strict=True)
        outs = [window.positions(n, k, s, 1, pad, self.type, letter) for n, k, s, pad, letter in axes]
        return in_format((N, *outs, C), self.data_format)

    def at(self, x: Any) -> window.Geometry:
        """The window over an image of shape x, all known."""
        sizes, letters = channels_last(x, self.data_format)[1:-1], window.letters(self.data_format)
        return window.geometry(sizes, self.ksize, self.strides, (1,) * self.rank, self.padding, self.type, letters)

    def last(self, x: Any) -> Any:
        """The image with its channels last."""
        return x if window.last(self.data_format) else np.moveaxis(x, 1, -1)

    def first(self, x: Any) -> Any:
        """The image in data_format's order again."""
        return x if window.last(self.data_format) else np.ascontiguousarray(np.moveaxis(x, -1, 1))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        """b joins N, in every input."""
        if not all(x.spec.known for x in inputs):
            return NotImplemented
        rows = [batching.into_batch(repeated(x, a, size)) for x, a in zip(inputs, axes, strict=True)]
        made = self(*rows)
        if isinstance(made, tuple):
            return tuple([batching.out_of_batch(y, size) for y in made]), 0
        return batching.out_of_batch(made, size), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.pool import samples

        return samples.of(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        from pullback.ops.nn.pool import samples

        return samples.mistakes_of(cls)


def places(op_: Pooling, x: tuple[int, ...]) -> Any:
    """For an image of shape x, the flat place of each pixel and channel within it: [H,W,C]."""
    flat = np.arange(prod(x[1:])).reshape(x[1:])
    return flat if window.last(op_.data_format) else np.moveaxis(flat, 0, -1)


# --- the largest ----------------------------------------------------------------------------------


class Maximum(Pooling):
    """x [N,H,W,C]   ->   y [N,P,Q,C]"""

    signature = "input: T -> output: T"
    T = (*REALS, *INTS)

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(self.pooled(x.shape))

    def reference(self, x: Any) -> Any:
        return self.first(self.largest(x)[0])

    def largest(self, x: Any) -> tuple[Any, Any]:
        """(largest values, where they were: flat places within each image), channels last."""
        return reference.max_pool(self.last(x), self.at(x.shape), self.ksize, self.strides, places(self, x.shape))

    def expand(self, x: Any) -> Any:
        return expanded(self, (x,), images=(0,))

    def grad(self, node: Any, dy: Any) -> Any:
        return self.sibling(1)(node.inputs[0], node.results[0], dy)


class _OfMaximum(Pooling):
    """Base of TensorFlow's gradient ops of MaxPool, which take its input and output. Where the largest values stand,
    they find in the input anew: of equal ones in a window, the first in row order. The output says nothing more.
    """

    signature = "orig_input: T, orig_output: T, grad: T -> output: T"
    T = (*REALS, *INTS)

    def switches(self, x: Any) -> Any:
        """For each window the flat place of its largest value within the image, as the image lies in memory."""
        return self.first(self.sibling(0).largest(x)[1])

    def fitting(self, x: Any, y: Any, pooled: Any = None, image: Any = None) -> Any:
        """What the shapes of the inputs together say of the output's, `grad` being pooled or an image.

        Raises:
          ShapeError: they do not fit.
        """
        out = shape.merged(self.pooled(x), y, f"{self.type}: pooled orig_input and orig_output")
        shape.merged(x, image, f"{self.type}: orig_input and grad")
        return shape.merged(out, pooled, f"{self.type}: orig_output and grad")

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        """b joins N; where the image lacks b, as in a Jacobian, its switches are found once for all."""
        x, y, g = inputs
        plain = self.rank == 2 and self.data_format == "NHWC" and isinstance(self.padding, str)
        if not plain or axes[:2] != (None, None) or not (x.spec.known and y.spec.known and g.spec.known):
            return super().batch(size, inputs, axes)
        at = REGISTRY["MaxPoolWithArgmax"](self.ksize, self.strides, self.padding)(x)[1]
        return self.by_switches(size, g, at, x.spec.shape)

    def by_switches(self, size: int, g: Any, at: Any, image: Any) -> Any:
        """What `batch` gives, g [b,...] alone having the axis."""
        raise TypeError(f"{self.type} does not say what it does")


class MaximumGrad(_OfMaximum):
    """x [N,H,W,C]   y [N,P,Q,C]   dy [N,P,Q,C]   ->   dx [N,H,W,C]"""

    def infer(self, x: Spec, y: Spec, dy: Spec) -> Spec:
        self.fitting(x.shape, y.shape, dy.shape)
        return x

    def reference(self, x: Any, y: Any, dy: Any) -> Any:
        self.fitting(x.shape, y.shape, dy.shape)
        return reference.unpool(dy, self.switches(x), x.shape, False)

    def expand(self, x: Any, y: Any, dy: Any) -> Any:
        return expanded(self, (x, y, dy), images=(0, 1, 2))

    def grad(self, node: Any, g: Any) -> Any:
        x, y, _ = node.inputs
        return ZerosLike()(x), ZerosLike()(y), self.sibling(2)(x, y, g)

    def by_switches(self, size: int, g: Any, at: Any, image: Any) -> Any:
        return Unpool().batch(size, (g, at, image), (0, None, None))


class MaximumGradGrad(_OfMaximum):
    """x [N,H,W,C]   y [N,P,Q,C]   g [N,H,W,C]   ->   [N,P,Q,C]"""

    def infer(self, x: Spec, y: Spec, g: Spec) -> Spec:
        return y.with_shape(self.fitting(x.shape, y.shape, image=g.shape))

    def reference(self, x: Any, y: Any, g: Any) -> Any:
        self.fitting(x.shape, y.shape, image=g.shape)
        return reference.repool(g, self.switches(x), False)

    def expand(self, x: Any, y: Any, g: Any) -> Any:
        return expanded(self, (x, y, g), images=(0, 1, 2))

    def grad(self, node: Any, g: Any) -> Any:
        x, y, _ = node.inputs
        return ZerosLike()(x), ZerosLike()(y), self.sibling(1)(x, y, g)

    def by_switches(self, size: int, g: Any, at: Any, image: Any) -> Any:
        return Repool().batch(size, (g, at), (0, None))


# --- the mean -------------------------------------------------------------------------------------


class Mean(Pooling):
    """x [N,H,W,C]   ->   y [N,P,Q,C]"""

    signature = "value: T -> output: T"
    T = FLOATS

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(self.pooled(x.shape))

    def reference(self, x: Any) -> Any:
        return self.first(reference.avg_pool(self.last(x), self.at(x.shape), self.ksize, self.strides))

    def expand(self, x: Any) -> Any:
        return expanded(self, (x,), images=(0,))

    def grad(self, node: Any, dy: Any) -> Any:
        return self.sibling(1)(shape_of(node.inputs[0]), dy)


class MeanGrad(Pooling):
    """orig_input_shape [4]   dy [N,P,Q,C]   ->   dx [orig_input_shape]"""

    signature = "orig_input_shape: int32|int64, grad: T -> output: T"
    T = FLOATS
    static = (0,)

    def infer(self, to: Spec, dy: Spec) -> Spec:
        wanted = known_vector(to)
        if wanted is None:
            return dy.with_shape((dy.shape[0], *(None,) * (self.rank + 1)))  # type: ignore[index]
        self.checked(wanted, dy.shape)
        return dy.with_shape(wanted)

    def checked(self, to: Any, dy: Any) -> None:
        """Raises ShapeError where an image of shape `to` does not pool to dy's."""
        if any(n is not None and n < 0 for n in to):
            raise ShapeError(f"{self.type}: orig_input_shape {shape.text(to)} has a negative size")
        shape.merged(self.pooled(to), dy, f"{self.type}: orig_input_shape {shape.text(to)} pooled, and grad:")

    def reference(self, to: Any, dy: Any) -> Any:
        wanted = tuple(int(n) for n in to)
        self.checked(wanted, dy.shape)
        sizes = channels_last(wanted, self.data_format)
        return self.first(reference.avg_pool_grad(sizes, self.last(dy), self.at(wanted), self.ksize, self.strides))

    def expand(self, to: Any, dy: Any) -> Any:
        return expanded(self, (to, dy), images=(1,), sizes=0)

    def grad(self, node: Any, g: Any) -> Any:
        return None, self.sibling(0)(g)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        to, dy = inputs
        wanted = static_tuple(to)
        if axes[0] is not None or wanted is None or not dy.spec.known:
            return NotImplemented
        return batching.out_of_batch(self((size * wanted[0], *wanted[1:]), batching.into_batch(dy)), size), 0
