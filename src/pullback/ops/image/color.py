"""Brightness, contrast, hue and saturation; colour spaces; number types of pictures.

Floats are in [0, 1], integers in [0, largest]. What adjusts works in floats and goes back to the type it was given.

Source of the matrices: ITU-R BT.601 luma (0.299, 0.587, 0.114); the hexagonal model of hue, Smith 1978.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import shape_of
from pullback.core.dtypes import DType, as_dtype, float16, float32
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.conversion import saturate_cast
from pullback.ops.array.joining import ConcatV2, Pack
from pullback.ops.linalg.einsum import Einsum
from pullback.ops.math import arithmetic as m
from pullback.ops.math.functions import pow_
from pullback.ops.math.reduce import Max, Mean, Min, Sum
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast, Identity, Select
from pullback.ops.random.functions import random_uniform


@public("image.convert_image_dtype")
def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """The picture in another type: [0, 1] of floats and [0, largest] of integers correspond.

    saturate: whether what does not fit becomes the nearest number that does, before the type changes.
    """
    x, to = interpreter.as_tensor(image), as_dtype(dtype)
    have = x.dtype
    if to is have:
        return Identity()(x, name=name)
    turned = saturate_cast if saturate else lambda value, t: Cast(t)(value)
    with scope(name, "convert_image", x):
        if have.is_integer and to.is_integer:
            if have.max > to.max:
                return turned(m.FloorDiv()(x, (have.max + 1) // (to.max + 1)), to)
            return turned(x, to) * ((to.max + 1) // (have.max + 1))
        if have.is_floating and to.is_floating:
            return Cast(to)(x)
        if have.is_integer:
            return Cast(to)(x) * (1.0 / have.max)
        return turned(x * (to.max + 0.5), to)


def _in_floats(image: Any) -> tuple[Tensor, DType]:
    """(the picture in floats, the type to go back to)."""
    x = interpreter.as_tensor(image)
    return (x if x.dtype in (float16, float32) else convert_image_dtype(x, float32)), x.dtype


def _colours(x: Tensor, what: str) -> Tensor:
    """Raises ShapeError unless the last axis has three entries."""
    known = x.spec.shape
    if known is not None and (not known or known[-1] not in (None, 3)):
        raise ShapeError(f"{what}: pictures must be [..,3], but have shape {x.shape}").locate()
    return x


@public("image.adjust_brightness")
def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """`delta` added to every pixel, as a part of the range, so usually in (-1, 1)."""
    with scope(None, "adjust_brightness", image, delta):
        x, back = _in_floats(image)
        shift = interpreter.as_tensor(delta)
        shift = shift if shift.dtype is x.dtype else Cast(x.dtype)(shift)
        return convert_image_dtype(x + shift, back, saturate=True)


@public("image.adjust_contrast")
def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Every channel's distance from its mean, times a factor. images [..,H,W,C]"""
    with scope(None, "adjust_contrast", images, contrast_factor):
        x, back = _in_floats(images)
        wide = x if x.dtype is float32 else Cast(float32)(x)
        mean = Mean(True)(wide, (-3, -2))
        factor = interpreter.as_tensor(contrast_factor, None if isinstance(contrast_factor, Tensor) else float32)
        changed = (wide - mean) * (factor if factor.dtype is float32 else Cast(float32)(factor)) + mean
        return convert_image_dtype(changed if x.dtype is float32 else Cast(x.dtype)(changed), back, saturate=True)


@public("image.adjust_gamma")
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """gain * x^gamma, of x in [0, 1].

    Raises:
      ValueError: gamma is negative.
    """
    if isinstance(gamma, (int, float)) and gamma < 0:
        raise ValueError("Gamma should be a non-negative real number.")
    with scope(None, "adjust_gamma", image, gamma, gain):
        x, back = _in_floats(image)
        power = gamma if isinstance(gamma, Tensor) else float(gamma)
        return convert_image_dtype(pow_(x, power) * (gain if isinstance(gain, Tensor) else float(gain)), back, True)


