"""Putting tensors together and taking them apart.

Pack    <-> Unpack          along a new axis: each is the other's gradient
ConcatV2 <-> Split, SplitV  along an axis they have
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import BroadcastTo, ZerosLike, shape_of
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import MOST_STATIC, Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import axis_in, differentiable, dims, drawn, static_scalar
from pullback.ops.math.select import Identity


def chain(*vectors: Any) -> Any:
    """Vectors one after another: a tuple where all are, else one tensor. Parts may be tuples holding tensors."""
    if all(isinstance(v, tuple) for v in vectors):
        return sum(vectors, ())
    return ConcatV2()(*[v for v in vectors if not isinstance(v, tuple) or v], 0)


def spread(size: Any, x: Tensor, axis: int | None) -> Tensor:
    """x with a leading axis of `size`, its own (axis 0) or a repeated one (None). For `batch` rules."""
    return x if axis is not None else BroadcastTo()(x, chain((size,), shape_of(x)))


def present(dys: Any, node: Any) -> list[Any]:
    """Cotangents of all of a node's results, zeros where none arrived."""
    return [ZerosLike()(y) if dy is None else dy for dy, y in zip(dys, node.results, strict=True)]


@op
class Pack(Op):
    """Tensors of one shape along a new axis. n times x [...] -> y [..., n, ...]"""

    signature = "*values: T -> output: T"
    T = dtypes.ANY
    any_rank = True
    axis: int = 0

    def infer(self, *values: Spec) -> Spec:
        if not values:
            raise ShapeError("Pack needs at least one tensor")
        each: Shape = None
        for x in values:
            each = shape.merged(each, x.shape, "Pack: shapes")
        if each is None:
            return values[0].with_shape(None)
        at = axis_in(self.axis, len(each) + 1, "Pack")
        held = _packed_value(values, each) if at == 0 and values[0].dtype.is_integer else None
        return Spec((*each[:at], len(values), *each[at:]), values[0].dtype, held)

    def reference(self, *values: Any) -> Any:
        for x in values:
            shape.merged(np.shape(values[0]), np.shape(x), "Pack: shapes")
        return np.stack(values, self.axis)

    def grad(self, node: Any, dy: Any) -> Any:
        return Unpack(len(node.inputs), self.axis)(dy)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        rows = [spread(size, x, a) for x, a in zip(inputs, axes, strict=True)]
        return Pack(self.axis + 1 if self.axis >= 0 else self.axis)(*rows), 0

    def attrs(self) -> dict[str, Any]:
        return {"axis": self.axis}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for axis in (0, 1, -1):
            yield Sample(cls(axis), tuple(rng.normal(size=(2, 3)) for _ in range(3)))
        yield Sample(cls(), (rng.normal(size=()), rng.normal(size=())), name="scalars")
        yield Sample(cls(1), (rng.normal(size=(0, 3)),), name="empty")
        yield from [Sample(cls(), (drawn(rng, (2,), t),), differentiable(t, 0), order=1, name=t.name) for t in cls.T]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones(2), np.ones(3)), ShapeError, "not compatible"
        yield lambda: cls(2)(np.ones(2)), ShapeError, "axis 2"


def _packed_value(values: tuple[Spec, ...], each: Shape) -> Any:
    """The static value of scalars as a vector, of vectors as a matrix, as far as known."""
    if all(x.value is None for x in values) or each is None or len(each) > 1 or None in each:
        return None
    if each == ():
        return tuple(x.value for x in values)
    blank = (None,) * each[0]  # type: ignore[operator]
    return (
        tuple(blank if x.value is None else x.value for x in values)
        if len(values) * len(blank) <= MOST_STATIC
        else None
    )


