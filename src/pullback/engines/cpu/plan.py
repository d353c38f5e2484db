"""Graph, shapes -> Recipe: trace, drop, fuse, order, place.

    nodes --trace--> items --live--> items --grouped--> groups, in order --placed--> arena, slots --> Recipe

A buffer of the arena lives from the item that makes it to the last that reads it; places are first fit. What leaves
the plan (results, what variables take) and what Python makes has a slot, whose memory may change from run to run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.graph import Graph
from pullback.core.spec import Spec
from pullback.core.tensor import Operation, Tensor
from pullback.engines.base import note, noted
from pullback.engines.cpu import fuse, opened, parts, updates
from pullback.engines.cpu.items import Item, Known, Native, Python, Write
from pullback.engines.cpu.run import Check, Recipe, Segment, Slot, Step
from pullback.engines.cpu.task import Buffer, Job
from pullback.engines.cpu.trace import Trace, UnplannableError
from pullback.native.arena import Arena

__all__ = ["made", "opened"]

WORD = 8  # bytes of what a job sets to refuse its operands


def made(
    nodes: Sequence[Operation],
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    given: Sequence[Any],
    fallback: Any,
) -> Recipe:
    """Plans.

    Args:
      given: for each input a Spec with known shape, or the value itself where the plan may rely on it.
    Raises:
      UnplannableError: it cannot be planned for these shapes.
    """
    trace = Trace(fallback)
    arguments = []
    for t, x in zip(inputs, given, strict=True):
        if isinstance(x, Spec):
            trace.env[id(t)] = Buffer(x.shape, x.dtype.numpy)  # type: ignore[arg-type]
        else:
            trace.env[id(t)] = Known(x)
        arguments.append(trace.env[id(t)])
    trace.walk(nodes)
    results = [trace.value(t) for t in outputs]
    return _Layout(trace, arguments, results).recipe()


def live(items: Sequence[Item], results: Sequence[Any]) -> list[Item]:
    """Without what nobody reads."""
    wanted = {id(r.of) for r in results if isinstance(r, Buffer)}
    kept = []
    for item in reversed(items):
        if item.effect or any(id(m.of) in wanted for m in item.makes):
            wanted.update(id(r.of) for r in item.reads)
            kept.append(item)
    return kept[::-1]


class _Layout:
    """Gives every buffer its place, and writes the recipe."""

    def __init__(self, trace: Trace, arguments: Sequence[Any], results: Sequence[Any]) -> None:
        self.trace, self.arguments, self.results = trace, arguments, results
        self.slots = len(arguments)
        groups = fuse.grouped(live(trace.items, results), results)
        self.resources = {id(buffer): resource for resource, buffer, _ in trace.variables}
        self.in_place = updates.in_place(groups, trace.variables, results)
        self.items = fuse.ordered(groups)
        for i, x in enumerate(arguments):
            if isinstance(x, Buffer):
                x.place = Slot(i)
        read = {id(r.of) for item in self.items for r in item.reads} | {
            id(r.of) for r in results if isinstance(r, Buffer)
        }
        self.reads = [
            (resource, self._slot(buffer), node) for resource, buffer, node in trace.variables if id(buffer) in read
        ]

    def _slot(self, buffer: Buffer) -> int:
        """A new slot, as the place of a buffer that has none."""
        if buffer.of.place is None:
            buffer.of.place = Slot(self.slots)
            self.slots += 1
        return buffer.of.place.index

    def recipe(self) -> Recipe:
        self._give_slots()
        jobs = self._jobs()
        size = self._place(jobs)
        return Recipe(
            steps=self._steps(jobs),
            expected=[(x.shape, x.dtype) if isinstance(x, Buffer) else None for x in self.arguments],
            slots=self.slots,
            bytes=size,
            refusals=len(self._refusals()),
            reads=self.reads,
            outputs=[self._output(r) for r in self.results],
            held=self.trace.held,
        )

    def _refusals(self) -> list[Buffer]:
        """The words that jobs set to refuse their operands, in order."""
        return [item.status for item in self.items if isinstance(item, Native) and item.status is not None]

    def _give_slots(self) -> None:
        """What leaves the plan, and what Python makes, lies in slots."""
        for item in self.items:
            if isinstance(item, Python):
                for made in item.makes:
                    self._slot(made)
            elif isinstance(item, Write):
                self._slot(item.value)
        for result in self.results:
            if isinstance(result, Buffer):
                self._slot(result)

    def _jobs(self) -> list[list[Job]]:
        """The jobs of each item."""
        read_by: dict[int, set[int]] = {}
        for n, item in enumerate(self.items):
            for r in item.reads:
                read_by.setdefault(id(r.of), set()).add(n)
        out = []
        for n, item in enumerate(self.items):
            if isinstance(item, fuse.Group):
                wanted = {
                    id(m.of) for m in item.makes if isinstance(m.of.place, Slot) or read_by.get(id(m.of), set()) - {n}
                }
                out.append(list(fuse.jobs_of(item, wanted)))
            else:
                out.append(item.jobs if isinstance(item, Native) else [])
        parts.in_parts(self.items, out, read_by)
        for item in self.items:
            _note(item)
        return out

    def _place(self, jobs: list[list[Job]]) -> int:
        """Puts every other buffer into the arena; gives its size."""
        last: dict[int, int] = {}
        for n, (item, own) in enumerate(zip(self.items, jobs, strict=True)):
            for buffer in [*item.reads, *[b for job in own for b in job.buffers()]]:
                last[id(buffer.of)] = n
        for item in self.items:
            if isinstance(item, Native) and item.status is not None:  # a complaint is looked into afterwards
                last.update((id(buffer.of), len(jobs)) for buffer in item.reads)
        arena = Arena()
        arena.take(WORD * len(self._refusals()))  # at its beginning, for good
        for i, word in enumerate(self._refusals()):
            word.place = ("arena", WORD * i)
        ending: dict[int, list[Buffer]] = {}
        for n, own in enumerate(jobs):
            heirs = _heirs(self.items[n], ending.get(n, [])) if isinstance(self.items[n], fuse.Group) else {}
            for buffer in [b for job in own for b in job.buffers()]:
                if buffer.of.place is None:
                    donor = heirs.get(id(buffer.of))
                    buffer.of.place = ("arena", arena.take(buffer.of.bytes)) if donor is None else donor.place
                    if donor is not None:
                        ending[n].remove(donor)
                    ending.setdefault(last[id(buffer.of)], []).append(buffer.of)
            for buffer in ending.pop(n, ()):
                arena.give_back(buffer.place[1])
        return arena.bytes

    def _steps(self, jobs: list[list[Job]]) -> list[Any]:
        steps: list[Any] = []
        segment: Segment | None = None
        for item, own in zip(self.items, jobs, strict=True):
            if isinstance(item, Python):
                segment = None
                makes = [(self._slot(m), m.shape) for m in item.makes]
                keeps = item.takes_store or any(m.dtype == object for m in item.makes)
                steps.append(Step(item.kernel, item.operands, makes, item.node, item.takes_store, keeps))
                continue
            over = [(m, self.in_place[id(m)]) for m in item.makes if id(m) in self.in_place]
            if segment is None or (over and segment.checks):  # nothing is overwritten before all was found right
                segment = Segment()
                steps.append(segment)
            segment.over += [(self._slot(new), self._slot(old), self.resources[id(old)]) for new, old in over]
            if isinstance(item, Write):
                segment.writes.append((item.resource, self._slot(item.value)))
            if isinstance(item, Native) and item.status is not None:
                segment.checks.append(Check(item.status.place[1] // WORD, item.kernel, item.operands, item.node))
            segment.jobs += own
            nodes = [m.node for m in item.members] if isinstance(item, fuse.Group) else [item.node]
            segment.serves += [nodes] * len(own)
            for m in item.makes:
                if isinstance(m.of.place, Slot):
                    segment.makes.append((m.of.place.index, m.of))
        self._drop(steps)
        return steps

    def _drop(self, steps: list[Any]) -> None:
        """Notes with each step the slots that it is the last to touch."""
        last: dict[int, Any] = {}
        for step in steps:
            for slot in _slots(step):
                last[slot] = step
        kept = {r.of.place.index for r in self.results if isinstance(r, Buffer)}
        for slot, step in last.items():
            if slot not in kept:
                step.drops.append(slot)

    def _output(self, result: Any) -> Any:
        """A slot and the shape it is seen in, or the value."""
        if isinstance(result, Known):
            value = result.value
            return None, value if isinstance(value, np.ndarray) or not isinstance(value, np.generic) else np.asarray(
                value
            )
        return self._slot(result), (None if result is result.of else result.shape)


def _heirs(group: Any, ending: Sequence[Buffer]) -> dict[int, Buffer]:
    """For results of a group's one pass, by id, an operand whose last reader it is, and whose place they can take: each
    point of it is read where the result's is written."""
    dying = []
    for b in ending:
        here = [r for r in group.reads if r.of is b]
        if here and all(r.shape == group.shape and not r.skip for r in here):
            dying.append(b)
    heirs: dict[int, Buffer] = {}
    for made in group.makes:
        fits = [b for b in dying if b.bytes == made.of.bytes and b.dtype.itemsize == made.dtype.itemsize]
        if fits and made.shape == group.shape and made is made.of:
            dying.remove(fits[0])
            heirs[id(made)] = fits[0]
    return heirs


