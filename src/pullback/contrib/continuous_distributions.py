"""Distributions of real numbers: Normal, Uniform, Exponential, Laplace."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import pullback.v1 as tf
from pullback.contrib.distributions import Distribution, RegisterKL, distribution, floats


@distribution("Normal")
class Normal(Distribution):
    """exp(-(x - loc)^2 / (2 scale^2)) / (scale sqrt(2 pi))."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Normal"
    ) -> None:
        self.loc, self.scale = floats(loc, scale)
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
        self.low, self.high = floats(low, high)
        held = {"low": self.low, "high": self.high}
        super().__init__(self.low.dtype, "FULLY_REPARAMETERIZED", validate_args, allow_nan_stats, held, None, name)

    def range(self, name: str = "range") -> Any:
        with tf.name_scope(self.name):
            return tf.subtract(self.high, self.low, name=name)

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
        (self.rate,) = floats(rate)
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
        self.loc, self.scale = floats(loc, scale)
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


@RegisterKL(Normal, Normal)
def _kl_normal(a: Any, b: Any, name: str | None = None) -> Any:
    ratio = tf.square(a.scale / b.scale)
    return tf.square(a.loc - b.loc) / (2.0 * tf.square(b.scale)) + 0.5 * (ratio - 1.0 - tf.log(ratio))
