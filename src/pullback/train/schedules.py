"""Learning rates that hang on the step: TensorFlow 2's `optimizers.schedules`."""

from __future__ import annotations

import contextlib
import math
from typing import Any

from pullback.core import interpreter
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.control.cond import cond
from pullback.ops.math import arithmetic as m
from pullback.ops.math.select import Cast, Select
from pullback.ops.random.functions import random_normal
from pullback.train import identifiers

_PLACES = ("optimizers.schedules.", "keras.optimizers.schedules.")


def _scheduled(cls: Any) -> Any:
    name = cls.__name__
    return public(*(p + name for p in _PLACES), v1=(_PLACES[1] + name,))(cls)


def _cast(x: Any, dtype: Any) -> Any:
    x = interpreter.as_tensor(x) if not isinstance(x, (int, float)) else interpreter.as_tensor(x, dtype)
    return x if x.dtype is dtype else Cast(dtype)(x)


def _positive(name: str, steps: Any) -> None:
    if isinstance(steps, (int, float)) and steps <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={steps}")


@_scheduled
class LearningRateSchedule:
    """A learning rate as a function of the step. A subclass writes `__call__(step)` and `get_config()`.

    `fields` names the arguments, each kept as an attribute.
    """

    fields: tuple[str, ...] = ()
    name: str | None = None

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        if not self.fields:
            raise NotImplementedError(f"Learning rate schedule '{type(self).__name__}' must override `get_config()`.")
        return {name: getattr(self, name) for name in (*self.fields, "name")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A schedule made with these arguments."""
        return cls(**config)

    def _scope(self) -> Any:
        here = interpreter.current()
        return (
            here.name_scope(self.name or type(self).__name__) if isinstance(here, Graph) else contextlib.nullcontext()
        )


class _Decay(LearningRateSchedule):
    """Base of those that start from a rate: `_rate(start, step)` in the start's type."""

    initial_learning_rate: Any

    def __call__(self, step: Any) -> Tensor:
        with self._scope():
            start = interpreter.as_tensor(self.initial_learning_rate, name="initial_learning_rate")
            return self._rate(start, _cast(step, start.dtype))

    def _rate(self, start: Any, step: Any) -> Any:
        raise NotImplementedError


@_scheduled
class ExponentialDecay(_Decay):
    """start decay_rate^(step / decay_steps); the exponent rounded down when staircase.

    Raises:
      ValueError: decay_steps is not above 0.
    """

    fields = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase")

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        decay_rate: Any,
        staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ) -> None:
        _positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def _rate(self, start: Any, step: Any) -> Any:
        p = step / _cast(self.decay_steps, start.dtype)
        p = m.Floor()(p) if self.staircase else p
        return start * m.Pow()(_cast(self.decay_rate, start.dtype), p)


