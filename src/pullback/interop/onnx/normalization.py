"""LRN, BatchNormalization and the other normalizations. Images are [N,C,*spatial]."""

from __future__ import annotations

from typing import Any

import pullback as tf
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.interop.onnx import values
from pullback.interop.onnx.table import operator


def by_channel(v: Tensor, x: Tensor) -> Tensor:
    """v [C] so that it meets x [N,C,*spatial]."""
    return tf.reshape(v, [-1] + [1] * (values.rank(x, "ONNX normalization") - 2))


def normalized(x: Tensor, mean: Tensor, variance: Tensor, epsilon: float) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon)"""
    return (x - mean) * tf.math.rsqrt(variance + epsilon)


def exactly(x: Tensor, stash_type: int) -> Tensor:
    """x in the type that ONNX has such statistics computed in, or in its own where that holds more digits."""
    dtype = values.dtype(stash_type)
    return x if x.dtype.size >= dtype.size else tf.cast(x, dtype)


@operator("LRN")
def lrn(x: Tensor, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0) -> Tensor:
    """x / (bias + alpha/size * sum of squares over `size` neighbouring channels)^beta, as a mean over the channels.

    Of an even size the odd neighbour is the next channel; channels that are not there are zeros, and count.
    """
    dims = tf.shape(x)
    before = (size - 1) // 2
    squares = tf.pad(tf.square(tf.reshape(x, [dims[0], dims[1], -1])), [[0, 0], [before, size - 1 - before], [0, 0]])
    mean = tf.reshape(tf.nn.avg_pool1d(squares, size, 1, "VALID"), dims)
    return x * (bias + alpha * mean) ** -beta


@operator("BatchNormalization")
def batch_normalization_of_inference(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    is_test: int = 0,
    momentum: float = 0.9,
    spatial: int = 1,
    outputs: int = 1,
) -> Tensor:
    """Before operator set 14 the number of outputs says whether it trains: with one it does not, whatever is_test and
    momentum are."""
    if outputs > 1:
        raise ArgumentError(
            "ONNX BatchNormalization with more outputs than one trains, and before operator set 14 is translated for "
            "inference only; convert the model by onnx.version_converter.convert_version(model, 14)"
        ).locate()
    if not spatial:
        raise ArgumentError(
            "ONNX BatchNormalization with spatial = 0, statistics for every pixel, was dropped by operator set 9 and "
            "is not translated"
        ).locate()
    return batch_normalization(x, scale, bias, mean, variance, epsilon=epsilon, momentum=momentum)


@operator("BatchNormalization", since=14)
def batch_normalization(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    training_mode: int = 0,
) -> Any:
    """scale (x - mean) / sqrt(variance + epsilon) + bias, by channel.

    Training, by the batch's own mean and variance (over N, not N - 1); and it also answers the running ones, momentum
    times those given and the rest from the batch.
    """
    if not training_mode:
        y = normalized(x, by_channel(mean, x), by_channel(variance, x), epsilon)
        return y * by_channel(scale, x) + by_channel(bias, x)
    axes = [axis for axis in range(values.rank(x, "ONNX BatchNormalization")) if axis != 1]
    of_batch, spread = tf.nn.moments(x, axes)
    y = normalized(x, by_channel(of_batch, x), by_channel(spread, x), epsilon)
    y = y * by_channel(scale, x) + by_channel(bias, x)
    return y, *[old * momentum + new * (1 - momentum) for old, new in ((mean, of_batch), (variance, spread))]


@operator("InstanceNormalization", since=6)
def instance_normalization(x: Tensor, scale: Tensor, bias: Tensor, *, epsilon: float = 1e-5) -> Tensor:
    """Each channel of each image by its own mean and variance."""
    axes = list(range(2, values.rank(x, "ONNX InstanceNormalization")))
    mean, variance = tf.nn.moments(x, axes, keepdims=True)
    return normalized(x, mean, variance, epsilon) * by_channel(scale, x) + by_channel(bias, x)


@operator("GroupNormalization", since=21)
def group_normalization(
    x: Tensor, scale: Tensor, bias: Tensor, *, num_groups: int, epsilon: float = 1e-5, stash_type: int = 1
) -> Tensor:
    """Each group of channels of each image by its own mean and variance, computed in the type stash_type at least."""
    exact = exactly(x, stash_type)
    dims = tf.shape(x)
    groups = tf.reshape(exact, [dims[0], num_groups, -1])
    mean, variance = tf.nn.moments(groups, [2], keepdims=True)
    y = tf.reshape(normalized(groups, mean, variance, epsilon), dims)
    return tf.cast(y, x.dtype) * by_channel(scale, x) + by_channel(bias, x)


def trailing(x: Tensor, axis: int, what: str) -> list[int]:
    """The axes from `axis` on."""
    rank = values.rank(x, what)
    return list(range(axis % rank, rank))


@operator("LayerNormalization", since=17)
def layer_normalization(
    x: Tensor,
    scale: Tensor,
    bias: Tensor | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> Any:
    """The axes from `axis` on by their mean and variance, computed in the type stash_type at least.

    Returns (y, mean, 1/deviation).
    """
    exact = exactly(x, stash_type)
    mean, variance = tf.nn.moments(exact, trailing(x, axis, "ONNX LayerNormalization"), keepdims=True)
    inverse = tf.math.rsqrt(variance + epsilon)
    y = tf.cast((exact - mean) * inverse, x.dtype) * scale
    return y if bias is None else y + bias, mean, inverse


@operator("RMSNormalization", since=23)
def rms_normalization(
    x: Tensor, scale: Tensor, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Tensor:
    """x / sqrt(mean of x^2 over the axes from `axis` on), computed in the type stash_type at least, times scale."""
    exact = exactly(x, stash_type)
    power = tf.reduce_mean(tf.square(exact), trailing(x, axis, "ONNX RMSNormalization"), keepdims=True)
    return tf.cast(exact * tf.math.rsqrt(power + epsilon), x.dtype) * scale


@operator("LpNormalization")
def lp_normalization(x: Tensor, *, axis: int = -1, p: int = 2) -> Tensor:
    """x over its p-norm along an axis, p 1 or 2; 0 where the norm is 0.

    Raises:
      ArgumentError: p is another.
    """
    if p not in (1, 2):
        raise ArgumentError(f"ONNX LpNormalization: p must be 1 or 2, not {p}").locate()
    if p == 1:
        norm = tf.reduce_sum(tf.abs(x), axis, keepdims=True)
    else:
        norm = tf.sqrt(tf.reduce_sum(tf.square(x), axis, keepdims=True))
    return tf.math.divide_no_nan(x, norm)


@operator("MeanVarianceNormalization", since=9)
def mean_variance_normalization(x: Tensor, *, axes: Any = (0, 2, 3)) -> Tensor:
    """(x - mean) / (standard deviation + 1e-9), over `axes`."""
    mean, variance = tf.nn.moments(x, list(axes), keepdims=True)
    return (x - mean) / (tf.sqrt(variance) + 1e-9)
