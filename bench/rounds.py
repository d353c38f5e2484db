"""Turns: every library does a work for a moment, then the next one, so that all meet the same machine."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench import process
from bench.machine import Watch
from bench.process import FailureError, Worker
from bench.work import PULLBACK, Figures, Work

PAUSE = 0.02  # seconds between turns: threads that spin for more work go to sleep
MOST_STARTS = 3  # turns of works that take a process each
LONG = 4.0  # seconds: what takes longer has one turn


class Arena:
    """The workers of a run, and how long turns are.

    libraries: in the order of their turns. seconds: the length of a turn, at least one run.
    check: whether results are compared with the same work in float64 on NumPy.
    clock: "wall", or "cpu" for the time of all threads that was not given to other processes.
    """

    def __init__(
        self, libraries: Sequence[str], rounds: int, seconds: float, check: bool = True, clock: str = "wall"
    ) -> None:
        self.rounds, self.seconds, self.check, self.clock = rounds, seconds, check, clock
        self.watch = Watch()
        self.workers: dict[str, Worker] = {}
        self.kinds: dict[str, dict[str, list[str]]] = {}
        self.versions: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        for library in libraries:
            self._start(library)
        self._exact: Worker | None = None

    def _start(self, library: str) -> None:
        worker = Worker(library)
        try:
            said = worker.ask("hello")
        except FailureError as error:
            worker.close()
            self.missing[library] = str(error)
            return
        self.workers[library], self.kinds[library] = worker, said["kinds"]
        self.versions[library] = said["version"]

    def measured(self, work: Work) -> list[Figures]:
        """What each library's variants gave."""
        if work.fresh == "program":
            return self._in_turn(
                [Figures(library, "") for library in self.workers],
                lambda f: {"": process.program(f.library, work.kind, work.case)},
                rounds=min(self.rounds, MOST_STARTS),
            )
        entrants = [
            Figures(library, variant) for library, kinds in self.kinds.items() for variant in kinds.get(work.kind, ())
        ]
        if work.fresh:
            return self._in_turn(entrants, lambda f: _peak(f, work), rounds=1)
        return self._timed(work, entrants)

    def _in_turn(
        self, entrants: list[Figures], run: Callable[[Figures], dict[str, float]], rounds: int
    ) -> list[Figures]:
        for _ in range(rounds):
            self.watch.look()
            for figures in entrants:
                if figures.failure:
                    continue
                try:
                    for name, value in run(figures).items():
                        figures.values.setdefault(name, []).append(value)
                except FailureError as error:
                    figures.failure = str(error)
        return entrants

    def _timed(self, work: Work, entrants: list[Figures]) -> list[Figures]:
        ids: dict[int, int] = {}
        with tempfile.TemporaryDirectory() as folder:
            right = self._right(work, Path(folder)) if self.check else None
            for n, figures in enumerate(entrants):
                answer = Path(folder) / f"{n}.npz"
                try:
                    asked = {"kind": work.kind, "case": work.case, "variant": figures.variant}
                    kept = {"answer": str(answer)} if right is not None else {}
                    ids[n] = self.workers[figures.library].ask("prepare", **asked, **kept)["id"]
                except FailureError as error:
                    figures.failure = str(error)
                    continue
                if right is not None and answer.exists():
                    figures.error = distance(_loaded(answer), right)
        self._take_turns(entrants, ids)
        for n, id in ids.items():
            self.workers[entrants[n].library].ask("drop", id=id)
        return entrants

    def _take_turns(self, entrants: list[Figures], ids: dict[int, int]) -> None:
        finished: set[int] = set()
        for _ in range(self.rounds):
            self.watch.look()
            for n in [n for n in ids if n not in finished]:
                time.sleep(PAUSE)
                figures = entrants[n]
                try:
                    said = self.workers[figures.library].ask(
                        "run", id=ids[n], seconds=self.seconds, most=1000, clock=self.clock
                    )
                except FailureError as error:
                    figures.failure = str(error)
                    finished.add(n)
                    continue
                for name, values in said["values"].items():
                    figures.values.setdefault(name, []).extend(values)
                figures.busy.append(said["cpu"] / said["time"])
                if said["time"] > LONG:
                    finished.add(n)

    def _right(self, work: Work, folder: Path) -> list[np.ndarray] | None:
        """The results in float64, by NumPy; None where the work has none."""
        self._exact = self._exact or Worker(PULLBACK, exact=True)
        answer, variant = folder / "right.npz", self.kinds[PULLBACK][work.kind][0]
        self._exact.ask("prepare", kind=work.kind, case=work.case, variant=variant, answer=str(answer))
        return _loaded(answer) if answer.exists() else None

    def close(self) -> None:
        for worker in [*self.workers.values(), *([self._exact] if self._exact else [])]:
            worker.close()


def _peak(figures: Figures, work: Work) -> dict[str, float]:
    """The most memory that a new process holds while it does the work three times."""
    worker = Worker(figures.library)
    try:
        worker.ask("hello")
        id = worker.ask("prepare", kind=work.kind, case=work.case, variant=figures.variant)["id"]
        worker.ask("run", id=id, seconds=60, most=3)
        return {"peak": worker.ask("peak")["MB"]}
    finally:
        worker.close()


def _loaded(path: Path) -> list[np.ndarray]:
    with np.load(path) as file:
        return [file[name] for name in file.files]


def distance(given: list[np.ndarray], right: list[np.ndarray]) -> float:
    """The largest difference, relative to the largest entry of what is right; infinite where shapes differ."""
    if len(given) != len(right) or any(a.size != b.size for a, b in zip(given, right, strict=False)):
        return float("inf")
    worst = 0.0
    for a, b in zip(given, right, strict=True):
        scale = max(float(np.abs(b).max(initial=0)), 1e-30)
        off = float(np.abs(a.astype(np.float64).reshape(b.shape) - b).max(initial=0)) / scale
        worst = max(worst, off if np.isfinite(off) else float("inf"))
    return worst
