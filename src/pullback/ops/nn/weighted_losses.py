"""Losses made of other ops: weighted cross entropy, Poisson's."""

from __future__ import annotations

import math
from typing import Any

from pullback.core import interpreter, shape
from pullback.core.basics import ZerosLike
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import one_of
from pullback.ops.math import arithmetic as m
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Select
from pullback.ops.nn.activation import Relu


def _pair(where: str, first: Any, second: Any) -> tuple[Tensor, Tensor]:
    """Two tensors of one shape and type."""
    y = interpreter.as_tensor(second)
    x = interpreter.as_tensor(first, y.dtype)
    if not shape.compatible(x.spec.shape, y.spec.shape):
        raise ShapeError(f"{where}: both must have the same shape, but have {x.shape} and {y.shape}").locate()
    return x, y


@public("nn.weighted_cross_entropy_with_logits", v1=None)
def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any, name: str | None = None) -> Tensor:
    """Cross entropy of labels with sigmoid(logits), what is positive weighing pos_weight, entry by entry:

        (1 - q) x + (1 + (w - 1) q) log(1 + e^-x)

    Args:
      labels: q, of logits' shape and type, from 0 to 1 (not checked). logits: x, floating. pos_weight: w, a number.
    Raises:
      ShapeError: the shapes differ.
    """
    with scope(name, "logistic_loss", logits, labels) as full:
        q, x = _pair("weighted_cross_entropy_with_logits", labels, logits)
        weight = q * (interpreter.as_tensor(pos_weight, x.dtype) - 1.0) + 1.0
        soft = m.Log1p()(m.Exp()(-m.Abs()(x))) + Relu()(-x)
        return m.AddV2()((1.0 - q) * x, weight * soft, name=full)


@public(v1="nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits_v1(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> Tensor:
    """As `weighted_cross_entropy_with_logits`; `targets` is an earlier name of `labels`."""
    q = one_of("labels", labels, "targets", targets, required=True)
    if logits is None or pos_weight is None:
        raise ArgumentError("weighted_cross_entropy_with_logits: logits and pos_weight must be given").locate()
    return weighted_cross_entropy_with_logits(q, logits, pos_weight, name)


@public("nn.log_poisson_loss")
def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """Minus the log likelihood of counts under Poisson's law with log rate c: e^c - z c, entry by entry.

    Args:
      targets: z, of log_input's shape and type. log_input: c, floating.
      compute_full_loss: add Stirling's approximation of log z!, z log z - z + log(2 pi z) / 2 where z > 1.
    Raises:
      ShapeError: the shapes differ.
    """
    with scope(name, "log_poisson_loss", log_input, targets):
        z, c = _pair("log_poisson_loss", targets, log_input)
        loss = m.Exp()(c) - c * z
        if not compute_full_loss:
            return loss
        stirling = z * m.Log()(z) - z + m.Log()(z * (2 * math.pi)) * 0.5
        zeros = ZerosLike()(z)
        small = m.LogicalAnd()(m.GreaterEqual()(z, zeros), m.LessEqual()(z, zeros + 1.0))
        return loss + Select()(small, zeros, stirling)
