"""keras.utils.Progbar: progress and figures on a line of the terminal."""

from __future__ import annotations

import sys
import time
from typing import Any

from pullback.core.names import public

_WIDTH = 30


@public("keras.utils.Progbar")
class Progbar:
    """Prints progress.

    Args:
      target: how many steps there are; None where it is not known.
      width: of the bar. verbose: 0 nothing, 1 a bar, 2 a line at the end.
      interval: seconds between two prints. stateful_metrics: names shown as they are; others are means over steps.
      unit_name: what a step is called.
    """

    def __init__(
        self,
        target: int | None,
        width: int = _WIDTH,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        unit_name: str = "step",
    ) -> None:
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self._stateful, self.unit_name = set(stateful_metrics or ()), unit_name
        self._sums: dict[str, list[float]] = {}
        self._start = time.time()
        self._last = 0.0
        self.seen = 0

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Says that `current` steps are done. values: pairs (name, figure); finalize: the line is ended."""
        for name, value in values or ():
            if name in self._stateful:
                self._sums[name] = [float(value), 1.0]
            else:
                steps = max(current - self.seen, 1)
                total = self._sums.setdefault(name, [0.0, 0.0])
                total[0] += float(value) * steps
                total[1] += steps
        self.seen = current
        end = current >= self.target if finalize is None and self.target is not None else bool(finalize)
        now = time.time()
        if not self.verbose or (self.verbose == 2 and not end):
            return
        if self.verbose == 1 and now - self._last < self.interval and not end:
            return
        self._last = now
        print(self._line(current, now), end="\n" if end else "", flush=True, file=sys.stdout)

    def _line(self, current: int, now: float) -> str:
        shown = [f"{name}: {total / max(count, 1.0):.4f}" for name, (total, count) in self._sums.items()]
        each = (now - self._start) / max(current, 1)
        spent = f"{now - self._start:.0f}s {each * 1000:.0f}ms/{self.unit_name}"
        if self.verbose == 2:
            return " - ".join([f"{self.target or current}/{self.target or current}", spent, *shown])
        if self.target is None:
            return "\r" + " - ".join([f"{current}/Unknown", spent, *shown])
        done = int(self.width * current / max(self.target, 1))
        bar = "=" * done + (">" if done < self.width else "") + "." * (self.width - done - 1)
        return "\r" + " - ".join([f"{current}/{self.target} [{bar}]", spent, *shown])

    def add(self, n: int, values: Any = None) -> None:
        """Says that n more steps are done."""
        self.update(self.seen + n, values)
