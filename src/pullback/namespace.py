"""Public namespaces: names looked up on first use, no logic.

`pullback` speaks TensorFlow 2, `pullback.v1` TensorFlow 1. A name is found in `_names`, its room is loaded, and the
object is kept in the module. "nn.conv2d" lives in the namespace `nn`, a module of its own.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from pullback import autograph, io
from pullback._names import V1, V2

_TABLES = {"v1": V1, "v2": V2}
_ROOTS = {"v1": "pullback.v1", "v2": "pullback"}


def _scopes(table: dict[str, str]) -> set[str]:
    """Every namespace: all that stands before a dot."""
    found: set[str] = set()
    for name in table:
        while "." in name:
            name = name.rpartition(".")[0]
            found.add(name)
    return found


_SCOPES = {dialect: _scopes(table) for dialect, table in _TABLES.items()}


def find(dialect: str, name: str) -> Any:
    """The public object of a full name, as "nn.conv2d".

    Raises:
      AttributeError: there is none.
    """
    table = _TABLES[dialect]
    if name in table:
        _start()
        module, _, attribute = table[name].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        return in_default_graph(found) if dialect == "v1" and isinstance(found, FunctionType) else found
    if name in _SCOPES[dialect]:
        return _namespace(dialect, name)
    raise AttributeError(_missing(dialect, name))


def is_namespace(dialect: str, name: str) -> bool:
    """Whether public names stand below a name, as below "nn"."""
    return name in _SCOPES[dialect]


@functools.cache
def _start() -> None:
    """Loads what every program needs: the engine, and the operators and methods of tensors, graphs and variables."""
    for module in ("engines", "ops.math.operators", "ops.array", "io.graphs", "io.variable_defs"):
        importlib.import_module(f"pullback.{module}")


def in_default_graph(found: FunctionType) -> Any:
    """A function as v1 has it. Context managers and the functions about the default graph find it themselves; flags,
    logs and files (`app`) have none, and each of the tests that `test.main` runs has a new one."""
    from pullback.modes import default

    generates = inspect.isgeneratorfunction(getattr(found, "__wrapped__", found))
    apart = found.__module__ in (default.__name__, "pullback.test.running") or found.__module__.startswith(
        "pullback.app."
    )
    return found if generates or apart else default.in_default_graph(found)


def _missing(dialect: str, name: str) -> str:
    import difflib

    shown = f"module {_ROOTS[dialect]!r} has no attribute {name!r}"
    other = "v2" if dialect == "v1" else "v1"
    if name in _TABLES[other]:
        return f"{shown}; it is in {_ROOTS[other]!r}"
    near = difflib.get_close_matches(name, _TABLES[dialect], 1)
    return f"{shown}; did you mean {near[0]!r}?" if near else shown


class _Namespace(ModuleType):
    """A namespace that is no package of ours."""


def _namespace(dialect: str, name: str) -> ModuleType:
    full = f"{_ROOTS[dialect]}.{name}"
    if full in sys.modules:
        return sys.modules[full]
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as error:
        if error.name != full:
            raise
    module: Any = _Namespace(full, f"Public names of {full}.")
    module.__path__ = []
    module.__getattr__, module.__dir__ = lazy(dialect, name, module)
    sys.modules[full] = module
    return module


def lazy(
    dialect: str, prefix: str, module: ModuleType | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a namespace."""
    where = sys._getframe(1).f_globals if module is None else module.__dict__
    front = f"{prefix}." if prefix else ""

    def get(name: str) -> Any:
        if name.startswith("__") and front + name not in _TABLES[dialect]:
            raise AttributeError(name)
        found = where[name] = find(dialect, front + name)
        return found

    def names() -> list[str]:
        both = {*_TABLES[dialect], *_SCOPES[dialect]}
        here = {n[len(front) :].partition(".")[0] for n in both if n.startswith(front)}
        return sorted(here | {n for n in where if n.startswith("__")})

    return get, names


# The packages below this layer whose names are public namespaces too.
for _package, _prefix in ((autograph, "autograph"), (io, "io")):
    _package.__getattr__, _package.__dir__ = lazy("v2", _prefix, _package)  # type: ignore[attr-defined,method-assign]
