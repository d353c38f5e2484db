"""preprocess_input and decode_predictions of each application."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import phase
from pullback.ops.math.select import Cast

_MEANS = (103.939, 116.779, 123.68)  # of blue, green and red in ImageNet
_OF = {"vgg16": "caffe", "vgg19": "caffe", "resnet50": "caffe", "resnet": "caffe", "mobilenet_v2": "tf"}


def _prepared(x: Any, data_format: str | None, way: str) -> Any:
    layout = phase.layout_of(data_format)
    tensor = isinstance(x, Tensor)
    kind = phase.floatx()
    image: Any = Cast(interpreter.as_tensor(0.0, kind).dtype)(x) if tensor else np.array(x, kind)
    if way == "tf":
        return image / 127.5 - 1.0
    axis = -1 if layout == "channels_last" else -3
    at = (
        (Ellipsis, slice(None, None, -1)) if axis == -1 else (Ellipsis, slice(None, None, -1), slice(None), slice(None))
    )
    means = np.array(_MEANS, kind).reshape((3,) if axis == -1 else (3, 1, 1))
    return image[at] - means


def _of(name: str, way: str) -> Callable[..., Any]:
    def preprocess_input(x: Any, data_format: str | None = None) -> Any:
        return _prepared(x, data_format, way)

    told = "x / 127.5 - 1" if way == "tf" else "blue, green, red, each less its mean over ImageNet"
    preprocess_input.__doc__ = f"Images of red, green, blue in [0, 255] as the network takes them: {told}."
    preprocess_input.__name__ = preprocess_input.__qualname__ = f"preprocess_input_{name}"
    return public(f"keras.applications.{name}.preprocess_input")(preprocess_input)


for _name, _way in _OF.items():
    globals()[f"preprocess_input_{_name}"] = _of(_name, _way)


@public(*(f"keras.applications.{name}.decode_predictions" for name in _OF))
def decode_predictions(preds: Any, top: int = 5, class_index: str | os.PathLike[str] | None = None) -> Any:
    """The most probable classes of each row of preds [N,1000]: lists of (WordNet id, word, probability).

    Args:
      class_index: the path of imagenet_class_index.json; by default ~/.keras/models/imagenet_class_index.json.
    Raises:
      ArgumentError: there is no such file, or preds are not [N,1000].
    """
    rows = np.asarray(preds)
    path = os.fspath(class_index or os.path.expanduser("~/.keras/models/imagenet_class_index.json"))
    if rows.ndim != 2 or rows.shape[1] != 1000:
        raise ArgumentError(f"decode_predictions: preds must be [N,1000], but have shape {rows.shape}").locate()
    if not os.path.exists(path):
        raise ArgumentError(
            f"decode_predictions: there is no file of class names at {path}; save imagenet_class_index.json there, or "
            "give its path as class_index"
        ).locate()
    with open(path, encoding="utf-8") as file:
        names = json.load(file)
    best = np.argsort(-rows, axis=1, kind="stable")[:, :top]
    return [[(*names[str(i)], float(row[i])) for i in places] for row, places in zip(rows, best, strict=True)]
