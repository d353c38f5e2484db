"""Depthwise convolution as machine code; see native/channelwise.py. With M filters a channel, channels are repeated M
times, so that each has one filter, and dx is summed over what was repeated: native/repeated.py. A single channel makes
an ordinary convolution."""

from __future__ import annotations

from math import prod
from typing import Any

from pullback.core.op import lowering
from pullback.native import repeated
from pullback.native.channelwise import add_sweep, add_sweep_filter
from pullback.native.sliding import Pass
from pullback.native.tiles import runs_on
from pullback.ops.nn.conv import native as conv
from pullback.ops.nn.conv import shapes
from pullback.ops.nn.conv.native import in_phases, phases
from pullback.ops.nn.depthwise import (
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)


def _suits(op: Any, x: Any, w: Any) -> bool:
    few = w.shape[2] == 1 or w.shape[3] <= repeated.MOST
    return runs_on(x) and op.data_format == "NHWC" and bool(w.size) and few


def _repeated(task: Any, x: Any, times: int) -> Any:
    """x with every channel so many times."""
    if times == 1:
        return x
    *outer, C = x.shape
    wide = task.scratch((*outer, C * times), x.dtype)
    task.job(repeated.repeat, (x.kind, times), [x, wide, C], items=prod(outer) if C else 0)
    return wide


@lowering("native", DepthwiseConv2dNative)
def depthwise(op: Any, task: Any) -> Any:
    """y of x and w."""
    (x, w), (y,) = task.inputs, task.outputs
    at = shapes.settled(op, x.shape, w.shape, None, "forward")
    if not _suits(op, x, w):
        return NotImplemented
    KH, KW, C, M = w.shape
    if C == 1:
        conv.forward(task, x, w, y, op, at)
        return None
    wide, x = C * M, _repeated(task, x, M)
    (P, Q), steps = at.outs, (at.outs[0] * at.outs[1] * wide, at.outs[1] * wide, wide)
    made = Pass(x.shape, (P, Q), (KH, KW), wide, wide, op.strides, op.dilations, at.before, steps)
    add_sweep(task, x, w, y, made, KW * wide, wide)
    return None


@lowering("native", DepthwiseConv2dNativeBackpropInput)
def backprop_input(op: Any, task: Any) -> Any:
    """dx of w and dy: each phase of dx is a convolution of dy with every s-th tap, turned."""
    (_, w, dy), (dx,) = task.inputs, task.outputs
    at = shapes.settled(op, dx.shape, w.shape, dy.shape, "to_input")
    (N, H, W, C), (KH, KW, _, M), (s, t) = dx.shape, w.shape, op.strides
    if not _suits(op, dy, w) or not (in_phases(op) or C == 1):
        return NotImplemented
    if C == 1:
        conv.to_input(task, w, dy, dx, op, at)
        return None
    wide = C * M
    result = dx if M == 1 else task.scratch((N, H, W, wide), dx.dtype)
    for down in phases(H, KH, s, op.dilations[0], at.before[0]):
        for over in phases(W, KW, t, op.dilations[1], at.before[1]):
            if not (down.cells and over.cells):
                continue
            taps = (down.taps, over.taps) if down.taps and over.taps else (0, 1)
            last = (down.a + s * max(taps[0] - 1, 0)) * KW + over.a + t * (taps[1] - 1)
            steps, before = (H * W * wide, s * W * wide, t * wide), (down.before, over.before)
            cells = down.cells, over.cells
            made = Pass((N, *at.outs, wide), cells, taps, wide, wide, (1, 1), op.dilations, before, steps)
            weights = w.part(last * wide) if taps[0] else w
            to = result.part((down.i * W + over.i) * wide)
            add_sweep(task, dy, weights, to, made, -s * KW * wide, -t * wide)
    if M > 1:
        task.job(repeated.fold, (dx.kind, M), [result, dx, C], items=N * H * W)
    return None


@lowering("native", DepthwiseConv2dNativeBackpropFilter)
def backprop_filter(op: Any, task: Any) -> Any:
    """dw of x and dy."""
    (x, _, dy), (dw,) = task.inputs, task.outputs
    at = shapes.settled(op, x.shape, dw.shape, dy.shape, "to_filter")
    if not _suits(op, x, dw):
        return NotImplemented
    C, M = dw.shape[2:]
    if C == 1:
        conv.filter_gradient(task, x, dy, dw, op, at)
        return None
    add_sweep_filter(task, _repeated(task, x, M), dy, dw, op.strides, op.dilations, at.outs, at.before)
    return None
