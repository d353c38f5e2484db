"""Grey-scale dilation, whose derivatives are switches: each output is one image pixel plus one weight of the filter.

    Dilation2D(x, w) -> y; at, of      which pixel and which weight each output is the sum of
    dx = Unpool(dy, at)                dy put at its pixels        dw = Unpool(dy, of)      ... at its weights

Unpool and Repool are each other's adjoints (`pool/switches`), so every order exists, of TensorFlow's two gradient ops
too: by `out_backprop` they are linear, by image and filter constant between ties.

`at` is flat within an image of [N,H,W,C]; `of` is flat within the filter [R,S,C].
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import ZerosLike, shape_of
from pullback.core.dtypes import INTS, REALS
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.ops.nn.conv import batching, window
from pullback.ops.nn.conv.window import Pair
from pullback.ops.nn.morphology import reference
from pullback.ops.nn.pool.reference import unpool
from pullback.ops.nn.pool.switches import Repool, Unpool


class Morphology(Op):
    """Base of the three: their fields mean the same, and images are [N,H,W,C]."""

    T = (*REALS, *INTS)
    strides: Any
    rates: Any
    padding: Any

    def check(self) -> None:
        for what in ("strides", "rates"):
            value = getattr(self, what)
            if not isinstance(value, tuple) or len(value) != 2 or min(value) < 1:
                raise ArgumentError(
                    f"{self.type}: {what} must be a pair of positive ints, (height, width), not {value!r}"
                )
        if not isinstance(self.padding, str):
            raise ArgumentError(
                f'{self.type}: padding must be "SAME" or "VALID", not {self.padding!r}; pad the input by tf.pad'
            )
        window.check_padding(self.padding, self.type)

    def attrs(self) -> dict[str, Any]:
        return {
            "strides": window.full(self.strides, "NHWC"),
            "rates": window.full(self.rates, "NHWC"),
            "padding": self.padding.encode(),
        }

    @classmethod
    def from_attrs(cls, attrs: dict[str, Any]) -> Any:
        return window.fields_from(cls, attrs, ("strides", "rates"))

    def made(self, x: Any, w: Any) -> tuple[Any, ...]:
        """Shape of the output.

        Raises:
          ShapeError: ranks or channels do not fit, or the window is larger than the image.
        """
        if len(x) != 4:
            raise ShapeError(f"{self.type}: input must have 4 dimensions [N,H,W,C], but has shape {shape.text(x)}")
        if len(w) != 3:
            raise ShapeError(
                f"{self.type}: filter must have 3 dimensions [height,width,channels], but has shape {shape.text(w)}"
            )
        N, *sizes, C = x
        if C is not None and w[2] is not None and w[2] != C:
            raise ShapeError(f"{self.type}: the image has {C} channels, so filter {shape.text(w)} must have {C} too")
        axes = zip(sizes, w[:2], self.strides, self.rates, "HW", strict=True)
        outs = [window.positions(n, k, s, d, self.padding, self.type, letter) for n, k, s, d, letter in axes]
        return (N, *outs, w[2] if C is None else C)

    def switched(self, x: Any, w: Any) -> tuple[Any, ...]:
        """(y, at, of) of an image and a filter."""
        self.made(x.shape, w.shape)
        at = window.geometry(x.shape[1:3], w.shape[:2], self.strides, self.rates, self.padding, self.type, "HW")
        return reference.dilation(x, w, at, self.strides, self.rates)

    def sibling(self, kind: type) -> Any:
        """Another of the three with the same fields."""
        return kind(self.strides, self.rates, self.padding)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if len(axes) < 2 or axes[1] is not None or not all(x.spec.known for x in inputs):
            return NotImplemented
        x, w, *more = inputs
        rows = [batching.into_batch(batching.repeated(x, axes[0], size)), w]
        rows += [batching.into_batch(batching.repeated(t, a, size)) for t, a in zip(more, axes[2:], strict=True)]
        return self.out_of_batch(interpreter.current().run(self, tuple(rows)), size)

    def out_of_batch(self, results: tuple[Any, ...], size: int) -> Any:
        """Results that have the image's batch."""
        return tuple([batching.out_of_batch(t, size) for t in results]), (0,) * len(results)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.morphology import samples

        return samples.of(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        from pullback.ops.nn.morphology import samples

        return samples.mistakes_of(cls)


@op
class Dilation2D(Morphology):
    """Grey-scale dilation: the largest sum of pixel and weight; of equal ones the first in row order. NaN counts as
    the largest; what is padded never wins.

    y[n,p,q,c] = max_{r,s} x[n, p*a + r*d - top, q*b + s*e - left, c] + w[r,s,c]

    x [N,H,W,C]   w [R,S,C]   ->   y [N,P,Q,C]; at, of [N,P,Q,C]
    """

    signature = "input: T, filter: T -> output: T; at: int64, of: int64"
    strides: Pair = (1, 1)
    rates: Pair = (1, 1)
    padding: str = "SAME"

    def infer(self, x: Spec, w: Spec) -> tuple[Spec, ...]:
        out = self.made(x.shape, w.shape)
        return x.with_shape(out), Spec(out, dtypes.int64), Spec(out, dtypes.int64)

    def reference(self, x: Any, w: Any) -> tuple[Any, ...]:
        return self.switched(x, w)

    def grad(self, node: Any, dy: Any, *_: Any) -> Any:
        if dy is None:
            return None, None
        (x, w), (_, at, of) = node.inputs, node.results
        return Unpool()(dy, at, shape_of(x)), Unpool(with_batch=True)(dy, of, shape_of(w))


@op
class Dilation2DBackpropInput(Morphology):
    """TensorFlow's gradient of Dilation2D by its image: out_backprop put at its pixels, adding where they meet.

    x [N,H,W,C]   w [R,S,C]   dy [N,P,Q,C]   ->   dx [N,H,W,C]; at [N,P,Q,C]
    """

    signature = "input: T, filter: T, out_backprop: T -> in_backprop: T; at: int64"
    strides: Pair = (1, 1)
    rates: Pair = (1, 1)
    padding: str = "SAME"

    def infer(self, x: Spec, w: Spec, dy: Spec) -> tuple[Spec, ...]:
        out = shape.merged(self.made(x.shape, w.shape), dy.shape, f"{self.type}: dilated input and out_backprop")
        return x, Spec(out, dtypes.int64)

    def reference(self, x: Any, w: Any, dy: Any) -> tuple[Any, ...]:
        _, at, _ = self.switched(x, w)
        return unpool(dy, at, x.shape, False), at

    def grad(self, node: Any, g: Any, _: Any) -> Any:
        if g is None:
            return None, None, None
        x, w, _ = node.inputs
        return ZerosLike()(x), ZerosLike()(w), Repool()(g, node.results[1])


@op
class Dilation2DBackpropFilter(Morphology):
    """TensorFlow's gradient of Dilation2D by its filter: out_backprop put at its weights, adding over all images.

    x [N,H,W,C]   w [R,S,C]   dy [N,P,Q,C]   ->   dw [R,S,C]; of [N,P,Q,C]
    """

    signature = "input: T, filter: T, out_backprop: T -> filter_backprop: T; of: int64"
    strides: Pair = (1, 1)
    rates: Pair = (1, 1)
    padding: str = "SAME"

    def infer(self, x: Spec, w: Spec, dy: Spec) -> tuple[Spec, ...]:
        out = shape.merged(self.made(x.shape, w.shape), dy.shape, f"{self.type}: dilated input and out_backprop")
        return w, Spec(out, dtypes.int64)

    def reference(self, x: Any, w: Any, dy: Any) -> tuple[Any, ...]:
        _, _, of = self.switched(x, w)
        return unpool(dy, of, w.shape, True), of

    def grad(self, node: Any, g: Any, _: Any) -> Any:
        if g is None:
            return None, None, None
        x, w, _ = node.inputs
        return ZerosLike()(x), ZerosLike()(w), Repool(with_batch=True)(g, node.results[1])

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        """What belongs to one image adds to one filter, so images of different b must stay apart: a loop."""
        return NotImplemented
