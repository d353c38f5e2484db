"""Initializers and regularizers of `tf.contrib.layers`."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib


@contrib("layers slim", "xavier_initializer", "xavier_initializer_conv2d")
def xavier_initializer(uniform: bool = True, seed: Any = None, dtype: Any = tf.float32) -> Any:
    """Variance 2 / (fan in + fan out), uniform or normal. Source: Glorot & Bengio 2010."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


@contrib("layers slim", "variance_scaling_initializer")
def variance_scaling_initializer(
    factor: float = 2.0, mode: str = "FAN_IN", uniform: bool = False, seed: Any = None, dtype: Any = tf.float32
) -> Callable[..., Any]:
    """Variance factor / n, with n the fan in, the fan out or their mean (mode), uniform or truncated normal.

    Raises:
      TypeError: the dtype is not floating. ValueError: the mode is none of FAN_IN, FAN_OUT, FAN_AVG.
    Source: He et al. 2015.
    """
    if not tf.as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise ValueError(f"Unknown mode {mode} [FAN_IN, FAN_OUT, FAN_AVG]")

    def initializer(shape: Any, dtype: Any = dtype, partition_info: Any = None) -> Any:
        sizes = [float(d or 0) for d in tf.TensorShape(shape).as_list()]
        taps = 1.0
        for size in sizes[:-2]:
            taps *= size
        fan_in = (sizes[-2] if len(sizes) > 1 else sizes[-1]) * taps
        fan_out = sizes[-1] * taps
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = (3.0 * factor / n) ** 0.5
            return tf.random_uniform(shape, -limit, limit, dtype, seed=seed)
        # A normal distribution cut at two deviations keeps 0.774 of its variance.
        return tf.truncated_normal(shape, 0.0, (1.3 * factor / n) ** 0.5, dtype, seed=seed)

    return initializer


def _checked(scale: Any) -> Any:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"scale cannot be an integer: {scale}")
    if isinstance(scale, numbers.Real) and scale < 0.0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale}")
    return scale


@contrib("layers slim", "l1_regularizer")
def l1_regularizer(scale: Any, scope: Any = None) -> Callable[..., Any]:
    """scale * sum |w|. A scale of 0.0 regularizes nothing.

    Raises:
      ValueError: the scale is negative, or an integer.
    """
    if _checked(scale) == 0.0:
        return lambda _: None

    def l1(weights: Any, name: str | None = None) -> Any:
        with tf.name_scope(scope, "l1_regularizer", [weights]) as inner:
            factor = tf.convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return tf.multiply(factor, tf.reduce_sum(tf.abs(weights)), name=inner)

    return l1


@contrib("layers slim", "l2_regularizer")
def l2_regularizer(scale: Any, scope: Any = None) -> Callable[..., Any]:
    """scale * sum w^2 / 2. A scale of 0.0 regularizes nothing.

    Raises:
      ValueError: the scale is negative, or an integer.
    """
    if _checked(scale) == 0.0:
        return lambda _: None

    def l2(weights: Any) -> Any:
        with tf.name_scope(scope, "l2_regularizer", [weights]) as inner:
            factor = tf.convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return tf.multiply(factor, tf.nn.l2_loss(weights), name=inner)

    return l2


@contrib("layers slim", "l1_l2_regularizer")
def l1_l2_regularizer(scale_l1: Any = 1.0, scale_l2: Any = 1.0, scope: Any = None) -> Callable[..., Any]:
    """The sum of both."""
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope or "l1_l2_regularizer")


@contrib("layers slim", "sum_regularizer")
def sum_regularizer(regularizer_list: Any, scope: Any = None) -> Any:
    """The sum of several; None when none is given."""
    given = [r for r in regularizer_list if r is not None]
    if not given:
        return None

    def total(weights: Any) -> Any:
        with tf.name_scope(scope, "sum_regularizer", [weights]) as inner:
            terms = [t for t in (r(weights) for r in given) if t is not None]
            return tf.add_n(terms, name=inner) if terms else None

    return total


@contrib("layers slim", "apply_regularization")
def apply_regularization(regularizer: Any, weights_list: Any = None) -> Any:
    """The regularizer's sum over a list of weights (the collection WEIGHTS by default), put into
    REGULARIZATION_LOSSES.

    Raises:
      ValueError: there are no weights, or a penalty is no scalar.
    """
    weights = tf.get_collection(tf.GraphKeys.WEIGHTS) if weights_list is None else list(weights_list)
    if not weights:
        raise ValueError("No weights to regularize.")
    with tf.name_scope("get_regularization_penalty", values=weights) as inner:
        penalties = [p if p is not None else tf.constant(0.0) for p in map(regularizer, weights)]
        for penalty in penalties:
            if penalty.shape.ndims != 0:
                raise ValueError(
                    f"regularizer must return a scalar Tensor instead of a Tensor with rank {penalty.shape.ndims}"
                )
        total = tf.add_n(penalties, name=inner)
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, total)
    return total
