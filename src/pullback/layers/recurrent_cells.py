"""Keras' recurrent cells: SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells. cell(x, states) -> (output, new states)

x [B, C], kernel [C, g units], recurrent_kernel [units, g units], bias [g units]; gates lie side by side:
LSTM i, f, c, o; GRU z (keep), r (reset), h
"""

from __future__ import annotations

from typing import Any

from pullback.core import nest
from pullback.core.basics import OnesLike
from pullback.core.dtypes import as_dtype
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.layers import activations, constraints, phase
from pullback.layers.base import Layer, described
from pullback.layers.dropout import either
from pullback.layers.rnn_cells import zeros_of_size
from pullback.layers.sizes import positive, sizes_of
from pullback.layers.weights import starting
from pullback.modes.default import graph_for
from pullback.ops.array.joining import concat
from pullback.ops.array.splitting import split
from pullback.ops.linalg.matmul import matmul
from pullback.ops.nn.bias import bias_add
from pullback.ops.random.dropout import dropout as dropped
from pullback.train import regularizers


def states_of_zeros(cell: Any, inputs: Any, batch: Any = None, dtype: Any = None) -> list[Any]:
    """A list of zeros for each state of a cell."""
    if inputs is not None:
        batch, dtype = sizes_of(inputs)[0], inputs.dtype
    kind = as_dtype(dtype or phase.floatx())
    made = zeros_of_size(cell.state_size, batch, kind)
    return list(made) if isinstance(made, (list, tuple)) else [made]


class _Cell(Layer):
    """Base of cells with kernels: their arguments, variables and dropout masks.

    Args:
      units: how long the output is. activation, recurrent_activation: of the output, of the gates.
      use_bias; kernel_*, recurrent_*, bias_*: as for Dense.
      dropout, recurrent_dropout: the share of inputs, of states, set to 0 while training: the same ones at every step.
      implementation: chooses among ways to compute the same; has no meaning here.
    """

    settings = (
        "units", "activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
        "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
        "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout",
    )  # fmt: skip
    gates = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.use_bias = positive(units, f"{type(self).__name__}: units"), use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer, self.recurrent_initializer = kernel_initializer, recurrent_initializer
        self.bias_initializer = bias_initializer
        given = (kernel_regularizer, recurrent_regularizer, bias_regularizer)
        self.kernel_regularizer, self.recurrent_regularizer, self.bias_regularizer = map(regularizers.get, given)
        given = (kernel_constraint, recurrent_constraint, bias_constraint)
        self.kernel_constraint, self.recurrent_constraint, self.bias_constraint = map(constraints.get, given)
        self.dropout, self.recurrent_dropout = (min(1.0, max(0.0, p)) for p in (dropout, recurrent_dropout))
        self.kernel: Any = None
        self.recurrent_kernel: Any = None
        self.bias: Any = None
        self._masks: dict[str, list[Any]] = {}

    @property
    def state_size(self) -> Any:
        return self.units

    @property
    def output_size(self) -> int:
        return self.units

    def bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def build(self, input_shape: Any) -> None:
        sizes = as_shape(input_shape)
        if not sizes or sizes[-1] is None:
            raise ValueError(f"{type(self).__name__}: the last dimension of the inputs must be known, not {sizes}")
        self.add_weights((), sizes[-1])

    def add_weights(self, window: tuple[int, ...], depth: int) -> None:
        """Makes kernels and bias. window: the sizes of a convolution's. depth: how long inputs are."""
        width = self.gates * self.units
        self.kernel = self.add_weight_as_set("kernel", (*window, depth, width))
        self.recurrent_kernel = self.add_weight_as_set("recurrent", (*window, self.units, width), "recurrent_kernel")
        if self.use_bias:
            self.bias = self.add_weight_as_set("bias", self.bias_shape(), initializer=self.first_bias())
        self.built = True

    def first_bias(self) -> Any:
        return self.bias_initializer

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for each state."""
        made = states_of_zeros(self, inputs, batch_size, dtype or self.compute_dtype)
        return made if isinstance(self.state_size, (list, tuple)) else made[0]

    # --- dropout ---------------------------------------------------------------------------------------------------

    def draw_masks(self, x: Any, h: Any, training: Any) -> None:
        """Draws what is dropped, once for all steps."""
        self._masks = {}
        for name, rate, like in (("input", self.dropout, x), ("state", self.recurrent_dropout, h)):
            if rate:
                ones = OnesLike()(like)
                self._masks[name] = [
                    either(training, lambda r=rate, o=ones: dropped(o, r), lambda o=ones: o) for _ in range(self.gates)
                ]

    def forget_masks(self) -> None:
        self._masks = {}

    def masked(self, name: str, value: Any, gate: int = 0) -> Any:
        found = self._masks.get(name)
        return value if found is None else value * found[gate]

    def products(self, name: str, value: Any, kernel: Any) -> list[Any]:
        """value times the kernel, gate by gate; each gate drops entries of its own."""
        if name not in self._masks:
            whole = matmul(value, kernel)
            return [whole] if self.gates == 1 else split(whole, self.gates, 1)
        parts = [kernel] if self.gates == 1 else split(kernel, self.gates, 1)
        return [matmul(self.masked(name, value, g), part) for g, part in enumerate(parts)]

    def biased(self, parts: list[Any]) -> list[Any]:
        if not self.use_bias:
            return parts
        biases = [self.bias] if self.gates == 1 else split(self.bias, self.gates, 0)
        return [bias_add(part, b) for part, b in zip(parts, biases, strict=True)]

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        one_by_one = not self._masks and (self.dropout or self.recurrent_dropout)
        h = states[0] if nest.is_nest(states) else states
        if one_by_one:
            self.draw_masks(inputs, h, training)
        output, new = self.step(inputs, list(states) if nest.is_nest(states) else [states])
        if one_by_one:
            self.forget_masks()
        return output, new if nest.is_nest(states) else new[0]

    def step(self, x: Any, states: list[Any]) -> Any:
        """(output, new states)"""
        return x, states


@public("keras.layers.SimpleRNNCell")
class SimpleRNNCell(_Cell):
    """h' = activation(x W + b + h U)"""

    def step(self, x: Any, states: list[Any]) -> Any:
        parts = self.biased(self.products("input", x, self.kernel))
        output = self.activation(parts[0] + self.products("state", states[0], self.recurrent_kernel)[0])
        return output, [output]


