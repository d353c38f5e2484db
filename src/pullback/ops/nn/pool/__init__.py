"""2-D pooling and unpooling, closed under differentiation.

    MaxPool(x) -> y; at            the largest of each window, and its switch: where it was
    Unpool(y, at, shape) -> x      values put back at their switches; where switches meet, they add
    Repool(x, at) -> y             what stands at the switches
    AvgPool <-> AvgPoolGrad        each other's adjoints

MaxPool's gradient is Unpool by its switches; Unpool and Repool are each other's adjoints, so every order exists.

A switch is the flat place of a value within its image, as the image lies in memory: (y W + x) C + c for [N,H,W,C],
which is TensorFlow's argmax, and (c H + y) W + x for [N,C,H,W]. So Unpool and Repool need to know neither layout nor
window, and serve any rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import ZerosLike, shape_of, static_tuple
from pullback.core.dtypes import INTS, REALS, DType
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.nn.conv import batching, window
from pullback.ops.nn.conv.shapes import TO_NCHW, TO_NHWC, channels_last, in_format
from pullback.ops.nn.conv.window import Padding, Pair
from pullback.ops.nn.pool import reference
from pullback.ops.nn.pool.switches import Repool, Unpool, repeated


class Pooling(Op):
    """Base of the ops that slide a window."""

    ksize: Any
    strides: Any
    padding: Any
    data_format: Any = "NHWC"

    def check(self) -> None:
        for what in ("ksize", "strides"):
            value = getattr(self, what)
            if not isinstance(value, tuple) or len(value) != 2 or min(value) < 1:
                raise ArgumentError(
                    f"{self.type}: {what} must be a pair of positive ints, (height, width), not {value!r}"
                )
        window.check_format(self.data_format, self.type)
        window.check_padding(self.padding, self.type)
        pads = () if isinstance(self.padding, str) else zip(self.padding, self.ksize, strict=True)
        if any(max(pad) >= k for pad, k in pads):
            raise ArgumentError(
                f"{self.type}: padding {self.padding} must be less than the window {self.ksize} on every side, "
                f"or some windows would lie in the padding alone"
            )

    def attrs(self) -> dict[str, Any]:
        return {
            "ksize": window.four(self.ksize, self.data_format),
            "strides": window.four(self.strides, self.data_format),
            **window.padding_attrs(self.padding, self.data_format),
            "data_format": self.data_format.encode(),
        }

    def like(self, kind: type) -> Any:
        """Another op with the same window."""
        return kind(self.ksize, self.strides, self.padding, self.data_format)

    def pooled(self, x: Any) -> tuple[Any, ...]:
        """Shape of the output over an image of shape x, known or not.

        Raises:
          ShapeError: x has another rank, or the window does not fit.
        """
        if len(x) != 4:
            letters = ",".join(self.data_format)
            raise ShapeError(f"{self.type}: input must have 4 dimensions [{letters}], but has shape {shape.text(x)}")
        N, H, W, C = channels_last(x, self.data_format)
        rows, columns = window.per_axis(self.padding)
        P = window.positions(H, self.ksize[0], self.strides[0], 1, rows, self.type, "H")
        Q = window.positions(W, self.ksize[1], self.strides[1], 1, columns, self.type, "W")
        return in_format((N, P, Q, C), self.data_format)

    def at(self, x: Any) -> window.Geometry:
        """The window over an image of shape x, all known."""
        _, H, W, _ = channels_last(x, self.data_format)
        return window.geometry(H, W, *self.ksize, self.strides, (1, 1), self.padding, self.type)

    def last(self, x: Any) -> Any:
        """The image with its channels last."""
        return x if self.data_format == "NHWC" else np.transpose(x, TO_NHWC)

    def first(self, x: Any) -> Any:
        """The image in data_format's order again."""
        return x if self.data_format == "NHWC" else np.ascontiguousarray(np.transpose(x, TO_NCHW))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.pool import samples

        return samples.of(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        from pullback.ops.nn.pool import samples

        return samples.mistakes_of(cls)


def _all_results(op_: Op, *inputs: Any) -> tuple[Any, ...]:
    """All results of an op, residuals too."""
    return interpreter.current().run(op_, inputs)


# --- the largest ----------------------------------------------------------------------------------


@op
class MaxPool(Pooling):
    """The largest value of each window; of equal ones the first in row order. NaN counts as the largest.

    y[n,p,q,c] = max_{r,s} x[n, p*a + r - top, q*b + s - left, c]

    x [N,H,W,C]   ->   y [N,P,Q,C]; at [N,P,Q,C]
    """

    signature = "input: T -> output: T; at: int64"
    T = (*REALS, *INTS)
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"

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
        found = _all_results(self, batching.into_batch(inputs[0]))
        return tuple([batching.out_of_batch(y, size) for y in found]), 0


def places(op_: Pooling, x: tuple[int, ...]) -> Any:
    """For an image of shape x, the flat place of each pixel and channel within it: [H,W,C]."""
    _, H, W, C = channels_last(x, op_.data_format)
    if op_.data_format == "NHWC":
        return np.arange(H * W * C).reshape(H, W, C)
    return np.arange(H * W * C).reshape(C, H, W).transpose(1, 2, 0)


@op
class MaxPoolWithArgmax(Pooling):
    """MaxPool whose switches are an output: flat over (H,W,C), or over (N,H,W,C) with include_batch_in_index.

    x [N,H,W,C]   ->   y [N,P,Q,C], argmax [N,P,Q,C]
    """

    signature = "input: T -> output: T, argmax: Targmax"
    T = (*REALS, *INTS)
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    Targmax: DType = dtypes.int64
    include_batch_in_index: bool = False

    def check(self) -> None:
        super().check()
        if self.Targmax not in dtypes.INDICES:
            raise ArgumentError(
                f"MaxPoolWithArgmax: the type of argmax must be int32 or int64, not {self.Targmax.name}"
            )
        if not isinstance(self.padding, str):
            raise ArgumentError(
                'MaxPoolWithArgmax: padding must be "SAME" or "VALID"; pad the input by tf.pad for another'
            )

    def attrs(self) -> dict[str, Any]:
        attrs = super().attrs()
        del attrs["data_format"], attrs["explicit_paddings"]
        return {**attrs, "Targmax": self.Targmax, "include_batch_in_index": self.include_batch_in_index}

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        out = self.pooled(x.shape)
        return x.with_shape(out), Spec(out, self.Targmax)

    def reference(self, x: Any) -> tuple[Any, ...]:
        y, at = reference.max_pool(x, self.at(x.shape), self.ksize, self.strides, places(self, x.shape))
        return y, self.argmax(at, x.shape)

    def argmax(self, at: Any, x: tuple[int, ...]) -> Any:
        """Switches within each image, as the output says them."""
        if self.include_batch_in_index:
            at = at + (np.arange(x[0]) * (x[1] * x[2] * x[3])).reshape(-1, 1, 1, 1)
        return at.astype(self.Targmax.numpy, copy=False)

    def grad(self, node: Any, dy: Any, _: Any) -> Any:
        if dy is None:
            return None
        return Unpool(self.include_batch_in_index)(dy, node.results[1], shape_of(node.inputs[0]))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if self.include_batch_in_index or not inputs[0].spec.known:
            return NotImplemented
        found = _all_results(self, batching.into_batch(inputs[0]))
        return tuple([batching.out_of_batch(y, size) for y in found]), 0


class _OfMaxPool(Pooling):
    """Base of TensorFlow's gradient ops of MaxPool, which take its input and output and find the switches anew."""

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if not all(x.spec.known for x in inputs):
            return NotImplemented
        rows = [batching.into_batch(repeated(x, a, size)) for x, a in zip(inputs, axes, strict=True)]
        return batching.out_of_batch(self(*rows), size), 0


@op
class MaxPoolGrad(_OfMaxPool):
    """TensorFlow's gradient of MaxPool: `grad` put where MaxPool found its values, adding where they meet.

    x [N,H,W,C]   y [N,P,Q,C]   dy [N,P,Q,C]   ->   dx [N,H,W,C]
    """

    signature = "orig_input: T, orig_output: T, grad: T -> output: T"
    T = REALS
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"

    def infer(self, x: Spec, y: Spec, dy: Spec) -> Spec:
        _checked_pooled(self, x, y, dy)
        return x

    def reference(self, x: Any, y: Any, dy: Any) -> Any:
        _, at = self.like(MaxPool).reference(x)
        return reference.unpool(dy, at, x.shape, False)

    def grad(self, node: Any, g: Any) -> Any:
        x, y, _ = node.inputs
        return ZerosLike()(x), ZerosLike()(y), self.like(MaxPoolGradGrad)(x, y, g)


@op
class MaxPoolGradGrad(_OfMaxPool):
    """TensorFlow's gradient of MaxPoolGrad by `grad`: what stands where MaxPool found its values.

    x [N,H,W,C]   y [N,P,Q,C]   g [N,H,W,C]   ->   [N,P,Q,C]
    """

    signature = "orig_input: T, orig_output: T, grad: T -> output: T"
    T = REALS
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"

    def infer(self, x: Spec, y: Spec, g: Spec) -> Spec:
        shape.merged(x.shape, g.shape, f"{self.type}: orig_input and grad")
        return _checked_pooled(self, x, y, y)

    def reference(self, x: Any, y: Any, g: Any) -> Any:
        _, at = self.like(MaxPool).reference(x)
        return reference.repool(g, at, False)

    def grad(self, node: Any, g: Any) -> Any:
        x, y, _ = node.inputs
        return ZerosLike()(x), ZerosLike()(y), self.like(MaxPoolGrad)(x, y, g)


def _checked_pooled(op_: Pooling, x: Spec, y: Spec, dy: Spec) -> Spec:
    out = op_.pooled(x.shape)
    out = shape.merged(out, y.shape, f"{op_.type}: pooled orig_input and orig_output")
    return y.with_shape(shape.merged(out, dy.shape, f"{op_.type}: orig_output and grad"))


# --- the mean -------------------------------------------------------------------------------------


@op
class AvgPool(Pooling):
    """The mean of each window's real pixels: those of the padding do not count.

    y[n,p,q,c] = sum_{r,s} x[n, p*a + r - top, q*b + s - left, c] / (how many of them lie in the image)

    x [N,H,W,C]   ->   y [N,P,Q,C]
    """

    signature = "value: T -> output: T"
    T = REALS
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(self.pooled(x.shape))

    def reference(self, x: Any) -> Any:
        return self.first(reference.avg_pool(self.last(x), self.at(x.shape), self.ksize, self.strides))

    def grad(self, node: Any, dy: Any) -> Any:
        return self.like(AvgPoolGrad)(shape_of(node.inputs[0]), dy)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if not inputs[0].spec.known:
            return NotImplemented
        return batching.out_of_batch(self(batching.into_batch(inputs[0])), size), 0


@op
class AvgPoolGrad(Pooling):
    """The adjoint of AvgPool: each value spread evenly over its window's real pixels.

    orig_input_shape [4]   dy [N,P,Q,C]   ->   dx [orig_input_shape]
    """

    signature = "orig_input_shape: int32|int64, grad: T -> output: T"
    T = REALS
    static = (0,)
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"

    def infer(self, to: Spec, dy: Spec) -> Spec:
        wanted = known_vector(to)
        if wanted is None:
            return dy.with_shape((dy.shape[0], None, None, None))  # type: ignore[index]
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
        return None, self.like(AvgPool)(g)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        to, dy = inputs
        wanted = static_tuple(to)
        if axes[0] is not None or wanted is None or not dy.spec.known:
            return NotImplemented
        return batching.out_of_batch(self((size * wanted[0], *wanted[1:]), batching.into_batch(dy)), size), 0


__all__ = [
    "AvgPool",
    "AvgPoolGrad",
    "MaxPool",
    "MaxPoolGrad",
    "MaxPoolGradGrad",
    "MaxPoolWithArgmax",
    "Repool",
    "Unpool",
]
