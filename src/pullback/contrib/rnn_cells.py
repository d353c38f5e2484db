"""`tf.contrib.rnn`: block cells, attention over the last outputs, convolutional cells."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.unexported import linear
from pullback.core.errors import ArgumentError
from pullback.layers.rnn_steps import check_cell

_LSTMState = tf.nn.rnn_cell.LSTMStateTuple


@contrib("rnn", "LSTMBlockCell")
class LSTMBlockCell(tf.nn.rnn_cell.RNNCell):
    """BasicLSTMCell's formula, with peepholes and a bound of the cell if wanted. State: LSTMStateTuple(c, h).

        c' = sigmoid(f + forget_bias) c + sigmoid(i) tanh(j)        h' = sigmoid(o) tanh(c')

    Args:
      num_units: how long h is. forget_bias: added to f. cell_clip: c' is held within [-cell_clip, cell_clip]; None: no.
      use_peephole: i and f see c, and o sees c', by weights `w_i_diag`, `w_f_diag`, `w_o_diag`.
    Variables: `kernel` [C + num_units, 4 num_units] (i, j, f, o) and `bias`, as BasicLSTMCell's.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        dtype: Any = None,
        reuse: Any = None,
        name: str = "lstm_cell",
    ) -> None:
        super().__init__(_reuse=reuse, dtype=dtype, name=name)
        self._num_units, self._forget_bias = num_units, forget_bias
        self._clip, self._peephole = cell_clip, use_peephole

    @property
    def state_size(self) -> Any:
        return _LSTMState(self._num_units, self._num_units)

    @property
    def output_size(self) -> int:
        return self._num_units

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = (tf.convert_to_tensor(s) for s in state)
        i, j, f, o = tf.split(linear([inputs, h], 4 * self._num_units, True), 4, axis=1)
        f = f + self._forget_bias
        if self._peephole:
            wi, wf, wo = (tf.get_variable(f"w_{gate}_diag", [self._num_units], inputs.dtype) for gate in "ifo")
            i, f = i + c * wi, f + c * wf
        new = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
        if self._clip is not None and self._clip > 0:
            new = tf.clip_by_value(new, -self._clip, self._clip)
        o = o + new * wo if self._peephole else o  # pyright: ignore[reportPossiblyUnboundVariable]
        output = tf.sigmoid(o) * tf.tanh(new)
        return output, _LSTMState(new, output)


def _gru_block(name: str) -> Any:
    class GRUBlockCell(tf.nn.rnn_cell.GRUCell):
        """GRUCell's formula and variables: `gates/kernel`, `gates/bias`, `candidate/kernel`, `candidate/bias`.

        Args:
          num_units: how long the state is; cell_size is its former name.
        """

        def __init__(
            self, num_units: int | None = None, cell_size: int | None = None, reuse: Any = None, name: str = "gru_cell"
        ) -> None:
            if (num_units is None) == (cell_size is None):
                raise ValueError("give one of num_units and cell_size")
            units: Any = cell_size if num_units is None else num_units
            super().__init__(units, reuse=reuse, name=name)

    GRUBlockCell.__name__ = GRUBlockCell.__qualname__ = name
    return contrib("rnn", name)(GRUBlockCell)


GRUBlockCell, GRUBlockCellV2 = _gru_block("GRUBlockCell"), _gru_block("GRUBlockCellV2")


