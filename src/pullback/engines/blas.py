"""The default engine where no native code is: NumPy, the rooms' `blas.py` handing convolutions and products to BLAS."""

from __future__ import annotations

from pullback.core import interpreter
from pullback.engines.base import Engine

BLAS = Engine("blas", lowers=("blas",))
interpreter.set_default_engine(BLAS)
