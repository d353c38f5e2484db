"""Decoders, step by step, and `dynamic_decode`, the loop that runs one to its end."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.seq2seq.helper import Helper
from pullback.core import nest
from pullback.core.dtypes import variant
from pullback.core.errors import ArgumentError
from pullback.layers.rnn_cells import zeros_of_size
from pullback.layers.rnn_steps import chosen


@contrib("seq2seq", "Decoder")
class Decoder:
    """Base: a subclass says batch_size, output_size and output_dtype (nests; sizes without the batch), and

    initialize()                  finished [B], first inputs, first state
    step(time, inputs, state)     outputs, next state, next inputs, finished [B]
    """

    @property
    def batch_size(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say batch_size")

    @property
    def output_size(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say output_size")

    @property
    def output_dtype(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say output_dtype")

    @property
    def tracks_own_finished(self) -> bool:
        """Whether `finished` of a step is the whole truth: beams change places, so that one which had finished may
        not have, later."""
        return False

    def initialize(self, name: str | None = None) -> tuple[Any, Any, Any]:
        raise NotImplementedError(f"{type(self).__name__} must say initialize")

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> tuple[Any, Any, Any, Any]:
        raise NotImplementedError(f"{type(self).__name__} must say step")

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> tuple[Any, Any]:
        """What is given in the end, of outputs [T, B, ...]."""
        return outputs, final_state


@contrib("seq2seq", "BasicDecoderOutput")
class BasicDecoderOutput(namedtuple("BasicDecoderOutput", ("rnn_output", "sample_id"))):
    """rnn_output [B, T, size], and the answers that the helper took from it."""

    __slots__ = ()


@contrib("seq2seq", "BasicDecoder")
class BasicDecoder(Decoder):
    """A cell, fed by a helper.

    Args:
      cell: an RNNCell. helper: a Helper. initial_state: a state of the cell.
      output_layer: a tf.layers layer on the cell's output, before the helper answers.
    """

    def __init__(self, cell: Any, helper: Helper, initial_state: Any, output_layer: Any = None) -> None:
        if not isinstance(helper, Helper):
            raise TypeError(f"helper must be a Helper, received: {type(helper)}")
        if output_layer is not None and not isinstance(output_layer, tf.layers.Layer):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._helper, self._initial_state = cell, helper, initial_state
        self._output_layer = output_layer

    @property
    def batch_size(self) -> Any:
        return self._helper.batch_size

    @property
    def output_size(self) -> Any:
        return BasicDecoderOutput(layer_size(self._cell, self._output_layer), self._helper.sample_ids_shape)

    @property
    def output_dtype(self) -> Any:
        kind = nest.leaves_of(self._initial_state)[0].dtype
        return BasicDecoderOutput(
            nest.mapped(lambda _: kind, layer_size(self._cell, self._output_layer)), self._helper.sample_ids_dtype
        )

    def initialize(self, name: str | None = None) -> tuple[Any, Any, Any]:
        return *self._helper.initialize(), self._initial_state

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> tuple[Any, Any, Any, Any]:
        with tf.name_scope(name, "BasicDecoderStep"):
            output, state = self._cell(inputs, state)
            if self._output_layer is not None:
                output = self._output_layer(output)
            ids = self._helper.sample(time=time, outputs=output, state=state)
            finished, inputs, state = self._helper.next_inputs(time=time, outputs=output, state=state, sample_ids=ids)
            return BasicDecoderOutput(output, ids), state, inputs, finished


def layer_size(cell: Any, layer: Any) -> Any:
    """The size of a cell's output, after the layer if there is one: a nest of TensorShapes without the batch."""
    if layer is None:
        return nest.mapped(lambda size: tf.TensorShape(size if hasattr(size, "dims") else [size]), cell.output_size)
    return layer.compute_output_shape(tf.TensorShape([None, cell.output_size]))[1:]


