"""`tf.contrib.opt`: Adam with weight decay, with Nesterov's step, for sparse rows; AdaMax; LARS; averaged weights.

Sources: Loshchilov, Hutter (2017), arXiv:1711.05101 (decoupled decay); Dozat (2016) (Nadam); Kingma, Ba (2015),
section 7.1 (AdaMax); You, Gitman, Ginsburg (2017), arXiv:1708.03888 (LARS); Polyak, Juditsky (1992) (averages).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.train.optimizer import FormulaOptimizer, in_type
from pullback.train.places import Place


class DecoupledWeightDecayExtension:
    """Beside an optimizer's step each variable shrinks by weight_decay times itself, before it.

    The decay is not multiplied by the learning rate. A sparse gradient's step decays its rows only.
    """

    def __init__(self, weight_decay: Any, **kwargs: Any) -> None:
        self._weight_decay, self._decayed = weight_decay, None
        super().__init__(**kwargs)

    def minimize(self, loss: Any, *args: Any, decay_var_list: Iterable[Any] | None = None, **kwargs: Any) -> Any:
        """As of the optimizer. decay_var_list: the variables that decay; None: all."""
        self._decayed = None if decay_var_list is None else {v.name for v in decay_var_list}
        return super().minimize(loss, *args, **kwargs)  # type: ignore[misc]

    def apply_gradients(
        self, grads_and_vars: Any, *args: Any, decay_var_list: Iterable[Any] | None = None, **kwargs: Any
    ) -> Any:
        """As of the optimizer. decay_var_list: the variables that decay; None: all, or those `minimize` was told."""
        if decay_var_list is not None:
            self._decayed = {v.name for v in decay_var_list}
        return super().apply_gradients(grads_and_vars, *args, **kwargs)  # type: ignore[misc]

    def _prepare(self) -> None:
        super()._prepare()  # type: ignore[misc]
        given = self._weight_decay() if callable(self._weight_decay) else self._weight_decay
        self._decay = tf.convert_to_tensor(given, name="weight_decay")

    def _apply(self, g: Any, var: Any, rows: Any) -> Any:
        if self._decayed is not None and var.name not in self._decayed:
            return super()._apply(g, var, rows)  # type: ignore[misc]
        w = Place(var, rows)
        w.shrinks(in_type(self._decay, var) * w.value)
        with tf.control_dependencies([w.op] if w.op is not None else []):
            return super()._apply(g, var, rows)  # type: ignore[misc]


@contrib("opt", "extend_with_decoupled_weight_decay")
def extend_with_decoupled_weight_decay(base_optimizer: type) -> type:
    """The class of an optimizer with a first argument more, weight_decay, and keywords for the rest.

    Raises:
      TypeError: it is none of `tf.train`'s optimizers that are a formula.
    """
    if not (isinstance(base_optimizer, type) and issubclass(base_optimizer, FormulaOptimizer)):
        raise TypeError(
            f"extend_with_decoupled_weight_decay needs a class of tf.train optimizers, not {base_optimizer!r}"
        )
    return type(
        f"{base_optimizer.__name__}WithDecoupledWeightDecay", (DecoupledWeightDecayExtension, base_optimizer), {}
    )


@contrib("opt", "AdamWOptimizer")
class AdamWOptimizer(DecoupledWeightDecayExtension, tf.train.AdamOptimizer):
    """Adam, beside which variables decay by weight_decay times themselves at each step."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdamW",
    ) -> None:
        super().__init__(
            weight_decay, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon,
            use_locking=use_locking, name=name,
        )  # fmt: skip


