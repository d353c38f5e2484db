"""Activations on vectors of lanes, for the CPU engine. See ops/math/native.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.native import mathematics
from pullback.native.ir import Function, Value
from pullback.ops.math.native import lanes
from pullback.ops.nn import activation as a
from pullback.ops.nn.activation import SELU_SCALE, SELU_SCALE_ALPHA


@lanes(a.Relu)
def relu(op: Any, f: Function, x: Value) -> Value:
    return f.maximum(x, 0)


@lanes(a.ReluGrad)
def relu_grad(op: Any, f: Function, dy: Value, x: Value) -> Value:
    return f.select(x > 0, dy, 0)


@lanes(a.Relu6)
def relu6(op: Any, f: Function, x: Value) -> Value:
    return f.minimum(f.maximum(x, 0), 6)


@lanes(a.Relu6Grad)
def relu6_grad(op: Any, f: Function, dy: Value, x: Value) -> Value:
    return f.select((x > 0) & (x < 6), dy, 0)


@lanes(a.LeakyRelu)
def leaky_relu(op: Any, f: Function, x: Value) -> Value:
    return f.select(x > 0, x, x * float(np.float32(op.alpha)))


@lanes(a.LeakyReluGrad)
def leaky_relu_grad(op: Any, f: Function, dy: Value, x: Value) -> Value:
    return f.select(x > 0, dy, dy * float(np.float32(op.alpha)))


@lanes(a.Elu)
def elu(op: Any, f: Function, x: Value) -> Value:
    return f.select(x < 0, mathematics.exp(f, x) - 1, x)


@lanes(a.EluGrad)
def elu_grad(op: Any, f: Function, dy: Value, y: Value) -> Value:
    return f.select(y < 0, dy * (y + 1), dy)


@lanes(a.Selu)
def selu(op: Any, f: Function, x: Value) -> Value:
    return f.select(x < 0, (mathematics.exp(f, x) - 1) * SELU_SCALE_ALPHA, x * SELU_SCALE)


@lanes(a.SeluGrad)
def selu_grad(op: Any, f: Function, dy: Value, y: Value) -> Value:
    return f.select(y < 0, dy * (y + SELU_SCALE_ALPHA), dy * SELU_SCALE)


@lanes(a.Softplus)
def softplus(op: Any, f: Function, x: Value) -> Value:
    if not x.type.floating:
        return NotImplemented
    return f.maximum(x, 0) + mathematics.log1p(f, mathematics.exp(f, -f.unary("fabs", x)))


@lanes(a.SoftplusGrad)
def softplus_grad(op: Any, f: Function, dy: Value, x: Value) -> Value:
    return dy / (mathematics.exp(f, -x) + 1)


@lanes(a.Softsign)
def softsign(op: Any, f: Function, x: Value) -> Value:
    return x / (f.unary("fabs", x) + 1)


@lanes(a.SoftsignGrad)
def softsign_grad(op: Any, f: Function, dy: Value, x: Value) -> Value:
    below = f.unary("fabs", x) + 1
    return dy / (below * below)
