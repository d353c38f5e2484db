"""The public reductions: reduce_sum, reduce_mean, ... in TensorFlow 2's signature, and with `_v1` in TensorFlow 1's.

`axis` is a number, a list, a tensor, or None for all axes. Negative axes count from the last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import ZerosLike, shape_of
from pullback.core.dtypes import FLOATS, as_dtype, bool_, int64
from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.math import arithmetic as m
from pullback.ops.math import reduce as r
from pullback.ops.math.axes import AllAxes
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Select, StopGradient

_ARGS = """

    Args:
      input_tensor: Tensor.
      axis: the axes to fold, a number, list or tensor; None for all.
      keepdims: keep folded axes as 1.
    Raises:
      ArgumentError: there is no such axis, or one is named twice.
"""
_V1_ARGS = """      reduction_indices, keep_dims: earlier names of axis and keepdims.
"""


def _axes(x: Tensor, axis: Any) -> Any:
    """The axes argument of a reduction's op."""
    eager = type(x) is EagerTensor
    if axis is None:
        if x.spec.shape is None:
            return AllAxes()(x)
        every = tuple(range(len(x.spec.shape)))
        return every if eager and every else interpreter.as_tensor(np.array(every, np.int32), name="Const")
    if isinstance(axis, (tuple, list, range)):
        axis = tuple(a if isinstance(a, Tensor) else int(a) for a in axis)
    return axis


def _reduced(op: Any, x: Any, axis: Any, keepdims: Any, name: str | None) -> Tensor:
    x = interpreter.as_tensor(x)
    y = op(bool(keepdims))(x, _axes(x, axis), name=name)
    if axis is None and not keepdims and y.spec.shape is None:
        y.set_shape(())
    return y


def _one_of(name: str, given: Any, old_name: str, old: Any) -> Any:
    if given is not None and old is not None:
        raise ArgumentError(
            f"Cannot specify both '{name}' and '{old_name}': the second is the first's earlier name"
        ).locate()
    return old if given is None else given


