"""Who computes. `base` holds the one look-up order; each engine is a file."""

from __future__ import annotations

from pullback.engines.base import engine, report
from pullback.engines.blas import BLAS
from pullback.engines.reference import REFERENCE

__all__ = ["BLAS", "REFERENCE", "engine", "report"]
