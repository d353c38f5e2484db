"""Sparse tensors joined, split, added, compared and reduced.

Everything goes through the number of a place, counting row by row: equal numbers are one group, summed by
UnsortedSegmentSum, so gradients of every order follow from the rules of ordinary ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.basics import OnesLike, ZerosLike
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.joining import ConcatV2
from pullback.ops.array.rows import UnsortedSegmentSum
from pullback.ops.array.search import Unique
from pullback.ops.array.segments import UnsortedSegmentMax
from pullback.ops.array.shape import Reshape, one_of
from pullback.ops.array.sizes import shape_
from pullback.ops.array.tensor_scatter import TensorScatterAdd
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce import Prod
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Select
from pullback.ops.sparse import SparseTensor, SparseTensorValue, as_sparse, known_sizes, made
from pullback.ops.sparse.functions import (
    axis_of,
    numbers_of,
    places_of,
    rank_of,
    reorder,
    retain,
    slice_,
)


@public("sparse.concat", v1=None)
def concat(axis: int, sp_inputs: Any, expand_nonconcat_dims: bool = False, name: str | None = None) -> SparseTensor:
    """Sparse tensors one after another along an axis.

    expand_nonconcat_dims: lets them differ in the other axes; the result has the largest of each.
    Raises:
      InvalidArgumentError: they differ in another axis and may not.
    """
    parts = [as_sparse(x) for x in (sp_inputs if isinstance(sp_inputs, (list, tuple)) else [sp_inputs])]
    if len(parts) == 1:
        return parts[0]
    rank = rank_of(parts[0])
    at = axis_of(axis, rank, "sparse.concat")
    here = np.arange(rank) == at
    with scope(name, "SparseConcat", *[x.values for x in parts]):
        sizes, places = parts[0].dense_shape, [parts[0].indices]
        for x in parts[1:]:
            if not expand_nonconcat_dims:
                _assert_same("sparse.concat", sizes, x.dense_shape, ~here, "; say expand_nonconcat_dims=True")
            places.append(x.indices + sizes * here.astype(np.int64))
            sizes = Select()(here, sizes + x.dense_shape, m.Maximum()(sizes, x.dense_shape))
        return reorder(made(ConcatV2()(*places, 0), ConcatV2()(*[x.values for x in parts], 0), sizes))


def _assert_same(what: str, a: Any, b: Any, axes: Any, mend: str = "") -> None:
    """Raises ArgumentError where two shapes are known to differ in the axes of a mask."""
    have, other = known_sizes(a), known_sizes(b)
    wrong = [
        i
        for i in np.flatnonzero(axes)
        if have is not None and other is not None and None not in (have[i], other[i]) and have[i] != other[i]
    ]
    if wrong:
        raise ArgumentError(f"{what}: shapes {have} and {other} differ in axis {wrong[0]}{mend}").locate()


@public(v1=("sparse.concat", "sparse_concat"))
def concat_v1(
    axis: int,
    sp_inputs: Any,
    name: str | None = None,
    expand_nonconcat_dim: bool = False,
    concat_dim: Any = None,
    expand_nonconcat_dims: Any = None,
) -> SparseTensor:
    """As `concat`; concat_dim and expand_nonconcat_dim are earlier names."""
    at = axis if concat_dim is None else concat_dim
    expand = expand_nonconcat_dim if expand_nonconcat_dims is None else expand_nonconcat_dims
    return concat(at, sp_inputs, expand, name)


@public("sparse.split", v1=None)
def split(sp_input: Any = None, num_split: Any = None, axis: Any = None, name: str | None = None) -> list[Any]:
    """num_split parts along an axis; the first ones are one larger where it does not divide.

    Raises:
      ArgumentError: the axis' size is not known, or an argument is missing.
    """
    if sp_input is None or num_split is None or axis is None:
        raise ArgumentError("sparse.split: sp_input, num_split and axis must be given").locate()
    x = as_sparse(sp_input)
    at = axis_of(axis, rank_of(x), "sparse.split")
    size = x.shape.as_list()[at]
    if size is None or not 0 < num_split <= size:
        raise ArgumentError(
            f"sparse.split: num_split must be at least 1 and at most the size of axis {axis}, which is {size}, not "
            f"{num_split}"
        ).locate()
    unit = np.arange(rank_of(x)) == at
    parts, begin = [], 0
    with scope(name, "SparseSplit", x.values):
        for i in range(num_split):
            count = size // num_split + (i < size % num_split)
            sizes = Select()(unit, np.int64(count), x.dense_shape)
            parts.append(slice_(x, (unit * begin).tolist(), sizes))
            begin += count
    return parts


class KeywordRequired:
    """Stands where no argument may be given by position."""

    def __repr__(self) -> str:
        return "KeywordRequired()"


@public(v1=("sparse.split", "sparse_split"))
def split_v1(
    keyword_required: Any = KeywordRequired(),
    sp_input: Any = None,
    num_split: Any = None,
    axis: Any = None,
    name: str | None = None,
    split_dim: Any = None,
) -> list[Any]:
    """As `split`, whose arguments must be given by name.

    Raises:
      ValueError: an argument is given by position.
    """
    if not isinstance(keyword_required, KeywordRequired):
        raise ValueError("sparse_split: give arguments by name: sparse_split(sp_input=..., num_split=..., axis=...)")
    return split(sp_input, num_split, one_of("axis", axis, "split_dim", split_dim), name)


def _grouped(places: Any, sizes: Any) -> tuple[Tensor, Tensor]:
    """(numbers of the different places in their order, of each entry its group); entries must be in row order."""
    numbers, group = Unique()(numbers_of(places, sizes))
    return numbers, group


@public("sparse.add", v1=None)
def add(a: Any, b: Any, threshold: Any = 0) -> Any:
    """The sum of two tensors, at least one of them sparse: sparse when both are, else dense.

    threshold: entries of a sparse sum whose magnitude is below it are left out.
    Raises:
      TypeError: neither is sparse. ArgumentError: their shapes are known to differ.
    """
    if not (_is_sparse(a) or _is_sparse(b)):
        raise TypeError("sparse.add: at least one input must be a SparseTensor")
    if not (_is_sparse(a) and _is_sparse(b)):
        x, dense = (as_sparse(a), b) if _is_sparse(a) else (as_sparse(b), a)
        return TensorScatterAdd()(dense, x.indices, x.values)
    a, b = as_sparse(a), as_sparse(b)
    with scope(None, "SparseAdd", a.values, b.values):
        total = _summed(a, b)
        if isinstance(threshold, (int, float)) and threshold == 0:
            return total
        magnitude = m.Abs()(total.values)
        return retain(total, m.GreaterEqual()(magnitude, interpreter.as_tensor(threshold, magnitude.dtype)))


def _is_sparse(x: Any) -> bool:
    return isinstance(x, (SparseTensor, SparseTensorValue))


def _summed(a: SparseTensor, b: SparseTensor) -> SparseTensor:
    if rank_of(a) != rank_of(b):
        raise ArgumentError(f"sparse tensors of {rank_of(a)} and of {rank_of(b)} axes cannot be combined").locate()
    _assert_same("sparse tensors", a.dense_shape, b.dense_shape, np.full(rank_of(a), True))
    both = reorder(made(ConcatV2()(a.indices, b.indices, 0), ConcatV2()(a.values, b.values, 0), a.dense_shape))
    numbers, group = _grouped(both.indices, a.dense_shape)
    count = shape_(numbers)[0]
    return made(places_of(numbers, a.dense_shape), UnsortedSegmentSum()(both.values, group, count), a.dense_shape)


@public(v1=("sparse.add", "sparse_add"))
def add_v1(a: Any, b: Any, threshold: Any = None, thresh: Any = None) -> Any:
    """As `add`; thresh is an earlier name of threshold."""
    found = one_of("threshold", threshold, "thresh", thresh)
    return add(a, b, 0 if found is None else found)


def _extreme(a: Any, b: Any, pick: Any, name: str | None, default: str) -> SparseTensor:
    a, b = as_sparse(a), as_sparse(b)
    with scope(name, default, a.values, b.values):
        # Over the places of both: each tensor's values there, 0 where it names none.
        left = _summed(a, b.with_values(ZerosLike()(b.values)))
        right = _summed(a.with_values(ZerosLike()(a.values)), b)
        return left.with_values(pick(left.values, right.values))


@public("sparse.maximum", v1=("sparse.maximum", "sparse_maximum"))
def maximum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The larger of two sparse tensors at the places that either names; what is not named is 0."""
    return _extreme(sp_a, sp_b, m.Maximum(), name, "SparseSparseMaximum")