def _reduction(
    name: str, compute: Callable[..., Tensor], doc: str
) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """The function of TensorFlow 2 and that of TensorFlow 1, declared public."""

    def reduce_v2(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
        return compute(input_tensor, axis, keepdims, name)

    def reduce_v1(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool | None = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool | None = None,
    ) -> Tensor:
        axis = _one_of("axis", axis, "reduction_indices", reduction_indices)
        keepdims = _one_of("keepdims", keepdims, "keep_dims", keep_dims)
        return compute(input_tensor, axis, keepdims, name)

    summary, _, gradient = doc.partition("|")
    tail = f"    Gradient: {gradient.strip()}\n" if gradient else ""
    for made, its_name, arguments in (
        (reduce_v2, name, _ARGS),
        (reduce_v1, f"{name}_v1", _ARGS.replace("    Raises", _V1_ARGS + "    Raises")),
    ):
        made.__name__ = made.__qualname__ = its_name
        made.__doc__ = summary.strip() + arguments + tail + "    "
        made.__module__ = __name__
    public(name, f"math.{name}", v1=None)(reduce_v2)
    public(v1=(name, f"math.{name}"))(reduce_v1)
    return reduce_v2, reduce_v1


def _plain(op: Any) -> Callable[..., Tensor]:
    return lambda x, axis, keepdims, name: _reduced(op, x, axis, keepdims, name)


def _logsumexp(x: Any, axis: Any, keepdims: Any, name: str | None) -> Tensor:
    with scope(name, "ReduceLogSumExp", x) as full:
        x = interpreter.as_tensor(x)
        largest = _reduced(r.Max, x, axis, True, None)
        largest = StopGradient()(Select()(m.IsFinite()(largest), largest, ZerosLike()(largest)))
        total = m.Log()(_reduced(r.Sum, m.Exp()(m.Sub()(x, largest)), axis, keepdims, None))
        if not keepdims:
            largest = REGISTRY["Reshape"]()(largest, shape_of(total))
        return m.AddV2()(total, largest, name=full)


def _needs_numbers(what: str, x: Tensor) -> Tensor:
    if x.dtype not in FLOATS:
        raise DTypeError(f"{what}: input must be either real or complex, not {x.dtype.name}; use tf.cast").locate()
    return x


def _squares(x: Tensor) -> Tensor:
    """|x|^2, real."""
    if not x.dtype.is_complex:
        return m.Square()(x)
    return Cast(x.dtype.real_dtype)(x * m.Conj()(x))


reduce_sum, reduce_sum_v1 = _reduction(
    "reduce_sum", _plain(r.Sum), "The sum over axes; of nothing, 0. | dy to every entry."
)
reduce_mean, reduce_mean_v1 = _reduction(
    "reduce_mean",
    _plain(r.Mean),
    "The mean over axes; of integers truncated towards zero, of nothing nan. | dy / n to every entry.",
)
reduce_max, reduce_max_v1 = _reduction(
    "reduce_max", _plain(r.Max), "The largest over axes. | to the largest entry; entries that tie share it equally."
)
reduce_min, reduce_min_v1 = _reduction(
    "reduce_min", _plain(r.Min), "The least over axes. | to the least entry; entries that tie share it equally."
)
reduce_prod, reduce_prod_v1 = _reduction(
    "reduce_prod",
    _plain(r.Prod),
    "The product over axes; of nothing, 1. | the product of the other entries, exact to every order where some are 0.",
)
reduce_all, reduce_all_v1 = _reduction("reduce_all", _plain(r.All), "Whether all over axes are true; of nothing, true.")
reduce_any, reduce_any_v1 = _reduction("reduce_any", _plain(r.Any), "Whether any over axes is true; of nothing, false.")
reduce_logsumexp, reduce_logsumexp_v1 = _reduction(
    "reduce_logsumexp",
    _logsumexp,
    "log(sum(exp(x))) over axes, taken from the largest entry so that nothing overflows. | the softmax over the axes.",
)


@public("math.reduce_variance")
def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The mean over axes of |x - mean|^2 (divided by n, not n - 1).

    Raises:
      DTypeError: x is not real or complex. ArgumentError: there is no such axis.
    """
    with scope(name, "reduce_variance", input_tensor):
        x = _needs_numbers("reduce_variance", interpreter.as_tensor(input_tensor))
        off = x - _reduced(r.Mean, x, axis, True, None)
        return _reduced(r.Mean, _squares(off), axis, keepdims, None)


@public("math.reduce_std")
def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The standard deviation over axes, the root of `reduce_variance`. Its gradient is nan where all entries are equal.

    Raises:
      DTypeError: x is not real or complex. ArgumentError: there is no such axis.
    """
    with scope(name, "reduce_std", input_tensor):
        return m.Sqrt()(reduce_variance(input_tensor, axis, keepdims))


@public("math.reduce_euclidean_norm")
def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """sqrt(sum |x|^2) over axes.

    Gradient: x / norm; nan where the norm is 0.

    Raises:
      ArgumentError: there is no such axis.
    """
    return _reduced(r.EuclideanNorm, input_tensor, axis, keepdims, name)


def _nonzeros(x: Any, axis: Any, keepdims: Any, dtype: Any, name: str | None) -> Tensor:
    with scope(name, "count_nonzero", x) as full:
        x = interpreter.as_tensor(x)
        true = x if x.dtype is bool_ else m.NotEqual()(x, ZerosLike()(x))
        return Cast(as_dtype(dtype))(_reduced(r.Sum, Cast(int64)(true), axis, keepdims, None), name=full)


@public("math.count_nonzero", v1=None)
def count_nonzero(
    input: Any, axis: Any = None, keepdims: bool | None = None, dtype: Any = int64, name: str | None = None
) -> Tensor:
    """How many entries over axes are not zero (not empty, of strings).

    Raises:
      ArgumentError: there is no such axis.
    """
    return _nonzeros(input, axis, keepdims, dtype, name)


@public(v1=("count_nonzero", "math.count_nonzero"))
def count_nonzero_v1(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
    input: Any = None,
) -> Tensor:
    """How many entries over axes are not zero (not empty, of strings).

    Args:
      input_tensor: Tensor. `input` is another name of it; `reduction_indices`, `keep_dims` are those of axis, keepdims.
    Raises:
      ArgumentError: there is no such axis, or an argument is given under both names.
    """
    x = _one_of("input", input, "input_tensor", input_tensor)
    axis = _one_of("axis", axis, "reduction_indices", reduction_indices)
    return _nonzeros(x, axis, _one_of("keepdims", keepdims, "keep_dims", keep_dims), dtype, name)
