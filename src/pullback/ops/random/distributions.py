"""Distributions beyond uniform and normal: categorical, gamma, Poisson.

Categorical draws look uniform numbers up in the running sum of the probabilities, and are TensorFlow's. Gamma and
Poisson draws are NumPy's, from its Philox generator at (key, counter): pure functions of these, though not
TensorFlow's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import SumTo, shape_of
from pullback.core.dtypes import INTS, REALS, as_dtype, float32, float64, int64
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.shape import broadcast, compatible, text
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.bounds import UpperBound
from pullback.ops.array.joining import chain
from pullback.ops.array.shape import dims
from pullback.ops.math.arithmetic import Exp, Log, Reciprocal
from pullback.ops.math.cumulative import Cumsum
from pullback.ops.math.gamma import IgammaGradA, Lgamma
from pullback.ops.math.reduce import Max
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.ops.random import draws as d
from pullback.ops.random.functions import _real_type, next_counter


class _Parametrised(d._Draw):
    """Base of draws with a parameter that broadcasts to the shape."""

    def infer(self, shape_: Spec, parameter: Spec, *others: Spec) -> Spec:
        made = super().infer(shape_, parameter, *others)
        if not compatible(broadcast(made.shape, parameter.shape), made.shape):
            raise ShapeError(f"{self.type}: parameters of shape {text(parameter.shape)} do not fit {text(made.shape)}")
        return made

    @staticmethod
    def generator(key: int, counter: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=key % 2**64, counter=counter % 2**256))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        for dtype in (float64, float32):
            parameter = rng.uniform(0.5, 4.0, size=2).astype(dtype.numpy)
            yield Sample(cls(), ((3, 2), parameter, key, counter), smooth=False, order=1, name=dtype.name)
        yield Sample(cls(), ((0, 2), np.ones(2), key, counter), smooth=False, order=1, name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        key, counter = np.asarray(7, np.int64), np.array([3, 5], np.int64)
        yield lambda: cls()((2,), np.array([1.0, -1.0]), key, counter), ArgumentError, "above 0"


@op
class RandomGamma(_Parametrised):
    """Draws of rate 1 and shape parameter alpha. Its gradient by alpha is that of the sample at a fixed quantile:
    -(dP/dalpha) / (dP/dx), P the regularised incomplete gamma function.

    Source: Figurnov, Mohamed and Mnih 2018, "Implicit reparameterization gradients".
    """

    signature = "shape: int32|int64, alpha: T, key: int64, counter: int64 -> output: T"
    T = REALS

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        (alpha,) = limits
        if np.any(alpha <= 0):
            raise ArgumentError("random.gamma: alpha must be above 0")
        return self.generator(key, counter).standard_gamma(alpha.astype(np.float64), sizes).astype(alpha.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        alpha, x = node.inputs[1], node.results[0]
        density = Exp()((alpha - 1.0) * Log()(x) - x - Lgamma()(alpha))
        slope = -IgammaGradA()(alpha, x) * Reciprocal()(density)
        return None, SumTo()(dy * slope, shape_of(alpha)), None, None


@op
class RandomPoisson(_Parametrised):
    """Counts of events of a rate, as numbers of the rate's type. No gradient: they are whole."""

    type = "RandomPoissonV2"
    signature = "shape: int32|int64, rate: T, key: int64, counter: int64 -> output: T"
    T = REALS

    def draw(self, key: int, counter: int, sizes: tuple[int, ...], *limits: Any) -> Any:
        (rate,) = limits
        if np.any(rate < 0):
            raise ArgumentError("random.poisson: lam must be 0 or above 0")
        return self.generator(key, counter).poisson(rate.astype(np.float64), sizes).astype(rate.dtype)


