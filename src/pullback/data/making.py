"""Datasets out of tensors, generators, ranges and other datasets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest, shape
from pullback.core.errors import InvalidArgumentError, OpError, ShapeError
from pullback.core.shape import as_shape
from pullback.core.signature import array_of
from pullback.core.tensor import EagerTensor, Tensor
from pullback.data import structure
from pullback.data.dataset import INFINITE, UNKNOWN, Recipe, symbolic, whole
from pullback.data.structure import Leaves
from pullback.data.traced import Run
from pullback.modes.function import TensorSpec
from pullback.ops.sparse import SparseTensorSpec, SparseTensorValue


def held(value: Any) -> tuple[Any, list[Any], Callable[[Run], Leaves], list[Tensor]]:
    """(spec, leaf specs, leaves in a run, what they read) of tensors that users give in a structure."""
    leaves: list[Any] = []

    def noted(leaf: Any) -> int:
        leaves.append(structure.as_leaf(leaf))
        return len(leaves) - 1

    order, built = nest.flatten(structure.spelled(noted, value))
    leaves = [leaves[i] for i in order]
    specs = [structure.leaf_spec(leaf) for leaf in leaves]
    tensors = [t for leaf in leaves for t in structure.components(leaf)]

    def read(run: Run) -> Leaves:
        return structure.from_values(specs, [run.of(t) for t in tensors])

    return nest.unflatten(built, specs), specs, read, symbolic(*tensors)


class Making(Recipe):
    """The static methods that make datasets."""

    @classmethod
    def from_tensors(cls, tensors: Any, name: str | None = None) -> Any:
        """One element: the tensors as they are."""
        spec, _, read, reads = held(tensors)
        return cls._new(spec, lambda run: iter([read(run)]), reads, lambda run: 1)

    @classmethod
    def from_tensor_slices(cls, tensors: Any, name: str | None = None) -> Any:
        """An element for each entry along the tensors' first axes.

        Raises:
          ValueError: the first axes differ, or a tensor is a scalar.
        """
        spec, specs, read, reads = held(tensors)
        if all(isinstance(s, structure.NoneTensorSpec) for s in specs):
            raise ValueError("Dataset.from_tensor_slices: tensors must hold at least one tensor")
        counts = {d[0] for s in specs if (d := as_shape(s.shape))}
        if len(counts - {None}) > 1:
            raise ShapeError(
                f"Dataset.from_tensor_slices: first dimensions {sorted(n for n in counts if n is not None)} differ"
            ).locate()

        def elements(run: Run) -> Iterator[Leaves]:
            columns = [structure.rows(leaf) for leaf in read(run)]
            if len({len(c) for c in columns}) > 1:
                raise InvalidArgumentError(f"from_tensor_slices: first dimensions {[len(c) for c in columns]} differ")
            return zip(*columns, strict=True)

        def size(run: Run) -> int:
            known_count = next(iter(counts - {None}), None)
            return UNKNOWN if known_count is None else known_count

        return cls._new(nest.mapped(structure.without_leading, spec), elements, reads, size)

    @classmethod
    def range(cls, *args: Any, **kwargs: Any) -> Any:
        """range(stop), range(start, stop) or range(start, stop, step), as scalars of output_type (int64).

        Raises:
          ValueError: no argument, or more than three, or a step of 0.
        """
        dtype = dtypes.as_dtype(kwargs.pop("output_type", dtypes.int64))
        kwargs.pop("name", None)
        if kwargs or not 1 <= len(args) <= 3:
            raise ValueError(
                f"Dataset.range takes one to three numbers, output_type and name, not {args} and {sorted(kwargs)}"
            )
        bounds = [whole(a, "Dataset.range") for a in args]

        def values(run: Run) -> range:
            numbers = [int(run.of(t)) for t in bounds]
            if len(numbers) == 3 and numbers[2] == 0:
                raise InvalidArgumentError("Dataset.range: step must not be 0")
            return range(*numbers)

        def elements(run: Run) -> Iterator[Leaves]:
            return ((np.asarray(i, dtype.numpy),) for i in values(run))

        return cls._new(TensorSpec((), dtype), elements, symbolic(*bounds), lambda run: len(values(run)))

    @classmethod
    def from_generator(
        cls,
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Any:
        """The elements that a Python generator yields; it is called anew for every iteration.

        Args:
          generator: takes args as NumPy arrays, returns an iterable.
          output_types, output_shapes: nests of dtypes and shapes; or output_signature: a nest of TensorSpecs.
        Raises:
          TypeError: generator does not call, or neither signature nor types are given. InvalidArgumentError, while it
          is iterated: an element does not fit.
        """
        if not callable(generator):
            raise TypeError("`generator` must be a Python callable.")
        spec = _signature(output_types, output_shapes, output_signature)
        given = [interpreter.as_tensor(a, here=interpreter.eager()) for a in args or ()]

        def elements(run: Run) -> Iterator[Leaves]:
            fed = [run.of(t) for t in given]
            return map(lambda made: _yielded(spec, made), iter(generator(*fed)))

        return cls._new(spec, elements, symbolic(*given))

    @classmethod
    def from_list(cls, elements: Any, name: str | None = None) -> Any:
        """The elements of a Python list.

        Raises:
          ValueError: the list is empty.
        """
        if not elements:
            raise ValueError("Empty input list. `elements` must not be empty.")
        parts = [held(e) for e in elements]
        spec = parts[0][0]
        for part in parts[1:]:
            spec = nest.mapped(structure.relaxed, spec, part[0])
        reads = [t for part in parts for t in part[3]]
        return cls._new(spec, lambda run: (part[2](run) for part in parts), reads, lambda run: len(parts))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Any:
        """Elements side by side, in the structure in which the datasets are given; ends with the shortest."""
        if (datasets is None) == (not args):
            raise TypeError("Must pass either `*args` or `datasets` to `Dataset.zip`, and not both.")
        given = datasets if datasets is not None else args[0] if len(args) == 1 and _holds(args[0]) else args
        order: list[Any] = []

        def noted(dataset: Any) -> int:
            if not isinstance(dataset, Recipe):
                raise TypeError(f"Dataset.zip: {dataset!r} is no dataset; a list of datasets must be a tuple")
            order.append(dataset)
            return len(order) - 1

        numbered = structure.spelled(noted, given)
        spec = structure.spelled(lambda i: order[i]._spec, numbered)
        flat = [order[i] for i in nest.leaves_of(numbered)]

        def elements(run: Run) -> Iterator[Leaves]:
            return map(_joined, *[d._elements(run) for d in flat])

        def size(run: Run) -> int:
            sizes = [d._size(run) for d in flat]
            return UNKNOWN if UNKNOWN in sizes else min((n for n in sizes if n >= 0), default=INFINITE)

        return order[0]._new(spec, elements, [t for d in flat for t in d._reads], size)

    @classmethod
    def random(cls, seed: Any = None, rerandomize_each_iteration: Any = None, name: str | None = None) -> Any:
        """Endless random int64 numbers in [0, 2^32). With rerandomize_each_iteration each iteration has others."""
        from pullback.data.draws import Draws, seeds
        from pullback.data.traced import Stage

        stage, pair = Stage(), seeds(seed)

        def elements(run: Run) -> Iterator[Leaves]:
            draws = Draws(*pair)
            if rerandomize_each_iteration:
                source = run.recall(stage, lambda: draws)
                draws = Draws(source.word(), source.word())
            return ((np.asarray(draws.word(), np.int64),) for _ in itertools.count())

        return cls._new(TensorSpec((), dtypes.int64), elements, (), lambda run: INFINITE)


def _holds(value: Any) -> bool:
    return isinstance(value, (tuple, dict))


def _joined(*leaves: Leaves) -> Leaves:
    return tuple(itertools.chain.from_iterable(leaves))


def _signature(types: Any, shapes: Any, signature: Any) -> Any:
    """The spec of a generator's elements."""
    if signature is not None:
        if types is not None or shapes is not None:
            raise TypeError("The `output_types` and `output_shapes` arguments can not be used with `output_signature`")
        return _tuples(signature)
    if types is None:
        raise TypeError("Either `output_signature` or `output_types` must be specified.")
    types = structure.spelled(dtypes.as_dtype, _tuples(types))
    leaves, built = nest.flatten(types)
    wanted = [None] * len(leaves) if shapes is None else _shapes(shapes, types)
    return nest.unflatten(built, [TensorSpec(s, t) for s, t in zip(wanted, leaves, strict=True)])


