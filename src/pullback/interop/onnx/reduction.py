"""Sums and other reductions over axes, running sums, and where the largest is."""

from __future__ import annotations

from typing import Any

import pullback as tf
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import Function, operator


def _l1(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    return tf.reduce_sum(tf.abs(x), axis, keepdims)


def _l2(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    return tf.sqrt(_sum_of_squares(x, axis, keepdims))


def _log_sum(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    return tf.math.log(tf.reduce_sum(x, axis, keepdims))


def _sum_of_squares(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    return tf.reduce_sum(tf.square(x), axis, keepdims)


def _largest(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    return tf.reduce_any(x, axis, keepdims) if x.dtype.is_bool else tf.reduce_max(x, axis, keepdims)


def _least(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    return tf.reduce_all(x, axis, keepdims) if x.dtype.is_bool else tf.reduce_min(x, axis, keepdims)


REDUCTIONS = {
    "ReduceL1": _l1,
    "ReduceL2": _l2,
    "ReduceLogSum": _log_sum,
    "ReduceLogSumExp": tf.reduce_logsumexp,
    "ReduceMax": _largest,
    "ReduceMean": tf.reduce_mean,
    "ReduceMin": _least,
    "ReduceProd": tf.reduce_prod,
    "ReduceSum": tf.reduce_sum,
    "ReduceSumSquare": _sum_of_squares,
}


def _over_axes(name: str, function: Any) -> Function:
    def translated(x: Tensor, axes: Any = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Tensor:
        """Over `axes`; over all where there are none, or over none where noop_with_empty_axes says so."""
        over = () if axes is None else values.ints(axes, f"ONNX {name}: axes")
        return function(x, list(over) if over or noop_with_empty_axes else None, bool(keepdims))

    return translated


for _name, _function in REDUCTIONS.items():
    operator(_name)(_over_axes(_name, _function))


def _place(function: Any) -> Function:
    def translated(x: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Tensor:
        """The first along an axis, or the last; int64."""
        at = function(tf.reverse(x, [axis]), axis) if select_last_index else function(x, axis)
        if select_last_index:
            at = tf.shape(x, tf.int64)[axis] - 1 - at
        return tf.expand_dims(at, axis) if keepdims else at

    return translated


operator("ArgMax")(_place(tf.argmax))
operator("ArgMin")(_place(tf.argmin))


@operator("CumSum", since=11)
def cumsum(x: Tensor, axis: Tensor, *, exclusive: int = 0, reverse: int = 0) -> Tensor:
    """Running sums along an axis; without the entry itself, or from the end, where asked."""
    return tf.cumsum(x, values.ints(axis, "ONNX CumSum: axis")[0], bool(exclusive), bool(reverse))


@operator("CumProd", since=26)
def cumprod(x: Tensor, axis: Tensor, *, exclusive: int = 0, reverse: int = 0) -> Tensor:
    """Running products along an axis; without the entry itself, or from the end, where asked."""
    return tf.math.cumprod(x, values.ints(axis, "ONNX CumProd: axis")[0], bool(exclusive), bool(reverse))


@operator("TopK", since=10)
def top_k(x: Tensor, k: Tensor, *, axis: int = -1, largest: int = 1, sorted: int = 1) -> Any:
    """The k largest or least along an axis, in order, and where they were: of equal ones the first. They are in order
    whether `sorted` asks for it or lets it be."""
    (count,) = values.ints(k, "ONNX TopK: k")
    rank = values.rank(x, "ONNX TopK")
    turned = [i for i in range(rank) if i != axis % rank] + [axis % rank]
    rows = tf.transpose(x, turned)
    at = tf.argsort(rows, -1, "DESCENDING" if largest else "ASCENDING", stable=True)[..., :count]
    back = [turned.index(i) for i in range(rank)]
    found = tf.gather(rows, at, batch_dims=rank - 1)
    return tf.transpose(found, back), tf.transpose(tf.cast(at, tf.int64), back)