@public("random.gamma", v1=("random.gamma", "random_gamma"))
def random_gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Draws from gamma distributions: density proportional to x^(alpha-1) exp(-beta x).

    Args:
      shape: how many draws of each distribution.
      alpha: shape parameters, above 0. Gradients reach them.
      beta: rates, 1 by default; broadcast with alpha.
      dtype: of the result, real.
      seed: the op seed, see `set_seed`.
    Returns:
      [shape..., shape of alpha broadcast with beta].
    Raises:
      ArgumentError: alpha is not above 0. DTypeError: dtype is not real.
    """
    dtype = _real_type("random.gamma", dtype)
    with scope(name, "random_gamma", alpha, beta):
        alpha = interpreter.as_tensor(alpha, dtype)
        if beta is not None:
            beta = interpreter.as_tensor(beta, dtype)
            alpha = alpha + beta * 0.0
        sizes = chain(dims(shape), shape_of(alpha))
        drawn = RandomGamma()(sizes, alpha, *next_counter(RandomGamma(), seed, sizes))
        return drawn if beta is None else drawn / beta


@public("random.poisson", v1=None)
def random_poisson(shape: Any, lam: Any, dtype: Any = float32, seed: Any = None, name: str | None = None) -> Tensor:
    """Counts from Poisson distributions.

    Args:
      shape: how many draws of each distribution.
      lam: rates, 0 or above.
      dtype: of the result, real or integer.
      seed: the op seed, see `set_seed`.
    Returns:
      [shape..., lam's shape]. It has no gradient.
    Raises:
      ArgumentError: a rate is below 0. DTypeError: dtype is neither real nor integer.
    """
    to = _real_type("random.poisson", dtype, integers=True)
    with scope(name, "random_poisson", lam):
        rates = lam if isinstance(lam, Tensor) else interpreter.as_tensor(np.asarray(lam, np.float64))
        sizes = chain(dims(shape), shape_of(rates))
        drawn = RandomPoisson()(sizes, rates, *next_counter(RandomPoisson(), seed, sizes))
        return drawn if drawn.dtype is to else Cast(to)(drawn)


@public(v1=("random.poisson", "random_poisson"))
def random_poisson_v1(lam: Any, shape: Any, dtype: Any = float32, seed: Any = None, name: str | None = None) -> Tensor:
    """`random_poisson` with TensorFlow 1's order of arguments."""
    return random_poisson(shape, lam, dtype, seed, name)


@public("random.categorical")
def categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    """Draws from categorical distributions.

        u uniform in [0, 1), float64      class = how many of sum_{i<=c} exp(logits_i - max) are <= u sum_i

    Args:
      logits: [B, C], unnormalised log-probabilities.
      num_samples: how many draws of each row.
      dtype: int32 or int64, the default.
      seed: the op seed, see `set_seed`.
    Returns:
      [B, num_samples] class numbers. They have no gradient.
    Raises:
      ShapeError: logits is no matrix. DTypeError: dtype is no integer type.
    """
    with scope(name, "categorical", logits):
        logits = logits_of("random.categorical", logits)
        rows = shape_of(logits)[:1]
        draw = d.RandomUniform(float64)
        # TensorFlow sets the words of two numbers aside for each draw, and those of a row in fours.
        start = next_counter(draw, seed, chain(rows, ((num_samples + 3) // 4 * 4 * 2,)))
        return drawn_classes(draw, logits, num_samples, int64 if dtype is None else dtype, start)


def logits_of(what: str, logits: Any) -> Tensor:
    """Log-probabilities as a tensor.

    Raises:
      ShapeError: they are no matrix.
    """
    logits = interpreter.as_tensor(logits)
    if logits.spec.rank not in (2, None):
        raise ShapeError(f"{what}: logits must be [B, C], not {text(logits.spec.shape)}").locate()
    return logits


def drawn_classes(draw: Any, logits: Tensor, num_samples: Any, dtype: Any, start: tuple[Tensor, Tensor]) -> Tensor:
    """Classes from uniform float64 numbers that begin at start, (key, counter). [B, C] -> [B, num_samples]

    Raises:
      DTypeError: dtype is neither int32 nor int64.
    """
    to = as_dtype(dtype)
    if to not in INTS[:2]:
        raise DTypeError(f"categorical draws: dtype must be int32 or int64, not {to.name}").locate()
    wide = Cast(float64)(logits)
    running = Cumsum()(Exp()(wide - Max(keep_dims=True)(wide, (1,))), 1)
    places = draw(chain(shape_of(logits)[:1], (num_samples,)), *start) * running[:, -1:]
    return UpperBound(to)(running, places, name="Multinomial")


@public(v1=("multinomial", "random.multinomial"))
def multinomial(
    logits: Any, num_samples: Any, seed: Any = None, name: str | None = None, output_dtype: Any = None
) -> Tensor:
    """The former name of `random.categorical`, with its order of arguments."""
    return categorical(logits, num_samples, output_dtype, seed, name or "multinomial")
