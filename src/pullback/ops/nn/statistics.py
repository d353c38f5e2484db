"""Means and variances in parts: sufficient statistics, their normalisation, and weighted moments."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import OnesLike
from pullback.core.dtypes import float32
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import one_of, squeeze
from pullback.ops.array.sizes import size
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import divide_no_nan
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.ops.nn.normalization import batch_normalization


@public("nn.sufficient_statistics", v1=None)
def sufficient_statistics(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """What mean and variance are made of: sums over axes.

    Args:
      shift: a number near the mean, subtracted for accuracy; None for 0.
    Returns:
      (count, sum of x - shift, sum of (x - shift)^2, shift).
    """
    with scope(name, "sufficient_statistics", x, shift):
        x = interpreter.as_tensor(x, name="x")
        count = reduce_sum(OnesLike()(x), axes) if not x.spec.known else _count(x, axes)
        if shift is None:
            return count, reduce_sum(x, axes, keepdims), reduce_sum(m.Square()(x), axes, keepdims), None
        shift = interpreter.as_tensor(shift, x.dtype, name="shift")
        off = x - shift
        return count, reduce_sum(off, axes, keepdims), reduce_sum(m.Square()(off), axes, keepdims), shift


def _count(x: Tensor, axes: Any) -> Tensor:
    """How many entries each sum has: a scalar."""
    sizes: Any = x.spec.shape
    given = axes if isinstance(axes, (list, tuple)) else [axes]
    count = 1
    for a in given:
        count *= sizes[int(a)]
    return interpreter.as_tensor(count, x.dtype)


@public(v1="nn.sufficient_statistics")
def sufficient_statistics_v1(
    x: Any,
    axes: Any,
    shift: Any = None,
    keep_dims: bool | None = None,
    name: str | None = None,
    keepdims: bool | None = None,
) -> Any:
    """As `sufficient_statistics`; `keep_dims` is an earlier name of `keepdims`."""
    return sufficient_statistics(x, axes, shift, bool(one_of("keepdims", keepdims, "keep_dims", keep_dims)), name)


@public("nn.normalize_moments")
def normalize_moments(counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None) -> Any:
    """(mean, variance) of sufficient statistics: mean_ss / n + shift, variance_ss / n - (mean_ss / n)^2."""
    with scope(name, "normalize", counts, mean_ss, variance_ss, shift):
        inverse = m.Reciprocal()(interpreter.as_tensor(counts))
        off = m.Mul()(mean_ss, inverse)
        mean = off if shift is None else off + shift
        return mean, m.Mul()(variance_ss, inverse) - m.Square()(off)


@public("nn.weighted_moments", v1=None)
def weighted_moments(x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None) -> Any:
    """(mean, variance) over axes, each entry counted by its weight.

    Args:
      frequency_weights: of a shape that broadcasts to x's.
    """
    with scope(name, "weighted_moments", x, frequency_weights):
        x = interpreter.as_tensor(x, name="x")
        w = interpreter.as_tensor(frequency_weights, name="weights")
        wide = float32 if x.dtype.size == 2 else x.dtype
        v, w = (t if t.dtype is wide else Cast(wide)(t) for t in (x, w))
        w = w * OnesLike()(v)
        total = reduce_sum(w, axes, True)
        mean = divide_no_nan(reduce_sum(w * v, axes, True), total)
        variance = divide_no_nan(reduce_sum(w * m.Square()(v - mean), axes, True), total)
        if not keepdims:
            which = list(axes) if isinstance(axes, (list, tuple)) else [int(axes)]
            mean, variance = squeeze(mean, which), squeeze(variance, which)
        return tuple(t if t.dtype is x.dtype else Cast(x.dtype)(t) for t in (mean, variance))


@public(v1="nn.weighted_moments")
def weighted_moments_v1(
    x: Any,
    axes: Any,
    frequency_weights: Any,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> Any:
    """As `weighted_moments`; `keep_dims` is an earlier name of `keepdims`."""
    keep = bool(one_of("keepdims", keepdims, "keep_dims", keep_dims))
    return weighted_moments(x, axes, frequency_weights, keep, name)


@public("nn.batch_norm_with_global_normalization", v1=None)
def batch_norm_with_global_normalization(
    input: Any,
    mean: Any,
    variance: Any,
    beta: Any,
    gamma: Any,
    variance_epsilon: Any,
    scale_after_normalization: bool,
    name: str | None = None,
) -> Tensor:
    """`batch_normalization` under an old name; gamma is used if scale_after_normalization."""
    scale = gamma if scale_after_normalization else None
    return batch_normalization(input, mean, variance, beta, scale, variance_epsilon, name)


@public(v1="nn.batch_norm_with_global_normalization")
def batch_norm_with_global_normalization_v1(
    t: Any = None,
    m: Any = None,
    v: Any = None,
    beta: Any = None,
    gamma: Any = None,
    variance_epsilon: Any = None,
    scale_after_normalization: bool | None = None,
    name: str | None = None,
    input: Any = None,
    mean: Any = None,
    variance: Any = None,
) -> Tensor:
    """`batch_normalization` under an old name: t, m, v are input, mean, variance."""
    x = one_of("input", input, "t", t, required=True)
    mean, variance = one_of("mean", mean, "m", m, required=True), one_of("variance", variance, "v", v, required=True)
    after = bool(scale_after_normalization)
    return batch_norm_with_global_normalization(x, mean, variance, beta, gamma, variance_epsilon, after, name)


@public("nn.compute_average_loss")
def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> Tensor:
    """The sum of the losses divided by how many examples there are.

    Args:
      sample_weight: weights that the losses are multiplied by.
      global_batch_size: how many examples; as many as there are losses by default.
    """
    losses = interpreter.as_tensor(per_example_loss)
    if sample_weight is not None:
        weights = interpreter.as_tensor(sample_weight)
        losses = losses * (weights if weights.dtype is losses.dtype else Cast(losses.dtype)(weights))
    count = interpreter.as_tensor(size(losses) if global_batch_size is None else global_batch_size)
    return reduce_sum(losses) / Cast(losses.dtype)(count)
