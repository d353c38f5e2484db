"""The matrices of resizing: along each axis, result = weights [out, in] @ pixels.

Positions are pixels of the input. With s = in / out (align_corners: (in - 1) / (out - 1)), result pixel i looks at
i s, or, with half_pixel_centers, at (i + 0.5) s - 0.5. Formulas and roundings are those of TensorFlow's kernels
(resize_bilinear_op, resize_bicubic_op, resize_nearest_neighbor_op, resize_area_op, scale_and_translate_op), which
reckon positions and weights in float32; bicubic weights come from a table of 1024 steps a pixel.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Matrix = np.ndarray[Any, Any]
_f = np.float32
_STEPS = 1024  # of the table of bicubic weights


def scale_of(n: int, out: int, align_corners: bool) -> np.float32:
    """Pixels of the input for one of the result."""
    return _f(n - 1) / _f(out - 1) if align_corners and out > 1 else _f(n) / _f(out)


def positions(n: int, out: int, align_corners: bool, half_pixel_centers: bool) -> Matrix:
    """Where in the input each pixel of the result looks. [out]"""
    i, scale = np.arange(out, dtype=_f), scale_of(n, out, align_corners)
    return (i + _f(0.5)) * scale - _f(0.5) if half_pixel_centers else i * scale


def _spread(n: int, out: int, places: list[Matrix], weights: list[Matrix]) -> Matrix:
    """The matrix whose rows hold the weights at the places, equal places added."""
    made = np.zeros((out, n))
    for at, w in zip(places, weights, strict=True):
        np.add.at(made, (np.arange(out), at.astype(np.int64)), w)
    made.flags.writeable = False
    return made


@functools.lru_cache(maxsize=256)
def bilinear(n: int, out: int, align_corners: bool, half_pixel_centers: bool) -> Matrix:
    """Between the two nearest pixels, in proportion."""
    at = positions(n, out, align_corners, half_pixel_centers)
    low = np.floor(at)
    part = at - low
    places = [np.maximum(low, 0), np.minimum(np.ceil(at), n - 1)]
    return _spread(n, out, places, [1 - part, part])


@functools.lru_cache(maxsize=256)
def nearest(n: int, out: int, align_corners: bool, half_pixel_centers: bool) -> Matrix:
    """The pixel that each result pixel takes. [out], not a matrix"""
    i, scale = np.arange(out, dtype=_f), scale_of(n, out, align_corners)
    at = (i + _f(0.5)) * scale if half_pixel_centers else i * scale
    whole = np.floor(at + _f(0.5)) if align_corners else np.floor(at)
    return np.clip(whole, 0, n - 1).astype(np.int64)


@functools.lru_cache(maxsize=256)
def bicubic(n: int, out: int, align_corners: bool, half_pixel_centers: bool) -> Matrix:
    """Keys' cubic over four pixels: a = -0.5 with half_pixel_centers, where pixels outside count nothing; else
    a = -0.75, and pixels outside are the border's."""
    at = positions(n, out, align_corners, half_pixel_centers)
    low = np.floor(at)
    step = np.rint((at - low) * _f(_STEPS)).astype(np.int64)
    near, far = _cubic_table(-0.5 if half_pixel_centers else -0.75)
    weights = [far[step], near[step], near[_STEPS - step], far[_STEPS - step]]
    wanted = [low + k for k in (-1, 0, 1, 2)]
    places = [np.clip(w, 0, n - 1) for w in wanted]
    if half_pixel_centers:
        weights = [np.where(p == w, v, 0) for p, w, v in zip(places, wanted, weights, strict=True)]
        total = sum(weights)
        weights = [v / total for v in weights]
    return _spread(n, out, places, weights)


def _cubic_table(a: float) -> tuple[Matrix, Matrix]:
    """Weights at distances x and 1 + x, for x = 0, 1/1024, ..., 1."""
    x = np.arange(_STEPS + 1, dtype=_f) / _f(_STEPS)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    x = x + 1
    return near.astype(_f), (((a * x - 5 * a) * x + 8 * a) * x - 4 * a).astype(_f)


@functools.lru_cache(maxsize=256)
def area(n: int, out: int, align_corners: bool) -> Matrix:
    """The mean over the stretch [i s, (i + 1) s) of the input that the result pixel covers."""
    scale = scale_of(n, out, align_corners)
    made = np.zeros((out, n))
    for i in range(out):
        start, end = _f(i) * scale, _f(i + 1) * scale
        for k in range(math.floor(start), math.ceil(end)):
            last = k + 1 > end
            if k < start:
                covered = scale if last else k + 1 - start
            else:
                covered = end - k if last else 1.0
            made[i, min(max(k, 0), n - 1)] += covered / scale
    made.flags.writeable = False
    return made


# --- kernels of scale_and_translate -----------------------------------------------------------------------------------


def _lanczos(radius: float) -> Callable[[Matrix], Matrix]:
    def kernel(x: Matrix) -> Matrix:
        return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)

    return kernel


def _gaussian(x: Matrix) -> Matrix:
    return np.where(x < 1.5, np.exp(-2 * x * x), 0)


def _box(x: Matrix) -> Matrix:
    return np.where(x < 0.5, 1.0, np.where(x == 0.5, 0.5, 0.0))


def _triangle(x: Matrix) -> Matrix:
    return np.maximum(1 - x, 0)


def _keys_cubic(x: Matrix) -> Matrix:
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x >= 2, 0, np.where(x >= 1, outer, (1.5 * x - 2.5) * x * x + 1))


def _mitchell_cubic(x: Matrix) -> Matrix:
    outer = ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9
    return np.where(x >= 2, 0, np.where(x >= 1, outer, (7 / 6 * x - 2) * x * x + 8 / 9))


# Kernel type -> (radius in pixels, weight by distance).
KERNELS: dict[str, tuple[float, Callable[[Matrix], Matrix]]] = {
    "lanczos1": (1.0, _lanczos(1.0)),
    "lanczos3": (3.0, _lanczos(3.0)),
    "lanczos5": (5.0, _lanczos(5.0)),
    "gaussian": (1.5, _gaussian),
    "box": (1.0, _box),
    "triangle": (1.0, _triangle),
    "keyscubic": (2.0, _keys_cubic),
    "mitchellcubic": (2.0, _mitchell_cubic),
}


@functools.lru_cache(maxsize=256)
def scaled(n: int, out: int, scale: float, translation: float, kernel: str, antialias: bool) -> Matrix:
    """Weights by distance to x / scale - translation / scale, summing to 1; where that lies outside, nothing. With
    antialias the kernel widens as the picture shrinks."""
    inverse = _f(1) / _f(scale)
    shift = -inverse * _f(translation)
    radius, weigh = KERNELS[kernel]
    wide = max(inverse, _f(1)) if antialias else _f(1)
    made = np.zeros((out, n))
    for i in range(out):
        at = _f(i + 0.5) * inverse + shift
        if not 0 <= at <= n:
            continue
        reach = _f(radius) * wide
        first, last = (
            min(max(int(k), 0), n - 1) for k in (np.ceil(at - reach - _f(0.5)), np.floor(at + reach - _f(0.5)))
        )
        source = np.arange(first, last + 1, dtype=_f)
        row = weigh(np.abs((source + _f(0.5) - at) / wide).astype(np.float64))
        total = row.sum()
        if abs(total) >= 1000 * np.finfo(_f).tiny:
            made[i, first : last + 1] = row / total
    made.flags.writeable = False
    return made
