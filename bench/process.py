"""The other end of a worker's line, and programs that are started anew for each run."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import programs
from bench.environments import FOLDER, ROOT, python
from bench.work import PULLBACK


class FailureError(Exception):
    """What a worker could not do."""


def environment(library: str, **more: str) -> dict[str, str]:
    """A process's environment: with our own source first where the library is ours."""
    paths = [str(ROOT / "src")] if library == PULLBACK else []
    old = os.environ.get("PYTHONPATH") if library == PULLBACK else None
    path = os.pathsep.join([*paths, *([old] if old else [])])
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, **({"PYTHONPATH": path} if path else {}), **more}


class Worker:
    """A process that serves a library's works."""

    def __init__(self, library: str, *, exact: bool = False) -> None:
        self.library = library
        FOLDER.mkdir(parents=True, exist_ok=True)
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed with the process
        more = {"PULLBACK_ENGINE": "blas"} if exact else {}
        self._process = subprocess.Popen(
            [str(python(library)), "-m", "bench.worker", library, *(["--exact"] if exact else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=ROOT,
            env=environment(library, **more),
        )

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """One question, one answer.

        Raises:
          FailureError: it could not be done, or the process ended.
        """
        line = ""
        try:
            print(json.dumps({"do": do, **fields}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()  # type: ignore[union-attr]
        except BrokenPipeError:
            pass
        if not line:
            self._said.seek(0)
            last = self._said.read().strip().splitlines()[-1:]
            raise FailureError(f"the process ended ({self._process.wait()}): {''.join(last)}")
        answer = json.loads(line)
        if "failure" in answer:
            raise FailureError(answer["failure"])
        return answer

    def close(self) -> None:
        """Ends the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()


def program(library: str, kind: str, case: dict[str, Any]) -> float:
    """What a program from `programs` gives: the number that it prints, or else the seconds from its start to its end.

    Raises:
      FailureError: it failed.
    """
    source = programs.source(library, kind, case)
    with tempfile.TemporaryDirectory() as fresh:
        more = {"PULLBACK_PLAN_AFTER": "0"} if case.get("compiled") else {}
        if case.get("cold"):
            os.chmod(fresh, 0o700)
            more["PULLBACK_CACHE_DIR"] = fresh
        start = time.perf_counter()
        done = subprocess.run(
            [str(python(library)), "-c", source],
            capture_output=True,
            text=True,
            cwd=Path(fresh),
            env=environment(library, **more),
        )
        seconds = time.perf_counter() - start
    if done.returncode:
        raise FailureError("".join(done.stderr.strip().splitlines()[-1:]))
    last = done.stdout.strip().splitlines()[-1:]
    return float(last[0]) if last else seconds
