"""Attention mechanisms: how well each place of a memory fits a query.

    score       Luong: k . q, Bahdanau: v . tanh(k + W q)
    alignments  softmax(score) [B, T], or monotonic: each step looks on from where the last one looked
    keys k = memory W, [B, T, units]; values = the memory, zero beyond its length

Sources: Luong, Pham, Manning (2015), arXiv:1508.04025; Bahdanau, Cho, Bengio (2014), arXiv:1409.0473;
Raffel et al. (2017), arXiv:1704.00784 (monotonic).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.core.errors import ArgumentError
from pullback.layers.sizes import sizes_of


@contrib("seq2seq", "AttentionMechanism")
class AttentionMechanism:
    """Base: a subclass says `scored(query)`, the scores [B, T] of a query [B, depth], and in which `scope` its
    variables are.

    Args:
      memory: [B, T, depth].
      memory_sequence_length: int [B]; later places are never looked at.
      memory_layer, query_layer: layers that make keys and processed queries, or None to take them as they are.
      probability_fn: (scores, state) -> alignments.
      score_mask_value: what later places score, by default -inf.
    """

    scope = "attention"

    def __init__(
        self,
        memory: Any,
        memory_sequence_length: Any,
        memory_layer: Any,
        query_layer: Any,
        probability_fn: Callable[[Any, Any], Any],
        score_mask_value: float | None,
    ) -> None:
        self.query_layer, self.memory_layer = query_layer, memory_layer
        memory = tf.convert_to_tensor(memory, name="memory")
        if memory.shape.ndims not in (None, 3) or memory.shape.as_list()[-1] is None:
            raise ArgumentError(
                f"{type(self).__name__}: memory must be [batch, time, depth] with a known depth, not {memory.shape}"
            ).locate()
        self.values, self._reached = memory, None
        if memory_sequence_length is not None:
            self._reached = tf.sequence_mask(memory_sequence_length, sizes_of(memory)[1])
            self.values = memory * tf.expand_dims(tf.cast(self._reached, memory.dtype), 2)
        self.keys = self.values if memory_layer is None else memory_layer(self.values)
        self._probability_fn = probability_fn
        self._masked = -math.inf if score_mask_value is None else score_mask_value

    @property
    def batch_size(self) -> Any:
        return sizes_of(self.keys)[0]

    @property
    def alignments_size(self) -> Any:
        """How many places the memory has."""
        return sizes_of(self.keys)[1]

    @property
    def state_size(self) -> Any:
        return self.alignments_size

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        """Where the first step is taken to have looked: nowhere. [batch_size, T]"""
        return tf.zeros(tf.stack([batch_size, self.alignments_size]), dtype)

    def initial_state(self, batch_size: Any, dtype: Any) -> Any:
        return self.initial_alignments(batch_size, dtype)

    def scored(self, query: Any) -> Any:
        """The scores [B, T] of a processed query [B, units]."""
        raise NotImplementedError(f"{type(self).__name__} must say scored(query)")

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        """(alignments [B, T], next state) of a query [B, depth]."""
        with tf.variable_scope(None, self.scope, [query]):
            scores = self.scored(query)
        if self._reached is not None:
            scores = tf.where(self._reached, scores, tf.fill(tf.shape(scores), tf.cast(self._masked, scores.dtype)))
        alignments = self._probability_fn(scores, state)
        return alignments, alignments


def _dense(units: int, name: str, dtype: Any) -> Any:
    return tf.layers.Dense(units, name=name, use_bias=False, dtype=dtype)


def _of_scores(given: Any) -> Callable[[Any, Any], Any]:
    """A function of scores alone as one of (scores, state)."""
    function = tf.nn.softmax if given is None else given
    return lambda scores, _: function(scores)


class _Luong(AttentionMechanism):
    scope = "luong_attention"

    def __init__(
        self, units: int, memory: Any, lengths: Any, scale: bool, chances: Any, mask: Any, dtype: Any, name: Any
    ) -> None:
        with tf.name_scope(name, f"{type(self).__name__}Init"):
            layer = _dense(units, "memory_layer", dtype)
            super().__init__(memory, lengths, layer, None, chances, mask)
        self._units, self._scale = units, scale

    def scored(self, query: Any) -> Any:
        if query.shape.as_list()[-1] != self._units:
            raise ArgumentError(
                f"LuongAttention: queries have depth {query.shape[-1]}, keys {self._units}: give num_units the size of "
                "the cell's output"
            ).locate()
        scores = tf.squeeze(tf.matmul(tf.expand_dims(query, 1), self.keys, transpose_b=True), [1])
        if self._scale:
            scores *= tf.get_variable("attention_g", (), query.dtype, tf.ones_initializer())
        return scores


class _Bahdanau(AttentionMechanism):
    scope = "bahdanau_attention"

    def __init__(
        self, units: int, memory: Any, lengths: Any, normalize: bool, chances: Any, mask: Any, dtype: Any, name: Any
    ) -> None:
        with tf.name_scope(name, f"{type(self).__name__}Init"):
            layers = _dense(units, "memory_layer", dtype), _dense(units, "query_layer", dtype)
            super().__init__(memory, lengths, *layers, chances, mask)
        self._units, self._normalize = units, normalize

    def scored(self, query: Any) -> Any:
        summed = tf.expand_dims(self.query_layer(query), 1)
        v = tf.get_variable("attention_v", [self._units], query.dtype)
        if not self._normalize:
            return tf.reduce_sum(v * tf.tanh(self.keys + summed), [2])
        first = tf.constant_initializer(math.sqrt(1.0 / self._units))
        g = tf.get_variable("attention_g", (), query.dtype, first)
        b = tf.get_variable("attention_b", [self._units], query.dtype, tf.zeros_initializer())
        v = g * v * tf.rsqrt(tf.reduce_sum(tf.square(v)))
        return tf.reduce_sum(v * tf.tanh(self.keys + summed + b), [2])


@contrib("seq2seq", "LuongAttention")
class LuongAttention(_Luong):
    """Scores by products of keys and query.

    Args:
      num_units: the depth of keys, and of queries.
      memory: [B, T, depth]. memory_sequence_length: int [B].
      scale: multiply scores by a variable, `attention_g`.
      probability_fn: scores -> alignments, by default softmax.
      score_mask_value: what places beyond the length score, by default -inf.
      dtype: of the layers' variables.
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        probability_fn: Any = None,
        score_mask_value: float | None = None,
        dtype: Any = None,
        name: str = "LuongAttention",
    ) -> None:
        chances = _of_scores(probability_fn)
        super().__init__(
            num_units, memory, memory_sequence_length, scale, chances, score_mask_value, dtype or tf.float32, name
        )


