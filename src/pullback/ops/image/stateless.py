"""Random changes of pictures as pure functions of two seeds: the same seed gives the same change, TensorFlow's."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.image.color import (
    _range,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)
from pullback.ops.image.framing import flipped_by_draws
from pullback.ops.random.functions import stateless_uniform


@public("image.stateless_random_flip_left_right", v1=None)
def stateless_random_flip_left_right(image: Any, seed: Any) -> Tensor:
    """Each picture mirrored left to right, or not, equally likely. [H,W,C] or [N,H,W,C]; seed: two integers, [2]."""
    what = "stateless_random_flip_left_right"
    return flipped_by_draws(image, -2, what, lambda shape: stateless_uniform(shape, seed))


@public("image.stateless_random_flip_up_down", v1=None)
def stateless_random_flip_up_down(image: Any, seed: Any) -> Tensor:
    """Each picture turned upside down as in a mirror, or not, equally likely. Arguments as of the other flip."""
    what = "stateless_random_flip_up_down"
    return flipped_by_draws(image, -3, what, lambda shape: stateless_uniform(shape, seed))


@public("image.stateless_random_brightness", v1=None)
def stateless_random_brightness(image: Any, max_delta: Any, seed: Any) -> Tensor:
    """`adjust_brightness` by a number drawn from [-max_delta, max_delta).

    Raises:
      ValueError: max_delta is negative.
    """
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, stateless_uniform([], seed, -max_delta, max_delta))


@public("image.stateless_random_contrast", v1=None)
def stateless_random_contrast(image: Any, lower: Any, upper: Any, seed: Any) -> Tensor:
    """`adjust_contrast` by a factor drawn from [lower, upper).

    Raises:
      ValueError: not 0 <= lower < upper.
    """
    _range(lower, upper)
    return adjust_contrast(image, stateless_uniform([], seed, lower, upper))


@public("image.stateless_random_hue", v1=None)
def stateless_random_hue(image: Any, max_delta: Any, seed: Any) -> Tensor:
    """`adjust_hue` by a number drawn from [-max_delta, max_delta).

    Raises:
      ValueError: max_delta is not in [0, 0.5].
    """
    if not 0 <= max_delta <= 0.5:
        raise ValueError(f"max_delta must be non-negative and <= 0.5, not {max_delta}.")
    return adjust_hue(image, stateless_uniform([], seed, -max_delta, max_delta))


@public("image.stateless_random_saturation", v1=None)
def stateless_random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """`adjust_saturation` by a factor drawn from [lower, upper).

    Raises:
      ValueError: not 0 <= lower < upper, or the seed is missing.
    """
    _range(lower, upper)
    if seed is None:
        raise ValueError("stateless_random_saturation needs a seed: two integers.")
    return adjust_saturation(image, stateless_uniform([], seed, lower, upper))
