"""Layers that bring images into shape: Rescaling, Resizing, CenterCrop.

Images are [N,H,W,C] or one [H,W,C] (channels_first: [N,C,H,W], [C,H,W]), numbers of any type; results are of the
layer's type, float32 by default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import phase
from pullback.layers.base import Layer
from pullback.layers.sizes import positive, sizes_of
from pullback.ops.array.layout import transpose
from pullback.ops.array.padding import pad
from pullback.ops.array.shape import expand_dims, squeeze
from pullback.ops.control.cond import cond
from pullback.ops.image.resize import resize
from pullback.ops.math import arithmetic as m
from pullback.ops.math.select import Cast

_METHODS = ("area", "bicubic", "bilinear", "gaussian", "lanczos3", "lanczos5", "mitchellcubic", "nearest")
_FILLS = ("constant", "nearest", "wrap", "reflect")


def method_of(interpolation: str, known: tuple[str, ...] = _METHODS) -> str:
    """
    Raises:
      ValueError: there is no such interpolation.
    """
    word = str(interpolation).lower()
    if word not in known:
        raise ArgumentError(f"interpolation must be one of {', '.join(known)}, not {interpolation!r}").locate()
    return word


def fill_of(fill_mode: str) -> str:
    """
    Raises:
      ValueError: there is no such way to fill.
    """
    if fill_mode not in _FILLS:
        raise ArgumentError(f"fill_mode must be one of {', '.join(_FILLS)}, not {fill_mode!r}").locate()
    return fill_mode


class OfImages(Layer):
    """Base: `on_images(kind of work, inputs)` calls it on floats [N,H,W,C], and turns the result back."""

    data_format = "channels_last"

    def on_images(self, work: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        """
        Raises:
          ShapeError: the inputs have neither three nor four axes.
        """
        rank = inputs.spec.rank
        if rank not in (3, 4):
            raise ShapeError(
                f"{type(self).__name__}: images must be [height,width,channels] or a batch of them, but have shape "
                f"{inputs.shape}"
            ).locate()
        x = self.as_float(inputs)
        x = expand_dims(x, 0) if rank == 3 else x
        first = self.data_format == "channels_first"
        y = work(transpose(x, [0, 2, 3, 1]) if first else x)
        y = transpose(y, [0, 3, 1, 2]) if first else y
        return squeeze(y, [0]) if rank == 3 else y

    def as_float(self, inputs: Tensor) -> Tensor:
        """Inputs of the layer's type."""
        wanted = as_dtype(self.compute_dtype or phase.floatx())
        return inputs if inputs.dtype is wanted else Cast(wanted)(inputs)


@public("keras.layers.Rescaling", "keras.layers.experimental.preprocessing.Rescaling")
class Rescaling(OfImages):
    """x scale + offset; either may be a list, one number a channel. x [...] of any numbers -> [...] floats"""

    settings = ("scale", "offset")
    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Any) -> Any:
        return self.as_float(inputs) * self.scale + self.offset


def least(a: Any, b: Any) -> Any:
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else m.Minimum()(a, b)


def most(a: Any, b: Any) -> Any:
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else m.Maximum()(a, b)


def cropped(x: Tensor, top: Any, left: Any, height: Any, width: Any) -> Tensor:
    """Rows top... and columns left... of images [N,H,W,C]."""
    return x[:, top : top + height, left : left + width, :]


