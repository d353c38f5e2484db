"""Which shapes fit each other in the three passes of a convolution, and what they make.

Shapes are the user's, in data_format's order; dimensions may be None. The same functions serve `infer`, where they may
be unknown, and the kernels, where all are known. A filter is [*window, c, K]; a depthwise one is [*window, C, M], and
makes C M channels.
"""

from __future__ import annotations

import functools
from typing import Any

from pullback.core.errors import ShapeError
from pullback.core.shape import text
from pullback.ops.nn.conv import window
from pullback.ops.nn.conv.window import Geometry

Dims = tuple[Any, ...]


def channels_last(shape: Dims, data_format: str) -> Dims:
    """(N, H, W, C) of a shape in data_format's order."""
    return shape if data_format.endswith("C") else (shape[0], *shape[2:], shape[1])


def in_format(shape: Dims, data_format: str) -> Dims:
    """A shape in data_format's order, of (N, H, W, C)."""
    return shape if data_format.endswith("C") else (shape[0], shape[-1], *shape[1:-1])


def forward(op: Any, x: Dims, w: Dims) -> Dims:
    """Shape of y.

    Raises:
      ShapeError: ranks, channels or sizes do not fit.
    """
    where = op.type
    N, *sizes, C = channels_last(_image(op, x, where, "input"), op.data_format)
    *kernel, c, K = _filter(op, w, where, "filter")
    K = channels_made(op, C, c, K, f"{where}: input {text(x)} and filter {text(w)}")
    pads = window.per_axis(op.padding, op.rank)
    axes = zip(sizes, kernel, op.strides, op.dilations, pads, window.letters(op.data_format), strict=True)
    outs = [window.positions(n, k, s, d, pad, where, letter) for n, k, s, d, pad, letter in axes]
    return in_format((N, *outs, K), op.data_format)


def to_input(op: Any, sizes: Dims, w: Dims, dy: Dims, words: tuple[str, str, str] | None = None) -> Dims:
    """Shape of dx: `sizes`, with the batch that dy settles. `words`: who speaks, and how it calls sizes and dy.

    Raises:
      ShapeError: no convolution of an image of these sizes makes dy.
    """
    where, asked, from_ = words or (op.type, "input_sizes", "out_backprop")
    _sizes(op, sizes, where, asked)
    N, *inner, C = channels_last(sizes, op.data_format)
    n, *outs, k = channels_last(_image(op, dy, where, from_), op.data_format)
    *kernel, c, K = _filter(op, w, where, "filter")
    given = f"{where}: {asked} {text(sizes)} cannot come from {from_} {text(dy)}"
    if N is not None and n is not None and n != N:
        raise ShapeError(f"{given}: the batch must be {n}, but is {N}")
    makes = _product(c, K) if op.depthwise else K
    if k is not None and makes is not None and k != makes:
        which = "last dimensions, multiplied," if op.depthwise else "last dimension"
        raise ShapeError(
            f"{where}: {from_} {text(dy)} has {k} channels, but filter {text(w)} needs {makes}: "
            f"its {which} must equal the channels of {from_}"
        )
    channels_made(op, C, c, K, f"{given} with filter {text(w)}")
    window.check_restored(inner, outs, kernel, op, given)
    return in_format((n if N is None else N, *inner, C), op.data_format)


