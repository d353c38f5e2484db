"""Entries in order: the k largest, sort, argsort.

TopKV2 --> GatherV2Grad --> GatherV2      the cotangents go back to where the entries were
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import Shape_, shape_of
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.gather import GatherV2Grad
from pullback.ops.array.layout import Transpose
from pullback.ops.array.shape import axis_in, dims
from pullback.ops.math.scopes import scope


def falling(x: Any) -> Any:
    """Places of the entries along the last axis, largest first; of equal ones the first first."""
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x
    return x.shape[-1] - 1 - np.flip(np.argsort(np.flip(wide, -1), -1, kind="stable"), -1)


@op
class TopKV2(Op):
    """The k largest along the last axis, largest first, and where they were; of equal ones the first first.

    x [..., n], k [] -> values [..., k], indices [..., k]
    """

    signature = "input: T, k: Tk -> values: T, indices: index_type"
    T = (*dtypes.REALS, *dtypes.INTS)
    Tk = (dtypes.int32, dtypes.int64, dtypes.int16)
    static = (1,)
    sorted: bool = True
    index_type: DType = dtypes.int32

    def check(self) -> None:
        if self.index_type not in (dtypes.int16, dtypes.int32, dtypes.int64):
            raise ArgumentError(f"TopKV2: index_type must be int16, int32 or int64, not {self.index_type.name}")

    def infer(self, x: Spec, k: Spec) -> tuple[Spec, ...]:
        if not x.shape:
            raise ShapeError("TopKV2: the input must have at least one axis")
        n = x.shape[-1]
        if k.value is not None and (k.value < 0 or (n is not None and k.value > n)):
            raise ArgumentError(f"TopKV2: k = {k.value} entries are not to be had from {shape.text(x.shape)}")
        made = (*x.shape[:-1], k.value)
        return x.with_shape(made), Spec(made, self.index_type)

    def reference(self, x: Any, k: Any) -> Any:
        if not 0 <= int(k) <= x.shape[-1]:
            raise ArgumentError(f"TopKV2: k = {k} entries are not to be had from {shape.text(x.shape)}")
        at = falling(x)[..., : int(k)]
        return np.take_along_axis(x, at, -1), at.astype(self.index_type.numpy)

    def grad(self, node: Any, dy: Any, nothing: Any) -> Any:
        x, at = node.inputs[0], node.results[1]
        return GatherV2Grad(-1)(dy, at, -1, shape_of(x)), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return (self(*inputs), 0) if axes[1] is None else NotImplemented

    def attrs(self) -> dict[str, Any]:
        return {"sorted": self.sorted, "index_type": self.index_type}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 5)), np.int32(3)))
        yield Sample(cls(True, dtypes.int64), (rng.normal(size=(4,)), np.int64(4)))
        yield Sample(cls(), (np.array([[2.0, 1, 2, 2]]), np.int32(2)), smooth=False, name="ties")
        yield Sample(cls(), (np.ones((0, 3)), np.int32(2)), name="empty")
        yield Sample(cls(), (np.ones((2, 3)), np.int32(0)), name="none")
        for t in cls.T:
            yield Sample(cls(), (rng.permutation(6).astype(t.numpy), np.int32(2)), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(3), 4), ArgumentError, "k = 4"
        yield lambda: cls()(np.float64(1), 1), ShapeError, "at least one axis"
        yield lambda: cls(True, dtypes.float32), ArgumentError, "index_type"


class TopKV2Outputs(NamedTuple):
    """Largest entries, and where they were."""

    values: Tensor
    indices: Tensor


@public("math.top_k", "nn.top_k")
def top_k(
    input: Any, k: Any = 1, sorted: bool = True, index_type: Any = dtypes.int32, name: str | None = None
) -> TopKV2Outputs:
    """The k largest entries along the last axis.

    Args:
      input: [..., n], real. k: at most n.
      sorted: has no meaning: they always come largest first. index_type: int16, int32 or int64.
    Returns:
      (values, indices), both [..., k].
    Raises:
      ArgumentError: there are not so many.
    Ties: the first of equal entries comes first, and the gradient goes to those chosen.
    """
    return TopKV2Outputs(*TopKV2(bool(sorted), as_dtype(index_type))(input, dims(k), name=name))


def _ordered(what: str, values: Any, axis: Any, direction: str, name: str | None, which: int) -> Tensor:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ArgumentError(f"{what}: direction must be 'ASCENDING' or 'DESCENDING', not {direction!r}").locate()
    with scope(name, what, values):
        x = interpreter.as_tensor(values)
        axis, order = int(axis), None
        if axis != -1:
            if x.spec.rank is None:
                raise ArgumentError(f"{what}: axis {axis} needs values of known rank; only -1 does not").locate()
            try:
                at = axis_in(axis, x.spec.rank, what)
            except ShapeError as error:
                raise error.locate() from None
            order = list(range(x.spec.rank))
            order[at], order[-1] = order[-1], order[at]
            x = Transpose()(x, tuple(order))
        rising = direction == "ASCENDING"
        n = x.spec.shape[-1] if x.spec.shape else None
        found = TopKV2()(_turned(x) if rising else x, Shape_()(x)[-1] if n is None else n)
        y = found[which]
        if rising and which == 0:
            y = _turned(y)
        return y if order is None else Transpose()(y, tuple(order))


def _turned(x: Tensor) -> Tensor:
    """The same entries in the opposite order, none overflowing; its own inverse."""
    if x.dtype.is_unsigned:
        return x.dtype.max - x
    return -1 - x if x.dtype.is_integer else -x


@public("sort")
def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """The entries along an axis in rising ("ASCENDING") or falling ("DESCENDING") order; real.

    Raises:
      ArgumentError: there is no such direction. ShapeError: there is no such axis.
    """
    return _ordered("sort", values, axis, direction, name, 0)


@public("argsort")
def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """Where the entries of `sort` were, int32. Equal ones keep their order always, so `stable` has no meaning."""
    return _ordered("argsort", values, axis, direction, name, 1)
