"""Convolution under the glass: every cell of a convolution, and what it has to do with every other.

    conv2d                    y[p] = sum_r  a[p s + r d - before] w[r]
    conv2d_transpose,         y[h] = sum    a[p] w[r]             over p s + r d - before = h
      conv2d_backprop_input
    conv2d_backprop_filter    y[r] = sum_p  a[p s + r d - before] g[p]

One relation of three cells, h = p s + r d - before, read in three directions. Each of the four is also a plain
convolution, without padding, of a picture that is given a border and gaps, by a kernel that may be turned round: what
`seen` and `moving` hold. The numbers come from the engine's derivatives (see `convolution`); the page computes its own
from the relation, so that readers can change everything on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ShapeError
from pullback.explain.convolution import ConvolutionTables, differentiated, every, image, kernel, plane
from pullback.explain.markup import number
from pullback.explain.pages import Page, Section
from pullback.ops.nn.conv import Conv2D, Conv2DBackpropFilter, Conv2DBackpropInput, window

# What a page can still show: cells along a side, and second derivatives, one for each output, input and weight.
LARGEST, LARGEST_TABLE = 24, 4_000_000
_SCRIPTS = ("relation.js", "glass_controls.js", "glass_tables.js", "glass.js")
# Op -> its title, and what its first plane, its second and its result are called.
_WORDS = {
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
        return "{} and {} make {}".format(*(f"{name} ({_by(cells)})" for name, cells in planes))

    def _data(self) -> dict[str, Any]:
        s = self.setting
        shown = s.padding if isinstance(s.padding, str) else [list(pair) for pair in s.padding]
        sizes = {"picture": s.picture, "kernel": s.kernel, "strides": s.strides, "dilations": s.dilations}
        return {"op": s.op, "padding": shown, **{k: list(v) for k, v in sizes.items()}} | {
            "first": self.a.tolist(),
            "second": self.w.tolist(),
        }

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


def conv2d(x: Any, w: Any, strides: Any = 1, padding: Any = "VALID", dilations: Any = 1) -> ConvolutionGlass:
    """`tf.nn.conv2d` under the glass.

    Args:
      x: picture [H,W]. w: kernel [R,S]. Both anything that converts to floats.
      strides, padding, dilations: as in `tf.nn.conv2d`.
    Returns:
      The tables with `seen`, `moving`, `page()` and `save(path)`; it prints its sums.
    Raises:
      ShapeError: x or w has not two dimensions, is larger than a page can show, or the window does not fit.
      ArgumentError: strides, padding or dilations mean nothing.
    """
    x, w = plane("explain.conv2d", "x", x), plane("explain.conv2d", "w", w)
    s = _setting("conv2d", x.shape, w.shape, strides, padding, dilations)
    f = lambda a, k: Conv2D(*_fields(s))(image(a), kernel(k))[0, :, :, 0]  # noqa: E731
    return _under(s, x, w, f, ("x", "w"))


def conv2d_transpose(
    x: Any, w: Any, output_shape: Any, strides: Any = 1, padding: Any = "SAME", dilations: Any = 1
) -> ConvolutionGlass:
    """`tf.nn.conv2d_transpose` under the glass: x [P,Q], w [R,S], output_shape (H, W); otherwise as `conv2d`."""
    return _back("conv2d_transpose", x, w, output_shape, strides, padding, dilations, "x")


def conv2d_backprop_input(
    input_sizes: Any, w: Any, dy: Any, strides: Any = 1, padding: Any = "VALID", dilations: Any = 1
) -> ConvolutionGlass:
    """`tf.compat.v1.nn.conv2d_backprop_input` under the glass: input_sizes (H, W), w [R,S], dy [P,Q]; as `conv2d`."""
    return _back("conv2d_backprop_input", dy, w, input_sizes, strides, padding, dilations, "dy")


def conv2d_backprop_filter(
    x: Any, filter_sizes: Any, dy: Any, strides: Any = 1, padding: Any = "VALID", dilations: Any = 1
) -> ConvolutionGlass:
    """`tf.compat.v1.nn.conv2d_backprop_filter` under the glass: x [H,W], filter_sizes (R, S), dy [P,Q]; as `conv2d`."""
    where = "explain.conv2d_backprop_filter"
    x, dy = plane(where, "x", x), plane(where, "dy", dy)
    s = _setting("conv2d_backprop_filter", x.shape, _pair(where, "filter_sizes", filter_sizes), strides, padding,
                 dilations)  # fmt: skip
    op = Conv2DBackpropFilter(*_fields(s))
    f = lambda a, g: op(image(a), (*s.kernel, 1, 1), image(g))[:, :, 0, 0]  # noqa: E731
    return _under(s, x, dy, f, ("x", "dy"))


def _back(
    op: str, a: Any, w: Any, sizes: Any, strides: Any, padding: Any, dilations: Any, what: str
) -> ConvolutionGlass:
    where = f"explain.{op}"
    a, w = plane(where, what, a), plane(where, "w", w)
    s = _setting(op, _pair(where, "output_shape" if what == "x" else "input_sizes", sizes), w.shape, strides, padding,
                 dilations)  # fmt: skip
    back = Conv2DBackpropInput(*_fields(s))
    f = lambda x, k: back((1, *s.picture, 1), kernel(k), image(x))[0, :, :, 0]  # noqa: E731
    return _under(s, a, w, f, (what, "w"))


def _under(
    s: Setting, a: NDArray[Any], w: NDArray[Any], f: Callable[[Any, Any], Any], names: tuple[str, str]
) -> ConvolutionGlass:
    where = f"explain.{s.op}"
    if 0 in s.geometry.outs:
        raise ShapeError(
            f"{where}: the kernel is larger than the padded picture, so there is nothing to explain"
        ).locate()
    entries = int(np.prod((*s.picture, *s.kernel, *s.geometry.outs)))
    if max(*s.picture, *s.kernel, *s.geometry.outs) > LARGEST or entries > LARGEST_TABLE:
        raise ShapeError(
            f"{where}: a picture of {s.picture[0]} by {s.picture[1]} with a kernel of {s.kernel[0]} by {s.kernel[1]} "
            f"is more than a page can show ({LARGEST} cells a side, {LARGEST_TABLE:,} derivatives); "
            f"crop it, as {names[0]}[:16, :16]"
        ).locate()
    title, letters = _WORDS[s.op]
    return ConvolutionGlass(title, **differentiated(where, a, w, f, names), letters=letters, setting=s)


def _setting(op: str, picture: Any, kernel: Any, strides: Any, padding: Any, dilations: Any) -> Setting:
    where = f"explain.{op}"
    return Setting(
        op,
        tuple(picture),
        tuple(kernel),
        window.numbers(strides, "strides", where),  # type: ignore[arg-type]
        window.padding_of(padding, where),
        window.numbers(dilations, "dilations", where),  # type: ignore[arg-type]
    )


def _fields(s: Setting) -> tuple[Any, ...]:
    """What the ops are made with."""
    return s.strides, s.padding, "NHWC", s.dilations


def _pair(where: str, what: str, sizes: Any) -> tuple[int, int]:
    found = tuple(int(n) for n in np.ravel(np.asarray(sizes)))
    if len(found) == 4:
        found = found[:2] if what == "filter_sizes" else found[1:3]
    if len(found) != 2 or min(found) < 1:
        raise ShapeError(f"{where}: {what} must be (rows, columns), both positive, not {sizes!r}").locate()
    return found[0], found[1]


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


def _by(array: NDArray[Any]) -> str:
    return f"{array.shape[0]} by {array.shape[1]}"
