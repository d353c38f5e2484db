"""Functional models to and from configurations: layers, and for each of their calls what it is called on.

    {"layers": [{"class_name", "config", "name", "calls": [{"args", "kwargs"}]}], "input_layers", "output_layers",
     "operations": [{"name", "inputs", ...}]}

A tensor is written as {"tensor": [name of a layer or operation, which call, which output]}.
"""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.layers.calls import Call, call_of, symbolic
from pullback.layers.registry import layer_of
from pullback.networks import operations
from pullback.networks.functional import Network
from pullback.networks.inputs import InputLayer, where_models_are_built


def written(model: Any, network: Network) -> dict[str, Any]:
    """The configuration of a network.

    Raises:
      ArgumentError: it holds operations or calls with arguments that JSON has no words for.
    """
    places: dict[int, tuple[str, int, int]] = {}
    counts: dict[int, int] = {}
    for t in network.inputs:
        call = call_of(t)
        if call is None:
            raise ArgumentError(f"Model {model.name!r}: input {t!r} was not made by Input").locate()
        places[id(t)] = (call.layer.name, 0, 0)
    called: dict[int, list[Any]] = {}
    loose: list[Any] = []
    for step in network.steps:
        if not isinstance(step, Call):
            name = f"operation:{len(loose)}"
            places |= {id(t): (name, 0, i) for i, t in enumerate(step.results)}
            inputs = _plain(list(step.inputs), places)
            loose.append({"name": name, **operations.written(step, model.name), "inputs": inputs})
            continue
        at = counts[id(step.layer)] = counts.get(id(step.layer), -1) + 1
        for i, t in enumerate(nest.leaves_of(step.outputs)):
            places[id(t)] = (step.layer.name, at, i)
        called.setdefault(id(step.layer), []).append(
            {"args": _plain(list(step.args), places), "kwargs": _plain(step.kwargs, places)}
        )
    layers = [
        {
            "class_name": type(layer).__name__,
            "config": layer.get_config(),
            "name": layer.name,
            "calls": called.get(id(layer), []),
        }
        for layer in network.layers
    ]
    return {
        "name": model.name,
        "layers": layers,
        "input_layers": _plain(network.nested_inputs, places),
        "output_layers": _plain(network.outputs, places),
        **({"operations": loose} if loose else {}),
    }


def _plain(value: Any, places: dict[int, tuple[str, int, int]]) -> Any:
    if symbolic(value):
        return {"tensor": list(places[id(value)])}
    if isinstance(value, dict):
        return {"dict": {k: _plain(v, places) for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_plain(v, places) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ArgumentError(f"a layer is called with {value!r}, which a configuration cannot hold").locate()


def made(cls: Any, config: dict[str, Any], custom_objects: Any) -> Any:
    """The model of a configuration."""
    with where_models_are_built():
        layers = {c["name"]: layer_made(c, custom_objects) for c in config["layers"]}
        results: dict[tuple[str, int], list[Any]] = {
            (name, 0): [layer.tensor] for name, layer in layers.items() if isinstance(layer, InputLayer)
        }
        waiting = [(c["name"], i, call) for c in config["layers"] for i, call in enumerate(c["calls"])]
        waiting += [(said["name"], 0, said) for said in config.get("operations", ())]
        while waiting:
            later = []
            for name, i, call in waiting:
                if not _ready(call.get("inputs", call), results):
                    later.append((name, i, call))
                elif "inputs" in call:
                    results[name, i] = operations.made(call, _tensors(call["inputs"], results))
                else:
                    args, kwargs = _tensors(call["args"], results), _tensors(call["kwargs"], results)
                    results[name, i] = nest.leaves_of(layers[name](*args, **kwargs))
            if len(later) == len(waiting):
                raise ArgumentError("Model.from_config: the calls of its layers lead nowhere").locate()
            waiting = later
        inputs, outputs = (_tensors(config[key], results) for key in ("input_layers", "output_layers"))
        return cls(inputs=inputs, outputs=outputs, name=config.get("name"))


def _ready(value: Any, results: dict[tuple[str, int], list[Any]]) -> bool:
    if isinstance(value, dict):
        if "tensor" in value:
            name, call, _ = value["tensor"]
            return (name, call) in results
        return all(_ready(v, results) for v in value.values())
    return all(_ready(v, results) for v in value) if isinstance(value, list) else True


def _tensors(value: Any, results: dict[tuple[str, int], list[Any]]) -> Any:
    if isinstance(value, dict):
        if "tensor" in value:
            name, call, i = value["tensor"]
            return results[name, call][i]
        return {k: _tensors(v, results) for k, v in value["dict"].items()}
    return [_tensors(v, results) for v in value] if isinstance(value, list) else value


def layer_made(config: dict[str, Any], custom_objects: Any) -> Any:
    """A layer, or a model inside of a model, of {"class_name", "config"}.

    Raises:
      ArgumentError: there is no such class.
    """
    from pullback.networks.model import Model, ModelV1
    from pullback.networks.sequential import Sequential, SequentialV1

    here = interpreter.current()
    in_session = isinstance(here, Graph) and isinstance(here.outermost, Graph) and here.dialect.name == "v1"
    plain, stacked = (ModelV1, SequentialV1) if in_session else (Model, Sequential)
    models = {"InputLayer": InputLayer, "Sequential": stacked, "SequentialV1": stacked}
    models |= dict.fromkeys(("Model", "Functional", "ModelV1"), plain)
    return layer_of(config, {**models, **(custom_objects or {})})
