"""How often: in a confusion matrix, of each number, in bins of equal width. And where a flat index lies.

All are sums over places: one for each entry, or its weight, is added where the entry says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import OnesLike, Shape_
from pullback.core.dtypes import as_dtype, float64, int32, int64
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import stack
from pullback.ops.array.places import scatter_nd
from pullback.ops.array.ranges import range_
from pullback.ops.array.rows import unsorted_segment_sum
from pullback.ops.array.shape import reshape, squeeze
from pullback.ops.math import arithmetic as m
from pullback.ops.math.cumulative import Cumprod
from pullback.ops.math.reduce import Max
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Select


@public("math.confusion_matrix", v1=None)
def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, weights: Any = None, dtype: Any = int32, name: Any = None
) -> Tensor:
    """How often each label met each prediction.

    Args:
      labels, predictions: [n], whole numbers from 0; one of them may be [n, 1].
      num_classes: how many classes there are; by default one more than the largest number.
      weights: [n], what each pair counts; by default 1.
      dtype: of the answer.
    Returns:
      [num_classes, num_classes]: rows are labels, columns predictions.
    Raises:
      ArgumentError: a number is negative or not below num_classes.
    """
    with scope(name, "confusion_matrix", labels, predictions, num_classes, weights):
        found = [Cast(int64)(interpreter.as_tensor(x)) for x in (labels, predictions)]
        ranks = [x.spec.rank for x in found]
        if None not in ranks and abs(ranks[0] - ranks[1]) == 1:
            found = [squeeze(x, [-1]) if rank == max(ranks) else x for x, rank in zip(found, ranks, strict=True)]
        if num_classes is None:
            num_classes = m.Maximum()(*(Max()(x, (0,)) for x in found)) + 1
        size = Cast(int64)(interpreter.as_tensor(num_classes))
        pairs = stack(found, axis=1)
        each = _each(weights, found[1], dtype)
        return scatter_nd(pairs, each, stack([size, size]))


@public(v1=("confusion_matrix", "math.confusion_matrix"))
def confusion_matrix_v1(
    labels: Any, predictions: Any, num_classes: Any = None, dtype: Any = int32, name: Any = None, weights: Any = None
) -> Tensor:
    """`tf.math.confusion_matrix` of TensorFlow 2, with its arguments in another order."""
    return confusion_matrix(labels, predictions, num_classes, weights, dtype, name)


@public(v1=("bincount", "math.bincount"))
def bincount_v1(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = int32
) -> Tensor:
    """How often each number from 0 occurs in all of arr, or the sum of its weights; see TensorFlow 2's `bincount`."""
    return bincount(arr, weights, minlength, maxlength, dtype)


@public("math.bincount", v1=None)
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = int32,
    name: str | None = None,
    axis: int | None = None,
    binary_output: bool = False,
) -> Tensor:
    """How often each number from 0 occurs, or the sum of its weights.

    Args:
      arr: whole numbers of any shape. weights: of arr's shape.
      minlength: of the answer, which has zeros at its end then; maxlength: numbers from it on are not counted.
      dtype: of the answer, where there are no weights; theirs otherwise.
      axis: None or 0 counts all of arr; -1 counts each row of a matrix by itself.
      binary_output: says whether each number occurs, by 1 and 0.
    Returns:
      [k], or [rows, k]; k one more than the largest number, between minlength and maxlength.
    Raises:
      ArgumentError: axis is another one, arr is no matrix with axis -1, or weights meet binary_output.
    """
    if binary_output and weights is not None:
        raise ArgumentError("bincount: binary_output does not count, so weights mean nothing; leave one out").locate()
    if axis not in (None, 0, -1):
        raise ArgumentError(f"bincount: axis must be None, 0 or -1, not {axis}").locate()
    with scope(name, "bincount", arr, weights):
        whole = Cast(int32)(interpreter.as_tensor(arr))
        if axis == -1 and whole.spec.rank not in (1, 2):
            raise ArgumentError(f"bincount: with axis -1 arr must be a vector or matrix, not {whole!r}").locate()
        numbers = reshape(whole, [-1])
        size = m.Maximum()(Max()(numbers, (0,)) + 1, 0)  # of nothing the largest is the least int32
        if minlength is not None:
            size = m.Maximum()(size, Cast(int32)(interpreter.as_tensor(minlength)))
        if maxlength is not None:
            size = m.Minimum()(size, Cast(int32)(interpreter.as_tensor(maxlength)))
        counted = m.Less()(numbers, size)
        by_row = axis == -1 and whole.spec.rank == 2
        rows = Shape_()(whole)[0] if by_row else 1
        places = numbers
        if by_row:
            places = reshape(whole + reshape(range_(rows), [-1, 1]) * size, [-1])
        places = Select()(counted, places, m.Neg()(OnesLike()(numbers)))  # -1 counts nowhere
        given = None if weights is None else reshape(weights, [-1])
        found = unsorted_segment_sum(_each(given, numbers, dtype if weights is None else None), places, rows * size)
        found = m.Minimum()(found, OnesLike()(found)) if binary_output else found
        return reshape(found, stack([rows, size])) if by_row else found


