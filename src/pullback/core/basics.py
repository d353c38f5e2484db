"""The ops that the chain rule and the graph themselves need.

Const, Placeholder                   values from outside
AddN                                 contributions that meet
SumTo <-> BroadcastTo                each other's adjoints: what broadcasting copies, its gradient sums
Shape, ZerosLike, OnesLike           sizes that are known only when run
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.dtypes import DType
from pullback.core.errors import DTypeError, ShapeError, UnfedError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor


@op
class Const(Op):
    """A constant."""

    signature = "-> output: dtype"
    value: Any
    dtype: DType

    def infer(self) -> Spec:
        return Spec(self.value.shape, self.dtype) if hasattr(self.value, "shape") else Spec((), self.dtype)

    def reference(self) -> Any:
        return self.value

    def grad(self, node: Any, dy: Any) -> Any:
        return ()

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in (dtypes.float32, dtypes.int64, dtypes.bool_):
            yield Sample(cls(np.ones((2, 3), dtype.numpy), dtype), ())


@op
class Placeholder(Op):
    """A value that a run is fed, or a body's parameter."""

    signature = "-> output: dtype"
    untestable = "has no value of its own; it is fed in every test of graphs"
    dtype: DType
    shape: Shape = None

    def infer(self) -> Spec:
        return Spec(self.shape, self.dtype)

    def reference(self) -> Any:
        raise UnfedError(
            f"You must feed a value for the placeholder of type {self.dtype.name} and shape {shape.text(self.shape)}: "
            "session.run(..., feed_dict={placeholder: value})"
        )

    def grad(self, node: Any, dy: Any) -> Any:
        return ()

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        return iter(())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(dtypes.float32, (2,))(), UnfedError, "feed a value"


@op
class Shape_(Op):
    """The shape of x as a vector. x [...] -> y [rank]"""

    type = "Shape"
    signature = "x: any -> y: out_type"
    any_rank = True
    out_type: DType = dtypes.int32

    def infer(self, x: Spec) -> Spec:
        if x.shape is None:
            return Spec((None,), self.out_type)
        return Spec((len(x.shape),), self.out_type, x.shape if len(x.shape) else ())

    def reference(self, x: Any) -> Any:
        return np.array(np.shape(x), self.out_type.numpy)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),))
        yield Sample(cls(dtypes.int64), (rng.normal(size=()),))


@op
class AddN(Op):
    """y = x_0 + x_1 + ... Lists of tensors add entry by entry; an absent entry is zero."""

    signature = "*inputs: T -> sum: T"
    T = (*dtypes.NUMBERS, dtypes.variant)

    def infer(self, *inputs: Spec) -> Spec:
        if not inputs:
            raise ShapeError("AddN needs at least one tensor")
        together: Shape = None
        for x in inputs:
            together = shape.merged(together, x.shape, "AddN: shapes")
        return inputs[0].with_shape(together)

    def reference(self, *inputs: Any) -> Any:
        total = _sum_of(inputs)
        return (total,) if isinstance(total, tuple) else total

    def grad(self, node: Any, dy: Any) -> Any:
        return (dy,) * len(node.inputs)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        full = [
            x if a is not None else BroadcastTo()(x, (size, *shape_tuple(x))) for x, a in zip(inputs, axes, strict=True)
        ]
        return self(*full), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), tuple(rng.normal(size=(2, 3)) for _ in range(3)))
        yield Sample(cls(), (rng.normal(size=(0, 3)), rng.normal(size=(0, 3))))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.ones((3, 2))), ShapeError, "not compatible"


def _sum_of(values: Sequence[Any]) -> Any:
    """The sum of arrays; of lists, entry by entry, which may be lists again."""
    if not isinstance(values[0], tuple):
        return functools.reduce(operator.add, values)
    rows = [[v[i] for v in values if i < len(v) and v[i] is not None] for i in range(max(map(len, values)))]
    return tuple([_sum_of(row) if row else None for row in rows])


@op
class BroadcastTo(Op):
    """x repeated along new and size-1 axes to `shape`. x [...], shape [rank] -> y [shape]"""

    signature = "x: T, shape: int32|int64 -> y: T"
    T = dtypes.ANY
    static = (1,)

    def infer(self, x: Spec, shape_: Spec) -> Spec:
        wanted = known_vector(shape_)
        if wanted is None:
            return x.with_shape(None)
        if any(n is not None and n < 0 for n in wanted):
            raise ShapeError(f"BroadcastTo: sizes must not be negative, but shape is {shape.text(wanted)}")
        together = shape.broadcast(x.shape, wanted)
        if x.known and None not in wanted and together != wanted:
            raise ShapeError(f"BroadcastTo: {shape.text(x.shape)} cannot be broadcast to {shape.text(wanted)}")
        return x.with_shape(wanted)

    def reference(self, x: Any, shape_: Any) -> Any:
        try:
            return np.broadcast_to(x, tuple(shape_))
        except ValueError:
            raise ShapeError(
                f"BroadcastTo: {shape.text(x.shape)} cannot be broadcast to {shape.text(tuple(shape_))}"
            ) from None

    def grad(self, node: Any, dy: Any) -> Any:
        return SumTo()(dy, shape_of(node.inputs[0])), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, to = inputs
        wanted = static_tuple(to)
        if axes[1] is not None or wanted is None or x.spec.shape is None or None in x.spec.shape:
            return NotImplemented
        from pullback.core.op import REGISTRY

        rows = (size, *(1,) * (len(wanted) - len(x.spec.shape) + 1), *x.spec.shape[1:])
        return self(REGISTRY["Reshape"]()(x, rows), (size, *wanted)), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 1)), (4, 2, 3)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=()), (2,)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(1, 3)), (0, 3)), wrt=(0,))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), (3, 2)), ShapeError, "broadcast"


