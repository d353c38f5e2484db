"""Elements put together and taken apart: batches, padded batches, windows."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.autograph.calls import callee
from pullback.core import dtypes, interpreter, nest, shape
from pullback.core.errors import DTypeError, InvalidArgumentError, ShapeError
from pullback.core.shape import as_shape
from pullback.core.tensor import EagerTensor
from pullback.data import structure
from pullback.data.dataset import UNKNOWN, Recipe, known, symbolic, unknown_size, whole
from pullback.data.mapping import as_int64, listed
from pullback.data.structure import DatasetSpec, Leaves
from pullback.data.traced import Run
from pullback.modes.function import TensorSpec
from pullback.ops.sparse import SparseTensorSpec, SparseTensorValue


def _flag(value: Any, what: str) -> Any:
    return value if isinstance(value, EagerTensor) or not hasattr(value, "spec") else _no_tensor(what)


def _no_tensor(what: str) -> Any:
    raise TypeError(f"{what} must be a Python bool here: the shapes of batches hang on it")


class Shaping(Recipe):
    """Transformations that change how many elements are one."""

    def batch(
        self,
        batch_size: Any,
        drop_remainder: Any = False,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: str | None = None,
    ) -> Any:
        """Every batch_size elements as one, stacked along a new first axis; the last may be smaller unless
        drop_remainder.

        Raises:
          InvalidArgumentError: batch_size is below 1; while it is iterated: shapes differ within a batch.
        """
        size, drop = whole(batch_size, "batch: batch_size", 1), bool(_flag(drop_remainder, "batch: drop_remainder"))
        lead = known(size) if drop else None
        specs = self._leaf_specs

        def elements(run: Run) -> Iterator[Leaves]:
            for group in grouped(self._elements(run), int(run.of(size)), drop):
                yield tuple([structure.stacked(s, c) for s, c in zip(specs, zip(*group, strict=True), strict=True)])

        spec = nest.mapped(lambda s: structure.with_leading(s, lead), self._spec)
        made = self._then(elements, spec, symbolic(size), self._divided(size, drop))
        made._batch_size = batch_size
        return made

    def _divided(self, size: Any, drop: bool) -> Any:
        def count(run: Run) -> int:
            have, by = self._size(run), int(run.of(size))
            return have if have < 0 else have // by if drop else -(-have // by)

        return count

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: Any = False,
        name: str | None = None,
    ) -> Any:
        """`batch` of elements whose shapes differ: each is padded to the largest of its batch, or to padded_shapes.

        Args:
          padded_shapes: a nest of shapes, None or -1 where the batch's largest counts; by default all of them.
          padding_values: a nest of scalars; by default 0, False and "".
        Raises:
          ValueError: a rank is unknown and padded_shapes is not given. DTypeError: a padding value has another type.
          InvalidArgumentError, while it is iterated: an element is larger than padded_shapes.
        """
        size = whole(batch_size, "padded_batch: batch_size", 1)
        drop = bool(_flag(drop_remainder, "padded_batch: drop_remainder"))
        specs = self._leaf_specs
        built = nest.flatten(self._spec)[1]
        wanted = _padded_shapes(specs, padded_shapes, self._spec)
        values = _padding_values(specs, padding_values, built)

        def elements(run: Run) -> Iterator[Leaves]:
            for group in grouped(self._elements(run), int(run.of(size)), drop):
                columns = zip(*group, strict=True)
                yield tuple([structure.padded(*part) for part in zip(specs, columns, wanted, values, strict=True)])

        lead = known(size) if drop else None
        out = [structure.with_leading(TensorSpec(w, s.dtype), lead) for s, w in zip(specs, wanted, strict=True)]
        made = self._then(elements, nest.unflatten(built, out), symbolic(size), self._divided(size, drop))
        made._batch_size = batch_size
        return made

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable[..., Any],
        bucket_boundaries: Any,
        bucket_batch_sizes: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:
        """Batches of elements of similar length: a bucket for each interval between boundaries, with its batch size.

        Args:
          element_length_func: element -> its length, a scalar integer. bucket_boundaries: in order.
          padded_shapes, padding_values: as of `padded_batch`.
          pad_to_bucket_boundary: axes that padded_shapes leaves open are padded to the bucket's boundary less one.
          no_padding: elements of a batch have one shape already.
        Raises:
          ValueError: there is not one batch size more than boundaries. InvalidArgumentError, while it is iterated: a
          batch size is below 1; an element lies beyond all boundaries that are to be padded to.
        """
        if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
            raise ValueError("`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1`.")
        f = self._function(lambda *args: as_int64(callee(element_length_func)(*args)))
        like = self.batch(1) if no_padding else self.padded_batch(1, padded_shapes, padding_values)
        specs, built = self._leaf_specs, nest.flatten(self._spec)[1]
        wanted = None if no_padding else _padded_shapes(specs, padded_shapes, self._spec)
        values = _padding_values(specs, padding_values, built)

        def batch(group: list[Leaves], bucket: int) -> Leaves:
            columns = zip(specs, zip(*group, strict=True), strict=True)
            if wanted is None:
                return tuple([structure.stacked(s, column) for s, column in columns])
            to = _to_boundary(wanted, bucket_boundaries, bucket) if pad_to_bucket_boundary else wanted
            return tuple([structure.padded(s, c, w, v) for (s, c), w, v in zip(columns, to, values, strict=True)])

        def elements(run: Run) -> Iterator[Leaves]:
            length_of = f.bound(run)
            groups: dict[int, list[Leaves]] = {}
            for leaves in self._elements(run):
                k = bisect.bisect_right(bucket_boundaries, int(length_of(*leaves)[0]))
                if bucket_batch_sizes[k] < 1:
                    raise InvalidArgumentError(f"bucket_batch_sizes must be positive: {bucket_batch_sizes}")
                groups.setdefault(k, []).append(leaves)
                if len(groups[k]) == bucket_batch_sizes[k]:
                    yield batch(groups.pop(k), k)
            for k in () if drop_remainder else sorted(groups):
                yield batch(groups[k], k)

        return self._then(elements, like._spec, f.reads, unknown_size)

    def unbatch(self, name: str | None = None) -> Any:
        """The entries of each element along its first axis, as elements.

        Raises:
          InvalidArgumentError: a component is a scalar.
        """

        def elements(run: Run) -> Iterator[Leaves]:
            for leaves in self._elements(run):
                yield from zip(*[structure.rows(leaf) for leaf in leaves], strict=True)

        leads = [d[0] for s in self._leaf_specs if (d := as_shape(s.shape))]
        each = next((n for n in leads if n is not None), None)

        def size(run: Run) -> int:
            have = self._size(run)
            return UNKNOWN if each is None or have == UNKNOWN else have if have < 0 else have * each

        return self._then(elements, nest.mapped(structure.without_leading, self._spec), (), size)

    def rebatch(self, batch_size: Any, drop_remainder: bool = False, name: str | None = None) -> Any:
        """The same entries in batches of another size."""
        return self.unbatch().batch(batch_size, drop_remainder)

    def window(
        self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: bool = False, name: str | None = None
    ) -> Any:
        """Datasets of `size` elements, `stride` apart, each `shift` (by default size) after the one before.

        The result has a dataset for each component; those at the end may be shorter unless drop_remainder.
        """
        length = whole(size, "window: size", 1)
        step = length if shift is None else whole(shift, "window: shift", 1)
        apart = whole(stride, "window: stride", 1)
        specs = self._leaf_specs

        def count(run: Run) -> int:
            have, n, by, every = self._size(run), *(int(run.of(t)) for t in (length, step, apart))
            beyond = (
                (n - 1) * every if drop_remainder else 0
            )  # what a window that begins needs behind its first element
            return have if have < 0 else max(-(-(have - beyond) // by), 0)

        def elements(run: Run) -> Iterator[Leaves]:
            n, by, every = (int(run.of(t)) for t in (length, step, apart))
            for group in windows(self._elements(run), n, by, every, drop_remainder):
                yield tuple(
                    [
                        listed(self._new(s, _nothing), [(leaves[i],) for leaves in group], run)
                        for i, s in enumerate(specs)
                    ]
                )

        spec = nest.mapped(DatasetSpec, self._spec)
        return self._then(elements, spec, symbolic(length, step, apart), count)

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: str | None = None) -> Any:
        """Batches of tensors of differing sizes as sparse tensors of shape [batch, *row_shape].

        Raises:
          TypeError: elements are no single tensors.
        """
        size, row = whole(batch_size, "sparse_batch: batch_size", 1), as_shape(row_shape)
        if not isinstance(self._spec, TensorSpec) or row is None:
            raise TypeError(f"sparse_batch: elements must be single tensors and row_shape known, not {self._spec}")

        def elements(run: Run) -> Iterator[Leaves]:
            for group in grouped(self._elements(run), int(run.of(size)), False):
                yield (_sparse([leaf for (leaf,) in group], row),)

        spec = SparseTensorSpec((None, *row), self._spec.dtype)
        return self._then(elements, spec, symbolic(size), self._divided(size, False))


def _nothing(run: Run) -> Iterator[Leaves]:
    return iter(())


def grouped(elements: Iterator[Leaves], size: int, drop: bool) -> Iterator[list[Leaves]]:
    """Every `size` elements; the rest unless `drop`."""
    while group := list(itertools.islice(elements, size)):
        if len(group) == size or not drop:
            yield group


def windows(elements: Iterator[Leaves], size: int, shift: int, stride: int, drop: bool) -> Iterator[list[Leaves]]:
    """Every `shift`, the next `size` elements, `stride` apart."""
    reach = (size - 1) * stride + 1
    buffer: list[Leaves] = []
    ended = False
    while True:
        while len(buffer) < reach and not ended:
            more = list(itertools.islice(elements, reach - len(buffer)))
            buffer += more
            ended = len(buffer) < reach
        if not buffer or (ended and drop):
            return
        yield buffer[:reach:stride]
        skip = shift - len(buffer)
        del buffer[:shift]
        if skip > 0:
            ended = ended or sum(1 for _ in itertools.islice(elements, skip)) < skip


def _padded_shapes(specs: list[Any], padded_shapes: Any, spec: Any) -> list[Any]:
    """For each component the shape that it is padded to."""
    if any(not isinstance(s, TensorSpec) for s in specs):
        raise TypeError("Batching of padded sparse tensors is not currently supported")
    own = [s._spec.shape for s in specs]
    if padded_shapes is None:
        if None in own:
            raise ValueError("padded_batch: a component has unknown rank; give padded_shapes")
        return own
    given = _along(padded_shapes, spec)
    out = []
    for mine, wanted in zip(own, given, strict=True):
        to = tuple(None if n == -1 else n for n in _plain_shape(wanted))
        if mine is not None and len(mine) != len(to):
            raise ShapeError(f"padded_batch: shape {to} cannot pad a component of shape {shape.text(mine)}").locate()
        out.append(to)
    return out


def _to_boundary(wanted: list[Any], boundaries: Any, bucket: int) -> list[Any]:
    """Shapes with the size of a bucket's longest element where they leave it open."""
    if bucket == len(boundaries):
        raise InvalidArgumentError(
            "When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries), which is "
            f"{max(boundaries, default=0)}; give a larger one, or leave pad_to_bucket_boundary out"
        )
    return [tuple(int(boundaries[bucket]) - 1 if n is None else n for n in shape) for shape in wanted]


