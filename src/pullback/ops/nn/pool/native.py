"""Pooling as machine code, channels last; see native/pooling.py."""

from __future__ import annotations

from math import prod
from typing import Any

from pullback.core.op import lowering
from pullback.native.ir import I32, I64
from pullback.native.machine import host
from pullback.native.packing import clear
from pullback.native.pooling import CHUNK, Window, pool
from pullback.native.switches import MOST_CELLS, Switches, by_places, in_windows, sides
from pullback.native.tiles import goes_past, runs_on
from pullback.ops.nn import pool as ops

# Bytes that a step may touch and still find most of them in the last cache when it is next run.
CACHED = 24 << 20


def _goes_past(result: Any, read: list[Any]) -> bool:
    """Whether an image that is written once should go past the caches."""
    touched = result.of.bytes + sum(b.of.bytes for b in read)
    return touched > CACHED and goes_past(result, result.shape[3])


def _add(task: Any, op: Any, what: str, image: Any, words: list[Any], result: Any, to: Any = I64) -> Any:
    """Adds the job of a pooling over an image's shape."""
    if op.data_format != "NHWC" or not runs_on(result):
        return NotImplemented
    N, H, W, C = image
    at, grad = op.at(image), what.endswith("grad")
    (P, Q), (kh, kw), (sh, sw) = at.outs, op.ksize, op.strides
    if kh * W * C >= 2**31:  # distances within a window are held in 32 bits
        return NotImplemented
    apart = sh >= kh and sw >= kw
    reached = apart and (sh, sw) == (kh, kw) and P * sh - at.before[0] >= H and Q * sw - at.before[1] >= W
    if grad and not reached:
        task.job(clear, (result.kind,), [result], items=result.size)
    chunks = -(-C // (CHUNK * host().lanes(result.kind)))
    by_rows = not grad or apart
    streams = grad and apart and _goes_past(result, words[:-1])
    s = Window(result.kind, what, (kh, kw), by_rows, grad and not apart, to, streams)
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


def _switched(task: Any, what: str, values: Any, at: Any, x: Any, apart: bool = True) -> Any:
    """Puts values at their places in images of zeros, or takes them from there. apart: whether the places may be those
    of windows that lie side by side."""
    if not runs_on(x) or not values.size or not x.size:
        return NotImplemented
    N, marks, parts = x.shape[0], task.scratch((1,), "int64"), 0
    cells = (0, 0)
    if apart and len(x.shape) == len(at.shape) == 4 and x.shape[3] == at.shape[3] and x.size // N < 2**31:
        cells = sides(x.shape[1], at.shape[1]), sides(x.shape[2], at.shape[2])
    if 0 < prod(cells) <= MOST_CELLS:
        parts = at.shape[1]
        marks = task.scratch((N * parts,), "int64")
        words = [values, at, x, marks, *x.shape[1:], *at.shape[1:3]]
        streams = what == "put" and cells[0] > 1 and _goes_past(x, [values, at])
        s = Switches(x.kind, at.kind, what, cells, streams)
        task.job(in_windows, (s,), words, items=N * parts, cost=0.15 * x.size)
    words = [values, at, x, task.checked(), marks, values.size // N, x.size // N, parts]
    cost = 0.01 * values.size if parts else 1.5 * values.size
    task.job(by_places, (x.kind, at.kind, what), words, items=N, cost=cost)
    return None


def _apart(op: Any) -> bool:
    """Whether windows share no pixel."""
    return all(k <= s for k, s in zip(op.ksize, op.strides, strict=True))


@lowering("native", ops.Unpool)
def unpool(op: Any, task: Any) -> Any:
    (values, at, _), (x,) = task.inputs, task.outputs
    return NotImplemented if op.with_batch else _switched(task, "put", values, at, x)


@lowering("native", ops.MaxPoolGradWithArgmax)
def max_pool_grad_with_argmax(op: Any, task: Any) -> Any:
    (_, dy, at), (dx,) = task.inputs, task.outputs
    return NotImplemented if op.include_batch_in_index else _switched(task, "put", dy, at, dx, _apart(op))


@lowering("native", ops.Repool)
def repool(op: Any, task: Any) -> Any:
    (x, at), (y,) = task.inputs, task.outputs
    return NotImplemented if op.with_batch else _switched(task, "take", y, at, x)


@lowering("native", ops.MaxPoolGradGradWithArgmax)
def max_pool_grad_grad_with_argmax(op: Any, task: Any) -> Any:
    (_, g, at), (y,) = task.inputs, task.outputs
    return NotImplemented if op.include_batch_in_index else _switched(task, "take", y, at, g, _apart(op))
