"""TensorFlow 1's SparseTensor and sparse_placeholder: made in the default graph."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes
from pullback.core.basics import Placeholder
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.modes.default import building
from pullback.ops.sparse import SparseTensor, made


class SameInstances(type):
    """Of a class of TensorFlow 1 that only makes things elsewhere: its base's instances are its own."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])


@public(v1=("SparseTensor", "sparse.SparseTensor"))
class SparseTensorV1(SparseTensor, metaclass=SameInstances):
    """A SparseTensor whose parts are constants of the default graph."""

    def __new__(cls, indices: Any, values: Any, dense_shape: Any) -> Any:
        with building():
            return SparseTensor(indices, values, dense_shape)

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        """What `__new__` made is complete."""


@public(v1=("sparse_placeholder", "sparse.placeholder"))
def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A sparse tensor that each run is fed: a SparseTensorValue, or (indices, values, dense_shape).

    shape: the dense shape as far as known; with None inside, or None, each run says it.
    Raises:
      RuntimeError: in eager mode, which has nothing to feed.
    """
    with building() as here:
        if not isinstance(here, Graph):
            raise RuntimeError("tf.sparse_placeholder() is not compatible with eager execution.")
        sizes = as_shape(shape)
        rank = None if sizes is None else len(sizes)
        base = name or "Placeholder"
        values = here.bind(Placeholder(dtypes.as_dtype(dtype), (None,)), (), f"{base}/values")
        indices = here.bind(Placeholder(dtypes.int64, (None, rank)), (), f"{base}/indices")
        if sizes is not None and None not in sizes:
            from pullback.core import interpreter

            return made(indices, values, interpreter.as_tensor(sizes, dtypes.int64, f"{base}/shape"))
        dense = here.bind(Placeholder(dtypes.int64, (rank,)), (), f"{base}/shape")
        if sizes is not None:
            dense.spec = dense.spec.with_value(sizes)
        return made(indices, values, dense)
