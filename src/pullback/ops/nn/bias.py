"""Adding a bias to every pixel's channels, and its adjoint.

y = BiasAdd(x, b)      dx = dy      db = BiasAddGrad(dy), the sum over all axes but the channels'
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import ZerosLike
from pullback.core.dtypes import NUMBERS
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.nn.conv.window import check_format


class _OfBias(Op):
    """Base of both: where the channels stand."""

    T = NUMBERS
    data_format: Any

    def check(self) -> None:
        check_format(self.data_format, self.type)

    def axis(self, rank: int) -> int:
        """Where the channels stand in a tensor of so many dimensions: last, or for NCHW second.

        Raises:
          ShapeError: it has fewer than two.
        """
        if rank < 2:
            raise ShapeError(f"{self.type}: the value needs at least 2 dimensions, batch and channels, but has {rank}")
        return rank - 1 if self.data_format == "NHWC" else 1

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls("NWHC"), ArgumentError, "data_format"
        given = (np.ones(3), np.ones(3))
        yield lambda: cls()(*given[: len(cls.parsed.inputs)]), ShapeError, "at least 2 dimensions"
        if cls is BiasAdd:
            yield lambda: cls()(np.ones((2, 3)), np.ones(2)), ShapeError, "has 3 channels"
            yield lambda: cls()(np.ones((2, 3)), np.ones((1, 3))), ShapeError, "one dimension"


@op
class BiasAdd(_OfBias):
    """y[..., c] = x[..., c] + b[c]; for NCHW the channels are the second axis.

    x [N,...,C]   b [C]   ->   y [N,...,C]
    """

    signature = "value: T, bias: T -> output: T"
    data_format: str = "NHWC"

    def infer(self, x: Spec, b: Spec) -> Spec:
        assert x.shape is not None and b.shape is not None
        axis = self.axis(len(x.shape))
        if len(b.shape) != 1:
            raise ShapeError(f"BiasAdd: bias must have one dimension, [channels], but has shape {shape.text(b.shape)}")
        channels, biases = x.shape[axis], b.shape[0]
        if channels is not None and biases is not None and channels != biases:
            raise ShapeError(
                f"BiasAdd: value {shape.text(x.shape)} has {channels} channels (axis {axis}, data_format "
                f"{self.data_format}), but bias {shape.text(b.shape)} has {biases}; they must be equal"
            )
        return x.with_shape((*x.shape[:axis], biases if channels is None else channels, *x.shape[axis + 1 :]))

    def reference(self, x: Any, b: Any) -> Any:
        axis = self.axis(x.ndim)
        if b.shape != (x.shape[axis],):
            raise ShapeError(f"BiasAdd: bias {shape.text(b.shape)} does not fit value {shape.text(x.shape)}")
        return x + (b if axis == x.ndim - 1 else b.reshape(-1, *(1,) * (x.ndim - axis - 1)))

    def grad(self, node: Any, dy: Any) -> Any:
        return dy, BiasAddGrad(self.data_format)(dy)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, b = inputs
        if not (x.spec.known and b.spec.known):
            return NotImplemented
        rank = len(x.spec.shape) - (axes[0] is not None)
        axis = self.axis(rank)
        lead = () if axes[1] is None else (size,)
        rows = (*lead, *(1,) * axis, b.spec.shape[-1], *(1,) * (rank - axis - 1))
        return x + REGISTRY["Reshape"]()(b, rows), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)), rng.normal(size=3)))
        yield Sample(cls(), (rng.normal(size=(2, 2, 3, 4)), rng.normal(size=4)), name="image")
        yield Sample(cls("NCHW"), (rng.normal(size=(2, 4, 2, 3)), rng.normal(size=4)))
        yield Sample(cls(), (rng.normal(size=(0, 3)), rng.normal(size=3)), name="empty batch")
        for dtype in NUMBERS:
            if dtype is not dtypes.float64:
                x, b = (rng.integers(0, 9, s).astype(dtype.numpy) for s in ((2, 3), (3,)))
                yield Sample(cls(), (x, b), order=1, name=dtype.name)


@op
class BiasAddGrad(_OfBias):
    """db[c] = the sum of dy over all axes but the channels'.

    dy [N,...,C]   ->   db [C]
    """

    signature = "out_backprop: T -> output: T"
    data_format: str = "NHWC"

    def infer(self, dy: Spec) -> Spec:
        assert dy.shape is not None
        return dy.with_shape((dy.shape[self.axis(len(dy.shape))],))

    def reference(self, dy: Any) -> Any:
        axis = self.axis(dy.ndim)
        others = tuple(i for i in range(dy.ndim) if i != axis)
        precise = dy.astype(np.float32) if dy.dtype.itemsize == 2 and dy.dtype.kind not in "iu" else dy
        return precise.sum(axis=others, dtype=precise.dtype).astype(dy.dtype, copy=False)

    def grad(self, node: Any, db: Any) -> Any:
        return BiasAdd(self.data_format)(ZerosLike()(node.inputs[0]), db)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        from pullback.core.basics import SumTo

        (dy,) = inputs
        if not dy.spec.known:
            return NotImplemented
        axis = self.axis(len(dy.spec.shape) - 1) + 1
        channels = dy.spec.shape[axis]
        kept = tuple(n if i in (0, axis) else 1 for i, n in enumerate(dy.spec.shape))
        return REGISTRY["Reshape"]()(SumTo()(dy, kept), (size, channels)), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),))
        yield Sample(cls(), (rng.normal(size=(2, 2, 3, 4)),), name="image")
        yield Sample(cls("NCHW"), (rng.normal(size=(2, 4, 2, 3)),))
        yield Sample(cls(), (rng.normal(size=(0, 3)),), name="empty batch")
        for dtype in NUMBERS:
            if dtype is not dtypes.float64:
                yield Sample(cls(), (rng.integers(0, 9, (2, 3)).astype(dtype.numpy),), order=1, name=dtype.name)


@public("nn.bias_add")
def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """value + bias, the bias along the channels.

    Args:
      value: Tensor [N,...,C]; for a data_format that begins with "NC", [N,C,...]. Any number type.
      bias: Tensor [C] of the same type.
      data_format: "N...C" or "NC...": "NHWC" (when None), "NCHW", and their one- and three-dimensional kin.
    Returns:
      Tensor of value's shape.
    Raises:
      ShapeError: bias has not as many entries as value has channels.
      ArgumentError: data_format is none of these.
    Gradient: dy to value; to bias its sum over all other axes.
    """
    if data_format is not None and not data_format.startswith("N"):
        raise ArgumentError(f"bias_add: data_format must be of the form N...C or NC..., not {data_format!r}").locate()
    if data_format is not None and not (data_format.startswith("NC") or data_format.endswith("C")):
        raise ArgumentError(f"bias_add: data_format must be of the form N...C or NC..., not {data_format!r}").locate()
    first = data_format is not None and data_format.startswith("NC") and data_format != "NC"
    return BiasAdd("NCHW" if first else "NHWC")(value, bias, name=name or "BiasAdd")
