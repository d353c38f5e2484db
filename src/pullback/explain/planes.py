"""One plane under the glass: every cell of a convolution without channels, and what it has to do with every other.

    conv2d                    y[p] = sum_r  a[p s + r d - before] w[r]
    conv2d_transpose,         y[h] = sum    a[p] w[r]             over p s + r d - before = h
      conv2d_backprop_input
    conv2d_backprop_filter    y[r] = sum_p  a[p s + r d - before] g[p]

One relation of three cells, h = p s + r d - before, read in three directions. Each of the four is also a plain
convolution, without padding, of a picture that is given a border and gaps, by a kernel that may be turned round: what
`seen` and `moving` hold. With channels a convolution is a sum of these: see `channels`. The numbers come from the
engine's derivatives (see `convolution`); the page computes its own from the relation, so that readers can change
everything on it.
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
from pullback.core.errors import ArgumentError, ShapeError, StaticOnly
from pullback.explain.convolution import ConvolutionTables, differentiated, every, image, kernel
from pullback.explain.markup import number
from pullback.explain.pages import Page, Section
from pullback.ops.nn.conv import Conv2D, Conv2DBackpropFilter, Conv2DBackpropInput, window

# What a page can still show: cells along a side, and second derivatives, one for each output, input and weight.
LARGEST, LARGEST_TABLE = 32, 4_000_000
_SCRIPTS = ("relation.js", "glass_channels.js", "glass_controls.js", "glass_tables.js", "glass.js")
# Op -> its title, and what its first plane, its second and its result are called.
WORDS = {
    "conv2d": ("Convolution", ("a", "w", "y")),
    "conv2d_transpose": ("Transposed convolution", ("a", "w", "y")),
    "conv2d_backprop_input": ("Gradient of a convolution with respect to its input", ("g", "w", "da")),
    "conv2d_backprop_filter": ("Gradient of a convolution with respect to its kernel", ("a", "g", "dw")),
}


@dataclass(frozen=True)
class Setting:
    """What slides over what.

    op: "conv2d", "conv2d_transpose", "conv2d_backprop_input" or "conv2d_backprop_filter".
    picture (H,W), kernel (R,S): sizes of the convolution that the op is, or is the gradient of.
    strides, dilations: rows and columns.
    padding: "SAME", "VALID" or ((top, bottom), (left, right)).
    """

    op: str
    picture: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int]
    padding: window.Padding
    dilations: tuple[int, int]

    @property
    def geometry(self) -> window.Geometry:
        """Window positions and border. Raises ShapeError: the kernel is larger than the padded picture."""
        return window.geometry(
            self.picture, self.kernel, self.strides, self.dilations, self.padding, f"explain.{self.op}", "HW"
        )

    def check(self) -> None:
        """Raises ShapeError where there is no output."""
        if 0 in self.geometry.outs:
            raise ShapeError(
                f"explain.{self.op}: the kernel is larger than the padded picture, so there is nothing to explain"
            ).locate()

    def data(self) -> dict[str, Any]:
        """As the page's script takes it."""
        shown = self.padding if isinstance(self.padding, str) else [list(pair) for pair in self.padding]
        sizes = {"picture": self.picture, "kernel": self.kernel, "strides": self.strides, "dilations": self.dilations}
        return {"op": self.op, "padding": shown, **{k: list(v) for k, v in sizes.items()}}


