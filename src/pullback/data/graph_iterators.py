"""TensorFlow 1's iterators: an initializer operation and a get_next tensor in a graph."""

from __future__ import annotations

from typing import Any

from pullback.core import dtypes, interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import as_shape, compatible
from pullback.core.tensor import Tensor
from pullback.data import structure
from pullback.data.dataset import Recipe
from pullback.data.datasets import DatasetV1
from pullback.data.iterators import (
    IteratorBase,
    IteratorFromStringHandleV2,
    IteratorToStringHandle,
    IteratorV2,
    MakeIterator,
    OneShotIterator,
    OwnedIterator,
    _resource,
    captures_nothing_fed,
    next_element,
)
from pullback.data.making import _shapes, _tuples
from pullback.modes.default import building, get_default_graph
from pullback.modes.function import TensorSpec
from pullback.ops.sparse import SparseTensor, SparseTensorSpec


@public(v1="data.Iterator")
class GraphIterator(IteratorBase):
    """A place in a dataset, in a graph.

    Args:
      iterator_resource: its handle. initializer: the operation that starts it, or None.
      output_types, output_shapes, output_classes: nests that say what an element is.
    """

    def __init__(
        self, iterator_resource: Any, initializer: Any, output_types: Any, output_shapes: Any, output_classes: Any
    ) -> None:
        self._handle, self._initializer = iterator_resource, initializer
        self._spec = _spec(output_types, output_shapes, output_classes)

    @classmethod
    def _of(cls, handle: Any, initializer: Any, spec: Any) -> GraphIterator:
        made = object.__new__(cls)
        made._handle, made._initializer, made._spec = handle, initializer, spec
        return made

    @staticmethod
    def from_structure(
        output_types: Any, output_shapes: Any = None, shared_name: str | None = None, output_classes: Any = None
    ) -> GraphIterator:
        """An iterator of no dataset yet; `make_initializer(dataset)` starts it on one that fits."""
        with building():
            handle = IteratorV2(_resource(shared_name or "Iterator"))(name=shared_name)
        return GraphIterator._of(handle, None, _spec(output_types, output_shapes, output_classes))

    @staticmethod
    def from_string_handle(
        string_handle: Any, output_types: Any, output_shapes: Any = None, output_classes: Any = None
    ) -> GraphIterator:
        """The iterator that a fed word names, of those whose `string_handle()` was run in this process."""
        with building():
            handle = IteratorFromStringHandleV2()(interpreter.as_tensor(string_handle, dtypes.string))
        return GraphIterator._of(handle, None, _spec(output_types, output_shapes, output_classes))

    @property
    def initializer(self) -> Any:
        """The operation that starts the iterator.

        Raises:
          ValueError: there is none: it starts by itself, or `make_initializer` makes one.
        """
        if self._initializer is None:
            raise ValueError("Iterator does not have an initializer.")
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> Any:
        """An operation that starts the iterator on a dataset.

        Raises:
          TypeError: the dataset's elements do not fit.
        """
        theirs, ours = dataset.element_spec, self._spec
        if not structure.alike(theirs, ours):
            raise TypeError(f"Expected elements like {ours} but the dataset has {theirs}.")
        for a, b in zip(nest.leaves_of(theirs), nest.leaves_of(ours), strict=True):
            if a.dtype != b.dtype or not compatible(as_shape(a.shape), as_shape(b.shape)):
                raise TypeError(f"Expected elements like {ours} but the dataset has {theirs}.")
        return started(self._handle, dataset, name)

    def get_next(self, name: str | None = None) -> Any:
        """Tensors of the next element: each run moves on by one. OutOfRangeError at the end."""
        with self._handle.graph.as_default() if _building_elsewhere(self._handle) else building():
            return next_element(self._handle, self._spec, DatasetV1, name)

    def string_handle(self, name: str | None = None) -> Tensor:
        """A word for `from_string_handle`, to be run and fed."""
        return IteratorToStringHandle()(self._handle, name=name)

    @property
    def output_types(self) -> Any:
        return nest.mapped(lambda s: s.dtype, self._spec)

    @property
    def output_shapes(self) -> Any:
        return nest.mapped(lambda s: s.shape, self._spec)

    @property
    def output_classes(self) -> Any:
        return nest.mapped(lambda s: SparseTensor if isinstance(s, SparseTensorSpec) else Tensor, self._spec)


def _building_elsewhere(handle: Tensor) -> bool:
    """Whether no graph is current, so that the handle's own is meant."""
    return not isinstance(interpreter.current(), Graph) and handle.graph is not get_default_graph()


def _spec(types: Any, shapes: Any, classes: Any) -> Any:
    """The spec nest of three nests."""
    types = structure.spelled(dtypes.as_dtype, _tuples(types))
    leaves, built = nest.flatten(types)
    wanted = [None] * len(leaves) if shapes is None else _shapes(shapes, types)
    kinds = [Tensor] * len(leaves) if classes is None else nest.leaves_of(_tuples(classes))
    made = [
        SparseTensorSpec(s, t) if kind is SparseTensor else TensorSpec(s, t)
        for kind, s, t in zip(kinds, wanted, leaves, strict=True)
    ]
    return nest.unflatten(built, made)


def started(handle: Tensor, dataset: Recipe, name: str | None = None) -> Any:
    """The operation that starts an iterator on a dataset."""
    return MakeIterator(dataset)(handle, *dataset._reads, name=name)


@public(v1="data.make_one_shot_iterator")
def make_one_shot_iterator(dataset: Any) -> Any:
    """An iterator that needs no initialisation and goes through a dataset once (in each session).

    Raises:
      ValueError: the dataset hangs on placeholders or variables.
    """
    captures_nothing_fed(dataset)
    with building() as here:
        if not isinstance(here, Graph):
            return OwnedIterator(dataset)
        handle = OneShotIterator(_resource("OneShotIterator"), dataset)(*dataset._reads)
    return GraphIterator._of(handle, None, dataset.element_spec)


@public(v1="data.make_initializable_iterator")
def make_initializable_iterator(dataset: Any, shared_name: str | None = None) -> Any:
    """An iterator that begins whenever its `initializer` runs; placeholders that the dataset reads are fed there.

    Raises:
      RuntimeError: in eager mode; iterate over the dataset instead.
    """
    with building() as here:
        if not isinstance(here, Graph):
            raise RuntimeError("make_initializable_iterator is not supported when eager execution is enabled.")
        handle = IteratorV2(_resource(shared_name or "IteratorV2"))(name=shared_name)
        return GraphIterator._of(handle, started(handle, dataset), dataset.element_spec)


@public("data.experimental.get_next_as_optional")
def get_next_as_optional(iterator: Any) -> Any:
    """The next element of an eager iterator, or the knowledge that there is none.

    Raises:
      ArgumentError: the iterator is part of a graph.
    """
    if not isinstance(iterator, OwnedIterator):
        raise ArgumentError("get_next_as_optional: in graphs use get_next(), which raises OutOfRangeError").locate()
    return iterator.get_next_as_optional()
