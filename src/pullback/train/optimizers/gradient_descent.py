"""Gradient descent: v <- v - rate * g."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import Tensor
from pullback.modes.variable import Variable
from pullback.ops.math.select import Cast
from pullback.train.optimizer import Optimizer


@public(v1="train.GradientDescentOptimizer")
class GradientDescentOptimizer(Optimizer):
    """v <- v - rate * g, rows only where the gradient is sparse.

    Args:
      learning_rate: a float, a tensor, or a function without arguments that gives one.
      use_locking: updates are whole in any case.
    """

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate

    def _prepare(self, pairs: list[tuple[Any, Variable]]) -> None:
        rate = self._learning_rate() if callable(self._learning_rate) else self._learning_rate
        self._rate = interpreter.as_tensor(rate, name="learning_rate")

    def _rate_for(self, v: Variable) -> Tensor:
        return self._rate if self._rate.dtype is v.dtype else Cast(v.dtype)(self._rate)

    def _dense(self, g: Tensor, v: Variable) -> Any:
        return v.assign_sub(g * self._rate_for(v))

    def _sparse(self, g: IndexedSlices, v: Variable) -> Any:
        return v.scatter_sub(IndexedSlices(g.values * self._rate_for(v), g.indices))
