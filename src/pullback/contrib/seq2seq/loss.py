"""The loss over sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core.errors import ArgumentError

_RANKS = {"logits": 3, "targets": 2, "weights": 2}


@contrib("seq2seq", "sequence_loss")
def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    sum_over_timesteps: bool = False,
    sum_over_batch: bool = False,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """Softmax cross-entropy of a sequence of answers, weighted.

    Args:
      logits: [B, T, V]. targets: int [B, T]. weights: float [B, T], 0 where there is padding.
      average_across_timesteps, average_across_batch: divide the sum over that axis by its weights (1e-12 added).
      sum_over_timesteps, sum_over_batch: divide it by the number of weights that are not 0, instead; where the other
        axis is averaged, it alone is, as in TensorFlow.
      softmax_loss_function: (labels=, logits=) -> losses [B * T], in place of sparse softmax cross-entropy.
    Returns:
      a scalar; [B] or [T] where one axis is kept; [B, T] where both are.
    Raises:
      ValueError: a rank is wrong, or an axis is both averaged and summed.
    """
    for what, given in (("logits", logits), ("targets", targets), ("weights", weights)):
        rank = tf.convert_to_tensor(given).shape.ndims
        if rank not in (None, _RANKS[what]):
            raise ArgumentError(f"sequence_loss: {what} must have {_RANKS[what]} axes, but has {rank}").locate()
    for axis, averages, sums in (
        ("timesteps", average_across_timesteps, sum_over_timesteps),
        ("batch", average_across_batch, sum_over_batch),
    ):
        if averages and sums:
            raise ValueError(f"average_across_{axis} and sum_over_{axis} cannot be set to True at the same time.")
    with tf.name_scope(name, "sequence_loss", [logits, targets, weights]):
        flat = tf.reshape(logits, [-1, tf.shape(logits)[2]])
        labels = tf.reshape(targets, [-1])
        function = softmax_loss_function or tf.nn.sparse_softmax_cross_entropy_with_logits
        losses = tf.reshape(function(labels=labels, logits=flat), tf.shape(targets)) * weights
        count = tf.cast(tf.not_equal(weights, 0), losses.dtype)
        for over_steps, over_batch, by, least in (
            (average_across_timesteps, average_across_batch, weights, 1e-12),
            (sum_over_timesteps, sum_over_batch, count, 0.0),
        ):
            if over_steps or over_batch:
                return _divided(losses, by, None if over_steps and over_batch else 1 if over_steps else 0, least)
        return losses


def _divided(losses: Any, by: Any, axis: Any, least: float) -> Any:
    """sum losses / (sum by + least); 0 where the divisor is 0."""
    return tf.div_no_nan(tf.reduce_sum(losses, axis), tf.reduce_sum(by, axis) + least)
