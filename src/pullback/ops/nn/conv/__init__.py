"""2-D convolution and its two adjoints. They are each other's derivatives, so every order exists:

    y  = Conv2D(x, w)                       bilinear in x and w
    dx = Conv2DBackpropInput(sizes, w, dy)  bilinear in w and dy     = conv2d_transpose
    dw = Conv2DBackpropFilter(x, sizes, dy) bilinear in x and dy

All three come from one number, L = sum over n,p,q,r,s,c,k of x w dy: y is dL/d(dy), dx is dL/dx, dw is dL/dw. So
differentiating any of them by one of its inputs gives another. Complex numbers are not conjugated by the ops; the rules
do it.

Images are [N,H,W,C] (or [N,C,H,W]), filters [R,S,c,K]. Where C = G c with G > 1, the convolution is grouped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.basics import shape_of
from pullback.core.dtypes import FLOATS
from pullback.core.errors import ArgumentError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.math.elementwise import conj
from pullback.ops.nn.conv import batching, reference, shapes, window
from pullback.ops.nn.conv.window import Padding, Pair


class Convolution(Op):
    """Base of the three: their fields mean the same."""

    T = FLOATS
    strides: Any
    padding: Any
    dilations: Any
    data_format: Any

    def check(self) -> None:
        for what in ("strides", "dilations"):
            value = getattr(self, what)
            if not isinstance(value, tuple) or len(value) != 2 or min(value) < 1:
                raise ArgumentError(
                    f"{self.type}: {what} must be a pair of positive ints, (height, width), not {value!r}"
                )
        window.check_format(self.data_format, self.type)
        window.check_padding(self.padding, self.type)

    def attrs(self) -> dict[str, Any]:
        return {
            "strides": window.four(self.strides, self.data_format),
            **window.padding_attrs(self.padding, self.data_format),
            "data_format": self.data_format.encode(),
            "dilations": window.four(self.dilations, self.data_format),
            "use_cudnn_on_gpu": True,
        }

    def like(self, kind: type) -> Any:
        """Another of the three with the same fields."""
        return kind(self.strides, self.padding, self.data_format, self.dilations)

    def last(self, x: Any) -> Any:
        """The image with its channels last."""
        return x if self.data_format == "NHWC" else np.transpose(x, shapes.TO_NHWC)

    def first(self, x: Any) -> Any:
        """The image in data_format's order again."""
        return x if self.data_format == "NHWC" else np.ascontiguousarray(np.transpose(x, shapes.TO_NCHW))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.conv import samples

        return samples.of(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        from pullback.ops.nn.conv import samples

        return samples.mistakes_of(cls)


@op
class Conv2D(Convolution):
    """2-D cross-correlation.

    y[n,p,q,k] = sum_{r,s,c} x[n, p*a + r*d - top, q*b + s*e - left, c] * w[r,s,c,k]

    x [N,H,W,C]   w [R,S,c,K]   ->   y [N,P,Q,K]
    """

    signature = "input: T, filter: T -> output: T"
    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)

    def infer(self, x: Spec, w: Spec) -> Spec:
        return x.with_shape(shapes.forward(self, x.shape or (), w.shape or ()))

    def reference(self, x: Any, w: Any) -> Any:
        at = shapes.settled(self, x.shape, w.shape, None, "forward")
        return self.first(reference.conv2d(self.last(x), w, at, self.strides, self.dilations))

    def grad(self, node: Any, dy: Any) -> Any:
        x, w = node.inputs
        dx = self.like(Conv2DBackpropInput)(shape_of(x), conj(w), dy)
        dw = self.like(Conv2DBackpropFilter)(conj(x), shape_of(w), dy)
        return dx, dw

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return batching.conv2d(self, size, inputs, axes)


@op
class Conv2DBackpropInput(Convolution):
    """The adjoint of Conv2D by its image, which is transposed convolution.

    dx[n, p*a + r*d - top, q*b + s*e - left, c] = sum_{r,s,k} w[r,s,c,k] * dy[n,p,q,k]

    input_sizes [4]   w [R,S,c,K]   dy [N,P,Q,K]   ->   dx [input_sizes]
    """

    signature = "input_sizes: int32|int64, filter: T, out_backprop: T -> output: T"
    static = (0,)
    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)

    def infer(self, sizes: Spec, w: Spec, dy: Spec) -> Spec:
        wanted = known_vector(sizes)
        to = (None,) * 4 if wanted is None else wanted
        return dy.with_shape(shapes.to_input(self, to, w.shape or (), dy.shape or ()))

    def reference(self, sizes: Any, w: Any, dy: Any) -> Any:
        to = tuple(sizes.tolist())
        at = shapes.settled(self, to, w.shape, dy.shape, "to_input")
        to = shapes.channels_last(to, self.data_format)
        return self.first(reference.conv2d_backprop_input(to, w, self.last(dy), at, self.strides, self.dilations))

    def grad(self, node: Any, g: Any) -> Any:
        _, w, dy = node.inputs
        return None, self.like(Conv2DBackpropFilter)(g, shape_of(w), conj(dy)), self.like(Conv2D)(g, conj(w))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return batching.conv2d_backprop_input(self, size, inputs, axes)


@op
class Conv2DBackpropFilter(Convolution):
    """The adjoint of Conv2D by its filter.

    dw[r,s,c,k] = sum_{n,p,q} x[n, p*a + r*d - top, q*b + s*e - left, c] * dy[n,p,q,k]

    x [N,H,W,C]   filter_sizes [4]   dy [N,P,Q,K]   ->   dw [filter_sizes]
    """

    signature = "input: T, filter_sizes: int32|int64, out_backprop: T -> output: T"
    static = (1,)
    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)

    def infer(self, x: Spec, sizes: Spec, dy: Spec) -> Spec:
        wanted = known_vector(sizes)
        to = (None,) * 4 if wanted is None else wanted
        return x.with_shape(shapes.to_filter(self, x.shape or (), to, dy.shape or ()))

    def reference(self, x: Any, sizes: Any, dy: Any) -> Any:
        to = tuple(sizes.tolist())
        at = shapes.settled(self, x.shape, to, dy.shape, "to_filter")
        return reference.conv2d_backprop_filter(self.last(x), to, self.last(dy), at, self.strides, self.dilations)

    def grad(self, node: Any, g: Any) -> Any:
        x, _, dy = node.inputs
        return self.like(Conv2DBackpropInput)(shape_of(x), g, conj(dy)), None, self.like(Conv2D)(conj(x), g)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return batching.conv2d_backprop_filter(self, size, inputs, axes)
