"""ConvLSTM2D: long short-term memory whose products are convolutions.

    i, f, g, o = conv(x, kernel) + bias + conv(h, recurrent_kernel)
    c' = gate(f) c + gate(i) act(g)          h' = gate(o) act(c')

x [B,T,H,W,C], kernel [R,S,C,4 filters], recurrent_kernel [R,S,filters,4 filters] -> h [B,P,Q,filters], or of all steps
"""

from __future__ import annotations

from typing import Any

from pullback.core import nest
from pullback.core.basics import ZerosLike
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.layers import phase
from pullback.layers.convolution import layout, numbers, padding_of
from pullback.layers.input_spec import InputSpec
from pullback.layers.recurrent import RNN, names_of
from pullback.layers.recurrent_cells import LSTMCellV2
from pullback.ops.array.splitting import split
from pullback.ops.nn.bias import bias_add
from pullback.ops.nn.conv.functions import convolution


class ConvLSTMCell2D(LSTMCellV2):
    """One step of ConvLSTM2D. filters, kernel_size, strides, padding, data_format, dilation_rate: as of Conv2D, of the
    inputs' product; the state's has the same kernel size, strides and dilations of 1, and keeps its size. Other
    arguments as of LSTMCell."""

    settings = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
    withheld = ("units",)

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, activation, recurrent_activation, *args, **kwargs)
        self.kernel_size, self.strides = numbers(kernel_size, 2, "kernel_size"), numbers(strides, 2, "strides")
        self.dilation_rate = numbers(dilation_rate, 2, "dilation_rate")
        self.padding, self.data_format = padding_of(padding), phase.layout_of(data_format)
        self._layout = layout(self.data_format, 2)
        self._channels = 3 if self.data_format == "channels_last" else 1

    @property
    def filters(self) -> int:
        return self.units

    def build(self, input_shape: Any) -> None:
        sizes = as_shape(input_shape)
        count = None if sizes is None else sizes[self._channels]
        if count is None:
            raise ValueError(f"ConvLSTM2D: the channels of the inputs must be known, but inputs are {sizes}")
        self.add_weights(self.kernel_size, count)

    def products(self, name: str, value: Any, kernel: Any) -> list[Any]:
        kept = (1, 1), "SAME", self._layout, (1, 1)
        how = (self.strides, self.padding.upper(), self._layout, self.dilation_rate) if name == "input" else kept
        if name not in self._masks:
            return split(convolution(value, kernel, *how), 4, self._channels)
        parts = split(kernel, 4, 3)
        return [convolution(self.masked(name, value, g), part, *how) for g, part in enumerate(parts)]

    def biased(self, parts: list[Any]) -> list[Any]:
        if not self.use_bias:
            return parts
        return [bias_add(part, b, self._layout) for part, b in zip(parts, split(self.bias, 4, 0), strict=True)]

    def zero_states(self, x: Any) -> list[Any]:
        """h and c of zeros, for a step's inputs x: the cell must be built."""
        part = split(self.kernel, 4, 3)[0]
        how = self.strides, self.padding.upper(), self._layout, self.dilation_rate
        zeros = convolution(ZerosLike()(x), ZerosLike()(part), *how)
        return [zeros, zeros]


@public("keras.layers.ConvLSTM2D")
class ConvLSTM2D(RNN):
    """Long short-term memory over images [B,T,H,W,C] (or [B,T,C,H,W]), its products convolutions. States: [h, c].

    Args:
      filters, kernel_size, strides, padding, data_format, dilation_rate: as of Conv2D, of the inputs' product.
      activation, recurrent_activation, use_bias, *_initializer, *_regularizer, *_constraint, unit_forget_bias, dropout,
      recurrent_dropout: as of LSTM. return_sequences, return_state, go_backwards, stateful: as of RNN.
      seed: must be left out; draws are seeded by `set_seed`.
    Raises:
      ValueError: an argument means nothing, or seed is given.
    Source: Shi et al. 2015.
    """

    withheld = ("unroll", "time_major")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        if seed is not None:
            raise ArgumentError(
                "ConvLSTM2D: draws have no seed of their own; leave seed out, and use set_seed"
            ).locate()
        cell = ConvLSTMCell2D(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            dtype=kwargs.get("dtype"),
        )
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, activity_regularizer=activity_regularizer,
            **kwargs,
        )  # fmt: skip
        self.input_spec: Any = None

    def get_initial_state(self, inputs: Any) -> list[Any]:
        return self.cell.zero_states(inputs[:, 0])

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        first = nest.leaves_of(inputs)[0]
        InputSpec(ndim=5).check(first, f'Input 0 of layer "{self.name}"')
        if not self.cell.built:
            sizes = first.spec.shape
            self.cell.build((sizes[0], *sizes[2:]))
        return super().call(inputs, mask, training)

    def get_config(self) -> dict[str, Any]:
        inner = self.cell.get_config()
        return {**{k: inner[k] for k in names_of(ConvLSTMCell2D) if k in inner}, **super().get_config()}