@dataclass(frozen=True)
class ConvolutionGlass(ConvolutionTables):
    """ConvolutionTables of any of the four ops, with the page that shows them at work.

    `a` and `w` are the op's two planes, whatever they are: of conv2d_backprop_filter `w` is the cotangent g [P,Q].
    """

    setting: Setting = None  # type: ignore[assignment]

    @property
    def seen(self) -> NDArray[Any]:
        """The picture that the plain convolution slides over: `a` with gaps between its cells and a border."""
        s, at = self.setting, self.setting.geometry
        if s.op == "conv2d":
            return _bordered(self.a, at.before, at.after)
        spans = [window.extent(k, d) for k, d in zip(s.kernel, s.dilations, strict=True)]
        if s.op == "conv2d_backprop_filter":
            wide = [
                (k - 1) * d + (p - 1) * t + 1
                for k, d, p, t in zip(s.kernel, s.dilations, at.outs, s.strides, strict=True)
            ]
            after = [n - b - h for n, b, h in zip(wide, at.before, s.picture, strict=True)]
            return _bordered(self.a, at.before, after)
        gapped = _with_gaps(self.a, s.strides)
        before = [e - 1 - b for e, b in zip(spans, at.before, strict=True)]
        after = [h + e - 1 - b - n for h, e, b, n in zip(s.picture, spans, before, gapped.shape, strict=True)]
        return _bordered(gapped, before, after)

    @property
    def moving(self) -> NDArray[Any]:
        """The kernel of the plain convolution: `w`, turned by 180 degrees where the op goes back to a picture."""
        return self.w[::-1, ::-1] if _goes_back(self.setting.op) else self.w

    @property
    def steps(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Strides and dilations of the plain convolution."""
        s = self.setting
        if s.op == "conv2d_backprop_filter":
            return s.dilations, s.strides
        return ((1, 1) if _goes_back(s.op) else s.strides), s.dilations

    def page(self) -> Page:
        """The page: hover, tap or focus a cell and see which others it meets; change sizes, steps and numbers."""
        return glass_page(
            self.kind, f"{self._sizes}: see how, cell by cell.", self._data(), f"<noscript>{self.html()}</noscript>"
        )

    @property
    def _sizes(self) -> str:
        """ "a (3 by 3) and w (2 by 2) make y (2 by 2)"."""
        planes = zip(self.letters, (self.a, self.w, self.y), strict=True)
        return "{} and {} make {}".format(*(f"{name} ({by(cells)})" for name, cells in planes))

    def _data(self) -> dict[str, Any]:
        return self.setting.data() | {"planes": {"first": [[self.a.tolist()]], "second": [[self.w.tolist()]]}}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page; returns its path."""
        return self.page().save(path)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """The planes of the plain convolution, the tables, the sums."""
        from rich.table import Table
        from rich.text import Text

        (rows, columns), (gap, wide) = self.steps
        turned = "the kernel, turned by 180 degrees" if _goes_back(self.setting.op) else "the kernel"
        for title, array in (
            (f"{self.letters[0]} as the kernel sees it", self.seen),
            (f"{turned}: strides {rows}, {columns}, dilations {gap}, {wide}", self.moving),
            (self.letters[2], self.y),
        ):
            grid = Table(show_header=False, show_lines=True)
            for row in array:
                grid.add_row(*map(number, row))
            yield Text(title, style="italic")
            yield grid
        yield from super().__rich_console__(console, options)
        yield Text(str(self))

    def __str__(self) -> str:
        lines = [f"{self.sum_in_symbols(y)} = {self.sum_in_numbers(y).partition(' = ')[2]}" for y in every(self.y)]
        return "\n".join([f"{self.kind}: {self._sizes}", *lines])


def glass_page(title: str, lead: str, data: dict[str, Any], fallback: str) -> Page:
    """A page of the glass for these starting values; `fallback` is HTML for readers without scripts."""
    section = Section("Under the glass", f'<div id="glass"></div>{fallback}')
    return Page(title, lead, (section,), ("glass.css",), _SCRIPTS, {"setting": data})


def numbers(where: str, what: str, value: Any) -> NDArray[Any]:
    """What a user gives as an array of floats.

    Raises:
      ArgumentError: it holds something else, or numbers that are not finite.
    """
    try:
        array = np.asarray(value)
        array = array if np.iscomplexobj(array) else array.astype(np.float64)
    except StaticOnly:  # a symbolic tensor: it says what to do
        raise
    except (TypeError, ValueError):
        array = np.zeros(0, complex)
    if array.dtype != np.float64:
        raise ArgumentError(f"{where}: {what} must be an array of real numbers, not {type(value).__name__}").locate()
    if not np.isfinite(array).all():
        raise ArgumentError(
            f"{where}: {what} holds {int((~np.isfinite(array)).sum())} numbers that are not finite, of which a page "
            "can show no sum; tf.explain.check_numerics names the op that made them"
        ).locate()
    return array


def operation(s: Setting, a: Any, w: Any) -> NDArray[Any]:
    """The op over images and a kernel (or images and images), as the engine computes it."""
    a, w = tf.constant(a), tf.constant(w)
    return _tensors(s, a, w).numpy()


def _tensors(s: Setting, a: Any, w: Any) -> Any:
    fields = s.strides, s.padding, "NHWC", s.dilations
    if s.op == "conv2d":
        return Conv2D(*fields)(a, w)
    if s.op == "conv2d_backprop_filter":
        return Conv2DBackpropFilter(*fields)(a, (*s.kernel, a.shape[3], w.shape[3]), w)
    return Conv2DBackpropInput(*fields)((a.shape[0], *s.picture, w.shape[2]), w, a)


def under(s: Setting, a: NDArray[Any], w: NDArray[Any], names: tuple[str, str] = ("x", "w")) -> ConvolutionGlass:
    """Two planes under the glass.

    Args:
      a, w: the op's two planes. names: what the caller calls them.
    Raises:
      ShapeError: the window does not fit, or there is more than a page can show.
    """
    where = f"explain.{s.op}"
    s.check()
    entries = int(np.prod((*s.picture, *s.kernel, *s.geometry.outs)))
    if max(*s.picture, *s.kernel, *s.geometry.outs) > LARGEST or entries > LARGEST_TABLE:
        raise ShapeError(
            f"{where}: a picture of {s.picture[0]} by {s.picture[1]} with a kernel of {s.kernel[0]} by {s.kernel[1]} "
            f"is more than a page can show ({LARGEST} cells a side, {LARGEST_TABLE:,} derivatives); "
            f"crop it, as {names[0]}[:16, :16]"
        ).locate()
    of_filter = s.op == "conv2d_backprop_filter"
    inside: Any = (slice(None), slice(None), 0, 0) if of_filter else (0, slice(None), slice(None), 0)
    second = image if of_filter else kernel
    title, letters = WORDS[s.op]
    found = differentiated(where, a, w, lambda x, k: _tensors(s, image(x), second(k))[inside], names)
    return ConvolutionGlass(title, **found, letters=letters, setting=s)


def _goes_back(op: str) -> bool:
    return op in ("conv2d_transpose", "conv2d_backprop_input")


def _with_gaps(a: NDArray[Any], strides: tuple[int, int]) -> NDArray[Any]:
    """stride - 1 zeros between neighbours."""
    rows, columns = (max((n - 1) * s + 1, 0) for n, s in zip(a.shape, strides, strict=True))
    out = np.zeros((rows, columns), a.dtype)
    out[:: strides[0], :: strides[1]] = a
    return out


def _bordered(a: NDArray[Any], before: Any, after: Any) -> NDArray[Any]:
    """Zeros around; where a width is negative, cut off instead."""
    cut = tuple(slice(max(-b, 0), n - max(-f, 0)) for b, f, n in zip(before, after, a.shape, strict=True))
    return np.pad(a[cut], [(max(b, 0), max(f, 0)) for b, f in zip(before, after, strict=True)])


def by(array: NDArray[Any]) -> str:
    """ "3 by 2"."""
    return f"{array.shape[0]} by {array.shape[1]}"
