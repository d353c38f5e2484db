"""Layers that change images at random while training: flips, turns, shifts, zooms, crops, contrast, brightness.

Unlike other layers they train unless told otherwise. Each image of a batch has draws of its own, except in RandomCrop.
Turns, shifts and zooms look at the image through a projective transform (`ImageProjectiveTransformV3`), so gradients
reach the pixels.
"""

from __future__ import annotations

import math
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import bfloat16, float32, int32
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import phase
from pullback.layers.dropout import either
from pullback.layers.image_framing import CenterCrop, OfImages, cropped, fill_of, method_of
from pullback.layers.sizes import packed, sizes_of
from pullback.ops.array.joining import stack
from pullback.ops.array.layout import reverse
from pullback.ops.array.shape import reshape
from pullback.ops.image.projective import ImageProjectiveTransformV3
from pullback.ops.math import arithmetic as m
from pullback.ops.math import functions as f
from pullback.ops.math.clipping import clip_by_value
from pullback.ops.math.reduce_functions import reduce_mean
from pullback.ops.math.select import Cast, Select
from pullback.ops.random.functions import random_uniform


def bounds(factor: Any, what: str, low: float = -1.0, high: float = math.inf) -> tuple[float, float]:
    """A number r as (-r, r), or the two numbers given.

    Raises:
      ValueError: these are no numbers in order, or lie outside of [low, high].
    """
    pair = tuple(factor) if isinstance(factor, (list, tuple)) else (-abs(factor), abs(factor))
    if len(pair) != 2 or pair[0] > pair[1] or pair[0] < low or pair[1] > high:
        raise ArgumentError(
            f"{what} must be a number or two numbers in order, within [{low}, {high}], but is {factor!r}"
        ).locate()
    return float(pair[0]), float(pair[1])


