"""What an element of a dataset looks like: a nest of tuples and dicts whose leaves a spec describes.

    leaf spec           a leaf while it is iterated     tensors in a graph
    TensorSpec          array                           1
    SparseTensorSpec    SparseTensorValue               3: indices, values, dense_shape
    DatasetSpec         Bound, a dataset ready to run   1, of variant type
    NoneTensorSpec      None                            0

A list is no structure here but a tensor, as in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest, shape
from pullback.core.errors import InvalidArgumentError
from pullback.core.names import public
from pullback.core.shape import Shape, TensorShape
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.modes.function import TensorSpec
from pullback.ops.sparse import SparseTensor, SparseTensorSpec, SparseTensorValue, as_sparse, made

Leaves = tuple[Any, ...]


@public("data.DatasetSpec")
class DatasetSpec:
    """What is known of a dataset that is an element of another: the spec of its elements."""

    def __init__(self, element_spec: Any, dataset_shape: Any = ()) -> None:
        self._element_spec, self._dataset_shape = element_spec, TensorShape(dataset_shape)

    @property
    def element_spec(self) -> Any:
        return self._element_spec

    @property
    def dtype(self) -> Any:
        return dtypes.variant

    @property
    def shape(self) -> TensorShape:
        return self._dataset_shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSpec) and self._element_spec == other._element_spec

    def __hash__(self) -> int:
        return hash(("DatasetSpec", tuple(nest.leaves_of(self._element_spec))))

    def __repr__(self) -> str:
        return f"DatasetSpec({self._element_spec!r}, {self._dataset_shape!r})"


class NoneTensorSpec:
    """The spec of None."""

    shape, dtype = None, None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoneTensorSpec)

    def __hash__(self) -> int:
        return hash("NoneTensorSpec")

    def __repr__(self) -> str:
        return "NoneTensorSpec()"


def spelled(f: Callable[[Any], Any], value: Any) -> Any:
    """f on each leaf of an element as users write it: tuples and dicts are structure, lists are not."""
    if isinstance(value, dict):
        return {k: spelled(f, v) for k, v in value.items()}
    if isinstance(value, tuple) and not isinstance(value, SparseTensorValue):
        parts = [spelled(f, v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return f(value)


def as_leaf(value: Any) -> Any:
    """A tensor, SparseTensor, dataset or None, of what an element's leaf may be. Plain values become eager tensors, so
    that no graph fills with data."""
    if value is None or isinstance(value, (Tensor, SparseTensor)) or hasattr(value, "element_spec"):
        return value
    if isinstance(value, SparseTensorValue):
        with interpreter.entered(interpreter.eager()):
            return as_sparse(value)
    here = interpreter.current() if hasattr(type(value), "__pullback_tensor__") else interpreter.eager()
    return interpreter.as_tensor(value, here=here)


def leaf_spec(value: Any) -> Any:
    """The spec of a leaf."""
    if value is None:
        return NoneTensorSpec()
    if isinstance(value, SparseTensor):
        return SparseTensorSpec(value.shape, value.dtype)
    if isinstance(value, Tensor):
        return TensorSpec(value.spec.shape, value.dtype)
    return DatasetSpec(value.element_spec)


def components(value: Any) -> list[Tensor]:
    """The tensors of a leaf that is no dataset."""
    if value is None:
        return []
    return [value.indices, value.values, value.dense_shape] if isinstance(value, SparseTensor) else [value]


def component_specs(spec: Any) -> list[Spec]:
    """Specs of the tensors that a leaf takes in a graph."""
    if isinstance(spec, TensorSpec):
        return [spec._spec]
    if isinstance(spec, SparseTensorSpec):
        dense = shape.as_shape(spec.shape)
        rank = None if dense is None else len(dense)
        sizes = Spec((rank,), dtypes.int64)
        if dense is not None:
            sizes = sizes.with_value(dense)
        return [Spec((None, rank), dtypes.int64), Spec((None,), spec.dtype), sizes]
    return [Spec((), dtypes.variant)] if isinstance(spec, DatasetSpec) else []


def from_components(spec: Any, parts: list[Any], as_dataset: Callable[[Any, Any], Any]) -> Any:
    """The leaf that users see, of its tensors (taken from the front of `parts`)."""
    if isinstance(spec, TensorSpec):
        return parts.pop(0)
    if isinstance(spec, SparseTensorSpec):
        return made(parts.pop(0), parts.pop(0), parts.pop(0))
    return as_dataset(parts.pop(0), spec.element_spec) if isinstance(spec, DatasetSpec) else None


def flat_values(specs: Sequence[Any], leaves: Leaves) -> list[Any]:
    """A run's leaves as the values of their tensors."""
    out: list[Any] = []
    for spec, leaf in zip(specs, leaves, strict=True):
        if isinstance(spec, SparseTensorSpec):
            out += leaf
        elif not isinstance(spec, NoneTensorSpec):
            out.append(leaf)
    return out


def from_values(specs: Sequence[Any], values: list[Any]) -> Leaves:
    """The leaves of a run, of the values of their tensors."""
    left, out = list(values), []
    for spec in specs:
        if isinstance(spec, SparseTensorSpec):
            out.append(SparseTensorValue(left.pop(0), left.pop(0), left.pop(0)))
        else:
            out.append(None if isinstance(spec, NoneTensorSpec) else left.pop(0))
    return tuple(out)


