"""The import hook: `tensorflow`, `keras` and every module under them, made on first import.

`keras` is `tensorflow.keras`, as where TensorFlow is installed; not where KERAS_BACKEND chooses another library.

A module here is empty; its names are looked up when they are used, see `symbols`. Names kept in a module after the
first use cost a dictionary look-up, as in any module.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pullback.alias import symbols

ROOT, KERAS = "tensorflow", "keras"


def below(module: str) -> str | None:
    """The path below `tensorflow` of a module's full name: "keras.layers" of "tensorflow.keras.layers" and of
    "keras.layers"; None for modules that are neither's."""
    root, _, inner = module.partition(".")
    if root == ROOT:
        return inner
    if root != KERAS or os.environ.get("KERAS_BACKEND", ROOT) != ROOT:
        return None
    public = any(symbols.is_space(d, module) or symbols.lookup(d, module) is not None for d in ("v1", "v2"))
    return module if public else f"python.{module}"


class TensorFlow(ModuleType):
    """`tensorflow`, or a module of it, in one dialect."""

    def __init__(self, name: str, dialect: str, path: str) -> None:
        super().__init__(name, f"{name}, as Pullback has it. `dir` lists its names.")
        self.__dict__["__path__"] = []  # a package: it may have modules below
        self.__dict__["_dialect"], self.__dict__["_below"] = dialect, path

    def __getattr__(self, name: str) -> Any:
        dialect, below = self.__dict__["_dialect"], self.__dict__["_below"]
        if name == "__all__":
            return [*symbols.names(dialect, below)]
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        path = f"{below}.{name}" if below else name
        found = symbols.lookup(dialect, path)
        if found is not None:
            value = found.load()
        elif symbols.is_space(dialect, path):
            value = importlib.import_module(f"{ROOT}.{path}")
        else:
            raise AttributeError(symbols.missing(dialect, path))
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*symbols.names(self._dialect, self._below), *self.__dict__})


class Finder(MetaPathFinder, Loader):
    """Finds `tensorflow`, `keras` and what is under them, ahead of what is installed."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec; None for modules that are not TensorFlow's.

        Raises:
          ImportError: there is no such module or name. It is no ModuleNotFoundError of this name, which
            `from tensorflow import name` would swallow together with what it says.
        """
        inner = below(fullname)
        if inner is None:
            return None
        if symbols.lookup(self.dialect, inner) is None and not symbols.is_space(self.dialect, inner):
            raise ImportError(symbols.missing(self.dialect, inner), name=ROOT)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        inner = below(spec.name) or ""
        if not symbols.is_space(self.dialect, inner):  # `import tensorflow.Session`: a name that is no module
            raise ImportError(f"tf.{inner} is a name, not a module; say: from {ROOT} import {inner}", name=ROOT)
        return TensorFlow(spec.name, self.dialect, inner)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: names come on use."""


def ours() -> list[str]:
    """The modules in `sys.modules` that are made here."""
    return [name for name, module in sys.modules.items() if isinstance(module, TensorFlow)]


def theirs() -> list[str]:
    """Modules of an installed TensorFlow that are already imported."""
    return [name for name in sys.modules if name.partition(".")[0] == ROOT and name not in ours()]
