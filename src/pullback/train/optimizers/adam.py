"""Adam: steps of about the rate's size, by running means of the gradient and of its square.

Source: Kingma & Ba 2015, section 2, with epsilon where its last paragraph has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.modes.variable import Variable
from pullback.ops.math import arithmetic as m
from pullback.train.optimizer import FormulaOptimizer, in_type
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.places import Place


def adam(
    w: Place,
    g: Any,
    mean: Place,
    square: Place,
    *,
    rate: Any,
    beta1: Any,
    beta2: Any,
    powers: Any,
    epsilon: Any,
    top: Any = None,
) -> None:
    """mean <- beta1 mean + (1 - beta1) g;   square <- beta2 square + (1 - beta2) g^2
    w <- w - rate sqrt(1 - beta2^t) / (1 - beta1^t) mean / (sqrt(square) + epsilon)

    powers: (beta1^t, beta2^t), t counting from 1. top: keeps the largest square so far, which then divides (AMSGrad).
    """
    rate = rate * m.Sqrt()(1 - powers[1]) / (1 - powers[0])
    moved = mean.follows(g, 1 - beta1)
    spread = square.follows(g * g, 1 - beta2)
    if top is not None:
        spread = top.becomes(m.Maximum()(top.value, spread))
    w.shrinks(rate * moved / (m.Sqrt()(spread) + epsilon))


@public(v1="train.AdamOptimizer")
class AdamOptimizer(FormulaOptimizer):
    """Adam. A sparse gradient moves all rows, as the dense one does: running means decay where no gradient came.

    Slots: "m" the mean, "v" the mean square. beta1_power and beta2_power count the steps for all variables.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-08,
        use_locking: bool = False,
        name: str = "Adam",
        use_own_namescope_for_non_slot_vars: bool = False,
    ) -> None:
        settings = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
        super().__init__(use_locking, name, settings, {"m": 0.0, "v": 0.0}, use_own_namescope_for_non_slot_vars)

    def _create_slots(self, var_list: list[Variable]) -> None:
        first = min(var_list, key=lambda v: v.name)
        for beta in ("beta1", "beta2"):
            start = self._call_if_callable(self._settings[beta])
            self._create_non_slot_variable(start, f"{beta}_power", first)
        super()._create_slots(var_list)

    def _powers(self, v: Variable) -> tuple[Variable, Variable]:
        return tuple(self._get_non_slot_variable(f"{beta}_power", v._graph) for beta in ("beta1", "beta2"))

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Variable) -> Any:
        if grad.dense_shape is None:
            grad = IndexedSlices(grad.values, grad.indices, tuple(var.spec.shape or ()))
        return self._apply(interpreter.as_tensor(grad), var, None)

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        adam(
            w,
            g,
            slots["m"],
            slots["v"],
            rate=setting("learning_rate"),
            beta1=setting("beta1"),
            beta2=setting("beta2"),
            powers=[in_type(power, w.variable) for power in self._powers(w.variable)],
            epsilon=setting("epsilon"),
        )

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        counted = []
        with self._after(update_ops):
            for beta, power in zip(("beta1", "beta2"), self._powers(self._moved), strict=True):
                counted.append(power.assign(power * in_type(self._tensors[beta], power), read_value=False))
        return super()._finish([*update_ops, *counted], name_scope)


@public("optimizers.Adam", "keras.optimizers.Adam", v1=("keras.optimizers.Adam",))
class Adam(OptimizerV2):
    """Adam; see `adam`. With amsgrad the largest mean square so far divides.

    Args:
      learning_rate: a number, a variable, a schedule, or a function without arguments.
      beta_1, beta_2: how slowly the means forget, in [0, 1).
      epsilon: added to the root of the mean square.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad
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
        return {"momentum": 0.0, "velocity": 0.0} | ({"velocity_hat": 0.0} if self.amsgrad else {})

    def move(self, w: Place, g: Any, rate: Any, mean: Place, square: Place, top: Place | None = None) -> None:
        step = in_type(self.iterations, w.variable) + 1
        # Through float32, as in Keras: 1 - 0.999 differs by 1e-5 in float64.
        powers = [m.Pow()(in_type(np.float32(beta), w.variable), step) for beta in (self.beta_1, self.beta_2)]
        adam(
            w,
            g,
            mean,
            square,
            rate=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            powers=powers,
            epsilon=self.epsilon,
            top=top,
        )

    def get_config(self) -> dict[str, Any]:
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}
        return {**super().get_config(), **own}
