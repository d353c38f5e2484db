"""Changing shapes without moving an element: Reshape, ExpandDims, Squeeze; and how shapes are given.

Reshape, ExpandDims, Squeeze  -- the gradient of each is Reshape, back to the input's shape
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import shape_of, static_tuple
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Dimension, Shape, TensorShape, as_shape
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import EagerTensor, Tensor


def dims(value: Any) -> Any:
    """A shape as users write it, as a static input: a tuple of ints (of ints and tensors), or a tensor.

    Raises:
      ArgumentError: a dimension is unknown (None).
    """
    if isinstance(value, (int, np.integer, Dimension)):
        return _dim(value)
    if isinstance(value, TensorShape):
        value = as_shape(value)
        if value is None:
            raise ArgumentError("a shape of unknown rank was given where numbers are needed; use tf.shape(x)").locate()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple([_dim(n) for n in value]) if isinstance(value, (tuple, list)) else value


def _dim(n: Any) -> Any:
    if type(n) is int:
        return n
    if isinstance(n, Dimension):
        n = n.value
    if n is None:
        raise ArgumentError(
            "a dimension is None (unknown) where a number is needed; use -1 where it follows from the size, "
            "or tf.shape(x)[i]"
        ).locate()
    if type(n) is EagerTensor or isinstance(n, np.integer):
        return int(n)
    return n


def axis_in(axis: int, rank: int, what: str) -> int:
    """The axis counted from the front.

    Raises:
      ShapeError: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise ShapeError(f"{what}: axis {axis} is outside of a tensor of rank {rank}; it must lie in [{-rank}, {rank})")
    return axis % rank


@op
class Reshape(Op):
    """The elements of x, in order, in another shape. One -1 stands for what the size leaves.

    x [...], shape [rank] -> y [shape]
    """

    signature = "tensor: T, shape: int32|int64 -> output: T"
    T = dtypes.ANY
    static = (1,)
    any_rank = True

    def infer(self, x: Spec, shape_: Spec) -> Spec:
        if shape_.shape is not None and len(shape_.shape) != 1:
            raise ShapeError(
                f"Reshape: shape must be a vector, not of shape {shape.text(shape_.shape)}; write [n] for one axis"
            )
        to = _resolved(x.shape, known_vector(shape_))
        return Spec(to, x.dtype, _reshaped_value(x, to))

    def reference(self, x: Any, shape_: Any) -> Any:
        try:
            return np.reshape(x, tuple(shape_))
        except ValueError:
            raise _misfit(np.shape(x), tuple(map(int, shape_))) from None

    def grad(self, node: Any, dy: Any) -> Any:
        return Reshape()(dy, shape_of(node.inputs[0])), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, to = inputs
        if axes[1] is not None:
            return NotImplemented
        one = None if x.spec.shape is None else x.spec.shape[1:]
        wanted = static_tuple(to)
        if wanted is None:
            from pullback.ops.array.joining import chain

            return self(x, chain((size,), to)), 0
        settled = _resolved(one, wanted)
        return self(x, (size, *(settled if shape.known(settled) else wanted))), 0  # type: ignore[misc]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3, 4)), (4, 6)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(2, 3, 4)), (-1, 2)), wrt=(0,), name="rest")
        yield Sample(cls(), (rng.normal(size=(1, 1)), ()), wrt=(0,), name="scalar")
        yield Sample(cls(), (rng.normal(size=(0, 3)), (3, -1)), wrt=(0,), name="empty")
        yield from [
            Sample(cls(), (drawn(rng, (2, 3), t), (3, 2)), wrt=differentiable(t, 0), order=1, name=t.name)
            for t in cls.T
        ]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), (4, 2)), ShapeError, "6 elements"
        yield lambda: cls()(np.ones((2, 3)), (-1, 4)), ShapeError, "6 elements"
        yield lambda: cls()(np.ones((2, 3)), (-1, -1)), ShapeError, "one -1"
        yield lambda: cls()(np.ones((2, 3)), 6), ShapeError, "vector"


