"""`tf.contrib.rnn`: long short-term memories with coupled gates, in groups, with a clock, of units by themselves."""

from __future__ import annotations

import math
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.gated_cells import _Cell
from pullback.contrib.unexported import linear
from pullback.core.errors import ArgumentError

_LSTMState = tf.nn.rnn_cell.LSTMStateTuple


class _LSTM(_Cell):
    """A cell whose state is (c, h). num_proj: how long h is, if not as long as c."""

    def __init__(self, num_units: int, num_proj: int | None, reuse: Any, **more: Any) -> None:
        super().__init__(num_units, reuse, **more)
        self._num_proj = num_proj

    @property
    def state_size(self) -> Any:
        return _LSTMState(self._num_units, self.output_size)

    @property
    def output_size(self) -> Any:
        return self._num_proj or self._num_units


@contrib("rnn", "CoupledInputForgetGateLSTMCell")
class CoupledInputForgetGateLSTMCell(_LSTM):
    """A memory that takes in as much as it forgets (Greff et al. 2015, arXiv:1503.04069). State: LSTMStateTuple(c, h).

        j, f, o = [x, h] W + b        s = sigmoid(f + forget_bias)        c' = s c + (1 - s) activation(j)
        h' = sigmoid(o) activation(c') P,    held within [-proj_clip, proj_clip]

    Args:
      use_peepholes: f sees c, and o sees c', by `W_F_diag`, `W_O_diag`. initializer: of the variables.
      num_proj: how long h is, by `W_P_0`; None: as c, without P. proj_clip: needs num_proj.
      layer_norm: j, f, o and c' are normalised, with gamma from norm_gain and beta from norm_shift; then there is no b.
      num_unit_shards, num_proj_shards, state_is_tuple: must be 1, 1 and True.
    Variables: `W_0` [C + len(h), 3 num_units], `B`.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int = 1,
        num_proj_shards: int = 1,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = tf.tanh,
        reuse: Any = None,
        layer_norm: bool = False,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
    ) -> None:
        super().__init__(num_units, num_proj, reuse)
        if (num_unit_shards, num_proj_shards, state_is_tuple) != (1, 1, True):
            raise ArgumentError(
                "CoupledInputForgetGateLSTMCell: weights are in one piece and the state is a tuple; leave "
                "num_unit_shards, num_proj_shards and state_is_tuple out"
            ).locate()
        self._peephole, self._initializer, self._clip = use_peepholes, initializer, proj_clip
        self._forget_bias, self._activation = forget_bias, activation
        self._norm = (norm_gain, norm_shift) if layer_norm else None

    def _normalized(self, x: Any, scope: str) -> Any:
        """Each row with mean 0 and deviation 1, times gamma plus beta, if the layer is normalised."""
        if self._norm is None:
            return x
        size, (gain, shift) = [self._num_units], self._norm
        with tf.variable_scope(scope):
            gamma = tf.get_variable("gamma", size, x.dtype, tf.constant_initializer(gain))
            beta = tf.get_variable("beta", size, x.dtype, tf.constant_initializer(shift))
        mean, variance = tf.nn.moments(x, [1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)

    def call(self, inputs: Any, state: Any) -> Any:
        (c, h), n, kind = state, self._num_units, inputs.dtype
        joined = tf.concat([inputs, h], 1)
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._initializer):
            gates = tf.matmul(joined, tf.get_variable("W_0", [joined.shape.as_list()[1], 3 * n], kind))
            if self._norm is None:
                gates += tf.get_variable("B", [3 * n], kind, tf.zeros_initializer())
            names = ("transform", "forget", "output")
            j, f, o = (self._normalized(x, s) for x, s in zip(tf.split(gates, 3, 1), names, strict=True))
            if self._peephole:
                f += tf.get_variable("W_F_diag", [n], kind) * c
            share = tf.sigmoid(f + self._forget_bias)
            new = self._normalized(share * c + (1 - share) * self._activation(j), "state")
            if self._peephole:
                o += tf.get_variable("W_O_diag", [n], kind) * new
            output = tf.sigmoid(o) * self._activation(new)
            if self._num_proj is not None:
                output = tf.matmul(output, tf.get_variable("W_P_0", [n, self._num_proj], kind))
                if self._clip is not None:
                    output = tf.clip_by_value(output, -self._clip, self._clip)
        return output, _LSTMState(new, output)


@contrib("rnn", "GLSTMCell")
class GLSTMCell(_LSTM):
    """A memory whose product is made in groups (Kuchaiev & Ginsburg 2017, arXiv:1703.10722). State: LSTMStateTuple.

    Group k of i, j, f, o is [x_k, h_k] W_k, of the k-th parts of x and h; then all are joined and

        c' = sigmoid(f + forget_bias) c + sigmoid(i) tanh(j)        h' = sigmoid(o) activation(c') P

    Args:
      num_proj: how long h is, by `projection/kernel`; None: as c. initializer: of the variables.
    Variables: `group{k}/kernel`, `bias_i`, `bias_j`, `bias_f`, `bias_o`.
    Raises:
      ValueError: number_of_groups does not divide num_units, the length of h, or that of the inputs.
    """

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        num_proj: int | None = None,
        number_of_groups: int = 1,
        forget_bias: float = 1.0,
        activation: Any = tf.tanh,
        reuse: Any = None,
    ) -> None:
        super().__init__(num_units, num_proj, reuse)
        self._groups, self._initializer = number_of_groups, initializer
        self._forget_bias, self._activation = forget_bias, activation
        self._divided(num_units, "num_units")
        self._divided(self.output_size, "num_proj")

    def _divided(self, size: int, what: str) -> None:
        if size % self._groups:
            raise ValueError(f"GLSTMCell: {what} {size} must be divisible by number_of_groups {self._groups}")

    def call(self, inputs: Any, state: Any) -> Any:
        (c, h), n = state, self._num_units
        self._divided(inputs.shape.as_list()[1], "the inputs' length")
        pairs = zip(tf.split(inputs, self._groups, 1), tf.split(h, self._groups, 1), strict=True)
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._initializer):
            groups = []
            for k, pair in enumerate(pairs):
                with tf.variable_scope(f"group{k}"):
                    made = linear(tf.concat(pair, 1), 4 * n // self._groups, False)
                    groups.append(tf.split(made, 4, 1))
            gates = []
            for gate, parts in zip("ijfo", zip(*groups, strict=True), strict=True):
                bias = tf.get_variable(f"bias_{gate}", [n], inputs.dtype, tf.zeros_initializer())
                gates.append(tf.nn.bias_add(tf.concat(parts, 1), bias))
            i, j, f, o = gates
            new = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
            output = tf.sigmoid(o) * self._activation(new)
            if self._num_proj is not None:
                with tf.variable_scope("projection"):
                    output = linear(output, self._num_proj, False)
        return output, _LSTMState(new, output)


@contrib("rnn", "PhasedLSTMCell")
class PhasedLSTMCell(_LSTM):
    """A memory that opens at times of its own (Neil, Pfeiffer & Liu 2016, arXiv:1610.09513).

    Its inputs are (time [B,1], x [B,C]); its state LSTMStateTuple(c, h). Each unit has a period, a phase and a share r
    of the period in which it is open. With p = ((time - phase) mod period) / period

        k = 2 p / r  where p < r / 2,    2 - 2 p / r  where p < r,    leak p  elsewhere
        c', h' = k times what a memory (with its peepholes) would keep, and (1 - k) times what it had

    Args:
      use_peepholes: the gates of input and forgetting see c, that of output c'. leak: how much a closed unit changes.
      ratio_on: where r begins; trainable_ratio_on: whether it is learned.
      period_init_min, period_init_max: between them periods begin, evenly on a logarithmic scale; phases begin evenly
      within the period.
    Gradient: the derivative of `mod` by the time is 1, by the period 0.
    Variables: `mask_gates/kernel`, `new_input/kernel`, `output_gate/kernel` with biases; `period`, `phase`, `ratio_on`.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        leak: float = 0.001,
        ratio_on: float = 0.1,
        trainable_ratio_on: bool = True,
        period_init_min: float = 1.0,
        period_init_max: float = 1000.0,
        reuse: Any = None,
    ) -> None:
        super().__init__(num_units, None, reuse)
        self._peephole, self._leak, self._ratio, self._learns = use_peepholes, leak, ratio_on, trainable_ratio_on
        self._least, self._most = math.log(period_init_min), math.log(period_init_max)

    def _open(self, time: Any) -> Any:
        """How far each unit is open. -> [B, num_units]"""
        size = [self._num_units]

        def periods(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
            return tf.exp(tf.random_uniform(shape, self._least, self._most, dtype or tf.float32))

        period = tf.get_variable("period", size, initializer=periods)

        def phases(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
            return tf.random_uniform(shape, 0.0, 1.0, dtype or tf.float32) * period.initialized_value()

        phase = tf.get_variable("phase", size, initializer=phases)
        begin = tf.constant_initializer(self._ratio)
        ratio = tf.get_variable("ratio_on", size, initializer=begin, trainable=self._learns)
        shifted, period = time - tf.cast(phase, time.dtype), tf.cast(period, time.dtype)
        past = tf.stop_gradient(tf.mod(shifted, period) - shifted) + shifted
        cycle = tf.cast(past / period, tf.float32)
        up = 2 * cycle / ratio
        k = tf.where(cycle < tf.broadcast_to(ratio, tf.shape(cycle)), 2 - up, self._leak * cycle)
        return tf.where(cycle < tf.broadcast_to(0.5 * ratio, tf.shape(cycle)), up, k)

    def call(self, inputs: Any, state: Any) -> Any:
        (c, h), (time, x), n = state, inputs, self._num_units
        with tf.variable_scope("mask_gates"):
            i, f = tf.split(tf.sigmoid(linear([x, h, c] if self._peephole else [x, h], 2 * n, True)), 2, 1)
        with tf.variable_scope("new_input"):
            new = f * c + i * tf.tanh(linear([x, h], n, True))
        with tf.variable_scope("output_gate"):
            output = tf.sigmoid(linear([x, h, new] if self._peephole else [x, h], n, True)) * tf.tanh(new)
        k = self._open(time)
        c, h = k * new + (1 - k) * c, k * output + (1 - k) * h
        return h, _LSTMState(c, h)


@contrib("rnn", "IndyLSTMCell")
class IndyLSTMCell(_LSTM):
    """A memory whose units see of h themselves only (Gonnet & Deselaers 2019, arXiv:1903.08023).

        i, j, f, o = x W + u [h, h, h, h] + b
        c' = sigmoid(f + forget_bias) c + sigmoid(i) activation(j)        h' = sigmoid(o) activation(c')

    Args:
      activation: tanh by default. kernel_initializer: of W. bias_initializer: of b, zeros by default.
    Variables: `kernel_w` [C, 4 num_units], `kernel_u` [1, 4 num_units] from -1 to 1, `bias`.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        activation: Any = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_units, None, reuse, name=name, dtype=dtype)
        self._forget_bias, self._activation = forget_bias, activation or tf.tanh
        self._begin = kernel_initializer, bias_initializer or tf.zeros_initializer()

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = state
        gates = alone(inputs, tf.tile(h, [1, 4]), 4 * self._num_units, *self._begin)
        i, j, f, o = tf.split(gates, 4, 1)
        new = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * self._activation(j)
        output = self._activation(new) * tf.sigmoid(o)
        return output, _LSTMState(new, output)


def alone(x: Any, h: Any, size: int, kernel_initializer: Any, bias_initializer: Any) -> Any:
    """x W + u h + b, variables `kernel_w` [C, size], `kernel_u` [1, size] from -1 to 1, `bias`. h [B, size]"""
    w = tf.get_variable("kernel_w", [x.shape.as_list()[1], size], x.dtype, kernel_initializer)
    u = tf.get_variable("kernel_u", [1, size], x.dtype, tf.random_uniform_initializer(-1, 1, dtype=x.dtype))
    bias = tf.get_variable("bias", [size], x.dtype, bias_initializer)
    return tf.nn.bias_add(tf.matmul(x, w) + u * h, bias)
