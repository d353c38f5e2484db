"""Pooling as machine code, channels last; see native/pooling.py."""

from __future__ import annotations

from typing import Any

from pullback.core.op import lowering
from pullback.native.ir import I32, I64
from pullback.native.machine import host
from pullback.native.packing import clear
from pullback.native.pooling import CHUNK, Window, place, pool, take
from pullback.native.tiles import runs_on
from pullback.ops.nn import pool as ops


def _add(task: Any, op: Any, what: str, image: Any, words: list[Any], result: Any, to: Any = I64) -> Any:
    """Adds the job of a pooling over an image's shape."""
    if op.data_format != "NHWC" or not runs_on(result):
        return NotImplemented
    N, H, W, C = image
    at, grad = op.at(image), what.endswith("grad")
    (P, Q), (kh, kw), (sh, sw) = at.outs, op.ksize, op.strides
    apart = sh >= kh and sw >= kw
    reached = apart and (sh, sw) == (kh, kw) and P * sh - at.before[0] >= H and Q * sw - at.before[1] >= W
    if grad and not reached:
        task.job(clear, (result.kind,), [result], items=result.size)
    chunks = -(-C // (CHUNK * host().lanes(result.kind)))
    by_rows = not grad or apart
    s = Window(result.kind, what, (kh, kw), by_rows, grad and not apart, to)
    numbers = (H, W, C, P, Q, sh, sw, *at.before, chunks)
    items = N * (P if by_rows else chunks) if Q * C else 0
    task.job(pool, (s,), [*words, *numbers], items=items, cost=0.15 * N * P * Q * C * kh * kw)
    return None


@lowering("native", ops.MaxPool)
def max_pool(op: Any, task: Any) -> Any:
    (x,), (y,) = task.inputs, task.outputs
    return _add(task, op, "max", x.shape, [x, y], y)


@lowering("native", ops.MaxPoolWithArgmax)
def max_pool_with_argmax(op: Any, task: Any) -> Any:
    (x,), (y, at) = task.inputs, task.outputs
    if op.include_batch_in_index:
        return NotImplemented
    return _add(task, op, "argmax", x.shape, [x, y, at], y, I64 if at.dtype.itemsize == 8 else I32)


@lowering("native", ops.MaxPoolGrad)
def max_pool_grad(op: Any, task: Any) -> Any:
    (x, _, dy), (dx,) = task.inputs, task.outputs
    return _add(task, op, "max_grad", x.shape, [x, dy, dx], dx)


@lowering("native", ops.MaxPoolGradGrad)
def max_pool_grad_grad(op: Any, task: Any) -> Any:
    (x, _, g), (y,) = task.inputs, task.outputs
    return _add(task, op, "max_repool", x.shape, [x, g, y], y)


@lowering("native", ops.AvgPool)
def avg_pool(op: Any, task: Any) -> Any:
    (x,), (y,) = task.inputs, task.outputs
    return _add(task, op, "mean", x.shape, [x, y], y)


@lowering("native", ops.AvgPoolGrad)
def avg_pool_grad(op: Any, task: Any) -> Any:
    (_, dy), (dx,) = task.inputs, task.outputs
    return _add(task, op, "mean_grad", dx.shape, [dy, dx], dx)


def _place(task: Any, values: Any, at: Any, x: Any) -> Any:
    """x = values at their places in images of zeros."""
    if not runs_on(values) or not values.size or not x.size:
        return NotImplemented
    N = x.shape[0]
    wrong = task.checked((N,))
    words = [values, at, x, wrong, values.size // N, x.size // N]
    task.job(place, (values.kind, at.kind, True), words, items=N, cost=1.5 * values.size)
    return None


def _take(task: Any, x: Any, at: Any, y: Any) -> Any:
    """y = what stands at places of images."""
    if not runs_on(x) or not x.size or not y.size:
        return NotImplemented
    N = x.shape[0]
    wrong = task.checked((N,))
    task.job(take, (x.kind, at.kind), [x, at, y, wrong, y.size // N, x.size // N], items=N, cost=1.0 * y.size)
    return None


@lowering("native", ops.Unpool)
def unpool(op: Any, task: Any) -> Any:
    (values, at, _), (x,) = task.inputs, task.outputs
    return NotImplemented if op.with_batch else _place(task, values, at, x)


@lowering("native", ops.MaxPoolGradWithArgmax)
def max_pool_grad_with_argmax(op: Any, task: Any) -> Any:
    (_, dy, at), (dx,) = task.inputs, task.outputs
    return NotImplemented if op.include_batch_in_index else _place(task, dy, at, dx)


@lowering("native", ops.Repool)
def repool(op: Any, task: Any) -> Any:
    (x, at), (y,) = task.inputs, task.outputs
    return NotImplemented if op.with_batch else _take(task, x, at, y)


@lowering("native", ops.MaxPoolGradGradWithArgmax)
def max_pool_grad_grad_with_argmax(op: Any, task: Any) -> Any:
    (_, g, at), (y,) = task.inputs, task.outputs
    return NotImplemented if op.include_batch_in_index else _take(task, g, at, y)
