"""`slim.nets`: names of variables as in TF-slim's checkpoints, shapes of end points, numbers of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.contrib.arg_scope import arg_scope
from pullback.contrib.nets import alexnet, inception, resnet, resnet_blocks, vgg

# Network, its arg scope, image size, parameters as published (those of TF-slim's checkpoints, for 1000 classes).
NETWORKS = {
    "vgg_16": (vgg.vgg_16, vgg.vgg_arg_scope, 224, 138_357_544),
    "vgg_19": (vgg.vgg_19, vgg.vgg_arg_scope, 224, 143_667_240),
    "resnet_v1_50": (resnet.resnet_v1_50, resnet_blocks.resnet_arg_scope, 224, 25_557_032),
    "resnet_v2_50": (resnet.resnet_v2_50, resnet_blocks.resnet_arg_scope, 224, 25_568_360),
    "InceptionV3": (inception.inception_v3, inception.inception_v3_arg_scope, 299, None),
    "InceptionV1": (inception.inception_v1, inception.inception_v1_arg_scope, 224, None),
    "alexnet_v2": (alexnet.alexnet_v2, alexnet.alexnet_v2_arg_scope, 224, None),
    "overfeat": (alexnet.overfeat, alexnet.overfeat_arg_scope, 231, None),
}
SOME_VARIABLES = {
    "vgg_16": {"conv1/conv1_1/weights": [3, 3, 3, 64], "fc6/weights": [7, 7, 512, 4096], "fc8/biases": [1000]},
    "resnet_v1_50": {
        "conv1/weights": [7, 7, 3, 64],
        "conv1/BatchNorm/moving_mean": [64],
        "block1/unit_1/bottleneck_v1/shortcut/BatchNorm/gamma": [256],
        "block4/unit_3/bottleneck_v1/conv3/weights": [1, 1, 512, 2048],
        "logits/biases": [1000],
    },
    "resnet_v2_50": {
        "conv1/biases": [64],
        "block2/unit_4/bottleneck_v2/preact/beta": [512],
        "block1/unit_1/bottleneck_v2/shortcut/biases": [256],
        "postnorm/gamma": [2048],
    },
    "InceptionV3": {
        "Conv2d_1a_3x3/BatchNorm/beta": [32],
        "Mixed_5c/Branch_1/Conv_1_0c_5x5/weights": [5, 5, 48, 64],
        "Mixed_6a/Branch_0/Conv2d_1a_1x1/weights": [3, 3, 288, 384],
        "Mixed_7b/Branch_1/Conv2d_0b_3x1/weights": [3, 1, 384, 384],
        "AuxLogits/Conv2d_2a_5x5/weights": [5, 5, 128, 768],
        "Logits/Conv2d_1c_1x1/weights": [1, 1, 2048, 1000],
    },
    "InceptionV1": {
        "Mixed_5b/Branch_2/Conv2d_0a_3x3/weights": [3, 3, 32, 128],
        "Logits/Conv2d_0c_1x1/biases": [1000],
    },
    "alexnet_v2": {"conv1/weights": [11, 11, 3, 64], "fc6/weights": [5, 5, 256, 4096]},
    "overfeat": {"fc6/weights": [6, 6, 1024, 3072]},
}


def built(name: str, **settings: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """(net, end points, {variable's name within the network: variable})"""
    network, scope, size, _ = NETWORKS[name]
    images = tf.placeholder(tf.float32, [2, size, size, 3])
    with arg_scope(scope()):
        net, end_points = network(images, 1000, is_training=False, **settings)
    return net, end_points, {v.op.name.partition("/")[2]: v for v in tf.global_variables()}


@pytest.mark.parametrize("name", NETWORKS)
def test_variables_are_those_of_published_checkpoints(name: str) -> None:
    with tf.Graph().as_default():
        net, _, variables = built(name)
        assert [v.op.name for v in tf.global_variables() if not v.op.name.startswith(f"{name}/")] == []
        for inner, shape in SOME_VARIABLES.get(name, {}).items():
            assert variables[inner].shape.as_list() == shape
        assert net.shape.as_list()[-1] == 1000
        published = NETWORKS[name][3]
        if published:
            assert sum(int(v.shape.num_elements() or 0) for v in tf.trainable_variables()) == published


def test_end_points_are_named_by_their_scopes() -> None:
    with tf.Graph().as_default():
        _, end_points, _ = built("vgg_16")
        assert end_points["vgg_16/pool5"].shape.as_list() == [2, 7, 7, 512]
        assert end_points["vgg_16/conv3/conv3_3"].op.name == "vgg_16/conv3/conv3_3/Relu"
        assert end_points["vgg_16/fc8"].shape.as_list() == [2, 1000]
        _, end_points, _ = built("resnet_v1_50", output_stride=8)
        assert end_points["resnet_v1_50/block4"].shape.as_list() == [2, 28, 28, 2048]
        assert end_points["resnet_v1_50/block1/unit_3/bottleneck_v1"].shape.as_list() == [2, 28, 28, 256]
        assert end_points["predictions"].shape.as_list() == [2, 1, 1, 1000]


def test_inception_ends_where_asked() -> None:
    with tf.Graph().as_default():
        images = tf.placeholder(tf.float32, [1, 299, 299, 3])
        net, end_points = inception.inception_v3_base(images, "Mixed_6a", depth_multiplier=0.5)
        assert net.shape.as_list() == [1, 17, 17, 192 + 48 + 144]
        assert list(end_points)[-1] == "Mixed_6a"
        with pytest.raises(ValueError, match="Unknown final endpoint"):
            inception.inception_v1_base(images, "Mixed_9z")


def test_dilated_features_hold_the_strided_ones() -> None:
    """Without strides but with dilations a residual network computes what it did, between more pixels."""
    with tf.Graph().as_default(), tf.Session() as session:
        images = tf.constant(np.random.RandomState(0).rand(1, 33, 33, 3), tf.float32)
        block = resnet.resnet_v1_block
        blocks = [block("block1", 1, 2, 2), block("block2", 2, 2, 2)]
        with arg_scope(resnet_blocks.resnet_arg_scope()):
            plain, _ = resnet.resnet_v1(images, blocks, is_training=False, global_pool=False, scope="net")
            dense, _ = resnet.resnet_v1(
                images, blocks, is_training=False, global_pool=False, output_stride=4, scope="net", reuse=True
            )
        session.run(tf.global_variables_initializer())
        strided, whole = session.run([plain, dense])
    np.testing.assert_allclose(whole[:, ::4, ::4], strided, rtol=1e-4, atol=1e-5)
