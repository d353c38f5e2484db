"""`tf.contrib.rnn`: cells with gates of other kinds, and a gate around any cell."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.rnn import _Wrapper
from pullback.contrib.unexported import linear

_LSTMState = tf.nn.rnn_cell.LSTMStateTuple


class _Cell(tf.nn.rnn_cell.RNNCell):
    """A cell whose state and output are as long as it has units."""

    def __init__(self, num_units: int, reuse: Any, **more: Any) -> None:
        super().__init__(_reuse=reuse, **more)
        self._num_units = num_units

    @property
    def state_size(self) -> Any:
        return self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units


@contrib("rnn", "NASCell")
class NASCell(_Cell):
    """The recurrent cell that a search found (Zoph & Le 2016, arXiv:1611.01578). State: LSTMStateTuple(c, h).

    From eight parts a = x W and m = h R + b:

        c' = tanh(tanh(sigmoid(a0 + m0) relu(a1 + m1)) + c) tanh(sigmoid(a2 + m2) + relu(a3 m3))
        h' = tanh(c' tanh(tanh(tanh(a4 + m4) sigmoid(a5 + m5)) + sigmoid(tanh(a6 + m6) + sigmoid(a7 + m7))))

    Args:
      num_units: how long c is. num_proj: h' is h' P, so long; None: h is as long as c. use_bias: whether there is b.
    Variables: `recurrent_kernel`, `kernel`, `bias`, `projection_weights`.
    """

    def __init__(
        self,
        num_units: int,
        num_proj: int | None = None,
        use_bias: bool = False,
        reuse: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, reuse, **kwargs)
        self._num_proj, self._use_bias = num_proj, use_bias

    @property
    def state_size(self) -> Any:
        return _LSTMState(self._num_units, self.output_size)

    @property
    def output_size(self) -> Any:
        return self._num_proj or self._num_units

    def call(self, inputs: Any, state: Any) -> Any:
        (c, h), wide = state, 8 * self._num_units
        m = tf.matmul(h, tf.get_variable("recurrent_kernel", [self.output_size, wide], inputs.dtype))
        a = tf.matmul(inputs, tf.get_variable("kernel", [inputs.shape.as_list()[1], wide], inputs.dtype))
        if self._use_bias:
            m = tf.nn.bias_add(m, tf.get_variable("bias", [wide], inputs.dtype, tf.zeros_initializer()))
        a, m = tf.split(a, 8, 1), tf.split(m, 8, 1)
        kinds = (tf.sigmoid, tf.nn.relu, tf.sigmoid, None, tf.tanh, tf.sigmoid, tf.tanh, tf.sigmoid)
        s = [tf.nn.relu(x * y) if kind is None else kind(x + y) for kind, x, y in zip(kinds, a, m, strict=True)]
        new = tf.tanh(tf.tanh(s[0] * s[1]) + c) * tf.tanh(s[2] + s[3])
        output = tf.tanh(new * tf.tanh(tf.tanh(s[4] * s[5]) + tf.sigmoid(s[6] + s[7])))
        if self._num_proj:
            shape = [self._num_units, self._num_proj]
            output = tf.matmul(output, tf.get_variable("projection_weights", shape, inputs.dtype))
        return output, _LSTMState(new, output)


@contrib("rnn", "UGRNNCell")
class UGRNNCell(_Cell):
    """The update gate network (Collins, Sohl-Dickstein & Sussillo 2016, arXiv:1611.09913).

        g, c = [x, h] W + b        h' = s h + (1 - s) activation(c),    s = sigmoid(g + forget_bias)

    initializer: of the scope's variables.
    """

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        forget_bias: float = 1.0,
        activation: Any = tf.tanh,
        reuse: Any = None,
    ) -> None:
        super().__init__(num_units, reuse)
        self._initializer, self._forget_bias, self._activation = initializer, forget_bias, activation

    def call(self, inputs: Any, state: Any) -> Any:
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._initializer):
            g, c = tf.split(linear([inputs, state], 2 * self._num_units, True), 2, 1)
        gate = tf.sigmoid(g + self._forget_bias)
        new = gate * state + (1 - gate) * self._activation(c)
        return new, new


@contrib("rnn", "SRUCell")
class SRUCell(_Cell):
    """The simple recurrent unit, whose products do not wait for the state (Lei et al. 2017, arXiv:1709.02755).

        z, f, r, t = x W      f, r = sigmoid([f, r] + b)      c' = f c + (1 - f) z      h = r activation(c') + (1 - r) t

    activation: tanh by default. The state is c. Variables: `kernel` [C, 4 num_units], `bias` [2 num_units].
    """

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(num_units, reuse, name=name, **kwargs)
        self._activation = activation or tf.tanh

    def call(self, inputs: Any, state: Any) -> Any:
        n = self._num_units
        z, gates, t = tf.split(linear(inputs, 4 * n, False), [n, 2 * n, n], 1)
        bias = tf.get_variable("bias", [2 * n], inputs.dtype, tf.zeros_initializer())
        f, r = tf.split(tf.sigmoid(tf.nn.bias_add(gates, bias)), 2, 1)
        new = f * state + (1 - f) * z
        return r * self._activation(new) + (1 - r) * t, new


@contrib("rnn", "IndRNNCell")
class IndRNNCell(_Cell):
    """Units that see of the state themselves only: h' = activation(x W + u h + b) (Li et al. 2018, arXiv:1803.04831).

    activation: tanh by default. Variables: `kernel_w` [C, num_units], `kernel_u` [1, num_units] from -1 to 1, `bias`.
    """

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(num_units, reuse, name=name, dtype=dtype)
        self._activation = activation or tf.tanh

    def call(self, inputs: Any, state: Any) -> Any:
        n, kind = self._num_units, inputs.dtype
        w = tf.get_variable("kernel_w", [inputs.shape.as_list()[1], n], kind)
        u = tf.get_variable("kernel_u", [1, n], kind, tf.random_uniform_initializer(-1, 1, dtype=kind))
        bias = tf.get_variable("bias", [n], kind, tf.zeros_initializer())
        new = self._activation(tf.nn.bias_add(tf.matmul(inputs, w) + u * state, bias))
        return new, new


@contrib("rnn", "HighwayWrapper")
class HighwayWrapper(_Wrapper):
    """A cell, as long in as out, past which a gate carries its input (Srivastava et al. 2015, arXiv:1505.00387).

        g = sigmoid(x W + b)        g x + t cell(x),    t = 1 - g, or a gate of its own

    Args:
      couple_carry_transform_gates: whether t = 1 - g. carry_bias_init: where b begins; t's own begins at its negative.
    Variables: `carry_w`, `carry_b`; `transform_w`, `transform_b`.
    """

    def __init__(self, cell: Any, couple_carry_transform_gates: bool = True, carry_bias_init: float = 1.0) -> None:
        super().__init__(cell, None)
        self._couples, self._begin = couple_carry_transform_gates, carry_bias_init

    def call(self, inputs: Any, state: Any) -> Any:
        output, state = self._cell(inputs, state)
        tf.nest.assert_same_structure(inputs, output)
        pairs = zip(tf.nest.flatten(inputs), tf.nest.flatten(output), strict=True)
        return tf.nest.pack_sequence_as(output, [self._gated(x, y) for x, y in pairs]), state

    def _gated(self, x: Any, y: Any) -> Any:
        carry = self._gate("carry", x, self._begin)
        return x * carry + y * (1 - carry if self._couples else self._gate("transform", x, -self._begin))

    def _gate(self, name: str, x: Any, begin: float) -> Any:
        n = x.shape.as_list()[1]
        w = tf.get_variable(f"{name}_w", [n, n], x.dtype)
        return tf.sigmoid(
            tf.nn.xw_plus_b(x, w, tf.get_variable(f"{name}_b", [n], x.dtype, tf.constant_initializer(begin)))
        )
