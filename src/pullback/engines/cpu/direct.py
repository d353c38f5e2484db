"""How a plan without Python steps runs: one call finds its arrays by itself.

    arrays, variables' arrays, fresh results --entry--> addresses written, jobs run

A plan of microseconds would spend most of its time on writing addresses down from Python (run.py). The entry also
looks whether the arrays are those that the plan was made for, so the plan used last is tried before it is searched for.
Work that is worth sharing is then done by all threads, and other Python threads go on meanwhile; the rest is done in
the entry itself.
"""

from __future__ import annotations

import ctypes
from itertools import compress
from typing import Any

from pullback.core import memory
from pullback.engines.cpu.run import Instance, Recipe, Runner, Segment
from pullback.native import entry, pool


class Direct(Runner):
    """A recipe of one segment. What the entry does not take, strided arrays for one, what a job refuses, and a call
    while another uses the plan's memory, runs as in any Runner."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        (segment,) = recipe.steps
        assert isinstance(segment, Segment)
        fresh = dict(segment.makes)  # slot -> buffer
        given = [i for i, what in enumerate(recipe.expected) if what is not None]
        # For each argument whether it is given to the entry; the others are what the plan was made for.
        self._selected = None if len(given) == len(recipe.expected) else [w is not None for w in recipe.expected]
        slots = [*given, *[slot for _, slot, _ in recipe.reads], *fresh]
        place = {slot: i for i, slot in enumerate(slots)}
        self._reads = [(resource, node) for resource, _, node in recipe.reads]
        held = [resource().spec for resource, _ in self._reads]
        expected = [*[what for what in recipe.expected if what is not None], *[(s.shape, s.dtype.numpy) for s in held]]
        self._makers = [memory.maker(b.shape, b.dtype) for b in fresh.values()]
        self._writes = [(resource, place[slot]) for resource, slot in segment.writes]
        self._results = [(None if slot is None else place[slot], what) for slot, what in recipe.outputs]
        # Whether the results are the fresh arrays in their order, and no variable takes one.
        in_order = [slot for slot, _ in recipe.outputs] == list(fresh)
        self._plain = in_order and not self._writes and all(what is None for _, what in recipe.outputs)
        self._instance = Instance(recipe)  # its memory, words and jobs are the entry's
        ((jobs, count, shared),) = self._instance.calls
        self._lease = [(jobs, count)] if shared else None  # taken out while threads work in the plan's memory
        moves = [(place[slot], *where) for slot in slots for where in self._instance.places(slot)]
        self._refusals = self._instance.refusals
        count, refusals = (0, ()) if shared else (count, self._refusals)
        self._call = entry.prepared(jobs, count, expected, moves, len(fresh), refusals)

    def __call__(self, store: Any, *values: Any) -> tuple[Any, ...]:
        made = self.tried(store, values)
        return super().__call__(store, *values) if made is None else made

    def tried(self, store: Any, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The results, or None: these are not dense arrays of the shapes and types that the plan was made for, or a
        job refuses them. Arguments that it was made for by value must have that value."""
        if self._selected is not None:
            values = tuple(compress(values, self._selected))
        if self._reads:
            values = (*values, *[self._read(store, resource, node) for resource, node in self._reads])
        made = tuple([make() for make in self._makers])
        ran = self._call(*values, *made) if self._lease is None else self._shared(*values, *made)
        if not ran:
            return None
        return made if self._plain else self._kept(store, (*values, *made))

    def _shared(self, *arrays: Any) -> bool:
        """As the entry, by all threads."""
        assert self._lease is not None
        try:
            jobs, count = self._lease.pop()
        except IndexError:  # another thread's arrays are bound
            return False
        try:
            if not self._call(*arrays):
                return False
            pool.pool().run(jobs, count)
            if not any(self._refusals):
                return True
            ctypes.memset(self._refusals, 0, ctypes.sizeof(self._refusals))
            return False
        finally:
            self._lease.append((jobs, count))

    def _kept(self, store: Any, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        """Stores what variables take; gives the results."""
        for resource, i in self._writes:
            store.write(resource(), arrays[i])
        return tuple(
            [what if i is None else arrays[i] if what is None else arrays[i].reshape(what) for i, what in self._results]
        )


def runner(recipe: Recipe) -> Runner:
    """What runs a recipe."""
    return (Direct if _is_direct(recipe) and entry.available() else Runner)(recipe)


def _is_direct(recipe: Recipe) -> bool:
    """Whether a recipe is one segment that overwrites nothing."""
    if len(recipe.steps) != 1:
        return False
    (segment,) = recipe.steps
    return isinstance(segment, Segment) and not segment.over
