"""TensorFlow 1's recurrent cells: (inputs, state) -> (output, new state), with variables by scope.

    BasicRNNCell    h' = tanh([x, h] W + b)
    GRUCell         r, u = sigmoid([x, h] W + b),  h' = u h + (1 - u) tanh([x, r h] V + c)

x [B, C], h [B, units]. The LSTMs are in lstm_cells.py.
"""

from __future__ import annotations

from typing import Any

from pullback.core import nest
from pullback.core.dtypes import as_dtype
from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape
from pullback.core.tensor import Tensor
from pullback.layers import activations
from pullback.layers.input_spec import InputSpec
from pullback.layers.scoped import Layer
from pullback.layers.sizes import sizes_of
from pullback.modes.default import building
from pullback.modes.scopes import get_variable_scope, variable_scope
from pullback.ops.array.creation import zeros
from pullback.ops.array.joining import concat, stack
from pullback.ops.array.splitting import split
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math.functions import sigmoid
from pullback.ops.math.scopes import scope as named
from pullback.ops.nn.bias import bias_add
from pullback.train.initializers_v1 import constant_initializer, zeros_initializer


def whole_shape(batch: Any, size: Any) -> Any:
    """[batch, *size], as a list or a tensor."""
    sizes = as_shape(size) or () if isinstance(size, (TensorShape, list, tuple)) else (int(size),)
    return stack([batch, *sizes]) if isinstance(batch, Tensor) else [batch, *sizes]


def zeros_of_size(size: Any, batch: Any, dtype: Any) -> Any:
    """Zeros for each size of a nest: [batch, *size]."""
    return nest.mapped(lambda s: zeros(whole_shape(batch, s), as_dtype(dtype)), _sizes(size))


def _sizes(size: Any) -> Any:
    """A nest of sizes whose leaves are ints and TensorShapes."""
    return size.value if hasattr(size, "value") and not isinstance(size, Tensor) else size


@public(v1="nn.rnn_cell.RNNCell")
class RNNCell(Layer):
    """Base of cells: a subclass says `call(inputs, state)`, `state_size` and `output_size`.

    state_size: a size, or a nest of them; a state is a tensor [B, size] for each.
    """

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any) -> Any:
        """One step.

        Args:
          inputs: [B, C]. state: [B, size], or a nest of such.
          scope: the variable scope, in place of the cell's own.
        Returns:
          (output [B, output_size], new state).
        """
        with building():
            outer = get_variable_scope() if scope is None else scope
            with variable_scope(outer, custom_getter=self._found, auxiliary_name_scope=scope is not None) as entered:
                given = {} if scope is None else {"scope": entered}
                return super().__call__(inputs, state, *args, **given, **kwargs)

    def _found(self, getter: Any, *args: Any, **kwargs: Any) -> Any:
        """get_variable, noting what it gives as the cell's."""
        variable = getter(*args, **kwargs)
        if all(variable is not v for v in self._weights):
            self._weights.append(variable)
        return variable

    @property
    def state_size(self) -> Any:
        """The sizes of the state."""
        raise NotImplementedError(f"{type(self).__name__} must say state_size")

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        raise NotImplementedError(f"{type(self).__name__} must say output_size")

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """A state of zeros. batch_size: an int or a scalar tensor."""
        with building(), named(None, f"{type(self).__name__}ZeroState", batch_size):
            return zeros_of_size(self.state_size, batch_size, dtype)

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """`zero_state` for these inputs."""
        if inputs is not None:
            batch_size, dtype = sizes_of(inputs)[0], inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(f"get_initial_state: give inputs, or batch_size and dtype, not {batch_size} and {dtype}")
        return self.zero_state(batch_size, dtype)


