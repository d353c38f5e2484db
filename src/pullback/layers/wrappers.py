"""Layers around layers: Wrapper, TimeDistributed, Bidirectional."""

from __future__ import annotations

from typing import Any

from pullback.core import nest
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers.base import Layer, described
from pullback.layers.sizes import packed, sizes_of
from pullback.ops.array.joining import concat
from pullback.ops.array.layout import reverse
from pullback.ops.array.shape import reshape
from pullback.ops.math.reduce_functions import reduce_any


@public("keras.layers.Wrapper")
class Wrapper(Layer):
    """Base of layers that hold another, `layer`."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ArgumentError(f"{type(self).__name__}: layer must be a Layer; received {layer!r}").locate()
        self.layer = layer

    def get_config(self) -> dict[str, Any]:
        inner = {"class_name": type(self.layer).__name__, "config": self.layer.get_config()}
        return {**super().get_config(), "layer": inner}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from pullback.layers.registry import layer_of

        config = dict(config)
        for name in ("layer", "backward_layer"):
            if isinstance(config.get(name), dict):
                config[name] = layer_of(config[name], custom_objects)
        return cls(**config)


@public("keras.layers.TimeDistributed")
class TimeDistributed(Wrapper):
    """The same layer at every step. x [B, T, ...] -> [B, T, ...]

    A mask [B, T, ...] is given to the layer step by step; what the layer masks of each step is masked of the outputs.
    """

    supports_masking = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        sizes, takes = sizes_of(inputs), self.layer._call_parameters()
        given = {"training": training} if "training" in takes else {}
        if mask is not None and "mask" in takes:
            given["mask"] = _one_by_one(mask)
        y = self.layer(_one_by_one(inputs), **given)
        out = reshape(y, packed([sizes[0] if isinstance(sizes[1], int) else -1, sizes[1], *sizes_of(y)[1:]]))
        known = inputs.spec.shape
        out.set_shape((*known[:2], *(y.spec.shape or ())[1:]))
        return out

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if not (self.layer.supports_masking or type(self.layer).compute_mask is not Layer.compute_mask):
            return mask
        inner = self.layer.compute_mask(_one_by_one(inputs), None if mask is None else _one_by_one(mask))
        if inner is not None:
            return reshape(inner, packed([*sizes_of(inputs)[:2], *sizes_of(inner)[1:]]))
        rank = 2 if mask is None else mask.spec.rank
        return reduce_any(mask, range(2, rank)) if rank > 2 else mask


def _one_by_one(x: Any) -> Any:
    """[B, T, ...] -> [B T, ...]"""
    return reshape(x, packed([-1, *sizes_of(x)[2:]]))


@public("keras.layers.Bidirectional")
class Bidirectional(Wrapper):
    """Two recurrent layers over the same inputs, one from each end.

    Args:
      layer: the forward one; the backward one is like it, or `backward_layer`.
      merge_mode: "concat" end to end, "sum", "mul", "ave", or None: a list of both.
      weights: the first values of both layers' variables.
    Raises:
      ValueError: merge_mode is not known, the layer is not recurrent, or both layers go the same way.
    """

    settings = ("merge_mode",)
    supports_masking = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        if merge_mode not in ("sum", "mul", "ave", "concat", None):
            raise ArgumentError(
                f'Bidirectional: merge_mode must be "sum", "mul", "ave", "concat" or None, not {merge_mode!r}'
            ).locate()
        if not all(hasattr(layer, word) for word in ("go_backwards", "return_sequences", "return_state")):
            raise ArgumentError(
                f"Bidirectional: layer must be recurrent (go_backwards, return_sequences, return_state), not {layer!r}"
            ).locate()
        if getattr(layer, "_batch_input_shape", None) is not None and "input_shape" not in kwargs:
            kwargs.setdefault("batch_input_shape", layer._batch_input_shape)
        super().__init__(layer, **kwargs)
        self.merge_mode = merge_mode
        self._given_backward = backward_layer is not None
        self.forward_layer = self._like(layer, False)
        self.layer = self.forward_layer
        self.backward_layer = backward_layer if backward_layer is not None else self._like(layer, True)
        if self.forward_layer.go_backwards == self.backward_layer.go_backwards:
            raise ArgumentError("Bidirectional: forward and backward layer must not go the same way").locate()
        for one in (self.forward_layer, self.backward_layer):
            one._zero_output = layer.return_sequences  # masked steps give 0 from either end
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self._initial_weights = weights

    @staticmethod
    def _like(layer: Any, backwards: bool) -> Any:
        """A layer of the same configuration, forward_... or backward_... by name."""
        config = layer.get_config()
        config["name"] = f"{'backward' if backwards else 'forward'}_{layer.name}"
        config["go_backwards"] = layer.go_backwards != backwards
        config.pop("batch_input_shape", None)
        return type(layer).from_config(config)

    def __call__(self, inputs: Any, *args: Any, initial_state: Any = None, **kwargs: Any) -> Any:
        """Runs both. initial_state: the states of the forward layer, then those of the backward one."""
        if initial_state is not None:
            return super().__call__([inputs, *nest.leaves_of(initial_state)], *args, **kwargs)
        return super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        x, states = (inputs[0], list(inputs[1:])) if isinstance(inputs, (list, tuple)) else (inputs, [])
        mask = nest.leaves_of(mask)[0] if nest.is_nest(mask) else mask
        half = len(states) // 2
        given: dict[str, Any] = {"training": training} | ({"mask": mask} if mask is not None else {})
        y = self.forward_layer(x, initial_state=states[:half] or None, **given)
        y_back = self.backward_layer(x, initial_state=states[half:] or None, **given)
        kept: list[Any] = []
        if self.return_state:
            kept, y, y_back = [*y[1:], *y_back[1:]], y[0], y_back[0]
        if self.return_sequences:
            y_back = reverse(y_back, [0 if getattr(self.forward_layer, "time_major", False) else 1])
        output = self._merged(y, y_back)
        return [*(output if isinstance(output, list) else [output]), *kept] if self.return_state else output

    def _merged(self, y: Any, y_back: Any) -> Any:
        if self.merge_mode == "concat":
            return concat([y, y_back], -1)
        if self.merge_mode is None:
            return [y, y_back]
        if self.merge_mode == "mul":
            return y * y_back
        return y + y_back if self.merge_mode == "sum" else (y + y_back) / 2

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = nest.leaves_of(mask)[0] if nest.is_nest(mask) else mask
        output = mask if self.return_sequences else None
        return [output, output] if self.merge_mode is None else output

    def reset_states(self) -> None:
        """Sets the kept states of both layers to zero."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["layer"]["config"]["name"] = self.forward_layer.name.removeprefix("forward_")
        if self._given_backward:
            config["backward_layer"] = described(self.backward_layer)
        return config
