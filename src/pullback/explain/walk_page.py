"""A walk as a page: the graph, folded by name scope, with values going forward and derivatives coming back.

Data for `walk.js`: every number with its lines, and a tree of scopes. A group of the tree with very many members is cut
into runs of consecutive ones, so that no level of the tree is longer than a screen.
"""

from __future__ import annotations

import math
from itertools import takewhile
from typing import Any

from pullback.explain.opening import CALL
from pullback.explain.pages import Page, Section
from pullback.explain.walk import Number, Walk

# Members of a group that are shown side by side; bytes of entries and heat maps that a page may carry.
MOST_MEMBERS, MOST_BYTES = 40, 2_000_000

Tree = dict[str, Any]


def page(walk: Walk) -> Page:
    """The page of a walk."""
    f, count = walk.function, len(walk.numbers)
    lead = (
        f"{f} = {walk.result.held}, in {count} numbers. Values are computed forward, from the inputs; the derivatives "
        f"of {f} come back the other way, and add where paths meet."
    )
    data = {"function": f, "result": walk.result.index, "numbers": _numbers(walk), "tree": tree(walk.numbers)}
    graph = Section("The graph, step by step", '<div id="walk"></div>')
    folded = "" if count <= MOST_MEMBERS else "<details><summary>Show the tables</summary>"
    tables = Section("As tables", folded + walk.html(picture=False) + ("</details>" if folded else ""))
    return Page(
        f"The chain rule of {f}",
        lead,
        (graph, tables),
        ("walk.css",),
        ("layout.js", "walk_about.js", "walk.js"),
        {"walk": data},
    )


def _numbers(walk: Walk) -> list[Tree]:
    """Every number; once those before it carry MOST_BYTES of entries and heat maps, with its statistics only."""
    rows: list[Tree] = []
    carried = 0
    pulls: dict[int, list[str]] = {}
    for n in walk.numbers:
        for t in n.terms:
            pulls.setdefault(t.via, []).append(f"to {n.label}: {t.pull or f'{t.share}, by a rule that is no formula'}")
    for n in walk.numbers:
        row: Tree = _number(walk, n) | {"pulls": pulls.get(n.index, [])}
        for held in (row["value"], row["adjoint"]):
            if held and carried > MOST_BYTES and held["shape"]:
                held.pop("map", None)
                held.pop("numbers", None)
            elif held:
                carried += len(held.get("map", "")) + sum(len(v) + 3 for line in held.get("numbers", ()) for v in line)
        rows.append(row)
    return rows


def _number(walk: Walk, n: Number) -> Tree:
    return {
        "i": n.index,
        "name": n.name,
        "op": n.op,
        "inputs": list(n.inputs),
        "where": n.where,
        "line": n.line,
        "rule": n.rule,
        "left": f"d{walk.function}/d{n.label}",
        "made": walk.making(n),
        "chain": walk.chain(n),
        "locals": walk.locals(n),
        "terms": [{"via": t.via, "partials": [str(p) for p in t.partials]} for t in n.terms],
        "value": n.held.data(),
        "adjoint": None if n.adjoint is None else n.adjoint.data(),
    }


def tree(numbers: tuple[Number, ...]) -> Tree:
    """Scopes as groups: {"name", "items", "call"}, an item a number's index or a group, in order of what comes first.
    call: it is a call of a function, which is shown folded at first."""
    root: Tree = {"name": "", "items": [], "call": False}
    groups: dict[tuple[str, ...], Tree] = {(): root}
    shared = _shared([n.scope for n in numbers if n.op])
    for n in numbers:
        scope = n.scope[len(shared) :] if n.scope[: len(shared)] == shared else n.scope
        for depth in range(1, len(scope) + 1):
            path = scope[:depth]
            if path not in groups:
                groups[path] = {"name": path[-1], "items": [], "call": CALL in path[-1]}
                groups[path[:-1]]["items"].append(groups[path])
        groups[scope]["items"].append(n.index)
    return _cut(_without_single(root))


def _shared(scopes: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The scopes that all of them lie under, which tell nothing apart."""
    ends = zip(min(scopes, default=()), max(scopes, default=()), strict=False)
    return tuple(first for first, _ in takewhile(lambda pair: pair[0] == pair[1], ends))


def _without_single(group: Tree) -> Tree:
    """A group of one number is that number."""
    items = [_without_single(x) if isinstance(x, dict) else x for x in group["items"]]
    flat = [x["items"][0] if isinstance(x, dict) and len(x["items"]) == 1 and isinstance(x["items"][0], int) else x
            for x in items]  # fmt: skip
    return group | {"items": flat}


def _cut(group: Tree) -> Tree:
    items = [_cut(x) if isinstance(x, dict) else x for x in group["items"]]
    while len(items) > MOST_MEMBERS:
        size = min(math.ceil(len(items) / (MOST_MEMBERS // 2)), MOST_MEMBERS)
        runs = [items[i : i + size] for i in range(0, len(items), size)]
        items = [{"name": f"n{_first(run[0])} to n{_last(run[-1])}", "items": run, "call": False} for run in runs]
    return group | {"items": items}


def _first(item: Any) -> int:
    return item if isinstance(item, int) else _first(item["items"][0])


def _last(item: Any) -> int:
    return item if isinstance(item, int) else _last(item["items"][-1])
