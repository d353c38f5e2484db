"""Updates of a variable's rows, and of parts of it: as methods, and by TensorFlow 1's names.

rows     ref[indices[i], ...] = updates[i, ...]                        also +=, -=, *=, /=, min, max
parts    ref[indices[i, 0], ..., indices[i, k - 1], ...] = updates[i, ...]     also +=, -=
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.errors import DTypeError
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.ops import state
from pullback.ops.array.places import gather_nd
from pullback.ops.array.tensor_scatter import TensorScatterAdd, TensorScatterSub, TensorScatterUpdate

_ROWS = {
    "update": (state.ScatterUpdate, "Replaces rows; of equal indices the last wins."),
    "add": (state.ScatterAdd, "Adds to rows; equal indices add."),
    "sub": (state.ScatterSub, "Subtracts from rows; equal indices add up."),
    "mul": (state.ScatterMul, "Multiplies rows; equal indices multiply one after the other."),
    "div": (state.ScatterDiv, "Divides rows; equal indices divide one after the other. Integers are cut off."),
    "min": (state.ScatterMin, "Rows become the smaller of what they are and what is given, entry by entry."),
    "max": (state.ScatterMax, "Rows become the larger of what they are and what is given, entry by entry."),
}
_PARTS = {
    "update": (TensorScatterUpdate, "Replaces parts."),
    "add": (TensorScatterAdd, "Adds to parts; equal places add."),
    "sub": (TensorScatterSub, "Subtracts from parts; equal places add up."),
}


def _changed(ref: Any, change: Any, indices: Any, updates: Any, name: str | None) -> Any:
    return ref.assign(change(ref.read_value(), indices, updates), name=name)


def _rows_method(what: str) -> Callable[..., Any]:
    op, doc = _ROWS[what]

    def method(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        if not isinstance(sparse_delta, IndexedSlices):
            raise DTypeError(f"scatter_{what}: sparse_delta must be IndexedSlices, not {sparse_delta!r}").locate()
        return self._update(op(), (sparse_delta.indices, sparse_delta.values), name, True)

    method.__name__ = method.__qualname__ = f"scatter_{what}"
    method.__doc__ = f"{doc} The rows and their updates are IndexedSlices."
    return method


def _parts_method(what: str) -> Callable[..., Any]:
    change, doc = _PARTS[what]

    def method(self: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
        return _changed(self, change(), indices, self._value(updates, f"scatter_nd_{what}"), name)

    method.__name__ = method.__qualname__ = f"scatter_nd_{what}"
    method.__doc__ = f"{doc} indices [..., k], updates [..., shape[k:]]."
    return method


class Scattered:
    """What variables have of this."""

    scatter_update, scatter_add, scatter_sub = _rows_method("update"), _rows_method("add"), _rows_method("sub")
    scatter_mul, scatter_div = _rows_method("mul"), _rows_method("div")
    scatter_min, scatter_max = _rows_method("min"), _rows_method("max")
    scatter_nd_update = _parts_method("update")
    scatter_nd_add, scatter_nd_sub = _parts_method("add"), _parts_method("sub")

    def gather_nd(self, indices: Any, name: str | None = None) -> Any:
        """The parts that indices [..., k] name."""
        return gather_nd(self, indices, name=name)


def _rows_function(what: str, locks: bool = False) -> Callable[..., Any]:
    op, doc = _ROWS[what]

    def scatter(ref: Any, indices: Any, updates: Any, use_locking: bool = locks, name: str | None = None) -> Any:
        return ref._update(op(), (indices, ref._value(updates, f"scatter_{what}")), name, True)

    return _named(scatter, f"scatter_{what}", f"{doc} ref[indices[i]] and updates[i]; the answer is the new value.")


def _parts_function(what: str, locks: bool = False) -> Callable[..., Any]:
    change, doc = _PARTS[what]

    def scatter(ref: Any, indices: Any, updates: Any, use_locking: bool = locks, name: str | None = None) -> Any:
        return _changed(ref, change(), indices, updates, name)

    text = f"{doc} ref[indices[i]] and updates[i], indices [..., k] of k axes; the answer is the new value."
    return _named(scatter, f"scatter_nd_{what}", text)


def _named(function: Any, name: str, doc: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__, function.__module__ = doc, __name__
    return public(v1=name)(function)


scatter_update = _rows_function("update", locks=True)
scatter_add = _rows_function("add")
scatter_sub = _rows_function("sub")
scatter_mul = _rows_function("mul")
scatter_div = _rows_function("div")
scatter_min = _rows_function("min")
scatter_max = _rows_function("max")
scatter_nd_update = _parts_function("update", locks=True)
scatter_nd_add = _parts_function("add")
scatter_nd_sub = _parts_function("sub")
