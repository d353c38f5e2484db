"""Layers that draw at random while training, and do nothing otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.dtypes import bool_
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import phase
from pullback.layers.base import Layer
from pullback.layers.input_spec import InputSpec
from pullback.layers.sizes import sizes_of
from pullback.modes.default import graph_for
from pullback.ops.array.conversion import identity
from pullback.ops.control.cond import cond
from pullback.ops.math.arithmetic import GreaterEqual
from pullback.ops.math.select import Cast
from pullback.ops.random.dropout import dropout
from pullback.ops.random.functions import random_normal, random_uniform


def either(training: Any, trained: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """trained() while training, which may be a number, a bool or a scalar tensor."""
    if isinstance(training, Tensor) or hasattr(type(training), "__pullback_tensor__"):
        flag = training if isinstance(training, Tensor) else training.__pullback_tensor__()
        return cond(flag if flag.dtype is bool_ else Cast(bool_)(flag), trained, otherwise)
    return trained() if training else otherwise()


class Random(Layer):
    """Base: a subclass says `drawn(inputs)`, the outputs while training."""

    supports_masking = True

    def drawn(self, inputs: Any) -> Any:
        """The outputs while training."""
        return inputs

    def call(self, inputs: Any, training: Any = None) -> Any:
        return either(training, lambda: self.drawn(inputs), lambda: identity(inputs))


def rate_of(rate: Any, name: str = "rate") -> Any:
    """
    Raises:
      ValueError: a rate lies outside of [0, 1], or is neither number nor tensor.
    """
    number = isinstance(rate, (int, float))
    if (number and not 0 <= rate <= 1) or rate is None or isinstance(rate, str):
        raise ArgumentError(f"Invalid value {rate!r} received for `{name}`, expected a value between 0 and 1.").locate()
    return rate


def rate_below_one(rate: Any, layer: str) -> Any:
    """A rate by whose complement a layer divides.

    Raises:
      ValueError: it lies outside of [0, 1).
    """
    if rate_of(rate) == 1:
        raise ArgumentError(f"{layer}: rate must be below 1, but is {rate}: noise is divided by 1 - rate").locate()
    return rate


@public("keras.layers.Dropout")
class Dropout(Random):
    """While training: entries set to 0 at random, the rest scaled by 1 / (1 - rate). Otherwise the inputs.

    Args:
      rate: the probability that an entry is set to 0.
      noise_shape: the mask's shape, which broadcasts; None in it means the inputs' size.
      seed: the op seed of the draws.
    """

    settings = ("rate", "noise_shape", "seed")

    def __init__(self, rate: Any, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.noise_shape, self.seed = rate_of(rate), noise_shape, seed

    def mask_shape(self, inputs: Any) -> Any:
        """The shape of what is drawn."""
        return self.noise_shape

    def drawn(self, inputs: Any) -> Any:
        if isinstance(self.rate, (int, float)) and self.rate >= 1:
            return inputs * 0
        name = "dropout" if isinstance(graph_for(), Graph) else None
        return dropout(inputs, self.rate, self.mask_shape(inputs), self.seed, name)


class _Spatial(Dropout):
    """Dropout of whole channels. data_format: "channels_last" or "channels_first"."""

    rank = 2
    withheld = ("noise_shape",)

    def __init__(self, rate: Any, data_format: str | None = None, **kwargs: Any) -> None:
        if "noise_shape" in kwargs:
            raise TypeError(f"{type(self).__name__}: drops whole channels, so takes no noise_shape; use Dropout")
        super().__init__(rate, **kwargs)
        self.data_format = phase.layout_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def mask_shape(self, inputs: Any) -> Any:
        sizes, ones = sizes_of(inputs), (1,) * self.rank
        return [sizes[0], *ones, sizes[-1]] if self.data_format == "channels_last" else [sizes[0], sizes[1], *ones]


@public("keras.layers.SpatialDropout1D")
class SpatialDropout1D(_Spatial):
    """Dropout of whole channels of rows [N, W, C]."""

    rank = 1


@public("keras.layers.SpatialDropout2D")
class SpatialDropout2D(_Spatial):
    """Dropout of whole channels of images."""

    settings = ("data_format",)


@public("keras.layers.SpatialDropout3D")
class SpatialDropout3D(_Spatial):
    """Dropout of whole channels of volumes."""

    settings = ("data_format",)
    rank = 3


@public("keras.layers.GaussianNoise")
class GaussianNoise(Random):
    """While training: adds normal numbers of this standard deviation.

    Raises:
      ValueError: stddev is negative.
    """

    settings = ("stddev", "seed")

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if stddev < 0:
            raise ArgumentError(f"GaussianNoise: stddev must not be negative, but is {stddev}").locate()
        self.stddev, self.seed = stddev, seed

    def drawn(self, inputs: Any) -> Any:
        return inputs + random_normal(sizes_of(inputs), 0.0, self.stddev, inputs.dtype, self.seed)


@public("keras.layers.GaussianDropout")
class GaussianDropout(Random):
    """While training: multiplies by normal numbers of mean 1, variance rate / (1 - rate)."""

    settings = ("rate", "seed")

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = rate_below_one(rate, "GaussianDropout"), seed

    def drawn(self, inputs: Any) -> Any:
        stddev = (self.rate / (1.0 - self.rate)) ** 0.5
        return inputs * random_normal(sizes_of(inputs), 1.0, stddev, inputs.dtype, self.seed)


@public("keras.layers.AlphaDropout")
class AlphaDropout(Random):
    """While training: dropout that keeps mean 0 and variance 1 of selu's outputs. Source: Klambauer et al. 2017."""

    settings = ("rate", "noise_shape", "seed")
    _alpha = -1.7580993408473766  # selu's limit far below 0

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.noise_shape, self.seed = rate_below_one(rate, "AlphaDropout"), noise_shape, seed

    def drawn(self, inputs: Any) -> Any:
        shape = sizes_of(inputs) if self.noise_shape is None else self.noise_shape
        kept = GreaterEqual()(random_uniform(shape, dtype=inputs.dtype, seed=self.seed), self.rate)
        kept = Cast(inputs.dtype)(kept)
        a = ((1 - self.rate) * (1 + self.rate * self._alpha**2)) ** -0.5
        return a * (inputs * kept + self._alpha * (1 - kept)) - a * self._alpha * self.rate
