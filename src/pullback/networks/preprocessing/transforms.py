"""keras.preprocessing.image: one picture turned, shifted, sheared, zoomed, or in another light; arrays in and out.

A map of places is  centre . turn . shift . shear . zoom . centre^-1, from the result to the picture. Its entries are
in (column, row) order where rows lie before columns, as Keras 3 has them; so, of pictures whose sides differ, the
centre is the picture's with its sides exchanged, and "tx" moves columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.networks.preprocessing.affine import sampled
from pullback.networks.preprocessing.pictures import array_to_img, img_to_array


@public("keras.preprocessing.image.apply_affine_transform")
def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> Any:
    """A picture turned, shifted, sheared and zoomed about its centre; what reaches beyond it is filled.

    Args:
      x: an array of three axes, channels first or last.
      theta, shear: in degrees. tx, ty: in pixels. zx, zy: how many pixels of x one of the result goes over.
      fill_mode: "nearest", "reflect", "wrap" or "constant", there cval.
      order: of the spline between pixels, 0 to 5: 0 the nearest pixel, 1 in proportion.
    Returns:
      An array like x; x itself where nothing is asked for.
    Raises:
      ValueError: x has another number of axes, or axes, fill_mode or order are not these.
    """
    if len({row_axis, col_axis, channel_axis}) != 3:
        raise ArgumentError("'row_axis', 'col_axis', and 'channel_axis' must be distinct").locate()
    wrong = {row_axis, col_axis, channel_axis} - {0, 1, 2}
    if wrong:
        raise ArgumentError(f"Invalid axis' indices: {wrong}; give 0, 1 and 2").locate()
    if x.ndim != 3:
        raise ArgumentError(f"Input arrays must be multi-channel 2D images, but have shape {x.shape}.").locate()
    if channel_axis == 1:
        raise ArgumentError("Channels are allowed and the first and last dimensions, not the second.").locate()
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return x
    matrix = _matrix(theta, tx, ty, shear, zx, zy, x.shape[row_axis], x.shape[col_axis])
    if col_axis > row_axis:
        matrix = matrix[[1, 0, 2]][:, [1, 0, 2]]
    images = np.moveaxis(x, channel_axis, -1)
    return np.moveaxis(sampled(images, matrix[:2, :2], matrix[:2, 2], order, fill_mode, cval), -1, channel_axis)


def _matrix(theta: float, tx: float, ty: float, shear: float, zx: float, zy: float, height: int, width: int) -> Any:
    """The map of places [3,3]."""
    t, s = np.deg2rad(theta), np.deg2rad(shear)
    turn = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    shift = np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    slant = np.array([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]])
    zoom = np.diag([zx, zy, 1.0])
    middle = np.array([[1, 0, height / 2 - 0.5], [0, 1, width / 2 - 0.5], [0, 0, 1]])
    back = np.array([[1, 0, 0.5 - height / 2], [0, 1, 0.5 - width / 2], [0, 0, 1]])
    return middle @ (turn @ shift @ slant @ zoom) @ back


@public("keras.preprocessing.image.random_rotation")
def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """A picture turned by an angle drawn between -rg and rg, in degrees; the rest as `apply_affine_transform`."""
    axes = (row_axis, col_axis, channel_axis)
    theta = np.random.uniform(-rg, rg)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


@public("keras.preprocessing.image.random_shift")
def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """A picture shifted; wrg, hrg: by how much at most, as shares of width and height. The rest as
    `apply_affine_transform`, whose ty is drawn from wrg and whose tx from hrg."""
    axes = (row_axis, col_axis, channel_axis)
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


@public("keras.preprocessing.image.random_shear")
def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """A picture sheared by an angle drawn between -intensity and intensity, in degrees; the rest as
    `apply_affine_transform`."""
    axes = (row_axis, col_axis, channel_axis)
    shear = np.random.uniform(-intensity, intensity)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order)


@public("keras.preprocessing.image.random_zoom")
def random_zoom(
    x: Any,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """A picture zoomed by two numbers drawn from zoom_range (low, high); the rest as `apply_affine_transform`.

    Raises:
      ValueError: zoom_range is no pair.
    """
    axes = (row_axis, col_axis, channel_axis)
    zx, zy = zoom_drawn(pair_of(zoom_range, "zoom_range"))
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order)


def zoom_drawn(low_high: Any) -> Any:
    """(zx, zy); (1, 1) draws nothing."""
    return (1, 1) if low_high[0] == low_high[1] == 1 else np.random.uniform(low_high[0], low_high[1], 2)


def pair_of(given: Any, name: str) -> Any:
    """
    Raises:
      ValueError: it is no pair.
    """
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ArgumentError(f"`{name}` should be a tuple or list of two floats. Received: {given}").locate()
    return given


@public("keras.preprocessing.image.apply_channel_shift")
def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> Any:
    """x + intensity, kept between the smallest and largest value of all of x, whichever axis holds the channels."""
    return np.clip(x + intensity, np.min(x), np.max(x))


@public("keras.preprocessing.image.random_channel_shift")
def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> Any:
    """`apply_channel_shift` by a number drawn between -intensity_range and intensity_range."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


@public("keras.preprocessing.image.apply_brightness_shift")
def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> Any:
    """A picture [H,W,C] in another light, in whole numbers of 0 to 255: 0 is black, 1 leaves it.

    Args:
      scale: x's values are first brought to 0 to 255, as `array_to_img` does it; otherwise only where they lie
        outside, and are brought back.
    """
    from PIL import ImageEnhance

    low, high = np.min(x), np.max(x)
    outside = bool(low < 0 or high > 255)
    lit = img_to_array(ImageEnhance.Brightness(array_to_img(x, scale=outside or scale)).enhance(brightness))
    return lit / 255 * (high - low) + low if outside and not scale else lit


@public("keras.preprocessing.image.random_brightness")
def random_brightness(x: Any, brightness_range: Any, scale: bool = True) -> Any:
    """`apply_brightness_shift` by a number drawn from brightness_range (low, high).

    Raises:
      ValueError: brightness_range is no pair.
    """
    low, high = pair_of(brightness_range, "brightness_range")
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)
