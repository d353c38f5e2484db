"""Activations made of others: gelu, swish, log_sigmoid, crelu. Their derivatives follow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import DTypeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import ConcatV2
from pullback.ops.math import arithmetic as m
from pullback.ops.math.scopes import scope
from pullback.ops.math.special import Erf
from pullback.ops.nn.activation import Relu, Softplus

_TANH_SCALE = 0.7978845608028654  # sqrt(2 / pi)
# TensorFlow brings these two to the features' type by way of float32, so they have float32's precision.
_CUBIC = float(np.float32(0.044715))
_PER_ROOT = float(np.float32(1 / math.sqrt(2)))


@public("nn.gelu", v1=None)
def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """x times the probability that a normal number is below x: x (1 + erf(x / sqrt 2)) / 2.

    Args:
      features: Tensor, floating.
      approximate: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 instead.
    Raises:
      DTypeError: features are not floating.
    Source: Hendrycks & Gimpel 2016.
    """
    with scope(name, "Gelu", features):
        x = interpreter.as_tensor(features)
        if not x.dtype.is_floating:
            raise DTypeError(f"gelu: features must be floating, not {x.dtype.name}; use tf.cast").locate()
        if approximate:
            return x * 0.5 * (m.Tanh()((x + x * x * x * _CUBIC) * _TANH_SCALE) + 1.0)
        return x * 0.5 * (Erf()(x * _PER_ROOT) + 1.0)


@public("nn.swish", "nn.silu")
def swish(features: Any, beta: Any = 1.0) -> Tensor:
    """x sigmoid(beta x), entry by entry; floating. beta: a number or a tensor. Source: Ramachandran et al. 2017."""
    x = interpreter.as_tensor(features, name="features")
    beta = interpreter.as_tensor(beta, x.dtype, name="beta")
    return x * m.Sigmoid()(beta * x)


@public("math.log_sigmoid", v1=("math.log_sigmoid", "log_sigmoid"))
def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """log(1 / (1 + e^-x)), as -softplus(-x): nothing overflows."""
    with scope(name, "LogSigmoid", x) as full:
        return m.Neg()(Softplus()(m.Neg()(x)), name=full)


@public("nn.crelu", v1=None)
def crelu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """relu of x and of -x, one after the other along an axis, which doubles. Source: Shang et al. 2016."""
    with scope(name, "CRelu", features) as full:
        x = interpreter.as_tensor(features)
        return Relu()(ConcatV2()(x, -x, int(axis)), name=full)


@public(v1="nn.crelu")
def crelu_v1(features: Any, name: str | None = None, axis: int = -1) -> Tensor:
    """As `crelu`, in TensorFlow 1's order of arguments."""
    return crelu(features, axis, name)
