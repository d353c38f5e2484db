"""Gradient descent, with momentum for TensorFlow 2's SGD.

TensorFlow 1     w <- w - rate g
TensorFlow 2     m <- momentum m - rate g;   w <- w + m,   with Nesterov w <- w + momentum m - rate g
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import Tensor
from pullback.modes.variable import Variable
from pullback.train.optimizer import FormulaOptimizer
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.places import Place


@public(v1="train.GradientDescentOptimizer")
class GradientDescentOptimizer(FormulaOptimizer):
    """w <- w - rate g, rows only where the gradient is sparse.

    Args:
      learning_rate: a float, a tensor, or a function without arguments that gives one.
      use_locking: has no effect: updates are whole in any case.
    """

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name, {"learning_rate": learning_rate}, {})

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Variable) -> Any:
        return self._apply_sparse(grad, var)  # subtracting adds up by itself

    def _apply(self, g: Tensor, var: Variable, rows: Tensor | None) -> Any:
        g = g * self._setting("learning_rate", var)  # type: ignore[operator]
        made = var.assign_sub(g) if rows is None else var.scatter_sub(IndexedSlices(g, rows))
        return made.op if isinstance(made, Tensor) else None  # type: ignore[attr-defined]


@public("optimizers.SGD", "keras.optimizers.SGD", v1=("keras.optimizers.SGD",))
class SGD(OptimizerV2):
    """Gradient descent. m <- momentum m - rate g; w <- w + m; without momentum w <- w - rate g.

    Args:
      learning_rate: a number, a variable, a schedule, or a function without arguments.
      momentum: in [0, 1].
      nesterov: w <- w + momentum m - rate g instead, m being the new one.
    Raises:
      ValueError: momentum is not in [0, 1].
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum, self.nesterov = momentum, nesterov
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1], not {momentum}.")
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
        return {"momentum": 0.0} if self.momentum else {}

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        if self.momentum:
            super().update_step(gradient, variable, learning_rate)
        elif isinstance(gradient, IndexedSlices):
            delta = gradient.values * self.rate_for(variable, learning_rate)  # type: ignore[operator]
            self.note(variable.scatter_sub(IndexedSlices(delta, gradient.indices)))
        else:
            self.note(variable.assign_sub(interpreter.as_tensor(gradient) * self.rate_for(variable, learning_rate)))

    def move(self, w: Place, g: Any, rate: Any, momentum: Place) -> None:
        m = momentum.becomes(self.momentum * momentum.value - rate * g)
        w.shrinks(rate * g - self.momentum * m if self.nesterov else -m)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
