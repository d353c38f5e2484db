"""Single ones among zeros: OneHot, and eye."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.basics import BroadcastTo, SumTo
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.creation import MOST_CONSTANT
from pullback.ops.array.joining import chain
from pullback.ops.array.ranges import range_
from pullback.ops.array.shape import axis_in, dims, drawn


@op
class OneHot(Op):
    """on_value where the place along a new axis is the index, off_value elsewhere.

    indices [...], depth [], on_value [], off_value [] -> y [..., depth, ...], the new axis at `axis`
    """

    signature = "indices: TI, depth: int32|int64, on_value: T, off_value: T -> output: T"
    T = dtypes.ANY
    TI = (dtypes.int32, dtypes.int64, dtypes.uint8, dtypes.int8)
    static = (1,)
    axis: int = -1

    def infer(self, indices: Spec, depth: Spec, on: Spec, off: Spec) -> Spec:
        assert indices.shape is not None
        if on.shape != () or off.shape != ():
            raise ShapeError("OneHot: on_value and off_value must be scalars")
        if depth.value is not None and depth.value < 0:
            raise ArgumentError(f"OneHot: depth must not be negative, but is {depth.value}")
        at = axis_in(self.axis, len(indices.shape) + 1, "OneHot")
        return on.with_shape((*indices.shape[:at], depth.value, *indices.shape[at:]))

    def reference(self, indices: Any, depth: Any, on: Any, off: Any) -> Any:
        at = axis_in(self.axis, np.ndim(indices) + 1, "OneHot")
        places = np.arange(int(depth)).reshape((-1,) + (1,) * (np.ndim(indices) - at))
        return np.where(np.expand_dims(indices, at) == places, on, off).astype(on.dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        indices, depth, _, _ = node.inputs
        if not dy.dtype.is_differentiable:
            return None, None, None, None
        hot = self(indices, depth, interpreter.as_tensor(1, dy.dtype), interpreter.as_tensor(0, dy.dtype))
        return None, None, SumTo()(dy * hot, ()), SumTo()(dy * (1 - hot), ())

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if axes[1:] != (None, None, None):
            return NotImplemented
        return OneHot(self.axis + 1 if self.axis >= 0 else self.axis)(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        on, off = rng.normal(size=()), rng.normal(size=())
        yield Sample(cls(), (np.array([0, 2, -1, 3], np.int32), np.int32(3), on, off))
        yield Sample(cls(0), (np.array([[0, 2], [1, 1]]), np.int32(3), on, off))
        yield Sample(cls(1), (np.array([[0, 2], [1, 1]], np.uint8), np.int32(3), on, off))
        yield Sample(cls(), (np.zeros((0,), np.int32), np.int32(2), on, off), name="empty")
        yield from [
            Sample(cls(), (np.array([1, 0]), np.int32(2), drawn(rng, (), t), drawn(rng, (), t)), (), name=t.name)
            for t in cls.T
        ]

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.array([1]), -1, 1.0, 0.0), ArgumentError, "negative"
        yield lambda: cls(2)(np.array([1]), 2, 1.0, 0.0), ShapeError, "axis 2"


# --- public names ---------------------------------------------------------------------------------------------------


@public("one_hot")
def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """on_value where the place along a new axis of size `depth` is the index, off_value elsewhere.

    Args:
      indices: integers of any shape; one outside of [0, depth) makes off_value everywhere.
      on_value, off_value: scalars, by default 1 and 0.
      axis: where the new axis stands in the result, by default last.
      dtype: by default on_value's or off_value's, else float32.
    Raises:
      DTypeError: on_value, off_value and dtype differ.
    """
    given = [v for v in (on_value, off_value) if v is not None]
    to = as_dtype(dtype) if dtype is not None else interpreter.as_tensor(given[0]).dtype if given else dtypes.float32
    if to is dtypes.string and len(given) < 2:
        raise DTypeError("one_hot: of strings give both on_value and off_value").locate()
    ends = [interpreter.as_tensor(v, to) for v in (_or(on_value, to, 1), _or(off_value, to, 0))]
    return OneHot(-1 if axis is None else int(axis))(indices, dims(depth), *ends, name=name or "one_hot")


def _or(value: Any, to: Any, default: int) -> Any:
    return value if value is not None else bool(default) if to.is_bool else default


@public("eye", "linalg.eye")
def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """The identity matrix, or several: ones on the diagonal. -> [batch_shape.., num_rows, num_columns]

    Args:
      num_columns: by default num_rows.
    """
    rows = dims(num_rows)
    columns = rows if num_columns is None else dims(num_columns)
    lead = () if batch_shape is None else dims(batch_shape)
    to, here, label = as_dtype(dtype), interpreter.current(), name or "eye"
    plain = (
        isinstance(rows, int)
        and isinstance(columns, int)
        and isinstance(lead, tuple)
        and all(isinstance(n, int) for n in lead)
    )
    if plain and (not hasattr(here, "nodes") or rows * columns * int(np.prod(lead)) < MOST_CONSTANT):
        array = np.array(np.broadcast_to(np.eye(rows, columns, dtype=to.numpy), (*lead, rows, columns)))
        return here.constant(array, interpreter.constant_spec(array, to), label)
    one = OneHot()(
        range_(rows), columns, *(interpreter.as_tensor(bool(v) if to.is_bool else v, to) for v in (1, 0)), name=label
    )
    return one if lead == () else BroadcastTo()(one, chain(lead, (rows, columns)), name=label)
