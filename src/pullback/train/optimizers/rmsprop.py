"""RMSProp: gradients over the root of their running mean square, or, centered, of their running variance.

Source: Tieleman & Hinton 2012, lecture 6.5; Graves 2013 for the centered form.
"""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.ops.math import arithmetic as m
from pullback.train.optimizer import FormulaOptimizer
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.places import Place


def rmsprop(
    w: Place, g: Any, square: Place, velocity: Any, mean: Any, *, rate: Any, rho: Any, momentum: Any, epsilon: Any
) -> None:
    """square <- rho square + (1 - rho) g^2;   d = rate g / sqrt(square + epsilon)
    with a mean: mean <- rho mean + (1 - rho) g;   d = rate g / sqrt(square - mean^2 + epsilon)
    with a velocity: velocity <- momentum velocity + d;   w <- w - velocity;   else w <- w - d
    """
    spread = square.follows(g * g, 1 - rho)
    if mean is not None:
        center = mean.follows(g, 1 - rho)
        spread = spread - center * center
    d = rate * g / m.Sqrt()(spread + epsilon)
    w.shrinks(d if velocity is None else velocity.becomes(velocity.value * momentum + d))


@public(v1="train.RMSPropOptimizer")
class RMSPropOptimizer(FormulaOptimizer):
    """RMSProp; see `rmsprop`. Only the rows that a sparse gradient names move, and forget.

    Slots: "rms" the mean square, 1 at first; "momentum" the velocity; "mg" the mean gradient, when centered.
    """

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        settings = {"learning_rate": learning_rate, "decay": decay, "momentum": momentum, "epsilon": epsilon}
        keeps = {"rms": 1.0, "mg": 0.0, "momentum": 0.0} if centered else {"rms": 1.0, "momentum": 0.0}
        super().__init__(use_locking, name, settings, keeps)

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        settings = {"rho": setting("decay"), "momentum": setting("momentum"), "epsilon": setting("epsilon")}
        rmsprop(w, g, slots["rms"], slots["momentum"], slots.get("mg"), rate=setting("learning_rate"), **settings)


@public("optimizers.RMSprop", "keras.optimizers.RMSprop", v1=("keras.optimizers.RMSprop",))
class RMSprop(OptimizerV2):
    """RMSProp; see `rmsprop`.

    Args:
      learning_rate: a number, a variable, a schedule, or a function without arguments.
      rho: how slowly the means forget, in [0, 1).
      momentum: how slowly the velocity forgets; 0 keeps none.
      epsilon: added to the mean square under the root.
      centered: the gradients' running variance divides, instead of their mean square.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
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
        velocity = {"momentum": 0.0} if self.momentum else {}
        return {"velocity": 0.0, **velocity, **({"average_gradient": 0.0} if self.centered else {})}

    def move(self, w: Place, g: Any, rate: Any, square: Place, *more: Place) -> None:
        velocity = more[0] if self.momentum else None
        mean = more[-1] if self.centered else None
        rmsprop(w, g, square, velocity, mean, rate=rate, rho=self.rho, momentum=self.momentum, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}
