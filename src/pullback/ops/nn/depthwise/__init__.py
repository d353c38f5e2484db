"""Depthwise convolution and its two adjoints: every channel has filters of its own. They are each other's derivatives,
by the rules of every convolution (`conv/passes`).

    y  = DepthwiseConv2dNative(x, w)
    dx = DepthwiseConv2dNativeBackpropInput(sizes, w, dy)
    dw = DepthwiseConv2dNativeBackpropFilter(x, sizes, dy)

It is the grouped convolution with a group a channel: the filter [R,S,C,M] is its [R,S,1,C M].
"""

from __future__ import annotations

from pullback.core.op import op
from pullback.ops.nn.conv.passes import Convolution, Forward, ToFilter, ToInput
from pullback.ops.nn.conv.window import Padding, Pair


class _Depthwise(Convolution):
    rank = 2
    depthwise = True
    family = (
        "DepthwiseConv2dNative",
        "DepthwiseConv2dNativeBackpropInput",
        "DepthwiseConv2dNativeBackpropFilter",
    )


@op
class DepthwiseConv2dNative(_Depthwise, Forward):
    """2-D cross-correlation, channel by channel.

    y[n,p,q,c*M+m] = sum_{r,s} x[n, p*a + r*d - top, q*b + s*e - left, c] * w[r,s,c,m]

    x [N,H,W,C]   w [R,S,C,M]   ->   y [N,P,Q,C*M]
    """

    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)


@op
class DepthwiseConv2dNativeBackpropInput(_Depthwise, ToInput):
    """The adjoint of DepthwiseConv2dNative by its image.

    dx[n, p*a + r*d - top, q*b + s*e - left, c] = sum_{r,s,m} w[r,s,c,m] * dy[n,p,q,c*M+m]

    input_sizes [4]   w [R,S,C,M]   dy [N,P,Q,C*M]   ->   dx [input_sizes]
    """

    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)


@op
class DepthwiseConv2dNativeBackpropFilter(_Depthwise, ToFilter):
    """The adjoint of DepthwiseConv2dNative by its filter.

    dw[r,s,c,m] = sum_{n,p,q} x[n, p*a + r*d - top, q*b + s*e - left, c] * dy[n,p,q,c*M+m]

    x [N,H,W,C]   filter_sizes [4]   dy [N,P,Q,C*M]   ->   dw [filter_sizes]
    """

    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)