@contrib("seq2seq", "BahdanauAttention")
class BahdanauAttention(_Bahdanau):
    """Scores by a small network of key and query. Arguments as of `LuongAttention`.

    normalize: v is kept at length g, a variable, and a bias is added (Salimans, Kingma 2016, arXiv:1602.07868).
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        probability_fn: Any = None,
        score_mask_value: float | None = None,
        dtype: Any = None,
        name: str = "BahdanauAttention",
    ) -> None:
        chances = _of_scores(probability_fn)
        super().__init__(
            num_units, memory, memory_sequence_length, normalize, chances, score_mask_value, dtype or tf.float32, name
        )


def _products(x: Any) -> Any:
    """Exclusive products along axis 1 of numbers in [0, 1]; logs do not fall below that of the least number."""
    least = {tf.float64: 2.2250738585072014e-308, tf.float16: 6.104e-05}.get(x.dtype, 1.1754943508222875e-38)
    return tf.exp(tf.cumsum(tf.log(tf.clip_by_value(x, least, 1.0)), axis=1, exclusive=True))


@contrib("seq2seq", "monotonic_attention")
def monotonic_attention(p_choose_i: Any, previous_attention: Any, mode: str) -> Any:
    """The chance that each place is looked at, where a step looks on from the last place until it chooses one.

        a_i = p_i sum_{k <= i} a'_k prod_{k <= l < i} (1 - p_l)

    Args:
      p_choose_i: [B, T], the chance of choosing place i once it is reached.
      previous_attention: [B, T], a' above.
      mode: "recursive" (exact, a loop), "parallel" (sums of products; unstable where p is near 1), "hard" (p and a'
        are 0 or 1).
    Raises:
      ValueError: another mode.
    """
    p, before = tf.convert_to_tensor(p_choose_i), tf.convert_to_tensor(previous_attention)
    if mode == "recursive":
        kept = tf.transpose(tf.concat([tf.ones_like(p[:, :1]), 1 - p[:, :-1]], 1))
        arriving = tf.scan(lambda q, x: x[0] * q + x[1], (kept, tf.transpose(before)), tf.zeros_like(p[:, 0]))
        return p * tf.transpose(arriving)
    if mode == "parallel":
        passed = _products(1 - p)
        return p * passed * tf.cumsum(before / tf.clip_by_value(passed, 1e-10, 1.0), axis=1)
    if mode == "hard":
        p = p * tf.cumsum(before, axis=1)
        return p * tf.cumprod(1 - p, axis=1, exclusive=True)
    raise ArgumentError(f"monotonic_attention: mode must be 'recursive', 'parallel' or 'hard', not {mode!r}").locate()


def _monotonic(noise: float, seed: Any, mode: str) -> Callable[[Any, Any], Any]:
    """(scores, last alignments) -> alignments, the choices' chances being sigmoid(score + noise)."""

    def probability_fn(scores: Any, previous: Any) -> Any:
        if noise > 0:
            scores += noise * tf.random_normal(tf.shape(scores), dtype=scores.dtype, seed=seed)
        chosen = tf.cast(scores > 0, scores.dtype) if mode == "hard" else tf.sigmoid(scores)
        return monotonic_attention(chosen, previous, mode)

    return probability_fn


