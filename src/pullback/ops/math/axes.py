"""Which axes an op works along: their values where known, and small ops where they are known only when run.

AllAxes       x -> 0, 1, ..., rank - 1
ReducedShape  shape, axes -> the shape with 1 at the axes: what a reduction keeps
AxesFirst     shape, axes -> the permutation that brings the axes to the front
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import INDICES, int32
from pullback.core.errors import ArgumentError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import EagerTensor, Tensor


def axis_of(x: Any) -> int | None:
    """The value of an axis argument where it is known now."""
    if isinstance(x, EagerTensor):
        return int(x.value)
    return x.spec.value if isinstance(x, Tensor) else int(x)


def after_batch(axis: int) -> int:
    """The same axis once a batch axis stands in front."""
    return axis if axis < 0 else axis + 1


def axes_of(x: Any) -> tuple[int, ...] | None:
    """The value of an axes argument where it is known now; a single axis is a tuple of one."""
    if isinstance(x, EagerTensor):
        return ints(x.value)
    return known_axes(x.spec)


def ints(axes: Any) -> tuple[int, ...]:
    """An axes array, of one axis or several, as ints."""
    return tuple(axes.tolist()) if np.ndim(axes) else (int(axes),)


def known_axes(axes: Spec) -> tuple[int, ...] | None:
    """The axes that a Spec says, where it does."""
    value = axes.value
    if isinstance(value, int):
        return (value,)
    if isinstance(value, tuple):
        return None if None in value else value
    return () if axes.shape == (0,) else None


@functools.lru_cache(maxsize=1024)
def folded(op_type: str, axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The axes counted from the front, in order.

    Raises:
      ArgumentError: there is no such axis, or one is named twice.
    """
    out = sorted(a % rank if -rank <= a < rank else _no_axis(op_type, a, rank) for a in axes)
    if len(set(out)) < len(out):
        raise ArgumentError(f"{op_type}: axes {list(axes)} name an axis twice")
    return tuple(out)


def _no_axis(op_type: str, axis: int, rank: int) -> int:
    raise ArgumentError(
        f"{op_type}: invalid reduction dimension {axis} for an input with {rank} dimensions; "
        f"it must lie in [{-rank}, {rank})"
    )


@op
class ReducedShape(Op):
    """A shape with 1 at some axes: what a reduction over them keeps. shape [rank], axes -> kept [rank]"""

    signature = "shape: T, axes: Tidx -> kept: T"
    T = INDICES
    Tidx = INDICES
    static = (0, 1)

    def infer(self, shape_: Spec, axes: Spec) -> Spec:
        sizes, which = known_vector(shape_), known_axes(axes)
        if sizes is None or which is None:
            return shape_.with_shape(shape_.shape)
        ones = folded("ReducedShape", which, len(sizes))
        return Spec((len(sizes),), shape_.dtype, tuple(1 if i in ones else n for i, n in enumerate(sizes)))

    def reference(self, shape_: Any, axes: Any) -> Any:
        out = np.array(shape_)
        out[list(folded("ReducedShape", ints(axes), len(out)))] = 1
        return out

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), ((2, 3, 4), (0, -1)))
        yield Sample(cls(), ((2, 3), ()))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()((2, 3), (2,)), ArgumentError, "dimension 2"


@op
class AllAxes(Op):
    """0, 1, ..., rank - 1. x [...] -> axes [rank]"""

    signature = "x: any -> axes: int32"
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        return Spec((None,), int32) if x.shape is None else Spec((len(x.shape),), int32, tuple(range(len(x.shape))))

    def reference(self, x: Any) -> Any:
        return np.arange(np.ndim(x), dtype=np.int32)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),), wrt=())


@op
class AxesFirst(Op):
    """The permutation that brings axes to the front, the others in order. shape [rank], axes -> perm [rank]"""

    signature = "shape: T, axes: Tidx -> perm: int32"
    T = INDICES
    Tidx = INDICES
    static = (0, 1)

    def infer(self, shape_: Spec, axes: Spec) -> Spec:
        sizes, which = known_vector(shape_), known_axes(axes)
        if sizes is None or which is None:
            return Spec(shape_.shape, int32)
        return Spec((len(sizes),), int32, self._order(which, len(sizes)))

    def _order(self, axes: Any, rank: int) -> tuple[int, ...]:
        front = folded("AxesFirst", axes, rank)
        return (*front, *(i for i in range(rank) if i not in front))

    def reference(self, shape_: Any, axes: Any) -> Any:
        return np.array(self._order(ints(axes), len(shape_)), np.int32)

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), ((2, 3, 4), (1, -1)))
        yield Sample(cls(), ((2, 3), 1))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()((2, 3), (2,)), ArgumentError, "dimension 2"
