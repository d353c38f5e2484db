"""The ops of queues. A queue's state lives in the Store: each session has its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from pullback.core import dtypes, shape
from pullback.core.dtypes import DType
from pullback.core.errors import InvalidArgumentError
from pullback.core.op import Op, op
from pullback.core.shape import Shape
from pullback.core.spec import Spec
from pullback.core.store import Resource, Store
from pullback.data import structure
from pullback.data.queue_states import PaddingState, PriorityState, QueueState, RandomShuffleState
from pullback.modes.function import TensorSpec

_HANDLE = Spec((), dtypes.resource)
_making = threading.Lock()


class QueueResource(Resource):
    """A queue's identity, and how its state begins in a Store. draws: of one that chooses by chance, the attributes
    that say how."""

    __slots__ = ("begin", "draws")

    def __init__(self, name: str, begin: Callable[[], QueueState], draws: dict[str, int] | None = None) -> None:
        super().__init__(name, _HANDLE)
        self.begin, self.draws = begin, draws or {}


def state_of(store: Store, queue: Any) -> QueueState:
    """The queue's state in a Store, made when it is first asked for."""
    with _making:
        found = store.get(queue)
        if found is None:
            found = queue.begin()
            store.write(queue, found)
        return found


class _Queue(Op):
    """Base of the ops that make a handle."""

    signature = "-> handle: resource"
    untestable = "is a handle; tests/unit/test_queues.py runs it"
    own_fields: ClassVar[tuple[str, ...]] = ("resource", "component_types", "shapes", "capacity")
    resource: QueueResource
    component_types: tuple[DType, ...]
    shapes: tuple[Shape, ...] = ()
    capacity: int = -1

    def infer(self) -> Spec:
        return _HANDLE

    def reference(self) -> Any:
        return self.resource

    def grad(self, node: Any, *dys: Any) -> Any:
        return ()

    def attrs(self) -> dict[str, Any]:
        return {
            "component_types": list(self.component_types),
            "shapes": [shape.TensorShape(s) for s in self.shapes],
            "capacity": self.capacity,
            "shared_name": self.resource.name.encode(),
            "container": b"",
            **self.resource.draws,
        }

    @classmethod
    def from_attrs(cls, attrs: dict[str, Any]) -> Any:
        """A queue of its own, with these attributes, as a graph's file says them."""
        name, size = attrs.get("shared_name", b"").decode() or "queue", int(attrs.get("capacity", -1))
        draws = {n: int(attrs[n]) for n in ("min_after_dequeue", "seed", "seed2") if n in attrs}
        held = QueueResource(name, lambda: cls._begun(name, size, draws), draws)
        return cls(held, tuple(attrs["component_types"]), tuple(attrs.get("shapes", ())), size)

    @classmethod
    def _begun(cls, name: str, size: int, draws: dict[str, int]) -> QueueState:
        return QueueState(name, size)


@op
class FIFOQueueV2(_Queue):
    """A queue that gives elements in the order they came."""


@op
class RandomShuffleQueueV2(_Queue):
    """A queue that gives elements in random order."""

    @classmethod
    def _begun(cls, name: str, size: int, draws: dict[str, int]) -> QueueState:
        seeds = draws.get("seed", 0), draws.get("seed2", 0)
        return RandomShuffleState(name, size, draws.get("min_after_dequeue", 0), seeds)


@op
class PaddingFIFOQueueV2(_Queue):
    """A queue that pads elements when it gives several."""

    @classmethod
    def _begun(cls, name: str, size: int, draws: dict[str, int]) -> QueueState:
        return PaddingState(name, size)


@op
class PriorityQueueV2(_Queue):
    """A queue that gives the element of the smallest number first."""

    @classmethod
    def _begun(cls, name: str, size: int, draws: dict[str, int]) -> QueueState:
        return PriorityState(name, size)


class _OnQueue(Op):
    """Base of the ops that take a handle first. They may wait; nothing is held meanwhile."""

    effect = True
    takes_store = True
    any_rank = True
    untestable = "takes what the queue holds, and waits for more; tests/unit/test_queues.py runs it"

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)


