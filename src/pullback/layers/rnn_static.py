"""Recurrent networks unrolled in the graph: static_rnn, static_bidirectional_rnn, static_state_saving_rnn."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter, nest
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.layers.rnn_cells import zeros_of_size
from pullback.layers.rnn_steps import check_cell, first_state, lengths_of, stepped
from pullback.layers.sizes import sizes_of
from pullback.modes.default import building
from pullback.modes.scopes import variable_scope
from pullback.ops.array.conversion import identity
from pullback.ops.array.joining import concat, stack, unstack
from pullback.ops.array.partition import reverse_sequence_v1


@public(v1="nn.static_rnn")
def static_rnn(
    cell: Any,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """A cell unrolled over a list of inputs.

    Args:
      cell: an RNNCell. inputs: a list of T inputs [B, ...], or nests of such.
      initial_state: zeros by default, and then dtype is needed.
      sequence_length: int [B]: later steps give zeros, and the state stays.
      scope: a variable scope or its name, "rnn" by default.
    Returns:
      (list of T outputs, last state).
    Raises:
      TypeError: cell is none, or inputs no list. ValueError: inputs are empty, or neither initial_state nor dtype is
      given.
    """
    check_cell("static_rnn", cell)
    if not isinstance(inputs, (list, tuple)):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")
    with building(), variable_scope(scope or "rnn") as entered:
        steps = [nest.mapped(interpreter.as_tensor, x) for x in inputs]
        batch = sizes_of(nest.leaves_of(steps[0])[0])[0]
        lengths = lengths_of("static_rnn", sequence_length, batch)
        state = first_state("static_rnn", cell, initial_state, batch, dtype)
        kind = nest.leaves_of(state)[0].dtype
        zero = None if lengths is None else zeros_of_size(cell.output_size, batch, kind)
        outputs = []
        for time, x in enumerate(steps):
            if time == 1:
                entered.reuse_variables()
            output, state = stepped(cell, x, state, time, lengths, zero)
            outputs.append(output)
        return outputs, state


def _turned(steps: Any, lengths: Any) -> list[Any]:
    """A list of steps backwards; of each example only its own."""
    if lengths is None:
        return list(reversed(steps))
    flat = [nest.leaves_of(x) for x in steps]
    structure = nest.flatten(steps[0])[1]
    columns = [unstack(reverse_sequence_v1(stack(list(c)), lengths, 0, 1), len(steps)) for c in zip(*flat, strict=True)]
    return [nest.unflatten(structure, list(row)) for row in zip(*columns, strict=True)]


@public(v1="nn.static_bidirectional_rnn")
def static_bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> Any:
    """Two cells over the same list of inputs, one from each end. Arguments as of `static_rnn`.

    Returns:
      (list of T outputs, forward and backward ones end to end; last state forward; last state backward).
    """
    check_cell("static_bidirectional_rnn", cell_fw)
    check_cell("static_bidirectional_rnn", cell_bw)
    with building(), variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as inner:
            forward, last_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, inner)
        with variable_scope("bw") as inner:
            turned = _turned(inputs, sequence_length)
            backward, last_bw = static_rnn(cell_bw, turned, initial_state_bw, dtype, sequence_length, inner)
        backward = _turned(backward, sequence_length)
        outputs = [nest.mapped(lambda f, b: concat([f, b], 1), f, b) for f, b in zip(forward, backward, strict=True)]
        return outputs, last_fw, last_bw


@public(v1="nn.static_state_saving_rnn")
def static_state_saving_rnn(
    cell: Any, inputs: Any, state_saver: Any, state_name: Any, sequence_length: Any = None, scope: Any = None
) -> Any:
    """`static_rnn` from a saved state, which is saved again after the last step.

    Args:
      state_saver: has `state(name)` and `save_state(name, value)`.
      state_name: a name; for a state of several parts a tuple of names in its structure.
    Raises:
      ValueError: the names are not in the structure of the state.
    """
    flat_names = nest.leaves_of(state_name)
    sizes, wanted = nest.flatten(cell.state_size)
    if len(flat_names) != len(sizes):
        raise ValueError(
            f"static_state_saving_rnn: {len(flat_names)} state names for a state of {len(sizes)} parts; give one each"
        )
    parts = [state_saver.state(name) for name in flat_names]
    initial = nest.unflatten(wanted, parts)
    outputs, state = static_rnn(cell, inputs, initial, None, sequence_length, scope)
    saved = [state_saver.save_state(n, s) for n, s in zip(flat_names, nest.leaves_of(state), strict=True)]
    here = interpreter.current()
    if isinstance(here, Graph):  # whoever reads the last output has the state saved
        with building(), here.control_dependencies([s for s in saved if s is not None]):
            outputs[-1] = nest.mapped(identity, outputs[-1])
    return outputs, state
