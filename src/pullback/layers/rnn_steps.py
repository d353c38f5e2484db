"""What dynamic and static recurrent networks share: initial states, lengths, and the step that honours them."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.layers.rnn_cells import zeros_of_size
from pullback.layers.sizes import sizes_of
from pullback.ops.array.shape import expand_dims
from pullback.ops.math.arithmetic import GreaterEqual
from pullback.ops.math.select import Cast, Select


def check_cell(where: str, cell: Any) -> None:
    """Checks an argument that must be a cell. where: the function or class that takes it.

    Raises:
      TypeError: what was given is no cell.
    """
    if not callable(cell) or not hasattr(cell, "state_size") or not hasattr(cell, "output_size"):
        raise TypeError(
            f"{where}: the argument cell ({cell!r}) is not an RNNCell: it needs state_size, output_size and __call__"
        )


def first_state(where: str, cell: Any, initial_state: Any, batch: Any, dtype: Any) -> Any:
    """The state to begin with.

    Raises:
      ValueError: neither a state nor a dtype is given.
    """
    if initial_state is not None:
        return nest.mapped(interpreter.as_tensor, initial_state)
    if dtype is None:
        raise ValueError(f"{where}: if there is no initial_state, you must give a dtype.")
    if hasattr(cell, "zero_state"):
        return cell.zero_state(batch, dtype)
    return zeros_of_size(cell.state_size, batch, dtype)


def lengths_of(where: str, sequence_length: Any, batch: Any) -> Tensor | None:
    """int32 [B], or None.

    Raises:
      ValueError: it is no vector of one length an example.
    """
    if sequence_length is None:
        return None
    lengths = interpreter.as_tensor(sequence_length, name="sequence_length")
    if lengths.dtype is not dtypes.int32:
        lengths = Cast(dtypes.int32)(lengths)
    known = lengths.spec.shape
    if known is not None and (len(known) != 1 or (isinstance(batch, int) and known[0] not in (None, batch))):
        raise ArgumentError(
            f"{where}: sequence_length must be a vector of length batch_size, {batch}, but its shape is {lengths.shape}"
        ).locate()
    return lengths


def batch_of(time_major: Any) -> Any:
    """The batch's size of inputs [T, B, ...]."""
    return sizes_of(time_major)[1]


def chosen(finished: Tensor, where_finished: Any, otherwise: Any) -> Any:
    """Row by row, the one or the other. finished: bool [B]."""
    if isinstance(otherwise, Tensor) and otherwise.dtype is dtypes.variant:
        return otherwise
    if otherwise.spec.rank == 0:  # a state that has no batch, as a counter
        return otherwise
    column = finished
    for _ in range((otherwise.spec.rank or 2) - 1):
        column = expand_dims(column, -1)
    made = Select()(column, where_finished, otherwise)
    made.set_shape(otherwise.spec.shape)
    return made


def stepped(cell: Any, inputs: Any, state: Any, time: Any, lengths: Tensor | None, zero_output: Any) -> Any:
    """One step: (output, new state); examples that ended give zeros and keep their state."""
    output, new = cell(inputs, state)
    if lengths is None:
        return output, new
    ended = GreaterEqual()(time, lengths)
    output = nest.mapped(lambda zero, y: chosen(ended, zero, y), zero_output, output)
    return output, nest.mapped(lambda old, s: chosen(ended, old, s), state, new)


def like(structure_of: Any, values: Any) -> Any:
    """Values in the structure of another nest, as LSTMStateTuple for tuples."""
    return nest.unflatten(nest.flatten(structure_of)[1], nest.leaves_of(values))
