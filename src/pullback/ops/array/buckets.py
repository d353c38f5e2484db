"""Bucketize: numbers to the interval they lie in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.dtypes import float32, float64, int32, int64
from pullback.core.errors import ArgumentError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.ops.raw_op import NEEDED, raw_op


@op
class Bucketize(Op):
    """How many boundaries are at most x: bucket i is [boundaries[i-1], boundaries[i]). x [...] -> y [...] int32

    The boundaries are float32, as in TensorFlow.
    """

    signature = "input: T -> output: int32"
    T = (float32, float64, int32, int64)
    boundaries: tuple[float, ...]

    def check(self) -> None:
        if list(self.boundaries) != sorted(self.boundaries):
            raise ArgumentError(f"Bucketize: Expected sorted boundaries, not {self.boundaries}")

    def infer(self, input: Any) -> Spec:
        return Spec(input.shape, int32)

    def reference(self, input: Any) -> Any:
        limits = np.array(self.boundaries, np.float32)
        return np.searchsorted(limits, input, side="right").astype(np.int32)

    def grad(self, node: Any, dy: Any) -> Any:
        return (None,)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for kind in (np.float64, np.float32, np.int32, np.int64):
            x = np.array([[-1, 0, 3], [5, 6, 9]], kind)
            yield Sample(cls((0.0, 5.0, 6.0)), (x,), wrt=(), name=np.dtype(kind).name)
        yield Sample(cls((0.5,)), (np.zeros((0, 3)),), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls((1.0, 0.0)), ArgumentError, "sorted boundaries"


def _made(kind: Any, boundaries: Any) -> Any:
    return kind(tuple(float(b) for b in boundaries))


raw_op(globals(), Bucketize, _made, {"boundaries": NEEDED})