class _FromTheFirst(AttentionMechanism):
    """Looks at the first place to begin with; scores have a bias, a variable that starts at `_first`."""

    _first: float

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        zeros = tf.zeros([batch_size], tf.int32)
        return tf.one_hot(zeros, self.alignments_size, dtype=dtype)

    def scored(self, query: Any) -> Any:
        scores, first = super().scored(query), tf.constant_initializer(self._first)
        return scores + tf.get_variable("attention_score_bias", (), scores.dtype, first)


@contrib("seq2seq", "LuongMonotonicAttention")
class LuongMonotonicAttention(_FromTheFirst, _Luong):
    """`LuongAttention` that looks on from where it last looked.

    sigmoid_noise: deviation of noise added to scores. score_bias_init: start of a variable added to scores.
    mode: see `monotonic_attention`.
    """

    scope = "luong_monotonic_attention"

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        score_mask_value: float | None = None,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: Any = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "LuongMonotonicAttention",
    ) -> None:
        chances = _monotonic(sigmoid_noise, sigmoid_noise_seed, mode)
        self._first = score_bias_init
        super().__init__(
            num_units, memory, memory_sequence_length, scale, chances, score_mask_value, dtype or tf.float32, name
        )


@contrib("seq2seq", "BahdanauMonotonicAttention")
class BahdanauMonotonicAttention(_FromTheFirst, _Bahdanau):
    """`BahdanauAttention` that looks on from where it last looked. Arguments as of `LuongMonotonicAttention`."""

    scope = "bahdanau_monotonic_attention"

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        score_mask_value: float | None = None,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: Any = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "BahdanauMonotonicAttention",
    ) -> None:
        chances = _monotonic(sigmoid_noise, sigmoid_noise_seed, mode)
        self._first = score_bias_init
        super().__init__(
            num_units, memory, memory_sequence_length, normalize, chances, score_mask_value, dtype or tf.float32, name
        )


@contrib("seq2seq", "hardmax")
def hardmax(logits: Any, name: str | None = None) -> Any:
    """1 at the largest entry of the last axis (the first of equal ones), 0 elsewhere. Same shape and type."""
    with tf.name_scope(name, "Hardmax", [logits]):
        logits = tf.convert_to_tensor(logits, name="logits")
        return tf.one_hot(tf.argmax(logits, -1), sizes_of(logits)[-1], dtype=logits.dtype)
