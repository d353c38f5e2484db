"""Dropout. The mask is an ordinary tensor, made of an ordinary draw; gradients pass where it let values pass."""

from __future__ import annotations

import numbers
from typing import Any

from pullback.core import interpreter
from pullback.core.basics import Shape_, ZerosLike
from pullback.core.errors import ArgumentError, DTypeError
from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import one_of
from pullback.ops.math.arithmetic import GreaterEqual, Mul, RealDiv
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Select
from pullback.ops.random.functions import random_uniform


@public("nn.dropout", v1=None)
def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    """Sets entries to 0 at random and scales the rest by 1 / (1 - rate), so that the expected sum stays.

    Args:
      x: Tensor, real.
      rate: the probability that an entry is set to 0, in [0, 1); a number or a scalar tensor.
      noise_shape: the mask's shape, which broadcasts to x's; None in it means x's size. By default x's shape.
      seed: the op seed, see `set_seed`.
    Returns:
      Tensor of x's shape; x itself when rate is the number 0.
    Raises:
      ValueError: rate is a number outside of [0, 1). DTypeError: x is not real, or rate has another type.
    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
    """
    number = float(rate) if isinstance(rate, numbers.Real) else None
    if number is not None and not 0 <= number < 1:
        raise ArgumentError(
            f"dropout: `rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}"
        ).locate()
    with scope(name, "dropout", x, rate):
        x = interpreter.as_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise DTypeError(
                f"dropout: `x.dtype` must be a floating point tensor as `x` will be scaled, but x is {x.dtype.name}"
            ).locate()
        if number == 0:
            return x
        if number is not None:
            scaled = Mul()(x, interpreter.as_tensor(1 / (1 - number), x.dtype, name="Const"))
        else:
            rate = _rate_like(x, rate)
            scaled = RealDiv()(x, 1 - rate)
        drawn = random_uniform(_noise_shape(x, noise_shape), dtype=x.dtype, seed=seed)
        kept = Select()(GreaterEqual()(drawn, rate if number is None else number), scaled, ZerosLike()(scaled))
        kept.set_shape(x.spec.shape)
        return kept


@public(v1="nn.dropout")
def dropout_v1(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: Any = None,
    name: str | None = None,
    rate: Any = None,
) -> Tensor:
    """Sets entries to 0 at random and scales the rest, so that the expected sum stays. See TensorFlow 2's `nn.dropout`.

    Args:
      x: Tensor, real.
      keep_prob: the probability that an entry stays, in (0, 1]: 1 - rate. A number or a scalar tensor.
      noise_shape, seed: as in TensorFlow 2.
      rate: the probability that an entry is set to 0; give this or keep_prob.
    Raises:
      ValueError: neither or both of keep_prob and rate are given, or they are out of range.
    """
    dropped = None if keep_prob is None else 1.0 - keep_prob
    rate = one_of("rate", rate, "keep_prob", dropped)
    if rate is None:
        raise ArgumentError("dropout: `rate` must be provided, or `keep_prob`").locate()
    return dropout(x, rate, noise_shape, seed, name)


def _rate_like(x: Tensor, rate: Any) -> Tensor:
    """A rate that is a tensor, in x's type."""
    rate = interpreter.as_tensor(rate, name="rate")
    if rate.spec.rank not in (0, None):
        raise ArgumentError(f"dropout: `rate` must be a scalar, but its shape is {rate.shape}").locate()
    if not rate.dtype.is_floating:
        raise DTypeError(f"dropout: `rate` is {rate.dtype.name}, but must be a floating point tensor").locate()
    return rate if rate.dtype is x.dtype else Cast(x.dtype)(rate, name="rate")


def _noise_shape(x: Tensor, noise_shape: Any) -> Any:
    if noise_shape is None:
        return x.spec.shape if x.spec.known else Shape_()(x)
    if isinstance(noise_shape, TensorShape):
        noise_shape = as_shape(noise_shape)
    if not isinstance(noise_shape, (tuple, list)) or None not in noise_shape:
        return noise_shape
    own: Any = x.spec.shape if x.spec.shape is not None and None not in x.spec.shape else Shape_()(x)
    return [own[i] if n is None else n for i, n in enumerate(noise_shape)]
