"""Queues: tensors that wait in a session for other threads to take them."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import Shape, TensorShape, as_shape, compatible, known, text
from pullback.core.tensor import Tensor
from pullback.data import queue_ops as ops
from pullback.data.draws import seeds
from pullback.data.queue_ops import QueueResource
from pullback.data.queue_states import PaddingState, PriorityState, QueueState, RandomShuffleState
from pullback.modes.default import building
from pullback.ops.math.scopes import scope

# Queues of one graph with one shared_name are one queue.
_shared: weakref.WeakKeyDictionary[Any, dict[str, QueueResource]] = weakref.WeakKeyDictionary()


@public("queue.QueueBase", v1=("queue.QueueBase", "QueueBase"))
class QueueBase:
    """Base of the queues. An element is a tuple of tensors, one a component.

    Args:
      dtypes: of the components. shapes: theirs, or None where elements may differ. names: theirs, or None.
      queue_ref: the queue's handle.
    """

    _v1 = False

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Any) -> None:
        self._dtypes, self._shapes, self._names, self._queue_ref = list(dtypes), shapes, names, queue_ref
        in_graph = hasattr(queue_ref, "node")
        self._name = queue_ref.op.name.rpartition("/")[2] if in_graph else type(self).__name__

    def _building(self) -> Any:
        """Where the queue's operations go: its own graph where no other is current."""
        if isinstance(interpreter.current(), Graph) or not hasattr(self._queue_ref, "node"):
            return contextlib.nullcontext()
        return self._queue_ref.graph.as_default()

    @property
    def queue_ref(self) -> Tensor:
        return self._queue_ref

    @property
    def name(self) -> str:
        """The handle's name."""
        return self._queue_ref.op.name if hasattr(self._queue_ref, "node") else self._name

    @property
    def dtypes(self) -> list[Any]:
        return list(self._dtypes)

    @property
    def shapes(self) -> list[TensorShape]:
        return [TensorShape(s) for s in self._shapes]

    @property
    def names(self) -> list[str] | None:
        return self._names

    def _components(self, vals: Any, batched: bool) -> list[Tensor]:
        """An element (or several) as tensors.

        Raises:
          ValueError: there are more or fewer than components, other names, or shapes that do not fit.
        """
        if isinstance(vals, dict):
            if self._names is None or sorted(vals) != sorted(self._names):
                raise ValueError(f"Keys in dictionary to enqueue {sorted(vals)} do not match the names {self._names}")
            vals = [vals[n] for n in self._names]
        elif self._names is not None:
            raise ValueError("You must enqueue a dictionary in a queue with names")
        elif not isinstance(vals, (list, tuple)) or (len(self._dtypes) == 1 and not _is_one(vals)):
            vals = [vals]
        if len(vals) != len(self._dtypes):
            raise ValueError(f"the queue's elements have {len(self._dtypes)} components, but {len(vals)} were given")
        out = []
        for i, (value, dtype, wanted) in enumerate(zip(vals, self._dtypes, self._shapes, strict=True)):
            tensor = interpreter.as_tensor(value, dtype, f"component_{i}", what=f"component {i}")
            inner = None if tensor.spec.shape is None else tensor.spec.shape[1:] if batched else tensor.spec.shape
            if not compatible(inner, wanted):
                raise ShapeError(f"component {i} has shape {text(inner)}, but the queue's have {text(wanted)}").locate()
            out.append(tensor)
        return out

    def _result(self, made: Any) -> Any:
        parts = list(made) if isinstance(made, tuple) else [made]
        if self._names is not None:
            return dict(zip(self._names, parts, strict=True))
        return parts[0] if len(parts) == 1 else parts

    def enqueue(self, vals: Any, name: str | None = None) -> Any:
        """An operation that adds one element, waiting for room. CancelledError when the queue is closed."""
        with self._building(), scope(name, f"{self._name}_enqueue") as full:
            return ops.QueueEnqueueV2()(self._queue_ref, *self._components(vals, False), name=full)

    def enqueue_many(self, vals: Any, name: str | None = None) -> Any:
        """An operation that adds the entries along the components' first axes."""
        with self._building(), scope(name, f"{self._name}_EnqueueMany") as full:
            return ops.QueueEnqueueManyV2()(self._queue_ref, *self._components(vals, True), name=full)

    def dequeue(self, name: str | None = None) -> Any:
        """One element: a tensor, a list of them, or a dict by names. Waits for it; OutOfRangeError when the queue is
        closed and empty."""
        take = ops.QueueDequeueV2(tuple(self._dtypes), tuple(self._shapes))
        with self._building():
            return self._result(take(self._queue_ref, name=name or f"{self._name}_Dequeue"))

    def _several(self, n: Any, cls: Any, name: str, least: Callable[[Shape], bool]) -> Any:
        if any(s is None or not least(s) for s in self._shapes):
            raise ValueError(f"{self._name}: all components must have shapes to take several; give `shapes`")
        with self._building():
            return self._result(cls(tuple(self._dtypes), tuple(self._shapes))(self._queue_ref, n, name=name))

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """n elements, stacked along a new first axis. OutOfRangeError when the queue is closed and has fewer."""
        return self._several(n, ops.QueueDequeueManyV2, name or f"{self._name}_DequeueMany", self._stackable)

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """`dequeue_many` that, once the queue is closed, gives what is left."""
        return self._several(n, ops.QueueDequeueUpToV2, name or f"{self._name}_DequeueUpTo", self._stackable)

    def _stackable(self, s: Shape) -> bool:
        return known(s)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Any:
        """An operation after which nothing can be added; what waits to be added still is, unless it is cancelled."""
        with self._building():
            return ops.QueueCloseV2(cancel_pending_enqueues)(self._queue_ref, name=name or f"{self._name}_Close")

    def is_closed(self, name: str | None = None) -> Any:
        """Whether the queue is closed."""
        with self._building():
            return ops.QueueIsClosedV2()(self._queue_ref, name=name or f"{self._name}_Is_Closed")

    def size(self, name: str | None = None) -> Any:
        """How many elements are in the queue. [] int32"""
        with self._building():
            return ops.QueueSizeV2()(self._queue_ref, name=name or f"{self._name}_Size")


