"""Reductions: axes of a tensor folded into one number each.

    Sum, Mean, Prod, Max, Min, EuclideanNorm, All, Any     x [...], axes -> y

The gradient of each puts dy back on the folded axes: dy is reshaped to the shape the reduction would have kept (its
axes 1) and broadcast over them. That shape is a tuple where it is known and a `ReducedShape` node where it is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any as Anything

import numpy as np

from pullback.core.basics import BroadcastTo, Shape_, shape_of
from pullback.core.dtypes import FLOATS, INDICES, INTS, NUMBERS, REALS, int32
from pullback.core.errors import ArgumentError
from pullback.core.op import REGISTRY, NoGradientYet, Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.silence import silently
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math.arithmetic import Equal, FloorDiv, Maximum
from pullback.ops.math.axes import AxesFirst, ReducedShape, after_batch, axes_of, folded, ints, known_axes
from pullback.ops.math.cumulative import ExclusiveProduct, wide
from pullback.ops.math.elementwise import conj
from pullback.ops.math.select import Cast


class Reduction(Op):
    """Base of the reductions. `keep_dims` leaves folded axes as 1."""

    signature = "input: T, reduction_indices: Tidx -> output: T"
    T = NUMBERS
    Tidx = INDICES
    static = (1,)
    keep_dims: bool

    def infer(self, x: Spec, axes: Spec) -> Spec:
        which = known_axes(axes)
        if which is None:
            return x.with_shape((None,) * len(x.shape) if self.keep_dims else None)  # type: ignore[arg-type]
        gone = folded(self.type, which, len(x.shape))  # type: ignore[arg-type]
        return Spec(self._left(x.shape, gone), x.dtype, self._value(x, gone))

    def _left(self, full: Shape, gone: tuple[int, ...]) -> Shape:
        assert full is not None
        return tuple(1 if i in gone else n for i, n in enumerate(full) if self.keep_dims or i not in gone)

    def _value(self, x: Spec, gone: tuple[int, ...]) -> Anything:
        """The static value, when a known vector of sizes is folded: `reduce_prod(tf.shape(x))`."""
        if not isinstance(x.value, tuple) or gone != (0,) or not all(type(n) is int for n in x.value):
            return None
        total = int(self.fold(np.array(x.value, np.int64), (0,)))
        return (total,) if self.keep_dims else total

    def reference(self, x: Anything, axes: Anything) -> Anything:
        gone = folded(self.type, ints(axes), x.ndim)
        left: Anything = self._left(x.shape, gone)
        y = np.asarray(silently(self.fold, (x, gone))).astype(x.dtype, copy=False)
        return y.reshape(left)

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        """The reduction as NumPy has it, its axes gone."""
        raise NotImplementedError

    def kept(self, node: Anything) -> Anything:
        """The shape of the result with its folded axes, as a static input."""
        x, axes = node.inputs
        which = axes_of(axes)
        if which is None or not x.spec.known:
            return ReducedShape()(Shape_()(x), axes)
        gone = folded(self.type, which, x.spec.rank)
        return tuple(1 if i in gone else n for i, n in enumerate(x.spec.shape))

    def opened(self, y: Tensor, node: Anything) -> Tensor:
        """A tensor of the result's shape with its folded axes as 1, so that it broadcasts over the input."""
        return y if self.keep_dims else REGISTRY["Reshape"]()(y, self.kept(node))

    def batch(self, size: Anything, inputs: Anything, axes: Anything) -> Anything:
        which = axes_of(inputs[1]) if axes[1] is None else None
        if which is None:
            return NotImplemented
        return self(inputs[0], tuple(map(after_batch, which))), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        def drawn(*size: int) -> Anything:
            return np.asarray(rng.permutation(np.arange(1, math.prod(size) + 1)).reshape(size) / 8 - 0.7)

        for axes, keep in (((1,), False), ((0, -1), True), (-1, False), ((0, 1, 2), False), ((), False)):
            yield Sample(cls(keep), (drawn(2, 3, 2), axes), wrt=(0,))
        yield Sample(cls(), (drawn(0, 2), (1,)), wrt=(0,), name="zero batch")
        yield Sample(cls(), (drawn(), ()), wrt=(0,), name="scalar")
        for dtype in cls.parsed.inputs[0].allowed or ():
            if dtype.name != "float64":
                x = np.arange(1, 7).reshape(2, 3).astype(dtype.numpy)
                yield Sample(cls(), (x, (1,)), wrt=(0,) if dtype.is_differentiable else (), order=1, name=dtype.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Anything, type[Exception], str]]:
        dtype = (cls.parsed.inputs[0].allowed or (int32,))[0].numpy
        yield lambda: cls()(np.ones((2, 3), dtype), (2,)), ArgumentError, "invalid reduction dimension 2"
        yield lambda: cls()(np.ones((2, 3), dtype), -3), ArgumentError, "invalid reduction dimension -3"
        yield lambda: cls()(np.ones((2, 3), dtype), (1, -1)), ArgumentError, "twice"


