"""Numbers in order: Range, linspace, meshgrid, sequence_mask."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.basics import BroadcastTo, SumTo, shape_of
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import MOST_STATIC, Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.joining import chain
from pullback.ops.array.shape import ExpandDims, Reshape, axis_in, dims, static_scalar
from pullback.ops.array.sizes import Size
from pullback.ops.math.arithmetic import Equal, Less, Maximum
from pullback.ops.math.select import Cast, Select


@op
class Range(Op):
    """start, start + delta, ... before limit. All scalars -> y [n]"""

    signature = "start: T, limit: T, delta: T -> output: T"
    T = (*dtypes.REALS, *dtypes.INTS)
    static = (0, 1, 2)

    def infer(self, *inputs: Spec) -> Spec:
        if any(s.shape != () for s in inputs):
            raise ShapeError(f"Range: start, limit and delta must be scalars, but are {', '.join(map(repr, inputs))}")
        start, limit, delta = (s.value if s.dtype.is_integer else None for s in inputs)
        if delta == 0:
            raise ArgumentError("Range: delta must not be 0")
        if start is None or limit is None or delta is None:
            return inputs[0].with_shape((None,))
        n = self._length(start, limit, delta)
        return Spec((n,), inputs[0].dtype, tuple(start + i * delta for i in range(n)) if n <= MOST_STATIC else None)

    def _length(self, start: Any, limit: Any, delta: Any) -> int:
        if (limit - start) * delta < 0:
            raise ArgumentError(f"Range: {limit} is not reached from {start} in steps of {delta}")
        steps = (limit - start) / delta if isinstance(delta, float) else -((start - limit) // delta)
        return math.ceil(steps)

    def reference(self, start: Any, limit: Any, delta: Any) -> Any:
        if delta == 0:
            raise ArgumentError("Range: delta must not be 0")
        exact = int if start.dtype.kind in "iu" else float
        n = self._length(exact(start), exact(limit), exact(delta))
        return (start + np.arange(n).astype(start.dtype) * delta).astype(start.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        y = node.results[0]
        if not y.dtype.is_differentiable:
            return None, None, None
        steps = Cast(y.dtype)(Range()(0, Size()(y), 1))
        return SumTo()(dy, ()), None, SumTo()(dy * steps, ())

    def attrs(self) -> dict[str, Any]:
        return {}

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (np.float64(0.5), np.float64(3.2), np.float64(0.7)), wrt=(0, 2))
        yield Sample(cls(), (np.int32(5), np.int32(-1), np.int32(-2)), name="down")
        yield Sample(cls(), (np.int64(3), np.int64(3), np.int64(1)), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(0, 3, 0), ArgumentError, "must not be 0"
        yield lambda: cls()(0, 3, -1), ArgumentError, "not reached"
        yield lambda: cls()(np.arange(2), 3, 1), ShapeError, "scalars"


# --- public names ---------------------------------------------------------------------------------------------------

_WIDER = ("int32", "int64", "float16", "bfloat16", "float32", "float64")


@public("range")
def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:
    """start, start + delta, start + 2 delta, ... as far as they lie before limit.

    Args:
      start: where to begin; with no `limit` it is the limit, and 0 the beginning.
      dtype: by default the widest of the three's types.
    Raises:
      ArgumentError: delta is 0 or leads away from limit.
    """
    if limit is None:
        start, limit = 0, start
    if dtype is None:
        kinds = {interpreter.as_tensor(dims(v)).dtype.name for v in (start, limit, delta)}
        known = [n for n in _WIDER if n in kinds]
        if len(known) < len(kinds):
            raise DTypeError(f"range: start, limit and delta are {', '.join(sorted(kinds))}; give dtype").locate()
        dtype = known[-1]
    to = as_dtype(dtype)
    ends = (_scalar(v, to) for v in (start, limit, delta))
    return Range()(*ends, name=name)


def _scalar(value: Any, to: Any) -> Any:
    value = dims(value)
    return Cast(to)(value) if isinstance(value, Tensor) and value.dtype is not to else interpreter.as_tensor(value, to)


@public("linspace", v1=("linspace", "lin_space"))
def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Tensor:
    """Numbers at equal distances from start to stop, both included.

    Args:
      start, stop: floating tensors of shapes that broadcast.
      num: how many, at least 1; one alone is start.
      axis: where the new axis stands in the result.
    """
    first, last = (x if isinstance(x, Tensor) or not isinstance(x, int) else float(x) for x in (start, stop))
    first = interpreter.as_tensor(first, last.dtype if isinstance(last, Tensor) else None)
    last = interpreter.as_tensor(last, first.dtype)
    if not first.dtype.is_floating:
        raise DTypeError(f"linspace: start is {first.dtype.name}, but must be floating; use tf.cast").locate()
    count = dims(num)
    known = static_scalar(count) if not isinstance(count, int) else count
    if known is not None and known < 1:
        raise ArgumentError(f"linspace: num must be at least 1, not {known}").locate()
    if first.spec.rank is None or last.spec.rank is None:
        raise ShapeError("linspace: start and stop must have a known number of axes").locate()
    rank = max(first.spec.rank, last.spec.rank)
    at = axis_in(axis, rank + 1, "linspace")
    first, last = (_with_axis(x, at, rank) for x in (first, last))
    to = (
        Cast(dtypes.int32)(count)
        if isinstance(count, Tensor) and count.dtype is not dtypes.int32
        else interpreter.as_tensor(count, dtypes.int32)
    )
    places = Reshape()(Range()(0, to, 1), (-1, *(1,) * (rank - at)))
    gaps = Maximum()(to - 1, 1)
    steps = Cast(first.dtype)
    return Select()(
        Equal()(places, gaps), last, first + (last - first) / steps(gaps) * steps(places), name=name or "linspace"
    )


def _with_axis(x: Tensor, at: int, rank: int) -> Tensor:
    """x with an axis of size 1 at `at`, once it has been given `rank` axes."""
    for _ in range(rank - (x.spec.rank or 0)):
        x = ExpandDims()(x, 0)
    return ExpandDims()(x, at)


@public("meshgrid")
def meshgrid(*args: Any, indexing: str = "xy", name: str = "meshgrid") -> list[Tensor]:
    """Each of n vectors spread over the grid of all: n tensors of n axes.

    Args:
      indexing: "xy": the first two axes change places, as in pictures; "ij": axis i belongs to vector i.
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}").locate()
    n = len(args)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    rows = [Reshape()(x, (-1,)) for x in map(interpreter.as_tensor, args)]
    whole = chain(*[_length(rows[i]) for i in np.argsort(order)]) if n else ()
    shaped = [Reshape()(x, tuple(-1 if axis == order[i] else 1 for axis in range(n))) for i, x in enumerate(rows)]
    return [BroadcastTo()(x, whole, name=name) for x in shaped]


def _length(row: Tensor) -> Any:
    return shape_of(row)


@public("sequence_mask")
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool_, name: str | None = None) -> Tensor:
    """True at the first lengths[i..] of maxlen places. lengths [i..] -> [i.., maxlen]

    Args:
      lengths: integers. maxlen: by default the largest of them.
      dtype: of the result, 1 and 0 for True and False.
    """
    counts = interpreter.as_tensor(lengths)
    if maxlen is None:
        from pullback.core.op import REGISTRY

        top = REGISTRY["Max"]()(Reshape()(counts, (-1,)), (0,))
        maxlen = Maximum()(top, 0)
    places = Range()(*(_scalar(v, counts.dtype) for v in (0, maxlen, 1)))
    to = as_dtype(dtype)
    made = Less()(places, ExpandDims()(counts, -1), name=(name or "SequenceMask") if to.is_bool else None)
    return made if to.is_bool else Cast(to)(made, name=name or "SequenceMask")
