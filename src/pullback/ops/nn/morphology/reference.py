"""Dilation by its formula, a loop over the filter's places only."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.ops.nn.conv import reference
from pullback.ops.nn.conv.reference import Array
from pullback.ops.nn.conv.window import Geometry, Numbers


def dilation(x: Array, w: Array, at: Geometry, strides: Numbers, rates: Numbers) -> tuple[Any, ...]:
    """(largest sum, its pixel within the image, its weight within the filter); of equal ones the first in row order.

    A window whose every place lies in the border, as dilated ones may, gives the type's lowest number; as in TensorFlow
    its gradient goes to the pixel nearest its first place.
    """
    N, H, W, C = x.shape
    R, S, _ = w.shape
    dtype, (x, w) = x.dtype, reference.precise(x, w) if x.dtype.kind not in "iu" else (x, w)
    pixels = np.arange(H * W * C).reshape(1, H, W, C)
    values, where = reference.padded(x, at), reference.padded(pixels, at, -1)
    shape = (N, *at.outs, C)
    best, best_at, best_of = np.zeros(shape, x.dtype), np.full(shape, -1, np.int64), np.zeros(shape, np.int64)
    for r, s in reference.places((R, S)):
        index = reference.taps(at, (r, s), strides, rates)
        v, pixel = values[index] + w[r, s], where[index]
        weight = (r * S + s) * C + np.arange(C)
        larger = (v > best) | ((v != v) & (best == best))
        wins = (pixel >= 0) & ((best_at < 0) | larger)
        best, best_at = np.where(wins, v, best), np.where(wins, pixel, best_at)
        best_of = np.where(wins, weight, best_of)
    rows, cols = (np.maximum(np.arange(p) * a - top, 0) for p, a, top in zip(at.outs, strides, at.before, strict=True))
    nearest = ((rows[:, None] * W + cols) * C)[..., None] + np.arange(C)
    lowest = dtypes.from_numpy(dtype).min
    nowhere = best_at < 0
    return np.where(nowhere, lowest, best).astype(dtype), np.where(nowhere, nearest, best_at), best_of