def to_aspect(x: Tensor, height: int, width: int) -> Tensor:
    """The middle of images, as large as it can be with the sides' ratio height : width."""
    rows, columns = sizes_of(x)[1:3]
    h = most(least(rows, columns * height // width), 1)
    w = most(least(columns, rows * width // height), 1)
    return cropped(x, (rows - h) // 2, (columns - w) // 2, h, w)


def padded_to_aspect(x: Tensor, height: int, width: int, value: float) -> Tensor:
    """Images in the middle of a frame of the ratio height : width, as small as it can be, filled with value; opposite
    borders are of one width, so of an odd difference a pixel is left out, as in Keras."""
    rows, columns = sizes_of(x)[1:3]
    more = [most(rows, columns * height // width) - rows, most(columns, rows * width // height) - columns]
    ends = [[n // 2, n // 2] for n in more]
    return pad(x, [[0, 0], *ends, [0, 0]], constant_values=value)


def shown_at(x: Tensor, height: int, width: int, method: str = "bilinear", antialias: bool = False) -> Tensor:
    """Images in another size, of their own type."""
    y = resize(x, (height, width), method, antialias=antialias)
    return y if y.dtype is x.dtype else Cast(x.dtype)(y)


@public("keras.layers.Resizing", "keras.layers.experimental.preprocessing.Resizing")
class Resizing(OfImages):
    """Images in the size height x width, in pixels.

    Args:
      interpolation: as the methods of `tf.image.resize`. antialias: widen the kernel when shrinking.
      crop_to_aspect_ratio: first cut what the sides' new ratio leaves no room for, so that nothing is distorted.
      pad_to_aspect_ratio: first add borders instead. fill_mode: "constant", the only one. fill_value: of borders.
      data_format: "channels_last" or "channels_first".
    Raises:
      ValueError: a side is not positive, a word is not known, or both cropping and padding are asked for.
    """

    settings = (
        "height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value",
        "antialias", "data_format",
    )  # fmt: skip

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height, self.width = positive(height, "Resizing: height"), positive(width, "Resizing: width")
        self.interpolation, self.data_format = method_of(interpolation), phase.layout_of(data_format)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError("Resizing: give one of crop_to_aspect_ratio and pad_to_aspect_ratio").locate()
        if fill_mode != "constant":
            raise ArgumentError(f"Resizing: fill_mode must be 'constant', not {fill_mode!r}").locate()
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value, self.antialias = fill_mode, fill_value, antialias

    def call(self, inputs: Any) -> Any:
        return self.on_images(self._resized, inputs)

    def _resized(self, x: Tensor) -> Tensor:
        if self.crop_to_aspect_ratio:
            x = to_aspect(x, self.height, self.width)
        if self.pad_to_aspect_ratio:
            x = padded_to_aspect(x, self.height, self.width, self.fill_value)
        return shown_at(x, self.height, self.width, self.interpolation, self.antialias)


@public("keras.layers.CenterCrop", "keras.layers.experimental.preprocessing.CenterCrop")
class CenterCrop(OfImages):
    """The middle height x width pixels of images; of smaller images, the largest middle part of these sides' ratio,
    enlarged.

    Args:
      height, width: in pixels. data_format: "channels_last" or "channels_first".
    Raises:
      ValueError: a side is not positive.
    """

    settings = ("height", "width", "data_format")

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = positive(height, "CenterCrop: height"), positive(width, "CenterCrop: width")
        self.data_format = phase.layout_of(data_format)

    def call(self, inputs: Any) -> Any:
        return self.on_images(self._middle, inputs)

    def _middle(self, x: Tensor) -> Tensor:
        rows, columns = sizes_of(x)[1:3]
        return self.where_larger(
            x, lambda: cropped(x, (rows - self.height) // 2, (columns - self.width) // 2, self.height, self.width)
        )

    def where_larger(self, x: Tensor, cut: Callable[[], Tensor]) -> Tensor:
        """cut() where images have at least height x width pixels, else their middle enlarged."""
        rows, columns = sizes_of(x)[1:3]

        def enlarged() -> Tensor:
            return shown_at(to_aspect(x, self.height, self.width), self.height, self.width)

        if isinstance(rows, int) and isinstance(columns, int):
            return cut() if rows >= self.height and columns >= self.width else enlarged()
        fits = m.LogicalAnd()(m.GreaterEqual()(rows, self.height), m.GreaterEqual()(columns, self.width))
        y = cond(fits, cut, enlarged)
        y.set_shape((x.spec.shape[0], self.height, self.width, x.spec.shape[3]))  # type: ignore[index]
        return y
