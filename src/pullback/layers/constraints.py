"""keras.constraints: functions that a weight is put through after each step of an optimizer."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import phase
from pullback.ops.math import arithmetic as m
from pullback.ops.math.clipping import clip_by_value
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.select import Cast
from pullback.train import identifiers


@public("keras.constraints.Constraint")
class Constraint:
    """Base of constraints: a subclass says `__call__(w)`."""

    def __call__(self, w: Any) -> Any:
        """The weight as it may be."""
        return w

    def get_config(self) -> dict[str, Any]:
        """What the constructor was given."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _norm(w: Tensor, axis: Any) -> Tensor:
    return m.Sqrt()(reduce_sum(m.Square()(w), axis, True))


@public("keras.constraints.MaxNorm", "keras.constraints.max_norm")
class MaxNorm(Constraint):
    """Norms along axes of at most max_value. axis: 0 for a Dense kernel's columns."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Tensor:
        w = interpreter.as_tensor(w)
        norm = _norm(w, self.axis)
        return w * (clip_by_value(norm, 0.0, float(self.max_value)) / (norm + phase.epsilon()))


@public("keras.constraints.NonNeg", "keras.constraints.non_neg")
class NonNeg(Constraint):
    """No entry below 0."""

    def __call__(self, w: Any) -> Tensor:
        w = interpreter.as_tensor(w)
        return w * Cast(w.dtype)(m.GreaterEqual()(w, 0.0))


@public("keras.constraints.UnitNorm", "keras.constraints.unit_norm")
class UnitNorm(Constraint):
    """Norms along axes of 1."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = interpreter.as_tensor(w)
        return w / (_norm(w, self.axis) + phase.epsilon())


@public("keras.constraints.MinMaxNorm", "keras.constraints.min_max_norm")
class MinMaxNorm(Constraint):
    """Norms along axes between min_value and max_value; moved there at `rate` a step."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Tensor:
        w = interpreter.as_tensor(w)
        norm = _norm(w, self.axis)
        wanted = self.rate * clip_by_value(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return w * (wanted / (norm + phase.epsilon()))


BY_NAME: dict[str, Any] = {
    "MaxNorm": MaxNorm,
    "max_norm": MaxNorm,
    "NonNeg": NonNeg,
    "non_neg": NonNeg,
    "UnitNorm": UnitNorm,
    "unit_norm": UnitNorm,
    "MinMaxNorm": MinMaxNorm,
    "min_max_norm": MinMaxNorm,
}


@public("keras.constraints.get")
def get(identifier: Any) -> Any:
    """The constraint that a word, a configuration, a class or a function stands for; None for None."""
    return identifiers.find(identifier, BY_NAME, "constraint")


@public("keras.constraints.deserialize")
def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The constraint of {"class_name", "config"}. custom_objects: further names -> classes."""
    return identifiers.made(config, BY_NAME, "constraint", custom_objects)


@public("keras.constraints.serialize")
def serialize(constraint: Any) -> Any:
    """{"class_name", "config"} of a constraint."""
    return identifiers.described(constraint)
