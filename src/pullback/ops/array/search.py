"""Finding entries: ArgMax, ArgMin, Unique. None of them has a gradient: places do not move with the values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import NotDifferentiable, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import axis_in, dims, drawn, one_of, static_scalar


class _Extreme(Op):
    """Base of ArgMax and ArgMin. x [..., n, ...], dimension [] -> y [...]; on a tie the first place."""

    signature = "input: T, dimension: int32|int64 -> output: output_type"
    T = (*dtypes.NUMBERS, dtypes.bool_)
    static = (1,)
    output_type: DType

    def infer(self, x: Spec, dimension: Spec) -> Spec:
        assert x.shape is not None
        if dimension.value is None:
            return Spec((None,) * max(len(x.shape) - 1, 0), self.output_type)
        at = axis_in(dimension.value, len(x.shape), self.type)
        if x.shape[at] == 0:
            raise ShapeError(
                f"{self.type}: axis {at} of {shape.text(x.shape)} is empty, so nothing can be found along it"
            )
        return Spec(x.shape[:at] + x.shape[at + 1 :], self.output_type)

    def reference(self, x: Any, dimension: Any) -> Any:
        find = np.argmax if self.type == "ArgMax" else np.argmin
        return find(_ordered(x), int(np.reshape(dimension, ()))).astype(self.output_type.numpy)

    def grad(self, node: Any, dy: Any) -> Any:
        return NotDifferentiable("a place does not move with the values"), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, dimension = inputs
        at = static_scalar(dimension)
        if axes[1] is not None or at is None:
            return NotImplemented
        return self(x, at + 1 if at >= 0 else at), 0

    def attrs(self) -> dict[str, Any]:
        return {"output_type": self.output_type}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(2, 3, 4))
        for axis in (0, -1):
            yield Sample(cls(), (x, np.int32(axis)), (), name=f"axis{axis}")
        yield Sample(cls(dtypes.int32), (x, np.int64(1)), ())
        yield Sample(cls(), (np.array([1.0, 1.0]), np.int32(0)), (), name="tie")
        yield Sample(cls(), (np.zeros((0, 3)), np.int32(1)), (), name="empty")
        yield from [Sample(cls(), (drawn(rng, (4,), t), np.int32(0)), (), name=t.name) for t in cls.T]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), 2), ShapeError, "axis 2"
        yield lambda: cls()(np.ones((2, 0)), 1), ShapeError, "is empty"


def _ordered(x: Any) -> Any:
    """What is compared: bfloat16, which NumPy has no argmax of, exactly as float32."""
    return x.astype(np.float32) if x.dtype.name == "bfloat16" else x


@op
class ArgMax(_Extreme):
    """The place of the largest entry along an axis."""

    output_type: DType = dtypes.int64


@op
class ArgMin(_Extreme):
    """The place of the smallest entry along an axis."""

    output_type: DType = dtypes.int64


@op
class Unique(Op):
    """The different entries of a vector in the order they first occur, and of each entry its place among them.

    x [n] -> y [how many], idx [n]
    """

    signature = "x: T -> y: T, idx: out_idx"
    T = dtypes.ANY
    out_idx: DType = dtypes.int32

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        if len(x.shape or ()) != 1:
            raise ShapeError(f"{self.type}: x must be a vector, but has shape {shape.text(x.shape)}")
        return x.with_shape((None,)), Spec(x.shape, self.out_idx)

    def reference(self, x: Any) -> Any:
        first: dict[Any, int] = {}
        places = [first.setdefault(v, len(first)) for v in x.tolist()]
        at = np.zeros(len(first), np.intp)
        for i in reversed(range(len(places))):
            at[places[i]] = i
        return x[at], np.array(places, self.out_idx.numpy)

    def grad(self, node: Any, *dys: Any) -> Any:
        return NotDifferentiable("which entries differ does not change smoothly with them")

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([3, 1, 3, 2, 1]),), ())
        yield Sample(cls(dtypes.int64), (np.array([0.5, 0.25, 0.5]),), ())
        yield Sample(cls(), (np.zeros(0, np.int32),), (), name="empty")
        yield Sample(cls(), (np.array([b"b", b"a", b"b"], object),), (), name="string")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 2))), ShapeError, "vector"


@op
class UniqueWithCounts(Unique):
    """As Unique, and how often each of the different entries occurs. x [n] -> y [m], idx [n], count [m]"""

    signature = "x: T -> y: T, idx: out_idx, count: out_idx"

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        return *super().infer(x), Spec((None,), self.out_idx)

    def reference(self, x: Any) -> Any:
        y, idx = super().reference(x)
        return y, idx, np.bincount(idx, minlength=len(y)).astype(self.out_idx.numpy)


# --- public names ---------------------------------------------------------------------------------------------------


@public("argmax", "math.argmax", v1=None)
def argmax(input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """The place of the largest entry along an axis (by default 0); on a tie the first.

    Raises:
      ShapeError: there is no such axis, or nothing along it.
    """
    return _found(ArgMax, input, axis, output_type, name)


@public("argmin", "math.argmin", v1=None)
def argmin(input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """The place of the smallest entry along an axis (by default 0); on a tie the first."""
    return _found(ArgMin, input, axis, output_type, name)


def _found(cls: Any, x: Any, axis: Any, output_type: Any, name: str | None) -> Tensor:
    to = as_dtype(output_type)
    if not to.is_integer:
        raise ArgumentError(f"{cls.type}: output_type must be an integer type, not {to.name}").locate()
    return cls(to)(x, 0 if axis is None else dims(axis), name=name)


@public(v1=("argmax", "math.argmax"))
def argmax_v1(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = dtypes.int64
) -> Tensor:
    """As `argmax`; `dimension` is the axis's earlier name."""
    return argmax(input, one_of("axis", axis, "dimension", dimension), output_type, name)


@public(v1=("argmin", "math.argmin"))
def argmin_v1(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = dtypes.int64
) -> Tensor:
    """As `argmin`; `dimension` is the axis's earlier name."""
    return argmin(input, one_of("axis", axis, "dimension", dimension), output_type, name)


@public(v1="arg_max")
def arg_max(input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """`argmax` by its earlier name."""
    return argmax(input, dimension, output_type, name)


@public(v1="arg_min")
def arg_min(input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """`argmin` by its earlier name."""
    return argmin(input, dimension, output_type, name)


class UniqueEntries(NamedTuple):
    """What `unique` answers with."""

    y: Tensor
    idx: Tensor


class CountedEntries(NamedTuple):
    """What `unique_with_counts` answers with."""

    y: Tensor
    idx: Tensor
    count: Tensor


@public("unique")
def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> UniqueEntries:
    """The different entries of a vector in the order they first occur (y), and the place of each entry in y (idx)."""
    return UniqueEntries(*Unique(as_dtype(out_idx))(interpreter.as_tensor(x), name=name))


@public("unique_with_counts")
def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> CountedEntries:
    """As `unique`, and how often each of the different entries occurs."""
    return CountedEntries(*UniqueWithCounts(as_dtype(out_idx))(interpreter.as_tensor(x), name=name))
