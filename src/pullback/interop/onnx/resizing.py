"""Resize and Upsample. Each axis is resized by itself: an output cell is a sum of input cells, by weights that do not
hang on the values, so it is a product with a matrix [out, in], or for "nearest" a gather.

    x(i)       where output cell i lies among the input cells, by coordinate_transformation_mode
    y[i] = sum_j k(j - x(i)) x[j]      k: a triangle ("linear"), or Keys' cubic

Shrinking with antialias, k is as much wider as the output is smaller. Source: Keys, "Cubic convolution interpolation
for digital image processing", 1981, for the cubic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

import pullback as tf
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import operator

Array = np.ndarray[Any, Any]


class Axis(NamedTuple):
    """An axis to be resized: n cells to `out`. start, end: of the part that is taken, in [0, 1]."""

    at: int
    n: int
    out: int
    scale: float
    start: float = 0.0
    end: float = 1.0

    @property
    def length(self) -> float:
        """The output's length before it was rounded down, as a scale gives it."""
        return self.scale * self.n


# --- where output cells lie among input cells -----------------------------------------------------


def _half_pixel(i: Array, a: Axis) -> Array:
    return (i + 0.5) / a.scale - 0.5


def _half_pixel_symmetric(i: Array, a: Axis) -> Array:
    """The middle stays the middle, though `out` is rounded."""
    return a.n / 2 * (1 - a.out / a.length) + _half_pixel(i, a)


def _align_corners(i: Array, a: Axis) -> Array:
    return i * (a.n - 1) / (a.length - 1) if a.length != 1 else np.zeros(1)


def _crop(i: Array, a: Axis) -> Array:
    if a.length == 1:
        return np.full(1, 0.5 * (a.start + a.end) * (a.n - 1))
    return (a.n - 1) * (a.start + i * (a.end - a.start) / (a.length - 1))


COORDINATES: dict[str, Callable[[Array, Axis], Array]] = {
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _half_pixel_symmetric,
    "pytorch_half_pixel": lambda i, a: _half_pixel(i, a) if a.out > 1 else np.zeros(1),
    "align_corners": _align_corners,
    "asymmetric": lambda i, a: i / a.scale,
    "tf_crop_and_resize": _crop,
}
NEAREST: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


# --- weights --------------------------------------------------------------------------------------


def triangle(t: Array) -> Array:
    return np.maximum(1 - np.abs(t), 0)


def cubic(t: Array, a: float) -> Array:
    t = np.abs(t)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = a * (((t - 5) * t + 8) * t - 4)
    return np.where(t <= 1, near, np.where(t < 2, far, 0))


def matrix(x: Array, n: int, kernel: Callable[[Array], Array], reach: int, scale: float, inside: bool) -> Array:
    """[out, in]: weights of n input cells for outputs that lie at x. Cells past an end are the end's, or with `inside`
    do not count. The kernel spans `reach` cells to each side, 1/scale times as many where scale is below 1."""
    span = int(np.ceil(reach / scale))
    taps = np.floor(x)[:, None].astype(np.int64) + np.arange(1 - span, span + 1)
    weights = kernel(scale * (taps - x[:, None]))
    if inside:
        weights = np.where((taps >= 0) & (taps < n), weights, 0)
    made = np.zeros((len(x), n))
    rows = np.broadcast_to(np.arange(len(x))[:, None], taps.shape)
    np.add.at(made, (rows, np.clip(taps, 0, n - 1)), weights / weights.sum(1, keepdims=True))
    return made


# --- the operators --------------------------------------------------------------------------------


def _given(value: Any) -> Any:
    """An input that may be left out, or be empty, which is the same."""
    dims = value.spec.shape if isinstance(value, Tensor) else np.shape(value)
    return None if dims == (0,) else value


