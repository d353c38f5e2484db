"""Runs a program by TensorFlow 2.21 as TensorFlow 1 would have: `import tensorflow` is tensorflow.compat.v1.

python as_tensorflow1.py program.py [arguments]

Keras 3 has no tf.layers and no recurrent cells; TensorFlow keeps its own old ones inside, and those stand in.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from types import ModuleType
from typing import Any

KEPT_INSIDE = {
    "layers": ("legacy_tf_layers.core", "legacy_tf_layers.convolutional", "legacy_tf_layers.pooling"),
    "nn.rnn_cell": ("layers.legacy_rnn.rnn_cell_impl",),
}


class View(ModuleType):
    """A module whose names are those of others, the first that has it."""

    def __init__(self, name: str, *others: Any) -> None:
        super().__init__(name)
        self.others = others
        self.__path__ = []

    def __getattr__(self, name: str) -> Any:
        for other in self.others:
            if hasattr(other, name):
                return getattr(other, name)
        raise AttributeError(name)


def tensorflow1() -> ModuleType:
    """What `import tensorflow` gave in 1.15, as far as it is still there."""
    v1 = importlib.import_module("tensorflow.compat.v1")
    v1.disable_v2_behavior()
    v1.logging.set_verbosity(v1.logging.ERROR)
    made = {"": View("tensorflow", v1), "nn": View("tensorflow.nn", v1.nn)}
    for name, modules in KEPT_INSIDE.items():
        inside = [importlib.import_module(f"tensorflow.python.keras.{module}") for module in modules]
        made[name] = View(f"tensorflow.{name}", *inside)
    for name, module in made.items():
        if name:
            owner, _, last = name.rpartition(".")
            setattr(made[owner], last, module)
    return made[""]


if __name__ == "__main__":
    sys.modules["tensorflow"] = tensorflow1()
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")
