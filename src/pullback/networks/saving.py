"""Models in files: JSON for what they are, arrays for what they hold. No code is kept, and none is run on loading.

npz archive:  "about" JSON as bytes: format, configuration, how it is compiled, names of the variables
              "0", "1", ... the variables' values, in the order of `weights`
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.io import atomic
from pullback.layers import values
from pullback.train import loss_classes, optimizer_names

_FORMAT = "pullback keras model 1"


def as_json(model: Any, **kwargs: Any) -> str:
    """A model's configuration."""
    described = {"class_name": _class_name(model), "config": model.get_config()}
    return json.dumps(described, default=_plain, **kwargs)


def _class_name(model: Any) -> str:
    return type(model).__name__.removesuffix("V1")


def _plain(value: Any) -> Any:
    """What JSON has no words for. Raises TypeError for what cannot be kept."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    raise TypeError(f"{value!r} cannot be kept in a configuration")


def _written(path: Any, about: dict[str, Any], arrays: list[Any], overwrite: bool) -> None:
    """Writes an archive beside the file, then moves it there."""
    target = Path(os.fspath(path))
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} is there already; say overwrite=True to replace it")
    target.parent.mkdir(parents=True, exist_ok=True)
    text = np.frombuffer(json.dumps(about, default=_plain).encode(), np.uint8)
    held = io.BytesIO()
    named: dict[str, Any] = {str(i): np.asarray(a) for i, a in enumerate(arrays)}
    np.savez(held, about=text, **named)
    with atomic.written(str(target)) as file:
        file.write(held.getvalue())


def _read(path: Any) -> tuple[dict[str, Any], list[Any]]:
    """What an archive holds.

    Raises:
      OSError: it is not there. ValueError: it is no archive of ours, or damaged.
    """
    source = Path(os.fspath(path))
    content = source.read_bytes()
    if content.startswith(b"\x89HDF"):
        raise ArgumentError(
            f"{source} is an HDF5 file, which is not read here; load it where it was made, and give its arrays to "
            "model.set_weights"
        ).locate()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            about = json.loads(bytes(archive["about"]).decode())
            arrays = [archive[str(i)] for i in range(len(archive.files) - 1)]
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError) as error:
        raise ArgumentError(f"{source} is no file of ours, or it is damaged: {error}").locate() from None
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise ArgumentError(f"{source} was not written by Model.save or save_weights").locate()
    return about, arrays


def _check_format(save_format: Any, options: Any) -> None:
    if save_format not in (None, "npz", "keras", "h5", "tf"):
        raise ArgumentError(f"there is no save_format {save_format!r}; there is one format, leave it out").locate()
    if options is not None:
        raise ArgumentError("options are not supported: there is nothing to choose; leave them out").locate()


def save_weights(model: Any, path: Any, overwrite: bool, save_format: Any, options: Any) -> None:
    """Writes the values of a model's variables."""
    _check_format(save_format, options)
    held = model.weights
    if not held:
        raise ArgumentError(
            "save_weights: the model has no variables yet; call it, or `build`, so that it makes them"
        ).locate()
    _written(path, {"format": _FORMAT, "names": [v.name for v in held]}, values.read(held), overwrite)


def load_weights(model: Any, path: Any, skip_mismatch: bool, by_name: bool, options: Any) -> None:
    """Gives a model's variables what a file holds.

    Raises:
      ValueError: the file holds other variables.
    """
    _check_format(None, options)
    about, arrays = _read(path)
    held = model.weights
    if by_name:
        named = dict(zip(about["names"], arrays, strict=True))
        pairs = [(v, named[v.name]) for v in held if v.name in named]
        if not pairs:
            raise ArgumentError(
                f"load_weights: {path} holds {sorted(named)[:5]}, none of the names of model {model.name!r}; leave "
                "by_name out to match by order"
            ).locate()
    elif len(held) != len(arrays):
        raise ArgumentError(
            f"load_weights: {path} holds {len(arrays)} variables, but model {model.name!r} has {len(held)}; build it "
            "first, or say by_name=True"
        ).locate()
    else:
        pairs = list(zip(held, arrays, strict=True))
    if skip_mismatch:
        pairs = [(v, a) for v, a in pairs if v.shape.is_compatible_with(a.shape)]
    values.write(pairs)


