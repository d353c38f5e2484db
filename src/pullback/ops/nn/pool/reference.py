"""Pooling by its formulas, a loop over the window's places only. Arrays have their channels last."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.errors import ShapeError
from pullback.ops.nn.conv import reference as convolution
from pullback.ops.nn.conv.reference import padded, precise
from pullback.ops.nn.conv.window import Geometry, Numbers

Array = np.ndarray[Any, Any]


def taps(at: Geometry, place: Numbers, strides: Numbers) -> Any:
    """Index of what a place of the window meets in the padded image: [N,P,Q,C] of [N,H',W',C]."""
    return convolution.taps(at, place, strides, (1,) * len(place))


def max_pool(x: Array, at: Geometry, ksize: Numbers, strides: Numbers, places: Array) -> tuple[Array, Array]:
    """(largest value of each window, its place); of equal ones the first in row order."""
    values, where = padded(x, at), padded(places[None], at, -1)
    shape = (x.shape[0], *at.outs, x.shape[-1])
    best, best_at = np.zeros(shape, x.dtype), np.full(shape, -1, np.int64)
    for place in convolution.places(ksize):
        v, flat = values[taps(at, place, strides)], where[taps(at, place, strides)]
        larger = (v > best) | ((v != v) & (best == best))
        wins = (flat >= 0) & ((best_at < 0) | larger)
        best, best_at = np.where(wins, v, best), np.where(wins, flat, best_at)
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


def counts(at: Geometry, sizes: Numbers, ksize: Numbers, strides: Numbers) -> Array:
    """How many pixels of the image each window holds: [1,P,Q,1]."""
    ones = padded(np.ones((1, *sizes, 1), np.int64), at)
    total = np.zeros((1, *at.outs, 1), np.int64)
    for place in convolution.places(ksize):
        total += ones[taps(at, place, strides)]
    return total


def avg_pool(x: Array, at: Geometry, ksize: Numbers, strides: Numbers) -> Array:
    """Mean of each window's pixels."""
    dtype, (x,) = x.dtype, precise(x)
    share = counts(at, x.shape[1:-1], ksize, strides).astype(x.dtype)
    x = padded(x, at)
    y = np.zeros((x.shape[0], *at.outs, x.shape[-1]), x.dtype)
    for place in convolution.places(ksize):
        y += x[taps(at, place, strides)]
    return (y / share).astype(dtype)


def avg_pool_grad(sizes: Any, dy: Array, at: Geometry, ksize: Numbers, strides: Numbers) -> Array:
    """Each value spread evenly over its window's pixels."""
    dtype, (dy,) = dy.dtype, precise(dy)
    N, *inner, C = sizes
    dy = dy / counts(at, tuple(inner), ksize, strides).astype(dy.dtype)
    dx = np.zeros((N, *at.bordered(inner), C), dy.dtype)
    for place in convolution.places(ksize):
        dx[taps(at, place, strides)] += dy
    return dx[at.inner].astype(dtype)
