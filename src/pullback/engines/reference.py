"""The reference engine: every op's own NumPy formula. Slow, obvious, the truth."""

from __future__ import annotations

from pullback.engines.base import Engine

REFERENCE = Engine("reference", lowers=())
