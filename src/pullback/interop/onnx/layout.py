"""Operators that move numbers and compute none: shapes, axes, blocks, joining, cutting, padding."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

import pullback as tf
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import operator

# --- pixels and channels --------------------------------------------------------------------------


def block_order(mode: str, what: str) -> bool:
    """Whether a block's place is counted before the channel ("DCR": depth, column, row), or after ("CRD").

    Raises:
      ArgumentError: the mode is neither.
    """
    if mode not in ("DCR", "CRD"):
        raise ArgumentError(f'{what}: mode must be "DCR" or "CRD", not {mode!r}').locate()
    return mode == "DCR"


@operator("DepthToSpace")
def depth_to_space(x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    """[N, C b b, H, W] -> [N, C, H b, W b]"""
    n, c, h, w = values.dims(x, "ONNX DepthToSpace")
    b = blocksize
    if block_order(mode, "ONNX DepthToSpace"):
        parts = tf.transpose(tf.reshape(x, [n, b, b, c // (b * b), h, w]), [0, 3, 4, 1, 5, 2])
    else:
        parts = tf.transpose(tf.reshape(x, [n, c // (b * b), b, b, h, w]), [0, 1, 4, 2, 5, 3])
    return tf.reshape(parts, [n, c // (b * b), h * b, w * b])


@operator("SpaceToDepth")
def space_to_depth(x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    """[N, C, H b, W b] -> [N, C b b, H, W]"""
    n, c, h, w = values.dims(x, "ONNX SpaceToDepth")
    b = blocksize
    order = [0, 3, 5, 1, 2, 4] if block_order(mode, "ONNX SpaceToDepth") else [0, 1, 3, 5, 2, 4]
    parts = tf.transpose(tf.reshape(x, [n, c, h // b, b, w // b, b]), order)
    return tf.reshape(parts, [n, c * b * b, h // b, w // b])


# --- shape ----------------------------------------------------------------------------------------


@operator("Reshape")
def reshape(x: Tensor, shape: Any, *, allowzero: int = 0) -> Tensor:
    """In row order; -1 is worked out, 0 is the size x has there, unless allowzero says that it is 0."""
    sizes = values.entries(shape, "ONNX Reshape: shape")
    numbers = [n for n in sizes if isinstance(n, int)]
    if not allowzero:
        own = values.dims(x, "ONNX Reshape")
        return tf.reshape(x, [_or_own(n, own[i]) if i < len(own) else n for i, n in enumerate(sizes)])
    if 0 in numbers and -1 in numbers:
        raise ShapeError(f"ONNX Reshape: with allowzero, shape {sizes} must not have both 0 and -1").locate()
    return tf.reshape(x, sizes)


def _or_own(n: Any, own: Any) -> Any:
    """A size, or where it is 0, x's own."""
    if isinstance(n, int):
        return own if n == 0 else n
    return tf.where(n == 0, tf.cast(own, n.dtype), n)


@operator("Flatten")
def flatten(x: Tensor, *, axis: int = 1) -> Tensor:
    """[a,b,c,d] -> [a, b c d] for axis 1: a matrix, cut before `axis`."""
    dims = values.dims(x, "ONNX Flatten")
    return tf.reshape(x, [prod(dims[:axis]), prod(dims[axis:])])


@operator("Transpose")
def transpose(x: Tensor, *, perm: Any = None) -> Tensor:
    """Axis i of the result is axis perm[i] of x; all turned round where left out."""
    return tf.transpose(x, None if perm is None else list(perm))


@operator("Squeeze")
def squeeze(x: Tensor, axes: Any = None) -> Tensor:
    """Without the axes of size 1, or those of them named."""
    return tf.squeeze(x, None if axes is None else list(values.ints(axes, "ONNX Squeeze: axes")))


@operator("Unsqueeze")
def unsqueeze(x: Tensor, axes: Any) -> Tensor:
    """With axes of size 1, which stand at `axes` of the result."""
    given = values.ints(axes, "ONNX Unsqueeze: axes")
    rank = values.rank(x, "ONNX Unsqueeze") + len(given)
    for axis in sorted(axis % rank for axis in given):
        x = tf.expand_dims(x, axis)
    return x


@operator("Expand", since=8)
def expand(x: Tensor, shape: Tensor) -> Tensor:
    """Broadcast with a shape; either may be the larger."""
    return tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x, tf.int64), shape))


@operator("Tile", since=6)
def tile(x: Tensor, repeats: Tensor) -> Tensor:
    """x repeated along each axis."""
    return tf.tile(x, repeats)


@operator("Shape")
def shape_of(x: Tensor, *, start: int = 0, end: int | None = None) -> Tensor:
    """The sizes of the axes from start to end, int64 [rank]."""
    return tf.shape(x, tf.int64)[slice(start, end)]


@operator("Size")
def size(x: Tensor) -> Tensor:
    """How many entries, int64 []."""
    return tf.size(x, tf.int64)


# --- joining and cutting --------------------------------------------------------------------------


