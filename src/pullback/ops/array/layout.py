"""Moving elements without changing or choosing any: Transpose, ReverseV2, Roll, and the permutations they go by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import static_tuple
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import axis_in, differentiable, dims, drawn
from pullback.ops.array.sizes import Size, rank
from pullback.ops.math.arithmetic import Maximum


@op
class Transpose(Op):
    """Axis i of the result is axis perm[i] of x. x [...], perm [rank] -> y [...]"""

    signature = "x: T, perm: int32|int64 -> y: T"
    T = dtypes.ANY
    static = (1,)

    def infer(self, x: Spec, perm: Spec) -> Spec:
        assert x.shape is not None
        order = known_vector(perm)
        if order is None or None in order:
            return x.with_shape((None,) * len(x.shape))
        return x.with_shape(tuple(x.shape[i] for i in self._order(order, len(x.shape))))

    def _order(self, order: Any, rank: int) -> tuple[int, ...]:
        front = tuple(int(i) % rank if rank else int(i) for i in order)
        if sorted(front) != list(range(rank)):
            raise ShapeError(f"{self.type}: perm {list(order)} must name each of the {rank} axes once")
        return front

    def reference(self, x: Any, perm: Any) -> Any:
        return np.transpose(x, self._order(perm, np.ndim(x)))

    def grad(self, node: Any, dy: Any) -> Any:
        return self(dy, inverse(node.inputs[1])), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, perm = inputs
        order = static_tuple(perm)
        if axes[1] is not None or order is None:
            return NotImplemented
        return self(x, (0, *(i + 1 if i >= 0 else i for i in order))), 0

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3, 4)), (2, 0, 1)), wrt=(0,))
        yield Sample(cls(), (rng.normal(size=(2, 3)), (-1, 0)), wrt=(0,), name="negative")
        yield Sample(cls(), (rng.normal(size=()), ()), wrt=(0,), name="scalar")
        yield Sample(cls(), (rng.normal(size=(0, 3)), (1, 0)), wrt=(0,), name="empty")
        yield from [
            Sample(cls(), (drawn(rng, (2, 3), t), (1, 0)), differentiable(t, 0), order=1, name=t.name) for t in cls.T
        ]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), (0, 0)), ShapeError, "each of the 2 axes once"
        yield lambda: cls()(np.ones((2, 3)), (0, 1, 2)), ShapeError, "each of the 2 axes once"


@op
class ConjugateTranspose(Transpose):
    """The complex conjugate of Transpose."""

    def reference(self, x: Any, perm: Any) -> Any:
        y = super().reference(x, perm)
        return np.conj(y) if np.iscomplexobj(y) else y


def inverse(perm: Any) -> Any:
    """The permutation that undoes `perm`: a tuple where it is known."""
    order = static_tuple(perm)
    if order is None:
        return InvertPermutation()(perm % Maximum()(Size(perm.dtype)(perm), 1))
    return tuple(int(i) for i in np.argsort([i % len(order) for i in order]))


@op
class InvertPermutation(Op):
    """y[x[i]] = i. x [n], a permutation of 0..n-1 -> y [n]"""

    signature = "x: T -> y: T"
    T = dtypes.INDICES

    def infer(self, x: Spec) -> Spec:
        if len(x.shape) != 1:  # type: ignore[arg-type]
            raise ShapeError(f"InvertPermutation: x must be a vector, but has shape {shape.text(x.shape)}")
        known = isinstance(x.value, tuple) and None not in x.value
        return Spec(x.shape, x.dtype, tuple(self.reference(np.array(x.value)).tolist()) if known else None)

    def reference(self, x: Any) -> Any:
        if not np.array_equal(np.sort(x), np.arange(len(x))):
            raise ArgumentError(f"InvertPermutation: {x.tolist()} is no permutation of 0..{len(x) - 1}")
        return np.argsort(x).astype(x.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in (np.int32, np.int64):
            yield Sample(cls(), (rng.permutation(5).astype(dtype),), name=np.dtype(dtype).name)
        yield Sample(cls(), (np.zeros(0, np.int32),), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.array([0, 0])), ArgumentError, "permutation"


@op
class ReverseV2(Op):
    """x with the order along some axes reversed. x [...], axis [k] -> y, of x's shape"""

    signature = "tensor: T, axis: int32|int64 -> output: T"
    T = dtypes.ANY
    static = (1,)

    def infer(self, x: Spec, axis: Spec) -> Spec:
        assert x.shape is not None
        if axis.rank != 1:
            raise ShapeError("ReverseV2: axis must be a vector; write [a] for one axis")
        if isinstance(axis.value, tuple):
            front = [axis_in(a, len(x.shape), "ReverseV2") for a in axis.value if a is not None]
            if len(set(front)) < len(front):
                raise ShapeError(f"ReverseV2: axis {list(axis.value)} names an axis twice")
        return x.with_shape(x.shape)

    def reference(self, x: Any, axis: Any) -> Any:
        return np.flip(x, tuple(map(int, axis)))

    def grad(self, node: Any, dy: Any) -> Any:
        return self(dy, node.inputs[1]), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, axis = inputs
        given = static_tuple(axis)
        if axes[1] is not None or given is None:
            return NotImplemented
        return self(x, tuple(a + 1 if a >= 0 else a for a in given)), 0

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(2, 3, 2))
        yield Sample(cls(), (x, (0, 2)), wrt=(0,))
        yield Sample(cls(), (x, (-2,)), wrt=(0,), name="negative")
        yield Sample(cls(), (x, ()), wrt=(0,), name="none")
        yield Sample(cls(), (rng.normal(size=(0, 2)), (1,)), wrt=(0,), name="empty")
        yield Sample(cls(), (np.arange(3), (0,)), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), (2,)), ShapeError, "axis 2"
        yield lambda: cls()(np.ones((2, 3)), (0, -2)), ShapeError, "twice"


