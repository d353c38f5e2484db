"""Ops that only TensorFlow's own gradients make; graphs that were trained there hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec


@op
class ConcatOffset(Op):
    """Where each of several tensors of these shapes begins in their concatenation along an axis."""

    signature = "concat_dim: int32, *shape: int32|int64 -> *offset: int32|int64"
    any_rank = True

    def infer(self, axis: Spec, *shapes: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(s.shape, s.dtype) for s in shapes)

    def reference(self, axis: Any, *shapes: Any) -> Any:
        offsets, at = [], 0
        for shape in shapes:
            offset = np.zeros_like(shape)
            offset[int(axis)] = at
            offsets.append(offset)
            at += int(shape[int(axis)])
        return tuple(offsets)

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.int32(1), np.array([2, 3], np.int32), np.array([2, 5], np.int32)), wrt=())


@op
class BroadcastGradientArgs(Op):
    """The axes along which gradients of two tensors of these shapes are summed: those that broadcasting adds or
    stretches."""

    signature = "s0: T, s1: T -> r0: T, r1: T"
    T = (dtypes.int32, dtypes.int64)
    any_rank = True

    def infer(self, a: Spec, b: Spec) -> tuple[Spec, ...]:
        return Spec((None,), a.dtype), Spec((None,), b.dtype)

    def reference(self, a: Any, b: Any) -> Any:
        rank = max(len(a), len(b))
        wide = [[1] * (rank - len(s)) + s.tolist() for s in (a, b)]
        axes = [[i for i in range(rank) if s[i] == 1 and i < rank] for s in wide]
        both = [i for i in range(rank) if wide[0][i] == wide[1][i] != 1]
        return tuple(np.array([i for i in found if i not in both], a.dtype) for found in axes)

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.array([2, 3, 1], np.int32), np.array([3, 4], np.int32)), wrt=())
