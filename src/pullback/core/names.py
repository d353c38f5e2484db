"""Public names, declared where they are made.

    @public("nn.conv2d", v1="nn.conv2d")
    def conv2d(input, filters, ...): ...

`make names` collects the declarations into `pullback/_names.py`, from which the namespaces look names up
on first use. Declaring costs nothing at run time but an entry in a dict.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
PUBLIC: dict[str, dict[str, tuple[str, str]]] = {"v1": {}, "v2": {}}


def public(*names: str, v1: str | tuple[str, ...] | None = ()) -> Callable[[T], T]:
    """Declares the TensorFlow names of a function or class.

    Args:
      names: its names in TensorFlow 2, without "tf.".
      v1: its names in TensorFlow 1; the same ones when left out, none when None.
    """
    earlier = names if v1 == () else (v1,) if isinstance(v1, str) else v1 or ()

    def declare(made: T) -> T:
        value: Any = made
        for dialect, all_names in (("v2", names), ("v1", earlier)):
            for name in all_names:
                PUBLIC[dialect][name] = (value.__module__, value.__name__)
        return made

    return declare


def public_value(attribute: str, *names: str, v1: str | tuple[str, ...] | None = ()) -> None:
    """Declares the TensorFlow names of the calling module's global `attribute`, for what carries no name itself."""
    module = sys._getframe(1).f_globals["__name__"]
    earlier = names if v1 == () else (v1,) if isinstance(v1, str) else v1 or ()
    for dialect, all_names in (("v2", names), ("v1", earlier)):
        for name in all_names:
            PUBLIC[dialect][name] = (module, attribute)


def method_of(cls: type, name: str | None = None) -> Callable[[T], T]:
    """Installs a function as a method of a class of a lower layer, by the layer that owns what it does."""

    def install(function: T) -> T:
        value: Any = function
        setattr(cls, name or (value.fget if isinstance(value, property) else value).__name__, function)  # type: ignore[union-attr]
        return function

    return install
