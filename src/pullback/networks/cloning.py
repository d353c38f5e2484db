"""Copies of models layer by layer, by a function of the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import nest
from pullback.core.errors import ArgumentError
from pullback.layers.calls import Call, symbolic
from pullback.networks.inputs import InputLayer, where_models_are_built


def cloned(model: Any, copy: Callable[[Any], Any]) -> Any:
    """A model whose layers are what `copy` gives for those of `model`.

    Raises:
      ValueError: the model is a subclass, whose calls are not known.
    """
    network: Any = model._network
    if network is None and not hasattr(model, "_stack"):
        raise ArgumentError("clone_model: a subclassed model cannot be cloned; write get_config").locate()
    if hasattr(model, "_stack"):
        return type(model)([_copied(layer, copy) for layer in model._stack], name=model.name)
    return _functional(type(model), network, model.name, copy)


def _functional(cls: Any, network: Any, name: str, copy: Callable[[Any], Any]) -> Any:
    with where_models_are_built():
        copies = {id(layer): _copied(layer, copy) for layer in network.layers}
        made: dict[int, Any] = {}
        for t in network.inputs:
            layer = next(x for x in network.layers if isinstance(x, InputLayer) and x.tensor is t)
            made[id(t)] = copies[id(layer)].tensor
        for step in network.steps:
            if not isinstance(step, Call):
                raise ArgumentError(f"clone_model: operation {step.name!r} is no layer; make it one").locate()
            fill = lambda x: made[id(x)] if symbolic(x) else x  # noqa: E731
            outputs = copies[id(step.layer)](*nest.mapped(fill, step.args), **nest.mapped(fill, step.kwargs))
            made.update(zip(map(id, nest.leaves_of(step.outputs)), nest.leaves_of(outputs), strict=True))
        inputs, outputs = (nest.mapped(lambda t: made[id(t)], x) for x in (network.nested_inputs, network.outputs))
        return cls(inputs=inputs, outputs=outputs, name=name)


def _copied(layer: Any, copy: Callable[[Any], Any]) -> Any:
    return InputLayer.from_config(layer.get_config()) if isinstance(layer, InputLayer) else copy(layer)
