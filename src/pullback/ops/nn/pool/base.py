"""Pooling for any number of spatial axes; the ops are these with a rank and a name.

    y; at = maximum(x)         the largest of each window, and its switch: where it was
    y = mean(x)                of each window's real pixels

A switch is the flat place of a value within its image, as the image lies in memory: (y W + x) C + c for [N,H,W,C],
which is TensorFlow's argmax, and (c H + y) W + x for [N,C,H,W].
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, ClassVar

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import ZerosLike, shape_of, static_tuple
from pullback.core.dtypes import INTS, REALS
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import REGISTRY, Op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.nn.conv import batching, window
from pullback.ops.nn.conv.batching import repeated
from pullback.ops.nn.conv.shapes import channels_last, in_format
from pullback.ops.nn.pool import reference
from pullback.ops.nn.pool.switches import Unpool


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
        window.check_padding(self.padding, self.type)
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

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.pool import samples

        return samples.of(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        from pullback.ops.nn.pool import samples

        return samples.mistakes_of(cls)


def all_results(op_: Op, *inputs: Any) -> tuple[Any, ...]:
    """All results of an op, residuals too."""
    return interpreter.current().run(op_, inputs)


def places(op_: Pooling, x: tuple[int, ...]) -> Any:
    """For an image of shape x, the flat place of each pixel and channel within it: [H,W,C]."""
    flat = np.arange(prod(x[1:])).reshape(x[1:])
    return flat if window.last(op_.data_format) else np.moveaxis(flat, 0, -1)


# --- the largest ----------------------------------------------------------------------------------


class Maximum(Pooling):
    """x [N,H,W,C]   ->   y [N,P,Q,C]; at [N,P,Q,C]"""

    signature = "input: T -> output: T; at: int64"
    T = (*REALS, *INTS)

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        out = self.pooled(x.shape)
        return x.with_shape(out), Spec(out, dtypes.int64)

    def reference(self, x: Any) -> tuple[Any, ...]:
        y, at = reference.max_pool(self.last(x), self.at(x.shape), self.ksize, self.strides, places(self, x.shape))
        return self.first(y), self.first(at)

    def grad(self, node: Any, dy: Any, _: Any) -> Any:
        return None if dy is None else Unpool()(dy, node.results[1], shape_of(node.inputs[0]))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if not inputs[0].spec.known:
            return NotImplemented
        found = all_results(self, batching.into_batch(inputs[0]))
        return tuple([batching.out_of_batch(y, size) for y in found]), 0


class _OfMaximum(Pooling):
    """Base of TensorFlow's gradient ops of MaxPool, which take its input and output and find the switches anew."""

    signature = "orig_input: T, orig_output: T, grad: T -> output: T"
    T = REALS

    def switches(self, x: Any) -> Any:
        return self.sibling(0).reference(x)[1]

    def fitting(self, x: Spec, y: Spec, dy: Spec) -> Spec:
        """What the inputs together say of the output's shape."""
        out = shape.merged(self.pooled(x.shape), y.shape, f"{self.type}: pooled orig_input and orig_output")
        return y.with_shape(shape.merged(out, dy.shape, f"{self.type}: orig_output and grad"))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if not all(x.spec.known for x in inputs):
            return NotImplemented
        rows = [batching.into_batch(repeated(x, a, size)) for x, a in zip(inputs, axes, strict=True)]
        return batching.out_of_batch(self(*rows), size), 0


class MaximumGrad(_OfMaximum):
    """x [N,H,W,C]   y [N,P,Q,C]   dy [N,P,Q,C]   ->   dx [N,H,W,C]"""

    def infer(self, x: Spec, y: Spec, dy: Spec) -> Spec:
        self.fitting(x, y, dy)
        return x

    def reference(self, x: Any, y: Any, dy: Any) -> Any:
        return reference.unpool(dy, self.switches(x), x.shape, False)

    def grad(self, node: Any, g: Any) -> Any:
        x, y, _ = node.inputs
        return ZerosLike()(x), ZerosLike()(y), self.sibling(2)(x, y, g)


class MaximumGradGrad(_OfMaximum):
    """x [N,H,W,C]   y [N,P,Q,C]   g [N,H,W,C]   ->   [N,P,Q,C]"""

    def infer(self, x: Spec, y: Spec, g: Spec) -> Spec:
        shape.merged(x.shape, g.shape, f"{self.type}: orig_input and grad")
        return self.fitting(x, y, y)

    def reference(self, x: Any, y: Any, g: Any) -> Any:
        return reference.repool(g, self.switches(x), False)

    def grad(self, node: Any, g: Any) -> Any:
        x, y, _ = node.inputs
        return ZerosLike()(x), ZerosLike()(y), self.sibling(1)(x, y, g)


# --- the mean -------------------------------------------------------------------------------------


class Mean(Pooling):
    """x [N,H,W,C]   ->   y [N,P,Q,C]"""

    signature = "value: T -> output: T"
    T = REALS

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(self.pooled(x.shape))

    def reference(self, x: Any) -> Any:
        return self.first(reference.avg_pool(self.last(x), self.at(x.shape), self.ksize, self.strides))

    def grad(self, node: Any, dy: Any) -> Any:
        return self.sibling(1)(shape_of(node.inputs[0]), dy)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if not inputs[0].spec.known:
            return NotImplemented
        return batching.out_of_batch(self(batching.into_batch(inputs[0])), size), 0


class MeanGrad(Pooling):
    """orig_input_shape [4]   dy [N,P,Q,C]   ->   dx [orig_input_shape]"""

    signature = "orig_input_shape: int32|int64, grad: T -> output: T"
    T = REALS
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

    def grad(self, node: Any, g: Any) -> Any:
        return None, self.sibling(0)(g)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        to, dy = inputs
        wanted = static_tuple(to)
        if axes[0] is not None or wanted is None or not dy.spec.known:
            return NotImplemented
        return batching.out_of_batch(self((size * wanted[0], *wanted[1:]), batching.into_batch(dy)), size), 0