@public("sparse.minimum", v1=("sparse.minimum", "sparse_minimum"))
def minimum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """The smaller of two sparse tensors at the places that either names; what is not named is 0."""
    return _extreme(sp_a, sp_b, m.Minimum(), name, "SparseSparseMinimum")


@public("sparse.softmax", v1=("sparse.softmax", "sparse_softmax"))
def softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """Softmax along the last axis over the entries that are named; what is not named stays out."""
    x = as_sparse(sp_input)
    with scope(name, "SparseSoftmax", x.values):
        row, group = _grouped(x.indices[:, :-1], x.dense_shape[:-1])
        count = shape_(row)[0]
        top = GatherV2()(UnsortedSegmentMax()(x.values, group, count), group, 0)
        raised = m.Exp()(x.values - top)
        return x.with_values(raised / GatherV2()(UnsortedSegmentSum()(raised, group, count), group, 0))


def _reduced(x: Any, axis: Any, keepdims: Any, fold: Any, name: str | None, default: str, sparse: bool) -> Any:
    """The values folded over axes, dense or sparse."""
    x = as_sparse(x)
    rank = rank_of(x)
    axes = range(rank) if axis is None else axis if isinstance(axis, (Sequence, np.ndarray)) else [axis]
    gone = {axis_of(int(a), rank, default) for a in axes}
    kept = tuple(i for i in range(rank) if i not in gone)
    with scope(name, default, x.values):
        sizes = GatherV2()(x.dense_shape, np.array(kept, np.int64), 0)
        places = GatherV2()(x.indices, np.array(kept, np.int64), 1)
        shown = Select()(np.array([i in gone for i in range(rank)]), np.int64(1), x.dense_shape) if keepdims else sizes
        if sparse:
            return _sparsely(x, places, sizes, shown, fold)
        return Reshape()(fold(x.values, numbers_of(places, sizes), Prod()(sizes, (0,))), shown)


