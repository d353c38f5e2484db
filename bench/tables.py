"""What is printed: a table a group, with the best of each library, the ratio to the best peer, and the goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median
from typing import Any

from rich.table import Table
from rich.text import Text

from bench.catalogue import MEANS
from bench.work import PULLBACK, Figures, Goal, Work

STYLES = {True: "green", False: "red", None: ""}  # by whether a goal is met
Pick = Callable[[Sequence[float]], float]


@dataclass
class Row:
    """One figure of one work: for each library what its best variant gave."""

    work: Work
    figure: str
    best: dict[str, Figures]

    @property
    def name(self) -> str:
        return f"{self.work.name}: {self.figure}" if self.figure else self.work.name

    @property
    def goal(self) -> Goal:
        return self.work.goals.get(self.figure, Goal())

    def value(self, library: str, pick: Pick = min) -> float | None:
        found = self.best.get(library)
        return pick(found.values[self.figure]) if found else None

    def ratio(self, pick: Pick = min) -> float | None:
        """Best peer / pullback; or the peer's that the goal names."""
        mine = self.value(PULLBACK, pick)
        peers = [self.goal.against] if self.goal.against else [name for name in self.best if name != PULLBACK]
        theirs = [v for name in peers if (v := self.value(name, pick)) is not None]
        return min(theirs) / mine if mine and theirs else None

    @property
    def met(self) -> bool | None:
        return self.goal.met(self.value(PULLBACK), self.ratio())

    @property
    def wrong(self) -> list[str]:
        """Libraries whose results are further off than the work allows."""
        return [name for name, f in self.best.items() if f.error is not None and f.error > self.work.tolerance]


def rows(work: Work, entrants: Sequence[Figures]) -> list[Row]:
    """A row for each figure that a library gave, in the order of the goals."""
    given = dict.fromkeys([*work.goals, *(name for f in entrants for name in f.values)])
    out = []
    for figure in given:
        best: dict[str, Figures] = {}
        for f in entrants:
            if f.values.get(figure):
                now = best.get(f.library)
                if now is None or min(f.values[figure]) < min(now.values[figure]):
                    best[f.library] = f
        if best:
            out.append(Row(work, figure, best))
    return out


def shown(value: float, unit: str) -> str:
    """A number with its unit, to three digits."""
    factor, name = scale(value, unit)
    return f"{_digits(value * factor)} {name}"


def scale(value: float, unit: str) -> tuple[float, str]:
    """What to multiply by, and the unit's name then."""
    if unit != "s":
        return 1.0, unit
    return next(each for each in ((1.0, "s"), (1e3, "ms"), (1e6, "us")) if value * each[0] >= 1 or each[1] == "us")


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def words_of(goal: Goal, unit: str) -> str:
    """A goal in few words."""
    parts = []
    if goal.ratio is not None:
        parts.append(f">= {goal.ratio:g}x" + (f" {goal.against}" if goal.against else ""))
    if goal.most is not None:
        parts.append(f"<= {shown(goal.most, unit)}")
    return ", ".join(parts)


def mean(of: Sequence[Row], pick: Pick = min) -> float | None:
    """The geometric mean of the ratios."""
    ratios = [ratio for row in of if (ratio := row.ratio(pick))]
    return geometric_mean(ratios) if ratios else None


def table(group: str, of: Sequence[Row], libraries: Sequence[str]) -> Table:
    """The group's table: quickest (median) of each library, the ratio of the quickest (of the medians), the goal."""
    out = Table(title=group, caption=caption(group, of), title_justify="left", caption_justify="left")
    out.add_column("work")
    out.add_column("")
    for library in libraries:
        out.add_column(library, justify="right", no_wrap=True)
    if len(libraries) > 1:
        out.add_column("best peer / pullback", justify="right")
    out.add_column("goal")
    for row in of:
        values = [v for name in libraries if (v := row.value(name)) is not None]
        factor, unit = scale(min(values), row.work.unit)
        cells = [_cell(row, name, factor) for name in libraries]
        ratio = [_ratio(row)] if len(libraries) > 1 else []
        out.add_row(row.name, unit, *cells, *ratio, words_of(row.goal, row.work.unit))
    return out


def _cell(row: Row, library: str, factor: float) -> Text:
    value, middle = row.value(library), row.value(library, median)
    if value is None or middle is None:
        return Text("-", "dim")
    out = Text(_digits(value * factor), STYLES[row.met] if library == PULLBACK else "")
    if len(row.best[library].values[row.figure]) > 1:
        out.append(f" ({_digits(middle * factor)})", "dim")
    if library in row.wrong:
        out.append(f" off by {row.best[library].error:.0e}", "bold red")
    return out


def _ratio(row: Row) -> Text:
    ratio, middle = row.ratio(), row.ratio(median)
    if ratio is None or middle is None:
        return Text("-", "dim")
    return Text(f"{ratio:.2f} ({middle:.2f})", STYLES[row.met])


def caption(group: str, of: Sequence[Row]) -> str:
    """Mean, how many goals are reached, and by how much the missed ones are missed."""
    parts = []
    found, middle = mean(of), mean(of, median)
    if found and middle:
        goal = f", goal {MEANS[group]:g}" if group in MEANS else ""
        parts.append(f"geometric mean {found:.2f} ({middle:.2f}){goal}")
    judged = [row for row in of if row.met is not None]
    if judged:
        parts.append(f"{sum(bool(row.met) for row in judged)} of {len(judged)} goals reached")
    return "; ".join(parts)


def record(of: Sequence[Row], entrants: Sequence[Figures]) -> list[dict[str, Any]]:
    """Everything of a work, for a file."""
    return [
        {
            "group": row.work.group,
            "work": row.work.name,
            "figure": row.figure,
            "unit": row.work.unit,
            "case": row.work.case,
            "goal": {"ratio": row.goal.ratio, "most": row.goal.most, "against": row.goal.against},
            "ratio": row.ratio(),
            "ratio of medians": row.ratio(median),
            "met": row.met,
            "variants": [
                {
                    "library": f.library,
                    "variant": f.variant,
                    "least": min(f.values[row.figure]),
                    "median": median(f.values[row.figure]),
                    "values": len(f.values[row.figure]),
                    "error": f.error,
                    "CPU share": median(f.busy) if f.busy else None,
                }
                for f in entrants
                if f.values.get(row.figure)
            ],
        }
        for row in of
    ]
