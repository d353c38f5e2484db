"""Convolution over two and three spatial axes, and its adjoints. Each three are each other's derivatives (`passes`), so
every order exists.

    y  = Conv2D(x, w)                            y  = Conv3D(x, w)
    dx = Conv2DBackpropInput(sizes, w, dy)       dx = Conv3DBackpropInputV2(sizes, w, dy)     = transposed convolution
    dw = Conv2DBackpropFilter(x, sizes, dy)      dw = Conv3DBackpropFilterV2(x, sizes, dy)

Images are [N,H,W,C] (or [N,C,H,W]), filters [R,S,c,K]; volumes [N,D,H,W,C] (or [N,C,D,H,W]), filters [U,R,S,c,K]. Where
C = G c with G > 1, the convolution is grouped.
"""

from __future__ import annotations

from typing import Any

from pullback.core.op import op
from pullback.ops.nn.conv.passes import Convolution, Forward, ToFilter, ToInput
from pullback.ops.nn.conv.window import Padding, Pair, Triple


class _OverImages(Convolution):
    rank = 2
    family = ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")

    def attrs(self) -> dict[str, Any]:
        return {**super().attrs(), "use_cudnn_on_gpu": True}


class _OverVolumes(Convolution):
    rank = 3
    family = ("Conv3D", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2")

    def attrs(self) -> dict[str, Any]:
        """TensorFlow's Conv3D knows no explicit padding, so that attribute is there only where it says something."""
        attrs = super().attrs()
        return attrs if attrs["explicit_paddings"] else {k: v for k, v in attrs.items() if k != "explicit_paddings"}


@op
class Conv2D(_OverImages, Forward):
    """2-D cross-correlation.

    y[n,p,q,k] = sum_{r,s,c} x[n, p*a + r*d - top, q*b + s*e - left, c] * w[r,s,c,k]

    x [N,H,W,C]   w [R,S,c,K]   ->   y [N,P,Q,K]
    """

    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)


@op
class Conv2DBackpropInput(_OverImages, ToInput):
    """The adjoint of Conv2D by its image, which is transposed convolution.

    dx[n, p*a + r*d - top, q*b + s*e - left, c] = sum_{r,s,k} w[r,s,c,k] * dy[n,p,q,k]

    input_sizes [4]   w [R,S,c,K]   dy [N,P,Q,K]   ->   dx [input_sizes]
    """

    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)


@op
class Conv2DBackpropFilter(_OverImages, ToFilter):
    """The adjoint of Conv2D by its filter.

    dw[r,s,c,k] = sum_{n,p,q} x[n, p*a + r*d - top, q*b + s*e - left, c] * dy[n,p,q,k]

    x [N,H,W,C]   filter_sizes [4]   dy [N,P,Q,K]   ->   dw [filter_sizes]
    """

    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    data_format: str = "NHWC"
    dilations: Pair = (1, 1)


@op
class Conv3D(_OverVolumes, Forward):
    """3-D cross-correlation.

    y[n,o,p,q,k] = sum_{u,r,s,c} x[n, o*z + u*f - front, p*a + r*d - top, q*b + s*e - left, c] * w[u,r,s,c,k]

    x [N,D,H,W,C]   w [U,R,S,c,K]   ->   y [N,O,P,Q,K]
    """

    strides: Triple = (1, 1, 1)
    padding: Padding = "SAME"
    data_format: str = "NDHWC"
    dilations: Triple = (1, 1, 1)


@op
class Conv3DBackpropInputV2(_OverVolumes, ToInput):
    """The adjoint of Conv3D by its volume, which is transposed convolution.

    dx[n, o*z + u*f - front, p*a + r*d - top, q*b + s*e - left, c] = sum_{u,r,s,k} w[u,r,s,c,k] * dy[n,o,p,q,k]

    input_sizes [5]   w [U,R,S,c,K]   dy [N,O,P,Q,K]   ->   dx [input_sizes]
    """

    strides: Triple = (1, 1, 1)
    padding: Padding = "SAME"
    data_format: str = "NDHWC"
    dilations: Triple = (1, 1, 1)


@op
class Conv3DBackpropFilterV2(_OverVolumes, ToFilter):
    """The adjoint of Conv3D by its filter.

    dw[u,r,s,c,k] = sum_{n,o,p,q} x[n, o*z + u*f - front, p*a + r*d - top, q*b + s*e - left, c] * dy[n,o,p,q,k]

    x [N,D,H,W,C]   filter_sizes [5]   dy [N,O,P,Q,K]   ->   dw [filter_sizes]
    """

    strides: Triple = (1, 1, 1)
    padding: Padding = "SAME"
    data_format: str = "NDHWC"
    dilations: Triple = (1, 1, 1)
