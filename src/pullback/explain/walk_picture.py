"""The walk's graph as SVG: values above, derivatives below, the partial derivative on each edge.

n1 = x          n4
[ 3  ] --6-->  [ 9 ]  --4-->  ...
[ 24 ]         [ 4 ]
"""

from __future__ import annotations

from html import escape
from typing import Any

_WIDE, _HIGH, _GAP_X, _GAP_Y = 104, 62, 84, 30


def drawn(walk: Any) -> str:
    """The graph from left (inputs) to right (result). Colours come from the page's style, see `style`."""
    at = _places(walk)
    width = max(x for x, _ in at.values()) + _WIDE + 8
    height = max(y for _, y in at.values()) + _HIGH + 8
    edges, boxes = [], []
    for n in walk.numbers:
        boxes.append(_box(n, *at[n.index]))
        edges += [_edge(at[n.index], at[t.via], " + ".join(map(str, t.partials))) for t in n.terms]
        silent = {j for j in n.inputs if all(t.via != n.index for t in walk.numbers[j - 1].terms)}
        edges += [_edge(at[i], at[n.index], "") for i in sorted(silent)]
    told = f"{walk.function} = {walk.result.held}: each number's value, and below it the derivative with respect to it."
    title = f"Graph of {walk.function}, values and derivatives"
    return (
        f'<svg class="graph" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title><desc>{escape(told)}</desc>'
        f"<style>{_STYLE}</style>{''.join(edges)}{''.join(boxes)}</svg>"
    )


_STYLE = (
    ".graph{font:14px system-ui,sans-serif}.graph rect{fill:var(--card,#fff);stroke:var(--line,#888)}"
    ".graph text{fill:var(--ink,#222);text-anchor:middle}.graph .value{fill:var(--forward,#0b6bcb);font-weight:600}"
    ".graph .back{fill:var(--backward,#b3261e);font-weight:600}.graph .said{font-size:12px}"
    ".graph path{fill:none;stroke:var(--line,#888);stroke-width:1.5}"
    ".graph .edge{font-size:12px;fill:var(--ink,#222);stroke:var(--page,#fff);stroke-width:4;paint-order:stroke}"
)


def _places(walk: Any) -> dict[int, tuple[int, int]]:
    """Top left corner of each box. A column is the longest way from an input; a row is near those of what it reads."""
    column: dict[int, int] = {}
    for n in walk.numbers:
        column[n.index] = 1 + max((column[i] for i in n.inputs), default=-1)
    for n in reversed(walk.numbers):  # an input stands just before its first reader
        readers = [column[m.index] for m in walk.numbers if n.index in m.inputs]
        if not n.op and readers:
            column[n.index] = min(readers) - 1
    columns: dict[int, list[int]] = {}
    row: dict[int, float] = {}
    for n in sorted(walk.numbers, key=lambda n: column[n.index]):
        columns.setdefault(column[n.index], []).append(n.index)
    for _, members in sorted(columns.items()):
        for i in members:
            above = [row[j] for j in walk.numbers[i - 1].inputs]
            row[i] = sum(above) / len(above) if above else -1.0
        taken = -1.0
        for i in sorted(members, key=lambda i: (row[i] < 0, row[i], i)):
            row[i] = max(row[i], taken + 1.0, 0.0)
            taken = row[i]
    return {
        i: (4 + c * (_WIDE + _GAP_X), int(4 + row[i] * (_HIGH + _GAP_Y)))
        for c, members in columns.items()
        for i in members
    }


def _box(n: Any, x: int, y: int) -> str:
    middle = x + _WIDE // 2
    said = n.made_of([f"n{i}" for i in n.inputs]) if n.op else n.name or "constant"
    derivative = "none" if n.adjoint is None else n.adjoint
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="8"/>'
        f'<text class="said" x="{middle}" y="{y + 17}">{escape(f"n{n.index} = {said}")}</text>'
        f'<text class="value" x="{middle}" y="{y + 36}">{n.held}</text>'
        f'<text class="back" x="{middle}" y="{y + 54}">{derivative}</text>'
    )


def _edge(start: tuple[int, int], end: tuple[int, int], said: str) -> str:
    x1, y1, x2, y2 = start[0] + _WIDE, start[1] + _HIGH // 2, end[0], end[1] + _HIGH // 2
    bend = (x2 - x1) // 2
    line = f'<path d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'
    label = f'<text class="edge" x="{(x1 + x2) // 2}" y="{(y1 + y2) // 2 + 4}">{escape(said)}</text>' if said else ""
    return line + label