class _Random(OfImages):
    """Base: a subclass says `drawn(x)`, images [N,H,W,C] while training."""

    settings = ("seed", "data_format")
    seed: Any = None

    def __init__(self, seed: Any = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed, self.data_format = seed, phase.layout_of(data_format)

    def drawn(self, x: Tensor) -> Tensor:
        return x

    def call(self, inputs: Any, training: Any = True) -> Any:
        return either(training, lambda: self.on_images(self.drawn, inputs), lambda: self.as_float(inputs))

    def one_each(self, x: Tensor, low: float, high: float) -> Tensor:
        """A uniform number for each image. [N]"""
        return random_uniform([sizes_of(x)[0]], low, high, x.dtype, self.seed)


@public("keras.layers.RandomFlip", "keras.layers.experimental.preprocessing.RandomFlip")
class RandomFlip(_Random):
    """Each image mirrored with probability 1/2.

    Args:
      mode: "horizontal" (left to right), "vertical" or "horizontal_and_vertical", each by a draw of its own.
      seed: of the draws. data_format: "channels_last" or "channels_first".
    Raises:
      ValueError: mode is not known.
    """

    settings = ("mode",)

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: Any = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ArgumentError(
                f"RandomFlip: mode must be 'horizontal', 'vertical' or 'horizontal_and_vertical', not {mode!r}"
            ).locate()
        self.mode = mode

    def drawn(self, x: Tensor) -> Tensor:
        for word, axis in (("horizontal", 2), ("vertical", 1)):
            if word in self.mode:
                chosen = reshape(m.Less()(self.one_each(x, 0.0, 1.0), 0.5), [-1, 1, 1, 1])
                x = Select()(chosen, reverse(x, [axis]), x)
        return x


class _Seen(_Random):
    """Base of what looks through a transform: a subclass says `rows(x, height, width)`, the transforms' entries, each
    [N] or a number.

    fill_mode: what stands beyond the border: "reflect" (dcba|abcd|dcba), "wrap", "nearest", or "constant": fill_value.
    interpolation: "bilinear" or "nearest".
    """

    settings = ("fill_mode", "interpolation", "fill_value")

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.fill_mode, self.fill_value = fill_of(fill_mode), fill_value
        self.interpolation = method_of(interpolation, ("bilinear", "nearest"))

    def rows(self, x: Tensor, height: Any, width: Any) -> list[Any]:
        return [1, 0, 0, 0, 1, 0, 0, 0]

    def drawn(self, x: Tensor) -> Tensor:
        sizes = sizes_of(x)
        height, width = (Cast(float32)(interpreter.as_tensor(n, int32)) for n in sizes[1:3])
        rows = self.rows(x if x.dtype is float32 else Cast(float32)(x), height, width)
        none = random_uniform([sizes[0]], 0.0, 1.0) * 0.0
        see = ImageProjectiveTransformV3(self.interpolation.upper(), self.fill_mode.upper())
        given = Cast(float32)(x) if x.dtype is bfloat16 else x  # the op has no kernel of bfloat16
        y = see(given, stack([none + row for row in rows], 1), packed(sizes[1:3]), float(self.fill_value))
        y = y if given is x else Cast(x.dtype)(y)
        y.set_shape(x.spec.shape)
        return y


@public("keras.layers.RandomRotation", "keras.layers.experimental.preprocessing.RandomRotation")
class RandomRotation(_Seen):
    """Each image turned about its middle by an angle drawn from factor, in parts of a full turn; positive angles turn
    counter-clockwise. factor: a number r (from -r to r) or two. Other arguments as below.

    Args:
      fill_mode, interpolation, fill_value: what stands beyond the border, and between pixels.
    Raises:
      ValueError: factor is none, or a word is not known.
    """

    settings = ("factor",)

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = bounds(factor, "RandomRotation: factor", -math.inf)

    def rows(self, x: Tensor, height: Any, width: Any) -> list[Any]:
        angle = self.one_each(x, *self.factor) * (2 * math.pi)
        c, s = f.cos(angle), f.sin(angle)
        right, down = (width - 1.0) / 2.0, (height - 1.0) / 2.0
        return [c, -s, right - (c * right - s * down), s, c, down - (s * right + c * down), 0, 0]


@public("keras.layers.RandomTranslation", "keras.layers.experimental.preprocessing.RandomTranslation")
class RandomTranslation(_Seen):
    """Each image shifted.

    Args:
      height_factor: how far down, as a part of the height; a number r (from -r to r) or two, within [-1, 1].
      width_factor: how far to the right, as a part of the width.
      fill_mode, interpolation, fill_value: what stands beyond the border, and between pixels.
    """

    settings = ("height_factor", "width_factor")

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = bounds(height_factor, "RandomTranslation: height_factor", -1.0, 1.0)
        self.width_factor = bounds(width_factor, "RandomTranslation: width_factor", -1.0, 1.0)

    def rows(self, x: Tensor, height: Any, width: Any) -> list[Any]:
        down, right = self.one_each(x, *self.height_factor), self.one_each(x, *self.width_factor)
        return [1, 0, -right * width, 0, 1, -down * height, 0, 0]


@public("keras.layers.RandomZoom", "keras.layers.experimental.preprocessing.RandomZoom")
class RandomZoom(_Seen):
    """Each image seen from farther away (positive factors) or nearer.

    Args:
      height_factor: a number r (from -r to r) or two: 0.2 shows 1.2 times the height. width_factor: the same draw as
      for the height by default, which keeps the proportions.
      fill_mode, interpolation, fill_value: what stands beyond the border, and between pixels.
    """

    settings = ("height_factor", "width_factor")

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = bounds(height_factor, "RandomZoom: height_factor")
        self.width_factor = None if width_factor is None else bounds(width_factor, "RandomZoom: width_factor")

    def rows(self, x: Tensor, height: Any, width: Any) -> list[Any]:
        tall = 1.0 + self.one_each(x, *self.height_factor)
        wide = tall if self.width_factor is None else 1.0 + self.one_each(x, *self.width_factor)
        return [wide, 0, (1.0 - wide) * (width - 1.0) / 2.0, 0, tall, (1.0 - tall) * (height - 1.0) / 2.0, 0, 0]


@public("keras.layers.RandomCrop", "keras.layers.experimental.preprocessing.RandomCrop")
class RandomCrop(CenterCrop):
    """height x width pixels of images: from a place drawn for the whole batch while training, else from the middle. Of
    smaller images, the largest middle part of these sides' ratio, enlarged.

    Args:
      height, width: in pixels. seed: of the draws. data_format: "channels_last" or "channels_first".
    """

    settings = ("seed",)

    def __init__(
        self,
        height: int,
        width: int,
        seed: Any = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(height, width, data_format, name=name, **kwargs)
        self.seed = seed

    def call(self, inputs: Any, training: Any = True) -> Any:
        return either(
            training, lambda: self.on_images(self._drawn, inputs), lambda: self.on_images(self._middle, inputs)
        )

    def _drawn(self, x: Tensor) -> Tensor:
        sizes, kept = sizes_of(x)[1:3], (self.height, self.width)

        def cut() -> Tensor:
            top, left = (random_uniform([], 0, n - k + 1, int32, self.seed) for n, k in zip(sizes, kept, strict=True))
            y = cropped(x, top, left, *kept)
            y.set_shape((x.spec.shape[0], *kept, x.spec.shape[3]))  # type: ignore[index]
            return y

        return self.where_larger(x, cut)


@public("keras.layers.RandomContrast", "keras.layers.experimental.preprocessing.RandomContrast")
class RandomContrast(_Random):
    """Each image's distance from its channels' means, times a number drawn from [1 - lower, 1 + upper].

    Args:
      factor: one number for lower and upper, or both, lower at most 1. value_range: what results are clipped to.
      seed: of the draws.
    """

    settings = ("factor", "value_range")
    withheld = ("data_format",)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, "channels_last", **kwargs)
        lower, upper = (factor, factor) if isinstance(factor, (int, float)) else factor
        if lower > 1 or -lower > upper:
            raise ArgumentError(
                f"RandomContrast: factor must be a number in [0, 1], or (lower, upper) with lower of at most 1 and "
                f"1 - lower of at most 1 + upper, but is {factor!r}"
            ).locate()
        self.factor = -float(lower), float(upper)
        self.value_range = value_range

    def drawn(self, x: Tensor) -> Tensor:
        low, high = self.factor
        times = reshape(self.one_each(x, 1.0 + low, 1.0 + high), [-1, 1, 1, 1])
        mean = reduce_mean(x, [1, 2], True)
        lowest, highest = map(float, self.value_range)
        return clip_by_value((x - mean) * times + mean, lowest, highest)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": [-self.factor[0], self.factor[1]]}


@public("keras.layers.RandomBrightness")
class RandomBrightness(_Random):
    """Each image made lighter or darker: a number drawn from factor, times the range's width, is added.

    Args:
      factor: a number r (from -r to r) or two, within [-1, 1]. seed: of the draws.
      value_range: what pixels may be; results are clipped to it.
    """

    settings = ("factor", "value_range")
    withheld = ("data_format",)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any) -> None:
        super().__init__(seed, "channels_last", **kwargs)
        self.factor, self.value_range = bounds(factor, "RandomBrightness: factor", -1.0, 1.0), value_range

    def drawn(self, x: Tensor) -> Tensor:
        low, high = map(float, self.value_range)
        more = reshape(self.one_each(x, *self.factor) * (high - low), [-1, 1, 1, 1])
        return clip_by_value(x + more, low, high)
