"""Adadelta: steps in the units of the variable, by running means of squared gradients and squared steps.

Source: Zeiler 2012.
"""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.ops.math import arithmetic as m
from pullback.train.optimizer import FormulaOptimizer
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.places import Place


def adadelta(w: Place, g: Any, grads: Place, steps: Place, *, rate: Any, rho: Any, epsilon: Any) -> None:
    """grads <- rho grads + (1 - rho) g^2;   d = g sqrt(steps + epsilon) / sqrt(grads + epsilon)
    steps <- rho steps + (1 - rho) d^2;   w <- w - rate d
    """
    spread = grads.becomes(grads.value * rho + g * g * (1 - rho))
    d = g * m.Sqrt()(steps.value + epsilon) / m.Sqrt()(spread + epsilon)
    steps.becomes(steps.value * rho + d * d * (1 - rho))
    w.shrinks(rate * d)


@public(v1="train.AdadeltaOptimizer")
class AdadeltaOptimizer(FormulaOptimizer):
    """Adadelta; see `adadelta`. Only the rows that a sparse gradient names move, and forget.

    Slots: "accum" of squared gradients, "accum_update" of squared steps.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-08,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        settings = {"lr": learning_rate, "rho": rho, "epsilon": epsilon}
        super().__init__(use_locking, name, settings, {"accum": 0.0, "accum_update": 0.0})

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        settings = {"rate": setting("lr"), "rho": setting("rho"), "epsilon": setting("epsilon")}
        adadelta(w, g, slots["accum"], slots["accum_update"], **settings)


@public("optimizers.Adadelta", "keras.optimizers.Adadelta", v1=("keras.optimizers.Adadelta",))
class Adadelta(OptimizerV2):
    """Adadelta; see `adadelta`.

    Args:
      learning_rate: a number, a variable, a schedule, or a function without arguments; 1 is the paper's.
      rho: how slowly the means forget, in [0, 1).
      epsilon: added to the means under the roots.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho, self.epsilon = rho, epsilon
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
        return {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}

    def move(self, w: Place, g: Any, rate: Any, grads: Place, steps: Place) -> None:
        adadelta(w, g, grads, steps, rate=rate, rho=self.rho, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
