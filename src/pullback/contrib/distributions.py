"""`tf.distributions`, written in TensorFlow 1's words: what all have in common, and divergences between two.

Also `tf.contrib.distributions`.
"""

from __future__ import annotations

from typing import Any

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

    Args:
      validate_args: must be False. allow_nan_stats, graph_parents: kept, or for TensorFlow's book-keeping: the figures
        of the distributions here are never undefined.
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

    def _known(self, what: str, name: str, *values: Any) -> Any:
        """What a subclass says as `_what(*values)`, under name scopes of the distribution and the call."""
        rule = getattr(self, f"_{what}", None)
        if rule is None:
            raise ArgumentError(f"{what} is not known of {type(self).__name__}")
        with tf.name_scope(self.name), tf.name_scope(name):
            return rule(*(tf.convert_to_tensor(v, self.dtype) for v in values))

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
        return self._known("log_prob", name, value)

    def prob(self, value: Any, name: str = "prob") -> Any:
        """The density, or the probability."""
        return tf.exp(self.log_prob(value, name))

    def mean(self, name: str = "mean") -> Any:
        return self._known("mean", name)

    def variance(self, name: str = "variance") -> Any:
        return self._known("variance", name)

    def stddev(self, name: str = "stddev") -> Any:
        return tf.sqrt(self._known("variance", name))

    def mode(self, name: str = "mode") -> Any:
        return self._known("mode", name)

    def entropy(self, name: str = "entropy") -> Any:
        """In nats."""
        return self._known("entropy", name)

    def cdf(self, value: Any, name: str = "cdf") -> Any:
        """The probability of at most `value`."""
        return self._known("cdf", name, value)

    def kl_divergence(self, other: Any, name: str = "kl_divergence") -> Any:
        """The Kullback-Leibler divergence from `other`."""
        return kl_divergence(self, other, name=name)

    def cross_entropy(self, other: Any, name: str = "cross_entropy") -> Any:
        """Entropy plus divergence."""
        with tf.name_scope(name):
            return self.entropy() + self.kl_divergence(other)

    def __repr__(self) -> str:
        kind = f"tf.distributions.{type(self).__name__}"
        return f"<{kind} {self.name!r} batch_shape={self.batch_shape} dtype={self.dtype.name}>"

    def _draw(self, shape: Any, seed: Any) -> Any:
        raise ArgumentError(f"sample is not known of {type(self).__name__}")


def floats(*values: Any) -> list[Any]:
    """Parameters as tensors of one floating type."""
    made = [None if v is None else tf.convert_to_tensor(v) for v in values]
    kind = next((t.dtype for t, v in zip(made, values, strict=True) if t is not None and hasattr(v, "dtype")), None)
    return [None if v is None else tf.convert_to_tensor(v, kind or tf.float32) for v in values]


# --- divergences ---------------------------------------------------------------------------------------------------

# Of a pair of classes; those of our own are registered where the classes stand.
_DIVERGENCES: dict[tuple[type, type], Any] = {}


@distribution("kl_divergence")
def kl_divergence(
    distribution_a: Any, distribution_b: Any, allow_nan_stats: bool = True, name: str | None = None
) -> Any:
    """The Kullback-Leibler divergence of a from b, in nats.

    Raises:
      NotImplementedError: of these two it is not known. InvalidArgumentError, when it runs: it is NaN, and
      allow_nan_stats is False.
    """
    for (one, other), rule in _DIVERGENCES.items():
        if isinstance(distribution_a, one) and isinstance(distribution_b, other):
            with tf.name_scope(name or "KullbackLeibler"):
                found = rule(distribution_a, distribution_b)
                if allow_nan_stats:
                    return found
                told = f"KL calculation between {distribution_a.name} and {distribution_b.name} returned NaN values"
                with tf.control_dependencies([tf.Assert(~tf.reduce_any(tf.is_nan(found)), [told])]):
                    return tf.identity(found)
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
