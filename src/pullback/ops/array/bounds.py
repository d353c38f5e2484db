"""LowerBound and UpperBound: where values would stand in sorted rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import INTS, REALS, DType, as_dtype, int32
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import reshape
from pullback.ops.array.sizes import shape_


class _Bound(Op):
    """Base: for each value, how many entries of its sorted row stand before it.

    sorted [n, m], values [n, k] -> [n, k]
    """

    signature = "sorted_inputs: T, values: T -> at: out_type"
    T = REALS + INTS
    out_type: DType = int32
    own_fields = ("out_type",)
    side = "left"

    def infer(self, sorted_inputs: Any, values: Any) -> Spec:
        if len(sorted_inputs.shape) != 2 or len(values.shape) != 2:
            raise ShapeError(f"{self.type}: the sorted rows and the values must be matrices")
        if None not in (a := (sorted_inputs.shape[0], values.shape[0])) and a[0] != a[1]:
            raise ShapeError(f"{self.type}: {a[0]} sorted rows and {a[1]} rows of values; there must be one each")
        return Spec(values.shape, self.out_type)

    def reference(self, sorted_inputs: Any, values: Any) -> Any:
        rows = [np.searchsorted(s, v, self.side) for s, v in zip(sorted_inputs, values, strict=True)]  # type: ignore[call-overload]
        return np.array(rows, self.out_type.numpy).reshape(values.shape)

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        rows = np.array([[1.0, 3.0, 3.0, 5.0], [0.0, 1.0, 2.0, 9.0]])
        yield Sample(cls(), (rows, np.array([[3.0, 0.0], [2.5, 10.0]])), wrt=())
        ints = rows.astype(np.int32), np.array([[3], [2]], np.int32)
        yield Sample(cls(as_dtype("int64")), ints, wrt=(), name="int64")
        yield Sample(cls(), (rows[:, :0], rows[:, :2]), wrt=(), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.zeros(3), np.zeros(3)), ShapeError, "matrices"
        yield lambda: cls()(np.zeros((2, 3)), np.zeros((1, 3))), ShapeError, "one each"


@op
class LowerBound(_Bound):
    """How many entries are less than each value."""


@op
class UpperBound(_Bound):
    """How many entries are not greater than each value."""

    side = "right"


@public("searchsorted")
def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = int32, name: str | None = None
) -> Tensor:
    """Where values would stand in sorted rows: before ("left") or behind ("right") equal entries.

    Args:
      sorted_sequence: [..., m], each row ascending. values: [..., k].
    Returns:
      [..., k], from 0 to m.
    """
    if side not in ("left", "right"):
        raise ArgumentError(f'searchsorted: side must be "left" or "right", not {side!r}').locate()
    rows: Any = interpreter.as_tensor(sorted_sequence)
    wanted: Any = interpreter.as_tensor(values, rows.dtype)
    sizes: Any = shape_(wanted)
    kind: Any = LowerBound if side == "left" else UpperBound
    count = 1 if wanted.spec.rank == 1 else -1  # of rows, which is not to be inferred of empty ones
    flat = reshape(rows, interpreter.pack[0]([count, shape_(rows)[-1]], int32))  # type: ignore[index]
    found = kind(as_dtype(out_type))(flat, reshape(wanted, interpreter.pack[0]([count, sizes[-1]], int32)), name=name)
    return reshape(found, sizes)
