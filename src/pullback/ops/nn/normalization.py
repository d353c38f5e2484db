"""Normalising made of other ops: moments, l2_normalize, batch_normalization."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import float32
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import one_of
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce_functions import reduce_mean, reduce_sum, reduce_variance
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast


@public("nn.moments", v1=None)
def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Mean and variance over axes.

    Args:
      x: Tensor, real; of float16 and bfloat16 both are computed in float32.
      axes: axes to fold, as [0, 1, 2] for each channel of a batch of images.
      shift: has no meaning, as in TensorFlow.
      keepdims: keep the axes as 1.
    Returns:
      (mean, variance); the variance is divided by n.
    Gradient: of every order, that of the formula. (TensorFlow holds the mean fixed within the variance, which changes
      its second order.)
    """
    with scope(name, "moments", x):
        given = interpreter.as_tensor(x, name="x")
        narrow = given.dtype.is_floating and given.dtype.size == 2
        wide = Cast(float32)(given) if narrow else given
        mean = reduce_mean(wide, axes, keepdims=bool(keepdims))
        variance = reduce_variance(wide, axes, keepdims=bool(keepdims))
        return (Cast(given.dtype)(mean), Cast(given.dtype)(variance)) if narrow else (mean, variance)


@public(v1="nn.moments")
def moments_v1(
    x: Any, axes: Any, shift: Any = None, name: str | None = None, keep_dims: bool | None = None, keepdims: Any = None
) -> Any:
    """As `moments`; `keep_dims` is an earlier name of `keepdims`."""
    return moments(x, axes, shift, bool(one_of("keepdims", keepdims, "keep_dims", keep_dims)), name)


@public("math.l2_normalize", "linalg.l2_normalize", "nn.l2_normalize")
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Tensor:
    """x divided by its length along axes: x / sqrt(max(sum |x|^2, epsilon)).

    Args:
      x: Tensor, real or complex. axis: one axis or several, None: all; `dim` is its earlier name.
      epsilon: least square of a length.
    """
    axis = one_of("axis", axis, "dim", dim)
    with scope(name, "l2_normalize", x) as full:
        x = interpreter.as_tensor(x, name="x")
        if x.dtype.is_complex:
            squares = reduce_sum(Cast(x.dtype.real_dtype)(x * m.Conj()(x)), axis, keepdims=True)
            return m.Mul()(x, Cast(x.dtype)(m.Rsqrt()(m.Maximum()(squares, epsilon))), name=full)
        squares = reduce_sum(m.Square()(x), axis, keepdims=True)
        return m.Mul()(x, m.Rsqrt()(m.Maximum()(squares, epsilon)), name=full)


@public("nn.batch_normalization")
def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: str | None = None
) -> Tensor:
    """scale (x - mean) / sqrt(variance + variance_epsilon) + offset.

    Args:
      x: Tensor. mean, variance: of shapes that broadcast to x's.
      offset, scale: likewise, or None for 0 and 1.
      variance_epsilon: a small number, so that nothing is divided by 0.
    Source: Ioffe & Szegedy 2015.
    """
    with scope(name, "batchnorm", x, mean, variance, scale, offset):
        x = interpreter.as_tensor(x)
        mean, variance = (
            interpreter.as_tensor(t, None if isinstance(t, Tensor) else x.dtype) for t in (mean, variance)
        )
        inverse = m.Rsqrt()(variance + variance_epsilon)
        if scale is not None:
            inverse = inverse * scale
        moved = -mean * inverse if offset is None else offset - mean * inverse
        inverse, moved = (t if t.dtype is x.dtype else Cast(x.dtype)(t) for t in (inverse, moved))
        return x * inverse + moved
