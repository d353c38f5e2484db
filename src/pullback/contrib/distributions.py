"""`tf.distributions`: the usual ones, written in TensorFlow 1's words. Also `tf.contrib.distributions`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import pullback.v1 as tf
from pullback.core.errors import ArgumentError
from pullback.core.names import public


def distribution(name: str) -> Any:
    """Declares a name under both namespaces."""
    return public(v1=(f"distributions.{name}", f"contrib.distributions.{name}"))


@distribution("Distribution")
class Distribution:
    """Base: draws and densities, elementwise over a batch of parameters.

    A subclass says `_shape`, `_draw(shape, seed)` and `_log_prob(value)`, and what it knows of mean, variance, entropy.
    """

    def __init__(
        self,
        dtype: Any,
        reparameterization_type: Any,
        validate_args: bool,
        allow_nan_stats: bool,
        parameters: Any = None,
        graph_parents: Any = None,
        name: str | None = None,
    ) -> None:
        if validate_args:
            raise ArgumentError(
                f"{type(self).__name__}: validate_args is not supported; use tf.assert_positive and the like"
            )
        self.dtype, self.name = tf.as_dtype(dtype), name or type(self).__name__
        self.reparameterization_type, self.allow_nan_stats = reparameterization_type, allow_nan_stats
        self.parameters = dict(parameters or {})

    def _known(self, what: str) -> Any:
        rule = getattr(self, f"_{what}", None)
        if rule is None:
            raise ArgumentError(f"{what} is not known of {type(self).__name__}")
        with tf.name_scope(self.name):
            return rule()

    @property
    def batch_shape(self) -> Any:
        return self._shape().shape

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Any:
        return tf.shape(self._shape(), name=name)

    def _shape(self) -> Any:
        """A tensor of the batch's shape."""
        values = [v for v in self.parameters.values() if v is not None]
        return sum(values[1:], tf.zeros_like(values[0]) + values[0])

    def sample(self, sample_shape: Any = (), seed: Any = None, name: str = "sample") -> Any:
        """Draws: sample_shape + batch_shape."""
        with tf.name_scope(self.name), tf.name_scope(name):
            front = tf.reshape(tf.convert_to_tensor(sample_shape, tf.int32), [-1])
            return self._draw(tf.concat([front, tf.shape(self._shape())], 0), seed)

    def log_prob(self, value: Any, name: str = "log_prob") -> Any:
        """The logarithm of the density, or of the probability."""
        with tf.name_scope(self.name), tf.name_scope(name):
            return self._log_prob(tf.convert_to_tensor(value, self.dtype))

    def prob(self, value: Any, name: str = "prob") -> Any:
        """The density, or the probability."""
        return tf.exp(self.log_prob(value, name))

    def mean(self, name: str = "mean") -> Any:
        return self._known("mean")

    def variance(self, name: str = "variance") -> Any:
        return self._known("variance")

    def stddev(self, name: str = "stddev") -> Any:
        return tf.sqrt(self._known("variance"))

    def mode(self, name: str = "mode") -> Any:
        return self._known("mode")

    def entropy(self, name: str = "entropy") -> Any:
        """In nats."""
        return self._known("entropy")

    def cdf(self, value: Any, name: str = "cdf") -> Any:
        """The probability of at most `value`."""
        rule = getattr(self, "_cdf", None)
        if rule is None:
            raise ArgumentError(f"cdf is not known of {type(self).__name__}")
        with tf.name_scope(self.name), tf.name_scope(name):
            return rule(tf.convert_to_tensor(value, self.dtype))

    def kl_divergence(self, other: Any, name: str = "kl_divergence") -> Any:
        """The Kullback-Leibler divergence from `other`."""
        return kl_divergence(self, other, name=name)

    def cross_entropy(self, other: Any, name: str = "cross_entropy") -> Any:
        """Entropy plus divergence."""
        return self.entropy() + self.kl_divergence(other)

    def __repr__(self) -> str:
        kind = f"tf.distributions.{type(self).__name__}"
        return f"<{kind} {self.name!r} batch_shape={self.batch_shape} dtype={self.dtype.name}>"

    def _draw(self, shape: Any, seed: Any) -> Any:
        raise ArgumentError(f"sample is not known of {type(self).__name__}")

    def _log_prob(self, value: Any) -> Any:
        raise ArgumentError(f"log_prob is not known of {type(self).__name__}")


