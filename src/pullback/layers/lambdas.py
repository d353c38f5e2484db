"""Lambda and ActivityRegularization: layers without variables of a function of the user's, or of none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.autograph.calls import callee
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers.base import Layer, _parameters
from pullback.train import regularizers


@public("keras.layers.Lambda")
class Lambda(Layer):
    """A function of the inputs. It may take `mask` and `training`; variables it makes are not the layer's.

    Args:
      function: (inputs, **arguments) -> outputs.
      output_shape: has no meaning: shapes are inferred.
      mask: the outputs' mask, or a function (inputs, mask) that gives it.
      arguments: further arguments of the function.
    A saved model keeps the function's name only; loading it needs custom_objects={name: function}.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentError(f"Lambda: function must be callable, but is {function!r}").locate()
        self.function, self.arguments, self.mask = function, arguments or {}, mask
        self.output_shape_given = output_shape
        self.supports_masking = mask is not None

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        wanted = _parameters(self.function)
        given = dict(self.arguments)
        given |= {k: v for k, v in (("mask", mask), ("training", training)) if k in wanted}
        return callee(self.function)(inputs, **given)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return {**super().get_config(), "function": name, "arguments": self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        if isinstance(config["function"], str):
            found = (custom_objects or {}).get(config["function"])
            if found is None:
                raise ArgumentError(
                    f"Lambda: a saved model keeps no code; give custom_objects={{{config['function']!r}: function}}"
                ).locate()
            config["function"] = found
        return cls(**config)


@public("keras.layers.ActivityRegularization")
class ActivityRegularization(Layer):
    """The inputs; l1 sum |x| + l2 sum x^2, divided by the batch's size, joins `losses`."""

    settings = ("l1", "l2")
    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
