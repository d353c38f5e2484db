"""Model: a layer of layers that can be trained. Cut from symbolic tensors, or subclassed.

Model(inputs, outputs)            class Mine(Model): __init__ keeps layers, call uses them
"""

from __future__ import annotations

import contextlib
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import calls
from pullback.layers.base import Layer
from pullback.modes.default import building
from pullback.networks import saving, summaries
from pullback.networks.functional import Network, fitted
from pullback.networks.training import Trained


@public("keras.Model", "keras.models.Model", v1=None)
class Model(Trained, Layer):
    """A network with training and evaluation.

    Args:
      inputs: symbolic tensors that `Input` made: one, a list or a dictionary. outputs: tensors made of them by layers.
      name, trainable: as of Layer.
    A subclass gives neither inputs nor outputs, keeps layers in attributes and says `call(inputs, training=None)`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        inputs, outputs = kwargs.pop("inputs", None), kwargs.pop("outputs", None)
        name = kwargs.pop("name", None)
        if len(args) >= 2:
            inputs, outputs, *rest = args
            name = rest[0] if rest else name
        elif args:
            inputs = args[0]
        super().__init__(name=name, **kwargs)
        self._start_training()
        self._network: Network | None = None
        if inputs is not None or outputs is not None:
            if inputs is None or outputs is None:
                raise ArgumentError("Model: give both inputs and outputs, or neither in a subclass").locate()
            self._settle(Network(inputs, outputs))

    def _settle(self, network: Network) -> None:
        self._network, self._network_layers = network, network.layers
        self._autocast, self.built = False, True

    @contextlib.contextmanager
    def _home(self) -> Any:
        """Where the model's own methods work: TensorFlow 1's goes to the default graph."""
        yield interpreter.current()

    # --- calling ---------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        network = self._network
        if network is None:
            raise ArgumentError(
                f"{type(self).__name__}: a subclass of Model must say `call(inputs)`, or give inputs and outputs"
            ).locate()
        return network.replay(self._in_order(inputs, network))

    def _in_order(self, inputs: Any, network: Network) -> list[Any]:
        """The values of the network's inputs, from whatever nest they are given in.

        Raises:
          ValueError: there are too few or too many, or a name lacks.
        """
        if isinstance(inputs, dict) and not isinstance(network.nested_inputs, dict):
            given = [inputs.get(name) for name in self.input_names]
            lacking = [name for name, x in zip(self.input_names, given, strict=True) if x is None]
            if lacking:
                raise ArgumentError(
                    f"{self.name}: missing data for inputs {lacking}; the keys given are {sorted(inputs)}"
                ).locate()
        else:
            given = nest.leaves_of(inputs)
        if len(given) != len(network.inputs):
            raise ArgumentError(
                f'Layer "{self.name}" expects {len(network.inputs)} input(s), but it received {len(given)}'
            ).locate()
        return [_with_mask(fitted(x, t), x) for x, t in zip(given, network.inputs, strict=True)]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def build(self, input_shape: Any) -> None:
        if self._network is None and not self.built and input_shape is not None:
            self.compute_output_shape(input_shape)
        self.built = True

    def _maybe_build(self, inputs: Any) -> None:
        if type(self).build is Model.build:
            self.built = True
        super()._maybe_build(inputs)

    # --- what it is ------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Any]:
        """The layers, in the order of the network or of the attributes."""
        if self._network is not None:
            return list(self._network.layers)
        return [x for x in self._sublayers() if isinstance(x, Layer)]

    @property
    def weights(self) -> list[Any]:
        """All variables, layer by layer."""
        inner = [v for layer in self.layers for v in layer.weights]
        return list({id(v): v for v in (*self._own(), *inner, *super().weights)}.values())

    @property
    def inputs(self) -> Any:
        return self._network.inputs if self._network is not None else None

    @property
    def outputs(self) -> Any:
        return nest.leaves_of(self._network.outputs) if self._network is not None else None

    @property
    def input(self) -> Any:
        if self._network is None:
            return super().input
        return self._network.nested_inputs if len(self._network.inputs) > 1 else self._network.inputs[0]

    @property
    def output(self) -> Any:
        if self._network is None:
            return super().output
        return self._network.outputs

    @property
    def input_names(self) -> list[str]:
        """The names of the input layers."""
        return [_name_of(t) for t in self.inputs or ()]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs; output_1, ... of a subclass."""
        found: list[str] = []
        for t in self.outputs or ():
            name = _name_of(t)
            found.append(name if name not in found else f"{name}_{found.count(name)}")
        return found

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """The layer of a name, or at a place.

        Raises:
          ValueError: there is none.
        """
        if (index is None) == (name is None):
            raise ArgumentError("get_layer: give either a name or an index").locate()
        if index is not None:
            if index >= len(self.layers):
                raise ArgumentError(f"get_layer: there is no layer {index}; the model has {len(self.layers)}").locate()
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(
            f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}."
        ).locate()

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> None:
        """Prints a table of the layers: name, output shape, how many numbers they hold.

        Args:
          line_length, positions: the table's width, and where its columns end (shares or characters).
          print_fn: takes each line; print by default.
          expand_nested: lists the layers of models inside. show_trainable: says which are trained.
        """
        summaries.show(self, line_length, positions, print_fn or print, expand_nested, show_trainable)

    def reset_states(self) -> None:
        """Sets the kept states of stateful layers to zero."""
        for layer in self._flatten_layers():
            if layer is not self and getattr(layer, "stateful", False) and hasattr(layer, "reset_states"):
                layer.reset_states()

    # --- saving ----------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The network: its layers and how they are called.

        Raises:
          ArgumentError: the model is a subclass that does not say it.
        """
        if self._network is None:
            raise ArgumentError(
                f"{type(self).__name__}: a subclassed model has no configuration; write get_config, or save weights"
            ).locate()
        from pullback.networks import configuration

        return configuration.written(self, self._network)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model that `get_config` described, its variables new."""
        if "layers" not in config or "output_layers" not in config:
            return cls(**config)
        from pullback.networks import configuration

        return configuration.made(cls, config, custom_objects)

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON. kwargs: for json.dumps."""
        return saving.as_json(self, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, save_format: str | None = None, options: Any = None
    ) -> None:
        """Writes the variables' values into one file, as NumPy's npz whatever the name says, atomically.

        Args:
          overwrite: whether a file that is there may be replaced.
          save_format: has no meaning: "h5", "tf" and "keras" are taken too, but there is one format.
          options: must be None.
        """
        saving.save_weights(self, filepath, overwrite, save_format, options)

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, options: Any = None
    ) -> None:
        """Reads what `save_weights` wrote.

        Args:
          skip_mismatch: variables whose shape differs keep their values. by_name: match by name, not by order.
        Raises:
          ValueError: the file holds other variables, or by_name none of these names. OSError: it is not there.
        """
        saving.load_weights(self, filepath, skip_mismatch, by_name, options)

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True, **kwargs: Any) -> None:
        """Writes configuration, how it is compiled, and values into one file. See `models.save_model`."""
        saving.save_model(self, filepath, overwrite, include_optimizer, **kwargs)


def _with_mask(made: Any, given: Any) -> Any:
    if made is not given:
        calls.masks.note(made, calls.masks.of(given))
    return made


def _name_of(t: Tensor) -> str:
    call = calls.call_of(t)
    return call.layer.name if call is not None else t.node.name


@public(v1=("keras.Model", "keras.models.Model"))
class ModelV1(Model):
    """A model of TensorFlow 1: outside of graphs it goes to the default graph, and is trained by a session."""

    shown_name = "model"

    @contextlib.contextmanager
    def _home(self) -> Any:
        with building() as here:
            yield here

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self._home():
            return super().__call__(*args, **kwargs)
