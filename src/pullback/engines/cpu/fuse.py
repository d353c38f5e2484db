"""Maps and folds over one shape become one pass over memory.

Items are taken in order; each joins a group of its own shape if that makes no cycle: no input of it may hang, through
anything outside the group, on what the group makes. A fold ends a chain: its result is not to be had inside the group.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

from pullback.engines.cpu.items import Fold, Item, Map
from pullback.engines.cpu.task import Buffer, Job
from pullback.native import loops
from pullback.native.ir import F32
from pullback.native.loops import ALL, LAST, REGISTERS, ROWS
from pullback.native.machine import host

# Steps in a group: beyond it registers run out and compiling takes long.
MOST_STEPS = 48
MOST_POINTERS = 24
MOST_AXES = 4  # beyond it finding a row's place costs more than a pass saves
# Points a block should have before there is a second one.
POINTS = 4096
MOST_BLOCKS = 64
MOST_ROW_BLOCKS = 16  # of folds over rows, which keep a row for each block
MOST_TOGETHER = 16  # short rows that go as one
FEW_USERS = 4  # of a result, looked at to see what else they use
# A group that began this many items ago, or was passed over by so many of its shape, takes no more.
WINDOW = 600
OPEN = 6
# Items that are looked at to see whether one may join a group: planning stays linear.
SEARCHED = 48


class Group(Item):
    """Maps and folds over one shape. `readers`: how many items, or results, read a buffer."""

    def __init__(self, shape: tuple[int, ...], readers: Counter[int]) -> None:
        super().__init__([], [])
        self.shape, self._readers = shape, readers
        self.members: list[Any] = []
        self.within: dict[int, Map] = {}  # buffer made by a map of the group
        self.cuts: set[_Cut] = set()
        self.inputs: set[int] = set()
        self._outside: dict[int, int] = {}  # of what it makes, how many others read it
        self._pointers = 0  # to what it reads and makes for others
        self.early = False  # to be run as soon as it can: it frees more than it takes

    def take(self, item: Any, sources: Sequence[Any]) -> None:
        if self.first < 0:
            self.first = item.index
        self.last = item.index
        self.members.append(item)
        self.cuts |= _cuts(self.shape, item)
        if isinstance(item, Map):
            self.within[id(item.y)] = item
        for key in [id(r.of) for r in item.reads]:
            if key in self._outside:
                self._outside[key] -= 1
                self._pointers -= not self._outside[key]
            elif key not in self.inputs:
                self._pointers += 1
            self.inputs.add(key)
        for key in [id(m.of) for m in item.makes]:
            self._outside[key] = self._readers[key]
            self._pointers += self._outside[key] > 0
        self.reads += item.reads
        self.after.update(s for s in sources if s is not self)
        self.makes += item.makes

    def fits(self, item: Any) -> bool:
        """Whether the nest of all members and this one can be written."""
        if self._pointers + len(item.reads) + len(item.makes) > MOST_POINTERS:
            return False
        new = _cuts(self.shape, item) - self.cuts
        if not new:
            return True
        runs = axes_of(self.shape, self.cuts | new)
        return runs is not None and len(runs) <= MOST_AXES


def grouped(items: Sequence[Item], results: Sequence[Any]) -> list[Item]:
    """The items with maps and folds gathered in groups; not in order yet, see `ordered`. `results` leave the plan."""
    readers = Counter(id(r.of) for item in items for r in item.reads)
    readers.update(id(r.of) for r in results if isinstance(r, Buffer))
    maker: dict[int, Any] = {}  # buffer -> the item or group that makes it
    open_groups: dict[tuple[int, ...], list[Group]] = {}
    young: deque[Group] = deque()  # those that may be open, oldest first
    found: list[Item] = []
    users: dict[int, list[Item]] = {}  # buffer -> who reads it
    for item in items:
        for r in item.reads:
            users.setdefault(id(r), []).append(item)
    effect: Any = None  # the last; effects keep their order
    for item in items:
        sources = [maker[id(r.of)] for r in item.reads if id(r.of) in maker]
        home: Any = item
        if isinstance(item, (Map, Fold)):
            while young and item.index - young[0].first > WINDOW:
                _close(young.popleft())
            home = _home(item, sources, open_groups.setdefault(item.shape, []), users)
            if home is None:
                home = Group(item.shape, readers)
                for group in (young, open_groups[item.shape], found):
                    group.append(home)
            home.take(item, sources)
            if len(home.members) == MOST_STEPS:
                _close(home)
        else:
            if item.effect:
                sources, effect = sources if effect is None else [*sources, effect], item
            item.after = set(sources)
            item.first = item.last = item.index
            _close(item)
            found.append(item)
        for made in item.makes:
            maker[id(made.of)] = home
    for item in found:  # others may make items wait for more: what was settled above no longer is
        item.sealed = None
    return found


def _home(item: Any, sources: list[Any], candidates: list[Group], users: dict[int, list[Item]]) -> Group | None:
    """The open group that an item joins; None where it begins one."""
    meets = {id(r) for m in item.makes for user in users.get(id(m), ())[:FEW_USERS] for r in user.reads}
    candidates[:] = [group for group in candidates if not group.closed]
    while len(candidates) > OPEN:
        _close(candidates.pop(0))
    for group in reversed(candidates):
        near = group in sources or prod(item.shape) <= POINTS or any(id(r.of) in group.inputs for r in item.reads)
        near = near or not meets.isdisjoint(group.within)  # its result and the group's are used together
        if near and group.fits(item) and not _blocked(item, group, sources):
            return group
    return None


def _close(item: Any) -> None:
    """Nothing joins the item any more. Once that is true of all that it hangs on too, it is sealed: it is known which
    place in the list is the last among theirs."""
    if item.closed:
        return
    item.closed = True
    for source in item.after:
        if source.sealed is None:
            source.users.append(item)
            item.waits += 1
    ready = [] if item.waits else [item]
    while ready:
        done = ready.pop()
        done.sealed = max([done.last, *[source.sealed for source in done.after]])
        for user in done.users:
            user.waits -= 1
            if not user.waits:
                ready.append(user)
        done.users.clear()


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
        if id(item) in seen or (item.sealed is not None and item.sealed < group.first):
            continue
        seen.add(id(item))
        waiting.extend(item.after)
    return False


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


# How an operand or a fold cuts a shape's axes: where it varies, or folds; of a fold, which axes must come last.
_Cut = tuple[tuple[bool, ...], frozenset[int] | None]


def _cuts(shape: tuple[int, ...], member: Any) -> set[_Cut]:
    if isinstance(member, Map):
        return {(_varies(x.shape, shape), None) for x in member.operands if isinstance(x, Buffer) and x.shape != shape}
    over = _folds_over(member, shape)
    if over == ALL:
        return set()
    last = frozenset(i for i, n in enumerate(shape) if n != 1 and (i in member.axes) == (over == LAST))
    return {(tuple([i in member.axes for i in range(len(shape))]), last)}


def axes_of(shape: tuple[int, ...], cuts: Iterable[_Cut]) -> list[tuple[int, ...]] | None:
    """Axes of the shape that can be treated as one, in runs; None where folds need them cut otherwise."""
    lasts = {last for _, last in cuts if last is not None}
    if len(lasts) > 1:
        return None
    runs: list[tuple[int, ...]] = []
    for i in [i for i, n in enumerate(shape) if n != 1]:
        if runs and all(pattern[i] == pattern[runs[-1][0]] for pattern, _ in cuts):
            runs[-1] = (*runs[-1], i)
        else:
            runs.append((i,))
    return None if lasts and frozenset(runs[-1]) not in lasts else runs or [()]


def jobs_of(group: Group, wanted: set[int]) -> Iterator[Job]:
    """The jobs of a group. `wanted`: ids of the buffers that must be in memory afterwards."""
    yield from _Nested(group, wanted).jobs()


class _Nested:
    """Writes a group as a Nest and its argument words."""

    def __init__(self, group: Group, wanted: set[int]) -> None:
        self.group, self.wanted = group, wanted
        runs = axes_of(group.shape, group.cuts)
        assert runs is not None
        self.runs = runs
        self.sizes = [prod(group.shape[i] for i in run) for run in runs]
        self.together = self._together()  # rows that go as one
        if self.together > 1:
            self.sizes = [self.sizes[0] // self.together, self.sizes[1] * self.together]
        self.before: list[Job] = []
        self.loads: list[loops.Load] = []
        self.load_words: list[Buffer] = []
        self.numbers: list[tuple[Any, float]] = []
        self.steps: list[Any] = []  # (rule, kind, operand keys)
        self.refs: dict[Any, tuple[str, int]] = {}

    def _together(self) -> int:
        """How many short rows go as one long row, so that vectors are filled: 1 where an operand or a fold has one
        number for each row."""
        if len(self.sizes) != 2 or not all(self.sizes):
            return 1
        operands = [x for m in self.group.members for x in m.reads if x.shape != self.group.shape]
        if any(self._along(x) == (True, False) for x in operands if id(x) not in self.group.within):
            return 1
        if any(_folds_over(m, self.group.shape) == LAST for m in self.group.members if isinstance(m, Fold)):
            return 1
        rows, columns = self.sizes
        wide = 2 * host().lanes(F32)
        turns = {n: (-(-columns * n // wide) + 1) / n for n in range(1, MOST_TOGETHER + 1) if rows % n == 0}
        best = min(turns, key=turns.__getitem__)
        return best if turns[best] < 0.75 * turns[1] and rows * columns >= POINTS else 1

    def _along(self, x: Buffer) -> tuple[bool, ...]:
        """Along which axes of the nest an operand varies."""
        flags = _varies(x.shape, self.group.shape)
        return tuple([bool(run) and flags[run[0]] for run in self.runs])

    def _load(self, x: Buffer) -> tuple[str, int]:
        key = ("load", id(x.of), x.shape)
        if key not in self.refs:
            along = self._along(x)
            self.loads.append(loops.Load(REGISTERS[x.dtype], along))
            self.load_words.append(self._repeated(x) if self.together > 1 and along == (False, True) else x)
            self.refs[key] = ("load", len(self.loads) - 1)
        return self.refs[key]

    def _repeated(self, x: Buffer) -> Buffer:
        """A row, as often as rows go together."""
        kind, row = REGISTERS[x.dtype], Buffer((self.sizes[1],), x.dtype)
        nest = loops.Nest(2, (loops.Load(kind, (False, True)),), (), (), ((0, kind),), ())
        self.before.append(Job(loops.fused, (nest,), (self.together, x.size, 1, x, row), 1, 1, 0.1 * row.size))
        return row

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
        yield from self.before
        yield Job(loops.fused, (nest,), words, blocks, min(blocks, 16), self._cost(stores))
        for (m, _), partial in zip(folds, results, strict=True):
            if partial is not m.y:
                columns, parts = m.y.size, partial.size // m.y.size
                by = m.y.dtype.type(m.by)
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
