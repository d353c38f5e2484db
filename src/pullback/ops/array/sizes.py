"""Asking for shapes, and shapes that broadcasting makes: Size, Rank, ShapeN, BroadcastArgs, EnsureShape.

What is known when the graph is made is answered by a constant.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import BroadcastTo, Shape_
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, OpError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape, TensorShape, as_shape
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.shape import dims


@op
class ShapeN(Op):
    """The shapes of several tensors, each a vector."""

    signature = "*input: any -> *output: out_type"
    any_rank = True
    out_type: DType = dtypes.int32

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return tuple(Shape_(self.out_type).infer(x) for x in inputs)

    def reference(self, *inputs: Any) -> Any:
        return tuple(np.array(np.shape(x), self.out_type.numpy) for x in inputs)

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)), rng.normal(size=())), wrt=())
        yield Sample(cls(dtypes.int64), (np.ones((0, 3), np.int32),), wrt=())


@op
class Size(Op):
    """How many elements x has. x [...] -> y []"""

    signature = "input: any -> output: out_type"
    any_rank = True
    out_type: DType = dtypes.int32

    def infer(self, x: Spec) -> Spec:
        return Spec((), self.out_type, shape.size_of(x.shape))

    def reference(self, x: Any) -> Any:
        return np.array(np.size(x), self.out_type.numpy)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),), wrt=())
        yield Sample(cls(dtypes.int64), (rng.normal(size=()),), wrt=())


@op
class Rank(Op):
    """How many axes x has. x [...] -> y []"""

    signature = "input: any -> output: int32"
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        return Spec((), dtypes.int32, x.rank)

    def reference(self, x: Any) -> Any:
        return np.array(np.ndim(x), np.int32)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),), wrt=())
        yield Sample(cls(), (np.array(True),), wrt=())


@op
class BroadcastArgs(Op):
    """The shape that two shapes broadcast to. s0 [m], s1 [n] -> r0 [max(m,n)]"""

    signature = "s0: T, s1: T -> r0: T"
    T = dtypes.INDICES
    static = (0, 1)

    def infer(self, s0: Spec, s1: Spec) -> Spec:
        x, y = known_vector(s0), known_vector(s1)
        if x is None or y is None:
            return s0.with_shape((None,))
        together = shape.broadcast(x, y)
        assert together is not None
        return Spec((len(together),), s0.dtype, together)

    def reference(self, s0: Any, s1: Any) -> Any:
        return np.array(shape.broadcast(tuple(s0.tolist()), tuple(s1.tolist())), s0.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([2, 1, 3], np.int32), np.array([4, 1], np.int32)))
        yield Sample(cls(), (np.array([], np.int64), np.array([2], np.int64)))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.array([2]), np.array([3])), ShapeError, "broadcast"


@op
class EnsureShape(Op):
    """x itself, once its shape is found to fit what is known of it. x [...] -> y [shape]"""

    signature = "input: T -> output: T"
    T = dtypes.ANY
    any_rank = True
    shape: Shape = None

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(shape.merged(x.shape, self.shape, "EnsureShape: shapes"))

    def reference(self, x: Any) -> Any:
        shape.merged(np.shape(x), self.shape, "EnsureShape: shapes")
        return x

    def grad(self, node: Any, dy: Any) -> Any:
        return dy

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return EnsureShape(None if self.shape is None else (None, *self.shape))(*inputs), 0

    def attrs(self) -> dict[str, Any]:
        return {"shape": TensorShape(self.shape)}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls((None, 3)), (rng.normal(size=(2, 3)),))
        yield Sample(cls(), (np.arange(3),))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls((2, None))(np.ones((3, 4))), ShapeError, "not compatible"


# --- public names ---------------------------------------------------------------------------------------------------


@public("shape", v1=None)
def shape_(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The shape of a tensor as a vector, int32 unless `out_type` is int64. A constant where it is known."""
    if (dense := _dense_shape(input, out_type)) is not None:
        return dense
    x, dtype = _asked(input, out_type)
    if x.spec.known:
        if type(interpreter.current()) is interpreter.Eager:
            return _eager_shape(x.spec, dtype)
        return _constant(np.array(x.spec.shape, dtype.numpy), name or "Shape")
    return Shape_(dtype)(x, name=name)