@public("image.rgb_to_hsv")
def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Hue, saturation and value of pictures [..,3], all in [0, 1]. Greys have hue 0.

    Gradient: at corners of the colour hexagon that of the first of red, green, blue that is largest.
    """
    with scope(name, "RGBToHSV", images):
        x = _colours(interpreter.as_tensor(images), "rgb_to_hsv")
        r, g, b = x[..., 0], x[..., 1], x[..., 2]
        value = Max()(x, (-1,))
        spread = value - Min()(x, (-1,))
        grey = m.LessEqual()(spread, 0.0)
        sixth = 1.0 / (6.0 * Select()(grey, 1.0, spread))
        blue = (r - g) * sixth + 4.0 / 6.0
        hue = Select()(m.Equal()(g, value), (b - r) * sixth + 2.0 / 6.0, blue)
        hue = Select()(m.Equal()(r, value), (g - b) * sixth, hue)
        hue = Select()(grey, 0.0, hue)
        hue = Select()(m.Less()(hue, 0.0), hue + 1.0, hue)
        dark = m.LessEqual()(value, 0.0)
        saturation = Select()(dark, 0.0, spread / Select()(dark, 1.0, value))
        return Pack(-1)(hue, saturation, value)


@public("image.hsv_to_rgb")
def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Red, green and blue of hue, saturation and value [..,3]."""
    with scope(name, "HSVToRGB", images):
        x = _colours(interpreter.as_tensor(images), "hsv_to_rgb")
        hue, saturation, value = x[..., 0] * 6.0, x[..., 1], x[..., 2]
        red = _within(m.Abs()(hue - 3.0) - 1.0)
        green = _within(2.0 - m.Abs()(hue - 2.0))
        blue = _within(2.0 - m.Abs()(hue - 4.0))
        return Pack(-1)(*[((1.0 - saturation) + saturation * part) * value for part in (red, green, blue)])


def _within(x: Tensor) -> Tensor:
    return m.Minimum()(m.Maximum()(x, 0.0), 1.0)


def _in_hsv(image: Any, what: str, change: Any) -> Tensor:
    """The picture with hue and saturation changed by `change(h, s)`."""
    x, back = _in_floats(image)
    hsv = rgb_to_hsv(_colours(x, what))
    hue, saturation = change(hsv[..., 0], hsv[..., 1])
    return convert_image_dtype(hsv_to_rgb(Pack(-1)(hue, saturation, hsv[..., 2])), back, saturate=True)


