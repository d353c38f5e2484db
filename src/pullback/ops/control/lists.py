"""Lists of tensors, as values: what a TensorArray is made of.

TensorListFromTensor <-> ListRows          a tensor's rows as entries; entries as rows
TensorListSetItem    <-> ListItem          one entry         (ListWith, ListItem: loop.py)

A list's cotangent is a list. An absent entry is zero, so a cotangent may be shorter than its list. Places out of range
are errors in the ops that users see, and zero in those that gradients are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import shape_of
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.op import REGISTRY, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.control.list_gradients import LIST, ListPut, ListRows, ListWithout, OfLists, zeros, zeros_like
from pullback.ops.control.loop import ListItem, ListWith


def entry_shape(spec: Spec) -> Shape:
    """What an `element_shape` input says: a vector with -1 where unknown; a scalar -1 is unknown rank."""
    found = None if spec.shape == () else known_vector(spec)
    return None if found is None else tuple(None if n is None or n < 0 else n for n in found)


def said_shape(value: Any) -> Shape:
    """The same of an array."""
    return None if np.ndim(value) == 0 else tuple(None if n < 0 else int(n) for n in value)


def filled(entries: Sequence[Any], said: Shape, dtype: DType, what: str) -> list[Any]:
    """The entries, zeros in place of those that are absent.

    Raises:
      ShapeError: entries differ in shape, or none says the shape of an absent one. DTypeError: one is of another type.
    """
    together = said
    for i, entry in enumerate(entries):
        if entry is None:
            continue
        if entry.dtype != dtype.numpy:
            raise DTypeError(f"{what}: entry {i} is {dtypes.from_numpy(entry.dtype).name}, not {dtype.name}")
        together = shape.merged(together, entry.shape, f"{what}: entry {i} does not fit the others; shapes")
    if all(entry is not None for entry in entries) and (entries or shape.known(together)):
        return list(entries)
    if not shape.known(together):
        raise ShapeError(
            f"{what}: an entry that was never written is zero, but its shape {shape.text(together)} is not known; "
            "write it, or say element_shape"
        )
    return [zeros(together, dtype) if entry is None else entry for entry in entries]


def _stacked(entries: Sequence[Any], said: Shape, dtype: DType, what: str) -> Any:
    rows = filled(entries, said, dtype, what)
    return np.stack(rows) if rows else zeros((0, *(said or ())), dtype)


def _checked(places: Any, size: int, what: str) -> list[int]:
    flat = [int(i) for i in np.ravel(places)]
    for i in flat:
        if not 0 <= i < size:
            raise ArgumentError(f"{what}: index {i} is not in the list, which has {size} entries")
    return flat


@op
class TensorListReserve(OfLists):
    """A list of so many entries, all absent. element_shape, num_elements -> list"""

    signature = "element_shape: int32|int64, num_elements: int32 -> list: variant"
    element_dtype: DType

    def infer(self, element_shape: Spec, count: Spec) -> Spec:
        return LIST

    def reference(self, element_shape: Any, count: Any) -> Any:
        if count < 0:
            raise ArgumentError(f"TensorListReserve: num_elements must not be negative, but is {int(count)}")
        return ((None,) * int(count),)

    def grad(self, node: Any, dlist: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(dtypes.float32), (np.int32(-1), np.int32(3)), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(dtypes.float32)(-1, -2), ArgumentError, "must not be negative"


@op
class TensorListLength(OfLists):
    """How many entries a list has. list -> count, int32"""

    signature = "list: variant -> length: int32"

    def infer(self, items: Spec) -> Spec:
        return Spec((), dtypes.int32)

    def reference(self, items: Any) -> Any:
        return np.int32(len(items))

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), ((rng.normal(size=2), None),), wrt=())


@op
class TensorListGetItem(OfLists):
    """The entry at an index; one that is absent is zero, if its shape is known. list, index, element_shape -> entry"""

    signature = "list: variant, index: int32, element_shape: int32|int64 -> item: element_dtype"
    static = (2,)
    element_dtype: DType

    def infer(self, items: Spec, index: Spec, element_shape: Spec) -> Spec:
        return Spec(entry_shape(element_shape), self.element_dtype)

    def reference(self, items: Any, index: Any, element_shape: Any) -> Any:
        (i,) = _checked(index, len(items), self.type)
        return filled([items[i]], said_shape(element_shape), self.element_dtype, self.type)[0]

    def grad(self, node: Any, dy: Any) -> Any:
        return ListWith()(node.inputs[1], dy), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items = (rng.normal(size=2), None)
        yield Sample(cls(dtypes.float64), (items, np.int32(0), np.array([2], np.int32)), wrt=())
        yield Sample(cls(dtypes.float64), (items, np.int32(1), np.array([2], np.int32)), wrt=(), name="absent")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        made = TensorListReserve(dtypes.float32)
        yield lambda: cls(dtypes.float32)(made(-1, 2), 2, -1), ArgumentError, "index 2 is not in the list"
        yield lambda: cls(dtypes.float32)(made(-1, 2), 0, -1), ShapeError, "never written"


@op
class TensorListSetItem(OfLists):
    """The list with another entry at an index; beyond its end only where it may grow. list, index, item -> list"""

    signature = "list: variant, index: int32, item: T -> changed: variant"
    T = dtypes.ANY
    resize_if_index_out_of_bounds: bool = False

    def infer(self, items: Spec, index: Spec, item: Spec) -> Spec:
        return LIST

    def reference(self, items: Any, index: Any, item: Any) -> Any:
        i, grows = int(index), self.resize_if_index_out_of_bounds and int(index) >= len(items)
        if not grows:
            _checked(i, len(items), self.type)
        return ((*items[:i], *(None,) * (i - len(items)), item, *items[i + 1 :]),)

    def grad(self, node: Any, dlist: Any) -> Any:
        _, index, item = node.inputs
        return ListWithout()(dlist, index), None, ListItem(item.spec.shape)(dlist, index, zeros_like(item))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), ((None, rng.normal(size=2)), np.int32(0), rng.normal(size=2)), wrt=())
        yield Sample(cls(True), ((rng.normal(size=2),), np.int32(3), rng.normal(size=2)), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield (
            lambda: cls()(TensorListReserve(dtypes.float32)(-1, 1), 1, 0.5),
            ArgumentError,
            "index 1 is not in the list",
        )


@op
class TensorListFromTensor(OfLists):
    """The rows of a tensor as a list. tensor [n, ...], element_shape -> list of n"""

    signature = "tensor: T, element_shape: int32|int64 -> list: variant"
    T = dtypes.ANY

    def infer(self, x: Spec, element_shape: Spec) -> Spec:
        if x.shape == ():
            raise ShapeError("TensorListFromTensor: a scalar has no rows")
        return LIST

    def reference(self, x: Any, element_shape: Any) -> Any:
        return (tuple(x[i, ...] for i in range(len(x))),)

    def grad(self, node: Any, dlist: Any) -> Any:
        x = node.inputs[0]
        n = x.spec.shape[0] if x.spec.shape else None
        places = np.arange(n, dtype=np.int32) if n is not None else REGISTRY["Range"]()(0, shape_at(x, 0), 1)
        return ListRows(x.dtype)(dlist, places, shape_of(x)), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)), np.int32(-1)), wrt=())
        yield Sample(cls(), (rng.normal(size=(0, 3)), np.int32(-1)), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(0.5, -1), ShapeError, "no rows"


def shape_at(x: Tensor, axis: int) -> Tensor:
    """One dimension of x, as it runs."""
    return REGISTRY["Shape"]()(x)[axis]


@op
class TensorListStack(OfLists):
    """The entries as rows of a tensor. list, element_shape -> tensor [num_elements, ...]"""

    signature = "list: variant, element_shape: int32|int64 -> tensor: element_dtype"
    static = (1,)
    element_dtype: DType
    num_elements: int = -1

    def infer(self, items: Spec, element_shape: Spec) -> Spec:
        each = entry_shape(element_shape)
        count = None if self.num_elements < 0 else self.num_elements
        return Spec(None if each is None else (count, *each), self.element_dtype)

    def reference(self, items: Any, element_shape: Any) -> Any:
        if self.num_elements not in (-1, len(items)):
            raise ShapeError(f"TensorListStack: the list has {len(items)} entries, not {self.num_elements}")
        return _stacked(items, said_shape(element_shape), self.element_dtype, self.type)

    def grad(self, node: Any, dy: Any) -> Any:
        return TensorListFromTensor()(dy, -1), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items = (rng.normal(size=2), None)
        yield Sample(cls(dtypes.float64, 2), (items, np.array([2], np.int32)), wrt=())
        yield Sample(cls(dtypes.float64), (items, np.array([-1], np.int32)), wrt=())
        yield Sample(cls(dtypes.float64), ((), np.array([2], np.int32)), wrt=(), name="empty")
        words = (np.array([b"a"], object), None)
        yield Sample(cls(dtypes.string), (words, np.array([1], np.int32)), wrt=(), name="string")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        made = TensorListReserve(dtypes.float32)
        yield lambda: cls(dtypes.float32)(made(-1, 2), -1), ShapeError, "never written"
        yield lambda: cls(dtypes.float32, 3)(made(-1, 2), (2,)), ShapeError, "2 entries, not 3"


@op
class TensorListGather(OfLists):
    """The entries at indices, as rows. list, indices [k], element_shape -> tensor [k, ...]"""

    signature = "list: variant, indices: int32, element_shape: int32|int64 -> values: element_dtype"
    static = (2,)
    element_dtype: DType

    def infer(self, items: Spec, indices: Spec, element_shape: Spec) -> Spec:
        each = entry_shape(element_shape)
        return Spec(None if each is None else ((indices.shape or (None,))[0], *each), self.element_dtype)

    def reference(self, items: Any, indices: Any, element_shape: Any) -> Any:
        rows = [items[i] for i in _checked(indices, len(items), self.type)]
        return _stacked(rows, said_shape(element_shape), self.element_dtype, self.type)

    def grad(self, node: Any, dy: Any) -> Any:
        return ListPut()(node.inputs[1], dy), None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items = (rng.normal(size=2), None, rng.normal(size=2))
        for places in ([2, 0, 2], [1], []):
            args = (items, np.array(places, np.int32), np.array([2], np.int32))
            yield Sample(cls(dtypes.float64), args, wrt=(), name=f"{len(places)}")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        made = TensorListReserve(dtypes.float32)
        yield lambda: cls(dtypes.float32)(made(-1, 2), [-1], (2,)), ArgumentError, "index -1 is not in the list"


@op
class TensorListScatterIntoExistingList(OfLists):
    """The list with the rows of a tensor at indices, each used once. list, tensor [k, ...], indices [k] -> list"""

    signature = "list: variant, tensor: T, indices: int32 -> changed: variant"
    T = dtypes.ANY
    resize_if_index_out_of_bounds: bool = True

    def infer(self, items: Spec, rows: Spec, indices: Spec) -> Spec:
        if rows.shape and indices.shape and not shape.compatible(rows.shape[:1], indices.shape[:1]):
            raise ShapeError(f"{self.type}: {rows.shape[0]} rows for {indices.shape[0]} indices")
        return LIST

    def reference(self, items: Any, rows: Any, indices: Any) -> Any:
        size = max([len(items), *[int(i) + 1 for i in indices]])
        changed = [*items, *(None,) * (size - len(items))]
        places = _checked(indices, size if self.resize_if_index_out_of_bounds else len(items), self.type)
        if len(set(places)) < len(places) or len(places) != len(rows):
            raise ArgumentError(f"{self.type}: {len(rows)} rows need as many different indices, not {places}")
        for i, row in zip(places, rows, strict=True):
            changed[i] = np.asarray(row, rows.dtype)
        return (tuple(changed),)

    def grad(self, node: Any, dlist: Any) -> Any:
        _, rows, indices = node.inputs
        return ListWithout()(dlist, indices), ListRows(rows.dtype)(dlist, indices, shape_of(rows)), None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        items, places = (None, rng.normal(size=3), None), np.array([2, 0], np.int32)
        yield Sample(cls(), (items, rng.normal(size=(2, 3)), places), wrt=())
        yield Sample(cls(), ((), rng.normal(size=(2,)), places), wrt=())
        yield Sample(cls(False), (items, rng.normal(size=(2, 3)), places), wrt=())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        made = TensorListReserve(dtypes.float32)
        yield lambda: cls()(made(-1, 2), [1.0, 2.0], [1, 1]), ArgumentError, "different indices"
        yield lambda: cls(False)(made(-1, 2), [1.0], [2]), ArgumentError, "index 2 is not in the list"