@public("keras.models.save_model", "keras.saving.save_model", v1="keras.models.save_model")
def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    include_optimizer: bool = True,
    save_format: Any = None,
    options: Any = None,
    **kwargs: Any,
) -> None:
    """Writes a model into one file: JSON and arrays, no code. The optimizer's own variables are not kept.

    Args:
      overwrite: whether a file that is there may be replaced.
      include_optimizer: keep how the model is compiled. save_format, options: there is one format.
    Raises:
      ValueError: the model has no configuration, as a subclass without get_config.
    """
    if kwargs.pop("signatures", None) is not None:
        raise ArgumentError("save: signatures are kept by tf.saved_model.save; use it, or leave them out").locate()
    if kwargs:
        raise TypeError(f"save: unknown argument {sorted(kwargs)[0]!r}")
    _check_format(save_format, options)
    about = {
        "format": _FORMAT,
        "class_name": _class_name(model),
        "config": model.get_config(),
        "names": [v.name for v in model.weights],
        "compiled": _compiled(model) if include_optimizer else None,
    }
    _written(filepath, about, values.read(model.weights), overwrite)


def _compiled(model: Any) -> Any:
    how = dict(model._compiled)
    if not how or how["optimizer"] is None:
        return None
    if model.optimizer.iterations._graph is None:  # with the learning rate of now
        how["optimizer"] = {"class_name": type(model.optimizer).__name__, "config": model.optimizer.get_config()}
    return how


@public("keras.models.load_model", "keras.saving.load_model", v1="keras.models.load_model")
def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True, options: Any = None
) -> Any:
    """The model that `save` wrote.

    Args:
      custom_objects: {name: class or function} of what is not ours.
      compile: compile it as it was. safe_mode: nothing in the file can run anyway. options: must be None.
    Raises:
      OSError: the file is not there. ValueError: it is not ours, damaged, or names what is not known.
    """
    _check_format(None, options)
    about, arrays = _read(filepath)
    if "config" not in about:
        raise ArgumentError(f"{filepath} holds weights only; make the model and call its load_weights").locate()
    from pullback.networks.configuration import layer_made

    model = layer_made({"class_name": about["class_name"], "config": about["config"]}, custom_objects)
    if len(model.weights) != len(arrays):
        raise ArgumentError(
            f"{filepath} holds {len(arrays)} variables, but its configuration makes {len(model.weights)}"
        ).locate()
    values.write(zip(model.weights, arrays, strict=True))
    if compile and about.get("compiled"):
        how = {k: _found(v, custom_objects) for k, v in about["compiled"].items()}
        how["loss"] = _losses(how["loss"])
        how["optimizer"] = optimizer_names.deserialize(about["compiled"]["optimizer"], custom_objects)
        model.compile(**how)
    return model


def _losses(given: Any) -> Any:
    """Configurations of losses as losses."""
    if isinstance(given, dict) and "class_name" in given:
        return loss_classes.deserialize(given)
    if isinstance(given, dict):
        return {k: _losses(v) for k, v in given.items()}
    return [_losses(v) for v in given] if isinstance(given, list) else given


def _found(value: Any, custom: Any) -> Any:
    """Names of the caller's own in place of what they stand for."""
    if isinstance(value, list):
        return [_found(v, custom) for v in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {k: _found(v, custom) for k, v in value.items()}
    if isinstance(value, dict) and custom and value["class_name"] in custom:
        return custom[value["class_name"]].from_config(value["config"])
    return custom[value] if custom and isinstance(value, str) and value in custom else value


@public("keras.models.model_from_config")
def model_from_config(config: Any, custom_objects: Any = None) -> Any:
    """The model of {"class_name", "config"}, its variables new."""
    from pullback.networks.configuration import layer_made

    return layer_made(config, custom_objects)


@public("keras.models.model_from_json")
def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model that `to_json` described, its variables new."""
    return model_from_config(json.loads(json_string), custom_objects)


@public("keras.models.clone_model")
def clone_model(model: Any, input_tensors: Any = None, clone_function: Any = None) -> Any:
    """A model of the same layers, with variables of its own.

    Args:
      input_tensors: symbolic tensors to begin with, in place of new ones; must be left out.
      clone_function: a layer's copy, of the layer; by its configuration by default.
    """
    if input_tensors is not None:
        raise ArgumentError("clone_model: input_tensors are not supported; call the copy on them").locate()
    if clone_function is None:
        return type(model).from_config(model.get_config())
    from pullback.networks.cloning import cloned

    return cloned(model, clone_function)
