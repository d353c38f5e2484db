"""arg_scope: defaults of functions for the length of a `with`; and how contrib's names are declared."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pullback.core.names import public

F = TypeVar("F", bound=Callable[..., Any])
Scope = dict[str, dict[str, Any]]
_stack: list[Scope] = [{}]


def contrib(spaces: str, *names: str) -> Callable[[Any], Any]:
    """Declares names under several namespaces of contrib: contrib("layers slim", "conv2d")."""
    return public(v1=tuple(f"contrib.{space}.{name}" for space in spaces.split() for name in names))


def _key(op: Any) -> str:
    """What a function's defaults are kept under; survives wrapping."""
    return getattr(op, "_key_op", None) or f"{op.__module__}.{op.__qualname__}"


@contrib("framework slim", "add_arg_scope")
def add_arg_scope(func: F) -> F:
    """Decorator: arguments that the caller leaves out come from the `arg_scope` in force."""

    taken = inspect.signature(func).parameters.values()
    by_position = [p.name for p in taken if p.kind is p.POSITIONAL_OR_KEYWORD]

    @functools.wraps(func)
    def with_defaults(*args: Any, **kwargs: Any) -> Any:
        defaults = _stack[-1].get(_key(func))
        if not defaults:
            return func(*args, **kwargs)
        said = by_position[: len(args)]
        return func(*args, **{**{name: value for name, value in defaults.items() if name not in said}, **kwargs})

    with_defaults._key_op = _key(func)  # type: ignore[attr-defined]
    with_defaults._scoped = tuple(p.name for p in taken if p.default is not p.empty)  # type: ignore[attr-defined]
    with_defaults._any = any(p.kind is p.VAR_KEYWORD for p in taken)  # type: ignore[attr-defined]
    return with_defaults  # type: ignore[return-value]


@contrib("framework slim", "has_arg_scope")
def has_arg_scope(func: Any) -> bool:
    """Whether `arg_scope` may give the function defaults."""
    return hasattr(func, "_key_op")


@contrib("framework slim", "arg_scoped_arguments")
def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """The arguments that `arg_scope` may give.

    Raises:
      ValueError: the function was not decorated with add_arg_scope.
    """
    if not has_arg_scope(func):
        raise ValueError(f"{func!r} is not decorated with @add_arg_scope")
    return func._scoped


@contrib("framework slim", "current_arg_scope")
def current_arg_scope() -> Scope:
    """The defaults in force, by function."""
    return _stack[-1]


@contrib("framework slim", "arg_scope")
@contextlib.contextmanager
def arg_scope(list_ops_or_scope: Any, **kwargs: Any) -> Iterator[Scope]:
    """Gives functions defaults for the length of a `with`.

    Args:
      list_ops_or_scope: functions decorated with add_arg_scope, or a scope to enter again (then no kwargs).
      kwargs: argument=value; inner scopes win over outer ones, and what a call says over both.
    Raises:
      ValueError: a scope is given together with arguments, or a function is not decorated or has no such argument.
      TypeError: it is neither a list nor a scope.
    """
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("When attempting to re-use a scope by suppling a dictionary, kwargs must be empty.")
        scope = dict(list_ops_or_scope)
    elif isinstance(list_ops_or_scope, (list, tuple)):
        scope = dict(_stack[-1])
        for op in list_ops_or_scope:
            _check(op, kwargs)
            scope[_key(op)] = {**scope.get(_key(op), {}), **kwargs}
    else:
        raise TypeError("list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)")
    _stack.append(scope)
    try:
        yield scope
    finally:
        _stack.pop()


def _check(op: Any, kwargs: dict[str, Any]) -> None:
    if not has_arg_scope(op):
        raise ValueError(f"{op!r} is not decorated with @add_arg_scope")
    unknown = [name for name in kwargs if name not in op._scoped and not op._any]
    if unknown:
        raise ValueError(f"arg_scope: {op._key_op} has no argument {unknown[0]!r} with a default; it has {op._scoped}")
