"""How pictures differ, and how rough they are: PSNR, SSIM, total variation, gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import float32
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.padding import MirrorPad, Pad
from pullback.ops.array.shape import Reshape
from pullback.ops.image.color import convert_image_dtype
from pullback.ops.math import arithmetic as m
from pullback.ops.math.reduce import Mean, Sum
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.ops.nn.activation import Relu
from pullback.ops.nn.depthwise.functions import depthwise_conv2d
from pullback.ops.nn.pool.functions import avg_pool


def _floats(image: Any) -> Tensor:
    return convert_image_dtype(image, float32)


def _range(max_val: Any, dtype: Any) -> Any:
    """The largest value, of the pictures' type, as a float in theirs."""
    plain = dtype.is_floating and not isinstance(max_val, Tensor)
    value = interpreter.as_tensor(max_val, dtype if plain else None)
    if dtype.is_integer:
        return Cast(float32)(value) * (1.0 / dtype.max)
    return value if value.dtype is float32 else Cast(float32)(value)


@public("image.psnr")
def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """Peak signal-to-noise ratio, 10 log10(max_val^2 / mean((a - b)^2)), in decibels; infinite for equal pictures.

    a, b: [..,H,W,C]. max_val: the range of pixel values. -> [..]
    """
    with scope(name, "PSNR", a, b):
        a, b = interpreter.as_tensor(a), interpreter.as_tensor(b)
        top = _range(max_val, a.dtype)
        error = Mean()(m.Square()(_floats(a) - _floats(b)), (-3, -2, -1))
        return m.Log()(top) * (20.0 / math.log(10)) - m.Log()(error) * (10.0 / math.log(10))