@contrib("seq2seq", "dynamic_decode")
def dynamic_decode(
    decoder: Decoder,
    output_time_major: bool = False,
    impute_finished: bool = False,
    maximum_iterations: Any = None,
    parallel_iterations: int = 32,
    swap_memory: bool = False,
    scope: Any = None,
) -> tuple[Any, Any, Any]:
    """Runs a decoder until all examples have finished.

    Args:
      output_time_major: give outputs [T, B, ...] instead of [B, T, ...].
      impute_finished: zeros for the outputs of examples that had finished, and their state stays.
      maximum_iterations: int scalar; ends after so many steps at the latest.
      parallel_iterations, swap_memory: choose speed and memory in TensorFlow's runtime; have no effect here.
      scope: a variable scope or its name, "decoder" by default.
    Returns:
      (outputs in the decoder's structure, the last state, lengths int32 [B]), as `decoder.finalize` gives them.
    Raises:
      TypeError: decoder is none. ValueError: maximum_iterations is no scalar.
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with tf.variable_scope(scope, "decoder"):
        most = None
        if maximum_iterations is not None:
            most = tf.convert_to_tensor(maximum_iterations, tf.int32, name="maximum_iterations")
            if most.shape.ndims != 0:
                raise ArgumentError(f"maximum_iterations must be a scalar, not of shape {most.shape}").locate()
        finished, inputs, state = decoder.initialize()
        if most is not None:
            finished = tf.logical_or(finished, most <= 0)
        outputs, state, lengths = _decoded(decoder, finished, inputs, state, impute_finished, most)
        outputs, state = decoder.finalize(outputs, state, lengths)
        return (outputs if output_time_major else nest.mapped(_batch_major, outputs)), state, lengths


def _batch_major(x: Any) -> Any:
    """[T, B, ...] -> [B, T, ...]; of what has no batch, itself."""
    if x.dtype is variant or (x.shape.ndims or 0) < 2:
        return x
    return tf.transpose(x, [1, 0, *range(2, x.shape.ndims)])


def _decoded(decoder: Decoder, finished: Any, inputs: Any, state: Any, imputes: bool, most: Any) -> Any:
    """The loop: (outputs [T, B, ...], last state, lengths)."""
    sizes, structure = nest.flatten(decoder.output_size)
    kinds = nest.leaves_of(decoder.output_dtype)
    zeros = [zeros_of_size(size, decoder.batch_size, kind) for size, kind in zip(sizes, kinds, strict=True)]
    arrays = [tf.TensorArray(z.dtype, size=0, dynamic_size=True, element_shape=z.shape) for z in zeros]

    def step(time: Any, arrays: Any, state: Any, inputs: Any, finished: Any, lengths: Any) -> Any:
        output, following, inputs, ended = decoder.step(time, inputs, state)
        rows = nest.leaves_of(output)
        if not decoder.tracks_own_finished:
            ended = tf.logical_or(ended, finished)
        lengths = tf.where(tf.logical_not(finished), tf.fill(tf.shape(lengths), time + 1), lengths)
        if imputes:
            rows = [chosen(finished, zero, row) for zero, row in zip(zeros, rows, strict=True)]
            following = nest.mapped(lambda old, new: chosen(finished, old, new), state, following)
        arrays = [array.write(time, row) for array, row in zip(arrays, rows, strict=True)]
        return time + 1, arrays, following, inputs, ended, lengths

    first = [tf.constant(0, name="time"), arrays, state, inputs, finished, tf.zeros_like(finished, tf.int32)]
    last = tf.while_loop(
        lambda time, arrays, state, inputs, finished, lengths: tf.logical_not(tf.reduce_all(finished)),
        step,
        first,
        maximum_iterations=most,
    )
    _, arrays, state, _, _, lengths = last
    stacked = [array.stack() for array in arrays]
    for y, z in zip(stacked, zeros, strict=True):
        y.set_shape([None, *z.shape.as_list()])
    return nest.unflatten(structure, stacked), state, lengths
