"""Activations on vectors of lanes, softmax and cross entropies along rows, for the CPU engine.

See ops/math/native.py and native/rows.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.op import lowering
from pullback.native import mathematics, rows
from pullback.native.ir import Function, Value
from pullback.native.tiles import runs_on
from pullback.ops.math.native import lanes
from pullback.ops.nn import activation as a
from pullback.ops.nn.activation import SELU_SCALE, SELU_SCALE_ALPHA
from pullback.ops.nn.losses import SoftmaxCrossEntropyWithLogits, SparseSoftmaxCrossEntropyWithLogits
from pullback.ops.nn.softmax import LogSoftmax, Softmax


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


# --- along rows ----------------------------------------------------------------------------------


def _rows(x: Any) -> int:
    return x.size // x.shape[-1] if x.shape and x.size else 0


@lowering("native", Softmax, LogSoftmax)
def softmax(op: Any, task: Any) -> Any:
    (x,), (y,) = task.inputs, task.outputs
    if not runs_on(x) or not _rows(x):
        return NotImplemented
    task.job(rows.softmax, (x.kind, op.type == "LogSoftmax"), [x, y, x.shape[-1]], items=_rows(x), cost=1.0 * x.size)
    return None


@lowering("native", SoftmaxCrossEntropyWithLogits)
def cross_entropy(op: Any, task: Any) -> Any:
    (x, q), (loss, backprop) = task.inputs, task.outputs
    if not runs_on(x) or x.shape != q.shape or not _rows(x):
        return NotImplemented
    words = [x, q, loss, backprop, x.shape[-1]]
    task.job(rows.cross_entropy, (x.kind,), words, items=_rows(x), cost=1.5 * x.size)
    return None


@lowering("native", SparseSoftmaxCrossEntropyWithLogits)
def sparse_cross_entropy(op: Any, task: Any) -> Any:
    (x, labels), (loss, backprop) = task.inputs, task.outputs
    if not runs_on(x) or x.shape[:-1] != labels.shape or not _rows(x):
        return NotImplemented
    words = [x, labels, loss, backprop, task.checked(), x.shape[-1]]
    settings = (x.kind, labels.kind)
    task.job(rows.sparse_cross_entropy, settings, words, items=_rows(x), cost=1.2 * x.size)
    return None
