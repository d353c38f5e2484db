"""1,797 handwritten digits of 8 by 8 pixels: small enough to ship, real enough to learn from.

Data: E. Alpaydin & C. Kaynak, Optical Recognition of Handwritten Digits, 1998, CC BY 4.0; see SOURCE.md.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ArgumentError
from pullback.ops.random import philox

TRAINING = 1437
HELD_OUT = 360
# The most ink a pixel can hold: a 4 by 4 block of the scan.
_FULL = 16


class Digits(NamedTuple):
    """Pictures and what they show.

    images: float32 [N,8,8,1], 0 (paper) to 1 (ink).
    labels: int32 [N], 0 to 9.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int32]


class Split(NamedTuple):
    """Digits to learn from, and others to judge by."""

    train: Digits
    held_out: Digits


def load() -> Digits:
    """All digits in the source's order: images [1797,8,8,1], labels [1797]. Each call makes new arrays."""
    with files(__name__).joinpath("digits.npz").open("rb") as file, np.load(file) as stored:
        images: NDArray[Any] = stored["images"]
        labels: NDArray[Any] = stored["labels"]
    return Digits(images[..., None].astype(np.float32) / np.float32(_FULL), labels.astype(np.int32))


def split(seed: int = 0) -> Split:
    """1,437 digits to train with and the 360 others, mixed by `seed`; a seed always gives the same parts.

    The order is that of Philox words under the key `seed`, so it changes with no library's version.

    Raises:
      ArgumentError: seed is negative or has more than 64 bits.
    """
    if not 0 <= seed < 1 << 64:
        raise ArgumentError(f"digits.split: seed is {seed}; it must be a whole number from 0 to 2**64 - 1")
    images, labels = load()
    order = np.argsort(philox.words(seed, 0, len(labels)), kind="stable")
    train, held_out = order[:TRAINING], order[TRAINING:]
    return Split(Digits(images[train], labels[train]), Digits(images[held_out], labels[held_out]))