@operator("Concat", since=4)
def concat(*parts: Tensor, axis: int) -> Tensor:
    """Tensors one after the other along an axis."""
    return tf.concat(list(parts), axis)


@operator("Concat")
def concat_of_first(*parts: Tensor, axis: int = 1) -> Tensor:
    """Before operator set 4 the axis may be left out."""
    return concat(*parts, axis=axis)


@operator("Split", since=2)
def split(x: Tensor, split: Any = None, *, axis: int = 0, num_outputs: int | None = None, outputs: int) -> Any:
    """x cut along an axis, into parts of the sizes `split`, or of one size, the last maybe smaller."""
    if split is None:
        n = values.size(x, axis, "ONNX Split")
        count = num_outputs or outputs
        part = -(-n // count)
        sizes = [min(part, n - i * part) for i in range(count)]
    else:
        sizes = list(values.ints(split, "ONNX Split: split"))
    return tuple(tf.split(x, sizes, axis))


# Numbers past any end, which exporters write for "to the end", as a slice can hold them.
FARTHEST = 2**31 - 1


def _within(n: Any) -> Any:
    return min(max(n, -FARTHEST), FARTHEST) if isinstance(n, int) else n


@operator("Slice")
def slice_(x: Tensor, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Tensor:
    """x[start:end:step] along some axes; numbers below 0 count from the end, those beyond it mean the end."""
    what = "ONNX Slice"
    begins, stops = values.entries(starts, f"{what}: starts"), values.entries(ends, f"{what}: ends")
    where = range(len(begins)) if axes is None else values.ints(axes, f"{what}: axes")
    strides = (1,) * len(begins) if steps is None else values.ints(steps, f"{what}: steps")
    key = [slice(None)] * values.rank(x, what)
    for axis, begin, stop, step in zip(where, begins, stops, strides, strict=True):
        key[axis] = slice(_within(begin), _within(stop), step)
    return x[tuple(key)]


@operator("Trilu", since=14)
def trilu(x: Tensor, k: Any = 0, *, upper: int = 1) -> Tensor:
    """The upper or lower triangle of matrices [...,M,N], from the k-th diagonal on; zeros elsewhere."""
    (at,) = values.ints(k, "ONNX Trilu: k")
    rows, columns = values.size(x, -2, "ONNX Trilu"), values.size(x, -1, "ONNX Trilu")
    mask = np.triu(np.ones((rows, columns), bool), at) if upper else np.tril(np.ones((rows, columns), bool), at)
    return tf.where(tf.constant(mask), x, tf.zeros_like(x))


@operator("ReverseSequence", since=10)
def reverse_sequence(x: Tensor, lengths: Tensor, *, batch_axis: int = 1, time_axis: int = 0) -> Tensor:
    """Each sequence turned round up to its length."""
    return tf.reverse_sequence(x, lengths, time_axis, batch_axis)


# --- padding --------------------------------------------------------------------------------------


@operator("Pad", since=11)
def pad(x: Tensor, pads: Any, constant_value: Any = None, axes: Any = None, *, mode: str = "constant") -> Tensor:
    """A border around x of a constant, of its mirrored self, of its edge, or of its other side ("wrap").

    Pads below 0 cut cells off. All beginnings stand before all ends.
    """
    what = "ONNX Pad"
    given = values.ints(pads, f"{what}: pads")
    rank = values.rank(x, what)
    where = range(rank) if axes is None else values.ints(axes, f"{what}: axes")
    border = [(0, 0)] * rank
    for axis, before, after in zip(where, given[: len(given) // 2], given[len(given) // 2 :], strict=True):
        border[axis] = before, after
    if any(n < 0 for pair in border for n in pair):
        x = x[tuple([slice(max(-b, 0), -max(-a, 0) or None) for b, a in border])]
    grown = [[max(b, 0), max(a, 0)] for b, a in border]
    if mode == "constant":
        fill = 0 if constant_value is None else tf.reshape(tf.cast(constant_value, x.dtype), [])
        return tf.pad(x, grown, constant_values=fill)
    return padded_by_itself(x, grown, mode)


@operator("Pad", since=2)
def pad_of_attributes(x: Tensor, *, pads: Any, mode: str = "constant", value: float = 0.0) -> Tensor:
    """Before operator set 11 all are attributes."""
    return pad(x, pads, value, mode=mode)


def padded_by_itself(x: Tensor, border: list[list[int]], mode: str) -> Tensor:
    """x with a border of its own cells, which are gathered axis by axis.

    Raises:
      ArgumentError: the mode is no word of ONNX's.
    """
    if mode not in ("reflect", "edge", "wrap"):
        raise ArgumentError(f'ONNX Pad: mode must be "constant", "reflect", "edge" or "wrap", not {mode!r}').locate()
    for axis, (before, after) in enumerate(border):
        if before or after:
            own = np.arange(values.size(x, axis, "ONNX Pad"))
            x = tf.gather(x, np.pad(own, (before, after), mode), axis=axis)  # type: ignore[call-overload]
    return x
