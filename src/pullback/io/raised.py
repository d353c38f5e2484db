"""TensorFlow 1's control flow, whose nodes are switches in the stream of values, as branches and loops.

    Switch --0--> ... --> Merge          one If a Merge: its branches are what lies between the switches and it
           --1--> ... -->
    Enter --> Merge --> Switch --1--> ... --> NextIteration --> Merge       one While a frame
                          +----0--> Exit

Every node has a context: the branches and frames that it lies in, outermost first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import GraphError, ShapeError
from pullback.core.op import REGISTRY
from pullback.core.tensor import Tensor
from pullback.io import messages
from pullback.io.tensors import shape_of_proto
from pullback.ops.control import cond, loop

SWITCHES = ("Switch", "RefSwitch")
MERGES = ("Merge", "RefMerge")
ENTERS = ("Enter", "RefEnter")
NEXTS = ("NextIteration", "RefNextIteration")
EXITS = ("Exit", "RefExit")
KINDS = {*SWITCHES, *MERGES, *ENTERS, *NEXTS, *EXITS, "LoopCond", "ControlTrigger"}

_PARTS = {*SWITCHES, *NEXTS, *ENTERS, "LoopCond"}  # of loops and branches, which become none of the nodes

Context = tuple[tuple[Any, ...], ...]


def name_of(reference: str) -> str:
    """The node that an input names."""
    return reference.lstrip("^").partition(":")[0]


def is_raised(nodes: Iterable[Any]) -> bool:
    """Whether nodes hold control flow of this kind."""
    return any(node.op in KINDS for node in nodes)


class Construct:
    """A branch or loop in the place of its nodes: what it takes from outside, for the order of nodes, and its parts.

    It stands in a list of NodeDefs; `make(importer)` gives its outputs.
    """

    def __init__(self, name: str, op: str, taken: Iterable[str]) -> None:
        self.name, self.op, self.input = name, op, sorted(set(taken))
        self.device, self.attr = "", {}

    def make(self, importer: Any) -> list[Tensor]:
        raise NotImplementedError


def raised(nodes: Sequence[Any]) -> list[Any]:
    """The nodes outside of branches and loops, with a Construct for each branch and loop, and an Identity for each
    Merge and Exit that gave its results.

    Raises:
      GraphError: switches, merges and frames do not fit each other.
    """
    try:
        return _Raiser(nodes).outermost()
    except (IndexError, KeyError, StopIteration) as error:
        raise GraphError(f"a switch, merge or frame of the graph's file lacks an input: {error}").locate() from None


class _Raiser:
    def __init__(self, nodes: Sequence[Any]) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.places = {name: i for i, name in enumerate(self.nodes)}
        self.consumed = {r for node in nodes for r in node.input}
        self.loop_merges = {n.name for n in nodes if n.op in MERGES and any(self._kind(r) in NEXTS for r in n.input)}
        self.contexts: dict[str, Context] = {}
        for name in self._in_order():
            self.contexts[name] = self._context(self.nodes[name])

    def _kind(self, reference: str) -> str:
        node = self.nodes.get(name_of(reference))
        return "" if node is None else node.op

    def _in_order(self) -> list[str]:
        """Names so that what a node takes comes first; the ways back of loops do not count."""
        order: list[str] = []
        state: dict[str, int] = {}
        for first in self.nodes:
            waiting = [first]
            while waiting:
                name = waiting[-1]
                if state.get(name) == 2:
                    waiting.pop()
                    continue
                before = self._before(name)
                left = [p for p in before if state.get(p) != 2]
                if state.get(name) == 1 and any(state.get(p) == 1 for p in left):
                    raise GraphError(f"nodes of the graph's file hang on each other in a circle at {name!r}").locate()
                if left:
                    state[name] = 1
                    waiting += left
                    continue
                state[name] = 2
                order.append(name)
                waiting.pop()
        return order

    def _before(self, name: str) -> list[str]:
        node = self.nodes[name]
        back = name in self.loop_merges
        return [p for r in node.input if (p := name_of(r)) in self.nodes and not (back and self.nodes[p].op in NEXTS)]

    # --- contexts --------------------------------------------------------------------------------------------------

    def _context(self, node: Any) -> Context:
        found = [c for r in node.input if (c := self._of_reference(r, node)) is not None]
        if node.op in MERGES and node.name not in self.loop_merges:
            return self._common(node, found)
        longest: Context = max(found, key=len, default=())
        if node.op in ENTERS:
            return (*longest, ("while", node.attr["frame_name"].s.decode()))
        if node.op in EXITS:
            at = max((i for i, part in enumerate(longest) if part[0] == "while"), default=-1)
            if at < 0:
                raise GraphError(f"node {node.name!r} of type Exit lies in no loop").locate()
            return longest[:at]
        return longest

    def _of_reference(self, reference: str, node: Any) -> Context | None:
        name = name_of(reference)
        source = self.nodes.get(name)
        if source is None or name not in self.contexts:
            return None
        context = self.contexts[name]
        if source.op in SWITCHES and not reference.startswith("^") and self._kind(source.input[1]) != "LoopCond":
            return (*context, ("if", self._predicate(source), reference.endswith(":1")))
        return context

    def _predicate(self, switch: Any) -> str:
        """What a switch asks; a cond's first switch asks the value itself, the others a copy in the cond's scope."""
        pred = switch.input[1]
        copy = f"{switch.name.rpartition('/')[0]}/pred_id"
        return copy if switch.input[0] == pred and copy in self.nodes else pred

    def _common(self, node: Any, found: list[Context]) -> Context:
        data = [c for r in node.input if not r.startswith("^") and (c := self._of_reference(r, node)) is not None]
        if len(data) == 2 and all(c and c[-1][0] == "if" for c in data):
            first, second = sorted(data, key=lambda c: c[-1][2])
            if first[:-1] == second[:-1] and first[-1][1] == second[-1][1] and not first[-1][2] and second[-1][2]:
                return first[:-1]
        raise GraphError(
            f"node {node.name!r} of type Merge joins no two branches of one condition: its inputs lie in {data}"
        ).locate()

    # --- what stands in a context ------------------------------------------------------------------------------------

    def outermost(self) -> list[Any]:
        """The nodes of no branch and no frame."""
        return self.standing(())

    def standing(self, context: Context, within: set[str] | None = None) -> list[Any]:
        """The nodes whose context is this one, constructs in the place of deeper ones."""
        made: list[Any] = []
        frames: dict[str, list[Any]] = {}
        merges: list[Any] = []
        for name in self.nodes if within is None else sorted(within, key=self.places.__getitem__):
            node = self.nodes[name]
            if node.op in ENTERS and self.contexts[name][:-1] == context:
                frames.setdefault(self.contexts[name][-1][1], []).append(node)
            elif self.contexts[name] != context or node.op in _PARTS or name in self.loop_merges:
                continue
            elif node.op in MERGES:
                merges.append(node)
            elif node.op not in EXITS and node.op != "ControlTrigger":
                made.append(self._outside(node, context))
        for frame, enters in frames.items():
            made += self._loop(frame, enters, (*context, ("while", frame)))
        for group in self._groups(merges, context):
            made += self._branches(group, context)
        return made

    def _outside(self, node: Any, context: Context) -> Any:
        """A node without control inputs on nodes that do not stand here."""
        away = [
            r
            for r in node.input
            if r.startswith("^") and (n := name_of(r)) in self.nodes and not self._stands(n, context)
        ]
        if not away:
            return node
        kept = messages.NodeDef()
        kept.CopyFrom(node)
        kept.input[:] = [r for r in node.input if r not in away]
        return kept

    def _stands(self, name: str, context: Context) -> bool:
        return self.contexts[name] == context and (self.nodes[name].op not in KINDS or self.nodes[name].op in EXITS)

    def needed(self, references: Iterable[str], context: Context) -> set[str]:
        """The nodes in a context, or deeper, that references hang on."""
        found: set[str] = set()
        waiting = [name_of(r) for r in references]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.nodes or self.contexts[name][: len(context)] != context:
                continue
            found.add(name)
            if name not in self.loop_merges or self.contexts[name] != context:
                waiting += [name_of(r) for r in self.nodes[name].input]
            if self.nodes[name].op in SWITCHES:
                waiting.append(name_of(self._predicate(self.nodes[name])))
        return found

    def taken(self, names: Iterable[str], context: Context) -> set[str]:
        """What nodes in a context take from outside of it."""
        return {
            r.lstrip("^")
            for name in names
            for r in self.nodes[name].input
            if not r.startswith("^")
            and (name_of(r) not in self.nodes or self.contexts[name_of(r)][: len(context)] != context)
        }

    # --- branches --------------------------------------------------------------------------------------------------

    def _groups(self, merges: list[Any], context: Context) -> list[list[Any]]:
        """Merges that one If makes: those whose branches share what must not run twice."""
        groups: list[tuple[str, set[str], list[Any]]] = []
        for merge in merges:
            key, effects = self._branch_of(merge), self._effects(merge, context)
            for held in groups:
                if held[0] == key and held[1] & effects:
                    held[1].update(effects)
                    held[2].append(merge)
                    break
            else:
                groups.append((key, effects, [merge]))
        return [members for _, _, members in groups]

    def _branch_of(self, merge: Any) -> str:
        found = self._of_reference(merge.input[0], merge)
        return "" if not found else found[-1][1]

    def _effects(self, merge: Any, context: Context) -> set[str]:
        inside = {
            n
            for which in (False, True)
            for n in self.needed(merge.input, (*context, ("if", self._branch_of(merge), which)))
        }
        return {n for n in inside if (cls := _class_of(self.nodes[n].op)) is not None and (cls.effect or cls.random)}

    def _branches(self, merges: list[Any], context: Context) -> list[Any]:
        pred = self._branch_of(merges[0])
        sides: list[list[str]] = [[], []]
        for merge in merges:
            if f"{merge.name}:1" in self.consumed:
                raise GraphError(
                    f"node {merge.name!r} of type Merge: which input came is read, but not kept here"
                ).locate()
            for r in merge.input[:2]:
                sides[bool((self._of_reference(r, merge) or ((0, 0, 0),))[-1][2])].append(r)
        made = _Branches(f"{merges[0].name}/branches", self, pred, sides, context)
        return [made, *[_result(merge, f"{made.name}:{i}") for i, merge in enumerate(merges)]]

    # --- loops -----------------------------------------------------------------------------------------------------

    def _loop(self, frame: str, enters: list[Any], context: Context) -> list[Any]:
        made = _Loop(f"{frame}/loop", self, enters, context)
        return [made, *[_result(node, f"{made.name}:{i}") for node, i in made.exits]]


def _class_of(kind: str) -> Any:
    """The class of an op type that is known here, or None."""
    try:
        return REGISTRY[kind]
    except KeyError:
        return None


def _result(node: Any, reference: str) -> Any:
    """An Identity in the place of a Merge or Exit."""
    made = messages.NodeDef(name=node.name, op="Identity", device=node.device, input=[reference])
    made.attr["T"].CopyFrom(node.attr["T"])
    return made


class _Branches(Construct):
    """An If. sides: what each branch gives, the false one's first."""

    def __init__(self, name: str, raiser: _Raiser, pred: str, sides: list[list[str]], context: Context) -> None:
        self._raiser, self._pred, self._sides = raiser, pred, sides
        self._inside = [(*context, ("if", pred, which)) for which in (False, True)]
        self._names = [raiser.needed(s, c) for s, c in zip(sides, self._inside, strict=True)]
        taken = {pred}
        for names, context_, side in zip(self._names, self._inside, sides, strict=True):
            taken |= raiser.taken(names, context_) | {r for r in side if name_of(r) not in names}
        data = {r for t in taken for r in self._behind(t)}
        super().__init__(name, "If", data)

    def _behind(self, reference: str) -> list[str]:
        """Of a switch what it switches, else itself."""
        node = self._raiser.nodes.get(name_of(reference))
        return list(node.input[:2]) if node is not None and node.op in SWITCHES else [reference]

    def _switches(self) -> list[str]:
        """The switches that the branches take."""
        taken = {name_of(r) for side in self._sides for r in side}
        taken |= {name_of(r) for names in self._names for n in names for r in self._raiser.nodes[n].input}
        outside = len(self._inside[0]) - 1
        nodes = self._raiser.nodes
        return [
            n for n in sorted(taken)
            if n in nodes and nodes[n].op in SWITCHES and len(self._raiser.contexts[n]) == outside
            and self._raiser._predicate(nodes[n]) == self._pred
        ]  # fmt: skip

    def make(self, importer: Any) -> list[Tensor]:
        def side(which: int) -> Any:
            def branch() -> list[Tensor]:
                inner = importer.inside(interpreter.current())
                for name in self._switches():
                    switch = self._raiser.nodes[name]
                    inner.made[name] = [importer.tensor(switch.input[0])] * 2
                inner.add_standing(self._raiser.standing(self._inside[which], self._names[which]))
                return [inner.tensor(r) for r in self._sides[which]]

            return branch

        return cond.build(importer.tensor(self._pred), side(1), side(0), f"{self.name}/")


