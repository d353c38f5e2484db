"""What an update formula reads and writes: a variable, whole or by rows.

formula(w: Place, g, m: Place, ...)      the same lines serve dense and sparse gradients

dense    w.value [n, ...]                w.becomes(new) assigns
sparse   w.value [k, ...], rows [k]      w.becomes(new) replaces those rows only
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pullback.core import interpreter
from pullback.core.basics import shape_of
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import Operation, Tensor
from pullback.modes.grouping import group
from pullback.modes.variable import Variable
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.rows import UnsortedSegmentSum
from pullback.ops.array.search import Unique


class Place:
    """A variable, or some of its rows, as it stands before the step.

    value: what it holds: all of it, or [k, ...] at `rows`, which must differ from each other.
    op: in a session's graph the Operation that wrote last.
    """

    __slots__ = ("_rows", "op", "value", "variable")

    def __init__(self, variable: Variable, rows: Tensor | None = None) -> None:
        self.variable, self._rows = variable, rows
        self.op: Operation | None = None
        value = interpreter.as_tensor(variable)
        self.value: Any = value if rows is None else GatherV2()(value, rows, 0)

    def becomes(self, new: Any) -> Any:
        """Writes a new value; gives it back."""
        if self._rows is None:
            self._wrote(self.variable.assign(new))
        else:
            self._wrote(self.variable.scatter_update(IndexedSlices(new, self._rows)))
        return new

    def follows(self, x: Any, share: Any) -> Any:
        """Goes this share of the way to x, as a running mean does; gives the new value."""
        return self.becomes(self.value + (x - self.value) * share)

    def shrinks(self, delta: Any) -> None:
        """Subtracts. Other updates of the same run count too, which `becomes` would overwrite."""
        if self._rows is None:
            self._wrote(self.variable.assign_sub(delta))
        else:
            self._wrote(self.variable.scatter_sub(IndexedSlices(delta, self._rows)))

    def _wrote(self, answer: Any) -> None:
        if isinstance(answer, Tensor):
            self.op = answer.op  # type: ignore[attr-defined]


def written(places: Iterable[Place]) -> Any:
    """An operation that is done when all places are written; None where they are already."""
    ops = [place.op for place in places if place.op is not None]
    return group(*ops) if len(ops) > 1 else ops[0] if ops else None


def summed(g: IndexedSlices) -> IndexedSlices:
    """The same gradient with every row named once: rows that share an index are added."""
    indices, at = Unique()(g.indices)
    values = UnsortedSegmentSum()(g.values, at, shape_of(indices)[0])
    return IndexedSlices(values, indices, g.dense_shape)
