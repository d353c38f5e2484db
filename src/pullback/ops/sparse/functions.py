"""tf.sparse: making sparse tensors, turning them dense, multiplying, and changing which entries there are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core import shape as shape_rules
from pullback.core.basics import ZerosLike
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.joining import ConcatV2
from pullback.ops.array.masks import Where
from pullback.ops.array.places import GatherNd
from pullback.ops.array.shape import Reshape, dims
from pullback.ops.array.sizes import shape_
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce import All
from pullback.ops.math.reduce_functions import reduce_max
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.ops.sparse import SparseTensor, as_sparse, known_sizes, made
from pullback.ops.sparse.ops import SparseReorder, SparseTensorDenseMatMul, SparseToDense


def zero_of(dtype: dtypes.DType) -> Any:
    """The value of what is not named: 0, False or the empty word."""
    return b"" if dtype is dtypes.string else np.zeros((), dtype.numpy)


def rank_of(x: SparseTensor) -> int:
    """How many axes.

    Raises:
      ArgumentError: not known while the graph is built.
    """
    sizes = known_sizes(x.dense_shape)
    columns = x.indices.spec.shape
    if sizes is not None:
        return len(sizes)
    if columns is not None and columns[1] is not None:
        return columns[1]
    raise ArgumentError("the sparse tensor's rank must be known here; set the shape of dense_shape").locate()


def axis_of(axis: Any, rank: int, what: str) -> int:
    """An axis, from the front."""
    if not -rank <= axis < rank:
        raise ArgumentError(f"{what}: axis {axis} is outside of a sparse tensor of rank {rank}").locate()
    return int(axis) % rank


def count_of(x: SparseTensor) -> Tensor:
    """How many entries are named. [] int64"""
    return shape_(x.values, dtypes.int64)[0]


def numbers_of(places: Tensor, sizes: Tensor) -> Tensor:
    """The number of each place, counting row by row. places [n,rank], sizes [rank] -> [n]"""
    from pullback.ops.math.cumulative import Cumprod
    from pullback.ops.math.reduce import Sum

    weights = Cumprod(True, True)(sizes, 0)
    return Sum()(places * weights, (1,))


def places_of(numbers: Tensor, sizes: Tensor) -> Tensor:
    """The places that have these numbers. [n] -> [n,rank]"""
    from pullback.ops.array.shape import ExpandDims
    from pullback.ops.math.cumulative import Cumprod

    weights = Cumprod(True, True)(sizes, 0)
    return m.FloorMod()(m.FloorDiv()(ExpandDims()(numbers, 1), weights), sizes)


@public("sparse.to_dense", v1=("sparse.to_dense", "sparse_tensor_to_dense"))
def to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """The tensor itself, `default_value` (0, False or "") where nothing is named.

    Raises:
      InvalidArgumentError: with validate_indices, places come twice or out of order; in any case, lie outside.
    Gradient: to the values, what stands at their places; to the default, the rest.
    """
    x = as_sparse(sp_input)
    default = zero_of(x.dtype) if default_value is None else default_value
    return SparseToDense(validate_indices)(x.indices, x.dense_shape, x.values, default, name=name)


@public(v1="sparse_to_dense")
def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:
    """A dense tensor of output_shape with values at places.

    Args:
      sparse_indices: [], [n] or [n,rank]. sparse_values: [n], or one value for all.
    Raises:
      InvalidArgumentError: a place lies outside; with validate_indices, comes twice or out of order.
    """
    values = interpreter.as_tensor(sparse_values)
    default = interpreter.as_tensor(default_value, values.dtype)
    return SparseToDense(validate_indices)(sparse_indices, dims(output_shape), values, default, name=name)


@public("sparse.from_dense")
def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """The entries that are not zero, in row order. Gradient: to those entries."""
    with scope(name, "dense_to_sparse", tensor):
        x = interpreter.as_tensor(tensor)
        zero = interpreter.as_tensor(zero_of(x.dtype), x.dtype)
        places = Where()(m.NotEqual()(x, zero))
        return made(places, GatherNd()(x, places), shape_(x, dtypes.int64))


@public("sparse.sparse_dense_matmul", v1=("sparse.sparse_dense_matmul", "sparse.matmul", "sparse_tensor_dense_matmul"))
def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Any:
    """A sparse matrix [N,K] times a dense one [K,M] -> [N,M]; a dense one times a sparse one works too.

    adjoint_a, adjoint_b: turn that matrix into its conjugate transpose first.
    Raises:
      ShapeError: the sizes do not fit. Gradient: to the values at their places, and dense to the matrix.
    """
    if isinstance(b, SparseTensor) or hasattr(b, "dense_shape"):
        b, dense = as_sparse(b), interpreter.as_tensor(sp_a)
        turned = SparseTensorDenseMatMul(not adjoint_b, not adjoint_a)(b.indices, b.values, b.dense_shape, dense)
        from pullback.ops.array.layout import ConjugateTranspose

        return ConjugateTranspose()(turned, (1, 0), name=name)
    a = as_sparse(sp_a, "sp_a")
    return SparseTensorDenseMatMul(adjoint_a, adjoint_b)(a.indices, a.values, a.dense_shape, b, name=name)


@public("sparse.reorder", v1=("sparse.reorder", "sparse_reorder"))
def reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The same tensor with its entries in row order; equal places keep theirs."""
    x = as_sparse(sp_input)
    places, values = SparseReorder()(x.indices, x.values, x.dense_shape, name=name)
    return made(places, values, x.dense_shape)


