"""Attention: Attention, AdditiveAttention.

    scores[b,i,j]: how well query i fits key j      weights = softmax over j      y[b,i] = sum_j weights[b,i,j] v[b,j]

query [B,Tq,D], value [B,Tv,E], key [B,Tv,D] (the value by default) -> [B,Tq,E], scores [B,Tq,Tv]
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import float16, int32
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape
from pullback.core.tensor import Tensor
from pullback.layers.base import Layer
from pullback.layers.dropout import either, rate_of
from pullback.layers.sizes import sizes_of
from pullback.ops.array.ranges import range_
from pullback.ops.array.shape import expand_dims
from pullback.ops.linalg.matmul import matmul
from pullback.ops.math.arithmetic import GreaterEqual, LogicalAnd
from pullback.ops.math.functions import tanh
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.select import Cast
from pullback.ops.nn.softmax import softmax
from pullback.ops.random.dropout import dropout as dropped


def causal(queries: Any, keys: Any) -> Tensor:
    """Whether key j is not later than query i: bool [queries, keys]."""
    rows, columns = (range_(interpreter.as_tensor(n, int32)) for n in (queries, keys))
    return GreaterEqual()(expand_dims(rows, 1), expand_dims(columns, 0))


def hidden(scores: Tensor, kept: Tensor) -> Tensor:
    """Scores, far below all others where `kept` (bool, broadcasts) is False."""
    far = 65504.0 if scores.dtype is float16 else 1e9
    return scores - (1.0 - Cast(scores.dtype)(kept)) * far


def weights_of(scores: Tensor, rate: float, seed: Any, training: Any) -> Tensor:
    """softmax over the last axis; while training a share `rate` of the weights is dropped."""
    weights = softmax(scores)
    return either(training, lambda: dropped(weights, rate, None, seed), lambda: weights) if rate else weights


class _Attention(Layer):
    """Base: a subclass says `scores(query, key)`, [B,Tq,Tv].

    Inputs: [query, value] or [query, value, key]. Masks: of the queries, whose outputs become 0, and of the values,
    which nobody looks at.
    Call arguments: return_attention_scores: give the weights too. use_causal_mask: no query looks at later values.
    """

    settings = ("dropout", "seed")
    supports_masking = True

    def __init__(self, dropout: float = 0.0, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dropout, self.seed = rate_of(dropout, "dropout"), seed

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """How well queries [B,Tq,D] fit keys [B,Tv,D]: [B,Tq,Tv]."""
        return matmul(query, key, transpose_b=True)

    def _checked(self, inputs: Any, what: str = "inputs") -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            raise ArgumentError(
                f"{type(self).__name__} layer must be called on a list of {what}, [query, value] or "
                f"[query, value, key]; received {what}={inputs!r}"
            ).locate()
        return inputs

    def build(self, input_shape: Any) -> None:
        self._checked(input_shape)
        self.built = True

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        query, value, *rest = self._checked(inputs)
        query_mask, value_mask, *_ = (None, None) if mask is None else self._checked(mask, "masks")
        scores = self.scores(query, rest[0] if rest else value)
        kept = None if value_mask is None else expand_dims(value_mask, -2)
        if use_causal_mask:
            earlier = causal(*sizes_of(scores)[-2:])
            kept = earlier if kept is None else LogicalAnd()(kept, earlier)
        weights = weights_of(scores if kept is None else hidden(scores, kept), self.dropout, self.seed, training)
        y = matmul(weights, value)
        if query_mask is not None:
            y = y * Cast(y.dtype)(expand_dims(query_mask, -1))
        return (y, weights) if return_attention_scores else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        query, value = (as_shape(s) for s in input_shape[:2])
        return TensorShape(None if query is None or value is None else (*query[:-1], value[-1]))


@public("keras.layers.Attention")
class Attention(_Attention):
    """Dot-product attention: query i fits key j by their product.

    Args:
      use_scale: multiply scores by a learnt number, at first 1.
      score_mode: "dot": sum_d q_d k_d; "concat": a learnt number times sum_d tanh(q_d + k_d).
      dropout: the share of weights set to 0 while training. seed: of the draws.
    Raises:
      ValueError: score_mode is neither, dropout lies outside of [0, 1], or inputs are no list of two or three.
    Source: Luong et al. 2015.
    """

    settings = ("use_scale", "score_mode")

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(dropout, seed, **kwargs)
        if score_mode not in ("dot", "concat"):
            raise ArgumentError(
                f"Invalid value for argument score_mode. Expected 'dot' or 'concat'. Received: {score_mode!r}"
            ).locate()
        self.use_scale, self.score_mode = use_scale, score_mode
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if self.use_scale:
            self.scale = self.add_weight("scale", (), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight("concat_score_weight", (), initializer="ones")

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_mode == "dot":
            fits = super().scores(query, key)
            return fits if self.scale is None else fits * self.scale
        sums = expand_dims(query, -2) + expand_dims(key, -3)
        sums = sums if self.scale is None else sums * self.scale
        return self.concat_score_weight * reduce_sum(tanh(sums), -1)


@public("keras.layers.AdditiveAttention")
class AdditiveAttention(_Attention):
    """Additive attention: scores[i,j] = sum_d scale_d tanh(q_id + k_jd).

    Args:
      use_scale: learn scale [D]; else it is 1. dropout: the share of weights set to 0 while training.
    Source: Bahdanau, Cho & Bengio 2015.
    """

    settings = ("use_scale",)
    withheld = ("seed",)

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(dropout, kwargs.pop("seed", None), **kwargs)
        self.use_scale = use_scale
        self.scale: Any = None

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if self.use_scale:
            sizes = as_shape(input_shape[1])
            self.scale = self.add_weight("scale", (sizes[-1],), initializer="glorot_uniform")  # type: ignore[index]

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        fits = tanh(expand_dims(query, -2) + expand_dims(key, -3))
        return reduce_sum(fits if self.scale is None else fits * self.scale, -1)
