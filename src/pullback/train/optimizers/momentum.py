"""Momentum: the velocity sums gradients and forgets slowly. TensorFlow 2 has its own form of it, in SGD."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.train.optimizer import FormulaOptimizer
from pullback.train.places import Place


@public(v1="train.MomentumOptimizer")
class MomentumOptimizer(FormulaOptimizer):
    """a <- momentum a + g;   w <- w - rate a,   with Nesterov w <- w - rate (g + momentum a)

    Only the rows that a sparse gradient names move, and forget. Slot: "momentum".

    Source: Sutskever et al. 2013.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        settings = {"learning_rate": learning_rate, "momentum": momentum}
        super().__init__(use_locking, name, settings, {"momentum": 0.0})
        self._use_nesterov = use_nesterov

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        rate, momentum = setting("learning_rate"), setting("momentum")
        a = slots["momentum"].becomes(slots["momentum"].value * momentum + g)
        w.shrinks(rate * g + rate * momentum * a if self._use_nesterov else rate * a)
