"""Adagrad: each entry's rate falls with the sum of its squared gradients.

Source: Duchi, Hazan & Singer 2011.
"""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.ops.math import arithmetic as m
from pullback.train.optimizer import FormulaOptimizer
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.places import Place


def adagrad(w: Place, g: Any, total: Place, *, rate: Any, epsilon: Any = 0.0) -> None:
    """total <- total + g^2;   w <- w - rate g / sqrt(total + epsilon)"""
    w.shrinks(rate * g / m.Sqrt()(total.becomes(total.value + g * g) + epsilon))


@public(v1="train.AdagradOptimizer")
class AdagradOptimizer(FormulaOptimizer):
    """Adagrad; see `adagrad`, epsilon 0. Slot: "accumulator".

    Raises:
      ValueError: initial_accumulator_value is not above 0.
    """

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        keeps = {"accumulator": initial_accumulator_value}
        super().__init__(use_locking, name, {"learning_rate": learning_rate}, keeps)

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        adagrad(w, g, slots["accumulator"], rate=setting("learning_rate"))


@public("optimizers.Adagrad", "keras.optimizers.Adagrad", v1=("keras.optimizers.Adagrad",))
class Adagrad(OptimizerV2):
    """Adagrad; see `adagrad`.

    Args:
      learning_rate: a number, a variable, a schedule, or a function without arguments.
      initial_accumulator_value: what the sum of squares starts from.
      epsilon: added to the sum under the root.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
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
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon
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
        return {"accumulator": self.initial_accumulator_value}

    def move(self, w: Place, g: Any, rate: Any, total: Place) -> None:
        adagrad(w, g, total, rate=rate, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
