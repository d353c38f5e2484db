"""Activations and their gradients, under TensorFlow's names: rows of the elementwise table.

At a kink the gradient is that of one side: relu and leaky_relu at 0 take the left side's (0, alpha), relu6 is flat at
0 and at 6, elu and selu at 0 take the right side's. The second derivative at a kink is 0. Below 0 elu and selu use
exp(x) - 1 as TensorFlow does, not expm1: where that rounds to 0 their gradient is the right side's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.basics import ZerosLike
from pullback.core.dtypes import INTS, REALS
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.tensor import Tensor
from pullback.ops.math.arithmetic import Abs, Less, Sigmoid, Sign
from pullback.ops.math.elementwise import Elementwise, elementwise
from pullback.ops.math.select import Select

_REAL = (*REALS, *INTS)
_BY_FEATURES = "gradients: T, features: T"
_BY_OUTPUTS = "gradients: T, outputs: T"
_BENT = ((-3.0, 3.0), (0.1, 3.0))  # gradients anywhere, features on one side of the kink

# Klambauer et al. 2017: the fixed point of mean 0 and variance 1.
SELU_SCALE = 1.0507009873554804934193349852946
SELU_SCALE_ALPHA = SELU_SCALE * 1.6732632423543772848170429916717


def _zero(x: Any) -> Any:
    return x.dtype.type(0)


def _linear_in_gradients(again: Any) -> Any:
    """The rule of an XGrad that is dy times a step of x: the same step for dy, 0 for x."""

    def rule(node: Any, g: Any) -> Any:
        return again()(g, node.inputs[1]), ZerosLike()(node.inputs[1])

    return rule


# --- relu -----------------------------------------------------------------------------------------
ReluGrad = elementwise(
    "ReluGrad",
    numpy=lambda dy, x: np.where(x > 0, dy, _zero(dy)),
    grad=_linear_in_gradients(lambda: ReluGrad()),
    takes=_BY_FEATURES,
    T=_REAL,
    domain=_BENT,
    linear=(0,),
    doc="dy where x > 0, else 0: at 0 and at NaN too. For x one may give relu's output as well.",
)
Relu = elementwise(
    "Relu",
    numpy=lambda x: np.maximum(x, _zero(x)),
    grad=lambda n, dy: ReluGrad()(dy, n.results[0]),
    takes="features: T",
    T=_REAL,
    domain=(0.1, 3.0),
    doc="max(x, 0).",
)
Relu6Grad = elementwise(
    "Relu6Grad",
    numpy=lambda dy, x: np.where((x > 0) & (x < 6), dy, _zero(dy)),
    grad=_linear_in_gradients(lambda: Relu6Grad()),
    takes=_BY_FEATURES,
    T=_REAL,
    domain=_BENT,
    linear=(0,),
    doc="dy where 0 < x < 6, else 0.",
)
Relu6 = elementwise(
    "Relu6",
    numpy=lambda x: np.minimum(np.maximum(x, _zero(x)), x.dtype.type(6)),
    grad=lambda n, dy: Relu6Grad()(dy, n.results[0]),
    takes="features: T",
    T=_REAL,
    domain=(0.1, 5.0),
    doc="min(max(x, 0), 6).",
)


class _Leaky(Elementwise):
    """Base of leaky_relu and its gradient. alpha has float32's precision, as TensorFlow's attribute has."""

    T = REALS
    alpha: Any

    def slope(self, like: Any) -> Any:
        """alpha as a number of the array's type."""
        return np.float32(self.alpha).astype(like.dtype)


@op
class LeakyReluGrad(_Leaky):
    """dy where x > 0, else alpha dy."""

    signature = f"{_BY_FEATURES} -> backprops: T"
    domain = _BENT
    alpha: float = 0.2

    def reference(self, dy: Any, x: Any) -> Any:
        return np.where(x > 0, dy, self.slope(dy) * dy)

    def grad(self, node: Any, g: Any) -> Any:
        return self(g, node.inputs[1]), ZerosLike()(node.inputs[1])


@op
class LeakyRelu(_Leaky):
    """x where x > 0, else alpha x."""

    signature = "features: T -> activations: T"
    domain = ((0.1, 3.0),)
    alpha: float = 0.2

    def reference(self, x: Any) -> Any:
        return np.where(x > 0, x, self.slope(x) * x)

    def grad(self, node: Any, dy: Any) -> Any:
        return LeakyReluGrad(self.alpha)(dy, node.inputs[0])


# --- elu, selu ------------------------------------------------------------------------------------
def _below(y: Any, value: Any) -> Any:
    """value where y < 0, else 0."""
    return Select()(Less()(y, ZerosLike()(y)), value, ZerosLike()(value))