@functools.lru_cache(maxsize=1024)
def _eager_shape(spec: Spec, dtype: DType) -> EagerTensor:
    return _constant(np.array(spec.shape, dtype.numpy), "Shape")


@public(v1="shape")
def shape_v1(input: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """As `shape`, in TensorFlow 1's order of arguments."""
    return shape_(input, out_type, name)


def _dense_shape(input: Any, out_type: Any) -> Tensor | None:
    """A SparseTensor's shape as a vector of that type; None for other things."""
    if isinstance(input, Tensor):
        return None
    from pullback.ops.math.select import Cast
    from pullback.ops.sparse import SparseTensor

    if not isinstance(input, SparseTensor):
        return None
    return Cast(dtypes.int32 if out_type is None else as_dtype(out_type))(input.dense_shape)


def _asked(input: Any, out_type: Any) -> tuple[Any, DType]:
    dtype = dtypes.int32 if out_type is None else as_dtype(out_type)
    if dtype not in dtypes.INDICES:
        raise ArgumentError(f"out_type must be int32 or int64, not {dtype.name}").locate()
    return interpreter.as_tensor(input), dtype


def _constant(array: Any, name: str) -> Any:
    return interpreter.current().constant(array, interpreter.constant_spec(array), name)


@public("shape_n")
def shape_n(input: Any, out_type: Any = dtypes.int32, name: str | None = None) -> list[Tensor]:
    """The shapes of several tensors, a list of vectors."""
    inputs = list(input)
    made = ShapeN(as_dtype(out_type))(*inputs, name=name)
    return [made] if len(inputs) == 1 else list(made) if inputs else []


@public("size", v1=None)
def size(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """How many elements a tensor has, int32 unless `out_type` is int64. A constant where it is known."""
    if (dense := _dense_shape(input, out_type)) is not None:
        from pullback.ops.math.reduce import Prod

        return Prod()(dense, 0, name=name)
    x, dtype = _asked(input, out_type)
    if x.spec.known:
        return _constant(np.array(math.prod(x.spec.shape), dtype.numpy), name or "Size")
    return Size(dtype)(x, name=name)


@public(v1="size")
def size_v1(input: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """As `size`, in TensorFlow 1's order of arguments."""
    return size(input, out_type, name)


@public("rank")
def rank(input: Any, name: str | None = None) -> Tensor:
    """How many axes a tensor has, int32. A constant where it is known."""
    if (dense := _dense_shape(input, None)) is not None:
        return size(dense, name=name)
    x = interpreter.as_tensor(input)
    if x.spec.shape is not None:
        return _constant(np.array(len(x.spec.shape), np.int32), name or "Rank")
    return Rank()(x, name=name)


@public("broadcast_to")
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Repeats a tensor along new leading axes and axes of size 1, to `shape`.

    Raises:
      ShapeError: the shape is no broadcast of the input's.
    Gradient: the sum over what was repeated.
    """
    return BroadcastTo()(input, dims(shape), name=name)


@public("broadcast_static_shape")
def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The shape that tensors of these two shapes broadcast to, as far as known.

    Raises:
      ShapeError: they do not broadcast.
    """
    kind = next((type(s) for s in (shape_x, shape_y) if isinstance(s, TensorShape)), TensorShape)
    try:
        return kind(shape.broadcast(as_shape(shape_x), as_shape(shape_y)))
    except OpError as error:
        raise error.locate() from None


@public("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """As `broadcast_static_shape`, of shapes that are vectors, for use when they are known only when run."""
    return BroadcastArgs()(dims(shape_x), dims(shape_y))


@public("ensure_shape")
def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """The tensor itself, with what `shape` says added to its static shape; checked again when run.

    Raises:
      ShapeError: the shapes contradict each other.
    """
    return EnsureShape(as_shape(shape))(x, name=name)
