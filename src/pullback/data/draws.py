"""Random words one at a time, as TensorFlow's input pipelines and queues draw them."""

from __future__ import annotations

import os
from typing import Any

from pullback.ops.random import philox
from pullback.ops.random.seeds import get_seed

_MOST = 2**31 - 1


def seeds(seed: Any) -> tuple[int, int]:
    """The two seeds of a pipeline's stage; from the system where neither it nor the graph has one."""
    if seed is not None and not isinstance(seed, int):
        seed = int(getattr(seed, "value", seed))
    first, second = get_seed(seed)
    if first is None or second is None:
        drawn = int.from_bytes(os.urandom(8), "little")
        return drawn % _MOST + 1, (drawn >> 32) % _MOST
    return (first, second) if (first, second) != (0, 0) else (0, _MOST)


class Draws:
    """Philox words in order: four come from each counter."""

    def __init__(self, seed: int, seed2: int) -> None:
        self._key, self._counter = philox.from_seeds(seed, seed2)
        self._left: list[int] = []

    def word(self) -> int:
        """The next 32 bits."""
        if not self._left:
            self._left = philox.words(self._key, self._counter, 64).tolist()[::-1]
            self._counter += 16
        return self._left.pop()
