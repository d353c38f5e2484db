"""What convolutions make of unit vectors: their Jacobians, laid out row by row without a product.

    by the input     dx[n',h,w,c] of e[n,p,q,k]  =  w[h - p a + top, w - q b + left, c, k] if n' = n, else 0
    by the filter    dw[r,s,c,k'] of e[n,p,q,k]  =  x[n, p a + r - top, q b + s - left, c] if k' = k, else 0

Both are lookups of rows in tables that end in a row of zeros. Which rows follows from the sizes alone. Channels last,
one group.
"""

from __future__ import annotations

import functools
from math import prod
from typing import Any

import numpy as np

from pullback.core.basics import BroadcastTo, shape_tuple, static_tuple
from pullback.core.op import REGISTRY
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv import shapes, window

# Entries of a Jacobian by the image below which products take less time than looking up.
FEW = 1 << 12


def of_input(op: Any, sizes: Any, w: Tensor, dy: Spec) -> Any:
    """[N,P,Q,K, N,H,W,C] of w [R,S,C,K]."""
    to = static_tuple(sizes)
    if to is None or not w.spec.known or not _plain(op, to, shape_tuple(w), dy):
        return NotImplemented
    *taps, C, K = shape_tuple(w)
    rank = len(taps)
    by_filter = REGISTRY["Transpose"]()(w, (rank + 1, *range(rank + 1)))
    table = REGISTRY["Reshape"]()(by_filter, (K * prod(taps), C))
    for index in _placements(op, tuple(to), shape_tuple(w), dy.shape):
        rows = REGISTRY["GatherV2"]()(_with_zeros(table), index, 0)
        table = REGISTRY["Reshape"]()(rows, (-1, index.shape[-1] * table.spec.shape[-1]))  # type: ignore[index]
    return REGISTRY["Reshape"]()(table, (*dy.shape, *to))  # type: ignore[misc]


def of_filter(op: Any, x: Tensor, sizes: Any, dy: Spec) -> Any:
    """[N,P,Q,K, R,S,C,K] of x [N,H,W,C]."""
    to = static_tuple(sizes)
    if to is None or not x.spec.known or not _plain(op, shape_tuple(x), to, dy):
        return NotImplemented
    image, (*_, C, K) = shape_tuple(x), to
    wide = BroadcastTo()(REGISTRY["ExpandDims"]()(x, -1), (*image, K))
    table = REGISTRY["Reshape"]()(wide, (prod(image[:-1]), C * K))
    index, own = _patches(op, image, tuple(to), dy.shape)
    patches = REGISTRY["GatherV2"]()(_with_zeros(table), index, 0)
    patches = REGISTRY["Reshape"]()(patches, (len(index), 1, prod(to)))
    return REGISTRY["Reshape"]()(REGISTRY["SelectV2"]()(own, patches, 0.0), (*dy.shape, *to))  # type: ignore[misc]


def _plain(op: Any, image: Any, of_filter: Any, dy: Spec) -> bool:
    """Whether a convolution of these shapes is of the kind that is laid out here."""
    some = prod((*image, *of_filter, *dy.shape)) > 0 and prod((*image, *dy.shape)) >= FEW  # type: ignore[misc]
    return window.last(op.data_format) and not op.depthwise and image[-1] == of_filter[-2] and some


def _with_zeros(table: Tensor) -> Tensor:
    """One row of zeros more."""
    zeros = np.zeros((1, table.spec.shape[-1]), table.dtype.numpy)  # type: ignore[index]
    return REGISTRY["ConcatV2"]()(table, zeros, 0)


@functools.lru_cache(maxsize=16)
def _placements(op: Any, image: Any, of_filter: Any, dy: Any) -> list[Any]:
    """For each spatial axis, the last first: the rows that are put side by side, [..., pixels of the axis]. The first
    table's rows are (k, taps); each axis puts its outputs first, and its taps are gone; the first axis puts images
    before all."""
    at = shapes.settled(op, image, of_filter, dy, "to_input")
    (N, *sizes, _), (*taps, _, K) = image, of_filter
    rows, found = np.arange(K * prod(taps)).reshape(K, *taps), []
    for a in reversed(range(len(taps))):
        far = np.arange(sizes[a]) + at.before[a] - op.strides[a] * np.arange(at.outs[a])[:, None]
        tap, rest = np.divmod(far, op.dilations[a])
        covered = (rest == 0) & (tap >= 0) & (tap < taps[a])
        index = np.moveaxis(np.where(covered, rows[..., np.where(covered, tap, 0)], rows.size), -2, 0)
        if a == 0:
            same = np.eye(N, dtype=bool).reshape(N, *(1,) * (index.ndim - 1), N, 1)
            index = np.where(same, index[..., None, :], rows.size)
        found.append(index)
        rows = np.arange(index.size // index.shape[-1]).reshape(index.shape[:-1])
    return found


@functools.lru_cache(maxsize=16)
def _patches(op: Any, image: Any, of_filter: Any, dy: Any) -> Any:
    """The pixels of each window, [N P Q, R S], and where the entries of a filter are of channel k, [K, R S C K]."""
    at = shapes.settled(op, image, of_filter, dy, "to_filter")
    (N, *sizes, _), (*taps, C, K) = image, of_filter
    rank = len(taps)
    index, inside = np.arange(N).reshape(N, *(1,) * (2 * rank)), np.bool_(True)
    for a in range(rank):
        at_tap = op.strides[a] * np.arange(at.outs[a])[:, None] + op.dilations[a] * np.arange(taps[a]) - at.before[a]
        place = np.expand_dims(at_tap, [i for i in range(2 * rank + 1) if i not in (1 + a, 1 + rank + a)])
        index, inside = index * sizes[a] + place, inside & (place >= 0) & (place < sizes[a])
    index = np.where(inside, index, N * prod(sizes)).reshape(-1, prod(taps))
    return index, np.tile(np.eye(K, dtype=bool), (1, prod(taps) * C))