@op
class Unpack(Op):
    """The slices of x along an axis. x [..., num, ...] -> num times y [...]"""

    signature = "value: T -> *output: T"
    T = dtypes.ANY
    any_rank = True
    num: int
    axis: int = 0

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        if x.shape is None:
            return (x.with_shape(None),) * self.num
        at = axis_in(self.axis, len(x.shape), "Unpack")
        if x.shape[at] not in (None, self.num):
            raise ShapeError(
                f"Unpack: axis {self.axis} of {shape.text(x.shape)} has {x.shape[at]} slices, not num={self.num}"
            )
        each = x.shape[:at] + x.shape[at + 1 :]
        values = x.value if len(x.shape) == 1 and isinstance(x.value, tuple) else (None,) * self.num
        return tuple(Spec(each, x.dtype, v) for v in values)

    def reference(self, x: Any) -> Any:
        if x.shape[self.axis] != self.num:
            raise ShapeError(f"Unpack: axis {self.axis} of {shape.text(x.shape)} must hold {self.num} slices")
        rows = np.moveaxis(x, self.axis, 0)
        return tuple(rows[i, ...] for i in range(self.num))

    def grad(self, node: Any, *dys: Any) -> Any:
        if not dys:
            return ZerosLike()(node.inputs[0])
        return Pack(self.axis)(*present(dys, node))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        made = interpreter.current().bind(Unpack(self.num, self.axis + 1 if self.axis >= 0 else self.axis), inputs)
        return made, ((0,) * self.num if self.num != 1 else 0)

    def attrs(self) -> dict[str, Any]:
        return {"num": self.num, "axis": self.axis}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(2), (rng.normal(size=(2, 3)),))
        yield Sample(cls(3, -1), (rng.normal(size=(2, 3)),))
        yield Sample(cls(1), (rng.normal(size=(1,)),))
        yield Sample(cls(2), (rng.normal(size=(2, 0)),), name="empty")
        yield Sample(cls(2), (np.array([[b"a"], [b"b"]], object),), wrt=(), name="string")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(3)(np.ones((2, 3))), ShapeError, "num=3"


@op
class ConcatV2(Op):
    """Tensors one after another along an axis. x_i [..., n_i, ...], axis [] -> y [..., sum n_i, ...]"""

    signature = "*values: T, axis: int32|int64 -> output: T"
    T = dtypes.ANY
    static = (-1,)
    any_rank = True

    def infer(self, *inputs: Spec) -> Spec:
        *values, axis = inputs
        if not values:
            raise ShapeError("ConcatV2 needs at least one tensor")
        rank = next((len(x.shape) for x in values if x.shape is not None), None)
        at = axis.value
        if rank is None:
            return values[0].with_shape(None)
        if at is None:
            return values[0].with_shape((None,) * rank)
        at = axis_in(at, rank, "ConcatV2") if rank else _no_axes()
        around: Shape = None
        for x in values:
            if x.shape is not None and len(x.shape) != rank:
                raise ShapeError(f"ConcatV2: {_all(values)} must have the same number of axes")
            try:
                around = shape.merged(around, x.shape and (*x.shape[:at], None, *x.shape[at + 1 :]))
            except ShapeError:
                raise ShapeError(f"ConcatV2: {_all(values)} must agree in all axes but axis {at}") from None
        assert around is not None
        lengths = [None if x.shape is None else x.shape[at] for x in values]
        total = None if None in lengths else sum(lengths)  # type: ignore[arg-type]
        return Spec((*around[:at], total, *around[at + 1 :]), values[0].dtype, _chained_value(values, rank, lengths))

    def reference(self, *inputs: Any) -> Any:
        *values, axis = inputs
        try:
            return np.concatenate(values, int(np.reshape(axis, ())))
        except ValueError as error:
            raise ShapeError(f"ConcatV2: {error}") from None

    def grad(self, node: Any, dy: Any) -> Any:
        *xs, axis = node.inputs
        if len(xs) == 1:
            return dy, None
        at = static_scalar(axis)
        sizes = tuple([_length(x, at, axis) for x in xs])
        return *interpreter.current().bind(REGISTRY["SplitV"](len(xs)), (dy, sizes, axis)), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        *xs, axis = inputs
        at = static_scalar(axis)
        if axes[-1] is not None or at is None:
            return NotImplemented
        rows = [spread(size, x, a) for x, a in zip(xs, axes[:-1], strict=True)]
        return self(*rows, at + 1 if at >= 0 else at), 0

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x, y = rng.normal(size=(2, 3)), rng.normal(size=(2, 1))
        yield Sample(cls(), (x, y, np.int32(1)))
        yield Sample(cls(), (x, rng.normal(size=(0, 3)), x, np.int64(-2)), name="empty_part")
        yield Sample(cls(), (x, np.int32(0)), name="one")
        yield from [
            Sample(cls(), (drawn(rng, (2,), t),) * 2 + (np.int32(0),), differentiable(t, 0, 1), order=1, name=t.name)
            for t in cls.T
        ]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.ones((3, 3)), 1), ShapeError, "all axes but axis 1"
        yield lambda: cls()(np.ones((2, 3)), np.ones(3), 1), ShapeError, "number of axes"
        yield lambda: cls()(np.ones((2, 3)), 2), ShapeError, "axis 2"
        yield lambda: cls()(np.ones(()), 0), ShapeError, "tf.stack"


