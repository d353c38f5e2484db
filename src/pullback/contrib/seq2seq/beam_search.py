"""Beam search: the likeliest answers of a decoder, several kept at each step.

    score = log P / lp + coverage_penalty_weight * sum_t min(log(sum of attention at t), 0)
    lp    = ((5 + length) / 6) ^ length_penalty_weight

A length counts the end token from the step after it was found. Source: Wu et al. (2016), arXiv:1609.08144, section 7.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.seq2seq.decoder import Decoder
from pullback.contrib.seq2seq.helper import embedded_by
from pullback.contrib.seq2seq.wrapper import AttentionWrapperState
from pullback.core import nest
from pullback.core.dtypes import variant
from pullback.core.errors import ArgumentError
from pullback.layers.sizes import sizes_of


@contrib("seq2seq", "BeamSearchDecoderState")
class BeamSearchDecoderState(
    namedtuple(
        "BeamSearchDecoderState", ("cell_state", "log_probs", "finished", "lengths", "accumulated_attention_probs")
    )
):
    """cell_state: the cell's [B, W, ...]. log_probs float [B, W], finished bool [B, W], lengths int64 [B, W].
    accumulated_attention_probs: [B, W, T] where coverage counts, else ()."""

    __slots__ = ()


@contrib("seq2seq", "BeamSearchDecoderOutput")
class BeamSearchDecoderOutput(namedtuple("BeamSearchDecoderOutput", ("scores", "predicted_ids", "parent_ids"))):
    """Of each step, [B, W]: scores, answers, and the beam of the step before that each goes on from."""

    __slots__ = ()


@contrib("seq2seq", "FinalBeamSearchDecoderOutput")
class FinalBeamSearchDecoderOutput(
    namedtuple("FinalBeamSearchDecoderOutput", ("predicted_ids", "beam_search_decoder_output"))
):
    """predicted_ids int32 [B, T, W], the best beam first; and the steps it was found by."""

    __slots__ = ()


@contrib("seq2seq", "gather_tree")
def gather_tree(step_ids: Any, parent_ids: Any, max_sequence_lengths: Any, end_token: Any, name: Any = None) -> Any:
    """The answers of whole beams, walking back from the last step by parents.

    Args:
      step_ids, parent_ids: int32 [T, B, W]. max_sequence_lengths: int32 [B]. end_token: int32 scalar.
    Returns:
      int32 [T, B, W]; after an end_token, and from max_sequence_lengths on, end_token.
    """
    with tf.name_scope(name, "GatherTree", [step_ids, parent_ids, max_sequence_lengths, end_token]):
        ids = tf.convert_to_tensor(step_ids, tf.int32)
        end = tf.fill(tf.shape(ids), tf.convert_to_tensor(end_token, tf.int32))
        steps = tf.shape(ids)[0]
        beams = _walked_back(parent_ids, tf.minimum(max_sequence_lengths, steps))
        found = tf.where(_within(max_sequence_lengths, steps, tf.shape(ids)), tf.batch_gather(ids, beams), end)
        ended = tf.cumsum(tf.cast(tf.equal(found, end), tf.int32), axis=0, exclusive=True)
        return tf.where(ended > 0, end, found)


def _within(lengths: Any, steps: Any, shape: Any) -> Any:
    """bool [T, B, W]: the step is before the example's length [B]."""
    reached = tf.transpose(tf.sequence_mask(lengths, steps))
    return tf.logical_and(tf.expand_dims(reached, 2), tf.fill(shape, True))


def _walked_back(parent_ids: Any, lengths: Any) -> Any:
    """int32 [T, B, W]: for each beam at the end, the beam that it was at step t. lengths int32 [B]."""
    parents = tf.convert_to_tensor(parent_ids, tf.int32)
    steps, own = tf.shape(parents)[0], tf.zeros_like(parents[0]) + tf.range(tf.shape(parents)[2])

    def back(following: Any, given: Any) -> Any:
        """following: the beams at step t + 1, and their parents."""
        time, _ = given
        beams, parents_of_next = following
        before = tf.batch_gather(parents_of_next, beams)
        last = tf.expand_dims(time >= lengths - 1, 1)
        return tf.where(tf.logical_and(last, tf.fill(tf.shape(own), True)), own, before), given[1]

    beams, _ = tf.scan(back, (tf.range(steps), parents), (own, parents[0]), reverse=True)
    return beams


