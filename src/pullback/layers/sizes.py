"""Sizes of a tensor's axes: ints where they are known, else scalar tensors."""

from __future__ import annotations

from typing import Any

from pullback.core.basics import Shape_
from pullback.core.tensor import Tensor


def sizes_of(x: Tensor) -> list[Any]:
    """One for each axis; the number of axes must be known."""
    known = x.spec.shape or ()
    if None not in known:
        return list(known)
    whole = Shape_()(x)
    return [whole[i] if n is None else n for i, n in enumerate(known)]