@public("sparse.retain", v1=("sparse.retain", "sparse_retain"))
def retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """The entries where to_retain [n] is True.

    Raises:
      ShapeError: to_retain has not an entry for each value.
    """
    x, chosen = as_sparse(sp_input), interpreter.as_tensor(to_retain, dtypes.bool_)
    if not shape_rules.compatible(chosen.spec.shape, x.values.spec.shape):
        raise ShapeError(f"sparse.retain: to_retain has shape {chosen.shape}, but values {x.values.shape}").locate()
    kept = Reshape()(Where()(chosen), (-1,))
    return made(GatherV2()(x.indices, kept, 0), GatherV2()(x.values, kept, 0), x.dense_shape)


@public("sparse.mask", v1=("sparse.mask", "sparse_mask"))
def mask(a: Any, mask_indices: Any, name: str | None = None) -> Any:
    """IndexedSlices without the rows that mask_indices name."""
    from pullback.core.slices import IndexedSlices
    from pullback.ops.array.shape import ExpandDims

    with scope(name, "sparse_mask", a.values):
        masked = interpreter.as_tensor(mask_indices, a.indices.dtype)
        apart = All()(m.NotEqual()(ExpandDims()(a.indices, 1), masked), (1,))
        places = Reshape()(Where()(apart), (-1,))
        return IndexedSlices(GatherV2()(a.values, places, 0), GatherV2()(a.indices, places, 0), a.dense_shape)


