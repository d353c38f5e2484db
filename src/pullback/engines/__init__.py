"""Who computes. `base` holds the one look-up order; each engine is a file."""

from __future__ import annotations

import importlib.util

from pullback.core import interpreter
from pullback.core.config import config
from pullback.engines.base import ENGINES, engine, report
from pullback.engines.blas import BLAS
from pullback.engines.reference import REFERENCE

__all__ = ["BLAS", "REFERENCE", "engine", "report"]

if importlib.util.find_spec("llvmlite") is not None:
    from pullback.engines.cpu import CPU as CPU


def _default() -> None:
    """The engine that computes where no other is chosen."""
    name = config.engine or ("cpu" if "cpu" in ENGINES else "blas")
    if name not in ENGINES:
        raise ValueError(f"PULLBACK_ENGINE={name!r}: there are {sorted(ENGINES)}")
    interpreter.set_default_engine(ENGINES[name])


_default()
