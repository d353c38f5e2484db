"""When two arrays are the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


def close(ours: Any, theirs: Any, bound: float) -> bool:
    """Whether two arrays agree to `bound` relative to the largest finite entry; inf and nan must match in place and
    sign."""
    wide = np.complex128 if np.iscomplexobj(ours) or np.iscomplexobj(theirs) else np.float64
    ours, theirs = np.asarray(ours).astype(wide), np.asarray(theirs).astype(wide)
    finite = np.isfinite(theirs)
    if not np.array_equal(np.isfinite(ours), finite) or not np.array_equal(
        ours[~finite], theirs[~finite], equal_nan=True
    ):
        return False
    largest = np.max(np.abs(theirs[finite]), initial=0.0)
    return bool(np.all(np.abs(ours[finite] - theirs[finite]) <= bound * max(largest, 1e-30)))