def _floats(*values: Any) -> list[Any]:
    """Parameters as tensors of one floating type."""
    made = [None if v is None else tf.convert_to_tensor(v) for v in values]
    kind = next((t.dtype for t, v in zip(made, values, strict=True) if t is not None and hasattr(v, "dtype")), None)
    return [None if v is None else tf.convert_to_tensor(v, kind or tf.float32) for v in values]


@distribution("Normal")
class Normal(Distribution):
    """exp(-(x - loc)^2 / (2 scale^2)) / (scale sqrt(2 pi))."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Normal"
    ) -> None:
        self.loc, self.scale = _floats(loc, scale)
        held = {"loc": self.loc, "scale": self.scale}
        super().__init__(self.loc.dtype, "FULLY_REPARAMETERIZED", validate_args, allow_nan_stats, held, None, name)

    def _draw(self, shape: Any, seed: Any) -> Any:
        return tf.random_normal(shape, 0.0, 1.0, self.dtype, seed) * self.scale + self.loc

    def _log_prob(self, value: Any) -> Any:
        return -0.5 * tf.square((value - self.loc) / self.scale) - 0.5 * math.log(2 * math.pi) - tf.log(self.scale)

    def _cdf(self, value: Any) -> Any:
        return 0.5 * tf.erfc((self.loc - value) / (self.scale * math.sqrt(2.0)))

    def _mean(self) -> Any:
        return self.loc * tf.ones_like(self.scale)

    _mode = _mean

    def _variance(self) -> Any:
        return tf.square(self.scale) * tf.ones_like(self.loc)

    def _entropy(self) -> Any:
        return 0.5 * math.log(2 * math.pi) + 0.5 + tf.log(self.scale * tf.ones_like(self.loc))


@distribution("Uniform")
class Uniform(Distribution):
    """1 / (high - low) on [low, high)."""

    def __init__(
        self,
        low: Any = 0.0,
        high: Any = 1.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Uniform",
    ) -> None:
        self.low, self.high = _floats(low, high)
        held = {"low": self.low, "high": self.high}
        super().__init__(self.low.dtype, "FULLY_REPARAMETERIZED", validate_args, allow_nan_stats, held, None, name)

    def range(self, name: str = "range") -> Any:
        return self.high - self.low

    def _draw(self, shape: Any, seed: Any) -> Any:
        return self.low + self.range() * tf.random_uniform(shape, dtype=self.dtype, seed=seed)

    def _log_prob(self, value: Any) -> Any:
        inside = tf.logical_and(value >= self.low, value < self.high)
        flat = -tf.log(self.range()) + tf.zeros_like(value)
        return tf.where(inside, flat, tf.fill(tf.shape(flat), tf.constant(-np.inf, self.dtype)))

    def _cdf(self, value: Any) -> Any:
        return tf.clip_by_value((value - self.low) / self.range(), 0.0, 1.0)

    def _mean(self) -> Any:
        return (self.low + self.high) / 2.0

    def _variance(self) -> Any:
        return tf.square(self.range()) / 12.0

    def _entropy(self) -> Any:
        return tf.log(self.range())


@distribution("Exponential")
class Exponential(Distribution):
    """rate exp(-rate x) for x >= 0."""

    def __init__(
        self, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Exponential"
    ) -> None:
        (self.rate,) = _floats(rate)
        held = {"rate": self.rate}
        super().__init__(self.rate.dtype, "FULLY_REPARAMETERIZED", validate_args, allow_nan_stats, held, None, name)

    def _draw(self, shape: Any, seed: Any) -> Any:
        least = np.finfo(self.dtype.as_numpy_dtype).tiny
        return -tf.log(tf.random_uniform(shape, least, 1.0, self.dtype, seed)) / self.rate

    def _log_prob(self, value: Any) -> Any:
        return tf.log(self.rate) - self.rate * value

    def _mean(self) -> Any:
        return 1.0 / self.rate

    def _variance(self) -> Any:
        return 1.0 / tf.square(self.rate)

    def _entropy(self) -> Any:
        return 1.0 - tf.log(self.rate)


@distribution("Laplace")
class Laplace(Distribution):
    """exp(-|x - loc| / scale) / (2 scale)."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Laplace"
    ) -> None:
        self.loc, self.scale = _floats(loc, scale)
        held = {"loc": self.loc, "scale": self.scale}
        super().__init__(self.loc.dtype, "FULLY_REPARAMETERIZED", validate_args, allow_nan_stats, held, None, name)

    def _draw(self, shape: Any, seed: Any) -> Any:
        low = float(np.nextafter(self.dtype.as_numpy_dtype(-1.0), self.dtype.as_numpy_dtype(0.0)))
        u = tf.random_uniform(shape, low, 1.0, self.dtype, seed)
        return self.loc - self.scale * tf.sign(u) * tf.log1p(-tf.abs(u))

    def _log_prob(self, value: Any) -> Any:
        return -tf.abs(value - self.loc) / self.scale - tf.log(2.0 * self.scale)

    def _mean(self) -> Any:
        return self.loc + tf.zeros_like(self.scale)

    def _variance(self) -> Any:
        return 2.0 * tf.square(self.scale) + tf.zeros_like(self.loc)

    def _entropy(self) -> Any:
        return 1.0 + tf.log(2.0 * self.scale) + tf.zeros_like(self.loc)


