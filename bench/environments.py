"""Where peers are installed: `.bench/<library>`, a virtual environment each, made when first asked for.

A peer that cannot be installed is reported and left out. `BENCH_DIR` names another folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from bench.work import PULLBACK

ROOT = Path(__file__).parents[1]
FOLDER = Path(os.environ.get("BENCH_DIR") or ROOT / ".bench")
REQUIREMENTS = {
    "torch": ("torch==2.13.0", "numpy"),
    "tensorflow": ("tensorflow-cpu==2.21.0",),
    "jax": ("jax==0.10.2", "jaxlib==0.10.2"),
}


class MissingError(Exception):
    """A peer that could not be installed."""


def python(library: str) -> Path:
    """The interpreter that has the library. Ours is the one that runs."""
    if library == PULLBACK:
        return Path(sys.executable)
    return FOLDER / library / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ready(library: str) -> bool:
    """Whether the environment holds what is required now."""
    if library == PULLBACK:
        return True
    said = _mark(library)
    return said.is_file() and said.read_text().split() == list(REQUIREMENTS[library]) and python(library).exists()


def made(library: str, say: Callable[[str], None]) -> None:
    """Makes the library's environment unless it is there.

    Raises:
      MissingError: it could not be; the message ends with pip's last words.
    """
    if ready(library):
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{library}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once make it once
        if ready(library):
            return
        folder = FOLDER / library
        say(f"{library}: installing {' '.join(REQUIREMENTS[library])} into {_shown(folder)} ...")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            venv.create(folder, with_pip=True)
            _install(library)
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            words = getattr(error, "stderr", None) or str(error)
            last = [line for line in words.strip().splitlines() if line.strip()][-1:]
            raise MissingError(f"{library} could not be installed: {''.join(last)}") from None
        _mark(library).write_text("\n".join(REQUIREMENTS[library]))


def _install(library: str) -> None:
    command = [str(python(library)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *REQUIREMENTS[library]], check=True, capture_output=True, text=True)


def _mark(library: str) -> Path:
    return FOLDER / library / ".ready"


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
