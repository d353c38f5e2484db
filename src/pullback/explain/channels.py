"""A convolution with channels under the glass: a sum, over what is summed, of one-plane convolutions.

    y[i][j] = sum_t  x[i][t] * w[t][j]  + b[j]          entries are planes, * convolves two of them

A matrix product whose entries are planes. What i, t and j count differs from op to op:

    op                          x[i][t]                       w[t][j]                      summed over t
    conv2d, conv2d_transpose    input channel t of image i    kernel from t to output j    input channels
    conv2d_backprop_input       gradient t of image i         kernel from input j to t     output channels
    conv2d_backprop_filter      input channel i of image t    gradient j of image t        images

A convolution of planes without channels is the product of one entry by one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pullback as tf
from pullback.core.errors import ArgumentError, ShapeError
from pullback.explain.convolution import Cell, every, name, total
from pullback.explain.markup import number, table
from pullback.explain.pages import Page
from pullback.explain.planes import LARGEST, WORDS, ConvolutionGlass, Setting, by, glass_page, numbers, operation, under

# What a page holds: numbers in all. What it writes out: terms of a sum in a line, rows of the table without scripts.
MOST_NUMBERS, MOST_TERMS, MOST_ROWS = 60_000, 12, 64
# Arrays' axes to those of planes, [i,t,rows,columns] and [t,j,rows,columns]; and the result's to [i,j,rows,columns].
_IMAGES, _KERNEL = (0, 3, 1, 2), (2, 3, 0, 1)
_BACK = (_IMAGES, (3, 2, 0, 1), _IMAGES)
_AS_PLANES = {
    "conv2d": (_IMAGES, _KERNEL, _IMAGES),
    "conv2d_transpose": _BACK,
    "conv2d_backprop_input": _BACK,
    "conv2d_backprop_filter": ((3, 0, 1, 2), _IMAGES, _KERNEL),
}
# What i, t and j count.
_BACK_AXES = ("image", "output channel", "input channel")
AXES = {
    "conv2d": ("image", "input channel", "output channel"),
    "conv2d_transpose": ("image", "input channel", "output channel"),
    "conv2d_backprop_input": _BACK_AXES,
    "conv2d_backprop_filter": ("input channel", "image", "output channel"),
}
ACTIVATIONS = {"relu": tf.nn.relu, "sigmoid": tf.nn.sigmoid, "tanh": tf.nn.tanh}


@dataclass(frozen=True)
class ChannelGlass:
    """A convolution of any of the four ops with channels, as planes. Cells, channels and images count from 1 in words,
    from 0 as arguments.

    setting: what slides over what.
    x [I,T,h,w], w [T,J,r,s]: planes of the op's two arrays; of conv2d_backprop_filter `w` is the cotangent.
    sums [I,J,p,q]: the sums over t. y: with bias and activation, as the op gives it.
    bias [J], or None. activation: "relu", ..., or None.
    """

    setting: Setting
    x: NDArray[Any]
    w: NDArray[Any]
    sums: NDArray[Any]
    y: NDArray[Any]
    bias: NDArray[Any] | None = None
    activation: str | None = None

    @property
    def axes(self) -> tuple[str, str, str]:
        """What i, t and j count: ("image", "input channel", "output channel")."""
        return AXES[self.setting.op]

    @property
    def letters(self) -> tuple[str, str, str]:
        """What cells of x, w and the sums are called: ("a", "w", "y")."""
        return WORDS[self.setting.op][1]

    @property
    def values(self) -> NDArray[Any]:
        """`y` as planes [I,J,p,q]: sums, plus bias, through the activation."""
        return self.y.transpose(_AS_PLANES[self.setting.op][2])

    def terms(self, i: int, j: int) -> NDArray[Any]:
        """The planes that `sums[i, j]` adds up, [T,p,q]: each convolved alone by the engine."""
        to_second = np.argsort(_AS_PLANES[self.setting.op][1])
        to_first = np.argsort(_AS_PLANES[self.setting.op][0])
        made = [
            operation(self.setting, self.x[i, t, None, None].transpose(to_first), w[None, None].transpose(to_second))
            for t, w in enumerate(self.w[:, j])
        ]
        return np.stack([m.transpose(_AS_PLANES[self.setting.op][2])[0, 0] for m in made])

    def pair(self, i: int, t: int, j: int) -> ConvolutionGlass:
        """One term under the glass by itself: its tables, its sparse matrix, its Jacobian."""
        return under(self.setting, self.x[i, t], self.w[t, j])

    def sum_of_output(self, i: int, j: int, cell: Cell) -> str:
        """A cell written out: "y11 = 2 - 1 (input channels 1 to 2) + 0.5 (bias) = 1.5", with an activation
        "z11 = ... = 1.5; y11 = relu(z11) = 1.5". Of very many terms the first, and the others together."""
        terms = self.terms(i, j)[:, cell[0], cell[1]]
        shown, more = terms[:MOST_TERMS], terms[MOST_TERMS:]
        parts = [total([number(v) for v in shown]) + f" ({self._counted(0, len(shown))})"]
        if len(more):
            parts.append(f"{number(more.sum())} ({self._counted(len(shown), len(terms))})")
        if self.bias is not None:
            parts.append(f"{number(self.bias[j])} (bias)")
        before = self.sums[i, j][cell] + (0 if self.bias is None else self.bias[j])
        own, value = name(self.letters[2], cell), number(self.values[i, j][cell])
        z = own if self.activation is None else name("z", cell)
        line = f"{z} = {total(parts)} = {number(before)}"
        return line if self.activation is None else f"{line}; {own} = {self.activation}({z}) = {value}"

    def _counted(self, first: int, end: int) -> str:
        """ "input channels 1 to 3", "image 1"."""
        what = self.axes[1]
        return f"{what} {end}" if end - first == 1 else f"{what}s {first + 1} to {end}"

    # --- where it is shown -------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        return WORDS[self.setting.op][0]

    @property
    def lead(self) -> str:
        """ "y (2 by 2) for each of 4 output channels: the sum of 3 input channels, a (3 by 3), each with ..."."""
        summed, made, (a, w, y) = self.axes[1], self.axes[2], self.letters
        with_its = "the gradient that arrives at it" if summed == "image" else "its own slice of the kernel"
        return (
            f"{y} ({by(self.sums[0, 0])}), for each of {_many(self.w.shape[1], made)}, is a sum over "
            f"{_many(len(self.w), summed)}: {a} ({by(self.x[0, 0])}), each with {with_its}, {w} ({by(self.w[0, 0])})."
        )

    @property
    def shown(self) -> tuple[int, int]:
        """How many i and j the page holds, from the first: as many as MOST_NUMBERS numbers are, at least one each."""
        one, kernel = self.x[0].size, self.w[:, 0].size
        rows = max(1, min(len(self.x), (MOST_NUMBERS - kernel) // one))
        return rows, max(1, min(self.w.shape[1], (MOST_NUMBERS - rows * one) // kernel))

    @property
    def folded(self) -> str:
        """What the page leaves out, and how to see it; "" where it leaves nothing out."""
        of, said = (len(self.x), self.w.shape[1]), []
        for kept, there, what in zip(self.shown, of, self.axes[::2], strict=True):
            if kept < there:
                said.append(f"{what} 1 of {there}" if kept == 1 else f"{what}s 1 to {kept} of {there}")
        return f"To stay light this page holds {' and '.join(said)}; slice the arrays to see others." if said else ""

    def page(self) -> Page:
        """The page: choose a channel, point at a cell, and see every term of its sum. The first images and channels
        where all would make it heavy; its lead says so."""
        return glass_page(
            self.kind, f"{self.lead} {self.folded}".strip(), self._data(), f"<noscript>{self.html()}</noscript>"
        )

    def _data(self) -> dict[str, Any]:
        images, columns = self.shown
        planes = {"first": self.x[:images].tolist(), "second": self.w[:, :columns].tolist()}
        bias = None if self.bias is None else self.bias[:columns].tolist()
        return self.setting.data() | {
            "planes": planes, "axes": list(self.axes), "bias": bias, "activation": self.activation,
            "of": [len(self.x), len(self.w), self.w.shape[1]],
        }  # fmt: skip

    def html(self) -> str:
        """A row a cell of the first result: what each term brings; a fragment of a page."""
        terms, shown = self.terms(0, 0), min(len(self.w), MOST_TERMS)
        head = [self.letters[2], *(f"{self.axes[1]} {t + 1}" for t in range(shown))]
        head += [f"{len(terms) - shown} more"] * (shown < len(terms)) + ["bias"] * (self.bias is not None) + ["value"]
        rows = []
        for cell in every(self.sums[0, 0])[:MOST_ROWS]:
            brought = terms[:, cell[0], cell[1]]
            row = [name(self.letters[2], cell), *map(number, brought[:shown])]
            row += [number(brought[shown:].sum())] * (shown < len(terms))
            row += [number(self.bias[0])] if self.bias is not None else []
            rows.append([*row, number(self.values[0, 0][cell])])
        told = f"What each {self.axes[1]} brings to {self.axes[2]} 1 of {self.axes[0]} 1"
        return table(told, head, rows, "sums")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page; returns its path."""
        return self.page().save(path)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.text import Text

        yield Text(str(self))

    def __str__(self) -> str:
        lines = [self.sum_of_output(0, 0, cell) for cell in every(self.sums[0, 0])[:MOST_ROWS]]
        where = f"{self.axes[2]} 1 of {self.axes[0]} 1:"
        return "\n".join([f"{self.kind}. {self.lead}", where, *lines])


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def under_channels(
    setting: Setting, x: NDArray[Any], w: NDArray[Any], bias: Any = None, activation: str | None = None
) -> ChannelGlass:
    """Arrays of four dimensions under the glass.

    Args:
      x, w: the op's two arrays: images [N,H,W,C] and a kernel [R,S,C,K], or images and images.
      bias: a number for each channel of the result; None. activation: a key of ACTIVATIONS; None.
    Raises:
      ShapeError: channels or images are not as many in x as in w, the bias is not of so many, or a plane is larger
        than a page can show.
      ArgumentError: an unknown activation.
    """
    where = f"explain.{setting.op}"
    to_x, to_w, to_y = _AS_PLANES[setting.op]
    xs, ws = x.transpose(to_x), w.transpose(to_w)
    _check(where, setting, xs, ws)
    if activation is not None and activation not in ACTIVATIONS:
        known = ", ".join(map(repr, ACTIVATIONS))
        raise ArgumentError(f"{where}: activation must be None, {known}, not {activation!r}").locate()
    made = operation(setting, x, w)
    sums, after = made.transpose(to_y), made
    if bias is not None:
        bias = numbers(where, "bias", bias)
        if bias.shape != (ws.shape[1],):
            raise ShapeError(
                f"{where}: bias has shape {list(bias.shape)}; it must hold one number for each of the "
                f"{ws.shape[1]} {AXES[setting.op][2]}s"
            ).locate()
        after = after + bias
    if activation is not None:
        after = ACTIVATIONS[activation](tf.constant(after)).numpy()
    return ChannelGlass(setting, xs, ws, sums, after, bias, activation)


def _check(where: str, setting: Setting, xs: NDArray[Any], ws: NDArray[Any]) -> None:
    what = AXES[setting.op][1]
    if 0 in xs.shape or 0 in ws.shape:
        raise ShapeError(f"{where}: an array is empty, so there is nothing to explain; give at least one cell").locate()
    if xs.shape[1] != ws.shape[0]:
        raise ShapeError(
            f"{where}: {xs.shape[1]} {what}s in the first array, {ws.shape[0]} in the second; they must be as many"
            + (" (of a grouped convolution give one group's channels)" if setting.op == "conv2d" else "")
        ).locate()
    setting.check()
    sides = (*setting.picture, *setting.kernel, *setting.geometry.outs)
    if max(sides) > LARGEST:
        raise ShapeError(
            f"{where}: planes of {by(xs[0, 0])} and {by(ws[0, 0])} are more than a page can show ({LARGEST} cells a "
            "side); crop them, as x[:, :16, :16]"
        ).locate()
