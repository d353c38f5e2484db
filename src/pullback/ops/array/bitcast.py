"""Bitcast: the same bytes as numbers of another type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import INTS, DType, as_dtype, bfloat16, float16, float32, float64, int32, int64, uint8
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor


@op
class Bitcast(Op):
    """The bytes of x, lowest first, read as `type`.

    A type of the same size keeps the shape. A smaller one adds a last axis: [...] -> [..., size of x / size of type];
    a larger one takes one away, which must be as long.
    """

    signature = "input: T -> output: type_"
    T = (float16, bfloat16, float32, float64, *INTS)
    type_: DType = float32

    def infer(self, input: Any) -> Spec:
        have, wanted = input.dtype.size, self.type_.size
        if have >= wanted:
            return Spec(input.shape if have == wanted else (*input.shape, have // wanted), self.type_)
        if not input.shape or input.shape[-1] not in (None, wanted // have):
            raise ShapeError(
                f"Bitcast: cannot bitcast from {input.dtype.name} to {self.type_.name}: the last axis must be "
                f"{wanted // have} long, but the shape is {input.shape}"
            )
        return Spec(input.shape[:-1], self.type_)

    def reference(self, input: Any) -> Any:
        have, wanted = input.dtype.itemsize, self.type_.numpy.itemsize
        shape = input.shape if have == wanted else (*input.shape, have // wanted) if have > wanted else input.shape[:-1]
        return np.frombuffer(np.ascontiguousarray(input).tobytes(), self.type_.numpy).reshape(shape)

    def grad(self, node: Any, dy: Any) -> Any:
        return (None,)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    def attrs(self) -> dict[str, Any]:
        return {"type": self.type_}

    @classmethod
    def from_attrs(cls, attrs: dict[str, Any]) -> Any:
        return cls(attrs["type"])

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(int32), (rng.normal(size=(2, 3)).astype(np.float32),), wrt=(), name="same")
        yield Sample(cls(uint8), (rng.normal(size=(2, 3)),), wrt=(), name="smaller")
        yield Sample(cls(int64), (rng.integers(0, 9, (3, 2)).astype(np.int32),), wrt=(), name="larger")
        yield Sample(cls(float64), (np.zeros(0, np.int64),), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(float64)(np.zeros(3, np.float32)), ShapeError, "must be 2 long"


@public("bitcast")
def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The bytes of a tensor as numbers of another type.

    A smaller type adds a last axis, a larger one takes one away.
    Raises:
      ShapeError: the last axis does not make up whole numbers.
    """
    return Bitcast(as_dtype(type))(input, name=name)
