"""Sequential: layers one behind the other."""

from __future__ import annotations

import contextlib
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import calls
from pullback.layers.base import Layer, described
from pullback.networks.functional import Network
from pullback.networks.inputs import InputLayer, where_models_are_built
from pullback.networks.model import Model, ModelV1


@public("keras.Sequential", "keras.models.Sequential", v1=None)
class Sequential(Model):
    """Layers one behind the other. Built at once where the first one knows its inputs' shape, else when first called.

    Args:
      layers: a list of layers; an Input may come first.
    """

    def __init__(self, layers: Any = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._stack: list[Any] = []
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Puts a layer at the end.

        Raises:
          TypeError: it is none. ValueError: a layer of the same name is there.
        """
        call = calls.call_of(layer) if isinstance(layer, Tensor) and calls.symbolic(layer) else None
        layer = call.layer if call is not None else layer
        if not isinstance(layer, Layer):
            raise TypeError(f"The added layer must be an instance of class Layer. Found: {layer}")
        if any(layer.name == other.name for other in self._stack):
            raise ArgumentError(
                f"All layers added to a Sequential model should have unique names. Name {layer.name!r} is already the "
                "name of a layer in this model."
            ).locate()
        with self._home(), where_models_are_built():
            network, first = self._network, not self._stack
            self._stack.append(layer)
            if network is not None:
                self._settle(Network(network.nested_inputs, layer(network.outputs)))
            elif first and isinstance(layer, InputLayer):
                self._settle(Network(layer.tensor, layer.tensor))
            elif first:
                self._begin(layer)

    def _begin(self, layer: Any) -> None:
        """Builds from the first layer, if it knows its inputs' shape."""
        if isinstance(layer, Model) and layer._network is not None:
            start = layer.inputs[0]
            made = InputLayer(batch_input_shape=start.spec.shape, dtype=start.dtype, name=None)
        elif layer._batch_input_shape is not None:
            kind = layer._dtype if layer._autocast else None
            name = f"{layer.name}_input"
            made = InputLayer(batch_input_shape=layer._batch_input_shape, dtype=kind, name=name)
        else:
            return
        self._settle(Network(made.tensor, layer(made.tensor)))

    def pop(self) -> None:
        """Takes the last layer away.

        Raises:
          TypeError: there is none.
        """
        if not self._stack:
            raise TypeError("There are no layers in the model.")
        kept = self._stack[:-1]
        self._stack, self._network, self._network_layers, self.built = [], None, [], False
        for layer in kept:
            self.add(layer)

    @property
    def layers(self) -> list[Any]:
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if self._network is not None:
            return super().call(inputs, training, mask)
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs

    def build(self, input_shape: Any = None) -> None:
        """Makes the variables, for inputs of this shape with its batch."""
        if self._network is None and input_shape is not None and calls.inside() is None:
            with self._home(), where_models_are_built():
                made = InputLayer(batch_input_shape=input_shape)
                outputs: Any = made.tensor
                for layer in self._stack:
                    outputs = layer(outputs)
                self._settle(Network(made.tensor, outputs))
        self.built = True

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"name": self.name, "layers": [described(layer) for layer in self._stack]}
        if self._network is not None and not isinstance(self._stack[0], InputLayer):
            config["build_input_shape"] = list(self._network.inputs[0].spec.shape or ())
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from pullback.networks.configuration import layer_made

        layers = [layer_made(c, custom_objects) for c in config["layers"]]
        made = cls(layers, config.get("name"))
        shape = config.get("build_input_shape")
        if made._network is None and shape is not None:
            made.build(shape)
        return made


@public(v1=("keras.Sequential", "keras.models.Sequential"))
class SequentialV1(Sequential, ModelV1):
    """Layers one behind the other, in TensorFlow 1's default graph."""

    shown_name = "sequential"

    @contextlib.contextmanager
    def _home(self) -> Any:
        with ModelV1._home(self) as here:
            yield here
