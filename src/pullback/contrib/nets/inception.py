"""Inception versions 1 and 3: blocks of branches side by side, each with filters of another size.

A branch is a row of layers (name, kernel, channels): the tables below are the networks. Variables:
`InceptionV3/Mixed_5b/Branch_1/Conv2d_0b_5x5/weights`, `.../BatchNorm/beta`, ..., as in TF-slim.

Source: Szegedy et al. 2014 (version 1; with batch normalisation) and 2015 (version 3).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pullback.v1 as tf
from pullback.contrib.arg_scope import Scope, arg_scope, contrib
from pullback.contrib.convolutions import convolution2d
from pullback.contrib.layers import dropout, fully_connected, softmax
from pullback.contrib.nets.end_points import squeezed
from pullback.contrib.normalization import batch_norm
from pullback.contrib.pooling import avg_pool2d, max_pool2d
from pullback.contrib.regularizers import l2_regularizer, variance_scaling_initializer
from pullback.layers.sizes import sizes_of


class Step(NamedTuple):
    """One layer of a branch: its scope, kernel (0: a maximum, -1: a mean over 3 x 3), channels; `fork` two at once."""

    scope: str
    kernel: Any
    channels: int = 0
    stride: int = 1
    padding: str = "SAME"


def _c(name: str, channels: int, kernel: Any = None, stride: int = 1) -> Step:
    """A convolution "0b_5x5": its kernel stands in its name."""
    rows, columns = name.rpartition("_")[2].split("x")
    scope = name if name.startswith("Conv") else f"Conv2d_{name}"
    return Step(scope, kernel or [int(rows), int(columns)], channels, stride, "SAME" if stride == 1 else "VALID")


_MAX, _MEAN = Step("MaxPool_0a_3x3", 0), Step("AvgPool_0a_3x3", -1)
_SHRINK = Step("MaxPool_1a_3x3", 0, 0, 2, "VALID")
Branch = list[Any]


def _block_v1(a: int, b: tuple[int, int], c: tuple[int, int], d: int, last: str = "0b_3x3") -> list[Branch]:
    return [
        [_c("0a_1x1", a)],
        [_c("0a_1x1", b[0]), _c("0b_3x3", b[1])],
        [_c("0a_1x1", c[0]), _c(last, c[1])],
        [_MAX, _c("0b_1x1", d)],
    ]


_V1: dict[str, Any] = {
    "Conv2d_1a_7x7": Step("Conv2d_1a_7x7", [7, 7], 64, 2),
    "MaxPool_2a_3x3": Step("MaxPool_2a_3x3", 0, 0, 2),
    "Conv2d_2b_1x1": _c("2b_1x1", 64),
    "Conv2d_2c_3x3": _c("2c_3x3", 192),
    "MaxPool_3a_3x3": Step("MaxPool_3a_3x3", 0, 0, 2),
    "Mixed_3b": _block_v1(64, (96, 128), (16, 32), 32),
    "Mixed_3c": _block_v1(128, (128, 192), (32, 96), 64),
    "MaxPool_4a_3x3": Step("MaxPool_4a_3x3", 0, 0, 2),
    "Mixed_4b": _block_v1(192, (96, 208), (16, 48), 64),
    "Mixed_4c": _block_v1(160, (112, 224), (24, 64), 64),
    "Mixed_4d": _block_v1(128, (128, 256), (24, 64), 64),
    "Mixed_4e": _block_v1(112, (144, 288), (32, 64), 64),
    "Mixed_4f": _block_v1(256, (160, 320), (32, 128), 128),
    "MaxPool_5a_2x2": Step("MaxPool_5a_2x2", 2, 0, 2),
    "Mixed_5b": _block_v1(256, (160, 320), (32, 128), 128, "0a_3x3"),
    "Mixed_5c": _block_v1(384, (192, 384), (48, 128), 128),
}


def _block_5(second: tuple[str, str], last: int) -> list[Branch]:
    return [
        [_c("0a_1x1", 64)],
        [_c(second[0], 48), _c(second[1], 64)],
        [_c("0a_1x1", 64), _c("0b_3x3", 96), _c("0c_3x3", 96)],
        [_MEAN, _c("0b_1x1", last)],
    ]


def _block_6(n: int) -> list[Branch]:
    return [
        [_c("0a_1x1", 192)],
        [_c("0a_1x1", n), _c("0b_1x7", n), _c("0c_7x1", 192)],
        [_c("0a_1x1", n), _c("0b_7x1", n), _c("0c_1x7", n), _c("0d_7x1", n), _c("0e_1x7", 192)],
        [_MEAN, _c("0b_1x1", 192)],
    ]


def _block_7(tall: str) -> list[Branch]:
    """Two branches end in two convolutions side by side."""
    return [
        [_c("0a_1x1", 320)],
        [_c("0a_1x1", 384), [_c("0b_1x3", 384), _c(tall, 384)]],
        [_c("0a_1x1", 448), _c("0b_3x3", 384), [_c("0c_1x3", 384), _c("0d_3x1", 384)]],
        [_MEAN, _c("0b_1x1", 192)],
    ]


_V3: dict[str, Any] = {
    "Conv2d_1a_3x3": _c("1a_3x3", 32, None, 2),
    "Conv2d_2a_3x3": Step("Conv2d_2a_3x3", [3, 3], 32, 1, "VALID"),
    "Conv2d_2b_3x3": _c("2b_3x3", 64),
    "MaxPool_3a_3x3": Step("MaxPool_3a_3x3", 0, 0, 2, "VALID"),
    "Conv2d_3b_1x1": Step("Conv2d_3b_1x1", [1, 1], 80, 1, "VALID"),
    "Conv2d_4a_3x3": Step("Conv2d_4a_3x3", [3, 3], 192, 1, "VALID"),
    "MaxPool_5a_3x3": Step("MaxPool_5a_3x3", 0, 0, 2, "VALID"),
    "Mixed_5b": _block_5(("0a_1x1", "0b_5x5"), 32),
    "Mixed_5c": _block_5(("0b_1x1", "Conv_1_0c_5x5"), 64),
    "Mixed_5d": _block_5(("0a_1x1", "0b_5x5"), 64),
    "Mixed_6a": [
        [_c("1a_1x1", 384, [3, 3], 2)],
        [_c("0a_1x1", 64), _c("0b_3x3", 96), _c("1a_1x1", 96, [3, 3], 2)],
        [_SHRINK],
    ],
    "Mixed_6b": _block_6(128),
    "Mixed_6c": _block_6(160),
    "Mixed_6d": _block_6(160),
    "Mixed_6e": _block_6(192),
    "Mixed_7a": [
        [_c("0a_1x1", 192), _c("1a_3x3", 320, None, 2)],
        [_c("0a_1x1", 192), _c("0b_1x7", 192), _c("0c_7x1", 192), _c("1a_3x3", 192, None, 2)],
        [_SHRINK],
    ],
    "Mixed_7b": _block_7("0b_3x1"),
    "Mixed_7c": _block_7("0c_3x1"),
}


def _layer(net: Any, step: Any, depth: Any) -> Any:
    if isinstance(step, list):
        return tf.concat([_layer(net, s, depth) for s in step], 3)
    if isinstance(step.kernel, list):
        return convolution2d(
            net, depth(step.channels), step.kernel, stride=step.stride, padding=step.padding, scope=step.scope
        )
    pool = avg_pool2d if step.kernel == -1 else max_pool2d
    return pool(
        net, step.kernel if step.kernel > 0 else [3, 3], stride=step.stride, padding=step.padding, scope=step.scope
    )


def _base(net: Any, table: dict[str, Any], final: str, depth: Any) -> tuple[Any, dict[str, Any]]:
    """The network up to one of its end points.

    Raises:
      ValueError: there is no such end point.
    """
    if final not in table:
        raise ValueError(f"Unknown final endpoint {final}; there are {', '.join(table)}")
    end_points: dict[str, Any] = {}
    for name, what in table.items():
        if isinstance(what, Step):
            net = _layer(net, what, depth)
        else:
            with tf.variable_scope(name):
                ends = []
                for i, branch in enumerate(what):
                    with tf.variable_scope(f"Branch_{i}"):
                        end = net
                        for step in branch:
                            end = _layer(end, step, depth)
                    ends.append(end)
                net = tf.concat(ends, 3)
        end_points[name] = net
        if name == final:
            break
    return net, end_points


@contrib("slim.nets.inception slim.nets.inception_v1", "inception_v1_base")
def inception_v1_base(inputs: Any, final_endpoint: str = "Mixed_5c", scope: str = "InceptionV1") -> Any:
    """(net, end points) of version 1 without logits, up to final_endpoint."""
    normal = tf.truncated_normal_initializer(0.0, 0.01)
    with (
        tf.variable_scope(scope, "InceptionV1", [inputs]),
        arg_scope([convolution2d, fully_connected], weights_initializer=normal),
        arg_scope([convolution2d, max_pool2d], stride=1, padding="SAME"),
    ):
        return _base(inputs, _V1, final_endpoint, lambda channels: channels)


@contrib("slim.nets.inception slim.nets.inception_v1", "inception_v1")
def inception_v1(
    inputs: Any,
    num_classes: int = 1000,
    is_training: Any = True,
    dropout_keep_prob: float = 0.8,
    prediction_fn: Any = softmax,
    spatial_squeeze: bool = True,
    reuse: Any = None,
    scope: str = "InceptionV1",
) -> tuple[Any, dict[str, Any]]:
    """GoogLeNet on images [N,224,224,3] in [-1, 1] -> (logits [N,num_classes], end points).

    Args:
      is_training: of dropout and batch_norm. dropout_keep_prob: how much is kept before the logits.
      prediction_fn: makes `Predictions` of the logits. spatial_squeeze: take away the axes of size 1.
    """
    with (
        tf.variable_scope(scope, "InceptionV1", [inputs, num_classes], reuse=reuse) as sc,
        arg_scope([batch_norm, dropout], is_training=is_training),
    ):
        net, end_points = inception_v1_base(inputs, scope=sc)
        with tf.variable_scope("Logits"):
            net = avg_pool2d(net, [7, 7], stride=1, scope="MaxPool_0a_7x7")
            net = dropout(net, dropout_keep_prob, scope="Dropout_0b")
            logits = convolution2d(
                net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="Conv2d_0c_1x1"
            )
            logits = squeezed(logits, "SpatialSqueeze") if spatial_squeeze else logits
        return _with_predictions(logits, end_points, prediction_fn)


def _with_predictions(logits: Any, end_points: dict[str, Any], prediction_fn: Any) -> tuple[Any, dict[str, Any]]:
    end_points["Logits"] = logits
    end_points["Predictions"] = prediction_fn(logits, scope="Predictions")
    return logits, end_points


def _deep(depth_multiplier: float, min_depth: int) -> Any:
    """How many channels stand for so many.

    Raises:
      ValueError: the multiplier is not positive.
    """
    if depth_multiplier <= 0:
        raise ValueError("depth_multiplier is not greater than zero.")
    return lambda channels: max(int(channels * depth_multiplier), min_depth)


@contrib("slim.nets.inception slim.nets.inception_v3", "inception_v3_base")
def inception_v3_base(
    inputs: Any,
    final_endpoint: str = "Mixed_7c",
    min_depth: int = 16,
    depth_multiplier: float = 1.0,
    scope: str | None = None,
) -> Any:
    """(net, end points) of version 3 without logits, up to final_endpoint.

    depth_multiplier: makes all layers wider or narrower, but min_depth channels at least.
    """
    with (
        tf.variable_scope(scope, "InceptionV3", [inputs]),
        arg_scope([convolution2d, max_pool2d, avg_pool2d], stride=1, padding="SAME"),
    ):
        return _base(inputs, _V3, final_endpoint, _deep(depth_multiplier, min_depth))


@contrib("slim.nets.inception slim.nets.inception_v3", "inception_v3")
def inception_v3(
    inputs: Any,
    num_classes: int = 1000,
    is_training: Any = True,
    dropout_keep_prob: float = 0.8,
    min_depth: int = 16,
    depth_multiplier: float = 1.0,
    prediction_fn: Any = softmax,
    spatial_squeeze: bool = True,
    reuse: Any = None,
    scope: str = "InceptionV3",
) -> tuple[Any, dict[str, Any]]:
    """Inception version 3 on images [N,299,299,3] in [-1, 1] -> (logits [N,num_classes], end points).

    Arguments as of `inception_v1` and `inception_v3_base`. `AuxLogits` are those of a second end, at Mixed_6e.
    """
    deep = _deep(depth_multiplier, min_depth)
    bare: dict[str, Any] = {"activation_fn": None, "normalizer_fn": None}
    with (
        tf.variable_scope(scope, "InceptionV3", [inputs, num_classes], reuse=reuse) as sc,
        arg_scope([batch_norm, dropout], is_training=is_training),
    ):
        net, end_points = inception_v3_base(inputs, "Mixed_7c", min_depth, depth_multiplier, scope=sc)
        with arg_scope([convolution2d, max_pool2d, avg_pool2d], stride=1, padding="SAME"):
            with tf.variable_scope("AuxLogits"):
                aux = avg_pool2d(end_points["Mixed_6e"], [5, 5], stride=3, padding="VALID", scope="AvgPool_1a_5x5")
                aux = convolution2d(aux, deep(128), [1, 1], scope="Conv2d_1b_1x1")
                size = _reduced(aux, 5)
                small, smaller = (tf.truncated_normal_initializer(0.0, s) for s in (0.01, 0.001))
                name = f"Conv2d_2a_{size[0]}x{size[1]}"
                aux = convolution2d(aux, deep(768), size, weights_initializer=small, padding="VALID", scope=name)
                aux = convolution2d(
                    aux, num_classes, [1, 1], weights_initializer=smaller, scope="Conv2d_2b_1x1", **bare
                )
                end_points["AuxLogits"] = squeezed(aux, "SpatialSqueeze") if spatial_squeeze else aux
            with tf.variable_scope("Logits"):
                size = _reduced(net, 8)
                net = avg_pool2d(net, size, padding="VALID", scope=f"AvgPool_1a_{size[0]}x{size[1]}")
                net = dropout(net, dropout_keep_prob, scope="Dropout_1b")
                end_points["PreLogits"] = net
                logits = convolution2d(net, num_classes, [1, 1], scope="Conv2d_1c_1x1", **bare)
                logits = squeezed(logits, "SpatialSqueeze") if spatial_squeeze else logits
        return _with_predictions(logits, end_points, prediction_fn)


def _reduced(net: Any, most: int) -> list[int]:
    """A kernel of most x most, or as large as the map is."""
    return [min(n, most) if isinstance(n, int) else most for n in sizes_of(net)[1:3]]


def _arg_scope(version: int) -> Any:
    name = f"inception_v{version}_arg_scope"

    def inception_arg_scope(
        weight_decay: float = 0.00004, use_batch_norm: bool = True, batch_norm_var_collection: str = "moving_vars"
    ) -> Scope:
        """The defaults of Inception's layers.

        Args:
          weight_decay: the factor of the weights' squares in the loss. use_batch_norm: normalise each layer.
          batch_norm_var_collection: where moving means and variances are collected.
        """
        moving = [batch_norm_var_collection]
        normalized = {
            "decay": 0.9997,
            "epsilon": 0.001,
            "updates_collections": tf.GraphKeys.UPDATE_OPS,
            "variables_collections": {"beta": None, "gamma": None, "moving_mean": moving, "moving_variance": moving},
        }
        with (
            arg_scope([convolution2d, fully_connected], weights_regularizer=l2_regularizer(weight_decay)),
            arg_scope(
                [convolution2d],
                weights_initializer=variance_scaling_initializer(),
                activation_fn=tf.nn.relu,
                normalizer_fn=batch_norm if use_batch_norm else None,
                normalizer_params=normalized if use_batch_norm else {},
            ) as scope,
        ):
            return scope

    inception_arg_scope.__name__ = inception_arg_scope.__qualname__ = name
    return contrib(f"slim.nets.inception slim.nets.inception_v{version}", name)(inception_arg_scope)


inception_v1_arg_scope, inception_v3_arg_scope = _arg_scope(1), _arg_scope(3)
inception_v1.default_image_size = 224  # type: ignore[attr-defined]
inception_v3.default_image_size = 299  # type: ignore[attr-defined]
