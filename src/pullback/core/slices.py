"""IndexedSlices: the gradient of a lookup, kept as the rows that were looked up."""

from __future__ import annotations

from typing import Any

from pullback.core.dtypes import DType
from pullback.core.names import public
from pullback.core.shape import TensorShape
from pullback.core.tensor import Tensor


@public("IndexedSlices")
class IndexedSlices:
    """Rows of a larger tensor that is zero elsewhere; equal indices add.

    values [k, ...]   indices [k]   dense_shape [rank] or None
    """

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Any = None) -> None:
        self.values, self.indices, self.dense_shape = values, indices, dense_shape

    @property
    def dtype(self) -> DType:
        return self.values.dtype

    @property
    def shape(self) -> TensorShape:
        dense = self.dense_shape if isinstance(self.dense_shape, tuple) else None
        return self.values.dialect.shape(dense)

    @property
    def graph(self) -> Any:
        return self.values.graph

    @property
    def op(self) -> Any:
        return self.values.op

    @property
    def name(self) -> str:
        return self.values.name

    @property
    def device(self) -> str:
        return self.values.device

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self.indices}, values={self.values})"
