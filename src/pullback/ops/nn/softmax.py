"""Softmax and its logarithm along the last axis; along another one, transposed there and back.

    p = exp(x) / Z      log p = x - log Z      Z = sum exp(x), along the axis
    dx = p (dy - sum dy p)                     dx = dy - p sum dy

Both are computed from x - max x, so that nothing overflows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.basics import Shape_, SumTo
from pullback.core.dtypes import REALS
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math.arithmetic import Exp


def summed(x: Tensor) -> Tensor:
    """The sum along the last axis, which stays as one of size 1."""
    dims = x.spec.shape
    if dims is None:
        return REGISTRY["Sum"](keep_dims=True)(x, (-1,))
    if None not in dims:
        return SumTo()(x, (*dims[:-1], 1))
    lead = len(dims) - 1
    return SumTo()(x, Shape_()(x) * [*[1] * lead, 0] + [*[0] * lead, 1])


def precise(x: Any) -> Any:
    """x in the type that sums are made in: 16-bit types in float32."""
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


def log_softmax_of(x: Any) -> Any:
    """x - log Z along the last axis, from x - max x, so that nothing overflows."""
    if not x.size:
        return np.zeros(x.shape, x.dtype)
    with np.errstate(all="ignore"):
        x = x - x.max(axis=-1, keepdims=True)
        return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def softmax_of(x: Any) -> Any:
    """exp(x) / Z along the last axis, from x - max x."""
    if not x.size:
        return np.zeros(x.shape, x.dtype)
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


class _AlongLast(Op):
    """Base of both."""

    T = REALS

    def infer(self, x: Spec) -> Spec:
        if not x.shape:
            raise ShapeError(f"{self.type}: logits must have at least one dimension, but are a scalar")
        return x.with_shape(x.shape)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)),))
        yield Sample(cls(), (rng.normal(size=4),), name="vector")
        yield Sample(cls(), (rng.normal(size=(2, 1, 3)),), name="three dimensions")
        yield Sample(cls(), (rng.normal(size=(0, 3)),), name="empty batch")
        for dtype in REALS:
            if dtype is not dtypes.float64:
                yield Sample(cls(), (rng.normal(size=(2, 3)).astype(dtype.numpy),), order=1, name=dtype.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.float64(1.0)), ShapeError, "at least one dimension"


@op
class Softmax(_AlongLast):
    """p[..., k] = exp(x[..., k]) / sum_j exp(x[..., j])"""

    signature = "logits: T -> softmax: T"

    def reference(self, x: Any) -> Any:
        return softmax_of(precise(x)).astype(x.dtype, copy=False)

    def grad(self, node: Any, dy: Any) -> Any:
        p = node.results[0]
        return p * (dy - summed(dy * p))


@op
class LogSoftmax(_AlongLast):
    """y[..., k] = x[..., k] - log sum_j exp(x[..., j])"""

    signature = "logits: T -> logsoftmax: T"

    def reference(self, x: Any) -> Any:
        return log_softmax_of(precise(x)).astype(x.dtype, copy=False)

    def grad(self, node: Any, dy: Any) -> Any:
        return dy - Exp()(node.results[0]) * summed(dy)


# --- public functions -----------------------------------------------------------------------------


def swapped(x: Tensor, axis: Any, where: str) -> tuple[int, ...] | None:
    """The permutation that makes `axis` the last, its own inverse; None where it is the last.

    Raises:
      ArgumentError: there is no such axis. ShapeError: the rank is unknown and axis is not -1.
    """
    axis = -1 if axis is None else int(axis)
    rank = x.spec.rank
    if axis == -1 and rank != 0:
        return None
    if rank is None:
        raise ShapeError(
            f"{where}: axis {axis} needs logits of known rank; say it by logits.set_shape, or use axis=-1"
        ).locate()
    if not -rank <= axis < rank:
        raise ArgumentError(
            f"{where}: axis must be from {-rank} to {rank - 1} for logits of shape {x.shape}, not {axis}"
        ).locate()
    axis %= rank
    order = list(range(rank))
    order[axis], order[-1] = order[-1], order[axis]
    return None if axis == rank - 1 else tuple(order)


def _along(op_: Any, logits: Any, axis: Any, name: str | None, where: str) -> Tensor:
    x = interpreter.as_tensor(logits)
    order = swapped(x, axis, where)
    if order is None:
        return op_(x, name=name)
    transpose = REGISTRY["Transpose"]()
    return transpose(op_(transpose(x, order)), order, name=name)


def _one_axis(where: str, axis: Any, dim: Any) -> Any:
    """The axis under whichever of its two names it was given."""
    if axis is not None and dim is not None:
        raise ArgumentError(f"{where}: axis and dim are the same argument; give one").locate()
    return dim if axis is None else axis


@public("nn.softmax", "math.softmax", v1=None)
def softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """exp(x) / sum(exp(x)) along an axis, without overflow.

    Args:
      logits: Tensor of at least one dimension, floating.
      axis: the classes' axis; the last when None.
    Returns:
      Tensor of the same shape; sums to 1 along the axis.
    Raises:
      ArgumentError: there is no such axis. ShapeError: logits are a scalar.
    """
    return _along(Softmax(), logits, axis, name, "softmax")


@public(v1=("nn.softmax", "math.softmax"))
def softmax_v1(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """`softmax` with TensorFlow 1's names: `dim` is axis."""
    return softmax(logits, _one_axis("softmax", axis, dim), name)


@public("nn.log_softmax", "math.log_softmax", v1=None)
def log_softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """x - log(sum(exp(x))) along an axis, without overflow; arguments as for `softmax`."""
    return _along(LogSoftmax(), logits, axis, name, "log_softmax")


@public(v1=("nn.log_softmax", "math.log_softmax"))
def log_softmax_v1(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """`log_softmax` with TensorFlow 1's names: `dim` is axis."""
    return log_softmax(logits, _one_axis("log_softmax", axis, dim), name)
