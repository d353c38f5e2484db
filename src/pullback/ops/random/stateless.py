"""Draws from further distributions, as pure functions of two seeds; new seeds from old ones.

Categorical draws, shuffles and seeds are TensorFlow's numbers. Gamma, Poisson and binomial draws are NumPy's, from its
Philox generator; truncated normals are quantiles of uniform numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import DType, float32, float64, int32, int64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.shape import broadcast, compatible, text
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import stack
from pullback.ops.math.arithmetic import Maximum, Minimum
from pullback.ops.math.inverse_erf import Ndtri
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.ops.math.special import Erfc
from pullback.ops.random import draws as d
from pullback.ops.random.distributions import RandomGamma, RandomPoisson, _Parametrised, drawn_classes, logits_of
from pullback.ops.random.functions import _real_type, _sizes, _stateless, stateless_uniform


@op
class StatelessRandomBinomial(_Parametrised):
    """How many of `counts` tries succeed, each with chance `probs`. No gradient: they are whole."""

    signature = "shape: int32|int64, counts: T, probs: T, key: int64, counter: int64 -> output: dtype"
    T = (float64, float32)
    dtype: DType = int32

    def infer(self, shape_: Spec, counts: Spec, probs: Spec, *others: Spec) -> Spec:
        together = broadcast(counts.shape, probs.shape)
        made = d._Draw.infer(self, shape_, counts, probs, *others)
        if not compatible(broadcast(made.shape, together), made.shape):
            raise ShapeError(f"{self.type}: parameters of shape {text(together)} do not fit {text(made.shape)}")
        return made

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        counts, probs = limits
        if np.any(counts < 0) or np.any((probs < 0) | (probs > 1)):
            raise ArgumentError("binomial draws: counts must be 0 or above 0, probs in [0, 1]")
        drawn = self.generator(key, counter).binomial(counts.astype(np.int64), probs.astype(np.float64), sizes)
        return np.asarray(drawn).astype(self.dtype.numpy)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        start = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        for dtype in (float64, float32):
            counts, probs = (np.array(v, dtype.numpy) for v in ([3.0, 8.0], [0.25, 0.5]))
            yield Sample(cls(dtype), ((3, 2), counts, probs, *start), wrt=(), name=dtype.name)
        yield Sample(cls(), ((0, 2), np.ones(2), np.ones(2), *start), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        start = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        yield lambda: cls()((2,), np.ones(2), np.full(2, 1.5), *start), ArgumentError, "in [0, 1]"
        yield lambda: cls()((3,), np.ones(2), np.ones(2), *start), ShapeError, "do not broadcast"


@public("random.stateless_gamma")
def stateless_gamma(
    shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = float32, name: str | None = None
) -> Tensor:
    """`random.gamma` as a pure function: the same seed gives the same numbers.

    Args:
      shape: of the whole result, which alpha and beta broadcast to.
      seed: two integers, [2].
      alpha: shape parameters, above 0. Gradients reach them. beta: rates, 1 by default.
      dtype: of the result, real.
    Raises:
      ArgumentError: alpha is not above 0. ShapeError: the parameters do not broadcast to shape.
    """
    dtype = _real_type("random.stateless_gamma", dtype)
    with scope(name, "stateless_random_gamma", shape, seed, alpha, beta):
        alpha = interpreter.as_tensor(alpha, dtype)
        drawn = RandomGamma()(_sizes(shape), alpha, *_stateless("random.stateless_gamma", seed, None))
        return drawn if beta is None else drawn / interpreter.as_tensor(beta, dtype)


@public("random.stateless_poisson")
def stateless_poisson(shape: Any, seed: Any, lam: Any, dtype: Any = int32, name: str | None = None) -> Tensor:
    """`random.poisson` as a pure function: the same seed gives the same numbers.

    Args:
      shape: of the whole result, which lam broadcasts to. seed: two integers, [2].
      lam: rates, 0 or above. dtype: of the result, real or integer.
    Raises:
      ArgumentError: a rate is below 0. ShapeError: lam does not broadcast to shape.
    """
    to = _real_type("random.stateless_poisson", dtype, integers=True)
    with scope(name, "stateless_random_poisson", shape, seed, lam):
        rates = lam if isinstance(lam, Tensor) else interpreter.as_tensor(np.asarray(lam, np.float64))
        drawn = RandomPoisson()(_sizes(shape), rates, *_stateless("random.stateless_poisson", seed, None))
        return drawn if drawn.dtype is to else Cast(to)(drawn)


@public("random.stateless_binomial")
def stateless_binomial(
    shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = int32, name: str | None = None
) -> Tensor:
    """How many of `counts` tries succeed, each with chance `probs`; the same seed gives the same numbers.

    Args:
      shape: of the whole result, which counts and probs broadcast to. seed: two integers, [2].
      output_dtype: real or integer.
    Raises:
      ArgumentError: a count is below 0, or a chance outside [0, 1]. ShapeError: they do not broadcast to shape.
    """
    with scope(name, "stateless_random_binomial", shape, seed, counts, probs):
        return binomial_at(shape, counts, probs, output_dtype, _stateless("random.stateless_binomial", seed, None))


def binomial_at(shape: Any, counts: Any, probs: Any, dtype: Any, start: tuple[Tensor, Tensor]) -> Tensor:
    """Binomial draws that begin at start, (key, counter)."""
    to = _real_type("binomial draws", dtype, integers=True)
    chances = Cast(float64)(interpreter.as_tensor(probs))
    tries = Cast(float64)(interpreter.as_tensor(counts))
    return StatelessRandomBinomial(to)(_sizes(shape), tries, chances, *start)


@public("random.stateless_categorical", v1=("random.stateless_categorical",))
def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = int64, name: str | None = None
) -> Tensor:
    """`random.categorical` as a pure function: the same seed gives the same numbers.

    Args:
      logits: [B, C], unnormalised log-probabilities. num_samples: how many draws of each row. seed: [2] integers.
      dtype: int32 or int64.
    Returns:
      [B, num_samples] class numbers.
    """
    with scope(name, "stateless_categorical", logits, seed):
        logits = logits_of("random.stateless_categorical", logits)
        start = _stateless("random.stateless_categorical", seed, None)
        return drawn_classes(d.StatelessRandomUniformV2(float64), logits, num_samples, dtype, start)


@public(v1="random.stateless_multinomial")
def stateless_multinomial(
    logits: Any, num_samples: Any, seed: Any, output_dtype: Any = int64, name: str | None = None
) -> Tensor:
    """The former name of `random.stateless_categorical`."""
    return stateless_categorical(logits, num_samples, seed, output_dtype, name or "stateless_multinomial")


@public("random.stateless_parameterized_truncated_normal")
def stateless_parameterized_truncated_normal(
    shape: Any,
    seed: Any,
    means: Any = 0.0,
    stddevs: Any = 1.0,
    minvals: Any = -2.0,
    maxvals: Any = 2.0,
    name: str | None = None,
) -> Tensor:
    """Draws from normal distributions, cut to [minvals, maxvals]; the same seed gives the same numbers.

    Args:
      shape: of the whole result, which the parameters broadcast to. seed: two integers, [2].
      means, stddevs: of the distributions before they are cut; float32 or float64. Gradients reach all parameters.
      minvals, maxvals: ends of the range. Within 5 standard deviations of the mean, for float32's sake.
    """
    with scope(name, "stateless_parameterized_truncated_normal", shape, seed, means, stddevs, minvals, maxvals):
        mean = interpreter.as_tensor(means)
        spread, low, high = (interpreter.as_tensor(x, mean.dtype) for x in (stddevs, minvals, maxvals))
        below, above = (Erfc()((mean - x) / spread * math.sqrt(0.5)) * 0.5 for x in (low, high))
        u = stateless_uniform(shape, seed, dtype=mean.dtype)
        drawn = Ndtri()(below + u * (above - below)) * spread + mean
        return Minimum()(Maximum()(drawn, low), high)


@public("random.experimental.stateless_shuffle")
def stateless_shuffle(value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None) -> Tensor:
    """The rows of a tensor in an order that the seed says, TensorFlow's. [n, ...] -> [n, ...]

    Raises:
      ValueError: alg is another generator than Philox. ShapeError: value is a scalar, or seed is not of shape [2].
    """
    with scope(name, "stateless_shuffle", value, seed):
        value = interpreter.as_tensor(value)
        return d.RandomShuffle()(value, *_stateless("random.experimental.stateless_shuffle", seed, alg))


@public("random.split", "random.experimental.stateless_split")
def split(seed: Any, num: Any = 2, alg: Any = "auto_select") -> Tensor:
    """New seeds from one: [2] -> [num, 2], of its type."""
    seed = interpreter.as_tensor(seed)
    return stateless_uniform([num, 2], seed, None, None, seed.dtype, alg=alg)


@public("random.fold_in", "random.experimental.stateless_fold_in")
def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """A new seed from one and a number, as that of a step. seed [2], data [] -> [2], of data's type."""
    data = interpreter.as_tensor(data)
    return stack([stateless_uniform([], seed, None, None, data.dtype, alg=alg), data])
