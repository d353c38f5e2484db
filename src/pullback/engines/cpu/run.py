"""How a plan runs: native segments over one arena, Python steps between them.

A Recipe is what planning made, and never changes. An Instance is a recipe with memory: an arena, the jobs, their
argument tables. Addresses inside the arena are written once; those of inputs, variables and results are written when
they change. A run leases an instance, so runs in several threads never share one.
"""

from __future__ import annotations

import ctypes
import itertools
import operator
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from pullback.core import memory
from pullback.core.errors import OpError
from pullback.engines.cpu.task import Buffer, Job
from pullback.native import pool
from pullback.native.entry import DENSE

# Work below this many nanoseconds is not worth waking anybody.
SHARED_WORK = 20_000.0
_MOST_INSTANCES = 4
_DATA = 16  # where an array object holds the address of its data, in CPython


def _address(array: Any) -> int:
    """Of an array's data."""
    return _word.from_address(id(array) + _DATA).value


def _count_of_local() -> int:
    """What `sys.getrefcount` says of an array that one local variable holds; from 3.14 on that is 1."""
    array = np.empty(0)
    return sys.getrefcount(array)


_ONE_LOCAL = _count_of_local()
_word = ctypes.c_int64
_probe = np.zeros(3)
if sys.implementation.name != "cpython" or _address(_probe) != _probe.ctypes.data:

    def _address(array: Any) -> int:
        """Of an array's data."""
        return array.ctypes.data


class Slot:
    """A place whose memory changes from run to run: an input, a variable, a result, what a Python step made."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class Check(NamedTuple):
    """A word, counted from the arena's beginning, that must be zero after a segment; elsewhere `kernel` is called with
    the reads, and raises."""

    word: int
    kernel: Callable[..., Any]
    reads: Sequence[Any]
    node: Any


@dataclass
class Segment:
    """Jobs that run in one native call."""

    jobs: list[Job] = field(default_factory=list)
    makes: list[tuple[int, Buffer]] = field(default_factory=list)  # slots to be filled with fresh arrays first
    writes: list[tuple[Any, int]] = field(default_factory=list)  # (resource, slot) to be stored afterwards
    checks: list[Check] = field(default_factory=list)
    serves: list[list[Any]] = field(default_factory=list)  # for each job the nodes that it computes
    drops: list[int] = field(default_factory=list)  # slots that nobody needs afterwards
    # (slot, slot of the array that it may take, weak resource that holds that)
    over: list[tuple[int, int, Any]] = field(default_factory=list)


@dataclass
class Step:
    """A kernel called from Python. Reads are Buffers or plain values; makes are slots and the shapes that jobs rely on.

    keeps: it may keep what it is given, in a list or in the Store, so it is given copies of what lies in the arena.
    """

    kernel: Callable[..., Any]
    reads: list[Any]
    makes: list[tuple[int, Any]]
    node: Any
    takes_store: bool
    keeps: bool
    drops: list[int] = field(default_factory=list)


@dataclass
class Recipe:
    """A plan.

    expected: for each argument its shape and dtype, or None where the plan was made for its value.
    slots: how many; the first are the arguments'. reads: (weak resource, slot, node), fetched at the start.
    outputs: for each (slot, shape it is seen in or None for its own), or (None, value).
    held: constants' arrays, whose addresses are in the jobs.
    refusals: how many words at the arena's beginning are set where a job refuses its operands.
    """

    steps: list[Segment | Step]
    expected: list[tuple[tuple[int, ...], Any] | None]
    slots: int
    bytes: int
    reads: list[tuple[Any, int, Any]]
    outputs: list[tuple[int | None, Any]]
    held: list[Any]
    refusals: int = 0


class Instance:
    """A recipe with memory of its own."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.memory = memory.aligned(recipe.bytes) if recipe.bytes else np.empty(0, np.uint8)
        self.base = self.memory.ctypes.data
        self.refusals = (_word * recipe.refusals).from_address(self.base)
        ctypes.memset(self.refusals, 0, ctypes.sizeof(self.refusals))
        self.spare: dict[int, Any] = {}
        self._where: list[list[tuple[int, int]]] = [[] for _ in range(recipe.slots)]
        self._known = [0] * recipe.slots
        segments = [s for s in recipe.steps if isinstance(s, Segment)]
        jobs = [job for segment in segments for job in segment.jobs]
        self._words = (_word * max(1, sum(len(job.words) for job in jobs)))()
        self._jobs = np.zeros((max(1, len(jobs)), pool.JOB_WORDS), np.int64)
        self._lay_out(jobs)
        self.calls: list[tuple[int, int, bool]] = []
        at = 0
        for segment in segments:
            shared = sum(job.cost for job in segment.jobs) > SHARED_WORK
            self.calls.append((self._jobs.ctypes.data + at * pool.JOB_WORDS * 8, len(segment.jobs), shared))
            at += len(segment.jobs)
        self.views: dict[int, Any] = {}

    def _lay_out(self, jobs: Sequence[Job]) -> None:
        at, start = 0, ctypes.addressof(self._words)
        for row, job in zip(self._jobs, jobs, strict=False):
            row[: pool.CLAIMED] = job.address(), start + 8 * at, job.items, job.shares
            for word in job.words:
                self._words[at] = self._as_word(word, at)
                at += 1

    def _as_word(self, word: Any, at: int) -> int:
        if isinstance(word, Buffer):
            place = word.of.place
            if isinstance(place, Slot):
                self._where[place.index].append((at, word.skip))
                return 0
            return place[1] + word.skip + (self.base if place[0] == "arena" else 0)
        if isinstance(word, np.generic):
            return int.from_bytes(word.tobytes().ljust(8, b"\0"), "little", signed=True)
        return int(word)

    def places(self, slot: int) -> list[tuple[int, int]]:
        """Where the address of the slot's memory is written: (address of a word, bytes to be added)."""
        start = ctypes.addressof(self._words)
        return [(start + 8 * at, skip) for at, skip in self._where[slot]]

    def uses(self, slot: int) -> bool:
        """Whether jobs read or write the slot's memory."""
        return bool(self._where[slot])

    def bind(self, slot: int, array: Any) -> None:
        """Lets a slot be this array's memory."""
        where = self._where[slot]
        if where:
            address = _address(array)
            if address != self._known[slot]:
                self._known[slot] = address
                for at, skip in where:
                    self._words[at] = address + skip

    def view(self, buffer: Buffer) -> Any:
        """A buffer of the arena as an array."""
        found = self.views.get(id(buffer))
        if found is None:
            # what holds nothing may be in no job, and so have no place
            offset = buffer.of.place[1] if buffer.bytes else 0
            raw = self.memory[offset : offset + buffer.bytes]
            found = self.views[id(buffer)] = raw.view(buffer.dtype).reshape(buffer.shape)
        return found


