"""Convolutions under the glass: conv2d, its transpose and its two gradients, of planes or with channels.

    tf.explain.conv2d(x, w)                    two planes [H,W] and [R,S]: every cell, every derivative
    tf.explain.conv2d(images, kernel, "SAME", bias=b, activation="relu")
                                               [N,H,W,C] and [R,S,C,K]: every term of the sum over channels

Planes give a `ConvolutionGlass` (see `planes`), channels a `ChannelGlass` (see `channels`). Both have `page()` and
`save(path)`, show in a notebook, and print their sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core.errors import ShapeError
from pullback.explain.channels import ChannelGlass, under_channels
from pullback.explain.planes import ConvolutionGlass, Setting, numbers, under
from pullback.ops.nn.conv import window

Glass = ConvolutionGlass | ChannelGlass


def conv2d(
    x: Any,
    w: Any,
    strides: Any = 1,
    padding: Any = "VALID",
    dilations: Any = 1,
    *,
    bias: Any = None,
    activation: str | None = None,
) -> Glass:
    """`tf.nn.conv2d` under the glass.

    Args:
      x: a picture [H,W], or images [N,H,W,C] or [H,W,C]. w: a kernel [R,S], or [R,S,C,K]. Both anything that converts
        to floats, channels last.
      strides, padding, dilations: as in `tf.nn.conv2d`.
      bias: numbers [K] that are added. activation: "relu", "sigmoid" or "tanh" after that.
    Returns:
      Of planes the tables with `seen` and `moving`, of channels the planes of each term.
    Raises:
      ShapeError: ranks other than these, or sizes that do not fit each other or a page.
      ArgumentError: strides, padding, dilations or activation mean nothing; a number is not finite.
    """
    return _glass("conv2d", {"x": x, "w": w}, None, (strides, padding, dilations), bias, activation)


def conv2d_transpose(
    x: Any,
    w: Any,
    output_shape: Any,
    strides: Any = 1,
    padding: Any = "SAME",
    dilations: Any = 1,
    *,
    bias: Any = None,
    activation: str | None = None,
) -> Glass:
    """`tf.nn.conv2d_transpose` under the glass, summed over its input channels.

    Args:
      x: [P,Q], [N,P,Q,C] or [P,Q,C]. w: [R,S] or [R,S,K,C]. output_shape: (H, W), or (N, H, W, K).
      The others as in `conv2d`.
    """
    return _glass("conv2d_transpose", {"x": x, "w": w}, output_shape, (strides, padding, dilations), bias, activation)


def conv2d_backprop_input(
    input_sizes: Any, w: Any, dy: Any, strides: Any = 1, padding: Any = "VALID", dilations: Any = 1
) -> Glass:
    """`tf.compat.v1.nn.conv2d_backprop_input` under the glass, summed over the output channels.

    Args:
      input_sizes: (H, W), or (N, H, W, C). w: [R,S] or [R,S,C,K]. dy: [P,Q], [N,P,Q,K] or [P,Q,K].
      The others as in `conv2d`.
    """
    return _glass("conv2d_backprop_input", {"dy": dy, "w": w}, input_sizes, (strides, padding, dilations))


def conv2d_backprop_filter(
    x: Any, filter_sizes: Any, dy: Any, strides: Any = 1, padding: Any = "VALID", dilations: Any = 1
) -> Glass:
    """`tf.compat.v1.nn.conv2d_backprop_filter` under the glass, summed over the images.

    Args:
      x: [H,W], [N,H,W,C] or [H,W,C]. filter_sizes: (R, S), or (R, S, C, K). dy: [P,Q], [N,P,Q,K] or [P,Q,K].
      The others as in `conv2d`.
    """
    return _glass("conv2d_backprop_filter", {"x": x, "dy": dy}, filter_sizes, (strides, padding, dilations))


def _glass(
    op: str, arrays: dict[str, Any], sizes: Any, steps: Any, bias: Any = None, activation: str | None = None
) -> Glass:
    """arrays: the op's two, by the names that the caller knows. sizes: of what it makes, where the caller says it.
    steps: (strides, padding, dilations)."""
    where, names = f"explain.{op}", tuple(arrays)
    first, second = (numbers(where, name, value) for name, value in arrays.items())
    flat = first.ndim == second.ndim == 2
    if flat and (bias is not None or activation is not None):  # one plane is one channel
        first, second = first[None, :, :, None], second[:, :, None, None]
        flat = False
    if not flat:
        first, second = _with_channels(where, names, first, second)
    picture, kernel = _sizes(op, names, first, second, sizes)
    strides, padding, dilations = steps
    setting = Setting(
        op,
        picture,
        kernel,
        window.numbers(strides, "strides", where),  # type: ignore[arg-type]
        window.padding_of(padding, where),
        window.numbers(dilations, "dilations", where),  # type: ignore[arg-type]
    )
    if flat:
        return under(setting, first, second, names)  # type: ignore[arg-type]
    return under_channels(setting, first, second, bias, activation)


def _with_channels(
    where: str, names: tuple[str, ...], first: NDArray[Any], second: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both with four dimensions: one image as a batch of one."""
    whole = first[None] if first.ndim == 3 else first, second[None] if second.ndim == 3 and names[1] == "dy" else second
    if any(array.ndim != 4 for array in whole):
        a, b = names
        kernel = "images" if b == "dy" else "a kernel [R,S,C,K]"
        raise ShapeError(
            f"{where}: {a} has shape {list(first.shape)}, {b} has shape {list(second.shape)}; give images [N,H,W,C] or "
            f"[H,W,C] and {kernel}, or two planes, as {a}[0, :, :, 0] and "
            f"{b}[{'0, :, :, 0' if b == 'dy' else ':, :, 0, 0'}]"
        ).locate()
    return whole


def _sizes(
    op: str, names: tuple[str, ...], first: NDArray[Any], second: NDArray[Any], sizes: Any
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(picture, kernel), (rows, columns) each."""
    flat = first.ndim == 2
    picture: Any = first.shape if flat else first.shape[1:3]
    kernel: Any = second.shape[:2]
    if op == "conv2d":
        return picture, kernel
    if op == "conv2d_backprop_filter":
        channels = (1, 1) if flat else (first.shape[3], second.shape[3])
        return picture, _pair(f"explain.{op}", "filter_sizes", sizes, channels, names)
    what = "output_shape" if op == "conv2d_transpose" else "input_sizes"
    outer = (1, 1) if flat else (first.shape[0], second.shape[2])
    return _pair(f"explain.{op}", what, sizes, outer, names), kernel


def _pair(where: str, what: str, sizes: Any, outer: tuple[int, int], names: tuple[str, ...]) -> tuple[int, int]:
    """Rows and columns. outer: what batch and channels, or the two channels, must be where four numbers are given."""
    found = tuple(int(n) for n in np.ravel(np.asarray(sizes)))
    if len(found) == 4:
        pair, others = (found[:2], found[2:]) if what == "filter_sizes" else (found[1:3], found[::3])
        if others != outer:
            raise ShapeError(
                f"{where}: {what} {list(found)} does not go with {names[0]} and {names[1]}: they are of {outer[0]} and "
                f"{outer[1]} where it says {others[0]} and {others[1]}; give (rows, columns) alone, or mend these two"
            ).locate()
        found = pair
    if len(found) != 2 or min(found) < 1:
        raise ShapeError(f"{where}: {what} must be (rows, columns), both positive, not {sizes!r}").locate()
    return found[0], found[1]
