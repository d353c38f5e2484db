"""TensorFlow 1's learning rates that hang on the step: functions over the schedules of TensorFlow 2.

Eagerly they answer with a function without arguments, which optimizers call anew each step.
"""

from __future__ import annotations

import functools
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import int32, int64
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.ops.math import arithmetic as m
from pullback.train.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateSchedule,
    LinearCosineDecay,
    NoisyLinearCosineDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)


def _now(schedule: LearningRateSchedule, step: Any) -> Any:
    """The rate at the step; eagerly a function that gives it, which optimizers call anew each step."""
    return schedule(step) if isinstance(interpreter.current(), Graph) else functools.partial(schedule, step)


@public(v1="train.exponential_decay")
def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """learning_rate decay_rate^(global_step / decay_steps); the exponent rounded down when staircase.

    Returns:
      A scalar tensor; eagerly a function without arguments that gives it.
    """
    return _now(ExponentialDecay(learning_rate, decay_steps, decay_rate, staircase, name), global_step)


@public(v1="train.natural_exp_decay")
def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """learning_rate exp(-decay_rate global_step / decay_steps); the quotient rounded down when staircase."""
    rate = m.Exp()(-interpreter.as_tensor(decay_rate))
    return _now(ExponentialDecay(learning_rate, decay_steps, rate, staircase, name), global_step)


@public(v1="train.inverse_time_decay")
def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """learning_rate / (1 + decay_rate global_step / decay_steps); the quotient rounded down when staircase."""
    return _now(InverseTimeDecay(learning_rate, decay_steps, decay_rate, staircase, name), global_step)


@public(v1="train.polynomial_decay")
def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Any:
    """See `optimizers.schedules.PolynomialDecay`."""
    return _now(PolynomialDecay(learning_rate, decay_steps, end_learning_rate, power, cycle, name), global_step)


@public(v1="train.cosine_decay")
def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: Any = 0.0, name: str | None = None
) -> Any:
    """See `optimizers.schedules.CosineDecay`."""
    return _now(CosineDecay(learning_rate, decay_steps, alpha, name), global_step)


@public(v1="train.cosine_decay_restarts")
def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: Any = 2.0,
    m_mul: Any = 1.0,
    alpha: Any = 0.0,
    name: str | None = None,
) -> Any:
    """See `optimizers.schedules.CosineDecayRestarts`."""
    return _now(CosineDecayRestarts(learning_rate, first_decay_steps, t_mul, m_mul, alpha, name), global_step)


@public(v1="train.linear_cosine_decay")
def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Any:
    """rate ((alpha + 1 - p) (1 + cos(2 pi num_periods p)) / 2 + beta), p = min(step, decay_steps) / decay_steps.

    Source: Bello et al. 2017, "Neural Optimizer Search with Reinforcement Learning".
    """
    return _now(LinearCosineDecay(learning_rate, decay_steps, num_periods, alpha, beta, name), global_step)


@public(v1="train.noisy_linear_cosine_decay")
def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: Any = 1.0,
    variance_decay: Any = 0.55,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Any:
    """As `linear_cosine_decay`, with normal noise of variance initial_variance / (1 + step)^variance_decay on 1 - p.

    Source: Bello et al. 2017, "Neural Optimizer Search with Reinforcement Learning".
    """
    line = (learning_rate, decay_steps, num_periods, alpha, beta, name or "NoisyLinearCosineDecay")
    return _now(NoisyLinearCosineDecay(initial_variance, variance_decay, *line), global_step)


@public(v1=("train.piecewise_constant", "train.piecewise_constant_decay"))
def piecewise_constant(x: Any, boundaries: Any, values: Any, name: str | None = None) -> Any:
    """values[0] for x <= boundaries[0], values[1] for boundaries[0] < x <= boundaries[1], ..., else values[-1].

    Raises:
      ValueError: boundaries are not of x's type (int32 ones serve int64), values not of one type, or their number is
        not one more.
    """
    step = interpreter.as_tensor(x)
    bounds = [interpreter.as_tensor(b) for b in boundaries]
    rates = [interpreter.as_tensor(v) for v in values]
    for b in bounds:
        if b.dtype is not step.dtype and not (b.dtype is int32 and step.dtype is int64):
            raise ValueError(f"Boundaries ({b.dtype.name}) must have the same dtype as x ({step.dtype.name}).")
    for v in rates[1:]:
        if v.dtype is not rates[0].dtype:
            raise ValueError(
                f"Values must have elements all with the same dtype ({rates[0].dtype.name} vs {v.dtype.name})."
            )
    return _now(PiecewiseConstantDecay(bounds, rates, name), x)
