"""`tf.contrib.cudnn_rnn`: stacks of recurrent layers by cuDNN's formulas, on the CPU.

cuDNN keeps all weights of a stack in one buffer whose order is its own. Here they are the variables that checkpoints
of such a stack hold: those of the compatible cells, so that checkpoints go back and forth.

    cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell/kernel                             one direction
    cudnn_lstm/stack_bidirectional_rnn/cell_0/bidirectional_rnn/fw/cudnn_compatible_lstm_cell/kernel   two
"""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.rnn import stack_bidirectional_dynamic_rnn
from pullback.contrib.rnn_cells import LSTMBlockCell
from pullback.core.errors import ArgumentError
from pullback.core.names import public_value

CUDNN_RNN_UNIDIRECTION, CUDNN_RNN_BIDIRECTION = "unidirectional", "bidirectional"
public_value("CUDNN_RNN_UNIDIRECTION", v1="contrib.cudnn_rnn.CUDNN_RNN_UNIDIRECTION")
public_value("CUDNN_RNN_BIDIRECTION", v1="contrib.cudnn_rnn.CUDNN_RNN_BIDIRECTION")
_LSTMState = tf.nn.rnn_cell.LSTMStateTuple


@contrib("cudnn_rnn", "CudnnCompatibleLSTMCell")
class CudnnCompatibleLSTMCell(LSTMBlockCell):
    """One step of a `CudnnLSTM` layer: LSTMBlockCell's formula, nothing added to the forget gate."""

    def __init__(self, num_units: int, reuse: Any = None) -> None:
        super().__init__(num_units, forget_bias=0.0, reuse=reuse, name="cudnn_compatible_lstm_cell")


@contrib("cudnn_rnn", "CudnnCompatibleGRUCell")
class CudnnCompatibleGRUCell(tf.nn.rnn_cell.RNNCell):
    """One step of a `CudnnGRU` layer: a GRU whose reset gate meets the product of the state, not the state.

        r, u = sigmoid([x, h] W + b)        h' = u h + (1 - u) tanh(x V + c + r (h R + d))

    kernel_initializer: of W, V, R. b begins with ones, c and d with zeros.
    Variables: `gates/kernel`, `gates/bias`, `candidate/input_projection/kernel`, `candidate/hidden_projection/kernel`
      and their `bias`.
    """

    def __init__(self, num_units: int, reuse: Any = None, kernel_initializer: Any = None) -> None:
        super().__init__(_reuse=reuse, name="cudnn_compatible_gru_cell")
        self._num_units, self._begin = num_units, kernel_initializer

    @property
    def state_size(self) -> int:
        return self._num_units

    @property
    def output_size(self) -> int:
        return self._num_units

    def _affine(self, scope: str, x: Any, size: int, bias: Any) -> Any:
        with tf.variable_scope(scope):
            kernel = tf.get_variable("kernel", [x.shape.as_list()[1], size], x.dtype, self._begin)
            return tf.nn.xw_plus_b(x, kernel, tf.get_variable("bias", [size], x.dtype, bias))

    def call(self, inputs: Any, state: Any) -> Any:
        n, zeros = self._num_units, tf.zeros_initializer()
        gates = self._affine("gates", tf.concat([inputs, state], 1), 2 * n, tf.ones_initializer())
        r, u = tf.split(tf.sigmoid(gates), 2, 1)
        with tf.variable_scope("candidate"):
            x = self._affine("input_projection", inputs, n, zeros)
            h = self._affine("hidden_projection", state, n, zeros)
        new = u * state + (1 - u) * tf.tanh(x + r * h)
        return new, new


