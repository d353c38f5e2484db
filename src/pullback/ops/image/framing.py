"""Pictures turned, mirrored, cropped and padded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.basics import Shape_
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.joining import Pack
from pullback.ops.array.layout import ReverseV2, Transpose
from pullback.ops.array.padding import Pad
from pullback.ops.array.shape import ExpandDims, Squeeze
from pullback.ops.array.slicing import Slice
from pullback.ops.image.resize import resize, resize_v1
from pullback.ops.math import arithmetic as m
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Select
from pullback.ops.random.functions import random_uniform


def _pictures(image: Any, what: str) -> tuple[Tensor, bool]:
    """(pictures [N,H,W,C], whether one [H,W,C] was given). One of unknown rank counts as one picture.

    Raises:
      ShapeError: it has another number of axes.
    """
    x = interpreter.as_tensor(image)
    if x.spec.rank not in (None, 3, 4):
        raise ShapeError(f"{what}: pictures must be [H,W,C] or [N,H,W,C], but have shape {x.shape}").locate()
    return (x, False) if x.spec.rank == 4 else (ExpandDims()(x, 0), True)


def _given(x: Tensor, single: bool) -> Tensor:
    return Squeeze((0,))(x) if single else x


def _sides(x: Tensor) -> tuple[Any, Any]:
    """(height, width) of [N,H,W,C]: numbers where they are known, else tensors."""
    sizes = x.spec.shape or (None,) * 4
    return tuple(n if n is not None else Shape_()(x)[1 + i] for i, n in enumerate(sizes[1:3]))  # type: ignore[return-value]


def _plain(n: Any) -> Any:
    """A size as a number where it is known."""
    return int(n) if isinstance(n, (int, np.integer, EagerTensor)) else n


def _at_least(value: Any, least: int, message: str) -> None:
    if isinstance(value, int) and value < least:
        raise ArgumentError(message).locate()


def _larger(a: Any, b: Any) -> Any:
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else m.Maximum()(a, b)


def _smaller(a: Any, b: Any) -> Any:
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else m.Minimum()(a, b)


@public("image.flip_left_right")
def flip_left_right(image: Any) -> Tensor:
    """Pictures [H,W,C] or [N,H,W,C], mirrored: left is right."""
    return _reversed(image, -2, "flip_left_right")


@public("image.flip_up_down")
def flip_up_down(image: Any) -> Tensor:
    """Pictures [H,W,C] or [N,H,W,C], mirrored: up is down."""
    return _reversed(image, -3, "flip_up_down")


def _reversed(image: Any, axis: int, what: str) -> Tensor:
    with scope(None, what, image):
        x, single = _pictures(image, what)
        return _given(ReverseV2()(x, (4 + axis,)), single)


def flipped_by_draws(image: Any, axis: int, what: str, drawn: Callable[[Any], Tensor]) -> Tensor:
    """Pictures turned along an axis where `drawn(shape)`, numbers in [0, 1), says so: one is turned below 0.5, several
    are from 0.5 on, as TensorFlow has it."""
    with scope(None, what, image):
        x, single = _pictures(image, what)
        if single:
            turns = m.Less()(drawn([]), 0.5)
        else:
            count = x.spec.shape[0] if x.spec.shape and x.spec.shape[0] is not None else Shape_()(x)[0]
            turns = m.GreaterEqual()(m.Round()(drawn([count])), 1.0)[:, None, None, None]
        return _given(Select()(turns, ReverseV2()(x, (4 + axis,)), x), single)


@public("image.random_flip_left_right")
def random_flip_left_right(image: Any, seed: Any = None) -> Tensor:
    """Each picture mirrored left to right, or not, equally likely."""
    return flipped_by_draws(image, -2, "random_flip_left_right", lambda shape: random_uniform(shape, 0, 1.0, seed=seed))


@public("image.random_flip_up_down")
def random_flip_up_down(image: Any, seed: Any = None) -> Tensor:
    """Each picture turned upside down as in a mirror, or not, equally likely."""
    return flipped_by_draws(image, -3, "random_flip_up_down", lambda shape: random_uniform(shape, 0, 1.0, seed=seed))


@public("image.rot90")
def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Pictures turned counter-clockwise by k quarter turns.

    Raises:
      ArgumentError: k is a symbolic tensor, on which the shape would hang.
    """
    if isinstance(k, Tensor) and not isinstance(k, EagerTensor):
        raise ArgumentError("rot90: k must be known while the graph is built, since the shape hangs on it").locate()
    with scope(name, "rot90", image):
        x, single = _pictures(image, "rot90")
        turns = int(k) % 4
        if turns == 1:
            x = ReverseV2()(Transpose()(x, (0, 2, 1, 3)), (1,))
        elif turns == 2:
            x = ReverseV2()(x, (1, 2))
        elif turns == 3:
            x = Transpose()(ReverseV2()(x, (1,)), (0, 2, 1, 3))
        return _given(x, single)


