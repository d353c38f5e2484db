"""Relatives of Adam, as Keras has them: AdamW, Adamax, Nadam, Lamb, Lion.

Their further settings (weight_decay, clipnorm, use_ema, ...) are those of `Optimizer`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.names import public
from pullback.modes.variable import Variable
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import maximum, sqrt
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.select import Select
from pullback.train.optimizer import in_type
from pullback.train.optimizer_v2 import OptimizerV2
from pullback.train.optimizers.adam import Adam
from pullback.train.places import Place


@public("optimizers.AdamW", "keras.optimizers.AdamW", v1="keras.optimizers.AdamW")
class AdamW(Adam):
    """Adam whose weights also decay, w <- w - rate weight_decay w, apart from the gradient.

    Source: Loshchilov & Hutter 2019. Args: as Adam's.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, **settings)
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")


class _WithMeans(OptimizerV2):
    """An optimizer with beta_1, beta_2 and epsilon."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        **settings: Any,
    ) -> None:
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        super().__init__(learning_rate, weight_decay, **settings)

    def power(self, beta: float, w: Place, ahead: int = 1) -> Any:
        """beta^(steps taken + ahead), in the variable's type."""
        # Through float32, as in Keras: 1 - 0.999 differs by 1e-5 in float64.
        return m.Pow()(in_type(np.float32(beta), w.variable), in_type(self.iterations, w.variable) + ahead)

    def get_config(self) -> dict[str, Any]:
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


@public("optimizers.Adamax", "keras.optimizers.Adamax", v1="keras.optimizers.Adamax")
class Adamax(_WithMeans):
    """Adam by the largest gradient instead of the mean square.

        mean <- beta1 mean + (1 - beta1) g;   norm <- max(beta2 norm, |g|)
        w <- w - rate / (1 - beta1^t) mean / (norm + epsilon)

    Source: Kingma & Ba 2015, section 7.1.
    """

    def keeps(self) -> dict[str, float]:
        return {"momentum": 0.0, "norm": 0.0}

    def move(self, w: Place, g: Any, rate: Any, *kept: Place) -> None:
        mean, norm = kept
        moved = mean.follows(g, 1 - self.beta_1)
        largest = norm.becomes(maximum(self.beta_2 * norm.value, m.Abs()(g)))
        w.shrinks(rate * moved / ((1 - self.power(self.beta_1, w)) * (largest + self.epsilon)))


@public("optimizers.Nadam", "keras.optimizers.Nadam", v1="keras.optimizers.Nadam")
class Nadam(_WithMeans):
    """Adam with Nesterov's momentum, whose weight u_t = beta1 (1 - 0.96^t / 2) grows.

        mean <- beta1 mean + (1 - beta1) g;   square <- beta2 square + (1 - beta2) g^2
        w <- w - rate (u_{t+1} mean / (1 - u_1 ... u_{t+1}) + (1 - u_t) g / (1 - u_1 ... u_t))
                 / (sqrt(square / (1 - beta2^t)) + epsilon)

    Source: Dozat 2015.
    """

    def keeps(self) -> dict[str, float]:
        return {"momentum": 0.0, "velocity": 0.0}

    def build(self, variables: Any) -> None:
        first = not self.built
        super().build(variables)
        if first:
            self._product = self.add_variable((), 1.0, dtype=self._trainable[0].dtype if self._trainable else None)

    def _weight(self, ahead: int) -> Any:
        step = in_type(self.iterations, self._product) + ahead
        return self.beta_1 * (1 - 0.5 * m.Pow()(in_type(np.float32(0.96), self._product), step))

    def _step(self, grads: list[Any], variables: list[Variable]) -> None:
        self.assign(self._product, self._product * self._weight(1))
        super()._step(grads, variables)

    def move(self, w: Place, g: Any, rate: Any, *kept: Place) -> None:
        mean, square = kept
        now, after = [in_type(self._weight(ahead), w.variable) for ahead in (1, 2)]
        so_far = in_type(interpreter.as_tensor(self._product), w.variable)
        beta1, beta2 = [in_type(np.float32(beta), w.variable) for beta in (self.beta_1, self.beta_2)]
        moved = mean.follows(g, 1 - beta1)
        spread = square.follows(g * g, 1 - beta2)
        ahead = after * moved / (1 - so_far * after) + (1 - now) * g / (1 - so_far)
        w.shrinks(rate * ahead / (sqrt(spread / (1 - self.power(self.beta_2, w))) + self.epsilon))


@public("optimizers.Lamb", "keras.optimizers.Lamb", v1="keras.optimizers.Lamb")
class Lamb(_WithMeans):
    """Adam whose step in each variable is as long as the variable, times the rate: for large batches.

        u = mean / (1 - beta1^t) / (sqrt(square / (1 - beta2^t)) + epsilon)
        w <- w - rate |w| / |u| u        (the ratio is 1 where one of them is 0)

    Source: You et al. 2020.
    """

    def keeps(self) -> dict[str, float]:
        return {"momentum": 0.0, "velocity": 0.0}

    def move(self, w: Place, g: Any, rate: Any, *kept: Place) -> None:
        mean, square = kept
        moved = mean.follows(g, 1 - self.beta_1)
        spread = square.follows(g * g, 1 - self.beta_2)
        root = sqrt(spread / (1 - self.power(self.beta_2, w))) + self.epsilon
        step = moved / (1 - self.power(self.beta_1, w)) / root
        of_w, of_step = [sqrt(reduce_sum(m.Square()(x))) for x in (w.value, step)]
        one = in_type(1.0, w.variable)
        ratio = Select()((of_w > 0) & (of_step > 0), of_w / of_step, one)
        w.shrinks(ratio * rate * step)


@public("optimizers.Lion", "keras.optimizers.Lion", v1="keras.optimizers.Lion")
class Lion(OptimizerV2):
    """Steps of the rate's size in each entry, by the sign of a running mean.

        w <- w - rate sign(beta1 mean + (1 - beta1) g);   mean <- beta2 mean + (1 - beta2) g

    Source: Chen et al. 2023.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: float | None = None,
        **settings: Any,
    ) -> None:
        if not 0 < beta_1 <= 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to SignSGD. "
                f"Received: beta_1={beta_1}."
            )
        self.beta_1, self.beta_2 = beta_1, beta_2
        super().__init__(learning_rate, weight_decay, **settings)

    def keeps(self) -> dict[str, float]:
        return {"momentum": 0.0}

    def move(self, w: Place, g: Any, rate: Any, *kept: Place) -> None:
        (mean,) = kept
        w.shrinks(rate * m.Sign()(mean.value * self.beta_1 + g * (1 - self.beta_1)))
        mean.becomes(mean.value * self.beta_2 + g * (1 - self.beta_2))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
