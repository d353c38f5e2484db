"""What applications share: checked arguments, the inputs, the classifying end, weights from a file."""

from __future__ import annotations

import os
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.layers import phase
from pullback.layers.dense import Dense
from pullback.layers.pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from pullback.networks.inputs import Input
from pullback.networks.model import Model


def image_input(input_shape: Any, input_tensor: Any, size: int, include_top: bool, smallest: int) -> Any:
    """The symbolic images [N,H,W,C].

    Raises:
      ValueError: the shape is no image's, or too small.
    """
    first = phase.image_data_format() == "channels_first"
    usual = (3, size, size) if first else (size, size, 3)
    shape = tuple(input_shape) if input_shape is not None else usual if include_top else _any_size(first)
    if len(shape) != 3:
        raise ArgumentError(f"input_shape must be three sizes, such as {usual}, but is {input_shape}").locate()
    sides = shape[1:] if first else shape[:2]
    if any(n is not None and n < smallest for n in sides):
        raise ArgumentError(f"input_shape {shape} is too small: images need {smallest} pixels a side").locate()
    if include_top and None in shape:
        raise ArgumentError("With include_top=True the images' size must be known; give input_shape").locate()
    return Input(shape=shape) if input_tensor is None else input_tensor


def _any_size(first: bool) -> tuple[Any, ...]:
    return (3, None, None) if first else (None, None, 3)


def pooled(x: Any, pooling: str | None, name: str | None = None) -> Any:
    """The mean or the largest value over the image, or x.

    Raises:
      ValueError: pooling is not known.
    """
    if pooling not in (None, "avg", "max"):
        raise ArgumentError(f"pooling must be None, 'avg' or 'max', not {pooling!r}").locate()
    return x if pooling is None else (GlobalAveragePooling2D if pooling == "avg" else GlobalMaxPooling2D)(name=name)(x)


def classified(x: Any, classes: int, activation: Any) -> Any:
    """The last layer, `predictions`."""
    return Dense(classes, activation=activation, name="predictions")(x)


def finished(inputs: Any, outputs: Any, name: Any, weights: Any) -> Model:
    """The model, with weights of a file that its `save_weights` wrote.

    Raises:
      ArgumentError: the file is another.
    """
    model = Model(inputs, outputs, name=name)
    if weights is not None:
        model.load_weights(weights)
    return model


def check_weights(weights: Any, kind: str, published: str) -> None:
    """Checks that weights are None or a file. published: the name of the file that Keras would fetch.

    Raises:
      ArgumentError: weights is a word for a file on the net, or no file.
    """
    if weights is None or (weights != "imagenet" and os.path.exists(weights)):
        return
    told = (
        "weights are not fetched from the net"
        if weights == "imagenet"
        else f"there is no file of weights at {weights!r}"
    )
    raise ArgumentError(
        f"{kind}: {told}. weights=None begins with random numbers; weights may be the path of a file that this "
        f"network's `save_weights` wrote. The arrays of {published} (of github.com/keras-team/keras-applications/"
        "releases, read by h5py) are taken by `set_weights` of the network"
    ).locate()
