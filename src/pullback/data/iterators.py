"""Iterators: a resource that holds a place in a dataset, and the op that moves it on.

    IteratorV2, OneShotIterator -> handle
    MakeIterator(handle, what the dataset reads)     begins anew
    IteratorGetNext(handle) -> components            OutOfRangeError at the end

The live iterator is a value of the Store, so every session has its own.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, nest
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, FailedPreconditionError, InvalidArgumentError, OutOfRangeError
from pullback.core.graph import Graph, ancestors
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.shape import Shape
from pullback.core.spec import Spec
from pullback.core.store import Resource, Store
from pullback.core.tensor import EagerTensor, Tensor
from pullback.data import structure
from pullback.data.dataset import Recipe
from pullback.data.structure import Leaves
from pullback.data.traced import Run
from pullback.ops.sparse.functions import to_dense

_WHY = "holds a Python iterator; tests/unit/test_datasets.py runs it"
HANDLE = Spec((), dtypes.resource)


class Live:
    """A place in a dataset. Several threads may ask; each element goes to one of them."""

    def __init__(self, elements: Iterator[Leaves], specs: list[Any]) -> None:
        self._elements, self._specs, self._lock = elements, specs, threading.Lock()
        self.types = tuple(s.dtype for spec in specs for s in structure.component_specs(spec))

    def next_values(self) -> list[Any]:
        """The next element's components.

        Raises:
          OutOfRangeError: there is none.
        """
        with self._lock:
            for leaves in self._elements:
                return structure.flat_values(self._specs, leaves)
        raise OutOfRangeError("End of sequence")


_by_name: weakref.WeakValueDictionary[bytes, Resource] = weakref.WeakValueDictionary()


def _resource(name: str) -> Resource:
    """A new iterator's identity, found again by its string handle."""
    held = Resource(name, HANDLE)
    _by_name[_string_handle(held)] = held
    return held


def _string_handle(held: Resource) -> bytes:
    return f"{held.name}@{id(held):x}".encode()


class _Handle(Op):
    """Base of the ops that make a handle."""

    effect = False
    untestable = _WHY
    resource: Resource

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    def attrs(self) -> dict[str, Any]:
        return {"shared_name": self.resource.name.encode()}


@op
class IteratorV2(_Handle):
    """A handle to an iterator."""

    signature = "-> handle: resource"
    resource: Resource

    def infer(self) -> Spec:
        return HANDLE

    def reference(self) -> Any:
        return self.resource


@op
class OneShotIterator(_Handle):
    """A handle to an iterator that begins by itself, once in a session."""

    signature = "*reads: any -> handle: resource"
    takes_store = True
    any_rank = True
    resource: Resource
    dataset: Any

    def infer(self, *reads: Spec) -> Spec:
        return HANDLE

    def reference(self, store: Store, *reads: Any) -> Any:
        if not store.holds(self.resource):
            store.write(self.resource, begun(self.dataset, store, reads))
        return self.resource


@op
class MakeIterator(Op):
    """The iterator begins anew, on this dataset. reads: the values of what the dataset captured."""

    signature = "iterator: resource, *reads: any ->"
    effect = True
    takes_store = True
    any_rank = True
    untestable = _WHY
    dataset: Any

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, store: Store, held: Resource, *reads: Any) -> Any:
        store.write(held, begun(self.dataset, store, reads))
        return ()

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)

    def attrs(self) -> dict[str, Any]:
        return {}


def begun(dataset: Any, store: Store, reads: Any) -> Live:
    """A live iterator at a dataset's beginning."""
    values = {id(t): v for t, v in zip(dataset._reads, reads, strict=True)}
    return Live(dataset._elements(Run(store, values, {})), dataset._leaf_specs)


@op
class IteratorGetNext(Op):
    """The components of an iterator's next element."""

    signature = "iterator: resource -> *components: any"
    effect = True
    takes_store = True
    any_rank = True
    untestable = _WHY
    output_types: tuple[DType, ...]
    output_shapes: tuple[Shape, ...]

    def infer(self, handle: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(s, t) for s, t in zip(self.output_shapes, self.output_types, strict=True))

    def visible(self, results: int) -> int:
        return results

    def reference(self, store: Store, held: Resource) -> Any:
        live = store.get(held)
        if live is None:
            raise FailedPreconditionError(
                "GetNext() failed because the iterator has not been initialized. Ensure that you have run the "
                "initializer operation for this iterator before getting the next element."
            )
        if live.types != self.output_types:
            raise InvalidArgumentError(
                f"IteratorGetNext: elements of types {[t.name for t in self.output_types]} are expected, but the "
                f"iterator gives {[t.name for t in live.types]}"
            )
        return tuple(live.next_values())

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,)


@op
class IteratorToStringHandle(Op):
    """A word that names an iterator, to be fed."""

    signature = "iterator: resource -> string_handle: string"
    untestable = _WHY

    def infer(self, handle: Spec) -> Spec:
        return Spec((), dtypes.string)

    def reference(self, held: Resource) -> Any:
        return np.array(_string_handle(held), object)

    def grad(self, node: Any, dy: Any) -> Any:
        return None