class _CudnnRNN(tf.layers.Layer):
    """A stack of recurrent layers.

    Args:
      num_layers, num_units: how many layers, of how many units in a direction.
      input_mode: "linear_input": the first layer multiplies its inputs as the others do; must be so.
      direction: "unidirectional" or "bidirectional"; then a layer sees the outputs of both directions of the one below.
      dropout: the share of the outputs between two layers that is dropped in training, by `seed`.
      kernel_initializer, bias_initializer: of the variables as they are kept; by default glorot_uniform and zeros.
    """

    _rnn_mode = ""
    _states = 1
    _cell: Any  # a method of each kind: a new cell of one layer

    def __init__(
        self,
        num_layers: int,
        num_units: int,
        input_mode: str = "linear_input",
        direction: str = CUDNN_RNN_UNIDIRECTION,
        dropout: float = 0.0,
        seed: int | None = None,
        dtype: Any = tf.float32,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=dtype, name=name)
        if direction not in (CUDNN_RNN_UNIDIRECTION, CUDNN_RNN_BIDIRECTION):
            raise ValueError(
                f"{type(self).__name__}: direction must be unidirectional or bidirectional, not {direction!r}"
            )
        if input_mode != "linear_input":
            raise ArgumentError(
                f"{type(self).__name__}: input_mode must be 'linear_input', not {input_mode!r}"
            ).locate()
        self._num_layers, self._num_units, self._direction = num_layers, num_units, direction
        self._dropout, self._seed = dropout, seed
        self._kernel_begin = kernel_initializer or tf.glorot_uniform_initializer()
        self._bias_begin = bias_initializer or tf.zeros_initializer()

    @property
    def num_layers(self) -> int:
        return self._num_layers

    @property
    def num_units(self) -> int:
        return self._num_units

    @property
    def rnn_mode(self) -> str:
        return self._rnn_mode

    @property
    def input_mode(self) -> str:
        return "linear_input"

    @property
    def direction(self) -> str:
        return self._direction

    @property
    def num_dirs(self) -> int:
        return 2 if self._direction == CUDNN_RNN_BIDIRECTION else 1

    def state_shape(self, batch_size: int) -> tuple[list[int], ...]:
        """The shape of each tensor of a state: [num_layers num_dirs, batch_size, num_units]."""
        return ([self.num_layers * self.num_dirs, batch_size, self.num_units],) * self._states

    def _cells(self, training: bool) -> list[Any]:
        """A cell for each layer; between layers outputs are dropped."""
        cells = [self._cell() for _ in range(self._num_layers)]
        if not training or not self._dropout:
            return cells
        kept, drop = 1 - self._dropout, tf.nn.rnn_cell.DropoutWrapper
        seeds = [None if self._seed is None else self._seed + i for i in range(self._num_layers)]
        below = [drop(cell, output_keep_prob=kept, seed=s) for cell, s in zip(cells[:-1], seeds, strict=False)]
        return [*below, cells[-1]]

    def call(
        self,
        inputs: Any,
        initial_state: Any = None,
        sequence_lengths: Any = None,
        time_major: bool = True,
        training: bool = True,
    ) -> Any:
        """All steps.

        Args:
          inputs: [T,B,C], or [B,T,C] where not time_major.
          initial_state: a tuple as `state_shape` says, where not time_major with the batch first: (h, c) of an LSTM,
            (h,) of others; zeros by default. sequence_lengths: int [B]: further outputs are zero, and the state stays.
          training: True or False: whether outputs between layers are dropped.
        Returns:
          (outputs, with num_units num_dirs last; the last state, as initial_state).
        """
        if not isinstance(training, bool):
            raise TypeError(f"{type(self).__name__}: training must be True or False, not {training!r}")
        if not time_major:
            inputs = tf.transpose(inputs, [1, 0, 2])
            if initial_state is not None:
                initial_state = tuple(tf.transpose(s, [1, 0, 2]) for s in initial_state)
        states = self._taken(initial_state)
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._begun, custom_getter=self._noting):
            outputs, made = (self._both if self.num_dirs == 2 else self._forward)(
                inputs, states, sequence_lengths, training
            )
        state = self._given(made)
        if time_major:
            return outputs, state
        return tf.transpose(outputs, [1, 0, 2]), tuple(tf.transpose(s, [1, 0, 2]) for s in state)

    def _begun(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        """Where kernels begin."""
        return self._kernel_begin(shape, dtype=dtype)

    def _noting(self, getter: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        """get_variable, noting what it gives as the layer's; biases begin as the layer's do."""
        if name.endswith("bias"):
            kwargs["initializer"] = self._bias_begin
        made = getter(name, *args, **kwargs)
        if all(made is not v for v in self._weights):
            self._weights.append(made)
        return made

    def _forward(self, inputs: Any, states: Any, lengths: Any, training: bool) -> Any:
        stack = tf.nn.rnn_cell.MultiRNNCell(self._cells(training))
        begin = None if states is None else tuple(states)
        outputs, made = tf.nn.dynamic_rnn(stack, inputs, lengths, begin, inputs.dtype, time_major=True)
        return outputs, list(made)

    def _both(self, inputs: Any, states: Any, lengths: Any, training: bool) -> Any:
        forward, backward = self._cells(training), self._cells(training)
        begins = (None, None) if states is None else (states[::2], states[1::2])
        outputs, last_fw, last_bw = stack_bidirectional_dynamic_rnn(
            forward, backward, inputs, *begins, inputs.dtype, lengths, time_major=True
        )
        return outputs, [s for pair in zip(last_fw, last_bw, strict=True) for s in pair]

    def _taken(self, given: Any) -> list[Any] | None:
        """A state for each cell, layer by layer, forward before backward."""
        if given is None:
            return None
        if not isinstance(given, tuple) or len(given) != self._states:
            raise ValueError(f"{type(self).__name__}: initial_state must be a tuple of {self._states}, not {given!r}")
        count = self._num_layers * self.num_dirs
        parts = [tf.unstack(tf.convert_to_tensor(s), count) for s in given]
        return [_LSTMState(c, h) for h, c in zip(*parts, strict=True)] if self._states == 2 else parts[0]

    def _given(self, states: list[Any]) -> tuple[Any, ...]:
        if self._states == 2:
            return tf.stack([s.h for s in states]), tf.stack([s.c for s in states])
        return (tf.stack(states),)


@contrib("cudnn_rnn", "CudnnLSTM")
class CudnnLSTM(_CudnnRNN):
    """Layers of CudnnCompatibleLSTMCell. State: (h, c); its arguments stand at its base."""

    _rnn_mode, _states = "lstm", 2

    def _cell(self) -> Any:
        return CudnnCompatibleLSTMCell(self._num_units)


@contrib("cudnn_rnn", "CudnnGRU")
class CudnnGRU(_CudnnRNN):
    """Layers of CudnnCompatibleGRUCell. State: (h,); its arguments stand at its base."""

    _rnn_mode = "gru"

    def _cell(self) -> Any:
        return CudnnCompatibleGRUCell(self._num_units)


@contrib("cudnn_rnn", "CudnnRNNTanh")
class CudnnRNNTanh(_CudnnRNN):
    """Layers of BasicRNNCell. State: (h,); its arguments stand at its base."""

    _rnn_mode = "rnn_tanh"

    def _cell(self) -> Any:
        return tf.nn.rnn_cell.BasicRNNCell(self._num_units, tf.tanh)


@contrib("cudnn_rnn", "CudnnRNNRelu")
class CudnnRNNRelu(_CudnnRNN):
    """Layers of BasicRNNCell with relu. State: (h,); its arguments stand at its base."""

    _rnn_mode = "rnn_relu"

    def _cell(self) -> Any:
        return tf.nn.rnn_cell.BasicRNNCell(self._num_units, tf.nn.relu)
