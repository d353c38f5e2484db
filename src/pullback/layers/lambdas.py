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
    A saved model keeps the functions' names only; loading it needs custom_objects={name: function}.
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
        self.supports_masking = mask is not None

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        wanted = _parameters(self.function)
        given = dict(self.arguments)
        given |= {k: v for k, v in (("mask", mask), ("training", training)) if k in wanted}
        return callee(self.function)(inputs, **given)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "function": _name_of(self.function), "arguments": self.arguments}
        return config if self.mask is None else {**config, "mask": _name_of(self.mask)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        for key in ("function", "mask"):
            name = config.get(key)
            if isinstance(name, str):
                if name not in (custom_objects or {}):
                    raise ArgumentError(
                        f"Lambda: a saved model keeps no code; give custom_objects={{{name!r}: function}}"
                    ).locate()
                config[key] = custom_objects[name]
        return cls(**config)


def _name_of(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


@public("keras.layers.ActivityRegularization")
class ActivityRegularization(Layer):
    """The inputs; l1 sum |x| + l2 sum x^2, divided by the batch's size, joins `losses`."""

    settings = ("l1", "l2")
    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