@op
class IteratorFromStringHandleV2(Op):
    """The iterator that a word names."""

    signature = "string_handle: string -> handle: resource"
    untestable = _WHY

    def infer(self, word: Spec) -> Spec:
        return HANDLE

    def reference(self, word: Any) -> Any:
        found = _by_name.get(np.asarray(word).item())
        if found is None:
            raise ArgumentError(f"the string handle {np.asarray(word).item()!r} names no iterator; run string_handle()")
        return found

    def grad(self, node: Any, dy: Any) -> Any:
        return None


def next_element(handle: Any, spec: Any, dataset_class: Any, name: str | None = None) -> Any:
    """The next element in its structure, by the op."""
    specs = component_specs(spec)
    get = IteratorGetNext(tuple(s.dtype for s in specs), tuple(s.shape for s in specs))
    return element_of(get(handle, name=name), spec, dataset_class)


def component_specs(spec: Any) -> list[Spec]:
    """The specs of the tensors that an element consists of."""
    return [s for leaf in nest.leaves_of(spec) for s in structure.component_specs(leaf)]


def element_of(made: Any, spec: Any, dataset_class: Any) -> Any:
    """The element whose components an op gave."""
    leaves, built = nest.flatten(spec)
    specs = component_specs(spec)
    parts = list(made) if isinstance(made, tuple) else [made] if specs else []
    for part, s in zip(parts, specs, strict=True):
        if s.value is not None and not isinstance(part, EagerTensor):
            part.spec = part.spec.with_value(s.value)
    seen = [structure.from_components(leaf, parts, dataset_class._from_variant) for leaf in leaves]
    return nest.unflatten(built, seen)


class IteratorBase:
    """A Python iterator over eager elements; `isinstance(x, tf.data.Iterator)`."""

    _spec: Any

    @property
    def element_spec(self) -> Any:
        return self._spec


public("data.Iterator", v1=None)(IteratorBase)


class OwnedIterator(IteratorBase):
    """The iterator of `for x in dataset`. Its end is StopIteration; `get_next()` raises OutOfRangeError instead."""

    def __init__(self, dataset: Any) -> None:
        self._spec, self._dataset = dataset._spec, dataset
        held = _resource("iterator")
        store = interpreter.eager().store
        store.write(held, Live(dataset._elements(Run(store)), dataset._leaf_specs))
        self._iterator_resource = EagerTensor(held.handle_spec, held)

    def __iter__(self) -> OwnedIterator:
        return self

    def get_next(self, name: str | None = None) -> Any:
        """The next element.

        Raises:
          OutOfRangeError: there is none.
        """
        return next_element(self._iterator_resource, self._spec, self._dataset._face(), name)

    def get_next_as_optional(self) -> Any:
        """The next element, or the knowledge that there is none; in a graph, whenever it runs."""
        from pullback.data.optionals import Optional, next_symbolic

        if isinstance(interpreter.current(), Graph):
            return next_symbolic(self._iterator_resource, self._spec, self._dataset._face())
        try:
            return Optional._of(self.get_next(), self._spec, True)
        except OutOfRangeError:
            return Optional.empty(self._spec)

    def __next__(self) -> Any:
        try:
            return self.get_next()
        except OutOfRangeError:
            raise StopIteration from None

    next = __next__


@public("data.NumpyIterator")
class NumpyIterator:
    """An iterator over elements as NumPy values, in the dataset's structure; sparse tensors come dense."""

    def __init__(self, dataset: Any) -> None:
        self._iterator = OwnedIterator(dataset)

    def __iter__(self) -> NumpyIterator:
        return self

    def __next__(self) -> Any:
        return structure.spelled(_plain, next(self._iterator))


def _plain(leaf: Any) -> Any:
    if leaf is None:
        return None
    if isinstance(leaf, Recipe):
        return NumpyIterator(leaf)
    if isinstance(leaf, Tensor):
        return leaf.numpy()
    return to_dense(leaf, validate_indices=False).numpy()


def reduced(dataset: Any, spec: Any, final: Callable[[Run], Leaves], reads: list[Tensor], name: str | None) -> Any:
    """What a dataset comes to, as tensors: now, or in a graph whenever they are run."""

    def elements(run: Run) -> Iterator[Leaves]:
        yield final(run)

    one = dataset._new(spec, elements, reads)
    here = dataset._here()
    if isinstance(here, Graph):
        with here.as_default():
            handle = IteratorV2(_resource("reduce"))()
            made = MakeIterator(one)(handle, *one._reads)
            with here.control_dependencies([made]):
                return next_element(handle, spec, dataset._face(), name or "ReduceDataset")
    return OwnedIterator(one).get_next()


def captures_nothing_fed(dataset: Any) -> None:
    """Raises ValueError when a dataset hangs on placeholders or variables, which nobody would feed or initialise."""
    for node in ancestors(dataset._reads):
        if node.op.type in ("Placeholder", "PlaceholderWithDefault", "VariableV2", "VarHandleOp"):
            raise ValueError(
                f"Cannot capture a placeholder or variable (name: {node.name}, type: {node.type}) by value: a one-shot "
                "iterator cannot be fed. Use tf.compat.v1.data.make_initializable_iterator(dataset)"
            )
