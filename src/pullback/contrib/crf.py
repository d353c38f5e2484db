"""`tf.contrib.crf`: linear-chain conditional random fields.

    score(y) = sum_t inputs[t, y_t] + sum_t transitions[y_t, y_t+1],   P(y) = exp(score(y)) / sum_y' exp(score(y'))

inputs [B, T, K], transitions [K, K], tags int [B, T], lengths int [B]. Source: Lafferty, McCallum, Pereira (2001).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib


def _mask(lengths: Any, steps: Any, dtype: Any) -> Any:
    return tf.sequence_mask(tf.maximum(lengths, 0), steps, dtype)


@contrib("crf", "crf_unary_score")
def crf_unary_score(tag_indices: Any, sequence_lengths: Any, inputs: Any) -> Any:
    """The inputs' part of tag sequences' scores. float [B]"""
    inputs = tf.convert_to_tensor(inputs)
    chosen = tf.one_hot(tag_indices, tf.shape(inputs)[2], dtype=inputs.dtype)
    return tf.reduce_sum(
        tf.reduce_sum(inputs * chosen, 2) * _mask(sequence_lengths, tf.shape(inputs)[1], inputs.dtype), 1
    )


@contrib("crf", "crf_binary_score")
def crf_binary_score(tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The transitions' part of tag sequences' scores. float [B]"""
    transitions, tags = tf.convert_to_tensor(transition_params), tf.convert_to_tensor(tag_indices)
    pairs = tf.stack([tags[:, :-1], tags[:, 1:]], 2)
    passed = _mask(tf.convert_to_tensor(sequence_lengths) - 1, tf.shape(tags)[1] - 1, transitions.dtype)
    return tf.reduce_sum(tf.gather_nd(transitions, pairs) * passed, 1)


@contrib("crf", "crf_sequence_score")
def crf_sequence_score(inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """score(y) of each example's tags; 0 for an empty sequence. float [B]"""
    return crf_unary_score(tag_indices, sequence_lengths, inputs) + crf_binary_score(
        tag_indices, sequence_lengths, transition_params
    )


@contrib("crf", "crf_multitag_sequence_score")
def crf_multitag_sequence_score(inputs: Any, tag_bitmap: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """log of the sum of exp(score(y)) over the y that a bitmap allows. tag_bitmap bool [B, T, K]. float [B]"""
    inputs = tf.convert_to_tensor(inputs)
    allowed = tf.where(tag_bitmap, inputs, tf.fill(tf.shape(inputs), tf.cast(-float("inf"), inputs.dtype)))
    return crf_log_norm(allowed, sequence_lengths, transition_params)


def _forward(inputs: Any, sequence_lengths: Any, transition_params: Any, joined: Any) -> Any:
    """Per example and last tag [B, K], what all ways there give; `joined` puts [B, from, to] together over `from`."""
    inputs = tf.convert_to_tensor(inputs)
    steps = tf.transpose(inputs, [1, 0, 2])
    transitions = tf.expand_dims(transition_params, 0)

    def step(before: Any, given: Any) -> Any:
        time, now = given
        after = joined(tf.expand_dims(before, 2) + transitions) + now
        return tf.where(time < tf.convert_to_tensor(sequence_lengths, tf.int32), after, before)

    return tf.foldl(step, (tf.range(1, tf.shape(steps)[0]), steps[1:]), steps[0])


@contrib("crf", "crf_log_norm")
def crf_log_norm(inputs: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """log of the sum of exp(score(y)) over all y; 0 for an empty sequence. float [B]"""
    last = _forward(inputs, sequence_lengths, transition_params, lambda x: tf.reduce_logsumexp(x, 1))
    norm = tf.reduce_logsumexp(last, 1)
    return tf.where(tf.less_equal(sequence_lengths, 0), tf.zeros_like(norm), norm)


@contrib("crf", "crf_log_likelihood")
def crf_log_likelihood(
    inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any = None
) -> tuple[Any, Any]:
    """(log P(tags) [B], transitions [K, K]); without transition_params a variable `transitions` is made."""
    if transition_params is None:
        tags = tf.convert_to_tensor(inputs).shape.as_list()[2]
        transition_params = tf.get_variable("transitions", [tags, tags])
    scores = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return scores - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


@contrib("crf", "viterbi_decode")
def viterbi_decode(score: Any, transition_params: Any) -> tuple[list[int], Any]:
    """(the best tags, their score) of one sequence, in NumPy. score [T, K]"""
    score, transitions = np.asarray(score), np.asarray(transition_params)
    best, back = score[0], []
    for now in score[1:]:
        ways = best[:, None] + transitions
        back.append(ways.argmax(0))
        best = now + ways.max(0)
    tags = [int(best.argmax())]
    for step in reversed(back):
        tags.append(int(step[tags[-1]]))
    return tags[::-1], best.max()


@contrib("crf", "crf_decode")
def crf_decode(potentials: Any, transition_params: Any, sequence_length: Any) -> tuple[Any, Any]:
    """The best tags of each example: (int32 [B, T], zeros beyond the length; their scores [B])."""
    potentials = tf.convert_to_tensor(potentials)
    lengths = tf.convert_to_tensor(sequence_length, tf.int32)
    steps, transitions = tf.transpose(potentials, [1, 0, 2]), tf.expand_dims(transition_params, 0)
    own = tf.zeros_like(steps[0], tf.int32) + tf.range(tf.shape(steps)[2])

    def step(before: Any, given: Any) -> Any:
        """(best score [B, K] so far, the tag before)."""
        time, now = given
        ways = tf.expand_dims(before[0], 2) + transitions
        best, back = tf.reduce_max(ways, 1) + now, tf.argmax(ways, 1, output_type=tf.int32)
        going = time < lengths
        return tf.where(going, best, before[0]), tf.where(going, back, own)

    scores, back = tf.scan(step, (tf.range(1, tf.shape(steps)[0]), steps[1:]), (steps[0], own))
    last = tf.concat([steps[:1], scores], 0)[-1]
    final = tf.argmax(last, 1, output_type=tf.int32)
    earlier = tf.scan(lambda tag, b: tf.batch_gather(b, tf.expand_dims(tag, 1))[:, 0], back, final, reverse=True)
    tags = tf.transpose(tf.concat([earlier, tf.expand_dims(final, 0)], 0))
    empty = tf.less_equal(lengths, 0)
    best = tf.reduce_max(last, 1)
    tags *= tf.sequence_mask(lengths, tf.shape(potentials)[1], tf.int32)
    tags.set_shape(potentials.shape[:2])
    return tags, tf.where(empty, tf.zeros_like(best), best)
