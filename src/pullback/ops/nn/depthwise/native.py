"""Depthwise convolution as machine code, one filter a channel; see native/channelwise.py. More than one filter a
channel is left to the engine's other kernels, but for a single channel: that is an ordinary convolution."""

from __future__ import annotations

from typing import Any

from pullback.core.op import lowering
from pullback.native.channelwise import add_sweep, add_sweep_filter
from pullback.native.sliding import Pass
from pullback.native.tiles import runs_on
from pullback.ops.nn.conv import shapes
from pullback.ops.nn.conv.native import phases
from pullback.ops.nn.depthwise import (
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)


def _suits(op: Any, x: Any, w: Any) -> bool:
    return runs_on(x) and op.data_format == "NHWC" and bool(w.size) and w.shape[3] == 1


@lowering("native", DepthwiseConv2dNative)
def depthwise(op: Any, task: Any) -> Any:
    """y of x and w."""
    (x, w), (y,) = task.inputs, task.outputs
    at = shapes.settled(op, x.shape, w.shape, None, "forward")
    if not _suits(op, x, w):
        return NotImplemented
    KH, KW, C, _ = w.shape
    (P, Q), steps = at.outs, (at.outs[0] * at.outs[1] * C, at.outs[1] * C, C)
    made = Pass(x.shape, (P, Q), (KH, KW), C, C, op.strides, op.dilations, at.before, steps)
    add_sweep(task, x, w, y, made, KW * C, C)
    return None


@lowering("native", DepthwiseConv2dNativeBackpropInput)
def backprop_input(op: Any, task: Any) -> Any:
    """dx of w and dy: each phase of dx is a convolution of dy with every s-th tap, turned."""
    (_, w, dy), (dx,) = task.inputs, task.outputs
    at = shapes.settled(op, dx.shape, w.shape, dy.shape, "to_input")
    plain = all(s == 1 or d == 1 for s, d in zip(op.strides, op.dilations, strict=True))
    if not plain or not _suits(op, dy, w):
        return NotImplemented
    (N, H, W, C), (KH, KW, *_), (s, t) = dx.shape, w.shape, op.strides
    for down in phases(H, KH, s, op.dilations[0], at.before[0]):
        for over in phases(W, KW, t, op.dilations[1], at.before[1]):
            if not (down.cells and over.cells):
                continue
            taps = (down.taps, over.taps) if down.taps and over.taps else (0, 1)
            last = (down.a + s * max(taps[0] - 1, 0)) * KW + over.a + t * (taps[1] - 1)
            steps, before = (H * W * C, s * W * C, t * C), (down.before, over.before)
            cells = down.cells, over.cells
            made = Pass((N, *at.outs, C), cells, taps, C, C, (1, 1), op.dilations, before, steps)
            weights = w.part(last * C) if taps[0] else w
            add_sweep(task, dy, weights, dx.part((down.i * W + over.i) * C), made, -s * KW * C, -t * C)
    return None


@lowering("native", DepthwiseConv2dNativeBackpropFilter)
def backprop_filter(op: Any, task: Any) -> Any:
    """dw of x and dy."""
    (x, _, dy), (dw,) = task.inputs, task.outputs
    at = shapes.settled(op, x.shape, dw.shape, dy.shape, "to_filter")
    if not _suits(op, x, dw):
        return NotImplemented
    add_sweep_filter(task, x, dy, dw, op.strides, op.dilations, at.outs, at.before)
    return None
