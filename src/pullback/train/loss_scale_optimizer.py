"""keras.mixed_precision.LossScaleOptimizer: gradients of float16 kept from vanishing."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import int64
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.modes.variable import Variable
from pullback.ops.array.joining import stack
from pullback.ops.control.cond import cond
from pullback.ops.math.functions import is_finite
from pullback.ops.math.reduce_functions import reduce_all
from pullback.train.optimizer import in_type
from pullback.train.optimizer_v2 import OptimizerV2


@public(
    "keras.mixed_precision.LossScaleOptimizer",
    "keras.mixed_precision.experimental.LossScaleOptimizer",
    "keras.optimizers.LossScaleOptimizer",
)
class LossScaleOptimizer(OptimizerV2):
    """Another optimizer, given gradients of a loss that was multiplied by a factor, divided by it again.

    The smallest number of float16 is 6e-8; the factor lifts gradients above it. A step whose gradients are not all
    finite is left out, and the factor halved; after dynamic_growth_steps steps without one it is doubled.

        with tf.GradientTape() as tape:
            loss = optimizer.scale_loss(loss_of(model(x)))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

    `fit` does so by itself.

    Args:
      inner_optimizer: takes the steps. initial_scale: the factor at first.
      dynamic: True; for a fixed factor give the inner optimizer loss_scale_factor instead.
    Raises:
      ValueError: dynamic is False, or another argument is given, which belongs to inner_optimizer.
    Source: Micikevicius et al. 2018.
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not kwargs.pop("dynamic", True):
            raise ArgumentError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set `loss_scale_factor` "
                "directly on the `inner_optimizer`."
            ).locate()
        if kwargs:
            raise ArgumentError(
                f"LossScaleOptimizer does not support {', '.join(map(repr, kwargs))}; give them to `inner_optimizer`."
            ).locate()
        self.inner_optimizer = inner_optimizer
        super().__init__(0.0, name=name)
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None
        self._variables = []  # the count of steps and the rate are the inner optimizer's
        self.step_counter: Any = self.add_variable((), dtype=int64, name="step_counter")
        self.dynamic_scale: Any = self.add_variable((), float(initial_scale), name="dynamic_scale")

    def build(self, variables: Any) -> None:
        """Makes what the inner optimizer keeps for each variable."""
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """The steps since the factor changed, the factor, and the inner optimizer's."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        """How many steps the inner optimizer took."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the factor."""
        return loss * in_type(self.dynamic_scale, loss)

    def minimize(
        self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None, tape: Any = None
    ) -> Any:
        """One step, as `Optimizer.minimize`; a loss that is a function is scaled here, a tensor must be already."""
        scaled = (lambda: self.scale_loss(loss())) if callable(loss) else loss
        return super().minimize(scaled, var_list, grad_loss, name, tape)

    def _apply(self, grads: list[Any], variables: list[Variable]) -> None:
        values = [g.values if isinstance(g, IndexedSlices) else g for g in grads]
        finite = reduce_all(stack([reduce_all(is_finite(v)) for v in values]))
        inner = self.inner_optimizer

        def step() -> Any:
            inner.apply([_divided(g, self.dynamic_scale) for g in grads], variables)
            due = interpreter.as_tensor(self.step_counter) + 1 >= self.dynamic_growth_steps
            cond(due, lambda: self._rescale(2.0), lambda: self._count(), strict=True)
            return []

        self.note(cond(finite, step, lambda: self._rescale(0.5), strict=True))

    def _rescale(self, by: float) -> Any:
        self.step_counter.assign(0)
        self.dynamic_scale.assign(self.dynamic_scale * by)
        return []

    def _count(self) -> Any:
        self.step_counter.assign_add(1)
        return []

    def finalize_variable_values(self, var_list: Any) -> None:
        """Gives the variables their averages, where the inner optimizer keeps them."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        from pullback.train.optimizer_names import serialize

        return {
            "name": self.name,
            "inner_optimizer": serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """An optimizer made with these arguments."""
        from pullback.train.optimizer_names import deserialize

        given = dict(config)
        return cls(deserialize(given.pop("inner_optimizer"), custom_objects), **given)


def _divided(g: Any, scale: Variable) -> Any:
    if isinstance(g, IndexedSlices):
        return IndexedSlices(_divided(g.values, scale), g.indices, g.dense_shape)
    return g / in_type(scale, g)
