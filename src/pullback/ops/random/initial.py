"""First values of weights: the formulas that every initializer names.

    fans        how many numbers a unit reads (fan_in) and how many read it (fan_out)
    variance    scale / fan, so that signals keep their size from layer to layer
    orthogonal  Q of a random matrix A = Q R, with the signs of R's diagonal: uniform over orthogonal matrices

A seed is an op seed (int or None: each call draws on), or a pair of ints (each call draws the same).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import REALS, DType, as_dtype, float32, float64
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.shape import as_shape, known
from pullback.core.shape import text as shape_text
from pullback.core.spec import Spec
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.layout import transpose
from pullback.ops.array.shape import reshape
from pullback.ops.random import draws as d
from pullback.ops.random import functions as random
from pullback.ops.random import philox

_DRAWS = {
    "uniform": (random.random_uniform, random.stateless_uniform),
    "normal": (random.random_normal, random.stateless_normal),
    "truncated_normal": (random.truncated_normal, random.stateless_truncated_normal),
}
# Standard deviation of a standard normal cut at two deviations.
_CUT = 0.87962566103423978
MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("normal", "uniform", "truncated_normal", "untruncated_normal")


def sizes_of(shape: Any, what: str) -> tuple[int, ...]:
    """A shape as plain ints.

    Raises:
      ShapeError: part of it is not known.
    """
    if isinstance(shape, EagerTensor):
        shape = shape.numpy().tolist()
    wanted = None if isinstance(shape, Tensor) else as_shape([shape] if isinstance(shape, int) else shape)
    if not known(wanted):
        raise ShapeError(f"{what}: the shape must be fully known, but is {shape}").locate()
    return tuple(int(n) for n in wanted)  # type: ignore[union-attr,arg-type]


def real(dtype: Any, what: str) -> DType:
    """A floating type.

    Raises:
      DTypeError: it is another one; a ValueError too, as TensorFlow's is.
    """
    dtype = as_dtype(dtype)
    if not dtype.is_floating:
        raise _NotFloating(f"{what}: Expected floating point type, got {dtype!r}.").locate()
    return dtype


class _NotFloating(DTypeError, ValueError):
    """TensorFlow raises ValueError where an initializer's dtype is not floating."""


def fans(sizes: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of weights [.., in, out]; the leading axes are a filter's window."""
    if len(sizes) < 2:
        n = sizes[0] if sizes else 1
        return n, n
    window = math.prod(sizes[:-2])
    return sizes[-2] * window, sizes[-1] * window


def drawn(kind: str, sizes: Any, first: Any, second: Any, dtype: Any, seed: Any) -> Tensor:
    """Numbers of one distribution: uniform in [first, second), or normal of mean `first` and deviation `second`."""
    by_stream, pure = _DRAWS[kind]
    if isinstance(seed, tuple):
        return pure(sizes, seed, first, second, dtype)
    return by_stream(sizes, first, second, dtype, seed)


def check_variance(scale: Any, mode: str, distribution: str) -> None:
    """
    Raises:
      ArgumentError: scale is not positive, or mode or distribution is none that is known.
    """
    if scale <= 0.0:
        raise ArgumentError(f"VarianceScaling: `scale` must be positive float, not {scale}").locate()
    if mode not in MODES:
        raise ArgumentError(f"VarianceScaling: Invalid `mode` argument: {mode!r}; it is one of {MODES}").locate()
    if distribution.lower() not in DISTRIBUTIONS:
        raise ArgumentError(
            f"VarianceScaling: Invalid `distribution` argument: {distribution!r}; it is one of {DISTRIBUTIONS}"
        ).locate()


def variance_scaled(
    sizes: Any, scale: float, mode: str, distribution: str, dtype: Any, seed: Any, of: Any = None
) -> Tensor:
    """Numbers of mean 0 and variance scale / fan.

    Args:
      mode: which fan: "fan_in", "fan_out" or "fan_avg", their mean.
      distribution: "uniform", "untruncated_normal", or "truncated_normal" (also "normal"), cut at two deviations and
        widened so that the variance holds.
      of: the shape whose fans count, when `sizes` is a part of it.
    """
    fan_in, fan_out = fans(sizes_of(sizes if of is None else of, "VarianceScaling"))
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / max(1.0, fan)
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return drawn("uniform", sizes, -limit, limit, dtype, seed)
    if distribution == "untruncated_normal":
        return drawn("normal", sizes, 0.0, math.sqrt(variance), dtype, seed)
    return drawn("truncated_normal", sizes, 0.0, math.sqrt(variance) / _CUT, dtype, seed)


def glorot_uniform(wanted: Any, dtype: Any = float32) -> Tensor:
    """Uniform in +-sqrt(6 / (fan_in + fan_out)), so that variances keep their size in both directions.

    Source: Glorot and Bengio 2010, equation 16.
    """
    return variance_scaled(wanted, 1.0, "fan_avg", "uniform", dtype, None)


@op
class RandomOrthogonal(d._Draw):
    """A random matrix [m,n], m >= n, whose columns are orthonormal: Q of A = Q R, A normal, diagonal of R positive.

    Source: Mezzadri 2007, "How to generate random matrices from the classical compact groups".
    """

    signature = "shape: int32|int64, key: int64, counter: int64 -> output: dtype"
    dtype: DType = float32

    def infer(self, shape_: Spec, *others: Spec) -> Spec:
        spec = super().infer(shape_, *others)
        sizes = spec.shape
        if sizes is not None and (len(sizes) != 2 or (known(sizes) and sizes[0] < sizes[1])):  # type: ignore[operator]
            raise ShapeError(
                f"RandomOrthogonal: shape must be [m, n] with m >= n, but is {shape_text(sizes)}; transpose it"
            )
        return spec

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        drawn = (
            float64 if self.dtype is float64 else float32
        )  # TensorFlow's numbers; the decomposition is exact to them
        a = philox.normal(key, counter, sizes, drawn).astype(np.float64)
        q, r = np.linalg.qr(a)
        signs = np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return (q * signs).astype(self.dtype.numpy)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        for dtype in REALS:
            yield Sample(cls(dtype), ((3, 2), key, counter), wrt=(), smooth=False, name=dtype.name)
        yield Sample(cls(), ((3, 3), key, counter), wrt=(), name="square")
        yield Sample(cls(), ((2, 0), key, counter), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        start = np.asarray(1), np.array([0, 0])
        yield lambda: cls()((2, 3), *start), ShapeError, "m >= n"
        yield lambda: cls()((2,), *start), ShapeError, "m >= n"


def orthogonal(sizes: Any, gain: float, dtype: Any, seed: Any) -> Tensor:
    """gain times weights that are orthogonal as a matrix [product of the leading axes, last axis]: the columns
    orthonormal, or the rows when there are fewer of them.

    Raises:
      ShapeError: there are less than two axes.
    Source: Saxe et al. 2014.
    """
    sizes = sizes_of(sizes, "Orthogonal")
    if len(sizes) < 2:
        raise ShapeError(
            f"Orthogonal: The tensor to initialize must be at least two-dimensional, but has shape {shape_text(sizes)}"
        ).locate()
    rows, columns = math.prod(sizes[:-1]), sizes[-1]
    tall = (max(rows, columns), min(rows, columns))
    made = RandomOrthogonal(as_dtype(dtype))
    start = (
        random._stateless("Orthogonal", seed, None)
        if isinstance(seed, tuple)
        else random.next_counter(made, seed, random._sizes(tall))
    )
    q = made(tall, *start)
    return reshape(q if rows >= columns else transpose(q), sizes) * gain
