"""TensorFlow 1's initializers: callables (shape, dtype=None, partition_info=None) -> tensor of the default graph.

An op seed makes a sequence: each call, and each run, goes on in it. dtype is the type unless a call says another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.dtypes import as_dtype, float32
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.modes.default import building
from pullback.ops.array.conversion import constant_v1
from pullback.ops.array.creation import ones, zeros
from pullback.ops.random import initial
from pullback.train import identifiers
from pullback.train.initializers import diagonal, snake


def _names(word: str, *more: str) -> tuple[str, ...]:
    """The names of an initializer: plain, and Keras'."""
    return (f"{word}_initializer", f"initializers.{word}", *(f"keras.initializers.{m}" for m in (word, *more)))


@public(v1=("keras.initializers.Initializer",))
class Initializer:
    """Base of initializers: a subclass says `_fill(shape, dtype, partition_info)` and what it keeps."""

    dtype: Any = float32
    kept: tuple[str, ...] = ("dtype",)  # the constructor's arguments

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        """A tensor of this shape.

        Args:
          dtype: its type; by default the initializer's.
          partition_info: of a part of a variable, where it stands: `full_shape` is the whole's.
        """
        with building():
            return self._fill(shape, self.dtype if dtype is None else as_dtype(dtype), partition_info)

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must say __call__(shape, dtype=None, partition_info=None)")

    def get_config(self) -> dict[str, Any]:
        """What the constructor was given; the type by name."""
        return {key: self.dtype.name if key == "dtype" else getattr(self, key) for key in self.kept}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The initializer that a configuration describes."""
        return cls(**config)


@public(v1=_names("zeros", "Zeros"))
class zeros_initializer(Initializer):
    """All zeros."""

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype = as_dtype(dtype)

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        return zeros(shape, dtype)


@public(v1=_names("ones", "Ones"))
class ones_initializer(Initializer):
    """All ones."""

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype = as_dtype(dtype)

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        return ones(shape, dtype)


@public(v1=_names("constant", "Constant"))
class constant_initializer(Initializer):
    """The given values: a number, or a list or array in row order; the last fills up a shape that holds more.

    Args:
      verify_shape: the values must have the shape as they are.
    Raises:
      TypeError: value is no number, list or array; or, with verify_shape, of another shape.
    """

    kept = ("value", "dtype")

    def __init__(self, value: Any = 0, dtype: Any = float32, verify_shape: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value: {type(value)}; expected Python scalar, list or tuple of values, or "
                "numpy.ndarray"
            )
        self.value, self.dtype, self._verify_shape = value, as_dtype(dtype), verify_shape

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        return constant_v1(self.value, dtype, shape, verify_shape=self._verify_shape)


@public(v1=("random_uniform_initializer", "initializers.random_uniform"))
class random_uniform_initializer(Initializer):
    """Uniform in [minval, maxval); maxval is 1 for floats and must be given for integers."""

    kept = ("minval", "maxval", "seed", "dtype")

    def __init__(self, minval: Any = 0.0, maxval: Any = None, seed: Any = None, dtype: Any = float32) -> None:
        self.minval, self.maxval, self.seed, self.dtype = minval, maxval, seed, as_dtype(dtype)

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        whole = dtype.is_integer and isinstance(self.minval, float) and self.minval.is_integer()
        return initial.drawn(
            "uniform", shape, int(self.minval) if whole else self.minval, self.maxval, dtype, self.seed
        )


class _Bell(Initializer):
    kept = ("mean", "stddev", "seed", "dtype")
    kind = "normal"

    def __init__(self, mean: Any = 0.0, stddev: Any = 1.0, seed: Any = None, dtype: Any = float32) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed
        self.dtype = initial.real(dtype, type(self).__name__)

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        return initial.drawn(self.kind, shape, self.mean, self.stddev, dtype, self.seed)


@public(v1=("random_normal_initializer", "initializers.random_normal"))
class random_normal_initializer(_Bell):
    """Normal, of this mean and standard deviation."""


@public(v1=("truncated_normal_initializer", "initializers.truncated_normal"))
class truncated_normal_initializer(_Bell):
    """Normal, numbers two standard deviations or more from the mean drawn again."""

    kind = "truncated_normal"


@public(v1=tuple(f"keras.initializers.{name}" for name in ("RandomUniform", "random_uniform", "uniform")))
class RandomUniform(random_uniform_initializer):
    """Uniform in [minval, maxval), with Keras' defaults."""

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: Any = None, dtype: Any = float32) -> None:
        super().__init__(minval, maxval, seed, dtype)


