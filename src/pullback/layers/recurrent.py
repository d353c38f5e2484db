"""Keras' recurrent layers: RNN, SimpleRNN, LSTM, GRU."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from pullback.core import nest
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import recurrent_cells as cells
from pullback.layers import values
from pullback.layers.base import Layer, described
from pullback.layers.input_spec import InputSpec
from pullback.layers.recurrence import rnn
from pullback.layers.rnn_cells import zeros_of_size
from pullback.layers.sizes import sizes_of


@public("keras.layers.RNN")
class RNN(Layer):
    """A cell over the time axis of its inputs. x [B, T, ...] -> [B, units], or [B, T, units]

    Args:
      cell: has `call(inputs, states)` -> (output, new states) and `state_size`; or a list of such, one above the other.
      return_sequences: give the output of every step, else of the last. return_state: give the last states too.
      go_backwards: from the last step to the first.
      stateful: a batch begins with the states the last one ended with; the batch's size must be fixed.
      unroll: no loop. time_major: inputs and outputs are [T, B, ...].
      zero_output_for_mask: masked steps give 0, not the last output.
    """

    settings = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "time_major")
    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        **kwargs: Any,
    ) -> None:
        self._zero_output = kwargs.pop("zero_output_for_mask", False)
        length = kwargs.pop("input_length", None)
        if "input_shape" not in kwargs and "input_dim" in kwargs:
            kwargs["input_shape"] = (length, kwargs.pop("input_dim"))
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = cells.StackedRNNCells(cell)
        if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
            raise ArgumentError(f"RNN: cell must have `call` and `state_size`; received {cell!r}").locate()
        self.cell: Any = cell
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards
        self.stateful, self.unroll, self.time_major = stateful, unroll, time_major
        self.states: Any = None

    def __call__(self, inputs: Any, *args: Any, initial_state: Any = None, **kwargs: Any) -> Any:
        """Runs the layer. initial_state: a list of tensors; may also follow inputs in a list."""
        if isinstance(inputs, (list, tuple)) and initial_state is None and len(inputs) > 1:
            inputs, initial_state = inputs[0], list(inputs[1:])
        if initial_state is not None:
            flat = nest.leaves_of(initial_state)
            return super().__call__([inputs, *flat], *args, **kwargs)
        return super().__call__(inputs, *args, **kwargs)

    def build(self, input_shape: Any) -> None:
        self.built = True

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None) -> list[Any]:
        """Zeros for each state of the cell. inputs: what `call` takes; or batch_size, in its place as in Keras 3."""
        given = batch_size is not None or np.ndim(inputs) == 0
        kind = self.compute_dtype if given else inputs.dtype
        batch = inputs if batch_size is None else batch_size
        batch = batch if given else sizes_of(inputs)[1 if self.time_major else 0]
        make = getattr(self.cell, "get_initial_state", None)
        if make is None:
            made = zeros_of_size(self.cell.state_size, batch, kind)
        else:
            made = make(inputs=None, batch_size=batch, dtype=kind)
        return list(made) if nest.is_nest(made) else [made]

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        initial = None
        if isinstance(inputs, (list, tuple)):
            inputs, initial = inputs[0], list(inputs[1:])
        mask = nest.leaves_of(mask)[0] if nest.is_nest(mask) else mask
        kept = self._kept_states(inputs) if self.stateful and initial is None else None
        states = self._first_states(inputs, initial if kept is None else [v.value() for v in kept])
        with_masks = [c for c in self._cells() if hasattr(c, "draw_masks")]
        cell: Any = self.cell
        takes_training = isinstance(self.cell, Layer) and "training" in cell._call_parameters()
        single = not nest.is_nest(cell.state_size) and isinstance(self.cell, cells._Cell)

        def step(x: Any, s: Any) -> Any:
            given = {"training": training} if takes_training else {}
            output, new = cell(x, s[0] if single else s, **given)
            return output, list(new) if nest.is_nest(new) else [new]

        self._prepare(with_masks, inputs, states, training)
        last, outputs, states = rnn(
            step, inputs, states, self.go_backwards, mask, None, self.unroll, None, self.time_major, self._zero_output,
            self.return_sequences,
        )  # fmt: skip
        for masked in with_masks:
            masked.forget_masks()
        if kept is not None:
            for v, s in zip(kept, nest.leaves_of(states), strict=True):
                self.add_update(v.assign(s))
        output = outputs if self.return_sequences else last
        if self.return_sequences and not self.time_major:
            output = nest.mapped(lambda y: _sized(y, inputs), output)
        return [output, *nest.leaves_of(states)] if self.return_state else output

    def _first_states(self, inputs: Any, given: list[Any] | None) -> Any:
        """The states to begin with, in the cell's structure: those given, or zeros.

        Raises:
          ValueError: there are more or fewer than the cell has.
        """
        zeros = self.get_initial_state(inputs)
        flat, structure = nest.flatten(zeros)
        if given is None:
            return zeros
        if len(given) != len(flat):
            raise ArgumentError(
                f'Layer "{self.name}" needs {len(flat)} initial states, but {len(given)} were given'
            ).locate()
        return nest.unflatten(structure, given)

    def _cells(self) -> list[Any]:
        return self.cell.cells if isinstance(self.cell, cells.StackedRNNCells) else [self.cell]

    def _prepare(self, with_masks: list[Any], inputs: Any, states: Any, training: Any) -> None:
        """Builds the cell outside of the loop, and draws dropout masks for all steps."""
        first = nest.mapped(lambda x: x[0] if self.time_major else x[:, 0], inputs)
        for cell in with_masks:
            if cell.dropout or cell.recurrent_dropout:
                if cell is not self.cell:
                    raise ArgumentError("RNN: dropout inside of stacked cells is not supported; stack layers").locate()
                cell.draw_masks(first, nest.leaves_of(states)[0], training)

    def _kept_states(self, inputs: Any) -> list[Any]:
        """The variables that hold the states between batches.

        Raises:
          ValueError: the batch's size is not known.
        """
        if self.states is None:
            batch = sizes_of(inputs)[1 if self.time_major else 0]
            if not isinstance(batch, int):
                raise ValueError(
                    "If a RNN is stateful, it needs to know its batch size: give batch_input_shape, or "
                    "Input(batch_shape=...)"
                )
            zeros = nest.leaves_of(self.get_initial_state(inputs))
            self.states = [
                self.add_weight(f"state_{i}", z.spec.shape, inputs.dtype, "zeros", trainable=False)
                for i, z in enumerate(zeros)
            ]
        return self.states

    def _own(self) -> list[Any]:
        kept = {id(v) for v in self.states or ()}
        return [v for v in super()._own() if id(v) not in kept]

    def reset_states(self, states: Any = None) -> None:
        """Sets the kept states to zero, or to arrays.

        Raises:
          AttributeError: the layer is not stateful. ValueError: it was not called yet.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        if self.states is None:
            raise ValueError("reset_states: the layer was not called yet, so it has no states")
        given = [np.zeros(v.shape.as_list()) for v in self.states] if states is None else nest.leaves_of(states)
        values.write(zip(self.states, given, strict=True))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = nest.leaves_of(mask)[0] if nest.is_nest(mask) else mask
        output = mask if self.return_sequences else None
        return [output, *[None] * len(nest.leaves_of(self.cell.state_size))] if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is RNN:
            config["cell"] = described(self.cell)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        if isinstance(config.get("cell"), dict):
            from pullback.layers.registry import layer_of

            config["cell"] = layer_of(config["cell"], custom_objects)
        return cls(**config)


