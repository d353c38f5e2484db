"""Layers of a matrix product: Dense; and Activation."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape
from pullback.layers import activations, constraints
from pullback.layers.base import Layer
from pullback.layers.input_spec import InputSpec
from pullback.layers.sizes import positive
from pullback.ops.linalg.matmul import matmul, tensordot
from pullback.ops.math.select import Cast
from pullback.ops.nn.bias import bias_add
from pullback.train import regularizers


@public("keras.layers.Dense")
class Dense(Layer):
    """activation(x w + b) along the last axis.

    x [..., C], w [C, units], b [units] -> [..., units]. Inputs of whole numbers take the type of w.

    Args:
      units: how many outputs. activation: a word or a function. use_bias: add b.
      kernel_*, bias_*: initializers, regularizers and constraints of w and b, by words or callables.
    Raises:
      ValueError: the last axis is not known when the layer is built, or differs later.
    """

    settings = (
        "units", "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer",
        "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint",
    )  # fmt: skip
    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive(units, "Dense: units")
        self.activation, self.use_bias = activations.get(activation), use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        sizes = as_shape(input_shape)
        if not sizes or sizes[-1] is None:
            raise ValueError(
                f"The last dimension of the inputs to a Dense layer should be defined. Found None in {sizes}"
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: sizes[-1]})
        self.kernel = self.add_weight_as_set("kernel", (sizes[-1], self.units))
        if self.use_bias:
            self.bias = self.add_weight_as_set("bias", (self.units,))
        self.built = True

    def call(self, inputs: Any) -> Any:
        if inputs.dtype is not self.kernel.dtype and not inputs.dtype.is_complex:
            inputs = Cast(self.kernel.dtype)(inputs)
        rank = inputs.spec.rank
        y = matmul(inputs, self.kernel) if rank in (None, 2) else tensordot(inputs, self.kernel, [[rank - 1], [0]])
        if self.use_bias:
            y = bias_add(y, self.bias)
        return y if self.activation is activations.linear else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        sizes = as_shape(input_shape)
        return TensorShape(None if sizes is None else (*sizes[:-1], self.units))


@public("keras.layers.Activation")
class Activation(Layer):
    """A function of each entry (softmax: of the last axis), by word or callable."""

    settings = ("activation",)
    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)
