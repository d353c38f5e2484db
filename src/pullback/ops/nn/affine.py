"""x w + b under TensorFlow 1's names, and the share of zeros."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import ZerosLike
from pullback.core.dtypes import float32
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math.arithmetic import Equal
from pullback.ops.math.reduce_functions import reduce_mean
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.ops.nn.activation import relu
from pullback.ops.nn.bias import bias_add


@public(v1="nn.xw_plus_b")
def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """x [B, C], weights [C, K], biases [K] -> [B, K]"""
    with scope(name, "xw_plus_b", x, weights, biases) as full:
        return bias_add(matmul(x, weights), biases, name=full)


@public(v1="nn.relu_layer")
def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """max(x w + b, 0). x [B, C], weights [C, K], biases [K] -> [B, K]"""
    with scope(name, "relu_layer", x, weights, biases) as full:
        return relu(bias_add(matmul(x, weights), biases), name=full)


@public("math.zero_fraction", v1=("nn.zero_fraction", "math.zero_fraction"))
def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of entries that are 0, float32; NaN of nothing."""
    with scope(name, "zero_fraction", value):
        x = interpreter.as_tensor(value)
        return reduce_mean(Cast(float32)(Equal()(x, ZerosLike()(x))))


@public("nn.zero_fraction", v1=None)
def nn_zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of entries that are 0; see `math.zero_fraction`."""
    return zero_fraction(value, name)
