"""What is amiss with gradients, and since when: the judging half of `watch_gradients`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["vanishing", "exploding", "unconnected", "dead units"]


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a gradient vanishes or explodes and a unit is dead, as `watch_gradients` takes them."""

    vanishing: float
    exploding: float
    patience: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A layer that was amiss in a row of steps.

    name: the variable's, of dead units the relu's. began, last: first and latest step of the row. now: whether it is so
    still. worst: the smallest share of the largest norm, the largest norm, or how many units are dead, of `units`.
    """

    name: str
    kind: Kind
    began: int
    last: int
    now: bool
    worst: float
    units: int = 0

    def __str__(self) -> str:
        when = f"since step {self.began}" if self.now else f"in steps {self.began} to {self.last}"
        told = {
            "vanishing": f"norm down to {self.worst:.2g} of the largest",
            "exploding": f"norm up to {self.worst:.3g}",
            "unconnected": "no gradient: the loss does not depend on it",
            "dead units": f"{self.worst:.0f} of {self.units} units answer nothing but 0",
        }
        return f"{self.name}: {self.kind} {when}, {told[self.kind]}"


class Judge:
    """Hears norms step by step and keeps the rows of steps in which a layer was amiss."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rows: list[Finding] = []
        self._open: dict[tuple[str, str], int] = {}
        self._silent: dict[str, NDArray[Any]] = {}  # by relu: for each unit the first step of its silence, -1 of none

    @property
    def findings(self) -> list[Finding]:
        """All rows, earliest first."""
        return sorted(self._rows, key=lambda f: (f.began, f.name))

    def see(self, step: int, norms: dict[str, float | None], units: dict[str, NDArray[np.bool_]]) -> None:
        """Judges one step: the norm of each variable's gradient (None: it has none), and which units fired."""
        limits = self._limits
        known = {n: v for n, v in norms.items() if v is not None}
        wild = {n for n, v in known.items() if not math.isfinite(v) or v > limits.exploding}
        largest = max([v for n, v in known.items() if n not in wild], default=0.0)
        for name, norm in norms.items():
            self._note(name, "unconnected", step, norm is None, 0.0)
            if norm is None:
                continue
            share = norm / largest if largest else 1.0
            self._note(name, "exploding", step, name in wild, norm if norm == norm else math.inf)
            self._note(name, "vanishing", step, name not in wild and share < limits.vanishing, share)
        for name, fired in units.items():
            self._hear(name, step, fired)

    def _hear(self, name: str, step: int, fired: NDArray[np.bool_]) -> None:
        since = self._silent.get(name)
        if since is None or len(since) != len(fired):
            since = np.full(len(fired), -1)
        since = np.where(fired, -1, np.where(since < 0, step, since))
        self._silent[name] = since
        dead = (since >= 0) & (step - since + 1 >= self._limits.patience)
        began = int(since[dead].min()) if dead.any() else step
        self._note(name, "dead units", step, bool(dead.any()), float(dead.sum()), began, len(fired))

    def _note(
        self, name: str, kind: Kind, step: int, amiss: bool, worst: float, began: int | None = None, units: int = 0
    ) -> None:
        at = self._open.get((name, kind))
        if not amiss:
            if at is not None:
                self._rows[at] = replace(self._rows[at], now=False)
                del self._open[name, kind]
        elif at is None:
            self._open[name, kind] = len(self._rows)
            self._rows.append(Finding(name, kind, step if began is None else began, step, True, worst, units))
        else:
            worse = min if kind == "vanishing" else max
            self._rows[at] = replace(self._rows[at], last=step, worst=worse(self._rows[at].worst, worst))
