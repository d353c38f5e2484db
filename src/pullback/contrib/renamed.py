"""Functions that contrib has under other names: in `contrib.stateless`, `.util`, `.metrics` and `.nn`."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core.errors import ArgumentError


@contrib("stateless", "stateless_random_normal")
def stateless_random_normal(
    shape: Any, seed: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = tf.float32, name: str | None = None
) -> Any:
    """`tf.random.stateless_normal`: the same numbers for the same seed [2]."""
    return tf.random.stateless_normal(shape, seed, mean, stddev, dtype, name)


@contrib("stateless", "stateless_random_uniform")
def stateless_random_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = tf.float32, name: str | None = None
) -> Any:
    """`tf.random.stateless_uniform`: the same numbers for the same seed [2]."""
    return tf.random.stateless_uniform(shape, seed, minval, maxval, dtype, name)


@contrib("stateless", "stateless_truncated_normal")
def stateless_truncated_normal(
    shape: Any, seed: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = tf.float32, name: str | None = None
) -> Any:
    """`tf.random.stateless_truncated_normal`: the same numbers for the same seed [2]."""
    return tf.random.stateless_truncated_normal(shape, seed, mean, stddev, dtype, name)


@contrib("util", "constant_value")
def constant_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor that is known before it runs; None of others."""
    return tf.get_static_value(tensor, partial)


@contrib("metrics slim.metrics", "confusion_matrix")
def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, dtype: Any = tf.int32, name: str | None = None,
    weights: Any = None,
) -> Any:  # fmt: skip
    """`tf.math.confusion_matrix`. [labels, predictions]"""
    return tf.math.confusion_matrix(labels, predictions, num_classes, weights, dtype, name)


@contrib("nn", "alpha_dropout")
def alpha_dropout(x: Any, keep_prob: Any, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Any:
    """Dropout that keeps mean 0 and variance 1 of selu's outputs: what is dropped becomes selu's limit far below 0.

    Args:
      keep_prob: the share that is kept, in (0, 1]. noise_shape: of what is drawn, which broadcasts; x's by default.
    Raises:
      ValueError: keep_prob is a number outside of (0, 1].
    Source: Klambauer et al. 2017.
    """
    if isinstance(keep_prob, (int, float)) and not 0 < keep_prob <= 1:
        raise ArgumentError(f"keep_prob must be in (0, 1], but is {keep_prob}").locate()
    with tf.name_scope(name, "alpha_dropout", [x]):
        t = tf.convert_to_tensor(x, name="x")
        if isinstance(keep_prob, (int, float)) and keep_prob == 1:
            return t
        share = tf.convert_to_tensor(keep_prob, t.dtype, name="keep_prob")
        alpha = -1.7580993408473766
        drawn = tf.random_uniform(tf.shape(t) if noise_shape is None else noise_shape, dtype=t.dtype, seed=seed)
        kept = tf.floor(share + drawn)
        a = tf.rsqrt(share + alpha**2 * share * (1.0 - share))
        y = a * (t * kept + alpha * (1.0 - kept)) - a * alpha * (1.0 - share)
        y.set_shape(t.shape)
        return y
