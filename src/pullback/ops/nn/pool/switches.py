"""Unpool and Repool, each other's adjoints: values put at their switches, and what stands at them.

A switch is the flat place of a value within its image as the image lies in memory, or within all images laid end to end
(with_batch). So neither op knows a layout or a window, and both serve any rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.basics import shape_of, static_tuple
from pullback.core.dtypes import NUMBERS
from pullback.core.errors import ShapeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.nn.conv import batching
from pullback.ops.nn.conv.batching import repeated
from pullback.ops.nn.pool import reference


@op
class Unpool(Op):
    """Values put at their switches in an image of zeros; where switches meet, values add.

    x[n].flat[at[n,...]] += values[n,...]          with_batch: x.flat[at[...]] += values[...]

    values [N,P,Q,C]   at [N,P,Q,C]   shape [4]   ->   x [shape]
    """

    signature = "values: T, at: int32|int64, shape: int32|int64 -> x: T"
    T = NUMBERS
    static = (2,)
    with_batch: bool = False

    def infer(self, values: Spec, at: Spec, to: Spec) -> Spec:
        together = shape.merged(values.shape, at.shape, "Unpool: values and their switches have shapes that differ:")
        wanted = known_vector(to)
        if wanted is None:
            return values.with_shape(None)
        if any(n is not None and n < 0 for n in wanted):
            raise ShapeError(f"Unpool: shape {shape.text(wanted)} has a negative size")
        if not self.with_batch and wanted and together and not shape.compatible(wanted[:1], together[:1]):
            raise ShapeError(
                f"Unpool: values {shape.text(together)} have batch {together[0]}, but shape {shape.text(wanted)}"
            )
        return values.with_shape(wanted)

    def reference(self, values: Any, at: Any, to: Any) -> Any:
        return reference.unpool(values, at, tuple(int(n) for n in to), self.with_batch)

    def grad(self, node: Any, dx: Any) -> Any:
        return Repool(self.with_batch)(dx, node.inputs[1]), None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        values, at, to = inputs
        wanted = static_tuple(to)
        if axes[2] is not None or wanted is None or not (values.spec.known and at.spec.known):
            return NotImplemented
        if self.with_batch:  # what all images of an entry share is one image of the axis
            return Unpool()(repeated(values, axes[0], size), repeated(at, axes[1], size), (size, *wanted)), 0
        rows = [batching.into_batch(repeated(x, a, size)) for x, a in zip((values, at), axes, strict=False)]
        return batching.out_of_batch(self(*rows, (size * wanted[0], *wanted[1:])), size), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.pool import samples

        return samples.of_unpool(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        values, at = np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2, 1), np.int64)
        yield lambda: cls()(values, at[:, :1], (1, 4, 4, 1)), ShapeError, "not compatible"
        yield lambda: cls()(values, at, (-1, 4, 4, 1)), ShapeError, "negative size"
        yield lambda: cls()(values, at, (2, 4, 4, 1)), ShapeError, "have batch 1"
        yield lambda: cls()(values, at + 16, (1, 4, 4, 1)), ShapeError, "from 0 to 15"


@op
class Repool(Op):
    """What stands at the switches: y[n,...] = x[n].flat[at[n,...]]; with_batch: x.flat[at[...]].

    x [N,H,W,C]   at [N,P,Q,C]   ->   y [N,P,Q,C]
    """

    signature = "x: T, at: int32|int64 -> y: T"
    T = NUMBERS
    with_batch: bool = False

    def infer(self, x: Spec, at: Spec) -> Spec:
        if not self.with_batch:
            shape.merged(x.shape[:1], at.shape[:1], "Repool: batches of x and its switches")  # type: ignore[index]
        return x.with_shape(at.shape)

    def reference(self, x: Any, at: Any) -> Any:
        return reference.repool(x, at, self.with_batch)

    def grad(self, node: Any, dy: Any) -> Any:
        x, at = node.inputs
        return Unpool(self.with_batch)(dy, at, shape_of(x)), None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, at = inputs
        if not (x.spec.known and at.spec.known):
            return NotImplemented
        if self.with_batch:
            return Repool()(repeated(x, axes[0], size), repeated(at, axes[1], size)), 0
        rows = [batching.into_batch(repeated(t, a, size)) for t, a in zip(inputs, axes, strict=True)]
        return batching.out_of_batch(self(*rows), size), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.pool import samples

        return samples.of_repool(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        x, at = np.ones((2, 4, 4, 1)), np.zeros((1, 2, 2, 1), np.int64)
        yield lambda: cls()(x, at), ShapeError, "not compatible"
        yield lambda: cls()(x[:1], at - 1), ShapeError, "from 0 to 15"
