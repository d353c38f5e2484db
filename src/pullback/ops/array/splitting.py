"""Taking tensors apart along an axis: Split into equal pieces, SplitV into pieces of given sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import ConcatV2, present
from pullback.ops.array.shape import axis_in, dims, static_scalar


class _Splits(Op):
    """Base of Split and SplitV: the pieces of a tensor along an axis, whose gradient is their concatenation."""

    T = dtypes.ANY
    any_rank = True
    num_split: int

    def check(self) -> None:
        if self.num_split < 1:
            raise ArgumentError(f"{self.type}: num_split must be at least 1, not {self.num_split}")

    def pieces(self, x: Spec, axis: Any, lengths: Any) -> tuple[Spec, ...]:
        """Specs of the pieces, whose lengths `lengths(n)` says from the axis's size."""
        if x.shape is None:
            return (x.with_shape(None),) * self.num_split
        if axis is None:
            return (x.with_shape((None,) * len(x.shape)),) * self.num_split
        at = axis_in(axis, len(x.shape), self.type)
        return tuple(x.with_shape((*x.shape[:at], n, *x.shape[at + 1 :])) for n in lengths(x.shape[at]))

    def attrs(self) -> dict[str, Any]:
        return {"num_split": self.num_split}


@op
class Split(_Splits):
    """num_split equal pieces. axis [], x [..., n, ...] -> y_i [..., n / num_split, ...]"""

    signature = "split_dim: int32|int64, value: T -> *output: T"
    static = (0,)
    num_split: int

    def infer(self, axis: Spec, x: Spec) -> tuple[Spec, ...]:
        return self.pieces(x, axis.value, self._lengths)

    def _lengths(self, n: int | None) -> list[int | None]:
        if n is not None and n % self.num_split:
            raise ShapeError(
                f"Split: {n} slices do not make {self.num_split} equal pieces; give tf.split a list of sizes"
            )
        return [None if n is None else n // self.num_split] * self.num_split

    def reference(self, axis: Any, x: Any) -> Any:
        self._lengths(x.shape[int(axis)])
        return tuple(np.split(x, self.num_split, int(axis)))

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, ConcatV2()(*present(dys, node), node.inputs[0])

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        axis, x = inputs
        at = static_scalar(axis)
        if axes[0] is not None or at is None:
            return NotImplemented
        return self(at + 1 if at >= 0 else at, x), ((0,) * self.num_split if self.num_split > 1 else 0)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(2), (np.int32(1), rng.normal(size=(3, 4))))
        yield Sample(cls(3), (np.int32(-2), rng.normal(size=(3, 4))))
        yield Sample(cls(1), (np.int32(0), rng.normal(size=(3,))))
        yield Sample(cls(2), (np.int32(0), rng.normal(size=(0, 3))), name="empty")
        yield Sample(cls(2), (np.int32(0), np.arange(4)), wrt=(), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(2)(0, np.ones(3)), ShapeError, "equal pieces"


@op
class SplitV(_Splits):
    """Pieces of given sizes; one may be -1. x [..., n, ...], sizes [num_split], axis [] -> y_i [..., sizes_i, ...]"""

    signature = "value: T, size_splits: int32|int64, split_dim: int32|int64 -> *output: T"
    static = (1, 2)
    num_split: int

    def infer(self, x: Spec, sizes: Spec, axis: Spec) -> tuple[Spec, ...]:
        given = sizes.value if isinstance(sizes.value, tuple) else (None,) * self.num_split
        return self.pieces(x, axis.value, lambda n: self._lengths(given, n))

    def _lengths(self, sizes: Any, n: int | None) -> list[int | None]:
        shown = shape.text(sizes)
        if len(sizes) != self.num_split or sizes.count(-1) > 1:
            raise ShapeError(f"SplitV: sizes {shown} must be {self.num_split} numbers, at most one of them -1")
        if None in sizes:
            return [None if s == -1 else s for s in sizes]
        rest = sum(s for s in sizes if s != -1)
        if n is not None and (rest > n or (-1 not in sizes and rest != n)):
            raise ShapeError(f"SplitV: sizes {shown} do not sum to {n}, the size of the axis")
        return [s if s != -1 else None if n is None else n - rest for s in sizes]

    def reference(self, x: Any, sizes: Any, axis: Any) -> Any:
        lengths = self._lengths(tuple(np.asarray(sizes).tolist()), x.shape[int(axis)])
        return tuple(np.split(x, np.cumsum(lengths)[:-1].astype(int), int(axis)))  # type: ignore[arg-type]

    def grad(self, node: Any, *dys: Any) -> Any:
        return ConcatV2()(*present(dys, node), node.inputs[2]), None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, sizes, axis = inputs
        at = static_scalar(axis)
        if axes[1:] != (None, None) or at is None:
            return NotImplemented
        return self(x, sizes, at + 1 if at >= 0 else at), ((0,) * self.num_split if self.num_split > 1 else 0)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(3), (rng.normal(size=(3, 4)), (1, 2, 1), np.int32(1)), wrt=(0,))
        yield Sample(cls(2), (rng.normal(size=(3, 4)), (0, -1), np.int32(-2)), wrt=(0,), name="rest")
        yield Sample(cls(1), (rng.normal(size=(3,)), (3,), np.int32(0)), wrt=(0,))
        yield Sample(cls(2), (np.array([True, False]), (1, 1), np.int32(0)), wrt=(), name="bool")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(2)(np.ones(3), (1, 1), 0), ShapeError, "sum to 3"


# --- public names ---------------------------------------------------------------------------------------------------


@public("split")
def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str = "split"
) -> list[Tensor]:
    """Pieces of a tensor along an axis, as a list.

    Args:
      num_or_size_splits: how many equal pieces; or a list (or vector) of their sizes, of which one may be -1.
      num: how many sizes a vector of unknown length holds.
    Raises:
      ShapeError: the pieces do not make up the axis. ArgumentError: the number of pieces is not known.
    """
    sizes = dims(num_or_size_splits)
    if isinstance(sizes, Tensor) and sizes.spec.rank == 0:
        sizes = static_scalar(sizes)
    if isinstance(sizes, int):
        made = Split(sizes)(dims(axis), value, name=name)
        return [made] if sizes == 1 else list(made)
    if num is None and isinstance(sizes, tuple):
        num = len(sizes)
    elif num is None and sizes is not None and sizes.spec.shape is not None:
        num = sizes.spec.shape[0]
    if num is None:
        raise ArgumentError("split: how many pieces cannot be told from num_or_size_splits; give num").locate()
    made = SplitV(num)(value, sizes, dims(axis), name=name)
    return [made] if num == 1 else list(made)
