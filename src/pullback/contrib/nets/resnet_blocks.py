"""What residual networks share: blocks of units, strides that may become dilations, and their arg scope.

    unit(x) = shortcut(x) + residual(x)        a block: its last unit strides (not the first, as in the paper)

Source: He et al. 2015 and 2016; output_stride as in Chen et al. 2017 (atrous convolution).
"""

from __future__ import annotations

import collections
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import Scope, add_arg_scope, arg_scope, contrib
from pullback.contrib.convolutions import convolution2d
from pullback.contrib.normalization import batch_norm
from pullback.contrib.pooling import max_pool2d
from pullback.contrib.regularizers import l2_regularizer, variance_scaling_initializer
from pullback.contrib.variables import noted

_SPACE = "slim.nets.resnet_utils"


@contrib(_SPACE, "Block")
class Block(collections.namedtuple("Block", ["scope", "unit_fn", "args"])):
    """A block: its scope, the function of a unit, and that function's arguments for each unit."""

    __slots__ = ()


@contrib(_SPACE, "subsample")
def subsample(inputs: Any, factor: int, scope: Any = None) -> Any:
    """Every factor-th pixel."""
    return inputs if factor == 1 else max_pool2d(inputs, [1, 1], stride=factor, scope=scope)


@contrib(_SPACE, "conv2d_same")
def conv2d_same(inputs: Any, num_outputs: int, kernel_size: int, stride: int, rate: int = 1, scope: Any = None) -> Any:
    """A convolution whose padding hangs on the kernel alone, so that a stride takes every stride-th of its outputs."""
    if stride == 1:
        return convolution2d(inputs, num_outputs, kernel_size, stride=1, rate=rate, padding="SAME", scope=scope)
    whole = kernel_size + (kernel_size - 1) * (rate - 1) - 1
    ends = [whole // 2, whole - whole // 2]
    inputs = tf.pad(inputs, [[0, 0], ends, ends, [0, 0]])
    return convolution2d(inputs, num_outputs, kernel_size, stride=stride, rate=rate, padding="VALID", scope=scope)


@contrib(_SPACE, "stack_blocks_dense")
@add_arg_scope
def stack_blocks_dense(net: Any, blocks: Any, output_stride: int | None = None, outputs_collections: Any = None) -> Any:
    """The blocks one behind the other. Once the image is 1/output_stride as large, strides become dilations.

    Raises:
      ValueError: output_stride is not reached exactly.
    """
    now, rate = 1, 1
    for block in blocks:
        with tf.variable_scope(block.scope, "block", [net]):
            for i, unit in enumerate(block.args):
                if output_stride is not None and now > output_stride:
                    raise ValueError("The target output_stride cannot be reached.")
                with tf.variable_scope(f"unit_{i + 1}", values=[net]):
                    if output_stride is not None and now == output_stride:
                        net = block.unit_fn(net, rate=rate, **{**unit, "stride": 1})
                        rate *= unit.get("stride", 1)
                    else:
                        net = block.unit_fn(net, rate=1, **unit)
                        now *= unit.get("stride", 1)
            net = noted(net, outputs_collections)
    if output_stride is not None and now != output_stride:
        raise ValueError("The target output_stride cannot be reached.")
    return net


@contrib(f"{_SPACE} slim.nets.resnet_v1 slim.nets.resnet_v2", "resnet_arg_scope")
def resnet_arg_scope(
    weight_decay: float = 0.0001,
    batch_norm_decay: float = 0.997,
    batch_norm_epsilon: float = 1e-5,
    batch_norm_scale: bool = True,
) -> Scope:
    """The defaults of residual networks' layers.

    Args:
      weight_decay: the factor of the weights' squares in the loss.
      batch_norm_decay, batch_norm_epsilon, batch_norm_scale: decay, epsilon and scale of batch_norm.
    """
    normalized = {
        "decay": batch_norm_decay,
        "epsilon": batch_norm_epsilon,
        "scale": batch_norm_scale,
        "updates_collections": tf.GraphKeys.UPDATE_OPS,
        "fused": None,
    }
    with (
        arg_scope(
            [convolution2d],
            weights_regularizer=l2_regularizer(weight_decay),
            weights_initializer=variance_scaling_initializer(),
            activation_fn=tf.nn.relu,
            normalizer_fn=batch_norm,
            normalizer_params=normalized,
        ),
        arg_scope([batch_norm], **normalized),
        arg_scope([max_pool2d], padding="SAME") as scope,
    ):
        return scope