class _Gated(_Cell):
    """Base of cells with gates: recurrent_activation of the gates."""

    settings = ("recurrent_activation",)

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(units, activation, *args, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)


class LSTMCellV2(_Gated):
    """c' = f c + i act(x W_c + h U_c + b_c), h' = o act(c'); i, f, o by recurrent_activation.

    unit_forget_bias: f's bias begins with 1. Arguments otherwise as of SimpleRNNCell, recurrent_activation third and
    unit_forget_bias eighth.
    Source: Hochreiter & Schmidhuber 1997; Jozefowicz et al. 2015 for the bias.
    """

    settings = ("unit_forget_bias",)
    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, *args, **kwargs,
        )  # fmt: skip
        self.unit_forget_bias = unit_forget_bias

    @property
    def state_size(self) -> Any:
        return [self.units, self.units]

    def first_bias(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        given, units = self.bias_initializer, self.units

        def first(shape: Any, dtype: Any = None) -> Any:
            start, ones = (starting(s, as_dtype(dtype), graph_for()) for s in (given, "ones"))
            parts = [start((units,), dtype=dtype), ones((units,), dtype=dtype), start((2 * units,), dtype=dtype)]
            return concat(parts, 0)

        return first

    def step(self, x: Any, states: list[Any]) -> Any:
        h, c = states
        inputs = self.biased(self.products("input", x, self.kernel))
        i, f, j, o = (a + b for a, b in zip(inputs, self.products("state", h, self.recurrent_kernel), strict=True))
        gate = self.recurrent_activation
        new = gate(f) * c + gate(i) * self.activation(j)
        output = gate(o) * self.activation(new)
        return output, [output, new]


class GRUCellV2(_Gated):
    """h' = z h + (1 - z) act(x W_h + r (h U_h)), z and r by recurrent_activation.

    reset_after: r acts on h U_h, which has a bias of its own, as cuDNN has it; else on h. Source: Cho et al. 2014.
    """

    settings = ("reset_after",)
    gates = 3

    def __init__(self, *args: Any, reset_after: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reset_after = reset_after

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def step(self, x: Any, states: list[Any]) -> Any:
        h = states[0]
        mine, its = (self.bias[0], self.bias[1]) if self.use_bias and self.reset_after else (self.bias, None)
        inputs = self._with(self.products("input", x, self.kernel), mine)
        gate = self.recurrent_activation
        if self.reset_after:
            recurrent = self._with(self.products("state", h, self.recurrent_kernel), its)
            z, r = gate(inputs[0] + recurrent[0]), gate(inputs[1] + recurrent[1])
            candidate = inputs[2] + r * recurrent[2]
        else:
            kernels = split(self.recurrent_kernel, 3, 1)
            z, r = (gate(inputs[g] + matmul(self.masked("state", h, g), kernels[g])) for g in (0, 1))
            candidate = inputs[2] + matmul(r * self.masked("state", h, 2), kernels[2])
        new = z * h + (1 - z) * self.activation(candidate)
        return new, [new]

    @staticmethod
    def _with(parts: list[Any], bias: Any) -> list[Any]:
        if bias is None:
            return parts
        return [bias_add(part, b) for part, b in zip(parts, split(bias, 3, 0), strict=True)]


@public("keras.layers.LSTMCell", v1=None)
class LSTMCell(LSTMCellV2):
    __doc__ = LSTMCellV2.__doc__


@public("keras.layers.GRUCell", v1=None)
class GRUCell(GRUCellV2):
    __doc__ = GRUCellV2.__doc__


@public("keras.layers.StackedRNNCells")
class StackedRNNCells(Layer):
    """Cells one above the other, as one cell. states: a list of the cells' states."""

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cells = list(cells)

    @property
    def state_size(self) -> Any:
        return tuple(c.state_size for c in self.cells)

    @property
    def output_size(self) -> Any:
        last = self.cells[-1]
        return getattr(last, "output_size", None) or nest.leaves_of(last.state_size)[0]

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        kind = as_dtype(dtype or phase.floatx())
        batch = sizes_of(inputs)[0] if inputs is not None else batch_size
        return tuple(zeros_of_size(c.state_size, batch, kind) for c in self.cells)

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            inputs, after = cell(inputs, state, training=training)
            new.append(after)
        return inputs, tuple(new)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cells": described(self.cells)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from pullback.layers.registry import layer_of

        cells = [layer_of(c, custom_objects) for c in config["cells"]]
        return cls(cells, **{k: v for k, v in config.items() if k != "cells"})
