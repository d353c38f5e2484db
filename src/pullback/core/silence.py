"""Arithmetic without NumPy's warnings: what floats make of zero, infinity and NaN is meant here.

`np.errstate` costs more than a small operation does. NumPy keeps the setting in a context variable, which can be set
and reset by itself; where it does not, `silently` takes np.errstate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


def silently(f: Callable[..., Any], arguments: Iterable[Any]) -> Any:
    """f(*arguments), in which arithmetic warns of nothing."""
    with np.errstate(all="ignore"):
        return f(*arguments)


try:
    from numpy._core.umath import _extobj_contextvar as _setting  # type: ignore[attr-defined]
    from numpy._core.umath import _make_extobj  # type: ignore[attr-defined]

    _SILENT = _make_extobj(all="ignore")
except ImportError:
    pass
else:

    def silently(f: Callable[..., Any], arguments: Iterable[Any]) -> Any:
        """f(*arguments), in which arithmetic warns of nothing."""
        before = _setting.set(_SILENT)
        try:
            return f(*arguments)
        finally:
            _setting.reset(before)