class _Units(RNNCell):
    """Base of the cells with variables of their own: number of units, activation."""

    settings = ("activation", "reuse")

    def __init__(self, num_units: int, activation: Any, reuse: Any, name: str | None, dtype: Any, more: Any) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **more)
        self.input_spec = InputSpec(ndim=2)
        self._num_units, self.reuse = num_units, reuse
        self.activation = activations.tanh if activation is None else activations.get(activation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_units": self._num_units}

    def _depth(self, input_shape: Any) -> int:
        """How long the inputs are.

        Raises:
          ValueError: it is not known.
        """
        shape = input_shape[0] if isinstance(input_shape, (list, tuple)) else input_shape
        sizes = as_shape(shape)
        if not sizes or sizes[-1] is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {sizes}")
        self.input_spec = InputSpec(ndim=2, axes={-1: sizes[-1]})
        return sizes[-1]

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units


@public(v1="nn.rnn_cell.BasicRNNCell")
class BasicRNNCell(_Units):
    """h' = activation([x, h] W + b), W [C + units, units]. activation: tanh by default."""

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, activation, reuse, name, dtype, kwargs)

    def build(self, input_shape: Any) -> None:
        depth = self._depth(input_shape)
        self._kernel = self.add_weight("kernel", [depth + self._num_units, self._num_units])
        self._bias = self.add_weight("bias", [self._num_units], initializer=zeros_initializer())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        output = self.activation(bias_add(matmul(concat([inputs, state], 1), self._kernel), self._bias))
        return output, output


@public(v1="nn.rnn_cell.GRUCell")
class GRUCell(_Units):
    """Gated recurrent unit: r, u = sigmoid([x, h] W + b), h' = u h + (1 - u) activation([x, r h] V + c).

    bias_initializer: of b and c; by default b begins with ones, c with zeros. Source: Cho et al. 2014.
    """

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: bool | None = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, activation, reuse, name, dtype, kwargs)
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer

    def build(self, input_shape: Any) -> None:
        units, depth = self._num_units, self._depth(input_shape)
        starts = (constant_initializer(1.0), zeros_initializer())
        if self._bias_initializer is not None:
            starts = (self._bias_initializer,) * 2
        made = []
        for gate, count, start in zip(("gates", "candidate"), (2 * units, units), starts, strict=True):
            made.append(self.add_weight(f"{gate}/kernel", [depth + units, count], initializer=self._kernel_initializer))
            made.append(self.add_weight(f"{gate}/bias", [count], initializer=start))
        self._gate_kernel, self._gate_bias, self._candidate_kernel, self._candidate_bias = made
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        gates = sigmoid(bias_add(matmul(concat([inputs, state], 1), self._gate_kernel), self._gate_bias))
        r, u = split(gates, 2, 1)
        candidate = bias_add(matmul(concat([inputs, r * state], 1), self._candidate_kernel), self._candidate_bias)
        new = u * state + (1 - u) * self.activation(candidate)
        return new, new


@public(v1="nn.rnn_cell.MultiRNNCell")
class MultiRNNCell(RNNCell):
    """Cells one above the other: each takes the output of the one below. state_is_tuple: else states end to end."""

    def __init__(self, cells: Any, state_is_tuple: bool = True) -> None:
        super().__init__()
        if not isinstance(cells, (list, tuple)):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        self._cells, self._state_is_tuple = list(cells), state_is_tuple
        if not state_is_tuple and any(isinstance(c.state_size, (list, tuple)) for c in cells):
            raise ValueError(
                "Some cells return tuples of states, but the flag state_is_tuple is not set: "
                f"{[c.state_size for c in cells]}"
            )

    @property
    def cells(self) -> list[Any]:
        return self._cells

    @property
    def state_size(self) -> Any:
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with building(), named(None, f"{type(self).__name__}ZeroState", batch_size):
            if self._state_is_tuple:
                return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)
            return zeros_of_size(self.state_size, batch_size, dtype)

    def call(self, inputs: Any, state: Any) -> Any:
        if self._state_is_tuple and not nest.is_nest(state):
            raise ValueError(f"Expected state to be a tuple of length {len(self.state_size)}, but received: {state}")
        current, at, states = inputs, 0, []
        for i, cell in enumerate(self._cells):
            with variable_scope(f"cell_{i}"):
                if self._state_is_tuple:
                    given = state[i]
                else:
                    given, at = state[:, at : at + cell.state_size], at + cell.state_size
                current, new = cell(current, given)
                states.append(new)
        return current, tuple(states) if self._state_is_tuple else concat(states, 1)