@op
class Sum(Reduction):
    """y = sum of x over the axes."""

    keep_dims: bool = False

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        return np.add.reduce(x, axes, wide(x).dtype)

    def grad(self, node: Anything, dy: Anything) -> Anything:
        return BroadcastTo()(self.opened(dy, node), shape_of(node.inputs[0])), None


@op
class Mean(Reduction):
    """y = mean of x over the axes; of integers, truncated towards zero. The mean of nothing is nan."""

    keep_dims: bool = False

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        n = math.prod(x.shape[a] for a in axes)
        total = np.add.reduce(x, axes, wide(x).dtype)
        if x.dtype.kind not in "iu":
            return total / total.dtype.type(n)
        return np.sign(total) * (np.abs(total) // max(n, 1))

    def grad(self, node: Anything, dy: Anything) -> Anything:
        x = node.inputs[0]
        spread = BroadcastTo()(self.opened(dy, node), shape_of(x))
        return (spread / self._count(node) if x.dtype in FLOATS else FloorDiv()(spread, self._count(node))), None

    def _count(self, node: Anything) -> Anything:
        """How many entries each mean is of: a number, where unknown a scalar tensor of x's type."""
        x, axes = node.inputs
        which = axes_of(axes)
        if which is not None and x.spec.shape is not None:
            sizes = [x.spec.shape[a] for a in which]
            if None not in sizes:
                return max(math.prod(sizes), 1)
        whole, results = (Prod()(Shape_()(t), (0,)) for t in (x, node.results[0]))
        return Cast(x.dtype)(Maximum()(FloorDiv()(whole, Maximum()(results, 1)), 1))


class _Extreme(Reduction):
    """Base of Max and Min. The gradient is shared equally among the entries that tie."""

    T = (*REALS, *INTS)

    def grad(self, node: Anything, dy: Anything) -> Anything:
        x, axes = node.inputs
        won = Cast(x.dtype)(Equal()(self.opened(node.results[0], node), x))
        winners = self.opened(Sum(self.keep_dims)(won, axes), node)
        dy = self.opened(dy, node)
        return (won / winners * dy if x.dtype in FLOATS else FloorDiv()(won * dy, winners)), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield from super().samples(rng)
        yield Sample(cls(), (np.array([[1.0, 2, 2], [3, 3, 3]]), (1,)), wrt=(0,), smooth=False, name="ties")


@op
class Max(_Extreme):
    """y = the largest of x over the axes; of nothing, the least number of the type. nan where one is nan."""

    keep_dims: bool = False

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        least = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else x.dtype.type(-np.inf)
        return np.max(x, axes, initial=least)


@op
class Min(_Extreme):
    """y = the least of x over the axes; of nothing, the largest number of the type. nan where one is nan."""

    keep_dims: bool = False

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        most = np.iinfo(x.dtype).max if x.dtype.kind in "iu" else x.dtype.type(np.inf)
        return np.min(x, axes, initial=most)


@op
class Prod(Reduction):
    """y = product of x over the axes.

    The derivative by an entry is the product of the others: those before it times those after it, axis by axis. No
    division, so it is exact to every order where entries are zero. (TensorFlow's second order is not: it is the
    gradient of cumprod.)
    """

    keep_dims: bool = False

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        return np.multiply.reduce(x, axes, wide(x).dtype)

    def grad(self, node: Anything, dy: Anything) -> Anything:
        x, axes = node.inputs
        which = axes_of(axes)
        if which is None:
            return self.opened(dy, node) * self._others(node), None
        stages: list[tuple[int, Tensor]] = []
        for axis in which:
            stages.append((axis, Prod(True)(stages[-1][1], stages[-1][:1]) if stages else x))
        dx = self.opened(dy, node)
        for axis, factors in reversed(stages):
            dx = dx * conj(ExclusiveProduct(axis)(factors) * ExclusiveProduct(axis, True)(factors))
        return dx, None

    def _others(self, node: Anything) -> Tensor:
        """The product of the other entries, conjugated, for axes known only when run: they are brought to the front and
        made one."""
        x, axes = node.inputs
        permutation = AxesFirst()(Shape_()(x), axes)
        front = REGISTRY["Transpose"]()(x, permutation)
        whole, results = (Prod()(Shape_()(t), (0,)) for t in (x, node.results[0]))
        rows = REGISTRY["Reshape"]()(front, (FloorDiv()(whole, Maximum()(results, 1)), results))
        others = conj(ExclusiveProduct(0)(rows) * ExclusiveProduct(0, True)(rows))
        back = REGISTRY["InvertPermutation"]()(permutation)
        return REGISTRY["Transpose"]()(REGISTRY["Reshape"]()(others, Shape_()(front)), back)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield from super().samples(rng)
        zeros = np.array([[1.0, 2, 3], [0, 2, 3], [0, 0, 3], [0, 0, 0]])
        yield Sample(cls(), (zeros, (1,)), wrt=(0,), name="zeros")
        yield Sample(cls(), (zeros[:2], (0, 1)), wrt=(0,), name="zeros over two axes")


@op
class EuclideanNorm(Reduction):
    """y = sqrt(sum of |x|^2 over the axes). Its gradient x / y dy is nan where y is 0, as in TensorFlow."""

    keep_dims: bool = False

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        x = wide(x)
        squares = np.sum(np.real(x * np.conj(x)), axes, dtype=np.abs(x).dtype)
        return np.sqrt(squares) if x.dtype.kind not in "iu" else np.trunc(np.sqrt(squares.astype(np.float64)))

    def grad(self, node: Anything, dy: Anything) -> Anything:
        x = node.inputs[0]
        if x.dtype not in FLOATS:
            return NoGradientYet("the norm of integers has no gradient; use tf.cast(x, tf.float32)"), None
        if x.dtype.is_complex:  # the norm is real whatever its type: only dy's real part moves it
            dy = Cast(x.dtype)(Cast(x.dtype.real_dtype)(dy))
        return x * (self.opened(dy, node) / self.opened(node.results[0], node)), None


class _Logical(Reduction):
    signature = "input: bool, reduction_indices: Tidx -> output: bool"

    def grad(self, node: Anything, dy: Anything) -> Anything:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.uniform(size=(2, 3, 2)) > 0.3
        for axes, keep in (((1,), False), ((0, -1), True), (0, False), ((0, 1, 2), False), ((), False)):
            yield Sample(cls(keep), (x, axes))
        yield Sample(cls(), (x[:, :0], (1,)), name="empty")


@op
class All(_Logical):
    """Whether all of x over the axes are true; of nothing, true."""

    keep_dims: bool = False

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        return np.all(x, axes)


@op
class Any(_Logical):
    """Whether any of x over the axes is true; of nothing, false."""

    keep_dims: bool = False

    def fold(self, x: Anything, axes: tuple[int, ...]) -> Anything:
        return np.any(x, axes)


__all__ = ["All", "Any", "EuclideanNorm", "Max", "Mean", "Min", "Prod", "Reduction", "Sum"]
