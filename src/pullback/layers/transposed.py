"""Transposed convolution layers: Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""

from __future__ import annotations

from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers.convolution import Convolutional, numbers
from pullback.layers.sizes import packed, sizes_of
from pullback.ops.nn.conv.transposed import conv1d_transpose, conv2d_transpose, conv3d_transpose

_FUNCTIONS = {1: conv1d_transpose, 2: conv2d_transpose, 3: conv3d_transpose}


class _Transposed(Convolutional):
    """The adjoint of a convolution: spatial axes grow by the strides.

    x [N, *spatial, C], w [*window, filters, C] -> [N, *spatial', filters]

    spatial' is spatial * stride with "same" padding, plus max(window - stride, 0) with "valid".

    Args: as of Convolutional, and
      output_padding: how much is added at the end of each axis, less than the stride; settles spatial' as
        (spatial - 1) stride + window - 2 (window // 2 with "same", 0 with "valid") + output_padding.
    """

    settings = ("output_padding",)
    withheld = ("groups",)

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        self.output_padding: tuple[int, ...] | None = None
        if output_padding is not None:
            given = self.output_padding = numbers(output_padding, self.rank, "output_padding", 0)
            if any(p >= s for p, s in zip(given, self.strides, strict=True)):
                raise ArgumentError(f"Strides {self.strides} must be greater than output padding {given}.").locate()

    def build(self, input_shape: Any) -> None:
        self.add_kernel((*self.kernel_size, self.filters, self.channels(input_shape)))
        self.add_bias(self.filters)
        self.built = True

    def _grown(self, n: Any, axis: int) -> Any:
        """The size of an output's axis, of the input's."""
        window = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        stride = self.strides[axis]
        if self.output_padding is None:
            return n * stride + (max(window - stride, 0) if self.padding == "valid" else 0)
        edge = window // 2 if self.padding == "same" else 0
        return (n - 1) * stride + window - 2 * edge + self.output_padding[axis]

    def call(self, inputs: Any) -> Any:
        sizes = sizes_of(inputs)
        first = 2 if self.data_format == "channels_first" else 1
        grown = [self._grown(sizes[first + i], i) for i in range(self.rank)]
        whole = [sizes[0], self.filters, *grown] if first == 2 else [sizes[0], *grown, self.filters]
        dilations = self.dilation_rate if self.rank > 1 else self.dilation_rate[0]
        strides = self.strides if self.rank > 1 else self.strides[0]
        f: Any = _FUNCTIONS[self.rank]
        y = f(inputs, self.kernel, packed(whole), strides, self.padding.upper(), self.layout, dilations)
        return self.finished(y)


@public("keras.layers.Conv1DTranspose", "keras.layers.Convolution1DTranspose")
class Conv1DTranspose(_Transposed):
    """Transposed convolution over one axis. Arguments as of Conv2DTranspose."""

    rank = 1


@public("keras.layers.Conv2DTranspose", "keras.layers.Convolution2DTranspose")
class Conv2DTranspose(_Transposed):
    """Transposed convolution over images.

    x [N, H, W, C], w [R, S, filters, C] -> [N, H', W', filters], H' = H * stride ("same"), or that plus
    max(R - stride, 0) ("valid").
    """


@public("keras.layers.Conv3DTranspose", "keras.layers.Convolution3DTranspose")
class Conv3DTranspose(_Transposed):
    """Transposed convolution over volumes. Arguments as of Conv2DTranspose."""

    rank = 3
