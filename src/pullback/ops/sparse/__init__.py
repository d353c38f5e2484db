"""SparseTensor: the entries of a tensor that are named, three tensors together; and what is done with them.

    indices [n, rank] int64    values [n]    dense_shape [rank] int64

It is structure to nests, so sessions fetch and feed it, functions and branches take and return it. A fetched one is
a `SparseTensorValue`. Entries are expected in row order; `reorder` makes it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pullback.core import dtypes, interpreter, nest, shape
from pullback.core.dtypes import DType
from pullback.core.errors import DTypeError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import Shape, TensorShape
from pullback.core.spec import known_vector
from pullback.core.tensor import EagerTensor, Tensor


class SparseTensorValue(NamedTuple):
    """A fetched SparseTensor, and what is fed for one: three arrays."""

    indices: Any
    values: Any
    dense_shape: Any


public(v1=("SparseTensorValue", "compat.v1.SparseTensorValue"))(SparseTensorValue)


@public("SparseTensor", "sparse.SparseTensor", v1=None)
class SparseTensor:
    """A tensor of shape `dense_shape` that is `values[i]` at `indices[i]` and empty elsewhere.

    Args:
      indices: [n, rank], integers. values: [n]. dense_shape: [rank], integers.
    Raises:
      ShapeError: the three do not fit each other. DTypeError: indices or dense_shape are not integers.
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        here = interpreter.current()
        if not isinstance(here, Graph):
            here = interpreter._graph_of((indices, values, dense_shape)) or here
        with interpreter.entered(here):
            self._indices = interpreter.as_tensor(indices, dtypes.int64, "indices", what="SparseTensor: indices")
            self._values = interpreter.as_tensor(values, name="values")
            self._dense_shape = interpreter.as_tensor(
                tuple(shape.as_shape(dense_shape) or ()) if isinstance(dense_shape, TensorShape) else dense_shape,
                dtypes.int64,
                "dense_shape",
                what="SparseTensor: dense_shape",
            )
        self._check()

    def _check(self) -> None:
        places, values, dense = (t.spec.shape for t in (self._indices, self._values, self._dense_shape))
        if not shape.compatible(places, (None, None)) or not shape.compatible(dense, (None,)):
            raise ShapeError(
                f"SparseTensor: indices must be [n, rank] and dense_shape [rank], but they have shapes "
                f"{shape.text(places)} and {shape.text(dense)}"
            ).locate()
        count, rank = (None, None) if places is None else places
        if not shape.compatible(values, (count,)) or not shape.compatible(dense, (rank,)):
            raise ShapeError(
                f"SparseTensor: indices {shape.text(places)}, values {shape.text(values)} and dense_shape "
                f"{shape.text(dense)} do not fit: they must be [n, rank], [n] and [rank]"
            ).locate()

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """The SparseTensor of a SparseTensorValue; a SparseTensor itself."""
        return as_sparse(sparse_tensor_value)

    @property
    def indices(self) -> Tensor:
        return self._indices

    @property
    def values(self) -> Tensor:
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of dense_shape."""
        return self._values.dialect.shape(known_sizes(self._dense_shape))

    def get_shape(self) -> TensorShape:
        return self.shape

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def graph(self) -> Any:
        return self._values.graph

    @property
    def op(self) -> Any:
        return self._values.op

    @property
    def name(self) -> str:
        return self._values.name

    def consumers(self) -> list[Any]:
        """The Operations that read any of the three."""
        found = [*self._indices.consumers(), *self._values.consumers(), *self._dense_shape.consumers()]
        return list({id(node): node for node in found}.values())

    def eval(self, feed_dict: Any = None, session: Any = None) -> SparseTensorValue:
        """The value in a session (the default one)."""
        parts = (self._indices, self._values, self._dense_shape)
        if session is not None:
            return SparseTensorValue(*session.run(parts, feed_dict))
        return SparseTensorValue(*[t.eval(feed_dict) for t in parts])

    def with_values(self, new_values: Any) -> SparseTensor:
        """The same places with other values [n]."""
        return SparseTensor(self._indices, new_values, self._dense_shape)

    def _at_places(self, dense: Any) -> Any:
        """Entries of a dense tensor that broadcasts to this one's shape, at this one's places."""
        from pullback.core.basics import BroadcastTo
        from pullback.ops.array.places import GatherNd

        dense = interpreter.as_tensor(dense, self.dtype)
        if dense.spec.rank == 0:
            return dense
        return GatherNd()(BroadcastTo()(dense, self._dense_shape), self._indices)

    def __mul__(self, other: Any) -> SparseTensor:
        return self.with_values(self._values * self._at_places(other))

    def __truediv__(self, other: Any) -> SparseTensor:
        return self.with_values(self._values / self._at_places(other))

    __div__ = __truediv__

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"


def known_sizes(dense_shape: Tensor) -> Shape:
    """What is known of a shape that a tensor holds."""
    known = interpreter.static_value(dense_shape) if isinstance(dense_shape, EagerTensor) else None
    return known_vector(dense_shape.spec) if known is None else known


def as_sparse(value: Any, what: str = "sp_input") -> SparseTensor:
    """A SparseTensor, or that of a SparseTensorValue.

    Raises:
      DTypeError: the value is neither.
    """
    if isinstance(value, SparseTensor):
        return value
    if isinstance(value, SparseTensorValue) or (isinstance(value, tuple) and hasattr(value, "dense_shape")):
        return SparseTensor(*value)
    raise DTypeError(
        f"{what} must be a SparseTensor, but a {type(value).__name__} was given; tf.sparse.from_dense makes one"
    ).locate()


def made(indices: Any, values: Any, dense_shape: Any) -> SparseTensor:
    """A SparseTensor of three tensors that are known to fit."""
    out = object.__new__(SparseTensor)
    out._indices, out._values, out._dense_shape = indices, values, dense_shape
    return out


def _again(held: Any, leaves: Any) -> Any:
    """Arrays in the places of tensors are a run's results."""
    return SparseTensorValue(*leaves) if all(isinstance(x, np.ndarray) for x in leaves) else made(*leaves)


nest.structured(SparseTensor, lambda x: ((x._indices, x._values, x._dense_shape), None), _again)


@public("SparseTensorSpec")
class SparseTensorSpec:
    """What is known of a SparseTensor: dense shape and dtype."""

    def __init__(self, shape: Any = None, dtype: Any = dtypes.float32) -> None:
        self._shape, self._dtype = TensorShape(shape), dtypes.as_dtype(dtype)

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def value_type(self) -> type:
        return SparseTensor

    @classmethod
    def from_value(cls, value: Any) -> SparseTensorSpec:
        return cls(as_sparse(value).shape, value.dtype)

    def is_compatible_with(self, other: Any) -> bool:
        return self._dtype is other.dtype and self._shape.is_compatible_with(other.shape)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SparseTensorSpec) and (self._dtype is other._dtype) and bool(self._shape == other._shape)
        )

    def __hash__(self) -> int:
        return hash((self._shape, self._dtype))

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self._shape!r}, {self._dtype!r})"


def entries(rng: np.random.Generator, *sizes: int, count: int = 4) -> tuple[Any, Any, Any]:
    """Sample data: places in row order, values, shape."""
    flat = np.sort(rng.choice(int(np.prod(sizes)), count, replace=False))
    return np.stack(np.unravel_index(flat, sizes), 1).astype(np.int64), rng.normal(size=count), np.array(sizes)
