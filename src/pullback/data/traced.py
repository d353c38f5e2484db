"""The Python functions that a dataset calls: traced once to a graph, then run on every element.

Run         what an iteration knows: where variables live, what captured tensors are, what stages remember
Traced      a function of an element, as a body graph
Bound       a dataset with its Run: an element that is a dataset itself
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pullback.autograph.calls import traced
from pullback.core import interpreter, nest
from pullback.core.graph import Graph
from pullback.core.store import Resource, Store
from pullback.core.tensor import EagerTensor, Tensor
from pullback.data import structure
from pullback.data.structure import DatasetSpec, Leaves


class IterationStore(Store):
    """The Store of one iteration: variables are those of `outer`; what functions keep for themselves (random streams,
    counters) begins anew, so that every iteration sees the same draws from the same seeds."""

    __slots__ = ("_outer",)

    def __init__(self, outer: Store) -> None:
        super().__init__()
        self._outer = outer

    def read(self, resource: Resource) -> Any:
        return super().read(resource) if super().holds(resource) else self._outer.read(resource)

    def write(self, resource: Resource, value: Any) -> None:
        (self._outer.write if self._outer.holds(resource) else super().write)(resource, value)

    def get(self, resource: Resource, default: Any = None) -> Any:
        return super().get(resource, self._outer.get(resource, default))

    def holds(self, resource: Resource) -> bool:
        return super().holds(resource) or self._outer.holds(resource)


class Stage:
    """One transformation with a memory: shuffles that go on with their seeds, caches. Hashes by identity."""

    def __init__(self) -> None:
        self.memory: dict[Any, Any] = {}


class Run:
    """What an iteration knows.

    store: where variables live.
    values: {id of a captured symbolic tensor: its value}.
    memory: what stages remember; None: each in itself, as for a dataset that is iterated eagerly again and again.
    """

    def __init__(
        self, store: Store, values: dict[int, Any] | None = None, memory: dict[Any, Any] | None = None
    ) -> None:
        self.store, self.values, self.memory = store, values or {}, memory

    def of(self, tensor: Tensor) -> Any:
        """The value of a tensor that a dataset reads."""
        return tensor.value if isinstance(tensor, EagerTensor) else self.values[id(tensor)]

    def recall(self, stage: Stage, first: Callable[[], Any]) -> Any:
        """What a stage remembers; `first()` when it is new."""
        memory = stage.memory if self.memory is None else self.memory
        if stage not in memory:
            memory[stage] = first()
        return memory[stage]


class Bound:
    """A dataset and the Run to iterate it in."""

    def __init__(self, dataset: Any, run: Run) -> None:
        self.dataset, self.run = dataset, run

    def elements(self) -> Iterator[Leaves]:
        return self.dataset._elements(self.run)

    def size(self) -> int:
        return self.dataset._size(self.run)


class Traced:
    """A function of elements.

    Args:
      f: takes the elements as users see them.
      specs: for each argument its spec nest.
      outer: the interpreter that the function's free tensors belong to.
      as_dataset: makes a dataset of (variant tensor, element spec).
    Attributes:
      spec: of what f returned. reads: the tensors outside that it captured.
    """

    def __init__(
        self, f: Callable[..., Any], specs: tuple[Any, ...], outer: Any, as_dataset: Callable[[Any, Any], Any]
    ) -> None:
        self.body = body = Graph(outer.dialect, outer, getattr(f, "__name__", "function").strip("<>"))
        with body.as_default():
            arguments = []
            for spec in specs:
                leaves, built = nest.flatten(spec)
                parts = [[body.parameter(s, "args") for s in structure.component_specs(leaf)] for leaf in leaves]
                seen = [structure.from_components(s, p, as_dataset) for s, p in zip(leaves, parts, strict=True)]
                arguments.append(nest.unflatten(built, seen))
            leaves, self.structure = _flattened(structure.spelled(_returned, _spread(traced(f)(*arguments))))
            self._returned = leaves
            body.outputs = [body.adopt(t) for leaf in leaves for t in _outputs(leaf)]
        self.leaf_specs = [structure.leaf_spec(leaf) for leaf in leaves]
        self.spec = nest.unflatten(self.structure, self.leaf_specs)
        self._given = [s for spec in specs for s in nest.leaves_of(spec)]
        self.outside = [outer for outer, _ in body.captures.values()]
        self.reads = [t for t in self.outside if not isinstance(t, EagerTensor)]

    def bound(self, run: Run) -> Callable[..., Leaves]:
        """The function on flat leaves, in a run."""
        program, captured = interpreter.engine().program(self.body), [run.of(t) for t in self.outside]
        store = IterationStore(run.store)

        def call(*leaves: Any) -> Leaves:
            results = list(program(store, *structure.flat_values(self._given, leaves), *captured))
            return tuple(
                [
                    self._leaf(leaf, spec, results, run)
                    for leaf, spec in zip(self._returned, self.leaf_specs, strict=True)
                ]
            )

        return call

    def _leaf(self, leaf: Any, spec: Any, results: list[Any], run: Run) -> Any:
        if isinstance(spec, DatasetSpec):
            values = {id(t): results.pop(0) for t in leaf._reads}
            return Bound(leaf, Run(run.store, values, {}))
        parts = [results.pop(0) for _ in structure.component_specs(spec)]
        return structure.from_values([spec], parts)[0]


def _spread(result: Any) -> Any:
    """A list that a function returns, as functions of several outputs do, is a tuple of components."""
    return tuple(result) if type(result) is list else result


def _returned(value: Any) -> Any:
    """A leaf of a function's result."""
    if isinstance(value, (list, int, float, str, bytes, bool)) or type(value).__module__ == "numpy":
        return interpreter.as_tensor(value)
    return structure.as_leaf(value)


def _outputs(leaf: Any) -> list[Tensor]:
    return leaf._reads if hasattr(leaf, "element_spec") else structure.components(leaf)


def _flattened(result: Any) -> tuple[list[Any], Any]:
    """The leaves of a result, sparse tensors whole."""
    leaves: list[Any] = []

    def noted(leaf: Any) -> int:
        leaves.append(leaf)
        return len(leaves) - 1

    order, built = nest.flatten(structure.spelled(noted, result))
    return [leaves[i] for i in order], built
