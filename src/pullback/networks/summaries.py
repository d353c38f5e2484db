"""model.summary(): a table of the layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import nest
from pullback.layers.calls import Call


def show(
    model: Any, length: int | None, positions: Any, write: Callable[[str], Any], nested: bool, trainable: bool
) -> None:
    """Writes the table, line by line.

    Raises:
      ValueError: the model is not built.
    """
    if not model.built and not model.weights:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the model on "
            "a batch of data."
        )
    connected = model._network is not None and not hasattr(model, "_stack")
    shares = positions or ([0.33, 0.55, 0.67, 1.0] if connected else [0.45, 0.85, 1.0])
    length = length or (98 if connected else 65)
    ends = [int(length * p) if p <= 1 else int(p) for p in shares]
    if trainable:
        ends, length = [*ends, length + 11], length + 11
    titles = ["Layer (type)", "Output Shape", "Param #", *(["Connected to"] if connected else [])]

    def line(fields: list[str]) -> None:
        text = ""
        for field, end in zip(fields, ends, strict=False):
            text = f"{text}{field}"[: end - 1].ljust(end)
        write(text.rstrip())

    write(f'Model: "{model.name}"')
    write("_" * length)
    line([*titles, *(["Trainable"] if trainable else [])])
    write("=" * length)
    for layer in _listed(model, nested):
        fields = [f"{layer.name} ({type(layer).__name__})", _shape(layer), str(layer.count_params())]
        if connected:
            fields.append(_before(layer, model))
        line([*fields, *(["Y" if layer.trainable else "N"] if trainable else [])])
    write("=" * length)
    trained = sum(int(v.shape.num_elements() or 0) for v in model.trainable_weights)
    fixed = sum(int(v.shape.num_elements() or 0) for v in model.non_trainable_weights)
    for title, count in (("Total", trained + fixed), ("Trainable", trained), ("Non-trainable", fixed)):
        write(f"{title} params: {count:,}")
    write("_" * length)


def _listed(model: Any, nested: bool) -> list[Any]:
    out = []
    for layer in model.layers:
        out.append(layer)
        if nested and hasattr(layer, "layers"):
            out += _listed(layer, nested)
    return out


def _shape(layer: Any) -> str:
    if not layer._inbound:
        return "multiple" if layer.built else "?"
    shapes = {str(y.spec.shape) for y in nest.leaves_of(layer._inbound[0].outputs)}
    return shapes.pop() if len(shapes) == 1 else "multiple"


def _before(layer: Any, model: Any) -> str:
    """The layers whose outputs a layer takes."""
    makers: dict[int, str] = {}
    for step in model._network.steps:
        if isinstance(step, Call):
            makers.update((id(y), step.layer.name) for y in nest.leaves_of(step.outputs))
    for first, t in zip(model.layers, model.inputs, strict=False):
        makers.setdefault(id(t), first.name)
    calls = [s for s in model._network.steps if isinstance(s, Call) and s.layer is layer]
    return ", ".join(f"{makers[id(t)]}[0][0]" for call in calls for t in call.inputs if id(t) in makers)
