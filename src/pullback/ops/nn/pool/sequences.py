"""The bounds of fractional pooling's windows: how they are drawn, and the windows that they make.

    random          n mod p of the p steps are one longer; which ones, a shuffle says
    pseudo-random   a_i = ceil(n/p (i + u)) - 1 with one number u for all

Where p divides n all steps are alike and nothing is drawn.

Source: Graham 2015, section 2; TensorFlow's `fractional_pool_common.cc` for which random word becomes what.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.errors import ShapeError
from pullback.ops.nn.conv.reference import precise
from pullback.ops.random import philox

Array = np.ndarray[Any, Any]


def sequence_of(n: int, p: int, pseudo: bool, key: Array, counter: Array, used: int) -> tuple[Array, int]:
    """(bounds [p+1] of p windows over n pixels, blocks of random words used up so far).

    Args:
      key, counter: where the draws start; `used` blocks of them are gone.
    """
    if n % p == 0:
        return np.arange(0, n + 1, n // p), used
    low, high = counter.tolist()
    start = (low % 2**64 | (high % 2**64) << 64) + used
    if pseudo:
        words = philox.words(int(key) % 2**64, start, 2)
        return _pseudo_random(n, p, (int(words[0] & 0xFFFFF) << 32 | int(words[1])) * 2.0**-52), used + 1
    words = philox.words(int(key) % 2**64, start, p)
    return _random(n, p, words), used - (-p // 4)


def _random(n: int, p: int, words: Array) -> Array:
    """The longer steps first, then shuffled: step i is swapped with one of those from i on."""
    steps = [n // p + (i < n % p) for i in range(p)]
    for i in range(p - 1):
        other = i + int(words[i]) % (p - i)
        steps[i], steps[other] = steps[other], steps[i]
    return np.cumsum([0, *steps])


def _pseudo_random(n: int, p: int, unit: float) -> Array:
    """u is at most what leaves the first and the last step floor(n/p) or one more."""
    alpha, k = n / p, n // p
    u = unit * min((k + 2) / alpha - 1, (n + 1 - k) / alpha - (p - 1))
    return np.array([0, *[math.ceil(alpha * (i + u)) - 1 for i in range(1, p)], n])


class Regions:
    """The windows between bounds, each a_i ... a_{i+1} - 1, or one pixel more where they overlap.

    Raises:
      ShapeError: the bounds do not rise, or lie outside the image.
    """

    def __init__(self, rows: Array, cols: Array, H: int, W: int, overlapping: bool, where: str) -> None:
        self.axes = []
        for name, bounds, n in (("row", rows, H), ("col", cols, W)):
            if bounds[0] < 0 or bounds[-1] > n or (np.diff(bounds) < 1).any():
                raise ShapeError(
                    f"{where}: {name}_pooling_sequence must rise from 0 to {n}, and is {bounds.tolist()}; "
                    f"give what the pooling answered"
                )
            self.axes.append((bounds[:-1], np.minimum(bounds[1:] + overlapping, n)))
        self.width = W

    def places(self) -> Iterator[tuple[Array, Array, Array]]:
        """In row order, for each place of the largest window: the rows [P,1] and columns [1,Q] that the windows have
        there, and which windows [P,Q] reach so far; the others repeat their last."""
        (top, bottom), (left, right) = self.axes
        for i in range(max(bottom - top)):
            for j in range(max(right - left)):
                rows, cols = (top + i)[:, None], (left + j)[None, :]
                inside = (rows < bottom[:, None]) & (cols < right[None, :])
                yield np.minimum(rows, bottom[:, None] - 1), np.minimum(cols, right[None, :] - 1), inside

    @property
    def counts(self) -> Array:
        """Pixels of each window: [P,Q,1]."""
        (top, bottom), (left, right) = self.axes
        return ((bottom - top)[:, None] * (right - left)[None, :])[..., None]

    def largest(self, x: Array) -> tuple[Array, Array]:
        """(largest values [N,P,Q,C], their flat places within each image); of equal ones the first in row order."""
        C = x.shape[-1]
        best = at = None
        for rows, cols, inside in self.places():
            v, flat = x[:, rows, cols], ((rows * self.width + cols)[..., None] * C + np.arange(C))[None]
            if best is None or at is None:
                best, at = v, np.broadcast_to(flat, v.shape)
                continue
            wins = inside[..., None] & ((v > best) | ((v != v) & (best == best)))
            best, at = np.where(wins, v, best), np.where(wins, flat, at)
        assert best is not None and at is not None
        return best, at

    def mean(self, x: Array) -> Array:
        """[N,H,W,C] -> [N,P,Q,C]"""
        dtype, (x,) = x.dtype, precise(x)
        total: Any = 0
        for rows, cols, inside in self.places():
            total = total + np.where(inside[..., None], x[:, rows, cols], x.dtype.type(0))
        return _shared(total, self.counts).astype(dtype)

    def spread(self, dy: Array, to: tuple[int, ...]) -> Array:
        """[N,P,Q,C] -> [N,H,W,C], each value evenly over its window."""
        dtype, (dy,) = dy.dtype, precise(dy)
        share, dx = _shared(dy, self.counts), np.zeros(to, dy.dtype)
        for rows, cols, inside in self.places():
            windows: Any = (slice(None), rows, cols)
            np.add.at(dx, windows, np.where(inside[..., None], share, share.dtype.type(0)))
        return dx.astype(dtype)


def _shared(total: Array, counts: Array) -> Array:
    """total / counts; of integers towards zero."""
    if total.dtype.kind not in "iu":
        return total / counts.astype(total.dtype)
    return np.sign(total) * (np.abs(total) // counts.astype(total.dtype))
