"""Regularizers: callables of a variable that give a penalty. Keras' l1, l2, l1_l2, orthogonal."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.layout import transpose
from pullback.ops.array.one_hot import eye
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import abs_
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.train import identifiers


@public("keras.regularizers.Regularizer")
class Regularizer:
    """Base of regularizers: a subclass says `__call__(x)` and `get_config`."""

    def __call__(self, x: Any) -> Any:
        """The penalty of a weight, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must say __call__(x)")

    def get_config(self) -> dict[str, Any]:
        """What the constructor was given."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The regularizer that a configuration describes."""
        return cls(**config)


def _factor(name: str, value: Any) -> float:
    """
    Raises:
      ArgumentError: it is no number, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) == float("inf"):
        raise ArgumentError(
            f"Value: {value} is not a valid regularization penalty number, expected an int or float value for {name}"
        ).locate()
    return float(value)


@public("keras.regularizers.L1L2")
class L1L2(Regularizer):
    """l1 sum |x| + l2 sum x^2. Gradient: 0 from |x| at 0."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = 0.0 if l1 is None else _factor("l1", l1)
        self.l2 = 0.0 if l2 is None else _factor("l2", l2)

    def __call__(self, x: Any) -> Tensor:
        x = interpreter.as_tensor(x)
        terms = []
        if self.l1:
            terms.append(self.l1 * reduce_sum(abs_(x)))
        if self.l2:
            terms.append(self.l2 * reduce_sum(m.Square()(x)))
        return sum(terms[1:], terms[0]) if terms else interpreter.as_tensor(0.0, x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


@public("keras.regularizers.L1", "keras.regularizers.l1")
class L1(L1L2):
    """l1 sum |x|. Gradient: 0 at 0."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(0.01 if l1 is None else l1, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


@public("keras.regularizers.L2", "keras.regularizers.l2")
class L2(L1L2):
    """l2 sum x^2, without a half."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(0.0, 0.01 if l2 is None else l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


@public("keras.regularizers.l1_l2")
def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """l1 sum |x| + l2 sum x^2."""
    return L1L2(l1, l2)


@public("keras.regularizers.OrthogonalRegularizer", "keras.regularizers.orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """factor times the mean |cosine| between pairs of rows (or columns) of a matrix.

    Raises:
      ValueError: mode is neither "rows" nor "columns", or the weight is no matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ArgumentError(f"OrthogonalRegularizer: mode is {mode!r}, but must be 'rows' or 'columns'").locate()
        self.factor, self.mode = _factor("factor", factor), mode

    def __call__(self, x: Any) -> Tensor:
        x = interpreter.as_tensor(x)
        if x.spec.rank != 2:
            raise ArgumentError(
                f"OrthogonalRegularizer: Inputs to OrthogonalRegularizer must have rank 2, not shape {x.shape}"
            ).locate()
        rows = x if self.mode == "rows" else transpose(x)
        count = rows.spec.shape[0]  # type: ignore[index]
        if count is None:
            raise ArgumentError("OrthogonalRegularizer: the number of rows or columns must be known").locate()
        unit = rows * m.Rsqrt()(m.Maximum()(reduce_sum(m.Square()(rows), 1, True), 1e-12))
        cosines = matmul(unit, unit, transpose_b=True) * (1.0 - eye(count, dtype=x.dtype))
        return self.factor * 0.5 * reduce_sum(abs_(cosines)) / max(count * (count - 1) / 2, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


BY_NAME: dict[str, Any] = {
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "l1_l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


@public("keras.regularizers.get")
def get(identifier: Any) -> Any:
    """The regularizer that a word, a configuration, a class or a regularizer stands for; None for None."""
    if identifier == "l1_l2":
        return l1_l2()
    return identifiers.find(identifier, BY_NAME, "regularizer")


@public("keras.regularizers.deserialize")
def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The regularizer of {"class_name", "config"}. custom_objects: further names -> classes."""
    return identifiers.made(config, BY_NAME, "regularizer", custom_objects)


@public("keras.regularizers.serialize")
def serialize(regularizer: Any) -> Any:
    """{"class_name", "config"} of a regularizer."""
    return identifiers.described(regularizer)


@public("nn.scale_regularization_loss")
def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    """The loss divided by the number of replicas, of which there is one; a list of losses is summed."""
    return reduce_sum(interpreter.as_tensor(regularization_loss))
