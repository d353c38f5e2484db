"""Cells around cells: DropoutWrapper, ResidualWrapper, DeviceWrapper. They add no variable scope."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.layers.lstm_cells import LSTMStateTuple
from pullback.layers.rnn_cells import RNNCell
from pullback.modes.default import building, device_v1
from pullback.ops.control.tensor_array import TensorArray
from pullback.ops.math.arithmetic import Floor
from pullback.ops.random.dropout import dropout
from pullback.ops.random.functions import random_uniform


class _Wrapper(RNNCell):
    """Base: what the wrapped cell is, and a subclass's `wrapped(inputs, state, step)`."""

    def __init__(self, cell: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not callable(cell) or not hasattr(cell, "state_size"):
            raise TypeError(f"The parameter cell is not an RNNCell: {cell!r}")
        self._cell: Any = cell

    @property
    def wrapped_cell(self) -> Any:
        return self._cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with building():
            return self._cell.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any) -> Any:
        given = kwargs if scope is None else {**kwargs, "scope": scope}
        with building():
            return self.wrapped(inputs, state, lambda x, s: self._cell(x, s, *args, **given))

    def wrapped(self, inputs: Any, state: Any, step: Callable[[Any, Any], Any]) -> Any:
        return step(inputs, state)


def _not_contents(part: Any) -> Any:
    """Which parts of a state are dropped from: all but an LSTM's contents and TensorArrays."""
    if isinstance(part, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(part, TensorArray)


@public(v1="nn.rnn_cell.DropoutWrapper")
class DropoutWrapper(_Wrapper):
    """A cell with dropout of its inputs, state and outputs.

    Args:
      input_keep_prob, output_keep_prob, state_keep_prob: the probability that an entry stays, a number or a scalar
        tensor; 1 drops nothing. The contents c of an LSTM's state are never dropped.
      variational_recurrent: the same mask at every step (Gal & Ghahramani 2015); needs dtype, and input_size (the
        inputs' shapes without the batch) if inputs are dropped. The mask is one for the whole batch.
      seed: from which the seeds of the draws are made.
      dropout_state_filter_visitor: a function of each part of the state that says whether it is dropped from.
    Raises:
      TypeError, ValueError: a probability is out of [0, 1], or dtype or input_size lacks.
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, dtype=dtype, **kwargs)
        self._keep = {"input": input_keep_prob, "state": state_keep_prob, "output": output_keep_prob}
        for name, p in self._keep.items():
            if isinstance(p, (int, float)) and not 0 <= p <= 1:
                raise ArgumentError(
                    f"Parameter {name}_keep_prob must be between 0 and 1, but is {p}; it is the probability to keep"
                ).locate()
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._visitor = dropout_state_filter_visitor or _not_contents
        self._seed, self._noise = seed, {}
        if variational_recurrent:
            self._draw_noise(dtype, input_size)

    def _draw_noise(self, dtype: Any, input_size: Any) -> None:
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")
        if input_size is None and self._drops("input"):
            raise ValueError(
                "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size must be provided"
            )
        sizes = {"input": input_size, "state": self.state_size, "output": self.output_size}
        with building():
            for name, size in sizes.items():
                if size is None or not self._drops(name):
                    continue
                for i, s in enumerate(nest.leaves_of(size)):
                    shape = (1, *(as_shape(s) or ())) if not isinstance(s, int) else (1, s)
                    self._noise[name, i] = random_uniform(shape, dtype=dtype, seed=self._made_seed(name, i))

    def _drops(self, name: str) -> bool:
        p = self._keep[name]
        return not isinstance(p, (int, float)) or p < 1

    def _made_seed(self, name: str, i: int) -> int | None:
        if self._seed is None:
            return None
        digest = hashlib.md5(f"{self._seed}{name}_{i}".encode(), usedforsecurity=False).hexdigest()
        return int(digest[:8], 16) & 0x7FFFFFFF

    def _dropped(self, values: Any, name: str, chosen: Any = None) -> Any:
        """Values with dropout; `chosen` says which parts."""
        if not self._drops(name):
            return values
        flat, structure = nest.flatten(values)
        marks = [True] * len(flat) if chosen is None else _spread(self._visitor, values)
        kept = [self._one(x, name, i) if mark else x for i, (x, mark) in enumerate(zip(flat, marks, strict=True))]
        return nest.unflatten(structure, kept)

    def _one(self, x: Any, name: str, i: int) -> Any:
        p = self._keep[name]
        noise = self._noise.get((name, i))
        if noise is None:
            return dropout(x, 1.0 - p, seed=self._made_seed(name, i))
        p = p if isinstance(p, Tensor) else interpreter.as_tensor(p, x.dtype)
        y = x / p * Floor()(noise + p)
        y.set_shape(x.spec.shape)
        return y

    def wrapped(self, inputs: Any, state: Any, step: Callable[[Any, Any], Any]) -> Any:
        output, new = step(self._dropped(inputs, "input"), state)
        return self._dropped(output, "output"), self._dropped(new, "state", self._visitor)


def _spread(visitor: Any, part: Any) -> list[bool]:
    """What the visitor says of a state, a mark for each leaf. A single answer of a part holds for all of it."""
    said = visitor(part)
    if not nest.is_nest(part) or isinstance(part, TensorArray):
        return [bool(said)]
    if nest.is_nest(said):
        return [bool(m) for m in nest.leaves_of(said)]
    if not said:
        return [False] * len(nest.leaves_of(part))
    inner = part.values() if isinstance(part, dict) else part
    return [m for p in inner for m in _spread(visitor, p)]


@public(v1="nn.rnn_cell.ResidualWrapper")
class ResidualWrapper(_Wrapper):
    """A cell whose inputs are added to its outputs. residual_fn: (inputs, outputs) -> outputs, in place of the sum.

    Raises:
      ValueError: inputs and outputs have different shapes.
    """

    def __init__(self, cell: Any, residual_fn: Any = None, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._residual = residual_fn

    def wrapped(self, inputs: Any, state: Any, step: Callable[[Any, Any], Any]) -> Any:
        inputs = nest.mapped(interpreter.as_tensor, inputs)
        outputs, new = step(inputs, state)
        if self._residual is not None:
            return self._residual(inputs, outputs), new
        for x, y in zip(nest.leaves_of(inputs), nest.leaves_of(outputs), strict=True):
            if not x.shape.is_compatible_with(y.shape):
                raise ArgumentError(f"ResidualWrapper: inputs {x.shape} and outputs {y.shape} must be alike").locate()
        return nest.mapped(lambda x, y: x + y, inputs, outputs), new


@public(v1="nn.rnn_cell.DeviceWrapper")
class DeviceWrapper(_Wrapper):
    """A cell whose operations are marked with a device. There is one CPU: the mark changes no result."""

    def __init__(self, cell: Any, device: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with building(), device_v1(self._device):
            return self._cell.zero_state(batch_size, dtype)

    def wrapped(self, inputs: Any, state: Any, step: Callable[[Any, Any], Any]) -> Any:
        with device_v1(self._device):
            return step(inputs, state)