@_scheduled
class InverseTimeDecay(ExponentialDecay):
    """start / (1 + decay_rate step / decay_steps); the quotient rounded down when staircase.

    Raises:
      ValueError: decay_steps is not above 0.
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        decay_rate: Any,
        staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def _rate(self, start: Any, step: Any) -> Any:
        p = step / _cast(self.decay_steps, start.dtype)
        p = m.Floor()(p) if self.staircase else p
        return start / (1 + _cast(self.decay_rate, start.dtype) * p)


@_scheduled
class PolynomialDecay(_Decay):
    """(start - end) (1 - step / decay_steps)^power + end; then end, or, with cycle, longer and longer periods anew.

    Raises:
      ValueError: decay_steps is not above 0.
    """

    fields = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle")

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        end_learning_rate: Any = 0.0001,
        power: Any = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        _positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def _rate(self, start: Any, step: Any) -> Any:
        end, steps = _cast(self.end_learning_rate, start.dtype), _cast(self.decay_steps, start.dtype)
        if self.cycle:
            steps = steps * m.Maximum()(m.Ceil()(step / steps), 1)
        else:
            step = m.Minimum()(step, steps)
        return (start - end) * m.Pow()(1 - step / steps, _cast(self.power, start.dtype)) + end


@_scheduled
class CosineDecay(_Decay):
    """start ((1 - alpha) (1 + cos(pi step / decay_steps)) / 2 + alpha); before it a straight line to warmup_target.

    Raises:
      ValueError: decay_steps is not above 0.
    """

    fields = ("initial_learning_rate", "decay_steps", "alpha", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        alpha: Any = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: Any = None,
        warmup_steps: Any = 0,
    ) -> None:
        _positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.warmup_target, self.warmup_steps, self.name = warmup_target, warmup_steps, name

    def _rate(self, start: Any, step: Any) -> Any:
        steps = _cast(self.decay_steps, start.dtype)
        if self.warmup_target is None:
            return self._cosine(start, m.Minimum()(step, steps) / steps)
        warmup, target = _cast(self.warmup_steps, start.dtype), _cast(self.warmup_target, start.dtype)
        step = m.Minimum()(step, steps + warmup)
        rising = (target - start) * m.DivNoNan()(step, warmup) + start
        return Select()(step < warmup, rising, self._cosine(target, (step - warmup) / steps))

    def _cosine(self, start: Any, part: Any) -> Any:
        alpha = _cast(self.alpha, start.dtype)
        return start * ((1 - alpha) * 0.5 * (1 + m.Cos()(math.pi * part)) + alpha)


@_scheduled
class CosineDecayRestarts(_Decay):
    """Cosine decay that starts anew: each period t_mul as long as the one before, and m_mul as high.

    Raises:
      ValueError: first_decay_steps is not above 0.
    Source: Loshchilov & Hutter 2017, "SGDR".
    """

    fields = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha")

    def __init__(
        self,
        initial_learning_rate: Any,
        first_decay_steps: Any,
        t_mul: Any = 2.0,
        m_mul: Any = 1.0,
        alpha: Any = 0.0,
        name: str | None = "SGDRDecay",
    ) -> None:
        _positive("first_decay_steps", first_decay_steps)
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def _rate(self, start: Any, step: Any) -> Any:
        dtype = start.dtype
        alpha, t, high = (_cast(x, dtype) for x in (self.alpha, self.t_mul, self.m_mul))
        done = step / _cast(self.first_decay_steps, dtype)

        def equal() -> Any:
            period = m.Floor()(done)
            return [period, done - period]

        def growing() -> Any:
            period = m.Floor()(m.Log()(1 - done * (1 - t)) / m.Log()(t))
            before = (1 - m.Pow()(t, period)) / (1 - t)
            return [period, (done - before) / m.Pow()(t, period)]

        same = self.t_mul == 1 if isinstance(self.t_mul, (int, float)) else m.Equal()(t, 1)
        period, part = cond(same, equal, growing)
        cosine = 0.5 * m.Pow()(high, period) * (1 + m.Cos()(math.pi * part))
        return start * ((1 - alpha) * cosine + alpha)


class LinearCosineDecay(_Decay):
    """start ((alpha + 1 - p) (1 + cos(2 pi num_periods p)) / 2 + beta), p = min(step, decay_steps) / decay_steps.

    Source: Bello et al. 2017, "Neural Optimizer Search with Reinforcement Learning".
    """

    def __init__(self, start: Any, steps: Any, periods: Any, alpha: Any, beta: Any, name: str | None) -> None:
        self.initial_learning_rate, self._steps, self._periods = start, steps, periods
        self._alpha, self._beta, self.name = alpha, beta, name or "LinearCosineDecay"

    def _rate(self, start: Any, step: Any) -> Any:
        steps, periods, alpha, beta = (
            _cast(x, start.dtype) for x in (self._steps, self._periods, self._alpha, self._beta)
        )
        step = m.Minimum()(step, steps)
        cosine = 0.5 * (1 + m.Cos()(math.pi * 2 * periods * (step / steps)))
        return start * ((alpha + self._line(step, steps)) * cosine + beta)

    def _line(self, step: Any, steps: Any) -> Any:
        return (steps - step) / steps


class NoisyLinearCosineDecay(LinearCosineDecay):
    """LinearCosineDecay, to whose 1 - p normal noise is added: variance initial_variance (1 + step)^-variance_decay.

    Source: Bello et al. 2017, "Neural Optimizer Search with Reinforcement Learning".
    """

    def __init__(self, variance: Any, variance_decay: Any, *line: Any) -> None:
        super().__init__(*line)
        self._variance, self._variance_decay = variance, variance_decay

    def _line(self, step: Any, steps: Any) -> Any:
        variance, power = (_cast(x, step.dtype) for x in (self._variance, self._variance_decay))
        spread = m.Sqrt()(variance / m.Pow()(1 + step, power))
        return super()._line(step, steps) + spread * random_normal((), dtype=step.dtype)


@_scheduled
class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and with boundaries[0], then values[1] up to and with boundaries[1], ..., at last values[-1].

    Raises:
      ValueError: there is not one value more than boundaries.
    """

    fields = ("boundaries", "values")

    def __init__(self, boundaries: Any, values: Any, name: str | None = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. "
                f"Received: {len(boundaries)} boundaries, {len(values)} values."
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Any) -> Tensor:
        with self._scope():
            step = interpreter.as_tensor(step)
            rate = interpreter.as_tensor(self.values[-1])
            for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
                rate = Select()(step <= _cast(boundary, step.dtype), interpreter.as_tensor(value, rate.dtype), rate)
            return rate


_KINDS = (
    ExponentialDecay,
    InverseTimeDecay,
    PolynomialDecay,
    CosineDecay,
    CosineDecayRestarts,
    PiecewiseConstantDecay,
)


@public(
    "optimizers.schedules.serialize", "keras.optimizers.schedules.serialize", v1="keras.optimizers.schedules.serialize"
)
def serialize(learning_rate_schedule: Any) -> dict[str, Any]:
    """A schedule as {"class_name": ..., "config": ...}."""
    return identifiers.described(learning_rate_schedule)


@public(*(place + "deserialize" for place in _PLACES), v1=_PLACES[1] + "deserialize")
def deserialize(config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The schedule that `serialize` wrote.

    Raises:
      ArgumentError: its class is none of ours and not in custom_objects.
    """
    return identifiers.made(config, {cls.__name__: cls for cls in _KINDS}, "schedule", custom_objects)
