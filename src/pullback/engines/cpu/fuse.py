"""Maps and folds over one shape become one pass over memory.

Items are taken in order; each joins a group of its own shape if that makes no cycle: no input of it may hang, through
anything outside the group, on what the group makes. A fold ends a chain: its result is not to be had inside the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from pullback.engines.cpu.task import Buffer, Job
from pullback.engines.cpu.trace import Fold, Item, Map
from pullback.native import loops
from pullback.native.loops import ALL, LAST, REGISTERS, ROWS

# Steps in a group: beyond it registers run out and compiling takes long.
MOST_STEPS = 48
MOST_POINTERS = 24
# Points a block should have before there is a second one.
POINTS = 4096
MOST_BLOCKS = 64
MOST_ROW_BLOCKS = 16  # of folds over rows, which keep a row for each block
# A group that began this many items ago, or was passed over by so many of its shape, takes no more.
WINDOW = 600
OPEN = 6
# Items that are looked at to see whether one may join a group: planning stays linear.
SEARCHED = 48


class Group(Item):
    """Maps and folds over one shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__([], [])
        self.shape = shape
        self.members: list[Any] = []
        self.within: dict[int, Map] = {}  # buffer made by a map of the group
        self.inputs: set[int] = set()
        self.after: set[Any] = set()  # items that the group reads from
        self.first = self.last = -1
        self.closed = False
        self.sealed: int | None = None
        self.early = False  # to be run as soon as it can: it frees more than it takes

    def take(self, item: Any, sources: Sequence[Any]) -> None:
        if self.first < 0:
            self.first = item.index
        self.last = item.index
        self.members.append(item)
        if isinstance(item, Map):
            self.within[id(item.y)] = item
        self.reads += item.reads
        self.inputs.update(id(r.of) for r in item.reads)
        self.after.update(s for s in sources if s is not self)
        self.makes += item.makes

    def fits(self, item: Any) -> bool:
        """Whether the nest of all members and this one can be written."""
        if len(self.members) >= MOST_STEPS or len(self.inputs) + len(self.makes) >= MOST_POINTERS:
            return False
        return axes_of(self.shape, [*self.members, item]) is not None


def grouped(items: Sequence[Item]) -> list[Item]:
    """The items with maps and folds gathered in groups; not in order yet, see `ordered`."""
    maker: dict[int, Any] = {}  # buffer -> the item or group that makes it
    open_groups: dict[tuple[int, ...], list[Group]] = {}
    found: list[Item] = []
    effect: Any = None  # the last; effects keep their order
    for item in items:
        sources = [maker[id(r.of)] for r in item.reads if id(r.of) in maker]
        home: Any = item
        if isinstance(item, (Map, Fold)):
            home = _home(item, sources, open_groups, found)
            home.take(item, sources)
        else:
            if item.effect:
                sources, effect = sources if effect is None else [*sources, effect], item
            item.after, item.closed, item.sealed = set(sources), True, None  # type: ignore[attr-defined]
            item.first = item.last = item.index  # type: ignore[attr-defined]
            found.append(item)
        for made in item.makes:
            maker[id(made.of)] = home
    for item in found:  # others may make items wait for more: what was settled above no longer is
        item.closed, item.sealed = False, None  # type: ignore[attr-defined]
    return found


def _home(item: Any, sources: list[Any], open_groups: dict[Any, list[Group]], found: list[Item]) -> Group:
    candidates = open_groups.setdefault(item.shape, [])
    while candidates and (len(candidates) > OPEN or item.index - candidates[0].first > WINDOW):
        candidates.pop(0).closed = True
    for group in reversed(candidates):
        near = group in sources or prod(item.shape) <= POINTS or any(id(r.of) in group.inputs for r in item.reads)
        if near and group.fits(item) and not _blocked(item, group, sources):
            return group
    group = Group(item.shape)
    candidates.append(group)
    found.append(group)
    return group


def _blocked(item: Any, group: Group, sources: list[Any]) -> bool:
    """Whether an input of the item hangs on the group other than through its maps' points."""
    for r in item.reads:
        made_here = id(r) in group.within
        if not made_here and any(r.of is m.of for m in group.makes):
            return True  # another view of it, or a fold's result
        if made_here and r.shape != group.shape:
            return True
    return reaches([s for s in sources if s is not group], group, SEARCHED)


