"""Residual networks: version 1 normalises behind each convolution, version 2 before it.

    v1: relu(shortcut + conv3(conv2(conv1(x))))        v2: p = relu(norm(x)); shortcut(p or x) + conv3(conv2(conv1(p)))

Source: He et al. 2015 (arXiv 1512.03385) and 2016 (1603.05027). Variables: `resnet_v1_50/conv1/weights`,
`resnet_v1_50/block1/unit_1/bottleneck_v1/conv1/BatchNorm/gamma`, ..., `resnet_v1_50/logits/biases`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import add_arg_scope, arg_scope, contrib
from pullback.contrib.convolutions import convolution2d
from pullback.contrib.layers import softmax
from pullback.contrib.nets.end_points import convert_collection_to_dict
from pullback.contrib.nets.resnet_blocks import Block, conv2d_same, stack_blocks_dense, subsample
from pullback.contrib.normalization import batch_norm
from pullback.contrib.pooling import max_pool2d
from pullback.contrib.variables import noted
from pullback.layers.sizes import sizes_of

# Depth -> units of each block.
DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}


@contrib("slim.nets.resnet_v1", "bottleneck")
@add_arg_scope
def bottleneck_v1(
    inputs: Any, depth: int, depth_bottleneck: int, stride: int, rate: int = 1, outputs_collections: Any = None,
    scope: Any = None,
) -> Any:  # fmt: skip
    """A unit of version 1: 1 x 1, 3 x 3 (strides), 1 x 1. x [N,H,W,C] -> [N,H/stride,W/stride,depth]"""
    with tf.variable_scope(scope, "bottleneck_v1", [inputs]):
        if sizes_of(inputs)[-1] == depth:
            shortcut = subsample(inputs, stride, "shortcut")
        else:
            shortcut = convolution2d(inputs, depth, [1, 1], stride=stride, activation_fn=None, scope="shortcut")
        residual = convolution2d(inputs, depth_bottleneck, [1, 1], stride=1, scope="conv1")
        residual = conv2d_same(residual, depth_bottleneck, 3, stride, rate=rate, scope="conv2")
        residual = convolution2d(residual, depth, [1, 1], stride=1, activation_fn=None, scope="conv3")
        return noted(tf.nn.relu(shortcut + residual), outputs_collections)


@contrib("slim.nets.resnet_v2", "bottleneck")
@add_arg_scope
def bottleneck_v2(
    inputs: Any, depth: int, depth_bottleneck: int, stride: int, rate: int = 1, outputs_collections: Any = None,
    scope: Any = None,
) -> Any:  # fmt: skip
    """A unit of version 2: normalised first. x [N,H,W,C] -> [N,H/stride,W/stride,depth]"""
    with tf.variable_scope(scope, "bottleneck_v2", [inputs]):
        before = batch_norm(inputs, activation_fn=tf.nn.relu, scope="preact")
        bare: dict[str, Any] = {"normalizer_fn": None, "activation_fn": None}
        if sizes_of(inputs)[-1] == depth:
            shortcut = subsample(inputs, stride, "shortcut")
        else:
            shortcut = convolution2d(before, depth, [1, 1], stride=stride, scope="shortcut", **bare)
        residual = convolution2d(before, depth_bottleneck, [1, 1], stride=1, scope="conv1")
        residual = conv2d_same(residual, depth_bottleneck, 3, stride, rate=rate, scope="conv2")
        residual = convolution2d(residual, depth, [1, 1], stride=1, scope="conv3", **bare)
        return noted(shortcut + residual, outputs_collections)


def _resnet(version: int) -> Callable[..., Any]:
    name = f"resnet_v{version}"

    def resnet(
        inputs: Any,
        blocks: Any,
        num_classes: int | None = None,
        is_training: Any = True,
        global_pool: bool = True,
        output_stride: int | None = None,
        include_root_block: bool = True,
        reuse: Any = None,
        scope: str | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """A residual network of these blocks.

        Args:
          inputs: [N,H,W,C]. num_classes: None gives the features before the logits.
          is_training: whether batch_norm takes the batch's mean and variance.
          global_pool: take the mean over the image. output_stride: how much smaller the map is than the image, at most;
          strides beyond become dilations. include_root_block: begin with a convolution of 7 x 7 and a pool.
        Returns:
          (net [N,1,1,num_classes], end points).
        Raises:
          ValueError: output_stride is no multiple of 4, or cannot be reached.
        """
        with tf.variable_scope(scope, name, [inputs], reuse=reuse) as sc:
            kept = f"{sc.original_name_scope}_end_points"
            bottleneck = bottleneck_v1 if version == 1 else bottleneck_v2
            noting = [convolution2d, bottleneck, stack_blocks_dense]
            with arg_scope(noting, outputs_collections=kept), arg_scope([batch_norm], is_training=is_training):
                net = inputs
                if include_root_block:
                    if output_stride is not None and output_stride % 4:
                        raise ValueError("The output_stride needs to be a multiple of 4.")
                    output_stride = None if output_stride is None else output_stride // 4
                    net = _root(net, version)
                net = stack_blocks_dense(net, blocks, output_stride)
                if version == 2:
                    net = batch_norm(net, activation_fn=tf.nn.relu, scope="postnorm")
                if global_pool:
                    net = tf.reduce_mean(net, [1, 2], name="pool5", keepdims=True)
                if num_classes is not None:
                    net = convolution2d(
                        net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="logits"
                    )
            end_points = convert_collection_to_dict(kept)
            if num_classes is not None:
                end_points["predictions"] = softmax(net, scope="predictions")
            return net, end_points

    resnet.__name__ = resnet.__qualname__ = name
    return contrib(f"slim.nets.{name}", name)(resnet)


def _root(net: Any, version: int) -> Any:
    """7 x 7 with stride 2, and a pool: version 2 normalises later."""
    if version == 1:
        net = conv2d_same(net, 64, 7, stride=2, scope="conv1")
    else:
        with arg_scope([convolution2d], activation_fn=None, normalizer_fn=None):
            net = conv2d_same(net, 64, 7, stride=2, scope="conv1")
    return max_pool2d(net, [3, 3], stride=2, scope="pool1")


def _block(version: int) -> Callable[..., Block]:
    def block(scope: str, base_depth: int, num_units: int, stride: int) -> Block:
        """num_units units of 4 base_depth outputs; the last one strides."""
        unit = {"depth": base_depth * 4, "depth_bottleneck": base_depth}
        units = [{**unit, "stride": 1}] * (num_units - 1) + [{**unit, "stride": stride}]
        return Block(scope, bottleneck_v1 if version == 1 else bottleneck_v2, units)

    block.__name__ = block.__qualname__ = f"resnet_v{version}_block"
    return contrib(f"slim.nets.resnet_v{version}", block.__name__)(block)


def _of_depth(version: int, depth: int) -> Callable[..., Any]:
    name = f"resnet_v{version}_{depth}"

    def network(
        inputs: Any,
        num_classes: int | None = None,
        is_training: Any = True,
        global_pool: bool = True,
        output_stride: int | None = None,
        reuse: Any = None,
        scope: str | None = name,
    ) -> tuple[Any, dict[str, Any]]:
        """The published network of this depth; arguments as of `resnet_v1`."""
        made = resnet_v1_block if version == 1 else resnet_v2_block
        blocks = [made(f"block{i}", 32 * 2**i, units, 2 if i < 4 else 1) for i, units in enumerate(DEPTHS[depth], 1)]
        whole = resnet_v1 if version == 1 else resnet_v2
        return whole(inputs, blocks, num_classes, is_training, global_pool, output_stride, True, reuse, scope)

    network.__name__ = network.__qualname__ = name
    network.default_image_size = 224  # type: ignore[attr-defined]
    return contrib(f"slim.nets.resnet_v{version}", name)(network)


resnet_v1, resnet_v2 = _resnet(1), _resnet(2)
resnet_v1_block, resnet_v2_block = _block(1), _block(2)
resnet_v1_50, resnet_v1_101, resnet_v1_152, resnet_v1_200 = (_of_depth(1, depth) for depth in DEPTHS)
resnet_v2_50, resnet_v2_101, resnet_v2_152, resnet_v2_200 = (_of_depth(2, depth) for depth in DEPTHS)
