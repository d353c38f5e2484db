"""ResNet50. Source: He et al. 2015; strides in the first unit of a stage, as in Keras."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.layers import phase
from pullback.layers.convolution import Conv2D
from pullback.layers.dense import Activation
from pullback.layers.merging import Add
from pullback.layers.normalization import BatchNormalization
from pullback.layers.pooling import GlobalAveragePooling2D, MaxPooling2D
from pullback.layers.reshaping import ZeroPadding2D
from pullback.networks.applications.parts import check_weights, classified, finished, image_input, pooled


def _normalised(x: Any, name: str) -> Any:
    axis = 3 if phase.image_data_format() == "channels_last" else 1
    return BatchNormalization(axis=axis, epsilon=1.001e-5, name=f"{name}_bn")(x)


def _unit(x: Any, filters: int, stride: int, conv_shortcut: bool, name: str) -> Any:
    """1 x 1 (strides), 3 x 3, 1 x 1, beside a shortcut."""
    shortcut = x
    for i, (count, kernel, step) in enumerate(((filters, 1, stride), (filters, 3, 1)), 1):
        x = Conv2D(count, kernel, strides=step, padding="same", name=f"{name}_{i}_conv")(x)
        x = Activation("relu", name=f"{name}_{i}_relu")(_normalised(x, f"{name}_{i}"))
    if conv_shortcut:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(shortcut)
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    if conv_shortcut:
        shortcut = _normalised(shortcut, f"{name}_0")
    x = _normalised(x, f"{name}_3")
    return Activation("relu", name=f"{name}_out")(Add(name=f"{name}_add")([shortcut, x]))


@public("keras.applications.ResNet50", "keras.applications.resnet50.ResNet50", "keras.applications.resnet.ResNet50")
def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Any:
    """A residual network of 50 layers, as a model of images [N,224,224,3]. Arguments as of VGG16."""
    top = "" if include_top else "_notop"
    check_weights(weights, "ResNet50", f"resnet50_weights_tf_dim_ordering_tf_kernels{top}.h5")
    inputs = image_input(input_shape, input_tensor, 224, include_top, 32)
    x = ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = _normalised(Conv2D(64, 7, strides=2, name="conv1_conv")(x), "conv1")
    x = ZeroPadding2D(1, name="pool1_pad")(Activation("relu", name="conv1_relu")(x))
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, (filters, units) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 2):
        for i in range(1, units + 1):
            stride = 2 if i == 1 and stage > 2 else 1
            x = _unit(x, filters, stride, i == 1, f"conv{stage}_block{i}")
    if include_top:
        x = classified(GlobalAveragePooling2D(name="avg_pool")(x), classes, classifier_activation)
    else:
        x = pooled(x, pooling, f"{pooling}_pool")
    return finished(inputs, x, name, weights)
