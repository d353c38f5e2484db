"""Proximal steps: after a step of descent, toward zero by L1 and L2. L1 makes exact zeros. TensorFlow 1 only.

Source: Duchi & Singer 2009, "Efficient Learning using Forward-Backward Splitting".
"""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.ops.math import arithmetic as m
from pullback.train.optimizer import FormulaOptimizer
from pullback.train.places import Place


def proximal(w: Place, g: Any, *, rate: Any, l1: Any, l2: Any) -> None:
    """p = w - rate g;   w <- sign(p) max(|p| - rate l1, 0) / (1 + rate l2)"""
    p = w.value - rate * g
    w.becomes(m.Sign()(p) * m.Maximum()(m.Abs()(p) - rate * l1, 0) / (1 + rate * l2))


def _settings(rate: Any, l1: Any, l2: Any) -> dict[str, Any]:
    return {"learning_rate": rate, "l1_regularization_strength": l1, "l2_regularization_strength": l2}


@public(v1="train.ProximalGradientDescentOptimizer")
class ProximalGradientDescentOptimizer(FormulaOptimizer):
    """Proximal gradient descent; see `proximal`. Only the rows that a sparse gradient names move."""

    def __init__(
        self,
        learning_rate: Any,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ) -> None:
        settings = _settings(learning_rate, l1_regularization_strength, l2_regularization_strength)
        super().__init__(use_locking, name, settings, {})

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        strengths = {"l1": setting("l1_regularization_strength"), "l2": setting("l2_regularization_strength")}
        proximal(w, g, rate=setting("learning_rate"), **strengths)


@public(v1="train.ProximalAdagradOptimizer")
class ProximalAdagradOptimizer(FormulaOptimizer):
    """accumulator <- accumulator + g^2, then `proximal` with rate / sqrt(accumulator). Slot: "accumulator".

    Only the rows that a sparse gradient names move.

    Raises:
      ValueError: initial_accumulator_value is not above 0.
    """

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        settings = _settings(learning_rate, l1_regularization_strength, l2_regularization_strength)
        super().__init__(use_locking, name, settings, {"accumulator": initial_accumulator_value})

    def _move(self, w: Place, g: Any, slots: Any, setting: Any) -> None:
        total = slots["accumulator"]
        rate = setting("learning_rate") / m.Sqrt()(total.becomes(total.value + g * g))
        strengths = {"l1": setting("l1_regularization_strength"), "l2": setting("l2_regularization_strength")}
        proximal(w, g, rate=rate, **strengths)
