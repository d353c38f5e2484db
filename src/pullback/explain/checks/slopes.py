"""A derivative from values alone: differences extrapolated to step 0, the complex step, and where a function bends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.errors import OpError

# Rows of the tableau, and by how much the step shrinks from one to the next.
_ROWS, _SHRINK = 7, 2.0


class Slope(NamedTuple):
    """A derivative by numbers.

    error: how exact it is. left, right: the one-sided slopes at a kink, else None.
    """

    value: float
    error: float
    left: float | None
    right: float | None


class Slopes:
    """Derivatives of L by the entries of one input.

    Args:
      weighed: L, of a list of arrays; complex where they are complex and the function takes them.
      xs, which: the inputs, and which of them.
      step: the first step, as a share of an entry's size.
      scale: how large the numbers are that L sums; what rounding is measured by.
      complex_too: whether the complex step may be tried.
    """

    def __init__(
        self,
        weighed: Callable[[Sequence[Any]], Any],
        xs: list[Any],
        which: int,
        step: float,
        scale: float,
        complex_too: bool,
    ) -> None:
        self._weighed, self._xs, self._which, self._step = weighed, xs, which, step
        self._here = float(np.real(weighed(xs)))
        self._size = max(float(np.abs(xs[which]).mean()) if xs[which].size else 0.0, 1e-3)
        self._noise = max(epsilon(x.dtype) for x in xs if differentiable(x)) * max(scale, 1e-300)
        self._complex = complex_too and all(x.dtype == np.float64 for x in xs if differentiable(x))

    def at(self, place: tuple[int, ...], part: str) -> Slope:
        """The derivative by the entry at a place: by its "real" or "imaginary" part where it is complex, else ""."""
        h = self._step * max(abs(complex(self._xs[self._which][place])), self._size)
        rows: list[list[float]] = []
        sides: list[tuple[float, float, float]] = []
        best, error = 0.0, np.inf
        for i in range(_ROWS):
            above, below, width = self._around(place, part, h / _SHRINK**i)
            sides.append(((self._here - below) / (width / 2), (above - self._here) / (width / 2), width / 2))
            rows.append([(above - below) / width])
            factor = _SHRINK**2
            for j in range(i):
                rows[i].append(rows[i][j] + (rows[i][j] - rows[i - 1][j]) / (factor - 1))
                factor *= _SHRINK**2
                apart = max(abs(rows[i][j + 1] - rows[i][j]), abs(rows[i][j + 1] - rows[i - 1][j]))
                if apart < error:
                    best, error = rows[i][j + 1], apart
        error = max(float(error), self._noise / sides[0][2])
        bent = self._bend(sides)
        if bent is not None:
            return Slope(best, error, *bent)
        exact = self._complex_step(place) if self._complex and not part else None
        if exact is not None and abs(exact - best) <= max(10 * error, 1e-6 * abs(best)):
            best, error = exact, min(error, 1e-13 * max(abs(exact), 1e-300))
        return Slope(best, error, None, None)

    def _bend(self, sides: list[tuple[float, float, float]]) -> tuple[float, float] | None:
        """The one-sided slopes where they stay apart: where they are smooth the gap shrinks with the step."""
        gaps = [right - left for left, right, _ in sides]
        floor = 20 * self._noise / sides[-1][2] + 1e-7 * max(abs(sides[-1][0]), abs(sides[-1][1]))
        wide, narrow = gaps[-3], gaps[-1]  # the step is a quarter: a smooth function's gap is too
        if abs(narrow) > floor and abs(narrow) > 0.7 * abs(wide):
            return sides[-1][0], sides[-1][1]
        return None

    def _around(self, at: tuple[int, ...], part: str, h: float) -> tuple[float, float, float]:
        """(L above, L below, the distance between, as the type holds it)."""
        x = self._xs[self._which]
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[at] = x[at] + np.asarray(sign * h * (1j if part == "imaginary" else 1)).astype(x.dtype)
            ends.append((float(np.real(self._weighed(self._with(moved)))), component(complex(moved[at]), part)))
        (above, top), (below, bottom) = ends
        return above, below, max(top - bottom, 1e-300)

    def _complex_step(self, at: tuple[int, ...]) -> float | None:
        """Im L(x + ih) / h; None where the function does not take complex numbers."""
        moved = self._xs[self._which].astype(np.complex128)
        moved[at] += 1e-30j
        others = [x.astype(np.complex128) if x.dtype.kind == "f" else x for x in self._with(moved)]
        try:
            answer = self._weighed(others)
        except (OpError, TypeError, ValueError):
            self._complex = False
            return None
        if not isinstance(answer, (complex, np.complexfloating)):
            self._complex = False
            return None
        return float(answer.imag) / 1e-30

    def _with(self, moved: Any) -> list[Any]:
        return [moved if i == self._which else x for i, x in enumerate(self._xs)]


def epsilon(dtype: Any) -> float:
    """The distance from 1 to the next number of a real or complex type."""
    return 2.0**-7 if dtype.name == "bfloat16" else float(np.finfo(dtype).eps)


def differentiable(value: Any) -> bool:
    """Whether an array holds real or complex numbers, bfloat16 among them."""
    return isinstance(value, np.ndarray) and (value.dtype.kind in "fc" or value.dtype.name == "bfloat16")


def component(value: Any, part: str) -> float:
    """The imaginary part of a number where that is asked for, else the real one."""
    return value.imag if part == "imaginary" else value.real
