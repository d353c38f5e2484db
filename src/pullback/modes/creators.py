"""variable_creator_scope: functions that have a say in each variable that is made."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core.names import public


class Creators(type):
    """Lets functions that `variable_creator_scope` put in force make variables."""

    stack: list[Callable[..., Any]] = []

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if not Creators.stack:
            return super().__call__(*args, **kwargs)
        taken = inspect.signature(cls.__init__).bind(None, *args, **kwargs)
        taken.apply_defaults()
        settings = {name: value for name, value in taken.arguments.items() if name != "self"}
        stack, Creators.stack = Creators.stack, []  # what a creator itself makes is made plainly

        def plainly(next_creator: Any = None, **settings: Any) -> Any:
            return super(Creators, cls).__call__(**settings)

        try:
            make: Callable[..., Any] = plainly
            for creator in stack:
                make = functools.partial(creator, make)
            return make(**settings)
        finally:
            Creators.stack = stack


@public("variable_creator_scope")
@contextlib.contextmanager
def variable_creator_scope(variable_creator: Callable[..., Any]) -> Iterator[None]:
    """Variables made inside are what `variable_creator(next_creator, **arguments of Variable)` returns; it may change
    the arguments and calls next_creator, outer scopes' creators last."""
    before = Creators.stack
    Creators.stack = [*before, variable_creator]
    try:
        yield
    finally:
        Creators.stack = before
