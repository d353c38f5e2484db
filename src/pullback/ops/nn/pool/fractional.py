"""Fractional pooling: windows whose sizes differ by one, drawn at random, so that the image shrinks by any ratio.

An axis of n pixels becomes p = floor(n / ratio). The p + 1 bounds a_0 = 0 < a_1 < ... < a_p = n of its windows lie
floor(n/p) apart, or one more. Window i is a_i ... a_{i+1} - 1, and a_{i+1} too where windows overlap.

    FractionalMaxPool(x) -> y, rows, cols      y -> x: FractionalMaxPoolGrad      x -> y: FractionalMaxPoolGradGrad
    FractionalAvgPool(x) -> y, rows, cols      y -> x: FractionalAvgPoolGrad      x -> y: FractionalAvgPoolGradGrad

rows and cols are the bounds; the gradients go by them, and each is the other's adjoint, so every order exists.

Source: Graham, "Fractional max-pooling", 2015. The draws are TensorFlow's, number by number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import ZerosLike, shape_of, static_tuple
from pullback.core.dtypes import INTS, REALS
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.nn.conv import batching
from pullback.ops.nn.pool import reference
from pullback.ops.nn.pool.sequences import Regions, sequence_of

Array = np.ndarray[Any, Any]
_DRAWN = "key: int64, counter: int64 -> output: T, row_pooling_sequence: int64, col_pooling_sequence: int64"
_BOUNDS = "row_pooling_sequence: int64, col_pooling_sequence: int64"


class _Fractional(Op):
    """Base of all six; images are [N,H,W,C]."""

    T = (*REALS, *INTS)
    overlapping: Any

    def regions(self, rows: Any, cols: Any, image: Any) -> Regions:
        """The windows over an image of this shape."""
        return Regions(rows, cols, image[1], image[2], bool(self.overlapping), self.type)

    def other(self, suffix: str) -> Any:
        """Another of the family with the same windows."""
        return REGISTRY[self.type.replace("Grad", "") + suffix](self.overlapping)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.pool import fractional_samples

        return fractional_samples.of(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        from pullback.ops.nn.pool import fractional_samples

        return fractional_samples.mistakes_of(cls)


# --- the poolings ---------------------------------------------------------------------------------


class _Pool(_Fractional):
    """x [N,H,W,C]   key, counter   ->   y [N,P,Q,C], rows [P+1], cols [Q+1]"""

    pooling_ratio: Any
    pseudo_random: Any

    def check(self) -> None:
        ratio = self.pooling_ratio
        if len(ratio) != 4 or ratio[0] != 1 or ratio[3] != 1 or not all(1 <= r < math.inf for r in ratio):
            raise ArgumentError(
                f"{self.type}: pooling_ratio must be [1, rows, columns, 1], each at least 1, not {list(ratio)}"
            )

    def pooled(self, x: Any) -> tuple[Any, ...]:
        """Shape of the output.

        Raises:
          ShapeError: x is no image, or smaller than the ratio.
        """
        if len(x) != 4:
            raise ShapeError(f"{self.type}: value must have 4 dimensions [N,H,W,C], but has shape {shape.text(x)}")
        outs = [None if n is None else int(n / r) for n, r in zip(x[1:3], self.pooling_ratio[1:3], strict=True)]
        for letter, n, p, r in zip("HW", x[1:3], outs, self.pooling_ratio[1:3], strict=True):
            if p == 0:
                raise ShapeError(
                    f"{self.type}: {letter} = {n} is smaller than its pooling_ratio {r:g}; at most {n} will do"
                )
        return (x[0], *outs, x[3])

    def infer(self, x: Spec, key: Spec, counter: Spec) -> tuple[Spec, ...]:
        out = self.pooled(x.shape)
        bounds = [Spec((None if n is None else n + 1,), dtypes.int64) for n in out[1:3]]
        return x.with_shape(out), bounds[0], bounds[1]

    def reference(self, x: Any, key: Any, counter: Any) -> Any:
        _, P, Q, _ = self.pooled(x.shape)
        rows, used = sequence_of(x.shape[1], P, self.pseudo_random, key, counter, 0)
        cols, _ = sequence_of(x.shape[2], Q, self.pseudo_random, key, counter, used)
        return self.over(x, self.regions(rows, cols, x.shape)), rows, cols

    def over(self, x: Any, at: Regions) -> Any:
        """What is made of each window."""
        raise TypeError(f"{self.type} does not say what it does")

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, *drawn = inputs
        if axes[1:] != (None, None) or not x.spec.known:
            return NotImplemented
        y, rows, cols = self(batching.into_batch(x), *drawn)
        return (batching.out_of_batch(y, size), rows, cols), (0, None, None)


@op
class FractionalMaxPool(_Pool):
    """The largest of each window, of equal ones the first in row order; and the windows' bounds.

    x [N,H,W,C]   key, counter   ->   y [N,P,Q,C], rows [P+1], cols [Q+1]
    """

    signature = f"value: T, {_DRAWN}"
    pooling_ratio: tuple[float, ...]
    pseudo_random: bool = False
    overlapping: bool = False

    def over(self, x: Any, at: Regions) -> Any:
        return at.largest(x)[0]

    def grad(self, node: Any, dy: Any, *_: Any) -> Any:
        if dy is None:
            return None, None, None
        y, rows, cols = node.results
        return FractionalMaxPoolGrad(self.overlapping)(node.inputs[0], y, dy, rows, cols), None, None


@op
class FractionalAvgPool(_Pool):
    """The mean of each window, and the windows' bounds. Means of integers are cut towards zero.

    x [N,H,W,C]   key, counter   ->   y [N,P,Q,C], rows [P+1], cols [Q+1]
    """

    signature = f"value: T, {_DRAWN}"
    pooling_ratio: tuple[float, ...]
    pseudo_random: bool = False
    overlapping: bool = False

    def over(self, x: Any, at: Regions) -> Any:
        return at.mean(x)

    def grad(self, node: Any, dy: Any, *_: Any) -> Any:
        if dy is None:
            return None, None, None
        _, rows, cols = node.results
        return FractionalAvgPoolGrad(self.overlapping)(shape_of(node.inputs[0]), dy, rows, cols), None, None


# --- the way back, and forth again ----------------------------------------------------------------


class _Given(_Fractional):
    """Base of the four that are given the bounds."""

    def pooled(self, image: Any, rows: Spec, cols: Spec) -> Any:
        """The shape of what is pooled, as far as known."""
        if image is not None and len(image) != 4:
            raise ShapeError(f"{self.type}: the image must have 4 dimensions [N,H,W,C], not {shape.text(image)}")
        N, C = (None, None) if image is None else (image[0], image[3])
        outs = [bounds.shape[0] if bounds.shape else None for bounds in (rows, cols)]
        return (N, *[None if n is None else n - 1 for n in outs], C)

    def fitting(self, wanted: Any, have: Any, what: str) -> Any:
        """Both descriptions of a shape together.

        Raises:
          ShapeError: they contradict each other.
        """
        return shape.merged(wanted, have, f"{self.type}: the windows of the pooling sequences and {what}")

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        *images, rows, cols = inputs
        if axes[-2:] != (None, None) or not all(x.spec.known for x in images):
            return NotImplemented
        together = [batching.into_batch(batching.repeated(x, a, size)) for x, a in zip(images, axes, strict=False)]
        return batching.out_of_batch(self(*together, rows, cols), size), 0


@op
class FractionalMaxPoolGrad(_Given):
    """The gradient of FractionalMaxPool: out_backprop put where the largest values stand, adding where they meet.

    x [N,H,W,C]   y [N,P,Q,C]   dy [N,P,Q,C]   rows [P+1]   cols [Q+1]   ->   dx [N,H,W,C]
    """

    signature = f"orig_input: T, orig_output: T, out_backprop: T, {_BOUNDS} -> output: T"
    overlapping: bool = False

    def infer(self, x: Spec, y: Spec, dy: Spec, rows: Spec, cols: Spec) -> Spec:
        out = self.fitting(self.pooled(x.shape, rows, cols), y.shape, "orig_output")
        self.fitting(out, dy.shape, "out_backprop")
        return x

    def reference(self, x: Any, y: Any, dy: Any, rows: Any, cols: Any) -> Any:
        _, at = self.regions(rows, cols, x.shape).largest(x)
        self.fitting(at.shape, dy.shape, "out_backprop")
        return reference.unpool(dy, at, x.shape, False)

    def grad(self, node: Any, g: Any) -> Any:
        x, y, _, rows, cols = node.inputs
        return ZerosLike()(x), ZerosLike()(y), self.other("GradGrad")(x, y, g, rows, cols), None, None


@op
class FractionalMaxPoolGradGrad(_Given):
    """The adjoint of FractionalMaxPoolGrad: what stands where the largest values stand.

    x [N,H,W,C]   y [N,P,Q,C]   g [N,H,W,C]   rows [P+1]   cols [Q+1]   ->   [N,P,Q,C]
    """

    signature = f"orig_input: T, orig_output: T, grad: T, {_BOUNDS} -> output: T"
    overlapping: bool = False

    def infer(self, x: Spec, y: Spec, g: Spec, rows: Spec, cols: Spec) -> Spec:
        out = self.fitting(self.pooled(x.shape, rows, cols), y.shape, "orig_output")
        shape.merged(x.shape, g.shape, f"{self.type}: orig_input and grad")
        return y.with_shape(out)

    def reference(self, x: Any, y: Any, g: Any, rows: Any, cols: Any) -> Any:
        return reference.repool(g, self.regions(rows, cols, x.shape).largest(x)[1], False)

    def grad(self, node: Any, h: Any) -> Any:
        x, y, _, rows, cols = node.inputs
        return ZerosLike()(x), ZerosLike()(y), self.other("Grad")(x, y, h, rows, cols), None, None


@op
class FractionalAvgPoolGrad(_Given):
    """The gradient of FractionalAvgPool: each value spread evenly over its window.

    orig_input_tensor_shape [4]   dy [N,P,Q,C]   rows [P+1]   cols [Q+1]   ->   dx [orig_input_tensor_shape]
    """

    signature = f"orig_input_tensor_shape: int32|int64, out_backprop: T, {_BOUNDS} -> output: T"
    static = (0,)
    overlapping: bool = False

    def infer(self, to: Spec, dy: Spec, rows: Spec, cols: Spec) -> Spec:
        wanted = known_vector(to)
        if wanted is not None and any(n is not None and n < 0 for n in wanted):
            raise ShapeError(f"{self.type}: orig_input_tensor_shape {shape.text(wanted)} has a negative size")
        self.fitting(self.pooled(wanted, rows, cols), dy.shape, "out_backprop")
        return dy.with_shape((None,) * 4 if wanted is None else wanted)

    def reference(self, to: Any, dy: Any, rows: Any, cols: Any) -> Any:
        wanted = tuple(to.tolist())
        self.fitting((wanted[0], len(rows) - 1, len(cols) - 1, wanted[3]), dy.shape, "out_backprop")
        return self.regions(rows, cols, wanted).spread(dy, wanted)

    def grad(self, node: Any, g: Any) -> Any:
        return None, self.other("GradGrad")(g, *node.inputs[2:]), None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        to, dy, rows, cols = inputs
        wanted = static_tuple(to)
        if wanted is None or axes[0] is not None or axes[2:] != (None, None) or not dy.spec.known:
            return NotImplemented
        made = self((size * wanted[0], *wanted[1:]), batching.into_batch(dy), rows, cols)
        return batching.out_of_batch(made, size), 0


@op
class FractionalAvgPoolGradGrad(_Given):
    """The adjoint of FractionalAvgPoolGrad: the mean of each window.

    g [N,H,W,C]   rows [P+1]   cols [Q+1]   ->   [N,P,Q,C]
    """

    signature = f"grad: T, {_BOUNDS} -> output: T"
    overlapping: bool = False

    def infer(self, g: Spec, rows: Spec, cols: Spec) -> Spec:
        return g.with_shape(self.pooled(g.shape, rows, cols))

    def reference(self, g: Any, rows: Any, cols: Any) -> Any:
        return self.regions(rows, cols, g.shape).mean(g)

    def grad(self, node: Any, h: Any) -> Any:
        g, rows, cols = node.inputs
        return self.other("Grad")(shape_of(g), h, rows, cols), None, None