def _tuples(value: Any) -> Any:
    """Lists of specs or types mean tuples here."""
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return tuple(_tuples(v) for v in value)
    return {k: _tuples(v) for k, v in value.items()} if isinstance(value, dict) else value


def _shapes(shapes: Any, like: Any) -> list[Any]:
    """The shapes that stand where a nest has leaves; a shape is itself a list or a tuple."""

    def taken(value: Any, like: Any) -> Any:
        if isinstance(like, dict):
            return {k: taken(value[k], like[k]) for k in like}
        if isinstance(like, tuple):
            return tuple(taken(v, part) for v, part in zip(value, like, strict=True))
        found.append(as_shape(value))
        return len(found) - 1

    found: list[Any] = []
    return [found[i] for i in nest.leaves_of(taken(shapes, like))]


def _yielded(spec: Any, made: Any) -> Leaves:
    """What a generator yielded, as leaves.

    Raises:
      InvalidArgumentError: it does not fit the spec.
    """
    given: Sequence[Any] = []
    if isinstance(made, list) and isinstance(spec, tuple):
        made = tuple(made)
    leaves, built = nest.flatten(spec)
    if isinstance(built, str):
        given = [made]
    else:
        order: list[Any] = []

        def noted(leaf: Any) -> int:
            order.append(leaf)
            return len(order) - 1

        numbered = structure.spelled(noted, made)
        given = [order[i] for i in nest.leaves_of(numbered)]
        if not structure.alike(numbered, spec):
            raise InvalidArgumentError(
                f"`generator` yielded an element that did not match the expected structure {spec}: {made!r}"
            )
    return tuple(_fitted(leaf, s) for leaf, s in zip(given, leaves, strict=True))


def _fitted(value: Any, spec: Any) -> Any:
    if isinstance(spec, SparseTensorSpec):
        return SparseTensorValue(
            *[
                t.value if isinstance(t, EagerTensor) else np.asarray(t)
                for t in (value.indices, value.values, value.dense_shape)
            ]
        )
    if isinstance(value, EagerTensor):
        value = value.value
    try:
        dtype = spec.dtype
        array = array_of(value, dtype) if dtype.name == "string" else np.asarray(value, dtype.numpy)
    except (OpError, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"`generator` yielded an element that could not be converted to the expected type. The expected type was "
            f"{spec.dtype.name}, but the yielded element was {value!r}: {error}"
        ) from None
    if not shape.compatible(array.shape, spec._spec.shape):
        raise InvalidArgumentError(
            f"`generator` yielded an element of shape {array.shape} where an element of shape {spec.shape} was expected"
        )
    return array
