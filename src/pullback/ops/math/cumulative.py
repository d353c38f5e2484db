"""Running sums and products along one axis, and the linear recurrence that their exact derivatives are.

    Cumsum, Cumprod, CumulativeLogsumexp     TensorFlow's
    ExclusiveProduct  e[k] = x[0] ... x[k-1]
    LinearRecurrence  h[k] = b[k] + a[k] h[k-1]
    Shift             y[k] = x[k - by]

The last three are closed: each one's gradient is made of the others, without a division. So derivatives of products
are right to every order also where factors are zero. With e an exclusive product and de its cotangent,

    dx[j] = sum_{k>j} de[k] prod_{i<k, i!=j} x[i] = e[j] t[j],     t[j] = de[j+1] + x[j+1] t[j+1]

and of a recurrence h with cotangent dh, run backwards,

    db[k] = dh[k] + a[k+1] db[k+1],     da[k] = db[k] h[k-1]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter, shape
from pullback.core.basics import OnesLike, Shape_
from pullback.core.dtypes import FLOATS, INDICES, NUMBERS, REALS
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math.arithmetic import DivNoNan, Exp
from pullback.ops.math.axes import AxesFirst, after_batch, axis_of
from pullback.ops.math.elementwise import conj


def checked(op_type: str, axis: Any, shape_: Any) -> None:
    """Raises ArgumentError when a tensor of this shape has no such axis. What is unknown passes."""
    rank = None if shape_ is None else len(shape_)
    if rank is not None and axis is not None and not -rank <= axis < rank:
        raise ArgumentError(
            f"{op_type}: axis {axis} is outside of the input's {shape.text(shape_)}; it must lie in [{-rank}, {rank})"
        )


def wide(x: Any) -> Any:
    """The array in the type that its sums are kept in: float32 for floats of 16 bits."""
    return x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x


def moved(x: Any, by: int, axis: int, fill: Any = 0) -> Any:
    """y[k] = x[k - by], `fill` where there is none."""
    out = np.full_like(x, fill)
    front, back = [slice(None)] * x.ndim, [slice(None)] * x.ndim
    front[axis], back[axis] = (slice(by, None), slice(None, -by)) if by > 0 else (slice(None, by), slice(-by, None))
    out[tuple(front)] = x[tuple(back)]
    return out


def running(scan: Any, x: Any, axis: int, exclusive: bool, reverse: bool, first: Any) -> Any:
    """A NumPy accumulation; exclusive: of the entries before; reverse: from the end."""
    flipped = np.flip(x, axis) if reverse else x
    total = scan(wide(flipped), axis).astype(x.dtype)
    if exclusive:
        total = moved(total, 1, axis, first)
    return np.flip(total, axis) if reverse else total


class _Along(Op):
    """Base of ops that keep the shape and work along a field `axis`."""

    signature = "x: T -> y: T"
    T = NUMBERS
    axis: int

    def infer(self, x: Spec, *others: Spec) -> Spec:
        checked(self.type, self.axis, x.shape)
        return x.with_shape(x.shape)

    def _moved(self) -> Op:
        """The same op on a tensor with a batch axis in front."""
        return type(self)(*[after_batch(self.axis) if f == "axis" else getattr(self, f) for f in self.fields])


@op
class Shift(_Along):
    """y[k] = x[k - by] along an axis, 0 where there is no such entry."""

    axis: int = 0
    by: int = 1

    def reference(self, x: Any) -> Any:
        return moved(x, self.by, self.axis)

    def grad(self, node: Any, dy: Any) -> Any:
        return Shift(self.axis, -self.by)(dy)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self._moved()(*inputs), 0

    def check(self) -> None:
        if self.by == 0:
            raise ArgumentError("Shift: by must not be 0")

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(3, 2)),))
        yield Sample(cls(-1, -2), (rng.normal(size=(2, 3)),))
        yield Sample(cls(1, 5), (rng.normal(size=(2, 3)),), name="beyond")
        yield Sample(cls(), (rng.normal(size=(0, 2)),), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(2)(np.ones((2, 3))), ArgumentError, "axis 2"


@op
class LinearRecurrence(_Along):
    """h[k] = b[k] + a[k] h[k-1] along an axis, from h = 0; reverse: h[k] = b[k] + a[k] h[k+1]."""

    signature = "a: T, b: T -> h: T"
    axis: int = 0
    reverse: bool = False

    def infer(self, a: Spec, b: Spec) -> Spec:
        checked(self.type, self.axis, a.shape)
        return a.with_shape(shape.merged(a.shape, b.shape, "LinearRecurrence: shapes"))

    def reference(self, a: Any, b: Any) -> Any:
        rows_a, rows_b = np.moveaxis(wide(a), self.axis, 0), np.moveaxis(wide(b), self.axis, 0)
        out = np.empty_like(rows_b)
        h = np.zeros(rows_b.shape[1:], rows_b.dtype)
        with np.errstate(all="ignore"):
            for k in range(len(out))[:: -1 if self.reverse else 1]:
                h = out[k] = rows_b[k] + rows_a[k] * h
        return np.moveaxis(out, 0, self.axis).astype(a.dtype)

    def grad(self, node: Any, dh: Any) -> Any:
        a, h = node.inputs[0], node.results[0]
        back = 1 if self.reverse else -1
        db = LinearRecurrence(self.axis, not self.reverse)(Shift(self.axis, back)(conj(a)), dh)
        return db * conj(Shift(self.axis, -back)(h)), db

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        from pullback.ops.array.joining import spread

        return self._moved()(*[spread(size, x, a) for x, a in zip(inputs, axes, strict=True)]), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for reverse in (False, True):
            yield Sample(cls(0, reverse), (rng.normal(size=(4, 2)), rng.normal(size=(4, 2))))
            yield Sample(cls(-1, reverse), (np.array([[1.0, 0.0, 2.0]]), rng.normal(size=(1, 3))), name="zeros")
        z = rng.normal(size=(2, 3, 2))
        yield Sample(cls(), (z[0] + 1j * z[1], z[1] - 1j * z[0]), order=2, name="complex")
        yield Sample(cls(), (np.ones((0, 2)), np.ones((0, 2))), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.ones((3, 2))), ValueError, "not compatible"


@op
class ExclusiveProduct(_Along):
    """e[k] = x[0] ... x[k-1] along an axis, 1 at first; reverse: x[k+1] ... x[n-1]."""

    axis: int = 0
    reverse: bool = False

    def reference(self, x: Any) -> Any:
        return running(np.cumprod, x, self.axis, True, self.reverse, 1)

    def grad(self, node: Any, de: Any) -> Any:
        back = Shift(self.axis, 1 if self.reverse else -1)
        t = LinearRecurrence(self.axis, not self.reverse)(back(conj(node.inputs[0])), back(de))
        return conj(node.results[0]) * t

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self._moved()(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for reverse in (False, True):
            yield Sample(cls(0, reverse), (rng.normal(size=(4, 2)),))
            zeros = np.array([[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 2.0, 1.0]])
            yield Sample(cls(-1, reverse), (zeros,), name=f"zeros-{reverse}")
        yield Sample(cls(), (rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2)),), order=2, name="complex")
        yield Sample(cls(), (np.ones((0, 2)),), name="empty")


class _Running(Op):
    """Base of TensorFlow's ops that accumulate along the axis that a second input says."""

    signature = "x: T, axis: Tidx -> out: T"
    T = NUMBERS
    Tidx = INDICES
    exclusive: bool
    reverse: bool

    def infer(self, x: Spec, axis: Spec) -> Spec:
        checked(self.type, axis.value, x.shape)
        return x.with_shape(x.shape)

    def _axis(self, x: Any, axis: Any) -> int:
        checked(self.type, int(axis), x.shape)
        return int(axis)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        axis = axis_of(inputs[1]) if axes[1] is None else None
        if axis is None:
            return NotImplemented
        return self(inputs[0], after_batch(axis)), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        def drawn(*size: int) -> Any:
            return rng.uniform(0.5, 2.0, size)

        for exclusive in (False, True):
            for reverse in (False, True):
                yield Sample(cls(exclusive, reverse), (drawn(4, 2), 0), wrt=(0,))
        yield Sample(cls(), (drawn(2, 3, 2), -2), wrt=(0,), name="middle axis")
        yield Sample(cls(), (drawn(0, 2), 0), wrt=(0,), name="empty")
        for dtype in cls.parsed.inputs[0].allowed or ():
            if dtype.name != "float64":
                wrt = (0,) if dtype.is_differentiable else ()
                yield Sample(cls(), (drawn(3).astype(dtype.numpy), 0), wrt=wrt, order=1, name=dtype.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), 2), ArgumentError, "axis 2"


