"""`python -m bench.profile GROUP --only TEXT`: where the time of Pullback's plans goes, job by job.

Runs each chosen work until it is planned, then with every job timed by itself, on all threads, and prints the
slowest: time, share, kernel, items and shares, bytes touched a second, the shapes that it was given, the nodes served.
What is not in a job is Python: between jobs, and steps that no machine code exists for.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import machine
from bench.__main__ import WIDTH, selected
from bench.work import Work

REPEATS = 7


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("groups", nargs="*")
    parser.add_argument("--only", default="")
    parser.add_argument("--variant", default=None, help="function or session, where a work has both")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=15, help="how many are shown (default: 15)")
    chosen = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    machine.confine(chosen.threads)
    for work in selected(chosen):
        if not work.fresh:
            _profile(work, chosen.variant, chosen.jobs, console)


def _profile(work: Work, variant: str | None, most: int, console: Console) -> None:
    from bench import worker

    importlib.import_module("bench.libraries.in_pullback")  # registers the makers

    maker, variants = worker.MAKERS[work.kind]
    made = maker({"kind": work.kind, **work.case}, variant or variants[0], np.dtype(np.float32))
    for _ in range(made.warm + 1):
        made.run()
    start = time.perf_counter()
    made.run()
    whole = time.perf_counter() - start
    rows = _timed(made.run)
    total = sum(row[0] for row in rows)
    if not rows:
        console.print(f"{work.name}: nothing of it is planned", highlight=False)
        return
    title = f"{work.name}: {whole * 1e3:.3g} ms, of which {len(rows)} jobs {total * 1e3:.3g} ms one by one"
    table = Table(title=title, title_justify="left")
    for column in ("us", "%", "kernel", "items/shares", "GB/s", "buffers", "for"):
        table.add_column(column, justify="right" if column in ("us", "%", "items/shares", "GB/s") else "left")
    for seconds, job, nodes in sorted(rows, key=lambda r: -r[0])[:most]:
        shapes = " ".join("x".join(map(str, b.shape)) or "()" for b in job.buffers()[:4])
        names = ", ".join(dict.fromkeys(n.op.type for n in nodes))[:34]
        moved = sum(b.bytes for b in job.buffers()) / max(seconds, 1e-9) / 1e9
        table.add_row(
            f"{seconds * 1e6:.0f}",
            f"{100 * seconds / total:.0f}",
            job.emit.__name__,
            f"{job.items}/{job.shares}",
            f"{moved:.0f}",
            shapes[:48],
            names,
        )
    console.print(table)


class _Stopwatch:
    """Stands where the engine looks for its pool, and runs each list job by job."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.seconds: dict[int, list[float]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def pool(self) -> _Stopwatch:
        return self

    def run(self, jobs: int, count: int) -> None:
        self._each(self._real.pool().run, jobs, count)

    def alone(self, jobs: int, count: int) -> None:
        self._each(self._real.alone, jobs, count)

    def _each(self, run: Any, jobs: int, count: int) -> None:
        for address in range(jobs, jobs + count * self._real.JOB_WORDS * 8, self._real.JOB_WORDS * 8):
            start = time.perf_counter()
            run(address, 1)
            self.seconds.setdefault(address, []).append(time.perf_counter() - start)


def _timed(run: Any) -> list[tuple[float, Any, Any]]:
    """(least seconds, job, nodes it serves) for each job that one run of the work takes."""
    from pullback.engines.cpu import run as engine
    from pullback.engines.cpu.direct import Direct

    watch, tried = _Stopwatch(engine.pool), Direct.tried
    engine.pool, Direct.tried = watch, lambda *_: None  # all plans go one way, through the pool
    try:
        for _ in range(REPEATS):
            run()
    finally:
        engine.pool, Direct.tried = watch._real, tried
    known = dict(_jobs(watch._real.JOB_WORDS * 8))
    return [(min(seconds), *known[address]) for address, seconds in watch.seconds.items() if address in known]


def _jobs(stride: int) -> Iterator[tuple[int, tuple[Any, Any]]]:
    """The address of each job of all plans that are alive, with the job and the nodes it serves."""
    from pullback.engines.cpu.run import Runner, Segment

    for runner in [o for o in gc.get_objects() if isinstance(o, Runner)]:
        segments = [step for step in runner.recipe.steps if isinstance(step, Segment)]
        for instance in runner._idle:
            for segment, (address, _, _) in zip(segments, instance.calls, strict=True):
                for n, (job, nodes) in enumerate(zip(segment.jobs, segment.serves, strict=True)):
                    yield address + n * stride, (job, nodes)


if __name__ == "__main__":
    main()
