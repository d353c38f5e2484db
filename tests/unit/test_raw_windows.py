"""`raw_ops` of convolution, pooling and patches: by keyword, with TensorFlow's attributes and answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from properties import integers

import pullback as tf

raw: Any = tf.raw_ops
x, w = integers(1, (2, 5, 6, 2)), integers(2, (3, 2, 2, 3))
v, u = integers(3, (1, 4, 3, 5, 2)), integers(4, (2, 2, 3, 2, 2))
ONE, FIVE = [1, 1, 1, 1], [1, 1, 1, 1, 1]
POOL: dict[str, Any] = {"ksize": [1, 2, 3, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}


def same(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(a, b)


def test_by_keyword_only() -> None:
    with pytest.raises(TypeError, match=r"Conv2D only takes keyword arguments; .*input, filter, strides, padding"):
        raw.Conv2D(x, w, ONE, "SAME")
    with pytest.raises(TypeError, match="filter"):
        raw.Conv2D(input=x, strides=ONE, padding="SAME")
    with pytest.raises(TypeError, match="stride"):
        raw.Conv2D(input=x, filter=w, stride=1, padding="SAME")
    with pytest.raises(TypeError, match="MaxPoolV2 only takes keyword"):
        raw.MaxPoolV2(x)


def test_padding_by_attributes() -> None:
    y = raw.Conv2D(input=x, filter=w, strides=ONE, padding="EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0])
    same(y, tf.nn.conv2d(x, w, 1, [[0, 0], [1, 2], [0, 1], [0, 0]]))


def test_answers_of_several_are_named() -> None:
    made = raw.MaxPoolWithArgmax(input=x, Targmax=tf.int32, **POOL)
    assert made._fields == ("output", "argmax") and made.argmax.dtype is tf.int32
    assert type(made).__name__ == "MaxPoolWithArgmax"
    assert tf.nn.max_pool_with_argmax(x, 2, 2, "SAME").argmax.dtype is tf.int64
    assert tf.nn.fractional_avg_pool(x, 1.5)._fields == ("output", "row_pooling_sequence", "col_pooling_sequence")


def test_gradients_that_take_the_whole_input_or_filter() -> None:
    """Only its shape counts."""
    g = integers(5, (2, 5, 6, 3))
    one: dict[str, Any] = {"strides": ONE, "padding": "SAME", "out_backprop": g}
    same(
        raw.Conv2DBackpropInputV2(input=0 * x, filter=w, **one),
        raw.Conv2DBackpropInput(input_sizes=x.shape, filter=w, **one),
    )
    same(
        raw.Conv2DBackpropFilterV2(input=x, filter=0 * w, **one),
        raw.Conv2DBackpropFilter(input=x, filter_sizes=w.shape, **one),
    )
    five: dict[str, Any] = {"strides": FIVE, "padding": "SAME", "out_backprop": v}
    same(
        raw.Conv3DBackpropInput(input=0 * v, filter=u, **five),
        raw.Conv3DBackpropInputV2(input_sizes=v.shape, filter=u, **five),
    )
    same(
        raw.Conv3DBackpropFilter(input=v, filter=0 * u, **five),
        raw.Conv3DBackpropFilterV2(input=v, filter_sizes=u.shape, **five),
    )


def test_convolution_over_any_axes_and_batches() -> None:
    same(raw.Conv(input=v, filter=u, strides=FIVE, padding="SAME"), tf.nn.conv3d(v, u, 1, "SAME"))
    first = np.moveaxis(x, -1, 1)
    same(
        raw.Conv(input=first, filter=w, strides=[1, 1, 2, 1], padding="VALID", data_format="CHANNELS_FIRST"),
        tf.nn.conv2d(first, w, [2, 1], "VALID", "NCHW"),
    )
    images = integers(6, (2, 3, 5, 6, 4))
    grouped = integers(7, (2, 2, 2, 6))
    y = raw.Conv(input=images, filter=grouped, strides=ONE, padding="SAME", batch_dims=2, groups=2)
    same(y, np.reshape(tf.nn.conv2d(images.reshape(6, 5, 6, 4), grouped, 1, "SAME"), (2, 3, 5, 6, 6)))


def test_with_a_border_or_a_resizing_before() -> None:
    border = [[0, 0], [1, 2], [2, 0], [0, 0]]
    wide = np.pad(x, border, "reflect")
    call: dict[str, Any] = {"filter": w, "strides": ONE, "padding": "VALID", "paddings": border}
    same(raw.FusedPadConv2D(input=x, mode="REFLECT", **call), tf.nn.conv2d(wide, w, 1, "VALID"))
    double = np.repeat(np.repeat(x, 2, 1), 2, 2)
    made = raw.FusedResizeAndPadConv2D(input=x, size=[10, 12], mode="SYMMETRIC", **call)
    assert made.dtype is tf.float64 and made.shape == (2, 11, 13, 3)
    flat = raw.FusedResizeAndPadConv2D(input=np.ones_like(x), size=[10, 12], mode="SYMMETRIC", **call)
    plain = tf.nn.conv2d(np.pad(np.ones_like(double), border, "symmetric"), w, 1, "VALID")
    np.testing.assert_allclose(flat, plain, rtol=1e-6)


def test_max_pooling_and_its_gradients() -> None:
    y, at = raw.MaxPoolWithArgmax(input=x, **POOL)
    g = integers(8, y.shape)
    tensors = {**POOL, "ksize": tf.constant(POOL["ksize"]), "strides": tf.constant(POOL["strides"])}
    same(raw.MaxPoolV2(input=x, **tensors), raw.MaxPool(input=x, **POOL))
    dx = raw.MaxPoolGrad(orig_input=x, orig_output=y, grad=g, **POOL)
    same(raw.MaxPoolGradV2(orig_input=x, orig_output=y, grad=g, **tensors), dx)
    same(raw.MaxPoolGradWithArgmax(input=x, grad=g, argmax=at, **POOL), dx)
    back = raw.MaxPoolGradGrad(orig_input=x, orig_output=y, grad=x, **POOL)
    same(back, y)
    same(raw.MaxPoolGradGradV2(orig_input=x, orig_output=y, grad=x, **tensors), back)
    same(raw.MaxPoolGradGradWithArgmax(input=x, grad=x, argmax=at, **POOL), back)


def test_blocks_and_patches() -> None:
    even = integers(9, (1, 4, 6, 1))
    none = [[0, 0], [0, 0]]
    phases = raw.SpaceToBatch(input=even, paddings=none, block_size=2)
    same(phases, raw.SpaceToBatchND(input=even, block_shape=[2, 2], paddings=none))
    same(raw.BatchToSpace(input=phases, crops=none, block_size=2), even)
    same(raw.BatchToSpaceND(input=phases, block_shape=[2, 2], crops=none), even)
    same(raw.DepthToSpace(input=raw.SpaceToDepth(input=even, block_size=2), block_size=2), even)
    sizes: dict[str, Any] = {"ksizes": [1, 2, 2, 1], "strides": ONE, "rates": ONE, "padding": "VALID"}
    same(raw.ExtractImagePatches(images=even, **sizes)[..., :1], even[:, :-1, :-1])
    patches = raw.ExtractVolumePatches(input=v, ksizes=[1, 2, 1, 1, 1], strides=FIVE, padding="VALID")
    same(patches, np.concatenate([v[:, :-1], v[:, 1:]], -1))