@public(v1=tuple(f"keras.initializers.{name}" for name in ("RandomNormal", "random_normal", "normal")))
class RandomNormal(random_normal_initializer):
    """Normal, with Keras' defaults."""

    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: Any = None, dtype: Any = float32) -> None:
        super().__init__(mean, stddev, seed, dtype)


@public(v1=tuple(f"keras.initializers.{name}" for name in ("TruncatedNormal", "truncated_normal")))
class TruncatedNormal(truncated_normal_initializer):
    """Truncated normal, with Keras' defaults."""

    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: Any = None, dtype: Any = float32) -> None:
        super().__init__(mean, stddev, seed, dtype)


@public(v1=("uniform_unit_scaling_initializer", "initializers.uniform_unit_scaling"))
class uniform_unit_scaling_initializer(Initializer):
    """Uniform in +-factor sqrt(3 / n), n the product of all axes but the last.

    Source: Sussillo and Abbott 2014, "Random walk initialization"; factor 1 for linear units, about 1.43 for relu.
    """

    kept = ("factor", "seed", "dtype")

    def __init__(self, factor: float = 1.0, seed: Any = None, dtype: Any = float32) -> None:
        self.factor, self.seed, self.dtype = factor, seed, initial.real(dtype, "uniform_unit_scaling_initializer")

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        sizes = initial.sizes_of(_whole(shape, partition_info), "uniform_unit_scaling_initializer")
        limit = self.factor * (3.0 / max(float(np.prod(sizes[:-1])), 1.0)) ** 0.5
        return initial.drawn("uniform", shape, -limit, limit, dtype, self.seed)


def _whole(shape: Any, partition_info: Any) -> Any:
    """The whole variable's shape."""
    return shape if partition_info is None else partition_info.full_shape


@public(v1=_names("variance_scaling", "VarianceScaling"))
class variance_scaling_initializer(Initializer):
    """Mean 0, variance scale / fan: see `variance_scaled`.

    Raises:
      ValueError: scale is not positive, mode or distribution is not known, or dtype is not floating.
    """

    kept = ("scale", "mode", "distribution", "seed", "dtype")

    def __init__(
        self,
        scale: Any = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        dtype: Any = float32,
    ) -> None:
        initial.check_variance(scale, mode, distribution)
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution.lower(), seed
        self.dtype = initial.real(dtype, type(self).__name__)

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        of = _whole(shape, partition_info)
        return initial.variance_scaled(shape, self.scale, self.mode, self.distribution, dtype, self.seed, of)


