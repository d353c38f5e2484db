"""The process that serves one library's works: a line of JSON in, a line of JSON out.

    {"do": "hello"}                                         -> library, version, kinds: {kind: [variant, ...]}
    {"do": "prepare", "kind", "case", "variant", "answer"}  -> id; results are kept in the file `answer`, if named
    {"do": "run", "id", "seconds", "most", "clock"}         -> values: {figure: [...]}, cpu, time
    {"do": "drop", "id"}    {"do": "peak"} -> MB            {"do": "quit"}

What fails is answered as {"failure": words}. Started with `--exact`, works are done in float64. What a library prints
goes to stderr, so that it cannot come between the lines.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SHORTEST = 3e-4  # seconds: quicker works are timed several at once
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
LONG_WARM = 2.0  # seconds: after so long, two runs are enough


@dataclass
class Prepared:
    """A work, ready to run.

    run: does it once, and returns when it is done; or, where `staged`, answers {figure: value}.
    results: arrays in the layout of `bench.data`; called first, once.
    warm: runs before any is timed.
    """

    run: Callable[[], Any]
    results: Callable[[], list[Any]] | None = None
    warm: int = 3
    staged: bool = False
    at_once: int = 1


Maker = Callable[[dict[str, Any], str, Any], Prepared]
MAKERS: dict[str, tuple[Maker, tuple[str, ...]]] = {}


def makes(*kinds: str, variants: tuple[str, ...] = ("",)) -> Callable[[Maker], Maker]:
    """Declares what makes works of these kinds: `maker(case, variant, dtype)`; `case` holds the kind too."""

    def declare(maker: Maker) -> Maker:
        for kind in kinds:
            MAKERS[kind] = maker, variants
        return maker

    return declare


class Server:
    """Answers messages."""

    def __init__(self, library: str, exact: bool) -> None:
        self.library = library
        self.dtype = np.dtype(np.float64 if exact else np.float32)
        self.module = importlib.import_module(f"bench.libraries.in_{library}")
        self.works: dict[int, Prepared] = {}
        self._made = 0

    def hello(self) -> dict[str, Any]:
        kinds = {kind: list(variants) for kind, (_, variants) in MAKERS.items()}
        return {"library": self.library, "version": self.module.version(), "kinds": kinds}

    def prepare(self, kind: str, case: dict[str, Any], variant: str, answer: str | None = None) -> dict[str, Any]:
        made = MAKERS[kind][0]({"kind": kind, **case}, variant, self.dtype)
        if answer is not None and made.results is not None:
            np.savez(answer, *[np.asarray(a) for a in made.results()])
        if self.dtype == np.float64:  # only its results are wanted
            del made
            gc.collect()
            return {"id": 0}
        start = time.perf_counter()
        for n in range(made.warm):
            if n < 2 or time.perf_counter() - start < LONG_WARM:
                made.run()
        if not made.staged:
            start = time.perf_counter()
            made.run()
            made.at_once = max(1, min(10_000, int(SHORTEST / max(1e-7, time.perf_counter() - start))))
        self._made += 1
        self.works[self._made] = made
        return {"id": self._made}

    def run(self, id: int, seconds: float, most: int, clock: str = "wall") -> dict[str, Any]:
        work = self.works[id]
        values: dict[str, list[float]] = {}
        cpu, start = time.process_time(), time.perf_counter()
        done = 0
        while not done or (time.perf_counter() - start < seconds and done < most):
            for figure, value in (work.run() if work.staged else {"": _timed(work, CLOCKS[clock])}).items():
                values.setdefault(figure, []).append(value)
            done += 1
        return {"values": values, "cpu": time.process_time() - cpu, "time": time.perf_counter() - start}

    def drop(self, id: int) -> dict[str, Any]:
        self.works.pop(id, None)
        gc.collect()
        return {}

    def peak(self) -> dict[str, Any]:
        """The most memory that the process ever held; Linux counts in KiB."""
        return {"MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


def _timed(work: Prepared, clock: Callable[[], float]) -> float:
    run, times = work.run, work.at_once
    start = clock()
    for _ in range(times):
        run()
    return (clock() - start) / times


def main(library: str, exact: bool) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    server = None
    for line in sys.stdin:
        message = json.loads(line)
        if message["do"] == "quit":
            return
        try:
            server = server or Server(library, exact)
            answer = getattr(server, message.pop("do"))(**message)
        except Exception as error:
            answer = {"failure": f"{type(error).__name__}: {str(error).strip()[:300] or 'no words'}"}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    # The makers register with the module of this name, not with __main__.
    importlib.import_module("bench.worker").main(sys.argv[1], "--exact" in sys.argv)
