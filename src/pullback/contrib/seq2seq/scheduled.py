"""Scheduled sampling: training on the truth, and now and then on the decoder's own answers.

Source: Bengio et al. (2015), arXiv:1506.03099.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.seq2seq.helper import TrainingHelper, drawn_from, embedded_by
from pullback.core import nest
from pullback.core.errors import ArgumentError


def _probability(given: Any) -> Any:
    p = tf.convert_to_tensor(given, tf.float32, name="sampling_probability")
    if p.shape.ndims not in (0, 1):
        raise ArgumentError(f"sampling_probability must be a scalar or a vector, not of shape {p.shape}").locate()
    return p


def _tossed(probability: Any, batch_size: Any, seed: Any) -> Any:
    """bool [B]: true with that probability."""
    return tf.random_uniform(tf.reshape(batch_size, [1]), seed=seed) < probability


@contrib("seq2seq", "ScheduledEmbeddingTrainingHelper")
class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """Feeds the truth, or, with a probability, the vector of an answer drawn from the outputs. An answer is -1 where
    the truth is fed.

    Args:
      inputs: [B, T, E]. sequence_length: int [B].
      embedding: a table [V, E], or a function from ids to vectors.
      sampling_probability: float32 scalar or [B].
      seed: of answers. scheduling_seed: of the choice between truth and answers.
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        embedding: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: Any = None,
        scheduling_seed: Any = None,
        name: str | None = None,
    ) -> None:
        self._embedded = embedded_by(embedding)
        self._sampling_probability = _probability(sampling_probability)
        self._seed, self._scheduling_seed = seed, scheduling_seed
        super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        with tf.name_scope(name, "ScheduledEmbeddingTrainingHelperSample", [time, outputs]):
            own = _tossed(self._sampling_probability, self.batch_size, self._scheduling_seed)
            return tf.where(own, drawn_from(outputs, self._seed), tf.fill([self.batch_size], -1))

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        with tf.name_scope(name, "ScheduledEmbeddingTrainingHelperNextInputs", [time, outputs]):
            finished, truth = self.inputs_at(time + 1)
            own = self._embedded(tf.maximum(sample_ids, 0))
            return finished, tf.where(sample_ids > -1, own, truth), state


@contrib("seq2seq", "ScheduledOutputTrainingHelper")
class ScheduledOutputTrainingHelper(TrainingHelper):
    """Feeds the truth, or, with a probability, the decoder's last output. An answer is 1 where the output is fed.

    Args:
      inputs: a nest of [B, T, ...]. sequence_length: int [B].
      sampling_probability: float32 scalar or [B]. seed: of the choice.
      next_inputs_fn: outputs -> inputs, by default the outputs themselves.
      auxiliary_inputs: [B, T, ...] to be joined to all inputs along the last axis.
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: Any = None,
        next_inputs_fn: Callable[[Any], Any] | None = None,
        auxiliary_inputs: Any = None,
        name: str | None = None,
    ) -> None:
        self._sampling_probability = _probability(sampling_probability)
        self._seed, self._next_inputs_fn = seed, next_inputs_fn
        self._auxiliary = None
        if auxiliary_inputs is not None:
            inputs = nest.mapped(lambda x, more: tf.concat([x, more], -1), inputs, auxiliary_inputs)
            self._auxiliary = TrainingHelper(auxiliary_inputs, sequence_length, time_major)
        super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        with tf.name_scope(name, "ScheduledOutputTrainingHelperSample", [time, outputs]):
            return tf.cast(_tossed(self._sampling_probability, self.batch_size, self._seed), tf.int32)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        with tf.name_scope(name, "ScheduledOutputTrainingHelperNextInputs", [time, outputs]):
            finished, truth = self.inputs_at(time + 1)
            own = outputs if self._next_inputs_fn is None else self._next_inputs_fn(outputs)
            if self._auxiliary is not None:
                own = nest.mapped(lambda x, more: tf.concat([x, more], -1), own, self._auxiliary.inputs_at(time + 1)[1])
            fed = nest.mapped(lambda mine, true: tf.where(tf.cast(sample_ids, tf.bool), mine, true), own, truth)
            return finished, fed, state
