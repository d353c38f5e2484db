"""Distributions of whole numbers: Bernoulli, Categorical."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.distributions import Distribution, RegisterKL, distribution, floats


def _logits_and_probs(logits: Any, probs: Any, several: bool) -> tuple[Any, Any]:
    """Both, from the one that is given.

    Raises:
      ValueError: none or both are given.
    """
    if (logits is None) == (probs is None):
        raise ValueError("Must pass probs or logits, but not both.")
    if probs is None:
        (logits,) = floats(logits)
        return logits, tf.nn.softmax(logits) if several else tf.nn.sigmoid(logits)
    (probs,) = floats(probs)
    return tf.log(probs) if several else tf.log(probs) - tf.log1p(-probs), probs


@distribution("Bernoulli")
class Bernoulli(Distribution):
    """1 with probability probs = sigmoid(logits), else 0."""

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = tf.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Bernoulli",
    ) -> None:
        self.logits, self.probs = _logits_and_probs(logits, probs, False)
        held = {"probs": self.probs}
        super().__init__(dtype, "NOT_REPARAMETERIZED", validate_args, allow_nan_stats, held, None, name)

    def _draw(self, shape: Any, seed: Any) -> Any:
        return tf.cast(tf.random_uniform(shape, dtype=self.probs.dtype, seed=seed) < self.probs, self.dtype)

    def _log_prob(self, value: Any) -> Any:
        shown = tf.cast(value, self.logits.dtype)
        return -tf.nn.sigmoid_cross_entropy_with_logits(
            labels=shown + tf.zeros_like(self.logits), logits=self.logits + tf.zeros_like(shown)
        )

    def _mean(self) -> Any:
        return tf.identity(self.probs)

    def _variance(self) -> Any:
        return self.probs * (1.0 - self.probs)

    def _mode(self) -> Any:
        return tf.cast(self.probs > 0.5, self.dtype)

    def _entropy(self) -> Any:
        return tf.nn.softplus(self.logits) - self.logits * self.probs


@distribution("Categorical")
class Categorical(Distribution):
    """k with probability probs[..., k] = softmax(logits)[..., k]."""

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = tf.int32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Categorical",
    ) -> None:
        self.logits, self.probs = _logits_and_probs(logits, probs, True)
        held = {"probs": self.probs}
        super().__init__(dtype, "NOT_REPARAMETERIZED", validate_args, allow_nan_stats, held, None, name)

    @property
    def event_size(self) -> Any:
        return tf.shape(self.logits)[-1]

    def _shape(self) -> Any:
        return self.logits[..., 0]

    def _draw(self, shape: Any, seed: Any) -> Any:
        flat = tf.reshape(self.logits, [-1, self.event_size])
        rows = tf.maximum(tf.shape(flat)[0], 1)
        drawn = tf.transpose(tf.multinomial(flat, tf.reduce_prod(shape) // rows, seed))
        return tf.cast(tf.reshape(drawn, shape), self.dtype)

    def _log_prob(self, value: Any) -> Any:
        logs = tf.nn.log_softmax(self.logits)
        which = tf.one_hot(value, self.event_size, True, False, dtype=tf.bool)
        return tf.reduce_sum(tf.where_v2(which, logs, tf.zeros_like(logs)), axis=-1)

    def _mode(self) -> Any:
        return tf.cast(tf.argmax(self.logits, axis=-1), self.dtype)

    def _entropy(self) -> Any:
        logs = tf.nn.log_softmax(self.logits)
        return -tf.reduce_sum(tf.nn.softmax(self.logits) * logs, axis=-1)


@RegisterKL(Bernoulli, Bernoulli)
def _kl_bernoulli(a: Any, b: Any, name: str | None = None) -> Any:
    zero = tf.nn.softplus(b.logits) - tf.nn.softplus(a.logits)
    return a.probs * (tf.nn.softplus(-b.logits) - tf.nn.softplus(-a.logits)) + (1.0 - a.probs) * zero


@RegisterKL(Categorical, Categorical)
def _kl_categorical(a: Any, b: Any, name: str | None = None) -> Any:
    logs = tf.nn.log_softmax(a.logits)
    return tf.reduce_sum(tf.exp(logs) * (logs - tf.nn.log_softmax(b.logits)), axis=-1)
