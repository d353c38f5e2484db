"""Layers of depthwise convolutions: DepthwiseConv2D, SeparableConv1D, SeparableConv2D."""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers import constraints
from pullback.layers.convolution import Convolutional, layout
from pullback.layers.sizes import positive
from pullback.ops.array.shape import expand_dims, squeeze
from pullback.ops.nn.depthwise.functions import depthwise_conv2d, separable_conv2d
from pullback.train import regularizers


class _Separable(Convolutional):
    """A filter for each channel (depth_multiplier of them), then a matrix product across channels.

    x [N, *spatial, C], depthwise [*window, C, depth_multiplier], pointwise [1.., C depth_multiplier, filters]
    -> [N, *spatial', filters]

    Args: as of Convolutional, without groups and kernel_*, and
      depth_multiplier: outputs a channel of the first step.
      depthwise_*, pointwise_*: initializers, regularizers, constraints of the two kernels.
    """

    settings = (
        "depth_multiplier", "depthwise_initializer", "pointwise_initializer", "depthwise_regularizer",
        "pointwise_regularizer", "depthwise_constraint", "pointwise_constraint",
    )  # fmt: skip
    withheld = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self.depth_multiplier = positive(depth_multiplier, f"{type(self).__name__}: depth_multiplier")
        self.depthwise_initializer, self.pointwise_initializer = depthwise_initializer, pointwise_initializer
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.depthwise_kernel: Any = None
        self.pointwise_kernel: Any = None

    def build(self, input_shape: Any) -> None:
        channels = self.channels(input_shape)
        self.depthwise_kernel = self.add_weight_as_set(
            "depthwise", (*self.kernel_size, channels, self.depth_multiplier), "depthwise_kernel"
        )
        self.pointwise_kernel = self.add_weight_as_set(
            "pointwise", (*(1,) * self.rank, channels * self.depth_multiplier, self.filters), "pointwise_kernel"
        )
        self.add_bias(self.filters)
        self.built = True


@public("keras.layers.SeparableConv1D", "keras.layers.SeparableConvolution1D")
class SeparableConv1D(_Separable):
    """A filter for each channel of a row, then a matrix product across channels. Arguments as of SeparableConv2D."""

    rank, paddings = 1, ("valid", "same", "causal")

    def call(self, inputs: Any) -> Any:
        inputs, padding = self.padded(inputs)
        spatial = 1 if self.data_format == "channels_last" else 2
        y = separable_conv2d(
            expand_dims(inputs, spatial),
            expand_dims(self.depthwise_kernel, 0),
            expand_dims(self.pointwise_kernel, 0),
            self.whole_strides(self.strides * 2),
            padding,
            layout(self.data_format, 2),
            [1, *self.dilation_rate],
        )
        return self.finished(squeeze(y, [spatial]))


@public("keras.layers.SeparableConv2D", "keras.layers.SeparableConvolution2D")
class SeparableConv2D(_Separable):
    """A filter for each channel of an image, then a matrix product across channels.

    x [N, H, W, C], depthwise [R, S, C, M], pointwise [1, 1, C M, filters] -> [N, P, Q, filters]
    """

    def call(self, inputs: Any) -> Any:
        y = separable_conv2d(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.whole_strides(self.strides),
            self.padding.upper(),
            self.layout,
            self.dilation_rate,
        )
        return self.finished(y)


@public("keras.layers.DepthwiseConv2D")
class DepthwiseConv2D(Convolutional):
    """depth_multiplier filters for each channel.

    x [N, H, W, C], w [R, S, C, depth_multiplier] -> [N, P, Q, C depth_multiplier]
    """

    settings = ("depth_multiplier", "depthwise_initializer", "depthwise_regularizer", "depthwise_constraint")
    withheld = ("filters", "groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            1, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        if len(set(self.strides)) > 1:
            raise ArgumentError(
                f"DepthwiseConv2D: the strides {self.strides} must be equal, as TensorFlow's kernels want"
            ).locate()
        self.depth_multiplier = positive(depth_multiplier, "DepthwiseConv2D: depth_multiplier")
        self.depthwise_initializer = depthwise_initializer
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.depthwise_kernel: Any = None

    def build(self, input_shape: Any) -> None:
        channels = self.channels(input_shape)
        self.depthwise_kernel = self.add_weight_as_set(
            "depthwise", (*self.kernel_size, channels, self.depth_multiplier), "depthwise_kernel"
        )
        self.add_bias(channels * self.depth_multiplier)
        self.built = True

    def call(self, inputs: Any) -> Any:
        strides, padding = self.whole_strides(self.strides), self.padding.upper()
        y = depthwise_conv2d(inputs, self.depthwise_kernel, strides, padding, self.layout, self.dilation_rate)
        return self.finished(y)
