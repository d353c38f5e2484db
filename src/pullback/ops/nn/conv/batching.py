"""Convolutions over a leading axis b, as one convolution.

only the image has it     b joins N
only the filter has it    b joins the channels of the filter's that the image lacks, inside each group
both have it              b joins both channel axes, as groups: (b, g) are b g groups
"""

from __future__ import annotations

from typing import Any

from pullback.core.basics import shape_tuple, static_tuple
from pullback.core.op import REGISTRY
from pullback.core.tensor import Tensor


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


def conv2d(op: Any, size: int, inputs: Any, axes: Any) -> Any:
    """y [b,N,P,Q,K] of x [b?,N,H,W,C] and w [b?,R,S,c,K]."""
    x, w = inputs
    if not (x.spec.known and w.spec.known):
        return NotImplemented
    c_at = 3 if op.data_format == "NHWC" else 1
    if axes[1] is None:
        return out_of_batch(op(into_batch(x), w), size), 0
    if axes[0] is None:
        groups = _groups(x.spec.shape[c_at], w.spec.shape[3])
        return out_of_channels(op(x, into_channels(w, 3, groups)), size, c_at, groups), 0
    return out_of_channels(op(into_channels(x, c_at), into_channels(w, 3)), size, c_at), 0


def conv2d_backprop_input(op: Any, size: int, inputs: Any, axes: Any) -> Any:
    """dx [b,N,H,W,C] of w [b?,R,S,c,K] and dy [b?,N,P,Q,K]."""
    sizes, w, dy = inputs
    to = static_tuple(sizes)
    if axes[0] is not None or to is None or not (w.spec.known and dy.spec.known):
        return NotImplemented
    c_at = 3 if op.data_format == "NHWC" else 1
    if axes[1] is None:
        return out_of_batch(op((size * to[0], *to[1:]), w, into_batch(dy)), size), 0
    wider = (*to[:c_at], size * to[c_at], *to[c_at + 1 :])
    if axes[2] is None:
        groups = _groups(to[c_at], w.spec.shape[3])
        return out_of_channels(op(wider, into_channels(w, 2), dy), size, c_at, groups), 0
    return out_of_channels(op(wider, into_channels(w, 3), into_channels(dy, c_at)), size, c_at), 0


def conv2d_backprop_filter(op: Any, size: int, inputs: Any, axes: Any) -> Any:
    """dw [b,R,S,c,K] of x [b?,N,H,W,C] and dy [b?,N,P,Q,K]."""
    x, sizes, dy = inputs
    to = static_tuple(sizes)
    if axes[1] is not None or to is None or not (x.spec.known and dy.spec.known):
        return NotImplemented
    c_at = 3 if op.data_format == "NHWC" else 1
    R, S, c, K = to
    more_out = (R, S, c, size * K)
    if axes[0] is None:
        groups = _groups(x.spec.shape[c_at], c)
        return out_of_channels(op(x, more_out, into_channels(dy, c_at, groups)), size, 3, groups), 0
    if axes[2] is None:
        groups = _groups(x.spec.shape[c_at + 1], c)
        return out_of_channels(op(into_channels(x, c_at, groups), (R, S, size * c, K), dy), size, 2), 0
    return out_of_channels(op(into_channels(x, c_at), more_out, into_channels(dy, c_at)), size, 3), 0


def _groups(C: int, c: int) -> int:
    return C // c if c else 1
