"""Pooling under the glass: which pixel of each window won, what comes back to it, and what unpooling makes of it.

    y[p] = max or mean of  a[p s + r - before]  over r          pooling
    da[h] = sum of dy[p] where h won, or dy[p] / window         its gradient
    u[h] = sum of y[p] where h won, or y[p]                     unpooling: the switches, or copies

The numbers come from the engine's derivatives: what a window holds and who won it is read off dy/da.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pullback as tf
from pullback.core.errors import ShapeError
from pullback.explain.channels import MOST_NUMBERS
from pullback.explain.convolution import Cell, cells, every, image, name, plane, times, total
from pullback.explain.markup import bracketed, number, table
from pullback.explain.pages import Page
from pullback.explain.planes import LARGEST, glass_page, numbers
from pullback.ops.nn.conv import window


@dataclass(frozen=True)
class PoolingGlass:
    """Max or average pooling of one picture. Cells are (row, column) from 0; names count from 1: a11, y11, u11.

    op: "max_pool" or "avg_pool".
    a [H,W], y [P,Q]: picture, and what is left of it.
    by_input [P,Q,H,W]: dy/da. uses [P,Q,H,W]: which window holds which pixel.
    unpooled [H,W]: the outputs put back, where their maximum was or on all of their window.
    """

    op: str
    ksize: tuple[int, int]
    strides: tuple[int, int]
    padding: window.Padding
    a: NDArray[Any]
    y: NDArray[Any]
    by_input: NDArray[Any]
    uses: NDArray[np.bool_]
    unpooled: NDArray[Any]

    @property
    def largest(self) -> bool:
        """Whether it takes maxima."""
        return self.op == "max_pool"

    @property
    def switches(self) -> NDArray[np.int64]:
        """Of max pooling the flat place of each winner in the picture, [P,Q]; first of equal values."""
        return self.by_input.reshape(*self.y.shape, -1).argmax(axis=-1)

    def sum_of_output(self, y: Cell) -> str:
        """ "y11 = max(a11, a12) = max(1, 5) = 5 = a12", or "y11 = (a11 + a12)/2 = (1 + 5)/2 = 3"."""
        inside = cells(self.uses[y])
        names, values = [name("a", a) for a in inside], [float(self.a[a]) for a in inside]
        left, value = name("y", y), number(self.y[y])
        if self.largest:
            winner = name("a", (int(self.switches[y]) // self.a.shape[1], int(self.switches[y]) % self.a.shape[1]))
            return f"{left} = max({', '.join(names)}) = max({', '.join(map(number, values))}) = {value} = {winner}"
        shown = total([bracketed(v) for v in values])
        return f"{left} = ({total(names)})/{len(names)} = ({shown})/{len(names)} = {value}"

    def sum_of_gradient(self, a: Cell) -> str:
        """The derivative by a pixel, for cotangents d of the outputs: "df/da12 = d11 + d12", "df/da12 = 0.25*d11"."""
        terms = [times(self.by_input[*y, *a], name("d", y)) for y in cells(self.by_input[:, :, *a])]
        return f"df/d{name('a', a)} = {total(terms)}"

    def sum_of_unpooled(self, a: Cell) -> str:
        """What unpooling puts on a pixel: "u12 = y11 = 5"."""
        terms = [name("y", y) for y in cells(self.by_input[:, :, *a])]
        return f"{name('u', a)} = {total(terms)} = {number(self.unpooled[a])}" if terms else f"{name('u', a)} = 0"

    def html(self) -> str:
        """A row an output: what its window holds, and what comes of it; a fragment of a page."""
        rows = [self.sum_of_output(y).split(" = ", 1) for y in every(self.y)]
        back = [[line.split(" = ", 1)[0], line.split(" = ", 1)[1]] for line in map(self.sum_of_gradient, every(self.a))]
        return table("What each output is made of", ["output", "is"], rows, "sums") + table(
            "What comes back to each pixel", ["derivative", "is"], back, "sums"
        )

    def page(self) -> Page:
        """The page: hover, tap or focus a cell and see its window, its winner, and what comes back."""
        title = "Max pooling" if self.largest else "Average pooling"
        (rows, columns), (k, m) = self.a.shape, self.ksize
        shown = self.padding if isinstance(self.padding, str) else [list(pair) for pair in self.padding]
        data: dict[str, Any] = {"op": self.op, "picture": [rows, columns], "kernel": [k, m]}
        data |= {"strides": list(self.strides), "padding": shown, "dilations": [1, 1]}
        data |= {"planes": {"first": [[self.a.tolist()]], "second": None}}
        lead = f"{title} of {rows} by {columns} numbers with windows of {k} by {m}, and the way back."
        return glass_page(title, lead, data, f"<noscript>{self.html()}</noscript>")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page; returns its path."""
        return self.page().save(path)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()

    def __str__(self) -> str:
        return "\n".join([*map(self.sum_of_output, every(self.y)), *map(self.sum_of_gradient, every(self.a))])