def _resolved(have: Shape, wanted: Shape) -> Shape:
    """`wanted` with its -1 replaced by what the size leaves, as far as known."""
    if wanted is None:
        return None
    if wanted.count(-1) > 1 or any(n is not None and n < -1 for n in wanted):
        raise ShapeError(f"Reshape: shape {shape.text(wanted)} may hold one -1, and no number below it")
    size = shape.size_of(have)
    open_ = [i for i, n in enumerate(wanted) if n is None or n == -1]
    rest = math.prod(n for n in wanted if n is not None and n != -1)
    if len(open_) == 1 and size is not None and rest and size % rest == 0:
        return (*wanted[: open_[0]], size // rest, *wanted[open_[0] + 1 :])
    if size is not None and ((not open_ and rest != size) or (len(open_) == 1 and rest and size % rest)):
        raise _misfit(have, wanted)
    if size is not None and -1 in wanted and len(open_) == 1 and not rest:
        raise ShapeError(f"Reshape: -1 in {shape.text(wanted)} could be any number, as another dimension is 0")
    return tuple(None if n == -1 else n for n in wanted)


def _misfit(have: Shape, wanted: Shape) -> ShapeError:
    size = shape.size_of(have)
    return ShapeError(f"Reshape: {size} elements of shape {shape.text(have)} do not fill shape {shape.text(wanted)}")


def _reshaped_value(x: Spec, to: Shape) -> Any:
    """A static value in another shape: scalars and vectors only."""
    if x.shape is None or len(x.shape) > 1 or to is None or len(to) > 1:
        return None
    if x.value is None:
        return None
    row = x.value if isinstance(x.value, tuple) else (x.value,)
    return row if len(to) == 1 else row[0] if len(row) == 1 else None


@op
class ExpandDims(Op):
    """x with an axis of size 1 put before `dim` (counted in the result). x [...], dim [] -> y [..., 1, ...]"""

    signature = "input: T, dim: int32|int64 -> output: T"
    T = dtypes.ANY
    static = (1,)

    def infer(self, x: Spec, dim: Spec) -> Spec:
        assert x.shape is not None
        at = _only(dim.value)
        rank = len(x.shape) + 1
        if at is None:
            return x.with_shape((None,) * rank)
        at = axis_in(at, rank, "ExpandDims")
        value = (x.value,) if rank == 1 and x.value is not None else None
        return Spec((*x.shape[:at], 1, *x.shape[at:]), x.dtype, value)

    def reference(self, x: Any, dim: Any) -> Any:
        return np.expand_dims(x, int(np.reshape(dim, ())))

    def grad(self, node: Any, dy: Any) -> Any:
        return Reshape()(dy, shape_of(node.inputs[0])), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, dim = inputs
        at = _only(static_scalar(dim))
        if axes[1] is not None or at is None:
            return NotImplemented
        return self(x, at + 1 if at >= 0 else at), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)), np.int32(1)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(2, 3)), np.int32(-1)), wrt=(0,), name="last")
        yield Sample(cls(), (rng.normal(size=()), np.int64(0)), wrt=(0,), name="scalar")
        yield Sample(cls(), (np.arange(3), np.int32(0)), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), 3), ShapeError, "axis 3"


