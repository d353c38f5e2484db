"""Activations, softmax and dropout. At kinks gradients are those of the functions they are made of (relu' (0) = 0)."""

from __future__ import annotations

from math import prod
from typing import Any

import pullback as tf
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import Function, operator


@operator("Relu")
def relu(x: Tensor) -> Tensor:
    """max(x, 0)"""
    return tf.nn.relu(x) if x.dtype.is_floating else tf.maximum(x, 0)


@operator("LeakyRelu")
def leaky_relu(x: Tensor, *, alpha: float = 0.01) -> Tensor:
    """x above 0, alpha x below."""
    return tf.nn.leaky_relu(x, alpha)


@operator("PRelu")
def prelu_by_channel(x: Tensor, slope: Tensor) -> Tensor:
    """Before operator set 7 a slope [C] is for the channels of [N,C,...], and one of a single number for all."""
    alone = values.rank(slope, "ONNX PRelu") == 1 and values.rank(x, "ONNX PRelu") > 1
    return prelu(x, tf.reshape(slope, [-1, *[1] * (len(x.shape) - 2)]) if alone else slope)


@operator("PRelu", since=7)
def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """x above 0, slope x below."""
    return tf.maximum(x, 0) + slope * tf.minimum(x, 0)


@operator("ThresholdedRelu", since=10)
def thresholded_relu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x above alpha, else 0."""
    return tf.where(x > alpha, x, tf.zeros_like(x))


@operator("Shrink", since=9)
def shrink(x: Tensor, *, bias: float = 0.0, lambd: float = 0.5) -> Tensor:
    """x moved by bias towards 0 where it is farther than lambd from it, else 0."""
    exact = x if x.dtype.is_floating else tf.cast(x, tf.float32)
    zero = tf.zeros_like(exact)
    return tf.cast(tf.where(exact < -lambd, exact + bias, tf.where(exact > lambd, exact - bias, zero)), x.dtype)


@operator("Elu")
def elu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha (e^x - 1) below."""
    return tf.nn.relu(x) + alpha * tf.math.expm1(tf.minimum(x, 0))


@operator("Celu", since=12)
def celu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x above 0, alpha (e^(x/alpha) - 1) below."""
    return tf.nn.relu(x) + alpha * tf.math.expm1(tf.minimum(x, 0) / alpha)


@operator("Selu", since=6)
def selu(x: Tensor, *, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875) -> Tensor:
    """gamma times Elu."""
    return gamma * elu(x, alpha=alpha)


@operator("Selu")
def selu_of_first(x: Tensor, *, alpha: float = 1.6732, gamma: float = 1.0507) -> Tensor:
    """Before operator set 6 its constants had fewer digits."""
    return selu(x, alpha=alpha, gamma=gamma)


@operator("Gelu", since=20)
def gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    """x times the normal distribution's mass below x; by a tanh where approximate is "tanh".

    Raises:
      ArgumentError: approximate is another word.
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f'ONNX Gelu: approximate must be "none" or "tanh", not {approximate!r}').locate()
    return tf.nn.gelu(x, approximate == "tanh")


@operator("HardSigmoid")
def hard_sigmoid(x: Tensor, *, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """alpha x + beta, between 0 and 1."""
    return tf.minimum(tf.maximum(alpha * x + beta, 0), 1)


@operator("HardSwish", since=14)
def hard_swish(x: Tensor) -> Tensor:
    """x times (x/6 + 1/2, between 0 and 1)."""
    return x * hard_sigmoid(x, alpha=1 / 6)


@operator("Swish", since=24)
def swish(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x sigmoid(alpha x)"""
    return x * tf.sigmoid(alpha * x)


@operator("Mish", since=18)
def mish(x: Tensor) -> Tensor:
    """x tanh(log(1 + e^x))"""
    return x * tf.tanh(tf.math.softplus(x))


@operator("Softplus")
def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x)"""
    return tf.math.softplus(x)


@operator("Softsign")
def softsign(x: Tensor) -> Tensor:
    """x / (1 + |x|)"""
    return tf.nn.softsign(x)


# --- over an axis ---------------------------------------------------------------------------------


def hard_max(x: Tensor, axis: int) -> Tensor:
    """1 at the first largest of an axis, 0 elsewhere."""
    return tf.one_hot(tf.argmax(x, axis), values.size(x, axis, "ONNX Hardmax"), axis=axis, dtype=x.dtype)


def _along(function: Any) -> Function:
    def translated(x: Tensor, *, axis: int = -1) -> Tensor:
        return function(x, axis)

    return translated


def _from(function: Any) -> Function:
    """Before operator set 13: over all axes from `axis` on together."""

    def translated(x: Tensor, *, axis: int = 1) -> Tensor:
        dims = values.dims(x, "ONNX softmax")
        rows = tf.reshape(x, [prod(dims[:axis]), prod(dims[axis:])])
        return tf.reshape(function(rows, 1), dims)

    return translated


for _name, _function in {"Softmax": tf.nn.softmax, "LogSoftmax": tf.nn.log_softmax, "Hardmax": hard_max}.items():
    operator(_name)(_from(_function))
    operator(_name, since=13)(_along(_function))


# --- dropout --------------------------------------------------------------------------------------


@operator("Dropout", since=7)
def dropout_of_inference(x: Tensor, *, ratio: float = 0.5) -> Any:
    """x as it is: before operator set 12 a model does not say that it trains."""
    return dropout(x, ratio)


@operator("Dropout", since=12)
def dropout(x: Tensor, ratio: Any = 0.5, training_mode: Any = 0, *, seed: int | None = None) -> Any:
    """x as it is, and true for all of it. Training, zeros in place of a share `ratio` of it, the rest over 1 - ratio.

    The draws are Pullback's, of ONNX's seed.
    """
    (training,) = values.ints(training_mode, "ONNX Dropout: training_mode")
    if not training:
        return x, tf.ones_like(x, tf.bool)
    share = tf.cast(ratio, x.dtype)
    kept = tf.random.uniform(tf.shape(x), dtype=x.dtype, seed=seed) >= share
    return tf.where(kept, x / (1 - share), tf.zeros_like(x)), kept
