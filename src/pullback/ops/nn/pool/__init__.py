"""Pooling over two and three spatial axes, and unpooling, closed under differentiation.

    y = MaxPool(x)             the largest of each window
    dx = MaxPoolGrad(x, y, dy) dy put where they stood          g = MaxPoolGradGrad(x, y, dx)    what stands there
    AvgPool <-> AvgPoolGrad    each other's adjoints

The gradient of MaxPoolGrad is MaxPoolGradGrad and the other way round, so every order exists. MaxPoolWithArgmax says
where its values stood, and its pair of gradients goes by that. `switches` unpools by such places without a window;
`base` holds the rules.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import ZerosLike
from pullback.core.dtypes import INTS, REALS, DType
from pullback.core.errors import ArgumentError
from pullback.core.op import op
from pullback.core.spec import Spec
from pullback.ops.nn.conv.window import Padding, Pair, Triple
from pullback.ops.nn.pool import reference
from pullback.ops.nn.pool.base import (
    Maximum,
    MaximumGrad,
    MaximumGradGrad,
    Mean,
    MeanGrad,
    Pooling,
    places,
)
from pullback.ops.nn.pool.switches import Repool, Unpool

_MAX, _MAX_3D = ("MaxPool", "MaxPoolGrad", "MaxPoolGradGrad"), ("MaxPool3D", "MaxPool3DGrad", "MaxPool3DGradGrad")
_AVG, _AVG_3D = ("AvgPool", "AvgPoolGrad"), ("AvgPool3D", "AvgPool3DGrad")


# --- the largest ----------------------------------------------------------------------------------


@op
class MaxPool(Maximum):
    """The largest value of each window; of equal ones the first in row order. NaN counts as the largest.

    y[n,p,q,c] = max_{r,s} x[n, p*a + r - top, q*b + s - left, c]

    x [N,H,W,C]   ->   y [N,P,Q,C]
    """

    family = _MAX
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"


@op
class MaxPoolGrad(MaximumGrad):
    """The gradient of MaxPool: `grad` put where MaxPool found its values, adding where they meet.

    x [N,H,W,C]   y [N,P,Q,C]   dy [N,P,Q,C]   ->   dx [N,H,W,C]
    """

    family = _MAX
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"


@op
class MaxPoolGradGrad(MaximumGradGrad):
    """The gradient of MaxPoolGrad by `grad`: what stands where MaxPool found its values.

    x [N,H,W,C]   y [N,P,Q,C]   g [N,H,W,C]   ->   [N,P,Q,C]
    """

    family = _MAX
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"


@op
class MaxPool3D(Maximum):
    """MaxPool over volumes. x [N,D,H,W,C]   ->   y [N,O,P,Q,C]"""

    rank = 3
    family = _MAX_3D
    ksize: Triple = (2, 2, 2)
    strides: Triple = (2, 2, 2)
    padding: Padding = "VALID"
    data_format: str = "NDHWC"


@op
class MaxPool3DGrad(MaximumGrad):
    """The gradient of MaxPool3D. x [N,D,H,W,C]   y [N,O,P,Q,C]   dy [N,O,P,Q,C]   ->   dx [N,D,H,W,C]"""

    rank = 3
    family = _MAX_3D
    ksize: Triple = (2, 2, 2)
    strides: Triple = (2, 2, 2)
    padding: Padding = "VALID"
    data_format: str = "NDHWC"


@op
class MaxPool3DGradGrad(MaximumGradGrad):
    """The gradient of MaxPool3DGrad. x [N,D,H,W,C]   y [N,O,P,Q,C]   g [N,D,H,W,C]   ->   [N,O,P,Q,C]"""

    rank = 3
    family = _MAX_3D
    ksize: Triple = (2, 2, 2)
    strides: Triple = (2, 2, 2)
    padding: Padding = "VALID"
    data_format: str = "NDHWC"


class ByArgmax(Pooling):
    """Base of MaxPoolWithArgmax and its gradients, whose images are [N,H,W,C]."""

    T = (*REALS, *INTS)
    Targmax: Any = dtypes.INDICES
    include_batch_in_index: Any = False

    def check(self) -> None:
        super().check()
        if not isinstance(self.padding, str):
            raise ArgumentError(f'{self.type}: padding must be "SAME" or "VALID"; pad the input by tf.pad for another')

    def attrs(self) -> dict[str, Any]:
        attrs = super().attrs()
        del attrs["data_format"], attrs["explicit_paddings"]
        return {**attrs, "include_batch_in_index": self.include_batch_in_index}

    def other(self, kind: Any) -> Any:
        """Another of the three with the same window."""
        return kind(self.ksize, self.strides, self.padding, include_batch_in_index=self.include_batch_in_index)


@op
class MaxPoolWithArgmax(ByArgmax):
    """MaxPool that says where its values stood: flat over (H,W,C), or over (N,H,W,C) with include_batch_in_index.

    x [N,H,W,C]   ->   y [N,P,Q,C], argmax [N,P,Q,C]
    """

    signature = "input: T -> output: T, argmax: Targmax"
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

    def attrs(self) -> dict[str, Any]:
        return {**super().attrs(), "Targmax": self.Targmax}

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        out = self.pooled(x.shape)
        return x.with_shape(out), Spec(out, self.Targmax)

    def reference(self, x: Any) -> tuple[Any, ...]:
        y, at = reference.max_pool(x, self.at(x.shape), self.ksize, self.strides, places(self, x.shape))
        return y, self.argmax(at, x.shape)

    def argmax(self, at: Any, x: tuple[int, ...]) -> Any:
        """Places within each image, as the output says them."""
        if self.include_batch_in_index:
            at = at + (np.arange(x[0]) * (x[1] * x[2] * x[3])).reshape(-1, 1, 1, 1)
        return at.astype(self.Targmax.numpy, copy=False)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        """b joins N; images are counted within each entry only."""
        if not self.include_batch_in_index or not inputs[0].spec.known:
            return super().batch(size, inputs, axes)
        _, N, *image = inputs[0].spec.shape
        plain = MaxPoolWithArgmax(self.ksize, self.strides, self.padding, self.Targmax)
        (y, at), _ = plain.batch(size, inputs, axes)
        before = np.arange(N).reshape(N, 1, 1, 1) * prod(image)
        return (y, at + before.astype(self.Targmax.numpy)), 0

    def grad(self, node: Any, dy: Any, _: Any) -> Any:
        return None if dy is None else self.other(MaxPoolGradWithArgmax)(node.inputs[0], dy, node.results[1])


class _ArgmaxGrad(ByArgmax):
    """Base of the gradients of MaxPoolWithArgmax: linear in `grad`, which has the shape of its output or its input."""

    def fitting(self, x: Any, argmax: Any, pooled: Any = None, image: Any = None) -> Any:
        """The shape of what is pooled, by the inputs' shapes; `grad` is pooled or an image.

        Raises:
          ShapeError: they do not fit.
        """
        out = shape.merged(self.pooled(x), argmax, f"{self.type}: pooled input and argmax")
        shape.merged(x, image, f"{self.type}: input and grad")
        return shape.merged(out, pooled, f"{self.type}: argmax and grad")


@op
class MaxPoolGradWithArgmax(_ArgmaxGrad):
    """The gradient of MaxPoolWithArgmax: `grad` put at its places, adding where they meet.

    x [N,H,W,C]   dy [N,P,Q,C]   argmax [N,P,Q,C]   ->   dx [N,H,W,C]
    """

    signature = "input: T, grad: T, argmax: Targmax -> output: T"
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    include_batch_in_index: bool = False

    def infer(self, x: Spec, dy: Spec, argmax: Spec) -> Spec:
        self.fitting(x.shape, argmax.shape, dy.shape)
        return x

    def reference(self, x: Any, dy: Any, argmax: Any) -> Any:
        self.fitting(x.shape, argmax.shape, dy.shape)
        return reference.unpool(dy, argmax, x.shape, self.include_batch_in_index)

    def grad(self, node: Any, g: Any) -> Any:
        x, _, argmax = node.inputs
        return ZerosLike()(x), self.other(MaxPoolGradGradWithArgmax)(x, g, argmax), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, dy, argmax = inputs
        if not (x.spec.known and dy.spec.known and argmax.spec.known):
            return NotImplemented
        to = x.spec.shape if axes[0] is None else x.spec.shape[1:]
        unpool = Unpool(self.include_batch_in_index)
        return unpool.batch(size, (dy, argmax, to), (*axes[1:], None))


@op
class MaxPoolGradGradWithArgmax(_ArgmaxGrad):
    """The gradient of MaxPoolGradWithArgmax by its `grad`: what stands at the places.

    x [N,H,W,C]   g [N,H,W,C]   argmax [N,P,Q,C]   ->   [N,P,Q,C]
    """

    signature = "input: T, grad: T, argmax: Targmax -> output: T"
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    include_batch_in_index: bool = False

    def infer(self, x: Spec, g: Spec, argmax: Spec) -> Spec:
        return g.with_shape(self.fitting(x.shape, argmax.shape, image=g.shape))

    def reference(self, x: Any, g: Any, argmax: Any) -> Any:
        self.fitting(x.shape, argmax.shape, image=g.shape)
        return reference.repool(g, argmax, self.include_batch_in_index)

    def grad(self, node: Any, h: Any) -> Any:
        x, _, argmax = node.inputs
        return ZerosLike()(x), self.other(MaxPoolGradWithArgmax)(x, h, argmax), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return Repool(self.include_batch_in_index).batch(size, inputs[1:], axes[1:])


# --- the mean -------------------------------------------------------------------------------------


@op
class AvgPool(Mean):
    """The mean of each window's real pixels: those of the padding do not count.

    y[n,p,q,c] = sum_{r,s} x[n, p*a + r - top, q*b + s - left, c] / (how many of them lie in the image)

    x [N,H,W,C]   ->   y [N,P,Q,C]
    """

    family = _AVG
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"


@op
class AvgPoolGrad(MeanGrad):
    """The adjoint of AvgPool: each value spread evenly over its window's real pixels.

    orig_input_shape [4]   dy [N,P,Q,C]   ->   dx [orig_input_shape]
    """

    family = _AVG
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"


@op
class AvgPool3D(Mean):
    """AvgPool over volumes. x [N,D,H,W,C]   ->   y [N,O,P,Q,C]"""

    signature = "input: T -> output: T"
    rank = 3
    family = _AVG_3D
    ksize: Triple = (2, 2, 2)
    strides: Triple = (2, 2, 2)
    padding: Padding = "VALID"
    data_format: str = "NDHWC"


@op
class AvgPool3DGrad(MeanGrad):
    """The adjoint of AvgPool3D. orig_input_shape [5]   dy [N,O,P,Q,C]   ->   dx [orig_input_shape]"""

    rank = 3
    family = _AVG_3D
    ksize: Triple = (2, 2, 2)
    strides: Triple = (2, 2, 2)
    padding: Padding = "VALID"
    data_format: str = "NDHWC"


__all__ = [
    "AvgPool",
    "AvgPool3D",
    "AvgPool3DGrad",
    "AvgPoolGrad",
    "MaxPool",
    "MaxPool3D",
    "MaxPool3DGrad",
    "MaxPool3DGradGrad",
    "MaxPoolGrad",
    "MaxPoolGradGrad",
    "MaxPoolGradGradWithArgmax",
    "MaxPoolGradWithArgmax",
    "MaxPoolWithArgmax",
    "Repool",
    "Unpool",
]
