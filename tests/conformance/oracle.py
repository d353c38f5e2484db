"""TensorFlow itself as an oracle, in a virtual environment of its own, as its versions and our tools' need not agree.

The environment is made once, in the user's cache folder (about 1.5 GB). PULLBACK_ORACLE names a Python that has
TensorFlow already, and then nothing is installed.
"""

from __future__ import annotations

import fcntl
import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

VERSION = "2.21.0"
PATIENCE = 1500  # seconds, for the download


@functools.cache
def tensorflow() -> Path:
    """The Python that has TensorFlow. Skips the test where there can be none."""
    given = os.environ.get("PULLBACK_ORACLE")
    if given:
        return Path(given)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pullback"
    home = cache / f"tensorflow-{VERSION}-python{sys.version_info[0]}.{sys.version_info[1]}"
    python, ready = home / "bin" / "python", home / "ready"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:  # tests run in several processes, and one of them installs
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            installed(home, python)
            ready.touch()
    return python


def installed(home: Path, python: Path) -> None:
    """Makes the environment. Skips the test where it cannot be made."""
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", f"tensorflow-cpu=={VERSION}"],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"the oracle, tensorflow-cpu {VERSION}, cannot be installed: {error}")
        if done.returncode:
            said = (done.stderr.strip() or "no reason given").splitlines()[-1]
            pytest.skip(f"the oracle, tensorflow-cpu {VERSION}, cannot be installed: {said}")


def asked(script: Path, *arguments: str) -> str:
    """Runs a script by TensorFlow's Python; what it printed.

    Raises:
      AssertionError: it failed; with what it said.
    """
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": ""}
    quiet.pop("PYTHONPATH", None)
    command = [str(tensorflow()), str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=quiet, timeout=900, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr[-4000:]}"
    return done.stdout


def arrays(runs: Any, folders: pytest.TempPathFactory, *arguments: str) -> dict[str, Any]:
    """What a module of runs, as a script of TensorFlow's Python, writes to the file that it is given last: arrays by
    name, "what was run|part of the answer"."""
    file = folders.mktemp("oracle") / "answers.npz"
    asked(Path(runs.__file__), *arguments, str(file))
    with np.load(file) as found:
        return dict(found)


def answer(theirs: dict[str, Any], what: str) -> dict[str, Any]:
    """The arrays of one run, by part."""
    return {key.partition("|")[2]: value for key, value in theirs.items() if key.partition("|")[0] == what}