def _all(values: Any) -> str:
    return "shapes " + ", ".join(shape.text(x.shape) for x in values)


def _no_axes() -> int:
    raise ShapeError("ConcatV2: scalars have no axis to be joined along; use tf.stack")


def _chained_value(values: Any, rank: int, lengths: list[Any]) -> Any:
    """The static value of integer vectors one after another, as far as known."""
    if (
        rank != 1
        or None in lengths
        or sum(lengths) > MOST_STATIC
        or not any(isinstance(x.value, tuple) for x in values)
    ):
        return None
    return sum(
        (x.value if isinstance(x.value, tuple) else (None,) * n for x, n in zip(values, lengths, strict=True)), ()
    )


def _length(x: Tensor, at: int | None, axis: Any) -> Any:
    """The size of x along an axis, a number where known."""
    if at is not None and x.spec.shape is not None and x.spec.shape[at] is not None:
        return x.spec.shape[at]
    return shape_of(x)[axis if at is None else at]


# --- what the chain rule and the door ask of this room --------------------------------------------------------------


def packed(value: Any, dtype: DType | None) -> Tensor:
    """One tensor of a nested list that holds tensors; numbers take the tensors' type."""
    dtype = dtype or _dtype_inside(value)
    return Pack()(*[interpreter.as_tensor(v, dtype) for v in value], name="packed")


def _dtype_inside(value: Any) -> DType | None:
    if isinstance(value, (list, tuple)):
        return next((t for t in map(_dtype_inside, value) if t is not None), None)
    if isinstance(value, Tensor):
        return value.dtype
    if not hasattr(type(value), "__pullback_tensor__"):
        return None
    return value.dtype if hasattr(value, "dtype") else interpreter.as_tensor(value).dtype


interpreter.pack.append(packed)


# --- public names ---------------------------------------------------------------------------------------------------


def _same_type(values: Any) -> list[Any]:
    """The entries of a list as tensors; what is none takes the type of the first that is."""
    entries = list(values) if isinstance(values, (list, tuple)) else [values]
    dtype = next((t for t in map(_dtype_inside, entries) if t is not None), None)
    if dtype is None and entries and all(isinstance(v, (int, float, list, tuple)) for v in entries):
        dtype = interpreter.as_tensor(entries[0]).dtype
        dtype = next((d for v in entries if (d := interpreter.as_tensor(v).dtype).is_floating), dtype)
    return [interpreter.as_tensor(v, None if isinstance(v, Tensor) else dtype) for v in entries]


@public("concat")
def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """Tensors one after another along an axis.

    Args:
      values: tensors that agree in type, and in all axes but `axis`.
      axis: int, or a scalar tensor; negative ones count from behind.
    Raises:
      ShapeError: another axis differs, or there is no such axis.
    """
    tensors = _same_type(values)
    if not tensors:
        raise ArgumentError("concat needs at least one tensor").locate()
    if len(tensors) == 1:
        return Identity()(tensors[0], name=name)
    return ConcatV2()(*tensors, dims(axis), name=name)


@public("stack")
def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    """Tensors of one shape along a new axis, the axis `axis` of the result.

    Raises:
      ShapeError: the shapes differ, or the axis lies outside of the result.
    """
    if isinstance(values, Tensor):
        values = list(unstack(values))
    tensors = _same_type(values)
    if not tensors:
        raise ArgumentError("stack needs at least one tensor").locate()
    return Pack(int(axis))(*tensors, name=name)


@public("parallel_stack")
def parallel_stack(values: Any, name: str = "parallel_stack") -> Tensor:
    """As `stack` along axis 0. In TensorFlow it lets pieces be computed at any time; so may they here anyway."""
    return stack(values, 0, name)


@public("unstack")
def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Tensor]:
    """The slices of a tensor along an axis, as a list.

    Args:
      num: how many there are; needed where the shape does not say.
    Raises:
      ShapeError: there is another number. ArgumentError: the number is not known.
    """
    x = interpreter.as_tensor(value)
    if num is None:
        known = x.spec.shape
        num = None if known is None else known[axis_in(axis, len(known), "unstack")]
        if num is None:
            raise ArgumentError(
                f"unstack: axis {axis} of shape {shape.text(known)} has no known size; give num"
            ).locate()
    made = Unpack(num, int(axis))(x, name=name)
    return [made] if num == 1 else list(made) if num else []
