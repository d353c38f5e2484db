"""Taking regular parts of a tensor: StridedSlice, which Python's indexing is, and Slice.

    StridedSlice <-> StridedSliceGrad     each other's gradients: read a part, write a part into zeros

An index is begin, end and strides, a number an item, and five masks whose bit i says of item i:

    begin_mask, end_mask    the bound is left out        x[:3], x[2:]
    ellipsis_mask           all axes not named           x[..., 1]
    new_axis_mask           an axis of size 1            x[None]
    shrink_axis_mask        one place; the axis goes     x[2]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.basics import OnesLike, Shape_, shape_of, static_tuple
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import method_of, public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape
from pullback.core.spec import Spec, known_vector
from pullback.core.tensor import Tensor
from pullback.ops.array.indexing import MASKS, bounds_of
from pullback.ops.array.joining import chain
from pullback.ops.array.shape import differentiable, dims, drawn


class _Strided(Op):
    """Base of the pair: what begin, end, strides and the masks mean."""

    T = dtypes.ANY
    begin_mask: int
    end_mask: int
    ellipsis_mask: int
    new_axis_mask: int
    shrink_axis_mask: int

    def index(self, of: Shape, begin: Any, end: Any, strides: Any) -> list[Any] | None:
        """The index, an entry an item of the result and of what is left out, on a tensor whose shape is `of`:

        None: a new axis;  int: one place;  slice: a part;  ("?", n): a part, n of it known or None.
        None for the whole when not even the number of items is known.
        """
        if of is None or strides is None:
            return None
        items: list[Any] = []
        axis, named = 0, self._named(len(strides))
        if named > len(of):
            raise ShapeError(f"{self.type}: {named} indices for {shape.text(of)}, which has only {len(of)} axes")
        seen = False
        for i in range(len(strides)):
            bit = 1 << i
            if self.ellipsis_mask & bit:
                if seen:
                    raise ArgumentError(f"{self.type}: an index may hold one ellipsis (...)")
                seen = True
                items += [slice(None)] * (len(of) - named)
                axis += len(of) - named
            elif self.new_axis_mask & bit:
                items.append(None)
            else:
                items.append(self._item(i, axis, of[axis], begin, end, strides))
                axis += 1
        return items + [slice(None)] * (len(of) - axis)

    def _named(self, count: int) -> int:
        """How many items name an axis of the tensor."""
        special = self.ellipsis_mask | self.new_axis_mask
        return sum(not special >> i & 1 for i in range(count))

    def _item(self, i: int, axis: int, n: int | None, begins: Any, ends: Any, strides: Any) -> Any:
        step = strides[i]
        begin = None if begins is None else begins[i]
        if step == 0:
            raise ArgumentError(f"{self.type}: strides[{i}] must not be 0")
        if self.shrink_axis_mask >> i & 1:
            if step is not None and step < 0:
                raise ArgumentError(f"{self.type}: strides[{i}] must be positive where an axis goes")
            return self._place(begin, axis, n)
        first: Any = None if self.begin_mask >> i & 1 else (begin,)
        last: Any = None if self.end_mask >> i & 1 else (None if ends is None else ends[i],)
        if n == 0:
            return slice(0, 0)
        if step is None or first == (None,) or last == (None,):
            return ("?", None)
        bounds = slice(first and first[0], last and last[0], step)
        if n is not None:
            return bounds
        return bounds if first is last is None and step in (1, -1) else ("?", _length_without(bounds))

    def _place(self, begin: int | None, axis: int, n: int | None) -> Any:
        if begin is None or n is None:
            return 0 if begin is None else begin
        if not -n <= begin < n:
            raise ShapeError(f"slice index {begin} of dimension {axis} out of bounds: its size is {n}")
        return begin

    def shape_after(self, of: Shape, items: list[Any]) -> Shape:
        """The shape of the part."""
        out: list[int | None] = []
        left = iter(of or ())
        for item in items:
            if item is None:
                out.append(1)
                continue
            n = next(left)
            if isinstance(item, tuple):
                out.append(item[1])
            elif isinstance(item, slice):
                out.append(None if n is None else len(range(*item.indices(n))))
        return tuple(out)

    def numpy_index(self, of: Any, begin: Any, end: Any, strides: Any) -> tuple[Any, ...]:
        """The index as NumPy takes it, on an array of shape `of`."""
        items = self.index(tuple(map(int, of)), *(np.asarray(v).tolist() for v in (begin, end, strides)))
        assert items is not None
        return (*items, ...)  # so that one entry is an array too

    def with_batch(self) -> Any:
        """The same under one more leading axis, which `begin`, `end` and `strides` take whole as their item 0."""
        masks = {m: getattr(self, m) << 1 for m in MASKS}
        masks["begin_mask"] |= 1
        masks["end_mask"] |= 1
        return type(self)(**masks)

    def masks(self) -> dict[str, int]:
        return {m: getattr(self, m) for m in MASKS}


def _length_without(bounds: slice) -> int | None:
    """How long a part is whose axis has an unknown size: known where it is empty anyway."""
    if bounds.start is None or bounds.stop is None or (bounds.start < 0) is not (bounds.stop < 0):
        return None
    return 0 if (bounds.stop - bounds.start) * bounds.step <= 0 else None


_INDICES = "begin: int32|int64, end: int32|int64, strides: int32|int64"


@op
class StridedSlice(_Strided):
    """A regular part of x, as x[begin:end:stride, ...] in Python. x [...] -> y"""

    signature = f"input: T, {_INDICES} -> output: T"
    static = (1, 2, 3)
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0

    def infer(self, x: Spec, begin: Spec, end: Spec, strides: Spec) -> Spec:
        lengths = {s.shape for s in (begin, end, strides) if s.shape is not None and s.shape != (None,)}
        if len(lengths) > 1 or any(len(n) != 1 for n in lengths):
            raise ShapeError(
                f"StridedSlice: begin, end and strides must be vectors of one length, not {begin}, {end}, {strides}"
            )
        items = self.index(x.shape, *(known_vector(s) for s in (begin, end, strides)))
        if items is None:
            return x.with_shape(None)
        return Spec(self.shape_after(x.shape, items), x.dtype, self._value(x, items, begin))

    def _value(self, x: Spec, items: list[Any], begin: Spec) -> Any:
        """The static value of the part of a vector."""
        if not isinstance(x.value, tuple) or len(x.shape or ()) != 1 or len(items) != 1 or isinstance(items[0], tuple):
            return None
        if isinstance(items[0], int) and (known_vector(begin) or (None,))[0] is None:
            return None
        return x.value[items[0]]

    def reference(self, x: Any, begin: Any, end: Any, strides: Any) -> Any:
        return x[self.numpy_index(np.shape(x), begin, end, strides)]

    def grad(self, node: Any, dy: Any) -> Any:
        x, begin, end, strides = node.inputs
        return StridedSliceGrad(**self.masks())(shape_of(x), begin, end, strides, dy), None, None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, begin, end, strides = inputs
        if axes[1:] != (None, None, None):
            return NotImplemented
        return self.with_batch()(x, _after(0, begin), _after(0, end), _after(1, strides)), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(4, 3, 5))
        for name, key in _KEYS.items():
            begin, end, strides, masks = bounds_of(key)
            yield Sample(cls(**masks), (x, begin, end, strides), wrt=(0,), name=name)
        begin, end, strides, masks = bounds_of((slice(1, 3), 0))
        for t in cls.T:
            args = (drawn(rng, (3, 2), t), begin, end, strides)
            yield Sample(cls(**masks), args, differentiable(t, 0), order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        x = np.ones((2, 3))
        yield (
            lambda: cls(shrink_axis_mask=1)(x, (2,), (3,), (1,)),
            ShapeError,
            "slice index 2 of dimension 0 out of bounds",
        )
        yield lambda: cls()(x, (0, 0, 0), (1, 1, 1), (1, 1, 1)), ShapeError, "only 2 axes"
        yield lambda: cls()(x, (0,), (1,), (0,)), ArgumentError, "must not be 0"
        yield lambda: cls(ellipsis_mask=3)(x, (0, 0), (0, 0), (1, 1)), ArgumentError, "one ellipsis"
        yield lambda: cls()(x, (0, 0), (1,), (1,)), ShapeError, "one length"


@op
class StridedSliceGrad(_Strided):
    """Zeros of a shape with dy written where StridedSlice would read. shape [rank], dy [part] -> y [shape]"""

    signature = f"shape: int32|int64, {_INDICES}, dy: T -> output: T"
    static = (0, 1, 2, 3)
    any_rank = True
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0

    def infer(self, of: Spec, begin: Spec, end: Spec, strides: Spec, dy: Spec) -> Spec:
        to = known_vector(of)
        items = self.index(to, *(known_vector(s) for s in (begin, end, strides)))
        if items is not None:
            part = self.shape_after(to, items)
            if not shape.compatible(part, dy.shape):
                raise ShapeError(
                    f"StridedSliceGrad: dy has shape {shape.text(dy.shape)}, but the part it goes to {shape.text(part)}"
                )
        return dy.with_shape(to)

    def reference(self, of: Any, begin: Any, end: Any, strides: Any, dy: Any) -> Any:
        y = np.zeros(tuple(of), dy.dtype)
        y[self.numpy_index(y.shape, begin, end, strides)] = dy
        return y

    def grad(self, node: Any, dx: Any) -> Any:
        _, begin, end, strides, _ = node.inputs
        return None, None, None, None, StridedSlice(**self.masks())(dx, begin, end, strides)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        of, begin, end, strides, dy = inputs
        if axes[:4] != (None, None, None, None):
            return NotImplemented
        return self.with_batch()(_after(size, of), _after(0, begin), _after(0, end), _after(1, strides), dy), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = np.zeros((4, 3, 5))
        for name, key in _KEYS.items():
            begin, end, strides, masks = bounds_of(key)
            part = np.shape(x[key])
            yield Sample(cls(**masks), (x.shape, begin, end, strides, rng.normal(size=part)), wrt=(4,), name=name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()((4,), (0,), (2,), (1,), np.ones(3)), ShapeError, "the part it goes to [2]"


_KEYS: dict[str, Any] = {
    "part": slice(1, 3),
    "steps": (slice(None, None, 2), slice(None), slice(None, None, -2)),
    "backwards": slice(None, None, -1),
    "ends_at_first": slice(2, None, -1),
    "place": (1, -1),
    "ellipsis": (..., 1),
    "new_axes": (None, slice(1, None), ..., None),
    "empty": slice(2, 2),
    "beyond": slice(-9, 9),
}


def _after(first: Any, vector: Any) -> Any:
    """A vector with a number before it."""
    known = static_tuple(vector)
    return chain((first,), vector if known is None else known)


@op
class Slice(Op):
    """The part of x that begins at `begin` and has sizes `size` (-1: to the end). x [...] -> y [size]"""

    signature = "input: T, begin: int32|int64, size: int32|int64 -> output: T"
    T = dtypes.ANY
    static = (1, 2)

    def infer(self, x: Spec, begin: Spec, size: Spec) -> Spec:
        assert x.shape is not None
        rank = len(x.shape)
        starts, sizes = (known_vector(v) or (None,) * rank for v in (begin, size))
        if len(starts) != rank or len(sizes) != rank:
            raise ShapeError(f"Slice: begin and size must hold {rank} numbers, one an axis of {shape.text(x.shape)}")
        return x.with_shape(tuple(_sliced(*one) for one in zip(x.shape, starts, sizes, strict=True)))

    def reference(self, x: Any, begin: Any, size: Any) -> Any:
        begin, size = np.asarray(begin).tolist(), np.asarray(size).tolist()
        sizes = [_sliced(*one) for one in zip(np.shape(x), begin, size, strict=True)]
        return x[tuple(slice(b, b + n) for b, n in zip(begin, sizes, strict=True))]

    def grad(self, node: Any, dy: Any) -> Any:
        x, begin, _ = node.inputs
        y, start = node.results[0], static_tuple(begin)
        if start is not None and y.spec.known:
            end: Any = tuple(b + n for b, n in zip(start, y.spec.shape, strict=True))
        else:
            end = begin + Shape_(begin.dtype)(y)
        strides: Any = OnesLike()(begin) if x.spec.rank is None else (1,) * x.spec.rank
        return StridedSliceGrad()(shape_of(x), begin, end, strides, dy), None, None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        x, begin, sizes = inputs
        if axes[1:] != (None, None):
            return NotImplemented
        return self(x, _after(0, begin), _after(-1, sizes)), 0

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x = rng.normal(size=(3, 4, 2))
        yield Sample(cls(), (x, (1, 0, 1), (2, -1, 1)), wrt=(0,))
        yield Sample(cls(), (x, (3, 0, 0), (0, 4, 2)), wrt=(0,), name="empty")
        yield Sample(cls(), (rng.normal(size=()), (), ()), wrt=(0,), name="scalar")
        yield Sample(cls(), (np.arange(5), (1,), (3,)), name="int64")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), (0, 1), (2, 3)), ShapeError, "reaches beyond"
        yield lambda: cls()(np.ones((2, 3)), (0,), (2,)), ShapeError, "one an axis"


def _sliced(n: int | None, begin: int | None, size: int | None) -> int | None:
    """The size of a part of an axis of size n."""
    if size == -1:
        size = None if n is None or begin is None else n - begin
        reached = begin
    else:
        reached = None if size is None or begin is None else begin + size
    beyond = reached is not None and n is not None and reached > n
    if beyond or (begin is not None and begin < 0) or (size is not None and size < 0):
        raise ShapeError(f"Slice: a part that begins at {begin} with size {size} reaches beyond an axis of size {n}")
    return size


# --- Python's indexing ----------------------------------------------------------------------------------------------


def _is_mask(key: Any) -> bool:
    """Whether an index chooses elements by truth."""
    if isinstance(key, (Tensor, np.ndarray)):
        return key.dtype == (dtypes.bool_ if isinstance(key, Tensor) else np.bool_) and bool(key.ndim)
    return False


def getitem(x: Any, key: Any, name: str | None = None) -> Tensor:
    """x[key], of a tensor or what stands for one.

    Args:
      key: ints, slices, None, Ellipsis and scalar integer tensors, or a tuple of them; or a bool tensor or array.
    Raises:
      ShapeError: an index lies outside of its axis, or there are more of them than axes.
      TypeError: an item of the key is nothing to index by.
    """
    if _is_mask(key):
        from pullback.ops.array.masks import boolean_mask

        return boolean_mask(x, key)
    found = _plain_keys.get(key) if type(key) is int else None
    if found is None:
        begin, end, strides, masks = bounds_of(key)
        found = StridedSlice(**masks), begin, end, strides
        if type(key) is int and -64 <= key < 1024:
            _plain_keys[key] = found
    made, begin, end, strides = found
    return made(x, begin, end, strides, name=name or "strided_slice")


_plain_keys: dict[int, Any] = {}


@method_of(Tensor, "__getitem__")
def tensor_getitem(self: Tensor, key: Any) -> Tensor:
    return getitem(self, key)


# --- public names ---------------------------------------------------------------------------------------------------


@public("strided_slice")
def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """A regular part of a tensor: what x[begin_0:end_0:strides_0, ...] is in Python.

    Args:
      strides: by default all 1.
      begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask: bit i says of item i that its bound is
        left out, that it is an ellipsis, a new axis, one place.
      var: must be None: a part of a variable is assigned by `variable[...].assign(value)`.
    Raises:
      ShapeError, ArgumentError: the index does not fit the tensor.
    """
    if var is not None:
        raise ArgumentError(
            "strided_slice: parts of a variable are assigned by `variable[...].assign(value)`; leave var None"
        ).locate()
    begin, end = dims(begin), dims(end)
    if strides is None:
        length = len(begin) if isinstance(begin, tuple) else begin.spec.shape and begin.spec.shape[0]
        if length is None:
            strides = OnesLike()(begin)
        else:
            strides = (1,) * length
    made = StridedSlice(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return made(input_, begin, end, dims(strides), name=name)


@public("slice")
def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The part of a tensor that begins at `begin` and has sizes `size`, a number an axis; -1 in size: to the end.

    Raises:
      ShapeError: the part reaches beyond the tensor.
    """
    return Slice()(input_, dims(begin), dims(size), name=name)
