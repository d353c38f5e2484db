"""What tests of the CPU engine share: kernels run by themselves, plans of single ops, fresh interpreters."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.spec import Spec
from pullback.engines.blas import BLAS

SOURCE = Path(__file__).parent.parent / "src"


def run_kernel(emit: Callable[..., None], settings: Sequence[Any], words: Sequence[Any], items: int = 1) -> None:
    """Compiles the kernel that `emit` writes and runs it over its items. Words are arrays, ints and NumPy scalars."""
    from pullback.engines.cpu.task import kernel

    address = kernel(emit, tuple(settings))
    table = (ctypes.c_int64 * max(1, len(words)))()
    for i, word in enumerate(words):
        if isinstance(word, np.generic):
            word = int.from_bytes(word.tobytes().ljust(8, b"\0"), "little", signed=True)
        table[i] = word.ctypes.data if isinstance(word, np.ndarray) else int(word)
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)
    call(ctypes.addressof(table), 0, items)


def planned(op: Any, *given: Any) -> Callable[..., tuple[Any, ...]]:
    """A plan of one op for arrays like these; `given` holds the value itself where the op's shapes hang on it."""
    from pullback.engines.cpu.plan import one
    from pullback.engines.cpu.run import Runner

    known = [g if i in op.static else Spec(np.shape(g), dtypes.from_numpy(g.dtype)) for i, g in enumerate(given)]
    run = Runner(one(op, known, BLAS))
    return lambda *values: run(None, *values)


def in_fresh_python(code: str, timeout: float = 120, **environment: str) -> str:
    """What a program prints; an error if it fails, warns of a crash or does not end."""
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert found.returncode == 0, f"exit {found.returncode}\n{found.stdout}\n{found.stderr}"
    return found.stdout
