"""How Keras names things in configurations: a word, a dictionary {"class_name", "config"}, or the thing itself."""

from __future__ import annotations

import inspect
from typing import Any

from pullback.core.errors import ArgumentError


def find(identifier: Any, table: dict[str, Any], what: str) -> Any:
    """What an identifier stands for: classes named by a word or given as such are made with their defaults.

    Args:
      identifier: None, a word of the table, a dictionary, a class, or anything callable.
      table: word -> class or function.
      what: the kind of thing, for errors.
    Raises:
      ArgumentError: it stands for nothing here.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return made(identifier, table, what)
    if isinstance(identifier, str):
        return made({"class_name": identifier, "config": {}}, table, what)
    if inspect.isclass(identifier):
        return identifier()
    if callable(identifier):
        return identifier
    raise ArgumentError(f"Could not interpret {what} identifier: {identifier!r}").locate()


def made(config: Any, table: dict[str, Any], what: str, custom: Any = None) -> Any:
    """The thing that a word, or a dictionary {"class_name", "config"}, describes.

    Raises:
      ArgumentError: the table has no such name.
    """
    if isinstance(config, str):
        config = {"class_name": config, "config": {}}
    name = config.get("class_name")
    found: Any = {**table, **(custom or {})}.get(name)
    if found is None:
        raise ArgumentError(f"Unknown {what}: {name!r}; known are {', '.join(sorted(table))}").locate()
    if not inspect.isclass(found):
        return found
    cls: Any = found
    return cls.from_config(config.get("config", {}))


def described(thing: Any) -> Any:
    """The dictionary that `made` reads; of a function its name."""
    if hasattr(thing, "get_config"):
        return {"class_name": type(thing).__name__, "config": thing.get_config()}
    return thing.__name__
