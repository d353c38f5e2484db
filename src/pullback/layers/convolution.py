"""Convolution layers: Conv1D, Conv2D, Conv3D, and what the transposed and separable ones share with them."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.layers import activations, constraints, phase
from pullback.layers.base import Layer
from pullback.layers.input_spec import InputSpec
from pullback.layers.sizes import positive
from pullback.ops.array.padding import pad
from pullback.ops.nn.bias import bias_add
from pullback.ops.nn.conv.functions import convolution
from pullback.train import regularizers

_LAYOUTS = {"channels_last": ("NWC", "NHWC", "NDHWC"), "channels_first": ("NCW", "NCHW", "NCDHW")}


def numbers(value: Any, rank: int, name: str, least: int = 1) -> tuple[int, ...]:
    """A number for each spatial axis. name: as errors show the argument. least: the smallest there may be, 1 or 0.

    Raises:
      ValueError: there are more or fewer, or one is no whole number or too small.
    """
    given = tuple(value) if isinstance(value, Iterable) else (value,) * rank
    try:
        out = tuple(operator.index(v) for v in given)
    except TypeError:
        out = ()
    if len(out) != rank or any(v < least for v in out):
        raise ArgumentError(
            f"The `{name}` argument must be {rank} {'positive integers' if least else 'integers of at least 0'}, or "
            f"one; received: {value}"
        ).locate()
    return out


def padding_of(value: Any, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """
    Raises:
      ValueError: there is no such padding.
    """
    word = str(value).lower()
    if word not in allowed:
        raise ArgumentError(f"The `padding` argument must be one of {', '.join(allowed)}; received: {value!r}").locate()
    return word


def layout(data_format: str, rank: int) -> str:
    """channels_first, 2 -> NCHW"""
    return _LAYOUTS[data_format][rank - 1]


class Convolutional(Layer):
    """Base of convolution layers: filters, window, bias, activation.

    x [N, *spatial, C] (or [N, C, *spatial]) -> [N, *spatial', filters]

    Args:
      filters: how many outputs a place. kernel_size, strides, dilation_rate: a number for each spatial axis, or one.
      padding: "valid", "same"; Conv1D also takes "causal", which sees no later step.
      data_format: "channels_last" or "channels_first".
      groups: splits channels and filters into groups that see each other only.
      activation, use_bias, kernel_*, bias_*: as for Dense.
    Raises:
      ValueError: an argument means nothing; at build: the channels are not known or no multiple of groups.
    """

    settings = (
        "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups", "activation",
        "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
        "activity_regularizer", "kernel_constraint", "bias_constraint",
    )  # fmt: skip
    rank = 2
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        kind = type(self).__name__
        self.filters, self.groups = positive(filters, f"{kind}: filters"), positive(groups, f"{kind}: groups")
        self.use_bias = use_bias
        self.kernel_size = numbers(kernel_size, self.rank, "kernel_size")
        self.strides = numbers(strides, self.rank, "strides")
        self.dilation_rate = numbers(dilation_rate, self.rank, "dilation_rate")
        self.padding, self.data_format = padding_of(padding, self.paddings), phase.layout_of(data_format)
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.kernel: Any = None
        self.bias: Any = None

    @property
    def channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else self.rank + 1

    @property
    def layout(self) -> str:
        """The data_format of ops."""
        return layout(self.data_format, self.rank)

    def whole_strides(self, strides: tuple[int, ...]) -> list[int]:
        """Spatial strides with those of batch and channels, in the order of axes."""
        return [1, *strides, 1] if self.data_format == "channels_last" else [1, 1, *strides]

    def channels(self, input_shape: Any) -> int:
        """How many channels the inputs have, which later inputs must have too.

        Raises:
          ValueError: they are not known.
        """
        sizes = as_shape(input_shape)
        count = None if sizes is None else sizes[self.channel_axis]
        if count is None:
            raise ValueError(
                f"{type(self).__name__}: the channel dimension of the inputs should be defined, but is None in {sizes}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: count})
        return count

    def add_bias(self, count: int) -> None:
        if self.use_bias:
            self.bias = self.add_weight_as_set("bias", (count,))

    def add_kernel(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight_as_set("kernel", shape)

    def finished(self, y: Any) -> Any:
        """Bias and activation."""
        if self.use_bias:
            y = bias_add(y, self.bias, self.layout)
        return y if self.activation is activations.linear else self.activation(y)

    def build(self, input_shape: Any) -> None:
        channels = self.channels(input_shape)
        if channels % self.groups or self.filters % self.groups:
            raise ArgumentError(
                f"{type(self).__name__}: {channels} channels and {self.filters} filters must be multiples of "
                f"groups={self.groups}"
            ).locate()
        self.add_kernel((*self.kernel_size, channels // self.groups, self.filters))
        self.add_bias(self.filters)
        self.built = True

    def padded(self, x: Any) -> tuple[Any, str]:
        """(inputs, padding of ops): "causal" becomes zeros before the first step, so that no step sees a later one."""
        if self.padding != "causal":
            return x, self.padding.upper()
        before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        spatial = 1 if self.data_format == "channels_last" else 2
        return pad(x, [[before, 0] if axis == spatial else [0, 0] for axis in range(3)]), "VALID"

    def call(self, inputs: Any) -> Any:
        inputs, padding = self.padded(inputs)
        name = "conv1d" if self.rank == 1 else f"Conv{self.rank}D"
        y = convolution(inputs, self.kernel, self.strides, padding, self.layout, self.dilation_rate, name)
        return self.finished(y)


@public("keras.layers.Conv1D", "keras.layers.Convolution1D")
class Conv1D(Convolutional):
    """Convolution over one axis. See Convolutional for the arguments.

    x [N, W, C], w [S, C, filters] -> [N, Q, filters]
    """

    rank, paddings = 1, ("valid", "same", "causal")


@public("keras.layers.Conv2D", "keras.layers.Convolution2D")
class Conv2D(Convolutional):
    """Convolution over images. See Convolutional for the arguments.

    x [N, H, W, C], w [R, S, C, filters] -> [N, P, Q, filters]
    """


@public("keras.layers.Conv3D", "keras.layers.Convolution3D")
class Conv3D(Convolutional):
    """Convolution over volumes. See Convolutional for the arguments.

    x [N, D, H, W, C], w [U, R, S, C, filters] -> [N, O, P, Q, filters]
    """

    rank = 3
