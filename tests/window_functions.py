"""Every public function of convolution, pooling, unpooling and patches, with the shapes of what it is differentiated
by. The first of these has the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as tf

X1, X2, X3 = (1, 5, 2), (1, 5, 4, 2), (1, 3, 4, 3, 2)
FIRST2 = (1, 2, 5, 4)
EXPLICIT = [[0, 0], [1, 0], [0, 2], [0, 0]]
AT = np.random.default_rng(3).integers(0, 40, (1, 3, 2, 2))
POOLED = (1, 3, 2, 2)
HALVED: dict[str, Any] = {"strides": [1, 2, 2, 1], "padding": "SAME"}
WHOLE: dict[str, Any] = {"strides": [1, 1, 1, 1, 1], "padding": "SAME"}

# name: (function, shapes of what it is differentiated by)
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "conv1d": (lambda x, w: tf.nn.conv1d(x, w, 2, "SAME"), [X1, (3, 2, 2)]),
    "conv1d dilated": (lambda x, w: tf.nn.conv1d(x, w, 1, "VALID", "NWC", 2), [X1, (2, 2, 2)]),
    "conv2d": (lambda x, w: tf.nn.conv2d(x, w, [2, 1], EXPLICIT), [X2, (2, 3, 2, 2)]),
    "conv2d channels first": (lambda x, w: tf.nn.conv2d(x, w, 1, "SAME", "NCHW", [2, 1]), [FIRST2, (2, 2, 2, 3)]),
    "conv2d grouped": (lambda x, w: tf.nn.conv2d(x, w, 2, "VALID"), [(2, 4, 4, 4), (2, 2, 2, 4)]),
    "conv3d": (lambda x, w: tf.nn.conv3d(x, w, [1, 1, 2, 1, 1], "SAME"), [X3, (2, 2, 1, 2, 2)]),
    "convolution": (lambda x, w: tf.nn.convolution(x, w, dilations=2), [X2, (2, 2, 2, 2)]),
    "conv1d_transpose": (lambda x, w: tf.nn.conv1d_transpose(x, w, [1, 9, 1], 2), [X1, (3, 1, 2)]),
    "conv2d_transpose": (lambda x, w: tf.nn.conv2d_transpose(x, w, [1, 9, 8, 1], 2), [X2, (3, 2, 1, 2)]),
    "conv2d_transpose worked out": (lambda x, w: tf.nn.conv2d_transpose(x, w, None, 3, "VALID"), [X2, (2, 2, 1, 2)]),
    "conv3d_transpose": (lambda x, w: tf.nn.conv3d_transpose(x, w, [1, 3, 8, 3, 1], [1, 2, 1]), [X3, (1, 2, 2, 1, 2)]),
    "conv_transpose": (lambda x, w: tf.nn.conv_transpose(x, w, [1, 10, 1], 2, "SAME"), [X1, (3, 1, 2)]),
    "atrous_conv2d": (lambda x, w: tf.nn.atrous_conv2d(x, w, 2, "SAME"), [X2, (2, 2, 2, 1)]),
    "atrous_conv2d_transpose": (
        lambda x, w: tf.nn.atrous_conv2d_transpose(x, w, [1, 7, 6, 1], 2, "VALID"),
        [X2, (2, 2, 1, 2)],
    ),
    "depthwise_conv2d": (lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "SAME"), [X2, (3, 2, 2, 2)]),
    "separable_conv2d": (
        lambda x, d, p: tf.nn.separable_conv2d(x, d, p, [1, 1, 1, 1], "VALID"),
        [X2, (2, 2, 2, 2), (1, 1, 4, 2)],
    ),
    "Conv2DBackpropInput": (
        lambda w, g: tf.raw_ops.Conv2DBackpropInput(input_sizes=X2, filter=w, out_backprop=g, **HALVED),
        [(3, 2, 2, 2), POOLED],
    ),
    "Conv2DBackpropFilter": (
        lambda x, g: tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=[3, 2, 2, 2], out_backprop=g, **HALVED),
        [X2, POOLED],
    ),
    "conv2d_backprop_input_v2": (
        lambda w, g: tf.conv2d_backprop_input_v2(np.zeros(X2), w, g, [1, 2, 2, 1], "SAME"),
        [(3, 2, 2, 2), POOLED],
    ),
    "conv2d_backprop_filter_v2": (
        lambda x, g: tf.conv2d_backprop_filter_v2(x, np.zeros((3, 2, 2, 2)), g, [1, 2, 2, 1], "SAME"),
        [X2, POOLED],
    ),
    "Conv3DBackpropFilterV2": (
        lambda x, g: tf.raw_ops.Conv3DBackpropFilterV2(input=x, filter_sizes=[2, 2, 2, 2, 1], out_backprop=g, **WHOLE),
        [X3, (1, 3, 4, 3, 1)],
    ),
    "depthwise backprop input": (
        lambda w, g: tf.nn.depthwise_conv2d_backprop_input([1, 5, 4, 2], w, g, [1, 1, 1, 1], "SAME"),
        [(2, 2, 2, 1), X2],
    ),
    "depthwise backprop filter": (
        lambda x, g: tf.nn.depthwise_conv2d_backprop_filter(x, [2, 2, 2, 1], g, [1, 1, 1, 1], "SAME"),
        [X2, X2],
    ),
    "conv, two batch axes": (
        lambda x, w: tf.conv(x, w, [1, 1, 1, 1], "SAME", batch_dims=2),
        [(2, 1, 3, 3, 2), (2, 2, 2, 1)],
    ),
    "FusedPadConv2D": (
        lambda x, w: tf.raw_ops.FusedPadConv2D(
            input=x,
            filter=w,
            paddings=[[0, 0], [1, 2], [1, 0], [0, 0]],
            mode="REFLECT",
            strides=[1, 1, 1, 1],
            padding="VALID",
        ),
        [X2, (2, 2, 2, 1)],
    ),
    "max_pool1d": (lambda x: tf.nn.max_pool1d(x, 2, 2, "SAME"), [X1]),
    "max_pool2d": (lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME"), [X2]),
    "max_pool2d channels first": (lambda x: tf.nn.max_pool2d(x, 2, 1, "VALID", "NCHW"), [FIRST2]),
    "max_pool3d": (lambda x: tf.nn.max_pool3d(x, 2, 1, "SAME"), [X3]),
    "max_pool_with_argmax": (lambda x: tf.nn.max_pool_with_argmax(x, 2, 1, "SAME")[0], [X2]),
    "max_pool_with_argmax, batch counted": (
        lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "SAME", include_batch_in_index=True)[0],
        [(2, 3, 4, 1)],
    ),
    "avg_pool1d": (lambda x: tf.nn.avg_pool1d(x, 2, 1, "SAME"), [X1]),
    "avg_pool2d": (lambda x: tf.nn.avg_pool2d(x, [3, 2], [2, 1], "SAME"), [X2]),
    "avg_pool3d": (lambda x: tf.nn.avg_pool3d(x, 2, 2, "SAME"), [X3]),
    "pool, dilated maximum": (lambda x: tf.nn.pool(x, [2, 2], "MAX", dilations=[2, 1], padding="SAME"), [X2]),
    "pool, dilated mean": (lambda x: tf.nn.pool(x, [2, 2], "AVG", dilations=2), [X2]),
    "fractional_max_pool": (lambda x: tf.nn.fractional_max_pool(x, [1, 1.4, 1.7, 1], seed=5).output, [X2]),
    "fractional_max_pool overlapping": (
        lambda x: tf.nn.fractional_max_pool(x, 1.5, True, True, seed=5).output,
        [X2],
    ),
    "fractional_avg_pool": (lambda x: tf.nn.fractional_avg_pool(x, 1.6, overlapping=True, seed=5).output, [X2]),
    "max_unpool": (lambda v: tf.nn.max_unpool(v, AT, [1, 5, 4, 2]), [POOLED]),
    "avg_unpool": (lambda v: tf.nn.avg_unpool(v, 3, 2, "SAME", [1, 5, 4, 2]), [POOLED]),
    "avg_unpool of rows": (lambda v: tf.nn.avg_unpool(v, 3, 2, data_format="NWC"), [X1]),
    "dilation2d": (
        lambda x, w: tf.nn.dilation2d(x, w, [1, 2, 1, 1], "SAME", "NHWC", [1, 1, 2, 1]),
        [X2, (2, 2, 2)],
    ),
    "erosion2d": (lambda x, w: tf.nn.erosion2d(x, w, [1, 1, 1, 1], "VALID", "NHWC", 1), [X2, (2, 2, 2)]),
    "extract_patches": (
        lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], "SAME"),
        [X2],
    ),
    "extract_volume_patches": (
        lambda x: tf.extract_volume_patches(x, [1, 2, 2, 1, 1], [1, 1, 1, 2, 1], "SAME"),
        [X3],
    ),
    "space_to_depth": (lambda x: tf.nn.space_to_depth(x, 2), [(1, 4, 2, 1)]),
    "depth_to_space": (lambda x: tf.nn.depth_to_space(x, 2, "NCHW"), [(1, 4, 2, 1)]),
    "space_to_batch": (lambda x: tf.space_to_batch(x, [2, 2], [[1, 0], [0, 0]]), [X2]),
    "batch_to_space": (lambda x: tf.batch_to_space(x, [2, 1], [[1, 1], [0, 1]]), [(2, 3, 2)]),
    "with_space_to_batch": (
        lambda x, w: tf.nn.with_space_to_batch(x, [2, 1], "SAME", lambda y, m, p: tf.nn.conv2d(y, w, 1, p), [2, 2]),
        [X2, (2, 2, 2, 1)],
    ),
}
