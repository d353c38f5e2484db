"""MultiHeadAttention: several heads look for different things.

    q, k, v = x w_q + b_q, ...     a head: softmax(q k^T / sqrt(key_dim)) v     y = sum over heads of head w_o + b_o

query [B, T.., D], value [B, S.., E], key [B, S.., F]; kernels [D, heads, key_dim], ..., [heads, value_dim, out]
"""

from __future__ import annotations

import math
import string
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape
from pullback.core.tensor import Tensor
from pullback.layers import calls, constraints
from pullback.layers.attention import causal, hidden, weights_of
from pullback.layers.base import Layer, as_input
from pullback.layers.dropout import rate_of
from pullback.layers.einsum_dense import EinsumDense
from pullback.layers.sizes import axes_of, packed, positive, sizes_of
from pullback.ops.array.shape import expand_dims, reshape
from pullback.ops.linalg.einsum import einsum
from pullback.ops.math.arithmetic import LogicalAnd, NotEqual
from pullback.train import regularizers


@public("keras.layers.MultiHeadAttention")
class MultiHeadAttention(Layer):
    """Attention of several heads side by side.

    Args:
      num_heads: how many. key_dim, value_dim: how long a head's queries and keys, and its values, are (key_dim).
      dropout: the share of weights set to 0 while training. seed: of the draws.
      use_bias: products have biases. output_shape: of what comes out, the queries' last size by default.
      attention_axes: the axes attention goes over, counted with the batch's; all but the first and last by default.
      flash_attention: another way to compute the same; has no meaning.
      kernel_*, bias_*: initializers, regularizers and constraints, by words or callables.
    Call arguments: query, value, key (the value by default); query_mask, value_mask, key_mask: bool [B, T], of which
      those that inputs carry count too; attention_mask: bool [B, T, S]; use_causal_mask: no query looks at later
      values; return_attention_scores: give the weights [B, heads, T, S] too.
    Raises:
      ValueError: a count is not positive, dropout lies outside of [0, 1], or attention_axes do not fit.
    Source: Vaswani et al. 2017.
    """

    settings = (
        "num_heads", "key_dim", "value_dim", "dropout", "use_bias", "attention_axes",
        "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
        "kernel_constraint", "bias_constraint", "seed",
    )  # fmt: skip
    supports_masking = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        flash_attention: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.num_heads = positive(num_heads, "MultiHeadAttention: num_heads")
        self.key_dim = positive(key_dim, "MultiHeadAttention: key_dim")
        self.value_dim = positive(value_dim or key_dim, "MultiHeadAttention: value_dim")
        self.dropout, self.use_bias, self.seed = rate_of(dropout, "dropout"), use_bias, seed
        self._output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._query: Any = None
        self._key: Any = None
        self._value: Any = None
        self._output: Any = None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_shape": self._output_shape}

    def build(self, input_shape: Any) -> None:
        """Makes the products, for queries of this shape; their variables at the first call."""
        sizes = as_shape(input_shape)
        if sizes is None or len(sizes) < 3:
            raise ArgumentError(
                f"MultiHeadAttention: queries must be [batch, steps, ..., channels], but have shape {sizes}"
            ).locate()
        rank = len(sizes)
        axes = range(1, rank - 1) if self.attention_axes is None else self.attention_axes
        self._axes = sorted(axes_of(list(axes), rank, "MultiHeadAttention: attention_axes"))
        self._query = self._projection("query", rank, self.key_dim)
        self._key = self._projection("key", rank, self.key_dim)
        self._value = self._projection("value", rank, self.value_dim)
        out = tuple(self._output_shape or (sizes[-1],))
        free = string.ascii_letters[: rank - 1]
        sums, made = string.ascii_letters[rank - 1 : rank + 1], string.ascii_letters[rank + 1 : rank + 1 + len(out)]
        self._output = self._product(
            "attention_output", f"{free}{sums},{sums}{made}->{free}{made}", (*sizes[1:-1], *out), made
        )
        self.built = True

    def _projection(self, name: str, rank: int, size: int) -> EinsumDense:
        """[B, T.., C] -> [B, T.., heads, size]"""
        free, c, heads = (string.ascii_letters[: rank - 1], *string.ascii_letters[rank - 1 : rank + 1])
        last = string.ascii_letters[rank + 1]
        shape = (*[None] * (rank - 2), self.num_heads, size)
        return self._product(name, f"{free}{c},{c}{heads}{last}->{free}{heads}{last}", shape, heads + last)

    def _product(self, name: str, equation: str, shape: Any, bias_axes: str) -> EinsumDense:
        return EinsumDense(
            equation,
            shape,
            bias_axes=bias_axes if self.use_bias else None,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            name=name,
            dtype=self._policy or self._dtype,
        )

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        value = self._cast(as_input(value))
        key = value if key is None else self._cast(as_input(key))
        pairs = ((query_mask, query, -1), (value_mask, value, -2), (key_mask, None if key is value else key, -2))
        masks = [(calls.masks.of(x) if given is None else given, at) for given, x, at in pairs]
        kept = [expand_dims(_flags(m), at) for m, at in masks if m is not None]
        if use_causal_mask:
            kept.append(causal(sizes_of(query)[1], sizes_of(value)[1]))
        if attention_mask is not None:
            kept.append(_flags(attention_mask))
        y, weights = self._attended(query, value, key, _all(kept), training)
        return (y, weights) if return_attention_scores else y

    def _attended(self, query: Tensor, value: Tensor, key: Tensor, kept: Any, training: Any) -> tuple[Tensor, Tensor]:
        """Axes of the weights: those outside of attention, heads, the queries' and the keys' of attention."""
        q, k, v = self._query(query) * (1.0 / math.sqrt(self.key_dim)), self._key(key), self._value(value)
        rank, letters = query.spec.rank or 0, iter(string.ascii_letters)
        of_query = [next(letters) for _ in range(rank - 1)]
        of_key = [next(letters) if a in self._axes else c for a, c in enumerate(of_query)]
        head, within, behind = next(letters), next(letters), next(letters)
        outside = [c for a, c in enumerate(of_query) if a not in self._axes]
        tq, tk = ("".join(row[a] for a in self._axes) for row in (of_query, of_key))
        whole, other, scored = "".join(of_query) + head, "".join(of_key) + head, "".join(outside) + head + tq + tk
        scores = einsum(f"{whole}{within},{other}{within}->{scored}", q, k)
        if kept is not None:
            scores = hidden(scores, self._beside_heads(kept, scores))
        sizes, steps = sizes_of(scores), len(self._axes)
        flat = scores if steps == 1 else reshape(scores, packed([*sizes[:-steps], -1]))
        weights = weights_of(flat, self.dropout, self.seed, training)
        weights = weights if steps == 1 else reshape(weights, packed(sizes))
        mixed = einsum(f"{scored},{other}{behind}->{whole}{behind}", weights, v)
        return self._output(mixed), weights

    def _beside_heads(self, kept: Tensor, scores: Tensor) -> Tensor:
        """A mask [B, ..., T, S] with axes for what it lacks before the last ones: heads, and axes outside."""
        while (kept.spec.rank or 0) < (scores.spec.rank or 0):
            at = max((kept.spec.rank or 0) - 2 * len(self._axes), 0)
            kept = expand_dims(kept, at)
        return kept

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        sizes = as_shape(query_shape)
        out = None if sizes is None else (*sizes[:-1], *(self._output_shape or sizes[-1:]))
        return TensorShape(out)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return calls.masks.of(inputs)


def _flags(mask: Any) -> Tensor:
    """A mask as bools."""
    given = interpreter.as_tensor(mask)
    return given if given.dtype.name == "bool" else NotEqual()(given, 0)


def _all(masks: list[Tensor]) -> Any:
    """Where all of the masks are True; None without masks."""
    kept: Any = None
    for mask in masks:
        kept = mask if kept is None else LogicalAnd()(kept, mask)
    return kept