@public("image.adjust_hue")
def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """Colours turned around the wheel by delta, in [-1, 1]: 0.5 gives the opposite ones.

    Raises:
      InvalidArgumentError: delta is a number outside.
    """
    if isinstance(delta, (int, float)) and not -1 <= delta <= 1:
        raise ArgumentError(f"adjust_hue: delta must be in [-1, 1], but is {delta}").locate()
    with scope(name, "adjust_hue", image, delta):
        shift = interpreter.as_tensor(delta, None if isinstance(delta, Tensor) else float32)

        def change(h: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
            turned = h + (shift if shift.dtype is h.dtype else Cast(h.dtype)(shift))
            return m.FloorMod()(turned, 1.0), s

        return _in_hsv(image, "adjust_hue", change)


@public("image.adjust_saturation")
def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """Saturation times a factor, kept in [0, 1]."""
    with scope(name, "adjust_saturation", image, saturation_factor):
        given = saturation_factor
        factor = interpreter.as_tensor(given, None if isinstance(given, Tensor) else float32)

        def change(h: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
            return h, _within(s * (factor if factor.dtype is s.dtype else Cast(s.dtype)(factor)))

        return _in_hsv(image, "adjust_saturation", change)


@public("image.rgb_to_grayscale")
def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """0.2989 R + 0.587 G + 0.114 B. images [..,3] -> [..,1]"""
    with scope(name, "rgb_to_grayscale", images):
        x = _colours(interpreter.as_tensor(images), "rgb_to_grayscale")
        floats = x if x.dtype is float32 else convert_image_dtype(x, float32)
        weights = np.array([0.2989, 0.5870, 0.1140], np.float32)
        return convert_image_dtype(Sum(True)(floats * weights, (-1,)), x.dtype)


@public("image.grayscale_to_rgb")
def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """The same grey in three channels. images [..,1] -> [..,3]

    Raises:
      ShapeError: the last axis has another size than 1.
    """
    with scope(name, "grayscale_to_rgb", images):
        x = interpreter.as_tensor(images)
        if x.spec.shape is not None and (not x.spec.shape or x.spec.shape[-1] not in (None, 1)):
            raise ShapeError(f"grayscale_to_rgb: pictures must be [..,1], but have shape {x.shape}").locate()
        return ConcatV2()(x, x, x, -1)


def _mixed(name: str, matrix: Any, doc: str) -> Any:
    """A change of colour space by a matrix [from, to]."""

    def convert(images: Any) -> Tensor:
        x = _colours(interpreter.as_tensor(images), name)
        rank = x.spec.rank or 3
        letters = "abcdefgh"[: rank - 1]
        return Einsum(f"{letters}x,xy->{letters}y")(x, np.asarray(matrix, x.dtype.numpy))

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = doc
    return public(f"image.{name}")(convert)


_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]
_FROM_YUV = [[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]]
_YIQ = [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]
_FROM_YIQ = [[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
rgb_to_yuv = _mixed("rgb_to_yuv", _YUV, "Luma and two colour differences of red, green and blue. [..,3] -> [..,3]")
yuv_to_rgb = _mixed("yuv_to_rgb", _FROM_YUV, "Red, green and blue of luma and two colour differences. [..,3] -> [..,3]")
rgb_to_yiq = _mixed("rgb_to_yiq", _YIQ, "Luma, in-phase and quadrature of red, green and blue. [..,3] -> [..,3]")
yiq_to_rgb = _mixed("yiq_to_rgb", _FROM_YIQ, "Red, green and blue of luma, in-phase and quadrature. [..,3] -> [..,3]")


@public("image.per_image_standardization")
def per_image_standardization(image: Any) -> Tensor:
    """(x - mean) / max(deviation, 1 / sqrt(pixels * channels)), of each picture [..,H,W,C]; gives floats."""
    with scope(None, "per_image_standardization", image):
        x = interpreter.as_tensor(image)
        x = x if x.dtype in (float16, float32) else Cast(float32)(x)
        mean = Mean(True)(x, (-3, -2, -1))
        off = x - mean
        deviation = m.Sqrt()(Mean(True)(m.Square()(off), (-3, -2, -1)))
        sizes = shape_of(x)
        if isinstance(sizes, tuple):
            count: Any = float(np.prod(sizes[-3:]))
            least: Any = 1.0 / np.sqrt(count) if count else 0.0
        else:
            from pullback.ops.math.reduce import Prod

            least = m.Rsqrt()(Cast(x.dtype)(Prod()(sizes[-3:], (0,))))
        return off / m.Maximum()(deviation, least)


def _drawn(low: Any, high: Any, seed: Any) -> Tensor:
    return random_uniform([], low, high, seed=seed)


def _range(lower: float, upper: float) -> None:
    """Raises ValueError unless 0 <= lower < upper."""
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


@public("image.random_brightness")
def random_brightness(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """`adjust_brightness` by a number drawn from [-max_delta, max_delta).

    Raises:
      ValueError: max_delta is negative.
    """
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, _drawn(-max_delta, max_delta, seed))


@public("image.random_contrast")
def random_contrast(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`adjust_contrast` by a factor drawn from [lower, upper).

    Raises:
      ValueError: not 0 <= lower < upper.
    """
    _range(lower, upper)
    return adjust_contrast(image, _drawn(lower, upper, seed))


@public("image.random_hue")
def random_hue(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
    """`adjust_hue` by a number drawn from [-max_delta, max_delta).

    Raises:
      ValueError: max_delta is not in [0, 0.5].
    """
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, _drawn(-max_delta, max_delta, seed))


@public("image.random_saturation")
def random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`adjust_saturation` by a factor drawn from [lower, upper).

    Raises:
      ValueError: not 0 <= lower < upper.
    """
    _range(lower, upper)
    return adjust_saturation(image, _drawn(lower, upper, seed))
