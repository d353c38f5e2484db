"""Lets `import tensorflow` mean Pullback, in this process and for as long as it is installed.

    pullback run train.py                      a program, as it stands
    pullback.alias.install("tf1")              inside a program, before it imports tensorflow
    with pullback.alias.using("tf2"): ...      for a while

Everything under `tensorflow` is a thin view of the public namespaces: `tensorflow.compat.v1`, `.contrib`, `.python.*`,
`.keras`, which `keras` by itself means too. A name that is not there says so, and names what is near it.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator

from pullback.alias.finder import Finder, ours, theirs

_DIALECTS = {"tf1": "v1", "tf2": "v2"}
_installed: list[tuple[Finder, bool]] = []


def install(dialect: str = "tf1") -> None:
    """Makes `import tensorflow` mean Pullback from here on, in every module that is imported later.

    Args:
      dialect: "tf1": TensorFlow 1.15's names, graphs and sessions, and names from before 1.15 with a warning each.
        "tf2": TensorFlow 2's names, run at once.
    Raises:
      ValueError: the dialect is neither.
      RuntimeError: TensorFlow itself is imported already, so two libraries would share one name.
    """
    if dialect not in _DIALECTS:
        raise ValueError(f'install: dialect must be "tf1" or "tf2", not {dialect!r}')
    if theirs():
        raise RuntimeError("install: TensorFlow itself is imported already; install the alias before that import")
    if _installed:
        uninstall()
    # Loaded on use, like all above core: asking for the alias must not load the library.
    default = importlib.import_module("pullback.modes.default")
    finder = Finder(_DIALECTS[dialect])
    _installed.append((finder, default.eager_by_default(dialect == "tf2")))
    sys.meta_path.insert(0, finder)


def uninstall() -> None:
    """Takes the alias out again: `import tensorflow` means what it meant before. Objects in use stay valid."""
    default = importlib.import_module("pullback.modes.default")
    while _installed:
        finder, eager = _installed.pop()
        sys.meta_path.remove(finder)
        default.eager_by_default(eager)
    for name in ours():
        del sys.modules[name]


def installed() -> str | None:
    """The dialect in force, "tf1" or "tf2"; None when the alias is not installed."""
    return {v: k for k, v in _DIALECTS.items()}[_installed[-1][0].dialect] if _installed else None


@contextlib.contextmanager
def using(dialect: str = "tf1") -> Iterator[None]:
    """`install` at the beginning of a `with`, and what was before at its end."""
    before = installed()
    install(dialect)
    try:
        yield
    finally:
        uninstall()
        if before is not None:
            install(before)
