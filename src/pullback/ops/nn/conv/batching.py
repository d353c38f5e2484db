"""Convolutions over a leading axis b, as one convolution.

only the image has it     b joins N
only the filter has it    b joins the channels of the filter's that the image lacks, inside each group
both have it              b joins both channel axes, as groups: (b, g) are b g groups

A depthwise filter [*window, C, M] has its groups along C: b joins C where the image has it too, else M.
"""

from __future__ import annotations

from typing import Any

from pullback.core.basics import BroadcastTo, shape_tuple, static_tuple
from pullback.core.op import REGISTRY
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv import window


def _reshaped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return REGISTRY["Reshape"]()(x, shape)


def _transposed(x: Tensor, order: tuple[int, ...]) -> Tensor:
    return REGISTRY["Transpose"]()(x, order)


def into_batch(x: Tensor) -> Tensor:
    """[b,N,...] -> [b N,...]"""
    b, n, *rest = shape_tuple(x)
    return _reshaped(x, (b * n, *rest))


def out_of_batch(x: Tensor, size: int) -> Tensor:
    """[b N,...] -> [b,N,...]"""
    n, *rest = shape_tuple(x)
    return _reshaped(x, (size, n // size, *rest))


def into_channels(x: Tensor, axis: int, groups: int = 1) -> Tensor:
    """[b,...,G c,...] -> [...,G b c,...]; `axis` is where the channels stand without b."""
    b, *rest = shape_tuple(x)
    before, channels, after = rest[:axis], rest[axis], rest[axis + 1 :]
    apart = _reshaped(x, (b, *before, groups, channels // groups, *after))
    order = (*range(1, axis + 2), 0, *range(axis + 2, len(rest) + 2))
    return _reshaped(_transposed(apart, order), (*before, b * channels, *after))


def out_of_channels(x: Tensor, size: int, axis: int, groups: int = 1) -> Tensor:
    """[...,G b c,...] -> [b,...,G c,...]"""
    shape = shape_tuple(x)
    before, channels, after = shape[:axis], shape[axis], shape[axis + 1 :]
    apart = _reshaped(x, (*before, groups, size, channels // (groups * size), *after))
    order = (axis + 1, *range(axis + 1), *range(axis + 2, len(shape) + 2))
    return _reshaped(_transposed(apart, order), (size, *before, channels // size, *after))


def repeated(x: Tensor, axis: int | None, size: int) -> Tensor:
    """x with the batched axis, whether it has it or not."""
    return x if axis is not None else BroadcastTo()(x, (size, *shape_tuple(x)))


def forward(op: Any, size: int, inputs: Any, axes: Any) -> Any:
    """y [b,N,P,Q,K] of x [b?,N,H,W,C] and w [b?,R,S,c,K]."""
    x, w = inputs
    if not (x.spec.known and w.spec.known):
        return NotImplemented
    c_at, K_at = _channels(op), op.rank + 1
    if axes[1] is None:
        return out_of_batch(op(into_batch(x), w), size), 0
    if axes[0] is None:
        groups = _groups(op, x.spec.shape[c_at], w.spec.shape[K_at])
        wider = into_channels(w, K_at, 1 if op.depthwise else groups)
        return out_of_channels(op(x, wider), size, c_at, groups), 0
    wider = into_channels(w, K_at - 1 if op.depthwise else K_at)
    return out_of_channels(op(into_channels(x, c_at), wider), size, c_at), 0


def to_input(op: Any, size: int, inputs: Any, axes: Any) -> Any:
    """dx [b,N,H,W,C] of w [b?,R,S,c,K] and dy [b?,N,P,Q,K]."""
    sizes, w, dy = inputs
    to = static_tuple(sizes)
    if axes[0] is not None or to is None or not (w.spec.known and dy.spec.known):
        return NotImplemented
    c_at, K_at = _channels(op), op.rank + 1
    if axes[1] is None:
        return out_of_batch(op((size * to[0], *to[1:]), w, into_batch(dy)), size), 0
    wider = (*to[:c_at], size * to[c_at], *to[c_at + 1 :])
    if op.depthwise:
        both = into_channels(repeated(dy, axes[2], size), c_at)
        return out_of_channels(op(wider, into_channels(w, K_at - 1), both), size, c_at), 0
    if axes[2] is None:
        groups = _groups(op, to[c_at], w.spec.shape[K_at])
        return out_of_channels(op(wider, into_channels(w, K_at - 1), dy), size, c_at, groups), 0
    return out_of_channels(op(wider, into_channels(w, K_at), into_channels(dy, c_at)), size, c_at), 0


def to_filter(op: Any, size: int, inputs: Any, axes: Any) -> Any:
    """dw [b,R,S,c,K] of x [b?,N,H,W,C] and dy [b?,N,P,Q,K]."""
    x, sizes, dy = inputs
    to = static_tuple(sizes)
    if axes[1] is not None or to is None or not (x.spec.known and dy.spec.known):
        return NotImplemented
    c_at, K_at = _channels(op), op.rank + 1
    more_in, more_out = (*to[:-2], size * to[-2], to[-1]), (*to[:-1], size * to[-1])
    if axes[0] is None:
        groups = _groups(op, x.spec.shape[c_at], to[-2])
        dw = op(x, more_out, into_channels(dy, c_at, groups))
        return out_of_channels(dw, size, K_at, 1 if op.depthwise else groups), 0
    if op.depthwise:
        both = into_channels(repeated(dy, axes[2], size), c_at)
        return out_of_channels(op(into_channels(x, c_at), more_in, both), size, K_at - 1), 0
    if axes[2] is None:
        groups = _groups(op, x.spec.shape[c_at + 1], to[-2])
        return out_of_channels(op(into_channels(x, c_at, groups), more_in, dy), size, K_at - 1), 0
    return out_of_channels(op(into_channels(x, c_at), more_out, into_channels(dy, c_at)), size, K_at), 0


def _channels(op: Any) -> int:
    """Where the image's channels stand."""
    return op.rank + 1 if window.last(op.data_format) else 1


def _groups(op: Any, C: int, c: int) -> int:
    if op.depthwise:
        return max(C, 1)
    return C // c if c else 1
