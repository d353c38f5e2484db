"""MobileNetV2: units that widen, filter each channel by itself, and narrow again. Source: Sandler et al. 2018."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.layers import phase
from pullback.layers.activation_layers import ReLU
from pullback.layers.convolution import Conv2D
from pullback.layers.merging import Add
from pullback.layers.normalization import BatchNormalization
from pullback.layers.pooling import GlobalAveragePooling2D
from pullback.layers.reshaping import ZeroPadding2D
from pullback.layers.separable import DepthwiseConv2D
from pullback.networks.applications.parts import check_weights, classified, finished, image_input, pooled

# Filters, stride of the first unit, units, how much a unit widens.
_STAGES = ((16, 1, 1, 1), (24, 2, 2, 6), (32, 2, 3, 6), (64, 2, 4, 6), (96, 1, 3, 6), (160, 2, 3, 6), (320, 1, 1, 6))


def _whole(channels: float) -> int:
    """A multiple of 8 near a number of channels, at least 8 and not below nine tenths of it."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


def _axis() -> int:
    return 3 if phase.image_data_format() == "channels_last" else 1


def _normalised(x: Any, name: str) -> Any:
    return BatchNormalization(axis=_axis(), epsilon=1e-3, momentum=0.999, name=name)(x)


def _halving(x: Any, name: str) -> Any:
    """Padding in front of a 3 x 3 convolution of stride 2: one more pixel behind where the size is even."""
    first = phase.image_data_format() == "channels_first"
    sides = x.spec.shape[2:] if first else x.spec.shape[1:3]
    ends = [(1 if n is None else n % 2, 1) for n in sides]
    return ZeroPadding2D(tuple(ends), name=name)(x)


def _unit(x: Any, widen: int, stride: int, channels: int, block: int) -> Any:
    width, given = x.spec.shape[_axis()], x
    prefix = f"block_{block}_" if block else "expanded_conv_"
    if block:
        x = Conv2D(widen * width, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = ReLU(6.0, name=f"{prefix}expand_relu")(_normalised(x, f"{prefix}expand_BN"))
    x = _halving(x, f"{prefix}pad") if stride == 2 else x
    padding = "same" if stride == 1 else "valid"
    x = DepthwiseConv2D(3, strides=stride, use_bias=False, padding=padding, name=f"{prefix}depthwise")(x)
    x = ReLU(6.0, name=f"{prefix}depthwise_relu")(_normalised(x, f"{prefix}depthwise_BN"))
    x = Conv2D(channels, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _normalised(x, f"{prefix}project_BN")
    return Add(name=f"{prefix}add")([given, x]) if width == channels and stride == 1 else x


@public("keras.applications.MobileNetV2", "keras.applications.mobilenet_v2.MobileNetV2")
def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Any:
    """MobileNet, version 2, as a model of images [N,224,224,3].

    alpha: makes all layers wider or narrower. Other arguments as of VGG16.
    """
    top = "" if include_top else "_no_top"
    check_weights(weights, "MobileNetV2", f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_224{top}.h5")
    inputs = image_input(input_shape, input_tensor, 224, include_top, 32)
    x = Conv2D(_whole(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(inputs)
    x = ReLU(6.0, name="Conv1_relu")(_normalised(x, "bn_Conv1"))
    block = 0
    for filters, stride, units, widen in _STAGES:
        for i in range(units):
            x = _unit(x, widen, stride if i == 0 else 1, _whole(filters * alpha), block)
            block += 1
    last = _whole(1280 * alpha) if alpha > 1.0 else 1280
    x = Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    x = ReLU(6.0, name="out_relu")(_normalised(x, "Conv_1_bn"))
    if include_top:
        x = classified(GlobalAveragePooling2D()(x), classes, classifier_activation)
    else:
        x = pooled(x, pooling)
    side = 224 if None in inputs.spec.shape[1:3] else inputs.spec.shape[1]
    return finished(inputs, x, name or f"mobilenetv2_{alpha:0.2f}_{side}", weights)