def _sparsely(x: SparseTensor, places: Any, sizes: Any, shown: Any, fold: Any) -> SparseTensor:
    ordered = reorder(made(places, x.values, sizes))
    numbers, group = _grouped(ordered.indices, sizes)
    values = fold(ordered.values, group, shape_(numbers)[0])
    return made(places_of(numbers, shown), values, shown)


def _sum(values: Any, group: Any, count: Any) -> Any:
    return UnsortedSegmentSum()(values, group, count)


def _max(values: Any, group: Any, count: Any) -> Any:
    """The largest of each group; 0 of an empty one."""
    there = UnsortedSegmentSum()(OnesLike()(group), group, count)
    top = UnsortedSegmentMax()(values, group, count)
    return Select()(m.Greater()(there, 0), top, ZerosLike()(top))


@public("sparse.reduce_sum", v1=None)
def reduce_sum(
    sp_input: Any, axis: Any = None, keepdims: Any = None, output_is_sparse: bool = False, name: str | None = None
) -> Any:
    """Sums over axes (all, when None), dense unless output_is_sparse."""
    return _reduced(sp_input, axis, keepdims, _sum, name, "SparseReduceSum", output_is_sparse)


@public("sparse.reduce_max", v1=None)
def reduce_max(
    sp_input: Any, axis: Any = None, keepdims: Any = None, output_is_sparse: bool = False, name: str | None = None
) -> Any:
    """The largest entry that is named over axes, 0 where none is; dense unless output_is_sparse."""
    return _reduced(sp_input, axis, keepdims, _max, name, "SparseReduceMax", output_is_sparse)


def _v1(name: str, fold: Any, sparse: bool, doc: str) -> Any:
    """A reduction under TensorFlow 1's names of its arguments."""
    kind = "SparseReduceSum" if fold is _sum else "SparseReduceMax"

    def reduce(
        sp_input: Any, axis: Any = None, keepdims: Any = None, reduction_axes: Any = None, keep_dims: Any = None
    ) -> Any:
        over = one_of("axis", axis, "reduction_axes", reduction_axes)
        kept = one_of("keepdims", keepdims, "keep_dims", keep_dims)
        return _reduced(sp_input, over, kept, fold, None, kind, sparse)

    reduce.__name__, reduce.__qualname__, reduce.__doc__ = f"{name}_v1", f"{name}_v1", doc
    return public(v1=(f"sparse.{name}", f"sparse_{name}"))(reduce)


_EARLIER = "reduction_axes and keep_dims are earlier names of axis and keepdims."
reduce_sum_v1 = _v1("reduce_sum", _sum, False, f"As `reduce_sum`; {_EARLIER}")
reduce_max_v1 = _v1("reduce_max", _max, False, f"As `reduce_max`; {_EARLIER}")
reduce_sum_sparse_v1 = _v1("reduce_sum_sparse", _sum, True, f"As `reduce_sum` with a sparse result; {_EARLIER}")
reduce_max_sparse_v1 = _v1("reduce_max_sparse", _max, True, f"As `reduce_max` with a sparse result; {_EARLIER}")


@public(v1=("sparse.merge", "sparse_merge"))
def merge(
    sp_ids: Any, sp_values: Any, vocab_size: Any, name: str | None = None, already_sorted: bool = False
) -> SparseTensor:
    """A matrix with sp_values at the columns that sp_ids name, in the same rows.

    Args:
      sp_ids, sp_values: sparse [rows, ..] with equal places; several ids (a list, with a list of vocab_size) give a
        tensor with one more axis each.
    """
    ids = sp_ids if isinstance(sp_ids, (list, tuple)) else [sp_ids]
    sizes = vocab_size if isinstance(vocab_size, (list, tuple)) else [vocab_size]
    values = as_sparse(sp_values)
    with scope(name, "SparseMerge", values.values):
        columns = [Reshape()(Cast(dtypes.int64)(as_sparse(x).values), (-1, 1)) for x in ids]
        places = ConcatV2()(values.indices[:, :-1], *columns, 1)
        out = made(places, values.values, ConcatV2()(values.dense_shape[:-1], np.array(sizes, np.int64), 0))
        return out if already_sorted else reorder(out)