@public(v1=_names("glorot_uniform", "GlorotUniform"))
class glorot_uniform_initializer(variance_scaling_initializer):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)). Source: Glorot and Bengio 2010."""

    kept = ("seed", "dtype")

    def __init__(self, seed: Any = None, dtype: Any = float32) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)


@public(v1=_names("glorot_normal", "GlorotNormal"))
class glorot_normal_initializer(variance_scaling_initializer):
    """Truncated normal of variance 2 / (fan_in + fan_out). Source: Glorot and Bengio 2010."""

    kept = ("seed", "dtype")

    def __init__(self, seed: Any = None, dtype: Any = float32) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)


@public(v1=("initializers.he_normal", "keras.initializers.he_normal", "keras.initializers.HeNormal"))
def he_normal(seed: Any = None) -> variance_scaling_initializer:
    """Truncated normal of variance 2 / fan_in. Source: He et al. 2015."""
    return variance_scaling_initializer(2.0, "fan_in", "truncated_normal", seed)


@public(v1=("initializers.he_uniform", "keras.initializers.he_uniform", "keras.initializers.HeUniform"))
def he_uniform(seed: Any = None) -> variance_scaling_initializer:
    """Uniform in +-sqrt(6 / fan_in). Source: He et al. 2015."""
    return variance_scaling_initializer(2.0, "fan_in", "uniform", seed)


@public(v1=("initializers.lecun_normal", "keras.initializers.lecun_normal", "keras.initializers.LecunNormal"))
def lecun_normal(seed: Any = None) -> variance_scaling_initializer:
    """Truncated normal of variance 1 / fan_in. Source: LeCun et al. 1998."""
    return variance_scaling_initializer(1.0, "fan_in", "truncated_normal", seed)


@public(v1=("initializers.lecun_uniform", "keras.initializers.lecun_uniform", "keras.initializers.LecunUniform"))
def lecun_uniform(seed: Any = None) -> variance_scaling_initializer:
    """Uniform in +-sqrt(3 / fan_in). Source: LeCun et al. 1998."""
    return variance_scaling_initializer(1.0, "fan_in", "uniform", seed)


@public(v1=_names("orthogonal", "Orthogonal"))
class orthogonal_initializer(Initializer):
    """gain times an orthogonal matrix, [product of the leading axes, last axis].

    Raises:
      ValueError: the shape has less than two axes, or dtype is not floating.
    """

    kept = ("gain", "seed", "dtype")

    def __init__(self, gain: float = 1.0, seed: Any = None, dtype: Any = float32) -> None:
        self.gain, self.seed, self.dtype = gain, seed, initial.real(dtype, "orthogonal_initializer")

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        return initial.orthogonal(shape, self.gain, dtype, self.seed)


@public(v1=("initializers.identity", "keras.initializers.identity", "keras.initializers.Identity"))
class identity_initializer(Initializer):
    """gain on the diagonal of a matrix, zeros elsewhere; of a part of a variable, the part of that.

    Raises:
      ValueError: the shape is not that of a matrix, or dtype is not floating.
    """

    kept = ("gain", "dtype")

    def __init__(self, gain: float = 1.0, dtype: Any = float32) -> None:
        self.gain, self.dtype = gain, initial.real(dtype, "initializers.identity")

    def _fill(self, shape: Any, dtype: Any, partition_info: Any) -> Tensor:
        made = diagonal(_whole(shape, partition_info), self.gain, dtype)
        if partition_info is None:
            return made
        (row, column), (rows, columns) = partition_info.var_offset, initial.sizes_of(shape, "Identity")
        return made[row : row + rows, column : column + columns]


BY_NAME: dict[str, Any] = {
    "Zeros": zeros_initializer,
    "Ones": ones_initializer,
    "Constant": constant_initializer,
    "RandomUniform": RandomUniform,
    "RandomNormal": RandomNormal,
    "TruncatedNormal": TruncatedNormal,
    "VarianceScaling": variance_scaling_initializer,
    "GlorotUniform": glorot_uniform_initializer,
    "GlorotNormal": glorot_normal_initializer,
    "Orthogonal": orthogonal_initializer,
    "Identity": identity_initializer,
}
_MADE = {"HeNormal": he_normal, "HeUniform": he_uniform, "LecunNormal": lecun_normal, "LecunUniform": lecun_uniform}
BY_NAME |= {snake(name): cls for name, cls in BY_NAME.items()} | {"uniform": RandomUniform, "normal": RandomNormal}
# What `serialize` writes, and what no class of Keras' name makes.
BY_NAME |= {cls.__name__: cls for cls in BY_NAME.values()}
BY_NAME |= {"uniform_unit_scaling_initializer": uniform_unit_scaling_initializer}


@public(v1="keras.initializers.get")
def get(identifier: Any) -> Any:
    """The initializer that a word, a configuration, a class or an initializer stands for; None for None."""
    if isinstance(identifier, str):
        for name, make in _MADE.items():
            if identifier in (name, snake(name)):
                return make()
    return identifiers.find(identifier, BY_NAME, "initializer")


@public(v1="keras.initializers.deserialize")
def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The initializer of {"class_name", "config"}. custom_objects: further names -> classes."""
    return identifiers.made(config, BY_NAME, "initializer", custom_objects)


@public(v1="keras.initializers.serialize")
def serialize(initializer: Any) -> Any:
    """{"class_name", "config"} of an initializer."""
    return identifiers.described(initializer)
