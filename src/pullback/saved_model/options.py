"""Options of saving and loading, and files that a model brings along."""

from __future__ import annotations

import enum
import os
from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public


@public("saved_model.experimental.VariablePolicy")
class VariablePolicy(enum.Enum):
    """How variables of several devices are saved. There is one device, so both keep the variables as they are."""

    NONE = None
    SAVE_VARIABLE_DEVICES = "save_variable_devices"
    EXPAND_DISTRIBUTED_VARIABLES = "expand_distributed_variables"


def _refuse(where: str, asked: dict[str, Any]) -> None:
    """Raises ArgumentError where options are set that cannot be honoured."""
    named = sorted(name for name, value in asked.items() if value)
    if named:
        raise ArgumentError(f"{where}: {named} cannot be honoured; leave them out").locate()


@public("saved_model.SaveOptions")
class SaveOptions:
    """How a model is saved.

    Args:
      namespace_whitelist: namespaces of ops of one's own that may be saved; there are none to refuse here.
      save_debug_info, experimental_debug_stripper: no lines of code are written either way with False, True refused.
      function_aliases: {name: tf.function}, kept with the model.
      experimental_io_device: there is one device.
      experimental_variable_policy: there is one device, so every policy is the same.
      experimental_custom_gradients: custom gradients are part of the graphs that are saved.
      experimental_image_format, experimental_sharding_callback, experimental_skip_saver: not supported.
      extra_tags: words besides "serve".
    Raises:
      ArgumentError: something cannot be honoured; names it.
    """

    def __init__(
        self,
        namespace_whitelist: Any = None,
        save_debug_info: bool = False,
        function_aliases: Any = None,
        experimental_debug_stripper: bool = False,
        experimental_io_device: str | None = None,
        experimental_variable_policy: Any = None,
        experimental_custom_gradients: bool = True,
        experimental_image_format: bool = False,
        experimental_skip_saver: bool = False,
        experimental_sharding_callback: Any = None,
        extra_tags: Any = None,
    ) -> None:
        _refuse(
            "SaveOptions",
            {
                "save_debug_info": save_debug_info,
                "experimental_image_format": experimental_image_format,
                "experimental_skip_saver": experimental_skip_saver,
                "experimental_sharding_callback": experimental_sharding_callback,
            },
        )
        self.namespace_whitelist, self.save_debug_info = namespace_whitelist or [], save_debug_info
        self.function_aliases = dict(function_aliases or {})
        self.experimental_debug_stripper = experimental_debug_stripper
        self.experimental_io_device = experimental_io_device
        self.experimental_variable_policy = VariablePolicy(getattr(experimental_variable_policy, "value", None))
        self.experimental_custom_gradients = experimental_custom_gradients
        self.experimental_image_format = experimental_image_format
        self.experimental_skip_saver = experimental_skip_saver
        self.experimental_sharding_callback = experimental_sharding_callback
        self.extra_tags = [extra_tags] if isinstance(extra_tags, str) else list(extra_tags or ())


@public("saved_model.LoadOptions", v1=None)
class LoadOptions:
    """How a model is loaded.

    Args:
      allow_partial_checkpoint: variables without a value in the checkpoint are no error.
      experimental_io_device: there is one device.
      experimental_skip_checkpoint: leaves the variables without values.
      experimental_variable_policy: there is one device, so every policy is the same.
      experimental_load_function_aliases: not supported.
    Raises:
      ArgumentError: something cannot be honoured; names it.
    """

    def __init__(
        self,
        allow_partial_checkpoint: bool = False,
        experimental_io_device: str | None = None,
        experimental_skip_checkpoint: bool = False,
        experimental_variable_policy: Any = None,
        experimental_load_function_aliases: bool = False,
    ) -> None:
        _refuse("LoadOptions", {"experimental_load_function_aliases": experimental_load_function_aliases})
        self.allow_partial_checkpoint = allow_partial_checkpoint
        self.experimental_io_device = experimental_io_device
        self.experimental_skip_checkpoint = experimental_skip_checkpoint
        self.experimental_variable_policy = VariablePolicy(getattr(experimental_variable_policy, "value", None))
        self.experimental_load_function_aliases = experimental_load_function_aliases


@public("saved_model.Asset")
class Asset:
    """A file that a model reads: it is copied into the model, and the loaded model has the path of the copy.

    Args:
      path: of the file.
    """

    def __init__(self, path: Any) -> None:
        self._path = interpreter.as_tensor(os.fsdecode(path), here=interpreter.eager())

    @property
    def asset_path(self) -> Any:
        """The path, a string tensor []: always the same tensor."""
        return self._path

    def _trackable_children(self) -> dict[str, Any]:
        return {}