def _note(item: Any) -> None:
    """Tells `engines.report` how an item's nodes are computed."""
    if isinstance(item, Python):
        how = f"Python step: {noted('blas', item.node.op.type)}"
    else:
        how = "fused" if isinstance(item, fuse.Group) else "machine code"
    for node in [m.node for m in item.members] if isinstance(item, fuse.Group) else [item.node]:
        note("cpu", node.op.type, how)


def _slots(step: Any) -> list[int]:
    """The slots that a step touches."""
    if isinstance(step, Step):
        reads, made = step.reads, [slot for slot, _ in step.makes]
    else:
        reads = [b for job in step.jobs for b in job.buffers()] + [r for check in step.checks for r in check.reads]
        made = [slot for slot, _ in (*step.makes, *[(slot, None) for _, slot in step.writes])]
    return made + [r.of.place.index for r in reads if isinstance(r, Buffer) and isinstance(r.of.place, Slot)]


def one(op: Any, given: Sequence[Any], fallback: Any) -> Recipe:
    """A plan of one op, for arguments as `made` takes them.

    Raises:
      UnplannableError: the room lowers it to nothing for these shapes.
    """
    body = Graph()
    with interpreter.entered(body):
        inputs = [body.parameter(x if isinstance(x, Spec) else interpreter.constant_spec(np.asarray(x))) for x in given]
        node = body.append(op, tuple(inputs))
    node.source = None  # the plan serves every line that calls the op: a complaint names the one that calls it then
    recipe = made([node], inputs, node.results, given, fallback)
    if any(isinstance(step, Step) for step in recipe.steps) or not recipe.steps:
        raise UnplannableError(f"{op.type}: no machine code for {given}")
    return recipe
