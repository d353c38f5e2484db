"""`tf.contrib.legacy_seq2seq`: sequence to sequence over lists of steps, and its losses."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib

_SPACE = "legacy_seq2seq"


@contrib(_SPACE, "rnn_decoder")
def rnn_decoder(
    decoder_inputs: Sequence[Any],
    initial_state: Any,
    cell: Any,
    loop_function: Callable[[Any, int], Any] | None = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """A cell over a list of inputs [B, E]: (outputs, last state).

    loop_function: (last output, step) -> the next input, in place of those in the list after the first.
    """
    with tf.variable_scope(scope or "rnn_decoder"):
        state, outputs = initial_state, []
        for i, given in enumerate(decoder_inputs):
            if loop_function is not None and outputs:
                with tf.variable_scope("loop_function", reuse=True):
                    given = loop_function(outputs[-1], i)
            if i > 0:
                tf.get_variable_scope().reuse_variables()
            output, state = cell(given, state)
            outputs.append(output)
        return outputs, state


@contrib(_SPACE, "basic_rnn_seq2seq")
def basic_rnn_seq2seq(
    encoder_inputs: Sequence[Any], decoder_inputs: Sequence[Any], cell: Any, dtype: Any = tf.float32, scope: Any = None
) -> tuple[list[Any], Any]:
    """An encoder's last state begins the decoder: the same kind of cell, not the same weights."""
    with tf.variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = tf.nn.static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


@contrib(_SPACE, "tied_rnn_seq2seq")
def tied_rnn_seq2seq(
    encoder_inputs: Sequence[Any],
    decoder_inputs: Sequence[Any],
    cell: Any,
    loop_function: Callable[[Any, int], Any] | None = None,
    dtype: Any = tf.float32,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Encoder and decoder are one cell."""
    with tf.variable_scope("combined_tied_rnn_seq2seq"):
        inner = scope or "tied_rnn_seq2seq"
        _, state = tf.nn.static_rnn(cell, encoder_inputs, dtype=dtype, scope=inner)
        tf.get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function, scope=inner)


def _embedding_of_best(embedding: Any, projection: Any, update_embedding: bool) -> Callable[[Any, int], Any]:
    """(last output, step) -> the vector of its likeliest word."""

    def following(previous: Any, _: int) -> Any:
        if projection is not None:
            previous = tf.nn.xw_plus_b(previous, *projection)
        found = tf.nn.embedding_lookup(embedding, tf.argmax(previous, 1))
        return found if update_embedding else tf.stop_gradient(found)

    return following


@contrib(_SPACE, "embedding_rnn_decoder")
def embedding_rnn_decoder(
    decoder_inputs: Sequence[Any],
    initial_state: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """`rnn_decoder` over words: a list of int32 [B].

    Args:
      output_projection: (W, b) that make words of outputs, where the next is looked up.
      feed_previous: each step is given the likeliest word of the step before; only the first of the list counts.
      update_embedding_for_previous: gradients flow to the vectors of words that were fed back.
    """
    with tf.variable_scope(scope or "embedding_rnn_decoder"):
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        loop = None
        if feed_previous:
            loop = _embedding_of_best(embedding, output_projection, update_embedding_for_previous)
        words = [tf.nn.embedding_lookup(embedding, i) for i in decoder_inputs]
        return rnn_decoder(words, initial_state, cell, loop)


@contrib(_SPACE, "embedding_rnn_seq2seq")
def embedding_rnn_seq2seq(
    encoder_inputs: Sequence[Any],
    decoder_inputs: Sequence[Any],
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Words in, words out: both sides are lists of int32 [B].

    Without output_projection outputs are logits [B, num_decoder_symbols]. feed_previous may be a bool tensor.
    """
    with tf.variable_scope(scope or "embedding_rnn_seq2seq") as entered:
        dtype = dtype or entered.dtype
        embedding = tf.get_variable("rnn/embedding_wrapper/embedding", [num_encoder_symbols, embedding_size])
        words = [tf.nn.embedding_lookup(embedding, i) for i in encoder_inputs]
        _, state = tf.nn.static_rnn(copy.deepcopy(cell), words, dtype=dtype)
        if output_projection is None:
            cell = tf.contrib.rnn.OutputProjectionWrapper(cell, num_decoder_symbols)

        def decoded(feeds: bool) -> Any:
            return embedding_rnn_decoder(
                decoder_inputs, state, cell, num_decoder_symbols, embedding_size, output_projection, feeds
            )

        if isinstance(feed_previous, bool):
            return decoded(feed_previous)
        with tf.variable_scope(tf.get_variable_scope()) as outer:
            first = decoded(True)
            outer.reuse_variables()
            other = decoded(False)
        return tf.cond(feed_previous, lambda: first, lambda: other)


def _checked(logits: Sequence[Any], targets: Sequence[Any], weights: Sequence[Any]) -> None:
    if not len(logits) == len(targets) == len(weights):
        raise ValueError(
            f"Lengths of logits, weights, and targets must be the same {len(logits)}, {len(weights)}, {len(targets)}."
        )


@contrib(_SPACE, "sequence_loss_by_example")
def sequence_loss_by_example(
    logits: Sequence[Any],
    targets: Sequence[Any],
    weights: Sequence[Any],
    average_across_timesteps: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """Weighted softmax cross-entropy of each example, summed over steps.

    Args:
      logits: a list of [B, V]. targets: a list of int [B]. weights: a list of float [B].
      average_across_timesteps: divide by the sum of weights (1e-12 added).
      softmax_loss_function: (labels=, logits=) -> losses [B], in place of sparse softmax cross-entropy.
    Returns:
      float [B].
    Raises:
      ValueError: the lists differ in length.
    """
    _checked(logits, targets, weights)
    function = softmax_loss_function or tf.nn.sparse_softmax_cross_entropy_with_logits
    with tf.name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        losses = tf.add_n(
            [
                function(labels=tf.reshape(target, [-1]), logits=logit) * weight
                for logit, target, weight in zip(logits, targets, weights, strict=True)
            ]
        )
        return losses / (tf.add_n(list(weights)) + 1e-12) if average_across_timesteps else losses


@contrib(_SPACE, "sequence_loss")
def sequence_loss(
    logits: Sequence[Any],
    targets: Sequence[Any],
    weights: Sequence[Any],
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """The sum of `sequence_loss_by_example` over the batch, or its mean. A scalar."""
    with tf.name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        losses = sequence_loss_by_example(logits, targets, weights, average_across_timesteps, softmax_loss_function)
        cost = tf.reduce_sum(losses)
        return cost / tf.cast(tf.shape(targets[0])[0], cost.dtype) if average_across_batch else cost
