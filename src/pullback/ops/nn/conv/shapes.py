"""Which shapes fit each other in the three passes of a convolution, and what they make.

Shapes are the user's, in data_format's order; dimensions may be None. The same functions serve `infer`, where they may
be unknown, and the kernels, where all are known.
"""

from __future__ import annotations

import functools
from typing import Any

from pullback.core.errors import ShapeError
from pullback.core.shape import text
from pullback.ops.nn.conv import window
from pullback.ops.nn.conv.window import Geometry

Dims = tuple[Any, ...]
TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


def channels_last(shape: Dims, data_format: str) -> Dims:
    """(N, H, W, C) of a shape in data_format's order."""
    return shape if data_format == "NHWC" else (shape[0], shape[2], shape[3], shape[1])


def in_format(shape: Dims, data_format: str) -> Dims:
    """A shape in data_format's order, of (N, H, W, C)."""
    return shape if data_format == "NHWC" else (shape[0], shape[3], shape[1], shape[2])


def forward(op: Any, x: Dims, w: Dims, where: str = "Conv2D") -> Dims:
    """Shape of y.

    Raises:
      ShapeError: ranks, channels or sizes do not fit.
    """
    N, H, W, C = channels_last(_image(x, where, "input", op.data_format), op.data_format)
    R, S, c, K = _filter(w, where, "filter")
    check_groups(C, c, K, f"{where}: input {text(x)} and filter {text(w)}")
    rows, columns = window.per_axis(op.padding)
    P = window.positions(H, R, op.strides[0], op.dilations[0], rows, where, "H")
    Q = window.positions(W, S, op.strides[1], op.dilations[1], columns, where, "W")
    return in_format((N, P, Q, K), op.data_format)


# How the backward passes speak of their inputs: to conv2d_transpose's users by its own words.
AS_BACKPROP = ("Conv2DBackpropInput", "input_sizes", "out_backprop")
AS_TRANSPOSE = ("conv2d_transpose", "output_shape", "input")


def to_input(op: Any, sizes: Dims, w: Dims, dy: Dims, words: tuple[str, str, str] = AS_BACKPROP) -> Dims:
    """Shape of dx: `sizes`, with the batch that dy settles.

    Raises:
      ShapeError: no convolution of an image of these sizes makes dy.
    """
    where, asked, from_ = words
    _sizes(sizes, where, asked)
    N, H, W, C = channels_last(sizes, op.data_format)
    n, P, Q, k = channels_last(_image(dy, where, from_, op.data_format), op.data_format)
    R, S, c, K = _filter(w, where, "filter")
    given = f"{where}: {asked} {text(sizes)} cannot come from {from_} {text(dy)}"
    if N is not None and n is not None and n != N:
        raise ShapeError(f"{given}: the batch must be {n}, but is {N}")
    if k is not None and K is not None and k != K:
        raise ShapeError(
            f"{where}: {from_} {text(dy)} has {k} channels, but filter {text(w)} needs {K}: "
            f"its last dimension must equal the channels of {from_}"
        )
    check_groups(C, c, K, f"{given} with filter {text(w)}")
    window.check_restored((H, W), (P, Q), (R, S), op, given)
    return in_format((n if N is None else N, H, W, C), op.data_format)


def to_filter(op: Any, x: Dims, sizes: Dims, dy: Dims, where: str = "Conv2DBackpropFilter") -> Dims:
    """Shape of dw: `sizes`, with the channels that dy settles.

    Raises:
      ShapeError: no convolution of x with a filter of these sizes makes dy.
    """
    _sizes(sizes, where, "filter_sizes")
    R, S, c, K = sizes
    N, H, W, C = channels_last(_image(x, where, "input", op.data_format), op.data_format)
    n, P, Q, k = channels_last(_image(dy, where, "out_backprop", op.data_format), op.data_format)
    given = f"{where}: filter_sizes {text(sizes)}, input {text(x)} and out_backprop {text(dy)} do not fit"
    if N is not None and n is not None and n != N:
        raise ShapeError(f"{given}: input has batch {N}, but out_backprop {n}")
    if k is not None and K is not None and k != K:
        raise ShapeError(f"{given}: out_backprop has {k} channels, so the last of filter_sizes must be {k}, not {K}")
    check_groups(C, c, k if K is None else K, given)
    axes = zip("HW", (H, W), (P, Q), (R, S), op.strides, op.dilations, window.per_axis(op.padding), strict=True)
    for letter, size, out, kernel, s, d, pad in axes:
        makes = window.positions(size, kernel, s, d, pad, where, letter)
        if makes is not None and out is not None and makes != out:
            raise ShapeError(
                f"{given}: a window of {kernel} over {letter} = {size} makes {makes}, but out_backprop has {out}"
            )
    return (R, S, c, k if K is None else K)


def check_groups(C: int | None, c: int | None, K: int | None, given: str) -> None:
    """Checks that the filter's input channels divide the image's, and the groups so made the output channels."""
    if C is None or c is None or c == C:
        return
    if c == 0 or C % c or C == 0:
        raise ShapeError(f"{given}: the image has {C} channels, which must be the filter's {c} or a multiple of it")
    if K is not None and K % (C // c):
        raise ShapeError(
            f"{given}: {C} channels by {c} make {C // c} groups, which do not divide the {K} output channels"
        )


@functools.lru_cache(maxsize=4096)
def settled(op: Any, x: Dims, w: Dims, dy: Dims | None, kind: str) -> Geometry:
    """The window over an image x [N,H,W,C] or [N,C,H,W], once all shapes are found to fit. `kind`: the pass."""
    if kind == "forward":
        forward(op, x, w)
    elif kind == "to_input":
        to_input(op, x, w, dy or ())
    else:
        to_filter(op, x, w, dy or ())
    _, H, W, _ = channels_last(x, op.data_format)
    return window.geometry(H, W, w[0], w[1], op.strides, op.dilations, op.padding, type(op).__name__)


def _image(shape: Dims, where: str, name: str, data_format: str) -> Dims:
    if len(shape) != 4:
        letters = ",".join(data_format)
        raise ShapeError(
            f"{where}: {name} must have 4 dimensions [{letters}], but has shape {text(shape)}; add them by tf.reshape"
        )
    return shape


def _filter(shape: Dims, where: str, name: str) -> Dims:
    if len(shape) != 4:
        raise ShapeError(f"{where}: {name} must have 4 dimensions [height,width,in,out], but has shape {text(shape)}")
    return shape


def _sizes(sizes: Dims, where: str, name: str) -> None:
    if len(sizes) != 4:
        raise ShapeError(f"{where}: {name} must be 4 numbers, but {text(sizes)} has {len(sizes)}")
    if any(n is not None and n < 0 for n in sizes):
        raise ShapeError(f"{where}: {name} {text(sizes)} has a negative size; for an unknown batch use tf.shape(x)[0]")