@op
class SumTo(Op):
    """x summed over the axes that broadcasting from `shape` would have made. x [...], shape [rank] -> y [shape]"""

    signature = "x: T, shape: int32|int64 -> y: T"
    T = dtypes.NUMBERS
    static = (1,)

    def infer(self, x: Spec, shape_: Spec) -> Spec:
        wanted = known_vector(shape_)
        if wanted is not None and x.known and None not in wanted and shape.broadcast(x.shape, wanted) != x.shape:
            raise ShapeError(f"SumTo: {shape.text(x.shape)} is not a broadcast of {shape.text(wanted)}")
        return x.with_shape(wanted)

    def reference(self, x: Any, shape_: Any) -> Any:
        to = tuple(int(n) for n in shape_)
        if x.shape == to:
            return x
        lead = x.ndim - len(to)
        axes = (*range(lead), *(lead + i for i, n in enumerate(to) if n == 1 and x.shape[lead + i] != 1))
        return np.sum(x, axis=axes, dtype=x.dtype).reshape(to)

    def grad(self, node: Any, dy: Any) -> Any:
        return BroadcastTo()(dy, shape_of(node.inputs[0])), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, to = inputs
        wanted = static_tuple(to)
        if axes[1] is not None or wanted is None or x.spec.shape is None:
            return NotImplemented
        from pullback.core.op import REGISTRY

        rows = (size, *(1,) * (len(x.spec.shape) - 1 - len(wanted)), *wanted)
        return REGISTRY["Reshape"]()(self(x, rows), (size, *wanted)), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(4, 2, 3)), (2, 1)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(2,)), ()), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(2, 0)), (2, 1)), wrt=(0,))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), (3, 2)), ShapeError, "broadcast"


class _Like(Op):
    """Base of ops whose output has the input's shape and a fixed value."""

    signature = "x: T -> y: T"
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        return x.with_shape(x.shape)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),))
        yield Sample(cls(), (rng.integers(0, 5, size=(0, 2)),))


@op
class ZerosLike(_Like):
    """Zeros of x's shape and type; for a list, a list of nothing."""

    T = (*dtypes.ANY, dtypes.variant)

    def reference(self, x: Any) -> Any:
        if isinstance(x, tuple):
            return ((),)
        return np.full(x.shape, b"", object) if x.dtype == object else np.zeros(np.shape(x), x.dtype)


@op
class OnesLike(_Like):
    """Ones of x's shape and type."""

    T = (*dtypes.NUMBERS, dtypes.bool_)

    def reference(self, x: Any) -> Any:
        return np.ones(np.shape(x), x.dtype)


def shape_of(x: Tensor) -> Any:
    """The shape of x for use as a static input: a tuple where it is known, else a Shape node."""
    return x.spec.shape if x.spec.known else Shape_()(x)


def shape_tuple(x: Tensor) -> tuple[int, ...]:
    """The shape of x, which must be known: dimensions are numbers."""
    if not x.spec.known:
        raise ShapeError(f"the shape of {x!r} must be known here, but is {shape.text(x.spec.shape)}")
    return x.spec.shape  # type: ignore[return-value]


def static_tuple(x: Any) -> tuple[int, ...] | None:
    """The value of a static input where it is known now, else None."""
    from pullback.core.interpreter import static_value
    from pullback.core.tensor import EagerTensor

    if isinstance(x, (tuple, list)):
        return tuple(x)
    value = static_value(x) if isinstance(x, EagerTensor) else x.spec.value
    return value if isinstance(value, tuple) and None not in value else None


@public(v1="accumulate_n")
def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """add_n, with what the caller knows of shape and dtype.

    Raises:
      ShapeError: the tensors' shape is another. DTypeError: their dtype is.
    """
    total = add_n(inputs, name)
    if tensor_dtype is not None and dtypes.as_dtype(tensor_dtype) is not total.dtype:
        raise DTypeError(
            f"accumulate_n: tensor_dtype is {tensor_dtype}, but the tensors are {total.dtype.name}"
        ).locate()
    if shape is not None:
        total.set_shape(shape)
    return total


@public("add_n")
def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Sum of a list of tensors of one shape and type.

    Raises:
      ShapeError: the shapes differ. ValueError: the list is empty.
    """
    inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if not inputs:
        raise ShapeError("add_n needs at least one tensor").locate()
    if len({t.dtype for t in inputs if isinstance(t, Tensor)}) > 1:
        raise DTypeError("add_n needs tensors of one type").locate()
    return AddN()(*inputs, name=name)