@public("image.transpose", v1=("image.transpose", "image.transpose_image"))
def transpose(image: Any, name: str | None = None) -> Tensor:
    """Pictures with rows and columns exchanged."""
    with scope(name, "transpose", image):
        x, single = _pictures(image, "transpose")
        return _given(Transpose()(x, (0, 2, 1, 3)), single)


@public("image.central_crop")
def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """The middle of pictures: `central_fraction` of each side.

    Raises:
      ValueError: central_fraction is not in (0, 1].
    """
    fraction = float(central_fraction)
    if not 0 < fraction <= 1:
        raise ValueError(f"central_fraction must be within (0, 1], but is {fraction}")
    if fraction == 1:
        return interpreter.as_tensor(image)
    with scope(None, "central_crop", image):
        x, single = _pictures(image, "central_crop")
        height, width = _sides(x)
        top, left = _margin(height, fraction), _margin(width, fraction)
        return _given(_cut(x, top, left, height - top * 2, width - left * 2), single)


def _margin(size: Any, fraction: float) -> Any:
    if isinstance(size, int):
        return int((size - size * fraction) / 2)
    wide = Cast(dtypes.float64)(size)
    return Cast(dtypes.int32)((wide - wide * fraction) / 2.0)


def _cut(x: Tensor, top: Any, left: Any, height: Any, width: Any) -> Tensor:
    begin, size = (0, top, left, 0), (-1, height, width, -1)
    if all(isinstance(n, int) for n in (*begin, *size)):
        return Slice()(x, begin, size)
    return Slice()(x, Pack(0)(*begin), Pack(0)(*size))


@public("image.crop_to_bounding_box")
def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """The box of pictures whose upper left corner is at the offsets, of the target size, all in pixels.

    Raises:
      ValueError: the box is empty or leaves the picture.
    """
    with scope(None, "crop_to_bounding_box", image):
        x, single = _pictures(image, "crop_to_bounding_box")
        top, left, height, width = map(_plain, (offset_height, offset_width, target_height, target_width))
        have = _sides(x)
        _at_least(left, 0, "offset_width must be >= 0.")
        _at_least(top, 0, "offset_height must be >= 0.")
        _at_least(width, 1, "target_width must be > 0.")
        _at_least(height, 1, "target_height must be > 0.")
        for size, part, offset, side in zip(have, (height, width), (top, left), ("height", "width"), strict=True):
            if all(isinstance(n, int) for n in (size, part, offset)) and size < part + offset:
                raise ArgumentError(f"{side} must be >= target + offset: {size} < {part} + {offset}").locate()
        return _given(_cut(x, top, left, height, width), single)


