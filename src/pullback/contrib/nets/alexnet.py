"""AlexNet (one tower, version 2) and OverFeat (fast model): a few large convolutions.

    stem:  conv [, pool] ...        head:  fc6, fc7, fc8 as convolutions

Source: Krizhevsky 2014 (arXiv 1404.5997); Sermanet et al. 2013.
"""

from __future__ import annotations

from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import Scope, arg_scope, contrib
from pullback.contrib.convolutions import convolution2d
from pullback.contrib.layers import dropout, fully_connected
from pullback.contrib.nets.end_points import convert_collection_to_dict, squeezed
from pullback.contrib.pooling import max_pool2d
from pullback.contrib.regularizers import l2_regularizer


def _scope(weight_decay: float, biases: Any) -> Scope:
    with (
        arg_scope(
            [convolution2d, fully_connected],
            activation_fn=tf.nn.relu,
            biases_initializer=biases,
            weights_regularizer=l2_regularizer(weight_decay),
        ),
        arg_scope([convolution2d], padding="SAME"),
        arg_scope([max_pool2d], padding="VALID") as scope,
    ):
        return scope


@contrib("slim.nets.alexnet", "alexnet_v2_arg_scope")
def alexnet_v2_arg_scope(weight_decay: float = 0.0005) -> Scope:
    """The defaults of AlexNet's layers; biases begin with 0.1."""
    return _scope(weight_decay, tf.constant_initializer(0.1))


@contrib("slim.nets.overfeat", "overfeat_arg_scope")
def overfeat_arg_scope(weight_decay: float = 0.0005) -> Scope:
    """The defaults of OverFeat's layers; biases begin with 0."""
    return _scope(weight_decay, tf.zeros_initializer())


def _head(net: Any, size: list[int], widths: tuple[int, int], num_classes: int, is_training: Any, keep: float) -> Any:
    """fc6, fc7, fc8 as convolutions, with dropout between."""
    scale = tf.truncated_normal_initializer(0.0, 0.005)
    with arg_scope([convolution2d], weights_initializer=scale, biases_initializer=tf.constant_initializer(0.1)):
        net = convolution2d(net, widths[0], size, padding="VALID", scope="fc6")
        net = dropout(net, keep, is_training=is_training, scope="dropout6")
        net = convolution2d(net, widths[1], [1, 1], scope="fc7")
        net = dropout(net, keep, is_training=is_training, scope="dropout7")
        return convolution2d(
            net,
            num_classes,
            [1, 1],
            activation_fn=None,
            normalizer_fn=None,
            biases_initializer=tf.zeros_initializer(),
            scope="fc8",
        )


def _network(name: str, stem: Any, size: list[int], widths: tuple[int, int], image: int, space: str) -> Any:
    def network(
        inputs: Any,
        num_classes: int = 1000,
        is_training: Any = True,
        dropout_keep_prob: float = 0.5,
        spatial_squeeze: bool = True,
        scope: str | None = name,
    ) -> tuple[Any, dict[str, Any]]:
        """Images [N,H,W,3] -> (logits [N,num_classes], end points).

        Args:
          is_training: whether dropout drops. dropout_keep_prob: how much it keeps.
          spatial_squeeze: take away the axes of size 1; without it larger images give logits [N,h,w,num_classes].
        """
        with tf.variable_scope(scope, name, [inputs]) as sc:
            kept = f"{sc.original_name_scope}_end_points"
            with arg_scope([convolution2d, fully_connected, max_pool2d], outputs_collections=[kept]):
                net = _head(stem(inputs), size, widths, num_classes, is_training, dropout_keep_prob)
            end_points = convert_collection_to_dict(kept)
            if spatial_squeeze:
                net = squeezed(net, "fc8/squeezed")
                end_points[f"{sc.name}/fc8"] = net
            return net, end_points

    network.__name__ = network.__qualname__ = name
    network.default_image_size = image  # type: ignore[attr-defined]
    return contrib(f"slim.nets.{space}", name)(network)


def _alexnet_stem(net: Any) -> Any:
    net = convolution2d(net, 64, [11, 11], 4, padding="VALID", scope="conv1")
    net = max_pool2d(net, [3, 3], 2, scope="pool1")
    net = convolution2d(net, 192, [5, 5], scope="conv2")
    net = max_pool2d(net, [3, 3], 2, scope="pool2")
    for i, channels in enumerate((384, 384, 256), 3):
        net = convolution2d(net, channels, [3, 3], scope=f"conv{i}")
    return max_pool2d(net, [3, 3], 2, scope="pool5")


def _overfeat_stem(net: Any) -> Any:
    net = convolution2d(net, 64, [11, 11], 4, padding="VALID", scope="conv1")
    net = max_pool2d(net, [2, 2], scope="pool1")
    net = convolution2d(net, 256, [5, 5], padding="VALID", scope="conv2")
    net = max_pool2d(net, [2, 2], scope="pool2")
    for i, channels in enumerate((512, 1024, 1024), 3):
        net = convolution2d(net, channels, [3, 3], scope=f"conv{i}")
    return max_pool2d(net, [2, 2], scope="pool5")


alexnet_v2 = _network("alexnet_v2", _alexnet_stem, [5, 5], (4096, 4096), 224, "alexnet")
overfeat = _network("overfeat", _overfeat_stem, [6, 6], (3072, 4096), 231, "overfeat")
