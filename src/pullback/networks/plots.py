"""keras.utils.plot_model: a picture of a network, drawn by Graphviz."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from pullback.core import nest
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers.calls import Call


@public("keras.utils.plot_model")
def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    layer_range: Any = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Path:
    """Draws the layers of a model and what flows between them.

    Args:
      to_file: the picture; its ending says the kind, as png, svg or pdf. "dot" is text, and needs no Graphviz.
      show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what is written in the boxes.
      rankdir: "TB" from top to bottom, "LR" from left to right. dpi: dots an inch.
      expand_nested, layer_range: must be left out: models inside of the model are one box.
    Returns:
      The picture's path.
    Raises:
      ValueError: the model is not built, or is a subclass. ImportError: Graphviz is not installed.
    """
    if expand_nested or layer_range is not None:
        raise ArgumentError("plot_model: expand_nested and layer_range are not supported; leave them out").locate()
    if model._network is None:
        raise ArgumentError("plot_model: the model has no network to draw; build it from Input, or by `build`").locate()

    def said(layer: Any) -> str:
        parts = [f"{layer.name}: {type(layer).__name__}" if show_layer_names else type(layer).__name__]
        if show_layer_activations and hasattr(layer, "activation"):
            parts.append(getattr(layer.activation, "__name__", str(layer.activation)))
        if show_dtype:
            parts.append(str(layer.dtype))
        if show_shapes:
            parts.append(f"{layer.input_shape} -> {layer.output_shape}")
        if show_trainable:
            parts.append("trainable" if layer.trainable else "not trainable")
        return "\\n".join(part.replace('"', "'") for part in parts)

    text = _drawn(model._network, said, rankdir, dpi)
    target = Path(os.fspath(to_file))
    kind = target.suffix[1:].lower() or "png"
    if kind == "dot":
        target.write_text(text, encoding="utf-8")
        return target
    program = shutil.which("dot")
    if program is None:
        raise ImportError(f"plot_model: Graphviz is needed to draw {target}; install it, or give a name ending in .dot")
    subprocess.run([program, f"-T{kind}", "-o", str(target)], input=text.encode(), check=True)
    return target


def _drawn(network: Any, said: Any, rankdir: str, dpi: int) -> str:
    """The network in Graphviz's language."""
    numbers = {id(layer): i for i, layer in enumerate(network.layers)}
    boxes = [f'  {i} [label="{said(layer)}"];' for i, layer in enumerate(network.layers)]
    sources: dict[int, set[int]] = {}
    for layer in network.layers:
        for t in network.inputs:
            if layer._inbound and any(t is y for y in nest.leaves_of(layer._inbound[0].outputs)):
                sources[id(t)] = {numbers[id(layer)]}
    arrows: dict[tuple[int, int], None] = {}
    for step in network.steps:
        before = set().union(*(sources.get(id(t), set()) for t in step.inputs)) if step.inputs else set()
        if isinstance(step, Call):
            at = numbers[id(step.layer)]
            arrows.update(dict.fromkeys((i, at) for i in sorted(before)))
            before, results = {at}, nest.leaves_of(step.outputs)
        else:
            results = list(step.results)
        sources.update((id(t), before) for t in results)
    lines = [f"  {i} -> {j};" for i, j in arrows]
    head = ["digraph model {", f"  rankdir={rankdir}; dpi={dpi};", "  node [shape=box];"]
    return "\n".join([*head, *boxes, *lines, "}"]) + "\n"