def reaches(starts: Sequence[Any], group: Group, most: int = 1 << 30) -> bool:
    """Whether one of the items hangs on the group. Said of them too where looking at so many does not settle it."""
    seen, waiting = set(), list(starts)
    while waiting:
        if len(seen) > most:
            return True
        item = waiting.pop()
        if item is group:
            return True
        if id(item) in seen or _before(item, group.first):
            continue
        seen.add(id(item))
        waiting.extend(item.after)
    return False


def _before(item: Any, first: int) -> bool:
    """Whether the item, and all that it hangs on, is known to be done before a place in the list for good."""
    if item.sealed is None and item.closed and all(a.sealed is not None for a in item.after):
        item.sealed = max([item.last, *[a.sealed for a in item.after]])
    return item.sealed is not None and item.sealed < first


def ordered(items: Sequence[Any]) -> list[Item]:
    """Each after what it hangs on; otherwise as they came, but those first that free memory."""
    import heapq

    waits = {id(i): len(i.after) for i in items}
    users: dict[int, list[Any]] = {}
    for i in items:
        for source in i.after:
            users.setdefault(id(source), []).append(i)
    places = {id(i): n for n, i in enumerate(items)}

    def turn(item: Any) -> tuple[int, int, Any]:
        return (-1 if isinstance(item, Group) and item.early else item.first), places[id(item)], item

    ready = [turn(i) for i in items if not i.after]
    heapq.heapify(ready)
    out: list[Item] = []
    while ready:
        _, _, item = heapq.heappop(ready)
        out.append(item)
        for user in users.get(id(item), ()):
            waits[id(user)] -= 1
            if not waits[id(user)]:
                heapq.heappush(ready, turn(user))
    if len(out) != len(items):
        raise RuntimeError("the plan's items hang on each other in a circle; please report this")
    return out


# --- the nest of a group ---------------------------------------------------------------------------------------------


def _varies(shape: tuple[int, ...], of: tuple[int, ...]) -> tuple[bool, ...]:
    """Along which axes of `of` an operand of a shape varies."""
    lead = len(of) - len(shape)
    return tuple([i >= lead and shape[i - lead] != 1 and n != 1 for i, n in enumerate(of)])


def _folds_over(fold: Fold, shape: tuple[int, ...]) -> str:
    """ALL, ROWS or LAST."""
    kept = [i for i, n in enumerate(shape) if n != 1 and i not in fold.axes]
    if not kept:
        return ALL
    return ROWS if min(kept) > max(fold.axes) else LAST


def axes_of(shape: tuple[int, ...], members: Sequence[Any]) -> list[tuple[int, ...]] | None:
    """Axes of the shape that can be treated as one, in runs; None where a fold needs them cut otherwise, or there
    are too many."""
    real = [i for i, n in enumerate(shape) if n != 1]
    patterns = []
    kept_last = None
    for member in members:
        if isinstance(member, Map):
            patterns += [_varies(x.shape, shape) for x in member.operands if isinstance(x, Buffer) and x.shape != shape]
        else:
            over = _folds_over(member, shape)
            if over != ALL:
                patterns.append(tuple(i in member.axes for i in range(len(shape))))
                last = frozenset(i for i in real if (i in member.axes) == (over == LAST))
                if kept_last not in (None, last):
                    return None
                kept_last = last
    runs: list[tuple[int, ...]] = []
    for i in real:
        if runs and all(p[i] == p[runs[-1][0]] for p in patterns):
            runs[-1] = (*runs[-1], i)
        else:
            runs.append((i,))
    if len(runs) > 4 or (kept_last is not None and frozenset(runs[-1]) != kept_last):
        return None
    return runs or [()]


def jobs_of(group: Group, wanted: set[int]) -> Iterator[Job]:
    """The jobs of a group. `wanted`: ids of the buffers that must be in memory afterwards."""
    yield from _Nested(group, wanted).jobs()