@dataclass(frozen=True)
class PooledChannels:
    """Pooling of images with channels: each plane is pooled by itself.

    x [N,H,W,C], y [N,P,Q,C]: images, and what is left of them. planes: for each image and channel its PoolingGlass.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    planes: tuple[tuple[PoolingGlass, ...], ...]

    def page(self) -> Page:
        """As of one plane, with the image and the channel to choose."""
        first = self.planes[0][0].page()
        planes = self.x.transpose(0, 3, 1, 2)
        images, channels = planes.shape[:2]
        data = first.data["setting"] | {
            "planes": {"first": planes.tolist(), "second": None},
            "axes": ["image", "channel", ""],
            "of": [images, channels, 1],
        }
        lead = f"{first.lead} Images: {images}, channels: {channels}; each is pooled by itself."
        return replace(first, lead=lead, data={"setting": data})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page; returns its path."""
        return self.page().save(path)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()

    def __str__(self) -> str:
        return f"image 1, channel 1 of {len(self.planes)}, {len(self.planes[0])}:\n{self.planes[0][0]}"


def max_pool(x: Any, ksize: Any = 2, strides: Any = 2, padding: Any = "VALID") -> PoolingGlass | PooledChannels:
    """`tf.nn.max_pool` under the glass, with its switches and unpooling.

    Args:
      x: picture [H,W], or images [N,H,W,C] or [H,W,C]; anything that converts to floats.
      ksize, strides, padding: as in `tf.nn.max_pool`.
    Returns:
      The arrays, with `page()` and `save(path)`; it prints its sums. Of images the planes' arrays.
    Raises:
      ShapeError: x has another number of dimensions, is larger than a page can show, or the window does not fit.
      ArgumentError: ksize, strides or padding mean nothing; a number is not finite.
    """
    return _pooled("max_pool", tf.nn.max_pool, x, ksize, strides, padding)


def avg_pool(x: Any, ksize: Any = 2, strides: Any = 2, padding: Any = "VALID") -> PoolingGlass | PooledChannels:
    """`tf.nn.avg_pool` under the glass, with average unpooling; as `max_pool`."""
    return _pooled("avg_pool", tf.nn.avg_pool, x, ksize, strides, padding)


def _pooled(op: str, pool: Any, x: Any, ksize: Any, strides: Any, padding: Any) -> PoolingGlass | PooledChannels:
    where = f"explain.{op}"
    x = numbers(where, "x", x)
    if x.ndim in (3, 4):
        return _with_channels(where, op, pool, x if x.ndim == 4 else x[None], (ksize, strides, padding))
    return _of_plane(where, op, pool, plane(where, "x", x), ksize, strides, padding)


def _with_channels(where: str, op: str, pool: Any, x: NDArray[Any], steps: tuple[Any, Any, Any]) -> PooledChannels:
    if x.size > MOST_NUMBERS or not x.size:
        raise ShapeError(
            f"{where}: {x.size:,} numbers; a page holds 1 to {MOST_NUMBERS:,}: give fewer images or channels, as "
            "x[:1, ..., :8]"
        ).locate()
    planes = tuple(tuple(_of_plane(where, op, pool, image[:, :, c], *steps) for c in range(x.shape[3])) for image in x)
    y = np.stack([np.stack([p.y for p in channels], axis=-1) for channels in planes])
    return PooledChannels(x, y, planes)


def _of_plane(where: str, op: str, pool: Any, x: NDArray[Any], ksize: Any, strides: Any, padding: Any) -> PoolingGlass:
    kernel, steps = window.numbers(ksize, "ksize", where), window.numbers(strides, "strides", where)
    border = window.padding_of(padding, where)
    if max(x.shape) > LARGEST:
        raise ShapeError(
            f"{where}: a picture of {x.shape[0]} by {x.shape[1]} is more than a page can show ({LARGEST} cells a "
            "side); crop it, as x[:16, :16]"
        ).locate()
    a = tf.constant(x)
    means = lambda image: tf.nn.avg_pool(image, kernel, steps, padding)  # noqa: E731
    y, by_input = _derivative(a, lambda image: pool(image, kernel, steps, padding))
    _, held = _derivative(a, means)
    uses = held != 0
    whole = (1, *x.shape, 1)
    if op == "max_pool":
        switches = by_input.reshape(*y.shape, -1).argmax(axis=-1)
        back = tf.nn.max_unpool(y[None, :, :, None], switches[None, :, :, None], whole)
    else:
        back = tf.nn.avg_unpool(y[None, :, :, None], kernel, steps, padding, whole)
    return PoolingGlass(op, kernel, steps, border, x, y, by_input, uses, back.numpy()[0, :, :, 0])  # type: ignore[arg-type]


def _derivative(a: Any, pool: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """(y [P,Q], dy/da [P,Q,H,W])"""
    with tf.GradientTape() as tape:
        tape.watch(a)
        y = pool(image(a))[0, :, :, 0]
    return y.numpy(), tape.jacobian(y, a).numpy()