@contrib("rnn", "AttentionCellWrapper")
class AttentionCellWrapper(tf.nn.rnn_cell.RNNCell):
    """A cell that looks back at its last outputs, as much as they fit its state.

        x' = [x, a] W1 + b1      m', s' = cell(x', s)      a' = sum_t softmax_t(v tanh(K o_t + [s'] W2 + b2)) o_t
        o' = [m', a'] W3 + b3    which joins the last outputs o_t

    Args:
      cell: within. attn_length: how many outputs it looks back.
      attn_size: how long they are, attn_vec_size: the space in which they are compared; the cell's output size by
      default. input_size: of x'; of x by default.
      state_is_tuple: the state is (the cell's, a [B,attn_size], outputs [B,attn_length attn_size]). Must be True.
    Source: Bahdanau, Cho & Bengio 2015.
    """

    def __init__(
        self,
        cell: Any,
        attn_length: int,
        attn_size: int | None = None,
        attn_vec_size: int | None = None,
        input_size: int | None = None,
        state_is_tuple: bool = True,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        check_cell("AttentionCellWrapper", cell)
        if attn_length <= 0:
            raise ArgumentError(f"attn_length should be greater than zero, got {attn_length}").locate()
        if not state_is_tuple:
            raise ArgumentError("AttentionCellWrapper: the state is a tuple; leave state_is_tuple out").locate()
        self._cell, self._length, self._input_size = cell, attn_length, input_size
        self._attn_size = cell.output_size if attn_size is None else attn_size
        self._vec_size = cell.output_size if attn_vec_size is None else attn_vec_size

    @property
    def state_size(self) -> Any:
        return self._cell.state_size, self._attn_size, self._attn_size * self._length

    @property
    def output_size(self) -> int:
        return self._attn_size

    def call(self, inputs: Any, state: Any) -> Any:
        inner, attended, outputs = state
        before = tf.reshape(outputs, [-1, self._length, self._attn_size])
        size = self._input_size or inputs.shape.as_list()[1]
        output, inner = self._cell(linear([inputs, attended], size, True), inner)
        whole = tf.concat(tf.nest.flatten(inner), 1)
        attended = self._attended(whole, before)
        with tf.variable_scope("attn_output_projection"):
            output = linear([output, attended], self._attn_size, True)
        after = tf.concat([before[:, 1:], output[:, None]], 1)
        return output, (inner, attended, tf.reshape(after, [-1, self._length * self._attn_size]))

    def _attended(self, query: Any, outputs: Any) -> Any:
        with tf.variable_scope("attention"):
            kernel = tf.get_variable("attn_w", [1, 1, self._attn_size, self._vec_size], query.dtype)
            v = tf.get_variable("attn_v", [self._vec_size], query.dtype)
            hidden = outputs[:, :, None]
            features = tf.nn.conv2d(hidden, kernel, [1, 1, 1, 1], "SAME")
            y = tf.reshape(linear(query, self._vec_size, True), [-1, 1, 1, self._vec_size])
            weights = tf.nn.softmax(tf.reduce_sum(v * tf.tanh(features + y), [2, 3]))
            return tf.reduce_sum(weights[:, :, None] * outputs, 1)


@contrib("rnn", "ConvLSTMCell")
class ConvLSTMCell(tf.nn.rnn_cell.RNNCell):
    """Long short-term memory whose product is a convolution. State: LSTMStateTuple(c, h), of the output's shape.

    Args:
      conv_ndims: 1, 2 or 3 axes. input_shape: of a step without the batch, the channels last.
      output_channels: of h. kernel_shape: a size for each axis. use_bias: add `biases`.
      skip_connection: the output is h with the inputs behind. forget_bias: added to the forget gate.
      initializers: unused by TensorFlow; must be None.
    Variables: `kernel` [*kernel_shape, C + output_channels, 4 output_channels] (i, j, f, o), `biases`.
    Source: Shi et al. 2015.
    """

    def __init__(
        self,
        conv_ndims: int,
        input_shape: Any,
        output_channels: int,
        kernel_shape: Any,
        use_bias: bool = True,
        skip_connection: bool = False,
        forget_bias: float = 1.0,
        initializers: Any = None,
        name: str = "conv_lstm_cell",
    ) -> None:
        super().__init__(name=name)
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"Invalid input_shape {input_shape} for conv_ndims={conv_ndims}.")
        if initializers is not None:
            raise ArgumentError("ConvLSTMCell: initializers is not used; leave it out").locate()
        self._axes, self._input_shape, self._channels = conv_ndims, list(input_shape), output_channels
        self._kernel_shape, self._bias, self._forget_bias = list(kernel_shape), use_bias, forget_bias
        self._skip = skip_connection

    @property
    def state_size(self) -> Any:
        size = tf.TensorShape([*self._input_shape[:-1], self._channels])
        return _LSTMState(size, size)

    @property
    def output_size(self) -> Any:
        more = self._input_shape[-1] if self._skip else 0
        return tf.TensorShape([*self._input_shape[:-1], self._channels + more])

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = state
        joined = tf.concat([inputs, h], axis=self._axes + 1)
        shape = [*self._kernel_shape, joined.shape.as_list()[-1], 4 * self._channels]
        gates = tf.nn.convolution(joined, tf.get_variable("kernel", shape, inputs.dtype), "SAME")
        if self._bias:
            gates += tf.get_variable("biases", [4 * self._channels], inputs.dtype, tf.zeros_initializer())
        i, j, f, o = tf.split(gates, 4, axis=self._axes + 1)
        new = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
        output = tf.tanh(new) * tf.sigmoid(o)
        shown = tf.concat([output, inputs], axis=self._axes + 1) if self._skip else output
        return shown, _LSTMState(new, output)


def _of_axes(axes: int) -> Any:
    name = f"Conv{axes}DLSTMCell"

    class Cell(ConvLSTMCell):
        __doc__ = f"ConvLSTMCell along {axes} axes."

        def __init__(self, name: str = f"conv_{axes}d_lstm_cell", **kwargs: Any) -> None:
            super().__init__(conv_ndims=axes, name=name, **kwargs)

    Cell.__name__ = Cell.__qualname__ = name
    return contrib("rnn", name)(Cell)


Conv1DLSTMCell, Conv2DLSTMCell, Conv3DLSTMCell = (_of_axes(n) for n in (1, 2, 3))