@op
class QueueEnqueueV2(_OnQueue):
    """Adds one element, waiting for room."""

    signature = "handle: resource, *components: any ->"

    def infer(self, handle: Spec, *components: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, store: Store, queue: Any, *components: Any) -> Any:
        state_of(store, queue).enqueue([components])
        return ()


@op
class QueueEnqueueManyV2(_OnQueue):
    """Adds the entries along the components' first axes as elements."""

    signature = "handle: resource, *components: any ->"

    def infer(self, handle: Spec, *components: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, store: Store, queue: Any, *components: Any) -> Any:
        columns = [structure.rows(c) for c in components]
        if len({len(c) for c in columns}) != 1:
            raise InvalidArgumentError(f"enqueue_many: first dimensions {[len(c) for c in columns]} must be equal")
        state_of(store, queue).enqueue(list(zip(*columns, strict=True)))
        return ()


class _Dequeue(_OnQueue):
    """Base of the ops that take elements."""

    component_types: tuple[DType, ...]
    shapes: tuple[Shape, ...]

    def visible(self, results: int) -> int:
        return results

    def _specs(self, lead: tuple[int | None, ...] = ()) -> tuple[Spec, ...]:
        return tuple(
            Spec(None if s is None else (*lead, *s), t) for s, t in zip(self.shapes, self.component_types, strict=True)
        )


@op
class QueueDequeueV2(_Dequeue):
    """One element's components."""

    signature = "handle: resource -> *components: any"
    component_types: tuple[DType, ...]
    shapes: tuple[Shape, ...]

    def infer(self, handle: Spec) -> tuple[Spec, ...]:
        return self._specs()

    def reference(self, store: Store, queue: Any) -> Any:
        return tuple(state_of(store, queue).dequeue(1)[0])


class _Several(_Dequeue):
    """Base of the two that take several elements."""

    fewer = False

    def reference(self, store: Store, queue: Any, n: Any) -> Any:
        if n < 0:
            raise InvalidArgumentError(f"{self.type}: cannot take {int(n)} elements")
        specs = [TensorSpec(s, t) for s, t in zip(self.shapes, self.component_types, strict=True)]
        if n == 0:
            return tuple(np.zeros((0, *[0 if d is None else d for d in s.shape]), s.dtype.numpy) for s in specs)
        state = state_of(store, queue)
        taken = state.dequeue(int(n), self.fewer)
        put = structure.stacked if state.kind != "PaddingFIFOQueue" else structure.padded
        return tuple(put(s, column) for s, column in zip(specs, zip(*taken, strict=True), strict=True))


@op
class QueueDequeueManyV2(_Several):
    """n elements, each component stacked along a new first axis."""

    signature = "handle: resource, n: int32 -> *components: any"
    static = (1,)
    component_types: tuple[DType, ...]
    shapes: tuple[Shape, ...]

    def infer(self, handle: Spec, n: Spec) -> tuple[Spec, ...]:
        return self._specs((n.value,))


@op
class QueueDequeueUpToV2(_Several):
    """n elements, or, once the queue is closed, as many as are left."""

    signature = "handle: resource, n: int32 -> *components: any"
    fewer = True
    component_types: tuple[DType, ...]
    shapes: tuple[Shape, ...]

    def infer(self, handle: Spec, n: Spec) -> tuple[Spec, ...]:
        return self._specs((None,))


@op
class QueueSizeV2(_OnQueue):
    """How many elements are in the queue."""

    signature = "handle: resource -> size: int32"

    def infer(self, handle: Spec) -> Spec:
        return Spec((), dtypes.int32)

    def reference(self, store: Store, queue: Any) -> Any:
        return np.int32(state_of(store, queue).size())


@op
class QueueIsClosedV2(_OnQueue):
    """Whether the queue is closed."""

    signature = "handle: resource -> is_closed: bool"

    def infer(self, handle: Spec) -> Spec:
        return Spec((), dtypes.bool_)

    def reference(self, store: Store, queue: Any) -> Any:
        return np.bool_(state_of(store, queue).closed)


@op
class QueueCloseV2(_OnQueue):
    """Closes the queue."""

    signature = "handle: resource ->"
    cancel_pending_enqueues: bool = False

    def infer(self, handle: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, store: Store, queue: Any) -> Any:
        state_of(store, queue).close(self.cancel_pending_enqueues)
        return ()
