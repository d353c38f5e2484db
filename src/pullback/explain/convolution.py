"""A convolution's gradients as tables: which output uses which input with which weight.

    a11 a12 a13                      y11 y12        y11 = w11 a11 + w12 a12 + w21 a21 + w22 a22
    a21 a22 a23   *   w11 w12   =    y21 y22
    a31 a32 a33       w21 w22

No number here comes from a formula for convolutions. They are read off derivatives that the engine computes: a
coefficient is dy/da, and the weight it is, is the w with d2y/da dw = 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pullback as tf
from pullback.core.errors import ShapeError
from pullback.explain.markup import number, table

Cell = tuple[int, int]


@dataclass(frozen=True)
class ConvolutionTables:
    """Derivatives of one picture's (transposed) convolution with one kernel. Cells are (row, column) from 0; names
    count from 1: a11, w11, y11.

    kind: "Convolution" or "Transposed convolution".
    a [H,W], w [R,S], y [P,Q]: input, kernel, output.
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
        return " + ".join(_name("w", rs) for rs in _cells(self.weight_of[*y, *a]))

    def sum_of_output(self, y: Cell) -> str:
        """The output written out: "y32 = 4*a21 + 3*a22 + 2*a31 + a32"."""
        terms = [_times(self.by_input[*y, *a], _name("a", a)) for a in _cells(self.uses[y])]
        return f"{_name('y', y)} = {_sum(terms)}"

    def sum_of_gradient(self, a: Cell) -> str:
        """The derivative by an input written out, for cotangents d of the outputs: "df/da12 = 2*d11 + d12"."""
        terms = [_times(self.by_input[*y, *a], _name("d", y)) for y in _cells(self.uses[:, :, *a])]
        return f"df/d{_name('a', a)} = {_sum(terms)}"

    def input_rows(self) -> list[list[str]]:
        """A row an input, a column an output: the coefficient and the weight it is, "4 = w22"; empty where unused."""
        return [
            [_name("a", a), *(self._coefficient(y, a) for y in _every(self.y)), str(self.outputs_using[a])]
            for a in _every(self.a)
        ]

    def kernel_rows(self) -> list[list[str]]:
        """A row a weight, a column an output: the input under that weight, "5 = a22"."""
        return [[_name("w", rs), *(self._under(y, rs) for y in _every(self.y))] for rs in _every(self.w)]

    def _coefficient(self, y: Cell, a: Cell) -> str:
        names = self.weights_of(y, a)
        return f"{number(self.by_input[*y, *a])} = {names}" if names else ""

    def _under(self, y: Cell, rs: Cell) -> str:
        names = " + ".join(_name("a", a) for a in _cells(self.weight_of[*y, :, :, *rs]))
        return f"{number(self.by_kernel[*y, *rs])} = {names}" if names else "0"

    @property
    def input_head(self) -> list[str]:
        return ["input", *(_name("y", y) for y in _every(self.y)), "outputs using it"]

    @property
    def kernel_head(self) -> list[str]:
        return ["weight", *(_name("y", y) for y in _every(self.y))]

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.table import Table

        tables = []
        for title, head, rows in (
            (f"{self.kind}: what each output takes each input times", self.input_head, self.input_rows()),
            (f"{self.kind}: the input under each weight", self.kernel_head, self.kernel_rows()),
        ):
            out = Table(*head, title=title)
            for row in rows:
                out.add_row(*row)
            tables.append(out)
        return Group(*tables)

    def html(self) -> str:
        """The tables as a fragment of a page."""
        counts = [[f"row {i}", *map(str, row)] for i, row in enumerate(self.outputs_using, 1)]
        columns = [f"column {j}" for j in range(1, self.a.shape[1] + 1)]
        return (
            table(
                "What each output takes each input times: dy/da, and the weight it is",
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
    return _differentiated("Convolution", a, w, lambda x, k: tf.nn.conv2d(x, k, strides, padding))


def transposed_tables(
    a: Any, w: Any, output_shape: tuple[int, int], strides: Any = 1, padding: Any = "VALID"
) -> ConvolutionTables:
    """Tables of `tf.nn.conv2d_transpose(a, w, output_shape, strides, padding)`; output_shape is (height, width)."""
    whole = (1, *output_shape, 1)
    return _differentiated(
        "Transposed convolution", a, w, lambda x, k: tf.nn.conv2d_transpose(x, k, whole, strides, padding)
    )


def _differentiated(kind: str, a: Any, w: Any, f: Callable[[Any, Any], Any]) -> ConvolutionTables:
    a, w = np.asarray(a, np.float64), np.asarray(w, np.float64)
    for name, array in (("a", a), ("w", w)):
        if array.ndim != 2:
            raise ShapeError(
                f"{kind} tables: {name} has shape {list(array.shape)}; give one picture or kernel without batch and "
                f"channels, as {name}[0, :, :, 0]"
            ).locate()
    x, k = tf.constant(a[None, :, :, None]), tf.constant(w[:, :, None, None])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, k])
        with tf.GradientTape(persistent=True) as inner:
            inner.watch([x, k])
            y = f(x, k)
        by_input = inner.jacobian(y, x)
        by_kernel = inner.jacobian(y, k)
    weight_of = tape.jacobian(by_input, k)
    plane = np.squeeze(y.numpy(), (0, 3))
    return ConvolutionTables(
        kind,
        a,
        w,
        plane,
        by_input.numpy().reshape(plane.shape + a.shape),
        by_kernel.numpy().reshape(plane.shape + w.shape),
        weight_of.numpy().reshape(plane.shape + a.shape + w.shape),
    )


def _every(array: NDArray[Any]) -> list[Cell]:
    return [(i, j) for i in range(array.shape[0]) for j in range(array.shape[1])]


def _cells(array: NDArray[Any]) -> list[Cell]:
    return [(int(i), int(j)) for i, j in np.argwhere(array)]


def _name(letter: str, cell: Cell) -> str:
    return f"{letter}{cell[0] + 1}{cell[1] + 1}" if max(cell) < 9 else f"{letter}{cell[0] + 1},{cell[1] + 1}"


def _times(factor: float, name: str) -> str:
    return name if factor == 1 else f"{number(factor)}*{name}"


def _sum(terms: list[str]) -> str:
    return " + ".join(terms).replace("+ -", "- ") or "0"
