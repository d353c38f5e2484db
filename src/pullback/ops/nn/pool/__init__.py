"""Pooling over two and three spatial axes, and unpooling, closed under differentiation.

    MaxPool(x) -> y; at            the largest of each window, and its switch: where it was
    Unpool(y, at, shape) -> x      values put back at their switches; where switches meet, they add
    Repool(x, at) -> y             what stands at the switches
    AvgPool <-> AvgPoolGrad        each other's adjoints

MaxPool's gradient is Unpool by its switches; Unpool and Repool are each other's adjoints, so every order exists. Unpool
and Repool need to know neither layout nor window, and serve any rank (`switches`). `base` holds the rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.basics import shape_of
from pullback.core.dtypes import INTS, REALS, DType
from pullback.core.errors import ArgumentError
from pullback.core.op import op
from pullback.core.spec import Spec
from pullback.ops.nn.conv import batching
from pullback.ops.nn.conv.window import Padding, Pair, Triple
from pullback.ops.nn.pool import reference
from pullback.ops.nn.pool.base import (
    Maximum,
    MaximumGrad,
    MaximumGradGrad,
    Mean,
    MeanGrad,
    Pooling,
    all_results,
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

    x [N,H,W,C]   ->   y [N,P,Q,C]; at [N,P,Q,C]
    """

    family = _MAX
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"


@op
class MaxPoolGrad(MaximumGrad):
    """TensorFlow's gradient of MaxPool: `grad` put where MaxPool found its values, adding where they meet.

    x [N,H,W,C]   y [N,P,Q,C]   dy [N,P,Q,C]   ->   dx [N,H,W,C]
    """

    family = _MAX
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"


@op
class MaxPoolGradGrad(MaximumGradGrad):
    """TensorFlow's gradient of MaxPoolGrad by `grad`: what stands where MaxPool found its values.

    x [N,H,W,C]   y [N,P,Q,C]   g [N,H,W,C]   ->   [N,P,Q,C]
    """

    family = _MAX
    ksize: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = "VALID"
    data_format: str = "NHWC"


@op
class MaxPool3D(Maximum):
    """MaxPool over volumes. x [N,D,H,W,C]   ->   y [N,O,P,Q,C]; at [N,O,P,Q,C]"""

    rank = 3
    family = _MAX_3D
    ksize: Triple = (2, 2, 2)
    strides: Triple = (2, 2, 2)
    padding: Padding = "VALID"
    data_format: str = "NDHWC"


@op
class MaxPool3DGrad(MaximumGrad):
    """TensorFlow's gradient of MaxPool3D. x [N,D,H,W,C]   y [N,O,P,Q,C]   dy [N,O,P,Q,C]   ->   dx [N,D,H,W,C]"""

    rank = 3
    family = _MAX_3D
    ksize: Triple = (2, 2, 2)
    strides: Triple = (2, 2, 2)
    padding: Padding = "VALID"
    data_format: str = "NDHWC"


@op
class MaxPool3DGradGrad(MaximumGradGrad):
    """TensorFlow's gradient of MaxPool3DGrad. x [N,D,H,W,C]   y [N,O,P,Q,C]   g [N,D,H,W,C]   ->   [N,O,P,Q,C]"""

    rank = 3
    family = _MAX_3D
    ksize: Triple = (2, 2, 2)
    strides: Triple = (2, 2, 2)
    padding: Padding = "VALID"
    data_format: str = "NDHWC"


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
        found = all_results(self, batching.into_batch(inputs[0]))
        return tuple([batching.out_of_batch(y, size) for y in found]), 0


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
    "MaxPoolWithArgmax",
    "Repool",
    "Unpool",
]
