"""VGG16 and VGG19. Source: Simonyan & Zisserman 2014, configurations D and E."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.layers.convolution import Conv2D
from pullback.layers.dense import Dense
from pullback.layers.pooling import MaxPooling2D
from pullback.layers.reshaping import Flatten
from pullback.networks.applications.parts import check_weights, classified, finished, image_input, pooled

_CHANNELS = (64, 128, 256, 512, 512)


def _vgg(layers: tuple[int, ...], kind: str, given: dict[str, Any]) -> Any:
    top = "" if given["include_top"] else "_notop"
    file = f"{kind.lower()}_weights_tf_dim_ordering_tf_kernels{top}.h5"
    check_weights(given["weights"], kind, file)
    inputs = image_input(given["input_shape"], given["input_tensor"], 224, given["include_top"], 32)
    x = inputs
    for i, (count, channels) in enumerate(zip(layers, _CHANNELS, strict=True), 1):
        for j in range(1, count + 1):
            x = Conv2D(channels, 3, activation="relu", padding="same", name=f"block{i}_conv{j}")(x)
        x = MaxPooling2D(2, strides=2, name=f"block{i}_pool")(x)
    if given["include_top"]:
        x = Flatten(name="flatten")(x)
        for name in ("fc1", "fc2"):
            x = Dense(4096, activation="relu", name=name)(x)
        x = classified(x, given["classes"], given["classifier_activation"])
    else:
        x = pooled(x, given["pooling"])
    return finished(inputs, x, given["name"], given["weights"])


@public("keras.applications.VGG16", "keras.applications.vgg16.VGG16")
def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Any:
    """VGG of 16 layers, as a model of images [N,224,224,3].

    Args:
      include_top: with the fully connected layers. weights: None: random ones, or the path of a file of them.
      input_tensor, input_shape: the images, or their shape without the batch.
      pooling: without the top: "avg" or "max" over the image, or None.
      classes, classifier_activation: of the last layer.
    Raises:
      ArgumentError: weights="imagenet", which would be fetched: the message says what to save where.
    """
    return _vgg((2, 2, 3, 3, 3), "VGG16", dict(locals()))


@public("keras.applications.VGG19", "keras.applications.vgg19.VGG19")
def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Any:
    """VGG of 19 layers. Arguments as of VGG16."""
    return _vgg((2, 2, 4, 4, 4), "VGG19", dict(locals()))