@contrib("opt", "MomentumWOptimizer")
class MomentumWOptimizer(DecoupledWeightDecayExtension, tf.train.MomentumOptimizer):
    """Momentum, beside which variables decay by weight_decay times themselves at each step."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "MomentumW",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(
            weight_decay, learning_rate=learning_rate, momentum=momentum, use_locking=use_locking, name=name,
            use_nesterov=use_nesterov,
        )  # fmt: skip


@contrib("opt", "LazyAdamOptimizer")
class LazyAdamOptimizer(tf.train.AdamOptimizer):
    """Adam whose running means, too, move only in the rows that a sparse gradient names."""

    _apply_sparse_duplicate_indices = FormulaOptimizer._apply_sparse_duplicate_indices


@contrib("opt", "NadamOptimizer")
class NadamOptimizer(tf.train.AdamOptimizer):
    """Adam that looks ahead:

    w <- w - rate sqrt(1 - beta2^t) / (1 - beta1^t) (beta1 m + (1 - beta1) g) / (sqrt(v) + epsilon)
    """

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        beta1, beta2 = setting("beta1"), setting("beta2")
        power1, power2 = (in_type(power, w.variable) for power in self._powers(w.variable))
        rate = setting("learning_rate") * tf.sqrt(1 - power2) / (1 - power1)
        m = slots["m"].becomes(beta1 * slots["m"].value + (1 - beta1) * g)
        v = slots["v"].becomes(beta2 * slots["v"].value + (1 - beta2) * g * g)
        w.shrinks(rate * (beta1 * m + (1 - beta1) * g) / (tf.sqrt(v) + setting("epsilon")))


@contrib("opt", "AdaMaxOptimizer")
class AdaMaxOptimizer(tf.train.AdamOptimizer):
    """Adam by the largest gradient: v <- max(beta2 v, |g|);   w <- w - rate / (1 - beta1^t) m / (v + epsilon)

    Of a sparse gradient only its rows move.
    """

    _apply_sparse_duplicate_indices = FormulaOptimizer._apply_sparse_duplicate_indices

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdaMax",
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        beta1 = setting("beta1")
        power1 = in_type(self._powers(w.variable)[0], w.variable)
        m = slots["m"].becomes(beta1 * slots["m"].value + (1 - beta1) * g)
        v = slots["v"].becomes(tf.maximum(setting("beta2") * slots["v"].value, tf.abs(g)))
        w.shrinks(setting("learning_rate") / (1 - power1) * m / (v + setting("epsilon")))


@contrib("opt", "LARSOptimizer")
class LARSOptimizer(tf.train.MomentumOptimizer):
    """Momentum whose rate each variable scales by the size of its weights and gradient.

        trust = eeta |w| / (|g| + weight_decay |w| + epsilon), 1 where |w| or |g| is 0
        a <- momentum a + rate trust (g + weight_decay w);   w <- w - a

    skip_list: words; a variable with one of them in its name moves by plain momentum.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: float = 0.9,
        weight_decay: float = 0.0001,
        eeta: float = 0.001,
        epsilon: float = 0.0,
        name: str = "LARSOptimizer",
        skip_list: Iterable[str] | None = None,
        use_nesterov: bool = False,
    ) -> None:
        if momentum < 0:
            raise ValueError(f"momentum should be positive: {momentum}")
        super().__init__(learning_rate, momentum, False, name, use_nesterov)
        self._weight_decay, self._eeta, self._epsilon = weight_decay, eeta, epsilon
        self._skip_list = tuple(skip_list or ())

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        rate, momentum, a = setting("learning_rate"), setting("momentum"), slots["momentum"]
        if not any(word in w.variable.name for word in self._skip_list):
            weights, size = tf.norm(w.value), tf.norm(g)
            trust = self._eeta * weights / (size + self._weight_decay * weights + self._epsilon)
            rate = rate * tf.where(tf.logical_and(weights > 0, size > 0), trust, tf.ones_like(trust))
            g = g + self._weight_decay * w.value
        moved = a.becomes(momentum * a.value + rate * g)
        w.shrinks(rate * g + momentum * moved if self._use_nesterov else moved)


@contrib("opt", "MovingAverageOptimizer")
class MovingAverageOptimizer(tf.train.Optimizer):
    """An optimizer beside which averages of the variables are kept, for a checkpoint that holds them instead.

    Args:
      opt: the optimizer. average_decay, num_updates: as of `tf.train.ExponentialMovingAverage`.
      sequential_update: average the variables as they are after the step; else beside it, in any order.
    """

    def __init__(
        self, opt: Any, average_decay: float = 0.9999, num_updates: Any = None, sequential_update: bool = True
    ) -> None:
        super().__init__(False, "MovingAverageOptimizer")
        self._optimizer, self._sequential_update = opt, sequential_update
        self._ema = tf.train.ExponentialMovingAverage(average_decay, num_updates=num_updates)
        self._swapped: dict[str, Any] | None = None

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        grads_and_vars = list(grads_and_vars)
        step = self._optimizer.apply_gradients(grads_and_vars, global_step=global_step, name=name)
        variables = [v for _, v in grads_and_vars]
        self._swapped = {}
        with tf.control_dependencies([step] if self._sequential_update else []):
            averaging = self._ema.apply(variables)
        for v in variables:
            average = self._ema.average(v)
            self._swapped[v.op.name] = average
            self._swapped[average.op.name] = v
        return tf.group(step, averaging, name="train_with_avg")

    def swapping_saver(self, var_list: Any = None, name: str = "swapping_saver", **kwargs: Any) -> Any:
        """A Saver that keeps averages under the variables' names, and variables under the averages'.

        Raises:
          RuntimeError: called before apply_gradients or minimize.
        """
        if self._swapped is None:
            raise RuntimeError("Must call apply_gradients or minimize before creating the swapping_saver")
        given = tf.global_variables() if var_list is None else var_list
        named = dict(given) if isinstance(given, dict) else {v.op.name: v for v in given}
        return tf.train.Saver({key: self._swapped.get(v.op.name, v) for key, v in named.items()}, name=name, **kwargs)
