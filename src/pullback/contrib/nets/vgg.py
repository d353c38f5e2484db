"""VGG of 11, 16 and 19 layers: convolutions of 3 x 3, in groups that halve the image.

Source: Simonyan & Zisserman 2014, configurations A, D, E; fully connected layers as convolutions, as in TF-slim.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import Scope, arg_scope, contrib
from pullback.contrib.convolutions import convolution2d
from pullback.contrib.layers import dropout, fully_connected, repeat
from pullback.contrib.nets.end_points import convert_collection_to_dict, squeezed
from pullback.contrib.pooling import max_pool2d
from pullback.contrib.regularizers import l2_regularizer

_CHANNELS = (64, 128, 256, 512, 512)


@contrib("slim.nets.vgg", "vgg_arg_scope")
def vgg_arg_scope(weight_decay: float = 0.0005) -> Scope:
    """The defaults of VGG's layers. weight_decay: the factor of the weights' squares in the loss."""
    with (
        arg_scope(
            [convolution2d, fully_connected],
            activation_fn=tf.nn.relu,
            weights_regularizer=l2_regularizer(weight_decay),
            biases_initializer=tf.zeros_initializer(),
        ),
        arg_scope([convolution2d], padding="SAME") as scope,
    ):
        return scope


def _vgg(name: str, layers: tuple[int, ...]) -> Callable[..., Any]:
    """A network with so many convolutions a group."""

    def vgg(
        inputs: Any,
        num_classes: int = 1000,
        is_training: Any = True,
        dropout_keep_prob: float = 0.5,
        spatial_squeeze: bool = True,
        scope: str | None = name,
        fc_conv_padding: str = "VALID",
    ) -> tuple[Any, dict[str, Any]]:
        """VGG on images [N,224,224,3] (mean subtracted) -> (logits [N,num_classes], end points).

        Args:
          is_training: whether dropout drops. dropout_keep_prob: how much it keeps.
          spatial_squeeze: take away the axes of size 1; without it larger images give logits [N,h,w,num_classes].
          fc_conv_padding: "SAME" keeps the map's size before the logits.
        Variables: `vgg_16/conv1/conv1_1/weights`, ..., `vgg_16/fc8/biases`.
        """
        with tf.variable_scope(scope, name, [inputs]) as sc:
            kept = f"{sc.original_name_scope}_end_points"
            with arg_scope([convolution2d, fully_connected, max_pool2d], outputs_collections=kept):
                net = inputs
                for i, (count, channels) in enumerate(zip(layers, _CHANNELS, strict=True), 1):
                    net = repeat(net, count, convolution2d, channels, [3, 3], scope=f"conv{i}")
                    net = max_pool2d(net, [2, 2], scope=f"pool{i}")
                net = convolution2d(net, 4096, [7, 7], padding=fc_conv_padding, scope="fc6")
                net = dropout(net, dropout_keep_prob, is_training=is_training, scope="dropout6")
                net = convolution2d(net, 4096, [1, 1], scope="fc7")
                net = dropout(net, dropout_keep_prob, is_training=is_training, scope="dropout7")
                net = convolution2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="fc8")
            end_points = convert_collection_to_dict(kept)
            if spatial_squeeze:
                net = squeezed(net, "fc8/squeezed")
                end_points[f"{sc.name}/fc8"] = net
            return net, end_points

    vgg.__name__ = vgg.__qualname__ = name
    vgg.default_image_size = 224  # type: ignore[attr-defined]
    return contrib("slim.nets.vgg", name)(vgg)


vgg_a = _vgg("vgg_a", (1, 1, 2, 2, 2))
vgg_16 = _vgg("vgg_16", (2, 2, 3, 3, 3))
vgg_19 = _vgg("vgg_19", (2, 2, 4, 4, 4))