class _Nested:
    """Writes a group as a Nest and its argument words."""

    def __init__(self, group: Group, wanted: set[int]) -> None:
        self.group, self.wanted = group, wanted
        runs = axes_of(group.shape, group.members)
        assert runs is not None
        self.runs = runs
        self.sizes = [prod(group.shape[i] for i in run) for run in runs]
        self.loads: list[loops.Load] = []
        self.load_words: list[Buffer] = []
        self.numbers: list[tuple[Any, float]] = []
        self.steps: list[Any] = []  # (rule, kind, operand keys)
        self.refs: dict[Any, tuple[str, int]] = {}

    def _load(self, x: Buffer) -> tuple[str, int]:
        key = ("load", id(x.of), x.shape)
        if key not in self.refs:
            flags = _varies(x.shape, self.group.shape)
            self.loads.append(loops.Load(REGISTERS[x.dtype], tuple([bool(run) and flags[run[0]] for run in self.runs])))
            self.load_words.append(x)
            self.refs[key] = ("load", len(self.loads) - 1)
        return self.refs[key]

    def _operand(self, x: Any) -> tuple[str, int]:
        if isinstance(x, Buffer):
            if id(x) in self.group.within:
                return self.refs["step", id(x)]
            return self._load(x)
        kind, number = REGISTERS[x.dtype], x.item()
        key = ("number", kind, repr(number))
        if key not in self.refs:
            self.numbers.append((kind, number))
            self.refs[key] = ("number", len(self.numbers) - 1)
        return self.refs[key]

    def _at(self, ref: tuple[str, int]) -> int:
        """The number that a nest gives a value."""
        where, i = ref
        return i + {"load": 0, "number": len(self.loads), "step": len(self.loads) + len(self.numbers)}[where]

    def jobs(self) -> Iterator[Job]:
        for member in self.group.members:
            if isinstance(member, Map):
                refs = [self._operand(x) for x in member.operands]
                self.steps.append((member.rule, REGISTERS[member.y.dtype], refs))
                self.refs["step", id(member.y)] = ("step", len(self.steps) - 1)
        folds = [(m, self._operand(m.x)) for m in self.group.members if isinstance(m, Fold)]
        stores = [m.y for m in self.group.members if isinstance(m, Map) and id(m.y.of) in self.wanted]
        overs = [_folds_over(m, self.group.shape) for m, _ in folds]
        blocks = self._blocks(overs)
        nest = loops.Nest(
            len(self.sizes),
            tuple(self.loads),
            tuple(self.numbers),
            tuple([loops.Step(rule, kind, tuple(map(self._at, refs))) for rule, kind, refs in self.steps]),
            tuple([(self._at(self.refs["step", id(y)]), REGISTERS[y.dtype]) for y in stores]),
            tuple(
                [
                    loops.Fold(m.how, self._at(ref), REGISTERS[m.x.dtype], over)
                    for (m, ref), over in zip(folds, overs, strict=True)
                ]
            ),
        )
        results = [self._partial(m, over, blocks) for (m, _), over in zip(folds, overs, strict=True)]
        words = (*self.sizes, blocks, *self.load_words, *stores, *results)
        yield Job(loops.fused, (nest,), words, blocks, min(blocks, 16), self._cost(stores))
        for (m, _), over, partial in zip(folds, overs, results, strict=True):
            if partial is not m.y:
                columns = self.sizes[-1] if over == ROWS else 1
                by = m.y.dtype.type(m.by)
                parts = 1 if over == LAST else blocks
                columns = m.y.size if over == LAST else columns
                kind = REGISTERS[m.y.dtype]
                yield Job(
                    loops.combine, (m.how, kind), (partial, m.y, parts, columns, by), columns, 1, 0.5 * parts * columns
                )

    def _blocks(self, overs: Sequence[str]) -> int:
        most = MOST_ROW_BLOCKS if ROWS in overs else MOST_BLOCKS
        rows = prod(self.sizes[:-1]) if len(self.sizes) > 1 else self.sizes[0] // loops.GRAIN
        return max(1, min(most, rows, prod(self.sizes) // POINTS))

    def _partial(self, fold: Fold, over: str, blocks: int) -> Buffer:
        """Where a nest leaves its folds: in the result itself where nothing is left to do."""
        if over == LAST:
            return fold.y if fold.by == 1 else Buffer(fold.y.shape, fold.y.dtype)
        return Buffer((blocks, self.sizes[-1] if over == ROWS else 1), fold.y.dtype)

    def _cost(self, stores: Sequence[Buffer]) -> float:
        points = prod(self.sizes)
        return points * (0.05 * len(self.steps) + 0.1 * (len(stores) + len(self.loads)))
