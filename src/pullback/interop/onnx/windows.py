"""Windows as ONNX says them: strides, dilations, pads, auto_pad, ceil_mode.

    explicit     p = (n + before + after - e) / s + 1, rounded down, or up for ceil_mode; e = (k - 1) d + 1
    SAME_UPPER   p = ceil(n / s); what is lacking is padded, the odd cell at the end
    SAME_LOWER   the same, the odd cell at the beginning
    VALID        explicit, with pads of 0

Rounded up, the last window reaches past the padding; where it would begin there, it is left out.
Layouts are ONNX's: [N,C,*spatial].
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import numpy as np

import pullback as tf
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values

Numbers = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]  # (before, after) for each spatial axis
LAYOUTS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def per_axis(given: Any, rank: int, what: str, default: int = 1) -> Numbers:
    """A number for each spatial axis.

    Raises:
      ArgumentError: there are more or fewer.
    """
    numbers = (default,) * rank if given is None else tuple(given)
    if len(numbers) != rank:
        raise ArgumentError(f"{what} must be {rank} numbers, one for each spatial axis, not {list(numbers)}").locate()
    return numbers


def pairs(pads: Any, rank: int, what: str) -> Pairs:
    """ONNX's pads, all beginnings before all ends, as a pair for each axis; None is 0."""
    if pads is None:
        return ((0, 0),) * rank
    pads = values.ints(pads, f"{what}: pads")
    if len(pads) != 2 * rank:
        raise ArgumentError(
            f"{what}: pads must be {2 * rank} numbers, a beginning for each axis and then an end for each, not {pads}"
        ).locate()
    return tuple(zip(pads[:rank], pads[rank:], strict=True))


def layout(rank: int, what: str) -> str:
    """The name of the layout with so many spatial axes.

    Raises:
      ArgumentError: windows move over one to three.
    """
    if rank not in LAYOUTS:
        raise ArgumentError(
            f"{what}: an input [N,C,*spatial] of one to three spatial axes is needed, not of {rank}"
        ).locate()
    return LAYOUTS[rank]


def explicit(pad: Pairs) -> list[list[int]]:
    """Paddings of [N,C,*spatial], as `tf.pad` and convolutions take them."""
    return [[0, 0], [0, 0], *[list(p) for p in pad]]


def halves(total: int, upper: bool) -> tuple[int, int]:
    """A padding in two, the odd cell at the end where `upper`, else at the beginning."""
    small, large = total // 2, total - total // 2
    return (small, large) if upper else (large, small)


def extents(kernel: Numbers, dilations: Numbers) -> Numbers:
    """How many cells dilated windows span."""
    return tuple([(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)])


def padding(
    auto_pad: str, pads: Any, sizes: Numbers, kernel: Numbers, strides: Numbers, dilations: Numbers, what: str
) -> Pairs:
    """The padding of each axis.

    Raises:
      ArgumentError: auto_pad is no word of ONNX's.
    """
    rank = len(sizes)
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        axes = zip(sizes, extents(kernel, dilations), strides, strict=True)
        lacking = [max((-(-n // s) - 1) * s + e - n, 0) for n, e, s in axes]
        return tuple([halves(total, auto_pad == "SAME_UPPER") for total in lacking])
    if auto_pad == "VALID":
        return ((0, 0),) * rank
    if auto_pad != "NOTSET":
        raise ArgumentError(
            f'{what}: auto_pad must be "NOTSET", "SAME_UPPER", "SAME_LOWER" or "VALID", not {auto_pad!r}'
        ).locate()
    return pairs(pads, rank, what)


class Windows(NamedTuple):
    """Windows over an image of known size; an entry for each spatial axis."""

    sizes: Numbers  # of the image
    kernel: Numbers
    strides: Numbers
    dilations: Numbers
    pads: Pairs  # as the model says them
    outs: Numbers  # window positions

    @property
    def borders(self) -> Pairs:
        """The cells that windows reach before and past the image, those that ceil_mode adds among them."""
        axes = zip(self.sizes, self.outs, self.strides, extents(self.kernel, self.dilations), self.pads, strict=True)
        return tuple([(pad[0], max((p - 1) * s + e - n - pad[0], 0)) for n, p, s, e, pad in axes])

    @property
    def gaps(self) -> bool:
        return max(self.dilations) > 1

    def cells(self) -> list[np.ndarray]:
        """For each axis, [P,k]: the cell that each place of each window meets, 0 being the image's first."""
        axes = zip(self.outs, self.kernel, self.strides, self.dilations, self.pads, strict=True)
        return [np.arange(p)[:, None] * s + np.arange(k) * d - pad[0] for p, k, s, d, pad in axes]

    def counts(self, with_pads: bool) -> np.ndarray:
        """How many cells of the image each window meets, or of the image and its pads: [*outs]. What ceil_mode adds
        never counts."""
        found = []
        for cells, n, pad in zip(self.cells(), self.sizes, self.pads, strict=True):
            before, after = pad if with_pads else (0, 0)
            found.append(((cells >= -before) & (cells < n + after)).sum(1))
        return reduce(np.multiply.outer, found)


def windows(
    x: Tensor,
    kernel: Any,
    strides: Any,
    dilations: Any,
    auto_pad: str,
    pads: Any,
    ceil_mode: int,
    what: str,
) -> Windows:
    """The windows of a pooling over x [N,C,*spatial], of the attributes that say them.

    Raises:
      ArgumentError: the sizes of x are not known, or the attributes do not fit it.
    """
    sizes = values.spatial(x, what)
    rank = len(sizes)
    layout(rank, what)
    k = per_axis(kernel, rank, f"{what}: kernel_shape")
    s = per_axis(strides, rank, f"{what}: strides")
    d = per_axis(dilations, rank, f"{what}: dilations")
    pad = padding(auto_pad, pads, sizes, k, s, d, what)
    outs = []
    for n, e, step, (before, after) in zip(sizes, extents(k, d), s, pad, strict=True):
        room = n + before + after - e
        if room < 0:
            raise ArgumentError(
                f"{what}: a window of {e} cells does not fit an axis of {n} padded by {before} and {after}; use more "
                "padding, or a smaller window"
            ).locate()
        p = room // step + 1
        if ceil_mode and auto_pad == "NOTSET" and room % step:
            p += 1
        if ceil_mode and (p - 1) * step >= n + before:
            p -= 1
        outs.append(p)
    return Windows(sizes, k, s, d, pad, tuple(outs))


def bordered(x: Tensor, at: Windows, fill: Any) -> Tensor:
    """x with all the cells that its windows reach, those outside the image filled."""
    if not any(map(any, at.borders)):
        return x
    return tf.pad(x, explicit(at.borders), constant_values=fill)


def side_by_side(x: Tensor, at: Windows) -> Tensor:
    """The windows of a bordered image laid side by side, [N,C,P*k,...]: windows without gaps, which do not overlap."""
    for axis, (cells, pad) in enumerate(zip(at.cells(), at.pads, strict=True)):
        x = tf.gather(x, (cells + pad[0]).reshape(-1), axis=2 + axis)
    return x