@public("image.pad_to_bounding_box")
def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Pictures inside larger ones of zeros, their upper left corner at the offsets, all in pixels.

    Raises:
      ValueError: the picture would leave the target.
    """
    with scope(None, "pad_to_bounding_box", image):
        x, single = _pictures(image, "pad_to_bounding_box")
        top, left, height, width = map(_plain, (offset_height, offset_width, target_height, target_width))
        have = _sides(x)
        after_height, after_width = height - top - have[0], width - left - have[1]
        _at_least(top, 0, "offset_height must be >= 0")
        _at_least(left, 0, "offset_width must be >= 0")
        _at_least(after_width, 0, "width must be <= target - offset")
        _at_least(after_height, 0, "height must be <= target - offset")
        rows = ((0, 0), (top, after_height), (left, after_width), (0, 0))
        if all(isinstance(n, int) for row in rows for n in row):
            return _given(Pad()(x, rows), single)
        return _given(Pad()(x, Pack(0)(*[Pack(0)(*row) for row in rows])), single)


@public("image.resize_with_crop_or_pad", v1=("image.resize_with_crop_or_pad", "image.resize_image_with_crop_or_pad"))
def resize_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """The middle of pictures, cut or surrounded by zeros so that the size is the target's.

    Raises:
      ValueError: a target is not positive.
    """
    with scope(None, "resize_image_with_crop_or_pad", image):
        x, single = _pictures(image, "resize_with_crop_or_pad")
        height, width = _plain(target_height), _plain(target_width)
        _at_least(width, 1, "target_width must be > 0.")
        _at_least(height, 1, "target_height must be > 0.")
        have = _sides(x)
        (cut_top, pad_top), (cut_left, pad_left) = (
            _centred(n, to) for n, to in zip(have, (height, width), strict=True)
        )
        cut = _cut(x, cut_top, cut_left, _smaller(height, have[0]), _smaller(width, have[1]))
        made = pad_to_bounding_box(cut, pad_top, pad_left, height, width)
        known = tuple(n if isinstance(n, int) else None for n in (height, width))
        if not isinstance(made, EagerTensor) and made.spec.shape is not None:
            made.set_shape((made.spec.shape[0], *known, made.spec.shape[3]))
        return _given(made, single)


def _centred(have: Any, to: Any) -> tuple[Any, Any]:
    """(what is cut away before, what is added before) of one side."""
    off = to - have
    return _larger(m.FloorDiv()(-off, 2) if isinstance(off, Tensor) else -off // 2, 0), _larger(
        m.FloorDiv()(off, 2) if isinstance(off, Tensor) else off // 2, 0
    )


def _with_pad(image: Any, target_height: Any, target_width: Any, resized: Any, what: str) -> Tensor:
    with scope(None, what, image):
        x, single = _pictures(image, what)
        to = (int(target_height), int(target_width))
        _at_least(min(to), 1, f"{what}: targets must be > 0.")
        inner, (top, left) = _fitting(_sides(x), to)
        return _given(pad_to_bounding_box(resized(x, inner), top, left, *to), single)


def _fitting(have: Any, to: tuple[int, int]) -> tuple[list[Any], list[Any]]:
    """(the sizes, what is added before) of pictures that fit into `to` and keep their ratio; reckoned in float32."""
    by: tuple[Any, ...] = (np.float32, int, np.floor, max)
    if not all(isinstance(n, int) for n in have):
        by = (Cast(dtypes.float32), Cast(dtypes.int32), m.Floor(), m.Maximum())
    real, whole, floor, most = by
    sides: list[Any] = [real(n) for n in have]
    ratio: Any = most(*(n / np.float32(t) for n, t in zip(sides, to, strict=True)))
    exact = [n / ratio for n in sides]
    borders = (floor((t - n) / 2) for n, t in zip(exact, to, strict=True))
    return [whole(floor(n)) for n in exact], [most(0, whole(b)) for b in borders]


@public("image.resize_with_pad", v1=None)
def resize_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = "bilinear", antialias: bool = False
) -> Tensor:
    """Pictures resized to fit into the target, keeping their ratio, with zeros around.

    Raises:
      ValueError: a target is not positive.
    """

    def resized(x: Tensor, size: Any) -> Tensor:
        return resize(x, size, method, antialias=antialias)

    return _with_pad(image, target_height, target_width, resized, "resize_with_pad")


@public(v1="image.resize_image_with_pad")
def resize_image_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = 0, align_corners: bool = False
) -> Tensor:
    """As `resize_with_pad`, by TensorFlow 1's rules of resizing."""

    def resized(x: Tensor, size: Any) -> Tensor:
        return resize_v1(x, size, method, align_corners)

    return _with_pad(image, target_height, target_width, resized, "resize_image_with_pad")
