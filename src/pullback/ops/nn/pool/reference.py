"""Pooling by its formulas, a loop over the window's places only. Arrays are NHWC."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.errors import ShapeError
from pullback.ops.nn.conv.reference import precise
from pullback.ops.nn.conv.window import Geometry, Pair

Array = np.ndarray[Any, Any]


def taps(at: Geometry, r: int, s: int, strides: Pair) -> Any:
    """Index of what the window's place (r, s) meets in the padded image: [N,P,Q,C] of [N,H',W',C]."""
    return np.s_[:, r : r + at.P * strides[0] : strides[0], s : s + at.Q * strides[1] : strides[1]]


def padded(x: Array, at: Geometry, value: Any = 0) -> Array:
    """x [N,H,W,C] with a border."""
    if not at.padded:
        return x
    return np.pad(x, ((0, 0), (at.top, at.bottom), (at.left, at.right), (0, 0)), constant_values=value)


def max_pool(x: Array, at: Geometry, ksize: Pair, strides: Pair, places: Array) -> tuple[Array, Array]:
    """(largest value of each window, its place); of equal ones the first in row order."""
    values, where = padded(x, at), padded(places[None], at, -1)
    shape = (x.shape[0], at.P, at.Q, x.shape[3])
    best, best_at = np.zeros(shape, x.dtype), np.full(shape, -1, np.int64)
    for r in range(ksize[0]):
        for s in range(ksize[1]):
            v, place = values[taps(at, r, s, strides)], where[taps(at, r, s, strides)]
            larger = (v > best) | ((v != v) & (best == best))
            wins = (place >= 0) & ((best_at < 0) | larger)
            best, best_at = np.where(wins, v, best), np.where(wins, place, best_at)
    return best, best_at


def flat_places(at: Array, images: int, with_batch: bool, count: int) -> Array:
    """Switches as places in all images laid end to end, `count` numbers in all.

    Raises:
      ShapeError: a switch lies outside its image.
    """
    room = count if with_batch else count // max(images, 1)
    if at.size and (at.min() < 0 or at.max() >= room):
        raise ShapeError(
            f"switches must lie in the image, from 0 to {room - 1}, but one is {at.min() if at.min() < 0 else at.max()}"
        )
    if with_batch:
        return at.reshape(-1)
    return (at.reshape(images, -1) + np.arange(images)[:, None] * room).reshape(-1)


def unpool(values: Array, at: Array, shape: tuple[int, ...], with_batch: bool) -> Array:
    """x.flat[at] += values, image by image."""
    x = np.zeros(shape, values.dtype)
    if values.size:
        np.add.at(x.reshape(-1), flat_places(at, values.shape[0], with_batch, x.size), values.reshape(-1))
    return x


def repool(x: Array, at: Array, with_batch: bool) -> Array:
    """y = x.flat[at], image by image."""
    if not at.size:
        return np.zeros(at.shape, x.dtype)
    return x.reshape(-1)[flat_places(at, x.shape[0], with_batch, x.size)].reshape(at.shape)


def counts(at: Geometry, H: int, W: int, ksize: Pair, strides: Pair) -> Array:
    """How many pixels of the image each window holds: [1,P,Q,1]."""
    ones = padded(np.ones((1, H, W, 1), np.int64), at)
    total = np.zeros((1, at.P, at.Q, 1), np.int64)
    for r in range(ksize[0]):
        for s in range(ksize[1]):
            total += ones[taps(at, r, s, strides)]
    return total


def avg_pool(x: Array, at: Geometry, ksize: Pair, strides: Pair) -> Array:
    """Mean of each window's pixels."""
    dtype, (x,) = x.dtype, precise(x)
    share = counts(at, x.shape[1], x.shape[2], ksize, strides).astype(x.dtype)
    x = padded(x, at)
    y = np.zeros((x.shape[0], at.P, at.Q, x.shape[3]), x.dtype)
    for r in range(ksize[0]):
        for s in range(ksize[1]):
            y += x[taps(at, r, s, strides)]
    return (y / share).astype(dtype)


def avg_pool_grad(sizes: Any, dy: Array, at: Geometry, ksize: Pair, strides: Pair) -> Array:
    """Each value spread evenly over its window's pixels."""
    dtype, (dy,) = dy.dtype, precise(dy)
    N, H, W, C = sizes
    dy = dy / counts(at, H, W, ksize, strides).astype(dy.dtype)
    dx = np.zeros((N, at.top + H + at.bottom, at.left + W + at.right, C), dy.dtype)
    for r in range(ksize[0]):
        for s in range(ksize[1]):
            dx[taps(at, r, s, strides)] += dy
    return dx[:, at.top : at.top + H, at.left : at.left + W].astype(dtype)
