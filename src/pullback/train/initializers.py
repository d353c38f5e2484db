"""TensorFlow 2's and Keras' initializers: callables (shape, dtype) -> tensor.

With a seed, an initializer gives the same numbers at every call; without, others each time.
"""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.conversion import constant
from pullback.ops.array.creation import ones, zeros
from pullback.ops.array.one_hot import eye
from pullback.ops.random import initial
from pullback.train import identifiers

_PARTS = ("partition_shape", "partition_offset")


def _names(*words: str) -> tuple[str, ...]:
    return tuple(f"{space}initializers.{word}" for space in ("", "keras.") for word in words)


def _type(dtype: Any) -> DType:
    return dtypes.float32 if dtype is None else as_dtype(dtype)


@public(*_names("Initializer"), v1=None)
class Initializer:
    """Base of initializers: a subclass says `__call__(shape, dtype=None, **kwargs)` and `get_config`."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of this shape and type.

        Args:
          partition_shape, partition_offset: of a part of a variable, its shape, and where it starts.
        """
        raise NotImplementedError(f"{type(self).__name__} must say __call__(shape, dtype=None, **kwargs)")

    def get_config(self) -> dict[str, Any]:
        """What the constructor was given."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The initializer that a configuration describes."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})

    def clone(self) -> Any:
        """Another one of the same configuration."""
        return type(self).from_config(self.get_config())

    def _part(self, shape: Any, kwargs: dict[str, Any], allowed: bool = True) -> Any:
        """The shape to fill: that of the part when one is asked for."""
        for key in kwargs:
            if key not in _PARTS:
                raise TypeError(f"{type(self).__name__}: Unknown keyword argument: {key}")
            if not allowed:
                raise ArgumentError(
                    f"{type(self).__name__} initializer doesn't support partition-related arguments"
                ).locate()
        return kwargs.get("partition_shape", shape)


@public("zeros_initializer", *_names("Zeros", "zeros"), v1=None)
class Zeros(Initializer):
    """All zeros. dtype: a number, or bool."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return zeros(self._part(shape, kwargs), _number(self, dtype))


@public("ones_initializer", *_names("Ones", "ones"), v1=None)
class Ones(Initializer):
    """All ones. dtype: a number, or bool."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return ones(self._part(shape, kwargs), _number(self, dtype))


def _number(by: Initializer, dtype: Any) -> DType:
    dtype = _type(dtype)
    if not dtype.is_numpy_compatible or dtype is dtypes.string:
        raise ArgumentError(f"{type(by).__name__}: Expected numeric or boolean dtype, got {dtype!r}.").locate()
    return dtype


@public("constant_initializer", v1=None)
class constant_initializer(Initializer):
    """The given values.

    Args:
      value: a number, repeated; or a list or array of as many values as the shape holds, in row order.
      support_partition: whether a part of a variable may be asked for, which then gets `value` by itself.
    """

    def __init__(self, value: Any = 0, support_partition: bool = False) -> None:
        self.value, self.support_partition = value, support_partition

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        to = self._part(shape, kwargs, self.support_partition)
        return constant(self.value, None if dtype is None else as_dtype(dtype), to)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


@public(*_names("Constant", "constant"), v1=None)
class Constant(constant_initializer):
    """The given values: a number, repeated, or as many as the shape holds."""

    def __init__(self, value: Any = 0) -> None:
        super().__init__(value, True)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return super().__call__(shape, _type(dtype), **kwargs)


class _Seeded(Initializer):
    """Base of those that draw."""

    seed: Any = None

    @property
    def _start(self) -> Any:
        return None if self.seed is None else (int(self.seed), 0)


@public("random_uniform_initializer", *_names("RandomUniform", "random_uniform"), "keras.initializers.uniform", v1=None)
class RandomUniform(_Seeded):
    """Uniform in [minval, maxval)."""

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        dtype = _type(dtype)
        if not dtype.is_floating and not dtype.is_integer:
            raise ArgumentError(f"RandomUniform: Expected float or integer dtype, got {dtype!r}.").locate()
        return initial.drawn("uniform", self._part(shape, kwargs), self.minval, self.maxval, dtype, self._start)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class _Bell(_Seeded):
    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    kind = "normal"

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        to = self._part(shape, kwargs)
        return initial.drawn(
            self.kind, to, self.mean, self.stddev, initial.real(_type(dtype), type(self).__name__), self._start
        )

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


@public("random_normal_initializer", *_names("RandomNormal", "random_normal"), "keras.initializers.normal", v1=None)
class RandomNormal(_Bell):
    """Normal, of this mean and standard deviation."""


@public(*_names("TruncatedNormal", "truncated_normal"), v1=None)
class TruncatedNormal(_Bell):
    """Normal, numbers two standard deviations or more from the mean drawn again."""

    kind = "truncated_normal"


@public(*_names("VarianceScaling", "variance_scaling"), v1=None)
class VarianceScaling(_Seeded):
    """Mean 0, variance scale / fan: see `variance_scaled`.

    Raises:
      ValueError: scale is not positive, or mode or distribution is not known.
    """

    def __init__(
        self, scale: Any = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: Any = None
    ) -> None:
        initial.check_variance(scale, mode, distribution)
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution.lower(), seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        dtype = initial.real(_type(dtype), type(self).__name__)
        to = self._part(shape, kwargs)
        return initial.variance_scaled(to, self.scale, self.mode, self.distribution, dtype, self._start, shape)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


class _Scaled(VarianceScaling):
    settings: tuple[float, str, str]

    def __init__(self, seed: Any = None) -> None:
        super().__init__(*self.settings, seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


@public(*_names("GlorotUniform", "glorot_uniform"), v1=None)
class GlorotUniform(_Scaled):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)). Source: Glorot and Bengio 2010."""

    settings = (1.0, "fan_avg", "uniform")


