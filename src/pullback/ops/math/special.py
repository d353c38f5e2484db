"""The error function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core.dtypes import REALS
from pullback.ops.math.arithmetic import Exp, Square
from pullback.ops.math.elementwise import elementwise

_SLOPE = 2 / math.sqrt(math.pi)


def _entrywise(f: Any) -> Any:
    """A function of Python floats on arrays: exact to double precision, one call an entry."""
    return lambda x: np.reshape([f(v) for v in x.ravel().tolist()], x.shape).astype(x.dtype)


Erf = elementwise(
    "Erf",
    numpy=_entrywise(math.erf),
    d=lambda x, y: _SLOPE * Exp()(-Square()(x)),
    T=REALS,
    doc="erf x = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.",
)
Erfc = elementwise(
    "Erfc",
    numpy=_entrywise(math.erfc),
    d=lambda x, y: -_SLOPE * Exp()(-Square()(x)),
    T=REALS,
    doc="1 - erf x, without loss where that is small.",
)
