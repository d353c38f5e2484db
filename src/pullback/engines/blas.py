"""NumPy and BLAS: the rooms' `blas.py` hand it convolutions and products. The default where there is no llvmlite."""

from __future__ import annotations

from pullback.engines.base import Engine

BLAS = Engine("blas", lowers=("blas",))
