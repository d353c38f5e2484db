"""The default engine where no native code is: NumPy, with convolutions and products handed to BLAS by the rooms' `blas.py`."""

from __future__ import annotations

from pullback.core import interpreter
from pullback.engines.base import Engine

BLAS = Engine("blas", lowers=("blas",))
interpreter.set_default_engine(BLAS)
