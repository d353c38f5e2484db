"""gradcheck: a gradient held against numbers.

The function is weighed into one number, L(x) = sum of v * f(x) with fixed random v, so that one gradient answers for
all of f; an f that is one number already stays as it is. Each entry's derivative is then taken from values of L alone:

    central      D(h) = (L(x+h) - L(x-h)) / 2h  =  L' + c2 h^2 + c4 h^4 + ...
    Richardson   (4 D(h/2) - D(h)) / 3, and so on: a tableau whose columns cancel h^2, h^4, ...; where neighbours differ
                 least stands the answer, and by how much is its error
    complex      Im L(x + ih) / h with h = 1e-30: exact to rounding; taken where f takes complex numbers and it agrees

At a kink (L(x+h) - L(x)) / h and (L(x) - L(x-h)) / h stay apart however small h is. There any slope between the two is
right, and the report says so.

Sources: Ridders 1982 for the tableau; Squire & Trapp 1998 for the complex step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, DTypeError
from pullback.explain.checks.slopes import Slope, Slopes, component
from pullback.explain.checks.subjects import Subject, is_one_number, of_function, of_graph, weights_for
from pullback.explain.markup import number
from pullback.ops.random import philox

# By float type: (first step as a share of the entry's size, relative tolerance, absolute tolerance).
_BY_TYPE = {
    "float64": (1e-2, 1e-6, 1e-9),
    "float32": (3e-2, 2e-3, 1e-4),
    "float16": (1e-1, 5e-2, 2e-2),
    "bfloat16": (2.5e-1, 1e-1, 1e-1),
}
# Entries that a report's table shows.
WORST = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry's derivative, both ways.

    input: its name. index: place in it; part: "real" or "imaginary" of a complex one, else "".
    analytic, numeric: the derivative by the rule and by numbers. error: how exact the numeric one is.
    left, right: one-sided slopes, where they differ: a kink.
    held: whether both agree; at a kink, whether the analytic one lies between the slopes.
    """

    input: str
    index: tuple[int, ...]
    part: str
    analytic: float
    numeric: float
    error: float
    left: float | None
    right: float | None
    held: bool

    @property
    def place(self) -> str:
        at = f"[{','.join(map(str, self.index))}]" if self.index else ""
        return f"{self.input}{at}{f' {self.part}' if self.part else ''}"

    @property
    def apart(self) -> float:
        return abs(self.analytic - self.numeric)


@dataclass(frozen=True)
class Report:
    """What gradcheck found. True where every entry held.

    entries: all that were checked, worst first. order: 1, or 2 for the gradient's gradient.
    weighed: whether they are derivatives of a weighted sum of f's outputs; of a single number they are its own.
    """

    entries: tuple[Entry, ...]
    order: int
    rtol: float
    atol: float
    weighed: bool = True

    @property
    def held(self) -> bool:
        return all(e.held for e in self.entries)

    @property
    def kinks(self) -> tuple[Entry, ...]:
        """The entries at which the function bends."""
        return tuple(e for e in self.entries if e.left is not None)

    def __bool__(self) -> bool:
        return self.held

    def __str__(self) -> str:
        bad = sum(not e.held for e in self.entries)
        what = "gradient" if self.order == 1 else "gradient of the gradient"
        agree = f"{len(self.entries) - bad} of {len(self.entries)} entries agree"
        of = ", of a weighted sum of the outputs" if self.weighed else ""
        head = f"{what}{of}: {agree} (rtol {self.rtol:g}, atol {self.atol:g})"
        rows = [["entry", "analytic", "numeric", "difference", "numeric's error", ""]]
        rows += [_row(e) for e in self.entries[:WORST]]
        widths = [max(len(r[i]) for r in rows) for i in range(6)]
        lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
        rest = len(self.entries) - WORST
        return "\n".join(
            [head, *lines, *([f"... and {rest} entries that agree as well or better"] if rest > 0 else [])]
        )


def _row(e: Entry) -> list[str]:
    said = "" if e.held else "WRONG"
    if e.left is not None and e.right is not None:
        between = "any slope between is right" if e.held else "it is not between"
        said = f"{said} kink: {number(e.left)} from the left, {number(e.right)} from the right; {between}".strip()
    return [e.place, f"{e.analytic + 0.0:.9g}", f"{e.numeric + 0.0:.9g}", f"{e.apart:.2g}", f"{e.error:.1g}", said]