@contrib("seq2seq", "BeamSearchDecoder")
class BeamSearchDecoder(Decoder):
    """Keeps the `beam_width` likeliest answers.

    Args:
      cell: an RNNCell. An AttentionWrapper's memory, its length and initial state must have gone through `tile_batch`.
      embedding: a table [V, E], or a function from ids to vectors.
      start_tokens: int32 [B]. end_token: int32 scalar.
      initial_state: a state of the cell for B * beam_width examples.
      output_layer: a layer that gives logits.
      length_penalty_weight, coverage_penalty_weight: see the module; 0 turns them off.
      reorder_tensor_arrays: give the alignment history in the order of the final beams, as a tensor.
    Raises:
      ValueError: start_tokens is no vector, or end_token no scalar.
    """

    def __init__(
        self,
        cell: Any,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        initial_state: Any,
        beam_width: int,
        output_layer: Any = None,
        length_penalty_weight: float = 0.0,
        coverage_penalty_weight: float = 0.0,
        reorder_tensor_arrays: bool = True,
    ) -> None:
        if output_layer is not None and not isinstance(output_layer, tf.layers.Layer):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._output_layer, self._width = cell, output_layer, beam_width
        self._embedded, self._reorders = embedded_by(embedding), reorder_tensor_arrays
        self._start_tokens = tf.convert_to_tensor(start_tokens, tf.int32, name="start_tokens")
        self._end_token = tf.convert_to_tensor(end_token, tf.int32, name="end_token")
        if self._start_tokens.shape.ndims != 1:
            raise ArgumentError(f"start_tokens must be a vector, not of shape {self._start_tokens.shape}").locate()
        if self._end_token.shape.ndims != 0:
            raise ArgumentError(f"end_token must be a scalar, not of shape {self._end_token.shape}").locate()
        self._length_penalty_weight, self._coverage_penalty_weight = length_penalty_weight, coverage_penalty_weight
        self._batch_size = sizes_of(self._start_tokens)[0]
        self._initial_cell_state = nest.mapped(self._split, initial_state)
        tokens = tf.zeros([1, beam_width], tf.int32) + tf.expand_dims(self._start_tokens, 1)
        self._start_inputs = self._embedded(tokens)

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def tracks_own_finished(self) -> bool:
        return True

    @property
    def output_size(self) -> Any:
        return BeamSearchDecoderOutput(*[tf.TensorShape([self._width])] * 3)

    @property
    def output_dtype(self) -> Any:
        kind = nest.leaves_of(self._initial_cell_state)[0].dtype
        return BeamSearchDecoderOutput(kind, tf.int32, tf.int32)

    def _split(self, x: Any) -> Any:
        """[B * W, ...] -> [B, W, ...]; what has no batch stays."""
        if x.dtype is variant or not x.shape.ndims:
            return x
        return tf.reshape(x, tf.stack([self._batch_size, self._width, *sizes_of(x)[1:]]))

    def _merged(self, x: Any) -> Any:
        """[B, W, ...] -> [B * W, ...]"""
        if x.dtype is variant or not x.shape.ndims:
            return x
        return tf.reshape(x, tf.stack([self._batch_size * self._width, *sizes_of(x)[2:]]))

    def _of_beams(self, x: Any, beams: Any) -> Any:
        """[B, W, ...] in the order of beams [B, W]."""
        if x.dtype is variant or not x.shape.ndims:
            return x
        made = tf.batch_gather(x, beams)
        made.set_shape(x.shape)
        return made

    def initialize(self, name: str | None = None) -> tuple[Any, Any, Any]:
        """All start tokens alike: of beams that are still the same, only the first counts."""
        first = tf.zeros([self._batch_size], tf.int32)
        kind = nest.leaves_of(self._initial_cell_state)[0].dtype
        finished = tf.one_hot(first, self._width, on_value=False, off_value=True, dtype=tf.bool)
        attended: Any = ()
        if self._coverage_penalty_weight and isinstance(self._initial_cell_state, AttentionWrapperState):
            attended = tf.zeros_like(self._initial_cell_state.alignments)
        state = BeamSearchDecoderState(
            cell_state=self._initial_cell_state,
            log_probs=tf.one_hot(first, self._width, on_value=0.0, off_value=-float("inf"), dtype=kind),
            finished=finished,
            lengths=tf.zeros(tf.stack([self._batch_size, self._width]), tf.int64),
            accumulated_attention_probs=attended,
        )
        return finished, self._start_inputs, state

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> tuple[Any, Any, Any, Any]:
        with tf.name_scope(name, "BeamSearchDecoderStep"):
            before = nest.mapped(self._merged, state.cell_state)
            logits, cell_state = self._cell(self._merged(inputs), before)
            if self._output_layer is not None:
                logits = self._output_layer(logits)
            following = nest.mapped(self._split, cell_state)
            output, state = self._chosen(self._split(logits), following, state)
            return output, state, self._embedded(output.predicted_ids), state.finished

    def _chosen(self, logits: Any, cell_state: Any, state: BeamSearchDecoderState) -> tuple[Any, Any]:
        """The best continuations of all beams. logits [B, W, V]."""
        words = sizes_of(logits)[2]
        others = tf.one_hot(self._end_token, words, on_value=0, off_value=1, dtype=tf.int64)
        going = tf.cast(tf.logical_not(state.finished), tf.int64)
        log_probs = tf.expand_dims(state.log_probs, 2) + self._log_chances(logits, state.finished, words)
        lengths = tf.expand_dims(state.lengths, 2) + tf.expand_dims(going, 2) * others
        attended = self._attended(cell_state, state)
        scores = self._scores(log_probs, lengths, attended)
        best, where = tf.nn.top_k(tf.reshape(scores, tf.stack([self._batch_size, -1])), k=self._width)
        ids, beams = where % words, where // words
        finished = tf.batch_gather(state.finished, beams)
        lengths = tf.batch_gather(state.lengths, beams) + tf.cast(tf.logical_not(finished), tf.int64)
        flat = tf.reshape(log_probs, tf.stack([self._batch_size, -1]))
        for x in (best, ids, beams):
            x.set_shape([*self._start_tokens.shape.as_list(), self._width])
        return BeamSearchDecoderOutput(best, ids, beams), BeamSearchDecoderState(
            cell_state=nest.mapped(lambda x: self._of_beams(x, beams), cell_state),
            log_probs=tf.batch_gather(flat, where),
            finished=tf.logical_or(finished, tf.equal(ids, self._end_token)),
            lengths=lengths,
            accumulated_attention_probs=nest.mapped(lambda x: self._of_beams(x, beams), attended),
        )

    def _log_chances(self, logits: Any, finished: Any, words: Any) -> Any:
        """log P of each word; a beam that has finished goes on with end_token for certain."""
        never = tf.one_hot(
            tf.fill(tf.shape(finished), self._end_token), words, dtype=logits.dtype, on_value=0.0,
            off_value=logits.dtype.min,
        )  # fmt: skip
        ended = tf.logical_and(tf.expand_dims(finished, 2), tf.fill(tf.shape(logits), True))
        return tf.where(ended, never, tf.nn.log_softmax(logits))

    def _attended(self, cell_state: Any, state: BeamSearchDecoderState) -> Any:
        """How much each place of the memory was looked at so far, by beams that had not finished."""
        so_far = state.accumulated_attention_probs
        if isinstance(so_far, tuple):
            return so_far
        ended = tf.logical_and(tf.expand_dims(state.finished, 2), tf.fill(tf.shape(so_far), True))
        return so_far + tf.where(ended, tf.zeros_like(so_far), cell_state.alignments)

    def _scores(self, log_probs: Any, lengths: Any, attended: Any) -> Any:
        scores = log_probs
        if self._length_penalty_weight:
            scores = scores / tf.cast((5.0 + tf.to_float(lengths)) / 6.0, scores.dtype) ** self._length_penalty_weight
        if not isinstance(attended, tuple):
            covered = tf.reduce_sum(tf.log(tf.minimum(attended, tf.ones_like(attended))), 2)
            scores += tf.expand_dims(covered, 2) * self._coverage_penalty_weight
        return scores

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> tuple[Any, Any]:
        longest = tf.cast(tf.reduce_max(final_state.lengths, axis=1), tf.int32)
        ids = gather_tree(outputs.predicted_ids, outputs.parent_ids, longest, self._end_token)
        cell_state = final_state.cell_state
        if self._reorders and isinstance(cell_state, AttentionWrapperState):
            history = self._in_order(cell_state.alignment_history, outputs.parent_ids, final_state.lengths)
            final_state = final_state._replace(cell_state=cell_state._replace(alignment_history=history))
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state

    def _in_order(self, history: Any, parent_ids: Any, lengths: Any) -> Any:
        """Alignments [T, B * W, places] of the final beams, of arrays [T] of [B * W, places] as beams went then."""
        if isinstance(history, tuple):
            return tuple(self._in_order(h, parent_ids, lengths) for h in history)
        steps = tf.shape(parent_ids)[0]
        beams = _walked_back(parent_ids, tf.cast(tf.reduce_max(lengths, axis=1), tf.int32))
        rows = history.stack()
        places = tf.shape(rows)[2]
        apart = tf.reshape(rows, tf.stack([steps, self._batch_size, self._width, places]))
        return tf.reshape(tf.batch_gather(apart, beams), tf.stack([steps, -1, places]))
