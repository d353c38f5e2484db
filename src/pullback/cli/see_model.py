"""MODEL of `pullback see`: a Python file or module that builds a network, with its weights, in a session.

    def build(images):  # a tensor [N,H,W,C]
        ...
        return {"conv1": conv1, "logits": logits}

What else the file may say:

    IMAGES = {"size": (227, 227), "scale": (0, 255), "mean": (123.7, 116.8, 103.9)}
    FEEDS = {"keep_prob": 1.0}
    WEIGHTS = "alexnet.ckpt"  # beside the file
    LABELS = {"logits": ["tench", "goldfish", ...]}  # by layer
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import pullback.v1 as tf
from pullback import alias
from pullback.alias import dialect, source, uses
from pullback.core.errors import ArgumentError
from pullback.core.shape import text
from pullback.explain.see.network import Network, named_tensors, network_of
from pullback.explain.see.photographs import Preparation
from pullback.explain.see.weights import put_weights, read_weights


@dataclass(frozen=True)
class Model:
    """A network that is ready to be shown images.

    name: for titles. preparation: what its images go through. labels: what channels mean, by layer.
    notes: what the user should know.
    """

    name: str
    network: Network
    preparation: Preparation
    labels: Mapping[str, Sequence[str]]
    notes: tuple[str, ...]


def load(target: str, weights: str | None, feeds: Mapping[str, Any], told: Mapping[str, Any]) -> Model:
    """Builds MODEL in a graph of its own.

    Args:
      target: "path/to/model.py" or "package.module", either with ":function" in the place of ":build".
      weights: a checkpoint, .npz or .safetensors; None takes the model's WEIGHTS, else the initial values.
      feeds: {tensor name: value}, on top of the model's FEEDS.
      told: choices of Preparation, on top of the model's IMAGES.
    Raises:
      ArgumentError: there is no such model or function, it returns no tensors, or weights and variables do not fit.
    """
    with _imported(target) as (module, function):
        return _built(target, module, function, weights, feeds, told)


def _built(
    target: str,
    module: ModuleType,
    function: str,
    weights: str | None,
    feeds: Mapping[str, Any],
    told: Mapping[str, Any],
) -> Model:
    build = getattr(module, function, None)
    if not callable(build):
        raise ArgumentError(
            f"{target}: it has no function {function}(images); write one that returns a dict of layers, or name "
            "another as MODEL:function"
        )
    preparation = Preparation().changed(getattr(module, "IMAGES", {})).changed(told)
    graph = tf.Graph()
    with graph.as_default():
        size = preparation.size or (None, None)
        images = tf.placeholder(tf.float32, [None, *size, preparation.channels], name="images")
        layers = named_tensors(build(images))
        if not layers:
            raise ArgumentError(
                f"{target}: {function}(images) returned no tensors; return the layers by name, {{'conv1': conv1, ...}}"
            )
        variables = tf.global_variables()
        session = tf.Session(graph=graph)
        session.run([v.initializer for v in variables])
    notes = []
    path = weights or _beside(module, getattr(module, "WEIGHTS", None))
    if path is not None:
        unused = put_weights(session, variables, read_weights(path), str(path))
        if unused:
            notes.append(f"{len(unused)} values in {path} belong to no variable of the model, such as {unused[0]}")
    elif variables:
        notes.append("no weights were given (--weights): the variables have their initial values")
    given = {_tensor(graph, name): value for name, value in {**getattr(module, "FEEDS", {}), **feeds}.items()}
    network = network_of(images, session=session, feeds=given, layers=layers)
    labels = dict(getattr(module, "LABELS", {}))
    return Model(Path(module.__file__ or target).stem, network, preparation, labels, tuple(notes))


@contextlib.contextmanager
def _imported(target: str) -> Iterator[tuple[ModuleType, str]]:
    """MODEL and its function's name; inside, `tensorflow` means Pullback."""
    name, _, function = target.rpartition(":") if ":" in target[2:] else (target, "", "build")
    path = Path(name)
    if path.suffix == ".py":
        if not path.is_file():
            raise ArgumentError(f"{name}: there is no such file")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        folder = str(path.resolve().parent)
    else:
        folder = os.getcwd()
        path = None
        spec = _found(name, folder)
        path = Path(spec.origin) if spec is not None and spec.origin else None
    if spec is None or spec.loader is None or path is None:
        raise ArgumentError(f"{name}: neither a Python file (ending in .py) nor a module that can be imported")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        with alias.using(dialect.decide(uses.scan(source.read(path))).dialect):
            spec.loader.exec_module(module)
            yield module, function
    finally:
        sys.path.remove(folder)


def _found(name: str, folder: str) -> Any:
    sys.path.insert(0, folder)
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    finally:
        sys.path.remove(folder)


def _beside(module: ModuleType, path: Any) -> str | None:
    """A path that a model names, seen from its file."""
    return None if path is None else str(Path(module.__file__ or ".").parent / path)


def _tensor(graph: Any, name: str) -> Any:
    try:
        return graph.get_tensor_by_name(name if ":" in name else f"{name}:0")
    except (KeyError, ValueError):
        fed = [f"{n.name} {text(n.outputs[0].spec.shape)}" for n in graph.get_operations() if "Placeholder" in n.type]
        raise ArgumentError(
            f"feed {name!r}: the model has no such tensor; its placeholders: {', '.join(fed)}"
        ) from None


def feed(said: str) -> tuple[str, Any]:
    """ "keep_prob=1.0" as (name, value); a value is a number, true or false.

    Raises:
      ArgumentError: it is not of this form.
    """
    name, sign, value = said.partition("=")
    words = {"true": True, "false": False}
    try:
        return name, words[value.lower()] if value.lower() in words else np.asarray(float(value))
    except ValueError:
        raise ArgumentError(
            f"--feed {said}: write NAME=NUMBER, as keep_prob=1.0" if sign else f"--feed {said}: no '='"
        ) from None