@public(*_names("GlorotNormal", "glorot_normal"), v1=None)
class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out). Source: Glorot and Bengio 2010."""

    settings = (1.0, "fan_avg", "truncated_normal")


@public(*_names("HeNormal", "he_normal"), v1=None)
class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in. Source: He et al. 2015."""

    settings = (2.0, "fan_in", "truncated_normal")


@public(*_names("HeUniform", "he_uniform"), v1=None)
class HeUniform(_Scaled):
    """Uniform in +-sqrt(6 / fan_in). Source: He et al. 2015."""

    settings = (2.0, "fan_in", "uniform")


@public(*_names("LecunNormal", "lecun_normal"), v1=None)
class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in. Source: LeCun et al. 1998."""

    settings = (1.0, "fan_in", "truncated_normal")


@public(*_names("LecunUniform", "lecun_uniform"), v1=None)
class LecunUniform(_Scaled):
    """Uniform in +-sqrt(3 / fan_in). Source: LeCun et al. 1998."""

    settings = (1.0, "fan_in", "uniform")


@public(*_names("Orthogonal", "orthogonal"), v1=None)
class Orthogonal(_Seeded):
    """gain times an orthogonal matrix, [product of the leading axes, last axis].

    Raises:
      ValueError: the shape has less than two axes.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain, self.seed = gain, seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        to = self._part(shape, kwargs, allowed=False)
        return initial.orthogonal(to, self.gain, initial.real(_type(dtype), "Orthogonal"), self._start)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed}


@public(*_names("Identity", "identity"), v1=None)
class Identity(Initializer):
    """gain on the diagonal of a matrix, zeros elsewhere.

    Raises:
      ValueError: the shape is not that of a matrix.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return diagonal(self._part(shape, kwargs, allowed=False), self.gain, initial.real(_type(dtype), "Identity"))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


def diagonal(shape: Any, gain: float, dtype: DType) -> Tensor:
    """gain times the identity matrix."""
    sizes = initial.sizes_of(shape, "Identity")
    if len(sizes) != 2:
        raise ShapeError(
            f"Identity matrix initializer can only be used for 2D matrices, not for shape {list(sizes)}"
        ).locate()
    return eye(*sizes, dtype=dtype) * gain


_CLASSES = (
    Zeros,
    Ones,
    Constant,
    RandomUniform,
    RandomNormal,
    TruncatedNormal,
    VarianceScaling,
    GlorotUniform,
    GlorotNormal,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    Identity,
)


def snake(name: str) -> str:
    """GlorotUniform -> glorot_uniform"""
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


BY_NAME: dict[str, Any] = {word: cls for cls in _CLASSES for word in (cls.__name__, snake(cls.__name__))}
BY_NAME |= {"uniform": RandomUniform, "normal": RandomNormal, "constant_initializer": constant_initializer}


@public(*_names("get"), v1=None)
def get(identifier: Any) -> Any:
    """The initializer that a word, a configuration, a class or an initializer stands for; None for None."""
    return identifiers.find(identifier, BY_NAME, "initializer")


@public(*_names("deserialize"), v1=None)
def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The initializer of {"class_name", "config"}. custom_objects: further names -> classes."""
    return identifiers.made(config, BY_NAME, "initializer", custom_objects)


@public(*_names("serialize"), v1=None)
def serialize(initializer: Any) -> Any:
    """{"class_name", "config"} of an initializer."""
    return identifiers.described(initializer)