def _sized(y: Tensor, inputs: Any) -> Tensor:
    """Outputs [B, T, ...], B and T as far as the inputs' are known."""
    known = nest.leaves_of(inputs)[0].spec.shape
    if known is not None and y.spec.rank:
        y.set_shape((*known[:2], *(y.spec.shape or ())[2:]))
    return y


class _OfCell(RNN):
    """Base of the layers that make their cell: takes the cell's arguments, then RNN's."""

    cell_class: Any = None

    def __init__(self, units: int, *args: Any, **kwargs: Any) -> None:
        names = names_of(self.cell_class)
        behind = names.index("bias_regularizer") + 1
        order = [*names[1:behind], "activity_regularizer", *names[behind:]]
        if len(args) > len(order):
            raise TypeError(f"{type(self).__name__}: {len(args) + 1} arguments in order; give those of RNN by name")
        kwargs |= dict(zip(order, args, strict=False))
        given = {k: kwargs.pop(k) for k in names if k in kwargs}
        super().__init__(self.cell_class(units, **given, dtype=kwargs.get("dtype")), **kwargs)

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        InputSpec(ndim=3).check(nest.leaves_of(inputs)[0], f'Input 0 of layer "{self.name}"')
        return super().call(inputs, mask, training)

    def __getattr__(self, name: str) -> Any:
        """The cell's arguments are the layer's."""
        cell = self.__dict__.get("cell")
        if cell is not None and name in names_of(self.cell_class):
            return getattr(cell, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def get_config(self) -> dict[str, Any]:
        inner = self.cell.get_config()
        return {**{k: inner[k] for k in names_of(self.cell_class) if k in inner}, **super().get_config()}


@functools.cache
def names_of(cls: Any) -> list[str]:
    """The names of a cell's arguments, those in order first."""
    plain: list[str] = []
    extra: list[str] = []
    for base in cls.__mro__:
        if "__init__" in vars(base) and issubclass(base, cells._Cell):
            for p in list(inspect.signature(base.__init__).parameters.values())[1:]:
                into = plain if p.kind is p.POSITIONAL_OR_KEYWORD else extra if p.kind is p.KEYWORD_ONLY else []
                if p.name not in plain:
                    into.append(p.name)
    return [*plain, *extra]


@public("keras.layers.SimpleRNN")
class SimpleRNN(_OfCell):
    """h' = activation(x W + b + h U) over the time axis. Arguments: those of SimpleRNNCell, then of RNN."""

    cell_class = cells.SimpleRNNCell


@public("keras.layers.LSTM", v1=None)
class LSTM(_OfCell):
    """Long short-term memory over the time axis. Arguments: those of LSTMCell, then of RNN. States: [h, c]."""

    cell_class = cells.LSTMCell


@public("keras.layers.GRU", v1=None)
class GRU(_OfCell):
    """Gated recurrent units over the time axis. Arguments: those of GRUCell, then of RNN."""

    cell_class = cells.GRUCell
