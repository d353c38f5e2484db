"""Activations that are layers: ReLU, LeakyReLU, PReLU, ELU, ThresholdedReLU, Softmax."""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.layers import activations, constraints
from pullback.layers.attention import hidden
from pullback.layers.base import Layer
from pullback.layers.sizes import axes_of
from pullback.ops.math.arithmetic import Greater
from pullback.ops.math.functions import exp
from pullback.ops.math.reduce_functions import reduce_logsumexp
from pullback.ops.math.select import Cast
from pullback.ops.nn.activation import leaky_relu, relu
from pullback.ops.nn.softmax import softmax
from pullback.train import regularizers


@public("keras.layers.ReLU")
class ReLU(Layer):
    """x above threshold (at most max_value), else negative_slope (x - threshold)."""

    settings = ("max_value", "negative_slope", "threshold")
    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        given = {"max_value": max_value or 0, "negative_slope": negative_slope, "threshold": threshold}
        for what, value in given.items():
            if value is None or value < 0:
                raise ArgumentError(f"ReLU: {what} must be a number of at least 0, but is {value!r}").locate()
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@public("keras.layers.LeakyReLU")
class LeakyReLU(Layer):
    """x above 0, else alpha x. `negative_slope` is a newer name of alpha."""

    settings = ("alpha",)
    supports_masking = True

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        alpha = kwargs.pop("negative_slope", alpha)
        super().__init__(**kwargs)
        if alpha is None:
            raise ArgumentError("LeakyReLU: alpha must be a number, not None").locate()
        self.alpha = float(alpha)

    def call(self, inputs: Any) -> Any:
        return leaky_relu(inputs, self.alpha)


@public("keras.layers.PReLU")
class PReLU(Layer):
    """x above 0, else alpha x, alpha learnt: one for each place of an example. shared_axes: axes that share it.

    Source: He et al. 2015.
    """

    settings = ("alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes")
    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = alpha_initializer
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = shared_axes if shared_axes is None or isinstance(shared_axes, list) else _listed(shared_axes)
        self.alpha: Any = None

    def build(self, input_shape: Any) -> None:
        sizes = list(as_shape(input_shape) or ())
        for axis in axes_of(self.shared_axes or [], len(sizes), "PReLU"):
            sizes[axis] = 1
        sizes = sizes[1:]
        if None in sizes:
            raise ValueError(f"PReLU: sizes of axes that are not shared must be known, but inputs are {input_shape}")
        self.alpha = self.add_weight_as_set("alpha", sizes)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return relu(inputs) - self.alpha * relu(-inputs)


def _listed(axes: Any) -> list[int]:
    return list(axes) if isinstance(axes, tuple) else [axes]


@public("keras.layers.ELU")
class ELU(Layer):
    """x above 0, else alpha (exp(x) - 1)."""

    settings = ("alpha",)
    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, self.alpha)


@public("keras.layers.ThresholdedReLU")
class ThresholdedReLU(Layer):
    """x above theta, else 0."""

    settings = ("theta",)
    supports_masking = True

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = float(theta)

    def call(self, inputs: Any) -> Any:
        return inputs * Cast(inputs.dtype)(Greater()(inputs, self.theta))


@public("keras.layers.Softmax")
class Softmax(Layer):
    """exp(x) divided by its sum along an axis, or along several. mask: bool, what is False counts for nothing."""

    settings = ("axis",)
    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, tuple) else axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x = inputs if mask is None else hidden(inputs, mask)
        if not isinstance(self.axis, list):
            return softmax(x, self.axis)
        return softmax(x, self.axis[0]) if len(self.axis) == 1 else exp(x - reduce_logsumexp(x, self.axis, True))