class Runner:
    """A recipe that can be called: `runner(store, *arrays)` gives a tuple of arrays."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._idle: list[Instance] = []
        self._leaving = {slot for slot, _ in recipe.outputs if slot is not None}

    def __call__(self, store: Any, *values: Any) -> tuple[Any, ...]:
        try:
            instance = self._idle.pop()
        except IndexError:
            instance = Instance(self.recipe)
        made = self._run(instance, store, values)
        # After an error, Ctrl-C included, the instance is dropped: it may be half bound.
        if len(self._idle) < _MOST_INSTANCES:
            self._idle.append(instance)
        return made

    def _run(self, instance: Instance, store: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
        recipe = self.recipe
        env: list[Any] = [None] * recipe.slots
        for i, value in enumerate(values):
            env[i] = value
            self._bound(instance, env, i)
        for resource, slot, node in recipe.reads:
            env[slot] = self._read(store, resource, node)
            self._bound(instance, env, slot)
        calls = iter(instance.calls)
        for step in recipe.steps:
            if isinstance(step, Segment):
                self._segment(instance, store, step, env, next(calls))
            else:
                self._step(instance, store, step, env)
            for slot in step.drops:
                env[slot] = None
        return tuple([_output(env, slot, what) for slot, what in recipe.outputs])

    def _read(self, store: Any, resource: Any, node: Any) -> Any:
        """What a variable holds."""
        try:
            return store.read(resource())
        except OpError as error:
            raise error.locate(node.where) from None

    def _segment(self, instance: Instance, store: Any, step: Segment, env: list[Any], call: Any) -> None:
        """One native call, and what goes with it."""
        address, count, shared = call
        lent: list[tuple[Any, Any]] = []
        try:
            for slot, old, weak in step.over:
                self._take_over(instance, store, weak(), slot, old, env, lent)
            for slot, buffer in step.makes:
                made = instance.spare.pop(slot, None) if instance.spare else None
                env[slot] = memory.empty(buffer.shape, buffer.dtype) if made is None else made
                instance.bind(slot, env[slot])
            if shared:
                pool.pool().run(address, count)
            elif count:
                pool.alone(address, count)
        finally:
            for resource, array in lent:
                store.write(resource, array)
        for check in step.checks:
            if instance.refusals[check.word]:
                self._refused(instance, env, check)
        for resource, slot in step.writes:
            self._write(instance, store, resource(), slot, env)

    def _take_over(
        self, instance: Instance, store: Any, resource: Any, slot: int, old: int, env: list[Any], lent: list[Any]
    ) -> None:
        """Lets a variable's new value lie where its old one does, if nobody else holds that."""
        if not _writable(env[old]):
            return
        lent.append((resource, store.lend(resource)))
        # Beside the run's slots the list and what stands in the Store hold it, and nobody else may.
        if lent[-1][1] is env[old] and _held(env, old) == _ONE_LOCAL + 2:
            instance.spare[slot] = env[old]
        else:
            store.write(*lent.pop())

    def _refused(self, instance: Instance, env: list[Any], check: Check) -> None:
        """Lets the op's own kernel say what is wrong with what it was given."""
        try:
            with np.errstate(all="ignore"):
                check.kernel(*[_operand(instance, env, r, keeps=False) for r in check.reads])
        except OpError as error:
            raise error.locate(check.node.where) from None
        raise RuntimeError(f"{check.node.op.type}: machine code refused what the op's own kernel takes")

    def _bound(self, instance: Instance, env: list[Any], slot: int) -> None:
        value = env[slot]
        if type(value) is np.ndarray:
            if value.flags.num & DENSE != DENSE:
                env[slot] = value = np.ascontiguousarray(value).reshape(value.shape)
            instance.bind(slot, value)
        elif isinstance(value, np.generic):
            env[slot] = value = np.asarray(value)
            instance.bind(slot, value)

    def _step(self, instance: Instance, store: Any, step: Step, env: list[Any]) -> None:
        reads = [_operand(instance, env, r, step.keeps) for r in step.reads]
        try:
            with np.errstate(all="ignore"):
                made = step.kernel(store, *reads) if step.takes_store else step.kernel(*reads)
        except OpError as error:
            raise error.locate(step.node.where) from None
        values = made if type(made) is tuple else (made,)
        for (slot, shape), value in zip(step.makes, values, strict=False):
            if instance.uses(slot) and np.shape(value) != shape:
                raise RuntimeError(
                    f"{step.node.op.type} {step.node.name!r} gave shape {np.shape(value)}; its `infer` says {shape}"
                )
            if type(value) is np.ndarray and value.base is not None and np.may_share_memory(value, instance.memory):
                value = value.copy()
            env[slot] = value
            self._bound(instance, env, slot)

    def _write(self, instance: Instance, store: Any, resource: Any, slot: int, env: list[Any]) -> None:
        """Stores a variable's new array; the old one, if nobody else holds it, receives the next."""
        old, new = store.get(resource), env[slot]
        store.write(resource, new)
        if (
            old is not new
            and type(old) is np.ndarray
            and old.shape == new.shape
            and old.dtype == new.dtype
            and memory.owned(old)
        ):
            places = [i for i, held in enumerate(env) if held is old]
            if not self._leaving.intersection(places) and sys.getrefcount(old) == _ONE_LOCAL + len(places):
                instance.spare[slot] = old


def _writable(array: Any) -> bool:
    return type(array) is np.ndarray and memory.owned(array) and array.flags.writeable


def _held(env: list[Any], slot: int) -> int:
    """How often a slot's array is held, here included but not in slots."""
    array = env[slot]
    places = sum(map(operator.is_, env, itertools.repeat(array)))
    return sys.getrefcount(array) - places


def _operand(instance: Instance, env: list[Any], read: Any, keeps: bool) -> Any:
    """What a Python step is given for an operand."""
    if type(read) is not Buffer:
        return read
    if type(read.of.place) is not Slot:
        return instance.view(read).copy() if keeps else instance.view(read)
    value = env[read.of.place.index]
    return value if read is read.of or type(value) is not np.ndarray else value.reshape(read.shape)


def _output(env: list[Any], slot: int | None, what: Any) -> Any:
    if slot is None:
        return what
    value = env[slot]
    return value if what is None else value.reshape(what)
