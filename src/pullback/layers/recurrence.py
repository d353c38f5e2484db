"""keras.backend.rnn: a step function over the time axis, by a loop or unrolled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import dtypes, interpreter, nest
from pullback.core.basics import ZerosLike
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.layers.rnn_steps import chosen, like
from pullback.layers.sizes import sizes_of
from pullback.ops.array.joining import stack
from pullback.ops.array.layout import reverse, transpose
from pullback.ops.control.loop import while_loop
from pullback.ops.control.tensor_array import TensorArray
from pullback.ops.math.arithmetic import Less, LogicalNot


def _swapped(x: Any) -> Any:
    return transpose(x, [1, 0, *range(2, x.spec.rank)])


@public("keras.backend.rnn")
def rnn(
    step_function: Callable[..., Any],
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Any = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> Any:
    """A step function over the time axis.

    Args:
      step_function: (inputs [B, ...], states + constants) -> (output, new states).
      inputs: [B, T, ...] ([T, B, ...] if time_major), or a nest of such. initial_states: a nest of [B, ...].
      go_backwards: from the last step to the first; outputs come in that order.
      mask: bool [B, T]: where False, the state stays, and the output is the last one (0 if zero_output_for_mask).
      constants: given to each step behind the states.
      unroll: no loop: a step after the other; the number of steps must be known.
      input_length: the number of steps, where it is not to be read from inputs. It must be theirs.
    Returns:
      (last output, outputs [B, T, ...] (only the last if not return_all_outputs), last states).
    Raises:
      ArgumentError: unroll is asked for an unknown number of steps.
    """
    inputs = inputs if time_major else nest.mapped(_swapped, inputs)
    flags = None if mask is None else (mask if time_major else transpose(mask, [1, 0]))
    if go_backwards:
        inputs = nest.mapped(lambda x: reverse(x, [0]), inputs)
        flags = None if flags is None else reverse(flags, [0])
    flat = nest.leaves_of(inputs)
    count = sizes_of(flat[0])[0] if input_length is None else input_length

    def step(now: Any, states: Any, before: Any, kept: Any) -> Any:
        output, new = step_function(now, [*states, *constants] if constants else states)
        if kept is None:
            return output, new
        ended = LogicalNot()(kept)
        earlier = nest.mapped(lambda y: ZerosLike()(y), output) if before is None else before
        output = nest.mapped(lambda y, b: chosen(ended, b, y), output, earlier)
        return output, nest.mapped(lambda s, old: chosen(ended, old, s), new, states)

    eagerly = not isinstance(interpreter.current(), Graph) and count
    run = _unrolled if unroll or eagerly else _looped
    if unroll and not isinstance(count, int):
        raise ArgumentError("Unrolling requires a fixed number of timesteps; give inputs a known shape").locate()
    last, outputs, states = run(step, inputs, initial_states, flags, count, zero_output_for_mask, return_all_outputs)
    return last, outputs if time_major else nest.mapped(_swapped, outputs), states


def _unrolled(
    step: Any, inputs: Any, states: Any, flags: Any, count: int, zero: bool, return_all: bool
) -> tuple[Any, Any, Any]:
    rows, last = [], None
    for t in range(count):
        now = nest.mapped(lambda x, t=t: x[t], inputs)
        last, states = step(now, states, None if zero else last, None if flags is None else flags[t])
        rows.append(last)
    shown = rows if return_all else rows[-1:]
    return last, nest.mapped(lambda *ys: stack(list(ys)), shown[0], *shown[1:]), states


def _looped(
    step: Any, inputs: Any, states: Any, flags: Any, count: Any, zero: bool, return_all: bool
) -> tuple[Any, Any, Any]:
    """The loop. What one step gives is seen by a step over the first inputs, which nothing runs."""
    flat, structure = nest.flatten(inputs)
    first = nest.unflatten(structure, [x[0] for x in flat])
    sample = nest.mapped(lambda y: ZerosLike()(y), step(first, states, None, None)[0])
    shown, structure_out = nest.flatten(sample)
    arrays = [TensorArray(y.dtype, size=count if return_all else 1, element_shape=y.spec.shape) for y in shown]
    given = [TensorArray(x.dtype, size=count).unstack(x) for x in flat]
    kept = None if flags is None else TensorArray(dtypes.bool_, size=count).unstack(flags)

    def body(t: Any, arrays: Any, flat_states: Any, before: Any) -> Any:
        now = nest.unflatten(structure, [array.read(t) for array in given])
        earlier = None if zero else nest.unflatten(structure_out, list(before))
        output, new = step(now, like(states, flat_states), earlier, None if kept is None else kept.read(t))
        rows = nest.leaves_of(output)
        at = t if return_all else 0
        return t + 1, [a.write(at, y) for a, y in zip(arrays, rows, strict=True)], nest.leaves_of(new), rows

    start = [interpreter.as_tensor(0, dtypes.int32), arrays, nest.leaves_of(states), shown]
    _, arrays, flat_states, last = while_loop(lambda t, *_: Less()(t, count), body, start)
    outputs = nest.unflatten(structure_out, [array.stack() for array in arrays])
    return nest.unflatten(structure_out, list(last)), outputs, like(states, flat_states)
