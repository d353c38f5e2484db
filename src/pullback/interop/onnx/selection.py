"""Operators that pick entries by index, and put entries at an index. Indices below 0 count from the end."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

import pullback as tf
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import operator


def from_the_start(indices: Tensor, sizes: Any) -> Tensor:
    """Indices below 0 as those that count from the start. sizes: of the axes they count, broadcast with them."""
    return tf.where(indices < 0, indices + tf.cast(sizes, indices.dtype), indices)


@operator("Gather")
def gather(x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    """Slices of x along an axis, one for each index."""
    return tf.gather(x, from_the_start(indices, tf.shape(x)[axis]), axis=axis)


def _grid(x: Tensor, indices: Tensor, axis: int, what: str) -> Tensor:
    """For each entry of `indices` its full place in x: its own, but for `axis`, where it says which. [*shape, rank]"""
    places = np.indices(values.shape(indices, f"{what}: the shape of indices"))
    own = [tf.constant(p, indices.dtype) for p in places]
    own[axis] = from_the_start(indices, tf.shape(x)[axis])
    return tf.stack(own, -1)


@operator("GatherElements", since=11)
def gather_elements(x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    """y[i,j] = x[indices[i,j], j] for axis 0."""
    return tf.gather_nd(x, _grid(x, indices, axis, "ONNX GatherElements"))


@operator("GatherND", since=11)
def gather_nd(x: Tensor, indices: Tensor, *, batch_dims: int = 0) -> Tensor:
    """y[i] = x[indices[i]]: the last axis of indices is a place in x, after batch_dims axes that both have."""
    depth = values.shape(indices, "ONNX GatherND: the shape of indices")[-1]
    sizes = tf.shape(x)[batch_dims : batch_dims + depth]
    return tf.gather_nd(x, from_the_start(indices, sizes), batch_dims=batch_dims)


def _multiplied(x: Tensor, places: Tensor, updates: Tensor) -> Tensor:
    """x times the product of the updates at each place."""
    what = "ONNX reduction mul"
    dims, (*_, depth) = values.shape(x, f"{what}: the shape of data"), values.shape(places, f"{what}: of indices")
    rows = tf.reshape(tf.range(prod(dims[:depth]), dtype=tf.int64), dims[:depth])
    ids = tf.gather_nd(rows, places)
    factors = tf.math.unsorted_segment_prod(updates, ids, prod(dims[:depth]))
    return x * tf.reshape(factors, dims)


# How values meet that are there already; "none" replaces them.
_SCATTERS = {
    "none": tf.tensor_scatter_nd_update,
    "add": tf.tensor_scatter_nd_add,
    "mul": _multiplied,
    "max": tf.tensor_scatter_nd_max,
    "min": tf.tensor_scatter_nd_min,
}


def _scatter(x: Tensor, places: Tensor, updates: Tensor, reduction: str, what: str) -> Tensor:
    if reduction not in _SCATTERS:
        raise ArgumentError(f"{what}: reduction must be one of {sorted(_SCATTERS)}, not {reduction!r}").locate()
    return _SCATTERS[reduction](x, places, updates)


@operator("ScatterND", since=11)
def scatter_nd(x: Tensor, indices: Tensor, updates: Tensor, *, reduction: str = "none") -> Tensor:
    """x with updates[i] at the place indices[i]. Two at one place without a reduction: the last stays."""
    depth = values.shape(indices, "ONNX ScatterND: the shape of indices")[-1]
    return _scatter(x, from_the_start(indices, tf.shape(x)[:depth]), updates, reduction, "ONNX ScatterND")


@operator("Scatter", since=9)
@operator("ScatterElements", since=11)
def scatter_elements(x: Tensor, indices: Tensor, updates: Tensor, *, axis: int = 0, reduction: str = "none") -> Tensor:
    """x with x[indices[i,j], j] = updates[i,j] for axis 0. Two at one place without a reduction: the last stays."""
    what = "ONNX ScatterElements"
    return _scatter(x, _grid(x, indices, axis, what), updates, reduction, what)


@operator("OneHot", since=9)
def one_hot(indices: Tensor, depth: Tensor, off_and_on: Tensor, *, axis: int = -1) -> Tensor:
    """The second of two values at each index along a new axis of `depth` entries, the first elsewhere.

    An index outside -depth to depth - 1 is on nowhere.
    """
    size = values.ints(depth, "ONNX OneHot: depth")[0]
    at = tf.cast(indices, tf.int64)
    return tf.one_hot(from_the_start(at, size), size, off_and_on[1], off_and_on[0], axis=axis, dtype=off_and_on.dtype)


@operator("Compress", since=9)
def compress(x: Tensor, condition: Tensor, *, axis: int | None = None) -> Tensor:
    """The slices along an axis where a condition holds, of all entries in a row where no axis is said."""
    rows, at = (tf.reshape(x, [-1]), 0) if axis is None else (x, axis)
    return tf.gather(rows, tf.reshape(tf.where(condition), [-1]), axis=at)


@operator("NonZero", since=9)
def non_zero(x: Tensor) -> Tensor:
    """The places of entries that are not 0, a column each: int64 [rank, count]."""
    return tf.transpose(tf.where(x if x.dtype.is_bool else x != 0))
