"""Recurrent networks by loops: dynamic_rnn, bidirectional_dynamic_rnn, raw_rnn. Gradients go through the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import dtypes, interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.layers.rnn_cells import whole_shape, zeros_of_size
from pullback.layers.rnn_steps import batch_of, check_cell, chosen, first_state, lengths_of, like, stepped
from pullback.layers.sizes import sizes_of
from pullback.modes.default import building
from pullback.modes.scopes import variable_scope
from pullback.ops.array.creation import zeros
from pullback.ops.array.layout import reverse, transpose
from pullback.ops.array.partition import reverse_sequence_v1
from pullback.ops.control.loop import while_loop
from pullback.ops.control.tensor_array import TensorArray
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce_functions import reduce_all, reduce_max


def _swapped(x: Tensor) -> Tensor:
    """[B, T, ...] -> [T, B, ...]"""
    rank = x.spec.rank
    if rank is None or rank < 2:
        raise ArgumentError(f"dynamic_rnn: inputs must be [batch, time, ...], but have shape {x.shape}").locate()
    return transpose(x, [1, 0, *range(2, rank)])


@public(v1="nn.dynamic_rnn")
def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """A cell unrolled over time by a loop, so that the number of steps may be unknown.

    Args:
      cell: an RNNCell.
      inputs: [B, T, ...], or [T, B, ...] if time_major; or a nest of such.
      sequence_length: int [B]: later steps give zeros, and the state stays.
      initial_state: a nest of [B, size]; zeros by default, and then dtype is needed.
      parallel_iterations, swap_memory: choose speed and memory in TensorFlow's runtime; have no effect here.
      scope: a variable scope or its name, "rnn" by default.
    Returns:
      (outputs [B, T, size] in the inputs' order of axes, the last state).
    Raises:
      TypeError: cell is none. ValueError: neither initial_state nor dtype is given, or shapes do not fit.
    """
    check_cell("dynamic_rnn", cell)
    with building(), variable_scope(scope or "rnn"):
        flat, structure = nest.flatten(nest.mapped(interpreter.as_tensor, inputs))
        steps = flat if time_major else [_swapped(x) for x in flat]
        batch, count = batch_of(steps[0]), sizes_of(steps[0])[0]
        lengths = lengths_of("dynamic_rnn", sequence_length, batch)
        state = first_state("dynamic_rnn", cell, initial_state, batch, dtype)
        outputs, state = _unrolled(cell, steps, structure, state, lengths, batch, count, dtype)
        return outputs if time_major else nest.mapped(_swapped, outputs), state


def _unrolled(
    cell: Any, steps: list[Tensor], structure: Any, state: Any, lengths: Any, batch: Any, count: Any, dtype: Any
) -> Any:
    """The loop over steps [T, B, ...]: (outputs [T, B, ...], the last state)."""
    kind = nest.leaves_of(state)[0].dtype if dtype is None else dtypes.as_dtype(dtype)
    sizes, shape_of_output = nest.flatten(cell.output_size)
    zero = nest.unflatten(shape_of_output, [zeros(whole_shape(batch, s), kind) for s in sizes])
    given = [TensorArray(x.dtype, size=count, tensor_array_name="input").unstack(x) for x in steps]
    made = [TensorArray(kind, size=count, element_shape=z.spec.shape) for z in nest.leaves_of(zero)]
    end = count if lengths is None else m.Minimum()(count, m.Maximum()(1, reduce_max(lengths)))

    def step(time: Any, made: Any, flat_state: Any) -> Any:
        now = nest.unflatten(structure, [array.read(time) for array in given])
        before = like(state, flat_state)
        output, new = stepped(cell, now, before, time, lengths, zero)
        rows = nest.leaves_of(output)
        if len(rows) != len(made):
            raise ValueError(f"dynamic_rnn: the cell gives {len(rows)} outputs, but output_size says {len(made)}")
        written = [array.write(time, row) for array, row in zip(made, rows, strict=True)]
        return time + 1, written, nest.leaves_of(new)

    loop = [interpreter.as_tensor(0, dtypes.int32, name="time"), made, nest.leaves_of(state)]
    _, made, last = while_loop(lambda time, *_: m.Less()(time, end), step, loop, name="while")
    stacked = [array.stack() for array in made]
    for y, z in zip(stacked, nest.leaves_of(zero), strict=True):
        y.set_shape((count if isinstance(count, int) else None, *(z.spec.shape or ())))
    return nest.unflatten(shape_of_output, stacked), like(state, last)


@public(v1="nn.bidirectional_dynamic_rnn")
def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> Any:
    """Two cells over the same inputs, one from each end. Arguments as of `dynamic_rnn`.

    Returns:
      ((outputs forward, outputs backward, both in the order of time), (last state forward, backward)).
    """
    check_cell("bidirectional_dynamic_rnn", cell_fw)
    check_cell("bidirectional_dynamic_rnn", cell_bw)
    time, batch = (0, 1) if time_major else (1, 0)

    def turned(x: Any) -> Any:
        if sequence_length is None:
            return reverse(x, [time])
        return reverse_sequence_v1(x, sequence_length, seq_axis=time, batch_axis=batch)

    rest = (dtype, parallel_iterations, swap_memory, time_major)
    with building(), variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as inner:
            forward, last_fw = dynamic_rnn(cell_fw, inputs, sequence_length, initial_state_fw, *rest, scope=inner)
        with variable_scope("bw") as inner:
            backwards = nest.mapped(turned, inputs)
            backward, last_bw = dynamic_rnn(cell_bw, backwards, sequence_length, initial_state_bw, *rest, scope=inner)
        return (forward, nest.mapped(turned, backward)), (last_fw, last_bw)


@public(v1="nn.raw_rnn")
def raw_rnn(
    cell: Any,
    loop_fn: Callable[..., Any],
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> Any:
    """A cell unrolled as a function says.

    Args:
      loop_fn: (time, output, state, loop_state) -> (finished bool [B], next input, next state, what is emitted, next
        loop_state). First called as loop_fn(0, None, None, None), where the state is the initial one, what is emitted
        says the structure without the batch (None: the cell's output), and a loop_state of None means there is none.
      parallel_iterations, swap_memory: have no effect here.
    Returns:
      (TensorArrays of what was emitted, zeros for examples that had finished; last state; last loop_state).
    Raises:
      TypeError: cell is none, or loop_fn is not callable. ValueError: it gives another structure than at first.
    """
    check_cell("raw_rnn", cell)
    if not callable(loop_fn):
        raise TypeError("raw_rnn: loop_fn must be a callable")
    with building(), variable_scope(scope or "rnn"):
        time = interpreter.as_tensor(0, dtypes.int32, name="time")
        finished, first, state, emitted, loop_state = loop_fn(time, None, None, None)
        finished, first = interpreter.as_tensor(finished), nest.mapped(interpreter.as_tensor, first)
        state = nest.mapped(interpreter.as_tensor, state)
        batch = sizes_of(nest.leaves_of(first)[0])[0]
        zero = _nothing_emitted(cell, emitted, batch, nest.leaves_of(state)[0].dtype)
        arrays = [
            TensorArray(z.dtype, size=0, dynamic_size=True, element_shape=z.spec.shape) for z in nest.leaves_of(zero)
        ]
        held = _Held(loop_state)

        def step(time: Any, finished: Any, now: Any, arrays: Any, flat_state: Any, kept: Any) -> Any:
            before = like(state, flat_state)
            output, new = cell(like(first, now), before)
            ended, following, new, row, kept = loop_fn(time + 1, output, new, held.given(kept))
            row = nest.mapped(lambda z, y: chosen(finished, z, y), zero, output if row is None else row)
            new = nest.mapped(lambda old, s: chosen(finished, old, s), before, new)
            written = [array.write(time, y) for array, y in zip(arrays, nest.leaves_of(row), strict=True)]
            ended = m.LogicalOr()(finished, ended)
            return time + 1, ended, nest.leaves_of(following), written, nest.leaves_of(new), held.taken(kept)

        loop = [time, finished, nest.leaves_of(first), arrays, nest.leaves_of(state), held.leaves]
        going = lambda time, finished, *_: m.LogicalNot()(reduce_all(finished))  # noqa: E731
        last = while_loop(going, step, loop)
        return like(zero, last[3]) if nest.is_nest(zero) else last[3][0], like(state, last[4]), held.given(last[5])


class _Held:
    """A loop_state of any structure, as the leaves that a loop carries; None is no leaf."""

    def __init__(self, loop_state: Any) -> None:
        self._none = loop_state is None
        flat, self._structure = nest.flatten(loop_state)
        self.leaves = [] if self._none else [interpreter.as_tensor(x) for x in flat]

    def given(self, leaves: list[Any]) -> Any:
        return None if self._none else nest.unflatten(self._structure, list(leaves))

    def taken(self, loop_state: Any) -> list[Any]:
        if self._none:
            return []
        return [interpreter.as_tensor(x) for x in nest.leaves_of(loop_state)]


def _nothing_emitted(cell: Any, emitted: Any, batch: Any, kind: Any) -> Any:
    """Zeros of what one step emits: [B, ...]."""
    if emitted is None:
        return zeros_of_size(cell.output_size, batch, kind)

    def one(e: Any) -> Tensor:
        if isinstance(e, Tensor):
            return zeros(whole_shape(batch, list(as_shape(e.shape) or ())), e.dtype)
        return zeros(whole_shape(batch, e), kind)

    return nest.mapped(one, emitted)