def is_scalar(spec: Any, dtype: Any) -> bool:
    """Whether it is the spec of scalars of this type, as far as their shape is known."""
    return isinstance(spec, TensorSpec) and spec.dtype is dtype and spec._spec.shape in ((), None)


def with_leading(spec: Any, size: int | None) -> Any:
    """The spec of several such leaves, stacked."""
    if isinstance(spec, TensorSpec):
        inner = spec._spec.shape
        return TensorSpec(None if inner is None else (size, *inner), spec.dtype)
    if isinstance(spec, SparseTensorSpec):
        inner = shape.as_shape(spec.shape)
        return SparseTensorSpec(None if inner is None else (size, *inner), spec.dtype)
    if isinstance(spec, NoneTensorSpec):
        return spec
    raise TypeError("a dataset of datasets cannot be batched; use flat_map first")


def without_leading(spec: Any) -> Any:
    """The spec of one entry along the first axis.

    Raises:
      InvalidArgumentError: a leaf is a scalar.
    """
    if isinstance(spec, NoneTensorSpec):
        return spec
    inner = shape.as_shape(spec.shape)
    if inner == ():
        raise InvalidArgumentError("scalars have no first axis to take apart: every component needs one").locate()
    rest = None if inner is None else inner[1:]
    return SparseTensorSpec(rest, spec.dtype) if isinstance(spec, SparseTensorSpec) else TensorSpec(rest, spec.dtype)


def stacked(spec: Any, leaves: Sequence[Any]) -> Any:
    """Leaves of several elements as one, along a new first axis.

    Raises:
      InvalidArgumentError: their shapes differ.
    """
    if isinstance(spec, NoneTensorSpec):
        return None
    if isinstance(spec, SparseTensorSpec):
        places = [np.insert(v.indices, 0, i, axis=1) for i, v in enumerate(leaves)]
        sizes = np.max([v.dense_shape for v in leaves], axis=0)
        rows = np.insert(sizes, 0, len(leaves))
        return SparseTensorValue(np.concatenate(places), np.concatenate([v.values for v in leaves]), rows)
    first = np.shape(leaves[0])
    for i, leaf in enumerate(leaves):
        if np.shape(leaf) != first:
            raise InvalidArgumentError(
                f"Cannot batch tensors with different shapes. First element had shape {shape.text(first)} and element "
                f"{i} had shape {shape.text(np.shape(leaf))}. padded_batch makes them equal"
            )
    return stack(leaves, spec.dtype)


def stack(leaves: Sequence[Any], dtype: Any) -> Any:
    """Arrays of one shape along a new first axis. Words keep their type in empty stacks."""
    out = np.empty((len(leaves), *np.shape(leaves[0])), dtype.numpy)
    for i, leaf in enumerate(leaves):
        out[i, ...] = leaf
    return out


def padded(spec: Any, leaves: Any, wanted: Shape = None, value: Any = None) -> Any:
    """Leaves of several elements as one, each padded at its ends to the largest, or to `wanted` where that is known,
    with `value` (0, False or "")."""
    sizes = np.array([np.shape(leaf) for leaf in leaves], np.int64).reshape(len(leaves), -1)
    largest = sizes.max(0).tolist() if sizes.size else []
    to = tuple(largest if wanted is None else (n if w is None else w for n, w in zip(largest, wanted, strict=True)))
    if value is None:
        value = b"" if spec.dtype is dtypes.string else 0
    if any(n > m for n, m in zip(largest, to, strict=True)):
        raise InvalidArgumentError(
            f"Attempted to pad to a smaller size than the input element: {largest} is larger than padded_shapes {to}"
        )
    out = np.full((len(leaves), *to), value, spec.dtype.numpy)
    for i, leaf in enumerate(leaves):
        out[(i, *[slice(n) for n in np.shape(leaf)], ...)] = leaf
    return out


def rows(leaf: Any) -> Any:
    """The entries of a leaf along its first axis."""
    if leaf is None:
        return None
    if not isinstance(leaf, SparseTensorValue):
        return [np.asarray(leaf[i, ...]) if leaf.ndim > 1 else scalar(leaf, i) for i in range(len(leaf))]
    out = []
    for i in range(int(leaf.dense_shape[0])):
        mine = leaf.indices[:, 0] == i
        out.append(SparseTensorValue(leaf.indices[mine, 1:], leaf.values[mine], leaf.dense_shape[1:]))
    return out


def scalar(vector: Any, i: int) -> Any:
    """An entry of a vector as an array without axes."""
    out = np.empty((), vector.dtype)
    out[()] = vector[i]
    return out


def alike(a: Any, b: Any) -> bool:
    """Whether two nests have one structure."""
    (some, how), (others, how_others) = nest.flatten(a), nest.flatten(b)
    return len(some) == len(others) and how == how_others


def relaxed(a: Any, b: Any) -> Any:
    """The spec that covers two of one kind.

    Raises:
      TypeError: their types differ.
    """
    if type(a) is not type(b) or a.dtype != b.dtype:
        raise TypeError(f"datasets have elements of different types: {a} and {b}")
    if isinstance(a, (DatasetSpec, NoneTensorSpec)):
        return a
    return type(a)(shape.joined(shape.as_shape(a.shape), shape.as_shape(b.shape)), a.dtype)
