"""`tf.contrib.rnn`: gated cells with one state: of units by themselves, with few gates, with a gate in depth."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.gated_cells import _Cell
from pullback.contrib.lstm_variants import alone
from pullback.contrib.rnn import _Wrapper
from pullback.contrib.unexported import linear


@contrib("rnn", "IndyGRUCell")
class IndyGRUCell(_Cell):
    """A gated unit that sees of the state itself only (as Li et al. 2018, arXiv:1803.04831, have it).

        r, s = sigmoid(x W + u [h, h] + b)        h' = s h + (1 - s) activation(x V + v (r h) + d)

    Args:
      activation: tanh by default. kernel_initializer: of W and V. bias_initializer: of b and d; b begins with ones and
        d with zeros by default.
    Variables: `gates/kernel_w`, `gates/kernel_u`, `gates/bias`, and the same of `candidate`.
    """

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_units, reuse, name=name, dtype=dtype)
        self._activation, self._kernel, self._bias = activation or tf.tanh, kernel_initializer, bias_initializer

    def call(self, inputs: Any, state: Any) -> Any:
        n = self._num_units
        with tf.variable_scope("gates"):
            ones = self._bias or tf.ones_initializer()
            gates = alone(inputs, tf.tile(state, [1, 2]), 2 * n, self._kernel, ones)
        r, s = tf.split(tf.sigmoid(gates), 2, 1)
        with tf.variable_scope("candidate"):
            candidate = alone(inputs, r * state, n, self._kernel, self._bias or tf.zeros_initializer())
        new = s * state + (1 - s) * self._activation(candidate)
        return new, new


@contrib("rnn", "IntersectionRNNCell")
class IntersectionRNNCell(_Cell):
    """A cell with a gate in time and a gate in depth (Collins et al. 2016, arXiv:1611.09913: "+RNN").

        g, a, q, y = [x, h] W + b        s = sigmoid(g + forget_bias)        t = sigmoid(q + forget_bias)
        h' = s h + (1 - s) tanh(a)       output = t x + (1 - t) y_activation(y)

    Args:
      num_in_proj: what inputs of another length than num_units are multiplied to, which must be num_units.
      initializer: of the variables.
    Raises:
      ValueError: the inputs are of another length than num_units, and num_in_proj is not said.
    """

    def __init__(
        self,
        num_units: int,
        num_in_proj: int | None = None,
        initializer: Any = None,
        forget_bias: float = 1.0,
        y_activation: Any = tf.nn.relu,
        reuse: Any = None,
    ) -> None:
        super().__init__(num_units, reuse)
        self._num_in_proj, self._initializer = num_in_proj, initializer
        self._forget_bias, self._activation = forget_bias, y_activation

    def call(self, inputs: Any, state: Any) -> Any:
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._initializer):
            if inputs.shape.as_list()[1] != self._num_units:
                if not self._num_in_proj:
                    raise ValueError(
                        "Must have input size == output size for Intersection RNN. To fix, num_in_proj should be set "
                        "to num_units at cell init."
                    )
                with tf.variable_scope("in_projection"):
                    inputs = linear(inputs, self._num_in_proj, True)
            g, a, q, y = tf.split(linear([inputs, state], 4 * self._num_units, True), 4, 1)
        s, t = tf.sigmoid(g + self._forget_bias), tf.sigmoid(q + self._forget_bias)
        return t * inputs + (1 - t) * self._activation(y), s * state + (1 - s) * tf.tanh(a)


class _Units(_Cell):
    """A cell whose settings are given by name, as Keras does."""

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "ones",
        name: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, kwargs.pop("_reuse", None), name=name, dtype=dtype, **kwargs)
        self._activation = tf.keras.activations.get(activation)
        self._kernel = tf.keras.initializers.get(kernel_initializer)
        self._bias = tf.keras.initializers.get(bias_initializer)


@contrib("rnn", "MinimalRNNCell")
class MinimalRNNCell(_Units):
    """A unit with one gate (Chen 2017, arXiv:1711.06788).

        z = activation(x W)        u = sigmoid([z, h] R + b)        h' = u h + (1 - u) z

    Variables: `kernel` [C, units], `recurrent_kernel` [2 units, units], `bias`.
    """

    def call(self, inputs: Any, state: Any) -> Any:
        n, kind = self._num_units, inputs.dtype
        z = self._activation(
            tf.matmul(inputs, tf.get_variable("kernel", [inputs.shape.as_list()[1], n], kind, self._kernel))
        )
        gate = tf.matmul(tf.concat([z, state], 1), tf.get_variable("recurrent_kernel", [2 * n, n], kind, self._kernel))
        u = tf.sigmoid(tf.nn.bias_add(gate, tf.get_variable("bias", [n], kind, self._bias)))
        new = u * state + (1 - u) * z
        return new, new


@contrib("rnn", "CFNCell")
class CFNCell(_Units):
    """The chaos free network (Laurent & von Brecht 2016, arXiv:1612.06212).

        s, t = sigmoid(x W + h R + b)        h' = s activation(h) + t activation(x V)

    Variables: `kernel` [C, 3 units] (W, then V), `recurrent_kernel` [units, 2 units], `bias` [2 units].
    """

    def call(self, inputs: Any, state: Any) -> Any:
        n, kind = self._num_units, inputs.dtype
        made = tf.matmul(inputs, tf.get_variable("kernel", [inputs.shape.as_list()[1], 3 * n], kind, self._kernel))
        recurrent = tf.get_variable("recurrent_kernel", [n, 2 * n], kind, self._kernel)
        bias = tf.get_variable("bias", [2 * n], kind, self._bias)
        gates = tf.nn.bias_add(made[:, : 2 * n] + tf.matmul(state, recurrent), bias)
        s, t = tf.split(tf.sigmoid(gates), 2, 1)
        new = s * self._activation(state) + t * self._activation(made[:, 2 * n :])
        return new, new


@contrib("rnn", "CompiledWrapper")
class CompiledWrapper(_Wrapper):
    """The cell itself. TensorFlow compiled it by XLA, which changes no number; here a session's plan is compiled as a
    whole. compile_stateful: has no meaning, likewise."""

    def __init__(self, cell: Any, compile_stateful: bool = False) -> None:
        super().__init__(cell, None)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        return self._cell(inputs, state, scope=scope)