@public("sparse.slice", v1=("sparse.slice", "sparse_slice"))
def slice_(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The part that begins at start [rank] and has at most `size` [rank] entries along each axis.

    Raises:
      ArgumentError: a size is negative.
    """
    x = as_sparse(sp_input)
    below = [n for n in known_sizes(interpreter.as_tensor(dims(size), dtypes.int64)) or () if n is not None and n < 0]
    if below:
        raise ArgumentError(f"sparse.slice: size must not be negative, but holds {below[0]}").locate()
    with scope(name, "SparseSlice", x.values):
        start = interpreter.as_tensor(dims(start), dtypes.int64)
        ends = m.Minimum()(start + interpreter.as_tensor(dims(size), dtypes.int64), x.dense_shape)
        inside = m.LogicalAnd()(m.GreaterEqual()(x.indices, start), m.Less()(x.indices, ends))
        part = retain(x, All()(inside, (1,)))
        return made(part.indices - start, part.values, m.Maximum()(ends - start, 0))


@public("sparse.transpose", v1=("sparse.transpose", "sparse_transpose"))
def transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """The axes in another order, by default backwards; the entries in the new row order."""
    x = as_sparse(sp_input)
    rank = rank_of(x)
    perm = tuple(range(rank))[::-1] if perm is None else tuple(int(p) % rank for p in perm)
    with scope(name, "SparseTranspose", x.values):
        sizes = GatherV2()(x.dense_shape, perm, 0)
        return reorder(made(GatherV2()(x.indices, perm, 1), x.values, sizes))


@public("sparse.reshape", v1=("sparse.reshape", "sparse_reshape"))
def reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """The same entries, counted row by row, in another shape; one -1 stands for what the size leaves.

    Raises:
      ArgumentError: the shape holds another number of entries, or more than one -1, as far as that is known.
    """
    from pullback.ops.math.reduce import Prod
    from pullback.ops.math.select import Select

    x = as_sparse(sp_input)
    with scope(name, "SparseReshape", x.values):
        to = interpreter.as_tensor(dims(shape))
        to = to if to.dtype is dtypes.int64 else Cast(dtypes.int64)(to)
        _assert_fills(known_sizes(x.dense_shape), known_sizes(to))
        known = Prod()(Select()(m.Less()(to, 0), 1, to), (0,))
        rest = m.FloorDiv()(Prod()(x.dense_shape, (0,)), m.Maximum()(known, 1))
        sizes = Select()(m.Less()(to, 0), rest, to)
        written = known_sizes(to)
        if written is not None and all(n is not None and n >= 0 for n in written):
            sizes = to
        return made(places_of(numbers_of(x.indices, x.dense_shape), sizes), x.values, sizes)


def _assert_fills(have: Any, to: Any) -> None:
    """Raises ArgumentError where entries of one shape are known not to fill another."""
    if to is None or None in to:
        return
    if sum(n < 0 for n in to) > 1:
        raise ArgumentError(f"sparse.reshape: only one dimension of shape {list(to)} may be -1").locate()
    if have is None or None in have:
        return
    count, filled = math.prod(have), math.prod(n for n in to if n >= 0)
    fits = count == filled if min(to, default=0) >= 0 else filled > 0 and count % filled == 0
    if not fits:
        raise ArgumentError(
            f"sparse.reshape: {count} entries of shape {list(have)} do not fill shape {list(to)}"
        ).locate()


@public("sparse.expand_dims")
def expand_dims(sp_input: Any, axis: Any = None, name: str | None = None) -> SparseTensor:
    """A new axis of size 1 before `axis` (-1, the default: at the end)."""
    x = as_sparse(sp_input)
    rank = rank_of(x)
    at = axis_of(-1 if axis is None else axis, rank + 1, "sparse.expand_dims")
    with scope(name, "expand_dims", x.values):
        zeros = ZerosLike()(x.indices[:, :1])
        places = ConcatV2()(x.indices[:, :at], zeros, x.indices[:, at:], 1)
        return made(places, x.values, ConcatV2()(x.dense_shape[:at], np.array([1]), x.dense_shape[at:], 0))


@public("sparse.reset_shape", v1=("sparse.reset_shape", "sparse_reset_shape"))
def reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """The same entries in a larger shape; by default in the smallest that holds them.

    Raises:
      ValueError: new_shape is smaller, or has another rank.
    """
    x = as_sparse(sp_input)
    if new_shape is None:
        return made(x.indices, x.values, m.Maximum()(reduce_max(x.indices, 0), -1) + 1)
    sizes = interpreter.as_tensor(dims(new_shape))
    sizes = sizes if sizes.dtype is dtypes.int64 else Cast(dtypes.int64)(sizes)
    have, want = known_sizes(x.dense_shape), known_sizes(sizes)
    if have is not None and want is not None:
        pairs = list(zip(have, want, strict=False))
        if len(have) != len(want) or any(a is not None and b is not None and b < a for a, b in pairs):
            raise ArgumentError(f"sparse.reset_shape: new_shape {want} must be at least {have} in every axis").locate()
    return made(x.indices, x.values, sizes)


@public("sparse.fill_empty_rows", v1=("sparse.fill_empty_rows", "sparse_fill_empty_rows"))
def fill_empty_rows(sp_input: Any, default_value: Any, name: str | None = None) -> tuple[SparseTensor, Tensor]:
    """A matrix in which every row has an entry: `default_value` in column 0 where there was none.

    Returns:
      (SparseTensor, which rows were empty [rows] bool)
    """
    from pullback.core.basics import OnesLike
    from pullback.ops.array.creation import fill
    from pullback.ops.array.rows import UnsortedSegmentSum

    x = as_sparse(sp_input)
    with scope(name, "SparseFillEmptyRows", x.values):
        rows = x.indices[:, 0]
        empty = m.Equal()(UnsortedSegmentSum()(OnesLike()(rows), rows, x.dense_shape[0]), 0)
        first = Where()(empty)
        places = ConcatV2()(x.indices, ConcatV2()(first, ZerosLike()(first), 1), 0)
        default = interpreter.as_tensor(default_value, x.dtype)
        values = ConcatV2()(x.values, fill(shape_(first)[:1], default), 0)
        return reorder(made(places, values, x.dense_shape)), empty


@public("sparse.eye")
def eye(num_rows: int, num_columns: int | None = None, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """The identity matrix, or a rectangular one with ones on the diagonal."""
    columns = num_rows if num_columns is None else num_columns
    at = np.arange(min(num_rows, columns), dtype=np.int64)
    with scope(name, "eye"):
        ones = np.ones(len(at), dtypes.as_dtype(dtype).numpy)
        return SparseTensor(np.stack([at, at], 1), ones, (num_rows, columns))


@public("sparse.map_values", v1=None)
def map_values(op: Any, *args: Any, **kwargs: Any) -> SparseTensor:
    """A function of values, applied to the values of sparse tensors that name the same places.

    Raises:
      ValueError: no argument is sparse. ArgumentError: their places are known to differ.
    """
    given = [x for x in (*args, *kwargs.values()) if isinstance(x, SparseTensor)]
    if not given:
        raise ValueError("sparse.map_values: no argument is a SparseTensor")
    places = [x.indices.numpy() for x in given if isinstance(x.indices, EagerTensor)]
    if any(not np.array_equal(found, places[0]) for found in places):
        raise ArgumentError("sparse.map_values: Mismatched indices! All must name the same places").locate()

    def inner(x: Any) -> Any:
        return x.values if isinstance(x, SparseTensor) else x

    values = op(*map(inner, args), **{k: inner(v) for k, v in kwargs.items()})
    return given[0].with_values(values)


@public("sparse.to_indicator", v1=("sparse.to_indicator", "sparse_to_indicator"))
def to_indicator(sp_input: Any, vocab_size: int, name: str | None = None) -> Tensor:
    """True at [.., id] for the integer ids that stand along the last axis. -> [.., vocab_size] bool"""
    x = as_sparse(sp_input)
    with scope(name, "SparseToIndicator", x.values):
        ids = x.values if x.values.dtype is dtypes.int64 else Cast(dtypes.int64)(x.values)
        places = ConcatV2()(x.indices[:, :-1], Reshape()(ids, (-1, 1)), 1)
        sizes = ConcatV2()(x.dense_shape[:-1], np.array([vocab_size]), 0)
        flags = m.Equal()(ids, ids)
        return SparseToDense(False)(places, sizes, flags, False)