def _is_one(vals: Any) -> bool:
    """Whether a list holds the one component, rather than being it."""
    return len(vals) == 1


def _listed(given: Any) -> list[Any]:
    return [as_dtype(t) for t in (given if isinstance(given, (list, tuple)) else [given])]


def _shapes(given: Any, count: int, required: bool = False) -> list[Shape]:
    """A shape for each component.

    Raises:
      ValueError: there is another number, or none where they are required.
    """
    if given is None:
        if required:
            raise ValueError("Shapes must be provided for all components, but received None.")
        return [None] * count
    one = isinstance(given, TensorShape) or (
        isinstance(given, (list, tuple)) and all(n is None or isinstance(n, (int, np.integer)) for n in given)
    )
    if one and not (isinstance(given, (list, tuple)) and not given and count != 1):
        given = [given]
    made = [as_shape(s) for s in given]
    if len(made) != count:
        raise ValueError(f"Queue shapes must have the same length as dtypes, received {len(made)} and {count}")
    return made


def _names(given: Any, count: int) -> list[str] | None:
    if given is None:
        return None
    names = [given] if isinstance(given, str) else list(given)
    if len(names) != count:
        raise ValueError(f"List of names must have the same length as the list of dtypes, not {names}")
    return names


def _entered(v1: bool) -> Any:
    """TensorFlow 1's queues are made in the default graph."""
    return building() if v1 else contextlib.nullcontext(interpreter.current())


def _handle(
    cls: Any,
    types: Any,
    shapes: Any,
    capacity: int,
    shared_name: Any,
    name: str,
    begin: Any,
    v1: bool,
    draws: dict[str, int] | None = None,
) -> Tensor:
    """A handle to a new queue, or to the one of this shared name."""
    with _entered(v1) as here:
        held = QueueResource(shared_name or name, begin, draws)
        if shared_name and isinstance(here, Graph):
            held = _shared.setdefault(here, {}).setdefault(shared_name, held)
        return cls(held, tuple(types), tuple(shapes), capacity)(name=name)


