"""A convolution's gradients as tables: which output uses which input with which weight.

    a11 a12 a13                      y11 y12        y11 = w11 a11 + w12 a12 + w21 a21 + w22 a22
    a21 a22 a23   *   w11 w12   =    y21 y22
    a31 a32 a33       w21 w22

No number here comes from a formula for convolutions. They are read off derivatives that the engine computes: a
coefficient is dy/da, and the weight it is, is the w with d2y/da dw = 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pullback as tf
from pullback.core.errors import ShapeError
from pullback.explain.markup import bracketed, number, table

Cell = tuple[int, int]
# Entries of a table up to which a terminal prints it.
MOST_PRINTED = 1000


@dataclass(frozen=True)
class ConvolutionTables:
    """Derivatives of one picture's (transposed) convolution with one kernel. Cells are (row, column) from 0; names
    count from 1: a11, w11, y11.

    kind: "Convolution", "Transposed convolution", ...
    a [H,W], w [R,S], y [P,Q]: input, kernel, output.
    letters: what cells of input, kernel and output are called.
    by_input [P,Q,H,W]: dy/da. by_kernel [P,Q,R,S]: dy/dw.
    weight_of [P,Q,H,W,R,S]: d2y/da dw, 1 where this output takes this input times this weight, else 0.
    """

    kind: str
    a: NDArray[Any]
    w: NDArray[Any]
    y: NDArray[Any]
    by_input: NDArray[Any]
    by_kernel: NDArray[Any]
    weight_of: NDArray[Any]
    letters: tuple[str, str, str] = ("a", "w", "y")

    @property
    def uses(self) -> NDArray[np.bool_]:
        """Which output uses which input, bool [P,Q,H,W]; also where the weight is 0."""
        return np.asarray(self.weight_of.any(axis=(4, 5)))

    @property
    def outputs_using(self) -> NDArray[np.int64]:
        """How many outputs use each input, [H,W]."""
        return self.uses.sum(axis=(0, 1))

    @property
    def sparse_matrix(self) -> NDArray[Any]:
        """The dense layer that the convolution is: W [H*W, P*Q], y = a W for flattened a and y; absent edges are 0."""
        return self.by_input.reshape(self.y.size, self.a.size).T

    def weights_of(self, y: Cell, a: Cell) -> str:
        """The weights that output y takes input a with: "w12"; "" of none."""
        return " + ".join(name(self.letters[1], rs) for rs in cells(self.weight_of[*y, *a]))

    def sum_of_output(self, y: Cell) -> str:
        """The output written out: "y32 = 4*a21 + 3*a22 + 2*a31 + a32"."""
        terms = [times(self.by_input[*y, *a], self._a(a)) for a in cells(self.uses[y])]
        return f"{self._y(y)} = {total(terms)}"

    def sum_in_symbols(self, y: Cell) -> str:
        """The output in letters: "y32 = w22*a21 + w21*a22 + w12*a31 + w11*a32"."""
        return f"{self._y(y)} = {total([f'{self.weights_of(y, a)}*{self._a(a)}' for a in cells(self.uses[y])])}"

    def sum_in_numbers(self, y: Cell) -> str:
        """The output in numbers: "y32 = 4*4 + 3*5 + 2*7 + 1*8 = 53"."""
        terms = [f"{number(self.by_input[*y, *a])}*{bracketed(self.a[a])}" for a in cells(self.uses[y])]
        return f"{self._y(y)} = {total(terms)} = {number(self.y[y])}" if terms else f"{self._y(y)} = 0"

    def sum_of_gradient(self, a: Cell) -> str:
        """The derivative by an input written out, for cotangents d of the outputs: "df/da12 = 2*d11 + d12"."""
        terms = [times(self.by_input[*y, *a], name("d", y)) for y in cells(self.uses[:, :, *a])]
        return f"df/d{self._a(a)} = {total(terms)}"

    def sum_of_kernel_gradient(self, rs: Cell) -> str:
        """The derivative by a weight written out: "df/dw12 = 2*d11 + 3*d12 + 5*d21 + 6*d22"."""
        under = np.asarray(self.weight_of[..., *rs].any(axis=(2, 3)))
        terms = [times(self.by_kernel[*y, *rs], name("d", y)) for y in cells(under)]
        return f"df/d{name(self.letters[1], rs)} = {total(terms)}"

    def input_rows(self) -> list[list[str]]:
        """A row an input, a column an output: the coefficient and the weight it is, "4 = w22"; empty where unused."""
        return [
            [self._a(a), *(self._coefficient(y, a) for y in every(self.y)), str(self.outputs_using[a])]
            for a in every(self.a)
        ]

    def kernel_rows(self) -> list[list[str]]:
        """A row a weight, a column an output: the input under that weight, "5 = a22"."""
        return [[name(self.letters[1], rs), *(self._under(y, rs) for y in every(self.y))] for rs in every(self.w)]

    def _a(self, cell: Cell) -> str:
        return name(self.letters[0], cell)

    def _y(self, cell: Cell) -> str:
        return name(self.letters[2], cell)

    def _coefficient(self, y: Cell, a: Cell) -> str:
        names = self.weights_of(y, a)
        return f"{number(self.by_input[*y, *a])} = {names}" if names else ""

    def _under(self, y: Cell, rs: Cell) -> str:
        names = " + ".join(map(self._a, cells(self.weight_of[*y, :, :, *rs])))
        return f"{number(self.by_kernel[*y, *rs])} = {names}" if names else "0"

    @property
    def input_head(self) -> list[str]:
        return ["input", *map(self._y, every(self.y)), "outputs using it"]

    @property
    def kernel_head(self) -> list[str]:
        return ["weight", *map(self._y, every(self.y))]

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """Both tables, in parts as wide as the terminal."""
        from rich.table import Table

        if self.a.size * self.y.size > MOST_PRINTED:
            yield f"{self.a.size} inputs by {self.y.size} outputs: too many for a table"
            return
        many = max((options.max_width - 12) // 12, 2)
        for title, head, rows in (
            (f"{self.kind}: what each output multiplies each input by", self.input_head, self.input_rows()),
            (f"{self.kind}: the input under each weight", self.kernel_head, self.kernel_rows()),
        ):
            for first in range(1, len(head), many):
                out = Table(head[0], *head[first : first + many], title=title if first == 1 else None)
                for row in rows:
                    out.add_row(row[0], *row[first : first + many])
                yield out

    def html(self) -> str:
        """The tables as a fragment of a page."""
        counts = [[f"row {i}", *map(str, row)] for i, row in enumerate(self.outputs_using, 1)]
        columns = [f"column {j}" for j in range(1, self.a.shape[1] + 1)]
        return (
            table(
                "What each output multiplies each input by: dy/da, and which weight that is",
                self.input_head,
                self.input_rows(),
                "sums",
            )
            + table("How many outputs use each input", ["picture", *columns], counts, "sums")
            + table("The input under each weight: dy/dw", self.kernel_head, self.kernel_rows(), "sums")
        )

    _repr_html_ = html


def convolution_tables(a: Any, w: Any, strides: Any = 1, padding: Any = "VALID") -> ConvolutionTables:
    """Tables of `tf.nn.conv2d(a, w, strides, padding)`.

    Args:
      a: picture [H,W]. w: kernel [R,S]. Both anything that converts to floats.
      strides, padding: as in `tf.nn.conv2d`.
    Raises:
      ShapeError: a or w has not two dimensions.
    """
    f = lambda x, k: tf.nn.conv2d(image(x), kernel(k), strides, padding)[0, :, :, 0]  # noqa: E731
    return ConvolutionTables("Convolution", **differentiated("convolution_tables", a, w, f))


def transposed_tables(
    a: Any, w: Any, output_shape: tuple[int, int], strides: Any = 1, padding: Any = "VALID"
) -> ConvolutionTables:
    """Tables of `tf.nn.conv2d_transpose(a, w, output_shape, strides, padding)`; output_shape is (height, width)."""
    whole = (1, *output_shape, 1)
    f = lambda x, k: tf.nn.conv2d_transpose(image(x), kernel(k), whole, strides, padding)[0, :, :, 0]  # noqa: E731
    return ConvolutionTables("Transposed convolution", **differentiated("transposed_tables", a, w, f))


def plane(where: str, what: str, value: Any) -> NDArray[Any]:
    """A picture or kernel as a float array of two dimensions.

    Raises:
      ShapeError: it has another number of dimensions.
    """
    array = np.asarray(value, np.float64)
    if array.ndim != 2:
        raise ShapeError(
            f"{where}: {what} has shape {list(array.shape)}; give one picture or kernel without batch and "
            f"channels, as {what}[0, :, :, 0]"
        ).locate()
    return array


def differentiated(
    where: str, a: Any, w: Any, f: Callable[[Any, Any], Any], names: tuple[str, str] = ("a", "w")
) -> dict[str, Any]:
    """The arrays of ConvolutionTables, by name: f's value at (a, w), its derivatives by each and by both.

    f: of tensors [H,W] and [R,S], linear in each, to [P,Q].
    names: what the caller calls a and w.
    """
    a, w = plane(where, names[0], a), plane(where, names[1], w)
    x, k = tf.constant(a), tf.constant(w)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, k])
        y = f(x, k)
    by_input, by_kernel = tape.jacobian(y, x), tape.jacobian(y, k)
    found = {"y": y.numpy(), "by_input": by_input.numpy(), "by_kernel": by_kernel.numpy()}
    return {"a": a, "w": w, **found, "weight_of": _second(f, x, k, y)}


def _second(f: Callable[[Any, Any], Any], x: Any, k: Any, y: Any) -> NDArray[Any]:
    """d2y/dx dk, [y.shape, x.shape, k.shape], for an f that is linear in each: what y takes x times when one weight is
    one and the others zero. Where k is larger than y, what comes back to x from one output, by the weights."""
    if math.prod(k.shape) <= math.prod(y.shape):
        parts = []
        for unit in _units(k.shape):
            with tf.GradientTape() as tape:
                tape.watch(x)
                alone = f(x, tf.constant(unit))
            parts.append(tape.jacobian(alone, x).numpy())
        return np.stack(parts, axis=-1).reshape(*y.shape, *x.shape, *k.shape)
    rows = []
    for unit in _units(y.shape):
        with tf.GradientTape() as outer:
            outer.watch(k)
            with tf.GradientTape() as inner:
                inner.watch(x)
                again = f(x, k)
            back = inner.gradient(again, x, output_gradients=tf.constant(unit))
        rows.append(outer.jacobian(back, k).numpy())
    return np.stack(rows).reshape(*y.shape, *x.shape, *k.shape)


def _units(shape: Any) -> NDArray[Any]:
    """Every array of this shape that is zero but for a one."""
    size = math.prod(shape)
    return np.eye(size).reshape(size, *shape)


def image(x: Any) -> Any:
    """A plane [H,W] as a batch of one image of one channel."""
    return tf.reshape(x, (1, *x.shape, 1))


def kernel(w: Any) -> Any:
    """A plane [R,S] as a filter from one channel to one."""
    return tf.reshape(w, (*w.shape, 1, 1))


def every(array: NDArray[Any]) -> list[Cell]:
    """All cells, row by row."""
    return [(i, j) for i in range(array.shape[0]) for j in range(array.shape[1])]


def cells(array: NDArray[Any]) -> list[Cell]:
    """The cells that hold no zero, row by row."""
    return [(int(i), int(j)) for i, j in np.argwhere(array)]


def name(letter: str, cell: Cell) -> str:
    """A cell as it is written, counted from one: "a21"; "a2,11" where a count has two digits."""
    return f"{letter}{cell[0] + 1}{cell[1] + 1}" if max(cell) < 9 else f"{letter}{cell[0] + 1},{cell[1] + 1}"


def times(factor: float, name: str) -> str:
    """A product: "2*a21"; "a21" and "-a21" for factors of one and minus one."""
    if abs(factor) == 1:
        return name if factor == 1 else f"-{name}"
    return f"{number(factor)}*{name}"


def total(terms: list[str]) -> str:
    """A sum: "a11 - 2*a12", "0" of no terms."""
    return " + ".join(terms).replace("+ -", "- ") or "0"
