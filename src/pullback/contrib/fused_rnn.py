"""`tf.contrib.rnn`: layers over whole sequences, time first: called as f(inputs [T,B,C], initial_state, dtype, ...)."""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.rnn_cells import LSTMBlockCell
from pullback.layers.rnn_steps import check_cell


@contrib("rnn", "FusedRNNCell")
class FusedRNNCell:
    """Base: a subclass says how it is called."""

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
    ) -> Any:
        """All steps.

        Args:
          inputs: [T,B,C], or a list of T [B,C]. initial_state: by default zeros of dtype.
          sequence_length: int [B]: further outputs are zero, and the state stays.
        Returns:
          (outputs [T,B,output_size], or a list of them where inputs are one; the last state).
        """
        raise NotImplementedError(f"{type(self).__name__} must say __call__")


@contrib("rnn", "FusedRNNCellAdaptor")
class FusedRNNCellAdaptor(FusedRNNCell):
    """A cell over all steps: in a loop with use_dynamic_rnn, else step after step in the graph."""

    def __init__(self, cell: Any, use_dynamic_rnn: bool = False) -> None:
        check_cell("FusedRNNCellAdaptor", cell)
        self._cell, self._loops = cell, use_dynamic_rnn

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
    ) -> Any:
        listed = isinstance(inputs, list)
        if self._loops:
            outputs, state = tf.nn.dynamic_rnn(
                self._cell,
                tf.stack(inputs) if listed else inputs,
                sequence_length,
                initial_state,
                dtype,
                time_major=True,
                scope=scope,
            )
            return tf.unstack(outputs) if listed else outputs, state
        steps = inputs if listed else tf.unstack(inputs)
        outputs, state = tf.nn.static_rnn(self._cell, steps, initial_state, dtype, sequence_length, scope=scope)
        return outputs if listed else tf.stack(outputs), state


@contrib("rnn", "TimeReversedFusedRNN")
class TimeReversedFusedRNN(FusedRNNCell):
    """A fused cell from the end of each sequence to its beginning; outputs stand where their inputs do."""

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
    ) -> Any:
        outputs, state = self._cell(
            _reversed(inputs, sequence_length), initial_state, dtype, sequence_length, scope=scope
        )
        return _reversed(outputs, sequence_length), state


def _reversed(values: Any, lengths: Any) -> Any:
    """[T,B,..] or a list of T [B,..], along T; of each example its first `lengths` entries."""
    if isinstance(values, list):
        return tf.unstack(_reversed(tf.stack(values), lengths))
    if lengths is None:
        return tf.reverse(values, [0])
    return tf.reverse_sequence(values, lengths, seq_axis=0, batch_axis=1)


@contrib("rnn", "LSTMBlockFusedCell")
class LSTMBlockFusedCell(FusedRNNCell):
    """`LSTMBlockCell` over all steps. Variables: `lstm_fused_cell/kernel`, `lstm_fused_cell/bias`."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        reuse: Any = None,
        dtype: Any = None,
        name: str = "lstm_fused_cell",
    ) -> None:
        self._cell = LSTMBlockCell(num_units, forget_bias, cell_clip, use_peephole, dtype, reuse, name)
        self._over_time = FusedRNNCellAdaptor(self._cell, use_dynamic_rnn=True)

    @property
    def num_units(self) -> int:
        return self._cell.output_size

    @property
    def variables(self) -> list[Any]:
        return self._cell.variables

    @property
    def trainable_variables(self) -> list[Any]:
        return self._cell.trainable_variables

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
    ) -> Any:
        if initial_state is not None:
            initial_state = tf.nn.rnn_cell.LSTMStateTuple(*initial_state)
        elif dtype is None:
            raise ValueError("Either initial_state or dtype needs to be specified")
        around = tf.get_variable_scope() if scope is None else scope
        return self._over_time(inputs, initial_state, dtype, sequence_length, around)
