"""What a decoder is fed: the truth, its own last answer, or now the one and now the other.

Of a helper a decoder asks, step by step,

    initialize()                              finished [B], the first inputs [B, ...]
    sample(time, outputs, state)              answers [B], or as the helper says
    next_inputs(time, outputs, state, answers)    finished, inputs, state
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core import nest
from pullback.core.errors import ArgumentError
from pullback.layers.sizes import sizes_of


@contrib("seq2seq", "Helper")
class Helper:
    """Base: a subclass says batch_size, sample_ids_shape (without the batch), sample_ids_dtype, and the three steps."""

    @property
    def batch_size(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say batch_size")

    @property
    def sample_ids_shape(self) -> Any:
        return tf.TensorShape([])

    @property
    def sample_ids_dtype(self) -> Any:
        return tf.int32

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        raise NotImplementedError(f"{type(self).__name__} must say initialize")

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say sample")

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        raise NotImplementedError(f"{type(self).__name__} must say next_inputs")


@contrib("seq2seq", "CustomHelper")
class CustomHelper(Helper):
    """A helper of three functions, with the steps' names and arguments."""

    def __init__(
        self,
        initialize_fn: Callable[..., Any],
        sample_fn: Callable[..., Any],
        next_inputs_fn: Callable[..., Any],
        sample_ids_shape: Any = None,
        sample_ids_dtype: Any = None,
    ) -> None:
        self._initialize_fn, self._sample_fn, self._next_inputs_fn = initialize_fn, sample_fn, next_inputs_fn
        self._shape, self._dtype = tf.TensorShape(sample_ids_shape or []), sample_ids_dtype or tf.int32
        self._batch_size: Any = None

    @property
    def batch_size(self) -> Any:
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        return self._shape

    @property
    def sample_ids_dtype(self) -> Any:
        return self._dtype

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        with tf.name_scope(name, "CustomHelperInitialize"):
            finished, inputs = self._initialize_fn()
            if self._batch_size is None:
                self._batch_size = sizes_of(finished)[0]
            return finished, inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        with tf.name_scope(name, "CustomHelperSample", [time, outputs]):
            return self._sample_fn(time=time, outputs=outputs, state=state)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        with tf.name_scope(name, "CustomHelperNextInputs", [time, outputs]):
            return self._next_inputs_fn(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


def _largest(outputs: Any) -> Any:
    if not isinstance(outputs, tf.Tensor):
        raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
    return tf.argmax(outputs, -1, output_type=tf.int32)


def embedded_by(embedding: Any) -> Callable[[Any], Any]:
    """ids -> their vectors. embedding: such a function, or a table."""
    return embedding if callable(embedding) else lambda ids: tf.nn.embedding_lookup(embedding, ids)


@contrib("seq2seq", "TrainingHelper")
class TrainingHelper(Helper):
    """Feeds the truth, whatever the decoder answers.

    Args:
      inputs: a nest of [B, T, ...], or [T, B, ...] if time_major.
      sequence_length: int [B].
    Raises:
      ValueError: sequence_length is no vector.
    """

    def __init__(self, inputs: Any, sequence_length: Any, time_major: bool = False, name: str | None = None) -> None:
        with tf.name_scope(name, type(self).__name__, [*nest.leaves_of(inputs), sequence_length]):
            inputs = nest.mapped(lambda x: tf.convert_to_tensor(x, name="inputs"), inputs)
            self._inputs = inputs
            self._sequence_length = tf.convert_to_tensor(sequence_length, name="sequence_length")
            if self._sequence_length.shape.ndims != 1:
                raise ArgumentError(
                    "Expected sequence_length to be a vector, but received shape: "
                    f"{self._sequence_length.shape}: give one length an example"
                ).locate()
            if not time_major:
                inputs = nest.mapped(lambda x: tf.transpose(x, [1, 0, *range(2, x.shape.ndims)]), inputs)
            leaves, self._structure = nest.flatten(inputs)
            self._steps = [_steps_of(x) for x in leaves]
            self._nothing = [tf.zeros(tf.shape(x)[1:], x.dtype) for x in leaves]
            self._batch_size = sizes_of(self._sequence_length)[0]

    @property
    def inputs(self) -> Any:
        return self._inputs

    @property
    def sequence_length(self) -> Any:
        return self._sequence_length

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    def inputs_at(self, time: Any) -> tuple[Any, Any]:
        """(finished, inputs) of a step; zeros where all have finished."""
        finished = tf.greater_equal(tf.cast(time, self._sequence_length.dtype), self._sequence_length)
        rows = tf.cond(
            tf.reduce_all(finished), lambda: self._nothing, lambda: [x.read(time) for x in self._steps], strict=True
        )
        for row, zero in zip(rows, self._nothing, strict=True):
            row.set_shape(zero.shape)
        return finished, nest.unflatten(self._structure, list(rows))

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        with tf.name_scope(name, "TrainingHelperInitialize"):
            return self.inputs_at(0)

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        with tf.name_scope(name, "TrainingHelperSample", [time, outputs]):
            return _largest(outputs)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        with tf.name_scope(name, "TrainingHelperNextInputs", [time, outputs]):
            return *self.inputs_at(time + 1), state


def _steps_of(x: Any) -> Any:
    """The steps of [T, B, ...]."""
    return tf.TensorArray(x.dtype, size=tf.shape(x)[0], element_shape=x.shape[1:]).unstack(x)


@contrib("seq2seq", "GreedyEmbeddingHelper")
class GreedyEmbeddingHelper(Helper):
    """Feeds the vector of the likeliest answer.

    Args:
      embedding: a table [V, E], or a function from ids to vectors.
      start_tokens: int32 [B]. end_token: int32 scalar; an example that answers it has finished.
    Raises:
      ValueError: start_tokens is no vector, or end_token no scalar.
    """

    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any) -> None:
        self._embedded = embedded_by(embedding)
        self._start_tokens = tf.convert_to_tensor(start_tokens, tf.int32, name="start_tokens")
        self._end_token = tf.convert_to_tensor(end_token, tf.int32, name="end_token")
        if self._start_tokens.shape.ndims != 1:
            raise ArgumentError(f"start_tokens must be a vector, not of shape {self._start_tokens.shape}").locate()
        if self._end_token.shape.ndims != 0:
            raise ArgumentError(f"end_token must be a scalar, not of shape {self._end_token.shape}").locate()
        self._batch_size = sizes_of(self._start_tokens)[0]
        self._start_inputs = self._embedded(self._start_tokens)

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        return tf.fill([self._batch_size], False), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        return _largest(outputs)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        finished = tf.equal(sample_ids, self._end_token)
        return finished, self._embedded(sample_ids), state


