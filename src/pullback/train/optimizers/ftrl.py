"""Ftrl: follow the regularized leader, coordinate by coordinate; L1 makes exact zeros.

Source: McMahan et al. 2013, "Ad Click Prediction", algorithm 1; `l2_shrinkage` adds to the gradient, `l2` does not.
"""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.ops.math import arithmetic as m
from pullback.train.optimizer import FormulaOptimizer
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.places import Place


def ftrl(
    w: Place,
    g: Any,
    squares: Place,
    linear: Place,
    *,
    rate: Any,
    power: Any,
    l1: Any,
    l2: Any,
    shrinkage: Any,
    beta: Any,
) -> None:
    """squares' = squares + g^2;   s = (squares'^-power - squares^-power) / rate
    linear <- linear + g + 2 shrinkage w - s w;   q = squares'^-power / rate + 2 l2 + beta / rate
    w <- (clip(linear, -l1, l1) - linear) / q;   squares <- squares'
    """
    total = squares.value + g * g
    grown = m.Pow()(total, -power)
    slope = (grown - m.Pow()(squares.value, -power)) / rate
    z = linear.becomes(linear.value + (g + 2 * shrinkage * w.value) - slope * w.value)
    w.becomes((m.Minimum()(m.Maximum()(z, -l1), l1) - z) / (grown / rate + 2 * l2 + beta / rate))
    squares.becomes(total)


def _checked(power: Any, start: Any, **strengths: Any) -> None:
    """Raises ValueError where a setting has the wrong sign."""
    if start < 0.0:
        raise ValueError(f"initial_accumulator_value {start} needs to be positive or zero")
    if power > 0.0:
        raise ValueError(f"learning_rate_power {power} needs to be negative or zero")
    for name, value in strengths.items():
        if value < 0.0:
            raise ValueError(f"{name} {value} needs to be positive or zero")


@public(v1="train.FtrlOptimizer")
class FtrlOptimizer(FormulaOptimizer):
    """Ftrl; see `ftrl`. Only the rows that a sparse gradient names move.

    Slots: "accum" of squared gradients, "linear". accum_name, linear_name: their variables' last part, else `name`.

    Raises:
      ValueError: a strength or initial_accumulator_value is below 0, or learning_rate_power above.
    """

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float | None = None,
    ) -> None:
        strengths = {
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        _checked(learning_rate_power, initial_accumulator_value, **strengths)
        settings = {
            "learning_rate": learning_rate,
            **strengths,
            "learning_rate_power": learning_rate_power,
            "beta": beta or 0.0,
        }
        super().__init__(use_locking, name, settings, {"accum": initial_accumulator_value, "linear": 0.0})
        self._labels = {"accum": accum_name or name, "linear": linear_name or name}

    def _label(self, slot: str) -> str:
        return self._labels[slot]

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        ftrl(
            w,
            g,
            slots["accum"],
            slots["linear"],
            rate=setting("learning_rate"),
            power=setting("learning_rate_power"),
            l1=setting("l1_regularization_strength"),
            l2=setting("l2_regularization_strength"),
            shrinkage=setting("l2_shrinkage_regularization_strength"),
            beta=setting("beta"),
        )


@public("optimizers.Ftrl", "keras.optimizers.Ftrl", v1=("keras.optimizers.Ftrl",))
class Ftrl(OptimizerV2):
    """Ftrl; see `ftrl`.

    Args:
      learning_rate: a number, a variable, a schedule, or a function without arguments.
      learning_rate_power: how the rate falls with the squares' sum; at most 0, where 0 is a constant rate.
      initial_accumulator_value: what the sum of squares starts from.
    Raises:
      ValueError: a strength or initial_accumulator_value is below 0, or learning_rate_power above.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._strengths = {
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        _checked(learning_rate_power, initial_accumulator_value, **self._strengths)
        self.__dict__.update(self._strengths)
        self.learning_rate_power, self.beta = learning_rate_power, beta
        self.initial_accumulator_value = initial_accumulator_value
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )

    def keeps(self) -> dict[str, float]:
        return {"accumulator": self.initial_accumulator_value, "linear": 0.0}

    def move(self, w: Place, g: Any, rate: Any, squares: Place, linear: Place) -> None:
        l1, l2, shrinkage = self._strengths.values()
        power = self.learning_rate_power
        ftrl(w, g, squares, linear, rate=rate, power=power, l1=l1, l2=l2, shrinkage=shrinkage, beta=self.beta)

    def get_config(self) -> dict[str, Any]:
        own = {
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "beta": self.beta,
        }
        return {**super().get_config(), **own, **self._strengths}
