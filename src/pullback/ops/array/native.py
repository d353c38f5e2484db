"""Moving elements about as machine code: native/moving.py.

Where an op gives parts of its input, NumPy says which: its kernel, called on an array of that shape with nothing in it,
gives views, and their strides are what is to be copied. Where an op puts its inputs into a result, the views are of
that.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from pullback.core.op import lowering
from pullback.native.extremes import extreme
from pullback.native.lookup import add_lookup, add_sum
from pullback.native.moving import KINDS, add_move, dense, fill
from pullback.native.packing import clear
from pullback.native.tiles import runs_on
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.joining import ConcatV2, Pack, Unpack
from pullback.ops.array.layout import ReverseV2, Transpose
from pullback.ops.array.padding import Pad, PadV2
from pullback.ops.array.rows import UnsortedSegmentSum
from pullback.ops.array.search import ArgMax, ArgMin
from pullback.ops.array.slicing import Slice, StridedSlice, StridedSliceGrad
from pullback.ops.array.splitting import Split, SplitV


def _strides(view: Any) -> list[int]:
    return [s // view.itemsize for s in view.strides]


def _begin(view: Any, whole: Any) -> int:
    """The element of the whole that a view begins at."""
    return (view.__array_interface__["data"][0] - whole.__array_interface__["data"][0]) // whole.itemsize


def _parts(op: Any, task: Any, which: int) -> Any:
    """Results that are views of input `which`; the other inputs are known."""
    x = task.inputs[which]
    if x.dtype == object or not all(i in task.known for i in range(len(task.inputs)) if i != which):
        return NotImplemented
    empty = np.empty(x.shape, x.dtype)
    views = op.reference(*[empty if i == which else task.known[i] for i in range(len(task.inputs))])
    for view, y in zip(views if isinstance(views, tuple) else (views,), task.outputs, strict=True):
        if view.size and not np.may_share_memory(view, empty):
            return NotImplemented
        first = _begin(view, empty) if view.size else 0
        if not add_move(task, x, y, view.shape, _strides(view), dense(view.shape), first=first):
            return NotImplemented
    return None


def _put(task: Any, x: Any, y: Any, view: Any, whole: Any) -> bool:
    """Copies an input to where a view lies in the result."""
    to = _begin(view, whole) if view.size else 0
    return add_move(task, x, y, view.shape, dense(view.shape), _strides(view), to=to)


@lowering("native", Transpose, ReverseV2, Slice, StridedSlice, SplitV, Unpack)
def parts_of_first(op: Any, task: Any) -> Any:
    return _parts(op, task, 0)


@lowering("native", Split)
def parts_of_second(op: Any, task: Any) -> Any:
    return _parts(op, task, 1)


@lowering("native", ConcatV2)
def concat(op: Any, task: Any) -> Any:
    *values, _ = task.inputs
    (y,) = task.outputs
    if len(values) not in task.known or y.dtype == object or y.dtype.itemsize not in KINDS:
        return NotImplemented
    whole, axis, at = np.empty(y.shape, y.dtype), int(np.reshape(task.known[len(values)], ())), 0
    axis %= len(y.shape)
    for x in values:
        view = whole[(slice(None),) * axis + (slice(at, at + x.shape[axis]),)]
        if not _put(task, x, y, view, whole):
            return NotImplemented
        at += x.shape[axis]
    return None


@lowering("native", Pack)
def pack(op: Any, task: Any) -> Any:
    (y,) = task.outputs
    if y.dtype == object or y.dtype.itemsize not in KINDS:
        return NotImplemented
    whole = np.moveaxis(np.empty(y.shape, y.dtype), op.axis, 0)
    root = np.moveaxis(whole, 0, op.axis)
    if not all(_put(task, x, y, whole[i, ...], root) for i, x in enumerate(task.inputs)):
        return NotImplemented
    return None


def _around(task: Any, x: Any, y: Any, paddings: Any) -> Any:
    """Copies x to the middle of y."""
    whole = np.empty(y.shape, y.dtype)
    view = whole[tuple([slice(b, b + n) for (b, _), n in zip(paddings.tolist(), x.shape, strict=True)])]
    return None if _put(task, x, y, view, whole) else NotImplemented


@lowering("native", Pad)
def pad(op: Any, task: Any) -> Any:
    (x, _), (y,) = task.inputs, task.outputs
    if 1 not in task.known or not x.shape or y.dtype.itemsize not in KINDS:
        return NotImplemented
    task.job(clear, (KINDS[y.dtype.itemsize],), [y], items=y.size)
    return _around(task, x, y, np.asarray(task.known[1]))


@lowering("native", PadV2)
def pad_with(op: Any, task: Any) -> Any:
    (x, _, value), (y,) = task.inputs, task.outputs
    if 1 not in task.known or not x.shape or y.dtype.itemsize not in KINDS:
        return NotImplemented
    task.job(fill, (KINDS[y.dtype.itemsize],), [value, y], items=y.size)
    return _around(task, x, y, np.asarray(task.known[1]))


@lowering("native", StridedSliceGrad)
def strided_slice_grad(op: Any, task: Any) -> Any:
    *bounds, dy = task.inputs
    (y,) = task.outputs
    if not all(i in task.known for i in range(len(bounds))) or y.dtype.itemsize not in KINDS:
        return NotImplemented
    whole = np.empty(y.shape, y.dtype)
    view = whole[op.numpy_index(y.shape, *[task.known[i] for i in (1, 2, 3)])]
    if view.size and not np.may_share_memory(view, whole):
        return NotImplemented
    task.job(clear, (KINDS[y.dtype.itemsize],), [y], items=y.size)
    return None if _put(task, dy, y, view, whole) else NotImplemented


@lowering("native", GatherV2)
def gather(op: Any, task: Any) -> Any:
    (x, at, _), (y,) = task.inputs, task.outputs
    if 2 not in task.known or x.dtype == object or x.dtype.itemsize not in KINDS:
        return NotImplemented
    axis, batch = op.settled(task.known[2], len(x.shape), len(at.shape))
    if batch:
        return NotImplemented
    add_lookup(task, x, at, y, KINDS[x.dtype.itemsize], axis)
    return None


@lowering("native", UnsortedSegmentSum)
def segment_sum(op: Any, task: Any) -> Any:
    (x, at, _), (y,) = task.inputs, task.outputs
    if not runs_on(x):
        return NotImplemented
    add_sum(task, x, at, y)
    return None


@lowering("native", ArgMax, ArgMin)
def place_of_extreme(op: Any, task: Any) -> Any:
    (x, _), (y,) = task.inputs, task.outputs
    if 1 not in task.known or not runs_on(x) or y.dtype.kind != "i" or y.dtype.itemsize < 4:
        return NotImplemented
    axis = int(np.reshape(task.known[1], ())) % len(x.shape)
    outer, n, inner = prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])
    if n >= 1 << 31:
        return NotImplemented
    settings = (x.kind, y.kind, op.type == "ArgMin", inner == 1)
    task.job(extreme, settings, [x, y, n, inner], items=outer if inner else 0, cost=0.3 * x.size)
    return None
