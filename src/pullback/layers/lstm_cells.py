"""TensorFlow 1's LSTM cells: BasicLSTMCell, LSTMCell, and their state.

    i, j, f, o = [x, h] W + b,  c' = sigmoid(f + 1) c + sigmoid(i) tanh(j),  h' = sigmoid(o) tanh(c')

x [B, C], c [B, units], h [B, units]
"""

from __future__ import annotations

import functools
from collections import namedtuple
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers.rnn_cells import _Units
from pullback.ops.array.joining import concat
from pullback.ops.array.splitting import split
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math.clipping import clip_by_value
from pullback.ops.math.functions import sigmoid
from pullback.ops.nn.bias import bias_add
from pullback.train.initializers_v1 import zeros_initializer


@public(v1="nn.rnn_cell.LSTMStateTuple")
class LSTMStateTuple(namedtuple("LSTMStateTuple", ("c", "h"))):
    """What an LSTM keeps: the cell's contents c and the last output h."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        if self.c.dtype is not self.h.dtype:
            raise TypeError(f"Inconsistent internal state: {self.c.dtype} vs {self.h.dtype}")
        return self.c.dtype


class _LSTM(_Units):
    """What the two LSTM cells share: the state, as a tuple or end to end."""

    _kernel: Any
    _bias: Any

    def __init__(self, num_units: int, state_is_tuple: bool, *rest: Any) -> None:
        super().__init__(num_units, *rest)
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        parts = self._num_units, self.output_size
        return LSTMStateTuple(*parts) if self._state_is_tuple else sum(parts)

    def _parted(self, state: Any) -> tuple[Any, Any]:
        if self._state_is_tuple:
            c, h = state
            return c, h
        return state[:, : self._num_units], state[:, self._num_units :]

    def _joined(self, c: Any, h: Any) -> Any:
        return LSTMStateTuple(c, h) if self._state_is_tuple else concat([c, h], 1)

    def _gates(self, inputs: Any, h: Any) -> Any:
        """i, j, f, o: input gate, new contents, forget gate, output gate."""
        return split(bias_add(matmul(concat([inputs, h], 1), self._kernel), self._bias), 4, 1)


@public(v1="nn.rnn_cell.BasicLSTMCell")
class BasicLSTMCell(_LSTM):
    """Long short-term memory: c' = c sigmoid(f + forget_bias) + sigmoid(i) act(j), h' = act(c') sigmoid(o).

    state_is_tuple: the state is LSTMStateTuple(c, h), else [c, h] along the last axis. Source: Zaremba et al. 2014.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, state_is_tuple, activation, reuse, name, dtype, kwargs)
        self._forget_bias = forget_bias

    def build(self, input_shape: Any) -> None:
        units = self._num_units
        self._kernel = self.add_weight("kernel", [self._depth(input_shape) + units, 4 * units])
        self._bias = self.add_weight("bias", [4 * units], initializer=zeros_initializer())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = self._parted(state)
        i, j, f, o = self._gates(inputs, h)
        new_c = c * sigmoid(f + self._forget_bias) + sigmoid(i) * self.activation(j)
        new_h = self.activation(new_c) * sigmoid(o)
        return new_h, self._joined(new_c, new_h)


@public(v1="nn.rnn_cell.LSTMCell")
class LSTMCell(_LSTM):
    """LSTM with peepholes and projection.

    c' = c sigmoid(f + forget_bias + w_f c) + sigmoid(i + w_i c) act(j),   h' = (sigmoid(o + w_o c') act(c')) P

    Args:
      use_peepholes: have w_i, w_f, w_o [units], which let gates see the contents.
      cell_clip: c' is held within +-cell_clip. initializer: of the kernels.
      num_proj: the length of h'; without, there is no P. proj_clip: h' is held within +-proj_clip.
      num_unit_shards, num_proj_shards: how many variables a kernel is kept in; must be 1 or None.
      forget_bias, state_is_tuple, activation: as of BasicLSTMCell.
    Source: Sak, Senior & Beaufays 2014.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, state_is_tuple, activation, reuse, name, dtype, kwargs)
        if any(n not in (None, 1) for n in (num_unit_shards, num_proj_shards)):
            raise ArgumentError(
                "LSTMCell: kernels kept in several variables are not supported; leave num_unit_shards and "
                "num_proj_shards out"
            ).locate()
        self._use_peepholes, self._cell_clip, self._initializer = use_peepholes, cell_clip, initializer
        self._num_proj, self._proj_clip, self._forget_bias = num_proj, proj_clip, forget_bias

    @property
    def output_size(self) -> Any:
        return self._num_proj or self._num_units

    def build(self, input_shape: Any) -> None:
        units = self._num_units
        add = functools.partial(self.add_weight, initializer=self._initializer)
        self._kernel = add("kernel", [self._depth(input_shape) + self.output_size, 4 * units])
        start = zeros_initializer()
        self._bias = self.add_weight("bias", [4 * units], initializer=start)
        self._peepholes = [add(f"w_{g}_diag", [units]) for g in "fio"] if self._use_peepholes else None
        self._projection = add("projection/kernel", [units, self._num_proj]) if self._num_proj else None
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        c, h = self._parted(state)
        i, j, f, o = self._gates(inputs, h)
        w_f, w_i, w_o = self._peepholes or (None,) * 3
        forget = sigmoid(f + self._forget_bias if w_f is None else f + self._forget_bias + w_f * c)
        take = sigmoid(i if w_i is None else i + w_i * c)
        new_c = forget * c + take * self.activation(j)
        if self._cell_clip is not None:
            new_c = clip_by_value(new_c, -self._cell_clip, self._cell_clip)
        new_h = sigmoid(o if w_o is None else o + w_o * new_c) * self.activation(new_c)
        if self._projection is not None:
            new_h = matmul(new_h, self._projection)
            if self._proj_clip is not None:
                new_h = clip_by_value(new_h, -self._proj_clip, self._proj_clip)
        return new_h, self._joined(new_c, new_h)