class _Loop(Construct):
    """A While. Its variables are the frame's loop merges."""

    def __init__(self, name: str, raiser: _Raiser, enters: list[Any], context: Context) -> None:
        self._raiser, self._context = raiser, context
        merges = [n for n in raiser.loop_merges if raiser.contexts[n] == context]
        self._merges = sorted(merges, key=raiser.places.__getitem__)
        self._starts = [self._enter(m) for m in self._merges]
        self._nexts = [self._next(m) for m in self._merges]
        tests = [n for n in raiser.nodes.values() if n.op == "LoopCond" and raiser.contexts[n.name] == context]
        if len(tests) != 1 or not merges:
            raise GraphError(
                f"loop {name!r} of the graph's file has {len(tests)} conditions and {len(merges)} variables"
            )
        self._test = tests[0].input[0]
        self._switches = {
            n.name: self._merges.index(name_of(n.input[0]))
            for n in raiser.nodes.values()
            if n.op in SWITCHES and raiser._kind(n.input[1]) == "LoopCond" and name_of(n.input[0]) in merges
            and raiser.contexts[n.name] == context
        }  # fmt: skip
        self.exits = [
            (n, self._switches[name_of(n.input[0])])
            for n in raiser.nodes.values()
            if n.op in EXITS and name_of(n.input[0]) in self._switches
        ]
        self._constants = {e.name: e.input[0] for e in enters}
        super().__init__(name, "While", self._constants.values())

    def _enter(self, merge: str) -> str:
        for r in self._raiser.nodes[merge].input:
            node = self._raiser.nodes.get(name_of(r))
            if node is not None and node.op in ENTERS:
                return node.input[0]
        raise GraphError(f"node {merge!r} of the graph's file begins no loop").locate()

    def _next(self, merge: str) -> Any:
        found = [n for r in self._raiser.nodes[merge].input if (n := self._raiser.nodes.get(name_of(r))) is not None]
        return next(n for n in found if n.op in NEXTS)

    def make(self, importer: Any) -> list[Tensor]:
        start = [importer.tensor(r) for r in self._starts]
        known = [self._declared(m, t) for m, t in zip(self._merges, start, strict=True)]
        for shapes in (known, [None if t.dtype.is_numpy_compatible else () for t in start]):
            try:
                return loop.build(self._goes_on(importer), self._step(importer), start, shapes, f"{self.name}/")
            except ShapeError:
                if shapes is not known:
                    raise
        raise GraphError(f"loop {self.name!r} of the graph's file cannot be built").locate()

    def _declared(self, merge: str, t: Tensor) -> Any:
        said = self._raiser.nodes[merge].attr.get("_output_shapes")
        if not t.dtype.is_numpy_compatible or said is None or not said.list.shape:
            return t.spec.shape
        return shape_of_proto(said.list.shape[0])

    def _inner(self, importer: Any, variables: Sequence[Tensor]) -> Any:
        inner = importer.inside(interpreter.current())
        inner.made.update((m, [t]) for m, t in zip(self._merges, variables, strict=True))
        inner.made.update((s, [variables[i], variables[i]]) for s, i in self._switches.items())
        inner.made.update((name, [importer.tensor(r)]) for name, r in self._constants.items())
        return inner

    def _run(self, inner: Any, references: list[str]) -> list[Tensor]:
        inner.add_standing(self._raiser.standing(self._context, self._raiser.needed(references, self._context)))
        return [inner.tensor(r) for r in references if not r.startswith("^")]

    def _goes_on(self, importer: Any) -> Any:
        return lambda *variables: self._run(self._inner(importer, variables), [self._test])[0]

    def _step(self, importer: Any) -> Any:
        given = [r for n in self._nexts for r in n.input]
        return lambda *variables: self._run(self._inner(importer, variables), given)