def gradcheck(
    f: Any,
    inputs: Any,
    *,
    order: int = 1,
    rtol: float | None = None,
    atol: float | None = None,
    entries: int | None = None,
    variables: Sequence[Any] = (),
    names: Sequence[str] | None = None,
    seed: int = 0,
    session: Any = None,
    feeds: Any = None,
    raises: bool = True,
) -> Report:
    """Holds the gradient of f against its values.

    Args:
      f: a function of the inputs, eager or `tf.function`, that answers a tensor or a nest of them. Of a graph: the
        tensor, or a list of tensors.
      inputs: a list (or one) of arrays, numbers or tensors to check at. Of a graph: {tensor: value}, which are fed.
        Integers among them are handed on and not differentiated by. Use float64 where you can.
      order: 2 also checks the gradient's gradient.
      rtol, atol: how far apart both may be; by default by type, float64's 1e-6 and 1e-9. The numeric one's own error is
        allowed on top.
      entries: how many entries of each input are checked, chosen by `seed`; by default all.
      variables: that an eager f reads; they are differentiated by too. Of a graph they stand among the inputs.
      names: of the inputs and variables, for the table. seed: of the weights v and of that choice.
      session, feeds: what computes a graph's tensors, and what else is fed.
      raises: raise where an entry fails; otherwise the report says so.
    Returns:
      Report, falsy where an entry fails.
    Raises:
      AssertionError: an entry fails; with the table of the worst.
      ArgumentError: f does not depend on an input that is asked for (its gradient is None though its values change), or
        order is neither 1 nor 2. DTypeError: no input is floating.
    """
    if order not in (1, 2):
        raise ArgumentError(f"gradcheck: order={order}; it checks the gradient (1) and its gradient (2)").locate()
    if isinstance(inputs, dict) and variables:
        raise ArgumentError("gradcheck: of a graph, give variables among the inputs, {variable: value}").locate()
    before = [interpreter.as_tensor(v) for v in variables]
    try:
        if isinstance(inputs, dict):
            subject = of_graph(f, inputs, session, feeds)
        else:
            subject = of_function(f, inputs, variables)
        report = _judged(subject, order, rtol, atol, entries, names, seed)
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
    if raises and not report.held:
        raise AssertionError(f"gradcheck failed\n{report}")
    return report


def _judged(
    subject: Subject, order: int, rtol: Any, atol: Any, entries: int | None, names: Sequence[str] | None, seed: int
) -> Report:
    """The gradient's report, and where that holds the second order's with it."""
    if names is not None and len(names) != len(subject.values):
        raise ArgumentError(f"gradcheck: {len(names)} names for {len(subject.values)} inputs").locate()
    subject.names = list(names or subject.names)
    if not subject.wrt:
        raise DTypeError("gradcheck: no input is floating or complex, so there is nothing to differentiate by").locate()
    report = _checked(subject, 1, rtol, atol, entries, seed)
    if order == 1 or not report.held:
        return report
    second = subject.differentiated(seed)
    second.names = subject.names
    found = _checked(second, 2, rtol, atol, entries, seed)
    if not found.held:
        return found
    weighed = report.weighed or found.weighed
    return Report((*report.entries, *found.entries), 2, found.rtol, found.atol, weighed)


def _checked(subject: Subject, order: int, rtol: Any, atol: Any, count: int | None, seed: int) -> Report:
    xs = subject.values
    first = subject.value(xs)
    weights = weights_for(first, seed)
    scale = float(sum(np.sum(np.abs(v) * np.abs(y)) for v, y in zip(weights, first, strict=True)))

    def weighed(given: Sequence[Any]) -> Any:
        """L, in double precision: the real part of the sum of conj(v) y where f is complex by itself."""
        total: Any = 0.0
        for v, y in zip(weights, map(np.asarray, subject.value(given)), strict=True):
            product = np.sum(np.conj(_wide(v)) * _wide(y))
            total = total + (product.real if v.dtype.kind == "c" else product)
        return total

    step, r, a = max((_BY_TYPE[_real(xs[i].dtype)] for i in subject.wrt), key=lambda row: row[1])
    r, a = r if rtol is None else rtol, a if atol is None else atol
    found: list[Entry] = []
    for i, dx in zip(subject.wrt, subject.gradient(xs, weights), strict=True):
        slopes = Slopes(weighed, xs, i, step, scale, subject.takes_complex)
        here = [
            _entry(subject.names[i], at, part, dx, slopes.at(at, part), r, a)
            for at, part in _places(xs[i], count, seed + i)
        ]
        if dx is None and not all(e.held for e in here):
            raise ArgumentError(
                f"gradcheck: the gradient by input {subject.names[i]!r} is None, yet the values change with it"
            ).locate()
        found += here
    found.sort(key=lambda e: (e.held, e.left is None, -e.apart / (a + r * max(abs(e.analytic), abs(e.numeric)))))
    return Report(tuple(found), order, r, a, not is_one_number(first))


def _entry(name: str, at: tuple[int, ...], part: str, dx: Any, slope: Slope, r: float, a: float) -> Entry:
    """One entry, judged."""
    analytic = 0.0 if dx is None else float(component(dx[at], part))
    within = a + r * max(abs(analytic), abs(slope.value)) + 2 * slope.error
    low = high = slope.value
    if slope.left is not None and slope.right is not None:
        low, high = min(slope.left, slope.right), max(slope.left, slope.right)
    held = bool(low - within <= analytic <= high + within)
    return Entry(name, at, part, analytic, *slope, held)


def _wide(values: Any) -> Any:
    return values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)


def _real(dtype: Any) -> str:
    """The float type of which a complex one is made."""
    name: str = dtype.name
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


def _places(x: Any, count: int | None, seed: int) -> list[tuple[tuple[int, ...], str]]:
    """Which entries are checked, and which parts of each."""
    every = list(np.ndindex(x.shape))
    if count is not None and count < len(every):
        order = np.argsort(philox.words(seed, 1 << 96, len(every)), kind="stable")[:count]
        every = [every[i] for i in sorted(order)]
    parts = ("real", "imaginary") if x.dtype.kind == "c" else ("",)
    return [(at, part) for at in every for part in parts]
