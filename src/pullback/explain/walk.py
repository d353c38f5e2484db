"""The walk: what the chain rule did at every step, in numbers.

    first pass     n4 = n1 * n1 = 3 * 3 = 9                     values, forward
    second pass    df/dn4 = df/dn5 * dn5/dn4 = 1 * 4 = 4        derivatives, backward

`hearing` makes it, from what `backprop` and the engine tell while they work. Here it is kept and written out: as lines,
as a table in a terminal, as a fragment or page of HTML.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pullback.explain.formulas import SIGNS
from pullback.explain.held import Held
from pullback.explain.markup import bracketed, number, table
from pullback.explain.pages import Page

# Up to so many: numbers a fragment draws, lines a terminal prints, paths a line writes out.
MOST_DRAWN, MOST_PRINTED, MOST_PATHS = 40, 200, 8


@dataclass(frozen=True, slots=True)
class Term:
    """One path into a number's derivative: df/dn5 * dn5/dn2.

    via: index of the number the path comes from, 5.
    local: dn5/dn2 as a formula, "n4"; "" where it is not an array of n2's shape.
    partials: its value, for each time that n2 enters n5: n1 * n1 has two; () where there is none.
    pull: the rule's answer as a formula, "df/dn5*n4"; "" where it cannot be written out.
    share: what this path brings.
    """

    via: int
    local: str
    partials: tuple[Held, ...]
    pull: str
    share: Held

    def is_product(self, upstream: Held | None) -> bool:
        """Whether the share is upstream times the partials: not so of guided back-propagation, or of a matrix."""
        known = upstream is not None and upstream.numbers is not None and self.share.numbers is not None
        if not known or not self.partials or any(p.numbers is None for p in self.partials):
            return False
        total = sum(p.numbers for p in self.partials)  # type: ignore[misc]
        made = upstream.numbers * total  # type: ignore[union-attr,operator]
        return made.shape == self.share.shape and bool(np.allclose(made, self.share.numbers))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the graph, or a tensor: what an operation made, or what the graph begins with.

    index: 1 for n1.
    name: what its maker calls it ("x", "conv1/Conv2D:0"); "" of constants and of what has no name.
    op, inputs: the op type that computes it, and the numbers that it reads; "" and () at the ends of the graph.
    scope: the names it lies under, outermost first.
    held, adjoint: its value, and the derivative of f by it; None where f has none.
    where, line: the user's line that made it, "train.py:41" and its text; "" where not known.
    rule: whose rule pulls its derivative back to its inputs.
    """

    index: int
    name: str
    op: str
    inputs: tuple[int, ...]
    held: Held
    adjoint: Held | None
    terms: tuple[Term, ...]
    scope: tuple[str, ...] = ()
    where: str = ""
    line: str = ""
    rule: str = ""

    @property
    def label(self) -> str:
        return f"n{self.index}"

    @property
    def value(self) -> Any:
        """A float, an array of a small tensor, None of a large one: `held` has its statistics."""
        return self.held.value

    @property
    def derivative(self) -> Any:
        """As `value`; None also where f does not depend on it."""
        return None if self.adjoint is None else self.adjoint.value

    @property
    def is_sum_or_product(self) -> bool:
        """Whether it is written with a sign between its inputs, "n1 * n2", and not as "Tanh(n1)"."""
        return self.op in SIGNS and len(self.inputs) > 1

    def made_of(self, inputs: Sequence[str]) -> str:
        """How it is computed, with these words for its inputs."""
        if self.is_sum_or_product:
            return f" {SIGNS[self.op]} ".join(inputs)
        return f"-({inputs[0]})" if self.op == "Neg" else f"{self.op}({', '.join(inputs)})"


