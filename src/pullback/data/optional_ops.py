"""The next element of an iterator, if there is one, as a value of a graph.

IteratorGetNextAsOptional(handle) -> optional     a variant: (), or (True, component, ...)
OptionalHasValue(optional) -> bool
OptionalGetValue(optional) -> components
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, OutOfRangeError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import Spec
from pullback.core.store import Resource, Store
from pullback.data.iterators import IteratorGetNext


@op
class IteratorGetNextAsOptional(Op):
    """An iterator's next element, or that there is none."""

    signature = "iterator: resource -> optional: variant"
    effect = True
    takes_store = True
    untestable = "holds a Python iterator; tests/unit/test_datasets.py runs it"
    output_types: tuple[DType, ...]
    output_shapes: tuple[Shape, ...]

    def infer(self, handle: Spec) -> Spec:
        return Spec((), dtypes.variant)

    def reference(self, store: Store, held: Resource) -> Any:
        try:
            return ((np.True_, *IteratorGetNext(self.output_types, self.output_shapes).reference(store, held)),)
        except OutOfRangeError:
            return ((),)

    def grad(self, node: Any, doptional: Any) -> Any:
        return None


@op
class OptionalHasValue(Op):
    """Whether an optional has a value."""

    signature = "optional: variant -> has_value: bool"

    def infer(self, optional: Spec) -> Spec:
        return Spec((), dtypes.bool_)

    def reference(self, optional: Any) -> Any:
        return np.bool_(len(optional) > 0)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), ((np.True_, rng.normal(size=2)),), wrt=())
        yield Sample(cls(), ((),), wrt=(), name="none")


@op
class OptionalGetValue(Op):
    """The components of an optional's value."""

    signature = "optional: variant -> *components: any"
    any_rank = True
    output_types: tuple[DType, ...]
    output_shapes: tuple[Shape, ...]

    def infer(self, optional: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(s, t) for s, t in zip(self.output_shapes, self.output_types, strict=True))

    def visible(self, results: int) -> int:
        return results

    def reference(self, optional: Any) -> Any:
        if not optional:
            raise ArgumentError("The given optional does not have a value.")
        return tuple(optional[1:])

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        held = (np.True_, rng.normal(size=2), np.arange(3))
        yield Sample(cls((dtypes.float64, dtypes.int64), ((2,), (3,))), (held,), wrt=())