def _axes(x: Tensor, roi: Any, scales: Any, sizes: Any, axes: Any, policy: str) -> list[Axis]:
    """The axes to be resized. What is scaled by 1 stays, and its size need not be known.

    Raises:
      ArgumentError: not exactly one of scales and sizes is given, or as many as there are axes; or the policy is no
        word of ONNX's.
    """
    what = "ONNX Resize"
    rank = values.rank(x, what)
    where = [axis % rank for axis in (range(rank) if axes is None else axes)]
    if (scales is None) == (sizes is None):
        raise ArgumentError(f"{what}: exactly one of scales and sizes must be given").locate()
    numbers = values.ints(sizes, f"{what}: sizes") if scales is None else values.floats(scales, f"{what}: scales")
    if len(numbers) != len(where):
        raise ArgumentError(f"{what}: one number is needed for each of the axes {where}, not {numbers}").locate()
    ends = [0.0] * len(where) + [1.0] * len(where) if roi is None else values.floats(roi, f"{what}: roi")
    rows = list(zip(where, numbers, ends[: len(where)], ends[len(where) :], strict=True))
    if scales is not None:
        rows = [row for row in rows if row[1] != 1 or roi is not None]
        dims = [values.size(x, axis, what) for axis, *_ in rows]
        return [Axis(axis, n, int(n * s), s, *part) for n, (axis, s, *part) in zip(dims, rows, strict=True)]
    dims = [values.size(x, axis, what) for axis in where]
    factors = [size / n for size, n in zip(numbers, dims, strict=True)]
    if policy != "stretch":
        choose = {"not_larger": min, "not_smaller": max}.get(policy)
        if choose is None:
            raise ArgumentError(
                f'{what}: keep_aspect_ratio_policy must be "stretch", "not_larger" or "not_smaller", not {policy!r}'
            ).locate()
        factors = [choose(factors)] * len(where)
    both = zip(dims, factors, rows, strict=True)
    return [Axis(axis, n, int(n * s + 0.5), s, *part) for n, s, (axis, _, *part) in both]


@operator("Resize", since=11)
def resize(
    x: Tensor,
    roi: Any = None,
    scales: Any = None,
    sizes: Any = None,
    *,
    antialias: int = 0,
    axes: Any = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Tensor:
    """x with other sizes, by scales or as said; see the module.

    Raises:
      ArgumentError: a mode is no word of ONNX's.
    """
    for word, words in (
        (mode, ("nearest", "linear", "cubic")),
        (coordinate_transformation_mode, COORDINATES),
        (nearest_mode, NEAREST),
    ):
        if word not in words:
            raise ArgumentError(f"ONNX Resize: {word!r} is none of {', '.join(map(repr, words))}").locate()
    crops = coordinate_transformation_mode == "tf_crop_and_resize"
    found = _axes(x, _given(roi) if crops else None, _given(scales), _given(sizes), axes, keep_aspect_ratio_policy)
    y, outside = x, []
    for a in found:
        at = COORDINATES[coordinate_transformation_mode](np.arange(a.out), a)
        outside.append((at < 0) | (at > a.n - 1))
        if a.out == a.n and np.array_equal(at, np.arange(a.n)):
            continue
        if mode == "nearest":
            y = tf.gather(y, np.clip(NEAREST[nearest_mode](at), 0, a.n - 1).astype(np.int64), axis=a.at)
            continue
        kernel, reach = (triangle, 1) if mode == "linear" else (lambda t: cubic(t, cubic_coeff_a), 2)
        weights = matrix(at, a.n, kernel, reach, min(a.scale, 1.0) if antialias else 1.0, bool(exclude_outside))
        y = along(y, weights, a.at)
    if crops and any(map(np.any, outside)):
        y = tf.where(_anywhere(outside, found, len(y.shape)), tf.cast(extrapolation_value, y.dtype), y)
    return y


def along(x: Tensor, weights: Array, axis: int) -> Tensor:
    """The matrix [out, in] times x along an axis."""
    rank = len(x.shape)
    y = tf.tensordot(x, tf.constant(weights.T, x.dtype), [[axis], [0]])
    return tf.transpose(y, [*range(axis), rank - 1, *range(axis, rank - 1)])


def _anywhere(outside: list[Array], found: list[Axis], rank: int) -> Tensor:
    """Where a cell lies outside along any axis, to be broadcast."""
    shaped = []
    for row, a in zip(outside, found, strict=True):
        shape = [1] * rank
        shape[a.at] = a.out
        shaped.append(row.reshape(shape))
    return tf.constant(reduce(np.logical_or, shaped))


@operator("Resize", since=10)
@operator("Upsample", since=7)
def upsample(x: Tensor, scales: Any, *, mode: str = "nearest") -> Tensor:
    """As Resize began: output cell i lies at i / scale, and its nearest is the one before it."""
    asymmetric = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return resize(x, None, np.asarray(scales) if isinstance(scales, tuple) else scales, mode=mode, **asymmetric)
