"""Which functions are converted when converted code calls them: the user's, and those of the libraries used that are
not named here. Conversion is on while `tf.function` traces, and off inside what `do_not_convert` marks."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from pullback.autograph import cache
from pullback.autograph.functions import BUILTINS, print_when_run
from pullback.core import interpreter
from pullback.core.graph import Graph

# Packages whose functions know no tensors of ours, or are ours.
_LIBRARIES = frozenset(
    [*sys.stdlib_module_names, "pullback", "tensorflow", "numpy", "scipy", "jax", "pytest", "_pytest", "pluggy"]
) | frozenset(["IPython", "ipykernel", "hypothesis", "optree", "llvmlite", "matplotlib", "PIL", "onnx"])
# Ours that call what they are given while a function is traced.
_TAKE_FUNCTIONS = frozenset(
    ["cond", "cond_v2", "foldl", "foldr", "map_fn", "scan", "vectorized_map", "while_loop", "while_loop_v2"]
)


class _Status(threading.local):
    """Whether functions are converted in this thread: None where nobody said. features: optional ones, by name."""

    on: bool | None = None
    features: frozenset[str] = frozenset()


_status = _Status()


@contextlib.contextmanager
def converting(on: bool, features: frozenset[str] = frozenset()) -> Iterator[None]:
    """Converts what is called inside, or does not."""
    before = _status.on, _status.features
    _status.on, _status.features = on, features
    try:
        yield
    finally:
        _status.on, _status.features = before


def traced(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that a graph is traced from, as Dataset.map does: it and what it calls are converted, unless
    conversion is off around it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        with converting(_status.on is not False, _status.features):
            return callee(f)(*args, **kwargs)

    return call


def unconverted(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function as it stands; what it calls is not converted either."""

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        with converting(False):
            return f(*args, **kwargs)

    return call


def callee(f: Any) -> Any:
    """What to call in place of f: a converted function, or f itself where it is not for us to convert."""
    if not _status.on:
        return f
    kind = type(f)
    if kind is FunctionType:
        return _function(f)
    if kind is MethodType:
        made = _function(f.__func__) if type(f.__func__) is FunctionType else f.__func__
        return f if made is f.__func__ else MethodType(made, f.__self__)
    if kind is BuiltinFunctionType or kind is type:
        return _builtin(f)
    if kind is functools.partial:
        return functools.partial(callee(f.func), *f.args, **f.keywords)
    called = getattr(kind, "__call__", None)  # noqa: B004 the class's own
    if type(called) is FunctionType:
        made = _function(called)
        return f if made is called else MethodType(made, f)
    return f


def _function(f: FunctionType) -> Callable[..., Any]:
    if is_library(f):
        return _with_functions(f) if f.__name__ in _TAKE_FUNCTIONS else f
    made = cache.converted(f)
    return _under_its_name(made) if "NAME_SCOPES" in _status.features else made


def is_library(f: FunctionType) -> bool:
    """Whether a function belongs to a package that is not converted."""
    return str(f.__globals__.get("__name__", "")).partition(".")[0] in _LIBRARIES


def _builtin(f: Any) -> Any:
    if f is print:
        return print_when_run if "BUILTIN_FUNCTIONS" in _status.features else f
    return BUILTINS.get(f, f)


def _with_functions(f: FunctionType) -> Callable[..., Any]:
    """A function of ours that converts the functions it is given."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return f(*map(_argument, args), **{k: _argument(v) for k, v in kwargs.items()})

    return call


def _argument(x: Any) -> Any:
    return callee(x) if type(x) in (FunctionType, MethodType, functools.partial) else x


def _under_its_name(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its operations named under its own name."""

    def call(*args: Any, **kwargs: Any) -> Any:
        here = interpreter.current()
        scope = here.name_scope(f.__name__) if isinstance(here, Graph) and f.__name__ != "<lambda>" else None
        with scope or contextlib.nullcontext():
            return f(*args, **kwargs)

    return call