def to_filter(op: Any, x: Dims, sizes: Dims, dy: Dims) -> Dims:
    """Shape of dw: `sizes`, with the channels that dy settles.

    Raises:
      ShapeError: a filter of these sizes over x does not make dy.
    """
    where = op.type
    _sizes(op, sizes, where, "filter_sizes")
    *kernel, c, K = sizes
    N, *inner, C = channels_last(_image(op, x, where, "input"), op.data_format)
    n, *outs, k = channels_last(_image(op, dy, where, "out_backprop"), op.data_format)
    given = f"{where}: filter_sizes {text(sizes)}, input {text(x)} and out_backprop {text(dy)} do not fit"
    if N is not None and n is not None and n != N:
        raise ShapeError(f"{given}: input has batch {N}, but out_backprop {n}")
    if K is None and not op.depthwise:
        K = k
    makes = channels_made(op, C, c, K, given) if op.depthwise else K
    if k is not None and makes is not None and k != makes:
        which = "the last two of filter_sizes must multiply to" if op.depthwise else "the last of filter_sizes must be"
        raise ShapeError(f"{given}: out_backprop has {k} channels, so {which} {k}, not {makes}")
    channels_made(op, C, c, K, given)
    pads = window.per_axis(op.padding, op.rank)
    letters = window.letters(op.data_format)
    for letter, size, out, span, s, d, pad in zip(
        letters, inner, outs, kernel, op.strides, op.dilations, pads, strict=True
    ):
        made = window.positions(size, span, s, d, pad, where, letter)
        if made is not None and out is not None and made != out:
            raise ShapeError(
                f"{given}: a window of {span} over {letter} = {size} makes {made}, but out_backprop has {out}"
            )
    return (*kernel, c, K)


def channels_made(op: Any, C: int | None, c: int | None, K: int | None, given: str) -> int | None:
    """Channels of the output of a filter [...,c,K] over an image of C channels.

    Raises:
      ShapeError: depthwise, c is not C; otherwise c does not divide C, or the groups so made do not divide K.
    """
    if op.depthwise:
        if C is not None and c is not None and c != C:
            raise ShapeError(
                f"{given}: the image has {C} channels, so the filter's last but one dimension must be {C}, not {c}"
            )
        return _product(C if c is None else c, K)
    if C is None or c is None or c == C:
        return K
    if c == 0 or C % c or C == 0:
        raise ShapeError(f"{given}: the image has {C} channels, which must be the filter's {c} or a multiple of it")
    if K is not None and K % (C // c):
        raise ShapeError(
            f"{given}: {C} channels by {c} make {C // c} groups, which do not divide the {K} output channels"
        )
    return K


def _product(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a * b


@functools.lru_cache(maxsize=4096)
def settled(op: Any, x: Dims, w: Dims, dy: Dims | None, kind: str) -> Geometry:
    """The window over an image x, in data_format's order, once all shapes are found to fit. `kind`: the pass."""
    if kind == "forward":
        forward(op, x, w)
    elif kind == "to_input":
        to_input(op, x, w, dy or ())
    else:
        to_filter(op, x, w, dy or ())
    sizes = channels_last(x, op.data_format)[1:-1]
    letters = window.letters(op.data_format)
    return window.geometry(sizes, w[:-2], op.strides, op.dilations, op.padding, op.type, letters)


def _image(op: Any, shape: Dims, where: str, name: str) -> Dims:
    if len(shape) != op.rank + 2:
        letters = ",".join(op.data_format)
        raise ShapeError(
            f"{where}: {name} must have {op.rank + 2} dimensions [{letters}], but has shape {text(shape)}; "
            f"add them by tf.reshape"
        )
    return shape


def _filter(op: Any, shape: Dims, where: str, name: str) -> Dims:
    if len(shape) != op.rank + 2:
        letters = [window.AXES[a] for a in window.letters(op.data_format)]
        ends = ["in", "multiplier"] if op.depthwise else ["in", "out"]
        raise ShapeError(
            f"{where}: {name} must have {op.rank + 2} dimensions [{','.join(letters + ends)}], "
            f"but has shape {text(shape)}"
        )
    return shape


def _sizes(op: Any, sizes: Dims, where: str, name: str) -> None:
    if len(sizes) != op.rank + 2:
        raise ShapeError(f"{where}: {name} must be {op.rank + 2} numbers, but {text(sizes)} has {len(sizes)}")
    if any(n is not None and n < 0 for n in sizes):
        raise ShapeError(f"{where}: {name} {text(sizes)} has a negative size; for an unknown batch use tf.shape(x)[0]")
