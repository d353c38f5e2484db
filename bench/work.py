"""What a measurement is, and what it has to reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PULLBACK = "pullback"
PEERS = ("torch", "tensorflow", "jax")


@dataclass(frozen=True)
class Goal:
    """What a figure has to reach.

    ratio: best peer / pullback at least, or that of the peer `against` names. Where it is given it is what counts.
    most: pullback at most, in the figure's unit, on a quiet machine like the one that the goals were set on.
    """

    ratio: float | None = None
    most: float | None = None
    against: str = ""

    def met(self, figure: float | None, ratio: float | None) -> bool | None:
        """Whether it is reached; None where it cannot be said."""
        if self.ratio is not None:
            return None if ratio is None else ratio >= self.ratio
        return None if self.most is None or figure is None else figure <= self.most


@dataclass(frozen=True)
class Work:
    """One thing that every library is asked to do.

    kind: which maker of a library does it. case: the maker's arguments, as JSON holds them.
    goals: for each figure that one run gives its goal; a work that is simply timed gives the figure "".
    unit: "s" (printed as us, ms or s) or "MB".
    fresh: every run takes a new process: "worker" (prepare, run, then its peak memory) or "program" (of `programs`).
    tolerance: how far results may be from the same work in float64, relative to the largest entry.
    """

    group: str
    name: str
    kind: str
    case: dict[str, Any] = field(default_factory=dict)
    goals: dict[str, Goal] = field(default_factory=lambda: {"": Goal()})
    unit: str = "s"
    fresh: str = ""
    tolerance: float = 1e-4


@dataclass
class Figures:
    """What one library's variant gave: for each figure all values, or why there are none."""

    library: str
    variant: str
    values: dict[str, list[float]] = field(default_factory=dict)
    error: float | None = None
    failure: str = ""
    busy: list[float] = field(default_factory=list)  # CPU time / time, turn by turn
