"""Images under affine maps, B-splines between pixels.

    y[p,q] = x(M (p,q) + offset)        x(h,w) = sum_ij c[i,j] B(h - i) B(w - j)

B is the centred B-spline of an order: 0 takes the nearest pixel, 1 goes in proportion. Up to there the coefficients c
are the pixels; beyond, B reaches over more of them, and c solves  sum_i c[i] B(j - i) = x[j]  along each axis, so that
the surface still passes through every pixel (Unser, "Splines: a perfect fit", 1999).

What lies beyond the border, as scipy.ndimage has it:
    nearest aaaa|abcd|dddd    reflect abcddcba|abcd|dcba    wrap abcabc|abcd|bcdbcd (the ends are one)    constant: cval
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
# So many more pixels of the border's values, where a spline looks beyond it; their effect fades by a factor a pixel.
_MARGIN = 12


def sampled(x: Any, matrix: Any, offset: Any, order: int, fill_mode: str, cval: float) -> Any:
    """x [H,W,C] seen through an affine map of places, [H,W,C] in x's type; integers are rounded.

    Args:
      matrix [2,2], offset [2]: from a place (row, column) of the result to the place in x it shows.
      order: of the spline, 0 to 5. fill_mode: one of FILL_MODES. cval: the value there for "constant".
    Raises:
      ValueError: the order or the fill_mode is none of these.
    """
    if order not in range(6):
        raise ArgumentError(f"the order of interpolation must be 0, 1, 2, 3, 4 or 5, but is {order!r}").locate()
    if fill_mode not in FILL_MODES:
        raise ArgumentError(f"fill_mode must be one of {', '.join(FILL_MODES)}, but is {fill_mode!r}").locate()
    margin = _MARGIN if fill_mode == "nearest" and order > 1 else 0
    sizes = [n + 2 * margin for n in x.shape[:2]]
    grid = np.indices(x.shape[:2], float)
    at = [m[0] * grid[0] + m[1] * grid[1] + o for m, o in zip(matrix, offset, strict=True)]
    places = [_folded(t + margin, n, fill_mode) for t, n in zip(at, sizes, strict=True)]
    c = _coefficients(np.asarray(x, float), order, fill_mode, margin)
    edge = _edge(fill_mode)
    rows, columns = ([*_taps(t, n, order, edge)] for t, n in zip(places, sizes, strict=True))
    pixels = c.reshape(-1, c.shape[2])
    y: Any = sum((wh * ww)[..., None] * pixels.take(h * sizes[1] + w, 0) for h, wh in rows for w, ww in columns)
    if fill_mode == "constant":
        inside = np.all([(t >= 0) & (t <= n - 1) for t, n in zip(at, sizes, strict=True)], 0)
        y = np.where(inside[..., None], y, cval)
    if np.issubdtype(x.dtype, np.integer):
        limits = np.iinfo(x.dtype)
        y = np.clip(np.trunc(y + np.copysign(0.5, y)), limits.min, limits.max)
    return y.astype(x.dtype)


def _edge(fill_mode: str) -> str:
    """What the spline itself takes to be beyond the last pixel: pixels mirrored, the last one once or twice."""
    return "reflect" if fill_mode in ("nearest", "reflect") else "mirror"


def _folded(at: Any, n: int, mode: str) -> Any:
    """Places along an axis of n pixels, those beyond it brought back."""
    if n == 1 or mode in ("nearest", "constant"):
        return np.clip(at, 0, n - 1)
    if mode == "wrap":
        return np.where((at < 0) | (at > n - 1), np.mod(at, n - 1), at)
    if mode == "mirror":
        return (n - 1) - np.abs(np.mod(at, 2 * n - 2) - (n - 1))
    return (n - 0.5) - np.abs(np.mod(at + 0.5, 2 * n) - n)


def _taps(at: Any, n: int, order: int, edge: str) -> Any:
    """(pixels, weights) for each of the order + 1 pixels that a place along an axis lies between."""
    first = np.floor(at + 0.5 * (1 - order % 2)) - order // 2
    for i in range(order + 1):
        yield np.rint(_folded(first + i, n, edge)).astype(np.intp), _spline(at - first - i, order)


def _spline(t: Any, order: int) -> Any:
    """B(t) = 1/k! sum_j (-1)^j binomial(k + 1, j) max(t + (k + 1)/2 - j, 0)^k, for |t| <= (k + 1)/2."""
    if order == 0:
        return np.ones_like(t)
    half = (order + 1) / 2
    parts = ((-1) ** j * math.comb(order + 1, j) * np.maximum(half - np.abs(t) - j, 0) ** order for j in range(order))
    return sum(parts) / math.factorial(order)


def _coefficients(x: Any, order: int, fill_mode: str, margin: int) -> Any:
    if order < 2:
        return x
    x = np.pad(x, ((margin, margin), (margin, margin), (0, 0)), "edge")
    edge = _edge(fill_mode)
    down, along = (_inverse(n, order, edge) for n in x.shape[:2])
    return np.einsum("ih,jw,hwc->ijc", down, along, x, optimize=True)


@functools.lru_cache(16)
def _inverse(n: int, order: int, edge: str) -> Any:
    """[n,n]: from the pixels of a line to the coefficients of the spline through them."""
    a = np.zeros((n, n))
    line = np.arange(n)
    for d in range(-(order // 2), order // 2 + 1):
        np.add.at(a, (line, np.rint(_folded(line + float(d), n, edge)).astype(int)), _spline(np.float64(d), order))
    return np.linalg.inv(a)