def _plain_shape(value: Any) -> Any:
    if hasattr(value, "numpy"):
        value = value.numpy().tolist()
    if isinstance(value, (list, tuple)):
        return tuple(getattr(n, "value", n) for n in value)
    return as_shape(value) or ()


def _along(value: Any, spec: Any) -> list[Any]:
    """The parts of a value that stand where a spec has leaves."""
    if isinstance(spec, dict):
        return [part for k in sorted(spec) for part in _along(value[k], spec[k])]
    if isinstance(spec, tuple):
        return [part for v, s in zip(value, spec, strict=True) for part in _along(v, s)]
    return [value]


def _padding_values(specs: list[Any], padding_values: Any, built: Any) -> list[Any]:
    """For each component what it is padded with, as an array."""
    zeros = [np.array(b"", object) if s.dtype is dtypes.string else np.zeros((), s.dtype.numpy) for s in specs]
    if padding_values is None:
        return zeros
    whole_nest = nest.unflatten(built, specs)
    given = [padding_values] * len(specs) if _single(padding_values) else _along(padding_values, whole_nest)
    out = []
    for value, zero, s in zip(given, zeros, specs, strict=True):
        if value is None:
            out.append(zero)
            continue
        tensor = (
            value
            if isinstance(value, EagerTensor)
            else interpreter.as_tensor(value, None if hasattr(value, "dtype") else s.dtype, here=interpreter.eager())
        )
        if tensor.dtype is not s.dtype or tensor.spec.shape != ():
            raise DTypeError(f"padded_batch: padding value {value!r} must be a scalar of type {s.dtype.name}").locate()
        out.append(tensor.value)
    return out


def _single(value: Any) -> bool:
    return not isinstance(value, (tuple, dict, list))


def _sparse(leaves: list[Any], row: Any) -> SparseTensorValue:
    """Dense tensors of one batch as the named entries of one sparse tensor."""
    places, values = [], []
    to = [max(leaf.shape[i] for leaf in leaves) if n is None else n for i, n in enumerate(row)]
    for i, leaf in enumerate(leaves):
        if any(n > m for n, m in zip(leaf.shape, to, strict=True)):
            raise InvalidArgumentError(f"sparse_batch: an element of shape {leaf.shape} does not fit row_shape {to}")
        at = np.stack([g.ravel() for g in np.indices(leaf.shape)], 1).astype(np.int64)
        places.append(np.insert(at, 0, i, axis=1))
        values.append(leaf.ravel())
    return SparseTensorValue(np.concatenate(places), np.concatenate(values), np.array([len(leaves), *to], np.int64))
