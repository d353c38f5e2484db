"""AttentionWrapper: a cell that looks at a memory at each step; and `tile_batch` for memories of several beams."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.seq2seq.attention import AttentionMechanism
from pullback.core import nest
from pullback.core.errors import ArgumentError
from pullback.layers.sizes import sizes_of

_FIELDS = ("cell_state", "attention", "time", "alignments", "alignment_history", "attention_state")


@contrib("seq2seq", "AttentionWrapperState")
class AttentionWrapperState(namedtuple("AttentionWrapperState", _FIELDS)):
    """What an AttentionWrapper keeps.

    cell_state: the wrapped cell's. attention [B, size]: the last step's. time: int32, steps so far.
    alignments [B, T], attention_state, alignment_history (a TensorArray, or () if none is kept): of the one mechanism,
    or a tuple with one entry a mechanism.
    """

    __slots__ = ()

    def clone(self, **kwargs: Any) -> AttentionWrapperState:
        """The same with some fields replaced; tensors take over the static shapes of those before.

        Raises:
          ValueError: a shape or the structure does not fit.
        """
        made = self._replace(**kwargs)

        def shaped(old: Any, new: Any) -> Any:
            if isinstance(old, tf.Tensor) and isinstance(new, tf.Tensor):
                if not old.shape.is_compatible_with(new.shape):
                    raise ArgumentError(
                        f"AttentionWrapperState.clone: shape {new.shape} in place of {old.shape}"
                    ).locate()
                new.set_shape(old.shape)
            return new

        for name in kwargs:
            nest.mapped(shaped, getattr(self, name), getattr(made, name))
        return made


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


@contrib("seq2seq", "AttentionWrapper")
class AttentionWrapper(tf.nn.rnn_cell.RNNCell):
    """A cell whose input is joined by the last attention, and whose output asks the memory.

    Args:
      cell: an RNNCell.
      attention_mechanism: one, or a list of them.
      attention_layer_size: depth of the layer that joins output and context; None: the attention is the context
        itself. One a mechanism if there are several.
      alignment_history: keep the alignments of all steps in the state.
      cell_input_fn: (inputs, attention) -> the cell's inputs; by default they are concatenated.
      output_attention: give the attention, else the cell's output.
      initial_cell_state: where `zero_state` begins.
      attention_layer: layer(s) in place of those that attention_layer_size makes.
    """

    def __init__(
        self,
        cell: Any,
        attention_mechanism: Any,
        attention_layer_size: Any = None,
        alignment_history: bool = False,
        cell_input_fn: Any = None,
        output_attention: bool = True,
        initial_cell_state: Any = None,
        name: str | None = None,
        attention_layer: Any = None,
    ) -> None:
        super().__init__(name=name)
        self._several = isinstance(attention_mechanism, (list, tuple))
        self._mechanisms = _listed(attention_mechanism)
        for mechanism in self._mechanisms:
            if not isinstance(mechanism, AttentionMechanism):
                raise TypeError(f"attention_mechanism must be AttentionMechanisms, not {type(mechanism).__name__}")
        if attention_layer_size is not None and attention_layer is not None:
            raise ValueError("Only one of attention_layer_size and attention_layer should be set")
        self._attention_layers = self._layers(attention_layer_size, attention_layer)
        self._cell, self._cell_input_fn = cell, cell_input_fn
        self._output_attention, self._keeps_history = output_attention, alignment_history
        self._initial_cell_state = initial_cell_state

    def _layers(self, sizes: Any, layers: Any) -> list[Any]:
        """A layer for each mechanism, or None."""
        if sizes is None and layers is None:
            return [None] * len(self._mechanisms)
        given = _listed(layers if sizes is None else sizes)
        if len(given) != len(self._mechanisms):
            raise ValueError(
                f"attention_layer_size or attention_layer has {len(given)} entries for {len(self._mechanisms)} "
                "attention mechanisms"
            )
        if sizes is None:
            return given
        return [
            tf.layers.Dense(size, name="attention_layer", use_bias=False, dtype=mechanism.keys.dtype)
            for size, mechanism in zip(given, self._mechanisms, strict=True)
        ]

    @property
    def _attention_size(self) -> int:
        total = 0
        for layer, mechanism in zip(self._attention_layers, self._mechanisms, strict=True):
            depth = mechanism.values.shape.as_list()[-1]
            if layer is not None:
                depth = layer.compute_output_shape([None, self._cell.output_size + depth]).as_list()[-1]
            total += depth
        return total

    def _each(self, values: Sequence[Any]) -> Any:
        """One value a mechanism, bare if there is one mechanism."""
        return tuple(values) if self._several else values[0]

    @property
    def output_size(self) -> Any:
        return self._attention_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self) -> Any:
        return AttentionWrapperState(
            cell_state=self._cell.state_size,
            time=tf.TensorShape([]),
            attention=self._attention_size,
            alignments=self._each([m.alignments_size for m in self._mechanisms]),
            attention_state=self._each([m.state_size for m in self._mechanisms]),
            alignment_history=self._each([m.alignments_size if self._keeps_history else () for m in self._mechanisms]),
        )

    def zero_state(self, batch_size: Any, dtype: Any) -> AttentionWrapperState:
        """The state to begin with: zeros, or `initial_cell_state`, whose batch must then be batch_size.

        With beams give the memory and the state through `tile_batch`, and batch_size is batch times beams.
        """
        with tf.name_scope(f"{type(self).__name__}ZeroState"):
            cell_state = self._initial_cell_state
            if cell_state is None:
                cell_state = self._cell.zero_state(batch_size, dtype)
            else:
                cell_state = nest.mapped(lambda s: tf.identity(s, name="checked_cell_state"), cell_state)
            histories = [
                tf.TensorArray(dtype, size=0, dynamic_size=True, element_shape=a.shape) if self._keeps_history else ()
                for a in (m.initial_alignments(batch_size, dtype) for m in self._mechanisms)
            ]
            return AttentionWrapperState(
                cell_state=cell_state,
                time=tf.zeros([], tf.int32),
                attention=tf.zeros(tf.stack([batch_size, self._attention_size]), dtype),
                alignments=self._each([m.initial_alignments(batch_size, dtype) for m in self._mechanisms]),
                attention_state=self._each([m.initial_state(batch_size, dtype) for m in self._mechanisms]),
                alignment_history=self._each(histories),
            )

    def call(self, inputs: Any, state: Any) -> Any:
        """One step: (attention or the cell's output, next state).

        Raises:
          TypeError: the state is no AttentionWrapperState.
        """
        if not isinstance(state, AttentionWrapperState):
            raise TypeError(
                f"Expected state to be instance of AttentionWrapperState. Received type {type(state)} instead."
            )
        if self._cell_input_fn is None:
            inputs = tf.concat([inputs, state.attention], -1)
        else:
            inputs = self._cell_input_fn(inputs, state.attention)
        output, cell_state = self._cell(inputs, state.cell_state)
        before = state.attention_state if self._several else (state.attention_state,)
        found = [
            self._looked(m, layer, output, s)
            for m, layer, s in zip(self._mechanisms, self._attention_layers, before, strict=True)
        ]
        attention = tf.concat([f[0] for f in found], 1) if len(found) > 1 else found[0][0]
        history = state.alignment_history
        if self._keeps_history:
            pairs = zip(history if self._several else (history,), found, strict=True)
            history = self._each([array.write(state.time, f[1]) for array, f in pairs])
        state = AttentionWrapperState(
            cell_state=cell_state,
            attention=attention,
            time=state.time + 1,
            alignments=self._each([f[1] for f in found]),
            alignment_history=history,
            attention_state=self._each([f[2] for f in found]),
        )
        return (attention if self._output_attention else output), state

    @staticmethod
    def _looked(mechanism: Any, layer: Any, output: Any, state: Any) -> tuple[Any, Any, Any]:
        """(attention, alignments, next attention state) of one mechanism."""
        alignments, state = mechanism(output, state)
        context = tf.squeeze(tf.matmul(tf.expand_dims(alignments, 1), mechanism.values), [1])
        return (context if layer is None else layer(tf.concat([output, context], 1))), alignments, state


@contrib("seq2seq", "tile_batch")
def tile_batch(t: Any, multiplier: Any, name: str | None = None) -> Any:
    """Each example `multiplier` times in a row: [B, ...] -> [B * multiplier, ...], in each tensor of a nest."""

    def tiled(x: Any) -> Any:
        x = tf.convert_to_tensor(x, name="t")
        if not x.shape.ndims:
            raise ArgumentError(f"tile_batch: tensors must have a batch axis, but one has shape {x.shape}").locate()
        batch, *rest = sizes_of(x)
        copies = tf.tile(tf.expand_dims(x, 1), [1, multiplier] + [1] * len(rest))
        made = tf.reshape(copies, tf.stack([batch * multiplier, *rest]))
        times = multiplier if isinstance(multiplier, int) and isinstance(batch, int) else None
        made.set_shape([times and batch * times, *x.shape[1:].as_list()])
        return made

    leaves = nest.leaves_of(t)
    with tf.name_scope(name, "tile_batch", [*leaves, multiplier]):
        return nest.mapped(tiled, t)