@dataclass(frozen=True)
class Walk:
    """A function's graph with its values and derivatives. Prints in a terminal, shows in a notebook.

    function: what it is called.
    numbers: n1, n2, ...: the sources, then constants, then what was computed, in order.
    result: the function's own number. What is no scalar is summed: its derivatives are those of the sum.
    """

    function: str
    numbers: tuple[Number, ...]
    result: Number
    _names: dict[str, Number] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = {n.label: n for n in self.numbers} | {n.name: n for n in reversed(self.numbers) if n.name}
        object.__setattr__(self, "_names", names)

    def by_name(self, name: str) -> Number:
        """The number that is called `name`, or "n5".

        Raises:
          KeyError: there is none.
        """
        return self._names[name]

    # --- lines -----------------------------------------------------------------------------------------------------

    def first_pass(self) -> list[str]:
        """A line a number: "n4 = n1 * n1 = 3 * 3 = 9"."""
        return [" = ".join(self.making(n)) for n in self.numbers]

    def making(self, n: Number) -> list[str]:
        """What a number is equal to, from its label to its value."""
        parts = [n.label]
        if n.op:
            parts.append(n.made_of([f"n{i}" for i in n.inputs]))
            inputs = [self.numbers[i - 1].held for i in n.inputs]
            if inputs and all(_scalar(x) for x in (*inputs, n.held)):
                parts.append(n.made_of([_number(x, n.is_sum_or_product) for x in inputs]))
        elif n.name:
            parts.append(n.name)
        return [*parts, str(n.held)]

    def second_pass(self) -> list[str]:
        """A line a number, last first: "df/dn5 = df/dn7 * dn7/dn5 = 1 * 1 = 1"."""
        return [" = ".join(self.chain(n)) for n in reversed(self.numbers)]

    def chain(self, n: Number) -> list[str]:
        """What the derivative by n is equal to, from its name to its value; without repetitions."""
        f = self.function
        left = f"d{f}/d{n.label}"
        if n.adjoint is None:
            return [left, f"none, {f} does not depend on it"]
        if not n.terms:
            return [left, str(n.adjoint)]
        words = _sum([f"d{f}/dn{t.via} * dn{t.via}/d{n.label}" for t in n.terms])
        factors = _sum([self._product(t) for t in n.terms])
        shares = _sum([_number(t.share, i > 0) for i, t in enumerate(n.terms)])
        parts = [left, words, factors, shares, str(n.adjoint)]
        return [part for i, part in enumerate(parts) if i == 0 or part != parts[i - 1]]

    def _product(self, term: Term) -> str:
        upstream = self.numbers[term.via - 1].adjoint
        if not (_scalar(term.share) and upstream is not None and _scalar(upstream)):
            return term.pull or f"(rule answers {term.share})"
        if not term.is_product(upstream):
            return f"(rule answers {term.share})"  # a rule that is no product: guided back-propagation, ...
        edges = " + ".join(_number(p, i > 0) for i, p in enumerate(term.partials))
        first = _number(term.partials[0], True) if len(term.partials) == 1 else f"({edges})"
        return f"{_number(upstream)} * {first}"

    def locals(self, n: Number) -> list[str]:
        """The local derivatives on the paths into n: "dn5/dn4 = n2 = 4"."""
        lines = []
        for t in n.terms[:MOST_PATHS]:
            total = " + ".join(_number(p, i > 0) for i, p in enumerate(t.partials))
            parts = [f"dn{t.via}/d{n.label}", t.local, total]
            if len(t.partials) > 1 and all(map(_scalar, t.partials)):
                parts.append(number(sum(float(p.value) for p in t.partials)))
            if t.partials:
                lines.append(" = ".join(p for i, p in enumerate(parts) if p and (i == 0 or p != parts[i - 1])))
            elif t.pull:
                lines.append(f"dn{t.via}/d{n.label}: d{self.function}/dn{t.via} becomes {t.pull}")
        return lines + ([f"and on {len(n.terms) - MOST_PATHS} more paths"] if len(n.terms) > MOST_PATHS else [])

    # --- where it is shown -----------------------------------------------------------------------------------------

    def __str__(self) -> str:
        first, second = "\n".join(_few(self.first_pass())), "\n".join(_few(self.second_pass()))
        return f"First pass, values\n{first}\n\nSecond pass, derivatives of {self.function}\n{second}"

    def __rich__(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        out = Table(title=f"The chain rule, walked back from {self.function} = {self.result.held}")
        out.add_column("number")
        out.add_column("first pass: values", style="cyan")
        out.add_column("local derivatives", style="green")
        out.add_column("second pass, read upwards: derivatives", style="magenta")
        for n in _few(self.numbers):
            if isinstance(n, str):
                out.add_row("", n, "", "")
                continue
            made, back = " = ".join(self.making(n)[1:]), " = ".join(self.chain(n))
            out.add_row(n.label, Text(made), Text("\n".join(self.locals(n))), Text(back))
        return out

    def html(self, picture: bool = True) -> str:
        """A picture of the graph, where it is small enough, and the two passes as tables: a fragment of a page."""
        from pullback.explain.walk_picture import drawn

        f, shown = self.function, [n for n in _few(self.numbers) if isinstance(n, Number)]
        values = [[n.label, " = ".join(self.making(n)[1:])] for n in shown]
        chains = [[c[0], " = ".join(c[1:-1]), c[-1]] for c in map(self.chain, reversed(shown))]
        graph = ""
        if picture and len(self.numbers) <= MOST_DRAWN:
            graph = f'<figure tabindex="0" aria-label="Graph of {f}">{drawn(self)}</figure>'
        return (
            graph
            + table("First pass: the values, forward", ["number", "value"], values, "sums")
            + table(
                f"Second pass: the derivatives of {f}, backward", ["derivative", "chain rule", "value"], chains, "sums"
            )
        )

    def page(self) -> Page:
        """The graph as a page: values forward and derivatives back, step by step."""
        from pullback.explain.walk_page import page

        return page(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page; returns its path."""
        return self.page().save(path)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


def _sum(terms: Sequence[str]) -> str:
    """Terms added; of very many the first ones."""
    more = len(terms) - MOST_PATHS
    return " + ".join([*terms[:MOST_PATHS], *([f"{more} more"] if more > 0 else [])])


def _scalar(held: Held) -> bool:
    return held.shape == () and held.numbers is not None


def _number(held: Held, inside: bool = False) -> str:
    value = held.value
    return bracketed(float(value), inside) if _scalar(held) and not isinstance(value, (bool, complex)) else str(held)


def _few(rows: Sequence[Any]) -> list[Any]:
    """All of them, or of very many the first and last ones and a word on the others."""
    if len(rows) <= MOST_PRINTED:
        return list(rows)
    half = MOST_PRINTED // 2
    return [*rows[:half], f"... {len(rows) - 2 * half} more: `save` writes a page with all of them", *rows[-half:]]