EluGrad = elementwise(
    "EluGrad",
    numpy=lambda dy, y: np.where(y < 0, dy * (y + 1), dy),
    grad=lambda n, g: (EluGrad()(g, n.inputs[1]), _below(n.inputs[1], g * n.inputs[0])),
    takes=_BY_OUTPUTS,
    T=REALS,
    domain=((-3.0, 3.0), (-0.9, -0.1)),
    doc="dy (y + 1) where elu's output y < 0, else dy.",
)
Elu = elementwise(
    "Elu",
    numpy=lambda x: np.where(x < 0, np.exp(x) - 1, x),
    grad=lambda n, dy: EluGrad()(dy, n.results[0]),
    takes="features: T",
    T=REALS,
    domain=(-3.0, -0.1),
    doc="exp(x) - 1 where x < 0, else x.",
)
SeluGrad = elementwise(
    "SeluGrad",
    numpy=lambda dy, y: np.where(y < 0, dy * (y + y.dtype.type(SELU_SCALE_ALPHA)), dy * y.dtype.type(SELU_SCALE)),
    grad=lambda n, g: (SeluGrad()(g, n.inputs[1]), _below(n.inputs[1], g * n.inputs[0])),
    takes=_BY_OUTPUTS,
    T=REALS,
    domain=((-3.0, 3.0), (-0.9, -0.1)),
    doc="dy (y + scale alpha) where selu's output y < 0, else dy scale.",
)
Selu = elementwise(
    "Selu",
    numpy=lambda x: np.where(x < 0, x.dtype.type(SELU_SCALE_ALPHA) * (np.exp(x) - 1), x.dtype.type(SELU_SCALE) * x),
    grad=lambda n, dy: SeluGrad()(dy, n.results[0]),
    takes="features: T",
    T=REALS,
    domain=(-3.0, -0.1),
    doc="scale x where x >= 0, else scale alpha (exp(x) - 1).",
)


# --- softplus, softsign ---------------------------------------------------------------------------
def _slope_of_slope(x: Any) -> Any:
    """The second derivative of softplus, s (1 - s), without cancellation: s(x) s(-x)."""
    return Sigmoid()(x) * Sigmoid()(-x)


SoftplusGrad = elementwise(
    "SoftplusGrad",
    numpy=lambda dy, x: dy / (1 + np.exp(-x)),
    grad=lambda n, g: (SoftplusGrad()(g, n.inputs[1]), g * n.inputs[0] * _slope_of_slope(n.inputs[1])),
    takes=_BY_FEATURES,
    T=REALS,
    doc="dy / (1 + exp(-x)).",
)
Softplus = elementwise(
    "Softplus",
    numpy=lambda x: np.maximum(x, _zero(x)) + np.log1p(np.exp(-np.abs(x))),
    grad=lambda n, dy: SoftplusGrad()(dy, n.inputs[0]),
    takes="features: T",
    T=REALS,
    doc="log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)): nothing overflows.",
)


def _softsign_slope_grad(node: Any, g: Any) -> Any:
    dy, x = node.inputs
    far = Abs()(x) + 1
    return SoftsignGrad()(g, x), -2 * g * dy * Sign()(x) / (far * far * far)


SoftsignGrad = elementwise(
    "SoftsignGrad",
    numpy=lambda dy, x: dy / np.square(1 + np.abs(x)),
    grad=_softsign_slope_grad,
    takes=_BY_FEATURES,
    T=REALS,
    domain=((-3.0, 3.0), (0.2, 3.0)),
    doc="dy / (1 + |x|)^2.",
)
Softsign = elementwise(
    "Softsign",
    numpy=lambda x: x / (1 + np.abs(x)),
    grad=lambda n, dy: SoftsignGrad()(dy, n.inputs[0]),
    takes="features: T",
    T=REALS,
    domain=(0.2, 3.0),
    doc="x / (1 + |x|).",
)


# --- public functions -----------------------------------------------------------------------------


@public("nn.relu")
def relu(features: Any, name: str | None = None) -> Tensor:
    """max(x, 0), entry by entry; real, integers too. Gradient: dy where x > 0, else 0, at 0 too."""
    return Relu()(features, name=name)


@public("nn.relu6")
def relu6(features: Any, name: str | None = None) -> Tensor:
    """min(max(x, 0), 6), entry by entry; real. Gradient: dy where 0 < x < 6, else 0.

    Source: Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10.
    """
    return Relu6()(features, name=name)


@public("nn.elu")
def elu(features: Any, name: str | None = None) -> Tensor:
    """x where x >= 0, else exp(x) - 1; floating. Gradient at 0: 1. Source: Clevert et al. 2016."""
    return Elu()(features, name=name)


@public("nn.selu")
def selu(features: Any, name: str | None = None) -> Tensor:
    """scale x where x >= 0, else scale alpha (exp(x) - 1); floating. Gradient at 0: scale.

    Source: Klambauer et al. 2017.
    """
    return Selu()(features, name=name)


@public("nn.leaky_relu")
def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """x where x > 0, else alpha x; floating (integers are made float32).

    Args:
      features: Tensor of any shape.
      alpha: slope where x <= 0; taken in float32's precision, as TensorFlow does.
    Gradient at 0: alpha. Source: Maas et al. 2013.
    """
    from pullback.core import interpreter
    from pullback.core.dtypes import float32
    from pullback.ops.math.select import Cast

    x = interpreter.as_tensor(features)
    if x.dtype.is_integer:
        x = Cast(float32)(x)
    return LeakyRelu(float(alpha))(x, name=name or "LeakyRelu")


@public("nn.softplus", "math.softplus")
def softplus(features: Any, name: str | None = None) -> Tensor:
    """log(1 + exp(x)), entry by entry, without overflow; floating. Gradient: dy sigmoid(x)."""
    return Softplus()(features, name=name)


@public("nn.softsign", "math.softsign")
def softsign(features: Any, name: str | None = None) -> Tensor:
    """x / (1 + |x|), entry by entry; floating. Gradient: dy / (1 + |x|)^2."""
    return Softsign()(features, name=name)
