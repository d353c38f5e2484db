"""tf.bitwise: integers bit by bit. x [...], y [...] -> z [...], broadcast"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import INTS
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import broadcast
from pullback.core.tensor import Tensor


class _OfTwo(Op):
    """Base of ops on two integers' bits."""

    signature = "x: T, y: T -> z: T"
    T = INTS
    broadcasts = True

    def infer(self, x: Any, y: Any) -> Any:
        return x.with_shape(broadcast(x.shape, y.shape))

    def grad(self, node: Any, dz: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in INTS:
            x = rng.integers(0, 100, (2, 3)).astype(dtype.numpy)
            yield Sample(cls(), (x, np.array([1, 2, 6], dtype.numpy)), wrt=(), name=dtype.name)
        yield Sample(cls(), (np.array([-5, -1, 7]), np.array([2, -3, -2])), wrt=(), name="negative")
        yield Sample(cls(), (np.zeros((0, 3), np.int32), np.zeros(3, np.int32)), wrt=(), name="empty")


@op
class BitwiseAnd(_OfTwo):
    """The bits that both have."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.bitwise_and(x, y)


@op
class BitwiseOr(_OfTwo):
    """The bits that either has."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.bitwise_or(x, y)


@op
class BitwiseXor(_OfTwo):
    """The bits that just one has."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.bitwise_xor(x, y)


def _places(x: Any, y: Any) -> Any:
    """By how many places: at least 0 and less than x has bits, as TensorFlow limits it."""
    return np.clip(y, 0, x.dtype.itemsize * 8 - 1)


@op
class LeftShift(_OfTwo):
    """The bits moved to higher places, y of them (from 0 to one less than there are)."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.left_shift(x, _places(x, y)).astype(x.dtype)


@op
class RightShift(_OfTwo):
    """The bits moved to lower places, y of them (from 0 to one less than there are); a sign stays."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.right_shift(x, _places(x, y)).astype(x.dtype)


@op
class Invert(Op):
    """The bits that x does not have."""

    signature = "x: T -> y: T"
    T = INTS

    def infer(self, x: Any) -> Any:
        return x.with_shape(x.shape)

    def reference(self, x: Any) -> Any:
        return np.invert(x)

    def grad(self, node: Any, dy: Any) -> Any:
        return (None,)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for dtype in INTS:
            yield Sample(cls(), (rng.integers(0, 100, (2, 3)).astype(dtype.numpy),), wrt=(), name=dtype.name)


@public("bitwise.bitwise_and")
def bitwise_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that both integers have."""
    return BitwiseAnd()(x, y, name=name)


@public("bitwise.bitwise_or")
def bitwise_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that either integer has."""
    return BitwiseOr()(x, y, name=name)


@public("bitwise.bitwise_xor")
def bitwise_xor(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that just one of the integers has."""
    return BitwiseXor()(x, y, name=name)


@public("bitwise.left_shift")
def left_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits of x moved up by y places; y below 0 counts as 0, y beyond the bits there are as one less than those."""
    return LeftShift()(x, y, name=name)


@public("bitwise.right_shift")
def right_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits of x moved down by y places, a sign staying; y is limited as in `left_shift`."""
    return RightShift()(x, y, name=name)


@public("bitwise.invert")
def invert(x: Any, name: str | None = None) -> Tensor:
    """The bits that an integer does not have: -x - 1 of a signed one."""
    return Invert()(x, name=name)
