"""keras.layers.DenseFeatures: dense columns as a layer."""

from __future__ import annotations

import math
from typing import Any

from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.feature_column.columns import Features, check_dense, listed
from pullback.feature_column.input_layer import flattened
from pullback.layers.base import Layer
from pullback.ops.array.joining import concat


@public("keras.layers.DenseFeatures")
class DenseFeatures(Layer):
    """What the columns make of a dict of features, side by side in order of their names. {name: [B, ..]} -> [B, n]

    Args:
      feature_columns: dense columns. trainable: whether their variables are trained.
    Raises:
      ValueError: a column is categorical and not wrapped by an indicator or an embedding; a feature is missing.
    """

    def __init__(self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._feature_columns = listed(feature_columns)
        check_dense(self._feature_columns, "DenseFeatures")
        self._made: dict[str, Any] = {}
        self._autocast = False

    def build(self, input_shape: Any) -> None:
        """Variables are made when a column is first used: their sizes are the columns'."""
        self.built = True

    def call(self, features: Any) -> Tensor:
        if not isinstance(features, dict):
            raise ValueError(f"We expected a dictionary here. Instead we got: {type(features).__name__}")
        read = Features(features)
        outputs = [flattened(column, read, self._maker(column.scope_name)) for column in self._feature_columns]
        return concat(outputs, 1)

    def _maker(self, scope: str) -> Any:
        def make(name: str, shape: Any, dtype: Any, initializer: Any, trainable: bool) -> Any:
            full = f"{scope}/{name}"
            if full not in self._made:
                self._made[full] = self.add_weight(
                    full, shape, dtype, initializer=initializer, trainable=trainable and self.trainable
                )
            return self._made[full]

        return make

    def compute_output_shape(self, input_shape: Any) -> Any:
        """[B, n]"""
        first = next(iter(input_shape.values()))
        return (first[0], sum(math.prod(column.variable_shape) for column in self._feature_columns))
