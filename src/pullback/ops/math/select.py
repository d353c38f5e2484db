"""Choosing and converting: Select (tf.where with three arguments), Cast, Identity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.backprop import asked
from pullback.core.basics import ZerosLike
from pullback.core.dtypes import DType
from pullback.core.errors import ShapeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape, compatible, text
from pullback.core.spec import Spec
from pullback.ops.math.elementwise import Elementwise


@op
class Select(Elementwise):
    """x where the condition holds, y elsewhere; all three broadcast. The gradient of the side not chosen is 0."""

    type = "SelectV2"
    signature = "condition: bool, x: T, y: T -> z: T"
    T = dtypes.ANY
    kernel = staticmethod(np.where)

    def grad(self, node: Any, dy: Any) -> Any:
        condition, zero = node.inputs[0], ZerosLike()(dy)
        _, to_x, to_y = asked(node)
        dx = self(condition, dy, zero) if to_x else None
        return None, dx, self(condition, zero, dy) if to_y else None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for shapes in (((2, 3),) * 3, ((3,), (2, 1), ()), ((0, 3), (0, 3), (3,))):
            c, x, y = (rng.normal(size=s) for s in shapes)
            yield Sample(cls(), (c > 0, x, y), wrt=(1, 2))
        yield Sample(cls(), (np.array([True, False]), np.array([1, 2]), np.array([3, 4])))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        from pullback.core.errors import DTypeError

        yield lambda: cls()(np.ones(2), np.ones(2), np.ones(2)), DTypeError, "bool"


@op
class Cast(Op):
    """x in another element type. Complex to real drops the imaginary part; real to integer truncates towards zero."""

    signature = "x: SrcT -> y: DstT"
    SrcT = (*dtypes.NUMBERS, dtypes.bool_)
    DstT: DType
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        keeps = x.value if self.DstT.is_integer and x.dtype.is_integer else None
        return Spec(x.shape, self.DstT, keeps)

    def reference(self, x: Any) -> Any:
        with np.errstate(all="ignore"):
            x = np.real(x) if x.dtype.kind == "c" and not self.DstT.is_complex else x
            return x.astype(self.DstT.numpy)

    def grad(self, node: Any, dy: Any) -> Any:
        back = node.inputs[0].dtype
        return type(self)(back)(dy) if back.is_differentiable and dy.dtype.is_differentiable else None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    def attrs(self) -> dict[str, Any]:
        return {"DstT": self.DstT}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(2, 3))
        yield Sample(cls(dtypes.float64), (x,))
        yield Sample(cls(dtypes.complex128), (x,))
        yield Sample(cls(dtypes.float32), (x,), order=1, name="narrow")
        yield Sample(cls(dtypes.int32), (x,), smooth=False)
        yield Sample(cls(dtypes.bool_), (x > 0,))
        yield Sample(cls(dtypes.bfloat16), (x.astype(np.float32),), order=1, name="bfloat16")


class _Same(Op):
    """Base of ops whose output is their input."""

    signature = "x: T -> y: T"
    T = (*dtypes.ANY, dtypes.variant)
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        return x

    def reference(self, x: Any) -> Any:
        return (x,) if isinstance(x, tuple) else x

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),))
        yield Sample(cls(), (np.arange(3),))


@op
class Identity(_Same):
    """x itself."""

    def grad(self, node: Any, dy: Any) -> Any:
        return dy


@op
class PlaceholderWithDefault(_Same):
    """x itself, unless a run feeds another value. `shape` is what fed values must fit."""

    shape: Shape = None

    def infer(self, x: Spec) -> Spec:
        if not compatible(x.shape, self.shape):
            given = f"the default has shape {text(x.shape)}"
            raise ShapeError(f"placeholder_with_default: {given}, which does not fit {text(self.shape)}")
        return x.with_shape(self.shape)

    def grad(self, node: Any, dy: Any) -> Any:
        return dy

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls((2, 3)), (rng.normal(size=(2, 3)),))
        yield Sample(cls((3,)), (np.arange(3),))

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return Identity()(*inputs), 0

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls((2,))(np.ones(3)), ShapeError, "does not fit"


@op
class StopGradient(_Same):
    """x itself; its gradient does not exist."""

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for sample in super().samples(rng):
            yield Sample(sample.op, sample.args, smooth=False)


@op
class PreventGradient(_Same):
    """x itself; asking for its gradient is an error that says `message`."""

    message: str = ""

    def grad(self, node: Any, dy: Any) -> Any:
        from pullback.core.op import NoGradientYet

        return NoGradientYet(self.message or "a gradient was asked for through tf.raw_ops.PreventGradient")

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),), wrt=())
