"""Values of a checkpoint of objects to the objects that are there, now or later.

Saved and live objects are matched by walking both graphs from their roots along the same local names. What is not
there yet, as the variables of a layer that was not called, gets its value before it is first read.
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any

from pullback.core.errors import InvalidArgumentError
from pullback.io import checkpoints
from pullback.modes.default import init_scope
from pullback.modes.variable import Variable, watchers
from pullback.train.optimizer import Optimizer
from pullback.train.optimizer_state import OptimizerState
from pullback.train.trackable import VALUE, children_of


class Restoration:
    """One checkpoint on its way to the objects below a root.

    Args:
      root: the live root object.
      found: the checkpoint. path: its name, for errors.
      saved: its TrackableObjectGraph.
      session: where graph variables get their values; None for eager ones.
    """

    def __init__(self, root: Any, found: checkpoints.Checkpoint, saved: Any, path: str, session: Any = None) -> None:
        self.root, self.saved, self.path, self.session = root, saved, path, session
        self.found: checkpoints.Checkpoint | None = found
        self.matched: dict[int, Any] = {}  # saved node -> live object
        self.restored: dict[int, Any] = {}  # saved node -> variable that has its value

    def proceed(self) -> None:
        """Matches what there is, and restores what is matched and was not restored before.

        Raises:
          ValueError: a variable has another shape. InvalidArgumentError: another type.
        """
        while self._match() or self._build_optimizers():
            pass
        for at, live in self.matched.items():
            if at not in self.restored and isinstance(live, Variable) and self.session is not Later:
                self._assign(at, live)

    def wait(self) -> None:
        """Goes on whenever variables were made, until everything has its value."""
        if self.unrestored():
            _waiting.add(self)

    def unrestored(self) -> list[str]:
        """Keys of the values that no variable has taken."""
        return [
            a.checkpoint_key
            for i, node in enumerate(self.saved.nodes)
            for a in node.attributes
            if a.name == VALUE and i not in self.restored
        ]

    def unmatched(self) -> list[Variable]:
        """The live variables below the root that got no value."""
        done = {id(v) for v in self.restored.values()}
        seen, waiting, out = {id(self.root)}, deque([self.root]), []
        while waiting:
            value = waiting.popleft()
            if isinstance(value, Variable) and id(value) not in done:
                out.append(value)
            for child in children_of(value).values():
                if id(child) not in seen:
                    seen.add(id(child))
                    waiting.append(child)
        return out

    def _match(self) -> bool:
        """Whether anything new was matched."""
        before = len(self.matched)
        self.matched[0] = self.root
        waiting = deque([0])
        seen = {0}
        while waiting:
            at = waiting.popleft()
            live = self.matched[at]
            held = children_of(live)
            for child in self.saved.nodes[at].children:
                if child.local_name in held:
                    self.matched.setdefault(child.node_id, held[child.local_name])
                if child.node_id in self.matched and child.node_id not in seen:
                    seen.add(child.node_id)
                    waiting.append(child.node_id)
            self._match_slots(at, live)
        return len(self.matched) > before

    def _match_slots(self, at: int, live: Any) -> None:
        for slot in self.saved.nodes[at].slot_variables if isinstance(live, Optimizer) else ():
            variable = self.matched.get(slot.original_variable_node_id)
            made = live.get_slot(variable, slot.slot_name) if isinstance(variable, Variable) else None
            if made is not None:
                self.matched.setdefault(slot.slot_variable_node_id, made)

    def _build_optimizers(self) -> bool:
        """Lets optimizers that have not taken a step make what they keep for the variables. Whether one did."""
        built = False
        for at, live in list(self.matched.items()):
            node = self.saved.nodes[at]
            if isinstance(live, OptimizerState) and not live.built:
                trained = next((c.node_id for c in node.children if c.local_name == "_trainable_variables"), None)
                wanted = [c.node_id for c in self.saved.nodes[trained].children] if trained is not None else []
            elif isinstance(live, Optimizer) and not live._slots:
                wanted = list(dict.fromkeys(s.original_variable_node_id for s in node.slot_variables))
            else:
                continue
            variables = [self.matched[i] for i in wanted if isinstance(self.matched.get(i), Variable)]
            if wanted and len(variables) == len(wanted):
                live.build(variables) if isinstance(live, OptimizerState) else live._create_slots(variables)
                built = True
        return built

    def _assign(self, at: int, variable: Variable) -> None:
        key = next((a.checkpoint_key for a in self.saved.nodes[at].attributes if a.name == VALUE), None)
        if key is None or self.found is None or key not in self.found:
            return
        assign(variable, self.found, key, self.session)
        self.restored[at] = variable
        if not self.unrestored():
            self.found = None  # nothing is wanted of it any more
            _waiting.discard(self)


class Later:
    """In the place of a session: graph variables wait until one is given."""


def assign(variable: Variable, found: checkpoints.Checkpoint, key: str, session: Any) -> None:
    """Gives a variable the value under a key.

    Raises:
      ValueError: its shape is another. InvalidArgumentError: its type is.
    """
    dtype, shape = found.dtype(key), found.shape(key)
    if not variable.shape.is_compatible_with(shape):
        raise ValueError(
            f"Received incompatible tensor with shape {shape} when attempting to restore variable with shape "
            f"{variable.shape} and name {variable.name}."
        )
    if dtype is not variable.dtype:
        raise InvalidArgumentError(
            f"variable {variable.name!r} is {variable.dtype.name}, but {key!r} in the checkpoint is {dtype.name}"
        ).locate()
    value = found.tensor(key)
    variable.assign(value) if session is None else variable.load(value, session)


class _Waiting:
    """The restorations that lack objects. Goes on with them when a variable made since is first read, by when it hangs
    on the object it belongs to."""

    def __init__(self) -> None:
        self._restorations: weakref.WeakSet[Restoration] = weakref.WeakSet()
        self._new = self._busy = False

    def add(self, restoration: Restoration) -> None:
        self._restorations.add(restoration)
        if self not in watchers:
            watchers.append(self)

    def discard(self, restoration: Restoration) -> None:
        self._restorations.discard(restoration)

    def made(self) -> None:
        """A variable was made."""
        self._new = True

    def read(self) -> None:
        """A variable is about to be read."""
        if not self._new or self._busy:
            return
        self._new, self._busy = False, True
        try:
            with init_scope():
                for restoration in list(self._restorations):
                    restoration.proceed()
        finally:
            self._busy = False
        if not self._restorations:
            watchers.remove(self)


_waiting = _Waiting()