def _logits_and_probs(logits: Any, probs: Any, several: bool) -> tuple[Any, Any]:
    """Both, from the one that is given.

    Raises:
      ValueError: none or both are given.
    """
    if (logits is None) == (probs is None):
        raise ValueError("Must pass probs or logits, but not both.")
    if probs is None:
        (logits,) = _floats(logits)
        return logits, tf.nn.softmax(logits) if several else tf.nn.sigmoid(logits)
    (probs,) = _floats(probs)
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
        all_logs = tf.nn.log_softmax(self.logits)
        which = tf.one_hot(value, self.event_size, dtype=all_logs.dtype)
        chosen = tf.where(
            tf.cast(which, tf.bool) | tf.zeros_like(all_logs, tf.bool), all_logs + 0 * which, 0 * (all_logs + which)
        )
        return tf.reduce_sum(chosen, axis=-1)

    def _mode(self) -> Any:
        return tf.cast(tf.argmax(self.logits, axis=-1), self.dtype)

    def _entropy(self) -> Any:
        logs = tf.nn.log_softmax(self.logits)
        return -tf.reduce_sum(tf.nn.softmax(self.logits) * logs, axis=-1)


def _kl_normal(a: Any, b: Any) -> Any:
    ratio = tf.square(a.scale / b.scale)
    return tf.square(a.loc - b.loc) / (2.0 * tf.square(b.scale)) + 0.5 * (ratio - 1.0 - tf.log(ratio))


def _kl_bernoulli(a: Any, b: Any) -> Any:
    zero = tf.nn.softplus(b.logits) - tf.nn.softplus(a.logits)
    return a.probs * (tf.nn.softplus(-b.logits) - tf.nn.softplus(-a.logits)) + (1.0 - a.probs) * zero


def _kl_categorical(a: Any, b: Any) -> Any:
    logs = tf.nn.log_softmax(a.logits)
    return tf.reduce_sum(tf.exp(logs) * (logs - tf.nn.log_softmax(b.logits)), axis=-1)


_DIVERGENCES: dict[tuple[type, type], Any] = {
    (Normal, Normal): _kl_normal,
    (Bernoulli, Bernoulli): _kl_bernoulli,
    (Categorical, Categorical): _kl_categorical,
}


@distribution("kl_divergence")
def kl_divergence(
    distribution_a: Any, distribution_b: Any, allow_nan_stats: bool = True, name: str | None = None
) -> Any:
    """The Kullback-Leibler divergence of a from b, in nats.

    Raises:
      NotImplementedError: of these two it is not known.
    """
    for (one, other), rule in _DIVERGENCES.items():
        if isinstance(distribution_a, one) and isinstance(distribution_b, other):
            with tf.name_scope(name or "KullbackLeibler"):
                return rule(distribution_a, distribution_b)
    raise NotImplementedError(
        f"No KL(distribution_a || distribution_b) registered for {type(distribution_a).__name__} and "
        f"{type(distribution_b).__name__}; tf.distributions.RegisterKL gives it one"
    )


@distribution("RegisterKL")
class RegisterKL:
    """Decorator: `f(a, b, name=None)` is the divergence of distributions of these classes.

    Raises:
      ValueError: they have one.
    """

    def __init__(self, dist_cls_a: type, dist_cls_b: type) -> None:
        self._key = dist_cls_a, dist_cls_b

    def __call__(self, kl_fn: Any) -> Any:
        if self._key in _DIVERGENCES:
            raise ValueError(f"KL({self._key[0].__name__} || {self._key[1].__name__}) has already been registered")
        _DIVERGENCES[self._key] = lambda a, b: kl_fn(a, b, name=None)
        return kl_fn