@public("queue.FIFOQueue", v1=None)
class FIFOQueue(QueueBase):
    """A queue that gives elements in the order they came.

    Args:
      capacity: how many elements it holds; -1 for any number. dtypes: of the components.
      shapes: theirs; without, elements may differ and are taken one by one. names: theirs, for dicts.
      shared_name: queues of one graph and one shared name are one.
    """

    def __init__(
        self,
        capacity: Any,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:
        types = _listed(dtypes)
        sizes = _shapes(shapes, len(types))
        size = int(capacity)

        def begin() -> QueueState:
            return QueueState(name, size)

        handle = _handle(ops.FIFOQueueV2, types, sizes, size, shared_name, name, begin, self._v1)
        super().__init__(types, sizes, _names(names, len(types)), handle)


@public("queue.RandomShuffleQueue", v1=None)
class RandomShuffleQueue(QueueBase):
    """A queue that gives elements in random order: with a seed, TensorFlow's.

    Args:
      min_after_dequeue: so many elements are kept back to choose from, until the queue is closed.
    """

    def __init__(
        self,
        capacity: Any,
        min_after_dequeue: Any,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: Any = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        types = _listed(dtypes)
        sizes, size, least = _shapes(shapes, len(types)), int(capacity), int(min_after_dequeue)
        if 0 <= size <= least:
            raise ArgumentError(f"min_after_dequeue {least} must be < capacity {size}").locate()
        with _entered(self._v1):
            pair = seeds(seed)

        def begin() -> QueueState:
            return RandomShuffleState(name, size, least, pair)

        draws = {"min_after_dequeue": least, "seed": int(pair[0] or 0), "seed2": int(pair[1] or 0)}
        handle = _handle(ops.RandomShuffleQueueV2, types, sizes, size, shared_name, name, begin, self._v1, draws)
        super().__init__(types, sizes, _names(names, len(types)), handle)


@public("queue.PaddingFIFOQueue", v1=None)
class PaddingFIFOQueue(QueueBase):
    """A FIFOQueue whose shapes may have None: `dequeue_many` pads those axes with zeros to the largest of the batch."""

    def __init__(
        self,
        capacity: Any,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:
        types = _listed(dtypes)
        sizes, size = _shapes(shapes, len(types), True), int(capacity)

        def begin() -> QueueState:
            return PaddingState(name, size)

        handle = _handle(ops.PaddingFIFOQueueV2, types, sizes, size, shared_name, name, begin, self._v1)
        super().__init__(types, sizes, _names(names, len(types)), handle)

    def _stackable(self, s: Shape) -> bool:
        return s is not None


@public("queue.PriorityQueue", v1=None)
class PriorityQueue(QueueBase):
    """A queue that gives the element with the smallest number first. The number, int64 [], is the first component."""

    def __init__(
        self,
        capacity: Any,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:
        kinds = [dtypes.int64, *_listed(types)]
        given = None if shapes is None else _shapes(shapes, len(kinds) - 1)
        sizes: list[Shape] = [(), *(given if given is not None else [None] * (len(kinds) - 1))]
        size = int(capacity)

        def begin() -> QueueState:
            return PriorityState(name, size)

        handle = _handle(ops.PriorityQueueV2, kinds, sizes, size, shared_name, name, begin, self._v1)
        super().__init__(kinds, sizes, _names(names, len(kinds)), handle)


def _earlier(cls: Any) -> Any:
    """TensorFlow 1's class of the same queue."""
    made = type(f"{cls.__name__}V1", (cls,), {"__doc__": cls.__doc__, "__module__": __name__, "_v1": True})
    return public(v1=(f"queue.{cls.__name__}", cls.__name__))(made)


FIFOQueueV1 = _earlier(FIFOQueue)
RandomShuffleQueueV1 = _earlier(RandomShuffleQueue)
PaddingFIFOQueueV1 = _earlier(PaddingFIFOQueue)
PriorityQueueV1 = _earlier(PriorityQueue)