@op
class Cumsum(_Running):
    """out[k] = x[0] + ... + x[k] along an axis."""

    exclusive: bool = False
    reverse: bool = False

    def reference(self, x: Any, axis: Any) -> Any:
        return running(
            lambda z, a: np.cumsum(z, a, dtype=z.dtype), x, self._axis(x, axis), self.exclusive, self.reverse, 0
        )

    def grad(self, node: Any, dy: Any) -> Any:
        return Cumsum(self.exclusive, not self.reverse)(dy, node.inputs[1]), None


@op
class Cumprod(_Running):
    """out[k] = x[0] ... x[k] along an axis.

    The gradient is TensorFlow's, which divides by x and takes 0 where x is 0. `reduce_prod` has the exact one.
    """

    exclusive: bool = False
    reverse: bool = False

    def reference(self, x: Any, axis: Any) -> Any:
        return running(
            lambda z, a: np.cumprod(z, a, dtype=z.dtype), x, self._axis(x, axis), self.exclusive, self.reverse, 1
        )

    def grad(self, node: Any, dy: Any) -> Any:
        x, axis = node.inputs
        total = Cumsum(self.exclusive, not self.reverse)(conj(node.results[0]) * dy, axis)
        return (DivNoNan()(total, conj(x)) if x.dtype in FLOATS else total // x), None


@op
class CumulativeLogsumexp(_Running):
    """out[k] = log(exp x[0] + ... + exp x[k]) along an axis, without overflow.

    With t[k] = dy[k] + exp(y[k] - y[k+1]) t[k+1], whose factors are at most 1, dx[k] = exp(x[k] - y[k]) t[k].
    Exclusive results are those of the entry before, so their cotangents are too; the first one, -inf, has none.
    """

    T = REALS
    exclusive: bool = False
    reverse: bool = False

    def reference(self, x: Any, axis: Any) -> Any:
        with np.errstate(all="ignore"):
            return running(np.logaddexp.accumulate, x, self._axis(x, axis), self.exclusive, self.reverse, -np.inf)

    def grad(self, node: Any, dy: Any) -> Any:
        x, axis = node.inputs
        y = CumulativeLogsumexp(False, self.reverse)(x, axis) if self.exclusive else node.results[0]
        known = axis_of(axis)
        if known is not None:
            return self._pulled(x, y, dy, known), None
        front = AxesFirst()(Shape_()(x), axis)
        x, y, dy = (REGISTRY["Transpose"]()(t, front) for t in (x, y, dy))
        return REGISTRY["Transpose"]()(self._pulled(x, y, dy, 0), REGISTRY["InvertPermutation"]()(front)), None

    def _pulled(self, x: Tensor, y: Tensor, dy: Tensor, axis: int) -> Tensor:
        later = Shift(axis, 1 if self.reverse else -1)
        dy = later(dy) if self.exclusive else dy
        decay = Exp()((y - later(y)) * later(OnesLike()(y)))
        return Exp()(x - y) * LinearRecurrence(axis, not self.reverse)(decay, dy)


@public("cumsum", "math.cumsum")
def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Running sum: [a, b, c] -> [a, a+b, a+b+c]; exclusive [0, a, a+b]; reverse [a+b+c, b+c, c].

    Raises:
      ArgumentError: x has no such axis.
    """
    return Cumsum(exclusive, reverse)(interpreter.as_tensor(x), axis, name=name)


@public("math.cumprod", v1=("cumprod", "math.cumprod"))
def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Running product: [a, b, c] -> [a, ab, abc]; exclusive [1, a, ab]; reverse [abc, bc, c].

    Gradient: TensorFlow's, 0 to an entry that is 0.

    Raises:
      ArgumentError: x has no such axis.
    """
    return Cumprod(exclusive, reverse)(interpreter.as_tensor(x), axis, name=name)


@public("math.cumulative_logsumexp")
def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running log of the sum of exponentials: cumsum where log-probabilities add. Exclusive results begin with -inf.

    Raises:
      ArgumentError: x has no such axis.
    """
    return CumulativeLogsumexp(exclusive, reverse)(interpreter.as_tensor(x), axis, name=name)
