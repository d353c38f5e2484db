"""`tf.contrib.rnn` beyond the cells of `tf.nn.rnn_cell`: projections, embedding, layer normalisation, stacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core.errors import ArgumentError
from pullback.layers.rnn_steps import check_cell


def _projected(x: Any, size: int, activation: Any) -> Any:
    """activation(x W + b), variables `kernel` and `bias`."""
    kernel = tf.get_variable("kernel", [x.shape.as_list()[1], size], x.dtype)
    y = tf.nn.xw_plus_b(x, kernel, tf.get_variable("bias", [size], x.dtype, tf.zeros_initializer()))
    return y if activation is None else activation(y)


class _Wrapper(tf.nn.rnn_cell.RNNCell):
    """A cell in front or behind which something is done."""

    def __init__(self, cell: Any, reuse: Any) -> None:
        check_cell(type(self).__name__, cell)
        super().__init__(_reuse=reuse)
        self._cell = cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        return self._cell.zero_state(batch_size, dtype)


@contrib("rnn", "OutputProjectionWrapper")
class OutputProjectionWrapper(_Wrapper):
    """A cell whose output is multiplied by a matrix: activation(y W + b), of length output_size."""

    def __init__(self, cell: Any, output_size: int, activation: Any = None, reuse: Any = None) -> None:
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ArgumentError(f"Parameter output_size must be > 0: {output_size}.").locate()
        self._output_size, self._activation = output_size, activation

    @property
    def output_size(self) -> Any:
        return self._output_size

    def call(self, inputs: Any, state: Any) -> Any:
        output, state = self._cell(inputs, state)
        return _projected(output, self._output_size, self._activation), state


@contrib("rnn", "InputProjectionWrapper")
class InputProjectionWrapper(_Wrapper):
    """A cell whose input is multiplied by a matrix: activation(x W + b), of length num_proj.

    input_size: must be None.
    """

    def __init__(
        self, cell: Any, num_proj: int, activation: Any = None, input_size: Any = None, reuse: Any = None
    ) -> None:
        super().__init__(cell, reuse)
        if input_size is not None:
            raise ArgumentError("InputProjectionWrapper: input_size is not used; leave it out").locate()
        self._num_proj, self._activation = num_proj, activation

    def call(self, inputs: Any, state: Any) -> Any:
        return self._cell(_projected(inputs, self._num_proj, self._activation), state)


@contrib("rnn", "EmbeddingWrapper")
class EmbeddingWrapper(_Wrapper):
    """A cell whose input is words: int [B], or [B, 1], looked up in a variable `embedding`.

    initializer: of the table; by default the scope's, else uniform between -sqrt(3) and sqrt(3).
    """

    def __init__(
        self, cell: Any, embedding_classes: int, embedding_size: int, initializer: Any = None, reuse: Any = None
    ) -> None:
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ArgumentError(
                f"Both embedding_classes and embedding_size must be > 0: {embedding_classes}, {embedding_size}."
            ).locate()
        self._shape, self._initializer = [embedding_classes, embedding_size], initializer

    def call(self, inputs: Any, state: Any) -> Any:
        initializer = self._initializer or tf.get_variable_scope().initializer
        if initializer is None:
            initializer = tf.random_uniform_initializer(-(3**0.5), 3**0.5)
        parts = state if isinstance(state, tuple) else (state,)
        table = tf.get_variable("embedding", self._shape, parts[0].dtype, initializer)
        return self._cell(tf.nn.embedding_lookup(table, tf.reshape(inputs, [-1])), state)


@contrib("rnn", "LayerNormBasicLSTMCell")
class LayerNormBasicLSTMCell(tf.nn.rnn_cell.RNNCell):
    """LSTM whose gates and contents are layer-normalised, with dropout of new contents.

    Args:
      forget_bias: added to the forget gate. activation: of new contents and of the output.
      layer_norm: False leaves normalisation out; then the kernel has a bias.
      norm_gain, norm_shift: where gamma and beta begin.
      dropout_keep_prob, dropout_prob_seed: of new contents (Semeniuta et al. 2016). input_size: must be None.
    Source: Ba, Kiros, Hinton (2016), arXiv:1607.06450.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        activation: Any = tf.tanh,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        if input_size is not None:
            raise ArgumentError("LayerNormBasicLSTMCell: input_size is not used; leave it out").locate()
        self._num_units, self._activation, self._forget_bias = num_units, activation, forget_bias
        self._layer_norm, self._gain, self._shift = layer_norm, norm_gain, norm_shift
        self._keep_prob, self._seed = dropout_keep_prob, dropout_prob_seed

    @property
    def state_size(self) -> Any:
        return tf.nn.rnn_cell.LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self) -> Any:
        return self._num_units

    def _normalized(self, x: Any, scope: str) -> Any:
        """Each row with mean 0 and deviation 1, times gamma plus beta, variables under `scope`."""
        if not self._layer_norm:
            return x
        with tf.variable_scope(scope):
            size = x.shape.as_list()[-1:]
            gamma = tf.get_variable("gamma", size, x.dtype, tf.constant_initializer(self._gain))
            beta = tf.get_variable("beta", size, x.dtype, tf.constant_initializer(self._shift))
        mean, variance = tf.nn.moments(x, [1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = state
        x = tf.concat([inputs, h], 1)
        gates = tf.matmul(x, tf.get_variable("kernel", [x.shape.as_list()[-1], 4 * self._num_units], x.dtype))
        if not self._layer_norm:
            gates += tf.get_variable("bias", [4 * self._num_units], x.dtype, tf.zeros_initializer())
        parts = tf.split(gates, 4, 1)
        names = ("input", "transform", "forget", "output")
        i, j, f, o = (self._normalized(part, name) for part, name in zip(parts, names, strict=True))
        new = self._activation(j)
        if isinstance(self._keep_prob, tf.Tensor) or self._keep_prob < 1:
            new = tf.nn.dropout(new, self._keep_prob, seed=self._seed)
        c = self._normalized(c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * new, "state")
        h = self._activation(c) * tf.sigmoid(o)
        return h, tf.nn.rnn_cell.LSTMStateTuple(c, h)


def _stacks(cells_fw: Any, cells_bw: Any, states_fw: Any, states_bw: Any) -> list[tuple[Any, Any, Any, Any]]:
    """(cell forward, backward, state forward, backward) of each layer.

    Raises:
      ValueError: the lists are empty, no lists, or differ in length.
    """
    for what, cells, states in (("fw", cells_fw, states_fw), ("bw", cells_bw, states_bw)):
        if not isinstance(cells, list) or not cells:
            raise ValueError(f"cells_{what} must be a list with at least one cell")
        if states is not None and (not isinstance(states, list) or len(states) != len(cells)):
            raise ValueError(f"initial_states_{what} must be a list of {len(cells)} states, one a cell")
    if len(cells_fw) != len(cells_bw):
        raise ValueError(f"Forward and backward cells must have the same depth: {len(cells_fw)}, {len(cells_bw)}")
    nothing = [None] * len(cells_fw)
    return list(zip(cells_fw, cells_bw, states_fw or nothing, states_bw or nothing, strict=True))


@contrib("rnn", "stack_bidirectional_rnn")
def stack_bidirectional_rnn(
    cells_fw: list[Any],
    cells_bw: list[Any],
    inputs: Sequence[Any],
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """Layers of `tf.nn.static_bidirectional_rnn`, each on both outputs of the one below.

    Returns:
      (outputs of the last layer, states forward, states backward, a tuple of one a layer each).
    """
    forward, backward, outputs = [], [], list(inputs)
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (fw, bw, state_fw, state_bw) in enumerate(
            _stacks(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
        ):
            with tf.variable_scope(f"cell_{i}") as inner:
                outputs, last_fw, last_bw = tf.nn.static_bidirectional_rnn(
                    fw, bw, outputs, state_fw, state_bw, dtype, sequence_length, scope=inner
                )
            forward.append(last_fw)
            backward.append(last_bw)
    return outputs, tuple(forward), tuple(backward)


@contrib("rnn", "stack_bidirectional_dynamic_rnn")
def stack_bidirectional_dynamic_rnn(
    cells_fw: list[Any],
    cells_bw: list[Any],
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """Layers of `tf.nn.bidirectional_dynamic_rnn`, each on both outputs of the one below, end to end.

    Returns:
      (outputs of the last layer, states forward, states backward, a tuple of one a layer each).
    """
    forward, backward, outputs = [], [], inputs
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (fw, bw, state_fw, state_bw) in enumerate(
            _stacks(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
        ):
            with tf.variable_scope(f"cell_{i}"):
                both, (last_fw, last_bw) = tf.nn.bidirectional_dynamic_rnn(
                    fw, bw, outputs, sequence_length, state_fw, state_bw, dtype, parallel_iterations,
                    time_major=time_major,
                )  # fmt: skip
                outputs = tf.concat(both, 2)
            forward.append(last_fw)
            backward.append(last_bw)
    return outputs, tuple(forward), tuple(backward)