@public("histogram_fixed_width_bins")
def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: Any = None
) -> Tensor:
    """The bin of each value, [low, high] cut into nbins of equal width; what lies outside is in the first or the last.

    Args:
      values: real, any shape. value_range: (low, high), of values' type.
      dtype: int32 or int64, of the answer.
    Raises:
      ArgumentError: nbins is not above 0, or low is not below high, where they are known.
    """
    with scope(name, "histogram_fixed_width_bins", values, value_range, nbins):
        x = interpreter.as_tensor(values)
        ends = Cast(float64)(interpreter.as_tensor(value_range, x.dtype))
        low, high = ends[0], ends[1]
        if isinstance(value_range, (list, tuple, np.ndarray)) and not value_range[0] < value_range[1]:
            raise ArgumentError(f"histogram_fixed_width: value_range must rise, but is {value_range}").locate()
        if isinstance(nbins, int) and nbins <= 0:
            raise ArgumentError(f"histogram_fixed_width: nbins must be above 0, but is {nbins}").locate()
        bins = Cast(float64)(interpreter.as_tensor(nbins))
        place = m.Floor()((Cast(float64)(x) - low) / (high - low) * bins)
        return Cast(as_dtype(dtype))(m.Minimum()(m.Maximum()(place, 0.0), bins - 1.0))


@public("histogram_fixed_width")
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: Any = None
) -> Tensor:
    """How many values lie in each of nbins bins of equal width; arguments and errors as `histogram_fixed_width_bins`.

    Returns:
      [nbins].
    """
    with scope(name, "histogram_fixed_width", values, value_range, nbins):
        bins = reshape(histogram_fixed_width_bins(values, value_range, nbins), [-1])
        return unsorted_segment_sum(_each(None, bins, dtype), bins, nbins)


@public("unravel_index")
def unravel_index(indices: Any, dims: Any, name: Any = None) -> Tensor:
    """Flat indices into an array of shape dims, as an index along each axis.

    Args:
      indices: int32 or int64, a scalar or [n]. dims: [k], the array's sizes.
    Returns:
      [k] for a scalar, [k, n] else.
    """
    with scope(name, "unravel_index", indices, dims):
        sizes = interpreter.as_tensor(dims)
        flat = interpreter.as_tensor(indices, sizes.dtype)
        strides = Cumprod(True, True)(sizes, 0)
        if flat.spec.rank == 1:
            strides, sizes = reshape(strides, [-1, 1]), reshape(sizes, [-1, 1])
        return m.FloorMod()(m.FloorDiv()(flat, strides), sizes)


def _each(weights: Any, like: Tensor, dtype: Any) -> Tensor:
    """What each entry counts: its weight, or 1."""
    if weights is None:
        return Cast(as_dtype(dtype))(OnesLike()(like))
    given = interpreter.as_tensor(weights)
    return given if dtype is None else Cast(as_dtype(dtype))(given)
