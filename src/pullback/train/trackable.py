"""The objects that a checkpoint of objects holds, as a graph: `TrackableObjectGraph`.

    object --local name--> object ...      a variable has a value, under the shortest path from the root:
                                           model/layers/0/w/.ATTRIBUTES/VARIABLE_VALUE
Names, paths and their escapes are TensorFlow's.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from pullback.io import messages
from pullback.modes.variable import Variable
from pullback.train.optimizer import Optimizer
from pullback.train.optimizer_state import OptimizerState

VALUE = "VARIABLE_VALUE"
# Attributes in which layers, metrics and optimizers keep the same variables a second time.
_TWICE = ("_trainable", "_kept", "_weights", "_index", "_undecayed", "_done")


def is_trackable(value: Any) -> bool:
    """Whether an attribute's value is part of the graph: variables, what has `variables` (modules, layers, metrics,
    optimizers), and lists, tuples and dicts of these."""
    kind = type(value)
    if isinstance(value, (Variable, Optimizer)) or hasattr(kind, "variables") or hasattr(kind, "_trackable_children"):
        return True
    if isinstance(value, dict):
        return any(is_trackable(v) for v in value.values())
    return isinstance(value, (list, tuple)) and any(is_trackable(v) for v in value)


def children_of(value: Any) -> dict[str, Any]:
    """Local name -> object, of what an object holds. An object may say so itself by `_trackable_children()`."""
    if isinstance(value, Variable):
        return {}
    if isinstance(value, (list, tuple)):
        return {str(i): v for i, v in enumerate(value) if is_trackable(v)}
    if isinstance(value, dict):
        return {str(k): v for k, v in value.items() if is_trackable(v)}
    if hasattr(value, "_trackable_children"):
        return value._trackable_children()
    if isinstance(value, Optimizer):
        return {name: made for (name, _), (_, made) in value._non_slots.items()}
    held = {name: v for name, v in vars(value).items() if name not in _TWICE and is_trackable(v)}
    if isinstance(value, OptimizerState):
        held["_variables"], held["_trainable_variables"] = value._variables, value._trainable
    return held


def escaped(name: str) -> str:
    """A local name as part of a path."""
    return name.replace(".", "..").replace("/", ".S")


class ObjectGraph:
    """What hangs on a root, breadth first.

    nodes: the objects, the root first.
    children: for each of them {local name: place of the object}. paths: the shortest way to each.
    """

    def __init__(self, root: Any) -> None:
        self.nodes: list[Any] = [root]
        self.children: list[dict[str, int]] = []
        self.paths: list[tuple[str, ...]] = [()]
        places = {id(root): 0}
        waiting = deque([0])
        while waiting:
            at = waiting.popleft()
            found: dict[str, int] = {}
            for name, child in children_of(self.nodes[at]).items():
                place = places.get(id(child))
                if place is None:
                    place = places[id(child)] = len(self.nodes)
                    self.nodes.append(child)
                    self.paths.append((*self.paths[at], name))
                    waiting.append(place)
                found[name] = place
            self.children.append(found)
        self.slots = [slot for at, node in enumerate(self.nodes) for slot in self._slots_of(at, node, places)]

    def _slots_of(self, at: int, node: Any, places: dict[int, int]) -> list[tuple[int, int, str, Any]]:
        """(optimizer, variable, slot name, slot variable) of TensorFlow 1's optimizers."""
        if not isinstance(node, Optimizer):
            return []
        return [
            (at, places[id(variable)], name, slot)
            for name, slots in node._slots.items()
            for variable, slot in slots.values()
            if id(variable) in places
        ]

    def key(self, at: int) -> str:
        """The key of a variable's value."""
        return "/".join([*map(escaped, self.paths[at]), ".ATTRIBUTES", VALUE])

    def slot_key(self, optimizer: int, variable: int, name: str) -> str:
        """The key of a slot's value."""
        paths = [*map(escaped, self.paths[variable]), ".OPTIMIZER_SLOT", *map(escaped, self.paths[optimizer])]
        return "/".join([*paths, escaped(name), ".ATTRIBUTES", VALUE])

    def variables(self) -> dict[str, Variable]:
        """Key -> variable, slots included."""
        found = {self.key(i): node for i, node in enumerate(self.nodes) if isinstance(node, Variable)}
        found.update((self.slot_key(o, v, name), slot) for o, v, name, slot in self.slots)
        return found

    def message(self) -> Any:
        """The graph as a TrackableObjectGraph."""
        made = messages.TrackableObjectGraph()
        for at, node in enumerate(self.nodes):
            written = made.nodes.add()
            for name, place in self.children[at].items():
                written.children.add(node_id=place, local_name=name)
            if isinstance(node, Variable):
                written.attributes.add(name=VALUE, full_name=node._shared_name, checkpoint_key=self.key(at))
        for optimizer, variable, name, slot in self.slots:
            key = self.slot_key(optimizer, variable, name)
            made.nodes.add().attributes.add(name=VALUE, full_name=slot._shared_name, checkpoint_key=key)
            made.nodes[optimizer].slot_variables.add(
                original_variable_node_id=variable, slot_name=name, slot_variable_node_id=len(made.nodes) - 1
            )
        _note_values(made)
        return made


def _note_values(made: Any) -> None:
    """Says of each node whether it, or what hangs on it, has values."""
    has = [bool(node.attributes or node.slot_variables) for node in made.nodes]
    changed = True
    while changed:
        changed = False
        for i, node in enumerate(made.nodes):
            if not has[i] and any(has[child.node_id] for child in node.children):
                has[i] = changed = True
    for node, value in zip(made.nodes, has, strict=True):
        node.has_checkpoint_values.value = value
