"""Assigning to a part of a variable: what `variable[1:, 0].assign(value)` runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import shape
from pullback.core.basics import SumTo, shape_of
from pullback.core.dtypes import float64
from pullback.core.errors import DTypeError, ShapeError
from pullback.core.op import op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import Spec, known_vector
from pullback.core.store import PROCESS, Resource, Store
from pullback.ops.array.slicing import _INDICES, StridedSlice, StridedSliceGrad, _Strided


@op
class ResourceStridedSliceAssign(_Strided):
    """The variable holds `value` in the places that the index names, from here on; value broadcasts to them.

    Output: the whole new value.
    """

    signature = f"ref: resource, {_INDICES}, value: any -> output: any"
    takes_store = True
    effect = True
    any_rank = True
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0

    def infer(self, handle: Spec, begin: Spec, end: Spec, strides: Spec, value: Spec) -> Spec:
        have = handle.held
        if value.dtype is not have.dtype:
            raise DTypeError(f"assign to a part: the variable is {have.dtype.name} but the value is {value.dtype.name}")
        items = self.index(have.shape, *(known_vector(s) for s in (begin, end, strides)))
        part = None if items is None else self.shape_after(have.shape, items)
        if shape.known(part) and shape.known(value.shape) and not _fits(value.shape, part):
            raise _misfit(value.shape, part)
        return have

    def reference(self, store: Store, held: Resource, begin: Any, end: Any, strides: Any, value: Any) -> Any:
        new = np.array(store.read(held))
        places = self.numpy_index(new.shape, begin, end, strides)
        if not _fits(np.shape(value), new[places].shape):
            raise _misfit(np.shape(value), new[places].shape)
        new[places] = value
        store.write(held, new)
        return new

    def grad(self, node: Any, dy: Any) -> Any:
        _, begin, end, strides, value = node.inputs
        part = StridedSlice(**self.masks())(dy, begin, end, strides)
        placed = StridedSliceGrad(**self.masks())(shape_of(dy), begin, end, strides, part)
        return dy - placed, None, None, None, SumTo()(part, shape_of(value))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        held = Resource("sample", Spec((2, 3), float64))
        PROCESS.write(held, rng.normal(size=(2, 3)))
        for masks, size in (({"shrink_axis_mask": 1}, (2,)), ({"end_mask": 2}, (1, 1)), ({}, ())):
            yield Sample(cls(**masks), (held, (1, 1), (2, 3), (1, 1), rng.normal(size=size)), wrt=())


def _fits(value: Shape, part: Shape) -> bool:
    try:
        return shape.broadcast(value, part) == part
    except ShapeError:
        return False


def _misfit(value: Shape, part: Shape) -> ShapeError:
    return ShapeError(
        f"assign to a part: a value of shape {shape.text(value)} does not broadcast to {shape.text(part)}"
    )
