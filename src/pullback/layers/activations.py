"""keras.activations: functions of a tensor by name."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math import functions as f
from pullback.ops.math.clipping import clip_by_value
from pullback.ops.math.select import Select
from pullback.ops.nn import activation as nn
from pullback.ops.nn import smooth
from pullback.ops.nn.softmax import softmax as nn_softmax
from pullback.train import identifiers


def _activation(name: str) -> Any:
    return public(f"keras.activations.{name}")


@_activation("elu")
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, else alpha (exp(x) - 1)."""
    y = nn.elu(x)
    return y if alpha == 1 else m.Maximum()(y, 0.0) + alpha * m.Minimum()(y, 0.0)


@_activation("exponential")
def exponential(x: Any) -> Tensor:
    """exp(x)"""
    return f.exp(x)


@_activation("gelu")
def gelu(x: Any, approximate: bool = False) -> Tensor:
    """x times the normal distribution function at x."""
    return smooth.gelu(x, approximate)


@_activation("hard_sigmoid")
def hard_sigmoid(x: Any) -> Tensor:
    """0.2 x + 0.5 between 0 and 1."""
    x = interpreter.as_tensor(x)
    return clip_by_value(x * 0.2 + 0.5, 0.0, 1.0)


@_activation("linear")
def linear(x: Any) -> Any:
    """x"""
    return x


@_activation("mish")
def mish(x: Any) -> Tensor:
    """x tanh(softplus(x))"""
    return x * f.tanh(nn.softplus(x))


@_activation("relu")
def relu(x: Any, alpha: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Tensor:
    """x above threshold (at most max_value), else alpha (x - threshold). Gradient 0 at the kink."""
    x = interpreter.as_tensor(x)
    if not threshold:
        y = nn.leaky_relu(x, alpha) if alpha else nn.relu6(x) if max_value == 6 else nn.relu(x)
    else:
        above = m.Greater()(x, threshold)
        y = Select()(above, x, (x - threshold) * alpha)
    return y if max_value is None or (max_value == 6 and not alpha and not threshold) else m.Minimum()(y, max_value)


@_activation("selu")
def selu(x: Any) -> Tensor:
    """scale (x above 0, else alpha (exp(x) - 1)), scale 1.0507, alpha 1.6733. Source: Klambauer et al. 2017."""
    return nn.selu(x)


@_activation("sigmoid")
def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x))"""
    return f.sigmoid(x)


@_activation("softmax")
def softmax(x: Any, axis: int = -1) -> Tensor:
    """exp(x) divided by its sum along an axis.

    Raises:
      ValueError: x has one axis.
    """
    x = interpreter.as_tensor(x)
    if x.spec.rank is not None and x.spec.rank < 2:
        raise ArgumentError(f"Cannot apply softmax to a tensor that is 1D. Received input: {x}").locate()
    return nn_softmax(x, axis)


@_activation("softplus")
def softplus(x: Any) -> Tensor:
    """log(1 + exp(x))"""
    return nn.softplus(x)


@_activation("softsign")
def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)"""
    return nn.softsign(x)


@public("keras.activations.swish", "keras.activations.silu")
def swish(x: Any) -> Tensor:
    """x sigmoid(x)"""
    return smooth.swish(x)


@_activation("tanh")
def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return f.tanh(x)


_ALL = (
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    linear,
    mish,
    relu,
    selu,
    sigmoid,
    softmax,
    softplus,
    softsign,
    swish,
    tanh,
)
BY_NAME: dict[str, Any] = {made.__name__: made for made in _ALL}
BY_NAME |= {"silu": swish, "relu6": nn.relu6, "leaky_relu": nn.leaky_relu}


@public("keras.activations.get")
def get(identifier: Any) -> Any:
    """The activation that a word or a function stands for; `linear` for None."""
    return linear if identifier is None else identifiers.find(identifier, BY_NAME, "activation")


@public("keras.activations.deserialize")
def deserialize(name: Any, custom_objects: Any = None) -> Any:
    """The activation of a name. custom_objects: further names -> functions."""
    return identifiers.made(name, BY_NAME, "activation", custom_objects)


@public("keras.activations.serialize")
def serialize(activation: Any) -> Any:
    """The name of an activation."""
    return identifiers.described(activation)