@contrib("seq2seq", "SampleEmbeddingHelper")
class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """Feeds the vector of an answer drawn from softmax(outputs / softmax_temperature)."""

    def __init__(
        self, embedding: Any, start_tokens: Any, end_token: Any, softmax_temperature: Any = None, seed: Any = None
    ) -> None:
        super().__init__(embedding, start_tokens, end_token)
        self._softmax_temperature, self._seed = softmax_temperature, seed

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        if not isinstance(outputs, tf.Tensor):
            raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
        logits = outputs if self._softmax_temperature is None else outputs / self._softmax_temperature
        return drawn_from(logits, self._seed)


def drawn_from(logits: Any, seed: Any) -> Any:
    """A draw for each row: [B, V] -> int32 [B]."""
    return tf.squeeze(tf.multinomial(logits, 1, seed=seed, output_dtype=tf.int32), [1])


@contrib("seq2seq", "InferenceHelper")
class InferenceHelper(Helper):
    """Feeds what it answers, by functions.

    Args:
      sample_fn: outputs -> answers. sample_shape: an answer's shape without the batch. sample_dtype: its type.
      start_inputs: [B, ...]. end_fn: answers -> finished [B].
      next_inputs_fn: answers -> inputs, by default the answers themselves.
    """

    def __init__(
        self,
        sample_fn: Callable[[Any], Any],
        sample_shape: Any,
        sample_dtype: Any,
        start_inputs: Any,
        end_fn: Callable[[Any], Any],
        next_inputs_fn: Callable[[Any], Any] | None = None,
    ) -> None:
        self._sample_fn, self._end_fn, self._next_inputs_fn = sample_fn, end_fn, next_inputs_fn
        self._sample_shape, self._sample_dtype = tf.TensorShape(sample_shape), sample_dtype
        self._start_inputs = tf.convert_to_tensor(start_inputs, name="start_inputs")
        self._batch_size = sizes_of(self._start_inputs)[0]

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        return self._sample_shape

    @property
    def sample_ids_dtype(self) -> Any:
        return self._sample_dtype

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        return tf.fill([self._batch_size], False), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        return self._sample_fn(outputs)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        inputs = sample_ids if self._next_inputs_fn is None else self._next_inputs_fn(sample_ids)
        return self._end_fn(sample_ids), inputs, state