@op
class Roll(Op):
    """x shifted along axes; what falls off one end comes in at the other. x [...], shift, axis: [] or [k]"""

    signature = "input: T, shift: int32|int64, axis: int32|int64 -> output: T"
    T = dtypes.ANY
    static = (2,)

    def infer(self, x: Spec, shift: Spec, axis: Spec) -> Spec:
        assert x.shape is not None
        given = axis.value if isinstance(axis.value, tuple) else (axis.value,)
        for a in given:
            if a is not None:
                axis_in(a, len(x.shape), "Roll")
        if not shape.compatible(shift.shape, axis.shape):
            raise ShapeError(
                f"Roll: shift and axis must have one length, not {shape.text(shift.shape)} and {shape.text(axis.shape)}"
            )
        return x.with_shape(x.shape)

    def reference(self, x: Any, shift: Any, axis: Any) -> Any:
        return np.roll(x, tuple(np.ravel(shift).tolist()), tuple(np.ravel(axis).tolist()))

    def grad(self, node: Any, dy: Any) -> Any:
        _, shift, axis = node.inputs
        return self(dy, -shift, axis), None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, shift, axis = inputs
        given = static_tuple(axis) if axis.spec.rank == 1 else None
        if axes[1:] != (None, None) or given is None:
            return NotImplemented
        return self(x, shift, tuple(a + 1 if a >= 0 else a for a in given)), 0

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(3, 4))
        yield Sample(cls(), (x, np.array([1, -2], np.int32), (0, 1)), wrt=(0,))
        yield Sample(cls(), (x, np.array([1, 1], np.int32), (0, 0)), wrt=(0,), name="axis_twice")
        yield Sample(cls(), (x, np.int32(7), np.int32(-1)), wrt=(0,), name="scalar_shift")
        yield Sample(cls(), (rng.normal(size=(0, 4)), np.int32(1), np.int32(0)), wrt=(0,), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), 1, 2), ShapeError, "axis 2"
        yield lambda: cls()(np.ones((2, 3)), (1, 2), (0,)), ShapeError, "one length"


# --- public names ---------------------------------------------------------------------------------------------------


@public("transpose", v1=None)
def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str = "transpose") -> Tensor:
    """The axes of a tensor in another order: axis i of the result is axis perm[i]. By default reversed.

    Args:
      conjugate: complex entries are conjugated as well.
    Raises:
      ShapeError: perm does not name each axis once.
    """
    x = interpreter.as_tensor(a)
    if perm is None:
        if x.spec.shape is None:
            from pullback.ops.array.ranges import range_

            perm = range_(rank(x) - 1, -1, -1)
        else:
            perm = tuple(range(len(x.spec.shape)))[::-1]
    made = ConjugateTranspose() if conjugate and x.dtype.is_complex else Transpose()
    return made(x, dims(perm), name=name)


@public(v1="transpose")
def transpose_v1(a: Any, perm: Any = None, name: str = "transpose", conjugate: bool = False) -> Tensor:
    """As `transpose`, in TensorFlow 1's order of arguments."""
    return transpose(a, perm, conjugate, name)


@public("linalg.matrix_transpose", v1=("linalg.matrix_transpose", "linalg.transpose", "matrix_transpose"))
def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """Each matrix in the last two axes transposed. a [..., m, n] -> [..., n, m]

    Raises:
      ShapeError: a has fewer than two axes. ArgumentError: its rank is not known.
    """
    x = interpreter.as_tensor(a)
    if x.spec.shape is None:
        raise ArgumentError("matrix_transpose: the number of axes must be known; use x.set_shape").locate()
    n = len(x.spec.shape)
    if n < 2:
        raise ShapeError(f"matrix_transpose: {shape.text(x.spec.shape)} has fewer than two axes").locate()
    return transpose(x, (*range(n - 2), n - 1, n - 2), conjugate, name)


@public("math.invert_permutation", v1=("invert_permutation", "math.invert_permutation"))
def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """The permutation y with y[x[i]] = i.

    Raises:
      ArgumentError: x does not hold each of 0..n-1 once.
    """
    return InvertPermutation()(dims(x), name=name)


@public("reverse", v1=("reverse", "reverse_v2", "manip.reverse"))
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """A tensor with the order of its slices along each of some axes (a list) reversed."""
    return ReverseV2()(tensor, dims(axis), name=name)


@public("roll", v1=("roll", "manip.roll"))
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """A tensor shifted along axes, by `shift` places towards the end; what falls off comes in at the other end.

    Args:
      shift, axis: an int each, or lists of one length; the shifts of an axis named twice add.
    """
    return Roll()(input, dims(shift), dims(axis), name=name)
