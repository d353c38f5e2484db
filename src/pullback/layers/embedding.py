"""Embedding, and what makes and drops masks: Masking."""

from __future__ import annotations

from typing import Any

from pullback.core.dtypes import as_dtype, int32, int64
from pullback.core.names import public
from pullback.layers import constraints
from pullback.layers.base import Layer
from pullback.layers.sizes import positive
from pullback.ops.array.embedding import embedding_lookup
from pullback.ops.math.arithmetic import NotEqual
from pullback.ops.math.reduce_functions import reduce_any
from pullback.ops.math.select import Cast
from pullback.train import regularizers


@public("keras.layers.Embedding")
class Embedding(Layer):
    """Rows of a table that integers name. x [...] -> [..., output_dim]

    Args:
      input_dim: how many rows. output_dim: how long one is.
      embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table.
      mask_zero: 0 stands for no word: layers behind it skip such steps.
      input_length: how many words an example has; settles the shape of inputs for Sequential.
    """

    settings = (
        "input_dim", "output_dim", "embeddings_initializer", "embeddings_regularizer", "activity_regularizer",
        "embeddings_constraint", "mask_zero", "input_length",
    )  # fmt: skip

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs and input_length is not None:
            kwargs["input_shape"] = (input_length,) if isinstance(input_length, int) else tuple(input_length)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._autocast, self._casts_variables = False, False
        self.input_dim = positive(input_dim, "Embedding: input_dim")
        self.output_dim = positive(output_dim, "Embedding: output_dim")
        self.embeddings_initializer = embeddings_initializer
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero, self.input_length = mask_zero, input_length
        self.supports_masking = mask_zero
        self.embeddings: Any = None

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight_as_set("embeddings", (self.input_dim, self.output_dim))
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return NotEqual()(inputs, 0) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        ids = inputs if inputs.dtype in (int32, int64) else Cast(int32)(inputs)
        rows = embedding_lookup(self.embeddings, ids)
        return Cast(as_dtype(self.compute_dtype))(rows) if self._mixed else rows


@public("keras.layers.Masking")
class Masking(Layer):
    """Steps whose entries are all mask_value are skipped by the layers behind. x [B, T, C] -> [B, T, C]"""

    settings = ("mask_value",)
    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return reduce_any(NotEqual()(inputs, self.mask_value), -1)

    def call(self, inputs: Any) -> Any:
        kept = reduce_any(NotEqual()(inputs, self.mask_value), -1, True)
        return inputs * Cast(inputs.dtype)(kept)
