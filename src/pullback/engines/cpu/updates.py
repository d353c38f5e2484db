"""Variables updated where they lie.

A new value may take the memory of the old one if it is made point by point from it, in one pass, and everybody else who
reads the old value has done so. The second is made true by order: the pass waits for them, unless one of them waits for
the pass. Whether somebody outside the plan still holds the old array is seen at run time; then a fresh one is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pullback.engines.cpu.fuse import Group, reaches
from pullback.engines.cpu.items import Map, Native, Python, Write
from pullback.engines.cpu.task import Buffer

# Variables smaller than this are not worth the search: they have a second array.
LEAST = 1 << 14


def in_place(items: Sequence[Any], variables: Sequence[Any], results: Sequence[Any]) -> dict[int, Buffer]:
    """For new values that may lie where the old ones do: id of the new buffer -> the old one. Makes the passes that
    write them wait for those who read.

    Args:
      items: groups and other items, not in order yet.
      variables: (weak resource, buffer it is read into, node).
    """
    old_of = {id(resource()): buffer for resource, buffer, _ in variables if buffer.bytes >= LEAST}
    leaving = {id(r.of) for r in results if isinstance(r, Buffer)}
    writes = [i for i in items if isinstance(i, Write)]
    times = Counter(id(w.resource()) for w in writes)
    makers = {id(m.of): g for g in items if isinstance(g, Group) for m in g.makes}
    checked = [i for i in items if isinstance(i, Native) and i.status is not None]
    found: dict[int, Buffer] = {}
    for write in writes:
        key = id(write.resource())
        old, new = old_of.get(key), write.value
        group = makers.get(id(new.of))
        if old is None or group is None or times[key] > 1 or id(old) in leaving:
            continue
        if new.shape != old.shape or new.dtype != old.dtype or not _point_by_point(group, old, new):
            continue
        others = [i for i in items if i is not group and any(r.of is old for r in i.reads)]
        # What may refuse the step (an assertion) stands before the update.
        others += [i for i in items[: items.index(write)] if isinstance(i, Python) and i.effect]
        waits = [*others, *checked]
        if not reaches(waits, group):
            group.after.update(waits)
            group.early = True
            found[id(new)] = old
    return found


def _point_by_point(group: Group, old: Buffer, new: Buffer) -> bool:
    """Whether the group makes `new`, and reads `old` at the point that it writes and nowhere else."""
    maps = [m for m in group.members if isinstance(m, Map)]
    if not any(m.y is new for m in maps) or group.shape != old.shape:
        return False
    return all(r.shape == group.shape for r in group.reads if r.of is old)