@public("image.total_variation")
def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of |differences| of neighbouring pixels. images [H,W,C] -> [], [N,H,W,C] -> [N]

    Raises:
      ValueError: there are more or fewer axes.
    """
    with scope(name, "total_variation", images):
        x = interpreter.as_tensor(images)
        if x.spec.rank not in (3, 4):
            raise ShapeError("'images' must be either 3 or 4-dimensional.").locate()
        down, across = x[..., 1:, :, :] - x[..., :-1, :, :], x[..., :, 1:, :] - x[..., :, :-1, :]
        return Sum()(m.Abs()(down), (-3, -2, -1)) + Sum()(m.Abs()(across), (-3, -2, -1))


@public("image.image_gradients")
def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """(dy, dx) of pictures [N,H,W,C]: differences to the next row and column, 0 in the last.

    Raises:
      ValueError: there are more or fewer axes.
    """
    x = interpreter.as_tensor(image)
    if x.spec.rank != 4:
        raise ShapeError(f"image_gradients expects a 4D tensor [N,H,W,C], not {x.shape}.").locate()
    with scope(None, "image_gradients", x):
        down, across = x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1]
        return Pad()(down, ((0, 0), (0, 1), (0, 0), (0, 0))), Pad()(across, ((0, 0), (0, 0), (0, 1), (0, 0)))


_SOBEL = np.array([[[-1, -2, -1], [0, 0, 0], [1, 2, 1]], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]], np.float32)


@public("image.sobel_edges")
def sobel_edges(image: Any) -> Tensor:
    """Sobel's differences along rows and columns, edges reflected. image [N,H,W,C] -> [N,H,W,C,2]

    Raises:
      ValueError: the number of channels is not known.
    """
    x = interpreter.as_tensor(image)
    if x.spec.rank != 4 or x.spec.shape[3] is None:  # type: ignore[index]
        raise ShapeError(f"sobel_edges: image must be [N,H,W,C] with C known, not {x.shape}").locate()
    with scope(None, "sobel_edges", x):
        channels: int = x.spec.shape[3]  # type: ignore[index,assignment]
        kernels = np.tile(np.transpose(_SOBEL, (1, 2, 0))[:, :, None], (1, 1, channels, 1))
        around = MirrorPad("REFLECT")(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        made = depthwise_conv2d(around, kernels.astype(x.dtype.numpy), [1, 1, 1, 1], "VALID")
        from pullback.core.basics import Shape_
        from pullback.ops.array.joining import chain

        sizes = (*x.spec.shape, 2) if x.spec.known else chain(Shape_()(x), (2,))  # type: ignore[misc]
        return Reshape()(made, sizes)


def _gaussian(size: int, sigma: float, channels: int, dtype: Any) -> Any:
    """Weights of a bell of `sigma` pixels over a square, which sum to 1. [size,size,channels,1]"""
    at = np.arange(size, dtype=np.float32) - (size - 1) / 2
    logits = -0.5 * (at / sigma) ** 2
    both = (logits[:, None] + logits[None, :]).ravel()
    weights = np.exp(both - both.max())
    square = (weights / weights.sum()).reshape(size, size, 1, 1)
    return np.tile(square, (1, 1, channels, 1)).astype(dtype.numpy)


def _similarity(a: Tensor, b: Tensor, top: Any, size: int, sigma: float, k1: float, k2: float) -> tuple[Tensor, Tensor]:
    """(SSIM, contrast-structure) at every place of pictures [N,H,W,C].

    Source: Wang, Bovik, Sheikh & Simoncelli 2004.
    """
    channels = a.spec.shape[-1] if a.spec.shape else None
    if channels is None or a.spec.rank != 4:
        raise ShapeError(f"ssim: pictures must be [..,H,W,C] with C known, not {a.shape}").locate()
    kernel = _gaussian(size, sigma, channels, a.dtype)
    c1, c2 = m.Square()(top * k1), m.Square()(top * k2)

    def smooth(x: Tensor) -> Tensor:
        return depthwise_conv2d(x, kernel, [1, 1, 1, 1], "VALID")

    mean_a, mean_b = smooth(a), smooth(b)
    product = mean_a * mean_b * 2.0
    squares = m.Square()(mean_a) + m.Square()(mean_b)
    luminance = (product + c1) / (squares + c1)
    both = smooth(a * b) * 2.0
    power = smooth(m.Square()(a) + m.Square()(b))
    structure = (both - product + c2) / (power - squares + c2)
    return luminance * structure, structure


def _pair(a: Any, b: Any, max_val: Any) -> tuple[Tensor, Tensor, Any, Any]:
    """Both pictures in floats as [N,H,W,C], the range, and the leading axes."""
    a, b = interpreter.as_tensor(a), interpreter.as_tensor(b)
    if a.spec.rank is None or a.spec.rank < 3 or (a.spec.known and b.spec.known and a.spec.shape != b.spec.shape):
        raise ShapeError(f"ssim: pictures must be [..,H,W,C] of one shape, not {a.shape} and {b.shape}").locate()
    top = _range(max_val, a.dtype)
    lead = a.spec.shape[:-3]  # type: ignore[index]
    x, y = _floats(a), _floats(b)
    if len(lead) != 1:
        if None in a.spec.shape:  # type: ignore[operator]
            raise ShapeError(f"ssim: the shape must be known unless pictures are [N,H,W,C], not {a.shape}").locate()
        x, y = (Reshape()(t, (-1, *a.spec.shape[-3:])) for t in (x, y))  # type: ignore[index]
    return x, y, top, lead


@public("image.ssim")
def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    return_index_map: bool = False,
) -> Tensor:
    """Structural similarity of pictures [..,H,W,C], averaged over channels and places: 1 where they are equal.

    Args:
      max_val: the range of pixel values. filter_size, filter_sigma: of the bell that local means are taken by, pixels.
      k1, k2: what keeps quotients finite. return_index_map: whether places are not averaged.
    Returns:
      [..], or [..,H',W'] with return_index_map.
    Source: Wang, Bovik, Sheikh & Simoncelli 2004.
    """
    with scope(None, "SSIM", img1, img2):
        a, b, top, lead = _pair(img1, img2, max_val)
        index, _ = _similarity(a, b, top, filter_size, filter_sigma, k1, k2)
        made = Mean()(index, (-1,) if return_index_map else (-3, -2, -1))
        if len(lead) == 1:
            return made
        return Reshape()(made, (*lead, *made.spec.shape[1:]))  # type: ignore[misc]


@public("image.ssim_multiscale")
def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Any = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """The product of contrast-structures at ever coarser scales, the last with SSIM itself, each to its power.

    Source: Wang, Simoncelli & Bovik 2003. Pictures [..,H,W,C] -> [..]
    """
    from pullback.ops.math.functions import pow_

    with scope(None, "MS-SSIM", img1, img2):
        a, b, top, lead = _pair(img1, img2, max_val)
        total: Any = None
        for i, power in enumerate(power_factors):
            if i:
                a, b = (avg_pool(t, 2, 2, "VALID") for t in (a, b))
            whole, structure = _similarity(a, b, top, filter_size, filter_sigma, k1, k2)
            chosen = whole if i == len(power_factors) - 1 else structure
            scale = pow_(Relu()(Mean()(chosen, (-3, -2))), float(power))
            total = scale if total is None else total * scale
        made = Mean()(total, (-1,))
        return made if len(lead) == 1 else Reshape()(made, lead)
