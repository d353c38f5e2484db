"""Layers by class name, to and from configurations. Only classes of ours and those the caller gives are ever made."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers import (
    activation_layers,
    adapted,
    attention,
    categories,
    conv_lstm,
    convolution,
    dense,
    dropout,
    einsum_dense,
    embedding,
    group_normalization,
    image_framing,
    lambdas,
    merging,
    multi_head_attention,
    normalization,
    pooling,
    random_images,
    recurrent,
    recurrent_cells,
    reshaping,
    separable,
    text_vectorization,
    transposed,
    vocabularies,
    wrappers,
)
from pullback.layers.base import Layer

_MODULES = (
    activation_layers, adapted, attention, categories, conv_lstm, convolution, dense, dropout, einsum_dense,
    embedding, group_normalization, image_framing, lambdas, merging, multi_head_attention, normalization,
    pooling, random_images, recurrent, recurrent_cells, reshaping, separable, text_vectorization, transposed,
    vocabularies, wrappers,
)  # fmt: skip


@functools.cache
def known() -> dict[str, Any]:
    """Class name -> class."""
    found = [cls for module in _MODULES for cls in vars(module).values()]
    return {
        cls.__name__: cls
        for cls in found
        if isinstance(cls, type) and issubclass(cls, Layer) and not cls.__name__.startswith("_")
    }


def layer_of(config: Any, custom_objects: Any = None) -> Any:
    """The layer of {"class_name", "config"}.

    Args:
      custom_objects: {class name: class} of layers that are not ours.
    Raises:
      ArgumentError: there is no such class, or the configuration is none of a layer.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict) or "class_name" not in config:
        raise ArgumentError(
            f'A layer is described as {{"class_name": ..., "config": {{...}}}}, not {config!r}'
        ).locate()
    name = config["class_name"]
    cls = {**known(), **registered(), **(custom_objects or {})}.get(name)
    if cls is None:
        raise ArgumentError(
            f"Unknown layer: {name!r}; for a class of yours give custom_objects={{{name!r}: the class}}"
        ).locate()
    takes = "custom_objects" in inspect.signature(cls.from_config).parameters
    return cls.from_config(config["config"], **({"custom_objects": custom_objects} if takes else {}))


_registered: dict[str, Any] = {}


def registered() -> dict[str, Any]:
    """What `register_keras_serializable` named."""
    return _registered


@public(
    "keras.utils.register_keras_serializable",
    "keras.saving.register_keras_serializable",
    v1="keras.utils.register_keras_serializable",
)
def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Any:
    """A decorator: the class may be loaded without custom_objects. package has no meaning: names are classes'."""

    def register(cls: Any) -> Any:
        _registered[name or cls.__name__] = cls
        return cls

    return register


@public("keras.layers.serialize")
def serialize(layer: Any) -> dict[str, Any]:
    """A layer as {"class_name", "config"}."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


@public("keras.layers.deserialize")
def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The layer that `serialize` wrote. custom_objects: {class name: class} of layers that are not ours.

    Raises:
      ArgumentError: there is no such class.
    """
    return layer_of(config, custom_objects)