def _only(value: Any) -> Any:
    """A static scalar, also when written as a vector of one."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def static_scalar(x: Any) -> int | None:
    """The value of a scalar static input where it is known now, else None."""
    if isinstance(x, Tensor):
        x = interpreter.static_value(x) if isinstance(x, EagerTensor) else x.spec.value
    return _only(x)


@op
class Squeeze(Op):
    """x without axes of size 1: those named, or all. x [..., 1, ...] -> y [...]"""

    signature = "input: T -> output: T"
    T = dtypes.ANY
    axis: tuple[int, ...] = ()

    def infer(self, x: Spec) -> Spec:
        assert x.shape is not None
        if not self.axis:
            gone = {i for i, n in enumerate(x.shape) if n == 1}
            if None in x.shape:
                return x.with_shape(None)
        else:
            gone = {axis_in(a, len(x.shape), "Squeeze") for a in self.axis}
        for i in gone:
            if x.shape[i] not in (1, None):
                raise ShapeError(
                    f"Squeeze: axis {i} of {shape.text(x.shape)} has size {x.shape[i]}; only axes of size 1 can go"
                )
        left = tuple(n for i, n in enumerate(x.shape) if i not in gone)
        return Spec(left, x.dtype, _reshaped_value(x, left))

    def reference(self, x: Any) -> Any:
        try:
            return np.squeeze(x, self.axis or None)
        except ValueError:
            raise ShapeError(f"Squeeze: axes {list(self.axis)} of {shape.text(x.shape)} must have size 1") from None

    def grad(self, node: Any, dy: Any) -> Any:
        return Reshape()(dy, shape_of(node.inputs[0]))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        (x,) = inputs
        gone = tuple(a + 1 if a >= 0 else a for a in self.axis)
        if not self.axis:
            if not x.spec.known:
                return NotImplemented
            gone = tuple(i for i, n in enumerate(x.spec.shape) if n == 1 and i)
        return (Squeeze(gone)(x) if gone else x), 0

    def attrs(self) -> dict[str, Any]:
        return {"squeeze_dims": list(self.axis)}

    @classmethod
    def from_attrs(cls, attrs: dict[str, Any]) -> Any:
        return cls(tuple(attrs.get("squeeze_dims", ())))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(1, 2, 1, 3)),))
        yield Sample(cls((-2,)), (rng.normal(size=(1, 2, 1, 3)),))
        yield Sample(cls((0, 1)), (rng.normal(size=(1, 1)),))
        yield Sample(cls(), (rng.normal(size=(0, 1)),), name="empty")
        yield Sample(cls(), (np.ones((1, 2), np.int32),), name="int32")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls((0,))(np.ones((2, 1))), ShapeError, "size 2"
        yield lambda: cls((2,))(np.ones((2, 1))), ShapeError, "axis 2"


def drawn(rng: np.random.Generator, size: tuple[int, ...], dtype: DType) -> Any:
    """Random entries of a type, for samples."""
    x = rng.normal(size=size)
    if dtype is dtypes.string:
        return np.array([b"%d" % n for n in rng.integers(0, 99, math.prod(size))], object).reshape(size)
    if dtype.is_complex:
        x = x + 1j * rng.normal(size=size)
    if dtype.is_integer:
        x = rng.integers(1, 9, size)
    return np.asarray(x > 0 if dtype.is_bool else x).astype(dtype.numpy)


def differentiable(dtype: DType, *positions: int) -> tuple[int, ...]:
    """`wrt` of a sample of this type."""
    return positions if dtype.is_differentiable else ()


# --- public names ---------------------------------------------------------------------------------------------------


@public("reshape", v1=("reshape", "manip.reshape"))
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The elements of a tensor, in row-major order, in another shape.

    Args:
      shape: ints, a vector tensor, or a list mixing both; one -1 stands for what the size leaves.
    Raises:
      ShapeError: the sizes differ.
    """
    return Reshape()(tensor, dims(shape), name=name)


@public("expand_dims", v1=None)
def expand_dims(input: Any, axis: Any, name: str | None = None) -> Tensor:
    """Puts an axis of size 1 before axis `axis` of the result; negative ones count from behind."""
    return ExpandDims()(input, dims(axis), name=name)


@public(v1="expand_dims")
def expand_dims_v1(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """As `expand_dims`; `dim` is the axis's earlier name."""
    return expand_dims(input, one_of("axis", axis, "dim", dim, required=True), name)


def one_of(name: str, given: Any, old_name: str, old: Any, required: bool = False) -> Any:
    """The argument that was given under its name or its earlier one.

    Raises:
      ArgumentError: both were given, or a required one was not.
    """
    if given is not None and old is not None:
        raise ArgumentError(f"give {name} or {old_name}, which is its earlier name, not both").locate()
    if required and given is None and old is None:
        raise ArgumentError(f"{name} must be given").locate()
    return old if given is None else given


@public("squeeze", v1=None)
def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Takes out axes of size 1: those named (an int or a list), by default all.

    Raises:
      ShapeError: a named axis has another size.
    """
    return Squeeze(_axes(axis))(input, name=name)


def _axes(axis: Any) -> tuple[int, ...]:
    if axis is None:
        return ()
    given = dims(axis)
    given = given if isinstance(given, tuple) else (given,)
    return tuple(static_scalar(a) if isinstance(a, Tensor) else int(a) for a in given)  # type: ignore[misc]


@public(v1="squeeze")
def squeeze_v1(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    """As `squeeze`; `squeeze_dims` is the axis's earlier name."""
    return squeeze(input, one_of("axis", axis, "squeeze_dims", squeeze_dims), name)
